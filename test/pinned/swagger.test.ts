/** What @elysiajs/swagger does, as far as the OpenAPI document leans on it or works around it. */
import { expect, test } from 'bun:test';
import { swagger } from '@elysiajs/swagger';
import { Elysia, t } from 'elysia';

const form = t.Object({ a: t.String() }, { $id: 'Form' });
const documentation = {
  info: { title: 'x', version: '1' }, servers: [{ url: '/' }],
  components: { responses: { Gone: { description: 'gone' } }, schemas: { Own: { type: 'string' as const } } },
};

async function generate(register: (app: Elysia) => unknown, options: { readonly excludeStaticFile?: boolean } = {}): Promise<ReturnType<typeof JSON.parse>> {
  const app = new Elysia();
  app.use(swagger({ path: '/page', specPath: '/document', documentation, ...options }));
  register(app);
  return await (await app.handle(new Request('http://localhost/document'))).json();
}

test('paths with a dot are taken for files and left out, unless told otherwise', async () => {
  const register = (app: Elysia): unknown => app.get('/.well-known/x', () => '').get('/jwks.json', () => '');
  expect(Object.keys((await generate(register)).paths)).toEqual([]);
  expect(Object.keys((await generate(register, { excludeStaticFile: false })).paths)).toEqual(['/.well-known/x', '/jwks.json']);
});

test('with `parse: none` there is no request body; a body schema becomes JSON, multipart and text, never a form', async () => {
  const { paths } = await generate((app) => app.post('/none', () => '', { parse: 'none' }).post('/body', () => '', { parse: 'none', body: form }));
  expect(paths['/none'].post.requestBody).toBeUndefined();
  expect(Object.keys(paths['/body'].post.requestBody.content)).toEqual(['application/json', 'multipart/form-data', 'text/plain']);
});

test('`detail` goes into the document as it is, references too', async () => {
  const detail = {
    operationId: 'mine', tags: ['T'], responses: { 200: { $ref: '#/components/responses/Gone' } },
    requestBody: { content: { 'application/x-www-form-urlencoded': { schema: { $ref: '#/components/schemas/Form' } } } },
  };
  const document = await generate((app) => app.model({ Form: form }).post('/x', () => '', { parse: 'none', detail }));
  expect(document.paths['/x'].post).toEqual(detail);
  expect(document.components.responses).toEqual(documentation.components.responses);
  expect(Object.keys(document.components.schemas)).toEqual(['Form', 'Own']);
});

test('models keep their `$id`, which OpenAPI 3.0 does not know', async () => {
  const document = await generate((app) => app.model({ Form: form }));
  expect(document.components.schemas.Form.$id).toBe('Form');
});

test('a path parameter that is only referenced is added a second time; one that is written out is not', async () => {
  const written = { name: 'slug', in: 'path', required: true, schema: { type: 'string' as const, pattern: 'p' } };
  const { paths } = await generate((app) => app
    .get('/a/:slug', () => '', { detail: { parameters: [{ $ref: '#/components/parameters/slug' }] } })
    .get('/b/:slug', () => '', { detail: { parameters: [written] } }));
  expect(paths['/a/{slug}'].get.parameters).toHaveLength(2);
  expect(paths['/b/{slug}'].get.parameters).toEqual([written]);
});

test('schemas of responses make multipart answers without a description', async () => {
  const { paths } = await generate((app) => app.get('/x', () => ({ a: '' }), { response: { 200: t.Object({ a: t.String() }) } }));
  const answer = paths['/x'].get.responses['200'];
  expect(Object.keys(answer.content)).toContain('multipart/form-data');
  expect(answer.description).toBeUndefined();
});

test('its page loads scripts from strangers, so it is never served', async () => {
  const app = new Elysia().use(swagger({ path: '/page', documentation }));
  expect(await (await app.handle(new Request('http://localhost/page'))).text()).toContain('https://cdn.jsdelivr.net');
});

test('the document says 3.0.3', async () => {
  expect((await generate(() => undefined)).openapi).toBe('3.0.3');
});
