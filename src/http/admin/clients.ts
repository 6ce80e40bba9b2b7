import { t, type Static } from 'elysia';
import type { ClientChange } from '../../core/client-settings.ts';
import { introspectionPolicies, shapeNames, tokenFormats, type Client } from '../../core/model.ts';
import { MAX_LIFETIME_S } from '../../core/tenant-settings.ts';
import { clientDocument } from '../../service/documents.ts';
import { createClient, deleteClient, requireClient, revokeClientTokens, rotateSecret, setClientEnabled, updateClient, type CreatedClient } from '../../service/manage-clients.ts';
import { done } from '../../service/manage-outcome.ts';
import { authMethods, grantTypes } from '../../spec/names.ts';
import { listed, operation, told, type AdminCall, type AdminOperation } from './operation.ts';
import { given, partOf, scopeText, scopeWords } from './schemas.ts';
import { secretAnswer } from './tenant-settings.ts';

const oneOf = <const T extends string>(words: readonly T[]) => t.Union(words.map((word) => t.Literal(word)));
const orNull = <const T extends string>(words: readonly T[], description: string) => t.Union([...words.map((word) => t.Literal(word)), t.Null()], { description });
const uris = (description: string) => t.Array(t.String({ maxLength: 2_048 }), { maxItems: 100, description });
const lifetime = (description: string) => t.Union([t.Integer({ minimum: 1, maximum: MAX_LIFETIME_S }), t.Null()], { description: `${description}, seconds; null: the tenant's.` });
const secretTtl = t.Optional(t.Integer({ minimum: 1, maximum: MAX_LIFETIME_S, description: 'Seconds until the secret expires; left out: never.' }));
const ownSecret = t.Optional(t.String({ minLength: 16, maxLength: 256, format: 'password', description: 'A secret brought along; left out: one is generated, and shown once.' }));

/** What is the same in what is asked for and in what is told. */
const settings = {
  name: t.String({ maxLength: 256, description: 'Name for people.' }),
  public: t.Boolean({ description: 'Whether it cannot keep a secret.' }),
  grants: t.Array(oneOf(grantTypes), { maxItems: 10, description: 'Grants that it may use.' }),
  scope: scopeText('Scopes that it may ask for, separated by spaces.'),
  audience: uris('`aud` of its tokens when no resource is asked for.'),
  redirect_uris: uris('Where people are sent back to.'),
  post_logout_redirect_uris: uris('Where people may be sent after signing out.'),
  backchannel_logout_uri: t.Union([t.String({ maxLength: 2_048 }), t.Null()], { description: 'Where it hears that a session ended.' }),
  first_party: t.Boolean({ description: 'Whether its people are not asked for consent.' }),
  pkce: t.Union([t.Literal('required'), t.Literal('optional')]),
  auth_method: orNull(authMethods, 'The one way to present its secret; null: any.'),
  token_format: orNull(tokenFormats, 'Format of its access tokens; null: what the resource says, else JWT.'),
  introspect: orNull(introspectionPolicies, 'Whose tokens it may learn about; null: the tenant\'s policy.'),
  shape: orNull(shapeNames, 'Form of the answers that it gets; null: the tenant\'s.'),
  org_id: t.Union([t.String({ maxLength: 256 }), t.Null()], { description: 'Organization that it acts for.' }),
  refresh_rotation: t.Union([t.Literal('on'), t.Literal('off')]),
  access_token_ttl: lifetime('Lifetime of its access tokens'),
  refresh_token_ttl: lifetime('Lifetime of its refresh tokens'),
};

const members = {
  client_id: t.String({ example: 'svc-orders' }), tenant: t.String(), ...settings, secrets: t.Array(secretAnswer, { description: 'Facts about its secrets; they themselves are never told again.' }),
  enabled: t.Boolean(), created_at: t.String({ format: 'date-time' }),
};

/** A client as it is told. */
export const clientAnswer = t.Object(members, { $id: 'Client' });
const newClientAnswer = t.Object({ ...members, client_secret: t.Optional(t.String({ description: 'The new secret: shown this once.', example: 'cs_example_not_a_real_secret' })) }, { $id: 'ClientWithSecret' });
const change = t.Partial(t.Object(settings));
const clientChange = t.Object(change.properties, { $id: 'ClientChange', description: 'What is left out stays; null takes a setting back.' });
const newClient = t.Object({
  client_id: t.Optional(t.String({ maxLength: 256, description: 'Left out: generated.', example: 'svc-orders' })), ...change.properties, client_secret: ownSecret, secret_ttl: secretTtl,
}, { $id: 'NewClient', description: 'Without `grants` a client gets `client_credentials`, a public one `authorization_code` and `refresh_token`.' });
const rotation = t.Object({
  overlap: t.Optional(t.Integer({ minimum: 0, maximum: MAX_LIFETIME_S, description: 'Seconds for which older secrets keep working; left out: a day.' })), client_secret: ownSecret, secret_ttl: secretTtl,
}, { $id: 'SecretRotation' });

const OVERLAP_S = 86_400;

function readChange(body: Static<typeof clientChange>): ClientChange {
  return given<ClientChange>({
    public: body.public, name: body.name, grants: body.grants, scopes: body.scope === undefined ? undefined : scopeWords(body.scope), audience: body.audience, redirectUris: body.redirect_uris,
    postLogoutRedirectUris: body.post_logout_redirect_uris, backchannelLogoutUri: body.backchannel_logout_uri, firstParty: body.first_party, requirePkce: body.pkce === undefined ? undefined : body.pkce === 'required',
    authMethod: body.auth_method, tokenFormat: body.token_format, introspect: body.introspect, shape: body.shape, orgId: body.org_id,
    refreshRotation: body.refresh_rotation === undefined ? undefined : body.refresh_rotation === 'on', accessTokenTtl: body.access_token_ttl, refreshTokenTtl: body.refresh_token_ttl,
  });
}

type Place = Pick<AdminCall<unknown, unknown>, 'tenant'>;

function documentOf({ tenant }: Place): (client: Client) => object {
  return (client) => clientDocument(client, tenant);
}

/** Who brought a secret along has it; it is not said back. */
function createdDocument({ tenant }: Place): (created: CreatedClient) => object {
  return ({ client, secret }) => clientDocument(client, tenant, secret?.generated === true ? secret.text : undefined);
}

const one = '/tenants/:tenant/clients/:client';

/** Clients of a tenant. */
export const clientOperations: readonly AdminOperation[] = [
  operation({
    method: 'GET', path: '/tenants/:tenant/clients', id: 'listClients', area: 'clients', access: 'read', paged: true, summary: 'List a tenant\'s clients', text: 'By id.',
    query: t.Object({
      search: t.Optional(t.String({ minLength: 1, maxLength: 256, description: 'Beginning of the id or name.' })),
      enabled: t.Optional(t.Union([t.Literal('true'), t.Literal('false')], { description: 'Only those that are enabled, or are not.' })),
    }),
    answer: partOf(clientAnswer),
    run: async (call) => {
      const { search, enabled } = call.query;
      const filter = given<{ search?: string; enabled?: boolean }>({ search, enabled: enabled === undefined ? undefined : enabled === 'true' });
      return listed(await call.ctx.store.pageClients(call.tenant.id, call.page, filter), documentOf(call));
    },
  }),
  operation({
    method: 'POST', path: '/tenants/:tenant/clients', id: 'createClient', area: 'clients', access: 'write', creates: true, locatedBy: 'client_id', summary: 'Register a client',
    text: 'A confidential one gets a secret, which is shown this once. At the tenant `default` no client gets a scope of this API that its maker has not.', body: newClient, answer: newClientAnswer,
    run: async (call) => {
      const { client_id: id, client_secret: supplied, secret_ttl: ttl, ...body } = call.body;
      const wish = { id: id ?? null, public: body.public ?? false, change: readChange(body), secret: { supplied: supplied ?? null, ttl: ttl ?? null } };
      return told(await createClient(call.ctx, call.tenant, wish, call.caller), createdDocument(call));
    },
  }),
  operation({
    method: 'GET', path: one, id: 'getClient', area: 'clients', access: 'read', etag: true, summary: 'Read a client', answer: clientAnswer,
    run: async (call) => told(await requireClient(call.ctx, call.tenant, call.param('client')), documentOf(call)),
  }),
  operation({
    method: 'PATCH', path: one, id: 'updateClient', area: 'clients', access: 'write', etag: true, summary: 'Change a client', text: 'One that becomes public loses its secrets.', body: clientChange, answer: clientAnswer,
    run: async (call) => told(await updateClient(call.ctx, call.tenant, call.param('client'), readChange(call.body), call.guard(documentOf(call)), call.caller), documentOf(call)),
  }),
  operation({
    method: 'DELETE', path: one, id: 'deleteClient', area: 'clients', access: 'write', etag: true, summary: 'Delete a client', text: 'All its tokens die at once.', answer: null,
    run: async (call) => told(await deleteClient(call.ctx, call.tenant, call.param('client'), call.guard(documentOf(call))), () => null),
  }),
  operation({
    method: 'POST', path: `${one}/disable`, id: 'disableClient', area: 'clients', access: 'write', summary: 'Suspend a client', text: 'Its tokens are dead for good.', answer: clientAnswer,
    run: async (call) => told(await setClientEnabled(call.ctx, call.tenant, call.param('client'), false), documentOf(call)),
  }),
  operation({
    method: 'POST', path: `${one}/enable`, id: 'enableClient', area: 'clients', access: 'write', summary: 'Let a suspended client work again', text: 'Its old tokens stay dead.', answer: clientAnswer,
    run: async (call) => told(await setClientEnabled(call.ctx, call.tenant, call.param('client'), true, call.caller), documentOf(call)),
  }),
  operation({
    method: 'GET', path: `${one}/secrets`, id: 'listClientSecrets', area: 'clients', access: 'read', summary: 'List facts about a client\'s secrets', text: 'Never the secrets themselves.',
    answer: t.Object({ items: t.Array(secretAnswer) }, { $id: 'ClientSecretList' }),
    run: async (call) => told(await requireClient(call.ctx, call.tenant, call.param('client')), (client) => {
      const { secrets } = clientDocument(client, call.tenant) as { readonly secrets: readonly object[] };
      return { items: secrets };
    }),
  }),
  operation({
    method: 'POST', path: `${one}/secrets`, id: 'rotateClientSecret', area: 'clients', access: 'write', creates: true, locatedBy: null, summary: 'Give a client a new secret',
    text: 'It is shown this once; older ones keep working for the overlap.', body: rotation, answer: newClientAnswer,
    run: async (call) => {
      const { overlap, client_secret: supplied, secret_ttl: ttl } = call.body;
      return told(await rotateSecret(call.ctx, call.tenant, call.param('client'), { supplied: supplied ?? null, ttl: ttl ?? null }, overlap ?? OVERLAP_S, call.caller), createdDocument(call));
    },
  }),
  operation({
    method: 'POST', path: `${one}/revocation`, id: 'revokeClientTokens', area: 'tokens', access: 'write', summary: 'Revoke every token of a client', text: 'So far; new ones may be issued at once.', answer: null,
    run: async (call) => {
      const revoked = await revokeClientTokens(call.ctx, call.tenant, call.param('client'));
      return revoked.ok ? done(null, revoked.warnings) : revoked;
    },
  }),
];
