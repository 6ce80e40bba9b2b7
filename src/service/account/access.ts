import type { Client, Tenant, User } from '../../core/model.ts';
import { isLiveSession } from '../../core/next-step.ts';
import { deviceName } from '../../credentials/device.ts';
import { personEvent } from '../credentials/outcome.ts';
import type { Context } from '../context.ts';
import { endBrowserSession } from '../logout.ts';
import type { ListedSession } from '../manage-sessions.ts';
import { resourceKey } from '../resources.ts';
import { personIn, told, type AccountOutcome, type Asking } from './outcome.ts';

/** What an application may do in somebody's name: all that was allowed and is in use. */
export type Access = {
  readonly clientId: string;
  /** null: there is none of that id any more. */
  readonly client: Client | null;
  readonly scopes: readonly string[];
  /** Identifiers of protected resources. */
  readonly resources: readonly string[];
  /** Names of organizations. */
  readonly orgs: readonly string[];
  readonly allowedAtMs: number;
  readonly lastUsedAtMs: number | null;
};

/** A session, the clients that have grants in it, and what people call the thing that it is on; null: not known. */
export type DeviceSession = ListedSession & { readonly device: string | null };

/** Sessions that let their person in, the newest visit first. @throws StoreError */
export async function listSessions(ctx: Pick<Context, 'store' | 'clock'>, tenant: Tenant, user: User): Promise<readonly DeviceSession[]> {
  const nowMs = ctx.clock.now();
  const all = await ctx.store.listBrowserSessions(tenant.id, user.id, nowMs);
  return all.filter(({ session }) => isLiveSession(session, tenant, user, nowMs)).map((listed) => ({ ...listed, device: deviceName(listed.session.userAgent) }));
}

type Allowed = { readonly scopes: readonly string[]; readonly resources: readonly string[]; readonly orgId: string | null; readonly atMs: number; readonly usedAtMs: number | null };

/** Applications that somebody allowed something, or that act for them now (UI-20); the newest first. @throws StoreError */
export async function listAccess(ctx: Pick<Context, 'store' | 'clock'>, tenant: Tenant, user: User): Promise<readonly Access[]> {
  const allowed: (readonly [clientId: string, Allowed])[] = [];
  for (const consent of await ctx.store.listConsents(tenant.id, user.id)) {
    const resources = consent.resourceKey === '' ? [] : consent.resourceKey.split(' ');
    allowed.push([consent.clientId, { scopes: consent.scopes, resources, orgId: consent.orgId === '' ? null : consent.orgId, atMs: consent.createdAtMs, usedAtMs: null }]);
  }
  for (const { grant, lastUsedAtMs } of await ctx.store.listGrants(tenant.id, user.id, ctx.clock.now())) {
    const resources = await resourcesAmong(ctx, tenant, grant.audience);
    allowed.push([grant.clientId, { scopes: grant.scopes, resources, orgId: grant.orgId, atMs: grant.createdAtMs, usedAtMs: lastUsedAtMs ?? grant.createdAtMs }]);
  }
  const access = [];
  for (const [clientId, entries] of Map.groupBy(allowed, ([id]) => id)) access.push(await join(ctx, tenant, clientId, entries.map(([, entry]) => entry)));
  return access.toSorted((one, other) => other.allowedAtMs - one.allowedAtMs);
}

/** Registered resources among audiences, which may also name clients or the issuer. */
async function resourcesAmong(ctx: Pick<Context, 'store'>, tenant: Tenant, audience: readonly string[]): Promise<readonly string[]> {
  const found = [];
  for (const name of audience) {
    const resource = await ctx.store.findResource(tenant.id, resourceKey(name));
    if (resource !== null) found.push(resource.uri);
  }
  return found;
}

async function join(ctx: Pick<Context, 'store'>, tenant: Tenant, clientId: string, entries: readonly Allowed[]): Promise<Access> {
  const client = await ctx.store.findClient(tenant.id, clientId);
  const orgs = [];
  for (const orgId of new Set(entries.flatMap((entry) => (entry.orgId === null ? [] : [entry.orgId])))) {
    orgs.push((await ctx.store.findOrganization(tenant.id, orgId))?.name ?? orgId);
  }
  const used = entries.flatMap((entry) => (entry.usedAtMs === null ? [] : [entry.usedAtMs]));
  return {
    clientId, client: client === null || client.deletedAtMs !== null ? null : client, orgs,
    scopes: [...new Set(entries.flatMap((entry) => entry.scopes))], resources: [...new Set(entries.flatMap((entry) => entry.resources))],
    allowedAtMs: Math.min(...entries.map((entry) => entry.atMs)), lastUsedAtMs: used.length === 0 ? null : Math.max(...used),
  };
}

/** @throws StoreError */
export async function signOut({ ctx, tenant, signedIn: { session }, browser }: Asking): Promise<AccountOutcome> {
  await endBrowserSession(ctx, tenant, session, browser.from);
  return { kind: 'bye' };
}

/** Ends another session of theirs; one that is not theirs, or over, is not there. @throws StoreError */
export async function endOneSession(asking: Asking): Promise<AccountOutcome> {
  const { ctx, tenant, signedIn: { user, session: own }, form, browser } = asking;
  const session = await ctx.store.findSession(tenant.id, form('id'));
  if (session === null || session.userId !== user.id || session.endedAtMs !== null) return told(null);
  if (session.id === own.id) return signOut(asking);
  await endBrowserSession(ctx, tenant, session, browser.from);
  return told('session_ended');
}

/** Ends all sessions but this one; grants for offline use stay. @throws StoreError */
export async function endOtherSessions(asking: Asking): Promise<AccountOutcome> {
  const { ctx, tenant, signedIn: { user, session } } = asking;
  await ctx.store.endSessions(
    { tenantId: tenant.id, userId: user.id, except: session.id, grants: 'session', atMs: ctx.clock.now() },
    { audit: [personEvent(ctx, personIn(asking), 'sessions_ended', user.id, { reason: 'signed_out' })] },
  );
  return told('sessions_ended');
}

/** Takes back all that an application was allowed: its tokens are worthless at once (UI-20). @throws StoreError */
export async function revokeAccess(asking: Asking): Promise<AccountOutcome> {
  const { ctx, tenant, signedIn: { user }, form } = asking;
  const access = await listAccess(ctx, tenant, user);
  const clientId = access.find((one) => one.clientId === form('id'))?.clientId;
  if (clientId === undefined) return told(null);
  await ctx.store.withdrawConsent({ tenantId: tenant.id, userId: user.id, clientId, atMs: ctx.clock.now() }, (fallen) => [
    personEvent(ctx, personIn(asking), 'consent_withdrawn', user.id, { clientId, count: Math.max(1, fallen) }),
  ]);
  return told('application_revoked');
}
