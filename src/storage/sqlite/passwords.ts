import { and, eq } from 'drizzle-orm';
import { passwords } from './schema-people.ts';
import { guarded } from './failures.ts';
import type { Connection } from './connection.ts';
import type { Endings } from './endings.ts';
import type { WriteAftermath } from './outbox.ts';
import type { ProofSteps } from './proofs.ts';
import type { Password } from '../../core/people.ts';
import type { PasswordExpectation, SignInFailures } from '../../core/people-store.ts';
import type { Store } from '../../core/store.ts';

/** Networks from which somebody's password is being guessed; beyond, the one that was quiet for longest goes. */
const MOST_NETWORKS = 100;

type PasswordPart = Pick<
  Store,
  'findPassword' | 'setPassword' | 'rehashPassword' | 'removePassword' | 'findSignInFailures' | 'countSignInFailure' | 'clearSignInFailures'
>;
type PasswordRow = Omit<Password, 'mustChange'> & { readonly mustChange: number };
type FailureKey = [tenantId: string, userId: string, network: string];

/** Within a transaction: whether somebody exists and is not deleted, so that nothing is kept about those who are. */
export type IsLiveUser = (tenantId: string, userId: string) => boolean;

/** Prepares the question. */
export function prepareIsLiveUser({ prepare }: Connection): IsLiveUser {
  const live = prepare<{ id: string }, [tenantId: string, id: string]>(
    'SELECT id FROM users WHERE tenant_id = ? AND id = ? AND deleted_at_ms IS NULL',
  );
  return (tenantId, userId) => live.get(tenantId, userId) !== null;
}

/** Passwords, and the wrong ones. */
export function passwordPart(connection: Connection, aftermath: WriteAftermath, proofSteps: ProofSteps, isLive: IsLiveUser, endings: Endings): PasswordPart {
  const { orm, writer, prepare } = connection;
  const find = prepare<PasswordRow, [tenantId: string, userId: string]>(`
    SELECT tenant_id AS tenantId, user_id AS userId, digest, changed_at_ms AS changedAtMs, must_change AS mustChange
    FROM passwords WHERE tenant_id = ? AND user_id = ?`);
  const rehash = prepare<never, [digest: string, tenantId: string, userId: string, former: string]>(
    'UPDATE passwords SET digest = ? WHERE tenant_id = ? AND user_id = ? AND digest = ?',
  );
  const findFailures = prepare<SignInFailures, FailureKey>(`
    SELECT failures, last_at_ms AS lastAtMs FROM sign_in_failures WHERE tenant_id = ? AND user_id = ? AND network = ?`);
  const countFailure = prepare<SignInFailures, [...FailureKey, atMs: number]>(`
    INSERT INTO sign_in_failures (tenant_id, user_id, network, failures, last_at_ms) VALUES (?, ?, ?, 1, ?)
    ON CONFLICT (tenant_id, user_id, network)
    DO UPDATE SET failures = failures + 1, last_at_ms = max(last_at_ms, excluded.last_at_ms)
    RETURNING failures, last_at_ms AS lastAtMs`);
  const dropOldest = prepare<never, FailureKey>(`
    DELETE FROM sign_in_failures WHERE tenant_id = ?1 AND user_id = ?2 AND network IN
      (SELECT network FROM sign_in_failures WHERE tenant_id = ?1 AND user_id = ?2
       ORDER BY network = ?3 DESC, last_at_ms DESC, network LIMIT -1 OFFSET ${MOST_NETWORKS})`);
  const clearFailures = prepare<never, FailureKey>('DELETE FROM sign_in_failures WHERE tenant_id = ? AND user_id = ? AND network = ?');

  const cutoffOf = prepare<{ notBeforeMs: number }, [tenantId: string, userId: string]>(
    'SELECT not_before_ms AS notBeforeMs FROM users WHERE tenant_id = ? AND id = ? AND deleted_at_ms IS NULL AND disabled_at_ms IS NULL',
  );
  const openSession = prepare<{ id: string }, [tenantId: string, id: string, userId: string]>(
    'SELECT id FROM sessions WHERE tenant_id = ? AND id = ? AND user_id = ? AND ended_at_ms IS NULL',
  );

  /** Within a transaction. */
  function isAsExpected(tenantId: string, userId: string, { changedAtMs, notBeforeMs, sessionId }: PasswordExpectation): boolean {
    if (cutoffOf.get(tenantId, userId)?.notBeforeMs !== notBeforeMs) return false;
    if ((find.get(tenantId, userId)?.changedAtMs ?? null) !== changedAtMs) return false;
    return sessionId === null || openSession.get(tenantId, sessionId, userId) !== null;
  }

  return {
    findPassword: (tenantId, userId) =>
      guarded(() => {
        const row = find.get(tenantId, userId);
        return row === null ? null : { ...row, mustChange: row.mustChange === 1 };
      }),

    setPassword: (password, proofId, report, ending, expected) =>
      writer.write((after) => {
        const { tenantId, userId, digest, mustChange } = password;
        if (expected !== undefined && !isAsExpected(tenantId, userId, expected)) return false;
        // No two of one person changed at the same time: who proved one is told by it from who proved another.
        const changedAtMs = Math.max(password.changedAtMs, (find.get(tenantId, userId)?.changedAtMs ?? -1) + 1);
        if (!isLive(tenantId, userId)) return false;
        if (proofId !== null && !proofSteps.spend(tenantId, proofId, password.changedAtMs)) return false;
        // Codes that are on their way were for who had the former one.
        proofSteps.spendMails(tenantId, userId, password.changedAtMs);
        const target = [passwords.tenantId, passwords.userId];
        orm.insert(passwords).values({ ...password, changedAtMs }).onConflictDoUpdate({ target, set: { digest, changedAtMs, mustChange } }).run();
        if (ending !== undefined) endings.endSessionsOf({ tenantId, userId, atMs: password.changedAtMs, ...ending }, after);
        aftermath(report);
        return true;
      }),

    rehashPassword: (tenantId, userId, former, digest) => writer.write(() => void rehash.run(digest, tenantId, userId, former)),

    removePassword: (tenantId, userId, report) =>
      writer.write(() => {
        const own = and(eq(passwords.tenantId, tenantId), eq(passwords.userId, userId));
        if (orm.delete(passwords).where(own).returning({ userId: passwords.userId }).all().length > 0) aftermath(report);
      }),

    findSignInFailures: (tenantId, userId, network) => guarded(() => findFailures.get(tenantId, userId, network)),
    countSignInFailure: (tenantId, userId, network, atMs) =>
      writer.write(() => {
        const counted = countFailure.get(tenantId, userId, network, atMs) ?? { failures: 1, lastAtMs: atMs };
        dropOldest.run(tenantId, userId, network);
        return counted;
      }),
    clearSignInFailures: (tenantId, userId, network) => writer.write(() => void clearFailures.run(tenantId, userId, network)),
  };
}
