import { BoundedMap } from '../core/bounded-map.ts';
import { refreshFacts } from '../core/refresh.ts';
import type { Tenant, TokenFacts } from '../core/model.ts';
import type { InactiveReason, Standing } from '../core/standing.ts';
import type { Store } from '../core/store.ts';
import type { KeyRing } from '../keys/ring.ts';
import { digestOf } from '../tokens/digest.ts';
import { opaqueKind } from '../tokens/opaque.ts';
import { looksLikeJwt, readAccessToken, type FormerToken, type JwtReading } from '../tokens/verify.ts';
import type { KeyRings } from './key-rings.ts';

/** Where a token's life is kept. */
export type TokenSource =
  /** `former`: another server's, before its things came here. */
  | { readonly kind: 'jwt'; readonly former?: FormerToken }
  | { readonly kind: 'opaque'; readonly digest: string; readonly revoked: boolean }
  | { readonly kind: 'refresh'; readonly digest: string; readonly rotated: boolean };

/** A token that is or was ours, or why it never was. */
export type TokenReading =
  | { readonly known: true; readonly facts: TokenFacts; readonly source: TokenSource }
  | { readonly known: false; readonly reason: InactiveReason };

/** Finds out what a token is, as one tenant sees it. Neither time nor revocation of a JWT is judged here. */
export type TokenReader = {
  /**
   * @param issuer the tenant's
   * @param options.former whether tokens of former issuers count; else they are nobody's
   * @throws StoreError
   */
  read(tenant: Tenant, issuer: string, token: string, options?: { readonly former: boolean }): Promise<TokenReading>;
};

/** Longer tokens are not ours; no work is spent on them (INT-23). */
const MAX_TOKEN_LENGTH = 16_384;
/** Visible ASCII (RFC 6749 appendix A.12; INT-25). */
const tokenForm = /^[\x21-\x7E]+$/;
/** Verified JWTs remembered, per generation; about a kilobyte each. */
const REMEMBERED = 20_000;

const JWT: TokenSource = { kind: 'jwt' };

/** By what a JWT is revoked; null: it cannot be. */
export function revocationIdOf(facts: TokenFacts, source: TokenSource): string | null {
  return source.kind === 'jwt' && source.former !== undefined ? source.former.revocationId : facts.id;
}

/** Who issued a token, as its resource servers know it. @param issuer the tenant's */
export function tokenIssuer(source: TokenSource, issuer: string): string {
  return source.kind === 'jwt' ? source.former?.issuer ?? issuer : issuer;
}

type Remembered = { readonly ring: KeyRing; readonly issuer: string; readonly reading: JwtReading };

/** Reads tokens, and remembers what a JWT's signature proved for as long as the keys stay the same. */
export function makeTokenReader(store: Store, rings: KeyRings): TokenReader {
  const verified = new BoundedMap<string, Remembered>(REMEMBERED);

  async function readJwt(tenant: Tenant, issuer: string, token: string): Promise<JwtReading> {
    const ring = await rings.of(tenant.id);
    const key = digestOf(token);
    const known = verified.get(key);
    if (known !== undefined && known.ring === ring && known.issuer === issuer) return known.reading;
    // Only what looks like a JWT is worth remembering: garbage is told apart as fast as memory would.
    if (!tokenForm.test(token) || !looksLikeJwt(token)) return { ok: false, reason: 'not_a_token' };
    const reading = await readAccessToken(token, ring, tenant.id, issuer);
    verified.set(key, { ring, issuer, reading });
    return reading;
  }

  return {
    async read(tenant, issuer, token, options) {
      if (token.length > MAX_TOKEN_LENGTH) return { known: false, reason: 'not_a_token' };
      const kind = opaqueKind(token);
      if (kind === 'access') {
        const digest = digestOf(token);
        const row = await store.findOpaqueToken(digest);
        return row === null
          ? { known: false, reason: 'unknown' }
          : { known: true, facts: row.facts, source: { kind: 'opaque', digest, revoked: row.revokedAtMs !== null } };
      }
      if (kind === 'refresh') {
        const digest = digestOf(token);
        const row = await store.findRefreshToken(digest);
        // A known one brings its grant along: one more look-up makes an unknown one take as long (INT-96).
        if (row === null) await store.findSession(tenant.id, digest);
        return row === null
          ? { known: false, reason: 'unknown' }
          : { known: true, facts: refreshFacts(row.token, row.grant), source: { kind: 'refresh', digest, rotated: row.token.use !== null } };
      }
      const reading = await readJwt(tenant, issuer, token);
      if (!reading.ok) return { known: false, reason: reading.reason };
      const { facts, former } = reading;
      if (former === null) return { known: true, facts, source: JWT };
      return options?.former === true ? { known: true, facts, source: { kind: 'jwt', former } } : { known: false, reason: 'wrong_issuer' };
    },
  };
}

/**
 * Gathers the state of everything that a token of this tenant stands on.
 * @throws StoreError
 */
export async function readStanding(store: Store, tenant: Tenant, facts: TokenFacts, source: TokenSource): Promise<Standing> {
  const record = await store.readTokenRecord(tenant.id, source.kind === 'jwt' ? revocationIdOf(facts, source) : null, facts.grantId);
  return {
    tenant,
    client: await store.findClient(tenant.id, facts.clientId),
    user: facts.userId === null ? null : await store.findUser(tenant.id, facts.userId),
    revoked: source.kind === 'jwt' ? record.revoked : source.kind === 'opaque' && source.revoked,
    rotated: source.kind === 'refresh' && source.rotated,
    grantRevoked: record.grantRevoked,
  };
}
