import { layouts, type Layout } from '../../core/layouts.ts';
import { etagOf } from '../etag.ts';
import { sharedFairly, type FairShare } from '../fair-share.ts';
import type { Route } from '../routes.ts';
import type { ServerContext } from '../server-context.ts';
import { downloadData, postAccount, showAccount } from './account.ts';
import { makeAssets } from './assets.ts';
import { postInvitation, showInvitation } from './invitation.ts';
import { showMailbox } from './mailbox.ts';
import { postLink, postSignIn, showLink, showSignIn } from './sign-in.ts';
import { forPeople, showError, type Visit, type VisitHandler } from './visit.ts';

/** One page for people, at the same path under each layout's prefix. */
type PageRow = { readonly path: string; readonly show: VisitHandler; readonly post?: VisitHandler };

/** Every page for people but the endpoints that applications send them to. A new page is one row. */
const pages: readonly PageRow[] = [
  { path: '/sign-in/:interaction', show: showSignIn, post: postSignIn },
  { path: '/sign-in/:interaction/:view', show: showSignIn, post: postSignIn },
  { path: '/sign-in/:interaction/link/:token', show: showLink, post: postLink },
  { path: '/invitation/:token', show: showInvitation, post: postInvitation },
  { path: '/account', show: showAccount, post: postAccount },
  { path: '/account/:section', show: showAccount },
  { path: '/account/data.json', show: downloadData },
  { path: '/logo', show: showLogo },
  { path: '/mailbox', show: showMailbox },
  { path: '/mailbox/:id', show: showMailbox },
];

/** The tenant's stored picture: never from elsewhere, and never a document that could do anything. */
async function showLogo(visit: Visit): Promise<Response> {
  const { server, tenant, request, arrival } = visit;
  const { logo } = tenant.people;
  if (logo === null) return showError(visit, 404, 'not_found');
  const bytes = new Blob([Buffer.from(logo.base64, 'base64')]);
  return server.respond.page(request, logo.type, bytes, etagOf(logo.base64), arrival.peer.requestId, {
    'Cache-Control': 'public, max-age=300', 'Content-Security-Policy': 'default-src \'none\'; style-src \'unsafe-inline\'; sandbox', 'Cross-Origin-Resource-Policy': 'same-origin',
  });
}

/** Routes of all pages for people, at every layout, and of what they refer to. */
export function makePeoplePages(server: ServerContext, share: FairShare): readonly Route[] {
  return [...Object.values(layouts).flatMap((layout) => pages.flatMap((page) => routesOf(server, share, layout, page))), ...makeAssets(server)];
}

function routesOf(server: ServerContext, share: FairShare, layout: Layout, { path, show, post }: PageRow): readonly Route[] {
  const at = { path: `${layout.prefix}${path}`, allow: post === undefined ? 'GET, HEAD' : 'GET, HEAD, POST', page: true };
  const shown = sharedFairly(server, share, forPeople(server, layout, show));
  return [
    { method: 'GET', ...at, handler: shown }, { method: 'HEAD', ...at, handler: shown },
    ...(post === undefined ? [] : [{ method: 'POST', ...at, handler: sharedFairly(server, share, forPeople(server, layout, post)) } as const]),
  ];
}
