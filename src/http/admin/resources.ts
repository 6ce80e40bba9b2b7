import { t } from 'elysia';
import { tokenFormats, type Resource } from '../../core/model.ts';
import { resourceDocument } from '../../service/documents.ts';
import { createResource, deleteResource, requireResource, updateResource, type ResourceChange } from '../../service/manage-resources.ts';
import { listed, operation, told, type AdminCall, type AdminOperation } from './operation.ts';
import { given, partOf, scopeText, scopeWords } from './schemas.ts';

const settings = {
  scope: scopeText('Scopes that mean something there, separated by spaces; empty: any.'),
  owner: t.Union([t.String({ maxLength: 256 }), t.Null()], { description: 'Client that answers for it: may introspect tokens meant for it.' }),
  token_format: t.Union([...tokenFormats.map((word) => t.Literal(word)), t.Null()], { description: 'Format of access tokens meant for it; null: JWT.' }),
};
const uri = t.String({ maxLength: 2_048, description: 'Its identifier, the value of `aud`.', example: 'https://api.example.com/orders' });
const resourceAnswer = t.Object({ uri, tenant: t.String(), ...settings, created_at: t.String({ format: 'date-time' }) }, { $id: 'Resource', description: 'A protected resource (RFC 8707).' });
const change = t.Partial(t.Object(settings));
const resourceChange = t.Object(change.properties, { $id: 'ResourceChange', description: 'What is left out stays.' });
const newResource = t.Object({ uri, ...change.properties }, { $id: 'NewResource' });

function documentOf({ tenant }: Pick<AdminCall<unknown, unknown>, 'tenant'>): (resource: Resource) => object {
  return (resource) => resourceDocument(resource, tenant);
}

const one = '/tenants/:tenant/resources/:resource';

/** Resources of a tenant, addressed by their percent-encoded URI. */
export const resourceOperations: readonly AdminOperation[] = [
  operation({
    method: 'GET', path: '/tenants/:tenant/resources', id: 'listResources', area: 'resources', access: 'read', paged: true, summary: 'List a tenant\'s resources', answer: partOf(resourceAnswer),
    run: async (call) => listed(await call.ctx.store.pageResources(call.tenant.id, call.page), documentOf(call)),
  }),
  operation({
    method: 'POST', path: '/tenants/:tenant/resources', id: 'createResource', area: 'resources', access: 'write', creates: true, etag: true, summary: 'Register a resource', body: newResource, answer: resourceAnswer,
    run: async (call) => {
      const { uri: name, scope = '', owner = null, token_format: tokenFormat = null } = call.body;
      return told(await createResource(call.ctx, call.tenant, { uri: name, scopes: scopeWords(scope), owner, tokenFormat }), documentOf(call));
    },
  }),
  operation({
    method: 'GET', path: one, id: 'getResource', area: 'resources', access: 'read', etag: true, summary: 'Read a resource', answer: resourceAnswer,
    run: async (call) => told(await requireResource(call.ctx, call.tenant, call.param('resource')), documentOf(call)),
  }),
  operation({
    method: 'PATCH', path: one, id: 'updateResource', area: 'resources', access: 'write', etag: true, summary: 'Change a resource', text: 'Its identifier stays.', body: resourceChange, answer: resourceAnswer,
    run: async (call) => {
      const { scope, owner, token_format: tokenFormat } = call.body;
      const wish = given<ResourceChange>({ scopes: scope === undefined ? undefined : scopeWords(scope), owner, tokenFormat });
      return told(await updateResource(call.ctx, call.tenant, call.param('resource'), wish, call.guard(documentOf(call))), documentOf(call));
    },
  }),
  operation({
    method: 'DELETE', path: one, id: 'deleteResource', area: 'resources', access: 'write', etag: true, summary: 'Remove a resource', text: 'Its owner learns nothing more through it.', answer: null,
    run: async (call) => deleteResource(call.ctx, call.tenant, call.param('resource'), call.guard(documentOf(call))),
  }),
];
