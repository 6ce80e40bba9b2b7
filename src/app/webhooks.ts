import type { Settings } from '../config/settings.ts';
import { BoundedMap } from '../core/bounded-map.ts';
import { callsAllowed, judgePlace, type PlaceTrouble } from '../core/delivery.ts';
import type { PostJson } from '../core/outbound.ts';
import type { WebhookAttempt } from '../core/webhook-delivery.ts';
import type { Context } from '../service/context.ts';
import { makeWebhookCourier, type WebhookCourier, type WebhookErrand } from '../service/deliver-webhooks.ts';
import { atFirstUse, type Delivery } from './delivery.ts';

/** How often it is looked for events, milliseconds. */
const LOOK_EVERY_MS = 250;
/** Webhooks that are looked at in one page, and pages in one go; the next look goes on from there. */
const PAGE = 64;
const PAGES = 8;
/** So long webhooks are looked at in a row; requests come between, milliseconds. */
const SLICE_MS = 2;
/** Calls under way at once (SS-08), and of these to places that are slow or did not answer the last time. */
const PARALLEL = 16;
const PARALLEL_SUSPECT = 8;
/** A place whose last call took longer is slow, milliseconds. */
const SLOW_MS = 1_000;
/** Places that are remembered; twice as many at most. */
const PLACES = 1_000;
/** Trouble with the storage is told so often, milliseconds: it comes with every look. */
const REPORT_EVERY_MS = 60_000;
/** Longer than a call's own deadline. */
const STOP_WITHIN_MS = 6_000;

/** The way out that these settings open; loaded at its first use. */
export function openPostJson(settings: Pick<Settings, 'loopbackTargets'>): PostJson {
  return atFirstUse(async () => (await import('../outbound/guarded-fetch.ts')).makePostJson({ loopbackTargets: settings.loopbackTargets === 'allow' }));
}

const letOthers = (): Promise<void> => new Promise((resolve) => void setTimeout(resolve, 0));

/** What an attempt says of its place, in the words of core/delivery.ts. */
function placeAttempt(attempt: WebhookAttempt): Parameters<typeof judgePlace>[1] {
  return attempt.kind === 'failed' ? { kind: 'failed', why: attempt.why } : { kind: 'done', outcome: 'delivered' };
}

/** Starts to tell webhooks of events, until stopped. @param courier what the tests replace */
export function startWebhooks(ctx: Context, post: PostJson, courier: WebhookCourier = makeWebhookCourier(ctx, post)): Delivery {
  type Running = { readonly place: string; readonly suspect: boolean; readonly done: Promise<void> };
  const running = new Map<string, Running>();
  /** Forgotten with the process: the next one learns it anew. */
  const troubles = new BoundedMap<string, PlaceTrouble>(PLACES);
  const slow = new BoundedMap<string, true>(PLACES);
  /** Behind whom the next look begins, by kind of errand. */
  const cursors: Record<WebhookErrand['kind'], string | null> = { next: null, replay: null };
  let stopped = false;
  let reportedAtMs = Number.NEGATIVE_INFINITY;
  let looking: Promise<void> | null = null;

  function report(error: unknown): void {
    if (ctx.clock.monotonic() - reportedAtMs < REPORT_EVERY_MS) return;
    reportedAtMs = ctx.clock.monotonic();
    ctx.log.warn('delivering webhooks failed', { kind: error instanceof Error ? error.name : 'unknown' });
  }

  function learn(place: string, attempt: WebhookAttempt, slowestMs: number): void {
    const after = judgePlace(troubles.get(place) ?? null, placeAttempt(attempt), ctx.clock.monotonic());
    if (after === null) troubles.delete(place);
    else troubles.set(place, after);
    if (slowestMs >= SLOW_MS) slow.set(place, true);
    else slow.delete(place);
  }

  function count(matches: (one: Running) => boolean): number {
    let matching = 0;
    for (const one of running.values()) if (matches(one)) matching += 1;
    return matching;
  }

  const isSuspect = (place: string): boolean => troubles.get(place) !== undefined || slow.get(place) !== undefined;
  const isFull = (): boolean => stopped || running.size >= PARALLEL;
  const keyOf = (kind: WebhookErrand['kind'], webhookId: string): string => `${kind} ${webhookId}`;

  function mayGo(place: string): boolean {
    return count((one) => one.place === place) < callsAllowed(troubles.get(place) ?? null, ctx.clock.monotonic())
      && (!isSuspect(place) || count(({ suspect }) => suspect) < PARALLEL_SUSPECT);
  }

  function begin(errand: WebhookErrand, place: string): void {
    const key = keyOf(errand.kind, errand.webhook.id);
    const done = courier.run(errand, () => !stopped).then((run) => {
      if (run !== null) learn(place, run.attempt, run.slowestMs);
      return true;
    }, (error: unknown) => {
      report(error);
      return false;
    }).then((well) => {
      running.delete(key);
      // There is room for the next; after trouble of ours it waits for its turn.
      if (well) look();
    });
    running.set(key, { place, suspect: isSuspect(place), done });
  }

  /**
   * One kind of errand, a page at a time, beginning behind the one that was begun last: where there is room for few, all have
   * their turn. What may not go out now stays as it is.
   */
  async function beginKind<T>(kind: WebhookErrand['kind'], list: (after: string | null) => Promise<readonly T[]>, idOf: (one: T) => string, prepare: (one: T) => Promise<WebhookErrand | null>): Promise<void> {
    let after = cursors[kind];
    let wrapped = after === null;
    let begunMs = performance.now();
    for (let page = 0; page < PAGES && !isFull(); page += 1) {
      const found = await list(after);
      for (const one of found) {
        if (isFull()) return;
        after = idOf(one);
        if (running.has(keyOf(kind, after))) continue;
        const errand = await prepare(one);
        if (performance.now() - begunMs > SLICE_MS) {
          await letOthers();
          begunMs = performance.now();
        }
        const place = errand === null ? '' : new URL(errand.webhook.url).host;
        if (errand === null || !mayGo(place)) continue;
        begin(errand, place);
        cursors[kind] = after;
      }
      if (found.length < PAGE) {
        if (wrapped) return;
        wrapped = true;
        after = null;
      }
    }
    // Too many to look at all of them in one go: the next look goes on here.
    if (!isFull()) cursors[kind] = after;
  }

  async function beginDue(): Promise<void> {
    const { store, clock } = ctx;
    await beginKind('next', async (after) => store.listDueWebhooks(clock.now(), { after, limit: PAGE }), ({ id }) => id, (webhook) => courier.prepare(webhook));
    await beginKind('replay', async (after) => store.listDueReplays(clock.now(), { after, limit: PAGE }), ({ webhookId }) => webhookId, (replay) => courier.prepareReplay(replay));
  }

  function look(): void {
    if (stopped) return;
    looking ??= beginDue().catch(report).finally(() => {
      looking = null;
    });
  }

  const timer = setInterval(look, LOOK_EVERY_MS);

  return {
    async stop() {
      stopped = true;
      clearInterval(timer);
      await looking;
      // Each call has its own deadline; what is cut off comes again, with the same id.
      await Promise.race([Promise.all([...running.values()].map(({ done }) => done)), Bun.sleep(STOP_WITHIN_MS)]);
    },
  };
}
