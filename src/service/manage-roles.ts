import type { AuditEvent } from '../core/audit-event.ts';
import { findPermissionFault, findRoleNameFault } from '../core/identifiers.ts';
import type { Tenant } from '../core/model.ts';
import type { Role } from '../core/people.ts';
import type { Context } from './context.ts';
import { decideAfresh, done, operatorEvent, outdated, refused, type Guard, type Managed, type Refusal } from './manage-outcome.ts';

function unknownRole(tenant: Tenant, name: string): Refusal {
  return refused('not_found', `the tenant ${tenant.slug} has no role ${JSON.stringify(name)}`, { hint: `\`assay role list --tenant ${tenant.slug}\` shows all` });
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
  return missing === undefined ? null : { ...unknownRole(tenant, missing), member: 'roles' };
}

function findRoleFault(role: Role): Refusal | null {
  const name = findRoleNameFault(role.name);
  const permissions = findPermissionFault(role.permissions);
  if (name !== null) return refused('invalid_request', name, { member: 'role' });
  return permissions === null ? null : refused('invalid_request', permissions, { member: 'permissions' });
}

function changed(ctx: Context, tenant: Tenant, role: Role): AuditEvent {
  return operatorEvent(ctx, 'role_changed', { tenant: tenant.slug, subject: role.name, reason: role.permissions.join(' ') || null });
}

/** Makes a role with what it permits. @throws StoreError */
export async function createRole(ctx: Context, tenant: Tenant, name: string, permissions: readonly string[]): Promise<Managed<Role>> {
  const role: Role = { tenantId: tenant.id, name, permissions: [...new Set(permissions)], createdAtMs: ctx.clock.now() };
  const fault = findRoleFault(role);
  if (fault !== null) return fault;
  const existing = await requireRole(ctx, tenant, name);
  if (existing.ok) return refused('already_exists', `the tenant ${tenant.slug} has a role ${name} already`, { member: 'role', hint: `\`assay role update ${name} --tenant ${tenant.slug}\` changes it` });
  await ctx.store.putRole(role, [changed(ctx, tenant, role)]);
  return done(role);
}

/** Replaces what a role permits, for everybody who has it. @throws StoreError */
export async function updateRole(ctx: Context, tenant: Tenant, name: string, permissions: readonly string[], guard?: Guard<Role>): Promise<Managed<Role>> {
  return decideAfresh(async () => {
    const found = await requireRole(ctx, tenant, name);
    if (!found.ok) return found;
    if (guard !== undefined && !(await guard(found.value))) return outdated;
    const role: Role = { ...found.value, permissions: [...new Set(permissions)] };
    const fault = findRoleFault(role);
    if (fault !== null) return fault;
    return await ctx.store.updateRole(found.value, role, [changed(ctx, tenant, role)]) === 'updated' ? done(role) : null;
  });
}

/** Deletes a role, and takes it from everybody. @throws StoreError */
export async function deleteRole(ctx: Context, tenant: Tenant, name: string, guard?: Guard<Role>): Promise<Managed<null>> {
  const found = await requireRole(ctx, tenant, name);
  if (!found.ok) return found;
  if (guard !== undefined && !(await guard(found.value))) return outdated;
  const deleted = await ctx.store.deleteRole(tenant.id, name, [operatorEvent(ctx, 'role_deleted', { tenant: tenant.slug, subject: name })]);
  return deleted ? done(null) : unknownRole(tenant, name);
}
