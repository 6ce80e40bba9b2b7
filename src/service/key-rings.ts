import type { Awaitable, Store } from '../core/store.ts';
import { buildKeyRing, type KeyRing } from '../keys/ring.ts';
import type { MasterKey } from '../keys/seal.ts';
import type { JsonWebKeySet } from '../spec/metadata.ts';

/** Key rings by tenant, rebuilt when the store says that anything may have changed. */
export type KeyRings = {
  /** @throws UnsealError, StoreError */
  of(tenantId: string): Awaitable<KeyRing>;
};

type Kept = { readonly epoch: number; readonly rows: unknown; readonly ring: KeyRing };

/** Keeps one ring per tenant in memory; an unchanged list of rows keeps its ring across epochs. */
export function makeKeyRings(store: Store, master: MasterKey): KeyRings {
  const kept = new Map<string, Kept>();

  async function build(tenantId: string, epoch: number): Promise<KeyRing> {
    const rows = await store.listKeys(tenantId);
    // Sealed anew, a key is the same key: what it proved stays proved (JK-08).
    const signature = JSON.stringify(rows.map(({ sealedPrivate, ...row }) => ({ ...row, signs: sealedPrivate !== '' })));
    const former = kept.get(tenantId);
    const ring = former?.rows === signature ? former.ring : await buildKeyRing(master, rows);
    kept.set(tenantId, { epoch, rows: signature, ring });
    return ring;
  }

  return {
    of(tenantId) {
      const epoch = store.epoch();
      const known = kept.get(tenantId);
      return known?.epoch === epoch ? known.ring : build(tenantId, epoch);
    },
  };
}

/**
 * The keys that an issuer publishes (JK-01): its own, and those of a server that was this very issuer before. Never another
 * issuer's: resource servers take what any of these keys signed for this issuer's word (RFC 8725 §3.8).
 */
export function publishedKeys({ published, former }: KeyRing, issuer: string): JsonWebKeySet {
  const before = [...former.values()].filter((key) => key.issuer === issuer).map(({ jwk }) => jwk);
  return before.length === 0 ? published : { keys: [...published.keys, ...before] };
}
