import { isDeepStrictEqual } from 'node:util';
import { and, eq, isNull, lt, sql } from 'drizzle-orm';
import { clients, clientSecrets, resources, tenants } from './schema.ts';
import { codes, consents, outbox } from './schema-people.ts';
import { guarded } from './failures.ts';
import { pairKey } from './memory.ts';
import type { AppendAudit } from './audit.ts';
import type { Connection } from './connection.ts';
import type { Client, ClientSecret } from '../../core/model.ts';
import type { Store } from '../../core/store.ts';

type ClientPart = Pick<Store, 'findClient' | 'listClients' | 'createClient' | 'updateClient' | 'rotateSecret'>;

/** Clients, their tombstones and their secrets. */
export function clientPart(connection: Connection, append: AppendAudit): ClientPart {
  const { orm, writer, memory, track } = connection;
  const byId = track(
    orm
      .select()
      .from(clients)
      .where(and(eq(clients.tenantId, sql.placeholder('tenantId')), eq(clients.id, sql.placeholder('id'))))
      .prepare(),
  );
  const secretsOf = track(
    orm
      .select()
      .from(clientSecrets)
      .where(and(eq(clientSecrets.tenantId, sql.placeholder('tenantId')), eq(clientSecrets.clientId, sql.placeholder('id'))))
      .orderBy(clientSecrets.createdAtMs, clientSecrets.id)
      .prepare(),
  );

  function load(tenantId: string, id: string): Client | null {
    const row = byId.get({ tenantId, id });
    if (row === undefined) return null;
    return { ...row, secrets: secretsOf.all({ tenantId, id }).map(toSecret) };
  }

  /** Within a transaction. */
  function addSecrets(tenantId: string, clientId: string, secrets: readonly ClientSecret[]): void {
    if (secrets.length === 0) return;
    orm.insert(clientSecrets).values(secrets.map((secret) => ({ tenantId, clientId, ...secret }))).run();
  }

  /** Within a transaction: takes from an id what a later bearer of it must not inherit. */
  function strip(tenantId: string, clientId: string): void {
    orm.delete(clientSecrets).where(and(eq(clientSecrets.tenantId, tenantId), eq(clientSecrets.clientId, clientId))).run();
    const owned = and(eq(resources.tenantId, tenantId), eq(resources.ownerClientId, clientId));
    orm.update(resources).set({ ownerClientId: null }).where(owned).run();
    orm.delete(consents).where(and(eq(consents.tenantId, tenantId), eq(consents.clientId, clientId))).run();
    orm.delete(codes).where(and(eq(codes.tenantId, tenantId), eq(codes.clientId, clientId), isNull(codes.usedAtMs))).run();
    const untold = and(eq(outbox.tenantId, tenantId), eq(outbox.target, clientId), eq(outbox.kind, 'logout'), isNull(outbox.doneAtMs));
    orm.delete(outbox).where(untold).run();
  }

  function forgetStripped(): void {
    memory.forget('clients');
    memory.forget('resources');
  }

  /** Within a transaction: the tenant notes lifetimes beyond its own, for when it is deleted (MTN-07). */
  function noteLifetimes({ tenantId, accessTokenTtl, refreshTokenTtl }: Pick<Client, 'tenantId' | 'accessTokenTtl' | 'refreshTokenTtl'>): void {
    const longest = Math.max(accessTokenTtl ?? 0, refreshTokenTtl ?? 0);
    const shorter = and(eq(tenants.id, tenantId), lt(tenants.longestTtl, longest));
    orm.update(tenants).set({ longestTtl: longest }).where(shorter).run();
  }

  const isClient = (tenantId: string, id: string) => and(eq(clients.tenantId, tenantId), eq(clients.id, id));

  return {
    findClient: (tenantId, id) =>
      guarded(() => {
        memory.refresh();
        const key = pairKey(tenantId, id);
        const known = memory.clients.get(key);
        if (known !== undefined) return known;
        const client = load(tenantId, id);
        if (client !== null) memory.clients.set(key, client);
        return client;
      }),

    listClients: (tenantId) =>
      guarded(() => {
        const live = and(eq(clients.tenantId, tenantId), isNull(clients.deletedAtMs));
        const rows = orm.select().from(clients).where(live).orderBy(clients.id).all();
        const all = orm.select().from(clientSecrets).where(eq(clientSecrets.tenantId, tenantId)).orderBy(clientSecrets.createdAtMs, clientSecrets.id).all();
        const secrets = Map.groupBy(all, ({ clientId }) => clientId);
        return rows.map((row) => ({ ...row, secrets: (secrets.get(row.id) ?? []).map(toSecret) }));
      }),

    createClient: ({ secrets, ...client }, events) =>
      writer.write((after) => {
        const former = byId.get({ tenantId: client.tenantId, id: client.id });
        if (former !== undefined && former.deletedAtMs === null) return false;
        if (former === undefined) {
          orm.insert(clients).values(client).run();
        } else {
          // Tokens of the former bearer of the id stay dead.
          const notBeforeMs = Math.max(client.notBeforeMs, former.notBeforeMs, former.deletedAtMs ?? 0);
          strip(client.tenantId, client.id);
          orm.update(clients).set({ ...client, notBeforeMs }).where(isClient(client.tenantId, client.id)).run();
        }
        addSecrets(client.tenantId, client.id, secrets);
        noteLifetimes(client);
        append(events);
        after(forgetStripped);
        return true;
      }),

    updateClient: ({ secrets: _former, ...expected }, { secrets: _secrets, ...wanted }, events) =>
      writer.write((after) => {
        const { tenantId, id } = expected;
        const current = byId.get({ tenantId, id });
        if (current === undefined || current.deletedAtMs !== null || !isDeepStrictEqual(current, expected)) return 'outdated';
        // A cutoff never moves back.
        const notBeforeMs = Math.max(current.notBeforeMs, wanted.notBeforeMs);
        orm.update(clients).set({ ...wanted, tenantId, id, notBeforeMs }).where(isClient(tenantId, id)).run();
        if (wanted.deletedAtMs !== null) strip(tenantId, id);
        noteLifetimes({ ...wanted, tenantId });
        append(events);
        after(wanted.deletedAtMs === null ? () => memory.forget('clients') : forgetStripped);
        return 'updated';
      }),

    rotateSecret: (tenantId, clientId, secret, othersEndMs, events) =>
      writer.write((after) => {
        const client = byId.get({ tenantId, id: clientId });
        // Somebody is about to be handed a secret; it must not be one that cannot work.
        if (client === undefined || client.deletedAtMs !== null) throw new Error(`there is no client ${clientId}`);
        const own = and(eq(clientSecrets.tenantId, tenantId), eq(clientSecrets.clientId, clientId));
        const end = sql`min(coalesce(${clientSecrets.expiresAtMs}, ${othersEndMs}), ${othersEndMs})`;
        orm.update(clientSecrets).set({ expiresAtMs: end }).where(own).run();
        addSecrets(tenantId, clientId, [secret]);
        append(events);
        after(() => memory.forget('clients'));
      }),
  };
}

/** A secret as the model has it. */
export function toSecret({ tenantId: _tenant, clientId: _client, ...secret }: typeof clientSecrets.$inferSelect): ClientSecret {
  return secret;
}
