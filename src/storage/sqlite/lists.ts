import { and, eq, gt, inArray, isNotNull, isNull, or, sql, type SQL } from 'drizzle-orm';
import { clients, clientSecrets, resources, tenants } from './schema.ts';
import { toSecret } from './clients.ts';
import { guarded } from './failures.ts';
import { toResource } from './owners.ts';
import { toTenant } from './tenants.ts';
import type { AnySQLiteColumn } from 'drizzle-orm/sqlite-core';
import type { Connection } from './connection.ts';
import type { Paged } from '../../core/paging.ts';
import type { Store } from '../../core/store.ts';

/**
 * A part of a list out of one row more than was asked for.
 * @param rows at most `limit` + 1, in the list's order @param cursor what the list is ordered by
 */
export function toPage<Row, T>(rows: readonly Row[], limit: number, cursor: (row: Row) => string, toItem: (row: Row) => T): Paged<T> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return { items: shown.map(toItem), next: rows.length > limit && last !== undefined ? cursor(last) : null };
}

/** Whether a column begins with text, whatever the case of its ASCII letters. For searching, never to tell who is who (TX-03). */
export function beginsWith(column: AnySQLiteColumn, text: string): SQL {
  return sql`instr(lower(${column}), lower(${text})) = 1`;
}

/** Parts of lists of what an operator sets up. */
export function listPart({ orm }: Connection): Pick<Store, 'pageTenants' | 'pageClients' | 'pageResources'> {
  return {
    pageTenants: ({ after, limit }, { search }) =>
      guarded(() => {
        const found = search === undefined ? undefined : or(beginsWith(tenants.slug, search), beginsWith(tenants.name, search));
        const where = and(isNull(tenants.deletedAtMs), after === null ? undefined : gt(tenants.slug, after), found);
        const rows = orm.select().from(tenants).where(where).orderBy(tenants.slug).limit(limit + 1).all();
        return toPage(rows, limit, ({ slug }) => slug, toTenant);
      }),

    pageClients: (tenantId, { after, limit }, { search, enabled }) =>
      guarded(() => {
        const found = search === undefined ? undefined : or(beginsWith(clients.id, search), beginsWith(clients.name, search));
        const state = enabled === undefined ? undefined : enabled ? isNull(clients.disabledAtMs) : isNotNull(clients.disabledAtMs);
        const where = and(eq(clients.tenantId, tenantId), isNull(clients.deletedAtMs), after === null ? undefined : gt(clients.id, after), found, state);
        const rows = orm.select().from(clients).where(where).orderBy(clients.id).limit(limit + 1).all();
        const ids = rows.map(({ id }) => id);
        const own = and(eq(clientSecrets.tenantId, tenantId), inArray(clientSecrets.clientId, ids));
        const secrets = Map.groupBy(
          ids.length === 0 ? [] : orm.select().from(clientSecrets).where(own).orderBy(clientSecrets.createdAtMs, clientSecrets.id).all(), ({ clientId }) => clientId,
        );
        return toPage(rows, limit, ({ id }) => id, (row) => ({ ...row, secrets: (secrets.get(row.id) ?? []).map(toSecret) }));
      }),

    pageResources: (tenantId, { after, limit }) =>
      guarded(() => {
        const where = and(eq(resources.tenantId, tenantId), after === null ? undefined : gt(resources.key, after));
        const rows = orm.select().from(resources).where(where).orderBy(resources.key).limit(limit + 1).all();
        return toPage(rows, limit, ({ key }) => key, toResource);
      }),
  };
}
