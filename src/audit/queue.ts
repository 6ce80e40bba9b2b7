import type { AuditEvent, AuditType } from '../core/audit-event.ts';
import { networkOf } from '../core/network.ts';
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
/**
 * Different events within one window; beyond, what strangers cause is only counted, by type and tenant. Far fewer where
 * nobody has proven who they are: there the rows are strangers' to make. Of each such type so many, that none crowds out
 * another, and all of them leave room for what others' tokens and clients cause.
 */
const DISTINCT = 10_000;
const DISTINCT_UNPROVEN = 1_000;
/** After a failed write. */
const RETRY_MS = 500;

/** Events that may wait to be looked at. */
const ARRIVED = 1_000;

type Entry = { readonly event: AuditEvent; readonly startedMs: number; number: number | null; waiting: number };

/** What can be caused without a proof of who one is: anyone may begin a request or try to sign in, and public clients prove nothing. */
const unprovenTypes: ReadonlySet<AuditType> = new Set([
  'client_authentication_failed', 'sign_in_failed', 'authorization_denied', 'code_refused', 'token_refused', 'userinfo_refused', 'access_refused', 'requests_limited',
]);

function keyOf(event: AuditEvent): string {
  // What an operator was refused is one of so many operations; elsewhere a subject may be a stranger's invention.
  const operation = event.type === 'access_refused' ? event.subject : null;
  return JSON.stringify([event.type, event.tenant, event.actor, event.clientId, event.fingerprint, event.reason, event.fingerprint === null ? networkOf(event.ip) : null, operation]);
}

/**
 * Collects events that report no change, so that a denial costs its answer nothing, and writes them within 20 ms.
 * Its memory is bounded whatever strangers send; an event waits here until the store has it.
 */
export function makeAuditQueue(store: Pick<Store, 'recordAudit' | 'countAudit'>, clock: Clock, log: Log): RunningAuditQueue {
  const entries = new Map<string, Entry>();
  let arrived: (AuditEvent | (() => AuditEvent))[] = [];
  let pending = new Set<Entry>();
  let timer: ReturnType<typeof setTimeout> | null = null;
  let writing: Promise<void> = Promise.resolve();
  let draining = false;
  const unproven = new Map<AuditType, number>();

  function countUnproven({ type }: AuditEvent, more: 1 | -1): void {
    if (unprovenTypes.has(type)) unproven.set(type, (unproven.get(type) ?? 0) + more);
  }

  /** The entry that a repeat counts for: of this window, or one that the store does not have yet. */
  function currentEntry(key: string): Entry | undefined {
    const known = entries.get(key);
    return known !== undefined && (known.number === null || clock.monotonic() - known.startedMs < WINDOW_MS) ? known : undefined;
  }

  function entryFor(event: AuditEvent): Entry {
    const own = keyOf(event);
    const known = currentEntry(own);
    if (known !== undefined) return known;
    const full = (): boolean => entries.size >= DISTINCT || (unproven.get(event.type) ?? 0) >= DISTINCT_UNPROVEN;
    if (full()) forgetOld();
    if (!full()) return newEntry(own, event);
    const kept = { ...event, actor: null, clientId: null, subject: null, fingerprint: null, ip: null, requestId: null, reason: 'suppressed' };
    const key = keyOf(kept);
    return currentEntry(key) ?? newEntry(key, kept);
  }

  function newEntry(key: string, event: AuditEvent): Entry {
    const entry: Entry = { event, startedMs: clock.monotonic(), number: null, waiting: 0 };
    // An expired one of the same key gives up its place: the map is in order of age, which forgetting relies on.
    if (entries.delete(key)) countUnproven(event, -1);
    entries.set(key, entry);
    countUnproven(event, 1);
    return entry;
  }

  function forgetOld(): void {
    const nowMs = clock.monotonic();
    for (const [key, entry] of entries) {
      if (nowMs - entry.startedMs < WINDOW_MS) break;
      if (entry.waiting > 0) continue;
      entries.delete(key);
      countUnproven(entry.event, -1);
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

  /** Finds the rows that events belong to. Not done as they arrive, which is before the answer. */
  function takeIn(): void {
    const events = arrived;
    arrived = [];
    for (const event of events) {
      const entry = entryFor(typeof event === 'function' ? event() : event);
      entry.waiting += 1;
      pending.add(entry);
    }
  }

  async function drain(): Promise<void> {
    timer = null;
    takeIn();
    const batch = [...pending];
    pending = new Set();
    if (batch.length === 0) return;
    let delayMs = FLUSH_MS;
    draining = true;
    try {
      await write(batch);
    } catch (error) {
      log.error('audit events wait for the database', { waiting: batch.length, cause: error instanceof Error ? error.message : 'unknown' });
      for (const entry of batch) if (entry.waiting > 0) pending.add(entry);
      delayMs = RETRY_MS;
    }
    draining = false;
    forgetOld();
    if (pending.size > 0 || arrived.length > 0) schedule(delayMs);
  }

  function schedule(delayMs: number): void {
    // What arrives during a write is scheduled at its end, when it is known whether the store works.
    if (draining) return;
    timer ??= setTimeout(() => {
      writing = writing.then(drain);
    }, delayMs);
  }

  return {
    add(event) {
      arrived.push(event);
      if (arrived.length >= ARRIVED) takeIn();
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
