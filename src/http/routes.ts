import type { DocumentDecoration } from 'elysia';
import { discoveryNames, discoveryPaths, endpointNames, layouts, type EndpointName, type EndpointPath, type Layout } from '../core/layouts.ts';
import type { BrowserOrigins } from './cors.ts';
import { describeDiscovery, describeEndpoint } from './describe.ts';
import { forBrowsers, makeOptions } from './endpoints/cross-origin.ts';
import { makeDiscovery } from './endpoints/discovery.ts';
import type { EndpointHandler } from './endpoints/endpoint.ts';
import { makeIntrospect } from './endpoints/introspect.ts';
import { makeJwks } from './endpoints/jwks.ts';
import { makeRevoke } from './endpoints/revoke.ts';
import { makeToken } from './endpoints/token.ts';
import type { ServerContext } from './server-context.ts';

/** One method at one URL. */
export type Route = {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'OPTIONS';
  readonly path: string;
  readonly handler: EndpointHandler;
};

type EndpointRow = {
  readonly method: 'GET' | 'POST';
  /** Whether pages of public clients may read the answers (HT-09). */
  readonly browsers: boolean;
  readonly make: (server: ServerContext, layout: Layout, path: EndpointPath) => EndpointHandler;
};

/** A new endpoint is one row here and its paths in the table of layouts. */
const endpointRows: Readonly<Record<EndpointName, EndpointRow>> = {
  introspect: { method: 'POST', browsers: false, make: makeIntrospect },
  revoke: { method: 'POST', browsers: true, make: makeRevoke },
  token: { method: 'POST', browsers: true, make: makeToken },
  jwks: { method: 'GET', browsers: false, make: makeJwks },
};

/** Methods that a path with this method answers. */
const allowed = { GET: 'GET, HEAD', POST: 'POST' } as const;

/** What stands at one URL, known before there is a server: routes and the OpenAPI document are made from it. */
export type Operation = {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly layout: Layout;
  readonly browsers: boolean;
  /** What the OpenAPI document says of it. */
  readonly describe: () => DocumentDecoration;
  readonly make: (server: ServerContext) => EndpointHandler;
};

/** All operations: layouts × endpoints, and each layout's discovery. */
export const operations: readonly Operation[] = Object.values(layouts).flatMap((layout) => [
  ...endpointNames.flatMap((name) => layout.paths[name].map((path, index): Operation => {
    const { method, browsers, make } = endpointRows[name];
    return {
      method, layout, browsers, path: `${layout.prefix}${path.path}`,
      describe: () => describeEndpoint(name, layout, path, index === 0), make: (server) => make(server, layout, path),
    };
  })),
  ...discoveryNames.flatMap((name) => discoveryPaths(layout, name).map((path): Operation => ({
    method: 'GET', layout, browsers: false, path, describe: () => describeDiscovery(name, layout, path), make: (server) => makeDiscovery(server, layout),
  }))),
]);

/** All routes: every operation, with the HEAD and OPTIONS that belong to it (HT-19, INT-16). */
export function makeRoutes(server: ServerContext, origins: BrowserOrigins): readonly Route[] {
  return operations.flatMap(({ method, path, layout, browsers, make }): readonly Route[] => {
    const handler = browsers ? forBrowsers(server, origins, layout, make(server)) : make(server);
    return [
      { method, path, handler },
      ...(method === 'GET' ? [{ method: 'HEAD', path, handler } as const] : []),
      { method: 'OPTIONS', path, handler: makeOptions(server, layout, allowed[method], browsers ? origins : null) },
    ];
  });
}

/** The `Allow` header of a route's path. */
export function allowOf(route: Route): string {
  return route.method === 'POST' ? allowed.POST : allowed.GET;
}
