import type { Tenant } from '../../core/model.ts';
import { looksLikeToken } from '../../service/token-tenant.ts';
import { renderGroups } from '../../pages/admin/forms.tsx';
import { mono, soft, type FactGroup, type TableView, type Value } from '../../pages/admin/views.ts';
import { answerHtml, frameOf, goOn } from './answer.ts';
import { may, readPosted, type ConsoleCall, type ConsoleRoute } from './call.ts';
import { answerBadForm, answerNotAllowed } from './endings.ts';
import { inspect } from './inspector.ts';
import { consolePath, tenantPath, withQuery } from './paths.ts';

/** Tenants that are looked into, and how much of each kind is shown of each. */
const TENANTS = 20;
const EACH = 5;
const LONGEST = 256;

type Hit = { readonly href: string; readonly cells: readonly Value[] };

/** A token goes to the inspector, as the form that it came in: it never becomes part of an address. All else does. */
async function postSearch(call: ConsoleCall): Promise<Response> {
  const posted = readPosted(call, new Map([['csrf', 'once'], ['q', 'once'], ['within', 'once']]));
  if (posted === null) return answerBadForm(call);
  const text = posted.one('q').trim();
  if (looksLikeToken(text)) return may(call, 'tokens', 'read') ? inspect(call, text, '') : answerNotAllowed(call);
  return goOn(call, withQuery(consolePath('search'), { q: text.slice(0, LONGEST), within: posted.one('within') }), null);
}

/** The tenants to look into: the one that somebody was in, before the others. */
async function tenantsFor(call: ConsoleCall): Promise<readonly Tenant[]> {
  const { bound, ctx, query } = call;
  if (bound !== null) return [bound];
  const { items } = await ctx.store.pageTenants({ after: null, limit: TENANTS }, {});
  const within = await ctx.store.findTenant({ slug: query.get('within') ?? '' });
  return within === null || within.deletedAtMs !== null ? items : [within, ...items.filter(({ id }) => id !== within.id)];
}

async function showSearch(call: ConsoleCall): Promise<Response> {
  const { ctx, query, bound } = call;
  const text = (query.get('q') ?? '').trim().slice(0, LONGEST);
  const kinds = new Map<string, Hit[]>();
  const add = (kind: string, tenant: Tenant | null, href: string, name: string, id: Value): void => {
    kinds.set(kind, [...(kinds.get(kind) ?? []), { href, cells: [name, id, tenant === null ? null : soft(tenant.name)] }]);
  };
  if (text !== '') {
    const page = { after: null, limit: EACH };
    if (bound === null && may(call, 'tenants', 'read')) {
      for (const { name, slug } of (await ctx.store.pageTenants(page, { search: text })).items) add('Tenants', null, tenantPath(slug), name, mono(slug));
    }
    for (const tenant of await tenantsFor(call)) await searchTenant(call, tenant, text, add);
  }
  const groups = [...kinds].map(([title, hits]): FactGroup => ({ title, table: tableOf(title, hits) }));
  const frame = await frameOf(call, { title: text === '' ? 'Search' : `Search: ${text}`, search: text, explain: 'By the beginning of a name, address or id; grants and sessions by their whole id.' });
  return answerHtml(call.visit, renderGroups(frame, groups.length === 0 ? [{ title: text === '' ? 'Nothing to look for' : 'Nothing found', explain: text === '' ? 'Type something above.' : 'Nothing begins like that, or you may not see it.' }] : groups));
}

function tableOf(caption: string, hits: readonly Hit[]): TableView {
  return {
    caption, empty: '', nextHref: null, firstHref: null, columns: ['Name', 'ID', 'Tenant'].map((title) => ({ title, minor: false, number: false })),
    rows: hits.map(({ href, cells }) => ({ key: href, href, cells, dim: false })),
  };
}

async function searchTenant(call: ConsoleCall, tenant: Tenant, text: string, add: (kind: string, tenant: Tenant, href: string, name: string, id: Value) => void): Promise<void> {
  const { store } = call.ctx;
  const page = { after: null, limit: EACH };
  const { id, slug } = tenant;
  if (may(call, 'clients', 'read')) for (const client of (await store.pageClients(id, page, { search: text })).items) add('Clients', tenant, tenantPath(slug, 'clients', client.id), client.name, mono(client.id));
  if (may(call, 'users', 'read')) for (const user of (await store.pageUsers(id, page, { search: text })).items) add('Users', tenant, tenantPath(slug, 'users', user.id), user.username, mono(user.id));
  if (may(call, 'organizations', 'read')) for (const org of (await store.pageOrganizations(id, page, { search: text })).items) add('Organizations', tenant, tenantPath(slug, 'organizations', org.id), org.name, mono(org.id));
  if (!may(call, 'tokens', 'read')) return;
  const grant = await store.findGrant(id, text);
  if (grant !== null) add('Grants', tenant, tenantPath(slug, 'grants', grant.id), `Grant at ${grant.clientId}`, mono(grant.id));
  const session = await store.findSession(id, text);
  if (session !== null) add('Sessions', tenant, tenantPath(slug, 'sessions', session.id), 'Session', mono(session.id));
}

export const searchRoutes: readonly ConsoleRoute[] = [{ path: '/search', area: null, show: showSearch, post: postSearch }];
