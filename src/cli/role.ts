import type { Tenant } from '../core/model.ts';
import type { Role } from '../core/people.ts';
import { createRole, deleteRole, requireRole, updateRole } from '../service/manage-roles.ts';
import { suggestion, tenantOf, withData, type Work } from './call.ts';
import { confirm, yesFlag } from './confirm.ts';
import type { CommandRow, FlagRow } from './declare.ts';
import { UsageError } from './failure.ts';
import type { Flags } from './flags.ts';
import { roleDocument } from '../service/documents.ts';
import { block, showTime, table, words } from './text.ts';

const role = ['<ROLE>', 'the role\'s name'] as const;
const permissionFlag: FlagRow = ['--permission <PERMISSION>', 'what it permits: a word, like orders:write', 'repeat'];

/** Permissions, one or several a flag; undefined when none is given. */
function readPermissions(flags: Flags): readonly string[] | undefined {
  return flags.list('permission')?.flatMap((value) => value.split(/\s+/)).filter((word) => word !== '');
}

async function show({ out }: Work, tenant: Tenant, one: Role): Promise<void> {
  await out.document(roleDocument(one, tenant));
  await out.print(block(out.styled, `role ${one.name}`, [
    ['permissions', words(one.permissions)], ['tenant', tenant.slug], ['created', showTime(one.createdAtMs)],
  ]));
}

/** `assay role …` */
export const roleCommands: readonly CommandRow[] = [
  {
    name: 'create', summary: 'Create a role: what its holders may do in their organization', args: [role], tenant: 'default', flags: [permissionFlag],
    notes: 'Example:\n  assay role create billing --permission invoices:read --permission invoices:write',
    run: (call) => {
      const permissions = readPermissions(call.flags) ?? [];
      return withData(call, async (work) => {
        const tenant = await work.tenant();
        await show(work, tenant, work.take(await createRole(work.ctx, tenant, work.arg(0), permissions)));
      });
    },
  },
  {
    name: 'list', summary: 'List a tenant\'s roles', tenant: 'default',
    run: (call) => withData(call, async (work) => {
      const { ctx, out } = work;
      const tenant = await work.tenant();
      const roles = await ctx.store.listRoles(tenant.id);
      await out.document({ items: roles.map((one) => roleDocument(one, tenant)) });
      await out.print(roles.length === 0
        ? `The tenant ${tenant.slug} has no roles yet; ${suggestion('role create', tenant)} makes one.`
        : table(out.styled, ['ROLE', 'PERMISSIONS'], roles.map((one) => [one.name, words(one.permissions)])));
    }),
  },
  {
    name: 'show', summary: 'Show a role', args: [role], tenant: 'default',
    run: (call) => withData(call, async (work) => {
      const tenant = await work.tenant();
      await show(work, tenant, work.take(await requireRole(work.ctx, tenant, work.arg(0))));
    }),
  },
  {
    name: 'update', summary: 'Replace what a role permits, for everybody who has it', args: [role], tenant: 'default', flags: [permissionFlag],
    notes: '--permission "" takes every permission away.',
    run: (call) => {
      const permissions = readPermissions(call.flags);
      if (permissions === undefined) throw new UsageError('--permission is missing: what the role permits from now on');
      return withData(call, async (work) => {
        const tenant = await work.tenant();
        await show(work, tenant, work.take(await updateRole(work.ctx, tenant, work.arg(0), permissions)));
      });
    },
  },
  {
    name: 'delete', summary: 'Delete a role; whoever has it loses it', args: [role], tenant: 'default', flags: [yesFlag],
    run: async (call) => {
      await confirm(call, `Delete the role ${call.args[0] ?? ''} of tenant ${tenantOf(call)}? Whoever has it loses it.`);
      return withData(call, async (work) => {
        work.take(await deleteRole(work.ctx, await work.tenant(), work.arg(0)));
        await work.out.document({ ok: true });
        await work.out.print(`Deleted role ${work.arg(0)}.`);
      });
    },
  },
];
