import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import { csrfToken } from '../../src/http/people/csrf.ts';
import type { LayoutName, Tenant, User } from '../../src/core/model.ts';
import { setUserEnabled } from '../../src/service/manage-users.ts';
import { digestOf } from '../../src/tokens/digest.ts';
import { mintIdToken } from '../../src/tokens/mint.ts';
import {
  auditOf, decodeJwt, homeUrl, INACTIVE, introspect, issuePair, issuer, makeClient, makePublicClient, makeTenant, makeUser, must, nowS, post, send, startFixture, storedState, until, urlOf,
  type Answer, type Credentials, type Fixture,
} from '../helpers/fixture.ts';
import { openData, removeFolder, startServer } from '../helpers/server.ts';
import { startReceiver, type Receiver } from '../outbound/receiver.ts';
import { there } from '../service/rig.ts';

const BACK = 'https://app.example/bye?x=1';
const COOKIE_GONE = 'Path=/; HttpOnly; SameSite=Lax; Max-Age=0';

let fixture: Fixture;
let acme: Tenant;
let rooted: Tenant;
let alice: User;
let bob: User;
let receiver: Receiver;
let app: Credentials;

beforeAll(async () => {
  fixture = await startFixture({ env: { ASSAY_LOOPBACK_TARGETS: 'allow' } });
  receiver = await startReceiver();
  acme = await makeTenant(fixture, 'acme', { preset: 'kotauth' });
  [alice, bob] = [await makeUser(fixture, acme, 'alice'), await makeUser(fixture, acme, 'bob')];
  app = await makeClient(fixture, acme, 'app', {
    grants: ['authorization_code', 'refresh_token'], scopes: ['openid', 'offline_access'], redirectUris: ['https://app.example/cb'],
    postLogoutRedirectUris: ['https://app.example/', BACK], backchannelLogoutUri: `http://127.0.0.1:${receiver.port}/backchannel`,
  });
  rooted = await makeTenant(fixture, 'rooted', { layout: 'root' });
  await makePublicClient(fixture, rooted, 'app', { redirectUris: ['https://app.example/cb'], postLogoutRedirectUris: [BACK] });
  await makePublicClient(fixture, acme, 'quiet', { redirectUris: ['https://quiet.example/cb'], postLogoutRedirectUris: ['https://quiet.example/'] });
});
afterAll(async () => {
  await fixture.close();
  await receiver.close();
});
afterEach(() => {
  receiver.calls.length = 0;
  receiver.answer = 200;
});

type SignedIn = { readonly id: string; readonly secret: string; readonly cookie: string; readonly user: User };

/** A browser in which somebody is signed in. */
async function signIn(user: User = alice, tenant: Tenant = acme): Promise<SignedIn> {
  const { store, random } = fixture.application.ctx;
  const [id, secret, nowMs] = [`ses_${random.text(8)}`, random.text(32), Date.now()];
  await store.openBrowserSession({
    session: {
      id, tenantId: tenant.id, userId: user.id, createdAtMs: nowMs, endedAtMs: null, secretDigest: digestOf(secret), authTimeMs: nowMs,
      amr: ['pwd'], acr: '1fa', lastSeenAtMs: nowMs, expiresAtMs: nowMs + 3_600_000, userAgent: null, ip: null,
    },
    replaces: null, progress: null,
  }, { audit: [] });
  return { id, secret, cookie: `sid-${tenant.id}=${secret}`, user };
}

async function idToken({ user, id }: Pick<SignedIn, 'user' | 'id'>, change: Readonly<Record<string, unknown>> = {}, tenant = acme): Promise<string> {
  const { signer } = await fixture.application.ctx.rings.of(tenant.id);
  return mintIdToken(there(signer), { iss: issuer(fixture, tenant), sub: user.id, aud: 'app', sid: id, iat: nowS() - 7200, exp: nowS() - 3600, ...change });
}

const url = (): string => homeUrl(fixture, acme, 'logout');
const get = (parameters: Readonly<Record<string, string>> | string, cookie: string | null = null, headers: Readonly<Record<string, string>> = {}): Promise<Answer> => {
  const query = typeof parameters === 'string' ? parameters : new URLSearchParams(parameters).toString();
  return send(`${url()}${query === '' ? '' : `?${query}`}`, { headers: { ...(cookie !== null && { Cookie: cookie }), ...headers } });
};

/** Whether somebody is signed in with this cookie: then a request without a hint asks them first. */
const isSignedIn = async (session: SignedIn): Promise<boolean> => (await get('', session.cookie)).body.includes('name="csrf"');

/** What a page must be (LO-18): a page, with every header of one. */
function expectPage(answer: Answer, status: number): void {
  expect(answer.status).toBe(status);
  expect(answer.headers).toMatchObject({
    'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store', pragma: 'no-cache', 'x-content-type-options': 'nosniff', 'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer', 'cross-origin-opener-policy': 'same-origin',
  });
  expect(answer.headers['content-security-policy']).toMatch(/^default-src 'none'; .*base-uri 'none'; form-action 'self'.*; frame-ancestors 'none'$/);
  expect(answer.headers['location']).toBeUndefined();
}

/** The confirmation's form, as the page shows it. */
function formOf(page: Answer): { readonly action: string; readonly csrf: string } {
  const action = /<form[^>]* action="([^"]*)"/.exec(page.body)?.[1] ?? '';
  const csrf = /name="csrf" value="([^"]*)"/.exec(page.body)?.[1] ?? '';
  return { action: action.replaceAll('&amp;', '&'), csrf };
}

function confirm(page: Answer, cookie: string, change: { readonly csrf?: string; readonly action?: string; readonly headers?: Readonly<Record<string, string>> } = {}): Promise<Answer> {
  const { action, csrf } = formOf(page);
  return post(new URL(change.action ?? action, fixture.server.url).href, { step: 'logout', csrf: change.csrf ?? csrf }, null, { Cookie: cookie, ...change.headers });
}

describe('OpenID Connect RP-Initiated Logout §2, §3', () => {
  test.each(['root', 'realm', 'org'] as const)('LO-01, LO-02 at the layout %s: a hint of this session and a registered address end it and lead there', async (layout: LayoutName) => {
    const tenant = layout === 'root' ? rooted : acme;
    const session = await signIn(layout === 'root' ? await makeUser(fixture, rooted, 'rita') : alice, tenant);
    const query = new URLSearchParams({ id_token_hint: await idToken(session, {}, tenant), post_logout_redirect_uri: BACK, state: 'a b&c=\u00E9' });
    const answer = await send(`${urlOf(fixture, tenant, layout, 'logout')}?${query.toString()}`, { headers: { Cookie: session.cookie } });
    expect([answer.status, answer.headers['location'], answer.headers['set-cookie'], answer.body]).toEqual([303, `${BACK}&state=a%20b%26c%3D%C3%A9`, `sid-${tenant.id}=; ${COOKIE_GONE}`, '']);
    expect((await fixture.application.ctx.store.findBrowserSession(tenant.id, digestOf(session.secret)))?.endedAtMs).toBeNumber();
  });

  test('UI-04 a hint or cookie of another tenant is nothing here', async () => {
    const session = await signIn();
    expectPage(await send(`${homeUrl(fixture, rooted, 'logout')}?${new URLSearchParams({ id_token_hint: await idToken(session) }).toString()}`, { headers: { Cookie: session.cookie } }), 400);
    expect((await send(homeUrl(fixture, rooted, 'logout'), { headers: { Cookie: `sid-${rooted.id}=${session.secret}` } })).body).not.toContain('name="csrf"');
    expect(await isSignedIn(session)).toBe(true);
  });

  test('LO-01 by POST, as a form of the application\'s page: the same request by GET, with which the cookie comes', async () => {
    const session = await signIn();
    const form = { id_token_hint: await idToken(session), post_logout_redirect_uri: BACK, state: 's' };
    const answer = await post(url(), form, null, { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://app.example' });
    expect(answer.status).toBe(303);
    const location = answer.headers['location'] ?? '';
    expect([location.startsWith('/t/acme/protocol/openid-connect/logout?'), Object.fromEntries(new URLSearchParams(location.split('?')[1]))]).toEqual([true, form]);
    expect(answer.headers['set-cookie']).toBeUndefined();
    expect(await isSignedIn(session)).toBe(true);
    const next = await get(location.split('?')[1] ?? '', session.cookie, { 'Sec-Fetch-Site': 'cross-site' });
    expect([next.status, next.headers['location']]).toEqual([303, `${BACK}&state=s`]);
    expect(await isSignedIn(session)).toBe(false);
  });

  test('LO-01 by POST with the cookie: at once', async () => {
    const session = await signIn();
    const answer = await post(url(), { id_token_hint: await idToken(session), post_logout_redirect_uri: BACK }, null, { Cookie: session.cookie });
    expect([answer.status, answer.headers['location'], await isSignedIn(session)]).toEqual([303, BACK, false]);
  });

  test('LO-02 without an address: a page that says so', async () => {
    const session = await signIn();
    const answer = await get({ id_token_hint: await idToken(session) }, session.cookie);
    expectPage(answer, 200);
    expect([answer.headers['set-cookie'], await isSignedIn(session)]).toEqual([`sid-${acme.id}=; ${COOKIE_GONE}`, false]);
  });

  test('LO-02, UI-11 HEAD does nothing', async () => {
    const session = await signIn();
    const answer = await send(`${url()}?${new URLSearchParams({ id_token_hint: await idToken(session) }).toString()}`, { method: 'HEAD', headers: { Cookie: session.cookie } });
    expect([answer.status, answer.headers['set-cookie'], await isSignedIn(session)]).toEqual([200, undefined, true]);
  });

  test.each<readonly [string, Readonly<Record<string, string>>]>([
    ['LO-03 not registered', { post_logout_redirect_uri: 'https://evil.example/' }], ['LO-03 with more in its query', { post_logout_redirect_uri: `${BACK}&y=2` }],
    ['LO-03 in another case', { post_logout_redirect_uri: 'https://APP.example/' }], ['LO-03 one that is registered for signing in', { post_logout_redirect_uri: 'https://app.example/cb' }],
    ['LO-03 one of another client', { post_logout_redirect_uri: 'https://quiet.example/' }], ['LO-06 client_id is not whom the hint was made for', { client_id: 'quiet' }],
    ['LO-06 an unknown client_id', { client_id: 'ghost' }],
  ])('%s: a page, and nothing ends', async (_what, more) => {
    const session = await signIn();
    const before = storedState(fixture);
    const answer = await get({ id_token_hint: await idToken(session), state: 'reflected-nowhere', ...more }, session.cookie);
    expectPage(answer, 400);
    expect([answer.body.includes('reflected-nowhere'), answer.headers['set-cookie'], storedState(fixture)]).toEqual([false, undefined, before]);
  });

  test('LO-05 a hint that was tampered with, of another issuer, unsigned, or no ID token: a page, and nothing ends', async () => {
    const session = await signIn();
    const good = await idToken(session);
    const [head = '', , signature = ''] = good.split('.');
    const { access } = await issuePair(fixture, acme, 'app', 'alice');
    const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const { claims } = decodeJwt(good);
    const hints = [
      `${head}.${encode({ ...claims, sub: bob.id })}.${signature}`, await idToken(session, { iss: 'https://elsewhere.example' }), access, 'x',
      `${encode({ alg: 'none', typ: 'JWT' })}.${encode(claims)}.`,
    ];
    const before = storedState(fixture);
    for (const hint of hints) {
      const answer = await get({ id_token_hint: hint, post_logout_redirect_uri: BACK }, session.cookie);
      expectPage(answer, 400);
      expect(answer.headers['set-cookie']).toBeUndefined();
    }
    expect(storedState(fixture)).toBe(before);
  });

  test.each(['id_token_hint', 'client_id', 'post_logout_redirect_uri', 'state', 'ui_locales'])('a repeated %s: a page', async (name) => {
    expectPage(await get(`${name}=a&${name}=a`), 400);
    expectPage(await post(url(), `${name}=a&${name}=a`), 400);
  });

  test('parameters in body and URL at once, broken escapes, too much: a page', async () => {
    expectPage(await post(`${url()}?state=x`, { state: 'y' }), 400);
    expectPage(await get('state=%zz'), 400);
    expectPage(await get({ id_token_hint: 'x'.repeat(13_000) }), 400);
    expectPage(await send(url(), { method: 'POST', body: '{}', headers: { 'Content-Type': 'application/json' } }), 400);
  });

  test('UI-19 other methods are refused with a page; a tenant that nobody may know of too', async () => {
    expectPage(await send(url(), { method: 'DELETE' }), 405);
    expectPage(await send(url().replace('/t/acme/', '/t/nobody/'), {}), 404);
  });
});

describe('RP-Initiated Logout §2, §6 · the person is asked', () => {
  test('LO-07 without a hint: nothing ends before they say so, and then it does', async () => {
    const session = await signIn();
    const before = storedState(fixture);
    const page = await get({ state: 'reflected-nowhere' }, session.cookie);
    expectPage(page, 200);
    expect([page.body.includes('The alice'), page.body.includes('alice@example.com'), storedState(fixture)]).toEqual([true, true, before]);
    const done = await confirm(page, session.cookie, { headers: { 'Sec-Fetch-Site': 'same-origin' } });
    expectPage(done, 200);
    expect([done.headers['set-cookie'], await isSignedIn(session)]).toEqual([`sid-${acme.id}=; ${COOKIE_GONE}`, false]);
    expect((await auditOf(fixture, acme, 'session_ended'))[0]).toMatchObject({ actor: alice.id, subject: alice.id, clientId: null, reason: 'signed_out', outcome: 'success' });
  });

  test('LO-04 an address without a hint leads somewhere only with client_id, and after they said so', async () => {
    const session = await signIn();
    const page = await get({ client_id: 'app', post_logout_redirect_uri: BACK, state: 's' }, session.cookie);
    expectPage(page, 200);
    expect(page.headers['content-security-policy']).toContain(`form-action 'self' https://app.example;`);
    expect(await isSignedIn(session)).toBe(true);
    const done = await confirm(page, session.cookie);
    expect([done.status, done.headers['location'], await isSignedIn(session)]).toEqual([303, `${BACK}&state=s`, false]);
  });

  test('LO-04 an address alone leads nowhere', async () => {
    const session = await signIn();
    const page = await get({ post_logout_redirect_uri: BACK }, session.cookie);
    expectPage(page, 200);
    expect(page.headers['content-security-policy']).toContain(`form-action 'self';`);
    expectPage(await confirm(page, session.cookie), 200);
    expect(await isSignedIn(session)).toBe(false);
  });

  test('LO-04, LO-09 nobody is signed in, and no hint: a link, not a redirect', async () => {
    const answer = await get({ client_id: 'app', post_logout_redirect_uri: BACK, state: 's' });
    expectPage(answer, 200);
    expect(answer.body).toContain(`href="${BACK.replaceAll('&', '&amp;')}&amp;state=s"`);
  });

  test('LO-08 a hint of another user: this browser\'s session is theirs to end, the other\'s stays', async () => {
    const [own, others] = [await signIn(alice), await signIn(bob)];
    const page = await get({ id_token_hint: await idToken(others), post_logout_redirect_uri: BACK }, own.cookie);
    expectPage(page, 200);
    expect([page.headers['set-cookie'], page.body.includes('The alice'), await isSignedIn(own), await isSignedIn(others)]).toEqual([undefined, true, true, true]);
    const done = await confirm(page, own.cookie);
    expect([done.status, done.headers['location'], await isSignedIn(own), await isSignedIn(others)]).toEqual([303, BACK, false, true]);
  });

  test('LO-02, UI-11 a hint of another session of the same user is no proof for this one', async () => {
    const [own, other] = [await signIn(), await signIn()];
    expectPage(await get({ id_token_hint: await idToken(other) }, own.cookie), 200);
    expect([await isSignedIn(own), await isSignedIn(other)]).toEqual([true, true]);
  });

  test.each<readonly [string, (session: SignedIn, other: SignedIn, page: Answer) => Parameters<typeof confirm>[2]]>([
    ['no token', () => ({ csrf: '' })], ['a wrong token', () => ({ csrf: 'A'.repeat(43) })],
    ['a token of another session', (_session, other) => ({ csrf: csrfToken(other.secret, 'logout client_id=app') })],
    ['a token of another form', (session) => ({ csrf: csrfToken(session.secret, 'sign-in') })],
    ['another request than was confirmed', (_session, _other, page) => ({ action: formOf(page).action.replace('client_id=app', 'client_id=quiet') })],
    ['a foreign page', () => ({ headers: { 'Sec-Fetch-Site': 'cross-site' } })], ['a page of a sibling', () => ({ headers: { 'Sec-Fetch-Site': 'same-site' } })],
    ['a foreign origin', () => ({ headers: { Origin: 'https://evil.example' } })],
  ])('UI-09 a confirmation with %s: 403, and nothing ends', async (_what, change) => {
    const [session, other] = [await signIn(), await signIn()];
    const page = await get({ client_id: 'app' }, session.cookie);
    const before = storedState(fixture);
    expectPage(await confirm(page, session.cookie, change(session, other, page)), 403);
    expect(storedState(fixture)).toBe(before);
  });

  test('LO-09 a confirmation that is sent twice does no harm', async () => {
    const session = await signIn();
    const page = await get('', session.cookie);
    const before = (await auditOf(fixture, acme, 'session_ended')).length;
    expectPage(await confirm(page, session.cookie), 200);
    expectPage(await confirm(page, session.cookie), 200);
    expect((await auditOf(fixture, acme, 'session_ended')).length).toBe(before + 1);
  });

  test('the page speaks the language that was asked for', async () => {
    const session = await signIn();
    expect((await get({ ui_locales: 'xx de' }, session.cookie)).headers['content-language']).toBe('de');
  });
});

describe('what ends with a session', () => {
  test('LO-09 a hint and no session: the normal result', async () => {
    const session = await signIn();
    const query = { id_token_hint: await idToken(session), post_logout_redirect_uri: BACK, state: 's' };
    await get(query, session.cookie);
    for (const cookie of [null, session.cookie, `sid-${acme.id}=${'A'.repeat(43)}`, `sid-${acme.id}=x`]) {
      const answer = await get(query, cookie);
      expect([answer.status, answer.headers['location']]).toEqual([303, `${BACK}&state=s`]);
    }
  });

  test('LO-10 the old cookie signs nobody in', async () => {
    const session = await signIn();
    expect(await isSignedIn(session)).toBe(true);
    await get({ id_token_hint: await idToken(session) }, session.cookie);
    expect(await isSignedIn(session)).toBe(false);
    expect((await fixture.application.ctx.store.findBrowserSession(acme.id, digestOf(session.secret)))?.endedAtMs).toBeNumber();
  });

  test('LO-11, LO-12, LO-17 applications are told with a token of their own, and what is not offline falls', async () => {
    const session = await signIn();
    const bound = await issuePair(fixture, acme, 'app', 'alice', { session: session.id, scopes: ['openid'] });
    const offline = await issuePair(fixture, acme, 'app', 'alice', { session: session.id, scopes: ['openid', 'offline_access'] });
    await get({ id_token_hint: await idToken(session) }, session.cookie);
    await until('the application hears of it', () => receiver.calls.length > 0, 3_000);
    expect(receiver.calls.map(({ method, url: path, headers }) => [method, path, headers['content-type']])).toEqual([['POST', '/backchannel', 'application/x-www-form-urlencoded']]);
    const { header, claims } = decodeJwt(new URLSearchParams(receiver.calls[0]?.body).get('logout_token') ?? '');
    expect(header).toMatchObject({ alg: 'ES256', typ: 'logout+jwt' });
    expect(claims).toEqual({
      iss: issuer(fixture, acme), aud: 'app', iat: expect.any(Number), exp: Number(claims['iat']) + 120, jti: expect.any(String), sub: alice.id, sid: session.id,
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
    });
    expect(JSON.stringify(await introspect(fixture, acme, app, bound.refresh))).toBe(INACTIVE.body);
    expect(JSON.stringify(await introspect(fixture, acme, app, bound.access))).toBe(INACTIVE.body);
    expect(await introspect(fixture, acme, app, offline.refresh)).toMatchObject({ active: true });
    await until('it is recorded', async () => (await auditOf(fixture, acme, 'logout_delivered')).length > 0);
  });

  test('LO-16 an account that is disabled: applications are told of each of its sessions', async () => {
    const dora = await makeUser(fixture, acme, 'dora');
    const sessions = [await signIn(dora), await signIn(dora)];
    for (const { id } of sessions) await issuePair(fixture, acme, 'app', 'dora', { session: id });
    must(await setUserEnabled(fixture.application.ctx, acme, dora.id, false));
    await until('the application hears of both', () => receiver.calls.length === 2, 3_000);
    const told = receiver.calls.map(({ body }) => decodeJwt(new URLSearchParams(body).get('logout_token') ?? '').claims);
    expect(told.map(({ sub, sid }) => `${String(sub)} ${String(sid)}`).sort()).toEqual(sessions.map(({ id }) => `${dora.id} ${id}`).sort());
  });

  test('LO-13 an application that hangs keeps nobody waiting', async () => {
    receiver.answer = 'hang';
    const session = await signIn();
    await issuePair(fixture, acme, 'app', 'alice', { session: session.id });
    const before = performance.now();
    expect((await get({ id_token_hint: await idToken(session) }, session.cookie)).status).toBe(200);
    expect(performance.now() - before).toBeLessThan(1_000);
    await until('it is called', () => receiver.calls.length > 0, 3_000);
    await until('it is given time, and noted', () => fixture.server.logs().includes('"why":"timeout"'), 8_000);
  }, 15_000);
});

test('LO-13 a server that is killed between the commit and the delivery loses none', async () => {
  receiver.answer = 'hang';
  const beside = await startServer({ env: { ASSAY_LOOPBACK_TARGETS: 'allow' } });
  const application = await openData(beside.data);
  const own: Fixture = { server: beside, application, close: () => Promise.resolve() };
  const tenant = await makeTenant(own, 'crash', { preset: 'kotauth' });
  await makeUser(own, tenant, 'carol');
  await makeClient(own, tenant, 'app', { grants: ['refresh_token'], scopes: ['openid'], backchannelLogoutUri: `http://127.0.0.1:${receiver.port}/crash` });
  await issuePair(own, tenant, 'app', 'carol', { session: 'ses_crash' });
  await application.ctx.store.endSession({ tenantId: tenant.id, sessionId: 'ses_crash', atMs: Date.now() }, () => []);
  const seen = (): number => receiver.calls.filter(({ url: path }) => path === '/crash').length;
  await until('the first attempt is under way', () => seen() > 0, 3_000);
  await beside.kill();
  receiver.answer = 200;
  const again = await startServer({ data: beside.data, env: { ASSAY_LOOPBACK_TARGETS: 'allow' } });
  await until('the next start delivers it', () => seen() > 1, 14_000);
  await until('it is recorded', async () => (await auditOf(own, tenant, 'logout_delivered')).length === 1);
  await application.close();
  expect(await again.stop()).toBe(0);
  removeFolder(beside.data);
}, 30_000);
