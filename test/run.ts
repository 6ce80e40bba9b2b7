/**
 * Runs everything: types, lint, the tests against the source, the build, and the tests against the executable.
 *
 *   bun run test [--only STEP[,STEP]]… [--list]
 *
 * Prints failures as they happen, what was skipped, which requirements have a test, and last one line, the sum over
 * all runners: `N passed, N failed` (and `, N skipped`). Exit code 1 when something failed.
 *
 * A test file learns from ASSAY_BINARY, the path of an executable, to start that in place of `bun src/main.ts`.
 */
import { Glob } from 'bun';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { countJunit, type Count } from './helpers/junit.ts';
import { coverageTable, requirementCoverage } from './spec/coverage.ts';

/**
 * A step is a command that passes or fails as one, or folders of test files. `seconds` is when a hang becomes a
 * failure, `workers` how many test files run at a time: one where time or memory is measured.
 */
type Step = { name: string; seconds: number; needs?: string } & (
  { command: string[] } | { tests: string[]; except?: string[]; workers: number }
);

const root = resolve(import.meta.dir, '..');
const bun = process.execPath;
const isTerminal = process.stdout.isTTY === true;
const bin = (name: string): string => join(root, 'node_modules/.bin', name);
const scratch = mkdtempSync(join(tmpdir(), 'assay-test-'));
const executable = join(scratch, process.platform === 'win32' ? 'assay.exe' : 'assay');
const onExecutable = ['interop', 'pages', 'binary'];

/** In this order; the commands at the top run side by side. */
const steps: Step[] = [
  { name: 'types', seconds: 120, command: [bin('tsc'), '--noEmit', ...(isTerminal ? ['--pretty'] : [])] },
  {
    name: 'lint',
    seconds: 120,
    command: [bin('oxlint'), '--deny-warnings', ...(isTerminal ? [] : ['--format=stylish'])],
  },
  { name: 'build', seconds: 180, command: [bun, 'test/binary/build.ts', '--outfile', executable] },
  { name: 'unit', seconds: 600, tests: ['**'], except: ['http', 'bench', ...onExecutable], workers: 2 },
  { name: 'http', seconds: 600, tests: ['http'], workers: 2 },
  { name: 'executable', seconds: 600, tests: ['http'], workers: 2, needs: 'build' },
  { name: 'interop', seconds: 600, tests: ['interop'], workers: 2, needs: 'build' },
  { name: 'pages', seconds: 600, tests: ['pages'], workers: 1, needs: 'build' },
  { name: 'binary', seconds: 600, tests: ['binary'], workers: 1, needs: 'build' },
];

/** What a step came to; `notes` name what was skipped and what failed without a name of its own. */
type Outcome = Count & { notes: string[] };

const running = new Set<Bun.Subprocess>();
const isBroken = new Set<string>();

process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));
const { values } = parseArgs({
  args: process.argv.slice(2),
  options: { only: { type: 'string', multiple: true }, list: { type: 'boolean' } },
});
if (values.list) {
  for (const { name } of steps) console.log(name);
} else {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop(signal));
  process.exitCode = await runAll(chosen(values.only?.flatMap((list) => list.split(','))));
}

/** The steps of these names and those that they need; all when none is named. */
function chosen(names: string[] | undefined): Step[] {
  if (names === undefined) return steps;
  const unknown = names.filter((name) => !steps.some((step) => step.name === name));
  if (unknown.length > 0) {
    console.error(`no step ${unknown.join(', ')}; there are ${steps.map(({ name }) => name).join(', ')}`);
    process.exit(2);
  }
  const needed = steps.flatMap(({ name, needs }) => (names.includes(name) && needs !== undefined ? [needs] : []));
  return steps.filter(({ name }) => names.includes(name) || needed.includes(name));
}

async function runAll(selected: Step[]): Promise<number> {
  const began = performance.now();
  const commands = await Promise.all(selected.filter((step) => 'command' in step).map((step) => runStep(step)));
  const suites: Outcome[] = [];
  for (const step of selected) if ('tests' in step) suites.push(await runStep(step));
  const outcomes = [...commands, ...suites];
  const notes = outcomes.flatMap((outcome) => outcome.notes);
  if (notes.length > 0) console.log(`\n${notes.join('\n')}`);
  if (selected === steps) console.log(`\n${coverageTable(await requirementCoverage())}`);
  const sum = (key: keyof Count): number => outcomes.reduce((total, outcome) => total + outcome[key], 0);
  const [passed, failed, skipped] = [sum('passed'), sum('failed'), sum('skipped')];
  console.log(`\n${seconds(began)}`);
  console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
  return failed > 0 ? 1 : 0;
}

async function runStep(step: Step): Promise<Outcome> {
  const began = performance.now();
  const outcome = await outcomeOf(step);
  if (outcome.failed > 0) isBroken.add(step.name);
  const counts = `${outcome.passed} passed${outcome.failed > 0 ? `, ${outcome.failed} failed` : ''}`;
  const skipped = outcome.skipped > 0 ? `, ${outcome.skipped} skipped` : '';
  const what = outcome.passed + outcome.failed + outcome.skipped === 0 ? 'no tests' : `${counts}${skipped}`;
  console.log(`${outcome.failed > 0 ? '✗' : '✓'} ${step.name.padEnd(11)} ${what.padEnd(28)} ${seconds(began)}`);
  return outcome;
}

async function outcomeOf(step: Step): Promise<Outcome> {
  if (step.needs !== undefined && isBroken.has(step.needs)) {
    return { passed: 0, failed: 1, skipped: 0, notes: [`failed: ${step.name}, because ${step.needs} failed`] };
  }
  if ('tests' in step) return runTests(step, step.tests, step.except ?? [], step.workers);
  const { code, output } = await run(step, step.command, {});
  if (code !== 0) console.log(output);
  const failed = code === 0 ? 0 : 1;
  return { passed: 1 - failed, failed, skipped: 0, notes: failed === 0 ? [] : [`failed: ${step.name}`] };
}

/** Runs the test files of these folders, and counts what the runner reports and what it should have reported. */
async function runTests(step: Step, folders: string[], except: string[], workers: number): Promise<Outcome> {
  const files = folders
    .flatMap((folder) => [...new Glob(`${folder}/**/*.test.ts`).scanSync(join(root, 'test'))])
    .filter((file) => !except.some((folder) => file.startsWith(`${folder}/`)))
    .map((file) => `test/${file}`)
    .sort();
  if (files.length === 0) return { passed: 0, failed: 0, skipped: 0, notes: [] };
  const report = join(scratch, `${step.name}.xml`);
  const options = ['--only-failures', '--no-orphans', '--timeout=30000', `--parallel=${workers}`];
  const command = [
    bun,
    'test',
    ...options,
    '--reporter=junit',
    `--reporter-outfile=${report}`,
    ...files.map((file) => `./${file}`),
  ];
  const environment = { ASSAY_BINARY: step.needs === 'build' ? executable : undefined };
  const { code } = await run(step, command, environment, printFailures);
  const xml = await Bun.file(report)
    .text()
    .catch(() => '');
  const { count, missing, skipped, failed } = countJunit(xml, files);
  // A runner that fails without a failed test has failed all the same.
  const crashed = code !== 0 && count.failed === 0 ? [`exit code ${code ?? 'none: out of time'}`] : [];
  return {
    ...count,
    failed: count.failed + crashed.length,
    notes: [
      ...[...crashed, ...missing.map((file) => `${file}, which did not report`), ...failed].map(
        (what) => `failed: ${step.name}: ${what}`,
      ),
      ...skipped.map((what) => `skipped: ${step.name}: ${what}`),
    ],
  };
}

/** Leaves out what `bun test` says of itself. */
function printFailures(line: string): void {
  if (/^bun test v|^ *\d+ (pass|fail|skip|todo|error|expect\(\) calls|snapshots)|^Ran \d+ tests/.test(line)) return;
  if (line.trim() !== '') console.log(line);
}

/** Runs a command with its descendants in a group of their own, which ends with it or when its time is up. */
async function run(
  step: Step,
  command: string[],
  environment: Record<string, string | undefined>,
  onLine?: (line: string) => void,
): Promise<{ code: number | null; output: string }> {
  const child = Bun.spawn(command, {
    cwd: root,
    env: { ...process.env, ...(isTerminal ? { FORCE_COLOR: '1' } : { NO_COLOR: '1' }), ...environment },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
    detached: true,
  });
  running.add(child);
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    console.log(`${step.name}: still running after ${step.seconds} s, stopped`);
    endGroup(child, 'SIGKILL');
  }, step.seconds * 1000);
  const streams = await Promise.all([readLines(child.stdout, onLine), readLines(child.stderr, onLine)]);
  const code = await child.exited;
  clearTimeout(timer);
  running.delete(child);
  endGroup(child, 'SIGKILL');
  return { code: isLate ? null : code, output: streams.join('').trim() };
}

async function readLines(stream: ReadableStream<Uint8Array>, onLine?: (line: string) => void): Promise<string> {
  let all = '';
  let rest = '';
  const decoder = new TextDecoder();
  for await (const chunk of stream) {
    const text = decoder.decode(chunk, { stream: true });
    all += text;
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine?.(line);
  }
  if (rest !== '') onLine?.(rest);
  return all;
}

function endGroup(child: Bun.Subprocess, signal: 'SIGKILL' | 'SIGTERM'): void {
  try {
    process.kill(-child.pid, signal);
  } catch {
    // Everyone of the group has gone.
  }
}

function stop(signal: 'SIGINT' | 'SIGTERM'): void {
  for (const child of running) endGroup(child, 'SIGKILL');
  process.exit(signal === 'SIGINT' ? 130 : 143);
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}
