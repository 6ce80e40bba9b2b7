import { isDeepStrictEqual } from 'node:util';
import { and, desc, eq, isNull, lt, or, sql } from 'drizzle-orm';
import { guarded } from './failures.ts';
import { passwords } from './schema-people.ts';
import { adminInvitations, administrators, apiKeys } from './schema-operations.ts';
import { prepareAddUser } from './users.ts';
import type { AppendAudit } from './audit.ts';
import type { Connection } from './connection.ts';
import type { IsLiveUser } from './passwords.ts';
import type { Administrator, ApiKey } from '../../core/admin.ts';
import type { Store } from '../../core/store.ts';

type KeyPart = Pick<Store, 'createApiKey' | 'findApiKey' | 'listApiKeys' | 'revokeApiKey' | 'touchApiKey'>;
type AdministratorPart = Pick<
  Store,
  | 'findAdministrator' | 'listAdministrators' | 'putAdministrator' | 'removeAdministrator' | 'createAdminInvitation' | 'findAdminInvitation'
  | 'acceptAdminInvitation'
>;

/** Keys of programs that operate. Every call of the admin API looks one up, so they are remembered. */
export function apiKeyPart({ orm, writer, memory, track }: Connection, append: AppendAudit): KeyPart {
  const byDigest = track(orm.select().from(apiKeys).where(eq(apiKeys.digest, sql.placeholder('digest'))).prepare());
  return {
    createApiKey: (key, events) =>
      writer.write((after) => {
        orm.insert(apiKeys).values(key).run();
        append(events);
        after(() => memory.apiKeys.clear());
      }),
    findApiKey: (digest) =>
      guarded(() => {
        memory.refresh();
        const known = memory.apiKeys.get(digest);
        if (known !== undefined) return known;
        // Not what does not exist: anybody can ask for that, and it would take the place of what does.
        const key: ApiKey | null = byDigest.get({ digest }) ?? null;
        if (key !== null) memory.apiKeys.set(digest, key);
        return key;
      }),
    listApiKeys: (tenantId) =>
      guarded(() => {
        const those = tenantId === undefined ? undefined : eq(apiKeys.tenantId, tenantId);
        return orm.select().from(apiKeys).where(those).orderBy(desc(apiKeys.createdAtMs), apiKeys.id).all();
      }),
    revokeApiKey: (id, atMs, events) =>
      writer.write((after) => {
        const own = and(eq(apiKeys.id, id), isNull(apiKeys.revokedAtMs));
        if (orm.update(apiKeys).set({ revokedAtMs: atMs }).where(own).returning({ id: apiKeys.id }).all().length === 0) return false;
        append(events);
        after(() => memory.apiKeys.clear());
        return true;
      }),
    touchApiKey: (id, atMs) =>
      writer.write((after) => {
        const older = or(isNull(apiKeys.lastUsedAtMs), lt(apiKeys.lastUsedAtMs, atMs));
        const [touched] = orm.update(apiKeys).set({ lastUsedAtMs: atMs }).where(and(eq(apiKeys.id, id), older)).returning({ digest: apiKeys.digest }).all();
        if (touched !== undefined) after(() => memory.apiKeys.delete(touched.digest));
      }),
  };
}

/** People who operate, and the links by which they become that. */
export function administratorPart(connection: Connection, append: AppendAudit, isLive: IsLiveUser): AdministratorPart {
  const { orm, writer, memory, track } = connection;
  const addUser = prepareAddUser(connection);
  // Without an index: administrators are few.
  const byUser = orm.select().from(administrators).where(eq(administrators.userId, sql.placeholder('userId'))).prepare();
  const byDigest = track(orm.select().from(adminInvitations).where(eq(adminInvitations.digest, sql.placeholder('digest'))).prepare());
  const all = (): readonly Administrator[] =>
    orm.select().from(administrators).orderBy(administrators.createdAtMs, administrators.userId).all().map(toAdministrator);

  /** Within a transaction. */
  function put({ userId, tenantId, scopes, createdAtMs }: Administrator, homeTenantId: string): void {
    const target = [administrators.homeTenantId, administrators.userId];
    orm.insert(administrators).values({ homeTenantId, userId, tenantId, scopes, createdAtMs }).onConflictDoUpdate({ target, set: { tenantId, scopes } }).run();
  }

  return {
    findAdministrator: (userId) =>
      guarded(() => {
        const row = byUser.get({ userId });
        return row === undefined ? null : toAdministrator(row);
      }),
    listAdministrators: () => guarded(all),
    putAdministrator: (administrator, homeTenantId, events, seen) =>
      writer.write(() => {
        if (!isLive(homeTenantId, administrator.userId) || (seen !== undefined && !isDeepStrictEqual(all(), seen))) return false;
        put(administrator, homeTenantId);
        append(events);
        return true;
      }),
    removeAdministrator: (userId, events, seen) =>
      writer.write(() => {
        if (seen !== undefined && !isDeepStrictEqual(all(), seen)) return false;
        const gone = orm.delete(administrators).where(eq(administrators.userId, userId)).returning({ userId: administrators.userId }).all();
        if (gone.length > 0) append(events);
        return gone.length > 0;
      }),
    createAdminInvitation: (invitation, events) =>
      writer.write(() => {
        orm.delete(adminInvitations).where(isNull(adminInvitations.usedAtMs)).run();
        orm.insert(adminInvitations).values(invitation).run();
        append(events);
      }),
    findAdminInvitation: (digest) => guarded(() => byDigest.get({ digest }) ?? null),
    acceptAdminInvitation: ({ digest, user, usernameKey, password, administrator, atMs }, events) =>
      writer.write((after) => {
        const invitation = byDigest.get({ digest });
        if (invitation === undefined || invitation.usedAtMs !== null || invitation.expiresAtMs <= atMs) return 'spent';
        if (addUser(user, usernameKey) !== 'created') return 'username_taken';
        orm.insert(passwords).values(password).run();
        put(administrator, user.tenantId);
        orm.update(adminInvitations).set({ usedAtMs: atMs }).where(eq(adminInvitations.digest, digest)).run();
        append(events);
        after(() => memory.forget('users'));
        return 'accepted';
      }),
  };
}

function toAdministrator({ homeTenantId: _home, ...administrator }: typeof administrators.$inferSelect): Administrator {
  return administrator;
}
