/**
 * Builds the executable.
 *
 *   bun run build                                        dist/assay for this machine
 *   bun run build --target linux-arm64 --target …        dist/assay-<target>[.exe] for each
 *   options: --outfile FILE (one target only), --entry FILE
 *
 * Targets: linux-x64, linux-arm64, darwin-x64, darwin-arm64, windows-x64, with or without `bun-` before. Bun fetches
 * the runtime of another target from the npm registry and keeps it in its cache.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import manifest from '../../package.json' with { type: 'json' };
import { leftOut, shrinkPackages } from './shrink.ts';

const root = resolve(import.meta.dir, '../..');
const targets = ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64', 'windows-x64'];

/** Identifiers keep their names: Elysia reads handlers from their source text, and mangled ones lose parameters. */
const minify = { whitespace: true, syntax: true, identifiers: false };
/** A server takes its settings from where it says, and not from a .env or bunfig.toml that lies where it is started. */
const closed = { autoloadDotenv: false, autoloadBunfig: false };

/**
 * Compiled ahead of time, the program is there some 40 ms sooner. Only where the executable is built for the machine that builds it,
 * and can be tried there. Functions inside of functions are left out: they weigh 1.7 MiB and would bring 5 ms.
 */
const aheadOfTime = { bytecode: true, bytecodeDepth: 1 };
const here = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;

/** Builds one executable. In: a target, or undefined for this machine. Out: its path; throws with Bun's words. */
export async function build(target: string | undefined, outfile: string, entry = 'src/main.ts'): Promise<string> {
  mkdirSync(resolve(outfile, '..'), { recursive: true });
  const defines = { ASSAY_BUILD_VERSION: manifest.version, ASSAY_BUILD_COMMIT: commitOfCheckout() };
  const scratch = mkdtempSync(join(tmpdir(), 'assay-build-'));
  try {
    await Bun.build({
      entrypoints: [resolve(root, entry)],
      root,
      target: 'bun',
      // In pieces, so that a start reads what it needs and no more.
      format: 'esm',
      splitting: true,
      minify,
      ...(target === undefined || target === here ? aheadOfTime : {}),
      external: [...leftOut],
      plugins: [await shrinkPackages(scratch)],
      define: Object.fromEntries(Object.entries(defines).map(([name, value]) => [name, JSON.stringify(value)])),
      compile: { outfile, ...(target === undefined ? {} : { target: `bun-${target}` as Bun.Build.CompileTarget }), ...closed },
    });
  } catch (error) {
    const faults = error instanceof AggregateError ? error.errors : [error];
    throw new Error(`could not build ${outfile}\n${faults.join('\n')}`, { cause: error });
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return outfile;
}

/** The commit of this checkout, 12 digits, with `+` when tracked files were changed; `unknown` outside of git. */
function commitOfCheckout(): string {
  const git = (...args: string[]): string => {
    try {
      return Bun.spawnSync(['git', ...args], { cwd: root, stderr: 'ignore' })
        .stdout.toString()
        .trim();
    } catch {
      return '';
    }
  };
  const commit = git('rev-parse', '--short=12', 'HEAD');
  if (!/^[0-9a-f]{12,}$/.test(commit)) return 'unknown';
  return git('status', '--porcelain', '--untracked-files=no') === '' ? commit : `${commit}+`;
}

if (import.meta.main) {
  const { values } = parseArgs({
    args: process.argv.slice(2),
    options: {
      target: { type: 'string', multiple: true },
      outfile: { type: 'string' },
      entry: { type: 'string' },
    },
  });
  const wanted = values.target?.flatMap((list) => list.split(',')).map((name) => name.replace(/^bun-/, '')) ?? [
    undefined,
  ];
  const unknown = wanted.filter((name) => name !== undefined && !targets.includes(name));
  if (unknown.length > 0 || (values.outfile !== undefined && wanted.length > 1)) {
    console.error(`targets: ${targets.join(', ')}; --outfile goes with one target`);
    process.exit(2);
  }
  for (const target of wanted) {
    const suffix = target === undefined ? '' : `-${target}`;
    const extension = (target ?? process.platform).startsWith('win') ? '.exe' : '';
    const outfile = resolve(values.outfile ?? join(root, 'dist', `assay${suffix}${extension}`));
    const began = performance.now();
    await build(target, outfile, values.entry);
    const size = (Bun.file(outfile).size / 2 ** 20).toFixed(0);
    console.log(`${outfile}  ${size} MiB, ${((performance.now() - began) / 1000).toFixed(1)} s`);
  }
}
