import { expect } from 'bun:test';
import type { StorePromise } from './conformance.ts';
import {
  aGrant, anEvent, anOpaque, aRefresh, aSession, digestOf, furnish, HOUR_MS, rotation, SOON_S, T0,
} from './samples.ts';
import type { Store } from '../../src/core/store.ts';
import { listAudit } from '../helpers/trail.ts';

/** Whether the grant's newest tokens are dead: what every test of a revoked family asks. */
async function isDead(store: Store, leaf: string): Promise<boolean> {
  const family = await store.findRefreshToken(digestOf(leaf));
  const { grantRevoked } = await store.readTokenRecord('ten_1', null, 'gra_1');
  return grantRevoked && (family === null || family.grant.revokedAtMs !== null);
}

const revokeFamily = (store: Store, session = false) =>
  store.revokeGrant({ tenantId: 'ten_1', grantId: 'gra_1', session, atMs: T0 + 2000 }, () => []);

/** Grants, sessions, refresh families, opaque tokens, revocations. */
export const tokenPromises: readonly StorePromise[] = [
  ['a grant is opened with its session, refresh token and access token', async (store) => {
    await furnish(store);
    const grant = aGrant({ id: 'gra_2', offline: true, orgId: 'org_1', acr: 'mfa' });
    const refresh = aRefresh('rt_2', { grantId: 'gra_2' });
    const opaque = anOpaque('at_2', {
      userId: 'usr_1', grantId: 'gra_2', sessionId: 'ses_1', orgId: 'org_1', id: 'jti', notBefore: 5, authTime: 6, acr: 'mfa',
      confirmation: { jkt: 'thumb', 'x5t#S256': 'cert' }, actor: { sub: 'a', act: { sub: 'b' } }, scopes: [], audience: ['a', 'b'],
    });
    const events = [anEvent({ type: 'grant_opened' })];
    expect(await store.openGrant({ session: aSession(), grant, refresh, access: { opaque, expiresAt: SOON_S } }, events)).toBe('opened');
    expect(await store.findRefreshToken(refresh.digest)).toEqual({ token: refresh, grant, session: null });
    expect(await store.findOpaqueToken(opaque.digest)).toEqual(opaque);
    expect(await store.findSession('ten_1', 'ses_1')).toEqual(aSession());
    expect(await store.findSession('ten_2', 'ses_1')).toBeNull();
    expect(await store.readTokenRecord('ten_1', 'jti', 'gra_2')).toEqual({ revoked: false, grantRevoked: false });
    expect(await listAudit(store, { limit: 9 })).toEqual(events);
  }],

  ['no grant opens in a session that ended or is another user\'s', async (store) => {
    await furnish(store);
    const open = (userId: string) =>
      store.openGrant(
        {
          session: aSession({ userId }), grant: aGrant({ id: `gra_${userId}`, userId }), refresh: aRefresh(`rt_${userId}`, { grantId: `gra_${userId}` }),
          access: { opaque: anOpaque(`at_${userId}`), expiresAt: SOON_S },
        },
        [anEvent()],
      );
    expect(await open('usr_2')).toBe('session_unusable');
    await revokeFamily(store, true);
    expect(await open('usr_1')).toBe('session_unusable');
    expect(await store.findRefreshToken(digestOf('rt_usr_1'))).toBeNull();
    expect(await store.findOpaqueToken(digestOf('at_usr_2'))).toBeNull();
    expect(await listAudit(store, { limit: 9 })).toEqual([]);
  }],

  ['a grant without a session needs none', async (store) => {
    await furnish(store);
    const grant = aGrant({ id: 'gra_2', sessionId: null });
    expect(await store.openGrant({ session: null, grant, refresh: null, access: { opaque: null, expiresAt: SOON_S } }, [])).toBe('opened');
    expect(await store.readTokenRecord('ten_1', null, 'gra_2')).toEqual({ revoked: false, grantRevoked: false });
  }],

  ['MTN-05 a grant is unknown at another tenant, and unknown means revoked', async (store) => {
    await furnish(store);
    expect((await store.readTokenRecord('ten_2', null, 'gra_1')).grantRevoked).toBe(true);
    expect((await store.readTokenRecord('ten_1', null, 'gra_9')).grantRevoked).toBe(true);
    expect(await store.revokeGrant({ tenantId: 'ten_2', grantId: 'gra_1', session: true, atMs: T0 }, () => [])).toBe(false);
    expect(await isDead(store, 'rt_1')).toBe(false);
    // Once it is opened, it is known.
    await store.openGrant({ session: null, grant: aGrant({ id: 'gra_9', sessionId: null }), refresh: null, access: { opaque: null, expiresAt: SOON_S } }, []);
    expect((await store.readTokenRecord('ten_1', null, 'gra_9')).grantRevoked).toBe(false);
  }],

  ['TRT-08 a rotation spends the token and stores its successor and access token', async (store) => {
    await furnish(store);
    const { access: _access, ...rest } = rotation('rt_1', 'rt_2');
    const access = { opaque: anOpaque('at_2', { grantId: 'gra_1' }), expiresAt: SOON_S };
    expect(await store.rotateRefresh({ ...rest, access }, [anEvent({ type: 'token_refreshed' })])).toBe(true);
    expect((await store.findRefreshToken(digestOf('rt_1')))?.token.use).toEqual({ ...rest.use, successorUsed: false });
    expect((await store.findRefreshToken(digestOf('rt_2')))?.token).toEqual(rest.successor);
    expect(await store.findOpaqueToken(digestOf('at_2'))).toEqual(access.opaque);
    await store.rotateRefresh(rotation('rt_2', 'rt_3'), []);
    expect((await store.findRefreshToken(digestOf('rt_1')))?.token.use?.successorUsed).toBe(true);
    expect(await listAudit(store, { limit: 9 })).toHaveLength(1);
  }],

  ['TRT-13 of 20 parallel rotations of one token, one happens', async (store) => {
    await furnish(store);
    const done = await Promise.all(
      Array.from({ length: 20 }, (_, number) => store.rotateRefresh(rotation('rt_1', `rt_2_${number}`), [anEvent({ type: 'token_refreshed' })])),
    );
    expect(done.filter(Boolean)).toHaveLength(1);
    const winner = digestOf(`rt_2_${done.indexOf(true)}`);
    expect((await store.findRefreshToken(digestOf('rt_1')))?.token.use?.successorDigest).toBe(winner);
    const leaves = await Promise.all(done.map(async (_, number) => await store.findRefreshToken(digestOf(`rt_2_${number}`))));
    expect(leaves.filter((leaf) => leaf !== null).map(({ token }) => token.digest)).toEqual([winner]);
    expect(await listAudit(store, { limit: 99 })).toHaveLength(1);
  }],

  ['REV-20 a revocation racing a rotation leaves the family dead, whichever comes first', async (store) => {
    await furnish(store);
    const [rotated] = await Promise.all([store.rotateRefresh(rotation('rt_1', 'rt_2'), []), revokeFamily(store)]);
    expect(rotated).toBe(true);
    expect(await isDead(store, 'rt_2')).toBe(true);
    await store.openGrant({ session: null, grant: aGrant({ id: 'gra_2', sessionId: null }), refresh: aRefresh('rt_x', { grantId: 'gra_2' }), access: { opaque: null, expiresAt: SOON_S } }, []);
    const [, late] = await Promise.all([
      store.revokeGrant({ tenantId: 'ten_1', grantId: 'gra_2', session: false, atMs: T0 }, () => []),
      store.rotateRefresh(rotation('rt_x', 'rt_y', 'gra_2'), [anEvent()]),
    ]);
    expect(late).toBe(false);
    expect(await store.findRefreshToken(digestOf('rt_y'))).toBeNull();
    expect((await store.findRefreshToken(digestOf('rt_x')))?.token.use).toBeNull();
    expect(await listAudit(store, { limit: 9 })).toEqual([]);
  }],

  ['a revoked grant gives no further access token', async (store) => {
    await furnish(store);
    const opaque = anOpaque('at_2', { grantId: 'gra_1' });
    expect(await store.addAccess('gra_1', { opaque, expiresAt: SOON_S }, [anEvent()])).toBe(true);
    await revokeFamily(store);
    expect(await store.addAccess('gra_1', { opaque: anOpaque('at_3', { grantId: 'gra_1' }), expiresAt: SOON_S }, [anEvent()])).toBe(false);
    expect(await store.addAccess('gra_9', { opaque: null, expiresAt: SOON_S }, [])).toBe(false);
    expect(await store.findOpaqueToken(digestOf('at_3'))).toBeNull();
    expect(await listAudit(store, { limit: 9 })).toHaveLength(1);
  }],

  ['REV-13 REV-25 REV-28 a grant is revoked once, and the live tokens that fell are counted', async (store) => {
    await furnish(store);
    await store.rotateRefresh(rotation('rt_1', 'rt_2'), []);
    await store.addAccess('gra_1', { opaque: anOpaque('at_1', { grantId: 'gra_1' }), expiresAt: SOON_S }, []);
    await store.addAccess('gra_1', { opaque: anOpaque('at_2', { grantId: 'gra_1' }), expiresAt: SOON_S }, []);
    await store.addAccess('gra_1', { opaque: anOpaque('at_3', { grantId: 'gra_1', expiresAt: T0 / 1000 }), expiresAt: T0 / 1000 }, []);
    await store.revokeOpaqueToken(digestOf('at_2'), T0, () => []);
    const heard: [boolean, number][] = [];
    const revoke = () =>
      store.revokeGrant({ tenantId: 'ten_1', grantId: 'gra_1', session: false, atMs: T0 + 2000 }, (first, fallen) => {
        heard.push([first, fallen]);
        return [anEvent({ reason: first ? 'revoked' : 'already', count: fallen })];
      });
    expect((await Promise.all([revoke(), revoke(), revoke()])).filter(Boolean)).toHaveLength(1);
    expect(heard).toEqual([[true, 2], [false, 0], [false, 0]]);
    expect((await store.findRefreshToken(digestOf('rt_1')))?.grant.revokedAtMs).toBe(T0 + 2000);
    expect((await store.findSession('ten_1', 'ses_1'))?.endedAtMs).toBeNull();
    expect((await listAudit(store, { limit: 9 })).map(({ reason }) => reason)).toEqual(['already', 'already', 'revoked']);
  }],

  ['REV-14 with its session go the session\'s other grants, offline ones apart', async (store) => {
    await furnish(store);
    const open = (id: string, offline: boolean, sessionId: string) =>
      store.openGrant(
        { session: aSession({ id: sessionId }), grant: aGrant({ id, offline, sessionId }), refresh: aRefresh(`rt ${id}`, { grantId: id }), access: { opaque: null, expiresAt: SOON_S } },
        [],
      );
    await open('gra_online', false, 'ses_1');
    await open('gra_offline', true, 'ses_1');
    await open('gra_elsewhere', false, 'ses_2');
    let counted = 0;
    await store.revokeGrant({ tenantId: 'ten_1', grantId: 'gra_1', session: true, atMs: T0 + 1 }, (_, fallen) => {
      counted = fallen;
      return [];
    });
    expect(counted).toBe(2);
    expect((await store.findSession('ten_1', 'ses_1'))?.endedAtMs).toBe(T0 + 1);
    expect((await store.findSession('ten_1', 'ses_2'))?.endedAtMs).toBeNull();
    const dead = await Promise.all(
      ['gra_1', 'gra_online', 'gra_offline', 'gra_elsewhere'].map(async (id) => (await store.readTokenRecord('ten_1', null, id)).grantRevoked),
    );
    expect(dead).toEqual([true, true, false, false]);
  }],

  ['INT-72 MTN-04 a revoked token id is revoked in the next read, at its tenant alone, and once', async (store) => {
    await furnish(store);
    const record = async (tenant: string) => (await store.readTokenRecord(tenant, 'jti_1', null)).revoked;
    expect(await record('ten_1')).toBe(false);
    expect(await record('ten_2')).toBe(false);
    const revoke = () => store.revokeTokenId('ten_1', 'jti_1', SOON_S, T0, (first) => [anEvent({ reason: String(first) })]);
    expect((await Promise.all([revoke(), revoke(), revoke()])).filter(Boolean)).toHaveLength(1);
    expect(await record('ten_1')).toBe(true);
    expect(await record('ten_2')).toBe(false);
    expect((await listAudit(store, { limit: 9 })).map(({ reason }) => reason)).toEqual(['false', 'false', 'true']);
  }],

  ['INT-72 a revoked opaque token is revoked in the next read, and once', async (store) => {
    await furnish(store);
    await store.addOpaqueToken(anOpaque());
    expect((await store.findOpaqueToken(digestOf('at_1')))?.revokedAtMs).toBeNull();
    expect(await store.revokeOpaqueToken(digestOf('at_1'), T0 + 3, () => [])).toBe(true);
    expect(await store.revokeOpaqueToken(digestOf('at_1'), T0 + 4, () => [])).toBe(false);
    expect((await store.findOpaqueToken(digestOf('at_1')))?.revokedAtMs).toBe(T0 + 3);
    expect(await store.revokeOpaqueToken(digestOf('nothing'), T0, () => [])).toBe(false);
  }],

  ['LG-07 an event that cannot be written takes its change along, and nobody else\'s', async (store) => {
    await furnish(store);
    const broken = () => {
      throw new Error('no event');
    };
    const results = await Promise.allSettled([
      store.revokeTokenId('ten_1', 'jti_1', SOON_S, T0, () => []),
      store.revokeTokenId('ten_1', 'jti_2', SOON_S, T0, broken),
      store.revokeTokenId('ten_1', 'jti_3', SOON_S, T0, () => []),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    const revoked = await Promise.all(['jti_1', 'jti_2', 'jti_3'].map(async (id) => await store.readTokenRecord('ten_1', id, null)));
    expect(revoked.map((record) => record.revoked)).toEqual([true, false, true]);
  }],

  ['a token unknown a moment ago is found once it is stored', async (store) => {
    await furnish(store);
    expect(await store.findOpaqueToken(digestOf('at_1'))).toBeNull();
    expect(await store.findRefreshToken(digestOf('rt_9'))).toBeNull();
    await store.addOpaqueToken(anOpaque('at_1', { expiresAt: Math.floor((T0 + HOUR_MS) / 1000) }));
    expect(await store.findOpaqueToken(digestOf('at_1'))).toEqual(anOpaque());
  }],
];
