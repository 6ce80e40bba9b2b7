import { chooseShape } from '../../core/shapes.ts';
import { renderIntrospection } from '../../core/introspect.ts';
import type { EndpointPath, Layout } from '../../core/layouts.ts';
import { introspect } from '../../service/introspect.ts';
import { admit } from '../admit.ts';
import { readFormText } from '../form.ts';
import { introspectForm, knownParameters } from '../schemas.ts';
import type { EndpointHandler } from './endpoint.ts';
import type { ServerContext } from '../server-context.ts';

const known = knownParameters(introspectForm);

/** Inactive is exactly this, byte for byte, whatever the cause (RFC 7662 §2.2; INT-95). */
export const INACTIVE = '{"active":false}';

type Form = { readonly token: string };

/** RFC 7662 §2: the tenant, the form, the caller, and only then the token; or what the very same question was told before. */
export function makeIntrospect(server: ServerContext, layout: Layout, path: EndpointPath): EndpointHandler {
  const { ctx, respond, answers } = server;
  const url = layout.prefix + path.path;
  return async (request, arrival, slug) => {
    const { requestId } = arrival.peer;
    const body = await readFormText(request, known);
    const question = body.ok ? answers.ask(request.headers.get('authorization'), arrival.site, url, slug, body.text) : null;
    if (question !== null && question.answer !== null) return respond.json(200, question.answer, requestId);

    const admitted = await admit<Form>(server, request, arrival, { layout, slug }, body, known, false);
    if (admitted instanceof Response) return admitted;
    const { tenant, client, form } = admitted;
    if (form.token === undefined) return respond.error(400, 'invalid_request', 'token is missing', requestId);
    const outcome = await introspect(ctx, tenant, client, form.token, arrival.peer);
    if (!outcome.active) return respond.json(200, INACTIVE, requestId);
    const members = renderIntrospection(outcome.facts, outcome.scopes, {
      shape: chooseShape({ client: client.shape, path: path.shape, home: tenant.layout === layout.name, tenant: tenant.shape, layout: layout.shape }),
      tenantShape: tenant.shape, issuer: outcome.issuer, user: outcome.user, personal: !client.selfRegistered,
    });
    const answer = JSON.stringify(members);
    if (question !== null && !outcome.recorded) question.remember(answer, outcome.facts.expiresAt, client.secrets);
    return respond.json(200, answer, requestId);
  };
}
