import { readEventId } from '../core/event-document.ts';
import type { AuditRow } from '../core/operations-store.ts';
import { mayHear } from '../core/webhook-delivery.ts';
import { isAuditType } from '../core/webhook-settings.ts';
import type { Context } from './context.ts';
import { done, refused, type Managed } from './manage-outcome.ts';
import type { WebhookOwner } from './manage-webhooks.ts';

/** Events in the order in which they happened. `next`: behind which number to go on; there is always one. */
export type EventFeed = { readonly events: readonly AuditRow[]; readonly next: number };

/** What somebody wants to hear. */
export type EventWish = {
  /** A tenant's events; null: everybody's, and the server's own. */
  readonly owner: WebhookOwner;
  /** Slug of the one tenant among everybody's; null: all. */
  readonly tenant: string | null;
  /** Empty: all. */
  readonly types: readonly string[];
  /** Number or id of an event; `latest`: only what comes from now on; null: from the beginning, as far as it is kept. */
  readonly after: string | null;
  readonly limit: number;
};

/** Who waits for events at once, in all and of one caller; the next one is answered without waiting. */
const MOST_WAITING = 100;
const MOST_OF_ONE = 10;
/** How often they are looked for, milliseconds. */
const LOOK_EVERY_MS = 250;

/** Where to begin. @throws StoreError */
async function startOf(ctx: Pick<Context, 'store'>, after: string | null): Promise<number | null> {
  if (after === null) return 0;
  return after === 'latest' ? ctx.store.lastAuditNumber() : readEventId(after);
}

/** The next events after a number. @throws StoreError */
async function readOn(ctx: Pick<Context, 'store'>, { owner, tenant, types, limit }: EventWish, after: number): Promise<EventFeed> {
  const slug = owner?.slug ?? tenant;
  // Asked before the events are: what comes in between has a greater number.
  const last = await ctx.store.lastAuditNumber();
  const rows = last <= after ? [] : await ctx.store.readAudit({ ...(slug !== null && { tenant: slug }), types: types.filter(isAuditType), after, limit });
  const hearing = owner === null ? null : { slug: owner.slug, sinceMs: owner.createdAtMs };
  const events = rows.filter((event) => mayHear(hearing, event));
  // Where that was all there is, what is not wanted need not be looked at again.
  return { events, next: rows.length < limit ? Math.max(after, last, rows.at(-1)?.number ?? 0) : rows.at(-1)?.number ?? after };
}

/** Events behind a number, oldest first. @throws StoreError */
export async function readEvents(ctx: Pick<Context, 'store'>, wish: EventWish): Promise<Managed<EventFeed>> {
  const unknown = wish.types.find((type) => !isAuditType(type));
  if (unknown !== undefined) return refused('invalid_request', `there are no events of type ${JSON.stringify(unknown)}`, { member: 'type' });
  const after = await startOf(ctx, wish.after);
  if (after === null) return refused('invalid_request', 'it is an event\'s number or id, or latest', { member: 'after' });
  return done(await readOn(ctx, wish, after));
}

/** Reads events, and waits for some where there are none yet. */
export type EventWaiter = {
  /** Whoever works with `ctx` asks. @param waitMs how long to wait. @param goesOn asked while it waits. @throws StoreError */
  read(ctx: Pick<Context, 'store' | 'clock' | 'by'>, wish: EventWish, waitMs: number, goesOn: () => boolean): Promise<Managed<EventFeed>>;
};

/** @param most how many may wait at once. @param mostOfOne how many of them for one caller, so that none keeps others from it */
export function makeEventWaiter(most: number = MOST_WAITING, mostOfOne: number = MOST_OF_ONE): EventWaiter {
  let waiting = 0;
  /** By caller; whoever waits for nothing is not in it. */
  const ofCaller = new Map<string, number>();
  function count(caller: string, more: 1 | -1): void {
    waiting += more;
    const left = (ofCaller.get(caller) ?? 0) + more;
    if (left === 0) ofCaller.delete(caller);
    else ofCaller.set(caller, left);
  }
  return {
    async read(ctx, wish, waitMs, goesOn) {
      const first = await readEvents(ctx, wish);
      if (!first.ok || first.value.events.length > 0 || waitMs <= 0 || waiting >= most || (ofCaller.get(ctx.by.actor) ?? 0) >= mostOfOne) return first;
      count(ctx.by.actor, 1);
      try {
        const untilMs = ctx.clock.monotonic() + waitMs;
        let feed = first.value;
        while (feed.events.length === 0 && goesOn() && ctx.clock.monotonic() < untilMs) {
          await Bun.sleep(Math.max(1, Math.min(LOOK_EVERY_MS, untilMs - ctx.clock.monotonic())));
          feed = await readOn(ctx, wish, feed.next);
        }
        return done(feed);
      } finally {
        count(ctx.by.actor, -1);
      }
    },
  };
}
