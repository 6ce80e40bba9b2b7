import { guarded } from './failures.ts';
import { parseJson } from './columns.ts';
import { pairKey } from './memory.ts';
import type { AppendAudit } from './audit.ts';
import type { Connection } from './connection.ts';
import type { OpaqueToken, TokenFacts } from '../../core/model.ts';
import type { Store, TokenRecord } from '../../core/store.ts';

type TokenPart = Pick<
  Store,
  'findOpaqueToken' | 'readTokenRecord' | 'addOpaqueToken' | 'revokeTokenId' | 'revokeOpaqueToken'
>;

/** The row of an opaque token; lists as JSON text. */
export type OpaqueRow = Omit<TokenFacts, 'kind' | 'id' | 'scopes' | 'audience' | 'confirmation' | 'actor'> & {
  readonly tokenId: string | null;
  readonly scopes: string;
  readonly audience: string;
  readonly rare: string | null;
  readonly revokedAtMs: number | null;
};
type Rare = { readonly cnf?: TokenFacts['confirmation']; readonly act?: TokenFacts['actor'] };
type OpaqueValues = [
  digest: string, tenantId: string, clientId: string, subject: string, userId: string | null, scopes: string, audience: string,
  issuedAtMs: number, expiresAt: number | null, notBefore: number | null, tokenId: string | null, grantId: string | null,
  sessionId: string | null, orgId: string | null, authTime: number | null, acr: string | null, rare: string | null,
  revokedAtMs: number | null, keepUntilMs: number,
];

/** The four things that a record can say: one object each, so that asking makes none. */
const GOOD: TokenRecord = { revoked: false, grantRevoked: false };
const REVOKED: TokenRecord = { revoked: true, grantRevoked: false };
const GRANT_REVOKED: TokenRecord = { revoked: false, grantRevoked: true };
const BOTH_REVOKED: TokenRecord = { revoked: true, grantRevoked: true };

/** Columns of an opaque token's row but its digest. */
export const opaqueColumns = `tenant_id AS tenantId, client_id AS clientId, subject, user_id AS userId, scopes, audience,
      issued_at_ms AS issuedAtMs, expires_at_s AS expiresAt, not_before_s AS notBefore, token_id AS tokenId,
      grant_id AS grantId, session_id AS sessionId, org_id AS orgId, auth_time_s AS authTime, acr, rare,
      revoked_at_ms AS revokedAtMs`;

/** Stores an opaque token within the running transaction; its row stays until `keepUntilMs`. */
export type InsertOpaque = (token: OpaqueToken, keepUntilMs: number) => void;

/** Prepares the statement that stores opaque tokens. */
export function prepareOpaqueInsert({ prepare }: Connection): InsertOpaque {
  const insert = prepare<never, OpaqueValues>(`
    INSERT INTO opaque_tokens
      (digest, tenant_id, client_id, subject, user_id, scopes, audience, issued_at_ms, expires_at_s, not_before_s, token_id,
       grant_id, session_id, org_id, auth_time_s, acr, rare, revoked_at_ms, keep_until_ms)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  return ({ digest, facts, revokedAtMs }, keepUntilMs) => {
    const { confirmation, actor } = facts;
    const rare: Rare = { ...(confirmation && { cnf: confirmation }), ...(actor && { act: actor }) };
    insert.run(
      digest, facts.tenantId, facts.clientId, facts.subject, facts.userId, JSON.stringify(facts.scopes),
      JSON.stringify(facts.audience), facts.issuedAtMs, facts.expiresAt, facts.notBefore, facts.id, facts.grantId,
      facts.sessionId, facts.orgId, facts.authTime, facts.acr, confirmation || actor ? JSON.stringify(rare) : null,
      revokedAtMs, keepUntilMs,
    );
  };
}

/** Access tokens: opaque ones by digest, JWTs only by what was revoked of them. */
export function tokenPart(connection: Connection, append: AppendAudit, insertOpaque: InsertOpaque): TokenPart {
  const { writer, memory, prepare } = connection;
  const opaque = prepare<OpaqueRow, [string]>(`SELECT ${opaqueColumns} FROM opaque_tokens WHERE digest = ?`);
  const revokedId = prepare<{ found: 1 }, [string, string]>(
    'SELECT 1 AS found FROM revoked_ids WHERE tenant_id = ? AND token_id = ?',
  );
  const liveGrant = prepare<{ found: 1 }, [string, string]>(
    'SELECT 1 AS found FROM grants WHERE id = ? AND tenant_id = ? AND revoked_at_ms IS NULL',
  );
  const insertId = prepare<{ done: 1 }, [string, string, number, number]>(`
    INSERT INTO revoked_ids (tenant_id, token_id, expires_at_s, revoked_at_ms) VALUES (?, ?, ?, ?)
    ON CONFLICT DO NOTHING RETURNING 1 AS done`);
  const revokeOpaque = prepare<{ done: 1 }, [number, string]>(
    'UPDATE opaque_tokens SET revoked_at_ms = ? WHERE digest = ? AND revoked_at_ms IS NULL RETURNING 1 AS done',
  );

  function isIdRevoked(tenantId: string, tokenId: string): boolean {
    const key = pairKey(tenantId, tokenId);
    let known = memory.tokenIds.get(key);
    if (known === undefined) {
      known = revokedId.get(tenantId, tokenId) !== null;
      memory.tokenIds.set(key, known);
    }
    return known;
  }

  function isGrantDead(tenantId: string, grantId: string): boolean {
    const key = pairKey(tenantId, grantId);
    let known = memory.grants.get(key);
    if (known === undefined) {
      known = liveGrant.get(grantId, tenantId) === null;
      memory.grants.set(key, known);
    }
    return known;
  }

  return {
    findOpaqueToken: (digest) =>
      guarded(() => {
        memory.refresh();
        const known = memory.opaqueTokens.get(digest);
        if (known !== undefined) return known;
        const row = opaque.get(digest);
        if (row === null) return null;
        const token = toOpaqueToken(digest, row);
        memory.opaqueTokens.set(digest, token);
        return token;
      }),

    readTokenRecord: (tenantId, tokenId, grantId) =>
      guarded(() => {
        memory.refresh();
        const revoked = tokenId !== null && isIdRevoked(tenantId, tokenId);
        const grantRevoked = grantId !== null && isGrantDead(tenantId, grantId);
        if (revoked) return grantRevoked ? BOTH_REVOKED : REVOKED;
        return grantRevoked ? GRANT_REVOKED : GOOD;
      }),

    addOpaqueToken: (token) =>
      writer.write(() => {
        const { expiresAt } = token.facts;
        insertOpaque(token, expiresAt === null ? Number.MAX_SAFE_INTEGER : expiresAt * 1000);
      }),

    revokeTokenId: (tenantId, tokenId, expiresAt, atMs, audit) =>
      writer.write((after) => {
        const first = insertId.get(tenantId, tokenId, expiresAt, atMs) !== null;
        append(audit(first));
        if (first) {
          after(() => {
            memory.tokenIds.delete(pairKey(tenantId, tokenId));
            memory.tokenEnded();
          });
        }
        return first;
      }),

    revokeOpaqueToken: (digest, atMs, audit) =>
      writer.write((after) => {
        const first = revokeOpaque.get(atMs, digest) !== null;
        append(audit(first));
        if (first) {
          after(() => {
            memory.opaqueTokens.delete(digest);
            memory.tokenEnded();
          });
        }
        return first;
      }),
  };
}

/** An opaque token as the model has it. */
export function toOpaqueToken(digest: string, row: OpaqueRow): OpaqueToken {
  const { tokenId, scopes, audience, rare, revokedAtMs, ...facts } = row;
  const { cnf, act } = rare === null ? {} : parseJson<Rare>(rare);
  return {
    digest,
    revokedAtMs,
    facts: {
      ...facts, kind: 'access', id: tokenId, scopes: parseJson(scopes), audience: parseJson(audience),
      confirmation: cnf ?? null, actor: act ?? null,
    },
  };
}
