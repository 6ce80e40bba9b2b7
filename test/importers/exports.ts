/** Exports of other servers, as their own tools write them, with hashes and keys made here. */
import { createCipheriv, createHash, generateKeyPairSync, pbkdf2Sync, randomBytes, scryptSync, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ImportedThing, ImportRemark, Imported } from '../../src/core/imported.ts';

export const PASSWORD = 'correct horse battery';
const SALT = Buffer.from('sixteen bytes ok');

/** bcrypt at its cheapest. */
export function bcrypt(prefix: '$2a$' | '$2b$' | '$2y$' = '$2b$'): string {
  return Bun.password.hashSync(PASSWORD, { algorithm: 'bcrypt', cost: 4 }).replace('$2b$', prefix);
}

/** argon2id at other parameters than ours. */
export function argon2(): string {
  return Bun.password.hashSync(PASSWORD, { algorithm: 'argon2id', memoryCost: 7_168, timeCost: 5 });
}

/** PBKDF2 as bytes. */
export function pbkdf2(digest: string, iterations = 1_000, length = 64): Buffer {
  return pbkdf2Sync(PASSWORD, SALT, iterations, length, digest);
}

/** scrypt as bytes. */
export function scrypt(): Buffer {
  return scryptSync(PASSWORD, SALT, 32, { N: 16_384, r: 8, p: 1 });
}

const bare = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '');
export const salt = { base64: SALT.toString('base64'), bare: bare(SALT), utf8: SALT.toString('utf8'), hex: SALT.toString('hex') } as const;
export { bare };

/** A password credential as Keycloak keeps it since version 8. */
export function keycloakCredential(algorithm: 'pbkdf2' | 'pbkdf2-sha256' | 'pbkdf2-sha512' | 'argon2'): object {
  if (algorithm === 'argon2') {
    const [, , , , own = '', hash = ''] = argon2().split('$');
    return {
      type: 'password', secretData: JSON.stringify({ value: hash, salt: own, additionalParameters: {} }),
      credentialData: JSON.stringify({ hashIterations: 5, algorithm, additionalParameters: { hashLength: ['32'], memory: ['7168'], type: ['id'], version: ['1.3'], parallelism: ['1'] } }),
    };
  }
  const value = pbkdf2(algorithm === 'pbkdf2' ? 'sha1' : algorithm.slice('pbkdf2-'.length)).toString('base64');
  return {
    id: 'c-1', type: 'password', createdDate: 1_700_000_000_000, secretData: JSON.stringify({ value, salt: SALT.toString('base64'), additionalParameters: {} }),
    credentialData: JSON.stringify({ hashIterations: 1_000, algorithm, additionalParameters: {} }),
  };
}

/** Somebody of a realm. */
export function keycloakUser(username: string, more: object = {}): object {
  return {
    id: `f7a5-${username}`, username, email: `${username}@example.com`, emailVerified: true, enabled: true, firstName: 'Jane', lastName: username,
    credentials: [], requiredActions: [], realmRoles: ['default-roles-acme'], groups: [], ...more,
  };
}

export type RealmKey = { readonly privateKey: KeyObject; readonly kid: string; readonly component: object };

/** An elliptic key of a realm, which signs in a test; its id as Keycloak computes it. */
export function keycloakKey(): RealmKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const spki = publicKey.export({ format: 'der', type: 'spki' });
  return {
    privateKey, kid: createHash('sha256').update(spki).digest('base64url'),
    component: {
      id: 'k-1', name: 'ecdsa-generated', providerId: 'ecdsa-generated', subComponents: {},
      config: { ecdsaPublicKey: [spki.toString('base64')], ecdsaPrivateKey: ['MUST-NOT-BE-READ'], active: ['true'], enabled: ['true'], priority: ['100'], ecdsaEllipticCurveKey: ['P-256'] },
    },
  };
}

const realm: object = JSON.parse(readFileSync(join(import.meta.dir, 'keycloak-realm.json'), 'utf8')) as object;

/** A realm with these users and keys. */
export function keycloakRealm(users: readonly unknown[], keys: readonly object[] = []): string {
  return JSON.stringify({ ...realm, users, components: { 'org.keycloak.keys.KeyProvider': keys } });
}

/** Seals an export as Kotauth does. */
export function sealKotauth(text: string, passphrase: string): string {
  const own = randomBytes(16);
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', pbkdf2Sync(passphrase, own, 600_000, 32, 'sha256'), nonce);
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return `bkp1.${own.toString('base64url')}.${nonce.toString('base64url')}.${sealed.toString('base64url')}`;
}

/** A file in pieces that break wherever. */
export async function* piecesOf(text: string | Uint8Array, size = 1_000): AsyncGenerator<Uint8Array> {
  const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text;
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** All that came out of a file. */
export async function collect(things: Imported): Promise<{ readonly things: readonly ImportedThing[]; readonly remarks: readonly ImportRemark[] }> {
  const all: (ImportedThing | ImportRemark)[] = [];
  for await (const thing of things) all.push(thing);
  return { things: all.filter((thing) => thing.kind !== 'remark'), remarks: all.filter((thing) => thing.kind === 'remark') };
}
