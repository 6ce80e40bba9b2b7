/** What was answered with 200 is on disk: SIGKILL right after it loses nothing, and the next start is quick. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Tenant } from '../../src/core/model.ts';
import { openData, removeFolder, startServer, temporaryFolder, type RunningServer } from '../helpers/server.ts';
import {
  defaultTenant, errorFault, introspect, issue, issuePair, makeClient, makeUser, parseObject, post, until, type Answer, type Credentials, type Fixture,
} from '../helpers/fixture.ts';
import { freePort, requireExecutable, runExecutable } from './executable.ts';

const ROUNDS = 50;
const SOON_MS = 1_000;

requireExecutable();

const data = temporaryFolder();
const startsMs: number[] = [];
let port: number;
let server: RunningServer;
let fixture: Fixture;
let home: Tenant;
let jwt: Credentials;
let opaque: Credentials;

/** Starts the server where it was before, so that issuers stay. */
async function start(): Promise<void> {
  server = await startServer({ data, port, env: { ASSAY_RATE_LIMITS: 'off' } });
  startsMs.push(server.startedInMs);
  if (fixture !== undefined) fixture = { ...fixture, server };
}

async function killAndStart(): Promise<void> {
  await server.kill();
  await start();
}

beforeAll(async () => {
  port = await freePort();
  await start();
  const application = await openData(data);
  fixture = { server, application, close: async () => undefined };
  home = await defaultTenant(fixture);
  const change = { grants: ['client_credentials', 'refresh_token'], scopes: ['a'] } as const;
  [jwt, opaque] = [await makeClient(fixture, home, 'jwt', change), await makeClient(fixture, home, 'opaque', { ...change, tokenFormat: 'opaque' })];
  await makeUser(fixture, home, 'alice');
});
afterAll(async () => {
  await fixture.application.close();
  await server.stop();
  removeFolder(data);
});

const revoke = (as: Credentials, token: string): Promise<Answer> => post(`${server.url}/oauth2/revoke`, { token }, as);
const refresh = (as: Credentials, token: string): Promise<Answer> => post(`${server.url}/oauth2/token`, { grant_type: 'refresh_token', refresh_token: token }, as);
const isActive = async (as: Credentials, token: string): Promise<boolean> => (await introspect(fixture, home, as, token))['active'] === true;

describe('SIGKILL right after the 200', () => {
  test(`REV-19, RFC 7009 §2 ${ROUNDS} rounds: revoke, 200, SIGKILL, start, introspect → inactive`, async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const client = round % 2 === 0 ? jwt : opaque;
      const { access, refresh: family } = await issuePair(fixture, home, client.id, 'alice');
      const whole = round % 4 >= 2;
      expect((await revoke(client, whole ? family : access)).status).toBe(200);
      await killAndStart();
      expect(await isActive(client, access)).toBe(false);
      expect(await isActive(client, family)).toBe(!whole);
    }
    const sorted = startsMs.toSorted((a, b) => a - b);
    process.stderr.write(`start after SIGKILL: median ${sorted[Math.floor(sorted.length / 2)]?.toFixed(0)} ms, worst ${sorted.at(-1)?.toFixed(0)} ms\n`);
    expect(sorted[Math.floor(sorted.length / 2)]).toBeLessThan(SOON_MS);
  }, 120_000);

  test('REV-19 in the middle of 300 revocations: each that was answered holds', async () => {
    for (let round = 0; round < 4; round += 1) {
      const client = round % 2 === 0 ? jwt : opaque;
      const tokens = await Promise.all(Array.from({ length: 300 }, async () => (await issue(fixture, home, client.id)).access_token));
      const acknowledged: string[] = [];
      const all = Promise.all(tokens.map(async (token) => {
        const status = await revoke(client, token).then((answer) => answer.status, () => 0);
        if (status === 200) acknowledged.push(token);
      }));
      await until('some are answered', () => acknowledged.length >= 1 + round * 40);
      await server.kill();
      await all;
      await start();
      for (const token of acknowledged) expect(await isActive(client, token)).toBe(false);
    }
  }, 60_000);

  test('TRT-08, TRT-14, TRT-24 refresh: the successor works after it, and a client whose answer was lost gets the same one', async () => {
    for (const client of [jwt, opaque]) {
      const { refresh: first } = await issuePair(fixture, home, client.id, 'alice');
      const answer = parseObject((await refresh(client, first)).body);
      const successor = String(answer['refresh_token']);
      await killAndStart();
      expect(parseObject((await refresh(client, first)).body)['refresh_token']).toBe(successor);
      expect(await isActive(client, String(answer['access_token']))).toBe(true);
      await killAndStart();
      expect((await refresh(client, successor)).status).toBe(200);
      await killAndStart();
      // Now both are spent, and the first one's successor too: reuse.
      expect(errorFault(await refresh(client, first), 400, 'invalid_grant')).toBeNull();
      await killAndStart();
      expect(await isActive(client, String(answer['access_token']))).toBe(false);
    }
  }, 60_000);

  test('INT-86 a client disabled from the command line beside the server stays so', async () => {
    const doomed = await makeClient(fixture, home, 'doomed');
    const { access_token: token } = await issue(fixture, home, 'doomed');
    expect(await isActive(doomed, token)).toBe(true);
    expect(await runExecutable(['client', 'disable', 'doomed', '--data', data, '--json'], { cwd: data })).toMatchObject({ code: 0 });
    expect((await post(`${server.url}/oauth2/introspect`, { token }, doomed)).status).toBe(401);
    await killAndStart();
    expect((await post(`${server.url}/oauth2/introspect`, { token }, doomed)).status).toBe(401);
    const watcher = await makeClient(fixture, home, 'watcher', { introspect: 'tenant' });
    expect(await isActive(watcher, token)).toBe(false);
  }, 20_000);

  test('AT-10 no token id comes twice across the restarts', async () => {
    const ids = new Set<string>();
    for (let round = 0; round < 3; round += 1) {
      const answers = await Promise.all(Array.from({ length: 50 }, () => post(`${server.url}/oauth2/token`, { grant_type: 'client_credentials' }, jwt)));
      for (const { body } of answers) ids.add(String(parseObject(Buffer.from(String(parseObject(body)['access_token']).split('.')[1] ?? '', 'base64url').toString())['jti']));
      await killAndStart();
    }
    expect(ids.size).toBe(150);
  }, 20_000);
});
