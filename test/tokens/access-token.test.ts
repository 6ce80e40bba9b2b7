import { beforeAll, describe, expect, test } from 'bun:test';
import { createLocalJWKSet, CompactSign, importPKCS8, jwtVerify, type JWK } from 'jose';
import { createHmac, sign as signBytes, type KeyObject } from 'node:crypto';
import type { AccessTokenClaims } from '../../src/core/claims.ts';
import type { KeyRing, SigningKey } from '../../src/keys/ring.ts';
import type { SigningKeyRow } from '../../src/core/store.ts';
import { signingAlgorithms } from '../../src/spec/names.ts';
import { mintAccessToken } from '../../src/tokens/mint.ts';
import { looksLikeJwt, readAccessToken } from '../../src/tokens/verify.ts';
import { activeKey, freshKey, master, ringOf, signerOf } from '../keys/rings.ts';
import { sealedFor } from '../../src/core/sealed.ts';
import { unseal } from '../../src/keys/seal.ts';
import { T0 } from '../storage/samples.ts';

const ISSUER = 'https://id.example.com/t/acme';
const iat = T0 / 1000;
const claims: AccessTokenClaims = {
  iss: ISSUER, sub: 'usr_1', aud: 'urn:a', client_id: 'cli_1', exp: iat + 300, iat, jti: 'jti_1', scope: 'openid a', grant_id: 'gra_1',
};
const read = (token: string, ring: KeyRing) => readAccessToken(token, ring, 'ten_1', ISSUER);

const bytesOf = (text: string): string => Buffer.from(text).toString('base64url');
const encode = (value: unknown): string => bytesOf(JSON.stringify(value));

describe('RFC 9068 §2 · minting', () => {
  test.each([...signingAlgorithms])('AT-01, AT-02, AT-05, TOK-14 %s: another library verifies it by the published keys', async (algorithm) => {
    const ring = await ringOf(await activeKey(algorithm));
    const token = await mintAccessToken(signerOf(ring), claims);
    const { payload, protectedHeader } = await jwtVerify(token, createLocalJWKSet({ keys: ring.published.keys.map(({ kty, ...members }): JWK => ({ kty, ...members })) }), {
      issuer: ISSUER, audience: 'urn:a', typ: 'at+jwt', algorithms: [algorithm], currentDate: new Date(T0), requiredClaims: ['exp', 'iat', 'jti', 'sub', 'client_id'],
    });
    expect<unknown>(payload).toEqual(claims);
    expect(protectedHeader).toEqual({ alg: algorithm, typ: 'at+jwt', kid: signerOf(ring).kid });
    expect(token.length).toBeLessThan(4096);
    expect(await read(token, ring)).toMatchObject({ ok: true, facts: { kind: 'access', subject: 'usr_1', userId: 'usr_1', clientId: 'cli_1', id: 'jti_1', grantId: 'gra_1', tenantId: 'ten_1' } });
  });
});

describe('RFC 9068 §4, RFC 8725 §3 · proving', () => {
  let row: SigningKeyRow;
  let ring: KeyRing;
  let signer: SigningKey;
  let token: string;
  let parts: readonly [string, string, string];

  beforeAll(async () => {
    row = await freshKey();
    ring = await ringOf(row, await freshKey('next'));
    signer = signerOf(ring);
    token = await mintAccessToken(signer, claims);
    const [header = '', payload = '', signature = ''] = token.split('.');
    parts = [header, payload, signature];
  });

  /** Signs whatever is given with the tenant's true key. */
  function forge(header: object, payload: unknown, key: KeyObject = signer.key): string {
    const input = `${encode(header)}.${typeof payload === 'string' ? bytesOf(payload) : encode(payload)}`;
    return `${input}.${signBytes('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
  }
  const head = () => ({ alg: 'ES256', typ: 'at+jwt', kid: signer.kid });
  const bad = (reason: string) => ({ ok: false, reason });

  test('what the forge makes of true parts is good', async () => {
    expect((await read(forge(head(), claims), ring)).ok).toBe(true);
    expect((await read(forge({ ...head(), typ: 'application/AT+JWT' }, claims), ring)).ok).toBe(true);
  });

  const shapes: readonly (readonly [name: string, make: () => string])[] = [
    ['INT-74 two parts', () => parts.slice(0, 2).join('.')],
    ['INT-74 four parts', () => `${token}.x`],
    ['INT-74 five parts', () => `${token}.x.y`],
    ['INT-74 bad base64url', () => `${parts[0]}.${parts[1]}.${parts[2].slice(0, -1)}=`],
    ['INT-74 a header that is no JSON', () => `${bytesOf('{')}.${parts[1]}.${parts[2]}`],
    ['INT-74 a header that is a list', () => `${encode([])}.${parts[1]}.${parts[2]}`],
    ['INT-74 a header that is null', () => `${encode(null)}.${parts[1]}.${parts[2]}`],
    ['INT-75 an empty signature', () => `${encode({ alg: 'none' })}.${parts[1]}.`],
    ['INT-78 crit', () => forge({ ...head(), crit: ['exp'], exp: 1 }, claims)],
    ['INT-78 crit that is empty', () => forge({ ...head(), crit: [] }, claims)],
    ['an alg that is no text', () => forge({ ...head(), alg: 1 }, claims)],
    ['no alg', () => forge({ typ: 'at+jwt', kid: signer.kid }, claims)],
    ['empty', () => ''],
    ['dots', () => '..'],
  ];
  test.each(shapes)('%s is no token', async (_name, make) => {
    expect(await read(make(), ring)).toEqual(bad('not_a_token') as never);
  });

  const unproven: readonly (readonly [name: string, make: () => string | Promise<string>])[] = [
    ['INT-75 alg none with some signature', () => `${encode({ ...head(), alg: 'none' })}.${parts[1]}.${parts[2]}`],
    ['INT-75 alg nOnE', () => `${encode({ ...head(), alg: 'nOnE' })}.${parts[1]}.AA`],
    ['INT-75 no signature of its own', () => `${parts[0]}.${parts[1]}.AA`],
    ['INT-76 HS256 keyed with our public JWK', () => hmac(row.publicJwk)],
    ['INT-76 HS256 keyed with the public x', () => hmac((JSON.parse(row.publicJwk) as { x: string }).x)],
    ['INT-77 a key of the attacker\'s in the header', async () => {
      const theirs = await freshKey();
      const key = signerOf(await ringOf(theirs)).key;
      return forge({ ...head(), jwk: JSON.parse(theirs.publicJwk), jku: 'https://evil.example/jwks', x5u: 'https://evil.example/x5u', x5c: ['AA=='] }, claims, key);
    }],
    ['INT-78 an unknown kid', () => forge({ ...head(), kid: 'unknown' }, claims)],
    ['INT-78 a path for a kid', () => forge({ ...head(), kid: '../../etc/passwd' }, claims)],
    ['INT-78 an object for a kid', () => forge({ ...head(), kid: {} }, claims)],
    ['INT-78 a kid of 10 KB', () => forge({ ...head(), kid: 'k'.repeat(10_240) }, claims)],
    ['INT-78 a kid of every object\'s', () => forge({ ...head(), kid: '__proto__' }, claims)],
    ['INT-78 no kid', () => forge({ alg: 'ES256', typ: 'at+jwt' }, claims)],
    ['INT-83 another tenant\'s key', async () => forge(head(), claims, signerOf(await ringOf(await freshKey('active', 'ten_2'))).key)],
    ['INT-83 another tenant\'s key under its own kid', async () => {
      const other = signerOf(await ringOf(await freshKey('active', 'ten_2')));
      return forge({ ...head(), kid: other.kid }, claims, other.key);
    }],
    ['the published next key\'s kid', () => forge({ ...head(), kid: [...ring.verifiers.keys()][1] }, claims)],
    ['a changed payload', () => `${parts[0]}.${encode({ ...claims, sub: 'usr_2' })}.${parts[2]}`],
    ['a changed header', () => `${encode({ ...head(), x: 1 })}.${parts[1]}.${parts[2]}`],
    ['a signature in DER', () => {
      const input = `${parts[0]}.${parts[1]}`;
      return `${input}.${signBytes('sha256', Buffer.from(input), signer.key).toString('base64url')}`;
    }],
  ];
  function hmac(secret: string): string {
    const input = `${encode({ ...head(), alg: 'HS256' })}.${parts[1]}`;
    return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
  }
  test.each(unproven)('%s is not proven', async (_name, make) => {
    expect(await read(await make(), ring)).toEqual(bad('bad_signature') as never);
  });

  test('INT-76 a token of ours under another algorithm of the same key type', async () => {
    const rsa = await activeKey('RS256');
    const pss = await importPKCS8(unseal(master, sealedFor.signingKey('ten_1', rsa.kid), rsa.sealedPrivate), 'PS256');
    const other = await new CompactSign(Buffer.from(JSON.stringify(claims))).setProtectedHeader({ alg: 'PS256', typ: 'at+jwt', kid: rsa.kid }).sign(pss);
    expect(await read(other, await ringOf(rsa))).toEqual(bad('bad_signature') as never);
  });

  test('INT-94 a revoked key proves nothing, INT-93 a retired one does', async () => {
    expect((await read(token, await ringOf({ ...row, status: 'retired' }))).ok).toBe(true);
    expect(await read(token, await ringOf({ ...row, status: 'revoked' }, await freshKey()))).toEqual(bad('key_revoked') as never);
    expect(await read(token, await ringOf({ ...row, status: 'revoked' }))).toEqual(bad('key_revoked') as never);
  });

  test.each([undefined, 'JWT', 'jwt', 'logout+jwt', 'token-introspection+jwt', 'client-authentication+jwt', 'dpop+jwt', 'oauth-authz-req+jwt', '', 'at+jwt ', 1, null])(
    'INT-79, INT-80 typ %p is another kind of token', async (typ) => {
      expect(await read(forge({ alg: 'ES256', kid: signer.kid, typ }, claims), ring)).toEqual(bad('wrong_type') as never);
    },
  );

  test('INT-82 another issuer, signed with this key', async () => {
    for (const iss of ['https://id.example.com/t/other', `${ISSUER}/`, undefined, [ISSUER]]) {
      expect(await read(forge(head(), { ...claims, iss }), ring)).toEqual(bad('wrong_issuer') as never);
    }
  });

  test('a signed payload that is not a set of claims', async () => {
    for (const payload of ['', '{', '[]', 'null', '"x"', '1']) expect(await read(forge(head(), payload), ring)).toEqual(bad('not_a_token') as never);
    expect(await read(forge(head(), { ...claims, exp: '1' }), ring)).toEqual(bad('not_a_token') as never);
    const compressed = await new CompactSign(Buffer.from([0xff, 0xfe])).setProtectedHeader(head()).sign(await importPKCS8(unseal(master, sealedFor.signingKey('ten_1', row.kid), row.sealedPrivate), 'ES256'));
    expect(await read(compressed, ring)).toEqual(bad('not_a_token') as never);
  });

  test('INT-96 without any key nothing is proven', async () => {
    expect(await read(token, await ringOf())).toEqual(bad('bad_signature') as never);
  });

  test('INT-74 the outer form alone', () => {
    expect([token, 'a.b.c', '-._.0'].map(looksLikeJwt)).toEqual([true, true, true]);
    expect(['', 'a', 'a.b', 'a.b.', '.b.c', 'a..c', 'a.b.c.d', 'a.b.c ', ' a.b.c', 'a.b.c\n', 'a.b.c=', 'a+b.b.c', 'ä.b.c'].filter(looksLikeJwt)).toEqual([]);
  });
});
