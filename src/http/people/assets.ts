import webauthn from '../../../node_modules/@simplewebauthn/browser/dist/bundle/index.umd.min.js' with { type: 'text' };
import formPost from '../../pages/scripts/form-post.js' with { type: 'text' };
import passkeys from '../../pages/scripts/passkeys.js' with { type: 'text' };
import { etagOf } from '../etag.ts';
import type { Route } from '../routes.ts';
import type { ServerContext } from '../server-context.ts';

/** Scripts that pages refer to, by path: the same for every tenant, and at every host that is served. */
const scripts: Readonly<Record<string, string>> = {
  '/assets/webauthn.js': webauthn, '/assets/passkeys.js': passkeys, '/assets/form-post.js': formPost,
};

/** Routes of the scripts. */
export function makeAssets(server: ServerContext): readonly Route[] {
  return Object.entries(scripts).flatMap(([path, text]): readonly Route[] => {
    const etag = etagOf(text);
    const handler: Route['handler'] = async (request, arrival) =>
      server.respond.page(request, 'text/javascript; charset=utf-8', text, etag, arrival.peer.requestId, { 'Cache-Control': 'public, max-age=3600' });
    return [{ method: 'GET', path, allow: 'GET, HEAD', handler }, { method: 'HEAD', path, allow: 'GET, HEAD', handler }];
  });
}
