import { METADATA_MAX_AGE } from '../core/discovery.ts';
import type { ErrorCode } from '../spec/errors.ts';

/** Headers beside those that every answer carries. */
export type ExtraHeaders = Readonly<Record<string, string>>;

/**
 * Makes responses. Every answer of the server comes out of here, errors included, because the framework's hooks do not
 * run on errors (pinned): so none lacks its headers.
 */
export type Responder = {
  /** A protocol answer: JSON that nobody may keep (INT-03). */
  json(status: number, body: string, requestId: string, extra?: ExtraHeaders): Response;
  /** An OAuth error (RFC 6749 §5.2). The description is fixed text of ours (TOK-11). */
  error(status: number, code: ErrorCode, description: string, requestId: string, extra?: ExtraHeaders): Response;
  /** Something public that may be kept for a while, with its validator; 304 when the caller has it (JK-11). */
  cacheable(request: Request, type: string, body: string, etag: string, requestId: string): Response;
  /** A page for browsers, or a part of one, with its validator; 304 when the caller has it. */
  page(request: Request, type: string, body: string | Blob, etag: string, requestId: string, extra: ExtraHeaders): Response;
  /** A protocol answer without a body: 204, 304. */
  empty(status: number, requestId: string, extra: ExtraHeaders): Response;
  /** A protocol answer that is written as it is read. */
  stream(body: ReadableStream<Uint8Array>, requestId: string, extra: ExtraHeaders): Response;
  /** An answer to OPTIONS. */
  options(requestId: string, extra: ExtraHeaders): Response;
};

/**
 * @param https whether the server's origin is https: then browsers are told to stay there (HT-15)
 * @param told hears of every error
 */
export function makeResponder(https: boolean, told: (code: ErrorCode) => void = () => undefined): Responder {
  const always: ExtraHeaders = {
    'X-Content-Type-Options': 'nosniff',
    ...(https && { 'Strict-Transport-Security': 'max-age=31536000' }),
  };
  const protocol = new Headers({
    'Content-Type': 'application/json', 'Cache-Control': 'no-store', Pragma: 'no-cache', ...always,
  });
  // Copying the headers of a response is the cheapest way to make another: one per status, made at its first use.
  const templates = new Map<number, Response>();
  const templateOf = (status: number): Response => {
    const known = templates.get(status);
    if (known !== undefined) return known;
    const made = new Response(null, { status, headers: protocol });
    templates.set(status, made);
    return made;
  };
  const open: ExtraHeaders = {
    'Cache-Control': `public, max-age=${METADATA_MAX_AGE}`, 'Access-Control-Allow-Origin': '*', ...always,
  };

  const json: Responder['json'] = (status, body, requestId, extra) => {
    const response = new Response(body, templateOf(status));
    response.headers.set('X-Request-Id', requestId);
    if (extra !== undefined) for (const [name, value] of Object.entries(extra)) response.headers.set(name, value);
    return response;
  };

  return {
    json,
    error(status, code, description, requestId, extra) {
      told(code);
      return json(status, JSON.stringify({ error: code, error_description: description }), requestId, extra);
    },
    cacheable(request, type, body, etag, requestId) {
      return unlessKnown(request, type, body, { ...open, ETag: etag, 'X-Request-Id': requestId });
    },
    page: (request, type, body, etag, requestId, extra) =>
      unlessKnown(request, type, body, { ...always, ETag: etag, 'X-Request-Id': requestId, ...extra }),
    empty: (status, requestId, extra) =>
      new Response(null, { status, headers: { 'Cache-Control': 'no-store', Pragma: 'no-cache', ...always, 'X-Request-Id': requestId, ...extra } }),
    stream: (body, requestId, extra) =>
      new Response(body, { headers: { 'Cache-Control': 'no-store', Pragma: 'no-cache', ...always, 'X-Request-Id': requestId, ...extra } }),
    options: (requestId, extra) =>
      new Response(null, { status: 204, headers: { ...always, 'X-Request-Id': requestId, ...extra } }),
  };
}

/** The body, or 304 when the caller has it already (RFC 9110 §13.1.2). */
function unlessKnown(request: Request, type: string, body: string | Blob, headers: ExtraHeaders & { readonly ETag: string }): Response {
  const known = request.headers.get('if-none-match');
  return known !== null && known.split(',').some((tag) => tag.trim().replace(/^W\//, '') === headers.ETag || tag.trim() === '*')
    ? new Response(null, { status: 304, headers })
    : new Response(body, { headers: { ...headers, 'Content-Type': type } });
}
