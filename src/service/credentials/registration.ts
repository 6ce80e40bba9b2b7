import { findEmailFault, findNameFault, usernameKey, uuidFrom } from '../../core/identifiers.ts';
import type { Tenant, User } from '../../core/model.ts';
import { networkOf } from '../../core/network.ts';
import { normalizePassword } from '../../core/password-rules.ts';
import type { Context } from '../context.ts';
import { checkCode, sendProof } from './mail-codes.ts';
import { accountLink } from './mails.ts';
import { failed, personEvent, type Act, type Failed, type Person, type Proven } from './outcome.ts';
import { judgePassword } from './password.ts';

const UUID_BYTES = 16;

/** What somebody fills in. */
export type RegistrationForm = {
  readonly email: string;
  /** Empty: none. */
  readonly name: string;
  /** null: none, where the tenant has no passwords. */
  readonly password: string | null;
};

/** Forms per minute, of one network and of one pending request. */
const FORMS_PER_NETWORK = 20;
const FORMS_PER_REQUEST = 10;
/** Codes per minute that are held against a registration, of one network and of one pending request. */
const CODES_PER_NETWORK = 30;
const CODES_PER_REQUEST = 10;

/** What waits, sealed, for the code. The password is hashed when the code came: strangers cost no hashes (RL-05). */
type PendingRegistration = { readonly email: string; readonly name: string | null; readonly password: string | null };

/** Counts a form; null: there were not too many. */
function countForm(ctx: Pick<Context, 'newcomers' | 'settings'>, person: Person, boundTo: string, form: 'register' | 'confirm'): Failed | null {
  if (!ctx.settings.rateLimits) return null;
  const [perNetwork, perRequest] = form === 'register' ? [FORMS_PER_NETWORK, FORMS_PER_REQUEST] : [CODES_PER_NETWORK, CODES_PER_REQUEST];
  const keys = [[`${form}:${networkOf(person.from.ip)}`, perNetwork], [`${form}:${boundTo}`, perRequest]] as const;
  const blockedMs = Math.max(...keys.map(([key, limit]) => ctx.newcomers.blockedForMs(key, limit) ?? 0));
  if (blockedMs > 0) return failed('too_many_attempts', Math.ceil(blockedMs / 1000));
  for (const [key] of keys) ctx.newcomers.count(key);
  return null;
}

/** Whether an address means somebody already: as a name, an address, or an id that it could be taken for. @throws StoreError */
export async function isAddressTaken(ctx: Pick<Context, 'store'>, tenant: Tenant, email: string): Promise<boolean> {
  const key = usernameKey(email);
  const [named, sameAddress, sameId] = [
    await ctx.store.findUserByName(tenant.id, key), await ctx.store.findUsersByEmail(tenant.id, key), await ctx.store.findUser(tenant.id, email),
  ];
  return (named !== null && named.deletedAtMs === null) || sameAddress.length > 0 || sameId !== null;
}

/**
 * Begins an account: a code goes to the address, or, where there is an account, word of that; the page is the same and takes
 * the same time (UI-12). @throws StoreError
 */
export async function beginRegistration(ctx: Context, person: Person, boundTo: string, form: RegistrationForm): Promise<Act> {
  const { tenant } = person;
  const tooMany = countForm(ctx, person, boundTo, 'register');
  if (tooMany !== null) return tooMany;
  const email = form.email.trim().normalize('NFC');
  const name = form.name.trim().normalize('NFC') || null;
  if (findEmailFault(email) !== null || findNameFault(email) !== null) return failed('email_invalid');
  if (name !== null && findNameFault(name) !== null) return failed('name_invalid');
  if (form.password === null && tenant.people.passwords) return failed('password_short');
  const fault = form.password === null ? null : judgePassword(tenant, { username: email, email }, form.password);
  if (fault !== null) return fault;
  const taken = await isAddressTaken(ctx, tenant, email);
  const data: PendingRegistration = { email, name, password: form.password === null ? null : normalizePassword(form.password) };
  return sendProof(ctx, person, {
    kind: 'register', boundTo, user: null, to: email, data, link: null, client: null,
    instead: taken ? { kind: 'register_exists', link: accountLink(ctx, tenant) } : null,
  });
}

/** The code arrived: the account is made, with a verified address. What was proved is the address; the password was only chosen. @throws StoreError, UnsealError */
export async function finishRegistration(ctx: Context, person: Person, boundTo: string, code: string): Promise<Proven> {
  // One at a time: the right code, sent many times over, costs one hash.
  const key = `register ${boundTo}`;
  try {
    return ctx.attempts.enter(key) > 1 ? failed('busy') : await makeAccount(ctx, person, boundTo, code);
  } finally {
    ctx.attempts.leave(key);
  }
}

async function makeAccount(ctx: Context, person: Person, boundTo: string, code: string): Promise<Proven> {
  const { tenant } = person;
  const tooMany = countForm(ctx, person, boundTo, 'confirm');
  if (tooMany !== null) return tooMany;
  const met = await checkCode(ctx, person, boundTo, 'register', code);
  if (!met.ok) return met;
  const pending = readPending(met.data);
  // What the tenant asks for may have changed since the form.
  if (pending === null || (pending.password !== null) !== tenant.people.passwords) return failed('code_expired');
  if (pending.password !== null && judgePassword(tenant, { username: pending.email, email: pending.email }, pending.password) !== null) return failed('code_expired');
  if (await isAddressTaken(ctx, tenant, pending.email)) {
    // Somebody was faster: this code costs no hash, now or later.
    await ctx.store.spendProof(met.proof.id, ctx.clock.now());
    return failed('code_expired');
  }
  const digest = pending.password === null ? null : await ctx.peoplePasswords.hash(pending.password);
  if (pending.password !== null && digest === null) return failed('busy');
  const nowMs = ctx.clock.now();
  const user: User = {
    tenantId: tenant.id, id: `usr_${uuidFrom(ctx.random.text(UUID_BYTES))}`, username: pending.email, email: pending.email, emailVerified: true,
    name: pending.name, attributes: {}, createdAtMs: nowMs, disabledAtMs: null, deletedAtMs: null, notBeforeMs: 0,
  };
  const password = digest === null ? null : { tenantId: user.tenantId, userId: user.id, digest, changedAtMs: nowMs, mustChange: false };
  const outcome = await ctx.store.registerUser(
    { user, usernameKey: usernameKey(user.username), password, proofId: met.proof.id },
    { audit: [personEvent(ctx, person, 'user_registered', user.id)] },
  );
  return outcome === 'created' ? { ok: true, user, amr: ['email'], passwordChangedAtMs: null } : failed('code_expired');
}

function readPending(data: unknown): PendingRegistration | null {
  if (typeof data !== 'object' || data === null || !('email' in data) || !('name' in data) || !('password' in data)) return null;
  const { email, name, password } = data;
  if (typeof email !== 'string') return null;
  return { email, name: typeof name === 'string' ? name : null, password: typeof password === 'string' ? password : null };
}
