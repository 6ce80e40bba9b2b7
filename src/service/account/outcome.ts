import type { Tenant, User } from '../../core/model.ts';
import { RECENT_MS, type SignedIn } from '../../core/next-step.ts';
import type { BrowserSession } from '../../core/people.ts';
import type { Problem } from '../../core/people-words.ts';
import type { RelyingParty } from '../../credentials/passkeys.ts';
import { digestOf } from '../../tokens/digest.ts';
import type { Context } from '../context.ts';
import type { Act, Failed, Person } from '../credentials/outcome.ts';
import { keptUserAgent, makeCookieSecret, personOf, type Browser, type CookieChange } from '../sign-in/browser.ts';

/** Parts of the account page. */
export type Section = 'overview' | 'security' | 'sessions' | 'applications' | 'data';

/** What the page says was done. */
export const doneWords = [
  'password_changed', 'password_removed', 'passkey_added', 'passkey_removed', 'totp_added', 'totp_removed', 'codes_made', 'email_sent', 'email_changed',
  'profile_changed', 'session_ended', 'sessions_ended', 'application_revoked', 'code_sent', 'organization_joined',
] as const;
export type Done = (typeof doneWords)[number];

/** A form of the account page that its person sent. */
export type Asking = {
  readonly ctx: Context;
  readonly tenant: Tenant;
  readonly signedIn: SignedIn;
  readonly browser: Browser;
  /** What a field held; what it did not is empty. */
  readonly form: (name: string) => string;
  /** Where passkeys are good; null: not here. */
  readonly place: RelyingParty | null;
};

/** What came of a form. */
export type AccountOutcome =
  /** Back to the section. `done`: what it then says; null: nothing. */
  | { readonly kind: 'done'; readonly done: Done | null; readonly cookies: CookieChange }
  /** The section again, with what is wrong. */
  | { readonly kind: 'again'; readonly problem: Problem; readonly retryAfterS: number | null }
  /** Recovery codes, to be shown now and never again. */
  | { readonly kind: 'codes'; readonly codes: readonly string[]; readonly done: Done; readonly cookies: CookieChange }
  /** Their proof of who they are is not recent enough: they sign in again, and come back (UI-25). */
  | { readonly kind: 'prove' }
  /** Not offered here. */
  | { readonly kind: 'refused' }
  /** Nobody is signed in any more. */
  | { readonly kind: 'bye' };

export const refusal: AccountOutcome = { kind: 'refused' };

/** Done, and the page says so. */
export function told(done: Done | null, cookies: CookieChange = {}): AccountOutcome {
  return { kind: 'done', done, cookies };
}

/** The form again. */
export function again({ problem, retryAfterS }: Failed): AccountOutcome {
  return { kind: 'again', problem, retryAfterS };
}

/** What an act came to that changes nothing about how somebody signs in. */
export function outcomeOf(act: Act, done: Done): AccountOutcome {
  return act.ok ? told(done) : again(act);
}

/** Who acts, for services that know no browser. */
export function personIn({ tenant, browser }: Pick<Asking, 'tenant' | 'browser'>): Person {
  return personOf(tenant, browser);
}

/** What codes and challenges of a session are bound to: it stays when the session's secret changes. */
export function boundTo(session: Pick<BrowserSession, 'id'>): string {
  return digestOf(session.id);
}

/** Whether somebody proved who they are within the last minutes (UI-25). */
export function isRecent(session: Pick<BrowserSession, 'authTimeMs'>, nowMs: number): boolean {
  return nowMs - session.authTimeMs < RECENT_MS;
}

/** After a change of how somebody signs in, this browser's session goes on under another secret (UI-06). @throws StoreError */
export async function withNewSecret({ ctx, browser, signedIn: { session } }: Asking): Promise<CookieChange> {
  const secret = makeCookieSecret(ctx);
  const renewed = await ctx.store.renewBrowserSession({
    session: { ...session, secretDigest: digestOf(secret), lastSeenAtMs: ctx.clock.now(), userAgent: keptUserAgent(browser), ip: browser.from.ip },
    formerSecretDigest: session.secretDigest, progress: null,
  }, { audit: [] });
  return renewed ? { session: secret } : {};
}

/** Nobody loses more often than this against others who change the same user. */
const ATTEMPTS = 5;

/**
 * Decides on a user as they are now, again where somebody else was quicker.
 * @param act gives null when what it read was changed before it could write
 */
export async function onUserAsIs<T>({ ctx, tenant, signedIn }: Asking, act: (user: User) => Promise<T | null>): Promise<T | null> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const user = await ctx.store.findUser(tenant.id, signedIn.user.id);
    if (user === null || user.deletedAtMs !== null) return null;
    const outcome = await act(user);
    if (outcome !== null) return outcome;
  }
  return null;
}
