import type { AuditRow } from './operations-store.ts';
import { isoTime } from './times.ts';

/** An event as others hear of it: by webhook and in the feed. */
export type EventDocument = {
  /** The same each time that it is told. */
  readonly id: string;
  readonly type: string;
  readonly timestamp: string;
  readonly data: Readonly<Record<string, string | number | null>>;
};

/** Id of the event with this number in the audit trail. */
export function eventId(number: number): string {
  return `evt_${number}`;
}

/** Number of the event with this id, which may also be the number itself; null for anything else. */
export function readEventId(text: string): number | null {
  const digits = /^(?:evt_)?([0-9]{1,15})$/.exec(text)?.[1];
  return digits === undefined ? null : Number(digits);
}

/**
 * An event of the audit trail, thin: ids and reason codes, nothing about where somebody was (no address) and no secret. Who
 * needs more asks for it with the ids.
 */
export function eventDocument(event: AuditRow): EventDocument {
  return {
    id: eventId(event.number), type: event.type, timestamp: isoTime(event.timeMs),
    data: {
      number: event.number, tenant: event.tenant, actor: event.actor, client_id: event.clientId, subject: event.subject, outcome: event.outcome,
      reason: event.reason, grant_id: event.grantId, request_id: event.requestId, count: event.count,
    },
  };
}
