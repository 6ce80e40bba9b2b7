import type { Tenant, User } from '../core/model.ts';
import type { Problem } from '../core/people-words.ts';
import { MAX_PASSWORD_BYTES, normalizePassword } from '../core/password-rules.ts';
import type { Context } from './context.ts';
import { withNotice } from './credentials/mails.ts';
import { judgePassword } from './credentials/password.ts';
import { resetFactors, secondFactors } from './credentials/second-factor.ts';
import { done, operatorEvent, refused, type Managed, type Refusal } from './manage-outcome.ts';
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
      return refused('invalid_request', `the password is too short: people of the tenant ${tenant.slug} need ${tenant.people.passwordMinLength} characters or more`);
    case 'password_long':
      return refused('invalid_request', `the password is too long: at most ${MAX_PASSWORD_BYTES} bytes`);
    default:
      return refused('invalid_request', 'the password is one that is tried first: a common one, or their own name or address; choose another');
  }
}

/** Why nobody can sign in with it anyway. */
function remarks(tenant: Tenant): readonly string[] {
  return tenant.people.passwords ? [] : [`people of the tenant ${tenant.slug} do not sign in with passwords; \`assay tenant update ${tenant.slug} --passwords on\` changes that`];
}

async function storePassword(ctx: Context, tenant: Tenant, user: User, wish: PasswordWish, notice: 'password_changed' | null): Promise<Refusal | null> {
  const digest = await ctx.peoplePasswords.hash(normalizePassword(wish.text));
  if (digest === null) return refused('conflict', 'too many passwords are being hashed right now; try again in a moment');
  const person = { tenant, from: { ip: null, requestId: null }, locale: null, device: null };
  await ctx.store.setPassword(
    { tenantId: tenant.id, userId: user.id, digest, changedAtMs: ctx.clock.now(), mustChange: wish.temporary }, null,
    withNotice(ctx, person, user, notice, [operatorEvent(ctx, 'password_set', { tenant: tenant.slug, subject: user.id, reason: wish.temporary ? 'temporary' : null })]),
  );
  return null;
}

/** Creates a user who can sign in with a password at once; nobody is created with one that will not do. @throws StoreError */
export async function createUserWithPassword(
  ctx: Context, tenant: Tenant, id: string | null, wish: UserChange & { readonly username: string; readonly email: string }, password: PasswordWish,
): Promise<Managed<User>> {
  const fault = judgePassword(tenant, wish, password.text);
  if (fault !== null) return refusePassword(tenant, fault.problem);
  const created = await createUser(ctx, tenant, id, wish);
  if (!created.ok) return created;
  const trouble = await storePassword(ctx, tenant, created.value, password, null);
  return trouble ?? done(created.value, remarks(tenant));
}

/** Gives somebody a password, whether they had one or not; they hear of it by mail. Sessions and tokens stay. @throws StoreError */
export async function setUserPassword(ctx: Context, tenant: Tenant, reference: string, password: PasswordWish): Promise<Managed<User>> {
  const found = await requireUser(ctx, tenant, reference);
  if (!found.ok) return found;
  const fault = judgePassword(tenant, found.value, password.text);
  if (fault !== null) return refusePassword(tenant, fault.problem);
  const trouble = await storePassword(ctx, tenant, found.value, password, 'password_changed');
  return trouble ?? done(found.value, remarks(tenant));
}

/** Takes passkeys, authenticator and recovery codes from somebody who lost them; the password stays. @throws StoreError */
export async function resetUserFactors(ctx: Pick<Context, 'store' | 'clock'>, tenant: Tenant, reference: string): Promise<Managed<User>> {
  const found = await requireUser(ctx, tenant, reference);
  if (!found.ok) return found;
  await resetFactors(ctx, tenant, found.value.id, 'operator');
  const password = await ctx.store.findPassword(tenant.id, found.value.id);
  const mail = tenant.people.emailCodes && found.value.emailVerified;
  return done(found.value, password === null && !mail
    ? [`${found.value.username} has no way to sign in now; \`assay user set-password ${found.value.username} --temporary --tenant ${tenant.slug}\` gives them one`]
    : []);
}
