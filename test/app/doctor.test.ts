import { Database } from 'bun:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { chmodSync, copyFileSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { backupPlace, takeBackup } from '../../src/app/backup.ts';
import { networkSystem } from '../../src/app/doctor/data-checks.ts';
import { examine } from '../../src/app/doctor/examine.ts';
import type { Settings } from '../../src/config/settings.ts';
import type { Finding } from '../../src/core/finding.ts';
import { makeCertificate } from '../helpers/certificate.ts';
import { needProgram } from '../helpers/programs.ts';
import { startMailSink } from '../outbound/mail-sink.ts';
import { openData, removeFolder, settingsFor, startServer, temporaryFolder, untilReady } from '../helpers/server.ts';
import { auditEvent } from '../../src/core/audit-event.ts';

const openssl = (await needProgram('openssl')) ?? 'openssl';
const DAY_MS = 86_400_000;
const template = temporaryFolder();
await (await openData(template)).close();

let data: string;
let servers: Bun.Server<undefined>[];
beforeEach(() => {
  data = temporaryFolder();
  servers = [];
  for (const name of ['assay.db', 'master.key']) copyFileSync(join(template, name), join(data, name));
});
afterEach(async () => {
  for (const server of servers) await server.stop(true);
  removeFolder(data);
});

type Options = { readonly nowMs?: number; readonly backups?: string; readonly ca?: string };
async function find(check: string, settings: Partial<Settings> = {}, { nowMs = Date.now(), backups, ca }: Options = {}): Promise<Finding> {
  const findings = await examine(settingsFor(data, settings), { nowMs, backups: backups ?? null, ca: ca ?? null });
  const found = findings.find((finding) => finding.check === check);
  if (found === undefined) throw new Error(`no check ${check}`);
  expect(found.fix === null).toBe(found.outcome === 'ok' || found.outcome === 'skipped');
  return found;
}

function change(sql: string): void {
  const db = new Database(join(data, 'assay.db'));
  db.run('PRAGMA foreign_keys = OFF');
  db.run(sql);
  db.close();
}

/** Something that answers in place of the server. */
function answer(fetch: (url: URL, origin: string) => Response, tls?: { readonly cert: string; readonly key: string }): string {
  const server: Bun.Server<undefined> = Bun.serve({ port: 0, hostname: '127.0.0.1', ...(tls !== undefined && { tls }), fetch: (request): Response => fetch(new URL(request.url), origin) });
  const origin: string = `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${server.port}`;
  servers.push(server);
  return origin;
}
const metadata = (origin: string, more: object = {}): Response => Response.json({ issuer: origin, jwks_uri: `${origin}/jwks`, token_endpoint: `${origin}/token`, ...more });
const pem = ({ certFile, keyFile }: { readonly certFile: string; readonly keyFile: string }): { readonly cert: string; readonly key: string } => ({ cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') });

test('a healthy server has no problem, and nothing is changed by looking', async () => {
  const own = await startServer();
  await untilReady(own);
  const look = (): Promise<readonly Finding[]> => examine(settingsFor(own.data), { nowMs: Date.now(), backups: null, ca: null });
  let findings = await look();
  // The second of the first two keys may still be in the making.
  while (findings.find(({ check }) => check === 'keys')?.outcome !== 'ok') findings = await look();
  expect(findings.filter(({ outcome }) => outcome === 'problem' || outcome === 'warning')).toEqual([]);
  expect(findings.filter(({ outcome }) => outcome === 'ok').map(({ check }) => check)).toEqual(expect.arrayContaining(['sqlite', 'data', 'schema', 'clock', 'file system', 'journal', 'writer', 'disk space', 'permissions', 'master key', 'keys', 'discovery', 'key set']));
  const key = readFileSync(join(own.data, 'master.key'), 'utf8').trim();
  expect(JSON.stringify(findings)).not.toContain(key);
  await own.stop();
  removeFolder(own.data);
});

describe('OP-08 what is wrong with the data is found', () => {
  const cases: readonly (readonly [check: string, outcome: Finding['outcome'], spoil: () => void, says: string, options?: Options])[] = [
    ['data', 'problem', () => rmSync(join(data, 'assay.db')), 'no database'],
    ['schema', 'problem', () => change('PRAGMA user_version = 999'), 'newer'],
    ['schema', 'warning', () => change('PRAGMA user_version = 1'), 'version 1'],
    ['data', 'problem', () => writeFileSync(join(data, 'assay.db'), 'x'.repeat(5000)), 'not a database'],
    ['clock', 'problem', () => change(`INSERT INTO meta VALUES ('clock_high_water_ms', '${Date.now() + 600_000}')`), 'behind'],
    ['permissions', 'problem', () => chmodSync(join(data, 'master.key'), 0o644), 'master.key (644)'],
    ['permissions', 'problem', () => chmodSync(data, 0o755), '(755)'],
    ['permissions', 'problem', () => chmodSync(join(data, 'assay.db'), 0o640), 'assay.db (640)'],
    ['master key', 'problem', () => writeFileSync(join(data, 'master.key'), `${Buffer.alloc(32, 1).toString('base64')}\n`, { mode: 0o600 }), 'another one'],
    ['master key', 'problem', () => rmSync(join(data, 'master.key')), 'master.key'],
    ['keys', 'problem', () => change("UPDATE signing_keys SET status = 'revoked' WHERE status = 'active'"), 'no key signs for default'],
    ['keys', 'warning', () => change("DELETE FROM signing_keys WHERE status = 'next'"), 'no next key'],
    ['keys', 'warning', () => undefined, 'older than', { nowMs: Date.now() + 500 * DAY_MS }],
  ];
  for (const [check, outcome, spoil, says, options] of cases) {
    test(`${check}: ${says}`, async () => {
      spoil();
      const found = await find(check, {}, options);
      expect(found).toMatchObject({ outcome, detail: expect.stringContaining(says) });
    });
  }

  test('a writer that does not end', async () => {
    const holder = new Database(join(data, 'assay.db'));
    holder.run('BEGIN IMMEDIATE');
    expect(await find('writer')).toMatchObject({ outcome: 'problem' });
    holder.run('ROLLBACK');
    holder.close();
  }, 15_000);

  test('file systems of networks', () => {
    expect([networkSystem(0x6969), networkSystem(0xff534d42 | 0), networkSystem(0xef53), networkSystem(0x01021997)]).toEqual(['NFS', 'CIFS', null, '9P']);
  });

  test('backups: none, an old one, a new one', async () => {
    const backups = temporaryFolder();
    expect(await find('backups', {}, { backups })).toMatchObject({ outcome: 'problem', detail: expect.stringContaining('no complete') });
    expect(await find('backups', {}, { backups: join(backups, 'x') })).toMatchObject({ outcome: 'problem', detail: expect.stringContaining('does not exist') });
    await takeBackup(data, backupPlace(backups, data), Date.now(), () => undefined);
    expect(await find('backups', {}, { backups })).toMatchObject({ outcome: 'ok' });
    expect(await find('backups', {}, { backups, nowMs: Date.now() + 2 * DAY_MS })).toMatchObject({ outcome: 'warning' });
    removeFolder(backups);
  });
});

describe('OP-08 what is wrong outside is found', () => {
  const discovery: readonly (readonly [name: string, reply: (url: URL, origin: string) => Response, check: string, outcome: Finding['outcome'], says: string])[] = [
    ['another issuer', () => metadata('https://other.example.com'), 'discovery', 'problem', 'other.example.com'],
    ['a redirect', () => Response.redirect('https://elsewhere.example.com', 302), 'discovery', 'problem', 'redirects'],
    ['an unknown Host', () => new Response('', { status: 421 }), 'discovery', 'problem', 'does not know the name'],
    ['an error', () => new Response('', { status: 502 }), 'discovery', 'problem', '502'],
    ['a page', () => new Response('<html>'), 'discovery', 'problem', 'no issuer'],
    ['an endpoint elsewhere', (_url, origin) => metadata(origin, { token_endpoint: 'https://x.example.com/token' }), 'discovery', 'problem', 'token_endpoint'],
    ['a key set that is none', (url, origin) => (url.pathname === '/jwks' ? new Response('no') : metadata(origin)), 'key set', 'problem', 'not one'],
    ['a private key in the set', (url, origin) => (url.pathname === '/jwks' ? Response.json({ keys: [{ kid: 'a', kty: 'EC', d: 'x' }] }) : metadata(origin)), 'key set', 'problem', 'no public key'],
    ['an empty key set', (url, origin) => (url.pathname === '/jwks' ? Response.json({ keys: [] }) : metadata(origin)), 'key set', 'warning', 'empty'],
  ];
  for (const [name, reply, check, outcome, says] of discovery) {
    test(name, async () => {
      expect(await find(check, { origin: answer(reply) })).toMatchObject({ outcome, detail: expect.stringContaining(says) });
    });
  }

  test('nobody answers', async () => {
    const origin = answer(() => new Response(''));
    await servers[0]?.stop(true);
    expect(await find('discovery', { origin })).toMatchObject({ outcome: 'problem', detail: expect.stringContaining('does not answer') });
  });

  test('a proxy that nobody trusts, and one that names no clients', async () => {
    expect(await find('proxy', { origin: 'https://id.invalid' })).toMatchObject({ outcome: 'problem', detail: expect.stringContaining('none is trusted') });
    const application = await openData(data);
    await application.ctx.store.recordAudit([auditEvent({ timeMs: Date.now(), type: 'sign_in_failed', ip: '10.0.0.1' })]);
    await application.close();
    expect(await find('proxy', { origin: 'https://id.invalid', trustProxy: ['10.0.0.0/8'] })).toMatchObject({ outcome: 'warning', detail: expect.stringContaining('10.0.0.1') });
  });

  test('certificates: not trusted, trusted, ending, ended, for another name', async () => {
    const made = makeCertificate(openssl);
    const origin = answer((_url, own) => metadata(own), pem(made));
    expect(await find('certificate', { origin })).toMatchObject({ outcome: 'problem', detail: expect.stringContaining('not trusted') });
    expect(await find('certificate', { origin }, { ca: made.pem, nowMs: Date.now() - 20 * DAY_MS })).toMatchObject({ outcome: 'ok' });
    expect(await find('discovery', { origin }, { ca: made.pem })).toMatchObject({ outcome: 'ok' });
    expect(await find('certificate', { origin }, { ca: made.pem })).toMatchObject({ outcome: 'warning', detail: expect.stringContaining('ends in 0 days') });
    expect(await find('certificate', { origin }, { ca: made.pem, nowMs: Date.now() + 2 * DAY_MS })).toMatchObject({ outcome: 'problem', detail: expect.stringContaining('it ended') });
    const other = `https://127.0.0.2:${new URL(origin).port}`;
    const second = Bun.serve({ port: Number(new URL(origin).port), hostname: '127.0.0.2', tls: pem(made), fetch: () => new Response('') });
    servers.push(second);
    expect(await find('certificate', { origin: other }, { ca: made.pem })).toMatchObject({ outcome: 'problem', detail: expect.stringContaining('not for 127.0.0.2') });
  });

  test('TLS files: that do not belong together, that end, that ended', async () => {
    const [one, two] = [makeCertificate(openssl), makeCertificate(openssl)];
    expect(await find('tls files', { tlsCert: one.certFile, tlsKey: two.keyFile })).toMatchObject({ outcome: 'problem', detail: expect.stringContaining('not that of the certificate') });
    expect(await find('tls files', { tlsCert: one.certFile, tlsKey: one.keyFile })).toMatchObject({ outcome: 'warning' });
    expect(await find('tls files', { tlsCert: one.certFile, tlsKey: one.keyFile }, { nowMs: Date.now() + 3 * DAY_MS })).toMatchObject({ outcome: 'problem', detail: expect.stringContaining('ended') });
  });

  test('a mail server: one that takes the login gets no mail; a wrong login, and a certificate that nobody trusts, are told', async () => {
    const made = makeCertificate(openssl);
    const sink = await startMailSink({ tls: pem(made), login: { user: 'user', password: 's3cretword' } });
    const url = (password: string): string => `smtp://user:${password}@localhost:${sink.port}`;
    expect(await find('mail', { smtpUrl: url('s3cretword') }, { ca: made.pem })).toMatchObject({ outcome: 'ok' });
    const refused = await find('mail', { smtpUrl: url('wr0ngword') }, { ca: made.pem });
    expect(refused).toMatchObject({ outcome: 'problem', detail: expect.stringContaining('login') });
    expect(JSON.stringify(refused)).not.toContain('wr0ngword');
    expect(sink.mails).toEqual([]);
    await sink.close();
  });

  test('a mail server that is not there, without a word of its password', async () => {
    const origin = answer(() => new Response(''));
    const { port } = new URL(origin);
    await servers[0]?.stop(true);
    const found = await find('mail', { smtpUrl: `smtp://user:s3cretword@127.0.0.1:${port}` });
    expect(found).toMatchObject({ outcome: 'problem' });
    expect(JSON.stringify(found)).not.toContain('s3cretword');
  });
});

test('a damaged database is one finding that says what to do, and hides nothing else', async () => {
  writeFileSync(join(data, 'assay.db'), 'no database at all');
  expect(await find('data')).toMatchObject({ outcome: 'problem', detail: expect.stringContaining('the database is damaged'), fix: expect.stringContaining('assay restore FILE --replace-damaged') });
  expect(await find('schema')).toMatchObject({ outcome: 'skipped', detail: 'the database is damaged' });
  expect((await find('file system')).outcome).toBe('ok');
});

test('looking changes no mode and no file of the data', async () => {
  const before = [statSync(join(data, 'assay.db')).mtimeMs, readFileSync(join(data, 'assay.db')).length];
  await examine(settingsFor(data), { nowMs: Date.now(), backups: null, ca: null });
  expect([statSync(join(data, 'assay.db')).mtimeMs, readFileSync(join(data, 'assay.db')).length]).toEqual(before);
});
