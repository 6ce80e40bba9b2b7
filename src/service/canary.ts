import type { Tenant } from '../core/model.ts';
import type { Context } from './context.ts';
import { introspect } from './introspect.ts';
import { issueToken } from './issue-token.ts';
import { createClient } from './manage-clients.ts';
import { done, refused, type Managed } from './manage-outcome.ts';
import { revokeToken } from './manage-tokens.ts';

const ID_BYTES = 9;

/**
 * Whether this data does what it is for: a client of its own gets a token, which is active, and inactive once revoked. It
 * leaves traces, so it is for copies. `value`: slug of the tenant that it was tried at.
 * @throws StoreError, UnsealError
 */
export async function tryTokens(ctx: Context): Promise<Managed<string>> {
  const tenant = await findSigningTenant(ctx);
  if (tenant === null) return refused('conflict', 'no tenant that is enabled has a key that signs');
  const id = `canary-${ctx.random.text(ID_BYTES)}`;
  const made = await createClient(ctx, tenant, { id, public: false, change: { grants: ['client_credentials'] }, secret: { supplied: null, ttl: null } });
  if (!made.ok) return made;
  const issued = await issueToken(ctx, tenant, { client: id, user: null, org: null, session: null, scopes: null, audience: [] });
  if (!issued.ok) return issued;
  const token = issued.value.access_token;
  const before = await introspect(ctx, tenant, made.value.client, token);
  if (!before.active) return refused('conflict', `a token that was just issued is inactive (${before.reason})`);
  const revoked = await revokeToken(ctx, tenant, token);
  if (!revoked.ok) return revoked;
  const after = await introspect(ctx, tenant, made.value.client, token);
  return after.active ? refused('conflict', 'a token that was just revoked is still active') : done(tenant.slug);
}

async function findSigningTenant(ctx: Context): Promise<Tenant | null> {
  for (const tenant of await ctx.store.listTenants()) {
    if (tenant.disabledAtMs !== null) continue;
    const keys = await ctx.store.listKeys(tenant.id);
    if (keys.some((key) => key.status === 'active')) return tenant;
  }
  return null;
}
