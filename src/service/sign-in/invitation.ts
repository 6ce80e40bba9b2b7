import type { Invitation } from '../../core/admin.ts';
import type { AuditEvent } from '../../core/audit-event.ts';
import { findNameFault, usernameKey, uuidFrom } from '../../core/identifiers.ts';
import type { Tenant, User } from '../../core/model.ts';
import { networkOf } from '../../core/network.ts';
import type { SignedIn } from '../../core/next-step.ts';
import { normalizePassword } from '../../core/password-rules.ts';
import type { Organization } from '../../core/people.ts';
import { digestOf } from '../../tokens/digest.ts';
import type { Context } from '../context.ts';
import { failed, personEvent, type Failed } from '../credentials/outcome.ts';
import { judgePassword } from '../credentials/password.ts';
import { isAddressTaken } from '../credentials/registration.ts';
import { personOf, type Browser, type CookieChange } from './browser.ts';
import { makeSession, signedInEvent } from './finish.ts';

const UUID_BYTES = 16;
/** Accounts per minute that one network may try to make with a link: each may cost a hash. */
const FORMS_PER_NETWORK = 20;

/** An invitation that can be accepted, and what its page asks for: to join, to sign in, to sign in as another, to make an account. */
export type OpenInvitation = {
  readonly invitation: Invitation;
  readonly organization: Organization;
  readonly due: 'join' | 'sign_in' | 'wrong' | 'register';
};

/** Somebody with an invitation's link at their browser. */
export type Invited = { readonly ctx: Context; readonly tenant: Tenant; readonly browser: Browser; readonly signedIn: SignedIn | null; readonly open: OpenInvitation };

/**
 * What the link of an invitation is good for now; null: for nothing, whyever. Whether there is an account is told to nobody
 * but the one who has the link, and so the mailbox that it went to (UI-12). @throws StoreError
 */
export async function openInvitation(ctx: Pick<Context, 'store' | 'clock'>, tenant: Tenant, token: string, signedIn: SignedIn | null): Promise<OpenInvitation | null> {
  const invitation = await ctx.store.findInvitation(tenant.id, digestOf(token));
  if (invitation === null || invitation.acceptedAtMs !== null || invitation.revokedAtMs !== null || invitation.expiresAtMs <= ctx.clock.now()) return null;
  const organization = await ctx.store.findOrganization(tenant.id, invitation.orgId);
  if (organization === null) return null;
  return { invitation, organization, due: await dueFor(ctx, tenant, invitation, signedIn) };
}

async function dueFor(ctx: Pick<Context, 'store'>, tenant: Tenant, { email }: Invitation, signedIn: SignedIn | null): Promise<OpenInvitation['due']> {
  // Also one that was not verified: the link came to it, which verifies it.
  if (signedIn !== null && usernameKey(signedIn.user.email) === usernameKey(email)) return 'join';
  if (!(await isAddressTaken(ctx, tenant, email))) return 'register';
  return signedIn === null ? 'sign_in' : 'wrong';
}

function accepted({ ctx, tenant, browser, open: { invitation } }: Invited, userId: string): readonly AuditEvent[] {
  const person = personOf(tenant, browser);
  return [
    personEvent(ctx, person, 'invitation_accepted', userId, { subject: invitation.id, reason: invitation.orgId }),
    personEvent(ctx, person, 'membership_changed', userId, { reason: [invitation.orgId, ...invitation.roles].join(' ') }),
  ];
}

/** Who is signed in joins; false: the link is good for nothing any more, or is somebody else's. @throws StoreError */
export async function joinOrganization(invited: Invited): Promise<boolean> {
  const { ctx, tenant, signedIn, open: { invitation, due } } = invited;
  if (due !== 'join' || signedIn === null) return false;
  const { user } = signedIn;
  return ctx.store.acceptInvitation({ tenantId: tenant.id, digest: invitation.digest, userId: user.id, atMs: ctx.clock.now() }, accepted(invited, user.id));
}

/** What somebody new fills in. `password` null: none, where the tenant has no passwords. */
export type InvitedForm = { readonly name: string; readonly password: string | null };

/**
 * Makes an account for the address that the invitation went to, verified, as a member, and signs it in; also where strangers
 * may not make accounts. `stale`: the link is good for something else now. @throws StoreError
 */
export async function registerInvited(invited: Invited, form: InvitedForm): Promise<{ readonly ok: true; readonly cookies: CookieChange } | Failed | 'stale'> {
  const { ctx, browser, open: { invitation, due } } = invited;
  if (due !== 'register') return 'stale';
  const network = `invited:${networkOf(browser.from.ip)}`;
  const blockedMs = ctx.settings.rateLimits ? ctx.newcomers.blockedForMs(network, FORMS_PER_NETWORK) : null;
  if (blockedMs !== null) return failed('too_many_attempts', Math.ceil(blockedMs / 1000));
  ctx.newcomers.count(network);
  // One at a time: a form that is sent many times over costs one hash.
  const key = `invitation ${invitation.digest}`;
  try {
    return ctx.attempts.enter(key) > 1 ? failed('busy') : await makeAccount(invited, form);
  } finally {
    ctx.attempts.leave(key);
  }
}

async function makeAccount(invited: Invited, form: InvitedForm): Promise<{ readonly ok: true; readonly cookies: CookieChange } | Failed | 'stale'> {
  const { ctx, tenant, browser, open: { invitation } } = invited;
  const { email } = invitation;
  const name = form.name.trim().normalize('NFC') || null;
  if (name !== null && findNameFault(name) !== null) return failed('name_invalid');
  const text = tenant.people.passwords ? (form.password ?? '') : null;
  const fault = text === null ? null : judgePassword(tenant, { username: email, email }, text);
  if (fault !== null) return fault;
  const digest = text === null ? null : await ctx.peoplePasswords.hash(normalizePassword(text));
  if (text !== null && digest === null) return failed('busy');
  const nowMs = ctx.clock.now();
  const user: User = {
    tenantId: tenant.id, id: `usr_${uuidFrom(ctx.random.text(UUID_BYTES))}`, username: email, email, emailVerified: true,
    name, attributes: {}, createdAtMs: nowMs, disabledAtMs: null, deletedAtMs: null, notBeforeMs: 0,
  };
  const password = digest === null ? null : { tenantId: tenant.id, userId: user.id, digest, changedAtMs: nowMs, mustChange: false };
  const outcome = await ctx.store.registerInvited(
    { digest: invitation.digest, user, usernameKey: usernameKey(user.username), password, atMs: nowMs },
    [personEvent(ctx, personOf(tenant, browser), 'user_registered', user.id), ...accepted(invited, user.id)],
  );
  return outcome === 'created' ? { ok: true, cookies: await signInNew(invited, user, nowMs) } : 'stale';
}

/** What was proved is the address; the password was only chosen. Who does not get a session can sign in. */
async function signInNew({ ctx, tenant, browser, signedIn }: Invited, user: User, sinceMs: number): Promise<CookieChange> {
  const { session, secret } = makeSession(ctx, tenant, user, ['email'], browser, null);
  const opened = await ctx.store.openBrowserSession(
    { session, replaces: signedIn?.session.id ?? null, progress: null, standing: { sinceMs, passwordChangedAtMs: null } },
    { audit: [signedInEvent(tenant, session, browser, null)] },
  );
  return opened ? { session: secret } : {};
}
