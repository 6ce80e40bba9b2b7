import { afterAll, beforeAll, expect, test } from 'bun:test';
import { copyFileSync, writeFileSync } from 'node:fs';
import { request as httpsRequest, Agent } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { makeCertificate, type Certificate } from '../helpers/certificate.ts';
import { needProgram } from '../helpers/programs.ts';
import { assayCommand, removeFolder, startServer, temporaryFolder, type RunningServer } from '../helpers/server.ts';

const openssl = (await needProgram('openssl')) ?? 'openssl';
let live: Certificate;
let server: RunningServer;

beforeAll(async () => {
  live = makeCertificate(openssl);
  server = await startServer({ args: ['--tls-cert', live.certFile, '--tls-key', live.keyFile] });
});
afterAll(async () => {
  await server.stop();
  removeFolder(server.data);
});

type Seen = { readonly status: number; readonly certificate: string };

/** One request; what it saw of the certificate. @param agent keeps connections; left out: a new one */
function ask(agent: Agent | false = false): Promise<Seen> {
  return new Promise((resolve, reject) => {
    const sent = httpsRequest({ host: '127.0.0.1', port: server.port, path: '/healthz', agent, rejectUnauthorized: false }, (answer) => {
      // A request over TLS has such a socket.
      const { fingerprint256 } = (answer.socket as TLSSocket).getPeerCertificate();
      answer.resume().on('end', () => resolve({ status: answer.statusCode ?? 0, certificate: fingerprint256 })).on('error', reject);
    });
    sent.on('error', reject).end();
  });
}

function replaceFiles(by: Certificate): void {
  copyFileSync(by.certFile, live.certFile);
  copyFileSync(by.keyFile, live.keyFile);
}

async function untilLogged(text: string, times = 1): Promise<void> {
  for (let attempt = 0; attempt < 500 && server.logs().split(text).length - 1 < times; attempt += 1) await Bun.sleep(10);
  expect(server.logs().split(text).length - 1).toBe(times);
}

const hangUp = (): boolean => process.kill(server.pid, 'SIGHUP');

test('HT-15 a new certificate is served after SIGHUP; no request fails meanwhile, and connections that are open go on', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const first = await ask(agent);
  const seen: Seen[] = [];
  let asking = true;
  const loops = Array.from({ length: 4 }, async () => {
    while (asking) seen.push(await ask());
  });
  const kept = (async () => {
    while (asking) expect((await ask(agent)).status).toBe(200);
  })();
  for (let round = 1; round <= 5; round += 1) {
    replaceFiles(makeCertificate(openssl));
    hangUp();
    await untilLogged('TLS certificate replaced', round);
    const before = seen.length;
    while (seen.length < before + 20) await Bun.sleep(5);
  }
  asking = false;
  await Promise.all([...loops, kept]);
  agent.destroy();
  expect(seen.filter(({ status }) => status !== 200)).toEqual([]);
  expect(new Set([first, ...seen].map(({ certificate }) => certificate)).size).toBeGreaterThanOrEqual(6);
  expect((await ask()).certificate).not.toBe(first.certificate);
}, 30_000);

test('HT-15 a certificate that cannot be served is told once, and the former one goes on', async () => {
  const { certificate } = await ask();
  const other = makeCertificate(openssl);
  copyFileSync(other.certFile, live.certFile);
  hangUp();
  await untilLogged('cannot be used; the former one goes on', 1);
  hangUp();
  writeFileSync(live.certFile, 'no certificate');
  hangUp();
  await untilLogged('cannot be used; the former one goes on', 2);
  expect((await ask()).certificate).toBe(certificate);
  replaceFiles(other);
  hangUp();
  await untilLogged('TLS certificate replaced', 6);
  expect((await ask()).certificate).not.toBe(certificate);
  expect(server.logs()).not.toContain('PRIVATE KEY');
});

test('a start with a certificate and the key of another says so', async () => {
  const other = makeCertificate(openssl);
  const data = temporaryFolder();
  const started = Bun.spawn([...assayCommand, 'serve', '--data', data, '--port', '0', '--tls-cert', live.certFile, '--tls-key', other.keyFile], { stdout: 'ignore', stderr: 'pipe', env: { PATH: Bun.env['PATH'] ?? '', HOME: data } });
  expect(await new Response(started.stderr).text()).toContain(`error: ${live.certFile} and ${other.keyFile} cannot be served: the key is not that of the certificate`);
  expect(await started.exited).toBe(1);
  removeFolder(data);
});

test('a port has one server, with TLS too, before and after the certificate was replaced', async () => {
  const data = temporaryFolder();
  const child = Bun.spawn([...assayCommand, 'serve', '--data', data, '--port', String(server.port), '--tls-cert', live.certFile, '--tls-key', live.keyFile], { stdout: 'ignore', stderr: 'pipe', env: { PATH: Bun.env['PATH'] ?? '', HOME: data } });
  expect(await new Response(child.stderr).text()).toContain('is taken by another program');
  expect(await child.exited).toBe(1);
  removeFolder(data);
});

test('two servers that start on a port at once: one is refused', async () => {
  const own = makeCertificate(openssl);
  const probe = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response() });
  const { port } = probe;
  await probe.stop(true);
  const folders = [temporaryFolder(), temporaryFolder(), temporaryFolder()];
  const children = folders.map((data) => Bun.spawn([...assayCommand, 'serve', '--data', data, '--port', String(port), '--tls-cert', own.certFile, '--tls-key', own.keyFile], { stdout: 'ignore', stderr: 'ignore', env: { PATH: Bun.env['PATH'] ?? '', HOME: data } }));
  const ended: number[] = [];
  await new Promise<void>((resolve) => {
    for (const child of children) {
      void child.exited.then((code) => {
        ended.push(code);
        if (ended.length === 2) resolve();
      });
    }
  });
  expect(ended).toEqual([1, 1]);
  for (const child of children) child.kill('SIGKILL');
  await Promise.all(children.map(({ exited }) => exited.catch(() => undefined)));
  for (const folder of folders) removeFolder(folder);
}, 20_000);
