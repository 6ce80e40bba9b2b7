import { nextRunMs } from '../core/backup.ts';
import type { Log } from '../core/ports.ts';
import type { Backup } from './backup.ts';

/** What a series of backups works with. */
export type Series = {
  readonly everyMs: number;
  readonly take: () => Promise<Backup>;
  /** Deletes what is superfluous; only after a backup that succeeded. Returns names. */
  readonly drop: () => readonly string[];
  readonly log: Pick<Log, 'info' | 'error' | 'warn'>;
  readonly stop: AbortSignal;
  readonly now: () => number;
};

/** Waits, unless told to stop. */
function pause(ms: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (stop.aborted) return resolve();
    const timer = setTimeout(resolve, ms);
    stop.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    }, { once: true });
  });
}

/** Longest single waiting, milliseconds: a machine that slept through it must not sleep on. */
const LOOK_AGAIN_MS = 30_000;

/**
 * Takes one backup after the other until told to stop; the one that is under way is finished. One that fails is told and
 * tried again soon; those that were missed are not made up for.
 */
export async function takeSeries({ everyMs, take, drop, log, stop, now }: Series): Promise<void> {
  const startedMs = now();
  let failures = 0;
  while (!stop.aborted) {
    try {
      const { path, manifest } = await take();
      failures = 0;
      log.info('backup taken', { path, bytes: manifest.bytes, sha256: manifest.sha256, events: manifest.lastEvent });
    } catch (error) {
      failures += 1;
      log.error('backup failed', { failures, reason: error instanceof Error ? error.message : 'unknown' });
    }
    if (failures === 0) dropOld(drop, log);
    const dueMs = nextRunMs(startedMs, now(), everyMs, failures);
    while (!stop.aborted && now() < dueMs) await pause(Math.min(LOOK_AGAIN_MS, dueMs - now()), stop);
  }
}

function dropOld(drop: () => readonly string[], log: Series['log']): void {
  try {
    for (const name of drop()) log.info('backup dropped', { name });
  } catch (error) {
    log.warn('old backups could not be dropped', { reason: error instanceof Error ? error.message : 'unknown' });
  }
}
