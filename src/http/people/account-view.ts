import type { SignedIn } from '../../core/next-step.ts';
import type { Problem } from '../../core/people-words.ts';
import type { AccountFrame, AccountView, ApplicationView, SecurityView, SessionView } from '../../pages/views.ts';
import { listAccess, listSessions } from '../../service/account/access.ts';
import { organizationsOf } from '../../service/account/data.ts';
import { boundTo, isRecent, type Done, type Section } from '../../service/account/outcome.ts';
import { awaitedCode } from '../../service/account/profile.ts';
import { passkeyCreationOptions } from '../../service/credentials/passkeys.ts';
import { currentEnrolment, secondFactors } from '../../service/credentials/second-factor.ts';
import { isLastWay } from '../../service/credentials/ways.ts';
import { csrfToken } from './csrf.ts';
import { clientView, scopeViews } from './step-pages.ts';
import { placeOf, type Visit } from './visit.ts';

/** What a form's token is about: any form of the account page. */
export const FORM = 'account';

/** What a section says beside what there is. */
export type News = { readonly done: Done | null; readonly problem: Problem | null; readonly retryAfterS: number | null; readonly codes: readonly string[] | null };

export const noNews: News = { done: null, problem: null, retryAfterS: null, codes: null };

/**
 * Gathers what a section shows. Nothing is changed by it but, where somebody may add a passkey, a challenge that waits.
 * @param secret value of the session's cookie, as it is after this answer
 * @throws StoreError, UnsealError
 */
export async function viewSection(visit: Visit, signedIn: SignedIn, section: Section, secret: string, news: News): Promise<AccountView> {
  const { server: { ctx }, tenant } = visit;
  const { user } = signedIn;
  const orgs = section === 'overview' ? await organizationsOf(ctx, tenant, user) : [];
  const frame: Omit<AccountFrame, 'section'> = {
    user: { username: user.username, name: user.name, email: user.email, emailVerified: user.emailVerified },
    csrf: csrfToken(secret, FORM), done: news.done, problem: news.problem, retryAfterS: news.retryAfterS, orgs: orgs.map(({ name, roles }) => ({ name, roles })),
  };
  switch (section) {
    case 'overview':
      return { ...frame, section, done: await doneOrAwaited(visit, signedIn, news) };
    case 'security':
      return viewSecurity(visit, signedIn, frame, news.codes);
    case 'sessions':
      return { ...frame, section, sessions: await viewSessions(visit, signedIn) };
    case 'applications':
      return { ...frame, section, applications: await viewApplications(visit, signedIn) };
    case 'data':
      return { ...frame, section };
  }
}

/**
 * While a code is awaited the page says so, and has its field. The address that it went to is not shown: where that is
 * another account's, nobody must be able to tell (UI-12).
 */
async function doneOrAwaited({ server: { ctx }, tenant }: Visit, { session }: SignedIn, { done, problem }: News): Promise<Done | null> {
  const awaited = done === null && problem !== 'wrong_code' ? await awaitedCode(ctx, tenant, session) : null;
  return awaited === null ? done : awaited === 'change_email' ? 'email_sent' : 'code_sent';
}

async function viewSecurity(visit: Visit, { user, session }: SignedIn, frame: Omit<AccountFrame, 'section'>, codes: readonly string[] | null): Promise<SecurityView> {
  const { server: { ctx }, tenant } = visit;
  const { people } = tenant;
  const place = placeOf(visit);
  const password = people.passwords ? await ctx.store.findPassword(tenant.id, user.id) : null;
  const factors = await secondFactors(ctx, tenant, user.id);
  // Whoever has the session but proved nothing of late does not get to see a secret that may soon count.
  const enrolment = isRecent(session, ctx.clock.now()) ? await currentEnrolment(ctx, tenant, user) : null;
  return {
    ...frame, section: 'security', passwords: people.passwords, passwordRemovable: !(await isLastWay(ctx, tenant, user, 'password')), hasPassword: password !== null, passwordChangedAtMs: password?.changedAtMs ?? null, minLength: people.passwordMinLength,
    passkeys: (await ctx.store.listPasskeys(tenant.id, user.id)).map(({ id, name, createdAtMs, lastUsedAtMs, synced }) => ({ id, name, createdAtMs, lastUsedAtMs, synced })),
    passkeyOptions: people.passkeys && place.ok ? await passkeyCreationOptions(ctx, tenant, place, boundTo(session), user) : null,
    passkeyNotice: people.passkeys && !place.ok ? place.notice : null,
    totp: factors.totp ? 'on' : enrolment === null ? 'off' : { enrolment },
    recoveryCodesLeft: factors.recoveryCodes, newRecoveryCodes: codes,
  };
}

async function viewSessions({ server: { ctx }, tenant }: Visit, { user, session: own }: SignedIn): Promise<readonly SessionView[]> {
  const views: SessionView[] = [];
  for (const { session, clientIds, device } of await listSessions(ctx, tenant, user)) {
    const apps = [];
    for (const id of clientIds) apps.push((await ctx.store.findClient(tenant.id, id))?.name ?? id);
    views.push({
      id: session.id, current: session.id === own.id, device, ip: session.ip, startedAtMs: session.createdAtMs,
      lastSeenAtMs: session.lastSeenAtMs, apps,
    });
  }
  return [...views.filter(({ current }) => current), ...views.filter(({ current }) => !current)];
}

async function viewApplications({ server: { ctx }, tenant }: Visit, { user }: SignedIn): Promise<readonly ApplicationView[]> {
  return (await listAccess(ctx, tenant, user)).map(({ clientId, client, scopes, ...access }) => ({
    id: clientId, client: client === null ? { name: clientId, host: clientId, unverified: false } : clientView(client, null), scopes: scopeViews(scopes, []),
    resources: access.resources, orgs: access.orgs, allowedAtMs: access.allowedAtMs, lastUsedAtMs: access.lastUsedAtMs,
  }));
}
