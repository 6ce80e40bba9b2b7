/** What an ID token says (OpenID Connect Core §2, §3.1.3.6, §12.2). */
import { expect, test } from 'bun:test';
import { idTokenClaims, type IdTokenPlan } from '../../src/core/id-token.ts';
import { aGrant, T0 } from '../storage/samples.ts';

const NOW_S = T0 / 1000;
const plan = (change: Partial<IdTokenPlan> = {}, grant: Partial<IdTokenPlan['grant']> = {}): IdTokenPlan => ({
  issuer: 'https://id.example', grant: aGrant({ authTime: NOW_S - 60, acr: 'mfa', amr: ['pwd', 'otp', 'mfa'], ...grant }), nonce: 'n-0S6_WzA2Mj', accessTokenHash: 'hash', nowMs: T0 + 999, lifetime: 300, more: {}, ...change,
});
const all = {
  iss: 'https://id.example', sub: 'usr_1', aud: 'cli_1', exp: NOW_S + 300, iat: NOW_S, auth_time: NOW_S - 60, nonce: 'n-0S6_WzA2Mj', at_hash: 'hash', acr: 'mfa', amr: ['pwd', 'otp', 'mfa'], sid: 'ses_1',
};
const without = (...names: readonly string[]): Record<string, unknown> => Object.fromEntries(Object.entries(all).filter(([name]) => !names.includes(name)));

test.each([
  ['TAC-18 everything that is known', plan(), all],
  ['TRT-19 refreshed: no nonce, the same auth_time', plan({ nonce: null }), without('nonce')],
  ['TAC-18 without a session', plan({}, { sessionId: null }), without('sid')],
  ['TAC-18 nothing of how they signed in', plan({}, { authTime: null, acr: null, amr: [] }), without('auth_time', 'acr', 'amr')],
  ['TAC-18, US-08 claims of the person come along', plan({ more: { name: 'Jane', email_verified: true } }), { name: 'Jane', email_verified: true, ...all }],
  ['TAC-18 … and never over those of the protocol', plan({ more: { iss: 'x', sub: 'x', aud: 'x', exp: 1, iat: 1, auth_time: 1, nonce: 'x', at_hash: 'x', acr: 'x', amr: ['x'], sid: 'x' } }), all],
] as const)('OpenID Connect Core §2 · %s', (_name, planned, claims) => {
  expect(idTokenClaims(planned)).toEqual(claims as never);
});
