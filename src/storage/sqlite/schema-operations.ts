/** What operating needs: who may operate, whom to tell, what was answered. The rules of schema.ts hold. */
import { isNull } from 'drizzle-orm';
import { foreignKey, index, integer, primaryKey, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';
import { json } from './columns.ts';
import { tenants, users } from './schema.ts';
import { organizations } from './schema-people.ts';
import type { AuditType } from '../../core/audit-event.ts';
import type { WebhookDelivery, WebhookSecret } from '../../core/webhook.ts';

/** Programs that may operate. */
export const apiKeys = sqliteTable(
  'api_keys',
  {
    id: text('id').primaryKey(),
    name: text('name').notNull(),
    tenantId: text('tenant_id').references(() => tenants.id),
    scopes: json<readonly string[]>('scopes').notNull(),
    digest: text('digest').notNull(),
    createdBy: text('created_by').notNull(),
    createdAtMs: integer('created_at_ms').notNull(),
    expiresAtMs: integer('expires_at_ms'),
    lastUsedAtMs: integer('last_used_at_ms'),
    revokedAtMs: integer('revoked_at_ms'),
  },
  (table) => [uniqueIndex('api_keys_digest').on(table.digest)],
);

/** People who may operate; they are users of the tenant `default`. */
export const administrators = sqliteTable(
  'administrators',
  {
    homeTenantId: text('home_tenant_id').notNull(),
    userId: text('user_id').notNull(),
    tenantId: text('tenant_id').references(() => tenants.id),
    scopes: json<readonly string[]>('scopes').notNull(),
    createdAtMs: integer('created_at_ms').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.homeTenantId, table.userId] }),
    foreignKey({ columns: [table.homeTenantId, table.userId], foreignColumns: [users.tenantId, users.id] }),
  ],
);

/** Links by which somebody becomes an administrator. */
export const adminInvitations = sqliteTable('admin_invitations', {
  digest: text('digest').primaryKey(),
  tenantId: text('tenant_id').references(() => tenants.id),
  scopes: json<readonly string[]>('scopes').notNull(),
  createdAtMs: integer('created_at_ms').notNull(),
  expiresAtMs: integer('expires_at_ms').notNull(),
  usedAtMs: integer('used_at_ms'),
});

/** Invitations into organizations. */
export const invitations = sqliteTable(
  'invitations',
  {
    tenantId: text('tenant_id').notNull(),
    id: text('id').notNull(),
    orgId: text('org_id').notNull(),
    email: text('email').notNull(),
    emailKey: text('email_key').notNull(),
    roles: json<readonly string[]>('roles').notNull(),
    digest: text('digest').notNull(),
    invitedBy: text('invited_by').notNull(),
    createdAtMs: integer('created_at_ms').notNull(),
    expiresAtMs: integer('expires_at_ms').notNull(),
    acceptedAtMs: integer('accepted_at_ms'),
    revokedAtMs: integer('revoked_at_ms'),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    foreignKey({ columns: [table.tenantId, table.orgId], foreignColumns: [organizations.tenantId, organizations.id] }),
    uniqueIndex('invitations_digest').on(table.digest),
    index('invitations_org').on(table.tenantId, table.orgId, table.emailKey),
    index('invitations_expiry').on(table.expiresAtMs),
  ],
);

/** Addresses that hear of events, and how far they have heard. */
export const webhooks = sqliteTable(
  'webhooks',
  {
    id: text('id').primaryKey(),
    tenantId: text('tenant_id').references(() => tenants.id),
    name: text('name').notNull(),
    url: text('url').notNull(),
    events: json<readonly AuditType[]>('events').notNull(),
    secrets: json<readonly WebhookSecret[]>('secrets').notNull(),
    createdAtMs: integer('created_at_ms').notNull(),
    disabledAtMs: integer('disabled_at_ms'),
    cursor: integer('cursor').notNull(),
    attempts: integer('attempts').notNull(),
    nextAttemptAtMs: integer('next_attempt_at_ms').notNull(),
    failingSinceMs: integer('failing_since_ms'),
  },
  (table) => [
    index('webhooks_tenant').on(table.tenantId),
    index('webhooks_due').on(table.nextAttemptAtMs).where(isNull(table.disabledAtMs)),
  ],
);

/** Attempts to tell them. */
export const webhookDeliveries = sqliteTable(
  'webhook_deliveries',
  {
    number: integer('number').primaryKey({ autoIncrement: true }),
    webhookId: text('webhook_id').notNull().references(() => webhooks.id, { onDelete: 'cascade' }),
    eventNumber: integer('event_number').notNull(),
    eventType: text('event_type').$type<AuditType>().notNull(),
    attempt: integer('attempt').notNull(),
    atMs: integer('at_ms').notNull(),
    durationMs: integer('duration_ms').notNull(),
    status: integer('status'),
    outcome: text('outcome').$type<WebhookDelivery['outcome']>().notNull(),
    why: text('why'),
    replay: integer('replay', { mode: 'boolean' }).notNull(),
  },
  (table) => [
    index('webhook_deliveries_webhook').on(table.webhookId),
    index('webhook_deliveries_age').on(table.atMs),
  ],
);

/** Events to tell again. */
export const webhookReplays = sqliteTable(
  'webhook_replays',
  {
    id: text('id').primaryKey(),
    webhookId: text('webhook_id').notNull().references(() => webhooks.id, { onDelete: 'cascade' }),
    eventNumber: integer('event_number').notNull(),
    createdAtMs: integer('created_at_ms').notNull(),
    attempts: integer('attempts').notNull(),
    nextAttemptAtMs: integer('next_attempt_at_ms').notNull(),
  },
  (table) => [index('webhook_replays_due').on(table.nextAttemptAtMs), index('webhook_replays_webhook').on(table.webhookId)],
);

/** Answers to creations, for those who ask twice. */
export const replies = sqliteTable(
  'replies',
  {
    caller: text('caller').notNull(),
    keyDigest: text('key_digest').notNull(),
    requestDigest: text('request_digest').notNull(),
    status: integer('status'),
    sealedBody: text('sealed_body'),
    createdAtMs: integer('created_at_ms').notNull(),
  },
  (table) => [primaryKey({ columns: [table.caller, table.keyDigest] }), index('replies_age').on(table.createdAtMs)],
);

/** What happened, minute by minute. */
export const activity = sqliteTable('activity', {
  minuteMs: integer('minute_ms').primaryKey(),
  counts: json<Readonly<Record<string, number>>>('counts').notNull(),
});

/** Where the chains of the audit trail begin, once retention took what was before. `chain`: slug; empty: the server's own. */
export const auditAnchors = sqliteTable('audit_anchors', {
  chain: text('chain').primaryKey(),
  number: integer('number').notNull(),
  hash: text('hash').notNull(),
});
