/** Where an answer may go: registered × presented, character by character (OAuth 2.1 §2.3, §4.1.1; RFC 8252 §7). */
import { describe, expect, test } from 'bun:test';
import { redirectWith, responseFields } from '../../src/core/authorization.ts';
import { findRedirectUriFault, matchesRedirectUri, redirectHost, redirectSource } from '../../src/core/redirect-uri.ts';

const WEB = 'https://app.example/cb';
const V4 = 'http://127.0.0.1/cb';
const V6 = 'http://[::1]/cb';
const LOCAL = 'http://localhost/cb';
const APP = 'com.example.app:/cb';

describe('OAuth 2.1 §4.1.1 · the same text, nothing parsed or normalised', () => {
  const registered = [WEB, 'https://app.example/~u?a=1', 'https://app.example', APP];
  const equal = registered;
  const unequal = [
    'https://app.example/', 'https://app.example/cb/', 'https://app.example/CB', 'https://APP.example/cb', 'HTTPS://app.example/cb', 'https://app.example:443/cb',
    'https://app.example:8443/cb', 'https://app.example/%63b', 'https://app.example/%7eu?a=1', 'https://app.example/%7Eu?a=1', 'https://app.example/~u', 'https://app.example/~u?a=1&b=2',
    'https://app.example/~u?a=1&', 'https://app.example/./cb', 'https://app.example/x/../cb', 'https://app.example//cb', 'https://app.example/cb?', 'https://app.example/cb?x=1',
    'https://app.example/cb#', 'https://app.example/cb#f', 'https://u@app.example/cb', 'https://u:p@app.example/cb', 'https://app.example./cb', 'https://app.example.evil.test/cb',
    'https://evil.test/cb', 'https://evil.test/https://app.example/cb', 'https://app.example\\@evil.test/cb', 'https://app.example@evil.test/cb', 'https://sub.app.example/cb',
    'http://app.example/cb', '//app.example/cb', '/cb', 'cb', ' https://app.example/cb', 'https://app.example/cb ', 'https://app.example/cb\n', 'https://app.example/cb\0',
    'https://app.example/cb%20', 'https://app.example/cb;x', 'https://аpp.example/cb', 'https:app.example/cb', 'https:///app.example/cb', 'com.example.app:/CB', 'com.example.app://cb',
    'com.example.app:/cb/', 'com.example.App:/cb', 'javascript:alert(1)', 'data:text/html,x', 'file:///etc/passwd', '*', '',
  ];
  for (const kind of [false, true]) {
    test.each(equal)(`AZ-05 %p is one of them (public: ${kind})`, (uri) => {
      expect(matchesRedirectUri({ redirectUris: registered, public: kind }, uri)).toBe(true);
    });
    test.each(unequal)(`AZ-03, AZ-05, AZ-08 %p is none of them (public: ${kind})`, (uri) => {
      expect(matchesRedirectUri({ redirectUris: registered, public: kind }, uri)).toBe(false);
    });
  }
  test('AZ-03 where none is registered, none matches', () => {
    for (const kind of [false, true]) expect([WEB, V4, ''].map((uri) => matchesRedirectUri({ redirectUris: [], public: kind }, uri))).toEqual([false, false, false]);
  });
});

describe('RFC 8252 §7.3 · on loopback the port of a public client is free', () => {
  const rows: readonly (readonly [registered: string, presented: string, free: boolean])[] = [
    [V4, 'http://127.0.0.1/cb', true], [V4, 'http://127.0.0.1:1/cb', true], [V4, 'http://127.0.0.1:49152/cb', true], [V4, 'http://127.0.0.1:65535/cb', true],
    ['http://127.0.0.1:3000/cb', 'http://127.0.0.1:3001/cb', true], ['http://127.0.0.1:3000/cb', 'http://127.0.0.1/cb', true], ['http://127.0.0.1/cb?a=1', 'http://127.0.0.1:9/cb?a=1', true],
    [V6, 'http://[::1]:49152/cb', true], [LOCAL, 'http://localhost:49152/cb', true], ['http://127.0.0.1', 'http://127.0.0.1:9', true],
    [V4, 'http://127.0.0.1:0/cb', false], [V4, 'http://127.0.0.1:65536/cb', false], [V4, 'http://127.0.0.1:99999/cb', false], [V4, 'http://127.0.0.1:123456/cb', false],
    [V4, 'http://127.0.0.1:/cb', false], [V4, 'http://127.0.0.1:08080/cb', false], [V4, 'http://127.0.0.1:+80/cb', false], [V4, 'http://127.0.0.1:8e3/cb', false], [V4, 'http://127.0.0.1:80:80/cb', false],
    [V4, 'http://127.0.0.1:8080/CB', false], [V4, 'http://127.0.0.1:8080/cb/', false], [V4, 'http://127.0.0.1:8080/cb?x=1', false], [V4, 'http://127.0.0.1:8080/cb#f', false], [V4, 'http://127.0.0.1:8080', false],
    [V4, 'http://127.0.0.1:8080/cb\n', false], [V4, 'http://127.0.0.1:8080\\cb', false],
    [V4, 'http://localhost:8080/cb', false], [V4, 'http://[::1]:8080/cb', false], [LOCAL, 'http://127.0.0.1:8080/cb', false], [LOCAL, 'http://[::1]:8080/cb', false], [V6, 'http://127.0.0.1:8080/cb', false],
    [V6, 'http://localhost:8080/cb', false], [LOCAL, 'http://LOCALHOST:8080/cb', false], [LOCAL, 'http://localhost.:8080/cb', false], [LOCAL, 'http://app.localhost:8080/cb', false],
    [V4, 'https://127.0.0.1:1/cb', false], [V4, 'HTTP://127.0.0.1:1/cb', false], [V4, 'http://127.0.0.1.evil.test:1/cb', false], [V4, 'http://127.0.0.1:1@evil.test/cb', false], [V4, 'http://u@127.0.0.1:1/cb', false],
    [V4, 'http://127.1:1/cb', false], [V4, 'http://0x7f.1:1/cb', false], [V4, 'http://2130706433:1/cb', false], [V4, 'http://127.0.0.2:1/cb', false], [V4, 'http://0.0.0.0:1/cb', false], [V4, 'http://127.000.000.001:1/cb', false],
    [V6, 'http://[0:0:0:0:0:0:0:1]:1/cb', false], [V6, 'http://[::ffff:127.0.0.1]:1/cb', false], [V6, 'http://::1:1/cb', false],
    ['https://127.0.0.1/cb', 'https://127.0.0.1:1/cb', false], [WEB, 'https://app.example:1/cb', false], ['http://127.0.0.2/cb', 'http://127.0.0.2:1/cb', false],
  ];
  test.each(rows.map((row) => [...row] as const))('AZ-06, AZ-07, AZ-08 registered %p, presented %p → %p; never for a confidential client', (registered, presented, free) => {
    expect(matchesRedirectUri({ redirectUris: [registered], public: true }, presented)).toBe(free);
    expect(matchesRedirectUri({ redirectUris: [registered], public: false }, presented)).toBe(registered === presented);
  });
});

describe('OAuth 2.1 §2.3.1 · what can be registered', () => {
  test.each([
    WEB, 'https://app.example', 'https://app.example:8443/cb?a=1', V4, V6, LOCAL, 'http://127.0.0.1:3000', 'http://localhost:3000/a?b=c', APP, 'com.example.app://cb', 'com.example.app:/oauth2redirect/x',
    'https://app.example/~u/%7Eu', 'https://10.0.0.1/cb',
  ])('AZ-09 %p', (uri) => {
    expect(findRedirectUriFault(uri)).toBeNull();
  });
  test.each([
    'http://app.example/cb', 'http://127.0.0.1.evil.test/cb', 'http://10.0.0.1/cb', 'javascript:alert(1)', 'javascript://app.example/%0Aalert(1)', 'data:text/html,x', 'file:///etc/passwd', 'vbscript:x', 'blob:https://app.example/x',
    'app:/cb', 'myapp://cb', 'about:blank', '', 'cb', '/cb', '//app.example/cb', 'https://', 'https:///cb', 'https:app.example/cb', 'https:/app.example/cb', 'https://u@app.example/cb', 'https://u:p@app.example/cb',
    'https://app.example/cb#', 'https://app.example/cb#f', 'https://*.example/cb', 'https://app.example/a b', 'https://app.example/\n', 'https://app.example/"', 'https://app.example/<x>', 'https://app.example\\cb', 'https://äpp.example/cb',
    `https://app.example/${'a'.repeat(2048)}`, 'http://127.0.0.1@evil.test/cb',
  ])('AZ-09 not %p', (uri) => {
    expect(findRedirectUriFault(uri)).toBeString();
  });
});

describe('RFC 6749 §4.1.2 · the answer on its way', () => {
  const address = { redirectUri: WEB, responseMode: 'query', state: 's' } as const;
  const STATE = 'a b&c=d#e"f<g>é漢\u{1F600}+%41';

  test('AZ-21, AZ-23, AZ-24 what belongs to it, state exactly as it came, and last iss', () => {
    expect(responseFields({ ...address, state: STATE }, 'https://id.example', { code: 'c' })).toEqual([['code', 'c'], ['state', STATE], ['iss', 'https://id.example']]);
    expect(responseFields({ ...address, state: null }, 'https://id.example', { error: 'e' })).toEqual([['error', 'e'], ['iss', 'https://id.example']]);
  });

  test.each([
    [WEB, `${WEB}?code=c`], [`${WEB}?a=1`, `${WEB}?a=1&code=c`], [`${WEB}?`, `${WEB}?code=c`], [`${WEB}?a=1&`, `${WEB}?a=1&code=c`], ['https://app.example', 'https://app.example?code=c'], [APP, `${APP}?code=c`],
    ['http://127.0.0.1:49152/cb', 'http://127.0.0.1:49152/cb?code=c'],
  ])('AZ-23 %p keeps its query', (uri, location) => {
    expect(redirectWith(uri, [['code', 'c']])).toBe(location);
  });

  test('AZ-21 every character of state comes back, and none of them breaks out', () => {
    const location = redirectWith(WEB, [['state', STATE], ['iss', 'i']]);
    expect(location).toMatch(/^[\x21\x23-\x3B\x3D\x3F-\x7E]+$/);
    expect(location).not.toContain('+');
    const url = new URL(location);
    expect([url.hash, [...url.searchParams]]).toEqual(['', [['state', STATE], ['iss', 'i']]]);
    expect(decodeURIComponent(/state=([^&]*)/.exec(location)?.[1] ?? '')).toBe(STATE);
  });

  test.each([
    [WEB, 'app.example', 'https://app.example'], ['https://app.example:8443/cb', 'app.example:8443', 'https://app.example:8443'], [V4, '127.0.0.1', 'http://127.0.0.1'], ['http://127.0.0.1:9/cb', '127.0.0.1:9', 'http://127.0.0.1:9'],
    [V6, '[::1]', 'http://[::1]'], [APP, 'com.example.app', 'com.example.app:'], ['com.example.app://bank.example/cb', 'com.example.app', 'com.example.app:'], ['nothing', '', null],
  ])('AZ-28, AZ-43 %p is shown as %p, and forms may lead to %p', (uri, host, source) => {
    expect([redirectHost(uri), redirectSource(uri)]).toEqual([host, source]);
  });
});
