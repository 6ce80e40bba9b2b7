import { BoundedMap } from '../core/bounded-map.ts';
import type { Clock } from '../core/ports.ts';

/** Counts failures per key within a window; memory is bounded whatever keys strangers invent (RL-04). */
export type Throttle = {
  /** Milliseconds until this key may fail again, or null when it may now. */
  blockedForMs(key: string, limit: number): number | null;
  countFailure(key: string): void;
  /** Failures of this key in the window that runs. */
  failures(key: string): number;
  /** A failure that was counted beforehand turned out to be none. */
  takeBack(key: string): void;
};

const MINUTE_MS = 60_000;
/** Keys remembered, per generation. */
const KEYS = 20_000;

/** Fixed windows on the monotonic clock (TM-04). @param windowMs how long they are */
export function makeThrottle(clock: Clock, windowMs = MINUTE_MS): Throttle {
  const windows = new BoundedMap<string, { startedMs: number; failures: number }>(KEYS);
  return {
    blockedForMs(key, limit) {
      const window = windows.get(key);
      if (window === undefined || window.failures < limit) return null;
      const leftMs = window.startedMs + windowMs - clock.monotonic();
      return leftMs > 0 ? leftMs : null;
    },
    countFailure(key) {
      const nowMs = clock.monotonic();
      const window = windows.get(key);
      if (window === undefined || nowMs - window.startedMs >= windowMs) windows.set(key, { startedMs: nowMs, failures: 1 });
      else window.failures += 1;
    },
    failures(key) {
      const window = windows.get(key);
      return window === undefined || clock.monotonic() - window.startedMs >= windowMs ? 0 : window.failures;
    },
    takeBack(key) {
      const window = windows.get(key);
      if (window !== undefined && window.failures > 0) window.failures -= 1;
    },
  };
}
