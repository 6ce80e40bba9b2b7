import { decideAudience, parseResources } from '../../core/audience.ts';
import { issuerOf } from '../../core/issuer.ts';
import { decideScope, parseScope } from '../../core/scope.ts';
import { chooseFormat, isTooLong, logIssued, makeAccess, tokenResponse } from '../issue.ts';
import { findResources } from '../resources.ts';
import { refuse, type GrantHandler } from './grant.ts';

/** RFC 6749 §4.4: a client acting for itself. No refresh token, no user, and for a JWT no row. */
export const clientCredentials: GrantHandler = {
  type: 'client_credentials',
  allowPublic: false,
  async exchange(ctx, { tenant, client, parameters, from }) {
    const keys = parseResources(parameters.resource ?? []);
    const resources = keys === null ? null : await findResources(ctx.store, tenant.id, keys);
    if (resources === null) return refuse('invalid_target', 'a requested resource is not known here');
    const asked = parameters.scope === undefined ? null : parseScope(parameters.scope);
    if (parameters.scope !== undefined && asked === null) return refuse('invalid_scope', 'the requested scope is malformed');
    const scope = decideScope(asked, client.scopes, resources, false);
    if (!scope.ok) return refuse('invalid_scope', 'the requested scope goes beyond what this client may have');

    const made = await makeAccess(ctx, {
      tenant, client, scopes: scope.scopes, grant: null, orgId: client.orgId,
      audience: decideAudience(resources.map((resource) => resource.uri), client, tenant, issuerOf(tenant, ctx.origin())),
      format: chooseFormat(client, resources),
    });
    if (isTooLong(made)) return refuse('invalid_scope', 'the token would be longer than 4 KiB: ask for fewer scopes');
    if (made.stored.opaque !== null) await ctx.store.addOpaqueToken(made.stored.opaque);
    logIssued(ctx, tenant, made, 'client_credentials', from.requestId);
    return { ok: true, response: tokenResponse(made, null) };
  },
};
