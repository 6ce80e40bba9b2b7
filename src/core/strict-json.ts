/** What is in a JSON text. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [member: string]: JsonValue };

/** `pointer`: where it is wrong (RFC 6901); empty: in the text as a whole. */
export type JsonReading = { readonly ok: true; readonly value: JsonValue } | { readonly ok: false; readonly pointer: string; readonly fault: string };

/** How deep values may lie within each other, and how many there may be. */
const MOST_DEPTH = 16;
const MOST_VALUES = 10_000;

const space = /[ \t\n\r]*/y;
// Control characters are named because they may not stand there (RFC 8259 §7).
// oxlint-disable-next-line no-control-regex
const text = /"(?:[^"\\\u0000-\u001F]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const number = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const word = /true|false|null/y;
const words: Readonly<Record<string, boolean | null>> = { true: true, false: false, null: null };

/** Escapes one step of a pointer (RFC 6901 §3). */
export function pointerStep(name: string | number): string {
  return `/${String(name).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

class Broken extends Error {
  readonly pointer: string;
  constructor(pointer: string, fault: string) {
    super(fault);
    this.pointer = pointer;
  }
}

/**
 * Reads a JSON text that a stranger wrote (RFC 8259), more strictly than the language does (TX-05): a member given twice,
 * a number that cannot be kept exactly, text that is no Unicode, deep and endless values and `__proto__` are refused.
 */
export function readJson(source: string): JsonReading {
  let at = 0;
  let values = 0;

  function take(form: RegExp): string | null {
    form.lastIndex = at;
    const found = form.exec(source);
    if (found === null) return null;
    at = form.lastIndex;
    return found[0];
  }

  function sign(expected: string): boolean {
    take(space);
    if (source[at] !== expected) return false;
    at += 1;
    return true;
  }

  function readText(pointer: string): string | null {
    const found = take(text);
    if (found === null) return null;
    const value: unknown = JSON.parse(found);
    if (typeof value !== 'string' || !value.isWellFormed()) throw new Broken(pointer, 'it holds half of a character');
    return value;
  }

  function readObject(pointer: string, depth: number): JsonValue {
    const object: Record<string, JsonValue> = {};
    if (sign('}')) return object;
    do {
      take(space);
      const name = readText(pointer);
      if (name === null || !sign(':')) throw new Broken(pointer, 'it is not valid JSON');
      const place = pointer + pointerStep(name);
      if (name === '__proto__') throw new Broken(place, 'a member cannot have this name');
      if (Object.hasOwn(object, name)) throw new Broken(place, 'it is given twice');
      object[name] = readValue(place, depth + 1);
    } while (sign(','));
    if (!sign('}')) throw new Broken(pointer, 'it is not valid JSON');
    return object;
  }

  function readList(pointer: string, depth: number): JsonValue {
    const list: JsonValue[] = [];
    if (sign(']')) return list;
    do list.push(readValue(pointer + pointerStep(list.length), depth + 1));
    while (sign(','));
    if (!sign(']')) throw new Broken(pointer, 'it is not valid JSON');
    return list;
  }

  function readValue(pointer: string, depth: number): JsonValue {
    values += 1;
    if (depth >= MOST_DEPTH) throw new Broken(pointer, `it is more than ${MOST_DEPTH} values deep`);
    if (values > MOST_VALUES) throw new Broken('', `it holds more than ${MOST_VALUES} values`);
    if (sign('{')) return readObject(pointer, depth);
    if (sign('[')) return readList(pointer, depth);
    const named = take(word);
    if (named !== null) return words[named] ?? null;
    const written = readText(pointer);
    if (written !== null) return written;
    const digits = take(number);
    if (digits === null) throw new Broken(pointer, 'it is not valid JSON');
    const value = Number(digits);
    if (Math.abs(value) > Number.MAX_SAFE_INTEGER) throw new Broken(pointer, 'it is a number beyond 9007199254740991, which programs do not keep exactly');
    return value;
  }

  try {
    const value = readValue('', 0);
    take(space);
    return at === source.length ? { ok: true, value } : { ok: false, pointer: '', fault: 'it is not valid JSON' };
  } catch (error) {
    if (error instanceof Broken) return { ok: false, pointer: error.pointer, fault: error.message };
    throw error;
  }
}
