import type { Layout } from '../../core/layouts.ts';
import type { Client } from '../../core/model.ts';
import type { SignedIn } from '../../core/next-step.ts';
import { redirectSource } from '../../core/redirect-uri.ts';
import { renderLoggedOut, renderLogout } from '../../pages/endings.tsx';
import { endBrowserSession, planLogout } from '../../service/logout.ts';
import { findSignedIn } from '../../service/sign-in/browser.ts';
import { parseForm, queryOf, readFormText, type FormValues, type KnownParameters } from '../form.ts';
import { csrfToken, isRightToken, isSameOrigin } from '../people/csrf.ts';
import { clientView } from '../people/step-pages.ts';
import { forPeople, inLocales, ownOrigin, redirect, show, showError, type Visit } from '../people/visit.ts';
import type { EndpointHandler } from './endpoint.ts';
import type { ServerContext } from '../server-context.ts';

/** Parameters of an end-session request (RP-Initiated Logout §2). */
const parameterNames = ['id_token_hint', 'client_id', 'post_logout_redirect_uri', 'state', 'logout_hint', 'ui_locales'] as const;
type Parameters = { readonly [name in (typeof parameterNames)[number]]: string } & FormValues;

const known: KnownParameters = new Map(parameterNames.map((name) => [name, 'once']));
/** What our own page posts; the request that it confirms is in the form's address, and is judged again. */
const knownInForm: KnownParameters = new Map([...known, ['step', 'once'], ['csrf', 'once']]);

/** Longest request, characters of its query or body: an ID token has to fit, and Bun takes 16 KiB of request head. */
const MAX_REQUEST = 12_288;

/** OpenID Connect RP-Initiated Logout: the end-session endpoint, by GET and POST (LO-01). */
export function makeLogout(server: ServerContext, layout: Layout): EndpointHandler {
  return forPeople(server, layout, (visit) => (visit.request.method === 'POST' ? byForm(visit) : byQuery(visit)));
}

/** The parameters that count, in one spelling. */
function queryFrom(parameters: Partial<Parameters>): string {
  return new URLSearchParams(parameterNames.flatMap((name): [string, string][] => {
    const value = parameters[name];
    return value === undefined ? [] : [[name, value]];
  })).toString();
}

function readQuery(visit: Visit): Partial<Parameters> | null {
  const query = queryOf(visit.request.url);
  const reading = query.length > MAX_REQUEST ? null : parseForm<Parameters>(query, known);
  return reading?.ok === true ? reading.form : null;
}

async function byQuery(visit: Visit): Promise<Response> {
  const parameters = readQuery(visit);
  return parameters === null ? showError(visit, 400, 'logout_invalid') : answer(visit, parameters, null);
}

async function byForm(visit: Visit): Promise<Response> {
  const body = await readFormText(visit.request, new Map());
  if (!body.ok) return showError(visit, body.fault.status, body.fault.status === 503 ? 'unavailable' : 'logout_invalid');
  const reading = body.text.length > MAX_REQUEST ? null : parseForm<Parameters & { readonly step: string; readonly csrf: string }>(body.text, knownInForm);
  const asked = readQuery(visit);
  if (reading?.ok !== true || asked === null) return showError(visit, 400, 'logout_invalid');
  const { step, csrf, ...parameters } = reading.form;
  if (step === 'logout') return answer(visit, asked, csrf ?? '');
  if (Object.keys(asked).length > 0) return showError(visit, 400, 'logout_invalid');
  if (visit.browser.session !== null) return answer(visit, parameters, null);
  // A form that an application's page posts arrives without our cookies (`SameSite=Lax`), so it becomes the same request
  // by GET, with which they come (UI-03).
  const query = queryFrom(parameters);
  return redirect(visit, `${new URL(visit.request.url).pathname}${query === '' ? '' : `?${query}`}`);
}

/** @param csrf of our own page, where the person confirmed; null: of the application's request */
async function answer(asking: Visit, parameters: Partial<Parameters>, csrf: string | null): Promise<Response> {
  const visit = inLocales(asking, parameters.ui_locales?.split(' ') ?? []);
  const { server: { ctx }, tenant, browser, request } = visit;
  const signedIn = await findSignedIn(ctx, tenant, browser);
  const query = queryFrom(parameters);
  // Where nobody is signed in there is nothing to protect, and a form that is sent twice does no harm (LO-09).
  const confirmed = csrf !== null && signedIn !== null;
  if (confirmed && !(isSameOrigin(request.headers, ownOrigin(visit)) && isRightToken(csrf, browser.session, formOf(query)))) return showError(visit, 403, 'forbidden');
  const { verdict, client } = await planLogout(ctx, tenant, {
    hint: parameters.id_token_hint ?? null, clientId: parameters.client_id ?? null, redirectUri: parameters.post_logout_redirect_uri ?? null,
    state: parameters.state ?? null, confirmed,
  }, signedIn);
  switch (verdict.act) {
    case 'refuse':
      return showError(visit, 400, verdict.reason);
    case 'confirm':
      return askFirst(visit, query, { to: verdict.to, client, signedIn });
    case 'end': {
      // HEAD tells what GET would say, and does nothing.
      const gone = request.method === 'HEAD' ? {} : { session: null };
      if (signedIn !== null && request.method !== 'HEAD') await endBrowserSession(ctx, tenant, signedIn.session, browser.from, client);
      if (verdict.to !== null && !verdict.offer) return redirect(visit, verdict.to, gone);
      return show(visit, { html: renderLoggedOut(visit.chrome, { href: verdict.to, client: client === null ? null : clientView(client, verdict.to) }) }, gone);
    }
  }
}

/** What the confirmation's token is about: this very request, so that the form's address cannot be changed under it. */
function formOf(query: string): string {
  return `logout ${query}`;
}

function askFirst(visit: Visit, query: string, about: { readonly to: string | null; readonly client: Client | null; readonly signedIn: SignedIn | null }): Promise<Response> {
  const { browser, request, chrome } = visit;
  const { to, client, signedIn } = about;
  const source = to === null ? null : redirectSource(to);
  const user = signedIn === null ? null : { name: signedIn.user.name ?? signedIn.user.username, email: signedIn.user.email };
  const action = `${new URL(request.url).pathname}${query === '' ? '' : `?${query}`}`;
  return show(visit, {
    html: renderLogout(chrome, { action, csrf: csrfToken(browser.session ?? '', formOf(query)), user, client: client === null ? null : clientView(client, to) }),
    formTargets: source === null ? [] : [source],
  });
}
