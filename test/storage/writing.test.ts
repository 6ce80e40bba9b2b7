/** Group commit, other writers, failing disks, other processes, sudden death. */
import { Database } from 'bun:sqlite';
import { afterAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from '../../src/storage/sqlite/connection.ts';
import { migrations } from '../../src/storage/sqlite/migrations.ts';
import { assembleStore, openSqliteStore } from '../../src/storage/sqlite/open.ts';
import { aClient, anOpaque, aUser, digestOf, furnish, SOON_S, T0 } from './samples.ts';
import type { Store } from '../../src/core/store.ts';
import { listAudit } from '../helpers/trail.ts';

const folder = mkdtempSync(join(tmpdir(), 'assay-writing-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;
const newPath = () => join(folder, `${files++}.db`);
const revoke = (store: Store, id: string) => store.revokeTokenId('ten_1', id, SOON_S, T0, () => []);
const isRevoked = async (store: Store, id: string) => (await store.readTokenRecord('ten_1', id, null)).revoked;

describe('group commit', () => {
  test('changes of one turn share one commit, and none is acknowledged before it', async () => {
    const store = openSqliteStore({ path: newPath() });
    await furnish(store);
    const before = store.commits();
    let acknowledged = 0;
    const all = Array.from({ length: 500 }, (_, number) => revoke(store, `jti_${number}`).then(() => acknowledged++));
    await Promise.resolve();
    expect(acknowledged).toBe(0);
    await Promise.all(all);
    expect(store.commits() - before).toBe(1);
    await store.close();
  });

  test('one that fails fails alone, and the others share one commit', async () => {
    const { writer, db, close } = connect(newPath(), 5000, migrations);
    const insert = (key: string) => writer.write(() => db.run('INSERT INTO meta VALUES (?, ?)', [key, 'x']));
    const forgotten: string[] = [];
    const results = await Promise.allSettled([
      insert('a'),
      insert('a'),
      writer.write((after) => {
        after(() => forgotten.push('never'));
        db.run("INSERT INTO meta VALUES ('half', 'x')");
        throw new RangeError('mine');
      }),
      writer.write((after) => after(() => forgotten.push('once'))),
      insert('b'),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled', 'fulfilled']);
    expect(results[1]).toMatchObject({ reason: { code: 'SQLITE_CONSTRAINT_PRIMARYKEY' } });
    expect(results[2]).toMatchObject({ reason: new RangeError('mine') });
    expect(forgotten).toEqual(['once']);
    expect(writer.commits()).toBe(1);
    expect(db.query('SELECT key FROM meta ORDER BY key').values()).toEqual([['a'], ['b']]);
    await close();
  });

  test('RL: too many waiting changes are refused as busy, the others are kept', async () => {
    const store = openSqliteStore({ path: newPath() });
    await furnish(store);
    const results = await Promise.allSettled(Array.from({ length: 10_100 }, (_, number) => revoke(store, `jti_${number}`)));
    const refused = results.filter(({ status }) => status === 'rejected');
    expect(refused).toHaveLength(100);
    expect(refused[0]).toMatchObject({ reason: { name: 'StoreError', kind: 'busy' } });
    expect(await isRevoked(store, 'jti_9999')).toBe(true);
    await store.close();
  });
});

describe('another process', () => {
  test('OP-05 while it writes, changes wait without stopping reads; then they go through', async () => {
    const path = newPath();
    const store = openSqliteStore({ path });
    await furnish(store);
    const other = new Database(path);
    other.run('BEGIN IMMEDIATE');
    const waiting = revoke(store, 'jti_1');
    const begun = performance.now();
    await Bun.sleep(40);
    expect(performance.now() - begun).toBeLessThan(400);
    expect(await isRevoked(store, 'jti_1')).toBe(false);
    other.run('COMMIT');
    expect(await waiting).toBe(true);
    expect(await isRevoked(store, 'jti_1')).toBe(true);
    other.close();
    await store.close();
  });

  test('OP-06 when it writes too long, changes are refused as busy; afterwards all is well', async () => {
    const path = newPath();
    const store = openSqliteStore({ path, busyMs: 50 });
    await furnish(store);
    const other = new Database(path);
    other.run('BEGIN IMMEDIATE');
    const results = await Promise.allSettled([revoke(store, 'jti_1'), revoke(store, 'jti_2')]);
    for (const result of results) expect(result).toMatchObject({ status: 'rejected', reason: { name: 'StoreError', kind: 'busy' } });
    expect(await store.probe().catch((error: unknown) => error)).toMatchObject({ kind: 'busy' });
    other.run('ROLLBACK');
    other.close();
    await store.probe();
    expect(await isRevoked(store, 'jti_1')).toBe(false);
    expect(await revoke(store, 'jti_1')).toBe(true);
    await store.close();
  });

  test('INT-97 what another connection changed is seen by the next read, whatever was remembered', async () => {
    const path = newPath();
    const [store, other] = [openSqliteStore({ path }), openSqliteStore({ path })];
    await furnish(store);
    for (let round = 0; round < 20; round++) {
      const opaque = anOpaque(`at_${round}`);
      await store.addOpaqueToken(opaque);
      expect(await isRevoked(store, `jti_${round}`)).toBe(false);
      expect((await store.findOpaqueToken(opaque.digest))?.revokedAtMs).toBeNull();
      expect((await store.findUser('ten_1', 'usr_1'))?.name).not.toBe(`round ${round}`);
      const epoch = store.epoch();
      await Promise.all([
        revoke(other, `jti_${round}`), other.revokeOpaqueToken(opaque.digest, T0, () => []),
        other.updateUser(aUser(round === 0 ? {} : { name: `round ${round - 1}` }), aUser({ name: `round ${round}` }), 'jane', []),
      ]);
      expect(await isRevoked(store, `jti_${round}`)).toBe(true);
      expect((await store.findOpaqueToken(opaque.digest))?.revokedAtMs).toBe(T0);
      expect((await store.findUser('ten_1', 'usr_1'))?.name).toBe(`round ${round}`);
      expect(store.epoch()).not.toBe(epoch);
    }
    await other.close();
    await store.close();
  });

  test('INT-97 also after a read that an own commit set off', async () => {
    const path = newPath();
    const store = openSqliteStore({ path });
    await furnish(store);
    const other = new Database(path);
    for (let round = 0; round < 10; round++) {
      await revoke(store, `own_${round}`);
      expect(await isRevoked(store, `jti_${round}`)).toBe(false);
      other.run('INSERT INTO revoked_ids VALUES (?, ?, ?, ?)', ['ten_1', `jti_${round}`, SOON_S, T0]);
      await new Promise<void>((resolve) => {
        setTimeout(resolve, 0);
        Bun.sleepSync(2);
      });
      expect(await isRevoked(store, `jti_${round}`)).toBe(true);
    }
    other.close();
    await store.close();
  });

  test('INT-97 what another process changed is seen by the next read', async () => {
    const path = newPath();
    const store = openSqliteStore({ path });
    await furnish(store);
    expect(await isRevoked(store, 'jti_1')).toBe(false);
    expect(await store.findClient('ten_1', 'cli_1')).toEqual(aClient());
    const child = Bun.spawn([process.execPath, join(import.meta.dir, 'second-process.ts'), path, 'revoke'], { stderr: 'inherit' });
    expect(await child.exited).toBe(0);
    expect(await isRevoked(store, 'jti_1')).toBe(true);
    expect((await store.findClient('ten_1', 'cli_1'))?.disabledAtMs).toBe(T0);
    await store.close();
  });

  test('REV-19 kill -9 at any moment loses nothing that was acknowledged', async () => {
    const path = newPath();
    for (let round = 0; round < 4; round++) {
      const child = Bun.spawn([process.execPath, join(import.meta.dir, 'second-process.ts'), path, 'pour'], { stdout: 'pipe', stderr: 'inherit' });
      const reader = child.stdout.getReader();
      let heard = '';
      while (heard.length < 2_000 * (round + 1)) heard += new TextDecoder().decode((await reader.read()).value);
      child.kill('SIGKILL');
      await child.exited;
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        heard += new TextDecoder().decode(value);
      }
      const acknowledged = heard.split('\n').slice(0, -1);
      const store = openSqliteStore({ path });
      const lost: string[] = [];
      for (const id of acknowledged) if (!(await isRevoked(store, id))) lost.push(id);
      expect([acknowledged.length > 100, lost]).toEqual([true, []]);
      await store.close();
    }
  });
});

describe('OP-06 a failing disk', () => {
  const failures: [name: string, breakIt: string, mendIt: string][] = [
    ['full', 'PRAGMA max_page_count = 1', 'PRAGMA max_page_count = 4294967294'],
    ['read-only', 'PRAGMA query_only = ON', 'PRAGMA query_only = OFF'],
  ];
  for (const [name, breakIt, mendIt] of failures) {
    test(`${name}: changes fail as unavailable, reads go on, and nothing is half done; mended, it works at once`, async () => {
      const connection = connect(newPath(), 5000, migrations);
      const store = assembleStore(connection);
      await furnish(store);
      connection.db.run(breakIt);
      // Large enough that no page has room for it.
      const events = Array.from({ length: 200 }, () => ({ ...anEventOf(1_000) }));
      const results = await Promise.allSettled(['jti_1', 'jti_2', 'jti_3'].map((id) => store.revokeTokenId('ten_1', id, SOON_S, T0, () => events)));
      for (const result of results) expect(result).toMatchObject({ status: 'rejected', reason: { name: 'StoreError', kind: 'unavailable' } });
      expect(await isRevoked(store, 'jti_1')).toBe(false);
      expect((await store.findRefreshToken(digestOf('rt_1')))?.grant.id).toBe('gra_1');
      expect(await listAudit(store, { limit: 9 })).toEqual([]);
      connection.db.run(mendIt);
      expect(await revoke(store, 'jti_1')).toBe(true);
      expect(await isRevoked(store, 'jti_1')).toBe(true);
      await store.close();
    });
  }
});

function anEventOf(size: number) {
  return {
    timeMs: T0, type: 'token_revoked', tenant: 'acme', actor: null, clientId: null, subject: 'x'.repeat(size), fingerprint: null, ip: null,
    requestId: null, outcome: 'success', reason: null, grantId: null, count: 1,
  } as const;
}
