import { describe, expect, test } from 'bun:test';
import { makeAuditQueue, type RunningAuditQueue } from '../../src/audit/queue.ts';
import type { AuditEvent } from '../../src/core/audit-event.ts';
import { StoreError } from '../../src/core/store.ts';
import { anEvent } from '../storage/samples.ts';
import { makeSetClock, silentLog, type SetClock } from '../service/rig.ts';

const MINUTE = 60_000;

type Rows = {
  readonly queue: RunningAuditQueue;
  readonly clock: SetClock;
  /** What the store holds, counts added up. */
  readonly rows: AuditEvent[];
  /** Calls of the store so far. */
  readonly calls: () => number;
  /** Lets the store fail, or work again. */
  readonly break: (how: 'no' | 'all' | 'counting') => void;
  readonly errors: string[];
};

/** A queue before a store in memory. */
function open(): Rows {
  const rows: AuditEvent[] = [];
  const errors: string[] = [];
  const clock = makeSetClock();
  let broken: 'no' | 'all' | 'counting' = 'no';
  let calls = 0;
  const fail = () => Promise.reject(new StoreError('unavailable', new Error('disk is full')));
  const queue = makeAuditQueue({
    recordAudit(events) {
      calls += 1;
      if (broken === 'all') return fail();
      return Promise.resolve(events.map((event) => rows.push(event) - 1));
    },
    countAudit(repeats) {
      calls += 1;
      if (broken !== 'no') return fail();
      for (const { number, more } of repeats) {
        const row = rows[number];
        if (row !== undefined) rows[number] = { ...row, count: row.count + more };
      }
      return Promise.resolve();
    },
  }, clock, { ...silentLog, error: (message) => void errors.push(message) });
  return { queue, clock, rows, errors, calls: () => calls, break: (how) => { broken = how; } };
}

const denial = (changes: Partial<AuditEvent> = {}): AuditEvent => anEvent({ type: 'token_introspection_denied', clientId: 'cli_2', fingerprint: 'abc', outcome: 'denied', ...changes });
const countsOf = (rows: readonly AuditEvent[]): number[] => rows.map(({ count }) => count);

describe('LG-04, LG-07 · events that report no change', () => {
  test('INT-60 within twenty milliseconds it is in the store', async () => {
    const { queue, rows } = open();
    queue.add(denial());
    expect(rows).toEqual([]);
    await Bun.sleep(20);
    expect(rows).toEqual([denial()]);
  });

  test('events of one moment are one write', async () => {
    const { queue, rows, calls } = open();
    for (let index = 0; index < 50; index += 1) queue.add(denial({ fingerprint: `f${index}` }));
    await queue.flush();
    expect([rows.length, calls()]).toEqual([50, 1]);
  });

  test('INT-60 repeats of one caller and token within a minute are one row with a count', async () => {
    const { queue, rows, clock } = open();
    queue.add(denial());
    queue.add(denial({ requestId: 'another', ip: '192.0.2.9' }));
    await queue.flush();
    clock.advance(MINUTE - 1);
    queue.add(denial());
    await queue.flush();
    expect(countsOf(rows)).toEqual([3]);
    clock.advance(1);
    queue.add(denial());
    await queue.flush();
    expect(countsOf(rows)).toEqual([3, 1]);
  });

  test('what differs in kind, tenant, caller, client, token or reason is a row of its own', async () => {
    const { queue, rows } = open();
    const others = [{}, { type: 'token_revocation_denied' as const }, { tenant: 'other' }, { actor: 'cli_9' }, { clientId: 'cli_9' }, { fingerprint: 'xyz' }, { reason: 'tenant' }];
    for (const change of others) queue.add(denial(change));
    await queue.flush();
    expect(countsOf(rows)).toEqual(others.map(() => 1));
  });

  test('without a token the address tells events apart', async () => {
    const { queue, rows } = open();
    for (const ip of ['192.0.2.1', '192.0.2.2', '192.0.2.1']) queue.add(denial({ fingerprint: null, ip }));
    await queue.flush();
    expect(countsOf(rows)).toEqual([2, 1]);
  });

  test('RL-04 beyond ten thousand different ones a minute, strangers are only counted', async () => {
    const { queue, rows } = open();
    for (let index = 0; index < 25_000; index += 1) queue.add(denial({ fingerprint: `f${index}` }));
    queue.add(denial({ tenant: 'other', fingerprint: 'x' }));
    await queue.flush();
    expect(rows.length).toBe(10_002);
    expect(rows.slice(10_000)).toMatchObject([
      { tenant: 'acme', reason: 'suppressed', actor: null, clientId: null, fingerprint: null, count: 15_000 },
      { tenant: 'other', reason: 'suppressed', count: 1 },
    ]);
  });

  test('RL-04 … but what had a row already keeps counting there', async () => {
    const { queue, rows } = open();
    for (let index = 0; index < 10_000; index += 1) queue.add(denial({ fingerprint: `f${index}` }));
    queue.add(denial({ fingerprint: 'f7' }));
    await queue.flush();
    expect(rows.length).toBe(10_000);
    expect(rows[7]).toMatchObject({ fingerprint: 'f7', count: 2 });
  });

  test('RL-04 after the minute there is room again, also when one event never ceases', async () => {
    const { queue, rows, clock } = open();
    queue.add(denial({ fingerprint: 'steady' }));
    await queue.flush();
    for (let minute = 0; minute < 3; minute += 1) {
      for (let index = 0; index < 6000; index += 1) queue.add(denial({ fingerprint: `${minute} ${index}` }));
      await queue.flush();
      clock.advance(MINUTE);
      queue.add(denial({ fingerprint: 'steady' }));
      await queue.flush();
    }
    expect(rows.filter(({ reason }) => reason === 'suppressed')).toEqual([]);
    expect(rows).toHaveLength(18_004);
  });
});

describe('LG-07 · a store that fails', () => {
  test('LG-07 nothing is lost: it waits, and is written with its count when the store works again', async () => {
    const { queue, rows, errors, break: breakStore } = open();
    breakStore('all');
    queue.add(denial());
    queue.add(denial({ fingerprint: 'xyz' }));
    await queue.flush();
    queue.add(denial());
    await queue.flush();
    expect(rows).toEqual([]);
    expect(errors.length).toBeGreaterThanOrEqual(1);
    breakStore('no');
    await queue.flush();
    expect(countsOf(rows)).toEqual([2, 1]);
  });

  test('LG-07 it tries again by itself', async () => {
    const { queue, rows, break: breakStore } = open();
    breakStore('all');
    queue.add(denial());
    await Bun.sleep(30);
    breakStore('no');
    await Bun.sleep(600);
    expect(countsOf(rows)).toEqual([1]);
  });

  test('LG-07 a failed count is made up for, and nothing is written twice', async () => {
    const { queue, rows, break: breakStore } = open();
    queue.add(denial());
    await queue.flush();
    breakStore('counting');
    queue.add(denial());
    queue.add(denial({ fingerprint: 'new' }));
    await queue.flush();
    expect(rows.map(({ fingerprint, count }) => [fingerprint, count])).toEqual([['abc', 1], ['new', 1]]);
    breakStore('no');
    await queue.flush();
    expect(countsOf(rows)).toEqual([2, 1]);
    await queue.flush();
    expect(countsOf(rows)).toEqual([2, 1]);
  });

  test('RL-04 memory stays bounded through hours without a store', async () => {
    const { queue, rows, clock, break: breakStore } = open();
    breakStore('all');
    for (let minute = 0; minute < 10; minute += 1) {
      for (let index = 0; index < 5000; index += 1) queue.add(denial({ fingerprint: `f${index}` }));
      await queue.flush();
      clock.advance(MINUTE);
    }
    breakStore('no');
    await queue.flush();
    expect(rows.length).toBe(5000);
    expect(rows.reduce((sum, { count }) => sum + count, 0)).toBe(50_000);
  });

  test('while the store fails, slowly too, it is tried twice a second, however much arrives', async () => {
    let calls = 0;
    const queue = makeAuditQueue({
      async recordAudit() {
        calls += 1;
        await Bun.sleep(20);
        throw new StoreError('busy', null);
      },
      countAudit: () => Promise.resolve(),
    }, makeSetClock(), silentLog);
    const endMs = performance.now() + 300;
    while (performance.now() < endMs) {
      queue.add(denial());
      await Bun.sleep(1);
    }
    expect(calls).toBe(1);
  });

  test('RL-04 after a quiet minute there is room at once', async () => {
    const { queue, rows, clock } = open();
    for (let index = 0; index < 10_000; index += 1) queue.add(denial({ fingerprint: `f${index}` }));
    await queue.flush();
    clock.advance(MINUTE);
    queue.add(denial({ fingerprint: 'later' }));
    await queue.flush();
    expect(rows.at(-1)).toMatchObject({ fingerprint: 'later', count: 1 });
  });
});

describe('RL-02, RL-04 · who proved nothing makes few rows', () => {
  test('addresses of one IPv6 network are one, and a thousand networks a minute are enough', async () => {
    const { queue, rows } = open();
    const failure = (ip: string): AuditEvent => anEvent({ type: 'client_authentication_failed', fingerprint: null, actor: null, outcome: 'failure', ip });
    for (let host = 1; host <= 50; host += 1) queue.add(failure(`2001:db8::${host.toString(16)}`));
    await queue.flush();
    expect(countsOf(rows)).toEqual([50]);
    for (let network = 1; network <= 3000; network += 1) queue.add(failure(`2001:db8:${network.toString(16)}::1`));
    await queue.flush();
    expect(rows.length).toBeLessThanOrEqual(1001);
    expect(countsOf(rows).reduce((sum, count) => sum + count, 0)).toBe(3050);
  });

  test('RL-04 floods of every kind that strangers can cause leave room for the denials of introspection, and for each other', async () => {
    const { queue, rows, clock } = open();
    const kinds = ['client_authentication_failed', 'sign_in_failed', 'authorization_denied', 'code_refused', 'access_refused', 'requests_limited'] as const;
    const floods = kinds.map((type) => (number: number): AuditEvent => anEvent({ type, fingerprint: null, actor: null, clientId: `app_${number}`, outcome: 'failure', ip: '192.0.2.1' }));
    for (let minute = 0; minute < 2; minute += 1) {
      const before = rows.length;
      for (const flood of floods) for (let number = 0; number < 12_000; number += 1) queue.add(flood(number));
      for (let number = 0; number < 500; number += 1) queue.add(denial({ fingerprint: `${minute} ${number}` }));
      await queue.flush();
      const now = rows.slice(before);
      expect(kinds.map((kind) => now.filter(({ type }) => type === kind).reduce((sum, { count }) => sum + count, 0))).toEqual(kinds.map(() => 12_000));
      expect(kinds.map((kind) => now.filter(({ type }) => type === kind).length)).toEqual(kinds.map(() => 1_001));
      expect(now.filter(({ type }) => type === 'token_introspection_denied')).toHaveLength(500);
      expect(now.filter(({ type, reason }) => type === 'token_introspection_denied' && reason === 'suppressed')).toEqual([]);
      clock.advance(MINUTE);
    }
  });
});
