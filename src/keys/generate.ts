import { generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { calculateJwkThumbprint } from 'jose';
import type { PublicJwk } from '../spec/metadata.ts';
import type { SigningAlgorithm } from '../spec/names.ts';
import { sealedFor } from '../core/sealed.ts';
import type { SigningKeyRow, SigningKeyStatus } from '../core/store.ts';
import { seal, type MasterKey } from './seal.ts';

const makeKeyPair = promisify(generateKeyPair);

/** RSA modulus length unless a setting says otherwise (JK-06). */
export const RSA_BITS = 2048;

// node's asynchronous generator works off the main thread; WebCrypto's blocks Bun's event loop for the whole search.
async function makePair(algorithm: SigningAlgorithm, rsaBits: number): Promise<{ publicKey: KeyObject; privateKey: KeyObject }> {
  switch (algorithm) {
    case 'RS256':
    case 'PS256':
      return makeKeyPair('rsa', { modulusLength: rsaBits });
    case 'ES256':
      return makeKeyPair('ec', { namedCurve: 'P-256' });
    case 'EdDSA':
      return makeKeyPair('ed25519');
  }
}

/**
 * Makes a signing key, its private part sealed.
 * @param status `active` keys count as activated at `nowMs` (milliseconds)
 */
export async function generateSigningKey(
  master: MasterKey,
  tenantId: string,
  algorithm: SigningAlgorithm,
  status: Extract<SigningKeyStatus, 'active' | 'next'>,
  nowMs: number,
  rsaBits: number = RSA_BITS,
): Promise<SigningKeyRow> {
  const { publicKey, privateKey } = await makePair(algorithm, rsaBits);
  const { kty, n, e, crv, x, y } = publicKey.export({ format: 'jwk' });
  if (kty === undefined) throw new Error('a generated key has no type');
  const material = {
    kty,
    ...(n !== undefined && { n }), ...(e !== undefined && { e }),
    ...(crv !== undefined && { crv }), ...(x !== undefined && { x }), ...(y !== undefined && { y }),
  };
  const kid = await calculateJwkThumbprint(material);
  const jwk: PublicJwk = { ...material, kid, use: 'sig', alg: algorithm };
  const pem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  return {
    tenantId, kid, algorithm, status, publicJwk: JSON.stringify(jwk),
    sealedPrivate: seal(master, sealedFor.signingKey(tenantId, kid), pem),
    createdAtMs: nowMs, activatedAtMs: status === 'active' ? nowMs : null, retiredAtMs: null, issuer: null,
  };
}
