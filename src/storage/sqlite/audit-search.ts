import { guarded } from './failures.ts';
import type { Connection } from './connection.ts';
import type { AuditRow, AuditSearch } from '../../core/operations-store.ts';
import type { Store } from '../../core/store.ts';

/** Columns of a row in the port's words. */
export const auditColumns = `seq AS number, time_ms AS timeMs, type, tenant, actor, client_id AS clientId, subject, fingerprint, ip,
  request_id AS requestId, outcome, reason, grant_id AS grantId, count, hash`;

/** Rows that are looked at in one go, and goes per part of a list: a part ends there, full or not. */
const WINDOW = 2_000;
const WINDOWS = 10;
/**
 * How far an event's place in the trail may be from its time: by so many milliseconds, and by so many numbers. Events wait
 * for the database, and processes beside each other do not read their clocks at once.
 */
const TIME_SLACK_MS = 3_600_000;
const NUMBER_SLACK = 20_000;

/** Lets requests come between two pieces of long work. */
export function letOthers(): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, 0));
}

type Value = string | number | null;
type Condition = { readonly sql: string; readonly values: readonly Value[] };
/** Which rows are looked at: those that an index leads to, the newest first. */
type Way = { readonly index: string | null; readonly key: readonly Condition[]; readonly rest: readonly Condition[] };

const equal = (column: string, value: string | undefined): Condition | null => (value === undefined ? null : { sql: `${column} = ?`, values: [value] });

/** The index that leads to the fewest rows, as far as can be told beforehand; what else is asked is looked at row by row. */
function chooseWay(search: AuditSearch): Way {
  const { tenant, types = [] } = search;
  const ofTenant: Condition | null = tenant === undefined ? null : { sql: 'tenant IS ?', values: [tenant] };
  const ofTypes: Condition | null = types.length === 0 ? null : { sql: types.length === 1 ? 'type = ?' : `type IN (${types.map(() => '?').join()})`, values: types };
  const oneType = types.length === 1 ? ofTypes : null;
  const ways: readonly (readonly [index: string, key: readonly (Condition | null)[]])[] = [
    ['audit_request', [equal('request_id', search.requestId)]],
    ['audit_subject', [equal('subject', search.subject)]],
    ['audit_client', [equal('client_id', search.clientId)]],
    ['audit_ip', [equal('ip', search.ip)]],
    ['audit_tenant_type', [ofTenant, oneType]],
    ['audit_actor', [equal('actor', search.actor)]],
    ['audit_type', [oneType]],
    ['audit_tenant', [ofTenant]],
  ];
  const all = [...ways.flatMap(([, key]) => key), ofTypes, equal('outcome', search.outcome)].filter((condition) => condition !== null);
  const times: Condition[] = [
    ...(search.sinceMs === undefined ? [] : [{ sql: 'time_ms >= ?', values: [search.sinceMs] }]),
    ...(search.untilMs === undefined ? [] : [{ sql: 'time_ms <= ?', values: [search.untilMs] }]),
  ];
  const way = ways.find(([, key]) => key.every((condition) => condition !== null));
  const key = (way?.[1] ?? []).filter((condition) => condition !== null);
  const isKey = new Set(key.map(({ sql }) => sql));
  const others = new Map(all.filter(({ sql }) => !isKey.has(sql)).map((condition) => [condition.sql, condition]));
  return { index: way?.[0] ?? null, key, rest: [...others.values(), ...times] };
}

const joined = (conditions: readonly Condition[]): string => conditions.map(({ sql }) => sql).join(' AND ');
const valuesOf = (conditions: readonly Condition[]): readonly Value[] => conditions.flatMap(({ values }) => values);

/** A part of the search, the latest event first. Cursors are numbers of events. */
export function prepareSearch({ db, prepare }: Connection): Store['pageAudit'] {
  const firstSince = prepare<{ seq: number }, [ms: number]>('SELECT seq FROM audit INDEXED BY audit_time WHERE time_ms >= ? ORDER BY time_ms, seq LIMIT 1');
  const lastUntil = prepare<{ seq: number }, [ms: number]>('SELECT seq FROM audit INDEXED BY audit_time WHERE time_ms <= ? ORDER BY time_ms DESC, seq DESC LIMIT 1');
  const accepted = prepare<{ seq: number }, []>(`SELECT seq FROM audit INDEXED BY audit_type WHERE type = 'clock_accepted' LIMIT 1`);

  /** Statements differ with what is asked, and are not worth keeping. */
  function all<Row>(sql: string, values: readonly Value[]): readonly Row[] {
    return guarded(() => {
      const statement = db.prepare<Row, Value[]>(sql);
      try {
        return statement.all(...values);
      } finally {
        statement.finalize();
      }
    });
  }

  /** Between which numbers events of that time are. The trail is in order of time, unless the clock was once set back by hand. */
  function numbersWithin({ sinceMs, untilMs }: AuditSearch): { readonly least: number; readonly most: number } {
    return guarded(() => {
      if ((sinceMs === undefined && untilMs === undefined) || accepted.get() !== null) return { least: 0, most: Number.MAX_SAFE_INTEGER };
      const first = sinceMs === undefined ? 0 : firstSince.get(sinceMs - TIME_SLACK_MS)?.seq ?? Number.MAX_SAFE_INTEGER;
      const last = untilMs === undefined ? Number.MAX_SAFE_INTEGER : lastUntil.get(untilMs + TIME_SLACK_MS)?.seq ?? 0;
      return { least: Math.max(0, first - NUMBER_SLACK), most: Math.min(Number.MAX_SAFE_INTEGER, last + NUMBER_SLACK) };
    });
  }

  return async ({ after, limit }, search) => {
    const { index, key, rest } = chooseWay(search);
    const { least, most } = numbersWithin(search);
    const by = index === null ? '' : `INDEXED BY ${index}`;
    const looked = joined([...key, { sql: 'seq < ?', values: [] }, { sql: 'seq >= ?', values: [] }]);
    const found: AuditRow[] = [];
    let before = Math.min(cursorOf(after), most + 1);
    for (let window = 0; window < WINDOWS; window += 1) {
      if (window > 0) await letOthers();
      const range = [...valuesOf(key), before, least];
      const rows = all<AuditRow>(
        `SELECT ${auditColumns} FROM (SELECT * FROM audit ${by} WHERE ${looked} ORDER BY seq DESC LIMIT ${WINDOW})
         ${rest.length === 0 ? '' : `WHERE ${joined(rest)}`} ORDER BY seq DESC LIMIT ?`,
        [...range, ...valuesOf(rest), limit + 1 - found.length],
      );
      found.push(...rows);
      if (found.length > limit) return { items: found.slice(0, limit), next: String(found[limit - 1]?.number ?? before) };
      const [end] = all<{ seq: number }>(`SELECT seq FROM audit ${by} WHERE ${looked} ORDER BY seq DESC LIMIT 1 OFFSET ${WINDOW - 1}`, range);
      if (end === undefined) return { items: found, next: null };
      before = end.seq;
    }
    return { items: found, next: String(before) };
  };
}

/** A cursor that nobody gave finds something else, and nothing wrong. */
function cursorOf(after: string | null): number {
  return after !== null && /^[0-9]{1,15}$/.test(after) ? Number(after) : Number.MAX_SAFE_INTEGER;
}
