import { t } from 'elysia';
import type { Organization } from '../../core/people.ts';
import { memberDocument, organizationDocument } from '../../service/documents.ts';
import { invitationDocument } from '../../service/grant-documents.ts';
import { createInvitation, listInvitations, revokeInvitation } from '../../service/manage-invitations.ts';
import {
  createOrganization, deleteOrganization, pageMembers, putMember, removeMember, renameOrganization, requireMember, requireOrganization, type Member,
} from '../../service/manage-organizations.ts';
import { listed, operation, told, type AdminCall, type AdminOperation } from './operation.ts';
import { filterText } from './people-schemas.ts';
import { given, partOf, time } from './schemas.ts';

type Place = Pick<AdminCall<unknown, unknown>, 'tenant'>;

const name = t.String({ minLength: 1, maxLength: 256, description: 'Name for people.', example: 'Example Ltd' });
const roles = t.Array(t.String({ maxLength: 64 }), { maxItems: 100, description: 'Roles of the tenant, by name.' });
const email = t.String({ minLength: 3, maxLength: 254, example: 'alice@example.com' });

const organizationAnswer = t.Object({ org_id: t.String({ example: 'org_example' }), tenant: t.String(), name, created_at: time('When it was registered.') }, { $id: 'Organization' });
const newOrganization = t.Object({ org_id: t.Optional(t.String({ minLength: 1, maxLength: 256, description: 'The `org_id` of tokens; left out: generated.' })), name }, { $id: 'NewOrganization' });
const memberAnswer = t.Object({ user_id: t.String(), username: t.String(), roles, since: time('Since when they belong to it.') }, { $id: 'Member' });
const invitationAnswer = t.Object({
  id: t.String({ example: 'inv_example' }), tenant: t.String(), org_id: t.String(), email, roles, invited_by: t.String({ description: 'As the audit trail calls them.' }), created_at: time('When it was sent.'),
  expires_at: time('Until when its link works.'),
}, { $id: 'Invitation', description: 'The link is in the mail alone.' });
const newInvitation = t.Object({
  email, roles: t.Optional(roles), locale: t.Optional(t.String({ pattern: '^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$', maxLength: 35, description: 'Language of the mail; left out: English.', example: 'de' })),
}, { $id: 'NewInvitation' });

const documentOf = ({ tenant }: Place) => (org: Organization): object => organizationDocument(org, tenant);
/** Nobody yet is like nothing that was told before. */
const guarded = (member: Member | null): object => (member === null ? {} : memberDocument(member));

const all = '/tenants/:tenant/organizations';
const one = `${all}/:org`;
const read = { area: 'organizations', access: 'read' } as const;
const write = { area: 'organizations', access: 'write' } as const;

/** Groups that people of a tenant belong to. */
export const organizationOperations: readonly AdminOperation[] = [
  operation({
    ...read, method: 'GET', path: all, id: 'listOrganizations', paged: true, summary: 'List a tenant\'s organizations', text: 'By name. With `search` first those whose name begins so, then those whose id does.',
    query: t.Object({ search: filterText('Beginning of the name or id.') }), answer: partOf(organizationAnswer),
    run: async (call) => listed(await call.ctx.store.pageOrganizations(call.tenant.id, call.page, given<{ search?: string }>({ search: call.query.search })), documentOf(call)),
  }),
  operation({
    ...write, method: 'POST', path: all, id: 'createOrganization', creates: true, locatedBy: 'org_id', summary: 'Register an organization', body: newOrganization, answer: organizationAnswer,
    run: async (call) => told(await createOrganization(call.ctx, call.tenant, call.body.org_id ?? null, call.body.name), documentOf(call)),
  }),
  operation({
    ...read, method: 'GET', path: one, id: 'getOrganization', etag: true, summary: 'Read an organization', answer: organizationAnswer,
    run: async (call) => told(await requireOrganization(call.ctx, call.tenant, call.param('org')), documentOf(call)),
  }),
  operation({
    ...write, method: 'PATCH', path: one, id: 'updateOrganization', etag: true, summary: 'Give an organization another name', text: 'Its id stays.', body: t.Object({ name }, { $id: 'OrganizationChange' }), answer: organizationAnswer,
    run: async (call) => told(await renameOrganization(call.ctx, call.tenant, call.param('org'), call.body.name, call.guard(documentOf(call))), documentOf(call)),
  }),
  operation({
    ...write, method: 'DELETE', path: one, id: 'deleteOrganization', etag: true, summary: 'Delete an organization', text: 'With its memberships and invitations; its users stay, and lose the tokens that speak of it.', answer: null,
    run: async (call) => deleteOrganization(call.ctx, call.tenant, call.param('org'), call.guard(documentOf(call))),
  }),
  operation({
    ...read, method: 'GET', path: `${one}/members`, id: 'listMembers', paged: true, summary: 'List who is in an organization', text: 'By user id.', answer: partOf(memberAnswer),
    run: async (call) => {
      const members = await pageMembers(call.ctx, call.tenant, call.param('org'), call.page);
      return members.ok ? listed(members.value, memberDocument) : members;
    },
  }),
  operation({
    ...read, method: 'GET', path: `${one}/members/:user`, id: 'getMember', etag: true, summary: 'Read somebody\'s place in an organization', answer: memberAnswer,
    run: async (call) => told(await requireMember(call.ctx, call.tenant, call.param('org'), call.param('user')), memberDocument),
  }),
  operation({
    ...write, method: 'PUT', path: `${one}/members/:user`, id: 'putMember', etag: true, summary: 'Take somebody into an organization, or change their roles there',
    text: 'The roles replace those that they had.', body: t.Object({ roles }, { $id: 'MemberRoles' }), answer: memberAnswer,
    run: async (call) => told(await putMember(call.ctx, call.tenant, call.param('org'), call.param('user'), call.body.roles, call.guard(guarded)), memberDocument),
  }),
  operation({
    ...write, method: 'DELETE', path: `${one}/members/:user`, id: 'removeMember', summary: 'Take somebody out of an organization', text: 'Their tokens that speak of it end.', answer: null,
    run: async (call) => removeMember(call.ctx, call.tenant, call.param('org'), call.param('user')),
  }),
  operation({
    ...read, method: 'GET', path: `${one}/invitations`, id: 'listInvitations', summary: 'List invitations into an organization', text: 'Those that can be accepted still, the newest first.',
    answer: t.Object({ items: t.Array(invitationAnswer) }, { $id: 'InvitationList' }),
    run: async (call) => told(await listInvitations(call.ctx, call.tenant, call.param('org')), (items) => ({ items: items.map((item) => invitationDocument(item, call.tenant)) })),
  }),
  operation({
    ...write, method: 'POST', path: `${one}/invitations`, id: 'createInvitation', creates: true, locatedBy: 'id', summary: 'Invite an address into an organization',
    text: 'A mail goes out with a link that works once, for seven days; who follows it joins with the account of that address, or makes one. A former invitation of the same address is worth nothing any more.',
    body: newInvitation, answer: invitationAnswer,
    run: async (call) => {
      const { email: address, roles: wanted = [], locale = null } = call.body;
      return told(await createInvitation(call.ctx, call.tenant, call.param('org'), { email: address, roles: wanted, locale }), (invitation) => invitationDocument(invitation, call.tenant));
    },
  }),
  operation({
    ...write, method: 'DELETE', path: `${one}/invitations/:invitation`, id: 'revokeInvitation', summary: 'Take an invitation back', text: 'Its link is worth nothing at once.', answer: null,
    run: async (call) => revokeInvitation(call.ctx, call.tenant, call.param('org'), call.param('invitation')),
  }),
];
