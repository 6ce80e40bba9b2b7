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

/** Writes all of it before it resolves. @throws ReaderGone */
export async function writeOut(text: string): Promise<void> {
  try {
    await Bun.write(Bun.stdout, text);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EPIPE') throw new ReaderGone();
    throw error;
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
