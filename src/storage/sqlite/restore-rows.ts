/**
 * What a restore does to rows, as SQL. `?1` is the moment of the restore, milliseconds. `was` is the database that is
 * replaced, attached under that name.
 */

/** A step. What it returns is told: `tenant` (slug) and `subject`. */
export type RestoreStep = { readonly what: string; readonly sql: string };

const slug = (table: string): string => `(SELECT slug FROM tenants WHERE tenants.id = ${table}.tenant_id) AS tenant`;
const same = (table: string, columns: readonly string[]): string => columns.map((column) => `now_is.${column} = ${table}.${column}`).join(' AND ');
/** Whether the replaced database has the same row. */
const kept = (table: string, columns: readonly string[]): string => `EXISTS (SELECT 1 FROM was.${table} AS now_is WHERE ${same(table, columns)})`;
/** Whether it knows the owner: of what was made up by another history nothing can be concluded. */
const known = (table: string, owner: string, column: string): string =>
  `EXISTS (SELECT 1 FROM was.${owner} AS now_is WHERE now_is.tenant_id = ${table}.tenant_id AND now_is.id = ${table}.${column})`;

/** Everything issued before the restore ends, whatever becomes known of it. Counted, not listed. */
export const endings: readonly RestoreStep[] = [
  { what: 'tenants', sql: 'UPDATE tenants SET not_before_ms = max(not_before_ms, ?1)' },
  { what: 'clients', sql: 'UPDATE clients SET not_before_ms = max(not_before_ms, ?1)' },
  { what: 'users', sql: 'UPDATE users SET not_before_ms = max(not_before_ms, ?1)' },
  { what: 'sessions', sql: 'UPDATE sessions SET ended_at_ms = ?1 WHERE ended_at_ms IS NULL' },
  { what: 'grants', sql: 'UPDATE grants SET revoked_at_ms = ?1 WHERE revoked_at_ms IS NULL' },
  { what: 'opaque_tokens', sql: 'UPDATE opaque_tokens SET revoked_at_ms = ?1 WHERE revoked_at_ms IS NULL' },
  { what: 'codes', sql: 'UPDATE codes SET used_at_ms = ?1 WHERE used_at_ms IS NULL' },
  { what: 'interactions', sql: 'DELETE FROM interactions' },
  { what: 'proofs', sql: 'DELETE FROM proofs' },
  { what: 'messages', sql: 'DELETE FROM outbox WHERE done_at_ms IS NULL' },
  { what: 'invitations', sql: 'UPDATE invitations SET revoked_at_ms = ?1 WHERE revoked_at_ms IS NULL AND accepted_at_ms IS NULL' },
  { what: 'admin_invitations', sql: 'DELETE FROM admin_invitations WHERE used_at_ms IS NULL' },
  { what: 'replies', sql: 'DELETE FROM replies' },
  { what: 'webhook_replays', sql: 'DELETE FROM webhook_replays' },
  { what: 'signing_keys', sql: "UPDATE signing_keys SET status = 'revoked', retired_at_ms = ?1, sealed_private = '' WHERE status != 'revoked'" },
  // A code of an authenticator that was used since must not work again; steps are 30 s.
  { what: 'authenticators', sql: 'UPDATE totp SET last_step = max(last_step, ?1 / 30000)' },
];

/** Without the replaced database nobody knows which were revoked since. */
export const endApiKeys: RestoreStep = {
  what: 'API key revoked',
  sql: 'UPDATE api_keys SET revoked_at_ms = ?1 WHERE revoked_at_ms IS NULL RETURNING NULL AS tenant, id AS subject',
};

/** What was taken away or replaced since the backup, done again. Listed. */
export const carried: readonly RestoreStep[] = [
  {
    what: 'tenant disabled',
    sql: `UPDATE tenants SET disabled_at_ms = ?1 WHERE disabled_at_ms IS NULL AND id IN (SELECT id FROM was.tenants WHERE disabled_at_ms IS NOT NULL)
      RETURNING slug AS tenant, slug AS subject`,
  },
  ...['client', 'user'].map((kind) => ({
    what: `${kind} disabled`,
    sql: `UPDATE ${kind}s SET disabled_at_ms = ?1 WHERE disabled_at_ms IS NULL
      AND EXISTS (SELECT 1 FROM was.${kind}s AS now_is WHERE ${same(`${kind}s`, ['tenant_id', 'id'])} AND now_is.disabled_at_ms IS NOT NULL)
      RETURNING ${slug(`${kind}s`)}, id AS subject`,
  })),
  {
    what: 'client secret taken away',
    sql: `DELETE FROM client_secrets WHERE ${known('client_secrets', 'clients', 'client_id')} AND NOT ${kept('client_secrets', ['tenant_id', 'client_id', 'id', 'digest'])}
      RETURNING ${slug('client_secrets')}, client_id AS subject`,
  },
  {
    what: 'client secret ends sooner',
    sql: `UPDATE client_secrets SET expires_at_ms = now_is.expires_at_ms FROM was.client_secrets AS now_is
      WHERE ${same('client_secrets', ['tenant_id', 'client_id', 'id'])} AND now_is.expires_at_ms < coalesce(client_secrets.expires_at_ms, 9e15)
      RETURNING ${slug('client_secrets')}, client_id AS subject`,
  },
  {
    what: 'client secret added',
    sql: `INSERT INTO client_secrets (tenant_id, client_id, id, digest, kind, created_at_ms, expires_at_ms)
      SELECT tenant_id, client_id, id, digest, kind, created_at_ms, expires_at_ms FROM was.client_secrets
      WHERE EXISTS (SELECT 1 FROM clients WHERE clients.tenant_id = was.client_secrets.tenant_id AND clients.id = was.client_secrets.client_id AND clients.deleted_at_ms IS NULL)
      ON CONFLICT DO NOTHING RETURNING ${slug('client_secrets')}, client_id AS subject`,
  },
  {
    what: 'password changed',
    sql: `UPDATE passwords SET digest = now_is.digest, changed_at_ms = now_is.changed_at_ms, must_change = now_is.must_change FROM was.passwords AS now_is
      WHERE ${same('passwords', ['tenant_id', 'user_id'])} AND now_is.changed_at_ms > passwords.changed_at_ms RETURNING ${slug('passwords')}, user_id AS subject`,
  },
  {
    what: 'password removed',
    sql: `DELETE FROM passwords WHERE ${known('passwords', 'users', 'user_id')} AND NOT ${kept('passwords', ['tenant_id', 'user_id'])} RETURNING ${slug('passwords')}, user_id AS subject`,
  },
  {
    what: 'passkey removed',
    sql: `DELETE FROM passkeys WHERE ${known('passkeys', 'users', 'user_id')} AND NOT ${kept('passkeys', ['tenant_id', 'id'])} RETURNING ${slug('passkeys')}, user_id AS subject`,
  },
  {
    what: 'authenticator replaced',
    sql: `UPDATE totp SET sealed_secret = now_is.sealed_secret, created_at_ms = now_is.created_at_ms, confirmed_at_ms = now_is.confirmed_at_ms FROM was.totp AS now_is
      WHERE ${same('totp', ['tenant_id', 'user_id'])} AND now_is.created_at_ms > totp.created_at_ms RETURNING ${slug('totp')}, user_id AS subject`,
  },
  {
    what: 'recovery code used',
    sql: `UPDATE recovery_codes SET used_at_ms = ?1 WHERE used_at_ms IS NULL AND ${known('recovery_codes', 'users', 'user_id')}
      AND NOT EXISTS (SELECT 1 FROM was.recovery_codes AS now_is WHERE ${same('recovery_codes', ['tenant_id', 'user_id', 'digest'])} AND now_is.used_at_ms IS NULL)
      RETURNING ${slug('recovery_codes')}, user_id AS subject`,
  },
  {
    what: 'membership removed',
    sql: `DELETE FROM memberships WHERE ${known('memberships', 'users', 'user_id')} AND NOT ${kept('memberships', ['tenant_id', 'org_id', 'user_id'])}
      RETURNING ${slug('memberships')}, user_id AS subject`,
  },
  // What somebody may do was perhaps made less since.
  {
    what: 'membership changed',
    sql: `UPDATE memberships SET roles = now_is.roles FROM was.memberships AS now_is
      WHERE ${same('memberships', ['tenant_id', 'org_id', 'user_id'])} AND now_is.roles != memberships.roles RETURNING ${slug('memberships')}, user_id AS subject`,
  },
  {
    what: 'role changed',
    sql: `UPDATE roles SET permissions = now_is.permissions FROM was.roles AS now_is
      WHERE ${same('roles', ['tenant_id', 'name'])} AND now_is.permissions != roles.permissions RETURNING ${slug('roles')}, name AS subject`,
  },
  {
    what: 'consent withdrawn',
    sql: `DELETE FROM consents WHERE ${known('consents', 'users', 'user_id')} AND NOT ${kept('consents', ['tenant_id', 'user_id', 'client_id', 'resource_key', 'org_id'])}
      RETURNING ${slug('consents')}, user_id AS subject`,
  },
  {
    what: 'API key revoked',
    sql: `UPDATE api_keys SET revoked_at_ms = ?1 WHERE revoked_at_ms IS NULL
      AND NOT EXISTS (SELECT 1 FROM was.api_keys AS now_is WHERE ${same('api_keys', ['id', 'digest'])} AND now_is.revoked_at_ms IS NULL) RETURNING NULL AS tenant, id AS subject`,
  },
  {
    what: 'administrator removed',
    // Also one of a tenant alone that the backup does not have: what is left would be more than that.
    sql: `DELETE FROM administrators WHERE NOT EXISTS (SELECT 1 FROM was.administrators AS now_is WHERE ${same('administrators', ['home_tenant_id', 'user_id'])}
      AND (now_is.tenant_id IS NULL OR now_is.tenant_id IN (SELECT id FROM tenants))) RETURNING NULL AS tenant, user_id AS subject`,
  },
  {
    what: 'administrator changed',
    sql: `UPDATE administrators SET tenant_id = now_is.tenant_id, scopes = now_is.scopes FROM was.administrators AS now_is
      WHERE ${same('administrators', ['home_tenant_id', 'user_id'])} AND (now_is.tenant_id IS NOT administrators.tenant_id OR now_is.scopes != administrators.scopes)
      RETURNING NULL AS tenant, user_id AS subject`,
  },
  {
    what: 'webhook disabled',
    sql: `UPDATE webhooks SET disabled_at_ms = ?1 WHERE disabled_at_ms IS NULL
      AND NOT EXISTS (SELECT 1 FROM was.webhooks AS now_is WHERE now_is.id = webhooks.id AND now_is.disabled_at_ms IS NULL) RETURNING NULL AS tenant, id AS subject`,
  },
  {
    what: 'webhook secret replaced',
    sql: `UPDATE webhooks SET secrets = now_is.secrets FROM was.webhooks AS now_is WHERE now_is.id = webhooks.id AND now_is.secrets != webhooks.secrets RETURNING NULL AS tenant, id AS subject`,
  },
];

/** What goes on from where the replaced database had come to. Not told: it takes nothing away. */
export const continued: readonly string[] = [
  'UPDATE passkeys SET counter = now_is.counter FROM was.passkeys AS now_is WHERE now_is.tenant_id = passkeys.tenant_id AND now_is.id = passkeys.id AND now_is.counter > passkeys.counter',
  'UPDATE webhooks SET cursor = now_is.cursor FROM was.webhooks AS now_is WHERE now_is.id = webhooks.id AND now_is.cursor > webhooks.cursor',
];

/** What was deleted since; the acts that delete do it again. */
export const deletedSince: Readonly<Record<'tenant' | 'client' | 'user', string>> = {
  tenant: `SELECT slug AS tenant, slug AS subject FROM tenants WHERE deleted_at_ms IS NULL AND id IN (SELECT id FROM was.tenants WHERE deleted_at_ms IS NOT NULL)`,
  client: `SELECT ${slug('clients')}, id AS subject FROM clients WHERE deleted_at_ms IS NULL
    AND EXISTS (SELECT 1 FROM was.clients AS now_is WHERE ${same('clients', ['tenant_id', 'id'])} AND now_is.deleted_at_ms IS NOT NULL)`,
  user: `SELECT ${slug('users')}, id AS subject FROM users WHERE deleted_at_ms IS NULL
    AND EXISTS (SELECT 1 FROM was.users AS now_is WHERE ${same('users', ['tenant_id', 'id'])} AND now_is.deleted_at_ms IS NOT NULL)`,
};
