import { remarkOn, type ImportedKeys, type ImportedMembership, type ImportedOrganization, type ImportedRole, type ImportedTenant, type ImportedThing } from '../../core/imported.ts';
import type { Tenant } from '../../core/model.ts';
import { applyTenantChange } from '../../core/tenant-settings.ts';
import type { Context } from '../context.ts';
import { importVerificationKeys } from '../import-keys.ts';
import { createOrganization, putMember, renameOrganization, requireOrganization } from '../manage-organizations.ts';
import { changedNames, type Managed } from '../manage-outcome.ts';
import { createRole } from '../manage-roles.ts';
import { updateTenant } from '../manage-tenants.ts';
import { importClient } from './clients.ts';
import { did, refusedBy, type Done } from './done.ts';
import { importUser } from './users.ts';

function outcomeOf(kind: ImportedThing['kind'], about: string, outcome: Managed<unknown>, whenDone: 'created' | 'changed'): Done {
  return outcome.ok ? did(whenDone) : refusedBy(kind, about, outcome);
}

async function importTenant(ctx: Context, tenant: Tenant, { change }: ImportedTenant, update: boolean): Promise<Done> {
  const about = `tenant ${tenant.slug}`;
  const current = await ctx.store.findTenant({ id: tenant.id }) ?? tenant;
  if (changedNames(current, applyTenantChange(current, change)) === null) return did('left');
  if (!update) return did('left', [remarkOn(about, 'its lifetimes are others than there, and are left as they are')]);
  return outcomeOf('tenant', about, await updateTenant(ctx, tenant.slug, change), 'changed');
}

async function importRole(ctx: Context, tenant: Tenant, { name }: ImportedRole): Promise<Done> {
  if ((await ctx.store.listRoles(tenant.id)).some((role) => role.name === name)) return did('left');
  const outcome = await createRole(ctx, tenant, name, []);
  return outcome.ok ? did('created', [remarkOn(`role ${name}`, 'it permits nothing yet: no export tells what roles permit')]) : refusedBy('role', `role ${name}`, outcome);
}

async function importOrganization(ctx: Context, tenant: Tenant, { id, name }: ImportedOrganization, update: boolean): Promise<Done> {
  const about = `organization ${id}`;
  const existing = await ctx.store.findOrganization(tenant.id, id);
  if (existing === null) return outcomeOf('organization', about, await createOrganization(ctx, tenant, id, name), 'created');
  if (!update || existing.name === name) return did('left');
  return outcomeOf('organization', about, await renameOrganization(ctx, tenant, id, name), 'changed');
}

async function importKeys(ctx: Context, tenant: Tenant, { issuer, jwks }: ImportedKeys): Promise<Done> {
  const outcome = await importVerificationKeys(ctx, tenant, issuer, jwks);
  if (!outcome.ok) return refusedBy('keys', `keys of ${issuer}`, outcome);
  return { outcomes: [...outcome.value.added.map(() => 'created' as const), ...outcome.value.known.map(() => 'left' as const)], remarks: [] };
}

/** @param userId who it is here */
async function importMembership(ctx: Context, tenant: Tenant, thing: ImportedMembership, userId: string, update: boolean): Promise<Done> {
  const about = `user ${thing.user} in ${thing.orgId}`;
  const org = await requireOrganization(ctx, tenant, thing.orgId);
  if (!org.ok) return refusedBy('membership', about, { description: 'its organization is not there; import organizations first' });
  const user = await ctx.store.findUser(tenant.id, userId);
  if (user === null || user.deletedAtMs !== null) return refusedBy('membership', about, { description: 'its user is not there; import users first' });
  const known = new Set((await ctx.store.listRoles(tenant.id)).map(({ name }) => name));
  const roles = thing.roles.filter((name) => known.has(name));
  const remarks = thing.roles.filter((name) => !known.has(name)).map((name) => remarkOn(about, `without the role ${JSON.stringify(name.slice(0, 64))}, which is not there`));
  const former = (await ctx.store.listMemberships(tenant.id, { userId })).find(({ orgId }) => orgId === thing.orgId);
  if (former !== undefined && (!update || JSON.stringify(former.roles.toSorted()) === JSON.stringify(roles.toSorted()))) return did('left');
  const put = await putMember(ctx, tenant, thing.orgId, userId, roles);
  return put.ok ? did(former === undefined ? 'created' : 'changed', remarks) : refusedBy('membership', about, put);
}

/** Does one thing of an export. @param userId of a membership: whose it is. @param update changes what is there already, too. @throws StoreError */
export async function importThing(ctx: Context, tenant: Tenant, thing: ImportedThing, userId: string, update: boolean): Promise<Done> {
  switch (thing.kind) {
    case 'tenant':
      return importTenant(ctx, tenant, thing, update);
    case 'role':
      return importRole(ctx, tenant, thing);
    case 'organization':
      return importOrganization(ctx, tenant, thing, update);
    case 'client':
      return importClient(ctx, tenant, thing, update);
    case 'keys':
      return importKeys(ctx, tenant, thing);
    case 'user':
      return importUser(ctx, tenant, thing, update);
    case 'membership':
      return importMembership(ctx, tenant, thing, userId, update);
  }
}
