import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import type { Tenant, User } from '../../../src/core/model.ts';
import { checkCode, checkLink, openLink, sendCode, type CodeWish } from '../../../src/service/credentials/mail-codes.ts';
import type { Failed } from '../../../src/service/credentials/outcome.ts';
import { changePassword, checkPassword } from '../../../src/service/credentials/password.ts';
import { setUserEnabled } from '../../../src/service/manage-users.ts';
import { openRig, there, wanted, type Rig } from '../rig.ts';
import { at, BOUND, somebody, takeCode, takeMails } from './people.ts';

let rig: Rig;
let tenant: Tenant;
let alice: User;

beforeEach(async () => {
  rig = openRig();
  tenant = await rig.tenant();
  alice = await somebody(rig, tenant, 'alice', { password: null });
});
afterEach(() => rig.close());

const link = (token: string): string => `https://id.example.com/t/acme/link/${token}`;
const wish = (change: Partial<CodeWish> = {}): CodeWish => ({ kind: 'sign_in', boundTo: BOUND, user: alice, email: null, data: null, link, client: 'Shop', ...change });
const send = (change: Partial<CodeWish> = {}, ip = '192.0.2.1'): ReturnType<typeof sendCode> => sendCode(rig.ctx, at(tenant, ip), wish(change));
const check = (code: string, boundTo = BOUND): ReturnType<typeof checkCode> => checkCode(rig.ctx, at(tenant), boundTo, 'sign_in', code);
const not = (problem: Failed['problem']): Failed => ({ ok: false, problem, retryAfterS: null });
const other = (code: string): string => (code === '00000000' ? '00000001' : '00000000');

describe('codes', () => {
  test('sent, sealed, once, in their browser', async () => {
    expect(await send()).toEqual({ ok: true });
    const [mail] = await takeMails(rig);
    const content = there(mail).content;
    if (content.kind !== 'sign_in_code') throw new Error(content.kind);
    expect([content.minutes, content.client]).toEqual([10, 'Shop']);
    expect(content.code).toMatch(/^[0-9]{8}$/);
    expect(mail?.to).toBe('alice@example.com');
    expect(mail?.sealed).not.toContain(content.code);
    const stored = JSON.stringify(await rig.ctx.store.findProof(tenant.id, BOUND, 'sign_in'));
    expect(stored).not.toContain(content.code);
    expect(stored).not.toContain(there(content.link.split('/').at(-1)));
    expect(await check(content.code, 'another browser')).toEqual(not('code_expired'));
    expect(await check(` ${content.code.slice(0, 3)}-${content.code.slice(3)} `)).toMatchObject({ ok: true, proof: { userId: alice.id }, data: null });
    expect(await check(content.code)).toEqual(not('code_expired'));
    expect(await rig.events('mail_queued')).toMatchObject([{ subject: alice.id, reason: 'sign_in_code' }]);
  });

  test('the fifth wrong one ends it; what is no code does not count', async () => {
    await send();
    const code = await takeCode(rig);
    for (const nothing of ['', '123456', 'abcdefgh', '1234567', '123456789', '9'.repeat(5000)]) expect(await check(nothing)).toEqual(not('wrong_code'));
    for (let count = 0; count < 4; count += 1) expect(await check(other(code))).toEqual(not('wrong_code'));
    expect(await check(other(code))).toEqual(not('code_expired'));
    expect(await check(code)).toEqual(not('code_expired'));
  });

  test('guesses sent together do not overtake the count', async () => {
    await send();
    const code = Number(await takeCode(rig));
    const guesses = Array.from({ length: 20 }, (_, index) => String((code + 1 + index) % 100_000_000).padStart(8, '0'));
    const answers = await Promise.all(guesses.map((guess) => check(guess)));
    expect(answers.filter((answer) => !answer.ok && answer.problem !== 'too_many_attempts').length).toBe(5);
    expect(await check(String(code).padStart(8, '0'))).toEqual(not('code_expired'));
  });

  test('over after ten minutes, and when a newer one was sent', async () => {
    await send();
    const first = await takeCode(rig);
    await send();
    const second = await takeCode(rig);
    if (first !== second) expect(await check(first)).toEqual(not('wrong_code'));
    rig.clock.advance(599_999);
    expect(await check(other(second))).toEqual(not('wrong_code'));
    rig.clock.advance(1);
    expect(await check(second)).toEqual(not('code_expired'));
  });

  test('UI-12 · for nobody, a disabled user or an unverified address nothing is sent, and the answers are the same', async () => {
    const off = await somebody(rig, tenant, 'off', { password: null });
    wanted(await setUserEnabled(rig.ctx, tenant, off.id, false));
    const disabled = there(await rig.ctx.store.findUser(tenant.id, off.id));
    const unverified = await somebody(rig, tenant, 'new', { password: null, verified: false });
    for (const user of [null, disabled, unverified]) {
      const boundTo = `for ${user?.id ?? 'nobody'}`;
      expect(await send({ user, boundTo })).toEqual({ ok: true });
      for (let count = 0; count < 4; count += 1) expect(await check('12345678', boundTo)).toEqual(not('wrong_code'));
      expect(await check('12345678', boundTo)).toEqual(not('code_expired'));
    }
    expect(await takeMails(rig)).toEqual([]);
  });

  test('who is disabled meanwhile does not get in', async () => {
    await send();
    const code = await takeCode(rig);
    wanted(await setUserEnabled(rig.ctx, tenant, alice.id, false));
    expect(await check(code)).toEqual(not('code_expired'));
  });

  test('UI-12 · for nobody the work is the same: a proof with sealed data, and a mail that is done already', async () => {
    const [store, made] = [rig.ctx.store, [] as unknown[]];
    const createProof: typeof store.createProof = async (proof, after) => {
      made.push([proof.sealedData?.length, after.outbox?.length, after.outbox?.[0]?.payload.length, after.outbox?.[0]?.doneAtMs === null]);
      await store.createProof(proof, after);
    };
    const ctx = { ...rig.ctx, store: { ...store, createProof } };
    await sendCode(ctx, at(tenant), wish({ boundTo: 'one' }));
    await sendCode(ctx, at(tenant), wish({ boundTo: 'two', user: null }));
    const [known] = made as [unknown[]];
    expect(made).toEqual([[known[0], 1, known[2], true], [known[0], 1, known[2], false]]);
    expect((await takeMails(rig)).map(({ to }) => to)).toEqual(['alice@example.com']);
  });

  for (const kind of ['sign_in', 'reset'] as const) {
    test(`UI-12 · ${kind}: what went to a former address, or to one that is not verified any more, is worth nothing`, async () => {
      for (const [index, change] of [{ email: 'new@example.com' }, { emailVerified: false }].entries()) {
        const before = there(await rig.ctx.store.findUser(tenant.id, alice.id));
        await send({ kind, user: before, boundTo: `b${index}` });
        const code = await takeCode(rig);
        expect(await rig.ctx.store.updateUser(before, { ...before, ...change }, 'alice', [])).toBe('updated');
        expect(await checkCode(rig.ctx, at(tenant), `b${index}`, kind, code)).toEqual(not('code_expired'));
      }
    });

    test(`UI-12 · ${kind}: the address is compared, whatever became of the proof`, async () => {
      await send({ kind });
      const code = await takeCode(rig);
      const elsewhere = { ...rig.ctx, store: { ...rig.ctx.store, findUser: () => Promise.resolve({ ...alice, email: 'new@example.com' }) } };
      expect(await checkCode(elsewhere, at(tenant), BOUND, kind, code)).toEqual(not('code_expired'));
      expect(await checkCode(rig.ctx, at(tenant), BOUND, kind, code)).toMatchObject({ ok: true });
    });

    test(`${kind}: a new password voids the codes that are on their way`, async () => {
      await send({ kind });
      const code = await takeCode(rig);
      expect(await changePassword(rig.ctx, at(tenant), alice, 'another long password', { proofId: null, notice: null })).toEqual({ ok: true });
      expect(await checkCode(rig.ctx, at(tenant), BOUND, kind, code)).toEqual(not('code_expired'));
    });
  }

  test('what the tenant does not offer any more is not met', async () => {
    const rows = [['sign_in', { emailCodes: false }], ['reset', { passwords: false }]] as const;
    for (const [kind, change] of rows) {
      await send({ kind });
      const code = await takeCode(rig);
      const without = { ...tenant, people: { ...tenant.people, ...change } };
      expect(await checkCode(rig.ctx, at(without), BOUND, kind, code)).toEqual(not('code_expired'));
      expect(await checkCode(rig.ctx, at(tenant), BOUND, kind, code)).toMatchObject({ ok: true });
    }
  });

  test('RL-01, UI-13 · wrong codes count for their network as wrong passwords do', async () => {
    for (let person = 0; person < 6; person += 1) {
      await send({ user: null, boundTo: `p${person}` });
      for (let guess = 0; guess < 5; guess += 1) await check('12345678', `p${person}`);
    }
    await send();
    const code = await takeCode(rig);
    expect(await check(code)).toEqual({ ok: false, problem: 'too_many_attempts', retryAfterS: 60 });
    expect(await checkPassword(rig.ctx, at(tenant), 'bob', 'x')).toMatchObject({ problem: 'too_many_attempts' });
    expect(await checkCode(rig.ctx, at(tenant, '192.0.2.2'), BOUND, 'sign_in', code)).toMatchObject({ ok: true });
  });

  test('other kinds are not spent by being met, and bring what was kept', async () => {
    await send({ kind: 'reset', data: { note: 'x' } });
    const code = await takeCode(rig);
    for (let count = 0; count < 7; count += 1) expect(await checkCode(rig.ctx, at(tenant), BOUND, 'reset', code)).toMatchObject({ ok: true, data: { note: 'x' } });
    expect(await check(code)).toEqual(not('code_expired'));
    expect(there(await rig.ctx.store.findProof(tenant.id, BOUND, 'reset')).sealedData).not.toContain('note');
  });
});

describe('links', () => {
  async function token(): Promise<string> {
    const content = there((await takeMails(rig)).at(-1)).content;
    return 'link' in content ? there(content.link.split('/').at(-1)) : '';
  }

  test('256 bits; looked at any number of times, followed once, in the browser that asked', async () => {
    await send();
    const text = await token();
    expect(Buffer.from(text, 'base64url').length).toBe(32);
    for (let count = 0; count < 2; count += 1) expect(await openLink(rig.ctx, tenant, text)).toMatchObject({ userId: alice.id, boundTo: BOUND });
    expect(await openLink(rig.ctx, await rig.tenant('other'), text)).toBeNull();
    expect(await checkLink(rig.ctx, at(tenant), 'another', text)).toEqual(not('code_expired'));
    expect(await checkLink(rig.ctx, at(tenant), BOUND, text)).toMatchObject({ ok: true });
    expect(await checkLink(rig.ctx, at(tenant), BOUND, text)).toEqual(not('code_expired'));
    expect(await openLink(rig.ctx, tenant, text)).toBeNull();
    expect(await openLink(rig.ctx, tenant, '')).toBeNull();
  });

  test('over after ten minutes', async () => {
    await send();
    rig.clock.advance(600_000);
    expect(await openLink(rig.ctx, tenant, await token())).toBeNull();
  });
});

describe('how many', () => {
  /** Somebody signs in from an address. */
  async function signIn(ip: string): Promise<void> {
    const nowMs = rig.clock.now();
    await rig.ctx.store.openBrowserSession({
      session: {
        id: `ses_${ip}`, tenantId: tenant.id, userId: alice.id, createdAtMs: nowMs, endedAtMs: null, secretDigest: ip, authTimeMs: nowMs, amr: ['pwd'], acr: '1fa',
        lastSeenAtMs: nowMs, expiresAtMs: nowMs + 86_400_000, userAgent: null, ip,
      }, replaces: null, progress: null,
    }, { audit: [] });
  }

  /** How many mails go out, of so many asked for. */
  async function sent(asked: number, ip: string, change: Partial<CodeWish> = {}): Promise<number> {
    for (let count = 0; count < asked; count += 1) {
      expect(await send({ boundTo: `${ip} ${count}`, ...change }, ip)).toEqual({ ok: true });
      rig.clock.advance(1000);
    }
    return (await takeMails(rig)).length;
  }

  test('RL-03 · five mails an hour to one person from one network, ten from all strangers; nobody is told', async () => {
    expect(await sent(7, '192.0.2.1')).toBe(5);
    for (let count = 0; count < 4; count += 1) expect(await check('12345678', '192.0.2.1 6')).toEqual(not('wrong_code'));
    expect([await sent(4, '192.0.2.2'), await sent(4, '192.0.2.3'), await sent(1, '192.0.2.4')]).toEqual([4, 1, 0]);
    rig.clock.advance(3_600_000);
    expect(await sent(1, '192.0.2.4')).toBe(1);
  });

  test('RL-03 · what strangers ask for keeps nobody from their mail where they are signed in', async () => {
    await signIn('198.51.100.7');
    expect([await sent(6, '192.0.2.1'), await sent(6, '192.0.2.2'), await sent(6, '192.0.2.3')]).toEqual([5, 5, 0]);
    expect(await sent(7, '198.51.100.7')).toBe(5);
    expect(await sent(1, '198.51.100.8')).toBe(0);
  });

  test('RL-08 · counted in the database too: ten for strangers, twenty in all', async () => {
    await signIn('198.51.100.7');
    for (const ip of ['192.0.2.1', '192.0.2.2']) expect(await sent(5, ip)).toBe(5);
    const others = [openRig(), openRig(), openRig()];
    const asked: number[] = [];
    for (const { ctx: { attempts } } of others) {
      const ctx = { ...rig.ctx, attempts };
      for (let count = 0; count < 5; count += 1) await sendCode(ctx, at(tenant, '192.0.2.3'), wish());
      for (let count = 0; count < 5; count += 1) await sendCode(ctx, at(tenant, '198.51.100.7'), wish({ boundTo: 'own' }));
      asked.push((await takeMails(rig)).length);
    }
    expect(asked).toEqual([5, 5, 0]);
    for (const each of others) await each.close();
  });

  test('RL-04 · a network that asks for too many makes no rows either', async () => {
    for (let count = 0; count < 25; count += 1) await send({ user: null, boundTo: `b${count}` });
    const rows = async (prefix: string): Promise<number> => (await Promise.all(Array.from({ length: 25 }, async (_, count) =>
      await rig.ctx.store.findProof(tenant.id, `${prefix}${count}`, 'sign_in') !== null))).filter(Boolean).length;
    expect(await rows('b')).toBe(20);
    // Also for one that exists and got enough.
    for (let count = 0; count < 25; count += 1) await send({ boundTo: `a${count}` }, '192.0.2.9');
    expect(await rows('a')).toBe(20);
  });

  test('a code that is on its way stays good when no more are sent', async () => {
    for (let count = 0; count < 5; count += 1) {
      rig.clock.advance(1);
      await send();
    }
    const code = await takeCode(rig);
    await send();
    expect(await check(code)).toMatchObject({ ok: true });
  });

  test('UI-12 · how many wrong codes one request takes does not depend on whether there is somebody, nor on their budget', async () => {
    const asked: Record<string, Partial<CodeWish>> = {
      'somebody': { name: 'alice' }, 'nobody': { user: null, name: 'nobody' }, 'nobody again': { user: null },
    };
    // How many were asked for in other requests before, in this one, and in this one after four wrong codes.
    for (const [before, first, later, problem] of [[0, 4, 1, 'wrong_code'], [0, 5, 1, 'code_expired'], [0, 6, 2, 'code_expired'], [5, 1, 1, 'wrong_code'], [3, 4, 2, 'wrong_code']] as const) {
      for (const [index, change] of Object.values(asked).entries()) {
        rig.clock.advance(3_600_000);
        const [boundTo, ip] = [`${before} ${first} ${later} ${index}`, `198.51.${index}.1`];
        await sent(before, ip, change);
        await sent(first, ip, { ...change, boundTo });
        for (let guess = 0; guess < 4; guess += 1) expect(await check('12345678', boundTo)).toEqual(not('wrong_code'));
        await sent(later, ip, { ...change, boundTo });
        expect([boundTo, await check('12345678', boundTo)]).toEqual([boundTo, not(problem)]);
      }
    }
  });

  test('RL-03 · codes to sign in with do not use up the mails of who forgot their password, nor the other way round', async () => {
    expect([await sent(6, '192.0.2.1'), await sent(6, '192.0.2.2'), await sent(1, '192.0.2.3')]).toEqual([5, 5, 0]);
    expect([await sent(3, '192.0.2.1', { kind: 'reset' }), await sent(3, '192.0.2.3', { kind: 'reset' })]).toEqual([3, 2]);
    rig.clock.advance(3_600_000);
    expect([await sent(6, '192.0.2.1', { kind: 'reset' }), await sent(6, '192.0.2.1')]).toEqual([5, 5]);
  });

  test('twenty an hour from one network, over all people', async () => {
    for (let count = 0; count < 25; count += 1) await send({ user: null, email: `p${count}@example.com`, kind: 'register', boundTo: `b${count}` });
    expect((await takeMails(rig)).length).toBe(20);
  });
});
