import { expect } from 'bun:test';
import type { StorePromise } from './conformance.ts';
import { aBrowserSession, furnishPeople, logoutOf, logoutsOf, open, revokedOf } from './people-samples.ts';
import { aGrant, aRefresh, aTenant, digestOf, HOUR_MS, rotation, SOON_S, T0 } from './samples.ts';
import { sweepAll } from './sweep-promises.ts';
import { defaultPeopleSettings, type BrowserSession } from '../../src/core/people.ts';
import type { AuditEvent } from '../../src/core/audit-event.ts';
import type { Store } from '../../src/core/store.ts';
import { listAudit } from '../helpers/trail.ts';

const IDLE_MS = defaultPeopleSettings.sessionIdleTtl * 1000;
const STEP = 50;

const add = (store: Store, id: string, changes: Partial<BrowserSession> = {}): Promise<boolean> =>
  store.openBrowserSession({ session: aBrowserSession(`${changes.tenantId ?? ''} ${id}`, { id, ...changes }), replaces: null, progress: null }, { audit: [] });
const withIdle = (id: string, sessionIdleTtl: number) => aTenant({ id, slug: id, people: { ...defaultPeopleSettings, sessionIdleTtl } });
const endsOf = async (store: Store): Promise<readonly AuditEvent[]> => (await listAudit(store, { type: 'session_ended', limit: 9999 })).toReversed();
const endedAt = async (store: Store, id: string, tenantId = 'ten_1'): Promise<number | null | undefined> => (await store.findSession(tenantId, id))?.endedAtMs;

/** A grant that ends with `ses_b`, one of a client that is told, and one for offline use. */
async function openThree(store: Store): Promise<void> {
  await open(store, 'gra_bound');
  await open(store, 'gra_back', { clientId: 'cli_back' });
  await open(store, 'gra_offline', { offline: true });
}
const three = ['gra_bound', 'gra_back', 'gra_offline'] as const;

/** Browsers' sessions that nobody ends, and visits to those that go on. */
export const sessionEndPromises: readonly StorePromise[] = [
  ['UI-07 a session that is visited goes on, until it was left alone for as long as its tenant lets it', async (store) => {
    await furnishPeople(store);
    const seenMs = T0 + HOUR_MS;
    await store.touchSession('ten_1', 'ses_b', seenMs);
    await sweepAll(store, seenMs + IDLE_MS - 1);
    expect([await endedAt(store, 'ses_b'), await endsOf(store)]).toEqual([null, []]);
    await sweepAll(store, seenMs + IDLE_MS);
    expect([await endedAt(store, 'ses_b'), (await endsOf(store)).length]).toEqual([seenMs + IDLE_MS, 1]);
  }],

  ['UI-07, TRT-21, LO-11 its grants that are not offline end with it, its clients are told, and the trail tells, once', async (store) => {
    await furnishPeople(store);
    await store.updateTenant(aTenant(), aTenant({ people: { ...defaultPeopleSettings, sessionIdleTtl: 60 } }), []);
    await openThree(store);
    expect(await sweepAll(store, T0 + 59_999)).toBe(0);
    expect(await revokedOf(store, three)).toEqual([]);
    const revision = store.revision();
    expect(await sweepAll(store, T0 + 60_000)).toBe(1);
    expect(store.revision()).not.toBe(revision);
    expect(await revokedOf(store, three)).toEqual(['gra_bound', 'gra_back']);
    expect(await endedAt(store, 'ses_b')).toBe(T0 + 60_000);
    expect(await logoutsOf(store)).toEqual([logoutOf('cli_back')]);
    expect(await endsOf(store)).toMatchObject([{ tenant: 'acme', actor: 'server', subject: 'usr_1', reason: 'idle', outcome: 'success', timeMs: T0 + 60_000 }]);
    expect(await sweepAll(store, T0 + 60_001)).toBe(0);
    expect(await endsOf(store)).toHaveLength(1);
    // An operator's session has no limits.
    expect(await endedAt(store, 'ses_1')).toBeNull();
    expect(await revokedOf(store, ['gra_1'])).toEqual([]);
  }],

  ['UI-07, TRT-21, LO-11 a session that reached its absolute end ends the same way, however lately it was visited', async (store) => {
    await furnishPeople(store);
    const endMs = T0 + HOUR_MS;
    await add(store, 'ses_e', { expiresAtMs: endMs });
    for (const [id, changes] of [['gra_bound', {}], ['gra_back', { clientId: 'cli_back' }], ['gra_offline', { offline: true }]] as const) await open(store, id, { sessionId: 'ses_e', ...changes });
    await store.touchSession('ten_1', 'ses_e', endMs - 1);
    expect(await sweepAll(store, endMs - 1)).toBe(0);
    expect(await sweepAll(store, endMs)).toBe(1);
    expect([await endedAt(store, 'ses_e'), await endedAt(store, 'ses_b')]).toEqual([endMs, null]);
    expect(await revokedOf(store, three)).toEqual(['gra_bound', 'gra_back']);
    expect(await logoutsOf(store)).toEqual([logoutOf('cli_back', 'ses_e')]);
    expect(await endsOf(store)).toMatchObject([{ tenant: 'acme', actor: 'server', subject: 'usr_1', reason: 'expired' }]);
  }],

  ['MTN-01, UI-07 each tenant has its own limit; the trail of a slug holds nothing of a deleted tenant', async (store) => {
    await furnishPeople(store);
    for (const [id, ttl] of [['ten_short', 2], ['ten_long', 100_000], ['ten_gone', 2]] as const) {
      await store.createTenant(withIdle(id, ttl), [], []);
      await add(store, 'ses_b', { tenantId: id });
    }
    await store.deleteTenant('ten_gone', T0, []);
    await sweepAll(store, T0 + 2_000);
    const places = ['ten_1', 'ten_short', 'ten_long', 'ten_gone'];
    const ended = async () => Promise.all(places.map((place) => endedAt(store, 'ses_b', place)));
    expect(await ended()).toEqual([null, T0 + 2_000, null, T0 + 2_000]);
    expect((await endsOf(store)).map(({ tenant }) => tenant ?? 'none').toSorted()).toEqual(['none', 'ten_short']);
    expect((await listAudit(store, { tenant: 'ten_short', limit: 9 })).map(({ reason }) => reason)).toEqual(['idle']);
  }],

  ['a visit in the same moment keeps a session, one that comes after its end does not bring it back', async (store) => {
    await furnishPeople(store);
    await store.updateTenant(aTenant(), withIdle('ten_1', 60), []);
    const [, swept] = await Promise.all([store.touchSession('ten_1', 'ses_b', T0 + 60_000), sweepAll(store, T0 + 60_000)]);
    expect([swept, await endedAt(store, 'ses_b')]).toEqual([0, null]);
    await sweepAll(store, T0 + 120_000);
    await store.touchSession('ten_1', 'ses_b', T0 + 120_001);
    expect(await store.findBrowserSession('ten_1', digestOf('secret_1'))).toMatchObject({ endedAtMs: T0 + 120_000, lastSeenAtMs: T0 + 60_000 });
  }],

  ['one step ends so many at most, and all end in the end', async (store) => {
    await furnishPeople(store);
    const ids = Array.from({ length: 450 }, (_, number) => `s${number}`);
    await Promise.all(ids.map((id, number) => add(store, id, number % 2 === 0 ? { expiresAtMs: T0 + 1_000 } : { lastSeenAtMs: T0 - IDLE_MS + 1_000 })));
    for (let call = 0, before = 0; call < 100; call += 1) {
      const { done } = await store.sweep(T0 + 1_000, 0);
      const now = (await endsOf(store)).length;
      expect(now - before).toBeLessThanOrEqual(STEP);
      before = now;
      if (done) break;
    }
    const reasons = Map.groupBy(await endsOf(store), ({ reason }) => reason);
    expect([reasons.get('expired')?.length, reasons.get('idle')?.length]).toEqual([225, 225]);
    expect(await Promise.all(ids.map((id) => endedAt(store, id)))).toEqual(ids.map(() => T0 + 1_000));
    expect(await endedAt(store, 'ses_b')).toBeNull();
  }],

  ['of more tenants than one step looks at, none is left out, with and without time', async (store) => {
    await furnishPeople(store);
    const ids = Array.from({ length: 450 }, (_, number) => `ten_t${String(number).padStart(3, '0')}`);
    const short = new Set(['ten_t000', 'ten_t199', 'ten_t200', 'ten_t201', 'ten_t449']);
    await Promise.all(ids.map((id) => store.createTenant(withIdle(id, short.has(id) ? 5 : 500), [], [])));
    await Promise.all(ids.map((tenantId) => add(store, 'ses_t', { tenantId })));
    const ended = async () => (await Promise.all(ids.map(async (id) => ((await endedAt(store, 'ses_t', id)) === null ? [] : [id])))).flat();
    expect(await sweepAll(store, T0 + 5_000)).toBe(short.size);
    expect(await ended()).toEqual([...short]);
    let calls = 0;
    while (!(await store.sweep(T0 + 400_000, 0)).done) expect((calls += 1)).toBeLessThan(1_000);
    while (!(await store.sweep(T0 + 500_000, 0)).done) expect((calls += 1)).toBeLessThan(2_000);
    expect((await endsOf(store)).filter(({ reason }) => reason === 'idle')).toHaveLength(ids.length);
  }],

  ['TRT-21 a refresh token comes with the times of the browser session that its grant ends with, of no other', async (store) => {
    await furnishPeople(store);
    const opened = async (name: string, changes: Partial<ReturnType<typeof aGrant>>) => {
      await store.openGrant({ session: null, grant: aGrant({ id: `gra_${name}`, ...changes }), refresh: aRefresh(`rt_${name}`, { grantId: `gra_${name}` }), access: { opaque: null, expiresAt: SOON_S } }, []);
      return (await store.findRefreshToken(digestOf(`rt_${name}`)))?.session;
    };
    expect(await opened('bound', { sessionId: 'ses_b' })).toEqual({ lastSeenAtMs: T0, expiresAtMs: T0 + 24 * HOUR_MS });
    expect(await opened('offline', { sessionId: 'ses_b', offline: true })).toBeNull();
    expect(await opened('operator', { sessionId: 'ses_1' })).toBeNull();
    expect(await opened('none', { sessionId: null })).toBeNull();
  }],

  ['UI-07 what a grant brings notes a visit to its session along with it, if it is said to, and if it brings anything', async (store) => {
    await furnishPeople(store);
    await open(store, 'gra_b');
    const access = { opaque: null, expiresAt: SOON_S };
    const seen = async () => (await store.findBrowserSession('ten_1', digestOf('secret_1')))?.lastSeenAtMs;
    const visit = (ms: number) => ({ sessionId: 'ses_b', atMs: T0 + ms });
    expect(await store.rotateRefresh(rotation('rt_1', 'rt_2'), [])).toBe(true);
    expect(await store.addAccess('gra_b', access, [])).toBe(true);
    expect(await seen()).toBe(T0);
    expect(await store.rotateRefresh({ ...rotation('rt_2', 'rt_3'), visit: visit(10) }, [])).toBe(true);
    expect(await seen()).toBe(T0 + 10);
    expect(await store.rotateRefresh({ ...rotation('rt_2', 'rt_4'), visit: visit(20) }, [])).toBe(false);
    expect(await store.addAccess('gra_9', access, [], visit(20))).toBe(false);
    expect(await seen()).toBe(T0 + 10);
    expect(await store.addAccess('gra_b', access, [], visit(30))).toBe(true);
    expect(await store.addAccess('gra_b', access, [], visit(25))).toBe(true);
    expect(await seen()).toBe(T0 + 30);
  }],
];
