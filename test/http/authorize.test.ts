/** The authorization endpoint before anybody signs in: every error, ways to ask and to be answered (RFC 6749 §4.1.1, OpenID Connect Core §3.1.2). */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { StoreError } from '../../src/core/store.ts';
import type { LayoutName, Tenant } from '../../src/core/model.ts';
import { makeRequestHandler, type HttpOptions } from '../../src/http/app.ts';
import type { Context } from '../../src/service/context.ts';
import {
  answerOf, asked, authorizeUrl, codeOf, encoded, expectErrorPage, expectErrorRedirect, makeApp, makePerson, redeem, redirectHeaders, refresh, signedIn, signIn, silently, someone, tokensOf,
  type App, type Asked,
} from '../helpers/flow.ts';
import {
  decodeJwt, errorFault, homeUrl, issuer, makeResource, makeTenant, parseObject, post, send, startFixture, storedState, urlOf, wholeAnswer, type Answer, type Fixture,
} from '../helpers/fixture.ts';

const API = 'https://api.example.com/v1';
const OTHER_API = 'https://other.example.com/';

let fixture: Fixture;
let acme: Tenant;
let rooted: Tenant;
let web: App;
let spa: App;
let first: App;
let lax: App;
let service: App;

beforeAll(async () => {
  fixture = await startFixture();
  acme = await makeTenant(fixture, 'acme', { preset: 'kotauth' });
  rooted = await makeTenant(fixture, 'rooted', { layout: 'root' });
  await makePerson(fixture, acme, 'alice');
  await makePerson(fixture, rooted, 'alice');
  [web, spa, first] = [await makeApp(fixture, acme, 'web'), await makeApp(fixture, acme, 'spa', { public: true }), await makeApp(fixture, acme, 'first', { firstParty: true, redirectUris: ['https://first.example/cb?x=1'] })];
  lax = await makeApp(fixture, acme, 'lax', { requirePkce: false, firstParty: true });
  service = await makeApp(fixture, acme, 'service', { grants: ['client_credentials'] });
  await makeApp(fixture, rooted, 'first', { firstParty: true });
  await makeResource(fixture, acme, { uri: API, scopes: ['a'] });
  await makeResource(fixture, acme, { uri: OTHER_API, scopes: ['b'] });
});
afterAll(() => fixture.close());

const endpoint = (): string => homeUrl(fixture, acme, 'authorize');
const get = (app: App, change: Asked = {}): Promise<Answer> => send(authorizeUrl(fixture, acme, app, change), {});

/** The request is refused at the application, and nothing happens. */
async function refused(app: App, change: Asked, error: string, state: string | null = 'xyz-123'): Promise<void> {
  const before = storedState(fixture);
  expectErrorRedirect(fixture, acme, await get(app, change), error, { to: app.uri, state });
  expect(storedState(fixture)).toBe(before);
}

describe('RFC 6749 §4.1.2.1 · every error, at the application', () => {
  const noPkce = { code_challenge: undefined, code_challenge_method: undefined };
  const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';
  const rows: readonly (readonly [name: string, error: string, change: Asked, app?: 'web' | 'spa' | 'lax' | 'service', state?: string | null])[] = [
    ['AZ-11 no response_type', 'invalid_request', { response_type: undefined }],
    ['AZ-11 an empty one', 'invalid_request', { response_type: '' }],
    ['AZ-11 token', 'unsupported_response_type', { response_type: 'token' }],
    ['AZ-11 id_token token', 'unsupported_response_type', { response_type: 'id_token token' }],
    ['AZ-11 code id_token', 'unsupported_response_type', { response_type: 'code id_token' }],
    ['AZ-12 a client without the grant', 'unauthorized_client', {}, 'service'],
    ['AZ-13 a public client without PKCE', 'invalid_request', noPkce, 'spa'],
    ['AZ-14 a confidential client without PKCE', 'invalid_request', noPkce],
    ['AZ-14 one that need not, without openid', 'invalid_request', { ...noPkce, scope: 'a' }, 'lax'],
    ['AZ-15 no method, which means plain', 'invalid_request', { code_challenge_method: undefined }],
    ['AZ-15 plain', 'invalid_request', { code_challenge_method: 'plain' }],
    ['AZ-15 s256', 'invalid_request', { code_challenge_method: 's256' }],
    ['AZ-15 S512', 'invalid_request', { code_challenge_method: 'S512' }],
    ['AZ-16 a challenge too short', 'invalid_request', { code_challenge: CHALLENGE.slice(1) }],
    ['AZ-16 too long', 'invalid_request', { code_challenge: `${CHALLENGE}x` }],
    ['AZ-16 not base64url', 'invalid_request', { code_challenge: `${CHALLENGE.slice(1)}+` }],
    ['AZ-17 a method without a challenge', 'invalid_request', { code_challenge: undefined }],
    ['AZ-17 … of one that need not', 'invalid_request', { code_challenge: undefined }, 'lax'],
    ['AZ-18 an unknown scope', 'invalid_scope', { scope: 'openid unheard-of' }],
    ['AZ-18 a malformed one', 'invalid_scope', { scope: 'openid  a' }],
    ['AZ-18 markup in it', 'invalid_scope', { scope: '"><script>' }],
    ['AZ-19 response_type twice', 'invalid_request', { response_type: ['code', 'code'] }],
    ['AZ-19 scope twice', 'invalid_request', { scope: ['openid', 'openid'] }],
    ['AZ-19 nonce twice', 'invalid_request', { nonce: ['a', 'b'] }],
    ['AZ-19 state twice: neither is told', 'invalid_request', { state: ['a', 'a'] }, 'web', null],
    ['AZ-19 challenge twice', 'invalid_request', { code_challenge: [CHALLENGE, CHALLENGE] }],
    ['AZ-10 no state: none is told', 'invalid_request', { state: undefined, response_type: undefined }, 'web', null],
    ['AZ-21 a state over the cap is not cut', 'invalid_request', { state: 's'.repeat(4097) }, 'web', null],
    ['AZ-21 the longest state is echoed', 'invalid_scope', { state: 's'.repeat(4096), scope: 'nothing' }, 'web', 's'.repeat(4096)],
    ['AZ-21 odd characters of state are echoed', 'invalid_scope', { state: ' é漢\u{1F600}&=#"<>+%41\'\\', scope: 'nothing' }, 'web', ' é漢\u{1F600}&=#"<>+%41\'\\'],
    ['AZ-22 a nonce over the cap is not cut', 'invalid_request', { nonce: 'n'.repeat(513) }],
    ['AZ-27 fragment', 'invalid_request', { response_mode: 'fragment' }],
    ['AZ-27 an unknown mode', 'invalid_request', { response_mode: 'web_message' }],
    ['AZ-29 prompt=none, and nobody is signed in', 'login_required', { prompt: 'none' }],
    ['AZ-30 none with another', 'invalid_request', { prompt: 'none consent' }],
    ['AZ-30 an unknown prompt', 'invalid_request', { prompt: 'create' }],
    ['AZ-33 max_age negative', 'invalid_request', { max_age: '-1' }],
    ['AZ-33 max_age a fraction', 'invalid_request', { max_age: '0.5' }],
    ['AZ-33 max_age text', 'invalid_request', { max_age: 'x' }],
    ['AZ-36 a hint that is none', 'invalid_request', { id_token_hint: 'a.b.c' }],
    ['AZ-38 request', 'request_not_supported', { request: 'e30.e30.' }],
    ['AZ-38 request_uri', 'request_uri_not_supported', { request_uri: 'https://evil.example/' }],
    ['AZ-38 registration', 'registration_not_supported', { registration: '{}' }],
    ['AZ-39 claims that are no JSON', 'invalid_request', { claims: '{' }],
    ['AZ-39 claims that are no object', 'invalid_request', { claims: '"x"' }],
    ['RI-01 a relative resource', 'invalid_target', { resource: '/v1' }],
    ['RI-01 a resource with a fragment', 'invalid_target', { resource: `${API}#x` }],
    ['RI-03 an unknown resource', 'invalid_target', { resource: 'https://unknown.example' }],
    ['RI-03 one of two unknown', 'invalid_target', { resource: [API, 'https://unknown.example'] }],
    ['RI-05 a path in other letters', 'invalid_target', { resource: API.toUpperCase() }],
    ['RI-08 eleven resources', 'invalid_target', { resource: Array.from({ length: 11 }, (_, index) => `${API}${index}`) }],
    ['RI-08 a resource over 2 KiB', 'invalid_target', { resource: `${API}/${'x'.repeat(2048)}` }],
  ];
  test.each(rows.map(([name, error, change, app = 'web', state = 'xyz-123']) => [name, error, change, app, state] as const))('AZ-10, AZ-24 · %s → %s', async (_name, error, change, app, state) => {
    await refused({ web, spa, lax, service }[app], change, error, state);
  });

  test('AZ-19, INT-22 broken escapes in a known parameter → invalid_request; in an unknown one nobody cares', async () => {
    for (const pair of ['nonce=%zz', 'login_hint=%ff%fe', 'state=%zz']) {
      const answer = await send(`${endpoint()}?${encoded(asked(web, { nonce: undefined, state: undefined }))}&${pair}`, {});
      expectErrorRedirect(fixture, acme, answer, 'invalid_request', { to: web.uri, state: null });
    }
    expect((await send(`${authorizeUrl(fixture, acme, web)}&unheard=%zz&%zz=x`, {})).headers['location']).toStartWith('/t/acme/sign-in/');
  });

  test('AZ-38 nothing is fetched from a request_uri', async () => {
    let asks = 0;
    const server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => {
      asks += 1;
      return new Response('');
    } });
    await refused(web, { request_uri: `http://127.0.0.1:${server.port}/request` }, 'request_uri_not_supported');
    await Bun.sleep(30);
    expect(asks).toBe(0);
    await server.stop(true);
  });
});

describe('OpenID Connect Core §3.1.2.1 · ways to ask', () => {
  /** The person is wanted: on to a page that only this browser has, with a cookie of its own. */
  function expectSignIn(answer: Answer, tenant = acme, base = '/t/acme'): void {
    const { location = '', 'set-cookie': cookie = '', ...headers } = answer.headers;
    expect({ status: answer.status, headers, body: answer.body }).toEqual({ status: 303, headers: redirectHeaders, body: '' });
    expect(location).toMatch(new RegExp(`^${base}/sign-in/[A-Za-z0-9_-]{32}$`));
    expect(cookie).toMatch(new RegExp(`^bid-${tenant.id}=[A-Za-z0-9_-]{43}; Path=/; HttpOnly; SameSite=Lax$`));
  }

  const harmless: readonly (readonly [name: string, change: Asked])[] = [
    ['AZ-01 GET', {}], ['AZ-20 unknown parameters', { 'unheard_of': 'x', '__proto__': 'y', 'client_id[]': 'z', 'constructor': 'w' }], ['AZ-37 ui_locales, claims_locales, display', { ui_locales: 'tlh zz', claims_locales: 'x', display: 'wap' }],
    ['AZ-39 claims of an object', { claims: '{"userinfo":{"email":{"essential":true}}}' }], ['AZ-22 the longest nonce', { nonce: 'n'.repeat(512) }], ['AZ-20 empty ones are as left out', { prompt: '', max_age: '', request: '', resource: '' }],
    ['AZ-34 acr_values that nobody has', { acr_values: 'urn:nothing' }], ['AZ-35 login_hint of nobody', { login_hint: 'nobody@example.com' }], ['AZ-50 offline_access without prompt=consent', { scope: 'openid offline_access' }], ['AZ-18 no scope', { scope: undefined }],
    ['RI-02, RI-05 two resources, in other letters', { resource: ['HTTPS://API.example.com/v1', 'https://other.example.com'] }],
  ];
  test.each(harmless.map((row) => [...row] as const))('%s → the person is wanted', async (_name, change) => {
    expectSignIn(await get(web, change));
  });

  test.each(['root', 'realm', 'org'] as const)('AZ-01 at the layout %s, each of its URLs', async (layout: LayoutName) => {
    const tenant = layout === 'root' ? rooted : acme;
    const app = layout === 'root' ? { ...first, uri: 'https://first.example/cb' } : first;
    const base = { root: '', realm: '/t/acme', org: '/orgs/acme' }[layout];
    for (const alias of layout === 'org' ? [0] : [0, 1]) expectSignIn(await send(authorizeUrl(fixture, tenant, app, {}, layout, alias), {}), tenant, base);
  });

  test('AZ-01, AZ-25 POST of an application\'s page: the same request by GET, with which the cookies come; 303', async () => {
    const before = storedState(fixture);
    const form = encoded(asked(web, { resource: [API, OTHER_API], state: 'é &', unheard_of: 'x' }));
    const answer = await post(endpoint(), form, null, { 'Origin': 'https://web.example', 'Sec-Fetch-Site': 'cross-site' });
    const { location = '', ...headers } = answer.headers;
    expect({ status: answer.status, headers, body: answer.body }).toEqual({ status: 303, headers: redirectHeaders, body: '' });
    expect(storedState(fixture)).toBe(before);
    const { to, members } = answerOf(location);
    expect(to).toBe('/t/acme/protocol/openid-connect/auth');
    expect(members).toEqual([...new URLSearchParams(form)].filter(([name]) => name !== 'unheard_of'));
    expectSignIn(await send(new URL(location, fixture.server.url).href, {}));
  });

  test('AZ-01, AZ-19 POST: what is wrong comes out the same', async () => {
    const follow = async (form: string): Promise<Answer> => send(new URL((await post(endpoint(), form)).headers['location'] ?? '', fixture.server.url).href, {});
    expectErrorRedirect(fixture, acme, await follow(encoded(asked(web, { scope: ['openid', 'a'] }))), 'invalid_request', { to: web.uri });
    expectErrorPage(await follow(encoded(asked(web, { client_id: ['web', 'spa'] }))), 400, 'unknown_client');
    expectErrorRedirect(fixture, acme, await post(endpoint(), `${encoded(asked(web, { nonce: undefined }))}&nonce=%zz`), 'invalid_request', { to: web.uri });
  });

  test('AZ-01, UI-19 POST of something that is no form → a page, nothing else', async () => {
    const before = storedState(fixture);
    for (const type of ['application/json', 'text/plain', 'multipart/form-data; boundary=x']) {
      expectErrorPage(await send(endpoint(), { method: 'POST', body: encoded(asked(web)), headers: { 'Content-Type': type } }), 400, 'bad_request');
    }
    expectErrorPage(await post(endpoint(), `${encoded(asked(web))}&x=${'x'.repeat(9000)}`), 400, 'bad_request');
    expect(storedState(fixture)).toBe(before);
  });

  test('AZ-37 ui_locales is the language of the pages, before the browser\'s', async () => {
    for (const [uiLocales, header, language] of [['fr', 'de', 'fr'], ['tlh de-CH', 'en', 'de'], ['tlh', 'ja', 'ja'], ['', 'es', 'es'], ['tlh', 'tlh', 'en']] as const) {
      const person = someone(fixture);
      person.headers['Accept-Language'] = header;
      const page = await person.open(authorizeUrl(fixture, acme, web, { ui_locales: uiLocales }));
      expect([page.status, page.headers.get('content-language'), /<html lang="([a-z]+)"/.exec(page.html)?.[1]]).toEqual([200, language, language]);
    }
  });

  test('AZ-47 a query of 8192 characters is read; a longer one → a page, never a crash', async () => {
    const url = authorizeUrl(fixture, acme, web);
    const query = url.slice(url.indexOf('?') + 1);
    const padded = (length: number): string => `${url}&x=${'x'.repeat(length - query.length - 3)}`;
    expectSignIn(await send(padded(8192), {}));
    expectErrorPage(await send(padded(8193), {}), 400, 'bad_request');
    expect([400, 414, 431]).toContain((await send(padded(100_000), {})).status);
    expectSignIn(await send(url, {}));
  });

  test('AZ-26 no page of anybody may read it: no CORS, and a preflight is refused', async () => {
    const Origin = 'https://spa.example';
    for (const headers of [{ Origin }, { Origin, 'Access-Control-Request-Method': 'GET' }]) {
      const answers = [await send(endpoint(), { method: 'OPTIONS', headers }), await send(authorizeUrl(fixture, acme, spa), { headers }), await send(authorizeUrl(fixture, acme, spa, { scope: 'x' }), { headers })];
      expect(answers.map(({ status }) => status)).toEqual([405, 303, 303]);
      for (const answer of answers) expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control-'))).toEqual([]);
    }
  });

  test('HT-19 other methods → 405', async () => {
    for (const method of ['PUT', 'DELETE', 'PATCH']) expect(await send(endpoint(), { method })).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD, POST' } });
  });

  test('AZ-35, UI-18 login_hint is in the field, escaped, whoever it names', async () => {
    for (const hint of ['alice', 'nobody', '"><script>alert(1)</script>']) {
      const page = await someone(fixture).open(authorizeUrl(fixture, acme, web, { login_hint: hint }));
      expect(page.forms.find(({ fields }) => fields['step'] === 'password')?.fields['username']).toBe(hint);
      expect(page.html).not.toContain('<script>alert');
    }
    const shape = async (hint: string): Promise<string> => (await someone(fixture).open(authorizeUrl(fixture, acme, web, { login_hint: hint }))).html
      .replaceAll(hint, 'HINT').replaceAll(/name="csrf" value="[^"]*"|\/sign-in\/[^"]*/g, '');
    expect(await shape('alice')).toBe(await shape('nobody'));
  });
});

describe('RFC 6749 §4.1.2 · ways to be answered', () => {
  test('AZ-23, AZ-24, AZ-25 a code: after the query that the address has, with the exact state and iss; 303', async () => {
    const state = 's é漢&=#"<>+%41';
    const person = someone(fixture);
    await person.open(authorizeUrl(fixture, acme, first, { state }));
    const page = await signIn(person, 'alice');
    expect([page.status, page.location?.startsWith('https://first.example/cb?x=1&code=')]).toEqual([303, true]);
    expect(answerOf(page.location)).toEqual({ to: 'https://first.example/cb', members: [['x', '1'], ['code', codeOf(page)], ['state', state], ['iss', issuer(fixture, acme)]] });
    expect(codeOf(page)).toMatch(/^[A-Za-z0-9_-]{43,64}$/);
    expect(page.html).toBe('');
  });

  test('AZ-23, AZ-24 without a state: none', async () => {
    const { person } = await signedIn(fixture, acme, first, 'alice');
    const page = await person.open(authorizeUrl(fixture, acme, first, { state: undefined }));
    expect(answerOf(page.location).members.map(([name]) => name)).toEqual(['x', 'code', 'iss']);
  });

  test('AZ-27, AZ-28, UI-01 form_post: a page that posts itself, escaped, whose policy lets it go there alone', async () => {
    const state = '"><script>alert(1)</script>&é';
    const { person } = await signedIn(fixture, acme, first, 'alice');
    for (const [change, names] of [[{}, ['code', 'state', 'iss']], [{ scope: 'unheard-of' }, ['error', 'error_description', 'state', 'iss']]] as const) {
      const page = await person.open(authorizeUrl(fixture, acme, first, { response_mode: 'form_post', state, ...change }));
      expect([page.status, page.location, page.headers.get('location')]).toEqual([200, null, null]);
      expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'sha256-[^']+'; img-src 'self' data:; script-src 'self'; base-uri 'none'; form-action 'self' https:\/\/first\.example; frame-ancestors 'none'$/);
      expect(Object.fromEntries(['cache-control', 'pragma', 'referrer-policy', 'x-frame-options', 'content-type', 'x-content-type-options'].map((name) => [name, page.headers.get(name)]))).toEqual({
        'cache-control': 'no-store', 'pragma': 'no-cache', 'referrer-policy': 'no-referrer', 'x-frame-options': 'DENY', 'content-type': 'text/html; charset=utf-8', 'x-content-type-options': 'nosniff',
      });
      const [form, ...others] = page.forms;
      expect([others, form?.action, form?.method, form?.names]).toEqual([[], 'https://first.example/cb?x=1', 'post', [...names]]);
      expect(form?.fields).toMatchObject({ state, iss: issuer(fixture, acme) });
      expect(page.html).not.toContain('<script>alert');
      expect([...page.html.matchAll(/<script[^>]*>/g)].map(([tag]) => tag)).toEqual([expect.stringContaining('/assets/form-post.js')] as never);
    }
  });

  test('AZ-27 form_post after signing in; its code is as good', async () => {
    const person = someone(fixture);
    await person.open(authorizeUrl(fixture, acme, first, { response_mode: 'form_post' }));
    const page = await signIn(person, 'alice');
    expect(page.headers.getSetCookie().length).toBe(1);
    tokensOf(await redeem(fixture, acme, first, page.forms[0]?.fields['code'] ?? ''));
  });

  test('AZ-14, TAC-01 a confidential client of OpenID Connect that need not send PKCE', async () => {
    const { code } = await signedIn(fixture, acme, lax, 'alice', { code_challenge: undefined, code_challenge_method: undefined });
    expect(tokensOf(await redeem(fixture, acme, lax, code, { code_verifier: undefined })).id).not.toBe('');
  });
});

describe('RFC 9700 §4.11.2 · who registered itself', () => {
  test('AZ-41 errors are shown on our page: nobody uses us to send people anywhere', async () => {
    const { store } = fixture.application.ctx;
    const like = await store.findClient(acme.id, web.id);
    if (like === null) throw new Error('no web');
    await store.createClient({ ...like, id: 'dcr', name: 'A & <b>stranger</b>', selfRegistered: true, redirectUris: ['https://dcr.example/cb'] }, []);
    const dcr: App = { id: 'dcr', secret: null, uri: 'https://dcr.example/cb' };
    for (const change of [{ scope: 'unheard-of' }, { response_type: 'token' }, { prompt: 'none login' }, { resource: 'https://unknown.example' }]) expectErrorPage(await get(dcr, change), 400, 'client_error');
    const person = someone(fixture);
    await person.open(authorizeUrl(fixture, acme, dcr));
    const page = await signIn(person, 'alice');
    expect([page.location, page.forms[0]?.fields['step']]).toEqual([null, 'consent']);
    expect(page.text).toContain('has not checked');
    expect(page.html).toContain('A &amp; &lt;b>stranger');
  });
});

describe('RFC 8707 · resource indicators', () => {
  const audienceOf = (token: string): unknown => decodeJwt(token).claims['aud'];

  test('RI-02, RI-04, RI-05, RI-07 authorized for two, asked for one at a time; the stored form is told', async () => {
    const { code } = await signedIn(fixture, acme, web, 'alice', { scope: 'openid a b', resource: ['HTTPS://API.EXAMPLE.COM/v1', 'https://other.example.com'] });
    const both = tokensOf(await redeem(fixture, acme, web, code, { resource: undefined }));
    expect(audienceOf(both.access)).toEqual([API, OTHER_API]);
    const one = tokensOf(await refresh(fixture, acme, web, both.refresh, { resource: API, scope: 'a' }));
    expect(audienceOf(one.access)).toBe(API);
    const other = tokensOf(await refresh(fixture, acme, web, one.refresh, { resource: 'https://OTHER.example.com', scope: 'b' }));
    expect(audienceOf(other.access)).toBe(OTHER_API);
    expect(errorFault(await refresh(fixture, acme, web, other.refresh, { resource: 'https://unknown.example' }), 400, 'invalid_target')).toBeNull();
    expect(audienceOf(tokensOf(await refresh(fixture, acme, web, other.refresh)).access)).toEqual([API, OTHER_API]);
  });

  test('RI-06 none asked for: the default audience, never all', async () => {
    const { code } = await signedIn(fixture, acme, web, 'alice', { scope: 'openid a b' });
    expect(audienceOf(tokensOf(await redeem(fixture, acme, web, code)).access)).not.toEqual([API, OTHER_API]);
    const { person } = await signedIn(fixture, acme, first, 'alice');
    const token = tokensOf(await redeem(fixture, acme, first, await silently(fixture, acme, first, person)));
    expect(audienceOf(token.access)).toBe(issuer(fixture, acme));
  });
});

describe('RFC 6749 §4.1.2.1 · our own trouble', () => {
  const options: HttpOptions = { proxies: { none: true, has: () => false }, readiness: { stopping: false, clockBehindMs: () => 0 }, docs: false, bootId: 'test', logRequests: false, mailbox: false };
  let cookie = '';
  let logged = '';
  const tell = (message: string, fields?: object): void => {
    logged += JSON.stringify({ message, ...fields });
  };

  /** Asks a server of this process, of whose storage one operation fails. */
  async function ask(name: string, error: unknown, change: Asked = {}): Promise<Answer> {
    const { ctx } = fixture.application;
    const store = new Proxy(ctx.store, {
      get: (target, key, receiver): unknown => (key === name ? () => {
        throw error;
      } : Reflect.get(target, key, receiver)),
    });
    const broken: Context = { ...ctx, store, log: { error: tell, warn: tell, info: tell, debug: tell } };
    const request = new Request(authorizeUrl(fixture, acme, first, change), { headers: { Host: ctx.origin().host, ...(cookie !== '' && { Cookie: cookie }) } });
    return wholeAnswer(await makeRequestHandler(broken, options)(request, null));
  }

  beforeAll(async () => {
    const { person } = await signedIn(fixture, acme, first, 'alice');
    cookie = `sid-${acme.id}=${person.cookie('sid') ?? ''}; bid-${acme.id}=${person.cookie('bid') ?? ''}`;
  });

  test('AZ-46 the server of this process answers as the other one', async () => {
    expect(answerOf((await ask('nothing', null)).headers['location']).members.map(([name]) => name)).toEqual(['x', 'code', 'state', 'iss']);
  });

  const trouble = [['busy', new StoreError('busy', new Error('SELECT secret')), 503, 'temporarily_unavailable'], ['a mistake', new Error('SELECT secret'), 500, 'server_error']] as const;
  for (const [kind, error, status, code] of trouble) {
    test.each(['findTenant', 'findClient'])(`AZ-46 ${kind} in %s, before the address is proven → a page with ${status}`, async (name) => {
      const answer = await ask(name, error);
      expect([answer.status, answer.headers['location'], answer.headers['content-type']]).toEqual([status, undefined, 'text/html; charset=utf-8']);
      expect(answer.headers['retry-after']).toBe(status === 503 ? '1' : undefined as never);
      expect(answer.body).not.toContain('SELECT');
    });

    const after = [['findBrowserSession', {}], ['findUser', {}], ['findConsents', {}], ['listMemberships', {}], ['issueCode', {}], ['createInteraction', { prompt: 'login' }], ['findResource', { resource: API }]] as const;
    test.each(after)(`AZ-46 ${kind} in %s, once it is → ${code} at the application, and a line in the log`, async (name, change) => {
      logged = '';
      const answer = await ask(name, error, change);
      const { to, members } = answerOf(answer.headers['location']);
      expect([answer.status, to]).toEqual([303, 'https://first.example/cb']);
      expect(members).toEqual([['x', '1'], ['error', code], ['error_description', expect.any(String)], ['state', 'xyz-123'], ['iss', issuer(fixture, acme)]] as never);
      expect(answer.headers['location']).not.toContain('SELECT');
      expect(logged).toContain(kind === 'busy' ? 'storage failed' : 'unexpected failure');
    });
  }
});

describe('RFC 8414 §2, OpenID Connect Discovery §3 · what is said of it', () => {
  test.each(['acme', 'rooted'])('AZ-24, DS-07, DS-09, DS-12, DS-13, DS-14, DS-15, DS-19 both documents of %s', async (slug) => {
    const tenant = slug === 'acme' ? acme : rooted;
    const base = issuer(fixture, tenant);
    for (const name of ['openid-configuration', 'oauth-authorization-server']) {
      const document = parseObject((await send(`${base}/.well-known/${name}`, {})).body);
      expect(document).toMatchObject({
        issuer: base, authorization_endpoint: homeUrl(fixture, tenant, 'authorize'), token_endpoint: homeUrl(fixture, tenant, 'token'), jwks_uri: homeUrl(fixture, tenant, 'jwks'), response_types_supported: ['code'],
        response_modes_supported: ['query', 'form_post'], subject_types_supported: ['public'], id_token_signing_alg_values_supported: [tenant.algorithm], code_challenge_methods_supported: ['S256'],
        prompt_values_supported: ['none', 'login', 'consent', 'select_account'], acr_values_supported: ['1fa', 'mfa', 'phr'], userinfo_endpoint: homeUrl(fixture, tenant, 'userinfo'), end_session_endpoint: homeUrl(fixture, tenant, 'logout'),
        backchannel_logout_supported: true, backchannel_logout_session_supported: true, authorization_response_iss_parameter_supported: true,
        request_parameter_supported: false, request_uri_parameter_supported: false, claims_parameter_supported: false,
      });
      expect(document['grant_types_supported']).toEqual(expect.arrayContaining(['authorization_code', 'refresh_token', 'client_credentials']) as never);
      expect(document['scopes_supported']).toContain('openid');
      expect(JSON.stringify(document)).not.toContain('null');
    }
  });

  test('DS-24 every endpoint that is named answers', async () => {
    const document = parseObject((await send(`${issuer(fixture, acme)}/.well-known/openid-configuration`, {})).body);
    for (const [name, url] of Object.entries(document)) {
      if (!name.endsWith('_endpoint') && name !== 'jwks_uri') continue;
      expect([name, [200, 400, 401, 405].includes((await send(String(url), {})).status)]).toEqual([name, true]);
    }
  });

  test('DS-24 every grant, response mode, prompt and class that is named is taken', async () => {
    for (const prompt of ['login', 'consent', 'select_account']) expect((await get(web, { prompt })).headers['location']).toStartWith('/t/acme/sign-in/');
    for (const acr of ['1fa', 'mfa', 'phr']) expect((await get(web, { acr_values: acr })).headers['location']).toStartWith('/t/acme/sign-in/');
    for (const grant of ['authorization_code', 'refresh_token', 'client_credentials']) {
      const answer = await post(homeUrl(fixture, acme, 'token'), { grant_type: grant }, { id: service.id, secret: service.secret ?? '' });
      expect(parseObject(answer.body)['error']).not.toBe('unsupported_grant_type');
    }
    expect(urlOf(fixture, acme, 'realm', 'authorize')).toBe(endpoint());
  });
});
