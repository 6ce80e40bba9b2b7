import { createHash, createPrivateKey, createPublicKey, X509Certificate, type KeyObject } from 'node:crypto';

/** A public JWK out of other forms of a key; nothing private ever leaves here. null: it is no key. */
export type PublicKey = Readonly<Record<string, unknown>>;

function readKey(read: () => KeyObject): KeyObject | null {
  try {
    return read();
  } catch {
    return null;
  }
}

function derOf(text: string): Buffer {
  return Buffer.from(text.replace(/-----[A-Z0-9 ]+-----/g, '').replace(/\s/g, ''), 'base64');
}

/** A certificate's public key. @param text base64, with or without PEM lines */
export function keyOfCertificate(text: string): KeyObject | null {
  return readKey(() => new X509Certificate(derOf(text)).publicKey);
}

/** A public key as in certificates (SPKI). @param text base64, with or without PEM lines */
export function keyOfSpki(text: string): KeyObject | null {
  return readKey(() => createPublicKey({ key: derOf(text), format: 'der', type: 'spki' }));
}

/** The public part of a private RSA key. @param text base64 PKCS#1 or PKCS#8, with or without PEM lines */
export function keyOfPrivate(text: string): KeyObject | null {
  const read = (type: 'pkcs1' | 'pkcs8'): KeyObject | null => readKey(() => createPublicKey(createPrivateKey({ key: derOf(text), format: 'der', type })));
  return read('pkcs1') ?? read('pkcs8');
}

/** The id that is computed from a key where none is chosen: SHA-256 of its SPKI, base64url. */
export function digestKeyId(key: KeyObject): string {
  return createHash('sha256').update(key.export({ format: 'der', type: 'spki' })).digest('base64url');
}

/** A key as a public JWK with its id and algorithm. @param algorithm null: what its type says */
export function publicJwk(key: KeyObject, kid: string, algorithm: string | null): PublicKey {
  return { ...key.export({ format: 'jwk' }), kid, use: 'sig', ...(algorithm !== null && { alg: algorithm }) };
}
