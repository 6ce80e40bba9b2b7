import { Database } from 'bun:sqlite';
import { afterEach, beforeEach, expect, test } from 'bun:test';
import { existsSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { runAside } from '../../src/storage/sqlite/aside.ts';
import { copyDatabase, findDamage, readFacts, takeForItself } from '../../src/storage/sqlite/backup.ts';
import { openSqliteStore } from '../../src/storage/sqlite/open.ts';
import { removeFolder, temporaryFolder } from '../helpers/server.ts';
import { aTenant } from './samples.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = temporaryFolder();
  path = join(folder, 'assay.db');
});
afterEach(() => removeFolder(folder));

test('OP-07 a copy is whole, private, stands alone, and is of one moment', async () => {
  const store = openSqliteStore({ path });
  await store.createTenant(aTenant({ slug: 'one' }), [], []);
  const copy = join(folder, 'copy.db');
  let [during, going] = [0, true];
  const writing = (async () => {
    while (going) {
      await store.writeMeta('origin', String(during), []);
      during += 1;
    }
  })();
  await copyDatabase(path, copy);
  going = false;
  await writing;
  expect(during).toBeGreaterThan(0);
  expect([statSync(copy).mode & 0o777, existsSync(`${copy}-wal`)]).toEqual([0o600, false]);
  expect(await findDamage(copy)).toEqual([]);
  expect(readFacts(copy)).toMatchObject({ rows: { tenants: 1 } });
  await store.close();
});

test('OP-07 damage is found: pages and references', async () => {
  await openSqliteStore({ path }).close();
  const copy = join(folder, 'copy.db');
  await copyDatabase(path, copy);
  const db = new Database(copy);
  db.run('PRAGMA foreign_keys = OFF');
  db.run("INSERT INTO roles (tenant_id, name, permissions, created_at_ms) VALUES ('nobody', 'r', '[]', 0)");
  db.close();
  expect(await findDamage(copy)).toEqual(['1 rows of roles refer to nothing']);
});

test('a statement beside tells its failure', async () => {
  expect(runAside(path, 'SELECT 1')).rejects.toThrow();
  await openSqliteStore({ path }).close();
  expect(runAside(path, 'SELECT nonsense FROM nowhere')).rejects.toThrow('nowhere');
});

/** A process that opens the database, says so, and waits for the end of its input. */
function opener(): Bun.Subprocess<'pipe', 'pipe', 'inherit'> {
  const code = `import { openSqliteStore } from ${JSON.stringify(join(import.meta.dir, '../../src/storage/sqlite/open.ts'))};
    try {
      const store = openSqliteStore({ path: process.argv[1] });
      console.log('tenants ' + (await store.listTenants()).map(({ slug }) => slug).join(' '));
      for await (const _ of process.stdin) { /* until it ends */ }
      await store.close();
    } catch (error) { console.log('refused ' + error.message); }`;
  return Bun.spawn([process.execPath, '-e', code, path], { stdin: 'pipe', stdout: 'pipe', stderr: 'inherit' });
}

test('OP-07 whoever has a database open keeps others from taking it for themselves; and whoever waits for it meanwhile opens what then lies there', async () => {
  const first = opener();
  const said = first.stdout.getReader();
  await said.read();
  expect(takeForItself(path)).toBeNull();
  await first.stdin.end();
  await first.exited;

  const fresh = join(folder, 'fresh.db');
  const store = openSqliteStore({ path: fresh });
  await store.createTenant(aTenant({ slug: 'restored' }), [], []);
  await store.close();
  const owner = takeForItself(path);
  expect(owner).not.toBeNull();
  const waiting = opener();
  // It has the old file open and waits for its lock by now, or will find the new one.
  await Bun.sleep(600);
  renameSync(path, `${path}.replaced`);
  renameSync(fresh, path);
  owner?.release();
  const { value } = await waiting.stdout.getReader().read();
  expect(new TextDecoder().decode(value).trim()).toBe('tenants restored');
  await waiting.stdin.end();
  await waiting.exited;
});
