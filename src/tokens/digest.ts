import { createHmac, hash, timingSafeEqual } from 'node:crypto';
import type { Fingerprint } from '../core/ports.ts';

/** base64url SHA-256: the only form in which storage ever sees a token or a generated secret (CR-04). */
export function digestOf(secret: string): string {
  return hash('sha256', secret, 'base64url');
}

/** Compares two digests of equal length in constant time; unequal lengths are unequal, never an error (CA-14, CR-11). */
export function sameDigest(left: string, right: string): boolean {
  const a = Buffer.from(left);
  const b = Buffer.from(right);
  return a.length === b.length && timingSafeEqual(a, b);
}

/**
 * Names tokens for logs and audit: twelve characters of an HMAC (LG-02).
 * @param key at least 32 bytes, base64url, kept with the data so that names stay comparable
 */
export function makeFingerprint(key: string): Fingerprint {
  const bytes = Buffer.from(key, 'base64url');
  return (token) => createHmac('sha256', bytes).update(token).digest('base64url').slice(0, 12);
}
