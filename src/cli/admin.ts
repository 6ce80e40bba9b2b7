import type { Administrator } from '../core/admin.ts';
import type { Tenant } from '../core/model.ts';
import { DEFAULT_TENANT } from '../core/tenant-settings.ts';
import { adminLinkDocument, administratorDocument } from '../service/access-documents.ts';
import { everything, putAdministrator, removeAdministrator } from '../service/manage-access.ts';
import { inviteAdministrator } from '../service/manage-administrators.ts';
import { requireTenant } from '../service/manage-tenants.ts';
import { withData, type Work } from './call.ts';
import type { CommandRow, FlagRow } from './declare.ts';
import { block, showTime, table } from './text.ts';

const scopeFlag: FlagRow = ['--scope <SCOPE>', 'what they may do: admin, admin:read, admin:AREA or admin:AREA:read (default: admin)', 'repeat'];
const onlyFlag: FlagRow = ['--only-tenant <SLUG>', 'they operate this tenant and nothing else (default: all, and the server)'];
const who = ['<USER>', `name or id of a user of the tenant ${DEFAULT_TENANT}`] as const;

/** What a command line wants somebody to be allowed. @throws CommandFailure when there is no such tenant */
async function wishOf({ ctx, flags, take }: Work): Promise<{ readonly scopes: readonly string[]; readonly tenant: Tenant | null }> {
  const slug = flags.text('only-tenant');
  return { scopes: flags.list('scope') ?? ['admin'], tenant: slug === undefined ? null : take(await requireTenant(ctx, slug)) };
}

/** Who an administrator is, and what they may. */
async function describe({ ctx }: Work, administrator: Administrator): Promise<{ readonly document: object; readonly cells: readonly string[] }> {
  const { userId, tenantId, scopes, createdAtMs } = administrator;
  const home = await ctx.store.findTenant({ slug: DEFAULT_TENANT });
  const user = home === null ? null : await ctx.store.findUser(home.id, userId);
  const tenant = tenantId === null ? null : (await ctx.store.findTenant({ id: tenantId }))?.slug ?? tenantId;
  const username = user === null || user.deletedAtMs !== null ? null : user.username;
  return {
    document: administratorDocument(administrator, user, tenant),
    cells: [username ?? '–', scopes.join(' '), tenant ?? 'all', showTime(createdAtMs), userId],
  };
}

/** `assay admin …` */
export const adminCommands: readonly CommandRow[] = [
  {
    name: 'invite', summary: 'Make a link by which somebody becomes an administrator, once and within a day', flags: [scopeFlag, onlyFlag],
    notes: 'Whoever opens the link chooses a name and a password. A link that was made before and not used is void then.',
    run: (call) => withData(call, async (work) => {
      const { ctx, out, take } = work;
      const { scopes, tenant } = await wishOf(work);
      const link = take(await inviteAdministrator(ctx, everything, { scopes, tenant }));
      await out.document(adminLinkDocument(link, scopes, tenant?.slug ?? null));
      await out.print(block(out.styled, 'Whoever opens this link becomes an administrator', [
        ['link', link.url], ['until', showTime(link.expiresAtMs)], ['may', scopes.join(' ')], ['tenant', tenant?.slug ?? 'all, and the server'],
      ]));
    }),
  },
  {
    name: 'list', summary: 'List administrators',
    run: (call) => withData(call, async (work) => {
      const { ctx, out } = work;
      const all = await Promise.all((await ctx.store.listAdministrators()).map((one) => describe(work, one)));
      await out.document({ items: all.map(({ document }) => document) });
      await out.print(all.length === 0
        ? 'There is no administrator; `assay admin invite` makes a link for one.'
        : table(out.styled, ['USERNAME', 'MAY', 'TENANT', 'SINCE', 'ID'], all.map(({ cells }) => cells)));
    }),
  },
  {
    name: 'grant', summary: 'Make somebody an administrator, or change what one may do', args: [who], flags: [scopeFlag, onlyFlag],
    notes: `They sign in as they always do, at the tenant ${DEFAULT_TENANT}, and find the console at /admin.\n\n`
      + 'Examples:\n  assay admin grant alice\n  assay admin grant bob --scope admin:clients --scope admin:audit:read --only-tenant acme',
    run: (call) => withData(call, async (work) => {
      const { ctx, out, take, arg } = work;
      const { document, cells } = await describe(work, take(await putAdministrator(ctx, everything, arg(0), await wishOf(work))));
      const [username = '', may = '', tenant = '', since = '', id = ''] = cells;
      await out.document(document);
      await out.print(block(out.styled, `administrator ${username}`, [['may', may], ['tenant', tenant], ['since', since], ['id', id]]));
    }),
  },
  {
    name: 'revoke', summary: 'Take from somebody what they may operate; they stay a user', args: [who],
    run: (call) => withData(call, async ({ ctx, out, take, arg }) => {
      take(await removeAdministrator(ctx, everything, arg(0)));
      await out.document({ ok: true });
      await out.print(`${arg(0)} is no administrator any more.`);
    }),
  },
];
