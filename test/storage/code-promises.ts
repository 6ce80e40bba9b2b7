import { expect } from 'bun:test';
import type { StorePromise } from './conformance.ts';
import { aBrowserSession, aCode, aConsent, anInteraction, furnishPeople, logoutOf, logoutsOf, open, revokedOf, winners } from './people-samples.ts';
import { noProgress } from '../../src/core/people.ts';
import { aGrant, anEvent, anOpaque, aRefresh, digestOf, HOUR_MS, SOON_S, T0 } from './samples.ts';
import type { Store } from '../../src/core/store.ts';
import { listAudit } from '../helpers/trail.ts';

const at = T0 + 5_000;
const events = [anEvent({ type: 'authorization_granted' })];

/** Redeems a code with a grant of its own. */
const redeem = (store: Store, number: number | string, code = 'code_1', changes: Partial<ReturnType<typeof aGrant>> = {}) =>
  store.redeemCode(
    {
      digest: digestOf(code), atMs: at, grant: aGrant({ id: `gra_r${number}`, sessionId: 'ses_b', amr: ['pwd'], ...changes }),
      refresh: aRefresh(`rt_r${number}`, { grantId: `gra_r${number}` }),
      access: { opaque: anOpaque(`at_r${number}`, { grantId: `gra_r${number}` }), expiresAt: SOON_S },
    },
    [anEvent({ type: 'grant_opened' })],
  );

/** Pending requests, codes, consents. */
export const codePromises: readonly StorePromise[] = [
  ['AZ-45 a pending request is read back as written', async (store) => {
    await furnishPeople(store);
    const account = anInteraction('int_2', { request: null, section: 'security', freshSinceMs: T0, finishedAtMs: at });
    const busy = anInteraction('int_3', {
      progress: { pending: { userId: 'usr_1', amr: ['pwd'], atMs: T0, due: 'second_factor', standing: { sinceMs: T0, passwordChangedAtMs: null } }, sessionId: 'ses_b', chosen: true, anotherSinceMs: T0, consented: { orgId: 'org_1' } },
    });
    for (const interaction of [anInteraction(), account, busy]) await store.createInteraction(interaction);
    for (const interaction of [anInteraction(), account, busy]) expect(await store.findInteraction(interaction.digest)).toEqual(interaction);
    expect(await store.findInteraction(digestOf('int_9'))).toBeNull();
  }],

  ['of 50 changes of one pending request one happens, and none once it finished', async (store) => {
    await furnishPeople(store);
    await store.createInteraction(anInteraction());
    const digest = digestOf('int_1');
    const change = (number: number) => store.changeInteraction({ digest, before: noProgress, after: { ...noProgress, sessionId: `ses_${number}` } });
    expect(await winners(change)).toBe(1);
    const now = (await store.findInteraction(digest))?.progress ?? noProgress;
    expect(await store.changeInteraction({ digest, before: now, after: noProgress })).toBe(true);
    expect(await winners(() => store.finishInteraction(digest, at, events))).toBe(1);
    expect(await store.changeInteraction({ digest, before: noProgress, after: now })).toBe(false);
    expect(await store.changeInteraction({ digest: digestOf('int_9'), before: noProgress, after: now })).toBe(false);
    expect(await store.findInteraction(digest)).toEqual(anInteraction('int_1', { finishedAtMs: at }));
    expect(await listAudit(store, { limit: 99 })).toEqual(events);
  }],

  ['AZ-44 of 50 codes for one pending request one is issued, with its consent; the request is finished', async (store) => {
    await furnishPeople(store);
    await store.createInteraction(anInteraction());
    const issue = (number: number) =>
      store.issueCode({ code: aCode(`code_${number}`), interactionDigest: digestOf('int_1'), consent: aConsent({ scopes: [`s${number}`] }) }, events);
    expect(await winners(issue)).toBe(1);
    const codes = await Promise.all(Array.from({ length: 50 }, async (_, number) => await store.findCode(digestOf(`code_${number}`))));
    expect(codes.filter((code) => code !== null)).toHaveLength(1);
    const winner = codes.findIndex((code) => code !== null);
    expect(codes[winner]).toEqual(aCode(`code_${winner}`));
    expect(await store.findConsents('ten_1', 'usr_1', 'cli_1')).toEqual([aConsent({ scopes: [`s${winner}`] })]);
    expect((await store.findInteraction(digestOf('int_1')))?.finishedAtMs).toBe(T0);
    expect(await listAudit(store, { limit: 99 })).toEqual(events);
  }],

  ['no code comes of a session that ended, is unknown, another user\'s or another tenant\'s', async (store) => {
    await furnishPeople(store);
    await store.createInteraction(anInteraction());
    const issue = (changes: Partial<ReturnType<typeof aCode>>) =>
      store.issueCode({ code: aCode('code_1', changes), interactionDigest: digestOf('int_1'), consent: aConsent() }, events);
    for (const changes of [{ userId: 'usr_2' }, { sessionId: 'ses_9' }, { tenantId: 'ten_2' }]) expect(await issue(changes)).toBe(false);
    await store.endSession({ tenantId: 'ten_1', sessionId: 'ses_b', atMs: at }, () => []);
    expect(await issue({})).toBe(false);
    expect(await store.findInteraction(digestOf('int_1'))).toEqual(anInteraction());
    expect(await store.listConsents('ten_1', 'usr_1')).toEqual([]);
    expect(await listAudit(store, { limit: 9 })).toEqual([]);
  }],

  ['TAC-10 of 50 redemptions of one code one opens a grant; the code says which', async (store) => {
    await furnishPeople(store);
    await store.issueCode({ code: aCode(), interactionDigest: null, consent: null }, []);
    expect(await winners((number) => redeem(store, number), 'redeemed')).toBe(1);
    const code = await store.findCode(digestOf('code_1'));
    expect(code).toEqual(aCode('code_1', { usedAtMs: at, grantId: code?.grantId ?? '' }));
    const number = code?.grantId?.slice(5) ?? '';
    expect((await store.findRefreshToken(digestOf(`rt_r${number}`)))?.grant).toEqual(aGrant({ id: `gra_r${number}`, sessionId: 'ses_b', amr: ['pwd'] }));
    expect(await store.findOpaqueToken(digestOf(`at_r${number}`))).not.toBeNull();
    const live = await store.listGrants('ten_1', 'usr_1', T0);
    expect(live.map(({ grant }) => grant.id)).toEqual(['gra_1', `gra_r${number}`]);
    expect(await listAudit(store, { limit: 99 })).toHaveLength(1);
  }],

  ['a code is worth nothing at another tenant, when unknown, or when its session ended; a spent one stays spent', async (store) => {
    await furnishPeople(store);
    for (const name of ['code_1', 'code_2']) await store.issueCode({ code: aCode(name), interactionDigest: null, consent: null }, []);
    expect(await redeem(store, 1, 'code_1', { tenantId: 'ten_2' })).toBe('spent');
    expect(await redeem(store, 1, 'code_9')).toBe('spent');
    expect(await redeem(store, 1)).toBe('redeemed');
    await store.endSession({ tenantId: 'ten_1', sessionId: 'ses_b', atMs: at }, () => []);
    expect(await redeem(store, 2, 'code_1')).toBe('spent');
    expect(await redeem(store, 2, 'code_2')).toBe('session_unusable');
    expect(await store.findCode(digestOf('code_2'))).toEqual(aCode('code_2'));
    expect(await store.findRefreshToken(digestOf('rt_r2'))).toBeNull();
  }],

  ['TOK-16 wrong verifiers are counted, each, and the last one spends the code', async (store) => {
    await furnishPeople(store);
    await store.issueCode({ code: aCode(), interactionDigest: null, consent: null }, []);
    const fail = () => store.countCodeFailure(digestOf('code_1'), 5, at);
    await Promise.all(Array.from({ length: 4 }, fail));
    expect(await store.findCode(digestOf('code_1'))).toEqual(aCode('code_1', { failures: 4 }));
    await Promise.all([fail(), fail(), fail()]);
    expect(await store.findCode(digestOf('code_1'))).toEqual(aCode('code_1', { failures: 5, usedAtMs: at }));
    expect(await redeem(store, 1)).toBe('spent');
  }],

  ['UI-20 consents are remembered per resources and organization, and grow', async (store) => {
    await furnishPeople(store);
    const give = (consent: ReturnType<typeof aConsent>, number: number) =>
      store.issueCode({ code: aCode(`c${number}`, { clientId: consent.clientId, issuedAtMs: at }), interactionDigest: null, consent }, []);
    const all = [
      aConsent(), aConsent({ scopes: ['email', 'openid'], createdAtMs: at, updatedAtMs: at }), aConsent({ resourceKey: 'https://api/' }),
      aConsent({ orgId: 'org_1' }), aConsent({ clientId: 'cli_back' }),
    ];
    for (const [number, consent] of all.entries()) expect(await give(consent, number)).toBe(true);
    const grown = aConsent({ scopes: ['openid', 'email'], updatedAtMs: at });
    expect(await store.findConsents('ten_1', 'usr_1', 'cli_1')).toEqual([grown, aConsent({ orgId: 'org_1' }), aConsent({ resourceKey: 'https://api/' })]);
    expect(await store.listConsents('ten_1', 'usr_1')).toHaveLength(4);
    expect(await store.listConsents('ten_2', 'usr_1')).toEqual([]);
    expect(await store.findConsents('ten_1', 'usr_2', 'cli_1')).toEqual([]);
  }],

  ['a consent that is withdrawn takes grants and codes along, and tells the client', async (store) => {
    await furnishPeople(store);
    const consent = aConsent({ clientId: 'cli_back' });
    const codes = [aCode('c1', { clientId: 'cli_back' }), aCode('c2'), aCode('c3', { clientId: 'cli_back' })];
    for (const code of codes) await store.issueCode({ code, interactionDigest: null, consent: code.clientId === 'cli_1' ? aConsent() : consent }, []);
    expect(await redeem(store, 'own', 'c3', { clientId: 'cli_back' })).toBe('redeemed');
    await open(store, 'g_online', { clientId: 'cli_back' });
    await open(store, 'g_offline', { clientId: 'cli_back', offline: true });
    await open(store, 'g_other');
    const ids = ['g_online', 'g_offline', 'g_other', 'gra_rown'];
    expect(await revokedOf(store, ids)).toEqual([]);
    const revision = store.revision();
    const withdraw = (tenantId = 'ten_1') =>
      store.withdrawConsent({ tenantId, userId: 'usr_1', clientId: 'cli_back', atMs: at + 1 }, (count) => [anEvent({ type: 'consent_withdrawn', count })]);
    expect(await withdraw('ten_2')).toBe(0);
    expect(await Promise.all([withdraw(), withdraw()])).toEqual([3, 0]);
    expect(store.revision()).not.toBe(revision);
    expect(await revokedOf(store, ids)).toEqual(['g_online', 'g_offline', 'gra_rown']);
    expect(await store.listConsents('ten_1', 'usr_1')).toEqual([aConsent()]);
    const used = await Promise.all(['c1', 'c2', 'c3'].map(async (name) => (await store.findCode(digestOf(name)))?.usedAtMs));
    expect(used).toEqual([at + 1, null, at]);
    expect(await logoutsOf(store)).toEqual([logoutOf('cli_back')]);
    expect((await listAudit(store, { type: 'consent_withdrawn', limit: 9 })).map(({ count }) => count)).toEqual([0, 3, 0]);
    expect((await store.findSession('ten_1', 'ses_b'))?.endedAtMs).toBeNull();
  }],

  ['grants of a user are listed while they live, with the last use of each', async (store) => {
    await furnishPeople(store);
    await open(store, 'g_over', { expiresAtMs: T0 + 10 });
    await open(store, 'g_revoked', { clientId: 'cli_back', createdAtMs: T0 + 3 });
    await open(store, 'g_plain', { createdAtMs: T0 + 2, offline: true, amr: ['pwd', 'otp'], acr: 'mfa', orgId: 'org_1' });
    await open(store, 'g_theirs', { userId: 'usr_2', sessionId: null });
    await store.revokeGrant({ tenantId: 'ten_1', grantId: 'g_revoked', session: false, atMs: at }, () => []);
    expect(await store.listGrants('ten_1', 'usr_1', T0 + 10)).toEqual([
      { grant: aGrant({ id: 'g_plain', sessionId: 'ses_b', createdAtMs: T0 + 2, offline: true, amr: ['pwd', 'otp'], acr: 'mfa', orgId: 'org_1' }), lastUsedAtMs: null },
      { grant: aGrant(), lastUsedAtMs: T0 },
    ]);
    expect(await store.listGrants('ten_2', 'usr_1', T0)).toEqual([]);
  }],

  ['equal ids in two tenants keep their codes and sessions apart', async (store) => {
    await furnishPeople(store);
    const twin = aBrowserSession('twin', { tenantId: 'ten_2', expiresAtMs: T0 + HOUR_MS });
    await store.openBrowserSession({ session: twin, replaces: null, progress: null }, { audit: [] });
    await store.issueCode({ code: aCode('twin', { tenantId: 'ten_2' }), interactionDigest: null, consent: aConsent({ tenantId: 'ten_2' }) }, []);
    await store.endSessions({ tenantId: 'ten_1', userId: 'usr_1', except: null, grants: 'all', atMs: at }, { audit: [] });
    await store.withdrawConsent({ tenantId: 'ten_1', userId: 'usr_1', clientId: 'cli_1', atMs: at }, () => []);
    expect(await store.findBrowserSession('ten_2', digestOf('twin'))).toEqual(twin);
    expect(await store.findConsents('ten_2', 'usr_1', 'cli_1')).toHaveLength(1);
    expect((await store.findCode(digestOf('twin')))?.usedAtMs).toBeNull();
  }],
];
