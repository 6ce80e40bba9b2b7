import { activityNames, type ActivityName } from '../core/metrics.ts';
import type { ActivityMinute } from '../core/operations-store.ts';
import type { Clock, Log } from '../core/ports.ts';
import type { Store } from '../core/store.ts';

const MINUTE_MS = 60_000;
/** How often it is looked whether a minute is over, milliseconds. */
const LOOK_EVERY_MS = 1_000;
/** Minutes that wait at most while the storage takes nothing; beyond, the oldest are forgotten. */
const MOST_WAITING = 60;

type Totals = Readonly<Record<ActivityName, number>>;

/** Keeps what happens, minute by minute, until stopped. */
export type ActivityKeeper = {
  /** What is not written yet, the minute that runs included. */
  readonly unwritten: () => readonly ActivityMinute[];
  /** Looks whether a minute is over, and writes what is. Called by itself every second. */
  look(): Promise<void>;
  /** Writes all of it. */
  stop(): Promise<void>;
};

/**
 * Counts nothing itself: a minute is the difference between two readings of what was counted since the start.
 * @param totals what happened since the start of the process
 */
export function startActivity(store: Pick<Store, 'addActivity'>, clock: Clock, log: Log, totals: () => Totals): ActivityKeeper {
  let minuteMs = minuteOf(clock.now());
  let before = totals();
  let waiting: ActivityMinute[] = [];
  let writing: Promise<void> | null = null;

  function running(now: Totals): ActivityMinute {
    return { minuteMs, counts: Object.fromEntries(activityNames.flatMap((name) => (now[name] === before[name] ? [] : [[name, now[name] - before[name]]]))) };
  }

  function close(nextMs: number): void {
    const now = totals();
    const minute = running(now);
    before = now;
    minuteMs = nextMs;
    if (Object.keys(minute.counts).length > 0) waiting = [...waiting, minute].slice(-MOST_WAITING);
  }

  async function write(): Promise<void> {
    const batch = waiting;
    if (batch.length === 0) return;
    try {
      await store.addActivity(batch);
      waiting = waiting.filter((minute) => !batch.includes(minute));
    } catch (error) {
      log.warn('the activity of the last minutes could not be written', { kind: error instanceof Error ? error.name : 'unknown' });
    }
  }

  function writeOnce(): Promise<void> {
    writing ??= write().finally(() => {
      writing = null;
    });
    return writing;
  }

  async function look(): Promise<void> {
    const nextMs = minuteOf(clock.now());
    if (nextMs === minuteMs) return;
    close(nextMs);
    await writeOnce();
  }

  const timer = setInterval(() => void look(), LOOK_EVERY_MS);
  timer.unref();
  return {
    unwritten: () => [...waiting, running(totals())].filter(({ counts }) => Object.keys(counts).length > 0),
    look,
    async stop() {
      clearInterval(timer);
      close(minuteMs);
      await writing;
      await writeOnce();
    },
  };
}

function minuteOf(ms: number): number {
  return Math.floor(ms / MINUTE_MS) * MINUTE_MS;
}
