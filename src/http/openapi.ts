import type { swagger } from '@elysiajs/swagger';
import { Elysia, type TSchema } from 'elysia';
import { shapeNames } from '../core/model.ts';
import { documentedPath, healthOperations } from './describe.ts';
import { headers, introduction, ref, responses, securitySchemes, tags } from './openapi-parts.ts';
import { activeAnswers, errorBody, health, inactive, keySet, revoked, schemaName, serverMetadata, tokenResponse, userinfo } from './response-schemas.ts';
import { operations } from './routes.ts';
import { authorizationForm, introspectForm, logoutForm, revokeForm, tokenForm, userinfoForm } from './schemas.ts';

/** The document, as plain JSON. */
export type OpenApiDocument = { readonly [member: string]: Json };
type Json = string | number | boolean | null | readonly Json[] | { readonly [member: string]: Json };

/**
 * On which site the document is read: the server's own origin has every layout, a tenant's hostname only `root`
 * (wire contract §1).
 */
export type DocumentSite = 'own' | 'tenant';

/** Version of what the document promises; the program's own is nobody's business over HTTP (OP-09). */
const CONTRACT_VERSION = '1.0';

/** Every schema that has a name in the document. Schemas inside them with an `$id` join by themselves. */
const named: readonly TSchema[] = [introspectForm, ...activeAnswers.values(), inactive, revokeForm, revoked, tokenForm, tokenResponse, authorizationForm, logoutForm, userinfoForm, userinfo, keySet, serverMetadata, health, errorBody];

/** An answer in one response form: one of two, told apart by `active`. */
const answers = Object.fromEntries(shapeNames.map((name) => [schemaName(name), {
  description: `An introspection answer in the response form \`${name}\`.`,
  oneOf: [ref('schemas', `${schemaName(name)}Active`), ref('schemas', 'Inactive')],
}]));

type Documentation = NonNullable<NonNullable<Parameters<typeof swagger>[0]>['documentation']>;

function documentation(site: DocumentSite): Documentation {
  return {
    info: { title: 'Assay', version: CONTRACT_VERSION, description: introduction(site) },
    servers: [{ url: '/' }],
    tags,
    components: { schemas: answers, securitySchemes, headers, responses },
  };
}

/**
 * The OpenAPI 3.0 document of the server, from the same table that its routes are made from. It needs neither a running
 * server nor data.
 */
export async function openApiDocument(site: DocumentSite = 'own'): Promise<OpenApiDocument> {
  // Loaded when somebody asks: the plugin brings a page of its own that is never served, and a start waits for nothing.
  const { swagger: plugin } = await import('@elysiajs/swagger');
  const app = new Elysia().use(plugin({ path: '/page', specPath: '/document', excludeStaticFile: false, documentation: documentation(site) }));
  for (const schema of named) app.model({ [nameOf(schema)]: schema });
  for (const { method, path, layout, describe } of operations) {
    if (site === 'tenant' && layout.prefix !== '') continue;
    app.route(method, documentedPath(layout, path), () => '', { parse: 'none', detail: describe() });
  }
  for (const { path, detail } of healthOperations) app.get(path, () => '', { detail });
  const response = await app.handle(new Request('http://localhost/document'));
  return normalise(await readJson(response));
}

async function readJson(response: Response): Promise<OpenApiDocument> {
  return await response.json() as OpenApiDocument;
}

function nameOf(schema: TSchema): string {
  if (schema.$id === undefined) throw new Error('a schema of the document has no name');
  return schema.$id;
}

/** The plugin's schemas are JSON Schema with habits of its own; OpenAPI 3.0 has a narrower vocabulary (pinned). */
function normalise(document: OpenApiDocument): OpenApiDocument {
  const components = membersOf(document['components'] ?? {});
  const schemas: Record<string, Json> = {};
  for (const [name, schema] of Object.entries(membersOf(components['schemas'] ?? {}))) schemas[name] = plainSchema(schema, schemas, true);
  const { openapi = '3.0.3', info = {}, servers = [], tags: groups = [], paths = {} } = document;
  return { openapi, info, servers, tags: groups, paths, components: { ...components, schemas: Object.fromEntries(Object.entries(schemas).sort(([a], [b]) => a.localeCompare(b))) } };
}

/**
 * One schema in the words of OpenAPI 3.0.
 * @param found where schemas inside it that have a name of their own are put, while a reference takes their place
 */
function plainSchema(schema: Json, found: Record<string, Json>, top: boolean): Json {
  if (Array.isArray(schema)) return schema.map((item: Json) => plainSchema(item, found, false));
  if (!isObject(schema)) return schema;
  const { $id, const: value, anyOf, ...rest } = schema;
  if (typeof $id === 'string' && !top) {
    found[$id] ??= plainSchema(schema, found, true);
    return ref('schemas', $id);
  }
  if (value !== undefined) return { ...rest, enum: [value] };
  // Numbers come as "a string of digits, or a number", because the framework would read both.
  const number = listOf(anyOf).map(membersOf).find(({ type }) => type === 'integer' || type === 'number');
  if (number !== undefined) return { ...number, ...rest };
  return Object.fromEntries(Object.entries(anyOf === undefined ? rest : { ...rest, anyOf })
    .map(([key, item]) => [key, key === 'properties' ? plainProperties(membersOf(item), found) : plainSchema(item, found, false)]));
}

function plainProperties(properties: Readonly<Record<string, Json>>, found: Record<string, Json>): Json {
  return Object.fromEntries(Object.entries(properties)
    .filter(([, property]) => membersOf(property)['x-internal'] !== true)
    .map(([name, property]) => [name, plainSchema(property, found, false)]));
}

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value as readonly Json[] : [];
}

function isObject(value: Json): value is { readonly [member: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function membersOf(value: Json): { readonly [member: string]: Json } {
  return isObject(value) ? value : {};
}
