/** What JSON lets through, and some terminals act on: C1 controls, line separators, marks that reorder text. */
const commanding = /[\u007F-\u009F\u2028\u2029\u202A-\u202E\u2066-\u2069]/g;

/** One JSON document on one line, with nothing in it that a terminal obeys (LG-03); without the line's end. */
export function jsonLine(value: object): string {
  return JSON.stringify(value).replace(commanding, escapeCharacter);
}

/** The same in plain ASCII, for those who do not say what their bytes mean. */
export function asciiJsonLine(value: object): string {
  return JSON.stringify(value).replace(/[^\x20-\x7E]/g, escapeCharacter);
}

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
