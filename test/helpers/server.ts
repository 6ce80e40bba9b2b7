import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openApplication, type Application } from '../../src/app/open.ts';
import { ensureDefaultTenant } from '../../src/app/first-tenant.ts';
import { settingRows, type Settings } from '../../src/config/settings.ts';

const root = join(import.meta.dir, '../..');

/** The command that starts Assay: the compiled executable where ASSAY_BINARY names one, else the source. */
export const assayCommand: readonly string[] = Bun.env['ASSAY_BINARY'] === undefined
  ? [process.execPath, join(root, 'src/main.ts')]
  : [Bun.env['ASSAY_BINARY']];

/** A new empty folder; the caller removes it, or leaves it to the system's own cleaning. */
export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'assay-test-'));
}

/** A server in a process of its own. */
export type RunningServer = {
  /** Its origin, without a trailing slash. */
  readonly url: string;
  readonly port: number;
  /** Of its process; of the command put before it, where that stays. */
  readonly pid: number;
  readonly data: string;
  /** Milliseconds from its start to the line that says it answers. */
  readonly startedInMs: number;
  /** All JSON log lines so far. */
  logs(): string;
  /** Waits for an orderly end and returns the exit code. */
  stop(): Promise<number>;
  /** SIGKILL. */
  kill(): Promise<void>;
};

export type ServerOptions = {
  /** Data folder; a new one by default. */
  readonly data?: string;
  readonly port?: number;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** A command put before, such as faketime. */
  readonly prefix?: readonly string[];
};

/** Starts a server and waits until it answers. @throws Error with its output when it ends instead */
export async function startServer(options: ServerOptions = {}): Promise<RunningServer> {
  const data = options.data ?? temporaryFolder();
  const startedMs = performance.now();
  const child = Bun.spawn(
    [...(options.prefix ?? []), ...assayCommand, 'serve', '--data', data, '--port', String(options.port ?? 0), ...(options.args ?? [])],
    { stdin: 'ignore', stdout: 'ignore', stderr: 'pipe', cwd: data, env: { PATH: Bun.env['PATH'] ?? '', HOME: data, ...options.env } },
  );
  let output = '';
  const started = Promise.withResolvers<{ port: number; origin: string }>();
  const reading = (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of child.stderr) {
      output += decoder.decode(chunk, { stream: true });
      const line = output.split('\n').find((text) => text.includes('"event":"started"'));
      if (line !== undefined) started.resolve(JSON.parse(line) as { port: number; origin: string });
    }
    started.reject(new Error(`the server ended before it answered:\n${output}`));
  })();
  const { port, origin } = await started.promise;
  return {
    url: origin,
    port,
    pid: child.pid,
    data,
    startedInMs: performance.now() - startedMs,
    logs: () => output,
    async stop() {
      child.kill('SIGTERM');
      const code = await child.exited;
      await reading;
      return code;
    },
    async kill() {
      child.kill('SIGKILL');
      await child.exited;
    },
  };
}

/** Waits until readiness says yes. */
export async function untilReady(server: RunningServer): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt += 1) {
    const response = await fetch(`http://127.0.0.1:${server.port}/readyz`);
    await response.body?.cancel();
    if (response.status === 200) return;
    await Bun.sleep(10);
  }
  throw new Error('the server never became ready');
}

/** The settings of a start without flags, environment or file, but for the given ones. */
export function settingsFor(data: string, changes: Partial<Settings> = {}): Settings {
  const defaults = Object.fromEntries(Object.entries(settingRows).map(([key, row]) => [key, row.default])) as unknown as Settings;
  return { ...defaults, data, logLevel: 'error', ...changes };
}

/**
 * Opens a data folder in this process, as the command line would beside a running server: for preparing tenants,
 * clients and tokens through the acts of src/service without starting a process for each.
 */
export async function openData(data: string): Promise<Application> {
  const application = await openApplication(settingsFor(data));
  await ensureDefaultTenant(application, 'await');
  return application;
}

/** Removes a data folder. */
export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}

/** `Authorization: Basic` of a client, form-urlencoded first (RFC 6749 §2.3.1). */
export function basic(clientId: string, secret: string): string {
  return `Basic ${Buffer.from(`${encodeURIComponent(clientId)}:${encodeURIComponent(secret)}`).toString('base64')}`;
}

/** POSTs a form. */
export function postForm(url: string, form: Readonly<Record<string, string>> | URLSearchParams, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  return fetch(url, { method: 'POST', body: form instanceof URLSearchParams ? form : new URLSearchParams(form), headers });
}
