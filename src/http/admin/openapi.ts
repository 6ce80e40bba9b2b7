import type { TSchema } from 'elysia';
import type { AdminArea } from '../../core/admin.ts';
import { EXPOSITION_TYPE } from '../metrics-page.ts';
import { membersOf, plainSchema, type Json } from '../openapi-schema.ts';
import { ITEMS, MOST_ITEMS, type AdminOperation } from './operation.ts';
import { ADMIN_API, problems, PROBLEM_TYPE, problemUrn, type ProblemCode } from './problem.ts';
import { isCreated, problemBody, shownAnswer, warned } from './schemas.ts';
import { adminOperations } from './table.ts';

type Members = { readonly [member: string]: Json };

/** What the admin API adds to the document, each part by its name. */
export type AdminDescription = {
  readonly paths: Readonly<Record<string, Members>>;
  readonly tags: readonly Json[];
  readonly schemas: Readonly<Record<string, Json>>;
  readonly responses: Readonly<Record<string, Members>>;
  readonly parameters: Readonly<Record<string, Members>>;
  readonly headers: Readonly<Record<string, Members>>;
  readonly securitySchemes: Members;
};

const areaWords: Readonly<Record<AdminArea, string>> = {
  tenants: 'Tenants: an issuer each, with keys, clients and users of its own.',
  clients: 'Applications and services that get or check tokens.',
  resources: 'APIs that tokens are meant for (RFC 8707).',
  users: 'People behind tokens.',
  organizations: 'Groups that users belong to.',
  roles: 'What their holders may do in an organization.',
  tokens: 'Issue, look at, explain and revoke tokens, grants and sessions.',
  keys: 'Signing keys.',
  audit: 'What happened.',
  webhooks: 'Addresses that hear of what happens.',
  settings: 'What this start of the server was told.',
  metrics: 'How the server does.',
  access: 'Who may operate: API keys and administrators.',
};

/** What paths hold, beyond what their names say. */
const partWords: Readonly<Record<string, string>> = {
  tenant: 'The tenant\'s slug.', client: 'The client\'s id, percent-encoded.', resource: 'The resource\'s URI, percent-encoded.', user: 'The user\'s id or name, percent-encoded.', key: 'The id.',
};

const tagOf = (area: AdminArea | null): string => `Admin-${area ?? 'access'}`;

function refTo(kind: string, name: string): Members {
  return { $ref: `#/components/${kind}/${name}` };
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** `invalid_request` is described as `AdminInvalidRequest`. */
function answerName(code: string): string {
  return `Admin${code.split('_').map(capital).join('')}`;
}

/** What each problem is told with; statuses that two problems share are one answer. */
const told: readonly (readonly [codes: readonly ProblemCode[], description: string, headers?: Readonly<Record<string, string>>])[] = [
  [['invalid_request', 'invalid_scope'], 'The request is malformed, or asks for what cannot be. `errors` names what is wrong.'],
  [['unauthenticated'], 'There is no API key or access token, or it is unknown, expired, revoked or not for this.', { 'WWW-Authenticate': 'BearerChallenge' }],
  [['forbidden'], 'The caller lacks the scope, or wants to hand on more than it has.'],
  [['not_found'], 'There is nothing here, or nothing that the caller may know of.'],
  [['method_not_allowed'], 'Another method than those in `Allow`.', { Allow: 'Allow' }],
  [['conflict', 'already_exists', 'request_in_progress'], 'Nothing wrong with the request, but with the state of things.'],
  [['outdated'], 'It is not any more what `If-Match` names.'],
  [['request_too_large'], 'The body is larger than 64 KiB.'],
  [['unsupported_media_type'], 'The body is no JSON, or compressed.'],
  [['idempotency_key_reused'], 'The `Idempotency-Key` belongs to another request.'],
  [['too_many_requests'], 'Too many failed attempts from this address.', { 'Retry-After': 'RetryAfter' }],
  [['server_error'], 'Our fault. The log knows more under the request id.'],
  [['temporarily_unavailable'], 'Not right now: storage does not answer.', { 'Retry-After': 'RetryAfter' }],
];

const shared: Members = { 'Cache-Control': refTo('headers', 'NoStore'), Pragma: refTo('headers', 'NoCache'), 'X-Request-Id': refTo('headers', 'RequestId') };

function problemAnswers(): Record<string, Members> {
  return Object.fromEntries(told.map(([codes, description, more = {}]) => [answerName(codes[0] ?? ''), {
    description,
    headers: { ...shared, ...Object.fromEntries(Object.entries(more).map(([name, header]) => [name, refTo('headers', header)])) },
    content: {
      [PROBLEM_TYPE]: {
        schema: refTo('schemas', 'Problem'),
        examples: Object.fromEntries(codes.map((code) => [code, {
          summary: problems[code].title,
          value: { type: problemUrn(code), title: problems[code].title, status: problems[code].status, error: code, detail: description, request_id: 'example-request-1' },
        }])),
      },
    },
  }]));
}

function failuresOf(operation: AdminOperation): readonly ProblemCode[] {
  const writes = operation.method !== 'GET';
  return [
    'invalid_request', 'unauthenticated', 'forbidden', 'not_found', 'method_not_allowed', ...(writes ? ['conflict'] as const : []), ...(writes && operation.etag === true ? ['outdated'] as const : []),
    ...(writes ? ['request_too_large', 'unsupported_media_type'] as const : []), ...(operation.creates === true ? ['idempotency_key_reused'] as const : []), 'too_many_requests', 'server_error', 'temporarily_unavailable',
  ];
}

/** Schemas of the framework are JSON, with symbols beside it that JSON leaves out. */
function asJson(schema: TSchema): Json {
  return JSON.parse(JSON.stringify(schema)) as Json;
}

function successOf(operation: AdminOperation, found: Record<string, Json>): Members {
  const headers = {
    ...shared, ...(operation.etag === true && { ETag: refTo('headers', 'ETag') }), ...(isLocated(operation) && { Location: refTo('headers', 'Location') }), ...(operation.paged === true && { Link: refTo('headers', 'Link') }),
  };
  const answer = shownAnswer(operation);
  if (operation.streams !== undefined) {
    return { 200: { description: 'Written as it is read.', headers: shared, content: Object.fromEntries(operation.streams.map((type) => [type.replace(/;.*$/, ''), { schema: { type: 'string' } }])) } };
  }
  if (answer === null) return { 204: { description: 'Done. There is no body.', headers: shared } };
  const document = plainSchema(asJson(answer), found, false);
  const schema = operation.method === 'GET' ? document : { allOf: [document, refTo('schemas', 'Warned')] };
  const media: Members = { schema, ...(operation.example !== undefined && { example: JSON.parse(JSON.stringify(operation.example)) as Json }) };
  return {
    [isCreated(operation) ? 201 : 200]: { description: isCreated(operation) ? 'Created.' : 'Done.', headers, content: { 'application/json': media } },
    ...(operation.method === 'GET' && operation.etag === true && { 304: { description: 'What you have is still right.', headers: { ...shared, ETag: refTo('headers', 'ETag') } } }),
  };
}

/** Whether its answer says where the new thing is. */
function isLocated(operation: AdminOperation): boolean {
  return isCreated(operation) && operation.locatedBy !== null;
}

function parametersOf(operation: AdminOperation, found: Record<string, Json>): readonly Json[] {
  const parts = [...operation.path.matchAll(/:(\w+)/g)].map(([, name = '']) => ({
    name, in: 'path', required: true, description: partWords[name] ?? `The ${name.replaceAll('_', ' ')}, as documents name it; percent-encoded.`, schema: { type: 'string' },
  }));
  const required: unknown = operation.query?.['required'];
  const query = Object.entries(membersOf(operation.query === undefined ? {} : membersOf(asJson(operation.query))['properties'] ?? {})).map(([name, schema]) => {
    const { description = '', ...rest } = membersOf(plainSchema(schema, found, false));
    return { name, in: 'query', required: Array.isArray(required) && required.includes(name), description, schema: rest };
  });
  return [
    ...parts, ...query,
    ...(operation.paged === true ? [refTo('parameters', 'Limit'), refTo('parameters', 'After')] : []),
    ...(operation.etag === true ? [refTo('parameters', operation.method === 'GET' ? 'IfNoneMatch' : 'IfMatch')] : []),
    ...(operation.creates === true ? [refTo('parameters', 'IdempotencyKey')] : []),
  ];
}

function describe(operation: AdminOperation, found: Record<string, Json>): Members {
  const { id, area, access, summary, text, serverOnly, body } = operation;
  const needs = area === null ? 'Whoever is known may.' : `Needs the scope \`admin:${area}${access === 'read' ? ':read' : ''}\`, or one that includes it.${serverOnly === true ? ' Callers of one tenant may not.' : ''}`;
  return {
    operationId: id, tags: [tagOf(area)], summary, description: [text, needs].filter((part) => part !== undefined).join('\n\n'), security: [{ operator: [] }], parameters: parametersOf(operation, found),
    ...(body !== undefined && { requestBody: { required: Array.isArray(body['required']) && body['required'].length > 0, content: { 'application/json': { schema: plainSchema(asJson(body), found, false) } } } }),
    responses: {
      ...successOf(operation, found),
      ...Object.fromEntries(failuresOf(operation).map((code) => [problems[code].status, refTo('responses', answerName(code))])), 421: refTo('responses', 'Misdirected'),
    },
  };
}

const text = (description: string, example: string): Members => ({ description, schema: { type: 'string', example } });

/** `/metrics` is for programs that speak no problem documents, so it is no row of the table. */
function describeMetricsPage(): Members {
  const refusal = (description: string): Members => ({
    description, headers: { ...shared, 'WWW-Authenticate': refTo('headers', 'BearerChallenge') }, content: { 'application/json': { schema: refTo('schemas', 'Error') } },
  });
  return {
    get: {
      operationId: 'scrapeMetrics', tags: [tagOf('metrics')], summary: 'All metrics, for Prometheus', security: [{ operator: [] }], parameters: [],
      description: 'Counters, gauges and histograms in the text format of Prometheus. `assay dashboard` prints a Grafana dashboard of them.\n\nNeeds the scope `admin:metrics:read`, or one that includes it. Callers of one tenant may not.',
      responses: {
        200: { description: 'The metrics.', headers: shared, content: { [EXPOSITION_TYPE.replace(/;.*$/, '')]: { schema: { type: 'string' } } } },
        400: refTo('responses', 'BadHost'), 401: refusal('There is no API key or access token, or it is unknown, expired, revoked or not for this.'), 403: refusal('The caller may not read the metrics of the server.'),
        404: refTo('responses', 'NotFound'), 405: refTo('responses', 'MethodNotAllowed'), 421: refTo('responses', 'Misdirected'),
        429: refTo('responses', 'TooMany'), 500: refTo('responses', 'Failed'), 503: refTo('responses', 'Unavailable'),
      },
    },
  };
}

/** The whole admin API for the OpenAPI document, from the same table as its routes, and what else operators' programs read. */
export function describeAdminApi(): AdminDescription {
  const found: Record<string, Json> = {};
  for (const schema of [problemBody, warned]) plainSchema(asJson(schema), found, false);
  const paths: Record<string, Record<string, Json>> = {};
  for (const operation of adminOperations) {
    const path = ADMIN_API + operation.path.replace(/:(\w+)/g, '{$1}');
    (paths[path] ??= {})[operation.method.toLowerCase()] = describe(operation, found);
  }
  const areas = new Set(adminOperations.map(({ area }) => area ?? 'access'));
  const some = (test: (operation: AdminOperation) => boolean): boolean => adminOperations.some(test);
  const needed = new Set(adminOperations.flatMap(failuresOf).map(answerName));
  return {
    paths: { ...paths, '/metrics': describeMetricsPage() }, schemas: found,
    tags: [...areas].map((area) => ({ name: tagOf(area), description: areaWords[area] })),
    responses: Object.fromEntries(Object.entries(problemAnswers()).filter(([name]) => needed.has(name))),
    parameters: {
      Limit: { name: 'limit', in: 'query', description: 'Most items of this part.', schema: { type: 'integer', minimum: 1, maximum: MOST_ITEMS, default: ITEMS } },
      After: { name: 'after', in: 'query', description: 'The `next` of the part before.', schema: { type: 'string' } },
      IfMatch: { name: 'If-Match', in: 'header', description: 'Change it only if it still is what had this ETag.', schema: { type: 'string' } },
      IfNoneMatch: { name: 'If-None-Match', in: 'header', description: 'ETag of what you have: 304 if it is still right.', schema: { type: 'string' } },
      IdempotencyKey: { name: 'Idempotency-Key', in: 'header', description: 'Text of your own, 1 to 255 visible ASCII characters: within a day the same request with it is done once, and answered the same.', schema: { type: 'string', maxLength: 255 } },
    },
    headers: {
      ...(some(isLocated) && { Location: text('Where it is.', 'https://id.example.com/admin/v1/tenants/acme') }),
      ...(some(({ paged }) => paged === true) && { Link: text('The next part, where there is one (RFC 8288).', '<https://id.example.com/admin/v1/tenants?after=YWNtZQ>; rel="next"') }),
    },
    securitySchemes: {
      operator: {
        type: 'http', scheme: 'bearer',
        description: 'An API key (`assay api-key create`), or an access token of the tenant `default` whose audience is the admin API, with scopes that begin with `admin`.',
      },
    },
  };
}
