import { Elysia } from 'elysia';
import type { PathParts } from './endpoints/endpoint.ts';
import { ADMIN_API, answerStray, isAdminPath } from './admin/problem.ts';
import { makeAnswerMemory } from './answer-memory.ts';
import { makeConsolePages } from './console/pages.ts';
import { makeBrowserOrigins } from './cors.ts';
import { makeDemoPages } from './demo.ts';
import { makeFairShare } from './fair-share.ts';
import { answerFailure, answerMethodNotAllowed, answerNotFound } from './failures.ts';
import { makeGate, pathOf, type GateOptions, type Inside, type RequestHandler } from './gate.ts';
import { makeHealth } from './health.ts';
import { makeHostGuard } from './host-guard.ts';
import { makeMetered, type RequestSpans } from './metered.ts';
import { makeMetricsPage } from './metrics-page.ts';
import { makePeoplePages } from './people/pages.ts';
import { strayPage } from './people/visit.ts';
import { makeResponder } from './respond.ts';
import { makeRoutes, type Route } from './routes.ts';
import { makeSitePages } from './site-pages.ts';
import type { Arrival, DemoSite, Observatory, Readiness, ServerContext, SettingFact } from './server-context.ts';
import type { Context } from '../service/context.ts';

export type HttpOptions = GateOptions & {
  readonly readiness: Readiness;
  /** Whether `/docs` is served (HT-18). */
  readonly docs: boolean;
  /** Whether there is no mail server: then mails can be read at `/mailbox`, on loopback. */
  readonly mailbox?: boolean;
  /** Makes it a demo, with a page at `/demo`. */
  readonly demo?: DemoSite;
  /** Whether the admin API is served. */
  readonly admin?: boolean;
  /** What this start was told, for operators. */
  readonly settings?: readonly SettingFact[];
  /** What operators are shown of the process; left out: nothing. */
  readonly observatory?: Observatory;
  /** Traces requests. */
  readonly spans?: RequestSpans | null;
  /** Every request in the log. */
  readonly logRequests: boolean;
};

/** Builds the whole HTTP surface: the gate, then the framework's router with every route of every layout. */
export function makeRequestHandler(ctx: Context, options: HttpOptions): RequestHandler {
  const server: ServerContext = {
    ctx, respond: makeResponder(ctx.origin().scheme === 'https', ctx.metrics.refused), answers: makeAnswerMemory(ctx.store, ctx.clock), readiness: options.readiness, docs: options.docs, mailbox: options.mailbox ?? false,
    demo: options.demo ?? null, ...(options.observatory !== undefined && { observatory: options.observatory }), admin: options.admin === true, settings: options.settings ?? [],
  };
  const share = makeFairShare();
  const routes = [...makeRoutes(server, makeBrowserOrigins(ctx.store), share), ...makeSitePages(server), ...makeDemoPages(server), ...makePeoplePages(server, share), ...(options.admin === true ? [...makeConsolePages(server), ...(server.observatory === undefined ? [] : makeMetricsPage(server, server.observatory))] : [])];
  const handler = makeGate(server, makeHealth(server), makeHostGuard(ctx.store, ctx.origin), options, makeRouter(server, routes, options.admin === true, options.spans ?? null, options.admin === true ? loadAdminApi(server, options.spans ?? null) : null));
  options.observatory?.watchAnswers(server.answers.figures);
  return options.logRequests ? withRequestLog(ctx, handler) : handler;
}

const NO_PARTS: PathParts = {};

const adminMethods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

/** The admin API with a router of its own, put together when somebody first calls it: it would be a good part of every start. */
function loadAdminApi(server: ServerContext, spans: RequestSpans | null): Inside {
  let loaded: Inside | null = null;
  const load = async (): Promise<Inside> => {
    const { makeAdminRoutes } = await import('./admin/routes.ts');
    loaded ??= makeRouter(server, makeAdminRoutes(server), true, spans, null);
    return loaded;
  };
  return async (request, arrival) => (loaded ?? await load())(request, arrival);
}

/** Puts routes into Elysia. Schemas are held by our own strict reader, so no parser and no hook of it runs on them. */
function makeRouter(server: ServerContext, routes: readonly Route[], admin: boolean, spans: RequestSpans | null, adminApi: Inside | null): Inside {
  const metered = makeMetered(server, spans);
  const stray = server.ctx.metrics.route('none', 'none');
  // Handed from the gate to the router's first, synchronous step, and never read after it (pinned).
  let arriving: Arrival | null = null;
  const app = new Elysia({ aot: true, strictPath: true, normalize: false })
    .decorate('arrival', null as Arrival | null)
    .onRequest((context) => {
      context.arrival = arriving;
    })
    .onError(({ code, error, arrival, request }) => {
      const requestId = arrivalOf(arrival).peer.requestId;
      stray.count(code === 'NOT_FOUND' ? 404 : 500);
      if (code === 'NOT_FOUND' && admin && isAdminPath(pathOf(request.url))) return answerStray(server, arrivalOf(arrival), null);
      return code === 'NOT_FOUND' ? answerNotFound(server, requestId) : answerFailure(server, error, requestId);
    });
  const paths = new Map<string, { readonly allow: string; readonly page: boolean; readonly problems: boolean }>();
  for (const route of routes) {
    const { method, path } = route;
    const handler = metered(route);
    app.route(method, path, ({ request, params, arrival }) => handler(request, arrivalOf(arrival), slugOf(params), partsOf(params)), { parse: 'none' });
  }
  if (adminApi !== null) {
    for (const path of [ADMIN_API, `${ADMIN_API}/*`]) {
      for (const method of adminMethods) app.route(method, path, ({ request, arrival }) => adminApi(request, arrivalOf(arrival)), { parse: 'none' });
    }
  }
  for (const { path, allow, page = false, problems = false } of routes) paths.set(path, { allow, page, problems });
  for (const [path, { allow, page, problems }] of paths) {
    app.all(path, ({ request, arrival }) => {
      const { requestId } = arrivalOf(arrival).peer;
      stray.count(405);
      if (problems) return answerStray(server, arrivalOf(arrival), allow);
      // The console's own path stands for everything below it.
      if (admin && isAdminPath(pathOf(request.url))) return answerStray(server, arrivalOf(arrival), null);
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
      method: request.method, path: loggedPath(pathOf(request.url)), status: response.status,
      ms: Math.round((ctx.clock.monotonic() - startedMs) * 100) / 100, request_id: response.headers.get('x-request-id'),
    });
    return response;
  };
}

/** A path without the token of a link, which opens something to whoever has it (LG-01). */
function loggedPath(path: string): string {
  return path.replace(/\/(link|setup|invitation)\/[^/]+/, '/$1/…');
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
