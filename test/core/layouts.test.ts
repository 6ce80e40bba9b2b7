import { describe, expect, test } from 'bun:test';
import { discoveryPaths, endpointNames, isReservedSlug, isSlug, layouts, tenantPrefix } from '../../src/core/layouts.ts';
import { layoutNames } from '../../src/core/model.ts';

/** What the five products document, canonical URL first. */
const table = {
  root: {
    prefix: '', shape: 'standard',
    introspect: ['/oauth2/introspect', '/oauth2/introspection'], revoke: ['/oauth2/revoke'], token: ['/oauth2/token'],
    jwks: ['/oauth2/jwks.json', '/oauth2/jwks', '/.well-known/jwks.json'], userinfo: ['/oauth2/userinfo'],
    authorize: ['/oauth2/authorize', '/oauth2/auth'], logout: ['/oauth2/logout'],
  },
  realm: {
    prefix: '/t/:slug', shape: 'kotauth',
    introspect: ['/protocol/openid-connect/introspect'], revoke: ['/protocol/openid-connect/revoke'], token: ['/protocol/openid-connect/token'],
    jwks: ['/protocol/openid-connect/certs'], userinfo: ['/protocol/openid-connect/userinfo'],
    authorize: ['/protocol/openid-connect/auth', '/authorize'], logout: ['/protocol/openid-connect/logout'],
  },
  org: {
    prefix: '/orgs/:slug', shape: 'standard',
    introspect: ['/api/v1/oauth/introspect'], revoke: ['/api/v1/oauth/revoke'], token: ['/api/v1/oauth/token'],
    jwks: ['/api/v1/.well-known/jwks.json'], userinfo: ['/api/v1/oauth/userinfo'],
    authorize: ['/api/v1/oauth/authorize'], logout: ['/api/v1/oauth/logout'],
  },
} as const;

describe('layouts', () => {
  test.each([...layoutNames])('INT-36, INT-47 the row %s', (name) => {
    const layout = layouts[name];
    expect({ prefix: layout.prefix, shape: layout.shape, ...Object.fromEntries(endpointNames.map((endpoint) => [endpoint, layout.paths[endpoint].map(({ path }) => path)])) })
      .toEqual(table[name]);
    expect(layout.name).toBe(name);
  });

  test('INT-108 only one URL has a form of its own', () => {
    const own = Object.values(layouts).flatMap(({ paths }) => Object.values(paths).flat()).filter(({ shape }) => shape !== undefined);
    expect(own).toEqual([{ path: '/oauth2/introspection', shape: 'workos' }]);
  });

  test('INT-33 no two endpoints share a URL', () => {
    const all = Object.values(layouts).flatMap((layout) => [
      ...Object.values(layout.paths).flat().map(({ path }) => layout.prefix + path),
      ...discoveryPaths(layout, 'openid-configuration'), ...discoveryPaths(layout, 'oauth-authorization-server'),
    ]);
    expect(new Set(all).size).toBe(all.length);
  });

  test('DS-01…DS-03 discovery: at the root once, else appended and inserted', () => {
    expect(layoutNames.map((name) => discoveryPaths(layouts[name], 'openid-configuration'))).toEqual([
      ['/.well-known/openid-configuration'],
      ['/t/:slug/.well-known/openid-configuration', '/.well-known/openid-configuration/t/:slug'],
      ['/orgs/:slug/.well-known/openid-configuration', '/.well-known/openid-configuration/orgs/:slug'],
    ]);
    expect(discoveryPaths(layouts.realm, 'oauth-authorization-server')).toEqual([
      '/t/:slug/.well-known/oauth-authorization-server', '/.well-known/oauth-authorization-server/t/:slug',
    ]);
  });

  test('a prefix with its slug', () => {
    expect(layoutNames.map((name) => tenantPrefix(layouts[name], 'acme'))).toEqual(['', '/t/acme', '/orgs/acme']);
  });
});

describe('slugs', () => {
  test.each(['a', '0', 'acme', 'a-b', 'a--b', '4-2', 'a'.repeat(63)])('INT-34 %p is one', (slug) => {
    expect(isSlug(slug)).toBe(true);
  });

  test.each([
    '', '-', '-a', 'a-', 'Acme', 'a_b', 'a.b', 'a b', ' a', 'a\n', 'acme/..', 'acme\0', '..', 'a'.repeat(64), '\uFF41cme', 'acm\u00E9', '%61cme', 'a:b',
  ])('INT-34 %p is none', (slug) => {
    expect(isSlug(slug)).toBe(false);
  });

  test('MTN-08 names that the server keeps', () => {
    expect(['oauth2', 't', 'orgs', 'admin', 'health', 'api', 'docs', 'device', 'account', 'healthz', 'readyz', 'acme', 'default'].filter((slug) => !isReservedSlug(slug)))
      .toEqual(['acme', 'default']);
    expect(isSlug('.well-known')).toBe(false);
  });
});
