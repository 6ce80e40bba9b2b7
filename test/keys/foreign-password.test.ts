/** Hashes that other servers made still open their people's accounts. */
import { describe, expect, test } from 'bun:test';
import { pbkdf2Sync, scryptSync } from 'node:crypto';
import { argon2Digest, pbkdf2Digest, readForeignPassword, scryptDigest } from '../../src/core/foreign-password.ts';
import { verifyPassword } from '../../src/keys/foreign-password.ts';
import { makePasswordHasher, makePeoplePasswords } from '../../src/keys/password.ts';

const SALT = Buffer.from('somesalt somesalt');
const salt = SALT.toString('base64');

/** Digests of `correct horse`, each made by something else than the code that reads it. */
const digests: readonly (readonly [name: string, digest: string])[] = [
  ['pbkdf2-sha256', pbkdf2Digest('sha256', 27_500, salt, pbkdf2Sync('correct horse', SALT, 27_500, 64, 'sha256').toString('base64'))],
  ['pbkdf2-sha512', pbkdf2Digest('sha512', 1_000, salt, pbkdf2Sync('correct horse', SALT, 1_000, 64, 'sha512').toString('base64url'))],
  ['pbkdf2-sha1', pbkdf2Digest('sha1', 1_000, salt, pbkdf2Sync('correct horse', SALT, 1_000, 20, 'sha1').toString('base64'))],
  ['scrypt', scryptDigest(14, 8, 1, salt, scryptSync('correct horse', SALT, 64, { N: 2 ** 14, r: 8, p: 1 }).toString('base64'))],
  ['bcrypt', Bun.password.hashSync('correct horse', { algorithm: 'bcrypt', cost: 4 })],
  ['bcrypt $2y$', Bun.password.hashSync('correct horse', { algorithm: 'bcrypt', cost: 4 }).replace('$2b$', '$2y$')],
  ['argon2i', Bun.password.hashSync('correct horse', { algorithm: 'argon2i', memoryCost: 7_168, timeCost: 3 })],
  ['argon2id with other parameters', Bun.password.hashSync('correct horse', { algorithm: 'argon2id', memoryCost: 7_168, timeCost: 5 })],
];

describe('CR-01 a foreign hash', () => {
  test.each(digests)('%s verifies its password alone', async (_name, digest) => {
    expect(await verifyPassword('correct horse', digest)).toBe(true);
    for (const wrong of ['correct hors', 'correct horse ', 'Correct horse', ' ']) expect(await verifyPassword(wrong, digest)).toBe(false);
  });

  test.each(digests)('%s is to be replaced at the next sign-in', (_name, digest) => {
    expect(makePeoplePasswords(makePasswordHasher(), null).isOutdated(digest)).toBe(true);
  });

  test('known answers: bcrypt (the reference implementation), argon2 with several lanes (RFC 9106 code)', async () => {
    expect(await verifyPassword('U*U', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW')).toBe(true);
    expect(await verifyPassword('password', argon2Digest('id', { memory: 65_536, passes: 2, lanes: 4 }, 'c29tZXNhbHQ', 'GpZ3sK/oH9p7VIiV56G/64Zo/8GaUw434IimaPqxwCo='))).toBe(true);
  });

  test('bcrypt looks at 72 bytes, as it did where the hash comes from', async () => {
    const digest = Bun.password.hashSync('a'.repeat(72), { algorithm: 'bcrypt', cost: 4 });
    expect(await verifyPassword('a'.repeat(100), digest)).toBe(true);
    expect(await verifyPassword('a'.repeat(71), digest)).toBe(false);
  });

  test('a pepper of ours does not come into it', async () => {
    const passwords = makePeoplePasswords(makePasswordHasher(), new Uint8Array(32).fill(7));
    for (const [, digest] of digests) {
      expect(await passwords.verify('correct horse', digest)).toBe(true);
      expect(await passwords.verify('wrong', digest)).toBe(false);
    }
  });

  test.each([
    ['nothing', ''], ['a plain password', 'correct horse'], ['another form', '$6$salt$hash'], ['too many rounds of bcrypt', `$2b$31$${'a'.repeat(53)}`],
    ['too much memory', `$argon2id$v=19$m=4194304,t=2,p=1$c29tZXNhbHQ$${'A'.repeat(43)}`], ['too many iterations', `$pbkdf2-sha256$i=999999999$c2FsdA$${'A'.repeat(43)}`],
    ['much memory many times', `$argon2id$v=19$m=262144,t=16,p=1$c29tZXNhbHQ$${'A'.repeat(43)}`], ['too much of everything', `$scrypt$ln=17,r=16,p=8$c2FsdA$${'A'.repeat(43)}`],
    ['too large an N', `$scrypt$ln=30,r=8,p=1$c2FsdA$${'A'.repeat(43)}`], ['a key of nothing', '$pbkdf2-sha256$i=1$c2FsdA$AA'], ['no salt', `$pbkdf2-sha256$i=1$$${'A'.repeat(43)}`],
  ])('RL-05 %s verifies nothing, and costs nothing', async (_name, digest) => {
    expect(readForeignPassword(digest)).toBeNull();
    expect(await verifyPassword('correct horse', digest)).toBe(false);
  });
});
