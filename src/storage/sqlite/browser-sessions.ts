import { guarded } from './failures.ts';
import { parseJson } from './columns.ts';
import type { Connection } from './connection.ts';
import type { Endings } from './endings.ts';
import type { InteractionSteps } from './interactions.ts';
import type { WriteAftermath } from './outbox.ts';
import type { BrowserSession, ProofStanding } from '../../core/people.ts';
import type { Store } from '../../core/store.ts';

type BrowserSessionPart = Pick<
  Store,
  'findBrowserSession' | 'listBrowserSessions' | 'openBrowserSession' | 'renewBrowserSession' | 'touchSession' | 'endSession' | 'endSessions'
>;
/** Its row as it is read; lists as JSON text. */
export type SessionRow = Omit<BrowserSession, 'amr'> & { readonly amr: string };
type Text = string | null;

/** Notes a visit within the running transaction, unless the session ended or a later one was noted. */
export type NoteVisit = (tenantId: string, sessionId: string, atMs: number) => void;

/** Prepares the statement that notes visits. */
export function prepareVisit({ prepare }: Connection): NoteVisit {
  const touch = prepare<never, [atMs: number, tenantId: string, id: string, atMs: number]>(`
    UPDATE sessions SET last_seen_ms = ? WHERE tenant_id = ? AND id = ? AND ended_at_ms IS NULL AND last_seen_ms < ?`);
  return (tenantId, sessionId, atMs) => void touch.run(atMs, tenantId, sessionId, atMs);
}

/** Columns of a browser's session. */
export const sessionColumns = `id, tenant_id AS tenantId, user_id AS userId, created_at_ms AS createdAtMs, ended_at_ms AS endedAtMs,
    secret_digest AS secretDigest, auth_time_ms AS authTimeMs, amr, acr, last_seen_ms AS lastSeenAtMs, expires_at_ms AS expiresAtMs,
    user_agent AS userAgent, ip`;

/** Login sessions of browsers: rows that have a secret's digest. */
export function browserSessionPart(
  { writer, prepare }: Connection,
  aftermath: WriteAftermath,
  endings: Endings,
  interactions: InteractionSteps,
  noteVisit: NoteVisit,
): BrowserSessionPart {
  const bySecret = prepare<SessionRow, [tenantId: string, secretDigest: string]>(
    `SELECT ${sessionColumns} FROM sessions WHERE tenant_id = ? AND secret_digest = ?`,
  );
  // Left to itself SQLite takes the primary key for cheaper, and reads the whole tenant.
  const ofUser = prepare<SessionRow, [tenantId: string, userId: string, nowMs: number]>(`
    SELECT ${sessionColumns} FROM sessions INDEXED BY sessions_user
    WHERE tenant_id = ? AND user_id = ? AND secret_digest IS NOT NULL AND ended_at_ms IS NULL AND expires_at_ms > ?
    ORDER BY last_seen_ms DESC, id`);
  const clientsOf = prepare<{ sessionId: string; clientId: string }, [tenantId: string, userId: string]>(`
    SELECT DISTINCT session_id AS sessionId, client_id AS clientId FROM grants INDEXED BY grants_user
    WHERE tenant_id = ? AND user_id = ? AND session_id IS NOT NULL AND revoked_at_ms IS NULL ORDER BY client_id`);
  const insert = prepare<
    never,
    [string, string, string, number, number | null, string, number, string, string, number, number, Text, Text]
  >(`
    INSERT INTO sessions
      (tenant_id, id, user_id, created_at_ms, ended_at_ms, secret_digest, auth_time_ms, amr, acr, last_seen_ms, expires_at_ms, user_agent, ip)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  const renewable = prepare<{ id: string }, [tenantId: string, id: string, userId: string, formerSecretDigest: string]>(
    'SELECT id FROM sessions WHERE tenant_id = ? AND id = ? AND user_id = ? AND secret_digest = ? AND ended_at_ms IS NULL',
  );
  const renew = prepare<never, [string, number, string, string, number, number, Text, Text, tenantId: string, id: string]>(`
    UPDATE sessions SET secret_digest = ?, auth_time_ms = ?, amr = ?, acr = ?, last_seen_ms = ?, expires_at_ms = ?, user_agent = ?, ip = ?
    WHERE tenant_id = ? AND id = ?`);

  const standingOf = prepare<{ notBeforeMs: number; passwordChangedAtMs: number | null }, [tenantId: string, userId: string]>(`
    SELECT users.not_before_ms AS notBeforeMs, passwords.changed_at_ms AS passwordChangedAtMs
    FROM users LEFT JOIN passwords ON passwords.tenant_id = users.tenant_id AND passwords.user_id = users.id
    WHERE users.tenant_id = ? AND users.id = ? AND users.deleted_at_ms IS NULL AND users.disabled_at_ms IS NULL`);

  /** Within a transaction: whether a proof still stands. */
  function stands({ tenantId, userId }: BrowserSession, standing: ProofStanding | undefined): boolean {
    if (standing === undefined) return true;
    const now = standingOf.get(tenantId, userId);
    if (now === null || now.notBeforeMs >= standing.sinceMs) return false;
    return standing.passwordChangedAtMs === null || standing.passwordChangedAtMs === now.passwordChangedAtMs;
  }

  return {
    findBrowserSession: (tenantId, secretDigest) =>
      guarded(() => {
        const row = bySecret.get(tenantId, secretDigest);
        return row === null ? null : toSession(row);
      }),

    listBrowserSessions: (tenantId, userId, nowMs) =>
      guarded(() => {
        const clients = Map.groupBy(clientsOf.all(tenantId, userId), ({ sessionId }) => sessionId);
        return ofUser.all(tenantId, userId, nowMs).map((row) => ({
          session: toSession(row), clientIds: (clients.get(row.id) ?? []).map(({ clientId }) => clientId),
        }));
      }),

    openBrowserSession: ({ session, replaces, progress, standing }, report) =>
      writer.write((after) => {
        if (!stands(session, standing)) return false;
        if (progress !== null && !interactions.change(progress, session.tenantId)) return false;
        insert.run(
          session.tenantId, session.id, session.userId, session.createdAtMs, session.endedAtMs, session.secretDigest, session.authTimeMs,
          JSON.stringify(session.amr), session.acr, session.lastSeenAtMs, session.expiresAtMs, session.userAgent, session.ip,
        );
        if (replaces !== null) endings.endSession({ tenantId: session.tenantId, sessionId: replaces, atMs: session.createdAtMs }, after);
        aftermath(report);
        return true;
      }),

    renewBrowserSession: ({ session, formerSecretDigest, progress, standing }, report) =>
      writer.write(() => {
        const { tenantId, id, userId } = session;
        if (!stands(session, standing)) return false;
        if (renewable.get(tenantId, id, userId, formerSecretDigest) === null) return false;
        if (progress !== null && !interactions.change(progress, tenantId)) return false;
        renew.run(
          session.secretDigest, session.authTimeMs, JSON.stringify(session.amr), session.acr, session.lastSeenAtMs, session.expiresAtMs,
          session.userAgent, session.ip, tenantId, id,
        );
        aftermath(report);
        return true;
      }),

    touchSession: (tenantId, id, atMs) => writer.write(() => noteVisit(tenantId, id, atMs)),

    endSession: (ending, audit) =>
      writer.write((after) => {
        const { first } = endings.endSession(ending, after);
        aftermath({ audit: audit(first) });
        return first;
      }),

    endSessions: (ending, report) =>
      writer.write((after) => {
        const ended = endings.endSessionsOf(ending, after);
        aftermath(report);
        return ended;
      }),
  };
}

/** A session as the model has it. */
export function toSession({ amr, ...session }: SessionRow): BrowserSession {
  return { ...session, amr: parseJson(amr) };
}
