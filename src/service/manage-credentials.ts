import type { AuditEvent } from '../core/audit-event.ts';
import type { Tenant, User } from '../core/model.ts';
import type { Problem } from '../core/people-words.ts';
import { MAX_PASSWORD_BYTES, normalizePassword } from '../core/password-rules.ts';
import type { Context } from './context.ts';
import { withNotice } from './credentials/mails.ts';
import { judgePassword } from './credentials/password.ts';
import { resetFactors, secondFactors } from './credentials/second-factor.ts';
import { done, operatorEvent, refused, type Managed, type Refusal, type Warning } from './manage-outcome.ts';
import { createUser, requireUser, type UserChange } from './manage-users.ts';

/** What somebody can sign in with. */
export type Credentials = {
  readonly password: 'set' | 'temporary' | null;
  readonly passkeys: number;
  readonly authenticator: boolean;
  readonly recoveryCodes: number;
};

/** A password that an operator gives to somebody. */
export type PasswordWish = {
  readonly text: string;
  /** Another must be chosen at the next sign-in. */
  readonly temporary: boolean;
};

/** What somebody can sign in with; nothing of it is shown. @throws StoreError */
export async function readCredentials(ctx: Pick<Context, 'store'>, tenant: Tenant, user: User): Promise<Credentials> {
  const password = await ctx.store.findPassword(tenant.id, user.id);
  const { totp, recoveryCodes } = await secondFactors(ctx, tenant, user.id);
  const passkeys = (await ctx.store.listPasskeys(tenant.id, user.id)).length;
  return { password: password === null ? null : password.mustChange ? 'temporary' : 'set', passkeys, authenticator: totp, recoveryCodes };
}

function refusePassword(tenant: Tenant, problem: Problem): Refusal {
  switch (problem) {
    case 'password_short':
      return refused('invalid_request', `the password is too short: people of the tenant ${tenant.slug} need ${tenant.people.passwordMinLength} characters or more`, { member: 'password' });
    case 'password_long':
      return refused('invalid_request', `the password is too long: at most ${MAX_PASSWORD_BYTES} bytes`, { member: 'password' });
    default:
      return refused('invalid_request', 'the password is one that is tried first: a common one, or their own name or address; choose another', { member: 'password' });
  }
}

/** Why nobody can sign in with it anyway. */
function remarks(tenant: Tenant): readonly Warning[] {
  return tenant.people.passwords ? [] : [{ description: `people of the tenant ${tenant.slug} do not sign in with passwords`, hint: `\`assay tenant update ${tenant.slug} --passwords on\` changes that` }];
}

const busy = refused('conflict', 'too many passwords are being hashed right now; try again in a moment');

function passwordSet(ctx: Context, tenant: Tenant, user: Pick<User, 'id'>, wish: PasswordWish): AuditEvent {
  return operatorEvent(ctx, 'password_set', { tenant: tenant.slug, subject: user.id, reason: wish.temporary ? 'temporary' : null });
}

/** Creates a user who can sign in with a password at once; nobody is created with one that will not do. @throws StoreError */
export async function createUserWithPassword(
  ctx: Context, tenant: Tenant, id: string | null, wish: UserChange & { readonly username: string; readonly email: string }, password: PasswordWish,
): Promise<Managed<User>> {
  const fault = judgePassword(tenant, wish, password.text);
  if (fault !== null) return refusePassword(tenant, fault.problem);
  const digest = await ctx.peoplePasswords.hash(normalizePassword(password.text));
  if (digest === null) return busy;
  const created = await createUser(ctx, tenant, id, wish, (user) => ({
    password: { tenantId: tenant.id, userId: user.id, digest, changedAtMs: user.createdAtMs, mustChange: password.temporary },
    audit: [passwordSet(ctx, tenant, user, password)],
  }));
  return created.ok ? done(created.value, remarks(tenant)) : created;
}

/** Gives somebody a password, whether they had one or not; they hear of it by mail. Sessions and tokens stay. @throws StoreError */
export async function setUserPassword(ctx: Context, tenant: Tenant, reference: string, password: PasswordWish): Promise<Managed<User>> {
  const found = await requireUser(ctx, tenant, reference);
  if (!found.ok) return found;
  const fault = judgePassword(tenant, found.value, password.text);
  if (fault !== null) return refusePassword(tenant, fault.problem);
  const digest = await ctx.peoplePasswords.hash(normalizePassword(password.text));
  if (digest === null) return busy;
  // What is told of where it came from would be the operator's.
  const person = { tenant, from: { ip: null, requestId: null }, locale: null, device: null };
  const set = await ctx.store.setPassword(
    { tenantId: tenant.id, userId: found.value.id, digest, changedAtMs: ctx.clock.now(), mustChange: password.temporary }, null,
    withNotice(ctx, person, found.value, 'password_changed', [passwordSet(ctx, tenant, found.value, password)]),
  );
  return set ? done(found.value, remarks(tenant)) : requireUser(ctx, tenant, found.value.id);
}

/** Takes passkeys, authenticator and recovery codes from somebody who lost them; the password stays. @throws StoreError */
export async function resetUserFactors(ctx: Pick<Context, 'store' | 'clock' | 'by'>, tenant: Tenant, reference: string): Promise<Managed<User>> {
  const found = await requireUser(ctx, tenant, reference);
  if (!found.ok) return found;
  await resetFactors(ctx, tenant, found.value.id);
  const password = await ctx.store.findPassword(tenant.id, found.value.id);
  const mail = tenant.people.emailCodes && found.value.emailVerified;
  return done(found.value, password === null && !mail
    ? [{ description: `${found.value.username} has no way to sign in now`, hint: `\`assay user set-password ${found.value.username} --temporary --tenant ${tenant.slug}\` gives them one` }]
    : []);
}
