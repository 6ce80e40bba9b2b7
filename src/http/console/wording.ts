/** A tenant's own wording of pages and mails in the console: every text that there is, and what it says instead. */
import type { Tenant } from '../../core/model.ts';
import type { PeopleSettings } from '../../core/people.ts';
import { done, refused, type Managed } from '../../service/manage-outcome.ts';
import { updateTenant } from '../../service/manage-tenants.ts';
import { findOverrideFault, makeTexts, messageKeys, OWN_SCOPE, type MessageKey } from '../../pages/text.ts';
import { locales, type Locale } from '../../pages/views.ts';
import { badge, mono, row, soft, type FactGroup, type Value } from '../../pages/admin/views.ts';
import { tenantOf, type ConsoleCall } from './call.ts';
import { saying } from './outcome.ts';
import { resource, type FieldRow, type FormFill, type FormReader } from './resource.ts';

type Messages = PeopleSettings['messages'];

/** One text: ours in every language, and a tenant's own. */
type Text = { readonly key: string; readonly own: Readonly<Partial<Record<Locale, string>>> };

const languages: Readonly<Record<Locale, string>> = { en: 'English', de: 'German', es: 'Spanish', fr: 'French', ja: 'Japanese' };
const isKey = (key: string): key is MessageKey => messageKeys.includes(key);

/** What we say; null for a scope of the tenant's own, of which we say nothing. */
function ours(key: string, locale: Locale): string | null {
  return isKey(key) ? makeTexts(locale, {})(key) : null;
}

function textOf({ people: { messages } }: Tenant, key: string): Text {
  return { key, own: Object.fromEntries(locales.flatMap((locale) => {
    const words = messages[locale];
    return words !== undefined && Object.hasOwn(words, key) ? [[locale, words[key] ?? '']] : [];
  })) };
}

/** All of them: those of scopes that the tenant has words for come first. */
function keysOf({ people: { messages } }: Tenant): readonly string[] {
  return [...new Set([...Object.values(messages).flatMap((texts) => Object.keys(texts)).filter((key) => key.startsWith(OWN_SCOPE)).toSorted(), ...messageKeys])];
}

/** Wording with another text of one key; empty: ours. */
function withText(messages: Messages, key: string, own: Text['own']): Messages {
  const kept = locales.map((locale): readonly [Locale, Readonly<Record<string, string>>] => {
    const others = Object.entries(messages[locale] ?? {}).filter(([name]) => name !== key);
    const words = own[locale];
    return [locale, Object.fromEntries(words === undefined ? others : [...others, [key, words]])];
  });
  return Object.fromEntries(kept.filter(([, texts]) => Object.keys(texts).length > 0));
}

async function save(call: ConsoleCall, key: string, form: FormReader, guard: (current: Text) => boolean): Promise<Managed<Tenant>> {
  const own: Partial<Record<Locale, string>> = {};
  for (const locale of locales) {
    const words = form.text(locale);
    if (words === '') continue;
    const fault = findOverrideFault(key, words);
    if (fault !== null) return refused('invalid_request', fault, { member: locale });
    own[locale] = words;
  }
  return put(call, key, own, guard);
}

async function put(call: ConsoleCall, key: string, own: Text['own'], guard: (current: Text) => boolean): Promise<Managed<Tenant>> {
  const tenant = tenantOf(call);
  const seen = JSON.stringify(tenant.people.messages);
  // What the others say is written with it: it must be as it was read.
  return updateTenant(call.ctx, tenant.slug, { people: { messages: withText(tenant.people.messages, key, own) } }, (current) => guard(textOf(current, key)) && JSON.stringify(current.people.messages) === seen, call.administrator);
}

const languageFields: readonly FieldRow[] = locales.map((locale) => ({ name: locale, label: languages[locale], type: 'block', placeholder: 'as it is' }));

function factsOf({ key, own }: Text): readonly FactGroup[] {
  return [{ title: 'Text', facts: [['Key', mono(key, true)], ...locales.flatMap((locale): readonly (readonly [string, Value])[] => [
    [languages[locale], own[locale] === undefined ? soft(ours(key, locale) ?? 'none: the scope itself stands there') : row([own[locale] ?? '', badge('own', 'good')])],
    ...(own[locale] === undefined || ours(key, locale) === null ? [] : [[`${languages[locale]}, as it was`, soft(ours(key, locale) ?? '')] as const]),
  ])] }];
}

export const wordingResource = resource<Text>({
  name: 'wording', at: 'tenant', area: 'tenants', icon: 'list', title: 'Wording', one: 'text', aside: true,
  explain: 'Every text of this tenant\'s pages and mails. Each can say something else, in each language.', empty: 'There are none.',
  search: 'Part of the text or key', filters: [{ name: 'own', label: 'Which', placeholder: 'all', choices: [{ value: 'own', text: 'those with own wording' }] }],
  columns: [
    { title: 'Text', cell: ({ key, own }) => own.en ?? ours(key, 'en') ?? key }, { title: 'Key', cell: ({ key }) => mono(key) },
    { title: 'Own wording', cell: ({ own }) => (Object.keys(own).length === 0 ? null : Object.keys(own).join(', ')) },
  ],
  list(call, { page: { after, limit }, search, filters }) {
    const wanted = search.toLowerCase();
    const all = keysOf(tenantOf(call)).map((key) => textOf(tenantOf(call), key)).filter(({ key, own }) => (filters['own'] === '' || Object.keys(own).length > 0)
      && [key, ours(key, 'en') ?? '', ...Object.values(own)].some((words) => words.toLowerCase().includes(wanted)));
    const start = after === null ? 0 : all.findIndex(({ key }) => key === after) + 1;
    const items = all.slice(start, start + limit);
    return { items, next: start + limit < all.length ? items.at(-1)?.key ?? null : null };
  },
  id: ({ key }) => key, label: ({ key }) => key,
  load: async (call, key) => (isKey(key) || Object.keys(textOf(tenantOf(call), key).own).length > 0 ? done(textOf(tenantOf(call), key)) : refused('not_found', 'there is no such text')),
  facts: factsOf,
  fields: [
    { name: 'scope', label: 'Scope', type: 'text', on: 'create', required: true, placeholder: 'orders:read', help: 'A scope of your own, to say to people what allowing it means. The other texts are in the list.' }, ...languageFields,
  ],
  values: ({ own }): FormFill => Object.fromEntries(locales.map((locale) => [locale, own[locale] ?? ''])),
  create: { async act(call, form) {
    const key = `${OWN_SCOPE}${form.text('scope')}`;
    if (Object.keys(textOf(tenantOf(call), key).own).length > 0) return refused('already_exists', 'there are words for this scope already', { member: 'scope' });
    if (locales.every((locale) => form.text(locale) === '')) return refused('invalid_request', 'say it in one language at least', { member: 'en' });
    const saved = await save(call, key, form, () => true);
    return saved.ok ? done({ id: key }, saved.warnings) : saved;
  } },
  update: (call, { key }, form, guard) => save(call, key, form, guard),
  actions: [{
    name: 'reset', label: 'Say it as it was', when: ({ own }) => Object.keys(own).length > 0, back: 'list', says: () => ['The own wording of this text goes, in every language.'],
    act: async (call, { key }) => saying(await put(call, key, {}, () => true), `${key} says what it said before.`),
  }],
});
