import { describe, expect, test } from 'bun:test';
import type { UserAttributes } from '../../src/core/model.ts';
import { findAttributesFault } from '../../src/core/user-attributes.ts';
import { describeUser, standardClaims, userinfoClaimNames } from '../../src/core/userinfo.ts';
import { aUser } from '../storage/samples.ts';
import { accessFacts } from './facts.ts';

const attributes: UserAttributes = {
  given_name: 'Jane', family_name: 'Roe', middle_name: 'Q', nickname: 'jq', profile: 'https://example.com/jane', picture: 'https://example.com/jane.png', website: 'https://jane.example',
  gender: 'female', birthdate: '1987-05-30', zoneinfo: 'Europe/Paris', locale: 'en-GB', updated_at: 1_795_000_000,
  address: { street_address: '1 High Street', country: 'GB' }, phone_number: '+44 20 7946 0000', phone_number_verified: true, department: 'sales',
};
const { address, phone_number, phone_number_verified, department, ...profile } = attributes;
const everybody = aUser({ attributes });

describe('OpenID Connect Core §5.4 · claims by scope', () => {
  const rows: readonly (readonly [scopes: readonly string[], claims: object])[] = [
    [[], {}], [['openid'], {}], [['openid', 'orders:read', 'offline_access'], {}],
    [['profile'], { ...profile, name: 'Jane Roe', preferred_username: 'Jane' }],
    [['email'], { email: 'jane@example.com', email_verified: true }],
    [['address'], { address: { street_address: '1 High Street', country: 'GB' } }],
    [['phone'], { phone_number: '+44 20 7946 0000', phone_number_verified: true }],
    [['phone', 'email'], { email: 'jane@example.com', email_verified: true, phone_number: '+44 20 7946 0000', phone_number_verified: true }],
  ];
  test.each(rows)('US-08 %p', (scopes, claims) => {
    expect(standardClaims(everybody, scopes)).toEqual(claims as Record<string, unknown>);
  });

  test('US-07 every claim that is told is listed, and an attribute of another name is told by no scope', () => {
    expect(Object.keys(standardClaims(everybody, ['profile', 'email', 'address', 'phone']))).toEqual(userinfoClaimNames.filter((name) => name !== 'sub'));
    expect([address, phone_number, phone_number_verified, department].includes(undefined)).toBe(false);
  });

  test('US-07 what is not known is left out', () => {
    const bare = aUser({ name: null, email: '', attributes: {} });
    expect(standardClaims(bare, ['profile', 'email', 'address', 'phone'])).toEqual({ preferred_username: 'Jane' });
  });

  test('US-08 email_verified is a truth value', () => {
    expect(standardClaims(aUser({ emailVerified: false }), ['email'])['email_verified']).toBe(false);
  });

  test.each([
    ['a number for a name', { given_name: 7 }], ['text for an address', { address: 'High Street 1' }], ['an empty address', { address: {} }], ['an address with other members', { address: { planet: 'Earth' } }],
    ['text for a truth value', { phone_number: '+44 20 7946 0000', phone_number_verified: 'true' }], ['a script for a picture', { picture: 'javascript:alert(1)' }], ['text for a time', { updated_at: 'yesterday' }],
    ['a broken time', { updated_at: 1.5 }], ['a date of its own', { birthdate: '30.05.1987' }], ['blanks', { nickname: '  ' }], ['a list', { locale: ['en'] }],
  ] as const)('US-08 an attribute of the wrong type is not told, and cannot be set: %s', (_name, wrong) => {
    const told = standardClaims(aUser({ attributes: wrong }), ['profile', 'address', 'phone']);
    expect(Object.keys(told).filter((name) => name in wrong && name !== 'phone_number')).toEqual([]);
    expect(findAttributesFault(wrong)?.description).toContain('must be');
  });

  test('US-08 whether a number is verified says nothing without a number', () => {
    expect(standardClaims(aUser({ attributes: { phone_number_verified: true } }), ['phone'])).toEqual({});
  });

  test('userinfo: sub first, standard claims, then those that the tenant adds, which replace none', () => {
    const facts = accessFacts({ scopes: ['openid', 'email'] });
    const told = describeUser(facts, aUser(), { department: 'sales', sub: 'usr_evil', email: 'evil@example.com' });
    expect(JSON.stringify(told)).toBe('{"sub":"usr_1","email":"jane@example.com","email_verified":true,"department":"sales"}');
  });
});

describe('what may be known of a user', () => {
  test('attributes of every kind', () => {
    expect(findAttributesFault(attributes)).toBeNull();
    expect(findAttributesFault({ 'a.b:c/d-e_f': 'x', list: ['a'], object: { a: 'b' }, yes: true, number: -1.5, birthdate: '0000-05-30' })).toBeNull();
  });

  test.each([
    ['a name with a space', { 'a b': 'x' }, 'name is 1 to 64'], ['no name', { '': 'x' }, 'name is 1 to 64'], ['a long name', { ['x'.repeat(65)]: 'x' }, 'name is 1 to 64'],
    ['what has a flag of its own', { email: 'a@b.example' }, 'an address of their own'], ['the id', { sub: 'x' }, 'never changes'],
    ['a list of numbers', { a: [1] }, 'must be text'], ['nothing', { a: null }, 'must be text'], ['a number beyond all', { a: Infinity }, 'must be text'], ['half a character', { a: '\uD800' }, 'must be text'],
    ['51 of them', Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`a${index}`, 'x'])), 'at most 50'], ['17 KiB', { a: 'x'.repeat(17_000) }, 'at most 16 KiB'],
  ])('not %s', (_name, wrong, words) => {
    expect(findAttributesFault(wrong as unknown as UserAttributes)?.description).toContain(words);
  });
});
