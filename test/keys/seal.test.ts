import { describe, expect, test } from 'bun:test';
import { generateMasterKey, masterKey, seal, unseal, UnsealError } from '../../src/keys/seal.ts';

const master = generateMasterKey();
const context = 'signing-key:ten_1:kid_1';
const sealed = seal(master, context, 'top secret ü');

function failure(work: () => unknown): string {
  try {
    work();
    return 'none';
  } catch (error) {
    expect(error).toBeInstanceOf(UnsealError);
    expect(String(error)).not.toContain('top secret');
    return error instanceof UnsealError ? error.kind : 'other';
  }
}

/** The sealed text with one bit of its bytes changed. */
function damage(at: number): string {
  const [version, id, body = ''] = sealed.split('.');
  const bytes = Buffer.from(body, 'base64url');
  const index = (at + bytes.length) % bytes.length;
  bytes[index] = (bytes[index] ?? 0) ^ 1;
  return [version, id, bytes.toString('base64url')].join('.');
}

describe('JK-07, CR-06 · sealing at rest', () => {
  test('JK-07 what was sealed can be opened', () => {
    expect(unseal(master, context, sealed)).toBe('top secret ü');
    expect(unseal(masterKey(Buffer.from(master.bytes)), context, sealed)).toBe('top secret ü');
    expect(unseal(master, '', seal(master, '', ''))).toBe('');
  });

  test('JK-07 the plaintext and the key are not in it, and no two are alike', () => {
    const other = seal(master, context, 'top secret ü');
    expect(other).not.toBe(sealed);
    expect(Buffer.from(sealed.split('.')[2] ?? '', 'base64url').includes('top secret')).toBe(false);
    const nonces = Array.from({ length: 500 }, () => seal(master, context, 'x').split('.')[2]?.slice(0, 16));
    expect(new Set(nonces).size).toBe(500);
  });

  test('CR-12 another master key is told apart from damage', () => {
    expect(failure(() => unseal(generateMasterKey(), context, sealed))).toBe('wrong_key');
  });

  test('JK-07 it belongs to its tenant and kid', () => {
    expect(failure(() => unseal(master, 'signing-key:ten_2:kid_1', sealed))).toBe('damaged');
    expect(failure(() => unseal(master, '', sealed))).toBe('damaged');
  });

  test.each([0, 11, 12, 14, -17, -16, -1])('CR-12 one changed bit in byte %p', (at) => {
    expect(failure(() => unseal(master, context, damage(at)))).toBe('damaged');
  });

  test.each(['', 'v1', 'v1.', `v2.${sealed.slice(3)}`, sealed.slice(0, 30), `${sealed.split('.').slice(0, 2).join('.')}.`, sealed.slice(0, -4)])('CR-12 %p is damaged', (text) => {
    expect(failure(() => unseal(master, context, text))).toBe('damaged');
  });

  test('a master key is 32 bytes', () => {
    for (const length of [0, 16, 31, 33]) expect(() => masterKey(Buffer.alloc(length))).toThrow(RangeError);
    expect(generateMasterKey().bytes).toHaveLength(32);
    expect(generateMasterKey().id).not.toBe(generateMasterKey().id);
  });

  test('the id of a master key says nothing about it', () => {
    expect(master.id).toHaveLength(8);
    expect(master.bytes.toString('base64url')).not.toContain(master.id);
  });
});
