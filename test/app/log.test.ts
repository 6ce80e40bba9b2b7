import { describe, expect, test } from 'bun:test';
import { makeLog, type LogLevel } from '../../src/app/log.ts';
import { T0 } from '../storage/samples.ts';

function open(level: LogLevel = 'debug') {
  const writes: string[] = [];
  const log = makeLog(level, (lines) => void writes.push(lines), () => T0);
  return { log, writes, text: () => { log.flush(); return writes.join(''); } };
}

describe('LG-03 · one event, one line', () => {
  test('LG-05, HT-20 time in UTC, level, event, fields', () => {
    const { log, text } = open();
    log.warn('something', { a: 'x', n: 1, yes: true, none: null, list: ['a', 'b'] });
    expect(text()).toEndWith('\n');
    expect(JSON.parse(text())).toEqual({ time: new Date(T0).toISOString(), level: 'warn', event: 'something', a: 'x', n: 1, yes: true, none: null, list: ['a', 'b'] });
  });

  test.each([
    ['a line feed', 'a\nb'], ['CR LF', 'a\r\n{"level":"error"}'], ['an escape sequence', '\u001B[31mred\u001B[0m'], ['a C1 control', 'a\u009B31mb'], ['DEL', 'a\u007Fb'],
    ['NUL', 'a\0b'], ['a line separator', 'a\u2028b\u2029c'], ['a right-to-left override', 'a\u202Eb'], ['an isolate', 'a\u2066b\u2069'], ['a lone surrogate', 'a\uD800b'], ['quotation', '"}\n{"'],
  ])('LG-03 %s from a stranger is escaped', (_what, value) => {
    const { log, text } = open();
    log.info('request', { path: value, list: [value] });
    const line = text();
    expect(line.slice(0, -1)).toMatch(/^[\x20-\x7E]*$/);
    expect(line.split('\n')).toHaveLength(2);
    expect(JSON.parse(line)).toMatchObject({ event: 'request', path: value, list: [value] });
  });

  test('letters of people stay as they are', () => {
    const { log, text } = open();
    log.info('x', { name: 'Zoë 山田 👩‍💻' });
    expect(text()).toContain('Zoë 山田 👩‍💻');
  });
});

describe('levels', () => {
  const order: readonly LogLevel[] = ['error', 'warn', 'info', 'debug'];
  test.each([...order])('%s lets through itself and what is graver', (level) => {
    const { log, text } = open(level);
    for (const name of order) log[name](name);
    const seen = text().trim().split('\n').map((line) => (JSON.parse(line) as { level: string }).level);
    expect(seen).toEqual(order.slice(0, order.indexOf(level) + 1));
  });
});

describe('a burst is one write', () => {
  test('lines wait some milliseconds for others; what went wrong is told at once', async () => {
    const { log, writes } = open();
    for (let index = 0; index < 100; index += 1) log.info('x');
    expect(writes).toEqual([]);
    await Bun.sleep(30);
    expect(writes).toHaveLength(1);
    expect(writes[0]?.split('\n')).toHaveLength(101);
    log.info('x');
    log.error('y');
    expect(writes[1]?.split('\n')).toHaveLength(3);
    await Bun.sleep(30);
    expect(writes).toHaveLength(2);
  });

  test('never more than 256 of them', () => {
    const { log, writes } = open();
    for (let index = 0; index < 600; index += 1) log.info('x');
    expect(writes).toHaveLength(2);
    log.flush();
    expect(writes.join('').trim().split('\n')).toHaveLength(600);
    log.flush();
    expect(writes).toHaveLength(3);
  });
});
