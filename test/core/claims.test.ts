import { describe, expect, test } from 'bun:test';
import { accessTokenClaims, factsFromClaims, issuedAtOf, makeTokenId } from '../../src/core/claims.ts';
import type { Actor } from '../../src/spec/introspection.ts';
import { T0 } from '../storage/samples.ts';
import { accessFacts, clientFacts } from './facts.ts';

const ISSUER = 'https://id.example.com/t/acme';
const iat = Math.floor(T0 / 1000);
const id = makeTokenId(T0 + 123, 'r'.repeat(22));
const good = { iss: ISSUER, sub: 'usr_1', aud: 'urn:a', client_id: 'cli_1', exp: iat + 300, iat, jti: id };

describe('RFC 9068 §2.2 · claims of an access token', () => {
  test('AT-02, AT-03 a user\'s token', () => {
    const facts = accessFacts({ issuedAtMs: T0 + 123 });
    expect(accessTokenClaims({ ...facts, id, expiresAt: iat + 300 }, ISSUER)).toEqual({
      ...good, aud: 'https://api.example.com', scope: 'openid email orders:read', sid: 'ses_1', org_id: 'org_1', auth_time: iat - 60, acr: 'urn:acr:2', grant_id: 'gra_1',
    });
  });

  test('TCC-05, AT-06 a client\'s own: no person in it', () => {
    const facts = clientFacts({ issuedAtMs: T0 + 123, orgId: null, scopes: [] });
    expect(accessTokenClaims({ ...facts, id, expiresAt: iat + 300 }, ISSUER)).toEqual({ ...good, sub: 'cli_1', aud: 'https://api.example.com' });
  });

  test('AT-04 several audiences are a list', () => {
    const facts = clientFacts({ audience: ['urn:a', 'urn:b'] });
    expect(accessTokenClaims({ ...facts, id, expiresAt: iat }, ISSUER).aud).toEqual(['urn:a', 'urn:b']);
  });

  test('claims and facts are one and the same', () => {
    for (const facts of [accessFacts({ issuedAtMs: T0 + 123, id, expiresAt: iat + 300 }), clientFacts({ issuedAtMs: T0 + 123, id, expiresAt: iat + 300, audience: ['a', 'b'], scopes: [] })]) {
      expect(factsFromClaims({ ...accessTokenClaims({ ...facts, id, expiresAt: iat + 300 }, ISSUER) }, 'ten_1')).toEqual(facts);
    }
  });

  test('AT-10 a token id carries its millisecond, and randomness after it', () => {
    expect(issuedAtOf(id, iat)).toBe(T0 + 123);
    expect(issuedAtOf(id, iat + 1)).toBeNull();
    expect(issuedAtOf('not-ours', iat)).toBeNull();
    expect(issuedAtOf('', 0)).toBeNull();
    expect(makeTokenId(0, 'x')).toBe('000000000x');
    const last = 36 ** 9 - 1;
    expect(issuedAtOf(makeTokenId(last, 'x'), Math.floor(last / 1000))).toBe(last);
  });
});

/** [value, whether it is a time] */
const times: readonly (readonly [unknown, boolean])[] = [
  [0, true], [1, true], [iat, true], [253_402_300_799, true],
  [253_402_300_800, false], [-1, false], [1.5, false], [1e21, false], [Number.MAX_SAFE_INTEGER, false], [Number.NaN, false], [Infinity, false],
  ['1795000000', false], ['', false], [null, false], [true, false], [[iat], false], [{}, false],
];

describe('TM-05 · times in inbound tokens', () => {
  for (const name of ['exp', 'iat', 'nbf'] as const) {
    test.each([...times])(`TM-05 ${name}: %p`, (value, fine) => {
      const facts = factsFromClaims({ ...good, [name]: value }, 'ten_1');
      if (!fine) expect(facts).toBeNull();
      else expect(name === 'exp' ? facts?.expiresAt : name === 'nbf' ? facts?.notBefore : Math.floor((facts?.issuedAtMs ?? -1) / 1000)).toBe(Number(value));
    });
  }

  test('TM-05 a broken auth_time is left out', () => {
    expect(times.map(([value]) => factsFromClaims({ ...good, auth_time: value }, 'ten_1')?.authTime ?? null))
      .toEqual(times.map(([value, fine]) => (fine ? Number(value) : null)));
  });
});

describe('RFC 9068 §4 · reading claims', () => {
  const broken: readonly (readonly [name: string, claims: Record<string, unknown>])[] = [
    ...['sub', 'client_id', 'jti', 'exp', 'iat', 'aud'].map((name) => [`AT-02 without ${name}`, { ...good, [name]: undefined }] as const),
    ['sub that is a number', { ...good, sub: 42 }],
    ['an empty sub', { ...good, sub: '' }],
    ['an empty jti', { ...good, jti: '' }],
    ['no audience', { ...good, aud: [] }],
    ['an audience that is not text', { ...good, aud: ['urn:a', 1] }],
    ['an empty audience', { ...good, aud: '' }],
    ['AT-07 a confirmation that is not an object', { ...good, cnf: 'jkt' }],
    ['AT-07 a confirmation of an unknown kind', { ...good, cnf: { kid: 'x' } }],
    ['AT-07 a confirmation that is null', { ...good, cnf: null }],
  ];
  test.each(broken)('refuses %s', (_name, claims) => {
    expect(factsFromClaims(claims, 'ten_1')).toBeNull();
  });

  test('AT-07 confirmations', () => {
    const cnf = (value: unknown) => factsFromClaims({ ...good, cnf: value }, 'ten_1')?.confirmation;
    expect(cnf({ jkt: 'a' })).toEqual({ jkt: 'a' });
    expect(cnf({ 'x5t#S256': 'b', other: 1 })).toEqual({ 'x5t#S256': 'b' });
    expect(cnf({ jkt: 'a', 'x5t#S256': 'b' })).toEqual({ jkt: 'a', 'x5t#S256': 'b' });
    expect(cnf(undefined)).toBeNull();
  });

  test('INT-117 actors nest, but not without end', () => {
    const nest = (depth: number): unknown => (depth === 0 ? undefined : { sub: `a${depth}`, act: nest(depth - 1) });
    const depthOf = (item: Actor | null | undefined): number => (item ? 1 + depthOf(item.act) : 0);
    const actor = (value: unknown) => factsFromClaims({ ...good, act: value }, 'ten_1')?.actor;
    expect(actor({ sub: 'a', iss: 'i', act: { sub: 'b', junk: 1 } })).toEqual({ sub: 'a', iss: 'i', act: { sub: 'b' } });
    expect(actor({ iss: 'i' })).toBeNull();
    expect(depthOf(actor(nest(50)))).toBe(5);
  });

  test('odd optional claims are left out', () => {
    expect(factsFromClaims({ ...good, scope: 1, sid: 2, org_id: '', acr: [], grant_id: 5 }, 'ten_1'))
      .toMatchObject({ scopes: [], sessionId: null, orgId: null, acr: null, grantId: null, userId: null });
  });
});
