import { writeSync } from 'node:fs';

/** Where a command's words go. */
export type Output = {
  /** One JSON document instead of text. */
  readonly json: boolean;
  /** Bold and dim are understood. */
  readonly styled: boolean;
  /** Text for people; nothing under --json. */
  readonly print: (text: string) => Promise<void>;
  /** The JSON document; nothing for people. */
  readonly document: (value: unknown) => Promise<void>;
  /** A remark for people, on stderr. */
  readonly warn: (text: string) => void;
};

/** The reader went away (a closed pipe): nothing is left to do, and nothing is wrong. */
export class ReaderGone extends Error {
  constructor() {
    super('nobody reads the output any more');
    this.name = 'ReaderGone';
  }
}

const STDOUT = 1;
/** How long to wait for a reader that is slower than we are (milliseconds). */
const FULL_PIPE_MS = 2;

/** @returns how many bytes went out; 0 when the pipe is full. @throws ReaderGone */
function writeSome(bytes: Uint8Array): number {
  try {
    return writeSync(STDOUT, bytes);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EAGAIN') return 0;
    if (code === 'EPIPE') throw new ReaderGone();
    throw error;
  }
}

/**
 * Writes all of it before it resolves, once and in order, however slow the reader: a pipe may take only a part, and
 * Bun's own way to write to stdout then begins again. @throws ReaderGone
 */
export async function writeOut(text: string): Promise<void> {
  let rest: Uint8Array = new TextEncoder().encode(text);
  while (rest.length > 0) {
    const written = writeSome(rest);
    rest = rest.subarray(written);
    if (written === 0) await Bun.sleep(FULL_PIPE_MS);
  }
}

/** Writes to stderr; that nobody reads it stops nothing. */
export function writeErr(text: string): void {
  try {
    process.stderr.write(text);
  } catch {
    // There is no other place to say it.
  }
}

/** Output of one command. */
export function makeOutput(json: boolean): Output {
  return {
    json,
    styled: process.stdout.isTTY && process.env['NO_COLOR'] === undefined && process.env['TERM'] !== 'dumb',
    print: async (text) => {
      if (!json) await writeOut(`${text}\n`);
    },
    document: async (value) => {
      if (json) await writeOut(`${JSON.stringify(value)}\n`);
    },
    warn: (text) => writeErr(`${process.stderr.isTTY && process.env['NO_COLOR'] === undefined ? '\u001B[33mwarning:\u001B[0m' : 'warning:'} ${text}\n`),
  };
}
