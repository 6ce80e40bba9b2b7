import { describe, expect, test } from 'bun:test';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { csvLine } from '../../src/core/csv.ts';
import { asciiJsonLine, jsonLine } from '../../src/core/json-line.ts';

describe('LG-03 lines of files and streams', () => {
  test('CSV reads back as it was, but for texts that a spreadsheet would run', () => {
    const cases: [string, string][] = [
      ['plain', 'plain'], ['a,b', 'a,b'], ['a"b', 'a"b'], ['two\r\nlines', 'two\r\nlines'], ['', ''],
      ['=1+1', '\'=1+1'], ['+1', '\'+1'], ['-1', '\'-1'], ['@SUM(A1)', '\'@SUM(A1)'], ['\t=1', '\'\t=1'], ['\r=1', '\'\r=1'], ['＝1', '\'＝1'], ['=cmd|"/c calc"!A1', '\'=cmd|"/c calc"!A1'],
    ];
    for (const [text, read] of cases) expect([text, parse(csvLine([text, 5, null]))]).toEqual([text, [[read, '5', '']]]);
    fc.assert(fc.property(fc.array(fc.string(), { minLength: 2, maxLength: 5 }), (cells) => {
      const [row] = parse(csvLine(cells));
      expect(row?.map((cell, index) => cell === cells[index] || cell === `'${cells[index]}`)).toEqual(cells.map(() => true));
      for (const cell of row ?? []) expect(cell).not.toMatch(/^[=+\-@\t\r]/);
    }));
  });

  test('a JSON line is one line, holds nothing that a terminal obeys, and says the same', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => {
      for (const line of [jsonLine({ text }), asciiJsonLine({ text })]) {
        // oxlint-disable-next-line no-control-regex
        expect(line).not.toMatch(/[\u0000-\u001F\u007F-\u009F\u2028-\u202E\u2066-\u2069]/);
        expect(JSON.parse(line)).toEqual({ text });
      }
      expect(asciiJsonLine({ text })).toMatch(/^[\x20-\x7E]*$/);
    }));
  });
});
