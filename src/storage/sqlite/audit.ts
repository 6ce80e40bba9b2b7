import { and, desc, eq, gte } from 'drizzle-orm';
import { audit } from './schema.ts';
import { guarded } from './failures.ts';
import type { Connection } from './connection.ts';
import type { AuditEvent, AuditType } from '../../core/audit-event.ts';
import type { Store } from '../../core/store.ts';

/** Appends events within the running transaction (LG-07); returns their numbers, in order. */
export type AppendAudit = (events: readonly AuditEvent[]) => readonly number[];

/** Prepares the statement that every change appends its events with. */
export function prepareAudit({ prepare }: Connection): AppendAudit {
  type Text = string | null;
  const insert = prepare<never, [number, AuditType, Text, Text, Text, Text, Text, Text, Text, string, Text, Text, number]>(`
    INSERT INTO audit
      (time_ms, type, tenant, actor, client_id, subject, fingerprint, ip, request_id, outcome, reason, grant_id, count)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  return (events) =>
    events.map((event) => {
      const { lastInsertRowid } = insert.run(
        event.timeMs, event.type, event.tenant, event.actor, event.clientId, event.subject, event.fingerprint, event.ip,
        event.requestId, event.outcome, event.reason, event.grantId, event.count,
      );
      return Number(lastInsertRowid);
    });
}

/** Reading the audit table, and events that report no change of their own. */
export function auditPart(connection: Connection, append: AppendAudit): Pick<Store, 'listAudit' | 'recordAudit' | 'countAudit'> {
  const { orm, writer, prepare } = connection;
  const count = prepare<never, [more: number, seq: number]>('UPDATE audit SET count = count + ? WHERE seq = ?');
  return {
    listAudit: (filter) =>
      guarded(() => {
        const rows = orm
          .select()
          .from(audit)
          .where(
            and(
              filter.tenant === undefined ? undefined : eq(audit.tenant, filter.tenant),
              // A type that does not exist finds nothing.
              filter.type === undefined ? undefined : eq(audit.type, filter.type as AuditType),
              filter.sinceMs === undefined ? undefined : gte(audit.timeMs, filter.sinceMs),
            ),
          )
          .orderBy(desc(audit.seq))
          .limit(filter.limit)
          .all();
        return rows.map(({ seq: _seq, ...event }) => event);
      }),
    recordAudit: (events) => writer.write(() => append(events)),
    countAudit: (repeats) =>
      writer.write(() => {
        for (const { number, more } of repeats) count.run(more, number);
      }),
  };
}
