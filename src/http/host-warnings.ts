import { BoundedMap } from '../core/bounded-map.ts';
import type { Clock, Log } from '../core/ports.ts';

/** Different unexpected Host values told of in the log, per generation. */
const HOSTS_TOLD = 500;
/** Lines per window: strangers choose the values, so they must not choose how much is written. */
const LINES_PER_WINDOW = 10;
const WINDOW_MS = 60_000;
/** Characters of a value that are told. */
const HOST_SHOWN = 100;

const FIX = 'start with --origin set to the address that clients use, give a tenant this hostname, or let the proxy pass the host on: proxy_set_header Host $host;';

/** Tells operators of a Host that nothing is served under, or that is malformed; empty for one that is missing. */
export type HostWarnings = (host: string, requestId: string) => void;

/**
 * One line per Host value and not many per minute; how many requests went without is told when the next minute's first
 * line is due (HT-01).
 * @param origin the server's own URL, for the line
 */
export function makeHostWarnings(log: Log, clock: Pick<Clock, 'monotonic'>, origin: () => string): HostWarnings {
  const told = new BoundedMap<string, true>(HOSTS_TOLD);
  let sinceMs = Number.NEGATIVE_INFINITY;
  let lines = 0;
  let leftOut = 0;
  return (host, requestId) => {
    const shown = host.slice(0, HOST_SHOWN);
    if (told.get(shown) !== undefined) return;
    const nowMs = clock.monotonic();
    if (nowMs - sinceMs >= WINDOW_MS) {
      if (leftOut > 0) log.warn('unexpected hosts left out of the log', { requests: leftOut });
      sinceMs = nowMs;
      lines = 0;
      leftOut = 0;
    }
    if (lines >= LINES_PER_WINDOW) {
      leftOut += 1;
      return;
    }
    lines += 1;
    told.set(shown, true);
    log.warn('unexpected host', { host: shown, origin: origin(), request_id: requestId, fix: FIX });
  };
}
