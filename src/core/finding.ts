/** What a look at a server found. `warning`: it works, and should be seen to; `skipped`: there was nothing to look at. */
export type Finding = {
  /** Which check. */
  readonly check: string;
  readonly outcome: 'ok' | 'warning' | 'problem' | 'skipped';
  /** What is. Never holds a secret. */
  readonly detail: string;
  /** What to do; null: nothing. */
  readonly fix: string | null;
};

/** A finding without the name of its check. */
export type Seen = Omit<Finding, 'check'>;

/** All is well. */
export const fine = (detail: string): Seen => ({ outcome: 'ok', detail, fix: null });
/** There is nothing to look at. */
export const nothing = (detail: string): Seen => ({ outcome: 'skipped', detail, fix: null });
/** It works, but. */
export const warning = (detail: string, fix: string): Seen => ({ outcome: 'warning', detail, fix });
/** It does not work, or will not. */
export const problem = (detail: string, fix: string): Seen => ({ outcome: 'problem', detail, fix });
