import { afterEach, beforeEach, expect, test } from 'bun:test';
import { openPostJson, startWebhooks } from '../../src/app/webhooks.ts';
import type { Delivery } from '../../src/app/delivery.ts';
import { auditEvent } from '../../src/core/audit-event.ts';
import type { Tenant } from '../../src/core/model.ts';
import type { PostAnswer, PostJson } from '../../src/core/outbound.ts';
import type { Page } from '../../src/core/paging.ts';
import { createWebhook } from '../../src/service/manage-webhooks.ts';
import { testWebhook } from '../../src/service/replay-webhooks.ts';
import { until } from '../helpers/fixture.ts';
import { startReceiver, type Receiver } from '../outbound/receiver.ts';
import { openRig, wanted, type Rig } from '../service/rig.ts';

let rig: Rig;
let tenant: Tenant;
let loop: Delivery | null = null;
let receivers: Receiver[] = [];
/** Events that arrived, by host. */
let heard: Map<string, string[]>;
const ok: PostAnswer = { status: 200, retryAfter: null };

beforeEach(async () => {
  rig = openRig();
  tenant = await rig.tenant();
  heard = new Map();
});
afterEach(async () => {
  for (const receiver of receivers) await receiver.close();
  receivers = [];
  await loop?.stop();
  loop = null;
  await rig.close();
});

async function hook(host: string): Promise<string> {
  return wanted(await createWebhook(rig.ctx, tenant, { name: host, url: `https://${host}/`, events: ['user_created'], secret: null })).webhook.id;
}

async function happen(times: number): Promise<void> {
  await rig.ctx.store.recordAudit(Array.from({ length: times }, (_nothing, index) => auditEvent({ timeMs: rig.clock.now(), type: 'user_created', tenant: tenant.slug, subject: String(index) })));
}

const at = (host: string): readonly string[] => heard.get(host) ?? [];

/** Keeps what arrives, and answers as the host's name says: `slow` when it is let go, `late` not in time. */
function receiving(held: Promise<unknown> = Promise.resolve()): PostJson {
  return async (url, body) => {
    const { host } = new URL(url);
    const { data } = JSON.parse(body) as { readonly data: { readonly subject: string } };
    heard.set(host, [...at(host), data.subject]);
    if (host.startsWith('late')) return { failure: 'timeout' };
    if (host.startsWith('slow')) await held;
    return ok;
  };
}

test('what happens while it runs is told within a second, in order; after a stop nothing goes out', async () => {
  loop = startWebhooks(rig.ctx, receiving());
  await hook('a.example');
  await happen(40);
  await until('all is told', () => at('a.example').length === 40, 3_000);
  expect(at('a.example')).toEqual(Array.from({ length: 40 }, (_nothing, index) => String(index)));
  await loop.stop();
  await happen(1);
  await Bun.sleep(400);
  expect(at('a.example')).toHaveLength(40);
});

test('SS-08 receivers that never answer, many of them, hold up nobody else', async () => {
  const held = Promise.withResolvers<undefined>();
  for (let index = 0; index < 30; index += 1) await hook(`slow${index}.example`);
  let known = false;
  // A first event tells who is slow: by the clock of the test each took two seconds.
  loop = startWebhooks(rig.ctx, async (url, body, headers) => {
    if (known) return receiving(held.promise)(url, body, headers);
    rig.clock.advance(2_000);
    return receiving()(url, body, headers);
  });
  await happen(1);
  await until('everybody heard once', () => heard.size === 30, 10_000);
  await Bun.sleep(400);
  known = true;
  for (let index = 0; index < 5; index += 1) await hook(`quick${index}.example`);
  await happen(20);
  await until('the quick ones heard of all', () => [0, 1, 2, 3, 4].every((index) => at(`quick${index}.example`).length === 20), 8_000);
  // Half of the slots, at most, wait for the slow ones.
  expect([...heard].filter(([host, told]) => host.startsWith('slow') && told.length > 1).length).toBe(8);
  held.resolve(undefined);
  await until('the slow ones, too', () => [...heard].every(([host, told]) => told.length === (host.startsWith('slow') ? 21 : 20)), 10_000);
}, 30_000);

test('two webhooks at a place at once, and all of a place have their turn', async () => {
  let open = 0;
  let most = 0;
  for (let index = 0; index < 6; index += 1) await createWebhook(rig.ctx, tenant, { name: `w${index}`, url: `https://one.example/${index}`, events: ['user_created'], secret: null });
  const urls: string[] = [];
  loop = startWebhooks(rig.ctx, async (url) => {
    open += 1;
    most = Math.max(most, open);
    urls.push(url);
    await Bun.sleep(1);
    open -= 1;
    return ok;
  });
  await happen(64);
  await until('all is told', () => urls.length === 6 * 64, 10_000);
  // Each is told sixteen in a row, and nobody a second time before all had a first.
  const early = urls.slice(0, 6 * 16 + 40);
  expect([most, new Set(early).size]).toEqual([2, 6]);
}, 15_000);

test('SS-08 after two timeouts in a row a place is left alone for a while', async () => {
  for (let index = 0; index < 6; index += 1) await createWebhook(rig.ctx, tenant, { name: `w${index}`, url: `https://late.example/${index}`, events: ['user_created'], secret: null });
  loop = startWebhooks(rig.ctx, receiving());
  await happen(1);
  await until('two were tried', () => at('late.example').length === 2);
  await Bun.sleep(700);
  expect(at('late.example')).toHaveLength(2);
  rig.clock.advance(5_000);
  await until('another was tried', () => at('late.example').length === 3);
});

test('a test event goes out though what is new cannot', async () => {
  const id = await hook('a.example');
  let down = true;
  loop = startWebhooks(rig.ctx, (url, body, headers) => (down ? Promise.resolve({ failure: 'unreachable' }) : receiving()(url, body, headers)));
  await happen(1);
  await until('it failed', async () => (await rig.ctx.store.findWebhook(id))?.attempts === 1);
  down = false;
  wanted(await testWebhook(rig.ctx, tenant, id));
  await until('the test arrived', () => at('a.example').includes(id));
  expect(at('a.example')).toEqual([id]);
});

test('trouble with the storage is told once, and it goes on when that is over', async () => {
  await hook('a.example');
  await happen(1);
  const told: string[] = [];
  let broken = true;
  const store: typeof rig.ctx.store = Object.assign(Object.create(rig.ctx.store) as typeof rig.ctx.store, {
    listDueWebhooks: (nowMs: number, page: Page) => (broken ? Promise.reject(new Error('no disk')) : rig.ctx.store.listDueWebhooks(nowMs, page)),
  });
  loop = startWebhooks({ ...rig.ctx, store, log: { ...rig.ctx.log, warn: (message) => void told.push(message) } }, receiving());
  await Bun.sleep(900);
  expect([told, at('a.example')]).toEqual([['delivering webhooks failed'], []]);
  broken = false;
  await until('it is told', () => at('a.example').length === 1);
});

test('SS-09 the way out follows the setting', async () => {
  const receiver = await startReceiver();
  receivers.push(receiver);
  const url = `http://127.0.0.1:${receiver.port}/`;
  expect(await openPostJson({ loopbackTargets: 'deny' })(url, '{}', {})).toEqual({ failure: 'blocked' });
  expect(receiver.calls).toEqual([]);
  expect(await openPostJson({ loopbackTargets: 'allow' })(url, '{}', {})).toEqual(ok);
});
