import { describe, expect, test } from 'bun:test';
import { judgeHost, type HostVerdict } from '../../src/core/host.ts';
import { issuerOf, parseOrigin, type Origin } from '../../src/core/issuer.ts';
import { canonicalHost } from '../../src/core/tenant-settings.ts';
import { aTenant } from '../storage/samples.ts';
import { originOf } from './facts.ts';

const own: HostVerdict = { kind: 'own' };
const malformed: HostVerdict = { kind: 'malformed' };
const other = (host: string): HostVerdict => ({ kind: 'other', host });

const PUBLIC = 'https://id.example.com';
const LOOP = 'http://127.0.0.1:8080';
const rows: readonly (readonly [name: string, origin: string, host: string | null, verdict: HostVerdict])[] = [
  ['HT-01 the origin\'s own', PUBLIC, 'id.example.com', own],
  ['HT-01 in capitals', PUBLIC, 'ID.Example.COM', own],
  ['HT-01 with the default port', PUBLIC, 'id.example.com:443', own],
  ['HT-01 with another port', PUBLIC, 'id.example.com:80', other('id.example.com:80')],
  ['HT-01 another name', PUBLIC, 'Auth.acme.com', other('auth.acme.com')],
  ['HT-01 an origin with a port wants it', 'https://id.example.com:8443', 'id.example.com', other('id.example.com')],
  ['HT-01 missing', PUBLIC, null, malformed],
  ['HT-01 empty', PUBLIC, '', malformed],
  ['HT-01 doubled', PUBLIC, 'id.example.com, id.example.com', malformed],
  ['HT-01 with a space', PUBLIC, 'id example.com', malformed],
  ['HT-01, MTN-09 with a path', PUBLIC, 'id.example.com/zz', malformed],
  ['HT-01 with a user', PUBLIC, 'u@id.example.com', malformed],
  ['HT-01 with a port that is none', PUBLIC, 'id.example.com:x', malformed],
  ['HT-01 with an empty label', PUBLIC, 'id..example.com', malformed],
  ['HT-01 with a dot at the end', PUBLIC, 'id.example.com.', malformed],
  ['HT-01 with letters that no host has', PUBLIC, '\u00EFd.example.com', malformed],
  ['HT-01 a broken IPv6 address', PUBLIC, '[::1', malformed],
  ['HT-01 with a line feed', PUBLIC, 'id.example.com\n', malformed],
  ['MTN-09 very short', PUBLIC, 'a', other('a')],
  ['loopback: the address', LOOP, '127.0.0.1:8080', own],
  ['loopback: localhost', LOOP, 'localhost:8080', own],
  ['loopback: IPv6', LOOP, '[::1]:8080', own],
  ['loopback: another port', LOOP, 'localhost:8081', other('localhost:8081')],
  ['loopback: without the port', LOOP, 'localhost', other('localhost')],
  ['loopback: a name under localhost may be a tenant\'s', LOOP, 'acme.localhost:8080', other('acme.localhost:8080')],
  ['loopback: on port 80', 'http://localhost', '127.0.0.1', own],
  ['loopback: on port 80, written', 'http://localhost', '[::1]:80', own],
  ['a public origin is not loopback', PUBLIC, 'localhost', other('localhost')],
];

describe('RFC 9110 §7.2 · whom a Host speaks of', () => {
  test.each(rows)('%s', (_name, origin, host, verdict) => {
    expect(judgeHost(host, originOf(origin))).toEqual(verdict);
  });
});

describe('MTN-02 · origins', () => {
  const good: readonly (readonly [string, Origin])[] = [
    ['https://id.example.com', { url: 'https://id.example.com', scheme: 'https', host: 'id.example.com', loopback: false }],
    ['https://id.example.com/', { url: 'https://id.example.com', scheme: 'https', host: 'id.example.com', loopback: false }],
    ['https://id.example.com:443', { url: 'https://id.example.com', scheme: 'https', host: 'id.example.com', loopback: false }],
    ['https://id.example.com:80', { url: 'https://id.example.com:80', scheme: 'https', host: 'id.example.com:80', loopback: false }],
    ['http://127.0.0.1:8080', { url: 'http://127.0.0.1:8080', scheme: 'http', host: '127.0.0.1:8080', loopback: true }],
    ['http://localhost:80', { url: 'http://localhost', scheme: 'http', host: 'localhost', loopback: true }],
    ['http://[::1]:8080', { url: 'http://[::1]:8080', scheme: 'http', host: '[::1]:8080', loopback: true }],
    ['http://demo.localhost:1', { url: 'http://demo.localhost:1', scheme: 'http', host: 'demo.localhost:1', loopback: true }],
    ['https://localhost.example.com', { url: 'https://localhost.example.com', scheme: 'https', host: 'localhost.example.com', loopback: false }],
  ];
  test.each(good)('MTN-02 %s', (text, origin) => {
    expect(parseOrigin(text)).toEqual(origin);
  });

  test.each([
    '', 'id.example.com', 'ftp://id.example.com', 'HTTPS://id.example.com', 'https://ID.example.com', 'https://id.example.com/t', 'https://id.example.com//',
    'https://id.example.com?x', 'https://id.example.com#x', 'https://u@id.example.com', 'https://id.example.com:', 'https://id.example.com:0',
    'https://id.example.com:080', 'https://id.example.com:65536', 'https://.example.com', 'https://example.com.', 'https://a..b', 'https://', 'https://:8080',
    'https://a b', ' https://a', 'https://a\n', 'https://-', 'https://a-', 'https://a_b',
  ])('MTN-02 refuses %p', (text) => {
    expect(parseOrigin(text)).toBeNull();
  });

  test('INT-103, INT-122 a tenant\'s one issuer', () => {
    const issuer = (changes: Parameters<typeof aTenant>[0], origin = PUBLIC) => issuerOf(aTenant(changes), originOf(origin));
    expect(issuer({ layout: 'realm' })).toBe('https://id.example.com/t/acme');
    expect(issuer({ layout: 'org' })).toBe('https://id.example.com/orgs/acme');
    expect(issuer({ layout: 'root', slug: 'default' })).toBe('https://id.example.com');
    expect(issuer({ layout: 'root', host: 'auth.acme.com:8443' })).toBe('https://auth.acme.com:8443');
    expect(issuer({ layout: 'root', host: 'acme.localhost:8080' }, LOOP)).toBe('http://acme.localhost:8080');
    expect(issuer({ layout: 'realm', host: 'auth.acme.com' })).toBe('https://id.example.com/t/acme');
  });

  test('MTN-02 a tenant\'s hostname, as kept', () => {
    const canonical = (text: string, origin = PUBLIC) => canonicalHost(text, originOf(origin));
    expect(canonical('Auth.ACME.com')).toBe('auth.acme.com');
    expect(canonical('auth.acme.com:443')).toBe('auth.acme.com');
    expect(canonical('auth.acme.com:80', LOOP)).toBe('auth.acme.com');
    expect(canonical('auth.acme.com:8443')).toBe('auth.acme.com:8443');
    for (const text of ['', 'https://a', 'a/b', 'a b', 'a:0', 'a:65536', 'a:080', 'a..b', 'a.']) expect([text, canonical(text)]).toEqual([text, null]);
  });
});
