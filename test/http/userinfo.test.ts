import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Tenant, User } from '../../src/core/model.ts';
import { createUser, setUserEnabled, updateUser } from '../../src/service/manage-users.ts';
import {
  homeUrl, issue, issuePair, jsonAnswer, makeClient, makePublicClient, makeResource, makeTenant, makeUser, must, parseObject, post,
  protocolHeaders, send, startFixture, urlOf, type Answer, type Credentials, type Fixture,
} from '../helpers/fixture.ts';

const CHALLENGE = 'Bearer realm="assay"';
const ORIGIN = 'https://app.example.com';
const refused = {
  invalid_request: [400, 'the access token is given twice or malformed', ''],
  invalid_token: [401, 'the access token is expired, revoked, malformed or not for this', ''],
  insufficient_scope: [403, 'the access token lacks the scope openid', ', scope="openid"'],
} as const;

let fixture: Fixture;
let acme: Tenant;
let alice: User;
let service: Credentials;
const SPA = 'spa';

/** The whole refusal of a presented token. */
function refusal(error: keyof typeof refused): Answer {
  const [status, description, scope] = refused[error];
  return jsonAnswer(status, JSON.stringify({ error, error_description: description }), {
    'www-authenticate': `${CHALLENGE}, error="${error}", error_description="${description}"${scope}`,
  });
}
const nothingPresented = jsonAnswer(401, '{"error":"invalid_token","error_description":"an access token is needed"}', { 'www-authenticate': CHALLENGE });

const url = (tenant = acme): string => homeUrl(fixture, tenant, 'userinfo');
const get = (token: string, at = url(), headers: Readonly<Record<string, string>> = {}): Promise<Answer> => send(at, { headers: { Authorization: `Bearer ${token}`, ...headers } });
const userToken = async (scope: string, wish = {}): Promise<string> =>
  (await issue(fixture, acme, SPA, { user: 'alice', scopes: scope.split(' '), ...wish })).access_token;

beforeAll(async () => {
  fixture = await startFixture();
  acme = await makeTenant(fixture, 'acme', { preset: 'kotauth' });
  alice = await makeUser(fixture, acme, 'alice');
  await makePublicClient(fixture, acme, SPA, { scopes: ['openid', 'profile', 'email', 'offline_access', 'orders'], redirectUris: [`${ORIGIN}/cb`] });
  service = await makeClient(fixture, acme, 'svc', { scopes: ['orders'] });
});
afterAll(() => fixture.close());

describe('OpenID Connect Core §5.3 · who is the user?', () => {
  const all = () => ({ sub: alice.id, name: 'The alice', preferred_username: 'alice', email: 'alice@example.com', email_verified: true });

  test.each([
    ['openid', ['sub']],
    ['openid profile', ['sub', 'name', 'preferred_username']],
    ['openid email', ['sub', 'email', 'email_verified']],
    ['openid profile email orders', ['sub', 'name', 'preferred_username', 'email', 'email_verified']],
  ])('US-01, US-07, US-08 scope "%s"', async (scope, names) => {
    const claims = Object.fromEntries(Object.entries(all()).filter(([name]) => names.includes(name)));
    expect(await get(await userToken(scope))).toEqual(jsonAnswer(200, JSON.stringify(claims)));
  });

  test('US-01, US-11 GET and POST, JWT and opaque, at every layout: the same claims, kept by nobody', async () => {
    const opaque = await makeClient(fixture, acme, 'opaque', { grants: ['refresh_token'], scopes: ['openid', 'email'], tokenFormat: 'opaque' });
    const tokens = [await userToken('openid email'), (await issue(fixture, acme, opaque.id, { user: 'alice' })).access_token];
    const wanted = jsonAnswer(200, JSON.stringify({ sub: alice.id, email: 'alice@example.com', email_verified: true }));
    expect(wanted.headers).toMatchObject(protocolHeaders);
    for (const token of tokens) {
      for (const layout of ['realm', 'org'] as const) {
        const at = urlOf(fixture, acme, layout, 'userinfo');
        expect(await get(token, at)).toEqual(wanted);
        expect(await send(at, { method: 'POST', headers: { Authorization: `Bearer ${token}` } })).toEqual(wanted);
        expect(await post(at, { access_token: token })).toEqual(wanted);
      }
    }
  });

  test('US-08 address and phone have scopes of their own, and profile tells every standard claim that is known', async () => {
    const attributes = { given_name: 'Hana', birthdate: '1987-05-30', address: { locality: 'Brno', country: 'CZ' }, phone_number: '+420 123 456 789', phone_number_verified: false, department: 'sales' };
    const hana = must(await createUser(fixture.application.ctx, acme, null, { username: 'hana', email: '', attributes }));
    await makePublicClient(fixture, acme, 'book', { scopes: ['openid', 'profile', 'address', 'phone'] });
    const told = async (scope: string) => parseObject((await get((await issue(fixture, acme, 'book', { user: 'hana', scopes: scope.split(' ') })).access_token)).body);
    expect(await told('openid profile')).toEqual({ sub: hana.id, given_name: 'Hana', preferred_username: 'hana', birthdate: '1987-05-30' });
    expect(await told('openid address')).toEqual({ sub: hana.id, address: { locality: 'Brno', country: 'CZ' } });
    expect(await told('openid phone')).toEqual({ sub: hana.id, phone_number: '+420 123 456 789', phone_number_verified: false });
  });

  test('US-07 what is not known is left out', async () => {
    const bob = must(await createUser(fixture.application.ctx, acme, null, { username: 'bob', email: '' }));
    const { access_token: token } = await issue(fixture, acme, SPA, { user: 'bob', scopes: ['openid', 'profile', 'email'] });
    expect(parseObject((await get(token)).body)).toEqual({ sub: bob.id, preferred_username: 'bob' });
  });

  test('TX-09 a changed name shows at once; sub stays', async () => {
    const carol = await makeUser(fixture, acme, 'carol');
    const { access_token: token } = await issue(fixture, acme, SPA, { user: 'carol', scopes: ['openid', 'profile'] });
    must(await updateUser(fixture.application.ctx, acme, 'carol', { name: 'Carola' }));
    expect(parseObject((await get(token)).body)).toEqual({ sub: carol.id, name: 'Carola', preferred_username: 'carol' });
  });

  test.each(['Bearer', 'bearer', 'BEARER', 'bEaReR'])('US-14 scheme %s', async (scheme) => {
    expect((await send(url(), { headers: { Authorization: `${scheme} ${await userToken('openid')}` } })).status).toBe(200);
  });

  test('US-09 the default audiences and the endpoint itself do; a token for a resource reads no profile', async () => {
    await makeResource(fixture, acme, { uri: 'https://api.example.com' });
    for (const audience of [[], [SPA], [url()], ['https://api.example.com', `http://127.0.0.1:${fixture.server.port}/t/acme`]]) {
      expect((await get(await userToken('openid', { audience }))).status).toBe(200);
    }
    expect(await get(await userToken('openid', { audience: ['https://api.example.com'] }))).toEqual(refusal('invalid_token'));
  });
});

describe('RFC 6750 §3 · refusals', () => {
  const rows: readonly (readonly [string, () => Promise<string>])[] = [
    ['US-05 garbage', async () => 'garbage'],
    ['US-05 a JWT nobody signed', async () => `${(await userToken('openid')).split('.').slice(0, 2).join('.')}.AAAA`],
    ['US-05, AT-13 a revoked JWT', async () => {
      const token = await userToken('openid');
      await post(homeUrl(fixture, acme, 'revoke'), { token, client_id: SPA });
      return token;
    }],
    ['US-05 one whose grant was revoked', async () => {
      const { access, refresh } = await issuePair(fixture, acme, SPA, 'alice', { scopes: ['openid'] });
      await post(homeUrl(fixture, acme, 'revoke'), { token: refresh, client_id: SPA });
      return access;
    }],
    ['US-12 a refresh token', async () => (await issuePair(fixture, acme, SPA, 'alice', { scopes: ['openid'] })).refresh],
    ['US-13 a disabled user\'s', async () => {
      await makeUser(fixture, acme, 'dora');
      const { access_token: token } = await issue(fixture, acme, SPA, { user: 'dora', scopes: ['openid'] });
      must(await setUserEnabled(fixture.application.ctx, acme, 'dora', false));
      return token;
    }],
    ['US-05, MTN-05 another tenant\'s', async () => {
      const other = await makeTenant(fixture, `other-${Date.now().toString(36)}`, { preset: 'kotauth' });
      await makeUser(fixture, other, 'alice');
      await makePublicClient(fixture, other, SPA, { scopes: ['openid'] });
      return (await issue(fixture, other, SPA, { user: 'alice', scopes: ['openid'] })).access_token;
    }],
  ];
  test.each(rows)('%s → 401 invalid_token', async (_name, make) => {
    expect(await get(await make())).toEqual(refusal('invalid_token'));
  });

  test('US-06 without openid → 403 insufficient_scope, also for a client\'s own token', async () => {
    expect(await get(await userToken('profile email'))).toEqual(refusal('insufficient_scope'));
    expect(await get((await issue(fixture, acme, service.id)).access_token)).toEqual(refusal('insufficient_scope'));
  });

  test('US-04, US-15 no token → 401 with a challenge that names no error', async () => {
    for (const init of [{}, { method: 'POST' }, { headers: { Authorization: 'Basic c3ZjOng=' } }, { method: 'POST', body: '{}', headers: { 'Content-Type': 'application/json' } }]) {
      expect(await send(url(), init)).toEqual(nothingPresented);
    }
  });

  test('US-02 a token in the URL does not count, nor a form with GET', async () => {
    const token = await userToken('openid');
    expect(await send(`${url()}?access_token=${token}`, {})).toEqual(nothingPresented);
    expect(await send(`${url()}?access_token=${token}`, { method: 'POST' })).toEqual(nothingPresented);
    expect(await post(url(), '')).toEqual(nothingPresented);
  });

  test('US-03 two ways at once, twice, or broken → 400 invalid_request', async () => {
    const token = await userToken('openid');
    const doubled = `Bearer ${token}, Bearer ${token}`;
    expect(await post(url(), { access_token: token }, null, { Authorization: `Bearer ${token}` })).toEqual(refusal('invalid_request'));
    expect(await send(url(), { headers: { Authorization: doubled } })).toEqual(refusal('invalid_request'));
    expect(await send(url(), { headers: { Authorization: 'Bearer a b' } })).toEqual(refusal('invalid_request'));
    expect((await post(url(), `access_token=${token}&access_token=${token}`)).status).toBe(400);
  });

  test('HT-19, INT-16 other methods → 405 with every method that works', async () => {
    for (const method of ['PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
      const answer = await send(url(), { method });
      expect([answer.status, answer.headers['allow']]).toEqual([405, 'GET, HEAD, POST']);
    }
  });
});

describe('HT-09, US-11 · pages of public clients', () => {
  test('may read it from their own origin, and nobody else', async () => {
    const token = await userToken('openid');
    expect((await get(token, url(), { Origin: ORIGIN })).headers).toMatchObject({
      'access-control-allow-origin': ORIGIN, 'access-control-expose-headers': 'WWW-Authenticate', vary: 'Origin',
    });
    expect((await get(token, url(), { Origin: 'https://evil.example' })).headers).not.toHaveProperty('access-control-allow-origin');
    const preflight = await send(url(), { method: 'OPTIONS', headers: { Origin: ORIGIN, 'Access-Control-Request-Method': 'GET' } });
    expect([preflight.status, preflight.headers['access-control-allow-methods'], preflight.headers['access-control-allow-headers']])
      .toEqual([204, 'GET, HEAD, POST', 'authorization, content-type']);
  });

  test('DS-24 discovery names it', async () => {
    const document = parseObject((await send(`http://127.0.0.1:${fixture.server.port}/t/acme/.well-known/openid-configuration`, {})).body);
    expect(document['userinfo_endpoint']).toBe(url());
    expect(document['claims_supported']).toEqual([
      'sub', 'name', 'family_name', 'given_name', 'middle_name', 'nickname', 'preferred_username', 'profile', 'picture', 'website', 'gender', 'birthdate',
      'zoneinfo', 'locale', 'updated_at', 'email', 'email_verified', 'address', 'phone_number', 'phone_number_verified',
    ]);
  });
});
