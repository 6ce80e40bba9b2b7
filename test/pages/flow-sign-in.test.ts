/** Signing in, from an application and back to it, in Chromium: every way in, every way out. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Tenant } from '../../src/core/model.ts';
import { setUserPassword } from '../../src/service/manage-credentials.ts';
import { createOrganization, putMember } from '../../src/service/manage-organizations.ts';
import { ClientApp } from '../helpers/app.ts';
import { Neighbourhood, type BrowserPerson } from '../helpers/browser-person.ts';
import { defaultTenant, introspect, makeTenant, must, until } from '../helpers/fixture.ts';
import { makePerson, PASSWORD } from '../helpers/flow.ts';
import { needProgram } from '../helpers/programs.ts';

const chromium = await needProgram('chromium');
const NEW_PASSWORD = 'another horse, another battery';

describe.skipIf(chromium === undefined)('signing in with Chromium', () => {
  let town: Neighbourhood;
  let home: Tenant;
  let acme: Tenant;
  /** Asks for consent. */
  let shop: ClientApp;
  /** Asks for none. */
  let desk: ClientApp;
  /** Asks for consent, at the tenant acme. */
  let club: ClientApp;

  beforeAll(async () => {
    town = await Neighbourhood.open(chromium ?? '');
    home = await defaultTenant(town.fixture);
    acme = await makeTenant(town.fixture, 'acme', { layout: 'realm', name: 'Acme', people: { registration: true, color: '#1a7f64' } });
    shop = await town.house(new ClientApp('shop', 'openid profile email offline_access orders:read')).register(town.fixture, home, { name: 'The Shop' });
    desk = await town.house(new ClientApp('desk')).register(town.fixture, home, { name: 'Desk', firstParty: true });
    club = await town.house(new ClientApp('club')).register(town.fixture, acme, { name: 'Club' });
  });
  afterAll(() => town.close());

  /** Makes somebody, and opens the sign-in page on the way to an application. */
  async function arrive(person: BrowserPerson, username: string, { app = shop, tenant = home, query = '' } = {}): Promise<void> {
    await makePerson(town.fixture, tenant, username);
    await person.goto(`${app.origin}/start${query}`);
    await person.sees('Sign in', app === desk ? undefined : `sign-in-${app.id}`);
  }

  for (const [how, context] of [['', {}], [', without scripts', { javaScriptEnabled: false }], [', 390 wide and dark', { viewport: { width: 390, height: 844 }, colorScheme: 'dark' }]] as const) {
    test(`UI-29 · password, a wrong one first, and consent${how}`, () => town.walk(async (person) => {
      const username = `ada${how.length}`;
      await makePerson(town.fixture, home, username);
      await person.goto(`${shop.origin}/start`);
      await person.sees('Sign in');
      await person.signIn(username, 'not her password');
      await person.hears('alert', 'That does not match');
      await person.sees('Sign in', how === '' ? 'sign-in-wrong' : undefined);
      expect(await person.page.getByLabel('E-mail or username').first().inputValue()).toBe(username);
      expect(await person.page.getByLabel('Password').inputValue()).toBe('');
      expect(await person.page.title()).toStartWith('Problem: ');
      await person.signIn(username, PASSWORD);
      await person.sees('Allow The Shop to use your account?', how === '' ? 'consent' : undefined);
      await person.press('Allow');
      await person.sees(`Hello The ${username}`);
      expect(shop.newest.claims()).toMatchObject({ amr: ['pwd'], acr: '1fa' });
      expect(shop.newest.refresh_token).toBeString();
      // The second time there is nothing to ask.
      await person.goto(`${shop.origin}/start`);
      await person.sees(`Hello The ${username}`);
    }, context), 30_000);
  }

  test('UI-29 · with nothing but the keyboard: the name field has the focus, Enter goes on, Tab leads to the buttons in order', () => town.walk(async (person) => {
    await arrive(person, 'kit');
    const { keyboard } = person.page;
    await keyboard.type('kit');
    await keyboard.press('Tab');
    await keyboard.type(PASSWORD);
    await keyboard.press('Enter');
    await person.sees('Allow The Shop to use your account?');
    const stops: string[] = [];
    for (let stop = 0; stop < 3; stop += 1) {
      await keyboard.press('Tab');
      stops.push(await person.page.evaluate<string>('document.activeElement.textContent'));
    }
    expect(stops).toEqual(['Allow', 'Deny', 'Use another account']);
    await keyboard.press('Shift+Tab');
    await keyboard.press('Shift+Tab');
    await keyboard.press('Enter');
    await person.sees('Hello The kit');
  }), 30_000);

  test('AZ-40 · deny, and cancel: back at the application with access_denied', () => town.walk(async (person) => {
    await arrive(person, 'dan');
    await person.press('Cancel');
    await person.sees('No: access_denied');
    await person.goto(`${shop.origin}/start`);
    await person.signIn('dan', PASSWORD);
    await person.sees('Allow The Shop to use your account?');
    await person.press('Deny');
    await person.sees('No: access_denied');
  }), 30_000);

  test('AZ-37 · in the language that the application asks for; a double click does as one', () => town.walk(async (person) => {
    await makePerson(town.fixture, home, 'kei');
    await person.goto(`${shop.origin}/start?ui_locales=${encodeURIComponent('xx ja')}`);
    await person.sees('ログイン');
    await person.fill({ メールアドレスまたはユーザー名: 'kei', パスワード: PASSWORD });
    await person.page.getByRole('button', { name: 'ログイン', exact: true }).dblclick();
    await person.sees('The Shop にアカウントの利用を許可しますか?');
    await person.page.getByRole('button', { name: '許可', exact: true }).dblclick();
    await person.sees('Hello The kei');
  }), 30_000);

  test('AZ-31, AZ-32 · prompt=login asks again, also after Back; select_account lets somebody else in', () => town.walk(async (person) => {
    await arrive(person, 'rae', { app: desk });
    await person.signIn('rae', PASSWORD);
    await person.sees('Hello The rae');
    await person.goto(`${desk.origin}/start?prompt=login`);
    await person.sees('Confirm that it is you', 'reauthenticate');
    await person.page.reload();
    await person.sees('Confirm that it is you');
    await person.fill({ Password: PASSWORD });
    await person.press('Sign in');
    await person.sees('Hello The rae');
    await person.page.goBack();
    await person.page.getByRole('heading', { level: 1, name: 'Already done' }).waitFor();
    await makePerson(town.fixture, home, 'sam');
    await person.goto(`${desk.origin}/start?prompt=select_account`);
    await person.sees('Continue as The rae?', 'chooser');
    await person.press('Use another account');
    await person.sees('Sign in');
    await person.signIn('sam', PASSWORD);
    await person.sees('Hello The sam');
  }), 30_000);

  test('a code by mail, the wrong one first', () => town.walk(async (person) => {
    await arrive(person, 'eve');
    await person.page.getByText('Get a code by e-mail').click();
    const form = person.page.locator('form', { has: person.page.locator('input[name=step][value=email]') });
    await person.fill({ 'E-mail or username': 'eve' }, form);
    await person.press('Send me a code', form);
    await person.sees('Check your mail', 'email-code');
    const { code } = await person.readMail(`${town.url}/mailbox`, 'eve@example.com', /sign-in code/, 'mailbox');
    await person.fill({ '8-digit code': code === '00000000' ? '11111111' : '00000000' });
    await person.press('Verify');
    await person.hears('alert', 'That code is not right');
    await person.press('Send a new code');
    await person.sees('Check your mail');
    const { code: another } = await person.readMail(`${town.url}/mailbox`, 'eve@example.com', /sign-in code/, undefined, 2);
    await person.fill({ '8-digit code': another });
    await person.press('Verify');
    await person.sees('Allow The Shop to use your account?');
    await person.press('Allow');
    await person.sees('Hello The eve');
    expect(shop.newest.claims()).toMatchObject({ amr: ['email'] });
  }), 30_000);

  test('AZ-45 · a link by mail works in the browser that asked for it, straight to the application, and in no other', () => town.walk(async (person) => {
    await arrive(person, 'lin', { app: desk });
    await person.page.getByText('Get a code by e-mail').click();
    const form = person.page.locator('form', { has: person.page.locator('input[name=step][value=email]') });
    await person.fill({ 'E-mail or username': 'lin@example.com' }, form);
    await person.press('Send me a code', form);
    await person.sees('Check your mail');
    const { link } = await person.readMail(`${town.url}/mailbox`, 'lin@example.com', /sign-in code/);
    await town.walk(async (stranger) => {
      await stranger.goto(link ?? '');
      await stranger.sees('This link belongs to another browser', 'link-elsewhere');
    });
    await person.openTab();
    await person.goto(link ?? '');
    await person.sees('Finish signing in', 'link');
    await person.press('Continue');
    await person.sees('Hello The lin');
  }), 30_000);

  test('registration where it is allowed, and nowhere else', () => town.walk(async (person) => {
    await person.goto(`${shop.origin}/start`);
    await person.sees('Sign in');
    expect(await person.page.getByText('Create an account').count()).toBe(0);
    await person.goto(`${club.origin}/start`);
    await person.sees('Sign in', 'sign-in-club');
    await person.follow('Create an account');
    await person.sees('Create your account', 'register');
    const fields = { 'E-mail address': 'new@example.com', 'Your name': 'Neo New' };
    await person.fill({ ...fields, Password: 'short' });
    await person.press('Create account');
    await person.hears('alert', 'That password is too short.');
    expect(await person.page.getByLabel('E-mail address').inputValue()).toBe('new@example.com');
    await person.fill({ Password: NEW_PASSWORD });
    await person.press('Create account');
    await person.sees('Check your mail', 'register-code');
    expect(await person.page.getByRole('link', { name: 'Send a new code' }).getAttribute('href')).toEndWith('/register');
    const { code } = await person.readMail(`${town.url}/t/acme/mailbox`, 'new@example.com', /Confirm your e-mail/);
    await person.fill({ '8-digit code': code });
    await person.press('Verify');
    await person.sees('Allow Club to use your account?', 'consent-club');
    await person.press('Allow');
    await person.sees('Hello Neo New');
  }), 30_000);

  test('where there are no passwords, nobody is asked for one: registration and sign-in by mail', async () => {
    const post = await makeTenant(town.fixture, 'post', { layout: 'org', people: { registration: true, passwords: false, passkeys: false } });
    const mail = await town.house(new ClientApp('mail')).register(town.fixture, post, { name: 'Mail', firstParty: true });
    await town.walk(async (person) => {
      await person.goto(`${mail.origin}/start`);
      await person.sees('Sign in', 'sign-in-mail');
      await person.follow('Create an account');
      await person.sees('Create your account', 'register-mail');
      await person.fill({ 'E-mail address': 'ivy@example.com', 'Your name': 'Ivy' });
      await person.press('Create account');
      await person.sees('Check your mail');
      const { code } = await person.readMail(`${town.url}/orgs/post/mailbox`, 'ivy@example.com', /Confirm your e-mail/);
      await person.fill({ '8-digit code': code });
      await person.press('Verify');
      await person.sees('Hello Ivy');
    });
  }, 30_000);

  test('a forgotten password', () => town.walk(async (person) => {
    await arrive(person, 'fay', { app: club, tenant: acme });
    await person.follow('Forgot your password?');
    await person.sees('Reset your password', 'forgot');
    await person.fill({ 'E-mail or username': 'fay@example.com' });
    await person.press('Send me a code');
    await person.sees('Check your mail', 'reset-code');
    await person.follow('Send a new code');
    await person.sees('Reset your password');
    await person.fill({ 'E-mail or username': 'fay' });
    await person.press('Send me a code');
    await person.sees('Check your mail');
    const { code } = await person.readMail(`${town.url}/t/acme/mailbox`, 'fay@example.com', /password/i, undefined, 2);
    await person.fill({ '8-digit code': code });
    await person.press('Verify');
    await person.sees('Choose a new password', 'new-password');
    await person.fill({ 'New password': NEW_PASSWORD, 'New password, once more': `${NEW_PASSWORD}!` });
    await person.press('Save password');
    await person.hears('alert', 'The two passwords are not the same.');
    await person.fill({ 'New password': NEW_PASSWORD, 'New password, once more': NEW_PASSWORD });
    await person.press('Save password');
    await person.sees('Allow Club to use your account?');
    await person.press('Allow');
    await person.sees('Hello The fay');
  }), 30_000);

  test('a forgotten password, by the link of the mail', () => town.walk(async (person) => {
    await arrive(person, 'fox', { app: desk });
    await person.follow('Forgot your password?');
    await person.fill({ 'E-mail or username': 'fox' });
    await person.press('Send me a code');
    await person.sees('Check your mail');
    const { link } = await person.readMail(`${town.url}/mailbox`, 'fox@example.com', /password/i);
    await person.goto(link ?? '');
    await person.press('Continue');
    await person.sees('Choose a new password');
    await person.fill({ 'New password': NEW_PASSWORD, 'New password, once more': NEW_PASSWORD });
    await person.press('Save password');
    await person.sees('Hello The fox');
    await person.goto(link ?? '');
    await person.sees('Already done');
  }), 30_000);

  test('a temporary password must be changed before anything else', () => town.walk(async (person) => {
    await makePerson(town.fixture, home, 'tom');
    must(await setUserPassword(town.fixture.application.ctx, home, 'tom', { text: 'only for the first time', temporary: true }));
    await person.goto(`${desk.origin}/start`);
    await person.signIn('tom', 'only for the first time');
    await person.sees('Choose a new password', 'new-password-forced');
    await person.fill({ 'New password': 'only for the first time', 'New password, once more': 'only for the first time' });
    await person.press('Save password');
    await person.hears('alert', 'That is the password you have now.');
    await person.fill({ 'New password': NEW_PASSWORD, 'New password, once more': NEW_PASSWORD });
    await person.press('Save password');
    await person.sees('Hello The tom');
  }), 30_000);

  test('the organization is chosen with the consent, and is in the token', () => town.walk(async (person) => {
    const { application: { ctx } } = town.fixture;
    await makePerson(town.fixture, home, 'olga');
    for (const [id, name] of [['org_north', 'North Office'], ['org_south', 'South Office']] as const) {
      must(await createOrganization(ctx, home, id, name));
      must(await putMember(ctx, home, id, 'olga', null));
    }
    await person.goto(`${shop.origin}/start`);
    await person.signIn('olga', PASSWORD);
    await person.sees('Allow The Shop to use your account?', 'consent-org');
    await person.page.getByLabel('South Office').check();
    await person.press('Allow');
    await person.sees('Hello The olga');
    expect(await introspect(town.fixture, home, shop.credentials, shop.newest.access_token)).toMatchObject({ active: true, org_id: 'org_south' });
  }), 30_000);

  test('UI-04 · who is signed in at one tenant is a stranger to another of the same host', () => town.walk(async (person) => {
    await arrive(person, 'max', { app: desk });
    await person.signIn('max', PASSWORD);
    await person.sees('Hello The max');
    await person.goto(`${club.origin}/start`);
    await person.sees('Sign in');
    expect(await person.page.getByText('max').count()).toBe(0);
    await person.goto(`${club.origin}/start?prompt=none`);
    await person.sees('No: login_required');
    await person.goto(`${town.url}/t/acme/account`);
    await person.sees('Sign in');
    await person.goto(`${town.url}/account`);
    await person.sees('Overview', 'account-overview');
  }), 30_000);

  test('UI-21 · in a second tab somebody else signs in: the first tab\'s page is void', () => town.walk(async (person) => {
    await arrive(person, 'tess');
    await person.signIn('tess', PASSWORD);
    await person.sees('Allow The Shop to use your account?');
    await makePerson(town.fixture, home, 'tim');
    const first = await person.openTab();
    await person.goto(`${desk.origin}/start?prompt=login`);
    await person.press('Cancel');
    await person.sees('No: access_denied');
    await person.goto(`${desk.origin}/start?prompt=select_account`);
    await person.press('Use another account');
    await person.sees('Sign in');
    await person.signIn('tim', PASSWORD);
    await person.sees('Hello The tim');
    person.page = first;
    await person.press('Allow');
    await person.sees('This did not work', 'error');
  }), 30_000);

  test('form_post: the answer goes to the application by itself', async () => {
    const got = Promise.withResolvers<URLSearchParams>();
    const poster = town.house(new ClientApp('poster'));
    poster.pages.set('/cb', async (_url, request) => {
      got.resolve(new URLSearchParams(await request.text()));
      return Response.redirect(poster.byeUri, 303);
    });
    await poster.register(town.fixture, home, { name: 'Poster', firstParty: true });
    await makePerson(town.fixture, home, 'pia');
    await town.walk(async (person) => {
      await person.goto(`${poster.origin}/start?response_mode=form_post`);
      await person.signIn('pia', PASSWORD);
      await person.sees('Good bye');
    });
    expect([...(await got.promise).keys()]).toEqual(['code', 'state', 'iss']);
  }, 30_000);

  test('UI-01 · the policy is in force, and these tests would hear of a breach', () => town.walk(async (person) => {
    await person.goto(`${town.url}/account`);
    await person.sees('Sign in');
    await person.page.evaluate('(() => { const script = document.createElement("script"); script.textContent = "window.ran = true"; document.body.append(script); })()');
    expect(await person.page.evaluate('window.ran')).toBeUndefined();
    await person.page.evaluate('Object.assign(document.forms[0], { action: "http://127.0.0.1:9/steal" }).submit()');
    await until('the browser complains of both', () => person.faults.length === 2);
    expect(person.faults.splice(0)).toEqual([expect.stringContaining('script-src'), expect.stringContaining('form-action')]);
  }), 30_000);

  describe('OpenID Connect RP-Initiated Logout', () => {
    test('LO-02 · with an ID token: at once, and back at the application', () => town.walk(async (person) => {
      await arrive(person, 'leo');
      await person.signIn('leo', PASSWORD);
      await person.press('Allow');
      await person.sees('Hello The leo');
      await person.goto(`${shop.origin}/leave`);
      await person.sees('Good bye');
      expect(new URL(person.page.url()).searchParams.get('state')).toBe('left');
      await person.goto(`${shop.origin}/start?prompt=none`);
      await person.sees('No: login_required');
    }), 30_000);

    test('LO-07 · without one the person is asked first', () => town.walk(async (person) => {
      await arrive(person, 'lou', { app: desk });
      await person.signIn('lou', PASSWORD);
      await person.sees('Hello The lou');
      await person.goto(`${desk.origin}/leave?plain`);
      await person.sees('Sign out?', 'logout');
      await person.goto(`${desk.origin}/start?prompt=none`);
      await person.sees('Hello The lou');
      await person.goto(`${desk.origin}/leave?plain`);
      await person.press('Sign out');
      await person.sees('You are signed out', 'logged-out');
      await person.goto(`${desk.origin}/start?prompt=none`);
      await person.sees('No: login_required');
    }), 30_000);

    test('LO-04 · with client_id and an address in place of it: asked first, then back', () => town.walk(async (person) => {
      await arrive(person, 'lea', { app: desk });
      await person.signIn('lea', PASSWORD);
      await person.sees('Hello The lea');
      const { end_session_endpoint: end = '' } = desk.client.serverMetadata();
      await person.goto(`${end}?${new URLSearchParams({ client_id: 'desk', post_logout_redirect_uri: desk.byeUri, state: 'x y' }).toString()}`);
      await person.sees('Sign out?');
      await person.press('Sign out');
      await person.sees('Good bye');
      expect(new URL(person.page.url()).searchParams.get('state')).toBe('x y');
    }), 30_000);
  });
});
