import { Database } from 'bun:sqlite';
import { afterAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beginChain, stepChain, type ChainFault, type ChainState } from '../../src/core/audit-chain.ts';
import type { AuditSearch } from '../../src/core/operations-store.ts';
import { defaultPeopleSettings } from '../../src/core/people.ts';
import { prepareSearch } from '../../src/storage/sqlite/audit-search.ts';
import { connect } from '../../src/storage/sqlite/connection.ts';
import { migrations } from '../../src/storage/sqlite/migrations.ts';
import { openSqliteStore } from '../../src/storage/sqlite/open.ts';
import { readPragma, requireSqlite, sqliteVersion, verifyPragmas } from '../../src/storage/sqlite/pragmas.ts';
import { storeConformance } from './conformance.ts';
import {
  aBrowserSession, aCode, aConsent, anAftermath, anInteraction, aPasskey, aPassword, aProof, aTotp, furnishPeople,
} from './people-samples.ts';
import { aClient, anEvent, aTenant, aUser, digestOf, furnish, T0 } from './samples.ts';
import type { Store } from '../../src/core/store.ts';

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

  test('LG-08 audit rows can be neither changed, moved, replaced nor deleted, but for a count that grows and what retention declared', async () => {
    const { db, close } = connect(newPath(), 5000, migrations);
    const add = (tenant: string | null, hash: string) => db.run(`INSERT INTO audit (time_ms, type, tenant, outcome, count, hash) VALUES (${T0}, 'token_revoked', ?, 'success', 2, ?)`, [tenant, hash]);
    for (const [tenant, hash] of [['acme', 'a1'], [null, 's1'], ['acme', 'a2'], [null, 's2'], ['acme', 'a3']] as const) add(tenant, hash);
    const refused = [
      'UPDATE audit SET time_ms = 1', "UPDATE audit SET reason = 'x', count = 9", 'UPDATE audit SET count = 1', "UPDATE audit SET hash = 'x'", 'UPDATE audit SET seq = seq + 9',
      'DELETE FROM audit', `INSERT OR REPLACE INTO audit (seq, time_ms, type, outcome, count) VALUES (3, ${T0}, 'token_revoked', 'success', 1)`,
    ];
    for (const change of refused) expect(() => db.run(change)).toThrow('audit is append-only');
    db.run('UPDATE audit SET count = 3');
    const anchor = (chain: string, number: number, hash: string) => () => db.run(
      'INSERT INTO audit_anchors VALUES (?, ?, ?) ON CONFLICT (chain) DO UPDATE SET number = excluded.number, hash = excluded.hash', [chain, number, hash]);
    // An anchor is a row of its own chain, with that row's hash, and moves on only.
    for (const [chain, number, hash] of [['acme', 3, 'a1'], ['acme', 2, 's1'], ['', 3, 'a2'], ['acme', 99, 'a2'], ['nobody', 1, 'a1']] as const) {
      expect(anchor(chain, number, hash)).toThrow('audit anchors only move on');
    }
    anchor('acme', 3, 'a2')();
    expect(anchor('acme', 1, 'a1')).toThrow('audit anchors only move on');
    for (const change of ['DELETE FROM audit_anchors', "UPDATE audit_anchors SET chain = ''", 'UPDATE audit_anchors SET number = 1']) expect(() => db.run(change)).toThrow('audit anchors only move on');
    // Below it rows of that chain may go, of no other, and never the newest.
    for (const change of ['DELETE FROM audit WHERE seq = 2', 'DELETE FROM audit WHERE seq = 5']) expect(() => db.run(change)).toThrow('audit is append-only');
    db.run('DELETE FROM audit WHERE seq IN (1, 3)');
    anchor('acme', 5, 'a3')();
    expect(() => db.run('DELETE FROM audit WHERE seq = 5')).toThrow('audit is append-only');
    await close();
  });

  test('LG-08 several processes append to one chain, and it holds', async () => {
    const path = newPath();
    const stores = [openSqliteStore({ path }), openSqliteStore({ path })];
    await Promise.all(stores.flatMap((store) => Array.from({ length: 40 }, async (_, index) => {
      if (index % 3 === 0) await Bun.sleep(index % 7);
      await store.recordAudit([anEvent({ reason: `${index}` })]);
    })));
    let state: ChainState | ChainFault = beginChain(null);
    for (const row of await stores[0]!.readAudit({ tenant: 'acme', after: 0, limit: 999 })) state = typeof state === 'string' ? state : stepChain(state, row, digestOf);
    expect(state).toMatchObject({ number: 80 });
    for (const store of stores) await store.close();
  });

  test('every search of the audit trail finds its rows by an index, or walks from the newest on', async () => {
    const path = newPath();
    const connection = connect(path, 5000, migrations);
    const asked: string[] = [];
    const db = new Proxy(connection.db, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name);
        if (name !== 'prepare') return typeof member === 'function' ? member.bind(target) : member;
        return (sql: string) => {
          asked.push(sql);
          return target.prepare(sql);
        };
      },
    });
    const search = prepareSearch({ ...connection, db });
    const filters: AuditSearch = { tenant: 'a', types: ['token_revoked'], actor: 'a', clientId: 'c', subject: 's', ip: 'i', requestId: 'r', outcome: 'denied', sinceMs: 1, untilMs: T0 };
    const names = Object.keys(filters) as (keyof AuditSearch)[];
    const sets = [[], ...names.map((name) => [name]), ...names.flatMap((one) => names.map((other) => [one, other])), names];
    for (const set of sets) await search({ after: null, limit: 9 }, Object.fromEntries(set.map((name) => [name, filters[name]])));
    expect(asked.length).toBeGreaterThan(100);
    for (const statement of new Set(asked)) {
      const plan = connection.db.query<{ detail: string }, null[]>(`EXPLAIN QUERY PLAN ${statement}`).all(...Array.from({ length: connection.db.prepare(statement).paramsCount }, () => null));
      // What is walked is a window; what sorts would read all of it first.
      const wrong = plan.map(({ detail }) => detail).filter((detail) => !/^(?:CO-ROUTINE|SEARCH audit USING (?:COVERING )?INDEX audit_\w+ \(.*\)|SEARCH audit USING INTEGER PRIMARY KEY \(rowid>\? AND rowid<\?\)|SCAN \(subquery-\d+\))/.test(detail));
      expect({ statement, wrong }).toEqual({ statement, wrong: [] });
    }
    await connection.close();
  });

  test('every protocol statement finds its rows by an index', async () => {
    const path = newPath();
    const store = openSqliteStore({ path });
    const db = new Database(path, { readonly: true });
    expect(store.statements.length).toBeGreaterThan(100);
    for (const statement of store.statements) {
      const parameters = Array.from({ length: db.prepare(statement).paramsCount }, () => null);
      const plan = db.query<{ detail: string }, null[]>(`EXPLAIN QUERY PLAN ${statement}`).all(...parameters);
      // One that finds its rows by their tenant alone reads all of it; only what is asked of all of it may.
      const wide = plan.filter(({ detail }) => detail.endsWith('(tenant_id=?)') && !/^SEARCH (roles|signing_keys|outbox) /.test(detail));
      expect({ statement, wide }).toEqual({ statement, wide: [] });
      expect({ statement, scans: plan.filter(({ detail }) => /^SCAN (?!CONSTANT ROW|\(subquery)/.test(detail)).map(({ detail }) => detail) }).toEqual({ statement, scans: [] });
    }
    db.close();
    await store.close();
  });

  test('a count of all rows that closing comes upon ends with it', async () => {
    const store = openSqliteStore({ path: newPath() });
    await furnish(store);
    await Promise.all(Array.from({ length: 6_000 }, (_, index) => store.revokeTokenId('ten_1', `jti_${index}`, T0 / 1000, T0, () => [])));
    const counting = Promise.resolve(store.statistics()).then(() => 'counted', (error: unknown) => (error instanceof Error ? error.name : ''));
    await store.close();
    expect(await counting).toBe('StoreError');
  });

  test('what signing in keeps is there after reopening, and another process sees it at once', async () => {
    const path = newPath();
    const store = openSqliteStore({ path });
    const other = openSqliteStore({ path });
    const read = async (from: Store) => [
      await from.findBrowserSession('ten_1', digestOf('secret_1')), await from.findInteraction(digestOf('int_1')), await from.findCode(digestOf('code_1')),
      await from.findConsents('ten_1', 'usr_1', 'cli_1'), await from.findPassword('ten_1', 'usr_1'), await from.findPasskey('ten_1', 'pk_1'),
      await from.findTotp('ten_1', 'usr_1'), await from.countRecoveryCodes('ten_1', 'usr_1'), await from.findProofByLink('ten_1', digestOf('link prf_2')),
      await from.findSignInFailures('ten_1', 'usr_1', 'net'), await from.findOrganization('ten_1', 'org_1'),
      await from.listMemberships('ten_1', { userId: 'usr_1' }), await from.listRoles('ten_1'), await from.listDueMails(T0, 9), await from.listGrants('ten_1', 'usr_1', T0),
    ];
    const before = await read(other);
    expect(before.filter((thing) => thing !== null && thing !== 0 && !(Array.isArray(thing) && thing.length === 0))).toEqual([]);
    await furnishPeople(store);
    await store.createInteraction(anInteraction());
    await store.issueCode({ code: aCode(), interactionDigest: null, consent: aConsent() }, []);
    await store.setPassword(aPassword(), null, anAftermath());
    for (const id of ['prf_1', 'prf_2']) await store.createProof(aProof(id), { audit: [] });
    await store.addPasskey(aPasskey(), 'prf_1', { audit: [] });
    await store.beginTotp(aTotp());
    await store.replaceRecoveryCodes('ten_1', 'usr_1', [digestOf('a')], { audit: [] });
    await store.countSignInFailure('ten_1', 'usr_1', 'net', T0);
    await store.createOrganization({ tenantId: 'ten_1', id: 'org_1', name: 'Org', createdAtMs: T0 }, []);
    await store.putMembership({ tenantId: 'ten_1', orgId: 'org_1', userId: 'usr_1', roles: ['admin'], createdAtMs: T0 }, []);
    await store.putRole({ tenantId: 'ten_1', name: 'admin', permissions: ['x'], createdAtMs: T0 }, []);
    const kept = await read(store);
    expect(kept.filter((thing) => thing === null || thing === 0 || (Array.isArray(thing) && thing.length === 0))).toEqual([]);
    expect(await read(other)).toEqual(kept);
    await store.close();
    await other.close();
    const again = openSqliteStore({ path });
    expect(await read(again)).toEqual(kept);
    await again.close();
  });

  test('UI-07 sessions of a tenant whose row names no idle limit end by the default', async () => {
    const path = newPath();
    const store = openSqliteStore({ path });
    await furnishPeople(store);
    const db = new Database(path);
    db.run("UPDATE tenants SET people = '{}'");
    db.close();
    const endMs = T0 + defaultPeopleSettings.sessionIdleTtl * 1000;
    for (const [nowMs, endedAtMs] of [[endMs - 1, null], [endMs, endMs]] as const) {
      while (!(await store.sweep(nowMs, 1000)).done);
      expect((await store.findSession('ten_1', 'ses_b'))?.endedAtMs).toBe(endedAtMs);
    }
    await store.close();
  });

  test('CR-10 MTN-12 what was wiped is nowhere in the file', async () => {
    const path = newPath();
    const store = openSqliteStore({ path });
    await furnish(store);
    await store.createUser({ ...aClientUser(), email: 'canary@example.com' }, 'canary', []);
    const canary = { ...aClientUser(), email: 'canary@example.com' };
    expect(await store.updateUser(canary, { ...canary, email: '', deletedAtMs: T0 }, 'canary', [])).toBe('updated');
    const secretive = aPasskey({ userId: 'usr_1', publicKey: 'canary-cose' });
    await store.createProof(aProof('prf_1', { sealedData: 'canary-sealed' }), { audit: [] });
    await store.addPasskey(secretive, 'prf_1', { audit: [] });
    await store.setPassword(aPassword({ digest: 'canary-argon' }), null, { audit: [] });
    await store.openBrowserSession({ session: aBrowserSession('s', { userAgent: 'canary-agent' }), replaces: null, progress: null }, { audit: [] });
    await store.updateUser(aUser(), aUser({ name: null, email: '', deletedAtMs: T0 }), 'usr_1', []);
    await store.deleteTenant('ten_1', T0, []);
    await store.close();
    const bytes = Buffer.from(await Bun.file(path).arrayBuffer()).toString('latin1');
    expect(bytes).toContain('cli_1');
    for (const wiped of ['canary@example.com', 'canary-cose', 'canary-sealed', 'canary-argon', 'canary-agent', 'jane@example.com']) {
      expect([wiped, bytes.includes(wiped)]).toEqual([wiped, false]);
    }
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
    tenantId: 'ten_1', id: 'usr_9', username: 'canary', email: '', emailVerified: false, name: null, attributes: {}, createdAtMs: T0, disabledAtMs: null,
    deletedAtMs: null, notBeforeMs: 0,
  } as const;
}
