import { existsSync, readFileSync, statSync } from 'node:fs';
import { logoBytes, MOST_LOGO_BYTES, readLogo } from '../core/logo.ts';
import type { Logo, PeopleSettings } from '../core/people.ts';
import { findOverrideFault, messageKeys, OWN_SCOPE } from '../pages/text.ts';
import { locales } from '../pages/views.ts';
import { findClosest } from '../core/closest.ts';
import { claimFlag, readClaims, showClaim } from './claim-flags.ts';
import type { FlagRow } from './declare.ts';
import { UsageError } from './failure.ts';
import { given, type Flags } from './flags.ts';
import { showSeconds } from './text.ts';

/** How people sign in to a tenant, and how its pages look: as flags. */
export const peopleFlags: readonly FlagRow[] = [
  ['--registration <on|off>', 'whether strangers may make accounts (default: off)'],
  ['--passwords <on|off>', 'whether people may sign in with a password (default: on)'],
  ['--email-codes <on|off>', 'whether people may sign in with a code sent to their address (default: on)'],
  ['--passkeys <on|off>', 'whether people may sign in with a passkey (default: on)'],
  ['--password-min-length <N>', 'shortest new password, 8 to 64 characters (default: 12)'],
  ['--session-idle-ttl <SECONDS>', 'how long a sign-in lasts without a visit or a refresh (default: 43200)'],
  ['--session-ttl <SECONDS>', 'how long a sign-in lasts at most (default: 604800)'],
  ['--color <#rrggbb>', 'color of buttons and links on its pages; "none" for the usual one'],
  ['--logo <FILE>', `picture on its pages: SVG, PNG, JPEG or WebP, at most ${MOST_LOGO_BYTES / 1024} KiB; "none" takes it away`],
  ['--messages <FILE>', 'own wording of pages and mails, JSON like {"en": {"KEY": "text"}}; replaces the former, "none" takes it away'],
  claimFlag,
];

const NONE = 'none';
const MOST_MESSAGES_BYTES = 262_144;

function readFile(flag: string, path: string, mostBytes: number): Uint8Array {
  if (!existsSync(path) || !statSync(path).isFile()) throw new UsageError(`--${flag} ${path}: there is no such file`);
  if (statSync(path).size > mostBytes) throw new UsageError(`--${flag} ${path} cannot be used: it is larger than ${mostBytes / 1024} KiB`);
  try {
    return readFileSync(path);
  } catch {
    throw new UsageError(`--${flag} ${path} cannot be read: look at its permissions`);
  }
}

function readLogoFile(path: string | undefined): Logo | null | undefined {
  if (path === undefined) return undefined;
  if (path === NONE || path === '') return null;
  const reading = readLogo(readFile('logo', path, MOST_LOGO_BYTES));
  if (!reading.ok) throw new UsageError(`--logo ${path} cannot be used: ${reading.fault}`, [], 'invalid_request');
  return reading.logo;
}

type Messages = PeopleSettings['messages'];

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new UsageError(`--messages ${path} is not JSON`);
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What is wrong with a text of a tenant's own. */
function findMessageFault(key: string, text: unknown): string | null {
  if (typeof text !== 'string') return 'it must be a text';
  if (messageKeys.includes(key) || key.startsWith(OWN_SCOPE)) return findOverrideFault(key, text);
  const meant = findClosest(key, messageKeys);
  return `there is no text of that name${meant === null ? '' : `; did you mean ${meant}?`}`;
}

/** Own wording from a file; every problem at once. @throws UsageError */
function readMessages(path: string | undefined): Messages | undefined {
  if (path === undefined) return undefined;
  if (path === NONE || path === '') return {};
  const wrongForm = new UsageError(`--messages ${path} must hold an object of languages, each with an object of texts: {"en": {"KEY": "text"}}`, [], 'invalid_request');
  const value = parseJson(path, new TextDecoder().decode(readFile('messages', path, MOST_MESSAGES_BYTES)));
  if (!isObject(value)) throw wrongForm;
  const problems: string[] = [];
  const messages: Record<string, Record<string, string>> = {};
  for (const [locale, texts] of Object.entries(value)) {
    if (!isObject(texts)) throw wrongForm;
    if (!locales.some((one) => one === locale)) problems.push(`${locale}: the languages are ${locales.join(', ')}`);
    const kept: Record<string, string> = {};
    for (const [key, text] of Object.entries(texts)) {
      const fault = findMessageFault(key, text);
      if (fault !== null) problems.push(`${locale}, ${key}: ${fault}`);
      else if (typeof text === 'string') kept[key] = text;
    }
    messages[locale] = kept;
  }
  const [first = ''] = problems;
  if (problems.length === 1) throw new UsageError(`--messages ${path} cannot be used: ${first}`, [], 'invalid_request');
  if (problems.length > 1) throw new UsageError(`--messages ${path} cannot be used`, problems, 'invalid_request');
  return messages;
}

function readMinLength(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (!/^[0-9]{1,3}$/.test(value)) throw new UsageError('--password-min-length is a number of characters, from 8 to 64');
  return Number(value);
}

function readColor(value: string | undefined): string | null | undefined {
  return value === NONE || value === '' ? null : value?.toLowerCase();
}

/** What a command line changes about signing in; undefined: nothing. @throws UsageError */
export function readPeople(flags: Flags): Partial<PeopleSettings> | undefined {
  const isOn = (name: string): boolean | undefined => {
    const word = flags.oneOf(name, ['on', 'off']);
    return word === undefined ? undefined : word === 'on';
  };
  const change = given<Partial<PeopleSettings>>({
    registration: isOn('registration'), passwords: isOn('passwords'), emailCodes: isOn('email-codes'), passkeys: isOn('passkeys'),
    passwordMinLength: readMinLength(flags.text('password-min-length')),
    sessionIdleTtl: flags.seconds('session-idle-ttl'), sessionTtl: flags.seconds('session-ttl'),
    color: readColor(flags.text('color')), logo: readLogoFile(flags.text('logo')), messages: readMessages(flags.text('messages')), claims: readClaims(flags),
  });
  return Object.keys(change).length === 0 ? undefined : change;
}

const word = (on: boolean): 'on' | 'off' => (on ? 'on' : 'off');

/** The same for people. */
export function peopleFacts(people: PeopleSettings): readonly (readonly [name: string, value: string | null])[] {
  const ways = [...(people.passwords ? [`password (${people.passwordMinLength} characters or more)`] : []), ...(people.emailCodes ? ['code by mail'] : []), ...(people.passkeys ? ['passkey'] : [])];
  const worded = Object.entries(people.messages).map(([locale, texts]) => `${locale} (${Object.keys(texts).length})`);
  return [
    ['sign-in', `${ways.join(', ')}; registration ${word(people.registration)}`],
    ['sessions', `${showSeconds(people.sessionTtl)}, ${showSeconds(people.sessionIdleTtl)} without a visit`],
    ['color', people.color],
    ['logo', people.logo === null ? null : `${people.logo.type}, ${logoBytes(people.logo)} bytes`],
    ['own wording', worded.length === 0 ? null : worded.join(', ')],
    ['claims', people.claims.length === 0 ? null : people.claims.map(showClaim).join(' ')],
  ];
}
