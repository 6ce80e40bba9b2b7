import { parseResources } from '../../core/audience.ts';
import type { Grant, Resource, Tenant } from '../../core/model.ts';
import { decideScope } from '../../core/scope.ts';
import type { Context } from '../context.ts';
import { findResources, resourceKey } from '../resources.ts';
import type { TokenOutcome, TokenRequest } from './grant.ts';

/** What is asked for, proven against the grant. */
export type Asked = {
  readonly scopes: readonly string[];
  readonly audience: readonly string[];
  readonly resources: readonly Resource[];
};

/**
 * Scope and audience of a new access token of a grant: within the grant, and within what the client still has (TRT-02,
 * TRT-23, TAC-17).
 * @param words scopes that the request names; null: all of the grant
 * @throws StoreError
 */
export async function readAsked(
  ctx: Context, request: TokenRequest, grant: Pick<Grant, 'scopes' | 'audience'>, words: readonly string[] | null,
): Promise<Asked | Extract<TokenOutcome, { ok: false }>> {
  const refused = (error: 'invalid_scope' | 'invalid_target', description: string) => ({ ok: false, error, description }) as const;
  const keys = parseResources(request.parameters.resource ?? []);
  const granted = new Set(grant.audience.map(resourceKey));
  const asked = keys === null || !keys.every((key) => granted.has(key)) ? null : await findResources(ctx.store, request.tenant.id, keys);
  if (asked === null) return refused('invalid_target', 'a requested resource is not part of this grant');
  const audience = asked.length > 0 ? asked.map((resource) => resource.uri) : grant.audience;
  const resources = asked.length > 0 ? asked : await registeredOf(ctx, request.tenant, grant.audience);
  const registered = new Set(request.client.scopes);
  const scope = decideScope(words, grant.scopes.filter((name) => registered.has(name)), asked, true);
  return scope.ok ? { scopes: scope.scopes, audience, resources } : refused('invalid_scope', 'the requested scope goes beyond the grant');
}

async function registeredOf(ctx: Context, tenant: Tenant, audience: readonly string[]): Promise<readonly Resource[]> {
  const found: Resource[] = [];
  for (const identifier of audience) {
    const resource = await ctx.store.findResource(tenant.id, resourceKey(identifier));
    if (resource !== null) found.push(resource);
  }
  return found;
}
