import type { AuditEvent } from '../core/audit-event.ts';
import type { AuditQueue, Clock, Log } from '../core/ports.ts';
import type { Store } from '../core/store.ts';

/** A queue that can be emptied at the end. */
export type RunningAuditQueue = AuditQueue & {
  /** Writes what waits. */
  flush(): Promise<void>;
};

/** From an event to its commit (wire contract §3). */
const FLUSH_MS = 10;
/** Repeats within this time are one row with a count. */
const WINDOW_MS = 60_000;
/** Different events within one window; beyond, what strangers cause is only counted, by type and tenant. */
const DISTINCT = 10_000;
/** After a failed write. */
const RETRY_MS = 500;

type Entry = { readonly event: AuditEvent; readonly startedMs: number; number: number | null; waiting: number };

function keyOf(event: AuditEvent): string {
  return JSON.stringify([event.type, event.tenant, event.actor, event.clientId, event.fingerprint, event.reason, event.fingerprint === null ? event.ip : null]);
}

/**
 * Collects events that report no change, so that a denial costs its answer nothing, and writes them within 20 ms.
 * Its memory is bounded whatever strangers send; an event waits here until the store has it.
 */
export function makeAuditQueue(store: Pick<Store, 'recordAudit' | 'countAudit'>, clock: Clock, log: Log): RunningAuditQueue {
  const entries = new Map<string, Entry>();
  let pending = new Set<Entry>();
  let timer: ReturnType<typeof setTimeout> | null = null;
  let writing: Promise<void> = Promise.resolve();

  function entryFor(event: AuditEvent): Entry {
    const nowMs = clock.monotonic();
    const full = entries.size >= DISTINCT;
    const kept = full
      ? { ...event, actor: null, clientId: null, subject: null, fingerprint: null, ip: null, requestId: null, reason: 'suppressed' }
      : event;
    const key = keyOf(kept);
    const known = entries.get(key);
    if (known !== undefined && nowMs - known.startedMs < WINDOW_MS) return known;
    const entry: Entry = { event: kept, startedMs: nowMs, number: null, waiting: 0 };
    entries.set(key, entry);
    return entry;
  }

  function forgetOld(): void {
    const nowMs = clock.monotonic();
    for (const [key, entry] of entries) {
      if (nowMs - entry.startedMs < WINDOW_MS) break;
      if (entry.waiting === 0) entries.delete(key);
    }
  }

  async function write(batch: readonly Entry[]): Promise<void> {
    const fresh = batch.filter((entry) => entry.number === null);
    const repeated = batch.filter((entry) => entry.number !== null);
    const counts = new Map(batch.map((entry) => [entry, entry.waiting]));
    if (fresh.length > 0) {
      const numbers = await store.recordAudit(fresh.map((entry) => ({ ...entry.event, count: counts.get(entry) ?? 1 })));
      for (const [index, entry] of fresh.entries()) {
        entry.number = numbers[index] ?? null;
        entry.waiting -= counts.get(entry) ?? 0;
      }
    }
    if (repeated.length > 0) {
      await store.countAudit(repeated.flatMap((entry) => (entry.number === null ? [] : [{ number: entry.number, more: counts.get(entry) ?? 1 }])));
      for (const entry of repeated) entry.waiting -= counts.get(entry) ?? 0;
    }
  }

  async function drain(): Promise<void> {
    timer = null;
    const batch = [...pending];
    pending = new Set();
    if (batch.length === 0) return;
    try {
      await write(batch);
    } catch (error) {
      log.error('audit events wait for the database', { waiting: batch.length, cause: error instanceof Error ? error.message : 'unknown' });
      for (const entry of batch) if (entry.waiting > 0) pending.add(entry);
      schedule(RETRY_MS);
    }
    forgetOld();
    if (pending.size > 0) schedule(FLUSH_MS);
  }

  function schedule(delayMs: number): void {
    timer ??= setTimeout(() => {
      writing = writing.then(drain);
    }, delayMs);
  }

  return {
    add(event) {
      const entry = entryFor(event);
      entry.waiting += 1;
      pending.add(entry);
      schedule(FLUSH_MS);
    },
    async flush() {
      if (timer !== null) clearTimeout(timer);
      timer = null;
      writing = writing.then(drain);
      await writing;
    },
  };
}
