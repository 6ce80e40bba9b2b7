import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readHeaders } from '../../src/app/tracing.ts';
import { checkStart } from '../../src/cli/check-start.ts';
import { tracesUrl } from '../../src/metrics/otlp.ts';
import { removeFolder, settingsFor, temporaryFolder } from '../helpers/server.ts';

let folder: string;
beforeAll(() => {
  folder = temporaryFolder();
});
afterAll(() => removeFolder(folder));

function fileWith(text: string): string {
  const path = join(folder, 'headers');
  writeFileSync(path, text);
  return path;
}

describe('headers for the collector', () => {
  test('one a line, whatever ends it; comments and empty lines are left out', () => {
    expect(readHeaders(fileWith('# ours\r\nAuthorization: Basic YTpi\r\n\r\nX-Tenant:\t a b \nempty-at-the-end: c'))).toEqual({ Authorization: 'Basic YTpi', 'X-Tenant': 'a b', 'empty-at-the-end': 'c' });
    expect(readHeaders(fileWith(''))).toEqual({});
  });

  test.each([
    ['no name', ': secret-value'], ['no value', 'Authorization:'], ['no colon', 'secret-value'], ['a space in the name', 'Author ization: secret-value'],
    ['a control character', 'Authorization: secret\u0007value'], ['letters beyond ASCII', 'Authorization: secret-välue'],
  ])('%s is told by its line alone (LG-01)', (_name, line) => {
    const path = fileWith(`X-Fine: 1\n${line}\n`);
    expect(() => readHeaders(path)).toThrow(new Error(`line 2 of ${path} is not "Name: value"`));
    expect(checkStart(settingsFor(folder, { otlpHeadersFile: path }))).toEqual([`the headers for the collector cannot be read: line 2 of ${path} is not "Name: value"`]);
  });

  test('OP-08 a start is checked with them', () => {
    expect(checkStart(settingsFor(folder, { otlpHeadersFile: fileWith('X-Fine: 1') }))).toEqual([]);
    expect(checkStart(settingsFor(folder, { otlpHeadersFile: join(folder, 'nowhere') }))).toEqual([expect.stringContaining('the headers for the collector cannot be read: ENOENT')]);
  });
});

test.each([
  ['http://127.0.0.1:4318', 'http://127.0.0.1:4318/v1/traces'], ['http://127.0.0.1:4318/', 'http://127.0.0.1:4318/v1/traces'],
  ['https://otel.example/prefix/', 'https://otel.example/prefix/v1/traces'], ['https://otel.example/v1/traces', 'https://otel.example/v1/traces'],
])('traces for the collector at %s go to %s', (endpoint, url) => {
  expect(tracesUrl(endpoint)).toBe(url);
});
