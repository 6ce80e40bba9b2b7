import { auditEvent, type AuditEvent, type RequestOrigin } from '../core/audit-event.ts';
import { issuerOf } from '../core/issuer.ts';
import type { Client, RefreshRevocation, Tenant, TokenFacts } from '../core/model.ts';
import { decideRevocation } from '../core/revoke.ts';
import type { Context } from './context.ts';
import { clientWithin } from './introspect.ts';
import { revocationIdOf, type TokenReading, type TokenSource } from './read-token.ts';

/** Who revokes, for the audit trail. */
export type RevocationActor = { readonly tenant: Tenant; readonly actor: string; readonly from: RequestOrigin };

/**
 * RFC 7009 §2: makes a token worthless. When this resolves, the change is on disk (REV-19). The caller has proven who
 * it is, and learns nothing about the token.
 * @throws StoreError
 */
export async function revoke(ctx: Context, tenant: Tenant, caller: Client, token: string, from: RequestOrigin): Promise<void> {
  const reading = await ctx.tokens.read(tenant, issuerOf(tenant, ctx.origin()), token, { former: true });
  const facts = reading.known ? reading.facts : null;
  const verdict = decideRevocation(tenant, caller, facts);
  if (facts === null) ctx.metrics.revoked('unknown');
  if (verdict.act === 'deny' && facts !== null) {
    ctx.metrics.revoked('denied');
    const timeMs = ctx.clock.now();
    const { ip, requestId } = from;
    // Made after the answer, as for introspection (REV-24).
    ctx.audit.add(() => auditEvent({
      timeMs, type: 'token_revocation_denied', tenant: tenant.slug, actor: caller.id,
      clientId: clientWithin(tenant, facts), fingerprint: ctx.fingerprint(token), outcome: 'denied', reason: tenant.revocationPolicy, ip, requestId,
    }));
  }
  if (!reading.known || verdict.act === 'nothing' || verdict.act === 'deny') {
    // A durable write all the same, so that time does not tell an unknown or foreign token from one's own (REV-24).
    await ctx.store.probe();
    return;
  }
  const by = { tenant, actor: caller.id, from };
  if (verdict.act === 'revoke_grant') await revokeGrantOf(ctx, by, reading.facts, verdict.cascade, token);
  else await revokeAccessToken(ctx, by, reading.facts, reading.source, token);
}

/** Ends one access token, wherever it is kept. @throws StoreError */
export async function revokeAccessToken(ctx: Context, by: RevocationActor, facts: TokenFacts, source: TokenSource, token: string): Promise<void> {
  const nowMs = ctx.clock.now();
  const audit = (first: boolean): readonly AuditEvent[] => [revocationEvent(ctx, by, facts, token, first, 1)];
  const id = revocationIdOf(facts, source);
  if (source.kind === 'opaque') {
    countRevocation(ctx, await ctx.store.revokeOpaqueToken(source.digest, nowMs, audit));
  } else if (id !== null && facts.expiresAt !== null && facts.expiresAt * 1000 > nowMs) {
    countRevocation(ctx, await ctx.store.revokeTokenId(by.tenant.id, id, facts.expiresAt, nowMs, audit));
  } else {
    await ctx.store.probe();
    countRevocation(ctx, false);
  }
}

/** Ends the grant that a token belongs to, and its session where that is the tenant's rule. @throws StoreError */
export async function revokeGrantOf(ctx: Context, by: RevocationActor, facts: TokenFacts, cascade: RefreshRevocation, token: string): Promise<void> {
  if (facts.grantId === null) return;
  countRevocation(ctx, await ctx.store.revokeGrant(
    { tenantId: by.tenant.id, grantId: facts.grantId, session: cascade === 'session', atMs: ctx.clock.now() },
    (first, fallen) => [revocationEvent(ctx, by, facts, token, first, fallen)],
  ));
}

/** @param first whether it was this request that ended it */
function countRevocation(ctx: Context, first: boolean): void {
  ctx.metrics.revoked(first ? 'revoked' : 'already');
}

function revocationEvent(ctx: Context, by: RevocationActor, facts: TokenFacts, token: string, first: boolean, count: number): AuditEvent {
  return auditEvent({
    timeMs: ctx.clock.now(), type: 'token_revoked', tenant: by.tenant.slug, actor: by.actor, clientId: facts.clientId,
    subject: facts.subject, fingerprint: ctx.fingerprint(token), reason: `${facts.kind}_${first ? 'revoked' : 'already'}`,
    grantId: facts.grantId, count, ip: by.from.ip, requestId: by.from.requestId,
  });
}

/** Reads a token for an operator's act, who needs no client. @throws StoreError */
export async function readForOperator(ctx: Context, tenant: Tenant, token: string): Promise<TokenReading> {
  return ctx.tokens.read(tenant, issuerOf(tenant, ctx.origin()), token, { former: true });
}
