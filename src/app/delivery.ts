import type { Settings } from '../config/settings.ts';
import { defaultMailFrom, parseSmtpUrl } from '../core/smtp.ts';
import { BoundedMap } from '../core/bounded-map.ts';
import { callsAllowed, isTooLate, judgePlace, type Attempt, type PlaceTrouble } from '../core/delivery.ts';
import type { LogoutCursor } from '../core/people-store.ts';
import type { OutboxItem } from '../core/people.ts';
import { makeCourier, type Carriers, type Courier, type Errand } from '../service/deliver.ts';
import type { Context } from '../service/context.ts';

/** How often the outbox is looked into, milliseconds: people wait for their codes. An index answers when it is empty. */
const LOOK_EVERY_MS = 250;
/** Mails that are looked at in one go, and how many are under way at once. They share nothing with logouts: people wait for them. */
const LOOK_AT_MAILS = 16;
const PARALLEL_MAILS = 2;
/** Clients whose logouts are looked at in one page, how many of each, and pages in one go. */
const CLIENTS = 64;
const EACH = 2;
const PAGES = 4;
/** Logouts under way at once (SS-08), and of these to places that did not answer the last time. */
const PARALLEL = 8;
const PARALLEL_SUSPECT = 4;
/** Logouts given up in one go. */
const GIVE_UP = 16;
/** Places in trouble that are remembered; twice as many at most. */
const PLACES = 1_000;
/** Trouble with the storage is told so often, milliseconds: it comes with every look. */
const REPORT_EVERY_MS = 60_000;
/** Longer than a logout's own deadline; a mail that takes longer is tried again by the next start. */
const STOP_WITHIN_MS = 6_000;

/** Delivery of mails and logouts beside requests, until stopped. */
export type Delivery = { stop(): Promise<void> };

/** A way out that is loaded at its first use: what it needs would be a good part of every start. */
export function atFirstUse<Arguments extends readonly unknown[], Outcome>(load: () => Promise<(...given: Arguments) => Promise<Outcome>>): (...given: Arguments) => Promise<Outcome> {
  let loaded: Promise<(...given: Arguments) => Promise<Outcome>> | null = null;
  return async (...given) => {
    loaded ??= load();
    return (await loaded)(...given);
  };
}

/** The ways out that these settings open. @param originHost `host[:port]` of the origin */
export function openCarriers(settings: Pick<Settings, 'loopbackTargets' | 'smtpUrl' | 'mailFrom'>, originHost: string): Carriers {
  const smtp = settings.smtpUrl === null ? null : parseSmtpUrl(settings.smtpUrl);
  const from = settings.mailFrom ?? defaultMailFrom(originHost);
  return {
    post: atFirstUse(async () => (await import('../outbound/guarded-fetch.ts')).makePostForm({ loopbackTargets: settings.loopbackTargets === 'allow' })),
    mail: smtp === null ? null : atFirstUse(async () => (await import('../outbound/mailer.ts')).makeMailer(smtp, { from })),
  };
}

/** Starts to deliver. @param courier what the tests replace */
export function startDelivery(ctx: Context, carriers: Carriers, courier: Courier = makeCourier(ctx, carriers)): Delivery {
  type Running = { readonly kind: OutboxItem['kind']; readonly place: string; readonly suspect: boolean; readonly done: Promise<void> };
  const running = new Map<string, Running>();
  /** Forgotten with the process: the next one learns it with two calls. */
  const troubles = new BoundedMap<string, PlaceTrouble>(PLACES);
  let cursor: LogoutCursor | null = null;
  let stopped = false;
  let reportedAtMs = Number.NEGATIVE_INFINITY;
  let looking: Promise<void> | null = null;

  function report(error: unknown): void {
    if (ctx.clock.monotonic() - reportedAtMs < REPORT_EVERY_MS) return;
    reportedAtMs = ctx.clock.monotonic();
    ctx.log.warn('delivering failed', { kind: error instanceof Error ? error.name : 'unknown' });
  }

  function learn(place: string, attempt: Attempt): void {
    const after = judgePlace(troubles.get(place) ?? null, attempt, ctx.clock.monotonic());
    if (after === null) troubles.delete(place);
    else troubles.set(place, after);
  }

  function begin({ item, place, ...rest }: Errand): void {
    const done = courier.run({ item, place, ...rest }).then((attempt) => {
      if (attempt !== null && item.kind === 'logout') learn(place, attempt);
      return true;
    }, report).then((well) => {
      running.delete(item.id);
      // There is room for the next; after trouble of ours it waits for its turn.
      if (well === true) look();
    });
    running.set(item.id, { kind: item.kind, place, suspect: troubles.get(place) !== undefined, done });
  }

  function count(matches: (one: Running) => boolean): number {
    let matching = 0;
    for (const one of running.values()) if (matches(one)) matching += 1;
    return matching;
  }

  const areFull = (kind: OutboxItem['kind'], most: number): boolean => stopped || count((one) => one.kind === kind) >= most;

  async function beginMails(): Promise<void> {
    if (areFull('mail', PARALLEL_MAILS)) return;
    for (const item of await ctx.store.listDueMails(ctx.clock.now(), LOOK_AT_MAILS)) {
      if (areFull('mail', PARALLEL_MAILS)) return;
      if (!running.has(item.id)) begin(await courier.address(item));
    }
  }

  /** What may not go out now keeps its attempts, and is given up when it is late. Returns how many were. */
  async function beginPage(items: readonly OutboxItem[], mayGiveUp: number): Promise<number> {
    let givenUp = 0;
    for (const item of items) {
      if (areFull('logout', PARALLEL)) break;
      if (running.has(item.id)) continue;
      const errand = await courier.address(item);
      const { place } = errand;
      const trouble = troubles.get(place) ?? null;
      const allowed = callsAllowed(trouble, ctx.clock.monotonic());
      if (allowed === 0 && givenUp < mayGiveUp && isTooLate(item, ctx.clock.now())) {
        await courier.giveUp(errand);
        givenUp += 1;
      } else if (count((one) => one.kind === 'logout' && one.place === place) < allowed && (trouble === null || count((one) => one.suspect) < PARALLEL_SUSPECT)) {
        begin(errand);
      }
    }
    return givenUp;
  }

  async function beginLogouts(): Promise<void> {
    let mayGiveUp = GIVE_UP;
    for (let page = 0; page < PAGES && !areFull('logout', PARALLEL); page += 1) {
      const { items, next } = await ctx.store.listDueLogouts(ctx.clock.now(), { after: cursor, clients: CLIENTS, each: EACH });
      cursor = next;
      mayGiveUp -= await beginPage(items, mayGiveUp);
      if (next === null) return;
    }
  }

  async function beginDue(): Promise<void> {
    await beginMails();
    await beginLogouts();
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
      // Each has its own deadline, shorter than anybody's patience with a server that stops; what is cut off comes again.
      await Promise.race([Promise.all([...running.values()].map(({ done }) => done)), Bun.sleep(STOP_WITHIN_MS)]);
    },
  };
}
