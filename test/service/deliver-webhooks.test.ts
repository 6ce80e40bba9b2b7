import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { Webhook as Verifier } from 'standardwebhooks';
import { auditEvent, type AuditType } from '../../src/core/audit-event.ts';
import type { EventDocument } from '../../src/core/event-document.ts';
import type { Tenant } from '../../src/core/model.ts';
import type { PostAnswer, PostJson } from '../../src/core/outbound.ts';
import type { Webhook } from '../../src/core/webhook.ts';
import { makePostJson } from '../../src/outbound/guarded-fetch.ts';
import { makeWebhookCourier, type WebhookCourier } from '../../src/service/deliver-webhooks.ts';
import { deleteTenant } from '../../src/service/manage-tenants.ts';
import {
  createWebhook, deleteWebhook, listDeliveries, requireWebhook, rotateWebhookSecret, setWebhookEnabled, updateWebhook, type WebhookOwner, type WebhookWish,
} from '../../src/service/manage-webhooks.ts';
import { makeEventWaiter, readEvents } from '../../src/service/read-events.ts';
import { awaitDelivery, replayEvents, testWebhook } from '../../src/service/replay-webhooks.ts';
import { openRig, there, wanted, type Rig } from './rig.ts';

const DAY_MS = 86_400_000;
const whole = { after: null, limit: 200 };

type Told = { readonly url: string; readonly body: string; readonly headers: Readonly<Record<string, string>> };

let rig: Rig;
let tenant: Tenant;
/** What arrived, and how it is answered. */
let calls: Told[];
let answer: PostAnswer | ((told: Told) => PostAnswer);
let courier: WebhookCourier;

const ok: PostAnswer = { status: 200, retryAfter: null };
const post: PostJson = async (url, body, headers) => {
  const told = { url, body, headers };
  calls.push(told);
  await Promise.resolve();
  return typeof answer === 'function' ? answer(told) : answer;
};

beforeEach(async () => {
  rig = openRig();
  tenant = await rig.tenant();
  calls = [];
  answer = ok;
  courier = makeWebhookCourier(rig.ctx, post);
});
afterEach(() => rig.close());

async function hook(owner: WebhookOwner = tenant, wish: Partial<WebhookWish> = {}): Promise<Webhook & { readonly secret: string }> {
  const { webhook, secret } = wanted(await createWebhook(rig.ctx, owner, { name: 'hook', url: 'https://hooks.example.com/in', events: [], secret: null, ...wish }));
  return { ...webhook, secret: secret ?? '' };
}

/** Something happens. */
async function happen(type: AuditType = 'user_created', subject = 'usr_1', slug: string | null = tenant.slug): Promise<number> {
  return there((await rig.ctx.store.recordAudit([auditEvent({ timeMs: rig.clock.now(), type, tenant: slug, subject, ip: '192.0.2.7' })]))[0]);
}

/** Everything that is due, as the loop would, until nothing is. */
async function settle(with_: WebhookCourier = courier): Promise<number> {
  let runs = 0;
  for (let more = true; more;) {
    more = false;
    for (const webhook of await rig.ctx.store.listDueWebhooks(rig.clock.now(), whole)) {
      const errand = await with_.prepare(webhook);
      if (errand !== null && (await with_.run(errand, () => true)) !== null) more = true;
    }
    for (const replay of await rig.ctx.store.listDueReplays(rig.clock.now(), whole)) {
      const errand = await with_.prepareReplay(replay);
      if (errand !== null) {
        await with_.run(errand, () => true);
        more = true;
      }
    }
    runs += more ? 1 : 0;
    if (runs > 500) throw new Error('it never ends');
  }
  return runs;
}

const documentOf = ({ body }: Told): EventDocument => JSON.parse(body) as EventDocument;
const heard = (): readonly string[] => calls.map((told) => `${documentOf(told).type} ${documentOf(told).data['subject'] ?? ''}`);
const idsHeard = (): readonly (string | undefined)[] => calls.map(({ headers }) => headers['webhook-id']);
const now = (webhook: Webhook): Promise<Webhook> => Promise.resolve(rig.ctx.store.findWebhook(webhook.id)).then(there);
const deliveries = async ({ id }: Webhook, owner: WebhookOwner = tenant) => wanted(await listDeliveries(rig.ctx, owner, id, whole)).items.toReversed();

describe('Standard Webhooks · what a webhook is told', () => {
  test('LG-07 everything from its creation on, once and in order, signed, and thin', async () => {
    await happen('user_created', 'before');
    const webhook = await hook();
    const numbers = [await happen('user_created', 'usr_1'), await happen('user_updated', 'usr_1'), await happen('user_deleted', 'usr_1')];
    await settle();
    expect(heard()).toEqual([`webhook_created ${webhook.id}`, 'user_created usr_1', 'user_updated usr_1', 'user_deleted usr_1']);
    expect(idsHeard().slice(1)).toEqual(numbers.map((number) => `evt_${number}`));
    const { url, body, headers } = there(calls[1]);
    expect(url).toBe('https://hooks.example.com/in');
    expect(new Verifier(webhook.secret).verify(body, headers)).toEqual({
      id: `evt_${numbers[0]}`, type: 'user_created', timestamp: new Date(rig.clock.now()).toISOString(),
      data: { number: numbers[0], tenant: 'acme', actor: null, client_id: null, subject: 'usr_1', outcome: 'success', reason: null, grant_id: null, request_id: null, count: 1 },
    });
    expect(body).not.toContain('192.0.2.7');
    expect(await now(webhook)).toMatchObject({ cursor: numbers[2], attempts: 0, failingSinceMs: null });
    expect((await deliveries(webhook)).map(({ eventNumber, outcome, attempt, status, why, replay }) => [eventNumber, outcome, attempt, status, why, replay]).slice(1)).toEqual(numbers.map((number) => [number, 'delivered', 1, 200, null, false]));
    expect(await settle()).toBe(0);
  });

  test('a tenant\'s hears only of it, the server\'s own of everybody', async () => {
    const other = await rig.tenant('other');
    await hook();
    await hook(null, { url: 'https://all.example.com/' });
    await happen('user_created', 'mine');
    await happen('user_created', 'others', other.slug);
    await happen('server_started', 'own', null);
    await settle();
    const at = (host: string): readonly string[] => calls.filter(({ url }) => url.includes(host)).map((told) => String(documentOf(told).data['subject']));
    expect(at('hooks.example.com').filter((subject) => !subject.startsWith('wh_'))).toEqual(['mine']);
    expect(at('all.example.com').filter((subject) => !subject.startsWith('wh_'))).toEqual(['mine', 'others', 'own']);
    expect(calls.filter(({ url }) => url.includes('hooks')).every((told) => documentOf(told).data['tenant'] === 'acme')).toBe(true);
  });

  test('only the types that it wants; what it does not want moves its cursor on now and then', async () => {
    const webhook = await hook(tenant, { events: ['user_deleted'] });
    await happen('user_created');
    const wantedNumber = await happen('user_deleted', 'usr_2');
    await happen('user_created');
    await settle();
    expect(heard()).toEqual(['user_deleted usr_2']);
    expect((await now(webhook)).cursor).toBe(wantedNumber);
    rig.clock.advance(10_000);
    await settle();
    expect([(await now(webhook)).cursor, calls.length]).toEqual([await rig.ctx.store.lastAuditNumber(), 1]);
    await rig.ctx.store.recordAudit(Array.from({ length: 200 }, () => auditEvent({ timeMs: rig.clock.now(), type: 'user_created', tenant: 'acme' })));
    await settle();
    expect([(await now(webhook)).cursor, calls.length]).toEqual([await rig.ctx.store.lastAuditNumber(), 1]);
    const again = await happen('user_deleted', 'usr_3');
    await settle();
    expect([heard().at(-1), (await now(webhook)).cursor]).toEqual(['user_deleted usr_3', again]);
  });

  test('MTN-12 a deleted tenant\'s webhook is gone, and the next owner of the slug is none of its business', async () => {
    const webhook = await hook();
    await settle();
    calls = [];
    wanted(await deleteTenant(rig.ctx, 'acme'));
    await happen('user_created', 'ghost');
    await settle();
    expect([calls, await rig.ctx.store.findWebhook(webhook.id)]).toEqual([[], null]);
  });
});

describe('a receiver in trouble', () => {
  test('LG-07 gets the same event again with the same id, ever later, and none of the later ones before it', async () => {
    const webhook = await hook();
    await settle();
    calls = [];
    answer = { status: 500, retryAfter: null };
    const numbers = [await happen('user_created', 'one'), await happen('user_created', 'two')];
    for (const pauseS of [5, 30, 120, 600]) {
      await settle();
      expect(await now(webhook)).toMatchObject({ attempts: expect.any(Number), failingSinceMs: expect.any(Number) });
      rig.clock.advance(pauseS * 1000 - 1);
      await settle();
      rig.clock.advance(1 + pauseS * 200);
    }
    expect(heard()).toEqual(['user_created one', 'user_created one', 'user_created one', 'user_created one']);
    expect(new Set(idsHeard())).toEqual(new Set([`evt_${numbers[0]}`]));
    answer = ok;
    await settle();
    expect([heard().slice(4), idsHeard().slice(4)]).toEqual([['user_created one', 'user_created two'], numbers.map((number) => `evt_${number}`)]);
    expect(await now(webhook)).toMatchObject({ attempts: 0, failingSinceMs: null, cursor: numbers[1] });
    expect((await deliveries(webhook)).slice(1).map(({ outcome, attempt, why }) => `${outcome} ${attempt} ${why}`)).toEqual([
      'failed 1 http_500', 'failed 2 http_500', 'failed 3 http_500', 'failed 4 http_500', 'delivered 5 null', 'delivered 1 null',
    ]);
  });

  test('an event is given up after three days, with an event that says so; the next one has its turn', async () => {
    const webhook = await hook();
    await settle();
    calls = [];
    const first = await happen('user_created', 'one');
    await happen('user_created', 'two');
    answer = (told) => (documentOf(told).data['subject'] === 'one' ? { failure: 'unreachable' } : ok);
    const startMs = rig.clock.now();
    for (let attempts = 0; attempts < 60 && heard().at(-1) !== 'user_created two' && heard().length < 60; attempts += 1) {
      await settle();
      const { nextAttemptAtMs } = await now(webhook);
      rig.clock.advance(Math.max(0, nextAttemptAtMs - rig.clock.now()));
      if (heard().includes('user_created two')) break;
    }
    expect(heard().filter((one) => one === 'user_created two')).toHaveLength(1);
    expect([rig.clock.now() - startMs, (await rig.events('webhook_given_up')).map(({ subject, outcome, reason, tenant: slug }) => [subject, outcome, reason, slug])]).toEqual([3 * DAY_MS, [[webhook.id, 'failure', `evt_${first} no_answer`, 'acme']]]);
    expect((await deliveries(webhook)).filter(({ outcome }) => outcome === 'given_up')).toMatchObject([{ eventNumber: first, why: 'unreachable', status: null }]);
  });

  test('410: it hears no more, until somebody enables it; then it goes on where it stopped', async () => {
    const webhook = await hook();
    await settle();
    calls = [];
    answer = { status: 410, retryAfter: null };
    await happen('user_created', 'one');
    await settle();
    await happen('user_created', 'two');
    rig.clock.advance(DAY_MS);
    await settle();
    expect([heard(), (await now(webhook)).disabledAtMs !== null]).toEqual([['user_created one'], true]);
    expect((await rig.events('webhook_updated')).map(({ actor, subject, reason, outcome }) => [actor, subject, reason, outcome])).toEqual([['server', webhook.id, 'gone', 'failure']]);
    answer = ok;
    wanted(await setWebhookEnabled(rig.ctx, tenant, webhook.id, true));
    await settle();
    expect(heard().slice(1, 3)).toEqual(['user_created one', 'webhook_updated ' + webhook.id]);
    expect(heard()).toContain('user_created two');
  });

  test('429 and 503 say when to come back', async () => {
    const webhook = await hook();
    await settle();
    answer = { status: 429, retryAfter: '77' };
    await happen();
    await settle();
    expect((await now(webhook)).nextAttemptAtMs).toBe(rig.clock.now() + 77_000);
  });

  test('SS-04 a redirect is not followed, and tried again', async () => {
    const webhook = await hook();
    answer = { status: 302, retryAfter: null };
    await settle();
    expect([calls.length, (await deliveries(webhook)).map(({ outcome, why }) => `${outcome} ${why}`)]).toEqual([1, ['failed http_302']]);
  });

  test('SS-02, SS-09 an address that may not be called is not, and said so; once it is changed it goes at once', async () => {
    // On the open internet by its form; where names lead is seen when it is called.
    const closed = makeWebhookCourier(rig.ctx, makePostJson({ loopbackTargets: false, resolve: () => Promise.resolve(['10.0.0.1']) }));
    const webhook = await hook(tenant, { url: 'https://inside.example.com/' });
    await settle(closed);
    expect((await deliveries(webhook)).map(({ outcome, status, why }) => [outcome, status, why])).toEqual([['failed', null, 'blocked']]);
    wanted(await updateWebhook(rig.ctx, tenant, webhook.id, { url: 'https://hooks.example.com/' }));
    await settle();
    expect(heard()[0]).toBe(`webhook_created ${webhook.id}`);
  });

  test('LG-07 whoever dies with it leaves it to others, after a while, with the same id', async () => {
    const webhook = await hook();
    expect(await rig.ctx.store.claimWebhook(webhook, rig.clock.now() + 8_000)).toBe(true);
    await settle();
    expect(calls).toEqual([]);
    rig.clock.advance(8_000);
    await settle();
    expect(heard()).toEqual([`webhook_created ${webhook.id}`]);
  });

  test('of two servers one tells', async () => {
    for (let index = 0; index < 20; index += 1) await hook();
    const second = makeWebhookCourier(rig.ctx, post);
    const due = await rig.ctx.store.listDueWebhooks(rig.clock.now(), whole);
    const errands = await Promise.all(due.flatMap((webhook) => [courier, second].map(async (one) => ({ one, errand: there(await one.prepare(webhook)) }))));
    await Promise.all(errands.map(({ one, errand }) => one.run(errand, () => true)));
    const told = calls.map(({ url, headers }) => `${url} ${headers['webhook-id'] ?? ''} ${headers['webhook-signature'] ?? ''}`);
    expect(new Set(told).size).toBe(told.length);
    await settle();
    await settle(second);
    const all = calls.map(({ headers }) => `${headers['webhook-id'] ?? ''} ${headers['webhook-signature'] ?? ''}`);
    expect(new Set(all).size).toBe(all.length);
  });

  test('nobody else waits for one that has much to hear: it is told some events in a row', async () => {
    const webhook = await hook();
    await settle();
    for (let index = 0; index < 40; index += 1) await happen('user_created', `usr_${index}`);
    calls = [];
    const errand = there(await courier.prepare(await now(webhook)));
    await courier.run(errand, () => true);
    expect(calls).toHaveLength(16);
    await settle();
    expect(heard()).toEqual(Array.from({ length: 40 }, (_nothing, index) => `user_created usr_${index}`));
    calls = [];
    await happen();
    await happen();
    await courier.run(there(await courier.prepare(await now(webhook))), () => false);
    expect(calls).toHaveLength(1);
  });
});

describe('the log', () => {
  test('LG-01 says what was not delivered and why; never an address, a secret or what was sent', async () => {
    const lines: unknown[] = [];
    const told = makeWebhookCourier({ ...rig.ctx, log: { ...rig.ctx.log, warn: (message, fields) => void lines.push([message, fields]) } }, post);
    const webhook = await hook(tenant, { url: 'https://hooks.example.com/secret-path' });
    answer = { failure: 'blocked' };
    await settle(told);
    expect(lines).toEqual([['webhook was not delivered', { webhook: webhook.id, event_id: expect.stringMatching(/^evt_[0-9]+$/), why: 'blocked', attempt: 1, again: true }]]);
  });
});

describe('secrets', () => {
  test('CR-06 are sealed, and both verify until the overlap is over', async () => {
    const webhook = await hook();
    expect(JSON.stringify(await now(webhook))).not.toContain(webhook.secret.slice(6, 30));
    const rotated = wanted(await rotateWebhookSecret(rig.ctx, tenant, webhook.id, { secret: null, overlap: 100 }));
    await settle();
    for (const secret of [webhook.secret, rotated.secret ?? '']) for (const { body, headers } of calls) expect(new Verifier(secret).verify(body, headers)).toMatchObject({ type: expect.any(String) });
    expect(there(calls[0]).headers['webhook-signature']?.split(' ')).toHaveLength(2);
    rig.clock.advance(100_000);
    await happen();
    await settle();
    const { body, headers } = there(calls.at(-1));
    // The verifier believes the machine's clock, which does not move with the rig's.
    expect(headers['webhook-signature']).toBe(new Verifier(rotated.secret ?? '').sign(there(headers['webhook-id']), new Date(Number(headers['webhook-timestamp']) * 1000), body));
  });

  test('one that was brought along signs, and is not said back; a bad one is refused', async () => {
    const secret = `whsec_${Buffer.alloc(24, 9).toString('base64')}`;
    const webhook = await hook(tenant, { secret });
    expect(webhook.secret).toBe('');
    await settle();
    const { body, headers } = there(calls[0]);
    expect(new Verifier(secret).verify(body, headers)).toMatchObject({ type: 'webhook_created' });
    expect(await createWebhook(rig.ctx, tenant, { name: 'x', url: 'https://hooks.example.com/', events: [], secret: 'short' })).toMatchObject({ ok: false, error: 'invalid_request', member: 'secret' });
    expect(await rotateWebhookSecret(rig.ctx, tenant, webhook.id, { secret: null, overlap: -1 })).toMatchObject({ ok: false, member: 'overlap' });
  });
});

describe('what operators do', () => {
  test('another tenant\'s webhook is not found, whatever is asked', async () => {
    const other = await rig.tenant('other');
    const [mine, own] = [await hook(), await hook(null)];
    for (const [owner, { id }] of [[other, mine], [null, mine], [tenant, own]] as const) {
      const outcomes = [
        await requireWebhook(rig.ctx, owner, id), await updateWebhook(rig.ctx, owner, id, { name: 'x' }), await setWebhookEnabled(rig.ctx, owner, id, false), await deleteWebhook(rig.ctx, owner, id),
        await rotateWebhookSecret(rig.ctx, owner, id, { secret: null, overlap: 0 }), await listDeliveries(rig.ctx, owner, id, whole), await replayEvents(rig.ctx, owner, id, { after: 0 }), await testWebhook(rig.ctx, owner, id),
      ];
      expect(outcomes.map((outcome) => (outcome.ok ? 'ok' : outcome.error))).toEqual(outcomes.map(() => 'not_found'));
    }
    expect([await rig.ctx.store.findWebhook(mine.id) !== null, (await rig.events('webhook_updated')).length]).toEqual([true, 0]);
  });

  test('a change is held to its condition, told by name, and nothing that changes nothing', async () => {
    const webhook = await hook();
    expect(await updateWebhook(rig.ctx, tenant, webhook.id, { name: 'new' }, () => false)).toMatchObject({ ok: false, error: 'outdated' });
    expect(await deleteWebhook(rig.ctx, tenant, webhook.id, () => Promise.resolve(false))).toMatchObject({ ok: false, error: 'outdated' });
    expect(wanted(await updateWebhook(rig.ctx, tenant, webhook.id, { name: 'new', events: ['user_created', 'user_created'] }, () => true))).toMatchObject({ name: 'new', events: ['user_created'] });
    await updateWebhook(rig.ctx, tenant, webhook.id, { name: 'new' });
    expect((await rig.events('webhook_updated')).map(({ actor, reason }) => [actor, reason])).toEqual([['operator', 'name,events']]);
    expect(await updateWebhook(rig.ctx, tenant, webhook.id, { events: ['user_born'] })).toMatchObject({ ok: false, error: 'invalid_request', member: 'events' });
    expect(wanted(await deleteWebhook(rig.ctx, tenant, webhook.id))).toBeNull();
    await settle();
    expect(calls).toEqual([]);
  });

  test('there are fifty at most', async () => {
    for (let index = 0; index < 50; index += 1) await hook();
    expect(await createWebhook(rig.ctx, tenant, { name: 'x', url: 'https://hooks.example.com/', events: [], secret: null })).toMatchObject({ ok: false, error: 'conflict' });
    expect((await createWebhook(rig.ctx, null, { name: 'x', url: 'https://hooks.example.com/', events: [], secret: null })).ok).toBe(true);
  });

  test('a test goes to the webhook that is tested, once, and its outcome is told', async () => {
    const [webhook, beside] = [await hook(tenant, { events: ['user_deleted'] }), await hook(null, { url: 'https://all.example.com/' })];
    await settle();
    calls = [];
    const number = wanted(await testWebhook(rig.ctx, tenant, webhook.id));
    expect(await awaitDelivery(rig.ctx, webhook.id, number, 0)).toBeNull();
    await settle();
    expect(calls.filter(({ url }) => url.includes('hooks')).map((told) => [documentOf(told).type, told.headers['webhook-id']])).toEqual([['webhook_tested', `evt_${number}`]]);
    expect(await awaitDelivery(rig.ctx, webhook.id, number, 0)).toMatchObject({ outcome: 'delivered', status: 200, replay: true });
    expect(calls.filter(({ url }) => url.includes('all')).map((told) => documentOf(told).data['subject'])).toEqual([webhook.id]);
    wanted(await setWebhookEnabled(rig.ctx, null, beside.id, false));
    expect(await testWebhook(rig.ctx, null, beside.id)).toMatchObject({ ok: false, error: 'conflict' });
  });
});

describe('a replay', () => {
  test('of one event, of all behind one, and of all since a moment: the same documents, beside the order', async () => {
    const webhook = await hook(tenant, { events: ['user_created', 'user_deleted'] });
    const numbers = [await happen('user_created', 'one'), await happen('user_updated', 'no'), await happen('user_deleted', 'two')];
    rig.clock.advance(2 * 3_600_000);
    const since = rig.clock.now();
    numbers.push(await happen('user_created', 'three'));
    await settle();
    const first = calls.map(({ body }) => body);
    calls = [];
    expect(wanted(await replayEvents(rig.ctx, tenant, webhook.id, { event: there(numbers[1]) }))).toEqual({ events: 1, next: null });
    await settle();
    expect(heard()).toEqual(['user_updated no']);
    calls = [];
    expect(wanted(await replayEvents(rig.ctx, tenant, webhook.id, { after: there(numbers[0]) - 1 }))).toEqual({ events: 3, next: null });
    await settle();
    expect(calls.map(({ body }) => body)).toEqual(first);
    calls = [];
    expect(wanted(await replayEvents(rig.ctx, tenant, webhook.id, { sinceMs: since }))).toEqual({ events: 1, next: null });
    await settle();
    expect([heard(), idsHeard()]).toEqual([['user_created three'], [`evt_${numbers[3]}`]]);
    expect((await deliveries(webhook)).slice(3).every(({ replay }) => replay)).toBe(true);
    expect((await rig.events('webhook_replayed')).map(({ subject, count }) => [subject, count])).toEqual([[webhook.id, 1], [webhook.id, 3], [webhook.id, 1]]);
  });

  test('that fails is tried again; new events do not wait for it', async () => {
    const webhook = await hook();
    const number = await happen('user_created', 'old');
    await settle();
    calls = [];
    answer = (told) => (documentOf(told).data['subject'] === 'old' ? { status: 500, retryAfter: null } : ok);
    wanted(await replayEvents(rig.ctx, tenant, webhook.id, { event: number }));
    await settle();
    await happen('user_created', 'new');
    await settle();
    expect(heard().filter((one) => one.startsWith('user_created'))).toEqual(['user_created old', 'user_created new']);
    answer = ok;
    rig.clock.advance(6_000);
    await settle();
    expect([heard().at(-1), await rig.ctx.store.countReplays(webhook.id)]).toEqual(['user_created old', 0]);
  });

  test('of another tenant\'s event, of one that is not there, or by a webhook that rests is refused', async () => {
    const webhook = await hook();
    const foreign = await happen('user_created', 'x', 'other');
    for (const event of [foreign, 99_999, 0]) expect(await replayEvents(rig.ctx, tenant, webhook.id, { event })).toMatchObject({ ok: false, error: 'not_found', member: 'event' });
    expect(wanted(await replayEvents(rig.ctx, tenant, webhook.id, { after: foreign - 1 }))).toEqual({ events: 0, next: null });
    wanted(await setWebhookEnabled(rig.ctx, tenant, webhook.id, false));
    expect(await replayEvents(rig.ctx, tenant, webhook.id, { after: 0 })).toMatchObject({ ok: false, error: 'conflict' });
  });

  test('takes a thousand at a time, and no more than two thousand wait', async () => {
    const webhook = await hook(tenant, { events: ['user_created'] });
    const begin = await rig.ctx.store.lastAuditNumber();
    await rig.ctx.store.recordAudit(Array.from({ length: 1_100 }, (_nothing, index) => auditEvent({ timeMs: rig.clock.now(), type: 'user_created', tenant: 'acme', subject: `usr_${index}` })));
    await settle();
    const first = wanted(await replayEvents(rig.ctx, tenant, webhook.id, { after: begin }));
    expect(first).toEqual({ events: 1_000, next: begin + 1_000 });
    expect(wanted(await replayEvents(rig.ctx, tenant, webhook.id, { after: there(first.next) }))).toEqual({ events: 100, next: null });
    expect(await replayEvents(rig.ctx, tenant, webhook.id, { after: begin })).toMatchObject({ ok: false, error: 'conflict' });
    expect(await rig.ctx.store.countReplays(webhook.id)).toBe(1_100);
  }, 20_000);
});

describe('the feed', () => {
  const wish = { owner: null, tenant: null, types: [], after: null, limit: 50 };
  test('goes on without gap or repeat, and says the same again', async () => {
    const start = await rig.ctx.store.lastAuditNumber();
    const numbers = [await happen('user_created', 'a'), await happen('user_deleted', 'b'), await happen('user_created', 'c', 'other')];
    const read = async (changes: object) => wanted(await readEvents(rig.ctx, { ...wish, after: String(start), ...changes }));
    const shown = ({ events, next }: Awaited<ReturnType<typeof read>>): readonly unknown[] => [events.map(({ number }) => number), next];
    expect(shown(await read({}))).toEqual([numbers, numbers[2]]);
    expect(shown(await read({ limit: 2 }))).toEqual([numbers.slice(0, 2), numbers[1]]);
    expect(shown(await read({ limit: 2, after: `evt_${numbers[1]}` }))).toEqual([numbers.slice(2), numbers[2]]);
    expect(shown(await read({ types: ['user_deleted'] }))).toEqual([[numbers[1]], numbers[2]]);
    expect(shown(await read({ owner: tenant }))).toEqual([numbers.slice(0, 2), numbers[2]]);
    expect(shown(await read({ tenant: 'other' }))).toEqual([[numbers[2]], numbers[2]]);
    expect(shown(await read({ after: 'latest' }))).toEqual([[], numbers[2]]);
    expect(shown(await read({ owner: { ...tenant, createdAtMs: rig.clock.now() + 1 } }))).toEqual([[], numbers[2]]);
    expect(await readEvents(rig.ctx, { ...wish, after: 'x' })).toMatchObject({ ok: false, member: 'after' });
    expect(await readEvents(rig.ctx, { ...wish, types: ['user_born'] })).toMatchObject({ ok: false, member: 'type' });
  });

  test('RL-02 whoever is one waiter too many is answered at once; when the server stops, so are all', async () => {
    const ctx = { store: rig.ctx.store, by: rig.ctx.by, clock: { now: Date.now, monotonic: () => performance.now() } };
    const waiter = makeEventWaiter(1);
    const latest = { ...wish, after: 'latest' };
    let goesOn = true;
    const first = waiter.read(ctx, latest, 20_000, () => goesOn);
    expect(wanted(await waiter.read(ctx, latest, 20_000, () => true)).events).toEqual([]);
    goesOn = false;
    expect(wanted(await first).events).toEqual([]);
    // Its place is free again.
    const number = rig.ctx.store.lastAuditNumber();
    const next = waiter.read(ctx, latest, 20_000, () => true);
    await Bun.sleep(1);
    await happen();
    expect(wanted(await next).events.map((event) => event.number)).toEqual([(await number) + 1]);
  });

  test('RL-02 one caller does not take the places of others', async () => {
    const as = (actor: string) => ({ store: rig.ctx.store, by: { ...rig.ctx.by, actor }, clock: { now: Date.now, monotonic: () => performance.now() } });
    const waiter = makeEventWaiter(3, 1);
    const latest = { ...wish, after: 'latest' };
    let goesOn = true;
    let answered = 0;
    const wait = (actor: string) => waiter.read(as(actor), latest, 20_000, () => goesOn).then((outcome) => {
      answered += 1;
      return outcome;
    });
    const greedy = [wait('key:a'), wait('key:a'), wait('key:a')];
    await Promise.all(greedy.slice(1));
    expect(answered).toBe(2);
    const others = [wait('key:b'), wait('key:c')];
    await Bun.sleep(1);
    expect(answered).toBe(2);
    goesOn = false;
    for (const outcome of await Promise.all([...greedy, ...others])) expect(wanted(outcome).events).toEqual([]);
  });
});
