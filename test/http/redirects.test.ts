/** Where people may be sent, over HTTP: an error page of ours, or an error for the application (RFC 6749 §4.1.2.1, OAuth 2.1 §2.3). */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Tenant } from '../../src/core/model.ts';
import { setClientEnabled, deleteClient } from '../../src/service/manage-clients.ts';
import { answerOf, asked, authorizeUrl, codeOf, decide, encoded, expectErrorRedirect, expectErrorPage, makeApp, makePerson, signIn, someone, type App, type Asked } from '../helpers/flow.ts';
import { issuer, makeTenant, must, post, send, startFixture, storedState, urlOf, type Answer, type Fixture } from '../helpers/fixture.ts';

let fixture: Fixture;
let acme: Tenant;
const apps = new Map<string, App>();

const WEB = 'https://web.example/~cb?a=1';

beforeAll(async () => {
  fixture = await startFixture();
  acme = await makeTenant(fixture, 'acme', { preset: 'kotauth' });
  await makePerson(fixture, acme, 'alice');
  const rows = {
    'web': { redirectUris: [WEB] }, 'spa': { public: true, redirectUris: [WEB] }, 'two': { redirectUris: ['https://two.example/cb', 'https://two.example/other'] }, 'none': { redirectUris: [] },
    'v4': { public: true, redirectUris: ['http://127.0.0.1/cb'] }, 'v6': { public: true, redirectUris: ['http://[::1]/cb'] }, 'local': { public: true, redirectUris: ['http://localhost/cb'] },
    'local-web': { redirectUris: ['http://127.0.0.1/cb'] }, 'native': { public: true, redirectUris: ['com.example.app:/cb'] },
  } as const;
  for (const [id, change] of Object.entries(rows)) apps.set(id, { ...await makeApp(fixture, acme, id, change), uri: change.redirectUris[0] ?? '' });
});
afterAll(() => fixture.close());

const app = (id: string): App => {
  const found = apps.get(id);
  if (found === undefined) throw new Error(`no ${id}`);
  return found;
};
const get = (id: string, change: Asked = {}): Promise<Answer> => send(authorizeUrl(fixture, acme, app(id), change), {});

/** A page of ours with nothing for anybody else: no `Location`, no cookie, no row. */
async function expectOwnPage(ask: () => Promise<Answer>, reason: 'unknown_client' | 'redirect_mismatch'): Promise<void> {
  const before = storedState(fixture);
  expectErrorPage(await ask(), 400, reason);
  expect(storedState(fixture)).toBe(before);
}

describe('RFC 6749 §4.1.2.1 · never a redirect before client and address are proven', () => {
  const bad = { response_type: 'token', scope: 'unheard-of', response_mode: 'fragment' };
  const clients: readonly (readonly [name: string, change: Asked])[] = [
    ['missing', { client_id: undefined }], ['empty', { client_id: '' }], ['unknown', { client_id: 'nobody' }], ['in other letters', { client_id: 'WEB' }], ['with a NUL', { client_id: 'web\0' }], ['twice', { client_id: ['web', 'web'] }],
    ['two', { client_id: ['web', 'spa'] }], ['unknown, and all else wrong too', { client_id: 'nobody', ...bad }],
  ];
  test.each(clients.map((row) => [...row] as const))('AZ-02, AZ-19 client_id %s → a page, never a redirect', async (_name, change) => {
    await expectOwnPage(() => get('web', change), 'unknown_client');
  });

  test('AZ-02, AZ-19 broken escapes → a page, never a redirect', async () => {
    const url = urlOf(fixture, acme, 'realm', 'authorize');
    await expectOwnPage(() => send(`${url}?client_id=%zz&redirect_uri=${encodeURIComponent(WEB)}&response_type=code`, {}), 'unknown_client');
    await expectOwnPage(() => send(`${url}?client_id=web&redirect_uri=%ff%fe&response_type=code`, {}), 'redirect_mismatch');
    await expectOwnPage(() => post(url, 'client_id=web&redirect_uri=%zz&response_type=code'), 'redirect_mismatch');
  });

  test('AZ-02 a client that is disabled, or deleted → a page, never a redirect', async () => {
    const gone = await makeApp(fixture, acme, 'gone');
    must(await setClientEnabled(fixture.application.ctx, acme, 'gone', false));
    await expectOwnPage(() => send(authorizeUrl(fixture, acme, gone), {}), 'unknown_client');
    must(await setClientEnabled(fixture.application.ctx, acme, 'gone', true));
    must(await deleteClient(fixture.application.ctx, acme, 'gone'));
    await expectOwnPage(() => send(authorizeUrl(fixture, acme, gone), {}), 'unknown_client');
  });

  test('AZ-02, MTN-05 a client of another tenant → a page, never a redirect', async () => {
    const elsewhere = await makeTenant(fixture, 'elsewhere', { preset: 'kotauth' });
    await expectOwnPage(() => send(authorizeUrl(fixture, elsewhere, app('web')), {}), 'unknown_client');
  });

  const presented: readonly (readonly [id: string, uri: string])[] = [
    ...['https://web.example/~cb', 'https://web.example/~cb?a=1&b=2', 'https://web.example/~cb?a=1#', 'https://web.example/~cb?a=1#f', 'https://WEB.example/~cb?a=1', 'HTTPS://web.example/~cb?a=1', 'https://web.example:443/~cb?a=1',
      'https://web.example/%7ecb?a=1', 'https://web.example/%7Ecb?a=1', 'https://web.example/./~cb?a=1', 'https://web.example/x/../~cb?a=1', 'https://web.example/~cb/?a=1', 'https://u@web.example/~cb?a=1', 'https://web.example./~cb?a=1',
      'http://web.example/~cb?a=1', 'https://web.example.evil.test/~cb?a=1', 'https://web.example\\@evil.test/~cb?a=1', 'https://evil.test/', '//web.example/~cb?a=1', '/~cb', 'not a uri', 'javascript:alert(1)//https://web.example/~cb?a=1', 'data:text/html,x', 'file:///x',
      'https://web.example/~cb?a=1\r\nSet-Cookie: x=y', 'https://web.example/~cb?a=1\0', '<script>alert(1)</script>',
    ].flatMap((uri) => [['web', uri], ['spa', uri]] as const),
    ...['https://127.0.0.1:1/cb', 'http://127.0.0.1.evil.test:1/cb', 'http://127.0.0.1:1@evil.test/cb', 'http://127.1:1/cb', 'http://0x7f.1:1/cb', 'http://2130706433:1/cb', 'http://localhost:1/cb', 'http://[::1]:1/cb', 'http://127.0.0.1:0/cb',
      'http://127.0.0.1:65536/cb', 'http://127.0.0.1:1/cb?x', 'http://127.0.0.1:1/CB', 'HTTP://127.0.0.1:1/cb'].map((uri) => ['v4', uri] as const),
    ['local', 'http://127.0.0.1:1/cb'], ['local', 'http://localhost.:1/cb'], ['v6', 'http://127.0.0.1:1/cb'], ['v6', 'http://[0:0:0:0:0:0:0:1]:1/cb'], ['local-web', 'http://127.0.0.1:1/cb'], ['native', 'com.example.app:/CB'], ['native', 'com.example.app://cb'],
    ['two', 'https://two.example/third'], ['none', 'https://none.example/cb'],
  ];
  test.each(presented.map((row) => [...row] as const))('AZ-03, AZ-05, AZ-08, AZ-09 %s: %p is not registered → a page, never a redirect', async (id, uri) => {
    await expectOwnPage(() => get(id, { redirect_uri: uri }), 'redirect_mismatch');
  });

  const missing: readonly (readonly [name: string, id: string, change: Asked])[] = [
    ['AZ-03 missing, two registered', 'two', { redirect_uri: undefined, scope: 'a' }], ['AZ-03 missing, none registered', 'none', { redirect_uri: undefined, scope: 'a' }], ['AZ-04 missing, with openid', 'web', { redirect_uri: undefined }],
    ['AZ-03 empty, with openid', 'web', { redirect_uri: '' }], ['AZ-19 twice', 'web', { redirect_uri: [WEB, WEB] }], ['AZ-19 two, one of them registered', 'web', { redirect_uri: [WEB, 'https://evil.test/'] }],
    ['AZ-10 wrong, and all else too', 'web', { redirect_uri: 'https://evil.test/', ...bad }],
  ];
  test.each(missing.map((row) => [...row] as const))('%s → a page, never a redirect', async (_name, id, change) => {
    await expectOwnPage(() => get(id, change), 'redirect_mismatch');
  });

  test('UI-18 nothing of the request is on the page', async () => {
    const { body } = await get('web', { redirect_uri: 'https://evil.test/"><script>alert(1)</script>', state: '<b>state', client_id: 'web' });
    expect(body).not.toContain('evil.test');
    expect(body).not.toContain('alert(1)');
    expect(body).not.toContain('<b>state');
  });
});

describe('RFC 6749 §4.1.2.1 · once both are proven, every error goes to the application', () => {
  const rows: readonly (readonly [id: string, uri: string | undefined, to: string, change?: Asked])[] = [
    ['two', 'https://two.example/other', 'https://two.example/other'], ['v4', 'http://127.0.0.1:49152/cb', 'http://127.0.0.1:49152/cb'], ['v4', 'http://127.0.0.1/cb', 'http://127.0.0.1/cb'], ['v6', 'http://[::1]:49152/cb', 'http://[::1]:49152/cb'],
    ['local', 'http://localhost:49152/cb', 'http://localhost:49152/cb'], ['local-web', 'http://127.0.0.1/cb', 'http://127.0.0.1/cb'], ['native', 'com.example.app:/cb', 'com.example.app:/cb'],
    ['v4', undefined, 'http://127.0.0.1/cb', { scope: 'unheard-of' }],
  ];
  test.each(rows.map((row) => [...row] as const))('AZ-04, AZ-06, AZ-07, AZ-10 %s: %p → an error at %p', async (id, uri, to, change = {}) => {
    const before = storedState(fixture);
    expectErrorRedirect(fixture, acme, await get(id, { redirect_uri: uri, scope: 'openid unheard-of', ...change }), 'invalid_scope', { to });
    expect(storedState(fixture)).toBe(before);
  });

  test('AZ-23, AZ-24 the members come after the query that the address has', async () => {
    const { headers } = await get('web', { scope: 'openid unheard-of', state: 's' });
    expect(headers['location']).toMatch(new RegExp(`^https://web\\.example/~cb\\?a=1&error=invalid_scope&error_description=[^&]+&state=s&iss=${encodeURIComponent(issuer(fixture, acme)).replaceAll('.', '\\.')}$`));
  });
});

describe('RFC 8252 §7.3 · the code goes to the port that was asked for', () => {
  test.each([['v4', 'http://127.0.0.1:49160/cb'], ['v6', 'http://[::1]:49161/cb'], ['local', 'http://localhost:49162/cb'], ['native', 'com.example.app:/cb']])('AZ-06, AZ-07, AZ-23 %s → %s', async (id, uri) => {
    const person = someone(fixture);
    await person.open(authorizeUrl(fixture, acme, app(id), { redirect_uri: uri }));
    await signIn(person, 'alice');
    const page = await decide(person, 'allow');
    expect(answerOf(page.location)).toEqual({ to: uri, members: [['code', codeOf(page)], ['state', 'xyz-123'], ['iss', issuer(fixture, acme)]] });
  });

  test('AZ-04 a code for the one registered address, where the request named none', async () => {
    const person = someone(fixture);
    await person.open(`${urlOf(fixture, acme, 'realm', 'authorize')}?${encoded(asked(app('v4'), { redirect_uri: undefined, scope: 'a', nonce: undefined }))}`);
    await signIn(person, 'alice');
    expect(answerOf((await decide(person, 'allow')).location).to).toBe('http://127.0.0.1/cb');
  });
});
