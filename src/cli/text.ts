/** Text for people: tables, blocks, times. */

/** What terminals obey, or what reorders text, shown instead of obeyed (TX-04, LG-03). */
const commanding = /[\p{Cc}\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069\uFEFF]/gu;

/** Text from elsewhere, safe for a terminal. */
export function plain(text: string): string {
  return text.replace(commanding, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** A moment, in UTC: `2026-11-20 16:07:18Z`. */
export function showTime(ms: number | null): string {
  return ms === null ? '–' : `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')}Z`;
}

/** A lifetime: `5 min`, `1 h`, `30 d`, or seconds where nothing larger fits. */
export function showSeconds(seconds: number): string {
  for (const [unit, size] of [['d', 86_400], ['h', 3600], ['min', 60]] as const) {
    if (seconds >= size && seconds % size === 0) return `${seconds / size} ${unit}`;
  }
  return `${seconds} s`;
}

type Style = { readonly bold: (text: string) => string; readonly dim: (text: string) => string };

/** Bold and dim, or nothing of the kind. */
export function styleFor(styled: boolean): Style {
  const wrap = (open: number, close: number) => (text: string) => (styled ? `\u001B[${open}m${text}\u001B[${close}m` : text);
  return { bold: wrap(1, 22), dim: wrap(2, 22) };
}

function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - Bun.stringWidth(text)));
}

/** Columns under headings. @param rows one cell per heading */
export function table(styled: boolean, headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const { dim } = styleFor(styled);
  const safe = rows.map((row) => row.map(plain));
  const widths = headings.map((heading, column) => Math.max(Bun.stringWidth(heading), ...safe.map((row) => Bun.stringWidth(row[column] ?? ''))));
  const line = (cells: readonly string[]): string => cells.map((cell, column) => pad(cell, widths[column] ?? 0)).join('  ').trimEnd();
  return [dim(line(headings)), ...safe.map(line)].join('\n');
}

/** One thing: a title and its aligned facts; facts that are null are left out. */
export function block(styled: boolean, title: string, facts: readonly (readonly [name: string, value: string | null])[]): string {
  const { bold, dim } = styleFor(styled);
  const shown = facts.filter((fact): fact is readonly [string, string] => fact[1] !== null);
  const width = Math.max(...shown.map(([name]) => name.length));
  return [bold(plain(title)), ...shown.map(([name, value]) => `  ${dim(pad(name, width))}  ${plain(value)}`)].join('\n');
}

/** Words of a list, or a dash. */
export function words(list: readonly string[]): string {
  return list.length === 0 ? '–' : list.join(' ');
}
