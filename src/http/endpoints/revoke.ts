import { chooseShape, shapes } from '../../core/shapes.ts';
import type { EndpointPath, Layout } from '../../core/layouts.ts';
import { revoke } from '../../service/revoke.ts';
import { admit } from '../admit.ts';
import { readFormText } from '../form.ts';
import { knownParameters, revokeForm, type RevokeForm } from '../schemas.ts';
import type { EndpointHandler } from './endpoint.ts';
import type { ServerContext } from '../server-context.ts';

const known = knownParameters(revokeForm);

/** RFC 7009 §2: whatever the token is, the same 200, once the change is on disk. */
export function makeRevoke(server: ServerContext, layout: Layout, path: EndpointPath): EndpointHandler {
  return async (request, arrival, slug) => {
    const { requestId } = arrival.peer;
    const admitted = await admit<RevokeForm>(server, request, arrival, { layout, slug }, await readFormText(request, known), known, true);
    if (admitted instanceof Response) return admitted;
    const { tenant, client, form, headers } = admitted;
    if (form.token === undefined) return server.respond.error(400, 'invalid_request', 'token is missing', requestId);
    await revoke(server.ctx, tenant, client, form.token, arrival.peer);
    const shape = chooseShape({ client: client.shape, path: path.shape, home: tenant.layout === layout.name, tenant: tenant.shape, layout: layout.shape });
    return server.respond.json(200, shapes[shape].revokeBody, requestId, headers);
  };
}
