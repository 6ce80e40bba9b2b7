import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { Secret, TOTP } from 'otpauth';
import type { Tenant, User } from '../../../src/core/model.ts';
import {
  beginTotp, checkRecoveryCode, checkTotp, confirmTotp, currentEnrolment, makeRecoveryCodes, removeTotp, resetFactors, secondFactors,
} from '../../../src/service/credentials/second-factor.ts';
import { checkPassword } from '../../../src/service/credentials/password.ts';
import { openRig, there, type Rig } from '../rig.ts';
import { at, PASSWORD, somebody, takeMails } from './people.ts';

let rig: Rig;
let tenant: Tenant;
let alice: User;

beforeEach(async () => {
  rig = openRig();
  tenant = await rig.tenant();
  alice = await somebody(rig, tenant, 'alice', { password: null });
});
afterEach(() => rig.close());

/** What the application shows, some steps from now. */
function codeOf(secret: string, steps = 0): string {
  return new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: rig.clock.now() + steps * 30_000 });
}

async function enrol(): Promise<string> {
  const { secret } = await beginTotp(rig.ctx, at(tenant), alice);
  expect(await confirmTotp(rig.ctx, at(tenant), alice, codeOf(secret))).toMatchObject({ ok: true });
  rig.clock.advance(60_000);
  return secret;
}

const wrong = { ok: false, problem: 'wrong_code', retryAfterS: null } as const;

describe('authenticator', () => {
  test('CR-06 · enrolment: sealed secret, address and picture; counts only once confirmed', async () => {
    const begun = await beginTotp(rig.ctx, at(tenant), alice);
    expect(await currentEnrolment(rig.ctx, tenant, alice)).toEqual(begun);
    expect(begun.uri).toStartWith('otpauth://totp/acme:alice?issuer=acme&secret=');
    expect(begun.secret).toMatch(/^[A-Z2-7]{32}$/);
    expect(begun.qr).toMatch(/^<svg role="img" .*<title>.*#ffffff.*#000000/s);
    expect(there(await rig.ctx.store.findTotp(tenant.id, alice.id)).sealedSecret).not.toContain(begun.secret);
    expect(await secondFactors(rig.ctx, tenant, alice.id)).toEqual({ totp: false, recoveryCodes: 0 });
    expect(await checkTotp(rig.ctx, at(tenant), alice, codeOf(begun.secret))).toEqual(wrong);
    expect(await confirmTotp(rig.ctx, at(tenant), alice, '000000')).toEqual(wrong);
    const confirmed = await confirmTotp(rig.ctx, at(tenant), alice, codeOf(begun.secret));
    expect(confirmed.ok ? confirmed.codes.length : confirmed).toBe(10);
    expect(await secondFactors(rig.ctx, tenant, alice.id)).toEqual({ totp: true, recoveryCodes: 10 });
    expect(await currentEnrolment(rig.ctx, tenant, alice)).toBeNull();
    expect((await takeMails(rig)).map((mail) => mail.content)).toMatchObject([{ notice: 'totp_added' }, { notice: 'recovery_codes_made' }]);
    expect(await rig.events('totp_added')).toMatchObject([{ actor: alice.id }]);
  });

  test('RFC 6238 §5.2 · one step before and after now, each once, none after a later one; a confirmed one is not replaced', async () => {
    const secret = await enrol();
    for (const steps of [-2, 2]) expect(await checkTotp(rig.ctx, at(tenant), alice, codeOf(secret, steps))).toEqual(wrong);
    const code = codeOf(secret);
    expect(await checkTotp(rig.ctx, at(tenant), alice, `${code.slice(0, 3)} ${code.slice(3)}`)).toEqual({ ok: true, user: alice, amr: ['otp'], passwordChangedAtMs: null });
    expect(await checkTotp(rig.ctx, at(tenant), alice, code)).toEqual(wrong);
    expect(await checkTotp(rig.ctx, at(tenant), alice, codeOf(secret, -1))).toEqual(wrong);
    expect(await checkTotp(rig.ctx, at(tenant, '192.0.2.9'), alice, codeOf(secret, 1))).toMatchObject({ ok: true });
    await beginTotp(rig.ctx, at(tenant), alice);
    rig.clock.advance(90_000);
    expect(await checkTotp(rig.ctx, at(tenant, '192.0.2.9'), alice, codeOf(secret))).toMatchObject({ ok: true });
  });

  test('single use · of two at once one passes', async () => {
    const code = codeOf(await enrol());
    const answers = await Promise.all([checkTotp(rig.ctx, at(tenant), alice, code), checkTotp(rig.ctx, at(tenant, '192.0.2.9'), alice, code)]);
    expect(answers.filter((answer) => answer.ok).length).toBe(1);
  });

  test('UI-13 · throttled per network, apart from passwords; the whole account from thirty in ten minutes on', async () => {
    const secret = await enrol();
    for (let count = 0; count < 5; count += 1) await checkTotp(rig.ctx, at(tenant), alice, '000000');
    expect(await checkTotp(rig.ctx, at(tenant), alice, codeOf(secret))).toEqual({ ok: false, problem: 'too_many_attempts', retryAfterS: 5 });
    expect(await checkPassword(rig.ctx, at(tenant), 'alice', PASSWORD)).toMatchObject({ problem: 'wrong_credentials' });
    for (let network = 0; network < 25; network += 1) await checkTotp(rig.ctx, at(tenant, `203.0.113.${network}`), alice, '000000');
    expect(await checkTotp(rig.ctx, at(tenant, '198.51.100.1'), alice, codeOf(secret))).toMatchObject({ problem: 'too_many_attempts' });
    rig.clock.advance(600_000);
    expect(await checkTotp(rig.ctx, at(tenant, '198.51.100.1'), alice, codeOf(secret))).toMatchObject({ ok: true });
    expect(new Set((await rig.events('sign_in_failed')).map((event) => event.reason))).toEqual(new Set(['wrong_otp', 'throttled', 'no_password']));
  });

  test('RL-03, UI-13 · who has the password cannot keep its owner out: a network they are signed in from is spared, and recovery codes are', async () => {
    const secret = await enrol();
    const [recovery = ''] = await makeRecoveryCodes(rig.ctx, at(tenant), alice);
    const nowMs = rig.clock.now();
    await rig.ctx.store.openBrowserSession({
      session: {
        id: 'ses_1', tenantId: tenant.id, userId: alice.id, createdAtMs: nowMs, endedAtMs: null, secretDigest: 'secret', authTimeMs: nowMs, amr: ['pwd'], acr: '1fa',
        lastSeenAtMs: nowMs, expiresAtMs: nowMs + 3_600_000, userAgent: null, ip: '198.51.100.7',
      }, replaces: null, progress: null,
    }, { audit: [] });
    for (let network = 0; network < 30; network += 1) await checkTotp(rig.ctx, at(tenant, `203.0.113.${network}`), alice, '000000');
    for (let network = 0; network < 30; network += 1) await checkRecoveryCode(rig.ctx, at(tenant, `203.0.113.${network}`), alice, 'A'.repeat(16));
    expect(await checkTotp(rig.ctx, at(tenant, '198.51.100.1'), alice, codeOf(secret))).toMatchObject({ problem: 'too_many_attempts' });
    expect(await checkTotp(rig.ctx, at(tenant, '198.51.100.7'), alice, codeOf(secret))).toMatchObject({ ok: true });
    expect(await checkRecoveryCode(rig.ctx, at(tenant, '198.51.100.1'), alice, recovery)).toMatchObject({ ok: true });
  });

  test('who has recovery codes keeps them when an authenticator is confirmed', async () => {
    await makeRecoveryCodes(rig.ctx, at(tenant), alice);
    const { secret } = await beginTotp(rig.ctx, at(tenant), alice);
    expect(await confirmTotp(rig.ctx, at(tenant), alice, codeOf(secret))).toEqual({ ok: true, codes: [] });
  });

  test('removing it takes the recovery codes along', async () => {
    const secret = await enrol();
    rig.clock.advance(1);
    expect(await removeTotp(rig.ctx, at(tenant), alice)).toEqual({ ok: true });
    expect(await secondFactors(rig.ctx, tenant, alice.id)).toEqual({ totp: false, recoveryCodes: 0 });
    expect(await checkTotp(rig.ctx, at(tenant), alice, codeOf(secret))).toEqual(wrong);
    expect((await takeMails(rig)).map((mail) => mail.content)).toMatchObject([{ notice: 'totp_added' }, { notice: 'recovery_codes_made' }, { notice: 'totp_removed' }]);
  });
});

describe('recovery codes', () => {
  test('UI-27 · ten, readable, kept as digests, each once, however they are typed; the person hears of it', async () => {
    const codes = await makeRecoveryCodes(rig.ctx, at(tenant), alice);
    expect(codes.length).toBe(10);
    expect(new Set(codes).size).toBe(10);
    for (const code of codes) expect(code).toMatch(/^(?:[0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}$/);
    await takeMails(rig);
    const [first = '', second = ''] = codes;
    expect(await checkRecoveryCode(rig.ctx, at(tenant), alice, ` ${first.toLowerCase().replaceAll('-', ' ')}`)).toEqual({ ok: true, user: alice, amr: ['rc'], passwordChangedAtMs: null });
    expect(await checkRecoveryCode(rig.ctx, at(tenant), alice, first)).toEqual(wrong);
    expect(await checkRecoveryCode(rig.ctx, at(tenant), alice, second.replaceAll('0', 'o').replaceAll('1', 'l'))).toMatchObject({ ok: true });
    expect((await takeMails(rig)).map((mail) => mail.content)).toMatchObject([{ notice: 'recovery_code_used' }, { notice: 'recovery_code_used' }]);
    expect(await secondFactors(rig.ctx, tenant, alice.id)).toEqual({ totp: false, recoveryCodes: 8 });
    expect(JSON.stringify(await rig.events('recovery_code_used'))).not.toContain(first);
  });

  test('UI-27 · new ones void the old; another user\'s and nonsense are wrong, and throttled', async () => {
    const [old = ''] = await makeRecoveryCodes(rig.ctx, at(tenant), alice);
    const [current = ''] = await makeRecoveryCodes(rig.ctx, at(tenant), alice);
    const bob = await somebody(rig, tenant, 'bob', { password: null });
    for (const code of [old, '', 'U'.repeat(16), 'x'.repeat(5000)]) expect(await checkRecoveryCode(rig.ctx, at(tenant), alice, code)).toEqual(wrong);
    expect(await checkRecoveryCode(rig.ctx, at(tenant), bob, current)).toEqual(wrong);
    await checkRecoveryCode(rig.ctx, at(tenant), alice, old);
    expect(await checkRecoveryCode(rig.ctx, at(tenant), alice, current)).toMatchObject({ problem: 'too_many_attempts' });
  });

  test('an operator\'s reset takes all of it', async () => {
    await enrol();
    await makeRecoveryCodes(rig.ctx, at(tenant), alice);
    await resetFactors(rig.ctx, tenant, alice.id);
    expect(await secondFactors(rig.ctx, tenant, alice.id)).toEqual({ totp: false, recoveryCodes: 0 });
    expect(await rig.events('factors_reset')).toMatchObject([{ actor: 'operator', subject: alice.id }]);
  });
});
