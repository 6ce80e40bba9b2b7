/**
 * Programs of the operating system that some tests drive. Where one is missing, root on Debian gets it by apt-get;
 * elsewhere the tests that need it are skipped, and named as such; with CI set a missing program is an error.
 */
import { existsSync } from 'node:fs';

/** What makes a program complete: files of which each must exist (in PATH when without a slash), and Debian's packages. */
const programs = {
  apache2: {
    files: ['apache2', '/usr/lib/apache2/modules/mod_auth_openidc.so'],
    packages: ['apache2', 'libapache2-mod-auth-openidc'],
  },
  chromium: { files: ['chromium'], packages: ['chromium'] },
  curl: { files: ['curl'], packages: ['curl'] },
  faketime: { files: ['faketime'], packages: ['faketime'] },
  nginx: { files: ['nginx'], packages: ['nginx-light'] },
  openssl: { files: ['openssl'], packages: ['openssl'] },
  fish: { files: ['fish'], packages: ['fish'] },
  systemdAnalyze: { files: ['systemd-analyze'], packages: ['systemd'] },
  zsh: { files: ['zsh'], packages: ['zsh'] },
  wrk: { files: ['wrk'], packages: ['wrk'] },
} as const;

export type Program = keyof typeof programs;

/**
 * Looks for a program, and installs it where that is allowed. Call it at the top of a test file:
 *
 *   const chromium = await needProgram('chromium')
 *   test.skipIf(chromium === undefined)('…', …)
 *
 * Out: its path, or undefined when its tests are to be skipped; with CI set, throws instead.
 */
export async function needProgram(name: Program): Promise<string | undefined> {
  if (find(name) === undefined && mayInstall()) await install(programs[name].packages);
  const path = find(name);
  if (path !== undefined) return path;
  const advice = `${name} is missing (Debian: apt-get install ${programs[name].packages.join(' ')})`;
  if (process.env['CI']) throw new Error(advice);
  process.stderr.write(`skipping: ${advice}\n`);
  return undefined;
}

/** The path of the program's first file when all of them are there. */
function find(name: Program): string | undefined {
  const PATH = `${process.env['PATH']}:/usr/local/sbin:/usr/sbin:/sbin`;
  const paths = programs[name].files.map((file) => (file.includes('/') ? file : Bun.which(file, { PATH })));
  return paths.every((path) => path !== null && existsSync(path)) ? (paths[0] ?? undefined) : undefined;
}

function mayInstall(): boolean {
  return process.getuid?.() === 0 && existsSync('/etc/debian_version') && Bun.which('apt-get') !== null;
}

/** One at a time, also among parallel test files; services that a package brings are not started. */
async function install(packages: readonly string[]): Promise<void> {
  const script = `
    exec 9>/tmp/assay-apt.lock && flock 9
    dpkg -s ${packages.join(' ')} >/dev/null 2>&1 && exit 0
    if [ ! -e /usr/sbin/policy-rc.d ]; then
      printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d
      trap 'rm -f /usr/sbin/policy-rc.d' EXIT
    fi
    get() { apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=300 ${packages.join(' ')}; }
    get || { apt-get update && get; }`;
  const child = Bun.spawn(['sh', '-c', script], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'pipe',
  });
  const complaint = await new Response(child.stderr).text();
  if ((await child.exited) !== 0) process.stderr.write(`apt-get install ${packages.join(' ')}: ${complaint}\n`);
}
