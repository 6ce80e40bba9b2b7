import type { Flash } from '../../pages/admin/views.ts';
import { csrfToken, isRightToken } from '../people/csrf.ts';

/** How long a page says what was done, milliseconds. */
const LIFE_MS = 60_000;
/** Longer ones are cut, for they travel in an address. */
const LONGEST = 1_200;

function about(packed: string, atMs: number): string {
  return `console said ${packed} ${atMs}`;
}

/**
 * Query that lets the next page of this session say what was done. Nobody else can make one, so that no link makes a page say
 * what did not happen. Never anything secret: it stands in an address.
 * @param secret value of the session's cookie
 */
export function flashQuery(secret: string, { text, warnings }: Flash, nowMs: number): string {
  const whole = JSON.stringify([text, ...warnings]);
  const packed = Buffer.from(whole.length <= LONGEST ? whole : JSON.stringify([text.slice(0, LONGEST)])).toString('base64url');
  return `?said=${packed}.${nowMs}.${csrfToken(secret, about(packed, nowMs))}`;
}

/** What was done just now; null: nothing. */
export function readFlash(query: URLSearchParams, secret: string, nowMs: number): Flash | null {
  const [packed, at, token, ...more] = query.get('said')?.split('.') ?? [];
  const atMs = Number(at);
  if (packed === undefined || token === undefined || more.length > 0 || !(atMs <= nowMs && nowMs - atMs < LIFE_MS)) return null;
  if (!isRightToken(token, secret, about(packed, atMs))) return null;
  const [text, ...warnings] = JSON.parse(Buffer.from(packed, 'base64url').toString()) as readonly string[];
  return text === undefined ? null : { text, warnings };
}
