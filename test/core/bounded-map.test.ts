import { describe, expect, test } from 'bun:test';
import { BoundedMap } from '../../src/core/bounded-map.ts';

describe('RL-04 · a map that cannot grow', () => {
  test('RL-04 it never holds more than two generations', () => {
    const map = new BoundedMap<number, number>(10);
    for (let key = 0; key < 1000; key += 1) map.set(key, key);
    const held = Array.from({ length: 1000 }, (_, key) => key).filter((key) => map.get(key) !== undefined);
    expect(held.length).toBeLessThanOrEqual(20);
    expect(map.get(999)).toBe(999);
  });

  test('what is in use stays', () => {
    const map = new BoundedMap<string, string>(10);
    map.set('used', 'x');
    for (let key = 0; key < 1000; key += 1) {
      map.set(String(key), '');
      if (key % 5 === 0) expect(map.get('used')).toBe('x');
    }
  });

  test('the latest value is the value, whichever generation it is in', () => {
    const map = new BoundedMap<string, number>(2);
    map.set('a', 1);
    map.set('b', 1);
    map.set('c', 1);
    map.set('a', 2);
    map.set('d', 1);
    expect(map.get('a')).toBe(2);
  });

  test('what is deleted is gone from both generations', () => {
    const map = new BoundedMap<string, number>(1);
    map.set('a', 1);
    map.set('b', 1);
    map.set('a', 2);
    map.delete('a');
    expect(map.get('a')).toBeUndefined();
    expect(map.get('b')).toBe(1);
    map.clear();
    expect(map.get('b')).toBeUndefined();
  });

  test('values that are false or null are values', () => {
    const map = new BoundedMap<string, boolean | null>(1);
    map.set('a', false);
    map.set('b', null);
    expect([map.get('a'), map.get('b')]).toEqual([false, null]);
  });
});
