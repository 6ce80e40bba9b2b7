import { createHmac } from 'node:crypto';

/** Codes that people type, and what is kept of them. */

/** Digits of a code that goes by mail: whoever knows a name may ask for many, and guess at each. */
const MAIL_DIGITS = 8;
/** Random bytes that a code is made of; the bias of 2^64 over a hundred million is beyond measure. */
export const CODE_BYTES = 8;

/** Eight digits out of random bytes. @param random base64url of `CODE_BYTES` bytes */
export function digitsFrom(random: string): string {
  return String(Buffer.from(random, 'base64url').readBigUInt64BE() % 10n ** BigInt(MAIL_DIGITS)).padStart(MAIL_DIGITS, '0');
}

/** What somebody typed for a code of digits, without what they typed for their eyes; null: it is none. @param kind by mail eight digits, of an authenticator six */
export function readDigits(text: string, kind: 'mail' | 'totp'): string | null {
  const digits = text.length > 32 ? '' : text.normalize('NFKC').replaceAll(/[\s-]/g, '');
  return (kind === 'mail' ? /^[0-9]{8}$/ : /^[0-9]{6}$/).test(digits) ? digits : null;
}

/**
 * What is kept of a code: keyed, as all codes are soon tried on a plain digest (CR-04).
 * @param key the data's key of codes @param id of the proof
 */
export function codeDigest(key: Uint8Array, id: string, code: string): string {
  return createHmac('sha256', key).update(`assay code\n${id}\n${code}`).digest('base64url');
}

/** A passkey's challenge, 256 bits, of the proof with this random id; only the holder of the key of codes can tell it (UI-22). */
export function challengeOf(key: Uint8Array, id: string): string {
  return createHmac('sha256', key).update(`assay passkey challenge\n${id}`).digest('base64url');
}

/** Crockford's base 32: nothing in it is mistaken for anything else. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
/** 80 bits: sixteen characters in four groups. */
export const RECOVERY_CODE_BYTES = 10;

/** `7GQX-M2PD-0K3A-ZV9R` out of random bytes. @param random base64url of `RECOVERY_CODE_BYTES` bytes */
export function recoveryCodeFrom(random: string): string {
  let bits = 0n;
  for (const byte of Buffer.from(random, 'base64url')) bits = bits << 8n | BigInt(byte);
  const characters = Array.from({ length: 16 }, (_, index) => ALPHABET[Number(bits >> BigInt(75 - index * 5) & 31n)] ?? '');
  return characters.join('').replaceAll(/.{4}(?=.)/g, '$&-');
}

/** A recovery code as it is digested: without letter case, spaces and hyphens, look-alikes put right; null: it is none. */
export function readRecoveryCode(text: string): string | null {
  if (text.length > 64) return null;
  const plain = text.normalize('NFKC').toUpperCase().replaceAll(/[\s-]/g, '').replaceAll('O', '0').replaceAll(/[IL]/g, '1');
  return /^[0-9A-HJKMNP-TV-Z]{16}$/.test(plain) ? plain : null;
}
