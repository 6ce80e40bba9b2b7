import { eventId } from '../core/event-document.ts';
import type { AuditRow } from '../core/operations-store.ts';
import type { Paged } from '../core/paging.ts';
import type { Webhook, WebhookDelivery, WebhookReplay } from '../core/webhook.ts';
import { mayHear, wantsEvent, type Hearing } from '../core/webhook-delivery.ts';
import type { Context } from './context.ts';
import { done, operatorEvent, refused, type Managed } from './manage-outcome.ts';
import { requireWebhook, type WebhookOwner } from './manage-webhooks.ts';

const ID_BYTES = 12;
/** Events of one replay, and of one webhook that wait to be told again. */
export const MOST_REPLAYED = 1_000;
const MOST_WAITING = 2_000;
/** Events that are read in one go while those of a replay are looked for, and at most in one replay. */
const READ_AT_ONCE = 500;
const MOST_READ = 100_000;
/** By so much a later event may be older than the one before it, milliseconds: some wait for their turn to be written. */
const OUT_OF_ORDER_MS = 3_600_000;
/** How often it is looked whether a test arrived, milliseconds. */
const LOOK_EVERY_MS = 100;

const letOthers = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/** Which events are to be told again: one by its number, or all that the webhook wants from a moment (milliseconds) or behind a number on. */
export type ReplayWish = { readonly event: number } | { readonly sinceMs: number } | { readonly after: number };

/** `next`: behind which number to go on, where there are more than one replay takes; null: that was all. */
export type Replayed = { readonly events: number; readonly next: number | null };

function hearingOf(owner: WebhookOwner): Hearing {
  return owner === null ? null : { slug: owner.slug, sinceMs: owner.createdAtMs };
}

function makeReplays(ctx: Pick<Context, 'clock' | 'random'>, webhook: Webhook, events: readonly Pick<AuditRow, 'number'>[]): readonly WebhookReplay[] {
  const nowMs = ctx.clock.now();
  return events.map(({ number }) => ({ id: `rep_${ctx.random.text(ID_BYTES)}`, webhookId: webhook.id, eventNumber: number, createdAtMs: nowMs, attempts: 0, nextAttemptAtMs: nowMs }));
}

/** Number of an event from before a moment, near it: where to begin to look for what is from then on. 0: there is none. */
async function numberBefore(ctx: Pick<Context, 'store'>, owner: WebhookOwner, sinceMs: number): Promise<number> {
  for (let cursor: string | null = null; ;) {
    const { items, next }: Paged<AuditRow> = await ctx.store.pageAudit({ after: cursor, limit: 1 }, { ...(owner !== null && { tenant: owner.slug }), untilMs: sinceMs - OUT_OF_ORDER_MS });
    if (items[0] !== undefined || next === null) return items[0]?.number ?? 0;
    cursor = next;
  }
}

/** Events that a webhook wants and was told of or passed, oldest first: what is behind its cursor comes anyway. */
async function collect(ctx: Pick<Context, 'store'>, owner: WebhookOwner, webhook: Webhook, wish: Exclude<ReplayWish, { readonly event: number }>): Promise<{ readonly events: readonly AuditRow[]; readonly next: number | null }> {
  const hearing = hearingOf(owner);
  const sinceMs = 'sinceMs' in wish ? wish.sinceMs : 0;
  const events: AuditRow[] = [];
  let after = 'after' in wish ? wish.after : await numberBefore(ctx, owner, sinceMs);
  for (let read = 0; read < MOST_READ; read += READ_AT_ONCE) {
    const rows = await ctx.store.readAudit({ ...(owner !== null && { tenant: owner.slug }), types: webhook.events, after, limit: READ_AT_ONCE });
    for (const event of rows) {
      if (event.number > webhook.cursor) return { events, next: null };
      after = event.number;
      if (event.timeMs < sinceMs || !wantsEvent(webhook, hearing, event)) continue;
      events.push(event);
      if (events.length >= MOST_REPLAYED) return { events, next: after };
    }
    if (rows.length < READ_AT_ONCE) return { events, next: null };
    await letOthers();
  }
  return { events, next: after };
}

async function collectOne(ctx: Pick<Context, 'store'>, owner: WebhookOwner, number: number): Promise<Managed<AuditRow>> {
  const [found] = number < 1 ? [] : await ctx.store.readAudit({ after: number - 1, limit: 1 });
  return found === undefined || found.number !== number || !mayHear(hearingOf(owner), found)
    ? refused('not_found', `there is no event ${eventId(number)} that this webhook may hear of, or not any more`, { member: 'event', hint: '`assay events` shows what there is' })
    : done(found);
}

/**
 * Lets a webhook be told again of one event, whether or not it wants its type, or of all that it wants from some point on;
 * beside the order of what is new. @throws StoreError
 */
export async function replayEvents(ctx: Context, owner: WebhookOwner, id: string, wish: ReplayWish): Promise<Managed<Replayed>> {
  const found = await requireWebhook(ctx, owner, id);
  if (!found.ok) return found;
  const webhook = found.value;
  if (webhook.disabledAtMs !== null) return refused('conflict', 'the webhook is disabled: enable it first', { hint: `\`assay webhook enable ${id}\`` });
  const one = 'event' in wish ? await collectOne(ctx, owner, wish.event) : null;
  if (one !== null && !one.ok) return one;
  const { events, next } = 'event' in wish ? { events: one === null ? [] : [one.value], next: null } : await collect(ctx, owner, webhook, wish);
  if (events.length === 0) return done({ events: 0, next });
  if ((await ctx.store.countReplays(id)) + events.length > MOST_WAITING) return refused('conflict', `no more than ${MOST_WAITING} events wait to be told again: try when some of them were`);
  await ctx.store.addReplays(makeReplays(ctx, webhook, events), [
    operatorEvent(ctx, 'webhook_replayed', { tenant: owner?.slug ?? null, subject: id, reason: `from ${eventId(events[0]?.number ?? 0)}`, count: events.length }),
  ]);
  return done({ events: events.length, next });
}

/**
 * Sends a webhook an event of its own, `webhook_tested`, as any other: signed, and tried again. A server that runs on this
 * data does it. @returns the event's number. @throws StoreError
 */
export async function testWebhook(ctx: Context, owner: WebhookOwner, id: string): Promise<Managed<number>> {
  const found = await requireWebhook(ctx, owner, id);
  if (!found.ok) return found;
  if (found.value.disabledAtMs !== null) return refused('conflict', 'the webhook is disabled: enable it first', { hint: `\`assay webhook enable ${id}\`` });
  if ((await ctx.store.countReplays(id)) >= MOST_WAITING) return refused('conflict', `no more than ${MOST_WAITING} events wait to be told again: try when some of them were`);
  const [number] = await ctx.store.recordAudit([operatorEvent(ctx, 'webhook_tested', { tenant: owner?.slug ?? null, subject: id })]);
  if (number === undefined) throw new Error('an event has no number');
  await ctx.store.addReplays(makeReplays(ctx, found.value, [{ number }]), []);
  return done(number);
}

/** Waits until an event that was asked for was tried, up to so long (milliseconds). null: nobody tried yet. @throws StoreError */
export async function awaitDelivery(ctx: Pick<Context, 'store' | 'clock'>, webhookId: string, eventNumber: number, waitMs: number): Promise<WebhookDelivery | null> {
  const untilMs = ctx.clock.monotonic() + waitMs;
  for (;;) {
    const delivery = await ctx.store.findDelivery(webhookId, eventNumber, true);
    if (delivery !== null || ctx.clock.monotonic() >= untilMs) return delivery;
    await Bun.sleep(LOOK_EVERY_MS);
  }
}
