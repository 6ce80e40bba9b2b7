import type { Grant, Tenant } from './model.ts';
import type { BrowserSession } from './people.ts';

/** What a browser's session ends by when nobody ends it. */
export type SessionTimes = Pick<BrowserSession, 'lastSeenAtMs' | 'expiresAtMs'>;

/** A visit is written down at most so often, milliseconds … */
const VISIT_MS = 60_000;
/** … but so often within the idle limit, lest a session that is used ends. */
const VISITS_PER_LIMIT = 4;

function idleMs(tenant: Tenant): number {
  return tenant.people.sessionIdleTtl * 1000;
}

/** Whether a browser's session is over by itself: at its absolute end, or left alone for too long (UI-07). */
export function isSessionOver(session: SessionTimes, tenant: Tenant, nowMs: number): boolean {
  return nowMs >= session.expiresAtMs || nowMs - session.lastSeenAtMs >= idleMs(tenant);
}

/** Whether a visit is to be written down: the last one that was is some time ago. */
export function isVisitDue(session: SessionTimes, tenant: Tenant, nowMs: number): boolean {
  return nowMs - session.lastSeenAtMs >= Math.min(VISIT_MS, idleMs(tenant) / VISITS_PER_LIMIT);
}

/**
 * Lifetime of an access token: as long as it was to be, but not beyond the end of its grant, unless that is for offline
 * use (TRT-21). The end of a grant of a browser's session is at most the session's.
 * @param wanted seconds
 * @param grant null for a client acting for itself
 * @param nowMs when it is issued
 * @returns seconds; 0 when the grant is over
 */
export function boundLifetime(wanted: number, grant: Pick<Grant, 'offline' | 'expiresAtMs'> | null, nowMs: number): number {
  if (grant === null || grant.offline) return wanted;
  return Math.max(0, Math.min(wanted, Math.floor(grant.expiresAtMs / 1000) - Math.floor(nowMs / 1000)));
}
