import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { Webhook as Verifier } from 'standardwebhooks';
import { assayCommand, removeFolder, startServer, temporaryFolder, untilReady, type RunningServer } from '../helpers/server.ts';
import { until } from '../helpers/fixture.ts';
import { startReceiver, type Receiver } from '../outbound/receiver.ts';
import { assay, documentOf, itemsOf, type Document, type Ended } from './assay.ts';

let data: string;
let server: RunningServer;
let receiver: Receiver;
beforeAll(async () => {
  data = temporaryFolder();
  server = await startServer({ data, env: { ASSAY_LOOPBACK_TARGETS: 'allow' } });
  await untilReady(server);
  receiver = await startReceiver();
});
afterAll(async () => {
  await receiver.close();
  await server.stop();
  removeFolder(data);
});

const run = (...args: readonly string[]): Promise<Ended> => assay([...args, '--data', data]);
const json = async (...args: readonly string[]): Promise<Document> => documentOf(await run(...args, '--json'));

describe('assay webhook', () => {
  test('is created, tested, looked at, changed, rotated, replayed to, switched and deleted', async () => {
    const made = await json('webhook', 'create', '--name', 'crm', '--url', `http://127.0.0.1:${receiver.port}/in`, '--event', 'user_created');
    const { id, secret } = made as { readonly id: string; readonly secret: string };
    expect(made).toMatchObject({ tenant: 'default', events: ['user_created'], enabled: true, attempts: 0, failing_since: null });
    expect(await json('webhook', 'test', id)).toMatchObject({ type: 'webhook_tested', outcome: 'delivered', status: 200, replay: true });
    const { body, headers } = receiver.calls[0] ?? { body: '', headers: {} };
    expect(new Verifier(secret).verify(body, headers as Record<string, string>)).toMatchObject({ type: 'webhook_tested', data: { actor: 'operator', subject: id } });
    await json('user', 'create', '--username', 'ann', '--email', 'ann@example.com');
    await until('it was told', () => receiver.calls.length === 2);
    await until('it is noted', async () => itemsOf(await run('webhook', 'deliveries', id, '--json')).length === 2);
    const shown = await run('webhook', 'show', id);
    expect([shown.code, shown.out.includes('crm'), shown.out.includes(secret.slice(6))]).toEqual([0, true, false]);
    expect(await json('webhook', 'update', id, '--name', 'new', '--event', '')).toMatchObject({ name: 'new', events: [] });
    const rotated = await json('webhook', 'rotate-secret', id, '--overlap', '60');
    expect([(rotated['secrets'] as unknown[]).length, rotated['secret'] !== secret]).toEqual([2, true]);
    expect(await json('webhook', 'disable', id)).toMatchObject({ enabled: false });
    expect(documentOf(await run('webhook', 'test', id, '--json'), 1)).toMatchObject({ error: 'conflict', error_description: expect.stringContaining('`assay webhook enable') });
    expect(await json('webhook', 'enable', id)).toMatchObject({ enabled: true });
    expect(await json('webhook', 'replay', id, '--since', '1h')).toMatchObject({ events: expect.any(Number), next: null });
    expect(itemsOf(await run('webhook', 'list', '--json'))).toMatchObject([{ id, name: 'new' }]);
    expect(documentOf(await run('webhook', 'delete', id, '--json'), 2)).toMatchObject({ error: 'usage' });
    expect(await json('webhook', 'delete', id, '--yes')).toEqual({ ok: true });
    expect(documentOf(await run('webhook', 'show', id, '--json'), 1)).toMatchObject({ error: 'not_found' });
  }, 30_000);

  test('CR-08 a secret is taken from standard input, and not said back; the server\'s own is listed apart', async () => {
    const secret = `whsec_${Buffer.alloc(32, 5).toString('base64')}`;
    const made = documentOf(await assay(['webhook', 'create', '--name', 'siem', '--url', 'https://hooks.invalid/', '--server', '--secret-stdin', '--json', '--data', data], { stdin: `${secret}\n` }));
    expect([made['tenant'], made['secret']]).toEqual([null, undefined]);
    expect([itemsOf(await run('webhook', 'list', '--json')), itemsOf(await run('webhook', 'list', '--server', '--json')).length]).toEqual([[], 1]);
    await json('webhook', 'delete', String(made['id']), '--yes');
  }, 20_000);

  test.each([
    [['webhook', 'create', '--name', 'x'], 2, 'needs --name and --url'],
    [['webhook', 'create', '--name', 'x', '--url', 'http://hooks.example.com/'], 2, 'it must be https'],
    [['webhook', 'create', '--name', 'x', '--url', 'https://hooks.example.com/', '--event', 'user_born'], 2, 'user_born'],
    [['webhook', 'create', '--name', 'x', '--url', 'https://hooks.example.com/', '--tenant', 'nowhere'], 1, 'nowhere'],
    [['webhook', 'list', '--server', '--tenant', 'default'], 2, 'exclude each other'],
    [['webhook', 'replay', 'wh_x'], 2, 'one of --event, --since and --after'],
    [['webhook', 'replay', 'wh_x', '--event', 'x'], 2, 'evt_42'],
    [['webhook', 'show', 'wh_x'], 1, 'there is no webhook'],
    [['events', '--after', 'x'], 2, 'evt_42'],
    [['events', '--type', 'user_born'], 2, 'user_born'],
  ] as const)('%j is refused', async (args, code, words) => {
    const ended = await run(...args);
    expect([ended.code, ended.err.includes(words)]).toEqual([code, true]);
  });
});

describe('assay events', () => {
  test('prints a JSON document a line, the oldest first, and goes on from one', async () => {
    const { out, code } = await run('events', '--json');
    const lines = out.trimEnd().split('\n').map((line) => JSON.parse(line) as { readonly id: string; readonly type: string; readonly data: { readonly number: number } });
    expect([code, lines[0]?.type, lines.map(({ data: { number } }) => number)]).toEqual([0, 'origin_changed', lines.map(({ data: { number } }) => number).toSorted((a, b) => a - b)]);
    const rest = await run('events', '--json', '--after', lines.at(-2)?.id ?? '');
    expect(rest.out.split('\n')[0]).toBe(out.trimEnd().split('\n').at(-1) ?? '');
    const typed = await run('events', '--type', 'tenant_created', '--tenant', 'default');
    expect(typed.out).toMatch(/^[0-9-]{10} [0-9:]{8}Z {2}evt_[0-9]+ {2}tenant_created {2}success {2}default/);
  });

  test('--follow prints what happens from now on, until it is stopped', async () => {
    const child = Bun.spawn([...assayCommand, 'events', '--follow', '--json', '--type', 'tenant_created', '--data', data], { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe', env: { PATH: Bun.env['PATH'] ?? '' } });
    let said = '';
    const reading = (async () => {
      for await (const chunk of child.stdout) said += new TextDecoder().decode(chunk);
    })();
    // It is ready some time after its start, and says nothing before: what happens until then is not its business.
    for (let count = 0; !said.includes('\n') && count < 20; count += 1) await run('tenant', 'create', `shop${count}`, '--alg', 'ES256');
    child.kill('SIGINT');
    expect([await child.exited, JSON.parse(said.split('\n')[0] ?? '')]).toEqual([0, expect.objectContaining({ type: 'tenant_created', data: expect.objectContaining({ tenant: expect.stringMatching(/^shop/) }) })]);
    await reading;
  }, 30_000);
});
