/** The executable alone in an empty folder: it needs nothing beside it, and reads nothing that happens to lie there. */
import { afterAll, describe, expect, test } from 'bun:test';
import { chmodSync, copyFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { connect as connectTls } from 'node:tls';
import { join } from 'node:path';
import { needProgram } from '../helpers/programs.ts';
import { removeFolder, startServer, temporaryFolder } from '../helpers/server.ts';
import { parseObject, sendRaw } from '../helpers/fixture.ts';
import { freePort, requireExecutable, runExecutable } from './executable.ts';

const SOON_MS = 1_000;
const executable = requireExecutable();
const folders: string[] = [];

function folder(): string {
  const made = temporaryFolder();
  folders.push(made);
  return made;
}

afterAll(() => {
  for (const made of folders) removeFolder(made);
});

/** Starts `./assay serve` in a folder and waits for an answer; milliseconds from exec to the first 200 of both health paths. */
async function startIn(cwd: string, args: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Promise<{ readonly port: number; readonly liveMs: number; readonly readyMs: number; stop(): Promise<number> }> {
  const port = await freePort();
  const began = performance.now();
  const child = Bun.spawn([join(cwd, 'assay'), 'serve', '--port', String(port), ...args], { cwd, env: { ...env }, stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' });
  const untilAnswered = async (path: string): Promise<number> => {
    for (;;) {
      const status = await fetch(`http://127.0.0.1:${port}${path}`).then((response) => response.status, () => 0);
      if (status === 200) return performance.now() - began;
      if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
      await Bun.sleep(1);
    }
  };
  const liveMs = await untilAnswered('/healthz');
  const readyMs = await untilAnswered('/readyz');
  return {
    port, liveMs, readyMs,
    async stop() {
      child.kill('SIGTERM');
      return child.exited;
    },
  };
}

function put(cwd: string): void {
  copyFileSync(executable, join(cwd, 'assay'));
  chmodSync(join(cwd, 'assay'), 0o755);
}

describe('copied alone into an empty folder', () => {
  test('OP-11, OP-04, CR-09 serves with an empty environment: database, keys and the tenant default are made, private to their owner', async () => {
    const cwd = folder();
    put(cwd);
    const server = await startIn(cwd);
    const discovery = await (await fetch(`http://127.0.0.1:${server.port}/.well-known/openid-configuration`)).json() as Record<string, unknown>;
    expect(discovery['issuer']).toBe(`http://127.0.0.1:${server.port}`);
    const jwks = await (await fetch(String(discovery['jwks_uri']))).json() as { readonly keys: readonly unknown[] };
    expect(jwks.keys.length).toBeGreaterThanOrEqual(1);
    expect(readdirSync(cwd).toSorted()).toEqual(['assay', 'data']);
    expect(statSync(join(cwd, 'data')).mode & 0o777).toBe(0o700);
    for (const name of readdirSync(join(cwd, 'data'))) expect([name, statSync(join(cwd, 'data', name)).mode & 0o077]).toEqual([name, 0]);
    expect(await server.stop()).toBe(0);
    const again = await startIn(cwd);
    expect(await (await fetch(`http://127.0.0.1:${again.port}/oauth2/jwks.json`)).json()).toEqual(jwks.keys.length === 2 ? jwks : expect.anything());
    expect(await again.stop()).toBe(0);
  }, 20_000);

  test('ready quickly on an empty database', async () => {
    const cwd = folder();
    put(cwd);
    const live: number[] = [];
    const ready: number[] = [];
    for (let attempt = 0; attempt < 5; attempt += 1) {
      const server = await startIn(cwd, ['--data', join(cwd, `data-${attempt}`)]);
      live.push(server.liveMs);
      ready.push(server.readyMs);
      await server.stop();
    }
    const median = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[2] ?? 0;
    process.stderr.write(`from exec to the first 200: ${median(live).toFixed(0)} ms (goal 150); to ready, RSA keys made: ${median(ready).toFixed(0)} ms\n`);
    expect(median(live)).toBeLessThan(SOON_MS);
  }, 30_000);

  test('CR-08, OP-08 a .env, a bunfig.toml, a package.json and a tsconfig.json that lie there mean nothing; assay.toml of its data does', async () => {
    const cwd = folder();
    put(cwd);
    writeFileSync(join(cwd, '.env'), 'ASSAY_PORT=nonsense\nASSAY_DATA=/nowhere\n');
    writeFileSync(join(cwd, 'bunfig.toml'), 'preload = ["./evil.ts"]\n');
    writeFileSync(join(cwd, 'evil.ts'), 'require("node:fs").writeFileSync("evil-ran", "")\n');
    writeFileSync(join(cwd, 'package.json'), '{"type":"nonsense","imports":{"#x":"./evil.ts"}}');
    writeFileSync(join(cwd, 'tsconfig.json'), 'nonsense');
    const server = await startIn(cwd);
    expect(await server.stop()).toBe(0);
    expect(readdirSync(cwd)).not.toContain('evil-ran');
    writeFileSync(join(cwd, 'data', 'assay.toml'), 'nonsense_key = 1\nport = "x"\n');
    const { code, err } = await runExecutable(['serve'], { cwd });
    expect(code).toBe(1);
    expect(err).toContain('nonsense_key');
    expect(err).toContain('port');
  }, 20_000);

  test('OP-09 version, commit and SQLite\'s version on the command line, none of them over HTTP', async () => {
    const cwd = folder();
    for (const args of [['--version'], ['version']]) {
      const { code, out } = await runExecutable(args, { cwd });
      expect(code).toBe(0);
      expect(out).toMatch(/[0-9]+\.[0-9]+\.[0-9]+.*(?:[0-9a-f]{12}|unknown).*SQLite 3\.[0-9]+/is);
      expect(out).not.toContain('source');
    }
    expect(readdirSync(cwd).filter((name) => name === 'data')).toEqual([]);
    const server = await startServer();
    folders.push(server.data);
    const text = await sendRaw(server.port, `GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nConnection: close\r\n\r\n`);
    expect(text).not.toMatch(/^(?:server|x-powered-by):/im);
    for (const path of ['/', '/healthz', '/readyz', '/.well-known/openid-configuration']) {
      const body = await (await fetch(server.url + path)).text();
      expect(body).not.toMatch(/0\.1\.0|sqlite|bun\/?[0-9]/i);
    }
    await server.stop();
  }, 20_000);

  test('an executable is production: an unexpected path answers without a stack, in JSON', async () => {
    const server = await startServer();
    folders.push(server.data);
    const response = await fetch(`${server.url}/oauth2/introspect`, { method: 'POST', body: '{"a":1}', headers: { 'Content-Type': 'application/json' } });
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({ error: 'invalid_request', error_description: expect.any(String) });
    await server.stop();
  });
});

const openssl = await needProgram('openssl');

describe('https', () => {

  test.skipIf(openssl === undefined)('HT-14, HT-15, DS-06, DS-08 --tls-cert and --tls-key: https issuer, HSTS, TLS 1.3 preferred and 1.2 the least; plain http is not served', async () => {
    const cwd = folder();
    const [cert, key] = [join(cwd, 'cert.pem'), join(cwd, 'key.pem')];
    Bun.spawnSync([openssl ?? '', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', key, '-out', cert], { stderr: 'ignore' });
    const server = await startServer({ args: ['--tls-cert', cert, '--tls-key', key] });
    folders.push(server.data);
    expect(server.url).toBe(`https://127.0.0.1:${server.port}`);
    const tls = { ca: await Bun.file(cert).text() };
    const response = await fetch(`${server.url}/.well-known/openid-configuration`, { tls });
    const document = await response.json() as Record<string, unknown>;
    expect(response.headers.get('strict-transport-security')).toBe('max-age=31536000');
    for (const [name, value] of Object.entries(document)) if (name === 'issuer' || name.endsWith('_endpoint') || name === 'jwks_uri') expect(String(value)).toStartWith(`https://127.0.0.1:${server.port}`);
    const negotiated = (versions: { readonly minVersion?: 'TLSv1.2' | 'TLSv1.3'; readonly maxVersion?: 'TLSv1.1' | 'TLSv1.2' }): Promise<string> => new Promise((resolve) => {
      const socket = connectTls({ host: '127.0.0.1', port: server.port, rejectUnauthorized: false, ...versions }, () => {
        resolve(socket.getProtocol() ?? 'none');
        socket.destroy();
      });
      socket.on('error', () => resolve('refused'));
    });
    expect(await negotiated({})).toBe('TLSv1.3');
    expect(await negotiated({ maxVersion: 'TLSv1.2' })).toBe('TLSv1.2');
    expect(await negotiated({ maxVersion: 'TLSv1.1' })).toBe('refused');
    const plain = await sendRaw(server.port, `GET /.well-known/openid-configuration HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\n\r\n`).catch(() => '');
    expect(plain).not.toContain('issuer');
    expect(await server.stop()).toBe(0);
  }, 20_000);

  test('OP-08 a certificate without its key, or files that are none → exit 1 or 2 with every problem', async () => {
    const cwd = folder();
    writeFileSync(join(cwd, 'not.pem'), 'nothing');
    for (const args of [['--tls-cert', 'not.pem'], ['--tls-cert', 'not.pem', '--tls-key', 'missing.pem']]) {
      const { code, err } = await runExecutable(['serve', '--port', '0', '--data', join(cwd, 'data'), ...args], { cwd });
      expect([1, 2]).toContain(code);
      expect(err).toContain('--tls-');
    }
  }, 20_000);
});

test('OP-05, CR-08 commands beside the running server: made on the command line, good in the next request; secrets only where asked for', async () => {
  const server = await startServer();
  folders.push(server.data);
  const run = (args: readonly string[], stdin?: string): ReturnType<typeof runExecutable> =>
    runExecutable([...args, '--data', server.data, '--json'], { cwd: server.data, ...(stdin !== undefined && { stdin }) });
  const made = parseObject((await run(['client', 'create', '--id', 'svc-1', '--scope', 'a b'])).out);
  const issued = parseObject((await run(['token', 'issue', '--client', 'svc-1'])).out);
  const ask = async (): Promise<string> => (await fetch(`${server.url}/oauth2/introspect`, {
    method: 'POST', body: new URLSearchParams({ token: String(issued['access_token']), client_id: 'svc-1', client_secret: String(made['client_secret']) }),
  })).text();
  expect(await ask()).toStartWith('{"active":true,"scope":"a b","client_id":"svc-1"');
  expect(await run(['token', 'revoke', '-'], String(issued['access_token']))).toMatchObject({ code: 0, out: '{"ok":true}\n' });
  expect(await ask()).toBe('{"active":false}');
  expect((await run(['client', 'show', 'svc-1'])).out).not.toContain(String(made['client_secret']));
  await server.stop();
}, 20_000);
