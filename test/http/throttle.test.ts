/** Guessing is slowed down, work is bounded, and nobody who is right has to wait for those who are not (RL). */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import type { Tenant } from '../../src/core/model.ts';
import { makeClock } from '../../src/app/clock.ts';
import { makePasswordHasher } from '../../src/keys/password.ts';
import { makeThrottle } from '../../src/service/throttle.ts';
import { startServer } from '../helpers/server.ts';
import {
  auditOf, defaultTenant, errorFault, introspect, issue, makeClient, makeTenant, post, startFixture, until, type Answer, type Credentials, type Fixture,
} from '../helpers/fixture.ts';

const WRONG = { secret: 'cs_wrong' } as const;
const PATHS = ['/oauth2/introspect', '/oauth2/revoke', '/oauth2/token'] as const;

let fixture: Fixture;
let home: Tenant;

beforeAll(async () => {
  // Behind a proxy of ours, so that a test can come from many addresses.
  fixture = await startFixture({ args: ['--trust-proxy', '127.0.0.1'], env: { ASSAY_RATE_LIMITS: 'on' } });
  home = await defaultTenant(fixture);
});
afterAll(() => fixture.close());

function call(as: Credentials, from: string, path: string = PATHS[0]): Promise<Answer> {
  return post(fixture.server.url + path, { token: 'x', grant_type: 'client_credentials' }, as, { 'X-Forwarded-For': from });
}

/** The answer is a 429 with a whole number of seconds to wait. */
function expectLimited(answer: Answer): void {
  const wait = answer.headers['retry-after'] ?? '';
  expect(errorFault(answer, 429, 'too_many_requests', { 'retry-after': wait })).toBeNull();
  expect(Number(wait)).toBeGreaterThanOrEqual(1);
  expect(Number(wait)).toBeLessThanOrEqual(60);
}

describe('wrong secrets', () => {
  for (const [index, path] of PATHS.entries()) {
    test(`OAuth 2.1 §2.4.1 · RL-01, RL-02, INT-51 at ${path}: ten → 401, the eleventh → 429 with Retry-After; the right secret always passes`, async () => {
      const client = await makeClient(fixture, home, `guessed-${index}`);
      const from = `198.51.100.${index}`;
      for (let guess = 0; guess < 10; guess += 1) expect((await call({ ...client, secret: `${WRONG.secret}${guess}` }, from, path)).status).toBe(401);
      for (let guess = 0; guess < 3; guess += 1) expectLimited(await call({ ...client, ...WRONG }, from, path));
      expect((await call(client, from, path)).status).toBe(200);
      expectLimited(await call({ ...client, ...WRONG }, from, path));
    });
  }

  test('ASVS 6.1.1 · RL-03 an attacker is limited; from another address the same client meets no limit, nor does another client', async () => {
    const [victim, neighbour] = [await makeClient(fixture, home, 'victim', {}, { supplied: 'chosen-by-people' }), await makeClient(fixture, home, 'neighbour')];
    for (let guess = 0; guess < 12; guess += 1) await call({ ...victim, ...WRONG }, '203.0.113.1');
    expectLimited(await call({ ...victim, ...WRONG }, '203.0.113.1'));
    // A secret chosen by people costs a slow hash, so an attacker's address may not even try it; all others may.
    expect((await call(victim, '203.0.113.2')).status).toBe(200);
    expect((await call({ ...victim, ...WRONG }, '203.0.113.2')).status).toBe(401);
    expect((await call({ ...neighbour, ...WRONG }, '203.0.113.1')).status).toBe(401);
    expect((await call(neighbour, '203.0.113.1')).status).toBe(200);
  });

  test('RL-02 an IPv6 /64 counts as one address, the next /64 as another; however it is written', async () => {
    const client = await makeClient(fixture, home, 'v6');
    const spellings = ['2001:db8:0:1::1', '2001:db8:0:1::2', '2001:db8:0:1:ffff::3', '2001:db8:0:1:1:2:3:4', '2001:0db8:0000:0001::5', '2001:DB8::1:0:0:0:6'];
    for (let guess = 0; guess < 10; guess += 1) expect((await call({ ...client, ...WRONG }, spellings[guess % spellings.length] ?? '')).status).toBe(401);
    for (const spelling of spellings) expectLimited(await call({ ...client, ...WRONG }, spelling));
    expect((await call({ ...client, ...WRONG }, '2001:db8:0:2::1')).status).toBe(401);
  });

  test('RL-02 limits are the tenant\'s own: the same client id elsewhere meets none', async () => {
    const other = await makeTenant(fixture, 'other');
    const [here, there] = [await makeClient(fixture, home, 'twin'), await makeClient(fixture, other, 'twin')];
    for (let guess = 0; guess < 12; guess += 1) await call({ ...here, ...WRONG }, '203.0.113.9');
    expectLimited(await call({ ...here, ...WRONG }, '203.0.113.9'));
    expect((await call({ ...there, ...WRONG }, '203.0.113.9', '/t/other/protocol/openid-connect/introspect')).status).toBe(401);
  });

  test('HT-02, RL-02 one address that tries many clients is limited too, and cannot hide behind spoofed hops', async () => {
    const statuses: number[] = [];
    for (let guess = 0; guess < 130; guess += 1) statuses.push((await call({ id: `nobody-${guess}`, ...WRONG }, `10.9.8.${guess}, 192.0.2.77`)).status);
    expect(statuses.filter((status) => status === 401)).toHaveLength(100);
    expect(statuses.at(-1)).toBe(429);
  });

  test('LG-04, RL-02 what is limited is audited, without the guesses', async () => {
    await until('throttled attempts are audited', async () => (await auditOf(fixture, home, 'client_authentication_failed')).some(({ reason }) => reason === 'throttled'));
    for (const event of await auditOf(fixture, home, 'client_authentication_failed')) expect(JSON.stringify(event)).not.toContain(WRONG.secret);
  });
});

describe('bounds', () => {
  test('RL-04 a million invented ids take bounded memory', () => {
    const throttle = makeThrottle({ now: () => 0, monotonic: () => 0 });
    const before = process.memoryUsage().heapUsed;
    for (let index = 0; index < 1_000_000; index += 1) throttle.count(`tenant nobody-${index} 203.0.113.1`);
    Bun.gc(true);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(40 * 2 ** 20);
  });

  test('TM-04, RL-02 a window ends by the monotonic clock, whatever the wall clock does', () => {
    let [wallMs, monotonicMs] = [1_000_000, 0];
    const throttle = makeThrottle(makeClock(0, () => wallMs, () => monotonicMs));
    for (let failure = 0; failure < 10; failure += 1) throttle.count('k');
    expect(throttle.blockedForMs('k', 10)).toBe(60_000);
    wallMs += 86_400_000;
    expect(throttle.blockedForMs('k', 10)).toBe(60_000);
    wallMs -= 172_800_000;
    monotonicMs += 59_000;
    expect(throttle.blockedForMs('k', 10)).toBe(1_000);
    monotonicMs += 1_000;
    expect(throttle.blockedForMs('k', 10)).toBeNull();
  });

  test('RL-05 no more than a few slow hashes at a time and a short queue: beyond it the caller is told at once', async () => {
    const hasher = makePasswordHasher();
    const digest = await hasher.hash('chosen-by-people');
    const outcomes = await Promise.all(Array.from({ length: 200 }, () => hasher.verify('wrong', digest)));
    expect(outcomes.filter((outcome) => outcome === null).length).toBeGreaterThan(100);
    expect(outcomes.filter((outcome) => outcome === false).length).toBeGreaterThanOrEqual(64);
    expect(await hasher.verify('chosen-by-people', digest)).toBe(true);
  }, 20_000);

  test('RL-05, RL-06, CR-02 a flood of guesses at slow secrets: 503 or 429 quickly, and introspection is not queued behind it', async () => {
    const flooded = await startFixture();
    try {
      const tenant = await defaultTenant(flooded);
      const slow = await makeClient(flooded, tenant, 'slow', {}, { supplied: 'chosen-by-people' });
      const quick = await makeClient(flooded, tenant, 'quick');
      const { access_token: token } = await issue(flooded, tenant, 'quick');
      await introspect(flooded, tenant, quick, token);
      const flood = Array.from({ length: 250 }, (_, guess) => post(`${flooded.server.url}/oauth2/introspect`, { token }, { ...slow, secret: `wrong-${guess}-wrong-wrong` }));
      const waits: number[] = [];
      for (let question = 0; question < 20; question += 1) {
        const askedAt = performance.now();
        expect(await introspect(flooded, tenant, quick, token)).toMatchObject({ active: true });
        waits.push(performance.now() - askedAt);
      }
      const answers = await Promise.all(flood);
      const refused = answers.filter(({ status }) => status === 503);
      expect(refused.length).toBeGreaterThan(50);
      for (const answer of refused) expect(errorFault(answer, 503, 'temporarily_unavailable', { 'retry-after': '1' })).toBeNull();
      expect(answers.every(({ status }) => status === 503 || status === 401)).toBe(true);
      expect(waits.toSorted((a, b) => a - b)[10]).toBeLessThan(150);
      const peak = /^VmHWM:\s+([0-9]+) kB/m.exec(readStatus(flooded.server.pid))?.[1];
      if (peak !== undefined) expect(Number(peak) / 1024).toBeLessThan(400);
    } finally {
      await flooded.close();
    }
  }, 30_000);

  test('RL-01 limits can be switched off on a loopback origin only', async () => {
    const failure = await startServer({ args: ['--origin', 'https://id.example'], env: { ASSAY_RATE_LIMITS: 'off' } }).then(
      (server) => server.stop().then(() => 'started'), (error: unknown) => String(error));
    expect(failure).toContain('ASSAY_RATE_LIMITS');
  });
});

function readStatus(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return '';
  }
}
