import { remarkOn, type ImportedClient, type ImportRemark } from '../core/imported.ts';
import { isLifetime } from '../core/tenant-settings.ts';
import { grantTypes, type GrantType } from '../spec/names.ts';

/** What clients of several products have in common. */

/** Grants that this server has; others wait for it, or never will be there. */
const known: ReadonlySet<string> = new Set(['authorization_code', 'client_credentials', 'refresh_token']);

/** The grants among these that are here. */
export function takeGrants(about: string, names: readonly string[]): { readonly grants: readonly GrantType[]; readonly remarks: readonly ImportRemark[] } {
  const grants = grantTypes.filter((name) => known.has(name) && names.includes(name));
  return { grants, remarks: names.filter((name) => !known.has(name)).map((name) => remarkOn(about, `the grant ${JSON.stringify(name.slice(0, 64))} is not here and is left out`)) };
}

/** Addresses without those that stand for many: an address is compared letter by letter here (OAuth 2.1 §2.3.1). */
export function takeAddresses(about: string, what: string, uris: readonly string[]): { readonly taken: readonly string[]; readonly remarks: readonly ImportRemark[] } {
  const wild = uris.filter((uri) => uri.includes('*'));
  return {
    taken: [...new Set(uris.filter((uri) => !uri.includes('*')))],
    remarks: wild.map((uri) => remarkOn(`${about}, ${uri.slice(0, 200)}`, `a ${what} with a wildcard cannot be taken; name each address`)),
  };
}

/** Scopes that can be asked for (RFC 6749 §3.3); each once. */
export function takeScopes(names: readonly string[]): readonly string[] {
  return [...new Set(names.filter((name) => /^[\x21\x23-\x5B\x5D-\x7E]+$/.test(name)))];
}

/** A lifetime in seconds; null: none, or one that cannot be set. */
export function takeLifetime(seconds: number | null): number | null {
  return seconds !== null && isLifetime(seconds) ? seconds : null;
}

/** Without what means that nothing was said: then what the tenant or the product's row says holds. */
export function settings<T extends object>(change: T): { readonly [Name in keyof T]?: NonNullable<T[Name]> } {
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== null && value !== undefined)) as { [Name in keyof T]?: NonNullable<T[Name]> };
}

/** A client and what there is to say about it. */
export type ReadClient = readonly (ImportedClient | ImportRemark)[];

export const NO_SECRET = 'the file does not tell its secret, so it has none; rotate it to get one';
