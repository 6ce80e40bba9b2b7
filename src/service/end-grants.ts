import type { Tenant } from '../core/model.ts';
import type { Context } from './context.ts';
import { revokeGrant } from './manage-grants.ts';
import { done, refused, type Managed } from './manage-outcome.ts';
import { requireUser } from './manage-users.ts';

/** Grants that are looked at in one go. */
const PART = 100;
/** Grants that one act ends at most: who has more says it again, or cuts the client or user off. */
const MOST = 10_000;

/**
 * Ends every live grant of a user, or at a client, or of that user at that client.
 * @param of user by id or name
 * @returns how many ended
 * @throws StoreError
 */
export async function endGrants(ctx: Context, tenant: Tenant, of: { readonly user: string | null; readonly clientId: string | null }): Promise<Managed<number>> {
  if (of.user === null && of.clientId === null) return refused('invalid_request', 'name a user or a client: whose grants are to end', { member: 'user' });
  const found = of.user === null ? null : await requireUser(ctx, tenant, of.user);
  if (found !== null && !found.ok) return { ...found, member: 'user' };
  const filter = { ...(found !== null && { userId: found.value.id }), ...(of.clientId !== null && { clientId: of.clientId }) };
  let ended = 0;
  for (let after: string | null = null; ended < MOST;) {
    const { items, next } = await ctx.store.pageGrants(tenant.id, { after, limit: PART }, filter, ctx.clock.now());
    for (const { grant } of items) {
      await revokeGrant(ctx, tenant, grant.id);
      ended += 1;
    }
    if (next === null) return done(ended);
    after = next;
  }
  return done(ended, [`${ended} were ended, and there are more: say it again`]);
}
