import { auditEvent } from '../../core/audit-event.ts';
import { layouts, tenantPrefix, type Layout } from '../../core/layouts.ts';
import { limitHeaders, refusedBy } from '../../core/limits.ts';
import { isStoreError } from '../../core/ports.ts';
import type { Tenant } from '../../core/model.ts';
import { passkeyPlace, type NoPasskeyPlace, type PasskeyPlace } from '../../service/credentials/passkeys.ts';
import { isCookieSecret, type Browser, type CookieChange } from '../../service/sign-in/browser.ts';
import { renderError } from '../../pages/endings.tsx';
import { chooseLocale } from '../../pages/text.ts';
import type { Chrome, ErrorReason } from '../../pages/views.ts';
import { resolveTenant } from '../admit.ts';
import type { EndpointHandler, PathParts } from '../endpoints/endpoint.ts';
import { answerFailure } from '../failures.ts';
import { parseForm, readFormText, type FormValues } from '../form.ts';
import type { Arrival, ServerContext } from '../server-context.ts';
import { cookieNames, cookieHeaders, readCookie } from './cookies.ts';
import { isSameOrigin } from './csrf.ts';
import { answerPage, type PageAnswer } from './page.ts';

/** A person's request for a page of one tenant: who asks with what browser, and how pages look. */
export type Visit = {
  readonly server: ServerContext;
  readonly request: Request;
  readonly arrival: Arrival;
  readonly tenant: Tenant;
  readonly layout: Layout;
  /** Where people's pages of this tenant begin on this host. */
  readonly base: string;
  readonly browser: Browser;
  readonly chrome: Chrome;
  readonly parts: PathParts;
};

/** A page's handler, for a tenant that may be spoken to. */
export type VisitHandler = (visit: Visit) => Promise<Response>;

function chromeOf(server: ServerContext, request: Request, base: string, tenant: Tenant | null): Chrome {
  const locale = chooseLocale([], request.headers.get('accept-language'));
  return {
    brand: { name: tenant?.name ?? 'Assay', color: tenant?.people.color ?? null, logo: tenant === null || tenant.people.logo === null ? null : `${base}/logo` },
    locale, overrides: tenant?.people.messages[locale] ?? {}, base, nowMs: server.ctx.clock.now(),
  };
}

/** The same visit in the languages that its application asked for first (`ui_locales`). */
export function inLocales(visit: Visit, uiLocales: readonly string[]): Visit {
  const locale = chooseLocale(uiLocales, visit.request.headers.get('accept-language'));
  return { ...visit, browser: { ...visit.browser, locale }, chrome: { ...visit.chrome, locale, overrides: visit.tenant.people.messages[locale] ?? {} } };
}

/** Whether the server's people come by https, whatever a proxy says (UI-05). */
export function isHttps(server: ServerContext): boolean {
  return server.ctx.origin().scheme === 'https';
}

function browserOf(server: ServerContext, request: Request, arrival: Arrival, tenant: Tenant, locale: string): Browser {
  const names = cookieNames(tenant, isHttps(server));
  const header = request.headers.get('cookie');
  const own = (name: string): string | null => {
    const value = readCookie(header, name);
    return value !== null && isCookieSecret(value) ? value : null;
  };
  return { secret: own(names.browser), session: own(names.session), userAgent: request.headers.get('user-agent'), locale, from: arrival.peer };
}

/**
 * Makes an endpoint of a page: finds the tenant, and answers whatever goes wrong with a page too (UI-19).
 */
export function forPeople(server: ServerContext, layout: Layout, handler: VisitHandler): EndpointHandler {
  return async (request, arrival, slug, parts) => {
    const { requestId } = arrival.peer;
    try {
      const tenant = await resolveTenant(server.ctx.store, layout, arrival, slug);
      if (tenant === null) return await strayPage(server, request, 404, 'not_found', requestId);
      const arrived = server.ctx.limiter.arrive(tenant, arrival.peer);
      if (refusedBy(arrived) !== null) return await strayPage(server, request, 429, 'too_many_requests', requestId, limitHeaders(arrived));
      const base = tenantPrefix(layouts[layout.name], tenant.slug);
      const chrome = chromeOf(server, request, base, tenant);
      return await handler({ server, request, arrival, tenant, layout, base, chrome, parts, browser: browserOf(server, request, arrival, tenant, chrome.locale) });
    } catch (error) {
      // Logged as any failure is; the person gets a page in place of its JSON.
      const plain = answerFailure(server, error, requestId);
      await plain.body?.cancel();
      const retry = plain.headers.get('retry-after');
      return strayPage(server, request, plain.status, isStoreError(error) || plain.status === 503 ? 'unavailable' : 'server_error', requestId, retry === null ? {} : { 'Retry-After': retry });
    }
  };
}

/** An error page that belongs to no tenant. */
export function strayPage(server: ServerContext, request: Request, status: number, reason: ErrorReason, requestId: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  const chrome = chromeOf(server, request, '', null);
  return answerPage(server, chrome, requestId, { status, html: renderError(chrome, { reason, requestId, href: null }), headers });
}

/** A page of this visit. */
export function show(visit: Visit, answer: PageAnswer, cookies: CookieChange = {}): Promise<Response> {
  return answerPage(visit.server, visit.chrome, visit.arrival.peer.requestId, { ...answer, cookies: cookieHeaders(cookies, visit.tenant, isHttps(visit.server)) });
}

/** An error page of this visit's tenant (PAGE of the requirements: no `Location`). */
export function showError(visit: Visit, status: number, reason: ErrorReason, headers: Readonly<Record<string, string>> = {}, cookies: CookieChange = {}): Promise<Response> {
  const { ip, requestId } = visit.arrival.peer;
  if (reason === 'forbidden') {
    // Somebody may be trying to act with another's cookies: the one thing that this page is for (UI-09, LG-04).
    const { ctx } = visit.server;
    ctx.audit.add(auditEvent({ timeMs: ctx.clock.now(), type: 'access_refused', tenant: visit.tenant.slug, subject: 'form', ip, requestId, outcome: 'denied', reason: 'foreign_form' }));
  }
  return show(visit, { status, html: renderError(visit.chrome, { reason, requestId, href: null }), headers }, cookies);
}

/** Sends the person on: 303, so that nothing is posted again (AZ-25). */
export function redirect(visit: Visit, location: string, cookies: CookieChange = {}): Response {
  const headers = new Headers({
    Location: location, 'Cache-Control': 'no-store', Pragma: 'no-cache', 'Referrer-Policy': 'no-referrer', 'X-Content-Type-Options': 'nosniff',
    'X-Request-Id': visit.arrival.peer.requestId, ...(isHttps(visit.server) && { 'Strict-Transport-Security': 'max-age=31536000' }),
  });
  for (const cookie of cookieHeaders(cookies, visit.tenant, isHttps(visit.server))) headers.append('Set-Cookie', cookie);
  return new Response(null, { status: 303, headers });
}

/** Origin of the pages of this visit, as its browser writes it. */
export function ownOrigin({ server, arrival }: Pick<Visit, 'server' | 'arrival'>): string {
  return `${server.ctx.origin().scheme}://${arrival.host}`;
}

/** Where passkeys are good on this visit. */
export function placeOf({ server, tenant, arrival }: Visit): PasskeyPlace | NoPasskeyPlace {
  return passkeyPlace(tenant, server.ctx.origin(), arrival.host);
}

/** A posted form of a page: its values by name, the last of several. */
export type PostedForm = (name: string) => string;

/**
 * Reads a form that a page of ours sent. Foreign pages get 403 before anything is read (UI-09).
 * @param names fields that count
 */
export async function readPosted(visit: Visit, names: readonly string[]): Promise<PostedForm | Response> {
  if (!isSameOrigin(visit.request.headers, ownOrigin(visit))) return showError(visit, 403, 'forbidden');
  const body = await readFormText(visit.request, new Map());
  if (!body.ok) return showError(visit, body.fault.status, 'bad_request');
  const reading = parseForm<FormValues>(body.text, new Map(names.map((name) => [name, 'once'])));
  if (!reading.ok) return showError(visit, 400, 'bad_request');
  const { form } = reading;
  return (name) => {
    const value = form[name];
    return typeof value === 'string' ? value : '';
  };
}
