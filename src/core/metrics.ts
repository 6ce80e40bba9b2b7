import type { AuthFailure } from './client-auth.ts';
import type { TokenFormat } from './model.ts';
import type { InactiveReason } from './standing.ts';
import type { ErrorCode } from '../spec/errors.ts';
import type { GrantType } from '../spec/names.ts';

/** What introspection concluded: `active`, or why not. */
export type IntrospectionResult = 'active' | InactiveReason;
/** What came of a revocation: `unknown` is a text that is no token of ours. */
export type RevocationResult = 'revoked' | 'already' | 'denied' | 'unknown';
/** What goes out of this machine by itself. */
export type DeliveryKind = 'mail' | 'logout' | 'webhook';
/** What came of one attempt at it. `mailbox`: kept here, for there is no mail server. */
export type DeliveryResult = 'delivered' | 'mailbox' | 'refused' | 'failed' | 'given_up';

/**
 * Where what happens is counted, for those who operate. Nothing here fails, waits or remembers who it was: every word is of a
 * closed set, so that no stranger's text becomes part of a metric (LG-01).
 */
export type Metrics = {
  /** The meter of one endpoint, resolved once and not per request. Both are ours: the name of an endpoint, and a layout's or `none`. */
  route(endpoint: string, layout: string): RouteMeter;
  /** An error that a caller was told. */
  readonly refused: (error: ErrorCode) => void;
  introspected(result: IntrospectionResult): void;
  /** Policy had something to say. */
  introspectionRecorded(what: 'denied' | 'would_deny'): void;
  revoked(result: RevocationResult): void;
  /** `operator`: by command. */
  issued(grant: GrantType | 'operator', format: TokenFormat): void;
  /** A spent refresh token came again, and its family ended. */
  refreshReused(): void;
  clientRefused(reason: AuthFailure): void;
  /** Somebody signed in. @param methods as in `amr`, which is a closed set */
  signedIn(methods: readonly string[]): void;
  /** A try to sign in failed. @param reason code of ours */
  signInFailed(reason: string): void;
  delivered(kind: DeliveryKind, result: DeliveryResult): void;
  /** One step of the sweeper: rows that ended or went, and how long it took (seconds). */
  swept(rows: number, seconds: number): void;
};

/** Counts what one endpoint answers. */
export type RouteMeter = {
  /** @param ms from the request's arrival at the endpoint to its answer, milliseconds */
  done(status: number, ms: number): void;
  /** An answer whose time says nothing. */
  count(status: number): void;
};

const noMeter: RouteMeter = { done: () => undefined, count: () => undefined };

/** Counts nothing: where nobody looks, as in tests. */
export const noMetrics: Metrics = {
  route: () => noMeter,
  refused: () => undefined,
  introspected: () => undefined,
  introspectionRecorded: () => undefined,
  revoked: () => undefined,
  issued: () => undefined,
  refreshReused: () => undefined,
  clientRefused: () => undefined,
  signedIn: () => undefined,
  signInFailed: () => undefined,
  delivered: () => undefined,
  swept: () => undefined,
};

/** What is told of a minute (`GET /admin/v1/activity`), each a count. */
export const activityNames = [
  'requests', 'introspections', 'active', 'inactive', 'denied', 'tokens_issued', 'revocations', 'sign_ins', 'sign_ins_failed', 'errors', 'refused',
] as const;
export type ActivityName = (typeof activityNames)[number];
