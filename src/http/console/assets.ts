import { hash } from 'node:crypto';
import script from '../../pages/scripts/console.js' with { type: 'text' };
import style from '../../pages/admin/style.css' with { type: 'text' };
import { consolePalette } from '../../pages/admin/palette.ts';
import type { Assets } from '../../pages/admin/views.ts';
import { etagOf } from '../etag.ts';
import type { Route } from '../routes.ts';
import type { ServerContext } from '../server-context.ts';

const wholeStyle = `${consolePalette()}\n${style}`;

function nameOf(text: string, ending: string): string {
  return `/assets/console-${hash('sha256', text, 'base64url').slice(0, 12)}.${ending}`;
}

/** Paths of the console's style sheet and script; another text has another path. */
export const consoleAssets: Assets = { style: nameOf(wholeStyle, 'css'), script: nameOf(script, 'js') };

/** Their routes: the same for everybody, and for good. */
export function makeConsoleAssets(server: ServerContext): readonly Route[] {
  const files = [[consoleAssets.style, 'text/css; charset=utf-8', wholeStyle], [consoleAssets.script, 'text/javascript; charset=utf-8', script]] as const;
  return files.flatMap(([path, type, text]): readonly Route[] => {
    const etag = etagOf(text);
    const handler: Route['handler'] = async (request, arrival) =>
      server.respond.page(request, type, text, etag, arrival.peer.requestId, { 'Cache-Control': 'public, max-age=31536000, immutable' });
    return [{ method: 'GET', path, allow: 'GET, HEAD', handler }, { method: 'HEAD', path, allow: 'GET, HEAD', handler }];
  });
}
