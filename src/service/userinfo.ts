import { layouts, tenantPrefix } from '../core/layouts.ts';
import { issuerOf } from '../core/issuer.ts';
import type { Tenant } from '../core/model.ts';
import { findFault } from '../core/standing.ts';
import { describeUser, findUserinfoFault } from '../core/userinfo.ts';
import type { UserinfoClaims } from '../spec/introspection.ts';
import { claimsFor } from './claims.ts';
import type { Context } from './context.ts';
import { readStanding } from './read-token.ts';

/** What the bearer of a token is told. */
export type UserinfoOutcome =
  | { readonly ok: true; readonly claims: UserinfoClaims }
  | { readonly ok: false; readonly error: 'invalid_token' | 'insufficient_scope' };

/** A tenant's canonical userinfo URL, which a token's audience may name. */
function userinfoUrl(tenant: Tenant, issuer: string): string {
  const layout = layouts[tenant.layout];
  const prefix = tenantPrefix(layout, tenant.slug);
  return issuer.slice(0, issuer.length - prefix.length) + prefix + layout.paths.userinfo[0].path;
}

/**
 * OpenID Connect Core §5.3: who is the person behind this access token? The token is judged now, as introspection
 * judges it (AT-13, US-05, US-13).
 * @throws StoreError
 */
export async function tellUserinfo(ctx: Pick<Context, 'store' | 'clock' | 'tokens' | 'origin' | 'log'>, tenant: Tenant, token: string): Promise<UserinfoOutcome> {
  const issuer = issuerOf(tenant, ctx.origin());
  const reading = await ctx.tokens.read(tenant, issuer, token);
  if (!reading.known || reading.facts.kind !== 'access' || reading.facts.tenantId !== tenant.id) return { ok: false, error: 'invalid_token' };
  const { facts } = reading;
  const standing = await readStanding(ctx.store, tenant, facts, reading.source);
  if (findFault(facts, standing, ctx.clock.now()) !== null) return { ok: false, error: 'invalid_token' };
  const refusal = findUserinfoFault(facts, issuer, userinfoUrl(tenant, issuer));
  if (refusal !== null) return { ok: false, error: refusal === 'insufficient_scope' ? 'insufficient_scope' : 'invalid_token' };
  const { user } = standing;
  if (user === null) return { ok: false, error: 'invalid_token' };
  return { ok: true, claims: describeUser(facts, user, await claimsFor(ctx, tenant, 'userinfo', user, facts.orgId)) };
}
