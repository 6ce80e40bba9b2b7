import { adminScopes, covers, type ApiKey } from '../core/admin.ts';
import { auditEvent, type RequestOrigin } from '../core/audit-event.ts';
import { readBearer } from '../core/bearer.ts';
import { issuerOf } from '../core/issuer.ts';
import type { TokenFacts } from '../core/model.ts';
import { networkOf } from '../core/network.ts';
import { findFault } from '../core/standing.ts';
import { DEFAULT_TENANT } from '../core/tenant-settings.ts';
import { apiKeyId } from '../tokens/api-key.ts';
import { digestOf, sameDigest } from '../tokens/digest.ts';
import { findUsableTenant, type Context } from './context.ts';
import { readStanding } from './read-token.ts';
import { makeThrottle } from './throttle.ts';

/** Who operates over HTTP, and what they may. */
export type AdminCaller = {
  readonly kind: 'api_key' | 'user' | 'client';
  /** Id of the key, user or client. */
  readonly id: string;
  /** As the audit trail calls them: `key:` and an API key's id, a user's or a client's id. */
  readonly actor: string;
  readonly scopes: readonly string[];
  /** The one tenant whose things they may operate; null: all, and the server itself. */
  readonly tenantId: string | null;
};

/** `none`: nothing was presented. `malformed`: in a form that nobody can mean. `invalid`: it does not do, or not any more. */
export type AdminAuthentication =
  | { readonly ok: true; readonly caller: AdminCaller }
  | { readonly ok: false; readonly error: 'none' | 'malformed' | 'invalid' }
  | { readonly ok: false; readonly error: 'throttled'; readonly retryAfterMs: number };

export type AdminAccess = {
  /** Proves who calls the admin API. @param authorization the header; null: absent. @throws StoreError */
  authenticate(authorization: string | null, from: RequestOrigin): Promise<AdminAuthentication>;
};

/** What is wrong with a credential, for the audit trail. */
type Why = 'no_credentials' | 'malformed' | 'unknown_key' | 'key_revoked' | 'key_expired' | 'tenant_gone' | 'bad_token' | 'wrong_audience' | 'throttled';
type Verdict = { readonly ok: true; readonly caller: AdminCaller } | { readonly ok: false; readonly why: Why; readonly actor: string | null };

/** Wrong credentials per minute from one address; what is right always passes. */
const LIMIT_PER_ADDRESS = 100;
/** A key's last use is noted so often, milliseconds. */
const NOTE_EVERY_MS = 60_000;

/** Where the admin API is, which is what tokens for it are meant for (RFC 8707). */
export function adminAudience(origin: { readonly url: string }): string {
  return `${origin.url}/admin/v1`;
}

/** Knows callers of the admin API: API keys, and access tokens of the tenant `default`. */
export function makeAdminAccess(ctx: Context): AdminAccess {
  const { store, clock, audit } = ctx;
  const throttle = makeThrottle(clock);

  /** Nobody waits for it, and the next call notes it where this one could not. */
  function noteUse({ id, lastUsedAtMs }: ApiKey): void {
    const nowMs = clock.now();
    if (lastUsedAtMs !== null && nowMs - lastUsedAtMs < NOTE_EVERY_MS) return;
    store.touchApiKey(id, nowMs).catch((error: unknown) => ctx.log.warn('the use of an API key could not be noted', { key: id, kind: error instanceof Error ? error.name : 'unknown' }));
  }

  async function proveKey(text: string): Promise<Verdict> {
    const digest = digestOf(text);
    const key = await store.findApiKey(digest);
    if (key === null || !sameDigest(key.digest, digest)) return { ok: false, why: 'unknown_key', actor: null };
    const actor = `key:${key.id}`;
    const nowMs = clock.now();
    if (key.revokedAtMs !== null) return { ok: false, why: 'key_revoked', actor };
    if (key.expiresAtMs !== null && key.expiresAtMs <= nowMs) return { ok: false, why: 'key_expired', actor };
    if (await isGone(key.tenantId)) return { ok: false, why: 'tenant_gone', actor };
    noteUse(key);
    return { ok: true, caller: { kind: 'api_key', id: key.id, actor, scopes: key.scopes, tenantId: key.tenantId } };
  }

  /** Whether the one tenant that somebody may operate is no more: its slug may be another's then. */
  async function isGone(tenantId: string | null): Promise<boolean> {
    return tenantId !== null && (await store.findTenant({ id: tenantId }))?.deletedAtMs !== null;
  }

  /** What somebody's token and what they are allowed have in common. */
  async function callerOf(facts: TokenFacts): Promise<AdminCaller> {
    const inToken = adminScopes.filter((scope) => facts.scopes.includes(scope));
    if (facts.userId === null) return { kind: 'client', id: facts.clientId, actor: facts.clientId, scopes: inToken, tenantId: null };
    const administrator = await store.findAdministrator(facts.userId);
    const scopes = adminScopes.filter((scope) => covers(inToken, [scope]) && covers(administrator?.scopes ?? [], [scope]));
    return { kind: 'user', id: facts.userId, actor: facts.userId, scopes, tenantId: administrator?.tenantId ?? null };
  }

  async function proveToken(text: string): Promise<Verdict> {
    const bad = { ok: false, why: 'bad_token', actor: null } as const;
    const tenant = await findUsableTenant(store, { slug: DEFAULT_TENANT });
    if (tenant === null) return bad;
    const reading = await ctx.tokens.read(tenant, issuerOf(tenant, ctx.origin()), text);
    if (!reading.known || reading.facts.kind !== 'access' || reading.facts.tenantId !== tenant.id) return bad;
    const { facts, source } = reading;
    // A token that is bound to a key is good only with a proof of that key, which is not asked for here.
    if (facts.confirmation !== null || findFault(facts, await readStanding(store, tenant, facts, source), clock.now()) !== null) return bad;
    if (!facts.audience.includes(adminAudience(ctx.origin()))) return { ok: false, why: 'wrong_audience', actor: facts.userId ?? facts.clientId };
    const caller = await callerOf(facts);
    return await isGone(caller.tenantId) ? { ok: false, why: 'tenant_gone', actor: caller.actor } : { ok: true, caller };
  }

  function refuse(why: Why, actor: string | null, from: RequestOrigin): void {
    audit.add(auditEvent({ timeMs: clock.now(), type: 'access_refused', actor, ip: from.ip, requestId: from.requestId, outcome: 'failure', reason: why }));
  }

  return {
    async authenticate(authorization, from) {
      const reading = readBearer(authorization, null);
      if (!reading.ok || (reading.token === null && authorization !== null)) {
        refuse('malformed', null, from);
        return { ok: false, error: 'malformed' };
      }
      if (reading.token === null) {
        refuse('no_credentials', null, from);
        return { ok: false, error: 'none' };
      }
      const verdict = apiKeyId(reading.token) === null ? await proveToken(reading.token) : await proveKey(reading.token);
      if (verdict.ok) return verdict;
      const network = networkOf(from.ip);
      const retryAfterMs = ctx.settings.rateLimits ? throttle.blockedForMs(network, LIMIT_PER_ADDRESS) : null;
      refuse(retryAfterMs === null ? verdict.why : 'throttled', verdict.actor, from);
      if (retryAfterMs !== null) return { ok: false, error: 'throttled', retryAfterMs };
      throttle.count(network);
      return { ok: false, error: 'invalid' };
    },
  };
}
