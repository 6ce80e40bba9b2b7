import { ID_TOKEN_TYPE } from '../spec/names.ts';
import type { KeyRing } from '../keys/ring.ts';
import { proveJwt } from './verify.ts';

/** What an ID token of ours, given back to us, says of whom and for whom it was made. */
export type IdTokenHint = {
  readonly sub: string;
  /** Its one audience. */
  readonly clientId: string;
  readonly sid: string | null;
};

/** Longest hint that is looked at, characters. */
const MAX_HINT = 16_384;

/**
 * Reads an ID token as a hint (OpenID Connect Core §3.1.2.1, RP-Initiated Logout §2): signed by this tenant, also with a
 * key that is retired by now, and possibly expired. Revoked keys prove nothing.
 * @returns null for everything else: tampered ones, other issuers, other kinds of token
 */
export async function readIdTokenHint(token: string, ring: KeyRing, issuer: string): Promise<IdTokenHint | null> {
  if (token.length > MAX_HINT) return null;
  const proof = await proveJwt(token, ring);
  if (!proof.ok || proof.typ !== ID_TOKEN_TYPE.toLowerCase() || proof.claims === null) return null;
  const { iss, sub, aud, sid } = proof.claims;
  const audiences: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  const [clientId] = audiences;
  if (iss !== issuer || typeof sub !== 'string' || typeof clientId !== 'string' || audiences.length !== 1) return null;
  return { sub, clientId, sid: typeof sid === 'string' ? sid : null };
}
