/** The limits that operators set for a tenant. */
import { afterEach, beforeEach, expect, test } from 'bun:test';
import { refusedBy } from '../../src/core/limits.ts';
import type { Client, Tenant } from '../../src/core/model.ts';
import type { RequestLimits } from '../../src/core/operations-settings.ts';
import { makeFairShare } from '../../src/http/fair-share.ts';
import { makeLimiter } from '../../src/service/limits.ts';
import { openRig, type Rig } from './rig.ts';

let rig: Rig;
beforeEach(() => {
  rig = openRig();
});
afterEach(() => rig.close());

const from = (ip: string) => ({ ip, requestId: 'r' });
const HERE = from('192.0.2.1');

async function stage(limits: Partial<RequestLimits>): Promise<{ readonly tenant: Tenant; readonly one: Client; readonly other: Client }> {
  const tenant = await rig.tenant('acme', { operations: { limits } });
  return { tenant, one: (await rig.client(tenant, 'one')).client, other: (await rig.client(tenant, 'other')).client };
}

test('RL-02 without limits nothing is counted and nothing is told', async () => {
  const { tenant, one } = await stage({});
  const { limiter } = rig.ctx;
  expect([limiter.arrive(tenant, HERE), limiter.call(tenant, one, HERE), limiter.tryAccount(tenant, 'alice', HERE)]).toEqual([[], [], []]);
});

test('RL-02, RL-03 a client is limited by itself, and uses up nothing of the tenant once it is', async () => {
  const { tenant, one, other } = await stage({ client: 2, tenant: 4 });
  const { limiter } = rig.ctx;
  const calls = Array.from({ length: 10 }, () => refusedBy(limiter.call(tenant, one, HERE)));
  expect(calls).toEqual([null, null, ...Array.from({ length: 8 }, () => 'client' as const)]);
  expect(limiter.call(tenant, other, HERE)).toMatchObject([{ name: 'client', remaining: 1 }, { name: 'tenant', remaining: 1 }]);
  rig.clock.advance(60_000);
  expect(refusedBy(limiter.call(tenant, one, HERE))).toBeNull();
  expect(await rig.events('requests_limited')).toMatchObject([{ tenant: 'acme', clientId: 'one', outcome: 'denied', reason: 'client', ip: '192.0.2.1', count: 8 }]);
});

test('RL-02 addresses are counted by network: IPv6 by /64', async () => {
  const { tenant } = await stage({ address: 1 });
  const { limiter } = rig.ctx;
  expect(refusedBy(limiter.arrive(tenant, from('2001:db8::1')))).toBeNull();
  expect(refusedBy(limiter.arrive(tenant, from('2001:db8::ffff')))).toBe('address');
  expect(refusedBy(limiter.arrive(tenant, from('2001:db8:0:1::1')))).toBeNull();
});

test('MTN-04 the same client of another tenant, and the same account, have allowances of their own', async () => {
  const { tenant, one } = await stage({ client: 1, account: 1 });
  const other = await rig.tenant('other', { operations: { limits: { client: 1, account: 1 } } });
  const { limiter } = rig.ctx;
  expect(refusedBy(limiter.call(tenant, one, HERE))).toBeNull();
  expect(refusedBy(limiter.call(other, { ...one, tenantId: other.id }, HERE))).toBeNull();
  expect([refusedBy(limiter.tryAccount(tenant, 'alice', HERE)), refusedBy(limiter.tryAccount(tenant, 'alice', from('192.0.2.9')))]).toEqual([null, 'account']);
  expect(refusedBy(limiter.tryAccount(other, 'alice', HERE))).toBeNull();
});

test('RL-04 switched off, nothing is limited', async () => {
  const { tenant, one } = await stage({ client: 1, tenant: 1, address: 1 });
  const limiter = makeLimiter(rig.clock, rig.audit, false);
  for (let round = 0; round < 3; round += 1) expect([limiter.arrive(tenant, HERE), limiter.call(tenant, one, HERE)]).toEqual([[], []]);
});

test('MTN-11, RL-07 a noisy tenant does not take what the others need', () => {
  const share = makeFairShare(8, 16);
  const enterMany = (name: string, times: number): number => Array.from({ length: times }, () => share.enter(name)).filter(Boolean).length;
  expect(enterMany('noisy', 100)).toBe(8);
  expect(enterMany('calm', 3)).toBe(3);
  expect(share.enter('noisy')).toBe(false);
  for (let round = 0; round < 5; round += 1) share.leave('noisy');
  expect(enterMany('noisy', 100)).toBe(2);
  expect(share.enter('third')).toBe(true);
});

test('RL-06 there is an end to it for everybody', () => {
  const share = makeFairShare(4, 6);
  const names = Array.from({ length: 10 }, (_, index) => `tenant-${index}`);
  expect(names.filter((name) => share.enter(name))).toHaveLength(6);
  for (const name of names.slice(0, 6)) share.leave(name);
  expect(share.enter('later')).toBe(true);
});
