/**
 * Hashes of passwords that other servers made, in the one form in which they are kept (PHC strings; bcrypt's own). They
 * verify as long as their people do not sign in; then a hash of ours takes their place (CR-01).
 */

/** What a hash may cost to verify: whoever brings one must not be able to stop the server with it. */
const MOST_BCRYPT_COST = 14;
const MOST_ARGON2_KIB = 262_144;
const MOST_ARGON2_PASSES = 16;
const MOST_ARGON2_LANES = 16;
const MOST_PBKDF2_ITERATIONS = 2_000_000;
const MOST_SCRYPT_LN = 17;
const MOST_SCRYPT_R = 16;
const MOST_SCRYPT_P = 8;
/**
 * The parameters of these two multiply: about two seconds of a core, as long as the costliest of the others takes. KiB times
 * passes; N times r times p.
 */
const MOST_ARGON2_WORK = 1_048_576;
const MOST_SCRYPT_WORK = 4_194_304;
/** Bytes of salts and hashes. */
const LEAST_HASH = 16;
const MOST_BYTES = 128;

/** Hash functions that PBKDF2 is used with. */
export const pbkdf2Digests = ['sha1', 'sha256', 'sha512'] as const;
export type Pbkdf2Digest = (typeof pbkdf2Digests)[number];

/** A foreign hash, taken apart. Salts and hashes are base64 without padding. */
export type ForeignPassword =
  | { readonly kind: 'bcrypt' | 'argon2'; readonly digest: string }
  | { readonly kind: 'pbkdf2'; readonly hash: Pbkdf2Digest; readonly iterations: number; readonly salt: string; readonly key: string }
  | { readonly kind: 'scrypt'; readonly ln: number; readonly r: number; readonly p: number; readonly salt: string; readonly key: string };

const base64 = /^[A-Za-z0-9+/]+$/;
const bcryptForm = /^\$2[aby]\$([0-9]{2})\$[./A-Za-z0-9]{53}$/;
const argon2Form = /^\$argon2(?:id|i|d)\$v=19\$m=([0-9]{1,9}),t=([0-9]{1,4}),p=([0-9]{1,3})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;
const pbkdf2Form = /^\$pbkdf2-(sha1|sha256|sha512)\$i=([0-9]{1,9})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;
const scryptForm = /^\$scrypt\$ln=([0-9]{1,2}),r=([0-9]{1,3}),p=([0-9]{1,3})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;

function bytesOf(text: string): number {
  return Math.floor((text.length * 3) / 4);
}

function within(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}

const isKey = (text: string): boolean => base64.test(text) && within(bytesOf(text), LEAST_HASH, MOST_BYTES);
const isSalt = (text: string): boolean => base64.test(text) && within(bytesOf(text), 1, MOST_BYTES);

/** Takes a kept hash apart; null: it is none of these, or costs too much. */
export function readForeignPassword(digest: string): ForeignPassword | null {
  const [, cost] = bcryptForm.exec(digest) ?? [];
  if (cost !== undefined) return within(Number(cost), 4, MOST_BCRYPT_COST) ? { kind: 'bcrypt', digest } : null;
  const [, m, t, lanes, argonSalt = '', argonKey = ''] = argon2Form.exec(digest) ?? [];
  if (m !== undefined) {
    const bounded = within(Number(m), 8, MOST_ARGON2_KIB) && within(Number(t), 1, MOST_ARGON2_PASSES) && within(Number(lanes), 1, MOST_ARGON2_LANES)
      && Number(m) * Number(t) <= MOST_ARGON2_WORK;
    return bounded && isSalt(argonSalt) && isKey(argonKey) ? { kind: 'argon2', digest } : null;
  }
  const [, name, iterations, salt = '', key = ''] = pbkdf2Form.exec(digest) ?? [];
  const hash = pbkdf2Digests.find((one) => one === name);
  if (hash !== undefined) {
    return within(Number(iterations), 1, MOST_PBKDF2_ITERATIONS) && isSalt(salt) && isKey(key) ? { kind: 'pbkdf2', hash, iterations: Number(iterations), salt, key } : null;
  }
  const [, ln, r, p, scryptSalt = '', scryptKey = ''] = scryptForm.exec(digest) ?? [];
  if (ln === undefined) return null;
  const bounded = within(Number(ln), 1, MOST_SCRYPT_LN) && within(Number(r), 1, MOST_SCRYPT_R) && within(Number(p), 1, MOST_SCRYPT_P)
    && 2 ** Number(ln) * Number(r) * Number(p) <= MOST_SCRYPT_WORK;
  return bounded && isSalt(scryptSalt) && isKey(scryptKey) ? { kind: 'scrypt', ln: Number(ln), r: Number(r), p: Number(p), salt: scryptSalt, key: scryptKey } : null;
}

/** Base64 as PHC strings have it: standard alphabet, no padding. Takes the URL's alphabet and padding as well. */
function plainBase64(text: string): string {
  return text.replaceAll('-', '+').replaceAll('_', '/').replace(/=+$/, '');
}

/** The kept form of a PBKDF2 hash. @param salt, key base64 */
export function pbkdf2Digest(hash: Pbkdf2Digest, iterations: number, salt: string, key: string): string {
  return `$pbkdf2-${hash}$i=${iterations}$${plainBase64(salt)}$${plainBase64(key)}`;
}

/** The kept form of a scrypt hash. @param ln logarithm of N. @param salt, key base64 */
export function scryptDigest(ln: number, r: number, p: number, salt: string, key: string): string {
  return `$scrypt$ln=${ln},r=${r},p=${p}$${plainBase64(salt)}$${plainBase64(key)}`;
}

/** The kept form of an argon2 hash. @param memory KiB. @param salt, key base64 */
export function argon2Digest(kind: 'id' | 'i' | 'd', parameters: { readonly memory: number; readonly passes: number; readonly lanes: number }, salt: string, key: string): string {
  return `$argon2${kind}$v=19$m=${parameters.memory},t=${parameters.passes},p=${parameters.lanes}$${plainBase64(salt)}$${plainBase64(key)}`;
}
