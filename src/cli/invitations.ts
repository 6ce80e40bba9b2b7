import { createInvitation, listInvitations, revokeInvitation } from '../service/manage-invitations.ts';
import { invitationDocument } from '../service/grant-documents.ts';
import { locales } from '../pages/views.ts';
import { suggestion, withData } from './call.ts';
import type { CommandRow } from './declare.ts';
import { showTime, table, words } from './text.ts';

const org = ['<ORG>', 'the organization\'s id'] as const;

/** `assay org …`: who is asked to join. */
export const invitationCommands: readonly CommandRow[] = [
  {
    name: 'invite', summary: 'Invite an address into an organization, by a mail with a link', args: [org, ['<EMAIL>', 'the address']], tenant: 'default',
    flags: [['--role <ROLE>', 'role that they get there', 'repeat'], [`--locale <${locales.join('|')}>`, 'language of the mail (default: en)']],
    notes: 'The link works once, for seven days. Who follows it joins with the account of that address, or makes one, also where\nregistration is off. Inviting the same address again makes the former link worthless.\n\n'
      + 'Example:\n  assay org invite org_example bob@example.com --role billing',
    run: (call) => {
      const wish = { roles: (call.flags.list('role') ?? []).filter((role) => role !== ''), locale: call.flags.oneOf('locale', locales) ?? null };
      return withData(call, async (work) => {
        const tenant = await work.tenant();
        const invitation = work.take(await createInvitation(work.ctx, tenant, work.arg(0), { email: work.arg(1), ...wish }));
        await work.out.document(invitationDocument(invitation, tenant));
        await work.out.print(`${invitation.email} is invited into ${invitation.orgId}, roles: ${words(invitation.roles)}; the link is in the mail, and works until ${showTime(invitation.expiresAtMs)}.`);
      });
    },
  },
  {
    name: 'invitations', summary: 'List invitations into an organization that can be accepted still', args: [org], tenant: 'default',
    run: (call) => withData(call, async (work) => {
      const { ctx, out, take, arg } = work;
      const tenant = await work.tenant();
      const items = take(await listInvitations(ctx, tenant, arg(0)));
      await out.document({ items: items.map((one) => invitationDocument(one, tenant)) });
      await out.print(items.length === 0
        ? `Nobody is invited into ${arg(0)}; ${suggestion(`org invite ${arg(0)} EMAIL`, tenant)} invites somebody.`
        : table(out.styled, ['E-MAIL', 'ROLES', 'EXPIRES', 'INVITED BY', 'ID'], items.map((one) => [one.email, words(one.roles), showTime(one.expiresAtMs), one.invitedBy, one.id])));
    }),
  },
  {
    name: 'uninvite', summary: 'Take an invitation back', args: [org, ['<INVITATION>', 'its id, or the address that it went to']], tenant: 'default',
    run: (call) => withData(call, async (work) => {
      work.take(await revokeInvitation(work.ctx, await work.tenant(), work.arg(0), work.arg(1)));
      await work.out.document({ ok: true });
      await work.out.print(`The invitation of ${work.arg(1)} is worth nothing any more.`);
    }),
  },
];
