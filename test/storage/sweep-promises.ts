import { expect } from 'bun:test';
import type { StorePromise } from './conformance.ts';
import {
  aClient, aGrant, aKey, anOpaque, aRefresh, aSecret, aSession, digestOf, furnish, HOUR_MS, rotation, SOON_S, T0,
} from './samples.ts';
import type { Store } from '../../src/core/store.ts';

const LONG_MS = 10_000;
const SKEW_MS = 60_000;

/** Sweeps until nothing is left to do. */
export async function sweepAll(store: Store, nowMs: number): Promise<number> {
  let total = 0;
  for (;;) {
    const { rows, done } = await store.sweep(nowMs, LONG_MS);
    total += rows;
    if (done) return total;
  }
}

/** What goes and what stays when the store clears away what expired. */
export const sweepPromises: readonly StorePromise[] = [
  ['REV-26 TM-07 a revoked id stays until its token\'s expiry and the skew have passed', async (store) => {
    await furnish(store);
    await store.revokeTokenId('ten_1', 'jti_1', SOON_S, T0, () => []);
    const isRevoked = async () => (await store.readTokenRecord('ten_1', 'jti_1', null)).revoked;
    for (const atMs of [T0, SOON_S * 1000, SOON_S * 1000 + SKEW_MS]) {
      expect(await sweepAll(store, atMs)).toBe(0);
      expect(await isRevoked()).toBe(true);
    }
    expect(await sweepAll(store, SOON_S * 1000 + SKEW_MS + 1000)).toBe(1);
    expect(await isRevoked()).toBe(false);
  }],

  ['TM-07 opaque and refresh tokens stay until they expired, and go then', async (store) => {
    await furnish(store);
    const opaque = anOpaque('at_1', { grantId: 'gra_1' });
    await store.addAccess('gra_1', { opaque, expiresAt: SOON_S }, []);
    expect(await sweepAll(store, SOON_S * 1000 + SKEW_MS)).toBe(0);
    expect(await store.findOpaqueToken(opaque.digest)).toEqual(opaque);
    expect(await sweepAll(store, SOON_S * 1000 + SKEW_MS + 1)).toBe(1);
    expect(await store.findOpaqueToken(opaque.digest)).toBeNull();
    expect(await store.findRefreshToken(digestOf('rt_1'))).not.toBeNull();
    // The refresh token, its grant, and with the last of its grants the session.
    expect(await sweepAll(store, T0 + 24 * HOUR_MS + SKEW_MS)).toBe(0);
    expect(await sweepAll(store, T0 + 24 * HOUR_MS + SKEW_MS + 1)).toBeGreaterThanOrEqual(2);
    expect(await store.findRefreshToken(digestOf('rt_1'))).toBeNull();
    expect(await store.findSession('ten_1', 'ses_1')).toBeNull();
    expect((await store.readTokenRecord('ten_1', null, 'gra_1')).grantRevoked).toBe(true);
  }],

  ['a grant stays as long as an access token of it may live, also a JWT and also a later one', async (store) => {
    await furnish(store);
    const grant = aGrant({ id: 'gra_2', sessionId: null, expiresAtMs: T0 });
    await store.openGrant({ session: null, grant, refresh: null, access: { opaque: null, expiresAt: SOON_S } }, []);
    await store.addAccess('gra_2', { opaque: null, expiresAt: SOON_S + 100 }, []);
    await store.addAccess('gra_2', { opaque: null, expiresAt: SOON_S + 50 }, []);
    const isKnown = async () => !(await store.readTokenRecord('ten_1', null, 'gra_2')).grantRevoked;
    await sweepAll(store, (SOON_S + 100) * 1000 + SKEW_MS);
    expect(await isKnown()).toBe(true);
    await sweepAll(store, (SOON_S + 100) * 1000 + SKEW_MS + 1);
    expect(await isKnown()).toBe(false);
  }],

  ['JK-03 a retired key stays until the last token that it may have signed has expired, and keeps no private part', async (store) => {
    await furnish(store);
    const tenant = await store.findTenant({ id: 'ten_1' });
    const active = (await store.listKeys('ten_1')).find(({ status }) => status === 'active');
    const next = (await store.listKeys('ten_1')).find(({ status }) => status === 'next');
    if (tenant === null || active === undefined || next === undefined) throw new Error('the sample tenant has keys');
    const newNext = { ...next, kid: 'another' };
    expect(await store.promoteKey({ tenantId: 'ten_1', expectedActive: active.kid, formerStatus: 'retired', nextKid: next.kid, newNext, atMs: T0 }, [])).toBe(true);
    const retired = async () => (await store.listKeys('ten_1')).find(({ kid }) => kid === active.kid);
    expect(await retired()).toMatchObject({ status: 'retired', sealedPrivate: '' });
    const goneMs = T0 + Math.max(tenant.accessTokenTtl, tenant.refreshTokenTtl) * 1000 + SKEW_MS;
    await sweepAll(store, goneMs);
    expect(await retired()).toBeDefined();
    await sweepAll(store, goneMs + 1);
    expect(await retired()).toBeUndefined();
    expect((await store.listKeys('ten_1')).map(({ kid }) => kid).toSorted()).toEqual(['another', next.kid].toSorted());
  }],

  ['a session stays while any grant of it does', async (store) => {
    await furnish(store);
    const grant = aGrant({ id: 'gra_2', expiresAtMs: T0 + 48 * HOUR_MS });
    const refresh = aRefresh('rt_2', { grantId: 'gra_2', expiresAtMs: T0 + 48 * HOUR_MS });
    await store.openGrant({ session: aSession(), grant, refresh, access: { opaque: null, expiresAt: SOON_S } }, []);
    await sweepAll(store, T0 + 25 * HOUR_MS);
    expect(await store.findRefreshToken(digestOf('rt_1'))).toBeNull();
    expect(await store.findSession('ten_1', 'ses_1')).toEqual(aSession());
  }],

  ['CR-04 TRT-24 a spent token\'s sealed successor goes when no grace lasts any more; reuse is still noticed', async (store) => {
    await furnish(store);
    await store.rotateRefresh(rotation('rt_1', 'rt_2'), []);
    const use = async () => (await store.findRefreshToken(digestOf('rt_1')))?.token.use;
    const usedAtMs = T0 + 1000;
    await sweepAll(store, usedAtMs + 60_000);
    expect((await use())?.successorSealed).toBe('sealed rt_2');
    await sweepAll(store, usedAtMs + 60_001);
    expect(await use()).toEqual({ ...rotation('rt_1', 'rt_2').use, successorSealed: '', successorUsed: false });
    expect(await store.sweep(usedAtMs + 60_001, LONG_MS)).toEqual({ rows: 0, done: true });
  }],

  ['an ended client secret goes after a day', async (store) => {
    await furnish(store);
    await store.createClient(aClient({ id: 'cli_2', secrets: [aSecret(), aSecret({ id: 'sec_2', expiresAtMs: T0 })] }), []);
    const ids = async () => (await store.findClient('ten_1', 'cli_2'))?.secrets.map(({ id }) => id);
    await sweepAll(store, T0 + 24 * HOUR_MS);
    expect(await ids()).toEqual(['sec_1', 'sec_2']);
    await sweepAll(store, T0 + 24 * HOUR_MS + 1);
    expect(await ids()).toEqual(['sec_1']);
  }],

  ['sweeping keeps to its time and leaves the rest for later', async (store) => {
    await furnish(store);
    const count = 3_000;
    await Promise.all(
      Array.from({ length: count }, (_, number) => store.revokeTokenId('ten_1', `jti_${number}`, SOON_S, T0, () => [])),
    );
    const nowMs = T0 + 2 * HOUR_MS;
    const begun = performance.now();
    const { rows, done } = await store.sweep(nowMs, 0);
    expect(performance.now() - begun).toBeLessThan(500);
    expect(rows).toBeLessThan(count);
    expect(done).toBe(false);
    expect(rows + (await sweepAll(store, nowMs))).toBe(count);
    expect((await store.findRefreshToken(digestOf('rt_1')))?.grant.revokedAtMs).toBeNull();
  }],

  ['without any time each call still goes on where the last one stopped, through every kind, and says when all is done', async (store) => {
    await furnish(store);
    await store.addOpaqueToken(anOpaque());
    await store.revokeTokenId('ten_1', 'jti_1', SOON_S, T0, () => []);
    await store.createClient(aClient({ id: 'cli_2', secrets: [aSecret({ expiresAtMs: T0 })] }), []);
    const newNext = aKey({ kid: 'key_3', status: 'next', activatedAtMs: null });
    await store.promoteKey({ tenantId: 'ten_1', expectedActive: 'key_1', formerStatus: 'retired', nextKid: 'key_2', newNext, atMs: T0 }, []);
    const nowMs = T0 + 72 * HOUR_MS;
    let calls = 0;
    while (!(await store.sweep(nowMs, 0)).done) expect((calls += 1)).toBeLessThan(100);
    expect(await store.findRefreshToken(digestOf('rt_1'))).toBeNull();
    expect(await store.findOpaqueToken(digestOf('at_1'))).toBeNull();
    expect(await store.readTokenRecord('ten_1', 'jti_1', 'gra_1')).toEqual({ revoked: false, grantRevoked: true });
    expect(await store.findSession('ten_1', 'ses_1')).toBeNull();
    expect((await store.findClient('ten_1', 'cli_2'))?.secrets).toEqual([]);
    expect((await store.listKeys('ten_1')).map(({ kid }) => kid)).toEqual(['key_2', 'key_3']);
    expect(await sweepAll(store, nowMs)).toBe(0);
  }],

  ['a backlog of one kind does not keep the others waiting', async (store) => {
    await furnish(store);
    const pour = (round: number) => Promise.all(Array.from({ length: 300 }, (_, number) => store.addOpaqueToken(anOpaque(`at_${round}_${number}`))));
    await store.revokeTokenId('ten_1', 'jti_1', SOON_S, T0, () => []);
    for (let round = 0; round < 10; round++) {
      await pour(round);
      expect((await store.sweep(T0 + 2 * HOUR_MS, 0)).done).toBe(false);
    }
    expect((await store.readTokenRecord('ten_1', 'jti_1', null)).revoked).toBe(false);
  }],
];
