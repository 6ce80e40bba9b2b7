import { issuerOf } from '../../core/issuer.ts';
import type { Layout } from '../../core/layouts.ts';
import type { Tenant } from '../../core/model.ts';
import type { Store } from '../../core/store.ts';
import { NoSigningKey } from '../../service/issue.ts';
import { publishedKeys } from '../../service/key-rings.ts';
import { tenantNameOf } from '../admit.ts';
import { answerNotFound } from '../failures.ts';
import { etagOf } from '../etag.ts';
import type { EndpointHandler } from './endpoint.ts';
import type { ServerContext } from '../server-context.ts';

/** Longest lifetime of an access token of a tenant, seconds. @throws StoreError */
type LongestLifetime = (tenant: Tenant) => Promise<number>;

/** Computes each tenant's longest lifetime once, until anything may have changed: anybody may ask for keys. */
export function makeLongestLifetime(store: Pick<Store, 'epoch' | 'listClients'>): LongestLifetime {
  const kept = new Map<string, number>();
  let epoch = -1;
  return async (tenant) => {
    const now = store.epoch();
    if (now !== epoch) {
      kept.clear();
      epoch = now;
    }
    const known = kept.get(tenant.id);
    if (known !== undefined) return known;
    const lifetimes = (await store.listClients(tenant.id)).map((client) => client.accessTokenTtl ?? 0);
    const longest = lifetimes.reduce((most, lifetime) => Math.max(most, lifetime), tenant.accessTokenTtl);
    if (now === epoch) kept.set(tenant.id, longest);
    return longest;
  };
}

/** A suspended tenant's keys stay until its last token has expired (DS-25). @throws StoreError */
async function servesKeys(tenant: Tenant, nowMs: number, longestOf: LongestLifetime): Promise<boolean> {
  if (tenant.deletedAtMs !== null) return false;
  if (tenant.disabledAtMs === null) return true;
  return nowMs < tenant.disabledAtMs + (await longestOf(tenant)) * 1000;
}

/** RFC 7517 §5: the public keys that prove a tenant's tokens. */
export function makeJwks(server: ServerContext, layout: Layout): EndpointHandler {
  const longestOf = makeLongestLifetime(server.ctx.store);
  return async (request, arrival, slug) => {
    const { ctx, respond } = server;
    const { requestId } = arrival.peer;
    const name = tenantNameOf(layout, arrival, slug);
    const tenant = name === null ? null : await ctx.store.findTenant(name);
    if (tenant === null || !(await servesKeys(tenant, ctx.clock.now(), longestOf))) return answerNotFound(server, requestId);
    const ring = await ctx.rings.of(tenant.id);
    // An empty set would be remembered by whoever asks, for as long as it may be kept.
    if (ring.signer === null) throw new NoSigningKey();
    const body = JSON.stringify(publishedKeys(ring, issuerOf(tenant, ctx.origin())));
    return respond.cacheable(request, 'application/jwk-set+json', body, etagOf(body), requestId);
  };
}
