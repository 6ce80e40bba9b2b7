import { answerFailure, answerMethodNotAllowed, answerNotFound } from './failures.ts';
import type { Health } from './health.ts';
import type { HostGuard, Site } from './host-guard.ts';
import { makeHostWarnings } from './host-warnings.ts';
import { Peer, type Connection, type TrustedProxies } from './peer.ts';
import type { Arrival, ServerContext } from './server-context.ts';

/** What a listener calls for every request. */
export type RequestHandler = (request: Request, connection: Connection | null) => Promise<Response> | Response;

/** What the gate lets through to. Called synchronously, with what the gate found out. */
export type Inside = (request: Request, arrival: Arrival) => Promise<Response> | Response;

export type GateOptions = {
  readonly proxies: TrustedProxies;
  /** Random text of this process; request ids begin with it. */
  readonly bootId: string;
};

/** Ids from outside that may go into logs and answers (HT-16). */
const requestIdForm = /^[A-Za-z0-9._-]{8,128}$/;

/**
 * Judges a request before anything is routed, because the framework routes short and broken Hosts wrongly (pinned):
 * health for everybody (HT-22), then Host (HT-01), spelling of the path (INT-33), and transport (HT-14).
 */
export function makeGate(server: ServerContext, health: Health, guard: HostGuard, options: GateOptions, inside: Inside): RequestHandler {
  const { ctx, respond } = server;
  const https = ctx.origin().scheme === 'https';
  const warn = makeHostWarnings(ctx.log, ctx.clock, () => ctx.origin().url);
  const stray = ctx.metrics.route('none', 'none');
  let counter = 0;

  function requestIdOf(request: Request): string {
    const given = request.headers.get('x-request-id');
    if (given !== null && requestIdForm.test(given)) return given;
    counter += 1;
    return `${options.bootId}-${counter.toString(36)}`;
  }

  function refuseSite(site: Extract<Site, { kind: 'malformed' | 'unknown' }>, requestId: string): Response {
    warn(site.host, requestId);
    stray.count(site.kind === 'malformed' ? 400 : 421);
    return site.kind === 'malformed'
      ? respond.error(400, 'invalid_request', 'the Host header is missing, doubled or malformed', requestId)
      : respond.error(421, 'misdirected_request', 'this host is not served here', requestId);
  }

  function admitSite(request: Request, path: string, site: Site, peer: Peer, host: string | null): Promise<Response> | Response {
    if (site.kind === 'malformed' || site.kind === 'unknown') return refuseSite(site, peer.requestId);
    // Every path of ours is plain ASCII, so an escape that is left is another spelling of something. Dot segments, also
    // escaped, and backslashes are not seen here: Bun resolves them (pinned), so /x/../oauth2/token is /oauth2/token.
    // The admin API names things whose names may be anything, and decodes them once.
    if (path.includes('%') && !path.startsWith('/admin/v1/')) {
      stray.count(404);
      return answerNotFound(server, peer.requestId);
    }
    if (https && request.headers.get('x-forwarded-proto') === 'http' && peer.trusted) {
      stray.count(400);
      return respond.error(400, 'invalid_request', 'this server answers over https only', peer.requestId);
    }
    return inside(request, { site, peer, host: host?.toLowerCase() ?? '' });
  }

  async function admitLater(request: Request, path: string, site: Promise<Site>, peer: Peer, host: string | null): Promise<Response> {
    try {
      return await admitSite(request, path, await site, peer, host);
    } catch (error) {
      return answerFailure(server, error, peer.requestId);
    }
  }

  return (request, connection) => {
    const requestId = requestIdOf(request);
    const path = pathOf(request.url);
    if (path === '/healthz' || path === '/readyz') {
      if (request.method !== 'GET' && request.method !== 'HEAD') return answerMethodNotAllowed(server, 'GET, HEAD', requestId);
      return path === '/healthz' ? health.live(requestId) : health.ready(requestId);
    }
    const peer = new Peer(request, requestId, connection, options.proxies);
    try {
      const host = options.proxies.none ? request.headers.get('host') : hostOf(request, peer);
      const site = guard.siteOf(host);
      return site instanceof Promise ? admitLater(request, path, site, peer, host) : admitSite(request, path, site, peer, host);
    } catch (error) {
      return answerFailure(server, error, requestId);
    }
  };
}

/** The Host that counts: a proxy of ours says which one its client used. */
function hostOf(request: Request, peer: Peer): string | null {
  const forwarded = request.headers.get('x-forwarded-host');
  return forwarded !== null && peer.trusted ? forwarded.trim() : request.headers.get('host');
}

/** The path of a request's URL, which is a bare path when the Host was unusable (pinned). */
export function pathOf(url: string): string {
  const start = url.startsWith('/') ? 0 : url.indexOf('/', url.indexOf('://') + 3);
  const mark = url.indexOf('?', start);
  return start === -1 ? '/' : url.slice(start, mark === -1 ? url.length : mark);
}
