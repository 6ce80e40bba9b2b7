import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';
import { parseTraceParent } from '../core/trace-context.ts';

/** One finished piece of work. Names and attributes are ours or an operator's, never a caller's text (LG-01). */
export type Span = {
  readonly name: string;
  readonly kind: 'server' | 'internal';
  /** Hexadecimal, as in W3C Trace Context. */
  readonly traceId: string;
  readonly spanId: string;
  /** null: a trace begins here. */
  readonly parentId: string | null;
  /** The parent is a caller's. */
  readonly remote: boolean;
  /** Milliseconds since the epoch, with fractions. */
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Readonly<Record<string, string | number>>;
  /** It ended in our own trouble. */
  readonly failed: boolean;
};

/** What a request's span says once it is known. */
export type SpanNotes = { readonly attributes: Readonly<Record<string, string | number>>; readonly failed: boolean };

/** Makes spans; until it is connected to somebody who takes them, none. */
export type Tracer = {
  /** Where finished spans go; null: nowhere any more. */
  connect(sink: ((span: Span) => void) | null): void;
  /**
   * Runs a request in a span of its own, which continues a caller's trace where the header says so, unless that caller does
   * not record it.
   * @param traceparent the header as it came; not believed unless it is well-formed
   * @param notes what the span says, made of the outcome; null where the work failed
   */
  request<T>(name: string, traceparent: string | null, work: () => Promise<T>, notes: (outcome: T | null) => SpanNotes): Promise<T>;
  /** Runs a part of a request in a span below the request's; outside of one just runs it. */
  part<T>(name: string, work: () => T): T;
};

/** Where a request is. `over`: it was answered, and what goes on after it (audit events of many requests in one write) is no part of it. */
type Place = { readonly traceId: string; readonly spanId: string; over: boolean };

const TRACE_BYTES = 16;
const SPAN_BYTES = 8;

function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

export function makeTracer(): Tracer {
  const places = new AsyncLocalStorage<Place>();
  let sink: ((span: Span) => void) | null = null;

  return {
    connect(next) {
      sink = next;
    },
    async request(name, traceparent, work, notes) {
      const parent = parseTraceParent(traceparent);
      if (sink === null || parent?.sampled === false) return work();
      const traceId = parent?.traceId ?? randomBytes(TRACE_BYTES).toString('hex');
      const spanId = randomBytes(SPAN_BYTES).toString('hex');
      const place: Place = { traceId, spanId, over: false };
      const startMs = nowMs();
      const end = ({ attributes, failed }: SpanNotes): void => {
        place.over = true;
        sink?.({ traceId, spanId, name, kind: 'server', parentId: parent?.spanId ?? null, remote: parent !== null, startMs, endMs: nowMs(), attributes, failed });
      };
      try {
        const outcome = await places.run(place, work);
        end(notes(outcome));
        return outcome;
      } catch (error) {
        end(notes(null));
        throw error;
      }
    },
    part(name, work) {
      const place = places.getStore();
      if (sink === null || place === undefined || place.over) return work();
      const startMs = nowMs();
      const end = (failed: boolean): void => sink?.({
        name, kind: 'internal', traceId: place.traceId, spanId: randomBytes(SPAN_BYTES).toString('hex'), parentId: place.spanId, remote: false,
        startMs, endMs: nowMs(), attributes: {}, failed,
      });
      const outcome = work();
      // What is there at once came from memory or an index: microseconds that a span would double.
      if (outcome instanceof Promise) outcome.then(() => end(false), () => end(true));
      return outcome;
    },
  };
}

/**
 * The same thing, each of whose functions that take time is a part of the request that calls it.
 * @param prefix before the functions' names in spans: `store` makes `store rotateRefresh`
 */
export function withParts<T extends object>(tracer: Tracer, prefix: string, thing: T): T {
  const made = new Map<PropertyKey, unknown>();
  return new Proxy(thing, {
    get(target, key) {
      const known = made.get(key);
      if (known !== undefined) return known;
      const value: unknown = Reflect.get(target, key);
      if (typeof value !== 'function') return value;
      const name = `${prefix} ${String(key)}`;
      const wrapped = (...given: readonly unknown[]): unknown => tracer.part(name, (): unknown => Reflect.apply(value, target, given));
      made.set(key, wrapped);
      return wrapped;
    },
  });
}
