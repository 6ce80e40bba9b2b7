import type { Database } from 'bun:sqlite';

/** The first version without the WAL-reset corruption (OP-02; sqlite.org/wal.html). */
const OLDEST_SQLITE = [3, 51, 3] as const;
/** The 'Assy' in the file's header: this file is ours. */
const APPLICATION_ID = 0x41737379;

/**
 * What holds for every connection, and what it must read back as (OP-01). Times in milliseconds, sizes as SQLite
 * counts them.
 * - secure_delete ON: wiped secrets, private keys and personal data are overwritten, not just unlinked (CR-10, MTN-12).
 *   It costs only where something is deleted, which the sweeper does in small steps.
 * - mmap_size 0: with mapped files a failing disk is a SIGBUS instead of an error that can be answered with 503 (OP-06).
 * - cache_size 32 MiB, filled as needed: the upper levels of the trees of some ten million rows.
 * - journal_size_limit: after a burst the WAL shrinks again.
 */
function wanted(busyMs: number): readonly (readonly [name: string, value: string, reads: string | number])[] {
  return [
    ['busy_timeout', String(busyMs), busyMs],
    ['journal_mode', 'WAL', 'wal'],
    ['synchronous', 'FULL', 2],
    ['foreign_keys', 'ON', 1],
    ['trusted_schema', 'OFF', 0],
    ['secure_delete', 'ON', 1],
    ['temp_store', 'MEMORY', 2],
    ['mmap_size', '0', 0],
    ['cache_size', '-32768', -32768],
    ['journal_size_limit', '67108864', 67108864],
    ['cell_size_check', 'ON', 1],
  ];
}

/** The version of the SQLite library in use, such as `3.53.4`. */
export function sqliteVersion(db: Database): string {
  return db.query<{ version: string }, []>('SELECT sqlite_version() AS version').get()?.version ?? '';
}

/** Throws an Error when the SQLite library is older than 3.51.3 (OP-02). */
export function requireSqlite(version: string): void {
  const parts = version.split('.').map(Number);
  for (const [position, least] of OLDEST_SQLITE.entries()) {
    const part = parts[position] ?? 0;
    if (part > least) return;
    if (part < least || Number.isNaN(part)) {
      throw new Error(`SQLite ${version} can corrupt its write-ahead log; ${OLDEST_SQLITE.join('.')} or newer is needed`);
    }
  }
}

/** Sets each pragma. */
export function setPragmas(db: Database, busyMs: number): void {
  for (const [name, value] of wanted(busyMs)) db.run(`PRAGMA ${name} = ${value}`);
}

/** Throws an Error that names every pragma which does not read back as set (OP-01). */
export function verifyPragmas(db: Database, busyMs: number): void {
  const wrong = wanted(busyMs).flatMap(([name, , reads]) => {
    const value = readPragma(db, name);
    return value === reads ? [] : [`${name} is ${value ?? 'unknown'} instead of ${reads}`];
  });
  if (wrong.length > 0) throw new Error(`SQLite did not take its settings: ${wrong.join(', ')}`);
}

/** One pragma's value. */
export function readPragma(db: Database, name: string): string | number | undefined {
  const row = db.query<Record<string, string | number>, []>(`PRAGMA ${name}`).get();
  return row === null ? undefined : Object.values(row)[0];
}

/** Throws an Error when a file with content was made by another program. */
export function requireOwnFile(db: Database, path: string): void {
  // In this order, since another process may be making the tables, and the mark with them, right now.
  const tables = db.query<{ count: number }, []>('SELECT count(*) AS count FROM sqlite_schema').get()?.count ?? 0;
  if (tables > 0 && readPragma(db, 'application_id') !== APPLICATION_ID) throw new Error(`${path} is a database of another program`);
}

/** Marks the file as ours; inside the migration's transaction. */
export function markOwnFile(db: Database): void {
  db.run(`PRAGMA application_id = ${APPLICATION_ID}`);
}
