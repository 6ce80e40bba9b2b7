import type { RequestOrigin } from '../../core/audit-event.ts';
import { isLiveSession, type SignedIn } from '../../core/next-step.ts';
import type { Tenant } from '../../core/model.ts';
import { isVisitDue } from '../../core/session.ts';
import { deviceName } from '../../credentials/device.ts';
import { digestOf } from '../../tokens/digest.ts';
import type { Context } from '../context.ts';
import type { Person } from '../credentials/outcome.ts';

/** A person's browser, as one request shows it. Cookie values are secrets: only their digests are kept. */
export type Browser = {
  /** Binds pending requests and forms to the browser, from before anybody signs in. */
  readonly secret: string | null;
  /** Of the login session. */
  readonly session: string | null;
  readonly userAgent: string | null;
  /** Language that its pages are in. */
  readonly locale: string;
  readonly from: RequestOrigin;
};

/** Cookies that an act changes; what is left out stays. `session: null` takes it away. */
export type CookieChange = { readonly secret?: string; readonly session?: string | null };

const SECRET_BYTES = 32;
const secretForm = /^[A-Za-z0-9_-]{43}$/;
const MAX_USER_AGENT = 256;

/** A new cookie value: 256 random bits (UI-08). */
export function makeCookieSecret(ctx: Pick<Context, 'random'>): string {
  return ctx.random.text(SECRET_BYTES);
}

/** Whether a cookie's value can be one of ours. */
export function isCookieSecret(value: string): boolean {
  return secretForm.test(value);
}

/** The user agent as kept with a session: bounded. */
export function keptUserAgent(browser: Browser): string | null {
  return browser.userAgent?.slice(0, MAX_USER_AGENT) ?? null;
}

/** Who acts, for services that need no browser. */
export function personOf(tenant: Tenant, browser: Browser): Person {
  return { tenant, from: browser.from, locale: browser.locale, device: deviceName(browser.userAgent) };
}

/** Who is signed in in this browser, if their session still lets them in; notes the visit. @throws StoreError */
export async function findSignedIn(ctx: Pick<Context, 'store' | 'clock'>, tenant: Tenant, browser: Browser): Promise<SignedIn | null> {
  if (browser.session === null || !isCookieSecret(browser.session)) return null;
  const session = await ctx.store.findBrowserSession(tenant.id, digestOf(browser.session));
  if (session === null) return null;
  const user = await ctx.store.findUser(tenant.id, session.userId);
  const nowMs = ctx.clock.now();
  if (!isLiveSession(session, tenant, user, nowMs)) return null;
  if (isVisitDue(session, tenant, nowMs)) await ctx.store.touchSession(tenant.id, session.id, nowMs);
  return { session, user };
}
