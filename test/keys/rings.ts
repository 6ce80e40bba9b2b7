/** Real keys for tests: made once per algorithm and process, RSA being slow to find. */
import { generateMasterKey } from '../../src/keys/seal.ts';
import { generateSigningKey } from '../../src/keys/generate.ts';
import { buildKeyRing, type KeyRing, type SigningKey } from '../../src/keys/ring.ts';
import type { SigningKeyRow } from '../../src/core/store.ts';
import type { SigningAlgorithm } from '../../src/spec/names.ts';
import { T0 } from '../storage/samples.ts';

export const master = generateMasterKey();

const made = new Map<SigningAlgorithm, Promise<SigningKeyRow>>();

/** The active key of tenant ten_1 with this algorithm. */
export function activeKey(algorithm: SigningAlgorithm): Promise<SigningKeyRow> {
  let key = made.get(algorithm);
  if (key === undefined) {
    key = generateSigningKey(master, 'ten_1', algorithm, 'active', T0);
    made.set(algorithm, key);
  }
  return key;
}

/** A fresh key; quick only with an elliptic curve. */
export function freshKey(status: 'active' | 'next' = 'active', tenantId = 'ten_1', algorithm: SigningAlgorithm = 'ES256'): Promise<SigningKeyRow> {
  return generateSigningKey(master, tenantId, algorithm, status, T0);
}

/** A ring of these rows. */
export function ringOf(...rows: SigningKeyRow[]): Promise<KeyRing> {
  return buildKeyRing(master, rows);
}

/** The key that signs. @throws Error when there is none */
export function signerOf(ring: KeyRing): SigningKey {
  if (ring.signer === null) throw new Error('no key signs');
  return ring.signer;
}
