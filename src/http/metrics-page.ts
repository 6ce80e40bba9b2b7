import { permits } from '../core/admin.ts';
import { auditEvent } from '../core/audit-event.ts';
import { makeAdminAccess } from '../service/admin-access.ts';
import { answerNotFound, BEARER_CHALLENGE } from './failures.ts';
import type { Route } from './routes.ts';
import type { Observatory, ServerContext } from './server-context.ts';

/** The text format of Prometheus, as its documentation names it. */
export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** `/metrics` on the server's own origin, for who may read the metrics of the whole server: an API key, as a bearer token. */
export function makeMetricsPage(server: ServerContext, observatory: Observatory): readonly Route[] {
  const { respond, ctx } = server;
  const access = makeAdminAccess(ctx);
  const handler: Route['handler'] = async (request, arrival) => {
    const { requestId } = arrival.peer;
    if (arrival.site.kind !== 'own') return answerNotFound(server, requestId);
    const verdict = await access.authenticate(request.headers.get('authorization'), arrival.peer);
    if (!verdict.ok && verdict.error === 'throttled') {
      return respond.error(429, 'too_many_requests', 'too many failed attempts', requestId, { 'Retry-After': String(Math.max(1, Math.ceil(verdict.retryAfterMs / 1000))) });
    }
    if (!verdict.ok) return respond.error(401, 'invalid_token', 'an API key is needed', requestId, { 'WWW-Authenticate': BEARER_CHALLENGE });
    if (verdict.caller.tenantId !== null || !permits(verdict.caller.scopes, 'metrics', 'read')) {
      ctx.audit.add(auditEvent({ timeMs: ctx.clock.now(), type: 'access_refused', actor: verdict.caller.actor, subject: 'metrics', ip: arrival.peer.ip, requestId, outcome: 'denied', reason: verdict.caller.tenantId === null ? 'insufficient_scope' : 'server_only' }));
      return respond.error(403, 'insufficient_scope', 'this API key may not read the metrics of the server', requestId, {
        'WWW-Authenticate': `${BEARER_CHALLENGE}, error="insufficient_scope", scope="admin:metrics:read"`,
      });
    }
    return respond.json(200, await observatory.exposition(), requestId, { 'Content-Type': EXPOSITION_TYPE });
  };
  return [
    { method: 'GET', path: '/metrics', allow: 'GET, HEAD', handler },
    { method: 'HEAD', path: '/metrics', allow: 'GET, HEAD', handler },
  ];
}
