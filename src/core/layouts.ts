import type { LayoutName, ShapeName } from './model.ts';

/** Endpoints that exist in every layout. */
export const endpointNames = ['introspect', 'revoke', 'token', 'authorize', 'jwks', 'userinfo', 'logout'] as const;
export type EndpointName = (typeof endpointNames)[number];

/** One URL of an endpoint. `shape`: the answer's form whatever the tenant's. */
export type EndpointPath = { readonly path: string; readonly shape?: ShapeName };

/** How a layout names its tenant and lays out its URLs. */
export type Layout = {
  readonly name: LayoutName;
  /** Path before every endpoint, with the tenant's slug as `:slug`; empty where the Host names the tenant. */
  readonly prefix: string;
  /** Answer form for tenants at home elsewhere. */
  readonly shape: ShapeName;
  /** The first of each list is canonical: what discovery advertises. */
  readonly paths: Readonly<Record<EndpointName, readonly [EndpointPath, ...EndpointPath[]]>>;
};

/** Every layout; the table of wire contract §1. A new layout is one row. */
export const layouts: Readonly<Record<LayoutName, Layout>> = {
  root: {
    name: 'root',
    prefix: '',
    shape: 'standard',
    paths: {
      introspect: [{ path: '/oauth2/introspect' }, { path: '/oauth2/introspection', shape: 'workos' }],
      revoke: [{ path: '/oauth2/revoke' }],
      token: [{ path: '/oauth2/token' }],
      authorize: [{ path: '/oauth2/authorize' }, { path: '/oauth2/auth' }],
      jwks: [{ path: '/oauth2/jwks.json' }, { path: '/oauth2/jwks' }, { path: '/.well-known/jwks.json' }],
      userinfo: [{ path: '/oauth2/userinfo' }],
      logout: [{ path: '/oauth2/logout' }],
    },
  },
  realm: {
    name: 'realm',
    prefix: '/t/:slug',
    shape: 'kotauth',
    paths: {
      introspect: [{ path: '/protocol/openid-connect/introspect' }],
      revoke: [{ path: '/protocol/openid-connect/revoke' }],
      token: [{ path: '/protocol/openid-connect/token' }],
      authorize: [{ path: '/protocol/openid-connect/auth' }, { path: '/authorize' }],
      jwks: [{ path: '/protocol/openid-connect/certs' }],
      userinfo: [{ path: '/protocol/openid-connect/userinfo' }],
      logout: [{ path: '/protocol/openid-connect/logout' }],
    },
  },
  org: {
    name: 'org',
    prefix: '/orgs/:slug',
    shape: 'standard',
    paths: {
      introspect: [{ path: '/api/v1/oauth/introspect' }],
      revoke: [{ path: '/api/v1/oauth/revoke' }],
      token: [{ path: '/api/v1/oauth/token' }],
      authorize: [{ path: '/api/v1/oauth/authorize' }],
      jwks: [{ path: '/api/v1/.well-known/jwks.json' }],
      userinfo: [{ path: '/api/v1/oauth/userinfo' }],
      logout: [{ path: '/api/v1/oauth/logout' }],
    },
  },
};

/** The two kinds of discovery document; both have the same members (OpenID Connect Discovery §4, RFC 8414 §3). */
export const discoveryNames = ['openid-configuration', 'oauth-authorization-server'] as const;
export type DiscoveryName = (typeof discoveryNames)[number];

/**
 * URLs of a layout's discovery documents, with `:slug` where the layout has it.
 * A layout with a prefix has both forms: appended (OpenID Connect Discovery §4) and inserted (RFC 8414 §3.1).
 */
export function discoveryPaths(layout: Layout, name: DiscoveryName): readonly string[] {
  const wellKnown = `/.well-known/${name}`;
  return layout.prefix === '' ? [wellKnown] : [`${layout.prefix}${wellKnown}`, `${wellKnown}${layout.prefix}`];
}

/** The prefix with the tenant's slug in place: `/t/acme`, or empty. */
export function tenantPrefix(layout: Layout, slug: string): string {
  return layout.prefix.replace(':slug', slug);
}

/** Slugs that would collide with paths of ours or mislead (MTN-08). */
const reservedSlugs: ReadonlySet<string> = new Set([
  'oauth2', 't', 'orgs', 'admin', 'health', 'healthz', 'readyz', 'api', 'docs', 'demo', 'well-known', 'device', 'account', 'metrics',
]);

const slugForm = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** Whether text has the form of a tenant's path name (INT-34). */
export function isSlug(text: string): boolean {
  return slugForm.test(text);
}

/** Whether a slug is kept for the server's own use (MTN-08). */
export function isReservedSlug(slug: string): boolean {
  return reservedSlugs.has(slug);
}
