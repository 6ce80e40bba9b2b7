import type { SigningKeyRow } from './store.ts';

/** When a tenant's keys take their turns (JK-04). Milliseconds since the epoch, unless it is said otherwise. */

const DAY_MS = 86_400_000;
/** What is due is put off by up to so much, each key by its own share: tenants that were made together rotate apart. */
const SPREAD_MS = DAY_MS / 2;
/** Of a short period the spread is this share. */
const SPREAD_SHARE = 0.1;
/** Longer than any clock is ahead by accident: an activation beyond it was written by a clock that was wrong. */
const AHEAD_MS = DAY_MS;

/** Between two rotations of one tenant on schedule, by the wall's and by the monotonic clock (JK-10). */
export const MIN_ROTATION_INTERVAL_MS = DAY_MS;

/** What is known of a key. */
export type KeyFacts = Pick<SigningKeyRow, 'kid' | 'status' | 'createdAtMs' | 'activatedAtMs'>;

/** What is to be done about a tenant's keys. */
export type RotationVerdict =
  | { readonly act: 'rotate'; readonly activeKid: string }
  /** `dueAtMs` null: only by command, or no key signs yet. */
  | { readonly act: 'wait'; readonly dueAtMs: number | null; readonly why: 'not_due' | 'next_too_fresh' | 'no_next' | 'by_command' | 'no_keys' };

/** A share between 0 and 1 that is a key's own for ever. Its id is a digest, so shares are spread evenly. */
function shareOf(kid: string): number {
  let value = 0;
  for (const character of kid.slice(0, 8)) value = (value * 31 + character.charCodeAt(0)) % 9_973;
  return value / 9_973;
}

/** When the key that signs is to give way; null: only by command, or none signs. @param days of the tenant's settings */
export function rotationDueAt(days: number | null, active: KeyFacts | undefined): number | null {
  if (days === null || active === undefined) return null;
  const periodMs = days * DAY_MS;
  return (active.activatedAtMs ?? active.createdAtMs) + periodMs + Math.floor(shareOf(active.kid) * Math.min(SPREAD_MS, periodMs * SPREAD_SHARE));
}

/**
 * Whether the next key is to take over now: the active one has signed for the tenant's period, and the next one has been
 * published for a cache's lifetime (JK-03, JK-04).
 * @param days period; null: only by command
 * @param nowMs steady time, which may lag behind @param seenMs what the program's clock says, never before what it said
 * @param publishedMs how long a key is published before it signs
 */
export function decideRotation(days: number | null, keys: readonly KeyFacts[], { nowMs, seenMs }: { readonly nowMs: number; readonly seenMs: number }, publishedMs: number): RotationVerdict {
  const active = keys.find(({ status }) => status === 'active');
  const next = keys.find(({ status }) => status === 'next');
  const dueAtMs = rotationDueAt(days, active);
  if (active === undefined) return { act: 'wait', dueAtMs: null, why: 'no_keys' };
  if (dueAtMs === null) return { act: 'wait', dueAtMs: null, why: 'by_command' };
  // Nobody knows since when a key signs that was activated in the future: the clock was wrong, and the key has its turn.
  const misdated = (active.activatedAtMs ?? active.createdAtMs) > seenMs + AHEAD_MS;
  if (nowMs < dueAtMs && !misdated) return { act: 'wait', dueAtMs, why: 'not_due' };
  if (next === undefined) return { act: 'wait', dueAtMs, why: 'no_next' };
  const freshForMs = nowMs - next.createdAtMs;
  if (freshForMs < publishedMs && next.createdAtMs <= seenMs + AHEAD_MS) return { act: 'wait', dueAtMs, why: 'next_too_fresh' };
  return { act: 'rotate', activeKid: active.kid };
}

/** A jump of the clock beyond this is not believed at once, milliseconds. */
const JUMP_MS = 3_600_000;
/** For so long, by the monotonic clock, time goes on without a jump, until it is believed: long enough to set a clock right. */
const BELIEVED_AFTER_MS = DAY_MS;

/** What a clock says that does not follow another's jumps for a day: keys are neither rotated nor deleted because of them (JK-10). */
export type SteadyTime = {
  /** Follows the readings of both clocks. @returns steady time, never ahead of `nowMs` */
  read(nowMs: number, monotonicMs: number): number;
};

/** A server that was off for longer than this does not believe the clock that it finds at once. */
const OFF_MS = 30 * DAY_MS;

/** @param lastSeenMs the latest time that the run before saw; 0: there was none */
export function makeSteadyTime(lastSeenMs = 0): SteadyTime {
  let base: { readonly nowMs: number; readonly monotonicMs: number } | null = null;
  let jumpedAtMs: number | null = null;
  return {
    read(nowMs, monotonicMs) {
      base ??= { nowMs: lastSeenMs > 0 && nowMs - lastSeenMs > OFF_MS ? lastSeenMs : nowMs, monotonicMs };
      const expectedMs = base.nowMs + (monotonicMs - base.monotonicMs);
      // Small differences are the clock's being set.
      const jumped = Math.abs(nowMs - expectedMs) > JUMP_MS;
      jumpedAtMs = jumped ? jumpedAtMs ?? monotonicMs : null;
      if (jumpedAtMs !== null && monotonicMs - jumpedAtMs < BELIEVED_AFTER_MS) return Math.min(expectedMs, nowMs);
      jumpedAtMs = null;
      base = { nowMs, monotonicMs };
      return nowMs;
    },
  };
}
