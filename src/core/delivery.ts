import type { MailOutcome, PostOutcome } from './outbound.ts';
import type { OutboxItem } from './people.ts';

/** Pauses before the second attempt, the third …, milliseconds; after the last attempt a thing is given up (LO-13). */
const pausesMs: Readonly<Record<OutboxItem['kind'], readonly number[]>> = {
  logout: [5_000, 30_000, 120_000, 600_000],
  mail: [5_000, 30_000, 120_000, 600_000, 3_600_000],
};

/** A logout that is older waits no longer for a place that is in trouble, milliseconds. */
const LATE_MS = 3_600_000;
/** Calls to one place at once, while it answers (SS-08). */
const PARALLEL_PER_PLACE = 2;
/** From so many timeouts in a row on, a place is called after pauses: the first and the longest, milliseconds. */
const TROUBLE_FROM = 2;
const FIRST_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 300_000;
/** Failures that say nothing about the place: nothing was sent. */
const ours: ReadonlySet<string> = new Set(['no_key', 'internal']);

/** What became of one attempt. `why`: one word, for the log and the audit trail; never a body. */
export type Attempt =
  | { readonly kind: 'done'; readonly outcome: 'delivered' | 'mailbox' }
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'failed'; readonly why: string };

/** What is written down after an attempt, the item's attempts counted. */
export type Settlement = Pick<OutboxItem, 'attempts' | 'nextAttemptAtMs' | 'doneAtMs' | 'outcome'>;

/** What an attempt makes of an item. */
export function settle(item: Pick<OutboxItem, 'kind' | 'attempts'>, attempt: Attempt, nowMs: number): Settlement {
  const attempts = item.attempts + 1;
  if (attempt.kind !== 'failed') {
    return { attempts, nextAttemptAtMs: nowMs, doneAtMs: nowMs, outcome: attempt.kind === 'done' ? attempt.outcome : 'refused' };
  }
  const pauseMs = pausesMs[item.kind][item.attempts];
  return pauseMs === undefined
    ? { attempts, nextAttemptAtMs: nowMs, doneAtMs: nowMs, outcome: 'given_up' }
    : { attempts, nextAttemptAtMs: nowMs + pauseMs, doneAtMs: null, outcome: null };
}

/** A place whose last calls ran out of time. `notBeforeMs`: when it may be called again. */
export type PlaceTrouble = { readonly timeouts: number; readonly notBeforeMs: number };

/** What an attempt makes of what is known of its place; null: nothing is wrong with it. */
export function judgePlace(before: PlaceTrouble | null, attempt: Attempt, nowMs: number): PlaceTrouble | null {
  if (attempt.kind !== 'failed') return null;
  if (ours.has(attempt.why)) return before;
  if (attempt.why !== 'timeout') return null;
  const timeouts = (before?.timeouts ?? 0) + 1;
  const pauseMs = timeouts < TROUBLE_FROM ? 0 : Math.min(FIRST_PAUSE_MS * 2 ** (timeouts - TROUBLE_FROM), LONGEST_PAUSE_MS);
  return { timeouts, notBeforeMs: nowMs + pauseMs };
}

/** How many calls to a place may be under way at once; what has to wait keeps its attempts. */
export function callsAllowed(trouble: PlaceTrouble | null, nowMs: number): number {
  if (trouble === null) return PARALLEL_PER_PLACE;
  return nowMs < trouble.notBeforeMs ? 0 : 1;
}

/** Whether a logout that may not go out now is to be given up: its place answers nobody, and nothing may pile up for ever. */
export function isTooLate(item: Pick<OutboxItem, 'kind' | 'createdAtMs'>, nowMs: number): boolean {
  return item.kind === 'logout' && nowMs - item.createdAtMs > LATE_MS;
}

/** Answers that say "later" although they are the client's fault: it was too slow or too much for it. */
const later: ReadonlySet<number> = new Set([408, 425, 429]);
const NOT_IMPLEMENTED = 501;

/** What an application's answer to a logout token says (OpenID Connect Back-Channel Logout §2.8): LO-13, LO-14. */
export function judgeLogoutAnswer(answer: PostOutcome): Attempt {
  // A target that may not be called is not going to be one that may.
  if ('failure' in answer) return answer.failure === 'blocked' ? { kind: 'refused', why: 'blocked' } : { kind: 'failed', why: answer.failure };
  const { status } = answer;
  if (status >= 200 && status < 300) return { kind: 'done', outcome: 'delivered' };
  const why = `http_${status}`;
  return (status >= 500 && status !== NOT_IMPLEMENTED) || later.has(status) ? { kind: 'failed', why } : { kind: 'refused', why };
}

/** What the mail server's answer says. */
export function judgeMail(outcome: MailOutcome): Attempt {
  return outcome.kind === 'sent' ? { kind: 'done', outcome: 'delivered' } : { kind: outcome.kind, why: outcome.why };
}
