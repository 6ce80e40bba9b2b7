import { jsonLine } from '../core/json-line.ts';
import type { Log, LogFields } from '../core/ports.ts';

const levels = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof levels)[number];

/** Lines below warnings wait so long for others, so that many share one write: milliseconds, and how many at most. */
const WAIT_MS = 10;
const MAX_WAITING = 256;

/**
 * JSON logs, one event one line (LG-03: JSON escapes every control character, and we escape what terminals obey beside).
 * @param write receives whole lines
 */
export function makeLog(level: LogLevel, write: (lines: string) => void, now: () => number): Log & { flush(): void } {
  const threshold = levels.indexOf(level);
  let waiting: string[] = [];
  let timer: ReturnType<typeof setTimeout> | null = null;

  function flush(): void {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (waiting.length === 0) return;
    const lines = waiting.join('');
    waiting = [];
    write(lines);
  }

  function line(name: LogLevel, message: string, fields: LogFields = {}): void {
    waiting.push(`${jsonLine({ time: new Date(now()).toISOString(), level: name, event: message, ...fields })}\n`);
    // What went wrong is told at once: the process may not live for another line.
    if (waiting.length >= MAX_WAITING || name === 'error' || name === 'warn') flush();
    else timer ??= setTimeout(flush, WAIT_MS);
  }

  const at = (name: LogLevel) => (levels.indexOf(name) <= threshold
    ? (message: string, fields?: LogFields) => line(name, message, fields)
    : () => undefined);
  return { error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug'), flush };
}
