import { joinAmr } from '../../core/acr.ts';
import type { Tenant, User } from '../../core/model.ts';
import type { Amr, Progress, Proof, ProofStanding } from '../../core/people.ts';
import type { Problem } from '../../core/people-words.ts';
import type { Context } from '../context.ts';
import { checkCode, checkLink, openLink, sendCode } from '../credentials/mail-codes.ts';
import { failed, isLive, type Failed, type Person, type Proven } from '../credentials/outcome.ts';
import { changePassword, checkPassword, findPerson } from '../credentials/password.ts';
import type { RelyingParty } from '../../credentials/passkeys.ts';
import { checkPasskey } from '../credentials/passkeys.ts';
import { beginRegistration, finishRegistration } from '../credentials/registration.ts';
import { beginReset, finishReset } from '../credentials/reset.ts';
import { checkRecoveryCode, checkTotp } from '../credentials/second-factor.ts';
import { personOf, type CookieChange } from './browser.ts';
import { goOnAs } from './finish.ts';
import { progressTo, type Pending } from './pending.ts';
import { consideredOf, giveUp, stepOf, turnOf, type Turn } from './turn.ts';

/** Pages of a pending request beside its main one. */
export const views = ['email', 'recovery', 'register', 'confirm', 'forgot', 'reset'] as const;
export type View = (typeof views)[number];

/** What a form held; what it did not is empty. */
export type StepForm = (name: string) => string;

/** What came of a form. */
export type ActOutcome =
  | { readonly kind: 'turn'; readonly turn: Turn; readonly cookies: CookieChange }
  /** On to another page of the request; null: its main one. */
  | { readonly kind: 'go'; readonly view: View | null; readonly cookies: CookieChange }
  /** The same page again, with what is wrong. */
  | { readonly kind: 'again'; readonly problem: Problem; readonly retryAfterS: number | null }
  /** Not a form of the page that is due: shows that one. */
  | { readonly kind: 'stale' };

/** A form that somebody sent, with everything that it is about. */
export type Acting = {
  readonly ctx: Context;
  readonly tenant: Tenant;
  readonly pending: Pending;
  /** The page that the form was on. */
  readonly view: View | null;
  readonly form: StepForm;
  /** Where passkeys are good; null: not here. */
  readonly place: RelyingParty | null;
  /** Address of this request's pages, for links in mails. */
  readonly url: string;
  /** When the form arrived, milliseconds: what it proves stands since then. */
  readonly atMs: number;
};

type Act = (acting: Acting) => Promise<ActOutcome>;

const stale: ActOutcome = { kind: 'stale' };
const go = (view: View | null): ActOutcome => ({ kind: 'go', view, cookies: {} });
const again = ({ problem, retryAfterS }: Failed): ActOutcome => ({ kind: 'again', problem, retryAfterS });
const who = ({ tenant, pending }: Acting): Person => personOf(tenant, pending.browser);

/** Acts by the name that their form carries as `step`. What a tenant does not offer is not there. */
export const acts: ReadonlyMap<string, Act> = new Map<string, Act>([
  ['password', (acting) => firstFactor(acting, acting.tenant.people.passwords, () =>
    checkPassword(acting.ctx, who(acting), acting.form('username'), acting.form('password')))],
  ['passkey', (acting) => {
    const { ctx, place, pending, form } = acting;
    return firstFactor(acting, place !== null && acting.tenant.people.passkeys, async () =>
      (place === null ? failed('passkey_failed') : checkPasskey(ctx, who(acting), place, pending.interaction.digest, form('credential'))));
  }],
  ['email', sendSignInCode],
  ['resend', sendAgain],
  ['code', enterCode],
  ['link', followLink],
  ['totp', (acting) => secondFactor(acting, (user) => checkTotp(acting.ctx, who(acting), user, acting.form('code')))],
  ['recovery', (acting) => secondFactor(acting, (user) => checkRecoveryCode(acting.ctx, who(acting), user, acting.form('code')))],
  ['register', register],
  ['forgot', forgot],
  ['new_password', newPassword],
  ['continue', goOnAsSignedIn],
  ['other', signInAsAnother],
  ['consent', consent],
  ['cancel', cancel],
]);

/** Whether a form's page is the one that is due. */
async function isDue({ ctx, tenant, pending }: Acting, steps: readonly string[]): Promise<boolean> {
  return steps.includes((await stepOf(ctx, tenant, pending)).step);
}

async function firstFactor(acting: Acting, offered: boolean, prove: () => Promise<Proven>): Promise<ActOutcome> {
  if (!offered || !(await isDue(acting, ['sign_in']))) return stale;
  const proven = await prove();
  return proven.ok ? goOn(acting, proven.user, proven.amr, { sinceMs: acting.atMs, passwordChangedAtMs: proven.passwordChangedAtMs }) : again(proven);
}

/** A factor was proven: session, second factor or new password, whatever is next. */
async function goOn(acting: Acting, user: User, amr: readonly Amr[], standing: ProofStanding): Promise<ActOutcome> {
  const { ctx, tenant, pending } = acting;
  const proved = await goOnAs(ctx, tenant, pending, user, amr, standing);
  if (proved === null) return stale;
  return { kind: 'turn', turn: await turnOf(ctx, tenant, proved.pending), cookies: proved.cookies };
}

type Waiting = NonNullable<Progress['pending']>;

/** Who proved a first factor in this request, if what it stands on is as it was; else that proof is forgotten. */
async function pendingUser({ ctx, tenant, pending }: Acting): Promise<{ readonly user: User; readonly waiting: Waiting } | null> {
  const waiting = pending.interaction.progress.pending;
  if (waiting === null) return null;
  const user = await ctx.store.findUser(tenant.id, waiting.userId);
  const { sinceMs, passwordChangedAtMs } = waiting.standing;
  const password = passwordChangedAtMs === null ? null : await ctx.store.findPassword(tenant.id, waiting.userId);
  const same = passwordChangedAtMs === null || password?.changedAtMs === passwordChangedAtMs;
  if (isLive(user) && user.notBeforeMs < sinceMs && same) return { user, waiting };
  await progressTo(ctx, pending, { pending: null });
  return null;
}

async function secondFactor(acting: Acting, prove: (user: User) => Promise<Proven>): Promise<ActOutcome> {
  const found = await isDue(acting, ['second_factor']) ? await pendingUser(acting) : null;
  if (found === null) return stale;
  const { user, waiting } = found;
  const proven = await prove(user);
  return proven.ok ? goOn(acting, user, joinAmr(waiting.amr, proven.amr), waiting.standing) : again(proven);
}

function clientName({ pending }: Acting): string | null {
  return pending.client?.name ?? null;
}

/** Link of a mail: to the pages that the person is on, since only their browser may follow it there. */
function linkOf({ url }: Acting): (token: string) => string {
  return (token) => `${url}/link/${token}`;
}

async function sendSignInCode(acting: Acting): Promise<ActOutcome> {
  const { ctx, tenant, pending, form } = acting;
  if (!tenant.people.emailCodes || !(await isDue(acting, ['sign_in']))) return stale;
  if (form('username').trim() === '') return again(failed('email_invalid'));
  const user = await findPerson(ctx, tenant, form('username'));
  const sent = await sendCode(ctx, who(acting), {
    kind: 'sign_in', boundTo: pending.interaction.digest, user: user?.emailVerified === true ? user : null, email: null, data: null,
    name: form('username'), link: linkOf(acting), client: clientName(acting),
  });
  return sent.ok ? go('email') : again(sent);
}

/** Another mail to whom the last one went. */
async function sendAgain(acting: Acting): Promise<ActOutcome> {
  const { ctx, tenant, pending, view } = acting;
  if (view !== 'email' || !tenant.people.emailCodes || !(await isDue(acting, ['sign_in']))) return stale;
  const former = await ctx.store.findProof(tenant.id, pending.interaction.digest, 'sign_in');
  const user = former?.userId === null || former === null ? null : await ctx.store.findUser(tenant.id, former.userId);
  const sent = await sendCode(ctx, who(acting), {
    kind: 'sign_in', boundTo: pending.interaction.digest, user, email: null, data: null, link: linkOf(acting), client: clientName(acting),
  });
  return sent.ok ? go('email') : again(sent);
}

/** What codes and links of a kind are good for, where the tenant still offers it. */
function offers({ people }: Tenant, kind: 'sign_in' | 'reset' | 'register'): boolean {
  return kind === 'sign_in' ? people.emailCodes : kind === 'reset' ? people.passwords : people.registration;
}

/** A code that came by mail; the page says what for. */
async function enterCode(acting: Acting): Promise<ActOutcome> {
  const { ctx, tenant, pending, view, form } = acting;
  const kind = view === 'confirm' ? 'register' : view === 'email' ? 'sign_in' : view === 'reset' ? 'reset' : null;
  if (kind === null || !offers(tenant, kind) || !(await isDue(acting, ['sign_in']))) return stale;
  const boundTo = pending.interaction.digest;
  if (kind === 'register') {
    const proven = await finishRegistration(ctx, who(acting), boundTo, form('code'));
    return proven.ok ? goOn(acting, proven.user, proven.amr, { sinceMs: acting.atMs, passwordChangedAtMs: null }) : again(proven);
  }
  const checked = await checkCode(ctx, who(acting), boundTo, kind, form('code'));
  return checked.ok ? goOnByMail(acting, checked.proof) : again(checked);
}

/** The link of a mail, confirmed in the browser that asked for it (AZ-45). */
async function followLink(acting: Acting): Promise<ActOutcome> {
  const { ctx, pending, form } = acting;
  if (!(await isDue(acting, ['sign_in']))) return stale;
  const checked = await checkLink(ctx, who(acting), pending.interaction.digest, form('token'));
  return checked.ok ? goOnByMail(acting, checked.proof) : again(checked);
}

/** Somebody has the mailbox: they are in, or may choose another password. */
async function goOnByMail(acting: Acting, { kind, userId }: Proof): Promise<ActOutcome> {
  const { ctx, tenant, pending, atMs } = acting;
  const user = userId === null ? null : await ctx.store.findUser(tenant.id, userId);
  if ((kind !== 'sign_in' && kind !== 'reset') || !offers(tenant, kind)) return stale;
  if (!isLive(user)) return again(failed('wrong_code'));
  const standing = { sinceMs: atMs, passwordChangedAtMs: null };
  if (kind === 'sign_in') return goOn(acting, user, ['email'], standing);
  const waiting = await progressTo(ctx, pending, { pending: { userId: user.id, amr: ['email'], atMs: ctx.clock.now(), due: 'reset', standing } });
  return waiting === null ? stale : go(null);
}

/** What a link of a mail is good for in this request; null: it may not be followed there. @throws StoreError */
export async function findLink(ctx: Context, tenant: Tenant, pending: Pending, token: string): Promise<'sign_in' | 'reset' | null> {
  const proof = await openLink(ctx, tenant, token);
  if (proof === null || proof.boundTo !== pending.interaction.digest) return null;
  return proof.kind === 'sign_in' || proof.kind === 'reset' ? proof.kind : null;
}

async function register(acting: Acting): Promise<ActOutcome> {
  const { ctx, tenant, pending, form } = acting;
  if (!tenant.people.registration || !(await isDue(acting, ['sign_in']))) return stale;
  const begun = await beginRegistration(ctx, who(acting), pending.interaction.digest, {
    email: form('email').trim(), name: form('name').trim(), password: tenant.people.passwords ? form('password') : null,
  });
  return begun.ok ? go('confirm') : again(begun);
}

async function forgot(acting: Acting): Promise<ActOutcome> {
  const { ctx, tenant, pending, form } = acting;
  if (!tenant.people.passwords || !(await isDue(acting, ['sign_in']))) return stale;
  if (form('username').trim() === '') return again(failed('email_invalid'));
  const begun = await beginReset(ctx, who(acting), pending.interaction.digest, form('username'), linkOf(acting));
  return begun.ok ? go('reset') : again(begun);
}

async function newPassword(acting: Acting): Promise<ActOutcome> {
  const { ctx, form, pending } = acting;
  const found = await isDue(acting, ['new_password', 'reset']) ? await pendingUser(acting) : null;
  if (found === null) return stale;
  if (form('password') !== form('again')) return again(failed('password_mismatch'));
  if (found.waiting.due === 'reset') return resetPassword(acting, found.user);
  const { user, waiting } = found;
  const expected = { changedAtMs: waiting.standing.passwordChangedAtMs, notBeforeMs: user.notBeforeMs, sessionId: null };
  const changed = await changePassword(ctx, who(acting), user, form('password'), { proofId: null, notice: 'password_changed', expected });
  if (!changed.ok && changed.problem === 'wrong_password') {
    await progressTo(ctx, pending, { pending: null });
    return stale;
  }
  return changed.ok ? goOn(acting, user, waiting.amr, await standingNow(acting, user)) : again(changed);
}

async function resetPassword(acting: Acting, user: User): Promise<ActOutcome> {
  const { ctx, pending, form } = acting;
  const proven = await finishReset(ctx, who(acting), pending.interaction.digest, user, form('password'));
  if (!proven.ok && proven.problem === 'code_expired') {
    // There is nothing to go on with: another code is needed.
    await progressTo(ctx, pending, { pending: null });
    return go('forgot');
  }
  if (!proven.ok) return again(proven);
  // All of their sessions ended with the old password, this browser's too.
  const signedIn = pending.signedIn?.user.id === user.id ? null : pending.signedIn;
  return goOn({ ...acting, pending: { ...pending, signedIn } }, proven.user, proven.amr, await standingNow(acting, user));
}

/** What somebody who just chose a password stands on. */
async function standingNow({ ctx, atMs }: Acting, user: User): Promise<ProofStanding> {
  return { sinceMs: atMs, passwordChangedAtMs: (await ctx.store.findPassword(user.tenantId, user.id))?.changedAtMs ?? null };
}

/** The page speaks of one signed-in person, and goes on with that one only (UI-21). */
function isHeld({ pending }: Acting): boolean {
  return pending.signedIn !== null && pending.interaction.progress.sessionId === pending.signedIn.session.id;
}

async function goOnAsSignedIn(acting: Acting): Promise<ActOutcome> {
  return isHeld(acting) && await isDue(acting, ['choose']) ? moveOn(acting, { chosen: true }) : stale;
}

/** From now on only who signs in after this will do. */
async function signInAsAnother(acting: Acting): Promise<ActOutcome> {
  if (!isHeld(acting) || !(await isDue(acting, ['choose', 'consent']))) return stale;
  return moveOn(acting, { anotherSinceMs: acting.atMs, sessionId: null, consented: null, pending: null });
}

async function moveOn({ ctx, tenant, pending }: Acting, change: Partial<Progress>): Promise<ActOutcome> {
  const moved = await progressTo(ctx, pending, change);
  return moved === null ? stale : { kind: 'turn', turn: await turnOf(ctx, tenant, moved), cookies: {} };
}

/** The person allows or denies what an application asks for (AZ-40). */
async function consent(acting: Acting): Promise<ActOutcome> {
  const { ctx, tenant, pending: { signedIn }, form } = acting;
  if (signedIn === null || !isHeld(acting) || !(await isDue(acting, ['consent']))) return stale;
  if (form('decision') === 'deny') return cancel(acting);
  if (form('decision') !== 'allow') return again(failed('choose_one'));
  const orgIds = (await ctx.store.listMemberships(tenant.id, { userId: signedIn.user.id })).map((membership) => membership.orgId);
  const [only, ...others] = orgIds;
  const orgId = others.length === 0 ? (only ?? null) : (orgIds.find((id) => id === form('org')) ?? null);
  if (others.length > 0 && orgId === null) return again(failed('choose_one'));
  return moveOn(acting, { consented: { orgId } });
}

/** Back to the application with a no; where there is none, to the account page's door. */
async function cancel({ ctx, tenant, pending }: Acting): Promise<ActOutcome> {
  const considered = consideredOf(pending);
  if (considered === null) return go(null);
  return { kind: 'turn', turn: await giveUp(ctx, tenant, considered, 'access_denied', 'the person said no'), cookies: {} };
}
