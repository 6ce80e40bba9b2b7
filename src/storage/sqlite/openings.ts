import { pairKey } from './memory.ts';
import type { Connection } from './connection.ts';
import type { InsertOpaque } from './tokens.ts';
import type { AfterCommit } from './writer.ts';
import type { Grant, RefreshToken, Session } from '../../core/model.ts';
import type { NewAccess } from '../../core/store.ts';

type Text = string | null;

/** How grants and their tokens come to be, each step within the running transaction. */
export type Openings = {
  readonly findSession: (tenantId: string, id: string) => Session | null;
  /** Whether a grant may be opened in a session that exists. */
  readonly isUsable: (tenantId: string, sessionId: string, userId: string) => boolean;
  /** Opens a grant; makes its session when it is new. False: the session ended or is another user's, and nothing was written. */
  readonly open: (
    opening: { readonly session: Session | null; readonly grant: Grant; readonly refresh: RefreshToken | null; readonly access: NewAccess },
    after: AfterCommit,
  ) => boolean;
  /** Stores a refresh token of a grant; the grant's row must outlive it. */
  readonly addRefresh: (token: RefreshToken, grantId: string) => void;
  /** Stores a new access token of a grant, whose row must outlive it. */
  readonly addAccess: (grantId: string, access: NewAccess) => void;
};

/** Prepares what opens grants. */
export function prepareOpenings({ memory, prepare }: Connection, insertOpaque: InsertOpaque): Openings {
  const session = prepare<Session, [tenantId: string, id: string]>(`
    SELECT id, tenant_id AS tenantId, user_id AS userId, created_at_ms AS createdAtMs, ended_at_ms AS endedAtMs
    FROM sessions WHERE tenant_id = ? AND id = ?`);
  const insertSession = prepare<never, [string, string, string, number, number | null]>(
    'INSERT INTO sessions (tenant_id, id, user_id, created_at_ms, ended_at_ms) VALUES (?, ?, ?, ?, ?)',
  );
  const insertGrant = prepare<
    never,
    [string, string, string, string, Text, Text, string, string, boolean, number | null, Text, string, number, number, number | null, number]
  >(`
    INSERT INTO grants
      (id, tenant_id, client_id, user_id, session_id, org_id, scopes, audience, offline, auth_time_s, acr, amr, created_at_ms,
       expires_at_ms, revoked_at_ms, keep_until_ms)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  const insertRefresh = prepare<never, [string, string, string, number, number]>(
    'INSERT INTO refresh_tokens (digest, tenant_id, grant_id, issued_at_ms, expires_at_ms) VALUES (?, ?, ?, ?, ?)',
  );
  const keep = prepare<never, [untilMs: number, id: string, untilMs: number]>(
    'UPDATE grants SET keep_until_ms = ? WHERE id = ? AND keep_until_ms < ?',
  );

  const addRefresh: Openings['addRefresh'] = ({ digest, tenantId, issuedAtMs, expiresAtMs }, grantId) => {
    insertRefresh.run(digest, tenantId, grantId, issuedAtMs, expiresAtMs);
    keep.run(expiresAtMs, grantId, expiresAtMs);
  };

  const addAccess: Openings['addAccess'] = (grantId, { opaque, expiresAt }) => {
    const untilMs = expiresAt * 1000;
    keep.run(untilMs, grantId, untilMs);
    if (opaque !== null) insertOpaque(opaque, untilMs);
  };

  const isUsable: Openings['isUsable'] = (tenantId, sessionId, userId) => {
    const existing = session.get(tenantId, sessionId);
    return existing !== null && existing.endedAtMs === null && existing.userId === userId;
  };

  /** Whether a grant may be opened in the session; makes it when it is new. */
  function enterSession(opened: Session | null, grant: Grant): boolean {
    if (grant.sessionId === null) return true;
    if (session.get(grant.tenantId, grant.sessionId) !== null) return isUsable(grant.tenantId, grant.sessionId, grant.userId);
    if (opened === null || opened.userId !== grant.userId) return false;
    insertSession.run(grant.tenantId, opened.id, opened.userId, opened.createdAtMs, opened.endedAtMs);
    return true;
  }

  return {
    findSession: (tenantId, id) => session.get(tenantId, id),
    isUsable,
    open: ({ session: opened, grant, refresh, access }, after) => {
      if (!enterSession(opened, grant)) return false;
      const keepUntilMs = Math.max(refresh?.expiresAtMs ?? 0, access.expiresAt * 1000);
      insertGrant.run(
        grant.id, grant.tenantId, grant.clientId, grant.userId, grant.sessionId, grant.orgId, JSON.stringify(grant.scopes),
        JSON.stringify(grant.audience), grant.offline, grant.authTime, grant.acr, JSON.stringify(grant.amr), grant.createdAtMs,
        grant.expiresAtMs, grant.revokedAtMs, keepUntilMs,
      );
      if (refresh !== null) addRefresh(refresh, grant.id);
      addAccess(grant.id, access);
      after(() => memory.grants.delete(pairKey(grant.tenantId, grant.id)));
      return true;
    },
    addRefresh,
    addAccess,
  };
}
