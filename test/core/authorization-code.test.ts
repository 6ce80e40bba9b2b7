/** What a presented code comes to (OAuth 2.1 §4.1.3, RFC 7636 §4.6). */
import { describe, expect, test } from 'bun:test';
import { CODE_LIFE_MS, decideCode, type CodePresentation } from '../../src/core/authorization-code.ts';
import type { Client, Tenant, User } from '../../src/core/model.ts';
import type { AuthorizationCode } from '../../src/core/people.ts';
import { aClient, aTenant, aUser, digestOf, T0 } from '../storage/samples.ts';

const WEB = 'https://app.example/cb';
const VERIFIER = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk';
const OTHER = `${VERIFIER.slice(1)}x`;

function aCode(changes: Partial<AuthorizationCode> = {}): AuthorizationCode {
  return {
    digest: digestOf('code'), tenantId: 'ten_1', clientId: 'cli_1', userId: 'usr_1', sessionId: 'ses_1', sessionEndsAtMs: T0 + 3_600_000, orgId: null, redirectUri: WEB, challenge: digestOf(VERIFIER),
    nonce: null, scopes: ['openid'], resources: [], offline: false, authTime: T0 / 1000, acr: '1fa', amr: ['pwd'], issuedAtMs: T0, expiresAtMs: T0 + CODE_LIFE_MS, usedAtMs: null, failures: 0, grantId: null, ...changes,
  };
}

const presented = (verifier: string | null = VERIFIER, redirectUri: string | null = WEB): CodePresentation =>
  ({ redirectUri, verifier, verifierDigest: verifier === null ? null : digestOf(verifier) });
const used = { usedAtMs: T0 + 10, grantId: 'gra_1' };

type Row = readonly [name: string, verdict: string, code?: Partial<AuthorizationCode>, by?: CodePresentation, facts?: { readonly caller?: Partial<Client>; readonly tenant?: Partial<Tenant>; readonly user?: Partial<User> | null; readonly nowMs?: number }];

const rows: readonly Row[] = [
  ['TAC-01 right in everything', 'redeem'],
  ['TAC-05 redirect_uri left out', 'redeem', {}, presented(VERIFIER, null)],
  ['TAC-05 redirect_uri given where the request named none', 'redeem', { redirectUri: null }],
  ['TAC-05 another redirect_uri', 'refuse invalid_grant redirect_uri', {}, presented(VERIFIER, `${WEB}/`)],
  ['TAC-05 another redirect_uri of a used code: no replay', 'refuse invalid_grant redirect_uri', used, presented(VERIFIER, `${WEB}/`)],
  ['TAC-04 another client', 'refuse invalid_grant foreign', {}, presented(), { caller: { id: 'cli_2' } }],
  ['TAC-04, MTN-05 the same client id at another tenant', 'refuse invalid_grant foreign', {}, presented(), { caller: { tenantId: 'ten_2' } }],
  ['TAC-11 another client with a used code', 'refuse invalid_grant foreign', used, presented(), { caller: { id: 'cli_2' } }],
  ['TAC-06 another verifier: counted', 'wrong_verifier', {}, presented(OTHER)],
  ['TAC-06 the challenge as verifier: counted', 'wrong_verifier', {}, presented(digestOf(VERIFIER))],
  ['TAC-11 another verifier with a used code', 'refuse invalid_grant wrong_verifier', used, presented(OTHER)],
  ['TAC-07 no verifier', 'refuse invalid_grant verifier_missing', {}, presented(null)],
  ['TAC-11 no verifier with a used code', 'refuse invalid_grant verifier_missing', used, presented(null)],
  ['TAC-08 a verifier without a challenge', 'refuse invalid_request verifier_without_challenge', { challenge: null }],
  ['TAC-01 neither', 'redeem', { challenge: null }, presented(null)],
  ['TAC-09 42 characters', 'refuse invalid_grant verifier_malformed', {}, presented(VERIFIER.slice(1))],
  ['TAC-09 43 characters', 'redeem', { challenge: digestOf('v'.repeat(43)) }, presented('v'.repeat(43))],
  ['TAC-09 128 characters', 'redeem', { challenge: digestOf('v'.repeat(128)) }, presented('v'.repeat(128))],
  ['TAC-09 129 characters, rightly hashed', 'refuse invalid_grant verifier_malformed', { challenge: digestOf('v'.repeat(129)) }, presented('v'.repeat(129))],
  ['TAC-09 characters that are none of it', 'refuse invalid_grant verifier_malformed', {}, presented(`${VERIFIER}+`)],
  ['TAC-09 every character that is', 'redeem', { challenge: digestOf(`${VERIFIER}.~_-AZaz09`) }, presented(`${VERIFIER}.~_-AZaz09`)],
  ['TAC-10 used, and rightly presented', 'replay', used],
  ['TAC-10 … also after its minute', 'replay', used, presented(), { nowMs: T0 + 10 * CODE_LIFE_MS }],
  ['TAC-03, TOK-16 spent by five failures', 'refuse invalid_grant spent', { usedAtMs: T0 + 10 }],
  ['TAC-03, TAC-13 its last millisecond', 'redeem', {}, presented(), { nowMs: T0 + CODE_LIFE_MS - 1 }],
  ['TAC-03, TAC-13 at its end', 'refuse invalid_grant expired', {}, presented(), { nowMs: T0 + CODE_LIFE_MS }],
  ['TRT-21 the last second of its session has not begun', 'redeem', { sessionEndsAtMs: T0 + 1020 }, presented(), { nowMs: T0 + 999 }],
  ['TRT-21 the last second of its session', 'refuse invalid_grant session_over', { sessionEndsAtMs: T0 + 1020 }, presented(), { nowMs: T0 + 1000 }],
  ['TAC-15 the user is disabled', 'refuse invalid_grant user_disabled', {}, presented(), { user: { disabledAtMs: T0 + 1 } }],
  ['TAC-15 the user is deleted', 'refuse invalid_grant user_disabled', {}, presented(), { user: { deletedAtMs: T0 + 1 } }],
  ['TAC-15 the user was disabled and enabled again', 'refuse invalid_grant user_disabled', {}, presented(), { user: { notBeforeMs: T0 } }],
  ['TAC-15 … before', 'redeem', {}, presented(), { user: { notBeforeMs: T0 - 1 } }],
  ['TAC-15 there is no user', 'refuse invalid_grant user_disabled', {}, presented(), { user: null }],
  ['TAC-15 the client was disabled and enabled again', 'refuse invalid_grant cut_off', {}, presented(), { caller: { notBeforeMs: T0 } }],
  ['TAC-15 the tenant is disabled', 'refuse invalid_grant cut_off', {}, presented(), { tenant: { disabledAtMs: T0 } }],
  ['TAC-15 the tenant was disabled and enabled again', 'refuse invalid_grant cut_off', {}, presented(), { tenant: { notBeforeMs: T0 + 1 } }],
];

describe('OAuth 2.1 §4.1.3 · a presented code', () => {
  test.each(rows.map(([name, verdict, code = {}, by = presented(), facts = {}]) => [name, verdict, code, by, facts] as const))('%s → %s', (_name, verdict, code, by, facts) => {
    const decided = decideCode(aCode(code), aClient(facts.caller), aTenant(facts.tenant), facts.user === null ? null : aUser(facts.user), by, facts.nowMs ?? T0 + 20);
    expect(decided.act === 'refuse' ? `refuse ${decided.error} ${decided.reason}` : decided.act).toBe(verdict);
  });

  test('TAC-13 a code is good for a minute', () => {
    expect(CODE_LIFE_MS).toBe(60_000);
  });
});
