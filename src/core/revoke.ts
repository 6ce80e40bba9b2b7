import type { Client, RefreshRevocation, Tenant, TokenFacts } from './model.ts';

/** What a revocation request comes to. Whatever it is, the caller gets the same 200 (RFC 7009 §2.2). */
export type RevocationVerdict =
  /** Concerns no token of this tenant. */
  | { readonly act: 'nothing' }
  /** The caller may not; operators are told. */
  | { readonly act: 'deny' }
  /** This access token alone (REV-15). */
  | { readonly act: 'revoke_token' }
  /** The whole grant (REV-12, REV-13), and as `cascade` says its session too (REV-14). */
  | { readonly act: 'revoke_grant'; readonly cascade: RefreshRevocation };

/**
 * RFC 7009 §2.1 with the tenant's policy. A public client may revoke only what was issued to it.
 * @param facts what the token is, also when it expired or was revoked before; null when nobody knows it
 */
export function decideRevocation(tenant: Tenant, caller: Client, facts: TokenFacts | null): RevocationVerdict {
  if (facts === null) return { act: 'nothing' };
  if (facts.tenantId !== tenant.id) return { act: 'deny' };
  const own = facts.clientId === caller.id;
  const anyOfTenant = tenant.revocationPolicy === 'tenant' && !caller.public && !caller.selfRegistered;
  if (!own && !anyOfTenant) return { act: 'deny' };
  return facts.kind === 'refresh' ? { act: 'revoke_grant', cascade: tenant.refreshRevocation } : { act: 'revoke_token' };
}
