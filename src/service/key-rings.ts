import type { Awaitable, Store } from '../core/store.ts';
import { buildKeyRing, type KeyRing } from '../keys/ring.ts';
import type { MasterKey } from '../keys/seal.ts';

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
    const signature = JSON.stringify(rows);
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
