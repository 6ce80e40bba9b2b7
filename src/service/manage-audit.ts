import { beginChain, CHAIN_START, stepChain, type ChainAnchor, type ChainFault, type ChainState } from '../core/audit-chain.ts';
import { csvLine } from '../core/csv.ts';
import { jsonLine } from '../core/json-line.ts';
import type { AuditRow, AuditSearch } from '../core/operations-store.ts';
import type { Paged } from '../core/paging.ts';
import { isoTime } from '../core/times.ts';
import { digestOf } from '../tokens/digest.ts';
import type { Context } from './context.ts';
import { auditRowDocument } from './documents.ts';
import { operatorEvent } from './manage-outcome.ts';

/** Events per piece: other work comes between two of them. */
const PIECE = 500;
/** How far the trail's order may be from that of time, milliseconds. */
const ORDER_SLACK_MS = 3_600_000;

/** The end of a chain as somebody noted it, to see later whether it still stands. */
export type ChainHead = { readonly number: number; readonly hash: string };

/** What came of verifying a chain. */
export type ChainReport = {
  /** Slug; null: the server's own chain. */
  readonly tenant: string | null;
  /** Events whose hashes are right. */
  readonly events: number;
  /** Events from before there were chains: nothing can be said of them. */
  readonly unhashed: number;
  /** Number of the last event that retention took; null: none. */
  readonly pruned: number | null;
  /** The last event that is right; null: there is none. */
  readonly head: ChainHead | null;
  /** The first event that is not; null: all are right. */
  readonly broken: { readonly number: number; readonly fault: ChainFault } | null;
  /** False: there was more than could be looked at; it goes on behind `head`. */
  readonly complete: boolean;
  /** Whether the head that was noted is in it. */
  readonly holdsNoted: boolean;
};

export type VerifyOptions = {
  /** A head noted earlier that has to be found. */
  readonly noted?: ChainHead | null;
  /** Goes on behind this event, taking its own hash for right. */
  readonly after?: number;
  /** Looks at about so many events at most. */
  readonly most?: number;
  /** Hears how many events were looked at so far. */
  readonly progress?: (events: number) => void;
};

const letOthers = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/** Where a walk begins: behind what retention took, or behind an event that somebody trusts. */
async function beginAt(ctx: Pick<Context, 'store'>, tenant: string | null, anchor: ChainAnchor, after: number): Promise<ChainState> {
  const start = beginChain(anchor);
  if (after <= start.number) return start;
  const [row] = await ctx.store.readAudit({ tenant, after: after - 1, limit: 1 });
  return row?.number === after ? { number: after, hash: row.hash ?? CHAIN_START } : start;
}

/**
 * Walks a tenant's chain from its beginning and says whether every event is as it was written, none missing between and
 * none moved. That its end was cut off, only who noted a head can tell.
 * @param tenant slug; null: the server's own chain
 * @throws StoreError
 */
export async function verifyChain(ctx: Pick<Context, 'store'>, tenant: string | null, options: VerifyOptions = {}): Promise<ChainReport> {
  const { noted = null, most = Number.POSITIVE_INFINITY } = options;
  const isNoted = (state: ChainState): boolean => noted !== null && state.number === noted.number && state.hash === noted.hash;
  let anchor = await ctx.store.auditAnchor(tenant);
  let state = await beginAt(ctx, tenant, anchor, options.after ?? 0);
  let [events, unhashed, holdsNoted] = [0, 0, isNoted(state)];
  let hashed = state.hash !== CHAIN_START;
  const report = (broken: ChainReport['broken'], complete: boolean): ChainReport => ({
    tenant, events, unhashed, pruned: anchor?.number ?? null, head: hashed ? state : null, broken, complete, holdsNoted,
  });
  // From the beginning even of what should not be there any more: it is then out of order.
  let from = (options.after ?? 0) === 0 ? 0 : state.number;
  for (;;) {
    const rows = await ctx.store.readAudit({ tenant, after: from, limit: PIECE });
    let moved: ChainAnchor = null;
    for (const row of rows) {
      const next = stepChain(state, row, digestOf);
      if (typeof next === 'string') {
        moved = await ctx.store.auditAnchor(tenant);
        if (moved === null || moved.number === anchor?.number) return report({ number: row.number, fault: next }, true);
        // Retention took what comes next while we walked: it goes on where the chain begins now.
        anchor = moved;
        state = beginChain(moved);
        break;
      }
      state = next;
      if (row.hash === null) unhashed += 1;
      else events += 1;
      hashed ||= row.hash !== null;
      holdsNoted ||= isNoted(state);
    }
    if (rows.length < PIECE && moved === null) return report(null, true);
    if (events + unhashed >= most) return report(null, false);
    from = state.number;
    options.progress?.(events + unhashed);
    await letOthers();
  }
}

/** Verifies every chain there is, one after the other. @throws StoreError */
export async function verifyChains(ctx: Pick<Context, 'store'>, options: Pick<VerifyOptions, 'noted' | 'progress'> = {}): Promise<readonly ChainReport[]> {
  const reports: ChainReport[] = [];
  for (const tenant of await ctx.store.listAuditTenants()) reports.push(await verifyChain(ctx, tenant, options));
  return reports;
}

/** The latest events that match, at most so many, however much lies between them. @throws StoreError */
export async function searchAudit(ctx: Pick<Context, 'store'>, search: AuditSearch, limit: number): Promise<readonly AuditRow[]> {
  const found: AuditRow[] = [];
  for (let after: string | null = null; ;) {
    const part: Paged<AuditRow> = await ctx.store.pageAudit({ after, limit: Math.min(limit - found.length, PIECE) }, search);
    found.push(...part.items);
    if (part.next === null || found.length >= limit) return found;
    after = part.next;
  }
}

export const exportFormats = ['csv', 'jsonl'] as const;
export type ExportFormat = (typeof exportFormats)[number];

/** Media types of exports. */
export const exportTypes: Readonly<Record<ExportFormat, string>> = { csv: 'text/csv; charset=utf-8', jsonl: 'application/x-ndjson' };

function matches(search: AuditSearch, row: AuditRow): boolean {
  const is = (wanted: string | undefined, value: string | null): boolean => wanted === undefined || wanted === value;
  return (search.types === undefined || search.types.length === 0 || search.types.includes(row.type))
    && is(search.actor, row.actor) && is(search.clientId, row.clientId) && is(search.subject, row.subject) && is(search.ip, row.ip)
    && is(search.requestId, row.requestId) && is(search.outcome, row.outcome)
    && row.timeMs >= (search.sinceMs ?? 0) && row.timeMs <= (search.untilMs ?? Number.MAX_SAFE_INTEGER);
}

/** Number of an event before which nothing matches, so that an export need not read the whole trail. */
async function startOf({ store }: Pick<Context, 'store'>, { tenant, sinceMs }: AuditSearch): Promise<number> {
  if (sinceMs === undefined) return 0;
  // Where the clock was once set back by hand, times are in no order.
  if ((await store.readAudit({ types: ['clock_accepted'], after: 0, limit: 1 })).length > 0) return 0;
  const { items: [former] } = await store.pageAudit({ after: null, limit: 1 }, { ...(tenant !== undefined && { tenant }), untilMs: sinceMs - ORDER_SLACK_MS });
  return former?.number ?? 0;
}

const cellsOf = (document: object): (string | number | null)[] => Object.values(document).map((value: unknown) => (typeof value === 'string' || typeof value === 'number' ? value : null));

/**
 * Events that match, the oldest first, as text to be written piece by piece; those that come meanwhile are not in it. That
 * somebody took them is an event itself.
 * @param progress hears how many events there were so far
 * @throws StoreError while it is read
 */
export async function* exportAudit(
  ctx: Pick<Context, 'store' | 'clock' | 'by'>, search: AuditSearch, format: ExportFormat, progress?: (events: number) => void,
): AsyncGenerator<string, void> {
  const { store } = ctx;
  const end = await store.lastAuditNumber();
  await store.recordAudit([operatorEvent(ctx, 'audit_exported', { tenant: search.tenant ?? null, subject: search.tenant === undefined ? 'all' : null, reason: describeExport(search, format) })]);
  const { types, tenant } = search;
  const of = { ...(tenant !== undefined && { tenant }), ...(types !== undefined && { types }) };
  if (format === 'csv') yield csvLine(exportColumns);
  let events = 0;
  for (let after = await startOf(ctx, search); ;) {
    const rows = await store.readAudit({ ...of, after, limit: PIECE });
    const lines = rows.filter((row) => row.number <= end && matches(search, row)).map((row) => {
      const document = auditRowDocument(row);
      return format === 'csv' ? csvLine(cellsOf(document)) : `${jsonLine(document)}\n`;
    });
    events += lines.length;
    if (lines.length > 0) yield lines.join('');
    progress?.(events);
    const last = rows.at(-1);
    if (rows.length < PIECE || last === undefined || last.number >= end) return;
    after = last.number;
    await letOthers();
  }
}

/** Columns of a CSV export: members of an event's document, in its order. */
const exportColumns: readonly string[] = [
  'time', 'type', 'tenant', 'actor', 'client_id', 'subject', 'fingerprint', 'ip', 'request_id', 'outcome', 'reason', 'grant_id', 'count', 'number', 'hash',
];

/** What was taken, in names and times only. */
function describeExport(search: AuditSearch, format: ExportFormat): string {
  const { sinceMs, untilMs, tenant: _tenant, ...others } = search;
  return [
    format, ...(sinceMs === undefined ? [] : [`since ${isoTime(sinceMs)}`]), ...(untilMs === undefined ? [] : [`until ${isoTime(untilMs)}`]), ...Object.keys(others).map((name) => `by ${name}`),
  ].join(', ');
}
