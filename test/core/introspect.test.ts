import { describe, expect, test } from 'bun:test';
import { decideIntrospection, effectivePolicy, renderIntrospection, type IntrospectionVerdict } from '../../src/core/introspect.ts';
import { introspectionPolicies, policyModes, shapeNames, type Client, type Resource, type ShapeName, type Tenant, type TokenFacts, type User } from '../../src/core/model.ts';
import type { Standing } from '../../src/core/standing.ts';
import { aClient, aTenant, aUser, SOON_S, T0 } from '../storage/samples.ts';
import { accessFacts, clientFacts, goodStanding, otherClient, refreshTokenFacts, resourceOf } from './facts.ts';

type Ask = { tenant?: Partial<Tenant>; caller?: Client; owned?: readonly Resource[]; facts?: TokenFacts; standing?: Partial<Standing> };

function decide({ tenant = {}, caller = aClient(), owned = [], facts = accessFacts(), standing = {} }: Ask): IntrospectionVerdict {
  return decideIntrospection(caller, owned, facts, goodStanding({ tenant: aTenant(tenant), ...standing }), T0 + 1000);
}

const everything = ['openid', 'email', 'orders:read'];
const active = (policy: string, recorded: string | null = null, scopes: readonly string[] = everything) => ({ active: true, policy, scopes, recorded });
const denied = (policy: string, reason = 'policy') => ({ active: false, policy, reason, recorded: 'denied' });

const verdicts: readonly (readonly [name: string, ask: Ask, verdict: object])[] = [
  ['INT-60 issued_to: its own token', { tenant: { introspectionPolicy: 'issued_to' } }, active('issued_to')],
  ['INT-60 issued_to: another client\'s token', { tenant: { introspectionPolicy: 'issued_to' }, caller: otherClient() }, denied('issued_to')],
  ['INT-60 issued_to: another client\'s token for a resource of its own', { tenant: { introspectionPolicy: 'issued_to' }, caller: otherClient(), owned: [resourceOf('cli_2')] }, denied('issued_to')],
  ['INT-61 audience: a token for a resource of its own', { caller: otherClient(), owned: [resourceOf('cli_2')] }, active('audience')],
  ['INT-62 audience: a token for others', { caller: otherClient() }, denied('audience')],
  ['INT-64 audience: another client\'s refresh token, whatever it owns', { caller: otherClient(), owned: [resourceOf('cli_2')], facts: refreshTokenFacts() }, denied('audience')],
  ['INT-64 its own refresh token', { facts: refreshTokenFacts() }, active('audience')],
  ['INT-64 tenant: another client\'s refresh token', { tenant: { introspectionPolicy: 'tenant' }, caller: otherClient(), facts: refreshTokenFacts() }, active('tenant')],
  ['INT-63 tenant: any access token', { tenant: { introspectionPolicy: 'tenant' }, caller: otherClient() }, active('tenant')],
  ['INT-63 the client\'s own policy goes over the tenant\'s, wider', { tenant: { introspectionPolicy: 'issued_to' }, caller: otherClient({ introspect: 'tenant' }) }, active('tenant')],
  ['INT-63 the client\'s own policy goes over the tenant\'s, narrower', { tenant: { introspectionPolicy: 'tenant' }, caller: otherClient({ introspect: 'issued_to' }) }, denied('issued_to')],
  ['INT-63 who registered itself is capped at audience', { tenant: { introspectionPolicy: 'tenant' }, caller: otherClient({ selfRegistered: true }) }, denied('audience')],
  ['INT-63 report mode does not lift the cap of who registered itself', { tenant: { introspectionPolicyMode: 'report' }, caller: otherClient({ selfRegistered: true }) }, denied('audience')],
  ['report mode answers and records what would be denied', { tenant: { introspectionPolicyMode: 'report' }, caller: otherClient() }, active('audience', 'would_deny')],
  ['report mode: also a refresh token', { tenant: { introspectionPolicyMode: 'report' }, caller: otherClient(), facts: refreshTokenFacts() }, active('audience', 'would_deny')],
  ['report mode: nothing to record for one\'s own', { tenant: { introspectionPolicyMode: 'report' } }, active('audience')],
  ['report mode: a dead token is dead, and nothing is recorded', { tenant: { introspectionPolicyMode: 'report' }, caller: otherClient(), standing: { revoked: true } }, { active: false, policy: 'audience', reason: 'revoked', recorded: null }],
  ['a dead token of one\'s own is no denial', { standing: { revoked: true } }, { active: false, policy: 'audience', reason: 'revoked', recorded: null }],
  ['a dead token of others is a denial with its true reason for operators', { caller: otherClient(), standing: { revoked: true } }, denied('audience', 'revoked')],
  ['INT-84 another tenant\'s token, in every mode', { tenant: { introspectionPolicyMode: 'report', introspectionPolicy: 'tenant' }, facts: accessFacts({ tenantId: 'ten_2' }) }, denied('tenant', 'other_tenant')],
  ['INT-65 scope is narrowed to the caller\'s resource and the person', { caller: otherClient(), owned: [resourceOf('cli_2', { scopes: ['orders:write'] })] }, active('audience', null, ['openid', 'email'])],
  ['INT-65 several resources of the caller add up', { caller: otherClient(), owned: [resourceOf('cli_2', { scopes: ['orders:write'] }), resourceOf('cli_2', { uri: 'urn:b', scopes: ['orders:read'] })] }, active('audience')],
  ['INT-65 a resource that declares no scopes does not narrow', { caller: otherClient(), owned: [resourceOf('cli_2', { scopes: ['orders:write'] }), resourceOf('cli_2', { uri: 'urn:b' })] }, active('audience')],
  ['INT-65 one\'s own token is not narrowed', { owned: [resourceOf('cli_1', { scopes: ['orders:write'] })] }, active('audience')],
  ['INT-65 policy tenant is not narrowed', { caller: otherClient({ introspect: 'tenant' }), owned: [resourceOf('cli_2', { scopes: ['orders:write'] })] }, active('tenant')],
];

describe('RFC 7662 §2.2, §4 · who may learn about a token', () => {
  test.each(verdicts)('%s', (_name, ask, verdict) => {
    expect(decide(ask)).toEqual(verdict as IntrospectionVerdict);
  });

  test('INT-84 no policy and no mode ever crosses tenants', () => {
    for (const introspectionPolicy of introspectionPolicies) {
      for (const introspectionPolicyMode of policyModes) {
        const verdict = decide({ tenant: { introspectionPolicy, introspectionPolicyMode }, facts: accessFacts({ tenantId: 'ten_2' }), owned: [resourceOf('cli_1')] });
        expect(verdict).toEqual({ active: false, reason: 'other_tenant', policy: introspectionPolicy, recorded: 'denied' });
      }
    }
  });

  test('INT-63 the policy that holds', () => {
    const table = introspectionPolicies.flatMap((tenant) => [null, ...introspectionPolicies].map((own) => {
      const policy = (selfRegistered: boolean) => effectivePolicy(aTenant({ introspectionPolicy: tenant }), aClient({ introspect: own, selfRegistered }));
      return [tenant, own, policy(false), policy(true)];
    }));
    expect(table).toEqual([
      ['issued_to', null, 'issued_to', 'issued_to'], ['issued_to', 'issued_to', 'issued_to', 'issued_to'],
      ['issued_to', 'audience', 'audience', 'audience'], ['issued_to', 'tenant', 'tenant', 'audience'],
      ['audience', null, 'audience', 'audience'], ['audience', 'issued_to', 'issued_to', 'issued_to'],
      ['audience', 'audience', 'audience', 'audience'], ['audience', 'tenant', 'tenant', 'audience'],
      ['tenant', null, 'tenant', 'audience'], ['tenant', 'issued_to', 'issued_to', 'issued_to'],
      ['tenant', 'audience', 'audience', 'audience'], ['tenant', 'tenant', 'tenant', 'audience'],
    ]);
  });
});

const ISSUER = 'https://id.example.com/t/acme';
type View = { shape: ShapeName; tenantShape?: ShapeName; user?: User | null; personal?: boolean; orgName?: string | null; mapped?: Readonly<Record<string, unknown>> };

function render(facts: TokenFacts, { shape, tenantShape = shape, user = aUser(), personal = true, ...more }: View) {
  return renderIntrospection(facts, facts.scopes, { shape, tenantShape, issuer: ISSUER, user, personal, ...more });
}

const iat = T0 / 1000;
const person = { acr: 'urn:acr:2', auth_time: iat - 60 };
const scope = 'openid email orders:read';
const aud = 'https://api.example.com';
const common = { active: true as const, scope, client_id: 'cli_1', iat, sub: 'usr_1', iss: ISSUER, ...person };

const documents: readonly (readonly [name: string, facts: TokenFacts, view: View, answer: object])[] = [
  ['INT-100…INT-105 standard, a user\'s access token', accessFacts(), { shape: 'standard' },
    { ...common, exp: SOON_S, aud, username: 'jane@example.com', token_type: 'Bearer', jti: 'jti_1', sid: 'ses_1', org_id: 'org_1' }],
  ['INT-107 standard, a refresh token', refreshTokenFacts(), { shape: 'standard' },
    { ...common, exp: SOON_S, aud, username: 'jane@example.com', org_id: 'org_1' }],
  ['INT-114 standard, a client\'s own token', clientFacts({ orgId: null }), { shape: 'standard', user: null },
    { active: true, scope: 'orders:read', client_id: 'cli_1', token_type: 'Bearer', exp: SOON_S, iat, sub: 'cli_1', aud, iss: ISSUER, jti: 'jti_1' }],
  ['INT-111 avnology, a user\'s access token: aud is a list, no username', accessFacts(), { shape: 'avnology' },
    { ...common, exp: SOON_S, aud: [aud], token_type: 'Bearer', jti: 'jti_1', org_id: 'org_1' }],
  ['INT-107 avnology, a refresh token', refreshTokenFacts(), { shape: 'avnology' }, { ...common, exp: SOON_S, aud: [aud], org_id: 'org_1' }],
  ['INT-112 kotauth, a user\'s access token: login name and e-mail, no token_type', accessFacts(), { shape: 'kotauth' },
    { ...common, exp: SOON_S, aud, username: 'Jane', email: 'jane@example.com' }],
  ['INT-112 kotauth without scope email', accessFacts({ scopes: ['openid'] }), { shape: 'kotauth' },
    { ...common, scope: 'openid', exp: SOON_S, aud, username: 'Jane' }],
  ['INT-107 kotauth, a refresh token', refreshTokenFacts(), { shape: 'kotauth' }, { ...common, exp: SOON_S, aud, username: 'Jane', email: 'jane@example.com' }],
  ['INT-108 workos, a user\'s access token', accessFacts(), { shape: 'workos' },
    { ...common, exp: SOON_S, aud, token_type: 'access_token', jti: 'jti_1', sid: 'ses_1', org_id: 'org_1' }],
  ['INT-108, INT-109 workos, a refresh token: no exp, no jti, no sid', refreshTokenFacts(), { shape: 'workos' },
    { ...common, aud, token_type: 'refresh_token', org_id: 'org_1' }],
  ['INT-110 workos, a client\'s own token: org_id, no sid', clientFacts(), { shape: 'workos', user: null },
    { active: true, scope: 'orders:read', client_id: 'cli_1', token_type: 'access_token', exp: SOON_S, iat, sub: 'cli_1', aud, iss: ISSUER, jti: 'jti_1', org_id: 'org_1' }],
];

describe('RFC 7662 §2.2 · members of an answer', () => {
  test.each(documents)('%s', (_name, facts, view, answer) => {
    expect(JSON.parse(JSON.stringify(render(facts, view)))).toEqual(answer);
  });

  test.each([...shapeNames])('INT-01 %s: `active` comes first', (shape) => {
    expect(Object.keys(render(accessFacts(), { shape }))[0]).toBe('active');
  });

  test.each([...shapeNames])('INT-02 %s: what is absent is left out, never null', (shape) => {
    const bare = accessFacts({ scopes: [], audience: [], id: null, sessionId: null, orgId: null, authTime: null, acr: null, expiresAt: null, userId: null });
    const answer = render(bare, { shape, user: null });
    expect(Object.values(answer)).not.toContain(null);
    expect(Object.keys(answer).filter((name) => name !== 'token_type')).toEqual(['active', 'client_id', 'iat', 'sub', 'iss']);
  });

  test.each([...shapeNames])('INT-105 %s: a token bound to a DPoP key is DPoP, with its confirmation', (shape) => {
    expect(render(accessFacts({ confirmation: { jkt: 'abc' } }), { shape })).toMatchObject({ token_type: 'DPoP', cnf: { jkt: 'abc' } });
  });

  test.each([...shapeNames])('INT-106 %s: one bound to a certificate keeps its confirmation', (shape) => {
    const answer = render(accessFacts({ confirmation: { 'x5t#S256': 'abc' } }), { shape });
    expect(answer.cnf).toEqual({ 'x5t#S256': 'abc' });
    expect(answer.token_type).not.toBe('DPoP');
  });

  test.each([...shapeNames])('INT-117 %s: the actor, nbf and several audiences', (shape) => {
    const answer = render(accessFacts({ actor: { sub: 'a', act: { sub: 'b' } }, notBefore: iat, audience: ['urn:a', 'urn:b'] }), { shape });
    expect(answer).toMatchObject({ act: { sub: 'a', act: { sub: 'b' } }, nbf: iat, aud: ['urn:a', 'urn:b'] });
  });

  test.each([...shapeNames])('INT-110 %s: the name of the organization only in the form that has it', (shape) => {
    const named = (facts: TokenFacts, orgName: string | null) => render(facts, { shape, orgName }).org_name;
    expect(named(accessFacts(), 'Example Ltd')).toBe(shape === 'avnology' ? 'Example Ltd' : undefined);
    expect([named(accessFacts(), null), named(accessFacts({ orgId: null }), 'Example Ltd')]).toEqual([undefined, undefined]);
  });

  test.each([...shapeNames])('INT-112, INT-119 %s: claims of the tenant\'s own come last, and replace nothing', (shape) => {
    const plain = render(accessFacts(), { shape });
    const answer = render(accessFacts(), { shape, mapped: { department: 'sales', active: false, sub: 'usr_evil' } });
    expect(JSON.stringify(answer)).toBe(JSON.stringify({ ...plain, department: 'sales' }));
    expect(render(accessFacts(), { shape, mapped: { department: 'sales' }, personal: false })).not.toHaveProperty('department');
  });

  test('INT-104 sub of digits stays a string', () => {
    expect(render(accessFacts({ subject: '42' }), { shape: 'standard' }).sub).toBe('42');
  });

  test('INT-100 iat is whole seconds whatever the millisecond', () => {
    expect(render(accessFacts({ issuedAtMs: T0 + 999 }), { shape: 'standard' }).iat).toBe(iat);
  });

  test('the login name stands in for an e-mail address that is missing', () => {
    const answer = render(accessFacts(), { shape: 'standard', user: aUser({ email: '' }) });
    expect(answer.username).toBe('Jane');
    expect(render(accessFacts(), { shape: 'kotauth', user: aUser({ email: '' }) })).not.toHaveProperty('email');
  });

  test.each([...shapeNames])('INT-116 %s: who registered itself learns nothing personal', (shape) => {
    const answer = render(accessFacts(), { shape, personal: false });
    expect([answer.username, answer.email]).toEqual([undefined, undefined]);
  });

  test('INT-116 a URL never reveals more than the tenant\'s own shape has', () => {
    const shown = (shape: ShapeName, tenantShape: ShapeName) => {
      const { username, email } = render(accessFacts(), { shape, tenantShape });
      return [username !== undefined, email !== undefined];
    };
    for (const tenantShape of ['avnology', 'workos'] as const) {
      for (const shape of shapeNames) expect(shown(shape, tenantShape)).toEqual([false, false]);
    }
    expect(shown('kotauth', 'standard')).toEqual([true, false]);
    expect(shown('standard', 'kotauth')).toEqual([true, false]);
    expect(shown('workos', 'kotauth')).toEqual([false, false]);
  });
});
