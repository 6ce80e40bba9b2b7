import { randomUUID } from 'node:crypto';
import { closeSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { Database } from 'bun:sqlite';
import { createPrivate } from './file-modes.ts';
import type { TellProgress } from '../../core/backup.ts';
import { markOwnFile, readPragma, requireOwnFile } from './pragmas.ts';
import type { Migration } from './migrations.ts';

/** How many migrations the database has seen. */
export function schemaVersion(db: Database): number {
  return Number(readPragma(db, 'user_version'));
}

/**
 * Brings the schema up to date (OP-04): forward only, all steps in one transaction, nothing to do when it already is.
 * Of several processes that come at once, one migrates and the others find it done. An older database is first copied
 * to `PATH.schema-N.backup`.
 * @param tell hears what is about to be done to data that are there, before each piece: nothing else runs meanwhile
 * Throws an Error when the schema is newer than `steps`, the file is another program's, or a step breaks a reference;
 * the database is then as it was.
 */
export function migrate(db: Database, path: string, steps: readonly Migration[], tell: TellProgress = () => undefined): void {
  requireOwnFile(db, path);
  if (isCurrent(db, path, steps.length)) return;
  const from = schemaVersion(db);
  // The copy, and as the last the check of references, count like steps.
  const pieces = steps.length - from + 2;
  const begin = (what: string, done: number): void => {
    if (from > 0) tell(what, done, pieces);
  };
  begin('copying the database', 0);
  if (from > 0) backUp(db, path, from);
  // Rebuilding a table drops it, which would delete all rows that refer to it; inside a transaction it is too late.
  db.run('PRAGMA foreign_keys = OFF');
  db.run('BEGIN IMMEDIATE');
  try {
    if (!isCurrent(db, path, steps.length)) {
      for (const [index, step] of steps.slice(schemaVersion(db)).entries()) {
        begin('migrating', index + 1);
        db.run(step.sql);
      }
      begin('checking references', pieces - 1);
      const broken = db.query<{ table: string }, []>('PRAGMA foreign_key_check').all();
      if (broken.length > 0) throw new Error(`migrating ${path} would break references of table ${broken[0]?.table}`);
      markOwnFile(db);
      db.run(`PRAGMA user_version = ${steps.length}`);
    }
    db.run('COMMIT');
  } catch (error) {
    if (db.inTransaction) db.run('ROLLBACK');
    throw error;
  } finally {
    db.run('PRAGMA foreign_keys = ON');
  }
}

function isCurrent(db: Database, path: string, known: number): boolean {
  const version = schemaVersion(db);
  if (version > known) {
    throw new Error(`${path} has schema ${version}, made by a newer Assay; this one knows schemas up to ${known}`);
  }
  return version === known;
}

/** A consistent copy, complete or not there at all. */
function backUp(db: Database, path: string, version: number): void {
  const partial = `${path}.${randomUUID()}.partial`;
  try {
    createPrivate(partial);
    db.run('VACUUM INTO ?', [partial]);
    const copy = new Database(partial, { readonly: true });
    const copied = schemaVersion(copy);
    copy.close();
    if (copied !== version) return; // Another process migrated meanwhile, and made the copy.
    const file = openSync(partial, 'r+');
    fsyncSync(file);
    closeSync(file);
    renameSync(partial, `${path}.schema-${version}.backup`);
  } finally {
    rmSync(partial, { force: true });
  }
}
