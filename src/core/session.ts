import type { Tenant } from './model.ts';
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
 * Lifetime of an access token: as long as it was to be, but not beyond the end of the session that it belongs to (TRT-21).
 * @param wanted seconds
 * @param sessionEndsAtMs null: it belongs to none, or is for offline use
 * @param nowMs when it is issued
 * @returns seconds; 0 when the session is over
 */
export function boundLifetime(wanted: number, sessionEndsAtMs: number | null, nowMs: number): number {
  return sessionEndsAtMs === null ? wanted : Math.max(0, Math.min(wanted, Math.floor(sessionEndsAtMs / 1000) - Math.floor(nowMs / 1000)));
}
