/** What an authorization request comes to before anybody is asked anything (RFC 6749 §4.1.1, OpenID Connect Core §3.1.2). */
import { describe, expect, test } from 'bun:test';
import { authorizationParameters, clientIdOf, isUsableClient, judgeAuthorization, readReturnAddress, askedResources, type RawParameters, type RequestFacts } from '../../src/core/authorization.ts';
import type { AuthorizationRequest } from '../../src/core/authorization-request.ts';
import type { Client } from '../../src/core/model.ts';
import { aClient, aResource, T0 } from '../storage/samples.ts';

const WEB = 'https://app.example/cb';
const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';
const API = 'https://api.example.com';

type Change = Readonly<Record<string, string | null | readonly (string | null)[]>>;

/** Good parameters, changed: null leaves one out, a list repeats it. */
function parameters(change: Change = {}): RawParameters {
  const all = { client_id: 'cli_1', redirect_uri: WEB, response_type: 'code', scope: 'openid a', state: 'xyz', code_challenge: CHALLENGE, code_challenge_method: 'S256', ...change };
  return new Map(Object.entries(all).flatMap(([name, value]) => (value === null ? [] : [[name, typeof value === 'string' ? [value] : value] as const])));
}

const app = (change: Partial<Client> = {}): Client => aClient({ grants: ['authorization_code', 'refresh_token'], scopes: ['openid', 'a', 'b', 'offline_access'], redirectUris: [WEB], ...change });
const nothing: RequestFacts = { resources: [], hint: null };

function judge(change: Change, client: Client = app(), facts: Partial<RequestFacts> = {}): ReturnType<typeof judgeAuthorization> {
  const reading = readReturnAddress(parameters(change), client);
  if (!reading.ok) throw new Error(reading.reason);
  return judgeAuthorization(parameters(change), client, reading, { ...nothing, ...facts });
}

function judged(change: Change = {}, client: Client = app(), facts: Partial<RequestFacts> = {}): AuthorizationRequest {
  const judgement = judge(change, client, facts);
  if (!judgement.ok) throw new Error(`${judgement.error}: ${judgement.description}`);
  return judgement.request;
}

describe('client and redirect URI come first', () => {
  test.each([
    ['one', { client_id: 'x' }, 'x'], ['none', { client_id: null }, null], ['two', { client_id: ['x', 'y'] }, null], ['the same twice', { client_id: ['x', 'x'] }, null], ['broken escapes', { client_id: [null] }, null],
  ] as const)('AZ-02, AZ-19 client_id: %s', (_name, change, id) => {
    expect(clientIdOf(parameters(change))).toBe(id);
  });

  test('AZ-02 no client, a disabled one, a deleted one → nobody to answer to', () => {
    expect(readReturnAddress(parameters(), null)).toEqual({ ok: false, reason: 'unknown_client' });
    expect([null, app({ disabledAtMs: T0 }), app({ deletedAtMs: T0 }), app()].map((client) => isUsableClient(client))).toEqual([false, false, false, true]);
  });

  const two = { redirectUris: [WEB, 'https://app.example/other'] };
  const rows: readonly (readonly [name: string, change: Change, client: Partial<Client>, uri: string | null, given: boolean])[] = [
    ['AZ-03 the registered one', {}, {}, WEB, true],
    ['AZ-03 one of two', {}, two, WEB, true],
    ['AZ-03 missing, two registered', { redirect_uri: null, scope: 'a' }, two, null, false],
    ['AZ-03 missing, none registered', { redirect_uri: null, scope: 'a' }, { redirectUris: [] }, null, false],
    ['AZ-03 another', { redirect_uri: 'https://evil.example/cb' }, {}, null, true],
    ['AZ-04 missing, one registered, plain OAuth', { redirect_uri: null, scope: 'a' }, {}, WEB, false],
    ['AZ-04 missing, one registered, no scope', { redirect_uri: null, scope: null }, {}, WEB, false],
    ['AZ-04 missing with openid', { redirect_uri: null }, {}, null, false],
    ['AZ-04 missing with openid in a repeated scope', { redirect_uri: null, scope: ['a', 'openid'] }, {}, null, false],
    ['AZ-04 missing with a scope that only sounds like it', { redirect_uri: null, scope: 'openidx' }, {}, WEB, false],
    ['AZ-19 the same twice', { redirect_uri: [WEB, WEB] }, {}, null, true],
    ['AZ-19 broken escapes', { redirect_uri: [null] }, {}, null, true],
    ['AZ-06 a free port on loopback', { redirect_uri: 'http://127.0.0.1:49152/cb' }, { public: true, redirectUris: ['http://127.0.0.1/cb'] }, 'http://127.0.0.1:49152/cb', true],
    ['AZ-06 … not of a confidential client', { redirect_uri: 'http://127.0.0.1:49152/cb' }, { redirectUris: ['http://127.0.0.1/cb'] }, null, true],
  ];
  test.each(rows.map((row) => [...row] as const))('%s', (_name, change, client, uri, given) => {
    const reading = readReturnAddress(parameters(change), app(client));
    expect(reading).toEqual(uri === null ? { ok: false, reason: 'redirect_mismatch' } : { ok: true, given, address: { redirectUri: uri, responseMode: 'query', state: 'xyz' } });
  });

  const addresses: readonly (readonly [name: string, change: Change, mode: 'query' | 'form_post', state: string | null])[] = [
    ['AZ-27 form_post', { response_mode: 'form_post' }, 'form_post', 'xyz'],
    ['AZ-27 one that is not ours: errors go by query', { response_mode: 'fragment' }, 'query', 'xyz'],
    ['AZ-19 two modes', { response_mode: ['form_post', 'query'] }, 'query', 'xyz'],
    ['AZ-10 no state', { state: null }, 'query', null],
    ['AZ-19 two states: none is the one', { state: ['a', 'b'] }, 'query', null],
    ['AZ-21 the longest state', { state: 's'.repeat(4096) }, 'query', 's'.repeat(4096)],
    ['AZ-21 a state over the cap is left out, never cut', { state: 's'.repeat(4097) }, 'query', null],
  ];
  test.each(addresses.map((row) => [...row] as const))('%s', (_name, change, mode, state) => {
    expect(readReturnAddress(parameters(change), app())).toEqual({ ok: true, given: true, address: { redirectUri: WEB, responseMode: mode, state } });
  });
});

describe('a good request', () => {
  test('AZ-01, AZ-44 is kept whole', () => {
    expect(judged()).toEqual({
      redirectUri: WEB, responseMode: 'query', state: 'xyz', clientId: 'cli_1', redirectUriGiven: true, scopes: ['openid', 'a'], resources: [], challenge: CHALLENGE, nonce: null, prompt: [],
      maxAge: null, loginHint: null, hintedSubject: null, acrValues: [], uiLocales: [],
    });
  });

  const rows: readonly (readonly [name: string, change: Change, request: Partial<AuthorizationRequest>, client?: Partial<Client>, facts?: Partial<RequestFacts>])[] = [
    ['AZ-20 unknown parameters and unknown values of known ones', { unheard_of: 'x', display: 'hologram', claims_locales: '??', ui_locales: 'tlh' }, { uiLocales: ['tlh'] }],
    ['AZ-37 display, ui_locales, claims_locales', { display: 'touch', ui_locales: 'de-CH  fr', claims_locales: 'de' }, { uiLocales: ['de-CH', 'fr'] }],
    ['AZ-37 at most 20 words of a list', { ui_locales: 'x '.repeat(50) }, { uiLocales: Array.from({ length: 20 }, () => 'x') }],
    ['AZ-39 claims that nobody here can give', { claims: '{"id_token":{"acr":{"essential":true}}}' }, {}],
    ['AZ-22 the longest nonce', { nonce: 'n'.repeat(512) }, { nonce: 'n'.repeat(512) }],
    ['AZ-22 a nonce of odd characters', { nonce: ' é"<\u{1F600}' }, { nonce: ' é"<\u{1F600}' }],
    ['AZ-35 login_hint', { login_hint: '<b>alice' }, { loginHint: '<b>alice' }],
    ['AZ-35 a login_hint that is too long is left out', { login_hint: 'a'.repeat(257) }, { loginHint: null }],
    ['AZ-33 max_age', { max_age: '0' }, { maxAge: 0 }],
    ['AZ-33 the longest max_age', { max_age: '999999999' }, { maxAge: 999_999_999 }],
    ['AZ-30 prompts, each once', { prompt: 'login consent login' }, { prompt: ['login', 'consent'] }],
    ['AZ-30 none', { prompt: 'none' }, { prompt: ['none'] }],
    ['AZ-34 acr_values', { acr_values: 'phr mfa urn:other' }, { acrValues: ['phr', 'mfa', 'urn:other'] }],
    ['AZ-36 a proven hint', {}, { hintedSubject: 'usr_1' }, {}, { hint: { sub: 'usr_1' } }],
    ['AZ-14 no challenge, where the client need not', { code_challenge: null, code_challenge_method: null }, { challenge: null }, { requirePkce: false }],
    ['AZ-14 … which may send one', {}, { challenge: CHALLENGE }, { requirePkce: false }],
    ['AZ-18 no scope: all that it may have', { scope: null }, { scopes: ['openid', 'a', 'b'] }],
    ['AZ-04 redirect_uri not named', { scope: 'a', redirect_uri: null }, { scopes: ['a'], redirectUriGiven: false }],
    ['RI-02, RI-05 resources, as registered', {}, { scopes: ['openid', 'a'], resources: [API, 'https://other.example'] }, {}, { resources: [aResource({ uri: API, scopes: ['a'] }), aResource({ uri: 'https://other.example', scopes: ['b'] })] }],
    ['AZ-50 offline_access of a web client without prompt=consent is left out', { scope: 'openid offline_access' }, { scopes: ['openid'] }],
    ['AZ-50 … with it, it stays', { scope: 'openid offline_access', prompt: 'consent' }, { scopes: ['openid', 'offline_access'], prompt: ['consent'] }],
    ['AZ-50 … and for the operator\'s own', { scope: 'openid offline_access' }, { scopes: ['openid', 'offline_access'] }, { firstParty: true }],
    ['AZ-50 … and for a native one', { scope: 'openid offline_access', redirect_uri: 'com.example.app:/cb' }, { scopes: ['openid', 'offline_access'], redirectUri: 'com.example.app:/cb' }, { public: true, redirectUris: ['com.example.app:/cb'] }],
    ['AZ-50 … also where https is written in other letters', { scope: 'openid offline_access', redirect_uri: 'HTTPS://app.example/cb' }, { scopes: ['openid'], redirectUri: 'HTTPS://app.example/cb' }, { redirectUris: ['HTTPS://app.example/cb'] }],
  ];
  test.each(rows.map(([name, change, request, client = {}, facts = {}]) => [name, change, request, client, facts] as const))('%s', (_name, change, request, client, facts) => {
    expect(judged(change, app(client), facts)).toEqual({ ...judged(), ...request });
  });
});

describe('a bad one', () => {
  const noPkce = { code_challenge: null, code_challenge_method: null };
  const rows: readonly (readonly [name: string, error: string, change: Change, client?: Partial<Client>, facts?: Partial<RequestFacts>])[] = [
    ['AZ-11 no response_type', 'invalid_request', { response_type: null }],
    ['AZ-11 token', 'unsupported_response_type', { response_type: 'token' }],
    ['AZ-11 id_token token', 'unsupported_response_type', { response_type: 'id_token token' }],
    ['AZ-11 code id_token', 'unsupported_response_type', { response_type: 'code id_token' }],
    ['AZ-11 code in other letters', 'unsupported_response_type', { response_type: 'Code' }],
    ['AZ-11 none', 'unsupported_response_type', { response_type: 'none' }],
    ['AZ-12 a client without the grant', 'unauthorized_client', {}, { grants: ['client_credentials'] }],
    ['AZ-13 a public client without a challenge', 'invalid_request', noPkce, { public: true }],
    ['AZ-13 … whatever is set for it', 'invalid_request', noPkce, { public: true, requirePkce: false }],
    ['AZ-14 a confidential client without a challenge', 'invalid_request', noPkce],
    ['AZ-14 one that need not, but not OpenID Connect', 'invalid_request', { ...noPkce, scope: 'a' }, { requirePkce: false }],
    ['AZ-15 a challenge without a method, which means plain', 'invalid_request', { code_challenge_method: null }],
    ['AZ-15 plain', 'invalid_request', { code_challenge_method: 'plain' }],
    ['AZ-15 s256', 'invalid_request', { code_challenge_method: 's256' }],
    ['AZ-15 S512', 'invalid_request', { code_challenge_method: 'S512' }],
    ['AZ-16 42 characters', 'invalid_request', { code_challenge: CHALLENGE.slice(1) }],
    ['AZ-16 44 characters', 'invalid_request', { code_challenge: `${CHALLENGE}A` }],
    ['AZ-16 padded', 'invalid_request', { code_challenge: `${CHALLENGE}=` }],
    ['AZ-16 base64', 'invalid_request', { code_challenge: CHALLENGE.replace('-', '+') }],
    ['AZ-16 beyond ASCII', 'invalid_request', { code_challenge: `é${CHALLENGE.slice(1)}` }],
    ['AZ-17 a method without a challenge', 'invalid_request', { code_challenge: null }],
    ['AZ-17 … also of a client that need send none', 'invalid_request', { code_challenge: null }, { requirePkce: false }],
    ['AZ-18 an unknown scope', 'invalid_scope', { scope: 'openid unheard-of' }],
    ['AZ-18 a malformed scope', 'invalid_scope', { scope: 'openid  a' }],
    ['AZ-18 a scope with a quote', 'invalid_scope', { scope: 'a"b' }],
    ['AZ-18 101 words', 'invalid_scope', { scope: Array.from({ length: 101 }, (_, index) => `a${index}`).join(' ') }],
    ['AZ-21 a state over the cap', 'invalid_request', { state: 's'.repeat(4097) }],
    ['AZ-22 a nonce over the cap', 'invalid_request', { nonce: 'n'.repeat(513) }],
    ['AZ-27 fragment', 'invalid_request', { response_mode: 'fragment' }],
    ['AZ-27 unknown mode', 'invalid_request', { response_mode: 'web_message' }],
    ['AZ-30 none with another', 'invalid_request', { prompt: 'none login' }],
    ['AZ-30 unknown', 'invalid_request', { prompt: 'create' }],
    ['AZ-30 one known, one unknown', 'invalid_request', { prompt: 'login Consent' }],
    ['AZ-33 negative max_age', 'invalid_request', { max_age: '-1' }],
    ['AZ-33 a fraction', 'invalid_request', { max_age: '1.5' }],
    ['AZ-33 no number', 'invalid_request', { max_age: 'soon' }],
    ['AZ-33 hexadecimal', 'invalid_request', { max_age: '0x10' }],
    ['AZ-33 beyond counting', 'invalid_request', { max_age: '9'.repeat(20) }],
    ['AZ-36 a hint that is not ours', 'invalid_request', {}, {}, { hint: 'invalid' }],
    ['AZ-38 request', 'request_not_supported', { request: 'e30.e30.' }],
    ['AZ-38 request_uri', 'request_uri_not_supported', { request_uri: 'https://evil.example/request' }],
    ['AZ-38 registration', 'registration_not_supported', { registration: '{}' }],
    ['AZ-39 claims that are no JSON', 'invalid_request', { claims: '{"id_token":' }],
    ['AZ-39 claims that are a list', 'invalid_request', { claims: '[]' }],
    ['AZ-39 claims null', 'invalid_request', { claims: 'null' }],
    ['RI-01, RI-03 a resource that is malformed or unknown', 'invalid_target', {}, {}, { resources: null }],
    ['RI-03 a scope that none of the resources has', 'invalid_scope', { scope: 'b' }, {}, { resources: [aResource({ uri: API, scopes: ['a'] })] }],
  ];
  test.each(rows.map(([name, error, change, client = {}, facts = {}]) => [name, error, change, client, facts] as const))('%s → %s', (_name, error, change, client, facts) => {
    expect(judge(change, app(client), facts)).toEqual({ ok: false, error, description: expect.stringMatching(/^[\x20\x21\x23-\x5B\x5D-\x7E]{5,90}$/) } as never);
  });

  const once = authorizationParameters.filter((name) => name !== 'resource' && name !== 'client_id' && name !== 'redirect_uri');
  test.each(once)('AZ-19 %s twice, or with broken escapes → invalid_request', (name) => {
    for (const values of [['code', 'code'], [null], ['a', null]]) expect(judge({ [name]: values })).toMatchObject({ ok: false, error: 'invalid_request' });
  });
  test('AZ-19 resource may be repeated', () => {
    expect(judged({ resource: [API, API] }).resources).toEqual([]);
  });
});

describe('RFC 8707 §2 · resources asked for', () => {
  const rows: readonly (readonly [name: string, values: readonly (string | null)[], keys: readonly string[] | null])[] = [
    ['RI-06 none', [], []], ['RI-02 two', ['https://a.example/x', 'https://b.example'], ['https://a.example/x', 'https://b.example']],
    ['RI-05 host in other letters, and an empty path', ['HTTPS://API.example.com/'], [API]], ['RI-05 the same twice', [API, `${API}/`], [API]], ['RI-05 the path is exact', [`${API}/A`], [`${API}/A`]],
    ['RI-01 relative', ['/x'], null], ['RI-01 with a fragment', [`${API}#f`], null], ['RI-01 a word', ['api'], null], ['RI-01 broken escapes', [null], null], ['RI-01 one of two', [API, 'x y:z'], null],
    ['RI-08 ten', Array.from({ length: 10 }, (_, index) => `${API}/${index}`), Array.from({ length: 10 }, (_, index) => `${API}/${index}`)],
    ['RI-08 eleven', Array.from({ length: 11 }, (_, index) => `${API}/${index}`), null], ['RI-08 over 2 KiB', [`${API}/${'a'.repeat(2048)}`], null],
  ];
  test.each(rows.map((row) => [...row] as const))('%s', (_name, values, keys) => {
    expect(askedResources(parameters({ resource: values }))).toEqual(keys);
  });
});
