import { failed } from '../credentials/outcome.ts';
import { addPasskey, removePasskey } from '../credentials/passkeys.ts';
import { changePassword, removePassword, verifyOwnPassword } from '../credentials/password.ts';
import { beginTotp, confirmTotp, makeRecoveryCodes, removeTotp, secondFactors } from '../credentials/second-factor.ts';
import { again, boundTo, personIn, refusal, told, withNewSecret, type AccountOutcome, type Asking } from './outcome.ts';

const MOST_CHANGES_PER_HOUR = 5;

/**
 * A new password. Who has one gives it; with `everywhere` every other session ends, and every grant: no token from before
 * is worth anything (INT-90). @throws StoreError
 */
export async function setPassword(asking: Asking): Promise<AccountOutcome> {
  const { ctx, tenant, signedIn: { user, session }, form } = asking;
  if (!tenant.people.passwords) return refusal;
  const person = personIn(asking);
  const password = form('password');
  if (password !== form('again')) return again(failed('password_mismatch'));
  // Each change makes codes by mail worthless: who has a session must not keep the owner of the mailbox out with that.
  const often = `password change ${user.tenantId} ${user.id}`;
  const waitMs = ctx.settings.rateLimits ? ctx.attempts.hourly.blockedForMs(often, MOST_CHANGES_PER_HOUR) : null;
  if (waitMs !== null) return again(failed('too_many_attempts', Math.ceil(waitMs / 1000)));
  const former = await ctx.store.findPassword(tenant.id, user.id);
  let changedAtMs: number | null = null;
  if (former !== null) {
    const proven = await verifyOwnPassword(ctx, person, user, form('current'));
    if (!proven.ok) return again(proven);
    changedAtMs = proven.passwordChangedAtMs;
  }
  const changed = await changePassword(ctx, person, user, password, {
    proofId: null, notice: 'password_changed', expected: { changedAtMs, notBeforeMs: user.notBeforeMs, sessionId: session.id },
    ...(form('everywhere') === 'yes' && { ending: { except: session.id, grants: 'all' } }),
  });
  if (!changed.ok) return again(changed);
  ctx.attempts.hourly.count(often);
  const cookies = await withNewSecret(asking);
  return told('password_changed', cookies);
}

/** No password any more, for who has another way in. @throws StoreError */
export async function dropPassword(asking: Asking): Promise<AccountOutcome> {
  const { ctx, tenant, signedIn: { user } } = asking;
  if (await ctx.store.findPassword(tenant.id, user.id) === null) return told(null);
  const removed = await removePassword(ctx, personIn(asking), user);
  return removed.ok ? told('password_removed', await withNewSecret(asking)) : again(removed);
}

/** @throws StoreError */
export async function takePasskey(asking: Asking): Promise<AccountOutcome> {
  const { ctx, tenant, signedIn: { user, session }, form, place } = asking;
  if (place === null || !tenant.people.passkeys) return refusal;
  const added = await addPasskey(ctx, personIn(asking), place, boundTo(session), user, form('credential'), form('name'));
  return added.ok ? told('passkey_added', await withNewSecret(asking)) : again(added);
}

/** Only their own: another's is not there. @throws StoreError */
export async function dropPasskey(asking: Asking): Promise<AccountOutcome> {
  const { ctx, tenant, signedIn: { user }, form } = asking;
  const id = form('id');
  if (!(await ctx.store.listPasskeys(tenant.id, user.id)).some((passkey) => passkey.id === id)) return told(null);
  const removed = await removePasskey(ctx, personIn(asking), user, id);
  return removed.ok ? told('passkey_removed', await withNewSecret(asking)) : again(removed);
}

/** Shows the section with an authenticator's secret; one that counts already stays as it is. @throws StoreError, UnsealError */
export async function enrolTotp(asking: Asking): Promise<AccountOutcome> {
  const { ctx, tenant, signedIn: { user } } = asking;
  if (!(await secondFactors(ctx, tenant, user.id)).totp) await beginTotp(ctx, personIn(asking), user);
  return told(null);
}

/** From now on the authenticator counts; who has no recovery codes gets some with it. @throws StoreError, UnsealError */
export async function finishTotp(asking: Asking): Promise<AccountOutcome> {
  const { ctx, signedIn: { user }, form } = asking;
  const confirmed = await confirmTotp(ctx, personIn(asking), user, form('code'));
  if (!confirmed.ok) return again(confirmed);
  const cookies = await withNewSecret(asking);
  return confirmed.codes.length === 0 ? told('totp_added', cookies) : { kind: 'codes', codes: confirmed.codes, done: 'totp_added', cookies };
}

/** @throws StoreError */
export async function dropTotp(asking: Asking): Promise<AccountOutcome> {
  const { ctx, tenant, signedIn: { user } } = asking;
  if (!(await secondFactors(ctx, tenant, user.id)).totp) return told(null);
  const removed = await removeTotp(ctx, personIn(asking), user);
  return removed.ok ? told('totp_removed', await withNewSecret(asking)) : again(removed);
}

/** New recovery codes in place of all former ones, for who has what they stand in for. @throws StoreError */
export async function newRecoveryCodes(asking: Asking): Promise<AccountOutcome> {
  const { ctx, tenant, signedIn: { user } } = asking;
  if (!(await secondFactors(ctx, tenant, user.id)).totp) return refusal;
  return { kind: 'codes', codes: await makeRecoveryCodes(ctx, personIn(asking), user), done: 'codes_made', cookies: await withNewSecret(asking) };
}
