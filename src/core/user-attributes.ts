import { faultOf, type Fault } from './fault.ts';
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

/** What has a place of its own: what it is there, and the flag that sets it. */
const elsewhere: ReadonlyMap<string, readonly [is: string, hint: string | null]> = new Map([
  ['sub', ['a user\'s id never changes', null]], ['name', ['a user has a name of their own', '--name sets it']],
  ['username', ['a user has a username of their own', '--username sets it']], ['preferred_username', ['it is a user\'s username', '--username sets it']],
  ['email', ['a user has an address of their own', '--email sets it']], ['email_verified', ['it belongs to a user\'s address', '--email-verified sets it']],
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

/** Whether something is no attribute but looks like one, as it has a place of its own. */
export function isElsewhere(name: string): boolean {
  return elsewhere.has(name);
}

const fault = (description: string, hint: string | null = null): Fault => faultOf('attributes', description, hint);

function isValue(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed();
  if (typeof value === 'boolean') return true;
  if (typeof value === 'number') return Number.isFinite(value);
  if (Array.isArray(value)) return value.every((item) => typeof item === 'string' && item.isWellFormed());
  return typeof value === 'object' && value !== null && Object.values(value).every((part) => typeof part === 'string' && part.isWellFormed());
}

/** Why a user cannot have these attributes; null: they can. Attributes that are standard claims must be of their type. */
export function findAttributesFault(attributes: UserAttributes): Fault | null {
  const entries = Object.entries(attributes);
  if (entries.length > MOST) return fault(`a user has at most ${MOST} attributes`);
  for (const [name, value] of entries) {
    if (!isAttributeName(name)) return fault(`an attribute's name is 1 to 64 characters of A-Z, a-z, 0-9 and _ . : / -, not ${JSON.stringify(name)}`);
    const place = elsewhere.get(name);
    if (place !== undefined) return fault(`${name} is no attribute: ${place[0]}`, place[1]);
    if (!isValue(value)) return fault(`the attribute ${name} must be text, a number, true or false, a list of texts, or an object of texts`);
    const form = Object.hasOwn(standardForms, name) ? standardForms[name] : undefined;
    if (form?.holds(value) === false) return fault(`the attribute ${name} must be ${form.is}`);
  }
  const size = new TextEncoder().encode(JSON.stringify(attributes)).length;
  return size > MOST_BYTES ? fault(`a user's attributes take at most ${MOST_BYTES / 1024} KiB`) : null;
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function parseJson(typed: string): unknown {
  try {
    return JSON.parse(typed) as unknown;
  } catch {
    return undefined;
  }
}

/**
 * An attribute's value as somebody types it: JSON where it is a list, an object, a number, a truth value or a text in quotes,
 * else the text as it is. null: none. undefined: a list or object of anything but texts, which it cannot be.
 */
export function parseAttribute(typed: string): AttributeValue | null | undefined {
  if (typed === '') return null;
  const value = parseJson(typed);
  if (typeof value === 'number' && Number.isFinite(value) && String(value) === typed.trim()) return value;
  if (typeof value === 'boolean') return value;
  if (typeof value === 'string') return value === '' ? null : value;
  if (typeof value !== 'object' || value === null) return typed;
  if (Array.isArray(value)) return value.every(isText) ? value : undefined;
  const entries = Object.entries(value);
  return entries.every((entry): entry is [string, string] => isText(entry[1])) ? Object.fromEntries(entries) : undefined;
}

/** An attribute's value as it would be typed, in one line: what `parseAttribute` reads as the same again. */
export function typeAttribute(value: AttributeValue): string {
  return typeof value === 'string' && parseAttribute(value) === value && !/^\s|\s$|[\r\n]/.test(value) ? value : JSON.stringify(value);
}
