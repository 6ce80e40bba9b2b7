import { auditEvent, type AuditEvent, type AuditType } from '../../core/audit-event.ts';
import { parseResources } from '../../core/audience.ts';
import type { Client, Grant, RefreshToken, Resource, Tenant, TokenFacts } from '../../core/model.ts';
import { decideRefresh, refreshFacts } from '../../core/refresh.ts';
import { decideScope, parseScope } from '../../core/scope.ts';
import { digestOf } from '../../tokens/digest.ts';
import { makeOpaqueToken, openSuccessor, opaqueKind, sealSuccessor } from '../../tokens/opaque.ts';
import type { Context } from '../context.ts';
import { accessLifetime, chooseFormat, isTooLong, logIssued, makeAccess, tokenResponse, type MadeAccess } from '../issue.ts';
import { readStanding } from '../read-token.ts';
import { findResources, resourceKey } from '../resources.ts';
import { refuse, type GrantHandler, type TokenOutcome, type TokenRequest } from './grant.ts';

/** A refresh that lost a race looks again; nobody loses more often than this. */
const ATTEMPTS = 4;

const invalidGrant: TokenOutcome = refuse('invalid_grant', 'the refresh token is not valid for this client');

/** What is asked for, proven against the grant. */
type Asked = {
  readonly scopes: readonly string[];
  readonly audience: readonly string[];
  readonly resources: readonly Resource[];
};

/** RFC 6749 §6, OAuth 2.1 §4.3: rotation, reuse detection, and forgiveness for an answer that got lost. */
export const refreshToken: GrantHandler = {
  type: 'refresh_token',
  allowPublic: true,
  async exchange(ctx, request) {
    const presented = request.parameters.refresh_token;
    if (presented === undefined) return refuse('invalid_request', 'refresh_token is missing');
    if (opaqueKind(presented) !== 'refresh') return invalidGrant;
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const outcome = await attemptRefresh(ctx, request, presented);
      if (outcome !== 'lost_race') return outcome;
    }
    return invalidGrant;
  },
};

async function attemptRefresh(ctx: Context, request: TokenRequest, presented: string): Promise<TokenOutcome | 'lost_race'> {
  const { tenant, client } = request;
  const digest = digestOf(presented);
  const row = await ctx.store.findRefreshToken(digest);
  if (row === null) return invalidGrant;
  const { token, grant } = row;
  const facts = refreshFacts(token, grant);
  const standing = await readStanding(ctx.store, tenant, facts, { kind: 'refresh', digest, rotated: false });
  const { scope, resource = [] } = request.parameters;
  const requestDigest = digestOf(JSON.stringify([scope ?? null, resource]));
  const verdict = decideRefresh(client, token, grant, standing, {
    digest: requestDigest, nowMs: ctx.clock.now(), graceMs: ctx.settings.refreshGraceMs,
  });
  const event = (type: AuditType, extra: Partial<AuditEvent> = {}): AuditEvent =>
    refreshEvent(ctx, request, facts, presented, type, extra);

  if (verdict.act === 'refuse') {
    ctx.audit.add(event('refresh_refused', { outcome: 'denied', reason: verdict.reason }));
    return invalidGrant;
  }
  if (verdict.act === 'reuse') {
    await ctx.store.revokeGrant(
      { tenantId: tenant.id, grantId: grant.id, session: false, atMs: ctx.clock.now() },
      (_first, fallen) => [event('refresh_reuse_detected', { outcome: 'denied', count: fallen })],
    );
    return invalidGrant;
  }
  const asked = await readAsked(ctx, request, grant);
  if ('error' in asked) return asked;
  const lifetime = accessLifetime(tenant, client);
  const made = await makeAccess(ctx, {
    tenant, client, scopes: asked.scopes, audience: asked.audience, format: chooseFormat(client, asked.resources), grant, orgId: null, lifetime,
  });
  if (isTooLong(made)) return refuse('invalid_scope', 'the token would be longer than 4 KiB: ask for fewer scopes');

  if (verdict.act === 'rotate') {
    const successor = await rotate(ctx, presented, token, made, requestDigest, event('token_refreshed'));
    return successor === null ? 'lost_race' : answer(ctx, request, made, lifetime, successor);
  }
  const again = verdict.act === 'keep' ? presented : replayed(token, presented);
  if (again === null) return invalidGrant;
  const kept = await ctx.store.addAccess(grant.id, made.stored, [event(verdict.act === 'keep' ? 'token_refreshed' : 'token_replayed')]);
  return kept ? answer(ctx, request, made, lifetime, again) : invalidGrant;
}

/** Scope and audience of the new access token: within the grant, and within what the client still has (TRT-02, TRT-23). */
async function readAsked(ctx: Context, request: TokenRequest, grant: Grant): Promise<Asked | Extract<TokenOutcome, { ok: false }>> {
  const refused = (error: 'invalid_scope' | 'invalid_target', description: string) => ({ ok: false, error, description }) as const;
  const keys = parseResources(request.parameters.resource ?? []);
  const granted = new Set(grant.audience.map(resourceKey));
  const asked = keys === null || !keys.every((key) => granted.has(key)) ? null : await findResources(ctx.store, request.tenant.id, keys);
  if (asked === null) return refused('invalid_target', 'a requested resource is not part of this grant');
  const audience = asked.length > 0 ? asked.map((resource) => resource.uri) : grant.audience;
  const resources = asked.length > 0 ? asked : await registeredOf(ctx, request.tenant, grant.audience);

  const words = request.parameters.scope === undefined ? null : parseScope(request.parameters.scope);
  if (request.parameters.scope !== undefined && words === null) return refused('invalid_scope', 'the requested scope is malformed');
  const registered = new Set(request.client.scopes);
  const scope = decideScope(words, grant.scopes.filter((name) => registered.has(name)), asked, true);
  if (!scope.ok) return refused('invalid_scope', 'the requested scope goes beyond the grant');
  return { scopes: scope.scopes, audience, resources };
}

async function registeredOf(ctx: Context, tenant: Tenant, audience: readonly string[]): Promise<readonly Resource[]> {
  const found: Resource[] = [];
  for (const identifier of audience) {
    const resource = await ctx.store.findResource(tenant.id, resourceKey(identifier));
    if (resource !== null) found.push(resource);
  }
  return found;
}

/** Spends the token for a successor; null when somebody was quicker. */
async function rotate(ctx: Context, presented: string, token: RefreshToken, made: MadeAccess, requestDigest: string, audit: AuditEvent): Promise<string | null> {
  const successor = makeOpaqueToken('refresh', ctx.random);
  const nowMs = ctx.clock.now();
  const successorDigest = digestOf(successor);
  const won = await ctx.store.rotateRefresh({
    digest: token.digest,
    use: { usedAtMs: nowMs, successorDigest, successorSealed: sealSuccessor(presented, successor), requestDigest },
    successor: { ...token, digest: successorDigest, issuedAtMs: nowMs, use: null },
    access: made.stored,
  }, [audit]);
  return won ? successor : null;
}

function replayed(token: RefreshToken, presented: string): string | null {
  return token.use === null ? null : openSuccessor(presented, token.use.successorSealed);
}

function answer(ctx: Context, request: TokenRequest, made: MadeAccess, lifetime: number, refresh: string): TokenOutcome {
  logIssued(ctx, request.tenant, made, 'refresh_token', request.from.requestId);
  return { ok: true, response: tokenResponse(made, lifetime, refresh) };
}

function refreshEvent(ctx: Context, request: TokenRequest, facts: TokenFacts, presented: string, type: AuditType, extra: Partial<AuditEvent>): AuditEvent {
  const client: Client = request.client;
  return auditEvent({
    timeMs: ctx.clock.now(), type, tenant: request.tenant.slug, actor: client.id, clientId: facts.clientId,
    subject: facts.subject, fingerprint: ctx.fingerprint(presented), grantId: facts.grantId, ip: request.from.ip, requestId: request.from.requestId, ...extra,
  });
}
