/** ID tokens as an application proves them, and the other tokens that tell of a sign-in (OpenID Connect Core §2, §3.1.3.7, §12.2). */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { createLocalJWKSet, jwtVerify, type JWTVerifyResult, type JSONWebKeySet } from 'jose';
import type { PresetName, Tenant, User } from '../../src/core/model.ts';
import type { SigningAlgorithm } from '../../src/spec/names.ts';
import { updateUser } from '../../src/service/manage-users.ts';
import { createOrganization, putMember } from '../../src/service/manage-organizations.ts';
import { makeApp, makePerson, redeem, refresh, signedIn, silently, tokensFor, tokensOf, withSession, type App, type Tokens } from '../helpers/flow.ts';
import { decodeJwt, homeUrl, INACTIVE, introspect, issuer, makeClient, makeTenant, must, nowS, parseObject, post, send, startFixture, urlOf, type Answer, type Credentials, type Fixture } from '../helpers/fixture.ts';

let fixture: Fixture;
let acme: Tenant;
let alice: User;
let web: App;

beforeAll(async () => {
  fixture = await startFixture();
  acme = await makeTenant(fixture, 'acme', { preset: 'kotauth' });
  alice = await makePerson(fixture, acme, 'alice');
  web = await makeApp(fixture, acme, 'web', { firstParty: true });
});
afterAll(() => fixture.close());

/** Proves an ID token as any application would: by the published keys alone. */
async function prove(tenant: Tenant, token: string, audience = 'web'): Promise<JWTVerifyResult> {
  const keys = JSON.parse((await send(homeUrl(fixture, tenant, 'jwks'), {})).body) as JSONWebKeySet;
  return jwtVerify(token, createLocalJWKSet(keys), { issuer: issuer(fixture, tenant), audience, algorithms: [tenant.algorithm], clockTolerance: 0 });
}

/** Left half of the hash of the algorithm (OpenID Connect Core §3.1.3.6). */
function halfHash(algorithm: SigningAlgorithm, token: string): string {
  const hash = createHash(algorithm === 'EdDSA' ? 'sha512' : 'sha256').update(token).digest();
  return hash.subarray(0, hash.length / 2).toString('base64url');
}

describe('TAC-18 · every claim, with every algorithm', () => {
  test.each(['RS256', 'PS256', 'ES256', 'EdDSA'] as const)('TAC-18, TRT-19, DS-24 %s: proven with the published keys; refreshed, it says the same but for iat, exp, at_hash and the nonce', async (algorithm) => {
    const tenant = await makeTenant(fixture, algorithm.toLowerCase(), { preset: 'kotauth', algorithm });
    const user = await makePerson(fixture, tenant, 'alice');
    const app = await makeApp(fixture, tenant, 'web', { firstParty: true });
    const from = nowS();
    const { person, code } = await signedIn(fixture, tenant, app, 'alice', { scope: 'openid' });
    const tokens = tokensOf(await redeem(fixture, tenant, app, code));
    const { payload, protectedHeader } = await prove(tenant, tokens.id);
    const session = await fixture.application.ctx.store.findBrowserSession(tenant.id, createHash('sha256').update(person.cookie('sid') ?? '').digest('base64url'));
    expect(protectedHeader).toEqual({ alg: algorithm, kid: expect.any(String), typ: 'JWT' } as never);
    const { iat = 0, auth_time: authTime, ...rest } = payload;
    expect(rest).toEqual({
      iss: issuer(fixture, tenant), sub: user.id, aud: 'web', exp: iat + 300, nonce: 'n-0S6_WzA2Mj', at_hash: halfHash(algorithm, tokens.access), acr: '1fa', amr: ['pwd'], sid: session?.id,
    } as never);
    expect([iat >= from, iat <= nowS(), Number(authTime) >= from, Number(authTime) <= iat]).toEqual([true, true, true, true]);

    await Bun.sleep(1100);
    const next = tokensOf(await refresh(fixture, tenant, app, tokens.refresh));
    const again = (await prove(tenant, next.id)).payload;
    const { nonce: _nonce, ...same } = payload;
    expect(again).toEqual({ ...same, iat: again.iat ?? 0, exp: (again.iat ?? 0) + 300, at_hash: halfHash(algorithm, next.access) });
    expect(Number(again.iat)).toBeGreaterThan(iat);
  }, 30_000);

  test('AZ-22, TAC-18 the nonce comes back exactly, also the longest; without one there is none', async () => {
    const { person } = await withSession(fixture, acme, alice);
    for (const nonce of ['n'.repeat(512), ' é漢\u{1F600}&=#"<>+%41\\', 'x', undefined]) {
      const { id } = tokensOf(await redeem(fixture, acme, web, await silently(fixture, acme, web, person, { nonce })));
      expect((await prove(acme, id)).payload['nonce']).toBe(nonce as never);
    }
  });

  test('TAC-18 auth_time is when they signed in, acr and amr how; not when the token was made', async () => {
    const authTimeMs = Date.now() - 3_600_000;
    const { person, session } = await withSession(fixture, acme, alice, { authTimeMs, acr: 'phr', amr: ['hwk', 'user', 'mfa'] });
    const tokens = tokensOf(await redeem(fixture, acme, web, await silently(fixture, acme, web, person)));
    expect((await prove(acme, tokens.id)).payload).toMatchObject({ auth_time: Math.floor(authTimeMs / 1000), acr: 'phr', amr: ['hwk', 'user', 'mfa'], sid: session.id });
    expect(decodeJwt(tokens.access).claims).toMatchObject({ auth_time: Math.floor(authTimeMs / 1000), acr: 'phr', sid: session.id });
  });

  test('TAC-18, US-08 claims of the person, by scope; what is not known is left out', async () => {
    const nina = await makePerson(fixture, acme, 'nina');
    must(await updateUser(fixture.application.ctx, acme, 'nina', { name: null }));
    const rows = [
      ['openid', alice, {}], ['openid email', alice, { email: 'alice@example.com', email_verified: true }], ['openid profile', alice, { name: 'The alice', preferred_username: 'alice' }], ['openid profile', nina, { preferred_username: 'nina' }],
    ] as const;
    for (const [scope, user, claims] of rows) {
      const { person } = await withSession(fixture, acme, user);
      const { payload } = await prove(acme, tokensOf(await redeem(fixture, acme, web, await silently(fixture, acme, web, person, { scope }))).id);
      const { iss: _iss, aud: _aud, exp: _exp, iat: _iat, auth_time: _time, nonce: _nonce, at_hash: _hash, acr: _acr, amr: _amr, sid: _sid, ...person_ } = payload;
      expect(person_).toEqual({ sub: user.id, ...claims });
    }
  });

  test('TAC-18, AZ-44 of an opaque access token, at_hash is its hash', async () => {
    const opaque = await makeApp(fixture, acme, 'opaque', { firstParty: true, tokenFormat: 'opaque' });
    const tokens = await tokensFor(fixture, acme, opaque, 'alice');
    expect((await prove(acme, tokens.id, 'opaque')).payload['at_hash']).toBe(halfHash('ES256', tokens.access));
  });

  test('INT-79, US-12 it is no access token', async () => {
    const watcher = await makeClient(fixture, acme, 'watcher', { introspect: 'tenant' });
    const { id } = await tokensFor(fixture, acme, web, 'alice');
    expect(await post(homeUrl(fixture, acme, 'introspect'), { token: id }, watcher)).toEqual(INACTIVE);
    expect((await send(homeUrl(fixture, acme, 'userinfo'), { headers: { Authorization: `Bearer ${id}` } })).status).toBe(401);
  });
});

describe('what introspection tells of tokens that came out of a sign-in', () => {
  type Home = { readonly tenant: Tenant; readonly user: User; readonly app: App; readonly tokens: Tokens; readonly caller: Credentials };
  const homes = new Map<PresetName, Home>();
  const presets = ['standard', 'kotauth', 'lumoauth', 'aero2', 'avnology', 'workos'] as const;

  beforeAll(async () => {
    for (const preset of presets) {
      const tenant = await makeTenant(fixture, `p-${preset}`, { preset });
      const user = await makePerson(fixture, tenant, 'alice');
      must(await createOrganization(fixture.application.ctx, tenant, 'org_1', 'One'));
      must(await putMember(fixture.application.ctx, tenant, 'org_1', 'alice', []));
      const app = await makeApp(fixture, tenant, 'web', { firstParty: true });
      const caller = await makeClient(fixture, tenant, 'watcher', { introspect: 'tenant' });
      homes.set(preset, { tenant, user, app, caller, tokens: await tokensFor(fixture, tenant, app, 'alice', { scope: 'openid profile email' }) });
    }
  }, 30_000);

  const home = (preset: PresetName): Home => {
    const found = homes.get(preset);
    if (found === undefined) throw new Error(`no ${preset}`);
    return found;
  };

  const members: Readonly<Record<(typeof presets)[number], readonly string[]>> = {
    standard: ['active', 'sub', 'username', 'scope', 'client_id', 'token_type', 'exp', 'iat', 'iss', 'aud'], kotauth: ['active', 'sub', 'username', 'email', 'scope', 'client_id', 'exp', 'iat', 'iss'],
    lumoauth: ['active', 'scope', 'client_id', 'username', 'token_type', 'exp', 'iat', 'sub', 'aud', 'iss'], aero2: ['active', 'sub', 'username', 'scope', 'client_id', 'token_type', 'exp', 'iat', 'iss', 'aud'],
    avnology: ['active', 'sub', 'scope', 'client_id', 'exp', 'iat', 'iss', 'aud'], workos: ['active', 'sub', 'client_id', 'token_type', 'exp', 'iat', 'iss', 'aud', 'sid', 'org_id', 'jti'],
  };
  test.each(presets)('INT-100, INT-101, INT-102, INT-103, INT-112, INT-113, INT-118, INT-119 %s: the members of its shape, with what the sign-in gave', async (preset) => {
    const { tenant, user, tokens, caller } = home(preset);
    const told = await introspect(fixture, tenant, caller, tokens.access);
    expect(Object.keys(told)).toEqual(expect.arrayContaining([...members[preset]]) as never);
    const { claims } = decodeJwt(tokens.access);
    const id = decodeJwt(tokens.id).claims;
    const known: Readonly<Record<string, unknown>> = {
      active: true, sub: user.id, email: 'alice@example.com', scope: 'openid profile email', client_id: 'web', exp: claims['exp'], iat: claims['iat'], nbf: claims['iat'], iss: issuer(fixture, tenant), jti: claims['jti'],
      sid: id['sid'], org_id: 'org_1', acr: '1fa', auth_time: id['auth_time'],
    };
    for (const [name, value] of Object.entries(told)) if (name in known) expect([name, value]).toEqual([name, known[name]]);
    expect(Object.keys(told).filter((name) => /secret|digest|hash|kid|password|ip|device|grant/i.test(name))).toEqual([]);
  });

  test('INT-118 acr and auth_time are told wherever the shape does not forbid more members', async () => {
    const telling = [];
    for (const preset of presets) {
      const { tenant, tokens, caller } = home(preset);
      const told = await introspect(fixture, tenant, caller, tokens.access);
      if (told['acr'] === '1fa' && told['auth_time'] === decodeJwt(tokens.id).claims['auth_time']) telling.push(preset);
    }
    expect(telling).toContain('standard');
    expect(telling).toContain('kotauth');
  });

  test('INT-121, INT-104 sid is the ID token\'s, in the access token and in what introspection tells; sub is text', async () => {
    const { tenant, tokens, caller } = home('workos');
    const told = await introspect(fixture, tenant, caller, tokens.access);
    const { sid, sub } = decodeJwt(tokens.id).claims;
    expect([told['sid'], decodeJwt(tokens.access).claims['sid'], told['sub'], typeof sub]).toEqual([sid, sid, sub, 'string']);
    expect(sid).toMatch(/^ses_/);
    expect(told['org_id']).toBe('org_1');
  });

  test('INT-36, INT-122 at every layout of a tenant: the same facts about its token, and one issuer', async () => {
    const { tenant, tokens, caller, user } = home('kotauth');
    for (const [layout, username] of [['realm', 'alice'], ['org', 'alice@example.com']] as const) {
      const answer: Answer = await post(urlOf(fixture, tenant, layout, 'introspect'), { token: tokens.access }, caller);
      expect(parseObject(answer.body)).toMatchObject({ active: true, sub: user.id, username, scope: 'openid profile email', client_id: 'web', iss: issuer(fixture, tenant) });
    }
  });

  test('INT-107, INT-109 what is told of the refresh token', async () => {
    for (const preset of presets) {
      const { tenant, tokens, caller, user } = home(preset);
      const told = await introspect(fixture, tenant, caller, tokens.refresh);
      expect(told).toMatchObject({ active: true, sub: user.id, client_id: 'web' });
      expect(told['token_type']).toBe(preset === 'workos' ? 'refresh_token' : undefined as never);
      if (preset === 'workos') expect(Object.keys(told)).toEqual(expect.arrayContaining(['active', 'client_id', 'iss', 'aud', 'sub', 'iat', 'token_type']) as never);
    }
  });

  test('INT-116 username and e-mail only with their scopes, and never of more', async () => {
    const { tenant, app, caller } = home('kotauth');
    const { access } = await tokensFor(fixture, tenant, app, 'alice', { scope: 'openid' });
    expect(await introspect(fixture, tenant, caller, access)).not.toHaveProperty('email');
  });
});
