import type { Tenant, User } from '../../core/model.ts';
import type { Aftermath } from '../../core/people-store.ts';
import type { MailNotice } from '../../core/people-words.ts';
import { RECOVERY_CODE_BYTES, readDigits, readRecoveryCode, recoveryCodeFrom } from '../../credentials/codes.ts';
import { describeEnrolment, findTotpStep, TOTP_SECRET_BYTES, totpSecretFrom, type Enrolment } from '../../credentials/totp.ts';
import { auditEvent } from '../../core/audit-event.ts';
import { sealedFor } from '../../core/sealed.ts';
import { seal, unseal } from '../../keys/seal.ts';
import { digestOf } from '../../tokens/digest.ts';
import type { Context } from '../context.ts';
import { tryGuess, type Verdict } from './guesses.ts';
import { isKnownNetwork } from './known-networks.ts';
import { withNotice } from './mails.ts';
import { acted, failed, isLive, noteFailure, personEvent, type Act, type Failed, type Person, type Proven } from './outcome.ts';

const RECOVERY_CODES = 10;

/** What somebody has beside their first factor. @throws StoreError */
export async function secondFactors(ctx: Pick<Context, 'store'>, tenant: Tenant, userId: string): Promise<{ readonly totp: boolean; readonly recoveryCodes: number }> {
  const totp = await ctx.store.findTotp(tenant.id, userId);
  return { totp: totp !== null && totp.confirmedAtMs !== null, recoveryCodes: await ctx.store.countRecoveryCodes(tenant.id, userId) };
}

/** Proves a code of an authenticator; each time step is honoured once (RFC 6238 §5.2). @throws StoreError, UnsealError */
export async function checkTotp(ctx: Context, person: Person, user: User, code: string): Promise<Proven> {
  const verdict = await trySecondFactor(ctx, person, user, 'totp', async () => {
    const totp = await ctx.store.findTotp(user.tenantId, user.id);
    if (!isLive(user) || totp === null || totp.confirmedAtMs === null) return false;
    const step = stepOf(ctx, user, totp.sealedSecret, code);
    return step !== null && step > totp.lastStep && ctx.store.spendTotpStep(user.tenantId, user.id, step);
  });
  return verdict === null ? { ok: true, user, amr: ['otp'], passwordChangedAtMs: null } : refuse(ctx, person, user, 'wrong_otp', verdict);
}

/** Proves, and spends, a recovery code (UI-27); its owner hears of it. @throws StoreError */
export async function checkRecoveryCode(ctx: Context, person: Person, user: User, code: string): Promise<Proven> {
  const verdict = await trySecondFactor(ctx, person, user, 'recovery_code', async () => {
    const plain = readRecoveryCode(code);
    if (!isLive(user) || plain === null) return false;
    const after = withNotice(ctx, person, user, 'recovery_code_used', [personEvent(ctx, person, 'recovery_code_used', user.id)]);
    return ctx.store.spendRecoveryCode(user.tenantId, user.id, digestOf(plain), ctx.clock.now(), after);
  });
  return verdict === null ? { ok: true, user, amr: ['rc'], passwordChangedAtMs: null } : refuse(ctx, person, user, 'wrong_recovery_code', verdict);
}

/** null: it was right. */
async function trySecondFactor(ctx: Context, person: Person, user: User, kind: 'totp' | 'recovery_code', prove: () => Promise<boolean>): Promise<Failed | null> {
  const spared = await isKnownNetwork(ctx, person, user);
  const verdict: Verdict = await tryGuess(ctx, person, { kind, userId: user.id, name: '', spared }, () => false, prove);
  if (verdict === 'right') return null;
  return verdict === 'wrong' ? failed('wrong_code') : verdict;
}

function refuse(ctx: Context, person: Person, user: User, reason: string, why: Failed): Failed {
  noteFailure(ctx, person, user.id, why.problem === 'wrong_code' ? reason : 'throttled');
  return why;
}

/** @returns null: no code, or none of now */
function stepOf(ctx: Context, user: User, sealedSecret: string, code: string): number | null {
  const digits = readDigits(code, 'totp');
  return digits === null ? null : findTotpStep(unseal(ctx.master, sealedFor.totp(user.tenantId, user.id), sealedSecret), digits, ctx.clock.now());
}

/** Begins the enrolment of an authenticator; one that began before is forgotten, a confirmed one stays as it is. @throws StoreError, UnsealError */
export async function beginTotp(ctx: Context, person: Person, user: User): Promise<Enrolment> {
  const secret = totpSecretFrom(ctx.random.text(TOTP_SECRET_BYTES));
  await ctx.store.beginTotp({
    tenantId: user.tenantId, userId: user.id, sealedSecret: seal(ctx.master, sealedFor.totp(user.tenantId, user.id), secret),
    createdAtMs: ctx.clock.now(), confirmedAtMs: null, lastStep: 0,
  });
  return describeEnrolment(secret, person.tenant.name, user.username);
}

/** An enrolment that waits for its first code; null: none does. @throws StoreError, UnsealError */
export async function currentEnrolment(ctx: Context, tenant: Tenant, user: User): Promise<Enrolment | null> {
  const totp = await ctx.store.findTotp(tenant.id, user.id);
  if (totp === null || totp.confirmedAtMs !== null) return null;
  return describeEnrolment(unseal(ctx.master, sealedFor.totp(user.tenantId, user.id), totp.sealedSecret), tenant.name, user.username);
}

/** An authenticator counts. `codes`: recovery codes that were made with it, never to be seen again; none: there were some. */
export type TotpConfirmed = { readonly ok: true; readonly codes: readonly string[] };

/** The first code of an authenticator: from now on it counts, and who has no recovery codes has some with it. @throws StoreError, UnsealError */
export async function confirmTotp(ctx: Context, person: Person, user: User, code: string): Promise<TotpConfirmed | Failed> {
  const codes = await ctx.store.countRecoveryCodes(user.tenantId, user.id) > 0 ? [] : freshCodes(ctx);
  const verdict = await trySecondFactor(ctx, person, user, 'totp', async () => {
    const totp = await ctx.store.findTotp(user.tenantId, user.id);
    if (totp === null || totp.confirmedAtMs !== null) return false;
    const step = stepOf(ctx, user, totp.sealedSecret, code);
    if (step === null) return false;
    const notices = codes.length === 0 ? ['totp_added'] as const : ['totp_added', 'recovery_codes_made'] as const;
    return ctx.store.confirmTotp(user.tenantId, user.id, step, ctx.clock.now(), together(notices.map((type) => noticed(ctx, person, user, type))), codes.map(digestOfCode));
  });
  return verdict ?? { ok: true, codes };
}

/** Switches the second factor off; recovery codes stand in for it and go with it. @throws StoreError */
export async function removeTotp(ctx: Context, person: Person, user: User): Promise<Act> {
  await ctx.store.removeTotp(user.tenantId, user.id, noticed(ctx, person, user, 'totp_removed'));
  return acted;
}

function freshCodes(ctx: Pick<Context, 'random'>): readonly string[] {
  return Array.from({ length: RECOVERY_CODES }, () => recoveryCodeFrom(ctx.random.text(RECOVERY_CODE_BYTES)));
}

function digestOfCode(code: string): string {
  return digestOf(readRecoveryCode(code) ?? '');
}

/** What goes with several changes that are one. */
function together(aftermaths: readonly Aftermath[]): Aftermath {
  return { audit: aftermaths.flatMap(({ audit }) => audit), outbox: aftermaths.flatMap(({ outbox = [] }) => outbox) };
}

/** Ten new recovery codes; the former ones are worth nothing. Nobody can show them again. @throws StoreError */
export async function makeRecoveryCodes(ctx: Context, person: Person, user: User): Promise<readonly string[]> {
  const codes = freshCodes(ctx);
  await ctx.store.replaceRecoveryCodes(user.tenantId, user.id, codes.map(digestOfCode), noticed(ctx, person, user, 'recovery_codes_made'));
  return codes;
}

function noticed(ctx: Context, person: Person, user: User, type: MailNotice & ('totp_added' | 'totp_removed' | 'recovery_codes_made')): Aftermath {
  return withNotice(ctx, person, user, type, [personEvent(ctx, person, type, user.id)]);
}

/** Passkeys, authenticator and recovery codes of somebody who lost them go, by whoever operates. @throws StoreError */
export async function resetFactors(ctx: Pick<Context, 'store' | 'clock' | 'by'>, tenant: Tenant, userId: string): Promise<void> {
  await ctx.store.resetFactors(tenant.id, userId, {
    audit: [auditEvent({ timeMs: ctx.clock.now(), type: 'factors_reset', tenant: tenant.slug, ...ctx.by, subject: userId })],
  });
}
