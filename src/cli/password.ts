import type { Call } from './call.ts';
import { readInput } from './confirm.ts';
import { CommandFailure, UsageError } from './failure.ts';
import type { FlagRow } from './declare.ts';

/** Whether a password is only for the next sign-in. */
export const temporaryFlag: FlagRow = ['--temporary', 'another must be chosen at the next sign-in'];

const ENTER = /[\r\n]/;
const CTRL_C = '\u0003';
const CTRL_D = '\u0004';
const ERASE: ReadonlySet<string> = new Set(['\u007F', '\b']);

/** Lines typed on the terminal without showing them. */
async function readHidden(questions: readonly string[]): Promise<readonly string[]> {
  const { stdin, stderr } = process;
  const lines: string[] = [];
  let typed: string[] = [];
  stdin.setEncoding('utf8');
  stdin.setRawMode(true);
  try {
    stderr.write(questions[0] ?? '');
    for await (const chunk of stdin) {
      for (const character of String(chunk)) {
        if (character === CTRL_C || (character === CTRL_D && typed.length === 0)) {
          stderr.write('\n');
          throw new CommandFailure('cancelled', 'nothing was changed');
        }
        if (ERASE.has(character)) typed.pop();
        else if (ENTER.test(character)) {
          lines.push(typed.join(''));
          typed = [];
          stderr.write(`\n${questions[lines.length] ?? ''}`);
          if (lines.length === questions.length) return lines;
        } else if (character !== CTRL_D) typed.push(character);
      }
    }
    throw new CommandFailure('cancelled', 'nothing was changed');
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
  }
}

/**
 * A new password: asked for twice on a terminal, without showing it, else all of standard input without the line break at
 * its end. Never waits where nobody can answer.
 * @throws UsageError, CommandFailure
 */
export async function readNewPassword(call: Call): Promise<string> {
  if (!process.stdin.isTTY) return readInput('the password');
  if (call.out.json || !process.stderr.isTTY) throw new UsageError('the password comes on standard input: pipe it in (nobody can be asked here)');
  const [first = '', second = ''] = await readHidden(['New password: ', 'Once more: ']);
  if (first !== second) throw new CommandFailure('cancelled', 'the two passwords are not the same; nothing was changed');
  if (first === '') throw new CommandFailure('cancelled', 'no password was given; nothing was changed');
  return first;
}
