import { createInterface } from 'node:readline/promises';
import type { Call } from './call.ts';
import { CommandFailure, UsageError } from './failure.ts';

/**
 * Asks before something is gone for good. Never waits where nobody can answer.
 * @throws UsageError without --yes off a terminal, CommandFailure when the answer is no
 */
export async function confirm(call: Call, question: string, what: 'deletes' | 'resets' = 'deletes'): Promise<void> {
  if (call.flags.on('yes')) return;
  if (call.out.json || !process.stdin.isTTY || !process.stderr.isTTY) {
    throw new UsageError('this cannot be taken back: add --yes to confirm (nobody can be asked here)');
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    // Ctrl-C and Ctrl-D reject: both mean no.
    const answer = await terminal.question(`${question} [y/N] `).catch(() => '\n');
    if (answer === '\n') process.stderr.write('\n');
    if (!/^y(es)?$/i.test(answer.trim())) throw new CommandFailure('cancelled', what === 'deletes' ? 'nothing was deleted' : 'nothing was changed');
  } finally {
    terminal.close();
  }
}

/** The flag that answers beforehand. */
export const yesFlag = ['--yes', 'do not ask; needed when not on a terminal'] as const;

const MAX_INPUT = 65_536;

/** Text from standard input, without the line break at its end. @throws UsageError when there is none */
export async function readInput(what: string): Promise<string> {
  if (process.stdin.isTTY) process.stderr.write(`${what}, then Enter and Ctrl-D: `);
  const text = (await Bun.stdin.text()).replace(/\r?\n$/, '');
  if (text === '') throw new UsageError(`nothing came on standard input: ${what} is expected there`);
  if (text.length > MAX_INPUT) throw new UsageError('standard input is far too long');
  return text;
}
