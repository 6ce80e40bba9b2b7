/** Anything else than words and quotes: what a shell would make something of. */
const word = /\s*(?:((?:[^\s'"\\]|\\.|'[^']*'|"[^"]*")+)|$)/suy;
const piece = /\\(.)|'([^']*)'|"([^"]*)"|([^\s'"\\]+)/gsu;

/**
 * Splits a command into the program and its arguments, without a shell: quotes keep words together, a backslash takes the
 * next character as it is, and nothing else means anything (`$HOME`, `|` and `*` stand for themselves).
 * @returns null: it is empty, or a quote is open
 */
export function splitCommand(text: string): readonly string[] | null {
  const words: string[] = [];
  word.lastIndex = 0;
  while (word.lastIndex < text.length) {
    const found = word.exec(text);
    if (found === null) return null;
    if (found[1] === undefined) break;
    words.push(found[1].replaceAll(piece, (_whole, escaped?: string, single?: string, double?: string, bare?: string) => escaped ?? single ?? double ?? bare ?? ''));
  }
  return words.length === 0 ? null : words;
}
