import { limitHeaders, type LimitStanding } from '../core/limits.ts';
import { isStoreError } from '../core/ports.ts';
import { ClockBehind, NoSigningKey } from '../service/issue.ts';
import type { Authentication } from '../service/authenticate-client.ts';
import type { FormFault } from './form.ts';
import type { ExtraHeaders } from './respond.ts';
import type { ServerContext } from './server-context.ts';

/** Seconds after which it makes sense to ask again when storage is busy or a key is being made. */
const RETRY_S = '1';

/** The same while the clock is behind: people have to look at it. */
const CLOCK_RETRY_S = '60';

/** Every challenge a caller can answer; each 401 carries it (INT-42). */
export const BASIC_CHALLENGE = 'Basic realm="assay", charset="UTF-8"';

/** The challenge where access tokens are presented. */
export const BEARER_CHALLENGE = 'Bearer realm="assay"';

/** Our own trouble, as it is answered. */
export type Failure = { readonly code: 'server_error' | 'temporarily_unavailable'; readonly description: string; readonly headers: ExtraHeaders };

/**
 * What an exception becomes: our own trouble, never a statement about a token (INT-29), and never its text (INT-27).
 * The log gets what happened, with the request's id.
 */
export function describeFailure({ ctx }: ServerContext, error: unknown, requestId: string): Failure {
  const later = (description: string, retryS: string): Failure => ({ code: 'temporarily_unavailable', description, headers: { 'Retry-After': retryS } });
  if (isStoreError(error)) {
    ctx.log.error('storage failed', { kind: error.kind, cause: describeCause(error.cause), request_id: requestId });
    return later('storage does not answer right now', RETRY_S);
  }
  if (error instanceof ClockBehind) return later('the clock of this server is behind', CLOCK_RETRY_S);
  if (error instanceof NoSigningKey) return later('the first signing key is being made', RETRY_S);
  ctx.log.error('unexpected failure', { kind: error instanceof Error ? error.name : typeof error, where: firstFrame(error), request_id: requestId });
  return { code: 'server_error', description: 'something went wrong on our side', headers: {} };
}

/** Answers with our own trouble. */
export function answerFailure(server: ServerContext, error: unknown, requestId: string): Response {
  const { code, description, headers } = describeFailure(server, error, requestId);
  return server.respond.error(code === 'server_error' ? 500 : 503, code, description, requestId, headers);
}

/** The database's own words, which hold no values of a request: statements are prepared and parameters bound. */
function describeCause(cause: unknown): string {
  return cause instanceof Error ? cause.message.slice(0, 200) : 'unknown';
}

/** Where an unexpected error arose; its message may hold input, so only the place is told. */
function firstFrame(error: unknown): string {
  const frame = error instanceof Error ? error.stack?.split('\n').find((line) => line.trimStart().startsWith('at ')) : undefined;
  return frame?.trim().slice(0, 200) ?? 'unknown';
}

/** A form that could not be read. */
export function answerFormFault(server: ServerContext, fault: FormFault, requestId: string): Response {
  if (fault.status === 503) return server.respond.error(503, 'temporarily_unavailable', fault.description, requestId, { 'Retry-After': RETRY_S });
  const code = fault.status === 413 ? 'request_too_large' : 'invalid_request';
  return server.respond.error(fault.status, code, fault.description, requestId);
}

/** A path nobody serves, or a tenant nobody may know of: the same bytes (INT-32, HT-13). */
export function answerNotFound(server: ServerContext, requestId: string): Response {
  return server.respond.error(404, 'not_found', 'there is nothing here', requestId);
}

/** A request beyond a limit of its tenant (RL-02). */
export function answerLimited(server: ServerContext, standings: readonly LimitStanding[], requestId: string): Response {
  return server.respond.error(429, 'too_many_requests', 'too many requests', requestId, limitHeaders(standings));
}

/** A caller that did not prove who it is (RFC 6749 §5.2). */
export function answerAuthentication(server: ServerContext, failure: Extract<Authentication, { ok: false }>, requestId: string): Response {
  const { respond } = server;
  switch (failure.error) {
    case 'invalid_request':
      return respond.error(400, 'invalid_request', 'the client credentials are malformed or given twice', requestId);
    case 'invalid_client':
      return respond.error(401, 'invalid_client', 'client authentication failed', requestId, { 'WWW-Authenticate': BASIC_CHALLENGE });
    case 'too_many_requests':
      return respond.error(429, 'too_many_requests', 'too many failed attempts', requestId, {
        'Retry-After': String(Math.max(1, Math.ceil(failure.retryAfterMs / 1000))),
      });
    case 'temporarily_unavailable':
      return respond.error(503, 'temporarily_unavailable', 'too much is being verified right now', requestId, { 'Retry-After': RETRY_S });
  }
}

/** A method that a path does not answer. @param allow the methods that it does */
export function answerMethodNotAllowed(server: ServerContext, allow: string, requestId: string): Response {
  return server.respond.error(405, 'method_not_allowed', 'this method is not allowed here', requestId, { Allow: allow });
}

/** Fixed sentences for what is wrong with an access token (RFC 6750 §3.1). */
const bearerFaults = {
  invalid_request: { status: 400, description: 'the access token is given twice or malformed', scope: '' },
  invalid_token: { status: 401, description: 'the access token is expired, revoked, malformed or not for this', scope: '' },
  insufficient_scope: { status: 403, description: 'the access token lacks the scope openid', scope: ', scope="openid"' },
} as const;

/**
 * An access token that does not do, or none at all: then the challenge names no error (RFC 6750 §3).
 * @param fault null: there was no token
 */
export function answerBearerFault(server: ServerContext, fault: keyof typeof bearerFaults | null, requestId: string): Response {
  if (fault === null) {
    return server.respond.error(401, 'invalid_token', 'an access token is needed', requestId, { 'WWW-Authenticate': BEARER_CHALLENGE });
  }
  const { status, description, scope } = bearerFaults[fault];
  return server.respond.error(status, fault, description, requestId, {
    'WWW-Authenticate': `${BEARER_CHALLENGE}, error="${fault}", error_description="${description}"${scope}`,
  });
}
