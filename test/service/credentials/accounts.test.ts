import { afterEach, beforeEach, describe, expect, spyOn, test } from 'bun:test';
import type { Tenant, User } from '../../../src/core/model.ts';
import { beginEmailChange, beginEmailVerification, finishEmailChange, finishEmailVerification } from '../../../src/service/credentials/email-change.ts';
import { checkCode } from '../../../src/service/credentials/mail-codes.ts';
import { checkPassword } from '../../../src/service/credentials/password.ts';
import { beginRegistration, finishRegistration } from '../../../src/service/credentials/registration.ts';
import { beginReset, finishReset } from '../../../src/service/credentials/reset.ts';
import { openRig, there, type Rig } from '../rig.ts';
import { at, BOUND, PASSWORD, somebody, takeCode, takeMails } from './people.ts';

let rig: Rig;
let tenant: Tenant;
let alice: User;

beforeEach(async () => {
  rig = openRig();
  tenant = await rig.tenant();
  alice = await somebody(rig, tenant, 'alice');
});
afterEach(() => rig.close());

const refused = (problem: string): object => ({ ok: false, problem, retryAfterS: null });
const form = { email: 'New@Example.com', name: 'New Person', password: 'a rather long password' };

describe('registration', () => {
  beforeEach(() => {
    tenant = { ...tenant, people: { ...tenant.people, registration: true } };
  });
  const begin = (change: Partial<typeof form> = {}, boundTo = BOUND): ReturnType<typeof beginRegistration> => beginRegistration(rig.ctx, at(tenant), boundTo, { ...form, ...change });

  test('a code to the address makes the account, verified, with the password, once', async () => {
    expect(await begin()).toEqual({ ok: true });
    const code = await takeCode(rig);
    expect(await finishRegistration(rig.ctx, at(tenant), 'another', code)).toEqual(refused('code_expired') as never);
    const made = await finishRegistration(rig.ctx, at(tenant), BOUND, code);
    expect(made).toMatchObject({ ok: true, user: { username: 'New@Example.com', email: 'New@Example.com', emailVerified: true, name: 'New Person', id: expect.stringMatching(/^usr_/) }, amr: ['email'] });
    expect(await finishRegistration(rig.ctx, at(tenant), BOUND, code)).toEqual(refused('code_expired') as never);
    expect(await checkPassword(rig.ctx, at(tenant), 'new@example.com', form.password)).toMatchObject({ ok: true });
    expect(await rig.events('user_registered')).toMatchObject([{ outcome: 'success' }]);
  });

  test('UI-12 · whose address is known hears of it, and the page is the same; so is the work', async () => {
    await somebody(rig, tenant, 'bob@example.com', { email: 'b@example.com', password: null });
    await somebody(rig, tenant, 'carol', { verified: false, password: null });
    const spy = spyOn(Bun.password, 'hash');
    for (const [index, email] of ['ALICE@example.com', 'bob@example.com', 'carol@example.com', 'free@example.com'].entries()) {
      rig.clock.advance(1);
      expect(await begin({ email }, `b${index}`)).toEqual({ ok: true });
      expect(spy).not.toHaveBeenCalled();
      expect(await finishRegistration(rig.ctx, at(tenant), `b${index}`, 'abc')).toEqual(refused('wrong_code') as never);
    }
    spy.mockRestore();
    expect((await takeMails(rig)).map(({ to, content }) => [to, content.kind])).toEqual([
      ['ALICE@example.com', 'register_exists'], ['bob@example.com', 'register_exists'], ['carol@example.com', 'register_exists'], ['free@example.com', 'register_code'],
    ]);
  });

  test('TX-04 · what cannot be is refused before anything is sent', async () => {
    const rows = [
      [{ email: 'nobody' }, 'email_invalid'], [{ email: 'a\u202E@example.com' }, 'email_invalid'], [{ email: `${'x'.repeat(260)}@example.com` }, 'email_invalid'],
      [{ name: 'a\0b' }, 'name_invalid'], [{ name: 'x'.repeat(300) }, 'name_invalid'], [{ password: 'short' }, 'password_short'], [{ password: 'password1234' }, 'password_common'],
      [{ password: 'new@example.com' }, 'password_common'],
    ] as const;
    for (const [change, problem] of rows) expect(await begin(change)).toEqual(refused(problem) as never);
    expect(await takeMails(rig)).toEqual([]);
  });

  test('two that register the same address: the first to finish has it', async () => {
    await begin({}, 'one');
    const one = await takeCode(rig);
    await begin({ password: 'quite another password' }, 'two');
    const two = await takeCode(rig);
    expect(await finishRegistration(rig.ctx, at(tenant), 'two', two)).toMatchObject({ ok: true });
    expect(await finishRegistration(rig.ctx, at(tenant), 'one', one)).toEqual(refused('code_expired') as never);
    expect(await checkPassword(rig.ctx, at(tenant), 'new@example.com', form.password)).toMatchObject({ ok: false });
  });

  test('without passwords in the tenant none is needed', async () => {
    const without = { ...tenant, people: { ...tenant.people, passwords: false } };
    expect(await beginRegistration(rig.ctx, at(without), BOUND, { ...form, password: null })).toEqual({ ok: true });
    const made = await finishRegistration(rig.ctx, at(without), BOUND, await takeCode(rig));
    expect(made).toMatchObject({ ok: true });
    expect(made.ok ? await rig.ctx.store.findPassword(tenant.id, made.user.id) : 'none').toBeNull();
  });

  test('RL-05 · a full queue says busy, and the code stays good', async () => {
    await begin();
    const code = await takeCode(rig);
    const full = { ...rig.ctx, peoplePasswords: { ...rig.ctx.peoplePasswords, hash: () => Promise.resolve(null) } };
    expect(await finishRegistration(full, at(tenant), BOUND, code)).toEqual(refused('busy') as never);
    expect(await finishRegistration(rig.ctx, at(tenant), BOUND, code)).toMatchObject({ ok: true });
  });

  test('RL-05 · the form costs no hash, and the right code, sent many times over, costs one; the password waits sealed', async () => {
    const spy = spyOn(Bun.password, 'hash');
    await begin();
    const code = await takeCode(rig);
    expect(spy).not.toHaveBeenCalled();
    expect(JSON.stringify(await rig.ctx.store.findProof(tenant.id, BOUND, 'register'))).not.toContain(form.password);
    const made = await Promise.all(Array.from({ length: 20 }, () => finishRegistration(rig.ctx, at(tenant), BOUND, code)));
    expect(made.filter((each) => each.ok).length).toBe(1);
    expect(spy).toHaveBeenCalledTimes(1);
    spy.mockRestore();
    expect(there(await rig.ctx.store.findProof(tenant.id, BOUND, 'register')).sealedData).toBeNull();
  });

  test('RL-05 · the right code for an address that somebody else has by now costs no hash, and is spent', async () => {
    await begin();
    const code = await takeCode(rig);
    await somebody(rig, tenant, 'rival', { email: form.email, password: null });
    const spy = spyOn(Bun.password, 'hash');
    for (let count = 0; count < 3; count += 1) expect(await finishRegistration(rig.ctx, at(tenant), BOUND, code)).toEqual(refused('code_expired') as never);
    expect(spy).not.toHaveBeenCalled();
    spy.mockRestore();
    expect(there(await rig.ctx.store.findProof(tenant.id, BOUND, 'register')).usedAtMs).toBe(rig.clock.now());
  });

  test('RL-01 · ten codes a minute of one request, thirty of one network', async () => {
    const finish = (boundTo: string, ip?: string): ReturnType<typeof finishRegistration> => finishRegistration(rig.ctx, at(tenant, ip), boundTo, '12345678');
    const tooMany = { ok: false, problem: 'too_many_attempts', retryAfterS: 60 } as const;
    for (const boundTo of ['one', 'two', 'three']) {
      for (let count = 0; count < 10; count += 1) expect(await finish(boundTo)).toEqual(refused('code_expired') as never);
    }
    expect(await finish('one', '192.0.2.2')).toEqual(tooMany);
    expect(await finish('four')).toEqual(tooMany);
    expect(await finish('four', '192.0.2.2')).toEqual(refused('code_expired') as never);
    rig.clock.advance(60_000);
    expect(await finish('one')).toEqual(refused('code_expired') as never);
  });

  test('RL-01 · ten forms a minute of one request, twenty of one network', async () => {
    for (let count = 0; count < 10; count += 1) expect(await begin({ password: 'short' })).toEqual(refused('password_short') as never);
    expect(await begin()).toEqual({ ok: false, problem: 'too_many_attempts', retryAfterS: 60 });
    for (let count = 0; count < 10; count += 1) await begin({ password: 'short' }, `b${count}`);
    expect(await begin({}, 'another')).toEqual({ ok: false, problem: 'too_many_attempts', retryAfterS: 60 });
    expect(await beginRegistration(rig.ctx, at(tenant, '192.0.2.2'), 'another', form)).toEqual({ ok: true });
    rig.clock.advance(60_000);
    expect(await begin()).toEqual({ ok: true });
  });

  test('what the tenant asks for when the code comes counts', async () => {
    for (const change of [{ registration: false }, { passwords: false }, { passwordMinLength: 64 }]) {
      rig.clock.advance(60_000);
      await begin();
      const changed = { ...tenant, people: { ...tenant.people, ...change } };
      expect(await finishRegistration(rig.ctx, at(changed), BOUND, await takeCode(rig))).toEqual(refused('code_expired') as never);
    }
    expect(await rig.events('user_registered')).toEqual([]);
  });
});

describe('reset', () => {
  const begin = (name: string, boundTo = BOUND): ReturnType<typeof beginReset> => beginReset(rig.ctx, at(tenant), boundTo, name, null);
  const NEXT = 'my next long password';

  test('code, new password, every session and grant over, notice; once', async () => {
    const nowMs = rig.clock.now();
    await rig.ctx.store.openBrowserSession({
      session: {
        id: 'ses_1', tenantId: tenant.id, userId: alice.id, createdAtMs: nowMs, endedAtMs: null, secretDigest: 'secret', authTimeMs: nowMs, amr: ['pwd'], acr: '1fa',
        lastSeenAtMs: nowMs, expiresAtMs: nowMs + 3_600_000, userAgent: null, ip: null,
      }, replaces: null, progress: null,
    }, { audit: [] });
    expect(await begin('alice')).toEqual({ ok: true });
    expect(await checkCode(rig.ctx, at(tenant), BOUND, 'reset', await takeCode(rig))).toMatchObject({ ok: true });
    expect(await finishReset(rig.ctx, at(tenant), BOUND, alice, 'short')).toEqual(refused('password_short') as never);
    expect(await finishReset(rig.ctx, at(tenant), BOUND, alice, NEXT)).toEqual({ ok: true, user: alice, amr: ['email'], passwordChangedAtMs: null });
    expect(await finishReset(rig.ctx, at(tenant), BOUND, alice, 'and yet another one')).toEqual(refused('code_expired') as never);
    expect(there(await rig.ctx.store.findBrowserSession(tenant.id, 'secret')).endedAtMs).not.toBeNull();
    expect((await takeMails(rig)).map((mail) => mail.content)).toMatchObject([{ notice: 'password_reset' }]);
    expect(await rig.events('sessions_ended')).toMatchObject([{ subject: alice.id, reason: 'password_reset' }]);
    expect(await checkPassword(rig.ctx, at(tenant), 'alice', PASSWORD)).toMatchObject({ ok: false });
    expect(await checkPassword(rig.ctx, at(tenant), 'alice', NEXT)).toMatchObject({ ok: true });
  });

  test('UI-12 · nobody, and an unverified address: the same answers, no mail', async () => {
    await somebody(rig, tenant, 'dora', { verified: false });
    for (const name of ['nobody', 'dora', '', "' OR 1=1--"]) expect(await begin(name, `b ${name}`)).toEqual({ ok: true });
    expect(await takeMails(rig)).toEqual([]);
    expect(await checkCode(rig.ctx, at(tenant), 'b nobody', 'reset', '12345678')).toEqual(refused('wrong_code') as never);
  });

  test('a tenant that has no passwords any more sets none', async () => {
    await begin('alice');
    expect(await checkCode(rig.ctx, at(tenant), BOUND, 'reset', await takeCode(rig))).toMatchObject({ ok: true });
    const without = { ...tenant, people: { ...tenant.people, passwords: false } };
    expect(await finishReset(rig.ctx, at(without), BOUND, alice, NEXT)).toEqual(refused('code_expired') as never);
  });

  test('UI-25 · an address that changed after the code was entered sets no password', async () => {
    await begin('alice');
    expect(await checkCode(rig.ctx, at(tenant), BOUND, 'reset', await takeCode(rig))).toMatchObject({ ok: true });
    const moved = { ...alice, email: 'new@example.com' };
    await rig.ctx.store.updateUser(alice, moved, 'alice', []);
    expect(await finishReset(rig.ctx, at(tenant), BOUND, moved, NEXT)).toEqual(refused('code_expired') as never);
  });

  test('a code begun for somebody else meanwhile sets nobody\'s password', async () => {
    const bob = await somebody(rig, tenant, 'bob');
    await begin('bob');
    expect(await checkCode(rig.ctx, at(tenant), BOUND, 'reset', await takeCode(rig))).toMatchObject({ ok: true });
    rig.clock.advance(1);
    await begin('alice');
    expect(await finishReset(rig.ctx, at(tenant), BOUND, bob, NEXT)).toEqual(refused('code_expired') as never);
    expect(await checkPassword(rig.ctx, at(tenant), 'alice', PASSWORD)).toMatchObject({ ok: true });
  });
});

describe('addresses', () => {
  const change = (email: string, user = alice): ReturnType<typeof beginEmailChange> => beginEmailChange(rig.ctx, at(tenant), BOUND, user, email);

  test('TX-09 · the new address counts once its code came back; the old one hears of it; the id stays', async () => {
    expect(await change('fresh@example.com')).toEqual({ ok: true });
    expect(await rig.ctx.store.findUser(tenant.id, alice.id)).toEqual(alice);
    const code = await takeCode(rig);
    expect(await finishEmailChange(rig.ctx, at(tenant), BOUND, alice, code)).toEqual({ ok: true });
    expect(await rig.ctx.store.findUser(tenant.id, alice.id)).toEqual({ ...alice, email: 'fresh@example.com', emailVerified: true });
    expect(await takeMails(rig)).toMatchObject([{ to: 'alice@example.com', content: { notice: 'email_changed' } }]);
    expect(await rig.events('email_changed')).toMatchObject([{ actor: alice.id }]);
    expect(await finishEmailChange(rig.ctx, at(tenant), BOUND, alice, code)).toEqual(refused('code_expired') as never);
  });

  test('a username that was the address goes along', async () => {
    const bob = await somebody(rig, tenant, 'bob@example.com', { email: 'Bob@example.com' });
    await change('bobby@example.com', bob);
    expect(await finishEmailChange(rig.ctx, at(tenant), BOUND, bob, await takeCode(rig))).toEqual({ ok: true });
    expect(await checkPassword(rig.ctx, at(tenant), 'bobby@example.com', PASSWORD)).toMatchObject({ ok: true, user: { id: bob.id, username: 'bobby@example.com' } });
  });

  test('refused at once: no address, the present one', async () => {
    expect(await change('nonsense')).toEqual(refused('email_invalid') as never);
    expect(await change('alice@example.com')).toEqual(refused('email_unchanged') as never);
  });

  test('UI-12 · another\'s address: its owner hears of it, nothing changes', async () => {
    await somebody(rig, tenant, 'bob');
    expect(await change('Bob@example.com')).toEqual({ ok: true });
    expect((await takeMails(rig)).map(({ to, content }) => [to, content.kind])).toEqual([['Bob@example.com', 'register_exists']]);
    expect(await finishEmailChange(rig.ctx, at(tenant), BOUND, alice, '12345678')).toEqual(refused('wrong_code') as never);
  });

  test('RL-03 · ten mails an hour to one mailbox, five from one network, whoever asks; their own verified address is theirs', async () => {
    for (const [person, rows] of [['a', 5], ['b', 5], ['c', 0]] as const) {
      for (const name of [`${person}1`, `${person}2`]) {
        const user = await somebody(rig, tenant, name, { password: null });
        const from = at(tenant, `198.51.${person.charCodeAt(0)}.1`);
        for (let count = 0; count < 4; count += 1) expect(await beginEmailChange(rig.ctx, from, name, user, 'Victim@example.com')).toEqual({ ok: true });
      }
      expect((await takeMails(rig)).length).toBe(rows);
    }
    const victim = await somebody(rig, tenant, 'victim', { password: null });
    await beginReset(rig.ctx, at(tenant), BOUND, victim.username, null);
    expect((await takeMails(rig)).map(({ to }) => to)).toEqual(['victim@example.com']);
  });

  test('another user\'s code is of no use', async () => {
    const bob = await somebody(rig, tenant, 'bob');
    await change('fresh@example.com');
    expect(await finishEmailChange(rig.ctx, at(tenant), BOUND, bob, await takeCode(rig))).toEqual(refused('code_expired') as never);
  });

  test('verifying the address that is there; not one that changed meanwhile', async () => {
    const dora = await somebody(rig, tenant, 'dora', { verified: false });
    expect(await beginEmailVerification(rig.ctx, at(tenant), BOUND, dora)).toEqual({ ok: true });
    expect(await finishEmailVerification(rig.ctx, at(tenant), BOUND, dora, await takeCode(rig))).toEqual({ ok: true });
    expect(await rig.ctx.store.findUser(tenant.id, dora.id)).toMatchObject({ emailVerified: true });
    expect(await rig.events('email_verified')).toMatchObject([{ subject: dora.id }]);
    const eve = await somebody(rig, tenant, 'eve', { verified: false });
    await beginEmailVerification(rig.ctx, at(tenant), BOUND, eve);
    await rig.ctx.store.updateUser(eve, { ...eve, email: 'other@example.com' }, 'eve', []);
    expect(await finishEmailVerification(rig.ctx, at(tenant), BOUND, eve, await takeCode(rig))).toEqual(refused('code_expired') as never);
    expect(await beginEmailVerification(rig.ctx, at(tenant), BOUND, { ...eve, email: '' })).toEqual(refused('email_invalid') as never);
  });
});
