import type { Observatory } from '../http/server-context.ts';

/** The text format of Prometheus, as its documentation names it. */
export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Nothing is read of a request but its first lines. */
const MAX_BODY = 1_024;
const IDLE_TIMEOUT_S = 30;

/** Host and port of `HOST:PORT`, IPv6 in brackets. The setting was checked when it was read. */
function splitAddress(address: string): { readonly hostname: string; readonly port: number } {
  const at = address.lastIndexOf(':');
  return { hostname: address.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(address.slice(at + 1)) };
}

function answer(request: Request, observatory: Pick<Observatory, 'exposition'>): Response | Promise<Response> {
  const headers = { 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' };
  const say = (status: number, text: string, more: Readonly<Record<string, string>> = {}): Response =>
    new Response(text, { status, headers: { 'Content-Type': 'text/plain; charset=utf-8', ...headers, ...more } });
  const path = URL.canParse(request.url) ? new URL(request.url).pathname : request.url.split('?')[0];
  if (path !== '/metrics' && path !== '/healthz') return say(404, 'not found\n');
  if (request.method !== 'GET') return say(405, 'method not allowed\n', { Allow: 'GET' });
  if (path === '/healthz') return say(200, 'ok\n');
  return observatory.exposition().then((text) => say(200, text, { 'Content-Type': EXPOSITION_TYPE }), () => say(500, 'error\n'));
}

/**
 * Answers `GET /metrics` and `GET /healthz` to anybody who reaches this address, and nothing else.
 * @param address `HOST:PORT`
 * @throws whatever listening fails with: the port is taken, the address is not this machine's
 */
export function listenForMetrics(address: string, observatory: Pick<Observatory, 'exposition'>): Bun.Server<undefined> {
  return Bun.serve({
    ...splitAddress(address), maxRequestBodySize: MAX_BODY, idleTimeout: IDLE_TIMEOUT_S, development: false, reusePort: false,
    fetch: (request) => answer(request, observatory),
    error: () => new Response('error\n', { status: 500, headers: { 'Cache-Control': 'no-store' } }),
  });
}
