import type { AuditEvent } from './audit-event.ts';

/**
 * The chains of the audit trail (LG-08): each event carries a hash over the one before it in its tenant's chain and over
 * itself, so that whoever knows one hash can tell whether anything up to it was changed, taken away or moved.
 */

/** An event with its place in the trail, as it is hashed. */
export type NumberedEvent = AuditEvent & { readonly number: number };

/** base64url SHA-256 of a text's UTF-8. */
export type HashText = (text: string) => string;

/** What the first hashed event of a chain builds on. */
export const CHAIN_START = '';

/** Storage keeps no half of a surrogate pair; what is hashed is what will be read back. */
function kept(text: string | null): string | null {
  return text === null ? null : text.toWellFormed();
}

/**
 * An event in one unambiguous form: a JSON array of all its members in fixed order, its place included. Its count is left
 * out, for that alone may grow. Another form is another version.
 * @param previous hash of the event before it in its chain, or `CHAIN_START`
 */
export function encodeLink(previous: string, event: NumberedEvent): string {
  return JSON.stringify([
    'assay-audit-1', previous, event.number, event.timeMs, event.type, kept(event.tenant), kept(event.actor), kept(event.clientId), kept(event.subject),
    kept(event.fingerprint), kept(event.ip), kept(event.requestId), event.outcome, kept(event.reason), kept(event.grantId),
  ]);
}

/** The hash that an event carries. */
export function hashLink(hash: HashText, previous: string, event: NumberedEvent): string {
  return hash(encodeLink(previous, event));
}

/** Where a chain begins, once retention took what was before; null: nothing was taken. */
export type ChainAnchor = { readonly number: number; readonly hash: string } | null;

/** How far a chain was walked, and what the next event builds on. */
export type ChainState = { readonly number: number; readonly hash: string };

/** What can be wrong with an event of a chain. */
export type ChainFault =
  /** Its number is not behind the one before it. */
  | 'out_of_order'
  /** It has no hash, though events before it have. */
  | 'unhashed'
  /** Its hash is not that of itself and the one before it: it was changed, or one before it was, is missing or was moved. */
  | 'mismatch';

/** Before the first event that is left. */
export function beginChain(anchor: ChainAnchor): ChainState {
  return anchor === null ? { number: 0, hash: CHAIN_START } : { number: anchor.number, hash: anchor.hash };
}

/** One event further. Events from before there were chains have no hash, and nothing is known of them but that they are older. */
export function stepChain(state: ChainState, event: NumberedEvent & { readonly hash: string | null }, hash: HashText): ChainState | ChainFault {
  if (event.number <= state.number) return 'out_of_order';
  if (event.hash === null) return state.hash === CHAIN_START ? { number: event.number, hash: CHAIN_START } : 'unhashed';
  return event.hash === hashLink(hash, state.hash, event) ? { number: event.number, hash: event.hash } : 'mismatch';
}
