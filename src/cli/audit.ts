import { auditTypes, type AuditEvent } from '../core/audit-event.ts';
import { findClosest } from '../core/closest.ts';
import type { AuditSearch } from '../core/operations-store.ts';
import { auditRowDocument } from '../service/documents.ts';
import { exportFormats, searchAudit } from '../service/manage-audit.ts';
import { requireTenant } from '../service/manage-tenants.ts';
import { exportEvents } from './audit-export.ts';
import { readHead, verify } from './audit-verify.ts';
import { withData, type Work } from './call.ts';
import type { CommandRow, FlagRow } from './declare.ts';
import { UsageError } from './failure.ts';
import { given, type Flags } from './flags.ts';
import { showTime, table } from './text.ts';

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 10_000;
const outcomes: readonly AuditEvent['outcome'][] = ['success', 'denied', 'failure'];
const units: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A moment (RFC 3339, or a date) or how long ago (`30m`, `7d`), in milliseconds. @throws UsageError */
export function readMoment(flags: Flags, name: 'since' | 'until', nowMs: number): number | undefined {
  const value = flags.text(name);
  if (value === undefined) return undefined;
  const ago = /^([0-9]{1,6})([smhd])$/.exec(value);
  if (ago !== null) return nowMs - Number(ago[1]) * (units[ago[2] ?? ''] ?? 0);
  const ms = /^[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9:.]+(?:Z|[+-][0-9]{2}:[0-9]{2})?)?$/.test(value) ? Date.parse(asUtc(value)) : Number.NaN;
  if (Number.isNaN(ms)) throw new UsageError(`--${name} is a moment like 2026-11-20T16:00:00Z or 2026-11-20 (UTC), or how long ago, like 30m, 12h or 7d`);
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
function warnOfTypes(types: readonly string[], warn: (text: string) => void): void {
  for (const type of types) {
    if (auditTypes.some((known) => known === type)) continue;
    const meant = findClosest(type, auditTypes);
    warn(`there are no events of type ${JSON.stringify(type)}${meant === null ? `; the types are ${auditTypes.join(', ')}` : `; did you mean ${meant}?`}`);
  }
}

/** `--tenant ""` is the server itself. */
const searchFlags: readonly FlagRow[] = [
  ['--type <TYPE>', 'only events of this type, like token_revoked', 'repeat'],
  ['--actor <WHO>', 'only what they did: a client\'s or user\'s id, an API key\'s, operator (this command line) or server'],
  ['--client <ID>', 'only events about this client or its tokens'],
  ['--subject <ID>', 'only events about this user, resource or key'],
  ['--ip <ADDRESS>', 'only events caused from this address'],
  ['--request-id <ID>', 'only events of this request: its X-Request-Id'],
  ['--outcome <OUTCOME>', `only events that ended so: ${outcomes.join(', ')}`],
  ['--since <TIME>', 'only events since then: 2026-11-20T16:00:00Z, 2026-11-20, or how long ago: 30m, 12h, 7d'],
  ['--until <TIME>', 'only events until then, likewise'],
];

const ownNote = '--tenant "" means the server\'s own events.';

function readSearch(flags: Flags, warn: (text: string) => void): AuditSearch {
  const nowMs = Date.now();
  const types = flags.list('type');
  warnOfTypes(types ?? [], warn);
  return given<AuditSearch>({
    tenant: flags.clearable('tenant'), types, actor: flags.text('actor'), clientId: flags.text('client'), subject: flags.text('subject'), ip: flags.text('ip'),
    requestId: flags.text('request-id'), outcome: flags.oneOf('outcome', outcomes), sinceMs: readMoment(flags, 'since', nowMs), untilMs: readMoment(flags, 'until', nowMs),
  });
}

async function list(work: Work, search: AuditSearch, limit: number): Promise<void> {
  const { ctx, out } = work;
  const events = await searchAudit(ctx, search, limit);
  // Events outlive their tenant: a name that only they still know is no mistake.
  if (typeof search.tenant === 'string' && events.length === 0) work.take(await requireTenant(ctx, search.tenant));
  await out.document({ items: events.map(auditRowDocument) });
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
    flags: [...searchFlags, ['--limit <N>', `at most so many (default: ${DEFAULT_LIMIT})`]],
    notes: ownNote,
    run: (call) => {
      const search = readSearch(call.flags, call.out.warn);
      const limit = readLimit(call.flags.text('limit'));
      return withData(call, (work) => list(work, search, limit));
    },
  },
  {
    name: 'verify', summary: 'Verify that no event was changed, taken away or moved', tenant: 'all tenants',
    flags: [['--head <NUMBER:HASH>', 'demand that the trail still holds this event, noted from an earlier run']],
    notes: `${ownNote} Each tenant's events are a chain of hashes. Keep the heads that are printed elsewhere: that the end of a chain\n`
      + 'was cut off, or all of it written anew, shows only against a head from before. COUNT is not part of it: it grows. Exit code 1: something is wrong.',
    run: async (call) => {
      const noted = readHead(call.flags.text('head'));
      const tenant = call.flags.clearable('tenant');
      let code = 0;
      await withData(call, async (work) => {
        code = await verify(work, tenant, noted);
      });
      return code;
    },
  },
  {
    name: 'export', summary: 'Write events out, the oldest first, as CSV or JSON lines', tenant: 'all tenants',
    flags: [
      ['--format <FORMAT>', `${exportFormats.join(' or ')} (default: jsonl)`],
      ['--output <FILE>', 'write there, readable by its owner only (default: standard output)'],
      ...searchFlags,
    ],
    notes: `${ownNote} In CSV a text that a spreadsheet would take for a formula begins with an apostrophe.`,
    run: (call) => {
      const search = readSearch(call.flags, call.out.warn);
      const format = call.flags.oneOf('format', exportFormats) ?? 'jsonl';
      return withData(call, (work) => exportEvents(work, search, format, call.flags.text('output') ?? null));
    },
  },
];
