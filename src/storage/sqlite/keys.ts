import { and, eq, inArray, ne, or, sql } from 'drizzle-orm';
import { signingKeys } from './schema.ts';
import { guarded } from './failures.ts';
import type { AppendAudit } from './audit.ts';
import type { Connection } from './connection.ts';
import type { Store } from '../../core/store.ts';

/** A key that will never sign again has no private part. */
const WIPED = '';

type KeyPart = Pick<Store, 'listKeys' | 'addKey' | 'promoteKey' | 'revokeKey' | 'countSignedGrants'>;

/** Signing keys, private parts sealed. A unique index holds that one key per tenant signs. */
export function keyPart(connection: Connection, append: AppendAudit): KeyPart {
  const { db, orm, writer, memory, track } = connection;
  const ofTenant = track(
    orm
      .select()
      .from(signingKeys)
      .where(eq(signingKeys.tenantId, sql.placeholder('tenantId')))
      .orderBy(signingKeys.createdAtMs, signingKeys.kid)
      .prepare(),
  );
  const isKey = (tenantId: string, kid: string) => and(eq(signingKeys.tenantId, tenantId), eq(signingKeys.kid, kid));
  const kid = { kid: signingKeys.kid };

  // Asked for once in a while, so it is not prepared.
  const signedGrants = `
    WITH life AS (
      SELECT max(tenants.access_token_ttl_s, coalesce((SELECT max(access_token_ttl_s) FROM clients WHERE clients.tenant_id = ?1), 0)) AS longest
      FROM tenants WHERE tenants.id = ?1)
    SELECT life.longest AS longest, (
      SELECT count(*) FROM grants JOIN clients ON clients.tenant_id = grants.tenant_id AND clients.id = grants.client_id
      WHERE grants.tenant_id = ?1 AND grants.revoked_at_ms IS NULL AND grants.expires_at_ms > ?4 AND clients.token_format IS NOT 'opaque'
        AND (grants.created_at_ms BETWEEN max(?2, ?4 - life.longest * 1000) AND ?3
          OR EXISTS (SELECT 1 FROM refresh_tokens
            WHERE refresh_tokens.grant_id = grants.id AND refresh_tokens.issued_at_ms BETWEEN max(?2, ?4 - life.longest * 1000) AND ?3))
    ) AS grants FROM life`;

  return {
    countSignedGrants: (tenantId, fromMs, untilMs, nowMs) =>
      guarded(() => {
        const found = db.query<{ grants: number; longest: number }, [string, number, number, number]>(signedGrants).get(tenantId, fromMs, untilMs, nowMs);
        return { grants: found?.grants ?? 0, longestAccessTtl: found?.longest ?? 0 };
      }),

    listKeys: (tenantId) =>
      guarded(() => {
        memory.refresh();
        const known = memory.keys.get(tenantId);
        if (known !== undefined) return known;
        const rows = ofTenant.all({ tenantId });
        if (rows.length > 0) memory.keys.set(tenantId, rows);
        return rows;
      }),

    addKey: (key, events) =>
      writer.write((after) => {
        const rival = and(eq(signingKeys.tenantId, key.tenantId), eq(signingKeys.status, key.status), inArray(signingKeys.status, ['active', 'next']));
        if (orm.select(kid).from(signingKeys).where(or(rival, isKey(key.tenantId, key.kid))).get() !== undefined) return false;
        orm.insert(signingKeys).values(key).run();
        append(events);
        after(() => memory.forget('keys'));
        return true;
      }),

    promoteKey: ({ tenantId, expectedActive, formerStatus, nextKid, newNext, atMs }, events) =>
      writer.write((after) => {
        const isNext = and(isKey(tenantId, nextKid), eq(signingKeys.status, 'next'));
        if (orm.select(kid).from(signingKeys).where(isNext).get() === undefined) return false;
        const isActive = and(isKey(tenantId, expectedActive), eq(signingKeys.status, 'active'));
        const former = orm.update(signingKeys).set({ status: formerStatus, retiredAtMs: atMs, sealedPrivate: WIPED }).where(isActive).returning(kid).all();
        if (former.length === 0) return false;
        orm.update(signingKeys).set({ status: 'active', activatedAtMs: atMs }).where(isNext).run();
        orm.insert(signingKeys).values(newNext).run();
        append(events);
        after(() => memory.forget('keys'));
        return true;
      }),

    revokeKey: (tenantId, keyId, replacement, atMs, events) =>
      writer.write((after) => {
        const isIdle = and(isKey(tenantId, keyId), ne(signingKeys.status, 'active'), ne(signingKeys.status, 'revoked'));
        const revoked = orm.update(signingKeys).set({ status: 'revoked', retiredAtMs: atMs, sealedPrivate: WIPED }).where(isIdle).returning(kid).all();
        if (revoked.length === 0) return;
        if (replacement !== null) orm.insert(signingKeys).values(replacement).run();
        append(events);
        after(() => memory.forget('keys'));
      }),
  };
}
