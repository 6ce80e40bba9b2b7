import type { SignedIn } from '../../core/next-step.ts';
import { renderInvitation } from '../../pages/invitation.tsx';
import type { InvitationView, Problem } from '../../pages/views.ts';
import { findSignedIn, makeCookieSecret, type CookieChange } from '../../service/sign-in/browser.ts';
import { joinOrganization, openInvitation, registerInvited, type Invited, type OpenInvitation } from '../../service/sign-in/invitation.ts';
import { openInteraction } from '../../service/sign-in/pending.ts';
import { doneQuery } from './account-done.ts';
import { csrfToken, isRightToken } from './csrf.ts';
import { statuses } from './step-pages.ts';
import { readPosted, redirect, show, showError, type PostedForm, type Visit } from './visit.ts';

const fields = ['csrf', 'step', 'name', 'password'] as const;

function pathOf({ base, parts }: Visit): string {
  return `${base}/invitation/${parts['token'] ?? ''}`;
}

/** What a form's token is about: this invitation, and whom the page spoke of (UI-21). */
function aboutOf({ invitation }: OpenInvitation, signedIn: SignedIn | null): string {
  return `invitation ${invitation.digest} ${signedIn?.session.id ?? ''}`;
}

/** The same page for every link that is good for nothing: used, expired, revoked, or never one of ours. */
function showGone(visit: Visit): Promise<Response> {
  return show(visit, { status: 400, html: renderInvitation(visit.chrome, null) });
}

type Trouble = { readonly problem: Problem; readonly retryAfterS: number | null; readonly name: string };

/** `GET …/invitation/:token`: the link of a mail. It does nothing by itself: programs follow links too. */
export async function showInvitation(visit: Visit): Promise<Response> {
  const { server: { ctx }, tenant, browser, parts } = visit;
  const signedIn = await findSignedIn(ctx, tenant, browser);
  const open = await openInvitation(ctx, tenant, parts['token'] ?? '', signedIn);
  return open === null ? showGone(visit) : draw(visit, signedIn, open, null);
}

async function draw(visit: Visit, signedIn: SignedIn | null, open: OpenInvitation, trouble: Trouble | null): Promise<Response> {
  const { server: { ctx }, browser, chrome } = visit;
  const secret = browser.secret ?? makeCookieSecret(ctx);
  const cookies: CookieChange = browser.secret === null ? { secret } : {};
  const view: InvitationView = {
    action: pathOf(visit), csrf: csrfToken(secret, aboutOf(open, signedIn)), organization: open.organization.name, email: open.invitation.email,
    problem: trouble?.problem ?? null, retryAfterS: trouble?.retryAfterS ?? null, due: viewDue(visit, signedIn, open, trouble),
  };
  const retry = trouble?.retryAfterS ?? null;
  return show(visit, {
    html: renderInvitation(chrome, view), status: trouble === null ? 200 : (statuses[trouble.problem] ?? 400),
    ...(retry !== null && { headers: { 'Retry-After': String(retry) } }),
  }, cookies);
}

function viewDue({ tenant }: Visit, signedIn: SignedIn | null, { due }: OpenInvitation, trouble: Trouble | null): InvitationView['due'] {
  if (due === 'register') return { kind: due, name: trouble?.name ?? '', minLength: tenant.people.passwords ? tenant.people.passwordMinLength : null };
  if (due === 'sign_in' || signedIn === null) return { kind: 'sign_in' };
  const { user } = signedIn;
  return { kind: due, user: { name: user.name ?? user.username, email: user.email } };
}

/** `POST` of any of its forms. */
export async function postInvitation(visit: Visit): Promise<Response> {
  const { server: { ctx }, tenant, browser, parts } = visit;
  const form = await readPosted(visit, fields);
  if (form instanceof Response) return form;
  const signedIn = await findSignedIn(ctx, tenant, browser);
  const open = await openInvitation(ctx, tenant, parts['token'] ?? '', signedIn);
  if (open === null) return showGone(visit);
  if (!isRightToken(form('csrf'), browser.secret, aboutOf(open, signedIn))) return showError(visit, 403, 'forbidden');
  const invited: Invited = { ctx, tenant, browser, signedIn, open };
  switch (form('step')) {
    case 'join':
      return await joinOrganization(invited) ? welcome(visit, {}) : redirect(visit, pathOf(visit));
    case 'register':
      return register(visit, invited, form);
    case 'sign_in':
    case 'switch':
      return signInFirst(visit, form('step') === 'switch');
    default:
      return showError(visit, 400, 'bad_request');
  }
}

async function register(visit: Visit, invited: Invited, form: PostedForm): Promise<Response> {
  const outcome = await registerInvited(invited, { name: form('name'), password: form('password') });
  if (outcome === 'stale') return redirect(visit, pathOf(visit));
  return outcome.ok ? welcome(visit, outcome.cookies) : draw(visit, invited.signedIn, invited.open, { ...outcome, name: form('name') });
}

/** On to their account, which shows where they belong. */
function welcome(visit: Visit, cookies: CookieChange): Response {
  const secret = cookies.session ?? visit.browser.session ?? '';
  return redirect(visit, `${visit.base}/account${doneQuery(secret, 'organization_joined', visit.server.ctx.clock.now())}`, cookies);
}

/** Away to sign in; back to the invitation afterwards. @param another as somebody else than who is signed in */
async function signInFirst(visit: Visit, another: boolean): Promise<Response> {
  const { server: { ctx }, tenant, browser, parts } = visit;
  const opened = await openInteraction(ctx, tenant, browser, { request: null, section: null, freshSinceMs: null, invitation: parts['token'] ?? '', another });
  if (opened.kind === 'too_many') return showError(visit, 429, 'too_many_requests');
  return redirect(visit, `${visit.base}/sign-in/${opened.id}`, opened.cookies);
}
