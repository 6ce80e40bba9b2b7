/** What the executable weighs, and that what the build packs or puts aside for that is all there. */
import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { startMailSink } from '../outbound/mail-sink.ts';
import { removeFolder, temporaryFolder } from '../helpers/server.ts';
import { build } from './build.ts';
import { requireExecutable } from './executable.ts';

const MOST_BYTES = 10 * 2 ** 20;

test('the executable weighs at most 10 MiB more than Bun', () => {
  const more = Bun.file(requireExecutable()).size - Bun.file(process.execPath).size;
  process.stderr.write(`the executable weighs ${(more / 2 ** 20).toFixed(2)} MiB more than Bun (at most 10)\n`);
  expect(more).toBeLessThanOrEqual(MOST_BYTES);
});

test('the program is kept in one byte per letter: all of it is ASCII', async () => {
  const executable = Buffer.from(await Bun.file(requireExecutable()).bytes());
  expect(executable.includes(Buffer.from('window.ui = SwaggerUIBundle', 'latin1'))).toBe(true);
  expect(executable.includes(Buffer.from('window.ui = SwaggerUIBundle', 'utf16le'))).toBe(false);
});

test('in an executable, passkeys are made and proven, and mails are sent', async () => {
  const folder = temporaryFolder();
  const sink = await startMailSink();
  try {
    const program = await build(undefined, join(folder, 'program'), 'test/binary/read-later.ts');
    const child = Bun.spawn([program, `smtp://127.0.0.1:${sink.port}`], { cwd: folder, env: {}, stdin: 'ignore', stdout: 'pipe', stderr: 'inherit' });
    expect(JSON.parse(await new Response(child.stdout).text())).toEqual({ passkey: true, mail: 'sent' });
    expect(sink.mails).toHaveLength(1);
  } finally {
    await sink.close();
    removeFolder(folder);
  }
}, 30_000);
