import type { AuditType } from '../core/audit-event.ts';
import { findEmailFault, findNameFault, findUserIdFault, usernameKey, uuidFrom } from '../core/identifiers.ts';
import type { Tenant, User } from '../core/model.ts';
import type { Context } from './context.ts';
import { changedNames, done, operatorEvent, refused, type Managed } from './manage-outcome.ts';

const UUID_BYTES = 16;

/** What an operator wants of a user; what is left out stays. */
export type UserChange = {
  readonly username?: string;
  /** Empty: none. */
  readonly email?: string;
  readonly emailVerified?: boolean;
  readonly name?: string | null;
};

/** A tenant's user by id or, failing that, by username; disabled ones included. @throws StoreError */
export async function requireUser(ctx: Pick<Context, 'store'>, tenant: Tenant, reference: string): Promise<Managed<User>> {
  const byId = await ctx.store.findUser(tenant.id, reference);
  const user = byId !== null && byId.deletedAtMs === null ? byId : await ctx.store.findUserByName(tenant.id, usernameKey(reference));
  return user === null
    ? refused('not_found', `the tenant ${tenant.slug} has no user ${JSON.stringify(reference)}; \`assay user list --tenant ${tenant.slug}\` shows all`)
    : done(user);
}

function findUserFault(user: User): string | null {
  const faults = [
    ['--username', findNameFault(user.username)],
    ['--email', user.email === '' ? null : findEmailFault(user.email)],
    ['--name', user.name === null ? null : findNameFault(user.name)],
  ] as const;
  const found = faults.find(([, fault]) => fault !== null);
  return found === undefined ? null : `${found[0]} cannot be used: ${found[1] ?? ''}`;
}

/**
 * Creates a user. Its id is for ever: it becomes the `sub` of tokens, and is never given again (TX-09).
 * @param id null: generated. @throws StoreError
 */
export async function createUser(ctx: Context, tenant: Tenant, id: string | null, wish: UserChange & { readonly username: string; readonly email: string }): Promise<Managed<User>> {
  const user: User = {
    tenantId: tenant.id, id: id ?? `usr_${uuidFrom(ctx.random.text(UUID_BYTES))}`, username: wish.username.normalize('NFC'),
    email: wish.email, emailVerified: wish.emailVerified ?? false, name: wish.name ?? null,
    createdAtMs: ctx.clock.now(), disabledAtMs: null, deletedAtMs: null, notBeforeMs: 0,
  };
  const fault = findUserIdFault(user.id) ?? findUserFault(user);
  if (fault !== null) return refused('invalid_request', fault);
  // A user who has a client's id could be taken for that client (INT-115).
  if ((await ctx.store.findClient(tenant.id, user.id)) !== null) return refused('conflict', `${user.id} is the id of a client of this tenant; a user and a client must not share one`);
  const outcome = await ctx.store.createUser(user, usernameKey(user.username), [
    operatorEvent(ctx, 'user_created', { tenant: tenant.slug, subject: user.id }),
  ]);
  switch (outcome) {
    case 'created':
      return done(user);
    case 'id_taken':
      return refused('already_exists', `the tenant ${tenant.slug} has, or had, a user with the id ${user.id}; ids are never given again`);
    case 'username_taken':
      return nameTaken(tenant, user);
  }
}

function nameTaken(tenant: Tenant, user: User): ReturnType<typeof refused> {
  return refused('already_exists', `the tenant ${tenant.slug} has a user named ${JSON.stringify(user.username)} already (letter case does not count)`);
}

/** Changes a user; the id stays, and with it the `sub` of tokens (TX-09). @throws StoreError */
export async function updateUser(ctx: Context, tenant: Tenant, reference: string, change: UserChange): Promise<Managed<User>> {
  const found = await requireUser(ctx, tenant, reference);
  if (!found.ok) return found;
  const before = found.value;
  const after: User = {
    ...before,
    username: change.username?.normalize('NFC') ?? before.username,
    email: change.email ?? before.email,
    emailVerified: change.emailVerified ?? (change.email === undefined || change.email === before.email ? before.emailVerified : false),
    name: change.name === undefined ? before.name : change.name,
  };
  const fault = findUserFault(after);
  if (fault !== null) return refused('invalid_request', fault);
  const outcome = await ctx.store.updateUser(after, usernameKey(after.username), [
    operatorEvent(ctx, 'user_updated', { tenant: tenant.slug, subject: after.id, reason: changedNames(before, after) }),
  ]);
  return outcome === 'updated' ? done(after) : nameTaken(tenant, after);
}

/** Suspends a user, or lets them in again; tokens issued before a suspension stay dead. @throws StoreError */
export async function setUserEnabled(ctx: Context, tenant: Tenant, reference: string, enabled: boolean): Promise<Managed<User>> {
  const nowMs = ctx.clock.now();
  return move(ctx, tenant, reference, enabled ? 'user_enabled' : 'user_disabled', (user) => (enabled
    ? { ...user, disabledAtMs: null }
    : { ...user, disabledAtMs: user.disabledAtMs ?? nowMs, notBeforeMs: Math.max(user.notBeforeMs, nowMs) }));
}

/** Ends every token of a user so far; new ones may be issued at once. @throws StoreError */
export async function revokeUserTokens(ctx: Context, tenant: Tenant, reference: string): Promise<Managed<User>> {
  const nowMs = ctx.clock.now();
  return move(ctx, tenant, reference, 'user_tokens_revoked', (user) => ({ ...user, notBeforeMs: Math.max(user.notBeforeMs, nowMs) }));
}

/** Deletes a user: nothing personal is kept, but the id, so that nobody ever gets it again. @throws StoreError */
export async function deleteUser(ctx: Context, tenant: Tenant, reference: string): Promise<Managed<User>> {
  const nowMs = ctx.clock.now();
  return move(ctx, tenant, reference, 'user_deleted', (user) => ({
    ...user, username: user.id, email: '', emailVerified: false, name: null, deletedAtMs: nowMs, notBeforeMs: Math.max(user.notBeforeMs, nowMs),
  }));
}

async function move(ctx: Context, tenant: Tenant, reference: string, type: AuditType, change: (user: User) => User): Promise<Managed<User>> {
  const found = await requireUser(ctx, tenant, reference);
  if (!found.ok) return found;
  const after = change(found.value);
  await ctx.store.updateUser(after, usernameKey(after.username), [operatorEvent(ctx, type, { tenant: tenant.slug, subject: after.id })]);
  return done(after);
}
