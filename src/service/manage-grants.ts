import { isUsableClient } from '../core/authorization.ts';
import type { Client, Grant, OpaqueToken, Tenant, User } from '../core/model.ts';
import type { ListedGrant } from '../core/operations-store.ts';
import type { Page, Paged } from '../core/paging.ts';
import { findFault, isCutOff } from '../core/standing.ts';
import type { Context } from './context.ts';
import { done, operatorEvent, refused, type Managed } from './manage-outcome.ts';
import { requireUser } from './manage-users.ts';
import { readStanding } from './read-token.ts';

/** Which grants, or tokens, to list; what is left out is not asked for. */
export type GrantFilter = {
  /** By id or username. */
  readonly user?: string;
  readonly clientId?: string;
  readonly sessionId?: string;
  readonly grantId?: string;
};

type Resolved = { readonly userId?: string; readonly clientId?: string; readonly sessionId?: string; readonly grantId?: string };

/** A filter by the ids of those that it names. */
async function resolve(ctx: Pick<Context, 'store'>, tenant: Tenant, { user, clientId, sessionId, grantId }: GrantFilter): Promise<Managed<Resolved>> {
  const found = user === undefined ? null : await requireUser(ctx, tenant, user);
  if (found !== null && !found.ok) return found;
  return done({
    ...(found !== null && { userId: found.value.id }), ...(clientId !== undefined && { clientId }), ...(sessionId !== undefined && { sessionId }), ...(grantId !== undefined && { grantId }),
  });
}

/** Whether everything that a grant stands on is as it was: cutoffs end grants without a row of them being touched. */
function stands(grant: Grant, tenant: Tenant, client: Client | null, user: User | null): boolean {
  return tenant.disabledAtMs === null && !isCutOff(grant.createdAtMs, tenant) && isUsableClient(client) && !isCutOff(grant.createdAtMs, client)
    && user !== null && user.deletedAtMs === null && user.disabledAtMs === null && !isCutOff(grant.createdAtMs, user);
}

/**
 * Grants that are good now: neither revoked nor expired, nor cut off with their tenant, client or user. A part may show fewer
 * than were asked for, though more follow. @throws StoreError
 */
export async function pageLiveGrants(ctx: Pick<Context, 'store' | 'clock'>, tenant: Tenant, page: Page, filter: GrantFilter): Promise<Managed<Paged<ListedGrant>>> {
  const resolved = await resolve(ctx, tenant, filter);
  if (!resolved.ok) return resolved;
  const { items, next } = await ctx.store.pageGrants(tenant.id, page, resolved.value, ctx.clock.now());
  const live: ListedGrant[] = [];
  for (const item of items) {
    const [client, user] = [await ctx.store.findClient(tenant.id, item.grant.clientId), await ctx.store.findUser(tenant.id, item.grant.userId)];
    if (stands(item.grant, tenant, client, user)) live.push(item);
  }
  return done({ items: live, next });
}

/** A grant by id, whatever became of it. @throws StoreError */
export async function requireGrant(ctx: Pick<Context, 'store'>, tenant: Tenant, id: string): Promise<Managed<Grant>> {
  const grant = await ctx.store.findGrant(tenant.id, id);
  return grant === null
    ? refused('not_found', `the tenant ${tenant.slug} has no grant ${JSON.stringify(id)}`, { hint: `\`assay grant list --tenant ${tenant.slug}\` shows those that are good` })
    : done(grant);
}

/** Ends a grant with every token that came of it. One that ended before stays as it is. @throws StoreError */
export async function revokeGrant(ctx: Context, tenant: Tenant, id: string): Promise<Managed<Grant>> {
  const found = await requireGrant(ctx, tenant, id);
  if (!found.ok) return found;
  const { clientId, userId, revokedAtMs } = found.value;
  const atMs = ctx.clock.now();
  const first = await ctx.store.revokeGrant({ tenantId: tenant.id, grantId: id, session: false, atMs }, (isFirst, fallen) => (isFirst
    ? [operatorEvent(ctx, 'token_revoked', { tenant: tenant.slug, clientId, subject: userId, grantId: id, reason: 'grant_revoked', count: Math.max(1, fallen) })]
    : []));
  ctx.metrics.revoked(first ? 'revoked' : 'already');
  return done({ ...found.value, revokedAtMs: revokedAtMs ?? atMs });
}

/** Opaque access tokens that are good now; as with grants, a part may show fewer than were asked for. @throws StoreError */
export async function pageLiveTokens(ctx: Pick<Context, 'store' | 'clock'>, tenant: Tenant, page: Page, filter: GrantFilter): Promise<Managed<Paged<OpaqueToken>>> {
  const resolved = await resolve(ctx, tenant, filter);
  if (!resolved.ok) return resolved;
  const nowMs = ctx.clock.now();
  const { items, next } = await ctx.store.pageOpaqueTokens(tenant.id, page, resolved.value, nowMs);
  const live: OpaqueToken[] = [];
  for (const token of items) {
    const standing = await readStanding(ctx.store, tenant, token.facts, { kind: 'opaque', digest: token.digest, revoked: token.revokedAtMs !== null });
    if (findFault(token.facts, standing, nowMs) === null) live.push(token);
  }
  return done({ items: live, next });
}
