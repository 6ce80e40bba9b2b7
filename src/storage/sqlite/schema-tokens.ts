/** Sessions, grants and tokens of the SQLite schema: see schema.ts. */
import { isNotNull, sql } from 'drizzle-orm';
import { foreignKey, index, integer, primaryKey, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';
import { json } from './columns.ts';
import type { Acr, Amr } from '../../core/people.ts';

/** Login sessions. */
export const sessions = sqliteTable(
  'sessions',
  {
    tenantId: text('tenant_id').notNull(),
    id: text('id').notNull(),
    userId: text('user_id').notNull(),
    createdAtMs: integer('created_at_ms').notNull(),
    endedAtMs: integer('ended_at_ms'),
    /** null: an operator's session, which no browser has; then all below are null too. */
    secretDigest: text('secret_digest'),
    authTimeMs: integer('auth_time_ms'),
    amr: json<readonly Amr[]>('amr'),
    acr: text('acr').$type<Acr>(),
    lastSeenAtMs: integer('last_seen_ms'),
    expiresAtMs: integer('expires_at_ms'),
    userAgent: text('user_agent'),
    ip: text('ip'),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    uniqueIndex('sessions_secret').on(table.tenantId, table.secretDigest).where(isNotNull(table.secretDigest)),
    index('sessions_user').on(table.tenantId, table.userId),
    // What a browser's session ends by when nobody ends it.
    index('sessions_open_visit').on(table.tenantId, table.lastSeenAtMs).where(sql`${table.secretDigest} is not null and ${table.endedAtMs} is null`),
    index('sessions_open_expiry').on(table.expiresAtMs).where(sql`${table.secretDigest} is not null and ${table.endedAtMs} is null`),
    index('sessions_ended').on(table.endedAtMs).where(sql`${table.secretDigest} is not null and ${table.endedAtMs} is not null`),
  ],
);

/** Grants: all tokens that came of one live and die with its row. */
export const grants = sqliteTable(
  'grants',
  {
    id: text('id').primaryKey(),
    tenantId: text('tenant_id').notNull(),
    clientId: text('client_id').notNull(),
    userId: text('user_id').notNull(),
    sessionId: text('session_id'),
    orgId: text('org_id'),
    scopes: json<readonly string[]>('scopes').notNull(),
    audience: json<readonly string[]>('audience').notNull(),
    offline: integer('offline', { mode: 'boolean' }).notNull(),
    authTime: integer('auth_time_s'),
    acr: text('acr'),
    amr: json<readonly string[]>('amr').notNull().default(sql`'[]'`),
    createdAtMs: integer('created_at_ms').notNull(),
    expiresAtMs: integer('expires_at_ms').notNull(),
    revokedAtMs: integer('revoked_at_ms'),
    /** The end of the last token that came of it: until then a missing row would say too little. */
    keepUntilMs: integer('keep_until_ms').notNull(),
  },
  (table) => [
    foreignKey({ columns: [table.tenantId, table.sessionId], foreignColumns: [sessions.tenantId, sessions.id] }),
    index('grants_session').on(table.tenantId, table.sessionId).where(isNotNull(table.sessionId)),
    index('grants_user').on(table.tenantId, table.userId),
    index('grants_client').on(table.tenantId, table.clientId, table.id),
    index('grants_keep_until').on(table.keepUntilMs),
  ],
);

/** Refresh tokens by digest; spent ones stay until they expire, so that reuse is noticed. */
export const refreshTokens = sqliteTable(
  'refresh_tokens',
  {
    digest: text('digest').primaryKey(),
    tenantId: text('tenant_id').notNull(),
    grantId: text('grant_id').notNull().references(() => grants.id),
    issuedAtMs: integer('issued_at_ms').notNull(),
    expiresAtMs: integer('expires_at_ms').notNull(),
    usedAtMs: integer('used_at_ms'),
    successorDigest: text('successor_digest'),
    successorSealed: text('successor_sealed'),
    requestDigest: text('request_digest'),
  },
  (table) => [
    index('refresh_tokens_grant').on(table.grantId),
    index('refresh_tokens_expiry').on(table.expiresAtMs),
    index('refresh_tokens_sealed').on(table.usedAtMs).where(isNotNull(table.successorSealed)),
  ],
);

/** Facts of an opaque token that few tokens have. */
export type RareFacts = { readonly cnf?: object; readonly act?: object };

/** Opaque access tokens by digest. */
export const opaqueTokens = sqliteTable(
  'opaque_tokens',
  {
    digest: text('digest').primaryKey(),
    tenantId: text('tenant_id').notNull(),
    clientId: text('client_id').notNull(),
    subject: text('subject').notNull(),
    userId: text('user_id'),
    scopes: json<readonly string[]>('scopes').notNull(),
    audience: json<readonly string[]>('audience').notNull(),
    issuedAtMs: integer('issued_at_ms').notNull(),
    expiresAt: integer('expires_at_s'),
    notBefore: integer('not_before_s'),
    tokenId: text('token_id'),
    grantId: text('grant_id').references(() => grants.id),
    sessionId: text('session_id'),
    orgId: text('org_id'),
    authTime: integer('auth_time_s'),
    acr: text('acr'),
    rare: json<RareFacts>('rare'),
    revokedAtMs: integer('revoked_at_ms'),
    keepUntilMs: integer('keep_until_ms').notNull(),
  },
  (table) => [
    index('opaque_tokens_grant').on(table.grantId).where(isNotNull(table.grantId)),
    index('opaque_tokens_keep_until').on(table.keepUntilMs),
    index('opaque_tokens_client').on(table.tenantId, table.clientId, table.digest),
  ],
);

/** Ids of revoked JWTs, until they expire (REV-26). */
export const revokedIds = sqliteTable(
  'revoked_ids',
  {
    tenantId: text('tenant_id').notNull(),
    tokenId: text('token_id').notNull(),
    expiresAt: integer('expires_at_s').notNull(),
    revokedAtMs: integer('revoked_at_ms').notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.tokenId] }), index('revoked_ids_expiry').on(table.expiresAt)],
);
