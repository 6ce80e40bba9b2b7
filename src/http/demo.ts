import { hash } from 'node:crypto';
import { isLoopbackAddress } from '../core/special-address.ts';
import { DEFAULT_TENANT } from '../core/tenant-settings.ts';
import { demoStyle, renderDemo } from '../pages/demo.tsx';
import tokens from '../pages/scripts/demo-tokens.js' with { type: 'text' };
import application from '../pages/scripts/demo.js' with { type: 'text' };
import { introspect } from '../service/introspect.ts';
import { INACTIVE, renderActive } from './endpoints/introspect.ts';
import { etagOf } from './etag.ts';
import { answerFormFault, answerNotFound } from './failures.ts';
import { parseForm, readFormText, type KnownParameters } from './form.ts';
import { pageHeaders } from './page-headers.ts';
import { isSameOrigin } from './people/csrf.ts';
import type { Route } from './routes.ts';
import type { Arrival, DemoSite, ServerContext } from './server-context.ts';

const scripts: Readonly<Record<string, string>> = { '/assets/demo-tokens.js': tokens, '/assets/demo.js': application };
const known: KnownParameters = new Map([['token', 'once']]);

/** Scripts and requests of our own, one style, and nothing else. */
const headers = pageHeaders([
  'script-src \'self\'', 'connect-src \'self\'', `style-src 'sha256-${hash('sha256', demoStyle, 'base64')}'`, 'img-src data:',
]);

/**
 * The demo's application at `/demo`, and what it needs. It is there in a demo only, on the server's own origin, and for
 * callers on this machine; elsewhere there is nothing at these addresses.
 */
export function makeDemoPages(server: ServerContext): readonly Route[] {
  const { demo } = server;
  if (demo === null) return [];
  const atHome = (handler: Route['handler']): Route['handler'] => async (request, arrival, ...rest) =>
    isAtHome(arrival) ? handler(request, arrival, ...rest) : answerNotFound(server, arrival.peer.requestId);
  const get = (path: string, handler: Route['handler']): readonly Route[] =>
    (['GET', 'HEAD'] as const).map((method) => ({ method, path, allow: 'GET, HEAD', handler: atHome(handler) }));
  return [
    ...get('/demo', (request, arrival) => showDemo(server, demo, request, arrival)),
    ...Object.entries(scripts).flatMap(([path, text]) => get(path, async (request, { peer }) =>
      server.respond.page(request, 'text/javascript; charset=utf-8', text, etagOf(text), peer.requestId, { 'Cache-Control': 'no-cache' }))),
    { method: 'POST', path: '/demo/introspect', allow: 'POST', handler: atHome((request, arrival) => introspectForDemo(server, demo, request, arrival)) },
  ];
}

function isAtHome({ site, peer }: Arrival): boolean {
  return site.kind === 'own' && peer.ip !== null && isLoopbackAddress(peer.ip);
}

/** The page. Its client is registered at one spelling of loopback, so the others lead there. */
async function showDemo({ ctx, respond, docs, mailbox }: ServerContext, demo: DemoSite, request: Request, { peer, host: arrivedAt }: Arrival): Promise<Response> {
  const { url, host } = ctx.origin();
  if (arrivedAt !== host) {
    const mark = request.url.indexOf('?');
    const query = mark === -1 ? '' : request.url.slice(mark);
    return new Response(null, { status: 303, headers: { Location: `${url}/demo${query}`, 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff', 'X-Request-Id': peer.requestId } });
  }
  const body = renderDemo({ origin: url, ...demo, docs, mailbox });
  return respond.page(request, 'text/html; charset=utf-8', body, etagOf(body), peer.requestId, headers);
}

/**
 * Asks about a token as the demo's gateway would: introspection is for confidential clients, and no page is one. Answers
 * what the introspection endpoint answers the gateway, but to pages of this server only.
 */
async function introspectForDemo(server: ServerContext, demo: DemoSite, request: Request, { peer }: Arrival): Promise<Response> {
  const { ctx, respond } = server;
  const { requestId } = peer;
  if (!isSameOrigin(request.headers, ctx.origin().url)) return respond.error(403, 'invalid_request', 'only the page at /demo may ask here', requestId);
  const body = await readFormText(request, known);
  const reading = body.ok ? parseForm<{ readonly token: string }>(body.text, known) : body;
  if (!reading.ok) return answerFormFault(server, reading.fault, requestId);
  const { token } = reading.form;
  if (token === undefined) return respond.error(400, 'invalid_request', 'token is missing', requestId);
  const tenant = await ctx.store.findTenant({ slug: DEFAULT_TENANT });
  const gateway = tenant === null ? null : await ctx.store.findClient(tenant.id, demo.gateway);
  if (tenant === null || gateway === null) return respond.error(503, 'temporarily_unavailable', 'the demo is being set up', requestId, { 'Retry-After': '1' });
  const outcome = await introspect(ctx, tenant, gateway, token, tenant.shape);
  outcome.tell?.(peer);
  return respond.json(200, outcome.active ? renderActive(outcome, tenant.shape, tenant, gateway) : INACTIVE, requestId);
}
