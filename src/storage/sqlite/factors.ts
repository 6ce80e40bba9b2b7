import { and, eq } from 'drizzle-orm';
import { passkeys, recoveryCodes, totp } from './schema-people.ts';
import { guarded } from './failures.ts';
import { parseJson } from './columns.ts';
import type { Connection } from './connection.ts';
import type { WriteAftermath } from './outbox.ts';
import type { IsLiveUser } from './passwords.ts';
import type { ProofSteps } from './proofs.ts';
import type { Passkey, Totp } from '../../core/people.ts';
import type { Store } from '../../core/store.ts';

type PasskeyPart = Pick<Store, 'listPasskeys' | 'findPasskey' | 'addPasskey' | 'usePasskey' | 'removePasskey'>;
type SecondFactorPart = Pick<
  Store,
  | 'findTotp' | 'beginTotp' | 'confirmTotp' | 'spendTotpStep' | 'removeTotp'
  | 'countRecoveryCodes' | 'replaceRecoveryCodes' | 'spendRecoveryCode' | 'resetFactors'
>;
type PasskeyRow = Omit<Passkey, 'transports' | 'synced'> & { readonly transports: string; readonly synced: number };

/** Passkeys. */
export function passkeyPart(connection: Connection, aftermath: WriteAftermath, proofSteps: ProofSteps, isLive: IsLiveUser): PasskeyPart {
  const { orm, writer, prepare } = connection;
  const columns = `tenant_id AS tenantId, id, user_id AS userId, public_key AS publicKey, counter, transports, synced, name,
    created_at_ms AS createdAtMs, last_used_at_ms AS lastUsedAtMs`;
  const ofUser = prepare<PasskeyRow, [tenantId: string, userId: string]>(
    `SELECT ${columns} FROM passkeys WHERE tenant_id = ? AND user_id = ? ORDER BY created_at_ms, id`,
  );
  const byId = prepare<PasskeyRow, [tenantId: string, id: string]>(`SELECT ${columns} FROM passkeys WHERE tenant_id = ? AND id = ?`);
  const use = prepare<never, [counter: number, atMs: number, tenantId: string, id: string]>(
    'UPDATE passkeys SET counter = ?, last_used_at_ms = ? WHERE tenant_id = ? AND id = ?',
  );

  return {
    listPasskeys: (tenantId, userId) => guarded(() => ofUser.all(tenantId, userId).map(toPasskey)),
    findPasskey: (tenantId, id) =>
      guarded(() => {
        const row = byId.get(tenantId, id);
        return row === null ? null : toPasskey(row);
      }),

    addPasskey: (passkey, proofId, report) =>
      writer.write(() => {
        const { tenantId, id, userId, createdAtMs } = passkey;
        if (byId.get(tenantId, id) !== null || !isLive(tenantId, userId)) return false;
        if (!proofSteps.spend(tenantId, proofId, createdAtMs)) return false;
        orm.insert(passkeys).values(passkey).run();
        aftermath(report);
        return true;
      }),

    usePasskey: ({ tenantId, id, formerCounter, counter, atMs, proofId }) =>
      writer.write(() => {
        if (byId.get(tenantId, id)?.counter !== formerCounter || !proofSteps.spend(tenantId, proofId, atMs)) return false;
        use.run(counter, atMs, tenantId, id);
        return true;
      }),

    removePasskey: (tenantId, userId, id, report) =>
      writer.write(() => {
        const own = and(eq(passkeys.tenantId, tenantId), eq(passkeys.id, id), eq(passkeys.userId, userId));
        if (orm.delete(passkeys).where(own).returning({ id: passkeys.id }).all().length === 0) return false;
        aftermath(report);
        return true;
      }),
  };
}

/** Authenticator applications and recovery codes. */
export function secondFactorPart(connection: Connection, aftermath: WriteAftermath, isLive: IsLiveUser): SecondFactorPart {
  const { orm, writer, prepare } = connection;
  type User = [tenantId: string, userId: string];
  const findTotp = prepare<Totp, User>(`
    SELECT tenant_id AS tenantId, user_id AS userId, sealed_secret AS sealedSecret, created_at_ms AS createdAtMs,
      confirmed_at_ms AS confirmedAtMs, last_step AS lastStep
    FROM totp WHERE tenant_id = ? AND user_id = ?`);
  const begin = prepare<{ userId: string }, [...User, sealedSecret: string, createdAtMs: number, confirmedAtMs: number | null, lastStep: number]>(`
    INSERT INTO totp (tenant_id, user_id, sealed_secret, created_at_ms, confirmed_at_ms, last_step) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (tenant_id, user_id) DO UPDATE SET sealed_secret = excluded.sealed_secret, created_at_ms = excluded.created_at_ms,
      confirmed_at_ms = excluded.confirmed_at_ms, last_step = excluded.last_step
    WHERE totp.confirmed_at_ms IS NULL RETURNING user_id AS userId`);
  const confirm = prepare<{ userId: string }, [atMs: number, step: number, ...User, step: number]>(`
    UPDATE totp SET confirmed_at_ms = ?, last_step = ?
    WHERE tenant_id = ? AND user_id = ? AND confirmed_at_ms IS NULL AND last_step < ? RETURNING user_id AS userId`);
  // Compare and set: no time step is honoured twice (RFC 6238 §5.2).
  const spendStep = prepare<{ userId: string }, [step: number, ...User, step: number]>(`
    UPDATE totp SET last_step = ?
    WHERE tenant_id = ? AND user_id = ? AND confirmed_at_ms IS NOT NULL AND last_step < ? RETURNING user_id AS userId`);
  const countCodes = prepare<{ count: number }, User>(
    'SELECT count(*) AS count FROM recovery_codes WHERE tenant_id = ? AND user_id = ? AND used_at_ms IS NULL',
  );
  const spendCode = prepare<{ userId: string }, [atMs: number, ...User, digest: string]>(`
    UPDATE recovery_codes SET used_at_ms = ?
    WHERE tenant_id = ? AND user_id = ? AND digest = ? AND used_at_ms IS NULL RETURNING user_id AS userId`);

  /** Within a transaction. */
  function dropCodes(tenantId: string, userId: string): void {
    orm.delete(recoveryCodes).where(and(eq(recoveryCodes.tenantId, tenantId), eq(recoveryCodes.userId, userId))).run();
  }

  /** Within a transaction. */
  function replaceCodes(tenantId: string, userId: string, digests: readonly string[]): void {
    dropCodes(tenantId, userId);
    if (digests.length > 0) orm.insert(recoveryCodes).values(digests.map((digest) => ({ tenantId, userId, digest }))).run();
  }

  /** Within a transaction: whether there was one. */
  function dropTotp(tenantId: string, userId: string): boolean {
    const own = and(eq(totp.tenantId, tenantId), eq(totp.userId, userId));
    return orm.delete(totp).where(own).returning({ userId: totp.userId }).all().length > 0;
  }

  return {
    findTotp: (tenantId, userId) => guarded(() => findTotp.get(tenantId, userId)),

    beginTotp: ({ tenantId, userId, sealedSecret, createdAtMs, confirmedAtMs, lastStep }) =>
      writer.write(() => {
        if (!isLive(tenantId, userId)) return false;
        return begin.get(tenantId, userId, sealedSecret, createdAtMs, confirmedAtMs, lastStep) !== null;
      }),

    confirmTotp: (tenantId, userId, step, atMs, report, digests = []) =>
      writer.write(() => {
        if (confirm.get(atMs, step, tenantId, userId, step) === null) return false;
        if (digests.length > 0) replaceCodes(tenantId, userId, digests);
        aftermath(report);
        return true;
      }),

    spendTotpStep: (tenantId, userId, step) => writer.write(() => spendStep.get(step, tenantId, userId, step) !== null),

    removeTotp: (tenantId, userId, report) =>
      writer.write(() => {
        if (!dropTotp(tenantId, userId)) return false;
        dropCodes(tenantId, userId);
        aftermath(report);
        return true;
      }),

    countRecoveryCodes: (tenantId, userId) => guarded(() => countCodes.get(tenantId, userId)?.count ?? 0),

    replaceRecoveryCodes: (tenantId, userId, digests, report) =>
      writer.write(() => {
        // Nothing is kept about those who are deleted.
        if (!isLive(tenantId, userId)) return;
        replaceCodes(tenantId, userId, digests);
        aftermath(report);
      }),

    spendRecoveryCode: (tenantId, userId, digest, atMs, report) =>
      writer.write(() => {
        if (spendCode.get(atMs, tenantId, userId, digest) === null) return false;
        aftermath(report);
        return true;
      }),

    resetFactors: (tenantId, userId, report) =>
      writer.write(() => {
        orm.delete(passkeys).where(and(eq(passkeys.tenantId, tenantId), eq(passkeys.userId, userId))).run();
        dropTotp(tenantId, userId);
        dropCodes(tenantId, userId);
        aftermath(report);
      }),
  };
}

function toPasskey({ transports, synced, ...passkey }: PasskeyRow): Passkey {
  return { ...passkey, transports: parseJson(transports), synced: synced === 1 };
}
