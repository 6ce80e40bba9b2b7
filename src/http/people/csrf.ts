import { createHmac, timingSafeEqual } from 'node:crypto';

/**
 * What a form must carry: made from a cookie that only this browser has and from what the form is about, so that nobody
 * else can make it and no other form can lend it (UI-09, UI-10).
 * @param secret value of the browser's or session's cookie
 */
export function csrfToken(secret: string, about: string): string {
  return createHmac('sha256', secret).update(`csrf\n${about}`).digest('base64url');
}

/** Whether a form carries the right token. */
export function isRightToken(presented: string, secret: string | null, about: string): boolean {
  if (secret === null) return false;
  const right = Buffer.from(csrfToken(secret, about));
  const given = Buffer.from(presented);
  return right.length === given.length && timingSafeEqual(right, given);
}

/**
 * Whether a request comes from a page of ours, as far as browsers tell (UI-09): `Sec-Fetch-Site` by itself where it is
 * there, else `Origin`. What sends neither is no browser, and cannot be led to send another's cookies.
 * @param ownOrigin of the page that the form was on
 */
export function isSameOrigin(headers: Headers, ownOrigin: string): boolean {
  const site = headers.get('sec-fetch-site');
  if (site !== null) return site === 'same-origin' || site === 'none';
  const origin = headers.get('origin');
  return origin === null || origin === ownOrigin;
}
