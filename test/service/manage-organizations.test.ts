import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Tenant } from '../../src/core/model.ts';
import { introspect } from '../../src/service/introspect.ts';
import { issueToken } from '../../src/service/issue-token.ts';
import { updateClient } from '../../src/service/manage-clients.ts';
import {
  createOrganization, deleteOrganization, putMember, removeMember, renameOrganization, requireOrganization, viewOrganization, warnOfOrganization,
} from '../../src/service/manage-organizations.ts';
import { createRole, deleteRole, requireRole, updateRole } from '../../src/service/manage-roles.ts';
import { createUser, deleteUser, setUserEnabled } from '../../src/service/manage-users.ts';
import { exchangeGrant } from '../../src/service/token.ts';
import { openRig, there, wanted, type Rig } from './rig.ts';

let rig: Rig;
let acme: Tenant;
let bare: Tenant;

beforeAll(async () => {
  rig = openRig();
  acme = await rig.tenant('acme');
  bare = await rig.tenant('bare');
  for (const username of ['alice', 'bob', 'carol']) wanted(await createUser(rig.ctx, acme, null, { username, email: '' }));
  for (const name of ['admin', 'billing']) wanted(await createRole(rig.ctx, acme, name, [`${name}:read`]));
});
afterAll(() => rig.close());

const rolesOf = async (org: string) => Object.fromEntries(wanted(await viewOrganization(rig.ctx, acme, org)).members.map(({ user, membership }) => [user.username, membership.roles]));

describe('organizations', () => {
  test('an id is generated unless chosen; names change, ids do not', async () => {
    const made = wanted(await createOrganization(rig.ctx, acme, null, 'Example Ltd'));
    expect(made).toMatchObject({ tenantId: acme.id, id: expect.stringMatching(/^org_[A-Za-z0-9_-]{22}$/), name: 'Example Ltd' });
    wanted(await createOrganization(rig.ctx, acme, 'org_chosen', 'Chosen'));
    expect(await createOrganization(rig.ctx, acme, 'org_chosen', 'Again')).toMatchObject({ ok: false, error: 'already_exists' });
    expect(wanted(await renameOrganization(rig.ctx, acme, 'org_chosen', 'Renamed'))).toMatchObject({ id: 'org_chosen', name: 'Renamed' });
    expect(wanted(await requireOrganization(rig.ctx, acme, 'org_chosen')).name).toBe('Renamed');
    expect(await rig.events('organization_updated')).toMatchObject([{ tenant: 'acme', actor: 'operator', subject: 'org_chosen', reason: 'name' }]);
  });

  test.each([['a space', 'a b', 'Name'], ['no id', '', 'Name'], ['257 characters', 'x'.repeat(257), 'Name'], ['a letter beyond ASCII', 'orgä', 'Name'], ['TX-04 no name', 'org_x', ''], ['TX-04 a control character', 'org_x', 'a\u0007']])('%s is refused', async (_what, id, name) => {
    expect(await createOrganization(rig.ctx, acme, id, name)).toMatchObject({ ok: false, error: 'invalid_request' });
  });

  test('MTN-05 another tenant has none of them', async () => {
    wanted(await createOrganization(rig.ctx, acme, 'org_own', 'Own'));
    expect(await requireOrganization(rig.ctx, bare, 'org_own')).toMatchObject({ ok: false, error: 'not_found' });
    expect(await deleteOrganization(rig.ctx, bare, 'org_own')).toMatchObject({ ok: false, error: 'not_found' });
    expect(await putMember(rig.ctx, bare, 'org_own', 'alice', [])).toMatchObject({ ok: false, error: 'not_found' });
  });

  test('who belongs to one, and with which roles', async () => {
    wanted(await createOrganization(rig.ctx, acme, 'org_team', 'Team'));
    wanted(await putMember(rig.ctx, acme, 'org_team', 'alice', ['billing', 'admin', 'billing']));
    wanted(await putMember(rig.ctx, acme, 'org_team', 'bob', null));
    expect(await rolesOf('org_team')).toEqual({ alice: ['billing', 'admin'], bob: [] });
    wanted(await putMember(rig.ctx, acme, 'org_team', 'ALICE', null));
    wanted(await putMember(rig.ctx, acme, 'org_team', 'bob', ['admin']));
    expect(await rolesOf('org_team')).toEqual({ alice: ['billing', 'admin'], bob: ['admin'] });
    wanted(await putMember(rig.ctx, acme, 'org_team', 'alice', []));
    wanted(await removeMember(rig.ctx, acme, 'org_team', 'bob'));
    expect(await rolesOf('org_team')).toEqual({ alice: [] });
    expect((await rig.events('membership_changed')).map(({ reason }) => reason)).toEqual(['org_team billing admin', 'org_team', 'org_team billing admin', 'org_team admin', 'org_team']);
    expect(await rig.events('membership_removed')).toMatchObject([{ tenant: 'acme', actor: 'operator', reason: 'org_team' }]);
  });

  test('refusals: nobody, nowhere, and roles that do not exist', async () => {
    wanted(await createOrganization(rig.ctx, acme, 'org_strict', 'Strict'));
    expect(await putMember(rig.ctx, acme, 'org_strict', 'nobody', [])).toMatchObject({ ok: false, error: 'not_found' });
    expect(await putMember(rig.ctx, acme, 'org_none', 'alice', [])).toMatchObject({ ok: false, error: 'not_found' });
    expect(await putMember(rig.ctx, acme, 'org_strict', 'alice', ['admin', 'owner'])).toMatchObject({ ok: false, error: 'not_found', description: expect.stringContaining('"owner"') });
    expect(await removeMember(rig.ctx, acme, 'org_strict', 'alice')).toMatchObject({ ok: false, error: 'not_found' });
    expect(await rolesOf('org_strict')).toEqual({});
  });

  test('a disabled user is a member; one that is deleted is none any more, and cannot become one', async () => {
    wanted(await createOrganization(rig.ctx, acme, 'org_past', 'Past'));
    wanted(await setUserEnabled(rig.ctx, acme, 'carol', false));
    wanted(await putMember(rig.ctx, acme, 'org_past', 'carol', ['admin']));
    const { id } = wanted(await deleteUser(rig.ctx, acme, 'carol'));
    expect(await rolesOf('org_past')).toEqual({});
    expect(await putMember(rig.ctx, acme, 'org_past', id, [])).toMatchObject({ ok: false, error: 'not_found' });
  });

  test('deleting one takes its memberships along', async () => {
    wanted(await createOrganization(rig.ctx, acme, 'org_gone', 'Gone'));
    wanted(await putMember(rig.ctx, acme, 'org_gone', 'alice', ['admin']));
    wanted(await deleteOrganization(rig.ctx, acme, 'org_gone'));
    expect(await viewOrganization(rig.ctx, acme, 'org_gone')).toMatchObject({ ok: false, error: 'not_found' });
    wanted(await createOrganization(rig.ctx, acme, 'org_gone', 'Again'));
    expect(await rolesOf('org_gone')).toEqual({});
    expect(await rig.events('organization_deleted')).toMatchObject([{ subject: 'org_gone' }]);
  });

  test.each(['member', 'organization'] as const)('REV-14, INT-97 the tokens of who is in one speak of it no longer than they are: without the %s they are over', async (gone) => {
    const orgId = `org_${gone}`;
    const { client } = await rig.client(acme, `app_${gone}`, { grants: ['refresh_token'], scopes: ['openid', 'offline_access'], tokenFormat: gone === 'member' ? 'jwt' : 'opaque' });
    wanted(await createOrganization(rig.ctx, acme, orgId, 'Left'));
    wanted(await putMember(rig.ctx, acme, orgId, 'alice', ['admin']));
    wanted(await putMember(rig.ctx, acme, orgId, 'bob', []));
    const issued = async (user: string, org: string | null) => wanted(await issueToken(rig.ctx, acme, { client: client.id, user, org, session: null, scopes: ['openid', 'offline_access'], audience: [] }));
    const refresh = (token: string | undefined) => exchangeGrant(rig.ctx, 'refresh_token', { tenant: acme, client, parameters: { refresh_token: there(token) }, from: { ip: null, requestId: null } });
    const isActive = async (token: string | undefined) => (await introspect(rig.ctx, acme, client, there(token))).active;
    const [alices, bobs, without] = [await issued('alice', orgId), await issued('bob', orgId), await issued('alice', null)];
    const tokens = [alices, bobs, without].flatMap((answer) => [answer.access_token, answer.refresh_token]);
    expect(await Promise.all(tokens.map(isActive))).toEqual([true, true, true, true, true, true]);

    // A role is a claim, read at each question: nothing ends.
    wanted(await putMember(rig.ctx, acme, orgId, 'alice', []));
    expect(await isActive(alices.access_token)).toBe(true);
    wanted(gone === 'member' ? await removeMember(rig.ctx, acme, orgId, 'alice') : await deleteOrganization(rig.ctx, acme, orgId));
    const stays = gone === 'member';
    expect(await Promise.all(tokens.map(isActive))).toEqual([false, false, stays, stays, true, true]);
    expect([(await refresh(alices.refresh_token)).ok, (await refresh(bobs.refresh_token)).ok, (await refresh(without.refresh_token)).ok]).toEqual([false, stays, true]);
    const told = (await rig.events(gone === 'member' ? 'membership_removed' : 'organization_deleted')).at(-1);
    expect(told).toMatchObject({ tenant: 'acme', actor: 'operator', count: gone === 'member' ? 1 : 2 });
  });

  test('an id of elsewhere is taken as it is; a remark where the tenant registers its own', async () => {
    await rig.client(acme, 'app');
    const warned = await updateClient(rig.ctx, acme, 'app', { orgId: 'org_elsewhere' });
    expect(warned).toMatchObject({ ok: true, value: { orgId: 'org_elsewhere' }, warnings: [expect.stringContaining('none with the id org_elsewhere')] });
    expect(await updateClient(rig.ctx, acme, 'app', { orgId: 'org_own' })).toMatchObject({ ok: true, warnings: [] });
    expect(await updateClient(rig.ctx, acme, 'app', { name: 'App' })).toMatchObject({ ok: true, warnings: [] });
    expect([await warnOfOrganization(rig.ctx, bare, 'org_elsewhere'), await warnOfOrganization(rig.ctx, acme, null)]).toEqual([[], []]);
  });
});

describe('roles', () => {
  test('create, replace what one permits, delete', async () => {
    expect(wanted(await createRole(rig.ctx, acme, 'editor', ['a', 'b', 'a']))).toMatchObject({ name: 'editor', permissions: ['a', 'b'] });
    expect(await createRole(rig.ctx, acme, 'editor', [])).toMatchObject({ ok: false, error: 'already_exists' });
    expect(wanted(await updateRole(rig.ctx, acme, 'editor', ['c'])).permissions).toEqual(['c']);
    expect(wanted(await requireRole(rig.ctx, acme, 'editor')).permissions).toEqual(['c']);
    wanted(await deleteRole(rig.ctx, acme, 'editor'));
    for (const outcome of [await requireRole(rig.ctx, acme, 'editor'), await updateRole(rig.ctx, acme, 'editor', []), await deleteRole(rig.ctx, acme, 'editor')]) {
      expect(outcome).toMatchObject({ ok: false, error: 'not_found' });
    }
    expect((await rig.events('role_changed')).filter(({ subject }) => subject === 'editor').map(({ reason }) => reason)).toEqual(['a b', 'c']);
    expect(await rig.events('role_deleted')).toMatchObject([{ tenant: 'acme', subject: 'editor' }]);
  });

  test('a deleted role is nobody\'s any more', async () => {
    wanted(await createRole(rig.ctx, acme, 'brief', []));
    wanted(await createOrganization(rig.ctx, acme, 'org_roles', 'Roles'));
    wanted(await putMember(rig.ctx, acme, 'org_roles', 'alice', ['brief', 'admin']));
    wanted(await deleteRole(rig.ctx, acme, 'brief'));
    expect(await rolesOf('org_roles')).toEqual({ alice: ['admin'] });
  });

  test.each([['a name with a space', 'a b', []], ['65 characters', 'x'.repeat(65), []], ['a permission with a space', 'role', ['a b']]])('%s is refused', async (_what, name, permissions) => {
    expect(await createRole(rig.ctx, acme, name, permissions)).toMatchObject({ ok: false, error: 'invalid_request' });
  });
});
