import { defaultPeopleSettings } from '../../core/people.ts';
import { auditEvent } from '../../core/audit-event.ts';
import type { AppendAudit } from './audit.ts';
import type { Connection } from './connection.ts';
import type { Endings } from './endings.ts';
import type { AfterCommit } from './writer.ts';

/** Tenants per step of a walk through all that have open sessions. */
const TENANTS_PER_STEP = 50;

/** Ends at most so many sessions within the running transaction. `more`: there is more to look at at once. */
type End = (nowMs: number, most: number, after: AfterCommit) => { readonly rows: number; readonly more: boolean };

/** How browsers' sessions end that nobody ends (UI-07). */
export type Overdue = {
  /** Those that reached their absolute end. */
  readonly endExpired: End;
  /** Those that were left alone for longer than their tenant lets them; goes on at the tenant where the last call stopped. */
  readonly endIdle: End;
};

type OverdueSession = { readonly tenantId: string; readonly id: string; readonly userId: string };
/** `slug` is null where the tenant was deleted: another may have it by now, whose trail this is not (MTN-06). */
type SlugPart = { readonly slug: string | null };

/** Prepares what ends sessions that are over by themselves. */
export function prepareOverdue({ prepare }: Connection, append: AppendAudit, endings: Endings): Overdue {
  const isOpen = 'sessions.secret_digest IS NOT NULL AND sessions.ended_at_ms IS NULL';
  const slug = 'CASE WHEN tenants.deleted_at_ms IS NULL THEN tenants.slug END AS slug';
  const columns = 'sessions.tenant_id AS tenantId, sessions.id, sessions.user_id AS userId';
  const expired = prepare<OverdueSession & SlugPart, [nowMs: number, most: number]>(`
    SELECT ${columns}, ${slug} FROM sessions INDEXED BY sessions_open_expiry LEFT JOIN tenants ON tenants.id = sessions.tenant_id
    WHERE ${isOpen} AND sessions.expires_at_ms <= ? ORDER BY sessions.expires_at_ms LIMIT ?`);
  // From one tenant to the next in one step, however many sessions each has.
  const nextTenant = prepare<SlugPart & { readonly tenantId: string; readonly idleTtl: number }, [after: string]>(`
    SELECT sessions.tenant_id AS tenantId, ${slug},
      coalesce(json_extract(tenants.people, '$.sessionIdleTtl'), ${defaultPeopleSettings.sessionIdleTtl}) AS idleTtl
    FROM sessions INDEXED BY sessions_open_visit LEFT JOIN tenants ON tenants.id = sessions.tenant_id
    WHERE ${isOpen} AND sessions.tenant_id > ? ORDER BY sessions.tenant_id LIMIT 1`);
  const idle = prepare<OverdueSession, [tenantId: string, lastSeenMs: number, most: number]>(`
    SELECT ${columns} FROM sessions INDEXED BY sessions_open_visit
    WHERE ${isOpen} AND sessions.tenant_id = ? AND sessions.last_seen_ms <= ? ORDER BY sessions.last_seen_ms LIMIT ?`);
  let lookedAt = '';

  function end({ tenantId, id, userId }: OverdueSession, tenant: string | null, reason: 'expired' | 'idle', nowMs: number, after: AfterCommit): void {
    endings.endSession({ tenantId, sessionId: id, atMs: nowMs }, after);
    append([auditEvent({ timeMs: nowMs, type: 'session_ended', tenant, actor: 'server', subject: userId, reason })]);
  }

  return {
    endExpired: (nowMs, most, after) => {
      const rows = expired.all(nowMs, most);
      for (const session of rows) end(session, session.slug, 'expired', nowMs, after);
      return { rows: rows.length, more: rows.length >= most };
    },

    endIdle: (nowMs, most, after) => {
      let rows = 0;
      for (let looked = 0; looked < TENANTS_PER_STEP; looked += 1) {
        const tenant = nextTenant.get(lookedAt);
        if (tenant === null) {
          lookedAt = '';
          return { rows, more: false };
        }
        const found = idle.all(tenant.tenantId, nowMs - tenant.idleTtl * 1000, most - rows);
        for (const session of found) end(session, tenant.slug, 'idle', nowMs, after);
        rows += found.length;
        if (rows >= most) return { rows, more: true };
        lookedAt = tenant.tenantId;
      }
      return { rows, more: true };
    },
  };
}
