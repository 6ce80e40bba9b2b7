import type { Clock } from '../core/ports.ts';

/** A step back smaller than this is adjustment, not trouble: time just stands still until the machine's clock catches up. */
const CALM_STEP_MS = 2_000;

/** The program's clock, and whether the machine's can be believed. */
export type GuardedClock = Clock & {
  /** Milliseconds by which the machine's clock is behind what was already seen; 0 when all is well (readiness, TM-02). */
  behindMs(): number;
};

/**
 * Time that never goes back (TM-02, TM-03): when the machine's clock steps back, time goes on from where it was, by the
 * monotonic clock, until the machine's clock is past it again. So nothing expired comes back to life, and nothing lives
 * longer than its seconds.
 * @param highWaterMs the latest time that any earlier run has recorded
 */
export function makeClock(
  highWaterMs: number,
  wall: () => number = Date.now,
  monotonic: () => number = () => performance.now(),
): GuardedClock {
  let latestMs = highWaterMs;
  /** Set while time runs on its own. */
  let own: { readonly fromMs: number; readonly monotonicMs: number } | null = null;

  function now(): number {
    const wallMs = wall();
    if (wallMs >= latestMs) {
      own = null;
      latestMs = wallMs;
      return wallMs;
    }
    if (own === null && latestMs - wallMs > CALM_STEP_MS) own = { fromMs: latestMs, monotonicMs: monotonic() };
    if (own !== null) latestMs = Math.max(latestMs, Math.floor(own.fromMs + (monotonic() - own.monotonicMs)));
    return latestMs;
  }

  return {
    now,
    monotonic,
    behindMs() {
      const seen = now();
      return own === null ? 0 : seen - wall();
    },
  };
}
