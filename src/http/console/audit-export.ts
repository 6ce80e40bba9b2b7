import { isoTime } from '../../core/times.ts';
import { exportAudit, exportFormats, exportTypes } from '../../service/manage-audit.ts';
import { pageHeaders } from '../page-headers.ts';
import { auditFilters, searchOf } from './audit.ts';
import { param, type ConsoleCall, type ConsoleRoute } from './call.ts';
import { answerMissing } from './endings.ts';

/** `GET …/audit/export/FORMAT`: the events that the filters leave, the oldest first, as they are read. Itself an event. */
async function download(call: ConsoleCall): Promise<Response> {
  const format = exportFormats.find((one) => one === param(call, 'format'));
  if (format === undefined) return answerMissing(call);
  const search = searchOf(call, Object.fromEntries(auditFilters.map(({ name }) => [name, (call.query.get(name) ?? '').trim()])));
  if (call.visit.request.method === 'HEAD') return new Response(null, { headers: exportHeaders(call, format) });
  const pieces = exportAudit(call.ctx, search, format);
  const encoder = new TextEncoder();
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const piece = await pieces.next();
      if (piece.done === true) controller.close();
      else controller.enqueue(encoder.encode(piece.value));
    },
    async cancel() {
      await pieces.return();
    },
  });
  return new Response(stream, { headers: exportHeaders(call, format) });
}

function exportHeaders({ visit, ctx, within }: ConsoleCall, format: (typeof exportFormats)[number]): Record<string, string> {
  const day = isoTime(ctx.clock.now()).slice(0, 10);
  return {
    ...pageHeaders([]), 'Content-Type': exportTypes[format], 'Content-Disposition': `attachment; filename="audit-${within === null ? '' : `${within.slug}-`}${day}.${format}"`,
    'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff', 'X-Request-Id': visit.arrival.peer.requestId,
  };
}

export const auditRoutes: readonly ConsoleRoute[] = [
  { path: '/t/:tenant/audit/export/:format', area: 'audit', show: download },
  { path: '/audit/export/:format', area: 'audit', serverOnly: true, show: download },
];
