import type { Tenant } from '../../core/model.ts';
import { requireTenant } from '../../service/manage-tenants.ts';
import { explainToken, inspectToken, revokeToken, type Inspection } from '../../service/manage-tokens.ts';
import { resourceKey } from '../../service/resources.ts';
import { findTokenTenant } from '../../service/token-tenant.ts';
import { renderInspector, type InspectorView } from '../../pages/admin/inspector.tsx';
import { explainReason } from '../../pages/admin/reasons.ts';
import { badge, link, list, mono, row, soft, time, type FactGroup, type FormView, type TableView, type Value } from '../../pages/admin/views.ts';
import { answerHtml, formToken, frameOf, goOn } from './answer.ts';
import { may, readPosted, type ConsoleCall, type ConsoleRoute } from './call.ts';
import { answerBadForm } from './endings.ts';
import { sentence } from './form.ts';
import { consolePath, tenantPath, withQuery } from './paths.ts';

const known = new Map([['csrf', 'once'], ['token', 'once'], ['tenant', 'once']] as const);
/** Clients that are looked at for who could see a token. */
const MOST_CLIENTS = 200;
const PATH = consolePath('inspect');

function formOf(call: ConsoleCall, tenant: string, problem: string | null): FormView {
  return {
    action: PATH, csrf: formToken(call.visit), hidden: [], submit: 'Look', tone: 'main', cancelHref: '/admin', problem, says: [],
    groups: [{ title: null, fields: [
      { name: 'token', label: 'Token', type: 'block', help: 'An access or refresh token. It is sent in the body of the request, and kept nowhere.', required: true, placeholder: '', choices: [], value: '', values: [], fault: null, autocomplete: 'off' },
      ...(call.bound === null ? [{ name: 'tenant', label: 'Tenant', type: 'text', help: 'Found by what the token says of itself, where it is left empty.', required: false, placeholder: 'slug', choices: [], value: tenant, values: [], fault: null, autocomplete: 'off' } as const] : []),
    ] }],
  };
}

async function answerInspector(call: ConsoleCall, found: InspectorView['found'], tenant = '', problem: string | null = null): Promise<Response> {
  const frame = await frameOf(call, { title: 'Token inspector', explain: 'What a token is, whether it is good, and who would be told so.' });
  return answerHtml(call.visit, renderInspector(frame, { form: formOf(call, tenant, problem), found }), problem === null ? 200 : 400);
}

/** A token in hand: from its own form, or from the search box. @throws StoreError */
export async function inspect(call: ConsoleCall, token: string, slug: string): Promise<Response> {
  if (token === '') return answerInspector(call, null, slug, 'Paste a token.');
  const named = slug === '' || call.bound !== null ? null : await requireTenant(call.ctx, slug);
  if (named !== null && !named.ok) return answerInspector(call, null, slug, sentence(named.description));
  const tenant = call.bound ?? named?.value ?? await findTokenTenant(call.ctx, token);
  if (tenant === null) {
    const why = 'No tenant of this server has issued it, as far as it says itself: it is no token of ours, or is not complete, or is gone.';
    return answerInspector(call, { verdict: { text: 'not active', mood: 'bad' }, why, groups: [], revoke: null });
  }
  const inspection = await inspectToken(call.ctx, tenant, token);
  const reason = inspection.reason;
  return answerInspector(call, {
    verdict: reason === null ? { text: 'active', mood: 'good' } : { text: 'not active', mood: 'bad' }, why: explainReason(reason),
    groups: inspection.known ? [...factsOf(tenant, inspection), await viewersOf(call, tenant, token, inspection)] : [{ title: 'Token', facts: [['Tenant', link(tenant.name, tenantPath(tenant.slug))], ['Reason', mono(inspection.reason)]] }],
    revoke: inspection.known && reason === null && may(call, 'tokens', 'write') ? revokeForm(call, tenant, token, inspection) : null,
  }, slug);
}

type Known = Extract<Inspection, { known: true }>;

function factsOf(tenant: Tenant, { facts, format, issuer, user, reason, fingerprint }: Known): readonly FactGroup[] {
  const { slug } = tenant;
  const moment = (seconds: number | null): Value => time(seconds === null ? null : seconds * 1000);
  const json = (value: object | null): Value => (value === null ? null : mono(JSON.stringify(value)));
  const all: readonly (readonly [string, Value])[] = [
    ['Kind', `${facts.kind} token, ${format === 'jwt' ? 'JWT' : 'opaque'}`], ['Reason', mono(reason)], ['Tenant', link(tenant.name, tenantPath(slug))], ['Issuer', mono(issuer)],
    ['Issued to', link(facts.clientId, tenantPath(slug, 'clients', facts.clientId), true)],
    ['Subject', facts.userId === null ? mono(facts.subject) : link(user === null || user.deletedAtMs !== null ? facts.userId : user.username, tenantPath(slug, 'users', facts.userId))],
    ['Scopes', row(facts.scopes.map((scope) => mono(scope)))], ['Audience', list(facts.audience.map((one) => mono(one)))], ['Organization', mono(facts.orgId)],
    ['Issued', time(facts.issuedAtMs)], ['Not before', moment(facts.notBefore)], ['Expires', facts.expiresAt === null ? soft('with its grant') : moment(facts.expiresAt)],
    ['Signed in', moment(facts.authTime)], ['How strongly', mono(facts.acr)], ['Grant', facts.grantId === null ? null : link(facts.grantId, tenantPath(slug, 'grants', facts.grantId), true)],
    ['Session', facts.sessionId === null ? null : link(facts.sessionId, withQuery(tenantPath(slug, 'grants'), { session: facts.sessionId }), true)],
    ['ID (jti)', mono(facts.id)], ['Bound to', json(facts.confirmation)], ['Acts', json(facts.actor)], ['Fingerprint', mono(fingerprint, true)],
  ];
  return [{ title: 'Token', facts: all.filter(([, value]) => value !== null) }];
}

/** Who would be told what: the client that it was issued to, those that answer for its resources, and those that may ask more than the tenant's policy says. */
async function viewersOf(call: ConsoleCall, tenant: Tenant, token: string, { facts }: Known): Promise<FactGroup> {
  const { store } = call.ctx;
  const why = new Map<string, string>([[facts.clientId, 'it was issued to it']]);
  for (const audience of facts.audience) {
    const owner = (await store.findResource(tenant.id, resourceKey(audience)))?.ownerClientId ?? null;
    if (owner !== null && !why.has(owner)) why.set(owner, `answers for ${audience}`);
  }
  const { items } = await store.pageClients(tenant.id, { after: null, limit: MOST_CLIENTS }, {});
  for (const { id, introspect: policy } of items) if (policy !== null && !why.has(id)) why.set(id, `may introspect ${policy}`);
  const rows: TableView['rows'][number][] = [];
  for (const [id, part] of why) {
    const told = await explainToken(call.ctx, tenant, token, id);
    if (!told.ok) continue;
    const { active, reason, policy } = told.value;
    rows.push({ key: id, href: tenantPath(tenant.slug, 'clients', id), dim: false, cells: [
      mono(id), part, badge(active ? 'active' : 'not active', active ? (reason === null ? 'good' : 'warn') : 'calm'), mono(policy), reason === null ? 'It may know, and the token is good.' : explainReason(reason),
    ] });
  }
  return {
    title: 'Who would be told', explain: 'What introspection answers each of these clients now, and why. Others are told what the tenant\'s policy says.',
    table: { caption: 'Who would be told', columns: ['Client', 'Part', 'Answer', 'Policy', 'Why'].map((title) => ({ title, minor: title === 'Policy', number: false })), rows, empty: 'Nobody.', nextHref: null, firstHref: null },
  };
}

function revokeForm(call: ConsoleCall, tenant: Tenant, token: string, { facts }: Known): FormView {
  const says = facts.kind === 'access'
    ? ['This access token alone is void at once. Its refresh token, where there is one, can bring another.']
    : [tenant.refreshRevocation === 'session' ? 'Its grant and its session end, with all of their tokens.' : 'Its grant ends, with all of its tokens.'];
  return { action: consolePath('inspect', 'revoke'), csrf: formToken(call.visit), hidden: [['token', token], ['tenant', tenant.slug]], groups: [], submit: 'Revoke the token', tone: 'danger', cancelHref: PATH, problem: null, says };
}

async function postInspect(call: ConsoleCall): Promise<Response> {
  const posted = readPosted(call, known);
  return posted === null ? answerBadForm(call) : inspect(call, posted.one('token').trim(), posted.one('tenant').trim());
}

async function postRevoke(call: ConsoleCall): Promise<Response> {
  const posted = readPosted(call, known);
  if (posted === null) return answerBadForm(call);
  const found = await requireTenant(call.ctx, posted.one('tenant'));
  const tenant = found.ok ? found.value : null;
  if (tenant === null || (call.bound !== null && call.bound.id !== tenant.id)) return answerInspector(call, null, '', 'There is no such tenant.');
  const revoked = await revokeToken(call.ctx, tenant, posted.one('token').trim());
  return revoked.ok ? goOn(call, PATH, { text: 'The token is revoked.', warnings: [] }) : answerInspector(call, null, '', sentence(revoked.description));
}

export const inspectorRoutes: readonly ConsoleRoute[] = [
  // Looking takes a form, for no token may stand in an address; it changes nothing.
  { path: '/inspect', area: 'tokens', postAccess: 'read', show: (call) => answerInspector(call, null), post: postInspect },
  { path: '/inspect/revoke', area: 'tokens', access: 'write', show: async (call) => goOn(call, PATH, null), post: postRevoke },
];
