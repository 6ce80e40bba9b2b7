/** What signing in needs of the SQLite schema: see schema.ts. Of secrets only digests, or sealed. */
import { isNotNull, isNull, sql } from 'drizzle-orm';
import { foreignKey, index, integer, primaryKey, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';
import { json } from './columns.ts';
import { tenants, users } from './schema.ts';
import type { AuthorizationRequest } from '../../core/authorization-request.ts';
import type { Acr, Amr, OutboxItem, Progress, ProofKind } from '../../core/people.ts';

/** Pending requests of browsers. */
export const interactions = sqliteTable(
  'interactions',
  {
    digest: text('digest').primaryKey(),
    tenantId: text('tenant_id').notNull().references(() => tenants.id),
    browserDigest: text('browser_digest').notNull(),
    request: json<AuthorizationRequest>('request'),
    section: text('section'),
    freshSinceMs: integer('fresh_since_ms'),
    /** Compared as text: JSON as it was given. */
    progress: json<Progress>('progress').notNull(),
    createdAtMs: integer('created_at_ms').notNull(),
    expiresAtMs: integer('expires_at_ms').notNull(),
    finishedAtMs: integer('finished_at_ms'),
  },
  (table) => [index('interactions_expiry').on(table.expiresAtMs)],
);

/** Authorization codes; used ones stay a while, so that a replay is noticed (TAC-10). */
export const codes = sqliteTable(
  'codes',
  {
    digest: text('digest').primaryKey(),
    tenantId: text('tenant_id').notNull().references(() => tenants.id),
    clientId: text('client_id').notNull(),
    userId: text('user_id').notNull(),
    sessionId: text('session_id').notNull(),
    sessionEndsAtMs: integer('session_ends_at_ms').notNull(),
    orgId: text('org_id'),
    redirectUri: text('redirect_uri'),
    challenge: text('challenge'),
    nonce: text('nonce'),
    scopes: json<readonly string[]>('scopes').notNull(),
    resources: json<readonly string[]>('resources').notNull(),
    offline: integer('offline', { mode: 'boolean' }).notNull(),
    authTime: integer('auth_time_s').notNull(),
    acr: text('acr').$type<Acr>().notNull(),
    amr: json<readonly Amr[]>('amr').notNull(),
    issuedAtMs: integer('issued_at_ms').notNull(),
    expiresAtMs: integer('expires_at_ms').notNull(),
    usedAtMs: integer('used_at_ms'),
    failures: integer('failures').notNull(),
    grantId: text('grant_id'),
  },
  (table) => [
    index('codes_user').on(table.tenantId, table.userId),
    index('codes_unused').on(table.expiresAtMs).where(isNull(table.usedAtMs)),
    index('codes_used').on(table.expiresAtMs).where(isNotNull(table.usedAtMs)),
  ],
);

/** What people allowed for good. */
export const consents = sqliteTable(
  'consents',
  {
    tenantId: text('tenant_id').notNull(),
    userId: text('user_id').notNull(),
    clientId: text('client_id').notNull(),
    resourceKey: text('resource_key').notNull(),
    orgId: text('org_id').notNull(),
    scopes: json<readonly string[]>('scopes').notNull(),
    createdAtMs: integer('created_at_ms').notNull(),
    updatedAtMs: integer('updated_at_ms').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.userId, table.clientId, table.resourceKey, table.orgId] }),
    foreignKey({ columns: [table.tenantId, table.userId], foreignColumns: [users.tenantId, users.id] }),
    index('consents_client').on(table.tenantId, table.clientId),
  ],
);

/** Passwords, digests only. */
export const passwords = sqliteTable(
  'passwords',
  {
    tenantId: text('tenant_id').notNull(),
    userId: text('user_id').notNull(),
    digest: text('digest').notNull(),
    changedAtMs: integer('changed_at_ms').notNull(),
    mustChange: integer('must_change', { mode: 'boolean' }).notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.userId] }),
    foreignKey({ columns: [table.tenantId, table.userId], foreignColumns: [users.tenantId, users.id] }),
  ],
);

/** Passkeys: public keys. */
export const passkeys = sqliteTable(
  'passkeys',
  {
    tenantId: text('tenant_id').notNull(),
    id: text('id').notNull(),
    userId: text('user_id').notNull(),
    publicKey: text('public_key').notNull(),
    counter: integer('counter').notNull(),
    transports: json<readonly string[]>('transports').notNull(),
    synced: integer('synced', { mode: 'boolean' }).notNull(),
    name: text('name').notNull(),
    createdAtMs: integer('created_at_ms').notNull(),
    lastUsedAtMs: integer('last_used_at_ms'),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    foreignKey({ columns: [table.tenantId, table.userId], foreignColumns: [users.tenantId, users.id] }),
    index('passkeys_user').on(table.tenantId, table.userId),
  ],
);

/** Authenticator applications; secrets sealed. */
export const totp = sqliteTable(
  'totp',
  {
    tenantId: text('tenant_id').notNull(),
    userId: text('user_id').notNull(),
    sealedSecret: text('sealed_secret').notNull(),
    createdAtMs: integer('created_at_ms').notNull(),
    confirmedAtMs: integer('confirmed_at_ms'),
    lastStep: integer('last_step').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.userId] }),
    foreignKey({ columns: [table.tenantId, table.userId], foreignColumns: [users.tenantId, users.id] }),
  ],
);

/** Digests of recovery codes. */
export const recoveryCodes = sqliteTable(
  'recovery_codes',
  {
    tenantId: text('tenant_id').notNull(),
    userId: text('user_id').notNull(),
    digest: text('digest').notNull(),
    usedAtMs: integer('used_at_ms'),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.userId, table.digest] }),
    foreignKey({ columns: [table.tenantId, table.userId], foreignColumns: [users.tenantId, users.id] }),
  ],
);

/** One-time proofs under way. */
export const proofs = sqliteTable(
  'proofs',
  {
    id: text('id').primaryKey(),
    tenantId: text('tenant_id').notNull().references(() => tenants.id),
    kind: text('kind').$type<ProofKind>().notNull(),
    userId: text('user_id'),
    boundTo: text('bound_to').notNull(),
    codeDigest: text('code_digest').notNull(),
    linkDigest: text('link_digest'),
    sealedData: text('sealed_data'),
    createdAtMs: integer('created_at_ms').notNull(),
    expiresAtMs: integer('expires_at_ms').notNull(),
    failures: integer('failures').notNull(),
    usedAtMs: integer('used_at_ms'),
  },
  (table) => [
    index('proofs_bound').on(table.tenantId, table.boundTo, table.kind, table.createdAtMs),
    uniqueIndex('proofs_link').on(table.tenantId, table.linkDigest).where(isNotNull(table.linkDigest)),
    index('proofs_user').on(table.tenantId, table.userId, table.createdAtMs).where(isNotNull(table.userId)),
    index('proofs_expiry').on(table.expiresAtMs),
  ],
);

/** Wrong passwords, by account and network. */
export const signInFailures = sqliteTable(
  'sign_in_failures',
  {
    tenantId: text('tenant_id').notNull(),
    userId: text('user_id').notNull(),
    network: text('network').notNull(),
    failures: integer('failures').notNull(),
    lastAtMs: integer('last_at_ms').notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.userId, table.network] }), index('sign_in_failures_last').on(table.lastAtMs)],
);

/** Groups of people. */
export const organizations = sqliteTable(
  'organizations',
  {
    tenantId: text('tenant_id').notNull().references(() => tenants.id),
    id: text('id').notNull(),
    name: text('name').notNull(),
    createdAtMs: integer('created_at_ms').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    index('organizations_name').on(table.tenantId, sql`${table.name} COLLATE NOCASE`, table.id),
  ],
);

/** Places in organizations. */
export const memberships = sqliteTable(
  'memberships',
  {
    tenantId: text('tenant_id').notNull(),
    orgId: text('org_id').notNull(),
    userId: text('user_id').notNull(),
    roles: json<readonly string[]>('roles').notNull(),
    createdAtMs: integer('created_at_ms').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.orgId, table.userId] }),
    foreignKey({ columns: [table.tenantId, table.orgId], foreignColumns: [organizations.tenantId, organizations.id] }),
    foreignKey({ columns: [table.tenantId, table.userId], foreignColumns: [users.tenantId, users.id] }),
    index('memberships_user').on(table.tenantId, table.userId, table.orgId),
  ],
);

/** Roles, and what they permit. */
export const roles = sqliteTable(
  'roles',
  {
    tenantId: text('tenant_id').notNull().references(() => tenants.id),
    name: text('name').notNull(),
    permissions: json<readonly string[]>('permissions').notNull(),
    createdAtMs: integer('created_at_ms').notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.name] })],
);

/** What is to be delivered beyond this machine. */
export const outbox = sqliteTable(
  'outbox',
  {
    id: text('id').primaryKey(),
    tenantId: text('tenant_id').notNull().references(() => tenants.id),
    kind: text('kind').$type<OutboxItem['kind']>().notNull(),
    target: text('target').notNull(),
    payload: text('payload').notNull(),
    createdAtMs: integer('created_at_ms').notNull(),
    nextAttemptAtMs: integer('next_attempt_at_ms').notNull(),
    attempts: integer('attempts').notNull(),
    doneAtMs: integer('done_at_ms'),
    outcome: text('outcome').$type<NonNullable<OutboxItem['outcome']>>(),
  },
  (table) => [
    index('outbox_mails').on(table.nextAttemptAtMs).where(sql`${table.doneAtMs} is null and ${table.kind} = 'mail'`),
    index('outbox_logouts').on(table.tenantId, table.target, table.nextAttemptAtMs).where(sql`${table.doneAtMs} is null and ${table.kind} = 'logout'`),
    index('outbox_done').on(table.doneAtMs).where(isNotNull(table.doneAtMs)),
    index('outbox_mailbox').on(table.tenantId, table.createdAtMs).where(sql`${table.outcome} = 'mailbox'`),
  ],
);
