import { usernameKey } from '../../core/identifiers.ts';
import type { Tenant, User } from '../../core/model.ts';
import type { Password } from '../../core/people.ts';
import type { MailNotice } from '../../core/people-words.ts';
import type { PasswordExpectation, SessionsEnding } from '../../core/people-store.ts';
import { findPasswordFault, fitsPassword, normalizePassword } from '../../core/password-rules.ts';
import { isCommonPassword } from '../../credentials/common.ts';
import { digestOf } from '../../tokens/digest.ts';
import type { Context } from '../context.ts';
import { tryGuess, type Verdict } from './guesses.ts';
import { isKnownNetwork } from './known-networks.ts';
import { withNotice } from './mails.ts';
import { acted, failed, isLive, noteFailure, personEvent, type Act, type Failed, type Person, type Proven } from './outcome.ts';
import { isLastWay } from './ways.ts';

/** Longer than any name or address. */
const LONGEST_NAME = 320;

/**
 * Whom a typed name means: the one with that username, else the only one with that address, if it was verified. Disabled
 * ones too. @throws StoreError
 */
export async function findPerson(ctx: Pick<Context, 'store'>, tenant: Tenant, name: string): Promise<User | null> {
  const trimmed = name.trim();
  if (trimmed === '' || trimmed.length > LONGEST_NAME) return null;
  const key = usernameKey(trimmed);
  // Both are read, also where the first is enough: it takes alike (UI-12).
  const named = await ctx.store.findUserByName(tenant.id, key);
  const [only, another] = await ctx.store.findUsersByEmail(tenant.id, key);
  if (named !== null && named.deletedAtMs === null) return named;
  return only !== undefined && another === undefined && only.emailVerified ? only : null;
}

/**
 * Proves a name and password. Whatever is wrong with them looks the same and takes the same time (UI-12).
 * @param name username or e-mail address, as typed @throws StoreError
 */
export async function checkPassword(ctx: Context, person: Person, name: string, password: string): Promise<Proven> {
  const user = await findPerson(ctx, person.tenant, name);
  return provePassword(ctx, person, user, nameDigest(name), password);
}

/** What a typed name is counted under, whoever has it. */
export function nameDigest(name: string): string {
  return digestOf(usernameKey(name.trim().slice(0, LONGEST_NAME)));
}

/** Proves the password of somebody who is known already. Under the same throttle. @throws StoreError */
export async function verifyOwnPassword(ctx: Context, person: Person, user: User, password: string): Promise<Proven> {
  const proven = await provePassword(ctx, person, user, '', password);
  return !proven.ok && proven.problem === 'wrong_credentials' ? failed('wrong_password') : proven;
}

async function provePassword(ctx: Context, person: Person, user: User | null, name: string, password: string): Promise<Proven> {
  const { store, peoplePasswords } = ctx;
  // What nobody can have chosen is not hashed as it is, but takes its time all the same.
  const fits = fitsPassword(password);
  const normalized = fits ? normalizePassword(password) : '';
  let stored: Password | null = null;
  let current: User | null = user;
  // Who is signed in there already is not kept out by what strangers try elsewhere (RL-03).
  const spared = person.tenant.operations.limits.account !== null && await isKnownNetwork(ctx, person, user);
  const verdict = await tryGuess(ctx, person, { kind: 'password', userId: user?.id ?? null, name, spared }, () => peoplePasswords.full(person.tenant.id), async () => {
    // As they are now, and not before the wait: a password that was replaced meanwhile opens nothing.
    stored = user === null ? null : await store.findPassword(person.tenant.id, user.id);
    current = user === null ? null : await store.findUser(person.tenant.id, user.id);
    const digest = isLive(current) && fits && person.tenant.people.passwords ? stored?.digest ?? null : null;
    if (digest !== null && peoplePasswords.lacksPepper(digest)) ctx.log.error('passwords cannot be verified', { fix: 'set ASSAY_PASSWORD_PEPPER_FILE to the file that they were made with' });
    return peoplePasswords.verify(normalized, digest, person.tenant.id);
  });
  return settle(ctx, person, { verdict, user: current, stored, normalized });
}

/** Notes what came of a try. `stored`: the password that it was held against. */
async function settle(ctx: Context, person: Person, { verdict, user, stored, normalized }: {
  readonly verdict: Verdict; readonly user: User | null; readonly stored: Password | null; readonly normalized: string;
}): Promise<Proven> {
  if (verdict === 'right' && user !== null && stored !== null) {
    await rehash(ctx, user, normalized, stored.digest);
    return { ok: true, user, amr: ['pwd'], passwordChangedAtMs: stored.changedAtMs };
  }
  if (verdict === 'right' || verdict === 'wrong') {
    noteFailure(ctx, person, user?.id ?? null, reasonOf(user, stored !== null));
    return failed('wrong_credentials');
  }
  noteFailure(ctx, person, user?.id ?? null, verdict.problem === 'busy' ? 'busy' : 'throttled');
  return verdict;
}

function reasonOf(user: User | null, hasPassword: boolean): string {
  if (user === null) return 'unknown_user';
  if (!isLive(user)) return 'user_disabled';
  return hasPassword ? 'wrong_password' : 'no_password';
}

/** Better parameters, and the pepper, come with the next sign-in (CR-01). No hurry: where all is busy, with the one after. */
async function rehash(ctx: Context, user: User, normalized: string, digest: string): Promise<void> {
  if (!ctx.peoplePasswords.isOutdated(digest)) return;
  const fresh = await ctx.peoplePasswords.hash(normalized);
  if (fresh !== null) await ctx.store.rehashPassword(user.tenantId, user.id, digest, fresh);
}

/** What is wrong with a new password for somebody; null when nothing is. */
export function judgePassword(tenant: Tenant, user: Pick<User, 'username' | 'email'>, password: string): Failed | null {
  const fault = findPasswordFault(password, { minLength: tenant.people.passwordMinLength, username: user.username, email: user.email }, isCommonPassword);
  return fault === null ? null : failed(fault);
}

/** How a password is set. */
export type PasswordChange = {
  /** Spent with it. */
  readonly proofId: string | null;
  /** What the person is told by mail; null: nothing. */
  readonly notice: (MailNotice & ('password_changed' | 'password_reset')) | null;
  /** Another is due at the next sign-in. */
  readonly mustChange?: boolean;
  /** Sessions that end in the same step. */
  readonly ending?: SessionsEnding;
  /** What the change stands on: it is nothing if that changed meanwhile. */
  readonly expected?: PasswordExpectation;
};

/** Sets a password, the first or another; codes that went out by mail before are worth nothing any more. @throws StoreError */
export async function changePassword(ctx: Context, person: Person, user: User, password: string, options: PasswordChange): Promise<Act> {
  const fault = judgePassword(person.tenant, user, password);
  if (fault !== null) return fault;
  // One at a time for one person: each costs hashes, and the others would find theirs changed.
  const key = `password ${user.tenantId} ${user.id}`;
  try {
    return ctx.attempts.enter(key) > 1 ? failed('busy') : await replacePassword(ctx, person, user, normalizePassword(password), options);
  } finally {
    ctx.attempts.leave(key);
  }
}

async function replacePassword(ctx: Context, person: Person, user: User, normalized: string, options: PasswordChange): Promise<Act> {
  const present = await ctx.store.findPassword(user.tenantId, user.id);
  const same = present === null ? false : await ctx.peoplePasswords.verify(normalized, present.digest, person.tenant.id);
  if (same === true) return failed('password_same');
  const digest = same === null ? null : await ctx.peoplePasswords.hash(normalized);
  if (digest === null) return failed('busy');
  const stored = await ctx.store.setPassword(
    { tenantId: user.tenantId, userId: user.id, digest, changedAtMs: ctx.clock.now(), mustChange: options.mustChange ?? false },
    options.proofId,
    withNotice(ctx, person, user, options.notice, [
      personEvent(ctx, person, 'password_set', user.id),
      ...(options.ending === undefined ? [] : [personEvent(ctx, person, 'sessions_ended', user.id, { reason: options.notice ?? 'password_set' })]),
    ]),
    options.ending, options.expected,
  );
  if (stored) return acted;
  return failed(options.expected === undefined ? 'code_expired' : 'wrong_password');
}

/** Takes a password away from somebody who has another way in. @throws StoreError */
export async function removePassword(ctx: Context, person: Person, user: User): Promise<Act> {
  if (await isLastWay(ctx, person.tenant, user, 'password')) return failed('last_way');
  await ctx.store.removePassword(user.tenantId, user.id, withNotice(ctx, person, user, 'password_removed', [personEvent(ctx, person, 'password_removed', user.id)]));
  return acted;
}
