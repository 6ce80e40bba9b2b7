import type { Layout } from '../../core/layouts.ts';
import { resolveTenant } from '../admit.ts';
import { answerMethodNotAllowed } from '../failures.ts';
import { corsHeaders, preflightHeaders, type BrowserOrigins } from '../cors.ts';
import type { ServerContext } from '../server-context.ts';
import type { EndpointHandler } from './endpoint.ts';

/**
 * Lets the pages of a tenant's public clients read an endpoint's answers, and no others (TOK-12, REV-22). That is decided
 * before the endpoint acts, so that no failure of ours hides what it did.
 */
export function forBrowsers(server: Pick<ServerContext, 'ctx'>, origins: BrowserOrigins, layout: Layout, handler: EndpointHandler): EndpointHandler {
  return async (request, arrival, slug, parts) => {
    const origin = request.headers.get('origin');
    if (origin === null) return handler(request, arrival, slug, parts);
    const tenant = await resolveTenant(server.ctx.store, layout, arrival, slug);
    const allowed = tenant !== null && await origins.allows(tenant, origin);
    const response = await handler(request, arrival, slug, parts);
    response.headers.set('Vary', 'Origin');
    if (allowed) {
      for (const [name, value] of Object.entries(corsHeaders(origin))) response.headers.set(name, value);
    }
    return response;
  };
}

/**
 * Answers OPTIONS: what browsers ask before a request that their page may send; to all others it is a method like any
 * that is not allowed (INT-16, INT-35).
 * @param origins null where no page may ever read
 */
export function makeOptions(server: ServerContext, layout: Layout, allow: string, origins: BrowserOrigins | null): EndpointHandler {
  return async (request, arrival, slug) => {
    const { requestId } = arrival.peer;
    const origin = request.headers.get('origin');
    if (origins !== null && origin !== null) {
      const tenant = await resolveTenant(server.ctx.store, layout, arrival, slug);
      if (tenant !== null && await origins.allows(tenant, origin)) return server.respond.options(requestId, preflightHeaders(origin, allow));
    }
    return answerMethodNotAllowed(server, allow, requestId);
  };
}
