import { describe, expect, test } from 'bun:test';
import { calculateJwkThumbprint } from 'jose';
import { createPrivateKey } from 'node:crypto';
import { sealedFor } from '../../src/core/sealed.ts';
import { generateSigningKey } from '../../src/keys/generate.ts';
import { buildKeyRing } from '../../src/keys/ring.ts';
import { generateMasterKey, unseal, UnsealError } from '../../src/keys/seal.ts';
import { signingAlgorithms, type SigningAlgorithm } from '../../src/spec/names.ts';
import type { SigningKeyRow } from '../../src/core/store.ts';
import { T0 } from '../storage/samples.ts';
import { activeKey, freshKey, master, ringOf } from './rings.ts';

const members: Record<SigningAlgorithm, { members: string[]; kty: string; crv?: string }> = {
  RS256: { members: ['kty', 'n', 'e', 'kid', 'use', 'alg'], kty: 'RSA' },
  PS256: { members: ['kty', 'n', 'e', 'kid', 'use', 'alg'], kty: 'RSA' },
  ES256: { members: ['kty', 'crv', 'x', 'y', 'kid', 'use', 'alg'], kty: 'EC', crv: 'P-256' },
  EdDSA: { members: ['kty', 'crv', 'x', 'kid', 'use', 'alg'], kty: 'OKP', crv: 'Ed25519' },
};

describe('RFC 7517, RFC 7638 · signing keys', () => {
  test.each([...signingAlgorithms])('JK-01, JK-06 %s: public members only, and the kid is the thumbprint', async (algorithm) => {
    const row = await activeKey(algorithm);
    const jwk = JSON.parse(row.publicJwk) as Record<string, string>;
    expect(Object.keys(jwk).sort()).toEqual([...members[algorithm].members].sort());
    expect(jwk).toMatchObject({ kty: members[algorithm].kty, use: 'sig', alg: algorithm, kid: row.kid });
    expect(jwk['crv']).toBe(members[algorithm].crv as string);
    expect(row.kid).toBe(await calculateJwkThumbprint(jwk));
    if (jwk['n'] !== undefined) expect(Buffer.from(jwk['n'], 'base64url')).toHaveLength(2048 / 8);
  });

  test.each([...signingAlgorithms])('JK-07 %s: the private part is sealed for its tenant and kid', async (algorithm) => {
    const row = await activeKey(algorithm);
    const pem = unseal(master, sealedFor.signingKey('ten_1', row.kid), row.sealedPrivate);
    expect(createPrivateKey(pem).type).toBe('private');
    expect(JSON.stringify(row)).not.toContain('PRIVATE');
    expect(() => unseal(master, sealedFor.signingKey('ten_2', row.kid), row.sealedPrivate)).toThrow(UnsealError);
  });

  test('an active key counts as activated, a next one not', async () => {
    expect(await freshKey('active')).toMatchObject({ status: 'active', createdAtMs: T0, activatedAtMs: T0, retiredAtMs: null });
    expect(await freshKey('next')).toMatchObject({ status: 'next', createdAtMs: T0, activatedAtMs: null, retiredAtMs: null });
  });

  test('JK-06 RSA keys as long as set', async () => {
    const row = await generateSigningKey(master, 'ten_1', 'RS256', 'next', T0, 3072);
    expect(Buffer.from((JSON.parse(row.publicJwk) as { n: string }).n, 'base64url')).toHaveLength(3072 / 8);
  });
});

describe('a tenant\'s ring', () => {
  test('INT-93, INT-94, JK-03, JK-05 active, next and retired keys verify and are published, revoked ones not', async () => {
    const rows: SigningKeyRow[] = [
      { ...(await freshKey()), status: 'retired', retiredAtMs: T0 }, await freshKey('active'), await freshKey('next'),
      { ...(await freshKey()), status: 'revoked', retiredAtMs: T0 },
    ];
    const ring = await ringOf(...rows);
    const kids = rows.map(({ kid }) => kid);
    expect([...ring.verifiers.keys()]).toEqual(kids.slice(0, 3));
    expect(ring.published.keys.map(({ kid }) => kid)).toEqual(kids.slice(0, 3));
    expect(ring.signer?.kid).toBe(kids[1] as string);
    expect(ring.decoy?.kid).toBe(kids[1] as string);
  });

  test('without keys it signs nothing and proves nothing', async () => {
    expect(await ringOf()).toEqual({ signer: null, verifiers: new Map(), former: new Map(), revoked: new Set(), decoy: null, published: { keys: [] } });
  });

  test('JK-05 with every key revoked too', async () => {
    const ring = await ringOf({ ...(await freshKey()), status: 'revoked' });
    expect([ring.signer, ring.decoy, ring.verifiers.size, ring.published.keys.length]).toEqual([null, null, 0, 0]);
  });

  test('JK-01 private members in a row are never published', async () => {
    const row = await freshKey();
    const ring = await ringOf({ ...row, publicJwk: JSON.stringify({ ...JSON.parse(row.publicJwk) as object, d: 'x', p: 'x', q: 'x', dp: 'x', dq: 'x', qi: 'x', k: 'x', key_ops: ['sign'] }) });
    expect(ring.published.keys).toEqual([JSON.parse(row.publicJwk)]);
  });

  test('JK-07 another master key: refused, only where a private key is needed', async () => {
    const row = await freshKey();
    expect(buildKeyRing(generateMasterKey(), [row])).rejects.toThrow(UnsealError);
    expect((await buildKeyRing(generateMasterKey(), [{ ...row, status: 'retired' }])).verifiers.size).toBe(1);
  });

  test('JK-07 a private key that was moved to another tenant is refused', async () => {
    expect(ringOf({ ...(await freshKey()), tenantId: 'ten_2' })).rejects.toThrow(UnsealError);
  });
});
