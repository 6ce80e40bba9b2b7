import { describe, expect, test } from 'bun:test';
import type { Fault } from '../../src/core/fault.ts';
import { findClientFault } from '../../src/core/client-settings.ts';
import { findPermissionFault, findRoleNameFault } from '../../src/core/identifiers.ts';
import type { Client } from '../../src/core/model.ts';
import { defaultPeopleSettings, type PeopleSettings } from '../../src/core/people.ts';
import { findTenantFault } from '../../src/core/tenant-settings.ts';
import { aClient, aTenant } from '../storage/samples.ts';

/** All that people read of a fault. */
const wordsOf = (fault: Fault | null): string => [fault?.description, fault?.hint].join('; ');

describe('how people sign in to a tenant', () => {
  const fault = (change: Partial<PeopleSettings>) => findTenantFault(aTenant({ people: { ...defaultPeopleSettings, ...change } }));

  test.each([
    ['what a tenant begins with', {}], ['passwords alone', { emailCodes: false, passkeys: false }], ['passkeys alone', { emailCodes: false, passwords: false }], ['codes alone', { passkeys: false, passwords: false }],
    ['UI-14 the shortest password of 8', { passwordMinLength: 8 }], ['UI-14 of 64', { passwordMinLength: 64 }], ['a color', { color: '#1A7f64' }],
    ['UI-07 lifetimes', { sessionIdleTtl: 1, sessionTtl: 315_360_000 }],
  ] as const)('%s', (_name, change) => {
    expect(fault(change)).toBeNull();
  });

  test.each([
    ['no way at all', { passwords: false, emailCodes: false, passkeys: false }, 'a way to sign in'],
    ['UI-14 the shortest password of 7', { passwordMinLength: 7 }, '8 to 64'], ['of 65', { passwordMinLength: 65 }, '8 to 64'], ['of half a character', { passwordMinLength: 8.5 }, '8 to 64'],
    ['UI-07 no time', { sessionTtl: 0 }, 'lifetime'], ['a name for a color', { color: 'red' }, '#rrggbb'], ['a short color', { color: '#fff' }, '#rrggbb'], ['more than a color', { color: '#ffffff;}' }, '#rrggbb'],
    ['a claim that has a meaning', { claims: [{ claim: 'sub', source: 'roles', targets: ['id_token'] }] }, 'cannot be given'],
  ] as const)('not %s', (_name, change, words) => {
    expect(wordsOf(fault(change))).toContain(words);
  });
});

describe('addresses and PKCE of a client', () => {
  const https = 'https://app.example.com/x';
  test.each([
    ['LO-02 an address after signing out', { postLogoutRedirectUris: [https, 'com.example.app:/out', 'http://127.0.0.1:8080/out'] }, false],
    ['LO-15 https', { backchannelLogoutUri: `${https}?a=b` }, false], ['LO-15 http on loopback while the server is there', { backchannelLogoutUri: 'http://localhost:3000/logout' }, true],
    ['AZ-14 a confidential client without PKCE', { requirePkce: false }, false], ['first party', { firstParty: true }, false],
  ] as const)('%s', (_name, change: Partial<Client>, loopback) => {
    expect(findClientFault(aClient(change), loopback)).toBeNull();
  });

  test.each([
    ['LO-03 a fragment after signing out', { postLogoutRedirectUris: [`${https}#a`] }, true, 'post-logout redirect URI'], ['LO-03 http elsewhere', { postLogoutRedirectUris: ['http://app.example.com'] }, true, 'loopback'],
    ['LO-15 a fragment', { backchannelLogoutUri: `${https}#a` }, true, 'fragment'], ['LO-15 a user name', { backchannelLogoutUri: 'https://a:b@app.example.com/' }, true, 'user name'],
    ['LO-15 http elsewhere', { backchannelLogoutUri: 'http://app.example.com/' }, true, 'loopback'], ['LO-15 http on loopback of a server that is elsewhere', { backchannelLogoutUri: 'http://127.0.0.1/' }, false, 'https'],
    ['LO-15 a private scheme', { backchannelLogoutUri: 'com.example.app:/out' }, true, 'https'], ['LO-15 no URL', { backchannelLogoutUri: 'logout' }, true, 'absolute'],
    ['AZ-14 a public client without PKCE', { public: true, grants: ['authorization_code'], requirePkce: false }, true, '--pkce optional'],
  ] as const)('not %s', (_name, change: Partial<Client>, loopback, words) => {
    expect(wordsOf(findClientFault(aClient(change), loopback))).toContain(words);
  });
});

describe('roles and permissions', () => {
  test.each(['admin', 'a', 'x'.repeat(64), 'org:billing/admin'])('%p is a role\'s name', (name) => {
    expect(findRoleNameFault(name)).toBeNull();
  });
  test.each(['', 'x'.repeat(65), 'a b', 'ä', 'a\n'])('%p is none', (name) => {
    expect(findRoleNameFault(name)).not.toBeNull();
  });
  const many = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => `p${index}`);
  test.each([['none', []], ['a word', ['orders:read']], ['128 characters', ['x'.repeat(128)]], ['a hundred', many(100)]] as const)('%s may be permitted', (_name, words) => {
    expect(findPermissionFault(words)).toBeNull();
  });
  test.each([
    ['an empty word', ['']], ['a space', ['a b']], ['a quote', ['a"b']], ['a backslash', ['a\\b']], ['129 characters', ['x'.repeat(129)]], ['a hundred and one', many(101)],
  ] as const)('%s may not', (_name, words) => {
    expect(findPermissionFault(words)).not.toBeNull();
  });
});
