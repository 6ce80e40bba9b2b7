import { layouts, tenantPrefix } from './layouts.ts';
import type { Tenant } from './model.ts';

/** The server's own address, stored with the data: `http(s)://host[:port]`, canonical. */
export type Origin = {
  /** Without a trailing slash. */
  readonly url: string;
  readonly scheme: 'http' | 'https';
  /** `host[:port]`, without a default port. */
  readonly host: string;
  readonly loopback: boolean;
};

const loopbackNames: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Whether a hostname, without its port, is this machine itself. */
export function isLoopbackName(hostname: string): boolean {
  return loopbackNames.has(hostname) || hostname.endsWith('.localhost');
}

/**
 * Reads an origin (MTN-02): scheme and authority in canonical form, nothing after.
 * @returns null when it is anything else
 */
export function parseOrigin(text: string): Origin | null {
  const match = /^(https?):\/\/([a-z0-9](?:[a-z0-9.-]{0,252}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])(?::([1-9][0-9]{0,4}))?\/?$/.exec(text);
  if (match === null) return null;
  const [, scheme, hostname, port] = match;
  if ((scheme !== 'http' && scheme !== 'https') || hostname === undefined) return null;
  if (hostname.includes('..') || Number(port ?? '1') > 65_535) return null;
  const host = stripDefaultPort(port === undefined ? hostname : `${hostname}:${port}`, scheme);
  return { url: `${scheme}://${host}`, scheme, host, loopback: isLoopbackName(hostname) };
}

/** `host[:port]` without the scheme's default port. */
export function stripDefaultPort(host: string, scheme: 'http' | 'https'): string {
  const port = scheme === 'https' ? ':443' : ':80';
  return host.endsWith(port) ? host.slice(0, -port.length) : host;
}

/** Base of a tenant's URLs in its home layout: its one issuer (wire contract §1). The tenant `default` has no hostname. */
export function issuerOf(tenant: Tenant, origin: Origin): string {
  const base = tenant.layout === 'root' && tenant.host !== null ? `${origin.scheme}://${tenant.host}` : origin.url;
  return base + tenantPrefix(layouts[tenant.layout], tenant.slug);
}
