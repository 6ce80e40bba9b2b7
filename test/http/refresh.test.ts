/** The refresh token grant (RFC 6749 §6, OAuth 2.1 §4.3): rotation, reuse, and forgiveness for lost answers. */
import { Database } from 'bun:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Tenant } from '../../src/core/model.ts';
import { setClientEnabled, updateClient } from '../../src/service/manage-clients.ts';
import { setTenantEnabled } from '../../src/service/manage-tenants.ts';
import { setUserEnabled } from '../../src/service/manage-users.ts';
import { digestOf } from '../../src/tokens/digest.ts';
import { basic } from '../helpers/server.ts';
import {
  auditOf, decodeJwt, errorFault, homeUrl, introspect, issue, issuePair, jsonAnswer, makeClient, makePublicClient, makeResource, makeTenant, makeUser, must,
  parseObject, post, startFixture, storedState, untilAudited, type Answer, type Credentials, type Fixture,
} from '../helpers/fixture.ts';

const GRACE_S = 1;
const API = 'https://api.example.com/a';
const OTHER_API = 'https://api.example.com/b';
const SCOPES = ['a', 'b', 'openid', 'email', 'offline_access'] as const;
const USER_GRANTS = ['authorization_code', 'refresh_token'] as const;

let fixture: Fixture;
let acme: Tenant;
let web: Credentials;
let other: Credentials;
/** Sees every token of the tenant. */
let watcher: Credentials;
let tokenUrl: string;

beforeAll(async () => {
  fixture = await startFixture({ env: { ASSAY_REFRESH_GRACE: String(GRACE_S) } });
  acme = await makeTenant(fixture, 'acme');
  web = await makeClient(fixture, acme, 'web', { grants: USER_GRANTS, scopes: SCOPES });
  other = await makeClient(fixture, acme, 'other', { grants: USER_GRANTS, scopes: SCOPES });
  watcher = await makeClient(fixture, acme, 'watcher', { introspect: 'tenant' });
  await makePublicClient(fixture, acme, 'spa', { grants: USER_GRANTS, scopes: SCOPES });
  await makePublicClient(fixture, acme, 'other-spa', { grants: USER_GRANTS, scopes: SCOPES });
  await makeResource(fixture, acme, { uri: API, scopes: ['a'] });
  await makeResource(fixture, acme, { uri: OTHER_API, scopes: ['b'] });
  await makeUser(fixture, acme, 'alice');
  tokenUrl = homeUrl(fixture, acme, 'token');
});
afterAll(() => fixture.close());

type Extra = Readonly<Record<string, string>>;
type Refreshed = { readonly access: string; readonly refresh: string; readonly scope: string };

/** Presents a refresh token: as a confidential client, or with the `client_id` of a public one. */
function present(refresh: string, as: Credentials | string = web, extra: Extra = {}): Promise<Answer> {
  const form = { grant_type: 'refresh_token', refresh_token: refresh, ...extra };
  return typeof as === 'string' ? post(tokenUrl, { ...form, client_id: as }) : post(tokenUrl, form, as);
}

/** The same, where it must work; the answer's headers and members are proven. */
async function refreshed(refresh: string, as: Credentials | string = web, extra: Extra = {}): Promise<Refreshed> {
  const answer = await present(refresh, as, extra);
  expect(answer).toEqual(jsonAnswer(200, answer.body));
  const { access_token: access, refresh_token: next, id_token: identity, scope, ...rest } = parseObject(answer.body);
  expect(identity !== undefined).toBe(String(scope).split(' ').includes('openid'));
  expect(rest).toEqual({ token_type: 'Bearer', expires_in: 300 });
  return { access: String(access), refresh: String(next), scope: String(scope) };
}

const pair = (client = 'web', wish: Parameters<typeof issuePair>[4] = {}): ReturnType<typeof issuePair> => issuePair(fixture, acme, client, 'alice', wish);
const invalidGrant = async (refresh: string, as: Credentials | string = web, extra: Extra = {}): Promise<void> =>
  expect(errorFault(await present(refresh, as, extra), 400, 'invalid_grant')).toBeNull();
const isActive = async (token: string): Promise<boolean> => (await introspect(fixture, acme, watcher, token))['active'] === true;

/** Rows of the family of a token: spent and unspent. */
function family(refresh: string): { readonly spent: number; readonly leaves: number } {
  const db = new Database(join(fixture.server.data, 'assay.db'), { readonly: true });
  try {
    const rows = db.query<{ used: number | null }, [string]>(
      'SELECT used_at_ms AS used FROM refresh_tokens WHERE grant_id = (SELECT grant_id FROM refresh_tokens WHERE digest = ?)',
    ).all(digestOf(refresh));
    return { spent: rows.filter(({ used }) => used !== null).length, leaves: rows.filter(({ used }) => used === null).length };
  } finally {
    db.close();
  }
}

describe('scope and resource', () => {
  test('RFC 6749 §6 · TRT-01, TRT-03 no scope: all of the grant; less: only the access token has less, the next may have all again', async () => {
    const { refresh } = await pair();
    const all = await refreshed(refresh);
    expect(all.scope).toBe(SCOPES.join(' '));
    const less = await refreshed(all.refresh, web, { scope: 'b' });
    expect(less.scope).toBe('b');
    expect(decodeJwt(less.access).claims['scope']).toBe('b');
    expect(await introspect(fixture, acme, web, less.refresh)).toMatchObject({ active: true, scope: SCOPES.join(' ') });
    expect((await refreshed(less.refresh)).scope).toBe(SCOPES.join(' '));
  });

  const beyond: readonly (readonly [name: string, extra: Extra, code: string])[] = [
    ['TRT-02 scope that the client has but the grant has not', { scope: 'b' }, 'invalid_scope'],
    ['TRT-02 scope that nobody has', { scope: 'a nothing' }, 'invalid_scope'],
    ['TRT-02 malformed scope', { scope: 'a  b' }, 'invalid_scope'],
    ['TRT-02 resource outside the grant', { resource: OTHER_API }, 'invalid_target'],
    ['TRT-02 unknown resource', { resource: 'https://nowhere.example' }, 'invalid_target'],
    ['TOK-06 refresh token twice', {}, 'invalid_request'],
  ];
  for (const [name, extra, code] of beyond) {
    test(`RFC 6749 §6 · ${name} → 400 ${code}, nothing is spent`, async () => {
      const { refresh } = await pair('web', { scopes: ['a'], audience: [API] });
      const before = storedState(fixture);
      const answer = code === 'invalid_request'
        ? await post(tokenUrl, `grant_type=refresh_token&refresh_token=${refresh}&refresh_token=${refresh}`, web)
        : await present(refresh, web, extra);
      expect(errorFault(answer, 400, code)).toBeNull();
      expect(storedState(fixture)).toBe(before);
      expect((await refreshed(refresh, web, { resource: API, scope: 'a' })).scope).toBe('a');
    });
  }

  test('RFC 8707 §2.2 · TRT-01 a refresh may choose among the grant\'s resources', async () => {
    const { refresh } = await pair('web', { scopes: ['a', 'b'], audience: [API, OTHER_API] });
    const both = await refreshed(refresh);
    expect(decodeJwt(both.access).claims['aud']).toEqual([API, OTHER_API]);
    const one = await refreshed(both.refresh, web, { resource: API, scope: 'a' });
    expect(decodeJwt(one.access).claims['aud']).toBe(API);
  });

  test('OAuth 2.1 §3.2.3 · TRT-23 a scope taken from the client drops out of the next refresh', async () => {
    const shrinking = await makeClient(fixture, acme, 'shrinking', { grants: USER_GRANTS, scopes: ['a', 'b'] });
    const { refresh } = await pair('shrinking');
    must(await updateClient(fixture.application.ctx, acme, 'shrinking', { scopes: ['a'] }));
    expect(errorFault(await present(refresh, shrinking, { scope: 'a b' }), 400, 'invalid_scope')).toBeNull();
    expect((await refreshed(refresh, shrinking)).scope).toBe('a');
  });
});

describe('who may', () => {
  test('RFC 6749 §5.2 · TRT-04 no, unknown or malformed refresh token → an error', async () => {
    expect(errorFault(await post(tokenUrl, { grant_type: 'refresh_token' }, web), 400, 'invalid_request')).toBeNull();
    const { access } = await pair();
    for (const value of [`rt_${'A'.repeat(43)}`, 'rt_', 'rt_\0', 'x', access, `at_${'A'.repeat(43)}`, `rt_${'A'.repeat(43)} `, 'é']) await invalidGrant(value);
  });

  test('RFC 6749 §6 · TRT-04, TRT-12 another client, another tenant, another public client → 400, nothing spent, nothing ended', async () => {
    const elsewhere = await makeTenant(fixture, 'elsewhere');
    const stranger = await makeClient(fixture, elsewhere, 'web', { grants: USER_GRANTS, scopes: SCOPES });
    const { refresh, access } = await pair();
    const before = storedState(fixture);
    await invalidGrant(refresh, other);
    await invalidGrant(refresh, 'spa');
    const answer = await post(homeUrl(fixture, elsewhere, 'token'), { grant_type: 'refresh_token', refresh_token: refresh }, stranger);
    expect(errorFault(answer, 400, 'invalid_grant')).toBeNull();
    expect(storedState(fixture)).toBe(before);
    expect(await untilAudited(fixture, acme, 'refresh_refused', refresh, (event) => event.actor === 'other')).toMatchObject({ reason: 'foreign', outcome: 'denied', clientId: 'web' });
    expect(await untilAudited(fixture, elsewhere, 'refresh_refused', refresh)).toMatchObject({ actor: 'web', outcome: 'denied' });
    expect(await isActive(access)).toBe(true);
    await refreshed(refresh);
  });

  test('RFC 6749 §6 · TRT-05 confidential client without authentication, or with a wrong secret → 401, nothing spent', async () => {
    const { refresh } = await pair();
    expect(errorFault(await present(refresh, 'web'), 401, 'invalid_client')).toBeNull();
    expect(errorFault(await post(tokenUrl, { grant_type: 'refresh_token', refresh_token: refresh }), 401, 'invalid_client')).toBeNull();
    expect(errorFault(await present(refresh, { ...web, secret: 'wrong' }), 401, 'invalid_client')).toBeNull();
    await refreshed(refresh);
  });

  test('OAuth 2.1 §4.3.1 · TRT-06, TRT-07 public client: its client_id is required and must match; the token rotates', async () => {
    const { refresh } = await pair('spa');
    await invalidGrant(refresh, 'other-spa');
    const next = await refreshed(refresh, 'spa');
    expect(next.refresh).not.toBe(refresh);
    expect(await introspect(fixture, acme, watcher, next.access)).toMatchObject({ active: true, client_id: 'spa' });
  });
});

describe('rotation', () => {
  test('OAuth 2.1 §4.3.1 · TRT-08, TRT-22 a new refresh token; the old one is marked used and inactive', async () => {
    const { refresh, access } = await pair();
    const next = await refreshed(refresh);
    expect(next.refresh).toMatch(/^rt_[A-Za-z0-9_-]{43}$/);
    expect(next.refresh).not.toBe(refresh);
    expect(next.access).not.toBe(access);
    expect(await isActive(refresh)).toBe(false);
    expect(await isActive(next.refresh)).toBe(true);
    expect(family(next.refresh)).toEqual({ spent: 1, leaves: 1 });
    expect(await untilAudited(fixture, acme, 'token_refreshed', refresh)).toMatchObject({ actor: 'web', outcome: 'success' });
  });

  test('OAuth 2.1 §4.3.1 · TRT-10 inside the grace: the same request gets the same successor, as often as it asks', async () => {
    const { refresh } = await pair();
    const first = await refreshed(refresh, web, { scope: 'a' });
    for (let again = 0; again < 3; again += 1) {
      const replay = await refreshed(refresh, web, { scope: 'a' });
      expect(replay.refresh).toBe(first.refresh);
      expect(replay.scope).toBe('a');
      expect(await isActive(replay.access)).toBe(true);
    }
    expect(family(refresh)).toEqual({ spent: 1, leaves: 1 });
    await untilAudited(fixture, acme, 'token_replayed', refresh);
  });

  test('OAuth 2.1 §4.3.1 · TRT-10, TRT-12 inside the grace: another scope, resource, or client → 400, the family lives', async () => {
    const { refresh } = await pair();
    const first = await refreshed(refresh, web, { scope: 'a' });
    await invalidGrant(refresh, web, { scope: 'b' });
    await invalidGrant(refresh);
    await invalidGrant(refresh, other, { scope: 'a' });
    await invalidGrant(refresh, 'spa', { scope: 'a' });
    expect(errorFault(await present(refresh, { ...web, secret: 'wrong' }, { scope: 'a' }), 401, 'invalid_client')).toBeNull();
    expect(await isActive(first.access)).toBe(true);
    await refreshed(first.refresh);
  });

  test('OAuth 2.1 §4.3.1 · TRT-11, INT-88 inside the grace, but the successor was used → reuse: the family ends', async () => {
    const { refresh, access } = await pair();
    const first = await refreshed(refresh);
    const second = await refreshed(first.refresh);
    await invalidGrant(refresh);
    for (const token of [access, first.access, second.access, second.refresh]) expect(await isActive(token)).toBe(false);
    await invalidGrant(second.refresh);
    expect(await untilAudited(fixture, acme, 'refresh_reuse_detected', refresh)).toMatchObject({ actor: 'web', clientId: 'web', outcome: 'denied' });
  });

  test('OAuth 2.1 §4.3.1 · TRT-09, INT-88 after the grace → reuse: newest refresh token and every access token end; a foreign client ends nothing', async () => {
    const opaque = await makeClient(fixture, acme, 'opaque-web', { grants: USER_GRANTS, scopes: SCOPES, tokenFormat: 'opaque' });
    const families = await Promise.all([web, opaque].map(async (client) => {
      const { refresh, access } = await pair(client.id);
      return { client, refresh, access, next: await refreshed(refresh, client) };
    }));
    const untouched = await pair();
    await Bun.sleep(GRACE_S * 1000 + 100);
    for (const { client, refresh, access, next } of families) {
      await invalidGrant(refresh, other);
      expect(await isActive(next.refresh)).toBe(true);
      await invalidGrant(refresh, client);
      for (const token of [access, next.access, next.refresh]) expect(await isActive(token)).toBe(false);
      await invalidGrant(next.refresh, client);
      await untilAudited(fixture, acme, 'refresh_reuse_detected', refresh);
    }
    expect(await isActive(untouched.access)).toBe(true);
    expect(await isActive(untouched.refresh)).toBe(true);
  });

  test('OAuth 2.1 §4.3.1 · INT-91 introspecting a spent token is no reuse', async () => {
    const { refresh } = await pair();
    const next = await refreshed(refresh);
    await Bun.sleep(GRACE_S * 1000 + 100);
    for (const caller of [web, watcher]) expect(await introspect(fixture, acme, caller, refresh)).toEqual({ active: false });
    await refreshed(next.refresh);
  });

  test('OAuth 2.1 §4.3.1 · TRT-13 20 refreshes at once: one and the same successor, exactly one live leaf', async () => {
    for (let round = 0; round < 5; round += 1) {
      const { refresh } = await pair();
      const answers = await Promise.all(Array.from({ length: 20 }, () => refreshed(refresh)));
      expect(new Set(answers.map((answer) => answer.refresh)).size).toBe(1);
      expect(new Set(answers.map((answer) => answer.access)).size).toBe(20);
      expect(family(refresh)).toEqual({ spent: 1, leaves: 1 });
      expect((await auditOf(fixture, acme, 'token_refreshed')).filter(({ fingerprint }) => fingerprint === fixture.application.ctx.fingerprint(refresh))).toHaveLength(1);
      await refreshed(answers[0]?.refresh ?? '');
    }
  });

  test('FAPI 2.0 §5.3.2.1 · TRT-14 the answer was lost: the retry gets what the first was to get', async () => {
    const { refresh } = await pair();
    const body = `grant_type=refresh_token&refresh_token=${refresh}`;
    await new Promise<void>((resolve) => {
      const socket = connect(fixture.server.port, '127.0.0.1', () => {
        const { pathname } = new URL(tokenUrl);
        socket.write(`POST ${pathname} HTTP/1.1\r\nHost: 127.0.0.1:${fixture.server.port}\r\nAuthorization: ${basic(web.id, web.secret)}\r\n`
          + `Content-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\n\r\n${body}`, () => socket.destroy());
      });
      socket.on('close', () => resolve());
      socket.on('error', () => resolve());
    });
    const next = await refreshed(refresh);
    expect(family(refresh)).toEqual({ spent: 1, leaves: 1 });
    await refreshed(next.refresh);
  });

  test('FAPI 2.0 §5.3.2.1 · TRT-15 rotation off: the same token stays valid and comes back unchanged, also after the grace', async () => {
    const fapi = await makeClient(fixture, acme, 'fapi', { grants: USER_GRANTS, scopes: SCOPES, refreshRotation: false });
    const { refresh } = await pair('fapi');
    expect((await refreshed(refresh, fapi)).refresh).toBe(refresh);
    await Bun.sleep(GRACE_S * 1000 + 100);
    const again = await refreshed(refresh, fapi);
    expect(again.refresh).toBe(refresh);
    expect(await isActive(again.access)).toBe(true);
    expect(family(refresh)).toEqual({ spent: 0, leaves: 1 });
  });

  test('OAuth 2.1 §4.3.3 · TRT-16, INT-92 the end is counted from first issue: rotation never moves it, and after it → 400', async () => {
    const brief = await makeClient(fixture, acme, 'brief', { grants: USER_GRANTS, scopes: SCOPES, refreshTokenTtl: 2 });
    const { refresh } = await pair('brief');
    const { exp } = await introspect(fixture, acme, brief, refresh);
    await Bun.sleep(700);
    const next = await refreshed(refresh, brief);
    expect((await introspect(fixture, acme, brief, next.refresh))['exp']).toBe(exp);
    await Bun.sleep(Number(exp) * 1000 - Date.now() + 20);
    expect(await introspect(fixture, acme, brief, next.refresh)).toEqual({ active: false });
    await invalidGrant(next.refresh, brief);
  });

  test('TRT-24, CR-04 stored are digests; the successor can be had only with the spent token\'s plaintext', async () => {
    const { refresh } = await pair();
    const next = await refreshed(refresh);
    const stored = storedState(fixture);
    expect(stored).toContain(digestOf(refresh));
    expect(stored).toContain(digestOf(next.refresh));
    for (const token of [refresh, next.refresh, next.access]) expect(stored).not.toContain(token.slice(3));
    await invalidGrant(digestOf(refresh));
  });
});

describe('what a refresh token stands on', () => {
  test('OAuth 2.1 §4.3.1 · TRT-20, INT-85 user disabled → 400, also when enabled again', async () => {
    const bob = await makeUser(fixture, acme, 'bob');
    const { refresh } = await issuePair(fixture, acme, 'web', 'bob');
    must(await setUserEnabled(fixture.application.ctx, acme, 'bob', false));
    await invalidGrant(refresh);
    must(await setUserEnabled(fixture.application.ctx, acme, bob.id, true));
    await invalidGrant(refresh);
  });

  test('OAuth 2.1 §4.3.1 · TRT-20 client disabled → 401; enabled again, its earlier tokens stay dead → 400', async () => {
    const fickle = await makeClient(fixture, acme, 'fickle', { grants: USER_GRANTS, scopes: SCOPES });
    const { refresh } = await pair('fickle');
    must(await setClientEnabled(fixture.application.ctx, acme, 'fickle', false));
    expect(errorFault(await present(refresh, fickle), 401, 'invalid_client')).toBeNull();
    must(await setClientEnabled(fixture.application.ctx, acme, 'fickle', true));
    await invalidGrant(refresh, fickle);
  });

  test('OAuth 2.1 §4.3.1 · TRT-20 tenant suspended → 404; enabled again, its earlier tokens stay dead → 400', async () => {
    const brief = await makeTenant(fixture, 'suspended');
    const client = await makeClient(fixture, brief, 'web', { grants: USER_GRANTS, scopes: SCOPES });
    await makeUser(fixture, brief, 'alice');
    const { refresh } = await issuePair(fixture, brief, 'web', 'alice');
    const ask = (): Promise<Answer> => post(homeUrl(fixture, brief, 'token'), { grant_type: 'refresh_token', refresh_token: refresh }, client);
    must(await setTenantEnabled(fixture.application.ctx, 'suspended', false));
    expect(errorFault(await ask(), 404, 'not_found')).toBeNull();
    must(await setTenantEnabled(fixture.application.ctx, 'suspended', true));
    expect(errorFault(await ask(), 400, 'invalid_grant')).toBeNull();
  });

  test('RFC 7009 §2 · TRT-04, TRT-20 revoked refresh token → 400, and so its successor-to-be', async () => {
    const { refresh } = await pair();
    const next = await refreshed(refresh);
    expect((await post(homeUrl(fixture, acme, 'revoke'), { token: next.refresh }, web)).status).toBe(200);
    await invalidGrant(next.refresh);
    await invalidGrant(refresh);
  });

  test('OpenID Connect Core §11 · TRT-21 a session that ends takes its refresh tokens along, but not those of offline_access', async () => {
    const kot = await makeTenant(fixture, 'kot', { preset: 'kotauth' });
    const client = await makeClient(fixture, kot, 'web', { grants: USER_GRANTS, scopes: SCOPES });
    await makeUser(fixture, kot, 'alice');
    const grant = (scopes: readonly string[], session = 'session-1'): ReturnType<typeof issuePair> => issuePair(fixture, kot, 'web', 'alice', { scopes, session });
    const [ended, bound, offline, elsewhere] = [await grant(['a']), await grant(['a']), await grant(['a', 'offline_access']), await grant(['a'], 'session-2')];
    expect((await post(homeUrl(fixture, kot, 'revoke'), { token: ended.refresh }, client)).status).toBe(200);
    const ask = (refresh: string): Promise<Answer> => post(homeUrl(fixture, kot, 'token'), { grant_type: 'refresh_token', refresh_token: refresh }, client);
    for (const { refresh, access } of [ended, bound]) {
      expect(errorFault(await ask(refresh), 400, 'invalid_grant')).toBeNull();
      expect(await introspect(fixture, kot, client, access)).toEqual({ active: false });
    }
    for (const { refresh } of [offline, elsewhere]) expect((await ask(refresh)).status).toBe(200);
    expect((await issue(fixture, kot, 'web', { user: 'alice', session: 'session-2' })).access_token).toBeString();
  });
});
