import { guarded } from './failures.ts';
import type { Connection } from './connection.ts';
import type { Store } from '../../core/store.ts';

/** Milliseconds for which minutes are kept. */
export const ACTIVITY_KEPT_MS = 31 * 86_400_000;
/** Minutes that are told at once: all that are kept. */
const MOST_MINUTES = ACTIVITY_KEPT_MS / 60_000 + 1;

type Row = { readonly minuteMs: number; readonly counts: string };

/** What happened, minute by minute. */
export function activityPart({ writer, prepare }: Connection): Pick<Store, 'addActivity' | 'listActivity'> {
  const read = prepare<{ counts: string }, [minuteMs: number]>('SELECT counts FROM activity WHERE minute_ms = ?');
  const write = prepare<never, [minuteMs: number, counts: string]>(`
    INSERT INTO activity (minute_ms, counts) VALUES (?, ?) ON CONFLICT (minute_ms) DO UPDATE SET counts = excluded.counts`);
  const list = prepare<Row, [sinceMs: number, limit: number]>(`
    SELECT minute_ms AS minuteMs, counts FROM activity WHERE minute_ms >= ? ORDER BY minute_ms LIMIT ?`);
  return {
    addActivity: (minutes) =>
      writer.write(() => {
        for (const { minuteMs, counts } of minutes) {
          const sums = { ...countsOf(read.get(minuteMs)?.counts ?? '{}') };
          for (const [name, count] of Object.entries(counts)) sums[name] = (sums[name] ?? 0) + count;
          write.run(minuteMs, JSON.stringify(sums));
        }
      }),
    listActivity: (sinceMs) => guarded(() => list.all(sinceMs, MOST_MINUTES).map(({ minuteMs, counts }) => ({ minuteMs, counts: countsOf(counts) }))),
  };
}

/** Written by this file alone. */
function countsOf(json: string): Readonly<Record<string, number>> {
  return JSON.parse(json) as Record<string, number>;
}
