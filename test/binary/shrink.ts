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
const readLater = ['@simplewebauthn/server', 'nodemailer', '@opentelemetry/exporter-trace-otlp-http', '@opentelemetry/resources', 'yaml'];

/**
 * The same for code of our own, which commands enter by these files. It shares no class with the rest: what it throws is known by name.
 */
const ownReadLater = ['../importers/products.ts'];
const commands = join(import.meta.dir, '../../src/cli');

/**
 * Packages with letters beyond ASCII in a comment that stays, for its licence. A single one would make Bun keep the whole program in
 * two bytes per letter.
 */
const beyondAscii = /[\\/]node_modules[\\/]otpauth[\\/].+\.js$/;

/** Modules that are nothing but texts, of languages that most people do not read: embedded as packed JSON, which is smaller than a program that says it. */
const messages = join(import.meta.dir, '../../src/pages/messages');
const textsOnly = ['de', 'es', 'fr', 'ja'].flatMap((locale) => [`${locale}.ts`, `mail-${locale}.ts`]);

/** @param folder where files that the build makes for itself may lie until it is over */
export async function shrinkPackages(folder: string): Promise<BunPlugin> {
  // Before the build and not within: one build cannot wait for another.
  const stubs = new Map(Object.entries(unreached));
  for (const name of readLater) stubs.set(name, await bundleForLater(name, import.meta.dir, folder));
  for (const name of ownReadLater) stubs.set(name, await bundleForLater(name, commands, folder));
  const texts = new Map<string, string>();
  for (const name of textsOnly) texts.set(name, await packTexts(join(messages, name), folder));
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
      builder.onLoad({ filter: /[\\/]src[\\/]pages[\\/]messages[\\/].+\.ts$/ }, async ({ path }) => {
        const packed = texts.get(basename(path));
        return packed === undefined ? { contents: await Bun.file(path).text(), loader: 'ts' } : { contents: packed, loader: 'js' };
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
 * @param from folder of who imports it
 */
async function bundleForLater(name: string, from: string, folder: string): Promise<string> {
  const { outputs: [bundle] } = await Bun.build({
    entrypoints: [Bun.resolveSync(name, from)], target: 'bun', format: 'esm', minify: true, define: { 'process.env.NODE_ENV': '"production"' },
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

/** Packs a module's exports. Out: a module with the same exports, which unpacks them when it is run. */
async function packTexts(path: string, folder: string): Promise<string> {
  const exported: unknown = await import(path);
  const all = Object.entries(exported as Readonly<Record<string, unknown>>);
  const file = join(folder, `${basename(path)}.json.gz`);
  await pack(JSON.stringify(Object.fromEntries(all)), file);
  return `import { readFileSync } from 'node:fs';
import path from ${JSON.stringify(file)} with { type: 'file' };
export const { ${all.map(([name]) => name).join(', ')} } = JSON.parse(new TextDecoder().decode(Bun.gunzipSync(readFileSync(path))));
`;
}

async function pack(content: string | Uint8Array<ArrayBuffer>, file: string): Promise<void> {
  await Bun.write(file, Bun.gzipSync(content, { level: 9 }));
}
