import { expect } from 'bun:test';
import type { StorePromise } from './conformance.ts';
import {
  aBrowserSession, aCode, aConsent, aftermathsOf, anAftermath, aPasskey, aPassword, aProof, aTotp, furnishPeople, MINUTE_MS, winners,
} from './people-samples.ts';
import { aUser, digestOf, T0 } from './samples.ts';
import type { Store } from '../../src/core/store.ts';

const at = T0 + 5_000;
const quiet = { audit: [] } as const;
/** What anybody keeps of a user, to see what is left. */
async function keptOf(store: Store, tenantId: string): Promise<readonly unknown[]> {
  return await Promise.all([
    store.findPassword(tenantId, 'usr_1'), store.listPasskeys(tenantId, 'usr_1'), store.findTotp(tenantId, 'usr_1'), store.countRecoveryCodes(tenantId, 'usr_1'),
    store.listConsents(tenantId, 'usr_1'), store.listMemberships(tenantId, { userId: 'usr_1' }), store.findProofByLink(tenantId, digestOf(`link ${tenantId}`)),
    store.findSignInFailures(tenantId, 'usr_1', 'net'), store.findCode(digestOf(`code ${tenantId}`)),
  ]);
}
const nothing = [null, [], null, 0, [], [], null, null, null];

/** Gives the user `usr_1` of a tenant one of everything. */
async function equip(store: Store, tenantId: string): Promise<void> {
  if (tenantId !== 'ten_1') await store.openBrowserSession({ session: aBrowserSession('s', { tenantId }), replaces: null, progress: null }, quiet);
  await store.setPassword(aPassword({ tenantId }), null, quiet);
  await store.createProof(aProof(`add ${tenantId}`, { tenantId }), quiet);
  await store.addPasskey(aPasskey({ tenantId }), `add ${tenantId}`, quiet);
  await store.beginTotp(aTotp({ tenantId }));
  await store.replaceRecoveryCodes(tenantId, 'usr_1', [digestOf('a'), digestOf('b')], quiet);
  await store.issueCode({ code: aCode(`code ${tenantId}`, { tenantId }), interactionDigest: null, consent: aConsent({ tenantId }) }, []);
  await store.createOrganization({ tenantId, id: 'org_1', name: 'Org', createdAtMs: T0 }, []);
  await store.putMembership({ tenantId, orgId: 'org_1', userId: 'usr_1', roles: ['admin'], createdAtMs: T0 }, []);
  await store.createProof(aProof(tenantId, { tenantId }), quiet);
  await store.countSignInFailure(tenantId, 'usr_1', 'net', T0);
}

/** Passwords, passkeys, authenticators, recovery codes, proofs, registrations, wrong passwords. */
export const credentialPromises: readonly StorePromise[] = [
  ['a password is set, replaced, rehashed if it still is the former one, and removed', async (store) => {
    await furnishPeople(store);
    expect(await store.setPassword(aPassword({ mustChange: true }), null, anAftermath('out_1'))).toBe(true);
    expect(await store.findPassword('ten_1', 'usr_1')).toEqual(aPassword({ mustChange: true }));
    const second = aPassword({ digest: 'p1.$argon2id$2', changedAtMs: at });
    expect(await store.setPassword(second, null, anAftermath('out_2'))).toBe(true);
    await store.rehashPassword('ten_1', 'usr_1', aPassword().digest, 'late');
    await store.rehashPassword('ten_2', 'usr_1', second.digest, 'other');
    expect(await store.findPassword('ten_1', 'usr_1')).toEqual(second);
    await store.rehashPassword('ten_1', 'usr_1', second.digest, '$argon2id$3');
    expect(await store.findPassword('ten_1', 'usr_1')).toEqual({ ...second, digest: '$argon2id$3' });
    expect(await store.findPassword('ten_2', 'usr_1')).toBeNull();
    await store.removePassword('ten_2', 'usr_1', anAftermath('out_x'));
    await store.removePassword('ten_1', 'usr_1', anAftermath('out_3'));
    await store.removePassword('ten_1', 'usr_1', anAftermath('out_y'));
    expect(await store.findPassword('ten_1', 'usr_1')).toBeNull();
    // Of those who do not exist or are deleted nothing is kept.
    expect(await store.setPassword(aPassword({ userId: 'usr_9' }), null, anAftermath('out_z'))).toBe(false);
    expect(await aftermathsOf(store)).toEqual({ events: ['out_1', 'out_2', 'out_3'], mails: ['out_1', 'out_2', 'out_3'] });
  }],

  ['INT-90 a password that was changed, cut off or signed out under somebody is not changed by them', async (store) => {
    await furnishPeople(store);
    const mine = { changedAtMs: null, notBeforeMs: 0, sessionId: 'ses_1' };
    const user = await store.findUser('ten_1', 'usr_1');
    if (user === null) throw new Error('nobody is there');
    const set = (expected: Parameters<Store['setPassword']>[4]) => store.setPassword(aPassword({ changedAtMs: at }), null, quiet, undefined, expected);
    for (const wrong of [{ changedAtMs: 1 }, { notBeforeMs: 1 }, { sessionId: 'ses_x' }]) expect(await set({ ...mine, ...wrong })).toBe(false);
    expect(await store.findPassword('ten_1', 'usr_1')).toBeNull();
    expect(await set({ ...mine, sessionId: null })).toBe(true);
    expect(await set({ ...mine, sessionId: null })).toBe(false);
    await store.updateUser(user, { ...user, disabledAtMs: at, notBeforeMs: at }, 'jane', []);
    expect(await set({ changedAtMs: at, notBeforeMs: at, sessionId: null })).toBe(false);
  }],

  ['INT-90 no two passwords of one person changed at the same time', async (store) => {
    await furnishPeople(store);
    const times: (number | undefined)[] = [];
    for (const changedAtMs of [at, at, at, T0, at + 10]) {
      await store.setPassword(aPassword({ changedAtMs }), null, quiet);
      times.push((await store.findPassword('ten_1', 'usr_1'))?.changedAtMs);
    }
    expect(times).toEqual([at, at + 1, at + 2, at + 3, at + 10]);
  }],

  ['UI-12 of 50 new passwords by one proof one is set; a proof of another tenant is none', async (store) => {
    await furnishPeople(store);
    await store.createProof(aProof(), quiet);
    const set = (number: number) => store.setPassword(aPassword({ digest: `d${number}` }), 'prf_1', anAftermath(`out_${number}`));
    expect(await store.setPassword(aPassword({ tenantId: 'ten_2' }), 'prf_1', anAftermath())).toBe(false);
    expect(await winners(set)).toBe(1);
    const { events, mails } = await aftermathsOf(store);
    expect([events.length, mails]).toEqual([1, events]);
    expect((await store.findPassword('ten_1', 'usr_1'))?.digest).toBe(`d${events[0]?.slice(4)}`);
    expect((await store.findProofByLink('ten_1', digestOf('link prf_1')))?.usedAtMs).toBe(T0);
  }],

  ['a passkey is added once, under an id of its own in the tenant, and spends its proof', async (store) => {
    await furnishPeople(store);
    for (const id of ['p1', 'p2']) await store.createProof(aProof(id, { kind: 'passkey_add', linkDigest: null }), quiet);
    await store.createProof(aProof('p3', { tenantId: 'ten_2', linkDigest: null }), quiet);
    expect(await winners(() => store.addPasskey(aPasskey(), 'p1', anAftermath()))).toBe(1);
    expect(await store.addPasskey(aPasskey({ userId: 'usr_2' }), 'p2', anAftermath('out_2'))).toBe(false);
    expect(await store.addPasskey(aPasskey({ id: 'pk_2' }), 'p1', anAftermath('out_2'))).toBe(false);
    expect(await store.addPasskey(aPasskey({ id: 'pk_2' }), 'p2', anAftermath('out_2'))).toBe(true);
    expect(await store.addPasskey(aPasskey({ tenantId: 'ten_2', name: 'Twin' }), 'p3', quiet)).toBe(true);
    expect(await store.listPasskeys('ten_1', 'usr_1')).toEqual([aPasskey(), aPasskey({ id: 'pk_2' })]);
    expect(await store.findPasskey('ten_1', 'pk_1')).toEqual(aPasskey());
    expect(await store.removePasskey('ten_1', 'usr_2', 'pk_1', anAftermath('out_x'))).toBe(false);
    expect(await winners(() => store.removePasskey('ten_1', 'usr_1', 'pk_1', anAftermath('out_3')))).toBe(1);
    expect(await store.findPasskey('ten_1', 'pk_1')).toBeNull();
    expect(await store.findPasskey('ten_2', 'pk_1')).toEqual(aPasskey({ tenantId: 'ten_2', name: 'Twin' }));
    expect((await aftermathsOf(store)).events).toEqual(['out_1', 'out_2', 'out_3']);
  }],

  ['a passkey\'s use is noted once per challenge, and only from the counter that was seen', async (store) => {
    await furnishPeople(store);
    for (const id of ['add', 'p1', 'p2']) await store.createProof(aProof(id, { kind: 'passkey_sign_in', linkDigest: null }), quiet);
    await store.addPasskey(aPasskey({ counter: 4 }), 'add', quiet);
    const use = (proofId: string, formerCounter: number, counter: number) =>
      store.usePasskey({ tenantId: 'ten_1', id: 'pk_1', formerCounter, counter, atMs: at, proofId });
    expect(await use('p1', 3, 5)).toBe(false);
    expect(await store.usePasskey({ tenantId: 'ten_2', id: 'pk_1', formerCounter: 4, counter: 5, atMs: at, proofId: 'p1' })).toBe(false);
    expect(await winners(() => use('p1', 4, 5))).toBe(1);
    expect(await use('p1', 5, 6)).toBe(false);
    expect(await store.findPasskey('ten_1', 'pk_1')).toEqual(aPasskey({ counter: 5, lastUsedAtMs: at }));
    expect(await use('p2', 5, 5)).toBe(true);
  }],

  ['RFC 6238 §5.2 an authenticator is replaced until it is confirmed, and honours no time step twice', async (store) => {
    await furnishPeople(store);
    expect(await store.beginTotp(aTotp({ userId: 'usr_9' }))).toBe(false);
    expect(await store.beginTotp(aTotp())).toBe(true);
    expect(await store.beginTotp(aTotp({ sealedSecret: 'v1.second', createdAtMs: at }))).toBe(true);
    expect(await store.spendTotpStep('ten_1', 'usr_1', 100)).toBe(false);
    expect(await store.confirmTotp('ten_2', 'usr_1', 100, at, anAftermath())).toBe(false);
    expect(await winners(() => store.confirmTotp('ten_1', 'usr_1', 100, at, anAftermath()))).toBe(1);
    expect(await store.findTotp('ten_1', 'usr_1')).toEqual(aTotp({ sealedSecret: 'v1.second', createdAtMs: at, confirmedAtMs: at, lastStep: 100 }));
    expect(await store.beginTotp(aTotp())).toBe(false);
    expect(await store.spendTotpStep('ten_1', 'usr_1', 100)).toBe(false);
    expect(await winners(() => store.spendTotpStep('ten_1', 'usr_1', 101))).toBe(1);
    expect(await store.spendTotpStep('ten_1', 'usr_1', 99)).toBe(false);
    expect(await winners(() => store.removeTotp('ten_1', 'usr_1', anAftermath('out_2')))).toBe(1);
    expect(await store.findTotp('ten_1', 'usr_1')).toBeNull();
    expect((await aftermathsOf(store)).events).toEqual(['out_1', 'out_2']);
  }],

  ['a recovery code works once, and not after new ones were made', async (store) => {
    await furnishPeople(store);
    const codes = ['a', 'b', 'c'].map(digestOf);
    const spend = (code: string, tenantId = 'ten_1', userId = 'usr_1') => store.spendRecoveryCode(tenantId, userId, digestOf(code), at, anAftermath('out_2'));
    await store.replaceRecoveryCodes('ten_1', 'usr_1', codes, anAftermath());
    await store.replaceRecoveryCodes('ten_2', 'usr_1', codes, quiet);
    await store.replaceRecoveryCodes('ten_1', 'usr_9', codes, anAftermath('out_x'));
    expect(await store.countRecoveryCodes('ten_1', 'usr_1')).toBe(3);
    expect(await spend('a', 'ten_1', 'usr_2')).toBe(false);
    expect(await winners(() => spend('a'))).toBe(1);
    expect([await store.countRecoveryCodes('ten_1', 'usr_1'), await store.countRecoveryCodes('ten_2', 'usr_1')]).toEqual([2, 3]);
    await store.replaceRecoveryCodes('ten_1', 'usr_1', ['d', 'a'].map(digestOf), quiet);
    expect([await spend('b'), await store.countRecoveryCodes('ten_1', 'usr_1')]).toEqual([false, 2]);
    expect((await aftermathsOf(store)).events).toEqual(['out_1', 'out_2']);
  }],

  ['all second factors of a user go at once, and the password stays', async (store) => {
    await furnishPeople(store);
    for (const tenantId of ['ten_1', 'ten_2']) await equip(store, tenantId);
    await store.resetFactors('ten_1', 'usr_1', anAftermath());
    expect((await keptOf(store, 'ten_1')).slice(0, 4)).toEqual([aPassword(), [], null, 0]);
    expect((await keptOf(store, 'ten_2')).slice(1, 4)).toEqual([[aPasskey({ tenantId: 'ten_2' })], aTotp({ tenantId: 'ten_2' }), 2]);
    expect(await aftermathsOf(store)).toEqual({ events: ['out_1'], mails: ['out_1'] });
  }],

  ['UI-12 a proof is found by what it is bound to, the newest of its kind, and by its link; mails are counted', async (store) => {
    await furnishPeople(store);
    const proofs = [
      aProof('a'), aProof('b', { createdAtMs: at }), aProof('c', { createdAtMs: at }), aProof('d', { kind: 'sign_in', createdAtMs: at + 1, userId: null, sealedData: null }),
      aProof('e', { kind: 'passkey_add', createdAtMs: at, linkDigest: null }), aProof('f', { boundTo: 'elsewhere', createdAtMs: at + 2 }),
      aProof('g', { tenantId: 'ten_2', createdAtMs: at + 3, linkDigest: digestOf('link a') }),
    ];
    for (const proof of proofs) await store.createProof(proof, proof.id === 'a' ? anAftermath() : quiet);
    const find = async (kind: (typeof proofs)[number]['kind']) => (await store.findProof('ten_1', digestOf('int_1'), kind))?.id;
    expect([await find('reset'), await find('sign_in'), await find('passkey_add'), await find('register')]).toEqual(['c', 'd', 'e', undefined]);
    expect(await store.findProofByLink('ten_1', digestOf('link a'))).toEqual(aProof('a'));
    expect((await store.findProofByLink('ten_2', digestOf('link a')))?.id).toBe('g');
    expect(await store.countProofs('ten_1', 'usr_1', T0)).toBe(4);
    expect(await store.countProofs('ten_1', 'usr_1', at)).toBe(3);
    expect(await aftermathsOf(store)).toEqual({ events: ['out_1'], mails: ['out_1'] });
  }],

  ['a proof is met once; wrong codes are counted, each, and the last one spends it', async (store) => {
    await furnishPeople(store);
    for (const id of ['p1', 'p2']) await store.createProof(aProof(id), quiet);
    expect(await winners(() => store.spendProof('p1', at))).toBe(1);
    expect(await store.countProofFailure('p1', 5, at)).toBe(0);
    const counts = await Promise.all(Array.from({ length: 7 }, () => store.countProofFailure('p2', 5, at)));
    expect(counts).toEqual([1, 2, 3, 4, 5, 5, 5]);
    expect(await store.spendProof('p2', at)).toBe(false);
    expect(await store.findProofByLink('ten_1', digestOf('link p2'))).toEqual(aProof('p2', { failures: 5, usedAtMs: at, sealedData: null }));
    expect([await store.spendProof('p9', at), await store.countProofFailure('p9', 5, at)]).toEqual([false, 5]);
  }],

  ['CR-04 a proof that is spent keeps no sealed data, and one that is not keeps it', async (store) => {
    await furnishPeople(store);
    for (const id of ['p1', 'p2', 'p3']) await store.createProof(aProof(id), quiet);
    await store.spendProof('p1', at);
    await store.updateUser(aUser(), aUser({ name: 'Other' }), 'jane', [], { proofId: 'p2' });
    await store.countProofFailure('p3', 5, at);
    const kept = await Promise.all(['p1', 'p2', 'p3'].map(async (id) => (await store.findProofByLink('ten_1', digestOf(`link ${id}`)))?.sealedData));
    expect(kept).toEqual([null, null, 'v1.data']);
  }],

  ['UI-12, UI-25 with a new address, or a new password, all codes that went out by mail are spent, of that user alone', async (store) => {
    await furnishPeople(store);
    const kinds = ['sign_in', 'reset', 'verify_email', 'change_email', 'passkey_add'] as const;
    const changes: readonly (readonly [name: string, change: () => Promise<unknown>, spent: boolean])[] = [
      ['name', () => store.updateUser(aUser(), aUser({ name: 'Other' }), 'jane', []), false],
      ['address', () => store.updateUser(aUser({ name: 'Other' }), aUser({ name: 'Other', email: 'new@example.com' }), 'jane', []), true],
      ['verified', () => store.updateUser(aUser({ name: 'Other', email: 'new@example.com' }), aUser({ name: 'Other', email: 'new@example.com', emailVerified: !aUser().emailVerified }), 'jane', []), true],
      ['password', () => store.setPassword(aPassword(), null, quiet), true],
    ];
    for (const [name, change, spent] of changes) {
      for (const kind of kinds) await store.createProof(aProof(`${name} ${kind}`, { kind }), quiet);
      await store.createProof(aProof(`${name} joe`, { userId: 'usr_2' }), quiet);
      await store.createProof(aProof(`${name} other`, { tenantId: 'ten_2' }), quiet);
      await change();
      const isSpent = async (id: string, tenantId = 'ten_1') => (await store.findProofByLink(tenantId, digestOf(`link ${id}`)))?.usedAtMs !== null;
      const answers = await Promise.all([...kinds.map((kind) => isSpent(`${name} ${kind}`)), isSpent(`${name} joe`), isSpent(`${name} other`, 'ten_2')]);
      expect([name, ...answers]).toEqual([name, spent, spent, spent, spent, false, false, false]);
    }
  }],

  ['UI-27 recovery codes come with an authenticator\'s confirmation, in one step, and go with it', async (store) => {
    await furnishPeople(store);
    await store.beginTotp(aTotp());
    await store.replaceRecoveryCodes('ten_1', 'usr_1', [digestOf('old')], quiet);
    expect(await store.confirmTotp('ten_1', 'usr_1', 100, at, anAftermath(), [digestOf('a'), digestOf('b')])).toBe(true);
    expect(await store.confirmTotp('ten_1', 'usr_1', 101, at, anAftermath('out_2'), [digestOf('c')])).toBe(false);
    expect(await store.countRecoveryCodes('ten_1', 'usr_1')).toBe(2);
    expect(await store.spendRecoveryCode('ten_1', 'usr_1', digestOf('a'), at, quiet)).toBe(true);
    expect(await store.removeTotp('ten_1', 'usr_1', anAftermath('out_3'))).toBe(true);
    expect([await store.findTotp('ten_1', 'usr_1'), await store.countRecoveryCodes('ten_1', 'usr_1')]).toEqual([null, 0]);
    expect((await aftermathsOf(store)).events).toEqual(['out_1', 'out_3']);
  }],

  ['of 50 registrations by one proof one makes an account; a taken name spends the proof', async (store) => {
    await furnishPeople(store);
    for (const id of ['p1', 'p2']) await store.createProof(aProof(id, { kind: 'register', userId: null }), quiet);
    const register = (number: number, usernameKey = 'new', proofId = 'p1') => {
      const id = `usr_new${number}`;
      const user = aUser({ id, username: 'New', email: 'New@Exämple.com', attributes: { locale: 'de' } });
      return store.registerUser({ user, usernameKey, password: aPassword({ userId: id }), proofId }, anAftermath(`out_${number}`));
    };
    expect(await register(0, 'jane', 'p2')).toBe('taken');
    expect(await store.findProofByLink('ten_1', digestOf('link p2'))).toMatchObject({ usedAtMs: aUser().createdAtMs, sealedData: null });
    expect(await register(0, 'free', 'p2')).toBe('spent');
    expect(await winners((number) => register(number), 'created')).toBe(1);
    expect(await register(99, 'another')).toBe('spent');
    const [user, ...more] = await store.findUsersByEmail('ten_1', 'new@exämple.com');
    expect([user?.attributes, more]).toEqual([{ locale: 'de' }, []]);
    expect((await store.findPassword('ten_1', user?.id ?? ''))?.userId).toBe(user?.id ?? '');
    expect((await aftermathsOf(store)).events).toEqual([`out_${user?.id.slice(7)}`]);
  }],

  ['users are found by address whatever its case and composition, several of them, and never deleted ones', async (store) => {
    await furnishPeople(store);
    const composed = 'andr\u00E9@example.com';
    const user = aUser({ id: 'usr_3', username: 'A', email: 'ANDRE\u0301@Example.com' });
    await store.createUser(user, 'a', []);
    await store.createUser(aUser({ id: 'usr_4', username: 'B', email: composed, createdAtMs: at }), 'b', []);
    const find = async (key: string) => (await store.findUsersByEmail('ten_1', key)).map(({ id }) => id);
    expect(await find(composed)).toEqual(['usr_3', 'usr_4']);
    await store.updateUser(user, { ...user, email: 'Other@example.com' }, 'a', []);
    expect([await find(composed), await find('other@example.com')]).toEqual([['usr_4'], ['usr_3']]);
    await store.updateUser(aUser(), aUser({ deletedAtMs: at }), 'usr_1', []);
    expect(await find('jane@example.com')).toEqual([]);
    expect(await store.findUsersByEmail('ten_2', 'jane@example.com')).toHaveLength(1);
  }],

  ['wrong passwords are counted per account and network, for at most 100 networks; the one quiet for longest goes', async (store) => {
    await furnishPeople(store);
    const count = (network: string, atMs: number, tenantId = 'ten_1') => store.countSignInFailure(tenantId, 'usr_1', network, atMs);
    expect(await Promise.all([count('net', T0), count('net', at), count('net', T0), count('net', T0, 'ten_2')])).toEqual([
      { failures: 1, lastAtMs: T0 }, { failures: 2, lastAtMs: at }, { failures: 3, lastAtMs: at }, { failures: 1, lastAtMs: T0 },
    ]);
    await Promise.all(Array.from({ length: 100 }, (_, number) => count(`n${number}`, at + MINUTE_MS + number)));
    const find = (network: string, tenantId = 'ten_1') => store.findSignInFailures(tenantId, 'usr_1', network);
    expect([await find('net'), await find('net', 'ten_2')]).toEqual([null, { failures: 1, lastAtMs: T0 }]);
    // Even one that is older than all others counts.
    expect(await count('old', T0)).toEqual({ failures: 1, lastAtMs: T0 });
    expect([await find('old'), await find('n0'), await find('n1')]).toEqual([
      { failures: 1, lastAtMs: T0 }, null, { failures: 1, lastAtMs: at + MINUTE_MS + 1 },
    ]);
    await store.clearSignInFailures('ten_1', 'usr_1', 'n1');
    expect(await find('n1')).toBeNull();
  }],

  ['a deleted user, and nobody else, loses everything that was kept about them; a deleted tenant its credentials', async (store) => {
    await furnishPeople(store);
    for (const tenantId of ['ten_1', 'ten_2']) await equip(store, tenantId);
    const kept = await keptOf(store, 'ten_2');
    expect([...kept, ...(await keptOf(store, 'ten_1'))].filter((thing) => thing === null)).toEqual([]);
    expect(await store.updateUser(aUser(), aUser({ name: null, deletedAtMs: at }), 'usr_1', [])).toBe('updated');
    expect(await keptOf(store, 'ten_1')).toEqual(nothing);
    expect(await store.findBrowserSession('ten_1', digestOf('secret_1'))).toEqual(aBrowserSession('secret_1', { endedAtMs: at, userAgent: null, ip: null }));
    expect(await keptOf(store, 'ten_2')).toEqual(kept);
    const late = [
      await store.setPassword(aPassword(), null, quiet), await store.beginTotp(aTotp()),
      await store.putMembership({ tenantId: 'ten_1', orgId: 'org_1', userId: 'usr_1', roles: [], createdAtMs: T0 }, []),
    ];
    expect(late).toEqual([false, false, false]);
    await store.deleteTenant('ten_2', at, []);
    expect((await keptOf(store, 'ten_2')).slice(0, 4)).toEqual([null, [], null, 0]);
    expect(await store.findProofByLink('ten_2', digestOf('link ten_2'))).toBeNull();
  }],
];
