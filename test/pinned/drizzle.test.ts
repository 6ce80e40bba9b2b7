/** What src/storage relies on in drizzle-orm and drizzle-kit, and what it works around. */
import { Database } from 'bun:sqlite';
import { afterAll, expect, test } from 'bun:test';
import { eq, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/bun-sqlite';
import { sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from '../../src/storage/sqlite/columns.ts';

const folder = mkdtempSync(join(tmpdir(), 'assay-pinned-drizzle-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const root = join(import.meta.dir, '../..');
const things = sqliteTable('things', { id: text('id').primaryKey(), list: json<readonly string[]>('list') });

function open(): { db: Database; orm: ReturnType<typeof drizzle> } {
  const db = new Database(':memory:');
  db.run('CREATE TABLE things (id TEXT PRIMARY KEY NOT NULL, list TEXT) STRICT');
  return { db, orm: drizzle({ client: db }) };
}

test('trap 30: an async callback of a transaction commits early and is not rolled back', async () => {
  const { db, orm } = open();
  const failed = orm.transaction(async (tx) => {
    tx.insert(things).values({ id: 'a' }).run();
    await Promise.resolve();
    throw new Error('too late');
  });
  expect(db.inTransaction).toBe(false);
  await failed.catch(() => undefined);
  expect(orm.select({ id: things.id }).from(things).all()).toEqual([{ id: 'a' }]);
  db.close();
});

test('trap 31: JSON through the one custom column is encoded once', () => {
  const { db, orm } = open();
  orm.insert(things).values({ id: 'a', list: ['x', 'y'] }).run();
  expect(db.query('SELECT list FROM things').values()).toEqual([['["x","y"]']]);
  expect(orm.select().from(things).get()).toEqual({ id: 'a', list: ['x', 'y'] });
  orm.insert(things).values({ id: 'b', list: null }).run();
  expect(orm.select().from(things).where(eq(things.id, 'b')).get()).toEqual({ id: 'b', list: null });
  db.close();
});

test('trap 32: a prepared query costs well under half of one that is built each time', () => {
  const { db, orm } = open();
  orm.insert(things).values({ id: 'a' }).run();
  const prepared = orm.select().from(things).where(eq(things.id, sql.placeholder('id'))).prepare();
  const fastest = (run: () => unknown) => {
    let best = Infinity;
    for (let round = 0; round < 200; round++) {
      const begun = Bun.nanoseconds();
      for (let turn = 0; turn < 10; turn++) run();
      best = Math.min(best, Bun.nanoseconds() - begun);
    }
    return best;
  };
  const built = fastest(() => orm.select().from(things).where(eq(things.id, 'a')).get());
  expect(fastest(() => prepared.get({ id: 'a' }))).toBeLessThan(built / 2);
  db.close();
});

test('trap 33: in an executable, migrate() does not find its folder, and a text import does', async () => {
  const source = join(folder, 'main.ts');
  await Bun.write(join(folder, 'drizzle/meta/_journal.json'), '{"version":"7","dialect":"sqlite","entries":[{"idx":0,"version":"6","when":1,"tag":"0000_a","breakpoints":true}]}');
  await Bun.write(join(folder, 'drizzle/0000_a.sql'), 'CREATE TABLE a (x TEXT);');
  await Bun.write(
    source,
    `import { Database } from 'bun:sqlite';
     import { drizzle } from '${root}/node_modules/drizzle-orm/bun-sqlite/index.js';
     import { migrate } from '${root}/node_modules/drizzle-orm/bun-sqlite/migrator.js';
     import step from './drizzle/0000_a.sql' with { type: 'text' };
     console.log(step);
     try { migrate(drizzle({ client: new Database(':memory:') }), { migrationsFolder: import.meta.dir + '/drizzle' }); console.log('found'); }
     catch (error) { console.log('not found'); }`,
  );
  const binary = join(folder, 'main');
  const built = Bun.spawnSync([process.execPath, 'build', '--compile', source, '--outfile', binary], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  expect([built.exitCode, built.exitCode === 0 ? '' : built.stderr.toString()]).toEqual([0, '']);
  const ran = Bun.spawnSync([binary], { cwd: folder, env: {} });
  expect(ran.stdout.toString()).toBe('CREATE TABLE a (x TEXT);\nnot found\n');
  const plain = Bun.spawnSync([process.execPath, source], { cwd: folder });
  expect(plain.stdout.toString()).toBe('CREATE TABLE a (x TEXT);\nfound\n');
}, 30_000);

test('trap 34: drizzle-kit writes no STRICT', async () => {
  await Bun.write(join(folder, 'schema.ts'), `import { sqliteTable, text } from '${root}/node_modules/drizzle-orm/sqlite-core/index.js'; export const t = sqliteTable('t', { id: text('id').primaryKey() });`);
  const kit = Bun.spawnSync(
    [process.execPath, join(root, 'node_modules/.bin/drizzle-kit'), 'generate', '--dialect', 'sqlite', '--schema', './schema.ts', '--out', './generated', '--name', 'x'],
    { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  expect([kit.exitCode, kit.exitCode === 0 ? '' : kit.stderr.toString()]).toEqual([0, '']);
  const generated = readFileSync(join(folder, 'generated/0000_x.sql'), 'utf8');
  expect(generated).toContain('CREATE TABLE `t`');
  expect(generated).not.toContain('STRICT');
}, 30_000);

test('trap 34: foreign keys cannot be switched off inside a transaction, and dropping a table then deletes what refers to it', () => {
  const rowsLeft = (before: string) => {
    const db = new Database(':memory:');
    db.run('PRAGMA foreign_keys = ON; CREATE TABLE parent (id TEXT PRIMARY KEY) STRICT');
    db.run('CREATE TABLE child (id TEXT REFERENCES parent (id) ON DELETE CASCADE) STRICT');
    db.run("INSERT INTO parent VALUES ('a'); INSERT INTO child VALUES ('a')");
    db.run(before);
    db.run('DROP TABLE parent; COMMIT');
    const rows = db.query('SELECT * FROM child').all().length;
    db.close();
    return rows;
  };
  expect(rowsLeft('BEGIN; PRAGMA foreign_keys = OFF')).toBe(0);
  expect(rowsLeft('PRAGMA foreign_keys = OFF; BEGIN')).toBe(1);
});
