import type { ActivityMinute, Backlog } from '../core/operations-store.ts';
import type { Store } from '../core/store.ts';
import { isoTime } from '../core/times.ts';
import type { Observatory } from '../http/server-context.ts';
import type { BoundedHasher } from '../keys/password.ts';
import type { Meters } from '../metrics/meters.ts';
import { processFigures, registerProcess } from '../metrics/process.ts';
import type { Reading } from '../metrics/registry.ts';
import { commit, version } from '../version.ts';
import type { GuardedClock } from './clock.ts';

/** Tenants whose signing key's age is told: those with the oldest keys. */
const TENANTS = 50;
/** A count of all rows that is not there yet is not waited for longer than this, milliseconds: a big database takes its time. */
const PATIENCE_MS = 200;
/** What the storage is asked for holds for so long, milliseconds, so that nobody makes it work by asking often. */
const KEPT_MS = 1_000;

/** What is looked at. */
export type Observed = {
  readonly store: Store;
  readonly clock: GuardedClock;
  readonly meters: Meters;
  readonly hashing: BoundedHasher;
  /** Minutes that are not written yet. */
  readonly unwritten: () => readonly ActivityMinute[];
};

type Figures = { readonly hits: number; readonly misses: number };
type Stored = {
  readonly backlog: Backlog;
  readonly keys: readonly { readonly tenant: string; readonly activatedAtMs: number }[];
  /** null: still being counted. */
  readonly statistics: Awaited<ReturnType<Store['statistics']>> | null;
};

/** Puts everything that is read when somebody asks into the registry, and makes what HTTP tells operators. */
export function makeObservatory({ store, clock, meters, hashing, unwritten }: Observed): Observatory {
  const { registry } = meters;
  let answers: () => Figures = () => ({ hits: 0, misses: 0 });
  let kept: { readonly atMs: number; readonly stored: Promise<Stored> } | null = null;

  async function readStored(): Promise<Stored> {
    const counting = Promise.resolve(store.statistics());
    const [backlog, keys, statistics] = await Promise.all([
      store.backlog(), store.oldestKeys(TENANTS), Promise.race([counting, Bun.sleep(PATIENCE_MS).then(() => null)]),
    ]);
    // Nobody may be left to hear that a count came to nothing.
    counting.catch(() => undefined);
    return { backlog, keys, statistics };
  }

  function stored(): Promise<Stored> {
    const nowMs = clock.monotonic();
    if (kept === null || nowMs - kept.atMs > KEPT_MS) kept = { atMs: nowMs, stored: readStored() };
    return kept.stored;
  }

  const gauge = (name: string, help: string, labels: readonly string[], read: () => readonly Reading[] | Promise<readonly Reading[]>): void =>
    registry.read('gauge', { name, help, labels }, read);
  const one = (value: number): readonly Reading[] => [{ labels: [], value }];
  const ageS = (sinceMs: number): number => Math.max(0, clock.now() - sinceMs) / 1000;

  registerProcess(meters, { version, commit });
  gauge('assay_clock_behind_seconds', 'By how much the clock of the machine is behind what was seen; 0 when all is well.', [], () => one(clock.behindMs() / 1000));
  gauge('assay_storage_operations_waiting', 'Changes that wait for a commit.', [], () => one(store.writes().waiting));
  registry.read('counter', { name: 'assay_cache_lookups_total', help: 'Questions to what is remembered, by whether it could answer.', labels: ['cache', 'result'] }, () =>
    Object.entries({ ...store.remembered(), answers: answers() }).flatMap(([cache, { hits, misses }]) => [
      { labels: [cache, 'hit'], value: hits }, { labels: [cache, 'miss'], value: misses },
    ]));
  gauge('assay_password_hashes_running', 'Slow hashes being made.', [], () => one(hashing.load().running));
  gauge('assay_password_hashes_waiting', 'Slow hashes waiting for their turn.', [], () => one(hashing.load().waiting));
  gauge('assay_password_hash_places', 'Slow hashes that may be made at once.', [], () => one(hashing.load().places));
  gauge('assay_outbox_waiting', 'Mails and logouts that wait to go out; 10000 stands for more.', ['kind'], async () => {
    const { backlog } = await stored();
    return [{ labels: ['mail'], value: backlog.mails.waiting }, { labels: ['logout'], value: backlog.logouts.waiting }];
  });
  gauge('assay_outbox_oldest_seconds', 'Age of what waits for the longest; 0 when nothing waits.', ['kind'], async () => {
    const { backlog } = await stored();
    return [['mail', backlog.mails] as const, ['logout', backlog.logouts] as const].map(([kind, { oldestAtMs }]) => ({ labels: [kind], value: oldestAtMs === null ? 0 : ageS(oldestAtMs) }));
  });
  gauge('assay_webhooks', 'Webhooks that are enabled, and of these those that cannot be told.', ['state'], async () => {
    const { webhooks } = (await stored()).backlog;
    return [{ labels: ['enabled'], value: webhooks.enabled }, { labels: ['failing'], value: webhooks.failing }];
  });
  gauge('assay_webhook_events_behind', 'Events that the last of the webhooks has not come to yet.', [], async () => one((await stored()).backlog.webhooks.behind));
  gauge('assay_signing_key_age_seconds', `Age of the key that signs, of the ${TENANTS} tenants whose keys are the oldest.`, ['tenant'], async () =>
    (await stored()).keys.map(({ tenant, activatedAtMs }) => ({ labels: [tenant], value: ageS(activatedAtMs) })));
  gauge('assay_signing_key_oldest_seconds', 'Age of the oldest key that signs, of all tenants.', [], async () => {
    const [oldest] = (await stored()).keys;
    return oldest === undefined ? [] : one(ageS(oldest.activatedAtMs));
  });
  gauge('assay_database_bytes', 'Size of the database.', [], async () => one((await stored()).statistics?.databaseBytes ?? Number.NaN));
  gauge('assay_database_wal_bytes', 'Size of its write-ahead log.', [], async () => one((await stored()).statistics?.walBytes ?? Number.NaN));
  gauge('assay_rows', 'Rows by table; may be minutes old.', ['table'], async () =>
    Object.entries((await stored()).statistics?.rows ?? {}).map(([table, rows]) => ({ labels: [table], value: rows })));

  return {
    exposition: () => registry.exposition(),
    watchAnswers(figures) {
      answers = figures;
    },
    async figures() {
      const { backlog, keys, statistics } = await stored();
      const { residentBytes, cpuSeconds, startedAtMs } = processFigures();
      const { commits, operations, secondsOfCommits, waiting } = store.writes();
      return {
        started_at: isoTime(Math.round(startedAtMs)), resident_memory_bytes: residentBytes, cpu_seconds: cpuSeconds, clock_behind_seconds: clock.behindMs() / 1000,
        totals: meters.totals(),
        mean_seconds: { introspect: meters.meanSeconds('introspect'), token: meters.meanSeconds('token'), revoke: meters.meanSeconds('revoke') },
        storage: {
          commits, operations, operations_waiting: waiting, mean_commit_seconds: commits === 0 ? null : secondsOfCommits / commits,
          database_bytes: statistics?.databaseBytes ?? null, wal_bytes: statistics?.walBytes ?? null, rows: statistics?.rows ?? null,
        },
        caches: { ...store.remembered(), answers: answers() },
        outbox: {
          mails: { waiting: backlog.mails.waiting, oldest_at: backlog.mails.oldestAtMs === null ? null : isoTime(backlog.mails.oldestAtMs) },
          logouts: { waiting: backlog.logouts.waiting, oldest_at: backlog.logouts.oldestAtMs === null ? null : isoTime(backlog.logouts.oldestAtMs) },
          webhooks: { enabled: backlog.webhooks.enabled, failing: backlog.webhooks.failing, events_behind: backlog.webhooks.behind },
        },
        password_hashes: hashing.load(),
        signing_keys: keys.map(({ tenant, activatedAtMs }) => ({ tenant, activated_at: isoTime(activatedAtMs) })),
      };
    },
    async activity(sinceMs) {
      const minutes = new Map<number, Record<string, number>>();
      for (const { minuteMs, counts } of [...await store.listActivity(sinceMs), ...unwritten()]) {
        if (minuteMs < sinceMs) continue;
        const sums = minutes.get(minuteMs) ?? {};
        for (const [name, count] of Object.entries(counts)) sums[name] = (sums[name] ?? 0) + count;
        minutes.set(minuteMs, sums);
      }
      return [...minutes].toSorted(([a], [b]) => a - b).map(([minuteMs, counts]) => ({ minuteMs, counts }));
    },
  };
}
