import { findNameFault, isIdentifier } from '../core/identifiers.ts';
import type { Tenant, User } from '../core/model.ts';
import type { Page, Paged } from '../core/paging.ts';
import type { Membership, Organization } from '../core/people.ts';
import type { Context } from './context.ts';
import { decideAfresh, done, operatorEvent, outdated, refused, type Guard, type Managed, type Refusal } from './manage-outcome.ts';
import { findUnknownRole } from './manage-roles.ts';
import { requireUser } from './manage-users.ts';

const ID_BYTES = 16;

/** Somebody's place in an organization. */
export type Member = { readonly user: User; readonly membership: Membership };

/** An organization with everybody in it, by username. */
export type OrganizationView = { readonly org: Organization; readonly members: readonly Member[] };

function unknownOrganization(tenant: Tenant, id: string): Refusal {
  return refused('not_found', `the tenant ${tenant.slug} has no organization ${JSON.stringify(id)}`, { hint: `\`assay org list --tenant ${tenant.slug}\` shows all` });
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

function findFault({ id, name }: Organization): Refusal | null {
  if (!isIdentifier(id)) return refused('invalid_request', 'an organization id is 1 to 256 visible ASCII characters without spaces', { member: 'orgId' });
  const fault = findNameFault(name);
  return fault === null ? null : refused('invalid_request', `the name cannot be used: ${fault}`, { member: 'name' });
}

/** Registers an organization. @param id null: generated. @throws StoreError */
export async function createOrganization(ctx: Context, tenant: Tenant, id: string | null, name: string): Promise<Managed<Organization>> {
  const org: Organization = { tenantId: tenant.id, id: id ?? `org_${ctx.random.text(ID_BYTES)}`, name, createdAtMs: ctx.clock.now() };
  const fault = findFault(org);
  if (fault !== null) return fault;
  const created = await ctx.store.createOrganization(org, [operatorEvent(ctx, 'organization_created', { tenant: tenant.slug, subject: org.id })]);
  return created ? done(org) : refused('already_exists', `the tenant ${tenant.slug} has an organization ${org.id} already`, { member: 'orgId', hint: `\`assay org update ${org.id} --tenant ${tenant.slug}\` changes it` });
}

/** Gives an organization another name; its id stays. @throws StoreError */
export async function renameOrganization(ctx: Context, tenant: Tenant, id: string, name: string, guard?: Guard<Organization>): Promise<Managed<Organization>> {
  return decideAfresh(async () => {
    const found = await requireOrganization(ctx, tenant, id);
    if (!found.ok) return found;
    if (guard !== undefined && !(await guard(found.value))) return outdated;
    const org: Organization = { ...found.value, name };
    const fault = findFault(org);
    if (fault !== null) return fault;
    const event = operatorEvent(ctx, 'organization_updated', { tenant: tenant.slug, subject: id, reason: 'name' });
    return await ctx.store.renameOrganization(tenant.id, id, name, [event], found.value.name) ? done(org) : null;
  });
}

/** Deletes an organization with its memberships; its members' tokens that speak of it end. @throws StoreError */
export async function deleteOrganization(ctx: Context, tenant: Tenant, id: string, guard?: Guard<Organization>): Promise<Managed<null>> {
  const found = await requireOrganization(ctx, tenant, id);
  if (!found.ok) return found;
  if (guard !== undefined && !(await guard(found.value))) return outdated;
  const deleted = await ctx.store.deleteOrganization({ tenantId: tenant.id, orgId: id, atMs: ctx.clock.now() }, (fallen) => [
    operatorEvent(ctx, 'organization_deleted', { tenant: tenant.slug, subject: id, count: Math.max(1, fallen) }),
  ]);
  return deleted ? done(null) : unknownOrganization(tenant, id);
}

/** An organization and everybody in it. @throws StoreError */
export async function viewOrganization(ctx: Pick<Context, 'store'>, tenant: Tenant, id: string): Promise<Managed<OrganizationView>> {
  const found = await requireOrganization(ctx, tenant, id);
  if (!found.ok) return found;
  const members = await withUsers(ctx, tenant, await ctx.store.listMemberships(tenant.id, { orgId: id }));
  return done({ org: found.value, members: members.toSorted((a, b) => (a.user.username < b.user.username ? -1 : 1)) });
}

/** Who is in an organization, part by part. @throws StoreError */
export async function pageMembers(ctx: Pick<Context, 'store'>, tenant: Tenant, id: string, page: Page): Promise<Managed<Paged<Member>>> {
  const org = await requireOrganization(ctx, tenant, id);
  if (!org.ok) return org;
  const { items, next } = await ctx.store.pageMemberships(tenant.id, id, page);
  return done({ items: await withUsers(ctx, tenant, items), next });
}

async function withUsers(ctx: Pick<Context, 'store'>, tenant: Tenant, memberships: readonly Membership[]): Promise<readonly Member[]> {
  const members: Member[] = [];
  for (const membership of memberships) {
    const user = await ctx.store.findUser(tenant.id, membership.userId);
    if (user !== null && user.deletedAtMs === null) members.push({ user, membership });
  }
  return members;
}

function notMember(tenant: Tenant, orgId: string, user: User): Refusal {
  return refused('not_found', `${user.username} is not in the organization ${orgId}`, { hint: `\`assay org show ${orgId} --tenant ${tenant.slug}\` shows who is` });
}

/** Somebody's place in an organization. @param user by name or id. @throws StoreError */
export async function requireMember(ctx: Pick<Context, 'store'>, tenant: Tenant, orgId: string, user: string): Promise<Managed<Member>> {
  const org = await requireOrganization(ctx, tenant, orgId);
  if (!org.ok) return org;
  const found = await requireUser(ctx, tenant, user);
  if (!found.ok) return found;
  const membership = (await ctx.store.listMemberships(tenant.id, { userId: found.value.id })).find((one) => one.orgId === orgId);
  return membership === undefined ? notMember(tenant, orgId, found.value) : done({ user: found.value, membership });
}

/**
 * Takes somebody into an organization, or changes their roles there.
 * @param user by name or id. @param roles must exist; null: those that they have, none for somebody new. @param guard gets null for somebody new
 * @throws StoreError
 */
export async function putMember(ctx: Context, tenant: Tenant, orgId: string, user: string, roles: readonly string[] | null, guard?: Guard<Member | null>): Promise<Managed<Member>> {
  return decideAfresh(async () => putMemberOnce(ctx, tenant, orgId, user, roles, guard));
}

async function putMemberOnce(ctx: Context, tenant: Tenant, orgId: string, user: string, roles: readonly string[] | null, guard?: Guard<Member | null>): Promise<Managed<Member> | null> {
  const org = await requireOrganization(ctx, tenant, orgId);
  if (!org.ok) return org;
  const found = await requireUser(ctx, tenant, user);
  if (!found.ok) return found;
  const unknown = await findUnknownRole(ctx, tenant, roles ?? []);
  if (unknown !== null) return unknown;
  const former = (await ctx.store.listMemberships(tenant.id, { userId: found.value.id })).find((one) => one.orgId === orgId);
  if (guard !== undefined && !(await guard(former === undefined ? null : { user: found.value, membership: former }))) return outdated;
  const membership: Membership = {
    tenantId: tenant.id, orgId, userId: found.value.id, roles: [...new Set(roles ?? former?.roles)], createdAtMs: former?.createdAtMs ?? ctx.clock.now(),
  };
  const put = await ctx.store.putMembership(membership, [
    operatorEvent(ctx, 'membership_changed', { tenant: tenant.slug, subject: membership.userId, reason: [orgId, ...membership.roles].join(' ') }),
  ], former?.roles ?? null);
  return put ? done({ user: found.value, membership }) : null;
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
  return removed ? done(null) : notMember(tenant, orgId, found.value);
}
