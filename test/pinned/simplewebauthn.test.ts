/** @simplewebauthn/server loads code that wants `Reflect.defineMetadata` first, and bundlers do not keep that order. */
import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { removeFolder, temporaryFolder } from '../helpers/server.ts';

test('bundled as the executable is, passkeys still load and answer', async () => {
  const folder = temporaryFolder();
  try {
    const built = await Bun.build({
      entrypoints: [join(import.meta.dir, '../../src/credentials/passkeys.ts')], target: 'bun', minify: { whitespace: true, syntax: true }, outdir: folder,
    });
    expect(built.success).toBe(true);
    const script = `const { requestOptions } = await import(${JSON.stringify(join(folder, 'passkeys.js'))}); console.log(await requestOptions({ rpId: 'id.example', origin: 'https://id.example' }, 'AAAA'));`;
    const run = Bun.spawnSync([process.execPath, '-e', script], { stdout: 'pipe', stderr: 'pipe' });
    expect(run.stderr.toString()).toBe('');
    expect(run.stdout.toString()).toContain('"rpId":"id.example"');
  } finally {
    removeFolder(folder);
  }
});
