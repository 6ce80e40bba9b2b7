import type { AuditType } from './audit-event.ts';

/** Nouns of telling others what happened. Suffix `Ms`: milliseconds since the epoch (UTC). */

/** A signing secret of a webhook. Several at a time while one replaces another: each message is signed with all of them. */
export type WebhookSecret = {
  /** The secret (`whsec_…`), sealed under the master key. */
  readonly sealed: string;
  readonly createdAtMs: number;
  /** null: the one that stays. */
  readonly expiresAtMs: number | null;
};

/**
 * An address that hears of events, in their order: the next one goes out when the one before was taken, or given up after
 * three days. Events themselves are the audit trail; what is kept here is how far this address has heard of it.
 */
export type Webhook = {
  readonly id: string;
  /** null: the server's own, which hears of every tenant and of the server. */
  readonly tenantId: string | null;
  readonly name: string;
  readonly url: string;
  /** Event types that it wants; empty: all. */
  readonly events: readonly AuditType[];
  readonly secrets: readonly WebhookSecret[];
  readonly createdAtMs: number;
  readonly disabledAtMs: number | null;
  /** Number of the last event that is settled for it. */
  readonly cursor: number;
  /** Tries of the event after the cursor so far. */
  readonly attempts: number;
  readonly nextAttemptAtMs: number;
  /** Since when the event after the cursor cannot be delivered; null: it was not tried, or all is well. */
  readonly failingSinceMs: number | null;
};

/** One attempt to tell an address of one event. */
export type WebhookDelivery = {
  /** Grows with time. */
  readonly number: number;
  readonly webhookId: string;
  readonly eventNumber: number;
  readonly eventType: AuditType;
  /** 1 is the first. */
  readonly attempt: number;
  readonly atMs: number;
  readonly durationMs: number;
  /** HTTP status of the answer; null: there was none. */
  readonly status: number | null;
  readonly outcome: 'delivered' | 'failed' | 'given_up';
  /** One word; never a body. */
  readonly why: string | null;
  /** Somebody asked for it again. */
  readonly replay: boolean;
};

/** An event that somebody asked to be told of again, beside the order of the others. */
export type WebhookReplay = {
  readonly id: string;
  readonly webhookId: string;
  readonly eventNumber: number;
  readonly createdAtMs: number;
  readonly attempts: number;
  readonly nextAttemptAtMs: number;
};
