import { storageFailure } from './failures.ts';
import { StoreError } from '../../core/store.ts';
import type { Database } from 'bun:sqlite';

/** Operations that may wait at once; beyond, a caller is told to come back (RFC 7009 §2.2.1: 503). */
const MOST_WAITING = 10_000;
/** Operations per transaction: bounds how long one commit keeps the loop. */
const MOST_PER_COMMIT = 1_000;
/** Milliseconds between two tries to begin while another process writes. */
const RETRY_MS = 4;

/** Registers what must happen in memory in the same step as the commit, and only if it succeeds. */
export type AfterCommit = (step: () => void) => void;
/**
 * A change: synchronous, and without effects outside the database, since it may run twice. What it throws fails
 * it alone.
 */
export type Operation<T> = (after: AfterCommit) => T;

export type Writer = {
  /**
   * Runs an operation with all others of this turn of the event loop in one transaction.
   * Resolves after its commit is on disk; rejects with a StoreError when nothing can be written, or with what it threw.
   */
  readonly write: <T>(operation: Operation<T>) => Promise<T>;
  /** Transactions committed so far. */
  readonly commits: () => number;
  /** What was committed so far, how long that took (seconds), and how many operations wait now. */
  readonly figures: () => { readonly commits: number; readonly operations: number; readonly secondsOfCommits: number; readonly waiting: number };
  /** Commits what waits, and refuses what comes later. */
  readonly close: () => Promise<void>;
};

/** Told of every commit: how many operations shared it, and how long it took from its beginning on. */
export type Committed = (operations: number, seconds: number) => void;

type Waiting = {
  readonly run: Operation<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: unknown) => void;
};
type Ran = { readonly waiting: Waiting; readonly value: unknown };
type Failed = { readonly waiting: Waiting; readonly error: unknown };

/**
 * One writer per connection, committing in groups: what is enqueued in one turn shares one `BEGIN IMMEDIATE … COMMIT`
 * (OP-03), so that 64 requests pay for one fsync.
 * @param busyMs milliseconds for which it tries to begin while another process writes; reads go on meanwhile
 * @param turned called when the turn's commits and their continuations are through
 */
export function openWriter(db: Database, busyMs: number, turned: () => void, told: Committed = () => undefined): Writer {
  const begin = db.prepare('BEGIN IMMEDIATE');
  const commit = db.prepare('COMMIT');
  const rollback = db.prepare('ROLLBACK');
  const savepoint = db.prepare('SAVEPOINT operation');
  const release = db.prepare('RELEASE operation');
  const undo = db.prepare('ROLLBACK TO operation');
  let queue: Waiting[] = [];
  let scheduled = false;
  let closed = false;
  let busySince: number | null = null;
  let committed = 0;
  let operations = 0;
  let secondsOfCommits = 0;
  let begunMs = 0;

  function write<T>(run: Operation<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (closed) return reject(new StoreError('unavailable', 'closed'));
      if (queue.length >= MOST_WAITING) return reject(new StoreError('busy', 'too many changes are waiting'));
      // `resolve` gets exactly what `run` returned; only the queue forgets the type.
      queue.push({ run, resolve: (value) => resolve(value as T), reject });
      return schedule();
    });
  }

  function schedule(): void {
    if (scheduled) return;
    scheduled = true;
    setImmediate(flush);
    // After the flush and what its promises set off: test/pinned/sqlite.test.ts holds this order.
    setImmediate(turned);
  }

  function flush(): void {
    scheduled = false;
    if (queue.length === 0) return;
    if (!began()) return;
    const batch = queue;
    queue = batch.splice(MOST_PER_COMMIT);
    if (queue.length > 0) schedule();
    runBatch(batch);
  }

  /** Begins, or sees to it that somebody tries again or everybody is told. */
  function began(): boolean {
    try {
      // Waiting inside SQLite would stop the whole server, introspection included; so the loop waits instead.
      db.run('PRAGMA busy_timeout = 0');
      begunMs = performance.now();
      begin.run();
      busySince = null;
      return true;
    } catch (error) {
      const failure = storageFailure(error);
      busySince ??= performance.now();
      if (failure?.kind === 'busy' && performance.now() - busySince < busyMs) {
        scheduled = true;
        setTimeout(flush, RETRY_MS);
        return false;
      }
      busySince = null;
      const all = queue;
      queue = [];
      for (const waiting of all) waiting.reject(failure ?? error);
      return false;
    } finally {
      db.run(`PRAGMA busy_timeout = ${busyMs}`);
    }
  }

  function runBatch(batch: readonly Waiting[]): void {
    try {
      const steps: (() => void)[] = [];
      const ran: Ran[] = [];
      for (const waiting of batch) ran.push({ waiting, value: waiting.run((step) => steps.push(step)) });
      commit.run();
      settle(ran, steps, []);
    } catch (error) {
      abandon();
      const failure = storageFailure(error);
      if (failure !== null) for (const { reject } of batch) reject(failure);
      else if (batch.length === 1) batch[0]?.reject(error);
      else runApart(batch);
    }
  }

  /** A second time, each operation for itself, so that only those at fault fail. Still one commit. */
  function runApart(batch: readonly Waiting[]): void {
    try {
      begin.run();
      const steps: (() => void)[] = [];
      const ran: Ran[] = [];
      const failed: Failed[] = [];
      for (const waiting of batch) {
        const own: (() => void)[] = [];
        savepoint.run();
        try {
          ran.push({ waiting, value: waiting.run((step) => own.push(step)) });
          steps.push(...own);
        } catch (error) {
          const failure = storageFailure(error);
          if (failure !== null) throw failure;
          undo.run();
          failed.push({ waiting, error });
        }
        release.run();
      }
      commit.run();
      settle(ran, steps, failed);
    } catch (error) {
      abandon();
      const failure = storageFailure(error) ?? error;
      for (const { reject } of batch) reject(failure);
    }
  }

  function settle(ran: readonly Ran[], steps: readonly (() => void)[], failed: readonly Failed[]): void {
    const seconds = (performance.now() - begunMs) / 1000;
    committed++;
    operations += ran.length;
    secondsOfCommits += seconds;
    told(ran.length, seconds);
    for (const step of steps) step();
    for (const { waiting, value } of ran) waiting.resolve(value);
    for (const { waiting, error } of failed) waiting.reject(error);
  }

  function abandon(): void {
    try {
      // Some failures (disk full) have rolled back already.
      if (db.inTransaction) rollback.run();
    } catch {
      // The transaction's own failure is what is reported.
    }
  }

  async function close(): Promise<void> {
    closed = true;
    // Each turn commits or, after busyMs, gives up; either empties the queue.
    while (queue.length > 0) await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    for (const statement of [begin, commit, rollback, savepoint, release, undo]) statement.finalize();
  }

  return { write, commits: () => committed, figures: () => ({ commits: committed, operations, secondsOfCommits, waiting: queue.length }), close };
}
