import type { TSchema } from 'elysia';
import { findClosest } from '../../core/closest.ts';
import type { Page } from '../../core/paging.ts';
import { readJson, type JsonValue } from '../../core/strict-json.ts';
import { readBody } from '../body.ts';
import { decodeFormText, queryOf } from '../form.ts';
import { pathOf } from '../gate.ts';
import { check } from './check.ts';
import { ITEMS, MOST_ITEMS, type AdminOperation } from './operation.ts';
import { ADMIN_API, type Problem, type WrongPart } from './problem.ts';

export type Reading<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: Problem };

function wrong(detail: string, errors: readonly WrongPart[] = []): { readonly ok: false; readonly problem: Problem } {
  return { ok: false, problem: { code: 'invalid_request', detail, errors } };
}

/** The variable parts of an operation's path, each decoded once (RFC 3986 §2.4); null for escapes that are none or are not UTF-8. */
export function readParts(operation: AdminOperation, url: string): ReadonlyMap<string, string> | null {
  const parts = pathOf(url).slice(ADMIN_API.length).split('/');
  const found = new Map<string, string>();
  for (const [index, name] of operation.path.split('/').entries()) {
    if (!name.startsWith(':')) continue;
    try {
      found.set(name.slice(1), decodeURIComponent(parts[index] ?? ''));
    } catch {
      return null;
    }
  }
  return found;
}

function namesOf(schema: TSchema | undefined): readonly string[] {
  const properties: unknown = schema?.['properties'];
  return typeof properties === 'object' && properties !== null ? Object.keys(properties) : [];
}

/** A cursor as callers see it, who are not to make any of their own. */
export function showCursor(cursor: string): string {
  return Buffer.from(cursor).toString('base64url');
}

const MOST_CURSOR = 4_096;

function readCursor(text: string): string | null {
  if (text.length > MOST_CURSOR || !/^[A-Za-z0-9_-]+$/.test(text)) return null;
  const cursor = Buffer.from(text, 'base64url').toString();
  return showCursor(cursor) === text ? cursor : null;
}

type QueryReading = Reading<{ readonly query: Readonly<Record<string, string>>; readonly page: Page }>;

/** Reads the query: names that the operation knows, each once (TX-08). */
export function readQuery(operation: AdminOperation, url: string): QueryReading {
  const known = [...namesOf(operation.query), ...(operation.paged === true ? ['limit', 'after'] : [])];
  const values = new Map<string, string>();
  const text = queryOf(url);
  for (const pair of text === '' ? [] : text.split('&')) {
    const equals = pair.indexOf('=');
    const name = decodeFormText(equals === -1 ? pair : pair.slice(0, equals));
    const value = decodeFormText(equals === -1 ? '' : pair.slice(equals + 1));
    if (name === null || value === null) return wrong('the query is not valid form-urlencoded UTF-8');
    const parameter = name.slice(0, 100);
    if (!known.includes(name)) {
      const meant = findClosest(parameter, known);
      return wrong('a query parameter is not known here', [{ parameter, detail: `there is no parameter of this name${meant === null ? '' : `; did you mean ${meant}?`}` }]);
    }
    if (values.has(name)) return wrong('a query parameter is repeated', [{ parameter, detail: 'it is given twice' }]);
    values.set(name, value);
  }
  const limit = values.get('limit');
  const after = values.get('after');
  const items = limit === undefined ? ITEMS : /^[1-9][0-9]{0,2}$/.test(limit) ? Number(limit) : 0;
  const cursor = after === undefined ? null : readCursor(after);
  if (operation.paged === true) {
    if (items < 1 || items > MOST_ITEMS) return wrong('the size of a part of a list is wrong', [{ parameter: 'limit', detail: `it must be a whole number from 1 to ${MOST_ITEMS}` }]);
    if (after !== undefined && cursor === null) return wrong('the cursor is none that was given here', [{ parameter: 'after', detail: 'it must be the `next` of the part before' }]);
    values.delete('limit');
    values.delete('after');
  }
  const query = Object.fromEntries(values);
  const faults = operation.query === undefined ? [] : check(operation.query, query);
  if (faults.length > 0) return wrong('a query parameter has a wrong value', faults.map(({ pointer, detail }) => ({ parameter: pointer.slice(1), detail })));
  return { ok: true, value: { query, page: { after: cursor, limit: items } } };
}

const jsonType = /^application\/(?:json|merge-patch\+json) *(?:; *charset *= *"?utf-8"? *)?$/i;

/** A body that was read: what it holds, and its very text. */
export type BodyReading = Reading<{ readonly body: JsonValue; readonly text: string }>;

/** Reads a JSON body of at most 64 KiB and holds it to the operation's schema (HT-04, TX-05). */
export async function readJsonBody(operation: AdminOperation, request: Request): Promise<BodyReading> {
  const { headers } = request;
  if (headers.get('content-encoding') !== null) return { ok: false, problem: { code: 'unsupported_media_type', detail: 'a compressed request body is not accepted' } };
  const text = request.body === null ? '' : await readBody(request);
  if (typeof text !== 'string') {
    const code = text.status === 413 ? 'request_too_large' : text.status === 503 ? 'temporarily_unavailable' : 'invalid_request';
    return { ok: false, problem: { code, detail: text.description, ...(text.status === 503 && { headers: { 'Retry-After': '1' } }) } };
  }
  if (operation.body === undefined) {
    return text === '' || text.trim() === '{}' ? { ok: true, value: { body: {}, text: '' } } : wrong('this takes no request body');
  }
  const type = headers.get('content-type');
  if (type === null ? text !== '' : !jsonType.test(type)) {
    return { ok: false, problem: { code: 'unsupported_media_type', detail: 'the request body must be application/json in UTF-8' } };
  }
  // Bytes that are no UTF-8 were replaced by this character, and nobody sends it on purpose.
  if (text.includes('\uFFFD')) return wrong('the request body is not valid UTF-8');
  const reading = text === '' ? { ok: true, value: {} } as const : readJson(text);
  if (!reading.ok) return wrong('the request body is not JSON as it is accepted here', [{ pointer: reading.pointer, detail: reading.fault }]);
  const faults = check(operation.body, reading.value);
  return faults.length > 0 ? wrong('the request body is not what this takes', faults) : { ok: true, value: { body: reading.value, text } };
}
