/**
 * What the build does to packages so that the executable stays within its size (what Bun weighs plus 10 MiB). From source every
 * package is as it was published, and the program behaves the same either way.
 */
import type { BunPlugin } from 'bun';
import { basename, join } from 'node:path';

/** What is only served, to browsers: embedded as gzip. */
const served = /^swagger-ui-dist\/.+\.(?:js|css)$/;

/** Parts of packages that nothing of ours reaches: the looks of a page that is never served, which bring zod along. */
const unreached: Readonly<Record<string, string>> = { '@scalar/themes': 'export const elysiajsTheme = \'\';' };

/** Loaded by the framework for forms with files, of which there are none. */
export const leftOut: readonly string[] = ['file-type'];

/**
 * Packages that few requests need. Each becomes a file with short names and without code compiled ahead of time, which is read when
 * the program first asks for it: import them with `await import('…')`.
 */
const readLater = ['@simplewebauthn/server', 'nodemailer'];

/**
 * Packages with letters beyond ASCII in a comment that stays, for its licence. A single one would make Bun keep the whole program in
 * two bytes per letter.
 */
const beyondAscii = /[\\/]node_modules[\\/]otpauth[\\/].+\.js$/;

/** @param folder where files that the build makes for itself may lie until it is over */
export async function shrinkPackages(folder: string): Promise<BunPlugin> {
  // Before the build and not within: one build cannot wait for another.
  const stubs = new Map(Object.entries(unreached));
  for (const name of readLater) stubs.set(name, await bundleForLater(name, folder));
  return {
    name: 'shrink-packages',
    setup(builder) {
      builder.onResolve({ filter: served }, async ({ path }) => {
        // Named .gz, or it would be read as what it was.
        const packed = join(folder, `${basename(path)}.gz`);
        await pack(await Bun.file(Bun.resolveSync(path, import.meta.dir)).bytes(), packed);
        return { path: packed };
      });
      builder.onLoad({ filter: beyondAscii }, async ({ path }) => {
        const contents = (await Bun.file(path).text()).replaceAll(/[^\p{ASCII}]/gu, (letter) => `\\u{${letter.codePointAt(0)?.toString(16)}}`);
        return { contents, loader: 'js' };
      });
      for (const [name, contents] of stubs) {
        const exactly = new RegExp(`^${RegExp.escape(name)}$`);
        builder.onResolve({ filter: exactly }, () => ({ path: name, namespace: 'stub' }));
        builder.onLoad({ filter: exactly, namespace: 'stub' }, () => ({ contents, loader: 'js' }));
      }
    },
  };
}

/**
 * Bundles a package into one packed file. Out: a module with the package's exports, which reads that file when it is first run; a part
 * of the executable that is packed can be imported only through an address of its own.
 */
async function bundleForLater(name: string, folder: string): Promise<string> {
  const { outputs: [bundle] } = await Bun.build({
    entrypoints: [Bun.resolveSync(name, import.meta.dir)], target: 'bun', format: 'esm', minify: true, define: { 'process.env.NODE_ENV': '"production"' },
  });
  if (bundle === undefined) throw new Error(`could not bundle ${name}`);
  const code = await bundle.text();
  const file = join(folder, `${name.replaceAll(/\W+/g, '-').replace(/^-/, '')}.mjs.gz`);
  await pack(code, file);
  const names = new Bun.Transpiler({ loader: 'js' }).scan(code).exports.filter((word) => word !== 'default');
  return `import path from ${JSON.stringify(file)} with { type: 'file' };
const address = URL.createObjectURL(new Blob([Bun.gunzipSync(await Bun.file(path).bytes())], { type: 'text/javascript' }));
export const { ${names.join(', ')} } = await import(address);
URL.revokeObjectURL(address);
`;
}

async function pack(content: string | Uint8Array<ArrayBuffer>, file: string): Promise<void> {
  await Bun.write(file, Bun.gzipSync(content, { level: 9 }));
}
