import type { ConsoleRoute } from './call.ts';

export type Match = { readonly route: ConsoleRoute; readonly parts: Readonly<Record<string, string>> };

/** The route of a path below `/admin`: words go before parts that stand for ids. null: there is none. */
export function matchRoute(routes: readonly ConsoleRoute[], path: string): Match | null {
  const given = path.split('/').slice(1);
  let best: { readonly match: Match; readonly words: number } | null = null;
  for (const route of routes) {
    const wanted = route.path.split('/').slice(1);
    if (wanted.length !== given.length) continue;
    const parts: Record<string, string> = {};
    let words = 0;
    const fits = wanted.every((word, place) => {
      const part = given[place] ?? '';
      if (!word.startsWith(':')) {
        words += 1;
        return word === part;
      }
      parts[word.slice(1)] = part;
      return part !== '';
    });
    if (fits && (best === null || words > best.words)) best = { match: { route, parts }, words };
  }
  return best === null ? null : best.match;
}
