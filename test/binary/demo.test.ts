/** `assay serve --demo`: five lines to paste, and each answers. */
import { afterAll, describe, expect, test } from 'bun:test';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { needProgram } from '../helpers/programs.ts';
import { removeFolder, temporaryFolder } from '../helpers/server.ts';
import { parseObject } from '../helpers/fixture.ts';
import { freePort, requireExecutable, runExecutable } from './executable.ts';

const executable = requireExecutable();
const folders: string[] = [];
afterAll(() => {
  for (const made of folders) removeFolder(made);
});

function folder(): string {
  const made = temporaryFolder();
  folders.push(made);
  return made;
}

type Demo = { readonly lines: readonly string[]; readonly out: string; stop(): Promise<number> };

/** Starts the demo and waits for its five lines. */
async function startDemo(cwd: string, args: readonly string[] = []): Promise<Demo> {
  const port = await freePort();
  const child = Bun.spawn([executable, 'serve', '--demo', '--port', String(port), ...args], {
    cwd, env: { PATH: Bun.env['PATH'] ?? '', HOME: cwd, TMPDIR: cwd }, stdin: 'ignore', stdout: 'pipe', stderr: 'ignore',
  });
  let out = '';
  const five = Promise.withResolvers<void>();
  const curls = (): readonly string[] => out.split('\n').slice(0, -1).filter((line) => /curl\b.*introspect/.test(line));
  void (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of child.stdout) {
      out += decoder.decode(chunk, { stream: true });
      if (curls().length >= 5) five.resolve();
    }
    five.reject(new Error(`the demo ended:\n${out}`));
  })();
  await five.promise;
  await Bun.sleep(100);
  return {
    lines: curls(), out,
    async stop() {
      child.kill('SIGTERM');
      return child.exited;
    },
  };
}

const curl = await needProgram('curl');

describe('serve --demo', () => {

  test.skipIf(curl === undefined)('OP-11, INT-01 exactly five lines, each complete and without a pipe, each answers "active":true when pasted; nothing is left behind', async () => {
    const cwd = folder();
    const demo = await startDemo(cwd);
    expect(demo.lines).toHaveLength(5);
    const paths = ['/oauth2/introspect', '/oauth2/introspection', '/protocol/openid-connect/introspect', '/api/v1/oauth/introspect'];
    const origin = /^ {2}Application +(\S+)\/demo$/m.exec(demo.out)?.[1] ?? '';
    expect(origin).toStartWith('http://localhost:');
    expect(demo.out).toMatch(/^ {2}Password +demo-\S+$/m);
    for (const path of ['/demo', '/assets/demo.js', '/assets/demo-tokens.js']) expect((await fetch(`${origin}${path}`)).status).toBe(200);
    expect(await (await fetch(`${origin}/`)).text()).toContain('href="/demo"');
    for (const path of paths) expect(demo.lines.some((line) => line.includes(path))).toBe(true);
    for (const line of demo.lines) {
      expect(line).not.toMatch(/[|\\]/);
      const child = Bun.spawn(['sh', '-c', line], { stdout: 'pipe', stderr: 'ignore', env: { PATH: Bun.env['PATH'] ?? '' } });
      const text = await new Response(child.stdout).text();
      expect(await child.exited).toBe(0);
      expect(text).toContain('"active":true');
      const { active, exp, iat } = parseObject(text.trim());
      expect(active).toBe(true);
      if (exp !== undefined) expect(Number(exp) - Number(iat)).toBe(86_400);
    }
    expect(await demo.stop()).toBe(0);
    expect(readdirSync(cwd)).toEqual([]);
  }, 30_000);

  test('with --data: an empty folder or an earlier demo, secrets and tokens anew; anything else is refused', async () => {
    const cwd = folder();
    const data = join(cwd, 'demo-data');
    const first = await startDemo(cwd, ['--data', data]);
    await first.stop();
    expect(existsSync(data)).toBe(true);
    const second = await startDemo(cwd, ['--data', data]);
    await second.stop();
    for (const line of second.lines) expect(first.lines).not.toContain(line);
    const other = join(cwd, 'own-data');
    expect(await runExecutable(['client', 'create', '--id', 'own', '--data', other, '--json'], { cwd })).toMatchObject({ code: 0 });
    const refused = await runExecutable(['serve', '--demo', '--port', '0', '--data', other], { cwd });
    expect(refused.code).toBe(1);
    expect((await runExecutable(['client', 'list', '--data', other, '--json'], { cwd })).out).toContain('"own"');
  }, 30_000);

  for (const args of [['--host', '0.0.0.0'], ['--origin', 'https://id.example']]) {
    test(`RL-01 on ${args.join(' ')} → refused: it is for loopback only`, async () => {
      const cwd = folder();
      const { code, err } = await runExecutable(['serve', '--demo', '--port', '0', ...args], { cwd, env: { TMPDIR: cwd } });
      expect([1, 2]).toContain(code);
      expect(err.toLowerCase()).toContain('loopback');
      expect(readdirSync(cwd)).toEqual([]);
    }, 20_000);
  }
});
