import { auditEvent } from '../core/audit-event.ts';
import type { Tenant } from '../core/model.ts';
import { DEFAULT_TENANT, makeTenant } from '../core/tenant-settings.ts';
import { generateSigningKey } from '../keys/generate.ts';
import type { Application } from './open.ts';

const ID_BYTES = 16;

/**
 * Makes the tenant `default` and its keys where they are missing, also after a start that was cut short.
 * @param mode `background`: resolves once the tenant is there, while its keys are still being made (readiness and the
 *   token endpoint say so); `await`: with its keys
 * @throws StoreError
 */
export async function ensureDefaultTenant(application: Application, mode: 'await' | 'background'): Promise<void> {
  const { ctx } = application;
  const found = await ctx.store.findTenant({ slug: DEFAULT_TENANT });
  const tenant = found ?? await createDefault(application);
  const keys = ensureKeys(application, tenant);
  if (mode === 'await') await keys;
  else keys.catch((error: unknown) => ctx.log.error('signing keys could not be made', { kind: error instanceof Error ? error.name : 'unknown' }));
}

async function createDefault({ ctx }: Application): Promise<Tenant> {
  const nowMs = ctx.clock.now();
  const tenant = makeTenant({ id: `ten_${ctx.random.text(ID_BYTES)}`, slug: DEFAULT_TENANT, nowMs }, { name: 'Default' });
  const created = await ctx.store.createTenant(tenant, [], [
    auditEvent({ timeMs: nowMs, type: 'tenant_created', tenant: DEFAULT_TENANT, actor: 'server', subject: tenant.id, reason: tenant.preset }),
  ]);
  if (created) return tenant;
  const other = await ctx.store.findTenant({ slug: DEFAULT_TENANT });
  if (other === null) throw new Error('the tenant default can be neither made nor found');
  return other;
}

async function ensureKeys({ ctx }: Application, tenant: Tenant): Promise<void> {
  for (const status of ['active', 'next'] as const) {
    const present = async (): Promise<boolean> => (await ctx.store.listKeys(tenant.id)).some((key) => key.status === status);
    if (await present()) continue;
    const key = await generateSigningKey(ctx.master, tenant.id, tenant.algorithm, status, ctx.clock.now(), ctx.settings.rsaBits);
    // Finding primes takes a while, and another process that started on the same data may have been quicker.
    if (await present()) continue;
    try {
      await ctx.store.addKey(key, [
        auditEvent({ timeMs: ctx.clock.now(), type: 'key_created', tenant: tenant.slug, actor: 'server', subject: key.kid, reason: status }),
      ]);
    } catch (error) {
      if (!(await present())) throw error;
    }
  }
}
