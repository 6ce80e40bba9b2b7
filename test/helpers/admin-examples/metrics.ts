/** Calls of operations about what the server does and costs. */
import { expect } from 'bun:test';
import type { AdminExample } from '../admin.ts';

export const metricsExamples: readonly AdminExample[] = [
  { id: 'getMetrics', request: () => ({}), expect: ({ json }) => expect(json).toMatchObject({ totals: { requests: expect.any(Number) }, password_hashes: { waiting: 0 }, outbox: { mails: { waiting: expect.any(Number) } } }) },
  { id: 'getActivity', request: () => ({ query: { since: '2020-01-01T00:00:00Z' } }), expect: ({ json }) => expect(json['minutes']).toBeArray() },
];
