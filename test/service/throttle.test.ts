import { describe, expect, test } from 'bun:test';
import { makeThrottle } from '../../src/service/throttle.ts';
import { makeSetClock } from './rig.ts';

describe('RL-01, RL-02 · failures within a minute', () => {
  test('RL-02 the tenth failure blocks until the minute is over', () => {
    const clock = makeSetClock();
    const throttle = makeThrottle(clock);
    for (let count = 0; count < 10; count += 1) {
      expect(throttle.blockedForMs('a', 10)).toBeNull();
      throttle.count('a');
      clock.advance(1000);
    }
    expect(throttle.blockedForMs('a', 10)).toBe(50_000);
    clock.advance(49_999);
    expect(throttle.blockedForMs('a', 10)).toBe(1);
    clock.advance(1);
    expect(throttle.blockedForMs('a', 10)).toBeNull();
    throttle.count('a');
    expect(throttle.blockedForMs('a', 10)).toBeNull();
  });

  test('RL-03 another key is not concerned', () => {
    const throttle = makeThrottle(makeSetClock());
    for (let count = 0; count < 100; count += 1) throttle.count('a');
    expect(throttle.blockedForMs('b', 10)).toBeNull();
    expect(throttle.blockedForMs('a', 101)).toBeNull();
  });

  test('TM-04 a step of the machine\'s clock changes nothing', () => {
    const clock = makeSetClock();
    let wallMs = 0;
    const throttle = makeThrottle({ now: () => wallMs, monotonic: () => clock.monotonic() });
    for (let count = 0; count < 10; count += 1) throttle.count('a');
    wallMs = 86_400_000;
    expect(throttle.blockedForMs('a', 10)).toBe(60_000);
  });

  test('RL-04 keys that strangers invent take bounded memory, and the one in use is kept', () => {
    const throttle = makeThrottle(makeSetClock());
    for (let count = 0; count < 10; count += 1) throttle.count('attacked');
    for (let key = 0; key < 100_000; key += 1) {
      throttle.count(`stranger ${key}`);
      if (key % 10_000 === 0) expect(throttle.blockedForMs('attacked', 10)).not.toBeNull();
    }
    expect(throttle.blockedForMs('stranger 0', 1)).toBeNull();
    expect(throttle.blockedForMs('stranger 99999', 1)).not.toBeNull();
  });
});
