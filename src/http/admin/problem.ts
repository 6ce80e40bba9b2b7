import type { AdminArea, AdminAccess } from '../../core/admin.ts';
import { pointerStep } from '../../core/strict-json.ts';
import type { ManageError, Refusal } from '../../service/manage-outcome.ts';
import { answerNotFound, describeFailure } from '../failures.ts';
import type { ExtraHeaders } from '../respond.ts';
import type { Arrival, ServerContext } from '../server-context.ts';
import type { MemberFault } from './check.ts';
import type { AdminOperation } from './operation.ts';

/** What goes wrong at the admin API (RFC 9457): by code, the status and the title that is the same each time. */
export const problems = {
  invalid_request: { status: 400, title: 'The request is not valid' },
  invalid_scope: { status: 400, title: 'The scope goes beyond what may be granted' },
  unauthenticated: { status: 401, title: 'Who calls is not known' },
  forbidden: { status: 403, title: 'The caller may not do this' },
  not_found: { status: 404, title: 'There is nothing here' },
  method_not_allowed: { status: 405, title: 'This method is not allowed here' },
  already_exists: { status: 409, title: 'There is one already' },
  conflict: { status: 409, title: 'It does not go with the state of things' },
  request_in_progress: { status: 409, title: 'This request is under way, or was cut short' },
  outdated: { status: 412, title: 'It changed since it was read' },
  request_too_large: { status: 413, title: 'The request is too large' },
  unsupported_media_type: { status: 415, title: 'The request body is no JSON' },
  idempotency_key_reused: { status: 422, title: 'The idempotency key belongs to another request' },
  too_many_requests: { status: 429, title: 'Too many requests' },
  server_error: { status: 500, title: 'Something went wrong on our side' },
  temporarily_unavailable: { status: 503, title: 'Not right now' },
} as const satisfies Readonly<Record<string, { readonly status: number; readonly title: string }>>;

export type ProblemCode = keyof typeof problems;

/** A member, or a parameter of the URL, that is wrong. */
export type WrongPart = MemberFault | { readonly parameter: string; readonly detail: string };

/** A problem before it is answered. `detail`: what happened this time; it may name what was sent, and never repeats a secret. */
export type Problem = { readonly code: ProblemCode; readonly detail: string; readonly errors?: readonly WrongPart[]; readonly headers?: ExtraHeaders };

export const PROBLEM_TYPE = 'application/problem+json';

/** Identifies a kind of problem; stable, and nothing that could be fetched. */
export function problemUrn(code: ProblemCode): string {
  return `urn:assay:problem:${code}`;
}

/** Answers with a problem document. */
export function answerProblem(server: ServerContext, { code, detail, errors, headers }: Problem, requestId: string): Response {
  const { status, title } = problems[code];
  const document = { type: problemUrn(code), title, status, error: code, detail, request_id: requestId, ...(errors !== undefined && errors.length > 0 && { errors }) };
  return server.respond.json(status, JSON.stringify(document), requestId, { 'Content-Type': PROBLEM_TYPE, ...headers });
}

/** Where the admin API is. */
export const ADMIN_API = '/admin/v1';

/** Whether a path belongs to the admin API. */
export function isAdminPath(path: string): boolean {
  return path === ADMIN_API || path.startsWith(`${ADMIN_API}/`);
}

/** A path of the admin API that nobody serves, or a method that it does not answer. @param allow its methods; null: there are none */
export function answerStray(server: ServerContext, { site, peer }: Arrival, allow: string | null): Response {
  // On a tenant's hostname there is no such thing as an admin API.
  if (site.kind !== 'own') return answerNotFound(server, peer.requestId);
  return answerProblem(server, allow === null ? nothingHere : { code: 'method_not_allowed', detail: `the methods here are ${allow}`, headers: { Allow: allow } }, peer.requestId);
}

/** A thing that does not exist, or that the caller may not know of: the same bytes but for the request's id (MTN-06). */
export const nothingHere: Problem = { code: 'not_found', detail: 'there is nothing here, or nothing that you may know of' };

const CHALLENGE = 'Bearer realm="assay admin"';

/** Nobody proved who calls; the challenge names an error only where something was presented (RFC 6750 §3). */
export function unauthenticated(error: 'none' | 'malformed' | 'invalid'): Problem {
  return error === 'none'
    ? { code: 'unauthenticated', detail: 'an API key or an access token is needed, in the Authorization header', headers: { 'WWW-Authenticate': CHALLENGE } }
    : { code: 'unauthenticated', detail: 'the API key or access token is unknown, expired, revoked, malformed or not for this', headers: { 'WWW-Authenticate': `${CHALLENGE}, error="invalid_token"` } };
}

/** The caller lacks the scope. */
export function lacksScope(area: AdminArea, access: AdminAccess): Problem {
  const scope = access === 'read' ? `admin:${area}:read` : `admin:${area}`;
  return { code: 'forbidden', detail: `this needs the scope ${scope}, or one that includes it`, headers: { 'WWW-Authenticate': `${CHALLENGE}, error="insufficient_scope", scope="${scope}"` } };
}

const refusalCodes: Readonly<Record<ManageError, ProblemCode>> = {
  invalid_request: 'invalid_request', not_found: 'not_found', already_exists: 'already_exists', conflict: 'conflict', invalid_scope: 'invalid_scope', outdated: 'outdated', forbidden: 'forbidden',
};

/** Members that are called otherwise in JSON than in the acts' own types. */
const renamed: Readonly<Record<string, string>> = {
  scopes: 'scope', requirePkce: 'pkce', algorithm: 'alg', supplied: 'client_secret', ownerClientId: 'owner',
};

function wireName(name: string): string {
  return renamed[name] ?? name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Where a member is in the body, as a pointer; null where the body has no such member. */
function pointerOf(operation: AdminOperation, member: string): string | null {
  const properties: unknown = operation.body?.['properties'];
  // An id has the name that its thing is found by.
  const names = (member === 'id' ? operation.locatedBy ?? member : member).split('.').map(wireName);
  const has = (name: string): boolean => typeof properties === 'object' && properties !== null && Object.hasOwn(properties, name);
  // What is one group to the acts may lie flat in a document.
  const first = names.findIndex(has);
  return first === -1 ? null : names.slice(first).map(pointerStep).join('');
}

/** A refusal of an act; its hint is for commands, and left out. */
export function refusalProblem(operation: AdminOperation, refusal: Refusal): Problem {
  const pointer = refusal.member === null ? null : pointerOf(operation, refusal.member);
  return { code: refusalCodes[refusal.error], detail: refusal.description, ...(pointer !== null && { errors: [{ pointer, detail: refusal.description }] }) };
}

/** What an exception becomes: our own trouble, and never its text (INT-27). */
export function answerAdminFailure(server: ServerContext, error: unknown, requestId: string): Response {
  const { code, description, headers } = describeFailure(server, error, requestId);
  return answerProblem(server, { code, detail: description, headers }, requestId);
}
