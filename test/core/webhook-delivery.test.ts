import { describe, expect, test } from 'bun:test';
import { auditEvent } from '../../src/core/audit-event.ts';
import { eventDocument, readEventId } from '../../src/core/event-document.ts';
import type { AuditRow } from '../../src/core/operations-store.ts';
import { GIVE_UP_AFTER_MS, judgeWebhookAnswer, settleAttempt, wantsEvent, type WebhookAttempt } from '../../src/core/webhook-delivery.ts';
import { addSecret, findWebhookFault, findWebhookSecretFault, signingSecrets } from '../../src/core/webhook-settings.ts';

const NOW = Date.parse('2026-11-20T12:00:00Z');
const HOUR_MS = 3_600_000;
const failed: WebhookAttempt = { kind: 'failed', status: 500, why: 'http_500', pauseMs: null };

describe('what an answer says', () => {
  test.each([
    [200, null, { kind: 'delivered', status: 200 }], [204, null, { kind: 'delivered', status: 204 }], [299, null, { kind: 'delivered', status: 299 }],
    [410, null, { kind: 'gone', status: 410, why: 'gone' }],
    [302, null, { kind: 'failed', status: 302, why: 'http_302', pauseMs: null }], [404, '60', { kind: 'failed', status: 404, why: 'http_404', pauseMs: null }],
    [429, '60', { kind: 'failed', status: 429, why: 'http_429', pauseMs: 60_000 }], [503, 'Fri, 20 Nov 2026 12:10:00 GMT', { kind: 'failed', status: 503, why: 'http_503', pauseMs: 600_000 }],
    [429, '0', { kind: 'failed', status: 429, why: 'http_429', pauseMs: 5_000 }], [503, '999999999', { kind: 'failed', status: 503, why: 'http_503', pauseMs: 3 * HOUR_MS }],
    [503, 'Fri, 20 Nov 2020 12:10:00 GMT', { kind: 'failed', status: 503, why: 'http_503', pauseMs: 5_000 }], [503, 'soon', { kind: 'failed', status: 503, why: 'http_503', pauseMs: null }],
  ] as const)('SS-04 %i, Retry-After %s', (status, retryAfter, attempt) => {
    expect(judgeWebhookAnswer({ status, retryAfter }, NOW)).toEqual(attempt);
  });

  test.each(['blocked', 'timeout', 'unresolved', 'tls', 'unreachable'] as const)('SS-02 %s may pass: somebody can set it right', (failure) => {
    expect(judgeWebhookAnswer({ failure }, NOW)).toEqual({ kind: 'failed', status: null, why: failure, pauseMs: null });
  });
});

describe('when it is tried again', () => {
  /** All attempts of an event that nobody takes, in milliseconds from the first. */
  function attemptsOf(attempt: WebhookAttempt, jitter: number): readonly number[] {
    const at: number[] = [];
    for (let nowMs = NOW; ;) {
      at.push(nowMs - NOW);
      const { outcome, retryAtMs } = settleAttempt({ attempts: at.length - 1, sinceMs: at.length === 1 ? null : NOW }, attempt, nowMs, jitter);
      if (outcome === 'given_up') return at;
      nowMs = retryAtMs;
    }
  }

  test('5 s, 30 s, 2 min, 10 min, 30 min, 1 h, then every 3 h, and given up after three days', () => {
    const at = attemptsOf(failed, 0);
    expect(at.slice(0, 9)).toEqual([0, 5_000, 35_000, 155_000, 755_000, 2_555_000, 6_155_000, 6_155_000 + 3 * HOUR_MS, 6_155_000 + 6 * HOUR_MS]);
    expect([at.length, at.at(-1)]).toEqual([31, GIVE_UP_AFTER_MS]);
  });

  test('chance makes pauses longer by a fifth at most, and never the three days', () => {
    const at = attemptsOf(failed, 0.999_999);
    expect([at[1], at[2], at.at(-1)]).toEqual([6_000, 42_000, GIVE_UP_AFTER_MS]);
  });

  test('a receiver that asks for a pause gets it, without chance', () => {
    expect(settleAttempt({ attempts: 0, sinceMs: null }, { ...failed, pauseMs: 60_000 }, NOW, 0.9)).toEqual({ outcome: 'failed', retryAtMs: NOW + 60_000 });
  });

  test('what is taken is settled, and a farewell settles nothing', () => {
    expect(settleAttempt({ attempts: 3, sinceMs: NOW - GIVE_UP_AFTER_MS }, { kind: 'delivered', status: 200 }, NOW, 0)).toEqual({ outcome: 'delivered', retryAtMs: NOW });
    expect(settleAttempt({ attempts: 3, sinceMs: NOW - GIVE_UP_AFTER_MS }, { kind: 'gone', status: 410, why: 'gone' }, NOW, 0).outcome).toBe('failed');
  });
});

describe('what a webhook hears of', () => {
  const event = (changes: Partial<AuditRow> = {}): AuditRow => ({ ...auditEvent({ timeMs: NOW, type: 'user_created', tenant: 'acme' }), number: 1, hash: null, ...changes });
  const own = { slug: 'acme', sinceMs: NOW };
  const all = { id: 'wh_1', events: [] };

  test.each([
    ['its tenant\'s', all, own, event(), true], ['another\'s', all, own, event({ tenant: 'other' }), false], ['the server\'s', all, own, event({ tenant: null }), false],
    ['MTN-12 one of another tenant that had its slug before', all, own, event({ timeMs: NOW - 1 }), false],
    ['the server\'s, for the server\'s own', all, null, event({ tenant: null }), true], ['any tenant\'s, for the server\'s own', all, null, event({ tenant: 'other' }), true],
    ['a type that it wants', { id: 'wh_1', events: ['user_created'] }, own, event(), true], ['a type that it does not want', { id: 'wh_1', events: ['user_deleted'] }, own, event(), false],
    ['a test of itself', all, own, event({ type: 'webhook_tested', subject: 'wh_1' }), false], ['a test of another', all, own, event({ type: 'webhook_tested', subject: 'wh_2' }), true],
  ] as const)('%s', (_what, webhook, hearing, happened, wants) => {
    expect(wantsEvent(webhook, hearing, happened)).toBe(wants);
  });

  test('LG-01 is thin: no address, no fingerprint, no hash', () => {
    expect(eventDocument(event({ ip: '192.0.2.1', fingerprint: 'f'.repeat(12), hash: 'h', subject: 'usr_1', actor: 'operator', number: 42, requestId: 'req-1', reason: 'why' }))).toEqual({
      id: 'evt_42', type: 'user_created', timestamp: '2026-11-20T12:00:00.000Z',
      data: { number: 42, tenant: 'acme', actor: 'operator', client_id: null, subject: 'usr_1', outcome: 'success', reason: 'why', grant_id: null, request_id: 'req-1', count: 1 },
    });
  });

  test.each([['evt_42', 42], ['42', 42], ['0', 0], ['', null], ['evt_', null], ['-1', null], ['4.2', null], ['9'.repeat(16), null]] as const)('the id %s', (text, number) => {
    expect(readEventId(text)).toBe(number);
  });
});

describe('what an operator sets', () => {
  const good = { name: 'crm', url: 'https://hooks.example.com/in?x=1', events: ['user_created'] };
  test.each([
    ['all is well', {}, null], ['SS-01 http', { url: 'http://hooks.example.com/' }, 'url'], ['SS-01 another port', { url: 'https://hooks.example.com:8443/' }, 'url'],
    ['SS-01 a user name', { url: 'https://u:p@hooks.example.com/' }, 'url'], ['SS-02 a private address', { url: 'https://10.0.0.1/' }, 'url'], ['SS-02 cloud metadata', { url: 'https://169.254.169.254/' }, 'url'],
    ['SS-02 an IPv6 address', { url: 'https://[fd00::1]/' }, 'url'], ['SS-06 a number', { url: 'https://2130706433/' }, 'url'], ['SS-09 this machine', { url: 'http://127.0.0.1:1/' }, 'url'],
    ['a public address', { url: 'https://93.184.216.34/' }, null], ['TX-04 a name that lies', { name: 'a\u202Eb' }, 'name'], ['no name', { name: '' }, 'name'], ['a type that nobody knows', { events: ['user_born'] }, 'events'],
  ] as const)('%s', (_what, changes, member) => {
    expect(findWebhookFault({ ...good, ...changes }, false)?.member ?? null).toBe(member);
  });

  test('SS-09 this machine, where the server is there too', () => {
    expect(findWebhookFault({ ...good, url: 'http://127.0.0.1:1/' }, true)).toBeNull();
  });

  test.each([
    [24, true], [64, true], [32, true], [23, false], [65, false],
  ])('a secret of %i bytes', (bytes, fine) => {
    expect(findWebhookSecretFault(`whsec_${Buffer.alloc(bytes, 7).toString('base64')}`) === null).toBe(fine);
  });
  test.each(['', 'whsec_', 'secret', Buffer.alloc(32).toString('base64'), `whsec_${'A'.repeat(43)}`, `whsec_${'-'.repeat(44)}`, `whsec_${'A'.repeat(44)}\n`])('a secret like %j will not do', (secret) => {
    expect(findWebhookSecretFault(secret)).toBe('a signing secret is whsec_ and 24 to 64 bytes in base64');
  });

  test('former secrets sign along until the overlap is over, four at most', () => {
    const secret = (sealed: string, expiresAtMs: number | null = null) => ({ sealed, createdAtMs: NOW, expiresAtMs });
    expect(addSecret([secret('a'), secret('b', NOW + 10), secret('c', NOW)], secret('d'), 100, NOW)).toEqual([secret('d'), secret('a', NOW + 100), secret('b', NOW + 10)]);
    expect(addSecret([secret('a')], secret('b'), 0, NOW)).toEqual([secret('b')]);
    expect(addSecret([secret('a'), secret('b', NOW + 1), secret('c', NOW + 1), secret('d', NOW + 1)], secret('e'), 100, NOW).map(({ sealed }) => sealed)).toEqual(['e', 'a', 'b', 'c']);
    expect(signingSecrets([secret('a'), secret('b', NOW + 1), secret('c', NOW)], NOW).map(({ sealed }) => sealed)).toEqual(['a', 'b']);
  });
});
