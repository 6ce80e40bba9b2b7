/** The documentation in a real browser with the network closed (HT-18, UI-01). */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Browser, Page } from 'playwright-core';
import type { Tenant } from '../../src/core/model.ts';
import { openApiDocument } from '../../src/http/openapi.ts';
import { defaultTenant, issue, makeClient, makeTenant, startFixture, type Credentials, type Fixture } from '../helpers/fixture.ts';
import { needProgram } from '../helpers/programs.ts';
import { keepPicture, launch, openPage } from './browser.ts';

const chromium = await needProgram('chromium');

function operationIds(document: ReturnType<typeof JSON.parse>): string[] {
  return Object.values<object>(document.paths).flatMap((item) => Object.values(item)).map(({ operationId, tags }) => `operations-${tags[0]}-${operationId}`).sort();
}

/** Ids of the operations on the page. */
async function shownOn(page: Page): Promise<string[]> {
  const ids: string[] = await page.locator('.opblock').evaluateAll((blocks) => blocks.map((block) => block.id));
  return ids.sort();
}

/** Ids of all operations from the top of the page to its end: of a long document the page holds only what is in view. */
async function shownInAll(page: Page): Promise<string[]> {
  const seen = new Set<string>();
  for (;;) {
    for (const id of await shownOn(page)) seen.add(id);
    if (await page.evaluate('innerHeight + scrollY >= document.documentElement.scrollHeight - 2')) return [...seen].sort();
    await page.evaluate('scrollBy(0, innerHeight / 3)');
    await page.evaluate('new Promise((done) => { requestAnimationFrame(() => { requestAnimationFrame(done); }); })');
  }
}

async function openDocs(page: Page, origin: string): Promise<void> {
  await page.goto(`${origin}/docs`);
  await page.locator('.opblock').first().waitFor();
}

/** Types credentials into the page's own dialog. */
async function authorize(page: Page, { id, secret }: Credentials): Promise<void> {
  await page.locator('.scheme-container .authorize').click();
  const dialog = page.locator('.modal-ux');
  await dialog.getByLabel('Username').fill(id);
  await dialog.getByLabel('Password').fill(secret);
  await dialog.locator('form', { has: page.locator('input[autocomplete="username"], input[name="username"], input[id*="username"]') }).locator('.authorize').click();
  await dialog.locator('.auth-btn-wrapper .btn-done').first().click();
}

/** Opens an operation, fills its form in and sends it. Out: status and body, as the page shows them. */
async function tryItOut(page: Page, operation: string, fields: Readonly<Record<string, string>>): Promise<{ readonly status: string; readonly body: unknown; readonly curl: string }> {
  const block = page.locator(`#operations-${operation}`);
  await block.locator('.opblock-summary-control').click();
  await block.getByRole('button', { name: 'Try it out' }).click();
  for (const [name, value] of Object.entries(fields)) {
    await block.locator(`tr:is([data-property-name="${name}"], [data-param-name="${name}"]) input:not([type=checkbox])`).fill(value);
  }
  await block.getByRole('button', { name: 'Execute' }).click();
  const answer = block.locator('.live-responses-table tbody tr').first();
  await answer.waitFor();
  return {
    status: (await answer.locator('.response-col_status').innerText()).trim().split('\n')[0] ?? '',
    body: JSON.parse(await answer.locator('.response-col_description pre code').first().innerText()),
    curl: await block.locator('.curl-command').innerText(),
  };
}

describe.skipIf(chromium === undefined)('HT-18 the documentation in Chromium', () => {
  let fixture: Fixture;
  let browser: Browser;
  let home: Tenant;
  let client: Credentials;

  beforeAll(async () => {
    fixture = await startFixture();
    browser = await launch(chromium ?? '');
    home = await defaultTenant(fixture);
    client = await makeClient(fixture, home, 'svc-orders', { scopes: ['orders:read'] });
  });
  afterAll(async () => {
    await browser.close();
    await fixture.close();
  });

  test('shows every operation of the document, and asks nobody else', async () => {
    const { page, faults } = await openPage(browser, fixture.server.url);
    await openDocs(page, fixture.server.url);
    expect(await shownInAll(page)).toEqual(operationIds(await openApiDocument()));
    await page.evaluate('for (const summary of document.querySelectorAll(".opblock-summary-control")) summary.click()');
    await page.locator('.opblock.is-open .responses-table').first().waitFor();
    expect(await page.locator('.errors-wrapper').count()).toBe(0);
    expect(faults).toEqual([]);
  }, 30_000);

  test('UI-01 its policy is in force: a script of somebody else does not run', async () => {
    const { page, faults } = await openPage(browser, fixture.server.url);
    await openDocs(page, fixture.server.url);
    await page.evaluate('(() => { const script = document.createElement("script"); script.textContent = "window.ran = true"; document.body.append(script); })()');
    expect(await page.evaluate('window.ran')).toBeUndefined();
    expect(faults.join()).toContain('Content Security Policy');
  });

  test('"Try it out" introspects with Basic credentials', async () => {
    const { page, faults } = await openPage(browser, fixture.server.url);
    await openDocs(page, fixture.server.url);
    await authorize(page, client);
    const { access_token: token } = await issue(fixture, home, client.id);
    const { status, body, curl } = await tryItOut(page, 'Introspection-introspectRoot', { token });
    expect([status, body]).toEqual(['200', expect.objectContaining({ active: true, client_id: client.id, scope: 'orders:read' })]);
    // Fields that were left empty are not sent.
    expect(curl).not.toContain('client_secret');
    await keepPicture(page, 'docs-try-it-out');
    expect(faults).toEqual([]);
  });

  test('"Try it out" introspects with credentials in the form, at a layout with a tenant in the path', async () => {
    const { page, faults } = await openPage(browser, fixture.server.url);
    await openDocs(page, fixture.server.url);
    const { access_token: token } = await issue(fixture, home, client.id);
    const { status, body } = await tryItOut(page, 'Introspection-introspectOrg', { orgId: 'default', token, client_id: client.id, client_secret: client.secret });
    expect([status, body]).toEqual(['200', expect.objectContaining({ active: true, client_id: client.id })]);
    expect(faults).toEqual([]);
  });

  test('without credentials the page shows the 401, and the browser does not ask for some of its own', async () => {
    const { page } = await openPage(browser, fixture.server.url);
    await openDocs(page, fixture.server.url);
    const { status, body } = await tryItOut(page, 'Introspection-introspectRoot', {});
    expect([status, body]).toEqual(['401', { error: 'invalid_client', error_description: 'client authentication failed' }]);
  });

  test('a tenant\'s hostname has its own page: the layout root, which works there', async () => {
    const aero = await makeTenant(fixture, 'aero2', { preset: 'aero2' });
    const caller = await makeClient(fixture, aero, 'svc-aero', { scopes: ['api:read'] });
    const origin = `http://${aero.host}`;
    const { page, faults } = await openPage(browser, origin);
    await openDocs(page, origin);
    const shown = await shownOn(page);
    expect(shown).toEqual(operationIds(await openApiDocument('tenant')));
    await authorize(page, caller);
    const { access_token: token } = await issue(fixture, aero, caller.id);
    const { status, body } = await tryItOut(page, 'Introspection-introspectRoot', { token });
    expect([status, body]).toEqual(['200', expect.objectContaining({ active: true, iss: origin })]);
    expect(faults).toEqual([]);
  });

  for (const colorScheme of ['light', 'dark'] as const) {
    for (const width of [1280, 390]) {
      test(`fits a screen ${width} wide, ${colorScheme}`, async () => {
        const { page, faults } = await openPage(browser, fixture.server.url, { colorScheme, viewport: { width, height: 900 } });
        for (const name of ['docs', 'home']) {
          if (name === 'docs') await openDocs(page, fixture.server.url);
          else await page.goto(fixture.server.url);
          expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
          const [red = 0] = (await page.evaluate<string>('getComputedStyle(document.body).backgroundColor')).match(/\d+/g)?.map(Number) ?? [];
          expect(red < 64).toBe(colorScheme === 'dark');
          await keepPicture(page, `${name}-${colorScheme}-${width}`);
        }
        expect(faults).toEqual([]);
      });
    }
  }
});
