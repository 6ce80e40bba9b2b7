import { describe, expect, test } from 'bun:test';
import { parseTraceParent } from '../../src/core/trace-context.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

describe('the header traceparent (W3C Trace Context §3.2)', () => {
  test('a well-formed one says where the caller is, and whether it records', () => {
    expect(parseTraceParent(`00-${TRACE}-${SPAN}-01`)).toEqual({ traceId: TRACE, spanId: SPAN, sampled: true });
    expect(parseTraceParent(`00-${TRACE}-${SPAN}-00`)).toEqual({ traceId: TRACE, spanId: SPAN, sampled: false });
    expect(parseTraceParent(`00-${TRACE}-${SPAN}-03`)).toEqual({ traceId: TRACE, spanId: SPAN, sampled: true });
    // A version to come may add parts.
    expect(parseTraceParent(`cc-${TRACE}-${SPAN}-01-what-the-future-says`)).toEqual({ traceId: TRACE, spanId: SPAN, sampled: true });
  });

  test.each([
    ['none', null], ['empty', ''], ['another version\'s end in version 00', `00-${TRACE}-${SPAN}-01-more`], ['version ff', `ff-${TRACE}-${SPAN}-01`],
    ['a trace of zeros', `00-${'0'.repeat(32)}-${SPAN}-01`], ['a span of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`], ['capitals', `00-${TRACE.toUpperCase()}-${SPAN}-01`],
    ['too short a trace', `00-${TRACE.slice(1)}-${SPAN}-01`], ['too long a span', `00-${TRACE}-${SPAN}0-01`], ['no flags', `00-${TRACE}-${SPAN}`],
    ['a flag that is no byte', `00-${TRACE}-${SPAN}-1`], ['spaces', ` 00-${TRACE}-${SPAN}-01`], ['doubled', `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`],
    ['a new line behind', `00-${TRACE}-${SPAN}-01\n`], ['other text', 'Bearer secret'],
  ])('%s counts as absent', (_name, header) => {
    expect(parseTraceParent(header)).toBeNull();
  });
});
