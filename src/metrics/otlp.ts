/** Loaded only where a collector is configured: what it needs is a good part of a start. */
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { Span } from './spans.ts';
import type { SendSpans } from './span-queue.ts';

type Readable = Parameters<OTLPTraceExporter['export']>[0][number];
type SpanContext = ReturnType<Readable['spanContext']>;
type Time = Readable['startTime'];

/** Numbers of the protocol. */
const SERVER = 1;
const INTERNAL = 0;
const UNSET = 0;
const ERROR = 2;
const SAMPLED = 1;

const TIMEOUT_MS = 5_000;

/** Where traces go below the collector's address, unless the address says so itself (OTLP/HTTP). */
export function tracesUrl(endpoint: string): string {
  return /\/v1\/traces\/?$/.test(endpoint) ? endpoint : `${endpoint.replace(/\/+$/, '')}/v1/traces`;
}

function timeOf(ms: number): Time {
  const seconds = Math.floor(ms / 1000);
  return [seconds, Math.round((ms - seconds * 1000) * 1e6)];
}

/**
 * Sends spans by OTLP over HTTP, as JSON.
 * @param headers for the collector; may hold its secret
 * @param told hears why spans were not taken: one word or a status, never an answer's text
 */
export function makeOtlpSender(
  options: { readonly endpoint: string; readonly headers: Readonly<Record<string, string>>; readonly version: string; readonly instance: string },
  told: (why: string) => void,
): SendSpans {
  const exporter = new OTLPTraceExporter({ url: tracesUrl(options.endpoint), headers: { ...options.headers }, timeoutMillis: TIMEOUT_MS });
  const resource = resourceFromAttributes({ 'service.name': 'assay', 'service.version': options.version, 'service.instance.id': options.instance });
  const instrumentationScope = { name: 'assay', version: options.version };

  function contextOf(traceId: string, spanId: string, isRemote: boolean): SpanContext {
    return { traceId, spanId, traceFlags: SAMPLED, isRemote };
  }

  function readable(span: Span): Readable {
    const own = contextOf(span.traceId, span.spanId, false);
    return {
      name: span.name, kind: span.kind === 'server' ? SERVER : INTERNAL, spanContext: () => own,
      ...(span.parentId !== null && { parentSpanContext: contextOf(span.traceId, span.parentId, span.remote) }),
      startTime: timeOf(span.startMs), endTime: timeOf(span.endMs), duration: timeOf(Math.max(0, span.endMs - span.startMs)), ended: true,
      status: { code: span.failed ? ERROR : UNSET }, attributes: { ...span.attributes }, links: [], events: [],
      resource, instrumentationScope, droppedAttributesCount: 0, droppedEventsCount: 0, droppedLinksCount: 0,
    };
  }

  return (spans) => new Promise((resolve) => {
    exporter.export(spans.map(readable), ({ code, error }) => {
      const taken = code === 0;
      if (!taken) told(whyOf(error));
      resolve(taken);
    });
  });
}

/** A status or a code of the system's; the message may hold what the collector said. */
function whyOf(error: unknown): string {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  if (typeof code === 'number') return `http_${code}`;
  return typeof code === 'string' && /^[A-Za-z_]{1,40}$/.test(code) ? code : 'unreachable';
}
