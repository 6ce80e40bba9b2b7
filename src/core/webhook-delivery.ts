import type { AuditType } from './audit-event.ts';
import type { AuditRow } from './operations-store.ts';
import type { PostAnswer } from './outbound.ts';
import type { Webhook, WebhookDelivery } from './webhook.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
/** Pauses before the second attempt, the third …, milliseconds; the last one before all others. */
const pausesMs: readonly number[] = [5_000, 30_000, 2 * MINUTE_MS, 10 * MINUTE_MS, 30 * MINUTE_MS, HOUR_MS, 3 * HOUR_MS];
const LONGEST_PAUSE_MS = 3 * HOUR_MS;
/** A pause grows by up to this part of itself, so that those who failed together do not come back together. */
const JITTER = 0.2;
/** Milliseconds from its first attempt on, after which an event is given up. */
export const GIVE_UP_AFTER_MS = 72 * HOUR_MS;
/** What a receiver may ask for with `Retry-After`, milliseconds. */
const SHORTEST_ASKED_MS = 5_000;

/** Answers that may say when to come back (RFC 9110 §10.2.3). */
const comesBack: ReadonlySet<number> = new Set([429, 503]);
const GONE = 410;

/** What became of one attempt. `why`: one word, never a body. `pauseMs`: for so long the receiver wants to be left alone; null: it did not say. */
export type WebhookAttempt =
  | { readonly kind: 'delivered'; readonly status: number }
  /** Nothing is ever to be sent there again. */
  | { readonly kind: 'gone'; readonly status: number; readonly why: 'gone' }
  | { readonly kind: 'failed'; readonly status: number | null; readonly why: string; readonly pauseMs: number | null };

/** `Retry-After`: seconds or a date, as milliseconds from now, within bounds; null: nothing that can be read. */
function readRetryAfter(header: string | null, nowMs: number): number | null {
  if (header === null) return null;
  const pauseMs = /^[0-9]{1,9}$/.test(header) ? Number(header) * 1000 : Date.parse(header) - nowMs;
  return Number.isNaN(pauseMs) ? null : Math.min(Math.max(pauseMs, SHORTEST_ASKED_MS), LONGEST_PAUSE_MS);
}

/**
 * What a receiver's answer says: taken with 2xx; 410 is a farewell; everything else is trouble that may pass, also a redirect
 * (it is not followed, SS-04) and an address that may not be called, for somebody may set it right.
 */
export function judgeWebhookAnswer(answer: PostAnswer, nowMs: number): WebhookAttempt {
  if ('failure' in answer) return { kind: 'failed', status: null, why: answer.failure, pauseMs: null };
  const { status, retryAfter } = answer;
  if (status >= 200 && status < 300) return { kind: 'delivered', status };
  if (status === GONE) return { kind: 'gone', status, why: 'gone' };
  return { kind: 'failed', status, why: `http_${status}`, pauseMs: comesBack.has(status) ? readRetryAfter(retryAfter, nowMs) : null };
}

/** How often an event was tried, and since when (null: never). */
export type Tries = { readonly attempts: number; readonly sinceMs: number | null };

/** What an attempt makes of an event. `delivered` and `given_up` settle it; `retryAtMs` is when a failed one is tried again. */
export type WebhookSettlement = { readonly outcome: WebhookDelivery['outcome']; readonly retryAtMs: number };

/**
 * Decides after an attempt.
 * @param tries those before. @param jitter from 0 up to 1
 */
export function settleAttempt(tries: Tries, attempt: WebhookAttempt, nowMs: number, jitter: number): WebhookSettlement {
  if (attempt.kind === 'delivered') return { outcome: 'delivered', retryAtMs: nowMs };
  if (attempt.kind === 'gone') return { outcome: 'failed', retryAtMs: nowMs };
  const lastMs = (tries.sinceMs ?? nowMs) + GIVE_UP_AFTER_MS;
  if (nowMs >= lastMs) return { outcome: 'given_up', retryAtMs: nowMs };
  const pauseMs = attempt.pauseMs ?? (pausesMs[tries.attempts] ?? LONGEST_PAUSE_MS) * (1 + JITTER * jitter);
  return { outcome: 'failed', retryAtMs: Math.min(nowMs + Math.round(pauseMs), lastMs) };
}

/** Whom a webhook hears of. `slug` and `sinceMs` are its tenant's (a slug may have been another's before); null: of everybody. */
export type Hearing = { readonly slug: string; readonly sinceMs: number } | null;

/** Whether an event is one that a webhook is to be told in its turn. */
export function wantsEvent(webhook: Pick<Webhook, 'id' | 'events'>, hearing: Hearing, event: AuditRow): boolean {
  if (!mayHear(hearing, event)) return false;
  // A test goes to the webhook that is tested, beside the order of the others.
  if (event.type === 'webhook_tested' && event.subject === webhook.id) return false;
  return wantsType(webhook, event.type);
}

/** Whether an event is any of its business. */
export function mayHear(hearing: Hearing, event: Pick<AuditRow, 'tenant' | 'timeMs'>): boolean {
  return hearing === null || (event.tenant === hearing.slug && event.timeMs >= hearing.sinceMs);
}

/** Whether a webhook wants events of a type. */
export function wantsType({ events }: Pick<Webhook, 'events'>, type: AuditType): boolean {
  return events.length === 0 || events.includes(type);
}
