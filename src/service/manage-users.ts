import type { AuditEvent, AuditType } from '../core/audit-event.ts';
import { findEmailFault, findNameFault, findUserIdFault, usernameKey, uuidFrom } from '../core/identifiers.ts';
import type { Tenant, User, UserAttributes } from '../core/model.ts';
import type { Password } from '../core/people.ts';
import { findAttributesFault } from '../core/user-attributes.ts';
import type { Context } from './context.ts';
import { changedNames, decideAfresh, done, operatorEvent, outdated, refused, refusedFor, type Guard, type Managed, type Refusal } from './manage-outcome.ts';

const UUID_BYTES = 16;

/** What an operator wants of a user; what is left out stays. */
export type UserChange = {
  readonly username?: string;
  /** Empty: none. */
  readonly email?: string;
  readonly emailVerified?: boolean;
  readonly name?: string | null;
  /** All of them: what is not named goes. */
  readonly attributes?: UserAttributes;
  /** Attributes that change, over those that there are; null removes one. */
  readonly attributeEdits?: Readonly<Record<string, UserAttributes[string] | null>>;
};

/** What creates a user. */
export type NewUser = UserChange & {
  readonly username: string;
  /** Empty: none. */
  readonly email: string;
  /** False: they cannot sign in until they are enabled; left out: they can. */
  readonly enabled?: boolean;
};

/** What is stored in one transaction with a new user. */
export type BesideUser = { readonly password?: Password; readonly audit: readonly AuditEvent[] };

/** A tenant's user by id or, failing that, by username; disabled ones included. @throws StoreError */
export async function requireUser(ctx: Pick<Context, 'store'>, tenant: Tenant, reference: string): Promise<Managed<User>> {
  const found = await ctx.store.findUser(tenant.id, reference);
  const byId = found !== null && found.deletedAtMs === null ? found : null;
  const byName = await ctx.store.findUserByName(tenant.id, usernameKey(reference));
  if (byId !== null && byName !== null && byId.id !== byName.id) {
    return refused('conflict', `${JSON.stringify(reference)} is the id of ${JSON.stringify(byId.username)} and the name of the user ${byName.id}: say ${JSON.stringify(byId.username)} or ${byName.id}`);
  }
  const user = byId ?? byName;
  return user === null
    ? refused('not_found', `the tenant ${tenant.slug} has no user ${JSON.stringify(reference)}`, { hint: `\`assay user list --tenant ${tenant.slug}\` shows all` })
    : done(user);
}

function findUserFault(user: User): Refusal | null {
  const faults = [
    ['username', findNameFault(user.username)],
    ['email', user.email === '' ? null : findEmailFault(user.email)],
    ['name', user.name === null ? null : findNameFault(user.name)],
  ] as const;
  const found = faults.find(([, fault]) => fault !== null);
  if (found !== undefined) return refused('invalid_request', `the ${found[0]} cannot be used: ${found[1] ?? ''}`, { member: found[0] });
  const fault = findAttributesFault(user.attributes);
  return fault === null ? null : refusedFor(fault);
}

/**
 * Creates a user. Its id is for ever: it becomes the `sub` of tokens, and is never given again (TX-09).
 * @param id null: generated. @param more what is stored with them. @throws StoreError
 */
export async function createUser(
  ctx: Context, tenant: Tenant, id: string | null, wish: NewUser, more?: (user: User) => BesideUser,
): Promise<Managed<User>> {
  const user: User = {
    tenantId: tenant.id, id: id ?? `usr_${uuidFrom(ctx.random.text(UUID_BYTES))}`, username: wish.username.normalize('NFC'),
    email: wish.email, emailVerified: wish.emailVerified ?? false, name: wish.name ?? null, attributes: editAttributes(wish.attributes ?? {}, wish.attributeEdits),
    createdAtMs: ctx.clock.now(), disabledAtMs: wish.enabled === false ? ctx.clock.now() : null, deletedAtMs: null, notBeforeMs: 0,
  };
  const idFault = findUserIdFault(user.id);
  const fault = idFault === null ? findUserFault(user) : refused('invalid_request', idFault, { member: 'id' });
  if (fault !== null) return fault;
  // A user who has a client's id could be taken for that client (INT-115).
  if ((await ctx.store.findClient(tenant.id, user.id)) !== null) return refused('conflict', `${user.id} is the id of a client of this tenant; a user and a client must not share one`, { member: 'id' });
  const mistakable = await findMistakable(ctx, user);
  if (mistakable !== null) return mistakable;
  const beside = more?.(user);
  const outcome = await ctx.store.createUser(user, usernameKey(user.username), [
    operatorEvent(ctx, 'user_created', { tenant: tenant.slug, subject: user.id }),
    ...(user.disabledAtMs === null ? [] : [operatorEvent(ctx, 'user_disabled', { tenant: tenant.slug, subject: user.id })]), ...(beside?.audit ?? []),
  ], beside?.password);
  switch (outcome) {
    case 'created':
      return done(user);
    case 'id_taken':
      return refused('already_exists', `the tenant ${tenant.slug} has, or had, a user with the id ${user.id}; ids are never given again`, { member: 'id' });
    case 'username_taken':
      return nameTaken(tenant, user);
  }
}

/** Commands name users by id or by name, so one user's name must not be another's id. */
async function findMistakable(ctx: Pick<Context, 'store'>, user: User): Promise<Refusal | null> {
  const namesake = await ctx.store.findUser(user.tenantId, user.username);
  if (namesake !== null && namesake.id !== user.id && namesake.deletedAtMs === null) return refused('conflict', `${JSON.stringify(user.username)} is the id of another user, and could be taken for it`, { member: 'username', hint: 'choose another --username' });
  const named = await ctx.store.findUserByName(user.tenantId, usernameKey(user.id));
  return named === null || named.id === user.id
    ? null
    : refused('conflict', `${JSON.stringify(user.id)} is the name of another user, and could be taken for it`, { member: 'id', hint: 'choose another --id' });
}

function nameTaken(tenant: Tenant, user: User): Refusal {
  return refused('already_exists', `the tenant ${tenant.slug} has a user named ${JSON.stringify(user.username)} already (letter case does not count)`, { member: 'username' });
}

/** Changes a user; the id stays, and with it the `sub` of tokens (TX-09). @throws StoreError */
export async function updateUser(ctx: Context, tenant: Tenant, reference: string, change: UserChange, guard?: Guard<User>): Promise<Managed<User>> {
  return decideAfresh(async () => {
    const found = await requireUser(ctx, tenant, reference);
    if (!found.ok) return found;
    const before = found.value;
    if (guard !== undefined && !(await guard(before))) return outdated;
    const after = applyUserChange(before, change);
    const fault = findUserFault(after);
    if (fault !== null) return fault;
    const mistakable = after.username === before.username ? null : await findMistakable(ctx, after);
    if (mistakable !== null) return mistakable;
    const outcome = await ctx.store.updateUser(before, after, usernameKey(after.username), [
      operatorEvent(ctx, 'user_updated', { tenant: tenant.slug, subject: after.id, reason: changedNames(before, after) }),
    ]);
    if (outcome === 'outdated') return null;
    return outcome === 'updated' ? done(after) : nameTaken(tenant, after);
  });
}

function editAttributes(attributes: UserAttributes, edits: UserChange['attributeEdits'] = {}): UserAttributes {
  const kept = Object.entries({ ...attributes, ...edits }).filter((entry): entry is [string, UserAttributes[string]] => entry[1] !== null);
  return Object.fromEntries(kept);
}

/** A new address is unverified unless the change says otherwise. */
function applyUserChange(before: User, change: UserChange): User {
  return {
    ...before,
    username: change.username?.normalize('NFC') ?? before.username,
    email: change.email ?? before.email,
    emailVerified: change.emailVerified ?? (change.email === undefined || change.email === before.email ? before.emailVerified : false),
    name: change.name === undefined ? before.name : change.name,
    attributes: editAttributes(change.attributes ?? before.attributes, change.attributeEdits),
  };
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
export async function deleteUser(ctx: Context, tenant: Tenant, reference: string, guard?: Guard<User>): Promise<Managed<User>> {
  const nowMs = ctx.clock.now();
  return move(ctx, tenant, reference, 'user_deleted', (user) => withoutPerson(user, nowMs), guard);
}

/** What is left of a user who is deleted: the id, and that every token is worthless. */
export function withoutPerson(user: User, nowMs: number): User {
  return {
    ...user, username: user.id, email: '', emailVerified: false, name: null, attributes: {}, deletedAtMs: nowMs, notBeforeMs: Math.max(user.notBeforeMs, nowMs),
  };
}

async function move(ctx: Context, tenant: Tenant, reference: string, type: AuditType, change: (user: User) => User, guard?: Guard<User>): Promise<Managed<User>> {
  return decideAfresh(async () => {
    const found = await requireUser(ctx, tenant, reference);
    if (!found.ok) return found;
    if (guard !== undefined && !(await guard(found.value))) return outdated;
    const after = change(found.value);
    const outcome = await ctx.store.updateUser(found.value, after, usernameKey(after.username), [
      operatorEvent(ctx, type, { tenant: tenant.slug, subject: after.id }),
    ]);
    if (outcome === 'outdated') return null;
    return outcome === 'updated' ? done(after) : nameTaken(tenant, after);
  });
}
