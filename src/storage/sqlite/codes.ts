import { guarded } from './failures.ts';
import { parseJson } from './columns.ts';
import type { AppendAudit } from './audit.ts';
import type { Connection } from './connection.ts';
import type { Endings } from './endings.ts';
import type { InteractionSteps } from './interactions.ts';
import type { Openings } from './openings.ts';
import type { AuthorizationCode, Consent } from '../../core/people.ts';
import type { Store } from '../../core/store.ts';

type CodePart = Pick<
  Store,
  'findCode' | 'issueCode' | 'redeemCode' | 'countCodeFailure' | 'findConsents' | 'listConsents' | 'withdrawConsent'
>;
type CodeRow = Omit<AuthorizationCode, 'scopes' | 'resources' | 'offline' | 'amr'> & {
  readonly scopes: string;
  readonly resources: string;
  readonly offline: number;
  readonly amr: string;
};
type ConsentRow = Omit<Consent, 'scopes'> & { readonly scopes: string };
type ConsentKey = [tenantId: string, userId: string, clientId: string];
type Text = string | null;
type CodeValues = [
  digest: string, tenantId: string, clientId: string, userId: string, sessionId: string, sessionEndsAtMs: number, orgId: Text,
  redirectUri: Text, challenge: Text, nonce: Text, scopes: string, resources: string, offline: boolean, authTime: number, acr: string,
  amr: string, issuedAtMs: number, expiresAtMs: number, usedAtMs: number | null, failures: number, grantId: Text,
];

/** Authorization codes, and what people allowed for good. */
export function codePart(
  { writer, prepare }: Connection,
  append: AppendAudit,
  openings: Openings,
  endings: Endings,
  interactions: InteractionSteps,
): CodePart {
  const find = prepare<CodeRow, [digest: string]>(`
    SELECT digest, tenant_id AS tenantId, client_id AS clientId, user_id AS userId, session_id AS sessionId,
      session_ends_at_ms AS sessionEndsAtMs, org_id AS orgId, redirect_uri AS redirectUri, challenge, nonce, scopes, resources, offline,
      auth_time_s AS authTime, acr, amr, issued_at_ms AS issuedAtMs, expires_at_ms AS expiresAtMs, used_at_ms AS usedAtMs, failures, grant_id AS grantId
    FROM codes WHERE digest = ?`);
  const insert = prepare<never, CodeValues>(`
    INSERT INTO codes
      (digest, tenant_id, client_id, user_id, session_id, session_ends_at_ms, org_id, redirect_uri, challenge, nonce, scopes, resources, offline,
       auth_time_s, acr, amr, issued_at_ms, expires_at_ms, used_at_ms, failures, grant_id)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  const unspent = prepare<{ digest: string }, [digest: string, tenantId: string]>(
    'SELECT digest FROM codes WHERE digest = ? AND tenant_id = ? AND used_at_ms IS NULL',
  );
  const spend = prepare<never, [atMs: number, grantId: string, digest: string, tenantId: string]>(
    'UPDATE codes SET used_at_ms = ?, grant_id = ? WHERE digest = ? AND tenant_id = ? AND used_at_ms IS NULL',
  );
  const fail = prepare<never, [most: number, atMs: number, digest: string]>(`
    UPDATE codes SET failures = failures + 1, used_at_ms = CASE WHEN failures + 1 >= ?1 THEN ?2 END
    WHERE digest = ?3 AND used_at_ms IS NULL`);
  const spendOf = prepare<never, [atMs: number, ...ConsentKey]>(
    'UPDATE codes SET used_at_ms = ? WHERE tenant_id = ? AND user_id = ? AND client_id = ? AND used_at_ms IS NULL',
  );

  const consentColumns = `tenant_id AS tenantId, user_id AS userId, client_id AS clientId, resource_key AS resourceKey, org_id AS orgId,
    scopes, created_at_ms AS createdAtMs, updated_at_ms AS updatedAtMs`;
  const consentsOf = prepare<ConsentRow, ConsentKey>(`
    SELECT ${consentColumns} FROM consents WHERE tenant_id = ? AND user_id = ? AND client_id = ? ORDER BY resource_key, org_id`);
  const allConsents = prepare<ConsentRow, [tenantId: string, userId: string]>(`
    SELECT ${consentColumns} FROM consents WHERE tenant_id = ? AND user_id = ? ORDER BY client_id, resource_key, org_id`);
  const knownScopes = prepare<{ scopes: string }, [...ConsentKey, resourceKey: string, orgId: string]>(`
    SELECT scopes FROM consents WHERE tenant_id = ? AND user_id = ? AND client_id = ? AND resource_key = ? AND org_id = ?`);
  const putConsent = prepare<never, [...ConsentKey, resourceKey: string, orgId: string, scopes: string, createdMs: number, updatedMs: number]>(`
    INSERT INTO consents (tenant_id, user_id, client_id, resource_key, org_id, scopes, created_at_ms, updated_at_ms)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (tenant_id, user_id, client_id, resource_key, org_id)
    DO UPDATE SET scopes = excluded.scopes, updated_at_ms = excluded.updated_at_ms`);
  const dropConsents = prepare<never, ConsentKey>('DELETE FROM consents WHERE tenant_id = ? AND user_id = ? AND client_id = ?');

  /** Within a transaction: what was allowed before stays allowed. */
  function remember({ tenantId, userId, clientId, resourceKey, orgId, scopes, createdAtMs, updatedAtMs }: Consent): void {
    const known = knownScopes.get(tenantId, userId, clientId, resourceKey, orgId);
    const all = new Set([...(known === null ? [] : parseJson<readonly string[]>(known.scopes)), ...scopes]);
    putConsent.run(tenantId, userId, clientId, resourceKey, orgId, JSON.stringify([...all]), createdAtMs, updatedAtMs);
  }

  return {
    findCode: (digest) =>
      guarded(() => {
        const row = find.get(digest);
        return row === null ? null : toCode(row);
      }),

    issueCode: ({ code, interactionDigest, consent }, audit) =>
      writer.write(() => {
        if (!openings.isUsable(code.tenantId, code.sessionId, code.userId)) return false;
        if (interactionDigest !== null && !interactions.finish(interactionDigest, code.issuedAtMs)) return false;
        insert.run(
          code.digest, code.tenantId, code.clientId, code.userId, code.sessionId, code.sessionEndsAtMs, code.orgId, code.redirectUri,
          code.challenge, code.nonce, JSON.stringify(code.scopes), JSON.stringify(code.resources), code.offline, code.authTime, code.acr, JSON.stringify(code.amr),
          code.issuedAtMs, code.expiresAtMs, code.usedAtMs, code.failures, code.grantId,
        );
        if (consent !== null) remember(consent);
        append(audit);
        return true;
      }),

    redeemCode: ({ digest, atMs, grant, refresh, access }, audit) =>
      writer.write((after) => {
        // Nobody writes between this and `spend`: one transaction. What was spent is told as spent, whatever became of its session (TAC-10).
        if (unspent.get(digest, grant.tenantId) === null) return 'spent';
        if (!openings.open({ session: null, grant, refresh, access }, after)) return 'session_unusable';
        spend.run(atMs, grant.id, digest, grant.tenantId);
        append(audit);
        return 'redeemed';
      }),

    countCodeFailure: (digest, most, atMs) => writer.write(() => void fail.run(most, atMs, digest)),

    findConsents: (tenantId, userId, clientId) => guarded(() => consentsOf.all(tenantId, userId, clientId).map(toConsent)),
    listConsents: (tenantId, userId) => guarded(() => allConsents.all(tenantId, userId).map(toConsent)),

    withdrawConsent: ({ tenantId, userId, clientId, atMs }, audit) =>
      writer.write((after) => {
        dropConsents.run(tenantId, userId, clientId);
        spendOf.run(atMs, tenantId, userId, clientId);
        const fallen = endings.endGrantsOf({ tenantId, userId, clientId, atMs }, after);
        append(audit(fallen));
        return fallen;
      }),
  };
}

function toCode(row: CodeRow): AuthorizationCode {
  return {
    ...row, scopes: parseJson(row.scopes), resources: parseJson(row.resources), offline: row.offline === 1, amr: parseJson(row.amr),
  };
}

function toConsent({ scopes, ...consent }: ConsentRow): Consent {
  return { ...consent, scopes: parseJson(scopes) };
}
