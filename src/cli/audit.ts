import { findClosest } from '../config/closest.ts';
import { auditTypes } from '../core/audit-event.ts';
import { withData, type Work } from './call.ts';
import type { CommandRow } from './declare.ts';
import { UsageError } from './failure.ts';
import { given } from './flags.ts';
import { auditDocument } from './present.ts';
import { requireTenant } from '../service/manage-tenants.ts';
import type { AuditFilter } from '../core/store.ts';
import { showTime, table } from './text.ts';

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 10_000;
const units: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A moment (RFC 3339, or a date) or how long ago (`30m`, `7d`), in milliseconds. @throws UsageError */
function readSince(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined;
  const ago = /^([0-9]{1,6})([smhd])$/.exec(value);
  if (ago !== null) return nowMs - Number(ago[1]) * (units[ago[2] ?? ''] ?? 0);
  const ms = /^[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9:.]+(?:Z|[+-][0-9]{2}:[0-9]{2})?)?$/.test(value) ? Date.parse(asUtc(value)) : Number.NaN;
  if (Number.isNaN(ms)) throw new UsageError('--since is a moment like 2026-11-20T16:00:00Z or 2026-11-20 (UTC), or how long ago, like 30m, 12h or 7d');
  return ms;
}

/** Without an offset a moment means UTC: everything else here does. */
function asUtc(value: string): string {
  const text = value.replace(' ', 'T');
  return text.length > 10 && !/(?:Z|[+-][0-9]{2}:[0-9]{2})$/.test(text) ? `${text}Z` : text;
}

function readLimit(value: string | undefined): number {
  if (value === undefined) return DEFAULT_LIMIT;
  const limit = /^[0-9]{1,5}$/.test(value) ? Number(value) : 0;
  if (limit < 1 || limit > MAX_LIMIT) throw new UsageError(`--limit is a number from 1 to ${MAX_LIMIT}`);
  return limit;
}

/** Data may hold events of a version that knows more types: an unknown one is looked for all the same. */
function warnOfType(type: string | undefined, warn: (text: string) => void): void {
  if (type === undefined || auditTypes.some((known) => known === type)) return;
  const meant = findClosest(type, auditTypes);
  warn(`there are no events of type ${JSON.stringify(type)}${meant === null ? `; the types are ${auditTypes.join(', ')}` : `; did you mean ${meant}?`}`);
}

async function list(work: Work, filter: AuditFilter): Promise<void> {
  const { ctx, out } = work;
  const events = await ctx.store.listAudit(filter);
  // Events outlive their tenant: a name that only they still know is no mistake.
  if (filter.tenant !== undefined && events.length === 0) work.take(await requireTenant(ctx, filter.tenant));
  await out.document({ items: events.map(auditDocument) });
  await out.print(events.length === 0 ? 'Nothing like that happened.' : table(
    out.styled, ['TIME', 'TYPE', 'OUTCOME', 'TENANT', 'ACTOR', 'CLIENT', 'SUBJECT', 'REASON', 'COUNT'],
    events.map((event) => [
      showTime(event.timeMs), event.type, event.outcome, event.tenant ?? '–', event.actor ?? '–', event.clientId ?? '–', event.subject ?? '–',
      event.reason ?? '–', String(event.count),
    ]),
  ));
}

/** `assay audit …` */
export const auditCommands: readonly CommandRow[] = [
  {
    name: 'list', summary: 'List what happened, the latest first', tenant: 'all tenants',
    flags: [
      ['--type <TYPE>', 'only events of this type, like token_revoked'],
      ['--since <TIME>', 'only events since then: 2026-11-20T16:00:00Z, 2026-11-20, or how long ago: 30m, 12h, 7d'],
      ['--limit <N>', `at most so many (default: ${DEFAULT_LIMIT})`],
    ],
    run: (call) => {
      const { flags } = call;
      const filter = given<AuditFilter>({
        tenant: flags.text('tenant'), type: flags.text('type'), sinceMs: readSince(flags.text('since'), Date.now()), limit: readLimit(flags.text('limit')),
      });
      warnOfType(filter.type, call.out.warn);
      return withData(call, (work) => list(work, filter));
    },
  },
];
