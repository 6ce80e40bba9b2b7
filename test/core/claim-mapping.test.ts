import { describe, expect, test } from 'bun:test';
import { findMappingFault, hasMappings, mapClaims, MOST_CLAIM_BYTES, needsOrganization, type ClaimFacts } from '../../src/core/claim-mapping.ts';
import { claimTargets, type ClaimMapping } from '../../src/core/people.ts';
import { aUser, T0 } from '../storage/samples.ts';

const mapping = (claim: string, source = 'attribute:department', targets: readonly string[] = ['id_token']): ClaimMapping => ({ claim, source, targets: targets as ClaimMapping['targets'] });

describe('which claims a tenant may add', () => {
  test.each([
    ['a plain name', [mapping('department')]], ['RFC 7519 §4.2 a name like a URI', [mapping('https://example.com/claims/department')]],
    ['a name of 64 characters', [mapping('x'.repeat(64))]], ['RFC 9068 §2.2.3.1 roles', [mapping('roles', 'roles'), mapping('groups', 'roles'), mapping('entitlements', 'permissions')]],
    ['the same name at different places', [mapping('dept', 'attribute:a', ['id_token']), mapping('dept', 'attribute:b', ['userinfo', 'introspection'])]],
    ['every source, everywhere', ['attribute:a.b', 'org.name', 'roles', 'permissions'].map((source, index) => mapping(`c${index}`, source, claimTargets))],
    ['fifty of them', Array.from({ length: 50 }, (_, index) => mapping(`c${index}`))], ['none', []],
  ])('%s', (_name, mappings) => {
    expect(findMappingFault(mappings)).toBeNull();
  });

  test.each([
    ['fifty-one of them', Array.from({ length: 51 }, (_, index) => mapping(`c${index}`)), 'at most 50'],
    ['no name', [mapping('')], '1 to 64'], ['65 characters', [mapping('x'.repeat(65))], '1 to 64'], ['a space', [mapping('a b')], '1 to 64'], ['a quote', [mapping('a"b')], '1 to 64'],
    ['an unknown source', [mapping('a', 'user.email')], 'comes from'], ['an attribute without a name', [mapping('a', 'attribute:')], 'comes from'],
    ['what is no attribute', [mapping('mail', 'attribute:email')], 'told with its scope'],
    ['a place that is none', [mapping('a', 'roles', ['id-token'])], 'appears in'], ['no place', [mapping('a', 'roles', [])], 'appears in'],
    ['a place twice', [mapping('a', 'roles', ['userinfo', 'userinfo'])], 'twice'],
    ['one name twice at a place', [mapping('a'), mapping('A', 'roles', ['userinfo', 'id_token'])], 'two claims in id_token'],
  ])('not %s', (_name, mappings, words) => {
    expect(findMappingFault(mappings)).toContain(words);
  });

  const reserved = [
    'iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti', 'client_id', 'scope', 'auth_time', 'acr', 'amr', 'active', 'username', 'token_type', 'access_token', 'refresh_token', 'id_token', 'expires_in',
    'error', 'nonce', 'azp', 'at_hash', 'c_hash', 's_hash', 'sub_jwk', '_claim_names', '_claim_sources', 'sid', 'events', 'cnf', 'act', 'may_act', 'authorization_details', 'token_introspection',
    'org_id', 'org_name', 'grant_id', 'name', 'preferred_username', 'email', 'email_verified', 'address', 'phone_number', 'phone_number_verified', 'picture', 'updated_at', '__proto__',
  ];
  test.each(reserved)('INT-119, RFC 9068 §2.2, RFC 7662 §2.2 the name %s is taken', (name) => {
    for (const target of claimTargets) expect(findMappingFault([mapping(name, 'roles', [target])])).toContain('cannot be given to a claim');
  });

  test('the refusal says what the name means', () => {
    expect(['sub', 'auth_time', 'email'].map((name) => findMappingFault([mapping(name)])?.replace(/^.*it is /, '').slice(0, 20))).toEqual(['a claim of every JWT', 'a claim of access to', 'a standard claim: it']);
  });

  test.each(['Active', 'EXP', 'Sub', 'x5t#S256'])('%s is taken too, or no name at all: some programs do not tell letter case apart', (name) => {
    expect(findMappingFault([mapping(name)])).not.toBeNull();
  });
});

describe('what mapped claims say', () => {
  const org = { tenantId: 'ten_1', id: 'org_1', name: 'Example Ltd', createdAtMs: T0 };
  const facts = (changes: Partial<ClaimFacts> = {}): ClaimFacts => ({
    user: aUser({ attributes: { department: 'sales', level: 3, remote: false, tags: ['a', 'b'], empty: '' } }), org, roles: ['admin'], permissions: ['orders:read', 'orders:write'], ...changes,
  });
  const all = ['attribute:department', 'attribute:level', 'attribute:remote', 'attribute:tags', 'org.name', 'roles', 'permissions'].map((source, index) => mapping(`c${index}`, source));

  test('every source, with the type that it has', () => {
    expect(mapClaims(all, 'id_token', facts())).toEqual({
      claims: { c0: 'sales', c1: 3, c2: false, c3: ['a', 'b'], c4: 'Example Ltd', c5: ['admin'], c6: ['orders:read', 'orders:write'] }, dropped: [],
    });
  });

  test('US-07 what is not known is left out, never null or empty', () => {
    const bare = facts({ org: null, roles: [], permissions: [] });
    const missing = ['attribute:unknown', 'attribute:empty', 'attribute:toString', 'org.name', 'roles', 'permissions'].map((source, index) => mapping(`c${index}`, source));
    expect(mapClaims(missing, 'id_token', bare)).toEqual({ claims: {}, dropped: [] });
  });

  test('only what is mapped for a place', () => {
    const mappings = [mapping('a', 'roles', ['userinfo']), mapping('b', 'attribute:department', ['access_token', 'userinfo'])];
    expect(claimTargets.map((target) => Object.keys(mapClaims(mappings, target, facts()).claims))).toEqual([[], ['b'], [], ['a', 'b']]);
    expect(claimTargets.map((target) => hasMappings(mappings, target))).toEqual([false, true, false, true]);
    expect(claimTargets.map((target) => needsOrganization(mappings, target))).toEqual([false, false, false, true]);
  });

  const sized = (sizes: Readonly<Record<string, number>>) => {
    const attributes = Object.fromEntries(Object.entries(sizes).map(([name, size]) => [name, 'x'.repeat(size)]));
    return mapClaims(Object.keys(sizes).map((name) => mapping(name, `attribute:${name}`)), 'id_token', facts({ user: aUser({ attributes }) }));
  };

  test('2 KiB of JSON fit, a byte more does not', () => {
    const exact = MOST_CLAIM_BYTES - '{"a":""}'.length;
    const { claims } = sized({ a: exact });
    expect([new TextEncoder().encode(JSON.stringify(claims)).length, sized({ a: exact + 1 }).dropped]).toEqual([MOST_CLAIM_BYTES, ['a']]);
    const half = (MOST_CLAIM_BYTES - '{"a":"","b":""}'.length - 1) / 2;
    expect(sized({ a: half, b: half }).dropped).toEqual([]);
    expect(sized({ a: half + 1, b: half + 1 }).dropped).toEqual(['b']);
  });

  test('the largest go first, among equals the later name; the rest stays', () => {
    const { claims, dropped } = sized({ a: 900, c: 900, b: 900, d: 10 });
    expect([Object.keys(claims), dropped]).toEqual([['a', 'b', 'd'], ['c']]);
    expect(sized({ a: 10, b: 3000, c: 2500 })).toMatchObject({ claims: { a: 'xxxxxxxxxx' }, dropped: ['b', 'c'] });
  });

  test('bytes count, not characters', () => {
    const attributes = { a: 'ü'.repeat(1100) };
    expect(mapClaims([mapping('a', 'attribute:a')], 'id_token', facts({ user: aUser({ attributes }) })).dropped).toEqual(['a']);
  });
});
