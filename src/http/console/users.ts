/** Users in the console. */
import type { Tenant, User, UserAttributes } from '../../core/model.ts';
import { parseAttribute, typeAttribute } from '../../core/user-attributes.ts';
import type { Context } from '../../service/context.ts';
import { refuseBeyond, refuseLast } from '../../service/manage-access.ts';
import { createUserWithPassword, readCredentials, resetUserFactors, setUserPassword } from '../../service/manage-credentials.ts';
import { done, refused, type Managed } from '../../service/manage-outcome.ts';
import { deviceOf, endUserSessions, listUserSessions } from '../../service/manage-sessions.ts';
import { createUser, deleteUser, requireUser, revokeUserTokens, setUserEnabled, updateUser } from '../../service/manage-users.ts';
import { badge, enabledBadge, link, mono, row, soft, time, type ActionLink, type FactGroup, type Value } from '../../pages/admin/views.ts';
import { may, tenantOf, type ConsoleCall } from './call.ts';
import { counted, saying, smallTable } from './outcome.ts';
import { tenantPath, withQuery } from './paths.ts';
import { resource, type ActionRow, type FieldRow, type FormFill, type FormReader, type Shown } from './resource.ts';

const TEMPORARY = 'temporary';
const NO_PASSWORD = 'none';

const fields: readonly FieldRow[] = [
  { name: 'id', label: 'User ID', type: 'text', on: 'create', placeholder: 'made for you', help: 'The sub of their tokens. It can never be changed, and nobody ever gets it again.' },
  { name: 'username', label: 'Username', type: 'text', required: true, help: 'What they sign in with. Letter case does not count.' },
  { name: 'name', label: 'Full name', type: 'text' },
  { name: 'email', label: 'E-mail address', type: 'email', help: 'Codes and notices go there.' },
  { name: 'emailVerified', label: 'The address is known to be theirs', type: 'check', help: 'Only to such an address codes to sign in with are sent. A changed address begins as not verified.' },
  { name: 'attributes', label: 'Attributes', type: 'lines', placeholder: 'given_name=Alice\nlocale=en\ndepartment=Support', help: 'What else is known of them: NAME=VALUE, one a line. Names of standard claims are told with their scope; others where the tenant maps a claim from them. Lists, numbers, true and false as JSON.' },
  { name: 'password', label: 'How they sign in first', type: 'choice', on: 'create', initial: TEMPORARY, choices: [
    { value: TEMPORARY, text: 'with a temporary password, shown to you once' }, { value: NO_PASSWORD, text: 'without a password: a code by mail, or a passkey' },
  ], help: 'Whoever has a temporary password must choose another at once. A code by mail takes an address that is known to be theirs.' },
];

/** 32 letters that are hard to mistake for each other: five bits each. */
const letters = 'abcdefghijkmnpqrstuvwxyz23456789';
const GROUP = 5;
const LEAST_GROUPS = 4;

/** `xxxxx-xxxxx-xxxxx-xxxxx`: to be typed once; 100 bits or more, and never shorter than the tenant wants. */
function makePassword({ random }: Pick<Context, 'random'>, { people }: Tenant): string {
  const groups = Math.max(LEAST_GROUPS, Math.ceil((people.passwordMinLength + 1) / (GROUP + 1)));
  const bytes = Buffer.from(random.text(groups * GROUP), 'base64url');
  return Array.from({ length: groups }, (_, group) => Array.from(bytes.subarray(group * GROUP, (group + 1) * GROUP), (byte) => letters.charAt(byte % letters.length)).join('')).join('-');
}

function shownPassword(text: string, user: User): Shown {
  return { label: 'Temporary password', text, facts: [['Username', mono(user.username, true)], ['Good for', 'one sign-in: then they choose their own']] };
}

/** Attributes as typed, one a line. */
function readAttributes(form: FormReader): Managed<UserAttributes> {
  const attributes: Record<string, UserAttributes[string]> = {};
  for (const line of form.many('attributes')) {
    const at = line.indexOf('=');
    const name = line.slice(0, at).trim();
    if (at < 1) return refused('invalid_request', `an attribute is NAME=VALUE, like given_name=Alice, not ${JSON.stringify(line)}`, { member: 'attributes' });
    if (Object.hasOwn(attributes, name)) return refused('invalid_request', `there are two attributes ${name}`, { member: 'attributes' });
    const value = parseAttribute(line.slice(at + 1).trim());
    if (value === undefined) return refused('invalid_request', `${name}: a list or object holds texts only`, { member: 'attributes' });
    if (value !== null) attributes[name] = value;
  }
  return done(attributes);
}

async function create(call: ConsoleCall, form: FormReader): Promise<Managed<{ readonly id: string; readonly shown: Shown | null }>> {
  const tenant = tenantOf(call);
  const attributes = readAttributes(form);
  if (!attributes.ok) return attributes;
  const wish = { username: form.text('username'), email: form.text('email'), emailVerified: form.on('emailVerified'), name: form.orNull('name'), attributes: attributes.value };
  if (form.choice('password', [TEMPORARY, NO_PASSWORD]) !== TEMPORARY) {
    const made = await createUser(call.ctx, tenant, form.orNull('id'), wish);
    if (!made.ok) return made;
    const reached = tenant.people.emailCodes && made.value.email !== '' && made.value.emailVerified;
    return done({ id: made.value.id, shown: null }, reached ? made.warnings : [...made.warnings, 'they cannot sign in yet: they have no password, and no address that a code could go to']);
  }
  const text = makePassword(call.ctx, tenant);
  const made = await createUserWithPassword(call.ctx, tenant, form.orNull('id'), wish, { text, temporary: true });
  return made.ok ? done({ id: made.value.id, shown: shownPassword(text, made.value) }, made.warnings) : made;
}

/** What somebody signs in with, in words. */
async function credentialsOf(call: ConsoleCall, user: User): Promise<readonly (readonly [string, Value])[]> {
  const { password, passkeys, authenticator, recoveryCodes } = await readCredentials(call.ctx, tenantOf(call), user);
  const byMail = tenantOf(call).people.emailCodes && user.emailVerified;
  return [
    ['Password', password === null ? soft('none') : password === 'temporary' ? badge('temporary', 'warn') : 'set'], ['Code by mail', byMail ? 'yes' : soft(user.email === '' ? 'no: there is no address' : user.emailVerified ? 'no: the tenant does not send any' : 'no: the address is not verified')],
    ['Passkeys', passkeys === 0 ? soft('none') : String(passkeys)], ['Authenticator app', authenticator ? 'yes' : soft('no')], ['Recovery codes', recoveryCodes === 0 ? soft('none') : `${recoveryCodes} left`],
  ];
}

const SHOWN = 10;

/** Where they are signed in, and what they allowed: the latest of each. */
async function livingOf(call: ConsoleCall, user: User): Promise<readonly FactGroup[]> {
  const tenant = tenantOf(call);
  const { store, clock } = call.ctx;
  const sessions = await listUserSessions(call.ctx, tenant, user.id);
  const grants = (await store.pageGrants(tenant.id, { after: null, limit: SHOWN }, { userId: user.id }, clock.now())).items;
  const all = (name: string): readonly ActionLink[] => [{ text: 'All', href: withQuery(tenantPath(tenant.slug, name), { user: user.id }), tone: 'plain' }];
  return [
    { title: 'Sessions', links: all('sessions'), table: smallTable('Sessions', ['Browser', '~Address', 'Last seen', 'Ends'], (sessions.ok ? sessions.value.sessions : []).slice(0, SHOWN).map((listed) => ({
      key: listed.session.id, href: tenantPath(tenant.slug, 'sessions', listed.session.id), cells: [deviceOf(listed) ?? 'Unknown device', mono(listed.session.ip), time(listed.session.lastSeenAtMs), time(listed.session.expiresAtMs)],
    })), 'They are signed in nowhere.') },
    { title: 'Grants', links: all('grants'), table: smallTable('Grants', ['Client', 'Scopes', '~Begun', 'Last used'], grants.map(({ grant, lastUsedAtMs }) => ({
      key: grant.id, href: tenantPath(tenant.slug, 'grants', grant.id), cells: [mono(grant.clientId), row(grant.scopes.map((scope) => mono(scope))), time(grant.createdAtMs), time(lastUsedAtMs)],
    })), 'No client acts in their name.') },
  ];
}

async function factsOf(user: User, call: ConsoleCall): Promise<readonly FactGroup[]> {
  const tenant = tenantOf(call);
  const memberships = await call.ctx.store.listMemberships(tenant.id, { userId: user.id });
  const places = await Promise.all(memberships.map(async ({ orgId, roles }) => ({ orgId, roles, org: await call.ctx.store.findOrganization(tenant.id, orgId) })));
  const attributes = Object.entries(user.attributes);
  return [
    { title: 'User', facts: [
      ['User ID', mono(user.id, true)], ['Username', user.username], ['Full name', user.name],
      ['E-mail address', user.email === '' ? null : row([user.email, user.emailVerified ? badge('verified', 'good') : badge('not verified', 'warn')])], ['Created', time(user.createdAtMs)], ['Disabled', time(user.disabledAtMs)],
      ...(user.notBeforeMs === 0 ? [] : [['Tokens void that were issued before', time(user.notBeforeMs)] as const]),
      ...(may(call, 'audit', 'read') ? [['What happened', link('Show in the audit trail', withQuery(tenantPath(tenant.slug, 'audit'), { subject: user.id }))] as const] : []),
    ] },
    ...(attributes.length === 0 ? [] : [{ title: 'Attributes', facts: attributes.map(([name, value]) => [name, typeof value === 'string' ? value : mono(JSON.stringify(value))] as const) }]),
    { title: 'Signs in with', facts: await credentialsOf(call, user) },
    { title: 'Organizations', table: smallTable('Organizations', ['Organization', 'ID', 'Roles'], places.map(({ orgId, roles, org }) => ({
      key: orgId, href: may(call, 'organizations', 'read') ? tenantPath(tenant.slug, 'organizations', orgId) : null, cells: [org?.name ?? orgId, mono(orgId), roles.join(', ') || null],
    })), 'They belong to none. An organization\'s page takes people in.') },
    ...(may(call, 'tokens', 'read') ? await livingOf(call, user) : []),
  ];
}

/** Does something to an account, unless it is an administrator's who may do more. */
async function actOn<T>(call: ConsoleCall, user: User, act: () => Promise<Managed<T>>): Promise<Managed<T>> {
  return (await refuseBeyond(call.ctx, call.administrator, tenantOf(call), user.id)) ?? act();
}

/** An action of one sentence. */
function simple(action: Pick<ActionRow<User>, 'name' | 'label' | 'says'> & Partial<ActionRow<User>>, act: (call: ConsoleCall, user: User) => Promise<Managed<unknown>>, said: (user: User) => string): ActionRow<User> {
  return { ...action, act: async (call, user) => saying(await actOn(call, user, () => act(call, user)), said(user)) };
}

const actions: readonly ActionRow<User>[] = [
  {
    name: 'set-password', label: 'Set temporary password', recent: true,
    says: (user) => [`${user.username} gets a password, which is shown to you once. A former one is worth nothing any more; they hear of it by mail, and must choose their own at the next sign-in.`, 'Sessions and tokens stay.'],
    async act(call, user) {
      const tenant = tenantOf(call);
      const text = makePassword(call.ctx, tenant);
      const set = await actOn(call, user, () => setUserPassword(call.ctx, tenant, user.id, { text, temporary: true }));
      return set.ok ? done({ shown: shownPassword(text, set.value) }, set.warnings) : set;
    },
  },
  simple({
    name: 'reset-factors', label: 'Reset factors', recent: true,
    says: (user) => [`Takes passkeys, authenticator app and recovery codes from ${user.username}, who lost them. The password stays.`, 'Make sure that it is they who ask.'],
  }, (call, { id }) => resetUserFactors(call.ctx, tenantOf(call), id), ({ username }) => `${username} has no passkeys, authenticator and recovery codes any more.`),
  simple({
    name: 'disable', label: 'Disable', when: ({ disabledAtMs }) => disabledAtMs === null,
    says: () => ['They cannot sign in, and every token of theirs is void from now on; those stay void when they are enabled again.'],
  }, async (call, { id }) => (await refuseLast(call.ctx, tenantOf(call), id)) ?? setUserEnabled(call.ctx, tenantOf(call), id, false), ({ username }) => `${username} is disabled.`),
  simple({
    name: 'enable', label: 'Enable', when: ({ disabledAtMs }) => disabledAtMs !== null, says: () => ['They can sign in again. Tokens from before stay void.'],
  }, (call, { id }) => setUserEnabled(call.ctx, tenantOf(call), id, true), ({ username }) => `${username} is enabled.`),
  {
    name: 'sign-out', label: 'Sign out everywhere', area: 'tokens',
    says: () => ['Every session of theirs ends, in whichever browser, with the grants that are not for offline use. They can sign in again.'],
    async act(call, user) {
      const ended = await endUserSessions(call.ctx, tenantOf(call), user.id);
      return ended.ok ? done({ said: `${counted(ended.value, 'session')} ended.` }, ended.warnings) : ended;
    },
  },
  {
    name: 'revoke-tokens', label: 'Revoke all tokens', tone: 'danger', area: 'tokens', recent: true,
    says: () => ['Every session and every token of theirs so far is void at once, those for offline use too. They can sign in again.'],
    act: async (call, user) => saying(await revokeUserTokens(call.ctx, tenantOf(call), user.id), `Every session and token of ${user.username} from before now is void.`),
  },
  simple({
    name: 'delete', label: 'Delete', tone: 'danger', recent: true, back: 'list',
    says: (user) => [`Everything that is known of ${user.username} goes, for good; all of their tokens are void at once. Only the ID is kept, so that nobody gets it again.`, 'To keep somebody out for a while, disable them instead.'],
  }, async (call, { id }) => (await refuseLast(call.ctx, tenantOf(call), id)) ?? deleteUser(call.ctx, tenantOf(call), id), ({ username }) => `${username} was deleted.`),
];

export const userResource = resource<User>({
  name: 'users', at: 'tenant', area: 'users', icon: 'person', title: 'Users', one: 'user',
  explain: 'People who sign in at this tenant.', empty: 'Nobody is here yet. Create somebody, invite people into an organization, or let them register (Settings, Signing in).',
  search: 'Beginning of the username, name, address or ID', filters: [{ name: 'state', label: 'State', choices: [{ value: 'enabled', text: 'enabled' }, { value: 'disabled', text: 'disabled' }] }],
  columns: [
    { title: 'Username', cell: ({ username }) => username }, { title: 'Full name', cell: ({ name }) => name },
    { title: 'E-mail address', cell: ({ email, emailVerified }) => (email === '' ? null : emailVerified ? email : row([email, badge('not verified', 'calm')])) },
    { title: 'State', cell: ({ disabledAtMs }) => ({ kind: 'badge', ...enabledBadge(disabledAtMs === null) }) }, { title: 'Created', cell: ({ createdAtMs }) => time(createdAtMs), minor: true },
  ],
  list: (call, { page, search, filters }) => call.ctx.store.pageUsers(tenantOf(call).id, page, { ...(search !== '' && { search }), ...(filters['state'] !== '' && { enabled: filters['state'] === 'enabled' }) }),
  id: ({ id }) => id, label: ({ username }) => username, state: ({ disabledAtMs }) => enabledBadge(disabledAtMs === null), dim: ({ disabledAtMs }) => disabledAtMs !== null,
  load: (call, id) => requireUser(call.ctx, tenantOf(call), id),
  facts: factsOf, fields,
  values: (user): FormFill => ({
    username: user.username, name: user.name ?? '', email: user.email, emailVerified: user.emailVerified ? 'yes' : '', attributes: Object.entries(user.attributes).map(([name, value]) => `${name}=${typeAttribute(value)}`).join('\n'),
  }),
  create: { recent: true, act: create },
  // Codes to sign in with go to the address.
  recentUpdate: true,
  async update(call, user, form, guard) {
    const attributes = readAttributes(form);
    if (!attributes.ok) return attributes;
    const email = form.text('email');
    // A box that was ticked for the former address says nothing of another one.
    const emailVerified = form.on('emailVerified') && (email === user.email || !user.emailVerified);
    const updated = await actOn(call, user, () => updateUser(call.ctx, tenantOf(call), user.id, { username: form.text('username'), name: form.orNull('name'), email, emailVerified, attributes: attributes.value }, guard));
    const doubtful = updated.ok && form.on('emailVerified') && !emailVerified;
    return doubtful ? done(updated.value, [...updated.warnings, 'the new address counts as not verified: edit once more if it is known to be theirs']) : updated;
  },
  actions,
});
