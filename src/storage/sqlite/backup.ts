import { Database } from 'bun:sqlite';
import { statSync } from 'node:fs';
import { runAside } from './aside.ts';
import { createPrivate } from './file-modes.ts';
import { schemaVersion } from './migrate.ts';
import { migrations } from './migrations.ts';
import { readPragma, requireOwnFile } from './pragmas.ts';
import type { AuditHead, DatabaseFacts, TellProgress } from '../../core/backup.ts';

/** How often a look is taken at how large the copy has become, milliseconds. */
const LOOK_MS = 200;

/** Tables whose rows are counted, by what people call them. What only lives for minutes is left out. */
const counted: Readonly<Record<string, string>> = {
  tenants: 'tenants', clients: 'clients', resources: 'resources', users: 'users', organizations: 'organizations', memberships: 'memberships', roles: 'roles',
  consents: 'consents', passwords: 'passwords', passkeys: 'passkeys', sessions: 'sessions', grants: 'grants', refresh_tokens: 'refresh_tokens',
  opaque_tokens: 'opaque_tokens', revoked_ids: 'revoked_ids', signing_keys: 'signing_keys', api_keys: 'api_keys', administrators: 'administrators',
  webhooks: 'webhooks', audit: 'audit',
};

/** Something about a database file that keeps it from being used; the message says what. */
export class FileFault extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'FileFault';
  }
}

/**
 * Copies a database, consistent as of one moment, while others read and write it. The copy (0600) stands alone: it has no
 * log beside it. It is not on disk for sure yet. Throws an Error with SQLite's words.
 */
export async function copyDatabase(from: string, to: string, tell: TellProgress = () => undefined): Promise<void> {
  createPrivate(to);
  const total = statSync(from).size + (statSync(`${from}-wal`, { throwIfNoEntry: false })?.size ?? 0);
  const look = setInterval(() => tell('copying', Math.min(total, statSync(to, { throwIfNoEntry: false })?.size ?? 0), total), LOOK_MS);
  try {
    await runAside(from, 'VACUUM INTO ?', [to]);
  } finally {
    clearInterval(look);
  }
}

/** What is wrong with a file's structure and references; empty: nothing. For a file that nobody else uses. */
export async function findDamage(path: string): Promise<readonly string[]> {
  const structure = await runAside(path, 'PRAGMA integrity_check(20)');
  const faults = structure.map((row) => String(row['integrity_check'])).filter((said) => said !== 'ok');
  if (faults.length > 0) return faults;
  const references = await runAside(path, 'SELECT "table", count(*) AS count FROM pragma_foreign_key_check GROUP BY 1');
  return references.map((row) => `${String(row['count'])} rows of ${String(row['table'])} refer to nothing`);
}

function hasTable(db: Database, name: string): boolean {
  return db.query<{ one: number }, [string]>("SELECT 1 AS one FROM sqlite_schema WHERE type = 'table' AND name = ?").get(name) !== null;
}

function hasColumn(db: Database, table: string, name: string): boolean {
  return db.query<{ one: number }, [string, string]>('SELECT 1 AS one FROM pragma_table_info(?) WHERE name = ?').get(table, name) !== null;
}

function readHeads(db: Database): readonly AuditHead[] {
  if (!hasTable(db, 'audit')) return [];
  // A bare column beside max() is that of the row with the maximum (sqlite.org/lang_select.html).
  const hash = hasColumn(db, 'audit', 'hash') ? 'hash' : 'NULL';
  return db.query<AuditHead, []>(`SELECT tenant, max(seq) AS number, ${hash} AS hash FROM audit GROUP BY tenant ORDER BY tenant`).all();
}

/** Name of the master key that something was sealed under: its second part. */
function keyIdOf(sealed: string | undefined): string | null {
  return sealed?.split('.')[1] ?? null;
}

/**
 * What is in a database file, of whichever version of ours. For a file that nobody else uses.
 * @throws FileFault when it is not ours, or newer than this program
 */
export function readFacts(path: string): DatabaseFacts {
  let db: Database | undefined;
  try {
    db = new Database(path, { readwrite: true, create: false });
    requireOwnFile(db, path);
    const version = schemaVersion(db);
    if (version === 0) throw new Error(`${path} holds no data`);
    if (version > migrations.length) {
      throw new Error(`${path} has schema ${version}, made by a newer Assay; this one knows schemas up to ${migrations.length}`);
    }
    const rows: Record<string, number> = {};
    for (const [name, table] of Object.entries(counted)) {
      if (hasTable(db, table)) rows[name] = db.query<{ count: number }, []>(`SELECT count(*) AS count FROM ${table}`).get()?.count ?? 0;
    }
    const sealed = db.query<{ value: string }, []>("SELECT value FROM meta WHERE key = 'fingerprint_key'").get()?.value;
    const last = db.query<{ seq: number }, []>("SELECT seq FROM sqlite_sequence WHERE name = 'audit'").get()?.seq ?? 0;
    return { schemaVersion: version, rows, auditHeads: readHeads(db), lastEvent: last, masterKeyId: keyIdOf(sealed) };
  } catch (error) {
    throw new FileFault(error instanceof Error ? error.message : String(error));
  } finally {
    db?.close();
  }
}

/** The schema that this program brings a database to. */
export const currentSchema: number = migrations.length;

/** Only this connection has the database, until it is closed; its log is part of the file again. */
export type SoleOwner = {
  /** A copy for looking at; the file itself must not be opened meanwhile: closing it would give up the lock. */
  readonly copyTo: (path: string) => void;
  readonly release: () => void;
};

/**
 * Takes a database for itself. Every process that has it open holds a lock on it all the time, so that this fails while a
 * server, or a command, works on it. From then on nobody else can open it.
 * @returns null: somebody has it open
 * @throws FileFault when it cannot be read as a database
 */
export function takeForItself(path: string): SoleOwner | null {
  let db: Database | undefined;
  try {
    db = new Database(path, { readwrite: true, create: false });
    db.run('PRAGMA busy_timeout = 1000');
    // Leaving the write-ahead log needs the file for oneself. Whoever has opened it in that mode has a shared lock.
    if (readPragma(db, 'journal_mode = DELETE') !== 'delete') throw new Error('it stays in the mode of its write-ahead log');
    db.run('PRAGMA locking_mode = EXCLUSIVE');
    db.run('BEGIN EXCLUSIVE');
    db.run('COMMIT');
  } catch (error) {
    db?.close();
    if (error instanceof Error && 'code' in error && typeof error.code === 'string' && /^SQLITE_(?:BUSY|LOCKED)/.test(error.code)) return null;
    throw new FileFault(error instanceof Error ? error.message : String(error));
  }
  const owner = db;
  return {
    copyTo: (to) => {
      createPrivate(to);
      owner.run('VACUUM INTO ?', [to]);
    },
    release: () => owner.close(),
  };
}
