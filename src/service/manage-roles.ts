import { findPermissionFault, findRoleNameFault } from '../core/identifiers.ts';
import type { Tenant } from '../core/model.ts';
import type { Role } from '../core/people.ts';
import type { Context } from './context.ts';
import { done, operatorEvent, refused, type Managed, type Refusal } from './manage-outcome.ts';

function unknownRole(tenant: Tenant, name: string): Refusal {
  return refused('not_found', `the tenant ${tenant.slug} has no role ${JSON.stringify(name)}; \`assay role list --tenant ${tenant.slug}\` shows all`);
}

/** A tenant's role by name. @throws StoreError */
export async function requireRole(ctx: Pick<Context, 'store'>, tenant: Tenant, name: string): Promise<Managed<Role>> {
  const role = (await ctx.store.listRoles(tenant.id)).find((one) => one.name === name);
  return role === undefined ? unknownRole(tenant, name) : done(role);
}

/** Why these roles cannot be given to anybody; null: all of them exist. @throws StoreError */
export async function findUnknownRole(ctx: Pick<Context, 'store'>, tenant: Tenant, names: readonly string[]): Promise<Refusal | null> {
  if (names.length === 0) return null;
  const known = new Set((await ctx.store.listRoles(tenant.id)).map((role) => role.name));
  const missing = names.find((name) => !known.has(name));
  return missing === undefined ? null : unknownRole(tenant, missing);
}

function findRoleFault(role: Role): string | null {
  return findRoleNameFault(role.name) ?? findPermissionFault(role.permissions);
}

async function put(ctx: Context, tenant: Tenant, role: Role): Promise<Managed<Role>> {
  await ctx.store.putRole(role, [operatorEvent(ctx, 'role_changed', { tenant: tenant.slug, subject: role.name, reason: role.permissions.join(' ') || null })]);
  return done(role);
}

/** Makes a role with what it permits. @throws StoreError */
export async function createRole(ctx: Context, tenant: Tenant, name: string, permissions: readonly string[]): Promise<Managed<Role>> {
  const role: Role = { tenantId: tenant.id, name, permissions: [...new Set(permissions)], createdAtMs: ctx.clock.now() };
  const fault = findRoleFault(role);
  if (fault !== null) return refused('invalid_request', fault);
  const existing = await requireRole(ctx, tenant, name);
  return existing.ok
    ? refused('already_exists', `the tenant ${tenant.slug} has a role ${name} already; \`assay role update ${name} --tenant ${tenant.slug}\` changes it`)
    : put(ctx, tenant, role);
}

/** Replaces what a role permits, for everybody who has it. @throws StoreError */
export async function updateRole(ctx: Context, tenant: Tenant, name: string, permissions: readonly string[]): Promise<Managed<Role>> {
  const found = await requireRole(ctx, tenant, name);
  if (!found.ok) return found;
  const role: Role = { ...found.value, permissions: [...new Set(permissions)] };
  const fault = findRoleFault(role);
  return fault === null ? put(ctx, tenant, role) : refused('invalid_request', fault);
}

/** Deletes a role, and takes it from everybody. @throws StoreError */
export async function deleteRole(ctx: Context, tenant: Tenant, name: string): Promise<Managed<null>> {
  const deleted = await ctx.store.deleteRole(tenant.id, name, [operatorEvent(ctx, 'role_deleted', { tenant: tenant.slug, subject: name })]);
  return deleted ? done(null) : unknownRole(tenant, name);
}
