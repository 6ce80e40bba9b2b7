import { t } from 'elysia';
import { createTenant, deleteTenant, revokeTenantTokens, setTenantEnabled, updateTenant } from '../../service/manage-tenants.ts';
import { tenantDocument } from '../../service/documents.ts';
import { done } from '../../service/manage-outcome.ts';
import type { Tenant } from '../../core/model.ts';
import { listed, operation, told, type AdminCall, type AdminOperation } from './operation.ts';
import { given, partOf } from './schemas.ts';
import { newTenant, readTenantChange, tenantAnswer, tenantChange } from './tenant-settings.ts';

function documentOf({ ctx }: Pick<AdminCall<unknown, unknown>, 'ctx'>): (tenant: Tenant) => object {
  return (tenant) => tenantDocument(tenant, ctx.origin());
}

/** Tenants. */
export const tenantOperations: readonly AdminOperation[] = [
  operation({
    method: 'GET', path: '/tenants', id: 'listTenants', area: 'tenants', access: 'read', serverOnly: true, paged: true, summary: 'List tenants', text: 'By slug.',
    query: t.Object({ search: t.Optional(t.String({ minLength: 1, maxLength: 256, description: 'Beginning of the slug or name.' })) }), answer: partOf(tenantAnswer),
    run: async (call) => listed(await call.ctx.store.pageTenants(call.page, given<{ search?: string }>({ search: call.query.search })), documentOf(call)),
  }),
  operation({
    method: 'POST', path: '/tenants', id: 'createTenant', area: 'tenants', access: 'write', serverOnly: true, creates: true, etag: true, summary: 'Create a tenant',
    text: 'With an issuer and keys of its own.', body: newTenant, answer: tenantAnswer,
    run: async (call) => {
      const { slug, ...body } = call.body;
      const change = readTenantChange(body);
      return change.ok ? told(await createTenant(call.ctx, slug, change.value), documentOf(call)) : change;
    },
  }),
  operation({
    method: 'GET', path: '/tenants/:tenant', id: 'getTenant', area: 'tenants', access: 'read', etag: true, summary: 'Read a tenant', answer: tenantAnswer,
    run: async (call) => done(documentOf(call)(call.tenant)),
  }),
  operation({
    method: 'PATCH', path: '/tenants/:tenant', id: 'updateTenant', area: 'tenants', access: 'write', etag: true, summary: 'Change a tenant',
    text: 'A new algorithm brings new keys; what the old ones signed stays good. Another layout, host or preset may change the issuer: then tokens issued before are inactive. Hostname, layout, limits and retention are for callers of the whole server.', body: tenantChange, answer: tenantAnswer,
    run: async (call) => {
      const change = readTenantChange(call.body);
      return change.ok ? told(await updateTenant(call.ctx, call.tenant.slug, change.value, call.guard(documentOf(call)), call.caller), documentOf(call)) : change;
    },
  }),
  operation({
    method: 'DELETE', path: '/tenants/:tenant', id: 'deleteTenant', area: 'tenants', access: 'write', serverOnly: true, etag: true, summary: 'Delete a tenant',
    text: 'With its secrets and keys: every token of it is dead at once.', answer: null,
    run: async (call) => deleteTenant(call.ctx, call.tenant.slug, call.guard(documentOf(call))),
  }),
  operation({
    method: 'POST', path: '/tenants/:tenant/disable', id: 'disableTenant', area: 'tenants', access: 'write', serverOnly: true, summary: 'Suspend a tenant', text: 'Its tokens are dead for good.', answer: tenantAnswer,
    run: async (call) => told(await setTenantEnabled(call.ctx, call.tenant.slug, false), documentOf(call)),
  }),
  operation({
    method: 'POST', path: '/tenants/:tenant/enable', id: 'enableTenant', area: 'tenants', access: 'write', serverOnly: true, summary: 'Let a suspended tenant work again', text: 'Its old tokens stay dead.', answer: tenantAnswer,
    run: async (call) => told(await setTenantEnabled(call.ctx, call.tenant.slug, true), documentOf(call)),
  }),
  operation({
    method: 'POST', path: '/tenants/:tenant/revocation', id: 'revokeTenantTokens', area: 'tokens', access: 'write', summary: 'Revoke every token of a tenant',
    text: 'Everything that it issued so far, to whichever client and for whichever user; new tokens may be issued at once.', answer: null,
    run: async (call) => told(await revokeTenantTokens(call.ctx, call.tenant.slug), () => null),
  }),
];
