import { auditEvent } from '../core/audit-event.ts';
import type { Tenant } from '../core/model.ts';
import { presets } from '../core/presets.ts';
import { generateSigningKey } from '../keys/generate.ts';
import type { Application } from './open.ts';

/** The tenant that lives at the root of the server's own origin. */
const SLUG = 'default';

/**
 * Makes the tenant `default` and its keys where they are missing, also after a start that was cut short.
 * @param mode `background`: resolves once the tenant is there, while its keys are still being made (readiness and the
 *   token endpoint say so); `await`: with its keys
 * @throws StoreError
 */
export async function ensureDefaultTenant(application: Application, mode: 'await' | 'background'): Promise<void> {
  const { ctx } = application;
  const found = await ctx.store.findTenant({ slug: SLUG });
  const tenant = found ?? await createDefault(application);
  const keys = ensureKeys(application, tenant);
  if (mode === 'await') await keys;
  else keys.catch((error: unknown) => ctx.log.error('signing keys could not be made', { kind: error instanceof Error ? error.name : 'unknown' }));
}

async function createDefault({ ctx }: Application): Promise<Tenant> {
  const { layout: _layout, authMethods: _authMethods, ...policy } = presets.standard;
  const nowMs = ctx.clock.now();
  const tenant: Tenant = {
    ...policy, id: `ten_${ctx.random.text(16)}`, slug: SLUG, name: 'Default', preset: 'standard', layout: 'root', host: null,
    introspectionPolicyMode: 'enforce', algorithm: 'RS256', createdAtMs: nowMs, disabledAtMs: null, deletedAtMs: null, notBeforeMs: 0,
  };
  const created = await ctx.store.createTenant(tenant, [], [
    auditEvent({ timeMs: nowMs, type: 'tenant_created', tenant: SLUG, actor: 'server', subject: tenant.id, reason: 'standard' }),
  ]);
  if (created) return tenant;
  const other = await ctx.store.findTenant({ slug: SLUG });
  if (other === null) throw new Error('the tenant default can be neither made nor found');
  return other;
}

async function ensureKeys({ ctx }: Application, tenant: Tenant): Promise<void> {
  for (const status of ['active', 'next'] as const) {
    const present = (await ctx.store.listKeys(tenant.id)).some((key) => key.status === status);
    if (present) continue;
    const key = await generateSigningKey(ctx.master, tenant.id, tenant.algorithm, status, ctx.clock.now(), ctx.settings.rsaBits);
    await ctx.store.addKey(key, [
      auditEvent({ timeMs: ctx.clock.now(), type: 'key_created', tenant: tenant.slug, actor: 'server', subject: key.kid, reason: status }),
    ]);
  }
}
