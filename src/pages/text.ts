/** Which language people are spoken to in, and the words of it. */
import { locales, type Locale } from './views.ts';
import { de } from './messages/de.ts';
import { en, type PageMessageKey, type PageMessages } from './messages/en.ts';
import { es } from './messages/es.ts';
import { fr } from './messages/fr.ts';
import { ja } from './messages/ja.ts';
import { mailDe } from './messages/mail-de.ts';
import { mailEn, type MailMessageKey, type MailMessages } from './messages/mail-en.ts';
import { mailEs } from './messages/mail-es.ts';
import { mailFr } from './messages/mail-fr.ts';
import { mailJa } from './messages/mail-ja.ts';

/** The key of a text. */
export type MessageKey = PageMessageKey | MailMessageKey;

const messages: Readonly<Record<Locale, PageMessages & MailMessages>> = {
  en: { ...en, ...mailEn },
  de: { ...de, ...mailDe },
  es: { ...es, ...mailEs },
  fr: { ...fr, ...mailFr },
  ja: { ...ja, ...mailJa },
};

/** Every key that a tenant may override. */
export const messageKeys: readonly string[] = Object.keys(messages.en);

/** Says a text, with its placeholders filled. A placeholder without a value stays as it is. */
export type Texts = (key: MessageKey, values?: Readonly<Record<string, string | number>>) => string;

/** In: the language and the tenant's own wording by key, which wins. */
export function makeTexts(locale: Locale, overrides: Readonly<Record<string, string>>): Texts {
  const words = messages[locale];
  return (key, values = {}) => {
    const text = Object.hasOwn(overrides, key) ? overrides[key] ?? words[key] : words[key];
    return text.replace(placeholder, (whole, found: string) => Object.hasOwn(values, found) ? String(values[found]) : whole);
  };
}

/** Begins the key of a tenant's own words for a scope of a resource: `scope:orders:read`. */
export const OWN_SCOPE = 'scope:';

const placeholder = /\{(\w+)\}/g;
const longestOverride = 500;

/** Why a tenant's own wording cannot be used; null: it can. It has the placeholders of ours, each at least once, and no others. */
export function findOverrideFault(key: string, text: string): string | null {
  const ours = isMessageKey(key) ? messages.en[key] : key.startsWith(OWN_SCOPE) && key.length > OWN_SCOPE.length ? '' : null;
  if (ours === null) return `no text has the key ${JSON.stringify(key)}`;
  if (text.trim() === '') return 'the text is empty';
  if (text.length > longestOverride) return `the text is longer than ${longestOverride} characters`;
  if (/\p{Cc}/u.test(text)) return 'the text has control characters';
  const wanted = placeholdersOf(ours);
  const given = placeholdersOf(text);
  const missing = wanted.find((one) => !given.includes(one));
  if (missing !== undefined) return `the text must contain {${missing}}`;
  const unknown = given.find((one) => !wanted.includes(one));
  return unknown === undefined ? null : `the text must not contain {${unknown}}`;
}

function isMessageKey(key: string): key is MessageKey {
  return Object.hasOwn(messages.en, key);
}

function placeholdersOf(text: string): readonly string[] {
  return [...text.matchAll(placeholder)].flatMap(([, found]) => found ?? []);
}

/**
 * The language for a person: the first of `ui_locales` (OpenID Connect Core §3.1.2.1) that there is, else the best of
 * `Accept-Language` (RFC 9110 §12.5.4), else English. `de-AT` is answered with `de`.
 */
export function chooseLocale(uiLocales: readonly string[], acceptLanguage: string | null): Locale {
  const wanted = [...uiLocales, ...rankLanguages(acceptLanguage ?? '')];
  for (const tag of wanted) {
    const language = tag.split('-')[0]?.toLowerCase();
    const locale = locales.find((one) => one === language);
    if (locale !== undefined) return locale;
  }
  return 'en';
}

/** Language ranges of the header, the most wanted first; those that are not wanted (`q=0`) left out. */
function rankLanguages(header: string): readonly string[] {
  const ranges = header.split(',').map((part) => {
    const [tag = '', ...parameters] = part.split(';').map((one) => one.trim());
    const weight = parameters.find((one) => /^q=/i.test(one))?.slice(2);
    const q = weight === undefined ? 1 : /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(weight) ? Number(weight) : 0;
    return { tag, q };
  });
  return ranges.filter(({ tag, q }) => tag !== '' && q > 0).toSorted((a, b) => b.q - a.q).map(({ tag }) => tag);
}
