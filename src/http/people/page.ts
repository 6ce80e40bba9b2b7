import { hash } from 'node:crypto';
import { BoundedMap } from '../../core/bounded-map.ts';
import { peopleStyle } from '../../pages/style.ts';
import type { Chrome } from '../../pages/views.ts';
import { pageHeaders } from '../page-headers.ts';
import type { ServerContext } from '../server-context.ts';

/** A page as rendered, and what it may do. */
export type PageAnswer = {
  readonly status?: number;
  readonly html: string;
  /** Whether it refers to scripts of ours. */
  readonly scripts?: boolean;
  /** Where its forms may lead beside this server: sources of a content security policy. */
  readonly formTargets?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
};

/** Different colours remembered, per generation. */
const COLOURS = 500;
const hashes = new BoundedMap<string, string>(COLOURS);

/** The one style of a page, as its policy names it. */
function styleSource(color: string | null): string {
  const key = color ?? '';
  let source = hashes.get(key);
  if (source === undefined) {
    source = `'sha256-${hash('sha256', peopleStyle(color), 'base64')}'`;
    hashes.set(key, source);
  }
  return source;
}

/** Answers with a page that nobody may keep, frame or load anything into (UI-01, UI-02). @param cookies `Set-Cookie` values */
export async function answerPage(
  server: ServerContext, chrome: Chrome, requestId: string, page: PageAnswer & { readonly cookies?: readonly string[] },
): Promise<Response> {
  const sources = [`style-src ${styleSource(chrome.brand.color)}`, 'img-src \'self\' data:', ...(page.scripts === true ? ['script-src \'self\''] : [])];
  const headers = new Headers({
    ...pageHeaders(sources, ['\'self\'', ...(page.formTargets ?? [])]),
    'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-store', Pragma: 'no-cache', 'X-Content-Type-Options': 'nosniff',
    'Content-Language': chrome.locale, Vary: 'Accept-Language, Cookie', 'X-Request-Id': requestId,
    ...(server.ctx.origin().scheme === 'https' && { 'Strict-Transport-Security': 'max-age=31536000' }),
    ...page.headers,
  });
  for (const cookie of page.cookies ?? []) headers.append('Set-Cookie', cookie);
  return new Response(page.html, { status: page.status ?? 200, headers });
}
