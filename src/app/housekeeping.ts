import { auditEvent } from '../core/audit-event.ts';
import { makeSteadyTime } from '../core/key-rotation.ts';
import { startKeyDuties } from './key-duties.ts';
import type { Application } from './open.ts';

/** How often expired rows are looked for, and how long the work of one call may take, milliseconds. */
const SWEEP_EVERY_MS = 5_000;
const SWEEP_BUDGET_MS = 4;
/** Between calls, so that requests come first. */
const SWEEP_PAUSE_MS = 20;
/** How often the clock's highest reading is written down (TM-02). */
const HIGH_WATER_EVERY_MS = 5_000;

/** Work that goes on beside requests, until stopped. */
export type Housekeeping = { stop(): Promise<void> };

/** Starts the sweeper, the keeper of the clock's high-water mark, and what is to be done about keys. */
export function startHousekeeping(application: Application): Housekeeping {
  const { ctx, clock } = application;
  const steady = makeSteadyTime(application.lastSeenMs);
  /** The machine's clock, also where the program's goes on by itself. */
  const steadyMs = (): number => steady.read(clock.now() - clock.behindMs(), clock.monotonic());
  const keyDuties = startKeyDuties(application, steadyMs);
  let stopped = false;
  let sweeping: Promise<void> = Promise.resolve();
  let steppedBack = false;

  async function sweepOnce(): Promise<boolean> {
    const begunMs = clock.monotonic();
    const { rows, done } = await ctx.store.sweep(ctx.clock.now(), SWEEP_BUDGET_MS, steadyMs());
    ctx.metrics.swept(rows, (clock.monotonic() - begunMs) / 1000);
    return done;
  }

  async function sweep(): Promise<void> {
    try {
      while (!stopped && !(await sweepOnce())) await Bun.sleep(SWEEP_PAUSE_MS);
    } catch (error) {
      ctx.log.warn('sweeping failed', { kind: error instanceof Error ? error.name : 'unknown' });
    }
  }

  async function markClock(): Promise<void> {
    const behindMs = clock.behindMs();
    const stepped = behindMs > 0 && !steppedBack;
    if (behindMs > 0 !== steppedBack) {
      steppedBack = behindMs > 0;
      if (steppedBack) ctx.log.error('the clock of this machine stepped back', { behind_ms: behindMs, fix: 'set the clock right; until it is past the latest time that was seen, time goes on from there, and readiness says so. If it is right and was ahead before: assay serve --accept-clock' });
      else ctx.log.info('the clock of this machine is right again');
    }
    try {
      const nowMs = ctx.clock.now();
      await ctx.store.writeMeta('clock_high_water_ms', String(nowMs), stepped
        ? [auditEvent({ timeMs: nowMs, type: 'clock_stepped_back', actor: 'server', outcome: 'failure', reason: `behind by ${Math.round(behindMs / 1000)} s` })]
        : []);
    } catch (error) {
      ctx.log.warn('the clock mark could not be written', { kind: error instanceof Error ? error.name : 'unknown' });
    }
  }

  const timers = [
    setInterval(() => {
      sweeping = sweeping.then(sweep);
    }, SWEEP_EVERY_MS),
    setInterval(() => void markClock(), HIGH_WATER_EVERY_MS),
  ];

  return {
    async stop() {
      stopped = true;
      for (const timer of timers) clearInterval(timer);
      await sweeping;
      await keyDuties.stop();
      await markClock();
    },
  };
}
