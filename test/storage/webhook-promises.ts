import { expect } from 'bun:test';
import type { StorePromise } from './conformance.ts';
import { winners } from './people-samples.ts';
import { anEvent, aTenant, furnish, HOUR_MS, T0 } from './samples.ts';
import { sweepAll } from './sweep-promises.ts';
import type { Page } from '../../src/core/paging.ts';
import type { Store } from '../../src/core/store.ts';
import type { Webhook, WebhookDelivery, WebhookReplay } from '../../src/core/webhook.ts';
import { listAudit } from '../helpers/trail.ts';

const DAY_MS = 24 * HOUR_MS;
const events = [anEvent({ type: 'webhook_updated' })];
const whole = { after: null, limit: 10 };

/** A webhook of the tenant ten_1. */
function aWebhook(id = 'wh_1', changes: Partial<Webhook> = {}): Webhook {
  return {
    id, tenantId: 'ten_1', name: `name of ${id}`, url: 'https://hooks.example.com/', events: ['user_created'], secrets: [{ sealed: 'v1.k.s', createdAtMs: T0, expiresAtMs: null }],
    createdAtMs: T0, disabledAtMs: null, cursor: 0, attempts: 0, nextAttemptAtMs: T0, failingSinceMs: null, ...changes,
  };
}

function aDelivery(eventNumber = 1, changes: Partial<Omit<WebhookDelivery, 'number'>> = {}): Omit<WebhookDelivery, 'number'> {
  return { webhookId: 'wh_1', eventNumber, eventType: 'user_created', attempt: 1, atMs: T0, durationMs: 5, status: 200, outcome: 'delivered', why: null, replay: false, ...changes };
}

function aReplay(id: string, changes: Partial<WebhookReplay> = {}): WebhookReplay {
  return { id, webhookId: 'wh_1', eventNumber: 1, createdAtMs: T0, attempts: 0, nextAttemptAtMs: T0, ...changes };
}

const stateOf = ({ cursor, attempts, nextAttemptAtMs, failingSinceMs }: Webhook) => ({ cursor, attempts, nextAttemptAtMs, failingSinceMs });
const idsOf = (found: readonly { readonly id: string }[]): readonly string[] => found.map(({ id }) => id);

/** ten_1 is acme, ten_2 another; one event of each, so that all that hear have something to hear. */
async function furnishTrail(store: Store): Promise<void> {
  await furnish(store);
  await store.createTenant(aTenant({ id: 'ten_2', slug: 'other' }), [], []);
}

/** Webhooks: who hears of events, how far, and what came of it. */
export const webhookPromises: readonly StorePromise[] = [
  ['a webhook is made, found, listed by its owner and by name, and deleted once, with what is known of it', async (store) => {
    await furnishTrail(store);
    const [one, two, own] = [aWebhook(), aWebhook('wh_2', { name: 'a', tenantId: 'ten_2' }), aWebhook('wh_3', { name: 'b', tenantId: null, events: [], failingSinceMs: 1, disabledAtMs: 2 })];
    for (const webhook of [one, two, own]) await store.createWebhook(webhook, events);
    expect([await store.findWebhook('wh_1'), await store.findWebhook('wh_3'), await store.findWebhook('wh_9')]).toEqual([one, own, null]);
    expect([idsOf(await store.listWebhooks('ten_1')), idsOf(await store.listWebhooks(null)), idsOf(await store.listWebhooks())]).toEqual([['wh_1'], ['wh_3'], ['wh_2', 'wh_3', 'wh_1']]);
    await store.settleWebhook('wh_1', 0, stateOf(one), aDelivery(), []);
    await store.addReplays([aReplay('rep_1')], []);
    expect(await winners(() => store.deleteWebhook('wh_1', events))).toBe(1);
    expect([await store.findWebhook('wh_1'), (await store.pageDeliveries('wh_1', whole)).items, await store.countReplays('wh_1')]).toEqual([null, [], 0]);
    expect(await listAudit(store, { type: 'webhook_updated', limit: 99 })).toHaveLength(4);
  }],

  ['a webhook is changed only as it was seen; how far it has heard is another matter, and stays', async (store) => {
    await furnishTrail(store);
    const before = aWebhook();
    await store.createWebhook(before, []);
    await store.settleWebhook('wh_1', 0, { cursor: 7, attempts: 2, nextAttemptAtMs: T0 + 9, failingSinceMs: T0 }, null, []);
    const after = { ...before, name: 'new', url: 'https://new.example/', events: [], secrets: [], disabledAtMs: T0 };
    expect(await store.updateWebhook(before, after, events)).toBe('updated');
    expect(await store.findWebhook('wh_1')).toEqual({ ...after, cursor: 7, attempts: 2, nextAttemptAtMs: T0 + 9, failingSinceMs: T0 });
    expect([await store.updateWebhook(before, after, events), await store.updateWebhook(aWebhook('wh_9'), after, events)]).toEqual(['outdated', 'outdated']);
    expect(await store.updateWebhook(after, { ...after, disabledAtMs: null, nextAttemptAtMs: T0 + 5 }, events)).toBe('updated');
    expect(await store.findWebhook('wh_1')).toMatchObject({ disabledAtMs: null, nextAttemptAtMs: T0 + 5, cursor: 7 });
    expect(await listAudit(store, { type: 'webhook_updated', limit: 99 })).toHaveLength(2);
  }],

  ['LG-07 due is who is enabled, whose time has come, and behind whose cursor there is an event of theirs', async (store) => {
    await furnishTrail(store);
    const cursor = await store.lastAuditNumber();
    const all = [
      aWebhook('wh_1', { cursor }), aWebhook('wh_2', { cursor, tenantId: 'ten_2' }), aWebhook('wh_3', { cursor, tenantId: null }), aWebhook('wh_4', { cursor, nextAttemptAtMs: T0 + 1 }),
      aWebhook('wh_5', { cursor, disabledAtMs: T0 }),
    ];
    for (const webhook of all) await store.createWebhook(webhook, []);
    const due = async (nowMs: number, page: Page = whole) => idsOf(await store.listDueWebhooks(nowMs, page));
    expect(await due(T0 + 1)).toEqual([]);
    await store.recordAudit([anEvent({ tenant: 'acme' })]);
    expect([await due(T0 - 1), await due(T0), await due(T0 + 1)]).toEqual([[], ['wh_1', 'wh_3'], ['wh_1', 'wh_3', 'wh_4']]);
    expect([await due(T0 + 1, { after: null, limit: 2 }), await due(T0 + 1, { ...whole, after: 'wh_3' })]).toEqual([['wh_1', 'wh_3'], ['wh_4']]);
    await store.recordAudit([anEvent({ tenant: null })]);
    await store.settleWebhook('wh_1', cursor, { ...stateOf(aWebhook()), cursor: cursor + 1 }, null, []);
    expect(await due(T0)).toEqual(['wh_3']);
  }],

  ['of several that claim a webhook one gets it; whoever saw another cursor, time or state gets nothing', async (store) => {
    await furnishTrail(store);
    const seen = aWebhook();
    await store.createWebhook(seen, []);
    for (const changes of [{ cursor: 1 }, { nextAttemptAtMs: T0 + 1 }, { id: 'wh_9' }]) expect(await store.claimWebhook({ ...seen, ...changes }, T0 + 9)).toBe(false);
    expect(await winners(() => store.claimWebhook(seen, T0 + 9))).toBe(1);
    expect((await store.findWebhook('wh_1'))?.nextAttemptAtMs).toBe(T0 + 9);
    await store.updateWebhook(seen, { ...seen, disabledAtMs: T0 }, []);
    expect(await store.claimWebhook({ ...seen, nextAttemptAtMs: T0 + 9 }, T0 + 99)).toBe(false);
  }],

  ['LG-07 an attempt is noted with the cursor that it moves, by one who saw the former', async (store) => {
    await furnishTrail(store);
    await store.createWebhook(aWebhook(), []);
    const moved = { cursor: 5, attempts: 0, nextAttemptAtMs: T0 + 1, failingSinceMs: null };
    expect(await winners(() => store.settleWebhook('wh_1', 0, moved, aDelivery(5), events))).toBe(1);
    expect(await store.settleWebhook('wh_9', 0, moved, aDelivery(5, { webhookId: 'wh_9' }), events)).toBe(false);
    expect(await store.findWebhook('wh_1')).toEqual(aWebhook('wh_1', moved));
    expect((await store.pageDeliveries('wh_1', whole)).items).toEqual([{ ...aDelivery(5), number: expect.any(Number) }]);
    expect(await listAudit(store, { type: 'webhook_updated', limit: 99 })).toHaveLength(1);
  }],

  ['deliveries come in parts, the latest first; those of a month ago go, and of each webhook some thousands stay', async (store) => {
    await furnishTrail(store);
    for (const id of ['wh_1', 'wh_2']) await store.createWebhook(aWebhook(id), []);
    const note = (number: number, changes: Partial<Omit<WebhookDelivery, 'number'>> = {}) => store.settleWebhook(changes.webhookId ?? 'wh_1', 0, stateOf(aWebhook()), aDelivery(number, changes), []);
    for (const number of [1, 2, 3]) await note(number);
    await note(4, { webhookId: 'wh_2', status: null, outcome: 'failed', why: 'timeout' });
    const first = await store.pageDeliveries('wh_1', { after: null, limit: 2 });
    const second = await store.pageDeliveries('wh_1', { after: first.next, limit: 2 });
    expect([first.items.map(({ eventNumber }) => eventNumber), second.items.map(({ eventNumber }) => eventNumber), second.next]).toEqual([[3, 2], [1], null]);
    expect((await store.pageDeliveries('wh_1', { after: 'x', limit: 2 })).items).toEqual([]);
    await note(2, { replay: true, attempt: 2 });
    expect([(await store.findDelivery('wh_1', 2, true))?.attempt, (await store.findDelivery('wh_1', 2, false))?.attempt, await store.findDelivery('wh_1', 3, true)]).toEqual([2, 1, null]);
    await Promise.all(Array.from({ length: 5_200 }, (_nothing, index) => note(index, { atMs: T0 + DAY_MS })));
    const kept = async (id: string) => (await store.pageDeliveries(id, { after: null, limit: 9_999 })).items.length;
    const many = await kept('wh_1');
    expect([many >= 5_000 && many <= 5_064, await kept('wh_2')]).toEqual([true, 1]);
    await sweepAll(store, T0 + 30 * DAY_MS + 1);
    expect([await kept('wh_1') >= 5_000, await kept('wh_2')]).toEqual([true, 0]);
    await sweepAll(store, T0 + 31 * DAY_MS + 1);
    expect(await kept('wh_1')).toBe(0);
  }],

  ['replays wait beside the order: of each enabled webhook the first that is due, claimed by one, and gone when done', async (store) => {
    await furnishTrail(store);
    for (const id of ['wh_1', 'wh_2', 'wh_3']) await store.createWebhook(aWebhook(id, { disabledAtMs: id === 'wh_3' ? T0 : null }), []);
    expect(await store.listDueReplays(T0, whole)).toEqual([]);
    await store.addReplays([aReplay('rep_b', { nextAttemptAtMs: T0 + 5 }), aReplay('rep_a'), aReplay('rep_c'), aReplay('rep_d', { webhookId: 'wh_2' }), aReplay('rep_e', { webhookId: 'wh_3' })], events);
    expect([idsOf(await store.listDueReplays(T0, whole)), idsOf(await store.listDueReplays(T0 + 5, whole)), idsOf(await store.listDueReplays(T0, { ...whole, after: 'wh_1' }))]).toEqual([['rep_a', 'rep_d'], ['rep_b', 'rep_d'], ['rep_d']]);
    expect([await store.listDueReplays(T0, { after: null, limit: 1 }), await store.countReplays('wh_1')]).toEqual([[aReplay('rep_a')], 3]);
    expect(await winners(() => store.claimReplay('rep_a', T0, T0 + 9))).toBe(1);
    expect(idsOf(await store.listDueReplays(T0, whole))).toEqual(['rep_c', 'rep_d']);
    await store.settleReplay('rep_a', { attempts: 1, nextAttemptAtMs: T0 + 7 }, aDelivery(1, { replay: true, outcome: 'failed' }), []);
    expect(await store.listDueReplays(T0 + 7, { after: null, limit: 1 })).toEqual([aReplay('rep_b', { nextAttemptAtMs: T0 + 5 })]);
    await store.settleReplay('rep_b', { attempts: 1, nextAttemptAtMs: null }, aDelivery(1, { replay: true }), events);
    expect([await store.listDueReplays(T0 + 7, { after: null, limit: 1 }), await store.countReplays('wh_1')]).toEqual([[aReplay('rep_a', { attempts: 1, nextAttemptAtMs: T0 + 7 })], 2]);
    // Whoever was slower changes nothing and notes nothing.
    await store.settleReplay('rep_b', { attempts: 1, nextAttemptAtMs: T0 }, aDelivery(1, { replay: true }), events);
    expect([(await store.pageDeliveries('wh_1', whole)).items.length, (await listAudit(store, { type: 'webhook_updated', limit: 99 })).length]).toEqual([2, 2]);
  }],

  ['MTN-12 a deleted tenant\'s webhooks go with it, and nobody else\'s', async (store) => {
    await furnishTrail(store);
    await store.createWebhook(aWebhook(), []);
    await store.createWebhook(aWebhook('wh_2', { tenantId: 'ten_2' }), []);
    await store.createWebhook(aWebhook('wh_3', { tenantId: null }), []);
    await store.deleteTenant('ten_1', T0 + 1, []);
    expect(idsOf(await store.listWebhooks())).toEqual(['wh_2', 'wh_3']);
  }],
];
