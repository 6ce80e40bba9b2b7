import type { Layout } from '../../core/layouts.ts';
import { readBearer } from '../../core/bearer.ts';
import { limitHeaders, refusedBy } from '../../core/limits.ts';
import { recordUserinfoRefusal, tellUserinfo } from '../../service/userinfo.ts';
import { resolveTenant } from '../admit.ts';
import { answerBearerFault, answerFormFault, answerLimited, answerNotFound } from '../failures.ts';
import { isForm, parseForm, readFormText, type FormFault } from '../form.ts';
import { knownParameters, userinfoForm, type UserinfoForm } from '../schemas.ts';
import type { EndpointHandler } from './endpoint.ts';
import type { ServerContext } from '../server-context.ts';

const known = knownParameters(userinfoForm);

/** The token in a form body, where there is such a body: with GET never (RFC 6750 §2.2). */
async function readFormToken(request: Request): Promise<{ readonly token: string | null } | { readonly fault: FormFault }> {
  if (request.method !== 'POST' || !isForm(request)) return { token: null };
  const body = await readFormText(request, new Map());
  if (!body.ok) return { fault: body.fault };
  const reading = parseForm<UserinfoForm>(body.text, known);
  return reading.ok ? { token: reading.form.access_token ?? null } : { fault: reading.fault };
}

/** OpenID Connect Core §5.3: claims about the user whose access token is presented. */
export function makeUserinfo(server: ServerContext, layout: Layout): EndpointHandler {
  return async (request, arrival, slug) => {
    const { peer } = arrival;
    const { requestId } = peer;
    const tenant = await resolveTenant(server.ctx.store, layout, arrival, slug);
    if (tenant === null) return answerNotFound(server, requestId);
    const arrived = server.ctx.limiter.arrive(tenant, peer);
    if (refusedBy(arrived) !== null) return answerLimited(server, arrived, requestId);
    const form = await readFormToken(request);
    if ('fault' in form) return answerFormFault(server, form.fault, requestId);
    const reading = readBearer(request.headers.get('authorization'), form.token);
    if (!reading.ok || reading.token === null) {
      recordUserinfoRefusal(server.ctx, tenant, reading.ok ? 'no_token' : 'malformed', peer);
      return answerBearerFault(server, reading.ok ? null : 'invalid_request', requestId);
    }
    const outcome = await tellUserinfo(server.ctx, tenant, reading.token, peer);
    return outcome.ok
      ? server.respond.json(200, JSON.stringify(outcome.claims), requestId, limitHeaders(arrived))
      : answerBearerFault(server, outcome.error, requestId);
  };
}
