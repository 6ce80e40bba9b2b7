import { auditEvent, type RequestOrigin } from '../core/audit-event.ts';
import { issuerOf } from '../core/issuer.ts';
import { decideLogout, type LogoutFacts, type LogoutRequest, type LogoutVerdict } from '../core/logout.ts';
import type { Client, Tenant } from '../core/model.ts';
import type { SignedIn } from '../core/next-step.ts';
import type { BrowserSession } from '../core/people.ts';
import { readIdTokenHint } from '../tokens/id-token-hint.ts';
import type { Context } from './context.ts';

/** An end-session request as it came, and whether the person confirmed it on our own page. */
export type LogoutWish = LogoutRequest & { readonly hint: string | null; readonly confirmed: boolean };

/** What it comes to; nothing has been done yet. @param client who asked, where that is known */
export type LogoutPlan = { readonly verdict: LogoutVerdict; readonly client: Client | null };

/** Gathers what is known of an end-session request, and decides it. @throws StoreError */
export async function planLogout(ctx: Pick<Context, 'store' | 'rings' | 'origin'>, tenant: Tenant, wish: LogoutWish, signedIn: SignedIn | null): Promise<LogoutPlan> {
  const hint: LogoutFacts['hint'] = wish.hint === null
    ? null
    : (await readIdTokenHint(wish.hint, await ctx.rings.of(tenant.id), issuerOf(tenant, ctx.origin()))) ?? 'invalid';
  const clientId = wish.clientId ?? (hint === null || hint === 'invalid' ? null : hint.clientId);
  const found = clientId === null ? null : await ctx.store.findClient(tenant.id, clientId);
  const client = found === null || found.disabledAtMs !== null || found.deletedAtMs !== null ? null : found;
  return { verdict: decideLogout(wish, { hint, client, session: signedIn?.session ?? null, confirmed: wish.confirmed }), client };
}

/**
 * Ends a session of a browser, with its grants that are not offline (LO-17); its applications are told by what the
 * storage queues with it (LO-11). When this resolves, the session is over.
 * @param client who asked for it; null: the person
 * @throws StoreError
 */
export async function endBrowserSession(
  ctx: Pick<Context, 'store' | 'clock'>, tenant: Tenant, session: Pick<BrowserSession, 'id' | 'userId'>, from: RequestOrigin, client: Pick<Client, 'id'> | null = null,
): Promise<void> {
  const atMs = ctx.clock.now();
  await ctx.store.endSession({ tenantId: tenant.id, sessionId: session.id, atMs }, (first) => (first ? [auditEvent({
    timeMs: atMs, type: 'session_ended', tenant: tenant.slug, actor: session.userId, subject: session.userId, clientId: client?.id ?? null,
    reason: 'signed_out', ip: from.ip, requestId: from.requestId,
  })] : []));
}
