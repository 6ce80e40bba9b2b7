/** People's cookies and pages where the server's own address is https, behind a proxy that speaks http to it (UI-02…UI-05). */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Tenant } from '../../src/core/model.ts';
import { answerOf, asked, encoded, makeApp, makePerson, PASSWORD, type App, type Asked } from '../helpers/flow.ts';
import { makeTenant, parseObject, post, send, startFixture, type Answer, type Fixture } from '../helpers/fixture.ts';

const HOST = 'id.example';
const STS = 'max-age=31536000';

let fixture: Fixture;
let acme: Tenant;
let other: Tenant;
let app: App;

beforeAll(async () => {
  fixture = await startFixture({ args: ['--origin', `https://${HOST}`], env: { ASSAY_RATE_LIMITS: 'on' } });
  [acme, other] = [await makeTenant(fixture, 'acme', { preset: 'kotauth' }), await makeTenant(fixture, 'other', { preset: 'kotauth' })];
  await makePerson(fixture, acme, 'alice');
  app = await makeApp(fixture, acme, 'app', { firstParty: true });
  await makeApp(fixture, other, 'app', { firstParty: true });
});
afterAll(() => fixture.close());

type Headers = Readonly<Record<string, string>>;
const at = (path: string): string => `http://127.0.0.1:${fixture.server.port}${path}`;
const get = (path: string, headers: Headers = {}): Promise<Answer> => send(at(path), { headers: { Host: HOST, ...headers } });
const submit = (path: string, fields: Headers, headers: Headers = {}): Promise<Answer> => post(at(path), fields, null, { 'Host': HOST, 'Origin': `https://${HOST}`, 'Sec-Fetch-Site': 'same-origin', ...headers });
const ask = (change: Asked = {}, headers: Headers = {}, slug = 'acme'): Promise<Answer> => get(`/t/${slug}/protocol/openid-connect/auth?${encoded(asked(app, change))}`, headers);
const cookieIn = (answer: Answer): string => (answer.headers['set-cookie'] ?? '').split(';')[0] ?? '';
const csrfIn = (answer: Answer): string => /name="csrf" value="([^"]*)"/.exec(answer.body)?.[1] ?? '';

/** Somebody signs in; their cookies, and every answer on the way. */
async function signIn(headers: Headers = {}): Promise<{ readonly cookies: string; readonly sent: Answer; readonly page: Answer; readonly done: Answer }> {
  const sent = await ask({}, headers);
  const path = sent.headers['location'] ?? '';
  const page = await get(path, { ...headers, Cookie: cookieIn(sent) });
  const done = await submit(path, { csrf: csrfIn(page), step: 'password', username: 'alice', password: PASSWORD }, { ...headers, Cookie: cookieIn(sent) });
  return { sent, page, done, cookies: `${cookieIn(sent)}; ${cookieIn(done)}` };
}

describe('RFC 6265bis · cookies over https', () => {
  const proxies: readonly (readonly [name: string, headers: Headers])[] = [
    ['as they are', {}], ['X-Forwarded-Proto: http', { 'X-Forwarded-Proto': 'http' }], ['X-Forwarded-Proto: https', { 'X-Forwarded-Proto': 'https' }], ['Forwarded', { Forwarded: 'proto=http;host=evil.example' }], ['X-Forwarded-Host', { 'X-Forwarded-Host': 'evil.example' }],
  ];
  test.each(proxies.map((row) => [...row] as const))('UI-03, UI-04, UI-05, HT-03 %s: __Host-, Secure, HttpOnly, SameSite=Lax, Path=/, no Domain', async (_name, headers) => {
    const { sent, done } = await signIn(headers);
    expect(sent.headers['set-cookie']).toMatch(new RegExp(`^__Host-bid-${acme.id}=[A-Za-z0-9_-]{43}; Path=/; HttpOnly; SameSite=Lax; Secure$`));
    expect(done.headers['set-cookie']).toMatch(new RegExp(`^__Host-sid-${acme.id}=[A-Za-z0-9_-]{43}; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=604800$`));
    const { to, members } = answerOf(done.headers['location']);
    expect([to, members.find(([name]) => name === 'iss')?.[1]]).toEqual([app.uri, `https://${HOST}/t/acme`]);
  });

  test('UI-03 a cookie without the prefix is none of ours: whoever can set one for the host by http gains nothing', async () => {
    const { cookies } = await signIn();
    expect(answerOf((await ask({ prompt: 'none' }, { Cookie: cookies })).headers['location']).members[0]?.[0]).toBe('code');
    for (const name of ['__Host-', '__host-', '__Secure-']) {
      const renamed = cookies.replaceAll('__Host-', name === '__Host-' ? '' : name);
      expect(answerOf((await ask({ prompt: 'none' }, { Cookie: renamed })).headers['location']).members[0]).toEqual(['error', 'login_required']);
    }
  });

  test('UI-04, MTN-05 the cookie of one tenant is void at another, also under its name', async () => {
    const { cookies } = await signIn();
    for (const cookie of [cookies, cookies.replaceAll(acme.id, other.id)]) {
      expect(answerOf((await ask({ prompt: 'none' }, { Cookie: cookie }, 'other')).headers['location']).members[0]).toEqual(['error', 'login_required']);
    }
  });

  test('UI-03, AZ-01 an application\'s page may post the request: it comes again by GET, with the cookies', async () => {
    const { cookies } = await signIn();
    const answer = await post(at('/t/acme/protocol/openid-connect/auth'), encoded(asked(app, { prompt: 'none' })), null, { 'Host': HOST, 'Origin': 'https://app.example', 'Sec-Fetch-Site': 'cross-site' });
    expect(answer.status).toBe(303);
    expect(answer.headers['set-cookie']).toBeUndefined();
    expect(answerOf((await get(answer.headers['location'] ?? '', { 'Cookie': cookies, 'Sec-Fetch-Site': 'cross-site' })).headers['location']).members[0]?.[0]).toBe('code');
  });

  test('UI-05, LO-10 signed out: the cookie is taken away as it was set', async () => {
    const { cookies } = await signIn();
    const page = await get('/t/acme/protocol/openid-connect/logout', { Cookie: cookies });
    const done = await submit('/t/acme/protocol/openid-connect/logout', { csrf: csrfIn(page), step: 'logout' }, { Cookie: cookies });
    expect(done.headers['set-cookie']).toBe(`__Host-sid-${acme.id}=; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=0`);
    expect(answerOf((await ask({ prompt: 'none' }, { Cookie: cookies })).headers['location']).members[0]).toEqual(['error', 'login_required']);
  });
});

describe('pages over https', () => {
  test('UI-02 Strict-Transport-Security on every page and redirect', async () => {
    const { sent, page, done, cookies } = await signIn();
    const others = [await get('/t/acme/account', { Cookie: cookies }), await get('/t/acme/account/nothing'), await ask({ client_id: 'nobody' }), await ask({ scope: 'unheard-of' }), await ask({ response_mode: 'form_post' }, { Cookie: cookies })];
    for (const answer of [sent, page, done, ...others]) expect(answer.headers['strict-transport-security']).toBe(STS);
  });

  test('UI-09 our own origin is the https one', async () => {
    const sent = await ask();
    const path = sent.headers['location'] ?? '';
    const page = await get(path, { Cookie: cookieIn(sent) });
    const fields = { csrf: csrfIn(page), step: 'password', username: 'alice', password: PASSWORD };
    for (const Origin of [`http://${HOST}`, `https://${HOST}:8443`, `https://evil.${HOST}`, 'null']) {
      expect((await post(at(path), fields, null, { Host: HOST, Origin, Cookie: cookieIn(sent) })).status).toBe(403);
    }
    expect((await post(at(path), fields, null, { Host: HOST, Origin: `https://${HOST}`, Cookie: cookieIn(sent) })).status).toBe(303);
  });

  test('DS-15, AZ-24 discovery says https', async () => {
    const document = parseObject((await get('/t/acme/.well-known/openid-configuration')).body);
    expect([document['issuer'], document['authorization_endpoint']]).toEqual([`https://${HOST}/t/acme`, `https://${HOST}/t/acme/protocol/openid-connect/auth`]);
  });
});
