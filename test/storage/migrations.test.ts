import { Database } from 'bun:sqlite';
import { afterAll, describe, expect, test } from 'bun:test';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from '../../src/storage/sqlite/connection.ts';
import { migrations } from '../../src/storage/sqlite/migrations.ts';
import { schemaVersion } from '../../src/storage/sqlite/migrate.ts';
import { openSqliteStore } from '../../src/storage/sqlite/open.ts';
import { defaultPeopleSettings } from '../../src/core/people.ts';
import { makeStrict } from './make-strict.ts';
import { aClient, aGrant, aKey, aSession, aTenant, aUser, digestOf, furnish, T0 } from './samples.ts';

const folder = mkdtempSync(join(tmpdir(), 'assay-migrations-'));
afterAll(() => rm(folder, { recursive: true, force: true }));
let files = 0;
const newPath = () => join(folder, `${files++}.db`);
const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);

/** A database of the schema as it is now, with rows. */
async function furnished(): Promise<string> {
  const path = newPath();
  const store = openSqliteStore({ path });
  await furnish(store);
  await store.close();
  return path;
}

/** A rebuild as drizzle-kit writes it: with foreign keys on, its DROP would take every client along. */
const rebuild = {
  tag: 'rebuild',
  sql: `PRAGMA foreign_keys=OFF;--> statement-breakpoint
    CREATE TABLE __new_tenants AS SELECT * FROM tenants;--> statement-breakpoint
    DROP TABLE tenants;--> statement-breakpoint
    ALTER TABLE __new_tenants RENAME TO tenants;--> statement-breakpoint
    CREATE UNIQUE INDEX tenants_id ON tenants (id);--> statement-breakpoint
    PRAGMA foreign_keys=ON;`,
};

describe('OP-04 migrations', () => {
  test('every file of the journal is embedded, in order, and every table is made STRICT', () => {
    const drizzle = join(import.meta.dir, '../../drizzle');
    const journal: { entries: { tag: string }[] } = JSON.parse(readFileSync(join(drizzle, 'meta/_journal.json'), 'utf8'));
    expect(migrations.map(({ tag }) => tag)).toEqual(journal.entries.map(({ tag }) => tag));
    expect(readdirSync(drizzle).filter((file) => file.endsWith('.sql')).toSorted()).toEqual(migrations.map(({ tag }) => `${tag}.sql`));
    for (const { tag, sql } of migrations) {
      expect(sql).toBe(readFileSync(join(drizzle, `${tag}.sql`), 'utf8'));
      expect([tag, makeStrict(sql) === sql]).toEqual([tag, true]);
      for (const table of sql.matchAll(/^CREATE TABLE[^;]*;/gm)) expect(table[0]).toMatch(/\) STRICT(, WITHOUT ROWID)?;$/);
    }
  });

  test('generated tables become STRICT, also rebuilt ones, and once', () => {
    const made = 'CREATE TABLE `__new_meta` (\n\t`key` text PRIMARY KEY NOT NULL\n);\n--> statement-breakpoint\nCREATE TABLE `users` (\n\t`id` text\n);';
    const strict = makeStrict(made);
    expect(strict).toContain('\n) STRICT, WITHOUT ROWID;\n');
    expect(strict).toEndWith('\n) STRICT;');
    expect(makeStrict(strict)).toBe(strict);
  });

  test('opening again changes nothing and copies nothing', async () => {
    const path = await furnished();
    const before = readFileSync(path);
    await openSqliteStore({ path }).close();
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(readdirSync(folder).filter((file) => file.includes('backup'))).toEqual([]);
  });

  test('a newer schema, another program\'s file, and what is no database are refused as they are', async () => {
    const newer = await furnished();
    using(newer, (db) => db.run('PRAGMA user_version = 999'));
    const foreign = newPath();
    using(foreign, (db) => db.run('CREATE TABLE notes (text)'));
    const garbage = newPath();
    writeFileSync(garbage, 'this is not a database, whatever its name says');
    const cases: [path: string, message: string][] = [
      [newer, 'made by a newer Assay; this one knows schemas up to'],
      [foreign, 'is a database of another program'],
      [garbage, 'file is not a database'],
      [join(folder, 'missing', 'assay.db'), 'ENOENT'],
      [folder, 'unable to open database file'],
    ];
    for (const [path, message] of cases) {
      expect(() => openSqliteStore({ path })).toThrow(`cannot open the database ${path}`);
      expect(() => openSqliteStore({ path })).toThrow(message);
    }
    using(newer, (db) => expect(schemaVersion(db)).toBe(999));
    expect(readFileSync(garbage, 'utf8')).toStartWith('this is not');
  });

  test('an older database is copied (0600), then brought up to date without losing a row', async () => {
    const path = await furnished();
    const steps = [...migrations, rebuild, { tag: 'more', sql: 'ALTER TABLE tenants ADD COLUMN colour TEXT' }];
    const told: string[] = [];
    const migrated = connect(path, 5000, steps, undefined, (what, done, total) => told.push(`${what} ${done}/${total}`));
    expect(told).toEqual(['copying the database 0/4', 'migrating 1/4', 'migrating 2/4', 'checking references 3/4']);
    expect(schemaVersion(migrated.db)).toBe(steps.length);
    for (const table of ['tenants', 'clients', 'client_secrets', 'users', 'grants', 'refresh_tokens']) {
      expect([table, migrated.db.query<{ n: number }, []>(`SELECT count(*) AS n FROM ${table}`).get()?.n]).toEqual([table, 1]);
    }
    await migrated.close();
    const backup = `${path}.schema-${migrations.length}.backup`;
    expect(modeOf(backup)).toBe('600');
    const copy = openSqliteStore({ path: backup });
    expect(await copy.findTenant({ slug: 'acme' })).toEqual(aTenant());
    await copy.close();
    expect(() => openSqliteStore({ path })).toThrow('newer');
    expect(readdirSync(folder).filter((file) => file.endsWith('.partial'))).toEqual([]);
  });

  test('a database of the version before signing in keeps its rows, which read back with what they were never told', async () => {
    const path = newPath();
    const former = connect(path, 5000, migrations.slice(0, 3));
    // Rows as that version wrote them.
    former.db.run(`
      INSERT INTO tenants VALUES ('ten_1', 'acme', 'Acme', 'standard', 'realm', NULL, 'audience', 'enforce', 'issued_to', 'grant', 'standard',
        'issuer', 'ES256', 300, 86400, ${T0}, NULL, NULL, 0, 86400, NULL);
      INSERT INTO clients VALUES ('ten_1', 'cli_1', 'Client', 0, '["client_credentials","refresh_token"]', '["orders:read","orders:write"]', '[]',
        '[]', NULL, NULL, NULL, NULL, NULL, 1, NULL, NULL, 0, ${T0}, NULL, NULL, 0);
      INSERT INTO users VALUES ('ten_1', 'usr_1', 'Jane', 'jane', 'Jane@Example.com', 1, 'Jane Roe', ${T0}, NULL, NULL, 0);
      INSERT INTO signing_keys VALUES ('ten_1', 'key_1', 'ES256', 'active', '{"kty":"EC"}', 'v1.sealed', ${T0}, ${T0}, NULL);
      INSERT INTO sessions VALUES ('ten_1', 'ses_1', 'usr_1', ${T0}, NULL);
      INSERT INTO grants VALUES ('gra_1', 'ten_1', 'cli_1', 'usr_1', 'ses_1', NULL, '["orders:read"]', '["https://api.example.com"]', 0, ${T0 / 1000},
        NULL, ${T0}, ${T0 + 86_400_000}, NULL, ${T0 + 86_400_000});
      INSERT INTO refresh_tokens (digest, tenant_id, grant_id, issued_at_ms, expires_at_ms)
        VALUES ('${digestOf('rt_1')}', 'ten_1', 'gra_1', ${T0}, ${T0 + 86_400_000});`);
    await former.close();
    const user = aUser({ email: 'Jane@Example.com' });
    for (const _time of ['migrating', 'again']) {
      const store = openSqliteStore({ path });
      expect(await store.findTenant({ slug: 'acme' })).toEqual(aTenant());
      expect(await store.findClient('ten_1', 'cli_1')).toEqual(aClient({ secrets: [] }));
      expect(await store.findUser('ten_1', 'usr_1')).toEqual(user);
      expect(await store.findUsersByEmail('ten_1', 'jane@example.com')).toEqual([user]);
      expect(await store.listKeys('ten_1')).toEqual([aKey()]);
      expect(await store.findSession('ten_1', 'ses_1')).toEqual(aSession());
      expect(await store.listBrowserSessions('ten_1', 'usr_1', T0)).toEqual([]);
      expect((await store.findRefreshToken(digestOf('rt_1')))?.grant).toEqual(aGrant());
      await store.close();
    }
    expect(modeOf(`${path}.schema-3.backup`)).toBe('600');
    // They can be changed as well: what was read is what is compared.
    const store = openSqliteStore({ path });
    const tenant = aTenant({ people: { ...defaultPeopleSettings, registration: true } });
    expect(await store.updateTenant(aTenant(), tenant, [])).toBe('updated');
    expect(await store.findTenant({ id: 'ten_1' })).toEqual(tenant);
    expect(await store.updateClient(aClient({ secrets: [] }), aClient({ requirePkce: false, secrets: [] }), [])).toBe('updated');
    expect(await store.updateUser(user, aUser({ attributes: { tags: ['a'], address: { country: 'DE' } } }), 'jane', [])).toBe('updated');
    expect(await store.findUser('ten_1', 'usr_1')).toEqual(aUser({ attributes: { tags: ['a'], address: { country: 'DE' } } }));
    await store.close();
    // A setting that a later version adds has its default in a row that does not name it.
    using(path, (db) => db.run(`UPDATE tenants SET people = '{"registration":true}'`));
    const later = openSqliteStore({ path });
    expect(await later.findTenant({ id: 'ten_1' })).toEqual(tenant);
    await later.close();
  });

  test('a step that fails or breaks a reference leaves the database as it was', async () => {
    const path = await furnished();
    for (const sql of ['CREATE TABLE extra (a TEXT) STRICT; INSERT INTO nowhere VALUES (1)', 'CREATE TABLE extra (a TEXT) STRICT; DELETE FROM clients']) {
      expect(() => connect(path, 5000, [...migrations, { tag: 'bad', sql }])).toThrow(/no such table|break references/);
    }
    using(path, (db) => {
      expect(schemaVersion(db)).toBe(migrations.length);
      expect(db.query("SELECT 1 FROM sqlite_schema WHERE name = 'extra'").get()).toBeNull();
    });
    const store = openSqliteStore({ path });
    expect((await store.findClient('ten_1', 'cli_1'))?.id).toBe('cli_1');
    await store.close();
  });

  test('OP-05 processes that come upon one new file at once all open it', async () => {
    const path = newPath();
    const script = join(import.meta.dir, 'second-process.ts');
    const started = Array.from({ length: 4 }, () => Bun.spawn([process.execPath, script, path, 'probe'], { stderr: 'pipe' }));
    for (const child of started) expect([await child.exited, await new Response(child.stderr).text()]).toEqual([0, '']);
    using(path, (db) => expect(schemaVersion(db)).toBe(migrations.length));
  });
});

describe('CR-09 file modes', () => {
  test('the database, its log and its index are 0600, whatever the umask', async () => {
    const former = process.umask(0);
    const path = newPath();
    const store = openSqliteStore({ path });
    await store.probe();
    process.umask(former);
    expect([path, `${path}-wal`, `${path}-shm`].map(modeOf)).toEqual(['600', '600', '600']);
    await store.close();
  });

  test('a file that is too open is tightened', async () => {
    const path = await furnished();
    chmodSync(path, 0o644);
    const store = openSqliteStore({ path });
    expect(modeOf(path)).toBe('600');
    await store.close();
  });

  test('nothing is made where there is no directory', () => {
    mkdirSync(join(folder, 'empty'));
    expect(() => openSqliteStore({ path: join(folder, 'empty', 'missing', 'a.db') })).toThrow('cannot open');
    expect(existsSync(join(folder, 'empty', 'missing'))).toBe(false);
  });
});

function using(path: string, use: (db: Database) => void): void {
  const db = new Database(path);
  try {
    use(db);
  } finally {
    db.close();
  }
}
