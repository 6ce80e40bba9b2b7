/** The pages for people in a real browser, under the policy that they are served with (UI-01, UI-29). Pictures are kept in .artifacts/pages. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import type { Chrome } from '../../src/pages/views.ts';
import { needProgram } from '../helpers/programs.ts';
import { keepPicture, launch, openPage } from './browser.ts';
import { acme, endlessSamples, samples } from './people-samples.ts';
import { Stage } from './people-stage.ts';

const chromium = await needProgram('chromium');
const axe = await Bun.file(join(import.meta.dir, '../../node_modules/axe-core/axe.min.js')).text();

/** States that differ from another by little more than a sentence. */
const alike = ['sign-in-throttled', 'sign-in-step-up', 'email-code-register', 'email-code-reset', 'email-code-verify', 'email-code-sign_in', 'recovery', 'register', 'new-password', 'consent-choose', 'logout-plain', 'logged-out-plain', 'magic-link-reset', 'error-brand', 'error-done', 'mailbox-empty', 'account-applications-none', 'account-security-bare'];
type Finding = { readonly id: string; readonly impact: string; readonly nodes: readonly { readonly html: string }[] };

/** Serious and critical findings of axe, with the element. In: only these rules; none: all. */
async function inspect(page: Page, ...only: readonly string[]): Promise<readonly string[]> {
  const options = JSON.stringify({ resultTypes: ['violations'], ...(only.length === 0 ? {} : { runOnly: only }) });
  const findings = await page.evaluate<readonly Finding[]>(`axe.run(${options}).then(({ violations }) => violations)`);
  return findings.filter(({ impact }) => ['serious', 'critical'].includes(impact)).map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
}

describe.skipIf(chromium === undefined)('pages for people in Chromium', () => {
  let browser: Browser;
  const stage = new Stage();
  beforeAll(async () => { browser = await launch(chromium ?? ''); });
  afterAll(async () => {
    await browser.close();
    await stage.stop();
  });

  /** Walks through these pages, two at a time. */
  async function walk(context: Parameters<typeof openPage>[2], names: readonly string[], visit: (page: Page, name: string) => Promise<void>): Promise<readonly string[]> {
    const waiting = [...names];
    const walkers = await Promise.all([0, 1].map(async () => {
      const { page, faults } = await openPage(browser, stage.origin, context);
      for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
        await page.goto(`${stage.origin}/${name}`);
        await visit(page, name);
      }
      await page.context().close();
      return faults;
    }));
    return walkers.flat();
  }

  /** Puts pages on the stage without their scripts, which have a test of their own. */
  function show(list: ReturnType<typeof samples>, chrome: Chrome, prefix: string): readonly string[] {
    for (const { name, render } of list) {
      stage.pages.set(`${prefix}${name}`, render(chrome).replace(/<script .*?<\/script>/g, '').replaceAll(' hidden data-needs-passkeys', ' data-needs-passkeys'));
    }
    return list.map(({ name }) => `${prefix}${name}`);
  }

  for (const color of [null, '#ffe600', '#1b2a6b']) {
    test(`UI-29 no serious finding in light and dark, wide and narrow, colour ${color}`, async () => {
      // A tenant's colour touches few things: the page with the most of them stands for all.
      const list = samples().filter(({ name }) => color === null ? !alike.includes(name) : name === 'consent-many');
      const names = show(list, { ...acme, brand: { ...acme.brand, color } }, `${color?.slice(1) ?? 'house'}-`);
      const findings: string[] = [];
      const faults = await walk({ reducedMotion: 'reduce' }, names, async (page, name) => {
        await page.emulateMedia({ colorScheme: 'light' });
        await page.setViewportSize({ width: 1280, height: 900 });
        await page.evaluate(axe);
        findings.push(...(await inspect(page)).map((finding) => `${name}: ${finding}`));
        await keepPicture(page, `pages/${name}-light-1280`);
        await page.emulateMedia({ colorScheme: 'dark' });
        await page.setViewportSize({ width: 390, height: 800 });
        findings.push(...(await inspect(page, 'color-contrast')).map((finding) => `${name} in the dark: ${finding}`));
        expect([name, await page.evaluate('document.documentElement.scrollWidth')]).toEqual([name, 390]);
        await keepPicture(page, `pages/${name}-dark-390`);
      });
      expect(findings).toEqual([]);
      expect(faults).toEqual([]);
    }, 60_000);
  }

  test('fits a screen 320 wide, whatever the words are', async () => {
    const long = endlessSamples().filter(({ name }) => /^(sign-in|sign-in-again|email-code-sign_in|chooser|new-password|consent-many|invitation-join|invitation-register|logout|logged-out|error-brand|mailbox|account.*)$/.test(name));
    const names = [...show(long, { ...acme, brand: { ...acme.brand, name: 'Acme'.repeat(30) } }, 'endless-'), ...show(samples().filter(({ name }) => /^(sign-in|consent-many|account-security)$/.test(name)), { ...acme, locale: 'ja' }, 'ja-')];
    const faults = await walk({ viewport: { width: 320, height: 700 } }, names, async (page, name) => {
      expect([name, await page.evaluate('document.documentElement.scrollWidth')]).toEqual([name, 320]);
    });
    expect(faults).toEqual([]);
  }, 60_000);

  test('WCAG 2.4.3 consent: the buttons stand in the order of the focus, and on the first screen with five scopes', async () => {
    const { page, faults } = await openPage(browser, stage.origin, { viewport: { width: 1280, height: 900 } });
    for (const width of [1280, 390, 320]) {
      await page.setViewportSize({ width, height: 900 });
      await page.goto(`${stage.origin}/${show(samples().filter(({ name }) => name === 'consent-five'), acme, 'order-')[0]}`);
      const boxes: { readonly text: string; readonly x: number; readonly y: number; readonly bottom: number }[] = [];
      for (let stop = 0; stop < 3; stop += 1) {
        await page.keyboard.press('Tab');
        boxes.push(await page.evaluate('(({ x, y, bottom }) => ({ text: document.activeElement.textContent, x, y: y + scrollY, bottom: bottom + scrollY }))(document.activeElement.getBoundingClientRect())'));
      }
      expect(boxes.map(({ text }) => text)).toEqual(['Allow', 'Deny', 'Use another account']);
      expect([width, boxes.toSorted((a, b) => a.y - b.y || a.x - b.x)]).toEqual([width, boxes]);
      if (width === 1280) expect(boxes[1]?.bottom).toBeLessThan(900);
    }
    expect(faults).toEqual([]);
  }, 60_000);

  test('without scripts there is no passkey button, and the password does it', async () => {
    stage.pages.set('plain', samples()[0]?.render(acme) ?? '');
    const { page } = await openPage(browser, stage.origin, { javaScriptEnabled: false });
    await page.goto(`${stage.origin}/plain`);
    expect(await page.getByRole('button', { name: 'Sign in with a passkey' }).count()).toBe(0);
    await page.getByLabel('E-mail or username').first().fill('ada');
    await page.getByLabel('Password').fill('correct horse');
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    expect(stage.posted.pop()).toEqual({ path: '/t/acme/interaction/abc', fields: { csrf: 'csrf-xyz', step: 'password', username: 'ada', password: 'correct horse' } });
  });
});
