import type { AuthMethod } from '../spec/names.ts';
import type { Client, ClientSecret } from './model.ts';

/** What a caller claims to be, before anything is proven. */
export type PresentedClient = {
  readonly method: AuthMethod;
  readonly clientId: string;
  /** Absent for method `none`. */
  readonly secret: string | null;
};

/** Outcome of reading credentials: none at all, one method, or a request that contradicts itself. */
export type CredentialReading =
  | { readonly ok: true; readonly presented: PresentedClient | null }
  /** `malformed` → 400 invalid_request; `unsupported` → 401, a scheme that this server does not accept. */
  | { readonly ok: false; readonly fault: 'malformed' | 'unsupported' };

const base64Form = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const basicForm = /^basic +([^ ]+)$/i;
// Control characters never belong into an identifier or a secret (RFC 6749 appendix A.1, A.2).
// eslint-disable-next-line no-control-regex
const controls = /[\u0000-\u001F\u007F]/;

/** Decodes one half of Basic credentials: form-urlencoded UTF-8 (RFC 6749 §2.3.1, appendix B). null: not so encoded. */
function decodeCredential(text: string): string | null {
  try {
    const decoded = text.includes('%') || text.includes('+') ? decodeURIComponent(text.replaceAll('+', ' ')) : text;
    return controls.test(decoded) ? null : decoded;
  } catch {
    return null;
  }
}

/**
 * Reads `Authorization: Basic` strictly: exact base64, one colon at least, one spelling (CA-01…CA-07).
 * @returns null when the header is not well-formed Basic
 */
export function parseBasic(header: string): { readonly user: string; readonly password: string } | null {
  const encoded = basicForm.exec(header)?.[1];
  if (encoded === undefined || !base64Form.test(encoded)) return null;
  const text = atob(encoded);
  // Unused bits of the last character would make other spellings of the same credentials.
  if (btoa(text) !== encoded) return null;
  const colon = text.indexOf(':');
  if (colon < 1) return null;
  const user = decodeCredential(text.slice(0, colon));
  const password = decodeCredential(text.slice(colon + 1));
  return user === null || user === '' || password === null ? null : { user, password };
}

/**
 * Finds the one authentication method of a request (RFC 6749 §2.3: never more than one).
 * @param authorization the header, null when absent; doubled headers arrive joined by a comma and are refused
 */
export function readCredentials(
  authorization: string | null,
  form: { readonly client_id?: string; readonly client_secret?: string; readonly client_assertion?: string },
): CredentialReading {
  const { client_id: clientId, client_secret: secret } = form;
  if (authorization !== null) {
    if (!/^basic(?:[\s,]|$)/i.test(authorization)) {
      return authorization.includes(',') ? { ok: false, fault: 'malformed' } : { ok: false, fault: 'unsupported' };
    }
    const basic = parseBasic(authorization);
    if (basic === null || secret !== undefined || form.client_assertion !== undefined) return { ok: false, fault: 'malformed' };
    if (clientId !== undefined && clientId !== basic.user) return { ok: false, fault: 'malformed' };
    return { ok: true, presented: { method: 'client_secret_basic', clientId: basic.user, secret: basic.password } };
  }
  if (form.client_assertion !== undefined) return { ok: false, fault: secret === undefined ? 'unsupported' : 'malformed' };
  if (clientId === undefined) return secret === undefined ? { ok: true, presented: null } : { ok: false, fault: 'malformed' };
  return secret === undefined
    ? { ok: true, presented: { method: 'none', clientId, secret: null } }
    : { ok: true, presented: { method: 'client_secret_post', clientId, secret } };
}

/** Why authentication failed; operators see it, callers see `invalid_client` only (INT-48). */
export type AuthFailure = 'no_credentials' | 'unknown_client' | 'disabled_client' | 'wrong_method' | 'no_secret' | 'wrong_secret' | 'throttled' | 'unsupported_method';

/** Before any secret is compared: whether this client may use this method at all. null: compare secrets, or done for `none`. */
export function findAuthFault(presented: PresentedClient, client: Client | null): AuthFailure | null {
  if (client === null || client.deletedAtMs !== null) return 'unknown_client';
  if (client.disabledAtMs !== null) return 'disabled_client';
  if (presented.method === 'none') return client.public ? null : 'no_secret';
  if (client.public) return 'wrong_method';
  return client.authMethod !== null && client.authMethod !== presented.method ? 'wrong_method' : null;
}

/** Secrets that still count (CA-15, CA-16). */
export function liveSecrets(client: Client, nowMs: number): readonly ClientSecret[] {
  return client.secrets.filter((secret) => secret.expiresAtMs === null || nowMs < secret.expiresAtMs);
}
