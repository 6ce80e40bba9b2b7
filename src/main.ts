// Elysia and Bun decide at import time whether they are in production, and a compiled executable is not by itself.
process.env['NODE_ENV'] = 'production';

/** One line, without the error's message: that may hold what somebody typed or stored, a secret even (LG-01). */
function crash(error: unknown): never {
  const kind = error instanceof Error ? error.name : typeof error;
  const frames = error instanceof Error ? (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line)).map((line) => line.trim()) : [];
  process.stderr.write(`${JSON.stringify({ time: new Date().toISOString(), level: 'error', event: 'crashed', kind, at: frames.slice(0, 8) })}\n`);
  process.exit(1);
}

process.on('uncaughtException', crash);
process.on('unhandledRejection', crash);
// Nobody reads what we write any more: that is no failure of ours.
process.stdout.on('error', () => process.exit(0));
// Nor is it a reason to stop answering when whoever read the log goes away.
process.stderr.on('error', () => undefined);

/** A function, because code that is compiled ahead of time cannot await at its top level. */
async function main(): Promise<never> {
  const { runCommandLine } = await import('./cli/run.ts');
  process.exit(await runCommandLine(process.argv.slice(2)));
}

main().catch(crash);
