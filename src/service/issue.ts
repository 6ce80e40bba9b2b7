import { accessTokenClaims, makeTokenId } from '../core/claims.ts';
import { idTokenClaims } from '../core/id-token.ts';
import { issuerOf } from '../core/issuer.ts';
import { boundLifetime } from '../core/session.ts';
import type { Client, Grant, Resource, Tenant, TokenFacts, TokenFormat } from '../core/model.ts';
import type { ClaimTarget } from '../core/people.ts';
import type { NewAccess } from '../core/store.ts';
import { standardClaims } from '../core/userinfo.ts';
import type { TokenResponse } from '../spec/introspection.ts';
import type { GrantType } from '../spec/names.ts';
import { digestOf } from '../tokens/digest.ts';
import { accessTokenHash, mintAccessToken, mintIdToken } from '../tokens/mint.ts';
import { makeOpaqueToken } from '../tokens/opaque.ts';
import { addsClaims, claimsFor } from './claims.ts';
import type { Context } from './context.ts';

/** What a new access token is to say; the rest follows from its client and tenant. */
export type AccessPlan = {
  readonly tenant: Tenant;
  readonly client: Client;
  readonly scopes: readonly string[];
  readonly audience: readonly string[];
  readonly format: TokenFormat;
  /** Of a user; null for a client acting for itself. */
  readonly grant: Pick<Grant, 'id' | 'userId' | 'sessionId' | 'orgId' | 'authTime' | 'acr' | 'amr' | 'offline' | 'expiresAtMs'> | null;
  /** Organization of a client acting for itself. */
  readonly orgId: string | null;
  /** Absolute end of the login session that the token ends with; null or left out: it ends with none. */
  readonly sessionEndsAtMs?: number | null;
};

/** A made token: to be stored where there is something to store, then given away. */
export type MadeAccess = {
  readonly token: string;
  readonly facts: TokenFacts;
  readonly stored: NewAccess;
  /** Seconds. */
  readonly lifetime: number;
};

/** Format of a token: the client's choice, else what any of its resources wants, else JWT (AT-08). */
export function chooseFormat(client: Client, resources: readonly Resource[]): TokenFormat {
  return client.tokenFormat ?? resources.find((resource) => resource.tokenFormat !== null)?.tokenFormat ?? 'jwt';
}

const TOKEN_ID_BYTES = 16;
/** Longest token that is given away: documented, so that headers and columns can be sized (TOK-14). */
const MAX_TOKEN_LENGTH = 4096;

/** Whether a made token says too much; to be refused before anything is stored. */
export function isTooLong(made: MadeAccess): boolean {
  return made.token.length > MAX_TOKEN_LENGTH;
}

/**
 * Makes an access token; stores nothing.
 * @throws NoSigningKey while the tenant's first key is being made; ClockBehind while the machine's clock cannot be trusted
 */
export async function makeAccess(ctx: Context, plan: AccessPlan): Promise<MadeAccess> {
  if (!ctx.mayIssue()) throw new ClockBehind();
  const { tenant, client, grant } = plan;
  const issuedAtMs = ctx.clock.now();
  const lifetime = boundLifetime(client.accessTokenTtl ?? tenant.accessTokenTtl, plan.sessionEndsAtMs ?? null, issuedAtMs);
  const facts = {
    kind: 'access', tenantId: tenant.id, clientId: client.id, subject: grant?.userId ?? client.id,
    userId: grant?.userId ?? null, scopes: plan.scopes, audience: plan.audience, issuedAtMs,
    expiresAt: Math.floor(issuedAtMs / 1000) + lifetime, notBefore: null,
    id: makeTokenId(issuedAtMs, ctx.random.text(TOKEN_ID_BYTES)), grantId: grant?.id ?? null,
    sessionId: grant?.sessionId ?? null, orgId: grant?.orgId ?? plan.orgId, confirmation: null, actor: null,
    authTime: grant?.authTime ?? null, acr: grant?.acr ?? null,
  } as const satisfies TokenFacts;
  const { expiresAt } = facts;
  if (plan.format === 'opaque') {
    const token = makeOpaqueToken('access', ctx.random);
    return { token, facts, stored: { opaque: { digest: digestOf(token), facts, revokedAtMs: null }, expiresAt }, lifetime };
  }
  const { signer } = await ctx.rings.of(tenant.id);
  if (signer === null) throw new NoSigningKey();
  const claims = { ...accessTokenClaims(facts, issuerOf(tenant, ctx.origin())), ...(grant !== null && grant.amr.length > 0 && { amr: grant.amr }) };
  const mapped = grant === null || !addsClaims(tenant, 'access_token') ? {} : await mappedFor(ctx, tenant, 'access_token', grant);
  const token = await mintAccessToken(signer, claims, mapped);
  return { token, facts, stored: { opaque: null, expiresAt }, lifetime };
}

/** A tenant's own claims for the person behind a grant. */
async function mappedFor(ctx: Context, tenant: Tenant, target: ClaimTarget, grant: Pick<Grant, 'userId' | 'orgId'>): Promise<Readonly<Record<string, unknown>>> {
  const user = await ctx.store.findUser(tenant.id, grant.userId);
  return user === null ? {} : claimsFor(ctx, tenant, target, user, grant.orgId);
}

/**
 * Makes the ID token that goes with an access token of a grant (OpenID Connect Core §3.1.3.3, §12.2).
 * @param nonce of the authorization request; null with a refresh
 * @returns null where nobody asked for one
 * @throws NoSigningKey, StoreError
 */
export async function makeIdToken(ctx: Context, tenant: Tenant, grant: Grant, made: MadeAccess, nonce: string | null): Promise<string | null> {
  if (!grant.scopes.includes('openid')) return null;
  const { signer } = await ctx.rings.of(tenant.id);
  if (signer === null) throw new NoSigningKey();
  const user = await ctx.store.findUser(tenant.id, grant.userId);
  const more = user === null ? {} : { ...await claimsFor(ctx, tenant, 'id_token', user, grant.orgId), ...standardClaims(user, made.facts.scopes) };
  return mintIdToken(signer, idTokenClaims({
    issuer: issuerOf(tenant, ctx.origin()), grant, nonce, accessTokenHash: accessTokenHash(signer.algorithm, made.token),
    nowMs: made.facts.issuedAtMs, lifetime: made.lifetime, more,
  }));
}

/** The machine's clock is behind what this data has seen: tokens of now would be of the future to everybody else. */
export class ClockBehind extends Error {
  constructor() {
    super('the clock of this machine is behind');
    this.name = 'ClockBehind';
  }
}

/** The tenant has no key yet; it will in a moment. */
export class NoSigningKey extends Error {
  constructor() {
    super('the first signing key is being made');
    this.name = 'NoSigningKey';
  }
}

/** The token response of RFC 6749 §5.1; `scope` always when there is any (TOK-01). */
export function tokenResponse(made: MadeAccess, refreshToken: string | null, idToken: string | null = null): TokenResponse {
  return {
    access_token: made.token,
    token_type: 'Bearer',
    expires_in: made.lifetime,
    ...(refreshToken !== null && { refresh_token: refreshToken }),
    ...(idToken !== null && { id_token: idToken }),
    ...(made.facts.scopes.length > 0 && { scope: made.facts.scopes.join(' ') }),
  };
}

/** Tells the log, and counts, an issued token. Issuing a JWT writes no row and is no change: the log is where it shows. */
export function logIssued(ctx: Context, tenant: Tenant, made: MadeAccess, grantType: GrantType | 'operator', requestId: string | null): void {
  ctx.metrics.issued(grantType, made.stored.opaque === null ? 'jwt' : 'opaque');
  ctx.log.info('token_issued', {
    tenant: tenant.slug, client_id: made.facts.clientId, sub: made.facts.subject, grant_type: grantType,
    fingerprint: ctx.fingerprint(made.token), expires_at: made.facts.expiresAt, request_id: requestId,
  });
}
