/** Organizations and roles in the console. */
import type { Invitation } from '../../core/admin.ts';
import type { Organization, Role } from '../../core/people.ts';
import { createInvitation, listInvitations, revokeInvitation } from '../../service/manage-invitations.ts';
import { createOrganization, deleteOrganization, pageMembers, putMember, removeMember, renameOrganization, requireOrganization } from '../../service/manage-organizations.ts';
import { done, type Managed } from '../../service/manage-outcome.ts';
import { createRole, deleteRole, requireRole, updateRole } from '../../service/manage-roles.ts';
import { locales } from '../../pages/views.ts';
import { link, list, mono, row, soft, time, type Choice, type FactGroup } from '../../pages/admin/views.ts';
import { may, tenantOf, type ConsoleCall } from './call.ts';
import { counted, saying, smallTable } from './outcome.ts';
import { tenantPath, withQuery } from './paths.ts';
import { resource, type FieldRow } from './resource.ts';

/** Members in one part of an organization's page. */
const PART = 50;

async function roleChoices(call: ConsoleCall): Promise<readonly Choice[]> {
  return (await call.ctx.store.listRoles(tenantOf(call).id)).map(({ name, permissions }) => ({ value: name, text: permissions.length === 0 ? name : `${name}: ${permissions.slice(0, 4).join(', ')}${permissions.length > 4 ? ' …' : ''}` }));
}

const languages: Readonly<Record<(typeof locales)[number], string>> = { en: 'English', de: 'Deutsch', es: 'Español', fr: 'Français', ja: '日本語' };
const rolesField: FieldRow = { name: 'roles', label: 'Roles', type: 'checks', choices: roleChoices, help: 'What roles permit is under Roles. Without any they are a member and nothing more.' };
const memberField: FieldRow = { name: 'user', label: 'User', type: 'text', required: true, placeholder: 'username or ID' };

/** A refusal of an act on a member, at the field that names them. */
function atUser<T>(outcome: Managed<T>): Managed<T> {
  return outcome.ok || outcome.member !== null || outcome.error === 'outdated' ? outcome : { ...outcome, member: 'user' };
}

function invitationsTable(call: ConsoleCall, org: Organization, invitations: readonly Invitation[]): FactGroup {
  const { slug } = tenantOf(call);
  const write = may(call, 'organizations', 'write');
  const base = tenantPath(slug, 'organizations', org.id);
  return {
    title: 'Invitations', explain: 'Sent by mail, good for seven days and once. Whether there is an account of the address makes no difference.',
    links: write ? [{ text: 'Invite', href: `${base}/invite`, tone: 'plain' }] : [],
    table: smallTable('Invitations', ['Address', 'Roles', '~Invited by', '~Sent', 'Ends'], invitations.map((invitation) => ({
      key: invitation.id, cells: [invitation.email, invitation.roles.join(', ') || null, mono(invitation.invitedBy), time(invitation.createdAtMs), time(invitation.expiresAtMs)],
      act: write ? { text: 'Revoke', label: `Revoke the invitation of ${invitation.email}`, href: withQuery(`${base}/revoke-invitation`, { address: invitation.email }) } : null,
    })), 'Nobody is invited.'),
  };
}

async function factsOf(org: Organization, call: ConsoleCall): Promise<readonly FactGroup[]> {
  const tenant = tenantOf(call);
  const base = tenantPath(tenant.slug, 'organizations', org.id);
  const write = may(call, 'organizations', 'write');
  const seesUsers = may(call, 'users', 'read');
  const after = call.query.get('after');
  const members = await pageMembers(call.ctx, tenant, org.id, { after, limit: PART });
  const invitations = await listInvitations(call.ctx, tenant, org.id);
  const { items, next } = members.ok ? members.value : { items: [], next: null };
  return [
    { title: 'Organization', facts: [['Organization ID', mono(org.id, true)], ['Name', org.name], ['Created', time(org.createdAtMs)]] },
    {
      title: 'Members', links: write ? [{ text: 'Add a member', href: `${base}/set-member`, tone: 'plain' }] : [],
      table: smallTable('Members', ['User', '~User ID', 'Roles', '~Since'], items.map(({ user, membership }) => ({
        key: user.id, href: seesUsers ? tenantPath(tenant.slug, 'users', user.id) : null,
        cells: [user.username, mono(user.id), row([membership.roles.join(', ') || soft('none'), ...(write ? [link('Change', withQuery(`${base}/set-member`, { user: user.username, roles: membership.roles.join(' ') }))] : [])]), time(membership.createdAtMs)],
        act: write ? { text: 'Remove', label: `Remove ${user.username}`, href: withQuery(`${base}/remove-member`, { user: user.username }) } : null,
      })), 'Nobody belongs to it yet. Add somebody who has an account, or invite an address.', {
        nextHref: next === null ? null : withQuery(base, { after: next }), firstHref: after === null ? null : base,
      }),
    },
    ...(invitations.ok ? [invitationsTable(call, org, invitations.value)] : []),
  ];
}

export const organizationResource = resource<Organization>({
  name: 'organizations', at: 'tenant', area: 'organizations', icon: 'people', title: 'Organizations', one: 'organization',
  explain: 'Groups that users belong to, with roles in each. Tokens speak of one at a time.', empty: 'There are none. Create one where users belong to a company, team or customer.',
  search: 'Beginning of the name or ID',
  columns: [{ title: 'Name', cell: ({ name }) => name }, { title: 'Organization ID', cell: ({ id }) => mono(id) }, { title: 'Created', cell: ({ createdAtMs }) => time(createdAtMs), minor: true }],
  list: (call, { page, search }) => call.ctx.store.pageOrganizations(tenantOf(call).id, page, search === '' ? {} : { search }),
  id: ({ id }) => id, label: ({ name }) => name,
  load: (call, id) => requireOrganization(call.ctx, tenantOf(call), id),
  facts: factsOf,
  fields: [
    { name: 'orgId', label: 'Organization ID', type: 'text', on: 'create', placeholder: 'made for you', help: 'Visible ASCII without spaces; org_id in tokens. It can never be changed.' },
    { name: 'name', label: 'Name', type: 'text', required: true },
  ],
  values: ({ name }) => ({ name }),
  create: { async act(call, form) {
    const made = await createOrganization(call.ctx, tenantOf(call), form.orNull('orgId'), form.text('name'));
    return made.ok ? done({ id: made.value.id }, made.warnings) : made;
  } },
  update: (call, { id }, form, guard) => renameOrganization(call.ctx, tenantOf(call), id, form.text('name'), guard),
  actions: [
    {
      name: 'set-member', label: 'Add or change a member', button: false, fields: [memberField, rolesField],
      says: () => ['The roles that are ticked are all that they have in it: what is not ticked, they lose.'],
      fill: (_, { query }) => ({ user: query.get('user') ?? '', roles: (query.get('roles') ?? '').split(' ') }),
      async act(call, { id }, form) {
        const put = atUser(await putMember(call.ctx, tenantOf(call), id, form.text('user'), form.many('roles')));
        return saying(put, put.ok ? `${put.value.user.username} is a member, ${put.value.membership.roles.length === 0 ? 'without roles' : `with ${put.value.membership.roles.join(', ')}`}.` : '');
      },
    },
    {
      name: 'remove-member', label: 'Remove a member', tone: 'danger', button: false, fields: [memberField], fill: (_, { query }) => ({ user: query.get('user') ?? '' }),
      says: () => ['They stay a user, but belong to it no more. Their tokens that speak of it end.'],
      act: async (call, { id }, form) => saying(atUser(await removeMember(call.ctx, tenantOf(call), id, form.text('user'))), `${form.text('user')} is no member any more.`),
    },
    {
      name: 'invite', label: 'Invite', tone: 'main', button: false,
      says: () => ['A mail goes out with a link, good for seven days and once. Whoever follows it joins with the account of that address, or makes one. A former invitation of the same address is void.'],
      fields: [
        { name: 'email', label: 'E-mail address', type: 'email', required: true }, rolesField,
        { name: 'locale', label: 'Language of the mail', type: 'choice', choices: locales.map((value) => ({ value, text: languages[value] })), initial: 'en' },
      ],
      fill: () => ({ locale: 'en' }),
      act: async (call, { id }, form) => saying(await createInvitation(call.ctx, tenantOf(call), id, { email: form.text('email'), roles: form.many('roles'), locale: form.choice('locale', locales) }), `An invitation goes to ${form.text('email')}.`),
    },
    {
      name: 'revoke-invitation', label: 'Revoke an invitation', tone: 'danger', button: false, says: () => ['Its link is void at once.'],
      fields: [{ name: 'address', label: 'Address that it went to', type: 'email', required: true }], fill: (_, { query }) => ({ address: query.get('address') ?? '' }),
      async act(call, { id }, form) {
        const revoked = await revokeInvitation(call.ctx, tenantOf(call), id, form.text('address'));
        return saying(revoked.ok ? revoked : { ...revoked, member: 'address' }, `The invitation of ${form.text('address')} is void.`);
      },
    },
    {
      name: 'delete', label: 'Delete', tone: 'danger', recent: true, back: 'list',
      says: () => ['It goes for good, with its memberships and invitations. Its members stay users, and lose the tokens that speak of it.'],
      act: async (call, { id, name }) => saying(await deleteOrganization(call.ctx, tenantOf(call), id), `${name} was deleted.`),
    },
  ],
});

/** Who has a role where: memberships of a tenant are found by organization. So many are looked at, in parts with room for others between. */
const MOST_MEMBERSHIPS = 2_000;
const AT_ONCE = 200;

async function holdersOf(role: Role, call: ConsoleCall): Promise<string> {
  const { store } = call.ctx;
  const tenant = tenantOf(call);
  let holders = 0;
  let seen = 0;
  let whole = true;
  for (const { id } of await store.listOrganizations(tenant.id)) {
    if (seen >= MOST_MEMBERSHIPS) {
      whole = false;
      break;
    }
    const { items, next } = await store.pageMemberships(tenant.id, id, { after: null, limit: AT_ONCE });
    holders += items.filter(({ roles }) => roles.includes(role.name)).length;
    // An organization without members costs a look too.
    seen += items.length + 1;
    if (next !== null) whole = false;
    await new Promise((resolve) => setImmediate(resolve));
  }
  return `${whole ? '' : 'at least '}${counted(holders, 'membership')}`;
}

export const roleResource = resource<Role>({
  name: 'roles', at: 'tenant', area: 'roles', icon: 'shield', title: 'Roles', one: 'role',
  explain: 'What members of organizations may do, by name. Applications read the permissions from tokens.', empty: 'There are none. A role is a name with permissions, like editor with posts:write.',
  columns: [
    { title: 'Role', cell: ({ name }) => name }, { title: 'Permissions', cell: ({ permissions }) => (permissions.length === 0 ? soft('none') : row([...permissions.slice(0, 6).map((one) => mono(one)), ...(permissions.length > 6 ? [soft(`and ${permissions.length - 6} more`)] : [])])) },
    { title: 'Created', cell: ({ createdAtMs }) => time(createdAtMs), minor: true },
  ],
  list: async (call) => ({ items: await call.ctx.store.listRoles(tenantOf(call).id), next: null }),
  id: ({ name }) => name, label: ({ name }) => name,
  load: (call, name) => requireRole(call.ctx, tenantOf(call), name),
  facts: async (role, call) => [{ title: 'Role', facts: [['Name', mono(role.name, true)], ['Permissions', list(role.permissions.map((one) => mono(one)))], ['Given in', await holdersOf(role, call)], ['Created', time(role.createdAtMs)]] }],
  fields: [
    { name: 'role', label: 'Name', type: 'text', on: 'create', required: true, placeholder: 'editor', help: 'It can never be changed.' },
    { name: 'permissions', label: 'Permissions', type: 'lines', placeholder: 'posts:read\nposts:write', help: 'One a line; words of your own that applications understand.' },
  ],
  values: ({ permissions }) => ({ permissions: permissions.join('\n') }),
  create: { async act(call, form) {
    const made = await createRole(call.ctx, tenantOf(call), form.text('role'), form.many('permissions'));
    return made.ok ? done({ id: made.value.name }, made.warnings) : made;
  } },
  update: (call, { name }, form, guard) => updateRole(call.ctx, tenantOf(call), name, form.many('permissions'), guard),
  actions: [{
    name: 'delete', label: 'Delete', tone: 'danger', recent: true, back: 'list',
    says: async (role, call) => [`It goes for good, and is taken from everybody who has it: ${await holdersOf(role, call)}.`],
    act: async (call, { name }) => saying(await deleteRole(call.ctx, tenantOf(call), name), `The role ${name} was deleted.`),
  }],
});
