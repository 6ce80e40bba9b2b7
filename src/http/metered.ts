import { isSlug, layouts, type Layout } from '../core/layouts.ts';
import type { RouteMeter } from '../core/metrics.ts';
import type { EndpointHandler } from './endpoints/endpoint.ts';
import { answerFailure } from './failures.ts';
import type { Route } from './routes.ts';
import type { Arrival, ServerContext } from './server-context.ts';

/** Runs a request in a span of its own; what a tracer does (metrics). */
export type RequestSpans = {
  request<T>(
    name: string, traceparent: string | null, work: () => Promise<T>,
    notes: (outcome: T | null) => { readonly attributes: Readonly<Record<string, string | number>>; readonly failed: boolean },
  ): Promise<T>;
};

const prefixed: readonly Layout[] = Object.values(layouts).filter(({ prefix }) => prefix !== '');

/** What a route's requests are counted as: words of our own table of routes, never of a caller's path. */
export function placeOf({ path, endpoint }: Pick<Route, 'path' | 'endpoint'>): { readonly endpoint: string; readonly layout: string } {
  const layout = prefixed.find(({ prefix }) => path === prefix || path.startsWith(`${prefix}/`) || path.endsWith(prefix));
  const rest = layout !== undefined && path.startsWith(layout.prefix) ? path.slice(layout.prefix.length) : path;
  const [, first = ''] = rest.split('/');
  return { endpoint: endpoint ?? (first === '' ? 'home' : first), layout: layout?.name ?? 'root' };
}

/**
 * A route's handler, with its requests counted and timed; with a tracer, each in a span too. The meter is resolved here, once.
 * What the handler throws becomes its answer here, so that it is counted.
 */
export function makeMetered(server: ServerContext, spans: RequestSpans | null): (route: Route) => EndpointHandler {
  const meters = new Map<string, RouteMeter>();
  const { metrics, clock } = server.ctx;
  return (route) => {
    const { endpoint, layout } = placeOf(route);
    const key = `${endpoint} ${layout}`;
    const meter = meters.get(key) ?? metrics.route(endpoint, layout);
    meters.set(key, meter);
    const { handler } = route;
    const counted: EndpointHandler = async (request, arrival, slug, parts) => {
      const begunMs = clock.monotonic();
      let response: Response;
      try {
        response = await handler(request, arrival, slug, parts);
      } catch (error) {
        response = answerFailure(server, error, arrival.peer.requestId);
      }
      meter.done(response.status, clock.monotonic() - begunMs);
      return response;
    };
    return spans === null ? counted : inSpan(spans, route, counted);
  };
}

function inSpan(spans: RequestSpans, route: Route, handler: EndpointHandler): EndpointHandler {
  const { endpoint, layout } = placeOf(route);
  const name = `${route.method} ${route.path}`;
  const always = { 'http.request.method': route.method, 'http.route': route.path, 'assay.endpoint': endpoint, 'assay.layout': layout };
  return (request, arrival, slug, parts) =>
    spans.request(name, request.headers.get('traceparent'), () => handler(request, arrival, slug, parts), (response) => {
      const status = response?.status ?? 500;
      return { attributes: { ...always, 'http.response.status_code': status, 'assay.outcome': outcomeOf(status), ...tenantOf(arrival, slug, status) }, failed: status >= 500 };
    });
}

function outcomeOf(status: number): string {
  if (status >= 500) return 'failed';
  return status >= 400 ? 'refused' : 'answered';
}

/** The tenant, where there is one: a path that names none is a stranger's text. */
function tenantOf({ site }: Arrival, slug: string | undefined, status: number): Readonly<Record<string, string>> {
  if (slug !== undefined) return status !== 404 && isSlug(slug) ? { 'assay.tenant': slug } : {};
  return site.kind === 'tenant' ? { 'assay.host': site.host } : { 'assay.tenant': 'default' };
}
