/** What is told to operators, and that none of it is a secret (LG, CR-04, JK-09). */
import { Database } from 'bun:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { AuditType } from '../../src/core/audit-event.ts';
import type { Tenant } from '../../src/core/model.ts';
import { deleteClient, revokeClientTokens, rotateSecret, setClientEnabled, updateClient } from '../../src/service/manage-clients.ts';
import { revokeKey, rotateKeys } from '../../src/service/manage-keys.ts';
import { deleteResource } from '../../src/service/manage-resources.ts';
import { createTenant, deleteTenant, setTenantEnabled, updateTenant } from '../../src/service/manage-tenants.ts';
import { explainToken, inspectToken } from '../../src/service/manage-tokens.ts';
import { deleteUser, revokeUserTokens, setUserEnabled, updateUser } from '../../src/service/manage-users.ts';
import { basic } from '../helpers/server.ts';
import {
  defaultTenant, introspect, issue, issuePair, makeClient, makePublicClient, makeResource, makeUser, must, parseObject, post, posted, rawPost, send, sendRaw,
  startFixture, tenantKey, until, untilAudited, type Credentials, type Fixture,
} from '../helpers/fixture.ts';
import { listAudit } from '../helpers/trail.ts';

const API = 'https://api.example.com/log';

let fixture: Fixture;
let home: Tenant;
let svc: Credentials;
let other: Credentials;
/** Everything that must be nowhere. */
const secrets = new Set<string>();

/** Remembers a secret, so that the scan looks for it. */
function secret(text: string): string {
  secrets.add(text);
  return text;
}

async function makeSecretClient(id: string, change: Parameters<typeof makeClient>[3] = {}, supplied?: string): Promise<Credentials> {
  const client = await makeClient(fixture, home, id, change, supplied === undefined ? {} : { supplied });
  secret(client.secret);
  return client;
}

beforeAll(async () => {
  fixture = await startFixture({ env: { ASSAY_LOG_LEVEL: 'debug', ASSAY_REFRESH_GRACE: '0' } });
  home = await defaultTenant(fixture);
  svc = await makeSecretClient('svc', { grants: ['client_credentials', 'refresh_token'], scopes: ['a', 'openid'] });
  other = await makeSecretClient('other', { scopes: ['a'] });
  await makePublicClient(fixture, home, 'spa', { scopes: ['a'] });
  await makeUser(fixture, home, 'alice');
  await makeResource(fixture, home, { uri: API, scopes: ['a'] });
});
afterAll(() => fixture.close());

const url = (path: string): string => fixture.server.url + path;

describe('a mixed session at level debug', () => {
  beforeAll(async () => {
    const { ctx } = fixture.application;
    const opaque = await makeSecretClient('opaque', { tokenFormat: 'opaque', grants: ['client_credentials', 'refresh_token'], scopes: ['a'] });
    const chosen = await makeSecretClient('chosen', {}, secret('chosen-by-people-9'));
    const rotated = must(await rotateSecret(ctx, home, 'chosen', { supplied: null, ttl: null }, 60)).secret;
    secret(rotated?.text ?? '');
    for (const client of [svc, opaque]) {
      const { access, refresh } = await issuePair(fixture, home, client.id, 'alice', { scopes: ['a'] });
      for (const token of [access, refresh]) {
        secret(token);
        for (const caller of [client, other]) await introspect(fixture, home, caller, token);
        await post(url('/oauth2/revoke'), { token }, other);
      }
      const refreshed = parseObject((await post(url('/oauth2/token'), { grant_type: 'refresh_token', refresh_token: refresh }, client)).body);
      for (const name of ['access_token', 'refresh_token']) secret(String(refreshed[name]));
      await Bun.sleep(5);
      // Reuse, which ends the family.
      await post(url('/oauth2/token'), { grant_type: 'refresh_token', refresh_token: refresh }, client);
      const own = secret(String(parseObject((await post(url('/oauth2/token'), { grant_type: 'client_credentials', ...posted(client) })).body)['access_token']));
      await introspect(fixture, home, client, own);
      await post(url('/oauth2/revoke'), { token: own, ...posted(client) });
    }
    await post(url('/oauth2/introspect'), { token: 'x' }, chosen);
    // Secrets where they do not belong.
    const guess = secret('wrong-secret-4e1f');
    await post(url('/oauth2/token'), { grant_type: 'client_credentials' }, { ...svc, secret: guess });
    await post(url('/oauth2/token'), { grant_type: 'client_credentials' }, { id: secret('secret-as-client-id-77'), secret: guess });
    await post(url(`/oauth2/introspect?token=${secret('token-in-the-query-1')}&client_secret=${secret('secret-in-the-query-2')}`), { token: 'x' }, svc);
    await send(url(`/nothing?code=${secret('code-in-the-query-3')}&state=x`), { headers: { Referer: `https://x.example/?id_token=${secret('token-in-a-referer-4')}`, Cookie: `session=${secret('cookie-value-5')}`, DPoP: secret('dpop-proof-6'), 'User-Agent': secret('agent-7f') } });
    await send(url('/oauth2/introspect'), { method: 'POST', body: JSON.stringify({ token: secret('token-in-json-8'), client_secret: guess }), headers: { 'Content-Type': 'application/json' } });
    await post(url('/oauth2/token'), { grant_type: secret('grant-type-typo-9'), username: 'alice', password: secret('password-grant-10'), client_assertion: secret('assertion-11') }, svc);
    await post(url('/oauth2/token'), { grant_type: 'client_credentials', scope: secret('scope-typo-12'), resource: secret('resource-typo-13') }, svc);
    await post(url('/oauth2/introspect'), { token: 'x' }, null, { Authorization: `Bearer ${secret('bearer-14-abcdef')}` });
    await post(url('/oauth2/introspect'), { token: 'x' }, null, { Authorization: `Basic ${secret('bm90OmJhc2U2NA!!')}` });
    await rawPost(fixture, '/oauth2/introspect', `token=${secret('broken-escape-15')}%zz`, [`Authorization: ${basic(svc.id, svc.secret)}`]);
    await sendRaw(fixture.server.port, `POST /oauth2/introspect HTTP/1.1\r\nHost: x.example\r\nX-Request-Id: ${secret('<request-id-16>')}\r\nContent-Length: 0\r\n\r\n`);
    await send(url(`/t/${secret('path-segment-token-17')}/protocol/openid-connect/token`), { method: 'POST' });
    secret(basic(svc.id, svc.secret).slice('Basic '.length));
    const row = (await ctx.store.listKeys(home.id))[0];
    secret(Buffer.from(readFileSync(join(fixture.server.data, 'master.key'), 'utf8').trim(), 'base64').toString('latin1'));
    secret(readFileSync(join(fixture.server.data, 'master.key'), 'utf8').trim());
    expect(row?.sealedPrivate.length).toBeGreaterThan(500);
    secret('PRIVATE KEY');
    await Bun.sleep(150);
  });

  test('ASVS 16.2.5 · LG-01, LG-09, JK-09, CR-04 none of its secrets is in the log, the database, its journal, or an audit row', async () => {
    const { data } = fixture.server;
    const audit = JSON.stringify(await listAudit(fixture.application.ctx.store, { limit: 10_000 }));
    const places = new Map<string, string>([['log', fixture.server.logs()], ['audit', audit]]);
    const files = readdirSync(data).filter((name) => name !== 'master.key' && statSync(join(data, name)).isFile());
    for (const name of files) places.set(name, readFileSync(join(data, name), 'latin1'));
    expect([...places.keys()]).toContain('assay.db-wal');
    expect(secrets.size).toBeGreaterThan(30);
    const found: string[] = [];
    for (const text of secrets) {
      // A JWT's parts, and what comes after an opaque token's or secret's prefix, are secrets too.
      const parts = text.includes('.') && text.startsWith('ey') ? [text.split('.')[2] ?? '', text.split('.')[1] ?? ''] : [text.replace(/^(?:cs|rt|at)_/, '')];
      for (const part of parts) {
        expect(part.length).toBeGreaterThan(6);
        for (const [place, content] of places) {
          // The path is logged: it is for routing, and nothing secret belongs there. An id in a path is the caller's doing.
          if (place === 'log' && part === 'path-segment-token-17') continue;
          if (content.includes(part)) found.push(`${place}: ${part}`);
        }
      }
    }
    expect(found).toEqual([]);
  });

  test('ASVS 16.2.5 · LG-02 tokens appear as fingerprints: twelve characters, the same for the same token, keyed', async () => {
    const { access_token: token } = await issue(fixture, home, 'svc');
    await introspect(fixture, home, other, token);
    const { fingerprint } = await untilAudited(fixture, home, 'token_introspection_denied', token);
    expect(fingerprint).toMatch(/^[\w-]{12}$/);
    expect(fixture.application.ctx.fingerprint(token)).toBe(fingerprint ?? '');
    expect(new Bun.CryptoHasher('sha256').update(token).digest('base64url')).not.toContain(fingerprint);
  });

  test('ASVS 16.4.1 · LG-03, HT-20 every log line is one JSON object with time, level and event', () => {
    const lines = fixture.server.logs().trim().split('\n');
    expect(lines.length).toBeGreaterThan(30);
    for (const line of lines) {
      const { time, level, event } = parseObject(line);
      expect([typeof time, level, typeof event]).toEqual(['string', expect.stringMatching(/^(?:error|warn|info|debug)$/), 'string']);
      // oxlint-disable-next-line no-control-regex
      expect(line).not.toMatch(/[\u0000-\u001F\u007F-\u009F\u2028\u2029\u202A-\u202E\u2066-\u2069]/);
    }
    expect(lines.some((line) => line.includes('"event":"request"'))).toBe(true);
    expect(lines.some((line) => line.includes('?'))).toBe(false);
  });

  test('ASVS 16.4.1 · LG-03 line feeds, escapes and JSON from strangers stay inside one string', async () => {
    const evil = ['/a%0A%7B%22event%22:%22forged%22%7D', '/a%1B[2J', '/%E2%80%AE', '/"},"event":"forged', '/\u009B31m'];
    for (const path of evil) {
      await sendRaw(fixture.server.port, `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${fixture.server.port}\r\nX-Forwarded-For: 1.1.1.1"\r\nUser-Agent: x\r\n\r\n`);
      await sendRaw(fixture.server.port, `GET / HTTP/1.1\r\nHost: evil${evil.indexOf(path)}.example\r\n\r\n`);
    }
    await Bun.sleep(50);
    for (const line of fixture.server.logs().trim().split('\n')) {
      expect(parseObject(line)['event']).not.toBe('forged');
      expect(parseObject(line)['error']).toBeUndefined();
    }
  });
});

describe('audit', () => {
  const acts: readonly (readonly [type: AuditType, act: () => Promise<unknown>])[] = [
    ['tenant_created', () => createTenant(fixture.application.ctx, 'audited', { algorithm: 'ES256' })],
    ['tenant_updated', () => updateTenant(fixture.application.ctx, 'audited', { name: 'New' })],
    ['tenant_disabled', () => setTenantEnabled(fixture.application.ctx, 'audited', false)],
    ['tenant_enabled', () => setTenantEnabled(fixture.application.ctx, 'audited', true)],
    ['tenant_deleted', () => deleteTenant(fixture.application.ctx, 'audited')],
    ['client_created', () => makeClient(fixture, home, 'audited')],
    ['client_updated', () => updateClient(fixture.application.ctx, home, 'audited', { name: 'New' })],
    ['client_secret_rotated', () => rotateSecret(fixture.application.ctx, home, 'audited', { supplied: null, ttl: null }, 1)],
    ['client_disabled', () => setClientEnabled(fixture.application.ctx, home, 'audited', false)],
    ['client_enabled', () => setClientEnabled(fixture.application.ctx, home, 'audited', true)],
    ['client_tokens_revoked', () => revokeClientTokens(fixture.application.ctx, home, 'audited')],
    ['client_deleted', () => deleteClient(fixture.application.ctx, home, 'audited')],
    ['client_authentication_failed', () => post(url('/oauth2/token'), { grant_type: 'x' }, { ...other, secret: 'no' })],
    ['resource_created', () => makeResource(fixture, home, { uri: 'urn:audited' })],
    ['resource_deleted', () => deleteResource(fixture.application.ctx, home, 'urn:audited')],
    ['user_created', () => makeUser(fixture, home, 'audited')],
    ['user_updated', () => updateUser(fixture.application.ctx, home, 'audited', { name: 'New' })],
    ['user_disabled', () => setUserEnabled(fixture.application.ctx, home, 'audited', false)],
    ['user_enabled', () => setUserEnabled(fixture.application.ctx, home, 'audited', true)],
    ['user_tokens_revoked', () => revokeUserTokens(fixture.application.ctx, home, 'audited')],
    ['user_deleted', () => deleteUser(fixture.application.ctx, home, 'audited')],
    ['grant_opened', () => issuePair(fixture, home, 'svc', 'alice')],
    ['token_refreshed', async () => post(url('/oauth2/token'), { grant_type: 'refresh_token', refresh_token: (await issuePair(fixture, home, 'svc', 'alice')).refresh }, svc)],
    ['refresh_refused', async () => post(url('/oauth2/token'), { grant_type: 'refresh_token', refresh_token: (await issuePair(fixture, home, 'svc', 'alice')).refresh, client_id: 'spa' })],
    ['refresh_reuse_detected', async () => {
      const { refresh } = await issuePair(fixture, home, 'svc', 'alice');
      for (let use = 0; use < 2; use += 1) {
        await post(url('/oauth2/token'), { grant_type: 'refresh_token', refresh_token: refresh }, svc);
        await Bun.sleep(5);
      }
    }],
    ['token_revoked', async () => post(url('/oauth2/revoke'), { token: (await issue(fixture, home, 'svc')).access_token }, svc)],
    ['token_revocation_denied', async () => post(url('/oauth2/revoke'), { token: (await issue(fixture, home, 'svc')).access_token }, other)],
    ['token_introspection_denied', async () => post(url('/oauth2/introspect'), { token: (await issue(fixture, home, 'svc')).access_token }, other)],
    ['key_created', () => rotateKeys(fixture.application.ctx, home)],
    ['key_rotated', () => rotateKeys(fixture.application.ctx, home)],
    ['key_revoked', async () => revokeKey(fixture.application.ctx, home, (await tenantKey(fixture, home)).kid)],
    ['server_started', () => Promise.resolve()],
  ];
  for (const [type, act] of acts) {
    test(`ASVS 16.3 · LG-04, LG-05, LG-06 ${type} is audited, once, with who, what, when and how it ended`, async () => {
      const count = (): number => {
        const db = new Database(join(fixture.server.data, 'assay.db'), { readonly: true });
        try {
          return db.query<{ n: number }, [string]>('SELECT count(*) AS n FROM audit WHERE type = ?').get(type)?.n ?? 0;
        } finally {
          db.close();
        }
      };
      const before = type === 'server_started' ? 0 : count();
      const began = Date.now();
      await act();
      const repeats = type === 'key_created';
      await until(`${type} is audited`, () => count() > before || (repeats && before > 0));
      const [event] = await listAudit(fixture.application.ctx.store, { type, limit: 1 });
      expect(Object.keys(event ?? {}).sort((a, b) => (a < b ? -1 : 1))).toEqual(['actor', 'clientId', 'count', 'fingerprint', 'grantId', 'ip', 'outcome', 'reason', 'requestId', 'subject', 'tenant', 'timeMs', 'type']);
      expect(event?.actor).toBeString();
      expect(event?.outcome).toBe(/denied|refused|reuse/.test(type) ? 'denied' : /failed/.test(type) ? 'failure' : 'success');
      if (type !== 'server_started') expect(event?.tenant).toBeString();
      if (!repeats && type !== 'server_started') expect(event?.timeMs).toBeGreaterThanOrEqual(began - 1);
      if (/^(?:token|refresh)_/.test(type)) {
        expect(event?.fingerprint).toMatch(/^[\w-]{12}$/);
        expect(event?.requestId).toBeString();
        expect(event?.ip).toBe('127.0.0.1');
      }
    });
  }

  test('ASVS 16.4.2 · LG-08 rows of the audit trail can be neither changed nor deleted, only counted up', () => {
    const db = new Database(join(fixture.server.data, 'assay.db'));
    try {
      for (const sql of ["UPDATE audit SET type = 'x'", "UPDATE audit SET actor = 'nobody' WHERE seq = 1", 'DELETE FROM audit', 'UPDATE audit SET count = 0', 'DELETE FROM audit WHERE seq = 1']) {
        expect(() => db.run(sql)).toThrow();
      }
    } finally {
      db.close();
    }
  });

  test('ASVS 16.3 · LG-10 why a token is inactive: hidden from callers, told to operators', async () => {
    const { ctx } = fixture.application;
    const { access_token: token } = await issue(fixture, home, 'svc');
    expect(must(await explainToken(ctx, home, token, 'other'))).toEqual({ active: false, reason: 'policy', policy: 'audience', caller: 'other', clientId: 'svc' });
    expect(must(await explainToken(ctx, home, token, 'svc'))).toMatchObject({ active: true, reason: null });
    await post(url('/oauth2/revoke'), { token }, svc);
    expect(must(await explainToken(ctx, home, token, 'svc'))).toMatchObject({ active: false, reason: 'revoked' });
    expect(await inspectToken(ctx, home, token)).toMatchObject({ known: true, reason: 'revoked', format: 'jwt' });
    expect((await post(url('/oauth2/introspect'), { token }, svc)).body).toBe('{"active":false}');
  });

  test('LG-07 a refused change leaves no event, and an event no half: they are one transaction', async () => {
    const { ctx } = fixture.application;
    const before = (await listAudit(ctx.store, { type: 'client_created', limit: 10_000 })).length;
    await makeClient(fixture, home, 'twice');
    await makeClient(fixture, home, 'twice').catch(() => null);
    expect((await listAudit(ctx.store, { type: 'client_created', limit: 10_000 })).length).toBe(before + 1);
  });
});
