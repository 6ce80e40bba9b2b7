import type { Store } from '../core/store.ts';
import { seal, unseal, UnsealError, type MasterKey } from '../keys/seal.ts';

/** Things per transaction: servers beside us must not notice. */
const BATCH = 200;

/** Something that is sealed and cannot be opened. `kind`: damaged, or sealed under a key that nobody has. Holds no secret. */
export class ResealError extends Error {
  constructor(what: string, kind: UnsealError['kind']) {
    super(kind === 'wrong_key'
      ? `${what} was sealed under a master key that is not there: add that key below the others, and run this again`
      : `${what} is damaged and cannot be sealed anew; nothing is lost by that, but the former master key is kept until it is gone`);
    this.name = 'ResealError';
  }
}

/**
 * Seals everything anew that is not sealed under the key; what was sealed stays the same, kids included (JK-08). Cut short,
 * it can be repeated.
 * @param key with all others that open in its `other` @returns how many were sealed anew
 * @throws ResealError, StoreError
 */
export async function resealEverything(store: Store, key: MasterKey): Promise<number> {
  let count = 0;
  for (;;) {
    const items = await store.listSealedOtherwise(key.id, BATCH);
    if (items.length === 0) return count;
    const changes = items.map((item) => {
      try {
        return { ...item, resealed: seal(key, item.context, unseal(key, item.context, item.sealed)) };
      } catch (error) {
        if (error instanceof UnsealError) throw new ResealError(`${item.kind} ${item.ref}`, error.kind);
        throw error;
      }
    });
    // What somebody changed meanwhile is not replaced, and comes again.
    count += await store.replaceSealed(changes, []);
  }
}
