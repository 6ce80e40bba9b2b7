import { createPrivateKey, type KeyObject } from 'node:crypto';
import { importJWK, type CryptoKey, type JWK } from 'jose';
import type { JsonWebKeySet, PublicJwk } from '../spec/metadata.ts';
import type { SigningAlgorithm } from '../spec/names.ts';
import { sealedFor } from '../core/sealed.ts';
import type { SigningKeyRow } from '../core/store.ts';
import { unseal, type MasterKey } from './seal.ts';

/** A key that proves what this tenant signed. */
export type VerificationKey = { readonly kid: string; readonly algorithm: SigningAlgorithm; readonly key: CryptoKey };

/** A key that proves what another server signed, before its things came here; for tokens of that issuer alone. */
export type FormerKey = VerificationKey & { readonly issuer: string; readonly jwk: PublicJwk };

/** The key that signs now. */
export type SigningKey = { readonly kid: string; readonly algorithm: SigningAlgorithm; readonly key: KeyObject };

/** A tenant's keys, ready for use: made from rows, immutable, valid while the store's epoch stays the same. */
export type KeyRing = {
  /** null while the first keys are being made. */
  readonly signer: SigningKey | null;
  /** Active, next and retired keys by kid; never a revoked one (INT-93, INT-94). */
  readonly verifiers: ReadonlyMap<string, VerificationKey>;
  /** Keys of former issuers by kid: they prove nothing of this tenant's own. */
  readonly former: ReadonlyMap<string, FormerKey>;
  /** Names of keys that were taken away (INT-94). */
  readonly revoked: ReadonlySet<string>;
  /** Stands in where a token names no key of ours, so that the work is the same (INT-96). */
  readonly decoy: VerificationKey | null;
  /** The tenant's own keys, as they are published (JK-01). */
  readonly published: JsonWebKeySet;
};

/** Private members must never be published; picking the public ones by name is the guarantee (JK-01). */
function publicJwk(row: SigningKeyRow): PublicJwk {
  const { kty, n, e, crv, x, y } = JSON.parse(row.publicJwk) as PublicJwk;
  return {
    kty, kid: row.kid, use: 'sig', alg: row.algorithm,
    ...(n !== undefined && { n }), ...(e !== undefined && { e }),
    ...(crv !== undefined && { crv }), ...(x !== undefined && { x }), ...(y !== undefined && { y }),
  };
}

async function verificationKey(row: SigningKeyRow): Promise<VerificationKey> {
  const key = await importJWK(publicJwk(row) as JWK, row.algorithm);
  if (key instanceof Uint8Array) throw new Error('a signing key must be asymmetric');
  return { kid: row.kid, algorithm: row.algorithm, key };
}

/**
 * Builds a tenant's ring.
 * @throws UnsealError when the active key was sealed under another master key
 */
export async function buildKeyRing(master: MasterKey, rows: readonly SigningKeyRow[]): Promise<KeyRing> {
  const usable = rows.filter((row) => row.status !== 'revoked');
  const verifiers = new Map<string, VerificationKey>();
  const former = new Map<string, FormerKey>();
  for (const row of usable) {
    const key = await verificationKey(row);
    if (row.issuer === null) verifiers.set(row.kid, key);
    else former.set(row.kid, { ...key, issuer: row.issuer, jwk: publicJwk(row) });
  }
  const active = usable.find((row) => row.status === 'active');
  return {
    signer: active === undefined ? null : {
      kid: active.kid,
      algorithm: active.algorithm,
      key: createPrivateKey(unseal(master, sealedFor.signingKey(active.tenantId, active.kid), active.sealedPrivate)),
    },
    verifiers,
    former,
    revoked: new Set(rows.filter((row) => row.status === 'revoked').map((row) => row.kid)),
    decoy: (active === undefined ? undefined : verifiers.get(active.kid)) ?? null,
    published: { keys: usable.filter(({ issuer }) => issuer === null).map(publicJwk) },
  };
}
