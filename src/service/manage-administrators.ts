import { adminScopes, covers, type Administrator, type AdminInvitation } from '../core/admin.ts';
import { findEmailFault, findNameFault, usernameKey, uuidFrom } from '../core/identifiers.ts';
import type { Tenant, User } from '../core/model.ts';
import { normalizePassword } from '../core/password-rules.ts';
import { DEFAULT_TENANT } from '../core/tenant-settings.ts';
import { digestOf } from '../tokens/digest.ts';
import type { Context } from './context.ts';
import { judgePassword } from './credentials/password.ts';
import { listWhole, type Held } from './manage-access.ts';
import { done, operatorEvent, refused, type Managed, type Refusal } from './manage-outcome.ts';

/** A link is good for so long, milliseconds. */
const INVITATION_LIFE_MS = 86_400_000;
const TOKEN_BYTES = 32;
const UUID_BYTES = 16;

/** A link by which somebody becomes an administrator, once. It is told to whoever asked for it, and never kept. */
export type InvitationLink = { readonly url: string; readonly expiresAtMs: number };

/** What somebody who is invited may do. */
export type InvitationWish = { readonly scopes: readonly string[]; readonly tenant: Tenant | null };

/**
 * Makes a link by which somebody becomes an administrator. Only the newest that was not used is good.
 * @param held what the inviter has: nobody gives more. @throws StoreError
 */
export async function inviteAdministrator(ctx: Context, held: Held, wish: InvitationWish): Promise<Managed<InvitationLink>> {
  if (wish.scopes.length === 0) return refused('invalid_request', 'without a scope nothing is permitted: name at least one, like admin:read', { member: 'scopes' });
  const unknown = wish.scopes.find((scope) => !adminScopes.includes(scope));
  if (unknown !== undefined) return refused('invalid_request', `there is no scope ${JSON.stringify(unknown)}: scopes are admin, admin:read, and admin:AREA or admin:AREA:read`, { member: 'scopes' });
  const tenantId = wish.tenant?.id ?? null;
  if ((held.tenantId !== null && held.tenantId !== tenantId) || !covers(held.scopes, wish.scopes)) return refused('forbidden', 'nobody gives access to more than they have themselves', { member: 'scopes' });
  const token = ctx.random.text(TOKEN_BYTES);
  const nowMs = ctx.clock.now();
  const invitation: AdminInvitation = { digest: digestOf(token), tenantId, scopes: wish.scopes, createdAtMs: nowMs, expiresAtMs: nowMs + INVITATION_LIFE_MS, usedAtMs: null };
  await ctx.store.createAdminInvitation(invitation, [
    operatorEvent(ctx, 'administrator_invited', { tenant: wish.tenant?.slug ?? null, reason: wish.scopes.join(' ') }),
  ]);
  return done({ url: `${ctx.origin().url}/admin/setup/${token}`, expiresAtMs: invitation.expiresAtMs });
}

/** Whether nobody is there who may do everything and can sign in. @throws StoreError */
export async function lacksAdministrator(ctx: Pick<Context, 'store'>): Promise<boolean> {
  return (await listWhole(ctx)).length === 0;
}

/**
 * A link for the first administrator, where there is none. Former ones are void then.
 * @returns null: somebody may do everything already. @throws StoreError
 */
export async function makeSetupLink(ctx: Context): Promise<InvitationLink | null> {
  if (!(await lacksAdministrator(ctx))) return null;
  const made = await inviteAdministrator(ctx, { scopes: ['admin'], tenantId: null }, { scopes: ['admin'], tenant: null });
  return made.ok ? made.value : null;
}

/** A link that can be used now; null: it never was one, was used, was replaced, or is too old. @throws StoreError */
export async function findOpenInvitation(ctx: Pick<Context, 'store' | 'clock'>, token: string): Promise<AdminInvitation | null> {
  const invitation = await ctx.store.findAdminInvitation(digestOf(token));
  return invitation === null || invitation.usedAtMs !== null || ctx.clock.now() >= invitation.expiresAtMs ? null : invitation;
}

/** What somebody chooses who follows such a link. */
export type NewAdministrator = { readonly username: string; readonly name: string | null; /** Empty: none. */ readonly email: string; readonly password: string };

function findWishFault(home: Tenant, wish: NewAdministrator): Refusal | null {
  const named = findNameFault(wish.username);
  if (named !== null) return refused('invalid_request', `the username cannot be used: ${named}`, { member: 'username' });
  const called = wish.name === null ? null : findNameFault(wish.name);
  if (called !== null) return refused('invalid_request', `the name cannot be used: ${called}`, { member: 'name' });
  const mailed = wish.email === '' ? null : findEmailFault(wish.email);
  if (mailed !== null) return refused('invalid_request', `the address cannot be used: ${mailed}`, { member: 'email' });
  const fault = judgePassword(home, { username: wish.username, email: wish.email }, wish.password);
  if (fault === null) return null;
  const { passwordMinLength } = home.people;
  return refused('invalid_request', fault.problem === 'password_short' ? `the password needs ${passwordMinLength} characters or more` : fault.problem === 'password_long'
    ? 'the password is too long'
    : 'the password is one that is tried first: a common one, or your own name or address; choose another', { member: 'password' });
}

/**
 * Follows a link: somebody new, in the tenant `default`, with a password, and an administrator; all of it or nothing, and once.
 * @param ctx its `by` says where the request came from. @throws StoreError
 */
export async function acceptAdminInvitation(ctx: Context, token: string, wish: NewAdministrator): Promise<Managed<Administrator>> {
  const spent = refused('not_found', 'this link was used, replaced by another, or is too old');
  const invitation = await findOpenInvitation(ctx, token);
  const home = await ctx.store.findTenant({ slug: DEFAULT_TENANT });
  if (invitation === null || home === null) return spent;
  const username = wish.username.normalize('NFC');
  const fault = findWishFault(home, { ...wish, username });
  if (fault !== null) return fault;
  const taken = refused('already_exists', 'somebody has that username already; choose another', { member: 'username' });
  // Looked at before the hash, which costs; what decides is the store's own look.
  if (await ctx.store.findUserByName(home.id, usernameKey(username)) !== null || await ctx.store.findUser(home.id, username) !== null) return taken;
  const digest = await ctx.peoplePasswords.hash(normalizePassword(wish.password));
  if (digest === null) return refused('conflict', 'too many passwords are being hashed right now; try again in a moment');
  const nowMs = ctx.clock.now();
  const user: User = {
    tenantId: home.id, id: `usr_${uuidFrom(ctx.random.text(UUID_BYTES))}`, username, email: wish.email, emailVerified: false, name: wish.name, attributes: {},
    createdAtMs: nowMs, disabledAtMs: null, deletedAtMs: null, notBeforeMs: 0,
  };
  const administrator: Administrator = { userId: user.id, tenantId: invitation.tenantId, scopes: invitation.scopes, createdAtMs: nowMs };
  const own = { ...ctx, by: { ...ctx.by, actor: user.id } };
  const outcome = await ctx.store.acceptAdminInvitation(
    { digest: invitation.digest, user, usernameKey: usernameKey(username), password: { tenantId: home.id, userId: user.id, digest, changedAtMs: nowMs, mustChange: false }, administrator, atMs: nowMs },
    [operatorEvent(own, 'user_created', { tenant: DEFAULT_TENANT, subject: user.id, reason: 'invitation' }), operatorEvent(own, 'administrator_added', { tenant: DEFAULT_TENANT, subject: user.id, reason: invitation.scopes.join(' ') })],
  );
  return outcome === 'accepted' ? done(administrator) : outcome === 'spent' ? spent : taken;
}
