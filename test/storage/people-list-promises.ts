import { expect } from 'bun:test';
import type { StorePromise } from './conformance.ts';
import { aBrowserSession, furnishPeople, open } from './people-samples.ts';
import { aClient, aGrant, anOpaque, aRefresh, aSession, aUser, digestOf, HOUR_MS, SOON_S, T0 } from './samples.ts';
import { usernameKey } from '../../src/core/identifiers.ts';
import type { User } from '../../src/core/model.ts';
import type { Page, Paged } from '../../src/core/paging.ts';
import type { Awaitable, Store } from '../../src/core/store.ts';

/** All parts of a list, however small they are asked for; each is as full as it can be. */
async function allOf<T>(limit: number, part: (page: Page) => Awaitable<Paged<T>>): Promise<readonly T[]> {
  const items: T[] = [];
  for (let after: string | null = null, parts = 0; ; parts += 1) {
    const page: Paged<T> = await part({ after, limit });
    expect(page.items.length === limit || page.next === null).toBe(true);
    items.push(...page.items);
    if (page.next === null) return items;
    expect(parts).toBeLessThan(99);
    after = page.next;
  }
}

/** The same list in parts of one, two and many. */
async function list<T>(part: (page: Page) => Awaitable<Paged<T>>): Promise<readonly T[]> {
  const whole = await allOf(99, part);
  for (const limit of [1, 2]) expect(await allOf(limit, part)).toEqual(whole);
  return whole;
}

async function addUser(store: Store, id: string, changes: Partial<User> = {}): Promise<void> {
  const user = aUser({ id, username: id, email: `${id}@example.com`, name: null, ...changes });
  expect(await store.createUser(user, usernameKey(user.username), [])).toBe('created');
}

/** Parts of lists of people and of what they hold. */
export const peopleListPromises: readonly StorePromise[] = [
  ['TX-03 users are listed by name in parts, and found by the beginning of name, address, id or full name, each once', async (store) => {
    await furnishPeople(store);
    await addUser(store, 'u1', { username: 'Zoë', name: 'adam Zed' });
    await addUser(store, 'u2', { username: 'adam', email: 'adam@example.com', name: 'Adam' });
    await addUser(store, 'u3', { username: 'bob', email: 'ADA@example.com' });
    await addUser(store, 'ada-4', { username: 'carl', email: '' });
    await addUser(store, 'u5', { username: 'eve', email: 'ada@example.com', attributes: { a: ['b'] }, disabledAtMs: T0 });
    await addUser(store, 'u6', { username: 'a%', email: '', name: 'A_b' });
    await addUser(store, 'u7', { username: 'gone', email: '' });
    const gone = aUser({ id: 'u7', username: 'gone', email: '', name: null });
    expect(await store.updateUser(gone, { ...gone, username: 'u7', deletedAtMs: T0 }, 'u7', [])).toBe('updated');
    const find = async (search?: string, enabled?: boolean) =>
      (await list((page) => store.pageUsers('ten_1', page, { ...(search !== undefined && { search }), ...(enabled !== undefined && { enabled }) }))).map(({ id }) => id);
    expect(await find()).toEqual(['u6', 'u2', 'u3', 'ada-4', 'u5', 'usr_1', 'usr_2', 'u1']);
    expect(await find(undefined, false)).toEqual(['u5']);
    expect(await find(undefined, true)).toEqual(['u6', 'u2', 'u3', 'ada-4', 'usr_1', 'usr_2', 'u1']);
    // By name, by address, by id, by full name; letter case does not count but in ids.
    expect(await find('ADA')).toEqual(['u2', 'u3', 'u5', 'u1']);
    expect(await find('ada')).toEqual(['u2', 'u3', 'u5', 'ada-4', 'u1']);
    expect(await find('ada', false)).toEqual(['u5']);
    expect(await find('zoe\u0308')).toEqual(['u1']);
    expect(await find('a%')).toEqual(['u6']);
    expect(await find('A_')).toEqual(['u6']);
    expect(await find('_')).toEqual([]);
    expect(await find('u7')).toEqual([]);
    expect((await store.pageUsers('ten_1', { after: null, limit: 9 }, { search: 'eve' })).items).toEqual([
      aUser({ id: 'u5', username: 'eve', email: 'ada@example.com', name: null, attributes: { a: ['b'] }, disabledAtMs: T0 }),
    ]);
    for (const after of ['', 'junk', '{}', '[0,{},1]', '[9,"a",1]']) {
      await store.pageUsers('ten_1', { after, limit: 9 }, {});
    }
  }],

  ['organizations are listed by name in parts, and found by the beginning of name or id', async (store) => {
    await furnishPeople(store);
    for (const [id, name] of [['o1', 'beta'], ['o2', 'Alpha'], ['o3', 'alpha'], ['alp', 'Gamma'], ['o5', 'Beta']] as const) {
      await store.createOrganization({ tenantId: 'ten_1', id, name, createdAtMs: T0 }, []);
    }
    await store.createOrganization({ tenantId: 'ten_2', id: 'o1', name: 'Alpha', createdAtMs: T0 }, []);
    const find = async (search?: string) => (await list((page) => store.pageOrganizations('ten_1', page, search === undefined ? {} : { search }))).map(({ id }) => id);
    expect(await find()).toEqual(['o2', 'o3', 'o1', 'o5', 'alp']);
    expect(await find('ALP')).toEqual(['o2', 'o3']);
    expect(await find('alp')).toEqual(['o2', 'o3', 'alp']);
    expect(await find('o')).toEqual(['o1', 'o2', 'o3', 'o5']);
    for (const userId of ['usr_2', 'usr_1']) await store.putMembership({ tenantId: 'ten_1', orgId: 'o1', userId, roles: ['r'], createdAtMs: T0 }, []);
    expect((await list((page) => store.pageMemberships('ten_1', 'o1', page))).map(({ userId, roles }) => [userId, roles])).toEqual([['usr_1', ['r']], ['usr_2', ['r']]]);
    expect(await store.pageMemberships('ten_2', 'o1', { after: null, limit: 9 })).toEqual({ items: [], next: null });
    expect((await store.pageOrganizations('ten_1', { after: null, limit: 1 }, { search: 'Gamma' })).items).toEqual([{ tenantId: 'ten_1', id: 'alp', name: 'Gamma', createdAtMs: T0 }]);
  }],

  ['grants that live are listed, the newest first, of a user, a client, a session, or all', async (store) => {
    await furnishPeople(store);
    await store.createClient(aClient({ id: 'cli_2' }), []);
    await store.openBrowserSession({ session: aBrowserSession('other', { id: 'ses_2', userId: 'usr_2' }), replaces: null, progress: null }, { audit: [] });
    await open(store, 'gr_a', {});
    await open(store, 'gr_c', { clientId: 'cli_2', offline: true, amr: ['pwd'], orgId: 'org_1' });
    await open(store, 'gr_b', { userId: 'usr_2', sessionId: 'ses_2' });
    await open(store, 'gr_over', { expiresAtMs: T0 + 1 });
    await open(store, 'gr_revoked', {});
    await store.revokeGrant({ tenantId: 'ten_1', grantId: 'gr_revoked', session: false, atMs: T0 }, () => []);
    const at = T0 + 5000;
    const find = async (filter: Parameters<Store['pageGrants']>[2]) => (await list((page) => store.pageGrants('ten_1', page, filter, at))).map(({ grant }) => grant.id);
    expect(await find({})).toEqual(['gr_c', 'gra_1', 'gr_b', 'gr_a']);
    expect(await find({ userId: 'usr_1' })).toEqual(['gra_1', 'gr_c', 'gr_a']);
    expect(await find({ clientId: 'cli_1' })).toEqual(['gra_1', 'gr_b', 'gr_a']);
    expect(await find({ sessionId: 'ses_b' })).toEqual(['gr_c', 'gr_a']);
    expect(await find({ sessionId: 'ses_b', clientId: 'cli_1' })).toEqual(['gr_a']);
    expect(await find({ userId: 'usr_1', clientId: 'cli_2' })).toEqual(['gr_c']);
    expect(await find({ userId: 'usr_2', sessionId: 'ses_b' })).toEqual([]);
    expect(await store.pageGrants('ten_2', { after: null, limit: 9 }, { userId: 'usr_1' }, at)).toEqual({ items: [], next: null });
    expect((await store.pageGrants('ten_1', { after: null, limit: 1 }, { userId: 'usr_1' }, at)).items).toEqual([{ grant: aGrant(), lastUsedAtMs: T0 }]);
    expect(await store.findGrant('ten_1', 'gr_revoked')).toMatchObject({ id: 'gr_revoked', revokedAtMs: T0 });
    expect([await store.findGrant('ten_2', 'gr_a'), await store.findGrant('ten_1', 'gr_x')]).toEqual([null, null]);
    expect(await store.findGrant('ten_1', 'gr_c')).toEqual(aGrant({ id: 'gr_c', sessionId: 'ses_b', clientId: 'cli_2', offline: true, amr: ['pwd'], orgId: 'org_1' }));
  }],

  ['sessions of browsers that live are listed, the newest visit first, with their clients', async (store) => {
    await furnishPeople(store);
    const add = (name: string, changes: Parameters<typeof aBrowserSession>[1]) =>
      store.openBrowserSession({ session: aBrowserSession(name, { id: name, ...changes }), replaces: null, progress: null }, { audit: [] });
    await add('s1', { lastSeenAtMs: T0 + 2 });
    await add('s2', { lastSeenAtMs: T0 + 3, userId: 'usr_2' });
    await add('s3', { lastSeenAtMs: T0 + 2 });
    await add('ended', {});
    await add('over', { expiresAtMs: T0 + 9 });
    await add('elsewhere', { tenantId: 'ten_2' });
    await store.endSession({ tenantId: 'ten_1', sessionId: 'ended', atMs: T0 }, () => []);
    await open(store, 'gr_a', {});
    await open(store, 'gr_b', { clientId: 'cli_back' });
    const find = async (filter: { readonly userId?: string }) => (await list((page) => store.pageSessions('ten_1', page, filter, T0 + 10))).map(({ session }) => session.id);
    expect(await find({})).toEqual(['s2', 's3', 's1', 'ses_b']);
    expect(await find({ userId: 'usr_1' })).toEqual(['s3', 's1', 'ses_b']);
    expect((await store.pageSessions('ten_1', { after: null, limit: 9 }, { userId: 'usr_1' }, T0 + 10)).items.at(-1)).toEqual({ session: aBrowserSession(), clientIds: ['cli_1', 'cli_back'] });
  }],

  ['opaque tokens that live are listed, of a client, a user, a session, a grant, or all', async (store) => {
    await furnishPeople(store);
    await store.createClient(aClient({ id: 'cli_2' }), []);
    const access = (name: string, facts: Parameters<typeof anOpaque>[1]) => ({ opaque: anOpaque(name, facts), expiresAt: SOON_S });
    const ofJane = { userId: 'usr_1', subject: 'usr_1', sessionId: 'ses_b', grantId: 'gr_a' };
    await store.openGrant({ session: null, grant: aGrant({ id: 'gr_a', sessionId: 'ses_b' }), refresh: null, access: access('jane', ofJane) }, []);
    await store.addAccess('gr_a', access('jane again', ofJane), []);
    const session = aSession({ id: 'ses_3', userId: 'usr_2' });
    await store.openGrant({
      session, grant: aGrant({ id: 'gr_b', sessionId: 'ses_3', userId: 'usr_2', clientId: 'cli_2' }), refresh: aRefresh('rt_b', { grantId: 'gr_b' }),
      access: access('joe', { userId: 'usr_2', subject: 'usr_2', sessionId: 'ses_3', grantId: 'gr_b', clientId: 'cli_2' }),
    }, []);
    await store.addOpaqueToken(anOpaque('client itself'));
    await store.addOpaqueToken(anOpaque('over', { expiresAt: T0 / 1000 }));
    await store.addOpaqueToken(anOpaque('revoked'));
    await store.revokeOpaqueToken(digestOf('revoked'), T0, () => []);
    const find = async (filter: Parameters<Store['pageOpaqueTokens']>[2]) =>
      new Set((await list((page) => store.pageOpaqueTokens('ten_1', page, filter, T0 + 1000))).map(({ digest }) => digest));
    const named = (...names: readonly string[]) => new Set(names.map(digestOf));
    expect(await find({})).toEqual(named('jane', 'jane again', 'joe', 'client itself'));
    expect(await find({ clientId: 'cli_1' })).toEqual(named('jane', 'jane again', 'client itself'));
    expect(await find({ userId: 'usr_1' })).toEqual(named('jane', 'jane again'));
    expect(await find({ userId: 'usr_2', clientId: 'cli_1' })).toEqual(named());
    expect(await find({ sessionId: 'ses_3' })).toEqual(named('joe'));
    expect(await find({ grantId: 'gr_a' })).toEqual(named('jane', 'jane again'));
    expect(await find({ grantId: 'gr_a', sessionId: 'ses_3' })).toEqual(named());
    expect((await store.pageOpaqueTokens('ten_1', { after: null, limit: 1 }, { grantId: 'gr_b' }, T0 + HOUR_MS - 1)).items).toEqual([
      anOpaque('joe', { userId: 'usr_2', subject: 'usr_2', sessionId: 'ses_3', grantId: 'gr_b', clientId: 'cli_2' }),
    ]);
    await store.revokeGrant({ tenantId: 'ten_1', grantId: 'gr_a', session: false, atMs: T0 }, () => []);
    expect(await find({})).toEqual(named('joe', 'client itself'));
    expect(await find({ userId: 'usr_1' })).toEqual(named());
  }],
];
