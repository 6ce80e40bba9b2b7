import type { AuditEvent } from '../../src/core/audit-event.ts';
import type { AuditRow } from '../../src/core/operations-store.ts';
import type { Store } from '../../src/core/store.ts';

export type TrailFilter = { readonly tenant?: string; readonly type?: string; readonly sinceMs?: number; readonly limit: number };

/** What happened, the latest first, without places in the trail. */
export async function listAudit(store: Pick<Store, 'pageAudit'>, { type, limit, ...rest }: TrailFilter): Promise<readonly AuditEvent[]> {
  const found: AuditRow[] = [];
  for (let after: string | null = null; ;) {
    const { items, next }: Awaited<ReturnType<Store['pageAudit']>> = await store.pageAudit({ after, limit: limit - found.length }, { ...rest, ...(type !== undefined && { types: [type] }) });
    found.push(...items);
    if (next === null || found.length >= limit) return found.map(({ number: _number, hash: _hash, ...event }) => event);
    after = next;
  }
}
