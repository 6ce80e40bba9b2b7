import { guarded } from './failures.ts';
import type { Connection } from './connection.ts';
import type { WriteAftermath } from './outbox.ts';
import type { Proof, ProofKind } from '../../core/people.ts';
import type { Store } from '../../core/store.ts';

type ProofPart = Pick<Store, 'findProof' | 'findProofByLink' | 'countProofs' | 'createProof' | 'countProofFailure' | 'spendProof'>;
type Text = string | null;

/** What other changes do with a proof within their transaction. */
export type ProofSteps = {
  readonly isUnspent: (tenantId: string, id: string) => boolean;
  /** Compare and set; `atMs` null: as of when it was made. */
  readonly spend: (tenantId: string, id: string, atMs: number | null) => boolean;
  /** All that were sent to a user by mail and are open. `atMs` null: as of when each was made. */
  readonly spendMails: (tenantId: string, userId: string, atMs: number | null) => void;
};

/** Prepares the steps. */
export function prepareProofSteps({ prepare }: Connection): ProofSteps {
  const unspent = prepare<{ id: string }, [tenantId: string, id: string]>(
    'SELECT id FROM proofs WHERE tenant_id = ? AND id = ? AND used_at_ms IS NULL',
  );
  const spend = prepare<{ id: string }, [atMs: number | null, tenantId: string, id: string]>(`
    UPDATE proofs SET used_at_ms = coalesce(?, created_at_ms), sealed_data = NULL
    WHERE tenant_id = ? AND id = ? AND used_at_ms IS NULL RETURNING id`);
  const spendMails = prepare<never, [atMs: number | null, tenantId: string, userId: string]>(`
    UPDATE proofs SET used_at_ms = coalesce(?, created_at_ms), sealed_data = NULL
    WHERE tenant_id = ? AND user_id = ? AND used_at_ms IS NULL AND kind NOT IN ('passkey_sign_in', 'passkey_add')`);
  return {
    isUnspent: (tenantId, id) => unspent.get(tenantId, id) !== null,
    spend: (tenantId, id, atMs) => spend.get(atMs, tenantId, id) !== null,
    spendMails: (tenantId, userId, atMs) => void spendMails.run(atMs, tenantId, userId),
  };
}

/** One-time proofs under way. */
export function proofPart({ writer, prepare }: Connection, aftermath: WriteAftermath): ProofPart {
  const columns = `id, tenant_id AS tenantId, kind, user_id AS userId, bound_to AS boundTo, code_digest AS codeDigest,
    link_digest AS linkDigest, sealed_data AS sealedData, created_at_ms AS createdAtMs, expires_at_ms AS expiresAtMs, failures,
    used_at_ms AS usedAtMs`;
  const newest = prepare<Proof, [tenantId: string, boundTo: string, kind: ProofKind]>(`
    SELECT ${columns} FROM proofs WHERE tenant_id = ? AND bound_to = ? AND kind = ? ORDER BY created_at_ms DESC, rowid DESC LIMIT 1`);
  const byLink = prepare<Proof, [tenantId: string, linkDigest: string]>(
    `SELECT ${columns} FROM proofs WHERE tenant_id = ? AND link_digest = ?`,
  );
  const count = prepare<{ count: number }, [tenantId: string, userId: string, sinceMs: number]>(`
    SELECT count(*) AS count FROM proofs
    WHERE tenant_id = ? AND user_id = ? AND created_at_ms >= ? AND kind NOT IN ('passkey_sign_in', 'passkey_add')`);
  const insert = prepare<
    never,
    [string, string, ProofKind, Text, string, string, Text, Text, number, number, number, number | null]
  >(`
    INSERT INTO proofs
      (id, tenant_id, kind, user_id, bound_to, code_digest, link_digest, sealed_data, created_at_ms, expires_at_ms, failures, used_at_ms)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  const fail = prepare<{ failures: number }, [most: number, atMs: number, id: string]>(`
    UPDATE proofs SET failures = failures + 1, used_at_ms = CASE WHEN failures + 1 >= ?1 THEN ?2 END,
      sealed_data = CASE WHEN failures + 1 < ?1 THEN sealed_data END
    WHERE id = ?3 AND used_at_ms IS NULL RETURNING failures`);
  const failures = prepare<{ failures: number }, [id: string]>('SELECT failures FROM proofs WHERE id = ?');
  const spend = prepare<{ id: string }, [atMs: number, id: string]>(
    'UPDATE proofs SET used_at_ms = ?, sealed_data = NULL WHERE id = ? AND used_at_ms IS NULL RETURNING id',
  );
  return {
    findProof: (tenantId, boundTo, kind) => guarded(() => newest.get(tenantId, boundTo, kind)),
    findProofByLink: (tenantId, linkDigest) => guarded(() => byLink.get(tenantId, linkDigest)),
    countProofs: (tenantId, userId, sinceMs) => guarded(() => count.get(tenantId, userId, sinceMs)?.count ?? 0),
    createProof: (proof, report) =>
      writer.write(() => {
        insert.run(
          proof.id, proof.tenantId, proof.kind, proof.userId, proof.boundTo, proof.codeDigest, proof.linkDigest, proof.sealedData,
          proof.createdAtMs, proof.expiresAtMs, proof.failures, proof.usedAtMs,
        );
        aftermath(report);
      }),
    // Of one that is spent, or gone, the count stands still.
    countProofFailure: (id, most, atMs) =>
      writer.write(() => (fail.get(most, atMs, id) ?? failures.get(id))?.failures ?? most),
    spendProof: (id, atMs) => writer.write(() => spend.get(atMs, id) !== null),
  };
}
