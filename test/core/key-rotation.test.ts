import { describe, expect, test } from 'bun:test';
import { METADATA_MAX_AGE } from '../../src/core/discovery.ts';
import { decideRotation, makeSteadyTime, rotationDueAt, type KeyFacts, type RotationVerdict } from '../../src/core/key-rotation.ts';

const T0 = 1_795_000_000_000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const PUBLISHED = METADATA_MAX_AGE * 1000;

const active = (changes: Partial<KeyFacts> = {}): KeyFacts => ({ kid: 'AAAA', status: 'active', createdAtMs: T0 - DAY, activatedAtMs: T0, ...changes });
const next = (changes: Partial<KeyFacts> = {}): KeyFacts => ({ kid: 'BBBB', status: 'next', createdAtMs: T0, activatedAtMs: null, ...changes });
const due = rotationDueAt(90, active()) ?? Number.NaN;

describe('JK-04 · when the next key takes over', () => {
  const rows: readonly (readonly [name: string, days: number | null, keys: readonly KeyFacts[], nowMs: number, verdict: Partial<RotationVerdict>])[] = [
    ['JK-04 not before its time', 90, [active(), next()], due - 1, { act: 'wait', dueAtMs: due, why: 'not_due' }],
    ['JK-04 at its time', 90, [active(), next()], due, { act: 'rotate', activeKid: 'AAAA' }],
    ['JK-04 long after, too', 90, [active(), next()], due + 400 * DAY, { act: 'rotate' }],
    ['JK-04 never where the tenant says so', null, [active(), next()], due + 400 * DAY, { act: 'wait', why: 'by_command', dueAtMs: null }],
    ['JK-04 not without keys', 90, [], due, { act: 'wait', why: 'no_keys' }],
    ['JK-04 retired and revoked keys do not count', 90, [{ ...active(), status: 'retired' }, { ...active(), status: 'revoked' }], due, { act: 'wait', why: 'no_keys' }],
    ['JK-03 not with a next key that caches may not know', 90, [active(), next({ createdAtMs: due - PUBLISHED + 1 })], due, { act: 'wait', why: 'next_too_fresh' }],
    ['JK-03 as soon as they do', 90, [active(), next({ createdAtMs: due - PUBLISHED })], due, { act: 'rotate' }],
    ['JK-03 not where there is none', 90, [active()], due, { act: 'wait', why: 'no_next' }],
    ['JK-10 a key that was activated in the future has its turn', 90, [active({ activatedAtMs: T0 + 3_650 * DAY }), next()], T0 + DAY, { act: 'rotate' }],
    ['JK-10 also beside a next key of that time', 90, [active({ activatedAtMs: T0 + 3_650 * DAY }), next({ createdAtMs: T0 + 3_650 * DAY })], T0 + DAY, { act: 'rotate' }],
    ['JK-10 a little ahead is nothing', 90, [active({ activatedAtMs: T0 + HOUR }), next()], T0, { act: 'wait', why: 'not_due' }],
  ];
  test.each(rows)('%s', (_name, days, keys, nowMs, verdict) => {
    expect(decideRotation(days, keys, { nowMs, seenMs: nowMs }, PUBLISHED)).toMatchObject(verdict);
  });

  test('JK-10 steady time that lags behind makes no key look misdated', () => {
    expect(decideRotation(90, [active(), next()], { nowMs: T0 - 3_650 * DAY, seenMs: T0 + DAY }, PUBLISHED)).toMatchObject({ act: 'wait', why: 'not_due' });
  });

  test('JK-04 keys that were made together are due apart, none before its days are over, and each always at the same moment', () => {
    const times = Array.from({ length: 1_000 }, (_, number) => rotationDueAt(90, active({ kid: Bun.hash(String(number)).toString(36).padStart(13, '0') })) ?? 0);
    expect(Math.min(...times)).toBeGreaterThanOrEqual(T0 + 90 * DAY);
    expect(Math.max(...times)).toBeLessThan(T0 + 91 * DAY);
    const perMinute = Map.groupBy(times, (at) => Math.floor(at / 60_000));
    expect(Math.max(...[...perMinute.values()].map((group) => group.length))).toBeLessThan(12);
    expect(rotationDueAt(90, active())).toBe(due);
  });
});

describe('JK-10 · time that does not follow jumps', () => {
  const jumps = [24 * HOUR, 30 * DAY, 3_650 * DAY, -24 * HOUR, -3_650 * DAY];

  test.each(jumps)('JK-10 a jump of %p ms and back, every minute, never makes it later than it is', (jumpMs) => {
    const steady = makeSteadyTime();
    let latest = 0;
    for (let minute = 0; minute < 600; minute += 1) {
      const monotonicMs = minute * 60_000;
      const wallMs = T0 + monotonicMs + (minute % 2 === 1 ? jumpMs : 0);
      latest = Math.max(latest, steady.read(wallMs, monotonicMs) - monotonicMs);
    }
    expect(latest).toBeLessThanOrEqual(T0);
  });

  test('JK-10 a jump forward that stays is believed after a day by the monotonic clock, not before', () => {
    const steady = makeSteadyTime();
    steady.read(T0, 0);
    const jump = 3_650 * DAY;
    expect(steady.read(T0 + jump + 1000, 1000)).toBe(T0 + 1000);
    expect(steady.read(T0 + jump + DAY, DAY)).toBe(T0 + DAY);
    expect(steady.read(T0 + jump + DAY + 2000, DAY + 2000)).toBe(T0 + jump + DAY + 2000);
  });

  test('JK-10 a clock that was far behind and is right again is believed at once', () => {
    const steady = makeSteadyTime();
    steady.read(T0, 0);
    expect(steady.read(T0 - 3_650 * DAY, 1000)).toBe(T0 - 3_650 * DAY);
    expect(steady.read(T0 + 2000, 2000)).toBe(T0 + 2000);
  });

  test('JK-10 small differences are followed', () => {
    const steady = makeSteadyTime();
    steady.read(T0, 0);
    expect(steady.read(T0 + 30 * 60_000, 1000)).toBe(T0 + 30 * 60_000);
    expect(steady.read(T0 + 20 * 60_000, 2000)).toBe(T0 + 20 * 60_000);
  });

  test('JK-10 a start long after the last run is not believed at once; one after a weekend is', () => {
    const long = makeSteadyTime(T0);
    expect(long.read(T0 + 3_650 * DAY, 500)).toBe(T0);
    expect(long.read(T0 + 3_650 * DAY + 1000, 1500)).toBe(T0 + 1000);
    expect(makeSteadyTime(T0).read(T0 + 3 * DAY, 500)).toBe(T0 + 3 * DAY);
    expect(makeSteadyTime(0).read(T0, 500)).toBe(T0);
  });
});
