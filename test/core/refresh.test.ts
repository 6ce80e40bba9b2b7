import { describe, expect, test } from 'bun:test';
import type { Client, Grant, RefreshToken, RefreshUse } from '../../src/core/model.ts';
import { defaultPeopleSettings } from '../../src/core/people.ts';
import { decideRefresh, refreshFacts, type RefreshVerdict } from '../../src/core/refresh.ts';
import type { SessionTimes } from '../../src/core/session.ts';
import type { Standing } from '../../src/core/standing.ts';
import { aClient, aGrant, aRefresh, aTenant, aUser, HOUR_MS, T0 } from '../storage/samples.ts';
import { goodStanding, otherClient } from './facts.ts';

const USED = T0 + 60_000;
const GRACE = 10_000;
const IDLE = defaultPeopleSettings.sessionIdleTtl * 1000;
const spent = (changes: Partial<RefreshUse> = {}): RefreshToken => aRefresh('rt_1', {
  use: { usedAtMs: USED, successorDigest: 'next', successorSealed: 'sealed', requestDigest: 'same', successorUsed: false, ...changes },
});

type Ask = { caller?: Client; token?: RefreshToken; grant?: Grant; standing?: Partial<Standing>; digest?: string; nowMs?: number; graceMs?: number; session?: SessionTimes | null };
function decide({ caller = aClient(), token = aRefresh(), grant = aGrant(), standing = {}, digest = 'same', nowMs = USED, graceMs = GRACE, session = null }: Ask): RefreshVerdict {
  return decideRefresh(caller, token, grant, goodStanding(standing), { digest, nowMs, graceMs, session });
}

const refuse = (reason: string) => ({ act: 'refuse', reason });
const rows: readonly (readonly [name: string, ask: Ask, verdict: object])[] = [
  ['TRT-01, TRT-08 first use', {}, { act: 'rotate' }],
  ['TRT-15 without rotation the token stays', { caller: aClient({ refreshRotation: false }) }, { act: 'keep' }],
  ['TRT-10 again at once', { token: spent() }, { act: 'replay' }],
  ['TRT-10 again at the end of the grace', { token: spent(), nowMs: USED + GRACE }, { act: 'replay' }],
  ['TRT-09 after it', { token: spent(), nowMs: USED + GRACE + 1 }, { act: 'reuse' }],
  ['TRT-11 within it, but the successor was used', { token: spent({ successorUsed: true }) }, { act: 'reuse' }],
  ['TRT-10 within it, another request', { token: spent(), digest: 'other' }, refuse('other_request')],
  ['TRT-09 after it, another request is reuse all the same', { token: spent(), digest: 'other', nowMs: USED + GRACE + 1 }, { act: 'reuse' }],
  ['TRT-10 without grace', { token: spent(), nowMs: USED + 1, graceMs: 0 }, { act: 'reuse' }],
  ['TRT-04 another client\'s', { caller: otherClient() }, refuse('foreign')],
  ['TRT-12 another client\'s, spent long ago: no reuse', { caller: otherClient(), token: spent(), nowMs: USED + HOUR_MS }, refuse('foreign')],
  ['TRT-04 another tenant\'s, with equal ids', { caller: aClient({ tenantId: 'ten_2' }) }, refuse('foreign')],
  ['TRT-04 expired', { nowMs: T0 + 24 * HOUR_MS }, refuse('expired')],
  ['TRT-16 spent and then expired is no reuse', { token: spent(), nowMs: T0 + 24 * HOUR_MS }, refuse('expired')],
  ['TRT-04 its grant is revoked', { standing: { grantRevoked: true } }, refuse('grant_revoked')],
  ['TRT-20 its user is disabled', { standing: { user: aUser({ disabledAtMs: USED }) } }, refuse('user_disabled')],
  ['TRT-20 its user is gone', { standing: { user: null } }, refuse('user_unknown')],
  ['TRT-20 its client is disabled', { standing: { client: aClient({ disabledAtMs: USED }) } }, refuse('client_disabled')],
  ['TRT-21, UI-07 its session is good', { session: { lastSeenAtMs: USED - IDLE + 1, expiresAtMs: USED + 1 } }, { act: 'rotate' }],
  ['TRT-21, UI-07 its session was left alone', { session: { lastSeenAtMs: USED - IDLE, expiresAtMs: USED + 1 } }, refuse('session_over')],
  ['TRT-21, UI-07 its session is at its end', { session: { lastSeenAtMs: USED, expiresAtMs: USED } }, refuse('session_over')],
  ['TRT-04 another client\'s, and its session is over', { caller: otherClient(), session: { lastSeenAtMs: USED, expiresAtMs: USED } }, refuse('foreign')],
  ['TRT-20 its tenant is suspended', { standing: { tenant: aTenant({ disabledAtMs: USED }) } }, refuse('tenant_disabled')],
];

describe('RFC 6749 §6, OAuth 2.1 §4.3 · a presented refresh token', () => {
  test.each(rows)('%s', (_name, ask, verdict) => {
    expect(decide(ask)).toEqual(verdict as RefreshVerdict);
  });

  test('what a refresh token is to introspection: what its grant says', () => {
    expect(refreshFacts(aRefresh('rt_1', { issuedAtMs: T0 + 5 }), aGrant({ orgId: 'org_1', acr: 'x' }))).toEqual({
      kind: 'refresh', tenantId: 'ten_1', clientId: 'cli_1', subject: 'usr_1', userId: 'usr_1', scopes: ['orders:read'],
      audience: ['https://api.example.com'], issuedAtMs: T0 + 5, expiresAt: T0 / 1000 + 86_400, notBefore: null, id: null, grantId: 'gra_1',
      sessionId: 'ses_1', orgId: 'org_1', confirmation: null, actor: null, authTime: T0 / 1000, acr: 'x',
    });
  });
});
