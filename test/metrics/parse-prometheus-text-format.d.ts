/** What the tests use of parse-prometheus-text-format, which brings no types. */
declare module 'parse-prometheus-text-format' {
  type Metric = {
    readonly value?: string; readonly labels?: Readonly<Record<string, string>>;
    readonly buckets?: Readonly<Record<string, string>>; readonly count?: string; readonly sum?: string;
  };
  type Family = { readonly name: string; readonly help: string; readonly type: string; readonly metrics: readonly Metric[] };
  export default function parse(text: string): readonly Family[];
}
