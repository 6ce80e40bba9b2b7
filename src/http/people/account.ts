import type { SignedIn } from '../../core/next-step.ts';
import { renderAccount } from '../../pages/account.tsx';
import { renderLoggedOut } from '../../pages/endings.tsx';
import { accountActs, actOnAccount } from '../../service/account/acts.ts';
import { exportData } from '../../service/account/data.ts';
import { isRecent, type AccountOutcome, type Section } from '../../service/account/outcome.ts';
import { findSignedIn, personOf, type CookieChange } from '../../service/sign-in/browser.ts';
import { openInteraction } from '../../service/sign-in/pending.ts';
import { doneQuery, readDone } from './account-done.ts';
import { FORM, noNews, viewSection, type News } from './account-view.ts';
import { isRightToken } from './csrf.ts';
import { statuses } from './step-pages.ts';
import { placeOf, readPosted, redirect, show, showError, type Visit } from './visit.ts';

const fields = ['csrf', 'act', 'name', 'email', 'code', 'current', 'password', 'again', 'everywhere', 'credential', 'id', 'username'] as const;

/** Sections with a path of their own; the overview is the account page itself. */
const sectionPaths = ['security', 'sessions', 'applications', 'data'] as const;

function pathOf({ base }: Visit, section: Section): string {
  return section === 'overview' ? `${base}/account` : `${base}/account/${section}`;
}

/** `GET …/account` and its sections. Shown to who is signed in; others sign in first and come back. */
export async function showAccount(visit: Visit): Promise<Response> {
  const { server: { ctx }, tenant, browser, parts, request } = visit;
  const name = parts['section'];
  const section = name === undefined ? 'overview' : sectionPaths.find((known) => known === name);
  if (section === undefined) return showError(visit, 404, 'not_found');
  const signedIn = await findSignedIn(ctx, tenant, browser);
  if (signedIn === null) return signInFirst(visit, section, null);
  return drawAccount(visit, signedIn, section, { ...noNews, done: readDone(request.url, browser.session ?? '', ctx.clock.now()) });
}

/** `POST …/account`: every form of every section. */
export async function postAccount(visit: Visit): Promise<Response> {
  const { server: { ctx }, tenant, browser } = visit;
  const form = await readPosted(visit, fields);
  if (form instanceof Response) return form;
  const act = accountActs.get(form('act'));
  // Who has no session any more has nothing to protect, and signs in.
  if (browser.session !== null && !isRightToken(form('csrf'), browser.session, FORM)) return showError(visit, 403, 'forbidden');
  if (act === undefined) return showError(visit, 400, 'bad_request');
  const signedIn = await findSignedIn(ctx, tenant, browser);
  if (signedIn === null) return signInFirst(visit, act.section, null);
  const place = placeOf(visit);
  const outcome = await actOnAccount({ ctx, tenant, signedIn, browser, form, place: place.ok ? place : null }, act);
  return answerAct(visit, signedIn, act.section, outcome);
}

async function answerAct(visit: Visit, signedIn: SignedIn, section: Section, outcome: AccountOutcome): Promise<Response> {
  const { server: { ctx }, browser } = visit;
  switch (outcome.kind) {
    case 'done': {
      const { done, cookies } = outcome;
      const query = done === null ? '' : doneQuery(cookies.session ?? browser.session ?? '', done, ctx.clock.now());
      return redirect(visit, `${pathOf(visit, section)}${query}`, cookies);
    }
    case 'again':
      return drawAccount(visit, signedIn, section, { ...noNews, problem: outcome.problem, retryAfterS: outcome.retryAfterS });
    case 'codes':
      // In the answer itself: a page that they could be had from again would have to keep them.
      return drawAccount(visit, signedIn, section, { ...noNews, done: outcome.done, codes: outcome.codes }, outcome.cookies);
    case 'prove':
      return signInFirst(visit, section, ctx.clock.now());
    case 'refused':
      return showError(visit, 400, 'bad_request');
    case 'bye':
      return show(visit, { html: renderLoggedOut(visit.chrome, { href: null, client: null }) }, { session: null });
  }
}

/** A section as it is now. */
async function drawAccount(visit: Visit, signedIn: SignedIn, section: Section, news: News, cookies: CookieChange = {}): Promise<Response> {
  const view = await viewSection(visit, signedIn, section, cookies.session ?? visit.browser.session ?? '', news);
  return show(visit, {
    html: renderAccount(visit.chrome, view), status: news.problem === null ? 200 : (statuses[news.problem] ?? 400),
    scripts: view.section === 'security' && view.passkeyOptions !== null, ...(news.retryAfterS !== null && { headers: { 'Retry-After': String(news.retryAfterS) } }),
  }, cookies);
}

/** Away to sign in; back to the section afterwards. @param freshSinceMs since when they must have proven who they are; null: any session does */
async function signInFirst(visit: Visit, section: Section, freshSinceMs: number | null): Promise<Response> {
  const { server: { ctx }, tenant, browser } = visit;
  const opened = await openInteraction(ctx, tenant, browser, { request: null, section: section === 'overview' ? null : section, freshSinceMs });
  if (opened.kind === 'too_many') return showError(visit, 429, 'too_many_requests');
  return redirect(visit, `${visit.base}/sign-in/${opened.id}`, opened.cookies);
}

/** `GET …/account/data.json`: what is kept about the person, for who proved lately that it is they. */
export async function downloadData(visit: Visit): Promise<Response> {
  const { server: { ctx, respond }, tenant, browser, arrival } = visit;
  const signedIn = await findSignedIn(ctx, tenant, browser);
  const nowMs = ctx.clock.now();
  if (signedIn === null || !isRecent(signedIn.session, nowMs)) return signInFirst(visit, 'data', signedIn === null ? null : nowMs);
  const data = await exportData(ctx, personOf(tenant, browser), signedIn);
  if (!data.ok) return showError(visit, 429, 'too_many_requests', { 'Retry-After': String(Math.ceil(data.retryAfterMs / 1000)) });
  return respond.json(200, data.json, arrival.peer.requestId, { 'Content-Disposition': 'attachment; filename="account.json"', 'Referrer-Policy': 'no-referrer' });
}
