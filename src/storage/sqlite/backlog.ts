import { guarded } from './failures.ts';
import type { Connection } from './connection.ts';
import type { Store } from '../../core/store.ts';

/** Rows that are counted at most: who looks must not be slower, the longer the queue. */
const MOST = 10_000;

type Counted = { readonly waiting: number; readonly oldestAtMs: number | null };
type Hooks = { readonly enabled: number; readonly failing: number; readonly cursor: number | null };

/** What waits to go out, and how often reads were answered from memory. */
export function backlogPart({ memory, prepare }: Connection): Pick<Store, 'backlog' | 'remembered'> {
  const countOf = (kind: 'mail' | 'logout', index: string): (() => Counted) => {
    const statement = prepare<Counted, []>(`
      SELECT count(*) AS waiting, min(created_at_ms) AS oldestAtMs FROM
        (SELECT created_at_ms FROM outbox INDEXED BY ${index} WHERE done_at_ms IS NULL AND kind = '${kind}' AND ${kind === 'mail' ? 'next_attempt_at_ms > 0' : "tenant_id > ''"} LIMIT ${MOST})`);
    return () => statement.get() ?? { waiting: 0, oldestAtMs: null };
  };
  const mails = countOf('mail', 'outbox_mails');
  const logouts = countOf('logout', 'outbox_logouts');
  const hooks = prepare<Hooks, []>(`
    SELECT count(*) AS enabled, coalesce(sum(failing_since_ms IS NOT NULL), 0) AS failing, min(cursor) AS cursor
    FROM webhooks INDEXED BY webhooks_due WHERE disabled_at_ms IS NULL AND next_attempt_at_ms >= 0`);
  const newest = prepare<{ seq: number }, []>('SELECT seq FROM audit WHERE seq > 0 ORDER BY seq DESC LIMIT 1');
  return {
    backlog: () =>
      guarded(() => {
        const { enabled, failing, cursor } = hooks.get() ?? { enabled: 0, failing: 0, cursor: null };
        const behind = cursor === null ? 0 : Math.max(0, (newest.get()?.seq ?? 0) - cursor);
        return { mails: mails(), logouts: logouts(), webhooks: { enabled, failing, behind } };
      }),
    remembered: () => {
      const maps = {
        meta: memory.meta, tenants: memory.tenants, clients: memory.clients, resources: memory.resources, users: memory.users, keys: memory.keys,
        organizations: memory.organizations, memberships: memory.memberships, roles: memory.roles, opaque_tokens: memory.opaqueTokens,
        token_ids: memory.tokenIds, grants: memory.grants, api_keys: memory.apiKeys,
      };
      return Object.fromEntries(Object.entries(maps).map(([name, { hits, misses }]) => [name, { hits, misses }]));
    },
  };
}
