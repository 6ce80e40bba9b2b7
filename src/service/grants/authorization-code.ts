import { auditEvent, type AuditEvent, type AuditType } from '../../core/audit-event.ts';
import { decideAudience } from '../../core/audience.ts';
import { decideCode, MOST_CODE_FAILURES } from '../../core/authorization-code.ts';
import { makeGrantId } from '../../core/claims.ts';
import { issuerOf } from '../../core/issuer.ts';
import type { Grant, RefreshToken } from '../../core/model.ts';
import type { AuthorizationCode } from '../../core/people.ts';
import { digestOf } from '../../tokens/digest.ts';
import { isCode, makeOpaqueToken } from '../../tokens/opaque.ts';
import type { Context } from '../context.ts';
import { chooseFormat, isTooLong, logIssued, makeAccess, makeIdToken, tokenResponse } from '../issue.ts';
import { readAsked } from './asked.ts';
import { noteRefused, refuse, type GrantHandler, type TokenOutcome, type TokenRequest } from './grant.ts';

const ID_BYTES = 16;
const invalidGrant: TokenOutcome = refuse('invalid_grant', 'the code is not valid for this client and request');

/** RFC 6749 §4.1.3, OAuth 2.1 §4.1.3: a code that a person's sign-in gave, once. */
export const authorizationCode: GrantHandler = {
  type: 'authorization_code',
  allowPublic: true,
  async exchange(ctx, request) {
    const { code: text } = request.parameters;
    if (text === undefined) return refuse('invalid_request', 'code is missing');
    if (!isCode(text)) {
      noteRefused(ctx, request, 'unknown_code');
      return invalidGrant;
    }
    const outcome = await attempt(ctx, request, text);
    // Whoever lost a race looks again, and finds a code that is used: a replay.
    return outcome === 'lost_race' ? settled(await attempt(ctx, request, text)) : outcome;
  },
};

function settled(outcome: TokenOutcome | 'lost_race'): TokenOutcome {
  return outcome === 'lost_race' ? invalidGrant : outcome;
}

async function attempt(ctx: Context, request: TokenRequest, text: string): Promise<TokenOutcome | 'lost_race'> {
  const { tenant, client, parameters } = request;
  const code = await ctx.store.findCode(digestOf(text));
  if (code === null) {
    noteRefused(ctx, request, 'unknown_code');
    return invalidGrant;
  }
  const user = code.tenantId === tenant.id ? await ctx.store.findUser(tenant.id, code.userId) : null;
  const verifier = parameters.code_verifier ?? null;
  const verdict = decideCode(code, client, tenant, user, {
    redirectUri: parameters.redirect_uri ?? null, verifier, verifierDigest: verifier === null ? null : digestOf(verifier),
  }, ctx.clock.now());
  const event = (type: AuditType, extra: Partial<AuditEvent> = {}): AuditEvent => codeEvent(ctx, request, code, text, type, extra);
  switch (verdict.act) {
    case 'refuse':
      ctx.audit.add(event('code_refused', { outcome: 'denied', reason: verdict.reason }));
      return verdict.error === 'invalid_grant' ? invalidGrant : refuse(verdict.error, 'code_verifier was not announced by a code_challenge');
    case 'wrong_verifier':
      await ctx.store.countCodeFailure(code.digest, MOST_CODE_FAILURES, ctx.clock.now());
      ctx.audit.add(event('code_refused', { outcome: 'denied', reason: 'wrong_verifier' }));
      return invalidGrant;
    case 'replay':
      return endReplayed(ctx, request, code, event);
    case 'redeem':
      return redeem(ctx, request, code, event);
  }
}

/** A code came twice, rightly presented both times: one of the two is not the client (TAC-10). */
async function endReplayed(ctx: Context, request: TokenRequest, code: AuthorizationCode, event: (type: AuditType, extra?: Partial<AuditEvent>) => AuditEvent): Promise<TokenOutcome> {
  if (code.grantId !== null) {
    await ctx.store.revokeGrant(
      { tenantId: request.tenant.id, grantId: code.grantId, session: false, atMs: ctx.clock.now() },
      (_first, fallen) => [event('code_replayed', { outcome: 'denied', count: fallen })],
    );
  }
  return invalidGrant;
}

async function redeem(
  ctx: Context, request: TokenRequest, code: AuthorizationCode, event: (type: AuditType, extra?: Partial<AuditEvent>) => AuditEvent,
): Promise<TokenOutcome | 'lost_race'> {
  const { tenant, client } = request;
  const nowMs = ctx.clock.now();
  const grant = grantOf(ctx, request, code, nowMs);
  const asked = await readAsked(ctx, request, grant, null);
  if ('error' in asked) return asked;
  const made = await makeAccess(ctx, {
    tenant, client, scopes: asked.scopes, audience: asked.audience, format: chooseFormat(client, asked.resources), grant, orgId: null,
    sessionEndsAtMs: code.offline ? null : code.sessionEndsAtMs,
  });
  if (isTooLong(made)) return refuse('invalid_scope', 'the token would be longer than 4 KiB: ask for fewer scopes');
  const idToken = await makeIdToken(ctx, tenant, grant, made, code.nonce);
  const refreshText = client.grants.includes('refresh_token') ? makeOpaqueToken('refresh', ctx.random) : null;
  const refresh: RefreshToken | null = refreshText === null ? null : {
    digest: digestOf(refreshText), tenantId: tenant.id, grantId: grant.id, issuedAtMs: nowMs, expiresAtMs: grant.expiresAtMs, use: null,
  };
  const outcome = await ctx.store.redeemCode({ digest: code.digest, atMs: nowMs, grant, refresh, access: made.stored }, [
    event('grant_opened', { grantId: grant.id, reason: 'authorization_code', fingerprint: ctx.fingerprint(made.token) }),
  ]);
  if (outcome === 'spent') return 'lost_race';
  if (outcome === 'session_unusable') return invalidGrant;
  logIssued(ctx, tenant, made, 'authorization_code', request.from.requestId);
  return { ok: true, response: tokenResponse(made, refreshText, idToken) };
}

/** What the person allowed, as a grant: it ends with the session unless it is offline (TRT-21). */
function grantOf(ctx: Context, { tenant, client }: TokenRequest, code: AuthorizationCode, nowMs: number): Grant {
  const endMs = nowMs + (client.refreshTokenTtl ?? tenant.refreshTokenTtl) * 1000;
  return {
    id: makeGrantId(nowMs, ctx.random.text(ID_BYTES)), tenantId: tenant.id, clientId: client.id, userId: code.userId, sessionId: code.sessionId,
    orgId: code.orgId, scopes: code.scopes, audience: decideAudience(code.resources, client, tenant, issuerOf(tenant, ctx.origin())),
    offline: code.offline, authTime: code.authTime, acr: code.acr, amr: code.amr, createdAtMs: nowMs,
    expiresAtMs: code.offline ? endMs : Math.min(endMs, code.sessionEndsAtMs), revokedAtMs: null,
  };
}

function codeEvent(ctx: Context, request: TokenRequest, code: AuthorizationCode, text: string, type: AuditType, extra: Partial<AuditEvent>): AuditEvent {
  // The trail of a tenant holds nothing of another's (MTN-06).
  const own = code.tenantId === request.tenant.id;
  return auditEvent({
    timeMs: ctx.clock.now(), type, tenant: request.tenant.slug, actor: request.client.id, clientId: own ? code.clientId : null, subject: own ? code.userId : null,
    fingerprint: ctx.fingerprint(text), grantId: own ? code.grantId : null, ip: request.from.ip, requestId: request.from.requestId, ...extra,
  });
}
