/** The pages on which people sign in: whose they are, what they may do, and what cannot be done to them. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Tenant, User } from '../../src/core/model.ts';
import { updateTenant } from '../../src/service/manage-tenants.ts';
import { setUserEnabled } from '../../src/service/manage-users.ts';
import { digestOf } from '../../src/tokens/digest.ts';
import { answerOf, authorizeUrl, codeOf, decide, expectErrorPage, expectPage, makeApp, makePerson, PASSWORD, redeem, redirectHeaders, signedIn, signIn, someone, tokensOf, withSession, type App, type Asked } from '../helpers/flow.ts';
import { decodeJwt, errorFault, INACTIVE, homeUrl, makeClient, makeTenant, makeUser, must, post, send, startFixture, storedState, type Answer, type Credentials, type Fixture } from '../helpers/fixture.ts';
import type { Person, PersonPage } from '../helpers/person.ts';

let fixture: Fixture;
let acme: Tenant;
let other: Tenant;
let alice: User;
let bob: User;
let first: App;
let third: App;
let watcher: Credentials;

beforeAll(async () => {
  fixture = await startFixture();
  [acme, other] = [await makeTenant(fixture, 'acme', { preset: 'kotauth' }), await makeTenant(fixture, 'other', { preset: 'kotauth' })];
  must(await updateTenant(fixture.application.ctx, 'acme', { people: { registration: true } }));
  [alice, bob] = [await makePerson(fixture, acme, 'alice'), await makePerson(fixture, acme, 'bob')];
  await makePerson(fixture, other, 'alice');
  [first, third] = [await makeApp(fixture, acme, 'first', { firstParty: true }), await makeApp(fixture, acme, 'third')];
  await makeApp(fixture, other, 'first', { firstParty: true });
  watcher = await makeClient(fixture, acme, 'watcher', { introspect: 'tenant' });
});
afterAll(() => fixture.close());

const ask = (person: Person, change: Asked = {}, app = first): Promise<PersonPage> => person.open(authorizeUrl(fixture, acme, app, change));
const steps = (page: PersonPage): readonly string[] => page.forms.flatMap(({ fields }) => fields['step'] ?? []);
const isSignIn = (page: PersonPage): boolean => page.status === 200 && steps(page).includes('password');
const cookieOf = (person: Person): string => [...(person.cookies.get('127.0.0.1') ?? [])].map(([name, value]) => `${name}=${value}`).join('; ');
const idOf = (page: PersonPage): string => /\/sign-in\/([^/?]+)/.exec(page.url)?.[1] ?? '';

/** A GET with a person's cookies, whole. */
const get = (person: Person, path: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> =>
  send(new URL(path, fixture.server.url).href, { headers: { Cookie: cookieOf(person), ...headers } });

describe('a pending request', () => {
  test('AZ-45 belongs to one browser: elsewhere its page and its forms are nothing, and it goes on unharmed', async () => {
    const person = someone(fixture);
    const page = await ask(person);
    const { csrf = '' } = person.form({ step: 'password' }).fields;
    const thief = someone(fixture);
    expectErrorPage(await get(thief, page.url), 400, 'other_browser');
    await ask(thief);
    expectErrorPage(await get(thief, page.url), 400, 'other_browser');
    const before = storedState(fixture);
    for (const token of [csrf, thief.form({ step: 'password' }).fields['csrf'] ?? '']) {
      const stolen = await thief.post(page.url, { csrf: token, step: 'password', username: 'alice', password: PASSWORD });
      expect([stolen.status, stolen.location]).toEqual([403, null]);
    }
    expect(storedState(fixture)).toBe(before);
    expect(thief.cookie('sid')).toBeUndefined();
    codeOf(await signIn(person, 'alice'));
  });

  test('AZ-45 … also once somebody is signed in there: their session does not finish another browser\'s request', async () => {
    const person = someone(fixture);
    const page = await ask(person);
    const { person: thief } = await withSession(fixture, acme, alice);
    await ask(thief, {}, third);
    expectErrorPage(await get(thief, page.url), 400, 'other_browser');
  });

  test('MTN-05, AZ-45 of a tenant is unknown at another, with its cookies under both names', async () => {
    const person = someone(fixture);
    const page = await ask(person);
    const { csrf = '' } = person.form({ step: 'password' }).fields;
    const secret = person.cookie('bid') ?? '';
    person.cookies.get('127.0.0.1')?.set(`bid-${other.id}`, secret);
    const before = storedState(fixture);
    expectErrorPage(await get(person, `/t/other/sign-in/${idOf(page)}`), 400, 'request_expired');
    const posted = await person.post(`/t/other/sign-in/${idOf(page)}`, { csrf, step: 'password', username: 'alice', password: PASSWORD });
    expect([posted.status, posted.location, person.cookie('sid')]).toEqual([400, null, undefined]);
    expect(storedState(fixture)).toBe(before);
    expect(isSignIn(await person.open(page.url))).toBe(true);
  });

  test.each(['x', 'A'.repeat(32), `${'A'.repeat(32)}x`])('AZ-45, UI-19 one that there is not: %s → a page', async (id) => {
    expectErrorPage(await get(someone(fixture), `/t/acme/sign-in/${id}`), 400, 'request_expired');
  });
  test.each([`${'A'.repeat(31)}%00`, '..%2f..%2faccount', '%ff'])('AZ-45 a path that is none: %s → 404', async (id) => {
    expect(await get(someone(fixture), `/t/acme/sign-in/${id}`)).toMatchObject({ status: 404, headers: { 'cache-control': 'no-store' } });
  });

  test('AZ-48 two tabs with different requests: each keeps its state, application and answer', async () => {
    const person = someone(fixture);
    const one = await ask(person, { state: 'one' });
    const two = await ask(person, { state: 'two', scope: 'openid email' }, third);
    expect(idOf(one)).not.toBe(idOf(two));
    await person.open(one.url);
    const done = await signIn(person, 'alice');
    expect([answerOf(done.location).to, answerOf(done.location).members.find(([name]) => name === 'state')?.[1]]).toEqual([first.uri, 'one']);
    const asks = await person.open(two.url);
    expect(steps(asks)).toContain('consent');
    expect(asks.text).toContain('See your e-mail address');
    const allowed = await decide(person, 'allow');
    expect([answerOf(allowed.location).to, answerOf(allowed.location).members.find(([name]) => name === 'state')?.[1]]).toEqual([third.uri, 'two']);
    expect(tokensOf(await redeem(fixture, acme, first, codeOf(done))).scope).toBe('openid');
    expect(tokensOf(await redeem(fixture, acme, third, codeOf(allowed))).scope).toBe('openid email');
  });

  test('AZ-48, UI-09 a form of one tab is no form of the other', async () => {
    const { person } = await withSession(fixture, acme, await makePerson(fixture, acme, 'tabitha'));
    const one = await ask(person, { state: 'one' }, third);
    const { csrf = '' } = person.form({ step: 'consent' }).fields;
    const two = await ask(person, { state: 'two', scope: 'openid email' }, third);
    const before = storedState(fixture);
    expect((await person.post(two.url, { csrf, step: 'consent', decision: 'allow' })).status).toBe(403);
    expect(storedState(fixture)).toBe(before);
    await person.open(one.url);
    codeOf(await decide(person, 'allow'));
  });

  test('AZ-48 two tabs, one signs in: the other goes on without asking', async () => {
    const person = someone(fixture);
    const one = await ask(person, { state: 'one' });
    await ask(person, { state: 'two' });
    codeOf(await signIn(person, 'alice'));
    expect(codeOf(await person.open(one.url))).toBeString();
  });

  test('AZ-48, AZ-31 one form sent 20 times at once: one code, and one session', async () => {
    const dave = await makePerson(fixture, acme, 'dave');
    const person = someone(fixture);
    await ask(person, {}, third);
    const sendAll = async (fields: Readonly<Record<string, string>>): Promise<readonly Answer[]> => {
      const [url, cookie] = [person.page.url, cookieOf(person)];
      return Promise.all(Array.from({ length: 20 }, () => post(url, fields, null, { Cookie: cookie })));
    };
    const signed = await sendAll({ ...person.form({ step: 'password' }).fields, username: 'dave', password: PASSWORD });
    const sessions = signed.flatMap(({ headers }) => (headers['set-cookie'] ?? '').match(/(?<=sid-[^=]*=)[A-Za-z0-9_-]{43}/) ?? []);
    expect([sessions.length, signed.every(({ status }) => status === 303)]).toEqual([1, true]);
    expect(await fixture.application.ctx.store.listBrowserSessions(acme.id, dave.id, Date.now())).toHaveLength(1);

    person.cookies.get('127.0.0.1')?.set(`sid-${acme.id}`, sessions[0] ?? '');
    await person.open(person.page.url);
    const allowed = await sendAll({ ...person.form({ step: 'consent' }).fields, decision: 'allow' });
    const codes = allowed.flatMap(({ headers }) => (headers['location']?.startsWith(third.uri) === true ? answerOf(headers['location']).members.flatMap(([name, value]) => (name === 'code' ? [value] : [])) : []));
    expect(codes).toHaveLength(1);
    expect(allowed.every(({ status }) => status === 303 || status === 400)).toBe(true);
    tokensOf(await redeem(fixture, acme, third, codes[0] ?? ''));
  });

  test('UI-06 a session cookie that was planted before is not taken over', async () => {
    const person = someone(fixture);
    const planted = 'P'.repeat(43);
    person.cookies.set('127.0.0.1', new Map([[`sid-${acme.id}`, planted]]));
    await ask(person);
    codeOf(await signIn(person, 'alice'));
    expect(person.cookie('sid')).not.toBe(planted);
    const thief = someone(fixture);
    thief.cookies.set('127.0.0.1', new Map([[`sid-${acme.id}`, planted]]));
    expect(answerOf((await ask(thief, { prompt: 'none' })).location).members[0]).toEqual(['error', 'login_required']);
  });

  test('UI-21 somebody else signs in meanwhile: what waited for the first is void, also its consent', async () => {
    const { person, secret } = await withSession(fixture, acme, alice);
    const page = await ask(person, { scope: 'openid email a' }, third);
    const { csrf = '' } = person.form({ step: 'consent' }).fields;
    const next = await ask(person, { prompt: 'login' });
    codeOf(await person.post(next.url, { ...person.form({ step: 'password' }).fields, username: 'bob', password: PASSWORD }));
    expect((await fixture.application.ctx.store.findBrowserSession(acme.id, digestOf(secret)))?.endedAtMs).toBeNumber();
    const before = storedState(fixture);
    const allowed = await person.post(page.url, { csrf, step: 'consent', decision: 'allow' });
    expect(allowed.location).toBeNull();
    expectErrorPage(await get(person, page.url), 400, 'signed_in_elsewhere');
    expect(storedState(fixture)).toBe(before);
    expect(await fixture.application.ctx.store.findConsents(acme.id, bob.id, third.id)).toEqual([]);
  });

  test('AZ-25 every answer to a form is a redirect with 303, the code\'s too', async () => {
    const person = someone(fixture);
    await ask(person, {}, third);
    const fields = { ...person.form({ step: 'password' }).fields, username: 'bob', password: PASSWORD };
    const answer = await post(person.page.url, fields, null, { Cookie: cookieOf(person) });
    const { location, 'set-cookie': cookie = '', ...headers } = answer.headers;
    expect({ status: answer.status, headers, body: answer.body }).toEqual({ status: 303, headers: redirectHeaders, body: '' });
    expect(location).toBe(new URL(person.page.url).pathname);
    expect(cookie).toMatch(new RegExp(`^sid-${acme.id}=[A-Za-z0-9_-]{43}; Path=/; HttpOnly; SameSite=Lax; Max-Age=604800$`));
  });
});

describe('UI-03, UI-04, UI-05 · cookies over plain http, which is for loopback only', () => {
  test('UI-03, UI-04, UI-05 their names carry the tenant; HttpOnly, SameSite=Lax, Path=/, no Domain; of one tenant nothing at another', async () => {
    const { person } = await signedIn(fixture, acme, first, 'alice');
    expect([...(person.cookies.get('127.0.0.1') ?? new Map<string, string>()).keys()]).toEqual([`bid-${acme.id}`, `sid-${acme.id}`]);
    const secret = person.cookie('sid') ?? '';
    person.cookies.get('127.0.0.1')?.set(`sid-${other.id}`, secret);
    const page = await person.open(authorizeUrl(fixture, other, first, { prompt: 'none' }));
    expect(answerOf(page.location).members[0]).toEqual(['error', 'login_required']);
    expect((await person.open('/t/other/account')).url).toContain('/t/other/sign-in/');
  });
});

describe('UI-09, UI-10, UI-11 · what other pages cannot do', () => {
  const forged: readonly (readonly [name: string, headers: Readonly<Record<string, string | null>>])[] = [
    ['cross-site', { 'Sec-Fetch-Site': 'cross-site' }], ['same-site', { 'Sec-Fetch-Site': 'same-site' }], ['cross-site, with our Origin', { 'Sec-Fetch-Site': 'cross-site', 'Origin': null }], ['a foreign Origin', { 'Sec-Fetch-Site': null, 'Origin': 'https://evil.example' }],
    ['Origin null', { 'Sec-Fetch-Site': null, 'Origin': 'null' }], ['our host on another port', { 'Sec-Fetch-Site': null, 'Origin': 'http://127.0.0.1:1' }], ['our Origin by another scheme', { 'Sec-Fetch-Site': null, 'Origin': 'https://127.0.0.1' }],
    ['nonsense', { 'Sec-Fetch-Site': 'x' }],
  ];
  for (const [name, headers] of forged) {
    test(`UI-09 ${name} → 403, no effect: signing in, consent, account, with the right token`, async () => {
      const person = someone(fixture);
      await ask(person);
      const before = storedState(fixture);
      expect((await person.submit({ username: 'alice', password: PASSWORD }, { form: { step: 'password' }, headers })).status).toBe(403);
      expect([storedState(fixture) === before, person.cookie('sid')]).toEqual([true, undefined]);
      const { person: known } = await withSession(fixture, acme, alice);
      await ask(known, { prompt: 'consent' });
      const asked = storedState(fixture);
      expect((await known.submit({ decision: 'allow' }, { form: { step: 'consent' }, headers })).status).toBe(403);
      expect(storedState(fixture)).toBe(asked);
      await known.open('/t/acme/account');
      for (const form of known.page.forms.keys()) {
        await known.open('/t/acme/account');
        expect((await known.submit({ name: 'Mallory' }, { form, headers })).status).toBe(403);
      }
      expect(storedState(fixture)).toBe(asked);
    });
  }

  const own: readonly (readonly [name: string, headers: Readonly<Record<string, string | null>>])[] = [
    ['same-origin', {}], ['by hand', { 'Sec-Fetch-Site': 'none', 'Origin': null }], ['an older browser: Origin alone', { 'Sec-Fetch-Site': null }], ['no browser: neither', { 'Sec-Fetch-Site': null, 'Origin': null }],
  ];
  test.each(own.map((row) => [...row] as const))('UI-09 %s → taken', async (_name, headers) => {
    const person = someone(fixture);
    await ask(person);
    codeOf(await person.submit({ username: 'alice', password: PASSWORD }, { form: { step: 'password' }, headers }));
  });

  test('UI-09, UI-10 token missing, wrong, of another request, of another browser → 403, no effect; also without the cookie', async () => {
    const [person, foreign] = [someone(fixture), someone(fixture)];
    await ask(foreign);
    await ask(person);
    const another = person.form({ step: 'password' }).fields['csrf'] ?? '';
    const page = await ask(person);
    const right = person.form({ step: 'password' }).fields['csrf'] ?? '';
    const before = storedState(fixture);
    const fields = { step: 'password', username: 'alice', password: PASSWORD };
    for (const csrf of ['', 'x', 'A'.repeat(43), another, foreign.form({ step: 'password' }).fields['csrf'] ?? '', `${right}x`, right.slice(1), right.toUpperCase()]) {
      const answer = await post(page.url, { ...fields, csrf }, null, { Cookie: cookieOf(person) });
      expectErrorPage(answer, 403, 'forbidden');
      expect(answer.headers['set-cookie']).toBeUndefined();
    }
    expectErrorPage(await post(page.url, fields, null, { Cookie: cookieOf(person) }), 403, 'forbidden');
    expectErrorPage(await post(page.url, { ...fields, csrf: right }), 403, 'forbidden');
    expectErrorPage(await post(page.url, { ...fields, csrf: right }, null, { Cookie: `${cookieOf(person)}; bid-${acme.id}=${'A'.repeat(43)}` }), 403, 'forbidden');
    expect(storedState(fixture)).toBe(before);
    await person.open(page.url);
    codeOf(await signIn(person, 'alice'));
  });

  test('UI-09 the account page\'s token is the session\'s own', async () => {
    const [{ person }, { person: foreign }] = [await withSession(fixture, acme, alice), await withSession(fixture, acme, bob)];
    await foreign.open('/t/acme/account');
    await person.open('/t/acme/account');
    const before = storedState(fixture);
    const { fields } = person.form(0);
    for (const csrf of ['', 'x', foreign.form(0).fields['csrf'] ?? '']) {
      const answer = await post(`${fixture.server.url}/t/acme/account`, { ...fields, csrf, name: 'Mallory' }, null, { Cookie: cookieOf(person) });
      expectErrorPage(answer, 403, 'forbidden');
    }
    expect(storedState(fixture)).toBe(before);
  });

  test('UI-11 GET and HEAD change nothing, whatever their query says', async () => {
    const { person } = await withSession(fixture, acme, await makePerson(fixture, acme, 'gretel'));
    const page = await ask(person, {}, third);
    const { csrf = '' } = person.form({ step: 'consent' }).fields;
    await person.open('/t/acme/account');
    const account = person.form(0).fields['csrf'] ?? '';
    const before = storedState(fixture);
    const allow = new URLSearchParams({ csrf, step: 'consent', decision: 'allow' }).toString();
    const paths = [
      `${new URL(page.url).pathname}?${allow}`, ...['sign_out', 'end_sessions', 'delete_account', 'profile'].map((act) => `/t/acme/account?${new URLSearchParams({ csrf: account, act, name: 'Mallory' }).toString()}`),
      '/t/acme/account/security', '/t/acme/account/sessions', '/t/acme/account/applications', '/t/acme/account/data', '/t/acme/protocol/openid-connect/logout', '/t/acme/protocol/openid-connect/logout?step=logout',
    ];
    for (const path of paths) {
      expect([path, (await get(person, path)).status]).toEqual([path, 200]);
      expect((await send(new URL(path, fixture.server.url).href, { method: 'HEAD', headers: { Cookie: cookieOf(person) } })).status).toBe(200);
      expect(storedState(fixture)).toBe(before);
    }
  });
});

describe('what nobody learns', () => {
  test('UI-12 unknown, wrong, disabled, without a password, of another tenant: the same page and status', async () => {
    await makePerson(fixture, acme, 'dora');
    must(await setUserEnabled(fixture.application.ctx, acme, 'dora', false));
    await makeUser(fixture, acme, 'emptyhanded');
    await makePerson(fixture, other, 'elsewhere');
    const seen = new Set<string>();
    for (const [username, password] of [['alice', 'wrong'], ['nobody', PASSWORD], ['dora', PASSWORD], ['emptyhanded', PASSWORD], ['elsewhere', PASSWORD], ['nobody@example.com', 'x'], ['<b>x', 'x']] as const) {
      const person = someone(fixture);
      await ask(person);
      const page = await signIn(person, username, password);
      expect([page.status, page.location, person.cookie('sid'), page.text.includes('That does not match.')]).toEqual([400, null, undefined, true]);
      const plain = page.html.replaceAll(username.replaceAll('<', '&lt;'), 'NAME').replaceAll(/name="csrf" value="[^"]*"|\/sign-in\/[^"]*/g, '');
      seen.add(`${plain} ${JSON.stringify([...page.headers].filter(([name]) => !['date', 'x-request-id', 'content-length'].includes(name)))}`);
    }
    expect(seen.size).toBe(1);
  });

  test('UI-12, UI-18 a password is never on a page, nor what was typed as one', async () => {
    const person = someone(fixture);
    await ask(person);
    const page = await signIn(person, 'alice', 'very-wrong-password-7');
    expect(page.html).not.toContain('very-wrong-password-7');
  });

  test('INT-81 code, cookies, and the id of a pending request are no tokens', async () => {
    const { person, code } = await signedIn(fixture, acme, first, 'alice');
    const page = await ask(person, { prompt: 'login' });
    for (const token of [code, person.cookie('sid') ?? '', person.cookie('bid') ?? '', idOf(page), person.page.forms[0]?.fields['csrf'] ?? '']) {
      expect(await post(homeUrl(fixture, acme, 'introspect'), { token }, watcher)).toEqual(INACTIVE);
      expect((await post(homeUrl(fixture, acme, 'revoke'), { token }, watcher)).status).toBe(200);
    }
    expect(tokensOf(await redeem(fixture, acme, first, code)).id).not.toBe('');
    expect(codeOf(await ask(person, { prompt: 'none' }))).toBeString();
  });

  test('MTN-05 nothing of one tenant works at another: code, refresh token, session, ID token', async () => {
    const { person, code } = await signedIn(fixture, acme, first, 'alice');
    const theirs = await makeApp(fixture, other, 'theirs', { firstParty: true, redirectUris: [first.uri] });
    const before = storedState(fixture);
    expect(errorFault(await redeem(fixture, other, theirs, code), 400, 'invalid_grant')).toBeNull();
    expect(storedState(fixture)).toBe(before);
    const tokens = tokensOf(await redeem(fixture, acme, first, code));
    const answer = await post(homeUrl(fixture, other, 'token'), { grant_type: 'refresh_token', refresh_token: tokens.refresh }, { id: theirs.id, secret: theirs.secret ?? '' });
    expect(errorFault(answer, 400, 'invalid_grant')).toBeNull();
    expect((await send(homeUrl(fixture, other, 'userinfo'), { headers: { Authorization: `Bearer ${tokens.access}` } })).status).toBe(401);
    const hinted = await person.open(authorizeUrl(fixture, other, theirs, { id_token_hint: tokens.id }));
    expect(answerOf(hinted.location).members[0]).toEqual(['error', 'invalid_request']);
    expect(decodeJwt(tokens.id).claims['sub']).toBe(alice.id);
  });
});

describe('UI-17 · where people end up', () => {
  test.each(['return_to', 'next', 'redirect', 'continue', 'url', 'section', 'client'])('UI-17 ?%s= leads nowhere', async (name) => {
    for (const value of ['//evil.example', '/\\evil.example', 'https:evil.example', 'https://evil.example/']) {
      const person = someone(fixture);
      await person.open(`/t/acme/account?${name}=${encodeURIComponent(value)}`);
      expect(person.page.html).not.toContain('evil.example');
      const page = await signIn(person, 'alice');
      expect([page.status, page.url, page.location]).toEqual([200, `${fixture.server.url}/t/acme/account`, null]);
    }
  });

  test.each(['/t/acme/account//evil.example', '/t/acme/account/%2f%2fevil.example', '/t/acme/account/https:evil.example', '/t/acme/account/\\evil.example', '/t/acme/sign-in//evil.example', '//evil.example/t/acme/account'])('UI-17, UI-19 %s → no redirect', async (path) => {
    const answer = await send(`${fixture.server.url}${path}`, {});
    expect([answer.status >= 400, answer.headers['location']]).toEqual([true, undefined]);
  });
});

describe('UI-01, UI-02, UI-18, UI-19, AZ-49 · every page', () => {
  /** Absolute addresses that a page would load or lead to. */
  const outside = (html: string): readonly string[] => [...html.matchAll(/(?:src|href|action|srcset|poster|data)="([^"]*)"|url\(([^)]*)\)/g)].map(([, one, two]) => one ?? two ?? '').filter((url) => !/^(?:\/(?!\/)|data:image\/|#|$)/.test(url));

  test('UI-01, UI-02, AZ-49, LO-18 signing in and all its views, consent, chooser, account, logout, errors: every header, nothing from elsewhere', async () => {
    await makePerson(fixture, acme, 'paula');
    const person = someone(fixture);
    const page = await ask(person, { login_hint: 'paula' }, third);
    const { pathname } = new URL(page.url);
    const answers: [string, Answer][] = [];
    for (const path of [pathname, `${pathname}/register`, `${pathname}/forgot`]) answers.push([path, await get(person, path)]);
    await signIn(person, 'paula');
    answers.push(['consent', await get(person, pathname)]);
    const chooser = await ask(person, { prompt: 'select_account' }, third);
    answers.push(['chooser', await get(person, chooser.url)]);
    for (const [path, answer] of answers) {
      expect([path, answer.status, outside(answer.body)]).toEqual([path, 200, []]);
      expectPage(answer, 200, '\'self\' https://third.example');
      expect(answer.body).not.toContain('<script');
      expect(answer.body).not.toMatch(/ on[a-z]+="| style="/);
    }
    for (const path of ['', '/security', '/sessions', '/applications', '/data']) {
      const answer = await get(person, `/t/acme/account${path}`);
      expectPage(answer, 200);
      expect(outside(answer.body)).toEqual([]);
    }
    const logout = await get(person, '/t/acme/protocol/openid-connect/logout?state=told-to-nobody');
    expectPage(logout, 200);
    expect(logout.body.replaceAll(/ action="[^"]*"/g, '')).not.toContain('told-to-nobody');
    expectPage(await get(someone(fixture), '/t/acme/protocol/openid-connect/logout?client_id=nobody'), 400);
  });

  test('UI-01, UI-09 a form that is shown again, and one refused, are pages too', async () => {
    const person = someone(fixture);
    await ask(person);
    const fields = person.form({ step: 'password' }).fields;
    expectPage(await post(person.page.url, { ...fields, password: 'wrong', username: 'alice' }, null, { Cookie: cookieOf(person) }), 400, '\'self\' https://first.example');
    expectErrorPage(await post(person.page.url, { ...fields, step: 'unheard_of' }, null, { Cookie: cookieOf(person) }), 400, 'bad_request');
    expectErrorPage(await post(person.page.url, `csrf=${fields['csrf'] ?? ''}&step=%zz`, null, { Cookie: cookieOf(person) }), 400, 'bad_request');
    expectErrorPage(await send(person.page.url, { method: 'POST', body: '{}', headers: { 'Content-Type': 'application/json', 'Cookie': cookieOf(person) } }), 400, 'bad_request');
    expectErrorPage(await post(person.page.url, `x=${'x'.repeat(70_000)}`, null, { Cookie: cookieOf(person) }), 413, 'bad_request');
  });

  test('UI-19 404 and 405 of people\'s paths are pages; those of programs are JSON', async () => {
    const pages = ['/t/acme/account/nothing', '/t/nobody/account', '/t/nobody/protocol/openid-connect/auth', `/t/acme/sign-in/${'A'.repeat(32)}/nothing`];
    for (const path of pages) {
      const answer = await send(`${fixture.server.url}${path}`, {});
      expectErrorPage(answer, 404, 'not_found');
    }
    for (const path of ['/t/acme/account', `/t/acme/sign-in/${'A'.repeat(32)}`, '/t/acme/protocol/openid-connect/auth']) {
      const answer = await send(`${fixture.server.url}${path}`, { method: 'DELETE' });
      expect([path, answer.status, answer.headers['content-type'], answer.headers['allow']]).toEqual([path, 405, 'text/html; charset=utf-8', 'GET, HEAD, POST']);
      expect(answer.headers).toMatchObject({ 'x-frame-options': 'DENY', 'cache-control': 'no-store' });
    }
    for (const path of ['/t/acme/protocol/openid-connect/introspect', '/t/acme/protocol/openid-connect/token']) {
      expect(errorFault(await send(`${fixture.server.url}${path}`, {}), 405, 'method_not_allowed', { allow: path.endsWith('token') ? 'POST' : 'POST' })).toBeNull();
    }
  });

  test('UI-29 fields are named for password managers, and every field has a label', async () => {
    const page = await ask(someone(fixture));
    const inputs = [...page.html.matchAll(/<input[^>]*>/g)].map(([tag]) => tag).filter((tag) => !tag.includes('type="hidden"'));
    expect(inputs.find((tag) => tag.includes('name="username"'))).toContain('autocomplete="username"');
    expect(inputs.find((tag) => tag.includes('name="password"'))).toContain('autocomplete="current-password"');
    for (const tag of inputs) expect(page.html).toContain(`<label for="${/ id="([^"]*)"/.exec(tag)?.[1] ?? 'none'}"`);
  });

  test('UI-17, UI-18 the tenant\'s own logo comes from here, and no application\'s does', async () => {
    const page = await ask(someone(fixture), {}, third);
    for (const [, src = ''] of page.html.matchAll(/<img[^>]* src="([^"]*)"/g)) expect(src).toStartWith('/t/acme/logo');
    expectErrorPage(await send(`${fixture.server.url}/t/acme/logo`, {}), 404, 'not_found');
  });
});
