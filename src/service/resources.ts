import { canonicalResource } from '../core/audience.ts';
import type { Resource } from '../core/model.ts';
import type { Store } from '../core/store.ts';

/** Key of a resource's identifier: its canonical form, or the text itself where it has none, as plain words do. */
export function resourceKey(identifier: string): string {
  return canonicalResource(identifier) ?? identifier;
}

/** The registered resources behind canonical indicators; null when one is not registered (RI-03). @throws StoreError */
export async function findResources(store: Store, tenantId: string, keys: readonly string[]): Promise<readonly Resource[] | null> {
  const found: Resource[] = [];
  for (const key of keys) {
    const resource = await store.findResource(tenantId, key);
    if (resource === null) return null;
    found.push(resource);
  }
  return found;
}
