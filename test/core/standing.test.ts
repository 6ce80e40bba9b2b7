import { describe, expect, test } from 'bun:test';
import { findFault, isCutOff, type InactiveReason, type Standing } from '../../src/core/standing.ts';
import type { TokenFacts } from '../../src/core/model.ts';
import { aClient, aTenant, aUser, SOON_S, T0 } from '../storage/samples.ts';
import { accessFacts, clientFacts, goodStanding, refreshTokenFacts } from './facts.ts';

type Case = readonly [name: string, facts: TokenFacts, standing: Partial<Standing>, nowMs: number, reason: InactiveReason | null];

const now = T0 + 1000;
const cases: readonly Case[] = [
  ['INT-01 a good access token', accessFacts(), {}, now, null],
  ['INT-114 a good token without a user needs none', clientFacts(), { user: null }, now, null],
  ['a good refresh token', refreshTokenFacts(), {}, now, null],
  ['MTN-05 another tenant\'s token', accessFacts({ tenantId: 'ten_2' }), {}, now, 'other_tenant'],
  ['INT-86 a suspended tenant', accessFacts(), { tenant: aTenant({ disabledAtMs: T0 + 1 }) }, now, 'tenant_disabled'],
  ['MTN-12 a deleted tenant', accessFacts(), { tenant: aTenant({ deletedAtMs: T0 + 1 }) }, now, 'tenant_disabled'],
  ['INT-85 enabling a tenant again revives nothing', accessFacts(), { tenant: aTenant({ notBeforeMs: T0 }) }, now, 'tenant_disabled'],
  ['INT-70 one millisecond before exp', accessFacts(), {}, SOON_S * 1000 - 1, null],
  ['INT-70 at exp exactly', accessFacts(), {}, SOON_S * 1000, 'expired'],
  ['INT-92 a refresh token past its end', refreshTokenFacts(), {}, SOON_S * 1000, 'expired'],
  ['without exp it lives as long as its grant', refreshTokenFacts({ expiresAt: null }), {}, T0 * 2, null],
  ['INT-71 before nbf', accessFacts({ notBefore: T0 / 1000 + 2 }), {}, T0 + 1999, 'not_yet_valid'],
  ['INT-71 at nbf exactly', accessFacts({ notBefore: T0 / 1000 + 2 }), {}, T0 + 2000, null],
  ['TM-01 issued ten seconds ahead is tolerated', accessFacts(), {}, T0 - 10_000, null],
  ['TM-03 issued further ahead is not', accessFacts(), {}, T0 - 10_001, 'issued_in_future'],
  ['INT-72 revoked', accessFacts(), { revoked: true }, now, 'revoked'],
  ['INT-91 a spent refresh token', refreshTokenFacts(), { rotated: true }, now, 'rotated'],
  ['INT-87, INT-88 its grant was revoked', accessFacts(), { grantRevoked: true }, now, 'grant_revoked'],
  ['INT-86 a client that is gone', accessFacts(), { client: null }, now, 'client_unknown'],
  ['INT-86 a deleted client', accessFacts(), { client: aClient({ deletedAtMs: T0 + 1 }) }, now, 'client_unknown'],
  ['INT-86 a disabled client', accessFacts(), { client: aClient({ disabledAtMs: T0 + 1 }) }, now, 'client_disabled'],
  ['INT-86 enabling a client again revives nothing', accessFacts(), { client: aClient({ notBeforeMs: T0 }) }, now, 'client_disabled'],
  ['INT-86 what came after the cutoff is good', accessFacts(), { client: aClient({ notBeforeMs: T0 - 1 }) }, now, null],
  ['INT-85 a user that is gone', accessFacts(), { user: null }, now, 'user_unknown'],
  ['INT-85 a deleted user', accessFacts(), { user: aUser({ deletedAtMs: T0 + 1 }) }, now, 'user_unknown'],
  ['INT-85 a disabled user', accessFacts(), { user: aUser({ disabledAtMs: T0 + 1 }) }, now, 'user_disabled'],
  ['INT-85, INT-90 enabling a user again revives nothing', accessFacts(), { user: aUser({ notBeforeMs: T0 }) }, now, 'user_disabled'],
];

describe('RFC 7662 §2.2 · whether a token is good, apart from who asks', () => {
  test.each(cases)('%s', (_name, facts, standing, nowMs, reason) => {
    expect(findFault(facts, goodStanding(standing), nowMs)).toBe(reason);
  });

  test('a cutoff ends what was issued in its own millisecond too', () => {
    expect([T0 - 1, T0, T0 + 1].map((issuedAtMs) => isCutOff(issuedAtMs, { notBeforeMs: T0 }))).toEqual([true, true, false]);
  });
});
