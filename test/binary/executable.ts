/** The executable under test. */

/** Path of the compiled executable. @throws Error where the tests were started without one */
export function requireExecutable(): string {
  const path = Bun.env['ASSAY_BINARY'];
  if (path === undefined) throw new Error('ASSAY_BINARY must name an executable; `bun run test --only binary` builds one and does this');
  return path;
}

/** A port that is free now. */
export async function freePort(): Promise<number> {
  const server = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response() });
  const port = server.port ?? 0;
  await server.stop(true);
  return port;
}

/** What came of a command. */
export type Ran = { readonly code: number; readonly out: string; readonly err: string };

/** Runs a command of the executable to its end. */
export async function runExecutable(args: readonly string[], options: { readonly cwd: string; readonly env?: Readonly<Record<string, string>>; readonly stdin?: string }): Promise<Ran> {
  const child = Bun.spawn([requireExecutable(), ...args], {
    cwd: options.cwd, env: { PATH: Bun.env['PATH'] ?? '', HOME: options.cwd, ...options.env },
    stdin: options.stdin === undefined ? 'ignore' : Buffer.from(options.stdin), stdout: 'pipe', stderr: 'pipe',
  });
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  return { code: await child.exited, out, err };
}
