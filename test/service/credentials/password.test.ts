import { afterEach, beforeEach, describe, expect, spyOn, test } from 'bun:test';
import type { Tenant, User } from '../../../src/core/model.ts';
import { changePassword, checkPassword, nameDigest, removePassword, verifyOwnPassword } from '../../../src/service/credentials/password.ts';
import { setUserEnabled } from '../../../src/service/manage-users.ts';
import { openRig, there, wanted, type Rig } from '../rig.ts';
import { at, PASSWORD, somebody, takeMails } from './people.ts';

let rig: Rig;
let tenant: Tenant;
let alice: User;
const pauses: number[] = [];

beforeEach(async () => {
  pauses.length = 0;
  rig = openRig({
    pause: (ms) => {
      pauses.push(ms);
      return Promise.resolve();
    },
  });
  tenant = await rig.tenant();
  alice = await somebody(rig, tenant, 'alice');
});
afterEach(() => rig.close());

const wrong = { ok: false, problem: 'wrong_credentials', retryAfterS: null } as const;

async function failTimes(times: number, name = 'alice', ip = '192.0.2.1'): Promise<void> {
  for (let count = 0; count < times; count += 1) await checkPassword(rig.ctx, at(tenant, ip), name, 'wrong');
}

describe('who signs in', () => {
  test('UI-12 · by username in any letter case, or by the verified address', async () => {
    for (const name of ['alice', 'ALICE', ' alice ', 'Alice@Example.com']) {
      expect(await checkPassword(rig.ctx, at(tenant), name, PASSWORD)).toEqual({ ok: true, user: alice, amr: ['pwd'], passwordChangedAtMs: rig.clock.now() });
    }
  });

  test('UI-12 · an address that is not verified, or that two have, is no name', async () => {
    await somebody(rig, tenant, 'bob', { email: 'shared@example.com' });
    await somebody(rig, tenant, 'carol', { email: 'shared@example.com' });
    await somebody(rig, tenant, 'dora', { verified: false });
    for (const name of ['shared@example.com', 'dora@example.com']) expect(await checkPassword(rig.ctx, at(tenant), name, PASSWORD)).toEqual(wrong);
  });

  test('UI-16 · composed and decomposed letters are the same password; case, spaces and length count', async () => {
    await somebody(rig, tenant, 'eve', { password: 'Amélie  mélange ' });
    expect(await checkPassword(rig.ctx, at(tenant), 'eve', 'Ame\u0301lie  me\u0301lange ')).toMatchObject({ ok: true });
    for (const other of ['amélie  mélange ', 'Amélie  mélange', 'Amélie mélange ', 'Amélie  mélange x']) {
      expect(await checkPassword(rig.ctx, at(tenant, `203.0.113.${other.length}`), 'eve', other)).toEqual(wrong);
    }
  });
});

describe('what is wrong looks the same', () => {
  test('UI-12 · unknown user, wrong password, disabled user, no password, nonsense: one outcome, one hash each', async () => {
    await somebody(rig, tenant, 'nopass', { password: null });
    const off = await somebody(rig, tenant, 'off');
    wanted(await setUserEnabled(rig.ctx, tenant, off.id, false));
    const spy = spyOn(Bun.password, 'verify');
    const rows = [['alice', 'wrong'], ['nobody', PASSWORD], ['off', PASSWORD], ['nopass', PASSWORD], ['', ''], ['alice', ''], ['alice', 'x'.repeat(5000)], ['x'.repeat(5000), 'y'], ["' OR 1=1--", '\0']] as const;
    for (const [name, password] of rows) {
      const before = spy.mock.calls.length;
      expect(await checkPassword(rig.ctx, at(tenant), name, password)).toEqual(wrong);
      expect(spy.mock.calls.length - before).toBe(1);
    }
    spy.mockRestore();
    const events = await rig.events('sign_in_failed');
    expect(new Set(events.map((event) => event.reason))).toEqual(new Set(['wrong_password', 'unknown_user', 'user_disabled', 'no_password']));
    expect(events.filter((event) => event.reason === 'unknown_user').every((event) => event.actor === null && event.subject === null)).toBe(true);
    expect(JSON.stringify(events)).not.toContain(PASSWORD);
  });

  test('UI-12 · the times are alike, known or not', async () => {
    const time = async (name: string): Promise<number> => {
      const start = performance.now();
      await checkPassword({ ...rig.ctx, settings: { ...rig.ctx.settings, rateLimits: false } }, at(tenant), name, 'wrong');
      return performance.now() - start;
    };
    const known: number[] = [];
    const unknown: number[] = [];
    for (let round = 0; round < 12; round += 1) {
      known.push(await time('alice'));
      unknown.push(await time('nobody'));
    }
    const median = (times: number[]): number => there(times.toSorted((a, b) => a - b)[6]);
    // A missing hash would be a factor of ten.
    expect(median(known) / median(unknown)).toBeWithin(0.4, 2.5);
  });

  test('UI-12 · a tenant without passwords has none that is right', async () => {
    const without = { ...tenant, people: { ...tenant.people, passwords: false } };
    expect(await checkPassword(rig.ctx, at(without), 'alice', PASSWORD)).toEqual(wrong);
  });

  test('MTN · another tenant knows nobody of this one', async () => {
    expect(await checkPassword(rig.ctx, at(await rig.tenant('other')), 'alice', PASSWORD)).toEqual(wrong);
  });
});

describe('guessing', () => {
  for (const name of ['alice', 'nobody']) {
    test(`UI-13 · ${name}: four failures are free, then 5 s, 10 s, 20 s, without a hash; all is forgotten after an hour`, async () => {
      await failTimes(5, name);
      const spy = spyOn(Bun.password, 'verify');
      expect(await checkPassword(rig.ctx, at(tenant), name, PASSWORD)).toEqual({ ok: false, problem: 'too_many_attempts', retryAfterS: 5 });
      expect(spy).not.toHaveBeenCalled();
      spy.mockRestore();
      for (const seconds of [10, 20, 40]) {
        rig.clock.advance(seconds * 500);
        await failTimes(1, name);
        expect(await checkPassword(rig.ctx, at(tenant), name, 'x')).toEqual({ ok: false, problem: 'too_many_attempts', retryAfterS: seconds });
      }
      rig.clock.advance(3_600_000);
      await failTimes(4, name);
      expect(await checkPassword(rig.ctx, at(tenant), name, 'x')).toEqual(wrong);
      expect((await rig.events('sign_in_failed')).some((event) => event.reason === 'throttled')).toBe(true);
    });
  }

  test('RL-03 · from elsewhere the right password goes on working; one IPv6 network counts as one', async () => {
    await failTimes(5, 'alice', '2001:db8:1:2::1');
    expect(await checkPassword(rig.ctx, at(tenant, '2001:db8:1:2:ffff::9'), 'alice', PASSWORD)).toMatchObject({ problem: 'too_many_attempts' });
    expect(await checkPassword(rig.ctx, at(tenant, '2001:db8:1:3::1'), 'alice', PASSWORD)).toMatchObject({ ok: true });
    expect(await checkPassword(rig.ctx, at(tenant, '2001:db8:1:2::1'), 'alice', PASSWORD)).toMatchObject({ problem: 'too_many_attempts' });
  });

  test('UI-13 · success clears the count of that network', async () => {
    await failTimes(4);
    expect(await checkPassword(rig.ctx, at(tenant), 'alice', PASSWORD)).toMatchObject({ ok: true });
    await failTimes(4);
    expect(await checkPassword(rig.ctx, at(tenant), 'alice', PASSWORD)).toMatchObject({ ok: true });
  });

  test('RL-08 · the count of an account is in the database, and outlives a restart', async () => {
    await failTimes(5);
    expect(await rig.ctx.store.findSignInFailures(tenant.id, alice.id, `192.0.2.1 ${nameDigest('alice')}`)).toMatchObject({ failures: 5 });
    const restarted = openRig();
    const ctx = { ...rig.ctx, attempts: restarted.ctx.attempts };
    expect(await checkPassword(ctx, at(tenant), 'ALICE', PASSWORD)).toMatchObject({ problem: 'too_many_attempts' });
    await restarted.close();
  });

  test('UI-12 · two names of one account are counted apart, as two that nobody has are', async () => {
    const ctx = { ...rig.ctx, peoplePasswords: { ...rig.ctx.peoplePasswords, verify: () => Promise.resolve(false) } };
    const fail = (name: string, ip?: string): ReturnType<typeof checkPassword> => checkPassword(ctx, at(tenant, ip), name, 'wrong');
    for (const [first, second] of [['alice@example.com', 'alice'], ['nobody@example.com', 'nobody']] as const) {
      for (let count = 0; count < 5; count += 1) await fail(first);
      expect(await fail(first)).toMatchObject({ problem: 'too_many_attempts' });
      expect(await fail(second)).toEqual(wrong);
      for (let network = 0; network < 22; network += 1) await fail(first, `203.0.113.${network}`);
      expect(pauses).not.toEqual([]);
      pauses.length = 0;
      await fail(second, '203.0.113.99');
      expect(pauses).toEqual([]);
      rig.clock.advance(60_000);
    }
  });

  test('INT-90 · a password that was replaced while somebody waited opens nothing; which one was proved is told', async () => {
    await failTimes(1);
    let waited = false;
    const ctx = { ...rig.ctx, attempts: { ...rig.ctx.attempts, pause: async () => {
      waited = true;
      await changePassword(rig.ctx, at(tenant), alice, 'another long password', { proofId: null, notice: null });
    } } };
    for (let network = 0; network < 21; network += 1) await failTimes(1, 'alice', `203.0.113.${network}`);
    rig.clock.advance(1);
    expect(await checkPassword(ctx, at(tenant), 'alice', PASSWORD)).toEqual(wrong);
    expect(waited).toBe(true);
    const { changedAtMs } = there(await rig.ctx.store.findPassword(tenant.id, alice.id));
    expect(await checkPassword(rig.ctx, at(tenant), 'alice', 'another long password')).toMatchObject({ ok: true, passwordChangedAtMs: changedAtMs });
    expect(await verifyOwnPassword(rig.ctx, at(tenant), alice, 'another long password')).toMatchObject({ passwordChangedAtMs: changedAtMs });
  });

  for (const name of ['alice', 'nobody']) {
    test(`UI-13 · ${name}: guesses sent together do not overtake the count`, async () => {
      const answers = await Promise.all(Array.from({ length: 12 }, () => checkPassword(rig.ctx, at(tenant), name, 'wrong')));
      expect(answers.filter((answer) => !answer.ok && answer.problem === 'wrong_credentials').length).toBe(5);
    });
  }

  test('UI-13 · thirty failures a minute from one network, over all names', async () => {
    for (let count = 0; count < 30; count += 1) await failTimes(1, `name${count}`);
    expect(await checkPassword(rig.ctx, at(tenant), 'alice', PASSWORD)).toMatchObject({ problem: 'too_many_attempts', retryAfterS: 60 });
    expect(await checkPassword(rig.ctx, at(tenant, '192.0.2.2'), 'alice', PASSWORD)).toMatchObject({ ok: true });
    rig.clock.advance(60_000);
    expect(await checkPassword(rig.ctx, at(tenant), 'alice', PASSWORD)).toMatchObject({ ok: true });
  });

  test('UI-13 · an account tried from everywhere answers a little later, and is never closed', async () => {
    for (let network = 0; network < 22; network += 1) await failTimes(1, 'alice', `203.0.113.${network}`);
    expect(pauses).toEqual([50]);
    expect(await checkPassword(rig.ctx, at(tenant), 'alice', PASSWORD)).toMatchObject({ ok: true });
    expect(pauses).toEqual([50, 100]);
  });

  test('RL-05 · a full queue says busy and counts nothing', async () => {
    const full = { ...rig.ctx, peoplePasswords: { ...rig.ctx.peoplePasswords, full: () => true } };
    for (let count = 0; count < 6; count += 1) {
      expect(await checkPassword(full, at(tenant), 'alice', PASSWORD)).toEqual({ ok: false, problem: 'busy', retryAfterS: null });
    }
    expect(await checkPassword(rig.ctx, at(tenant), 'alice', PASSWORD)).toMatchObject({ ok: true });
  });

  test('rate limits switched off count nothing', async () => {
    const free = { ...rig.ctx, settings: { ...rig.ctx.settings, rateLimits: false } };
    for (let count = 0; count < 8; count += 1) expect(await checkPassword(free, at(tenant), 'alice', 'wrong')).toEqual(wrong);
  });
});

describe('setting one', () => {
  const options = { proofId: null, notice: 'password_changed' } as const;

  test('UI-14, UI-15 · short, long, common, own name and the present one are refused; nothing changes', async () => {
    const rows = [
      ['elevenchars', 'password_short'], ['💂💂💂💂💂💂', 'password_short'], ['x'.repeat(1025), 'password_long'], ['é'.repeat(513), 'password_long'],
      ['password1234', 'password_common'], ['alice@example.com', 'password_common'], [PASSWORD, 'password_same'],
    ] as const;
    for (const [password, problem] of rows) {
      expect(await changePassword(rig.ctx, at(tenant), alice, password, options)).toEqual({ ok: false, problem, retryAfterS: null });
    }
    expect(await takeMails(rig)).toEqual([]);
    expect(await verifyOwnPassword(rig.ctx, at(tenant), alice, PASSWORD)).toMatchObject({ ok: true });
  });

  test('UI-14 · 1,024 bytes of anything, all of them counting', async () => {
    const long = 'Zażółć gęślą jaźń 🎺 '.repeat(40).slice(0, 600);
    expect(await changePassword(rig.ctx, at(tenant), alice, long, options)).toEqual({ ok: true });
    expect(await verifyOwnPassword(rig.ctx, at(tenant), alice, long)).toMatchObject({ ok: true });
    expect(await verifyOwnPassword(rig.ctx, at(tenant), alice, `${long}x`)).toEqual({ ok: false, problem: 'wrong_password', retryAfterS: null });
  });

  test('UI-25 · the person hears of it, in the same transaction; the trail names no secret', async () => {
    await changePassword(rig.ctx, at(tenant), alice, 'another long password', options);
    expect(await takeMails(rig)).toMatchObject([{
      to: 'alice@example.com',
      content: { kind: 'notice', notice: 'password_changed', device: 'Firefox on Linux', ip: '192.0.2.1', link: 'https://id.example.com/t/acme/account' },
    }]);
    const [, set] = await rig.events('password_set');
    expect(set).toMatchObject({ actor: alice.id, subject: alice.id, ip: '192.0.2.1', requestId: 'req_1' });
  });

  test('RL-05 · one at a time for one person; the others are told to come again', async () => {
    const made = await Promise.all(Array.from({ length: 20 }, (_, number) => changePassword(rig.ctx, at(tenant), alice, `another long password ${number}`, options)));
    expect(made.filter((each) => each.ok).length).toBe(1);
    expect(made.filter((each) => !each.ok && each.problem === 'busy').length).toBe(19);
    expect(await changePassword(rig.ctx, at(tenant), alice, 'the last long password', options)).toEqual({ ok: true });
  });

  test('removing · not the last way in', async () => {
    expect(await removePassword(rig.ctx, at(tenant), alice)).toEqual({ ok: true });
    const unverified = await somebody(rig, tenant, 'frank', { verified: false });
    expect(await removePassword(rig.ctx, at(tenant), unverified)).toMatchObject({ ok: false });
    expect(await checkPassword(rig.ctx, at(tenant), 'alice', PASSWORD)).toEqual(wrong);
  });

  test('CR-01 · a digest of other parameters is made anew by a success', async () => {
    const weak = await Bun.password.hash(PASSWORD, { algorithm: 'argon2id', memoryCost: 8192, timeCost: 1 });
    await rig.ctx.store.setPassword({ tenantId: tenant.id, userId: alice.id, digest: weak, changedAtMs: 1, mustChange: true }, null, { audit: [] });
    expect(await checkPassword(rig.ctx, at(tenant), 'alice', 'wrong')).toEqual(wrong);
    expect(await checkPassword(rig.ctx, at(tenant), 'alice', PASSWORD)).toMatchObject({ ok: true });
    expect(await rig.ctx.store.findPassword(tenant.id, alice.id)).toMatchObject({ digest: expect.stringMatching(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/), mustChange: true });
    expect(await checkPassword(rig.ctx, at(tenant), 'alice', PASSWORD)).toMatchObject({ ok: true });
  });
});
