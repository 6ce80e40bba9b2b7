import { findNameFault, isIdentifier } from '../core/identifiers.ts';
import type { Tenant, User } from '../core/model.ts';
import type { Membership, Organization } from '../core/people.ts';
import type { Context } from './context.ts';
import { done, operatorEvent, refused, type Managed, type Refusal } from './manage-outcome.ts';
import { findUnknownRole } from './manage-roles.ts';
import { requireUser } from './manage-users.ts';

const ID_BYTES = 16;

/** Somebody's place in an organization. */
export type Member = { readonly user: User; readonly membership: Membership };

/** An organization with everybody in it, by username. */
export type OrganizationView = { readonly org: Organization; readonly members: readonly Member[] };

function unknownOrganization(tenant: Tenant, id: string): Refusal {
  return refused('not_found', `the tenant ${tenant.slug} has no organization ${JSON.stringify(id)}; \`assay org list --tenant ${tenant.slug}\` shows all`);
}

/** A tenant's organization by id. @throws StoreError */
export async function requireOrganization(ctx: Pick<Context, 'store'>, tenant: Tenant, id: string): Promise<Managed<Organization>> {
  const org = await ctx.store.findOrganization(tenant.id, id);
  return org === null ? unknownOrganization(tenant, id) : done(org);
}

/**
 * What to remark on where an id of an organization is given: ids of elsewhere are taken as they are, but in a tenant that
 * registers its organizations one that is not there may be a slip of the pen. @throws StoreError
 */
export async function warnOfOrganization(ctx: Pick<Context, 'store'>, tenant: Tenant, id: string | null): Promise<readonly string[]> {
  if (id === null || (await ctx.store.findOrganization(tenant.id, id)) !== null) return [];
  const others = await ctx.store.listOrganizations(tenant.id);
  return others.length === 0 ? [] : [`the tenant ${tenant.slug} has organizations, but none with the id ${id}; it is taken as it is, without a name, roles or permissions`];
}

function findFault({ id, name }: Organization): string | null {
  if (!isIdentifier(id)) return 'an organization id is 1 to 256 visible ASCII characters without spaces';
  const fault = findNameFault(name);
  return fault === null ? null : `--name cannot be used: ${fault}`;
}

/** Registers an organization. @param id null: generated. @throws StoreError */
export async function createOrganization(ctx: Context, tenant: Tenant, id: string | null, name: string): Promise<Managed<Organization>> {
  const org: Organization = { tenantId: tenant.id, id: id ?? `org_${ctx.random.text(ID_BYTES)}`, name, createdAtMs: ctx.clock.now() };
  const fault = findFault(org);
  if (fault !== null) return refused('invalid_request', fault);
  const created = await ctx.store.createOrganization(org, [operatorEvent(ctx, 'organization_created', { tenant: tenant.slug, subject: org.id })]);
  return created ? done(org) : refused('already_exists', `the tenant ${tenant.slug} has an organization ${org.id} already; \`assay org update ${org.id} --tenant ${tenant.slug}\` changes it`);
}

/** Gives an organization another name; its id stays. @throws StoreError */
export async function renameOrganization(ctx: Context, tenant: Tenant, id: string, name: string): Promise<Managed<Organization>> {
  const found = await requireOrganization(ctx, tenant, id);
  if (!found.ok) return found;
  const org: Organization = { ...found.value, name };
  const fault = findFault(org);
  if (fault !== null) return refused('invalid_request', fault);
  const renamed = await ctx.store.renameOrganization(tenant.id, id, name, [operatorEvent(ctx, 'organization_updated', { tenant: tenant.slug, subject: id, reason: 'name' })]);
  return renamed ? done(org) : unknownOrganization(tenant, id);
}

/** Deletes an organization with its memberships; its members' tokens that speak of it end. @throws StoreError */
export async function deleteOrganization(ctx: Context, tenant: Tenant, id: string): Promise<Managed<null>> {
  const deleted = await ctx.store.deleteOrganization({ tenantId: tenant.id, orgId: id, atMs: ctx.clock.now() }, (fallen) => [
    operatorEvent(ctx, 'organization_deleted', { tenant: tenant.slug, subject: id, count: Math.max(1, fallen) }),
  ]);
  return deleted ? done(null) : unknownOrganization(tenant, id);
}

/** An organization and everybody in it. @throws StoreError */
export async function viewOrganization(ctx: Pick<Context, 'store'>, tenant: Tenant, id: string): Promise<Managed<OrganizationView>> {
  const found = await requireOrganization(ctx, tenant, id);
  if (!found.ok) return found;
  const members: Member[] = [];
  for (const membership of await ctx.store.listMemberships(tenant.id, { orgId: id })) {
    const user = await ctx.store.findUser(tenant.id, membership.userId);
    if (user !== null && user.deletedAtMs === null) members.push({ user, membership });
  }
  return done({ org: found.value, members: members.toSorted((a, b) => (a.user.username < b.user.username ? -1 : 1)) });
}

/**
 * Takes somebody into an organization, or changes their roles there.
 * @param user by name or id. @param roles must exist; null: those that they have, none for somebody new. @throws StoreError
 */
export async function putMember(ctx: Context, tenant: Tenant, orgId: string, user: string, roles: readonly string[] | null): Promise<Managed<Member>> {
  const org = await requireOrganization(ctx, tenant, orgId);
  if (!org.ok) return org;
  const found = await requireUser(ctx, tenant, user);
  if (!found.ok) return found;
  const unknown = await findUnknownRole(ctx, tenant, roles ?? []);
  if (unknown !== null) return unknown;
  const former = (await ctx.store.listMemberships(tenant.id, { userId: found.value.id })).find((one) => one.orgId === orgId);
  const membership: Membership = {
    tenantId: tenant.id, orgId, userId: found.value.id, roles: [...new Set(roles ?? former?.roles)], createdAtMs: former?.createdAtMs ?? ctx.clock.now(),
  };
  const put = await ctx.store.putMembership(membership, [
    operatorEvent(ctx, 'membership_changed', { tenant: tenant.slug, subject: membership.userId, reason: [orgId, ...membership.roles].join(' ') }),
  ]);
  return put ? done({ user: found.value, membership }) : unknownOrganization(tenant, orgId);
}

/** Takes somebody out of an organization; their tokens that speak of it end. @param user by name or id. @throws StoreError */
export async function removeMember(ctx: Context, tenant: Tenant, orgId: string, user: string): Promise<Managed<null>> {
  const org = await requireOrganization(ctx, tenant, orgId);
  if (!org.ok) return org;
  const found = await requireUser(ctx, tenant, user);
  if (!found.ok) return found;
  const removed = await ctx.store.removeMembership({ tenantId: tenant.id, orgId, userId: found.value.id, atMs: ctx.clock.now() }, (fallen) => [
    operatorEvent(ctx, 'membership_removed', { tenant: tenant.slug, subject: found.value.id, reason: orgId, count: Math.max(1, fallen) }),
  ]);
  return removed ? done(null) : refused('not_found', `${found.value.username} is not in the organization ${orgId}; \`assay org show ${orgId} --tenant ${tenant.slug}\` shows who is`);
}
