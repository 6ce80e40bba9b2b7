import { Database } from 'bun:sqlite';
import { afterAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from '../../src/storage/sqlite/connection.ts';
import { migrations } from '../../src/storage/sqlite/migrations.ts';
import { openSqliteStore } from '../../src/storage/sqlite/open.ts';
import { readPragma, requireSqlite, sqliteVersion, verifyPragmas } from '../../src/storage/sqlite/pragmas.ts';
import { storeConformance } from './conformance.ts';
import { aClient, anEvent, aTenant, furnish, T0 } from './samples.ts';

const folder = mkdtempSync(join(tmpdir(), 'assay-sqlite-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;
const newPath = () => join(folder, `${files++}.db`);

storeConformance('SQLite', () => openSqliteStore({ path: newPath() }));

describe('SQLite', () => {
  test('OP-01 every pragma is set and verified', async () => {
    const { db, close } = connect(newPath(), 5000, migrations);
    const read = Object.fromEntries(
      ['journal_mode', 'synchronous', 'foreign_keys', 'busy_timeout', 'trusted_schema', 'secure_delete'].map((name) => [name, readPragma(db, name)]),
    );
    expect(read).toEqual({ journal_mode: 'wal', synchronous: 2, foreign_keys: 1, busy_timeout: 5000, trusted_schema: 0, secure_delete: 1 });
    verifyPragmas(db, 5000);
    db.run('PRAGMA synchronous = NORMAL');
    db.run('PRAGMA foreign_keys = OFF');
    expect(() => verifyPragmas(db, 5000)).toThrow('synchronous is 1 instead of 2, foreign_keys is 0 instead of 1');
    await close();
  });

  test('OP-01 the pragmas still hold after writing, and after a failed operation', async () => {
    const { db, writer, close } = connect(newPath(), 5000, migrations);
    await writer.write(() => db.run("INSERT INTO meta VALUES ('a', 'b')"));
    await writer.write(() => db.run("INSERT INTO meta VALUES ('a', 'b')")).catch(() => undefined);
    verifyPragmas(db, 5000);
    await close();
  });

  test('OP-02 SQLite older than 3.51.3 is refused', () => {
    for (const version of ['3.51.2', '3.50.9', '3.9.0', '2.99.99', '']) expect(() => requireSqlite(version)).toThrow('3.51.3 or newer');
    for (const version of ['3.51.3', '3.51.10', '3.52.0', '4.0.0']) requireSqlite(version);
    const db = new Database(':memory:');
    requireSqlite(sqliteVersion(db));
    db.close();
  });

  test('MTN-10 every table is STRICT, and every id in it is TEXT', async () => {
    const { db, close } = connect(newPath(), 5000, migrations);
    const tables = db.query<{ name: string; strict: number }, []>("SELECT name, strict FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'sqlite_%'").all();
    expect(tables.length).toBeGreaterThan(10);
    expect(tables.filter(({ strict }) => strict !== 1)).toEqual([]);
    const ids = db
      .query<{ table: string; name: string; type: string }, []>(
        "SELECT m.name AS 'table', c.name, c.type FROM sqlite_schema m, pragma_table_info(m.name) c WHERE m.type = 'table' AND (c.name = 'id' OR c.name LIKE '%\\_id' ESCAPE '\\')",
      )
      .all();
    expect(ids.length).toBeGreaterThan(20);
    expect(ids.filter(({ type }) => type.toLowerCase() !== 'text')).toEqual([]);
    await close();
  });

  test('LG-08 audit rows can be neither changed nor deleted, but for a count that grows and a declared retention', async () => {
    const { db, close } = connect(newPath(), 5000, migrations);
    db.run(`INSERT INTO audit (time_ms, type, outcome, count) VALUES (${T0}, 'token_revoked', 'success', 2)`);
    for (const change of ['UPDATE audit SET time_ms = 1', "UPDATE audit SET reason = 'x', count = 9", 'UPDATE audit SET count = 1', 'DELETE FROM audit']) {
      expect(() => db.run(change)).toThrow('audit is append-only');
    }
    db.run('UPDATE audit SET count = 3');
    db.run(`INSERT INTO meta VALUES ('audit_keep_from_ms', '${T0}')`);
    expect(() => db.run('DELETE FROM audit')).toThrow('audit is append-only');
    db.run(`UPDATE meta SET value = '${T0 + 1}'`);
    db.run('DELETE FROM audit');
    await close();
  });

  test('every protocol statement finds its rows by an index', async () => {
    const path = newPath();
    const store = openSqliteStore({ path });
    const db = new Database(path, { readonly: true });
    expect(store.statements.length).toBeGreaterThan(30);
    for (const statement of store.statements) {
      const parameters = Array.from({ length: db.prepare(statement).paramsCount }, () => null);
      const plan = db.query<{ detail: string }, null[]>(`EXPLAIN QUERY PLAN ${statement}`).all(...parameters);
      expect({ statement, scans: plan.filter(({ detail }) => /^SCAN (?!CONSTANT ROW)/.test(detail)).map(({ detail }) => detail) }).toEqual({ statement, scans: [] });
    }
    db.close();
    await store.close();
  });

  test('CR-10 MTN-12 what was wiped is nowhere in the file', async () => {
    const path = newPath();
    const store = openSqliteStore({ path });
    await furnish(store);
    await store.createUser({ ...aClientUser(), email: 'canary@example.com' }, 'canary', []);
    const canary = { ...aClientUser(), email: 'canary@example.com' };
    expect(await store.updateUser(canary, { ...canary, email: '', deletedAtMs: T0 }, 'canary', [])).toBe('updated');
    await store.deleteTenant('ten_1', T0, []);
    await store.close();
    const bytes = Buffer.from(await Bun.file(path).arrayBuffer()).toString('latin1');
    expect(bytes).toContain('cli_1');
    expect(bytes).not.toContain('canary@example.com');
    expect(bytes).not.toContain('v1.sealed');
    expect(bytes).not.toContain(aClient().secrets[0]?.digest);
  });

  test('closing commits what waits, refuses what comes later, and leaves no write-ahead log behind', async () => {
    const path = newPath();
    const store = openSqliteStore({ path });
    const waiting = store.createTenant(aTenant(), [], [anEvent()]);
    await store.close();
    expect(await waiting).toBe(true);
    expect(await store.probe().catch((error: unknown) => error)).toMatchObject({ name: 'StoreError', kind: 'unavailable' });
    expect(() => store.findClient('ten_1', 'cli_1')).toThrow('storage unavailable');
    const wal = Bun.file(`${path}-wal`);
    expect((await wal.exists()) ? wal.size : 0).toBe(0);
    const again = openSqliteStore({ path });
    expect(await again.findTenant({ slug: 'acme' })).toEqual(aTenant());
    await again.close();
  });
});

function aClientUser() {
  return {
    tenantId: 'ten_1', id: 'usr_9', username: 'canary', email: '', emailVerified: false, name: null, createdAtMs: T0, disabledAtMs: null,
    deletedAtMs: null, notBeforeMs: 0,
  } as const;
}
