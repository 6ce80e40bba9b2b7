/** Allowances that fill up again. */
import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { limitHeaders, refusedBy, takeOne, type Bucket } from '../../src/core/limits.ts';

test('RL-02 an allowance is there at once, and comes again steadily', () => {
  const bucket: Bucket = { left: 3, atMs: 0 };
  expect([0, 0, 0].map((nowMs) => takeOne('client', bucket, 3, nowMs))).toEqual([
    { name: 'client', quota: 3, remaining: 2, resetS: 20, blockedForMs: null },
    { name: 'client', quota: 3, remaining: 1, resetS: 40, blockedForMs: null },
    { name: 'client', quota: 3, remaining: 0, resetS: 60, blockedForMs: null },
  ]);
  expect(takeOne('client', bucket, 3, 0)).toEqual({ name: 'client', quota: 3, remaining: 0, resetS: 60, blockedForMs: 20_000 });
  expect(takeOne('client', bucket, 3, 19_999).blockedForMs).toBe(1);
  expect(takeOne('client', bucket, 3, 20_000).blockedForMs).toBeNull();
  expect(takeOne('client', bucket, 3, 600_000)).toMatchObject({ remaining: 2 });
});

test('RL-02 over any stretch of time no more come through than the allowance and what it gained', () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 1_000 }), fc.array(fc.integer({ min: 0, max: 5_000 }), { maxLength: 300 }), (perMinute, pauses) => {
    const bucket: Bucket = { left: perMinute, atMs: 0 };
    let nowMs = 0;
    let through = 0;
    for (const pauseMs of pauses) {
      nowMs += pauseMs;
      if (takeOne('client', bucket, perMinute, nowMs).blockedForMs === null) through += 1;
    }
    expect(through).toBeLessThanOrEqual(perMinute + Math.floor((nowMs * perMinute) / 60_000) + 1e-6);
  }));
});

test('RL-02 answers tell each policy, and when to come again', () => {
  expect(limitHeaders([])).toEqual({});
  const good = { name: 'address', quota: 60, remaining: 9, resetS: 51, blockedForMs: null } as const;
  expect(limitHeaders([good])).toEqual({ 'RateLimit-Policy': '"address";q=60;w=60', RateLimit: '"address";r=9;t=51' });
  const bad = { name: 'client', quota: 6, remaining: 0, resetS: 60, blockedForMs: 1_001 } as const;
  expect(limitHeaders([good, bad])).toEqual({ 'RateLimit-Policy': '"address";q=60;w=60, "client";q=6;w=60', RateLimit: '"address";r=9;t=51, "client";r=0;t=60', 'Retry-After': '2' });
  expect([refusedBy([]), refusedBy([good]), refusedBy([good, bad])]).toEqual([null, null, 'client']);
});
