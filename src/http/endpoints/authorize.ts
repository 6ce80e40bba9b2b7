import { authorizationParameters, type RawParameters } from '../../core/authorization.ts';
import type { Layout } from '../../core/layouts.ts';
import { authorize } from '../../service/sign-in/authorize.ts';
import { answerFailure } from '../failures.ts';
import { decodeFormText, queryOf, readFormText } from '../form.ts';
import { returnToClient } from '../people/return-answer.ts';
import { forPeople, redirect, showError, type Visit } from '../people/visit.ts';
import type { EndpointHandler } from './endpoint.ts';
import type { ServerContext } from '../server-context.ts';

const known: ReadonlySet<string> = new Set(authorizationParameters);
/** Longest request, characters of its query or body (AZ-47). */
const MAX_REQUEST = 8192;

/** Reads parameters as they are: repeated ones stay, empty ones are as omitted (OAuth 2.1 §3.1). */
export function readParameters(text: string): RawParameters {
  const parameters = new Map<string, (string | null)[]>();
  for (const pair of text.split('&')) {
    const equals = pair.indexOf('=');
    const name = decodeFormText(equals === -1 ? pair : pair.slice(0, equals));
    if (name === null || !known.has(name)) continue;
    const value = equals === -1 ? '' : decodeFormText(pair.slice(equals + 1));
    if (value !== '') parameters.set(name, [...(parameters.get(name) ?? []), value]);
  }
  return parameters;
}

/** RFC 6749 §4.1.1, OpenID Connect Core §3.1.2.1: the authorization endpoint. */
export function makeAuthorize(server: ServerContext, layout: Layout): EndpointHandler {
  return forPeople(server, layout, (visit) => (visit.request.method === 'POST' ? byForm(visit) : byQuery(visit)));
}

async function byQuery(visit: Visit): Promise<Response> {
  const query = queryOf(visit.request.url);
  return query.length > MAX_REQUEST ? showError(visit, 400, 'bad_request') : answer(visit, readParameters(query));
}

/**
 * A form that an application's page posts arrives without our cookies (`SameSite=Lax`), so it becomes the same request by
 * GET, with which they come (UI-03).
 */
async function byForm(visit: Visit): Promise<Response> {
  const body = await readFormText(visit.request, new Map([...known].map((name) => [name, 'many'])));
  if (!body.ok || body.text.length > MAX_REQUEST) return showError(visit, 400, 'bad_request');
  const parameters = readParameters(body.text);
  const pairs = [...parameters].flatMap(([name, values]) => values.map((value) => [name, value] as const));
  const readable = pairs.flatMap(([name, value]): [string, string][] => (value === null ? [] : [[name, value]]));
  if (readable.length < pairs.length) return answer(visit, parameters);
  const { pathname } = new URL(visit.request.url);
  return redirect(visit, `${pathname}?${new URLSearchParams(readable).toString()}`);
}

async function answer(visit: Visit, parameters: RawParameters): Promise<Response> {
  const { server, tenant, browser, base, arrival } = visit;
  const outcome = await authorize(server.ctx, tenant, parameters, browser);
  switch (outcome.kind) {
    case 'page':
      return showError(visit, 400, outcome.reason);
    case 'too_many':
      return showError(visit, 429, 'too_many_requests', { 'Retry-After': '60' });
    case 'return':
      return returnToClient(visit, outcome.address, outcome.fields);
    case 'interact':
      return redirect(visit, `${base}/sign-in/${outcome.id}`, outcome.cookies);
    case 'failed':
      // Logged as any failure is; the application gets its own kind of answer in place of the JSON.
      await answerFailure(server, outcome.cause, arrival.peer.requestId).body?.cancel();
      return returnToClient(visit, outcome.address, outcome.fields);
  }
}
