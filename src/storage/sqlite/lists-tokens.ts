import { guarded } from './failures.ts';
import { grantColumns, toGrant, type GrantRow } from './grants.ts';
import { sessionColumns, toSession, type SessionRow } from './browser-sessions.ts';
import { LAST, pageOf, type Walk } from './keyset.ts';
import { opaqueColumns, toOpaqueToken, type OpaqueRow } from './tokens.ts';
import type { Connection } from './connection.ts';
import type { Store } from '../../core/store.ts';

type Key = string | number;
type Text = string | null;
type ListedGrantRow = GrantRow & { readonly lastUsedAtMs: number | null };
type ListedTokenRow = OpaqueRow & { readonly digest: string };

/** Parts of lists of what people and clients may do just now. */
export function tokenListPart(connection: Connection): Pick<Store, 'pageGrants' | 'findGrant' | 'pageSessions' | 'pageOpaqueTokens'> {
  const grants = prepareGrants(connection);
  const sessions = prepareSessions(connection);
  const tokens = prepareTokens(connection);
  const byId = connection.prepare<GrantRow, [tenantId: string, id: string]>(
    `SELECT ${grantColumns}, held.expires_at_ms AS expiresAtMs FROM grants AS held WHERE held.tenant_id = ? AND held.id = ?`,
  );
  const clientsOf = connection.prepare<{ clientId: string }, [tenantId: string, sessionId: string]>(`
    SELECT DISTINCT client_id AS clientId FROM grants INDEXED BY grants_session
    WHERE tenant_id = ? AND session_id = ? AND session_id IS NOT NULL AND revoked_at_ms IS NULL ORDER BY client_id`);
  return {
    pageGrants: (tenantId, page, filter, nowMs) =>
      guarded(() => pageOf([grants(tenantId, filter, nowMs)], page, (row) => ({ grant: toGrant(row), lastUsedAtMs: row.lastUsedAtMs }))),
    findGrant: (tenantId, id) =>
      guarded(() => {
        const row = byId.get(tenantId, id);
        return row === null ? null : toGrant(row);
      }),
    pageSessions: (tenantId, page, filter, nowMs) =>
      guarded(() => pageOf([sessions(tenantId, filter, nowMs)], page, (row) => ({
        session: toSession(row), clientIds: clientsOf.all(tenantId, row.id).map(({ clientId }) => clientId),
      }))),
    pageOpaqueTokens: (tenantId, page, filter, nowMs) =>
      guarded(() => pageOf([tokens(tenantId, filter, nowMs)], page, ({ digest, ...row }) => toOpaqueToken(digest, row))),
  };
}

/** Grants' ids begin with the time of their opening: who reads them backwards has the newest first. */
function prepareGrants({ prepare }: Connection): (tenantId: string, filter: Parameters<Store['pageGrants']>[2], nowMs: number) => Walk<ListedGrantRow> {
  const select = (index: string, which: string, order: string): string => `
    SELECT ${grantColumns}, held.expires_at_ms AS expiresAtMs,
      (SELECT max(issued_at_ms) FROM refresh_tokens WHERE refresh_tokens.grant_id = held.id) AS lastUsedAtMs
    FROM grants AS held INDEXED BY ${index}
    WHERE held.tenant_id = ?1 AND ${which} AND held.revoked_at_ms IS NULL AND held.expires_at_ms > ?2
    ORDER BY ${order} LIMIT ?3`;
  const all = prepare<ListedGrantRow, [string, number, number, clientId: Key, id: Key]>(
    select('grants_client', '(held.client_id, held.id) < (?4, ?5)', 'held.client_id DESC, held.id DESC'),
  );
  const ofClient = prepare<ListedGrantRow, [string, number, number, id: Key, clientId: string]>(
    select('grants_client', 'held.client_id = ?5 AND held.id < ?4', 'held.id DESC'),
  );
  // What one person, or one session, has is little: it is put into order as it is asked for.
  const ofUser = prepare<ListedGrantRow, [string, number, number, id: Key, userId: string, clientId: Text]>(
    select('grants_user', 'held.user_id = ?5 AND held.id < ?4 AND (?6 IS NULL OR held.client_id = ?6)', 'held.id DESC'),
  );
  const ofSession = prepare<ListedGrantRow, [string, number, number, id: Key, sessionId: string, clientId: Text, userId: Text]>(
    select('grants_session', 'held.session_id = ?5 AND held.session_id IS NOT NULL AND held.id < ?4 AND (?6 IS NULL OR held.client_id = ?6) AND (?7 IS NULL OR held.user_id = ?7)', 'held.id DESC'),
  );
  return (tenantId, { userId, clientId, sessionId }, nowMs) => ({
    start: [LAST, LAST], placeOf: (row) => [row.clientId, row.id],
    behind: ([client, id], limit) => {
      if (sessionId !== undefined) return ofSession.all(tenantId, nowMs, limit, id, sessionId, clientId ?? null, userId ?? null);
      if (userId !== undefined) return ofUser.all(tenantId, nowMs, limit, id, userId, clientId ?? null);
      return clientId === undefined ? all.all(tenantId, nowMs, limit, client, id) : ofClient.all(tenantId, nowMs, limit, id, clientId);
    },
  });
}

function prepareSessions({ prepare }: Connection): (tenantId: string, filter: Parameters<Store['pageSessions']>[2], nowMs: number) => Walk<SessionRow> {
  const select = (index: string, which: string): string => `
    SELECT ${sessionColumns} FROM sessions INDEXED BY ${index}
    WHERE tenant_id = ?1 ${which} AND (last_seen_ms, id) < (?2, ?3) AND secret_digest IS NOT NULL AND ended_at_ms IS NULL AND expires_at_ms > ?4
    ORDER BY last_seen_ms DESC, id DESC LIMIT ?5`;
  const all = prepare<SessionRow, [tenantId: string, lastSeenMs: Key, id: Key, nowMs: number, limit: number]>(select('sessions_open_visit', ''));
  const ofUser = prepare<SessionRow, [tenantId: string, lastSeenMs: Key, id: Key, nowMs: number, limit: number, userId: string]>(
    select('sessions_user', 'AND user_id = ?6'),
  );
  return (tenantId, { userId }, nowMs) => ({
    start: [Number.MAX_SAFE_INTEGER, LAST], placeOf: (row) => [row.lastSeenAtMs, row.id],
    behind: ([seen, id], limit) => (userId === undefined ? all.all(tenantId, seen, id, nowMs, limit) : ofUser.all(tenantId, seen, id, nowMs, limit, userId)),
  });
}

/** Tokens of a person or a session are found by their grants: they have no others. */
function prepareTokens({ prepare }: Connection): (tenantId: string, filter: Parameters<Store['pageOpaqueTokens']>[2], nowMs: number) => Walk<ListedTokenRow> {
  const select = (index: string, which: string, order: string): string => `
    SELECT digest, ${opaqueColumns} FROM opaque_tokens INDEXED BY ${index}
    WHERE tenant_id = ?1 AND ${which} AND revoked_at_ms IS NULL AND (expires_at_s IS NULL OR expires_at_s * 1000 > ?2)
      AND (grant_id IS NULL OR EXISTS (SELECT 1 FROM grants WHERE grants.id = grant_id AND grants.revoked_at_ms IS NULL))
    ORDER BY ${order} LIMIT ?3`;
  const rest = 'grant_id IS NOT NULL AND digest > ?4 AND (?6 IS NULL OR client_id = ?6) AND (?7 IS NULL OR user_id = ?7)';
  type Rest = [string, number, number, digest: Key, of: string, clientId: Text, userId: Text];
  const all = prepare<ListedTokenRow, [string, number, number, clientId: Key, digest: Key]>(
    select('opaque_tokens_client', '(client_id, digest) > (?4, ?5)', 'client_id, digest'),
  );
  const ofClient = prepare<ListedTokenRow, [string, number, number, digest: Key, clientId: string]>(
    select('opaque_tokens_client', 'client_id = ?5 AND digest > ?4', 'digest'),
  );
  const ofGrant = prepare<ListedTokenRow, [...Rest, sessionId: Text]>(
    select('opaque_tokens_grant', `grant_id = ?5 AND ${rest} AND (?8 IS NULL OR session_id = ?8)`, 'digest'),
  );
  const ofSession = prepare<ListedTokenRow, Rest>(select(
    'opaque_tokens_grant',
    `grant_id IN (SELECT id FROM grants INDEXED BY grants_session WHERE tenant_id = ?1 AND session_id = ?5 AND session_id IS NOT NULL) AND ${rest}`, 'digest',
  ));
  const ofUser = prepare<ListedTokenRow, Rest>(select(
    'opaque_tokens_grant', `grant_id IN (SELECT id FROM grants INDEXED BY grants_user WHERE tenant_id = ?1 AND user_id = ?5) AND ${rest}`, 'digest',
  ));
  return (tenantId, { clientId, userId, grantId, sessionId }, nowMs) => ({
    start: ['', ''], placeOf: (row) => [row.clientId, row.digest],
    behind: ([client, digest], limit) => {
      const rests = [clientId ?? null, userId ?? null] as const;
      if (grantId !== undefined) return ofGrant.all(tenantId, nowMs, limit, digest, grantId, ...rests, sessionId ?? null);
      if (sessionId !== undefined) return ofSession.all(tenantId, nowMs, limit, digest, sessionId, ...rests);
      if (userId !== undefined) return ofUser.all(tenantId, nowMs, limit, digest, userId, ...rests);
      return clientId === undefined ? all.all(tenantId, nowMs, limit, client, digest) : ofClient.all(tenantId, nowMs, limit, digest, clientId);
    },
  });
}
