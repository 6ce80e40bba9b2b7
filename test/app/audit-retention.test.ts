import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { makeRetention } from '../../src/app/audit-retention.ts';
import { defaultOperationsSettings } from '../../src/core/operations-settings.ts';
import type { Store } from '../../src/core/store.ts';
import { verifyChains } from '../../src/service/manage-audit.ts';
import { anEvent } from '../storage/samples.ts';
import { makeSetClock, openRig, silentLog, type Rig } from '../service/rig.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

let rig: Rig;
beforeEach(() => {
  rig = openRig();
});
afterEach(() => rig.close());

const types = async (store: Store, tenant: string | null): Promise<readonly string[]> => (await store.readAudit({ tenant, after: 0, limit: 999 })).map(({ type, count }) => `${type} ${count}`);

/** A tenant that keeps its events for some days, with one event for each of the last ten days, oldest first. */
async function keeping(slug: string | null, days: number | null): Promise<void> {
  const { ctx, clock } = rig;
  if (slug !== null) await rig.tenant(slug, { operations: { ...defaultOperationsSettings, auditRetentionDays: days } });
  await ctx.store.recordAudit(Array.from({ length: 10 }, (_, index) => anEvent({ tenant: slug, timeMs: clock.now() - (10 - index) * DAY + HOUR })));
}

/** Retention whose clock was steady for long enough. */
function steady(ownDays: number | null = null) {
  const retention = makeRetention(rig.ctx, ownDays);
  rig.clock.advance(20 * MINUTE);
  return retention;
}

describe('LG-08 retention of the audit trail', () => {
  test('each chain is kept as long as its tenant wants, and the server\'s own as the setting says', async () => {
    await keeping('short', 3);
    await keeping('ever', null);
    await keeping(null, null);
    const retention = steady(5);
    await retention.run();
    expect(await types(rig.ctx.store, 'short')).toEqual([...Array.from({ length: 3 }, () => 'token_revoked 1'), 'audit_pruned 7']);
    expect(await types(rig.ctx.store, 'ever')).toHaveLength(10);
    expect(await types(rig.ctx.store, null)).toEqual([...Array.from({ length: 5 }, () => 'token_revoked 1'), 'audit_pruned 5']);
    expect((await verifyChains(rig.ctx)).map(({ broken }) => broken)).toEqual([null, null, null]);
    await retention.stop();
  });

  test('MTN-12 events of a deleted tenant stay as long as it wanted, and then go', async () => {
    await keeping('gone', 5);
    await rig.ctx.store.deleteTenant('ten_gone', rig.clock.now(), []);
    const retention = steady();
    await retention.run();
    expect(await types(rig.ctx.store, 'gone')).toEqual([...Array.from({ length: 5 }, () => 'token_revoked 1'), 'audit_pruned 5']);
    await retention.stop();
  });

  test('many go in small steps, and one event counts them', async () => {
    await rig.tenant('many', { operations: { ...defaultOperationsSettings, auditRetentionDays: 1 } });
    await rig.ctx.store.recordAudit(Array.from({ length: 250 }, () => anEvent({ tenant: 'many', timeMs: rig.clock.now() - 2 * DAY })));
    await rig.ctx.store.recordAudit([anEvent({ tenant: 'many', timeMs: rig.clock.now() })]);
    const retention = steady();
    await retention.run();
    expect(await types(rig.ctx.store, 'many')).toEqual(['token_revoked 1', 'audit_pruned 250']);
    await retention.stop();
  });

  test('JK-10 at most one run per hour and chain, whichever process did it', async () => {
    await keeping('short', 3);
    const first = steady();
    await first.run();
    await first.stop();
    await rig.ctx.store.recordAudit([anEvent({ tenant: 'short', timeMs: rig.clock.now() })]);
    const other = steady();
    rig.clock.advance(30 * MINUTE);
    const before = await types(rig.ctx.store, 'short');
    await rig.ctx.store.updateTenant((await rig.ctx.store.findTenant({ slug: 'short' }))!, { ...(await rig.ctx.store.findTenant({ slug: 'short' }))!, operations: { ...defaultOperationsSettings, auditRetentionDays: 1 } }, []);
    await other.run();
    expect(await types(rig.ctx.store, 'short')).toEqual(before);
    rig.clock.advance(HOUR);
    await other.run();
    expect((await types(rig.ctx.store, 'short')).length).toBeLessThan(before.length);
    await other.stop();
  });

  test('JK-10 nothing goes soon after a start, after the clock jumped, or while it is not to be trusted', async () => {
    const clock = makeSetClock();
    let jumpedMs = 0;
    let mayIssue = true;
    const ctx = { store: rig.ctx.store, log: silentLog, mayIssue: () => mayIssue, clock: { now: () => clock.now() + jumpedMs, monotonic: () => clock.monotonic() } };
    await keeping('short', 3);
    const all = await types(rig.ctx.store, 'short');
    const retention = makeRetention(ctx, null);
    const nothing = async (): Promise<void> => {
      await retention.run();
      expect(await types(rig.ctx.store, 'short')).toEqual(all);
    };
    await nothing();
    clock.advance(9 * MINUTE);
    await nothing();
    clock.advance(9 * MINUTE);
    jumpedMs = 365 * DAY;
    await nothing();
    clock.advance(23 * HOUR);
    await nothing();
    jumpedMs = 0;
    await nothing();
    clock.advance(23 * HOUR);
    await nothing();
    clock.advance(2 * HOUR);
    mayIssue = false;
    await nothing();
    mayIssue = true;
    await retention.run();
    expect(await types(rig.ctx.store, 'short')).toEqual(['token_revoked 1', 'audit_pruned 9']);
    await retention.stop();
  });
});
