import { constants, hash, sign, type KeyObject } from 'node:crypto';
import { ACCESS_TOKEN_TYPE, ID_TOKEN_TYPE, type SigningAlgorithm } from '../spec/names.ts';
import type { AccessTokenClaims } from '../core/claims.ts';
import type { IdTokenClaims } from '../core/id-token.ts';
import type { SigningKey } from '../keys/ring.ts';

type SignWith = (data: Buffer, key: KeyObject) => Buffer | Promise<Buffer>;

// RSA takes half a millisecond: on the thread pool, so that introspection never waits for it. The elliptic ones cost
// less than the trip there.
const signWith: Readonly<Record<SigningAlgorithm, SignWith>> = {
  RS256: (data, key) => signInPool(data, { key, padding: constants.RSA_PKCS1_PADDING }),
  PS256: (data, key) => signInPool(data, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }),
  ES256: (data, key) => sign('sha256', data, { key, dsaEncoding: 'ieee-p1363' }),
  EdDSA: (data, key) => sign(null, data, key),
};

function signInPool(data: Buffer, options: { key: KeyObject; padding: number; saltLength?: number }): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    sign('sha256', data, options, (error, signature) => {
      if (error === null) resolve(signature);
      else reject(error);
    });
  });
}

const headers = new WeakMap<SigningKey, Map<string, string>>();

/** The protected header, encoded once per key and type. */
function encodedHeader(key: SigningKey, type: string): string {
  let byType = headers.get(key);
  if (byType === undefined) {
    byType = new Map();
    headers.set(key, byType);
  }
  let header = byType.get(type);
  if (header === undefined) {
    header = Buffer.from(JSON.stringify({ alg: key.algorithm, typ: type, kid: key.kid })).toString('base64url');
    byType.set(type, header);
  }
  return header;
}

/**
 * Signs a compact JWS.
 * @param type JOSE `typ`, one of ours: what tells the kinds of token apart (RFC 8725 §3.11)
 */
export async function mintJwt(key: SigningKey, type: string, claims: object): Promise<string> {
  const input = `${encodedHeader(key, type)}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`;
  const signature = await signWith[key.algorithm](Buffer.from(input), key.key);
  return `${input}.${signature.toString('base64url')}`;
}

/** Signs an access token: a compact JWS of RFC 9068 §2. @param mapped the tenant's own claims, which never go over ours */
export async function mintAccessToken(key: SigningKey, claims: AccessTokenClaims, mapped: Readonly<Record<string, unknown>> = {}): Promise<string> {
  return mintJwt(key, ACCESS_TOKEN_TYPE, { ...mapped, ...claims });
}

/** Signs an ID token (OpenID Connect Core §2). */
export async function mintIdToken(key: SigningKey, claims: IdTokenClaims): Promise<string> {
  return mintJwt(key, ID_TOKEN_TYPE, claims);
}

/** `at_hash`: the left half of the access token's hash, by the algorithm that signs (OpenID Connect Core §3.1.3.6). */
export function accessTokenHash(algorithm: SigningAlgorithm, accessToken: string): string {
  // Every algorithm here hashes with SHA-256 but EdDSA, whose curve goes with SHA-512.
  const digest = hash(algorithm === 'EdDSA' ? 'sha512' : 'sha256', accessToken, 'buffer');
  return digest.subarray(0, digest.length / 2).toString('base64url');
}
