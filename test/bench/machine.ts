/** Processes of a measurement: where they run, what they weigh, and the load that they get. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { LoadJob, LoadResult } from './load.ts';
import type { SignInJob, SignInResult } from './sign-ins.ts';

const root = resolve(import.meta.dir, '../..');

/** Where processes run: the server on the first core and the load on the second, or all of them wherever there is room. */
export type Placement = 'apart' | 'anywhere';

/** Puts a command onto one core where that is wanted and possible. */
export function onCore(core: number, command: readonly string[], placement: Placement = 'apart'): string[] {
  const pinned = placement === 'apart' && process.platform === 'linux' && navigator.hardwareConcurrency > core && Bun.which('taskset') !== null;
  return [...(pinned ? ['taskset', '-c', String(core)] : []), ...command];
}

/** A process that listens, its log in a file. */
export type Listener = {
  readonly port: number;
  readonly pid: number;
  readonly placement: Placement;
  /** Milliseconds from exec to the first 200 of each path that was waited for. */
  readonly readyInMs: readonly number[];
  stop(): Promise<void>;
};

/** A port that is free now. */
export async function freePort(): Promise<number> {
  const server = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response() });
  const port = server.port ?? 0;
  await server.stop(true);
  return port;
}

/**
 * Starts a server, on the first core unless told otherwise, and waits for each path to answer 200, in this order.
 * @throws Error with the end of its log when it ends instead
 */
export async function startListener(
  command: readonly string[],
  options: { readonly port: number; readonly folder: string; readonly env?: Readonly<Record<string, string>>; readonly paths: readonly string[]; readonly placement?: Placement },
): Promise<Listener> {
  const log = join(options.folder, `${options.port}.log`);
  const began = performance.now();
  const placement = options.placement ?? 'apart';
  const child = Bun.spawn(onCore(0, command, placement), {
    stdin: 'ignore', stdout: 'ignore', stderr: Bun.file(log), cwd: options.folder,
    env: { PATH: Bun.env['PATH'] ?? '', HOME: options.folder, ...options.env },
  });
  const readyInMs: number[] = [];
  for (const path of options.paths) {
    while (!(await answers(options.port, path))) {
      if (child.exitCode !== null) throw new Error(`${command.join(' ')} ended:\n${readFileSync(log, 'utf8').slice(-2000)}`);
      await Bun.sleep(1);
    }
    readyInMs.push(performance.now() - began);
  }
  return {
    port: options.port,
    pid: child.pid,
    placement,
    readyInMs,
    async stop() {
      child.kill('SIGTERM');
      await child.exited;
    },
  };
}

async function answers(port: number, path: string): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method: path === '/' ? 'POST' : 'GET', keepalive: false });
    await response.arrayBuffer();
    return response.status === 200 || path === '/';
  } catch {
    return false;
  }
}

function memory(pid: number, field: 'VmHWM' | 'VmRSS'): number | null {
  const path = `/proc/${pid}/status`;
  const kib = existsSync(path) ? new RegExp(`^${field}:\\s+([0-9]+) kB`, 'm').exec(readFileSync(path, 'utf8'))?.[1] : undefined;
  return kib === undefined ? null : Number(kib) / 1024;
}

/** Resident memory now, MiB; null where the system does not tell. */
export function residentMemory(pid: number): number | null {
  return memory(pid, 'VmRSS');
}

/** Forgets the peak so far, so that the next one is the next measurement's. */
function forgetPeak(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, '5');
  } catch {
    // The peak is then that of the whole run.
  }
}

/** What came of one measurement. `peak`: most resident memory of the server during it, MiB. */
export type Measure = LoadResult & { readonly peak: number | null };

/** One request, sent over and over. */
export type Shot = { readonly path: string; readonly authorization: string; readonly form: string };

/** Sends one request over and over, with wrk where it is. */
export async function measureShot(
  server: Listener, shot: Shot, options: { readonly wrk: string | undefined; readonly seconds: number; readonly connections: number; readonly folder: string },
): Promise<Measure> {
  forgetPeak(server.pid);
  const { seconds, connections } = options;
  if (options.wrk === undefined) {
    const { formHead, withBody } = await import('./load.ts');
    const request = withBody(formHead(server.port, shot.path, shot.authorization), shot.form);
    return measureJob(server, { port: server.port, connections, seconds, work: { kind: 'same', request } }, options.folder);
  }
  const script = join(options.folder, 'shot.lua');
  writeFileSync(script, `
wrk.method = "POST"
wrk.body = ${lua(shot.form)}
wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
wrk.headers["Authorization"] = ${lua(shot.authorization)}
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format('RESULT {"perSecond":%f,"p50":%f,"p99":%f,"requests":%d,"failed":%d}\\n',
    (summary.requests - e.status) * 1e6 / summary.duration, latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    summary.requests, e.status + e.connect + e.read + e.write + e.timeout))
end
`);
  const url = `http://127.0.0.1:${server.port}${shot.path}`;
  const command = onCore(1, [options.wrk, '-t1', `-c${connections}`, `-d${seconds}s`, '--latency', '-s', script, url], server.placement);
  const output = await run(command);
  const result = /^RESULT (.*)$/m.exec(output)?.[1];
  if (result === undefined) throw new Error(`wrk said nothing useful:\n${output}`);
  return { ...(JSON.parse(result) as LoadResult), peak: memory(server.pid, 'VmHWM') };
}

function lua(text: string): string {
  return JSON.stringify(text);
}

/** Runs a job of our own load generator, on the second core where the server has the first. */
export async function measureJob(server: Listener, job: LoadJob, folder: string): Promise<Measure> {
  forgetPeak(server.pid);
  const file = join(folder, 'job.json');
  writeFileSync(file, JSON.stringify(job));
  const output = await run(onCore(1, [process.execPath, join(root, 'test/bench/load.ts'), file], server.placement));
  return { ...(JSON.parse(output) as LoadResult), peak: memory(server.pid, 'VmHWM') };
}

/** Lets people sign in, beside the load and behind it: what they cost at their end must not slow down who measures. */
export async function measureSignIns(server: Listener, job: SignInJob, folder: string): Promise<SignInResult> {
  const file = join(folder, 'sign-ins.json');
  writeFileSync(file, JSON.stringify(job));
  const behind = Bun.which('nice') === null ? [] : ['nice', '-n', '19'];
  return JSON.parse(await run([...behind, ...onCore(1, [process.execPath, join(root, 'test/bench/sign-ins.ts'), file], server.placement)])) as SignInResult;
}

/** Runs a program to its end. Out: what it wrote. @throws Error when it failed */
export async function run(command: readonly string[]): Promise<string> {
  const child = Bun.spawn([...command], { cwd: root, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' });
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  if ((await child.exited) !== 0) throw new Error(`${command.join(' ')} failed\n${out}${err}`);
  return out;
}
