import { expect } from 'bun:test';
import type { StorePromise } from './conformance.ts';
import { aClient, anEvent, aResource, aTenant, aUser, furnish, T0 } from './samples.ts';
import type { Store, UpdateOutcome } from '../../src/core/store.ts';
import { listAudit } from '../helpers/trail.ts';

type Fields = { readonly name?: string; readonly disabledAtMs?: number; readonly notBeforeMs?: number };
type Row = { readonly name: string | null; readonly disabledAtMs: number | null; readonly notBeforeMs: number };
type Kind = {
  readonly what: string;
  /** Updates the sample row from one state to another, with an event. */
  readonly update: (store: Store, before: Fields, after: Fields) => Promise<UpdateOutcome | 'host_taken' | 'username_taken'>;
  readonly find: (store: Store) => Promise<Row | null>;
  readonly remove: (store: Store) => Promise<unknown>;
};

const events = [anEvent({ type: 'client_updated' })];
const gone = { deletedAtMs: T0, notBeforeMs: T0 } as const;
const kinds: readonly Kind[] = [
  {
    what: 'client',
    update: (store, before, after) => store.updateClient(aClient(before), aClient(after), events),
    find: async (store) => store.findClient('ten_1', 'cli_1'),
    remove: (store) => store.updateClient(aClient(), aClient(gone), []),
  },
  {
    what: 'user',
    update: (store, before, after) => store.updateUser(aUser(before), aUser(after), 'jane', events),
    find: async (store) => store.findUser('ten_1', 'usr_1'),
    remove: (store) => store.updateUser(aUser(), aUser(gone), 'usr_1', []),
  },
  {
    what: 'tenant',
    update: (store, before, after) => store.updateTenant(aTenant(before), aTenant(after), events),
    find: async (store) => store.findTenant({ id: 'ten_1' }),
    remove: (store) => store.deleteTenant('ten_1', T0, []),
  },
];

const disabled = { disabledAtMs: T0, notBeforeMs: T0 } as const;

/** What happens when several change the same row, and when its owner is gone. */
export const updatePromises: readonly StorePromise[] = [
  ...kinds.flatMap(({ what, update, find, remove }): readonly StorePromise[] => [
    [`a ${what} that was disabled meanwhile stays so: an update decided on the row before is outdated and leaves nothing`, async (store) => {
      await furnish(store);
      expect(await Promise.all([update(store, {}, disabled), update(store, {}, { name: 'Late' })])).toEqual(['updated', 'outdated']);
      expect(await find(store)).toMatchObject(disabled);
      expect((await find(store))?.name).not.toBe('Late');
      expect(await listAudit(store, { type: 'client_updated', limit: 9 })).toHaveLength(1);
      expect(await update(store, disabled, { ...disabled, name: 'Late' })).toBe('updated');
      expect(await find(store)).toMatchObject({ ...disabled, name: 'Late' });
    }],

    [`an update of a deleted ${what} says so, and changes nothing`, async (store) => {
      await furnish(store);
      await remove(store);
      const tombstone = await find(store);
      expect(await update(store, {}, { name: 'Late' })).toBe('outdated');
      expect(await update(store, gone, { name: 'Late' })).toBe('outdated');
      expect(await find(store)).toEqual(tombstone);
      expect(await listAudit(store, { type: 'client_updated', limit: 9 })).toEqual([]);
    }],
  ]),

  ['an update of what never was says so', async (store) => {
    await store.createTenant(aTenant(), [], []);
    expect(await store.updateClient(aClient(), aClient({ name: 'x' }), events)).toBe('outdated');
    expect(await store.updateUser(aUser(), aUser({ name: 'x' }), 'jane', events)).toBe('outdated');
    expect(await store.updateTenant(aTenant({ id: 'ten_9' }), aTenant({ id: 'ten_9' }), events)).toBe('outdated');
    expect(await listAudit(store, { limit: 9 })).toEqual([]);
  }],

  ['a deleted client owns no resource any more, and whoever gets its id next owns none either', async (store) => {
    await furnish(store);
    await store.createTenant(aTenant({ id: 'ten_2', slug: 'other' }), [], []);
    await store.createClient(aClient({ id: 'cli_2' }), []);
    const others = [aResource({ uri: 'https://two/', ownerClientId: 'cli_2' }), aResource({ tenantId: 'ten_2', uri: 'https://three/' })];
    for (const resource of [aResource(), ...others]) await store.createResource(resource, resource.uri, []);
    const owners = async () => [
      (await store.findResource('ten_1', aResource().uri))?.ownerClientId, (await store.findResource('ten_1', 'https://two/'))?.ownerClientId,
      (await store.findResource('ten_2', 'https://three/'))?.ownerClientId,
    ];
    expect(await owners()).toEqual(['cli_1', 'cli_2', 'cli_1']);
    expect(await store.updateClient(aClient(), aClient(gone), [])).toBe('updated');
    expect(await owners()).toEqual([null, 'cli_2', 'cli_1']);
    // Also one that was given to the id after its deletion.
    await store.createResource(aResource({ uri: 'https://four/' }), 'https://four/', []);
    expect(await store.findResource('ten_1', 'https://four/')).toMatchObject({ ownerClientId: 'cli_1' });
    expect(await store.createClient(aClient(), [])).toBe(true);
    expect(await owners()).toEqual([null, 'cli_2', 'cli_1']);
    expect(await store.findResource('ten_1', 'https://four/')).toMatchObject({ ownerClientId: null });
  }],
];
