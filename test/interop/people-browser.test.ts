/** oidc-client-ts in Chromium: a page of another origin with nothing but scripts signs somebody in, refreshes, revokes and signs out. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import type { LayoutName } from '../../src/core/model.ts';
import { AppServer, plainPage } from '../helpers/app.ts';
import { Neighbourhood, type BrowserPerson } from '../helpers/browser-person.ts';
import { introspect, issuer, makeClient, makePublicClient, makeTenant } from '../helpers/fixture.ts';
import { makePerson, PASSWORD } from '../helpers/flow.ts';
import { needProgram } from '../helpers/programs.ts';

const chromium = await needProgram('chromium');
const bundle = Bun.file(join(import.meta.dir, '../../node_modules/oidc-client-ts/dist/browser/oidc-client-ts.min.js'));

/** What `UserManager` is told, on every page of the application. */
function pageOf(settings: object): Response {
  return plainPage('Single page', `<script src="/oidc-client-ts.js"></script><script>window.manager = new oidc.UserManager(${JSON.stringify(settings).replaceAll('<', '\\u003c')});</script>`);
}

/** What the page has of its user. */
type PageUser = { readonly access_token: string; readonly refresh_token: string; readonly id_token: string; readonly scope: string; readonly profile: Readonly<Record<string, unknown>> };

describe.skipIf(chromium === undefined)('oidc-client-ts', () => {
  let town: Neighbourhood;
  beforeAll(async () => {
    town = await Neighbourhood.open(chromium ?? '');
  });
  afterAll(() => town.close());

  /** Calls a function of the page's `UserManager`; its user, where it gives one back. */
  function call(person: BrowserPerson, expression: string): Promise<PageUser> {
    return person.page.evaluate<PageUser>(`manager.${expression}.then((user) => user && JSON.parse(JSON.stringify({ ...user })))`);
  }

  test.each<LayoutName>(['root', 'realm', 'org'])('at the layout %s', async (layout) => {
    const { fixture } = town;
    const tenant = await makeTenant(fixture, layout, { layout, algorithm: layout === 'root' ? 'RS256' : 'ES256' });
    const iss = issuer(fixture, tenant);
    town.allow(new URL(iss).origin);
    const app = town.house(new AppServer());
    const [redirectUri, byeUri] = [`${app.origin}/back`, `${app.origin}/bye`];
    const id = await makePublicClient(fixture, tenant, 'spa', {
      name: 'Single Page', scopes: ['openid', 'profile', 'email'], redirectUris: [redirectUri], postLogoutRedirectUris: [byeUri],
    });
    const watcher = await makeClient(fixture, tenant, 'watcher', { introspect: 'tenant' });
    const settings = {
      authority: iss, client_id: id, redirect_uri: redirectUri, post_logout_redirect_uri: byeUri, scope: 'openid profile email', loadUserInfo: true, automaticSilentRenew: false,
      revokeTokenTypes: ['refresh_token', 'access_token'],
    };
    for (const path of ['/', '/back', '/bye']) app.pages.set(path, () => pageOf(settings));
    app.pages.set('/oidc-client-ts.js', () => new Response(bundle));
    await makePerson(fixture, tenant, 'alice');

    await town.walk(async (person) => {
      /** Signs in, and comes back to the page. */
      const arrive = async (): Promise<PageUser> => {
        await person.page.waitForURL(`${redirectUri}?**`);
        await person.sees('Single page');
        return call(person, 'signinRedirectCallback()');
      };
      await person.goto(`${app.origin}/`);
      await person.page.evaluate('void manager.signinRedirect()');
      await person.signIn('alice', PASSWORD);
      await person.sees('Allow Single Page to use your account?');
      await person.press('Allow');
      const user = await arrive();
      expect(user.profile).toMatchObject({ iss, aud: id, name: 'The alice', preferred_username: 'alice', email: 'alice@example.com', sid: expect.any(String) });
      const isActive = async (token: string): Promise<unknown> => (await introspect(fixture, tenant, watcher, token))['active'];
      expect(await isActive(user.access_token)).toBe(true);

      const renewed = await call(person, 'signinSilent()');
      expect([renewed.access_token === user.access_token, renewed.refresh_token === user.refresh_token]).toEqual([false, false]);
      expect(await isActive(renewed.access_token)).toBe(true);

      await call(person, 'revokeTokens()');
      expect([await isActive(renewed.access_token), await isActive(renewed.refresh_token)]).toEqual([false, false]);

      // Its address is on loopback, where anybody's program could be: asked every time (AZ-42).
      await person.page.evaluate('void manager.signinRedirect()');
      await person.sees('Allow Single Page to use your account?');
      await person.press('Allow');
      const again = await arrive();
      await person.page.evaluate('void manager.signoutRedirect()');
      await person.page.waitForURL(`${byeUri}**`);
      await person.sees('Single page');
      expect(await isActive(again.access_token)).toBe(false);
      await person.page.evaluate('void manager.signinRedirect()');
      await person.sees('Sign in');
    });
  }, 30_000);

  test('in a window of its own, which our policy cuts off from its opener', async () => {
    const { fixture } = town;
    const tenant = await makeTenant(fixture, 'popup', { layout: 'realm' });
    const app = town.house(new AppServer());
    const id = await makePublicClient(fixture, tenant, 'spa', { name: 'Single Page', scopes: ['openid'], redirectUris: [`${app.origin}/back`] });
    const settings = { authority: issuer(fixture, tenant), client_id: id, redirect_uri: `${app.origin}/back`, popup_redirect_uri: `${app.origin}/back` };
    for (const path of ['/', '/back']) app.pages.set(path, () => pageOf(settings));
    app.pages.set('/oidc-client-ts.js', () => new Response(bundle));
    const alice = await makePerson(fixture, tenant, 'alice');
    await town.walk(async (person) => {
      await person.goto(`${app.origin}/`);
      const opened = person.page.context().waitForEvent('page');
      await person.page.evaluate('void (window.user = manager.signinPopup())');
      const opener = person.page;
      person.page = await opened;
      await person.signIn('alice', PASSWORD);
      await person.press('Allow');
      await person.page.waitForURL(`${app.origin}/back?**`);
      await person.sees('Single page');
      expect(await person.page.evaluate('window.opener')).toBeNull();
      await person.page.evaluate('void manager.signinPopupCallback()');
      expect(await opener.evaluate<string>('user.then(({ profile }) => profile.sub)')).toBe(alice.id);
    });
  }, 30_000);

  test('TOK-12 · a page that no client of the tenant lives at may ask, and reads nothing', async () => {
    const { fixture } = town;
    const tenant = await makeTenant(fixture, 'closed', { layout: 'realm' });
    const stranger = town.house(new AppServer());
    stranger.pages.set('/', () => plainPage('Stranger'));
    const faults: unknown[] = [];
    await town.walk(async (person) => {
      await person.goto(`${stranger.origin}/`);
      const ask = (path: string): Promise<string> => person.page.evaluate<string>(`fetch(${JSON.stringify(issuer(fixture, tenant) + path)}, { method: 'POST', body: new URLSearchParams({ grant_type: 'refresh_token' }) }).then(() => 'read', () => 'refused')`);
      faults.push(await ask('/protocol/openid-connect/token'), await ask('/protocol/openid-connect/revoke'));
      // The browser says so on its console, which is what is wanted here.
      person.faults.length = 0;
    });
    expect(faults).toEqual(['refused', 'refused']);
  }, 30_000);
});
