import type { swagger } from '@elysiajs/swagger';
import { Elysia, type TSchema } from 'elysia';
import { shapeNames } from '../core/model.ts';
import { documentedPath, healthOperations } from './describe.ts';
import { headers, introduction, ref, responses, securitySchemes, tags } from './openapi-parts.ts';
import { listOf, membersOf, plainSchema, type Json } from './openapi-schema.ts';
import { activeAnswers, errorBody, health, inactive, keySet, revoked, schemaName, serverMetadata, tokenResponse, userinfo } from './response-schemas.ts';
import { describeAdminApi } from './admin/openapi.ts';
import { operations } from './routes.ts';
import { authorizationForm, introspectForm, logoutForm, revokeForm, tokenForm, userinfoForm } from './schemas.ts';

/** The document, as plain JSON. */
export type OpenApiDocument = { readonly [member: string]: Json };

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
 * @param admin whether the admin API is served there; only on the server's own origin
 */
export async function openApiDocument(site: DocumentSite = 'own', admin = true): Promise<OpenApiDocument> {
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
  const document = normalise(await readJson(response));
  return site === 'own' && admin ? withAdminApi(document) : document;
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

/** The admin API, which is on the server's own origin only. It is written out here: the plugin knows neither problem documents nor conditions. */
function withAdminApi(document: OpenApiDocument): OpenApiDocument {
  const { paths, tags: more, schemas, ...parts } = describeAdminApi();
  const components = membersOf(document['components'] ?? {});
  const joined = Object.fromEntries(Object.entries(parts).map(([kind, items]) => [kind, { ...membersOf(components[kind] ?? {}), ...membersOf(items) }]));
  const all = { ...membersOf(components['schemas'] ?? {}), ...schemas };
  return {
    ...document, tags: [...listOf(document['tags']), ...more], paths: { ...membersOf(document['paths'] ?? {}), ...paths },
    components: { ...components, ...joined, schemas: Object.fromEntries(Object.entries(all).sort(([a], [b]) => a.localeCompare(b))) },
  };
}
