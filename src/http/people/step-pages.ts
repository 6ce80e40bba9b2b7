import type { AuthorizationRequest } from '../../core/authorization-request.ts';
import type { Client } from '../../core/model.ts';
import type { NextStep } from '../../core/next-step.ts';
import { redirectHost, redirectSource } from '../../core/redirect-uri.ts';
import { renderEmailCode, renderRecovery, renderTotp } from '../../pages/codes.tsx';
import { renderConsent } from '../../pages/consent.tsx';
import { renderForgot, renderNewPassword, renderRegister } from '../../pages/enrol.tsx';
import { renderChooser, renderSignIn } from '../../pages/sign-in.tsx';
import type { ClientView, Problem, ScopeView, StepView } from '../../pages/views.ts';
import { passkeySignInOptions } from '../../service/credentials/passkeys.ts';
import { secondFactors } from '../../service/credentials/second-factor.ts';
import { identityScopes } from '../../spec/names.ts';
import type { StepForm, View } from '../../service/sign-in/acts.ts';
import type { Pending } from '../../service/sign-in/pending.ts';
import { csrfToken } from './csrf.ts';
import type { PageAnswer } from './page.ts';
import { placeOf, type Visit } from './visit.ts';

/** What was wrong with the form that a page is shown again for, and what it held. */
export type Trouble = { readonly problem: Problem; readonly retryAfterS: number | null; readonly form: StepForm };

/** Statuses of a page that is shown again; all failures of a sign-in look the same (UI-12). */
export const statuses: Partial<Record<Problem, number>> = { too_many_attempts: 429, busy: 503 };

/** How a client is shown. */
export function clientView(client: Client, redirectUri: string | null): ClientView {
  const uri = redirectUri ?? client.redirectUris[0];
  return { name: client.name, host: uri === undefined ? client.id : redirectHost(uri), unverified: client.selfRegistered };
}

/** How scopes are shown. @param missing those that are new */
export function scopeViews(scopes: readonly string[], missing: readonly string[]): readonly ScopeView[] {
  return scopes.map((scope) => ({ scope, key: wordedScope(scope), known: !missing.includes(scope) }));
}

/** Scopes that speak of people have words of ours. */
function wordedScope(scope: string): ScopeView['key'] {
  return identityScopes.find((name) => name === scope) ?? null;
}

type Drawing = { readonly visit: Visit; readonly pending: Pending; readonly path: string; readonly trouble: Trouble | null; readonly step: StepView };

/** The page of a pending request's step, or of the view that its person went to. @throws StoreError */
export async function drawStep(visit: Visit, pending: Pending, next: NextStep, view: View | null, trouble: Trouble | null): Promise<PageAnswer | null> {
  const path = `${visit.base}/sign-in/${pending.id}`;
  const { request } = pending.interaction;
  const step: StepView = {
    action: view === null ? path : `${path}/${view}`, csrf: csrfToken(visit.browser.secret ?? '', pending.id),
    client: pending.client === null || request === null ? null : clientView(pending.client, request.redirectUri),
    problem: trouble?.problem ?? null, retryAfterS: trouble?.retryAfterS ?? null, cancellable: request !== null,
  };
  const drawing: Drawing = { visit, pending, path, trouble, step };
  const page = await drawPage(drawing, next, view);
  if (page === null) return null;
  const source = request === null ? null : redirectSource(request.redirectUri);
  const retry = trouble?.retryAfterS ?? null;
  return {
    ...page, status: trouble === null ? 200 : (statuses[trouble.problem] ?? 400),
    // A form's answer may redirect to the client, which browsers hold to the page's policy too.
    formTargets: source === null ? [] : [source], ...(retry !== null && { headers: { 'Retry-After': String(retry) } }),
  };
}

async function drawPage(drawing: Drawing, next: NextStep, view: View | null): Promise<PageAnswer | null> {
  switch (next.step) {
    case 'sign_in':
      return view === null ? drawSignIn(drawing, next.reason) : drawView(drawing, view);
    case 'second_factor':
      return drawSecondFactor(drawing, view);
    case 'new_password':
    case 'reset':
      return view === null ? drawNewPassword(drawing, next.step === 'reset' ? 'reset' : 'forced') : null;
    case 'choose':
      return view === null ? drawChooser(drawing) : null;
    case 'consent':
      return view === null ? drawConsent(drawing, next) : null;
    default:
      return null;
  }
}

/** The first page: every way in that the tenant offers, and that works at this address. */
async function drawSignIn({ visit, pending, path, trouble, step }: Drawing, reason: 'reauthenticate' | 'step_up' | null): Promise<PageAnswer> {
  const { server, tenant, chrome } = visit;
  const { people } = tenant;
  const place = placeOf(visit);
  const known = reason === null ? null : (pending.signedIn?.user.username ?? null);
  const passkeyOptions = people.passkeys && place.ok ? await passkeySignInOptions(server.ctx, tenant, place, pending.interaction.digest, visit.browser.from) : null;
  const html = renderSignIn(chrome, {
    ...step, username: trouble?.form('username') ?? pending.interaction.request?.loginHint ?? known ?? '',
    password: people.passwords, emailCode: people.emailCodes, passkeyOptions, passkeyNotice: people.passkeys && !place.ok ? place.notice : null,
    registerHref: people.registration && reason === null ? `${path}/register` : null, forgotHref: people.passwords ? `${path}/forgot` : null,
    reason, fixedUser: known,
  });
  return { html, scripts: passkeyOptions !== null };
}

async function drawView({ visit, pending, path, trouble, step }: Drawing, view: View): Promise<PageAnswer | null> {
  const { tenant, chrome } = visit;
  const { people } = tenant;
  const typed = (name: string): string => trouble?.form(name) ?? '';
  switch (view) {
    case 'email':
      return people.emailCodes ? { html: renderEmailCode(chrome, { ...step, purpose: 'sign_in', againHref: null, signInHref: path }) } : null;
    case 'confirm':
      return people.registration ? { html: renderEmailCode(chrome, { ...step, purpose: 'register', againHref: `${path}/register`, signInHref: path }) } : null;
    case 'reset':
      return people.passwords ? { html: renderEmailCode(chrome, { ...step, purpose: 'reset', againHref: `${path}/forgot`, signInHref: path }) } : null;
    case 'register':
      return people.registration
        ? { html: renderRegister(chrome, { ...step, email: typed('email'), name: typed('name'), minLength: people.passwords ? people.passwordMinLength : null, signInHref: path }) }
        : null;
    case 'forgot':
      return people.passwords
        ? { html: renderForgot(chrome, { ...step, username: trouble === null ? (pending.interaction.request?.loginHint ?? '') : typed('username'), signInHref: path }) }
        : null;
    case 'recovery':
      return null;
  }
}

async function drawSecondFactor({ visit, pending, path, step }: Drawing, view: View | null): Promise<PageAnswer | null> {
  const { server, tenant, chrome } = visit;
  const userId = pending.interaction.progress.pending?.userId;
  const factors = userId === undefined ? null : await secondFactors(server.ctx, tenant, userId);
  if (view === 'recovery') return { html: renderRecovery(chrome, { ...step, totpHref: path }) };
  return view === null ? { html: renderTotp(chrome, { ...step, recoveryHref: (factors?.recoveryCodes ?? 0) > 0 ? `${path}/recovery` : null }) } : null;
}

async function drawNewPassword({ visit, pending, step }: Drawing, reason: 'reset' | 'forced'): Promise<PageAnswer> {
  const { server, tenant, chrome } = visit;
  const userId = pending.interaction.progress.pending?.userId;
  const user = userId === undefined ? null : await server.ctx.store.findUser(tenant.id, userId);
  return { html: renderNewPassword(chrome, { ...step, reason, username: user?.username ?? '', minLength: tenant.people.passwordMinLength }) };
}

async function drawChooser({ visit, pending, step }: Drawing): Promise<PageAnswer | null> {
  const user = pending.signedIn?.user;
  return user === undefined ? null : { html: renderChooser(visit.chrome, { ...step, name: user.name ?? user.username, email: user.email }) };
}

async function drawConsent({ visit, pending, step }: Drawing, next: Extract<NextStep, { step: 'consent' }>): Promise<PageAnswer | null> {
  const { server, tenant, chrome } = visit;
  const { request } = pending.interaction;
  const { client, signedIn } = pending;
  if (request === null || client === null || signedIn === null) return null;
  const { user } = signedIn;
  const memberships = await server.ctx.store.listMemberships(tenant.id, { userId: user.id });
  const orgs = [];
  for (const { orgId } of memberships) {
    const org = await server.ctx.store.findOrganization(tenant.id, orgId);
    orgs.push({ id: orgId, name: org?.name ?? orgId, chosen: orgId === (next.orgId ?? memberships[0]?.orgId) });
  }
  return {
    html: renderConsent(chrome, {
      ...step, client: clientView(client, request.redirectUri), user: { name: user.name ?? user.username, email: user.email },
      scopes: scopeViews(request.scopes, next.missing), resources: request.resources, orgs, lifetimeS: consentLifetime(request, client, tenant.refreshTokenTtl),
    }),
  };
}

/** How long the application can go on without the person; null: until they sign out. */
function consentLifetime(request: AuthorizationRequest, client: Client, tenantTtl: number): number | null {
  const offline = client.grants.includes('refresh_token') && request.scopes.includes('offline_access');
  return offline ? (client.refreshTokenTtl ?? tenantTtl) : null;
}
