import { layouts, tenantPrefix } from '../core/layouts.ts';
import { issuerOf } from '../core/issuer.ts';
import { auditEvent, type RequestOrigin } from '../core/audit-event.ts';
import type { Tenant, TokenFacts } from '../core/model.ts';
import { findFault } from '../core/standing.ts';
import { describeUser, findUserinfoFault } from '../core/userinfo.ts';
import type { UserinfoClaims } from '../spec/introspection.ts';
import { claimsFor } from './claims.ts';
import type { Context } from './context.ts';
import { readStanding } from './read-token.ts';

/** What the bearer of a token is told. */
export type UserinfoOutcome =
  | { readonly ok: true; readonly claims: UserinfoClaims }
  | { readonly ok: false; readonly error: 'invalid_token' | 'insufficient_scope' };

type Told = Extract<UserinfoOutcome, { readonly ok: true }>;
/** Why nothing is told, for operators; `facts`: of a token that is or was ours. */
type Refused = { readonly ok: false; readonly error: 'invalid_token' | 'insufficient_scope'; readonly reason: string; readonly facts: TokenFacts | null };
type Reading = Pick<Context, 'store' | 'clock' | 'tokens' | 'origin' | 'log'>;

/**
 * Writes down that a bearer was told nothing (LG-04, LG-10).
 * @param reason never told to the bearer
 * @param known a token that is or was ours: one that never was is a stranger's text, and gets no fingerprint
 */
export function recordUserinfoRefusal(
  ctx: Pick<Context, 'audit' | 'clock' | 'fingerprint'>, tenant: Tenant, reason: string, { ip, requestId }: RequestOrigin, known: { readonly token: string; readonly facts: TokenFacts } | null = null,
): void {
  const timeMs = ctx.clock.now();
  ctx.audit.add(() => auditEvent({
    timeMs, type: 'userinfo_refused', tenant: tenant.slug, actor: known?.facts.clientId ?? null, clientId: known?.facts.clientId ?? null, subject: known?.facts.subject ?? null,
    fingerprint: known === null ? null : ctx.fingerprint(known.token), ip, requestId, outcome: 'denied', reason,
  }));
}

/** A tenant's canonical userinfo URL, which a token's audience may name. */
function userinfoUrl(tenant: Tenant, issuer: string): string {
  const layout = layouts[tenant.layout];
  const prefix = tenantPrefix(layout, tenant.slug);
  return issuer.slice(0, issuer.length - prefix.length) + prefix + layout.paths.userinfo[0].path;
}

/**
 * OpenID Connect Core §5.3: who is the person behind this access token? The token is judged now, as introspection
 * judges it (AT-13, US-05, US-13).
 * @throws StoreError
 */
export async function tellUserinfo(ctx: Reading & Pick<Context, 'audit' | 'fingerprint'>, tenant: Tenant, token: string, from: RequestOrigin): Promise<UserinfoOutcome> {
  const outcome = await judge(ctx, tenant, token);
  if (outcome.ok) return outcome;
  const { error, reason, facts } = outcome;
  recordUserinfoRefusal(ctx, tenant, reason, from, facts === null ? null : { token, facts });
  return { ok: false, error };
}

async function judge(ctx: Reading, tenant: Tenant, token: string): Promise<Told | Refused> {
  const issuer = issuerOf(tenant, ctx.origin());
  const reading = await ctx.tokens.read(tenant, issuer, token);
  if (!reading.known) return { ok: false, error: 'invalid_token', reason: reading.reason, facts: null };
  const { facts } = reading;
  if (facts.tenantId !== tenant.id) return { ok: false, error: 'invalid_token', reason: 'other_tenant', facts: null };
  const refuse = (reason: string): Refused => ({ ok: false, error: reason === 'insufficient_scope' ? reason : 'invalid_token', reason, facts });
  if (facts.kind !== 'access') return refuse('wrong_type');
  const standing = await readStanding(ctx.store, tenant, facts, reading.source);
  const refusal = findFault(facts, standing, ctx.clock.now()) ?? findUserinfoFault(facts, issuer, userinfoUrl(tenant, issuer));
  if (refusal !== null) return refuse(refusal);
  const { user } = standing;
  if (user === null) return refuse('no_user');
  return { ok: true, claims: describeUser(facts, user, await claimsFor(ctx, tenant, 'userinfo', user, facts.orgId)) };
}
