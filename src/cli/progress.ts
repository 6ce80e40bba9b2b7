import type { TellProgress } from '../core/backup.ts';

/** How often the line is drawn again, milliseconds. */
const DRAW_EVERY_MS = 100;
/** What is over sooner needs no line, milliseconds. */
const QUIET_MS = 500;
/** Characters of the bar. */
const BAR = 24;
const CLEAR = '\r\u001B[2K';

/** A line on stderr that tells how far long work is; `end` wipes it. */
export type ProgressLine = {
  readonly tell: TellProgress;
  /** Draws at once, for work that lets nothing be drawn while it goes on. */
  readonly tellNow: TellProgress;
  readonly end: () => void;
};

/** Tells people at a terminal how many there were so far; nothing anywhere else. */
export type Progress = {
  readonly at: (count: number) => void;
  /** Wipes the line. */
  readonly end: () => void;
};

/** Where the line goes. */
export type Terminal = { readonly isTTY?: boolean; readonly write: (text: string) => unknown };

/** The line as text: a bar where the end is known. @param elapsedMs since the work began */
export function drawProgress(what: string, done: number, total: number | null, elapsedMs: number): string {
  const seconds = Math.floor(elapsedMs / 1000);
  const time = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
  if (total === null || total <= 0) return `${what} … ${time}`;
  const part = Math.min(1, Math.max(0, done / total));
  const filled = Math.round(part * BAR);
  return `${what} [${'#'.repeat(filled)}${'-'.repeat(BAR - filled)}] ${String(Math.floor(part * 100)).padStart(3)} % ${time}`;
}

/** A progress line where somebody watches: `stream` is a terminal, and no program reads. Else one that says nothing. */
export function makeProgress(json: boolean, stream: Terminal = process.stderr, now: () => number = () => performance.now()): ProgressLine {
  if (json || stream.isTTY !== true || process.env['TERM'] === 'dumb') return { tell: () => undefined, tellNow: () => undefined, end: () => undefined };
  const startedMs = now();
  let drawnMs = Number.NEGATIVE_INFINITY;
  let shown: { readonly what: string; readonly done: number; readonly total: number | null } | null = null;
  let drawn = false;

  function draw(): void {
    if (now() - startedMs >= QUIET_MS && now() - drawnMs >= DRAW_EVERY_MS) drawNow();
  }

  function drawNow(): void {
    if (shown === null) return;
    drawnMs = now();
    drawn = true;
    stream.write(`${CLEAR}${drawProgress(shown.what, shown.done, shown.total, now() - startedMs)}`);
  }

  // What cannot tell how far it is still shows that it goes on.
  const timer = setInterval(draw, DRAW_EVERY_MS);
  timer.unref();
  return {
    tell: (what, done, total) => {
      shown = { what, done, total };
      draw();
    },
    tellNow: (what, done, total) => {
      shown = { what, done, total };
      drawNow();
    },
    end: () => {
      clearInterval(timer);
      if (drawn) stream.write(CLEAR);
    },
  };
}

/** A progress line that counts. @param what is counted, in the plural */
export function showProgress(what: string): Progress {
  const line = makeProgress(false);
  return { at: (count) => line.tell(`${count} ${what}`, 0, null), end: line.end };
}
