import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import type { Context } from '../../src/service/context.ts';
import { makeKeyRotation } from '../../src/service/rotate-keys.ts';
import { keySchedule, revokeKey, rotateKeys } from '../../src/service/manage-keys.ts';
import { createUser } from '../../src/service/manage-users.ts';
import { updateTenant } from '../../src/service/manage-tenants.ts';
import { issueToken } from '../../src/service/issue-token.ts';
import { inspectToken } from '../../src/service/manage-tokens.ts';
import { makeSteadyTime } from '../../src/core/key-rotation.ts';
import type { Tenant } from '../../src/core/model.ts';
import { T0 } from '../storage/samples.ts';
import { openRig, there, wanted, type Rig } from './rig.ts';

const DAY = 86_400_000;

let rig: Rig;
beforeEach(() => {
  rig = openRig();
});
afterEach(() => rig.close());

// The sample keys are of T0, so that time is told by the test alone.
const at = (days: number): number => T0 + days * DAY;
const trusted = (): boolean => true;

async function kids(tenant: Tenant): Promise<Readonly<Record<string, number>>> {
  const rows = await rig.ctx.store.listKeys(tenant.id);
  return Object.fromEntries(['active', 'next', 'retired'].map((status) => [status, rows.filter((row) => row.status === status).length]));
}

/** The context at another time: what the act writes is dated by it. */
function dated(nowMs: number, monotonicMs = 0): Context {
  return { ...rig.ctx, clock: { now: () => nowMs, monotonic: () => monotonicMs } };
}

async function turns(rotation: ReturnType<typeof makeKeyRotation>, nowMs: number, count: number): Promise<readonly (string | null)[]> {
  const did: (string | null)[] = [];
  for (let turn = 0; turn < count; turn += 1) did.push((await rotation.turn(nowMs))?.slug ?? null);
  return did;
}

describe('JK-04 · rotation by age', () => {
  test('JK-04 when it is due, once, by the server itself; what was signed stays good', async () => {
    const acme = await rig.tenant();
    await rig.client(acme, 'svc', { scopes: ['a'] });
    const token = wanted(await issueToken(rig.ctx, acme, { client: 'svc', user: null, org: null, session: null, scopes: null, audience: [] })).access_token;
    const rotation = makeKeyRotation(dated(at(91)), trusted);
    expect(await turns(rotation, at(89), 2)).toEqual([null, null]);
    expect(await kids(acme)).toEqual({ active: 1, next: 1, retired: 0 });
    expect(await turns(rotation, at(91), 3)).toEqual(['acme', null, null]);
    expect(await kids(acme)).toEqual({ active: 1, next: 1, retired: 1 });
    expect(await rig.events('key_rotated')).toMatchObject([{ tenant: 'acme', actor: 'server', outcome: 'success' }]);
    expect(await inspectToken(rig.ctx, acme, token)).toMatchObject({ known: true, reason: null });
  });

  test('JK-04 only by command where the tenant says so, and not for a suspended one', async () => {
    await rig.tenant('manual', { operations: { keyRotationDays: null } });
    const idle = await rig.tenant('idle');
    await rig.ctx.store.updateTenant(idle, { ...idle, disabledAtMs: T0 }, []);
    expect(await turns(makeKeyRotation(dated(at(500)), trusted), at(500), 3)).toEqual([null, null, null]);
  });

  test('JK-04 the tenant\'s own days', async () => {
    const quick = await rig.tenant('quick', { operations: { keyRotationDays: 7 } });
    await rig.tenant('slow', { operations: { keyRotationDays: 400 } });
    expect(await turns(makeKeyRotation(dated(at(8)), trusted), at(8), 3)).toEqual(['quick', null, null]);
    const keys = await rig.ctx.store.listKeys(quick.id);
    expect(keySchedule(dated(at(8)), quick, keys)).toMatchObject({ days: 7, waitsFor: null });
    expect(there(keySchedule(dated(at(8)), quick, keys).dueAtMs)).toBeGreaterThanOrEqual(at(15));
  });

  test('JK-04 several servers at once: one rotation', async () => {
    const acme = await rig.tenant();
    const did = await Promise.all(Array.from({ length: 4 }, () => makeKeyRotation(dated(at(100)), trusted).turn(at(100))));
    expect(did.filter((tenant) => tenant !== null)).toHaveLength(1);
    expect(await kids(acme)).toEqual({ active: 1, next: 1, retired: 1 });
  });

  test('JK-04 many tenants: at most one in a turn, all of them in the end', async () => {
    const tenants: Tenant[] = [];
    for (let number = 0; number < 45; number += 1) tenants.push(await rig.tenant(`t${number}`));
    const did = await turns(makeKeyRotation(dated(at(91)), trusted), at(91), 60);
    expect(did.filter((slug) => slug !== null).toSorted()).toEqual(tenants.map(({ slug }) => slug).toSorted());
  });

  test('JK-04, JK-03 with another algorithm in between, what the retired key of the former one signed stays good', async () => {
    const acme = await rig.tenant();
    await rig.client(acme, 'svc', { scopes: ['a'] });
    const token = wanted(await issueToken(rig.ctx, acme, { client: 'svc', user: null, org: null, session: null, scopes: null, audience: [] })).access_token;
    const changed = wanted(await updateTenant(rig.ctx, 'acme', { algorithm: 'EdDSA' }));
    const nowMs = rig.clock.now();
    expect(await turns(makeKeyRotation(dated(nowMs + 100 * DAY), trusted), nowMs + 100 * DAY, 1)).toEqual(['acme']);
    const keys = await rig.ctx.store.listKeys(changed.id);
    expect(keys.map(({ algorithm, status }) => `${algorithm} ${status}`).toSorted()).toEqual(['ES256 retired', 'ES256 revoked', 'EdDSA active', 'EdDSA next', 'EdDSA retired'].toSorted());
    expect(await inspectToken(rig.ctx, changed, token)).toMatchObject({ known: true, reason: null });
  });
});

describe('JK-10 · clocks that jump', () => {
  test('JK-10 nothing while tokens may not be issued, and nothing while the clock is known to be wrong', async () => {
    await rig.tenant();
    expect(await turns(makeKeyRotation({ ...dated(at(500)), mayIssue: () => false }, trusted), at(500), 2)).toEqual([null, null]);
    expect(await turns(makeKeyRotation(dated(at(500)), () => false), at(500), 2)).toEqual([null, null]);
  });

  test.each([1, 30, 3_650, -1, -3_650])('JK-10 a clock that steps by %p days and back every hour, for ten days: no rotation, no key deleted early', async (days) => {
    const acme = await rig.tenant();
    const begin = at(10);
    let monotonicMs = 0;
    let wallMs = begin;
    const ctx: Context = { ...rig.ctx, clock: { now: () => wallMs, monotonic: () => monotonicMs } };
    const steady = makeSteadyTime(begin);
    // A clock that is behind is known to be (app/clock.ts).
    const rotation = makeKeyRotation(ctx, () => wallMs >= begin + monotonicMs);
    wanted(await rotateKeys(ctx, acme));
    for (let hour = 0; hour < 240; hour += 1) {
      monotonicMs = hour * 3_600_000;
      wallMs = begin + monotonicMs + (hour % 2 === 1 ? days * DAY : 0);
      const steadyMs = steady.read(wallMs, monotonicMs);
      await rotation.turn(steadyMs);
      await rig.ctx.store.sweep(wallMs, 1_000, steadyMs);
    }
    // The one of the beginning; its key outlives what it signed (30 days of refresh tokens).
    expect(await kids(acme)).toEqual({ active: 1, next: 1, retired: 1 });
    expect(await rig.events('key_rotated')).toHaveLength(1);
  });

  test('JK-10 a wall clock that runs a year per minute: one rotation of a tenant per day of the monotonic clock', async () => {
    await rig.tenant();
    let monotonicMs = 0;
    let wallMs = at(0);
    const ctx: Context = { ...rig.ctx, clock: { now: () => wallMs, monotonic: () => monotonicMs } };
    const rotation = makeKeyRotation(ctx, trusted);
    for (let minute = 0; minute < 60; minute += 1) {
      monotonicMs += 60_000;
      wallMs += 365 * DAY;
      await rotation.turn(wallMs);
    }
    expect(await rig.events('key_rotated')).toHaveLength(1);
  });
});

describe('JK-05 · what falls with a key', () => {
  test('JK-05 said before and after; a dry run changes nothing', async () => {
    const acme = await rig.tenant('acme', { accessTokenTtl: 600 });
    await rig.client(acme, 'app', { grants: ['refresh_token'], scopes: ['a'] });
    await rig.client(acme, 'slow', { grants: ['refresh_token'], scopes: ['a'], tokenFormat: 'opaque' });
    wanted(await createUser(rig.ctx, acme, 'usr_1', { username: 'jane', email: '' }));
    for (const client of ['app', 'app', 'slow']) wanted(await issueToken(rig.ctx, acme, { client, user: 'jane', org: null, session: null, scopes: null, audience: [] }));
    const before = await rig.ctx.store.listKeys(acme.id);
    const key = there(before.find(({ status }) => status === 'active'));
    const expected = { signedSinceMs: key.activatedAtMs, tokensUntilMs: rig.clock.now() + 600_000, grants: 2, idTokens: true };
    expect(wanted(await revokeKey(rig.ctx, acme, key.kid, { dryRun: true }))).toMatchObject(expected);
    expect(await rig.ctx.store.listKeys(acme.id)).toEqual(before);
    expect(await rig.events('key_revoked')).toEqual([]);
    const next = there(before.find(({ status }) => status === 'next'));
    expect(wanted(await revokeKey(rig.ctx, acme, next.kid, { dryRun: true }))).toMatchObject({ signedSinceMs: null, tokensUntilMs: null, grants: 0, idTokens: false });
    expect(wanted(await revokeKey(rig.ctx, acme, key.kid))).toMatchObject(expected);
    expect(await rig.events('key_revoked')).toMatchObject([{ subject: key.kid, actor: 'operator' }]);
  });

  test('JK-05 of a key that retired long ago nothing lives', async () => {
    const acme = await rig.tenant();
    const key = there((await rig.ctx.store.listKeys(acme.id)).find(({ status }) => status === 'active'));
    wanted(await rotateKeys(rig.ctx, acme));
    rig.clock.advance(301_000);
    expect(wanted(await revokeKey(rig.ctx, acme, key.kid, { dryRun: true }))).toMatchObject({ tokensUntilMs: null, grants: 0 });
  });
});
