import { chooseShape } from '../../core/shapes.ts';
import { renderIntrospection } from '../../core/introspect.ts';
import type { EndpointPath, Layout } from '../../core/layouts.ts';
import { limitHeaders, refusedBy } from '../../core/limits.ts';
import type { Client, ShapeName, Tenant } from '../../core/model.ts';
import type { InactiveReason } from '../../core/standing.ts';
import { introspect, type IntrospectionOutcome } from '../../service/introspect.ts';
import { admit } from '../admit.ts';
import type { Answer } from '../answer-memory.ts';
import { answerLimited } from '../failures.ts';
import { readFormText } from '../form.ts';
import type { ExtraHeaders } from '../respond.ts';
import { introspectForm, knownParameters, type IntrospectForm } from '../schemas.ts';
import type { EndpointHandler } from './endpoint.ts';
import type { Arrival, ServerContext } from '../server-context.ts';

const known = knownParameters(introspectForm);

/** Inactive is exactly this, byte for byte, whatever the cause (RFC 7662 §2.2; INT-95). */
export const INACTIVE = '{"active":false}';

/** What time alone changes: such a token becomes good without anything being written. All else inactive stays so. */
const passing: ReadonlySet<InactiveReason> = new Set(['not_yet_valid', 'issued_in_future']);

/** RFC 7662 §2: the tenant, the form, the caller, and only then the token; or what the very same question was told before. */
export function makeIntrospect(server: ServerContext, layout: Layout, path: EndpointPath): EndpointHandler {
  const { ctx, respond, answers } = server;
  const url = layout.prefix + path.path;
  return async (request, arrival, slug) => {
    const { requestId } = arrival.peer;
    const body = await readFormText(request, known);
    const question = body.ok ? answers.ask(request.headers.get('authorization'), arrival.site, url, slug, body.text) : null;
    if (question !== null && question.answer !== null) return again(question.answer, arrival);

    const admitted = await admit<IntrospectForm>(server, request, arrival, { layout, slug }, body, known, false);
    if (admitted instanceof Response) return admitted;
    const { tenant, client, form, headers } = admitted;
    if (form.token === undefined) return respond.error(400, 'invalid_request', 'token is missing', requestId);
    const shape = shapeFor(tenant, client);
    const outcome = await introspect(ctx, tenant, client, form.token, shape);
    const answer: Answer = { text: outcome.active ? renderActive(outcome, shape, tenant, client) : INACTIVE, result: outcome.active ? 'active' : outcome.reason, tell: outcome.tell, limits: limitsOf(tenant, client) };
    if (question !== null && (outcome.active || !passing.has(outcome.reason))) {
      question.remember(answer, outcome.active ? outcome.facts.expiresAt : null, client.secrets);
    }
    return give(answer, arrival, headers);
  };

  function give({ text, result, tell }: Answer, { peer }: Arrival, headers?: ExtraHeaders): Response {
    ctx.metrics.introspected(result);
    tell?.(peer);
    return respond.json(200, text, peer.requestId, headers);
  }

  /** The same answer again, if the limits allow. */
  function again(answer: Answer, arrival: Arrival): Response {
    if (answer.limits === null) return give(answer, arrival);
    const standings = answer.limits(arrival.peer);
    return refusedBy(standings) === null ? give(answer, arrival, limitHeaders(standings)) : answerLimited(server, standings, arrival.peer.requestId);
  }

  function limitsOf(tenant: Tenant, client: Client): Answer['limits'] {
    const { limits } = tenant.operations;
    if (limits.address === null && limits.client === null && limits.tenant === null) return null;
    return (from) => {
      const arrived = ctx.limiter.arrive(tenant, from);
      return refusedBy(arrived) === null ? [...arrived, ...ctx.limiter.call(tenant, client, from)] : arrived;
    };
  }

  function shapeFor(tenant: Tenant, client: Client): ShapeName {
    return chooseShape({ client: client.shape, path: path.shape, home: tenant.layout === layout.name, tenant: tenant.shape, layout: layout.shape });
  }
}

/** What a caller is told of a token that is good. */
export function renderActive(outcome: Extract<IntrospectionOutcome, { active: true }>, shape: ShapeName, tenant: Tenant, client: Client): string {
  return JSON.stringify(renderIntrospection(outcome.facts, outcome.scopes, {
    shape, tenantShape: tenant.shape, issuer: outcome.issuer, user: outcome.user, personal: !client.selfRegistered,
    orgName: outcome.orgName, mapped: outcome.mapped,
  }));
}
