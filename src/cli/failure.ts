import type { Managed } from '../service/manage-outcome.ts';

/** A command that could not do what it was asked: said in one piece, exit code 1. */
export class CommandFailure extends Error {
  readonly code: string;
  /** Several problems at once, each a sentence. */
  readonly problems: readonly string[];
  /** @param code for programs, @param description for people: what happened, what to do */
  constructor(code: string, description: string, problems: readonly string[] = []) {
    super(description);
    this.name = 'CommandFailure';
    this.code = code;
    this.problems = problems;
  }
}

/** A command line that makes no sense: exit code 2. */
export class UsageError extends Error {
  readonly code: string;
  readonly problems: readonly string[];
  /** @param code for programs; `invalid_request` where the command is right and a value can never be */
  constructor(description: string, problems: readonly string[] = [], code = 'usage') {
    super(description);
    this.name = 'UsageError';
    this.code = code;
    this.problems = problems;
  }
}

/**
 * The value of an act that succeeded; its warnings go to `warn`.
 * @throws UsageError for a value that can never be right, CommandFailure for everything that the data says against it
 */
export function valueOf<T>(outcome: Managed<T>, warn: (text: string) => void): T {
  if (!outcome.ok) {
    const words = outcome.hint === null ? outcome.description : `${outcome.description}; ${outcome.hint}`;
    throw outcome.error === 'invalid_request' ? new UsageError(words, [], outcome.error) : new CommandFailure(outcome.error, words);
  }
  for (const warning of outcome.warnings) {
    const hint = outcome.hints?.[warning];
    warn(hint === undefined ? warning : `${warning}; ${hint}`);
  }
  return outcome.value;
}
