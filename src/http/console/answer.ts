import { pageHeaders } from '../page-headers.ts';
import { redirect, type Visit } from '../people/visit.ts';
import { csrfToken } from '../people/csrf.ts';
import { version } from '../../version.ts';
import { consoleLocale, type ActionLink, type Badge, type Crumb, type Flash, type Frame } from '../../pages/admin/views.ts';
import { consoleAssets } from './assets.ts';
import type { ConsoleCall } from './call.ts';
import { flashQuery, readFlash } from './flash.ts';
import { navigationOf, switcherOf } from './navigation.ts';
import { CONSOLE, tenantPath } from './paths.ts';

/** What every form of the console carries a token of; forms of other pages carry another. */
export const consoleForm = 'console';

/** Token for the forms of this session. */
export function formToken({ browser }: Visit): string {
  return csrfToken(browser.session ?? '', consoleForm);
}

/** Nothing but our own style, script and picture; and requests of that script to us. */
const headers = pageHeaders(['style-src \'self\'', 'img-src data:', 'script-src \'self\'', 'connect-src \'self\''], ['\'self\'']);

/** A page of the console, which nobody may keep, frame or load anything into (UI-01, UI-02). */
export function answerHtml(visit: Pick<Visit, 'server' | 'arrival'>, html: string, status = 200, more: Readonly<Record<string, string>> = {}): Response {
  return new Response(html, { status, headers: {
    ...headers, 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-store', Pragma: 'no-cache', 'X-Content-Type-Options': 'nosniff',
    'Content-Language': consoleLocale, Vary: 'Cookie', 'X-Request-Id': visit.arrival.peer.requestId,
    ...(visit.server.ctx.origin().scheme === 'https' && { 'Strict-Transport-Security': 'max-age=31536000' }), ...more,
  } });
}

/** What is special about one page's frame. */
export type FrameParts = {
  readonly title: string;
  readonly explain?: string;
  readonly state?: Badge | null;
  /** Between the tenant, or the beginning, and the page itself. */
  readonly crumbs?: readonly Crumb[];
  readonly actions?: readonly ActionLink[];
  readonly problem?: string | null;
  readonly search?: string;
};

/** The frame of a page, with everything around it as it is now. @throws StoreError */
export async function frameOf(call: ConsoleCall, parts: FrameParts): Promise<Frame> {
  const { visit, signedIn, query, within } = call;
  const nowMs = call.ctx.clock.now();
  const { user } = signedIn;
  const home: readonly Crumb[] = within === null
    ? (call.path === CONSOLE ? [] : [{ text: 'Console', href: CONSOLE }])
    : [{ text: 'Console', href: CONSOLE }, { text: within.name, href: tenantPath(within.slug) }];
  const whole = [...home, ...(parts.crumbs ?? [])].filter(({ href }) => href !== call.path);
  return {
    title: parts.title, explain: parts.explain ?? null, state: parts.state ?? null,
    crumbs: whole.length === 0 ? [] : [...whole, { text: parts.title, href: null }],
    nav: navigationOf(call), switcher: await switcherOf(call),
    person: { name: user.name ?? user.username, accountHref: '/account' }, csrf: formToken(visit),
    flash: readFlash(query, visit.browser.session ?? '', nowMs), problem: parts.problem ?? null, actions: parts.actions ?? [],
    assets: consoleAssets, version, nowMs, search: parts.search ?? '',
  };
}

/** On to another page, which says what was done: 303, so that nothing is posted again. */
export function goOn({ visit, ctx }: ConsoleCall, path: string, said: Flash | null): Response {
  return redirect(visit, said === null ? path : `${path}${flashQuery(visit.browser.session ?? '', said, ctx.clock.now())}`);
}
