/** Protected resources in the console. */
import { tokenFormats, type Resource } from '../../core/model.ts';
import { done } from '../../service/manage-outcome.ts';
import { createResource, deleteResource, requireResource, updateResource, type ResourceChange } from '../../service/manage-resources.ts';
import { link, mono, row, soft, time, type Choice, type FactGroup, type Value } from '../../pages/admin/views.ts';
import { may, tenantOf, type ConsoleCall } from './call.ts';
import { homeOf } from './endpoints.ts';
import { saying } from './outcome.ts';
import { tenantPath } from './paths.ts';
import { resource, type FieldRow, type FormReader } from './resource.ts';

/** Clients that are offered as owners; others can be typed. */
const SUGGESTED = 100;

/** Who can answer for a resource: confidential clients. */
async function ownerChoices(call: ConsoleCall): Promise<readonly Choice[]> {
  if (!may(call, 'clients', 'read')) return [];
  const { items } = await call.ctx.store.pageClients(tenantOf(call).id, { after: null, limit: SUGGESTED }, {});
  return items.filter((client) => !client.public).map(({ id, name }) => ({ value: id, text: name }));
}

const fields: readonly FieldRow[] = [
  { name: 'uri', label: 'URI', type: 'url', on: 'create', required: true, placeholder: 'https://api.example.com/orders', help: 'aud of tokens that are meant for it, and what clients ask for as resource. It can never be changed.' },
  { name: 'owner', label: 'Owner', type: 'text', placeholder: 'client ID', choices: ownerChoices, help: 'The confidential client that answers for it: it may introspect tokens that are meant for it. Empty: nobody.' },
  { name: 'scopes', label: 'Scopes', type: 'words', placeholder: 'orders:read orders:write', help: 'Those that mean something there, between spaces: tokens for it hold no others. Empty: it does not narrow scopes.' },
  { name: 'tokenFormat', label: 'Format of access tokens', type: 'choice', choices: [{ value: '', text: 'jwt, unless the client says otherwise' }, ...tokenFormats.map((value) => ({ value, text: value }))], help: 'A client\'s own setting goes before.' },
];

function changeOf(form: FormReader): Required<ResourceChange> {
  return { scopes: form.many('scopes'), owner: form.orNull('owner'), tokenFormat: form.choice('tokenFormat', tokenFormats) };
}

async function ownerOf({ ownerClientId }: Resource, call: ConsoleCall): Promise<Value> {
  const { id, slug } = tenantOf(call);
  if (ownerClientId === null) return null;
  const client = await call.ctx.store.findClient(id, ownerClientId);
  return client === null || client.deletedAtMs !== null || !may(call, 'clients', 'read') ? mono(ownerClientId) : link(client.name, tenantPath(slug, 'clients', ownerClientId));
}

async function factsOf(one: Resource, call: ConsoleCall): Promise<readonly FactGroup[]> {
  return [
    { title: 'Resource', facts: [
      ['URI', mono(one.uri, true)], ['Owner', (await ownerOf(one, call)) ?? soft('nobody: its tokens can be introspected by clients of the tenant\'s policy only')], ['Scopes', row(one.scopes.map((scope) => mono(scope))) ?? soft('any')],
      ['Format of access tokens', one.tokenFormat ?? soft('jwt, unless the client says otherwise')], ['Created', time(one.createdAtMs)],
    ] },
    { title: 'Asking about tokens', explain: 'The owner proves who it is, and posts the token there.', facts: [['Introspection endpoint', mono(homeOf(call, tenantOf(call)).introspect, true)]] },
  ];
}

export const protectedResource = resource<Resource>({
  name: 'resources', at: 'tenant', area: 'resources', icon: 'globe', title: 'Resources', one: 'resource',
  explain: 'APIs that tokens are meant for, and which client answers for each.', empty: 'There are none. Register an API, so that tokens can be meant for it and its owner can introspect them.',
  columns: [
    { title: 'URI', cell: ({ uri }) => mono(uri) }, { title: 'Owner', cell: ownerOf }, { title: 'Scopes', cell: ({ scopes }) => row(scopes.map((scope) => mono(scope))), minor: true },
    { title: 'Format', cell: ({ tokenFormat }) => tokenFormat, minor: true }, { title: 'Created', cell: ({ createdAtMs }) => time(createdAtMs), minor: true },
  ],
  list: (call, { page }) => call.ctx.store.pageResources(tenantOf(call).id, page),
  id: ({ uri }) => uri, label: ({ uri }) => uri,
  load: (call, uri) => requireResource(call.ctx, tenantOf(call), uri),
  facts: factsOf, fields,
  values: ({ ownerClientId, scopes, tokenFormat }) => ({ owner: ownerClientId ?? '', scopes: scopes.join(' '), tokenFormat: tokenFormat ?? '' }),
  create: { recent: true, async act(call, form) {
    const made = await createResource(call.ctx, tenantOf(call), { uri: form.text('uri'), ...changeOf(form) });
    return made.ok ? done({ id: made.value.uri }, made.warnings) : made;
  } },
  // Its owner learns about every token that is meant for it.
  recentUpdate: true,
  update: (call, { uri }, form, guard) => updateResource(call.ctx, tenantOf(call), uri, changeOf(form), guard),
  actions: [{
    name: 'delete', label: 'Delete', tone: 'danger', recent: true, back: 'list',
    says: () => ['It goes for good. Its owner learns nothing more about tokens that are meant for it.'],
    act: async (call, { uri }) => saying(await deleteResource(call.ctx, tenantOf(call), uri), `${uri} was deleted.`),
  }],
});
