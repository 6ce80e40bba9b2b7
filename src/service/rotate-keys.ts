import { BoundedMap } from '../core/bounded-map.ts';
import { METADATA_MAX_AGE } from '../core/discovery.ts';
import { decideRotation, MIN_ROTATION_INTERVAL_MS } from '../core/key-rotation.ts';
import type { Tenant } from '../core/model.ts';
import { usable, type Context } from './context.ts';
import { rotateKeysOnSchedule } from './manage-keys.ts';

/** Tenants that are looked at in one go: their keys come from memory or by an index. */
const LOOK_AT = 20;
/** Tenants whose last rotation is remembered; twice as many at most. */
const REMEMBERED = 10_000;

/** Keys that take their turns by age, a few tenants at a time. */
export type KeyRotation = {
  /**
   * Looks at the next few tenants, and rotates the keys of at most one. Of several servers on the same data one does it.
   * @param nowMs steady time @returns the tenant whose keys were rotated
   * @throws StoreError
   */
  turn(nowMs: number): Promise<Tenant | null>;
};

/** @param mayRotate whether the clock can be trusted now */
export function makeKeyRotation(ctx: Context, mayRotate: () => boolean): KeyRotation {
  const rotated = new BoundedMap<string, number>(REMEMBERED);
  let after: string | null = null;

  /** Whether this tenant's keys were rotated by us within the least interval, whatever the wall's clock says (JK-10). */
  function isFresh(tenant: Tenant): boolean {
    const atMs = rotated.get(tenant.id);
    return atMs !== undefined && ctx.clock.monotonic() - atMs < MIN_ROTATION_INTERVAL_MS;
  }

  return {
    async turn(nowMs) {
      if (!mayRotate() || !ctx.mayIssue()) return null;
      const { items, next } = await ctx.store.pageTenants({ limit: LOOK_AT, after }, {});
      for (const [index, tenant] of items.entries()) {
        if (usable(tenant) === null || isFresh(tenant)) continue;
        const keys = await ctx.store.listKeys(tenant.id);
        const verdict = decideRotation(tenant.operations.keyRotationDays, keys, { nowMs, seenMs: ctx.clock.now() }, METADATA_MAX_AGE * 1000);
        const misses = verdict.act === 'wait' && verdict.why === 'no_next';
        if (verdict.act !== 'rotate' && !misses) continue;
        const did = await rotateKeysOnSchedule(ctx, tenant, verdict.act === 'rotate' ? verdict.activeKid : null);
        if (!did) continue;
        if (verdict.act === 'rotate') rotated.set(tenant.id, ctx.clock.monotonic());
        // The rest of these tenants comes with the next look.
        if (index < items.length - 1) return tenant;
        after = next;
        return tenant;
      }
      after = next;
      return null;
    },
  };
}
