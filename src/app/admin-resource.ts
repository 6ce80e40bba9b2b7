import { adminScopes } from '../core/admin.ts';
import { auditEvent } from '../core/audit-event.ts';
import type { Resource } from '../core/model.ts';
import { DEFAULT_TENANT } from '../core/tenant-settings.ts';
import { adminAudience } from '../service/admin-access.ts';
import type { Context } from '../service/context.ts';
import { resourceKey } from '../service/resources.ts';

/**
 * Makes sure that the admin API is a resource of the tenant `default`, so that clients can ask for tokens that are meant for
 * it: with the origin of this start, and the scopes of this version. @throws StoreError
 */
export async function ensureAdminResource(ctx: Pick<Context, 'store' | 'clock' | 'origin'>): Promise<void> {
  const tenant = await ctx.store.findTenant({ slug: DEFAULT_TENANT });
  if (tenant === null || tenant.deletedAtMs !== null) return;
  const uri = adminAudience(ctx.origin());
  const key = resourceKey(uri);
  const event = { timeMs: ctx.clock.now(), tenant: tenant.slug, actor: 'server', subject: uri };
  const found = await ctx.store.findResource(tenant.id, key);
  if (found === null) {
    const resource: Resource = { tenantId: tenant.id, uri, scopes: adminScopes, ownerClientId: null, tokenFormat: null, createdAtMs: ctx.clock.now() };
    // Another process that starts on the same data may be quicker, and makes the same.
    await ctx.store.createResource(resource, key, [auditEvent({ ...event, type: 'resource_created' })]);
  } else if (found.scopes.join(' ') !== adminScopes.join(' ')) {
    await ctx.store.updateResource(found, { ...found, scopes: adminScopes }, key, [auditEvent({ ...event, type: 'resource_updated', reason: 'scopes' })]);
  }
}
