import { listedGrantDocument, grantDocument } from '../service/grant-documents.ts';
import { pageLiveGrants, revokeGrant, type GrantFilter } from '../service/manage-grants.ts';
import { withData } from './call.ts';
import type { CommandRow } from './declare.ts';
import { given } from './flags.ts';
import { firstOf, warnOfMore } from './listing.ts';
import { showTime, table, words } from './text.ts';

/** `assay grant …` */
export const grantCommands: readonly CommandRow[] = [
  {
    name: 'list', summary: 'List grants that are good, the newest first', tenant: 'default',
    flags: [['--user <USER>', 'only those of this user, by name or id'], ['--client <ID>', 'only those of this client'], ['--session <SID>', 'only those of this session']],
    run: (call) => {
      const filter = given<GrantFilter>({ user: call.flags.text('user'), clientId: call.flags.text('client'), sessionId: call.flags.text('session') });
      return withData(call, async (work) => {
        const { ctx, out } = work;
        const tenant = await work.tenant();
        const { items, more } = await firstOf(work, (page) => pageLiveGrants(ctx, tenant, page, filter));
        await out.document({ items: items.map((item) => listedGrantDocument(item, tenant)) });
        warnOfMore(work, more);
        const names = await Promise.all(items.map(async ({ grant }) => (await ctx.store.findUser(tenant.id, grant.userId))?.username ?? grant.userId));
        await out.print(items.length === 0 ? 'There are no such grants.' : table(out.styled, ['GRANT', 'USER', 'CLIENT', 'SCOPE', 'OPENED', 'EXPIRES'], items.map(({ grant }, index) => [
          grant.id, names[index] ?? grant.userId, grant.clientId, words(grant.scopes), showTime(grant.createdAtMs), showTime(grant.expiresAtMs),
        ])));
      });
    },
  },
  {
    name: 'revoke', summary: 'Revoke a grant, with every token that came of it', args: [['<GRANT>', 'the grant\'s id']], tenant: 'default',
    run: (call) => withData(call, async (work) => {
      const tenant = await work.tenant();
      const grant = work.take(await revokeGrant(work.ctx, tenant, work.arg(0)));
      await work.out.document(grantDocument(grant, tenant));
      await work.out.print(`Revoked the grant ${grant.id} of ${grant.clientId}.`);
    }),
  },
];
