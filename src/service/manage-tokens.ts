import { effectivePolicy } from '../core/introspect.ts';
import { issuerOf } from '../core/issuer.ts';
import type { IntrospectionPolicy, Tenant, TokenFacts, User } from '../core/model.ts';
import { findFault, type InactiveReason } from '../core/standing.ts';
import type { Context } from './context.ts';
import { judgeToken } from './introspect.ts';
import { requireClient } from './manage-clients.ts';
import { done, refused, type Managed } from './manage-outcome.ts';
import { readStanding, tokenIssuer, type TokenReading, type TokenSource } from './read-token.ts';
import { readForOperator, revokeAccessToken, revokeGrantOf } from './revoke.ts';

/** Everything known about a token, for the operator alone. */
export type Inspection =
  | { readonly known: false; readonly reason: InactiveReason }
  | {
    readonly known: true;
    readonly facts: TokenFacts;
    readonly format: TokenSource['kind'];
    readonly issuer: string;
    readonly user: User | null;
    /** null: it is good. */
    readonly reason: InactiveReason | null;
    readonly fingerprint: string;
  };

async function readToken(ctx: Context, tenant: Tenant, token: string): Promise<TokenReading> {
  const reading = await readForOperator(ctx, tenant, token);
  return reading.known && reading.facts.tenantId !== tenant.id ? { known: false, reason: 'other_tenant' } : reading;
}

/** What a token is, and whether it is good, whoever may know. Changes nothing. @throws StoreError */
export async function inspectToken(ctx: Context, tenant: Tenant, token: string): Promise<Inspection> {
  const reading = await readToken(ctx, tenant, token);
  if (!reading.known) return reading;
  const standing = await readStanding(ctx.store, tenant, reading.facts, reading.source);
  return {
    known: true, facts: reading.facts, format: reading.source.kind, issuer: tokenIssuer(reading.source, issuerOf(tenant, ctx.origin())), user: standing.user,
    reason: findFault(reading.facts, standing, ctx.clock.now()), fingerprint: ctx.fingerprint(token),
  };
}

/** Why a caller gets the answer that it gets. */
export type Explanation = {
  readonly active: boolean;
  /** null: nothing to explain. */
  readonly reason: InactiveReason | 'would_deny' | 'caller_public' | 'caller_disabled' | null;
  readonly policy: IntrospectionPolicy;
  readonly caller: string;
  /** The client that the token was issued to; null when the token is unknown. */
  readonly clientId: string | null;
};

/**
 * What introspection would say to this caller, and why (wire contract §3). The caller never learns; nothing is recorded.
 * @throws StoreError
 */
export async function explainToken(ctx: Context, tenant: Tenant, token: string, as: string): Promise<Managed<Explanation>> {
  const found = await requireClient(ctx, tenant, as);
  if (!found.ok) return found;
  const caller = found.value;
  const reading = await readToken(ctx, tenant, token);
  const about = { policy: effectivePolicy(tenant, caller), caller: caller.id, clientId: reading.known ? reading.facts.clientId : null };
  if (caller.public) return done({ active: false, reason: 'caller_public', ...about });
  if (caller.disabledAtMs !== null) return done({ active: false, reason: 'caller_disabled', ...about });
  if (!reading.known) return done({ active: false, reason: reading.reason, ...about });
  const { verdict } = await judgeToken(ctx, tenant, caller, reading.facts, reading.source);
  return done(verdict.active
    ? { active: true, reason: verdict.recorded, ...about }
    : { active: false, reason: verdict.reason, ...about });
}

/**
 * Revokes one token: an access token alone, a refresh token with its grant, and its session where that is the tenant's
 * rule. What was revoked or expired before is fine. @throws StoreError
 */
export async function revokeToken(ctx: Context, tenant: Tenant, token: string): Promise<Managed<null>> {
  const reading = await readToken(ctx, tenant, token);
  if (!reading.known) {
    return refused('not_found', `this is no token of the tenant ${tenant.slug} (${reading.reason})`, { member: 'token', hint: 'is it complete, and is --tenant right?' });
  }
  const by = { tenant, actor: ctx.by.actor, from: ctx.by };
  if (reading.facts.kind === 'refresh') await revokeGrantOf(ctx, by, reading.facts, tenant.refreshRevocation, token);
  else await revokeAccessToken(ctx, by, reading.facts, reading.source, token);
  return done(null);
}
