/**
 * Calls of the admin API that are held to its own OpenAPI document: the status must be one that the document names for the
 * operation, and the body must be what it says, with no member more.
 *
 * How to add a call of an operation (every operation has at least one; test/http/admin-operations.test.ts fails without):
 * in `test/helpers/admin-examples/AREA.ts` export `AREAExamples: readonly AdminExample[]`, and add it to `table.ts` there.
 * An example names the operation by its id and makes the request out of the stage: a server with a tenant `acme`, and
 * a key that may do everything. What it needs it makes first: with `stage.call('createClient', { … })`, or through the acts in
 * `stage.fixture.application.ctx`. `stage.fresh('word')` is a name that nothing else has. What it returns is sent, must be
 * answered with success (`status` where that is another than the first that is documented), and is checked:
 *
 *     { id: 'getClient', request: async (stage) => {
 *       const { client_id: client } = await stage.made('createClient', { parts: { tenant: 'acme' }, body: { id: stage.fresh('svc') } });
 *       return { parts: { tenant: 'acme', client } };
 *     } }
 */
import Ajv, { type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import { everything, createApiKey } from '../../src/service/manage-access.ts';
import type { Tenant } from '../../src/core/model.ts';
import { makeTenant, must, startFixture, type Fixture } from './fixture.ts';
import type { ServerOptions } from './server.ts';

/** As a reader of JSON sees it: nothing is known of its types. */
type Json = ReturnType<typeof JSON.parse>;

/** What varies of a request. */
export type AdminRequest = {
  /** Variable parts of the path, as they are; they are percent-encoded here. */
  readonly parts?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  /** A JSON value; a text is sent as it is. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** API key to call with; null: none. Left out: the one that may do everything. */
  readonly key?: string | null;
};

export type AdminAnswer = { readonly status: number; readonly headers: Headers; readonly text: string; readonly json: Json };

/** A call that goes well. */
export type AdminExample = {
  readonly id: string;
  readonly request: (stage: AdminStage) => AdminRequest | Promise<AdminRequest>;
  readonly status?: number;
  /** What else must be so. */
  readonly expect?: (answer: AdminAnswer, stage: AdminStage) => void | Promise<void>;
};

type Operation = { readonly path: string; readonly method: string; readonly described: Json };

/** Schemas of OpenAPI 3.0 as JSON Schema, every object closed that does not say otherwise. */
function toJsonSchema(schema: Json): Json {
  if (Array.isArray(schema)) return schema.map(toJsonSchema);
  if (typeof schema !== 'object' || schema === null) return schema;
  const { nullable, example: _example, $ref, properties, ...rest } = schema;
  if (typeof $ref === 'string') return { $ref: `document${$ref}` };
  const plain: Json = Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, name === 'enum' || name === 'required' ? value : toJsonSchema(value)]));
  if (properties !== undefined) {
    plain.properties = Object.fromEntries(Object.entries(properties).map(([name, value]) => [name, toJsonSchema(value)]));
    plain.additionalProperties ??= false;
  }
  return nullable === true ? { anyOf: [plain, { type: 'null' }] } : plain;
}

const WARNED = '#/components/schemas/Warned';

/** A running server, its document, and a key. */
export class AdminStage {
  readonly fixture: Fixture;
  readonly document: Json;
  readonly acme: Tenant;
  /** May do everything. */
  readonly key: string;
  readonly operations: ReadonlyMap<string, Operation>;
  readonly #ajv = addFormats(new Ajv({ strict: false, allErrors: true }));
  readonly #validators = new Map<string, ValidateFunction>();
  #count = 0;

  private constructor(fixture: Fixture, document: Json, acme: Tenant, key: string) {
    this.fixture = fixture;
    this.document = document;
    this.acme = acme;
    this.key = key;
    this.#ajv.addSchema({ components: { schemas: Object.fromEntries(Object.entries(document.components.schemas).map(([name, schema]) => [name, toJsonSchema(schema)])) } }, 'document');
    const paths: [string, Json][] = Object.entries(document.paths).filter(([path]) => path.startsWith('/admin/v1'));
    this.operations = new Map(paths.flatMap(([path, item]) => Object.entries<Json>(item).map(([method, described]) => [String(described.operationId), { path, method: method.toUpperCase(), described }] as const)));
  }

  static async start(options: ServerOptions = {}): Promise<AdminStage> {
    const fixture = await startFixture(options);
    const document: Json = await (await fetch(`${fixture.server.url}/docs/json`)).json();
    const acme = await makeTenant(fixture, 'acme');
    return new AdminStage(fixture, document, acme, await makeKey(fixture));
  }

  close(): Promise<void> {
    return this.fixture.close();
  }

  /** A name that nothing else has. */
  fresh(word: string): string {
    this.#count += 1;
    return `${word}-${this.#count}`;
  }

  /** URL of an operation. */
  urlOf(id: string, { parts = {}, query = {} }: AdminRequest = {}): string {
    const path = this.operation(id).path.replace(/\{(\w+)\}/g, (_, name: string) => {
      const value = parts[name];
      if (value === undefined) throw new Error(`${id}: the path needs the part ${name}`);
      return encodeURIComponent(value);
    });
    const search = new URLSearchParams(query).toString();
    return `${this.fixture.server.url}${path}${search === '' ? '' : `?${search}`}`;
  }

  operation(id: string): Operation {
    const operation = this.operations.get(id);
    if (operation === undefined) throw new Error(`there is no operation ${id} in the document`);
    return operation;
  }

  /** Calls an operation, and holds whatever is answered to the document. @throws Error that says what is not as documented */
  async call(id: string, request: AdminRequest = {}): Promise<AdminAnswer> {
    const { method } = this.operation(id);
    const { body, headers = {}, key = this.key } = request;
    const response = await fetch(this.urlOf(id, request), {
      method, redirect: 'manual',
      headers: { ...(key !== null && { Authorization: `Bearer ${key}` }), ...(body !== undefined && { 'Content-Type': 'application/json' }), ...headers },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = /\bjson\b/.test(response.headers.get('content-type') ?? '') && !/jsonl|ndjson|seq/.test(response.headers.get('content-type') ?? '');
    const answer: AdminAnswer = { status: response.status, headers: response.headers, text, json: isJson && text !== '' ? JSON.parse(text) : null };
    const fault = this.findFault(id, answer);
    if (fault !== null) throw new Error(`${id} ${answer.status}: ${fault}\n${text.slice(0, 2_000)}`);
    return answer;
  }

  /** The same for what must succeed. @returns the document */
  async made(id: string, request: AdminRequest = {}): Promise<Json> {
    const answer = await this.call(id, request);
    if (answer.status >= 300) throw new Error(`${id} ${answer.status}: ${answer.text}`);
    return answer.json;
  }

  /** The first status of success that is documented. */
  successOf(id: string): number {
    const [status] = Object.keys(this.operation(id).described.responses).map(Number).filter((one) => one < 300);
    if (status === undefined) throw new Error(`${id} has no success`);
    return status;
  }

  /** What is not as the document says; null: nothing. */
  private findFault(id: string, answer: AdminAnswer): string | null {
    const { described } = this.operation(id);
    const named: Json = described.responses[String(answer.status)];
    if (named === undefined) return 'this status is not documented';
    const response = named.$ref === undefined ? named : this.document.components.responses[named.$ref.split('/').at(-1)];
    const missing = Object.keys(response.headers ?? {}).filter((name) => name !== 'Link' && !answer.headers.has(name) && !(name === 'Location' && answer.json === null));
    if (missing.length > 0) return `the headers ${missing.join(', ')} are missing`;
    const [type] = (answer.headers.get('content-type') ?? '').split(';');
    if (response.content === undefined) return answer.text === '' ? null : 'there is a body that is not documented';
    const media: Json = response.content[type ?? ''];
    if (media === undefined) return `the type ${type} is not documented`;
    return answer.json === null ? null : this.findBodyFault(media.schema, answer.json);
  }

  private findBodyFault(schema: Json, json: Json): string | null {
    const [first, second]: Json[] = schema.allOf ?? [];
    if (second?.$ref !== WARNED) return this.validate(schema, json);
    const { warnings, ...document } = json;
    if (warnings !== undefined && !(Array.isArray(warnings) && warnings.length > 0 && warnings.every((text) => typeof text === 'string'))) return 'warnings are no list of texts';
    return this.validate(first, document);
  }

  private validate(schema: Json, json: Json): string | null {
    const name = JSON.stringify(schema);
    const validate = this.#validators.get(name) ?? this.#ajv.compile(toJsonSchema(schema));
    this.#validators.set(name, validate);
    return validate(json) ? null : this.#ajv.errorsText(validate.errors, { dataVar: 'body' }) + JSON.stringify(validate.errors?.map(({ params }) => params));
  }
}

/** Makes an API key. @param scope words, separated by spaces @param tenant the one that it is for */
export async function makeKey({ application }: Fixture, scope = 'admin', tenant: Tenant | null = null, ttl: number | null = null): Promise<string> {
  return must(await createApiKey(application.ctx, everything, { name: 'test', scopes: scope.split(' '), tenant, ttl })).text;
}
