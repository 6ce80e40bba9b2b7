import type { DocumentDecoration } from 'elysia';
import { METADATA_MAX_AGE } from '../core/discovery.ts';
import type { ErrorCode } from '../spec/errors.ts';
import { BASIC_CHALLENGE, BEARER_CHALLENGE } from './failures.ts';

/** Parts of the OpenAPI document that operations share and name by reference. */

/** A reference to one of the document's components. */
export type Ref = { $ref: string };

/** What an operation answers with one status. */
export type Answer = Exclude<NonNullable<DocumentDecoration['responses']>[string], Ref>;

/** In: the kind of component and its name. */
export function ref(kind: 'schemas' | 'responses' | 'headers', name: string): Ref {
  return { $ref: `#/components/${kind}/${name}` };
}

/** Groups of operations, in the order of the page. */
export const tags = [
  { name: 'Introspection', description: 'Is this token good right now, and what is it? (RFC 7662)' },
  { name: 'Revocation', description: 'Make a token worthless. (RFC 7009)' },
  { name: 'Token', description: 'Get tokens. (RFC 6749, RFC 8707)' },
  { name: 'Sign-in', description: 'Where applications send people. (OAuth 2.1, OpenID Connect)' },
  { name: 'Userinfo', description: 'Who is the user behind a token? (OpenID Connect Core)' },
  { name: 'Keys', description: 'The public keys that prove tokens. (RFC 7517)' },
  { name: 'Discovery', description: 'What this server can do, and where. (RFC 8414, OpenID Connect Discovery)' },
  { name: 'Health', description: 'For load balancers and people on call. Answered for any `Host`.' },
];

export const securitySchemes = {
  bearer: { type: 'http', scheme: 'bearer', description: 'A user\'s access token.' },
  basic: {
    type: 'http', scheme: 'basic',
    description: 'Your client id and secret, each form-urlencoded first where it holds other characters than letters, digits and `-._*` (RFC 6749 §2.3.1). '
      + 'In place of it, the form may carry `client_id` and `client_secret`. Use one of the two ways, never both.',
  },
} as const;

const text = (description: string, example: string): { description: string; schema: { type: 'string'; example: string } } =>
  ({ description, schema: { type: 'string', example } });

export const headers = {
  NoStore: text('Nobody may keep this answer.', 'no-store'),
  NoCache: text('The same for HTTP/1.0.', 'no-cache'),
  RequestId: text('Names this request in the log. Yours is kept if you send one of 8 to 128 letters, digits and `._-`.', 'example-request-1'),
  Kept: text('For how long it may be kept.', `public, max-age=${METADATA_MAX_AGE}`),
  ETag: text('Send it back in `If-None-Match` to hear only of changes.', '"example-validator"'),
  AnyOrigin: text('Any page may read it.', '*'),
  Challenge: text('How to prove who you are.', BASIC_CHALLENGE),
  BearerChallenge: text('What is wrong with the access token, if there was one.', `${BEARER_CHALLENGE}, error="invalid_token"`),
  Allow: text('The methods that are allowed here.', 'POST'),
  RetryAfter: text('Seconds after which to ask again.', '1'),
  RateLimitPolicy: text('Where the tenant sets limits: each by its name, its requests (`q`) per seconds (`w`).', '"tenant";q=6000;w=60'),
  RateLimit: text('The same: how many requests are left of each (`r`), and in how many seconds all are there again (`t`).', '"tenant";r=5999;t=1'),
};

/** Headers of protocol answers, errors included. */
export const protocolHeaders = { 'Cache-Control': ref('headers', 'NoStore'), Pragma: ref('headers', 'NoCache'), 'X-Request-Id': ref('headers', 'RequestId') };
const limits = { RateLimit: ref('headers', 'RateLimit'), 'RateLimit-Policy': ref('headers', 'RateLimitPolicy') };
/** Headers of answers that count against the limits of a tenant. */
export const limitedHeaders = { ...protocolHeaders, ...limits };
/** Headers of what may be kept. */
export const keptHeaders = { 'Cache-Control': ref('headers', 'Kept'), ETag: ref('headers', 'ETag'), 'Access-Control-Allow-Origin': ref('headers', 'AnyOrigin'), 'X-Request-Id': ref('headers', 'RequestId') };

/** In: what it means, examples by error code, and headers beside those of every answer. */
function failure(description: string, examples: Partial<Record<ErrorCode, string>>, extra: Readonly<Record<string, Ref>> = {}): Answer {
  return {
    description,
    headers: { ...protocolHeaders, ...extra },
    content: {
      'application/json': {
        schema: ref('schemas', 'Error'),
        examples: Object.fromEntries(Object.entries(examples).map(([error, sentence]) =>
          [error, { summary: error, value: { error, error_description: sentence } }])),
      },
    },
  };
}

/** Failures that every protocol endpoint shares. */
export const responses = {
  BadForm: failure('The request is malformed: a parameter is missing, repeated, badly encoded or in the URL, credentials come in two ways, the body is no form, or the `Host` is unusable.', {
    invalid_request: 'token is missing',
  }),
  BadBearer: failure('The access token comes in two ways or is malformed, or the `Host` is unusable.', { invalid_request: 'the access token is given twice or malformed' }, { 'WWW-Authenticate': ref('headers', 'BearerChallenge') }),
  NoBearer: failure('There is no access token, or it is expired, revoked, malformed or not for this.', { invalid_token: 'an access token is needed' }, { 'WWW-Authenticate': ref('headers', 'BearerChallenge') }),
  NoScope: failure('The access token lacks the scope `openid`.', { insufficient_scope: 'the access token lacks the scope openid' }, { 'WWW-Authenticate': ref('headers', 'BearerChallenge') }),
  BadTokenRequest: failure('The request is malformed or asks for what the client may not have.', {
    invalid_request: 'grant_type is missing',
    invalid_grant: 'the refresh token is not valid for this client',
    invalid_scope: 'the requested scope goes beyond what this client may have',
    invalid_target: 'a requested resource is not known here',
    unauthorized_client: 'this client is not registered for this grant type',
    unsupported_grant_type: 'this grant type is not supported',
  }),
  BadHost: failure('The `Host` header is missing, doubled or malformed.', { invalid_request: 'the Host header is missing, doubled or malformed' }),
  Unauthorized: failure('The caller did not prove who it is, or may not call at all.', { invalid_client: 'client authentication failed' }, { 'WWW-Authenticate': ref('headers', 'Challenge') }),
  NotFound: failure('No such tenant, or nothing of it here.', { not_found: 'there is nothing here' }),
  MethodNotAllowed: failure('Another method than those in `Allow`.', { method_not_allowed: 'this method is not allowed here' }, { Allow: ref('headers', 'Allow') }),
  TooLarge: failure('The body is larger than 64 KiB.', { request_too_large: 'the request body is larger than 64 KiB' }),
  Compressed: failure('The body is compressed.', { invalid_request: 'a compressed request body is not accepted' }),
  Misdirected: failure('The `Host` is not one that is served here.', { misdirected_request: 'this host is not served here' }),
  TooMany: failure('More requests than the tenant\'s limits let through, or too many failed attempts from this client or address.', { too_many_requests: 'too many requests' }, { 'Retry-After': ref('headers', 'RetryAfter'), ...limits }),
  Failed: failure('Our fault. The log knows more under the request id.', { server_error: 'something went wrong on our side' }),
  Unavailable: failure('Not right now: storage does not answer, or the first keys are being made. Never a statement about a token.', {
    temporarily_unavailable: 'storage does not answer right now',
  }, { 'Retry-After': ref('headers', 'RetryAfter') }),
  Unchanged: { description: 'What you have is still right.', headers: keptHeaders },
};

const slug = { type: 'string', pattern: '^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$', maxLength: 63, example: 'acme' } as const;

/** What paths hold. Operations carry them whole: the plugin adds its own beside a reference (pinned). */
export const pathParameters = {
  slug: { name: 'slug', in: 'path', required: true, description: 'The tenant\'s slug.', schema: slug },
  orgId: { name: 'orgId', in: 'path', required: true, description: 'The tenant\'s slug, which this layout calls the organization\'s id.', schema: slug },
};

const where = {
  own: `The same endpoints stand at the URL layouts of five products, so that a resource server written for any of them works after changing only the base URL:

| layout | where | tenant named by | as documented by |
|---|---|---|---|
| \`root\` | \`/oauth2/…\` | the hostname; on the server's own origin it is the tenant \`default\` | Avnology, Aero2, WorkOS |
| \`realm\` | \`/t/{slug}/protocol/openid-connect/…\` | the path | Kotauth |
| \`org\` | \`/orgs/{orgId}/api/v1/oauth/…\` | the path | LumoAuth |

All layouts reach the same tenants and tell the same facts about a token, each in its own response form. What a caller may learn is decided by the tenant and the client, never by the URL.

The **admin API** operates all of it, below \`/admin/v1\`: with API keys, JSON, and problem documents (RFC 9457) for whatever goes wrong.`,
  tenant: 'This hostname belongs to one tenant. Its endpoints stand where Avnology, Aero2 and WorkOS document them, so that a resource server written for any of these works after changing only the base URL.',
} as const;

/** The document's first words: on the server's own origin, or on a tenant's hostname. */
export function introduction(site: keyof typeof where): string {
  return `An OAuth 2.1 and OpenID Connect server that tells resource servers whether a token is good right now, and what it is.

${where[site]}

**Credentials** go into HTTP Basic, or into the form as \`client_id\` and \`client_secret\`; one of the two, never both.`;
}
