/** What src/storage/sqlite relies on in bun:sqlite and in Bun's event loop, and what it works around. */
import { Database } from 'bun:sqlite';
import { afterAll, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folder = mkdtempSync(join(tmpdir(), 'assay-pinned-sqlite-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const valueOf = (db: Database, pragma: string) => Object.values(db.query<Record<string, unknown>, []>(`PRAGMA ${pragma}`).get() ?? {})[0];

test('trap 21: a new connection has foreign_keys off and no busy_timeout', () => {
  const db = new Database(':memory:');
  expect([valueOf(db, 'foreign_keys'), valueOf(db, 'busy_timeout')]).toEqual([0, 0]);
  db.close();
});

test('trap 26: data_version moves with commits of other connections, and only with those', () => {
  const path = join(folder, 'version.db');
  const [db, other] = [new Database(path), new Database(path)];
  db.run('PRAGMA journal_mode = WAL');
  db.run('CREATE TABLE t (x TEXT) STRICT');
  const version = db.prepare<{ data_version: number }, []>('PRAGMA data_version');
  const read = () => version.get()?.data_version;
  const first = read();
  db.run("INSERT INTO t VALUES ('own')");
  expect(read()).toBe(first);
  other.run("BEGIN; INSERT INTO t VALUES ('other')");
  expect(read()).toBe(first);
  other.run('COMMIT');
  const second = read();
  expect(second).not.toBe(first);
  // Also when the change was met by an own statement first.
  other.run("INSERT INTO t VALUES ('again')");
  db.run("INSERT INTO t VALUES ('own')");
  expect(read()).not.toBe(second);
  version.finalize();
  other.close();
  db.close();
});

test('trap 29: INTEGER columns match other spellings of a number, TEXT in a STRICT table does not', () => {
  const db = new Database(':memory:');
  db.run('CREATE TABLE numbers (id INTEGER PRIMARY KEY)');
  db.run('CREATE TABLE texts (id TEXT NOT NULL PRIMARY KEY) STRICT');
  db.run('INSERT INTO numbers VALUES (42)');
  db.run("INSERT INTO texts VALUES ('42')");
  const finds = (table: string) => ['042', '42.0', ' 42', '42'].map((id) => db.query(`SELECT 1 FROM ${table} WHERE id = ?`).get(id) !== null);
  expect(finds('numbers')).toEqual([true, true, true, true]);
  expect(finds('texts')).toEqual([false, false, false, true]);
  db.close();
});

test('immediates run in order, each with all that its promises set off, before the loop looks for input or timers', async () => {
  const seen: string[] = [];
  await new Promise<void>((resolve) => {
    setTimeout(() => {
      setTimeout(() => {
        seen.push('timer');
        resolve();
      }, 0);
      setImmediate(() => {
        seen.push('flush');
        void (async () => {
          for (let hop = 0; hop < 20; hop++) await Promise.resolve();
          seen.push('continuation');
          setImmediate(() => seen.push('too late'));
        })();
      });
      setImmediate(() => seen.push('turned'));
      Bun.sleepSync(2);
    }, 1);
  });
  expect(seen).toEqual(['flush', 'continuation', 'turned', 'timer']);
});

test('a full disk ends the transaction by itself, a constraint does not', () => {
  const db = new Database(join(folder, 'full.db'));
  db.run('CREATE TABLE t (x TEXT NOT NULL PRIMARY KEY) STRICT');
  db.run("BEGIN; INSERT INTO t VALUES ('a')");
  expect(() => db.run("INSERT INTO t VALUES ('a')")).toThrow(expect.objectContaining({ name: 'SQLiteError', code: 'SQLITE_CONSTRAINT_PRIMARYKEY' }));
  expect(db.inTransaction).toBe(true);
  db.run('ROLLBACK; PRAGMA max_page_count = 1; BEGIN');
  expect(() => db.run('INSERT INTO t VALUES (?)', ['x'.repeat(1_000_000)])).toThrow(expect.objectContaining({ name: 'SQLiteError', code: 'SQLITE_FULL' }));
  expect(db.inTransaction).toBe(false);
  db.close();
});

test('-wal and -shm get the mode of the database', () => {
  const path = join(folder, 'modes.db');
  writeFileSync(path, '', { mode: 0o600 });
  const db = new Database(path);
  db.run('PRAGMA journal_mode = WAL; CREATE TABLE t (x TEXT) STRICT');
  for (const suffix of ['', '-wal', '-shm']) expect([suffix, statSync(path + suffix).mode & 0o777]).toEqual([suffix, 0o600]);
  db.close();
});
