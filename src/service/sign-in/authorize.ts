import { auditEvent } from '../../core/audit-event.ts';
import {
  askedResources, clientIdOf, isUsableClient, judgeAuthorization, readReturnAddress, responseFields, type AddressReading, type RawParameters,
} from '../../core/authorization.ts';
import type { AuthorizationRequest, ReturnAddress } from '../../core/authorization-request.ts';
import { issuerOf } from '../../core/issuer.ts';
import type { Client, Tenant } from '../../core/model.ts';
import { isStoreError } from '../../core/ports.ts';
import type { AuthorizationErrorCode } from '../../spec/errors.ts';
import { noProgress } from '../../core/people.ts';
import { readIdTokenHint } from '../../tokens/id-token-hint.ts';
import type { Context } from '../context.ts';
import { findResources } from '../resources.ts';
import { findSignedIn, type Browser, type CookieChange } from './browser.ts';
import { openInteraction } from './pending.ts';
import { takeTurn, type Turn } from './turn.ts';

/** What an authorization request comes to. */
export type AuthorizeOutcome =
  /** Back to the client. */
  | { readonly kind: 'return'; readonly address: ReturnAddress; readonly fields: readonly (readonly [string, string])[] }
  /** A page of ours: nothing may go to the client (AZ-02, AZ-03, AZ-41). */
  | { readonly kind: 'page'; readonly reason: 'unknown_client' | 'redirect_mismatch' | 'client_error' }
  /** The person is needed. @param id of the pending request */
  | { readonly kind: 'interact'; readonly id: string; readonly cookies: CookieChange }
  | { readonly kind: 'too_many' }
  /** Our own trouble: the client is told that there is some (AZ-46), the log what it is. */
  | { readonly kind: 'failed'; readonly cause: unknown; readonly address: ReturnAddress; readonly fields: readonly (readonly [string, string])[] };

/**
 * RFC 6749 §4.1.1, OpenID Connect Core §3.1.2: first client and redirect URI, then the request, then what the person has
 * to do. Answers at once where they need to do nothing.
 * @throws StoreError
 */
export async function authorize(ctx: Context, tenant: Tenant, parameters: RawParameters, browser: Browser): Promise<AuthorizeOutcome> {
  const clientId = clientIdOf(parameters);
  const found = clientId === null ? null : await ctx.store.findClient(tenant.id, clientId);
  const client = isUsableClient(found) ? found : null;
  const reading = readReturnAddress(parameters, client);
  if (client === null) {
    // An id that nobody registered is a stranger's text, and is not noted.
    noteDenied(ctx, tenant, null, 'unknown_client', browser);
    return { kind: 'page', reason: 'unknown_client' };
  }
  if (!reading.ok) {
    noteDenied(ctx, tenant, client, reading.reason, browser);
    return { kind: 'page', reason: reading.reason };
  }
  const issuer = issuerOf(tenant, ctx.origin());
  try {
    return await judge(ctx, tenant, client, reading, parameters, browser, issuer);
  } catch (cause) {
    if (client.selfRegistered) throw cause;
    const error: AuthorizationErrorCode = isStoreError(cause) ? 'temporarily_unavailable' : 'server_error';
    return { kind: 'failed', cause, address: reading.address, fields: responseFields(reading.address, issuer, { error, error_description: 'the server could not answer this request' }) };
  }
}

async function judge(
  ctx: Context, tenant: Tenant, client: Client, reading: Extract<AddressReading, { ok: true }>, parameters: RawParameters, browser: Browser, issuer: string,
): Promise<AuthorizeOutcome> {
  const judgement = judgeAuthorization(parameters, client, reading, {
    resources: await resourcesOf(ctx, tenant, parameters), hint: await hintOf(ctx, tenant, issuer, parameters),
  });
  if (!judgement.ok) {
    noteDenied(ctx, tenant, client, judgement.error, browser);
    // Whoever registered itself could use us to send people anywhere (AZ-41).
    if (client.selfRegistered) return { kind: 'page', reason: 'client_error' };
    return { kind: 'return', address: reading.address, fields: responseFields(reading.address, issuer, { error: judgement.error, error_description: judgement.description }) };
  }
  return begin(ctx, tenant, client, judgement.request, browser);
}

/** A request that is refused before anybody is asked anything (LG-04). @param reason code */
function noteDenied(ctx: Pick<Context, 'audit' | 'clock'>, tenant: Tenant, client: Client | null, reason: string, { from }: Browser): void {
  ctx.audit.add(auditEvent({
    timeMs: ctx.clock.now(), type: 'authorization_denied', tenant: tenant.slug, clientId: client?.id ?? null, outcome: 'denied', reason, ip: from.ip, requestId: from.requestId,
  }));
}

async function resourcesOf(ctx: Context, tenant: Tenant, parameters: RawParameters): ReturnType<typeof findResources> {
  const keys = askedResources(parameters);
  return keys === null ? null : findResources(ctx.store, tenant.id, keys);
}

async function hintOf(ctx: Context, tenant: Tenant, issuer: string, parameters: RawParameters): Promise<{ readonly sub: string } | 'invalid' | null> {
  const [hint] = parameters.get('id_token_hint') ?? [];
  if (hint === undefined) return null;
  const claims = hint === null ? null : await readIdTokenHint(hint, await ctx.rings.of(tenant.id), issuer);
  return claims ?? 'invalid';
}

async function begin(ctx: Context, tenant: Tenant, client: Client, request: AuthorizationRequest, browser: Browser): Promise<AuthorizeOutcome> {
  const signedIn = await findSignedIn(ctx, tenant, browser);
  const nowMs = ctx.clock.now();
  const turn: Turn = await takeTurn(ctx, tenant, {
    interaction: { createdAtMs: nowMs, progress: noProgress }, id: null, request, client, signedIn, browser,
  });
  if (turn.kind === 'return') return turn;
  if (turn.kind === 'page' && turn.reason === 'client_error') return { kind: 'page', reason: turn.reason };
  return openInteraction(ctx, tenant, browser, { request, section: null, freshSinceMs: null });
}
