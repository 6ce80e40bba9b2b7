import type { Tenant } from '../../core/model.ts';
import type { CookieChange } from '../../service/sign-in/browser.ts';

/** Names of a tenant's cookies. */
export type CookieNames = { readonly browser: string; readonly session: string };

/**
 * `__Host-` makes browsers hold them to this host and https, and forces Path=/: tenants of one host share a jar, so the
 * names carry the tenant (UI-03, UI-04). Plain http is for loopback only, where that prefix would keep them from being set.
 */
export function cookieNames(tenant: Pick<Tenant, 'id'>, https: boolean): CookieNames {
  const prefix = https ? '__Host-' : '';
  return { browser: `${prefix}bid-${tenant.id}`, session: `${prefix}sid-${tenant.id}` };
}

/** A cookie's value; null when there is none, or several: then none is to be trusted. */
export function readCookie(header: string | null, name: string): string | null {
  if (header === null) return null;
  const values = header.split(';').flatMap((pair) => {
    const equals = pair.indexOf('=');
    return equals !== -1 && pair.slice(0, equals).trim() === name ? [pair.slice(equals + 1).trim()] : [];
  });
  const [only, ...others] = values;
  return only === undefined || others.length > 0 ? null : only;
}

/** `Set-Cookie` values of a change. `Lax`: they must arrive with the redirect from an application. */
export function cookieHeaders(change: CookieChange, tenant: Tenant, https: boolean): readonly string[] {
  const names = cookieNames(tenant, https);
  const attributes = `; Path=/; HttpOnly; SameSite=Lax${https ? '; Secure' : ''}`;
  const set = (name: string, value: string, more = ''): string => `${name}=${value}${attributes}${more}`;
  return [
    ...(change.secret === undefined ? [] : [set(names.browser, change.secret)]),
    ...(change.session === undefined ? [] : [change.session === null ? set(names.session, '', '; Max-Age=0') : set(names.session, change.session, `; Max-Age=${tenant.people.sessionTtl}`)]),
  ];
}
