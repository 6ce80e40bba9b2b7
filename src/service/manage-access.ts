import { adminScopes, covers, type Administrator, type ApiKey } from '../core/admin.ts';
import { findNameFault } from '../core/identifiers.ts';
import type { Tenant } from '../core/model.ts';
import { DEFAULT_TENANT, isLifetime, MAX_LIFETIME_S } from '../core/tenant-settings.ts';
import { makeApiKey } from '../tokens/api-key.ts';
import { digestOf } from '../tokens/digest.ts';
import type { AdminCaller } from './admin-access.ts';
import type { Context } from './context.ts';
import { decideAfresh, done, operatorEvent, outdated, refused, type Guard, type Managed, type Refusal } from './manage-outcome.ts';
import { requireTenant } from './manage-tenants.ts';
import { requireUser } from './manage-users.ts';

/** What somebody has who hands on: nobody hands on more. Who has the machine has all of it. */
export type Held = Pick<AdminCaller, 'scopes' | 'tenantId'>;
export const everything: Held = { scopes: ['admin'], tenantId: null };

/** What an operator wants of an API key. */
export type ApiKeyWish = {
  readonly name: string;
  readonly scopes: readonly string[];
  /** The one tenant that it is for; null: all, and the server itself. */
  readonly tenant: Tenant | null;
  /** Seconds until it expires; null: never. */
  readonly ttl: number | null;
};

/** A new key: in the clear this once and never again. */
export type CreatedApiKey = { readonly key: ApiKey; readonly text: string };

function findScopeFault(scopes: readonly string[]): Refusal | null {
  if (scopes.length === 0) return refused('invalid_request', 'without a scope nothing is permitted: name at least one, like admin:read', { member: 'scopes' });
  const unknown = scopes.find((scope) => !adminScopes.includes(scope));
  return unknown === undefined ? null : refused('invalid_request', `there is no scope ${JSON.stringify(unknown)}: scopes are admin, admin:read, and admin:AREA or admin:AREA:read`, { member: 'scopes' });
}

function findExcess(held: Held, wanted: Held): Refusal | null {
  if (held.tenantId !== null && wanted.tenantId !== held.tenantId) return refused('forbidden', 'whoever may operate one tenant gives access to no more than that tenant', { member: 'tenant' });
  return covers(held.scopes, wanted.scopes) ? null : refused('forbidden', 'nobody gives access to more than they have themselves', { member: 'scopes' });
}

/**
 * Whether tokens with these scopes could open more of the admin API than somebody has: those of the tenant `default` open it,
 * and who can have them, or decides where they go, can use them.
 */
export function opensBeyond(held: Held, tenant: Pick<Tenant, 'slug'>, scopes: readonly string[]): boolean {
  const operating = tenant.slug === DEFAULT_TENANT ? scopes.filter((scope) => adminScopes.includes(scope)) : [];
  return operating.length > 0 && (held.tenantId !== null || !covers(held.scopes, operating));
}

/** Makes an API key (CR-04: only its digest is kept). @param held what the maker has. @throws StoreError */
export async function createApiKey(ctx: Context, held: Held, wish: ApiKeyWish): Promise<Managed<CreatedApiKey>> {
  const named = findNameFault(wish.name);
  if (named !== null) return refused('invalid_request', `the name cannot be used: ${named}`, { member: 'name' });
  if (wish.ttl !== null && !isLifetime(wish.ttl)) return refused('invalid_request', `a key's lifetime is 1 to ${MAX_LIFETIME_S} whole seconds`, { member: 'ttl' });
  const wanted = { scopes: wish.scopes, tenantId: wish.tenant?.id ?? null };
  const fault = findScopeFault(wish.scopes) ?? findExcess(held, wanted);
  if (fault !== null) return fault;
  const { id, text } = makeApiKey(ctx.random);
  const nowMs = ctx.clock.now();
  const key: ApiKey = {
    id, name: wish.name, ...wanted, digest: digestOf(text), createdBy: ctx.by.actor, createdAtMs: nowMs, expiresAtMs: wish.ttl === null ? null : nowMs + wish.ttl * 1000, lastUsedAtMs: null, revokedAtMs: null,
  };
  await ctx.store.createApiKey(key, [operatorEvent(ctx, 'access_key_created', { tenant: wish.tenant?.slug ?? null, subject: id, reason: wish.scopes.join(' ') })]);
  return done({ key, text });
}

/** API keys that somebody may know of, newest first, revoked and expired ones included. @throws StoreError */
export async function listApiKeys(ctx: Pick<Context, 'store'>, held: Held): Promise<readonly ApiKey[]> {
  return held.tenantId === null ? ctx.store.listApiKeys() : ctx.store.listApiKeys(held.tenantId);
}

/** Makes an API key worthless, at once and for good. @throws StoreError */
export async function revokeApiKey(ctx: Context, held: Held, id: string): Promise<Managed<ApiKey>> {
  const key = (await listApiKeys(ctx, held)).find((one) => one.id === id);
  const unknown = refused('not_found', 'there is no API key of this id that was not revoked', { hint: '`assay api-key list` shows all' });
  if (key === undefined || key.revokedAtMs !== null) return unknown;
  const excess = findExcess(held, key);
  if (excess !== null) return refused('forbidden', 'nobody takes away more than they have themselves');
  const nowMs = ctx.clock.now();
  const slug = key.tenantId === null ? null : (await ctx.store.findTenant({ id: key.tenantId }))?.slug ?? null;
  const revoked = await ctx.store.revokeApiKey(id, nowMs, [operatorEvent(ctx, 'access_key_revoked', { tenant: slug, subject: id })]);
  return revoked ? done({ ...key, revokedAtMs: nowMs }) : unknown;
}

/** Whether somebody may do everything; one such person there must always be. */
function isFull({ scopes, tenantId }: Held): boolean {
  return tenantId === null && covers(scopes, ['admin']);
}

/** Who may do everything and can sign in. @throws StoreError */
export async function listWhole(ctx: Pick<Context, 'store'>): Promise<readonly Administrator[]> {
  const home = await ctx.store.findTenant({ slug: DEFAULT_TENANT });
  const whole: Administrator[] = [];
  if (home === null) return whole;
  for (const one of (await ctx.store.listAdministrators()).filter(isFull)) {
    const user = await ctx.store.findUser(home.id, one.userId);
    if (user !== null && user.deletedAtMs === null && user.disabledAtMs === null) whole.push(one);
  }
  return whole;
}

/** Whether somebody may do everything, and nobody else who could sign in. @throws StoreError */
async function isLast(ctx: Pick<Context, 'store'>, one: Administrator): Promise<boolean> {
  return isFull(one) && (await listWhole(ctx)).every(({ userId }) => userId === one.userId);
}

/** Why somebody may not be kept out, or deleted: nobody could do everything then; null: they may. @throws StoreError */
export async function refuseLast(ctx: Pick<Context, 'store'>, tenant: Tenant, userId: string): Promise<Refusal | null> {
  const administrator = tenant.slug === DEFAULT_TENANT ? await ctx.store.findAdministrator(userId) : null;
  return administrator !== null && await isLast(ctx, administrator) ? lastOne : null;
}

const lastOne = refused('conflict', 'this is the last administrator who may do everything; give another one the scope admin first');

/** What an operator wants of an administrator. */
export type AdministratorWish = { readonly scopes: readonly string[]; readonly tenant: Tenant | null };

/** An administrator by the id or name of the user. @throws StoreError */
export async function requireAdministrator(ctx: Pick<Context, 'store'>, user: string): Promise<Managed<Administrator>> {
  const home = await requireTenant(ctx, DEFAULT_TENANT);
  if (!home.ok) return home;
  const found = await requireUser(ctx, home.value, user);
  const administrator = found.ok ? await ctx.store.findAdministrator(found.value.id) : null;
  return administrator === null ? refused('not_found', 'there is no such administrator') : done(administrator);
}

/**
 * Why somebody may not decide how a user signs in, or take their account away; null: they may. Whoever can sign in as an
 * administrator may do what that one may, so it takes as much to change one's account (nobody hands on more than they have).
 * @param held what who asks has. @throws StoreError
 */
export async function refuseBeyond(ctx: Pick<Context, 'store'>, held: Held, tenant: Tenant, userId: string): Promise<Refusal | null> {
  const administrator = tenant.slug === DEFAULT_TENANT ? await ctx.store.findAdministrator(userId) : null;
  return administrator === null || findExcess(held, administrator) === null ? null : refused('forbidden', 'this is an administrator who may do more than you: only who may do as much changes their account');
}

/** Lets a user of the tenant `default` operate, or changes what they may. @param user id or name. @throws StoreError */
export async function putAdministrator(ctx: Context, held: Held, user: string, wish: AdministratorWish, guard?: Guard<Administrator>): Promise<Managed<Administrator>> {
  const wanted = { scopes: wish.scopes, tenantId: wish.tenant?.id ?? null };
  const fault = findScopeFault(wish.scopes) ?? findExcess(held, wanted);
  if (fault !== null) return fault;
  return decideAfresh(async () => {
    const home = await requireTenant(ctx, DEFAULT_TENANT);
    if (!home.ok) return home;
    const found = await requireUser(ctx, home.value, user);
    if (!found.ok) return found;
    const all = await ctx.store.listAdministrators();
    const before = all.find(({ userId }) => userId === found.value.id);
    if (guard !== undefined && (before === undefined || !(await guard(before)))) return outdated;
    if (before !== undefined && findExcess(held, before) !== null) return refused('forbidden', 'nobody changes what goes beyond what they have themselves');
    if (before !== undefined && !isFull(wanted) && await isLast(ctx, before)) return lastOne;
    const after: Administrator = { userId: found.value.id, ...wanted, createdAtMs: before?.createdAtMs ?? ctx.clock.now() };
    const written = await ctx.store.putAdministrator(after, home.value.id, [
      operatorEvent(ctx, before === undefined ? 'administrator_added' : 'administrator_changed', { tenant: DEFAULT_TENANT, subject: after.userId, reason: wish.scopes.join(' ') }),
    ], all);
    return written ? done(after) : null;
  });
}

/** Takes from a user what they may operate; they stay a user. @throws StoreError */
export async function removeAdministrator(ctx: Context, held: Held, user: string, guard?: Guard<Administrator>): Promise<Managed<null>> {
  return decideAfresh(async () => {
    const found = await requireAdministrator(ctx, user);
    if (!found.ok) return found;
    if (guard !== undefined && !(await guard(found.value))) return outdated;
    if (findExcess(held, found.value) !== null) return refused('forbidden', 'nobody takes away more than they have themselves');
    const all = await ctx.store.listAdministrators();
    if (await isLast(ctx, found.value)) return lastOne;
    const removed = await ctx.store.removeAdministrator(found.value.userId, [
      operatorEvent(ctx, 'administrator_removed', { tenant: DEFAULT_TENANT, subject: found.value.userId }),
    ], all);
    return removed ? done(null) : null;
  });
}
