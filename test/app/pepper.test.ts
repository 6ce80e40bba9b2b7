import { afterEach, beforeEach, expect, test } from 'bun:test';
import { chmodSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FileTrouble, loadPepper } from '../../src/app/files.ts';
import { removeFolder, temporaryFolder } from '../helpers/server.ts';

let folder: string;

beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => removeFolder(folder));

test('CR-03, CR-08 · 32 bytes in base64; a mode that lets others in is narrowed', () => {
  const path = join(folder, 'pepper');
  const bytes = Buffer.alloc(32, 9);
  writeFileSync(path, `${bytes.toString('base64')}\n`);
  chmodSync(path, 0o644);
  expect(loadPepper(path)).toEqual(bytes);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

for (const [name, text] of [['too short', Buffer.alloc(31).toString('base64')], ['no base64', '!'.repeat(44)], ['empty', '']] as const) {
  test(`CR-03 · ${name} is refused, and not repeated`, () => {
    const path = join(folder, 'pepper');
    writeFileSync(path, text, { mode: 0o600 });
    expect(() => loadPepper(path)).toThrow(FileTrouble);
    expect(() => loadPepper(path)).toThrow('does not hold a pepper (32 bytes in base64)');
  });
}

test('CR-03 · a missing one is said, and none is made', () => {
  expect(() => loadPepper(join(folder, 'none'))).toThrow('is missing');
});
