import type { AuthorizationErrorCode } from '../spec/errors.ts';
import {
  promptValues, responseModes, type AuthorizationRequest, type Prompt, type ResponseMode, type ReturnAddress,
} from './authorization-request.ts';
import { parseResources } from './audience.ts';
import type { Client, Resource } from './model.ts';
import { matchesRedirectUri } from './redirect-uri.ts';
import { decideScope, parseScope } from './scope.ts';

/**
 * Parameters as they arrived, by name, empty ones left out (OAuth 2.1 §3.1). `null`: its escapes were none or not UTF-8.
 */
export type RawParameters = ReadonlyMap<string, readonly (string | null)[]>;

/** Parameters that the endpoint knows; others are ignored (AZ-20). */
export const authorizationParameters = [
  'client_id', 'redirect_uri', 'response_type', 'response_mode', 'scope', 'state', 'nonce', 'code_challenge', 'code_challenge_method',
  'prompt', 'max_age', 'login_hint', 'id_token_hint', 'acr_values', 'ui_locales', 'claims_locales', 'display', 'claims', 'resource',
  'request', 'request_uri', 'registration',
] as const;
export type AuthorizationParameter = (typeof authorizationParameters)[number];

const MAX_STATE = 4096;
const MAX_NONCE = 512;
const MAX_HINT = 256;
const MAX_WORDS = 20;
const challengeForm = /^[A-Za-z0-9_-]{43}$/;

/** The one value of a parameter; `undefined`: absent; `null`: repeated or undecodable. */
function single(parameters: RawParameters, name: AuthorizationParameter): string | undefined | null {
  const values = parameters.get(name);
  if (values === undefined || values.length === 0) return undefined;
  return values.length === 1 ? (values[0] ?? null) : null;
}

/** The client id of a request; null when it names none, or not one (AZ-02, AZ-19). */
export function clientIdOf(parameters: RawParameters): string | null {
  return single(parameters, 'client_id') ?? null;
}

/** Where answers may go, or why not even an error may go anywhere: then the person sees a page of ours (AZ-02…AZ-05). */
export type AddressReading =
  | { readonly ok: true; readonly address: ReturnAddress; readonly given: boolean }
  | { readonly ok: false; readonly reason: 'unknown_client' | 'redirect_mismatch' };

/** Proves the redirect URI before anything else is looked at. @param client null: there is none that may be used */
export function readReturnAddress(parameters: RawParameters, client: Client | null): AddressReading {
  if (client === null) return { ok: false, reason: 'unknown_client' };
  const presented = single(parameters, 'redirect_uri');
  if (presented === null) return { ok: false, reason: 'redirect_mismatch' };
  const [only, ...others] = client.redirectUris;
  const openid = (parameters.get('scope') ?? []).some((text) => text?.split(' ').includes('openid') === true);
  // Without openid, the one registered address stands in for a missing one (RFC 6749 §3.1.2.3).
  const redirectUri = presented ?? (others.length === 0 && !openid ? only : undefined);
  if (redirectUri === undefined || (presented !== undefined && !matchesRedirectUri(client, presented))) return { ok: false, reason: 'redirect_mismatch' };
  const mode = single(parameters, 'response_mode');
  const state = single(parameters, 'state') ?? null;
  return {
    ok: true, given: presented !== undefined,
    address: { redirectUri, responseMode: isResponseMode(mode) ? mode : 'query', state: state !== null && state.length <= MAX_STATE ? state : null },
  };
}

function isResponseMode(text: string | null | undefined): text is ResponseMode {
  return responseModes.some((mode) => mode === text);
}

/** What was looked up for a request. */
export type RequestFacts = {
  /** Of those asked for, in order; null: one is unknown or malformed. */
  readonly resources: readonly Resource[] | null;
  /** A proven `id_token_hint`; null: none was given; `invalid`: it is not ours. */
  readonly hint: { readonly sub: string } | 'invalid' | null;
};

/** Resources that a request asks for, canonical; null: malformed (RFC 8707 §2). */
export function askedResources(parameters: RawParameters): readonly string[] | null {
  const values = parameters.get('resource') ?? [];
  return values.some((value) => value === null) ? null : parseResources(values.flatMap((value) => value ?? []));
}

export type AuthorizationJudgement =
  | { readonly ok: true; readonly request: AuthorizationRequest }
  | { readonly ok: false; readonly error: AuthorizationErrorCode; readonly description: string };

const refuse = (error: AuthorizationErrorCode, description: string): AuthorizationJudgement => ({ ok: false, error, description });

/** Parameters that would need a feature that is not there (OpenID Connect Core §6, §3.1.2.6). */
const unsupported = { request: 'request_not_supported', request_uri: 'request_uri_not_supported', registration: 'registration_not_supported' } as const;

/** Judges everything but client and address, which are proven (RFC 6749 §4.1.1, OpenID Connect Core §3.1.2.2). */
export function judgeAuthorization(
  parameters: RawParameters, client: Client, reading: Extract<AddressReading, { ok: true }>, facts: RequestFacts,
): AuthorizationJudgement {
  const repeated = authorizationParameters.find((name) => name !== 'resource' && single(parameters, name) === null);
  if (repeated !== undefined) return refuse('invalid_request', `${repeated} is repeated or malformed`);
  const get = (name: AuthorizationParameter): string | undefined => single(parameters, name) ?? undefined;

  if ((get('state')?.length ?? 0) > MAX_STATE) return refuse('invalid_request', `state is longer than ${MAX_STATE} characters`);
  const mode = get('response_mode');
  if (mode !== undefined && !isResponseMode(mode)) return refuse('invalid_request', 'response_mode is query or form_post');
  for (const [name, error] of Object.entries(unsupported)) {
    if (parameters.has(name)) return refuse(error, `${name} is not supported`);
  }
  const type = get('response_type');
  if (type === undefined) return refuse('invalid_request', 'response_type is missing');
  if (type !== 'code') return refuse('unsupported_response_type', 'response_type is code');
  if (!client.grants.includes('authorization_code')) return refuse('unauthorized_client', 'this client is not registered for the authorization code grant');

  const scopeText = get('scope');
  const asked = scopeText === undefined ? null : parseScope(scopeText);
  if (scopeText !== undefined && asked === null) return refuse('invalid_scope', 'the requested scope is malformed');
  if (facts.resources === null) return refuse('invalid_target', 'a requested resource is not known here');
  const scope = decideScope(asked, client.scopes, facts.resources, true);
  if (!scope.ok) return refuse('invalid_scope', 'the requested scope goes beyond what this client may have');

  const challenge = get('code_challenge');
  const pkceFault = findChallengeFault(challenge, get('code_challenge_method'), client, scope.scopes);
  if (pkceFault !== null) return refuse('invalid_request', pkceFault);

  const prompt = readPrompt(get('prompt'));
  if (prompt === null) return refuse('invalid_request', 'prompt is none alone, or some of login, consent, select_account');
  const maxAge = get('max_age');
  if (maxAge !== undefined && !/^[0-9]{1,9}$/.test(maxAge)) return refuse('invalid_request', 'max_age is a whole number of seconds');
  const nonce = get('nonce');
  if (nonce !== undefined && nonce.length > MAX_NONCE) return refuse('invalid_request', `nonce is longer than ${MAX_NONCE} characters`);
  if (!isJsonObject(get('claims'))) return refuse('invalid_request', 'claims is not a JSON object');
  if (facts.hint === 'invalid') return refuse('invalid_request', 'id_token_hint is not an ID token of this server');
  const hint = get('login_hint');
  return {
    ok: true,
    request: {
      ...reading.address, clientId: client.id, redirectUriGiven: reading.given,
      scopes: dropUnasked(scope.scopes, client, reading.address.redirectUri, prompt),
      resources: facts.resources.map((resource) => resource.uri), challenge: challenge ?? null, nonce: nonce ?? null, prompt,
      maxAge: maxAge === undefined ? null : Number(maxAge), loginHint: hint !== undefined && hint.length <= MAX_HINT ? hint : null,
      hintedSubject: facts.hint?.sub ?? null, acrValues: words(get('acr_values')), uiLocales: words(get('ui_locales')),
    },
  };
}

function words(text: string | undefined): readonly string[] {
  return text === undefined ? [] : text.split(' ').filter((word) => word !== '').slice(0, MAX_WORDS);
}

function findChallengeFault(challenge: string | undefined, method: string | undefined, client: Client, scopes: readonly string[]): string | null {
  if (challenge === undefined) {
    if (method !== undefined) return 'code_challenge_method stands without code_challenge';
    // Only a confidential client of OpenID Connect, whose nonce protects it, may go without (AZ-14).
    const excused = !client.requirePkce && !client.public && scopes.includes('openid');
    return excused ? null : 'code_challenge is missing';
  }
  if (method !== 'S256') return 'code_challenge_method is S256';
  return challengeForm.test(challenge) ? null : 'code_challenge is not the base64url form of a SHA-256 hash';
}

function readPrompt(text: string | undefined): readonly Prompt[] | null {
  const list = [...new Set(words(text))];
  const known = list.filter((word): word is Prompt => promptValues.some((value) => value === word));
  return known.length !== list.length || (known.includes('none') && known.length > 1) ? null : known;
}

function isJsonObject(text: string | undefined): boolean {
  if (text === undefined) return true;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

/**
 * A web application gets to outlive the session only where the person is asked (OpenID Connect Core §11), the
 * operator's own apart; elsewhere the scope is left out, which is never an error (AZ-50).
 */
function dropUnasked(scopes: readonly string[], client: Client, redirectUri: string, prompt: readonly Prompt[]): readonly string[] {
  const web = /^https:/i.test(redirectUri);
  const kept = !web || client.firstParty || prompt.includes('consent');
  return kept ? scopes : scopes.filter((scope) => scope !== 'offline_access');
}

/** A client as an authorization request may use it. */
export function isUsableClient(client: Client | null): client is Client {
  return client !== null && client.deletedAtMs === null && client.disabledAtMs === null;
}

/** Members of an authorization response, in order: what belongs to it, `state` exactly, `iss` (RFC 9207 §2). */
export function responseFields(address: ReturnAddress, issuer: string, members: Readonly<Record<string, string>>): readonly (readonly [string, string])[] {
  return [...Object.entries(members), ...(address.state === null ? [] : [['state', address.state] as const]), ['iss', issuer]];
}

/** Adds an answer's members to the query that a redirect URI has (AZ-23). */
export function redirectWith(redirectUri: string, fields: readonly (readonly [string, string])[]): string {
  // `%20` is a space to every reader; `+` is one only to readers of forms.
  const query = new URLSearchParams(fields.map(([name, value]): [string, string] => [name, value])).toString().replaceAll('+', '%20');
  return `${redirectUri}${redirectUri.includes('?') ? (redirectUri.endsWith('?') || redirectUri.endsWith('&') ? '' : '&') : '?'}${query}`;
}
