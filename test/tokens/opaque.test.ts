import { describe, expect, test } from 'bun:test';
import { createHash, randomBytes } from 'node:crypto';
import { digestOf, makeFingerprint, sameDigest } from '../../src/tokens/digest.ts';
import { makeOpaqueToken, opaqueKind, openSuccessor, sealSuccessor } from '../../src/tokens/opaque.ts';

const random = { text: (bytes: number) => randomBytes(bytes).toString('base64url') };

describe('opaque tokens', () => {
  test('AT-09, TOK-13, TOK-14, TRT-22 prefix and 256 random bits', () => {
    const access = makeOpaqueToken('access', random);
    const refresh = makeOpaqueToken('refresh', random);
    expect(access).toMatch(/^at_[A-Za-z0-9_-]{43}$/);
    expect(refresh).toMatch(/^rt_[A-Za-z0-9_-]{43}$/);
    expect([opaqueKind(access), opaqueKind(refresh)]).toEqual(['access', 'refresh']);
    expect(access.length).toBeLessThanOrEqual(64);
    expect(new Set(Array.from({ length: 1000 }, () => makeOpaqueToken('access', random))).size).toBe(1000);
  });

  const body = 'A'.repeat(43);
  test.each([
    '', 'at_', 'at', body, `AT_${body}`, `at-${body}`, `at_${body}A`, `at_${body.slice(1)}`, `at_${body.slice(1)}.`, `at_${body.slice(1)}=`, `at_${body}\n`, ` at_${body}`, `xx_${body}`, `at_${body.slice(1)}ä`,
  ])('AT-09 %p is not one of ours', (text) => {
    expect(opaqueKind(text)).toBeNull();
  });
});

describe('TRT-24 · a successor, sealed under the spent token', () => {
  const spent = makeOpaqueToken('refresh', random);
  const successor = makeOpaqueToken('refresh', random);
  const sealed = sealSuccessor(spent, successor);

  test('TRT-24 the spent token opens it', () => {
    expect(openSuccessor(spent, sealed)).toBe(successor);
  });

  test('TRT-24 nothing else does, its digest least of all', () => {
    for (const key of [successor, digestOf(spent), '', `${spent} `, makeOpaqueToken('refresh', random)]) expect(openSuccessor(key, sealed)).toBeNull();
  });

  test('TRT-24 what was changed stays shut', () => {
    const bytes = Buffer.from(sealed, 'base64url');
    for (const index of [0, 20, bytes.length - 1]) {
      const changed = Buffer.from(bytes);
      changed[index] = (changed[index] ?? 0) ^ 1;
      expect(openSuccessor(spent, changed.toString('base64url'))).toBeNull();
    }
    for (const text of ['', 'x', sealed.slice(0, 20)]) expect(openSuccessor(spent, text)).toBeNull();
  });

  test('TRT-24 neither token can be read from it', () => {
    const bytes = Buffer.from(sealed, 'base64url');
    expect(bytes.includes(spent) || bytes.includes(successor)).toBe(false);
  });
});

describe('digests', () => {
  test('CR-04 SHA-256, base64url', () => {
    expect(digestOf('abc')).toBe(createHash('sha256').update('abc').digest('base64url'));
    expect(digestOf('')).toHaveLength(43);
  });

  test('CA-14, CR-05, CR-11 comparing unequal lengths is an answer, not an error', () => {
    expect(sameDigest(digestOf('a'), digestOf('a'))).toBe(true);
    expect(sameDigest(digestOf('a'), digestOf('b'))).toBe(false);
    for (const [left, right] of [['', 'a'], ['a', ''], ['a', 'aa'], [digestOf('a'), 'short'], ['é', 'e'], ['é', 'aa']] as const) expect(sameDigest(left, right)).toBe(false);
    expect(sameDigest('', '')).toBe(true);
  });

  test('LG-02 fingerprints: short, keyed, stable, and the token is not in them', () => {
    const name = makeFingerprint(randomBytes(32).toString('base64url'));
    const other = makeFingerprint(randomBytes(32).toString('base64url'));
    const token = makeOpaqueToken('access', random);
    expect(name(token)).toMatch(/^[A-Za-z0-9_-]{12}$/);
    expect(name(token)).toBe(name(token));
    expect(name(token)).not.toBe(other(token));
    expect(name(token)).not.toBe(name(`${token}x`));
    expect(token).not.toContain(name(token));
    expect(digestOf(token)).not.toContain(name(token));
  });
});
