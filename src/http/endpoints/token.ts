import type { Layout } from '../../core/layouts.ts';
import { exchangeGrant, findGrantHandler } from '../../service/token.ts';
import type { TokenParameters } from '../../service/grants/grant.ts';
import { admit } from '../admit.ts';
import { readFormText } from '../form.ts';
import { BASIC_CHALLENGE } from '../failures.ts';
import { knownParameters, tokenForm, type TokenForm } from '../schemas.ts';
import type { EndpointHandler } from './endpoint.ts';
import type { ServerContext } from '../server-context.ts';

const known = knownParameters(tokenForm);

/** RFC 6749 §3.2: the tenant, the form, the caller, then the grant. */
export function makeToken(server: ServerContext, layout: Layout): EndpointHandler {
  return async (request, arrival, slug) => {
    const { requestId } = arrival.peer;
    const { respond } = server;
    const admitted = await admit<TokenForm>(server, request, arrival, { layout, slug }, await readFormText(request, known), known, true);
    if (admitted instanceof Response) return admitted;
    const { tenant, client, form, headers } = admitted;
    const grantType = form.grant_type;
    if (grantType === undefined) return respond.error(400, 'invalid_request', 'grant_type is missing', requestId);
    if (client.public && findGrantHandler(grantType)?.allowPublic === false) {
      return respond.error(401, 'invalid_client', 'this grant type needs client authentication', requestId, { 'WWW-Authenticate': BASIC_CHALLENGE });
    }
    const outcome = await exchangeGrant(server.ctx, grantType, { tenant, client, parameters: parametersOf(form), from: arrival.peer });
    return outcome.ok
      ? respond.json(200, JSON.stringify(outcome.response), requestId, headers)
      : respond.error(400, outcome.error, outcome.description, requestId, headers);
  };
}

function parametersOf(form: Partial<TokenForm>): TokenParameters {
  const { scope, resource, refresh_token, code, redirect_uri, code_verifier } = form;
  return {
    ...(scope !== undefined && { scope }), ...(resource !== undefined && { resource }), ...(refresh_token !== undefined && { refresh_token }),
    ...(code !== undefined && { code }), ...(redirect_uri !== undefined && { redirect_uri }), ...(code_verifier !== undefined && { code_verifier }),
  };
}
