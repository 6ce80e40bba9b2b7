import { Database } from 'bun:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { assayCommand, removeFolder, temporaryFolder } from '../helpers/server.ts';
import { assay, documentOf, itemsOf, type Document } from './assay.ts';

let data: string;
const run = (...args: readonly string[]) => assay([...args, '--data', data]);
const listed = async (...flags: readonly string[]) => itemsOf(await run('audit', 'list', '--json', ...flags));

beforeAll(async () => {
  data = temporaryFolder();
  documentOf(await run('tenant', 'create', 'acme', '--alg', 'ES256', '--json'));
  documentOf(await run('client', 'create', '--id', '=HYPERLINK', '--tenant', 'acme', '--json'));
  documentOf(await run('client', 'create', '--id', 'plain', '--tenant', 'acme', '--json'));
});
afterAll(() => removeFolder(data));

/** A copy of the data, changed by somebody with a tool of their own. */
async function tampered(change: (db: Database) => void): Promise<string> {
  const folder = temporaryFolder();
  for (const file of ['assay.db', 'master.key']) await Bun.write(join(folder, file), Bun.file(join(data, file)), { mode: 0o600 });
  const db = new Database(join(folder, 'assay.db'));
  for (const { name } of db.query<{ name: string }, []>(`SELECT name FROM sqlite_schema WHERE type = 'trigger'`).all()) db.run(`DROP TRIGGER ${name}`);
  change(db);
  db.close();
  return folder;
}

describe('assay audit', () => {
  test('LG-05 LG-10 list filters by every member', async () => {
    const all = await listed('--limit', '1000');
    const typesOf = (items: readonly Document[]) => [...new Set(items.map((item) => String(item['type'])))].toSorted();
    expect(typesOf(await listed('--type', 'client_created', '--type', 'tenant_created', '--tenant', 'acme'))).toEqual(['client_created', 'tenant_created']);
    expect((await listed('--client', 'plain')).map((item) => item['client_id'])).toEqual(['plain']);
    expect((await listed('--actor', 'operator')).length).toBe(all.filter((item) => item['actor'] === 'operator').length);
    expect(await listed('--subject', 'acme', '--until', '2100-01-01')).toHaveLength(all.filter((item) => item['subject'] === 'acme').length);
    for (const nothing of [['--ip', '::1'], ['--request-id', 'r'], ['--outcome', 'failure'], ['--since', '2100-01-01'], ['--until', '2000-01-01'], ['--tenant', '']]) expect([nothing, await listed(...nothing)]).toEqual([nothing, []]);
    expect(documentOf(await run('audit', 'list', '--json', '--until', 'someday'), 2)).toMatchObject({ error: 'usage' });
    expect(documentOf(await run('audit', 'list', '--json', '--outcome', 'well'), 2)).toMatchObject({ error: 'usage' });
  });

  test('LG-08 verify says that all is well, and prints heads that a later run holds the trail to', async () => {
    const told = await run('audit', 'verify');
    expect([told.code, told.err]).toEqual([0, '']);
    const head = /acme +\d+ +fine +(\d+:[\w-]{43})/.exec(told.out)?.[1] ?? '';
    expect(documentOf(await run('audit', 'verify', '--tenant', 'acme', '--head', head, '--json'))).toMatchObject({ ok: true, holds_head: true });
    expect((await run('audit', 'verify', '--head', head)).code).toBe(0);
    expect(documentOf(await run('audit', 'verify', '--head', 'nonsense', '--json'), 2)).toMatchObject({ error: 'usage' });
    expect(documentOf(await run('audit', 'verify', '--tenant', 'nobody', '--json'), 1)).toMatchObject({ error: 'not_found' });
    const cut = await tampered((db) => db.run('DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit)'));
    expect((await assay(['audit', 'verify', '--data', cut])).code).toBe(0);
    const lost = await assay(['audit', 'verify', '--data', cut, '--head', head]);
    expect([lost.code, lost.err.includes('its end was cut off')]).toEqual([1, true]);
    removeFolder(cut);
    const changed = await tampered((db) => db.run(`UPDATE audit SET actor = 'nobody' WHERE type = 'client_created'`));
    const broken = await assay(['audit', 'verify', '--data', changed]);
    expect([broken.code, broken.err]).toEqual([1, expect.stringMatching(/^error: event \d+ of acme is not as it was written/)]);
    expect(documentOf(await assay(['audit', 'verify', '--data', changed, '--json']), 1)).toMatchObject({ ok: false, items: [{ tenant: 'acme', ok: false, broken: { fault: 'mismatch' } }, { tenant: 'default', ok: true }] });
    removeFolder(changed);
  });

  test('LG-08 export writes CSV and JSON lines, to a file of its owner only, and over nothing', async () => {
    const before = (await listed('--limit', '1000', '--tenant', 'acme')).toReversed();
    const lines = await run('audit', 'export', '--tenant', 'acme');
    expect([lines.code, lines.err]).toEqual([0, '']);
    expect(lines.out.trimEnd().split('\n').map((line) => JSON.parse(line) as Document)).toEqual([...before]);
    const csv = parse<Record<string, string>>((await run('audit', 'export', '--format', 'csv', '--type', 'client_created')).out, { columns: true });
    expect(csv.map((row) => row['client_id'])).toEqual(['\'=HYPERLINK', 'plain']);
    const file = join(data, 'out.jsonl');
    const events = await listed('--limit', '1000');
    expect(documentOf(await run('audit', 'export', '--output', file, '--json'))).toEqual({ ok: true, file, events: events.length });
    expect((statSync(file).mode & 0o777).toString(8)).toBe('600');
    const former = readFileSync(file, 'utf8');
    expect(documentOf(await run('audit', 'export', '--output', file, '--json'), 1)).toMatchObject({ error: 'file_unavailable' });
    expect(readFileSync(file, 'utf8')).toBe(former);
    expect(documentOf(await run('audit', 'export', '--output', join(data, 'no', 'folder'), '--json'), 1)).toMatchObject({ error: 'file_unavailable' });
    expect((await listed('--type', 'audit_exported')).map((item) => [item['actor'], item['tenant'], item['subject'], item['reason']])).toContainEqual(['operator', 'acme', null, 'jsonl']);
    rmSync(file);
    expect(existsSync(file)).toBe(false);
  });
});

describe('assay serve with an audit stream', () => {
  test('LG-07 stdout carries one JSON line per event, and nothing else', async () => {
    const child = Bun.spawn([...assayCommand, 'serve', '--data', data, '--port', '0'], {
      stdin: 'ignore', stdout: 'pipe', stderr: 'pipe', cwd: '/', env: { PATH: Bun.env['PATH'] ?? '', ASSAY_AUDIT_STREAM: 'stdout', ASSAY_ADMIN: 'off' },
    });
    let out = '';
    const reading = (async () => {
      const decoder = new TextDecoder();
      for await (const chunk of child.stdout) out += decoder.decode(chunk, { stream: true });
    })();
    const until = async (text: string): Promise<void> => {
      for (let attempt = 0; attempt < 1000 && !out.includes(text); attempt += 1) await Bun.sleep(10);
      expect(out).toContain(text);
    };
    await until('"server_started"');
    documentOf(await run('client', 'create', '--id', 'streamed', '--tenant', 'acme', '--json'));
    await until('"streamed"');
    child.kill('SIGTERM');
    await Promise.all([child.exited, reading]);
    const events = out.trimEnd().split('\n').map((line) => JSON.parse(line) as Document);
    const [created] = await listed('--client', 'streamed');
    expect(events.find((event) => event['client_id'] === 'streamed')).toEqual(created);
    expect(events.map((event) => event['number'])).toEqual(events.map((event) => event['number']).toSorted((a, b) => Number(a) - Number(b)));
  });
});
