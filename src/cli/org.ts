import type { Tenant } from '../core/model.ts';
import {
  createOrganization, deleteOrganization, putMember, removeMember, renameOrganization, viewOrganization, type OrganizationView,
} from '../service/manage-organizations.ts';
import { suggestion, tenantOf, withData, type Work } from './call.ts';
import { confirm, yesFlag } from './confirm.ts';
import { invitationCommands } from './invitations.ts';
import type { CommandRow } from './declare.ts';
import { UsageError } from './failure.ts';
import type { Flags } from './flags.ts';
import { memberDocument, organizationDocument } from '../service/documents.ts';
import { block, showTime, table, words } from './text.ts';

const org = ['<ORG>', 'the organization\'s id'] as const;
const user = ['<USER>', 'the user\'s name or id'] as const;

/** @throws UsageError */
function neededName(flags: Flags): string {
  const name = flags.text('name');
  if (name === undefined || name === '') throw new UsageError('--name is missing: the organization\'s name, for people');
  return name;
}

async function show({ out }: Work, tenant: Tenant, view: OrganizationView): Promise<void> {
  const { members } = view;
  await out.document(organizationDocument(view.org, tenant, members));
  await out.print(block(out.styled, `organization ${view.org.id}`, [
    ['name', view.org.name],
    ['tenant', tenant.slug],
    ['members', members.length === 0 ? `none yet; ${suggestion(`org add ${view.org.id} USER`, tenant)} adds one` : String(members.length)],
    ['created', showTime(view.org.createdAtMs)],
  ]));
  if (members.length === 0) return;
  await out.print(`\n${table(out.styled, ['USERNAME', 'ROLES', 'SINCE', 'ID'], members.map((member) => [
    member.user.username, words(member.membership.roles), showTime(member.membership.createdAtMs), member.user.id,
  ]))}`);
}

async function showById(work: Work, tenant: Tenant, id: string): Promise<void> {
  await show(work, tenant, work.take(await viewOrganization(work.ctx, tenant, id)));
}

/** `assay org …` */
export const orgCommands: readonly CommandRow[] = [
  {
    name: 'create', summary: 'Register an organization: a group that users of a tenant belong to', tenant: 'default',
    flags: [['--name <NAME>', 'name for people (required)'], ['--id <ID>', 'its id, the org_id of tokens (default: generated)']],
    notes: 'Example:\n  assay org create --name "Example Ltd" --id org_example',
    run: (call) => {
      const name = neededName(call.flags);
      return withData(call, async (work) => {
        const tenant = await work.tenant();
        await show(work, tenant, { org: work.take(await createOrganization(work.ctx, tenant, call.flags.text('id') ?? null, name)), members: [] });
      });
    },
  },
  {
    name: 'list', summary: 'List a tenant\'s organizations', tenant: 'default',
    run: (call) => withData(call, async (work) => {
      const { ctx, out } = work;
      const tenant = await work.tenant();
      const organizations = await ctx.store.listOrganizations(tenant.id);
      await out.document({ items: organizations.map((one) => organizationDocument(one, tenant)) });
      await out.print(organizations.length === 0
        ? `The tenant ${tenant.slug} has no organizations yet; ${suggestion('org create', tenant)} makes one.`
        : table(out.styled, ['ORGANIZATION', 'NAME', 'CREATED'], organizations.map((one) => [one.id, one.name, showTime(one.createdAtMs)])));
    }),
  },
  {
    name: 'show', summary: 'Show an organization and everybody in it', args: [org], tenant: 'default',
    run: (call) => withData(call, async (work) => showById(work, await work.tenant(), work.arg(0))),
  },
  {
    name: 'update', summary: 'Give an organization another name; its id stays', args: [org], tenant: 'default', flags: [['--name <NAME>', 'name for people (required)']],
    run: (call) => {
      const name = neededName(call.flags);
      return withData(call, async (work) => {
        const tenant = await work.tenant();
        work.take(await renameOrganization(work.ctx, tenant, work.arg(0), name));
        await showById(work, tenant, work.arg(0));
      });
    },
  },
  {
    name: 'add', summary: 'Take a user into an organization, or change their roles there', args: [org, user], tenant: 'default',
    flags: [['--role <ROLE>', 'role that they have there; together these replace the ones that they had, "" takes all away', 'repeat']],
    notes: 'Without --role somebody new has none, and somebody who is there already keeps theirs.\n\nExample:\n  assay org add org_example alice --role admin --role billing',
    run: (call) => {
      const roles = call.flags.list('role') ?? null;
      return withData(call, async (work) => {
        const tenant = await work.tenant();
        const member = work.take(await putMember(work.ctx, tenant, work.arg(0), work.arg(1), roles));
        await work.out.document({ org_id: work.arg(0), ...memberDocument(member) });
        await work.out.print(`${member.user.username} is in ${work.arg(0)}, roles: ${words(member.membership.roles)}`);
      });
    },
  },
  {
    name: 'remove', summary: 'Take a user out of an organization', args: [org, user], tenant: 'default',
    run: (call) => withData(call, async (work) => {
      work.take(await removeMember(work.ctx, await work.tenant(), work.arg(0), work.arg(1)));
      await work.out.document({ ok: true });
      await work.out.print(`${work.arg(1)} is no longer in ${work.arg(0)}.`);
    }),
  },
  ...invitationCommands,
  {
    name: 'delete', summary: 'Delete an organization and its memberships; its users stay', args: [org], tenant: 'default', flags: [yesFlag],
    run: async (call) => {
      await confirm(call, `Delete the organization ${call.args[0] ?? ''} of tenant ${tenantOf(call)}? Its members lose their roles.`);
      return withData(call, async (work) => {
        work.take(await deleteOrganization(work.ctx, await work.tenant(), work.arg(0)));
        await work.out.document({ ok: true });
        await work.out.print(`Deleted organization ${work.arg(0)}.`);
      });
    },
  },
];
