/** Debian's Chromium, shut off from everything but one server. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';

const options = ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const artifacts = join(import.meta.dir, '../../.artifacts');

/** In: Chromium's path. */
export function launch(executablePath: string): Promise<Browser> {
  return chromium.launch({ executablePath, args: options });
}

/** A page, and what it tried that it must not: requests to strangers, errors, breaches of its policy. */
export type WatchedPage = { readonly page: Page; readonly faults: readonly string[] };

/** Opens a page that reaches nothing but `origin`. */
export async function openPage(browser: Browser, origin: string, context: BrowserContextOptions = {}): Promise<WatchedPage> {
  const faults: string[] = [];
  const page = await (await browser.newContext(context)).newPage();
  await page.route('**/*', (route) => {
    const url = route.request().url();
    if (new URL(url).origin === origin || url.startsWith('data:')) return route.continue();
    faults.push(`asked a stranger: ${url}`);
    return route.abort();
  });
  page.on('pageerror', (error) => faults.push(`threw: ${error.message}`));
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) faults.push(`${message.type()}: ${message.text()}`);
  });
  return { page, faults };
}

/** Keeps a picture for people to look at. */
export async function keepPicture(page: Page, name: string): Promise<void> {
  mkdirSync(artifacts, { recursive: true });
  await page.screenshot({ path: join(artifacts, `${name}.png`) });
}
