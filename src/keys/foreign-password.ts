import { pbkdf2, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { readForeignPassword } from '../core/foreign-password.ts';

const derivePbkdf2 = promisify(pbkdf2);
const deriveScrypt = promisify<string, Buffer, number, { readonly N: number; readonly r: number; readonly p: number; readonly maxmem: number }, Buffer>(scrypt);

/** Bytes that bcrypt looks at; Bun hashes longer passwords another way first, and other servers did not. */
const BCRYPT_BYTES = 72;

/** The beginning of a text, in whole bytes, as bcrypt sees it. */
function firstBytes(text: string): Buffer {
  return Buffer.from(text, 'utf8').subarray(0, BCRYPT_BYTES);
}

function same(left: Buffer, right: Buffer): boolean {
  return left.length === right.length && timingSafeEqual(left, right);
}

/**
 * Whether a password is the one of a hash, ours or another server's, off the main thread. What is none of them, or would
 * cost too much, verifies nothing.
 */
export async function verifyPassword(password: string, digest: string): Promise<boolean> {
  const foreign = readForeignPassword(digest);
  if (foreign === null) return false;
  switch (foreign.kind) {
    case 'argon2':
      return Bun.password.verify(password, foreign.digest);
    case 'bcrypt':
      return Bun.password.verify(firstBytes(password), foreign.digest);
    case 'pbkdf2': {
      const key = Buffer.from(foreign.key, 'base64');
      return same(await derivePbkdf2(password, Buffer.from(foreign.salt, 'base64'), foreign.iterations, key.length, foreign.hash), key);
    }
    case 'scrypt': {
      const key = Buffer.from(foreign.key, 'base64');
      const N = 2 ** foreign.ln;
      // What the parameters need, and a little room.
      const maxmem = 128 * N * foreign.r * 2;
      return same(await deriveScrypt(password, Buffer.from(foreign.salt, 'base64'), key.length, { N, r: foreign.r, p: foreign.p, maxmem }), key);
    }
  }
}
