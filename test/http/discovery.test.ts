/** Discovery (RFC 8414, OpenID Connect Discovery) and key sets (RFC 7517), and that they say the truth. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose';
import type { Tenant } from '../../src/core/model.ts';
import { revokeKey, rotateKeys } from '../../src/service/manage-keys.ts';
import { setTenantEnabled, updateTenant } from '../../src/service/manage-tenants.ts';
import { basic } from '../helpers/server.ts';
import {
  auditOf, decodeJwt, defaultTenant, errorFault, homeUrl, introspect, issue, issuer, makeClient, makePublicClient, makeTenant, makeUser, must,
  parseObject, post, posted, send, startFixture, urlOf, type Answer, type Credentials, type Fixture,
} from '../helpers/fixture.ts';

const KINDS = ['openid-configuration', 'oauth-authorization-server'] as const;

/** What a public key consists of, beside what every key has. */
const publicMembers: ReadonlyMap<string, readonly string[]> = new Map([['RSA', ['n', 'e']], ['EC', ['crv', 'x', 'y']], ['OKP', ['crv', 'x']]]);

let fixture: Fixture;
let home: Tenant;
let acme: Tenant;
let lumo: Tenant;
let aero: Tenant;
let origin: string;

beforeAll(async () => {
  fixture = await startFixture();
  home = await defaultTenant(fixture);
  acme = await makeTenant(fixture, 'acme');
  lumo = await makeTenant(fixture, 'lumo', { preset: 'lumoauth', algorithm: 'RS256' });
  aero = await makeTenant(fixture, 'aero', { preset: 'aero2', algorithm: 'EdDSA' });
  origin = fixture.server.url;
});
afterAll(() => fixture.close());

/** A public document's headers and body. */
async function read(url: string, type = 'application/json', headers: Readonly<Record<string, string>> = {}): Promise<Record<string, unknown>> {
  const answer = await send(url, { headers });
  const { etag, ...rest } = answer.headers;
  expect(rest).toEqual({
    'access-control-allow-origin': '*', 'cache-control': 'public, max-age=3600', 'content-length': String(Buffer.byteLength(answer.body)),
    'content-type': type, 'x-content-type-options': 'nosniff',
  });
  expect(etag).toMatch(/^"[\w-]{22}"$/);
  expect(answer.status).toBe(200);
  return parseObject(answer.body);
}

const keysOf = async (tenant: Tenant): Promise<JSONWebKeySet> => (await read(homeUrl(fixture, tenant, 'jwks'), 'application/jwk-set+json')) as unknown as JSONWebKeySet;
const isMissing = async (url: string): Promise<void> => expect(errorFault(await send(url, {}), 404, 'not_found')).toBeNull();

describe('where the documents are', () => {
  const served: readonly (readonly [id: string, name: string, tenant: () => Tenant, paths: readonly string[]])[] = [
    ['DS-01', 'the own origin', () => home, KINDS.map((kind) => `/.well-known/${kind}`)],
    ['DS-02', '/t/acme', () => acme, KINDS.flatMap((kind) => [`/.well-known/${kind}/t/acme`, `/t/acme/.well-known/${kind}`])],
    ['DS-03', '/orgs/lumo', () => lumo, KINDS.flatMap((kind) => [`/.well-known/${kind}/orgs/lumo`, `/orgs/lumo/.well-known/${kind}`])],
  ];
  for (const [id, name, tenant, paths] of served) {
    for (const path of paths) {
      test(`RFC 8414 §3 · ${id}, DS-04, DS-27 issuer at ${name}: ${path} → 200, its issuer to the byte, one content`, async () => {
        const document = await read(origin + path);
        expect(document['issuer']).toBe(issuer(fixture, tenant()));
        expect(origin + path).toContain(String(document['issuer']).slice(origin.length));
        expect(document).toEqual(await read(origin + (paths[0] ?? '')));
      });
    }
  }
  for (const kind of KINDS) {
    test(`RFC 8414 §3 · DS-01 a tenant's own hostname: /.well-known/${kind}`, async () => {
      const base = `http://${aero.host ?? ''}`;
      expect((await read(`${base}/.well-known/${kind}`))['issuer']).toBe(base);
    });
  }

  const missing = [
    '/.well-known/openid-configuration/t/nobody', '/t/nobody/.well-known/openid-configuration', '/.well-known/oauth-authorization-server/orgs/nobody',
    '/orgs/acme/.well-known/openid-configuration', '/.well-known/openid-configuration/orgs/acme', '/t/lumo/.well-known/openid-configuration',
    '/t/default/.well-known/openid-configuration', '/orgs/default/.well-known/oauth-authorization-server', '/t/aero/.well-known/openid-configuration',
    '/.well-known/openid-configuration/', '/t/acme/.well-known/openid-configuration/', '/.well-known/openid-configuration/acme', '/.well-known/nothing',
  ];
  for (const path of missing) test(`RFC 8414 §3.3 · DS-04, DS-05 ${path} → 404, never another tenant's document`, () => isMissing(origin + path));

  test('RFC 8414 §3.3 · DS-05 a tenant\'s hostname serves no other tenant\'s', () => isMissing(`http://${aero.host ?? ''}/t/acme/.well-known/openid-configuration`));
});

describe('what they say', () => {
  const tenants = (): readonly Tenant[] => [home, acme, lumo, aero];
  const discover = (tenant: Tenant): Promise<Record<string, unknown>> => {
    const base = issuer(fixture, tenant);
    return read(`${base}/.well-known/openid-configuration`);
  };

  test('RFC 8414 §2 · DS-06, DS-07, DS-08, DS-10, DS-11, DS-12, DS-20 exactly what works today', async () => {
    expect(await discover(acme)).toEqual({
      issuer: `${origin}/t/acme`,
      authorization_endpoint: `${origin}/t/acme/protocol/openid-connect/auth`,
      token_endpoint: `${origin}/t/acme/protocol/openid-connect/token`,
      jwks_uri: `${origin}/t/acme/protocol/openid-connect/certs`,
      userinfo_endpoint: `${origin}/t/acme/protocol/openid-connect/userinfo`,
      end_session_endpoint: `${origin}/t/acme/protocol/openid-connect/logout`,
      scopes_supported: ['openid', 'profile', 'email', 'address', 'phone', 'offline_access'],
      claims_supported: [
        'sub', 'name', 'family_name', 'given_name', 'middle_name', 'nickname', 'preferred_username', 'profile', 'picture', 'website', 'gender', 'birthdate',
        'zoneinfo', 'locale', 'updated_at', 'email', 'email_verified', 'address', 'phone_number', 'phone_number_verified',
      ],
      response_types_supported: ['code'],
      response_modes_supported: ['query', 'form_post'],
      grant_types_supported: ['authorization_code', 'client_credentials', 'refresh_token'],
      code_challenge_methods_supported: ['S256'],
      prompt_values_supported: ['none', 'login', 'consent', 'select_account'],
      acr_values_supported: ['1fa', 'mfa', 'phr'],
      ui_locales_supported: ['en', 'de', 'es', 'fr', 'ja'],
      token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'none'],
      introspection_endpoint: `${origin}/t/acme/protocol/openid-connect/introspect`,
      introspection_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
      revocation_endpoint: `${origin}/t/acme/protocol/openid-connect/revoke`,
      revocation_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'none'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['ES256'],
      request_parameter_supported: false,
      request_uri_parameter_supported: false,
      claims_parameter_supported: false,
      authorization_response_iss_parameter_supported: true,
      backchannel_logout_supported: true,
      backchannel_logout_session_supported: true,
      service_documentation: `${origin}/docs`,
    });
  });

  test('RFC 8414 §2 · DS-06, DS-08, DS-20 of every tenant: absolute URLs on its own base, nothing null, empty or with a fragment', async () => {
    for (const tenant of tenants()) {
      const document = await discover(tenant);
      const base = issuer(fixture, tenant);
      for (const [name, value] of Object.entries(document)) {
        expect(value).not.toBeNull();
        if (Array.isArray(value)) expect(value).not.toBeEmpty();
        if (typeof value === 'string' && name !== 'service_documentation') expect(value).toStartWith(base);
        if (typeof value === 'string') expect(value).not.toMatch(/[?#]/);
      }
      expect(new URL(base).protocol).toBe('http:');
    }
  });

  test('OpenID Connect Discovery §3 · DS-07 the algorithm listed is the one that signs', async () => {
    for (const [tenant, algorithm] of [[home, 'RS256'], [acme, 'ES256'], [lumo, 'RS256'], [aero, 'EdDSA']] as const) {
      expect((await discover(tenant))['id_token_signing_alg_values_supported']).toEqual([algorithm]);
    }
  });

  test('RFC 8414 §2 · DS-24, DS-10..12, INT-47, REV-27 self-test: each advertised endpoint, grant and method works, nothing else does', async () => {
    for (const tenant of tenants()) {
      const document = await discover(tenant);
      const at = (name: string): string => String(document[`${name}_endpoint`]);
      const list = (name: string): readonly string[] => document[name] as string[];
      const client = await makeClient(fixture, tenant, 'self-test', { grants: ['client_credentials', 'refresh_token'], scopes: ['openid'] });
      const spa = await makePublicClient(fixture, tenant, 'self-test-spa', { scopes: ['openid'] });
      await makeUser(fixture, tenant, 'alice');
      const keys = createLocalJWKSet((await read(String(document['jwks_uri']), 'application/jwk-set+json')) as unknown as JSONWebKeySet);

      const send3 = (endpoint: string, method: string, form: Readonly<Record<string, string>>): Promise<Answer> => {
        if (method === 'client_secret_basic') return post(endpoint, form, client);
        return post(endpoint, { ...form, ...(method === 'client_secret_post' ? posted(client) : { client_id: spa }) });
      };
      const refreshTokenOf = async (id: string): Promise<string> => (await issue(fixture, tenant, id, { user: 'alice' })).refresh_token ?? '';
      for (const method of ['client_secret_basic', 'client_secret_post', 'none']) {
        const id = method === 'none' ? spa : client.id;
        const granted = await send3(at('token'), method, { grant_type: 'refresh_token', refresh_token: await refreshTokenOf(id) });
        const { access_token: token } = parseObject(granted.body);
        expect([method, granted.status === 200]).toEqual([method, list('token_endpoint_auth_methods_supported').includes(method)]);
        const asked = await send3(at('introspection'), method, { token: String(token) });
        expect([method, asked.status === 200]).toEqual([method, list('introspection_endpoint_auth_methods_supported').includes(method)]);
        if (asked.status === 200) expect(asked.body).toStartWith('{"active":true');
        const revoked = await send3(at('revocation'), method, { token: String(token) });
        expect([method, revoked.status === 200]).toEqual([method, list('revocation_endpoint_auth_methods_supported').includes(method)]);
        expect(await introspect(fixture, tenant, client, String(token))).toEqual({ active: false });
      }
      for (const grant of ['client_credentials', 'refresh_token', 'authorization_code', 'password', 'urn:ietf:params:oauth:grant-type:device_code']) {
        const answer = await post(at('token'), { grant_type: grant, ...(grant === 'refresh_token' && { refresh_token: await refreshTokenOf(client.id) }) }, client);
        if (grant === 'authorization_code') {
          // Known, and not for this client.
          expect(errorFault(answer, 400, 'unauthorized_client')).toBeNull();
        } else if (list('grant_types_supported').includes(grant)) {
          const { protectedHeader } = await jwtVerify(String(parseObject(answer.body)['access_token']), keys, { issuer: String(document['issuer']) });
          expect(list('id_token_signing_alg_values_supported')).toContain(protectedHeader.alg);
        } else expect(errorFault(answer, 400, 'unsupported_grant_type')).toBeNull();
      }
    }
  });
});

describe('how they are served', () => {
  const documents = (): readonly string[] => [
    `${origin}/.well-known/openid-configuration`, `${origin}/t/acme/.well-known/openid-configuration`, `${origin}/.well-known/oauth-authorization-server/orgs/lumo`,
    ...[0, 1, 2].map((alias) => urlOf(fixture, home, 'root', 'jwks', alias)), urlOf(fixture, acme, 'realm', 'jwks'), urlOf(fixture, acme, 'org', 'jwks'),
  ];

  test('RFC 9110 §8.8.3, §13 · DS-21, JK-11 ETag: the same tag → 304 without a body, another → 200', async () => {
    for (const url of documents()) {
      const { headers: { etag = '' }, body } = await send(url, {});
      for (const tag of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
        const answer = await send(url, { headers: { 'If-None-Match': tag } });
        expect(answer).toEqual({
          status: 304, body: '', headers: { 'access-control-allow-origin': '*', 'cache-control': 'public, max-age=3600', etag, 'x-content-type-options': 'nosniff' },
        });
      }
      expect((await send(url, { headers: { 'If-None-Match': '"other"' } })).body).toBe(body);
    }
  });

  test('RFC 9110 §9.3.2 · HT-19, JK-11 HEAD: what GET answers, without the body', async () => {
    for (const url of documents()) {
      const [head, get] = [await send(url, { method: 'HEAD' }), await send(url, {})];
      expect(head).toEqual({ ...get, body: '' });
    }
  });

  test('RFC 9110 §15.5.6 · DS-23, JK-11 POST, PUT, DELETE → 405 with Allow', async () => {
    for (const url of documents()) {
      for (const method of ['POST', 'PUT', 'DELETE']) {
        expect(errorFault(await send(url, { method }), 405, 'method_not_allowed', { allow: 'GET, HEAD' })).toBeNull();
      }
    }
  });

  test('DS-23 a query changes nothing', async () => {
    for (const url of documents()) expect(await send(`${url}?issuer=https://evil.example&tenant=other`, {})).toEqual(await send(url, {}));
  });

  test('RFC 9700 §2.6 · DS-22, HT-02, HT-03 nothing depends on forwarding headers or on a loopback spelling of Host', async () => {
    const forged = {
      'X-Forwarded-Host': 'evil.example', 'X-Forwarded-Proto': 'https', 'X-Forwarded-Port': '443', Forwarded: 'host=evil.example;proto=https', 'X-Real-IP': '1.2.3.4',
      'X-Original-URL': '/t/acme/.well-known/openid-configuration', 'X-Rewrite-URL': '/x', 'X-HTTP-Method-Override': 'POST',
    };
    for (const url of documents()) {
      const plain = await send(url, {});
      expect(await send(url, { headers: forged })).toEqual(plain);
      for (const name of ['localhost', '[::1]', 'LOCALHOST']) expect(await send(url, { headers: { Host: `${name}:${fixture.server.port}` } })).toEqual(plain);
    }
  });

  test('DS-21, HT-10 CORS: * for every origin, never with credentials', async () => {
    for (const url of documents()) {
      for (const from of ['https://evil.example', 'null']) {
        const { headers } = await send(url, { headers: { Origin: from } });
        expect(headers['access-control-allow-origin']).toBe('*');
        expect(headers).not.toHaveProperty('access-control-allow-credentials');
      }
    }
  });
});

describe('keys', () => {
  let client: Credentials;
  let tenant: Tenant;
  beforeAll(async () => {
    tenant = await makeTenant(fixture, 'rotating');
    client = await makeClient(fixture, tenant, 'svc');
  });
  const ask = async (): Promise<string> => String(parseObject((await post(homeUrl(fixture, tenant, 'token'), { grant_type: 'client_credentials' }, client)).body)['access_token']);
  const kidOf = (token: string): string => String(decodeJwt(token).header['kid']);
  const published = async (): Promise<readonly string[]> => (await keysOf(tenant)).keys.map(({ kid = '' }) => kid);

  test('RFC 7517 §5 · JK-01, JK-02, JK-09 every set: public members only, kid, use and alg, unique within and among tenants', async () => {
    const seen = new Set<string>();
    for (const owner of [home, acme, lumo, aero]) {
      const set = await keysOf(owner);
      expect(Object.keys(set)).toEqual(['keys']);
      expect(set.keys.length).toBe(2);
      for (const key of set.keys) {
        expect(new Set(Object.keys(key))).toEqual(new Set(['kty', 'kid', 'use', 'alg', ...(publicMembers.get(String(key.kty)) ?? [])]));
        expect(key).toMatchObject({ use: 'sig', alg: owner.algorithm });
        expect(seen.has(key.kid ?? '')).toBe(false);
        seen.add(key.kid ?? '');
        if (key.kty === 'RSA') expect(Buffer.from(key.n ?? '', 'base64url')).toHaveLength(256);
      }
    }
  });

  test('JK-02, MTN-04 the set is the same at every layout and alias of a tenant', async () => {
    for (const owner of [home, acme]) {
      const wanted = (await keysOf(owner)).keys;
      for (const layout of ['realm', 'org'] as const) expect((await read(urlOf(fixture, owner, layout, 'jwks'), 'application/jwk-set+json'))['keys']).toEqual(wanted);
    }
  });

  test('OpenID Connect Core §10.1.1 · JK-03, JK-04, INT-93 rotation while serving: the next key was published before; old tokens stay good, twice in a row', async () => {
    const tokens = [await ask()];
    for (let rotation = 0; rotation < 2; rotation += 1) {
      const before = await published();
      must(await rotateKeys(fixture.application.ctx, tenant));
      const token = await ask();
      expect(before).toContain(kidOf(token));
      expect(tokens.map(kidOf)).not.toContain(kidOf(token));
      tokens.push(token);
      const after = await published();
      for (const earlier of tokens) {
        expect(after).toContain(kidOf(earlier));
        expect(await introspect(fixture, tenant, client, earlier)).toMatchObject({ active: true });
      }
      expect(after.length).toBe(before.length + 1);
    }
    const set = createLocalJWKSet(await keysOf(tenant));
    for (const token of tokens) await jwtVerify(token, set);
    expect(await auditOf(fixture, tenant, 'key_rotated')).toHaveLength(2);
  });

  test('JK-05, INT-94 the signing key is revoked: gone from the set, its tokens inactive at once, the next key signs, audited', async () => {
    const doomed = await ask();
    const { body: tag } = await send(homeUrl(fixture, tenant, 'jwks'), {});
    must(await revokeKey(fixture.application.ctx, tenant, kidOf(doomed)));
    expect(await published()).not.toContain(kidOf(doomed));
    expect((await send(homeUrl(fixture, tenant, 'jwks'), {})).body).not.toBe(tag);
    expect(await introspect(fixture, tenant, client, doomed)).toEqual({ active: false });
    const fresh = await ask();
    expect(await introspect(fixture, tenant, client, fresh)).toMatchObject({ active: true });
    const [event] = await auditOf(fixture, tenant, 'key_revoked');
    expect(event).toMatchObject({ subject: kidOf(doomed), actor: 'operator', outcome: 'success' });
  });

  test('JK-05 a retired key is revoked: only its tokens go', async () => {
    const old = await ask();
    must(await rotateKeys(fixture.application.ctx, tenant));
    const current = await ask();
    must(await revokeKey(fixture.application.ctx, tenant, kidOf(old)));
    expect(await introspect(fixture, tenant, client, old)).toEqual({ active: false });
    expect(await introspect(fixture, tenant, client, current)).toMatchObject({ active: true });
    expect(await published()).not.toContain(kidOf(old));
  });

  test('JK-04, AT-05 another algorithm while serving: new tokens have it, old ones stay good', async () => {
    const old = await ask();
    must(await updateTenant(fixture.application.ctx, 'rotating', { algorithm: 'EdDSA' }));
    const fresh = await ask();
    expect(decodeJwt(fresh).header['alg']).toBe('EdDSA');
    for (const token of [old, fresh]) expect(await introspect(fixture, tenant, client, token)).toMatchObject({ active: true });
    expect((await read(`${issuer(fixture, tenant)}/.well-known/openid-configuration`))['id_token_signing_alg_values_supported']).toEqual(['EdDSA']);
  });

  test('DS-25, INT-32 suspended tenant: discovery and endpoints → 404, the key set stays while tokens may live, then goes', async () => {
    const brief = await makeTenant(fixture, 'brief', { accessTokenTtl: 1 });
    const patient = await makeTenant(fixture, 'patient', { accessTokenTtl: 1 });
    await makeClient(fixture, patient, 'long', { accessTokenTtl: 7200 });
    const keys = await keysOf(brief);
    must(await setTenantEnabled(fixture.application.ctx, 'patient', false));
    must(await setTenantEnabled(fixture.application.ctx, 'brief', false));
    await isMissing(`${issuer(fixture, brief)}/.well-known/openid-configuration`);
    const unknown = await post(`${origin}/t/nobody/protocol/openid-connect/token`, { grant_type: 'client_credentials' }, client);
    expect(await post(homeUrl(fixture, brief, 'token'), { grant_type: 'client_credentials' }, client)).toEqual(unknown);
    expect(await keysOf(brief)).toEqual(keys);
    await Bun.sleep(1100);
    await isMissing(homeUrl(fixture, brief, 'jwks'));
    await keysOf(patient);
    must(await setTenantEnabled(fixture.application.ctx, 'brief', true));
    expect(await keysOf(brief)).toEqual(keys);
  });

  test('HT-12 an unauthenticated reader of a key set learns nothing more with credentials', async () => {
    const url = homeUrl(fixture, acme, 'jwks');
    expect(await send(url, { headers: { Authorization: basic('svc', 'x') } })).toEqual(await send(url, {}));
  });
});
