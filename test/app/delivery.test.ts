import { afterEach, beforeEach, expect, test } from 'bun:test';
import { openCarriers, startDelivery, type Delivery } from '../../src/app/delivery.ts';
import type { Tenant } from '../../src/core/model.ts';
import type { PostOutcome } from '../../src/core/outbound.ts';
import type { LogoutPage } from '../../src/core/people-store.ts';
import { makePostForm } from '../../src/outbound/guarded-fetch.ts';
import type { Carriers } from '../../src/service/deliver.ts';
import { startReceiver, type Receiver } from '../outbound/receiver.ts';
import { mailItem } from '../../src/service/credentials/mails.ts';
import { openRig, type Rig } from '../service/rig.ts';
import { dueOf } from '../storage/people-samples.ts';
import { aClient } from '../storage/samples.ts';

let rig: Rig;
let tenant: Tenant;
let receivers: Receiver[] = [];
let delivery: Delivery | null = null;

beforeEach(async () => {
  rig = openRig();
  tenant = await rig.tenant();
});
afterEach(async () => {
  // First of all these: a stop waits for what is under way, and this ends it.
  for (const receiver of receivers) await receiver.close();
  receivers = [];
  await delivery?.stop();
  delivery = null;
  await rig.close();
});

/** So many sessions ended that an application has a part in. */
async function queueLogouts(id: string, logouts: number): Promise<void> {
  const nowMs = rig.clock.now();
  await rig.ctx.store.addOutbox(Array.from({ length: logouts }, (_nothing, index) => ({
    id: `out_${id}_${index}`, tenantId: tenant.id, kind: 'logout', target: id, payload: JSON.stringify({ sub: 'usr_1', sid: `ses_${index}` }),
    createdAtMs: nowMs, nextAttemptAtMs: nowMs, attempts: 0, doneAtMs: null, outcome: null,
  })), []);
}

/** An application at a port of its own, that is to be told so often. */
async function listener(id: string, logouts: number): Promise<Receiver> {
  const receiver = await startReceiver();
  receivers.push(receiver);
  await rig.ctx.store.createClient(aClient({ tenantId: tenant.id, id, backchannelLogoutUri: `http://127.0.0.1:${receiver.port}/`, secrets: [] }), []);
  await queueLogouts(id, logouts);
  return receiver;
}

async function until(done: () => boolean): Promise<void> {
  for (let waited = 0; waited < 4_000 && !done(); waited += 10) await Bun.sleep(10);
  expect(done()).toBe(true);
}

const posting = (timeoutMs: number): Carriers => ({ post: makePostForm({ loopbackTargets: true, timeoutMs }), mail: null });

test('LO-13, SS-08 one that hangs is called twice at once and no more, and keeps nobody else waiting', async () => {
  const slow = await listener('slow', 6);
  slow.answer = 'hang';
  const quick = await listener('quick', 20);
  delivery = startDelivery(rig.ctx, posting(3_000));
  await until(() => quick.calls.length === 20);
  expect([slow.calls.length, slow.most, quick.most <= 2]).toEqual([2, 2, true]);
});

test('SS-08 at most eight calls are under way', async () => {
  for (let index = 0; index < 6; index += 1) (await listener(`app_${index}`, 4)).answer = 'hang';
  delivery = startDelivery(rig.ctx, posting(60_000));
  await until(() => receivers.reduce((sum, { calls }) => sum + calls.length, 0) === 8);
  await Bun.sleep(350);
  expect(receivers.reduce((sum, { calls }) => sum + calls.length, 0)).toBe(8);
  expect(receivers.every(({ most }) => most <= 2)).toBe(true);
});

/** Applications whose answers never come; told so often each. */
async function deaf(count: number, logouts: number): Promise<readonly Receiver[]> {
  const all = [];
  for (let index = 0; index < count; index += 1) {
    const receiver = await listener(`deaf_${index}`, logouts);
    receiver.answer = 'hang';
    all.push(receiver);
  }
  return all;
}

/** Calls the applications, but has run out of time at once with those that hang: how soon depends on no machine's load. */
function impatient(): { readonly carriers: Carriers; readonly timeouts: () => number } {
  const { post } = posting(60_000);
  let timeouts = 0;
  return {
    timeouts: () => timeouts,
    carriers: { mail: null, post: (url, form) => {
      if (receivers.find(({ port }) => url.includes(`:${port}/`))?.answer !== 'hang') return post(url, form);
      timeouts += 1;
      return Promise.resolve({ failure: 'timeout' });
    } },
  };
}

const callsOf = (all: readonly Receiver[]): number => all.reduce((sum, { calls }) => sum + calls.length, 0);

async function queueMail(): Promise<void> {
  await rig.ctx.store.addOutbox([mailItem(rig.ctx, tenant, 'ann@example.com', { kind: 'register_code', code: '123456', minutes: 10 }, null)], []);
}

test('LO-13 hundreds of logouts for one that never answers hold up no mail, and nobody else\'s logout', async () => {
  await deaf(1, 300);
  const mails: string[] = [];
  delivery = startDelivery(rig.ctx, { ...posting(60_000), mail: ({ to }) => {
    mails.push(to);
    return Promise.resolve({ kind: 'sent' });
  } });
  await until(() => callsOf(receivers) === 2);
  await queueMail();
  const quick = await listener('quick', 20);
  await until(() => mails.length === 1 && quick.calls.length === 20);
});

test('LO-13 when all slots of logouts are taken, a mail goes all the same', async () => {
  const all = await deaf(4, 40);
  let mails = 0;
  delivery = startDelivery(rig.ctx, { ...posting(60_000), mail: () => {
    mails += 1;
    return Promise.resolve({ kind: 'sent' });
  } });
  await until(() => callsOf(all) === 8);
  await queueMail();
  await until(() => mails === 1);
});

test('LO-13 mails that hang hold up no logout', async () => {
  for (let index = 0; index < 30; index += 1) await queueMail();
  let mails = 0;
  const held = Promise.withResolvers<{ readonly kind: 'sent' }>();
  delivery = startDelivery(rig.ctx, { ...posting(3_000), mail: () => {
    mails += 1;
    return held.promise;
  } });
  const quick = await listener('quick', 5);
  await until(() => quick.calls.length === 5);
  expect(mails).toBe(2);
  held.resolve({ kind: 'sent' });
});

test('LO-13, SS-08 after two timeouts in a row a place is called once after each pause; what waits keeps its attempts, and all goes when it answers', async () => {
  const [one] = await deaf(1, 8);
  if (one === undefined) throw new Error('there is one');
  const { carriers, timeouts } = impatient();
  delivery = startDelivery(rig.ctx, carriers);
  const attempts = async () => (await dueOf(rig.ctx.store, Number.MAX_SAFE_INTEGER)).map((item) => item.attempts).toSorted((a, b) => a - b);
  await until(() => timeouts() === 2);
  await Bun.sleep(600);
  expect([timeouts(), await attempts()]).toEqual([2, [0, 0, 0, 0, 0, 0, 1, 1]]);
  for (const [pauseMs, calls] of [[5_000, 3], [10_000, 4]] as const) {
    rig.clock.advance(pauseMs - 1);
    await Bun.sleep(350);
    expect(timeouts()).toBe(calls - 1);
    rig.clock.advance(1);
    await until(() => timeouts() === calls);
    await Bun.sleep(600);
    expect(timeouts()).toBe(calls);
  }
  expect((await attempts()).reduce((sum, each) => sum + each, 0)).toBe(4);
  one.answer = 200;
  rig.clock.advance(60_000);
  await until(() => one.calls.length === 8);
  await delivery.stop();
  expect([timeouts(), (await attempts()).length, (await rig.events('logout_delivered')).length, one.most <= 2]).toEqual([4, 0, 8, true]);
}, 15_000);

test('LO-13 places that did not answer take half of the slots at most: the others are there for those that do', async () => {
  const all = await deaf(12, 3);
  const quick = await listener('quick', 0);
  const nobody = Promise.withResolvers<PostOutcome>();
  let hang = false;
  const tried: string[] = [];
  delivery = startDelivery(rig.ctx, { mail: null, post: (url) => {
    if (url.includes(`:${quick.port}/`)) return Promise.resolve({ status: 200 });
    tried.push(url);
    return hang ? nobody.promise : Promise.resolve({ failure: 'timeout' });
  } });
  await until(() => tried.length === 24);
  await Bun.sleep(400);
  // Two timeouts each, and not one call more before the pause is over; then all pauses are over at once.
  expect([tried.length, new Set(tried).size, callsOf(all)]).toEqual([24, 12, 0]);
  hang = true;
  rig.clock.advance(5_000);
  await until(() => tried.length === 28);
  await queueLogouts('quick', 10);
  for (let waited = 0; waited < 4_000 && (await rig.events('logout_delivered')).length < 10; waited += 50) await Bun.sleep(50);
  expect([(await rig.events('logout_delivered')).length, tried.length, new Set(tried.slice(24)).size]).toEqual([10, 28, 4]);
  nobody.resolve({ failure: 'timeout' });
});

test('LO-13 logouts that waited an hour for a place that answers nobody are given up; where it answers, age does not matter', async () => {
  await deaf(1, 12);
  rig.clock.advance(3_600_001);
  const old = await listener('quick', 0);
  const nowMs = rig.clock.now();
  await rig.ctx.store.addOutbox([{
    id: 'out_old', tenantId: tenant.id, kind: 'logout', target: 'quick', payload: JSON.stringify({ sub: 'usr_1', sid: 'ses_1' }), createdAtMs: nowMs - 7_200_000, nextAttemptAtMs: nowMs, attempts: 0,
    doneAtMs: null, outcome: null,
  }], []);
  delivery = startDelivery(rig.ctx, impatient().carriers);
  await until(() => old.calls.length === 1);
  const waiting = async () => (await dueOf(rig.ctx.store, Number.MAX_SAFE_INTEGER)).map(({ attempts }) => attempts);
  for (let waited = 0; waited < 10_000 && (await waiting()).length > 2; waited += 100) await Bun.sleep(100);
  // The two that were tried wait for their next attempt.
  expect(await waiting()).toEqual([1, 1]);
  expect((await rig.events('logout_failed')).map(({ reason, count }) => `${reason} ${count}`)).toEqual(Array.from({ length: 10 }, () => 'timeout 1'));
}, 15_000);

test('LO-13 what is queued while it runs is delivered within a second, and a stop waits for what is under way', async () => {
  delivery = startDelivery(rig.ctx, posting(3_000));
  await Bun.sleep(50);
  const app = await listener('app', 1);
  await until(() => app.calls.length === 1);
  await delivery.stop();
  expect((await rig.events('logout_delivered')).length).toBe(1);
  const late = await listener('late', 1);
  await Bun.sleep(400);
  expect(late.calls).toEqual([]);
});

test('trouble with the storage is told once, and it goes on when that is over', async () => {
  const app = await listener('app', 1);
  const told: string[] = [];
  let broken = true;
  const store: typeof rig.ctx.store = Object.assign(Object.create(rig.ctx.store) as typeof rig.ctx.store, {
    listDueLogouts: (nowMs: number, page: LogoutPage) => (broken ? Promise.reject(new Error('no disk')) : rig.ctx.store.listDueLogouts(nowMs, page)),
  });
  delivery = startDelivery({ ...rig.ctx, store, log: { ...rig.ctx.log, warn: (message) => void told.push(message) } }, posting(3_000));
  await Bun.sleep(900);
  expect([told, app.calls]).toEqual([['delivering failed'], []]);
  broken = false;
  await until(() => app.calls.length === 1);
});

test('the ways out follow the settings', async () => {
  const closed = openCarriers({ loopbackTargets: 'deny', smtpUrl: null, mailFrom: null }, 'id.example.com');
  expect([closed.mail, await closed.post('http://127.0.0.1:1/', {})]).toEqual([null, { failure: 'blocked' }]);
  const open = openCarriers({ loopbackTargets: 'allow', smtpUrl: 'smtp://127.0.0.1:1', mailFrom: null }, '127.0.0.1:8080');
  expect(await open.post('http://127.0.0.1:1/', {})).toEqual({ failure: 'unreachable' });
  expect(await open.mail?.({ id: 'x', fromName: 'Acme', to: 'ann@example.com', subject: 'x', text: 'x' })).toEqual({ kind: 'failed', why: 'unreachable' });
});
