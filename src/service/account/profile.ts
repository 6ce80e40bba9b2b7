import { findNameFault, usernameKey } from '../../core/identifiers.ts';
import type { Tenant } from '../../core/model.ts';
import type { BrowserSession } from '../../core/people.ts';
import type { Context } from '../context.ts';
import { beginEmailChange, beginEmailVerification, finishEmailChange, finishEmailVerification } from '../credentials/email-change.ts';
import { withNotice } from '../credentials/mails.ts';
import { failed, personEvent } from '../credentials/outcome.ts';
import { withoutPerson } from '../manage-users.ts';
import { again, boundTo, onUserAsIs, outcomeOf, personIn, told, withNewSecret, type AccountOutcome, type Asking } from './outcome.ts';

/** What people are called. @throws StoreError */
export async function changeName(asking: Asking): Promise<AccountOutcome> {
  const { ctx, form } = asking;
  const name = form('name').trim().normalize('NFC');
  if (findNameFault(name) !== null) return again(failed('name_invalid'));
  const changed = await onUserAsIs(asking, async (user) => {
    if (user.name === name) return told(null);
    const outcome = await ctx.store.updateUser(user, { ...user, name }, usernameKey(user.username), [
      personEvent(ctx, personIn(asking), 'profile_changed', user.id, { reason: 'name' }),
    ]);
    return outcome === 'updated' ? told('profile_changed') : null;
  });
  return changed ?? again(failed('busy'));
}

/** A code goes to another address. @throws StoreError */
export async function askForEmail(asking: Asking): Promise<AccountOutcome> {
  const { ctx, signedIn: { user, session }, form } = asking;
  return outcomeOf(await beginEmailChange(ctx, personIn(asking), boundTo(session), user, form('email')), 'email_sent');
}

/** A code goes to the address that they have. @throws StoreError */
export async function askToVerify(asking: Asking): Promise<AccountOutcome> {
  const { ctx, signedIn: { user, session } } = asking;
  if (user.emailVerified) return told(null);
  return outcomeOf(await beginEmailVerification(ctx, personIn(asking), boundTo(session), user), 'code_sent');
}

/** The code of the newest of both mails. @throws StoreError, UnsealError */
export async function enterEmailCode(asking: Asking): Promise<AccountOutcome> {
  const { ctx, tenant, signedIn: { user, session }, form } = asking;
  const awaited = await awaitedCode(ctx, tenant, session);
  if (awaited === null) return again(failed('code_expired'));
  const finish = awaited === 'change_email' ? finishEmailChange : finishEmailVerification;
  const finished = await finish(ctx, personIn(asking), boundTo(session), user, form('code'));
  return finished.ok ? told('email_changed', await withNewSecret(asking)) : again(finished);
}

/**
 * Which code by mail this session waits for; null: none. Also one that never comes, since the address is another account's:
 * the page is the same (UI-12). @throws StoreError
 */
export async function awaitedCode(ctx: Pick<Context, 'store' | 'clock'>, tenant: Tenant, session: BrowserSession): Promise<'change_email' | 'verify_email' | null> {
  const nowMs = ctx.clock.now();
  const found = [];
  for (const kind of ['change_email', 'verify_email'] as const) {
    const proof = await ctx.store.findProof(tenant.id, boundTo(session), kind);
    if (proof !== null && proof.usedAtMs === null && proof.expiresAtMs > nowMs) found.push({ kind, atMs: proof.createdAtMs });
  }
  return found.toSorted((one, other) => other.atMs - one.atMs)[0]?.kind ?? null;
}

/**
 * Deletes the account of who typed its name: nothing personal is kept but the id, every session and token is void, and the
 * former address hears of it. @throws StoreError
 */
export async function deleteAccount(asking: Asking): Promise<AccountOutcome> {
  const { ctx, form } = asking;
  const typed = usernameKey(form('username').trim());
  const gone = await onUserAsIs(asking, async (user): Promise<AccountOutcome | null> => {
    if (typed !== usernameKey(user.username)) return again(failed('name_mismatch'));
    const after = withoutPerson(user, ctx.clock.now());
    const person = personIn(asking);
    const { audit, outbox = [] } = withNotice(ctx, person, user, 'account_deleted', [personEvent(ctx, person, 'user_deleted', user.id)]);
    const outcome = await ctx.store.updateUser(user, after, usernameKey(after.username), audit, { outbox });
    return outcome === 'updated' ? { kind: 'bye' } : null;
  });
  return gone ?? again(failed('busy'));
}
