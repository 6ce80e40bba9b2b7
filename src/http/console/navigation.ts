import type { AdminArea } from '../../core/admin.ts';
import type { IconName } from '../../pages/icons.tsx';
import type { NavGroup, NavItem, TenantSwitcher } from '../../pages/admin/views.ts';
import { may, type ConsoleCall } from './call.ts';
import { CONSOLE, consolePath, tenantPath } from './paths.ts';
import { consoleResources } from './table.ts';

/** A place in the navigation that is not made of a row of the table of resources. */
type Place = { readonly name: string; readonly title: string; readonly icon: IconName; readonly area: AdminArea | null; readonly at: 'tenant' | 'server'; readonly forBound?: boolean };

const places: readonly Place[] = [
  { name: '', title: 'Dashboard', icon: 'chart', area: null, at: 'server' },
  { name: 'inspect', title: 'Token inspector', icon: 'search', area: 'tokens', at: 'server', forBound: true },
  { name: 'events', title: 'Live events', icon: 'clock', area: 'audit', at: 'server', forBound: true },
  { name: '', title: 'Overview', icon: 'house', area: null, at: 'tenant' },
];

/** Order within a tenant and on the server. A name that is not here comes last. */
const order: Readonly<Record<'tenant' | 'server', readonly string[]>> = {
  tenant: ['', 'clients', 'resources', 'users', 'organizations', 'roles', 'grants', 'sessions', 'keys', 'webhooks', 'audit', 'settings'],
  server: ['', 'tenants', 'inspect', 'events', 'api-keys', 'administrators', 'webhooks', 'audit', 'settings'],
};

function rank(at: 'tenant' | 'server', name: string): number {
  const place = order[at].indexOf(name);
  return place === -1 ? order[at].length : place;
}

/** Where this administrator can go from here. */
export function navigationOf(call: ConsoleCall): readonly NavGroup[] {
  const { within, bound } = call;
  const all: readonly Place[] = [...places, ...consoleResources.filter(({ aside }) => aside !== true)];
  const itemsAt = (at: 'tenant' | 'server', pathOf: (name: string) => string): readonly NavItem[] => all
    .filter((place) => place.at === at && may(call, place.area, 'read') && (at === 'tenant' || bound === null || place.forBound === true))
    .toSorted((one, other) => rank(at, one.name) - rank(at, other.name))
    .map(({ name, title, icon }) => {
      const href = pathOf(name);
      return { text: title, href, icon, current: call.path === href || (name !== '' && call.path.startsWith(`${href}/`)) };
    });
  return [
    ...(within === null ? [] : [{ title: 'Tenant', items: itemsAt('tenant', (name) => (name === '' ? tenantPath(within.slug) : tenantPath(within.slug, name))) }]),
    { title: bound === null ? 'Server' : 'Tools', items: itemsAt('server', (name) => (name === '' ? CONSOLE : consolePath(name))) },
  ].filter(({ items }) => items.length > 0);
}

/** Tenants that the switcher holds; more are in their list. */
const MOST = 12;

/** The tenants to switch to. @throws StoreError */
export async function switcherOf(call: ConsoleCall): Promise<TenantSwitcher> {
  const { within, bound, ctx } = call;
  const { items, next } = bound === null ? await ctx.store.pageTenants({ after: null, limit: MOST }, {}) : { items: [bound], next: null };
  return {
    current: within, tenants: items.map(({ name, slug }) => ({ name, slug, href: tenantPath(slug) })),
    allHref: bound === null && may(call, 'tenants', 'read') && consoleResources.some(({ name }) => name === 'tenants') && (next !== null || items.length > 1) ? consolePath('tenants') : null,
  };
}
