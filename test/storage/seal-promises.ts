import { expect } from 'bun:test';
import { sealedFor, type SealedKind } from '../../src/core/sealed.ts';
import { auditEvent } from '../../src/core/audit-event.ts';
import type { SealedItem } from '../../src/core/operations-store.ts';
import type { Store } from '../../src/core/store.ts';
import type { StorePromise } from './conformance.ts';
import { aMail, aProof, aTotp, furnishPeople } from './people-samples.ts';
import { aKey, aTenant, T0 } from './samples.ts';
import { listAudit } from '../helpers/trail.ts';

const OLD = 'OLDOLDOL';
const NEW = 'NEWNEWNE';
const sealed = (what: string): string => `v1.${OLD}.${what}`;

/** Puts one sealed thing of each kind into a store, and says what it was sealed for. A new kind needs a row here. */
const seeds: Readonly<Record<SealedKind, (store: Store) => Promise<readonly string[]>>> = {
  signingKey: async (store) => {
    await store.createTenant(aTenant({ id: 'ten_s', slug: 'sealed' }), [
      aKey({ tenantId: 'ten_s', kid: 'kid_a', sealedPrivate: sealed('a') }), aKey({ tenantId: 'ten_s', kid: 'kid_n', status: 'next', sealedPrivate: sealed('n') }),
      aKey({ tenantId: 'ten_s', kid: 'kid_r', status: 'retired', sealedPrivate: '' }),
    ], []);
    return [sealedFor.signingKey('ten_s', 'kid_a'), sealedFor.signingKey('ten_s', 'kid_n')];
  },
  fingerprintKey: async (store) => {
    await store.claimMeta('fingerprint_key', sealed('fingerprint'));
    return [sealedFor.fingerprintKey()];
  },
  totp: async (store) => {
    await store.beginTotp(aTotp({ sealedSecret: sealed('totp') }));
    return [sealedFor.totp('ten_1', 'usr_1')];
  },
  proof: async (store) => {
    await store.createProof(aProof('prf_s', { sealedData: sealed('proof') }), { audit: [] });
    await store.createProof(aProof('prf_n', { sealedData: null }), { audit: [] });
    return [sealedFor.proof('prf_s')];
  },
  mail: async (store) => {
    const logout = aMail('out_l', { kind: 'logout', payload: '{"sub":"v1.OLDOLDOL.x"}' });
    await store.createProof(aProof('prf_m', { sealedData: null }), { audit: [], outbox: [aMail('out_s', { payload: sealed('mail') }), logout] });
    return [sealedFor.mail('ten_1', 'out_s')];
  },
  webhookSecret: async (store) => {
    const secret = (what: string) => ({ sealed: sealed(what), createdAtMs: T0, expiresAtMs: null });
    await store.createWebhook({
      id: 'whk_s', tenantId: null, name: 'all', url: 'https://example.com/', events: [], secrets: [secret('one'), secret('two')], createdAtMs: T0, disabledAtMs: null,
      cursor: 0, attempts: 0, nextAttemptAtMs: T0, failingSinceMs: null,
    }, []);
    return [sealedFor.webhookSecret('whk_s'), sealedFor.webhookSecret('whk_s')];
  },
  reply: async (store) => {
    await store.claimReply({ caller: 'ak_1', keyDigest: 'digest', requestDigest: 'request', atMs: T0 });
    await store.settleReply('ak_1', 'digest', { status: 201, sealedBody: sealed('reply') });
    await store.claimReply({ caller: 'ak_1', keyDigest: 'open', requestDigest: 'request', atMs: T0 });
    return [sealedFor.reply('ak_1', 'digest')];
  },
};

/** A store with one of everything. @returns kinds and contexts, sorted */
export async function sealEverything(store: Store): Promise<readonly string[]> {
  await furnishPeople(store);
  const contexts: string[] = [];
  for (const [kind, seed] of Object.entries(seeds)) for (const context of await seed(store)) contexts.push(`${kind}: ${context}`);
  return contexts.toSorted();
}

/** What the sealed things of a store are now. Those of other samples, which are not quite sealed, do not count. */
async function found(store: Store, keyId: string): Promise<readonly SealedItem[]> {
  return (await store.listSealedOtherwise(keyId, 1_000)).filter((item) => /^v1\.[A-Z]{8}\./.test(item.sealed));
}

const resealed = (items: readonly SealedItem[]) => items.map((item) => ({ ...item, resealed: item.sealed.replace(OLD, NEW) }));
const names = (items: readonly SealedItem[]): readonly string[] => items.map(({ kind, context }) => `${kind}: ${context}`).toSorted();

export const sealPromises: readonly StorePromise[] = [
  ['JK-08, CR-06 everything that is sealed under another key is found, with what it was sealed for', async (store) => {
    const all = await sealEverything(store);
    expect(names(await found(store, NEW))).toEqual([...all]);
    expect(await found(store, OLD)).toEqual([]);
    expect(await store.listSealedOtherwise(NEW, 3)).toHaveLength(3);
  }],

  ['JK-08 and replaced, where it still is as it was, in all that reads it', async (store) => {
    const all = await sealEverything(store);
    const items = await found(store, NEW);
    const kids = (await store.listKeys('ten_s')).map(({ kid, status }) => [kid, status]);
    const event = auditEvent({ timeMs: T0, type: 'master_key_rotated', actor: 'operator', subject: NEW });
    expect(await store.replaceSealed(resealed(items), [event])).toBe(items.length);
    expect(await found(store, NEW)).toEqual([]);
    expect(names(await found(store, OLD))).toEqual([...all]);
    expect(await listAudit(store, { type: 'master_key_rotated', limit: 9 })).toEqual([event]);
    // Once more changes nothing: what it was is gone.
    expect(await store.replaceSealed(items.map((item) => ({ ...item, resealed: 'v1.WORSEKEY.x' })), [])).toBe(0);

    const begins = (text: string | null | undefined): string => (text ?? '').slice(0, 12);
    const keys = await store.listKeys('ten_s');
    expect(keys.map(({ kid, status }) => [kid, status])).toEqual(kids);
    expect(keys.map(({ sealedPrivate }) => begins(sealedPrivate)).toSorted()).toEqual(['', `v1.${NEW}.`, `v1.${NEW}.`]);
    expect(begins(await store.readMeta('fingerprint_key'))).toBe(`v1.${NEW}.`);
    expect(begins((await store.findTotp('ten_1', 'usr_1'))?.sealedSecret)).toBe(`v1.${NEW}.`);
    expect((await store.findWebhook('whk_s'))?.secrets.map((secret) => secret.sealed)).toEqual([`v1.${NEW}.one`, `v1.${NEW}.two`]);
    const claim = await store.claimReply({ caller: 'ak_1', keyDigest: 'digest', requestDigest: 'request', atMs: T0 });
    expect(claim).toMatchObject({ kind: 'known', reply: { status: 201, sealedBody: `v1.${NEW}.reply` } });
  }],

  ['JK-08 what somebody changed meanwhile is left alone, and found again', async (store) => {
    await sealEverything(store);
    const items = await found(store, NEW);
    await store.beginTotp(aTotp({ sealedSecret: sealed('another') }));
    expect(await store.replaceSealed(resealed(items), [])).toBe(items.length - 1);
    expect((await found(store, NEW)).map(({ kind, sealed: text }) => [kind, text])).toEqual([['totp', sealed('another')]]);
  }],

  ['JK-03 a key of a former issuer stays until the time that it was given', async (store) => {
    await furnishPeople(store);
    await store.addKey(aKey({ kid: 'former', status: 'retired', sealedPrivate: '', activatedAtMs: null, retiredAtMs: T0 + 5_000_000, issuer: 'https://old.example.com' }), []);
    expect(await store.addKey(aKey({ kid: 'former', status: 'retired', issuer: 'https://old.example.com' }), [])).toBe(false);
    const isThere = async (nowMs: number, steadyMs = nowMs): Promise<boolean> => {
      while (!(await store.sweep(nowMs, 1_000, steadyMs)).done);
      return (await store.listKeys('ten_1')).some(({ kid }) => kid === 'former');
    };
    expect(await isThere(T0 + 5_060_000)).toBe(true);
    // JK-10: a clock that jumped takes no key.
    expect(await isThere(T0 + 315_360_000_000, T0 + 5_060_000)).toBe(true);
    expect(await isThere(T0 + 5_060_001)).toBe(false);
  }],
];
