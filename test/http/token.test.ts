/** The token endpoint (RFC 6749 §3.2, §5), the client credentials grant (§4.4), and what a JWT access token says (RFC 9068). */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose';
import type { Tenant } from '../../src/core/model.ts';
import { presetNames } from '../../src/core/model.ts';
import { presets } from '../../src/core/presets.ts';
import { signingAlgorithms } from '../../src/spec/names.ts';
import { setClientEnabled } from '../../src/service/manage-clients.ts';
import { basic } from '../helpers/server.ts';
import {
  decodeJwt, encodePart, errorFault, forge, homeUrl, introspect, issue, issuer, jsonAnswer, makeClient, makePublicClient, makeResource,
  makeTenant, makeUser, must, nowS, parseObject, post, posted, send, startFixture, storedState, type Answer, type Credentials, type Fixture, type Form,
} from '../helpers/fixture.ts';

const ORDERS = 'https://api.example.com/orders';
const BILLING = 'https://api.example.com/billing';
const LEDGER = 'https://api.example.com/ledger';
const CANARY = 'canary-8f3e';

let fixture: Fixture;
let acme: Tenant;
/** Acts for itself, with scopes a, b and c. */
let svc: Credentials;
/** Acts for people. */
let web: Credentials;
let tokenUrl: string;

beforeAll(async () => {
  fixture = await startFixture();
  acme = await makeTenant(fixture, 'acme');
  svc = await makeClient(fixture, acme, 'svc', { scopes: ['a', 'b', 'c', 'orders:read', 'openid', 'profile', 'email', 'offline_access'] });
  web = await makeClient(fixture, acme, 'web', { grants: ['authorization_code', 'refresh_token'], scopes: ['a', 'openid', 'profile', 'email', 'offline_access'] });
  await makePublicClient(fixture, acme, 'spa', { scopes: ['a'] });
  await makeUser(fixture, acme, 'alice');
  await makeResource(fixture, acme, { uri: ORDERS, scopes: ['orders:read', 'b'] });
  await makeResource(fixture, acme, { uri: BILLING, scopes: ['a'] });
  await makeResource(fixture, acme, { uri: LEDGER, scopes: ['a', 'c'], tokenFormat: 'opaque' });
  tokenUrl = homeUrl(fixture, acme, 'token');
});
afterAll(() => fixture.close());

const credentials = { grant_type: 'client_credentials' } as const;

function ask(form: Form = credentials, as: Credentials | null = svc): Promise<Answer> {
  return post(tokenUrl, form, as);
}

/** Members of a token answer; its headers are proven. */
async function granted(form: Form = credentials, as: Credentials = svc, url = tokenUrl): Promise<Record<string, unknown>> {
  const answer = await post(url, form, as);
  expect(answer).toEqual(jsonAnswer(200, answer.body));
  return parseObject(answer.body);
}

async function claimsOf(form: Form = credentials, as: Credentials = svc, url = tokenUrl): Promise<Readonly<Record<string, unknown>>> {
  return decodeJwt(String((await granted(form, as, url))['access_token'])).claims;
}

describe('token endpoint', () => {
  test('RFC 6749 §5.1 · TOK-01, TOK-15, TCC-01, TCC-06 success: exactly the standard members, no refresh or ID token, no-store', async () => {
    const { access_token: token, ...rest } = await granted();
    expect(token).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
    expect(rest).toEqual({ token_type: 'Bearer', expires_in: 300, scope: 'a b c orders:read' });
  });

  const long = (words: number, length: number): string => Array.from({ length: words }, (_, index) => String(index).padStart(length, 'x')).join(' ');
  const many = (...pairs: readonly (readonly [string, string])[]): URLSearchParams => new URLSearchParams(pairs.map(([name, value]): [string, string] => [name, value]));
  const refused: readonly (readonly [name: string, form: Form, status: number, code: string, as?: 'svc' | 'web'])[] = [
    ['TOK-02 no grant_type', { scope: 'a' }, 400, 'invalid_request'],
    ['TOK-02, TOK-07 empty grant_type', { grant_type: '' }, 400, 'invalid_request'],
    ['TOK-03 grant_type password', { grant_type: 'password', username: 'alice', password: CANARY }, 400, 'unsupported_grant_type'],
    ['TOK-03 grant_type implicit', { grant_type: 'implicit' }, 400, 'unsupported_grant_type'],
    ['TOK-03 unknown grant_type', { grant_type: `${CANARY}` }, 400, 'unsupported_grant_type'],
    ['TOK-03 grant_type in another letter case', { grant_type: 'Client_Credentials' }, 400, 'unsupported_grant_type'],
    ['TOK-03 grant_type that is a property of every object', { grant_type: '__proto__' }, 400, 'unsupported_grant_type'],
    ['TOK-04 client_credentials for a client without it', credentials, 400, 'unauthorized_client', 'web'],
    ['TOK-04 refresh_token for a client without it', { grant_type: 'refresh_token', refresh_token: CANARY }, 400, 'unauthorized_client'],
    ['TOK-06 grant_type twice', many(['grant_type', 'client_credentials'], ['grant_type', 'client_credentials']), 400, 'invalid_request'],
    ['TOK-06 scope twice', many(['grant_type', 'client_credentials'], ['scope', 'a'], ['scope', 'b']), 400, 'invalid_request'],
    ['TOK-06 scope twice, one of them empty', many(['grant_type', 'client_credentials'], ['scope', 'a'], ['scope', '']), 400, 'invalid_request'],
    ['TOK-06 client_id twice', many(['grant_type', 'client_credentials'], ['client_id', 'svc'], ['client_id', 'svc']), 400, 'invalid_request'],
    ['TOK-09 scope with a quotation mark', { ...credentials, scope: 'a"b' }, 400, 'invalid_scope'],
    ['TOK-09 scope with a backslash', { ...credentials, scope: 'a\\b' }, 400, 'invalid_scope'],
    ['TOK-09 scope beyond ASCII', { ...credentials, scope: 'ä' }, 400, 'invalid_scope'],
    ['TOK-09 scope with a tab', { ...credentials, scope: 'a\tb' }, 400, 'invalid_scope'],
    ['TOK-09 scope with a line feed', { ...credentials, scope: 'a\nb' }, 400, 'invalid_scope'],
    ['TOK-09 scope with NUL', { ...credentials, scope: 'a\0' }, 400, 'invalid_scope'],
    ['TOK-09 scope with a space before', { ...credentials, scope: ' a' }, 400, 'invalid_scope'],
    ['TOK-09 scope with two spaces', { ...credentials, scope: 'a  b' }, 400, 'invalid_scope'],
    ['TOK-09, TCC-03 scope that the client does not have', { ...credentials, scope: `a ${CANARY}` }, 400, 'invalid_scope'],
    ['TOK-09 scope in another letter case', { ...credentials, scope: 'A' }, 400, 'invalid_scope'],
    ['TOK-10 101 scopes', { ...credentials, scope: long(101, 4) }, 400, 'invalid_scope'],
    ['TOK-10 scope over 4 KiB', { ...credentials, scope: long(10, 500) }, 400, 'invalid_scope'],
    ...['openid', 'profile', 'email', 'offline_access'].map((scope) =>
      [`TCC-04 scope ${scope} without a user`, { ...credentials, scope }, 400, 'invalid_scope'] as const),
    ['TCC-07, AT-04 unknown resource', { ...credentials, resource: `https://${CANARY}.example` }, 400, 'invalid_target'],
    ['AT-04 resource that is no URI', { ...credentials, resource: CANARY }, 400, 'invalid_target'],
    ['AT-04 resource with a fragment', { ...credentials, resource: `${ORDERS}#x` }, 400, 'invalid_target'],
    ['AT-04 scope that the resource does not know', { ...credentials, resource: ORDERS, scope: 'a' }, 400, 'invalid_scope'],
    ['AT-04 two resources that both know the scope asked for', many(['grant_type', 'client_credentials'], ['scope', 'a'], ['resource', BILLING], ['resource', LEDGER]), 400, 'invalid_scope'],
    ['AT-04 two resources that both know a scope of the client', many(['grant_type', 'client_credentials'], ['resource', BILLING], ['resource', LEDGER]), 400, 'invalid_scope'],
  ];
  for (const [name, form, status, code, as] of refused) {
    test(`RFC 6749 §5.2 · ${name} → ${status} ${code}, TOK-11 nothing echoed`, async () => {
      const before = storedState(fixture);
      const answer = await ask(form, as === 'web' ? web : svc);
      expect(errorFault(answer, status, code)).toBeNull();
      expect(answer.body).not.toContain(CANARY);
      expect(storedState(fixture)).toBe(before);
    });
  }

  const unproven: readonly (readonly [name: string, form: Form, authorization: string | null])[] = [
    ['TOK-05 no credentials', credentials, null],
    ['TOK-05 wrong secret by Basic', credentials, basic('svc', CANARY)],
    ['TOK-05 unknown client by Basic', credentials, basic(CANARY, 'whatever')],
    ['TOK-05 wrong secret in the body', { ...credentials, client_id: 'svc', client_secret: CANARY }, null],
    ['TOK-05 Bearer', credentials, `Bearer ${CANARY}`],
    ['TCC-02 public client', { ...credentials, client_id: 'spa' }, null],
    ['TOK-05 wrong secret and no grant_type', {}, basic('svc', CANARY)],
  ];
  for (const [name, form, authorization] of unproven) {
    test(`RFC 6749 §5.2 · ${name} → 401 invalid_client with a challenge`, async () => {
      const answer = await post(tokenUrl, form, null, authorization === null ? {} : { Authorization: authorization });
      expect(errorFault(answer, 401, 'invalid_client')).toBeNull();
      expect(answer.body).not.toContain(CANARY);
    });
  }

  test('RFC 6749 §3.2 · TOK-07 empty parameters are as omitted, unknown ones ignored, also twice', async () => {
    const { scope } = await granted('grant_type=client_credentials&scope=&foo=1&foo=2&refresh_token=&resource=&__proto__=x&token[]=y');
    expect(scope).toBe('a b c orders:read');
  });

  for (const method of ['GET', 'PUT', 'PATCH', 'DELETE']) {
    test(`RFC 6749 §3.2 · TOK-08 ${method} → 405 with Allow`, async () => {
      const answer = await send(tokenUrl, { method, headers: { Authorization: basic(svc.id, svc.secret) } });
      expect(errorFault(answer, 405, 'method_not_allowed', { allow: 'POST' })).toBeNull();
    });
  }
  const types = ['application/json', 'multipart/form-data; boundary=x', 'text/plain', 'application/xyz', 'application/x-www-form-urlencoded; charset=utf-16'];
  for (const type of types) {
    test(`RFC 6749 §3.2 · TOK-08 body of type ${type} → 400 invalid_request`, async () => {
      const answer = await send(tokenUrl, { method: 'POST', body: 'grant_type=client_credentials', headers: { 'Content-Type': type, Authorization: basic(svc.id, svc.secret) } });
      expect(errorFault(answer, 400, 'invalid_request')).toBeNull();
    });
  }

  test('RFC 6749 §3.3 · TOK-10, TCC-03 scopes asked twice count once, in their order; none asked gives the client\'s own', async () => {
    expect((await granted({ ...credentials, scope: 'b a b a' }))['scope']).toBe('b a');
    expect((await granted())['scope']).toBe('a b c orders:read');
    const bare = await makeClient(fixture, acme, 'bare');
    expect(await granted(credentials, bare)).not.toHaveProperty('scope');
  });

  test('RFC 6749 §10.10 · TOK-13, TOK-14, AT-09 opaque tokens: prefix and 256 random bits, 46 characters, never twice', async () => {
    const opaque = await makeClient(fixture, acme, 'opaque', { tokenFormat: 'opaque', scopes: ['a'] });
    const tokens = await Promise.all(Array.from({ length: 100 }, async () => String((await granted(credentials, opaque))['access_token'])));
    for (const token of tokens) expect(token).toMatch(/^at_[A-Za-z0-9_-]{43}$/);
    expect(new Set(tokens).size).toBe(100);
    // Every position varies: nothing of it is a counter or a clock.
    for (let position = 3; position < 45; position += 1) expect(new Set(tokens.map((token) => token[position])).size).toBeGreaterThan(15);
    expect(await introspect(fixture, acme, opaque, tokens[0] ?? '')).toMatchObject({ active: true, client_id: 'opaque', scope: 'a', token_type: 'Bearer' });
  });

  test('RFC 6749 §3.2 · TOK-14 a JWT is never longer than 4 KiB: scopes that would make it so → 400 invalid_scope', async () => {
    const scopes = Array.from({ length: 90 }, (_, index) => `${'scope'.repeat(8)}${index}`);
    const wide = await makeClient(fixture, acme, 'wide', { scopes });
    expect(errorFault(await ask(credentials, wide), 400, 'invalid_scope')).toBeNull();
    const { access_token: token } = await granted({ ...credentials, scope: scopes.slice(0, 40).join(' ') }, wide);
    expect(String(token).length).toBeLessThanOrEqual(4096);
  });
});

describe('client credentials', () => {
  test('RFC 9068 §2.2 · TCC-05, AT-02, AT-12 claims of a client\'s own token: sub is the client, times right, nothing of a person', async () => {
    const before = nowS();
    const { exp, iat, jti, ...rest } = await claimsOf();
    expect(rest).toEqual({ iss: issuer(fixture, acme), sub: 'svc', aud: issuer(fixture, acme), client_id: 'svc', scope: 'a b c orders:read' });
    expect(jti).toMatch(/^[0-9a-z]{9}[\w-]{22}$/);
    expect(Number(iat)).toBeGreaterThanOrEqual(before);
    expect(Number(iat)).toBeLessThanOrEqual(nowS());
    expect(Number(exp) - Number(iat)).toBe(300);
  });

  const audiences: readonly (readonly [name: string, query: string, aud: string | readonly string[]])[] = [
    ['one resource', `resource=${ORDERS}`, ORDERS],
    ['one resource, its host in capitals', 'resource=HTTPS://API.example.com/orders', ORDERS],
    ['two resources', `resource=${ORDERS}&resource=${BILLING}`, [ORDERS, BILLING]],
    ['one resource twice', `resource=${ORDERS}&resource=${ORDERS}`, ORDERS],
  ];
  for (const [name, query, aud] of audiences) {
    test(`RFC 8707 §2 · TCC-07, AT-04, TOK-06 ${name} → aud`, async () => {
      expect((await claimsOf(`grant_type=client_credentials&${query}`))['aud']).toEqual(aud);
    });
  }

  test('RFC 9068 §3 · TCC-07 without a resource: the client\'s audience, else what the tenant\'s preset says', async () => {
    const own = await makeClient(fixture, acme, 'own-audience', { audience: ['https://one.example', 'urn:two'] });
    expect((await claimsOf(credentials, own))['aud']).toEqual(['https://one.example', 'urn:two']);
    const aero = await makeTenant(fixture, 'aero', { preset: 'aero2' });
    const client = await makeClient(fixture, aero, 'client-1');
    expect((await claimsOf(credentials, client, homeUrl(fixture, aero, 'token')))['aud']).toBe('client-1');
  });

  test('RFC 9068 §3 · AT-04 scopes of a resource: asked for it alone, only those that it knows', async () => {
    expect((await granted({ ...credentials, resource: ORDERS }))['scope']).toBe('b orders:read');
  });

  test('RFC 6749 §5.2 · TCC-08 client disabled between two calls → 401, earlier tokens inactive, also when enabled again', async () => {
    const brief = await makeClient(fixture, acme, 'brief');
    const watcher = await makeClient(fixture, acme, 'watcher', { introspect: 'tenant' });
    const token = String((await granted(credentials, brief))['access_token']);
    expect(await introspect(fixture, acme, watcher, token)).toMatchObject({ active: true });
    must(await setClientEnabled(fixture.application.ctx, acme, 'brief', false));
    expect(errorFault(await ask(credentials, brief), 401, 'invalid_client')).toBeNull();
    expect(await introspect(fixture, acme, watcher, token)).toEqual({ active: false });
    must(await setClientEnabled(fixture.application.ctx, acme, 'brief', true));
    expect(await introspect(fixture, acme, watcher, token)).toEqual({ active: false });
    expect(await introspect(fixture, acme, watcher, String((await granted(credentials, brief))['access_token']))).toMatchObject({ active: true });
  });

  test('RFC 6749 §2.3.1 · CA-08 credentials in the body do as well', async () => {
    expect(await granted({ ...credentials, ...posted(svc) }, svc).catch(() => null)).toBeNull();
    const answer = await post(tokenUrl, { ...credentials, ...posted(svc) });
    expect(answer).toEqual(jsonAnswer(200, answer.body));
  });
});

describe('access tokens', () => {
  for (const algorithm of signingAlgorithms) {
    test(`RFC 9068 §2.1 · AT-01, AT-05, JK-06 a tenant with ${algorithm}: at+jwt, kid in the published set, verified by jose`, async () => {
      const tenant = await makeTenant(fixture, `alg-${algorithm.toLowerCase()}`, { algorithm });
      const client = await makeClient(fixture, tenant, 'svc');
      const token = String((await granted(credentials, client, homeUrl(fixture, tenant, 'token')))['access_token']);
      const jwks = JSON.parse((await send(homeUrl(fixture, tenant, 'jwks'), {})).body) as JSONWebKeySet;
      const { protectedHeader } = await jwtVerify(token, createLocalJWKSet(jwks), { issuer: issuer(fixture, tenant), audience: issuer(fixture, tenant), typ: 'at+jwt' });
      expect(protectedHeader).toEqual({ alg: algorithm, typ: 'at+jwt', kid: expect.any(String) });
      expect(await introspect(fixture, tenant, client, token)).toMatchObject({ active: true, sub: 'svc' });
    });
  }

  test('RFC 9068 §6 · AT-03, AT-06, AT-14 a person\'s token: scope, session and grant, but no name, e-mail or nonce', async () => {
    const { access_token: token } = await issue(fixture, acme, 'web', { user: 'alice', scopes: ['openid', 'profile', 'email', 'a'] });
    const { claims } = decodeJwt(token);
    expect(Object.keys(claims).sort()).toEqual(['aud', 'client_id', 'exp', 'grant_id', 'iat', 'iss', 'jti', 'scope', 'sid', 'sub']);
    expect(claims['scope']).toBe('openid profile email a');
    expect(JSON.stringify(claims)).not.toContain('alice');
  });

  test('RFC 9068 §4 · AT-14 the same claims as an ID token (typ JWT, aud the client) → inactive', async () => {
    const { access_token: good } = await issue(fixture, acme, 'web', { user: 'alice' });
    expect(await introspect(fixture, acme, web, good)).toMatchObject({ active: true });
    for (const header of [{ typ: 'JWT' }, { typ: undefined }, { typ: 'logout+jwt' }]) {
      const token = await forge(fixture, acme, good, { header, claims: { aud: 'web', nonce: 'n' } });
      expect(await introspect(fixture, acme, web, token)).toEqual({ active: false });
    }
  });

  test('RFC 8707 · AT-08 format by the client, else by the resource; introspection works for both', async () => {
    const forms = [
      [svc, credentials, 'jwt'], [svc, { ...credentials, resource: LEDGER, scope: 'c' }, 'opaque'],
      [await makeClient(fixture, acme, 'always-jwt', { tokenFormat: 'jwt', scopes: ['c'] }), { ...credentials, resource: LEDGER }, 'jwt'],
    ] as const;
    for (const [client, form, format] of forms) {
      const token = String((await granted(form, client))['access_token']);
      expect(token.startsWith('at_') ? 'opaque' : 'jwt').toBe(format);
      expect(await introspect(fixture, acme, client, token)).toMatchObject({ active: true, client_id: client.id });
    }
  });

  test('RFC 7519 §4.1.7 · AT-10 200 tokens at once have 200 ids, and their random parts differ too', async () => {
    const ids = await Promise.all(Array.from({ length: 200 }, async () => String((await claimsOf())['jti'])));
    expect(new Set(ids).size).toBe(200);
    expect(new Set(ids.map((id) => id.slice(9))).size).toBe(200);
  });

  for (const preset of presetNames) {
    test(`RFC 9700 §2.2.1 · AT-11 preset ${preset}: its access life for both formats; longer only by explicit setting`, async () => {
      const tenant = await makeTenant(fixture, `life-${preset}`, { preset });
      const url = homeUrl(fixture, tenant, 'token');
      for (const tokenFormat of ['jwt', 'opaque'] as const) {
        const client = await makeClient(fixture, tenant, `svc-${tokenFormat}`, { tokenFormat });
        const { access_token: token, expires_in: lifetime } = await granted(credentials, client, url);
        expect(lifetime).toBe(presets[preset].accessTokenTtl);
        expect(Number(lifetime)).toBeLessThanOrEqual(3600);
        const { exp, iat } = await introspect(fixture, tenant, client, String(token));
        expect(Number(exp) - Number(iat)).toBe(presets[preset].accessTokenTtl);
      }
      const long = await makeClient(fixture, tenant, 'long', { accessTokenTtl: 7200 });
      expect((await granted(credentials, long, url))['expires_in']).toBe(7200);
    });
  }

  test('RFC 7009 §2 · AT-13 a revoked JWT is refused by introspection at once, though its signature is good', async () => {
    const token = String((await granted())['access_token']);
    expect(await introspect(fixture, acme, svc, token)).toMatchObject({ active: true });
    expect((await post(homeUrl(fixture, acme, 'revoke'), { token }, svc)).status).toBe(200);
    expect(await introspect(fixture, acme, svc, token)).toEqual({ active: false });
  });

  test('RFC 8725 §3.1 · AT-05 a good token with another alg in its header → inactive', async () => {
    const [, claims, signature] = String((await granted())['access_token']).split('.');
    for (const alg of ['none', 'HS256', 'RS256', 'ES384']) {
      expect(await introspect(fixture, acme, svc, `${encodePart({ alg, typ: 'at+jwt' })}.${claims}.${signature}`)).toEqual({ active: false });
    }
  });
});
