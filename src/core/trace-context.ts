/** Where a request stands in a caller's trace (W3C Trace Context). */
export type TraceParent = {
  /** 32 hexadecimal digits, not all zero. */
  readonly traceId: string;
  /** 16 hexadecimal digits, not all zero. */
  readonly spanId: string;
  /** Whether the caller records it. */
  readonly sampled: boolean;
};

const form = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/**
 * Reads the header `traceparent` (W3C Trace Context §3.2). What is not well-formed counts as absent: a new trace begins.
 * Versions to come may say more behind the fourth part; version 00 says no more, and ff is none.
 */
export function parseTraceParent(header: string | null): TraceParent | null {
  const [, version, traceId = '', spanId = '', flags = '', more] = form.exec(header ?? '') ?? [];
  if (version === undefined || version === 'ff' || (version === '00' && more !== undefined)) return null;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return null;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}
