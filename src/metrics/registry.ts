/** One family of figures: a name for all of them, told apart by labels. */
export type FamilyRow = { readonly name: string; readonly help: string; readonly labels: readonly string[] };

/** A figure that is read when somebody asks. */
export type Reading = { readonly labels: readonly string[]; readonly value: number };

/** A figure that only grows. */
export type Cell = { value: number };

/** Combinations of labels in one family; beyond, all go under `other`. Our own words never get there: this is for the day that one is not ours. */
const MOST_CELLS = 1_000;
const OTHER = 'other';

/** Cells of a family by their labels' values. */
class Cells<C> {
  readonly #cells = new Map<string, { readonly labels: readonly string[]; readonly cell: C }>();
  readonly #make: () => C;

  constructor(make: () => C) {
    this.#make = make;
  }

  of(labels: readonly string[]): C {
    const key = labels.join('\n');
    const known = this.#cells.get(key);
    if (known !== undefined) return known.cell;
    if (this.#cells.size >= MOST_CELLS && labels.some((label) => label !== OTHER)) return this.of(labels.map(() => OTHER));
    const made = { labels: [...labels], cell: this.#make() };
    this.#cells.set(key, made);
    return made.cell;
  }

  all(): Iterable<{ readonly labels: readonly string[]; readonly cell: C }> {
    return this.#cells.values();
  }
}

/** A counter by labels. */
export class Counter {
  readonly row: FamilyRow;
  readonly #cells = new Cells<Cell>(() => ({ value: 0 }));

  constructor(row: FamilyRow) {
    this.row = row;
  }

  /** The figure with these labels; keep it where it is counted often. */
  of(...labels: readonly string[]): Cell {
    return this.#cells.of(labels);
  }

  /** The sum of all figures that match. */
  sum(matches: (labels: readonly string[]) => boolean = () => true): number {
    let sum = 0;
    for (const { labels, cell } of this.#cells.all()) if (matches(labels)) sum += cell.value;
    return sum;
  }

  *lines(): Generator<string> {
    for (const { labels, cell } of this.#cells.all()) yield sample(this.row.name, this.row.labels, labels, cell.value);
  }
}

/** How values spread over fixed buckets. */
export class Spread {
  readonly #bounds: Float64Array;
  readonly #counts: Float64Array;
  sum = 0;

  /** @param bounds upper ends, ascending */
  constructor(bounds: Float64Array) {
    this.#bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  /** Most values are small: the search begins there. */
  add(value: number): void {
    const bounds = this.#bounds;
    let index = 0;
    while (index < bounds.length && value > (bounds[index] ?? Number.POSITIVE_INFINITY)) index += 1;
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.sum += value;
  }

  /** How many values are at or below each bound; last of all: all of them. */
  cumulative(): readonly number[] {
    let sum = 0;
    return Array.from(this.#counts, (count) => (sum += count));
  }
}

/** A histogram by labels. */
export class Histogram {
  readonly row: FamilyRow;
  readonly #bounds: Float64Array;
  readonly #cells: Cells<Spread>;

  constructor(row: FamilyRow, bounds: readonly number[]) {
    this.row = row;
    this.#bounds = Float64Array.from(bounds);
    this.#cells = new Cells(() => new Spread(this.#bounds));
  }

  of(...labels: readonly string[]): Spread {
    return this.#cells.of(labels);
  }

  /** All that match, put together. */
  total(matches: (labels: readonly string[]) => boolean = () => true): { readonly count: number; readonly sum: number } {
    let [count, sum] = [0, 0];
    for (const { labels, cell } of this.#cells.all()) {
      if (!matches(labels)) continue;
      count += cell.cumulative().at(-1) ?? 0;
      sum += cell.sum;
    }
    return { count, sum };
  }

  *lines(): Generator<string> {
    const { name, labels: names } = this.row;
    for (const { labels, cell } of this.#cells.all()) {
      const counts = cell.cumulative();
      for (const [index, count] of counts.entries()) {
        const bound = this.#bounds[index];
        yield sample(`${name}_bucket`, [...names, 'le'], [...labels, bound === undefined ? '+Inf' : String(bound)], count);
      }
      yield sample(`${name}_sum`, names, labels, cell.sum);
      yield sample(`${name}_count`, names, labels, counts.at(-1) ?? 0);
    }
  }
}

type Source = { readonly row: FamilyRow; readonly type: 'counter' | 'gauge' | 'histogram'; readonly lines: () => Iterable<string> | Promise<Iterable<string>> };

/** All families of a process. */
export class Registry {
  readonly #sources: Source[] = [];

  counter(name: string, help: string, labels: readonly string[] = []): Counter {
    const counter = new Counter({ name, help, labels });
    this.#add('counter', counter.row, () => counter.lines());
    return counter;
  }

  /** @param bounds upper ends of the buckets, ascending, in the base unit that the name ends with */
  histogram(name: string, help: string, bounds: readonly number[], labels: readonly string[] = []): Histogram {
    const histogram = new Histogram({ name, help, labels }, bounds);
    this.#add('histogram', histogram.row, () => histogram.lines());
    return histogram;
  }

  /** Figures that are read when somebody asks; what cannot be read then is left out. */
  read(type: 'counter' | 'gauge', row: FamilyRow, read: () => readonly Reading[] | Promise<readonly Reading[]>): void {
    this.#add(type, row, async () => (await read()).map(({ labels, value }) => sample(row.name, row.labels, labels, value)));
  }

  /** Names of all families. */
  names(): readonly string[] {
    return this.#sources.map(({ row }) => row.name);
  }

  /** Everything in the Prometheus text format, version 0.0.4. */
  async exposition(): Promise<string> {
    const parts = await Promise.all(this.#sources.map(async ({ row, type, lines }) => {
      const head = [`# HELP ${row.name} ${row.help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`, `# TYPE ${row.name} ${type}`];
      try {
        return [...head, ...await lines()];
      } catch {
        // The storage's trouble is told elsewhere, and must not take the other figures along.
        return head;
      }
    }));
    return `${parts.flat().join('\n')}\n`;
  }

  #add(type: Source['type'], row: FamilyRow, lines: Source['lines']): void {
    if (this.#sources.some((source) => source.row.name === row.name)) throw new Error(`two families are named ${row.name}`);
    this.#sources.push({ row, type, lines });
  }
}

/** One line. */
function sample(name: string, labelNames: readonly string[], values: readonly string[], value: number): string {
  const labels = labelNames.map((label, index) => `${label}="${escapeLabel(values[index] ?? '')}"`).join(',');
  return `${name}${labels === '' ? '' : `{${labels}}`} ${formatNumber(value)}`;
}

function escapeLabel(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function formatNumber(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  return Number.isFinite(value) ? String(value) : `${value < 0 ? '-' : '+'}Inf`;
}
