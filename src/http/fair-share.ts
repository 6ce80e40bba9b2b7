import { DEFAULT_TENANT } from '../core/tenant-settings.ts';
import { awaitBody } from './body.ts';
import type { EndpointHandler } from './endpoints/endpoint.ts';
import type { ServerContext } from './server-context.ts';

/** Requests under way at once up to which everybody is let in. */
const CALM = 512;
/** Beyond, nobody is: each holds memory, and waits for what all wait for. */
const MOST = 4_096;
/** Seconds after which it makes sense to come again. */
const RETRY_S = '1';

/**
 * Shares out what requests wait for (commits, signatures, password hashes) among tenants (MTN-11, RL-07): while few are
 * under way everybody is let in, then each tenant only up to its equal part. Who gets more than that is told to come
 * again at once, in place of waiting for nothing (RL-06).
 */
export type FairShare = {
  /** Lets a request of a tenant in; false: it has its part already. @param name by which the URL names the tenant */
  enter(name: string): boolean;
  leave(name: string): void;
};

/** @param calm, most as above; tests have smaller ones */
export function makeFairShare(calm = CALM, most = MOST): FairShare {
  const underWay = new Map<string, number>();
  let total = 0;
  return {
    enter(name) {
      const own = underWay.get(name) ?? 0;
      if (total >= most || (total >= calm && own >= Math.ceil(calm / Math.max(1, underWay.size + (own === 0 ? 1 : 0))))) return false;
      underWay.set(name, own + 1);
      total += 1;
      return true;
    },
    leave(name) {
      const own = underWay.get(name) ?? 0;
      if (own <= 1) underWay.delete(name);
      else underWay.set(name, own - 1);
      total -= 1;
    },
  };
}

/** An endpoint that lets requests in by shares. */
export function sharedFairly(server: ServerContext, share: FairShare, handler: EndpointHandler): EndpointHandler {
  return async (request, arrival, slug, parts) => {
    // Who sends slowly takes up nobody's part: strangers could keep it for as long as a body may take.
    if (request.body !== null) await awaitBody(request);
    const name = slug ?? (arrival.site.kind === 'tenant' ? arrival.site.host : DEFAULT_TENANT);
    if (!share.enter(name)) {
      return server.respond.error(503, 'temporarily_unavailable', 'too much is under way right now', arrival.peer.requestId, { 'Retry-After': RETRY_S });
    }
    try {
      return await handler(request, arrival, slug, parts);
    } finally {
      share.leave(name);
    }
  };
}
