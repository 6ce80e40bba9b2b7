import { toPage } from './lists.ts';
import type { Page, Paged } from '../../core/paging.ts';

/** Where a row stands in a list: by a key, and by what tells rows of the same key apart. */
export type Place = readonly [key: string | number, tie: string | number];

/** One way through an index. A list that is several of them in turn shows what the first finds, then the second. */
export type Walk<Row> = {
  /** From where to begin: before every row. */
  readonly start: Place;
  /** Rows behind a place, in the order of the index. */
  readonly behind: (place: Place, limit: number) => readonly Row[];
  readonly placeOf: (row: Row) => Place;
};

/** After every text that can be stored, in the order of its bytes. */
export const LAST = '\u{10FFFF}';

/** Ends a range: texts that begin with `prefix` come before it. */
export function endOf(prefix: string): string {
  return prefix + LAST;
}

function writeCursor(walk: number, [key, tie]: Place): string {
  return JSON.stringify([walk, key, tie]);
}

const isKey = (value: unknown): value is string | number => typeof value === 'string' || (typeof value === 'number' && Number.isSafeInteger(value));

/** What `writeCursor` wrote; null: nothing of ours, and the list begins anew. */
function readCursor(text: string): { readonly walk: number; readonly place: Place } | null {
  try {
    const value: unknown = JSON.parse(text);
    const parts: readonly unknown[] = Array.isArray(value) ? value : [];
    const [walk, key, tie] = parts;
    return typeof walk === 'number' && isKey(key) && isKey(tie) ? { walk, place: [key, tie] } : null;
  } catch {
    return null;
  }
}

/** A part of a list that is walks through indexes, one after another: it costs what it shows, wherever it begins. */
export function pageOf<Row, T>(walks: readonly Walk<Row>[], { after, limit }: Page, toItem: (row: Row) => T): Paged<T> {
  const from = after === null ? null : readCursor(after);
  const found: { readonly row: Row; readonly cursor: () => string }[] = [];
  for (const [number, walk] of walks.entries()) {
    if (number < (from?.walk ?? 0) || found.length > limit) continue;
    const rows = walk.behind(number === from?.walk ? from.place : walk.start, limit + 1 - found.length);
    for (const row of rows) found.push({ row, cursor: () => writeCursor(number, walk.placeOf(row)) });
  }
  return toPage(found, limit, ({ cursor }) => cursor(), ({ row }) => toItem(row));
}
