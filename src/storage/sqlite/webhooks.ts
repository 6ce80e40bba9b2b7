import { and, desc, eq, isNull, lt, sql } from 'drizzle-orm';
import { BoundedMap } from '../../core/bounded-map.ts';
import { guarded } from './failures.ts';
import { parseJson } from './columns.ts';
import { toPage } from './lists.ts';
import { webhookDeliveries, webhookReplays, webhooks } from './schema-operations.ts';
import type { AppendAudit } from './audit.ts';
import type { Connection } from './connection.ts';
import type { Store } from '../../core/store.ts';
import type { Webhook, WebhookDelivery, WebhookReplay } from '../../core/webhook.ts';

type WebhookPart = Pick<
  Store,
  | 'createWebhook' | 'findWebhook' | 'listWebhooks' | 'updateWebhook' | 'deleteWebhook' | 'listDueWebhooks' | 'claimWebhook' | 'settleWebhook' | 'pageDeliveries'
  | 'findDelivery' | 'addReplays' | 'countReplays' | 'listDueReplays' | 'claimReplay' | 'settleReplay'
>;

/** Milliseconds that deliveries are kept. */
export const DELIVERY_KEPT_MS = 30 * 86_400_000;
/** Deliveries that are kept of each webhook, and after how many new ones that is looked after. */
const MOST_DELIVERIES = 5_000;
const TRIM_EVERY = 64;
/** Webhooks whose new deliveries are counted. */
const COUNTED = 1_000;

type WebhookRow = Omit<Webhook, 'events' | 'secrets'> & { readonly events: string; readonly secrets: string };
type NewDelivery = Omit<WebhookDelivery, 'number'>;

const columns = `w.id, w.tenant_id AS tenantId, w.name, w.url, w.events, w.secrets, w.created_at_ms AS createdAtMs, w.disabled_at_ms AS disabledAtMs,
  w.cursor, w.attempts, w.next_attempt_at_ms AS nextAttemptAtMs, w.failing_since_ms AS failingSinceMs`;

function toWebhook(row: WebhookRow): Webhook {
  return { ...row, events: parseJson(row.events), secrets: parseJson(row.secrets) };
}

/** What an operator sets, as a text to compare. */
function settingsOf({ name, url, events, secrets, disabledAtMs }: Webhook): string {
  return JSON.stringify([name, url, events, secrets.map(({ sealed, createdAtMs, expiresAtMs }) => [sealed, createdAtMs, expiresAtMs]), disabledAtMs]);
}

/** Notes an attempt within the running transaction, and keeps what is kept of its webhook bounded. */
function prepareNote({ orm, prepare }: Connection): (delivery: NewDelivery) => void {
  const trim = prepare<never, [webhookId: string, webhookId: string]>(`
    DELETE FROM webhook_deliveries WHERE webhook_id = ? AND number <=
      (SELECT number FROM webhook_deliveries WHERE webhook_id = ? ORDER BY number DESC LIMIT 1 OFFSET ${MOST_DELIVERIES})`);
  // A hint when to look, no more: a new process begins to count anew, and age takes what is left.
  const added = new BoundedMap<string, number>(COUNTED);
  return (delivery) => {
    orm.insert(webhookDeliveries).values(delivery).run();
    const { webhookId } = delivery;
    const count = (added.get(webhookId) ?? 0) + 1;
    added.set(webhookId, count % TRIM_EVERY);
    if (count >= TRIM_EVERY) trim.run(webhookId, webhookId);
  };
}

/** Addresses that hear of events: how far each has heard of the audit trail, and what came of telling them. */
export function webhookPart(connection: Connection, append: AppendAudit): WebhookPart {
  const { orm, writer, prepare } = connection;
  const note = prepareNote(connection);
  const byId = prepare<WebhookRow, [id: string]>(`SELECT ${columns} FROM webhooks AS w WHERE w.id = ?`);
  // Each is one step in an index, however long the trail: events of its tenant, or of all for the server's own.
  const due = prepare<WebhookRow, [after: string, nowMs: number, limit: number]>(`
    SELECT ${columns} FROM webhooks AS w LEFT JOIN tenants AS t ON t.id = w.tenant_id
    WHERE w.id > ? AND w.disabled_at_ms IS NULL AND w.next_attempt_at_ms <= ?
      AND CASE WHEN w.tenant_id IS NULL THEN w.cursor < (SELECT max(seq) FROM audit)
        ELSE EXISTS (SELECT 1 FROM audit INDEXED BY audit_tenant WHERE audit.tenant = t.slug AND audit.seq > w.cursor) END
    ORDER BY w.id LIMIT ?`);
  const claim = prepare<{ id: string }, [untilMs: number, id: string, cursor: number, nextMs: number]>(`
    UPDATE webhooks SET next_attempt_at_ms = ? WHERE id = ? AND cursor = ? AND next_attempt_at_ms = ? AND disabled_at_ms IS NULL RETURNING id`);
  const settle = prepare<{ id: string }, [cursor: number, attempts: number, nextMs: number, failingMs: number | null, id: string, expected: number]>(`
    UPDATE webhooks SET cursor = ?, attempts = ?, next_attempt_at_ms = ?, failing_since_ms = ? WHERE id = ? AND cursor = ? RETURNING id`);

  const findWebhook = (id: string): Webhook | null => {
    const row = byId.get(id);
    return row === null ? null : toWebhook(row);
  };

  return {
    createWebhook: (webhook, events) =>
      writer.write(() => {
        orm.insert(webhooks).values(webhook).run();
        append(events);
      }),
    findWebhook: (id) => guarded(() => findWebhook(id)),
    listWebhooks: (tenantId) =>
      guarded(() => {
        const those = tenantId === undefined ? undefined : tenantId === null ? isNull(webhooks.tenantId) : eq(webhooks.tenantId, tenantId);
        return orm.select().from(webhooks).where(those).orderBy(webhooks.name, webhooks.id).all();
      }),
    updateWebhook: (before, after, events) =>
      writer.write(() => {
        const current = findWebhook(before.id);
        if (current === null || settingsOf(current) !== settingsOf(before)) return 'outdated';
        const { name, url, events: wanted, secrets, disabledAtMs, nextAttemptAtMs } = after;
        const next = nextAttemptAtMs === before.nextAttemptAtMs ? {} : { nextAttemptAtMs };
        orm.update(webhooks).set({ name, url, events: wanted, secrets, disabledAtMs, ...next }).where(eq(webhooks.id, before.id)).run();
        append(events);
        return 'updated';
      }),
    deleteWebhook: (id, events) =>
      writer.write(() => {
        if (orm.delete(webhooks).where(eq(webhooks.id, id)).returning({ id: webhooks.id }).all().length === 0) return false;
        append(events);
        return true;
      }),
    listDueWebhooks: (nowMs, { after, limit }) => guarded(() => due.all(after ?? '', nowMs, limit).map(toWebhook)),
    claimWebhook: ({ id, cursor, nextAttemptAtMs }, untilMs) => writer.write(() => claim.get(untilMs, id, cursor, nextAttemptAtMs) !== null),
    settleWebhook: (id, expectedCursor, { cursor, attempts, nextAttemptAtMs, failingSinceMs }, delivery, events) =>
      writer.write(() => {
        if (settle.get(cursor, attempts, nextAttemptAtMs, failingSinceMs, id, expectedCursor) === null) return false;
        if (delivery !== null) note(delivery);
        append(events);
        return true;
      }),
    pageDeliveries: (webhookId, { after, limit }) =>
      guarded(() => {
        // A cursor that nobody gave is no number, and before it there is nothing.
        const earlier = after === null ? undefined : lt(webhookDeliveries.number, /^[0-9]{1,15}$/.test(after) ? Number(after) : 0);
        const where = and(eq(webhookDeliveries.webhookId, webhookId), earlier);
        const rows = orm.select().from(webhookDeliveries).where(where).orderBy(desc(webhookDeliveries.number)).limit(limit + 1).all();
        return toPage(rows, limit, ({ number }) => String(number), (row) => row);
      }),
    findDelivery: (webhookId, eventNumber, replay) =>
      guarded(() => {
        const own = and(eq(webhookDeliveries.webhookId, webhookId), eq(webhookDeliveries.eventNumber, eventNumber), eq(webhookDeliveries.replay, replay));
        return orm.select().from(webhookDeliveries).where(own).orderBy(desc(webhookDeliveries.number)).limit(1).get() ?? null;
      }),
    ...replayPart(connection, append, note),
  };
}

type ReplayPart = Pick<Store, 'addReplays' | 'countReplays' | 'listDueReplays' | 'claimReplay' | 'settleReplay'>;

/** Events to tell again. */
function replayPart({ orm, writer, prepare }: Connection, append: AppendAudit, note: (delivery: NewDelivery) => void): ReplayPart {
  const due = prepare<WebhookReplay, [after: string, nowMs: number, limit: number]>(`
    SELECT r.id, r.webhook_id AS webhookId, r.event_number AS eventNumber, r.created_at_ms AS createdAtMs, r.attempts, r.next_attempt_at_ms AS nextAttemptAtMs
    FROM webhooks AS w JOIN webhook_replays AS r ON r.rowid =
      (SELECT rowid FROM webhook_replays INDEXED BY webhook_replays_webhook WHERE webhook_id = w.id AND next_attempt_at_ms <= ?2 ORDER BY rowid LIMIT 1)
    WHERE w.id > ?1 AND w.disabled_at_ms IS NULL
      AND EXISTS (SELECT 1 FROM webhook_replays INDEXED BY webhook_replays_due WHERE next_attempt_at_ms <= ?2)
    ORDER BY w.id LIMIT ?3`);
  const claim = prepare<{ id: string }, [untilMs: number, id: string, nextMs: number]>(
    'UPDATE webhook_replays SET next_attempt_at_ms = ? WHERE id = ? AND next_attempt_at_ms = ? RETURNING id');
  return {
    addReplays: (replays, events) =>
      writer.write(() => {
        for (const replay of replays) orm.insert(webhookReplays).values(replay).run();
        append(events);
      }),
    countReplays: (webhookId) =>
      guarded(() => orm.select({ count: sql<number>`count(*)` }).from(webhookReplays).where(eq(webhookReplays.webhookId, webhookId)).get()?.count ?? 0),
    listDueReplays: (nowMs, { after, limit }) => guarded(() => due.all(after ?? '', nowMs, limit)),
    claimReplay: (id, nextAttemptAtMs, untilMs) => writer.write(() => claim.get(untilMs, id, nextAttemptAtMs) !== null),
    settleReplay: (id, { attempts, nextAttemptAtMs }, delivery, events) =>
      writer.write(() => {
        const own = eq(webhookReplays.id, id);
        const settled = nextAttemptAtMs === null
          ? orm.delete(webhookReplays).where(own).returning({ id: webhookReplays.id }).all()
          : orm.update(webhookReplays).set({ attempts, nextAttemptAtMs }).where(own).returning({ id: webhookReplays.id }).all();
        // The webhook may be gone by now, and with it its replays.
        if (settled.length === 0) return;
        note(delivery);
        append(events);
      }),
  };
}
