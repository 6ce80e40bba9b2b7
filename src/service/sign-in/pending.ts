import { isUsableClient } from '../../core/authorization.ts';
import type { AuthorizationRequest } from '../../core/authorization-request.ts';
import type { Client, Tenant } from '../../core/model.ts';
import { noProgress, type Interaction, type Progress } from '../../core/people.ts';
import type { SignedIn } from '../../core/next-step.ts';
import { networkOf } from '../../core/network.ts';
import { digestOf, sameDigest } from '../../tokens/digest.ts';
import { openUnder, sealUnder } from '../../tokens/opaque.ts';
import type { Context } from '../context.ts';
import { findSignedIn, isCookieSecret, makeCookieSecret, type Browser, type CookieChange } from './browser.ts';

/** A pending request may wait so long for its person, milliseconds. */
const INTERACTION_LIFE_MS = 1_800_000;
const ID_BYTES = 24;
const idForm = /^[A-Za-z0-9_-]{32}$/;
/** Pending requests per network and minute: they are rows that a stranger makes. */
const MOST_PER_MINUTE = 120;

/** What a new pending request is for: an application's request, or a section of the account page. */
export type InteractionWish = {
  readonly request: AuthorizationRequest | null;
  readonly section: string | null;
  /** Milliseconds: who comes to their account page must have proven themselves since. */
  readonly freshSinceMs: number | null;
  /** Token of an invitation that they go on to, in place of a section. */
  readonly invitation?: string;
  /** Somebody else than who is signed in is to sign in. */
  readonly another?: boolean;
};

/** Begins a section that is an invitation; its token follows, sealed under the pending request's id, which is not kept either. */
const INVITATION = 'invitation.';

/** Keeps a request on the server, bound to the browser (AZ-45). @throws StoreError */
export async function openInteraction(
  ctx: Context, tenant: Tenant, browser: Browser, wish: InteractionWish,
): Promise<{ readonly kind: 'interact'; readonly id: string; readonly cookies: CookieChange } | { readonly kind: 'too_many' }> {
  const network = `interaction:${networkOf(browser.from.ip)}`;
  if (ctx.settings.rateLimits && ctx.newcomers.blockedForMs(network, MOST_PER_MINUTE) !== null) return { kind: 'too_many' };
  ctx.newcomers.count(network);
  const known = browser.secret !== null && isCookieSecret(browser.secret) ? browser.secret : null;
  const secret = known ?? makeCookieSecret(ctx);
  const id = ctx.random.text(ID_BYTES);
  const nowMs = ctx.clock.now();
  const { request, freshSinceMs, invitation, another = false } = wish;
  const section = invitation === undefined ? wish.section : INVITATION + sealUnder(id, 'invitation', invitation);
  await ctx.store.createInteraction({
    digest: digestOf(id), tenantId: tenant.id, browserDigest: digestOf(secret), request, section, freshSinceMs,
    progress: another ? { ...noProgress, anotherSinceMs: nowMs } : noProgress,
    createdAtMs: nowMs, expiresAtMs: nowMs + INTERACTION_LIFE_MS, finishedAtMs: null,
  });
  return { kind: 'interact', id, cookies: known === null ? { secret } : {} };
}

/** A pending request, with whom and what it concerns as they are now. */
export type Pending = {
  readonly id: string;
  readonly interaction: Interaction;
  /** null: the account page. */
  readonly client: Client | null;
  readonly signedIn: SignedIn | null;
  readonly browser: Browser;
};

export type PendingReading =
  | { readonly ok: true; readonly pending: Pending }
  | { readonly ok: false; readonly reason: 'request_expired' | 'request_done' | 'other_browser' | 'unknown_client' };

/** Finds a pending request by the id in its URL; of no use in another browser or tenant (AZ-45, MTN-05). @throws StoreError */
export async function findPending(ctx: Context, tenant: Tenant, id: string, browser: Browser): Promise<PendingReading> {
  const interaction = idForm.test(id) ? await ctx.store.findInteraction(digestOf(id)) : null;
  if (interaction === null || interaction.tenantId !== tenant.id) return { ok: false, reason: 'request_expired' };
  if (browser.secret === null || !sameDigest(interaction.browserDigest, digestOf(browser.secret))) return { ok: false, reason: 'other_browser' };
  if (interaction.finishedAtMs !== null) return { ok: false, reason: 'request_done' };
  if (ctx.clock.now() >= interaction.expiresAtMs) return { ok: false, reason: 'request_expired' };
  const client = interaction.request === null ? null : await ctx.store.findClient(tenant.id, interaction.request.clientId);
  if (interaction.request !== null && !isUsableClient(client)) return { ok: false, reason: 'unknown_client' };
  return { ok: true, pending: { id, interaction, client, signedIn: await findSignedIn(ctx, tenant, browser), browser } };
}

/** Token of the invitation that a pending request goes on to; null: it goes elsewhere. */
export function invitationOf({ id, interaction: { section } }: Pick<Pending, 'id' | 'interaction'>): string | null {
  return section?.startsWith(INVITATION) === true ? openUnder(id, 'invitation', section.slice(INVITATION.length)) : null;
}

/** Writes a step forward; null: another tab was quicker, and the caller looks again. @throws StoreError */
export async function progressTo(ctx: Context, pending: Pending, change: Partial<Progress>): Promise<Pending | null> {
  const { interaction } = pending;
  const after: Progress = { ...interaction.progress, ...change };
  const done = await ctx.store.changeInteraction({ digest: interaction.digest, before: interaction.progress, after });
  return done ? { ...pending, interaction: { ...interaction, progress: after } } : null;
}
