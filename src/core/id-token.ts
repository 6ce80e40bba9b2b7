import type { Grant } from './model.ts';

/** Claims of an ID token (OpenID Connect Core §2); times in whole seconds. Beside these: standard and mapped claims. */
export type IdTokenClaims = {
  readonly iss: string;
  readonly sub: string;
  readonly aud: string;
  readonly exp: number;
  readonly iat: number;
  readonly auth_time?: number;
  readonly nonce?: string;
  readonly at_hash?: string;
  readonly acr?: string;
  readonly amr?: readonly string[];
  readonly sid?: string;
  readonly [claim: string]: unknown;
};

/** What an ID token says, beside whose it is. */
export type IdTokenPlan = {
  readonly issuer: string;
  readonly grant: Pick<Grant, 'userId' | 'clientId' | 'sessionId' | 'authTime' | 'acr' | 'amr'>;
  /** Of the authorization request; a refreshed ID token has none (OpenID Connect Core §12.2). */
  readonly nonce: string | null;
  /** `at_hash`. */
  readonly accessTokenHash: string;
  readonly nowMs: number;
  /** Seconds. */
  readonly lifetime: number;
  /** Claims by scope, and the tenant's own. */
  readonly more: Readonly<Record<string, unknown>>;
};

/** The claims of an ID token; none of `more` goes over one of the protocol's own. */
export function idTokenClaims({ issuer, grant, nonce, accessTokenHash, nowMs, lifetime, more }: IdTokenPlan): IdTokenClaims {
  const iat = Math.floor(nowMs / 1000);
  return {
    ...more,
    iss: issuer,
    sub: grant.userId,
    aud: grant.clientId,
    exp: iat + lifetime,
    iat,
    ...(grant.authTime !== null && { auth_time: grant.authTime }),
    ...(nonce !== null && { nonce }),
    at_hash: accessTokenHash,
    ...(grant.acr !== null && { acr: grant.acr }),
    ...(grant.amr.length > 0 && { amr: grant.amr }),
    ...(grant.sessionId !== null && { sid: grant.sessionId }),
  };
}
