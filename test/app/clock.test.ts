import { describe, expect, test } from 'bun:test';
import { makeClock } from '../../src/app/clock.ts';
import { T0 } from '../storage/samples.ts';

const HOUR = 3_600_000;

/** A machine whose two clocks a test moves. */
function machine(highWaterMs = 0) {
  let wallMs = T0;
  let monotonicMs = 5000;
  const clock = makeClock(highWaterMs, () => wallMs, () => monotonicMs);
  return {
    clock,
    /** Time goes by. */
    pass: (ms: number): number => {
      wallMs += ms;
      monotonicMs += ms;
      return clock.now();
    },
    /** The machine's clock is set. */
    step: (ms: number): number => {
      wallMs += ms;
      return clock.now();
    },
  };
}

describe('time that never goes back', () => {
  test('TM-01 on a good day it is the machine\'s', () => {
    const { clock, pass } = machine();
    expect([clock.now(), pass(1), pass(1000), clock.behindMs()]).toEqual([T0, T0 + 1, T0 + 1001, 0]);
  });

  test('TM-02 the machine\'s clock jumps back an hour: time goes on from where it was', () => {
    const { clock, pass, step } = machine();
    clock.now();
    expect(step(-HOUR)).toBe(T0);
    expect(clock.behindMs()).toBe(HOUR);
    expect(pass(1000)).toBe(T0 + 1000);
    expect(pass(HOUR / 2)).toBe(T0 + 1000 + HOUR / 2);
    expect(clock.behindMs()).toBe(HOUR);
  });

  test('TM-02 once the machine\'s clock is set right all is well again', () => {
    const { clock, pass, step } = machine();
    clock.now();
    step(-HOUR);
    pass(1000);
    expect(step(HOUR)).toBe(T0 + 1000);
    expect(clock.behindMs()).toBe(0);
    expect(pass(1)).toBe(T0 + 1001);
  });

  test('TM-02 a second step back while time runs on its own', () => {
    const { clock, pass, step } = machine();
    clock.now();
    step(-HOUR);
    pass(1000);
    step(-HOUR);
    expect(pass(1000)).toBe(T0 + 2000);
    expect(clock.behindMs()).toBe(2 * HOUR);
  });

  test('TM-02 an adjustment of a second is no trouble: time stands still until it is made up for', () => {
    const { clock, pass, step } = machine();
    clock.now();
    expect(step(-1000)).toBe(T0);
    expect([pass(500), clock.behindMs()]).toEqual([T0, 0]);
    expect(pass(501)).toBe(T0 + 1);
  });

  test('TM-03 an hour forward and back: what was issued then neither lives early nor for ever', () => {
    const { pass, step } = machine();
    const issuedMs = step(HOUR);
    expect(issuedMs).toBe(T0 + HOUR);
    expect(step(-HOUR)).toBe(T0 + HOUR);
    expect(pass(300_000)).toBe(issuedMs + 300_000);
  });

  test('TM-02 a start with the machine\'s clock behind the data', () => {
    const { clock, pass } = machine(T0 + HOUR);
    expect(clock.now()).toBe(T0 + HOUR);
    expect(clock.behindMs()).toBe(HOUR);
    expect(pass(1000)).toBe(T0 + HOUR + 1000);
  });

  test('TM-02 a start shortly behind the data is no trouble', () => {
    const { clock } = machine(T0 + 1500);
    expect([clock.now(), clock.behindMs()]).toEqual([T0 + 1500, 0]);
  });

  test('TM-04 intervals know nothing of all that', () => {
    const { clock, pass, step } = machine();
    const startMs = clock.monotonic();
    step(-HOUR);
    step(2 * HOUR);
    pass(10);
    expect(clock.monotonic() - startMs).toBe(10);
  });

  test('TM-02 whatever the machine\'s clock does, time never goes back', () => {
    const { clock, pass, step } = machine();
    let latest = 0;
    for (const ms of [1, -1, 5000, -4000, -HOUR, 3, HOUR, -2, HOUR * 24, -HOUR * 48, 1]) {
      for (const now of [step(ms), pass(7), clock.now()]) {
        expect(now).toBeGreaterThanOrEqual(latest);
        latest = now;
      }
    }
  });
});
