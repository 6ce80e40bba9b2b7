import { permits } from '../../core/admin.ts';
import { auditEvent } from '../../core/audit-event.ts';
import type { Tenant } from '../../core/model.ts';
import { makeAdminAccess, type AdminAccess, type AdminCaller } from '../../service/admin-access.ts';
import type { Managed } from '../../service/manage-outcome.ts';
import { claimReply, dropReply, keepReply, type ReplyKey } from '../../service/replies.ts';
import { answerNotFound } from '../failures.ts';
import { queryOf } from '../form.ts';
import { pathOf } from '../gate.ts';
import type { ExtraHeaders } from '../respond.ts';
import type { Route } from '../routes.ts';
import type { Arrival, ServerContext } from '../server-context.ts';
import { isKnown, makeGuard } from './conditions.ts';
import { replyOf, streamOf } from './answer.ts';
import type { AdminCall, AdminOperation, AdminOutcome, AdminStream } from './operation.ts';
import { ADMIN_API, answerAdminFailure, answerProblem, lacksScope, nothingHere, refusalProblem, unauthenticated, type Problem } from './problem.ts';
import { readJsonBody, readParts, readQuery, type Reading } from './reading.ts';
import { adminOperations } from './table.ts';

const idempotencyKeyForm = /^[\x21-\x7E]{1,255}$/;

/** Stops a call on its way: the problem is the answer. */
function stop(problem: Problem): { readonly ok: false; readonly problem: Problem } {
  return { ok: false, problem };
}

/** Writes down that a known caller was refused (LG-04). */
function recordDenial({ ctx }: ServerContext, caller: AdminCaller, operation: AdminOperation, { peer }: Arrival, reason: string): void {
  const { ip, requestId } = peer;
  ctx.audit.add(auditEvent({ timeMs: ctx.clock.now(), type: 'access_refused', actor: caller.actor, subject: operation.id, ip, requestId, outcome: 'denied', reason }));
}

/** Proves who calls, and that they may. @throws StoreError */
async function admitCaller(server: ServerContext, access: AdminAccess, operation: AdminOperation, request: Request, arrival: Arrival): Promise<Reading<AdminCaller>> {
  const verdict = await access.authenticate(request.headers.get('authorization'), arrival.peer);
  if (!verdict.ok) {
    return stop(verdict.error === 'throttled'
      ? { code: 'too_many_requests', detail: 'too many failed attempts', headers: { 'Retry-After': String(Math.max(1, Math.ceil(verdict.retryAfterMs / 1000))) } }
      : unauthenticated(verdict.error));
  }
  const { caller } = verdict;
  const deny = (reason: string, problem: Problem): { readonly ok: false; readonly problem: Problem } => {
    recordDenial(server, caller, operation, arrival, reason);
    return stop(problem);
  };
  if (operation.area !== null && !permits(caller.scopes, operation.area, operation.access)) return deny('insufficient_scope', lacksScope(operation.area, operation.access));
  if (operation.serverOnly === true && caller.tenantId !== null) {
    return deny('server_only', { code: 'forbidden', detail: 'this concerns the whole server, and you may operate one tenant' });
  }
  return { ok: true, value: caller };
}

/** The tenant in a path, if the caller may know of it: of any other, nothing tells whether it exists (MTN-06). @throws StoreError */
async function findTenant(server: ServerContext, caller: AdminCaller, operation: AdminOperation, slug: string | undefined, arrival: Arrival): Promise<Reading<Tenant | null>> {
  if (slug === undefined) return { ok: true, value: null };
  const tenant = await server.ctx.store.findTenant({ slug });
  if (tenant !== null && tenant.deletedAtMs === null && (caller.tenantId === null || caller.tenantId === tenant.id)) return { ok: true, value: tenant };
  // The same work whether or not the tenant exists.
  if (caller.tenantId !== null) recordDenial(server, caller, operation, arrival, 'other_tenant');
  return stop(nothingHere);
}

/** The checks of the framework give an operation's body and query the types of its schemas. */
function asCall(call: AdminCall<unknown, unknown>): AdminCall<never, never> {
  return call as AdminCall<never, never>;
}

/** A call and, where it creates something and may be asked twice, its key. */
type Ready = { readonly call: AdminCall<never, never>; readonly key: ReplyKey | null };

/** Everything that is checked before an operation runs, in the order in which it is told. @throws StoreError */
async function prepare(server: ServerContext, access: AdminAccess, operation: AdminOperation, request: Request, arrival: Arrival): Promise<Reading<Ready>> {
  const admitted = await admitCaller(server, access, operation, request, arrival);
  if (!admitted.ok) return admitted;
  const caller = admitted.value;
  const parts = readParts(operation, request.url);
  if (parts === null) return stop({ code: 'invalid_request', detail: 'the path is not valid percent-encoded UTF-8' });
  const tenant = await findTenant(server, caller, operation, parts.get('tenant'), arrival);
  if (!tenant.ok) return tenant;
  const query = readQuery(operation, request.url);
  if (!query.ok) return query;
  const body = operation.method === 'GET' ? null : await readJsonBody(operation, request);
  if (body !== null && !body.ok) return body;
  const given = operation.creates === true ? request.headers.get('idempotency-key') : null;
  if (given !== null && !idempotencyKeyForm.test(given)) return stop({ code: 'invalid_request', detail: 'an Idempotency-Key is 1 to 255 visible ASCII characters' });
  const { ip, requestId } = arrival.peer;
  return {
    ok: true,
    value: {
      key: given === null ? null : { caller: `${caller.kind} ${caller.id}`, key: given, request: `${operation.method} ${pathOf(request.url)}?${queryOf(request.url)}\n${body?.value.text ?? ''}` },
      call: asCall({
        ctx: { ...server.ctx, by: { actor: caller.actor, ip, requestId } }, server, caller, query: query.value.query, page: query.value.page, body: body?.value.body ?? {}, guard: makeGuard(request),
        get tenant() {
          if (tenant.value === null) throw new Error(`the path of ${operation.id} has no tenant`);
          return tenant.value;
        },
        param(name) {
          const value = parts.get(name);
          if (value === undefined) throw new Error(`the path of ${operation.id} has no part ${name}`);
          return value;
        },
      }),
    },
  };
}

function isStream(outcome: AdminOutcome | AdminStream): outcome is AdminStream {
  return 'stream' in outcome;
}

/** An outcome as the answer to a request. */
function answerOutcome(server: ServerContext, operation: AdminOperation, request: Request, outcome: Managed<object | null>, requestId: string): Response {
  if (!outcome.ok) return answerProblem(server, refusalProblem(operation, outcome), requestId);
  const { status, body, etag, headers } = replyOf(server, operation, request, outcome);
  return respond(server, request, operation, { status, body, etag }, headers, requestId);
}

function respond(
  server: ServerContext, request: Request, operation: AdminOperation, { status, body, etag }: { readonly status: number; readonly body: string; readonly etag: string | null }, headers: ExtraHeaders, requestId: string,
): Response {
  const tagged = etag === null ? headers : { ...headers, ETag: etag };
  if (body === '') return server.respond.empty(status, requestId, tagged);
  if (operation.method === 'GET' && etag !== null && isKnown(request, etag)) return server.respond.empty(304, requestId, tagged);
  return server.respond.json(status, body, requestId, tagged);
}

/** Runs a creation once, however often it is asked for with the same key. @throws StoreError */
async function runOnce(server: ServerContext, operation: AdminOperation, request: Request, { call, key }: Ready, arrival: Arrival): Promise<Response> {
  const { requestId } = arrival.peer;
  const { ctx } = server;
  if (key === null) return run(server, operation, request, call, arrival);
  const claim = await claimReply(ctx, key);
  if (claim.kind === 'mismatch') return answerProblem(server, { code: 'idempotency_key_reused', detail: 'this Idempotency-Key was used for another request' }, requestId);
  if (claim.kind === 'unfinished') {
    return answerProblem(server, { code: 'request_in_progress', detail: 'the request with this Idempotency-Key is under way, or was cut short: look whether it was done, and use another key to ask again' }, requestId);
  }
  if (claim.kind === 'answered') {
    const { body, location, etag } = readKept(claim.reply.body);
    const headers = { 'Idempotency-Replayed': 'true', ...(location !== null && { Location: location }) };
    return respond(server, request, operation, { status: claim.reply.status, body, etag }, headers, requestId);
  }
  const response = await run(server, operation, request, call, arrival);
  if (response.status >= 400) await dropReply(ctx, key);
  else await keepReply(ctx, key, { status: response.status, body: await writeKept(response) });
  return response;
}

/** What is kept of an answer. */
type Kept = { readonly body: string; readonly location: string | null; readonly etag: string | null };

async function writeKept(response: Response): Promise<string> {
  const kept: Kept = { body: await response.clone().text(), location: response.headers.get('location'), etag: response.headers.get('etag') };
  return JSON.stringify(kept);
}

/** What `writeKept` wrote; nothing else is kept there. */
function readKept(text: string): Kept {
  return JSON.parse(text) as Kept;
}

async function run(server: ServerContext, operation: AdminOperation, request: Request, call: AdminCall<never, never>, arrival: Arrival): Promise<Response> {
  const { requestId } = arrival.peer;
  const outcome = await operation.run(call);
  if (isStream(outcome)) return streamOf(server, request, outcome, requestId);
  if (!outcome.ok && outcome.error === 'forbidden') recordDenial(server, call.caller, operation, arrival, 'beyond_own_access');
  return answerOutcome(server, operation, request, outcome, requestId);
}

/** Every operation of the admin API, on the server's own origin; elsewhere there is nothing of it. */
export function makeAdminRoutes(server: ServerContext): readonly Route[] {
  const access = makeAdminAccess(server.ctx);
  const handlerOf = (operation: AdminOperation): Route['handler'] => async (request, arrival) => {
    const { requestId } = arrival.peer;
    if (arrival.site.kind !== 'own') return answerNotFound(server, requestId);
    try {
      const ready = await prepare(server, access, operation, request, arrival);
      return ready.ok ? await runOnce(server, operation, request, ready.value, arrival) : answerProblem(server, ready.problem, requestId);
    } catch (error) {
      return answerAdminFailure(server, error, requestId);
    }
  };
  const paths = Map.groupBy(adminOperations, ({ path }) => routerPath(path));
  return [...paths].flatMap(([path, operations]): readonly Route[] => {
    const allow = operations.map(({ method }) => (method === 'GET' ? 'GET, HEAD' : method)).join(', ');
    const shared = { path, allow, problems: true } as const;
    return [
      ...operations.flatMap((operation): readonly Route[] => {
        const handler = handlerOf(operation);
        return [{ ...shared, method: operation.method, handler }, ...(operation.method === 'GET' ? [{ ...shared, method: 'HEAD', handler } as const] : [])];
      }),
      { ...shared, method: 'OPTIONS', handler: async (_request, { site, peer }) => (site.kind === 'own' ? server.respond.options(peer.requestId, { Allow: allow }) : answerNotFound(server, peer.requestId)) },
    ];
  });
}

/** A path as the router knows it: parts are named by where they stand, for the router wants one name for each place. */
function routerPath(path: string): string {
  return ADMIN_API + path.split('/').map((part, index) => (part.startsWith(':') ? `:p${index}` : part)).join('/');
}
