import { deviceName } from '../credentials/device.ts';
import { listedSessionDocument } from '../service/grant-documents.ts';
import { endSession, pageLiveSessions } from '../service/manage-sessions.ts';
import { withData } from './call.ts';
import type { CommandRow } from './declare.ts';
import { firstOf, warnOfMore } from './listing.ts';
import { showTime, table, words } from './text.ts';

/** `assay session …` */
export const sessionCommands: readonly CommandRow[] = [
  {
    name: 'list', summary: 'List where users of a tenant are signed in, the latest visit first', tenant: 'default', flags: [['--user <USER>', 'only this user\'s, by name or id']],
    run: (call) => withData(call, async (work) => {
      const { ctx, out, flags } = work;
      const tenant = await work.tenant();
      const { items, more } = await firstOf(work, (page) => pageLiveSessions(ctx, tenant, page, flags.text('user')));
      await out.document({ items: items.map(listedSessionDocument) });
      warnOfMore(work, more);
      const names = await Promise.all(items.map(async ({ session }) => (await ctx.store.findUser(tenant.id, session.userId))?.username ?? session.userId));
      await out.print(items.length === 0 ? 'Nobody is signed in.' : table(out.styled, ['SESSION', 'USER', 'DEVICE', 'IP', 'LAST SEEN', 'APPLICATIONS'], items.map(({ session, clientIds }, index) => [
        session.id, names[index] ?? session.userId, deviceName(session.userAgent) ?? 'unknown', session.ip ?? '–', showTime(session.lastSeenAtMs), words(clientIds),
      ])));
    }),
  },
  {
    name: 'end', summary: 'End a session, with its grants that are not for offline use', args: [['<SESSION>', 'the session\'s id']], tenant: 'default',
    run: (call) => withData(call, async (work) => {
      work.take(await endSession(work.ctx, await work.tenant(), work.arg(0)));
      await work.out.document({ ok: true });
      await work.out.print(`Ended the session ${work.arg(0)}.`);
    }),
  },
];
