/** Metrics as a program of somebody else reads them. */
import parse from 'parse-prometheus-text-format';

export type Labels = Readonly<Record<string, string>>;
type Sample = { readonly labels: Labels; readonly value: number };

/** A scrape. */
export class Scrape {
  readonly text: string;
  readonly families: ReturnType<typeof parse>;

  constructor(text: string) {
    this.text = text;
    this.families = parse(text);
  }

  /** Samples of a family; of a histogram its counts, which the parser puts together whatever their labels: those are read here. */
  private samplesOf(name: string): readonly Sample[] {
    const family = this.families.find((candidate) => candidate.name === name);
    if (family?.type !== 'HISTOGRAM') return family?.metrics.map(({ labels = {}, value }) => ({ labels, value: Number(value) })) ?? [];
    return this.text.split('\n').filter((line) => line.startsWith(`${name}_count`)).map((line) => ({
      labels: Object.fromEntries([...line.matchAll(/([a-z_]+)="([^"\\]*)"/g)].map(([, label = '', value = '']) => [label, value])), value: Number(line.split(' ').at(-1)),
    }));
  }

  /** The value of the one sample with all of these labels; a histogram's is its count. Undefined: there is none. */
  value(name: string, labels: Labels = {}): number | undefined {
    const found = this.samplesOf(name).filter((sample) => Object.entries(labels).every(([label, value]) => sample.labels[label] === value));
    if (found.length > 1) throw new Error(`${found.length} samples of ${name} match ${JSON.stringify(labels)}`);
    return found[0]?.value;
  }

  /** Every value that a label has, of a family. */
  labelValues(name: string, label: string): readonly string[] {
    return [...new Set(this.samplesOf(name).map(({ labels }) => labels[label] ?? ''))].toSorted();
  }

  /** How many samples there are. */
  get samples(): number {
    return this.text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length;
  }
}
