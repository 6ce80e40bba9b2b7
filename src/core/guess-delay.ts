/** Wrong tries that cost no wait. */
const FREE_FAILURES = 4;
const FIRST_DELAY_S = 5;
const LONGEST_DELAY_S = 900;
/** Without a failure for so long, all is forgotten. */
const FORGOTTEN_AFTER_MS = 3_600_000;

/** Whether failures are so long ago that they count for nothing. */
export function isForgotten(lastAtMs: number, nowMs: number): boolean {
  return nowMs - lastAtMs >= FORGOTTEN_AFTER_MS;
}

/**
 * Seconds until one account may be tried again from one network (UI-13): nothing for the first four failures, then 5, 10,
 * 20 … at most 900 from the last failure on; nobody is ever locked out for good.
 * @returns whole seconds, rounded up; 0: now
 */
export function delayAfter(failures: number, lastAtMs: number, nowMs: number): number {
  if (failures <= FREE_FAILURES || isForgotten(lastAtMs, nowMs)) return 0;
  const delayS = Math.min(LONGEST_DELAY_S, FIRST_DELAY_S * 2 ** (failures - FREE_FAILURES - 1));
  return Math.max(0, Math.ceil((lastAtMs + delayS * 1000 - nowMs) / 1000));
}
