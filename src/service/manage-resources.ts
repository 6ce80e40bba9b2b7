import type { Resource, Tenant, TokenFormat } from '../core/model.ts';
import type { Context } from './context.ts';
import { requireClient } from './manage-clients.ts';
import { done, operatorEvent, refused, type Managed } from './manage-outcome.ts';
import { resourceKey } from './resources.ts';

const identifierForm = /^[\x21-\x7E]{1,2048}$/;

/** What an operator wants of a resource. */
export type ResourceWish = {
  readonly uri: string;
  readonly scopes: readonly string[];
  /** Client that answers for it: may introspect what is meant for it. */
  readonly owner: string | null;
  readonly tokenFormat: TokenFormat | null;
};

/** Registers a protected resource (RFC 8707). @throws StoreError */
export async function createResource(ctx: Context, tenant: Tenant, wish: ResourceWish): Promise<Managed<Resource>> {
  if (!identifierForm.test(wish.uri) || wish.uri.includes('#')) {
    return refused('invalid_request', 'a resource is named by a URI without a fragment, like https://api.example.com/orders');
  }
  if (wish.owner !== null) {
    const owner = await requireClient(ctx, tenant, wish.owner);
    if (!owner.ok) return owner;
    if (owner.value.public) return refused('conflict', `${wish.owner} is a public client, and those may never introspect; a resource's owner must be confidential`);
  }
  const resource: Resource = {
    tenantId: tenant.id, uri: wish.uri, scopes: wish.scopes, ownerClientId: wish.owner, tokenFormat: wish.tokenFormat, createdAtMs: ctx.clock.now(),
  };
  const created = await ctx.store.createResource(resource, resourceKey(wish.uri), [
    operatorEvent(ctx, 'resource_created', { tenant: tenant.slug, clientId: wish.owner, subject: wish.uri }),
  ]);
  return created ? done(resource) : refused('already_exists', `the tenant ${tenant.slug} has a resource of this name already; \`assay resource list --tenant ${tenant.slug}\` shows all`);
}

/** Removes a resource: its owner learns nothing more about tokens meant for it. @throws StoreError */
export async function deleteResource(ctx: Context, tenant: Tenant, uri: string): Promise<Managed<null>> {
  const deleted = await ctx.store.deleteResource(tenant.id, resourceKey(uri), [
    operatorEvent(ctx, 'resource_deleted', { tenant: tenant.slug, subject: uri }),
  ]);
  return deleted ? done(null) : refused('not_found', `the tenant ${tenant.slug} has no resource of this name; \`assay resource list --tenant ${tenant.slug}\` shows all`);
}
