import type { Client } from './model.ts';

/** Parameters of an end-session request (OpenID Connect RP-Initiated Logout §2), and what its answer may depend on. */
export type LogoutRequest = {
  readonly clientId: string | null;
  readonly redirectUri: string | null;
  /** Given back in the redirect only (LO-18). */
  readonly state: string | null;
};

/** What is known about it. */
export type LogoutFacts = {
  /** `invalid`: there was one, and we did not make it. */
  readonly hint: { readonly sub: string; readonly clientId: string; readonly sid: string | null } | 'invalid' | null;
  /** Of the hint, or of `client_id`; null: none named, or not one that may be spoken to. */
  readonly client: Pick<Client, 'id' | 'postLogoutRedirectUris'> | null;
  /** Of this browser. */
  readonly session: { readonly id: string; readonly userId: string } | null;
  /** The person said so on our own page. */
  readonly confirmed: boolean;
};

export type LogoutVerdict =
  /** A page that says so; nothing ends and nobody is sent anywhere. */
  | { readonly act: 'refuse'; readonly reason: 'logout_invalid' | 'unknown_client' | 'redirect_mismatch' }
  /** Asks the person first. @param to where they go afterwards; null: nowhere */
  | { readonly act: 'confirm'; readonly to: string | null }
  /** Ends the browser's session, if there is one. `offer`: the way back is a link, not a redirect. */
  | { readonly act: 'end'; readonly to: string | null; readonly offer: boolean };

/**
 * Decides an end-session request (RP-Initiated Logout §2, §3, §6).
 *
 * A hint proves enough to end a session without asking when it is of this session: of its user, and of its `sid` where
 * it names one. One of another session of the same user is not proof (it may be an old token from anywhere), so the
 * person is asked, and the session that it names stays as it is: whoever holds it is not in this browser.
 */
export function decideLogout(request: LogoutRequest, { hint, client, session, confirmed }: LogoutFacts): LogoutVerdict {
  if (hint === 'invalid') return { act: 'refuse', reason: 'logout_invalid' };
  if (hint !== null && request.clientId !== null && hint.clientId !== request.clientId) return { act: 'refuse', reason: 'logout_invalid' };
  if (request.clientId !== null && client === null) return { act: 'refuse', reason: 'unknown_client' };
  // An address of nobody in particular leads nowhere: it is left out, and the person may sign out all the same (LO-04).
  const named = hint !== null || request.clientId !== null;
  const wanted = named ? request.redirectUri : null;
  if (wanted !== null && !(client?.postLogoutRedirectUris.includes(wanted) ?? false)) return { act: 'refuse', reason: 'redirect_mismatch' };
  const to = wanted === null ? null : returnAddress(wanted, request.state);
  if (session === null) return { act: 'end', to, offer: hint === null && !confirmed };
  const proven = hint !== null && hint.sub === session.userId && (hint.sid === null || hint.sid === session.id);
  return proven || confirmed ? { act: 'end', to, offer: false } : { act: 'confirm', to };
}

/** The registered address with `state`, exactly as it was given (LO-02). */
function returnAddress(uri: string, state: string | null): string {
  if (state === null) return uri;
  return `${uri}${uri.includes('?') ? (/[?&]$/.test(uri) ? '' : '&') : '?'}state=${encodeURIComponent(state)}`;
}
