/**
 * The SQLite schema. Property names and JavaScript types are the model's; column names end in `_ms` (milliseconds) or
 * `_s` (seconds) where they hold times. All ids are TEXT and all tables STRICT (MTN-10; `test/storage/make-strict.ts`).
 * Grants and tokens are in schema-tokens.ts, what signing in needs in schema-people.ts.
 * What can be revoked carries its tenant's id (MTN-01), and nothing here is a usable credential (CR-04).
 */
import { isNotNull, isNull, sql } from 'drizzle-orm';
import { foreignKey, index, integer, primaryKey, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';
import { json } from './columns.ts';
import type { AuditEvent, AuditType } from '../../core/audit-event.ts';
import type { Client, ClientSecret, Tenant, UserAttributes } from '../../core/model.ts';
import type { OperationsSettings } from '../../core/operations-settings.ts';
import type { PeopleSettings } from '../../core/people.ts';
import type { SigningKeyStatus } from '../../core/store.ts';
import type { SigningAlgorithm } from '../../spec/names.ts';

/** Settings that belong to the data, and what the storage notes for itself. */
export const meta = sqliteTable('meta', {
  key: text('key').primaryKey(),
  value: text('value').notNull(),
});

/** Deleted tenants stay as tombstones. */
export const tenants = sqliteTable(
  'tenants',
  {
    id: text('id').primaryKey(),
    slug: text('slug').notNull(),
    name: text('name').notNull(),
    preset: text('preset').$type<Tenant['preset']>().notNull(),
    layout: text('layout').$type<Tenant['layout']>().notNull(),
    host: text('host'),
    introspectionPolicy: text('introspection_policy').$type<Tenant['introspectionPolicy']>().notNull(),
    introspectionPolicyMode: text('introspection_policy_mode').$type<Tenant['introspectionPolicyMode']>().notNull(),
    revocationPolicy: text('revocation_policy').$type<Tenant['revocationPolicy']>().notNull(),
    refreshRevocation: text('refresh_revocation').$type<Tenant['refreshRevocation']>().notNull(),
    shape: text('shape').$type<Tenant['shape']>().notNull(),
    defaultAudience: text('default_audience').$type<Tenant['defaultAudience']>().notNull(),
    algorithm: text('algorithm').$type<SigningAlgorithm>().notNull(),
    accessTokenTtl: integer('access_token_ttl_s').notNull(),
    refreshTokenTtl: integer('refresh_token_ttl_s').notNull(),
    /** What a later version added may be missing. */
    people: json<Partial<PeopleSettings>>('people').notNull().default(sql`'{}'`),
    /** As above. */
    operations: json<Partial<OperationsSettings>>('operations').notNull().default(sql`'{}'`),
    createdAtMs: integer('created_at_ms').notNull(),
    disabledAtMs: integer('disabled_at_ms'),
    deletedAtMs: integer('deleted_at_ms'),
    notBeforeMs: integer('not_before_ms').notNull(),
    /** The longest lifetime that any token of it, of whichever client, was ever given. */
    longestTtl: integer('longest_ttl_s').notNull(),
    /** Of a deleted tenant: until when its slug may not be given again (MTN-07). */
    slugHeldUntilMs: integer('slug_held_until_ms'),
  },
  (table) => [
    index('tenants_slug').on(table.slug),
    uniqueIndex('tenants_live_slug').on(table.slug).where(isNull(table.deletedAtMs)),
    uniqueIndex('tenants_host').on(table.host).where(isNotNull(table.host)),
  ],
);

/** Deleted clients stay as tombstones. */
export const clients = sqliteTable(
  'clients',
  {
    tenantId: text('tenant_id').notNull().references(() => tenants.id),
    id: text('id').notNull(),
    name: text('name').notNull(),
    public: integer('public', { mode: 'boolean' }).notNull(),
    grants: json<Client['grants']>('grants').notNull(),
    scopes: json<readonly string[]>('scopes').notNull(),
    audience: json<readonly string[]>('audience').notNull(),
    redirectUris: json<readonly string[]>('redirect_uris').notNull(),
    postLogoutRedirectUris: json<readonly string[]>('post_logout_redirect_uris').notNull().default(sql`'[]'`),
    backchannelLogoutUri: text('backchannel_logout_uri'),
    firstParty: integer('first_party', { mode: 'boolean' }).notNull().default(false),
    requirePkce: integer('require_pkce', { mode: 'boolean' }).notNull().default(true),
    authMethod: text('auth_method').$type<NonNullable<Client['authMethod']>>(),
    tokenFormat: text('token_format').$type<NonNullable<Client['tokenFormat']>>(),
    introspect: text('introspect').$type<NonNullable<Client['introspect']>>(),
    shape: text('shape').$type<NonNullable<Client['shape']>>(),
    orgId: text('org_id'),
    refreshRotation: integer('refresh_rotation', { mode: 'boolean' }).notNull(),
    accessTokenTtl: integer('access_token_ttl_s'),
    refreshTokenTtl: integer('refresh_token_ttl_s'),
    selfRegistered: integer('self_registered', { mode: 'boolean' }).notNull(),
    createdAtMs: integer('created_at_ms').notNull(),
    disabledAtMs: integer('disabled_at_ms'),
    deletedAtMs: integer('deleted_at_ms'),
    notBeforeMs: integer('not_before_ms').notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.id] })],
);

/** Digests of client secrets. */
export const clientSecrets = sqliteTable(
  'client_secrets',
  {
    tenantId: text('tenant_id').notNull(),
    clientId: text('client_id').notNull(),
    id: text('id').notNull(),
    digest: text('digest').notNull(),
    kind: text('kind').$type<ClientSecret['kind']>().notNull(),
    createdAtMs: integer('created_at_ms').notNull(),
    expiresAtMs: integer('expires_at_ms'),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.clientId, table.id] }),
    foreignKey({ columns: [table.tenantId, table.clientId], foreignColumns: [clients.tenantId, clients.id] }),
    index('client_secrets_end').on(table.expiresAtMs).where(isNotNull(table.expiresAtMs)),
  ],
);

/** Protected resources, by the canonical form of their identifier. */
export const resources = sqliteTable(
  'resources',
  {
    tenantId: text('tenant_id').notNull().references(() => tenants.id),
    key: text('key').notNull(),
    uri: text('uri').notNull(),
    scopes: json<readonly string[]>('scopes').notNull(),
    ownerClientId: text('owner_client_id'),
    tokenFormat: text('token_format').$type<NonNullable<Client['tokenFormat']>>(),
    createdAtMs: integer('created_at_ms').notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.key] })],
);

/** Deleted users stay, so that no id is ever given again; their names may be. */
export const users = sqliteTable(
  'users',
  {
    tenantId: text('tenant_id').notNull().references(() => tenants.id),
    id: text('id').notNull(),
    username: text('username').notNull(),
    usernameKey: text('username_key').notNull(),
    email: text('email').notNull(),
    emailVerified: integer('email_verified', { mode: 'boolean' }).notNull(),
    name: text('name'),
    attributes: json<UserAttributes>('attributes').notNull().default(sql`'{}'`),
    /** The address in lower case and NFC, to find and compare it by. */
    emailKey: text('email_key').notNull().default(''),
    createdAtMs: integer('created_at_ms').notNull(),
    disabledAtMs: integer('disabled_at_ms'),
    deletedAtMs: integer('deleted_at_ms'),
    notBeforeMs: integer('not_before_ms').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    uniqueIndex('users_live_username').on(table.tenantId, table.usernameKey).where(isNull(table.deletedAtMs)),
    index('users_email').on(table.tenantId, table.emailKey),
    // For lists: by the beginning of a name, and those few that are disabled.
    index('users_name').on(table.tenantId, sql`${table.name} COLLATE NOCASE`).where(sql`${table.name} is not null and ${table.deletedAtMs} is null`),
    index('users_disabled').on(table.tenantId, table.usernameKey).where(sql`${table.disabledAtMs} is not null and ${table.deletedAtMs} is null`),
  ],
);

/** Signing keys; private parts are sealed. */
export const signingKeys = sqliteTable(
  'signing_keys',
  {
    tenantId: text('tenant_id').notNull().references(() => tenants.id),
    kid: text('kid').notNull(),
    algorithm: text('algorithm').$type<SigningAlgorithm>().notNull(),
    status: text('status').$type<SigningKeyStatus>().notNull(),
    publicJwk: text('public_jwk').notNull(),
    sealedPrivate: text('sealed_private').notNull(),
    createdAtMs: integer('created_at_ms').notNull(),
    activatedAtMs: integer('activated_at_ms'),
    retiredAtMs: integer('retired_at_ms'),
    issuer: text('issuer'),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.kid] }),
    uniqueIndex('signing_keys_one_active').on(table.tenantId).where(sql`${table.status} = 'active'`),
    index('signing_keys_retired').on(table.retiredAtMs).where(sql`${table.status} = 'retired'`),
  ],
);

/** Append-only: triggers refuse changes (LG-08; see the migration that makes them). */
export const audit = sqliteTable(
  'audit',
  {
    seq: integer('seq').primaryKey({ autoIncrement: true }),
    timeMs: integer('time_ms').notNull(),
    type: text('type').$type<AuditType>().notNull(),
    tenant: text('tenant'),
    actor: text('actor'),
    clientId: text('client_id'),
    subject: text('subject'),
    fingerprint: text('fingerprint'),
    ip: text('ip'),
    requestId: text('request_id'),
    outcome: text('outcome').$type<AuditEvent['outcome']>().notNull(),
    reason: text('reason'),
    grantId: text('grant_id'),
    count: integer('count').notNull(),
    hash: text('hash'),
  },
  (table) => [
    // Each ends with the row's number by itself: a search walks along one of them, the newest first.
    index('audit_tenant').on(table.tenant),
    index('audit_tenant_type').on(table.tenant, table.type),
    index('audit_type').on(table.type),
    index('audit_time').on(table.timeMs),
    index('audit_subject').on(table.subject).where(isNotNull(table.subject)),
    index('audit_actor').on(table.actor).where(isNotNull(table.actor)),
    index('audit_client').on(table.clientId).where(isNotNull(table.clientId)),
    index('audit_ip').on(table.ip).where(isNotNull(table.ip)),
    index('audit_request').on(table.requestId).where(isNotNull(table.requestId)),
  ],
);
