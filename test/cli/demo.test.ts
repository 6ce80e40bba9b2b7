import { afterAll, describe, expect, test } from 'bun:test';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { presetNames } from '../../src/core/model.ts';
import { assayCommand, removeFolder, temporaryFolder } from '../helpers/server.ts';
import { assay, itemsOf, type Document } from './assay.ts';

/** A demo in a process of its own, up to its last printed line. */
type Demo = { readonly lines: readonly string[]; readonly tmp: string; readonly stop: () => Promise<number> };

const folders: string[] = [];
const folder = (): string => {
  const made = temporaryFolder();
  folders.push(made);
  return made;
};
afterAll(() => {
  for (const made of folders) removeFolder(made);
});

async function startDemo(args: readonly string[] = []): Promise<Demo> {
  const tmp = folder();
  const child = Bun.spawn([...assayCommand, 'serve', '--demo', '--port', '0', ...args], {
    stdin: 'ignore', stdout: 'pipe', stderr: 'pipe', cwd: '/', env: { PATH: Bun.env['PATH'] ?? '', TMPDIR: tmp },
  });
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of child.stdout) {
    text += decoder.decode(chunk, { stream: true });
    if (text.includes('Ctrl-C')) break;
  }
  return {
    lines: text.split('\n'),
    tmp,
    async stop() {
      child.kill('SIGTERM');
      return child.exited;
    },
  };
}

/** Whether this machine has the other loopback address. */
async function hasIpv6(): Promise<boolean> {
  try {
    await Bun.serve({ hostname: '::1', port: 0, fetch: () => new Response() }).stop(true);
    return true;
  } catch {
    return false;
  }
}

const passwordOf = ({ lines }: Demo): string | undefined => lines.map((line) => /^ {2}Password +(\S+)$/.exec(line)?.[1]).find((found) => found !== undefined);
const pasted = ({ lines }: Demo): readonly string[] => lines.filter((line) => /curl .*introspect/.test(line));

/** Runs a pasted line: by a shell where there is a curl, else as curl would. */
async function paste(line: string): Promise<Document> {
  if (Bun.which('curl') !== null) return await new Response(Bun.spawn(['sh', '-c', line], { stdout: 'pipe', stderr: 'inherit' }).stdout).json() as Document;
  const words = line.split(' ');
  const url = new URL(words[2] ?? '');
  const fields = words.flatMap((word, index) => (words[index - 1] === '-d' ? [word] : []));
  const basic = words[words.indexOf('-u') + 1] ?? '';
  const response = await fetch(`http://127.0.0.1:${url.port}${url.pathname}`, {
    method: 'POST', body: fields.join('&'),
    headers: { Host: url.host, 'Content-Type': 'application/x-www-form-urlencoded', ...(words.includes('-u') && { Authorization: `Basic ${btoa(basic)}` }) },
  });
  return await response.json() as Document;
}

describe('assay serve --demo', () => {
  test('OP-11 five lines to paste, one per product, each answers with that product\'s members; nothing is left behind', async () => {
    const demo = await startDemo();
    const lines = pasted(demo);
    expect(lines).toHaveLength(5);
    for (const line of lines) {
      expect(line).toStartWith('curl ');
      expect(line).not.toContain('|');
    }
    const facts = Object.fromEntries(demo.lines.flatMap((line) => {
      const [, name = '', value = ''] = /^ {2}(\w[\w ]*?) {2,}(\S.*)$/.exec(line) ?? [];
      return name === '' ? [] : [[name, value]];
    }));
    const origin = facts['Application']?.replace('/demo', '') ?? '';
    expect(origin).toMatch(/^http:\/\/localhost:\d+$/);
    expect(facts).toMatchObject({
      'User name': 'demo', Password: expect.stringMatching(/^demo(?:-[a-z2-9]{4}){3}$/), Account: `${origin}/account`, Mailbox: `${origin}/mailbox`, API: `${origin}/docs`,
    });
    // Wherever `localhost` leads.
    const addresses = ['127.0.0.1', ...(await hasIpv6() ? ['[::1]'] : [])];
    expect(await Promise.all(addresses.map(async (address) => (await fetch(`http://${address}:${new URL(origin).port}/healthz`)).status))).toEqual(addresses.map(() => 200));
    const answers = await Promise.all(lines.map(paste));
    const dayFromNow = Date.now() / 1000 + 86_400;
    for (const answer of answers) {
      expect(answer['active']).toBe(true);
      expect(Math.abs(Number(answer['exp']) - dayFromNow)).toBeLessThan(60);
    }
    expect(answers.map(({ exp: _exp, iat: _iat, jti: _jti, iss: _iss, ...rest }) => rest)).toMatchObject([
      { sub: '42', username: 'alice', email: 'alice@example.com', scope: 'openid profile email', client_id: 'my-spa' },
      { sub: 'usr_4f18acec-2712-4be7-a9af-b063b4f6deba', client_id: 'cli_abc123def456', scope: 'openid profile email', aud: ['cli_abc123def456'] },
      { scope: 'api:read api:write', client_id: 'svc-orders', token_type: 'Bearer', sub: 'svc-orders', aud: 'svc-orders' },
      { scope: 'openid profile email', client_id: 'abc123def456', username: 'john@example.com', token_type: 'Bearer', sub: '12345', aud: 'api.example.com' },
      { client_id: 'client_01JP8BD0CZ401TDF9X54NT5ZEK', aud: 'client_123456789', sub: 'user_01JPXN6KA7622KJ4VP83X1NTKX', org_id: 'org_01HRDMC6CM357W30QMHMQ96Q0S', sid: 'app_consent_01JPXN6KAQW83AMXXY5WX3RHTJ', token_type: 'access_token' },
    ]);
    expect(lines[4]).toContain('/oauth2/introspection');
    expect([...new Bun.Glob('assay-demo-*').scanSync({ cwd: demo.tmp, onlyFiles: false })]).toHaveLength(1);
    expect(await demo.stop()).toBe(0);
    expect([...new Bun.Glob('assay-demo-*').scanSync({ cwd: demo.tmp, onlyFiles: false })]).toEqual([]);
  }, 30_000);

  test('with --data it keeps its tenants, and makes secrets and tokens anew', async () => {
    const data = join(folder(), 'demo');
    const first = await startDemo(['--data', data]);
    const before = pasted(first);
    expect(await first.stop()).toBe(0);
    const second = await startDemo(['--data', data]);
    const after = pasted(second);
    expect(after).toHaveLength(5);
    expect(await Promise.all(after.map(async (line) => (await paste(line))['active']))).toEqual([true, true, true, true, true]);
    expect(passwordOf(second)).toBeString();
    expect(passwordOf(second)).not.toBe(passwordOf(first));
    const secrets = new Set(before.map((line) => /cs_[\w-]{43}/.exec(line)?.[0]));
    expect(after.filter((line) => secrets.has(/cs_[\w-]{43}/.exec(line)?.[0]))).toEqual([]);
    const token = /token=(\S+)/.exec(before[2] ?? '')?.[1] ?? '';
    expect((await paste((after[2] ?? '').replace(/token=\S+/, `token=${token}`)))['active']).toBe(false);
    const tenants = itemsOf(await assay(['tenant', 'list', '--json', '--data', data]));
    expect(new Set(tenants.map((tenant) => tenant['slug']))).toEqual(new Set([...presetNames, 'default']));
    expect(await second.stop()).toBe(0);
  }, 30_000);

  test('OP-11 it refuses real data, other files, and anything beyond loopback', async () => {
    const [real, other] = [folder(), folder()];
    await assay(['migrate', '--data', real]);
    writeFileSync(join(other, 'letter.txt'), 'dear');
    const demo = (...args: readonly string[]) => assay(['serve', '--demo', '--port', '0', ...args]);
    const [onReal, onOther, onAny, onPublic] = await Promise.all([
      demo('--data', real), demo('--data', other), demo('--host', '0.0.0.0'), demo('--origin', 'https://id.example.com'),
    ]);
    expect([onReal.code, onReal.err.includes('real data')]).toEqual([1, true]);
    expect([onOther.code, onOther.err.includes('not empty'), existsSync(join(other, 'assay.db'))]).toEqual([1, true, false]);
    expect([onAny.code, onPublic.code, onAny.err.includes('loopback only')]).toEqual([2, 2, true]);
  }, 30_000);
});
