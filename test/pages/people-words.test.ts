/** What people are told: the language, the tenant's own wording, times, and mails. */
import { describe, expect, test } from 'bun:test';
import { mailText } from '../../src/pages/mail.ts';
import { de } from '../../src/pages/messages/de.ts';
import { es } from '../../src/pages/messages/es.ts';
import { fr } from '../../src/pages/messages/fr.ts';
import { ja } from '../../src/pages/messages/ja.ts';
import { mailDe } from '../../src/pages/messages/mail-de.ts';
import { mailEs } from '../../src/pages/messages/mail-es.ts';
import { mailFr } from '../../src/pages/messages/mail-fr.ts';
import { mailJa } from '../../src/pages/messages/mail-ja.ts';
import { chooseLocale, findOverrideFault, makeTexts, messageKeys } from '../../src/pages/text.ts';
import { formatAgo, formatDuration, formatMoment, formatRetry } from '../../src/pages/times.ts';
import { locales, type Locale, type MailContent, type MailNotice } from '../../src/pages/views.ts';
import { acme, samples } from './people-samples.ts';

test('every text has the placeholders of the English one', () => {
  for (const words of [de, es, fr, ja, mailDe, mailEs, mailFr, mailJa]) {
    expect(Object.entries<string>(words).flatMap(([key, text]) => findOverrideFault(key, text) ?? [])).toEqual([]);
  }
});

test('a placeholder that a name brings along is not filled', () => {
  expect(makeTexts('en', {})('signed_in_as', { name: '{name}{brand}' })).toBe('Signed in as {name}{brand}');
});

describe('OpenID Connect Core §3.1.2.1, RFC 9110 §12.5.4 · the language', () => {
  const cases: readonly (readonly [readonly string[], string | null, Locale])[] = [
    [[], null, 'en'],
    [[], '', 'en'],
    [['de-AT'], 'fr', 'de'],
    [['pt', 'JA'], 'fr', 'ja'],
    [['pt'], 'fr-CA;q=0.8, es;q=0.9', 'es'],
    [[], 'da, en-GB;q=0.8, de;q=0.7', 'en'],
    [[], 'de;q=0, fr;q=0.1', 'fr'],
    [[], 'de;q=x, *;q=0.5', 'en'],
    [[], 'DE', 'de'],
    [[], 'deu, ;, ,es', 'es'],
  ];
  for (const [uiLocales, header, locale] of cases) {
    test(`${JSON.stringify(uiLocales)} and ${header} → ${locale}`, () => expect(chooseLocale(uiLocales, header)).toBe(locale));
  }
});

describe('a tenant\'s own wording', () => {
  test('goes over ours, in whatever language', () => {
    expect(makeTexts('fr', { 'sign_in.title': 'Entrez' })('sign_in.title')).toBe('Entrez');
    expect(makeTexts('fr', {})('sign_in.title')).toBe(fr['sign_in.title']);
    const html = samples()[0]!.render({ ...acme, overrides: { 'sign_in.title': 'Welcome <b>back</b>' } });
    expect(html).toContain('<h1>Welcome &lt;b>back&lt;/b></h1>');
  });

  const faults: readonly (readonly [string, string, string | null])[] = [
    ['sign_in.title', 'Welcome back', null],
    ['signed_in_as', 'You are {name}', null],
    ['signed_in_as', 'You', 'the text must contain {name}'],
    ['signed_in_as', '{name} of {brand}', 'the text must not contain {brand}'],
    ['sign_in.title', ' ', 'the text is empty'],
    ['sign_in.title', 'a\nb', 'the text has control characters'],
    ['sign_in.title', 'x'.repeat(501), 'the text is longer than 500 characters'],
    ['sign_in.nothing', 'x', 'no text has the key "sign_in.nothing"'],
    ['toString', 'x', 'no text has the key "toString"'],
  ];
  for (const [key, text, fault] of faults) {
    test(`${key}: ${JSON.stringify(text).slice(0, 40)} → ${fault}`, () => expect(findOverrideFault(key, text)).toBe(fault));
  }

  test('every key can be named', () => {
    expect(messageKeys).toContain('consent.allow');
    expect(messageKeys).toContain('mail.reset_code.subject');
    expect(new Set(messageKeys).size).toBe(messageKeys.length);
  });
});

test('times are in the language, and a time of day says that it is UTC', () => {
  const now = Date.UTC(2026, 10, 20, 18, 43);
  for (const locale of locales) expect(formatMoment(locale, now)).toContain('UTC');
  expect([formatAgo('en', now - 300_000, now), formatAgo('de', now - 86_400_000, now), formatAgo('en', now + 5000, now), formatAgo('en', now - 59_000, now)]).toEqual(['5 minutes ago', 'gestern', null, null]);
  expect([formatRetry('en', 0.2), formatRetry('de', 61), formatRetry('ja', 30)]).toEqual(['in 1 second', 'in 2 Minuten', '30 秒後']);
  expect([formatDuration('en', 2_592_000), formatDuration('fr', 7200), formatDuration('de', 31_536_000), formatDuration('en', 600)]).toEqual(['30 days', '2\u00a0heures', '1 Jahr', '10 minutes']);
});

test('under a minute is said in words of the language', () => {
  const said = locales.map((locale) => />([^<]+)<\/time>/.exec(samples().find(({ name }) => name === 'account-sessions')?.render({ ...acme, locale, nowMs: 0 }) ?? '')?.[1]);
  expect(said).toEqual(['just now', 'gerade eben', 'ahora mismo', 'à l’instant', 'たった今']);
});

describe('mails', () => {
  const code = '493817';
  const link = 'https://id.example.com/t/acme/link?token=abc';
  const notices: readonly MailNotice[] = ['password_changed', 'password_reset', 'passkey_added', 'passkey_removed', 'totp_added', 'totp_removed', 'recovery_codes_made', 'recovery_code_used', 'email_changed', 'account_deleted'];
  const contents: readonly MailContent[] = [
    { kind: 'sign_in_code', code, link, minutes: 10, client: 'Orders Dashboard' },
    { kind: 'sign_in_code', code, link, minutes: 10, client: null },
    { kind: 'register_code', code, minutes: 30 },
    { kind: 'register_exists', link },
    { kind: 'verify_email', code, minutes: 30 },
    { kind: 'reset_code', code, link, minutes: 10 },
    { kind: 'invitation', link, organization: 'Example Ltd', days: 7 },
    ...notices.map((notice): MailContent => ({ kind: 'notice', notice, link, device: 'Firefox on Linux', ip: '203.0.113.7' })),
  ];
  for (const locale of locales) {
    test(`${locale}: code and link stand there once, alone on their line, and it is plain text`, () => {
      for (const content of contents) {
        const { subject, text } = mailText(content, locale, 'Acme', {});
        expect(subject).toContain('Acme');
        expect(subject).not.toMatch(/[\r\n]/);
        expect(`${subject}\n${text}`).not.toMatch(/<|\{\w+\}|undefined/);
        if ('code' in content) expect([text.split(code).length, text.split('\n').includes(code)]).toEqual([2, true]);
        else expect(text).not.toContain(code);
        if ('link' in content) expect([text.split(link).length, text.split('\n').includes(link)]).toEqual([2, true]);
        else expect(text).not.toContain('http');
        expect(subject).not.toContain(code);
      }
    });
  }

  test('the tenant\'s own wording goes over ours', () => {
    expect(mailText({ kind: 'register_exists', link }, 'de', 'Acme', { 'mail.register_exists.subject': 'Hallo von {brand}' }).subject).toBe('Hallo von Acme');
  });

  test('a name cannot add lines, turn the text around or go on for ever', () => {
    const { subject, text } = mailText({ kind: 'sign_in_code', code, link, minutes: 10, client: `Evil\r\nBcc: you\u202e${'x'.repeat(500)}` }, 'en', 'A\r\nB', {});
    expect(subject).toBe('Your sign-in code for A B');
    expect(text).toContain('Evil Bcc: you x');
    expect(text).not.toContain('x'.repeat(80));
    expect(text).not.toMatch(/[\r\u202e]/);
  });
});
