/** The scripts of the pages for people, in a real browser with an authenticator of its own. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import type { Browser, Page } from 'playwright-core';
import { renderFormPost } from '../../src/pages/endings.tsx';
import { renderAccount } from '../../src/pages/account.tsx';
import { renderSignIn } from '../../src/pages/sign-in.tsx';
import type { SecurityView, SignInView } from '../../src/pages/views.ts';
import { needProgram } from '../helpers/programs.ts';
import { launch, openPage } from './browser.ts';
import { acme } from './people-samples.ts';
import { Stage } from './people-stage.ts';

const chromium = await needProgram('chromium');
const userVerification = 'required';
const creation = {
  challenge: 'AAAAAAAAAAAAAAAAAAAAAA', rp: { id: 'localhost', name: 'Acme' }, user: { id: 'dXNyXzE', name: 'ada@example.com', displayName: 'Ada' },
  pubKeyCredParams: [-7, -257].map((alg) => ({ type: 'public-key', alg })), authenticatorSelection: { residentKey: 'required', userVerification },
};
const request = { challenge: 'AAAAAAAAAAAAAAAAAAAAAA', rpId: 'localhost', userVerification };
const security: SecurityView = {
  section: 'security', user: { username: 'ada', name: 'Ada', email: 'ada@example.com', emailVerified: true }, csrf: 'csrf', done: null, problem: null, retryAfterS: null, orgs: [],
  passwords: true, passwordRemovable: false, hasPassword: true, passwordChangedAtMs: null, minLength: 15, passkeys: [], passkeyOptions: JSON.stringify(creation), passkeyNotice: null, totp: 'off', recoveryCodesLeft: 0, newRecoveryCodes: null,
};
const signIn: SignInView = {
  action: '/t/acme/interaction/abc', csrf: 'csrf', client: null, problem: null, retryAfterS: null, cancellable: false, username: '', password: true, emailCode: false,
  passkeyOptions: JSON.stringify(request), passkeyNotice: null, registerHref: null, forgotHref: null, reason: null, fixedUser: null,
};

/** Gives the page's browser an authenticator. In: whether the person proves that it is them. */
async function addAuthenticator(page: Page, isUserVerified: boolean): Promise<void> {
  const session = await page.context().newCDPSession(page);
  await session.send('WebAuthn.enable');
  await session.send('WebAuthn.addVirtualAuthenticator', {
    options: { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified, automaticPresenceSimulation: true },
  });
}

describe.skipIf(chromium === undefined)('scripts of the pages for people', () => {
  let browser: Browser;
  const stage = new Stage();
  beforeAll(async () => {
    browser = await launch(chromium ?? '');
    stage.pages.set('security', renderAccount(acme, security));
    stage.pages.set('sign-in', renderSignIn(acme, signIn));
    // Without a name field there are no suggestions, so only the button asks.
    stage.pages.set('sign-in-button', renderSignIn(acme, { ...signIn, password: false }));
    stage.pages.set('form-post', renderFormPost(acme, { action: '/callback', fields: [['code', 'a"b'], ['submit', '1']] }));
  });
  beforeEach(() => { stage.posted.length = 0; });
  afterAll(async () => {
    await browser.close();
    await stage.stop();
  });

  test('a passkey is added by the ordinary form, and signs in by the button and from the suggestions', async () => {
    const { page, faults } = await openPage(browser, stage.origin);
    await addAuthenticator(page, true);
    await page.goto(`${stage.origin}/security`);
    await page.getByLabel('Name of this passkey').fill('Work laptop');
    await page.getByRole('button', { name: 'Add a passkey' }).click();
    await page.waitForURL(`${stage.origin}/t/acme/account`);
    expect(stage.posted[0]).toEqual({ path: '/t/acme/account', fields: { csrf: 'csrf', act: 'passkey_add', failure: '', name: 'Work laptop', credential: expect.stringContaining('attestationObject') } });

    await page.goto(`${stage.origin}/sign-in-button`);
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
    await page.waitForURL(`${stage.origin}/t/acme/interaction/abc`);
    const signedIn = { path: '/t/acme/interaction/abc', fields: { csrf: 'csrf', step: 'passkey', failure: '', credential: expect.stringContaining('authenticatorData') } };
    expect(stage.posted[1]).toEqual(signedIn);

    await page.goto(`${stage.origin}/sign-in`);
    await page.waitForURL(`${stage.origin}/t/acme/interaction/abc`);
    expect(stage.posted[2]).toEqual(signedIn);
    expect(faults).toEqual([]);
  });

  test('when the person does not prove themselves nothing is sent, and it is said', async () => {
    const { page, faults } = await openPage(browser, stage.origin);
    await addAuthenticator(page, false);
    await page.goto(`${stage.origin}/security`);
    await page.getByRole('button', { name: 'Add a passkey' }).click();
    await page.getByText('The passkey prompt was closed.').waitFor();
    expect(await page.locator('input[name=failure]').inputValue()).toBe('cancelled');
    expect(await page.getByRole('button', { name: 'Add a passkey' }).isEnabled()).toBe(true);
    expect(stage.posted).toEqual([]);
    expect(faults).toEqual([]);
  });

  test('when the browser refuses for another reason that is said too', async () => {
    stage.pages.set('other-host', renderAccount(acme, { ...security, passkeyOptions: JSON.stringify({ ...creation, rp: { id: 'id.example.com', name: 'Acme' } }) }));
    const { page } = await openPage(browser, stage.origin);
    await addAuthenticator(page, true);
    await page.goto(`${stage.origin}/other-host`);
    await page.getByRole('button', { name: 'Add a passkey' }).click();
    await page.getByText('The passkey did not work.').waitFor();
    expect(await page.locator('input[name=failure]').inputValue()).toBe('failed');
    expect(stage.posted).toEqual([]);
  });

  test('OAuth 2.0 Form Post Response Mode §2 · the way back goes by itself, whatever its fields are called', async () => {
    const { page, faults } = await openPage(browser, stage.origin);
    await page.goto(`${stage.origin}/form-post`).catch(() => undefined);
    await page.waitForURL(`${stage.origin}/callback`);
    expect(stage.posted).toEqual([{ path: '/callback', fields: { code: 'a"b', submit: '1' } }]);
    expect(faults).toEqual([]);
  });
});
