import type { Span } from './spans.ts';

/** Sends spans to a collector. False: it did not take them. Never rejects. */
export type SendSpans = (spans: readonly Span[]) => Promise<boolean>;

/** Spans that wait at most; beyond, new ones are dropped and counted: a collector that is slow must not cost memory. */
const MOST_WAITING = 2_048;
const PER_BATCH = 512;
const EVERY_MS = 500;
/** What waits at the end may take so long. */
const STOP_WITHIN_MS = 3_000;

/** Collects spans and sends them in batches, one at a time. */
export type SpanQueue = {
  add(span: Span): void;
  /** Sends what waits, for a while. */
  stop(): Promise<void>;
};

/** @param count told how many spans were sent, dropped for lack of room, or not taken */
export function makeSpanQueue(send: SendSpans, count: (result: 'sent' | 'dropped' | 'failed', spans: number) => void): SpanQueue {
  let waiting: Span[] = [];
  let timer: ReturnType<typeof setTimeout> | null = null;
  let sending: Promise<void> | null = null;

  async function sendAll(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = batch.splice(PER_BATCH);
      count(await send(batch) ? 'sent' : 'failed', batch.length);
    }
  }

  function begin(): Promise<void> {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    sending ??= sendAll().finally(() => {
      sending = null;
    });
    return sending;
  }

  return {
    add(span) {
      if (waiting.length >= MOST_WAITING) return count('dropped', 1);
      waiting.push(span);
      if (sending !== null) return;
      if (waiting.length >= PER_BATCH) void begin();
      else timer ??= setTimeout(() => void begin(), EVERY_MS);
    },
    async stop() {
      await Promise.race([begin(), Bun.sleep(STOP_WITHIN_MS)]);
    },
  };
}
