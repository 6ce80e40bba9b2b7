import type { UserAttributes } from './model.ts';

/** What is known of a user beside name, username and address: attributes by name, those of standard claims with a type. */

type AttributeValue = UserAttributes[string];
type Form = { readonly holds: (value: AttributeValue) => boolean; readonly is: string };

/** Members of an address (OpenID Connect Core §5.1.1). */
const addressMembers: ReadonlySet<string> = new Set(['formatted', 'street_address', 'locality', 'region', 'postal_code', 'country']);

const text: Form = { holds: (value) => typeof value === 'string' && value.trim() !== '', is: 'text' };
const webAddress: Form = {
  holds: (value) => typeof value === 'string' && /^https?:\/\/[\x21-\x7E]+$/i.test(value) && URL.canParse(value), is: 'a URL that begins with https:// or http://',
};
const matching = (form: RegExp, is: string): Form => ({ holds: (value) => typeof value === 'string' && form.test(value), is });
const flag: Form = { holds: (value) => typeof value === 'boolean', is: 'true or false' };
const moment: Form = { holds: (value) => typeof value === 'number' && Number.isInteger(value) && value >= 0, is: 'a whole number of seconds since 1970' };
const address: Form = {
  holds: (value) => typeof value === 'object' && !Array.isArray(value) && Object.keys(value).length > 0
    && Object.entries(value).every(([member, part]) => addressMembers.has(member) && typeof part === 'string' && part !== ''),
  is: `an object of texts with members out of ${[...addressMembers].join(', ')}`,
};

/** Standard claims that an attribute supplies (OpenID Connect Core §5.1), and what it must be. */
const standardForms: Readonly<Record<string, Form>> = {
  given_name: text, family_name: text, middle_name: text, nickname: text, gender: text,
  profile: webAddress, picture: webAddress, website: webAddress,
  birthdate: matching(/^(?:[0-9]{4}(?:-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01]))?)$/, 'a date like 1987-05-30, 0000-05-30 without the year, or the year alone'),
  zoneinfo: matching(/^[A-Za-z][A-Za-z0-9_+-]*(?:\/[A-Za-z0-9_+-]+)*$/, 'a time zone like Europe/Paris'),
  locale: matching(/^[A-Za-z]{2,8}(?:[-_][A-Za-z0-9]{1,8})*$/, 'a language like en or de-AT'),
  updated_at: moment,
  address,
  phone_number: matching(/^\+?[0-9(][0-9 ()./-]{1,30}(?:;ext=[0-9]{1,10})?$/, 'a telephone number like +1 604 555 1234'),
  phone_number_verified: flag,
};

/** What has a place of its own, and how it is set there. */
const elsewhere: ReadonlyMap<string, string> = new Map([
  ['sub', 'a user\'s id never changes'], ['name', '--name sets it'], ['username', '--username sets it'], ['preferred_username', '--username sets it'],
  ['email', '--email sets it'], ['email_verified', '--email-verified sets it'],
]);

/** The value of a standard claim's attribute, if it is there and of its type. */
export function standardAttribute(attributes: UserAttributes, name: string): AttributeValue | undefined {
  const value = Object.hasOwn(attributes, name) ? attributes[name] : undefined;
  return value !== undefined && standardForms[name]?.holds(value) === true ? value : undefined;
}

const nameForm = /^[A-Za-z0-9_.:/-]{1,64}$/;
const MOST = 50;
const MOST_BYTES = 16_384;

/** Whether text can be the name of an attribute. */
export function isAttributeName(name: string): boolean {
  return nameForm.test(name) && name !== '__proto__';
}

/** Where something is set that is no attribute but looks like one; null: it may be an attribute. */
export function placeElsewhere(name: string): string | null {
  return elsewhere.get(name) ?? null;
}

function isValue(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed();
  if (typeof value === 'boolean') return true;
  if (typeof value === 'number') return Number.isFinite(value);
  if (Array.isArray(value)) return value.every((item) => typeof item === 'string' && item.isWellFormed());
  return typeof value === 'object' && value !== null && Object.values(value).every((part) => typeof part === 'string' && part.isWellFormed());
}

/** Why a user cannot have these attributes; null: they can. Attributes that are standard claims must be of their type. */
export function findAttributesFault(attributes: UserAttributes): string | null {
  const entries = Object.entries(attributes);
  if (entries.length > MOST) return `a user has at most ${MOST} attributes`;
  for (const [name, value] of entries) {
    if (!isAttributeName(name)) return `an attribute's name is 1 to 64 characters of A-Z, a-z, 0-9 and _ . : / -, not ${JSON.stringify(name)}`;
    const place = elsewhere.get(name);
    if (place !== undefined) return `${name} is no attribute: ${place}`;
    if (!isValue(value)) return `the attribute ${name} must be text, a number, true or false, a list of texts, or an object of texts`;
    const form = Object.hasOwn(standardForms, name) ? standardForms[name] : undefined;
    if (form?.holds(value) === false) return `the attribute ${name} must be ${form.is}`;
  }
  const size = new TextEncoder().encode(JSON.stringify(attributes)).length;
  return size > MOST_BYTES ? `a user's attributes take at most ${MOST_BYTES / 1024} KiB` : null;
}
