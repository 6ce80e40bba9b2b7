/** Clients in the console. The complete example of a row: resource.ts says how to add one. */
import type { ClientChange } from '../../core/client-settings.ts';
import { introspectionPolicies, shapeNames, tokenFormats, type Client, type Tenant } from '../../core/model.ts';
import { resourceKey } from '../../service/resources.ts';
import {
  createClient, deleteClient, requireClient, revokeClientTokens, rotateSecret, setClientEnabled, updateClient, type CreatedClient,
} from '../../service/manage-clients.ts';
import { done, type Managed } from '../../service/manage-outcome.ts';
import { authMethods, grantTypes } from '../../spec/names.ts';
import { badge, duration, enabledBadge, link, list, mono, row, soft, time, yesNo, type Choice, type FactGroup } from '../../pages/admin/views.ts';
import { tenantOf, type ConsoleCall } from './call.ts';
import { homeOf } from './endpoints.ts';
import { tenantPath, withQuery } from './paths.ts';
import { resource, type FieldRow, type FormFill, type FormReader, type Shown } from './resource.ts';

/** How long a former secret goes on unless it is said otherwise, seconds. */
const OVERLAP_S = 86_400;

const words = (texts: readonly string[], unset?: string): readonly Choice[] => [
  ...(unset === undefined ? [] : [{ value: '', text: unset }]), ...texts.map((text) => ({ value: text, text })),
];

/** A grant's last word: `token-exchange`. */
const shortly = (grant: string): string => grant.replace(/^urn:.*:/, '');

const fields: readonly FieldRow[] = [
  { name: 'id', label: 'Client ID', type: 'text', on: 'create', help: 'Visible ASCII without spaces; it can never be changed. Leave it empty to have one made.', placeholder: 'made for you' },
  { name: 'name', label: 'Name', type: 'text', help: 'What people see when they sign in.', placeholder: 'the ID' },
  { name: 'public', label: 'Public: it cannot keep a secret (a single-page or native app)', type: 'check', help: 'Public clients have no secret and must use PKCE. They can never introspect.' },
  { name: 'grants', label: 'Grants', type: 'checks', choices: grantTypes.map((value) => ({ value, text: shortly(value) })), group: 'What it may ask for', help: 'None: client_credentials for a confidential client, authorization_code with refresh_token for a public one.' },
  { name: 'scopes', label: 'Scopes', type: 'words', group: 'What it may ask for', placeholder: 'openid profile orders:read', help: 'Between spaces.' },
  { name: 'audience', label: 'Audience', type: 'lines', group: 'What it may ask for', help: 'aud of its tokens where none is asked for; one a line.' },
  { name: 'redirectUris', label: 'Redirect URIs', type: 'lines', group: 'Signing people in', placeholder: 'https://app.example.com/callback', help: 'One a line; compared exactly.' },
  { name: 'postLogoutRedirectUris', label: 'Redirect URIs after signing out', type: 'lines', group: 'Signing people in', help: 'One a line.' },
  { name: 'backchannelLogoutUri', label: 'Back-channel logout URI', type: 'url', group: 'Signing people in', help: 'Hears when a session of its people ended.' },
  { name: 'firstParty', label: 'Our own application: its people are not asked for consent', type: 'check', group: 'Signing people in' },
  { name: 'requirePkce', label: 'Requests must carry a PKCE challenge', type: 'check', initial: 'yes', group: 'Signing people in' },
  { name: 'authMethod', label: 'Authentication', type: 'choice', choices: words(authMethods, 'any that works for its kind'), group: 'Tokens and introspection' },
  { name: 'tokenFormat', label: 'Format of access tokens', type: 'choice', choices: words(tokenFormats, 'what the resource says, else jwt'), group: 'Tokens and introspection' },
  { name: 'accessTokenTtl', label: 'Lifetime of access tokens', type: 'number', group: 'Tokens and introspection', placeholder: 'the tenant\'s', help: 'Seconds.' },
  { name: 'refreshTokenTtl', label: 'Lifetime of refresh tokens', type: 'number', group: 'Tokens and introspection', placeholder: 'the tenant\'s', help: 'Seconds, from first issue.' },
  { name: 'refreshRotation', label: 'Refresh tokens are replaced at every use', type: 'check', initial: 'yes', group: 'Tokens and introspection' },
  { name: 'introspect', label: 'May introspect', type: 'choice', choices: words(introspectionPolicies, 'what the tenant\'s policy says'), group: 'Tokens and introspection', help: 'issued_to: its own tokens · audience: also those meant for its resources · tenant: all.' },
  { name: 'shape', label: 'Form of introspection answers', type: 'choice', choices: words(shapeNames, 'the tenant\'s'), group: 'Tokens and introspection' },
  { name: 'orgId', label: 'Organization', type: 'text', group: 'Tokens and introspection', help: 'ID of the organization that its own tokens speak of.' },
];

function changeOf(form: FormReader): ClientChange {
  const grants = form.chosen('grants', grantTypes);
  return {
    ...(form.text('name') !== '' && { name: form.text('name') }), ...(grants.length > 0 && { grants }),
    scopes: form.many('scopes'), audience: form.many('audience'), redirectUris: form.many('redirectUris'), postLogoutRedirectUris: form.many('postLogoutRedirectUris'),
    backchannelLogoutUri: form.orNull('backchannelLogoutUri'), firstParty: form.on('firstParty'), requirePkce: form.on('requirePkce'), refreshRotation: form.on('refreshRotation'),
    authMethod: form.choice('authMethod', authMethods), tokenFormat: form.choice('tokenFormat', tokenFormats), introspect: form.choice('introspect', introspectionPolicies),
    shape: form.choice('shape', shapeNames), orgId: form.orNull('orgId'), accessTokenTtl: form.number('accessTokenTtl'), refreshTokenTtl: form.number('refreshTokenTtl'),
  };
}

function fillOf(client: Client): FormFill {
  const text = (value: string | number | null): string => (value === null ? '' : String(value));
  const flag = (on: boolean): string => (on ? 'yes' : '');
  return {
    name: client.name, public: flag(client.public), grants: client.grants, scopes: client.scopes.join(' '), audience: client.audience.join('\n'), redirectUris: client.redirectUris.join('\n'),
    postLogoutRedirectUris: client.postLogoutRedirectUris.join('\n'), backchannelLogoutUri: text(client.backchannelLogoutUri), firstParty: flag(client.firstParty),
    requirePkce: flag(client.requirePkce), authMethod: text(client.authMethod), tokenFormat: text(client.tokenFormat), accessTokenTtl: text(client.accessTokenTtl),
    refreshTokenTtl: text(client.refreshTokenTtl), refreshRotation: flag(client.refreshRotation), introspect: text(client.introspect), shape: text(client.shape), orgId: text(client.orgId),
  };
}

/** The secret with what it is used with; null for a client without. */
function shownSecret(call: ConsoleCall, tenant: Tenant, made: CreatedClient): Shown | null {
  if (made.secret === null) return null;
  const { token, introspect } = homeOf(call, tenant);
  return {
    label: 'Client secret', text: made.secret.text,
    facts: [['Client ID', mono(made.client.id, true)], ['Token endpoint', mono(token, true)], ['Introspection endpoint', mono(introspect, true)]],
  };
}

async function factsOf(client: Client, call: ConsoleCall): Promise<readonly FactGroup[]> {
  const tenant = tenantOf(call);
  const { store } = call.ctx;
  const owned = (await store.listResources(tenant.id)).filter(({ ownerClientId }) => ownerClientId === client.id);
  const audience = await Promise.all(client.audience.map(async (name) => (await store.findResource(tenant.id, resourceKey(name)) === null ? mono(name) : link(name, tenantPath(tenant.slug, 'resources', name), true))));
  const inherited = soft('the tenant\'s');
  return [
    { title: 'Client', facts: [
      ['Client ID', mono(client.id, true)], ['Kind', client.public ? 'public' : 'confidential'], ['Authentication', client.public ? 'none' : client.authMethod ?? soft('any that works')],
      ['Created', time(client.createdAtMs)], ['Organization', client.orgId === null ? null : link(client.orgId, tenantPath(tenant.slug, 'organizations', client.orgId), true)],
      ...(client.notBeforeMs === 0 ? [] : [['Tokens void that were issued before', time(client.notBeforeMs)] as const]),
      ['Grants in use', link('Show', withQuery(tenantPath(tenant.slug, 'grants'), { client: client.id }))],
    ] },
    { title: 'What it may ask for', facts: [['Grants', list(client.grants.map((grant) => mono(grant)))], ['Scopes', row(client.scopes.map((scope) => mono(scope)))], ['Audience', list(audience)]] },
    { title: 'Signing people in', facts: [
      ['Redirect URIs', list(client.redirectUris.map((uri) => mono(uri)))], ['After signing out', list(client.postLogoutRedirectUris.map((uri) => mono(uri)))],
      ['Back-channel logout', mono(client.backchannelLogoutUri)], ['Our own application', yesNo(client.firstParty)], ['PKCE', client.requirePkce ? 'required' : badge('optional', 'warn')],
    ] },
    { title: 'Tokens and introspection', facts: [
      ['Format of access tokens', client.tokenFormat ?? soft('what the resource says, else jwt')], ['Access tokens live', duration(client.accessTokenTtl) ?? inherited],
      ['Refresh tokens live', duration(client.refreshTokenTtl) ?? inherited], ['Replaced at every use', yesNo(client.refreshRotation)],
      ['May introspect', client.introspect ?? inherited], ['Form of answers', client.shape ?? inherited],
      ['Answers for', list(owned.map(({ uri }) => link(uri, tenantPath(tenant.slug, 'resources', uri), true)))],
    ] },
    ...(client.public ? [] : [{ title: 'Secrets', explain: 'A secret is shown once, when it is made; only a digest is kept.', table: {
      caption: 'Secrets', columns: ['ID', 'Kept as', 'Made', 'Ends'].map((title) => ({ title, minor: title === 'Kept as', number: false })), empty: 'It has no secret: rotate to give it one.', nextHref: null, firstHref: null,
      rows: client.secrets.map((secret) => ({
        key: secret.id, href: null, dim: secret.expiresAtMs !== null && secret.expiresAtMs <= call.ctx.clock.now(),
        cells: [mono(secret.id), secret.kind, time(secret.createdAtMs), secret.expiresAtMs === null ? 'never' : time(secret.expiresAtMs)],
      })),
    } }]),
  ];
}

/** What an act on a client comes to, when it is said in one sentence. */
function saying<T>(outcome: Managed<T>, said: string): Managed<{ readonly said: string }> {
  return outcome.ok ? done({ said }, outcome.warnings) : outcome;
}

export const clientResource = resource<Client>({
  name: 'clients', at: 'tenant', area: 'clients', icon: 'app', title: 'Clients', one: 'client',
  explain: 'Applications and services that get tokens, or ask about them.', empty: 'There are no clients yet. Everything begins with one.',
  search: 'Beginning of the ID or name', filters: [{ name: 'state', label: 'State', choices: [{ value: 'enabled', text: 'enabled' }, { value: 'disabled', text: 'disabled' }] }],
  columns: [
    { title: 'Name', cell: (client) => client.name },
    { title: 'Client ID', cell: (client) => mono(client.id) },
    { title: 'Kind', cell: (client) => (client.public ? 'public' : 'confidential'), minor: true },
    { title: 'Grants', cell: (client) => client.grants.map(shortly).join(', '), minor: true },
    { title: 'State', cell: (client) => ({ kind: 'badge', ...enabledBadge(client.disabledAtMs === null) }) },
    { title: 'Created', cell: (client) => time(client.createdAtMs), minor: true },
  ],
  list: (call, { page, search, filters }) => call.ctx.store.pageClients(tenantOf(call).id, page, {
    ...(search !== '' && { search }), ...(filters['state'] !== '' && { enabled: filters['state'] === 'enabled' }),
  }),
  id: ({ id }) => id, label: ({ name }) => name, state: ({ disabledAtMs }) => enabledBadge(disabledAtMs === null), dim: ({ disabledAtMs }) => disabledAtMs !== null,
  load: (call, id) => requireClient(call.ctx, tenantOf(call), id),
  facts: factsOf,
  fields, values: fillOf,
  create: {
    // Its secret gives access to whatever it may ask about.
    recent: true,
    async act(call, form) {
      const tenant = tenantOf(call);
      const made = await createClient(call.ctx, tenant, { id: form.orNull('id'), public: form.on('public'), change: changeOf(form), secret: { supplied: null, ttl: null } }, call.administrator);
      return made.ok ? done({ id: made.value.client.id, shown: shownSecret(call, tenant, made.value) }, made.warnings) : made;
    },
  },
  // Where its people are sent back to decides who gets their tokens.
  recentUpdate: true,
  update: (call, client, form, guard) => updateClient(call.ctx, tenantOf(call), client.id, { ...changeOf(form), public: form.on('public') }, guard, call.administrator),
  actions: [
    {
      name: 'rotate-secret', label: 'Rotate secret', recent: true, when: (client) => !client.public,
      says: () => ['It gets a new secret, which is shown once. The former ones go on for as long as you say, so that nothing stops while it is put in place.'],
      fields: [{ name: 'overlap', label: 'Former secrets go on for', type: 'number', required: true, help: 'Seconds; 0 ends them at once.' }], fill: () => ({ overlap: String(OVERLAP_S) }),
      async act(call, client, form) {
        const tenant = tenantOf(call);
        const made = await rotateSecret(call.ctx, tenant, client.id, { supplied: null, ttl: null }, form.number('overlap') ?? 0, call.administrator);
        if (!made.ok) return made;
        const shown = shownSecret(call, tenant, made.value);
        return done(shown === null ? { said: 'The secret was rotated.' } : { shown }, made.warnings);
      },
    },
    {
      name: 'disable', label: 'Disable', when: ({ disabledAtMs }) => disabledAtMs === null,
      says: () => ['It can neither get tokens nor ask about any. Tokens that it has are void from now on, and stay so when it is enabled again.'],
      act: async (call, client) => saying(await setClientEnabled(call.ctx, tenantOf(call), client.id, false), `${client.name} is disabled.`),
    },
    {
      name: 'enable', label: 'Enable', when: ({ disabledAtMs }) => disabledAtMs !== null,
      says: () => ['It can get tokens again. Those from before stay void.'],
      act: async (call, client) => saying(await setClientEnabled(call.ctx, tenantOf(call), client.id, true, call.administrator), `${client.name} is enabled.`),
    },
    {
      name: 'revoke-tokens', label: 'Revoke all tokens', tone: 'danger', area: 'tokens', recent: true,
      says: () => ['Every token that was issued to it so far is void at once. It can get new ones.'],
      act: async (call, client) => saying(await revokeClientTokens(call.ctx, tenantOf(call), client.id), `Every token of ${client.name} from before now is void.`),
    },
    {
      name: 'delete', label: 'Delete', tone: 'danger', recent: true, back: 'list',
      says: async (client, call) => {
        const owned = (await call.ctx.store.listResources(tenantOf(call).id)).filter(({ ownerClientId }) => ownerClientId === client.id).length;
        return [
          'The client goes with its secrets, for good. Every token of it is void at once.',
          ...(owned === 0 ? [] : [`${owned === 1 ? 'One resource has' : `${owned} resources have`} no owner then: nobody answers for ${owned === 1 ? 'it' : 'them'}.`]),
        ];
      },
      act: async (call, client) => saying(await deleteClient(call.ctx, tenantOf(call), client.id), `${client.name} was deleted.`),
    },
  ],
});
