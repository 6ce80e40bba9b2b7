import { isDeepStrictEqual } from 'node:util';
import { and, eq, isNull, ne, sql } from 'drizzle-orm';
import { clientSecrets, signingKeys, tenants } from './schema.ts';
import { guarded } from './failures.ts';
import { passkeys, passwords, proofs, recoveryCodes, totp } from './schema-people.ts';
import { webhooks } from './schema-operations.ts';
import { defaultOperationsSettings } from '../../core/operations-settings.ts';
import { defaultPeopleSettings } from '../../core/people.ts';
import type { AppendAudit } from './audit.ts';
import type { Connection } from './connection.ts';
import type { Tenant } from '../../core/model.ts';
import type { Store } from '../../core/store.ts';

type TenantRow = typeof tenants.$inferSelect;
type TenantPart = Pick<Store, 'findTenant' | 'listTenants' | 'createTenant' | 'updateTenant' | 'deleteTenant'>;

/** Tenants and their tombstones. */
export function tenantPart(connection: Connection, append: AppendAudit): TenantPart {
  const { orm, writer, memory, track } = connection;
  const select = () => orm.select().from(tenants);
  const byId = track(select().where(eq(tenants.id, sql.placeholder('id'))).prepare());
  const byHost = track(select().where(eq(tenants.host, sql.placeholder('host'))).prepare());
  // The live one; else the tombstone that went last.
  const bySlug = track(
    select()
      .where(eq(tenants.slug, sql.placeholder('slug')))
      .orderBy(sql`coalesce(${tenants.deletedAtMs}, 9e15) DESC`)
      .limit(1)
      .prepare(),
  );

  const findTenant: TenantPart['findTenant'] = (by) =>
    guarded(() => {
      memory.refresh();
      const key = 'slug' in by ? `s${by.slug}` : 'id' in by ? `i${by.id}` : `h${by.host}`;
      const known = memory.tenants.get(key);
      if (known !== undefined) return known;
      const row = 'slug' in by ? bySlug.get(by) : 'id' in by ? byId.get(by) : byHost.get(by);
      if (row === undefined) return null;
      const tenant = toTenant(row);
      memory.tenants.set(key, tenant);
      return tenant;
    });

  /** Within a transaction. */
  function isHostTaken({ id, host }: Tenant): boolean {
    if (host === null) return false;
    const others = and(eq(tenants.host, host), ne(tenants.id, id));
    return orm.select({ id: tenants.id }).from(tenants).where(others).get() !== undefined;
  }

  /** Within a transaction: by a live tenant, or by a deleted one whose tokens may live (MTN-07). */
  function isSlugTaken({ slug, createdAtMs }: Tenant): boolean {
    const owners = orm.select().from(tenants).where(eq(tenants.slug, slug)).all();
    return owners.some((owner) => owner.deletedAtMs === null || (owner.slugHeldUntilMs ?? Infinity) >= createdAtMs);
  }

  return {
    findTenant,
    listTenants: () =>
      guarded(() => select().where(isNull(tenants.deletedAtMs)).orderBy(tenants.slug).all().map(toTenant)),

    createTenant: (tenant, keys, events) =>
      writer.write((after) => {
        if (isSlugTaken(tenant) || isHostTaken(tenant)) return false;
        orm.insert(tenants).values({ ...tenant, longestTtl: longestTtl(tenant) }).run();
        if (keys.length > 0) orm.insert(signingKeys).values([...keys]).run();
        append(events);
        after(() => {
          memory.forget('tenants');
          memory.forget('keys');
        });
        return true;
      }),

    updateTenant: (expected, wanted, events) =>
      writer.write((after) => {
        const { id } = expected;
        const current = byId.get({ id });
        if (current === undefined || current.deletedAtMs !== null || !isDeepStrictEqual(toTenant(current), expected)) return 'outdated';
        if (isHostTaken({ ...wanted, id })) return 'host_taken';
        // A cutoff never moves back, and what was issued for longer may still live.
        const notBeforeMs = Math.max(current.notBeforeMs, wanted.notBeforeMs);
        const longest = Math.max(current.longestTtl, longestTtl(wanted));
        orm.update(tenants).set({ ...wanted, id, notBeforeMs, longestTtl: longest }).where(eq(tenants.id, id)).run();
        append(events);
        after(() => memory.forget('tenants'));
        return 'updated';
      }),

    deleteTenant: (tenantId, atMs, events) =>
      writer.write((after) => {
        const tenant = byId.get({ id: tenantId });
        if (tenant === undefined || tenant.deletedAtMs !== null) return;
        const gone = {
          deletedAtMs: atMs, host: null, slugHeldUntilMs: atMs + tenant.longestTtl * 1000,
          notBeforeMs: Math.max(tenant.notBeforeMs, atMs),
        };
        orm.update(tenants).set(gone).where(eq(tenants.id, tenantId)).run();
        for (const table of [clientSecrets, passwords, passkeys, totp, recoveryCodes, proofs, webhooks]) {
          orm.delete(table).where(eq(table.tenantId, tenantId)).run();
        }
        orm.update(signingKeys).set({ sealedPrivate: '' }).where(eq(signingKeys.tenantId, tenantId)).run();
        append(events);
        after(() => {
          for (const table of ['tenants', 'clients', 'keys'] as const) memory.forget(table);
        });
      }),
  };
}

/** A tenant as the model has it. */
export function toTenant({ longestTtl: _longest, slugHeldUntilMs: _heldUntil, people, operations, ...tenant }: TenantRow): Tenant {
  return {
    ...tenant, people: { ...defaultPeopleSettings, ...people },
    operations: { ...defaultOperationsSettings, ...operations, limits: { ...defaultOperationsSettings.limits, ...operations.limits } },
  };
}

/** Seconds. */
function longestTtl({ accessTokenTtl, refreshTokenTtl }: Tenant): number {
  return Math.max(accessTokenTtl, refreshTokenTtl);
}
