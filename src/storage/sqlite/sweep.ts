import { ACTIVITY_KEPT_MS } from './activity.ts';
import type { Connection } from './connection.ts';
import type { Overdue } from './overdue.ts';
import { pairKey } from './memory.ts';
import { REPLY_KEPT_MS } from './replies.ts';
import { DELIVERY_KEPT_MS } from './webhooks.ts';
import type { Store } from '../../core/store.ts';

/** Milliseconds that a row outlives its token, for clocks that disagree (TM-07, REV-26). */
const SKEW_MS = 60_000;
/** Milliseconds after which no spent refresh token is answered with its successor any more (TRT-10: the grace is at most this). */
const LONGEST_GRACE_MS = 60_000;
/** Milliseconds that an ended client secret stays to be seen. */
const ENDED_SECRET_MS = 86_400_000;
/** Milliseconds that a used code stays after its expiry, so that a replay still ends what came of it (TAC-10). */
const USED_CODE_MS = 600_000;
/** Milliseconds that expired proofs by mail stay, as they are counted against floods. */
const COUNTED_PROOF_MS = 3_600_000;
/** Milliseconds that done messages and wrong passwords stay. */
const DAY_MS = 86_400_000;
/** Milliseconds that an invitation stays after it could last be accepted. */
const OLD_INVITATION_MS = 30 * 86_400_000;
/** Rows per step: a step shares its commit with requests, which must not notice. */
const ROWS_PER_STEP = 200;
/** Sessions that end per step: each costs several rows. */
const ENDS_PER_STEP = 50;

/** One kind of row to clear away: returns how many it cleared, of at most `ROWS_PER_STEP`. */
type Clearing = (nowMs: number, dropped: (() => void)[]) => number;
/** A step of any kind, and whether it has more to look at at once. */
type Step = (nowMs: number, dropped: (() => void)[]) => { readonly rows: number; readonly more: boolean };

/** Every kind in turn, for ever. */
function* rounds(steps: readonly Step[]): Generator<Step, never> {
  for (;;) yield* steps;
}

/**
 * Prepares the sweeper. A call takes at least one step and goes on where the last call stopped: neither a slow disk nor
 * a backlog of one kind keeps the others from their turn. Only the steps' own time counts, not their wait for a commit.
 */
export function prepareSweep(connection: Connection, overdue: Overdue): Store['sweep'] {
  const { writer } = connection;
  /** Time by which keys are deleted. */
  let keysMs = 0;
  const clearings = [
    ...tokenSteps(connection), ...grantSteps(connection), ...secretSteps(connection), ...keySteps(connection, () => keysMs), ...sessionSteps(connection),
    ...peopleSteps(connection),
  ];
  // What ends comes first: so the rest of the round finds it ended.
  const steps = [...overdueSteps(overdue), ...clearings.map(bounded)];
  const order = rounds(steps);
  let step = order.next().value;
  /** Steps in a row, also of earlier calls, that found nothing and looked at all of it. */
  let idle = 0;

  return async (nowMs, budgetMs, steadyMs = nowMs) => {
    keysMs = Math.min(nowMs, steadyMs);
    let rows = 0;
    let spentMs = 0;
    do {
      const { rows: count, more } = await writer.write((after) => {
        const begunMs = performance.now();
        const dropped: (() => void)[] = [];
        const cleared = step(nowMs, dropped);
        after(() => {
          for (const drop of dropped) drop();
        });
        spentMs += performance.now() - begunMs;
        return cleared;
      });
      rows += count;
      idle = count === 0 && !more ? idle + 1 : 0;
      if (!more || spentMs >= budgetMs) step = order.next().value;
      if (idle >= steps.length) {
        idle = 0;
        return { rows, done: true };
      }
    } while (spentMs < budgetMs);
    return { rows, done: false };
  };
}

function bounded(clear: Clearing): Step {
  return (nowMs, dropped) => {
    const rows = clear(nowMs, dropped);
    return { rows, more: rows >= ROWS_PER_STEP };
  };
}

/** Browsers' sessions that are over by themselves end as if somebody ended them. */
function overdueSteps({ endExpired, endIdle }: Overdue): Step[] {
  return [endExpired, endIdle].map((end) => (nowMs, dropped) => end(nowMs, ENDS_PER_STEP, (drop) => void dropped.push(drop)));
}

/** Children first: grants go when nothing of them is left. */
function tokenSteps({ memory, prepare }: Connection): Clearing[] {
  const refresh = prepare<{ digest: string }, [beforeMs: number]>(`
    DELETE FROM refresh_tokens WHERE digest IN
      (SELECT digest FROM refresh_tokens WHERE expires_at_ms < ? LIMIT ${ROWS_PER_STEP}) RETURNING digest`);
  const opaque = prepare<{ digest: string }, [beforeMs: number]>(`
    DELETE FROM opaque_tokens WHERE digest IN
      (SELECT digest FROM opaque_tokens WHERE keep_until_ms < ? LIMIT ${ROWS_PER_STEP}) RETURNING digest`);
  const ids = prepare<{ tenantId: string; tokenId: string }, [beforeS: number]>(`
    DELETE FROM revoked_ids WHERE (tenant_id, token_id) IN
      (SELECT tenant_id, token_id FROM revoked_ids WHERE expires_at_s < ? LIMIT ${ROWS_PER_STEP})
    RETURNING tenant_id AS tenantId, token_id AS tokenId`);
  const sealed = prepare<{ digest: string }, [beforeMs: number]>(`
    UPDATE refresh_tokens SET successor_sealed = NULL WHERE digest IN
      (SELECT digest FROM refresh_tokens WHERE successor_sealed IS NOT NULL AND used_at_ms < ? LIMIT ${ROWS_PER_STEP})
    RETURNING digest`);
  return [
    (nowMs) => refresh.all(nowMs - SKEW_MS).length,
    (nowMs, dropped) => {
      const rows = opaque.all(nowMs - SKEW_MS);
      for (const { digest } of rows) dropped.push(() => memory.opaqueTokens.delete(digest));
      return rows.length;
    },
    (nowMs, dropped) => {
      const rows = ids.all(Math.floor((nowMs - SKEW_MS) / 1000));
      for (const { tenantId, tokenId } of rows) dropped.push(() => memory.tokenIds.delete(pairKey(tenantId, tokenId)));
      return rows.length;
    },
    (nowMs) => sealed.all(nowMs - LONGEST_GRACE_MS).length,
  ];
}

/**
 * A session goes with the last of its grants: nothing hangs on it any more, whether or not it ended. A browser's stays
 * until it ended.
 */
function grantSteps({ memory, prepare }: Connection): Clearing[] {
  const grants = prepare<{ id: string; tenantId: string; sessionId: string | null }, [beforeMs: number]>(`
    DELETE FROM grants WHERE id IN
      (SELECT id FROM grants
       WHERE keep_until_ms < ?
         AND NOT EXISTS (SELECT 1 FROM refresh_tokens WHERE refresh_tokens.grant_id = grants.id)
         AND NOT EXISTS (SELECT 1 FROM opaque_tokens WHERE opaque_tokens.grant_id = grants.id)
       LIMIT ${ROWS_PER_STEP})
    RETURNING id, tenant_id AS tenantId, session_id AS sessionId`);
  const session = prepare<never, [tenantId: string, id: string, beforeMs: number]>(`
    DELETE FROM sessions WHERE tenant_id = ?1 AND id = ?2
      AND (secret_digest IS NULL OR ended_at_ms < ?3)
      AND NOT EXISTS (SELECT 1 FROM grants WHERE grants.tenant_id = ?1 AND grants.session_id = ?2)`);
  return [
    (nowMs, dropped) => {
      const rows = grants.all(nowMs - SKEW_MS);
      for (const { id, tenantId, sessionId } of rows) {
        if (sessionId !== null) session.run(tenantId, sessionId, nowMs - SKEW_MS);
        dropped.push(() => memory.grants.delete(pairKey(tenantId, id)));
      }
      return rows.length;
    },
  ];
}

function secretSteps({ memory, prepare }: Connection): Clearing[] {
  const secrets = prepare<{ id: string }, [beforeMs: number]>(`
    DELETE FROM client_secrets WHERE (tenant_id, client_id, id) IN
      (SELECT tenant_id, client_id, id FROM client_secrets
       WHERE expires_at_ms IS NOT NULL AND expires_at_ms < ? LIMIT ${ROWS_PER_STEP})
    RETURNING id`);
  return [
    (nowMs, dropped) => {
      const rows = secrets.all(nowMs - ENDED_SECRET_MS);
      if (rows.length > 0) dropped.push(() => memory.forget('clients'));
      return rows.length;
    },
  ];
}

/**
 * A retired key goes when the last token that it signed has expired (JK-03), one of another server's at the time that it was
 * given; a revoked one stays to be seen.
 */
function keySteps({ memory, prepare }: Connection, steadyMs: () => number): Clearing[] {
  const keys = prepare<{ kid: string }, [beforeMs: number, beforeMs: number]>(`
    DELETE FROM signing_keys WHERE (tenant_id, kid) IN
      (SELECT held.tenant_id, held.kid FROM signing_keys AS held JOIN tenants ON tenants.id = held.tenant_id
       WHERE held.status = 'retired' AND held.retired_at_ms < ?
         AND held.retired_at_ms + CASE WHEN held.issuer IS NULL THEN tenants.longest_ttl_s * 1000 ELSE 0 END < ? LIMIT ${ROWS_PER_STEP})
    RETURNING kid`);
  return [
    (_nowMs, dropped) => {
      const beforeMs = steadyMs() - SKEW_MS;
      const rows = keys.all(beforeMs, beforeMs);
      if (rows.length > 0) dropped.push(() => memory.forget('keys'));
      return rows.length;
    },
  ];
}

/**
 * A browser's session that ended goes. One that has grants loses what made it a browser's, and goes with the last of
 * them: so each is looked at once.
 */
function sessionSteps({ prepare }: Connection): Clearing[] {
  type Key = { tenantId: string; id: string };
  const find = prepare<Key, [beforeMs: number]>(`
    SELECT tenant_id AS tenantId, id FROM sessions
    WHERE secret_digest IS NOT NULL AND ended_at_ms IS NOT NULL AND ended_at_ms < ? LIMIT ${ROWS_PER_STEP}`);
  const drop = prepare<Key, [tenantId: string, id: string]>(`
    DELETE FROM sessions WHERE tenant_id = ?1 AND id = ?2
      AND NOT EXISTS (SELECT 1 FROM grants WHERE grants.tenant_id = ?1 AND grants.session_id = ?2)
    RETURNING tenant_id AS tenantId, id`);
  const strip = prepare<never, [tenantId: string, id: string]>(
    'UPDATE sessions SET secret_digest = NULL, user_agent = NULL, ip = NULL WHERE tenant_id = ? AND id = ?',
  );
  return [
    (nowMs) => {
      const rows = find.all(nowMs - SKEW_MS);
      for (const { tenantId, id } of rows) if (drop.get(tenantId, id) === null) strip.run(tenantId, id);
      return rows.length;
    },
  ];
}

/** What signing in leaves behind. */
function peopleSteps({ prepare }: Connection): Clearing[] {
  /** Deletes rows of a table whose time, in a column, is so long ago. */
  const dropOld = (table: string, key: string, old: string, ageMs: number): Clearing => {
    const drop = prepare<{ gone: 1 }, [beforeMs: number]>(`
      DELETE FROM ${table} WHERE ${key} IN (SELECT ${key.replace(/[()]/g, '')} FROM ${table} WHERE ${old} LIMIT ${ROWS_PER_STEP}) RETURNING 1 AS gone`);
    return (nowMs) => drop.all(nowMs - ageMs).length;
  };
  return [
    dropOld('interactions', 'digest', 'expires_at_ms < ?', SKEW_MS),
    dropOld('codes', 'digest', 'used_at_ms IS NULL AND expires_at_ms < ?', SKEW_MS),
    dropOld('codes', 'digest', 'used_at_ms IS NOT NULL AND expires_at_ms < ?', USED_CODE_MS),
    // Challenges and what nobody has are not counted, and strangers make them.
    dropOld('proofs', 'id', "expires_at_ms < ? AND (user_id IS NULL OR kind IN ('passkey_sign_in', 'passkey_add'))", SKEW_MS),
    dropOld('proofs', 'id', 'expires_at_ms < ?', COUNTED_PROOF_MS),
    dropOld('replies', '(caller, key_digest)', 'created_at_ms < ?', REPLY_KEPT_MS),
    dropOld('activity', 'minute_ms', 'minute_ms < ?', ACTIVITY_KEPT_MS),
    dropOld('invitations', '(tenant_id, id)', 'expires_at_ms < ?', OLD_INVITATION_MS),
    dropOld('webhook_deliveries', 'number', 'at_ms < ?', DELIVERY_KEPT_MS),
    dropOld('outbox', 'id', 'done_at_ms IS NOT NULL AND done_at_ms < ?', DAY_MS),
    dropOld('sign_in_failures', '(tenant_id, user_id, network)', 'last_at_ms < ?', DAY_MS),
  ];
}
