import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Tenant } from '../../src/core/model.ts';
import { checkPassword } from '../../src/service/credentials/password.ts';
import { createUserWithPassword, readCredentials, resetUserFactors, setUserPassword } from '../../src/service/manage-credentials.ts';
import { endUserSession, endUserSessions, listUserSessions } from '../../src/service/manage-sessions.ts';
import { createUser, requireUser, revokeUserTokens } from '../../src/service/manage-users.ts';
import { openRig, there, wanted, type Rig } from './rig.ts';

let rig: Rig;
let acme: Tenant;
const GOOD = 'glass tunnel orchard 9';

beforeAll(async () => {
  rig = openRig();
  acme = await rig.tenant('acme');
  wanted(await createUser(rig.ctx, acme, null, { username: 'alice', email: 'alice@example.com', emailVerified: true }));
});
afterAll(() => rig.close());

const person = () => ({ tenant: acme, from: { ip: null, requestId: null }, locale: null, device: null });
const signIn = (name: string, password: string) => checkPassword(rig.ctx, person(), name, password);

describe('passwords that an operator gives', () => {
  test('UI-14 set, temporary and replaced; the person hears of it by mail, the trail names the operator', async () => {
    const alice = wanted(await setUserPassword(rig.ctx, acme, 'alice', { text: GOOD, temporary: true }));
    expect(await readCredentials(rig.ctx, acme, alice)).toEqual({ password: 'temporary', passkeys: 0, authenticator: false, recoveryCodes: 0 });
    expect(await signIn('alice', GOOD)).toMatchObject({ ok: true });
    wanted(await setUserPassword(rig.ctx, acme, 'ALICE', { text: `${GOOD}!`, temporary: false }));
    expect(await readCredentials(rig.ctx, acme, alice)).toMatchObject({ password: 'set' });
    expect([(await signIn('alice', GOOD)).ok, (await signIn('alice', `${GOOD}!`)).ok]).toEqual([false, true]);
    expect(await rig.events('password_set')).toMatchObject([{ actor: 'operator', subject: alice.id, reason: 'temporary' }, { actor: 'operator', subject: alice.id, reason: null }]);
    expect((await rig.ctx.store.listDueMails(rig.clock.now(), 10)).map(({ target }) => target)).toEqual(['alice@example.com', 'alice@example.com']);
  });

  test.each([['too short', 'short'], ['too long', 'x'.repeat(1025)], ['tried first', 'password1234'], ['tried first', 'alice@example.com']])('UI-14, UI-15 %s: refused', async (words, text) => {
    expect(await setUserPassword(rig.ctx, acme, 'alice', { text, temporary: false })).toMatchObject({ ok: false, error: 'invalid_request', description: expect.stringContaining(words) });
  });

  test('UI-28 somebody is created with a password, or not at all', async () => {
    const wish = { username: 'bob', email: 'bob@example.com' };
    expect(await createUserWithPassword(rig.ctx, acme, null, wish, { text: 'bob', temporary: false })).toMatchObject({ ok: false, error: 'invalid_request' });
    expect(await requireUser(rig.ctx, acme, 'bob')).toMatchObject({ ok: false, error: 'not_found' });
    const bob = wanted(await createUserWithPassword(rig.ctx, acme, null, wish, { text: GOOD, temporary: false }));
    expect(await readCredentials(rig.ctx, acme, bob)).toMatchObject({ password: 'set' });
    expect(await signIn('bob', GOOD)).toMatchObject({ ok: true });
  });

  test('a remark where nobody signs in with passwords', async () => {
    const codes = await rig.tenant('codes', { people: { passwords: false } });
    wanted(await createUser(rig.ctx, codes, null, { username: 'carol', email: '' }));
    expect(await setUserPassword(rig.ctx, codes, 'carol', { text: GOOD, temporary: false })).toMatchObject({
      ok: true, warnings: ['people of the tenant codes do not sign in with passwords'], hints: { 'people of the tenant codes do not sign in with passwords': '`assay tenant update codes --passwords on` changes that' },
    });
  });

  test('nobody', async () => {
    expect(await setUserPassword(rig.ctx, acme, 'nobody', { text: GOOD, temporary: false })).toMatchObject({ ok: false, error: 'not_found' });
    expect(await resetUserFactors(rig.ctx, acme, 'nobody')).toMatchObject({ ok: false, error: 'not_found' });
  });
});

describe('factors that are reset', () => {
  test('UI-27 authenticator and recovery codes go, the password stays', async () => {
    const dora = wanted(await createUserWithPassword(rig.ctx, acme, null, { username: 'dora', email: '' }, { text: GOOD, temporary: false }));
    await rig.ctx.store.beginTotp({ tenantId: acme.id, userId: dora.id, sealedSecret: 'sealed', createdAtMs: rig.clock.now(), confirmedAtMs: null, lastStep: 0 });
    await rig.ctx.store.confirmTotp(acme.id, dora.id, 1, rig.clock.now(), { audit: [] });
    await rig.ctx.store.replaceRecoveryCodes(acme.id, dora.id, ['a', 'b'], { audit: [] });
    expect(await readCredentials(rig.ctx, acme, dora)).toEqual({ password: 'set', passkeys: 0, authenticator: true, recoveryCodes: 2 });
    expect(await resetUserFactors(rig.ctx, acme, 'dora')).toMatchObject({ ok: true, warnings: [] });
    expect(await readCredentials(rig.ctx, acme, dora)).toEqual({ password: 'set', passkeys: 0, authenticator: false, recoveryCodes: 0 });
    expect(await rig.events('factors_reset')).toMatchObject([{ actor: 'operator', subject: dora.id }]);
  });

  test('a remark where nothing is left to sign in with', async () => {
    wanted(await createUser(rig.ctx, acme, null, { username: 'erin', email: 'erin@example.com' }));
    expect(await resetUserFactors(rig.ctx, acme, 'erin')).toMatchObject({
      ok: true, warnings: ['erin has no way to sign in now'], hints: { 'erin has no way to sign in now': expect.stringContaining('set-password erin --temporary') },
    });
  });
});

describe('sessions of a user', () => {
  const open = async (id: string, userId: string, ageMs = 0): Promise<void> => {
    const nowMs = rig.clock.now();
    const session = {
      id, tenantId: acme.id, userId, createdAtMs: nowMs - ageMs, endedAtMs: null, secretDigest: `digest of ${id}`, authTimeMs: nowMs - ageMs, amr: ['pwd'], acr: '1fa',
      lastSeenAtMs: nowMs - ageMs, expiresAtMs: nowMs + 604_800_000, userAgent: null, ip: '192.0.2.1',
    } as const;
    if (!(await rig.ctx.store.openBrowserSession({ session, replaces: null, progress: null }, { audit: [] }))) throw new Error('the session was not opened');
  };
  const listed = async (name: string) => wanted(await listUserSessions(rig.ctx, acme, name)).sessions.map(({ session }) => session.id).toSorted();

  test('UI-07, UI-08 listed while they count; ended one by one, or all', async () => {
    const { id } = wanted(await createUser(rig.ctx, acme, null, { username: 'frida', email: '' }));
    const other = wanted(await createUser(rig.ctx, acme, null, { username: 'gina', email: '' }));
    for (const session of ['ses_a', 'ses_b', 'ses_c']) await open(session, id);
    await open('ses_idle', id, 43_200_000);
    await open('ses_other', other.id);
    expect(await listed('frida')).toEqual(['ses_a', 'ses_b', 'ses_c']);
    wanted(await endUserSession(rig.ctx, acme, 'frida', 'ses_a'));
    expect(await endUserSession(rig.ctx, acme, 'frida', 'ses_a')).toMatchObject({ ok: false, error: 'not_found' });
    expect(await endUserSession(rig.ctx, acme, 'frida', 'ses_other')).toMatchObject({ ok: false, error: 'not_found' });
    expect(await listed('frida')).toEqual(['ses_b', 'ses_c']);
    expect(wanted(await endUserSessions(rig.ctx, acme, 'frida'))).toBe(3);
    expect([await listed('frida'), await listed('gina')]).toEqual([[], ['ses_other']]);
    expect(await rig.events('session_ended')).toMatchObject([{ actor: 'operator', subject: id }]);
    expect(await rig.events('sessions_ended')).toMatchObject([{ actor: 'operator', subject: id }]);
  });

  test('REV-14 revoking everything of a user ends their sessions', async () => {
    const hana = wanted(await createUser(rig.ctx, acme, null, { username: 'hana', email: '' }));
    await open('ses_hana', hana.id);
    rig.clock.advance(1);
    wanted(await revokeUserTokens(rig.ctx, acme, 'hana'));
    expect(await listed('hana')).toEqual([]);
    expect(there(await rig.ctx.store.findSession(acme.id, 'ses_hana')).endedAtMs).not.toBeNull();
  });
});
