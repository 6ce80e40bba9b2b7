import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { assayCommand } from '../helpers/server.ts';
import { assay } from './assay.ts';

const output = join(import.meta.dir, '../../src/cli/output.ts');

/** What a reader gets that begins a second after the writer, through a pipe of the system's size. */
async function readSlowly(command: readonly string[]): Promise<string> {
  const child = Bun.spawn(['sh', '-c', '"$@" | (sleep 1; cat)', 'sh', ...command], { stdout: 'pipe', stderr: 'pipe', env: { PATH: Bun.env['PATH'] ?? '' } });
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  expect(err).toBe('');
  return out;
}

test('a reader slower than the command gets everything, once and in order', async () => {
  const [slow, fast] = await Promise.all([readSlowly([...assayCommand, 'openapi']), assay(['openapi'])]);
  expect(slow.length).toBeGreaterThan(65_536);
  expect(slow === fast.out).toBe(true);
});

test('so does one of a megabyte, with characters of several bytes', async () => {
  const program = `const { writeOut } = await import(${JSON.stringify(output)}); await writeOut(Array.from({ length: 100_000 }, (_, n) => n + ' – é').join('\\n'));`;
  const out = await readSlowly([process.execPath, '-e', program]);
  expect(out === Array.from({ length: 100_000 }, (_, n) => `${n} – é`).join('\n')).toBe(true);
});
