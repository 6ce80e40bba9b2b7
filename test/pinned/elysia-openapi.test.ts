/** What Elysia makes of schemas, as far as the OpenAPI document leans on it or works around it. */
import { expect, test } from 'bun:test';
import { Elysia, t } from 'elysia';

test('an integer is "a string of digits, or an integer": the document keeps the second', () => {
  expect(JSON.parse(JSON.stringify(t.Integer({ description: 'd' })))).toEqual({
    description: 'd',
    anyOf: [{ type: 'string', format: 'integer', default: 0 }, { description: 'd', type: 'integer' }],
  });
});

test('a literal is a `const`, which OpenAPI 3.0 does not know', () => {
  expect(JSON.parse(JSON.stringify(t.Literal(true)))).toEqual({ const: true, type: 'boolean' });
});

test('a schema keeps its `$id` inside another, optional or not', () => {
  const inner = t.Object({}, { $id: 'Inner' });
  expect(JSON.parse(JSON.stringify(t.Object({ a: inner, b: t.Optional(inner) })))).toMatchObject({
    properties: { a: { $id: 'Inner' }, b: { $id: 'Inner' } }, required: ['a'],
  });
});

test('routes are listed with the path that they were registered with', () => {
  const app = new Elysia().route('POST', '/orgs/:orgId/x.json', () => '', { parse: 'none', detail: { summary: 's' } });
  expect(app.routes.map(({ method, path, hooks }) => [method, path, Reflect.get(hooks, 'detail')])).toEqual([['POST', '/orgs/:orgId/x.json', { summary: 's' }]]);
});
