import { afterAll, beforeAll, expect, test } from 'bun:test';
import { randomInt } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { assayCommand, basic, postForm, removeFolder, startServer, untilReady, type RunningServer } from '../helpers/server.ts';
import { assay, documentOf, itemsOf, type Document } from './assay.ts';

let server: RunningServer;

beforeAll(async () => {
  server = await startServer();
  await untilReady(server);
});
afterAll(async () => {
  await server.stop();
  removeFolder(server.data);
});

const json = async (...args: readonly string[]): Promise<Document> => documentOf(await assay([...args, '--json', '--data', server.data]));
const keysOf = (path: string): readonly string[] => readFileSync(path, 'utf8').split('\n').filter((line) => line !== '');

/** Issues and introspects without a pause until it is stopped. @returns what went wrong, and how often it went well */
function keepBusy(secret: string): { stop(): Promise<{ readonly wrong: readonly string[]; readonly rounds: number }> } {
  const headers = { Authorization: basic('svc', secret) };
  const wrong: string[] = [];
  let rounds = 0;
  let stopped = false;
  const running = (async () => {
    while (!stopped) {
      const issued = await postForm(`${server.url}/oauth2/token`, { grant_type: 'client_credentials' }, headers);
      const answer = await issued.json() as Document;
      if (issued.status !== 200) wrong.push(`token ${issued.status} ${JSON.stringify(answer)}`);
      const asked = await postForm(`${server.url}/oauth2/introspect`, { token: String(answer['access_token']) }, headers);
      const { active } = await asked.json() as Document;
      if (active !== true) wrong.push(`introspect ${asked.status}`);
      rounds += 1;
      await Bun.sleep(5);
    }
  })();
  return {
    async stop() {
      stopped = true;
      await running;
      return { wrong, rounds };
    },
  };
}

test('JK-08 rotate-master, killed at any point and run again, beside a server that goes on', async () => {
  const path = join(server.data, 'master.key');
  const secret = String((await json('client', 'create', '--id', 'svc', '--scope', 'a'))['client_secret']);
  const token = String((await json('token', 'issue', '--client', 'svc'))['access_token']);
  const kids = itemsOf(await assay(['keys', 'list', '--json', '--data', server.data])).map(({ kid }) => kid);
  const [former = ''] = keysOf(path);
  const busy = keepBusy(secret);

  const points = [60, 120, 180, 260, 400].map((ms) => ms + randomInt(120));
  for (const ms of points) {
    const child = Bun.spawn([...assayCommand, 'keys', 'rotate-master', '--data', server.data], { stdin: 'ignore', stdout: 'ignore', stderr: 'ignore', env: { PATH: Bun.env['PATH'] ?? '' } });
    await Bun.sleep(ms);
    child.kill('SIGKILL');
    await child.exited;
    // Whatever it left: the data opens, and a new tenant's keys are sealed.
    await json('tenant', 'create', `t${ms}-${points.indexOf(ms)}`, '--alg', 'ES256');
    expect(keysOf(path).length).toBeLessThanOrEqual(2);
  }
  const ended = await json('keys', 'rotate-master');
  const { wrong, rounds } = await busy.stop();
  expect({ wrong, points }).toEqual({ wrong: [], points });
  expect(rounds).toBeGreaterThan(50);

  const [fresh = '', ...others] = keysOf(path);
  expect(others).toEqual([]);
  expect(fresh).not.toBe(former);
  expect(ended).toMatchObject({ ok: true, id: expect.stringMatching(/^[\w-]{8}$/), former_ids: [expect.stringMatching(/^[\w-]{8}$/)] });
  expect(JSON.stringify(ended) + server.logs()).not.toContain(fresh.slice(0, 20));
  expect(server.logs()).not.toContain('"level":"error"');
  expect(itemsOf(await assay(['keys', 'list', '--json', '--data', server.data])).map(({ kid }) => kid)).toEqual(kids);

  // Every tenant's keys open after a new start, with the new key alone.
  await server.stop();
  server = await startServer({ data: server.data, port: server.port });
  await untilReady(server);
  for (const ms of points) await json('keys', 'rotate', '--tenant', `t${ms}-${points.indexOf(ms)}`);
  const asked = await postForm(`${server.url}/oauth2/introspect`, { token }, { Authorization: basic('svc', secret) });
  expect((await asked.json() as Document)['active']).toBe(true);
}, 60_000);

test('CR-08 a new folder with ASSAY_MASTER_KEY has no key file, and the key is in nothing that is printed', async () => {
  const data = join(server.data, 'other');
  const key = Buffer.alloc(32, 7).toString('base64');
  const ended = await assay(['keys', 'list', '--data', data], { env: { ASSAY_MASTER_KEY: key } });
  expect(ended.code).toBe(0);
  expect(ended.out + ended.err).not.toContain(key.slice(0, 20));
  expect(existsSync(join(data, 'master.key'))).toBe(false);
  expect(await assay(['keys', 'list', '--data', data], { env: { ASSAY_MASTER_KEY: key, ASSAY_MASTER_KEY_COMMAND: 'vault' } }))
    .toMatchObject({ code: 1, err: expect.stringContaining('keep one of ASSAY_MASTER_KEY_COMMAND and ASSAY_MASTER_KEY') });
  const wrong = await assay(['keys', 'list', '--data', data], { env: { ASSAY_MASTER_KEY: Buffer.alloc(32, 8).toString('base64') } });
  expect(wrong).toMatchObject({ code: 1, err: expect.stringContaining('another master key') });
  expect((await assay(['keys', 'list', '--data', data], { env: { ASSAY_MASTER_KEY: 'short' } })).err).not.toContain('short');
});

test('JK-05, JK-04 keys list says when the next one signs, and revoke says before what falls', async () => {
  const listed = documentOf(await assay(['keys', 'list', '--json', '--data', server.data]));
  expect(listed['rotation']).toMatchObject({ days: 90, due_at: expect.any(String), waits_for: null });
  const { out } = await assay(['keys', 'list', '--data', server.data]);
  expect(out).toContain('AGE');
  expect(out).toMatch(/The next key takes over on .* after 90 days\./);
  const active = (listed['items'] as readonly Document[]).find(({ status }) => status === 'active');
  const falls = { signed_since: active?.['activated_at'], grants: 0, id_tokens: true };
  expect(await json('keys', 'revoke', String(active?.['kid']), '--dry-run')).toMatchObject({ ok: true, revoked: false, ...falls });
  expect(await json('keys', 'revoke', String(active?.['kid']), '--dry-run')).toMatchObject({ revoked: false });
  const dry = await assay(['keys', 'revoke', String(active?.['kid']), '--dry-run', '--data', server.data]);
  expect(dry.out).toMatch(/^Nothing was changed\. If key \S+ were revoked:\nIt signs since /);
  expect(dry.out).toContain('ID tokens that it signed would prove nothing any more.');
  expect(await json('keys', 'revoke', String(active?.['kid']))).toMatchObject({ ok: true, revoked: true, ...falls });
  await json('tenant', 'update', 'default', '--key-rotation-days', '7');
  expect(documentOf(await assay(['keys', 'list', '--json', '--data', server.data]))['rotation']).toMatchObject({ days: 7 });
  await json('tenant', 'update', 'default', '--key-rotation-days', '');
  expect((await assay(['keys', 'list', '--data', server.data])).out).toContain('Keys rotate by command only');
});
