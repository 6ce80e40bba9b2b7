import { t } from 'elysia';
import { describe, expect, test } from 'bun:test';
import { check, unknownRules } from '../../src/http/admin/check.ts';

const schema = t.Object({
  name: t.String({ minLength: 1, maxLength: 5 }), size: t.Optional(t.Integer({ minimum: 1, maximum: 9 })), share: t.Optional(t.Number()), on: t.Optional(t.Boolean()),
  kind: t.Optional(t.Union([t.Literal('first'), t.Literal('second'), t.Null()])), color: t.Optional(t.Union([t.String({ pattern: '^#[0-9a-f]{6}$' }), t.Null()])),
  uris: t.Optional(t.Array(t.String(), { maxItems: 2, uniqueItems: true })), words: t.Optional(t.Record(t.String(), t.Record(t.String(), t.String({ maxLength: 3 })))),
  limits: t.Optional(t.Partial(t.Object({ a: t.Union([t.Integer({ minimum: 1 }), t.Null()]) }))), free: t.Optional(t.Unknown()),
});

describe('TX-05 what was sent is held to a schema', () => {
  test.each([
    [{ name: 'a' }], [{ name: 'a', size: 9, share: 0.5, on: false, kind: null, color: null, uris: [], words: { en: { a: 'b' } }, limits: { a: null }, free: { anything: [1] } }], [{ name: 'a', kind: 'second', color: '#00ff00', limits: {} }],
  ] as const)('%p is as it must be', (value) => {
    expect(check(schema, value)).toEqual([]);
  });

  test.each([
    [[], '', 'object'], [null, '', 'object'], [{}, '/name', 'missing'], [{ name: '' }, '/name', 'empty'], [{ name: 'sixsix' }, '/name', 'at most 5'], [{ name: 1 }, '/name', 'text'],
    [{ name: 'a', size: '1' }, '/size', 'whole number'], [{ name: 'a', size: 1.5 }, '/size', 'whole'], [{ name: 'a', size: 0 }, '/size', 'at least 1'], [{ name: 'a', size: 10 }, '/size', 'at most 9'], [{ name: 'a', size: null }, '/size', 'whole'],
    [{ name: 'a', share: '1' }, '/share', 'number'], [{ name: 'a', on: 'true' }, '/on', 'true or false'], [{ name: 'a', kind: 'frist' }, '/kind', 'did you mean first?'], [{ name: 'a', kind: 3 }, '/kind', 'first, second, null'],
    [{ name: 'a', color: 'red' }, '/color', 'match'], [{ name: 'a', uris: 'x' }, '/uris', 'list'], [{ name: 'a', uris: ['a', 1] }, '/uris/1', 'text'], [{ name: 'a', uris: ['a', 'b', 'c'] }, '/uris', 'at most 2'], [{ name: 'a', uris: ['a', 'a'] }, '/uris', 'twice'],
    [{ name: 'a', words: { en: { x: 'long' } } }, '/words/en/x', 'at most 3'], [{ name: 'a', limits: { a: 0 } }, '/limits/a', 'at least 1'], [{ name: 'a', limits: { b: 1 } }, '/limits/b', 'no member'],
    [{ name: 'a', sise: 1 }, '/sise', 'did you mean size?'], [{ name: 'a', constructor: 1 }, '/constructor', 'no member'], [{ name: 'a', 'x/y': 1 }, '/x~1y', 'no member'],
  ] as const)('%p is not: %s %s', (value, pointer, words) => {
    const faults = check(schema, JSON.parse(JSON.stringify(value)));
    expect(faults.map((fault) => fault.pointer)).toEqual([pointer]);
    expect(faults[0]?.detail).toContain(words);
  });

  test('several faults are told at once, but no more than twenty, and no value is', () => {
    expect(check(schema, { name: 'secret-value', size: 99 })).toHaveLength(2);
    const many = check(schema, Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`unknown${index}`, 'secret-value'])));
    expect(many).toHaveLength(20);
    expect(JSON.stringify([check(schema, { name: 'secret-value', size: 99, kind: 'secret-value' }), many])).not.toContain('secret-value');
  });

  test('as many names and items as a body can hold are no work', () => {
    const names = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`k${index.toString(36)}`, 1]));
    const startedMs = performance.now();
    expect([check(schema, names).length, check(t.Array(schema), Array.from({ length: 10_000 }, () => ({ nam: 1 }))).length]).toEqual([20, 20]);
    expect(performance.now() - startedMs).toBeLessThan(50);
  });

  test('a word of JSON Schema that nobody would look at is found', () => {
    expect(unknownRules(schema)).toEqual([]);
    expect(unknownRules(t.Object({ a: t.Array(t.Number({ multipleOf: 2 })) }))).toEqual(['multipleOf']);
  });
});
