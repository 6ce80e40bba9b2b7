import { guarded } from './failures.ts';
import type { AppendAudit } from './audit.ts';
import type { Connection } from './connection.ts';
import type { OutboxItem } from '../../core/people.ts';
import type { Aftermath, LogoutCursor } from '../../core/people-store.ts';
import type { Store } from '../../core/store.ts';

/** Puts an item into the outbox within the running transaction. */
export type Enqueue = (item: OutboxItem) => void;
/** Writes what goes along with a change, within its transaction. */
export type WriteAftermath = (report: Aftermath) => void;

/** Prepares the statement that every message beyond this machine begins with. */
export function prepareEnqueue({ prepare }: Connection): Enqueue {
  type Text = string | null;
  const insert = prepare<never, [string, string, string, string, string, number, number, number, number | null, Text]>(`
    INSERT INTO outbox (id, tenant_id, kind, target, payload, created_at_ms, next_attempt_at_ms, attempts, done_at_ms, outcome)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  return (item) => {
    insert.run(
      item.id, item.tenantId, item.kind, item.target, item.payload, item.createdAtMs, item.nextAttemptAtMs, item.attempts, item.doneAtMs,
      item.outcome,
    );
  };
}

/** Audit events and messages that belong to a change, in its transaction. */
export function prepareAftermath(append: AppendAudit, enqueue: Enqueue): WriteAftermath {
  return ({ audit, outbox = [] }) => {
    append(audit);
    for (const item of outbox) enqueue(item);
  };
}

type OutboxPart = Pick<Store, 'listDueMails' | 'listDueLogouts' | 'listMailbox' | 'addOutbox' | 'claimOutbox' | 'settleOutbox'>;

/** What is to be delivered beyond this machine, and what became of it. */
export function outboxPart({ writer, prepare }: Connection, aftermath: WriteAftermath): OutboxPart {
  const columns = `id, tenant_id AS tenantId, kind, target, payload, created_at_ms AS createdAtMs, next_attempt_at_ms AS nextAttemptAtMs,
    attempts, done_at_ms AS doneAtMs, outcome`;
  const dueMails = prepare<OutboxItem, [nowMs: number, limit: number]>(`
    SELECT ${columns} FROM outbox WHERE done_at_ms IS NULL AND kind = 'mail' AND next_attempt_at_ms <= ? ORDER BY next_attempt_at_ms, rowid LIMIT ?`);
  // From one client to the next in one step, however much waits for each: `(tenant_id, target) > (?, ?)` would walk through all of it.
  const nextOfTenant = prepare<LogoutCursor, [tenantId: string, target: string]>(`
    SELECT tenant_id AS tenantId, target FROM outbox INDEXED BY outbox_logouts
    WHERE done_at_ms IS NULL AND kind = 'logout' AND tenant_id = ? AND target > ? ORDER BY target LIMIT 1`);
  const firstBeyondTenant = prepare<LogoutCursor, [tenantId: string]>(`
    SELECT tenant_id AS tenantId, target FROM outbox INDEXED BY outbox_logouts
    WHERE done_at_ms IS NULL AND kind = 'logout' AND tenant_id > ? ORDER BY tenant_id, target LIMIT 1`);
  const dueOfClient = prepare<OutboxItem, [tenantId: string, target: string, nowMs: number, limit: number]>(`
    SELECT ${columns} FROM outbox INDEXED BY outbox_logouts
    WHERE done_at_ms IS NULL AND kind = 'logout' AND tenant_id = ? AND target = ? AND next_attempt_at_ms <= ?
    ORDER BY next_attempt_at_ms, rowid LIMIT ?`);
  const mailbox = prepare<OutboxItem, [tenantId: string, limit: number]>(`
    SELECT ${columns} FROM outbox WHERE tenant_id = ? AND outcome = 'mailbox' ORDER BY created_at_ms DESC, rowid DESC LIMIT ?`);
  const claim = prepare<{ id: string }, [untilMs: number, id: string, nextMs: number]>(`
    UPDATE outbox SET next_attempt_at_ms = ? WHERE id = ? AND next_attempt_at_ms = ? AND done_at_ms IS NULL RETURNING id`);
  // Of several processes that tried the same item, one settles it.
  const settle = prepare<{ id: string }, [attempts: number, nextMs: number, doneMs: number | null, outcome: OutboxItem['outcome'], id: string]>(`
    UPDATE outbox SET attempts = ?1, next_attempt_at_ms = ?2, done_at_ms = ?3, outcome = ?4,
      payload = CASE WHEN ?3 IS NULL OR ?4 = 'mailbox' THEN payload ELSE '' END
    WHERE id = ?5 AND done_at_ms IS NULL RETURNING id`);
  return {
    listDueMails: (nowMs, limit) => guarded(() => dueMails.all(nowMs, limit)),
    listDueLogouts: (nowMs, { after, clients, each }) =>
      guarded(() => {
        const due: { readonly rank: number; readonly item: OutboxItem }[] = [];
        let next: LogoutCursor | null = after ?? { tenantId: '', target: '' };
        for (let seen = 0; next !== null && seen < clients; seen += 1) {
          next = nextOfTenant.get(next.tenantId, next.target) ?? firstBeyondTenant.get(next.tenantId);
          if (next === null) break;
          for (const [rank, item] of dueOfClient.all(next.tenantId, next.target, nowMs, each).entries()) due.push({ rank, item });
        }
        const items = due.toSorted((a, b) => a.rank - b.rank || a.item.nextAttemptAtMs - b.item.nextAttemptAtMs).map(({ item }) => item);
        return { items, next };
      }),
    listMailbox: (tenantId, limit) => guarded(() => mailbox.all(tenantId, limit)),
    addOutbox: (items, audit) => writer.write(() => aftermath({ audit, outbox: items })),
    claimOutbox: (id, nextAttemptAtMs, untilMs) => writer.write(() => claim.get(untilMs, id, nextAttemptAtMs) !== null),
    settleOutbox: (id, { attempts, nextAttemptAtMs, doneAtMs, outcome }, audit) =>
      writer.write(() => {
        if (settle.get(attempts, nextAttemptAtMs, doneAtMs, outcome, id) !== null) aftermath({ audit });
      }),
  };
}
