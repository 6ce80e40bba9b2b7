import { createHmac, hash, timingSafeEqual } from 'node:crypto';
import type { Fingerprint } from '../core/ports.ts';

/** base64url SHA-256: the only form in which storage ever sees a token or a generated secret (CR-04). */
export function digestOf(secret: string): string {
  return hash('sha256', secret, 'base64url');
}

/** Longest digest compared, characters. */
const MAX_DIGEST = 64;
const left = Buffer.alloc(MAX_DIGEST);
const right = Buffer.alloc(MAX_DIGEST);

/**
 * Compares two digests in constant time; unequal lengths are unequal, never an error (CA-14, CR-11).
 * @param expected,presented base64url SHA-256; anything longer than a digest is equal to nothing
 */
export function sameDigest(expected: string, presented: string): boolean {
  if (expected.length > MAX_DIGEST || presented.length > MAX_DIGEST) return false;
  left.fill(0).write(expected, 'latin1');
  right.fill(0).write(presented, 'latin1');
  return timingSafeEqual(left, right) && expected.length === presented.length;
}

/**
 * Names tokens for logs and audit: twelve characters of an HMAC (LG-02).
 * @param key at least 32 bytes, base64url, kept with the data so that names stay comparable
 */
export function makeFingerprint(key: string): Fingerprint {
  const bytes = Buffer.from(key, 'base64url');
  return (token) => createHmac('sha256', bytes).update(token).digest('base64url').slice(0, 12);
}
