import type { Resource, Tenant, TokenFormat } from '../core/model.ts';
import type { Context } from './context.ts';
import { requireClient } from './manage-clients.ts';
import { changedNames, decideAfresh, done, operatorEvent, outdated, refused, type Guard, type Managed, type Refusal } from './manage-outcome.ts';
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
    return refused('invalid_request', 'a resource is named by a URI without a fragment, like https://api.example.com/orders', { member: 'uri' });
  }
  const unfit = await refuseOwner(ctx, tenant, wish.owner);
  if (unfit !== null) return unfit;
  const resource: Resource = {
    tenantId: tenant.id, uri: wish.uri, scopes: wish.scopes, ownerClientId: wish.owner, tokenFormat: wish.tokenFormat, createdAtMs: ctx.clock.now(),
  };
  const created = await ctx.store.createResource(resource, resourceKey(wish.uri), [
    operatorEvent(ctx, 'resource_created', { tenant: tenant.slug, clientId: wish.owner, subject: wish.uri }),
  ]);
  return created ? done(resource) : refused('already_exists', `the tenant ${tenant.slug} has a resource of this name already`, { member: 'uri', hint: `\`assay resource list --tenant ${tenant.slug}\` shows all` });
}

/** Why a client cannot answer for a resource; null when it can. */
async function refuseOwner(ctx: Context, tenant: Tenant, owner: string | null): Promise<Refusal | null> {
  if (owner === null) return null;
  const found = await requireClient(ctx, tenant, owner);
  if (!found.ok) return { ...found, member: 'owner' };
  return found.value.public ? refused('conflict', `${owner} is a public client, and those may never introspect; a resource's owner must be confidential`, { member: 'owner' }) : null;
}

function noResource(tenant: Tenant): Refusal {
  return refused('not_found', `the tenant ${tenant.slug} has no resource of this name`, { hint: `\`assay resource list --tenant ${tenant.slug}\` shows all` });
}

/** A tenant's resource by its URI, in whichever spelling. @throws StoreError */
export async function requireResource(ctx: Pick<Context, 'store'>, tenant: Tenant, uri: string): Promise<Managed<Resource>> {
  const resource = await ctx.store.findResource(tenant.id, resourceKey(uri));
  return resource === null ? noResource(tenant) : done(resource);
}

/** What an operator wants of a resource that is there; what is left out stays, null takes a setting back. */
export type ResourceChange = Partial<Omit<ResourceWish, 'uri'>>;

/** Changes a resource; its identifier stays. @throws StoreError */
export async function updateResource(ctx: Context, tenant: Tenant, uri: string, change: ResourceChange, guard?: Guard<Resource>): Promise<Managed<Resource>> {
  const unfit = await refuseOwner(ctx, tenant, change.owner ?? null);
  if (unfit !== null) return unfit;
  return decideAfresh(async () => {
    const found = await requireResource(ctx, tenant, uri);
    if (!found.ok) return found;
    const before = found.value;
    if (guard !== undefined && !(await guard(before))) return outdated;
    const after: Resource = {
      ...before, scopes: change.scopes ?? before.scopes, ownerClientId: change.owner === undefined ? before.ownerClientId : change.owner,
      tokenFormat: change.tokenFormat === undefined ? before.tokenFormat : change.tokenFormat,
    };
    const outcome = await ctx.store.updateResource(before, after, resourceKey(before.uri), [
      operatorEvent(ctx, 'resource_updated', { tenant: tenant.slug, clientId: after.ownerClientId, subject: before.uri, reason: changedNames(before, after) }),
    ]);
    return outcome === 'outdated' ? null : done(after);
  });
}

/** Removes a resource: its owner learns nothing more about tokens meant for it. @throws StoreError */
export async function deleteResource(ctx: Context, tenant: Tenant, uri: string, guard?: Guard<Resource>): Promise<Managed<null>> {
  const found = await requireResource(ctx, tenant, uri);
  if (!found.ok) return found;
  if (guard !== undefined && !(await guard(found.value))) return outdated;
  const deleted = await ctx.store.deleteResource(tenant.id, resourceKey(uri), [
    operatorEvent(ctx, 'resource_deleted', { tenant: tenant.slug, subject: uri }),
  ]);
  return deleted ? done(null) : noResource(tenant);
}
