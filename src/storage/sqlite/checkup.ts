import { Database, constants } from 'bun:sqlite';
import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { schemaVersion } from './migrate.ts';
import { migrations } from './migrations.ts';
import { readPragma, requireOwnFile, requireSqlite, sqliteVersion } from './pragmas.ts';

/** A tenant's keys, as far as their age goes. */
export type KeyAges = { readonly slug: string; readonly activeSinceMs: number | null; readonly nextSinceMs: number | null };

/** What can be seen of a database without changing anything. */
export type Checkup = {
  readonly schemaVersion: number;
  readonly knownSchema: number;
  readonly journalMode: string;
  readonly databaseBytes: number;
  readonly walBytes: number;
  /** The latest time that it has seen, milliseconds. */
  readonly markMs: number;
  /** Id of the master key that it is sealed under; null: nothing was sealed yet. */
  readonly masterKeyId: string | null;
  /** As it is kept: JSON. */
  readonly origin: string | null;
  readonly tenants: readonly KeyAges[];
  /** Addresses from which requests came lately, as the audit trail has them; the newest thousand events. */
  readonly addresses: readonly string[];
};

/** The SQLite library in use; `fault`: why it is not used with it. */
export function checkLibrary(): { readonly version: string; readonly fault: string | null } {
  const db = new Database(':memory:');
  try {
    const version = sqliteVersion(db);
    try {
      requireSqlite(version);
      return { version, fault: null };
    } catch (error) {
      return { version, fault: error instanceof Error ? error.message : 'unknown' };
    }
  } finally {
    db.close();
  }
}

/** Without a log nobody has it open, and it may be read as it lies: then not even files beside it are made. */
function openToRead(path: string): Database {
  if (existsSync(`${path}-wal`)) return new Database(path, { readonly: true });
  return new Database(`${pathToFileURL(resolve(path)).href}?immutable=1`, constants.SQLITE_OPEN_READONLY | constants.SQLITE_OPEN_URI);
}

/** Looks at a database, also while servers use it. Throws an Error with SQLite's words, or when it is another program's. */
export function lookAtDatabase(path: string): Checkup {
  const db = openToRead(path);
  try {
    requireOwnFile(db, path);
    const meta = (key: string): string | null => db.query<{ value: string }, [string]>('SELECT value FROM meta WHERE key = ?').get(key)?.value ?? null;
    const age = (status: string): string => `(SELECT max(coalesce(activated_at_ms, created_at_ms)) FROM signing_keys WHERE tenant_id = tenants.id AND status = '${status}')`;
    return {
      schemaVersion: schemaVersion(db), knownSchema: migrations.length, journalMode: String(readPragma(db, 'journal_mode')),
      databaseBytes: statSync(path).size, walBytes: statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0,
      markMs: Number(meta('clock_high_water_ms') ?? 0), origin: meta('origin'), masterKeyId: meta('master_key_id')?.split(' ')[0] ?? meta('fingerprint_key')?.split('.')[1] ?? null,
      tenants: db.query<KeyAges, []>(`SELECT slug, ${age('active')} AS activeSinceMs, ${age('next')} AS nextSinceMs FROM tenants WHERE deleted_at_ms IS NULL ORDER BY slug`).all(),
      addresses: db.query<{ ip: string }, []>('SELECT DISTINCT ip FROM (SELECT ip FROM audit ORDER BY seq DESC LIMIT 1000) WHERE ip IS NOT NULL').all().map(({ ip }) => ip),
    };
  } finally {
    db.close();
  }
}

/** Whether somebody keeps others from writing. @param waitMs how long to wait for them */
export function isWriteBlocked(path: string, waitMs: number): boolean {
  const db = new Database(path, { readwrite: true, create: false });
  try {
    db.run(`PRAGMA busy_timeout = ${waitMs}`);
    db.run('BEGIN IMMEDIATE');
    db.run('ROLLBACK');
    return false;
  } catch (error) {
    if (error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('SQLITE_BUSY')) return true;
    throw error;
  } finally {
    db.close();
  }
}
