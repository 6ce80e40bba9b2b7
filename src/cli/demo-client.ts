import type { Client, Tenant } from '../core/model.ts';
import type { Context } from '../service/context.ts';
import { createClient, revokeClientTokens, rotateSecret, updateClient } from '../service/manage-clients.ts';
import type { Managed } from '../service/manage-outcome.ts';
import type { DemoClient } from './demo-tenants.ts';
import { valueOf } from './failure.ts';

/** Quietly: the demo's terminal belongs to what is printed. */
export const quiet = (): void => undefined;

/** What was made, or what an earlier start of the demo made. */
export async function ensure<T>(created: Managed<T>, existing: () => Promise<Managed<T>>): Promise<T> {
  return valueOf(!created.ok && created.error === 'already_exists' ? await existing() : created, quiet);
}

/** The client and its new secret; its earlier tokens are dead. */
export async function makeDemoClient(ctx: Context, tenant: Tenant, wanted: DemoClient): Promise<{ readonly client: Client; readonly secret: string }> {
  const fresh = { supplied: null, ttl: null };
  const made = await ensure(await createClient(ctx, tenant, { ...wanted, secret: fresh }), async () => {
    const updated = await updateClient(ctx, tenant, wanted.id, wanted.change);
    if (!updated.ok) return updated;
    const revoked = await revokeClientTokens(ctx, tenant, wanted.id);
    if (!revoked.ok) return revoked;
    return wanted.public ? { ...revoked, value: { client: revoked.value, secret: null } } : rotateSecret(ctx, tenant, wanted.id, fresh, 0);
  });
  return { client: made.client, secret: made.secret?.text ?? '' };
}
