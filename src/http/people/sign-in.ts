import { redirectSource } from '../../core/redirect-uri.ts';
import { renderMagicLink } from '../../pages/endings.tsx';
import { acts, findLink, views, type ActOutcome, type View } from '../../service/sign-in/acts.ts';
import type { CookieChange } from '../../service/sign-in/browser.ts';
import { findPending, invitationOf, progressTo, type Pending } from '../../service/sign-in/pending.ts';
import { turnOf, type Turn } from '../../service/sign-in/turn.ts';
import { returnPath } from '../console/paths.ts';
import { csrfToken, isRightToken } from './csrf.ts';
import { returnToClient } from './return-answer.ts';
import { clientView, drawStep, type Trouble } from './step-pages.ts';
import { inLocales, ownOrigin, placeOf, readPosted, redirect, show, showError, type PostedForm, type Visit } from './visit.ts';

const fields = ['csrf', 'step', 'failure', 'username', 'password', 'again', 'code', 'credential', 'email', 'name', 'decision', 'org', 'token'] as const;

/** The view that a path names; undefined: there is none of that name. */
function viewOf({ parts }: Visit): View | null | undefined {
  const name = parts['view'];
  return name === undefined ? null : views.find((view) => view === name);
}

function pathOf(visit: Visit): string {
  return `${visit.base}/sign-in/${visit.parts['interaction'] ?? ''}`;
}

/** `GET …/sign-in/:interaction` and its views: whatever is due now, so that reloading and going back are harmless. */
export async function showSignIn(arrived: Visit): Promise<Response> {
  const { ctx } = arrived.server;
  const view = viewOf(arrived);
  if (view === undefined) return showError(arrived, 404, 'not_found');
  const reading = await findPending(ctx, arrived.tenant, arrived.parts['interaction'] ?? '', arrived.browser);
  if (!reading.ok) return showError(arrived, 400, reading.reason);
  const visit = inLocales(arrived, reading.pending.interaction.request?.uiLocales ?? []);
  return answerTurn(visit, reading.pending, await turnOf(ctx, visit.tenant, reading.pending), view, null, {});
}

/** `POST` of any of its forms. */
export async function postSignIn(arrived: Visit): Promise<Response> {
  const view = viewOf(arrived);
  if (view === undefined) return showError(arrived, 404, 'not_found');
  return takeForm(arrived, view);
}

/** `GET …/sign-in/:interaction/link/:token`: a link from a mail. It does nothing by itself: programs follow links too. */
export async function showLink(visit: Visit): Promise<Response> {
  const { server, tenant, parts, browser, chrome } = visit;
  const reading = await findPending(server.ctx, tenant, parts['interaction'] ?? '', browser);
  if (!reading.ok && reading.reason !== 'other_browser') return showError(visit, 400, reading.reason);
  if (!reading.ok) return show(visit, { html: renderMagicLink(chrome, null) });
  const { pending } = reading;
  const token = parts['token'] ?? '';
  const purpose = await findLink(server.ctx, tenant, pending, token);
  if (purpose === null) return showError(visit, 400, 'request_expired');
  const { redirectUri } = pending.interaction.request ?? { redirectUri: null };
  const client = pending.client === null || redirectUri === null ? null : clientView(pending.client, redirectUri);
  const source = redirectUri === null ? null : redirectSource(redirectUri);
  return show(visit, {
    html: renderMagicLink(chrome, { action: `${pathOf(visit)}/link/${token}`, csrf: csrfToken(browser.secret ?? '', pending.id), purpose, client }),
    // Where nothing else is to be asked, the form's answer leads to the client at once.
    formTargets: source === null ? [] : [source],
  });
}

/** `POST` of that page's one form. */
export async function postLink(visit: Visit): Promise<Response> {
  return takeForm(visit, null);
}

async function takeForm(arrived: Visit, view: View | null): Promise<Response> {
  const { server, tenant, browser, parts } = arrived;
  const { ctx } = server;
  const posted = await readPosted(arrived, fields);
  if (posted instanceof Response) return posted;
  if (!isRightToken(posted('csrf'), browser.secret, parts['interaction'] ?? '')) return showError(arrived, 403, 'forbidden');
  const reading = await findPending(ctx, tenant, parts['interaction'] ?? '', browser);
  if (!reading.ok) return showError(arrived, 400, reading.reason);
  const { pending } = reading;
  const visit = inLocales(arrived, pending.interaction.request?.uiLocales ?? []);
  const act = acts.get(posted('step'));
  if (act === undefined) return showError(visit, 400, 'bad_request');
  const place = placeOf(visit);
  // The token of a link is part of its path, so that no form can name another.
  const form: PostedForm = (name) => (name === 'token' ? (parts['token'] ?? '') : posted(name));
  const outcome = await act({ ctx, tenant, pending: { ...pending, browser: visit.browser }, view, form, place: place.ok ? place : null, url: `${ownOrigin(visit)}${pathOf(visit)}`, atMs: ctx.clock.now() });
  return answerAct(visit, pending, outcome, view, form);
}

async function answerAct(visit: Visit, pending: Pending, outcome: ActOutcome, view: View | null, form: PostedForm): Promise<Response> {
  const { ctx } = visit.server;
  switch (outcome.kind) {
    case 'turn':
      return answerTurn(visit, pending, outcome.turn, null, null, outcome.cookies, true);
    case 'go':
      return redirect(visit, outcome.view === null ? pathOf(visit) : `${pathOf(visit)}/${outcome.view}`, outcome.cookies);
    case 'again':
      return answerTurn(visit, pending, await turnOf(ctx, visit.tenant, pending), view, { ...outcome, form }, {});
    case 'stale':
      return redirect(visit, pathOf(visit));
  }
}

/**
 * What a person gets now.
 * @param posted whether a form led here: then a page is had by redirect, so that reloading posts nothing again
 */
async function answerTurn(
  visit: Visit, pending: Pending, turn: Turn, view: View | null, trouble: Trouble | null, cookies: CookieChange, posted = false,
): Promise<Response> {
  switch (turn.kind) {
    case 'page':
      return showError(visit, 400, turn.reason, {}, cookies);
    case 'return':
      return returnToClient(visit, turn.address, turn.fields, cookies);
    case 'account': {
      const invitation = invitationOf(pending);
      if (invitation !== null) return redirect(visit, `${visit.base}/invitation/${invitation}`, cookies);
      return redirect(visit, returnPath(turn.section) ?? `${visit.base}/account${turn.section === null ? '' : `/${turn.section}`}`, cookies);
    }
    case 'show': {
      if (posted) return redirect(visit, pathOf(visit), cookies);
      const held = await holdPerson(visit, pending, turn);
      if (held === null) return redirect(visit, pathOf(visit), cookies);
      const page = await drawStep(visit, held, turn.step, view, trouble);
      return page === null ? redirect(visit, pathOf(visit), cookies) : show(visit, page, cookies);
    }
  }
}

/** A page that speaks of a signed-in person goes with that one only: whoever signs in meanwhile voids it (UI-21). */
async function holdPerson({ server }: Visit, pending: Pending, turn: Extract<Turn, { kind: 'show' }>): Promise<Pending | null> {
  const { step } = turn.step;
  const { signedIn, interaction } = pending;
  if ((step !== 'consent' && step !== 'choose') || signedIn === null || interaction.progress.sessionId !== null) return pending;
  return progressTo(server.ctx, pending, { sessionId: signedIn.session.id });
}
