import { t } from 'elysia';
import { auditTypes } from '../../core/audit-event.ts';
import type { AuditSearch } from '../../core/operations-store.ts';
import type { Store } from '../../core/store.ts';
import type { Context } from '../../service/context.ts';
import { auditRowDocument, chainDocument } from '../../service/documents.ts';
import { exportAudit, exportFormats, exportTypes, verifyChain, type ChainHead, type ChainReport, type ExportFormat } from '../../service/manage-audit.ts';
import { done, refused, type Managed } from '../../service/manage-outcome.ts';
import { listed, operation, type AdminCall, type AdminOperation, type AdminOutcome, type AdminStream } from './operation.ts';
import { given, partOf, time } from './schemas.ts';

/** Events that one call verifies at most: a few seconds' work, in pieces between other requests. */
const MOST_VERIFIED = 300_000;

const outcomes = ['success', 'denied', 'failure'] as const;
const nullable = (description: string) => t.Union([t.String(), t.Null()], { description });

const eventAnswer = t.Object({
  number: t.Integer({ description: 'Its place in the trail; grows with every event, of whichever tenant.' }), time: time('When it happened.'), type: t.String({ enum: [...auditTypes] }),
  tenant: nullable('Slug; null: the server itself.'), actor: nullable('Who acted: a client, a user, an API key, `operator` (the command line) or `server`.'),
  client_id: nullable('The client that it is about.'), subject: nullable('The user, resource or key that it is about.'), fingerprint: nullable('A keyed name of the token that it is about; never the token.'),
  ip: nullable('Address that the request came from.'), request_id: nullable('`X-Request-Id` of the request.'), outcome: t.String({ enum: [...outcomes] }),
  reason: nullable('Reason code, or what changed.'), grant_id: nullable('The grant that it is about.'), count: t.Integer({ description: 'How often the same happened within the minute, or how many fell with it.' }),
  hash: nullable('SHA-256 over the hash before it in its tenant\'s chain and over itself, without the count; null: from before there were chains.'),
});

const chainAnswer = t.Object({
  tenant: nullable('Slug; null: the server\'s own chain.'), ok: t.Boolean({ description: 'Nothing is wrong with what was looked at.' }),
  complete: t.Boolean({ description: 'Everything was looked at; otherwise go on with the head\'s number as `after`.' }), events: t.Integer({ description: 'Events whose hashes are right.' }),
  unhashed: t.Integer({ description: 'Events from before there were chains, of which nothing can be said.' }), pruned_to: t.Union([t.Integer(), t.Null()], { description: 'The last event that retention took.' }),
  head: t.Union([t.Object({ number: t.Integer(), hash: t.String() }), t.Null()], { description: 'The last event that is right: keep it elsewhere, and ask with it as `head` later.' }),
  broken: t.Union([t.Object({ number: t.Integer(), fault: t.String({ enum: ['mismatch', 'out_of_order', 'unhashed'] }) }), t.Null()], { description: 'The first event that is not as it was written.' }),
});

const text = (description: string, maxLength = 512) => t.Optional(t.String({ minLength: 1, maxLength, description }));
const filters = {
  type: text('Only these types, separated by commas.', 4_096), actor: text('Only what they did.'), client_id: text('Only about this client.'), subject: text('Only about this user, resource or key.'),
  ip: text('Only from this address.', 64), request_id: text('Only of this request.'), outcome: t.Optional(t.String({ enum: [...outcomes] })),
  since: text('Only since this moment, RFC 3339.', 64), until: text('Only until this moment, RFC 3339.', 64),
};
const tenantFilter = { tenant: t.Optional(t.String({ maxLength: 63, description: 'Slug of the one tenant; empty: only the server\'s own.' })) };
const format = { format: t.Optional(t.String({ enum: [...exportFormats], description: '`jsonl` unless it is said.' })) };
const verifying = {
  after: t.Optional(t.String({ pattern: '^[0-9]{1,15}$', description: 'Go on behind this event, taking its own hash for right.' })),
  head: t.Optional(t.String({ pattern: '^[0-9]{1,15}:[A-Za-z0-9_-]{43}$', description: '`NUMBER:HASH` of an event noted earlier: whether the chain still holds it is answered as `holds_head`.' })),
};

type Texts = Readonly<Partial<Record<keyof typeof filters | 'tenant' | 'format' | 'after' | 'head', string>>>;
type Call = Pick<AdminCall<unknown, Texts>, 'ctx' | 'caller' | 'query' | 'page'>;
/** Whose events a call may see: of one tenant from its beginning on, for a slug may have been another's before. */
type Range = { readonly tenant?: string | null; readonly fromMs?: number };

/** A moment in a query: RFC 3339; a date is the beginning of its day in UTC. @param member the query's, for the refusal */
export function readTime(value: string | undefined, member: string): Managed<number | undefined> {
  if (value === undefined) return done(undefined);
  const ms = /^\d{4}-\d{2}-\d{2}(?:[Tt ][\d:.]+(?:[Zz]|[+-]\d{2}:\d{2}))?$/.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(ms) ? refused('invalid_request', `${member} must be a time like 2030-01-31T12:00:00Z`, { member }) : done(ms);
}

function readSearch(query: Texts, range: Range): Managed<AuditSearch> {
  const since = readTime(query.since, 'since');
  if (!since.ok) return since;
  const until = readTime(query.until, 'until');
  if (!until.ok) return until;
  const sinceMs = range.fromMs === undefined ? since.value : Math.max(range.fromMs, since.value ?? 0);
  return done(given<AuditSearch>({
    tenant: range.tenant, types: query.type?.split(',').filter((type) => type !== ''), actor: query.actor, clientId: query.client_id, subject: query.subject, ip: query.ip,
    requestId: query.request_id, outcome: outcomes.find((outcome) => outcome === query.outcome), sinceMs, untilMs: until.value,
  }));
}

/** Of everything, or of what the caller may know of. */
async function rangeOfAll({ ctx, caller, query }: Call): Promise<Range> {
  if (caller.tenantId === null) return query.tenant === undefined ? {} : { tenant: query.tenant === '' ? null : query.tenant };
  return rangeOf(caller, await ctx.store.findTenant({ id: caller.tenantId }));
}

/** Of one tenant. A caller of it whose tenant is gone sees nothing. */
function rangeOf(caller: Call['caller'], tenant: { readonly slug: string; readonly createdAtMs: number } | null): Range {
  if (tenant === null) return { tenant: '' };
  return caller.tenantId === null ? { tenant: tenant.slug } : { tenant: tenant.slug, fromMs: tenant.createdAtMs };
}

async function search({ ctx, query, page }: Call, range: Range): Promise<AdminOutcome> {
  const wish = readSearch(query, range);
  return wish.ok ? listed(await ctx.store.pageAudit(page, wish.value), auditRowDocument) : wish;
}

/** Read from the trail as fast as the caller takes it, and no faster. */
function streamOf(pieces: AsyncGenerator<string, void>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { value, done: ended } = await pieces.next();
      if (ended === true) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
    async cancel() {
      await pieces.return();
    },
  }, { highWaterMark: 0 });
}

async function write({ ctx, query }: Call, range: Range): Promise<AdminOutcome | AdminStream> {
  const wish = readSearch(query, range);
  if (!wish.ok) return wish;
  const chosen: ExportFormat = exportFormats.find((name) => name === query.format) ?? 'jsonl';
  return { stream: streamOf(exportAudit(ctx, wish.value, chosen)), type: exportTypes[chosen], fileName: `audit-${range.tenant ?? 'server'}.${chosen}` };
}

/** Stores whose trail is being verified: one caller at a time, so that nobody keeps the server busy with it. */
const busy = new WeakSet<Store>();

async function verified(ctx: Context, query: Texts, tenants: readonly (string | null)[]): Promise<Managed<readonly ChainReport[]>> {
  if (busy.has(ctx.store)) return refused('conflict', 'the audit trail is being verified for somebody else; try again in a moment');
  busy.add(ctx.store);
  try {
    const [, number = '', hash = ''] = /^([0-9]+):(.+)$/.exec(query.head ?? '') ?? [];
    const noted: ChainHead | null = query.head === undefined ? null : { number: Number(number), hash };
    const reports: ChainReport[] = [];
    for (const tenant of tenants) {
      const left = MOST_VERIFIED - reports.reduce((sum, { events, unhashed }) => sum + events + unhashed, 0);
      reports.push(await verifyChain(ctx, tenant, { noted, after: Number(query.after ?? 0), most: left }));
    }
    return done(reports);
  } finally {
    busy.delete(ctx.store);
  }
}

async function verify({ ctx, query }: Call, { tenant }: Range): Promise<AdminOutcome> {
  if (query.after !== undefined && tenant === undefined) return refused('invalid_request', 'after needs a tenant: each has a chain of its own', { member: 'after' });
  const outcome = await verified(ctx, query, tenant === undefined ? await ctx.store.listAuditTenants() : [tenant]);
  if (!outcome.ok) return outcome;
  const reports = outcome.value;
  return done({
    ok: reports.every(({ broken }) => broken === null), complete: reports.every(({ complete }) => complete),
    ...(query.head !== undefined && { holds_head: reports.some(({ holdsNoted }) => holdsNoted) }), items: reports.map(chainDocument),
  });
}

const chainsAnswer = t.Object({ ok: t.Boolean(), complete: t.Boolean(), holds_head: t.Optional(t.Boolean()), items: t.Array(chainAnswer) });
const exportText = 'Oldest first. JSON lines, or CSV whose texts begin with an apostrophe where a spreadsheet would take them for a formula. That it was taken is an event itself.';
const chainText = 'Each tenant\'s events are a chain of hashes. That the end of one was cut off, or all of it written anew, shows only against a head that was kept elsewhere.';
const listText = 'A part looks at so many events: it may hold fewer than asked for, even none, though there is a `next`.';

type Row = Pick<AdminOperation, 'method' | 'area' | 'access'>;
const row: Row = { method: 'GET', area: 'audit', access: 'read' };

/** The audit trail: searched, written out, verified. Callers of one tenant see theirs, wherever they ask. */
export const auditOperations: readonly AdminOperation[] = [
  operation({
    ...row, path: '/audit', id: 'searchAudit', summary: 'Search the audit trail, the latest first', text: listText, paged: true, query: t.Object({ ...filters, ...tenantFilter }), answer: partOf(eventAnswer),
    run: async (call) => search(call, await rangeOfAll(call)),
  }),
  operation({
    ...row, path: '/audit/export', id: 'exportAudit', summary: 'Write audit events out', text: exportText, query: t.Object({ ...filters, ...tenantFilter, ...format }), answer: t.String(), streams: Object.values(exportTypes),
    run: async (call) => write(call, await rangeOfAll(call)),
  }),
  operation({
    ...row, path: '/audit/chain', id: 'verifyAudit', summary: 'Verify the audit trail', text: chainText, query: t.Object({ ...tenantFilter, ...verifying }), answer: chainsAnswer,
    run: async (call) => verify(call, await rangeOfAll(call)),
  }),
  operation({
    ...row, path: '/tenants/:tenant/audit', id: 'searchTenantAudit', summary: 'Search a tenant\'s audit trail, the latest first', text: listText, paged: true, query: t.Object(filters), answer: partOf(eventAnswer),
    run: (call) => search(call, rangeOf(call.caller, call.tenant)),
  }),
  operation({
    ...row, path: '/tenants/:tenant/audit/export', id: 'exportTenantAudit', summary: 'Write a tenant\'s audit events out', text: exportText, query: t.Object({ ...filters, ...format }), answer: t.String(), streams: Object.values(exportTypes),
    run: (call) => write(call, rangeOf(call.caller, call.tenant)),
  }),
  operation({
    ...row, path: '/tenants/:tenant/audit/chain', id: 'verifyTenantAudit', summary: 'Verify a tenant\'s audit trail', text: chainText, query: t.Object(verifying), answer: chainsAnswer,
    run: (call) => verify(call, rangeOf(call.caller, call.tenant)),
  }),
];
