import { auditEvent, type AuditEvent, type AuditType } from '../core/audit-event.ts';
import type { Fault } from '../core/fault.ts';
import type { Context } from './context.ts';

/** What can be wrong with an operator's wish. */
export type ManageError =
  /** A value that is not allowed. */
  | 'invalid_request'
  | 'not_found'
  | 'already_exists'
  /** Nothing wrong with the value, but with the state of things. */
  | 'conflict'
  /** The scope goes beyond what may be granted. */
  | 'invalid_scope'
  /** Not any more what the caller saw when it decided. */
  | 'outdated'
  /** More than the caller may. */
  | 'forbidden';

/** A refusal; the description says what happened, for people. */
export type Refusal = {
  readonly ok: false;
  readonly error: ManageError;
  readonly description: string;
  /** The wish's member that is wrong, as its type calls it (`redirectUris`); null: none in particular. */
  readonly member: string | null;
  /** What to do, for who works with commands: `\`assay client list\` shows all`. */
  readonly hint: string | null;
};

/** Whether a row still is what the caller saw (`If-Match`); left out: whatever it is. Always `await` it. */
export type Guard<T> = (current: T) => boolean | Promise<boolean>;

/** The refusal where a guard says no. */
export const outdated: Refusal = refused('outdated', 'it changed since it was read: read it again, and decide on what it is now');

/** What to know about an act that was done; `hint` as in a refusal. */
export type Warning = { readonly description: string; readonly hint: string };

/** Outcome of an operator's act. Warnings do not stop anything. */
export type Managed<T> = {
  readonly ok: true;
  readonly value: T;
  readonly warnings: readonly string[];
  /** What to do about a warning, for who works with commands, by the warning's text. */
  readonly hints?: Readonly<Record<string, string>>;
} | Refusal;

/** Success. */
export function done<T>(value: T, warnings: readonly (string | Warning)[] = []): Managed<T> {
  const hints = Object.fromEntries(warnings.flatMap((warning) => (typeof warning === 'string' ? [] : [[warning.description, warning.hint]])));
  return { ok: true, value, warnings: warnings.map((warning) => (typeof warning === 'string' ? warning : warning.description)), ...(Object.keys(hints).length > 0 && { hints }) };
}

/** The warnings of a success with their hints, for the outcome of an act around it. */
export function warningsOf<T>({ warnings, hints = {} }: Extract<Managed<T>, { readonly ok: true }>): readonly (string | Warning)[] {
  return warnings.map((description) => {
    const hint = hints[description];
    return hint === undefined ? description : { description, hint };
  });
}

/** A refusal. */
export function refused(error: ManageError, description: string, more: { readonly member?: string; readonly hint?: string } = {}): Refusal {
  return { ok: false, error, description, member: more.member ?? null, hint: more.hint ?? null };
}

/** The refusal of what may not be as it is wanted. */
export function refusedFor({ member, description, hint }: Fault): Refusal {
  return refused('invalid_request', description, { ...(member !== null && { member }), ...(hint !== null && { hint }) });
}

/** Nobody loses more often than this against others who change the same row. */
const ATTEMPTS = 5;

/**
 * Repeats an act that came too late, so that it decides on the row as the other act left it.
 * @param act gives null when what it read was changed before it could write
 */
export async function decideAfresh<T>(act: () => Promise<Managed<T> | null>): Promise<Managed<T>> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const outcome = await act();
    if (outcome !== null) return outcome;
  }
  return refused('conflict', 'somebody else keeps changing this at the same time; look at what it is now, and try again');
}

/** An event about something that an operator did: whoever works with `ctx`. */
export function operatorEvent(ctx: Pick<Context, 'clock' | 'by'>, type: AuditType, about: Partial<AuditEvent>): AuditEvent {
  return auditEvent({ timeMs: ctx.clock.now(), type, ...ctx.by, ...about });
}

/** Which of these members differ between two versions of a thing: names only, for the audit trail. */
export function changedNames<T extends object>(before: T, after: T): string | null {
  const names = (Object.keys(after) as (keyof T & string)[]).filter((key) => JSON.stringify(before[key]) !== JSON.stringify(after[key]));
  return names.length === 0 ? null : names.join(',');
}
