/** The account page in Chromium: ways to sign in are added there and used, access is taken back, the account is deleted. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { Secret, TOTP } from 'otpauth';
import type { Tenant } from '../../src/core/model.ts';
import { ClientApp } from '../helpers/app.ts';
import { Neighbourhood, type BrowserPerson } from '../helpers/browser-person.ts';
import { defaultTenant, introspect } from '../helpers/fixture.ts';
import { makePerson, PASSWORD } from '../helpers/flow.ts';
import { needProgram } from '../helpers/programs.ts';

const chromium = await needProgram('chromium');
const NEW_PASSWORD = 'another horse, another battery';

describe.skipIf(chromium === undefined)('the account page in Chromium', () => {
  let town: Neighbourhood;
  let home: Tenant;
  let shop: ClientApp;
  let desk: ClientApp;

  beforeAll(async () => {
    town = await Neighbourhood.open(chromium ?? '');
    home = await defaultTenant(town.fixture);
    shop = await town.house(new ClientApp('shop', 'openid profile email offline_access orders:read')).register(town.fixture, home, { name: 'The Shop' });
    desk = await town.house(new ClientApp('desk')).register(town.fixture, home, { name: 'Desk', firstParty: true });
  });
  afterAll(() => town.close());

  /** Makes somebody, who signs in on the way to a section. */
  async function enter(person: BrowserPerson, username: string, section: string, heading: string): Promise<void> {
    await makePerson(town.fixture, home, username);
    await person.goto(`${town.url}/account${section}`);
    await person.sees('Sign in');
    await person.signIn(username, PASSWORD);
    await person.sees(heading);
  }

  async function signOut(person: BrowserPerson): Promise<void> {
    await person.press('Sign out');
    await person.sees('You are signed out');
  }

  /** A code of the app that somebody typed this key into. */
  function codeOf(secret: string, periodsAhead = 0): string {
    return new TOTP({ secret: Secret.fromBase32(secret.replaceAll(' ', '')) }).generate({ timestamp: Date.now() + periodsAhead * 30_000 });
  }

  test('UI-22, UI-24 · a passkey is added, and is then all that it takes', () => town.walk(async (person) => {
    const device = await person.plugAuthenticator();
    await enter(person, 'pat', '/security', 'Security');
    await person.sees('Security', 'security-bare');
    await person.fill({ 'Name of this passkey': 'Work laptop' });
    await person.press('Add a passkey');
    await person.hears('status', 'The passkey has been added.');
    await person.sees('Security', 'security-passkey');
    expect(await device.count()).toBe(1);
    expect(await person.part('Passkeys').innerText()).toContain('Work laptop');
    // While its owner is there it is picked from the suggestions of the name field by itself; first the button is tried.
    await device.setPresent(false);
    await signOut(person);
    await person.goto(`${desk.origin}/start`);
    await person.sees('Sign in');
    await device.setPresent(true);
    await person.press('Sign in with a passkey');
    await person.sees('Hello The pat');
    expect(desk.newest.claims()).toMatchObject({ acr: 'phr', amr: expect.arrayContaining(['user', 'mfa']) });
    await person.goto(`${town.url}/account/security`);
    await signOut(person);
    await person.goto(`${desk.origin}/start`);
    await person.sees('Hello The pat');
    await person.goto(`${town.url}/account/security`);
    await person.press('Remove the passkey Work laptop');
    await person.hears('status', 'The passkey has been removed.');
    await person.page.getByText('You have no passkeys yet.').waitFor();
  }), 30_000);

  test('a passkey prompt that is closed is said to be, and nothing is sent', () => town.walk(async (person) => {
    await enter(person, 'pim', '/security', 'Security');
    await person.page.evaluate('navigator.credentials.create = () => Promise.reject(new DOMException("no", "NotAllowedError"))');
    await person.press('Add a passkey');
    await person.page.getByText('The passkey prompt was closed. You can try again.').waitFor();
    await person.sees('Security', 'security-passkey-closed');
  }), 30_000);

  test('UI-27 · an authenticator app is set up, and signs in; a recovery code in its place works once', () => town.walk(async (person) => {
    await enter(person, 'tia', '/security', 'Security');
    await person.press('Set up', person.part('Two-step verification'));
    const secret = await person.page.locator('code.secret').innerText();
    await person.sees('Security', 'security-totp');
    await person.fill({ '6-digit code': codeOf(secret) === '000000' ? '111111' : '000000' });
    await person.press('Switch on');
    await person.hears('alert', 'That code is not right');
    await person.fill({ '6-digit code': codeOf(secret) });
    await person.press('Switch on');
    await person.hears('status', 'Two-step verification is on.');
    await person.sees('Security', 'security-codes');
    const codes = await person.page.locator('ul.codes li').allInnerTexts();
    expect([codes.length >= 8, new Set(codes).size]).toEqual([true, codes.length]);
    await signOut(person);

    await person.goto(`${desk.origin}/start`);
    await person.signIn('tia', PASSWORD);
    await person.sees('Two-step verification', 'totp');
    // A code that was used is used up: the next period's is taken too, as clocks differ.
    await person.fill({ '6-digit code': codeOf(secret, 1) });
    await person.press('Verify');
    await person.sees('Hello The tia');
    expect(desk.newest.claims()).toMatchObject({ acr: 'mfa', amr: expect.arrayContaining(['pwd', 'otp', 'mfa']) });

    for (const again of [false, true]) {
      await person.goto(`${desk.origin}/start?prompt=login`);
      await person.fill({ Password: PASSWORD });
      await person.press('Sign in');
      await person.sees('Two-step verification');
      await person.follow(/Use a recovery code/);
      await person.sees('Use a recovery code', 'recovery');
      await person.fill({ 'Recovery code': codes[0] ?? '' });
      await person.press('Verify');
      if (again) await person.hears('alert', 'That code is not right');
      else await person.sees('Hello The tia');
    }
  }), 30_000);

  test('UI-20 · access that is taken back is gone at once, and is asked for again', () => town.walk(async (person) => {
    await makePerson(town.fixture, home, 'ron');
    await person.goto(`${shop.origin}/start`);
    await person.signIn('ron', PASSWORD);
    await person.press('Allow');
    await person.sees('Hello The ron');
    const { access_token: access, refresh_token: refresh = '' } = shop.newest;
    for (const token of [access, refresh]) expect(await introspect(town.fixture, home, shop.credentials, token)).toMatchObject({ active: true });
    await person.goto(`${town.url}/account`);
    await person.follow('Applications');
    await person.sees('Applications', 'applications');
    await person.press('Remove access of The Shop');
    await person.hears('status', 'The application has no access any more.');
    for (const token of [access, refresh]) expect(await introspect(town.fixture, home, shop.credentials, token)).toEqual({ active: false });
    expect(await person.page.getByText('No application has access to your account.').count()).toBe(1);
    await person.goto(`${shop.origin}/start`);
    await person.sees('Allow The Shop to use your account?');
  }), 30_000);

  test('all other sessions end: the other browser is a stranger', () => town.walk((one) => town.walk(async (other) => {
    await enter(one, 'sue', '/sessions', 'Sessions');
    expect(await one.page.getByRole('button', { name: 'End all other sessions' }).count()).toBe(0);
    await other.goto(`${desk.origin}/start`);
    await other.signIn('sue', PASSWORD);
    await other.sees('Hello The sue');
    await one.page.reload();
    await one.sees('Sessions', 'sessions');
    expect(await one.part('Where you are signed in').getByRole('listitem').count()).toBe(2);
    await one.press('End all other sessions');
    await one.hears('status', 'All other sessions have been ended.');
    expect(await one.part('Where you are signed in').getByRole('listitem').count()).toBe(1);
    expect(await introspect(town.fixture, home, desk.credentials, desk.newest.access_token)).toEqual({ active: false });
    await other.goto(`${town.url}/account`);
    await other.sees('Sign in');
    await one.page.reload();
    await one.sees('Sessions');
  })), 30_000);

  test('name, address and password are changed', () => town.walk(async (person) => {
    await enter(person, 'nan', '', 'Overview');
    await person.fill({ 'Your name': 'Nancy N.' });
    await person.press('Save');
    await person.hears('status', 'Your profile has been saved.');
    await person.page.getByText('Nancy N.').first().waitFor();
    await person.fill({ 'New e-mail address': 'nancy@example.org' });
    await person.press('Change address');
    await person.hears('status', 'A code is on its way to the new address.');
    await person.sees('Overview', 'overview-code');
    const { code } = await person.readMail(`${town.url}/mailbox`, 'nancy@example.org', /./);
    await person.fill({ 'Code from the mail': code });
    await person.press('Confirm address');
    await person.hears('status', 'Your e-mail address has been confirmed.');
    await person.page.getByText('nancy@example.org').first().waitFor();
    await person.follow('Security');
    await person.sees('Security');
    await person.fill({ 'Current password': 'not hers at all', 'New password': NEW_PASSWORD, 'New password, once more': NEW_PASSWORD });
    await person.press('Change password');
    await person.hears('alert', 'The current password is not right.');
    await person.sees('Security', 'security-wrong');
    await person.fill({ 'Current password': PASSWORD, 'New password': NEW_PASSWORD, 'New password, once more': NEW_PASSWORD });
    await person.press('Change password');
    await person.hears('status', 'Your password has been changed.');
    await signOut(person);
    await person.goto(`${town.url}/account`);
    await person.signIn('nancy@example.org', NEW_PASSWORD);
    await person.sees('Overview');
  }), 30_000);

  test('the keyboard reaches the content first, by the link that skips the rest', () => town.walk(async (person) => {
    await enter(person, 'key', '', 'Overview');
    await person.page.keyboard.press('Tab');
    expect(await person.page.evaluate<string>('document.activeElement.textContent')).toBe('Skip to the content');
    await person.page.keyboard.press('Enter');
    expect(await person.page.evaluate<string>('document.activeElement.id')).toBe('content');
  }), 30_000);

  test('everything stored can be had, and everything goes', () => town.walk(async (person) => {
    await makePerson(town.fixture, home, 'gil');
    await person.goto(`${shop.origin}/start`);
    await person.signIn('gil', PASSWORD);
    await person.press('Allow');
    await person.sees('Hello The gil');
    const { access_token: access } = shop.newest;
    await person.goto(`${town.url}/account/data`);
    await person.sees('Your data', 'data');
    const coming = person.page.waitForEvent('download');
    await person.follow('Download');
    const download = await coming;
    expect(download.suggestedFilename()).toBe('account.json');
    expect(await Bun.file(await download.path()).text()).toContain('"gil@example.com"');
    await person.fill({ 'Type gil to confirm': 'gill' });
    await person.press('Delete my account for good');
    await person.page.getByRole('alert').waitFor();
    await person.sees('Your data', 'data-wrong');
    await person.fill({ 'Type gil to confirm': 'gil' });
    await person.press('Delete my account for good');
    await person.sees('You are signed out');
    expect(await introspect(town.fixture, home, shop.credentials, access)).toEqual({ active: false });
    await person.goto(`${shop.origin}/start`);
    await person.signIn('gil', PASSWORD);
    await person.hears('alert', 'That does not match');
  }), 30_000);

  test('without scripts the account page does everything but passkeys', () => town.walk(async (person) => {
    await enter(person, 'noel', '/security', 'Security');
    expect(await person.page.getByRole('button', { name: 'Add a passkey' }).count()).toBe(0);
    await person.press('Set up', person.part('Two-step verification'));
    const secret = await person.page.locator('code.secret').innerText();
    await person.fill({ '6-digit code': codeOf(secret) });
    await person.press('Switch on');
    await person.hears('status', 'Two-step verification is on.');
    await person.follow('Sessions');
    await person.sees('Sessions');
    await signOut(person);
  }, { javaScriptEnabled: false }), 30_000);
});
