import { argon2Digest, pbkdf2Digest, pbkdf2Digests, readForeignPassword, scryptDigest } from '../core/foreign-password.ts';

/** A hash in the form in which it is kept, or why it cannot be kept. */
export type KeptHash = { readonly digest: string } | { readonly fault: string };

const UNKNOWN = 'its password hash has a form that cannot be verified here; the password must be set anew';
const BEYOND = 'its password hash costs too much to verify, or is damaged; the password must be set anew';

/** A hash that was put into the kept form, unless that is beyond what is verified. */
export function keep(digest: string): KeptHash {
  return readForeignPassword(digest) === null ? { fault: BEYOND } : { digest };
}

/** Parameters of a PHC string, in one part (`m=1,t=2`) or in several; a number alone is how often. */
function readParameters(parts: readonly string[]): ReadonlyMap<string, string> {
  return new Map(parts.flatMap((part) => part.split(',')).map((pair): [string, string] => {
    const [name = '', value] = pair.split('=');
    return value === undefined ? ['i', name] : [name.toLowerCase(), value.toLowerCase()];
  }));
}

function number(parameters: ReadonlyMap<string, string>, ...names: readonly string[]): number {
  const text = names.map((name) => parameters.get(name)).find((value) => value !== undefined) ?? '';
  return /^[0-9]{1,12}$/.test(text) ? Number(text) : Number.NaN;
}

/** How scrypt's cost is counted here: as its logarithm. NaN: it is no power of two. */
export function logarithm(cost: number): number {
  const ln = Math.log2(cost);
  return Number.isInteger(ln) ? ln : Number.NaN;
}

/**
 * A hash that tells how it was made: bcrypt, or a PHC string of argon2, PBKDF2 or scrypt in any of the spellings that
 * servers write.
 */
export function keepHash(text: string): KeptHash {
  if (readForeignPassword(text) !== null) return { digest: text };
  if (/^\$2[abxy]\$/.test(text)) return { fault: BEYOND };
  const parts = text.split('$');
  const [before, name = '', ...more] = parts;
  if (before !== '' || more.length < 2) return { fault: UNKNOWN };
  // passlib writes a dot for the plus.
  const [salt = '', key = ''] = more.slice(-2).map((part) => part.replaceAll('.', '+'));
  const parameters = readParameters(more.slice(0, -2));
  const id = name.toLowerCase();
  const variant = (['id', 'i', 'd'] as const).find((one) => id === `argon2${one}`);
  if (variant !== undefined) {
    if (parameters.get('v') !== '19') return { fault: UNKNOWN };
    return keep(argon2Digest(variant, { memory: number(parameters, 'm'), passes: number(parameters, 't'), lanes: number(parameters, 'p') }, salt, key));
  }
  if (id === 'scrypt') {
    const cost = number(parameters, 'n');
    return keep(scryptDigest(Number.isNaN(cost) ? number(parameters, 'ln') : logarithm(cost), number(parameters, 'r'), number(parameters, 'p'), salt, key));
  }
  const digest = pbkdf2Digests.find((one) => id === `pbkdf2-${one}` || (id === 'pbkdf2' && (parameters.get('d') ?? 'sha1').replace('-', '') === one));
  return digest === undefined ? { fault: UNKNOWN } : keep(pbkdf2Digest(digest, number(parameters, 'i'), salt, key));
}
