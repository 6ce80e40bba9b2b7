import type { Tenant } from '../core/model.ts';
import type { RestoredRows, RestoreItem } from '../core/restore.ts';
import { generateSigningKey } from '../keys/generate.ts';
import type { Context } from './context.ts';
import { deleteClient } from './manage-clients.ts';
import { operatorEvent, type Managed } from './manage-outcome.ts';
import { deleteTenant, requireTenant } from './manage-tenants.ts';
import { deleteUser } from './manage-users.ts';

/**
 * New keys for every tenant, since those of a backup neither sign nor verify any more.
 * @param tell is called before each tenant
 * @throws StoreError
 */
export async function renewKeys(ctx: Context, tell: (done: number, total: number) => void): Promise<number> {
  const tenants = await ctx.store.listTenants();
  let made = 0;
  for (const [position, tenant] of tenants.entries()) {
    tell(position, tenants.length);
    for (const status of ['active', 'next'] as const) {
      const key = await generateSigningKey(ctx.master, tenant.id, tenant.algorithm, status, ctx.clock.now(), ctx.settings.rsaBits);
      if (await ctx.store.addKey(key, [operatorEvent(ctx, 'key_created', { tenant: tenant.slug, subject: key.kid, reason: status })])) made += 1;
    }
  }
  return made;
}

type Deletion = (ctx: Context, tenant: Tenant, id: string) => Promise<Managed<unknown>>;

const deletions: Readonly<Record<'client' | 'user' | 'tenant', Deletion>> = {
  client: deleteClient,
  user: deleteUser,
  tenant: (ctx, tenant) => deleteTenant(ctx, tenant.slug),
};

/** Deletes again what was deleted since the backup. Gives what went, and what could not. @throws StoreError */
export async function deleteAgain(ctx: Context, deleted: RestoredRows['deleted']): Promise<{ readonly done: readonly RestoreItem[]; readonly failed: readonly RestoreItem[] }> {
  const done: RestoreItem[] = [];
  const failed: RestoreItem[] = [];
  for (const kind of ['client', 'user', 'tenant'] as const) {
    for (const item of deleted[kind]) {
      const tenant = await requireTenant(ctx, item.tenant ?? '');
      const outcome = tenant.ok ? await deletions[kind](ctx, tenant.value, item.subject ?? '') : tenant;
      (outcome.ok ? done : failed).push(item);
    }
  }
  return { done, failed };
}
