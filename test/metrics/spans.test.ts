import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, test } from 'bun:test';
import { makeSpanQueue } from '../../src/metrics/span-queue.ts';
import { makeTracer, withParts, type Span, type SpanNotes } from '../../src/metrics/spans.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const CALLER = '00f067aa0ba902b7';
const notes = (): SpanNotes => ({ attributes: { 'http.route': '/x' }, failed: false });

function collecting(): { readonly tracer: ReturnType<typeof makeTracer>; readonly spans: Span[] } {
  const [tracer, spans]: [ReturnType<typeof makeTracer>, Span[]] = [makeTracer(), []];
  tracer.connect((span) => spans.push(span));
  return { tracer, spans };
}

/** A finished span, as queues get it. */
function aSpan(index: number): Span {
  return { name: `n${index}`, kind: 'server', traceId: TRACE, spanId: CALLER, parentId: null, remote: false, startMs: 1, endMs: 2, attributes: {}, failed: false };
}

describe('spans', () => {
  test('a request continues the caller\'s trace, and its parts are below it, also when requests interleave', async () => {
    const { tracer, spans } = collecting();
    const store = withParts(tracer, 'store', { read: () => 1, write: async (text: string) => `${text} written` });
    const work = async (): Promise<string> => {
      await Bun.sleep(1);
      expect(store.read()).toBe(1);
      return store.write('a');
    };
    const [first] = await Promise.all([
      tracer.request('POST /one', `00-${TRACE}-${CALLER}-01`, work, notes), tracer.request('POST /two', null, work, notes),
    ]);
    expect(first).toBe('a written');
    await Bun.sleep(0);
    expect(spans.map(({ name }) => name).toSorted()).toEqual(['POST /one', 'POST /two', 'store write', 'store write']);
    const [one, two] = ['POST /one', 'POST /two'].map((name) => spans.find((span) => span.name === name));
    expect(one).toMatchObject({ kind: 'server', traceId: TRACE, parentId: CALLER, remote: true, failed: false, attributes: { 'http.route': '/x' } });
    expect(two).toMatchObject({ parentId: null, remote: false });
    expect(two?.traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(two?.traceId).not.toBe(TRACE);
    for (const request of [one, two]) {
      const parts = spans.filter(({ parentId }) => parentId === request?.spanId);
      expect(parts).toMatchObject([{ name: 'store write', kind: 'internal', traceId: request?.traceId ?? '', remote: false }]);
      expect(request?.endMs ?? 0).toBeGreaterThanOrEqual(request?.startMs ?? 1);
    }
  });

  test('there is none where nobody takes them, where the caller does not record, of parts outside of a request, and of what goes on after its answer', async () => {
    const { tracer, spans } = collecting();
    await tracer.request('POST /x', `00-${TRACE}-${CALLER}-00`, () => tracer.part('store write', () => Promise.resolve()), notes);
    await tracer.part('store write', () => Promise.resolve());
    const later: (() => Promise<void>)[] = [];
    await tracer.request('POST /late', null, async () => void later.push(AsyncLocalStorage.bind(() => tracer.part('store write', () => Promise.resolve()))), notes);
    for (const write of later) await write();
    expect(spans.splice(0).map(({ name }) => name)).toEqual(['POST /late']);
    tracer.connect(null);
    await tracer.request('POST /x', null, () => Promise.resolve(), notes);
    expect(spans).toEqual([]);
  });

  test('what fails is told as failed, and fails as it would have', async () => {
    const { tracer, spans } = collecting();
    const fail = (): Promise<never> => Promise.reject(new Error('secret'));
    const ending = await tracer.request('POST /x', null, () => tracer.part('hash verify', fail), (outcome) => ({ attributes: {}, failed: outcome === null })).catch((error: unknown) => error);
    expect(ending).toEqual(new Error('secret'));
    await Bun.sleep(0);
    expect(spans.map(({ name, failed }) => ({ name, failed })).toSorted((a, b) => (a.name < b.name ? -1 : 1))).toEqual([{ name: 'POST /x', failed: true }, { name: 'hash verify', failed: true }]);
    expect(JSON.stringify(spans)).not.toContain('secret');
  });
});

describe('the queue of spans', () => {
  test('it holds so many while the collector takes none, and counts what it drops', async () => {
    const counts = { sent: 0, dropped: 0, failed: 0 };
    const gate = Promise.withResolvers<boolean>();
    const batches: number[] = [];
    const queue = makeSpanQueue((spans) => {
      batches.push(spans.length);
      return gate.promise;
    }, (result, count) => {
      counts[result] += count;
    });
    for (let index = 0; index < 4_000; index += 1) queue.add(aSpan(index));
    // One batch is under way; 2,048 wait behind it.
    expect(counts).toEqual({ sent: 0, dropped: 4_000 - 512 - 2_048, failed: 0 });
    gate.resolve(true);
    await queue.stop();
    expect(counts.sent).toBe(512 + 2_048);
    expect(Math.max(...batches)).toBe(512);
  });

  test('few go out together after a while, at once when it stops; what is not taken is counted and not kept', async () => {
    const counts = { sent: 0, dropped: 0, failed: 0 };
    const batches: string[][] = [];
    const queue = makeSpanQueue((spans) => {
      batches.push(spans.map(({ name }) => name));
      return Promise.resolve(false);
    }, (result, count) => {
      counts[result] += count;
    });
    queue.add(aSpan(1));
    queue.add(aSpan(2));
    expect(batches).toEqual([]);
    await queue.stop();
    expect(batches).toEqual([['n1', 'n2']]);
    expect(counts).toEqual({ sent: 0, dropped: 0, failed: 2 });
  });
});
