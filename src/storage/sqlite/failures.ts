import { SQLiteError } from 'bun:sqlite';
import { StoreError } from '../../core/store.ts';

/** Result codes that say something about a statement, and so about this program, rather than about the machine. */
const OWN_FAULTS = /^SQLITE_(ERROR|CONSTRAINT|MISMATCH|MISUSE|RANGE|TOOBIG|SCHEMA)/;

/**
 * Whether a failure says that the database cannot be used now, and how.
 * @returns null for anything else: a bug here, or an error thrown by a caller's own function
 */
export function storageFailure(error: unknown): StoreError | null {
  if (error instanceof StoreError) return error;
  // What Bun throws once the database was closed; it has no code.
  if (error instanceof Error && /^(Statement has finalized|Cannot use a closed database)/.test(error.message)) {
    return new StoreError('unavailable', error);
  }
  const cause = error instanceof SQLiteError ? error : error instanceof Error ? error.cause : undefined;
  if (!(cause instanceof SQLiteError)) return null;
  const code = cause.code ?? '';
  if (/^SQLITE_(BUSY|LOCKED)/.test(code)) return new StoreError('busy', cause);
  return OWN_FAULTS.test(code) ? null : new StoreError('unavailable', cause);
}

/** Runs a read; the storage's own failures come out as StoreError. */
export function guarded<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw storageFailure(error) ?? error;
  }
}
