import { findEmailFault, usernameKey } from '../../core/identifiers.ts';
import type { User } from '../../core/model.ts';
import type { AuditEvent } from '../../core/audit-event.ts';
import type { Context } from '../context.ts';
import { checkCode, sendCode, sendProof, type MetProof } from './mail-codes.ts';
import { accountLink, withNotice } from './mails.ts';
import { acted, failed, personEvent, type Act, type Person } from './outcome.ts';
import { isAddressTaken } from './registration.ts';

/** Nobody loses more often than this against others who change the same user. */
const ATTEMPTS = 5;

/**
 * Somebody wants another address: a code goes there. If it is another account's, that one hears of it instead, and the page
 * is the same (UI-12). @throws StoreError
 */
export async function beginEmailChange(ctx: Context, person: Person, boundTo: string, user: User, email: string): Promise<Act> {
  const wanted = email.trim().normalize('NFC');
  if (findEmailFault(wanted) !== null) return failed('email_invalid');
  if (wanted === user.email) return failed('email_unchanged');
  // Another spelling of their own address or name is nobody else's.
  const own = [user.email, user.username].some((name) => usernameKey(name) === usernameKey(wanted));
  const taken = !own && await isAddressTaken(ctx, person.tenant, wanted);
  return sendProof(ctx, person, {
    kind: 'change_email', boundTo, user, to: wanted, data: { email: wanted }, link: null, client: null,
    instead: taken ? { kind: 'register_exists', link: accountLink(ctx, person.tenant) } : null,
  });
}

/** The code arrived: the address changes, and a username that was the former one with it; the former address hears of it. @throws StoreError, UnsealError */
export async function finishEmailChange(ctx: Context, person: Person, boundTo: string, user: User, code: string): Promise<Act> {
  const met = await checkCode(ctx, person, boundTo, 'change_email', code);
  if (!met.ok) return met;
  const email = addressOf(met, user);
  if (email === null) return failed('code_expired');
  return change(ctx, person, user.id, met.proof.id, 'email_changed', (before) => ({
    ...before, email, emailVerified: true,
    username: before.email !== '' && usernameKey(before.username) === usernameKey(before.email) ? email : before.username,
  }));
}

/** Somebody wants to confirm the address that they have. @throws StoreError */
export async function beginEmailVerification(ctx: Context, person: Person, boundTo: string, user: User): Promise<Act> {
  if (user.email === '') return failed('email_invalid');
  return sendCode(ctx, person, { kind: 'verify_email', boundTo, user, email: user.email, data: { email: user.email }, link: null, client: null });
}

/** The code arrived: the address is verified, if it still is the same. @throws StoreError, UnsealError */
export async function finishEmailVerification(ctx: Context, person: Person, boundTo: string, user: User, code: string): Promise<Act> {
  const met = await checkCode(ctx, person, boundTo, 'verify_email', code);
  if (!met.ok) return met;
  const email = addressOf(met, user);
  return change(ctx, person, user.id, met.proof.id, 'email_verified', (before) => (before.email === email ? { ...before, emailVerified: true } : null));
}

/** The address that was proved; null: the proof is another user's. */
function addressOf(met: MetProof, user: User): string | null {
  const { data } = met;
  if (met.proof.userId !== user.id || typeof data !== 'object' || data === null || !('email' in data)) return null;
  return typeof data.email === 'string' ? data.email : null;
}

/** Changes a user as they are now, and spends the proof with it. */
async function change(ctx: Context, person: Person, userId: string, proofId: string, type: AuditEvent['type'] & ('email_changed' | 'email_verified'), apply: (before: User) => User | null): Promise<Act> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const before = await ctx.store.findUser(person.tenant.id, userId);
    const after = before === null || before.deletedAtMs !== null ? null : apply(before);
    if (before === null || after === null) return failed('code_expired');
    const { audit, outbox = [] } = withNotice(ctx, person, before, type === 'email_changed' ? type : null, [personEvent(ctx, person, type, userId)]);
    const outcome = await ctx.store.updateUser(before, after, usernameKey(after.username), audit, { proofId, outbox });
    if (outcome === 'updated') return acted;
    if (outcome === 'username_taken') return failed('code_expired');
  }
  return failed('code_expired');
}
