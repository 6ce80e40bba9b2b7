import { describe, expect, test } from 'bun:test';
import { canonicalResource, decideAudience, parseResources } from '../../src/core/audience.ts';
import { aClient, aTenant } from '../storage/samples.ts';

describe('RFC 8707 §2 · resource indicators', () => {
  const rows: readonly (readonly [name: string, text: string, canonical: string | null])[] = [
    ['RI-01 an absolute URI', 'https://api.example.com/orders', 'https://api.example.com/orders'],
    ['RI-01 a URN', 'urn:example:Orders', 'urn:example:Orders'],
    ['RI-01 empty', '', null],
    ['RI-01 relative', '/orders', null],
    ['RI-01 a scheme without anything', 'https:', null],
    ['RI-01 without a host', 'https://', null],
    ['RI-01 without a host, with a path', 'https:///orders', null],
    ['RI-01 with a fragment', 'https://api.example.com/#x', null],
    ['RI-01 with an empty fragment', 'https://api.example.com/#', null],
    ['RI-01 with a space', 'https://api.example.com/a b', null],
    ['RI-01 with a line feed', 'https://api.example.com/\n', null],
    ['RI-01 with letters that no URI has', 'https://\u0130.example/', null],
    ['RI-01 with a user', 'https://u@api.example.com/', null],
    ['RI-05 scheme and host without regard to case', 'HTTPS://API.Example.COM:8443/Orders?A=B', 'https://api.example.com:8443/Orders?A=B'],
    ['RI-05 the scheme of a URN too', 'URN:Example', 'urn:Example'],
    ['RI-05 a slash on an empty path', 'https://api.example.com/', 'https://api.example.com'],
    ['RI-05 a slash elsewhere counts', 'https://api.example.com/a/', 'https://api.example.com/a/'],
    ['RI-05 a query is exact', 'https://api.example.com?Q', 'https://api.example.com?Q'],
    ['RI-08 2 KB', `https://a/${'x'.repeat(2038)}`, `https://a/${'x'.repeat(2038)}`],
    ['RI-08 over 2 KB', `https://a/${'x'.repeat(2039)}`, null],
  ];
  test.each(rows)('%s', (_name, text, canonical) => {
    expect(canonicalResource(text)).toBe(canonical);
  });

  test('RI-02 several, each once, in order', () => {
    expect(parseResources(['https://b', 'https://A/', 'https://a', 'https://b/'])).toEqual(['https://b', 'https://a']);
    expect(parseResources([])).toEqual([]);
  });

  test('RI-01 one that is malformed spoils the request', () => {
    expect(parseResources(['https://a', 'b'])).toBeNull();
  });

  test('RI-08 ten are fine, eleven are not', () => {
    const many = (count: number) => Array.from({ length: count }, (_, index) => `https://r${index}`);
    expect(parseResources(many(10))).toEqual(many(10));
    expect(parseResources(many(11))).toBeNull();
  });
});

describe('the audience of a new token', () => {
  const issuer = 'https://id.example.com/t/acme';
  const rows = [
    ['RI-04 the resources asked for', ['urn:a', 'urn:b'], ['urn:c'], 'issuer', ['urn:a', 'urn:b']],
    ['TCC-07 else the client\'s own', [], ['urn:c', 'urn:d'], 'client', ['urn:c', 'urn:d']],
    ['RI-06, TCC-07 else the issuer', [], [], 'issuer', [issuer]],
    ['TCC-07 or the client, where the tenant says so', [], [], 'client', ['cli_1']],
  ] as const;
  test.each([...rows])('%s', (_name, resources, audience, defaultAudience, expected) => {
    expect(decideAudience(resources, aClient({ audience }), aTenant({ defaultAudience }), issuer)).toEqual(expected);
  });
});
