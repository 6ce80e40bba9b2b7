import { isSessionOver, type SessionTimes } from './session.ts';
import { findFault, type InactiveReason, type Standing } from './standing.ts';
import type { Client, Grant, RefreshToken, TokenFacts } from './model.ts';

/** What presenting a refresh token comes to. */
export type RefreshVerdict =
  /** First use: spend it and issue its successor (TRT-08). */
  | { readonly act: 'rotate' }
  /** Rotation is off for the client: the same token stays good (TRT-15). */
  | { readonly act: 'keep' }
  /** The answer was lost: the same successor again (TRT-10, TRT-14). */
  | { readonly act: 'replay' }
  /** A spent token came back: the family ends (TRT-09, TRT-11). */
  | { readonly act: 'reuse' }
  /** `invalid_grant`, and nothing changes. */
  | { readonly act: 'refuse'; readonly reason: InactiveReason | 'foreign' | 'other_request' | 'session_over' };

/** Facts of a refresh token for introspection and revocation: it says what its grant says. */
export function refreshFacts(token: RefreshToken, grant: Grant): TokenFacts {
  return {
    kind: 'refresh', tenantId: token.tenantId, clientId: grant.clientId, subject: grant.userId, userId: grant.userId,
    scopes: grant.scopes, audience: grant.audience, issuedAtMs: token.issuedAtMs,
    expiresAt: Math.floor(token.expiresAtMs / 1000), notBefore: null, id: null, grantId: grant.id,
    sessionId: grant.sessionId, orgId: grant.orgId, confirmation: null, actor: null, authTime: grant.authTime, acr: grant.acr,
  };
}

/**
 * Decides about a presented refresh token (RFC 6749 §6; OAuth 2.1 §4.3.1). A foreign client consumes nothing and
 * kills nothing (TRT-04, TRT-12); reuse is judged only for a caller that proved to be the token's own client.
 * @param request.digest of what is asked now, compared to what the first use asked
 * @param request.graceMs how long a spent token may be answered again
 * @param request.session the browser's session that the grant ends with; null: none
 */
export function decideRefresh(
  caller: Client,
  token: RefreshToken,
  grant: Grant,
  standing: Standing,
  request: { readonly digest: string; readonly nowMs: number; readonly graceMs: number; readonly session: SessionTimes | null },
): RefreshVerdict {
  const facts = refreshFacts(token, grant);
  if (facts.tenantId !== caller.tenantId || grant.clientId !== caller.id) return { act: 'refuse', reason: 'foreign' };
  const fault = findFault(facts, { ...standing, rotated: false }, request.nowMs);
  if (fault !== null) return { act: 'refuse', reason: fault };
  if (request.session !== null && isSessionOver(request.session, standing.tenant, request.nowMs)) return { act: 'refuse', reason: 'session_over' };
  const { use } = token;
  if (use === null) return { act: caller.refreshRotation ? 'rotate' : 'keep' };
  if (request.nowMs - use.usedAtMs > request.graceMs || use.successorUsed) return { act: 'reuse' };
  return use.requestDigest === request.digest ? { act: 'replay' } : { act: 'refuse', reason: 'other_request' };
}
