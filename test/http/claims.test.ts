/** Claims that a tenant adds, and its organizations, as callers see them: live, and for those alone who may. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Tenant, User } from '../../src/core/model.ts';
import type { ClaimMapping } from '../../src/core/people.ts';
import { createOrganization, putMember, removeMember, renameOrganization } from '../../src/service/manage-organizations.ts';
import { createRole, updateRole } from '../../src/service/manage-roles.ts';
import { updateTenant } from '../../src/service/manage-tenants.ts';
import { createUser, updateUser } from '../../src/service/manage-users.ts';
import { homeUrl, introspect, issue, makeClient, makePublicClient, makeTenant, must, parseObject, send, startFixture, type Credentials, type Fixture } from '../helpers/fixture.ts';

let fixture: Fixture;
let acme: Tenant;
let alice: User;
let api: Credentials;
let token: string;

const claims: readonly ClaimMapping[] = [
  { claim: 'department', source: 'attribute:department', targets: ['introspection', 'userinfo'] },
  { claim: 'https://example.com/roles', source: 'roles', targets: ['introspection'] },
  { claim: 'permissions', source: 'permissions', targets: ['introspection'] },
  { claim: 'organization', source: 'org.name', targets: ['userinfo'] },
];
const scopes = ['openid', 'email'];
const ask = (caller = api, about = token, tenant = acme) => introspect(fixture, tenant, caller, about);
const told = async (about = token) => parseObject((await send(homeUrl(fixture, acme, 'userinfo'), { headers: { Authorization: `Bearer ${about}` } })).body);

beforeAll(async () => {
  fixture = await startFixture();
  const { ctx } = fixture.application;
  acme = await makeTenant(fixture, 'acme', { introspectionPolicy: 'tenant', people: { claims } });
  alice = must(await createUser(ctx, acme, null, { username: 'alice', email: 'alice@example.com', emailVerified: true, attributes: { department: 'sales' } }));
  must(await createRole(ctx, acme, 'admin', ['orders:write']));
  must(await createOrganization(ctx, acme, 'org_1', 'Example Ltd'));
  must(await putMember(ctx, acme, 'org_1', 'alice', ['admin']));
  await makePublicClient(fixture, acme, 'spa', { scopes });
  api = await makeClient(fixture, acme, 'api', { scopes: ['orders'] });
  token = (await issue(fixture, acme, 'spa', { user: 'alice', org: 'org_1' })).access_token;
});
afterAll(() => fixture.close());

describe('RFC 7662 §2.2 · claims that a tenant adds', () => {
  test('INT-112, INT-119 come after the standard members', async () => {
    const answer = await ask();
    expect(Object.keys(answer).slice(-3)).toEqual(['department', 'https://example.com/roles', 'permissions']);
    expect(answer).toMatchObject({ active: true, sub: alice.id, org_id: 'org_1', department: 'sales', 'https://example.com/roles': ['admin'], permissions: ['orders:write'] });
  });

  test('INT-114 a client\'s own token has none', async () => {
    const own = (await issue(fixture, acme, 'api', { org: 'org_1' })).access_token;
    expect(Object.keys(await ask(api, own))).toEqual(['active', 'scope', 'client_id', 'token_type', 'exp', 'iat', 'sub', 'aud', 'iss', 'jti', 'org_id']);
  });

  test('INT-116 who registered itself learns none of them', async () => {
    const { store } = fixture.application.ctx;
    const mine = await makeClient(fixture, acme, 'self', { grants: ['refresh_token'], scopes });
    const before = await store.findClient(acme.id, mine.id);
    if (before === null) throw new Error('the client is not there');
    await store.updateClient(before, { ...before, selfRegistered: true }, []);
    const own = (await issue(fixture, acme, mine.id, { user: 'alice', org: 'org_1' })).access_token;
    const names = Object.keys(await ask(mine, own));
    expect([names.includes('sub'), names.filter((name) => ['department', 'https://example.com/roles', 'permissions', 'username', 'email'].includes(name))]).toEqual([true, []]);
  });

  test('INT-97 a change shows in the very next answer', async () => {
    const { ctx } = fixture.application;
    const permissions = async () => (await ask())['permissions'];
    expect(await permissions()).toEqual(['orders:write']);
    must(await updateRole(ctx, acme, 'admin', ['orders:read']));
    expect(await permissions()).toEqual(['orders:read']);
    must(await putMember(ctx, acme, 'org_1', 'alice', []));
    expect(await permissions()).toBeUndefined();
    must(await putMember(ctx, acme, 'org_1', 'alice', ['admin']));
    must(await updateUser(ctx, acme, 'alice', { attributeEdits: { department: 'support' } }));
    expect(await ask()).toMatchObject({ permissions: ['orders:read'], department: 'support' });
    must(await updateTenant(ctx, 'acme', { people: { claims: [] } }));
    expect(await ask()).not.toHaveProperty('permissions');
    must(await updateTenant(ctx, 'acme', { people: { claims } }));
  });
});

describe('OpenID Connect Core §5.3.2 · claims that a tenant adds', () => {
  test('US-07 beside those of the scopes, whatever scopes there are', async () => {
    expect(await told()).toEqual({ sub: alice.id, email: 'alice@example.com', email_verified: true, department: 'support', organization: 'Example Ltd' });
    expect(await told((await issue(fixture, acme, 'spa', { user: 'alice', scopes: ['openid'] })).access_token)).toEqual({ sub: alice.id, department: 'support' });
  });
});

describe('wire contract §2 · org_name', () => {
  test('INT-110, INT-111 only in the form avnology, of an organization that is registered, with its present name', async () => {
    const { ctx } = fixture.application;
    const avnology = await makeClient(fixture, acme, 'avnology', { shape: 'avnology' });
    expect(await ask(avnology)).toMatchObject({ org_id: 'org_1', org_name: 'Example Ltd' });
    expect(await ask()).not.toHaveProperty('org_name');
    must(await renameOrganization(ctx, acme, 'org_1', 'Example AG'));
    expect(await ask(avnology)).toMatchObject({ org_name: 'Example AG' });
    const foreign = (await issue(fixture, acme, 'spa', { user: 'alice', org: 'org_elsewhere' })).access_token;
    const answer = await ask(avnology, foreign);
    expect([answer['org_id'], answer['org_name'], answer['permissions']]).toEqual(['org_elsewhere', undefined, undefined]);
  });
});

test('INT-87 who leaves an organization takes its tokens along: they are inactive in the very next answer', async () => {
  const { ctx } = fixture.application;
  expect(await ask()).toMatchObject({ active: true, org_id: 'org_1' });
  must(await removeMember(ctx, acme, 'org_1', 'alice'));
  expect(await ask()).toEqual({ active: false });
});
