/** The demo's application in a real browser: the whole flow, with the credentials that the terminal shows. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { needProgram } from '../helpers/programs.ts';
import { assayCommand, postForm, removeFolder, startServer, temporaryFolder } from '../helpers/server.ts';
import { launch, openPage, type WatchedPage } from './browser.ts';

const chromium = await needProgram('chromium');
const axe = await Bun.file(join(import.meta.dir, '../../node_modules/axe-core/axe.min.js')).text();
const pictures = join(import.meta.dir, '../../.artifacts/pages');

type Demo = { readonly url: string; readonly port: string; readonly username: string; readonly password: string; readonly gateway: readonly [id: string, secret: string]; stop(): Promise<void> };

/** Starts the demo, and reads what it prints as a person would. */
async function startDemo(): Promise<Demo> {
  const tmp = temporaryFolder();
  const child = Bun.spawn([...assayCommand, 'serve', '--demo', '--port', '0'], {
    stdin: 'ignore', stdout: 'pipe', stderr: 'inherit', cwd: '/', env: { PATH: Bun.env['PATH'] ?? '', TMPDIR: tmp },
  });
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of child.stdout) {
    text += decoder.decode(chunk, { stream: true });
    if (text.includes('Ctrl-C')) break;
  }
  const fact = (name: string): string => new RegExp(`^ +${name} +(.+)$`, 'm').exec(text)?.[1] ?? '';
  const url = new URL(fact('Application')).origin;
  const [id = '', secret = ''] = fact('Gateway').split(' with the secret ');
  return {
    url, port: new URL(url).port, username: fact('User name'), password: fact('Password'), gateway: [id, secret],
    async stop() {
      child.kill('SIGTERM');
      await child.exited;
      removeFolder(tmp);
    },
  };
}

const part = (page: Page, name: string) => page.locator(`[data-part="${name}"]`);
const act = (page: Page, name: string) => page.getByRole('button', { name });

/** The JSON of a part, as the page shows it. */
async function jsonOf(page: Page, name: string): Promise<Readonly<Record<string, unknown>>> {
  return JSON.parse(await part(page, name).innerText());
}

const picture = (page: Page, name: string) => page.screenshot({ path: join(pictures, `demo-${name}.png`), fullPage: true });

describe('/demo is for demos, on this machine', () => {
  test('without --demo there is nothing, and the front page does not lead there', async () => {
    const server = await startServer();
    const base = `http://127.0.0.1:${server.port}`;
    const statuses = await Promise.all(['/demo', '/assets/demo.js', '/assets/demo-tokens.js'].map(async (path) => (await fetch(base + path)).status));
    const asked = await postForm(`${base}/demo/introspect`, { token: 'x' });
    const home = await (await fetch(`${base}/`)).text();
    expect([...statuses, asked.status, home.includes('"/demo"'), home.includes('"/account"')]).toEqual([404, 404, 404, 404, false, true]);
    await server.stop();
    removeFolder(server.data);
  });
});

describe.skipIf(chromium === undefined)('the demo in Chromium', () => {
  let demo: Demo;
  let browser: Browser;

  beforeAll(async () => {
    [demo, browser] = await Promise.all([startDemo(), launch(chromium ?? '')]);
  });
  afterAll(async () => {
    await browser.close();
    await demo.stop();
  });

  async function openDemo(context: BrowserContextOptions = {}): Promise<WatchedPage> {
    const watched = await openPage(browser, demo.url, context);
    await watched.page.goto(`${demo.url}/demo`);
    await act(watched.page, 'Sign in').waitFor();
    return watched;
  }

  /** From the button to the page's own address again, allowing what is asked. */
  async function signIn(page: Page): Promise<void> {
    await act(page, 'Sign in').click();
    await page.locator('input[name=password]').waitFor();
    await page.locator('#username').fill(demo.username);
    await page.locator('input[name=password]').fill(demo.password);
    await page.locator('input[name=password]').press('Enter');
    const allow = page.locator('button[name=decision][value=allow]');
    await Promise.race([allow.waitFor(), part(page, 'access').waitFor()]);
    if (await allow.isVisible()) await allow.click();
    await part(page, 'access').waitFor();
  }

  test('OP-11 sign in with the printed credentials, allow, introspect, refresh, revoke, sign out', async () => {
    const { page, faults } = await openDemo();
    await signIn(page);
    expect(page.url()).toBe(`${demo.url}/demo`);
    const first = await jsonOf(page, 'introspectionBody');
    expect(first).toMatchObject({
      active: true, client_id: 'demo-spa', iss: demo.url, org_id: 'org_demo', roles: ['orders-clerk'], permissions: ['orders:read', 'orders:ship'],
    });
    expect(String(first['scope']).split(' ')).toContain('orders:read');
    expect(await jsonOf(page, 'identityBody')).toMatchObject({ iss: demo.url, aud: 'demo-spa', email: 'demo@example.com' });
    expect(await jsonOf(page, 'userinfoBody')).toMatchObject({ sub: first['sub'], name: 'Dana Demo', email_verified: true });
    expect(await jsonOf(page, 'accessHead')).toMatchObject({ typ: 'at+jwt' });

    // The gateway's own secret says the same, with the line that the page shows.
    await page.getByText('The same with curl').click();
    const line = await part(page, 'curl').innerText();
    const token = /token=(\S+)/.exec(line)?.[1] ?? '';
    expect(line).toBe(`curl -sS ${demo.url}/oauth2/introspect -u ${demo.gateway[0]} -d token=${token}`);
    const asked = await postForm(`${demo.url}/oauth2/introspect`, { token }, { Authorization: `Basic ${btoa(demo.gateway.join(':'))}` });
    expect(await asked.json()).toEqual(first);

    await act(page, 'Refresh').click();
    await page.getByText('New tokens').waitFor();
    const second = await jsonOf(page, 'introspectionBody');
    expect([second['active'], second['jti'] === first['jti'], second['sub']]).toEqual([true, false, first['sub']]);

    await page.reload();
    await part(page, 'access').waitFor();
    expect((await jsonOf(page, 'introspectionBody'))['jti']).toBe(second['jti']);

    await act(page, 'Revoke access token').click();
    await page.getByText('is revoked').waitFor();
    expect(await jsonOf(page, 'introspectionBody')).toEqual({ active: false });
    await picture(page, 'revoked');
    expect(await part(page, 'userinfoTag').innerText()).toBe('401');
    await act(page, 'Introspect again').click();
    await part(page, 'introspectionTag').getByText('not active').waitFor();

    await act(page, 'Refresh').click();
    await page.getByText('New tokens').waitFor();
    expect((await jsonOf(page, 'introspectionBody'))['active']).toBe(true);

    await act(page, 'Sign out').click();
    await page.getByText('You are signed out').waitFor();
    expect([page.url(), await part(page, 'access').isVisible()]).toEqual([`${demo.url}/demo`, false]);
    expect(await page.evaluate('sessionStorage.length + localStorage.length')).toBe(0);
    await act(page, 'Sign in').click();
    await page.locator('input[name=password]').waitFor();
    // Userinfo's refusal is the only thing that the console had to say.
    expect(faults.filter((fault) => !fault.includes('401'))).toEqual([]);
  }, 60_000);

  test('an answer that nobody asked for, and one from elsewhere, are refused in words', async () => {
    const { page } = await openDemo();
    await page.goto(`${demo.url}/demo?code=abc&state=strange&iss=${encodeURIComponent(demo.url)}`);
    await page.getByText('its state differs').waitFor();
    expect(page.url()).toBe(`${demo.url}/demo`);
    await page.evaluate('sessionStorage.setItem("demo.pending", JSON.stringify({ kind: "sign-in", state: "mine", nonce: "n", verifier: "v" }))');
    await page.goto(`${demo.url}/demo?code=abc&state=mine&iss=https%3A%2F%2Felsewhere.example`);
    await page.getByText('its iss differs').waitFor();
    await page.evaluate('sessionStorage.setItem("demo.pending", JSON.stringify({ kind: "sign-in", state: "mine", nonce: "n", verifier: "v" }))');
    await page.goto(`${demo.url}/demo?error=access_denied&state=mine&iss=${encodeURIComponent(demo.url)}`);
    await page.getByText('You did not allow it').waitFor();
    expect(await act(page, 'Sign in').isEnabled()).toBe(true);
  }, 30_000);

  test('it is on the server\'s own origin only, and its questions come from its own page only', async () => {
    const at = (path: string, headers: Record<string, string> = {}, body: string | null = null) => fetch(`http://127.0.0.1:${demo.port}${path}`, {
      redirect: 'manual', method: body === null ? 'GET' : 'POST', body, headers: { Host: `localhost:${demo.port}`, ...(body !== null && { 'Content-Type': 'application/x-www-form-urlencoded' }), ...headers },
    });
    const statuses = async (...asked: readonly Promise<Response>[]) => (await Promise.all(asked)).map(({ status }) => status);
    expect(await statuses(
      at('/demo'), at('/demo', { Host: `aero2.localhost:${demo.port}` }), at('/demo', { Host: 'id.example.com' }), at('/assets/demo.js', { Host: `aero2.localhost:${demo.port}` }),
    )).toEqual([200, 404, 421, 404]);
    const moved = await at('/demo?state=x', { Host: `127.0.0.1:${demo.port}` });
    expect([moved.status, moved.headers.get('location')]).toEqual([303, `${demo.url}/demo?state=x`]);
    expect(await statuses(
      at('/demo/introspect', { 'Sec-Fetch-Site': 'same-origin' }, 'token=x'), at('/demo/introspect', { 'Sec-Fetch-Site': 'cross-site' }, 'token=x'),
      at('/demo/introspect', { Origin: 'https://elsewhere.example' }, 'token=x'), at('/demo/introspect', {}, 'tokens=x'), at('/demo/introspect'),
    )).toEqual([200, 403, 403, 400, 405]);
    const policy = (await at('/demo')).headers.get('content-security-policy') ?? '';
    expect(policy).toMatch(/^default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'sha256-[^']+'; img-src data:; /);
  });

  for (const colorScheme of ['light', 'dark'] as const) {
    for (const width of [1280, 390]) {
      test(`fits a screen ${width} wide, ${colorScheme}`, async () => {
        const { page, faults } = await openDemo({ colorScheme, viewport: { width, height: 900 } });
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
        await picture(page, `start-${colorScheme}-${width}`);
        await signIn(page);
        await page.getByText('The same with curl').click();
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
        await page.evaluate(axe);
        expect(await page.evaluate('axe.run().then(({ violations }) => violations.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html.slice(0, 120))]))')).toEqual([]);
        await picture(page, `tokens-${colorScheme}-${width}`);
        expect(faults).toEqual([]);
      }, 30_000);
    }
  }
});
