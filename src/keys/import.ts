import { createPublicKey } from 'node:crypto';
import { calculateJwkThumbprint, importJWK } from 'jose';
import type { PublicJwk } from '../spec/metadata.ts';
import type { SigningAlgorithm } from '../spec/names.ts';

/** A key out of somebody else's JWK set, its public part, or why it cannot be had. */
export type ImportedJwk =
  | { readonly ok: true; readonly jwk: PublicJwk }
  | { readonly ok: false; readonly problem: string };

/** RFC 8725 §3.5. */
const LEAST_RSA_BITS = 2048;
const MOST_RSA_BITS = 8192;
/** With the exponent 1 everybody signs; with a large one verifying takes long (FIPS 186-5 §5.4 is stricter still). */
const LEAST_EXPONENT = 3n;
const MOST_EXPONENT = 2n ** 32n;
/** Points of Ed25519 of small order, their sign apart: under them everybody signs. */
const smallOrder: ReadonlySet<string> = new Set([
  '00'.repeat(32), `01${'00'.repeat(31)}`, '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a', ...['ec', 'ed', 'ee'].map((first) => `${first}${'ff'.repeat(30)}7f`),
]);
/** As long as what a token may name. */
const kidForm = /^[\x21-\x7E]{1,256}$/;
/** Members of private and of symmetric keys (RFC 7518 §6). */
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

function algorithmOf(key: Readonly<Record<string, unknown>>): SigningAlgorithm | null {
  const { kty, crv, alg } = key;
  if (kty === 'RSA') return alg === undefined || alg === 'RS256' ? 'RS256' : alg === 'PS256' ? 'PS256' : null;
  if (kty === 'EC') return crv === 'P-256' && (alg === undefined || alg === 'ES256') ? 'ES256' : null;
  if (kty === 'OKP') return crv === 'Ed25519' && (alg === undefined || alg === 'EdDSA' || alg === 'Ed25519') ? 'EdDSA' : null;
  return null;
}

function isOfSmallOrder(x: string): boolean {
  const point = Buffer.from(x, 'base64url');
  const last = point.length - 1;
  if (last >= 0) point.writeUInt8(point.readUInt8(last) & 0x7f, last);
  return smallOrder.has(point.toString('hex'));
}

/** Whether a key is for encryption rather than signatures, and so none of ours to keep (RFC 7517 §4.2). */
export function isForEncryption(key: unknown): boolean {
  return typeof key === 'object' && key !== null && 'use' in key && key.use === 'enc';
}

/**
 * Takes the public part of a JWK that verifies signatures (RFC 7517): RS256, PS256, ES256 or EdDSA, RSA of 2048 bits or
 * more. A private key is refused and not merely cut: whoever hands it about must hear of it.
 */
export async function importJwk(key: unknown): Promise<ImportedJwk> {
  if (typeof key !== 'object' || key === null || Array.isArray(key)) return { ok: false, problem: 'is not a JSON Web Key' };
  const members: Readonly<Record<string, unknown>> = { ...key };
  if (privateMembers.some((name) => name in members)) return { ok: false, problem: 'holds a private or symmetric key: give the public part only, and hold the key for known by others' };
  const algorithm = algorithmOf(members);
  if (algorithm === null) return { ok: false, problem: 'is for none of RS256, PS256, ES256 and EdDSA' };
  const { kty, n, e, crv, x, y, kid } = members;
  const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
  const material: Record<string, string> = { kty: String(kty) };
  for (const [name, value] of Object.entries(algorithm === 'ES256' ? { crv, x, y } : algorithm === 'EdDSA' ? { crv, x } : { n, e })) {
    const found = text(value);
    if (found === undefined || !/^[A-Za-z0-9_-]+$/.test(found)) return { ok: false, problem: `has no ${name}` };
    material[name] = found;
  }
  if (kid !== undefined && (typeof kid !== 'string' || !kidForm.test(kid))) return { ok: false, problem: 'has an id that no token could name' };
  try {
    const { modulusLength: bits, publicExponent: exponent = 0n } = createPublicKey({ key: material, format: 'jwk' }).asymmetricKeyDetails ?? {};
    if (kty === 'RSA' && (bits === undefined || bits < LEAST_RSA_BITS || bits > MOST_RSA_BITS)) return { ok: false, problem: `is an RSA key of ${bits ?? 0} bits; at least ${LEAST_RSA_BITS} are needed` };
    if (kty === 'RSA' && (exponent < LEAST_EXPONENT || exponent > MOST_EXPONENT || exponent % 2n === 0n)) return { ok: false, problem: 'is an RSA key with an exponent that proves nothing' };
    if (algorithm === 'EdDSA' && isOfSmallOrder(material['x'] ?? '')) return { ok: false, problem: 'is a key under which everybody signs' };
    const own = { kty: String(kty), ...material };
    // As the ring will: a key that it could not take would keep the tenant's own from being used.
    await importJWK(own, algorithm);
    return { ok: true, jwk: { ...own, kid: kid ?? await calculateJwkThumbprint(own), use: 'sig', alg: algorithm } };
  } catch {
    return { ok: false, problem: 'is no key' };
  }
}
