import { Database } from 'bun:sqlite';
import { statSync } from 'node:fs';
import { drizzle } from 'drizzle-orm/bun-sqlite';
import { createPrivate, tightenModes } from './file-modes.ts';
import { openMemory, type Memory } from './memory.ts';
import { migrate } from './migrate.ts';
import { readPragma, requireSqlite, setPragmas, sqliteVersion, verifyPragmas } from './pragmas.ts';
import { openWriter, type Committed, type Writer } from './writer.ts';
import type { BunSQLiteDatabase } from 'drizzle-orm/bun-sqlite';
import type { SQLQueryBindings, Statement } from 'bun:sqlite';
import type { Migration } from './migrations.ts';
import type { TellProgress } from '../../core/backup.ts';

/** Milliseconds for which setting WAL mode is tried again: SQLite does not wait for that lock by itself. */
const WAL_RETRY_MS = 5;

/** What every part of the store works with. */
export type Connection = {
  readonly db: Database;
  /** Drizzle over the same connection, for what is not on a protocol path. */
  readonly orm: BunSQLiteDatabase;
  readonly writer: Writer;
  readonly memory: Memory;
  /** Prepares a protocol statement: kept in `statements`, finalized at close. */
  readonly prepare: <Row, Parameters extends SQLQueryBindings[]>(sql: string) => Statement<Row, Parameters>;
  /** Adds a statement that Drizzle prepared to `statements`. */
  readonly track: <Prepared extends { getQuery(): { readonly sql: string } }>(prepared: Prepared) => Prepared;
  /** Texts of all protocol statements; tests look at their query plans. */
  readonly statements: readonly string[];
  /** Commits what waits, checkpoints and closes. */
  readonly close: () => Promise<void>;
};

/**
 * Opens the one connection of this process: private file, pragmas set and verified, schema migrated.
 * @param busyMs milliseconds to wait for another process that writes
 * @param told hears of every commit
 * @param tell hears how far a migration is
 * Throws an Error that says what to do when the database cannot be opened, read or written.
 */
export function connect(path: string, busyMs: number, steps: readonly Migration[], told?: Committed, tell?: TellProgress): Connection {
  const db = openFile(path, busyMs, steps, tell);
  const version = db.prepare<{ data_version: number }, []>('PRAGMA data_version');
  const memory = openMemory(() => version.get()?.data_version ?? 0);
  const writer = openWriter(db, busyMs, memory.turned, told);
  const prepared: { readonly finalize: () => void }[] = [version];
  const statements: string[] = [];
  return {
    db,
    orm: drizzle({ client: db }),
    writer,
    memory,
    statements,
    prepare: <Row, Parameters extends SQLQueryBindings[]>(sql: string) => {
      // Bun's declaration wraps the parameters in a conditional type that is the identity for tuples.
      const statement = db.prepare<Row, Parameters>(sql) as Statement<Row, Parameters>;
      prepared.push(statement);
      statements.push(sql);
      return statement;
    },
    track: (query) => {
      statements.push(query.getQuery().sql);
      return query;
    },
    close: async () => {
      await writer.close();
      for (const statement of prepared) statement.finalize();
      try {
        // Not at the price of waiting for other processes: the log is as good as the database.
        db.run('PRAGMA busy_timeout = 0');
        db.run('PRAGMA wal_checkpoint(TRUNCATE)');
      } finally {
        db.close();
      }
    },
  };
}

/** A restore puts another file in place; whoever waited for the old one to be free must not go on with it. Three in a row are none. */
const REPLACED_AT_MOST = 3;

function openFile(path: string, busyMs: number, steps: readonly Migration[], tell?: TellProgress, attempt = 1): Database {
  let db: Database | undefined;
  let ino: number | undefined;
  const isReplaced = (): boolean => ino !== undefined && statSync(path, { throwIfNoEntry: false })?.ino !== ino;
  try {
    createPrivate(path);
    ino = statSync(path).ino;
    tightenModes(path);
    db = new Database(path, { readwrite: true, create: false });
    // First of all: even the next statement has to wait for a process that is making the file.
    db.run(`PRAGMA busy_timeout = ${busyMs}`);
    requireSqlite(sqliteVersion(db));
    enterWal(db, busyMs);
    setPragmas(db, busyMs);
    verifyPragmas(db, busyMs);
    migrate(db, path, steps, tell);
    // SQLite opens a file that it may not write without a word.
    db.run('BEGIN IMMEDIATE');
    db.run('ROLLBACK');
    tightenModes(path);
    if (isReplaced()) throw new Error('it was replaced while it was opened');
    return db;
  } catch (error) {
    db?.close();
    if (isReplaced() && attempt < REPLACED_AT_MOST) return openFile(path, busyMs, steps, tell, attempt + 1);
    throw new Error(`cannot open the database ${path}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

/** Several processes may come upon a new file at once. */
function enterWal(db: Database, busyMs: number): void {
  const until = performance.now() + busyMs;
  for (;;) {
    try {
      db.run('PRAGMA journal_mode = WAL');
      if (readPragma(db, 'journal_mode') === 'wal') return;
      throw new Error('its file system does not support a write-ahead log');
    } catch (error) {
      const busy = error instanceof Error && 'code' in error && error.code === 'SQLITE_BUSY';
      if (!busy || performance.now() > until) throw error;
      Bun.sleepSync(WAL_RETRY_MS);
    }
  }
}
