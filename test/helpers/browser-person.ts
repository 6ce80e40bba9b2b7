/** Somebody at Chromium: sees pages by their headings, fills in fields by their labels, presses buttons by their names. */
import { expect } from 'bun:test';
import { join } from 'node:path';
import type { Browser, BrowserContext, BrowserContextOptions, CDPSession, Locator, Page } from 'playwright-core';
import { keepPicture, launch } from '../pages/browser.ts';
import type { AppServer } from './app.ts';
import { freePort, startFixture, until, type Fixture } from './fixture.ts';

const axe = await Bun.file(join(import.meta.dir, '../../node_modules/axe-core/axe.min.js')).text();

type Finding = { readonly id: string; readonly impact: string; readonly nodes: readonly { readonly html: string }[] };

/** How long a page may take to come, milliseconds. */
const PATIENCE_MS = 10_000;

export class BrowserPerson {
  page: Page;
  /** Requests to strangers, errors, breaches of a page's policy. */
  readonly faults: string[];
  /** Pages looked at already, in all of their looks. */
  readonly #seen: Set<string>;
  readonly #origins: ReadonlySet<string>;

  private constructor(page: Page, faults: string[], origins: ReadonlySet<string>, seen: Set<string>) {
    this.page = page;
    this.faults = faults;
    this.#origins = origins;
    this.#seen = seen;
  }

  /** Opens a browser of their own that reaches nothing but these origins. @param seen names of pages that need no more pictures */
  static async open(browser: Browser, origins: readonly string[], { seen = new Set<string>(), ...context }: BrowserContextOptions & { readonly seen?: Set<string> } = {}): Promise<BrowserPerson> {
    const opened = await browser.newContext({ reducedMotion: 'reduce', viewport: { width: 1280, height: 900 }, locale: 'en', ...context });
    opened.setDefaultTimeout(PATIENCE_MS);
    const person = new BrowserPerson(await opened.newPage(), [], new Set(origins), seen);
    await person.#watch(opened);
    return person;
  }

  /** In all of its tabs and windows. */
  async #watch(context: BrowserContext): Promise<void> {
    await context.route((url) => !this.#origins.has(url.origin) && url.protocol !== 'data:', (route) => {
      this.faults.push(`asked a stranger: ${route.request().url()}`);
      return route.abort();
    });
    context.on('weberror', (fault) => this.faults.push(`threw: ${fault.error().message}`));
    context.on('console', (message) => {
      // Chromium complains of every page that comes with a status of 400 or more; which do, tests of HTTP tell.
      const ofPage = message.text().startsWith('Failed to load resource: the server responded with a status of') && !message.location().url.includes('/assets/');
      if (['error', 'warning'].includes(message.type()) && !ofPage) this.faults.push(`${message.type()}: ${message.text()}`);
    });
  }

  /** Goes on in another tab of the same browser. Out: the former one. */
  async openTab(): Promise<Page> {
    const former = this.page;
    this.page = await former.context().newPage();
    return former;
  }

  async goto(url: string): Promise<void> {
    await this.page.goto(url);
  }

  /**
   * Waits for the page with this heading. With a name it is looked at closely the first time: serious findings of axe,
   * whether it fits a narrow screen, and pictures in .artifacts/pages.
   */
  async sees(heading: string | RegExp, name?: string): Promise<void> {
    await this.page.getByRole('heading', { level: 1, name: heading, ...(typeof heading === 'string' && { exact: true }) }).waitFor();
    if (name === undefined || this.#seen.has(name)) return;
    this.#seen.add(name);
    await this.#look(name);
  }

  async #look(name: string): Promise<void> {
    const { page } = this;
    const size = page.viewportSize() ?? { width: 1280, height: 900 };
    await page.evaluate(axe);
    const findings: string[] = [];
    for (const colorScheme of ['light', 'dark'] as const) {
      for (const width of [1280, 390]) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize({ width, height: 900 });
        const only = width === 1280 ? undefined : ['color-contrast'];
        if ((width === 1280) === (colorScheme === 'light')) findings.push(...await this.#inspect(`${name} ${colorScheme} ${width}`, only));
        expect([name, width, await page.evaluate('document.documentElement.scrollWidth')]).toEqual([name, width, width]);
        await keepPicture(page, `pages/flow-${name}-${colorScheme}-${width}`);
      }
    }
    await page.emulateMedia({ colorScheme: null });
    await page.setViewportSize(size);
    expect(findings).toEqual([]);
  }

  async #inspect(where: string, only?: readonly string[]): Promise<readonly string[]> {
    const options = JSON.stringify({ resultTypes: ['violations'], ...(only !== undefined && { runOnly: only }) });
    const found = await this.page.evaluate<readonly Finding[]>(`axe.run(${options}).then(({ violations }) => violations)`);
    return found.filter(({ impact }) => ['serious', 'critical'].includes(impact)).map(({ id, nodes }) => `${where}: ${id}: ${nodes[0]?.html}`);
  }

  /** Fills in fields by their labels. */
  async fill(fields: Readonly<Record<string, string>>, within: Page | Locator = this.page): Promise<void> {
    for (const [label, value] of Object.entries(fields)) await within.getByLabel(label, { exact: true }).filter({ visible: true }).first().fill(value);
  }

  /** Presses the first button of this name. */
  async press(name: string | RegExp, within: Page | Locator = this.page): Promise<void> {
    await within.getByRole('button', { name, ...(typeof name === 'string' && { exact: true }) }).first().click();
  }

  async follow(name: string | RegExp): Promise<void> {
    await this.page.getByRole('link', { name, ...(typeof name === 'string' && { exact: true }) }).first().click();
  }

  async signIn(username: string, password: string): Promise<void> {
    await this.fill({ 'E-mail or username': username, Password: password });
    await this.press('Sign in');
  }

  /** A part of the account page, by its heading. */
  part(title: string): Locator {
    return this.page.locator('section', { has: this.page.getByRole('heading', { level: 2, name: title, exact: true }) });
  }

  /** What the page says of a fault or a success. */
  async hears(role: 'alert' | 'status', text: string): Promise<void> {
    await this.page.getByRole(role).filter({ hasText: text }).waitFor();
  }

  /**
   * Opens the newest mail to an address in the development mailbox, in another tab, and closes that tab.
   * @param mailbox URL @param name of its picture @param count how many there are to be, so that the newest is not one from before
   */
  async readMail(mailbox: string, address: string, subject: RegExp, name?: string, count = 1): Promise<{ readonly code: string; readonly link: string | null }> {
    const former = await this.openTab();
    const items = this.page.getByRole('listitem').filter({ hasText: `To ${address}` }).getByRole('link', { name: subject });
    await until(`a mail to ${address}`, async () => {
      await this.goto(mailbox);
      await this.sees('Mailbox');
      return (await items.count()) >= count;
    });
    await items.first().click();
    const letter = this.page.locator('.letter');
    await letter.waitFor();
    await this.sees('Mailbox', name);
    const text = await letter.innerText();
    const link = letter.getByRole('link');
    const mail = { code: /^\s*([0-9]{8})\s*$/m.exec(text)?.[1] ?? '', link: (await link.count()) === 0 ? null : await link.first().getAttribute('href') };
    await this.page.close();
    this.page = former;
    return mail;
  }

  /** Gives the browser a device with passkeys, which verifies its owner by itself while `present`. */
  async plugAuthenticator(): Promise<Authenticator> {
    const session = await this.page.context().newCDPSession(this.page);
    await session.send('WebAuthn.enable');
    const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', {
      options: { protocol: 'ctap2', ctap2Version: 'ctap2_1', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
    });
    return new Authenticator(session, authenticatorId);
  }

  /** Where they are, for messages. */
  async describe(): Promise<string> {
    const text = await this.page.locator('body').innerText().catch(() => '');
    return `The page is ${this.page.url()}: ${text.replaceAll(/\s+/g, ' ').slice(0, 600)}${this.faults.length > 0 ? `\nfaults: ${this.faults.join('\n')}` : ''}`;
  }

  async leave(): Promise<void> {
    await this.page.context().close();
  }
}

/** A device with passkeys, inside of Chromium. */
export class Authenticator {
  readonly #session: CDPSession;
  readonly #id: string;

  constructor(session: CDPSession, id: string) {
    this.#session = session;
    this.#id = id;
  }

  /** Whether its owner touches it when asked. */
  async setPresent(present: boolean): Promise<void> {
    await this.#session.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId: this.#id, enabled: present });
  }

  async count(): Promise<number> {
    return (await this.#session.send('WebAuthn.getCredentials', { authenticatorId: this.#id })).credentials.length;
  }
}

/** A server for people at a name, since passkeys take no address; a browser; and applications around them. */
export class Neighbourhood {
  readonly fixture: Fixture;
  readonly #browser: Browser;
  readonly #apps: AppServer[] = [];
  readonly #origins: string[];
  readonly #seen = new Set<string>();

  private constructor(fixture: Fixture, browser: Browser) {
    this.fixture = fixture;
    this.#browser = browser;
    this.#origins = [fixture.server.url];
  }

  /** @param chromium its path */
  static async open(chromium: string): Promise<Neighbourhood> {
    const port = await freePort();
    const [fixture, browser] = await Promise.all([
      startFixture({ port, args: ['--origin', `http://localhost:${port}`], env: { ASSAY_RATE_LIMITS: 'on' } }), launch(chromium),
    ]);
    return new Neighbourhood(fixture, browser);
  }

  get url(): string {
    return this.fixture.server.url;
  }

  /** Lets people go to an application, and ends it with everything else. */
  house<App extends AppServer>(app: App): App {
    this.#apps.push(app);
    this.#origins.push(app.origin);
    return app;
  }

  /** Lets people go to a tenant's hostname. */
  allow(origin: string): void {
    this.#origins.push(origin);
  }

  /** A new person walks through a flow. A failure tells which page was shown; faults fail it. */
  async walk(steps: (person: BrowserPerson) => Promise<void>, context: BrowserContextOptions = {}): Promise<void> {
    const person = await BrowserPerson.open(this.#browser, this.#origins, { seen: this.#seen, ...context });
    try {
      await steps(person);
    } catch (error) {
      throw new Error(`${error instanceof Error ? error.message : String(error)}\n${await person.describe()}`, { cause: error });
    } finally {
      await person.leave();
    }
    expect(person.faults).toEqual([]);
  }

  async close(): Promise<void> {
    await this.#browser.close();
    await Promise.all(this.#apps.map((app) => app.close()));
    await this.fixture.close();
  }
}
