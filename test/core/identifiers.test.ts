import { describe, expect, test } from 'bun:test';
import {
  findClientIdFault, findEmailFault, findNameFault, findSecretFault, findUserIdFault, isChosenSecret, isIdentifier, usernameKey, uuidFrom,
} from '../../src/core/identifiers.ts';
import { findRedirectUriFault } from '../../src/core/redirect-uri.ts';

describe('ids and names', () => {
  test('TX-02 ids are visible ASCII', () => {
    expect(['a', '42', 'svc-orders', '!~', 'x'.repeat(256)].filter(isIdentifier)).toHaveLength(5);
    expect(['', 'a b', 'é', 'a\n', '\u007F', 'x'.repeat(257)].filter(isIdentifier)).toEqual([]);
  });

  test('INT-115 clients and people cannot take each other\'s ids', () => {
    for (const id of ['usr_1', 'USR_1', 'org_1', 'https://a', 'a b', '']) expect(findClientIdFault(id)).not.toBeNull();
    for (const id of ['cli_1', '42', 'svc-orders', 'http://a']) expect(findClientIdFault(id)).toBeNull();
    for (const id of ['cli_1', 'CLI_1', '', 'a b', 'x'.repeat(256)]) expect(findUserIdFault(id)).not.toBeNull();
    for (const id of ['42', 'usr_1', 'x'.repeat(255)]) expect(findUserIdFault(id)).toBeNull();
  });

  test.each([
    ['a lone surrogate', 'a\uD800'], ['NUL', 'a\0b'], ['a right-to-left override', 'a\u202Eb'], ['a byte order mark', '\uFEFFa'], ['a line separator', 'a\u2028b'],
    ['an isolate', 'a\u2066b'], ['a zero-width space', 'a\u200Bb'], ['DEL', 'a\u007Fb'], ['spaces around', ' a'], ['nothing', ''], ['257 characters', 'x'.repeat(257)],
  ])('TX-04 a name with %s is refused', (_what, name) => {
    expect(findNameFault(name)).not.toBeNull();
  });

  test('TX-04 names of people are fine', () => {
    expect(['Zoë', '山田 太郎', 'O\'Neil', '👩‍💻', 'x'.repeat(256)].map(findNameFault)).toEqual([null, null, null, null, null]);
  });

  test('TX-02 usernames compare composed and without letter case, and no further', () => {
    expect(usernameKey('ZOE\u0308')).toBe(usernameKey('zo\u00EB'));
    expect(usernameKey('paypal')).not.toBe(usernameKey('p\u0430ypal'));
    expect(usernameKey('a')).not.toBe(usernameKey('\uFF41'));
  });

  test('e-mail addresses', () => {
    expect(['a@b', 'a.b+c@d.e'].map(findEmailFault)).toEqual([null, null]);
    for (const email of ['', 'a', '@b', 'a@', 'a@b@c', 'a b@c', 'a@b\n', `${'x'.repeat(254)}@b`]) expect(findEmailFault(email)).not.toBeNull();
  });

  test('CA-17 supplied secrets: 16 to 256 visible ASCII characters, short ones are taken for chosen', () => {
    expect([15, 16, 256, 257].map((length) => findSecretFault('x'.repeat(length)) === null)).toEqual([false, true, true, false]);
    for (const secret of ['with a space in it', 'mit Umlautä und so', 'line\nfeed line feed']) expect(findSecretFault(secret)).not.toBeNull();
    expect([16, 31, 32, 256].map((length) => isChosenSecret('x'.repeat(length)))).toEqual([true, true, false, false]);
  });

  test('a UUID of version 4', () => {
    expect(uuidFrom('A'.repeat(22))).toBe('00000000-0000-4000-8000-000000000000');
    expect(uuidFrom(Buffer.alloc(16, 255).toString('base64url'))).toBe('ffffffff-ffff-4fff-bfff-ffffffffffff');
  });
});

describe('OAuth 2.1 §2.3.1 · redirect URIs', () => {
  test.each([
    'https://app.example.com/cb', 'https://app.example.com/cb?x=1', 'http://127.0.0.1:4000/cb', 'http://localhost/cb', 'http://[::1]:1/cb', 'com.example.app:/cb', 'com.example.app://cb',
  ])('%s is one', (uri) => {
    expect(findRedirectUriFault(uri)).toBeNull();
  });

  test.each([
    '', '/cb', 'https://app.example.com/cb#x', 'https://app.example.com/cb#', 'http://app.example.com/cb', 'https://u:p@app.example.com/', 'https://*.example.com/', 'javascript:alert(1)',
    'data:text/html,x', 'myapp:/cb', 'https:/app.example.com', 'https://app.example.com/ b', 'https://app.example.com/\n', `https://a/${'x'.repeat(2048)}`, 'https://é.example/',
  ])('%p is none', (uri) => {
    expect(findRedirectUriFault(uri)).not.toBeNull();
  });
});
