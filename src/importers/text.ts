import { UnreadableImport } from '../core/imported.ts';

/** What a reader reads. */
export type ImportSource = {
  /** The file, in pieces of any size. */
  readonly bytes: AsyncIterable<Uint8Array>;
  /** Issuer of the tokens that the other server signed; null: only what the file tells. */
  readonly issuer: string | null;
  /** Of a file that is encrypted; null: none was given. */
  readonly passphrase: string | null;
};

/** Largest file. */
const MOST_BYTES = 268_435_456;
/** Longest line, and longest row, of a file that is read piece by piece: characters. */
const MOST_LINE = 4_194_304;

/** A file as text, in pieces. @throws UnreadableImport for what is no UTF-8, or too large */
export async function* readPieces(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let size = 0;
  const decode = (piece?: Uint8Array): string => {
    try {
      return piece === undefined ? decoder.decode() : decoder.decode(piece, { stream: true });
    } catch {
      throw new UnreadableImport('the file is not UTF-8 text');
    }
  };
  for await (const piece of bytes) {
    size += piece.length;
    if (size > MOST_BYTES) throw new UnreadableImport(`the file is too large: at most ${MOST_BYTES / 1_048_576} MiB, so export users in several files`);
    yield decode(piece);
  }
  yield decode();
}

/** A JSON text as a value. @throws UnreadableImport */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new UnreadableImport('the file is not JSON');
  }
}

/** A file's text, all of it. @throws UnreadableImport */
export async function readAll(pieces: AsyncIterable<string>): Promise<string> {
  const read: string[] = [];
  for await (const piece of pieces) read.push(piece);
  return read.join('');
}

/** A file whose beginning tells what it is. `all`: still all of it. */
export type Begun = { readonly first: string; readonly all: AsyncIterable<string> };

/** Reads up to the first letter that is not space; '' where there is none. */
export async function begin(pieces: AsyncIterable<string>): Promise<Begun> {
  const iterator = pieces[Symbol.asyncIterator]();
  let read = '';
  while (read.trim() === '') {
    const next = await iterator.next();
    if (next.done === true) break;
    read += next.value;
    if (read.length > MOST_LINE) break;
  }
  const rest = { [Symbol.asyncIterator]: () => iterator };
  return { first: read.trim().slice(0, 1), all: join(read, rest) };
}

async function* join(head: string, rest: AsyncIterable<string>): AsyncGenerator<string> {
  yield head;
  yield* rest;
}

/** Lines that are not empty, with their numbers. @throws UnreadableImport for one that is endless */
export async function* readLines(pieces: AsyncIterable<string>): AsyncGenerator<{ readonly number: number; readonly text: string }> {
  let rest = '';
  let number = 0;
  for await (const piece of pieces) {
    const lines = (rest + piece).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      number += 1;
      if (line.trim() !== '') yield { number, text: line.trim() };
    }
    if (rest.length > MOST_LINE) throw new UnreadableImport(`line ${number + 1} is longer than ${MOST_LINE} characters`);
  }
  if (rest.trim() !== '') yield { number: number + 1, text: rest.trim() };
}

/** A row of a CSV file by column, as the columns are written; cells that are empty are left out. */
export type CsvRow = { readonly line: number; readonly cells: Readonly<Record<string, string>> };

/** A cell by the first of these names that its row has, whatever the letter case. null: none has it. */
export function cellOf({ cells }: CsvRow, ...names: readonly string[]): string | null {
  const entries = Object.entries(cells);
  for (const name of names) {
    const found = entries.find(([column]) => column.toLowerCase() === name);
    if (found !== undefined) return found[1];
  }
  return null;
}

/** The same as a switch; null: there is none, or it says something else. */
export function switchOf(row: CsvRow, ...names: readonly string[]): boolean | null {
  const text = cellOf(row, ...names)?.toLowerCase();
  return text === 'true' || text === '1' || text === 'yes' ? true : text === 'false' || text === '0' || text === 'no' ? false : null;
}

type Parsed = { readonly record: readonly string[]; readonly info: { readonly lines: number } };

/** Rows of a CSV file (RFC 4180) whose first one names the columns. @throws UnreadableImport */
export async function* readCsv(pieces: AsyncIterable<string>): AsyncGenerator<CsvRow> {
  // Few commands need it.
  const [{ parse, CsvError }, { Readable }] = await Promise.all([import('csv-parse'), import('node:stream')]);
  const parser = parse({ bom: true, relaxColumnCount: true, skipEmptyLines: true, maxRecordSize: MOST_LINE, info: true });
  const source = Readable.from(pieces);
  // What goes wrong while reading is told to whoever waits for rows.
  source.on('error', (error) => parser.destroy(error));
  source.pipe(parser);
  let columns: readonly string[] | null = null;
  try {
    for await (const parsed of parser) {
      const { record, info } = parsed as Parsed;
      if (columns === null) {
        columns = record.map((name) => name.trim());
        continue;
      }
      const cells: Record<string, string> = {};
      for (const [index, name] of columns.entries()) {
        const cell = record[index];
        if (cell !== undefined && cell !== '' && name !== '__proto__') cells[name] = cell;
      }
      yield { line: info.lines, cells };
    }
  } catch (error) {
    if (error instanceof CsvError) throw new UnreadableImport('the file is not CSV: quotes or columns do not fit');
    throw error;
  } finally {
    source.destroy();
    parser.destroy();
  }
}
