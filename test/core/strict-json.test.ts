import { describe, expect, test } from 'bun:test';
import { pointerStep, readJson } from '../../src/core/strict-json.ts';

const faultOf = (text: string): readonly [string, string] | null => {
  const reading = readJson(text);
  return reading.ok ? null : [reading.pointer, reading.fault];
};

describe('TX-05 JSON of strangers', () => {
  test.each([
    '{}', '[]', '""', '0', '-0', 'true', 'null', '{"a":{"b":[1,2.5,-3e2,"x\\n\\u00e9\\ud83d\\ude00"]},"c":null}', ' \t\r\n{ "a" : [ ] , "b" : { } } ', '{"constructor":1,"toString":2,"hasOwnProperty":3}',
    '9007199254740991', '-9007199254740991', '"\\u0000"', '{"":1}', '{"a/b~c":"\u2028"}',
  ])('%p is read as the language reads it', (text) => {
    expect(readJson(text)).toEqual({ ok: true, value: JSON.parse(text) });
  });

  test.each([
    '', ' ', '{', '}', '[1,]', '{"a":1,}', '{a:1}', "{'a':1}", '01', '+1', '.5', '1.', '0x1', 'NaN', 'Infinity', 'undefined', '"\n"', '"\\x"', '"\\u12"', '[1 2]', '{"a" 1}', '{"a":}', '1 1', 'nulls', '\uFEFF{}', '[1]x', '"a', '\u00a01', '// a\n1',
  ])('%p is none, here as there', (text) => {
    expect(() => JSON.parse(text) as unknown).toThrow();
    expect(faultOf(text)?.[1]).toBe('it is not valid JSON');
  });

  test.each([
    ['a member given twice', '{"a":{"b":1,"b":1}}', '/a/b', 'twice'], ['the same member, spelled otherwise', '{"a":1,"\\u0061":2}', '/a', 'twice'],
    ['a member that would be a prototype', '{"a":[{"__proto__":{"x":1}}]}', '/a/0/__proto__', 'name'], ['the same, spelled otherwise', '{"__pro\\u0074o__":1}', '/__proto__', 'name'],
    ['a number beyond 2^53', '[1,9007199254740992]', '/1', '9007199254740991'], ['one below', '-9007199254740993', '', '9007199254740991'], ['one beyond all', '{"a/b":1e999}', '/a~1b', '9007199254740991'],
    ['half a character', '{"a":"\\ud800"}', '/a', 'half'], ['half a character in a name', '{"\\udc00":1}', '', 'half'], ['too deep', `${'['.repeat(17)}${']'.repeat(17)}`, `${'/0'.repeat(16)}`, 'deep'.slice(0, 4)],
    ['too many', `[${'1,'.repeat(10_000)}1]`, '', '10000'],
  ] as const)('%s is refused', (_what, text, pointer, words) => {
    const fault = faultOf(text);
    expect([fault?.[0], fault?.[1].includes(words)]).toEqual([pointer, true]);
  });

  test('what is nested as deep as it may be is read, and long texts take no time', () => {
    expect(faultOf(`${'['.repeat(15)}1${']'.repeat(15)}`)).toBeNull();
    const started = performance.now();
    expect(faultOf(`"${'a'.repeat(60_000)}`)).not.toBeNull();
    expect(faultOf(`[${'"\\u0041",'.repeat(6_000)}1]`)).toBeNull();
    expect(faultOf('['.repeat(60_000))).not.toBeNull();
    expect(performance.now() - started).toBeLessThan(1_000);
  });

  test('what is read changes no other object', () => {
    const reading = readJson('{"constructor":{"prototype":{"polluted":1}}}');
    expect([reading.ok, Reflect.get({}, 'polluted')]).toEqual([true, undefined]);
  });
});

test('a step of a pointer is escaped (RFC 6901 §3)', () => {
  expect(['a', 0, 'a/b', 'm~n', '~1'].map(pointerStep)).toEqual(['/a', '/0', '/a~1b', '/m~0n', '/~01']);
});
