/** The account page over a running server, as a browser without scripts sees it. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { TOTP } from 'otpauth';
import type { Tenant, User } from '../../src/core/model.ts';
import type { BrowserSession } from '../../src/core/people.ts';
import { doneQuery, readDone } from '../../src/http/people/account-done.ts';
import { accountActs } from '../../src/service/account/acts.ts';
import { openMail } from '../../src/service/credentials/mails.ts';
import { changePassword } from '../../src/service/credentials/password.ts';
import { createOrganization, putMember } from '../../src/service/manage-organizations.ts';
import { digestOf } from '../../src/tokens/digest.ts';
import { Authenticator } from '../helpers/authenticator.ts';
import {
  defaultTenant, freePort, introspect, issue, issuePair, makeClient, makePublicClient, makeTenant, makeUser, must, startFixture, until, type Credentials, type Fixture,
} from '../helpers/fixture.ts';
import { newPerson, type Person } from '../helpers/person.ts';
import { listAudit } from '../helpers/trail.ts';

const PASSWORD = 'correct horse battery';
const NEW_PASSWORD = 'another horse, another battery';
const NASTY = '<script>alert("x")</script>&\'{}';

let fixture: Fixture;
let acme: Tenant;
let service: Credentials;
let url: string;
let count = 0;

beforeAll(async () => {
  const port = await freePort();
  url = `http://localhost:${port}`;
  fixture = await startFixture({ port, args: ['--origin', url] });
  acme = await makeTenant(fixture, 'acme', { layout: 'realm' });
  service = await makeClient(fixture, acme, 'svc', { scopes: ['orders'], introspect: 'tenant' });
  await makePublicClient(fixture, acme, 'spa', { name: NASTY, grants: ['refresh_token'], scopes: ['openid', 'orders', 'offline_access'], redirectUris: ['https://app.example.com/cb'] });
});
afterAll(() => fixture.close());

const store = () => fixture.application.ctx.store;

/** A user of their own with a password. */
async function somebody(tenant = acme): Promise<User> {
  count += 1;
  const user = await makeUser(fixture, tenant, `person${count}`);
  const person = { tenant, from: { ip: null, requestId: null }, locale: null, device: null };
  const set = await changePassword(fixture.application.ctx, person, user, PASSWORD, { proofId: null, notice: null });
  if (!set.ok) throw new Error(set.problem);
  return user;
}

/** Signs in on the way to a section. */
async function signIn(user: User, { base = '/t/acme', section = '', person = newPerson(url), password = PASSWORD } = {}): Promise<Person> {
  await person.open(`${base}/account${section}`);
  expect(person.page.url).toContain(`${base}/sign-in/`);
  await prove(person, user, password);
  expect([person.page.status, person.page.url]).toEqual([200, `${url}${base}/account${section}`]);
  return person;
}

function prove(person: Person, user: User, password = PASSWORD): Promise<unknown> {
  return person.submit({ username: user.username, password }, { form: { step: 'password' } });
}

const signedIn = async (section = ''): Promise<{ person: Person; user: User }> => {
  const user = await somebody();
  return { user, person: await signIn(user, { section }) };
};

/** The session that a person's cookie stands for. */
async function sessionOf(person: Person, tenant = acme): Promise<BrowserSession> {
  const session = await store().findBrowserSession(tenant.id, digestOf(person.cookie('sid') ?? ''));
  if (session === null) throw new Error('there is no session');
  return session;
}

/** Lets the proof of a session lie six minutes back. */
async function makeStale(person: Person): Promise<void> {
  const session = await sessionOf(person);
  expect(await store().renewBrowserSession({ session: { ...session, authTimeMs: session.authTimeMs - 360_000 }, formerSecretDigest: session.secretDigest, progress: null }, { audit: [] })).toBe(true);
}

async function mailsTo(address: string): Promise<readonly { readonly subject: string; readonly text: string }[]> {
  return (await store().listMailbox(acme.id, 1000)).filter((item) => item.target === address).map((item) => openMail(fixture.application.ctx, item));
}

/** The code of the newest mail to an address. */
async function codeTo(address: string): Promise<string> {
  let code: string | undefined;
  await until(`a code comes to ${address}`, async () => {
    code = (await mailsTo(address)).flatMap(({ text }) => /^ *([0-9]{8})\b/m.exec(text)?.[1] ?? [])[0];
    return code !== undefined;
  });
  return code ?? '';
}

const eventsOf = async (user: User): Promise<readonly string[]> =>
  (await listAudit(store(), { tenant: 'acme', limit: 1000 })).filter((event) => event.subject === user.id && event.actor === user.id).map((event) => event.type);

const paths = ['', '/security', '/sessions', '/applications', '/data'];

describe('getting there', () => {
  test('UI-17, UI-20 · who is not signed in signs in, and comes to the section that they wanted', async () => {
    const user = await somebody();
    for (const section of paths) await signIn(user, { section });
  });

  test('the account page is at every layout', async () => {
    const user = await somebody();
    await signIn(user, { base: '/orgs/acme', section: '/security' });
    const first = await defaultTenant(fixture);
    const rooted = await signIn(await somebody(first), { base: '' });
    expect(rooted.page.text).toContain('Signed in as');
  });

  test('UI-01, UI-02 · headers of every section, the same by HEAD; nothing is kept by anybody', async () => {
    const { person } = await signedIn();
    for (const section of paths) {
      const { headers, status } = await person.open(`/t/acme/account${section}`);
      expect(status).toBe(200);
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('x-frame-options')).toBe('DENY');
      expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'sha256-[^']+'; img-src 'self' data:;( script-src 'self';)? base-uri 'none'; form-action 'self'; frame-ancestors 'none'$/);
      const head = await fetch(person.page.url, { method: 'HEAD', headers: { ...person.headers, Cookie: `sid-${acme.id}=${person.cookie('sid') ?? ''}` } });
      expect([head.status, head.headers.get('content-security-policy')]).toEqual([200, headers.get('content-security-policy')]);
    }
  });

  test('what is no section is not there', async () => {
    const { person } = await signedIn();
    for (const section of ['overview', 'nope', 'data.json.', 'SECURITY']) expect((await person.open(`/t/acme/account/${section}`)).status).toBe(404);
    expect((await person.open('/t/nobody/account')).status).toBe(404);
  });

  test('UI-04, MTN · a cookie of one tenant is void at another, under either name', async () => {
    const other = await makeTenant(fixture, 'other', { layout: 'realm' });
    const { person } = await signedIn();
    expect((await person.open('/t/other/account')).url).toContain('/t/other/sign-in/');
    const [session] = [...(person.cookies.get('localhost') ?? [])].filter(([name]) => name === `sid-${acme.id}`);
    person.cookies.get('localhost')?.set(`sid-${other.id}`, session?.[1] ?? '');
    expect((await person.open('/t/other/account')).url).toContain('/t/other/sign-in/');
    expect((await person.open('/t/acme/account')).url).toBe(`${url}/t/acme/account`);
  });
});

describe('forms', () => {
  test('UI-09 · without the right token nothing happens: 403', async () => {
    const { person, user } = await signedIn();
    const stranger = await signedIn();
    const before = await store().findUser(acme.id, user.id);
    for (const csrf of ['', 'x', stranger.person.form().fields['csrf'] ?? '']) {
      for (const act of accountActs.keys()) {
        const page = await person.post('/t/acme/account', { csrf, act, name: 'Mallory', username: user.username, password: NEW_PASSWORD, again: NEW_PASSWORD, current: PASSWORD, email: 'm@example.com' });
        expect([act, page.status]).toEqual([act, 403]);
      }
    }
    expect(await store().findUser(acme.id, user.id)).toEqual(before);
    expect((await person.open('/t/acme/account')).url).toBe(`${url}/t/acme/account`);
    expect(await eventsOf(user)).toEqual(['sign_in_succeeded', 'password_set']);
  });

  test.each([
    ['a foreign page', { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.example' }],
    ['a neighbour', { 'Sec-Fetch-Site': 'same-site' }],
    ['an old browser on a foreign page', { 'Sec-Fetch-Site': null, Origin: 'https://evil.example' }],
    ['a page without an origin', { 'Sec-Fetch-Site': null, Origin: 'null' }],
  ])('UI-09 · from %s: 403, and nothing happens', async (_, headers) => {
    const { person, user } = await signedIn();
    expect((await person.submit({ name: 'Mallory' }, { form: { act: 'profile' }, headers })).status).toBe(403);
    expect((await store().findUser(acme.id, user.id))?.name).toBe(user.name);
  });

  test('UI-11 · GET changes nothing, whatever its query says', async () => {
    const { person, user } = await signedIn();
    const csrf = person.form().fields['csrf'] ?? '';
    await person.open(`/t/acme/account?act=delete&csrf=${csrf}&username=${user.username}`);
    await person.open(`/t/acme/account?act=sign_out&csrf=${csrf}`);
    expect((await person.open('/t/acme/account')).url).toBe(`${url}/t/acme/account`);
    expect(await store().findUser(acme.id, user.id)).toEqual(user);
  });

  test('an act that is none: 400; one of a browser without a session: it signs in first, and nothing happens', async () => {
    const { person, user } = await signedIn();
    const csrf = person.form().fields['csrf'] ?? '';
    expect((await person.post('/t/acme/account', { csrf, act: 'nonsense' })).status).toBe(400);
    expect((await person.post('/t/acme/account', { csrf })).status).toBe(400);
    person.cookies.clear();
    expect((await person.post('/t/acme/account', { csrf, act: 'profile', name: 'Mallory' })).url).toContain('/sign-in/');
    expect(await store().findUser(acme.id, user.id)).toEqual(user);
  });

  test('what was done is said once it was, and not by a link that somebody made', async () => {
    const { person } = await signedIn();
    await person.submit({ name: 'Ada' }, { form: { act: 'profile' } });
    expect(person.page.text).toContain('Your profile has been saved.');
    const link = person.page.url;
    const other = await signedIn();
    for (const query of ['?done=password_changed', `?done=password_changed.${Date.now()}.x`, new URL(link).search, new URL(link).search.replace('profile_changed', 'password_changed')]) {
      expect((await other.person.open(`/t/acme/account${query}`)).text).not.toContain('has been');
    }
  });
});

test('what was done is said for a minute, to the session whose it is, and only what there are words for', () => {
  const now = Date.now();
  const at = (query: string): string => `${url}/account${query}`;
  const query = doneQuery('secret', 'codes_made', now);
  expect(readDone(at(query), 'secret', now)).toBe('codes_made');
  expect(readDone(at(query), 'secret', now + 59_999)).toBe('codes_made');
  for (const [secret, atMs] of [['secret', now + 60_000], ['secret', now - 1], ['other', now], ['', now]] as const) expect(readDone(at(query), secret, atMs)).toBeNull();
  for (const wrong of ['', '?', '?done', '?done=', '?done=codes_made', `?done=codes_made.${now}`, `${query}.x`, `${query}x`, query.replace('codes_made', 'toString'), query.replace(/\.[0-9]+\./, '.NaN.')]) {
    expect(readDone(at(wrong), 'secret', now)).toBeNull();
  }
});

describe('UI-25 · what is sensitive needs a recent proof', () => {
  test.each([...accountActs].filter(([, { recent }]) => recent).map(([act, { section }]) => [act, section] as const))('%s', async (act, section) => {
    const { person, user } = await signedIn();
    await makeStale(person);
    await person.open('/t/acme/account');
    const csrf = person.form().fields['csrf'] ?? '';
    await person.post('/t/acme/account', { csrf, act, username: user.username, password: NEW_PASSWORD, again: NEW_PASSWORD, current: PASSWORD, email: 'new@example.com', code: '000000', id: 'x', credential: '{}' });
    expect(person.page.url).toContain('/sign-in/');
    expect(person.page.html).toContain(user.username);
    expect(await eventsOf(user)).toEqual(['sign_in_succeeded', 'password_set']);
    const former = person.cookie('sid');
    await prove(person, user);
    expect(person.page.url).toBe(`${url}/t/acme/account${section === 'overview' ? '' : `/${section}`}`);
    expect(person.cookie('sid')).not.toBe(former);
    expect(await store().findUser(acme.id, user.id)).toEqual(user);
  });

  test('the data themselves too', async () => {
    const { person, user } = await signedIn();
    await makeStale(person);
    expect((await person.open('/t/acme/account/data.json')).url).toContain('/sign-in/');
    await prove(person, user);
    expect(person.page.url).toBe(`${url}/t/acme/account/data`);
    expect((await person.open('/t/acme/account/data.json')).status).toBe(200);
  });

  test('an authenticator\'s secret is not shown to who proved nothing of late', async () => {
    const { person, user } = await signedIn('/security');
    await person.submit({}, { form: { act: 'totp_begin' } });
    const secret = secretOn(person);
    await makeStale(person);
    expect((await person.open('/t/acme/account/security')).html).not.toContain(secret.slice(0, 4) + ' ' + secret.slice(4, 8));
    await person.submit({}, { form: { act: 'totp_begin' } });
    await prove(person, user);
    expect(secretOn(person)).toBe(secret);
  });
});

describe('profile and address', () => {
  test('UI-18 · a name is saved, escaped where it is shown, and what is none is refused', async () => {
    const { person, user } = await signedIn();
    await person.submit({ name: `  ${NASTY} ` }, { form: { act: 'profile' } });
    expect(person.page.html).not.toContain('<script>alert');
    expect(person.page.text).toContain(NASTY);
    expect((await store().findUser(acme.id, user.id))?.name).toBe(NASTY);
    expect(await eventsOf(user)).toContain('profile_changed');
    for (const name of ['', '  ', 'a\u202Eb', 'x'.repeat(300)]) {
      expect((await person.submit({ name }, { form: { act: 'profile' } })).status).toBe(400);
      expect(person.page.text).toContain('Enter a name');
    }
    expect((await store().findUser(acme.id, user.id))?.name).toBe(NASTY);
  });

  test('UI-25 · another address: a code goes there, the former one hears of it', async () => {
    const { person, user } = await signedIn();
    const former = person.cookie('sid');
    const address = `new-${user.username}@example.com`;
    await person.submit({ email: address }, { form: { act: 'email' } });
    expect(person.page.text).toContain('on its way to the new address');
    const code = await codeTo(address);
    await person.submit({ code: code === '00000000' ? '00000001' : '00000000' }, { form: { act: 'email_code' } });
    expect([person.page.status, person.page.text.includes('That code is not right')]).toEqual([400, true]);
    // The field is there as long as the code is good.
    await person.open('/t/acme/account');
    await person.submit({ code }, { form: { act: 'email_code' } });
    expect(person.page.text).toContain('has been confirmed');
    expect(await store().findUser(acme.id, user.id)).toMatchObject({ email: address, emailVerified: true });
    expect(person.cookie('sid')).not.toBe(former);
    await until('the former address hears of it', async () => (await mailsTo(user.email)).length > 0);
  });

  test('UI-12 · an address that is somebody else\'s looks the same', async () => {
    const taken = await somebody();
    const { person } = await signedIn();
    await person.submit({ email: taken.email }, { form: { act: 'email' } });
    const free = await signedIn();
    await free.person.submit({ email: 'free@example.com' }, { form: { act: 'email' } });
    const plain = ({ html }: { html: string }, user: string): string => html.replaceAll(/person[0-9]+/g, user).replaceAll(/name="csrf" value="[^"]*"/g, '');
    expect(plain(person.page, 'x')).toBe(plain(free.person.page, 'x'));
    await person.open('/t/acme/account');
    await free.person.open('/t/acme/account');
    expect(plain(person.page, 'x')).toBe(plain(free.person.page, 'x'));
    await person.submit({ code: '12345678' }, { form: { act: 'email_code' } });
    expect([person.page.status, person.page.text.includes('That code is not right')]).toEqual([400, true]);
  });
});

/** The secret that the security section shows. */
function secretOn(person: Person): string {
  return /<code class="secret mono">([A-Z2-7 ]+)</.exec(person.page.html)?.[1]?.replaceAll(' ', '') ?? '';
}

function totp(secret: string, steps = 0): string {
  return new TOTP({ secret }).generate({ timestamp: Date.now() + steps * 30_000 });
}

const codesOn = (person: Person): readonly string[] => [...person.page.html.matchAll(/<li>([0-9A-Z]{4}(?:-[0-9A-Z]{4}){3})<\/li>/g)].map(([, code]) => code ?? '');

describe('security', () => {
  test('UI-06, INT-90 · another password; everywhere: other sessions and all tokens are over', async () => {
    const { person, user } = await signedIn('/security');
    const elsewhere = await signIn(user);
    const { access, refresh } = await issuePair(fixture, acme, 'spa', user.id, { scopes: ['openid', 'orders', 'offline_access'] });
    for (const [fields, text] of [
      [{ current: 'wrong', password: NEW_PASSWORD, again: NEW_PASSWORD }, 'The current password is not right'],
      [{ current: PASSWORD, password: NEW_PASSWORD, again: 'other' }, 'not the same'],
      [{ current: PASSWORD, password: 'short', again: 'short' }, 'too short'],
      [{ current: PASSWORD, password: PASSWORD, again: PASSWORD }, 'the password you have now'],
      [{ current: '', password: NEW_PASSWORD, again: NEW_PASSWORD }, 'The current password is not right'],
    ] as const) {
      await person.submit(fields, { form: { act: 'password' } });
      expect([person.page.status, person.page.text.includes(text)]).toEqual([400, true]);
    }
    const former = person.cookie('sid') ?? '';
    await person.submit({ current: PASSWORD, password: NEW_PASSWORD, again: NEW_PASSWORD }, { form: { act: 'password' } });
    expect(person.page.text).toContain('Your password has been changed.');
    expect(person.cookie('sid')).not.toBe(former);
    const thief = newPerson(url);
    thief.cookies.set('localhost', new Map([[`sid-${acme.id}`, former]]));
    expect((await thief.open('/t/acme/account')).url).toContain('/sign-in/');
    expect((await elsewhere.open('/t/acme/account')).url).toContain('/sign-in/');
    for (const token of [access, refresh]) expect(await introspect(fixture, acme, service, token)).toEqual({ active: false });
    await signIn(user, { password: NEW_PASSWORD });
    await until('they hear of it', async () => (await mailsTo(user.email)).length > 0);
  });

  test('INT-90 · without "everywhere" others stay', async () => {
    const { person, user } = await signedIn('/security');
    const elsewhere = await signIn(user);
    const { access } = await issuePair(fixture, acme, 'spa', user.id);
    const fields = { current: PASSWORD, password: NEW_PASSWORD, again: NEW_PASSWORD, everywhere: '' };
    await person.submit(fields, { form: { act: 'password' } });
    expect(person.page.text).toContain('Your password has been changed.');
    expect((await elsewhere.open('/t/acme/account')).url).toBe(`${url}/t/acme/account`);
    expect(await introspect(fixture, acme, service, access)).toMatchObject({ active: true });
  });

  test('UI-27 · an authenticator: enrolled, confirmed with codes that are shown once, asked for, renewed, removed', async () => {
    const { person, user } = await signedIn('/security');
    await person.submit({}, { form: { act: 'totp_begin' } });
    const secret = secretOn(person);
    await person.submit({ code: '1' }, { form: { act: 'totp_confirm' } });
    expect([person.page.status, secretOn(person)]).toEqual([400, secret]);
    await person.submit({ code: totp(secret, -1) }, { form: { act: 'totp_confirm' } });
    const codes = codesOn(person);
    expect([person.page.status, person.page.url, codes.length]).toEqual([200, `${url}/t/acme/account`, 10]);
    expect((await person.open('/t/acme/account/security')).text).toContain('10');
    expect(codesOn(person)).toEqual([]);

    const elsewhere = newPerson(url);
    await elsewhere.open('/t/acme/account');
    await prove(elsewhere, user);
    await elsewhere.submit({ code: totp(secret) }, { form: { step: 'totp' } });
    expect(elsewhere.page.url).toBe(`${url}/t/acme/account`);

    await person.submit({}, { form: { act: 'recovery_codes' } });
    expect(codesOn(person).length).toBe(10);
    expect(codesOn(person).some((code) => codes.includes(code))).toBe(false);
    await person.submit({}, { form: { act: 'totp_remove' } });
    expect(person.page.text).toContain('Two-step verification is off.');
    expect(await eventsOf(user)).toEqual(expect.arrayContaining(['totp_removed', 'recovery_codes_made', 'totp_added']));
    await signIn(user);
  });

  test('UI-22, UI-25 · a passkey is added, signs in, and is removed', async () => {
    const { person, user } = await signedIn('/security');
    const device = new Authenticator(url);
    const former = person.cookie('sid');
    await person.submit({ credential: device.create(person.form({ act: 'passkey_add' }).data['options'] ?? ''), name: NASTY }, { form: { act: 'passkey_add' } });
    expect(person.page.text).toContain('The passkey has been added.');
    expect(person.page.html).not.toContain('<script>alert');
    expect(person.page.text).toContain(NASTY);
    expect(person.cookie('sid')).not.toBe(former);

    const elsewhere = newPerson(url);
    await elsewhere.open('/t/acme/account/security');
    await elsewhere.submit({ credential: device.get(elsewhere.form({ step: 'passkey' }).data['options'] ?? '') }, { form: { step: 'passkey' } });
    expect(elsewhere.page.url).toBe(`${url}/t/acme/account/security`);

    const { id } = elsewhere.form({ act: 'passkey_remove' }).fields;
    const stranger = await signedIn('/security');
    await stranger.person.post('/t/acme/account', { csrf: stranger.person.form().fields['csrf'] ?? '', act: 'passkey_remove', id: id ?? '' });
    expect((await store().listPasskeys(acme.id, user.id)).length).toBe(1);
    expect(stranger.person.page.text).not.toContain('has been removed');
    await elsewhere.submit({}, { form: { act: 'passkey_remove' } });
    expect(elsewhere.page.text).toContain('The passkey has been removed.');
    expect(await store().listPasskeys(acme.id, user.id)).toEqual([]);
    await elsewhere.submit({ credential: '{}' }, { form: { act: 'passkey_add' } });
    expect([elsewhere.page.status, elsewhere.page.text.includes('The passkey did not work')]).toEqual([400, true]);
  });
});

describe('sessions and applications', () => {
  test('ASVS 7.4 · sessions are listed; ending one voids its cookie, ending all leaves this one', async () => {
    const { person, user } = await signedIn('/sessions');
    const [first, second, third] = [await signIn(user), await signIn(user), await signIn(user)];
    await person.open('/t/acme/account/sessions');
    expect(person.page.html.match(/Firefox on Linux<\/bdi>/g)?.length).toBe(4);
    await person.submit({}, { form: { act: 'session_end', id: (await sessionOf(first)).id } });
    expect(person.page.text).toContain('The session has been ended.');
    expect((await first.open('/t/acme/account')).url).toContain('/sign-in/');
    expect((await second.open('/t/acme/account')).url).toBe(`${url}/t/acme/account`);

    const stranger = await signedIn('/sessions');
    await stranger.person.post('/t/acme/account', { csrf: stranger.person.form().fields['csrf'] ?? '', act: 'session_end', id: (await sessionOf(second)).id });
    expect((await second.open('/t/acme/account')).url).toBe(`${url}/t/acme/account`);

    await person.submit({}, { form: { act: 'sessions_end' } });
    expect(person.page.text).toContain('All other sessions have been ended.');
    for (const other of [second, third]) expect((await other.open('/t/acme/account')).url).toContain('/sign-in/');
    expect((await stranger.person.open('/t/acme/account')).url).toBe(`${url}/t/acme/account`);
  });

  test('signing out ends this session, and its cookie goes', async () => {
    const { person } = await signedIn();
    const secret = person.cookie('sid') ?? '';
    await person.submit({}, { form: { act: 'sign_out' } });
    expect([person.page.status, person.page.text.includes('You are signed out')]).toEqual([200, true]);
    expect(person.cookie('sid')).toBeUndefined();
    expect((await store().findBrowserSession(acme.id, digestOf(secret)))?.endedAtMs).toBeNumber();
  });

  test('UI-18, UI-20 · an application is listed, and revoking it voids its tokens in the very next introspection', async () => {
    const { person, user } = await signedIn();
    const { access, refresh } = await issuePair(fixture, acme, 'spa', user.id, { scopes: ['openid', 'orders', 'offline_access'] });
    const opaque = await makeClient(fixture, acme, null, { grants: ['refresh_token'], scopes: ['orders'], tokenFormat: 'opaque' });
    const other = (await issue(fixture, acme, opaque.id, { user: user.id })).access_token;
    for (const token of [access, refresh, other]) expect(await introspect(fixture, acme, service, token)).toMatchObject({ active: true });
    await person.open('/t/acme/account/applications');
    expect(person.page.html).not.toContain('<script>alert');
    for (const text of [NASTY, 'app.example.com', 'orders']) expect(person.page.text).toContain(text);

    const stranger = await signedIn('/applications');
    await stranger.person.post('/t/acme/account', { csrf: stranger.person.form().fields['csrf'] ?? '', act: 'application_revoke', id: 'spa' });
    expect(await introspect(fixture, acme, service, access)).toMatchObject({ active: true });

    await person.submit({}, { form: { act: 'application_revoke', id: 'spa' } });
    for (const token of [access, refresh]) expect(await introspect(fixture, acme, service, token)).toEqual({ active: false });
    expect(await introspect(fixture, acme, service, other)).toMatchObject({ active: true });
    expect(person.page.text).toContain('has no access any more');
    expect(person.page.text).not.toContain('app.example.com');
    expect(await eventsOf(user)).toContain('consent_withdrawn');
    expect(await eventsOf(stranger.user)).not.toContain('consent_withdrawn');
  });
});

describe('data', () => {
  test('GDPR Art. 15, 20 · everything about the person, no secret, nobody else\'s', async () => {
    const { person, user } = await signedIn();
    const stranger = await signedIn();
    must(await createOrganization(fixture.application.ctx, acme, 'engines', 'Analytical Engines'));
    must(await putMember(fixture.application.ctx, acme, 'engines', user.id, []));
    const { access } = await issuePair(fixture, acme, 'spa', user.id);
    const { status, headers, html } = await person.open('/t/acme/account/data.json');
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('application/json');
    expect(headers.get('content-disposition')).toBe('attachment; filename="account.json"');
    expect(headers.get('cache-control')).toBe('no-store');
    const data = JSON.parse(html) as Record<string, unknown>;
    expect(data).toMatchObject({
      account: { sub: user.id, username: user.username, name: user.name, email: user.email, email_verified: true, attributes: {} },
      organizations: [{ id: 'engines', name: 'Analytical Engines', roles: [] }],
      sign_in: { password: { changed_at: expect.any(String) }, passkeys: [], authenticator: null, recovery_codes_left: 0 },
      sessions: [{ current: true, device: 'Firefox on Linux', ip: '127.0.0.1', methods: ['pwd'], class: '1fa' }],
      applications: [{ client_id: 'spa', name: NASTY }],
      events: expect.arrayContaining([expect.objectContaining({ type: 'data_exported' }), expect.objectContaining({ type: 'sign_in_succeeded' })]),
    });
    const password = await store().findPassword(acme.id, user.id);
    for (const secret of [person.cookie('sid'), person.cookie('bid'), digestOf(person.cookie('sid') ?? ''), password?.digest, access, stranger.user.id, stranger.user.email]) {
      expect(html).not.toContain(secret ?? '?');
    }
    expect(await eventsOf(user)).toContain('data_exported');
    expect((await newPerson(url).open('/t/acme/account/data.json')).url).toContain('/sign-in/');
  });

  test('an account is deleted by who types its name; then nothing of it lets anybody in', async () => {
    const { person, user } = await signedIn('/data');
    const elsewhere = await signIn(user);
    const { access, refresh } = await issuePair(fixture, acme, 'spa', user.id, { scopes: ['openid', 'offline_access'] });
    await person.submit({ username: 'somebody' }, { form: { act: 'delete' } });
    expect(person.page.status).toBe(400);
    expect(await store().findUser(acme.id, user.id)).toEqual(user);
    await person.submit({ username: ` ${user.username.toUpperCase()} ` }, { form: { act: 'delete' } });
    expect([person.page.status, person.page.text.includes('You are signed out')]).toEqual([200, true]);
    expect(person.cookie('sid')).toBeUndefined();
    expect(await store().findUser(acme.id, user.id)).toMatchObject({ username: user.id, email: '', name: null, deletedAtMs: expect.any(Number) });
    expect((await elsewhere.open('/t/acme/account')).url).toContain('/sign-in/');
    for (const token of [access, refresh]) expect(await introspect(fixture, acme, service, token)).toEqual({ active: false });
    await prove(elsewhere, user);
    expect(elsewhere.page.status).toBe(400);
    await until('the former address hears of it', async () => (await mailsTo(user.email)).length > 0);
    expect(await eventsOf(user)).toContain('user_deleted');
  });
});
