import { auditEvent } from '../../core/audit-event.ts';
import { responseFields } from '../../core/authorization.ts';
import { CODE_LIFE_MS } from '../../core/authorization-code.ts';
import type { AuthorizationRequest, ReturnAddress } from '../../core/authorization-request.ts';
import { issuerOf } from '../../core/issuer.ts';
import type { Client, Tenant } from '../../core/model.ts';
import { consentKey, decideAccountStep, decideNextStep, type NextStep, type SignedIn } from '../../core/next-step.ts';
import type { Acr, AuthorizationCode, Consent, Interaction, Progress } from '../../core/people.ts';
import { digestOf } from '../../tokens/digest.ts';
import { makeCode } from '../../tokens/opaque.ts';
import type { AuthorizationErrorCode } from '../../spec/errors.ts';
import type { Context } from '../context.ts';
import type { Browser } from './browser.ts';
import type { Pending } from './pending.ts';

/** What a pending request comes to now. */
export type Turn =
  | { readonly kind: 'show'; readonly step: NextStep }
  | { readonly kind: 'return'; readonly address: ReturnAddress; readonly fields: readonly (readonly [string, string])[] }
  /** On to the account page. */
  | { readonly kind: 'account'; readonly section: string | null }
  | { readonly kind: 'page'; readonly reason: 'request_expired' | 'signed_in_elsewhere' | 'client_error' };

/** A request under decision: kept already, or just arrived (`id` null). */
export type Considered = {
  readonly interaction: Pick<Interaction, 'createdAtMs'> & { readonly progress: Progress };
  /** Digest of the pending request; null: not kept, since the person may not be needed. */
  readonly id: string | null;
  readonly request: AuthorizationRequest;
  readonly client: Client;
  readonly signedIn: SignedIn | null;
  readonly browser: Browser;
};

/** A kept request as it is considered; null for one of the account page. */
export function consideredOf({ interaction, client, signedIn, browser }: Pending): Considered | null {
  return interaction.request === null || client === null ? null : { interaction, id: interaction.digest, request: interaction.request, client, signedIn, browser };
}

/** What a pending request needs next; nothing is done about it. @throws StoreError */
export async function stepOf(ctx: Context, tenant: Tenant, pending: Pending): Promise<NextStep> {
  const considered = consideredOf(pending);
  return considered === null ? decideAccountStep(pending.interaction, pending.signedIn, ctx.clock.now()) : decideStep(ctx, tenant, considered);
}

/** Decides a pending request's next step, and answers the client where nothing is left to do. @throws StoreError */
export async function turnOf(ctx: Context, tenant: Tenant, pending: Pending): Promise<Turn> {
  const considered = consideredOf(pending);
  if (considered !== null) return takeTurn(ctx, tenant, considered);
  const step = await stepOf(ctx, tenant, pending);
  if (step.step === 'void') return { kind: 'page', reason: 'signed_in_elsewhere' };
  return step.step === 'account' ? { kind: 'account', section: pending.interaction.section } : { kind: 'show', step };
}

/** The same for an application's request, kept or not. @throws StoreError */
export async function takeTurn(ctx: Context, tenant: Tenant, considered: Considered): Promise<Turn> {
  const step = await decideStep(ctx, tenant, considered);
  if (step.step === 'void') return { kind: 'page', reason: 'signed_in_elsewhere' };
  if (step.step === 'error') return giveUp(ctx, tenant, considered, step.error, step.description);
  if (step.step === 'issue' && considered.signedIn !== null) return issue(ctx, tenant, considered, considered.signedIn, step);
  return { kind: 'show', step };
}

async function decideStep(ctx: Context, tenant: Tenant, { interaction, request, client, signedIn }: Considered): Promise<NextStep> {
  const userId = signedIn?.user.id ?? null;
  return decideNextStep({
    interaction, request, client, signedIn, nowMs: ctx.clock.now(),
    consents: userId === null ? [] : await ctx.store.findConsents(tenant.id, userId, client.id),
    orgIds: userId === null ? [] : (await ctx.store.listMemberships(tenant.id, { userId })).map((membership) => membership.orgId),
    reachableAcr: userId === null || request.acrValues.length === 0 ? '1fa' : await reachableAcr(ctx, tenant, userId),
  });
}

/** The strongest class that a person has the means for. */
async function reachableAcr(ctx: Context, tenant: Tenant, userId: string): Promise<Acr> {
  if ((await ctx.store.listPasskeys(tenant.id, userId)).length > 0) return 'phr';
  const totp = await ctx.store.findTotp(tenant.id, userId);
  return totp !== null && totp.confirmedAtMs !== null ? 'mfa' : '1fa';
}

/** Ends a request with an error for the client (RFC 6749 §4.1.2.1). @throws StoreError */
export async function giveUp(
  ctx: Context, tenant: Tenant, considered: Considered, error: AuthorizationErrorCode, description: string,
): Promise<Turn> {
  const { request, id, browser, signedIn, client } = considered;
  // Whoever registered itself could use us to send people anywhere: only somebody who signed in is sent on (AZ-41).
  if (client.selfRegistered && signedIn === null) return { kind: 'page', reason: 'client_error' };
  const event = auditEvent({
    timeMs: ctx.clock.now(), type: 'authorization_denied', tenant: tenant.slug, actor: signedIn?.user.id ?? null, clientId: request.clientId,
    subject: signedIn?.user.id ?? null, outcome: 'denied', reason: error, ip: browser.from.ip, requestId: browser.from.requestId,
  });
  if (id === null) ctx.audit.add(event);
  else if (!(await ctx.store.finishInteraction(id, ctx.clock.now(), [event]))) return { kind: 'page', reason: 'request_expired' };
  return { kind: 'return', address: request, fields: responseFields(request, issuerOf(tenant, ctx.origin()), { error, error_description: description }) };
}

async function issue(ctx: Context, tenant: Tenant, considered: Considered, { session, user }: SignedIn, step: Extract<NextStep, { step: 'issue' }>): Promise<Turn> {
  const { request, client, id, browser } = considered;
  const text = makeCode(ctx.random);
  const nowMs = ctx.clock.now();
  const orgId = step.orgId ?? await foreignOrganization(ctx, tenant, client);
  const code: AuthorizationCode = {
    digest: digestOf(text), tenantId: tenant.id, clientId: client.id, userId: user.id, sessionId: session.id, sessionEndsAtMs: session.expiresAtMs,
    orgId, redirectUri: request.redirectUriGiven ? request.redirectUri : null, challenge: request.challenge, nonce: request.nonce,
    scopes: request.scopes, resources: request.resources, offline: client.grants.includes('refresh_token') && request.scopes.includes('offline_access'),
    authTime: Math.floor(session.authTimeMs / 1000), acr: session.acr, amr: session.amr, issuedAtMs: nowMs, expiresAtMs: nowMs + CODE_LIFE_MS,
    usedAtMs: null, failures: 0, grantId: null,
  };
  const stored = await ctx.store.issueCode({
    code, interactionDigest: id, consent: step.remember ? consentOf(code, step.orgId) : null,
  }, [auditEvent({
    timeMs: nowMs, type: 'authorization_granted', tenant: tenant.slug, actor: user.id, clientId: client.id, subject: user.id,
    fingerprint: ctx.fingerprint(text), reason: request.scopes.join(' ') || null, ip: browser.from.ip, requestId: browser.from.requestId,
  })]);
  if (!stored) return { kind: 'page', reason: 'request_expired' };
  return { kind: 'return', address: request, fields: responseFields(request, issuerOf(tenant, ctx.origin()), { code: text }) };
}

/** A client's own organization stands in where it is not one of ours, whose members we would know. */
async function foreignOrganization(ctx: Context, tenant: Tenant, client: Client): Promise<string | null> {
  return client.orgId === null || await ctx.store.findOrganization(tenant.id, client.orgId) !== null ? null : client.orgId;
}

/** What is remembered of a consent; what was allowed before stays allowed with it (UI-20). */
function consentOf(code: AuthorizationCode, orgId: string | null): Consent {
  const { tenantId, userId, clientId, scopes, issuedAtMs } = code;
  return { tenantId, userId, clientId, resourceKey: consentKey(code.resources), orgId: orgId ?? '', scopes, createdAtMs: issuedAtMs, updatedAtMs: issuedAtMs };
}
