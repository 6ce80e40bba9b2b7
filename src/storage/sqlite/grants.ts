import { guarded } from './failures.ts';
import { parseJson } from './columns.ts';
import type { AppendAudit } from './audit.ts';
import type { NoteVisit } from './browser-sessions.ts';
import type { Connection } from './connection.ts';
import type { Endings } from './endings.ts';
import type { Openings } from './openings.ts';
import type { Grant, RefreshToken } from '../../core/model.ts';
import type { SessionTimes } from '../../core/session.ts';
import type { Store } from '../../core/store.ts';

type GrantPart = Pick<
  Store,
  'findSession' | 'findRefreshToken' | 'openGrant' | 'rotateRefresh' | 'addAccess' | 'revokeGrant' | 'listGrants'
>;

/** A grant's row as it is read; lists as JSON text. */
export type GrantRow = Omit<Grant, 'scopes' | 'audience' | 'amr' | 'offline'> & {
  readonly scopes: string;
  readonly audience: string;
  readonly amr: string;
  readonly offline: number;
};
/** A refresh token's row with its grant's, whether its successor was spent, and its session's if it ends with a browser's. */
type FamilyRow = Omit<GrantRow, 'expiresAtMs'> & {
  readonly grantExpiresAtMs: number;
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
  readonly usedAtMs: number | null;
  readonly successorDigest: string | null;
  readonly successorSealed: string | null;
  readonly requestDigest: string | null;
  readonly successorUsed: number;
  readonly lastSeenAtMs: number | null;
  readonly sessionExpiresAtMs: number | null;
};

/** Columns of a grant's row but its end, of a table called `held`. */
export const grantColumns = `held.id, held.tenant_id AS tenantId, held.client_id AS clientId, held.user_id AS userId,
    held.session_id AS sessionId, held.org_id AS orgId, held.scopes, held.audience, held.offline, held.auth_time_s AS authTime,
    held.acr, held.amr, held.created_at_ms AS createdAtMs, held.revoked_at_ms AS revokedAtMs`;

/** Grants, their sessions and refresh families. */
export function grantPart(connection: Connection, append: AppendAudit, openings: Openings, endings: Endings, noteVisit: NoteVisit): GrantPart {
  const { writer, memory, prepare } = connection;
  const family = prepare<FamilyRow, [digest: string]>(`
    SELECT token.issued_at_ms AS issuedAtMs, token.expires_at_ms AS expiresAtMs, token.used_at_ms AS usedAtMs,
      token.successor_digest AS successorDigest, token.successor_sealed AS successorSealed, token.request_digest AS requestDigest,
      successor.used_at_ms IS NOT NULL AS successorUsed, visited.last_seen_ms AS lastSeenAtMs, visited.expires_at_ms AS sessionExpiresAtMs,
      held.expires_at_ms AS grantExpiresAtMs, ${grantColumns}
    FROM refresh_tokens AS token
    JOIN grants AS held ON held.id = token.grant_id
    LEFT JOIN refresh_tokens AS successor ON successor.digest = token.successor_digest
    LEFT JOIN sessions AS visited ON visited.tenant_id = held.tenant_id AND visited.id = held.session_id AND held.offline = 0
    WHERE token.digest = ?`);
  const ofUser = prepare<GrantRow & { readonly lastUsedAtMs: number | null }, [tenantId: string, userId: string, nowMs: number]>(`
    SELECT ${grantColumns}, held.expires_at_ms AS expiresAtMs,
      (SELECT max(issued_at_ms) FROM refresh_tokens WHERE refresh_tokens.grant_id = held.id) AS lastUsedAtMs
    FROM grants AS held
    WHERE held.tenant_id = ? AND held.user_id = ? AND held.revoked_at_ms IS NULL AND held.expires_at_ms > ?
    ORDER BY held.created_at_ms DESC, held.id`);
  // Compare and set: of two that spend the same token, one finds no row (OP-03, TRT-13).
  const spend = prepare<{ grantId: string }, [usedAtMs: number, successor: string, sealed: string, request: string, digest: string]>(`
    UPDATE refresh_tokens SET used_at_ms = ?, successor_digest = ?, successor_sealed = ?, request_digest = ?
    WHERE digest = ? AND used_at_ms IS NULL
      AND EXISTS (SELECT 1 FROM grants WHERE grants.id = refresh_tokens.grant_id AND grants.revoked_at_ms IS NULL)
    RETURNING grant_id AS grantId`);
  const liveGrant = prepare<{ tenantId: string }, [id: string]>(
    'SELECT tenant_id AS tenantId FROM grants WHERE id = ? AND revoked_at_ms IS NULL',
  );
  const sessionOf = prepare<{ sessionId: string | null }, [id: string, tenantId: string]>(
    'SELECT session_id AS sessionId FROM grants WHERE id = ? AND tenant_id = ?',
  );
  const countRefresh = prepare<{ count: number }, [grantId: string, atMs: number]>(
    'SELECT count(*) AS count FROM refresh_tokens WHERE grant_id = ? AND used_at_ms IS NULL AND expires_at_ms > ?',
  );
  const countOpaque = prepare<{ count: number }, [grantId: string, atMs: number]>(
    'SELECT count(*) AS count FROM opaque_tokens WHERE grant_id = ? AND revoked_at_ms IS NULL AND keep_until_ms > ?',
  );

  function countLive(grantId: string, atMs: number): number {
    return (countRefresh.get(grantId, atMs)?.count ?? 0) + (countOpaque.get(grantId, atMs)?.count ?? 0);
  }

  return {
    findSession: (tenantId, id) => guarded(() => openings.findSession(tenantId, id)),

    findRefreshToken: (digest) =>
      guarded(() => {
        const row = family.get(digest);
        if (row === null) return null;
        return { token: toRefreshToken(digest, row), grant: toGrant({ ...row, expiresAtMs: row.grantExpiresAtMs }), session: toTimes(row) };
      }),

    listGrants: (tenantId, userId, nowMs) =>
      guarded(() => ofUser.all(tenantId, userId, nowMs).map((row) => ({ grant: toGrant(row), lastUsedAtMs: row.lastUsedAtMs }))),

    openGrant: (opening, events) =>
      writer.write((after) => {
        if (!openings.open(opening, after)) return 'session_unusable';
        append(events);
        return 'opened';
      }),

    rotateRefresh: ({ digest, use, successor, access, visit = null }, events) =>
      writer.write((after) => {
        const spent = spend.get(use.usedAtMs, use.successorDigest, use.successorSealed, use.requestDigest, digest);
        if (spent === null) return false;
        openings.addRefresh(successor, spent.grantId);
        openings.addAccess(spent.grantId, access);
        if (visit !== null) noteVisit(successor.tenantId, visit.sessionId, visit.atMs);
        append(events);
        after(memory.tokenEnded);
        return true;
      }),

    addAccess: (grantId, access, events, visit = null) =>
      writer.write(() => {
        const live = liveGrant.get(grantId);
        if (live === null) return false;
        openings.addAccess(grantId, access);
        if (visit !== null) noteVisit(live.tenantId, visit.sessionId, visit.atMs);
        append(events);
        return true;
      }),

    revokeGrant: ({ tenantId, grantId, session: withSession, atMs }, audit) =>
      writer.write((after) => {
        const sessionId = withSession ? (sessionOf.get(grantId, tenantId)?.sessionId ?? null) : null;
        const first = endings.endGrant({ tenantId, grantId, atMs, told: sessionId === null }, after);
        const fell = first ? [grantId] : [];
        if (sessionId !== null) fell.push(...endings.endSession({ tenantId, sessionId, atMs }, after).fell);
        let fallen = 0;
        for (const id of fell) fallen += countLive(id, atMs);
        append(audit(first, fallen));
        return first;
      }),
  };
}

function toRefreshToken(digest: string, row: FamilyRow): RefreshToken {
  const { usedAtMs, successorDigest, requestDigest } = row;
  const isSpent = usedAtMs !== null && successorDigest !== null && requestDigest !== null;
  return {
    digest, tenantId: row.tenantId, grantId: row.id, issuedAtMs: row.issuedAtMs, expiresAtMs: row.expiresAtMs,
    // The sealed successor goes once no grace lasts any more; the rest stays, so that reuse is noticed.
    use: isSpent
      ? { usedAtMs, successorDigest, successorSealed: row.successorSealed ?? '', requestDigest, successorUsed: row.successorUsed === 1 }
      : null,
  };
}

/** null: an operator's session, or none; such a grant ends by its own time. */
function toTimes({ lastSeenAtMs, sessionExpiresAtMs: expiresAtMs }: FamilyRow): SessionTimes | null {
  return lastSeenAtMs === null || expiresAtMs === null ? null : { lastSeenAtMs, expiresAtMs };
}

/** A grant as the model has it. */
export function toGrant(row: GrantRow): Grant {
  return {
    id: row.id, tenantId: row.tenantId, clientId: row.clientId, userId: row.userId, sessionId: row.sessionId, orgId: row.orgId,
    scopes: parseJson(row.scopes), audience: parseJson(row.audience), offline: row.offline === 1, authTime: row.authTime, acr: row.acr,
    amr: parseJson(row.amr), createdAtMs: row.createdAtMs, expiresAtMs: row.expiresAtMs, revokedAtMs: row.revokedAtMs,
  };
}
