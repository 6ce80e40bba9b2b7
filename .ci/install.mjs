/**
 * Makes node_modules complete for this checkout, with Node 20+ and npm, or with Bun alone.
 *
 *   node .ci/install.mjs                everything (tests, types, lint)
 *   node .ci/install.mjs --production   only what the server needs to run
 *
 * In: package.json (the pinned Bun version) and bun.lock. Out: node_modules, with the pinned Bun as
 * node_modules/.bin/bun, and exit code 0; anything that fails is named on stderr, exit code 1.
 *
 * npm is asked for Bun alone, whose hash is held to bun.lock; Bun then installs the rest, exactly
 * as locked. That takes a fifth of the time of `npm install`, which remains the way out when Bun cannot reach
 * the registry (a proxy or certificate that only npm knows of).
 * When a stamp says that nothing changed since the last time, it does nothing (about 40 ms).
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { delimiter, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const modules = join(root, 'node_modules');
const stampFile = join(modules, '.assay-install');
const side = join(modules, '.assay-bun'); // where npm puts Bun before there is anything else
const windows = process.platform === 'win32';
const linked = join(modules, '.bin', windows ? 'bun.exe' : 'bun');
const production = process.argv.includes('--production');

const manifest = fs.readFileSync(join(root, 'package.json'), 'utf8');
const pinned = JSON.parse(manifest).devDependencies.bun;
const say = (/** @type {string} */ line) => void process.stderr.write(`${line}\n`);

if (!upToDate()) install();

/** Whether the last install was of these very files, and covers what is asked for now. */
function upToDate() {
  try {
    const stamp = JSON.parse(fs.readFileSync(stampFile, 'utf8'));
    return stamp.inputs === inputs() && (stamp.everything || production) && stamp.bun === identity(linked);
  } catch {
    return false;
  }
}

/** A hash over everything that decides what belongs into node_modules. */
function inputs() {
  const hash = createHash('sha256').update(manifest).update(readLock());
  return hash.update(`${process.platform} ${process.arch}`).digest('hex');
}

function readLock() {
  try {
    return fs.readFileSync(join(root, 'bun.lock'), 'utf8');
  } catch {
    return '';
  }
}

/** Names one very file, so that a Bun upgraded or removed behind the link is noticed without starting it. */
function identity(/** @type {string} */ file) {
  const { size, mtimeMs } = fs.statSync(file);
  return `${size}-${mtimeMs}`;
}

function install() {
  const began = Date.now();
  fs.mkdirSync(join(modules, '.bin'), { recursive: true });
  const installed = withBun() || withNpm();
  const bun = installed && findBun();
  if (!bun) {
    say(`assay: could not install Bun ${pinned} and the dependencies; see the lines above`);
    process.exit(1);
  }
  link(bun);
  if (!bun.startsWith(side)) fs.rmSync(side, { recursive: true, force: true });
  const everything = !production || installed === 'npm';
  fs.writeFileSync(stampFile, JSON.stringify({ inputs: inputs(), everything, bun: identity(linked) }));
  say(`assay: dependencies ready (${((Date.now() - began) / 1000).toFixed(1)} s)`);
}

/** Installs from bun.lock with the pinned Bun, fetched when missing. Out: which way it went, or false. */
function withBun() {
  // A Bun of another version is good enough to fetch the pinned one, which is a dependency for development.
  const bun = findBun() ?? (process.versions.bun ? process.execPath : fetchBun());
  if (!bun) return false;
  const options = production && version(bun) === pinned ? ['--production'] : [];
  say('assay: installing dependencies from bun.lock');
  const frozen = readLock() === '' ? [] : ['--frozen-lockfile'];
  const first = run(bun, ['install', ...frozen, ...options, ...npmSettings()]);
  if (first.status === 0) return 'bun';
  if (/lockfile is frozen/i.test(first.stderr) && !process.env['CI']) {
    say('assay: package.json changed; bringing bun.lock up to date');
    if (run(bun, ['install', ...options, ...npmSettings()]).status === 0) return 'bun';
  }
  say(first.stderr.trim());
  return false;
}

/** Installs without the lock, by npm. */
function withNpm() {
  if (process.env['CI'] && readLock() !== '') return false; // there, only what is locked
  say('assay: trying npm install');
  const done = npm(['install', '--include=dev', '--no-package-lock', '--no-audit', '--no-fund', '--loglevel=error']);
  if (done.status === 0) return 'npm';
  say(done.stderr.trim());
  return false;
}

/** The pinned Bun, if it is here already: running us, in node_modules, or on PATH. */
function findBun() {
  const name = windows ? 'bun.exe' : 'bun';
  /** @type {string[]} */
  const candidates = process.versions.bun === pinned ? [fs.realpathSync(process.execPath)] : [];
  for (const base of [modules, join(side, 'node_modules')]) {
    const scope = join(base, '@oven');
    if (fs.existsSync(scope)) for (const pkg of fs.readdirSync(scope)) candidates.push(join(scope, pkg, 'bin', name));
    candidates.push(join(base, 'bun', 'bin', 'bun.exe'));
  }
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    if (folder !== '' && !folder.startsWith(modules)) candidates.push(join(folder, name));
  }
  return candidates.find((file) => fs.existsSync(file) && version(file) === pinned);
}

function version(/** @type {string} */ bun) {
  return spawnSync(bun, ['--version'], { encoding: 'utf8' }).stdout?.trim();
}

/** Lets npm fetch Bun alone, and holds what came to the hash in bun.lock. Out: its path, or undefined. */
function fetchBun() {
  say(`assay: fetching Bun ${pinned}`);
  fs.mkdirSync(side, { recursive: true });
  const quiet = ['--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const done = npm(['install', '--prefix', side, ...quiet, `bun@${pinned}`]);
  if (done.status !== 0) say(done.stderr.trim() || 'assay: npm is not to be found');
  const bun = done.status === 0 ? findBun() : undefined;
  if (bun === undefined || !bun.startsWith(side) || isLocked(bun)) return bun;
  say('assay: the Bun that the registry sent is not the one in bun.lock; removed');
  fs.rmSync(side, { recursive: true, force: true });
  process.exit(1);
}

function isLocked(/** @type {string} */ bun) {
  const lock = readLock();
  if (lock === '') return true;
  const got = JSON.parse(fs.readFileSync(join(side, 'node_modules', '.package-lock.json'), 'utf8')).packages;
  const key = relative(side, join(dirname(bun), '..')).replaceAll('\\', '/');
  return got[key] !== undefined && lock.includes(`"${got[key].integrity}"`);
}

/** The registry and certificates that npm was told of, as flags for Bun, which reads only part of npm's settings. */
function npmSettings() {
  const lines = npm(['config', 'get', 'registry', 'cafile']).stdout.trim().split('\n');
  const told = (/** @type {string} */ key) => lines.find((line) => line.startsWith(`${key}=`))?.slice(key.length + 1);
  const registry = told('registry');
  const cafile = told('cafile');
  const flags =
    registry?.startsWith('http') && !registry.includes('//registry.npmjs.org') ? ['--registry', registry] : [];
  return cafile && fs.existsSync(cafile) ? [...flags, '--cafile', cafile] : flags;
}

/** Makes `bun` in package scripts the pinned one, whether or not install scripts were allowed to run. */
function link(/** @type {string} */ bun) {
  fs.rmSync(linked, { force: true });
  if (windows) {
    fs.copyFileSync(bun, linked);
    // `exec` in package scripts lets npm's signals reach Bun and not only a shell; cmd.exe has no such word.
    fs.writeFileSync(join(dirname(linked), 'exec.cmd'), '@%*\r\n');
  } else fs.symlinkSync(bun.startsWith(modules) ? relative(dirname(linked), bun) : bun, linked);
}

function npm(/** @type {string[]} */ args) {
  const cli = process.env['npm_execpath'];
  if (cli?.endsWith('npm-cli.js') && !process.versions.bun) return run(process.execPath, [cli, ...args]);
  return run('npm', args, windows);
}

/** Runs a program in the checkout, its output kept; a program that does not exist has status null. */
function run(/** @type {string} */ program, /** @type {string[]} */ args, shell = false) {
  const done = spawnSync(program, args, { cwd: root, encoding: 'utf8', shell, stdio: ['ignore', 'pipe', 'pipe'] });
  return { status: done.status, stdout: done.stdout ?? '', stderr: done.stderr ?? '' };
}
