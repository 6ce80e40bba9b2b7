import { isCutOff } from './standing.ts';
import type { Client, Tenant, User } from './model.ts';
import type { AuthorizationCode } from './people.ts';

/** Wrong verifiers after which a code is spent (TOK-16). */
export const MOST_CODE_FAILURES = 5;
/** How long a code is good, milliseconds (TAC-13). */
export const CODE_LIFE_MS = 60_000;

/** What presenting a code comes to. */
export type CodeVerdict =
  | { readonly act: 'redeem' }
  /** A used code came back, rightly presented: whatever came of it ends (TAC-10). */
  | { readonly act: 'replay' }
  /** Counted; the code stays good for whoever has the verifier. */
  | { readonly act: 'wrong_verifier' }
  | { readonly act: 'refuse'; readonly error: 'invalid_grant' | 'invalid_request'; readonly reason: string };

const verifierForm = /^[A-Za-z0-9._~-]{43,128}$/;
const refuse = (reason: string, error: 'invalid_grant' | 'invalid_request' = 'invalid_grant'): CodeVerdict => ({ act: 'refuse', error, reason });

/** What a token request says about its code. */
export type CodePresentation = {
  readonly redirectUri: string | null;
  readonly verifier: string | null;
  /** base64url SHA-256 of the verifier; S256 (RFC 7636 §4.6). */
  readonly verifierDigest: string | null;
};

/**
 * Decides about a presented code (OAuth 2.1 §4.1.3). Whoever cannot prove to be the one it was made for changes nothing
 * about it: neither spends it nor ends what came of it (TAC-04, TAC-11).
 */
export function decideCode(
  code: AuthorizationCode, caller: Client, tenant: Tenant, user: User | null, presented: CodePresentation, nowMs: number,
): CodeVerdict {
  if (code.tenantId !== caller.tenantId || code.clientId !== caller.id) return refuse('foreign');
  if (presented.redirectUri !== null && code.redirectUri !== null && presented.redirectUri !== code.redirectUri) return refuse('redirect_uri');
  // Without a challenge, the address is what tells whom the code was sent to (RFC 6749 §4.1.3).
  if (presented.redirectUri === null && code.redirectUri !== null && code.challenge === null) return refuse('redirect_uri_missing');
  const fault = findVerifierFault(code, presented);
  if (fault !== null) return fault;
  if (code.usedAtMs !== null) return code.grantId === null ? refuse('spent') : { act: 'replay' };
  if (nowMs >= code.expiresAtMs) return refuse('expired');
  // In whole seconds, as tokens have them: none would live for less than one.
  if (nowMs >= Math.floor(code.sessionEndsAtMs / 1000) * 1000) return refuse('session_over');
  if (tenant.disabledAtMs !== null || isCutOff(code.issuedAtMs, tenant) || isCutOff(code.issuedAtMs, caller)) return refuse('cut_off');
  if (user === null || user.deletedAtMs !== null || user.disabledAtMs !== null || isCutOff(code.issuedAtMs, user)) return refuse('user_disabled');
  return { act: 'redeem' };
}

function findVerifierFault(code: AuthorizationCode, { verifier, verifierDigest }: CodePresentation): CodeVerdict | null {
  if (code.challenge === null) return verifier === null ? null : refuse('verifier_without_challenge', 'invalid_request');
  if (verifier === null) return refuse('verifier_missing');
  if (!verifierForm.test(verifier)) return refuse('verifier_malformed');
  if (verifierDigest === code.challenge) return null;
  return code.usedAtMs === null ? { act: 'wrong_verifier' } : refuse('wrong_verifier');
}
