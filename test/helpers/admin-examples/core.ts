/** Calls of operations about tenants, clients, resources, and who may operate. */
import { expect } from 'bun:test';
import { makeUser, defaultTenant } from '../fixture.ts';
import type { AdminExample, AdminRequest, AdminStage } from '../admin.ts';

async function newTenant(stage: AdminStage): Promise<AdminRequest> {
  const { slug } = await stage.made('createTenant', { body: { slug: stage.fresh('shop'), alg: 'ES256' } });
  return { parts: { tenant: slug } };
}

async function newClient(stage: AdminStage): Promise<AdminRequest & { readonly parts: { readonly tenant: string; readonly client: string } }> {
  const { client_id: client } = await stage.made('createClient', { parts: { tenant: 'acme' }, body: { client_id: `${stage.fresh('svc')}/a b%`.replaceAll(' ', '+'), scope: 'orders:read orders:write' } });
  return { parts: { tenant: 'acme', client } };
}

async function newResource(stage: AdminStage): Promise<AdminRequest> {
  const { uri } = await stage.made('createResource', { parts: { tenant: 'acme' }, body: { uri: `https://api.example.com/${stage.fresh('r')}?a=b%20c`, scope: 'orders:read' } });
  return { parts: { tenant: 'acme', resource: uri } };
}

async function newAdministrator(stage: AdminStage): Promise<AdminRequest & { readonly parts: { readonly user: string } }> {
  const user = await makeUser(stage.fixture, await defaultTenant(stage.fixture), stage.fresh('admin'));
  return { parts: { user: user.id }, body: { scope: 'admin:clients admin:audit:read', tenant: 'acme' } };
}

export const coreExamples: readonly AdminExample[] = [
  { id: 'listTenants', request: () => ({ query: { search: 'AC', limit: '1' } }) },
  {
    id: 'createTenant', request: (stage) => ({
      body: {
        slug: stage.fresh('full'), name: 'Full', preset: 'kotauth', alg: 'EdDSA', color: '#1A7F64', password_min_length: 14, registration: 'on', logo: { data: Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>').toString('base64') },
        messages: { en: { 'scope:orders': 'See orders' } }, claims: [{ claim: 'department', source: 'attribute:department', targets: ['id_token'] }], key_rotation_days: null, audit_retention_days: 30, limits: { client: 600, tenant: null },
      },
    }),
  },
  { id: 'getTenant', request: () => ({ parts: { tenant: 'acme' } }) },
  { id: 'updateTenant', request: async (stage) => ({ ...await newTenant(stage), body: { name: 'New', access_token_ttl: 60, limits: { address: 100 } } }) },
  { id: 'deleteTenant', request: newTenant },
  { id: 'disableTenant', request: newTenant },
  { id: 'enableTenant', request: newTenant },
  { id: 'revokeTenantTokens', request: newTenant },
  { id: 'listClients', request: () => ({ parts: { tenant: 'acme' }, query: { enabled: 'true', limit: '2' } }) },
  {
    id: 'createClient', request: (stage) => ({
      parts: { tenant: 'acme' },
      body: { client_id: stage.fresh('spa'), public: true, redirect_uris: ['https://app.example.com/cb'], post_logout_redirect_uris: [], first_party: true, shape: 'kotauth', access_token_ttl: 60, org_id: 'org_unknown' },
    }),
  },
  { id: 'getClient', request: newClient },
  { id: 'updateClient', request: async (stage) => ({ ...await newClient(stage), body: { name: 'New', introspect: 'tenant', token_format: 'opaque', refresh_rotation: 'off', pkce: 'optional' } }) },
  { id: 'deleteClient', request: newClient },
  { id: 'disableClient', request: newClient },
  { id: 'enableClient', request: newClient },
  { id: 'listClientSecrets', request: newClient },
  { id: 'rotateClientSecret', request: async (stage) => ({ ...await newClient(stage), body: { overlap: 0, secret_ttl: 600 } }) },
  { id: 'revokeClientTokens', request: newClient },
  { id: 'listResources', request: () => ({ parts: { tenant: 'default' } }) },
  { id: 'createResource', request: (stage) => ({ parts: { tenant: 'acme' }, body: { uri: `https://api.example.com/${stage.fresh('r')}` } }) },
  { id: 'getResource', request: newResource },
  { id: 'updateResource', request: async (stage) => ({ ...await newResource(stage), body: { scope: 'a b', token_format: 'opaque' } }) },
  { id: 'deleteResource', request: newResource },
  { id: 'listApiKeys', request: () => ({}) },
  { id: 'createApiKey', request: () => ({ body: { name: 'deploy', scope: 'admin:clients', tenant: 'acme', ttl: 600 } }) },
  {
    id: 'revokeApiKey', request: async (stage) => {
      const { id } = await stage.made('createApiKey', { body: { name: 'x', scope: 'admin' } });
      return { parts: { key: id } };
    },
  },
  { id: 'listAdministrators', request: () => ({}) },
  { id: 'putAdministrator', request: newAdministrator },
  {
    id: 'removeAdministrator', request: async (stage) => {
      const request = await newAdministrator(stage);
      await stage.made('putAdministrator', request);
      return { parts: request.parts };
    },
  },
  {
    id: 'inviteAdministrator', request: () => ({ body: { scope: 'admin:audit:read', tenant: 'acme' } }),
    expect: async ({ json, headers }, stage) => {
      expect([json.scope, json.tenant, headers.get('location')]).toEqual(['admin:audit:read', 'acme', null]);
      expect((await fetch(json.setup_url)).status).toBe(200);
      const replaced = await stage.made('inviteAdministrator', { body: { scope: 'admin' } });
      expect([(await fetch(json.setup_url)).status, (await fetch(replaced.setup_url)).status]).toEqual([404, 200]);
    },
  },
  { id: 'whoami', request: () => ({}) },
  { id: 'listSettings', request: () => ({}) },
];
