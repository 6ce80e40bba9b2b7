import type { Guard } from '../../service/manage-outcome.ts';
import { etagOf } from '../etag.ts';

/** Entity tags of a condition; `*` for any. null: there is no condition, or it is empty. */
function tagsOf(header: string | null): readonly string[] | null {
  const tags = header?.split(',').map((tag) => tag.trim()).filter((tag) => tag !== '') ?? [];
  return tags.length === 0 ? null : tags;
}

/** Whether a caller has a document already (RFC 9110 §13.1.2: the weak comparison). */
export function isKnown(request: Request, etag: string): boolean {
  return tagsOf(request.headers.get('if-none-match'))?.some((tag) => tag === '*' || tag.replace(/^W\//, '') === etag) ?? false;
}

/**
 * What `If-Match` demands (RFC 9110 §13.1.1: the strong comparison). It is asked about the very row that is changed, within
 * the act: between the question and the change nothing can come.
 */
export function makeGuard(request: Request): <T>(document: (thing: T) => object | Promise<object>) => Guard<T> | undefined {
  const tags = tagsOf(request.headers.get('if-match'));
  return (document) => (tags === null ? undefined : async (thing) => tags.includes('*') || tags.includes(etagOf(JSON.stringify(await document(thing)))));
}
