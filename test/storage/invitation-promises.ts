import { expect } from 'bun:test';
import type { StorePromise } from './conformance.ts';
import { aMail, aPassword, dueOf, furnishPeople, winners } from './people-samples.ts';
import { anEvent, aUser, digestOf, HOUR_MS, T0 } from './samples.ts';
import { sweepAll } from './sweep-promises.ts';
import type { Invitation } from '../../src/core/admin.ts';
import type { Store } from '../../src/core/store.ts';
import { listAudit } from '../helpers/trail.ts';

const WEEK_MS = 7 * 24 * HOUR_MS;
const at = T0 + 5000;
const events = [anEvent({ type: 'invitation_accepted' })];

/** An invitation whose token is named `name`. */
function anInvitation(name = 'inv_1', changes: Partial<Invitation> = {}): Invitation {
  return {
    id: name, tenantId: 'ten_1', orgId: 'org_1', email: 'Jane@example.com', roles: ['admin', 'gone'], digest: digestOf(name), invitedBy: 'operator',
    createdAtMs: T0, expiresAtMs: T0 + WEEK_MS, acceptedAtMs: null, revokedAtMs: null, ...changes,
  };
}

async function furnishOrganization(store: Store): Promise<void> {
  await furnishPeople(store);
  await store.createOrganization({ tenantId: 'ten_1', id: 'org_1', name: 'Org', createdAtMs: T0 }, []);
  for (const name of ['admin', 'member']) await store.putRole({ tenantId: 'ten_1', name, permissions: [], createdAtMs: T0 }, []);
}

const invite = (store: Store, invitation: Invitation) => store.createInvitation(invitation, { audit: [], outbox: [] });
const accept = (store: Store, name: string, userId = 'usr_1', atMs = at) =>
  store.acceptInvitation({ tenantId: 'ten_1', digest: digestOf(name), userId, atMs }, events);
const accepted = async (store: Store) => (await listAudit(store, { type: 'invitation_accepted', limit: 99 })).length;

/** Invitations into organizations. */
export const invitationPromises: readonly StorePromise[] = [
  ['an invitation goes out with its mail, and in place of a former one to the same address', async (store) => {
    await furnishOrganization(store);
    const report = { audit: [anEvent({ type: 'invitation_created' })], outbox: [aMail('out_inv')] };
    expect(await store.createInvitation(anInvitation('nowhere', { orgId: 'org_9' }), report)).toBe(false);
    expect(await dueOf(store, at)).toEqual([]);
    expect(await store.createInvitation(anInvitation(), report)).toBe(true);
    expect((await dueOf(store, at)).map(({ id }) => id)).toEqual(['out_inv']);
    await invite(store, anInvitation('inv_2', { email: 'joe@example.com', createdAtMs: T0 + 1 }));
    expect(await store.listInvitations('ten_1', 'org_1', at)).toEqual([anInvitation('inv_2', { email: 'joe@example.com', createdAtMs: T0 + 1 }), anInvitation()]);
    await invite(store, anInvitation('inv_3', { email: 'JANE@example.com', createdAtMs: T0 + 2 }));
    expect((await store.listInvitations('ten_1', 'org_1', at)).map(({ id }) => id)).toEqual(['inv_3', 'inv_2']);
    expect(await store.findInvitation('ten_1', digestOf('inv_1'))).toEqual(anInvitation('inv_1', { revokedAtMs: T0 + 2 }));
    expect([await store.findInvitation('ten_2', digestOf('inv_1')), await store.findInvitation('ten_1', digestOf('inv_9'))]).toEqual([null, null]);
    expect([await store.listInvitations('ten_2', 'org_1', at), await store.listInvitations('ten_1', 'org_1', T0 + WEEK_MS)]).toEqual([[], []]);
    expect([await store.revokeInvitation('ten_2', 'inv_3', at, events), await store.revokeInvitation('ten_1', 'inv_1', at, events)]).toEqual([false, false]);
    expect(await winners(() => store.revokeInvitation('ten_1', 'inv_3', at, events))).toBe(1);
    expect((await store.listInvitations('ten_1', 'org_1', at)).map(({ id }) => id)).toEqual(['inv_2']);
    expect(await accepted(store)).toBe(1);
  }],

  ['it is accepted once, by one who is there: roles are added that still exist, and the address that it came to is verified', async (store) => {
    await furnishOrganization(store);
    const jane = aUser();
    await store.updateUser(jane, { ...jane, emailVerified: false }, 'jane', []);
    expect((await store.findUser('ten_1', 'usr_1'))?.emailVerified).toBe(false);
    await store.putMembership({ tenantId: 'ten_1', orgId: 'org_1', userId: 'usr_1', roles: ['member'], createdAtMs: T0 }, []);
    expect(await store.listMemberships('ten_1', { userId: 'usr_1' })).toHaveLength(1);
    await invite(store, anInvitation());
    expect([await accept(store, 'inv_1', 'usr_9'), await accept(store, 'inv_9'), await accept(store, 'inv_1', 'usr_1', T0 + WEEK_MS)]).toEqual([false, false, false]);
    expect(await winners(() => accept(store, 'inv_1'))).toBe(1);
    expect(await store.listMemberships('ten_1', { userId: 'usr_1' })).toEqual([{ tenantId: 'ten_1', orgId: 'org_1', userId: 'usr_1', roles: ['member', 'admin'], createdAtMs: T0 }]);
    expect((await store.findUser('ten_1', 'usr_1'))?.emailVerified).toBe(true);
    expect(await store.listInvitations('ten_1', 'org_1', at)).toEqual([]);
    expect(await store.revokeInvitation('ten_1', 'inv_1', at, [])).toBe(false);
    await invite(store, anInvitation('inv_2'));
    await store.revokeInvitation('ten_1', 'inv_2', at, []);
    expect(await accept(store, 'inv_2')).toBe(false);
    expect(await accepted(store)).toBe(1);
  }],

  ['who is new is made with it: account, password and membership in one step, or nothing', async (store) => {
    await furnishOrganization(store);
    const user = aUser({ id: 'usr_new', username: 'new@example.com', email: 'new@example.com' });
    const register = (name: string, more = {}) =>
      store.registerInvited({ digest: digestOf(name), user, usernameKey: 'new@example.com', password: aPassword({ userId: 'usr_new' }), atMs: at, ...more }, events);
    await invite(store, anInvitation('inv_1', { email: 'new@example.com' }));
    expect([await register('inv_9'), await register('inv_1', { atMs: T0 + WEEK_MS }), await register('inv_1', { user: { ...user, tenantId: 'ten_2' } })]).toEqual(['spent', 'spent', 'spent']);
    expect(await register('inv_1', { usernameKey: 'jane' })).toBe('taken');
    expect([await store.findUser('ten_1', 'usr_new'), await accepted(store)]).toEqual([null, 0]);
    expect(await winners(() => register('inv_1'), 'created')).toBe(1);
    expect(await store.findUser('ten_1', 'usr_new')).toEqual(user);
    expect(await store.findPassword('ten_1', 'usr_new')).toEqual(aPassword({ userId: 'usr_new' }));
    expect(await store.listMemberships('ten_1', { userId: 'usr_new' })).toEqual([{ tenantId: 'ten_1', orgId: 'org_1', userId: 'usr_new', roles: ['admin'], createdAtMs: at }]);
    expect(await accepted(store)).toBe(1);
  }],

  ['of who is deleted, the invitation by which they came goes too; an open one of the same address stays', async (store) => {
    await furnishOrganization(store);
    await invite(store, anInvitation());
    expect(await accept(store, 'inv_1')).toBe(true);
    await invite(store, anInvitation('inv_2'));
    const jane = aUser();
    expect(await store.updateUser(jane, { ...jane, email: '', deletedAtMs: at, notBeforeMs: at }, 'usr_1', [])).toBe('updated');
    expect([await store.findInvitation('ten_1', digestOf('inv_1')), (await store.findInvitation('ten_1', digestOf('inv_2')))?.email]).toEqual([null, 'Jane@example.com']);
  }],

  ['invitations go with their organization, and some time after they expired', async (store) => {
    await furnishOrganization(store);
    await store.createOrganization({ tenantId: 'ten_1', id: 'org_2', name: 'Other', createdAtMs: T0 }, []);
    await invite(store, anInvitation());
    await invite(store, anInvitation('inv_2', { orgId: 'org_2' }));
    expect(await store.deleteOrganization({ tenantId: 'ten_1', orgId: 'org_1', atMs: at }, () => [])).toBe(true);
    expect([await store.findInvitation('ten_1', digestOf('inv_1')), await accept(store, 'inv_1')]).toEqual([null, false]);
    await sweepAll(store, T0 + WEEK_MS + 30 * 24 * HOUR_MS);
    expect(await store.findInvitation('ten_1', digestOf('inv_2'))).not.toBeNull();
    await sweepAll(store, T0 + WEEK_MS + 30 * 24 * HOUR_MS + 1);
    expect(await store.findInvitation('ten_1', digestOf('inv_2'))).toBeNull();
  }],
];
