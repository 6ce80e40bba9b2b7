import { BoundedMap } from '../core/bounded-map.ts';
import type { Clock } from '../core/ports.ts';

/** Counts what happens under a key within a window, mostly failures; memory is bounded whatever keys strangers invent (RL-04). */
export type Throttle = {
  /** Milliseconds until it may happen again under this key, or null when it may now. */
  blockedForMs(key: string, limit: number): number | null;
  count(key: string): void;
  /** How often it was counted in the window that runs. */
  counted(key: string): number;
  /** What was counted beforehand turned out not to count. */
  takeBack(key: string): void;
};

const MINUTE_MS = 60_000;
/** Keys remembered, per generation. */
const KEYS = 20_000;

/** Fixed windows on the monotonic clock (TM-04). @param windowMs how long they are */
export function makeThrottle(clock: Clock, windowMs = MINUTE_MS): Throttle {
  const windows = new BoundedMap<string, { startedMs: number; times: number }>(KEYS);
  return {
    blockedForMs(key, limit) {
      const window = windows.get(key);
      if (window === undefined || window.times < limit) return null;
      const leftMs = window.startedMs + windowMs - clock.monotonic();
      return leftMs > 0 ? leftMs : null;
    },
    count(key) {
      const nowMs = clock.monotonic();
      const window = windows.get(key);
      if (window === undefined || nowMs - window.startedMs >= windowMs) windows.set(key, { startedMs: nowMs, times: 1 });
      else window.times += 1;
    },
    counted(key) {
      const window = windows.get(key);
      return window === undefined || clock.monotonic() - window.startedMs >= windowMs ? 0 : window.times;
    },
    takeBack(key) {
      const window = windows.get(key);
      if (window !== undefined && window.times > 0) window.times -= 1;
    },
  };
}
