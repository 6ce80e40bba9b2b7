/** The machine's clock jumps: nothing expired comes back, nothing is good too early, nothing lives for ever (TM). */
import { describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeClock } from '../../src/app/clock.ts';
import type { Tenant } from '../../src/core/model.ts';
import { needProgram } from '../helpers/programs.ts';
import { basic, openData, postForm, removeFolder, startServer, temporaryFolder, untilReady, type RunningServer } from '../helpers/server.ts';
import {
  decodeJwt, defaultTenant, errorFault, forge, introspect, issue, makeClient, makeUser, nowS, parseObject, post, send, startFixture, until, type Credentials, type Fixture,
} from '../helpers/fixture.ts';
import { listAudit } from '../helpers/trail.ts';

const HOUR_MS = 3_600_000;
const LIFE_S = 2;

describe('the clock that everything goes by', () => {
  type Step = readonly [wallMs: number, monotonicMs: number, now: number, behindMs: number];
  const start = 1_000_000_000;
  const histories: readonly (readonly [name: string, highWaterMs: number, steps: readonly Step[]])[] = [
    ['TM-01 follows the machine', 0, [[start, 0, start, 0], [start + 5, 5, start + 5, 0], [start + HOUR_MS, 6, start + HOUR_MS, 0]]],
    ['TM-02 stands still for a small step back, and is no trouble', 0, [[start, 0, start, 0], [start - 1_500, 1, start, 0], [start - 100, 2, start, 0], [start + 1, 3, start + 1, 0]]],
    ['TM-02 one hour back: goes on from where it was, by the monotonic clock', 0, [
      [start, 0, start, 0], [start - HOUR_MS, 10, start, HOUR_MS], [start - HOUR_MS + 500, 510, start + 500, HOUR_MS], [start - HOUR_MS + 60_000, 60_010, start + 60_000, HOUR_MS],
    ]],
    ['TM-03 one hour forward and back: never back, and right again when the machine has caught up', 0, [
      [start, 0, start, 0], [start + HOUR_MS, 100, start + HOUR_MS, 0], [start + 200, 200, start + HOUR_MS, HOUR_MS - 200],
      [start + 1_200, 1_200, start + HOUR_MS + 1_000, HOUR_MS - 200], [start + 2 * HOUR_MS, 2_000, start + 2 * HOUR_MS, 0],
    ]],
    ['TM-02 an earlier run has seen a later time', start + HOUR_MS, [[start, 0, start + HOUR_MS, HOUR_MS], [start + 1_000, 1_000, start + HOUR_MS + 1_000, HOUR_MS]]],
    ['TM-02 back again while it runs on its own', 0, [[start, 0, start, 0], [start - HOUR_MS, 0, start, HOUR_MS], [start - 2 * HOUR_MS, 1_000, start + 1_000, 2 * HOUR_MS + 1_000]]],
  ];
  for (const [name, highWaterMs, steps] of histories) {
    test(`${name}`, () => {
      let [wall, monotonic] = [0, 0];
      const clock = makeClock(highWaterMs, () => wall, () => monotonic);
      for (const [wallMs, monotonicMs, now, behindMs] of steps) {
        [wall, monotonic] = [wallMs, monotonicMs];
        expect([clock.now(), clock.behindMs()]).toEqual([now, behindMs]);
      }
    });
  }

  test('TM-02, TM-03 whatever the machine\'s clock does, time never goes back', () => {
    let [wall, monotonic, seed] = [start, 0, 42];
    const clock = makeClock(0, () => wall, () => monotonic);
    let latest = clock.now();
    for (let step = 0; step < 20_000; step += 1) {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      wall += seed % 7 === 0 ? (seed % 172_800_000) - 86_400_000 : seed % 50;
      monotonic += seed % 50;
      expect(clock.now()).toBeGreaterThanOrEqual(latest);
      latest = clock.now();
    }
  });
});

describe('times in tokens', () => {
  const claims: readonly (readonly [name: string, change: (now: number) => Readonly<Record<string, unknown>>, active: boolean])[] = [
    ['TM-05 exp in the year 9999', () => ({ exp: 253_402_300_799 }), true],
    ['TM-05 exp after the year 9999', () => ({ exp: 253_402_300_800 }), false],
    ['TM-05 exp 0', () => ({ exp: 0 }), false],
    ['TM-05 exp negative', () => ({ exp: -1 }), false],
    ['TM-05 exp a fraction', (now) => ({ exp: now + 100.5 }), false],
    ['TM-05 exp text', (now) => ({ exp: String(now + 100) }), false],
    ['TM-05 exp 1e21', () => ({ exp: 1e21 }), false],
    ['TM-05 exp null', () => ({ exp: null }), false],
    ['TM-05 exp a list', (now) => ({ exp: [now + 100] }), false],
    ['TM-05 no exp', () => ({ exp: undefined }), false],
    ['TM-05 iat text', (now) => ({ iat: String(now) }), false],
    ['TM-05 iat 1e21', () => ({ iat: 1e21 }), false],
    ['TM-05 nbf a fraction', (now) => ({ nbf: now - 0.5 }), false],
    ['TM-05 nbf text', (now) => ({ nbf: String(now - 1) }), false],
    ['TM-01 nbf now', (now) => ({ nbf: now }), true],
    ['TM-01 nbf soon: our own tokens get no grace', (now) => ({ nbf: now + 5 }), false],
    ['TM-01 exp just past: no grace', (now) => ({ exp: now - 1 }), false],
    ['TM-01 exp this second', (now) => ({ exp: now }), false],
    ['TM-03 iat within 10 s of the future', (now) => ({ iat: now + 5, jti: 'not-one-of-our-ids-00001' }), true],
    ['TM-03 iat beyond 10 s of the future', (now) => ({ iat: now + 60, exp: now + 600, jti: 'not-one-of-our-ids-00002' }), false],
  ];
  test('TM-01, TM-03, TM-05 tokens of our own key whose times are odd', async () => {
    const fixture = await startFixture();
    try {
      const home = await defaultTenant(fixture);
      const client = await makeClient(fixture, home, 'svc');
      const { access_token: token } = await issue(fixture, home, 'svc');
      for (const [name, change, active] of claims) {
        const forged = await forge(fixture, home, token, { claims: change(nowS()) });
        expect([name, (await introspect(fixture, home, client, forged))['active']]).toEqual([name, active]);
      }
    } finally {
      await fixture.close();
    }
  });
});

const faketime = process.platform === 'linux' ? await needProgram('faketime') : undefined;

describe('a server whose machine\'s clock jumps', () => {
  /** The library behind the program. */
  const preload = faketime === undefined ? '' : Bun.spawnSync([faketime, '-f', '+0', 'sh', '-c', 'printf %s "$LD_PRELOAD"']).stdout.toString();

  type Jumper = { readonly fixture: Fixture; readonly home: Tenant; readonly brief: Credentials; readonly jump: (seconds: number) => Promise<void>; readonly start: (data: string) => Promise<RunningServer> };

  /** A server whose clock is off by as many seconds as a file says. */
  async function startJumper(): Promise<Jumper> {
    const file = join(temporaryFolder(), 'offset');
    const offset = (seconds: number): void => writeFileSync(file, `${seconds < 0 ? '-' : '+'}${Math.abs(seconds)}s`);
    offset(0);
    const prefix = ['env', `LD_PRELOAD=${preload}`, `FAKETIME_TIMESTAMP_FILE=${file}`, 'FAKETIME_NO_CACHE=1', 'FAKETIME_DONT_FAKE_MONOTONIC=1', 'DONT_FAKE_MONOTONIC=1'];
    const fixture = await startFixture({ prefix });
    const home = await defaultTenant(fixture);
    const brief = await makeClient(fixture, home, 'brief', { accessTokenTtl: LIFE_S, refreshTokenTtl: LIFE_S, grants: ['client_credentials', 'refresh_token'] });
    await makeUser(fixture, home, 'alice');
    return {
      fixture, home, brief,
      async jump(seconds) {
        offset(seconds);
        await Bun.sleep(20);
      },
      start: (data) => startServer({ data, prefix, env: { ASSAY_RATE_LIMITS: 'off' } }),
    };
  }

  const ask = async ({ fixture, brief }: Jumper): Promise<string> =>
    String(parseObject((await post(`${fixture.server.url}/oauth2/token`, { grant_type: 'client_credentials' }, brief)).body)['access_token']);
  const keysOf = async ({ fixture }: Jumper): Promise<string> => (await send(`${fixture.server.url}/oauth2/jwks.json`, {})).body;
  const isActive = async ({ fixture, home, brief }: Jumper, token: string): Promise<boolean> => (await introspect(fixture, home, brief, token))['active'] === true;

  test.skipIf(faketime === undefined)('TM-02, JK-10 one hour back: nothing expired is active again, new tokens still live their seconds, keys stay; readiness and log say so', async () => {
    const jumper = await startJumper();
    const { fixture, brief } = jumper;
    const keys = await keysOf(jumper);
    try {
      const [expired, { refresh_token: refresh = '' }] = [await ask(jumper), await issue(fixture, jumper.home, 'brief', { user: 'alice' })];
      expect(await isActive(jumper, expired)).toBe(true);
      await Bun.sleep(LIFE_S * 1000 + 100);
      expect(await isActive(jumper, expired)).toBe(false);
      await jumper.jump(-3600);
      for (const token of [expired, refresh]) expect(await isActive(jumper, token)).toBe(false);
      expect(errorFault(await post(`${fixture.server.url}/oauth2/token`, { grant_type: 'refresh_token', refresh_token: refresh }, brief), 400, 'invalid_grant')).toBeNull();
      const fresh = await ask(jumper);
      expect(Number(decodeJwt(fresh).claims['iat'])).toBeGreaterThanOrEqual(Number(decodeJwt(expired).claims['exp']));
      expect(await isActive(jumper, fresh)).toBe(true);
      await until('readiness tells', async () => (await send(`${fixture.server.url}/readyz`, {})).body === '{"status":"not_ready","problems":["clock"]}');
      expect((await send(`${fixture.server.url}/healthz`, {})).status).toBe(200);
      await Bun.sleep(LIFE_S * 1000);
      expect(await isActive(jumper, fresh)).toBe(false);
      await until('the log tells', () => fixture.server.logs().includes('stepped back'), 8_000);
      await until('the audit trail too', async () => (await listAudit(fixture.application.ctx.store, { type: 'clock_stepped_back', limit: 5 })).length === 1);
      await jumper.jump(0);
      await untilReady(fixture.server);
      expect(await keysOf(jumper)).toBe(keys);
    } finally {
      await fixture.close();
    }
  }, 30_000);

  test.skipIf(faketime === undefined)('TM-03, JK-10 one hour and one day forward and back: tokens of the time to come live their seconds and no longer; keys stay', async () => {
    const jumper = await startJumper();
    const keys = await keysOf(jumper);
    try {
      await jumper.jump(3600);
      const token = await ask(jumper);
      expect(await isActive(jumper, token)).toBe(true);
      await jumper.jump(0);
      expect(await isActive(jumper, token)).toBe(true);
      await Bun.sleep(LIFE_S * 1000 + 100);
      expect(await isActive(jumper, token)).toBe(false);
      const next = await ask(jumper);
      expect(await isActive(jumper, next)).toBe(true);
      await Bun.sleep(LIFE_S * 1000 + 100);
      expect(await isActive(jumper, next)).toBe(false);
      await jumper.jump(86_400);
      expect(await isActive(jumper, await ask(jumper))).toBe(true);
      // The sweeper has been round.
      await Bun.sleep(5_200);
      await jumper.jump(0);
      expect(await keysOf(jumper)).toBe(keys);
    } finally {
      await jumper.fixture.close();
    }
  }, 30_000);

  test.skipIf(faketime === undefined)('TM-02, TM-03 a restart in between: an orderly stop remembers the latest time; after a crash tokens of the future are not good early', async () => {
    const jumper = await startJumper();
    const { fixture } = jumper;
    const { data } = fixture.server;
    try {
      await Bun.sleep(50);
      await jumper.jump(3600);
      const early = await ask(jumper);
      await fixture.application.close();
      await fixture.server.kill();
      await jumper.jump(0);
      const crashed = await jumper.start(data);
      const reopened = await openData(data);
      const after: Jumper = { ...jumper, fixture: { ...fixture, server: crashed, application: reopened } };
      // The token's issuer is the port of then; what is judged here is time, so the origin moves along.
      const high = Number(await reopened.ctx.store.readMeta('clock_high_water_ms'));
      if (high < Date.now() + 1_800_000) {
        const moved = await forge(after.fixture, jumper.home, early, { claims: { iss: crashed.url } });
        expect(await isActive(after, moved)).toBe(false);
      }
      await jumper.jump(3600);
      const expired = await ask(after);
      await Bun.sleep(LIFE_S * 1000 + 100);
      await reopened.close();
      expect(await crashed.stop()).toBe(0);
      await jumper.jump(0);
      const restarted = await jumper.start(data);
      const again = await openData(data);
      const last: Jumper = { ...jumper, fixture: { ...fixture, server: restarted, application: again } };
      const moved = await forge(last.fixture, jumper.home, expired, { claims: { iss: restarted.url } });
      expect(await isActive(last, moved)).toBe(false);
      expect((await send(`${restarted.url}/readyz`, {})).body).toContain('"clock"');
      await again.close();
      await restarted.kill();
    } finally {
      removeFolder(data);
    }
  }, 30_000);
});

describe('a start with a clock that is behind', () => {
  test('TM-06 nothing is issued, and what there is is judged on; until the operator says that the clock is right', async () => {
    const fixture = await startFixture();
    const { data } = fixture.server;
    const home = await defaultTenant(fixture);
    const client = await makeClient(fixture, home, 'svc');
    await fixture.application.ctx.store.writeMeta('clock_high_water_ms', String(Date.now() + HOUR_MS), []);
    await fixture.application.close();
    await fixture.server.kill();
    const tokenOf = (url: string): Promise<Response> => postForm(`${url}/oauth2/token`, { grant_type: 'client_credentials' }, { authorization: basic(client.id, client.secret) });
    try {
      const behind = await startServer({ data });
      const refused = await tokenOf(behind.url);
      expect([refused.status, refused.headers.get('retry-after'), await refused.json()]).toEqual([
        503, '60', { error: 'temporarily_unavailable', error_description: 'the clock of this server is behind' },
      ]);
      const asked = await postForm(`${behind.url}/oauth2/introspect`, { token: 'unknown' }, { authorization: basic(client.id, client.secret) });
      expect([asked.status, await asked.text()]).toEqual([200, '{"active":false}']);
      await behind.kill();
      const accepted = await startServer({ data, args: ['--accept-clock'] });
      expect((await tokenOf(accepted.url)).status).toBe(200);
      expect((await send(`${accepted.url}/readyz`, {})).status).toBe(200);
      expect(await accepted.stop()).toBe(0);
      const reopened = await openData(data);
      const { ctx } = reopened;
      expect(Number(await ctx.store.readMeta('clock_high_water_ms'))).toBeLessThan(Date.now() + 60_000);
      expect(await listAudit(ctx.store, { type: 'clock_accepted', limit: 10 })).toMatchObject([{ actor: 'operator' }]);
      await reopened.close();
    } finally {
      removeFolder(data);
    }
  }, 30_000);
});
