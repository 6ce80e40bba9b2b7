import { auditEvent, type AuditEvent } from '../../core/audit-event.ts';
import { acrOf, joinAmr } from '../../core/acr.ts';
import type { Tenant, User } from '../../core/model.ts';
import type { Amr, BrowserSession, Progress, ProofStanding } from '../../core/people.ts';
import type { ProgressChange } from '../../core/people-store.ts';
import { digestOf } from '../../tokens/digest.ts';
import type { Context } from '../context.ts';
import { secondFactors } from '../credentials/second-factor.ts';
import { keptUserAgent, makeCookieSecret, type Browser, type CookieChange } from './browser.ts';
import { progressTo, type Pending } from './pending.ts';

const ID_BYTES = 16;

/** What proving a factor came to: the pending request as it is now, and the session's new cookie once signed in. */
export type Proved = { readonly pending: Pending; readonly cookies: CookieChange };

/**
 * Somebody proved a factor: what is due first, else a session. Of several tabs one wins; the others get null and look
 * again.
 * @param amr how they proved it, with what they proved before in this request
 * @param standing what the proof stands on: a session is opened only while that is as it was
 * @throws StoreError
 */
export async function goOnAs(ctx: Context, tenant: Tenant, pending: Pending, user: User, amr: readonly Amr[], standing: ProofStanding): Promise<Proved | null> {
  const due = await findDue(ctx, tenant, user, amr);
  if (due !== null) {
    const waiting = await progressTo(ctx, pending, { pending: { userId: user.id, amr, atMs: ctx.clock.now(), due, standing } });
    return waiting === null ? null : { pending: waiting, cookies: {} };
  }
  return signIn(ctx, tenant, pending, user, amr, standing);
}

async function findDue(ctx: Context, tenant: Tenant, user: User, amr: readonly Amr[]): Promise<'second_factor' | 'new_password' | null> {
  if (acrOf(amr) === '1fa' && (await secondFactors(ctx, tenant, user.id)).totp) return 'second_factor';
  if (!amr.includes('pwd')) return null;
  const password = await ctx.store.findPassword(tenant.id, user.id);
  return password?.mustChange === true ? 'new_password' : null;
}

/**
 * A session of somebody who proved who they are just now, with a new secret (UI-06).
 * @param former theirs in this browser, which goes on; null: a new one
 */
export function makeSession(ctx: Pick<Context, 'clock' | 'random'>, tenant: Tenant, user: User, amr: readonly Amr[], browser: Browser, former: BrowserSession | null): { readonly session: BrowserSession; readonly secret: string } {
  const nowMs = ctx.clock.now();
  const secret = makeCookieSecret(ctx);
  const session: BrowserSession = {
    id: former?.id ?? `ses_${ctx.random.text(ID_BYTES)}`, tenantId: tenant.id, userId: user.id, createdAtMs: former?.createdAtMs ?? nowMs,
    endedAtMs: null, secretDigest: digestOf(secret), authTimeMs: nowMs, amr: joinAmr(amr, []), acr: acrOf(amr), lastSeenAtMs: nowMs,
    expiresAtMs: nowMs + tenant.people.sessionTtl * 1000, userAgent: keptUserAgent(browser), ip: browser.from.ip,
  };
  return { session, secret };
}

/** What the audit trail hears of a sign-in. */
export function signedInEvent(tenant: Tenant, session: BrowserSession, browser: Browser, clientId: string | null): AuditEvent {
  return auditEvent({
    timeMs: session.authTimeMs, type: 'sign_in_succeeded', tenant: tenant.slug, actor: session.userId, clientId, subject: session.userId,
    reason: session.amr.join(' '), ip: browser.from.ip, requestId: browser.from.requestId,
  });
}

/** Opens a session, or renews the same person's. */
async function signIn(ctx: Context, tenant: Tenant, pending: Pending, user: User, amr: readonly Amr[], standing: ProofStanding): Promise<Proved | null> {
  const { signedIn, browser, interaction } = pending;
  const former = signedIn !== null && signedIn.user.id === user.id ? signedIn.session : null;
  const { session, secret } = makeSession(ctx, tenant, user, amr, browser, former);
  const { progress: before } = interaction;
  const after: Progress = {
    pending: null, sessionId: session.id, chosen: true, anotherSinceMs: null,
    // What somebody allowed, they allowed for themselves.
    consented: before.sessionId === session.id ? before.consented : null,
  };
  const progress: ProgressChange = { digest: interaction.digest, before, after };
  const aftermath = { audit: [signedInEvent(tenant, session, browser, interaction.request?.clientId ?? null)] };
  const opened = former === null
    ? await ctx.store.openBrowserSession({ session, replaces: signedIn?.session.id ?? null, progress, standing }, aftermath)
    : await ctx.store.renewBrowserSession({ session, formerSecretDigest: former.secretDigest, progress, standing }, aftermath);
  if (opened) ctx.metrics.signedIn(amr);
  return opened ? { pending: { ...pending, interaction: { ...interaction, progress: after }, signedIn: { session, user } }, cookies: { session: secret } } : null;
}
