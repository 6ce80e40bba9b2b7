/**
 * Which requirements have a test. Reads test/spec/requirements.md and the strings in the code under test/ (not its
 * comments), where the names of tests hold ids: `INT-04`, `INT-04, INT-05`, `INT-12..14`, `INT-06…INT-22`.
 *
 *   bun test/spec/coverage.ts [--fail]     prints the table; with --fail an id without a test is exit code 1
 */
import { Glob } from 'bun';
import { join, resolve } from 'node:path';
import * as is from 'typescript/unstable/ast/is';
import type { Node } from 'typescript/unstable/ast';
import { API } from 'typescript/unstable/async';

/** One heading of the requirements; `missing` are its ids that no test names. */
export type SectionCoverage = { title: string; ids: string[]; missing: string[] };

/** `unknown` are ids in tests that no requirement has: typing errors, mostly. */
export type Coverage = { sections: SectionCoverage[]; unknown: string[] };

const root = resolve(import.meta.dir, '../..');
const idOrRange = /\b([A-Z]{2,3})-(\d+)(?:(?:\.\.\.?|…)(?:\1-)?(\d+))?/g;
const notTests = ['test/spec/coverage.ts', 'test/run.ts'];

/** Compares what the requirements ask with what the tests name. */
export async function requirementCoverage(): Promise<Coverage> {
  const text = await Bun.file(join(root, 'test/spec/requirements.md')).text();
  const [body = '', later = ''] = text.split(/^## Later$/m);
  const sections = body.split(/^## /m).flatMap((part) => {
    const ids = [...part.matchAll(/^- ([A-Z]{2,3}-\d+) \|/gm)].map(([, id]) => id!);
    return ids.length === 0 ? [] : [{ title: part.split('\n', 1)[0]!, ids }];
  });
  const prefixes = new Set(sections.flatMap(({ ids }) => ids.map((id) => id.split('-')[0]!)));
  const known = new Set([...sections.flatMap(({ ids }) => ids), ...idsIn(later)]);
  const named = new Set((await stringsOfTests()).flatMap(idsIn));
  return {
    sections: sections.map(({ title, ids }) => ({ title, ids, missing: ids.filter((id) => !named.has(id)) })),
    unknown: [...named].filter((id) => prefixes.has(id.split('-')[0]!) && !known.has(id)).sort(),
  };
}

/** The table as text, without a newline at its end. */
export function coverageTable({ sections, unknown }: Coverage): string {
  const total = sections.flatMap(({ ids }) => ids).length;
  const covered = total - sections.flatMap(({ missing }) => missing).length;
  const rows = sections.map(({ title, ids, missing }) => [
    title,
    ids.length,
    ids.length - missing.length,
    ranges(missing),
  ]);
  const table = [['section', 'ids', 'covered', 'missing'], ...rows, ['total', total, covered, '']];
  const width = Math.max(...table.map(([title]) => String(title).length));
  const lines = table.map(([title, ids, done, missing]) =>
    `${String(title).padEnd(width)}  ${String(ids).padStart(4)}  ${String(done).padStart(7)}  ${missing}`.trimEnd(),
  );
  if (unknown.length > 0) lines.push(`named by tests, but no requirement: ${unknown.join(', ')}`);
  return lines.join('\n');
}

/** `INT-12..14` means three ids, with the first one's number of digits; an id stands for itself. */
export function idsIn(text: string): string[] {
  return [...text.matchAll(idOrRange)].flatMap(([, prefix, first, last]) => {
    const length = Math.max(0, Number(last ?? first) - Number(first)) + 1;
    const number = (step: number): string => String(Number(first) + step).padStart(2, '0');
    return Array.from({ length: Math.min(length, 200) }, (_, step) => `${prefix}-${number(step)}`);
  });
}

/** `INT-01, INT-04..06`: neighbours in one section drawn together. */
function ranges(ids: string[]): string {
  const runs: string[][] = [];
  for (const id of ids) {
    const run = runs.at(-1);
    const follows = run !== undefined && Number(id.split('-')[1]) === Number(run.at(-1)!.split('-')[1]) + 1;
    if (follows) run.push(id);
    else runs.push([id]);
  }
  return runs.map((run) => (run.length < 3 ? run.join(', ') : `${run[0]}..${run.at(-1)!.split('-')[1]}`)).join(', ');
}

/** Every string and template in the code under test/. */
async function stringsOfTests(): Promise<string[]> {
  const api = new API({ cwd: root });
  const config = join(root, 'tsconfig.json');
  const { program } = (await api.updateSnapshot({ openProjects: [config] })).getProject(config)!;
  const strings: string[] = [];
  const visit = (node: Node): undefined => {
    const isText = is.isStringLiteral(node) || is.isNoSubstitutionTemplateLiteral(node);
    if (isText || is.isTemplateHead(node) || is.isTemplateMiddle(node) || is.isTemplateTail(node))
      strings.push(node.text);
    node.forEachChild(visit);
  };
  for (const path of new Glob('test/**/*.ts').scanSync(root)) {
    const tree = notTests.includes(path) ? undefined : await program.getSourceFile(join(root, path));
    if (tree) visit(tree);
  }
  await api.close();
  return strings;
}

if (import.meta.main) {
  const coverage = await requirementCoverage();
  console.log(coverageTable(coverage));
  const complete = coverage.unknown.length === 0 && coverage.sections.every(({ missing }) => missing.length === 0);
  if (process.argv.includes('--fail') && !complete) process.exitCode = 1;
}
