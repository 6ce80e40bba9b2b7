/** Who may operate, in the console: API keys and administrators. */
import { adminAreas, adminScopes, covers, type AdminArea, type Administrator, type ApiKey } from '../../core/admin.ts';
import type { Tenant } from '../../core/model.ts';
import { DEFAULT_TENANT } from '../../core/tenant-settings.ts';
import { createApiKey, listApiKeys, putAdministrator, removeAdministrator, requireAdministrator, revokeApiKey } from '../../service/manage-access.ts';
import { inviteAdministrator } from '../../service/manage-administrators.ts';
import { done, refused, type Managed } from '../../service/manage-outcome.ts';
import { link, list, mono, row, soft, time, type Badge, type Choice, type FactGroup, type Value } from '../../pages/admin/views.ts';
import { may, type ConsoleCall } from './call.ts';
import { saying } from './outcome.ts';
import { consolePath, tenantPath, withQuery } from './paths.ts';
import { resource, type ConsoleResource, type FieldRow, type FormFill, type FormReader } from './resource.ts';

const ALL = 'admin';
const LOOK = 'admin:read';
const PARTS = 'parts';
const SUGGESTED = 50;
const DAY_S = 86_400;

/** What there is in an area, for people. */
const areaWords: Readonly<Record<AdminArea, string>> = {
  tenants: 'Tenants and their settings', clients: 'Clients', resources: 'Resources', users: 'Users', organizations: 'Organizations', roles: 'Roles', tokens: 'Tokens, grants and sessions', keys: 'Signing keys',
  audit: 'Audit trail', webhooks: 'Webhooks', settings: 'Server settings', metrics: 'Figures', access: 'API keys and administrators',
};

/** Only what the administrator has can be handed on. */
const within = (call: ConsoleCall) => ({ value }: Choice): boolean => value === PARTS || covers(call.administrator.scopes, [value]);

const kinds: readonly Choice[] = [{ value: ALL, text: 'everything' }, { value: LOOK, text: 'look at everything, change nothing' }, { value: PARTS, text: 'only what is ticked below' }];
const parts: readonly Choice[] = adminAreas.flatMap((area) => [{ value: `admin:${area}:read`, text: 'look', group: areaWords[area] }, { value: `admin:${area}`, text: 'look and change', group: areaWords[area] }]);

const scopeFields: readonly FieldRow[] = [
  { name: 'kind', label: 'May', type: 'choice', choices: async (call) => kinds.filter(within(call)), initial: PARTS, help: 'Nobody gives more than they have.' },
  { name: 'scopes', label: 'Parts', type: 'checks', choices: async (call) => parts.filter(within(call)) },
];

const tenantField: FieldRow = {
  name: 'tenant', label: 'Tenant', type: 'text', placeholder: 'slug',
  choices: async ({ bound, ctx }) => (bound === null ? (await ctx.store.pageTenants({ after: null, limit: SUGGESTED }, {})).items : [bound]).map(({ slug, name }) => ({ value: slug, text: name })),
  help: 'The only one that it is for. Empty: all of them and the server itself, as far as you may.',
};

/** The chosen scopes; with `parts`, those that are ticked, without a `:read` beside what holds it. */
function scopesOf(form: FormReader): Managed<readonly string[]> {
  const kind = form.choice('kind', [ALL, LOOK, PARTS]);
  const ticked = form.chosen('scopes', adminScopes);
  if (kind !== PARTS && kind !== null) return ticked.length === 0 || covers([kind], ticked) ? done([kind]) : refused('invalid_request', 'what is ticked goes beyond that: choose "only what is ticked below", or untick it', { member: 'scopes' });
  return ticked.length === 0 ? refused('invalid_request', 'tick at least one', { member: 'scopes' }) : done(ticked.filter((scope) => !(scope.endsWith(':read') && ticked.includes(scope.slice(0, -':read'.length)))));
}

/** As a form is filled with scopes. */
function fillScopes(scopes: readonly string[]): FormFill {
  const kind = scopes.includes(ALL) ? ALL : scopes.length === 1 && scopes[0] === LOOK ? LOOK : PARTS;
  const inParts = scopes.includes(LOOK) && kind === PARTS ? [...new Set([...scopes.filter((scope) => scope !== LOOK), ...adminAreas.map((area) => `admin:${area}:read`)])] : scopes;
  return { kind, scopes: kind === PARTS ? inParts : [] };
}

/** Scopes in words. */
function inWords(scopes: readonly string[]): readonly string[] {
  return scopes.map((scope) => {
    if (scope === ALL) return 'everything';
    if (scope === LOOK) return 'look at everything';
    const area = adminAreas.find((one) => scope === `admin:${one}` || scope === `admin:${one}:read`);
    return area === undefined ? scope : scope.endsWith(':read') ? `${areaWords[area]}: look` : areaWords[area];
  });
}

function shortly(scopes: readonly string[]): Value {
  const words = inWords(scopes);
  return words.length <= 2 ? words.join(' · ') : row([words.slice(0, 2).join(' · '), soft(`and ${words.length - 2} more`)]);
}

/** The tenant that a form names; for who is bound to one, that one. Of others nothing is told. */
async function tenantIn(call: ConsoleCall, slug: string): Promise<Managed<Tenant | null>> {
  if (slug === '') return done(call.bound);
  const found = await call.ctx.store.findTenant({ slug });
  return found === null || found.deletedAtMs !== null || (call.bound !== null && call.bound.id !== found.id) ? refused('invalid_request', 'there is no such tenant, or none that you may know of', { member: 'tenant' }) : done(found);
}

async function tenantCell(call: ConsoleCall, tenantId: string | null): Promise<Value> {
  const tenant = tenantId === null ? null : await call.ctx.store.findTenant({ id: tenantId });
  return tenantId === null ? soft('all') : tenant === null || tenant.deletedAtMs !== null ? soft('deleted') : link(tenant.slug, tenantPath(tenant.slug));
}

const keyState = ({ revokedAtMs, expiresAtMs }: ApiKey, nowMs: number): Badge =>
  (revokedAtMs !== null ? { text: 'revoked', mood: 'bad' } : expiresAtMs !== null && expiresAtMs <= nowMs ? { text: 'expired', mood: 'warn' } : { text: 'good', mood: 'good' });

const lifetimes: readonly Choice[] = [{ value: String(30 * DAY_S), text: '30 days' }, { value: String(90 * DAY_S), text: '90 days' }, { value: String(365 * DAY_S), text: 'one year' }, { value: 'never', text: 'without an end' }];

export const apiKeyResource = resource<ApiKey>({
  name: 'api-keys', at: 'server', forBound: true, area: 'access', icon: 'key', title: 'API keys', one: 'API key',
  explain: 'What programs operate this server with, through the admin API.', empty: 'There are none. A program that calls the admin API needs one; give it no more than it takes.',
  columns: [
    { title: 'Name', cell: ({ name }) => name }, { title: 'Begins with', cell: ({ id }) => mono(id) }, { title: 'May', cell: ({ scopes }) => shortly(scopes), minor: true }, { title: 'Tenant', cell: ({ tenantId }, call) => tenantCell(call, tenantId), minor: true },
    { title: 'State', cell: (key, call) => ({ kind: 'badge', ...keyState(key, call.ctx.clock.now()) }) }, { title: 'Last used', cell: ({ lastUsedAtMs }) => (lastUsedAtMs === null ? soft('never') : time(lastUsedAtMs)) }, { title: 'Ends', cell: ({ expiresAtMs }) => (expiresAtMs === null ? soft('never') : time(expiresAtMs)), minor: true },
  ],
  list: async (call) => ({ items: await listApiKeys(call.ctx, call.administrator), next: null }),
  id: ({ id }) => id, label: ({ name }) => name, state: ({ revokedAtMs }) => (revokedAtMs === null ? null : { text: 'revoked', mood: 'bad' }), dim: ({ revokedAtMs }) => revokedAtMs !== null,
  async load(call, id) {
    const key = (await listApiKeys(call.ctx, call.administrator)).find((one) => one.id === id);
    return key === undefined ? refused('not_found', 'there is no such API key') : done(key);
  },
  facts: async (key, call): Promise<readonly FactGroup[]> => [
    { title: 'API key', facts: [
      ['State', { kind: 'badge', ...keyState(key, call.ctx.clock.now()) }], ['Begins with', mono(key.id, true)], ['May', list(inWords(key.scopes))], ['Scopes', mono(key.scopes.join(' '))], ['Tenant', await tenantCell(call, key.tenantId)],
      ['Made by', mono(key.createdBy)], ['Made', time(key.createdAtMs)], ['Ends', key.expiresAtMs === null ? soft('never') : time(key.expiresAtMs)], ['Last used', key.lastUsedAtMs === null ? soft('never') : time(key.lastUsedAtMs)], ['Revoked', time(key.revokedAtMs)],
      ...(may(call, 'audit', 'read') && call.bound === null ? [['What it did', link('Show in the audit trail', withQuery(consolePath('audit'), { actor: `key:${key.id}` }))] as const] : []),
    ] },
  ],
  fields: [
    { name: 'name', label: 'Name', type: 'text', required: true, placeholder: 'Deployment', help: 'What it is for, so that whoever reads this list knows whether it still is needed.' }, ...scopeFields, tenantField,
    { name: 'ttl', label: 'Good for', type: 'choice', choices: lifetimes, initial: String(90 * DAY_S) },
  ],
  create: { recent: true, async act(call, form) {
    const scopes = scopesOf(form);
    if (!scopes.ok) return scopes;
    const tenant = await tenantIn(call, form.text('tenant'));
    if (!tenant.ok) return tenant;
    const ttl = form.choice('ttl', lifetimes.map(({ value }) => value));
    if (ttl === null) return refused('invalid_request', 'choose how long it is good for', { member: 'ttl' });
    const made = await createApiKey(call.ctx, call.administrator, { name: form.text('name'), scopes: scopes.value, tenant: tenant.value, ttl: ttl === 'never' ? null : Number(ttl) });
    if (!made.ok) return made;
    const { key, text } = made.value;
    return done({ id: key.id, shown: { label: 'API key', text, facts: [['Name', key.name], ['May', list(inWords(key.scopes))], ['Ends', key.expiresAtMs === null ? soft('never') : time(key.expiresAtMs)], ['Where it goes', mono('Authorization: Bearer')], ['Admin API', mono(`${call.ctx.origin().url}/admin/v1`, true)]] } }, made.warnings);
  } },
  actions: [{
    name: 'revoke', label: 'Revoke', tone: 'danger', recent: true, when: ({ revokedAtMs }) => revokedAtMs === null, says: () => ['Whatever works with it stops at once. This cannot be taken back; make another key instead.'],
    act: async (call, { id, name }) => saying(await revokeApiKey(call.ctx, call.administrator, id), `${name} is revoked.`),
  }],
});

/** An administrator with their name; null: the account is gone. */
type Named = { readonly administrator: Administrator; readonly username: string | null; readonly name: string | null };

async function named(call: ConsoleCall, administrator: Administrator): Promise<Named> {
  const home = await call.ctx.store.findTenant({ slug: DEFAULT_TENANT });
  const user = home === null ? null : await call.ctx.store.findUser(home.id, administrator.userId);
  return { administrator, username: user === null || user.deletedAtMs !== null ? null : user.username, name: user?.name ?? null };
}

async function put(call: ConsoleCall, user: string, form: FormReader, guard?: (current: Administrator) => boolean): Promise<Managed<Administrator>> {
  const scopes = scopesOf(form);
  if (!scopes.ok) return scopes;
  const tenant = await tenantIn(call, form.text('tenant'));
  return tenant.ok ? putAdministrator(call.ctx, call.administrator, user, { scopes: scopes.value, tenant: tenant.value }, guard) : tenant;
}

export const administratorResource = resource<Named & { readonly slug: string }>({
  name: 'administrators', at: 'server', area: 'access', icon: 'people', title: 'Administrators', one: 'administrator',
  explain: 'People who may operate this server: users of the tenant default.', empty: 'There are none.',
  columns: [
    { title: 'Username', cell: ({ username, administrator }) => username ?? administrator.userId }, { title: 'Full name', cell: ({ name }) => name }, { title: 'May', cell: ({ administrator }) => shortly(administrator.scopes) },
    { title: 'Tenant', cell: ({ administrator }, call) => tenantCell(call, administrator.tenantId) }, { title: 'Since', cell: ({ administrator }) => time(administrator.createdAtMs), minor: true },
  ],
  list: async (call) => ({ items: await Promise.all((await call.ctx.store.listAdministrators()).map((one) => withSlug(call, one))), next: null }),
  id: ({ administrator }) => administrator.userId, label: ({ username, administrator }) => username ?? administrator.userId,
  async load(call, id) {
    const found = await requireAdministrator(call.ctx, id);
    return found.ok ? done(await withSlug(call, found.value)) : found;
  },
  facts: async ({ administrator, username, name }, call) => [{ title: 'Administrator', facts: [
    ['User', may(call, 'users', 'read') ? link(username ?? administrator.userId, tenantPath(DEFAULT_TENANT, 'users', administrator.userId)) : username], ['Full name', name], ['User ID', mono(administrator.userId, true)],
    ['May', list(inWords(administrator.scopes))], ['Scopes', mono(administrator.scopes.join(' '))], ['Tenant', await tenantCell(call, administrator.tenantId)], ['Since', time(administrator.createdAtMs)],
    ...(may(call, 'audit', 'read') ? [['What they did', link('Show in the audit trail', withQuery(consolePath('audit'), { actor: administrator.userId }))] as const] : []),
  ] }],
  fields: [{ name: 'user', label: 'User', type: 'text', on: 'create', required: true, placeholder: 'username or ID', help: 'Somebody of the tenant default. For who has no account yet, invite them instead.' }, ...scopeFields, tenantField],
  values: ({ administrator, slug }) => ({ ...fillScopes(administrator.scopes), tenant: slug }),
  create: { recent: true, async act(call, form) {
    const home = await call.ctx.store.findTenant({ slug: DEFAULT_TENANT });
    const former = await requireAdministrator(call.ctx, form.text('user'));
    if (former.ok && home !== null) return refused('already_exists', 'this user is an administrator already: change what they may on their page', { member: 'user' });
    const made = await put(call, form.text('user'), form);
    return made.ok ? done({ id: made.value.userId }, made.warnings) : made.member === null && made.error === 'not_found' ? { ...made, member: 'user' } : made;
  } },
  recentUpdate: true,
  update: (call, { administrator, ...rest }, form, guard) => put(call, administrator.userId, form, (current) => guard({ ...rest, administrator: current, slug: current.tenantId === administrator.tenantId ? rest.slug : '?' })),
  actions: [{
    name: 'remove', label: 'Remove', tone: 'danger', recent: true, back: 'list', says: ({ username }) => [`${username ?? 'This user'} can operate nothing any more, from now on. The account stays.`],
    act: async (call, { administrator, username }) => saying(await removeAdministrator(call.ctx, call.administrator, administrator.userId), `${username ?? 'The user'} is no administrator any more.`),
  }],
  bulk: [{
    name: 'invite', label: 'Invite', recent: true, says: () => ['You get a link, once. Whoever follows it within a day makes an account and is an administrator. Only the newest link that was not used is good: a former one is void.'],
    fields: [...scopeFields, tenantField], fill: () => ({ kind: PARTS }),
    async act(call, form) {
      const scopes = scopesOf(form);
      if (!scopes.ok) return scopes;
      const tenant = await tenantIn(call, form.text('tenant'));
      if (!tenant.ok) return tenant;
      const invited = await inviteAdministrator(call.ctx, call.administrator, { scopes: scopes.value, tenant: tenant.value });
      return invited.ok ? done({ shown: { label: 'Link', text: invited.value.url, facts: [['May', list(inWords(scopes.value))], ['Tenant', tenant.value?.slug ?? soft('all')], ['Good', time(invited.value.expiresAtMs)]] } }, invited.warnings) : invited;
    },
  }],
});

async function withSlug(call: ConsoleCall, administrator: Administrator): Promise<Named & { readonly slug: string }> {
  const tenant = administrator.tenantId === null ? null : await call.ctx.store.findTenant({ id: administrator.tenantId });
  return { ...await named(call, administrator), slug: tenant?.slug ?? '' };
}

export const accessResources: readonly ConsoleResource[] = [apiKeyResource, administratorResource];
