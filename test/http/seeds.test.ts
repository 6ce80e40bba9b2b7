/**
 * The five product documents whose resource servers must work here by changing the base URL alone: each with its own
 * request, its own credentials and its own answers. An answer has the members that its document shows, with these JSON
 * types, and beyond them only what every dialect may carry.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { LayoutName, Tenant } from '../../src/core/model.ts';
import type { TenantChange } from '../../src/core/tenant-settings.ts';
import {
  errorFault, forge, INACTIVE, issue, issuePair, issuer, jsonAnswer, makeClient, makePublicClient, makeTenant, makeUser, memberTypes, nowS, parseObject,
  post, posted, startFixture, storedState, untilAudited, urlOf, type Answer, type Credentials, type Fixture,
} from '../helpers/fixture.ts';

const FOREIGN_ID = 'cli_somebody-else';
/** What any dialect may carry beside the documented members; `scope` because a resource server cannot do without. */
const EXTRAS = ['nbf', 'jti', 'cnf', 'act', 'acr', 'auth_time', 'aud', 'token_type', 'sid', 'org_id', 'iss', 'scope'];

/** A documented answer: the members shown, and the exact values that follow from the document's own example. */
type Example = {
  readonly name: string;
  /** The token of the example. */
  readonly token: (world: World) => string;
  readonly hint: 'access_token' | 'refresh_token' | null;
  /** Members that the document shows, with their JSON types. */
  readonly shown: Readonly<Record<string, string>>;
  /** The whole answer but for times and random ids, which are checked against the document's lifetime. */
  readonly whole: (world: World) => Readonly<Record<string, unknown>>;
  /** `exp - iat`, seconds; null: no `exp`. */
  readonly life: number | null;
};

type Seed = {
  readonly document: string;
  readonly slug: string;
  readonly tenant: TenantChange;
  readonly layout: LayoutName;
  /** Which of the layout's introspection URLs the document calls. */
  readonly alias: number;
  /** The documented path. */
  readonly path: string;
  readonly credentials: 'basic' | 'body';
  /** Whether a token of another client is nobody else's business there. */
  readonly foreignIsInactive: boolean;
  readonly furnish: (fixture: Fixture, tenant: Tenant) => Promise<Pick<World, 'caller' | 'tokens'>>;
  readonly examples: readonly Example[];
};

type World = {
  readonly fixture: Fixture;
  readonly tenant: Tenant;
  readonly issuer: string;
  readonly url: string;
  readonly caller: Credentials;
  readonly tokens: Readonly<Record<string, string>>;
};

const tokenOf = (name: string) => ({ tokens }: World): string => {
  const token = tokens[name];
  if (token === undefined) throw new Error(`no token ${name}`);
  return token;
};

/** A token's own id, and the id of the session that `assay token issue` opens. */
const JTI: unknown = expect.stringMatching(/^[A-Za-z0-9_-]{22,64}$/);
const SID: unknown = expect.stringMatching(/^ses_[A-Za-z0-9_-]{22}$/);
const USER_GRANTS = ['authorization_code', 'refresh_token'] as const;

const seeds: readonly Seed[] = [
  {
    document: 'seed 000', slug: 'my-app', tenant: { preset: 'kotauth' }, layout: 'realm', alias: 0,
    path: '/t/my-app/protocol/openid-connect/introspect', credentials: 'basic', foreignIsInactive: false,
    async furnish(fixture, tenant) {
      await makePublicClient(fixture, tenant, 'my-spa', { grants: USER_GRANTS, scopes: ['openid', 'profile', 'email'] });
      await makeUser(fixture, tenant, 'alice', 'alice@example.com', '42');
      const { access, refresh } = await issuePair(fixture, tenant, 'my-spa', 'alice');
      return { caller: await makeClient(fixture, tenant, 'my-api', { scopes: ['read'] }), tokens: { access, refresh } };
    },
    examples: [
      {
        name: 'a user token of an SPA', token: tokenOf('access'), hint: 'access_token', life: 300,
        shown: { active: 'boolean', sub: 'string', username: 'string', email: 'string', scope: 'string', client_id: 'string', exp: 'integer', iat: 'integer', iss: 'string' },
        whole: (world) => ({ active: true, sub: '42', username: 'alice', email: 'alice@example.com', scope: 'openid profile email', client_id: 'my-spa', aud: world.issuer, iss: world.issuer }),
      },
      {
        name: 'a refresh token, which is opaque', token: tokenOf('refresh'), hint: 'refresh_token', life: 86_400,
        shown: { active: 'boolean', sub: 'string', username: 'string', email: 'string', scope: 'string', client_id: 'string', exp: 'integer', iat: 'integer', iss: 'string' },
        whole: (world) => ({ active: true, sub: '42', username: 'alice', email: 'alice@example.com', scope: 'openid profile email', client_id: 'my-spa', aud: world.issuer, iss: world.issuer }),
      },
    ],
  },
  {
    document: 'seed 001', slug: 'avnology', tenant: { preset: 'avnology' }, layout: 'root', alias: 0,
    path: '/oauth2/introspect', credentials: 'body', foreignIsInactive: true,
    async furnish(fixture, tenant) {
      const caller = await makeClient(fixture, tenant, 'cli_abc123def456', { grants: USER_GRANTS, scopes: ['openid', 'profile', 'email'] }, { supplied: 'cs_secret_value_0' });
      await makeUser(fixture, tenant, 'grace', 'grace@example.com', 'usr_4f18acec-2712-4be7-a9af-b063b4f6deba');
      return { caller, tokens: await issuePair(fixture, tenant, caller.id, 'grace') };
    },
    examples: [
      {
        name: 'a user token of the caller', token: tokenOf('access'), hint: null, life: 900,
        shown: { active: 'boolean', sub: 'string', client_id: 'string', scope: 'string', iss: 'string', aud: 'array of string', exp: 'integer', iat: 'integer' },
        whole: (world) => ({
          active: true, sub: 'usr_4f18acec-2712-4be7-a9af-b063b4f6deba', client_id: 'cli_abc123def456', scope: 'openid profile email', iss: world.issuer,
          aud: ['cli_abc123def456'], token_type: 'Bearer', jti: JTI,
        }),
      },
      {
        name: 'its refresh token', token: tokenOf('refresh'), hint: 'refresh_token', life: 2_592_000,
        shown: { active: 'boolean', sub: 'string', client_id: 'string', scope: 'string', iss: 'string', aud: 'array of string', exp: 'integer', iat: 'integer' },
        whole: (world) => ({
          active: true, sub: 'usr_4f18acec-2712-4be7-a9af-b063b4f6deba', client_id: 'cli_abc123def456', scope: 'openid profile email', iss: world.issuer,
          aud: ['cli_abc123def456'],
        }),
      },
    ],
  },
  {
    document: 'seed 002', slug: 'your-app', tenant: { preset: 'aero2' }, layout: 'root', alias: 0,
    path: '/oauth2/introspect', credentials: 'body', foreignIsInactive: true,
    async furnish(fixture, tenant) {
      const caller = await makeClient(fixture, tenant, 'svc-orders', { grants: ['client_credentials', ...USER_GRANTS], scopes: ['api:read', 'api:write', 'openid'] });
      await makeUser(fixture, tenant, 'dora', 'dora@example.com', 'usr_dora');
      const form = { grant_type: 'client_credentials', scope: 'api:read api:write', ...posted(caller) };
      const answer = parseObject((await post(urlOf(fixture, tenant, 'root', 'token'), form)).body);
      const { access, refresh } = await issuePair(fixture, tenant, caller.id, 'dora', { scopes: ['api:read'] });
      return { caller, tokens: { own: String(answer['access_token']), access, refresh } };
    },
    examples: [
      {
        name: 'a client credentials token of the caller', token: tokenOf('own'), hint: null, life: 3600,
        shown: { active: 'boolean', scope: 'string', client_id: 'string', token_type: 'string', exp: 'integer', iat: 'integer', sub: 'string', aud: 'string', iss: 'string' },
        whole: (world) => ({ active: true, scope: 'api:read api:write', client_id: 'svc-orders', token_type: 'Bearer', sub: 'svc-orders', aud: 'svc-orders', iss: world.issuer, jti: JTI }),
      },
      {
        name: 'a user token: with username, the e-mail', token: tokenOf('access'), hint: 'access_token', life: 3600,
        shown: {
          active: 'boolean', scope: 'string', client_id: 'string', token_type: 'string', exp: 'integer', iat: 'integer', sub: 'string', aud: 'string', iss: 'string',
          username: 'string',
        },
        whole: (world) => ({
          active: true, scope: 'api:read', client_id: 'svc-orders', token_type: 'Bearer', sub: 'usr_dora', aud: 'svc-orders', iss: world.issuer, username: 'dora@example.com',
          jti: JTI, sid: SID,
        }),
      },
      {
        name: 'a refresh token: without token_type', token: tokenOf('refresh'), hint: 'refresh_token', life: 604_800,
        shown: { active: 'boolean', scope: 'string', client_id: 'string', exp: 'integer', iat: 'integer', sub: 'string', aud: 'string', iss: 'string', username: 'string' },
        whole: (world) => ({ active: true, scope: 'api:read', client_id: 'svc-orders', sub: 'usr_dora', aud: 'svc-orders', iss: world.issuer, username: 'dora@example.com' }),
      },
    ],
  },
  {
    document: 'seed 003', slug: 'acme-corp', tenant: { preset: 'lumoauth' }, layout: 'org', alias: 0,
    path: '/orgs/acme-corp/api/v1/oauth/introspect', credentials: 'basic', foreignIsInactive: true,
    async furnish(fixture, tenant) {
      const caller = await makeClient(fixture, tenant, 'abc123def456', { grants: USER_GRANTS, scopes: ['openid', 'profile', 'email'], audience: ['api.example.com'] });
      await makeUser(fixture, tenant, 'john', 'john@example.com', '12345');
      return { caller, tokens: await issuePair(fixture, tenant, caller.id, 'john') };
    },
    examples: [
      {
        name: 'a user token of the caller', token: tokenOf('access'), hint: 'access_token', life: 3600,
        shown: {
          active: 'boolean', scope: 'string', client_id: 'string', username: 'string', token_type: 'string', exp: 'integer', iat: 'integer', sub: 'string', aud: 'string',
          iss: 'string',
        },
        whole: (world) => ({
          active: true, scope: 'openid profile email', client_id: 'abc123def456', username: 'john@example.com', token_type: 'Bearer', sub: '12345', aud: 'api.example.com',
          iss: world.issuer, jti: JTI, sid: SID,
        }),
      },
      {
        name: 'its refresh token', token: tokenOf('refresh'), hint: 'refresh_token', life: 2_592_000,
        shown: { active: 'boolean', scope: 'string', client_id: 'string', username: 'string', exp: 'integer', iat: 'integer', sub: 'string', aud: 'string', iss: 'string' },
        whole: (world) => ({
          active: true, scope: 'openid profile email', client_id: 'abc123def456', username: 'john@example.com', sub: '12345', aud: 'api.example.com', iss: world.issuer,
        }),
      },
    ],
  },
  {
    document: 'seed 004', slug: 'authkit', tenant: { preset: 'workos' }, layout: 'root', alias: 1,
    path: '/oauth2/introspection', credentials: 'body', foreignIsInactive: true,
    async furnish(fixture, tenant) {
      const caller = await makeClient(fixture, tenant, 'client_01JP8BD0CZ401TDF9X54NT5ZEK', {
        grants: ['client_credentials', ...USER_GRANTS], audience: ['client_123456789'], orgId: 'org_01JJT1ZX4Y9BG603K4Q9SHZ1KW',
      }, { supplied: '1eaaf7a47948398d89e2b07dce912b6a9c0282aa20e88c026fcb42fd6b06b73e' });
      await makeUser(fixture, tenant, 'uma', 'uma@example.com', 'user_01JPXN6KA7622KJ4VP83X1NTKX');
      const wish = { org: 'org_01HRDMC6CM357W30QMHMQ96Q0S', session: 'app_consent_01JPXN6KAQW83AMXXY5WX3RHTJ' };
      const { access, refresh } = await issuePair(fixture, tenant, caller.id, 'uma', wish);
      return { caller, tokens: { access, refresh, own: (await issue(fixture, tenant, caller.id)).access_token } };
    },
    examples: [
      {
        name: 'a user token with its session and organization', token: tokenOf('access'), hint: 'access_token', life: 300,
        shown: {
          active: 'boolean', client_id: 'string', iss: 'string', aud: 'string', sub: 'string', org_id: 'string', sid: 'string', jti: 'string', exp: 'integer', iat: 'integer',
          token_type: 'string',
        },
        whole: (world) => ({
          active: true, client_id: 'client_01JP8BD0CZ401TDF9X54NT5ZEK', iss: world.issuer, aud: 'client_123456789', sub: 'user_01JPXN6KA7622KJ4VP83X1NTKX',
          org_id: 'org_01HRDMC6CM357W30QMHMQ96Q0S', sid: 'app_consent_01JPXN6KAQW83AMXXY5WX3RHTJ', token_type: 'access_token', jti: JTI,
        }),
      },
      {
        name: 'a client token: an organization and no session', token: tokenOf('own'), hint: 'access_token', life: 300,
        shown: {
          active: 'boolean', aud: 'string', client_id: 'string', iss: 'string', sub: 'string', org_id: 'string', jti: 'string', exp: 'integer', iat: 'integer',
          token_type: 'string',
        },
        whole: (world) => ({
          active: true, aud: 'client_123456789', client_id: 'client_01JP8BD0CZ401TDF9X54NT5ZEK', iss: world.issuer, sub: 'client_01JP8BD0CZ401TDF9X54NT5ZEK',
          org_id: 'org_01JJT1ZX4Y9BG603K4Q9SHZ1KW', token_type: 'access_token', jti: JTI,
        }),
      },
      {
        name: 'a refresh token: without exp, session and jti', token: tokenOf('refresh'), hint: 'refresh_token', life: null,
        shown: { active: 'boolean', client_id: 'string', iss: 'string', aud: 'string', sub: 'string', iat: 'integer', token_type: 'string' },
        whole: (world) => ({
          active: true, client_id: 'client_01JP8BD0CZ401TDF9X54NT5ZEK', iss: world.issuer, aud: 'client_123456789', sub: 'user_01JPXN6KA7622KJ4VP83X1NTKX',
          org_id: 'org_01HRDMC6CM357W30QMHMQ96Q0S', token_type: 'refresh_token',
        }),
      },
    ],
  },
];

let fixture: Fixture;
const worlds = new Map<string, World>();

beforeAll(async () => {
  fixture = await startFixture();
  await Promise.all(seeds.map(async (seed) => {
    const tenant = await makeTenant(fixture, seed.slug, seed.tenant);
    const furnished = await seed.furnish(fixture, tenant);
    worlds.set(seed.document, { fixture, tenant, issuer: issuer(fixture, tenant), url: urlOf(fixture, tenant, seed.layout, 'introspect', seed.alias), ...furnished });
  }));
});
afterAll(() => fixture.close());

function worldOf(seed: Seed): World {
  const world = worlds.get(seed.document);
  if (world === undefined) throw new Error('the fixture was not furnished');
  return world;
}

/** The document's own request: its URL, its kind of credentials, its parameters. */
function ask(seed: Seed, token: string, hint: string | null, as = worldOf(seed).caller): Promise<Answer> {
  const form = { token, ...(hint !== null && { token_type_hint: hint }) };
  const { url } = worldOf(seed);
  return seed.credentials === 'basic' ? post(url, form, as) : post(url, { ...form, ...posted(as) });
}

for (const seed of seeds) {
  describe(`${seed.document} · POST ${seed.path}`, () => {
    test('INT-33, INT-122 the documented URL, at the tenant\'s one issuer', () => {
      const { url, issuer: iss } = worldOf(seed);
      expect(new URL(url).pathname).toBe(seed.path);
      const base = { realm: `${fixture.server.url}/t/${seed.slug}`, org: `${fixture.server.url}/orgs/${seed.slug}`, root: `http://${seed.slug}.localhost:${fixture.server.port}` };
      expect(iss).toBe(base[seed.layout]);
    });

    for (const example of seed.examples) {
      test(`INT-01, INT-02, INT-03, INT-100, INT-101, INT-104 ${example.name}`, async () => {
        const world = worldOf(seed);
        const answer = await ask(seed, example.token(world), example.hint);
        const members = parseObject(answer.body);
        expect(answer).toEqual(jsonAnswer(200, answer.body));
        expect(answer.body).toStartWith('{"active":true,');

        const types = memberTypes(members);
        expect(types).toMatchObject(example.shown);
        expect(Object.keys(types).filter((name) => !(name in example.shown) && !EXTRAS.includes(name))).toEqual([]);

        const { exp, iat, ...rest } = members;
        expect(rest).toEqual(example.whole(world));
        expect(Math.abs(Number(iat) - nowS())).toBeLessThan(60);
        expect(exp).toBe(example.life === null ? undefined : Number(iat) + example.life);
      });
    }

    test('INT-08, INT-09 a wrong, unknown or absent hint changes nothing', async () => {
      for (const example of seed.examples) {
        const token = example.token(worldOf(seed));
        const answers = await Promise.all(['access_token', 'refresh_token', 'foo', null].map((hint) => ask(seed, token, hint)));
        expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
      }
    });

    test('INT-40 without credentials → 401, and nothing about the token', async () => {
      const world = worldOf(seed);
      const before = storedState(fixture);
      const answer = await post(world.url, { token: tokenOf('access')(world) });
      expect(errorFault(answer, 401, 'invalid_client')).toBe(null);
      expect(storedState(fixture)).toBe(before);
    });

    test('INT-44 both kinds of credentials at once → 400', async () => {
      const { url, caller, tokens } = worldOf(seed);
      expect(errorFault(await post(url, { token: tokens['access'] ?? '', ...posted(caller) }, caller), 400, 'invalid_request')).toBe(null);
    });

    test('INT-70, INT-72..74, INT-82, INT-84, INT-95 every cause of inactivity gives the same bytes', async () => {
      const { tenant, caller } = worldOf(seed);
      const users = { grants: ['client_credentials', ...USER_GRANTS], scopes: ['openid'] } as const;
      await makeClient(fixture, tenant, FOREIGN_ID, users);
      const own = await makeClient(fixture, tenant, null, { ...users, ...(seed.foreignIsInactive && { introspect: 'issued_to' }) });
      await makeUser(fixture, tenant, 'mallory');
      const foreign = await issuePair(fixture, tenant, FOREIGN_ID, 'mallory');
      const revoked = await issuePair(fixture, tenant, own.id, 'mallory');
      const revokedAlone = (await issue(fixture, tenant, own.id)).access_token;
      const other = worldOf(seeds[(seeds.indexOf(seed) + 1) % seeds.length] ?? seed);
      const good = tokenOf('access')(worldOf(seed));
      const revokeUrl = urlOf(fixture, tenant, tenant.layout, 'revoke');
      for (const token of [revoked.refresh, revokedAlone]) expect((await post(revokeUrl, { token }, own)).status).toBe(200);

      const causes: Readonly<Record<string, string>> = {
        'never existed': 'mF_9.B5f-4.1JqM', 'unknown opaque access token': `at_${'A'.repeat(43)}`, 'unknown refresh token': `rt_${'A'.repeat(43)}`,
        'malformed: two parts': good.split('.').slice(0, 2).join('.'), 'malformed: cut off': good.slice(0, -20), 'malformed: no JWT': 'eyJhbGciOiJSUzI1NiI...',
        expired: await forge(fixture, tenant, good, { claims: { iat: nowS() - 7200, exp: nowS() - 3600, jti: 'expired' } }),
        'revoked with its grant': revoked.access, 'revoked refresh token': revoked.refresh, 'revoked itself': revokedAlone,
        'another tenant\'s access token': tokenOf('access')(other), 'another tenant\'s refresh token': tokenOf('refresh')(other),
        'wrong issuer': await forge(fixture, tenant, good, { claims: { iss: other.issuer } }),
        ...(seed.foreignIsInactive && { 'another client\'s access token': foreign.access, 'another client\'s refresh token': foreign.refresh }),
      };
      const answers = Object.fromEntries(await Promise.all(Object.entries(causes).map(async ([cause, token]) => [cause, await ask(seed, token, null, caller)] as const)));
      expect(answers).toEqual(Object.fromEntries(Object.keys(causes).map((cause) => [cause, INACTIVE])));
      if (!seed.foreignIsInactive) {
        expect(parseObject((await ask(seed, foreign.access, null)).body)).toMatchObject({ active: true, client_id: FOREIGN_ID });
        return;
      }
      for (const token of [foreign.access, foreign.refresh]) {
        const event = await untilAudited(fixture, tenant, 'token_introspection_denied', token);
        expect(event).toMatchObject({ actor: caller.id, clientId: FOREIGN_ID, outcome: 'denied', count: 1 });
      }
    });
  });
}

describe('seed 000 · POST /t/my-app/protocol/openid-connect/revoke', () => {
  const seed = seeds[0];
  if (seed === undefined) throw new Error('there is a seed 000');
  const rows = [
    ['an access token of another client', 'access_token', async (tenant: Tenant) => (await issuePair(fixture, tenant, 'my-spa', 'alice')).access],
    ['a refresh token of another client', 'refresh_token', async (tenant: Tenant) => (await issuePair(fixture, tenant, 'my-spa', 'alice')).refresh],
    ['what never existed', 'refresh_token', () => Promise.resolve('never-existed')],
  ] as const;
  for (const [name, hint, make] of rows) {
    test(`REV-01, REV-03, REV-04 ${name} → 200, once and again, and inactive`, async () => {
      const { tenant, caller } = worldOf(seed);
      const token = await make(tenant);
      for (let round = 0; round < 2; round += 1) {
        const answer = await post(urlOf(fixture, tenant, 'realm', 'revoke'), { token, token_type_hint: hint }, caller);
        expect(answer).toEqual(jsonAnswer(200, ''));
        expect(await ask(seed, token, hint)).toEqual(INACTIVE);
      }
    });
  }

  test('REV-14 a revoked refresh token ends its session with the session\'s other grants', async () => {
    const { tenant } = worldOf(seed);
    const one = await issuePair(fixture, tenant, 'my-spa', 'alice', { session: 'ses_shared' });
    const two = await issuePair(fixture, tenant, 'my-spa', 'alice', { session: 'ses_shared' });
    expect(parseObject((await ask(seed, two.access, null)).body)['active']).toBe(true);
    expect((await post(urlOf(fixture, tenant, 'realm', 'revoke'), { token: one.refresh, token_type_hint: 'refresh_token' }, worldOf(seed).caller)).status).toBe(200);
    for (const token of [one.access, one.refresh, two.access, two.refresh]) expect(await ask(seed, token, null)).toEqual(INACTIVE);
    expect(await fixture.application.ctx.store.findSession(tenant.id, 'ses_shared')).toMatchObject({ endedAtMs: expect.any(Number) });
  });
});
