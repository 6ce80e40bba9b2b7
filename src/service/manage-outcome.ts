import { auditEvent, type AuditEvent, type AuditType } from '../core/audit-event.ts';
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
  | 'invalid_scope';

/** A refusal; the description says what happened and what to do, for people. */
export type Refusal = { readonly ok: false; readonly error: ManageError; readonly description: string };

/** Outcome of an operator's act. Warnings do not stop anything. */
export type Managed<T> = { readonly ok: true; readonly value: T; readonly warnings: readonly string[] } | Refusal;

/** Success. */
export function done<T>(value: T, warnings: readonly string[] = []): Managed<T> {
  return { ok: true, value, warnings };
}

/** A refusal. */
export function refused(error: ManageError, description: string): Refusal {
  return { ok: false, error, description };
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

/** An event about something that an operator did. */
export function operatorEvent(ctx: Pick<Context, 'clock'>, type: AuditType, about: Partial<AuditEvent>): AuditEvent {
  return auditEvent({ timeMs: ctx.clock.now(), type, actor: 'operator', ...about });
}

/** Which of these members differ between two versions of a thing: names only, for the audit trail. */
export function changedNames<T extends object>(before: T, after: T): string | null {
  const names = (Object.keys(after) as (keyof T & string)[]).filter((key) => JSON.stringify(before[key]) !== JSON.stringify(after[key]));
  return names.length === 0 ? null : names.join(',');
}
