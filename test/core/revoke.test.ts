import { describe, expect, test } from 'bun:test';
import { decideRevocation, type RevocationVerdict } from '../../src/core/revoke.ts';
import type { Client, Tenant, TokenFacts } from '../../src/core/model.ts';
import { aClient, aTenant } from '../storage/samples.ts';
import { accessFacts, otherClient, refreshTokenFacts } from './facts.ts';

const wide = { revocationPolicy: 'tenant' } as const;
const rows: readonly (readonly [name: string, tenant: Partial<Tenant>, caller: Client, facts: TokenFacts | null, verdict: RevocationVerdict])[] = [
  ['REV-03 a token nobody knows', {}, aClient(), null, { act: 'nothing' }],
  ['REV-01, REV-15 one\'s own access token, alone', {}, aClient(), accessFacts(), { act: 'revoke_token' }],
  ['REV-02, REV-12 one\'s own refresh token: the grant', {}, aClient(), refreshTokenFacts(), { act: 'revoke_grant', cascade: 'grant' }],
  ['REV-14 … and the session where that is the rule', { refreshRevocation: 'session' }, aClient(), refreshTokenFacts(), { act: 'revoke_grant', cascade: 'session' }],
  ['REV-15 the cascade is not for access tokens', { refreshRevocation: 'session' }, aClient(), accessFacts(), { act: 'revoke_token' }],
  ['REV-08 a public client\'s own', {}, aClient({ public: true }), refreshTokenFacts(), { act: 'revoke_grant', cascade: 'grant' }],
  ['REV-04 another client\'s token', {}, otherClient(), accessFacts(), { act: 'deny' }],
  ['REV-04 policy tenant: any confidential client', wide, otherClient(), accessFacts(), { act: 'revoke_token' }],
  ['REV-04 policy tenant: refresh tokens too', wide, otherClient(), refreshTokenFacts(), { act: 'revoke_grant', cascade: 'grant' }],
  ['REV-04 policy tenant: never a public client', wide, otherClient({ public: true }), accessFacts(), { act: 'deny' }],
  ['REV-04 policy tenant: never who registered itself', wide, otherClient({ selfRegistered: true }), accessFacts(), { act: 'deny' }],
  ['REV-05 another tenant\'s token, with equal ids', wide, aClient(), accessFacts({ tenantId: 'ten_2' }), { act: 'deny' }],
];

describe('RFC 7009 §2.1 · who may revoke what', () => {
  test.each(rows)('%s', (_name, tenant, caller, facts, verdict) => {
    expect(decideRevocation(aTenant(tenant), caller, facts)).toEqual(verdict);
  });
});
