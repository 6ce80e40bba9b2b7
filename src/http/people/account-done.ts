import { doneWords, type Done } from '../../service/account/outcome.ts';
import { csrfToken, isRightToken } from './csrf.ts';

/** How long a page says what was done, milliseconds. */
const LIFE_MS = 60_000;

function about(word: string, atMs: number): string {
  return `done ${word} ${atMs}`;
}

/**
 * Query that lets the next page of this session say what was done. Nobody else can make one, so that no link makes the page
 * say what did not happen.
 * @param secret value of the session's cookie, as it is after the act
 */
export function doneQuery(secret: string, done: Done, nowMs: number): string {
  return `?done=${done}.${nowMs}.${csrfToken(secret, about(done, nowMs))}`;
}

/** What was done just now, by a page's address; null: nothing. */
export function readDone(url: string, secret: string, nowMs: number): Done | null {
  const mark = url.indexOf('?');
  const value = mark === -1 ? null : new URLSearchParams(url.slice(mark)).get('done');
  const [word, at, token, ...more] = value?.split('.') ?? [];
  const done = doneWords.find((known) => known === word);
  const atMs = Number(at);
  if (done === undefined || token === undefined || more.length > 0 || !(atMs <= nowMs && nowMs - atMs < LIFE_MS)) return null;
  return isRightToken(token, secret, about(done, atMs)) ? done : null;
}
