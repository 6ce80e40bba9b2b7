import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { LogFields } from '../../src/core/ports.ts';
import type { Tenant, User } from '../../src/core/model.ts';
import { claimTargets, type ClaimMapping } from '../../src/core/people.ts';
import { claimsFor, readClaimFacts } from '../../src/service/claims.ts';
import { createOrganization, deleteOrganization, putMember, removeMember } from '../../src/service/manage-organizations.ts';
import { createRole, updateRole } from '../../src/service/manage-roles.ts';
import { updateTenant } from '../../src/service/manage-tenants.ts';
import { createUser, updateUser } from '../../src/service/manage-users.ts';
import { openRig, silentLog, wanted, type Rig } from './rig.ts';

let rig: Rig;
let acme: Tenant;
let alice: User;
const heard: (readonly [string, LogFields | undefined])[] = [];

const mappings: readonly ClaimMapping[] = [
  { claim: 'department', source: 'attribute:department', targets: ['id_token', 'userinfo'] },
  { claim: 'organization', source: 'org.name', targets: ['introspection'] },
  { claim: 'roles', source: 'roles', targets: ['introspection', 'access_token'] },
  { claim: 'permissions', source: 'permissions', targets: ['introspection'] },
];

beforeAll(async () => {
  rig = openRig({ log: { ...silentLog, warn: (message, fields) => heard.push([message, fields]) } });
  acme = await rig.tenant('acme', { people: { claims: mappings } });
  alice = wanted(await createUser(rig.ctx, acme, null, { username: 'alice', email: '', attributes: { department: 'sales' } }));
  wanted(await createRole(rig.ctx, acme, 'admin', ['orders:write', 'orders:read']));
  wanted(await createRole(rig.ctx, acme, 'reader', ['orders:read', 'stock:read']));
  wanted(await createOrganization(rig.ctx, acme, 'org_1', 'Example Ltd'));
  wanted(await putMember(rig.ctx, acme, 'org_1', 'alice', ['reader', 'admin']));
});
afterAll(() => rig.close());

const told = (target: ClaimMapping['targets'][number], orgId: string | null = 'org_1', tenant = acme) => claimsFor(rig.ctx, tenant, target, alice, orgId);

describe('claims that a tenant adds', () => {
  test('each place has its own', async () => {
    expect(await Promise.all(claimTargets.map((target) => told(target)))).toEqual([
      { department: 'sales' }, { roles: ['reader', 'admin'] },
      { organization: 'Example Ltd', roles: ['reader', 'admin'], permissions: ['orders:read', 'stock:read', 'orders:write'] }, { department: 'sales' },
    ]);
  });

  test('of the token\'s organization alone, and of none that is not registered', async () => {
    wanted(await createOrganization(rig.ctx, acme, 'org_2', 'Other'));
    expect([await told('introspection', null), await told('introspection', 'org_elsewhere'), await told('introspection', 'org_2')]).toEqual([{}, {}, { organization: 'Other' }]);
  });

  test('INT-97 what changes shows with the next question', async () => {
    wanted(await updateRole(rig.ctx, acme, 'admin', ['everything']));
    expect(await told('introspection')).toMatchObject({ permissions: ['orders:read', 'stock:read', 'everything'] });
    wanted(await removeMember(rig.ctx, acme, 'org_1', 'alice'));
    expect(await told('introspection')).toEqual({ organization: 'Example Ltd' });
    wanted(await putMember(rig.ctx, acme, 'org_1', 'alice', ['admin']));
    expect(await told('access_token')).toEqual({ roles: ['admin'] });
    wanted(await deleteOrganization(rig.ctx, acme, 'org_1'));
    expect(await told('introspection')).toEqual({});
    expect(await readClaimFacts(rig.ctx, acme, alice, 'org_1')).toEqual({ user: alice, org: null, roles: [], permissions: [] });
  });

  test('nothing is read where nothing is mapped, and no organization where only attributes are', async () => {
    const unread = new Proxy(rig.ctx.store, { get: (_store, name) => { throw new Error(`read ${String(name)}`); } });
    const bare = { ...acme, people: { ...acme.people, claims: [] } };
    expect(await claimsFor({ ...rig.ctx, store: unread }, bare, 'introspection', alice, 'org_1')).toEqual({});
    expect(await claimsFor({ ...rig.ctx, store: unread }, acme, 'id_token', alice, 'org_1')).toEqual({ department: 'sales' });
  });

  test('what does not fit is left out, and the log hears of it once', async () => {
    const large = wanted(await updateUser(rig.ctx, acme, 'alice', { attributes: { department: 'x'.repeat(3000) } }));
    for (const _ of [1, 2]) expect(await claimsFor(rig.ctx, acme, 'id_token', large, null)).toEqual({});
    expect(heard).toEqual([['claims_dropped', { tenant: 'acme', target: 'id_token', sub: alice.id, claims: ['department'] }]]);
  });

  test('INT-119 a tenant cannot take a name that has a meaning', async () => {
    const outcome = await updateTenant(rig.ctx, 'acme', { people: { claims: [{ claim: 'scope', source: 'permissions', targets: ['access_token'] }] } });
    expect(outcome).toMatchObject({ ok: false, error: 'invalid_request', description: expect.stringContaining('RFC 9068') });
  });
});
