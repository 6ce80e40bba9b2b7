import { hash } from 'node:crypto';
import { connect, type Connection } from './connection.ts';
import { migrations } from './migrations.ts';
import { carried, continued, deletedSince, endApiKeys, endings, type RestoreStep } from './restore-rows.ts';
import { CHAIN_START, hashLink } from '../../core/audit-chain.ts';
import { auditEvent, type AuditEvent } from '../../core/audit-event.ts';
import { firstNumberAfter, lostTypes, restoreMoment, type LostEvent, type RestoredRows, type RestoreItem } from '../../core/restore.ts';

const BUSY_MS = 5_000;
/** More lost events are not listed: the replaced database still has them all. */
const MOST_LOST = 10_000;

/** What a restore is told. */
export type Restoring = {
  /** Database of the backup, a private copy that becomes the data. */
  readonly path: string;
  /** A private copy of the database that is replaced; null: there is none, or it cannot be read. */
  readonly was: string | null;
  readonly nowMs: number;
  /** The event of the restore; its time is set here. */
  readonly event: Partial<AuditEvent>;
};

type ByNumber = { readonly number: number | null };
type Text = string | null;

function markOf({ db }: Connection, schema: string): number {
  return Number(db.query<{ value: string }, []>(`SELECT value FROM ${schema}.meta WHERE key = 'clock_high_water_ms'`).get()?.value ?? 0);
}

function lastOf({ db }: Connection, schema: string): number {
  const newest = db.query<ByNumber, []>(`SELECT max(seq) AS number FROM ${schema}.audit`).get()?.number ?? 0;
  return Math.max(newest, db.query<ByNumber, []>(`SELECT seq AS number FROM ${schema}.sqlite_sequence WHERE name = 'audit'`).get()?.number ?? 0);
}

/** Two databases of one history have the same tenant `default`; of another one nothing could be concluded. */
function isSameHistory({ db }: Connection): boolean {
  return db.query<{ one: number }, []>("SELECT 1 AS one FROM main.tenants JOIN was.tenants AS other ON other.id = main.tenants.id WHERE main.tenants.slug = 'default'").get() !== null;
}

function runListed({ db }: Connection, { what, sql }: RestoreStep, atMs: number): readonly RestoreItem[] {
  const statement = db.query<{ tenant: Text; subject: Text }, number[]>(sql);
  return (sql.includes('?1') ? statement.all(atMs) : statement.all()).map(({ tenant, subject }) => ({ what, tenant, subject }));
}

function readLost({ db }: Connection, after: number): readonly LostEvent[] {
  return db.query<LostEvent, string[]>(`
    SELECT time_ms AS timeMs, type, tenant, client_id AS clientId, subject FROM was.audit
    WHERE seq > ${after} AND outcome = 'success' AND type IN (${lostTypes.map(() => '?').join(', ')}) ORDER BY seq LIMIT ${MOST_LOST}`).all(...lostTypes);
}

function deletedItems({ db }: Connection, kind: keyof typeof deletedSince): readonly RestoreItem[] {
  return db.query<{ tenant: Text; subject: Text }, []>(deletedSince[kind]).all().map(({ tenant, subject }) => ({ what: `${kind} deleted`, tenant, subject }));
}

/** The restore's event, under a number that no event of the replaced database had, at the end of the server's own chain. */
function appendAt({ db }: Connection, event: AuditEvent, number: number): void {
  const end = db.query<{ hash: Text }, []>('SELECT hash FROM main.audit WHERE tenant IS NULL ORDER BY seq DESC LIMIT 1').get();
  const own = hashLink((text) => hash('sha256', text, 'base64url'), end?.hash ?? CHAIN_START, { ...event, number });
  db.query<never, (string | number | null)[]>(`
    INSERT INTO main.audit (seq, time_ms, type, tenant, actor, client_id, subject, fingerprint, ip, request_id, outcome, reason, grant_id, count, hash)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`).run(
    number, event.timeMs, event.type, event.tenant, event.actor, event.clientId, event.subject, event.fingerprint, event.ip, event.requestId, event.outcome,
    event.reason, event.grantId, event.count, own,
  );
}

function writeMeta({ db }: Connection, key: string, value: string): void {
  db.query<never, [string, string]>('INSERT INTO main.meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value').run(key, value);
}

/** Whether the replaced database was of the same history, and could be asked. */
export type Restored = RestoredRows & { readonly compared: boolean; readonly atMs: number };

/**
 * Makes of a backup what may be used now: in one transaction everything that was issued before this moment ends for good,
 * and what was taken away since the backup is taken away again, as far as the replaced database tells (OP-07). Brings the
 * schema up to date before. For a file that nobody else uses. Throws an Error with SQLite's words.
 */
export async function endThePast({ path, was, nowMs, event }: Restoring): Promise<Restored> {
  // The same schema on both sides, or they could not be compared.
  if (was !== null) await connect(was, BUSY_MS, migrations).close();
  const connection = connect(path, BUSY_MS, migrations);
  const { db } = connection;
  try {
    if (was !== null) db.run('ATTACH ? AS was', [was]);
    const compared = was !== null && isSameHistory(connection);
    const atMs = restoreMoment(nowMs, [markOf(connection, 'main'), ...(was === null ? [] : [markOf(connection, 'was')])]);
    db.run('BEGIN IMMEDIATE');
    try {
      const rows = change(connection, compared, atMs, event);
      db.run('COMMIT');
      if (was !== null) db.run('DETACH was');
      return { ...rows, compared, atMs };
    } catch (error) {
      if (db.inTransaction) db.run('ROLLBACK');
      throw error;
    }
  } finally {
    await connection.close();
  }
}

function change(connection: Connection, compared: boolean, atMs: number, event: Partial<AuditEvent>): RestoredRows {
  const { db } = connection;
  const last = lastOf(connection, 'main');
  const ended: Record<string, number> = {};
  for (const { what, sql } of endings) ended[what] = (sql.includes('?1') ? db.query(sql).run(atMs) : db.query(sql).run()).changes;
  const again = (compared ? carried : [endApiKeys]).flatMap((step) => runListed(connection, step, atMs));
  if (compared) for (const sql of continued) db.run(sql);
  const deleted = (kind: keyof typeof deletedSince): readonly RestoreItem[] => (compared ? deletedItems(connection, kind) : []);
  const number = firstNumberAfter(last, compared ? lastOf(connection, 'was') : null);
  appendAt(connection, auditEvent({ type: 'server_restored', ...event, timeMs: atMs }), number);
  writeMeta(connection, 'restored_at_ms', String(atMs));
  writeMeta(connection, 'clock_high_water_ms', String(atMs));
  return {
    ended, carried: again, number, lost: compared ? readLost(connection, last) : [],
    deleted: { tenant: deleted('tenant'), client: deleted('client'), user: deleted('user') },
  };
}
