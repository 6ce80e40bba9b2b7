import type { AuditRow } from '../core/operations-store.ts';
import type { Clock, Log } from '../core/ports.ts';
import type { Store } from '../core/store.ts';

/** Where events go beside the database. */
export type AuditSink = {
  /** Hands events over, in order. Rejects when it cannot; then the same come again. */
  readonly send: (rows: readonly AuditRow[]) => Promise<void>;
  readonly close: () => void;
};

/** A stream of events, until stopped. */
export type AuditStream = { stop(): Promise<void> };

/** How often the trail is looked into, milliseconds. */
const LOOK_EVERY_MS = 250;
/** Events that are handed over at once: what is behind stays in the trail, and nowhere else. */
const PIECE = 100;
/** After a failure, milliseconds: twice as long each time, up to a minute. */
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;
/** Trouble is told so often, milliseconds. */
const REPORT_EVERY_MS = 60_000;
/** A receiver that takes so long is trouble worth telling, milliseconds. */
const SLOW_MS = 15_000;
/** Events that a request caused are in the trail after this time, milliseconds. */
const SETTLED_MS = 50;
/** What is left at the end gets so long, milliseconds. */
const STOP_WITHIN_MS = 2_000;

/**
 * Follows the trail by number and hands every event on: beside requests, which wait for nothing of it. How far it has
 * come is known only while it runs: it begins with what happens from now on, and while it runs each event is handed over
 * at least once.
 */
export async function startAuditStream({ store, clock, log }: { readonly store: Pick<Store, 'readAudit' | 'lastAuditNumber'>; readonly clock: Clock; readonly log: Log }, sink: AuditSink): Promise<AuditStream> {
  let cursor = await store.lastAuditNumber();
  let stopped = false;
  let running: Promise<void> | null = null;
  let begunMs = 0;
  let notBeforeMs = Number.NEGATIVE_INFINITY;
  let waitMs = FIRST_WAIT_MS;
  let reportedMs = Number.NEGATIVE_INFINITY;

  function report(error: unknown): void {
    const nowMs = clock.monotonic();
    if (nowMs - reportedMs < REPORT_EVERY_MS) return;
    reportedMs = nowMs;
    log.warn('audit events cannot be streamed; they wait in the database', { cause: error instanceof Error ? error.message : 'unknown', last: cursor });
  }

  async function follow(): Promise<void> {
    try {
      for (;;) {
        const rows = await store.readAudit({ after: cursor, limit: PIECE });
        const last = rows.at(-1);
        if (last === undefined) return;
        await sink.send(rows);
        cursor = last.number;
        begunMs = clock.monotonic();
        waitMs = FIRST_WAIT_MS;
      }
    } catch (error) {
      notBeforeMs = clock.monotonic() + waitMs;
      waitMs = Math.min(LONGEST_WAIT_MS, waitMs * 2);
      report(error);
    }
  }

  function look(): void {
    const nowMs = clock.monotonic();
    if (running !== null && nowMs - begunMs > SLOW_MS) report(new Error('the receiver takes nothing'));
    if (stopped || running !== null || nowMs < notBeforeMs) return;
    begunMs = nowMs;
    running = follow().finally(() => {
      running = null;
    });
  }

  const timer = setInterval(look, LOOK_EVERY_MS);
  return {
    async stop() {
      stopped = true;
      clearInterval(timer);
      await new Promise((resolve) => void setTimeout(resolve, SETTLED_MS));
      // A receiver that takes nothing keeps nobody from stopping.
      await Promise.race([(running ?? Promise.resolve()).then(follow), new Promise((resolve) => void setTimeout(resolve, STOP_WITHIN_MS))]);
      sink.close();
    },
  };
}
