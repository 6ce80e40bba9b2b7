/** The OpenAPI document: what it lists, that it is valid, and that the server answers as it says (OP-10, HT-18). */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { discoveryNames, discoveryPaths, endpointNames, layouts } from '../../src/core/layouts.ts';
import { shapeNames } from '../../src/core/model.ts';
import { makeAnswerMemory } from '../../src/http/answer-memory.ts';
import { makeBrowserOrigins } from '../../src/http/cors.ts';
import { adminOperations } from '../../src/http/admin/table.ts';
import { openApiDocument } from '../../src/http/openapi.ts';
import { makeFairShare } from '../../src/http/fair-share.ts';
import { makeResponder } from '../../src/http/respond.ts';
import { makeRoutes } from '../../src/http/routes.ts';
import { makeSitePages } from '../../src/http/site-pages.ts';
import { updateTenant } from '../../src/service/manage-tenants.ts';
import { makeKey } from '../helpers/admin.ts';
import { defaultTenant, homeUrl, issue, makeClient, makeTenant, makeUser, must, startFixture, urlOf, type Fixture } from '../helpers/fixture.ts';
import { basic, postForm, startServer } from '../helpers/server.ts';

/** As a reader of JSON sees it: nothing is known of its types. */
type Json = ReturnType<typeof JSON.parse>;

const own: Json = await openApiDocument();
const tenant: Json = await openApiDocument('tenant');

const entriesOf = (value: Json): [string, Json][] => Object.entries(value);

/** `GET /path` of every operation. */
function operationsOf(document: Json): string[] {
  return entriesOf(document.paths).flatMap(([path, item]) => Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`)).sort();
}

const everything = entriesOf(own.paths).flatMap(([path, item]) =>
  entriesOf(item).map(([method, operation]) => ({ path, method, operation })));
/** Of the protocol; the admin API has tests of its own (admin-operations.test.ts). */
const everyOperation = everything.filter(({ path }) => !path.startsWith('/admin/v1') && path !== '/metrics');
const adminNames = [...adminOperations.map(({ method, path }) => `${method} /admin/v1${path.replace(/:(\w+)/g, '{$1}')}`), 'GET /metrics'];

const braces = (path: string): string => path.replace('/orgs/:slug', '/orgs/{orgId}').replace(':slug', '{slug}');

const methodsOf = { introspect: ['POST'], revoke: ['POST'], token: ['POST'], jwks: ['GET'], userinfo: ['GET', 'POST'], authorize: ['GET', 'POST'], logout: ['GET', 'POST'] } as const;

describe('OP-10 the document', () => {
  test('lists every endpoint of every layout, every alias, both discovery documents and health, and nothing else', () => {
    const expected = Object.values(layouts).flatMap((layout) => [
      ...endpointNames.flatMap((name) => layout.paths[name].flatMap(({ path }) => methodsOf[name].map((method) => `${method} ${braces(layout.prefix + path)}`))),
      ...discoveryNames.flatMap((name) => discoveryPaths(layout, name).map((path) => `GET ${braces(path)}`)),
    ]);
    expect(operationsOf(own)).toEqual([...expected, ...adminNames, 'GET /healthz', 'GET /readyz'].sort());
  });

  test('lists on a tenant\'s hostname what that hostname serves: the layout root and health', () => {
    expect(operationsOf(tenant)).toEqual(operationsOf(own).filter((name) => !name.includes('{') && !name.includes('/admin/v1') && name !== 'GET /metrics'));
  });

  test('is valid to a validator that nobody here wrote', async () => {
    for (const document of [own, tenant]) expect(await new Validator().validate(structuredClone(document))).toMatchObject({ valid: true });
  });

  test('refers only to what it has, and has nothing that it does not refer to', () => {
    for (const document of [own, tenant]) {
      const references = new Set([...JSON.stringify(document).matchAll(/"#\/components\/([^"]+)"/g)].map(([, name]) => name ?? ''));
      const { schemas, responses, headers, parameters = {} } = document.components;
      const present = entriesOf({ schemas, responses, headers, parameters }).flatMap(([kind, items]) => Object.keys(items).map((name) => `${kind}/${name}`));
      expect([...references].sort()).toEqual(present.sort());
    }
  });

  test('tells operations apart by a summary, words and a stable id', () => {
    const ids = everything.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toContain('introspectRoot');
    expect(ids).toContain('introspectRootOauth2Introspection');
    const groups = own.tags.map(({ name }: Json) => name);
    for (const { operation } of everything) {
      expect(operation.summary).toBeString();
      expect(operation.description.length).toBeGreaterThan(40);
      expect(groups).toContain(operation.tags[0]);
    }
    expect(own.servers).toEqual([{ url: '/' }]);
  });

  test('gives every POST an inline form whose schema is a reference, and both kinds of credentials', () => {
    for (const { method, operation } of everyOperation) {
      if (method !== 'post' || operation.tags.includes('Userinfo') || operation.tags.includes('Sign-in')) continue;
      const { content } = operation.requestBody;
      expect(Object.keys(content)).toEqual(['application/x-www-form-urlencoded']);
      const reference = content['application/x-www-form-urlencoded'].schema.$ref;
      const schema = own.components.schemas[reference.split('/').at(-1) ?? ''];
      expect(Object.keys(schema.properties)).toEqual(expect.arrayContaining(['client_id', 'client_secret']));
      expect(operation.security).toEqual([{ basic: [] }, {}]);
      expect(Object.keys(operation.responses)).toEqual(['200', '400', '401', '404', '405', '413', '415', '421', '429', '500', '503']);
    }
  });

  test('US-01, US-02 userinfo takes its token as a bearer, or in a form with POST', () => {
    for (const { method, operation } of everyOperation.filter((each) => each.operation.tags.includes('Userinfo'))) {
      expect(operation.security).toEqual(method === 'get' ? [{ bearer: [] }] : [{ bearer: [] }, {}]);
      expect(operation.requestBody === undefined).toBe(method === 'get');
      expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(['200', '400', '401', '403', '404', '405']));
    }
  });

  test('names every response form, the usual one of the URL first', () => {
    const first = (path: string): string => own.paths[path].post.responses['200'].content['application/json'].schema.anyOf[0].$ref.split('/').at(-1);
    expect(first('/oauth2/introspect')).toBe('IntrospectionStandard');
    expect(first('/oauth2/introspection')).toBe('IntrospectionWorkos');
    expect(first('/t/{slug}/protocol/openid-connect/introspect')).toBe('IntrospectionKotauth');
    expect(first('/orgs/{orgId}/api/v1/oauth/introspect')).toBe('IntrospectionStandard');
    expect(Object.keys(own.components.schemas).filter((name) => name.endsWith('Active'))).toHaveLength(shapeNames.length);
  });

  test('HT-18 has nothing in it that works anywhere', () => {
    const text = JSON.stringify(own);
    expect(text).not.toMatch(/ey[A-Za-z0-9_-]{10,}\./);
    expect(text).not.toMatch(/"(?:at|rt|cs)_(?!example_not_a_real)/);
  });
});

describe('the server answers as the document says', () => {
  let fixture: Fixture;
  beforeAll(async () => {
    fixture = await startFixture({ env: { ASSAY_RATE_LIMITS: 'on' } });
  });
  afterAll(() => fixture.close());

  test('GET /docs/json is the document, on the own origin and on a tenant\'s hostname', async () => {
    const aero = await makeTenant(fixture, 'aero2', { preset: 'aero2' });
    const at = async (host: string): Promise<unknown> => (await fetch(`${fixture.server.url}/docs/json`, { headers: { host } })).json();
    expect(await at(new URL(fixture.server.url).host)).toEqual(own);
    expect(await at(aero.host ?? '')).toEqual(tenant);
  });

  test('lists every live route: all but HEAD, OPTIONS and the pages for people', () => {
    const { ctx } = fixture.application;
    const server = { ctx, respond: makeResponder(false), answers: makeAnswerMemory(ctx.store, ctx.clock), docs: true, mailbox: false, demo: null, readiness: { stopping: false, clockBehindMs: () => 0 } };
    const live = [...makeRoutes(server, makeBrowserOrigins(ctx.store), makeFairShare()), ...makeSitePages(server)]
      .filter(({ method }) => method === 'GET' || method === 'POST').map(({ method, path }) => `${method} ${braces(path)}`);
    const pages = live.filter((name) => name === 'GET /' || name.startsWith('GET /docs'));
    expect(pages).toHaveLength(8);
    expect(operationsOf(own)).toEqual([...live.filter((name) => !pages.includes(name)), ...adminNames, 'GET /healthz', 'GET /readyz'].sort());
  });

  test('every operation is there: nothing in the document is answered as an unknown path', async () => {
    await makeTenant(fixture, 'realm-one', { preset: 'kotauth' });
    await makeTenant(fixture, 'org-one', { preset: 'lumoauth' });
    for (const { path, method } of everyOperation) {
      const url = fixture.server.url + path.replace('{slug}', 'realm-one').replace('{orgId}', 'org-one');
      const { status } = await fetch(url, { method: method.toUpperCase() });
      const bare = { userinfo: [401, 401], logout: [200, 400], authorize: [400, 400], auth: [400, 400] }[path.split('/').at(-1) ?? ''] ?? [200, 400];
      expect([path, method, status]).toEqual([path, method, bare[method === 'get' ? 0 : 1] ?? 0]);
    }
  });

  test('answers hold the documented members and headers, in every response form', async () => {
    const home = await defaultTenant(fixture);
    const user = await makeUser(fixture, home, 'alice');
    // Its answers say how its limits stand.
    must(await updateTenant(fixture.application.ctx, home.slug, { operations: { limits: { tenant: 10_000 } } }));
    for (const shape of shapeNames) {
      const id = `form-${shape}`;
      const client = await makeClient(fixture, home, id, { shape, grants: ['refresh_token'], scopes: ['openid', 'email', 'offline_access'] });
      const { access_token: access, refresh_token: refresh } = await issue(fixture, home, id, { user: user.id });
      const schema = own.components.schemas[`Introspection${shape.charAt(0).toUpperCase()}${shape.slice(1)}Active`];
      for (const token of [access, refresh ?? '']) {
        const response = await postForm(urlOf(fixture, home, 'root', 'introspect'), { token }, { authorization: basic(client.id, client.secret) });
        const answer: Json = await response.json();
        expect(answer.active).toBe(true);
        expect(Object.keys(schema.properties)).toEqual(expect.arrayContaining(Object.keys(answer)));
        expect(Object.keys(answer)).toEqual(expect.arrayContaining(schema.required));
        for (const name of Object.keys(own.paths['/oauth2/introspect'].post.responses['200'].headers)) expect(response.headers.get(name)).toBeString();
      }
    }
  });

  test('RL-02 a refusal by a tenant\'s limits is documented wherever one may come, with its headers', async () => {
    for (const name of ['introspect', 'revoke', 'token', 'userinfo'] as const) {
      for (const { path } of layouts.root.paths[name]) {
        for (const described of Object.values<Json>(own.paths[path])) expect([path, described.responses['429']]).toEqual([path, { $ref: '#/components/responses/TooMany' }]);
      }
    }
    const narrow = await makeTenant(fixture, 'narrow', { operations: { limits: { tenant: 1 } } });
    const client = await makeClient(fixture, narrow, 'narrow');
    const ask = (): Promise<Response> => postForm(homeUrl(fixture, narrow, 'introspect'), { token: 'x' }, { authorization: basic(client.id, client.secret) });
    expect((await ask()).status).toBe(200);
    const refused = await ask();
    expect(refused.status).toBe(429);
    for (const name of Object.keys(own.components.responses.TooMany.headers)) expect([name, refused.headers.get(name)]).toEqual([name, expect.any(String)]);
  });

  test('GET /metrics answers as documented, refusals included', async () => {
    const { responses, security } = own.paths['/metrics'].get;
    expect(Object.keys(own.components.securitySchemes)).toContain(Object.keys(security[0])[0] ?? '');
    for (const [key, status] of [[await makeKey(fixture), 200], [await makeKey(fixture, 'admin:clients'), 403], ['wrong', 401]] as const) {
      const answer = await fetch(`${fixture.server.url}/metrics`, { headers: { Authorization: `Bearer ${key}` } });
      const described = responses[String(status)];
      expect([answer.status, answer.headers.get('content-type')?.split(';')[0]]).toEqual([status, Object.keys(described.content)[0]]);
      for (const name of Object.keys(described.headers)) expect([name, answer.headers.get(name)]).toEqual([name, expect.any(String)]);
      await answer.body?.cancel();
    }
  });

  test('discovery, keys and errors hold the documented members', async () => {
    const schemas = own.components.schemas;
    const members = async (path: string): Promise<string[]> => {
      const answer: Json = await (await fetch(fixture.server.url + path)).json();
      return Object.keys(answer).sort();
    };
    expect(await members('/.well-known/openid-configuration')).toEqual(Object.keys(schemas['ServerMetadata'].properties).sort());
    expect(await members('/oauth2/jwks.json')).toEqual(['keys']);
    expect(await members('/oauth2/introspect')).toEqual(['error', 'error_description']);
    expect(await members('/healthz')).toEqual(['status']);
  });

  test('HT-18 the pages have types, validators and their own policy, and nobody sniffs', async () => {
    const page = await fetch(`${fixture.server.url}/docs`);
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(page.headers.get('content-security-policy')).toBe('default-src \'none\'; script-src \'self\'; style-src \'self\'; img-src \'self\' data:; connect-src \'self\'; '
      + 'base-uri \'none\'; form-action \'none\'; frame-ancestors \'none\'');
    const html = await page.text();
    const parts = [...html.matchAll(/(?:src|href)="(\/docs\/[^"]+\?v=[^"]+)"/g)].map(([, url]) => url ?? '');
    expect(new Set(parts).size).toBe(5);
    expect(html).not.toMatch(/<script>|<style>| style=|https?:/);
    for (const url of [...parts, '/docs', '/docs/json']) {
      const response = await fetch(fixture.server.url + url);
      expect(response.headers.get('x-content-type-options')).toBe('nosniff');
      expect(response.headers.get('cache-control')).toBe(url.includes('?v=') ? 'public, max-age=31536000, immutable' : 'no-cache');
      const bytes = (await response.bytes()).byteLength;
      const known = await fetch(fixture.server.url + url, { headers: { 'if-none-match': response.headers.get('etag') ?? '' } });
      expect([url, known.status, (await known.bytes()).byteLength]).toEqual([url, 304, 0]);
      const head = await fetch(fixture.server.url + url, { method: 'HEAD', headers: { 'accept-encoding': 'identity' } });
      expect([url, head.status, head.headers.get('content-length')]).toEqual([url, 200, String(bytes)]);
    }
    const other = await fetch(`${fixture.server.url}/docs/start.js?v=older`);
    expect(other.headers.get('cache-control')).toBe('no-cache');
  });

  test('HT-18 large parts go as gzip to those who take it: other bytes with a validator of their own, the same text', async () => {
    const html = await (await fetch(`${fixture.server.url}/docs`)).text();
    const urls = [...html.matchAll(/"(\/docs\/swagger-ui\.(?:js|css)\?v=[^"]+)"/g)].map(([, url]) => fixture.server.url + (url ?? ''));
    expect(urls).toHaveLength(2);
    for (const url of urls) {
      const get = (encoding: string, method = 'GET', more: Readonly<Record<string, string>> = {}): Promise<Response> =>
        fetch(url, { method, headers: { 'accept-encoding': encoding, ...more }, decompress: false });
      const [plain, packed] = [await get('identity'), await get('br;q=1, gzip;q=0.5')];
      expect([plain, packed].map(({ headers }) => headers.get('content-encoding'))).toEqual([null, 'gzip']);
      const [text, bytes] = [new Uint8Array(await plain.arrayBuffer()), new Uint8Array(await packed.arrayBuffer())];
      expect(Bun.gunzipSync(bytes)).toEqual(text);
      expect(bytes.byteLength).toBeLessThan(text.byteLength / 2);
      const tags = [plain, packed].map(({ headers }) => headers.get('etag') ?? '');
      expect(new Set(tags).size).toBe(2);
      for (const [index, [response, encoding, length]] of ([[plain, 'gzip;q=0', text.byteLength], [packed, '*', bytes.byteLength]] as const).entries()) {
        const head = await get(encoding, 'HEAD');
        expect(head.status).toBe(200);
        for (const name of ['content-encoding', 'content-type', 'etag', 'cache-control', 'vary']) expect([name, head.headers.get(name)]).toEqual([name, response.headers.get(name)]);
        expect([head.headers.get('content-length'), head.headers.get('vary')]).toEqual([String(length), 'Accept-Encoding']);
        const known = await get(encoding, 'GET', { 'if-none-match': tags[index] ?? '' });
        expect([known.status, known.headers.get('content-encoding'), known.headers.get('vary'), (await known.bytes()).byteLength]).toEqual([304, null, 'Accept-Encoding', 0]);
        expect((await get(encoding, 'GET', { 'if-none-match': tags[1 - index] ?? '' })).status).toBe(200);
      }
    }
  });

  test('HT-18 with the documentation off there is none, and the front page does not speak of it', async () => {
    const server = await startServer({ env: { ASSAY_DOCS: 'off' } });
    try {
      for (const path of ['/docs', '/docs/json', '/docs/swagger-ui.js']) expect((await fetch(server.url + path)).status).toBe(404);
      expect(await (await fetch(server.url)).text()).not.toContain('/docs');
    } finally {
      await server.stop();
    }
  });
});
