import { hash } from 'node:crypto';
import { auditColumns, letOthers, prepareSearch } from './audit-search.ts';
import { guarded } from './failures.ts';
import { CHAIN_START, hashLink } from '../../core/audit-chain.ts';
import type { Connection } from './connection.ts';
import type { AuditEvent, AuditType } from '../../core/audit-event.ts';
import type { AuditChain, AuditRow } from '../../core/operations-store.ts';
import type { Store } from '../../core/store.ts';

/** Appends events within the running transaction (LG-07); returns their numbers, in order. */
export type AppendAudit = (events: readonly AuditEvent[]) => readonly number[];

/** Rows that are counted in one go, and for how long many chains are (milliseconds): other work comes between. */
const COUNTED_AT_ONCE = 20_000;
const SLICE_MS = 2;

const hashText = (text: string): string => hash('sha256', text, 'base64url');

/** Prepares the statements that every change appends its events with: each to the end of its tenant's chain (LG-08). */
export function prepareAudit({ prepare }: Connection): AppendAudit {
  type Text = string | null;
  // The newest row of a chain always stays, so both are exact, whichever process wrote them: nobody else writes now.
  const ends = prepare<{ number: number | null; hash: Text }, [tenant: Text]>(`
    SELECT (SELECT max(seq) FROM audit) AS number,
      (SELECT hash FROM audit INDEXED BY audit_tenant WHERE tenant IS ? ORDER BY seq DESC LIMIT 1) AS hash`);
  const insert = prepare<never, [number, number, AuditType, Text, Text, Text, Text, Text, Text, Text, string, Text, Text, number, string]>(`
    INSERT INTO audit
      (seq, time_ms, type, tenant, actor, client_id, subject, fingerprint, ip, request_id, outcome, reason, grant_id, count, hash)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  return (events) => {
    const heads = new Map<Text, string>();
    let last = 0;
    return events.map((event) => {
      let previous = heads.get(event.tenant);
      if (previous === undefined) {
        const end = ends.get(event.tenant);
        previous = end?.hash ?? CHAIN_START;
        last = Math.max(last, end?.number ?? 0);
      }
      last += 1;
      const own = hashLink(hashText, previous, { ...event, number: last });
      heads.set(event.tenant, own);
      insert.run(
        last, event.timeMs, event.type, event.tenant, event.actor, event.clientId, event.subject, event.fingerprint, event.ip,
        event.requestId, event.outcome, event.reason, event.grantId, event.count, own,
      );
      return last;
    });
  };
}

type AuditPart = Pick<Store, 'recordAudit' | 'countAudit' | 'pageAudit' | 'readAudit' | 'lastAuditNumber' | 'listAuditTenants' | 'listAuditChains' | 'auditAnchor' | 'pruneAudit'>;

/** Reading the audit trail, events that report no change of their own, and what retention takes. */
export function auditPart(connection: Connection, append: AppendAudit): AuditPart {
  const { writer, prepare } = connection;
  const count = prepare<never, [more: number, seq: number]>('UPDATE audit SET count = count + ? WHERE seq = ?');
  const newest = prepare<{ number: number | null }, []>('SELECT max(seq) AS number FROM audit');
  return {
    recordAudit: (events) => writer.write(() => append(events)),
    countAudit: (repeats) =>
      writer.write(() => {
        for (const { number, more } of repeats) count.run(more, number);
      }),
    pageAudit: prepareSearch(connection),
    readAudit: prepareReading(connection),
    lastAuditNumber: () => guarded(() => newest.get()?.number ?? 0),
    ...chainPart(connection),
    pruneAudit: preparePruning(connection, append, (number, more) => void count.run(more, number)),
  };
}

/** Rows of one kind behind a number, oldest first. */
type ReadKind = (after: number, limit: number) => readonly AuditRow[];

/** Merges kinds by number, a few rows of each at a time: of many kinds, most rows would be read for nothing. */
function mergeKinds(kinds: readonly ReadKind[], after: number, limit: number): readonly AuditRow[] {
  const few = Math.min(limit, Math.max(4, Math.ceil((2 * limit) / kinds.length)));
  const heads = kinds.map((read) => ({ read, rows: read(after, few), next: 0 }));
  const merged: AuditRow[] = [];
  while (merged.length < limit) {
    let least: AuditRow | undefined;
    let from: (typeof heads)[number] | undefined;
    for (const head of heads) {
      const row = head.rows[head.next];
      if (row !== undefined && (least === undefined || row.number < least.number)) [least, from] = [row, head];
    }
    if (least === undefined || from === undefined) return merged;
    merged.push(least);
    from.next += 1;
    if (from.next === few) [from.rows, from.next] = [from.read(least.number, few), 0];
  }
  return merged;
}

/** Oldest first. With types an index leads to each of them: how much else there is costs nothing. */
function prepareReading({ prepare }: Connection): Store['readAudit'] {
  type Text = string | null;
  const all = prepare<AuditRow, [after: number, limit: number]>(`SELECT ${auditColumns} FROM audit WHERE seq > ? ORDER BY seq LIMIT ?`);
  const ofTenant = prepare<AuditRow, [Text, number, number]>(
    `SELECT ${auditColumns} FROM audit INDEXED BY audit_tenant WHERE tenant IS ? AND seq > ? ORDER BY seq LIMIT ?`);
  const ofType = prepare<AuditRow, [string, number, number]>(
    `SELECT ${auditColumns} FROM audit INDEXED BY audit_type WHERE type = ? AND seq > ? ORDER BY seq LIMIT ?`);
  const ofBoth = prepare<AuditRow, [Text, string, number, number]>(
    `SELECT ${auditColumns} FROM audit INDEXED BY audit_tenant_type WHERE tenant IS ? AND type = ? AND seq > ? ORDER BY seq LIMIT ?`);
  return ({ tenant, types = [], after, limit }) =>
    guarded(() => {
      if (types.length === 0) return tenant === undefined ? all.all(after, limit) : ofTenant.all(tenant, after, limit);
      const kinds = [...new Set(types)].map((type): ReadKind => (from, most) => (tenant === undefined ? ofType.all(type, from, most) : ofBoth.all(tenant, type, from, most)));
      return mergeKinds(kinds, after, limit);
    });
}

function chainPart({ prepare }: Connection): Pick<Store, 'listAuditTenants' | 'listAuditChains' | 'auditAnchor'> {
  type Text = string | null;
  const next = prepare<{ tenant: string }, [after: string]>(
    'SELECT tenant FROM audit INDEXED BY audit_tenant WHERE tenant > ? ORDER BY tenant LIMIT 1');
  const head = prepare<{ number: number; hash: Text }, [tenant: Text]>(
    'SELECT seq AS number, hash FROM audit INDEXED BY audit_tenant WHERE tenant IS ? ORDER BY seq DESC LIMIT 1');
  const countOn = prepare<{ events: number; last: number | null }, [tenant: Text, after: number, until: number, limit: number]>(`
    SELECT count(*) AS events, max(seq) AS last
    FROM (SELECT seq FROM audit INDEXED BY audit_tenant WHERE tenant IS ? AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?)`);
  const anchor = prepare<{ number: number; hash: string }, [chain: string]>('SELECT number, hash FROM audit_anchors WHERE chain = ?');

  async function describe(tenant: Text): Promise<AuditChain | null> {
    const end = guarded(() => head.get(tenant));
    if (end === null) return null;
    let events = 0;
    for (let after: number | null = 0; after !== null;) {
      const from: number = after;
      const piece = guarded(() => countOn.get(tenant, from, end.number, COUNTED_AT_ONCE));
      events += piece?.events ?? 0;
      after = (piece?.events ?? 0) < COUNTED_AT_ONCE ? null : piece?.last ?? null;
      if (after !== null) await letOthers();
    }
    return { tenant, events, lastNumber: end.number, lastHash: end.hash };
  }

  function tenants(): readonly Text[] {
    const found: Text[] = head.get(null) === null ? [] : [null];
    for (let row = next.get(''); row !== null; row = next.get(row.tenant)) found.push(row.tenant);
    return found;
  }

  return {
    listAuditTenants: () => guarded(tenants),
    listAuditChains: async () => {
      const chains: AuditChain[] = [];
      let begunMs = performance.now();
      for (const tenant of guarded(tenants)) {
        const chain = await describe(tenant);
        if (chain !== null) chains.push(chain);
        if (performance.now() - begunMs < SLICE_MS) continue;
        await letOthers();
        begunMs = performance.now();
      }
      return chains;
    },
    auditAnchor: (tenant) => guarded(() => anchor.get(tenant ?? '')),
  };
}

/** Triggers hold what is promised here: only below the anchor, and never the last of a chain. */
function preparePruning({ writer, prepare }: Connection, append: AppendAudit, count: (number: number, more: number) => void): Store['pruneAudit'] {
  type Text = string | null;
  const oldest = prepare<{ number: number; timeMs: number; type: AuditType; hash: Text }, [tenant: Text, limit: number]>(`
    SELECT seq AS number, time_ms AS timeMs, type, hash FROM audit INDEXED BY audit_tenant
    WHERE tenant IS ?1 AND seq < (SELECT seq FROM audit INDEXED BY audit_tenant WHERE tenant IS ?1 ORDER BY seq DESC LIMIT 1) ORDER BY seq LIMIT ?2`);
  const move = prepare<never, [chain: string, number: number, hash: string]>(`
    INSERT INTO audit_anchors (chain, number, hash) VALUES (?, ?, ?)
    ON CONFLICT (chain) DO UPDATE SET number = excluded.number, hash = excluded.hash`);
  const take = prepare<{ seq: number }, [tenant: Text, upTo: number]>(
    'DELETE FROM audit WHERE seq IN (SELECT seq FROM audit INDEXED BY audit_tenant WHERE tenant IS ? AND seq <= ?) RETURNING seq');
  return (tenant, beforeMs, limit, report) =>
    writer.write(() => {
      const rows = oldest.all(tenant, limit);
      // A chain loses its beginning, never something between: what is older but came later waits for what is before it.
      const stays = rows.findIndex(({ timeMs }) => timeMs >= beforeMs);
      const goes = stays === -1 ? rows : rows.slice(0, stays);
      const last = goes.at(-1);
      // Where nothing happens any more, only what says so would go, and be said again, for ever.
      const idle = goes.length < limit && goes.every(({ type }) => type === 'audit_pruned');
      if (last === undefined || idle) return { taken: 0, reportNumber: null };
      move.run(tenant ?? '', last.number, last.hash ?? CHAIN_START);
      const taken = take.all(tenant, last.number).length;
      if (typeof report !== 'number') return { taken, reportNumber: append([{ ...report, count: taken }])[0] ?? null };
      count(report, taken);
      return { taken, reportNumber: report };
    });
}
