import { hasMappings, mapClaims, needsOrganization, type ClaimFacts } from '../core/claim-mapping.ts';
import type { Tenant, User } from '../core/model.ts';
import type { ClaimTarget } from '../core/people.ts';
import type { Context } from './context.ts';

/** Nothing is mapped: the same object for everybody. */
const NOTHING: Readonly<Record<string, unknown>> = {};

/** Someone's place in an organization, and what it permits: as it is now. @throws StoreError */
export async function readClaimFacts(ctx: Pick<Context, 'store'>, tenant: Tenant, user: User, orgId: string | null): Promise<ClaimFacts> {
  if (orgId === null) return { user, org: null, roles: [], permissions: [] };
  const org = await ctx.store.findOrganization(tenant.id, orgId);
  if (org === null) return { user, org, roles: [], permissions: [] };
  const given = (await ctx.store.listMemberships(tenant.id, { userId: user.id })).find((membership) => membership.orgId === orgId)?.roles ?? [];
  // A role that is deleted at this moment is nobody's any more.
  const known = given.length === 0 ? [] : await ctx.store.listRoles(tenant.id);
  const roles = given.filter((name) => known.some((role) => role.name === name));
  const permissions = roles.flatMap((name) => known.find((role) => role.name === name)?.permissions ?? []);
  return { user, org, roles, permissions: [...new Set(permissions)] };
}

/** Tenants, as they were read, of which the log has heard that claims did not fit; each is told once per place until it is read anew. */
const told = new WeakMap<Tenant, Set<ClaimTarget>>();

function tellDropped(ctx: Pick<Context, 'log'>, tenant: Tenant, target: ClaimTarget, user: User, dropped: readonly string[]): void {
  const places = told.get(tenant) ?? new Set();
  if (dropped.length === 0 || places.has(target)) return;
  told.set(tenant, places.add(target));
  ctx.log.warn('claims_dropped', { tenant: tenant.slug, target, sub: user.id, claims: dropped });
}

/** Whether a tenant adds claims of its own there: to be asked first where waiting for nothing would count. */
export function addsClaims(tenant: Tenant, target: ClaimTarget): boolean {
  const { claims } = tenant.people;
  return claims.length > 0 && hasMappings(claims, target);
}

/**
 * The claims that a tenant adds at one place, from what is known now. What would make them too large is left out, and
 * the log hears of it.
 * @param orgId organization of the token
 * @throws StoreError
 */
export async function claimsFor(
  ctx: Pick<Context, 'store' | 'log'>, tenant: Tenant, target: ClaimTarget, user: User, orgId: string | null,
): Promise<Readonly<Record<string, unknown>>> {
  if (!addsClaims(tenant, target)) return NOTHING;
  const { claims: mappings } = tenant.people;
  const facts = await readClaimFacts(ctx, tenant, user, needsOrganization(mappings, target) ? orgId : null);
  const { claims, dropped } = mapClaims(mappings, target, facts);
  tellDropped(ctx, tenant, target, user, dropped);
  return claims;
}
