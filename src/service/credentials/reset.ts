import type { User } from '../../core/model.ts';
import type { Context } from '../context.ts';
import { findPendingProof, sendCode } from './mail-codes.ts';
import { failed, isLive, type Act, type Person, type Proven } from './outcome.ts';
import { changePassword, findPerson } from './password.ts';

/** Somebody forgot their password: a code goes to their verified address, if there is somebody (UI-12). @param link as of `sendCode` @throws StoreError */
export async function beginReset(ctx: Context, person: Person, boundTo: string, name: string, link: ((token: string) => string) | null): Promise<Act> {
  const user = person.tenant.people.passwords ? await findPerson(ctx, person.tenant, name) : null;
  return sendCode(ctx, person, { kind: 'reset', boundTo, user, email: null, data: null, link, client: null, name });
}

/**
 * Sets the new password after `checkCode` or `checkLink` met the reset's proof within this interaction, which is the
 * caller's to know; ends all sessions and grants of that user. What was proved is the address.
 * @throws StoreError
 */
export async function finishReset(ctx: Context, person: Person, boundTo: string, user: User, password: string): Promise<Proven> {
  const proof = await findPendingProof(ctx, person.tenant, boundTo, 'reset', user.id);
  if (proof === null || !isLive(user) || !person.tenant.people.passwords) return failed('code_expired');
  const changed = await changePassword(ctx, person, user, password, { proofId: proof.id, notice: 'password_reset', ending: { except: null, grants: 'all' } });
  if (!changed.ok) return changed;
  return { ok: true, user, amr: ['email'], passwordChangedAtMs: null };
}
