import { guarded } from './failures.ts';
import { parseJson } from './columns.ts';
import { pairKey } from './memory.ts';
import type { AppendAudit } from './audit.ts';
import type { Connection } from './connection.ts';
import type { InsertOpaque } from './tokens.ts';
import type { Grant, RefreshToken, Session } from '../../core/model.ts';
import type { NewAccess, Store } from '../../core/store.ts';

type GrantPart = Pick<
  Store,
  'findSession' | 'findRefreshToken' | 'openGrant' | 'rotateRefresh' | 'addAccess' | 'revokeGrant'
>;

/** A refresh token's row with its grant's, and whether its successor was spent. */
type FamilyRow = Omit<RefreshToken, 'digest' | 'tenantId' | 'use'> & Omit<Grant, 'id' | 'scopes' | 'audience' | 'offline' | 'expiresAtMs'> & {
  readonly scopes: string;
  readonly audience: string;
  readonly offline: number;
  readonly grantExpiresAtMs: number;
  readonly usedAtMs: number | null;
  readonly successorDigest: string | null;
  readonly successorSealed: string | null;
  readonly requestDigest: string | null;
  readonly successorUsed: number;
};
type Text = string | null;

/** Grants, their sessions and refresh families. */
export function grantPart(connection: Connection, append: AppendAudit, insertOpaque: InsertOpaque): GrantPart {
  const { writer, memory, prepare } = connection;

  const session = prepare<Session, [tenantId: string, id: string]>(`
    SELECT id, tenant_id AS tenantId, user_id AS userId, created_at_ms AS createdAtMs, ended_at_ms AS endedAtMs
    FROM sessions WHERE tenant_id = ? AND id = ?`);
  const family = prepare<FamilyRow, [digest: string]>(`
    SELECT token.grant_id AS grantId, token.issued_at_ms AS issuedAtMs, token.expires_at_ms AS expiresAtMs,
      token.used_at_ms AS usedAtMs, token.successor_digest AS successorDigest, token.successor_sealed AS successorSealed,
      token.request_digest AS requestDigest, successor.used_at_ms IS NOT NULL AS successorUsed,
      held.tenant_id AS tenantId, held.client_id AS clientId, held.user_id AS userId, held.session_id AS sessionId,
      held.org_id AS orgId, held.scopes, held.audience, held.offline, held.auth_time_s AS authTime, held.acr,
      held.created_at_ms AS createdAtMs, held.expires_at_ms AS grantExpiresAtMs, held.revoked_at_ms AS revokedAtMs
    FROM refresh_tokens AS token
    JOIN grants AS held ON held.id = token.grant_id
    LEFT JOIN refresh_tokens AS successor ON successor.digest = token.successor_digest
    WHERE token.digest = ?`);

  const insertSession = prepare<never, [string, string, string, number, number | null]>(
    'INSERT INTO sessions (tenant_id, id, user_id, created_at_ms, ended_at_ms) VALUES (?, ?, ?, ?, ?)',
  );
  const insertGrant = prepare<
    never,
    [string, string, string, string, Text, Text, string, string, boolean, number | null, Text, number, number, number | null, number]
  >(`
    INSERT INTO grants
      (id, tenant_id, client_id, user_id, session_id, org_id, scopes, audience, offline, auth_time_s, acr, created_at_ms,
       expires_at_ms, revoked_at_ms, keep_until_ms)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  const insertRefresh = prepare<never, [string, string, string, number, number]>(
    'INSERT INTO refresh_tokens (digest, tenant_id, grant_id, issued_at_ms, expires_at_ms) VALUES (?, ?, ?, ?, ?)',
  );
  // Compare and set: of two that spend the same token, one finds no row (OP-03, TRT-13).
  const spend = prepare<{ grantId: string }, [usedAtMs: number, successor: string, sealed: string, request: string, digest: string]>(`
    UPDATE refresh_tokens SET used_at_ms = ?, successor_digest = ?, successor_sealed = ?, request_digest = ?
    WHERE digest = ? AND used_at_ms IS NULL
      AND EXISTS (SELECT 1 FROM grants WHERE grants.id = refresh_tokens.grant_id AND grants.revoked_at_ms IS NULL)
    RETURNING grant_id AS grantId`);
  const liveGrant = prepare<{ tenantId: string }, [id: string]>(
    'SELECT tenant_id AS tenantId FROM grants WHERE id = ? AND revoked_at_ms IS NULL',
  );
  const keep = prepare<never, [untilMs: number, id: string, untilMs: number]>(
    'UPDATE grants SET keep_until_ms = ? WHERE id = ? AND keep_until_ms < ?',
  );

  const revokeOne = prepare<{ id: string }, [atMs: number, id: string, tenantId: string]>(
    'UPDATE grants SET revoked_at_ms = ? WHERE id = ? AND tenant_id = ? AND revoked_at_ms IS NULL RETURNING id',
  );
  const sessionOf = prepare<{ sessionId: Text }, [id: string, tenantId: string]>(
    'SELECT session_id AS sessionId FROM grants WHERE id = ? AND tenant_id = ?',
  );
  const endSession = prepare<never, [atMs: number, tenantId: string, id: string]>(
    'UPDATE sessions SET ended_at_ms = ? WHERE tenant_id = ? AND id = ? AND ended_at_ms IS NULL',
  );
  const revokeOfSession = prepare<{ id: string }, [atMs: number, tenantId: string, sessionId: string]>(`
    UPDATE grants SET revoked_at_ms = ?
    WHERE tenant_id = ? AND session_id = ? AND offline = 0 AND revoked_at_ms IS NULL RETURNING id`);
  const countRefresh = prepare<{ count: number }, [grantId: string, atMs: number]>(
    'SELECT count(*) AS count FROM refresh_tokens WHERE grant_id = ? AND used_at_ms IS NULL AND expires_at_ms > ?',
  );
  const countOpaque = prepare<{ count: number }, [grantId: string, atMs: number]>(
    'SELECT count(*) AS count FROM opaque_tokens WHERE grant_id = ? AND revoked_at_ms IS NULL AND keep_until_ms > ?',
  );

  /** Within a transaction: a new access token of a grant, whose row must outlive it. */
  function store(grantId: string, { opaque, expiresAt }: NewAccess): void {
    const untilMs = expiresAt * 1000;
    keep.run(untilMs, grantId, untilMs);
    if (opaque !== null) insertOpaque(opaque, untilMs);
  }

  /** Within a transaction: whether a grant may be opened in the session; makes it when it is new. */
  function enterSession(opened: Session | null, grant: Grant): boolean {
    if (grant.sessionId === null) return true;
    const existing = session.get(grant.tenantId, grant.sessionId);
    if (existing !== null) return existing.endedAtMs === null && existing.userId === grant.userId;
    if (opened === null || opened.userId !== grant.userId) return false;
    insertSession.run(grant.tenantId, opened.id, opened.userId, opened.createdAtMs, opened.endedAtMs);
    return true;
  }

  function countLive(grantId: string, atMs: number): number {
    return (countRefresh.get(grantId, atMs)?.count ?? 0) + (countOpaque.get(grantId, atMs)?.count ?? 0);
  }

  return {
    findSession: (tenantId, id) => guarded(() => session.get(tenantId, id)),

    findRefreshToken: (digest) =>
      guarded(() => {
        const row = family.get(digest);
        return row === null ? null : { token: toRefreshToken(digest, row), grant: toGrant(row) };
      }),

    openGrant: ({ session: opened, grant, refresh, access }, events) =>
      writer.write((after) => {
        if (!enterSession(opened, grant)) return 'session_unusable';
        const keepUntilMs = Math.max(refresh?.expiresAtMs ?? 0, access.expiresAt * 1000);
        insertGrant.run(
          grant.id, grant.tenantId, grant.clientId, grant.userId, grant.sessionId, grant.orgId, JSON.stringify(grant.scopes),
          JSON.stringify(grant.audience), grant.offline, grant.authTime, grant.acr, grant.createdAtMs, grant.expiresAtMs,
          grant.revokedAtMs, keepUntilMs,
        );
        if (refresh !== null) insertRefresh.run(refresh.digest, refresh.tenantId, grant.id, refresh.issuedAtMs, refresh.expiresAtMs);
        store(grant.id, access);
        append(events);
        after(() => memory.grants.delete(pairKey(grant.tenantId, grant.id)));
        return 'opened';
      }),

    rotateRefresh: ({ digest, use, successor, access }, events) =>
      writer.write((after) => {
        const spent = spend.get(use.usedAtMs, use.successorDigest, use.successorSealed, use.requestDigest, digest);
        if (spent === null) return false;
        insertRefresh.run(successor.digest, successor.tenantId, spent.grantId, successor.issuedAtMs, successor.expiresAtMs);
        keep.run(successor.expiresAtMs, spent.grantId, successor.expiresAtMs);
        store(spent.grantId, access);
        append(events);
        after(memory.tokenEnded);
        return true;
      }),

    addAccess: (grantId, access, events) =>
      writer.write(() => {
        if (liveGrant.get(grantId) === null) return false;
        store(grantId, access);
        append(events);
        return true;
      }),

    revokeGrant: ({ tenantId, grantId, session: withSession, atMs }, audit) =>
      writer.write((after) => {
        const first = revokeOne.get(atMs, grantId, tenantId) !== null;
        const fell = first ? [grantId] : [];
        const sessionId = withSession ? (sessionOf.get(grantId, tenantId)?.sessionId ?? null) : null;
        if (sessionId !== null) {
          endSession.run(atMs, tenantId, sessionId);
          for (const { id } of revokeOfSession.all(atMs, tenantId, sessionId)) fell.push(id);
        }
        let fallen = 0;
        for (const id of fell) fallen += countLive(id, atMs);
        append(audit(first, fallen));
        after(() => {
          for (const id of fell) memory.grants.delete(pairKey(tenantId, id));
          memory.tokenEnded();
        });
        return first;
      }),
  };
}

function toRefreshToken(digest: string, row: FamilyRow): RefreshToken {
  const { usedAtMs, successorDigest, requestDigest } = row;
  const isSpent = usedAtMs !== null && successorDigest !== null && requestDigest !== null;
  return {
    digest, tenantId: row.tenantId, grantId: row.grantId, issuedAtMs: row.issuedAtMs, expiresAtMs: row.expiresAtMs,
    // The sealed successor goes once no grace lasts any more; the rest stays, so that reuse is noticed.
    use: isSpent
      ? { usedAtMs, successorDigest, successorSealed: row.successorSealed ?? '', requestDigest, successorUsed: row.successorUsed === 1 }
      : null,
  };
}

function toGrant(row: FamilyRow): Grant {
  return {
    id: row.grantId, tenantId: row.tenantId, clientId: row.clientId, userId: row.userId, sessionId: row.sessionId,
    orgId: row.orgId, scopes: parseJson(row.scopes), audience: parseJson(row.audience), offline: row.offline === 1,
    authTime: row.authTime, acr: row.acr, createdAtMs: row.createdAtMs, expiresAtMs: row.grantExpiresAtMs,
    revokedAtMs: row.revokedAtMs,
  };
}
