import { expect } from 'bun:test';
import type { StorePromise } from './conformance.ts';
import { aBrowserSession, aCode, aConsent, aMail, dueOf, furnishPeople, logoutOf, logoutsOf, open, revokedOf, winners } from './people-samples.ts';
import { aClient, anEvent, digestOf, T0 } from './samples.ts';
import type { AuditEvent } from '../../src/core/audit-event.ts';
import type { Grant } from '../../src/core/model.ts';
import type { LogoutCursor } from '../../src/core/people-store.ts';
import type { Membership, OutboxItem } from '../../src/core/people.ts';
import { listAudit } from '../helpers/trail.ts';

const at = T0 + 5_000;
const anOrganization = (changes = {}) => ({ tenantId: 'ten_1', id: 'org_1', name: 'Org', createdAtMs: T0, ...changes });
const aMembership = (changes: Partial<Membership> = {}): Membership => ({ tenantId: 'ten_1', orgId: 'org_1', userId: 'usr_1', roles: ['admin', 'member'], createdAtMs: T0, ...changes });
const aRole = (changes = {}) => ({ tenantId: 'ten_1', name: 'admin', permissions: ['orders:write'], createdAtMs: T0, ...changes });
const aRemoval = { tenantId: 'ten_1', orgId: 'org_1', userId: 'usr_1', atMs: at };
const events = [anEvent({ type: 'organization_created' })];

/** Organizations, memberships, roles, and the outbox. */
export const organizationPromises: readonly StorePromise[] = [
  ['an organization is made once, renamed, and deleted with its memberships, at its tenant alone', async (store) => {
    await furnishPeople(store);
    expect(await store.findOrganization('ten_1', 'org_1')).toBeNull();
    expect(await winners(() => store.createOrganization(anOrganization(), events))).toBe(1);
    expect(await store.findOrganization('ten_1', 'org_1')).toEqual(anOrganization());
    expect(await store.findOrganization('ten_2', 'org_1')).toBeNull();
    expect(await store.createOrganization(anOrganization({ tenantId: 'ten_2' }), [])).toBe(true);
    expect(await store.createOrganization(anOrganization({ id: 'org_2', name: 'Another' }), [])).toBe(true);
    expect((await store.listOrganizations('ten_1')).map(({ id }) => id)).toEqual(['org_2', 'org_1']);
    expect([await store.renameOrganization('ten_1', 'org_1', 'New', events), await store.renameOrganization('ten_1', 'org_9', 'New', events)]).toEqual([true, false]);
    expect([(await store.findOrganization('ten_1', 'org_1'))?.name, (await store.findOrganization('ten_2', 'org_1'))?.name]).toEqual(['New', 'Org']);
    for (const orgId of ['org_1', 'org_2']) await store.putMembership(aMembership({ orgId }), []);
    await store.putMembership(aMembership({ tenantId: 'ten_2' }), []);
    expect(await winners(() => store.deleteOrganization({ tenantId: 'ten_1', orgId: 'org_1', atMs: at }, () => events))).toBe(1);
    expect(await store.findOrganization('ten_1', 'org_1')).toBeNull();
    expect(await store.listMemberships('ten_1', { userId: 'usr_1' })).toEqual([aMembership({ orgId: 'org_2' })]);
    expect(await store.listMemberships('ten_2', { orgId: 'org_1' })).toHaveLength(1);
    expect(await listAudit(store, { limit: 99 })).toHaveLength(3);
  }],

  ['a membership is added or its roles replaced; never of an organization or user that does not exist', async (store) => {
    await furnishPeople(store);
    await store.createOrganization(anOrganization(), []);
    expect(await store.listMemberships('ten_1', { userId: 'usr_1' })).toEqual([]);
    expect(await store.putMembership(aMembership(), events)).toBe(true);
    expect(await store.listMemberships('ten_1', { userId: 'usr_1' })).toEqual([aMembership()]);
    expect(await store.putMembership(aMembership({ roles: [], createdAtMs: at }), events)).toBe(true);
    expect(await store.putMembership(aMembership({ userId: 'usr_2' }), events)).toBe(true);
    expect(await store.listMemberships('ten_1', { orgId: 'org_1' })).toEqual([aMembership({ roles: [] }), aMembership({ userId: 'usr_2' })]);
    for (const changes of [{ orgId: 'org_9' }, { userId: 'usr_9' }, { tenantId: 'ten_2' }]) expect(await store.putMembership(aMembership(changes), events)).toBe(false);
    expect(await store.removeMembership({ ...aRemoval, tenantId: 'ten_2' }, () => events)).toBe(false);
    expect(await winners(() => store.removeMembership(aRemoval, () => events))).toBe(1);
    expect(await store.listMemberships('ten_1', { userId: 'usr_1' })).toEqual([]);
    expect(await listAudit(store, { limit: 99 })).toHaveLength(4);
  }],

  ['REV-14 who leaves an organization, or whose organization is deleted, loses the grants and unused codes that speak of it, and their clients hear of it', async (store) => {
    await furnishPeople(store);
    const leave: readonly (readonly [string, (audit: (fallen: number) => readonly AuditEvent[]) => Promise<boolean>])[] = [
      ['org_1', (audit) => store.removeMembership(aRemoval, audit)],
      ['org_2', (audit) => store.deleteOrganization({ tenantId: 'ten_1', orgId: 'org_2', atMs: at }, audit)],
    ];
    const ids: string[] = [];
    const openOne = async (id: string, changes: Partial<Grant>) => {
      ids.push(id);
      await open(store, id, changes);
    };
    await store.openBrowserSession({ session: aBrowserSession('other', { id: 'ses_2', userId: 'usr_2' }), replaces: null, progress: null }, { audit: [] });
    for (const [orgId] of leave) {
      await store.createOrganization(anOrganization({ id: orgId }), []);
      for (const userId of ['usr_1', 'usr_2']) await store.putMembership(aMembership({ orgId, userId }), []);
      await openOne(`${orgId}_online`, { orgId, clientId: 'cli_back' });
      await openOne(`${orgId}_offline`, { orgId, clientId: 'cli_back', offline: true });
      await openOne(`${orgId}_deaf`, { orgId, offline: true });
      await openOne(`${orgId}_usr_2`, { orgId, clientId: 'cli_back', userId: 'usr_2', sessionId: 'ses_2' });
      await store.issueCode({ code: aCode(`${orgId}_code`, { orgId }), interactionDigest: null, consent: null }, []);
    }
    await openOne('none', { orgId: null, clientId: 'cli_back', offline: true });
    await store.issueCode({ code: aCode('none'), interactionDigest: null, consent: null }, []);
    const usedOf = (name: string) => Promise.resolve(store.findCode(digestOf(name))).then((code) => code?.usedAtMs);

    const fell: number[] = [];
    const heard = (fallen: number) => {
      fell.push(fallen);
      return events;
    };
    // What was read before is remembered, and must not outlive the change.
    expect(await revokedOf(store, ids)).toEqual([]);
    const revision = store.revision();
    expect([await leave[0]?.[1](heard), await leave[0]?.[1](heard), fell]).toEqual([true, false, [3]]);
    expect(store.revision()).not.toBe(revision);
    expect(await revokedOf(store, ids)).toEqual(['org_1_online', 'org_1_offline', 'org_1_deaf']);
    expect(await logoutsOf(store)).toEqual([logoutOf('cli_back')]);
    expect([await usedOf('org_1_code'), await usedOf('org_2_code'), await usedOf('none')]).toEqual([at, null, null]);
    expect(await store.findSession('ten_1', 'ses_b')).toMatchObject({ endedAtMs: null });

    expect([await leave[1]?.[1](heard), await leave[1]?.[1](heard), fell]).toEqual([true, false, [3, 4]]);
    expect(await revokedOf(store, ids)).toEqual(['org_1_online', 'org_1_offline', 'org_1_deaf', 'org_2_online', 'org_2_offline', 'org_2_deaf', 'org_2_usr_2']);
    expect(await logoutsOf(store)).toEqual([logoutOf('cli_back'), logoutOf('cli_back'), logoutOf('cli_back', 'ses_2', 'usr_2')]);
    expect([await usedOf('org_2_code'), await usedOf('none')]).toEqual([at, null]);
  }],

  ['a role is made or replaced, and taken from every membership when it goes', async (store) => {
    await furnishPeople(store);
    await store.createOrganization(anOrganization(), []);
    await store.createOrganization(anOrganization({ tenantId: 'ten_2' }), []);
    const holders = [aMembership(), aMembership({ userId: 'usr_2', roles: ['z', 'admin', '"a'] }), aMembership({ tenantId: 'ten_2' })];
    for (const membership of holders) await store.putMembership(membership, []);
    expect(await store.listRoles('ten_1')).toEqual([]);
    expect([await store.putRole(aRole(), events), await store.putRole(aRole({ permissions: ['a', 'b'], createdAtMs: at }), events)]).toEqual([true, false]);
    expect(await store.putRole(aRole({ name: 'Admin' }), [])).toBe(true);
    expect(await store.putRole(aRole({ tenantId: 'ten_2' }), [])).toBe(true);
    expect(await store.listRoles('ten_1')).toEqual([aRole({ name: 'Admin' }), aRole({ permissions: ['a', 'b'] })]);
    expect((await store.listMemberships('ten_1', { userId: 'usr_1' }))[0]?.roles).toEqual(['admin', 'member']);
    expect(await winners(() => store.deleteRole('ten_1', 'admin', events))).toBe(1);
    expect(await store.listRoles('ten_1')).toEqual([aRole({ name: 'Admin' })]);
    expect((await store.listMemberships('ten_1', { orgId: 'org_1' })).map(({ roles }) => roles)).toEqual([['member'], ['z', '"a']]);
    expect((await store.listMemberships('ten_1', { userId: 'usr_1' }))[0]?.roles).toEqual(['member']);
    expect([await store.listRoles('ten_2'), await store.listMemberships('ten_2', { userId: 'usr_1' })]).toEqual([[aRole({ tenantId: 'ten_2' })], [aMembership({ tenantId: 'ten_2' })]]);
    expect(await listAudit(store, { limit: 99 })).toHaveLength(3);
  }],

  ['the epoch moves with organizations, memberships and roles; ended sessions and withdrawn consents move the revision alone', async (store) => {
    await furnishPeople(store);
    const changes: [string, () => Promise<unknown>, epoch: boolean, revision: boolean][] = [
      ['organization', () => store.createOrganization(anOrganization(), []), true, true],
      ['name', () => store.renameOrganization('ten_1', 'org_1', 'x', []), true, true],
      ['role', () => store.putRole(aRole(), []), true, true],
      ['membership', () => store.putMembership(aMembership(), []), true, true],
      ['no membership', () => store.removeMembership(aRemoval, () => []), true, true],
      ['no role', () => store.deleteRole('ten_1', 'admin', []), true, true],
      ['no organization', () => store.deleteOrganization({ tenantId: 'ten_1', orgId: 'org_1', atMs: at }, () => []), true, true],
      ['code', () => store.issueCode({ code: aCode(), interactionDigest: null, consent: aConsent() }, []), false, false],
      ['visit', () => store.touchSession('ten_1', 'ses_b', at), false, false],
      ['consent', () => store.withdrawConsent({ tenantId: 'ten_1', userId: 'usr_1', clientId: 'cli_1', atMs: at }, () => []), false, true],
      ['session', () => store.endSession({ tenantId: 'ten_1', sessionId: 'ses_b', atMs: at }, () => []), false, true],
      ['sessions', () => store.endSessions({ tenantId: 'ten_1', userId: 'usr_1', except: null, grants: 'all', atMs: at }, { audit: [] }), false, true],
    ];
    for (const [what, change, epoch, revision] of changes) {
      const before = [store.epoch(), store.revision()] as const;
      await change();
      expect([what, store.epoch() !== before[0], store.revision() !== before[1]]).toEqual([what, epoch, revision]);
    }
  }],

  ['what is due in the outbox is listed, claimed by one, and keeps no payload once it is done', async (store) => {
    await furnishPeople(store);
    const items: OutboxItem[] = [
      aMail('a', { createdAtMs: T0 + 2 }), aMail('b', { createdAtMs: T0 + 1, nextAttemptAtMs: T0 + 3, attempts: 1 }), aMail('c', { nextAttemptAtMs: at, tenantId: 'ten_2' }),
      aMail('d', { kind: 'logout', target: 'cli_1', payload: '{}' }),
    ];
    await store.addOutbox(items, events);
    const due = async (nowMs: number) => (await dueOf(store, nowMs)).map(({ id }) => id);
    expect([await due(T0 - 1), await due(T0 + 3), await due(at)]).toEqual([[], ['d', 'b', 'a'], ['c', 'd', 'b', 'a']]);
    expect(await store.listDueMails(T0 + 3, 9)).toEqual([items[0], items[1]].filter((item) => item !== undefined));
    expect((await store.listDueMails(at, 2)).map(({ id }) => id)).toEqual(['a', 'b']);
    expect(await store.listDueLogouts(T0 + 3, { after: null, clients: 9, each: 9 })).toEqual({ items: items.slice(3), next: null });
    expect(await winners(() => store.claimOutbox('a', T0, at))).toBe(1);
    expect(await due(T0 + 3)).toEqual(['d', 'b']);
    const again = { attempts: 2, nextAttemptAtMs: at, doneAtMs: null, outcome: null };
    await store.settleOutbox('b', again, []);
    expect((await dueOf(store, at)).find(({ id }) => id === 'b')).toEqual({ ...aMail('b', { createdAtMs: T0 + 1 }), ...again });
    const end = (id: string, outcome: OutboxItem['outcome']) => store.settleOutbox(id, { attempts: 3, nextAttemptAtMs: at, doneAtMs: at, outcome }, [anEvent({ type: 'mail_failed', reason: id })]);
    await Promise.all([end('b', 'given_up'), end('b', 'delivered'), end('a', 'mailbox'), end('c', 'mailbox')]);
    expect(await store.claimOutbox('a', at, at + 1)).toBe(false);
    expect(await due(at)).toEqual(['d']);
    expect(await store.listMailbox('ten_1', 9)).toEqual([aMail('a', { createdAtMs: T0 + 2, attempts: 3, nextAttemptAtMs: at, doneAtMs: at, outcome: 'mailbox' })]);
    expect((await listAudit(store, { type: 'mail_failed', limit: 9 })).map(({ reason }) => reason ?? '').toSorted()).toEqual(['a', 'b', 'c']);
  }],

  ['LO-13 however many logouts wait for one client, those of others are found: some of each, what is due the longest first', async (store) => {
    await furnishPeople(store);
    const logout = (target: string, number: number, changes: Partial<OutboxItem> = {}) =>
      aMail(`${target}_${number}`, { kind: 'logout', target, payload: '{}', createdAtMs: T0 + number, nextAttemptAtMs: T0 + number, ...changes });
    await store.addOutbox([
      ...Array.from({ length: 300 }, (_, number) => logout('busy', number)),
      logout('again', 1, { nextAttemptAtMs: T0 + 2_000 }), logout('again', 9), logout('done', 0, { doneAtMs: T0, outcome: 'delivered' }), logout('late', 0, { nextAttemptAtMs: at + 1 }),
      logout('busy', 1_000, { tenantId: 'ten_2' }), aMail('mail', { createdAtMs: T0 - 1 }),
    ], []);
    const page = async (after: LogoutCursor | null, clients: number, each: number, nowMs = at) => {
      const { items, next } = await store.listDueLogouts(nowMs, { after, clients, each });
      return [items.map(({ id }) => id), next] as const;
    };
    expect(await page(null, 9, 2)).toEqual([['busy_0', 'again_9', 'busy_1000', 'busy_1', 'again_1'], null]);
    expect(await page(null, 9, 1, T0 + 10)).toEqual([['busy_0', 'again_9'], null]);
    // In pages, each client once; one that nothing is due for costs a place, and the last page ends.
    const pages = [];
    let after: LogoutCursor | null = null;
    do {
      const [ids, next]: Awaited<ReturnType<typeof page>> = await page(after, 1, 1);
      pages.push(ids);
      after = next;
    } while (after !== null);
    expect(pages).toEqual([['again_9'], ['busy_0'], [], ['busy_1000'], []]);
    expect((await store.listDueMails(at, 9)).map(({ id }) => id)).toEqual(['mail']);
  }],

  ['the mailbox shows the newest first', async (store) => {
    await furnishPeople(store);
    await store.addOutbox(['x', 'y', 'z'].map((id) => aMail(id, { createdAtMs: id === 'x' ? at : T0, doneAtMs: at, outcome: 'mailbox' })), []);
    expect((await store.listMailbox('ten_1', 2)).map(({ id }) => id)).toEqual(['x', 'z']);
    expect(await store.listMailbox('ten_2', 2)).toEqual([]);
  }],

  ['a client that is deleted leaves no consent, code or message to whoever gets its id next', async (store) => {
    await furnishPeople(store);
    const client = await store.findClient('ten_1', 'cli_back');
    if (client === null) throw new Error('the sample client is there');
    await open(store, 'g_1', { clientId: 'cli_back' });
    await store.issueCode({ code: aCode('c', { clientId: 'cli_back' }), interactionDigest: null, consent: aConsent({ clientId: 'cli_back' }) }, []);
    await store.issueCode({ code: aCode('other'), interactionDigest: null, consent: aConsent() }, []);
    await store.revokeGrant({ tenantId: 'ten_1', grantId: 'g_1', session: false, atMs: at }, () => []);
    expect(await logoutsOf(store)).toHaveLength(1);
    expect(await store.updateClient(client, { ...client, deletedAtMs: at }, [])).toBe('updated');
    expect(await store.createClient(aClient({ id: 'cli_back' }), [])).toBe(true);
    expect([await logoutsOf(store), await store.findCode(digestOf('c')), await store.listConsents('ten_1', 'usr_1')]).toEqual([[], null, [aConsent()]]);
    expect(await store.findCode(digestOf('other'))).toEqual(aCode('other'));
  }],
];
