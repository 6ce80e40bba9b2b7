import { eventDocument, eventId } from '../core/event-document.ts';
import { isoTime, isoTimeOrNull } from '../core/times.ts';
import type { Webhook, WebhookDelivery } from '../core/webhook.ts';
import { GIVE_UP_AFTER_MS } from '../core/webhook-delivery.ts';
import { signingSecrets } from '../core/webhook-settings.ts';
import type { EventFeed } from './read-events.ts';

/** Webhooks and events as programs see them; documents.ts says how. */

/** A webhook as an operator set it. @param slug of its tenant; null: the server's own. @param shown its new secret in the clear; null: none to show */
export function webhookDocument(webhook: Webhook, slug: string | null, nowMs: number, shown: string | null = null): object {
  return {
    id: webhook.id, ...(shown !== null && { secret: shown }), tenant: slug, name: webhook.name, url: webhook.url, events: webhook.events, enabled: webhook.disabledAtMs === null,
    secrets: signingSecrets(webhook.secrets, nowMs).map(({ createdAtMs, expiresAtMs }) => ({ created_at: isoTime(createdAtMs), expires_at: isoTimeOrNull(expiresAtMs) })),
    created_at: isoTime(webhook.createdAtMs),
  };
}

/** How a webhook fares. Apart from what was set, for it moves with every event. */
export function webhookStatusDocument({ cursor, attempts, failingSinceMs, nextAttemptAtMs }: Webhook): object {
  return {
    last_event: cursor === 0 ? null : eventId(cursor), attempts, failing_since: isoTimeOrNull(failingSinceMs),
    next_attempt_at: failingSinceMs === null ? null : isoTime(nextAttemptAtMs), gives_up_at: failingSinceMs === null ? null : isoTime(failingSinceMs + GIVE_UP_AFTER_MS),
  };
}

/**
 * One attempt to tell a webhook.
 * @param whole whether it is for who operates the server: nobody else learns how, or how fast, a connection failed, so that
 * nobody looks around in networks with it (SS-07)
 */
export function deliveryDocument(delivery: WebhookDelivery, whole: boolean): object {
  const answered = delivery.status !== null;
  return {
    event_id: eventId(delivery.eventNumber), type: delivery.eventType, attempt: delivery.attempt, at: isoTime(delivery.atMs), duration_ms: whole || answered ? delivery.durationMs : null,
    status: delivery.status, outcome: delivery.outcome, reason: whole || answered || delivery.why === null ? delivery.why : 'no_answer', replay: delivery.replay,
  };
}

/** A part of the feed. */
export function feedDocument({ events, next }: EventFeed): object {
  return { items: events.map(eventDocument), next: String(next) };
}
