import { describeServer } from '../../core/discovery.ts';
import type { Layout } from '../../core/layouts.ts';
import { grantHandlers } from '../../service/grants/registry.ts';
import { resolveTenant } from '../admit.ts';
import { etagOf } from '../etag.ts';
import { answerNotFound } from '../failures.ts';
import { locales } from '../../pages/views.ts';
import type { EndpointHandler } from './endpoint.ts';
import type { ServerContext } from '../server-context.ts';

/** RFC 8414 §3, OpenID Connect Discovery §4: served only where the URL is the one that the issuer leads to (DS-04). */
export function makeDiscovery(server: ServerContext, layout: Layout): EndpointHandler {
  return async (request, arrival, slug) => {
    const { ctx, respond } = server;
    const { requestId } = arrival.peer;
    const tenant = await resolveTenant(ctx.store, layout, arrival, slug);
    if (tenant === null || tenant.layout !== layout.name) return answerNotFound(server, requestId);
    const body = JSON.stringify(describeServer(tenant, ctx.origin(), { grantTypes: [...grantHandlers.keys()], locales, docs: server.docs }));
    return respond.cacheable(request, 'application/json', body, etagOf(body), requestId);
  };
}
