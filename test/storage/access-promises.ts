import { expect } from 'bun:test';
import type { StorePromise } from './conformance.ts';
import { aPassword, winners } from './people-samples.ts';
import { anEvent, aResource, aClient, aTenant, aUser, digestOf, furnish, HOUR_MS, T0 } from './samples.ts';
import { sweepAll } from './sweep-promises.ts';
import type { Administrator, AdminInvitation, ApiKey } from '../../src/core/admin.ts';
import type { Page, Paged } from '../../src/core/paging.ts';
import type { Awaitable } from '../../src/core/store.ts';
import { listAudit } from '../helpers/trail.ts';

const DAY_MS = 24 * HOUR_MS;
const events = [anEvent({ type: 'access_key_created' })];

/** An API key whose text is its name. */
function anApiKey(name = 'key_1', changes: Partial<ApiKey> = {}): ApiKey {
  return {
    id: name, name, tenantId: null, scopes: ['admin'], digest: digestOf(name), createdBy: 'operator', createdAtMs: T0, expiresAtMs: null, lastUsedAtMs: null,
    revokedAtMs: null, ...changes,
  };
}

function anAdministrator(changes: Partial<Administrator> = {}): Administrator {
  return { userId: 'usr_1', tenantId: null, scopes: ['admin'], createdAtMs: T0, ...changes };
}

/** An invitation whose token is its name. */
function anInvitation(name = 'inv_1', changes: Partial<AdminInvitation> = {}): AdminInvitation {
  return { digest: digestOf(name), tenantId: null, scopes: ['admin'], createdAtMs: T0, expiresAtMs: T0 + HOUR_MS, usedAtMs: null, ...changes };
}

/** All parts of a list, each of so many items. */
async function parts<T>(limit: number, read: (page: Page) => Awaitable<Paged<T>>): Promise<readonly (readonly T[])[]> {
  const found: (readonly T[])[] = [];
  let after: string | null = null;
  do {
    const part: Paged<T> = await read({ after, limit });
    found.push(part.items);
    after = part.next;
  } while (after !== null);
  return found;
}

/** Who may operate, answers that are kept, and lists in parts. */
export const accessPromises: readonly StorePromise[] = [
  ['CR-04, CR-05 an API key is found by its digest, as it is now: used, revoked, expired', async (store) => {
    await furnish(store);
    const [first, second] = [anApiKey(), anApiKey('key_2', { tenantId: 'ten_1', scopes: ['admin:clients'], createdAtMs: T0 + 1, expiresAtMs: T0 + 2 })];
    for (const key of [first, second]) await store.createApiKey(key, events);
    expect([await store.findApiKey(first.digest), await store.findApiKey(second.digest), await store.findApiKey('key_1')]).toEqual([first, second, null]);
    expect(await store.listApiKeys()).toEqual([second, first]);
    expect([await store.listApiKeys('ten_1'), await store.listApiKeys('ten_9')]).toEqual([[second], []]);
    await store.touchApiKey('key_1', T0 + 9);
    await store.touchApiKey('key_1', T0 + 5);
    await store.touchApiKey('key_9', T0 + 5);
    expect(await store.findApiKey(first.digest)).toEqual({ ...first, lastUsedAtMs: T0 + 9 });
    const epoch = store.epoch();
    expect(await winners(() => store.revokeApiKey('key_1', T0 + 10, events))).toBe(1);
    expect(await store.revokeApiKey('key_9', T0 + 10, events)).toBe(false);
    expect(await store.findApiKey(first.digest)).toEqual({ ...first, lastUsedAtMs: T0 + 9, revokedAtMs: T0 + 10 });
    expect(store.epoch()).toBe(epoch);
    expect(await listAudit(store, { limit: 99 })).toHaveLength(3);
  }],

  ['an administrator is a live user, is added or changed, and goes with the user; a change against what was seen changes nothing', async (store) => {
    await furnish(store);
    await store.createUser(aUser({ id: 'usr_2', username: 'Joe' }), 'joe', []);
    expect([await store.findAdministrator('usr_1'), await store.listAdministrators()]).toEqual([null, []]);
    expect(await store.putAdministrator(anAdministrator({ userId: 'usr_9' }), 'ten_1', events)).toBe(false);
    expect(await store.putAdministrator(anAdministrator(), 'ten_2', events)).toBe(false);
    expect(await store.putAdministrator(anAdministrator(), 'ten_1', events, [])).toBe(true);
    expect(await store.putAdministrator(anAdministrator({ userId: 'usr_2', createdAtMs: T0 + 1 }), 'ten_1', events)).toBe(true);
    expect(await store.putAdministrator(anAdministrator({ userId: 'usr_2', scopes: [] }), 'ten_1', events, [anAdministrator()])).toBe(false);
    expect(await store.putAdministrator(anAdministrator({ userId: 'usr_2', tenantId: 'ten_1', scopes: ['admin:users'], createdAtMs: T0 + 9 }), 'ten_1', events)).toBe(true);
    const second = anAdministrator({ userId: 'usr_2', tenantId: 'ten_1', scopes: ['admin:users'], createdAtMs: T0 + 1 });
    expect([await store.findAdministrator('usr_2'), await store.listAdministrators()]).toEqual([second, [anAdministrator(), second]]);
    expect(await store.removeAdministrator('usr_1', events, [second])).toBe(false);
    expect(await winners(() => store.removeAdministrator('usr_1', events, [anAdministrator(), second]))).toBe(1);
    const user = aUser({ id: 'usr_2', username: 'Joe' });
    await store.updateUser(user, { ...user, deletedAtMs: T0 + 20 }, 'joe', []);
    expect(await store.listAdministrators()).toEqual([]);
    expect(await store.putAdministrator(second, 'ten_1', events)).toBe(false);
    expect(await listAudit(store, { limit: 99 })).toHaveLength(4);
  }],

  ['UI-28 a link makes one administrator, once and in time, whole or not at all; only the newest link is good', async (store) => {
    await furnish(store);
    await store.createAdminInvitation(anInvitation('old'), events);
    await store.createAdminInvitation(anInvitation(), events);
    expect([await store.findAdminInvitation(digestOf('old')), await store.findAdminInvitation(digestOf('inv_1'))]).toEqual([null, anInvitation()]);
    const accept = (name: string, userId: string, username: string, atMs = T0) => store.acceptAdminInvitation({
      digest: digestOf(name), user: aUser({ id: userId, username }), usernameKey: username.toLowerCase(), password: aPassword({ userId }), administrator: anAdministrator({ userId }), atMs,
    }, events);
    expect(await accept('old', 'usr_a', 'Ada')).toBe('spent');
    expect(await accept('inv_1', 'usr_a', 'Ada', T0 + HOUR_MS)).toBe('spent');
    expect(await accept('inv_1', 'usr_a', 'Jane')).toBe('username_taken');
    expect(await store.listAdministrators()).toEqual([]);
    const all = await Promise.all(['usr_a', 'usr_b', 'usr_c'].map((id) => accept('inv_1', id, `name-${id}`)));
    expect(all.filter((outcome) => outcome === 'accepted')).toHaveLength(1);
    const id = ['usr_a', 'usr_b', 'usr_c'][all.indexOf('accepted')] ?? '';
    expect(await store.listAdministrators()).toEqual([anAdministrator({ userId: id })]);
    expect((await store.listUsers('ten_1')).map((user) => user.id).toSorted()).toEqual([id, 'usr_1'].toSorted());
    expect([await store.findUser('ten_1', id), await store.findPassword('ten_1', id)]).toMatchObject([{ username: `name-${id}` }, { userId: id }]);
    expect((await store.findAdminInvitation(digestOf('inv_1')))?.usedAtMs).toBe(T0);
    expect(await listAudit(store, { limit: 99 })).toHaveLength(3);
  }],

  ['an idempotency key is taken by one, tells its answer for a day, and can be given back', async (store) => {
    const claim = (atMs = T0, caller = 'key_1', requestDigest = 'r1') => store.claimReply({ caller, keyDigest: 'k', requestDigest, atMs });
    const all = await Promise.all([claim(), claim(), claim()]);
    expect(all.filter(({ kind }) => kind === 'new')).toHaveLength(1);
    expect(await claim(T0, 'key_1', 'r2')).toEqual({ kind: 'known', requestDigest: 'r1', reply: null });
    expect(await claim(T0, 'key_2')).toEqual({ kind: 'new' });
    await store.settleReply('key_1', 'k', { status: 201, sealedBody: 'v1.sealed' });
    expect(await claim(T0 + DAY_MS)).toEqual({ kind: 'known', requestDigest: 'r1', reply: { status: 201, sealedBody: 'v1.sealed' } });
    await store.dropReply('key_2', 'k');
    expect(await claim(T0, 'key_2')).toEqual({ kind: 'new' });
    expect(await claim(T0 + DAY_MS + 1)).toEqual({ kind: 'new' });
    await sweepAll(store, T0 + 2 * DAY_MS + 1);
    expect(await claim(T0 + DAY_MS + 1)).toEqual({ kind: 'known', requestDigest: 'r1', reply: null });
    await sweepAll(store, T0 + 2 * DAY_MS + 2);
    expect(await claim(T0 + DAY_MS + 1)).toEqual({ kind: 'new' });
  }],

  ['MTN-01, TX-01 lists come in parts, each item once, without deleted ones and those of other tenants', async (store) => {
    await furnish(store);
    for (const slug of ['beta', 'Beta_2', 'gamma%']) await store.createTenant(aTenant({ id: `ten_${slug}`, slug, name: `Name of ${slug}` }), [], []);
    await store.deleteTenant('ten_gamma%', T0, []);
    const slugs = async (limit: number, search?: string) =>
      (await parts(limit, (page) => store.pageTenants(page, search === undefined ? {} : { search }))).map((part) => part.map(({ slug }) => slug));
    expect(await slugs(2)).toEqual([['Beta_2', 'acme'], ['beta']]);
    expect(await slugs(3)).toEqual([['Beta_2', 'acme', 'beta']]);
    expect([await slugs(9, 'BETA'), await slugs(9, 'name of beta_'), await slugs(9, '%'), await slugs(9, "' OR 1=1--")]).toEqual([[['Beta_2', 'beta']], [['Beta_2']], [[]], [[]]]);
    for (const [id, changes] of Object.entries({ b: { disabledAtMs: T0 }, c: { name: 'Shop' }, d: { deletedAtMs: T0 } })) await store.createClient(aClient({ id, ...changes }), []);
    await store.createClient(aClient({ id: 'z', tenantId: 'ten_beta' }), []);
    const ids = async (limit: number, filter: { readonly search?: string; readonly enabled?: boolean } = {}) =>
      (await parts(limit, (page) => store.pageClients('ten_1', page, filter))).map((part) => part.map(({ id }) => id));
    expect(await ids(2)).toEqual([['b', 'c'], ['cli_1']]);
    expect([await ids(9, { enabled: true }), await ids(9, { enabled: false }), await ids(9, { search: 'sho' }), await ids(1, { search: 'c' })]).toEqual([[['c', 'cli_1']], [['b']], [['c']], [['b'], ['c'], ['cli_1']]]);
    expect((await store.pageClients('ten_1', { after: 'c', limit: 9 }, {})).items).toEqual([aClient()]);
    for (const [key, tenantId] of [['a', 'ten_1'], ['b', 'ten_1'], ['c', 'ten_beta']] as const) await store.createResource(aResource({ uri: key, tenantId, ownerClientId: null }), key, []);
    const uris = (await parts(1, (page) => store.pageResources('ten_1', page))).map((part) => part.map(({ uri }) => uri));
    expect(uris).toEqual([['a'], ['b']]);
  }],

  ['a resource is replaced if it still is what was seen; its identifier stays', async (store) => {
    await furnish(store);
    const before = aResource();
    const after = aResource({ scopes: ['x'], ownerClientId: null, tokenFormat: 'opaque' });
    await store.createResource(before, 'k', []);
    expect(await store.findResource('ten_1', 'k')).toEqual(before);
    const outcomes = await Promise.all([1, 2].map(() => store.updateResource(before, after, 'k', events)));
    expect(outcomes).toEqual(['updated', 'outdated']);
    expect([await store.findResource('ten_1', 'k'), await store.updateResource(after, before, 'k2', events)]).toEqual([after, 'outdated']);
    expect(await store.updateResource(after, { ...after, uri: 'x', tenantId: 'ten_9' }, 'k', [])).toBe('updated');
    expect(await store.findResource('ten_1', 'k')).toEqual(after);
    expect(await listAudit(store, { limit: 99 })).toHaveLength(1);
  }],
];
