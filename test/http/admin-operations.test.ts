/** Every operation of the admin API: who may call it, and that it answers as its document says (OP-10, MTN-06, LG-04). */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { adminAreas } from '../../src/core/admin.ts';
import { unknownRules } from '../../src/http/admin/check.ts';
import { adminOperations } from '../../src/http/admin/table.ts';
import { adminExamples } from '../helpers/admin-examples/table.ts';
import { AdminStage, makeKey, type AdminRequest } from '../helpers/admin.ts';
import { makeTenant } from '../helpers/fixture.ts';

let stage: AdminStage;
beforeAll(async () => {
  stage = await AdminStage.start();
  await makeTenant(stage.fixture, 'other');
});
afterAll(() => stage.close());

/** Something in every variable part; `tenant` is one that is there. */
const somewhere = (path: string, tenant: string): AdminRequest => ({
  parts: Object.fromEntries([...path.matchAll(/:(\w+)/g)].map(([, name = '']) => [name, name === 'tenant' ? tenant : 'some thing/else%'])),
});

describe('OP-10 every operation', () => {
  test('has an example, which is an operation', () => {
    const ids = adminOperations.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const examples = new Set(adminExamples.map(({ id }) => id));
    expect(ids.filter((id) => !examples.has(id))).toEqual([]);
    expect([...examples].filter((id) => !ids.includes(id))).toEqual([]);
  });

  test('is in the document, and nothing else is', () => {
    expect([...stage.operations.keys()].toSorted()).toEqual(adminOperations.map(({ id }) => id).toSorted());
  });

  test('TX-05 has a schema that says nothing which nobody holds it to', () => {
    expect(adminOperations.flatMap(({ id, body, query }) => [...unknownRules(body), ...unknownRules(query)].map((rule) => `${id}: ${rule}`))).toEqual([]);
  });

  test.each(adminExamples.map((example) => [example.id, example] as const))('%s answers as documented', async (id, example) => {
    const answer = await stage.call(id, await example.request(stage));
    expect([id, answer.status, answer.status < 300 ? '' : answer.text]).toEqual([id, example.status ?? stage.successOf(id), '']);
    await example.expect?.(answer, stage);
  }, 20_000);
});

describe('who may', () => {
  test.each(adminOperations.map((operation) => [operation.id, operation] as const))('MTN-06 %s: nobody, a stranger, too little, another tenant\'s', async (id, operation) => {
    const request = somewhere(operation.path, 'acme');
    const bare = await stage.call(id, { ...request, key: null });
    expect([bare.status, bare.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="assay admin"']);
    const stranger = await stage.call(id, { ...request, key: `${stage.key.slice(0, -1)}${stage.key.endsWith('A') ? 'B' : 'A'}` });
    expect([stranger.status, stranger.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="assay admin", error="invalid_token"']);
    if (operation.area !== null) {
      const others = adminAreas.filter((area) => area !== operation.area).map((area) => `admin:${area}`);
      const little = [...others, ...(operation.access === 'write' ? ['admin:read'] : [])].join(' ');
      const denied = await stage.call(id, { ...request, key: await makeKey(stage.fixture, little) });
      expect([denied.status, denied.json.error]).toEqual([403, 'forbidden']);
    }
    const own = await makeKey(stage.fixture, 'admin', stage.acme);
    if (operation.serverOnly === true) expect((await stage.call(id, { ...request, key: own })).status).toBe(403);
    else if (operation.path.includes(':tenant')) {
      const [other, none] = await Promise.all(['other', 'nowhere'].map((tenant) => stage.call(id, { ...somewhere(operation.path, tenant), key: own })));
      const words = (text = ''): string => text.replace(/"request_id":"[^"]+"/, '');
      expect([other?.status, words(other?.text)]).toEqual([404, words(none?.text)]);
    }
  });

  test.each(adminOperations.filter(({ body }) => body !== undefined).map((operation) => [operation.id, operation] as const))('TX-05 %s refuses a body that is junk', async (id, operation) => {
    const request = somewhere(operation.path, 'acme');
    for (const [body, detail] of [['{"a":', 'JSON'], ['{"a":1,"a":1}', 'JSON'], ['[]', 'takes'], ['{"no_such_member_here":1}', 'takes'], ['{"__proto__":{}}', 'JSON'], ['null', 'takes']] as const) {
      const answer = await stage.call(id, { ...request, body });
      expect([body, answer.status, answer.json.error, answer.json.errors.length > 0]).toEqual([body, 400, 'invalid_request', true]);
      expect(answer.json.detail).toContain(detail);
    }
    expect((await stage.call(id, { ...request, body: '{}', headers: { 'Content-Type': 'text/plain' } })).status).toBe(415);
    expect((await stage.call(id, { ...request, body: JSON.stringify({ a: 'x'.repeat(70_000) }) })).status).toBe(413);
  });

  test.each(adminOperations.map((operation) => [operation.id, operation] as const))('TX-08 %s refuses a parameter that it does not know', async (id, operation) => {
    const answer = await stage.call(id, { ...somewhere(operation.path, 'acme'), query: { order_by: 'x' } });
    expect([answer.status, answer.json.errors]).toEqual([400, [{ parameter: 'order_by', detail: expect.stringContaining('no parameter') }]]);
  });
});
