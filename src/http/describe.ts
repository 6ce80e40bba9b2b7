import type { DocumentDecoration, TSchema } from 'elysia';
import { discoveryPaths, type DiscoveryName, type EndpointName, type EndpointPath, type Layout } from '../core/layouts.ts';
import { shapeNames, type LayoutName, type ShapeName } from '../core/model.ts';
import { shapes } from '../core/shapes.ts';
import { keptHeaders, limitedHeaders, pathParameters, protocolHeaders, ref, type Answer, type Ref } from './openapi-parts.ts';
import { introspectionExamples } from './openapi-examples.ts';
import { schemaName } from './response-schemas.ts';
import { authorizationForm, logoutForm } from './schemas.ts';


/** Whose documentation has which URL. */
const products: Readonly<Record<LayoutName, string>> = { root: 'Avnology, Aero2, WorkOS', realm: 'Kotauth', org: 'LumoAuth' };

const tenantWords: Readonly<Record<LayoutName, string>> = {
  root: 'The tenant is the one that owns the hostname; on the server\'s own origin it is the tenant `default`.',
  realm: 'The tenant is named by `slug`.',
  org: 'The tenant is named by `orgId`.',
};

function productsOf(name: EndpointName, layout: Layout, path: EndpointPath): string {
  if (layout.name !== 'root' || name !== 'introspect') return products[layout.name];
  return path.shape === 'workos' ? 'WorkOS' : 'Avnology, Aero2';
}

/** `introspectRealm`; an alias adds its path: `introspectRootOauth2Introspection`. Stable, because code is generated from it. */
function operationId(verb: string, layout: LayoutName, alias: string | null): string {
  const words = [layout, ...(alias ?? '').split(/[^A-Za-z0-9]+/)];
  return verb + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}

/** What the path holds. The document calls the tenant's slug `orgId` where the layout's own documentation does. */
export function documentedPath(layout: Layout, path: string): string {
  return layout.name === 'org' ? path.replace(':slug', ':orgId') : path;
}

function parametersOf(layout: Layout): NonNullable<DocumentDecoration['parameters']> {
  if (layout.prefix === '') return [];
  return [layout.name === 'org' ? pathParameters.orgId : pathParameters.slug];
}

const formFailures = {
  400: ref('responses', 'BadForm'), 401: ref('responses', 'Unauthorized'), 404: ref('responses', 'NotFound'),
  405: ref('responses', 'MethodNotAllowed'), 413: ref('responses', 'TooLarge'), 415: ref('responses', 'Compressed'),
  421: ref('responses', 'Misdirected'), 429: ref('responses', 'TooMany'), 500: ref('responses', 'Failed'), 503: ref('responses', 'Unavailable'),
};

const readFailures = {
  304: ref('responses', 'Unchanged'), 400: ref('responses', 'BadHost'), 404: ref('responses', 'NotFound'),
  405: ref('responses', 'MethodNotAllowed'), 421: ref('responses', 'Misdirected'), 500: ref('responses', 'Failed'), 503: ref('responses', 'Unavailable'),
};

const form = (schema: string): NonNullable<DocumentDecoration['requestBody']> =>
  ({ required: true, content: { 'application/x-www-form-urlencoded': { schema: ref('schemas', schema) } } });

/** Basic, or credentials in the form: a form's are no security scheme to OpenAPI, so the second way is "none". */
const credentials: DocumentDecoration['security'] = [{ basic: [] }, {}];

/** Which response form an answer takes here (wire contract §2, precedence). */
function formWords(layout: Layout, path: EndpointPath): string {
  const own = 'A client with a response form of its own always gets that.';
  if (path.shape !== undefined) return `**Response form.** \`${path.shape}\`, whatever the tenant's. ${own}`;
  return `**Response form.** A tenant at home in the layout \`${layout.name}\` answers in the form that it is set to; a tenant at home elsewhere answers here in \`${layout.shape}\`. ${own}`;
}

/** The same of an endpoint at every URL but for what the layout and the path change. */
type Words = {
  readonly tag: string;
  /** Begins the operation's id. */
  readonly verb: string;
  readonly title: string;
  readonly text: (layout: Layout, path: EndpointPath) => string;
  readonly parts: (layout: Layout, path: EndpointPath, method: 'GET' | 'POST') => Pick<DocumentDecoration, 'security' | 'parameters' | 'requestBody' | 'responses'>;
};

function introspectionAnswers(layout: Layout, path: EndpointPath): NonNullable<DocumentDecoration['responses']> {
  const first: ShapeName = path.shape ?? layout.shape;
  const order = [first, ...shapeNames.filter((name) => name !== first)];
  return {
    200: {
      description: 'The answer: about a good token, or `{"active":false}`.',
      headers: limitedHeaders,
      content: { 'application/json': { schema: { anyOf: order.map((name) => ref('schemas', schemaName(name))) }, examples: introspectionExamples(order, layout) } },
    },
    ...formFailures,
  };
}

const words: Readonly<Record<EndpointName, Words>> = {
  introspect: {
    tag: 'Introspection', verb: 'introspect', title: 'Introspect a token',
    text: (layout, path) => [
      'Is this token good right now, and what is it? (RFC 7662)',
      formWords(layout, path),
      '**Who may ask.** Confidential clients, with Basic or with credentials in the form. What a caller may learn about is the tenant\'s policy, or the client\'s own; it is the same at every URL. '
      + 'Whatever it may not learn about is `{"active":false}`, exactly like a token that is expired, revoked, malformed or unknown.',
    ].join('\n\n'),
    parts: (layout, path) => ({ security: credentials, requestBody: form('IntrospectionRequest'), responses: introspectionAnswers(layout, path) }),
  },
  revoke: {
    tag: 'Revocation', verb: 'revoke', title: 'Revoke a token',
    text: (layout, path) => [
      'Makes a token worthless, in every answer from the next request on, and on disk before the 200. (RFC 7009) '
      + 'A refresh token takes its whole grant along: every refresh token and access token that came of it. The answer is the same for tokens that are unknown, already revoked or not the caller\'s to revoke.',
      `${formWords(layout, path)} The forms \`${formsWithBody('{}')}\` answer with \`{}\`, \`${formsWithBody('')}\` with an empty body.`,
      '**Who may ask.** The client that the token was issued to: a confidential one with Basic or with credentials in the form, a public one with its `client_id` alone. A tenant may let all its confidential clients revoke. '
      + 'Pages of public clients may call from their own origins.',
    ].join('\n\n'),
    parts: (layout, path) => ({
      security: credentials, requestBody: form('RevocationRequest'),
      responses: { 200: revocationAnswer(path.shape ?? layout.shape), ...formFailures },
    }),
  },
  token: {
    tag: 'Token', verb: 'token', title: 'Get a token',
    text: () => [
      'Issues tokens for the code that a person\'s sign-in gave (`authorization_code`), to a client for itself (`client_credentials`), or a new pair for a refresh token (`refresh_token`). (RFC 6749, RFC 7636, RFC 8707)',
      'A refresh token is spent by its use, and the answer holds its successor. Using a spent one again ends the whole grant, unless the same request comes again within seconds because the answer got lost.',
      '**Who may ask.** Confidential clients, with Basic or with credentials in the form; public clients with their `client_id` alone, for `authorization_code` and `refresh_token`. Pages of public clients may call from their own origins.',
    ].join('\n\n'),
    parts: () => ({
      security: credentials, requestBody: form('TokenRequest'),
      responses: {
        200: { description: 'The new token.', headers: limitedHeaders, content: { 'application/json': { schema: ref('schemas', 'TokenResponse') } } },
        ...formFailures, 400: ref('responses', 'BadTokenRequest'),
      },
    }),
  },
  authorize: {
    tag: 'Sign-in', verb: 'authorize', title: 'Send a person to sign in',
    text: () => [
      'Where an application sends its person\'s browser: they sign in, allow what is asked for, and come back to the redirect URI with a code. (RFC 6749 §4.1, RFC 7636, RFC 9207, OpenID Connect Core)',
      'Only the code flow with `S256` is there. Until the client and the redirect URI are proven, errors are pages; after that they go to the redirect URI with `error`, `state` and `iss`.',
      '**Who may ask.** Any client with the grant `authorization_code`, through a browser. Trying it out here shows the first redirect.',
    ].join('\n\n'),
    parts: (_layout, _path, method) => ({
      security: [],
      ...(method === 'GET' ? { parameters: authorizationQuery } : { requestBody: form('AuthorizationRequest') }),
      responses: peopleAnswers('On to the sign-in pages, or back to the redirect URI.'),
    }),
  },
  logout: {
    tag: 'Sign-in', verb: 'logout', title: 'Send a person to sign out',
    text: () => [
      'Where an application sends its person\'s browser to end the session. (OpenID Connect RP-Initiated Logout) With an ID token of the session as `id_token_hint` it ends at once; otherwise the person is asked.',
      'Clients that have a back-channel logout address hear of it. (OpenID Connect Back-Channel Logout)',
    ].join('\n\n'),
    parts: (_layout, _path, method) => ({
      security: [],
      ...(method === 'GET' ? { parameters: logoutQuery } : { requestBody: { ...form('LogoutRequest'), required: false } }),
      responses: peopleAnswers('Signed out, and back at the application.'),
    }),
  },
  userinfo: {
    tag: 'Userinfo', verb: 'userinfo', title: 'Who is the user?',
    text: () => [
      'Claims about the user behind an access token, as far as its scopes let them be told: `profile`, `email`, `address` and `phone`, those that the tenant adds, and `sub` always. (OpenID Connect Core §5.3)',
      '**Who may ask.** Whoever bears an access token with the scope `openid` that is meant for the tenant or for its own client; a token for another resource reads no profiles. Pages of public clients may call from their own origins.',
    ].join('\n\n'),
    parts: (_layout, _path, method) => ({
      security: method === 'GET' ? [{ bearer: [] }] : [{ bearer: [] }, {}],
      ...(method === 'POST' && { requestBody: { ...form('UserinfoRequest'), required: false } }),
      responses: {
        200: { description: 'The claims.', headers: limitedHeaders, content: { 'application/json': { schema: ref('schemas', 'Userinfo') } } },
        ...bearerFailures, ...(method === 'POST' && { 413: ref('responses', 'TooLarge'), 415: ref('responses', 'Compressed') }),
      },
    }),
  },
  jwks: {
    tag: 'Keys', verb: 'keys', title: 'Signing keys',
    text: () => 'The public keys that prove the tenant\'s tokens: the one that signs, the next, and retired ones whose tokens still live. (RFC 7517)',
    parts: () => ({
      security: [],
      responses: { 200: { description: 'The keys.', headers: keptHeaders, content: { 'application/jwk-set+json': { schema: ref('schemas', 'KeySet') } } }, ...readFailures },
    }),
  },
};

/** A schema's members as parameters of a query. */
function parametersFrom(schema: { readonly properties: Readonly<Record<string, TSchema>>; readonly required?: readonly string[] | undefined }): NonNullable<DocumentDecoration['parameters']> {
  return Object.entries(schema.properties).map(([name, { description = '', examples: _examples, ...property }]) => ({
    name, in: 'query' as const, required: schema.required?.includes(name) === true, description, schema: property,
  }));
}

const authorizationQuery = parametersFrom(authorizationForm);
const logoutQuery = parametersFrom(logoutForm);

const htmlPage = { 'text/html': { schema: { type: 'string' as const } } };

/** Answers of endpoints that browsers are sent to: redirects and pages. */
function peopleAnswers(redirect: string): NonNullable<DocumentDecoration['responses']> {
  const pageOf = (description: string): Answer => ({ description, headers: protocolHeaders, content: htmlPage });
  return {
    200: pageOf('A page for the person.'),
    303: { description: redirect, headers: { ...protocolHeaders, Location: { description: 'Where the browser goes.', schema: { type: 'string' } } } },
    400: pageOf('A page that says what is wrong with the request; nothing goes to an application.'),
    403: pageOf('A form that no page of this server made.'), 404: pageOf('No such tenant.'), 405: pageOf('Not allowed here.'),
    421: ref('responses', 'Misdirected'), 429: { ...pageOf('Too many requests from one network.'), headers: { ...limitedHeaders, 'Retry-After': ref('headers', 'RetryAfter') } }, 500: pageOf('Our own failure.'), 503: pageOf('Our own failure; try again.'),
  };
}

const bearerFailures = {
  400: ref('responses', 'BadBearer'), 401: ref('responses', 'NoBearer'), 403: ref('responses', 'NoScope'), 404: ref('responses', 'NotFound'),
  405: ref('responses', 'MethodNotAllowed'), 421: ref('responses', 'Misdirected'), 429: ref('responses', 'TooMany'), 500: ref('responses', 'Failed'), 503: ref('responses', 'Unavailable'),
};

function formsWithBody(body: string): string {
  return shapeNames.filter((name) => shapes[name].revokeBody === body).join('`, `');
}

function revocationAnswer(shape: ShapeName): Answer {
  return {
    description: 'Done, as far as it concerns the caller.', headers: limitedHeaders,
    content: { 'application/json': { schema: ref('schemas', 'Revoked'), ...(shapes[shape].revokeBody === '{}' && { example: {} }) } },
  };
}

/** What the OpenAPI document says of an endpoint at one URL. */
export function describeEndpoint(name: EndpointName, method: 'GET' | 'POST', layout: Layout, path: EndpointPath, canonical: boolean): DocumentDecoration {
  const { tag, verb, title, text, parts } = words[name];
  const own = parts(layout, path, method);
  const first = layout.paths[name][0].path;
  const rank = canonical ? 'Discovery names this URL.' : `An alias of \`${layout.prefix.replace(':slug', '{slug}')}${first}\`.`;
  return {
    tags: [tag],
    summary: canonical || path.shape !== undefined ? `${title} · ${productsOf(name, layout, path)}` : `${title} (alias)`,
    description: `${text(layout, path)}\n\n**Layout.** \`${layout.name}\`. ${tenantWords[layout.name]} ${rank}`,
    operationId: operationId(method === 'POST' && (name === 'userinfo' || name === 'authorize' || name === 'logout') ? `${verb}ByForm` : verb, layout.name, canonical ? null : path.path),
    ...own,
    parameters: [...parametersOf(layout), ...(own.parameters ?? [])],
  };
}

const documentNames: Readonly<Record<DiscoveryName, { readonly verb: string; readonly title: string; readonly by: string }>> = {
  'openid-configuration': { verb: 'discoverOpenid', title: 'OpenID configuration', by: 'OpenID Connect Discovery 1.0' },
  'oauth-authorization-server': { verb: 'discoverOauth', title: 'Authorization server metadata', by: 'RFC 8414' },
};

/** What it says of a discovery document at one URL. */
export function describeDiscovery(name: DiscoveryName, layout: Layout, path: string): DocumentDecoration {
  const { verb, title, by } = documentNames[name];
  const inserted = layout.prefix !== '' && path.endsWith(layout.prefix);
  return {
    tags: ['Discovery'],
    summary: `${title} · ${products[layout.name]}${inserted ? ' (inserted)' : ''}`,
    description: `What the tenant's server can do, and where. (${by}) Both documents have the same members.\n\n`
      + `**Layout.** \`${layout.name}\`. ${tenantWords[layout.name]} Only a tenant at home in this layout is described here: its issuer leads to this URL. For any other it is 404.`
      + (discoveryPaths(layout, name).length > 1 ? ` The well-known part is ${inserted ? 'inserted before' : 'appended to'} the issuer's path.` : ''),
    operationId: operationId(verb, layout.name, inserted ? 'inserted' : null),
    parameters: parametersOf(layout),
    security: [],
    responses: { 200: { description: 'The metadata.', headers: keptHeaders, content: { 'application/json': { schema: ref('schemas', 'ServerMetadata') } } }, ...readFailures },
  };
}

function healthAnswer(description: string, value: object, extra: Readonly<Record<string, Ref>> = {}): Answer {
  return { description, headers: { ...protocolHeaders, ...extra }, content: { 'application/json': { schema: ref('schemas', 'Health'), example: value } } };
}

/** What it says of health, which is answered before anything is routed. */
export const healthOperations: readonly { readonly path: string; readonly detail: DocumentDecoration }[] = [
  {
    path: '/healthz',
    detail: {
      tags: ['Health'], summary: 'Does the process live?', operationId: 'healthLive', security: [],
      description: 'Always 200 while the process answers at all. It looks at nothing else.',
      responses: { 200: healthAnswer('It lives.', { status: 'ok' }), 405: ref('responses', 'MethodNotAllowed') },
    },
  },
  {
    path: '/readyz',
    detail: {
      tags: ['Health'], summary: 'Can it do its work?', operationId: 'healthReady', security: [],
      description: 'The database can be written, the keys are there and can be used, the clock is sane, and the server is not stopping. A finding holds for a second.',
      responses: {
        200: healthAnswer('Ready.', { status: 'ready' }), 405: ref('responses', 'MethodNotAllowed'),
        503: healthAnswer('Not ready; `problems` says why.', { status: 'not_ready', problems: ['keys'] }, { 'Retry-After': ref('headers', 'RetryAfter') }),
      },
    },
  },
];
