import type { UserAttributes } from '../core/model.ts';
import { parseAttribute } from '../core/user-attributes.ts';
import type { FlagRow } from './declare.ts';
import { UsageError } from './failure.ts';
import type { Flags } from './flags.ts';

type Value = UserAttributes[string];

/** Attributes of a user, as flags. */
export const attributeFlag: FlagRow = [
  '--attribute <NAME=VALUE>', 'what else is known of them, like given_name=Alice; a list, object, number, true or false as JSON, a text of digits in double quotes; NAME= removes it', 'repeat',
];

function readValue(name: string, text: string): Value | null {
  const value = parseAttribute(text);
  if (value === undefined) throw new UsageError(`--attribute ${name}: a list or object holds texts only`);
  return value;
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
