/** Addresses of the console. */

/** Where it begins. */
export const CONSOLE = '/admin';

/** Ids that stand in a path as they are; others, and words that are paths of their own, are written as `~` and base64url. */
const plainForm = /^[A-Za-z0-9_][A-Za-z0-9._-]*$/;
const ownWords: ReadonlySet<string> = new Set(['new', 'do']);

/** A part of a path for any id: the gate lets no escapes through, so what would need one is encoded. */
export function segment(id: string): string {
  return plainForm.test(id) && !ownWords.has(id) ? id : `~${Buffer.from(id).toString('base64url')}`;
}

/** The id that a part of a path stands for. */
export function idOf(part: string): string {
  return part.startsWith('~') ? Buffer.from(part.slice(1), 'base64url').toString() : part;
}

/** A path of the console: parts are ids, words stand as they are. */
export function consolePath(...parts: readonly string[]): string {
  return [CONSOLE, ...parts.map((part) => segment(part))].join('/');
}

/** A path within a tenant. */
export function tenantPath(slug: string, ...parts: readonly string[]): string {
  return consolePath('t', slug, ...parts);
}

/** A path with a query; empty values are left out. */
export function withQuery(path: string, query: Readonly<Record<string, string | null | undefined>>): string {
  const given = Object.entries(query).filter((pair): pair is [string, string] => typeof pair[1] === 'string' && pair[1] !== '');
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given).toString()}`;
}

const returnForm = /^admin(?:\/[A-Za-z0-9_~][A-Za-z0-9._~-]*){0,8}$/;
const LONGEST_RETURN = 1_000;

/** What a pending sign-in keeps of where somebody was in the console: a path of ours, never a URL of anybody's (UI-17). */
export function returnTo(path: string): string {
  const kept = path.slice(1);
  return isReturn(kept) ? kept : 'admin';
}

/** Whether a pending sign-in leads back to the console. */
function isReturn(section: string): boolean {
  return section.length <= LONGEST_RETURN && returnForm.test(section);
}

/** Where a pending sign-in leads that began in the console; null: it did not. */
export function returnPath(section: string | null): string | null {
  return section !== null && isReturn(section) ? `/${section}` : null;
}
