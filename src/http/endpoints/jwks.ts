import type { Layout } from '../../core/layouts.ts';
import type { Tenant } from '../../core/model.ts';
import type { Store } from '../../core/store.ts';
import { NoSigningKey } from '../../service/issue.ts';
import { tenantNameOf } from '../admit.ts';
import { answerNotFound } from '../failures.ts';
import { etagOf } from '../etag.ts';
import type { EndpointHandler } from './endpoint.ts';
import type { ServerContext } from '../server-context.ts';

/** A suspended tenant's keys stay until its last token has expired (DS-25). @throws StoreError */
async function servesKeys(store: Store, tenant: Tenant, nowMs: number): Promise<boolean> {
  if (tenant.deletedAtMs !== null) return false;
  if (tenant.disabledAtMs === null) return true;
  const lifetimes = (await store.listClients(tenant.id)).map((client) => client.accessTokenTtl ?? 0);
  return nowMs < tenant.disabledAtMs + Math.max(tenant.accessTokenTtl, ...lifetimes) * 1000;
}

/** RFC 7517 §5: the public keys that prove a tenant's tokens. */
export function makeJwks(server: ServerContext, layout: Layout): EndpointHandler {
  return async (request, arrival, slug) => {
    const { ctx, respond } = server;
    const { requestId } = arrival.peer;
    const name = tenantNameOf(layout, arrival, slug);
    const tenant = name === null ? null : await ctx.store.findTenant(name);
    if (tenant === null || !(await servesKeys(ctx.store, tenant, ctx.clock.now()))) return answerNotFound(server, requestId);
    const { published, signer } = await ctx.rings.of(tenant.id);
    // An empty set would be remembered by whoever asks, for as long as it may be kept.
    if (signer === null) throw new NoSigningKey();
    const body = JSON.stringify(published);
    return respond.cacheable(request, 'application/jwk-set+json', body, etagOf(body), requestId);
  };
}
