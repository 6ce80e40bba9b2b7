import { openedAtOf } from './claims.ts';
import type { Client, Tenant, TokenFacts, User } from './model.ts';

/** Why a token is worthless. Operators see it; callers never do. */
export type InactiveReason =
  | 'not_a_token'
  | 'unknown'
  | 'bad_signature'
  | 'key_revoked'
  | 'wrong_issuer'
  | 'wrong_type'
  | 'other_tenant'
  | 'expired'
  | 'not_yet_valid'
  | 'issued_in_future'
  | 'revoked'
  | 'rotated'
  | 'grant_revoked'
  | 'client_disabled'
  | 'client_unknown'
  | 'user_disabled'
  | 'user_unknown'
  | 'tenant_disabled'
  | 'policy';

/** State of everything that a token stands on, as the store has it now. */
export type Standing = {
  readonly tenant: Tenant;
  readonly client: Client | null;
  /** null for a token without a user, and for a user that does not exist. */
  readonly user: User | null;
  /** The token itself was revoked. */
  readonly revoked: boolean;
  /** A spent refresh token. */
  readonly rotated: boolean;
  /** The grant was revoked, or is gone. */
  readonly grantRevoked: boolean;
};

/** Seconds by which another server's clock may be ahead of ours (TM-01). Our own tokens get no grace after `exp`. */
export const FUTURE_TOLERANCE_S = 10;

/** When an owner's cutoff ended what was issued: at the cutoff's very millisecond too, since order within it is unknown. */
export function isCutOff(issuedAtMs: number, owner: { readonly notBeforeMs: number }): boolean {
  return issuedAtMs <= owner.notBeforeMs;
}

/**
 * What cutoffs are compared to: a token of a grant is as old as the grant, so that a refresh which was under way while
 * an owner was disabled brings nothing over the cutoff.
 */
function standsSince(facts: TokenFacts): number {
  const openedAtMs = facts.grantId === null ? null : openedAtOf(facts.grantId);
  return openedAtMs === null ? facts.issuedAtMs : Math.min(openedAtMs, facts.issuedAtMs);
}

/**
 * Whether a token is good now, apart from who asks.
 * @param nowMs milliseconds
 * @returns the first reason against it, or null when it is good (RFC 7662 §2.2, §4)
 */
export function findFault(facts: TokenFacts, standing: Standing, nowMs: number): InactiveReason | null {
  const { tenant, client, user } = standing;
  const sinceMs = standsSince(facts);
  if (facts.tenantId !== tenant.id) return 'other_tenant';
  if (tenant.disabledAtMs !== null || tenant.deletedAtMs !== null || isCutOff(sinceMs, tenant)) return 'tenant_disabled';
  if (facts.expiresAt !== null && nowMs >= facts.expiresAt * 1000) return 'expired';
  if (facts.notBefore !== null && nowMs < facts.notBefore * 1000) return 'not_yet_valid';
  if (facts.issuedAtMs > nowMs + FUTURE_TOLERANCE_S * 1000) return 'issued_in_future';
  if (standing.revoked) return 'revoked';
  if (standing.rotated) return 'rotated';
  if (standing.grantRevoked) return 'grant_revoked';
  if (client === null || client.deletedAtMs !== null) return 'client_unknown';
  if (client.disabledAtMs !== null || isCutOff(sinceMs, client)) return 'client_disabled';
  if (facts.userId === null) return null;
  if (user === null || user.deletedAtMs !== null) return 'user_unknown';
  if (user.disabledAtMs !== null || isCutOff(sinceMs, user)) return 'user_disabled';
  return null;
}
