import { expect } from 'bun:test';
import type { StorePromise } from './conformance.ts';
import { aClient, aKey, anEvent, anOpaque, aResource, aSecret, aTenant, aUser, furnish, HOUR_MS, T0 } from './samples.ts';
import { listAudit } from '../helpers/trail.ts';

/** Tenants, clients, users, resources, keys, settings, audit. */
export const ownerPromises: readonly StorePromise[] = [
  ['a tenant is read back as written, by slug, id and host', async (store) => {
    const tenant = aTenant({ host: 'auth.example.com:8443', disabledAtMs: T0, notBeforeMs: T0 });
    expect(await store.createTenant(tenant, [aKey()], [])).toBe(true);
    for (const by of [{ slug: 'acme' }, { id: 'ten_1' }, { host: 'auth.example.com:8443' }]) {
      expect(await store.findTenant(by)).toEqual(tenant);
    }
    expect(await store.listTenants()).toEqual([tenant]);
    expect(await store.findTenant({ slug: 'ACME' })).toBeNull();
    expect(await store.findTenant({ host: 'auth.example.com' })).toBeNull();
  }],

  ['a slug or hostname that is taken is refused, and nothing of the refused tenant stays', async (store) => {
    await store.createTenant(aTenant({ host: 'a.example.com' }), [], []);
    const events = [anEvent({ type: 'tenant_created' })];
    expect(await store.createTenant(aTenant({ id: 'ten_2' }), [aKey({ tenantId: 'ten_2' })], events)).toBe(false);
    expect(await store.createTenant(aTenant({ id: 'ten_2', slug: 'other', host: 'a.example.com' }), [], events)).toBe(false);
    expect(await store.findTenant({ id: 'ten_2' })).toBeNull();
    expect(await store.listKeys('ten_2')).toEqual([]);
    expect(await listAudit(store, { limit: 10 })).toEqual([]);
    expect(await store.createTenant(aTenant({ id: 'ten_2', slug: 'other', host: 'b.example.com' }), [], events)).toBe(true);
    const other = aTenant({ id: 'ten_2', slug: 'other', host: 'b.example.com' });
    expect(await store.updateTenant(other, { ...other, host: 'a.example.com' }, [])).toBe('host_taken');
    expect(await store.updateTenant(other, { ...other, host: null, name: 'New' }, [])).toBe('updated');
    expect((await store.findTenant({ id: 'ten_2' }))?.name).toBe('New');
    expect(await store.findTenant({ host: 'b.example.com' })).toBeNull();
  }],

  ['MTN-12 a deleted tenant has no secrets, private keys or hostname, and keeps its audit', async (store) => {
    await furnish(store);
    await store.updateTenant(aTenant(), aTenant({ host: 'a.example.com' }), [anEvent({ type: 'tenant_updated' })]);
    await store.deleteTenant('ten_1', T0 + 5, [anEvent({ type: 'tenant_deleted' })]);
    expect(await store.findTenant({ slug: 'acme' })).toMatchObject({ id: 'ten_1', host: null, deletedAtMs: T0 + 5, notBeforeMs: T0 + 5 });
    expect(await store.findTenant({ host: 'a.example.com' })).toBeNull();
    expect(await store.listTenants()).toEqual([]);
    expect((await store.findClient('ten_1', 'cli_1'))?.secrets).toEqual([]);
    const keys = await store.listKeys('ten_1');
    expect(keys.map(({ sealedPrivate }) => sealedPrivate)).toEqual(['', '']);
    expect(keys.every(({ publicJwk }) => publicJwk !== '')).toBe(true);
    expect((await listAudit(store, { limit: 10 })).map(({ type }) => type)).toEqual(['tenant_deleted', 'tenant_updated']);
    // Neither a second deletion nor a late update changes the tombstone.
    await store.deleteTenant('ten_1', T0 + 50, []);
    expect(await store.updateTenant(aTenant({ host: 'a.example.com' }), aTenant(), [])).toBe('outdated');
    expect((await store.findTenant({ id: 'ten_1' }))?.deletedAtMs).toBe(T0 + 5);
  }],

  ['MTN-07 a deleted tenant keeps its slug until its last token is dead, then the live one answers to it', async (store) => {
    await furnish(store);
    await store.createClient(aClient({ id: 'cli_2', refreshTokenTtl: 48 * 3600 }), []);
    const longest = aClient({ id: 'cli_2', refreshTokenTtl: 72 * 3600 });
    expect(await store.updateClient(aClient({ id: 'cli_2', refreshTokenTtl: 48 * 3600 }), longest, [])).toBe('updated');
    // Tokens of a lifetime that was shortened since may still live.
    expect(await store.updateClient(longest, aClient({ id: 'cli_2' }), [])).toBe('updated');
    await store.deleteTenant('ten_1', T0, []);
    const again = (createdAtMs: number) => store.createTenant(aTenant({ id: `ten_${createdAtMs}`, createdAtMs }), [], []);
    expect(await again(T0 + 24 * HOUR_MS)).toBe(false);
    expect(await again(T0 + 48 * HOUR_MS)).toBe(false);
    expect(await again(T0 + 72 * HOUR_MS)).toBe(false);
    expect(await again(T0 + 72 * HOUR_MS + 1)).toBe(true);
    expect((await store.findTenant({ slug: 'acme' }))?.deletedAtMs).toBeNull();
    expect((await store.findTenant({ id: 'ten_1' }))?.deletedAtMs).toBe(T0);
  }],

  ['a client is read back as written, with its secrets', async (store) => {
    await store.createTenant(aTenant(), [], []);
    const client = aClient({
      grants: ['authorization_code'], audience: ['https://a', 'https://b'], redirectUris: ['https://app/cb'], authMethod: 'client_secret_post',
      tokenFormat: 'opaque', introspect: 'tenant', shape: 'workos', orgId: 'org_1', accessTokenTtl: 60, refreshTokenTtl: 600, public: true,
      refreshRotation: false, selfRegistered: true, disabledAtMs: T0, notBeforeMs: T0,
      secrets: [aSecret(), aSecret({ id: 'sec_2', kind: 'argon2id', createdAtMs: T0 + 1, expiresAtMs: T0 + 9 })],
    });
    expect(await store.createClient(client, [])).toBe(true);
    expect(await store.createClient(client, [])).toBe(false);
    expect(await store.findClient('ten_1', 'cli_1')).toEqual(client);
    expect(await store.listClients('ten_1')).toEqual([client]);
    expect(await store.findClient('ten_2', 'cli_1')).toBeNull();
  }],

  ['an update replaces a client, secrets apart, and never moves a cutoff back', async (store) => {
    await store.createTenant(aTenant(), [], []);
    await store.createClient(aClient({ notBeforeMs: T0 + 5 }), []);
    const renamed = aClient({ name: 'Renamed', notBeforeMs: T0 + 5 });
    const event = anEvent({ type: 'client_updated' });
    expect(await store.updateClient(aClient({ notBeforeMs: T0 + 5 }), { ...renamed, secrets: [], notBeforeMs: 0 }, [event])).toBe('updated');
    expect(await store.findClient('ten_1', 'cli_1')).toEqual(renamed);
    expect(await store.updateClient(renamed, aClient({ notBeforeMs: T0 + 9 }), [])).toBe('updated');
    expect((await store.findClient('ten_1', 'cli_1'))?.notBeforeMs).toBe(T0 + 9);
  }],

  ['a deleted client stays as a tombstone; its id given again keeps the cutoff, so that old tokens stay dead', async (store) => {
    await store.createTenant(aTenant(), [], []);
    await store.createClient(aClient(), []);
    const gone = aClient({ deletedAtMs: T0 + 7, notBeforeMs: T0 + 7 });
    expect(await store.updateClient(aClient(), gone, [])).toBe('updated');
    expect(await store.findClient('ten_1', 'cli_1')).toMatchObject({ deletedAtMs: T0 + 7, secrets: [] });
    expect(await store.listClients('ten_1')).toEqual([]);
    for (const before of [aClient(), gone]) expect(await store.updateClient(before, aClient(), [])).toBe('outdated');
    expect((await store.findClient('ten_1', 'cli_1'))?.deletedAtMs).toBe(T0 + 7);
    const secret = aSecret({ id: 'sec_9' });
    expect(await store.createClient(aClient({ name: 'Second', secrets: [secret] }), [])).toBe(true);
    expect(await store.findClient('ten_1', 'cli_1')).toEqual(aClient({ name: 'Second', secrets: [secret], notBeforeMs: T0 + 7 }));
  }],

  ['a rotated secret stands beside the old ones, which end no later than asked', async (store) => {
    await store.createTenant(aTenant(), [], []);
    const early = aSecret({ id: 'sec_0', expiresAtMs: T0 + 1 });
    await store.createClient(aClient({ secrets: [early, aSecret()] }), []);
    const fresh = aSecret({ id: 'sec_2', digest: 'new', createdAtMs: T0 + 2 });
    await store.rotateSecret('ten_1', 'cli_1', fresh, T0 + 100, [anEvent({ type: 'client_secret_rotated' })]);
    expect((await store.findClient('ten_1', 'cli_1'))?.secrets).toEqual([early, aSecret({ expiresAtMs: T0 + 100 }), fresh]);
    const refusal: unknown = await store.rotateSecret('ten_1', 'nobody', fresh, T0, []).catch((error: unknown) => error);
    expect(refusal).toEqual(new Error('there is no client nobody'));
  }],

  ['a resource is found by its key alone, and gone once deleted', async (store) => {
    await store.createTenant(aTenant(), [], []);
    expect(await store.findResource('ten_1', 'https://api.example.com')).toBeNull();
    expect(await store.createResource(aResource(), 'https://api.example.com', [])).toBe(true);
    expect(await store.createResource(aResource(), 'https://api.example.com', [])).toBe(false);
    expect(await store.findResource('ten_1', 'https://api.example.com')).toEqual(aResource());
    expect(await store.listResources('ten_1')).toEqual([aResource()]);
    expect(await store.deleteResource('ten_2', 'https://api.example.com', [])).toBe(false);
    expect(await store.deleteResource('ten_1', 'https://api.example.com', [])).toBe(true);
    expect(await store.findResource('ten_1', 'https://api.example.com')).toBeNull();
  }],

  ['TX-09 a user id is never given again; a deleted user\'s name is', async (store) => {
    await store.createTenant(aTenant(), [], []);
    expect(await store.createUser(aUser(), 'jane', [])).toBe('created');
    expect(await store.createUser(aUser({ username: 'Other' }), 'other', [])).toBe('id_taken');
    expect(await store.createUser(aUser({ id: 'usr_2' }), 'jane', [])).toBe('username_taken');
    expect(await store.createUser(aUser({ id: 'usr_2' }), 'john', [])).toBe('created');
    expect(await store.updateUser(aUser({ id: 'usr_2' }), aUser({ id: 'usr_2' }), 'jane', [])).toBe('username_taken');
    expect(await store.findUserByName('ten_1', 'jane')).toEqual(aUser());
    expect(await store.updateUser(aUser(), aUser({ email: '', name: null, deletedAtMs: T0, notBeforeMs: T0 }), 'jane', [])).toBe('updated');
    expect(await store.findUserByName('ten_1', 'jane')).toBeNull();
    expect(await store.findUser('ten_1', 'usr_1')).toMatchObject({ deletedAtMs: T0, email: '', name: null });
    expect(await store.createUser(aUser(), 'jane', [])).toBe('id_taken');
    expect(await store.createUser(aUser({ id: 'usr_3' }), 'jane', [])).toBe('created');
    expect((await store.listUsers('ten_1')).map(({ id }) => id).toSorted()).toEqual(['usr_2', 'usr_3']);
  }],

  ['MTN-04 equal ids in two tenants stay apart', async (store) => {
    for (const id of ['ten_1', 'ten_2']) {
      await store.createTenant(aTenant({ id, slug: id }), [aKey({ tenantId: id, publicJwk: id })], []);
      await store.createClient(aClient({ tenantId: id, name: id }), []);
      expect(await store.createUser(aUser({ tenantId: id, email: id }), 'jane', [])).toBe('created');
      await store.createResource(aResource({ tenantId: id, scopes: [id] }), 'https://api', []);
    }
    await store.updateClient(aClient({ tenantId: 'ten_2', name: 'ten_2' }), aClient({ tenantId: 'ten_2', name: 'ten_2', disabledAtMs: T0 }), []);
    expect(await store.findClient('ten_1', 'cli_1')).toMatchObject({ name: 'ten_1', disabledAtMs: null });
    expect(await store.findUser('ten_2', 'usr_1')).toMatchObject({ email: 'ten_2' });
    expect(await store.findUserByName('ten_1', 'jane')).toMatchObject({ email: 'ten_1' });
    expect(await store.findResource('ten_2', 'https://api')).toMatchObject({ scopes: ['ten_2'] });
    expect(await store.listKeys('ten_1')).toMatchObject([{ publicJwk: 'ten_1' }]);
  }],

  ['MTN-10 ids match exactly: 42 is neither 042 nor 42.0 nor \' 42\'', async (store) => {
    await store.createTenant(aTenant(), [], []);
    await store.createClient(aClient({ id: '42' }), []);
    await store.createUser(aUser({ id: '42' }), '42', []);
    for (const id of ['042', '42.0', ' 42', '42 ', '4.2e1', '42\u0000']) {
      expect(await store.findClient('ten_1', id)).toBeNull();
      expect(await store.findUser('ten_1', id)).toBeNull();
      expect(await store.findUserByName('ten_1', id)).toBeNull();
    }
    expect((await store.findClient('ten_1', '42'))?.id).toBe('42');
  }],

  ['TX-01 text of any kind is stored and found as it is', async (store) => {
    await store.createTenant(aTenant(), [], []);
    for (const [index, text] of ["' OR 1=1--", '%', '_', 'a\u0000b', '\u202eevil', '😀', '__proto__', 'x'.repeat(1_000_000)].entries()) {
      await store.createClient(aClient({ id: text, name: text }), []);
      expect((await store.findClient('ten_1', text))?.name).toBe(text);
      expect(await store.listClients('ten_1')).toHaveLength(index + 1);
      expect(await store.findOpaqueToken(text)).toBeNull();
      expect(await store.findTenant({ slug: text })).toBeNull();
    }
  }],

  ['of several promotions of one key, one happens', async (store) => {
    await furnish(store);
    const promote = (number: number) =>
      store.promoteKey(
        {
          tenantId: 'ten_1', expectedActive: 'key_1', formerStatus: 'retired', nextKid: 'key_2', atMs: T0 + 1,
          newNext: aKey({ kid: `key_3_${number}`, status: 'next', createdAtMs: T0 + 1, activatedAtMs: null }),
        },
        [anEvent({ type: 'key_rotated' })],
      );
    const done = await Promise.all([promote(0), promote(1), promote(2)]);
    expect(done.filter(Boolean)).toHaveLength(1);
    expect(await store.listKeys('ten_1')).toMatchObject([
      { kid: 'key_1', status: 'retired', retiredAtMs: T0 + 1 }, { kid: 'key_2', status: 'active', activatedAtMs: T0 + 1 },
      { kid: `key_3_${done.indexOf(true)}`, status: 'next' },
    ]);
    expect(await listAudit(store, { type: 'key_rotated', limit: 9 })).toHaveLength(1);
  }],

  ['a key that does not sign can be revoked and replaced; the one that signs cannot', async (store) => {
    await furnish(store);
    await store.revokeKey('ten_1', 'key_1', null, T0, []);
    await store.revokeKey('ten_1', 'key_2', aKey({ kid: 'key_3', status: 'next', createdAtMs: T0 + 1 }), T0 + 1, []);
    await store.addKey(aKey({ kid: 'key_4', status: 'retired', createdAtMs: T0 + 2 }), []);
    const states = (await store.listKeys('ten_1')).map(({ kid, status }) => [kid, status]);
    expect(states).toEqual([['key_1', 'active'], ['key_2', 'revoked'], ['key_3', 'next'], ['key_4', 'retired']]);
  }],

  ['of several first keys made at once one is kept for signing and one as the next', async (store) => {
    await store.createTenant(aTenant(), [], []);
    for (const status of ['active', 'next'] as const) {
      const added = await Promise.all([1, 2, 3].map((number) => store.addKey(aKey({ kid: `${status}_${number}`, status }), [anEvent({ type: 'key_created' })])));
      expect(added).toEqual([true, false, false]);
    }
    expect((await store.listKeys('ten_1')).map(({ kid }) => kid)).toEqual(['active_1', 'next_1']);
    expect(await listAudit(store, { type: 'key_created', limit: 9 })).toHaveLength(2);
  }],

  ['a setting made once for all: of several that try, the first wins, and all get the same', async (store) => {
    const given = await Promise.all(['a', 'b', 'c'].map((value) => store.claimMeta('fingerprint_key', value)));
    expect(new Set(given).size).toBe(1);
    expect(await store.claimMeta('fingerprint_key', 'd')).toBe(given[0] ?? '');
    expect(await store.readMeta('fingerprint_key')).toBe(given[0] ?? '');
  }],

  ['settings are read back as last written', async (store) => {
    expect(await store.readMeta('origin')).toBeNull();
    await store.writeMeta('origin', 'https://a', []);
    await store.writeMeta('origin', 'https://b', []);
    expect(await store.readMeta('origin')).toBe('https://b');
    expect(await store.readMeta('demo')).toBeNull();
  }],

  ['LG-05 LG-08 events are read back whole, newest first, by tenant, type and time; of one only the count grows', async (store) => {
    const first = anEvent({ clientId: 'c', subject: 's', fingerprint: 'f', ip: '::1', requestId: 'r', outcome: 'denied', reason: 'policy', grantId: 'g', count: 3 });
    const second = anEvent({ timeMs: T0 + 1, tenant: 'other' });
    const third = anEvent({ timeMs: T0 + 2, type: 'grant_opened', tenant: null });
    const numbers = await store.recordAudit([first, second, third]);
    expect(await listAudit(store, { limit: 10 })).toEqual([third, second, first]);
    expect(await listAudit(store, { limit: 1 })).toEqual([third]);
    expect(await listAudit(store, { tenant: 'acme', limit: 10 })).toEqual([first]);
    expect(await listAudit(store, { type: 'token_revoked', limit: 10 })).toEqual([second, first]);
    expect(await listAudit(store, { sinceMs: T0 + 1, limit: 10 })).toEqual([third, second]);
    await store.countAudit([{ number: numbers[0] ?? 0, more: 4 }]);
    expect(await listAudit(store, { tenant: 'acme', limit: 10 })).toEqual([{ ...first, count: 7 }]);
  }],

  ['the epoch moves with owners and settings, and not with tokens', async (store) => {
    await furnish(store);
    const changes: [string, () => Promise<unknown>, boolean][] = [
      ['client', () => store.updateClient(aClient(), aClient({ name: 'x' }), []), true],
      ['user', () => store.updateUser(aUser(), aUser({ name: 'x' }), 'jane', []), true],
      ['tenant', () => store.updateTenant(aTenant(), aTenant({ name: 'x' }), []), true],
      ['resource', () => store.createResource(aResource(), 'k', []), true],
      ['key', () => store.addKey(aKey({ kid: 'key_9', status: 'retired' }), []), true],
      ['meta', () => store.writeMeta('origin', 'x', []), true],
      ['opaque token', () => store.addOpaqueToken(anOpaque()), false],
      ['revoked id', () => store.revokeTokenId('ten_1', 'jti', 1, T0, () => []), false],
      ['revoked grant', () => store.revokeGrant({ tenantId: 'ten_1', grantId: 'gra_1', session: false, atMs: T0 }, () => []), false],
      ['audit', () => store.recordAudit([anEvent()]), false],
    ];
    for (const [what, change, moves] of changes) {
      const before = store.epoch();
      await change();
      expect([what, store.epoch() !== before]).toEqual([what, moves]);
    }
  }],

  ['a store that is well can be probed', async (store) => {
    await store.probe();
    await store.probe();
  }],
];
