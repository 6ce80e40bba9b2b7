import { isAbout, type AuditEvent } from '../../core/audit-event.ts';
import type { Tenant, User } from '../../core/model.ts';
import type { SignedIn } from '../../core/next-step.ts';
import type { Context } from '../context.ts';
import { personEvent, type Person } from '../credentials/outcome.ts';
import { secondFactors } from '../credentials/second-factor.ts';
import { searchAudit } from '../manage-audit.ts';
import { listAccess, listSessions } from './access.ts';

/** Downloads of one person per minute: each reads a lot. */
const MOST_PER_MINUTE = 6;
/** Events that are told, the newest first; and those with the person's id that are looked at, for a thing may have it too. */
const LOOKED_AT = 10_000;
const MOST_EVENTS = 1_000;

/** JSON of everything that is kept about somebody; milliseconds to wait when they asked too often. */
export type DataExport = { readonly ok: true; readonly json: string } | { readonly ok: false; readonly retryAfterMs: number };

/** A moment as people's tools read it. */
function at(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

/**
 * Everything that is kept about a person (GDPR Art. 15, 20), without secrets: no key, code, digest or cookie.
 * @throws StoreError
 */
export async function exportData(ctx: Context, person: Person, signedIn: SignedIn): Promise<DataExport> {
  const { tenant } = person;
  const { user } = signedIn;
  const key = `export:${tenant.id} ${user.id}`;
  const retryAfterMs = ctx.settings.rateLimits ? ctx.newcomers.blockedForMs(key, MOST_PER_MINUTE) : null;
  if (retryAfterMs !== null) return { ok: false, retryAfterMs };
  ctx.newcomers.count(key);
  await ctx.store.recordAudit([personEvent(ctx, person, 'data_exported', user.id)]);
  const data = {
    exported_at: at(ctx.clock.now()),
    account: {
      sub: user.id, username: user.username, name: user.name, email: user.email === '' ? null : user.email, email_verified: user.emailVerified,
      attributes: user.attributes, created_at: at(user.createdAtMs),
    },
    organizations: await organizationsOf(ctx, tenant, user),
    sign_in: await waysOf(ctx, tenant, user),
    sessions: await sessionsOf(ctx, tenant, signedIn),
    applications: (await listAccess(ctx, tenant, user)).map((access) => ({
      client_id: access.clientId, name: access.client?.name ?? null, scopes: access.scopes, resources: access.resources, organizations: access.orgs,
      allowed_at: at(access.allowedAtMs), last_used_at: at(access.lastUsedAtMs),
    })),
    events: await eventsOf(ctx, tenant, user),
  };
  return { ok: true, json: `${JSON.stringify(data, null, 2)}\n` };
}

/** Where somebody belongs, and as what. @throws StoreError */
export async function organizationsOf(ctx: Pick<Context, 'store'>, tenant: Tenant, user: User): Promise<readonly { readonly id: string; readonly name: string; readonly roles: readonly string[]; readonly since: string | null }[]> {
  const found = [];
  for (const { orgId, roles, createdAtMs } of await ctx.store.listMemberships(tenant.id, { userId: user.id })) {
    const org = await ctx.store.findOrganization(tenant.id, orgId);
    found.push({ id: orgId, name: org?.name ?? orgId, roles, since: at(createdAtMs) });
  }
  return found;
}

async function waysOf(ctx: Context, tenant: Tenant, user: User): Promise<object> {
  const password = await ctx.store.findPassword(tenant.id, user.id);
  const totp = await ctx.store.findTotp(tenant.id, user.id);
  return {
    password: password === null ? null : { changed_at: at(password.changedAtMs) },
    passkeys: (await ctx.store.listPasskeys(tenant.id, user.id)).map(({ name, createdAtMs, lastUsedAtMs, synced }) => ({
      name, created_at: at(createdAtMs), last_used_at: at(lastUsedAtMs), synced,
    })),
    authenticator: totp === null || totp.confirmedAtMs === null ? null : { added_at: at(totp.confirmedAtMs) },
    recovery_codes_left: (await secondFactors(ctx, tenant, user.id)).recoveryCodes,
  };
}

async function sessionsOf(ctx: Context, tenant: Tenant, { user, session: own }: SignedIn): Promise<readonly object[]> {
  return (await listSessions(ctx, tenant, user)).map(({ session, clientIds, device }) => ({
    id: session.id, current: session.id === own.id, device, user_agent: session.userAgent, ip: session.ip,
    signed_in_at: at(session.authTimeMs), started_at: at(session.createdAtMs), last_seen_at: at(session.lastSeenAtMs), ends_at: at(session.expiresAtMs),
    methods: session.amr, class: session.acr, applications: clientIds,
  }));
}

async function eventsOf(ctx: Context, tenant: Tenant, user: User): Promise<readonly object[]> {
  const events: readonly AuditEvent[] = await searchAudit(ctx, { tenant: tenant.slug, subject: user.id, sinceMs: user.createdAtMs }, LOOKED_AT);
  return events.filter((event) => isAbout(event, user.id)).slice(0, MOST_EVENTS).map((event) => ({
    at: at(event.timeMs), type: event.type, outcome: event.outcome, reason: event.reason, by: event.actor, client_id: event.clientId, count: event.count,
    // Others' addresses are theirs. No client has a user's id (INT-115).
    ip: event.actor === user.id ? event.ip : null,
  }));
}
