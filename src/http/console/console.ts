import { auditEvent } from '../../core/audit-event.ts';
import type { Administrator } from '../../core/admin.ts';
import type { Tenant } from '../../core/model.ts';
import type { SignedIn } from '../../core/next-step.ts';
import { isRecent } from '../../service/account/outcome.ts';
import { findSignedIn } from '../../service/sign-in/browser.ts';
import { openInteraction } from '../../service/sign-in/pending.ts';
import { readFormText, queryOf } from '../form.ts';
import { isRightToken, isSameOrigin } from '../people/csrf.ts';
import { ownOrigin, redirect, showError, type Visit } from '../people/visit.ts';
import { consoleForm } from './answer.ts';
import { may, readPosted, type ConsoleCall, type ConsoleRoute } from './call.ts';
import { answerMissing, answerNotAllowed, answerOutside } from './endings.ts';
import { pathOf } from '../gate.ts';
import { CONSOLE, returnTo, tenantPath } from './paths.ts';
import { matchRoute, type Match } from './match.ts';
import { consoleRoutes } from './routes.ts';
import { postSetup, showSetup } from './setup.ts';

/** Answers a request below `/admin`. Whatever is not a page of the console is a page that says so. */
export async function answerConsole(visit: Visit): Promise<Response> {
  const { arrival, request } = visit;
  if (arrival.site.kind !== 'own') return showError(visit, 404, 'not_found');
  const path = pathOf(request.url);
  const posted = request.method === 'POST';
  const setup = /^\/admin\/setup\/([A-Za-z0-9_-]{1,100})$/.exec(path)?.[1];
  if (setup !== undefined) return posted ? postSetup(visit, setup) : showSetup(visit, setup);
  const match = matchRoute(consoleRoutes, path.slice(CONSOLE.length));
  return posted ? enterByForm(visit, path, match) : enter(visit, path, match, '');
}

/** A form: of a page of ours, with the token of this session, or nothing happens (UI-09). */
async function enterByForm(visit: Visit, path: string, match: Match | null): Promise<Response> {
  const { request, browser } = visit;
  if (!isSameOrigin(request.headers, ownOrigin(visit))) return showError(visit, 403, 'forbidden');
  const body = await readFormText(request, new Map());
  if (!body.ok) return showError(visit, body.fault.status, 'bad_request');
  const posted = readPosted({ body: body.text }, new Map([['csrf', 'once']]));
  if (!isRightToken(posted?.one('csrf') ?? '', browser.session, consoleForm)) return showError(visit, 403, 'forbidden');
  return enter(visit, path, match, body.text);
}

async function enter(visit: Visit, path: string, match: Match | null, body: string): Promise<Response> {
  const { server: { ctx }, tenant: home, browser, request } = visit;
  const signedIn = await findSignedIn(ctx, home, browser);
  if (signedIn === null) return signInFirst(visit, path, null);
  const administrator = await ctx.store.findAdministrator(signedIn.user.id);
  const bound = administrator === null || administrator.tenantId === null ? null : await ctx.store.findTenant({ id: administrator.tenantId });
  if (administrator === null || (administrator.tenantId !== null && (bound === null || bound.deletedAtMs !== null))) return turnAway(visit, signedIn, path);
  const call = await callOf(visit, signedIn, administrator, bound, path, match, body);
  if (call === null) return answerMissing(strayCall(visit, signedIn, administrator, bound, path));
  const post = request.method === 'POST';
  const { route } = call;
  if (bound !== null && path === CONSOLE) return redirect(visit, tenantPath(bound.slug));
  if (bound !== null && route.serverOnly === true) return answerMissing(call);
  const act = post ? route.post : route.show;
  if (act === undefined) return showError(visit, 405, 'method_not_allowed', { Allow: route.post === undefined ? 'GET, HEAD' : route.show === undefined ? 'POST' : 'GET, HEAD, POST' });
  if (!may(call, route.area, post ? route.postAccess ?? 'write' : route.access ?? 'read')) return answerNotAllowed(call);
  // What cannot be taken back is asked of who proved lately that it is they; afterwards they are where they were.
  if (route.recent === true && !isRecent(signedIn.session, ctx.clock.now())) return signInFirst(visit, path, ctx.clock.now());
  return act(call);
}

/** The call, where the path is a page that this administrator may know of; null where it is not. */
async function callOf(
  visit: Visit, signedIn: SignedIn, administrator: Administrator, bound: Tenant | null, path: string, match: Match | null, body: string,
): Promise<ConsoleCall | null> {
  if (match === null) return null;
  const { store } = visit.server.ctx;
  const slug = match.parts['tenant'];
  const within = slug === undefined ? null : await store.findTenant({ slug });
  // Another tenant than theirs is not there for them (MTN-06).
  if (slug !== undefined && (within === null || within.deletedAtMs !== null || (bound !== null && within.id !== bound.id))) return null;
  return { ...strayCall(visit, signedIn, administrator, bound, path), route: match.route, parts: match.parts, within, body };
}

const noRoute: ConsoleRoute = { path: '', area: null };

/** A call of somebody who is in, for a page that is not there. */
function strayCall(visit: Visit, signedIn: SignedIn, administrator: Administrator, bound: Tenant | null, path: string): ConsoleCall {
  const { server, arrival, request } = visit;
  const { ip, requestId } = arrival.peer;
  return {
    server, visit, ctx: { ...server.ctx, by: { actor: signedIn.user.id, ip, requestId } }, signedIn, administrator, bound, path,
    route: noRoute, parts: {}, within: null, query: new URLSearchParams(queryOf(request.url)), body: '',
  };
}

/** Away to sign in, and back to where they were. @param freshSinceMs since when they must have proven who they are; null: any session does */
async function signInFirst(visit: Visit, path: string, freshSinceMs: number | null): Promise<Response> {
  const { server: { ctx }, tenant, browser } = visit;
  const opened = await openInteraction(ctx, tenant, browser, { request: null, section: returnTo(path), freshSinceMs });
  if (opened.kind === 'too_many') return showError(visit, 429, 'too_many_requests');
  return redirect(visit, `${visit.base}/sign-in/${opened.id}`, opened.cookies);
}

/** Somebody is signed in who is no administrator: they see how to become one, and nothing else. */
function turnAway(visit: Visit, { user }: SignedIn, path: string): Response {
  const { server: { ctx }, arrival } = visit;
  ctx.audit.add(auditEvent({
    timeMs: ctx.clock.now(), type: 'access_refused', actor: user.id, subject: path === CONSOLE ? 'console' : 'console page', outcome: 'denied', reason: 'no_administrator', ip: arrival.peer.ip, requestId: arrival.peer.requestId,
  }));
  return answerOutside(visit, 403, {
    title: 'You are not an administrator', username: user.username,
    says: ['This is where the server is operated, and your account has no part in that yet.', 'Ask somebody who is an administrator to add you. Whoever has access to the machine can do it too, with this command:'],
    command: `assay admin grant ${user.id}`,
  });
}
