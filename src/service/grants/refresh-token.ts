import { auditEvent, type AuditEvent, type AuditType } from '../../core/audit-event.ts';
import type { Client, Grant, RefreshToken, Tenant, TokenFacts } from '../../core/model.ts';
import { decideRefresh, refreshFacts } from '../../core/refresh.ts';
import { parseScope } from '../../core/scope.ts';
import { isVisitDue, type SessionTimes } from '../../core/session.ts';
import type { GrantVisit, NewAccess } from '../../core/store.ts';
import { digestOf } from '../../tokens/digest.ts';
import { makeOpaqueToken, openSuccessor, opaqueKind, sealSuccessor } from '../../tokens/opaque.ts';
import type { Context } from '../context.ts';
import { chooseFormat, isTooLong, logIssued, makeAccess, makeIdToken, tokenResponse, type MadeAccess } from '../issue.ts';
import { readStanding } from '../read-token.ts';
import { readAsked } from './asked.ts';
import { noteRefused, refuse, type GrantHandler, type TokenOutcome, type TokenRequest } from './grant.ts';

/** A refresh that lost a race looks again; nobody loses more often than this. */
const ATTEMPTS = 4;

const invalidGrant: TokenOutcome = refuse('invalid_grant', 'the refresh token is not valid for this client');

/** RFC 6749 §6, OAuth 2.1 §4.3: rotation, reuse detection, and forgiveness for an answer that got lost. */
export const refreshToken: GrantHandler = {
  type: 'refresh_token',
  allowPublic: true,
  async exchange(ctx, request) {
    const presented = request.parameters.refresh_token;
    if (presented === undefined) return refuse('invalid_request', 'refresh_token is missing');
    if (opaqueKind(presented) !== 'refresh') {
      noteRefused(ctx, request, 'unknown_refresh_token');
      return invalidGrant;
    }
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
  if (row === null) {
    noteRefused(ctx, request, 'unknown_refresh_token');
    return invalidGrant;
  }
  const { token, grant, session } = row;
  const facts = refreshFacts(token, grant);
  const standing = await readStanding(ctx.store, tenant, facts, { kind: 'refresh', digest, rotated: false });
  const { scope, resource = [] } = request.parameters;
  const requestDigest = digestOf(JSON.stringify([scope ?? null, resource]));
  const verdict = decideRefresh(client, token, grant, standing, {
    digest: requestDigest, nowMs: ctx.clock.now(), graceMs: ctx.settings.refreshGraceMs, session,
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
    ctx.metrics.refreshReused();
    return invalidGrant;
  }
  const words = scope === undefined ? null : parseScope(scope);
  if (scope !== undefined && words === null) return refuse('invalid_scope', 'the requested scope is malformed');
  const asked = await readAsked(ctx, request, grant, words);
  if ('error' in asked) return asked;
  const made = await makeAccess(ctx, {
    tenant, client, scopes: asked.scopes, audience: asked.audience, format: chooseFormat(client, asked.resources), grant, orgId: null,
    sessionEndsAtMs: grant.offline ? null : (session?.expiresAtMs ?? null),
  });
  if (isTooLong(made)) return refuse('invalid_scope', 'the token would be longer than 4 KiB: ask for fewer scopes');

  const visit = visitOf(grant, session, tenant, ctx.clock.now());
  if (verdict.act === 'rotate') {
    const successor = await rotate(ctx, presented, token, { access: made.stored, visit }, requestDigest, event('token_refreshed'));
    return successor === null ? 'lost_race' : answer(ctx, request, grant, made, successor);
  }
  const again = verdict.act === 'keep' ? presented : replayed(token, presented);
  if (again === null) return invalidGrant;
  const kept = await ctx.store.addAccess(grant.id, made.stored, [event(verdict.act === 'keep' ? 'token_refreshed' : 'token_replayed')], visit);
  return kept ? answer(ctx, request, grant, made, again) : invalidGrant;
}

/** A refresh is a visit to the session that the grant ends with; null: not to be noted. */
function visitOf({ sessionId }: Grant, session: SessionTimes | null, tenant: Tenant, nowMs: number): GrantVisit | null {
  return sessionId !== null && session !== null && isVisitDue(session, tenant, nowMs) ? { sessionId, atMs: nowMs } : null;
}

/** Spends the token for a successor; null when somebody was quicker. */
async function rotate(ctx: Context, presented: string, token: RefreshToken, gains: { readonly access: NewAccess; readonly visit: GrantVisit | null }, requestDigest: string, audit: AuditEvent): Promise<string | null> {
  const successor = makeOpaqueToken('refresh', ctx.random);
  const nowMs = ctx.clock.now();
  const successorDigest = digestOf(successor);
  const won = await ctx.store.rotateRefresh({
    digest: token.digest,
    use: { usedAtMs: nowMs, successorDigest, successorSealed: sealSuccessor(presented, successor), requestDigest },
    successor: { ...token, digest: successorDigest, issuedAtMs: nowMs, use: null },
    ...gains,
  }, [audit]);
  return won ? successor : null;
}

function replayed(token: RefreshToken, presented: string): string | null {
  return token.use === null ? null : openSuccessor(presented, token.use.successorSealed);
}

/** The ID token is made after the commit: a failure there is our own, and the client's retry within the grace gets all of it. */
async function answer(ctx: Context, request: TokenRequest, grant: Grant, made: MadeAccess, refresh: string): Promise<TokenOutcome> {
  logIssued(ctx, request.tenant, made, 'refresh_token', request.from.requestId);
  const idToken = made.facts.scopes.includes('openid') ? await makeIdToken(ctx, request.tenant, grant, made, null) : null;
  return { ok: true, response: tokenResponse(made, refresh, idToken) };
}

function refreshEvent(ctx: Context, request: TokenRequest, facts: TokenFacts, presented: string, type: AuditType, extra: Partial<AuditEvent>): AuditEvent {
  const client: Client = request.client;
  return auditEvent({
    timeMs: ctx.clock.now(), type, tenant: request.tenant.slug, actor: client.id, clientId: facts.clientId,
    subject: facts.subject, fingerprint: ctx.fingerprint(presented), grantId: facts.grantId, ip: request.from.ip, requestId: request.from.requestId, ...extra,
  });
}
