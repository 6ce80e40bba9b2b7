/**
 * One tenant, many URLs: the same facts at each, in the form that belongs there, and never more rights or more personal
 * data than at home (wire contract §1, §2). What each form holds is written down here a second time, on purpose.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { layouts } from '../../src/core/layouts.ts';
import { layoutNames, presetNames, shapeNames, type LayoutName, type PresetName, type ShapeName, type Tenant, type TokenFacts, type User } from '../../src/core/model.ts';
import { updateClient } from '../../src/service/manage-clients.ts';
import { updateTenant } from '../../src/service/manage-tenants.ts';
import {
  defaultTenant, INACTIVE, issue, issuePair, issuer, jsonAnswer, makeClient, makePublicClient, makeTenant, makeUser, must, parseObject, post, send, startFixture,
  urlOf, type Credentials, type Fixture,
} from '../helpers/fixture.ts';

type Form = {
  readonly username: 'email' | 'login' | null;
  readonly email: boolean;
  readonly type: (kind: 'access' | 'refresh') => string | undefined;
  readonly audienceIsList: boolean;
  readonly refreshExp: boolean;
  readonly jti: boolean;
  readonly sid: boolean;
  readonly org: boolean;
  readonly revokeBody: string;
};
const bearer = (kind: string): string | undefined => (kind === 'access' ? 'Bearer' : undefined);
const forms: Readonly<Record<ShapeName, Form>> = {
  standard: { username: 'email', email: false, type: bearer, audienceIsList: false, refreshExp: true, jti: true, sid: true, org: true, revokeBody: '{}' },
  avnology: { username: null, email: false, type: bearer, audienceIsList: true, refreshExp: true, jti: true, sid: false, org: true, revokeBody: '' },
  kotauth: { username: 'login', email: true, type: () => undefined, audienceIsList: false, refreshExp: true, jti: false, sid: false, org: false, revokeBody: '' },
  workos: { username: null, email: false, type: (kind) => `${kind}_token`, audienceIsList: false, refreshExp: false, jti: true, sid: true, org: true, revokeBody: '{}' },
};
/** The form at a layout for tenants at home elsewhere. */
const usual: Readonly<Record<LayoutName, ShapeName>> = { root: 'standard', realm: 'kotauth', org: 'standard' };
const homes: Readonly<Record<PresetName, readonly [LayoutName, ShapeName]>> = {
  standard: ['root', 'standard'], kotauth: ['realm', 'kotauth'], lumoauth: ['org', 'standard'], aero2: ['root', 'standard'], avnology: ['root', 'avnology'], workos: ['root', 'workos'],
};

/** The whole answer that a token's facts make in a form; the tenant's own form says what may be told of a person. */
function expected(form: Form, own: Form, facts: TokenFacts, iss: string, user: User | null): Record<string, unknown> {
  const access = facts.kind === 'access';
  const mayMail = facts.scopes.includes('email');
  const members: Record<string, unknown> = {
    active: true, scope: facts.scopes.length > 0 ? facts.scopes.join(' ') : undefined, client_id: facts.clientId, token_type: form.type(facts.kind),
    exp: access || form.refreshExp ? facts.expiresAt ?? undefined : undefined, iat: Math.floor(facts.issuedAtMs / 1000), sub: facts.subject,
    aud: facts.audience.length > 1 || form.audienceIsList ? facts.audience : facts.audience[0], iss,
    jti: access && form.jti ? facts.id : undefined, sid: access && form.sid ? facts.sessionId ?? undefined : undefined, org_id: form.org ? facts.orgId ?? undefined : undefined,
  };
  if (user !== null && form.username !== null && own.username !== null) {
    // At home a kotauth tenant tells the address by scope alone: no URL tells it without.
    const mail = form.username === 'email' && user.email !== '' && (own.username === 'email' || mayMail);
    members['username'] = mail ? user.email : user.username;
  }
  if (user !== null && form.email && own.email && mayMail && user.email !== '') members['email'] = user.email;
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

/** A tenant with all kinds of token, and everyone who may ask about them. */
type World = {
  readonly tenant: Tenant;
  readonly own: ShapeName;
  /** May know everything. */
  readonly gateway: Credentials;
  /** Under the tenant's own policy. */
  readonly client: Credentials;
  readonly stranger: Credentials;
  readonly tokens: Readonly<Record<string, string>>;
};
type Place = { readonly name: string; readonly layout: LayoutName; readonly alias: number };

const places: readonly Place[] = layoutNames.flatMap((layout) => layouts[layout].paths.introspect.map(({ path }, alias) => ({ name: `${layout} ${path}`, layout, alias })));
const worldNames = ['default', ...presetNames] as const;
const grants = ['client_credentials', 'authorization_code', 'refresh_token'] as const;

let fixture: Fixture;
const worlds = new Map<string, World>();

beforeAll(async () => {
  fixture = await startFixture();
  await Promise.all(worldNames.map(async (name) => {
    const tenant = name === 'default'
      ? await defaultTenant(fixture)
      : await makeTenant(fixture, name, { preset: name, host: `${name}.localhost:${fixture.server.port}` });
    worlds.set(name, await furnish(tenant, name === 'default' ? 'standard' : homes[name][1]));
  }));
});
afterAll(() => fixture.close());

async function furnish(tenant: Tenant, own: ShapeName): Promise<World> {
  const scopes = ['openid', 'email', 'profile', 'read'];
  const gateway = await makeClient(fixture, tenant, 'gateway', { introspect: 'tenant' });
  const client = await makeClient(fixture, tenant, 'svc', { grants, scopes, orgId: 'org_client' });
  const stranger = await makeClient(fixture, tenant, 'stranger', { grants });
  await makeClient(fixture, tenant, 'opaque', { grants, scopes, tokenFormat: 'opaque' });
  await makeUser(fixture, tenant, 'alice', 'alice@mail.example', '42');
  await makeUser(fixture, tenant, 'nomail', '', 'usr_nomail');
  const full = await issuePair(fixture, tenant, 'svc', 'alice', { org: 'org_1', session: 'ses_1' });
  const shy = await issuePair(fixture, tenant, 'svc', 'alice', { scopes: ['read'] });
  return {
    tenant, own, gateway, client, stranger,
    tokens: {
      'user access': full.access, 'user refresh': full.refresh, 'user access without scope email': shy.access, 'user refresh without scope email': shy.refresh,
      'access of a user without an address': (await issuePair(fixture, tenant, 'svc', 'nomail')).access,
      'opaque user access': (await issue(fixture, tenant, 'opaque', { user: 'alice', org: 'org_2' })).access_token,
      'client access': (await issue(fixture, tenant, 'svc')).access_token, 'opaque client access': (await issue(fixture, tenant, 'opaque')).access_token,
      'client access without scope': (await issue(fixture, tenant, 'stranger')).access_token,
      'client access for two': (await issue(fixture, tenant, 'svc', { audience: ['https://a.example', 'https://b.example'] })).access_token,
    },
  };
}

const worldOf = (name: string): World => worlds.get(name) ?? (() => { throw new Error(`no world ${name}`); })();
async function factsOf({ tenant }: World, token: string): Promise<{ facts: TokenFacts; user: User | null }> {
  const { tokens, store } = fixture.application.ctx;
  const reading = await tokens.read(tenant, issuer(fixture, tenant), token);
  if (!reading.known) throw new Error(reading.reason);
  const { facts } = reading;
  return { facts, user: facts.userId === null ? null : await store.findUser(tenant.id, facts.userId) };
}
/** Precedence of wire contract §2. */
const formAt = ({ tenant, own }: World, { layout, alias }: Place, client: ShapeName | null): ShapeName =>
  client ?? (layout === 'root' && alias === 1 ? 'workos' : layout === tenant.layout ? own : usual[layout]);
const urlAt = ({ tenant }: World, { layout, alias }: Place): string => urlOf(fixture, tenant, layout, 'introspect', alias);

for (const name of worldNames) {
  describe(`tenant ${name}`, () => {
    test('INT-103 at home where its preset says, with the issuer that its discovery names', async () => {
      const { tenant } = worldOf(name);
      if (name !== 'default') expect(tenant.layout).toBe(homes[name][0]);
      const metadata = parseObject((await send(`${issuer(fixture, tenant)}/.well-known/openid-configuration`, {})).body);
      expect(metadata['issuer']).toBe(issuer(fixture, tenant));
      expect(metadata['introspection_endpoint']).toBe(urlOf(fixture, tenant, tenant.layout, 'introspect'));
    });

    for (const place of places) {
      test(`INT-36, INT-100..114, INT-119, INT-122 the same facts at ${place.name}, in its form`, async () => {
        const world = worldOf(name);
        const shape = formAt(world, place, null);
        for (const [kind, token] of Object.entries(world.tokens)) {
          const answer = await post(urlAt(world, place), { token }, world.gateway);
          const { facts, user } = await factsOf(world, token);
          expect([kind, parseObject(answer.body)]).toEqual([kind, expected(forms[shape], forms[world.own], facts, issuer(fixture, world.tenant), user)]);
          expect(answer).toEqual(jsonAnswer(200, answer.body));
          for (const hidden of [token, facts.grantId ?? 'none', world.tenant.id]) expect(answer.body).not.toContain(hidden);
        }
      });

      test(`INT-60, INT-64 the tenant's policy at ${place.name}: who may know is no matter of the URL`, async () => {
        const world = worldOf(name);
        const home = places.find(({ layout }) => layout === world.tenant.layout) ?? place;
        for (const caller of [world.client, world.stranger]) {
          for (const token of Object.values(world.tokens)) {
            const atHome = await post(urlAt(world, home), { token }, caller);
            const here = await post(urlAt(world, place), { token }, caller);
            expect(parseObject(here.body)['active']).toBe(parseObject(atHome.body)['active']);
            if (atHome.body === INACTIVE.body) expect(here).toEqual(INACTIVE);
          }
        }
        const may = world.tenant.introspectionPolicy === 'tenant';
        expect(parseObject((await post(urlAt(world, place), { token: world.tokens['user access'] ?? '' }, world.stranger)).body)['active']).toBe(may);
      });
    }

    test('INT-112, INT-116 no URL and no form tells an address that the tenant\'s own form would keep', async () => {
      const world = worldOf(name);
      const { ctx } = fixture.application;
      const quiet = Object.entries(world.tokens).filter(([kind]) => (world.own === 'kotauth' ? kind.endsWith('without scope email') : world.own !== 'standard'));
      for (const shape of [null, ...shapeNames]) {
        must(await updateClient(ctx, world.tenant, world.gateway.id, { shape }));
        for (const place of places) {
          for (const [kind, token] of quiet) expect([shape, place.name, kind, (await post(urlAt(world, place), { token }, world.gateway)).body]).toEqual([shape, place.name, kind, expect.not.stringContaining('@')]);
        }
      }
      must(await updateClient(ctx, world.tenant, world.gateway.id, { shape: null }));
    });

    for (const shape of shapeNames) {
      test(`INT-108, INT-111 the caller's own form ${shape} goes over every URL's`, async () => {
        const world = worldOf(name);
        must(await updateClient(fixture.application.ctx, world.tenant, world.gateway.id, { shape }));
        try {
          for (const place of places) {
            for (const kind of ['user access', 'user refresh', 'client access']) {
              const token = world.tokens[kind] ?? '';
              const { facts, user } = await factsOf(world, token);
              const wanted = expected(forms[formAt(world, place, shape)], forms[world.own], facts, issuer(fixture, world.tenant), user);
              expect(parseObject((await post(urlAt(world, place), { token }, world.gateway)).body)).toEqual(wanted);
            }
          }
        } finally {
          must(await updateClient(fixture.application.ctx, world.tenant, world.gateway.id, { shape: null }));
        }
      });
    }

    for (const layout of layoutNames) {
      test(`REV-01, REV-03, REV-05 revocation at ${layout}: the body of its form, JSON by type also when empty`, async () => {
        const world = worldOf(name);
        const at = urlOf(fixture, world.tenant, layout, 'revoke');
        for (const shape of [null, ...shapeNames]) {
          must(await updateClient(fixture.application.ctx, world.tenant, world.client.id, { shape }));
          const wanted = jsonAnswer(200, forms[shape ?? (layout === world.tenant.layout ? world.own : usual[layout])].revokeBody);
          const mine = (await issue(fixture, world.tenant, 'svc')).access_token;
          for (const token of [mine, mine, 'unknown', `rt_${'A'.repeat(43)}`]) expect(await post(at, { token }, world.client)).toEqual(wanted);
          expect(await post(urlAt(world, { name: '', layout: world.tenant.layout, alias: 0 }), { token: mine }, world.gateway)).toEqual(INACTIVE);
        }
        must(await updateClient(fixture.application.ctx, world.tenant, world.client.id, { shape: null }));
      });

      test(`REV-04 revocation at ${layout}: who may is the tenant's policy`, async () => {
        const world = worldOf(name);
        const token = (await issuePair(fixture, world.tenant, 'svc', 'alice')).access;
        expect((await post(urlOf(fixture, world.tenant, layout, 'revoke'), { token }, world.stranger)).status).toBe(200);
        const { body } = await post(urlAt(world, { name: '', layout, alias: 0 }), { token }, world.gateway);
        expect(parseObject(body)['active']).toBe(world.tenant.revocationPolicy === 'issued_to');
      });
    }
  });
}

describe('changes of form', () => {
  test('INT-111 the tenant\'s form counts at home from the next request on, and nowhere else', async () => {
    const tenant = await makeTenant(fixture, 'changing', { layout: 'org' });
    const caller = await makeClient(fixture, tenant, 'svc');
    const { access_token: token } = await issue(fixture, tenant, 'svc');
    const typeAt = async (layout: LayoutName): Promise<unknown> => parseObject((await post(urlOf(fixture, tenant, layout, 'introspect'), { token }, caller)).body)['token_type'];
    for (const [shape, atHome] of [['workos', 'access_token'], ['kotauth', undefined], ['avnology', 'Bearer'], ['standard', 'Bearer']] as const) {
      must(await updateTenant(fixture.application.ctx, tenant.slug, { shape }));
      expect(await typeAt('org')).toBe(atHome);
      expect(await typeAt('realm')).toBe(undefined);
    }
  });

  test('INT-43 a public client is refused at every URL', async () => {
    const { tenant, tokens } = worldOf('kotauth');
    const spa = await makePublicClient(fixture, tenant, 'spa');
    for (const place of places) {
      expect((await post(urlAt(worldOf('kotauth'), place), { token: tokens['user access'] ?? '', client_id: spa })).status).toBe(401);
    }
  });
});
