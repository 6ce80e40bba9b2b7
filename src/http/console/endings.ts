import { auditEvent } from '../../core/audit-event.ts';
import { renderDeadEnd, renderOutside, type Outside } from '../../pages/admin/endings.tsx';
import type { Visit } from '../people/visit.ts';
import { answerHtml, frameOf, formToken } from './answer.ts';
import { consoleAssets } from './assets.ts';
import type { ConsoleCall } from './call.ts';

/** Nothing is there, or nothing that this administrator may know of. */
export async function answerMissing(call: ConsoleCall, text = 'There is nothing here.'): Promise<Response> {
  return answerHtml(call.visit, renderDeadEnd(await frameOf(call, { title: 'Not found' }), text), 404);
}

/** The administrator may do other things, not this. */
export async function answerNotAllowed(call: ConsoleCall): Promise<Response> {
  const { area, path } = call.route;
  const { ctx, within, administrator } = call;
  ctx.audit.add(auditEvent({
    timeMs: ctx.clock.now(), type: 'access_refused', tenant: within?.slug ?? null, ...ctx.by, subject: `console ${path}`, outcome: 'denied', reason: 'insufficient_scope',
  }));
  const text = `Your scopes (${administrator.scopes.join(' ')}) do not permit this${area === null ? '' : `: it takes admin:${area}`}. Another administrator can change them.`;
  return answerHtml(call.visit, renderDeadEnd(await frameOf(call, { title: 'Not permitted' }), text), 403);
}

/** A form that could not be read. */
export async function answerBadForm(call: ConsoleCall): Promise<Response> {
  return answerHtml(call.visit, renderDeadEnd(await frameOf(call, { title: 'Not understood' }), 'The form arrived broken. Go back, load the page again and send it once more.'), 400);
}

/** A page for who is not in the console: without any data of it. */
export function answerOutside(visit: Visit, status: number, view: Omit<Outside, 'csrf' | 'requestId'>): Response {
  return answerHtml(visit, renderOutside(consoleAssets, { ...view, csrf: formToken(visit), requestId: visit.arrival.peer.requestId }), status);
}
