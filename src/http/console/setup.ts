import { auditEvent } from '../../core/audit-event.ts';
import { renderSetup } from '../../pages/admin/endings.tsx';
import { acceptAdminInvitation, findOpenInvitation } from '../../service/manage-administrators.ts';
import { makeCookieSecret } from '../../service/sign-in/browser.ts';
import { readFormText } from '../form.ts';
import { cookieHeaders } from '../people/cookies.ts';
import { csrfToken, isRightToken, isSameOrigin } from '../people/csrf.ts';
import { isHttps, ownOrigin, redirect, showError, type Visit } from '../people/visit.ts';
import { answerHtml } from './answer.ts';
import { consoleAssets } from './assets.ts';
import { readPosted } from './call.ts';
import { answerOutside } from './endings.ts';
import { fillOf, findFormFaults, knownFields, placeRefusal, readerOf, viewPlainFields } from './form.ts';
import { CONSOLE } from './paths.ts';
import type { FieldRow, FormFill } from './resource.ts';

const about = (token: string): string => `setup ${token}`;

function fieldsOf({ tenant }: Visit): readonly FieldRow[] {
  return [
    { name: 'username', label: 'Username', type: 'text', required: true, autocomplete: 'username' },
    { name: 'name', label: 'Name', type: 'text', autocomplete: 'name', help: 'What the console calls you.' },
    { name: 'email', label: 'E-mail address', type: 'email', autocomplete: 'email' },
    { name: 'password', label: 'Password', type: 'secret', required: true, autocomplete: 'new-password', help: `${tenant.people.passwordMinLength} characters or more.` },
    { name: 'again', label: 'Password, again', type: 'secret', required: true, autocomplete: 'new-password' },
  ];
}

/** The link is no good, for whichever reason. */
function refuseLink(visit: Visit): Response {
  const { server: { ctx }, arrival: { peer: { ip, requestId } } } = visit;
  ctx.audit.add(auditEvent({ timeMs: ctx.clock.now(), type: 'access_refused', ip, requestId, subject: 'console setup', outcome: 'denied', reason: 'bad_link' }));
  return answerOutside(visit, 404, {
    title: 'This link is no good',
    says: ['It was used already, replaced by a newer one, or is older than a day.', 'Whoever has access to the machine can make another:'], command: 'assay admin invite',
    links: [{ text: 'Sign in', href: CONSOLE }],
  });
}

/** Nobody could sign in with what they would choose. */
function refusePasswords(visit: Visit): Response {
  return answerOutside(visit, 409, {
    title: 'Passwords are off', says: ['People of the tenant default do not sign in with passwords. Turn them on, or make somebody an administrator who can sign in already:'],
    command: 'assay tenant update default --passwords on\nassay admin grant USER',
  });
}

/** `GET /admin/setup/TOKEN`: does nothing by itself, for programs follow links too (UI-11). */
export async function showSetup(visit: Visit, token: string): Promise<Response> {
  const { server: { ctx }, browser, tenant } = visit;
  if (await findOpenInvitation(ctx, token) === null) return refuseLink(visit);
  if (!tenant.people.passwords) return refusePasswords(visit);
  const known = browser.secret;
  const secret = known ?? makeCookieSecret(ctx);
  return drawSetup(visit, token, secret, null, new Map(), null, known === null ? cookieHeaders({ secret }, tenant, isHttps(visit.server)) : []);
}

function drawSetup(
  visit: Visit, token: string, secret: string, fill: FormFill | null, faults: ReadonlyMap<string, string>, problem: string | null, cookies: readonly string[] = [],
): Response {
  const fields = viewPlainFields(fieldsOf(visit), fill, faults);
  const faulty = faults.size > 0 || problem !== null;
  const response = answerHtml(visit, renderSetup(consoleAssets, {
    action: `${CONSOLE}/setup/${token}`, csrf: csrfToken(secret, about(token)), fields, problem: problem ?? (faulty ? 'This could not be done: look at what is marked.' : null),
  }), faulty ? 400 : 200);
  for (const cookie of cookies) response.headers.append('Set-Cookie', cookie);
  return response;
}

/** Its form: the account is made, and signs in like any other. */
export async function postSetup(visit: Visit, token: string): Promise<Response> {
  const { server: { ctx }, request, browser, tenant, arrival } = visit;
  if (!isSameOrigin(request.headers, ownOrigin(visit))) return showError(visit, 403, 'forbidden');
  const body = await readFormText(request, new Map());
  if (!body.ok) return showError(visit, body.fault.status, 'bad_request');
  const fields = fieldsOf(visit);
  const posted = readPosted({ body: body.text }, knownFields(fields));
  if (posted === null) return showError(visit, 400, 'bad_request');
  if (browser.secret === null || !isRightToken(posted.one('csrf'), browser.secret, about(token))) return showError(visit, 403, 'forbidden');
  if (await findOpenInvitation(ctx, token) === null) return refuseLink(visit);
  if (!tenant.people.passwords) return refusePasswords(visit);
  const faults = new Map(findFormFaults(fields, posted));
  const form = readerOf(fields, posted);
  if (faults.size === 0 && form.raw('password') !== form.raw('again')) faults.set('again', 'This is another password than the first.');
  const fill = fillOf(fields, posted);
  if (faults.size > 0) return drawSetup(visit, token, browser.secret, fill, faults, null);
  const { ip, requestId } = arrival.peer;
  const made = await acceptAdminInvitation({ ...ctx, by: { ...ctx.by, ip, requestId } }, token, { username: form.text('username'), name: form.orNull('name'), email: form.text('email'), password: form.raw('password') });
  if (made.ok) return redirect(visit, CONSOLE);
  if (made.error === 'not_found') return refuseLink(visit);
  const placed = placeRefusal(fields, made);
  return drawSetup(visit, token, browser.secret, fill, placed.faults, placed.problem);
}
