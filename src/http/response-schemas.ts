import { t, type TSchema } from 'elysia';
import { shapeNames, type ShapeName } from '../core/model.ts';
import { shapes } from '../core/shapes.ts';
import { signingAlgorithms } from '../spec/names.ts';

/** What every failure's body looks like (RFC 6749 §5.2). */
export const errorBody = t.Object({
  error: t.String({ description: 'A code for programs.', example: 'invalid_request' }),
  error_description: t.String({ description: 'One sentence for people. It never repeats what was sent.', example: 'token is missing' }),
}, { $id: 'Error', description: 'RFC 6749 §5.2' });

/** The whole inactive answer, whatever the cause (RFC 7662 §2.2). */
export const inactive = t.Object({ active: t.Literal(false) }, {
  $id: 'Inactive', additionalProperties: false,
  description: 'Expired, revoked, malformed, unknown, or not yours to learn about: the same bytes for each.',
});

const seconds = (description: string): TSchema => t.Integer({ description: `${description}, in seconds since 1970-01-01 UTC.` });

const confirmation = t.Object({
  jkt: t.Optional(t.String({ description: 'SHA-256 thumbprint of a DPoP key (RFC 9449 §6.1).' })),
  'x5t#S256': t.Optional(t.String({ description: 'SHA-256 thumbprint of a client certificate (RFC 8705 §3.1).' })),
}, { $id: 'Confirmation', description: 'The key that the presenter of the token must prove to have (RFC 7800 §3.1).' });

const actor = t.Object({
  sub: t.String(),
  iss: t.Optional(t.String()),
}, { $id: 'Actor', description: 'Who acts for `sub` (RFC 8693 §4.1). It may hold the actor before it in `act`.' });

const tokenTypes = {
  bearer: { enum: ['Bearer', 'DPoP'], description: '`DPoP` for a token bound to a key, else `Bearer`. Not there for refresh tokens.' },
  kind: { enum: ['access_token', 'refresh_token', 'DPoP'], description: 'The kind of token; `DPoP` for one bound to a key.' },
  bound: { enum: ['DPoP'], description: 'There only for a token bound to a key.' },
} as const;

/** The active answer in one response form; its members follow from the table of shapes. */
function activeAnswer(name: ShapeName): TSchema {
  const shape = shapes[name];
  const audience = t.Array(t.String(), { minItems: 1 });
  return t.Object({
    active: t.Literal(true),
    scope: t.Optional(t.String({ description: 'Scopes, separated by spaces, when there are any.' })),
    client_id: t.String({ description: 'The client that the token was issued to.' }),
    ...(shape.username !== null && {
      username: t.Optional(t.String({
        description: shape.username === 'email' ? 'The user\'s e-mail address, or login name where there is none. Users\' tokens only.' : 'The user\'s login name. Users\' tokens only.',
      })),
    }),
    ...(shape.email && { email: t.Optional(t.String({ description: 'The user\'s e-mail address, for tokens with the scope `email`.' })) }),
    token_type: t.Optional(t.String({ ...tokenTypes[shape.tokenType], enum: [...tokenTypes[shape.tokenType].enum] })),
    exp: t.Optional(seconds(shape.refreshExpiry ? 'End of the token\'s life' : 'End of the token\'s life; not there for refresh tokens')),
    iat: seconds('When it was issued'),
    nbf: t.Optional(seconds('Before then it is not valid')),
    sub: t.String({ description: 'The user, or the client where it acts for itself.' }),
    aud: t.Optional(shape.audience === 'always-list' ? audience : t.Union([t.String(), audience], { description: 'A string if there is one audience, else a list.' })),
    iss: t.String({ description: 'The tenant\'s issuer.' }),
    ...(shape.tokenId && { jti: t.Optional(t.String({ description: 'The token\'s id. Access tokens only.' })) }),
    ...(shape.session && { sid: t.Optional(t.String({ description: 'The login session, when there is one. Access tokens only.' })) }),
    ...(shape.organization && { org_id: t.Optional(t.String({ description: 'The organization, when there is one.' })) }),
    ...(shape.organizationName && { org_name: t.Optional(t.String({ description: 'Name of the organization, when it is registered here.' })) }),
    cnf: t.Optional(confirmation),
    act: t.Optional(actor),
    acr: t.Optional(t.String({ description: 'How the user was authenticated, where it is known.' })),
    auth_time: t.Optional(seconds('When the user was authenticated')),
  }, { $id: `${schemaName(name)}Active`, description: `A good token, in the response form \`${name}\`. A tenant may add claims of its own.` });
}

/** Name under which the answers in one response form stand in the document. */
export function schemaName(shape: ShapeName): string {
  return `Introspection${shape.charAt(0).toUpperCase()}${shape.slice(1)}`;
}

/** The active answer per response form. */
export const activeAnswers: ReadonlyMap<ShapeName, TSchema> = new Map(shapeNames.map((name) => [name, activeAnswer(name)]));

/** RFC 7009 §2.2. */
export const revoked = t.Object({}, { $id: 'Revoked', additionalProperties: false, description: 'An empty object; in some response forms the body is empty instead.' });

/** RFC 6749 §5.1. */
export const tokenResponse = t.Object({
  access_token: t.String({ example: 'at_example_not_a_real_token' }),
  token_type: t.Literal('Bearer'),
  expires_in: t.Integer({ description: 'Life of the access token from now on, in seconds.', example: 300 }),
  refresh_token: t.Optional(t.String({ description: 'The refresh token to use from now on, for grants that have one.', example: 'rt_example_not_a_real_token' })),
  id_token: t.Optional(t.String({ description: 'Who signed in, with the scope `openid` (OpenID Connect Core §2).', example: 'example.id.token' })),
  scope: t.Optional(t.String({ description: 'What was granted.', example: 'orders:read' })),
}, { $id: 'TokenResponse', description: 'RFC 6749 §5.1, OpenID Connect Core §3.1.3.3' });

/** OpenID Connect Core §5.1, §5.3.2. */
export const userinfo = t.Object({
  sub: t.String({ description: 'The user, as in every token.', example: 'usr_example' }),
  name: t.Optional(t.String({ description: 'With the scope `profile`, where it is known.', example: 'Erika Example' })),
  preferred_username: t.Optional(t.String({ description: 'The login name. With the scope `profile`.', example: 'erika' })),
  email: t.Optional(t.String({ description: 'With the scope `email`, where there is one.', example: 'erika@example.com' })),
  email_verified: t.Optional(t.Boolean({ description: 'Whether the address was proven to be theirs.' })),
  address: t.Optional(t.Object({
    formatted: t.Optional(t.String()), street_address: t.Optional(t.String()), locality: t.Optional(t.String()), region: t.Optional(t.String()),
    postal_code: t.Optional(t.String()), country: t.Optional(t.String()),
  }, { description: 'With the scope `address`, where it is known (§5.1.1).' })),
  phone_number: t.Optional(t.String({ description: 'With the scope `phone`, where it is known.', example: '+1 604 555 1234' })),
  phone_number_verified: t.Optional(t.Boolean({ description: 'Whether the number was proven to be theirs, where it is known.' })),
}, {
  $id: 'Userinfo', additionalProperties: true,
  description: 'OpenID Connect Core 1.0 §5.1. The scope `profile` also tells its other standard claims, where they are known; a tenant may add claims of its own.',
});

const publicKey = t.Object({
  kty: t.String({ description: 'RSA, EC or OKP.', example: 'RSA' }),
  kid: t.String({ description: 'The key\'s thumbprint (RFC 7638); tokens name it in their header.', example: 'example-key-thumbprint' }),
  use: t.Literal('sig'),
  alg: t.String({ enum: [...signingAlgorithms], example: 'RS256' }),
  n: t.Optional(t.String({ description: 'RSA modulus.' })),
  e: t.Optional(t.String({ description: 'RSA exponent.' })),
  crv: t.Optional(t.String({ description: 'Curve of an EC or OKP key.' })),
  x: t.Optional(t.String()),
  y: t.Optional(t.String()),
}, { $id: 'PublicKey', description: 'A public signature key (RFC 7517 §4).' });

/** RFC 7517 §5. */
export const keySet = t.Object({
  keys: t.Array(publicKey, { description: 'The key that signs, the one that will sign next, and retired ones whose tokens still live.' }),
}, { $id: 'KeySet', description: 'RFC 7517 §5' });

const url = (description: string): TSchema => t.String({ format: 'uri', description });
const names = (description: string): TSchema => t.Array(t.String(), { description });

/** RFC 8414 §2, OpenID Connect Discovery §3. */
export const serverMetadata = t.Object({
  issuer: url('The tenant\'s one issuer: `iss` of all its tokens.'),
  authorization_endpoint: url('Where applications send people to sign in.'),
  token_endpoint: url('Where tokens are issued.'),
  userinfo_endpoint: url('Where claims about users are told.'),
  end_session_endpoint: url('Where applications send people to sign out.'),
  jwks_uri: url('Where the keys are.'),
  scopes_supported: names('Scopes that speak of people. Resources have their own.'),
  claims_supported: names('Claims about people that userinfo can tell.'),
  response_types_supported: names('Always `code`.'),
  response_modes_supported: names('How authorization responses travel.'),
  code_challenge_methods_supported: names('Always `S256`.'),
  prompt_values_supported: names('Values of `prompt` that work.'),
  acr_values_supported: names('Classes of authentication, weakest first.'),
  ui_locales_supported: names('Languages of the pages for people.'),
  grant_types_supported: names('Values of `grant_type` that work.'),
  token_endpoint_auth_methods_supported: names('How clients prove who they are there.'),
  introspection_endpoint: url('Where tokens are introspected.'),
  introspection_endpoint_auth_methods_supported: names('How callers prove who they are there.'),
  revocation_endpoint: url('Where tokens are revoked.'),
  revocation_endpoint_auth_methods_supported: names('How clients prove who they are there.'),
  subject_types_supported: names('`public`: a user has the same `sub` for every client.'),
  id_token_signing_alg_values_supported: names('The algorithm that signs.'),
  request_parameter_supported: t.Boolean(),
  request_uri_parameter_supported: t.Boolean(),
  claims_parameter_supported: t.Boolean(),
  authorization_response_iss_parameter_supported: t.Boolean({ description: 'Answers to authorization requests carry `iss` (RFC 9207).' }),
  backchannel_logout_supported: t.Boolean(),
  backchannel_logout_session_supported: t.Boolean({ description: 'Logout tokens carry `sid`.' }),
  service_documentation: t.Optional(url('The page for people, where there is one.')),
}, { $id: 'ServerMetadata', description: 'RFC 8414 §2, OpenID Connect Discovery 1.0 §3. It names only what works.' });

/** Health's answers. */
export const health = t.Object({ status: t.String({ enum: ['ok', 'ready', 'not_ready'] }), problems: t.Optional(t.Array(t.String({ enum: ['stopping', 'clock', 'keys', 'database'] }))) }, {
  $id: 'Health', description: 'State of the server.',
});
