import type { Tenant } from '../core/model.ts';
import type { Page, Paged } from '../core/paging.ts';
import { sealedFor } from '../core/sealed.ts';
import type { Webhook, WebhookDelivery, WebhookSecret } from '../core/webhook.ts';
import { addSecret, findWebhookFault, findWebhookSecretFault, isAuditType, MOST_WEBHOOKS, type WebhookChange } from '../core/webhook-settings.ts';
import { seal } from '../keys/seal.ts';
import { makeWebhookSecret } from '../tokens/webhook-signature.ts';
import type { Context } from './context.ts';
import { changedNames, decideAfresh, done, operatorEvent, outdated, refused, type Guard, type Managed } from './manage-outcome.ts';

const ID_BYTES = 12;

/** Whose webhooks: a tenant's, or the server's own (null). */
export type WebhookOwner = Tenant | null;

/** A webhook and its new secret, in the clear: this once and never again. null: whoever supplied it has it. */
export type WebhookWithSecret = { readonly webhook: Webhook; readonly secret: string | null };

/** What creates a webhook. `secret`: brought along; null: generated. */
export type WebhookWish = Required<WebhookChange> & { readonly secret: string | null };

/** An owner's webhook by id, disabled ones included. @throws StoreError */
export async function requireWebhook(ctx: Pick<Context, 'store'>, owner: WebhookOwner, id: string): Promise<Managed<Webhook>> {
  const webhook = await ctx.store.findWebhook(id);
  return webhook === null || webhook.tenantId !== (owner?.id ?? null)
    ? refused('not_found', `${owner === null ? 'the server' : `the tenant ${owner.slug}`} has no webhook ${JSON.stringify(id)}`, { hint: '`assay webhook list` shows all' })
    : done(webhook);
}

/** An owner's webhooks, by name. @throws StoreError */
export async function listWebhooks(ctx: Pick<Context, 'store'>, owner: WebhookOwner): Promise<readonly Webhook[]> {
  return ctx.store.listWebhooks(owner?.id ?? null);
}

/** Seals a secret, or says why a supplied one will not do (CR-06). */
function takeSecret(ctx: Pick<Context, 'random' | 'master' | 'clock'>, webhookId: string, supplied: string | null): Managed<{ readonly shown: string | null; readonly row: WebhookSecret }> {
  const fault = supplied === null ? null : findWebhookSecretFault(supplied);
  if (fault !== null) return refused('invalid_request', fault, { member: 'secret' });
  const text = supplied ?? makeWebhookSecret(ctx.random);
  return done({ shown: supplied === null ? text : null, row: { sealed: seal(ctx.master, sealedFor.webhookSecret(webhookId), text), createdAtMs: ctx.clock.now(), expiresAtMs: null } });
}

/** The webhook after a change, or why it may not be. */
function apply(ctx: Pick<Context, 'origin'>, webhook: Webhook, change: WebhookChange): Managed<Webhook> {
  const events = change.events === undefined ? webhook.events : [...new Set(change.events)];
  const wanted = { name: change.name ?? webhook.name, url: change.url ?? webhook.url, events };
  const wrong = findWebhookFault(wanted, ctx.origin().loopback);
  if (wrong !== null) return refused('invalid_request', wrong.fault, { member: wrong.member, ...(wrong.member === 'events' && { hint: '`assay webhook create --help` lists all types' }) });
  return done({ ...webhook, ...wanted, events: events.filter(isAuditType) }, warnOfUrl(wanted.url));
}

function warnOfUrl(url: string): readonly string[] {
  return url.startsWith('https:') ? [] : ['addresses of this machine are called only while ASSAY_LOOPBACK_TARGETS=allow'];
}

/** Creates a webhook; it hears of what happens from now on, its own creation first. @throws StoreError */
export async function createWebhook(ctx: Context, owner: WebhookOwner, wish: WebhookWish): Promise<Managed<WebhookWithSecret>> {
  const id = `wh_${ctx.random.text(ID_BYTES)}`;
  const nowMs = ctx.clock.now();
  const secret = takeSecret(ctx, id, wish.secret);
  if (!secret.ok) return secret;
  const blank: Webhook = {
    id, tenantId: owner?.id ?? null, name: wish.name, url: wish.url, events: [], secrets: [secret.value.row], createdAtMs: nowMs, disabledAtMs: null,
    cursor: await ctx.store.lastAuditNumber(), attempts: 0, nextAttemptAtMs: nowMs, failingSinceMs: null,
  };
  const made = apply(ctx, blank, wish);
  if (!made.ok) return made;
  if ((await listWebhooks(ctx, owner)).length >= MOST_WEBHOOKS) return refused('conflict', `there are ${MOST_WEBHOOKS} webhooks already, and that is how many there may be`);
  await ctx.store.createWebhook(made.value, [operatorEvent(ctx, 'webhook_created', { tenant: owner?.slug ?? null, subject: id })]);
  return done({ webhook: made.value, secret: secret.value.shown }, made.warnings);
}

/** Changes a row of an owner, with an event that says what. `change` gives what it is to be. */
async function move(ctx: Context, owner: WebhookOwner, id: string, guard: Guard<Webhook> | undefined, change: (webhook: Webhook) => Managed<Webhook>, type: 'webhook_updated' | 'webhook_secret_rotated' = 'webhook_updated'): Promise<Managed<Webhook>> {
  return decideAfresh(async () => {
    const found = await requireWebhook(ctx, owner, id);
    if (!found.ok) return found;
    if (guard !== undefined && !(await guard(found.value))) return outdated;
    const after = change(found.value);
    if (!after.ok) return after;
    const names = changedNames(found.value, after.value);
    if (names === null) return after;
    // Whether it was switched on or off is what somebody who reads the trail wants to know.
    const reason = names === 'disabledAtMs' ? (after.value.disabledAtMs === null ? 'enabled' : 'disabled') : names;
    // Whatever was wrong may be right now: the next attempt need not wait.
    const next: Webhook = { ...after.value, nextAttemptAtMs: ctx.clock.now() };
    const outcome = await ctx.store.updateWebhook(found.value, next, [operatorEvent(ctx, type, { tenant: owner?.slug ?? null, subject: id, reason })]);
    return outcome === 'outdated' ? null : done(next, after.warnings);
  });
}

/** Changes a webhook; what is not named stays, and so does how far it has heard. @throws StoreError */
export function updateWebhook(ctx: Context, owner: WebhookOwner, id: string, change: WebhookChange, guard?: Guard<Webhook>): Promise<Managed<Webhook>> {
  return move(ctx, owner, id, guard, (webhook) => apply(ctx, webhook, change));
}

/** Lets a webhook rest, or go on where it stopped: what happened meanwhile is told then, as far as it is kept. @throws StoreError */
export function setWebhookEnabled(ctx: Context, owner: WebhookOwner, id: string, enabled: boolean): Promise<Managed<Webhook>> {
  return move(ctx, owner, id, undefined, (webhook) => done({ ...webhook, disabledAtMs: enabled ? null : webhook.disabledAtMs ?? ctx.clock.now() }));
}

/** Longest overlap of two secrets, seconds; and what it is unless it is said. */
export const MOST_OVERLAP_S = 30 * 86_400;
export const OVERLAP_S = 86_400;

/** A new secret; the former ones sign along until the overlap (seconds) is over. @throws StoreError */
export async function rotateWebhookSecret(ctx: Context, owner: WebhookOwner, id: string, wish: { readonly secret: string | null; readonly overlap: number }): Promise<Managed<WebhookWithSecret>> {
  if (!Number.isInteger(wish.overlap) || wish.overlap < 0 || wish.overlap > MOST_OVERLAP_S) return refused('invalid_request', `the overlap is 0 to ${MOST_OVERLAP_S} whole seconds`, { member: 'overlap' });
  const secret = takeSecret(ctx, id, wish.secret);
  if (!secret.ok) return secret;
  const moved = await move(ctx, owner, id, undefined, (webhook) => done({ ...webhook, secrets: addSecret(webhook.secrets, secret.value.row, wish.overlap * 1000, ctx.clock.now()) }), 'webhook_secret_rotated');
  return moved.ok ? done({ webhook: moved.value, secret: secret.value.shown }) : moved;
}

/** Deletes a webhook with its secrets and what is known of its deliveries. @throws StoreError */
export async function deleteWebhook(ctx: Context, owner: WebhookOwner, id: string, guard?: Guard<Webhook>): Promise<Managed<null>> {
  const found = await requireWebhook(ctx, owner, id);
  if (!found.ok) return found;
  if (guard !== undefined && !(await guard(found.value))) return outdated;
  await ctx.store.deleteWebhook(id, [operatorEvent(ctx, 'webhook_deleted', { tenant: owner?.slug ?? null, subject: id })]);
  return done(null);
}

/** What came of telling a webhook, the latest first. @throws StoreError */
export async function listDeliveries(ctx: Pick<Context, 'store'>, owner: WebhookOwner, id: string, page: Page): Promise<Managed<Paged<WebhookDelivery>>> {
  const found = await requireWebhook(ctx, owner, id);
  return found.ok ? done(await ctx.store.pageDeliveries(id, page)) : found;
}
