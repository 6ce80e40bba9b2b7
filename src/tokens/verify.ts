import { compactVerify, errors } from 'jose';
import { ACCESS_TOKEN_TYPE } from '../spec/names.ts';
import { factsFromClaims } from '../core/claims.ts';
import { factsFromFormerToken } from '../core/former-issuer.ts';
import type { TokenFacts } from '../core/model.ts';
import type { InactiveReason } from '../core/standing.ts';
import type { FormerKey, KeyRing } from '../keys/ring.ts';
import { digestOf } from './digest.ts';

/** Of an access token that another server signed: whose it is, and by what it is revoked here. */
export type FormerToken = { readonly issuer: string; readonly revocationId: string };

/** A JWT that this tenant, or a server before it, signed as an access token, or why it is not one. Times and revocation are not looked at. */
export type JwtReading =
  | { readonly ok: true; readonly facts: TokenFacts; readonly former: FormerToken | null }
  | { readonly ok: false; readonly reason: Extract<InactiveReason, 'not_a_token' | 'bad_signature' | 'key_revoked' | 'wrong_issuer' | 'wrong_type'> };

const compactForm = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;
const MAX_KID = 256;

/** Whether text has the outer form of a signed JWT: three base64url parts (INT-74, INT-75). */
export function looksLikeJwt(token: string): boolean {
  return compactForm.test(token);
}

function parseObject(json: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null;
  } catch {
    return null;
  }
}

function readHeader(token: string): { readonly kid: string | null; readonly alg: string; readonly typ: string } | null {
  const header = parseObject(Buffer.from(token.slice(0, token.indexOf('.')), 'base64url').toString());
  if (header === null) return null;
  const { alg, kid, typ } = header;
  // Critical extensions are for those who understand them; embedded keys are never looked at (INT-77, INT-78).
  if (typeof alg !== 'string' || 'crit' in header) return null;
  return {
    alg,
    kid: typeof kid === 'string' && kid.length <= MAX_KID ? kid : null,
    typ: typeof typ === 'string' ? typ.toLowerCase().replace(/^application\//, '') : '',
  };
}

/** A JWT that a tenant signed, whatever it is for: its JOSE `typ` in lower case tells, and must be looked at (RFC 8725 §3.11). */
export type JwtProof =
  | { readonly ok: true; readonly typ: string; readonly claims: Readonly<Record<string, unknown>> | null }
  | { readonly ok: false; readonly reason: 'not_a_token' | 'bad_signature' | 'key_revoked' };

/**
 * Proves a JWT against one tenant's keys (RFC 8725 §3). Keys are looked up in this tenant's ring only (INT-83), the
 * algorithm is the key's and not the token's (INT-76), and a token that names no key of ours costs the same work as one
 * that does (INT-96).
 */
export async function proveJwt(token: string, ring: KeyRing): Promise<JwtProof> {
  const header = looksLikeJwt(token) ? readHeader(token) : null;
  if (header === null) return { ok: false, reason: 'not_a_token' };
  const named = header.kid === null ? undefined : ring.verifiers.get(header.kid);
  const key = named ?? ring.decoy;
  const unproven = header.kid !== null && ring.revoked.has(header.kid) ? 'key_revoked' : 'bad_signature';
  if (key === null) return { ok: false, reason: unproven };
  const payload = await verifySignature(token, key.algorithm, key.key);
  if (named === undefined || header.alg !== named.algorithm || payload === null) return { ok: false, reason: unproven };
  return { ok: true, typ: header.typ, claims: parseObject(new TextDecoder().decode(payload)) };
}

/** The key of a former issuer that a token names. It is never one of the tenant's own. */
function formerKey(token: string, ring: KeyRing): FormerKey | undefined {
  if (ring.former.size === 0 || !looksLikeJwt(token)) return undefined;
  const kid = readHeader(token)?.kid ?? null;
  return kid === null ? undefined : ring.former.get(kid);
}

/**
 * Proves an access token of a former issuer: signed with a key that was imported, by the issuer of that very key. It is
 * revoked by a digest of what names it there, as two issuers may give the same id.
 */
async function readFormerToken(token: string, key: FormerKey, tenantId: string): Promise<JwtReading> {
  const header = readHeader(token);
  const payload = header?.alg === key.algorithm ? await verifySignature(token, key.algorithm, key.key) : null;
  if (header === null || payload === null) return { ok: false, reason: 'bad_signature' };
  const claims = parseObject(new TextDecoder().decode(payload));
  if (claims === null) return { ok: false, reason: 'not_a_token' };
  if (claims['iss'] !== key.issuer) return { ok: false, reason: 'wrong_issuer' };
  const facts = factsFromFormerToken(header.typ, claims, tenantId);
  if (facts === null) return { ok: false, reason: 'wrong_type' };
  // The signed part, not the signature: of some algorithms there are several signatures that are right.
  const named = facts.id === null ? `text\n${token.slice(0, token.lastIndexOf('.'))}` : `jti\n${facts.id}`;
  return { ok: true, facts, former: { issuer: key.issuer, revocationId: `former_${digestOf(`${key.issuer}\n${named}`)}` } };
}

/** Proves a JWT access token against one tenant's keys (RFC 9068 §4), or against those of its former issuers. */
export async function readAccessToken(token: string, ring: KeyRing, tenantId: string, issuer: string): Promise<JwtReading> {
  const former = formerKey(token, ring);
  if (former !== undefined) return readFormerToken(token, former, tenantId);
  const proof = await proveJwt(token, ring);
  if (!proof.ok) return proof;
  const { typ, claims } = proof;
  if (typ !== ACCESS_TOKEN_TYPE) return { ok: false, reason: 'wrong_type' };
  if (claims === null) return { ok: false, reason: 'not_a_token' };
  if (claims['iss'] !== issuer) return { ok: false, reason: 'wrong_issuer' };
  const facts = factsFromClaims(claims, tenantId);
  return facts === null ? { ok: false, reason: 'not_a_token' } : { ok: true, facts, former: null };
}

async function verifySignature(token: string, algorithm: string, key: CryptoKey): Promise<Uint8Array | null> {
  try {
    const { payload } = await compactVerify(token, key, { algorithms: [algorithm] });
    return payload;
  } catch (error) {
    if (error instanceof errors.JOSEError) return null;
    throw error;
  }
}
