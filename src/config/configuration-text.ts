import type { Document, LineCounter } from 'yaml';
import type { Json } from '../core/configuration/json.ts';
import type { Place } from '../core/configuration/read.ts';

/** A configuration file as text: YAML, of which JSON is a part. */

/** Largest file, bytes. */
export const MOST_CONFIGURATION_BYTES = 16 * 1_048_576;
/** Aliases that a document may resolve: a few lines must not become gigabytes. */
const MOST_ALIASES = 100;

export type ConfigurationText =
  | { readonly ok: true; readonly value: Json; readonly lineOf: (place: Place) => number | null }
  | { readonly ok: false; readonly problems: readonly string[] };

/** Reads a file's text. Duplicate keys, several documents and values that JSON does not have are refused. */
export async function parseConfiguration(text: string): Promise<ConfigurationText> {
  const { LineCounter: Lines, parseDocument } = await import('yaml');
  const lines = new Lines();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, strict: true, version: '1.2', merge: false, stringKeys: true });
  const [first] = document.errors;
  if (first !== undefined) return { ok: false, problems: document.errors.slice(0, 10).map((error) => error.message.split('\n', 1)[0]?.replace(/:$/, '') ?? 'not YAML') };
  try {
    const value: unknown = document.toJS({ maxAliasCount: MOST_ALIASES });
    const fault = findForeign(value);
    if (fault !== null) return { ok: false, problems: [fault] };
    // Looked through just now: nothing but what JSON has.
    return { ok: true, value: value as Json, lineOf: (place) => lineOf(document, lines, place) };
  } catch (error) {
    return { ok: false, problems: [error instanceof Error ? error.message : 'not YAML'] };
  }
}

/** YAML has more than JSON: dates, binary, infinities. */
function findForeign(value: unknown): string | null {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return null;
  if (typeof value === 'number') return Number.isFinite(value) && Math.abs(value) <= Number.MAX_SAFE_INTEGER ? null : 'a number is too large to be exact';
  if (Array.isArray(value)) {
    for (const item of value) {
      const fault = findForeign(item);
      if (fault !== null) return fault;
    }
    return null;
  }
  if (typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype) return 'there is a value that JSON does not have';
  return Object.values(value).map(findForeign).find((fault) => fault !== null) ?? null;
}

/** Line of a value, or of the nearest one around it that has a place. */
function lineOf(document: Document.Parsed, lines: LineCounter, place: Place): number | null {
  for (let depth = place.length; depth >= 0; depth -= 1) {
    const node: unknown = document.getIn(place.slice(0, depth), true);
    const range: unknown = typeof node === 'object' && node !== null ? Reflect.get(node, 'range') : undefined;
    if (Array.isArray(range) && typeof range[0] === 'number') return lines.linePos(range[0]).line;
  }
  return null;
}

/** Writes configuration as YAML, the same text for the same configuration. */
export async function writeConfiguration(value: Json): Promise<string> {
  const { stringify } = await import('yaml');
  return stringify(value, { lineWidth: 0, version: '1.2', aliasDuplicateObjects: false });
}
