import { isDeepStrictEqual } from 'node:util';
import { and, eq, isNull, ne, sql } from 'drizzle-orm';
import { meta, resources, users } from './schema.ts';
import { guarded } from './failures.ts';
import { pairKey } from './memory.ts';
import type { AppendAudit } from './audit.ts';
import type { Connection } from './connection.ts';
import type { Resource, User } from '../../core/model.ts';
import type { Store } from '../../core/store.ts';

type ResourcePart = Pick<Store, 'findResource' | 'listResources' | 'createResource' | 'deleteResource'>;
type UserPart = Pick<Store, 'findUser' | 'findUserByName' | 'listUsers' | 'createUser' | 'updateUser'>;

/** Settings kept with the data. */
export function metaPart(connection: Connection, append: AppendAudit): Pick<Store, 'readMeta' | 'writeMeta' | 'claimMeta'> {
  const { orm, writer, memory, track } = connection;
  const byKey = track(orm.select({ value: meta.value }).from(meta).where(eq(meta.key, sql.placeholder('key'))).prepare());
  return {
    readMeta: (key) =>
      guarded(() => {
        memory.refresh();
        let known = memory.meta.get(key);
        if (known === undefined) {
          known = { value: byKey.get({ key })?.value ?? null };
          memory.meta.set(key, known);
        }
        return known.value;
      }),
    writeMeta: (key, value, events) =>
      writer.write((after) => {
        orm.insert(meta).values({ key, value }).onConflictDoUpdate({ target: meta.key, set: { value } }).run();
        append(events);
        after(() => memory.forget('meta'));
      }),
    claimMeta: (key, value) =>
      writer.write((after) => {
        orm.insert(meta).values({ key, value }).onConflictDoNothing().run();
        after(() => memory.forget('meta'));
        return byKey.get({ key })?.value ?? value;
      }),
  };
}

/** Protected resources, by the canonical form of their identifier. */
export function resourcePart(connection: Connection, append: AppendAudit): ResourcePart {
  const { orm, writer, memory, track } = connection;
  const isResource = and(eq(resources.tenantId, sql.placeholder('tenantId')), eq(resources.key, sql.placeholder('key')));
  const byKey = track(orm.select().from(resources).where(isResource).prepare());
  return {
    findResource: (tenantId, key) =>
      guarded(() => {
        memory.refresh();
        const pair = pairKey(tenantId, key);
        const known = memory.resources.get(pair);
        if (known !== undefined) return known.resource;
        const row = byKey.get({ tenantId, key });
        const resource = row === undefined ? null : toResource(row);
        memory.resources.set(pair, { resource });
        return resource;
      }),
    listResources: (tenantId) =>
      guarded(() => orm.select().from(resources).where(eq(resources.tenantId, tenantId)).orderBy(resources.key).all().map(toResource)),
    createResource: (resource, key, events) =>
      writer.write((after) => {
        if (byKey.get({ tenantId: resource.tenantId, key }) !== undefined) return false;
        orm.insert(resources).values({ ...resource, key }).run();
        append(events);
        after(() => memory.forget('resources'));
        return true;
      }),
    deleteResource: (tenantId, key, events) =>
      writer.write((after) => {
        const own = and(eq(resources.tenantId, tenantId), eq(resources.key, key));
        if (orm.delete(resources).where(own).returning({ key: resources.key }).all().length === 0) return false;
        append(events);
        after(() => memory.forget('resources'));
        return true;
      }),
  };
}

/** Users and their tombstones. */
export function userPart(connection: Connection, append: AppendAudit): UserPart {
  const { orm, writer, memory, track } = connection;
  const tenantIs = eq(users.tenantId, sql.placeholder('tenantId'));
  const byId = track(orm.select().from(users).where(and(tenantIs, eq(users.id, sql.placeholder('id')))).prepare());
  const isNamed = and(tenantIs, eq(users.usernameKey, sql.placeholder('usernameKey')), isNull(users.deletedAtMs));
  const byName = track(orm.select().from(users).where(isNamed).prepare());

  /** Within a transaction. */
  function isNameTaken({ tenantId, id }: User, usernameKey: string): boolean {
    const others = and(eq(users.tenantId, tenantId), eq(users.usernameKey, usernameKey), isNull(users.deletedAtMs), ne(users.id, id));
    return orm.select({ id: users.id }).from(users).where(others).get() !== undefined;
  }

  return {
    findUser: (tenantId, id) =>
      guarded(() => {
        memory.refresh();
        const key = pairKey(tenantId, id);
        const known = memory.users.get(key);
        if (known !== undefined) return known;
        const row = byId.get({ tenantId, id });
        if (row === undefined) return null;
        const user = toUser(row);
        memory.users.set(key, user);
        return user;
      }),
    findUserByName: (tenantId, usernameKey) =>
      guarded(() => {
        const row = byName.get({ tenantId, usernameKey });
        return row === undefined ? null : toUser(row);
      }),
    listUsers: (tenantId) =>
      guarded(() => {
        const live = and(eq(users.tenantId, tenantId), isNull(users.deletedAtMs));
        return orm.select().from(users).where(live).orderBy(users.username).all().map(toUser);
      }),
    createUser: (user, usernameKey, events) =>
      writer.write((after) => {
        if (byId.get({ tenantId: user.tenantId, id: user.id }) !== undefined) return 'id_taken';
        if (isNameTaken(user, usernameKey)) return 'username_taken';
        orm.insert(users).values({ ...user, usernameKey }).run();
        append(events);
        after(() => memory.forget('users'));
        return 'created';
      }),
    updateUser: (expected, wanted, usernameKey, events) =>
      writer.write((after) => {
        const { tenantId, id } = expected;
        const current = byId.get({ tenantId, id });
        if (current === undefined || current.deletedAtMs !== null || !isDeepStrictEqual(toUser(current), expected)) return 'outdated';
        if (wanted.deletedAtMs === null && isNameTaken(expected, usernameKey)) return 'username_taken';
        // A cutoff never moves back.
        const notBeforeMs = Math.max(current.notBeforeMs, wanted.notBeforeMs);
        const own = and(eq(users.tenantId, tenantId), eq(users.id, id));
        orm.update(users).set({ ...wanted, tenantId, id, usernameKey, notBeforeMs }).where(own).run();
        append(events);
        after(() => memory.forget('users'));
        return 'updated';
      }),
  };
}

function toResource({ key: _key, ...resource }: typeof resources.$inferSelect): Resource {
  return resource;
}

function toUser({ usernameKey: _usernameKey, ...user }: typeof users.$inferSelect): User {
  return user;
}
