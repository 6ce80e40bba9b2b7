import { shapes, tokenType } from './shapes.ts';
import type { IntrospectionMembers } from '../spec/introspection.ts';
import { identityScopes } from '../spec/names.ts';
import type { Client, IntrospectionPolicy, Resource, ShapeName, Tenant, TokenFacts, User } from './model.ts';
import { findFault, type InactiveReason, type Standing } from './standing.ts';

/** What introspection concludes. `recorded`: policy had something to say that operators must be able to see. */
export type IntrospectionVerdict =
  | { readonly active: true; readonly scopes: readonly string[]; readonly policy: IntrospectionPolicy; readonly recorded: 'would_deny' | null }
  | { readonly active: false; readonly reason: InactiveReason; readonly policy: IntrospectionPolicy; readonly recorded: 'denied' | null };

/** The policy that holds for a caller: its own over the tenant's; who registered itself never has more than `audience` (INT-63). */
export function effectivePolicy(tenant: Tenant, caller: Client): IntrospectionPolicy {
  const policy = caller.introspect ?? tenant.introspectionPolicy;
  return caller.selfRegistered && policy === 'tenant' ? 'audience' : policy;
}

type Reach = 'own' | 'resource' | 'tenant' | 'none';

function reach(policy: IntrospectionPolicy, caller: Client, owned: readonly Resource[], facts: TokenFacts): Reach {
  if (facts.clientId === caller.id) return 'own';
  if (policy === 'tenant') return 'tenant';
  if (policy === 'audience' && facts.kind === 'access' && owned.length > 0) return 'resource';
  return 'none';
}

/** Scopes that mean something to a resource's owner (INT-65): its own, and those that speak of the person. */
function narrowScopes(scopes: readonly string[], owned: readonly Resource[]): readonly string[] {
  if (owned.some((resource) => resource.scopes.length === 0)) return scopes;
  const known = new Set<string>(identityScopes);
  for (const resource of owned) for (const scope of resource.scopes) known.add(scope);
  return scopes.filter((scope) => known.has(scope));
}

/**
 * RFC 7662 §2.2, §4: is the token good now, and may this caller know?
 * @param owned the resources named in the token's `aud` that the caller answers for
 * @param nowMs milliseconds
 */
export function decideIntrospection(
  caller: Client,
  owned: readonly Resource[],
  facts: TokenFacts,
  standing: Standing,
  nowMs: number,
): IntrospectionVerdict {
  const { tenant } = standing;
  const policy = effectivePolicy(tenant, caller);
  if (facts.tenantId !== tenant.id) return { active: false, reason: 'other_tenant', policy, recorded: 'denied' };
  const fault = findFault(facts, standing, nowMs);
  const extent = reach(policy, caller, owned, facts);
  // Reporting is for operators' own clients: who registered itself is capped in every mode (INT-63).
  if (extent === 'none' && (tenant.introspectionPolicyMode === 'enforce' || caller.selfRegistered)) {
    return { active: false, reason: fault ?? 'policy', policy, recorded: 'denied' };
  }
  if (fault !== null) return { active: false, reason: fault, policy, recorded: null };
  return {
    active: true,
    policy,
    scopes: extent === 'resource' ? narrowScopes(facts.scopes, owned) : facts.scopes,
    recorded: extent === 'none' ? 'would_deny' : null,
  };
}

/**
 * The answer's members in one response form.
 * @param user the token's user, or null
 * @param personal whether the caller may see personal data at all (not for self-registered callers, INT-116)
 */
export function renderIntrospection(
  facts: TokenFacts,
  scopes: readonly string[],
  context: {
    readonly shape: ShapeName;
    readonly tenantShape: ShapeName;
    readonly issuer: string;
    readonly user: User | null;
    readonly personal: boolean;
    /** Name of the token's organization, where it is registered and the form tells it. */
    readonly orgName?: string | null;
    /** Claims that the tenant adds; never for self-registered callers, and never in place of a member (INT-116, INT-119). */
    readonly mapped?: Readonly<Record<string, unknown>> | null;
  },
): IntrospectionMembers & Readonly<Record<string, unknown>> {
  const shape = shapes[context.shape];
  const allowed = shapes[context.tenantShape];
  const access = facts.kind === 'access';
  const members: IntrospectionMembers = { active: true };
  if (scopes.length > 0) members.scope = scopes.join(' ');
  members.client_id = facts.clientId;
  if (context.user !== null && context.personal) {
    const { username, email } = context.user;
    const consented = email !== '' && facts.scopes.includes('email');
    if (shape.username !== null && allowed.username !== null) {
      // Where the tenant's own form tells the address by its scope alone, it is nobody's username without that scope.
      const mayTell = email !== '' && (allowed.username === 'email' || consented);
      members.username = shape.username === 'email' && mayTell ? email : username;
    }
    if (shape.email && allowed.email && consented) members.email = email;
  }
  const type = tokenType(shape, facts);
  if (type !== undefined) members.token_type = type;
  if (facts.expiresAt !== null && (access || shape.refreshExpiry)) members.exp = facts.expiresAt;
  members.iat = Math.floor(facts.issuedAtMs / 1000);
  if (facts.notBefore !== null) members.nbf = facts.notBefore;
  members.sub = facts.subject;
  const [first] = facts.audience;
  if (first !== undefined) {
    members.aud = facts.audience.length === 1 && shape.audience === 'string-when-one' ? first : facts.audience;
  }
  members.iss = context.issuer;
  if (facts.id !== null && access && shape.tokenId) members.jti = facts.id;
  if (facts.sessionId !== null && access && shape.session) members.sid = facts.sessionId;
  if (facts.orgId !== null && shape.organization) members.org_id = facts.orgId;
  if (facts.orgId !== null && shape.organizationName && typeof context.orgName === 'string') members.org_name = context.orgName;
  if (facts.confirmation !== null) members.cnf = facts.confirmation;
  if (facts.actor !== null) members.act = facts.actor;
  if (facts.acr !== null) members.acr = facts.acr;
  if (facts.authTime !== null) members.auth_time = facts.authTime;
  const { mapped = null, personal } = context;
  return mapped === null || !personal ? members : { ...members, ...mapped, ...members };
}
