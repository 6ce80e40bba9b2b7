import type { Tenant, User } from '../core/model.ts';
import type { Page, Paged } from '../core/paging.ts';
import { isSessionOver } from '../core/session.ts';
import type { BrowserSession } from '../core/people.ts';
import { deviceName } from '../credentials/device.ts';
import type { Context } from './context.ts';
import { done, operatorEvent, refused, type Managed } from './manage-outcome.ts';
import { requireUser } from './manage-users.ts';

/** A user's session and the clients that have grants in it. */
export type ListedSession = { readonly session: BrowserSession; readonly clientIds: readonly string[] };

/** What people call the thing that a session is on; null: not known. */
export function deviceOf({ session }: Pick<ListedSession, 'session'>): string | null {
  return deviceName(session.userAgent);
}

/** Where a user is signed in. */
export type SessionList = { readonly user: User; readonly sessions: readonly ListedSession[] };

/** Sessions of a user that count: neither ended, nor too old, nor left alone for too long (UI-07). @throws StoreError */
export async function listUserSessions(ctx: Pick<Context, 'store' | 'clock'>, tenant: Tenant, reference: string): Promise<Managed<SessionList>> {
  const found = await requireUser(ctx, tenant, reference);
  if (!found.ok) return found;
  const nowMs = ctx.clock.now();
  const all = await ctx.store.listBrowserSessions(tenant.id, found.value.id, nowMs);
  const idleMs = tenant.people.sessionIdleTtl * 1000;
  return done({ user: found.value, sessions: all.filter(({ session }) => session.lastSeenAtMs + idleMs > nowMs) });
}

/** Signs a user out everywhere; grants for offline use stay, as do sign-ins to come. Gives how many sessions ended. @throws StoreError */
export async function endUserSessions(ctx: Context, tenant: Tenant, reference: string): Promise<Managed<number>> {
  const found = await requireUser(ctx, tenant, reference);
  if (!found.ok) return found;
  return done(await ctx.store.endSessions({ tenantId: tenant.id, userId: found.value.id, except: null, grants: 'session', atMs: ctx.clock.now() }, {
    audit: [operatorEvent(ctx, 'sessions_ended', { tenant: tenant.slug, subject: found.value.id, reason: 'operator' })],
  }));
}

/** Ends one session of a user. @throws StoreError */
export async function endUserSession(ctx: Context, tenant: Tenant, reference: string, sessionId: string): Promise<Managed<null>> {
  const found = await requireUser(ctx, tenant, reference);
  if (!found.ok) return found;
  const session = await ctx.store.findSession(tenant.id, sessionId);
  if (session === null || session.userId !== found.value.id || session.endedAtMs !== null) {
    return refused('not_found', `${found.value.username} has no session ${JSON.stringify(sessionId)} that did not end`, { hint: `\`assay user sessions ${found.value.username} --tenant ${tenant.slug}\` shows all` });
  }
  await ctx.store.endSession({ tenantId: tenant.id, sessionId, atMs: ctx.clock.now() }, (first) => (first
    ? [operatorEvent(ctx, 'session_ended', { tenant: tenant.slug, subject: found.value.id, reason: 'operator' })]
    : []));
  return done(null);
}

/**
 * Sessions of a tenant's browsers that count, the latest visit first. A part may show fewer than were asked for, though more
 * follow. @param user only theirs, by id or username. @throws StoreError
 */
export async function pageLiveSessions(ctx: Pick<Context, 'store' | 'clock'>, tenant: Tenant, page: Page, user?: string): Promise<Managed<Paged<ListedSession>>> {
  const found = user === undefined ? null : await requireUser(ctx, tenant, user);
  if (found !== null && !found.ok) return found;
  const nowMs = ctx.clock.now();
  const { items, next } = await ctx.store.pageSessions(tenant.id, page, found === null ? {} : { userId: found.value.id }, nowMs);
  return done({ items: items.filter(({ session }) => !isSessionOver(session, tenant, nowMs)), next });
}

/** Ends a session, whosever it is, with its grants that are not for offline use. @throws StoreError */
export async function endSession(ctx: Context, tenant: Tenant, sessionId: string): Promise<Managed<null>> {
  const session = await ctx.store.findSession(tenant.id, sessionId);
  const ended = session !== null && session.endedAtMs === null && await ctx.store.endSession({ tenantId: tenant.id, sessionId, atMs: ctx.clock.now() }, (first) => (first
    ? [operatorEvent(ctx, 'session_ended', { tenant: tenant.slug, subject: session.userId, reason: 'operator' })]
    : []));
  return ended ? done(null) : refused('not_found', `the tenant ${tenant.slug} has no session ${JSON.stringify(sessionId)} that did not end`, { hint: `\`assay session list --tenant ${tenant.slug}\` shows all` });
}
