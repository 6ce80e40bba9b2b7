import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeUnit, type UnitWish } from '../../src/cli/service-unit.ts';
import { needProgram } from '../helpers/programs.ts';
import { assayCommand, removeFolder, temporaryFolder } from '../helpers/server.ts';
import { assay, documentOf } from './assay.ts';

const shells = { bash: Bun.which('bash') ?? undefined, zsh: await needProgram('zsh'), fish: await needProgram('fish') };
const analyze = await needProgram('systemdAnalyze');
let folder: string;

beforeAll(async () => {
  folder = temporaryFolder();
  for (const shell of Object.keys(shells)) writeFileSync(join(folder, `assay.${shell}`), (await assay(['completions', shell])).out);
  // A command of that name, as it would be in the PATH.
  writeFileSync(join(folder, 'assay'), `#!/bin/sh\nexec ${assayCommand.join(' ')} "$@"\n`);
  chmodSync(join(folder, 'assay'), 0o755);
});
afterAll(() => removeFolder(folder));

async function output(argv: readonly string[]): Promise<string> {
  const child = Bun.spawn([...argv], { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe', cwd: folder, env: { PATH: `${folder}:${Bun.env['PATH'] ?? ''}`, HOME: folder, TERM: 'dumb' } });
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
  expect(err).toBe('');
  return out;
}

/** What each shell offers for a line, whose last word may be empty; one a line. */
const offer: Readonly<Record<string, (words: readonly string[]) => Promise<readonly string[]>>> = {
  bash: async (words) => {
    const script = `source assay.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($#-1)); _assay; printf "%s\\n" "\${COMPREPLY[@]}"`;
    return (await output([shells.bash ?? '', '-c', script, 'bash', ...words])).split('\n');
  },
  fish: async (words) => (await output([shells.fish ?? '', '--no-config', '-c', 'source assay.fish; complete -C $argv[1]', words.join(' ')])).split('\n').map((line) => line.split('\t')[0] ?? ''),
  // The completion system of zsh needs a line editor, so what it is given is recorded in its place.
  zsh: async (words) => {
    const script = `compdef() { }; source ./assay.zsh; compadd() { [[ $1 == -- ]] && shift; print -l -- $@ }; _describe() { local n=$2; print -l -- \${(P)n%%:*} }; _files() { print FILES }; _message() { }; words=("$@"); CURRENT=$#; _assay`;
    return (await output([shells.zsh ?? '', '-f', '-c', script, 'zsh', ...words])).split('\n');
  },
};

describe('completions come from the commands', () => {
  const cases: readonly (readonly [words: readonly string[], has: readonly string[], not: readonly string[]])[] = [
    [['assay', ''], ['tenant', 'backup', 'doctor', 'serve'], ['create']],
    [['assay', 'tenant', ''], ['create', 'list'], ['tenant', 'serve']],
    [['assay', 'tenant', 'create', '--'], ['--preset', '--json', '--data'], ['--port']],
    [['assay', 'tenant', 'create', 'x', '--layout', ''], ['root', 'realm', 'org'], ['--preset']],
    [['assay', '--data', 'x', 'user', 'create', '--'], ['--email'], ['--preset']],
    [['assay', 'tenant', 'update', 'x', '--passkeys', ''], ['on', 'off'], ['create']],
    [['assay', 'backup', '--'], ['--every', '--keep'], ['--scratch']],
  ];
  for (const [shell, path] of Object.entries(shells)) {
    for (const [words, has, not] of cases) {
      test.skipIf(path === undefined)(`${shell}: ${words.join(' ')}`, async () => {
        const offered = await offer[shell]?.(words);
        expect(offered).toEqual(expect.arrayContaining([...has]));
        for (const name of not) expect(offered).not.toContain(name);
      });
    }
  }

  test.skipIf(shells.zsh === undefined)('zsh takes the script as a completion of assay', async () => {
    expect(await output([shells.zsh ?? '', '-f', '-c', `autoload -U compinit; compinit -u -D; source ./assay.zsh; print \${_comps[assay]}`])).toBe('_assay\n');
  });

  test('another shell is refused', async () => {
    expect(JSON.parse((await assay(['completions', 'fish', '--json'])).out)).toEqual({ shell: 'fish', script: (await assay(['completions', 'fish'])).out });
    expect(await assay(['completions', 'toString'])).toMatchObject({ code: 2, err: expect.stringContaining('bash, zsh, fish') });
  });
});

describe('a systemd unit', () => {
  const wish: UnitWish = { program: '/bin/true', data: '/var/lib/assay', settings: { host: '127.0.0.1', port: 8080, origin: 'https://id.example.com', tlsCert: null, tlsKey: null, trustProxy: ['10.0.0.0/8'] } };
  const full: UnitWish = { ...wish, user: 'root', data: '/srv/my data', masterKey: '/etc/assay/master.key', settings: { ...wish.settings, port: 443, tlsCert: '/etc/ssl/a b.pem', tlsKey: '/etc/ssl/a.key' } };
  for (const [name, unit] of [['small', wish], ['full', full]] as const) {
    test.skipIf(analyze === undefined)(`${name}: systemd understands every line of it`, async () => {
      const path = join(folder, `assay-${name}.service`);
      writeFileSync(path, writeUnit(unit));
      const child = Bun.spawn([analyze ?? '', 'verify', path], { stdout: 'pipe', stderr: 'pipe' });
      const said = `${await new Response(child.stdout).text()}${await new Response(child.stderr).text()}`;
      expect(said.split('\n').filter((line) => line.includes(path))).toEqual([]);
      expect(await child.exited).toBe(0);
    });
  }

  test('gives it what it needs and no more', () => {
    const text = writeUnit(wish);
    for (const line of ['DynamicUser=yes', 'StateDirectory=assay', 'NoNewPrivileges=yes', 'ProtectSystem=strict', 'CapabilityBoundingSet=', 'Type=exec']) expect(text.split('\n')).toContain(line);
    expect(text).not.toMatch(/^MemoryDenyWriteExecute/m);
    expect(text).toContain('ExecStart=/bin/true serve --data /var/lib/assay --host 127.0.0.1 --port 8080 --origin https://id.example.com --trust-proxy 10.0.0.0/8\n');
    const all = writeUnit(full);
    expect(all).toContain('ExecStart=/bin/true serve --data "/srv/my data" --host 127.0.0.1 --port 443 --origin https://id.example.com --tls-cert %d/tls-cert --tls-key %d/tls-key');
    for (const line of ['User=root', 'ReadWritePaths=/srv/my\\x20data', 'LoadCredential=master-key:/etc/assay/master.key', 'Environment=ASSAY_MASTER_KEY_FILE=%d/master-key', 'AmbientCapabilities=CAP_NET_BIND_SERVICE']) expect(all.split('\n')).toContain(line);
  });

  test('is printed by the command, and a user that cannot be is refused', async () => {
    expect(String(documentOf(await assay(['service-unit', '--json']))['unit'])).toContain('[Service]');
    expect((await assay(['service-unit', '--user', 'a b'])).code).toBe(2);
  });
});
