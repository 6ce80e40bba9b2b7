import { assayCommand } from '../helpers/server.ts';

/** What a command line came to. */
export type Ended = { readonly code: number; readonly out: string; readonly err: string };

export type RunOptions = {
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
};

/** Runs one command line, away from any terminal. */
export async function assay(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const child = Bun.spawn([...assayCommand, ...args], {
    stdin: options.stdin === undefined ? 'ignore' : new Blob([options.stdin]),
    stdout: 'pipe', stderr: 'pipe', cwd: options.cwd ?? '/', env: { PATH: Bun.env['PATH'] ?? '', ...options.env },
  });
  const [out, err, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
  return { code, out, err };
}

/** A JSON object, as a program sees it. */
export type Document = Readonly<Record<string, unknown>>;

/** The one document on stdout of a command line run with --json. @throws Error when there is anything else, or another exit code */
export function documentOf(ended: Ended, code = 0): Document {
  if (ended.code !== code) throw new Error(`exit code ${ended.code}\n${ended.out}${ended.err}`);
  if (!ended.out.endsWith('\n') || ended.out.trimEnd().includes('\n')) throw new Error(`not one document:\n${ended.out}`);
  return JSON.parse(ended.out) as Document;
}

/** The items of a `list` document. */
export function itemsOf(ended: Ended): readonly Document[] {
  return documentOf(ended)['items'] as readonly Document[];
}
