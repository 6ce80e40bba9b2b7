/** The audit trail in the console: filters, single events, exports. */
import { auditTypes, type AuditType } from '../../core/audit-event.ts';
import type { AuditRow, AuditSearch } from '../../core/operations-store.ts';
import { isoTime } from '../../core/times.ts';
import { exportFormats } from '../../service/manage-audit.ts';
import { done, refused } from '../../service/manage-outcome.ts';
import { link, mono, time, type Badge, type Mood, type Value } from '../../pages/admin/views.ts';
import { tenantOf, type ConsoleCall } from './call.ts';
import { consolePath, tenantPath, withQuery } from './paths.ts';
import { resource, type ConsoleResource, type ListWish } from './resource.ts';

const moods: Readonly<Record<AuditRow['outcome'], Mood>> = { success: 'good', denied: 'warn', failure: 'bad' };

/** `Client secret rotated` */
export function typeInWords(type: AuditType): string {
  const words = type.replaceAll('_', ' ');
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
}

export function outcomeBadge({ outcome }: Pick<AuditRow, 'outcome'>): Value & Badge & { readonly kind: 'badge' } {
  return { kind: 'badge', text: outcome, mood: moods[outcome] };
}

/** A moment as typed: `2026-11-20`, or with a time; in UTC. undefined: none, or none that can be read. */
function momentOf(text: string, endOfDay: boolean): number | undefined {
  const day = /^\d{4}-\d{2}-\d{2}$/.test(text);
  const ms = Date.parse(day ? `${text}T${endOfDay ? '23:59:59.999' : '00:00:00'}Z` : /(?:Z|[+-]\d{2}:\d{2})$/.test(text) ? text : `${text}Z`);
  return text === '' || Number.isNaN(ms) ? undefined : ms;
}

/** What of the trail who asks may read: who is bound to a tenant its events and no others (MTN-06), nor those of a former tenant of its slug. */
export function trailOf({ within, bound }: Pick<ConsoleCall, 'within' | 'bound'>): { readonly tenant?: string; readonly sinceMs?: number } {
  const tenant = within ?? bound;
  return { ...(tenant !== null && { tenant: tenant.slug }), ...(bound !== null && { sinceMs: bound.createdAtMs }) };
}

/** What the filters of a request leave, within what who asks may read. */
export function searchOf(call: ConsoleCall, filters: ListWish['filters']): AuditSearch {
  const { type = '', actor = '', client = '', subject = '', outcome = '', from = '', until = '', ip = '', request = '' } = filters;
  const types = auditTypes.filter((one) => one === type);
  const sinceMs = momentOf(from, false);
  const untilMs = momentOf(until, true);
  const wanted = (['success', 'denied', 'failure'] as const).find((one) => one === outcome);
  const trail = trailOf(call);
  return {
    ...trail, ...(types.length > 0 && { types }), ...(actor !== '' && { actor }), ...(client !== '' && { clientId: client }), ...(subject !== '' && { subject }),
    ...(wanted !== undefined && { outcome: wanted }), ...(ip !== '' && { ip }), ...(request !== '' && { requestId: request }), ...(sinceMs !== undefined && { sinceMs: Math.max(sinceMs, trail.sinceMs ?? 0) }), ...(untilMs !== undefined && { untilMs }),
  };
}

/** Filters of the trail. */
export const auditFilters = [
  { name: 'type', label: 'Event', placeholder: 'any', choices: auditTypes.map((type) => ({ value: type, text: typeInWords(type) })) },
  { name: 'outcome', label: 'Outcome', placeholder: 'any', choices: (['success', 'denied', 'failure'] as const).map((value) => ({ value, text: value })) },
  { name: 'actor', label: 'Who', placeholder: 'user, client or key ID' }, { name: 'client', label: 'Client', placeholder: 'client ID' }, { name: 'subject', label: 'About', placeholder: 'user, key, resource' },
  { name: 'ip', label: 'Address', placeholder: '203.0.113.7' }, { name: 'request', label: 'Request', placeholder: 'request ID' },
  { name: 'from', label: 'From (UTC)', placeholder: '2026-11-01' }, { name: 'until', label: 'Until (UTC)', placeholder: '2026-11-30' },
] as const;

function auditRow(at: 'tenant' | 'server'): ConsoleResource {
  const base = (call: ConsoleCall): string => (at === 'tenant' ? tenantPath(tenantOf(call).slug, 'audit') : consolePath('audit'));
  return resource<AuditRow>({
    name: 'audit', at, area: 'audit', icon: 'list', title: 'Audit trail', one: 'event',
    explain: at === 'tenant' ? 'What happened in this tenant, who did it, and what came of it.' : 'What happened, in every tenant and on the server itself.', empty: 'Nothing happened yet.',
    filters: auditFilters,
    columns: [
      { title: 'Event', cell: ({ type }) => typeInWords(type) }, { title: 'When', cell: ({ timeMs }) => time(timeMs) }, { title: 'Outcome', cell: outcomeBadge },
      ...(at === 'server' ? [{ title: 'Tenant', cell: ({ tenant }: AuditRow): Value => (tenant === null ? null : link(tenant, tenantPath(tenant))) }] : []),
      { title: 'Who', cell: ({ actor }) => mono(actor) }, { title: 'Client', cell: ({ clientId }) => mono(clientId), minor: true },
      { title: 'About', cell: ({ subject }) => mono(subject), minor: true }, { title: 'Reason', cell: ({ reason, count }) => (count > 1 ? `${reason ?? ''} × ${count}`.trim() : reason), minor: true },
    ],
    list: (call, { page, filters }) => call.ctx.store.pageAudit(page, searchOf(call, filters)),
    links: (call, { filters }) => exportFormats.map((format) => ({ text: format === 'csv' ? 'CSV' : 'JSON lines', href: withQuery(`${base(call)}/export/${format}`, filters), tone: 'plain' as const })),
    id: ({ number }) => String(number), label: ({ type, number }) => `${typeInWords(type)} (${number})`,
    async load(call, id) {
      const number = /^[0-9]{1,15}$/.test(id) ? Number(id) : 0;
      const { sinceMs = 0, ...trail } = trailOf(call);
      const [event] = number === 0 ? [] : await call.ctx.store.readAudit({ ...trail, after: number - 1, limit: 1 });
      return event?.number === number && event.timeMs >= sinceMs ? done(event) : refused('not_found', 'there is no such event');
    },
    facts: (event, call) => {
      const same = (name: string, value: string | null): Value => (value === null ? null : link(value, withQuery(base(call), { [name]: value }), true));
      return [{ title: 'Event', facts: [
        ['Event', link(typeInWords(event.type), withQuery(base(call), { type: event.type }))], ['When', isoTime(event.timeMs)], ['Outcome', outcomeBadge(event)], ['Reason', mono(event.reason)], ['How often', String(event.count)],
        ['Tenant', event.tenant === null ? null : link(event.tenant, tenantPath(event.tenant))], ['Who', same('actor', event.actor)], ['Client', same('client', event.clientId)], ['About', same('subject', event.subject)],
        ['Grant', mono(event.grantId)], ['Token\'s fingerprint', mono(event.fingerprint, true)], ['Address', same('ip', event.ip)], ['Request', same('request', event.requestId)],
      ] }, { title: 'Place in the trail', facts: [['Number', String(event.number)], ['Hash over it and all before it', mono(event.hash, true)]] }];
    },
  });
}

export const auditResources: readonly ConsoleResource[] = [auditRow('tenant'), auditRow('server')];
