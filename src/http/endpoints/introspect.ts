import { chooseShape } from '../../core/shapes.ts';
import { renderIntrospection } from '../../core/introspect.ts';
import type { EndpointPath, Layout } from '../../core/layouts.ts';
import { introspect } from '../../service/introspect.ts';
import { admit } from '../admit.ts';
import { introspectForm, knownParameters } from '../schemas.ts';
import type { EndpointHandler } from './endpoint.ts';
import type { ServerContext } from '../server-context.ts';

const known = knownParameters(introspectForm);

/** Inactive is exactly this, byte for byte, whatever the cause (RFC 7662 §2.2; INT-95). */
export const INACTIVE = '{"active":false}';

type Form = { readonly token: string };

/** RFC 7662 §2: the tenant, the form, the caller, and only then the token. */
export function makeIntrospect(server: ServerContext, layout: Layout, path: EndpointPath): EndpointHandler {
  return async (request, arrival, slug) => {
    const { requestId } = arrival.peer;
    const admitted = await admit<Form>(server, request, arrival, { layout, slug }, known, false);
    if (admitted instanceof Response) return admitted;
    const { tenant, client, form } = admitted;
    if (form.token === undefined) return server.respond.error(400, 'invalid_request', 'token is missing', requestId);
    const outcome = await introspect(server.ctx, tenant, client, form.token, arrival.peer);
    if (!outcome.active) return server.respond.json(200, INACTIVE, requestId);
    const members = renderIntrospection(outcome.facts, outcome.scopes, {
      shape: chooseShape({ client: client.shape, path: path.shape, home: tenant.layout === layout.name, tenant: tenant.shape, layout: layout.shape }),
      tenantShape: tenant.shape, issuer: outcome.issuer, user: outcome.user, personal: !client.selfRegistered,
    });
    return server.respond.json(200, JSON.stringify(members), requestId);
  };
}
