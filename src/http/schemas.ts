import { t, type Static, type TSchema } from 'elysia';
import type { KnownParameters } from './form.ts';

/** On a parameter that is read only to be refused: the OpenAPI document leaves it out. */
const undocumented = { 'x-internal': true };

/** For what is optional: a page that fills forms in leaves it out, in place of making something up. */
const blank = { example: '' };

/** Credentials that a form may carry in place of Basic (RFC 6749 §2.3.1). */
const credentials = {
  client_id: t.Optional(t.String({ ...blank, description: 'Your client id, unless it is in the `Authorization` header.' })),
  client_secret: t.Optional(t.String({ ...blank, format: 'password', description: 'Your client secret, unless it is in the `Authorization` header: never both.' })),
  client_assertion: t.Optional(t.String({ ...undocumented })),
  client_assertion_type: t.Optional(t.String({ ...undocumented })),
};

const kinds = ['access_token', 'refresh_token'];

/** RFC 7662 §2.1. */
export const introspectForm = t.Object({
  token: t.String({
    description: 'The token to ask about: an access token, JWT or opaque, or a refresh token.', example: 'at_example_not_a_real_token',
  }),
  token_type_hint: t.Optional(t.String({ enum: kinds, description: 'Your guess at its kind. It never changes the answer.' })),
  ...credentials,
}, { $id: 'IntrospectionRequest', description: 'RFC 7662 §2.1. Parameters that are not listed are ignored.' });

/** RFC 7009 §2.1. */
export const revokeForm = t.Object({
  token: t.String({ description: 'The token to make worthless: an access token or a refresh token.', example: 'rt_example_not_a_real_token' }),
  token_type_hint: t.Optional(t.String({ enum: kinds, description: 'Your guess at its kind. A wrong guess does no harm.' })),
  ...credentials,
}, { $id: 'RevocationRequest', description: 'RFC 7009 §2.1. Parameters that are not listed are ignored.' });

/** RFC 6749 §4.1.3, §4.4.2, §6; RFC 7636 §4.5; RFC 8707 §2. */
export const tokenForm = t.Object({
  grant_type: t.String({ enum: ['authorization_code', 'client_credentials', 'refresh_token'], description: 'What the new token is issued for.', example: 'client_credentials' }),
  scope: t.Optional(t.String({ ...blank, description: 'Scopes, separated by spaces. Without it: all that the client may have.' })),
  resource: t.Optional(t.Array(t.String(), { example: [], description: 'URI of a resource where the token is to be used (RFC 8707). It may be repeated.' })),
  refresh_token: t.Optional(t.String({ ...blank, description: 'With `grant_type=refresh_token`: the refresh token. The answer holds its successor.' })),
  code: t.Optional(t.String({ ...blank, description: 'With `grant_type=authorization_code`: the code. It can be used once, within a minute.' })),
  redirect_uri: t.Optional(t.String({ ...blank, description: 'With a code: the redirect URI of the authorization request. It may be left out.' })),
  code_verifier: t.Optional(t.String({ ...blank, description: 'With a code: the secret behind the `code_challenge` (RFC 7636).' })),
  ...credentials,
}, { $id: 'TokenRequest', description: 'RFC 6749 §4.1.3, §4.4.2 and §6, RFC 7636 §4.5, RFC 8707 §2. Parameters that are not listed are ignored.' });

/** An optional parameter. */
const words = (description: string) => t.Optional(t.String({ ...blank, description }));

/** RFC 6749 §4.1.1, OpenID Connect Core §3.1.2.1, RFC 7636 §4.3, RFC 8707 §2. */
export const authorizationForm = t.Object({
  client_id: t.String({ description: 'Your client id.', example: 'cli_example' }),
  redirect_uri: words('Where the answer goes: exactly as registered, but for the port of a native application on loopback.'),
  response_type: t.String({ enum: ['code'], description: 'Always `code`.', example: 'code' }),
  response_mode: words('How the answer gets there: `query`, or `form_post`.'),
  scope: words('Scopes, separated by spaces; `openid` for an ID token.'),
  state: words('Comes back exactly.'),
  nonce: words('Comes back in the ID token.'),
  code_challenge: words('base64url SHA-256 of your code verifier.'),
  code_challenge_method: words('Always `S256`.'),
  prompt: words('`none` alone, or some of `login`, `consent`, `select_account`.'),
  max_age: words('Seconds since which the person must have signed in.'),
  login_hint: words('Fills in who signs in.'),
  id_token_hint: words('An ID token of the person who is expected.'),
  acr_values: words('Classes of authentication that are wanted: `1fa`, `mfa`, `phr`.'),
  ui_locales: words('Languages of the pages, the best first.'),
  claims_locales: words('Accepted, without effect.'),
  display: words('Accepted, without effect.'),
  claims: words('Not supported: ignored when it is a JSON object.'),
  resource: t.Optional(t.Array(t.String(), { example: [], description: 'URI of a resource where the tokens are to be used (RFC 8707). It may be repeated.' })),
}, { $id: 'AuthorizationRequest', description: 'RFC 6749 §4.1.1. Parameters that are not listed are ignored.' });

/** OpenID Connect RP-Initiated Logout §2. */
export const logoutForm = t.Object({
  id_token_hint: words('An ID token of the session that is to end; it may have expired.'),
  client_id: words('Your client id, where there is no ID token.'),
  post_logout_redirect_uri: words('Where the person goes afterwards: exactly as registered.'),
  state: words('Comes back exactly.'),
  logout_hint: words('Accepted, without effect.'),
  ui_locales: words('Languages of the page, the best first.'),
}, { $id: 'LogoutRequest', description: 'OpenID Connect RP-Initiated Logout §2. Parameters that are not listed are ignored.' });

/** RFC 6750 §2.2. */
export const userinfoForm = t.Object({
  access_token: t.Optional(t.String({ description: 'The access token, unless it is in the Authorization header.' })),
}, { $id: 'UserinfoRequest', description: 'RFC 6750 §2.2' });

export type IntrospectForm = Static<typeof introspectForm>;
export type RevokeForm = Static<typeof revokeForm>;
export type TokenForm = Static<typeof tokenForm>;
export type UserinfoForm = Static<typeof userinfoForm>;

/** The parameters of a form schema, for the strict reader: lists may repeat, everything else may not. */
export function knownParameters(schema: { readonly properties: Readonly<Record<string, TSchema>> }): KnownParameters {
  return new Map(Object.entries(schema.properties).map(([name, property]) => [name, property['type'] === 'array' ? 'many' : 'once']));
}
