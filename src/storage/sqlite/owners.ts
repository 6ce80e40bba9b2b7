import { isDeepStrictEqual } from 'node:util';
import { and, eq, sql } from 'drizzle-orm';
import { meta, resources } from './schema.ts';
import { guarded } from './failures.ts';
import { pairKey } from './memory.ts';
import type { AppendAudit } from './audit.ts';
import type { Connection } from './connection.ts';
import type { Resource } from '../../core/model.ts';
import type { Store } from '../../core/store.ts';

type ResourcePart = Pick<Store, 'findResource' | 'listResources' | 'createResource' | 'updateResource' | 'deleteResource'>;

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
    updateResource: (expected, wanted, key, events) =>
      writer.write((after) => {
        const { tenantId, uri, createdAtMs } = expected;
        const current = byKey.get({ tenantId, key });
        if (current === undefined || !isDeepStrictEqual(toResource(current), expected)) return 'outdated';
        const own = and(eq(resources.tenantId, tenantId), eq(resources.key, key));
        orm.update(resources).set({ ...wanted, tenantId, uri, createdAtMs }).where(own).run();
        append(events);
        after(() => memory.forget('resources'));
        return 'updated';
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

/** A resource as the model has it. */
export function toResource({ key: _key, ...resource }: typeof resources.$inferSelect): Resource {
  return resource;
}
