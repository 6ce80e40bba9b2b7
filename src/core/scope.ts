import { identityScopes } from '../spec/names.ts';
import type { Resource } from './model.ts';

const MAX_WORDS = 100;
const MAX_LENGTH = 4096;
const scopeForm = /^[\x21\x23-\x5B\x5D-\x7E]+(?: [\x21\x23-\x5B\x5D-\x7E]+)*$/;
const identity: ReadonlySet<string> = new Set(identityScopes);

/**
 * Reads a `scope` parameter (RFC 6749 §3.3).
 * @returns its words in order, each once (TOK-10); null when it is malformed or too long
 */
export function parseScope(text: string): readonly string[] | null {
  if (text.length > MAX_LENGTH || !scopeForm.test(text)) return null;
  const words = [...new Set(text.split(' '))];
  return words.length > MAX_WORDS ? null : words;
}

/** Whether a scope speaks of a person rather than of a resource. */
export function isIdentityScope(scope: string): boolean {
  return identity.has(scope);
}

export type ScopeVerdict =
  | { readonly ok: true; readonly scopes: readonly string[] }
  | { readonly ok: false };

/**
 * Scope granted = asked ∩ client ∩ resources; asked beyond is refused; none asked gives all of client ∩ resources
 * (wire contract §6). Identity scopes stand beside any resource's own, but only where there is a user (TCC-04).
 * A resource that declares no scopes does not narrow. A scope that several of the resources declare means one thing
 * here and another there: such a token is refused, and one can be had for each (RFC 9068 §3; AT-04).
 * @param asked null when the request names none
 * @param user whether a person stands behind the request
 */
export function decideScope(
  asked: readonly string[] | null,
  registered: readonly string[],
  resources: readonly Resource[],
  user: boolean,
): ScopeVerdict {
  const narrowing = resources.length > 0 && resources.every((resource) => resource.scopes.length > 0);
  const declared = new Set(resources.flatMap((resource) => resource.scopes));
  const available = registered.filter((scope) =>
    isIdentityScope(scope) ? user : !narrowing || declared.has(scope));
  const set = new Set(available);
  const scopes = asked ?? available;
  const ambiguous = scopes.some((scope) => !isIdentityScope(scope) && resources.filter((resource) => resource.scopes.includes(scope)).length > 1);
  return ambiguous || !scopes.every((scope) => set.has(scope)) ? { ok: false } : { ok: true, scopes };
}
