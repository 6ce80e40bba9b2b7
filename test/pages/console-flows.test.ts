/** The console in a browser: found by its words, used by hand and by keyboard, looked at in all of its looks. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Tenant } from '../../src/core/model.ts';
import { inviteAdministrator } from '../../src/service/manage-administrators.ts';
import { everything } from '../../src/service/manage-access.ts';
import { Neighbourhood, type BrowserPerson } from '../helpers/browser-person.ts';
import { defaultTenant, issue, issuePair, makeClient, makeResource, makeTenant, makeUser, must, until } from '../helpers/fixture.ts';
import { needProgram } from '../helpers/programs.ts';

const chromium = await needProgram('chromium');
const PASSWORD = 'a rather long passphrase';

describe.skipIf(chromium === undefined)('UI-01…UI-29 · the console in a browser', () => {
  let place: Neighbourhood;
  let acme: Tenant;

  beforeAll(async () => {
    place = await Neighbourhood.open(chromium ?? '');
    const { fixture } = place;
    acme = await makeTenant(fixture, 'acme', { name: 'Acme Works' });
    await makeClient(fixture, acme, 'storefront', { name: 'Storefront', grants: ['authorization_code', 'refresh_token'], redirectUris: ['https://shop.example.com/callback'], scopes: ['openid', 'profile', 'orders:read'] });
    await makeClient(fixture, acme, 'orders-api', { name: 'Orders API', introspect: 'audience' });
    await makeResource(fixture, acme, { uri: 'https://orders.example.com', owner: 'orders-api' });
    const ada = await makeUser(fixture, acme, 'ada');
    await issuePair(fixture, acme, 'storefront', ada.id);
    const home = await defaultTenant(fixture);
    expect(home.slug).toBe('default');
  });
  afterAll(() => place.close());

  /** Makes an account by a link and signs in with it. */
  async function comeIn(person: BrowserPerson, username: string, looked = false): Promise<void> {
    const { url } = must(await inviteAdministrator(place.fixture.application.ctx, everything, { scopes: ['admin'], tenant: null }));
    await person.goto(url);
    await person.sees('Set up your account', looked ? 'console-setup' : undefined);
    const fields = { Username: username, Password: PASSWORD, 'Password, again': PASSWORD };
    for (const [label, value] of Object.entries(fields)) await person.page.getByLabel(new RegExp(`^${label}(?: optional)?$`)).first().fill(value);
    await person.press('Create the account');
    await person.signIn(username, PASSWORD);
    await person.sees('Dashboard');
  }

  /** What leads somewhere from the side. */
  const go = (person: BrowserPerson, name: string) => person.page.getByRole('navigation', { name: 'Console' }).getByRole('link', { name, exact: true }).first().click();

  for (const javaScriptEnabled of [true, false]) {
    const looked = javaScriptEnabled;
    const name = (text: string): string | undefined => (looked ? `console-${text}` : undefined);

    test(`from the link to a client, its secret, its end ${javaScriptEnabled ? '' : '(UI-29 without scripts)'}`, () => place.walk(async (person) => {
      await comeIn(person, looked ? 'root' : 'root-plain', looked);
      await person.sees('Dashboard', name('dashboard'));
      await person.page.getByText('All tenants', { exact: true }).first().click();
      await person.page.getByRole('link', { name: /Acme Works/ }).first().click();
      await person.sees('Acme Works', name('tenant'));
      await go(person, 'Clients');
      await person.sees('Clients', name('clients'));
      await person.follow('New client');
      await person.sees('New client');
      await person.page.getByLabel('Lifetime of access tokens').fill('soon');
      await person.page.getByLabel('Client ID').fill('billing');
      await person.press('Create client');
      await person.hears('alert', 'look at what is marked');
      await person.sees('New client', name('client-faulty'));
      expect(await person.page.getByLabel('Client ID').inputValue()).toBe('billing');
      await person.page.getByLabel('Lifetime of access tokens').fill('600');
      await person.press('Create client');
      await person.sees('Client created', name('client-secret'));
      expect(await person.page.getByText(/^cs_/).first().innerText()).toMatch(/^cs_[A-Za-z0-9_-]{43}$/);
      await person.follow('Go on to the client');
      await person.sees(/^billing/, name('client'));
      await person.follow('Edit');
      await person.sees('Edit billing');
      await person.page.getByLabel('Name').first().fill('Billing');
      await person.press('Save');
      await person.hears('status', 'Saved.');
      await person.follow('Delete');
      await person.sees('Delete: Billing', name('client-delete'));
      await person.press('Delete');
      await person.hears('status', 'Billing was deleted.');
    }, { javaScriptEnabled }));
  }

  test('a token in the search box is inspected, and revoked; it never is in the address', () => place.walk(async (person) => {
    await comeIn(person, 'inspector');
    const { access_token: token } = await issue(place.fixture, acme, 'orders-api');
    const isThere = async (): Promise<boolean> => await person.page.evaluate('document.activeElement.name') === 'q';
    await until('the key brings the search box', async () => {
      if (!(await isThere())) await person.page.keyboard.press('/');
      return isThere();
    });
    await person.page.keyboard.insertText(token);
    await person.page.keyboard.press('Enter');
    await person.sees('Token inspector', 'console-inspector');
    await person.page.getByText('Nothing speaks against it.').waitFor();
    expect(person.page.url().includes(token.slice(0, 30))).toBe(false);
    await person.press('Revoke the token');
    await person.hears('status', 'The token is revoked.');
    // What is no token is looked for, and can be linked to.
    await person.page.getByLabel('Search everywhere').fill('store');
    await person.page.keyboard.press('Enter');
    await person.sees('Search: store', 'console-search');
    await person.follow('Storefront');
    await person.sees(/^Storefront/);
  }));

  test('events come as they happen', () => place.walk(async (person) => {
    await comeIn(person, 'watcher');
    await go(person, 'Live events');
    await person.sees('Live events', 'console-events');
    await person.page.getByText('New events appear by themselves.').waitFor();
    await makeClient(place.fixture, acme, 'just-made');
    await person.page.getByRole('row').filter({ hasText: 'just-made' }).waitFor();
  }));

  test('keys, grants, sessions, the trail and its events, in all of their looks', () => place.walk(async (person) => {
    await comeIn(person, 'looker');
    for (const [path, heading, name] of [
      ['/t/acme/keys', 'Keys', 'keys'], ['/t/acme/grants', 'Grants', 'grants'],
      ['/t/default/sessions', 'Sessions', 'sessions'], ['/audit?outcome=success&ip=127.0.0.1', 'Audit trail', 'audit'], ['/nothing', 'Not found', 'missing'],
    ] as const) {
      await person.goto(`${place.url}/admin${path}`);
      await person.sees(heading, `console-${name}`);
    }
    await person.goto(`${place.url}/admin/audit`);
    await person.page.getByRole('row').nth(1).getByRole('link').first().click();
    await person.sees(/\(\d+\)$/, 'console-event');
  }));

  test('somebody else sees that they are not an administrator', () => place.walk(async (person) => {
    const { application } = place.fixture;
    const home = await defaultTenant(place.fixture);
    const { createUserWithPassword } = await import('../../src/service/manage-credentials.ts');
    must(await createUserWithPassword(application.ctx, home, null, { username: 'visitor', email: 'visitor@example.com' }, { text: PASSWORD, temporary: false }));
    await person.goto(`${place.url}/admin/t/acme/clients`);
    await person.signIn('visitor', PASSWORD);
    await person.sees('You are not an administrator', 'console-outside');
  }));

  test('by keyboard alone: past the navigation, through the switcher, and out of it', () => place.walk(async (person) => {
    await comeIn(person, 'typist');
    const { page } = person;
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await until('the content has the focus', async () => await page.evaluate('document.activeElement.id') === 'content');
    const summary = page.locator('.switch summary');
    await summary.focus();
    await page.keyboard.press('Enter');
    await page.getByRole('link', { name: /Acme Works/ }).first().waitFor();
    await page.keyboard.press('Escape');
    await until('the switcher is closed', async () => (await page.locator('.switch').getAttribute('open')) === null);
  }));

  test('on a phone the menu is a page over the page, without scripts too', () => place.walk(async (person) => {
    await comeIn(person, 'walker');
    await person.page.getByRole('link', { name: 'Menu' }).click();
    await person.page.getByRole('link', { name: 'Close menu' }).waitFor();
    await go(person, 'Live events');
    await person.sees('Live events');
  }, { javaScriptEnabled: false, viewport: { width: 390, height: 844 } }));
});
