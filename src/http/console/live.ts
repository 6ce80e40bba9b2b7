import type { AuditRow } from '../../core/operations-store.ts';
import { findSignedIn } from '../../service/sign-in/browser.ts';
import { renderLive, renderLiveRow } from '../../pages/admin/live.tsx';
import { mono, soft, time, type TableView } from '../../pages/admin/views.ts';
import { pageHeaders } from '../page-headers.ts';
import { answerHtml, frameOf } from './answer.ts';
import { outcomeBadge, trailOf, typeInWords } from './audit.ts';
import { may, type ConsoleCall, type ConsoleRoute } from './call.ts';
import { consolePath, tenantPath } from './paths.ts';

/** How often it is looked for new events, and how often a quiet connection is kept alive, milliseconds. */
const LOOK_EVERY_MS = 1_000;
const BEAT_EVERY_MS = 12_000;
/** A connection lasts so long; the browser opens the next by itself. */
const LIFE_MS = 600_000;
/** Connections at once, and of these of one administrator. */
const MOST = 50;
const MOST_EACH = 5;
/** Events on the page, and how many are told in one go. */
const SHOWN = 50;
const PART = 100;

const columns: TableView['columns'] = ['Event', 'When', 'Outcome', 'Tenant', 'Who', 'Client', 'About'].map((title) => ({ title, minor: title === 'Client' || title === 'About', number: false }));

function rowOf(call: ConsoleCall, event: AuditRow): TableView['rows'][number] {
  const path = call.bound === null ? consolePath('audit', String(event.number)) : tenantPath(call.bound.slug, 'audit', String(event.number));
  return {
    key: String(event.number), href: path, dim: false,
    cells: [typeInWords(event.type), time(event.timeMs), outcomeBadge(event), event.tenant === null ? soft('server') : event.tenant, mono(event.actor), mono(event.clientId), mono(event.subject)],
  };
}

async function showEvents(call: ConsoleCall): Promise<Response> {
  const last = await call.ctx.store.lastAuditNumber();
  const { items } = await call.ctx.store.pageAudit({ after: null, limit: SHOWN }, trailOf(call));
  const frame = await frameOf(call, { title: 'Live events', explain: 'The newest events, as they come.' });
  return answerHtml(call.visit, renderLive(frame, {
    table: { caption: 'Live events', columns, rows: items.map((event) => rowOf(call, event)), empty: 'Nothing happened yet.', nextHref: null, firstHref: null },
    // Events between the page and the connection come with it; what is on the page does not come again.
    stream: `${consolePath('live')}?after=${Math.max(last, items[0]?.number ?? 0)}`, againHref: consolePath('events'),
  }));
}

/** Open connections, by administrator. */
const open = new Map<string, number>();

function enter(userId: string): boolean {
  const total = [...open.values()].reduce((sum, count) => sum + count, 0);
  const own = open.get(userId) ?? 0;
  if (total >= MOST || own >= MOST_EACH) return false;
  open.set(userId, own + 1);
  return true;
}

function leave(userId: string): void {
  const left = (open.get(userId) ?? 1) - 1;
  if (left > 0) open.set(userId, left);
  else open.delete(userId);
}

/** Whether who listens may listen still: signed in, an administrator, and for the same tenant. */
async function isStillIn(call: ConsoleCall): Promise<boolean> {
  const { visit, administrator } = call;
  const signedIn = await findSignedIn(call.ctx, visit.tenant, visit.browser);
  const now = signedIn === null || signedIn.user.id !== administrator.userId ? null : await call.ctx.store.findAdministrator(administrator.userId);
  return now !== null && now.tenantId === administrator.tenantId && may({ administrator: now }, 'audit', 'read');
}

/** `GET /admin/live`: events as a stream of rows (HTML Standard §9.2). Ends when who listens is out, and when the server stops. */
async function stream(call: ConsoleCall): Promise<Response> {
  const { visit: { request, arrival, server }, query, ctx, administrator: { userId } } = call;
  const headers = { ...pageHeaders([]), 'Content-Type': 'text/event-stream; charset=utf-8', 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff', 'X-Request-Id': arrival.peer.requestId };
  if (request.method === 'HEAD') return new Response(null, { headers });
  if (!enter(userId)) return new Response(null, { status: 503, headers: { ...headers, 'Retry-After': '10' } });
  const given = request.headers.get('last-event-id') ?? query.get('after') ?? '';
  let after = /^[0-9]{1,15}$/.test(given) ? Number(given) : await ctx.store.lastAuditNumber();
  const begunMs = ctx.clock.monotonic();
  let beatMs = begunMs;
  let timer: ReturnType<typeof setTimeout> | null = null;
  let over = false;
  const encoder = new TextEncoder();

  function end(): void {
    if (over) return;
    over = true;
    if (timer !== null) clearTimeout(timer);
    leave(userId);
  }

  async function tell(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    const nowMs = ctx.clock.monotonic();
    if (server.readiness.stopping || nowMs - begunMs > LIFE_MS) {
      end();
      controller.close();
      return;
    }
    if (nowMs - beatMs > BEAT_EVERY_MS) {
      beatMs = nowMs;
      if (!(await isStillIn(call))) {
        end();
        controller.close();
        return;
      }
      controller.enqueue(encoder.encode(': here\n\n'));
    }
    // Who reads too slowly is told later.
    if ((controller.desiredSize ?? 0) > 0) {
      const { sinceMs = 0, ...trail } = trailOf(call);
      const read = await ctx.store.readAudit({ ...trail, after, limit: PART });
      if (over) return;
      const events = read.filter(({ timeMs }) => timeMs >= sinceMs);
      const text = events.map((event) => `id: ${event.number}\nevent: event\ndata: ${renderLiveRow({ columns }, rowOf(call, event), ctx.clock.now()).replaceAll(/[\r\n]/g, ' ')}\n\n`).join('');
      after = read.at(-1)?.number ?? after;
      if (text !== '') controller.enqueue(encoder.encode(text));
    }
    timer = setTimeout(() => void look(controller), LOOK_EVERY_MS);
  }

  async function look(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    if (over) return;
    try {
      await tell(controller);
    } catch (error) {
      // The browser comes again; who operates hears of trouble with the storage from everywhere.
      ctx.log.debug('live events broke off', { kind: error instanceof Error ? error.name : 'unknown' });
      end();
      controller.error(new Error('broken off'));
    }
  }

  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(encoder.encode('retry: 3000\n\n'));
      void look(controller);
    },
    cancel: end,
  }, { highWaterMark: 65_536, size: (chunk) => chunk?.byteLength ?? 0 });
  return new Response(body, { headers });
}

export const liveRoutes: readonly ConsoleRoute[] = [
  { path: '/events', area: 'audit', show: showEvents },
  { path: '/live', area: 'audit', show: stream },
];
