import type { ActivityName } from '../../core/metrics.ts';
import type { ActivityMinute } from '../../core/operations-store.ts';
import { listKeys, keySchedule } from '../../service/manage-keys.ts';
import { version } from '../../version.ts';
import { renderDashboard, type ChartView } from '../../pages/admin/dashboard.tsx';
import { renderGroups } from '../../pages/admin/forms.tsx';
import { badge, enabledBadge, link, mono, row, soft, time, type FactGroup, type Value } from '../../pages/admin/views.ts';
import { outcomeBadge, trailOf, typeInWords } from './audit.ts';
import { answerHtml, frameOf } from './answer.ts';
import { may, tenantOf, type ConsoleCall, type ConsoleRoute } from './call.ts';
import { homeOf } from './endpoints.ts';
import { CONSOLE, consolePath, tenantPath, withQuery } from './paths.ts';

const MINUTE_MS = 60_000;
/** How much is shown, in how many bars. */
const ranges = [
  { name: 'hour', text: 'Hour', bars: 60, barMs: MINUTE_MS, per: '1 min' },
  { name: 'day', text: 'Day', bars: 48, barMs: 30 * MINUTE_MS, per: '30 min' },
  { name: 'week', text: 'Week', bars: 56, barMs: 180 * MINUTE_MS, per: '3 h' },
] as const;
type Range = (typeof ranges)[number];

const LATEST = 8;
/** A backlog is trouble when something waits for so long, milliseconds. */
const LONG_MS = 15 * MINUTE_MS;

/** Tenants whose keys are looked at: those with the oldest. A key is late when it is due for so long, milliseconds. */
const KEYS = 10;
const KEYS_LATE_MS = 86_400_000;

type Bar = { readonly fromMs: number; readonly counts: Readonly<Record<string, number>> };

/** Minutes in bars, the oldest first; the last one runs still. */
export function gatherBars(minutes: readonly ActivityMinute[], { bars, barMs }: { readonly bars: number; readonly barMs: number }, nowMs: number): readonly Bar[] {
  const lastMs = Math.floor(nowMs / barMs) * barMs;
  const firstMs = lastMs - (bars - 1) * barMs;
  const all = Array.from({ length: bars }, (_, place) => ({ fromMs: firstMs + place * barMs, counts: {} as Record<string, number> }));
  for (const { minuteMs, counts } of minutes) {
    const bar = all[Math.floor((minuteMs - firstMs) / barMs)];
    if (bar !== undefined && minuteMs >= firstMs) for (const [name, count] of Object.entries(counts)) bar.counts[name] = (bar.counts[name] ?? 0) + count;
  }
  return all;
}

const shown = new Intl.NumberFormat('en');
const sum = (bars: readonly Bar[], name: ActivityName): number => bars.reduce((total, { counts }) => total + (counts[name] ?? 0), 0);

function labelOf(ms: number, range: Range): string {
  const iso = new Date(ms).toISOString();
  return range.name === 'week' ? `${iso.slice(5, 10)} ${iso.slice(11, 16)}` : iso.slice(11, 16);
}

function chartsOf(bars: readonly Bar[], range: Range): readonly ChartView[] {
  const counted = (title: string, beside: string, name: ActivityName, more: { readonly bad?: ActivityName; readonly names?: ChartView['names']; readonly tone?: 'bad' } = {}): ChartView => {
    const drawn = bars.map(({ fromMs, counts }) => {
      const part = more.bad === undefined ? 0 : counts[more.bad] ?? 0;
      return { label: labelOf(fromMs, range), value: (counts[name] ?? 0) + part, part };
    });
    const most = Math.max(0, ...drawn.map(({ value }) => value));
    return {
      title, beside, names: more.names ?? [title, null], percent: false, tone: more.tone ?? 'calm', total: shown.format(sum(bars, name)), bars: drawn, peak: most === 0 ? '' : `top ${shown.format(most)} in ${range.per}`,
    };
  };
  const active = sum(bars, 'active');
  const asked = active + sum(bars, 'inactive');
  return [
    counted('Requests', `${shown.format(sum(bars, 'introspections'))} introspections`, 'requests'),
    {
      title: 'Active tokens', names: ['Active, percent', null], percent: true, tone: 'calm', peak: '', total: asked === 0 ? '–' : `${Math.round((active / asked) * 100)} %`, beside: asked === 0 ? 'nobody asked' : `of ${shown.format(asked)} asked about`,
      bars: bars.map(({ fromMs, counts }) => {
        const [good = 0, bad = 0] = [counts['active'], counts['inactive']];
        return { label: labelOf(fromMs, range), value: good + bad === 0 ? 0 : Math.round((good / (good + bad)) * 100), part: 0 };
      }),
    },
    counted('Denied', 'by the policies', 'denied', { tone: 'bad' }),
    counted('Sign-ins', `and ${shown.format(sum(bars, 'sign_ins_failed'))} failed`, 'sign_ins', { bad: 'sign_ins_failed', names: ['Tries', 'Failed'] }),
    counted('Tokens issued', `and ${shown.format(sum(bars, 'revocations'))} revocations`, 'tokens_issued'),
    counted('Errors', `of ours; ${shown.format(sum(bars, 'refused'))} refused`, 'errors', { tone: 'bad' }),
  ];
}

const bytes = (count: number): string => (count < 1_048_576 ? `${Math.max(1, Math.round(count / 1024))} KiB` : count < 1_073_741_824 ? `${(count / 1_048_576).toFixed(1)} MiB` : `${(count / 1_073_741_824).toFixed(2)} GiB`);

type Health = { readonly troubles: readonly string[]; readonly facts: readonly (readonly [string, Value])[] };

/** Tenants, of those named, whose keys should have been rotated some time ago. */
async function keysDue(call: ConsoleCall, slugs: readonly string[]): Promise<readonly string[]> {
  const due: string[] = [];
  for (const slug of slugs) {
    const tenant = await call.ctx.store.findTenant({ slug });
    if (tenant === null || tenant.deletedAtMs !== null) continue;
    const { dueAtMs } = keySchedule(call.ctx, tenant, await listKeys(call.ctx, tenant));
    if (dueAtMs !== null && dueAtMs < call.ctx.clock.now() - KEYS_LATE_MS) due.push(slug);
  }
  return due;
}

async function healthOf(call: ConsoleCall): Promise<Health> {
  const { ctx, server } = call;
  const nowMs = ctx.clock.now();
  const behindMs = server.readiness.clockBehindMs();
  const backlog = await ctx.store.backlog();
  const statistics = await ctx.store.statistics();
  const oldestKeys = await ctx.store.oldestKeys(KEYS);
  const [oldest] = oldestKeys;
  const due = await keysDue(call, oldestKeys.map(({ tenant }) => tenant));
  const troubles = [
    ...(due.length === 0 ? [] : [`Signing keys should have taken their turn by now: those of ${due.join(', ')}.`]),
    ...(behindMs > 0 ? [`The clock of the machine is ${Math.round(behindMs / 1000)} seconds behind what was seen before. Set it right.`] : []),
    ...(backlog.webhooks.failing > 0 ? [`${backlog.webhooks.failing === 1 ? 'A webhook cannot' : `${backlog.webhooks.failing} webhooks cannot`} be delivered.`] : []),
    ...([['Mails', backlog.mails], ['Logouts', backlog.logouts]] as const).flatMap(([what, { waiting, oldestAtMs }]) =>
      (oldestAtMs !== null && nowMs - oldestAtMs > LONG_MS && !(what === 'Mails' && server.mailbox) ? [`${what} have been waiting for more than a quarter of an hour: ${waiting} of them.`] : [])),
  ];
  const waits = ({ waiting, oldestAtMs }: { readonly waiting: number; readonly oldestAtMs: number | null }): Value => (waiting === 0 ? 'none' : row([shown.format(waiting), ...(oldestAtMs === null ? [] : [soft('the oldest'), time(oldestAtMs)])]));
  return { troubles, facts: [
    ['Clock', behindMs > 0 ? badge('behind', 'bad') : badge('on time', 'good')], ['Version', version], ['Running since', time(Math.round(performance.timeOrigin))],
    ['Database', row([bytes(statistics.databaseBytes), soft(`and a log of ${bytes(statistics.walBytes)}`)])],
    ['Oldest signing key', oldest === undefined ? null : row([time(oldest.activatedAtMs), link(oldest.tenant, tenantPath(oldest.tenant, 'keys'))])],
    // Backups are files that somebody else keeps: whether there are any, and where, the server does not know.
    ['Backups', soft('not known here: look where you keep them')],
    ['Mails waiting', server.mailbox ? soft('kept in the mailbox: there is no mail server') : waits(backlog.mails)], ['Logouts waiting', waits(backlog.logouts)],
    ['Webhooks', backlog.webhooks.enabled === 0 ? 'none' : row([`${backlog.webhooks.enabled} enabled`, ...(backlog.webhooks.failing > 0 ? [badge(`${backlog.webhooks.failing} failing`, 'bad')] : [badge('all well', 'good')])])],
  ] };
}

async function showDashboard(call: ConsoleCall): Promise<Response> {
  const { ctx, query } = call;
  const nowMs = ctx.clock.now();
  const range = ranges.find(({ name }) => name === query.get('range')) ?? ranges[1];
  const sinceMs = Math.floor(nowMs / range.barMs) * range.barMs - (range.bars - 1) * range.barMs;
  const seesFigures = may(call, 'metrics', 'read');
  const minutes = !seesFigures ? [] : await (call.server.observatory?.activity(sinceMs) ?? ctx.store.listActivity(sinceMs));
  const bars = gatherBars(minutes, range, nowMs);
  const health = seesFigures ? await healthOf(call) : { troubles: [], facts: [['Version', version] as const] };
  const frame = await frameOf(call, { title: 'Dashboard' });
  return answerHtml(call.visit, renderDashboard(frame, {
    ranges: seesFigures ? ranges.map(({ name, text }) => ({ text, href: withQuery(CONSOLE, { range: name }), current: name === range.name })) : [],
    charts: seesFigures ? chartsOf(bars, range) : [], ends: [labelOf(sinceMs, range), `${labelOf(nowMs, range)} UTC`], troubles: health.troubles, health: health.facts,
    recent: may(call, 'audit', 'read') ? await recentEvents(call) : null,
  }));
}

/** The latest of the trail. */
async function recentEvents(call: ConsoleCall): Promise<FactGroup> {
  const path = call.within === null ? consolePath('audit') : tenantPath(call.within.slug, 'audit');
  const { items } = await call.ctx.store.pageAudit({ after: null, limit: LATEST }, trailOf(call));
  return {
    title: 'Latest events', links: [{ text: 'All', href: path, tone: 'plain' }],
    table: {
      caption: 'Latest events', empty: 'Nothing happened yet.', nextHref: null, firstHref: null,
      columns: ['Event', 'When', 'Outcome', 'Who', 'Client'].map((title) => ({ title, minor: title === 'Client', number: false })),
      rows: items.map((event) => ({
        key: String(event.number), href: `${path}/${event.number}`, dim: false,
        cells: [typeInWords(event.type), time(event.timeMs), outcomeBadge(event), mono(event.actor), mono(event.clientId)],
      })),
    },
  };
}

/** A tenant at a glance. */
async function showTenant(call: ConsoleCall): Promise<Response> {
  const tenant = tenantOf(call);
  const { issuer, introspect, revoke, token, jwks } = homeOf(call, tenant);
  const keys = may(call, 'keys', 'read') ? await listKeys(call.ctx, tenant) : null;
  const schedule = keys === null ? null : keySchedule(call.ctx, tenant, keys);
  const active = keys?.find(({ status }) => status === 'active');
  const groups: readonly FactGroup[] = [
    { title: 'Where it lives', facts: [
      ['Issuer', mono(issuer, true)], ['Introspection', mono(introspect, true)], ['Revocation', mono(revoke, true)], ['Tokens', mono(token, true)], ['Key set', link(jwks, jwks, true)],
      ['Account page', link(`${issuer}/account`, `${issuer}/account`, true)],
    ] },
    { title: 'How it works', facts: [
      ['Preset', tenant.preset], ['Who may introspect what', row([mono(tenant.introspectionPolicy), ...(tenant.introspectionPolicyMode === 'report' ? [badge('reported, not enforced', 'warn')] : [])])],
      ['Form of answers', tenant.shape], ['Algorithm', tenant.algorithm], ['Created', time(tenant.createdAtMs)],
      ...(schedule === null ? [] : [['Signing key', row([...(active === undefined ? [badge('being made', 'warn')] : [soft('signs since'), time(active.activatedAtMs)]), ...(schedule.dueAtMs === null ? [] : [soft('next turn'), time(schedule.dueAtMs)])])] as const]),
    ] },
    ...(may(call, 'audit', 'read') ? [await recentEvents(call)] : []),
  ];
  const frame = await frameOf(call, { title: tenant.name, state: tenant.disabledAtMs === null ? null : enabledBadge(false), explain: tenant.slug });
  return answerHtml(call.visit, renderGroups(frame, groups));
}

export const dashboardRoutes: readonly ConsoleRoute[] = [
  { path: '', area: null, show: showDashboard },
  { path: '/t/:tenant', area: null, show: showTenant },
];
