import { afterAll, beforeAll, expect, test } from 'bun:test';
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assayCommand, removeFolder, startServer, temporaryFolder } from '../helpers/server.ts';
import { assay, documentOf } from './assay.ts';

let data: string;

beforeAll(async () => {
  const server = await startServer({ args: ['--origin', 'https://id.example.com'] });
  ({ data } = server);
  documentOf(await assay(['client', 'create', '--id', 'svc', '--json', '--data', data]));
  await server.stop();
});
afterAll(() => removeFolder(data));

/** Problems that a check finds; none when all is well. */
async function check(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<unknown> {
  const ended = await assay(['serve', '--check', '--json', '--data', data, ...args], { env });
  return documentOf(ended, ended.code)['problems'] ?? [];
}

const look = (): unknown => readdirSync(data).toSorted().map((name) => [name, statSync(join(data, name)).mtimeMs]);

test('OP-08 MTN-03 a check sees the origin in the data, and changes nothing', async () => {
  const before = look();
  const away = ['--origin', 'https://other.example.com'];
  expect(await Promise.all([
    check([]), check(['--origin', 'https://id.example.com/']), check([...away, '--move-origin']), check(away), check([], { ASSAY_RATE_LIMITS: 'off' }),
    check([], { ASSAY_RATE_LIMITS: 'off', ASSAY_HOST: '0.0.0.0' }),
  ])).toEqual([
    [], [], [], [expect.stringContaining('add --move-origin')], [expect.stringContaining('https://id.example.com')], [expect.stringContaining('0.0.0.0')],
  ]);
  expect(look()).toEqual(before);
});

test('a hostname of a tenant is not the address of the server too', async () => {
  const folder = temporaryFolder();
  documentOf(await assay(['tenant', 'create', 'own', '--host', 'own.localhost:8080', '--json', '--data', folder]));
  const derived = await assay(['serve', '--check', '--json', '--host', 'own.localhost', '--data', folder]);
  expect(documentOf(derived, 1)['problems']).toEqual([expect.stringContaining('is the hostname of tenant own')]);
  expect(documentOf(await assay(['serve', '--check', '--json', '--data', folder]))).toEqual({ ok: true });
  removeFolder(folder);
});

test('OP-08 what is no database is a problem, and what is no folder is said clearly', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'assay.db'), 'dear diary, '.repeat(100));
  writeFileSync(join(folder, 'master.key'), Buffer.alloc(32).toString('base64'));
  const broken = await assay(['serve', '--check', '--json', '--data', folder]);
  expect(documentOf(broken, 1)['problems']).toEqual([expect.stringContaining('cannot be read')]);
  const file = await assay(['tenant', 'list', '--json', '--data', join(folder, 'assay.db')]);
  expect(documentOf(file, 1)).toMatchObject({ error: 'data_unavailable', error_description: expect.stringContaining('is not a folder') });
  removeFolder(folder);
});

test('MTN-03 a move says what happened, and where the server listens', async () => {
  const child = Bun.spawn([...assayCommand, 'serve', '--data', data, '--port', '18473', '--origin', 'https://new.example.com', '--move-origin'], {
    stdout: 'pipe', stderr: 'ignore', env: { PATH: Bun.env['PATH'] ?? '' },
  });
  let text = '';
  for await (const chunk of child.stdout) {
    text += new TextDecoder().decode(chunk);
    if (text.includes('Moved')) break;
  }
  child.kill('SIGTERM');
  expect(await child.exited).toBe(0);
  expect(text).toContain('It listens on http://127.0.0.1:18473.');
  expect(text).toContain('Moved from https://id.example.com to https://new.example.com.');
});
