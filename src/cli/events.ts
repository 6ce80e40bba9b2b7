import { eventDocument, readEventId } from '../core/event-document.ts';
import { readEvents, type EventWish } from '../service/read-events.ts';
import { requireTenant } from '../service/manage-tenants.ts';
import { withData, type Work } from './call.ts';
import type { CommandRow } from './declare.ts';
import { UsageError } from './failure.ts';
import { plain, showTime } from './text.ts';

/** Events that are read in one go, and how often new ones are looked for (milliseconds). */
const AT_ONCE = 200;
const LOOK_EVERY_MS = 250;

/** Ends waiting at the first signal to stop, so that the data is closed in order. */
function untilStopped(): { readonly stopped: () => boolean; readonly pause: () => Promise<void> } {
  const told = Promise.withResolvers<void>();
  let stopped = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      stopped = true;
      told.resolve();
    });
  }
  return { stopped: () => stopped, pause: () => Promise.race([told.promise, Bun.sleep(LOOK_EVERY_MS)]) };
}

async function print({ ctx, out, take }: Work, wish: EventWish, follow: boolean): Promise<void> {
  const { stopped, pause } = untilStopped();
  let { after } = wish;
  while (!stopped()) {
    const { events, next } = take(await readEvents(ctx, { ...wish, after }));
    for (const event of events) {
      await out.document(eventDocument(event));
      await out.print(plain([
        showTime(event.timeMs), `evt_${event.number}`, event.type, event.outcome, event.tenant ?? '–', event.actor ?? '–', event.clientId ?? '–', event.subject ?? '–', event.reason ?? '',
      ].join('  ').trimEnd()));
    }
    after = String(next);
    if (events.length > 0) continue;
    if (!follow) return;
    await pause();
  }
}

/** `assay events` */
export const eventCommands: readonly CommandRow[] = [
  {
    name: 'events', summary: 'Print what happened, the oldest first, as webhooks are told', tenant: 'all tenants',
    flags: [
      ['--after <ID>', 'only what is behind this event, like evt_42 (default: from the oldest that is kept; with --follow: from now on)'],
      ['--follow', 'go on with what happens, until stopped'],
      ['--type <TYPE>', 'only events of this type, like user_created', 'repeat'],
    ],
    notes: 'With --json: one JSON document a line.',
    run: (call) => {
      const { flags } = call;
      const after = flags.text('after');
      if (after !== undefined && readEventId(after) === null) throw new UsageError('--after is an event\'s id, like evt_42, or its number');
      const follow = flags.on('follow');
      const slug = flags.text('tenant');
      return withData(call, async (work) => {
        const owner = slug === undefined ? null : work.take(await requireTenant(work.ctx, slug));
        await print(work, { owner, tenant: null, types: flags.list('type') ?? [], after: after ?? (follow ? 'latest' : null), limit: AT_ONCE }, follow);
      });
    },
  },
];
