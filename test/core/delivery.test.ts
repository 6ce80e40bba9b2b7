import { describe, expect, test } from 'bun:test';
import { callsAllowed, isTooLate, judgeLogoutAnswer, judgeMail, judgePlace, settle, type Attempt, type PlaceTrouble } from '../../src/core/delivery.ts';

const NOW = 1_000_000;
const failed: Attempt = { kind: 'failed', why: 'timeout' };

describe('what an answer to a logout token says', () => {
  test.each([
    ['LO-14 200', { status: 200 }, { kind: 'done', outcome: 'delivered' }], ['LO-14 204', { status: 204 }, { kind: 'done', outcome: 'delivered' }], ['LO-14 202', { status: 202 }, { kind: 'done', outcome: 'delivered' }],
    ['LO-14 400', { status: 400 }, { kind: 'refused', why: 'http_400' }], ['LO-14 404', { status: 404 }, { kind: 'refused', why: 'http_404' }], ['LO-14 501', { status: 501 }, { kind: 'refused', why: 'http_501' }],
    ['LO-13, SS-04 a redirect', { status: 302 }, { kind: 'refused', why: 'http_302' }],
    ['LO-13 500', { status: 500 }, { kind: 'failed', why: 'http_500' }], ['LO-13 503', { status: 503 }, { kind: 'failed', why: 'http_503' }], ['LO-13 429', { status: 429 }, { kind: 'failed', why: 'http_429' }],
    ['LO-13 a timeout', { failure: 'timeout' }, { kind: 'failed', why: 'timeout' }], ['LO-13 nobody there', { failure: 'unreachable' }, { kind: 'failed', why: 'unreachable' }],
    ['LO-15 an address that may not be called', { failure: 'blocked' }, { kind: 'refused', why: 'blocked' }],
  ] as const)('%s', (_what, answer, attempt) => {
    expect(judgeLogoutAnswer(answer)).toEqual(attempt);
  });
});

test('what a mail server says', () => {
  expect([judgeMail({ kind: 'sent' }), judgeMail({ kind: 'refused', why: 'smtp_550' }), judgeMail({ kind: 'failed', why: 'timeout' })]).toEqual([
    { kind: 'done', outcome: 'delivered' }, { kind: 'refused', why: 'smtp_550' }, { kind: 'failed', why: 'timeout' },
  ]);
});

describe('LO-13 attempts', () => {
  test.each([['logout', [5, 30, 120, 600]], ['mail', [5, 30, 120, 600, 3600]]] as const)('of a %s come ever later, and end', (kind, pauses) => {
    const seen: number[] = [];
    let attempts = 0;
    for (;;) {
      const after = settle({ kind, attempts }, failed, NOW);
      expect(after.attempts).toBe(attempts + 1);
      attempts = after.attempts;
      if (after.doneAtMs !== null) {
        expect(after).toEqual({ attempts, nextAttemptAtMs: NOW, doneAtMs: NOW, outcome: 'given_up' });
        break;
      }
      expect(after.outcome).toBeNull();
      seen.push((after.nextAttemptAtMs - NOW) / 1000);
    }
    expect(seen).toEqual([...pauses]);
    expect(attempts).toBe(pauses.length + 1);
  });

  test('what arrived or was refused is done at once', () => {
    expect(settle({ kind: 'mail', attempts: 2 }, { kind: 'done', outcome: 'mailbox' }, NOW)).toEqual({ attempts: 3, nextAttemptAtMs: NOW, doneAtMs: NOW, outcome: 'mailbox' });
    expect(settle({ kind: 'logout', attempts: 0 }, { kind: 'refused', why: 'http_400' }, NOW)).toEqual({ attempts: 1, nextAttemptAtMs: NOW, doneAtMs: NOW, outcome: 'refused' });
  });
});

describe('LO-13, SS-08 a place that answers nobody', () => {
  const after = (attempts: readonly Attempt[], nowMs = NOW): PlaceTrouble | null => attempts.reduce<PlaceTrouble | null>((trouble, attempt) => judgePlace(trouble, attempt, nowMs), null);
  const because = (why: string): Attempt => ({ kind: 'failed', why });

  test('is called twice at once, once after a call that ran out of time, and after two in a row only after ever longer pauses', () => {
    expect([callsAllowed(null, NOW), callsAllowed(after([failed]), NOW)]).toEqual([2, 1]);
    const pausesS = Array.from({ length: 9 }, (_nothing, more) => ((after(Array.from({ length: 2 + more }, () => failed))?.notBeforeMs ?? 0) - NOW) / 1000);
    expect(pausesS).toEqual([5, 10, 20, 40, 80, 160, 300, 300, 300]);
    const trouble = after([failed, failed]);
    expect([callsAllowed(trouble, NOW), callsAllowed(trouble, NOW + 4_999), callsAllowed(trouble, NOW + 5_000)]).toEqual([0, 0, 1]);
  });

  test.each<readonly [string, Attempt]>([
    ['an answer', { kind: 'done', outcome: 'delivered' }], ['a refusal', { kind: 'refused', why: 'http_400' }], ['its own trouble', because('http_500')], ['nobody at its port', because('unreachable')],
  ])('%s ends that', (_what, attempt) => {
    expect(after([failed, failed, failed, attempt])).toBeNull();
  });

  test('trouble of ours says nothing about it', () => {
    for (const why of ['no_key', 'internal']) {
      expect(judgePlace(null, because(why), NOW)).toBeNull();
      expect(after([failed, failed, because(why)])).toEqual(after([failed, failed]));
    }
  });

  test('for an hour logouts wait for it; mails never wait in vain', () => {
    const createdAtMs = NOW - 3_600_000;
    expect([isTooLate({ kind: 'logout', createdAtMs }, NOW), isTooLate({ kind: 'logout', createdAtMs }, NOW + 1), isTooLate({ kind: 'mail', createdAtMs: 0 }, NOW)]).toEqual([false, true, false]);
  });
});
