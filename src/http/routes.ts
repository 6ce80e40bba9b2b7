import type { DocumentDecoration } from 'elysia';
import { discoveryNames, discoveryPaths, endpointNames, layouts, type EndpointName, type EndpointPath, type Layout } from '../core/layouts.ts';
import type { BrowserOrigins } from './cors.ts';
import { describeDiscovery, describeEndpoint } from './describe.ts';
import { forBrowsers, makeOptions } from './endpoints/cross-origin.ts';
import { makeAuthorize } from './endpoints/authorize.ts';
import { makeDiscovery } from './endpoints/discovery.ts';
import type { EndpointHandler } from './endpoints/endpoint.ts';
import { makeIntrospect } from './endpoints/introspect.ts';
import { makeJwks } from './endpoints/jwks.ts';
import { makeLogout } from './endpoints/logout.ts';
import { makeRevoke } from './endpoints/revoke.ts';
import { makeToken } from './endpoints/token.ts';
import { makeUserinfo } from './endpoints/userinfo.ts';
import { sharedFairly, type FairShare } from './fair-share.ts';
import type { ServerContext } from './server-context.ts';

/** One method at one URL. */
export type Route = {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS';
  readonly path: string;
  /** The `Allow` header of its path. */
  readonly allow: string;
  readonly handler: EndpointHandler;
  /** What its requests are counted as; left out: the first word of its path. */
  readonly endpoint?: EndpointName | 'discovery';
  /** A page for people: what goes wrong there is a page too (UI-19). */
  readonly page?: boolean;
  /** Part of the admin API: what goes wrong there is a problem document (RFC 9457). */
  readonly problems?: boolean;
};

type EndpointRow = {
  readonly methods: readonly ('GET' | 'POST')[];
  /** Whether pages of public clients may read the answers (HT-09). */
  readonly browsers: boolean;
  readonly page?: boolean;
  readonly make: (server: ServerContext, layout: Layout, path: EndpointPath) => EndpointHandler;
};

/** A new endpoint is one row here and its paths in the table of layouts. */
const endpointRows: Readonly<Record<EndpointName, EndpointRow>> = {
  introspect: { methods: ['POST'], browsers: false, make: makeIntrospect },
  revoke: { methods: ['POST'], browsers: true, make: makeRevoke },
  token: { methods: ['POST'], browsers: true, make: makeToken },
  authorize: { methods: ['GET', 'POST'], browsers: false, page: true, make: makeAuthorize },
  jwks: { methods: ['GET'], browsers: false, make: makeJwks },
  userinfo: { methods: ['GET', 'POST'], browsers: true, make: makeUserinfo },
  logout: { methods: ['GET', 'POST'], browsers: false, page: true, make: makeLogout },
};

/** One method at one URL, known before there is a server: routes and the OpenAPI document are made from it. */
export type Operation = {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly endpoint: EndpointName | 'discovery';
  readonly layout: Layout;
  readonly browsers: boolean;
  readonly page: boolean;
  /** What the OpenAPI document says of it. */
  readonly describe: () => DocumentDecoration;
  readonly make: (server: ServerContext) => EndpointHandler;
};

/** All operations: layouts × endpoints, and each layout's discovery. */
export const operations: readonly Operation[] = Object.values(layouts).flatMap((layout) => [
  ...endpointNames.flatMap((name) => layout.paths[name].flatMap((path, index) => {
    const { methods, browsers, page = false, make } = endpointRows[name];
    return methods.map((method): Operation => ({
      method, layout, browsers, page, endpoint: name, path: `${layout.prefix}${path.path}`,
      describe: () => describeEndpoint(name, method, layout, path, index === 0), make: (server) => make(server, layout, path),
    }));
  })),
  ...discoveryNames.flatMap((name) => discoveryPaths(layout, name).map((path): Operation => ({
    method: 'GET', layout, browsers: false, page: false, endpoint: 'discovery', path, describe: () => describeDiscovery(name, layout, path), make: (server) => makeDiscovery(server, layout),
  }))),
]);

/** Methods that a path answers, as `Allow` lists them; GET brings HEAD (HT-19). */
function allowAt(path: string): string {
  return operations.filter((operation) => operation.path === path).map(({ method }) => (method === 'GET' ? 'GET, HEAD' : method)).join(', ');
}

/** Endpoints whose requests wait for something: introspection never waits behind them (RL-06). */
const fair: ReadonlySet<string> = new Set<EndpointName>(['revoke', 'token', 'authorize', 'userinfo', 'logout']);

/** All routes: every operation, with the HEAD and OPTIONS that belong to it (HT-19, INT-16). */
export function makeRoutes(server: ServerContext, origins: BrowserOrigins, share: FairShare): readonly Route[] {
  const asked = new Set<string>();
  return operations.flatMap(({ method, path, layout, browsers, page, endpoint, make }): readonly Route[] => {
    const allow = allowAt(path);
    const shared = fair.has(endpoint) ? sharedFairly(server, share, make(server)) : make(server);
    const handler = browsers ? forBrowsers(server, origins, layout, shared) : shared;
    const first = !asked.has(path);
    asked.add(path);
    return [
      { method, path, allow, handler, endpoint, page },
      ...(method === 'GET' ? [{ method: 'HEAD', path, allow, handler, endpoint, page } as const] : []),
      ...(first ? [{ method: 'OPTIONS', path, allow, handler: makeOptions(server, layout, allow, browsers ? origins : null), endpoint } as const] : []),
    ];
  });
}
