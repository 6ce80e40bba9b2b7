/** Introspection: members of an active answer that follow from one token rather than from a form (RFC 7662 §2.2). */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { makeClient as blankClient } from '../../src/core/client-settings.ts';
import { shapeNames, type Tenant } from '../../src/core/model.ts';
import { createClient } from '../../src/service/manage-clients.ts';
import { makeSecret } from '../../src/service/manage-secrets.ts';
import { createUser, updateUser } from '../../src/service/manage-users.ts';
import { updateTenant } from '../../src/service/manage-tenants.ts';
import {
  decodeJwt, forge, introspect, issue, issuePair, issuer, makeClient, makeTenant, makeUser, must, nowS, parseObject, post, startFixture, urlOf, type Credentials, type Fixture,
} from '../helpers/fixture.ts';

const grants = ['client_credentials', 'authorization_code', 'refresh_token'] as const;
/** Everything that an answer may ever hold (INT-119). */
const members = ['active', 'scope', 'client_id', 'username', 'email', 'token_type', 'exp', 'iat', 'nbf', 'sub', 'aud', 'iss', 'jti', 'sid', 'org_id', 'cnf', 'act', 'acr', 'auth_time'];

let fixture: Fixture;
let tenant: Tenant;
let client: Credentials;
/** One caller per form. */
const callers = new Map<string, Credentials>();

beforeAll(async () => {
  fixture = await startFixture();
  tenant = await makeTenant(fixture, 'members', { preset: 'kotauth' });
  client = await makeClient(fixture, tenant, 'svc', { grants, scopes: ['openid', 'email', 'read'] });
  for (const shape of shapeNames) callers.set(shape, await makeClient(fixture, tenant, `as-${shape}`, { shape }));
  await makeUser(fixture, tenant, 'alice', 'alice@mail.example', '42');
});
afterAll(() => fixture.close());

const inForm = (shape: string, token: string): Promise<Readonly<Record<string, unknown>>> => introspect(fixture, tenant, callers.get(shape) ?? client, token);

describe('RFC 7662 §2.2', () => {
  for (const shape of shapeNames) {
    test(`INT-100, INT-102, INT-103, INT-119 ${shape}: times, scope, client and issuer are the token's own`, async () => {
      for (const wish of [{}, { user: 'alice' }]) {
        const token = (await issue(fixture, tenant, 'svc', wish)).access_token;
        const { claims } = decodeJwt(token);
        const answer = await inForm(shape, token);
        for (const name of ['exp', 'iat', 'scope', 'client_id', 'sub', 'iss']) expect([name, answer[name]]).toEqual([name, claims[name]]);
        for (const name of ['exp', 'iat']) expect(Number.isInteger(answer[name])).toBe(true);
        expect(Object.keys(answer).filter((name) => !members.includes(name))).toEqual([]);
        expect(Object.keys(answer)[0]).toBe('active');
        expect(answer['client_id']).not.toBe(callers.get(shape)?.id);
        for (const hidden of [decodeJwt(token).header['kid'], claims['grant_id'], token, tenant.id]) if (typeof hidden === 'string') expect(JSON.stringify(answer)).not.toContain(hidden);
      }
    });

    test(`INT-100 ${shape}: nbf as the token has it`, async () => {
      const good = (await issue(fixture, tenant, 'svc')).access_token;
      const nbf = nowS() - 5;
      expect(await inForm(shape, good)).not.toHaveProperty('nbf');
      expect((await inForm(shape, await forge(fixture, tenant, good, { claims: { nbf } })))['nbf']).toBe(nbf);
    });

    test(`INT-105, INT-107, INT-108 ${shape}: a key-bound token is DPoP and keeps cnf; a refresh token says nothing of either`, async () => {
      const good = (await issue(fixture, tenant, 'svc', { user: 'alice' })).access_token;
      const jkt = 'a'.repeat(43);
      expect(await inForm(shape, await forge(fixture, tenant, good, { claims: { cnf: { jkt } } }))).toMatchObject({ token_type: 'DPoP', cnf: { jkt } });
      const plain = { standard: 'Bearer', avnology: 'Bearer', kotauth: undefined, workos: 'access_token' }[shape];
      const certificate = await inForm(shape, await forge(fixture, tenant, good, { claims: { cnf: { 'x5t#S256': jkt } } }));
      expect([certificate['token_type'], certificate['cnf']]).toEqual([plain, { 'x5t#S256': jkt }]);
      expect((await inForm(shape, good))['token_type']).toBe(plain);
      const { refresh } = await issuePair(fixture, tenant, 'svc', 'alice');
      const answer = await inForm(shape, refresh);
      expect(answer['token_type']).toBe(shape === 'workos' ? 'refresh_token' : undefined);
      expect([answer['cnf'], answer['jti']]).toEqual([undefined, undefined]);
      expect(Number.isInteger(answer['exp'])).toBe(shape !== 'workos');
    });

    test(`INT-111 ${shape}: several audiences are a list`, async () => {
      const audience = ['https://a.example', 'https://b.example'];
      expect((await inForm(shape, (await issue(fixture, tenant, 'svc', { audience })).access_token))['aud']).toEqual(audience);
    });

    test(`INT-114 ${shape}: a client for itself has no name, address or session`, async () => {
      const answer = await inForm(shape, (await issue(fixture, tenant, 'svc')).access_token);
      expect([answer['sub'], answer['username'], answer['email'], answer['sid']]).toEqual(['svc', undefined, undefined, undefined]);
    });

    test(`INT-120 ${shape}: the id of an opaque token says nothing of the token`, async () => {
      await createClient(fixture.application.ctx, tenant, { id: 'opaque', public: false, change: { grants, tokenFormat: 'opaque' }, secret: { supplied: null, ttl: null } });
      const token = (await issue(fixture, tenant, 'opaque', { user: 'alice' })).access_token;
      const answer = await inForm(shape, token);
      expect(token).toMatch(/^at_[A-Za-z0-9_-]{43}$/);
      for (let start = 3; start < token.length - 8; start += 1) expect(JSON.stringify(answer)).not.toContain(token.slice(start, start + 8));
    });
  }

  test('INT-101 scope is one string of words with single spaces, and absent without any', async () => {
    const odd = await makeClient(fixture, tenant, null, { scopes: ['b', 'a', 'urn:x:y'] });
    const asked = await post(urlOf(fixture, tenant, 'realm', 'token'), { grant_type: 'client_credentials', scope: 'urn:x:y b' }, odd);
    expect((await introspect(fixture, tenant, odd, String(parseObject(asked.body)['access_token'])))['scope']).toBe('urn:x:y b');
    expect((await introspect(fixture, tenant, odd, (await issue(fixture, tenant, odd.id)).access_token))['scope']).toBe('b a urn:x:y');
    const none = await makeClient(fixture, tenant);
    expect(await introspect(fixture, tenant, none, (await issue(fixture, tenant, none.id)).access_token)).not.toHaveProperty('scope');
  });

  test('INT-104 ids that look like numbers stay strings, and apart', async () => {
    for (const id of ['042', '42.0', '4.2e1', '0x2A']) {
      await makeUser(fixture, tenant, `user ${id}`, '', id);
      const access = (await issue(fixture, tenant, 'svc', { user: id })).access_token;
      expect(await introspect(fixture, tenant, client, access)).toMatchObject({ sub: id, username: `user ${id}` });
    }
    const numeric = await makeClient(fixture, tenant, '7', { audience: ['8'] });
    expect(await introspect(fixture, tenant, numeric, (await issue(fixture, tenant, '7')).access_token)).toMatchObject({ sub: '7', client_id: '7', aud: '8' });
  });

  test('INT-115 a client and a user never have one id', async () => {
    const { ctx } = fixture.application;
    const secret = { supplied: null, ttl: null };
    await makeUser(fixture, tenant, 'bob', '', 'bob-id');
    expect(await createClient(ctx, tenant, { id: 'bob-id', public: false, change: {}, secret })).toMatchObject({ ok: false, error: 'conflict' });
    expect(await createUser(ctx, tenant, 'svc', { username: 'carol', email: '' })).toMatchObject({ ok: false, error: 'conflict' });
    for (const id of ['usr_1', 'org_1', 'https://client.example', 'USR_1']) expect(await createClient(ctx, tenant, { id, public: false, change: {}, secret })).toMatchObject({ ok: false, error: 'invalid_request' });
    expect(await createUser(ctx, tenant, 'cli_1', { username: 'carol', email: '' })).toMatchObject({ ok: false, error: 'invalid_request' });
    const user = await makeUser(fixture, tenant, 'dave');
    const made = await makeClient(fixture, tenant);
    expect([user.id.slice(0, 4), made.id.slice(0, 4)]).toEqual(['usr_', 'cli_']);
  });

  test('INT-116 name and address: by scope, as they are now, and never for who registered itself', async () => {
    const { ctx } = fixture.application;
    const token = (await issue(fixture, tenant, 'svc', { user: 'alice', scopes: ['openid', 'email'] })).access_token;
    const narrow = (await issue(fixture, tenant, 'svc', { user: 'alice', scopes: ['openid'] })).access_token;
    const gateway = callers.get('kotauth') ?? client;
    expect(await introspect(fixture, tenant, gateway, token)).toMatchObject({ username: 'alice', email: 'alice@mail.example' });
    expect(await introspect(fixture, tenant, gateway, narrow)).toMatchObject({ username: 'alice' });
    expect(await introspect(fixture, tenant, gateway, narrow)).not.toHaveProperty('email');
    must(await updateUser(ctx, tenant, '42', { email: 'new@mail.example' }));
    expect(await introspect(fixture, tenant, gateway, token)).toMatchObject({ email: 'new@mail.example', sub: '42' });
    must(await updateUser(ctx, tenant, '42', { email: 'alice@mail.example' }));

    const secret = must(await makeSecret(ctx, { supplied: null, ttl: null }));
    const registered = blankClient({ tenantId: tenant.id, id: 'dcr', public: false, nowMs: ctx.clock.now() }, { grants, scopes: ['openid', 'email'] });
    expect(await ctx.store.createClient({ ...registered, selfRegistered: true, secrets: [secret.row] }, [])).toBe(true);
    const own = await issuePair(fixture, tenant, 'dcr', 'alice');
    for (const layout of ['realm', 'org'] as const) {
      for (const mine of [own.access, own.refresh]) {
        const answer = parseObject((await post(urlOf(fixture, tenant, layout, 'introspect'), { token: mine }, { id: 'dcr', secret: secret.text })).body);
        expect([answer['active'], answer['username'], answer['email'], answer['sub']]).toEqual([true, undefined, undefined, '42']);
      }
    }
  });

  test('INT-122 the issuer is the tenant\'s one, whatever the form', async () => {
    const token = (await issue(fixture, tenant, 'svc')).access_token;
    for (const shape of shapeNames) expect((await inForm(shape, token))['iss']).toBe(issuer(fixture, tenant));
    must(await updateTenant(fixture.application.ctx, tenant.slug, { layout: 'org' }));
    // Its issuer moved, and with it what it signed before: no token has two issuers.
    expect((await post(urlOf(fixture, tenant, 'org', 'introspect'), { token }, client)).body).toBe('{"active":false}');
    must(await updateTenant(fixture.application.ctx, tenant.slug, { layout: 'realm' }));
  });
});
