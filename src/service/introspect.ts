import { auditEvent, type RequestOrigin } from '../core/audit-event.ts';
import { resourceKey } from './resources.ts';
import { decideIntrospection, effectivePolicy, type IntrospectionVerdict } from '../core/introspect.ts';
import { issuerOf } from '../core/issuer.ts';
import type { Client, IntrospectionPolicy, Resource, ShapeName, Tenant, TokenFacts, User } from '../core/model.ts';
import { shapes } from '../core/shapes.ts';
import type { InactiveReason } from '../core/standing.ts';
import type { Store } from '../core/store.ts';
import { addsClaims, claimsFor } from './claims.ts';
import type { Context } from './context.ts';
import { readStanding, tokenIssuer, type TokenSource } from './read-token.ts';

/** Tells operators, for one request, what policy had to say. Costs the request next to nothing. */
export type Telling = (from: RequestOrigin) => void;

/** What the caller may learn, and why for those who operate the server. */
export type IntrospectionOutcome =
  | {
    readonly active: true; readonly facts: TokenFacts; readonly scopes: readonly string[]; readonly user: User | null;
    readonly issuer: string; readonly orgName: string | null;
    /** Claims that the tenant adds, as they are now; null: none for this caller. */
    readonly mapped: Readonly<Record<string, unknown>> | null;
    readonly tell: Telling | null;
  }
  | { readonly active: false; readonly reason: InactiveReason; readonly tell: Telling | null };

/** The verdict on a token that is or was ours, with what it was decided from. */
export type Judgement = { readonly verdict: IntrospectionVerdict; readonly user: User | null };

/** Tokens of former issuers are told about, too. */
const FORMER = { former: true } as const;

/** Resources in a token's `aud` that the caller answers for. */
async function ownedResources(store: Store, caller: Client, facts: TokenFacts): Promise<readonly Resource[]> {
  const owned: Resource[] = [];
  for (const audience of facts.audience) {
    const resource = await store.findResource(caller.tenantId, resourceKey(audience));
    if (resource !== null && resource.ownerClientId === caller.id) owned.push(resource);
  }
  return owned;
}

/** Decides about a known token for one caller, without telling anyone. @throws StoreError */
export async function judgeToken(ctx: Pick<Context, 'store' | 'clock'>, tenant: Tenant, caller: Client, facts: TokenFacts, source: TokenSource): Promise<Judgement> {
  // Asked only where it matters: under the other policies a foreign token would take longer than others (INT-96).
  const matters = facts.clientId !== caller.id && facts.kind === 'access' && effectivePolicy(tenant, caller) === 'audience';
  const owned = matters ? await ownedResources(ctx.store, caller, facts) : [];
  // Of another tenant's token nothing is looked up here: no owner of it is an owner in this tenant.
  const standing = facts.tenantId === tenant.id
    ? await readStanding(ctx.store, tenant, facts, source)
    : { tenant, client: null, user: null, revoked: false, rotated: false, grantRevoked: false };
  return { verdict: decideIntrospection(caller, owned, facts, standing, ctx.clock.now()), user: standing.user };
}

/** A token's client, for the tenant's audit trail, which holds nothing of other tenants (MTN-06). */
export function clientWithin(tenant: Tenant, facts: TokenFacts): string | null {
  return facts.tenantId === tenant.id ? facts.clientId : null;
}

/** Facts of no token at all. */
function nobodys(caller: Client): TokenFacts {
  return {
    kind: 'access', tenantId: caller.tenantId, clientId: caller.id, subject: caller.id, userId: null, scopes: [], audience: [], issuedAtMs: 0, expiresAt: 0, notBefore: null,
    id: 'none', grantId: null, sessionId: null, orgId: null, confirmation: null, actor: null, authTime: null, acr: null,
  };
}

/**
 * RFC 7662 §2: is this token good right now, and what is it? Changes nothing about the token (INT-30). The caller has
 * proven who it is. Nobody is told yet: that is the outcome's `tell`, once for every request that gets this answer.
 * @param shape form of the answer, so that only what it tells is looked up
 * @throws StoreError when our own storage fails: never an answer about the token (INT-29)
 */
export async function introspect(ctx: Context, tenant: Tenant, caller: Client, token: string, shape: ShapeName = tenant.shape): Promise<IntrospectionOutcome> {
  const issuer = issuerOf(tenant, ctx.origin());
  const reading = await ctx.tokens.read(tenant, issuer, token, FORMER);
  if (!reading.known) {
    // The questions that a known token raises, so that time does not tell it from an unknown one (INT-96).
    if (reading.reason !== 'not_a_token') await readStanding(ctx.store, tenant, nobodys(caller), { kind: 'jwt' });
    return { active: false, reason: reading.reason, tell: null };
  }
  const { facts } = reading;
  const { verdict, user } = await judgeToken(ctx, tenant, caller, facts, reading.source);
  const tell = verdict.recorded === null ? null : tellOf(ctx, tenant, caller, clientWithin(tenant, facts), token, verdict.recorded, verdict.policy);
  if (!verdict.active) return { active: false, reason: verdict.reason, tell };
  const namesOrg = facts.orgId !== null && shapes[shape].organizationName;
  const org = namesOrg ? await ctx.store.findOrganization(tenant.id, facts.orgId) : null;
  const adds = user !== null && !caller.selfRegistered && addsClaims(tenant, 'introspection');
  const mapped = adds ? await claimsFor(ctx, tenant, 'introspection', user, facts.orgId) : null;
  return { active: true, facts, scopes: verdict.scopes, user, issuer: tokenIssuer(reading.source, issuer), orgName: org?.name ?? null, mapped, tell };
}

/**
 * How operators are told of what policy refused, or would have. The event is made after the answer, so that a foreign
 * token is not slower than an unknown one (INT-96); the token itself is forgotten as soon as it has a fingerprint.
 */
function tellOf(
  ctx: Context, tenant: Tenant, caller: Client, clientId: string | null, token: string, recorded: 'denied' | 'would_deny', policy: IntrospectionPolicy,
): Telling {
  let plain: string | null = token;
  let fingerprint: string | null = null;
  return ({ ip, requestId }) => {
    ctx.metrics.introspectionRecorded(recorded);
    const timeMs = ctx.clock.now();
    ctx.audit.add(() => {
      if (plain !== null) fingerprint = ctx.fingerprint(plain);
      plain = null;
      return auditEvent({
        timeMs, type: recorded === 'denied' ? 'token_introspection_denied' : 'token_introspection_would_deny',
        tenant: tenant.slug, actor: caller.id, clientId, fingerprint,
        outcome: recorded === 'denied' ? 'denied' : 'success', reason: policy, ip, requestId,
      });
    });
  };
}
