import { guarded } from './failures.ts';
import { parseJson } from './columns.ts';
import type { AppendAudit } from './audit.ts';
import type { Connection } from './connection.ts';
import type { Interaction } from '../../core/people.ts';
import type { ProgressChange } from '../../core/people-store.ts';
import type { Store } from '../../core/store.ts';

type InteractionPart = Pick<Store, 'findInteraction' | 'createInteraction' | 'changeInteraction' | 'finishInteraction'>;
type InteractionRow = Omit<Interaction, 'request' | 'progress'> & { readonly request: string | null; readonly progress: string };
type Text = string | null;

/** What other changes do to a pending request within their transaction. */
export type InteractionSteps = {
  /** Compare and set, of an interaction of that tenant. */
  readonly change: (change: ProgressChange, tenantId: string) => boolean;
  /** False: it had finished, or there is none. */
  readonly finish: (digest: string, atMs: number) => boolean;
};

/** Prepares the steps. */
export function prepareInteractionSteps({ prepare }: Connection): InteractionSteps {
  // The text as it was written: whoever read it writes the same keys in the same order.
  const change = prepare<{ digest: string }, [after: string, digest: string, tenantId: string, before: string]>(`
    UPDATE interactions SET progress = ? WHERE digest = ? AND tenant_id = ? AND progress = ? AND finished_at_ms IS NULL RETURNING digest`);
  const finish = prepare<{ digest: string }, [atMs: number, digest: string]>(
    'UPDATE interactions SET finished_at_ms = ? WHERE digest = ? AND finished_at_ms IS NULL RETURNING digest',
  );
  return {
    change: ({ digest, before, after }, tenantId) => change.get(JSON.stringify(after), digest, tenantId, JSON.stringify(before)) !== null,
    finish: (digest, atMs) => finish.get(atMs, digest) !== null,
  };
}

/** Pending requests. */
export function interactionPart({ writer, prepare }: Connection, append: AppendAudit, steps: InteractionSteps): InteractionPart {
  const find = prepare<InteractionRow, [digest: string]>(`
    SELECT digest, tenant_id AS tenantId, browser_digest AS browserDigest, request, section, fresh_since_ms AS freshSinceMs, progress,
      created_at_ms AS createdAtMs, expires_at_ms AS expiresAtMs, finished_at_ms AS finishedAtMs
    FROM interactions WHERE digest = ?`);
  const insert = prepare<never, [string, string, string, Text, Text, number | null, string, number, number, number | null]>(`
    INSERT INTO interactions
      (digest, tenant_id, browser_digest, request, section, fresh_since_ms, progress, created_at_ms, expires_at_ms, finished_at_ms)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  const tenantOf = prepare<{ tenantId: string }, [digest: string]>('SELECT tenant_id AS tenantId FROM interactions WHERE digest = ?');

  return {
    findInteraction: (digest) =>
      guarded(() => {
        const row = find.get(digest);
        if (row === null) return null;
        return { ...row, request: row.request === null ? null : parseJson(row.request), progress: parseJson(row.progress) };
      }),

    createInteraction: (made) =>
      writer.write(() => {
        insert.run(
          made.digest, made.tenantId, made.browserDigest, made.request === null ? null : JSON.stringify(made.request), made.section,
          made.freshSinceMs, JSON.stringify(made.progress), made.createdAtMs, made.expiresAtMs, made.finishedAtMs,
        );
      }),

    changeInteraction: (change) =>
      writer.write(() => {
        const known = tenantOf.get(change.digest);
        return known !== null && steps.change(change, known.tenantId);
      }),

    finishInteraction: (digest, atMs, audit) =>
      writer.write(() => {
        if (!steps.finish(digest, atMs)) return false;
        append(audit);
        return true;
      }),
  };
}
