import list from './common-passwords.txt' with { type: 'text' };

let read: ReadonlySet<string> | null = null;

/** What people choose most, at least eight characters each, in lower case; read when somebody chooses one. */
function isListed(text: string): boolean {
  read ??= new Set(list.split('\n').map((line) => line.trim().toLowerCase()).filter((line) => line !== ''));
  return read.has(text);
}

/** So many digits or marks around a common one do not make it another. */
const MOST_ORNAMENTS = 6;
const SHORTEST_COMMON = 8;
/** A pattern of so many characters, repeated, is as easy as its first time. */
const LONGEST_PATTERN = 4;

/**
 * Whether a password is one of those that are tried first (UI-15): on the list whatever its letter case, two of the list
 * in a row, one of the list with a few digits or marks before or behind, a short pattern repeated, or a row like `abcdef…`.
 * @param normalized NFC
 */
export function isCommonPassword(normalized: string): boolean {
  const text = normalized.toLowerCase();
  return isListed(text) || isOrnamented(text) || isTwoOfThem(text) || isRepeated(text) || isRow(text);
}

function isOrnamented(text: string): boolean {
  const core = text.replace(/^[\P{L}]+/u, '').replace(/[\P{L}]+$/u, '');
  return text.length - core.length <= MOST_ORNAMENTS && isListed(core);
}

function isTwoOfThem(text: string): boolean {
  for (let cut = SHORTEST_COMMON; cut <= text.length - SHORTEST_COMMON; cut += 1) {
    if (isListed(text.slice(0, cut)) && isListed(text.slice(cut))) return true;
  }
  return false;
}

function isRepeated(text: string): boolean {
  for (let length = 1; length <= LONGEST_PATTERN; length += 1) {
    if (text.length > length && text === text.slice(0, length).repeat(Math.ceil(text.length / length)).slice(0, text.length)) return true;
  }
  return false;
}

/** Each character follows, or precedes, the one before it; after 9 comes 0. */
function isRow(text: string): boolean {
  const points = Array.from(text, (character) => character.codePointAt(0) ?? 0);
  const follows = (from: number, to: number): boolean => to === from + 1 || (from === 0x39 && to === 0x30);
  const pairs = points.slice(1).map((point, index) => [points[index] ?? 0, point] as const);
  return pairs.length > 0 && (pairs.every(([from, to]) => follows(from, to)) || pairs.every(([from, to]) => follows(to, from)));
}
