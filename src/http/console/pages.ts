import { layouts } from '../../core/layouts.ts';
import { answerStray, isAdminPath } from '../admin/problem.ts';
import { pathOf } from '../gate.ts';
import { forPeople } from '../people/visit.ts';
import type { Route } from '../routes.ts';
import type { ServerContext } from '../server-context.ts';
import { makeConsoleAssets } from './assets.ts';

/**
 * Routes of the console. All of its pages are behind two paths, and are loaded when somebody comes: they would be a good part of
 * every start. The table of them is in routes.ts; the admin API's paths below `/admin/v1` go before.
 */
export function makeConsolePages(server: ServerContext): readonly Route[] {
  const handler = forPeople(server, layouts.root, async (visit) => (await import('./console.ts')).answerConsole(visit));
  const below: Route['handler'] = async (request, arrival, slug, parts) =>
    isAdminPath(pathOf(request.url)) ? answerStray(server, arrival, null) : handler(request, arrival, slug, parts);
  const pages = ['/admin', '/admin/*'].flatMap((path) => (['GET', 'HEAD', 'POST'] as const).map((method): Route => ({ method, path, allow: 'GET, HEAD, POST', handler: below, page: true })));
  return [...pages, ...makeConsoleAssets(server)];
}
