import { Database } from 'bun:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import type { AuditRow, AuditSearch } from '../../src/core/operations-store.ts';
import type { Store } from '../../src/core/store.ts';
import { commandLine } from '../../src/service/context.ts';
import { auditRowDocument } from '../../src/service/documents.ts';
import { exportAudit, searchAudit, verifyChain, verifyChains } from '../../src/service/manage-audit.ts';
import { openSqliteStore } from '../../src/storage/sqlite/open.ts';
import { removeFolder, temporaryFolder } from '../helpers/server.ts';
import { anEvent, T0 } from '../storage/samples.ts';
import { makeSetClock } from './rig.ts';

let folder: string;
let store: Store;
const path = (): string => join(folder, 'assay.db');
beforeEach(() => {
  folder = temporaryFolder();
  store = openSqliteStore({ path: path() });
});
afterEach(async () => {
  await store.close();
  removeFolder(folder);
});

/** Somebody with the file and a tool of their own: no trigger stops them. */
function tamper(...statements: readonly string[]): void {
  const db = new Database(path());
  for (const { name } of db.query<{ name: string }, []>(`SELECT name FROM sqlite_schema WHERE type = 'trigger'`).all()) db.run(`DROP TRIGGER ${name}`);
  for (const statement of statements) db.run(statement);
  db.close();
}

/** Events of two chains, `count` of each, in turn: those of acme have odd numbers. */
async function fill(count: number): Promise<void> {
  await store.recordAudit(Array.from({ length: count * 2 }, (_, index) => anEvent({ timeMs: T0 + index, tenant: index % 2 === 0 ? 'acme' : null, reason: `r${index}` })));
}

describe('LG-08 verifying the trail', () => {
  test('an untouched trail is fine, and its heads are told', async () => {
    await fill(700);
    const rows = await store.readAudit({ after: 0, limit: 10_000 });
    const headOf = (tenant: string | null) => rows.findLast((row) => row.tenant === tenant);
    expect(await verifyChains({ store })).toEqual([null, 'acme'].map((tenant) => ({
      tenant, events: 700, unhashed: 0, pruned: null, head: { number: headOf(tenant)?.number ?? 0, hash: headOf(tenant)?.hash ?? '' }, broken: null, complete: true, holdsNoted: false,
    })));
    const noted = { number: rows[100]?.number ?? 0, hash: rows[100]?.hash ?? '' };
    expect((await verifyChain({ store }, 'acme', { noted })).holdsNoted).toBe(true);
    expect((await verifyChain({ store }, 'acme', { noted: { ...noted, number: noted.number + 2 } })).holdsNoted).toBe(false);
    expect((await verifyChains({ store }, { noted })).map(({ holdsNoted }) => holdsNoted)).toEqual([false, true]);
    expect(await verifyChain({ store }, 'nobody')).toMatchObject({ events: 0, head: null, broken: null });
  });

  test('what somebody did to the file is found where they did it', async () => {
    await fill(600);
    const cases: [string, string, number | null][] = [
      ['a member changed', `UPDATE audit SET actor = 'somebody else' WHERE seq = 5`, 5],
      ['a member emptied', 'UPDATE audit SET reason = NULL WHERE seq = 1101', 1101],
      ['one is missing', 'DELETE FROM audit WHERE seq = 7', 9],
      ['the first is missing', 'DELETE FROM audit WHERE seq = 1', 3],
      ['two changed places', 'UPDATE audit SET seq = CASE seq WHEN 11 THEN -13 WHEN 13 THEN -11 END WHERE seq IN (11, 13)', 11],
      ['one moved to another tenant', `UPDATE audit SET tenant = 'other' WHERE seq = 9`, 11],
      ['its hash was taken away', 'UPDATE audit SET hash = NULL WHERE seq = 21', 21],
      ['all hashes before were taken away', 'UPDATE audit SET hash = NULL WHERE seq < 1000', 1001],
      ['a count that grew is no change', 'UPDATE audit SET count = count + 5', null],
    ];
    await store.close();
    const bytes = await Bun.file(path()).bytes();
    for (const [what, statement, number] of cases) {
      await Bun.write(path(), bytes);
      tamper(statement, 'UPDATE audit SET seq = -seq WHERE seq < 0');
      store = openSqliteStore({ path: path() });
      expect([what, (await verifyChain({ store }, 'acme')).broken?.number ?? null]).toEqual([what, number]);
      await store.close();
    }
    await Bun.write(path(), bytes);
    store = openSqliteStore({ path: path() });
    // Only who noted the head sees that the end is gone.
    const { head } = await verifyChain({ store }, 'acme');
    tamper('DELETE FROM audit WHERE seq > 1000');
    expect(await verifyChain({ store }, 'acme', { noted: head })).toMatchObject({ broken: null, holdsNoted: false });
  });

  test('a long chain is verified in several calls', async () => {
    await fill(1200);
    const first = await verifyChain({ store }, 'acme', { most: 600 });
    expect([first.complete, first.events]).toEqual([false, 1000]);
    const second = await verifyChain({ store }, 'acme', { after: first.head?.number ?? 0, noted: first.head });
    expect([second.complete, second.events, second.holdsNoted, second.broken]).toEqual([true, 200, true, null]);
    tamper('UPDATE audit SET reason = NULL WHERE seq = 2301');
    expect((await verifyChain({ store }, 'acme', { after: first.head?.number ?? 0 })).broken).toEqual({ number: 2301, fault: 'mismatch' });
  });

  test('retention that goes on meanwhile is no fault, rows below its anchor are', async () => {
    await fill(1200);
    const undisturbed = store;
    let reads = 0;
    const disturbed: Pick<Store, 'readAudit' | 'auditAnchor' | 'listAuditTenants'> = {
      ...store,
      readAudit: async (of) => {
        reads += 1;
        if (reads === 2) await undisturbed.pruneAudit('acme', T0 + 2000, 2000, anEvent({ type: 'audit_pruned', timeMs: T0 + 9999 }));
        return undisturbed.readAudit(of);
      },
    };
    const report = await verifyChain({ store: { ...store, ...disturbed } }, 'acme');
    expect([report.broken, report.complete, report.pruned !== null]).toEqual([null, true, true]);
    expect((await verifyChain({ store }, 'acme')).broken).toBeNull();
    tamper(`INSERT INTO audit (seq, time_ms, type, tenant, outcome, count) VALUES (5, ${T0}, 'user_created', 'acme', 'success', 1)`);
    expect((await verifyChain({ store }, 'acme')).broken).toEqual({ number: 5, fault: 'out_of_order' });
  });
});

describe('searching and writing out', () => {
  const clock = makeSetClock();
  const exported = async (search: AuditSearch, format: 'csv' | 'jsonl'): Promise<string> => {
    let text = '';
    for await (const piece of exportAudit({ store, clock, by: { ...commandLine, actor: 'key_1', ip: '::1', requestId: 'r9' } }, search, format)) text += piece;
    return text;
  };

  test('LG-05 a search goes on over parts until it has enough', async () => {
    await store.recordAudit([anEvent({ outcome: 'failure', reason: 'first' })]);
    await fill(8000);
    await fill(8000);
    expect((await searchAudit({ store }, { outcome: 'failure' }, 10)).map(({ reason }) => reason)).toEqual(['first']);
    expect((await searchAudit({ store }, { tenant: null }, 1200)).map(({ number }) => number)).toEqual(Array.from({ length: 1200 }, (_, index) => 32_001 - index * 2));
  });

  test('LG-08 an export holds every event that matches, oldest first, and is an event itself', async () => {
    await fill(900);
    const all = await store.readAudit({ after: 0, limit: 10_000 });
    const read = (text: string): unknown[] => text.trimEnd().split('\n').map((line) => JSON.parse(line) as unknown);
    expect(read(await exported({}, 'jsonl'))).toEqual(all.map(auditRowDocument));
    const [taken] = (await store.pageAudit({ after: null, limit: 1 }, {})).items;
    expect(taken).toMatchObject({ type: 'audit_exported', tenant: null, subject: 'all', actor: 'key_1', ip: '::1', requestId: 'r9', reason: 'jsonl' });
    const some: (row: AuditRow) => boolean = (row) => row.tenant === 'acme' && row.timeMs >= T0 + 100 && row.timeMs <= T0 + 1500;
    const csv = parse<Record<string, string>>(await exported({ tenant: 'acme', sinceMs: T0 + 100, untilMs: T0 + 1500, types: ['token_revoked'] }, 'csv'), { columns: true });
    expect(csv.map(({ number, reason, tenant }) => [number, reason, tenant])).toEqual(all.filter(some).map(({ number, reason, tenant }) => [String(number), reason ?? '', tenant ?? '']));
    expect(Object.keys(csv[0] ?? {})).toEqual(Object.keys(auditRowDocument(all[0]!)));
    expect((await store.pageAudit({ after: null, limit: 1 }, { types: ['audit_exported'] })).items[0]?.reason).toBe(`csv, since ${new Date(T0 + 100).toISOString()}, until ${new Date(T0 + 1500).toISOString()}, by types`);
    expect(await exported({ requestId: 'nobody' }, 'jsonl')).toBe('');
  });
});
