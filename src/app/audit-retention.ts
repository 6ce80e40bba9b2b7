import { auditEvent } from '../core/audit-event.ts';
import { isoTime } from '../core/times.ts';
import type { Context } from '../service/context.ts';

const DAY_MS = 86_400_000;
/** How often it is looked whether there is something to take, milliseconds. */
const LOOK_EVERY_MS = 300_000;
/** At most one run per chain within this time (JK-10), whichever process did it, milliseconds. */
const APART_MS = 3_600_000;
/** Events per step: a step shares its commit with requests, which must not notice. And between steps, milliseconds. */
const STEP = 100;
const PAUSE_MS = 25;
/** Before anything goes, the clock has to have kept pace with the monotonic one for so long, to within so much, milliseconds. */
const STEADY_FOR_MS = 600_000;
const STEADY_WITHIN_MS = 30_000;
/** And for so long once it jumped: time for somebody to notice. */
const STEADY_AFTER_JUMP_MS = DAY_MS;

/** Takes events whose time is over away. */
export type Retention = {
  /** Looks at every chain once. */
  readonly run: () => Promise<void>;
  readonly stop: () => Promise<void>;
};

/** Whether the clock goes as time goes. One that jumped is not believed until it went well for a while. */
function makeSteadiness({ clock }: Pick<Context, 'clock'>): () => boolean {
  const since = (): { readonly nowMs: number; readonly monotonicMs: number } => ({ nowMs: clock.now(), monotonicMs: clock.monotonic() });
  let from = since();
  let neededMs = STEADY_FOR_MS;
  return () => {
    const at = since();
    const passedMs = at.monotonicMs - from.monotonicMs;
    if (Math.abs(at.nowMs - from.nowMs - passedMs) > STEADY_WITHIN_MS) {
      from = at;
      neededMs = STEADY_AFTER_JUMP_MS;
      return false;
    }
    return passedMs >= neededMs;
  };
}

/**
 * Keeps each chain of the audit trail for as many days as its tenant wants (LG-08, MTN-12): also a deleted one, and one
 * that was never told for ever. Nothing goes while the clock is not to be trusted.
 * @param ownDays for the server's own events; null: for ever
 */
export function makeRetention(ctx: Pick<Context, 'store' | 'clock' | 'log' | 'mayIssue'>, ownDays: number | null): Retention {
  const { store, clock, log } = ctx;
  const isSteady = makeSteadiness(ctx);
  let stopped = false;

  async function daysOf(tenant: string | null): Promise<number | null> {
    if (tenant === null) return ownDays;
    return (await store.findTenant({ slug: tenant }))?.operations.auditRetentionDays ?? null;
  }

  async function wasPrunedLately(tenant: string | null, nowMs: number): Promise<boolean> {
    const { items: [last] } = await store.pageAudit({ after: null, limit: 1 }, { tenant, types: ['audit_pruned'] });
    return last !== undefined && Math.abs(nowMs - last.timeMs) < APART_MS;
  }

  async function prune(tenant: string | null, days: number): Promise<void> {
    const nowMs = clock.now();
    if (await wasPrunedLately(tenant, nowMs)) return;
    const beforeMs = nowMs - days * DAY_MS;
    let report: Parameters<typeof store.pruneAudit>[3] = auditEvent({ timeMs: nowMs, type: 'audit_pruned', tenant, actor: 'server', reason: `before ${isoTime(beforeMs)}` });
    while (!stopped && ctx.mayIssue()) {
      const { taken, reportNumber } = await store.pruneAudit(tenant, beforeMs, STEP, report);
      if (reportNumber === null || taken < STEP) return;
      report = reportNumber;
      await Bun.sleep(PAUSE_MS);
    }
  }

  async function run(): Promise<void> {
    if (!isSteady() || !ctx.mayIssue()) return;
    try {
      for (const tenant of await store.listAuditTenants()) {
        const days = await daysOf(tenant);
        if (days !== null && !stopped) await prune(tenant, days);
      }
    } catch (error) {
      log.warn('audit events could not be pruned', { kind: error instanceof Error ? error.name : 'unknown' });
    }
  }

  let running: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    running = running.then(run);
  }, LOOK_EVERY_MS);
  return {
    run,
    async stop() {
      stopped = true;
      clearInterval(timer);
      await running;
    },
  };
}
