import { randomBytes } from 'node:crypto';
import { pairKey } from './memory.ts';
import type { Connection } from './connection.ts';
import type { Enqueue } from './outbox.ts';
import type { AfterCommit } from './writer.ts';

/** Bytes of an outbox item's id. */
const ID_BYTES = 16;

type SessionEnding = { readonly tenantId: string; readonly sessionId: string; readonly atMs: number };
type UserEnding = { readonly tenantId: string; readonly userId: string; readonly atMs: number };
/** A grant that was revoked just now. */
type FallenGrant = { readonly id: string; readonly userId: string; readonly clientId: string; readonly sessionId: string | null };

/**
 * The one place where sessions and grants end, each step within the running transaction. What ends is forgotten by the
 * memory, and clients with a back-channel logout address are told (REV-14; OpenID Connect Back-Channel Logout §2.3).
 */
export type Endings = {
  /** Ends a session and its grants that are not offline. `first`: it was this call; `fell`: ids of grants. */
  readonly endSession: (ending: SessionEnding, after: AfterCommit) => { readonly first: boolean; readonly fell: readonly string[] };
  /**
   * Ends a user's sessions but one; returns how many were not over yet. `grants`: which go with them; `none` where a
   * cutoff takes them all.
   */
  readonly endSessionsOf: (ending: UserEnding & { readonly except: string | null; readonly grants: 'none' | 'session' | 'all' }, after: AfterCommit) => number;
  /** Revokes one grant. `told`: whether its client hears of it here, or with its session. False: it was not this call. */
  readonly endGrant: (ending: { readonly tenantId: string; readonly grantId: string; readonly atMs: number; readonly told: boolean }, after: AfterCommit) => boolean;
  /** Revokes all grants that a client has of a user; returns how many. */
  readonly endGrantsOf: (ending: UserEnding & { readonly clientId: string }, after: AfterCommit) => number;
  /** A user does not belong to an organization any more: revokes the grants that speak of it, spends unused codes for such; returns how many grants. */
  readonly endGrantsIn: (ending: UserEnding & { readonly orgId: string }, after: AfterCommit) => number;
};

/** Prepares what ends sessions and grants. */
export function prepareEndings({ memory, prepare }: Connection, enqueue: Enqueue): Endings {
  const endOne = prepare<{ userId: string }, [atMs: number, tenantId: string, id: string]>(
    'UPDATE sessions SET ended_at_ms = ? WHERE tenant_id = ? AND id = ? AND ended_at_ms IS NULL RETURNING user_id AS userId',
  );
  // Left to itself SQLite takes the primary key for cheaper, and reads the whole tenant.
  const openSessions = prepare<{ id: string; expiresAtMs: number | null }, [tenantId: string, userId: string, except: string | null]>(`
    SELECT id, expires_at_ms AS expiresAtMs FROM sessions INDEXED BY sessions_user
    WHERE tenant_id = ? AND user_id = ? AND ended_at_ms IS NULL AND id IS NOT ?`);
  const listeners = prepare<{ clientId: string }, [tenantId: string, sessionId: string]>(`
    SELECT DISTINCT held.client_id AS clientId FROM grants AS held INDEXED BY grants_session
    JOIN clients ON clients.tenant_id = held.tenant_id AND clients.id = held.client_id
    WHERE held.tenant_id = ? AND held.session_id = ? AND clients.backchannel_logout_uri IS NOT NULL AND clients.deleted_at_ms IS NULL`);
  const listens = prepare<{ id: string }, [tenantId: string, id: string]>(
    'SELECT id FROM clients WHERE tenant_id = ? AND id = ? AND backchannel_logout_uri IS NOT NULL AND deleted_at_ms IS NULL',
  );
  const fallen = 'RETURNING id, user_id AS userId, client_id AS clientId, session_id AS sessionId';
  const revokeOne = prepare<FallenGrant, [atMs: number, id: string, tenantId: string]>(
    `UPDATE grants SET revoked_at_ms = ? WHERE id = ? AND tenant_id = ? AND revoked_at_ms IS NULL ${fallen}`,
  );
  const revokeOfSession = prepare<{ id: string }, [atMs: number, tenantId: string, sessionId: string]>(`
    UPDATE grants SET revoked_at_ms = ?
    WHERE tenant_id = ? AND session_id = ? AND offline = 0 AND revoked_at_ms IS NULL RETURNING id`);
  const revokeOfUser = prepare<FallenGrant, [atMs: number, tenantId: string, userId: string]>(
    `UPDATE grants SET revoked_at_ms = ? WHERE tenant_id = ? AND user_id = ? AND revoked_at_ms IS NULL ${fallen}`,
  );
  const revokeOfClient = prepare<FallenGrant, [atMs: number, tenantId: string, userId: string, clientId: string]>(
    `UPDATE grants INDEXED BY grants_user SET revoked_at_ms = ? WHERE tenant_id = ? AND user_id = ? AND client_id = ? AND revoked_at_ms IS NULL ${fallen}`,
  );
  const revokeOfMember = prepare<FallenGrant, [atMs: number, tenantId: string, userId: string, orgId: string]>(
    `UPDATE grants SET revoked_at_ms = ? WHERE tenant_id = ? AND user_id = ? AND org_id = ? AND revoked_at_ms IS NULL ${fallen}`,
  );
  const spendCodesOfMember = prepare<never, [atMs: number, tenantId: string, userId: string, orgId: string]>(
    'UPDATE codes SET used_at_ms = ? WHERE tenant_id = ? AND user_id = ? AND org_id = ? AND used_at_ms IS NULL',
  );

  function forget(tenantId: string, grantIds: readonly string[], after: AfterCommit): void {
    after(() => {
      for (const id of grantIds) memory.grants.delete(pairKey(tenantId, id));
      memory.tokenEnded();
    });
  }

  function tell(tenantId: string, clientId: string, userId: string, sessionId: string, atMs: number): void {
    enqueue({
      id: `out_${randomBytes(ID_BYTES).toString('base64url')}`, tenantId, kind: 'logout', target: clientId,
      payload: JSON.stringify({ sub: userId, sid: sessionId }), createdAtMs: atMs, nextAttemptAtMs: atMs, attempts: 0, doneAtMs: null,
      outcome: null,
    });
  }

  /** Tells the clients of grants that fell while their session goes on, or did not end just now; each once per session. */
  function tellOf(tenantId: string, grants: readonly FallenGrant[], atMs: number, ended: ReadonlySet<string>): void {
    const told = new Set<string>();
    for (const { clientId, sessionId, userId } of grants) {
      if (sessionId === null || ended.has(sessionId)) continue;
      const key = pairKey(sessionId, clientId);
      if (told.has(key) || listens.get(tenantId, clientId) === null) continue;
      told.add(key);
      tell(tenantId, clientId, userId, sessionId, atMs);
    }
  }

  /** Marks it ended and tells its clients; null: it had ended, or there is none. */
  function markEnded({ tenantId, sessionId, atMs }: SessionEnding): { readonly userId: string } | null {
    const ended = endOne.get(atMs, tenantId, sessionId);
    if (ended === null) return null;
    for (const { clientId } of listeners.all(tenantId, sessionId)) tell(tenantId, clientId, ended.userId, sessionId, atMs);
    return ended;
  }

  const none: ReadonlySet<string> = new Set();
  return {
    endSession: (ending, after) => {
      const { tenantId, sessionId, atMs } = ending;
      const first = markEnded(ending) !== null;
      const fell = revokeOfSession.all(atMs, tenantId, sessionId).map(({ id }) => id);
      if (first || fell.length > 0) forget(tenantId, fell, after);
      return { first, fell };
    },

    endSessionsOf: ({ tenantId, userId, atMs, except, grants }, after) => {
      const open = openSessions.all(tenantId, userId, except);
      const fell: string[] = [];
      for (const { id: sessionId } of open) {
        markEnded({ tenantId, sessionId, atMs });
        if (grants === 'session') for (const { id } of revokeOfSession.all(atMs, tenantId, sessionId)) fell.push(id);
      }
      if (grants === 'all') {
        const all = revokeOfUser.all(atMs, tenantId, userId);
        tellOf(tenantId, all, atMs, new Set(open.map(({ id }) => id)));
        for (const { id } of all) fell.push(id);
      }
      forget(tenantId, fell, after);
      return open.filter(({ expiresAtMs }) => expiresAtMs === null || expiresAtMs > atMs).length;
    },

    endGrant: ({ tenantId, grantId, atMs, told }, after) => {
      const grant = revokeOne.get(atMs, grantId, tenantId);
      if (grant === null) return false;
      if (told) tellOf(tenantId, [grant], atMs, none);
      forget(tenantId, [grantId], after);
      return true;
    },

    endGrantsOf: ({ tenantId, userId, clientId, atMs }, after) => {
      const all = revokeOfClient.all(atMs, tenantId, userId, clientId);
      tellOf(tenantId, all, atMs, none);
      forget(tenantId, all.map(({ id }) => id), after);
      return all.length;
    },

    endGrantsIn: ({ tenantId, userId, orgId, atMs }, after) => {
      spendCodesOfMember.run(atMs, tenantId, userId, orgId);
      const all = revokeOfMember.all(atMs, tenantId, userId, orgId);
      tellOf(tenantId, all, atMs, none);
      forget(tenantId, all.map(({ id }) => id), after);
      return all.length;
    },
  };
}
