import { expect } from 'bun:test';
import type { StorePromise } from './conformance.ts';
import { aBrowserSession, aCode, aMail, anInteraction, aProof, dueOf, furnishPeople, MINUTE_MS, open } from './people-samples.ts';
import { aGrant, aRefresh, digestOf, HOUR_MS, SOON_S, T0 } from './samples.ts';
import { sweepAll } from './sweep-promises.ts';
import type { Store } from '../../src/core/store.ts';

const SKEW_MS = 60_000;
const DAY_MS = 24 * HOUR_MS;
const quiet = { audit: [] } as const;

/** Sees that something stays at a moment and is gone a millisecond later. */
async function expectEnd(store: Store, lastMs: number, isThere: () => Promise<boolean>): Promise<void> {
  await sweepAll(store, lastMs);
  expect(await isThere()).toBe(true);
  await sweepAll(store, lastMs + 1);
  expect(await isThere()).toBe(false);
}

/** What goes of signing in, and when. */
export const peopleSweepPromises: readonly StorePromise[] = [
  ['a pending request and an unused code go after their expiry and the skew, whether or not the request finished', async (store) => {
    await furnishPeople(store);
    await store.createInteraction(anInteraction());
    await store.createInteraction(anInteraction('int_2', { finishedAtMs: T0 }));
    await store.issueCode({ code: aCode(), interactionDigest: null, consent: null }, []);
    await expectEnd(store, T0 + MINUTE_MS + SKEW_MS, async () => (await store.findCode(digestOf('code_1'))) !== null);
    for (const name of ['int_1', 'int_2']) expect(await store.findInteraction(digestOf(name))).not.toBeNull();
    await expectEnd(store, T0 + HOUR_MS + SKEW_MS, async () => (await store.findInteraction(digestOf('int_1'))) !== null);
    expect(await store.findInteraction(digestOf('int_2'))).toBeNull();
  }],

  ['TAC-10 a used code stays for ten minutes after its expiry, so that a replay is noticed', async (store) => {
    await furnishPeople(store);
    await store.issueCode({ code: aCode(), interactionDigest: null, consent: null }, []);
    const grant = aGrant({ id: 'gra_2', sessionId: 'ses_b' });
    await store.redeemCode({ digest: digestOf('code_1'), atMs: T0, grant, refresh: null, access: { opaque: null, expiresAt: T0 / 1000 } }, []);
    await expectEnd(store, T0 + MINUTE_MS + 10 * MINUTE_MS, async () => (await store.findCode(digestOf('code_1')))?.grantId === 'gra_2');
  }],

  ['a proof by mail goes an hour after its expiry, wrong passwords after a day without another', async (store) => {
    await furnishPeople(store);
    await store.createProof(aProof(), quiet);
    await store.countSignInFailure('ten_1', 'usr_1', 'net', T0 - HOUR_MS);
    await store.countSignInFailure('ten_1', 'usr_1', 'net', T0);
    await expectEnd(store, T0 + 10 * MINUTE_MS + HOUR_MS, async () => (await store.findProofByLink('ten_1', digestOf('link prf_1'))) !== null);
    await expectEnd(store, T0 + DAY_MS, async () => (await store.findSignInFailures('ten_1', 'usr_1', 'net')) !== null);
  }],

  ['RL-04, RL-09 what strangers make, challenges and proofs of nobody, goes after its expiry and the skew', async (store) => {
    await furnishPeople(store);
    for (const [id, change] of Object.entries({ a: { kind: 'passkey_sign_in', userId: null }, b: { kind: 'passkey_add' }, c: { kind: 'register', userId: null }, d: { userId: null } } as const)) {
      await store.createProof(aProof(id, change), quiet);
    }
    const count = async () => (await Promise.all(['a', 'b', 'c', 'd'].map(async (id) => await store.findProofByLink('ten_1', digestOf(`link ${id}`)) !== null))).filter(Boolean).length;
    await expectEnd(store, T0 + 10 * MINUTE_MS + SKEW_MS, async () => (await count()) === 4);
    expect(await count()).toBe(0);
  }],

  ['a message goes a day after it is done, also from the mailbox; one that is not done stays', async (store) => {
    await furnishPeople(store);
    await store.addOutbox([aMail('a'), aMail('b', { doneAtMs: T0, outcome: 'mailbox' })], []);
    await expectEnd(store, T0 + DAY_MS, async () => (await store.listMailbox('ten_1', 9)).length === 1);
    await sweepAll(store, T0 + 100 * DAY_MS);
    expect((await dueOf(store, T0 + 100 * DAY_MS)).map(({ id }) => id)).toEqual(['a']);
  }],

  ['a live browser session stays without grants, also when the last of its grants went', async (store) => {
    await furnishPeople(store);
    await open(store, 'gra_2', { expiresAtMs: T0 });
    await sweepAll(store, SOON_S * 1000 + SKEW_MS + 1);
    expect((await store.readTokenRecord('ten_1', null, 'gra_2')).grantRevoked).toBe(true);
    expect(await store.findBrowserSession('ten_1', digestOf('secret_1'))).toEqual(aBrowserSession());
    await sweepAll(store, T0 + DAY_MS);
    await expectEnd(store, T0 + DAY_MS + SKEW_MS, async () => (await store.findSession('ten_1', 'ses_b')) !== null);
  }],

  ['an ended browser session goes after the skew', async (store) => {
    await furnishPeople(store);
    await store.endSession({ tenantId: 'ten_1', sessionId: 'ses_b', atMs: T0 }, () => []);
    await expectEnd(store, T0 + SKEW_MS, async () => (await store.findSession('ten_1', 'ses_b')) !== null);
  }],

  ['a browser session that is over but has grants is no browser\'s any more, and goes with the last of them', async (store) => {
    await furnishPeople(store);
    const grant = aGrant({ id: 'gra_2', sessionId: 'ses_b', offline: true, expiresAtMs: T0 + 2 * DAY_MS });
    const refresh = aRefresh('rt_2', { grantId: 'gra_2', expiresAtMs: T0 + 2 * DAY_MS });
    await store.openGrant({ session: null, grant, refresh, access: { opaque: null, expiresAt: SOON_S } }, []);
    await sweepAll(store, T0 + DAY_MS);
    await expectEnd(store, T0 + DAY_MS + SKEW_MS, async () => (await store.findBrowserSession('ten_1', digestOf('secret_1'))) !== null);
    expect((await store.findRefreshToken(digestOf('rt_2')))?.grant).toEqual(grant);
    expect((await store.findSession('ten_1', 'ses_b'))?.endedAtMs).toBe(T0 + DAY_MS);
    await expectEnd(store, T0 + 2 * DAY_MS + SKEW_MS, async () => (await store.findSession('ten_1', 'ses_b')) !== null);
    expect(await sweepAll(store, T0 + 2 * DAY_MS + SKEW_MS + 1)).toBe(0);
  }],

  ['more sessions than one step takes are all looked at', async (store) => {
    await furnishPeople(store);
    const names = Array.from({ length: 450 }, (_, number) => `s${number}`);
    await Promise.all(names.map((id) => store.openBrowserSession({ session: aBrowserSession(id, { id }), replaces: null, progress: null }, quiet)));
    await Promise.all(names.slice(0, 300).map((sessionId) => open(store, `g ${sessionId}`, { sessionId })));
    await store.endSessions({ tenantId: 'ten_1', userId: 'usr_1', except: null, grants: 'session', atMs: T0 }, quiet);
    await sweepAll(store, T0 + SKEW_MS + 1);
    const left = await Promise.all(names.map(async (id) => (await store.findSession('ten_1', id)) !== null));
    expect(left.filter(Boolean)).toHaveLength(300);
    await sweepAll(store, SOON_S * 1000 + SKEW_MS + 1);
    const last = await Promise.all(names.map(async (id) => (await store.findSession('ten_1', id)) !== null));
    expect(last.filter(Boolean)).toEqual([]);
  }],
];
