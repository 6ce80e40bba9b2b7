import type { UserAttributes } from '../core/model.ts';
import type { FlagRow } from './declare.ts';
import { UsageError } from './failure.ts';
import type { Flags } from './flags.ts';

type Value = UserAttributes[string];

/** Attributes of a user, as flags. */
export const attributeFlag: FlagRow = [
  '--attribute <NAME=VALUE>', 'what else is known of them, like given_name=Alice; a list, object, number, true or false as JSON, a text of digits in double quotes; NAME= removes it', 'repeat',
];

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** What stands behind the `=`: JSON where it is a list, an object, a number, a truth value or a text in quotes, else the text as it is. */
function readValue(name: string, text: string): Value | null {
  if (text === '') return null;
  const value = parse(text);
  if (typeof value === 'number' && Number.isFinite(value) && String(value) === text.trim()) return value;
  if (typeof value === 'boolean') return value;
  if (typeof value === 'string') return value === '' ? null : value;
  if (typeof value !== 'object' || value === null) return text;
  if (Array.isArray(value) && value.every(isText)) return value;
  const entries = Object.entries(value);
  if (!Array.isArray(value) && entries.every((entry): entry is [string, string] => isText(entry[1]))) return Object.fromEntries(entries);
  throw new UsageError(`--attribute ${name}: a list or object holds texts only`);
}

/** The changes of `--attribute`, null for one that goes; undefined when the flag is not given. @throws UsageError */
export function readAttributes(flags: Flags): Readonly<Record<string, Value | null>> | undefined {
  return flags.list('attribute')?.reduce<Record<string, Value | null>>((edits, item) => {
    const at = item.indexOf('=');
    const name = item.slice(0, at);
    if (at < 1) throw new UsageError(`--attribute is NAME=VALUE, like --attribute given_name=Alice, not ${JSON.stringify(item)}`);
    if (Object.hasOwn(edits, name)) throw new UsageError(`--attribute names ${name} twice`);
    return { ...edits, [name]: readValue(name, item.slice(at + 1)) };
  }, {});
}

/** An attribute's value for people. */
export function showValue(value: Value): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
