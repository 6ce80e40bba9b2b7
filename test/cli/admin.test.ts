/** Administrators by command, and the link that the first start prints. */
import { afterAll, describe, expect, test } from 'bun:test';
import { assayCommand, removeFolder, temporaryFolder } from '../helpers/server.ts';
import { assay, documentOf, itemsOf, type Document } from './assay.ts';

const folders: string[] = [];
const folder = (): string => {
  const made = temporaryFolder();
  folders.push(made);
  return made;
};
afterAll(() => {
  for (const made of folders) removeFolder(made);
});

const run = (data: string, ...args: readonly string[]) => assay([...args, '--data', data, '--json']);
const LINK = /^http:\/\/127\.0\.0\.1:\d+\/admin\/setup\/[A-Za-z0-9_-]{43}$/;

describe('assay admin', () => {
  test('somebody is granted what is said, listed, changed; the last who may do everything stays', async () => {
    const data = folder();
    documentOf(await run(data, 'user', 'create', '--username', 'ada', '--email', 'ada@example.com'));
    documentOf(await run(data, 'user', 'create', '--username', 'bea', '--email', 'bea@example.com'));
    documentOf(await run(data, 'tenant', 'create', 'acme', '--alg', 'ES256'));
    expect(itemsOf(await run(data, 'admin', 'list'))).toEqual([]);
    expect(documentOf(await run(data, 'admin', 'grant', 'ada'))).toMatchObject({ username: 'ada', scope: 'admin', tenant: null, enabled: true });
    expect(documentOf(await run(data, 'admin', 'grant', 'bea', '--scope', 'admin:clients', '--scope', 'admin:audit:read', '--only-tenant', 'acme'))).toMatchObject({ username: 'bea', scope: 'admin:clients admin:audit:read', tenant: 'acme' });
    expect(itemsOf(await run(data, 'admin', 'list')).map(({ username }) => username)).toEqual(['ada', 'bea']);
    expect(documentOf(await run(data, 'admin', 'revoke', 'ada'), 1)).toMatchObject({ error: 'conflict' });
    expect(documentOf(await run(data, 'admin', 'grant', 'bea', '--scope', 'everything'), 2)).toMatchObject({ error: 'invalid_request' });
    expect(documentOf(await run(data, 'admin', 'grant', 'nobody'), 1)).toMatchObject({ error: 'not_found' });
    documentOf(await run(data, 'admin', 'revoke', 'bea'));
    expect(itemsOf(await run(data, 'admin', 'list')).map(({ username }) => username)).toEqual(['ada']);
  });

  test('an invitation says its link, and until when', async () => {
    const data = folder();
    const invited = documentOf(await run(data, 'admin', 'invite', '--scope', 'admin:read'));
    expect(invited).toMatchObject({ scope: 'admin:read', tenant: null });
    expect(String(invited['setup_url'])).toMatch(/\/admin\/setup\/[A-Za-z0-9_-]{43}$/);
    expect(Date.parse(String(invited['expires_at'])) - Date.now()).toBeWithin(86_000_000, 86_400_001);
  });
});

/** Starts a server until it said where it is; gives that, and its log. */
async function start(data: string, args: readonly string[]): Promise<{ readonly said: string; readonly log: string }> {
  const child = Bun.spawn([...assayCommand, 'serve', '--data', data, '--port', '0', ...args], { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe', cwd: '/', env: { PATH: Bun.env['PATH'] ?? '', ASSAY_LOG_LEVEL: 'debug' } });
  const log = new Response(child.stderr).text();
  const reader = child.stdout.getReader();
  let said = '';
  const decoder = new TextDecoder();
  while (!/\n(?:[\s\S]*setup\/[^\n]+\n)?$/.test(said)) {
    const { value, done } = await reader.read();
    if (done) break;
    said += decoder.decode(value, { stream: true });
  }
  child.kill('SIGTERM');
  for (let step = await reader.read(); !step.done; step = await reader.read()) said += decoder.decode(step.value, { stream: true });
  await child.exited;
  return { said, log: await log };
}

describe('UI-28 · the first start', () => {
  test('a link while there is no administrator, for programs and for people; in no log; not any more afterwards', async () => {
    const data = folder();
    const first = await start(data, ['--json']);
    const link = String((JSON.parse(first.said) as Document)['setup_url']);
    expect(link).toMatch(LINK);
    const second = await start(data, []);
    const other = second.said.split('\n').map((line) => line.trim()).find((line) => LINK.test(line)) ?? '';
    expect([other === '', other === link]).toEqual([false, false]);
    for (const { log } of [first, second]) for (const secret of [link, other]) expect(log.includes(secret.split('/').at(-1) ?? '')).toBe(false);
    documentOf(await run(data, 'user', 'create', '--username', 'ada', '--email', 'ada@example.com'));
    documentOf(await run(data, 'admin', 'grant', 'ada'));
    const third = await start(data, ['--json']);
    expect(Object.keys(JSON.parse(third.said) as Document).includes('setup_url')).toBe(false);
  });
});
