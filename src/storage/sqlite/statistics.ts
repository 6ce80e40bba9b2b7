import { statSync } from 'node:fs';
import { guarded } from './failures.ts';
import type { Connection } from './connection.ts';
import { StoreError, type Store } from '../../core/store.ts';

/** A count is good for so long, milliseconds. */
const KEPT_MS = 60_000;
/** Rows that are walked past in one statement, and how long the loop is kept at a time, milliseconds. */
const ROWS_PER_STEP = 500;
const SLICE_MS = 1;
/** Between two slices: requests come first. */
const PAUSE_MS = 10;

type Statistics = Awaited<ReturnType<Store['statistics']>>;
type Key = readonly (string | number)[];
/** A count under way of one table: its key's columns, what was counted, and up to which key. */
type Walk = { readonly table: string; readonly columns: readonly string[]; rows: number; last: Key | null; level: number };
type TableRow = { readonly name: string; readonly wr: number };

/** Reading figures of the database itself; `stop` ends a count that is under way, before the connection is closed. */
export type StatisticsPart = { readonly part: Pick<Store, 'statistics' | 'oldestKeys'>; readonly stop: () => void };

/**
 * Counts every table (SQLite itself keeps no counts) in slices that no request notices; meanwhile the former count is told.
 * Statements are made for one slice and finalized, so that none is open when the connection closes.
 */
export function statisticsPart({ db, prepare }: Pick<Connection, 'db' | 'prepare'>): StatisticsPart {
  let known: Statistics | null = null;
  let countedAtMs = Number.NEGATIVE_INFINITY;
  let counting: Promise<Statistics> | null = null;
  let stopped = false;

  function once<Row>(sql: string, values: Key = []): Row[] {
    const statement = db.prepare<Row, (string | number)[]>(sql);
    try {
      return statement.all(...values);
    } finally {
      statement.finalize();
    }
  }

  /** Tables in their own order; where rows have no numbers, the primary key is what they are walked along. */
  function tables(): Walk[] {
    const listed = once<TableRow>("SELECT name, wr FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name");
    return listed.map(({ name, wr }) => {
      const columns = wr === 0 ? ['rowid'] : once<{ name: string }>('SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk', [name]).map((column) => `"${column.name}"`);
      return { table: name, columns, rows: 0, last: null, level: 0 };
    });
  }

  /**
   * Walks on; whether the table is through. After a key come the rows that share all of it but the last column, then those
   * that share less: each a range of the index, which `(a, b) > (?, ?)` is not. Names are the schema's own.
   */
  function step(walk: Walk): boolean {
    const { table, columns, last, level } = walk;
    const shared = last === null ? [] : columns.slice(0, level).map((column) => `${column} = ?`);
    const beyond = last === null ? [] : [`${columns[level]} > ?`];
    const where = [...shared, ...beyond].join(' AND ');
    const found = once<Record<string, string | number>>(
      `SELECT ${columns.map((column, index) => `${column} AS k${index}`).join(', ')} FROM "${table}" ${where === '' ? '' : `WHERE ${where}`} ORDER BY ${columns.join(', ')} LIMIT ${ROWS_PER_STEP}`,
      last === null ? [] : last.slice(0, level + 1),
    );
    const newest = found.at(-1);
    walk.rows += found.length;
    if (newest !== undefined) walk.last = columns.map((_, index) => newest[`k${index}`] ?? '');
    if (found.length === ROWS_PER_STEP) walk.level = columns.length - 1;
    else if (last === null || level === 0) return true;
    else walk.level = level - 1;
    return false;
  }

  async function pause(): Promise<void> {
    await Bun.sleep(PAUSE_MS);
    if (stopped) throw new StoreError('unavailable', 'closed');
  }

  async function count(): Promise<Statistics> {
    const rows: Record<string, number> = {};
    let begunMs = performance.now();
    for (const walk of guarded(tables)) {
      for (let through = false; !through;) {
        through = guarded(() => step(walk));
        if (performance.now() - begunMs < SLICE_MS) continue;
        await pause();
        begunMs = performance.now();
      }
      rows[walk.table] = walk.rows;
    }
    const [size] = guarded(() => once<{ bytes: number }>('SELECT page_count * page_size AS bytes FROM pragma_page_count(), pragma_page_size()'));
    return { rows, databaseBytes: size?.bytes ?? 0, walBytes: statSync(`${db.filename}-wal`, { throwIfNoEntry: false })?.size ?? 0 };
  }

  function begin(): Promise<Statistics> {
    counting ??= count().then((counted) => {
      known = counted;
      countedAtMs = performance.now();
      return counted;
    }).finally(() => {
      counting = null;
    });
    return counting;
  }

  const oldest = prepare<{ tenant: string; activatedAtMs: number }, [limit: number]>(`
    SELECT tenants.slug AS tenant, coalesce(signing_keys.activated_at_ms, signing_keys.created_at_ms) AS activatedAtMs
    FROM tenants JOIN signing_keys ON signing_keys.tenant_id = tenants.id AND signing_keys.status = 'active'
    WHERE tenants.id > '' AND tenants.deleted_at_ms IS NULL AND tenants.disabled_at_ms IS NULL ORDER BY activatedAtMs LIMIT ?`);
  return {
    part: {
      statistics() {
        if (known !== null && performance.now() - countedAtMs < KEPT_MS) return known;
        const next = begin();
        if (known === null) return next;
        // Who asked gets what is known; whether this count comes to anything is told to who asks next.
        next.catch(() => undefined);
        return known;
      },
      oldestKeys: (limit) => guarded(() => oldest.all(limit)),
    },
    stop() {
      stopped = true;
    },
  };
}
