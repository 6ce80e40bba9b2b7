import { expect } from 'bun:test';
import type { StorePromise } from './conformance.ts';
import {
  aBrowserSession, aftermathsOf, anAftermath, anInteraction, aPassword, aProof, dueOf, furnishPeople, logoutOf, logoutsOf, open, revokedOf, winners,
} from './people-samples.ts';
import { noProgress } from '../../src/core/people.ts';
import { aClient, aGrant, anEvent, aSession, aUser, digestOf, furnish, HOUR_MS, SOON_S, T0 } from './samples.ts';
import { listAudit } from '../helpers/trail.ts';

const at = T0 + 5_000;
const signedIn = { ...noProgress, sessionId: 'ses_2' } as const;
const change = { digest: digestOf('int_1'), before: noProgress, after: signedIn } as const;

/** Browsers' sessions, and what happens when sessions and grants end. */
export const sessionPromises: readonly StorePromise[] = [
  ['a browser session is read back as written, by its secret and at its tenant alone; an operator\'s is none', async (store) => {
    await furnishPeople(store);
    expect(await store.findBrowserSession('ten_1', digestOf('secret_1'))).toEqual(aBrowserSession());
    expect(await store.findBrowserSession('ten_2', digestOf('secret_1'))).toBeNull();
    expect(await store.findSession('ten_1', 'ses_b')).toEqual(aSession({ id: 'ses_b' }));
    expect((await store.listBrowserSessions('ten_1', 'usr_1', T0)).map(({ session }) => session.id)).toEqual(['ses_b']);
    const twin = aBrowserSession('secret_1', { tenantId: 'ten_2', ip: null, userAgent: null });
    expect(await store.openBrowserSession({ session: twin, replaces: 'ses_b', progress: null }, { audit: [] })).toBe(true);
    expect(await store.findBrowserSession('ten_2', digestOf('secret_1'))).toEqual({ ...twin, endedAtMs: T0 });
    expect((await store.findBrowserSession('ten_1', digestOf('secret_1')))?.endedAtMs).toBeNull();
  }],

  ['a user\'s open sessions are listed by their last visit, with the clients that have grants in them', async (store) => {
    await furnishPeople(store);
    const add = (id: string, changes: Partial<ReturnType<typeof aBrowserSession>>) =>
      store.openBrowserSession({ session: aBrowserSession(id, { id, ...changes }), replaces: null, progress: null }, { audit: [] });
    await add('ses_new', { lastSeenAtMs: T0 + 9 });
    await add('ses_over', { expiresAtMs: T0 + 10 });
    await add('ses_ended', { endedAtMs: T0 });
    await add('ses_other', { userId: 'usr_2' });
    for (const [id, clientId] of [['g1', 'cli_back'], ['g2', 'cli_1'], ['g3', 'cli_1'], ['g4', 'cli_gone']] as const) await open(store, id, { clientId });
    await store.revokeGrant({ tenantId: 'ten_1', grantId: 'g4', session: false, atMs: at }, () => []);
    const list = await store.listBrowserSessions('ten_1', 'usr_1', T0 + 10);
    expect(list.map(({ session, clientIds }) => [session.id, clientIds])).toEqual([['ses_new', []], ['ses_b', ['cli_1', 'cli_back']]]);
    await store.touchSession('ten_1', 'ses_b', at);
    await store.touchSession('ten_1', 'ses_b', at - 1);
    await store.touchSession('ten_1', 'ses_ended', at);
    await store.touchSession('ten_2', 'ses_new', at);
    expect((await store.findBrowserSession('ten_1', digestOf('ses_ended')))?.lastSeenAtMs).toBe(T0);
    expect((await store.listBrowserSessions('ten_1', 'usr_1', T0)).map(({ session }) => [session.id, session.lastSeenAtMs])).toEqual([
      ['ses_b', at], ['ses_new', T0 + 9], ['ses_over', T0],
    ]);
  }],

  ['UI-06 of 50 sign-ins of one pending request one opens a session; the others leave nothing', async (store) => {
    await furnishPeople(store);
    await store.createInteraction(anInteraction());
    const attempt = (number: number) =>
      store.openBrowserSession(
        { session: aBrowserSession(`new_${number}`, { id: `ses_${number}` }), replaces: 'ses_b', progress: change }, anAftermath(`out_${number}`),
      );
    expect(await winners(attempt)).toBe(1);
    const [open1, ...more] = await store.listBrowserSessions('ten_1', 'usr_1', T0);
    expect(more).toEqual([]);
    expect((await store.findBrowserSession('ten_1', digestOf('secret_1')))?.endedAtMs).toBe(T0);
    const id = `out_${open1?.session.id.slice(4)}`;
    expect(await aftermathsOf(store)).toEqual({ events: [id], mails: [id] });
    expect((await store.findInteraction(digestOf('int_1')))?.progress).toEqual(signedIn);
  }],

  ['no session opens for a pending request that finished, is unknown or another tenant\'s', async (store) => {
    await furnishPeople(store);
    await store.createInteraction(anInteraction());
    await store.createInteraction(anInteraction('int_2', { tenantId: 'ten_2' }));
    await store.finishInteraction(digestOf('int_1'), at, []);
    for (const name of ['int_1', 'int_2', 'int_3']) {
      const opening = { session: aBrowserSession('new', { id: 'ses_2' }), replaces: 'ses_b', progress: { ...change, digest: digestOf(name) } };
      expect(await store.openBrowserSession(opening, anAftermath())).toBe(false);
    }
    expect((await store.findBrowserSession('ten_1', digestOf('secret_1')))?.endedAtMs).toBeNull();
    expect(await aftermathsOf(store)).toEqual({ events: [], mails: [] });
  }],

  ['UI-06 a renewed session has a new secret, times and methods, once; the former secret finds nothing', async (store) => {
    await furnishPeople(store);
    const renewed = (number: number) =>
      aBrowserSession(`new_${number}`, { authTimeMs: at, amr: ['pwd', 'otp', 'mfa'], acr: 'mfa', lastSeenAtMs: at, expiresAtMs: at + 1, ip: null, userAgent: 'B' });
    const attempt = (number: number) =>
      store.renewBrowserSession({ session: renewed(number), formerSecretDigest: digestOf('secret_1'), progress: null }, anAftermath(`out_${number}`));
    expect(await winners(attempt)).toBe(1);
    expect(await store.findBrowserSession('ten_1', digestOf('secret_1'))).toBeNull();
    const { events } = await aftermathsOf(store);
    expect(events).toHaveLength(1);
    const number = Number(events[0]?.slice(4));
    expect(await store.findBrowserSession('ten_1', digestOf(`new_${number}`))).toEqual(renewed(number));
    // Neither another user's nor an ended one, nor for a request that moved on; and then the request stays as it is.
    await store.createInteraction(anInteraction());
    const secret = digestOf(`new_${number}`);
    const again = (session: ReturnType<typeof aBrowserSession>, before = noProgress) =>
      store.renewBrowserSession({ session, formerSecretDigest: secret, progress: { ...change, before } }, { audit: [] });
    expect(await again(aBrowserSession('x', { userId: 'usr_2' }))).toBe(false);
    expect(await again(aBrowserSession('x'), signedIn)).toBe(false);
    await store.endSession({ tenantId: 'ten_1', sessionId: 'ses_b', atMs: at }, () => []);
    expect(await again(aBrowserSession('x'))).toBe(false);
    expect((await store.findInteraction(digestOf('int_1')))?.progress).toEqual(noProgress);
    expect(await store.findBrowserSession('ten_1', digestOf('x'))).toBeNull();
  }],

  ['REV-14 a session ends once: its grants fall, offline ones apart, and each client that listens is told once', async (store) => {
    await furnishPeople(store);
    await open(store, 'g_back', { clientId: 'cli_back' });
    await open(store, 'g_back_offline', { clientId: 'cli_back', offline: true });
    await open(store, 'g_deaf');
    await open(store, 'g_gone', { clientId: 'cli_gone' });
    const ids = ['g_back', 'g_back_offline', 'g_deaf', 'g_gone', 'gra_1'];
    expect(await revokedOf(store, ids)).toEqual([]);
    const before = [store.epoch(), store.revision()];
    const heard: boolean[] = [];
    const end = (tenantId = 'ten_1') =>
      store.endSession({ tenantId, sessionId: 'ses_b', atMs: at }, (first) => {
        heard.push(first);
        return [anEvent({ type: 'session_ended', reason: String(first) })];
      });
    expect(await end('ten_2')).toBe(false);
    expect(await winners(() => end())).toBe(1);
    expect(heard.filter(Boolean)).toHaveLength(1);
    expect([store.epoch(), store.revision() !== before[1]]).toEqual([before[0] ?? 0, true]);
    expect(await revokedOf(store, ids)).toEqual(['g_back', 'g_deaf', 'g_gone']);
    expect(await logoutsOf(store)).toEqual([logoutOf('cli_back')]);
    expect((await store.findBrowserSession('ten_1', digestOf('secret_1')))?.endedAtMs).toBe(at);
    expect(await listAudit(store, { type: 'session_ended', limit: 99 })).toHaveLength(51);
    const [item] = await dueOf(store, at);
    expect(item).toMatchObject({ createdAtMs: at, nextAttemptAtMs: at, attempts: 0, doneAtMs: null, outcome: null });
    expect(item?.id).toMatch(/^out_[\w-]{22}$/);
  }],

  ['a user\'s sessions but one end, with the grants in them, or with all', async (store) => {
    for (const grants of ['session', 'all'] as const) {
      const tenant = aBrowserSession().tenantId;
      if (grants === 'session') await furnishPeople(store);
      const id = (name: string) => `${grants}_${name}`;
      for (const name of ['kept', 'one', 'two', 'past']) {
        const expiresAtMs = name === 'past' ? T0 + 1 : T0 + 24 * HOUR_MS;
        await store.openBrowserSession({ session: aBrowserSession(id(name), { id: id(name), expiresAtMs }), replaces: null, progress: null }, { audit: [] });
        await open(store, id(`g_${name}`), { sessionId: id(name), clientId: 'cli_back' });
        await open(store, id(`o_${name}`), { sessionId: id(name), clientId: 'cli_back', offline: true });
      }
      const told = await logoutsOf(store);
      const ids = ['kept', 'one', 'two', 'past'].flatMap((name) => [id(`g_${name}`), id(`o_${name}`)]);
      expect(await revokedOf(store, ids)).toEqual([]);
      const ended = await store.endSessions({ tenantId: tenant, userId: 'usr_1', except: id('kept'), grants, atMs: at }, anAftermath(id('out')));
      // In the first round also ses_1 and ses_b; in the second also the one that was kept then. What was over is not counted.
      expect(ended).toBe(grants === 'session' ? 4 : 3);
      expect(await revokedOf(store, ids)).toEqual(grants === 'all' ? ids : [id('g_one'), id('g_two'), id('g_past')]);
      expect((await store.findSession('ten_1', id('kept')))?.endedAtMs).toBeNull();
      const now = (await logoutsOf(store)).filter((line) => !told.includes(line) && line.includes(`${grants}_`));
      const heard = grants === 'all' ? ['kept', 'one', 'past', 'two'] : ['one', 'past', 'two'];
      // All: those that were told of a session before are told that their offline grants fell now.
      expect(now.filter((line) => line.includes(`"${grants}_`))).toEqual(heard.map((name) => logoutOf('cli_back', id(name))));
    }
    expect((await aftermathsOf(store)).events).toEqual(['all_out', 'session_out']);
    expect((await store.findSession('ten_1', 'ses_b'))?.endedAtMs).toBe(at);
  }],

  ['REV-14 a grant that is revoked alone tells its own client, once', async (store) => {
    await furnishPeople(store);
    await open(store, 'g_1', { clientId: 'cli_back' });
    await open(store, 'g_2', { clientId: 'cli_back' });
    await store.openGrant({ session: null, grant: aGrant({ id: 'g_none', sessionId: null, clientId: 'cli_back' }), refresh: null, access: { opaque: null, expiresAt: SOON_S } }, []);
    const revoke = (grantId: string, session = false) => store.revokeGrant({ tenantId: 'ten_1', grantId, session, atMs: at }, () => []);
    expect(await winners(() => revoke('g_1'))).toBe(1);
    expect(await logoutsOf(store)).toEqual([logoutOf('cli_back')]);
    for (const id of ['g_none', 'gra_1']) await revoke(id);
    expect(await logoutsOf(store)).toHaveLength(1);
    // With its session, the session's clients hear of that, and nobody twice.
    await revoke('g_2', true);
    await revoke('g_2', true);
    expect(await logoutsOf(store)).toEqual([logoutOf('cli_back'), logoutOf('cli_back')]);
  }],

  ['a cutoff that moved, disabling and deleting end a user\'s sessions and tell their clients; other updates do not', async (store) => {
    await furnish(store);
    await store.createClient(aClient({ id: 'cli_back', backchannelLogoutUri: 'https://back/' }), []);
    const changes: [name: string, change: Partial<ReturnType<typeof aUser>>, ends: boolean][] = [
      ['renamed', { name: 'New' }, false], ['cut', { notBeforeMs: at }, true], ['disabled', { notBeforeMs: at, disabledAtMs: at + 1 }, true],
      ['deleted', { notBeforeMs: at, disabledAtMs: at + 1, deletedAtMs: at + 2 }, true],
    ];
    let before = aUser();
    for (const [name, changed, ends] of changes) {
      await store.openBrowserSession({ session: aBrowserSession(name, { id: name }), replaces: null, progress: null }, { audit: [] });
      await open(store, `g_${name}`, { sessionId: name, clientId: 'cli_back' });
      const wanted = aUser(changed);
      expect(await store.updateUser(before, wanted, 'jane', [])).toBe('updated');
      before = wanted;
      expect([name, (await store.findSession('ten_1', name))?.endedAtMs !== null]).toEqual([name, ends]);
      const told = (await logoutsOf(store)).includes(logoutOf('cli_back', name));
      expect([name, told]).toEqual([name, ends]);
      // The cutoff is what kills tokens.
      expect(await revokedOf(store, [`g_${name}`])).toEqual([]);
    }
  }],

  ['an update spends its proof and writes its mails, or does neither', async (store) => {
    await furnishPeople(store);
    await store.createProof(aProof(), { audit: [] });
    const { audit, outbox } = anAftermath();
    const attempt = (number: number, proofId = 'prf_1') =>
      store.updateUser(aUser(), aUser({ email: `new${number}@example.com` }), 'jane', audit, { proofId, outbox: outbox ?? [] });
    expect(await attempt(0, 'prf_9')).toBe('outdated');
    expect(await store.findUser('ten_1', 'usr_1')).toEqual(aUser());
    expect(await winners(attempt, 'updated')).toBe(1);
    const changed = (await store.findUser('ten_1', 'usr_1')) ?? aUser();
    expect(await store.updateUser(changed, aUser(), 'jane', audit, { proofId: 'prf_1' })).toBe('outdated');
    expect(await aftermathsOf(store)).toEqual({ events: ['out_1'], mails: ['out_1'] });
    expect((await store.findProofByLink('ten_1', digestOf('link prf_1')))?.usedAtMs).toBe(T0);
  }],

  ['LG-07 a change whose message cannot be written does not happen', async (store) => {
    await furnishPeople(store);
    await store.addOutbox(anAftermath().outbox ?? [], []);
    const results = await Promise.allSettled([
      store.setPassword(aPassword(), null, anAftermath()),
      store.setPassword(aPassword({ userId: 'usr_2' }), null, anAftermath('out_2')),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
    expect(await store.findPassword('ten_1', 'usr_1')).toBeNull();
    expect(await store.findPassword('ten_1', 'usr_2')).not.toBeNull();
    expect(await aftermathsOf(store)).toEqual({ events: ['out_2'], mails: ['out_1', 'out_2'] });
  }],
];
