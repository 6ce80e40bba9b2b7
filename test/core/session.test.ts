import { describe, expect, test } from 'bun:test';
import { defaultPeopleSettings } from '../../src/core/people.ts';
import { boundLifetime, isSessionOver, isVisitDue } from '../../src/core/session.ts';
import { aTenant, T0 } from '../storage/samples.ts';

const withIdle = (sessionIdleTtl: number) => aTenant({ people: { ...defaultPeopleSettings, sessionIdleTtl } });

describe('a browser\'s session', () => {
  test.each([
    ['UI-07 alive', 20, 19_999, 1, false], ['UI-07 left alone for as long as may be', 20, 20_000, 1, true],
    ['UI-07 at its absolute end', 20, 0, 0, true], ['UI-07 after it', 20, 0, -1, true],
  ])('%s', (_name, idleTtl, agoMs, leftMs, over) => {
    expect(isSessionOver({ lastSeenAtMs: T0 - agoMs, expiresAtMs: T0 + leftMs }, withIdle(idleTtl), T0)).toBe(over);
  });

  test.each([
    ['UI-07 a visit is written once a minute', 43_200, 59_999, false], ['UI-07 … at most', 43_200, 60_000, true],
    ['UI-07 under a short limit four times within it', 20, 4_999, false], ['UI-07 … at least', 20, 5_000, true], ['UI-07 under the shortest too', 1, 250, true],
  ])('%s', (_name, idleTtl, agoMs, due) => {
    expect(isVisitDue({ lastSeenAtMs: T0 - agoMs, expiresAtMs: T0 + 1 }, withIdle(idleTtl), T0)).toBe(due);
  });
});

describe('lifetime of an access token', () => {
  test.each([
    ['AT-01 as long as it was to be', T0 + 300_000, T0, 300], ['TRT-21 not beyond the end of its session', T0 + 299_999, T0, 299],
    ['TRT-21 in whole seconds, as the token has them', T0 + 10_000, T0 + 999, 10], ['TRT-21 at the end', T0 + 999, T0, 0],
    ['TRT-21 after it', T0 - 5_000, T0, 0], ['TRT-21 of no session, or for offline use', null, T0, 300],
  ])('%s', (_name, sessionEndsAtMs, nowMs, lifetime) => {
    expect(boundLifetime(300, sessionEndsAtMs, nowMs)).toBe(lifetime);
  });
});
