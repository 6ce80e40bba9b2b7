import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'bun:test';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { drawProgress, makeProgress } from '../../src/cli/progress.ts';
import { assayCommand, basic, postForm, removeFolder, startServer, temporaryFolder, untilReady, type RunningServer } from '../helpers/server.ts';
import { assay, documentOf, type Document } from './assay.ts';

let server: RunningServer;
let secret: string;
let backups: string;
const svc = ['client', 'create', '--id', 'svc', '--scope', 'a', '--json'];

beforeAll(async () => {
  server = await startServer();
  await untilReady(server);
  secret = String(documentOf(await assay([...svc, '--data', server.data]))['client_secret']);
});
afterAll(async () => {
  await server.stop();
  removeFolder(server.data);
});
beforeEach(() => {
  backups = temporaryFolder();
});
afterEach(() => removeFolder(backups));

const run = async (args: readonly string[], data = server.data, code = 0): Promise<Document> => documentOf(await assay([...args, '--json', '--data', data]), code);
const token = async (url: string): Promise<Response> => postForm(`${url}/oauth2/token`, { grant_type: 'client_credentials' }, { Authorization: basic('svc', secret) });

test('OP-07 CR-09 JK-09 a backup under load is complete, private, sound, and holds no key', async () => {
  let writing = true;
  const load = Promise.all(Array.from({ length: 4 }, async () => {
    let issued = 0;
    while (writing) {
      const answer = await token(server.url);
      await answer.body?.cancel();
      if (answer.status === 200) issued += 1;
    }
    return issued;
  }));
  const taken = [await run(['backup', '--to', backups]), await run(['backup', '--to', backups])];
  writing = false;
  expect((await load).reduce((sum, issued) => sum + issued, 0)).toBeGreaterThan(0);
  expect(readdirSync(backups).length).toBe(4);
  const masterKey = Buffer.from(readFileSync(join(server.data, 'master.key'), 'utf8').trim(), 'base64');
  for (const { path } of taken) {
    const file = String(path);
    for (const name of [file, file.replace(/\.db$/, '.json')]) {
      expect(statSync(name).mode & 0o777).toBe(0o600);
      const content = readFileSync(name);
      expect([content.includes(masterKey), content.includes(masterKey.toString('base64')), content.includes('PRIVATE KEY')]).toEqual([false, false, false]);
    }
    expect(await run(['backup', 'verify', file])).toMatchObject({ ok: true });
  }
}, 30_000);

test('OP-07 what a killed backup left is deleted by the next one, once nobody works on it any more', async () => {
  const old = (Date.now() - 2 * 86_400_000) / 1000;
  const id = crypto.randomUUID();
  const left = [`assay-20260101T000000.000Z.db.${id}.partial`, `assay-20260101T000000.000Z.db.${id}.partial-journal`, `assay-20260101T000000.000Z.json.${id}.partial`];
  const recent = `assay-20260102T000000.000Z.db.${id}.partial`;
  const foreign = `thesis.db.${id}.partial`;
  for (const name of [...left, recent, foreign]) writeFileSync(join(backups, name), 'x', { mode: 0o600 });
  for (const name of [...left, foreign]) utimesSync(join(backups, name), old, old);
  await run(['backup', '--to', backups]);
  expect(readdirSync(backups).filter((name) => name.includes('.partial')).toSorted()).toEqual([foreign, recent].toSorted());
});

test('CR-09 a folder for others is closed where it holds backups alone, and refused where it holds more', async () => {
  chmodSync(backups, 0o755);
  await run(['backup', '--to', backups]);
  expect(statSync(backups).mode & 0o777).toBe(0o700);
  chmodSync(backups, 0o755);
  writeFileSync(join(backups, 'letter.txt'), '');
  const refused = await assay(['backup', '--to', backups, '--data', server.data]);
  expect([refused.code, refused.err.includes('chmod 700')]).toEqual([1, true]);
  expect(statSync(backups).mode & 0o777).toBe(0o755);
});

test('OP-07 a backup never replaces anything; verify says what is wrong, exit code 1', async () => {
  const file = join(backups, 'one.db');
  const said = await assay(['backup', '--to', file, '--data', server.data]);
  expect([said.code, said.out.includes('The master key is not in it')]).toEqual([0, true]);
  expect((await assay(['backup', '--to', file, '--data', server.data])).code).toBe(1);
  writeFileSync(file, readFileSync(file).subarray(0, 20_000));
  const verdict = await run(['backup', 'verify', file], server.data, 1);
  expect(verdict['ok']).toBe(false);
  expect(readdirSync(backups).toSorted()).toEqual(['one.db', 'one.json']);
});

test('OP-07 a series keeps the newest, touches nothing else, tells of failures, and ends with a signal', async () => {
  const [stranger, unfinished] = [join(backups, 'letter.txt'), join(backups, 'assay-20200101T000000.000Z.db')];
  writeFileSync(stranger, 'x');
  writeFileSync(unfinished, 'x');
  const child = Bun.spawn([...assayCommand, 'backup', '--every', '1s', '--keep', '2', '--to', backups, '--data', server.data], { stdout: 'ignore', stderr: 'pipe', env: { PATH: Bun.env['PATH'] ?? '' } });
  let log = '';
  const reading = (async () => {
    for await (const chunk of child.stderr) log += new TextDecoder().decode(chunk);
  })();
  const untilSaid = async (text: string, times: number): Promise<void> => {
    while (log.split(text).length - 1 < times && child.exitCode === null) await Bun.sleep(20);
    expect(log.split(text).length - 1).toBeGreaterThanOrEqual(times);
  };
  await untilSaid('"backup dropped"', 1);
  expect(readdirSync(backups).filter((name) => name.endsWith('.json')).length).toBe(2);
  rmSync(backups, { recursive: true });
  writeFileSync(backups, 'in the way');
  await untilSaid('"backup failed"', 1);
  rmSync(backups);
  mkdirSync(backups, { mode: 0o700 });
  const before = log.split('"backup taken"').length;
  await untilSaid('"backup taken"', before);
  child.kill('SIGTERM');
  expect(await child.exited).toBe(0);
  await reading;
  expect(log).toContain('"backups stopped"');
}, 60_000);

test('OP-07 a series leaves alone what is not ours', async () => {
  const [stranger, unfinished] = [join(backups, 'letter.txt'), join(backups, 'assay-20200101T000000.000Z.db')];
  writeFileSync(stranger, 'x');
  writeFileSync(unfinished, 'x');
  for (let round = 0; round < 3; round += 1) await run(['backup', '--to', backups, '--keep', '1']);
  expect([existsSync(stranger), existsSync(unfinished), readdirSync(backups).length]).toEqual([true, true, 4]);
});

test('OP-07 restore: refused beside a server; after it every token of before is inactive, and the server goes on', async () => {
  const own = await startServer();
  await untilReady(own);
  secret = String((await run(svc.slice(0, -1), own.data))['client_secret']);
  const issue = async (): Promise<string> => String(((await (await token(own.url)).json()) as Document)['access_token']);
  const tokens = [await issue()];
  const { path } = await run(['backup', '--to', backups], own.data);
  tokens.push(await issue());
  expect(await run(['restore', String(path), '--yes'], own.data, 1)).toMatchObject({ error_description: expect.stringContaining('stop it first') });
  expect((await token(own.url)).status).toBe(200);
  await own.stop();
  const report = await run(['restore', String(path), '--yes'], own.data);
  expect(report).toMatchObject({ compared: true, not_done_again: [] });
  const again = await startServer({ data: own.data });
  await untilReady(again);
  const active = async (of: string): Promise<unknown> => ((await (await postForm(`${again.url}/oauth2/introspect`, { token: of }, { Authorization: basic('svc', secret) })).json()) as Document)['active'];
  for (const one of tokens) expect(await active(one)).toBe(false);
  const fresh = String(((await (await token(again.url)).json()) as Document)['access_token']);
  expect(await active(fresh)).toBe(true);
  await again.stop();
  removeFolder(own.data);
}, 60_000);

test('OP-07 killed at any moment, a restore leaves the old database or the new one, whole', async () => {
  const data = temporaryFolder();
  await run(svc.slice(0, -1), data);
  const { path } = await run(['backup', '--to', backups], data);
  await run(['client', 'create', '--id', 'later'], data);
  for (const waitMs of [150, 350, 500, 700]) {
    const child = Bun.spawn([...assayCommand, 'restore', String(path), '--yes', '--data', data], { stdout: 'ignore', stderr: 'ignore', env: { PATH: Bun.env['PATH'] ?? '' } });
    await Promise.race([child.exited, Bun.sleep(waitMs)]);
    child.kill('SIGKILL');
    await child.exited;
    const items = (await run(['client', 'list'], data))['items'] as readonly Document[];
    expect(items.map((item) => item['client_id'])).toContain('svc');
    expect(await run(['backup', 'verify', String((await run(['backup', '--to', backups], data))['path'])], data)).toMatchObject({ ok: true });
  }
  await run(['restore', String(path), '--yes'], data);
  expect(readdirSync(data).filter((name) => name.startsWith('restoring-'))).toEqual([]);
  removeFolder(data);
}, 120_000);

test('progress is drawn at a terminal once work takes long, wiped at its end, and nothing is said elsewhere', () => {
  let nowMs = 0;
  const written: string[] = [];
  const line = makeProgress(false, { isTTY: true, write: (text) => written.push(text) }, () => nowMs);
  line.tell('copying', 1, 10);
  expect(written).toEqual([]);
  nowMs = 1_000;
  line.tell('copying', 5, 10);
  line.end();
  expect(written).toEqual([`\r\u001B[2K${drawProgress('copying', 5, 10, 1_000)}`, '\r\u001B[2K']);
  expect(drawProgress('copying', 5, 10, 61_000)).toBe('copying [############------------]  50 % 1:01');
  expect(drawProgress('checking', 0, null, 0)).toBe('checking … 0:00');
  // Work that holds everything up is told before it begins, however soon that is.
  written.length = 0;
  const blocking = makeProgress(false, { isTTY: true, write: (text) => written.push(text) }, () => 0);
  blocking.tellNow('migrating', 1, 4);
  blocking.tellNow('migrating', 2, 4);
  blocking.end();
  expect(written).toEqual([1, 2].map((done) => `\r\u001B[2K${drawProgress('migrating', done, 4, 0)}`).concat('\r\u001B[2K'));
  written.length = 0;
  for (const [json, isTTY] of [[true, true], [false, false]] as const) {
    const silent = makeProgress(json, { isTTY, write: (text) => written.push(text) }, () => nowMs + 10_000);
    silent.tell('copying', 1, 2);
    silent.tellNow('copying', 1, 2);
    silent.end();
  }
  expect(written).toEqual([]);
});
