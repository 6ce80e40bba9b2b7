import { t } from 'elysia';
import { activityNames } from '../../core/metrics.ts';
import { isoTime } from '../../core/times.ts';
import { done } from '../../service/manage-outcome.ts';
import type { Observatory, ServerContext } from '../server-context.ts';
import { readTime } from './audit.ts';
import { operation, type AdminOperation } from './operation.ts';
import { time, timeOrNull } from './schemas.ts';

/** Without `since`, activity is told of the last hour; milliseconds. */
const RECENT_MS = 3_600_000;

const count = t.Integer({ minimum: 0 });
const counts = t.Record(t.String(), count);
const figure = t.Union([t.Number(), t.Null()]);
const waiting = t.Object({ waiting: count, oldest_at: timeOrNull('Since when; null: nothing waits.') });

const figuresAnswer = t.Object({
  started_at: time('When the process started.'),
  resident_memory_bytes: count,
  cpu_seconds: t.Number(),
  clock_behind_seconds: t.Number(),
  totals: t.Object(Object.fromEntries(activityNames.map((name) => [name, count])), { description: 'Since the start of the process.' }),
  mean_seconds: t.Object({ introspect: figure, token: figure, revoke: figure }, { description: 'Mean time to an answer since the start; null: there was none.' }),
  storage: t.Object({
    commits: count, operations: count, operations_waiting: count, mean_commit_seconds: figure,
    database_bytes: t.Union([count, t.Null()]), wal_bytes: t.Union([count, t.Null()]),
    rows: t.Union([t.Record(t.String(), count), t.Null()], { description: 'By table, counted within the last minutes; null: still being counted.' }),
  }),
  caches: t.Record(t.String(), t.Object({ hits: count, misses: count })),
  outbox: t.Object({ mails: waiting, logouts: waiting, webhooks: t.Object({ enabled: count, failing: count, events_behind: count }) }),
  password_hashes: t.Object({ running: count, waiting: count, places: count }),
  signing_keys: t.Array(t.Object({ tenant: t.String(), activated_at: time('Since when it signs.') }), { description: 'Of the tenants whose keys have signed for the longest, the oldest first.' }),
}, { $id: 'Metrics' });

const activityAnswer = t.Object({ minutes: t.Array(t.Object({ minute: time('Its beginning.'), counts })) }, { $id: 'Activity' });

/** What this process shows; a server always shows something. */
function observatoryOf(server: ServerContext): Observatory {
  if (server.observatory === undefined) throw new Error('this server shows no metrics');
  return server.observatory;
}

/** What the server does and costs. */
export const metricsOperations: readonly AdminOperation[] = [
  operation({
    method: 'GET', path: '/metrics', id: 'getMetrics', area: 'metrics', access: 'read', serverOnly: true,
    summary: 'Main figures of the server',
    text: 'Of the process that answers, since its start, and of its data. `GET /metrics`, outside the admin API, tells all of them to Prometheus.',
    answer: figuresAnswer,
    run: async ({ server }) => done(await observatoryOf(server).figures()),
  }),
  operation({
    method: 'GET', path: '/activity', id: 'getActivity', area: 'metrics', access: 'read', serverOnly: true,
    summary: 'What happened, minute by minute',
    text: 'Of all servers on these data, for up to 31 days; minutes in which nothing happened are left out, and so are counts that are 0.',
    query: t.Object({ since: t.Optional(t.String({ description: 'RFC 3339; by default an hour ago.' })) }),
    answer: activityAnswer,
    run: async ({ server, ctx, query }) => {
      const since = readTime(query.since, 'since');
      if (!since.ok) return since;
      const minutes = await observatoryOf(server).activity(since.value ?? ctx.clock.now() - RECENT_MS);
      return done({ minutes: minutes.map((minute) => ({ minute: isoTime(minute.minuteMs), counts: minute.counts })) });
    },
  }),
];
