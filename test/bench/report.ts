/** The report of the measurements, in Markdown. */
import type { Measure } from './machine.ts';

/** A measurement and the ceiling around it. */
export type Sample = Measure & { readonly ceiling: number; readonly ceilingP99: number };

/** `must` and `aim`: parts of the ceiling, or words. */
export type Row = {
  readonly name: string;
  readonly connections: number;
  readonly must: number | string | null;
  readonly aim: number | string | null;
  readonly samples: readonly Sample[];
};

export type Fact = { readonly name: string; readonly value: string; readonly must: string; readonly aim: string };

/** What signing in costs those who sign in, and everybody else; one column per placement. */
export type PeopleTable = { readonly columns: readonly string[]; readonly lines: readonly { readonly name: string; readonly values: readonly string[] }[]; readonly note: string };

/** Of an uneven number, the one in the middle. */
export function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}

function target(value: number | string | null): string {
  return value === null ? '–' : typeof value === 'number' ? value.toFixed(2) : value;
}

function renderRow({ name, connections, must, aim, samples }: Row): string {
  const of = (read: (sample: Sample) => number): number => median(samples.map(read));
  const peaks = samples.flatMap(({ peak }) => peak ?? []);
  const failed = samples.reduce((sum, sample) => sum + sample.failed, 0);
  const cells = [
    name + (failed > 0 ? ` (**${failed} failed**)` : ''), String(connections),
    Math.round(of(({ perSecond }) => perSecond)).toLocaleString('en'),
    of(({ perSecond, ceiling }) => perSecond / ceiling).toFixed(2), target(must), target(aim),
    of(({ p50 }) => p50).toFixed(2), of(({ p99 }) => p99).toFixed(2), of(({ p99, ceilingP99 }) => p99 / ceilingP99).toFixed(1),
    peaks.length === 0 ? '–' : `${Math.max(...peaks).toFixed(0)}`,
  ];
  return `| ${cells.join(' | ')} |`;
}

function renderPeople({ columns, lines, note }: PeopleTable): string[] {
  return [
    '',
    `| | ${columns.join(' | ')} |`,
    `|---|${columns.map(() => '--:').join('|')}|`,
    ...lines.map(({ name, values }) => `| ${name} | ${values.join(' | ')} |`),
    '',
    note,
  ];
}

/** The tables. `people` null: not measured. */
export function renderReport(
  { machine, rows, facts, people }: { readonly machine: string; readonly rows: readonly Row[]; readonly facts: readonly Fact[]; readonly people: PeopleTable | null },
): string {
  const table = rows.length === 0 ? [] : [
    '',
    '| | connections | requests/s | of ceiling | must | aim | p50 ms | p99 ms | p99 ÷ ceiling\'s | peak MiB |',
    '|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|',
    ...rows.map(renderRow),
  ];
  return [
    `${machine}. The server has one core, the load the other. Ratios are to the ceiling measured right before and after; p99 at 32 connections must stay within 3 ×, and aims at 1.5 ×, the ceiling's.`,
    ...table,
    '',
    '| | | must | aim |',
    '|---|--:|--:|--:|',
    ...facts.map(({ name, value, must, aim }) => `| ${name} | ${value} | ${must} | ${aim} |`),
    ...(people === null ? [] : renderPeople(people)),
  ].join('\n');
}

const marks = /(<!-- bench -->)[\s\S]*?(<!-- \/bench -->)/;

/** Puts a report between the marks of a file. @throws Error when the file has no marks */
export async function writeIntoReadme(path: string, report: string): Promise<void> {
  const text = await Bun.file(path).text();
  if (!marks.test(text)) throw new Error(`${path} has no <!-- bench --> … <!-- /bench --> to write between`);
  await Bun.write(path, text.replace(marks, (_whole, open: string, close: string) => `${open}\n${report}\n${close}`));
}
