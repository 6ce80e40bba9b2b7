import { Elysia } from 'elysia';
import type { PathParts } from './endpoints/endpoint.ts';
import { makeAnswerMemory } from './answer-memory.ts';
import { makeBrowserOrigins } from './cors.ts';
import { makeDemoPages } from './demo.ts';
import { answerFailure, answerMethodNotAllowed, answerNotFound } from './failures.ts';
import { makeGate, pathOf, type GateOptions, type Inside, type RequestHandler } from './gate.ts';
import { makeHealth } from './health.ts';
import { makeHostGuard } from './host-guard.ts';
import { makePeoplePages } from './people/pages.ts';
import { strayPage } from './people/visit.ts';
import { makeResponder } from './respond.ts';
import { makeRoutes, type Route } from './routes.ts';
import { makeSitePages } from './site-pages.ts';
import type { Arrival, DemoSite, Readiness, ServerContext } from './server-context.ts';
import type { Context } from '../service/context.ts';

export type HttpOptions = GateOptions & {
  readonly readiness: Readiness;
  /** Whether `/docs` is served (HT-18). */
  readonly docs: boolean;
  /** Whether there is no mail server: then mails can be read at `/mailbox`, on loopback. */
  readonly mailbox?: boolean;
  /** Makes it a demo, with a page at `/demo`. */
  readonly demo?: DemoSite;
  /** Every request in the log. */
  readonly logRequests: boolean;
};

/** Builds the whole HTTP surface: the gate, then the framework's router with every route of every layout. */
export function makeRequestHandler(ctx: Context, options: HttpOptions): RequestHandler {
  const server: ServerContext = {
    ctx, respond: makeResponder(ctx.origin().scheme === 'https'), answers: makeAnswerMemory(ctx.store, ctx.clock), readiness: options.readiness, docs: options.docs, mailbox: options.mailbox ?? false,
    demo: options.demo ?? null,
  };
  const routes = [...makeRoutes(server, makeBrowserOrigins(ctx.store)), ...makeSitePages(server), ...makeDemoPages(server), ...makePeoplePages(server)];
  const handler = makeGate(server, makeHealth(server), makeHostGuard(ctx.store, ctx.origin), options, makeRouter(server, routes));
  return options.logRequests ? withRequestLog(ctx, handler) : handler;
}

const NO_PARTS: PathParts = {};

/** Puts routes into Elysia. Schemas are held by our own strict reader, so no parser and no hook of it runs on them. */
function makeRouter(server: ServerContext, routes: readonly Route[]): Inside {
  // Handed from the gate to the router's first, synchronous step, and never read after it (pinned).
  let arriving: Arrival | null = null;
  const app = new Elysia({ aot: true, strictPath: true, normalize: false })
    .decorate('arrival', null as Arrival | null)
    .onRequest((context) => {
      context.arrival = arriving;
    })
    .onError(({ code, error, arrival }) => {
      const requestId = arrivalOf(arrival).peer.requestId;
      return code === 'NOT_FOUND' ? answerNotFound(server, requestId) : answerFailure(server, error, requestId);
    });
  const paths = new Map<string, { readonly allow: string; readonly page: boolean }>();
  for (const { method, path, handler } of routes) {
    app.route(method, path, ({ request, params, arrival }) => handler(request, arrivalOf(arrival), slugOf(params), partsOf(params)), { parse: 'none' });
  }
  for (const { path, allow, page = false } of routes) paths.set(path, { allow, page });
  for (const [path, { allow, page }] of paths) {
    app.all(path, ({ request, arrival }) => {
      const { requestId } = arrivalOf(arrival).peer;
      return page ? strayPage(server, request, 405, 'method_not_allowed', requestId, { Allow: allow }) : answerMethodNotAllowed(server, allow, requestId);
    }, { parse: 'none' });
  }
  app.compile();
  return (request, arrival) => {
    arriving = arrival;
    return app.fetch(request);
  };
}

/** One line for every request, without query or headers (LG-09). */
function withRequestLog(ctx: Context, handler: RequestHandler): RequestHandler {
  return async (request, connection) => {
    const startedMs = ctx.clock.monotonic();
    const response = await handler(request, connection);
    ctx.log.debug('request', {
      method: request.method, path: pathOf(request.url), status: response.status,
      ms: Math.round((ctx.clock.monotonic() - startedMs) * 100) / 100, request_id: response.headers.get('x-request-id'),
    });
    return response;
  };
}

function arrivalOf(arrival: Arrival | null): Arrival {
  if (arrival === null) throw new Error('a request reached the router without passing the gate');
  return arrival;
}

/** What else the path holds. */
function partsOf(params: unknown): PathParts {
  return typeof params === 'object' && params !== null ? params as PathParts : NO_PARTS;
}

function slugOf(params: unknown): string | undefined {
  const slug: unknown = typeof params === 'object' && params !== null ? Reflect.get(params, 'slug') : undefined;
  return typeof slug === 'string' ? slug : undefined;
}
