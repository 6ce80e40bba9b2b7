import { etagOf } from '../etag.ts';
import { queryOf } from '../form.ts';
import { pathOf } from '../gate.ts';
import type { ExtraHeaders } from '../respond.ts';
import type { ServerContext } from '../server-context.ts';
import type { AdminOperation, AdminStream } from './operation.ts';
import { showCursor } from './reading.ts';

/** An answer's parts. `etag`: of the document, without what was only said about this change. */
export type Reply = { readonly status: number; readonly body: string; readonly etag: string | null; readonly headers: ExtraHeaders };

/** A document's own name in its collection's path: what it is found by again. */
const idMembers = ['slug', 'client_id', 'uri', 'id', 'org_id', 'role', 'user_id', 'kid', 'session_id', 'name'];

function textOf(document: object, member: string): string | null {
  const value: unknown = Reflect.get(document, member);
  return typeof value === 'string' ? value : null;
}

/** Where a new thing is: below the path that it was created at. */
function locationOf(server: ServerContext, operation: AdminOperation, request: Request, document: object): string | null {
  const member = operation.locatedBy === undefined ? idMembers.find((name) => textOf(document, name) !== null) : operation.locatedBy;
  return member === undefined || member === null ? null : `${server.ctx.origin().url}${pathOf(request.url)}/${encodeURIComponent(textOf(document, member) ?? '')}`;
}

/** A part of a list, its cursor as callers see it. */
function asPart(document: object): { readonly document: object; readonly next: string | null } {
  const cursor = textOf(document, 'next');
  const next = cursor === null ? null : showCursor(cursor);
  return { document: { ...document, next }, next };
}

/** The link to the next part of a list (RFC 8288). */
function nextLink(server: ServerContext, request: Request, next: string): string {
  const query = new URLSearchParams(queryOf(request.url));
  query.set('after', next);
  return `<${server.ctx.origin().url}${pathOf(request.url)}?${query.toString()}>; rel="next"`;
}

/** What an operation that went well is answered with. */
export function replyOf(server: ServerContext, operation: AdminOperation, request: Request, { value, warnings }: { readonly value: object | null; readonly warnings: readonly string[] }): Reply {
  if (value === null) return { status: 204, body: '', etag: null, headers: {} };
  const { document, next } = operation.paged === true ? asPart(value) : { document: value, next: null };
  const location = operation.creates === true ? locationOf(server, operation, request, document) : null;
  const plain = JSON.stringify(document);
  return {
    status: operation.creates === true ? 201 : 200,
    body: warnings.length === 0 ? plain : JSON.stringify({ ...document, warnings }),
    etag: operation.etag === true ? etagOf(plain) : null,
    headers: { ...(location !== null && { Location: location }), ...(next !== null && { Link: nextLink(server, request, next) }) },
  };
}

/** An answer that is written as it is read. */
export function streamOf(server: ServerContext, request: Request, { stream, type, fileName }: AdminStream, requestId: string): Response {
  const headers = { 'Content-Type': type, ...(fileName !== undefined && { 'Content-Disposition': `attachment; filename="${fileName.replaceAll(/[^\w.-]/g, '_')}"` }) };
  if (request.method === 'HEAD') {
    // Nobody will read it.
    stream.cancel().catch(() => undefined);
    return server.respond.empty(200, requestId, headers);
  }
  return server.respond.stream(stream, requestId, headers);
}
