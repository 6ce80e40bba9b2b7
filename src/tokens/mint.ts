import { constants, sign, type KeyObject } from 'node:crypto';
import { ACCESS_TOKEN_TYPE, type SigningAlgorithm } from '../spec/names.ts';
import type { AccessTokenClaims } from '../core/claims.ts';
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

const headers = new WeakMap<SigningKey, string>();

/** The protected header, encoded once per key. */
function encodedHeader(key: SigningKey): string {
  let header = headers.get(key);
  if (header === undefined) {
    header = Buffer.from(JSON.stringify({ alg: key.algorithm, typ: ACCESS_TOKEN_TYPE, kid: key.kid })).toString('base64url');
    headers.set(key, header);
  }
  return header;
}

/** Signs an access token: a compact JWS of RFC 9068 §2. */
export async function mintAccessToken(key: SigningKey, claims: AccessTokenClaims): Promise<string> {
  const input = `${encodedHeader(key)}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`;
  const signature = await signWith[key.algorithm](Buffer.from(input), key.key);
  return `${input}.${signature.toString('base64url')}`;
}
