/** How the answer gets back to the client (OAuth 2.0 Multiple Response Types §2.1, Form Post Response Mode). */
export const responseModes = ['query', 'form_post'] as const;
export type ResponseMode = (typeof responseModes)[number];

/** `prompt` values (OpenID Connect Core §3.1.2.1). */
export const promptValues = ['none', 'login', 'consent', 'select_account'] as const;
export type Prompt = (typeof promptValues)[number];

/** Where an answer goes: proven to be the client's. */
export type ReturnAddress = { readonly redirectUri: string; readonly responseMode: ResponseMode; readonly state: string | null };

/** An authorization request that was judged and found good (RFC 6749 §4.1.1; OpenID Connect Core §3.1.2.1). Kept as JSON. */
export type AuthorizationRequest = ReturnAddress & {
  readonly clientId: string;
  /** Whether the request named the redirect URI itself (TAC-05). */
  readonly redirectUriGiven: boolean;
  readonly scopes: readonly string[];
  /** Resource identifiers, as registered. */
  readonly resources: readonly string[];
  readonly challenge: string | null;
  readonly nonce: string | null;
  readonly prompt: readonly Prompt[];
  /** Seconds. */
  readonly maxAge: number | null;
  readonly loginHint: string | null;
  /** `sub` of `id_token_hint`. */
  readonly hintedSubject: string | null;
  readonly acrValues: readonly string[];
  readonly uiLocales: readonly string[];
};
