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

/** RFC 6749 §4.4.2, §6; RFC 8707 §2. */
export const tokenForm = t.Object({
  grant_type: t.String({ enum: ['client_credentials', 'refresh_token'], description: 'What the new token is issued for.', example: 'client_credentials' }),
  scope: t.Optional(t.String({ ...blank, description: 'Scopes, separated by spaces. Without it: all that the client may have.' })),
  resource: t.Optional(t.Array(t.String(), { example: [], description: 'URI of a resource where the token is to be used (RFC 8707). It may be repeated.' })),
  refresh_token: t.Optional(t.String({ ...blank, description: 'With `grant_type=refresh_token`: the refresh token. The answer holds its successor.' })),
  ...credentials,
}, { $id: 'TokenRequest', description: 'RFC 6749 §4.4.2 and §6, RFC 8707 §2. Parameters that are not listed are ignored.' });

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
