import { expect } from 'bun:test';
import type { StorePromise } from './conformance.ts';
import { aMail } from './people-samples.ts';
import { aKey, anEvent, aTenant, furnish, HOUR_MS, T0 } from './samples.ts';
import { sweepAll } from './sweep-promises.ts';
import type { Store } from '../../src/core/store.ts';
import type { Webhook } from '../../src/core/webhook.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * HOUR_MS;

function aWebhook(id: string, changes: Partial<Webhook> = {}): Webhook {
  return {
    id, tenantId: null, name: id, url: 'https://hooks.example.com/', events: [], secrets: [], createdAtMs: T0, disabledAtMs: null, cursor: 0, attempts: 0,
    nextAttemptAtMs: T0, failingSinceMs: null, ...changes,
  };
}

/** What is told of the store itself, and of what happened on it. */
export const activityPromises: readonly StorePromise[] = [
  ['what several servers count within a minute is added up', async (store) => {
    await store.addActivity([{ minuteMs: T0, counts: { requests: 2, errors: 1 } }, { minuteMs: T0 + MINUTE_MS, counts: { requests: 5 } }]);
    await store.addActivity([{ minuteMs: T0, counts: { requests: 3, active: 4 } }, { minuteMs: T0 - MINUTE_MS, counts: { requests: 1 } }]);
    expect(await store.listActivity(0)).toEqual([
      { minuteMs: T0 - MINUTE_MS, counts: { requests: 1 } }, { minuteMs: T0, counts: { requests: 5, errors: 1, active: 4 } }, { minuteMs: T0 + MINUTE_MS, counts: { requests: 5 } },
    ]);
    expect((await store.listActivity(T0)).map(({ minuteMs }) => minuteMs)).toEqual([T0, T0 + MINUTE_MS]);
    expect(await store.listActivity(T0 + HOUR_MS)).toEqual([]);
  }],

  ['minutes are kept for 31 days', async (store) => {
    await store.addActivity([{ minuteMs: T0, counts: { requests: 1 } }, { minuteMs: T0 + MINUTE_MS, counts: { requests: 2 } }]);
    expect(await sweepAll(store, T0 + 31 * DAY_MS)).toBe(0);
    expect(await sweepAll(store, T0 + 31 * DAY_MS + 1)).toBe(1);
    expect(await store.listActivity(0)).toEqual([{ minuteMs: T0 + MINUTE_MS, counts: { requests: 2 } }]);
  }],

  ['every row is counted once, whatever a table\'s key is made of, also where there are more than one look takes in', async (store) => {
    await furnish(store);
    for (const [index, slug] of ['beta', 'gamma', 'delta'].entries()) await store.createTenant(aTenant({ id: `ten_${index + 2}`, slug }), [], []);
    // Keys of two parts: few tenants with many ids each, and sizes around those of one look.
    const sizes = { ten_1: 1_203, ten_2: 500, ten_3: 499, ten_4: 1 };
    await Promise.all(Object.entries(sizes).flatMap(([tenantId, size]) =>
      Array.from({ length: size }, (_, index) => store.revokeTokenId(tenantId, `jti_${index}`, T0 / 1000, T0, () => [anEvent()]))));
    const { rows, databaseBytes, walBytes } = await store.statistics();
    expect(rows).toMatchObject({ revoked_ids: 2_203, audit: 2_203, tenants: 4, clients: 1, users: 1, grants: 1, refresh_tokens: 1, signing_keys: 2, codes: 0 });
    expect(databaseBytes).toBeGreaterThan(100_000);
    expect(walBytes).toBeGreaterThanOrEqual(0);
    // Counting again at once would be work for nothing.
    expect(await store.statistics()).toBe(await store.statistics());
  }],

  ['what was committed is counted, and how many changes shared a commit', async (store) => {
    const before = store.writes();
    await Promise.all([store.recordAudit([anEvent()]), store.recordAudit([anEvent()]), store.recordAudit([anEvent()])]);
    const after = store.writes();
    expect({ commits: after.commits - before.commits, operations: after.operations - before.operations, waiting: after.waiting }).toEqual({ commits: 1, operations: 3, waiting: 0 });
    expect(after.secondsOfCommits).toBeGreaterThan(before.secondsOfCommits);
    const failing = store.writeMeta('probe' as never, null as never, []).then(() => 'written', () => 'failed');
    expect(store.writes().waiting).toBe(1);
    expect(await failing).toBe('failed');
    expect(store.writes().operations).toBe(after.operations);
  }],

  ['reads that memory answered are told from those that it did not', async (store) => {
    await furnish(store);
    const figures = (): { readonly hits: number; readonly misses: number } => store.remembered()['clients'] ?? { hits: -1, misses: -1 };
    const before = figures();
    for (const id of ['cli_1', 'cli_1', 'nobody']) await store.findClient('ten_1', id);
    expect({ hits: figures().hits - before.hits, misses: figures().misses - before.misses }).toEqual({ hits: 1, misses: 2 });
  }],

  ['what waits to go out is counted, with the age of the oldest', async (store) => {
    await furnish(store);
    expect(await store.backlog()).toEqual({ mails: { waiting: 0, oldestAtMs: null }, logouts: { waiting: 0, oldestAtMs: null }, webhooks: { enabled: 0, failing: 0, behind: 0 } });
    await store.addOutbox([
      aMail('out_1', { createdAtMs: T0 + 2 }), aMail('out_2', { createdAtMs: T0 + 1, nextAttemptAtMs: T0 + DAY_MS }), aMail('out_3', { createdAtMs: T0, doneAtMs: T0, outcome: 'delivered' }),
      aMail('out_4', { kind: 'logout', target: 'cli_1', createdAtMs: T0 + 3 }),
    ], [anEvent()]);
    expect(await store.backlog()).toMatchObject({ mails: { waiting: 2, oldestAtMs: T0 + 1 }, logouts: { waiting: 1, oldestAtMs: T0 + 3 } });
  }],

  ['webhooks that cannot be told, and how far the last of them is behind', async (store) => {
    await store.recordAudit([anEvent(), anEvent(), anEvent()]);
    const newest = await store.lastAuditNumber();
    await store.createWebhook(aWebhook('wh_1', { cursor: newest }), []);
    await store.createWebhook(aWebhook('wh_2', { cursor: newest - 2, failingSinceMs: T0 }), []);
    await store.createWebhook(aWebhook('wh_3', { cursor: 0, disabledAtMs: T0 }), []);
    expect((await store.backlog()).webhooks).toEqual({ enabled: 2, failing: 1, behind: 2 });
  }],

  ['of keys that sign, those that have done so for the longest are told; of tenants that are not served, none', async (store) => {
    const add = (slug: string, activatedAtMs: number, changes: Parameters<typeof aTenant>[0] = {}): Promise<boolean> =>
      store.createTenant(aTenant({ id: `ten_${slug}`, slug, ...changes }), [aKey({ tenantId: `ten_${slug}`, kid: slug, activatedAtMs }), aKey({ tenantId: `ten_${slug}`, kid: `${slug} next`, status: 'next', activatedAtMs: null })], []);
    await add('young', T0 + 3);
    await add('old', T0 + 1);
    await add('middle', T0 + 2);
    await add('gone', T0, { disabledAtMs: T0 });
    expect(await store.oldestKeys(2)).toEqual([{ tenant: 'old', activatedAtMs: T0 + 1 }, { tenant: 'middle', activatedAtMs: T0 + 2 }]);
    expect(await readAll(store)).toEqual(['old', 'middle', 'young']);
  }],
];

async function readAll(store: Store): Promise<readonly string[]> {
  return (await store.oldestKeys(10)).map(({ tenant }) => tenant);
}
