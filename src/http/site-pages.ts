import { hash } from 'node:crypto';
import { homePage, homeStyle } from '../pages/home.ts';
import { makeDocsPages } from './docs-pages.ts';
import { etagOf } from './etag.ts';
import { answerNotFound } from './failures.ts';
import { pageHeaders } from './page-headers.ts';
import type { Route } from './routes.ts';
import type { ServerContext } from './server-context.ts';

/** Pages of the server itself: its front page, and its documentation where that is on (HT-18). */
export function makeSitePages(server: ServerContext): readonly Route[] {
  const { respond, ctx, docs, demo, mailbox, admin } = server;
  const headers = pageHeaders([`style-src 'sha256-${hash('sha256', homeStyle, 'base64')}'`, 'img-src data:']);
  const home: Route['handler'] = async (request, arrival) => {
    if (arrival.site.kind !== 'own') return answerNotFound(server, arrival.peer.requestId);
    const body = homePage(ctx.origin().url, { docs, admin: admin === true, demo: demo !== null, mailbox: demo !== null && mailbox });
    return respond.page(request, 'text/html; charset=utf-8', body, etagOf(body), arrival.peer.requestId, headers);
  };
  return [
    { method: 'GET', path: '/', allow: 'GET, HEAD', handler: home },
    { method: 'HEAD', path: '/', allow: 'GET, HEAD', handler: home },
    ...(docs ? makeDocsPages(server) : []),
  ];
}
