/**
 * What the time of an answer tells: nothing about why a token is inactive, nor about whose it is (INT-96, REV-24).
 *
 * Samples of all classes are interleaved, so that whatever else the machine does falls on all alike, and their medians
 * are compared. A noisy machine gets three chances, and the bound grows with the noise that two halves of the very same
 * class show.
 */
import { afterAll, beforeAll, describe, test } from 'bun:test';
import type { Tenant } from '../../src/core/model.ts';
import { setClientEnabled } from '../../src/service/manage-clients.ts';
import { digestOf } from '../../src/tokens/digest.ts';
import {
  decodeJwt, homeUrl, issue, issuePair, makeClient, makeJws, makeTenant, makeUser, must, nowS, startFixture, tenantKey, type Credentials, type Fixture,
} from '../helpers/fixture.ts';
import { basic } from '../helpers/server.ts';

const SAMPLES = 2000;
const WARM_UP = 300;
const ATTEMPTS = 3;
/** Milliseconds: three attempts on a machine that does much else. */
const PATIENCE = 120_000;
const grants = ['client_credentials', 'authorization_code', 'refresh_token'] as const;

let fixture: Fixture;
let tenant: Tenant;
let other: Tenant;
let caller: Credentials;

beforeAll(async () => {
  fixture = await startFixture();
  tenant = await makeTenant(fixture, 'timing');
  other = await makeTenant(fixture, 'timing-other');
  caller = await makeClient(fixture, tenant, 'caller', { grants });
  for (const place of [tenant, other]) {
    await makeClient(fixture, place, 'app', { grants });
    await makeClient(fixture, place, 'opaque', { grants, tokenFormat: 'opaque' });
    await makeUser(fixture, place, 'alice');
  }
  await makeClient(fixture, tenant, 'caller-opaque', { grants, tokenFormat: 'opaque' });
});
afterAll(() => fixture.close());

/** Makes the request of one sample; it must answer this status. */
type Sample = { readonly url: string; readonly headers: Readonly<Record<string, string>>; readonly body: string; readonly status: number };
type Classes = Readonly<Record<string, (index: number) => Sample>>;

async function take({ url, headers, body, status }: Sample): Promise<number> {
  const startedMs = performance.now();
  const response = await fetch(url, { method: 'POST', headers, body });
  await response.arrayBuffer();
  const tookMs = performance.now() - startedMs;
  if (response.status !== status) throw new Error(`answered ${response.status}`);
  return tookMs;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/** Each class's median relative to the mean of all, and the noise: how far two halves of one class are apart. */
async function measure(classes: Classes, samples: number, warmUp = WARM_UP): Promise<{ readonly spread: number; readonly noise: number; readonly text: string }> {
  const names = Object.keys(classes);
  const times = new Map<string, number[]>(names.map((name) => [name, []]));
  for (let index = 0; index < samples + warmUp; index += 1) {
    // Another order each time: no class always follows the same one.
    for (let step = 0; step < names.length; step += 1) {
      const name = names[(step * (1 + (index % (names.length - 1))) + index) % names.length] ?? '';
      const sample = classes[name]?.(index);
      if (sample === undefined) continue;
      const tookMs = await take(sample);
      if (index >= warmUp) times.get(name)?.push(tookMs);
    }
  }
  const medians = names.map((name) => median(times.get(name) ?? []));
  const middle = median(medians);
  const halves = names.map((name) => {
    const all = times.get(name) ?? [];
    return Math.abs(median(all.filter((_, index) => index % 2 === 0)) - median(all.filter((_, index) => index % 2 === 1))) / middle;
  });
  return {
    spread: (Math.max(...medians) - Math.min(...medians)) / middle, noise: Math.max(...halves),
    text: names.map((name, index) => `${name} ${((medians[index] ?? 0) * 1000).toFixed(0)} µs`).join(', '),
  };
}

/** Measures until the medians are as near as asked, at most three times. */
async function expectAlike(what: string, makeClasses: () => Promise<Classes>, samples = SAMPLES, limit = 0.1, warmUp = WARM_UP): Promise<void> {
  const seen: string[] = [];
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const { spread, noise, text } = await measure(await makeClasses(), samples, warmUp);
    seen.push(`${text}: spread ${(spread * 100).toFixed(1)} %, noise ${(noise * 100).toFixed(1)} %`);
    if (process.env['ASSAY_SHOW_TIMES']) console.log(what, seen.at(-1));
    if (spread < limit + 2 * noise) return;
  }
  throw new Error(`${what} can be told apart by time:\n${seen.join('\n')}`);
}

const asking = (token: string, as = caller, status = 200, endpoint: 'introspect' | 'revoke' = 'introspect'): Sample => ({
  url: homeUrl(fixture, tenant, endpoint), body: new URLSearchParams({ token }).toString(), status,
  headers: { Authorization: basic(as.id, as.secret), 'Content-Type': 'application/x-www-form-urlencoded' },
});

/** So many JWTs that differ in their id alone, of this client, with these changes. */
async function makeJwts(place: Tenant, client: string, count: number, claims: Readonly<Record<string, unknown>> = {}): Promise<string[]> {
  const { signer } = await tenantKey(fixture, place);
  const good = decodeJwt((await issue(fixture, place, client)).access_token);
  const start = String(good.claims['jti']).slice(0, 9);
  return Array.from({ length: count }, (_, index) =>
    makeJws(good.header, { ...good.claims, jti: `${start}${index.toString(36).padStart(22, 'x')}`, ...claims }, signer));
}

/** One of a list for each sample, again from its beginning after the end. */
const each = (tokens: readonly string[]) => (index: number): Sample => asking(tokens[index % tokens.length] ?? '');

describe('INT-96 why a token is inactive', () => {
  for (const [name, count] of [['each JWT for the first time', SAMPLES + WARM_UP], ['the same few JWTs again and again', 10]] as const) {
    test(`unknown, forged, revoked, expired, another client's, another tenant's: ${name}`, async () => {
      const { store } = fixture.application.ctx;
      const audience = String(decodeJwt((await issue(fixture, tenant, 'app')).access_token).claims['aud']);
      await expectAlike('JWTs', async () => {
        const salt = { n: crypto.randomUUID() };
        const revoked = await makeJwts(tenant, caller.id, count, salt);
        await Promise.all(revoked.map((token) => {
          const { jti, exp } = decodeJwt(token).claims;
          return store.revokeTokenId(tenant.id, String(jti), Number(exp), Date.now(), () => []);
        }));
        const foreign = await makeJwts(tenant, 'app', count, salt);
        return {
          unknown: each(await makeJwts(other, 'app', count, { ...salt, aud: audience, iss: 'http://127.0.0.1:1/t/x' })),
          forged: each(foreign.map((token, index) => `${token.slice(0, token.lastIndexOf('.'))}.${(foreign[(index + 1) % count] ?? '').split('.')[2] ?? ''}`)),
          revoked: each(revoked), expired: each(await makeJwts(tenant, caller.id, count, { ...salt, exp: nowS() - 10 })),
          'another client\'s': each(foreign), 'another tenant\'s': each(await makeJwts(other, 'app', count, salt)),
        };
      });
    }, PATIENCE);
  }

  test('opaque tokens: unknown, revoked, expired, another client\'s, another tenant\'s', async () => {
    const { store } = fixture.application.ctx;
    const make = async (place: Tenant, client: string): Promise<string[]> => Promise.all(Array.from({ length: 50 }, async () => (await issue(fixture, place, client)).access_token));
    const revoked = await make(tenant, 'opaque');
    await Promise.all(revoked.map((token) => store.revokeOpaqueToken(digestOf(token), Date.now(), () => [])));
    const expired = await Promise.all(Array.from({ length: 50 }, async (_, index) => {
      const row = await store.findOpaqueToken(digestOf(revoked[index] ?? ''));
      if (row === null) throw new Error('the token was not stored');
      const token = `at_${index.toString(36).padStart(43, 'e')}`;
      await store.addOpaqueToken({ digest: digestOf(token), facts: { ...row.facts, expiresAt: nowS() - 30, issuedAtMs: Date.now() - 400_000 }, revokedAtMs: null });
      return token;
    }));
    const classes: Classes = {
      unknown: each(Array.from({ length: 50 }, (_, index) => `at_${index.toString(36).padStart(43, 'u')}`)), revoked: each(revoked), expired: each(expired),
      'another client\'s': each(await make(tenant, 'opaque')), 'another tenant\'s': each(await make(other, 'opaque')),
    };
    await expectAlike('opaque tokens', () => Promise.resolve(classes));
  }, PATIENCE);

  test('refresh tokens: unknown, revoked, spent, another client\'s, another tenant\'s', async () => {
    const { store } = fixture.application.ctx;
    const make = async (place: Tenant, client: string): Promise<string[]> => Promise.all(Array.from({ length: 50 }, async () => (await issuePair(fixture, place, client, 'alice')).refresh));
    const revoked = await make(tenant, caller.id);
    for (const token of revoked) {
      const row = await store.findRefreshToken(digestOf(token));
      await store.revokeGrant({ tenantId: tenant.id, grantId: row?.grant.id ?? '', session: false, atMs: Date.now() }, () => []);
    }
    const spent = await make(tenant, caller.id);
    for (const token of spent) {
      const answer = await fetch(homeUrl(fixture, tenant, 'token'), {
        method: 'POST', body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: token }), headers: { Authorization: basic(caller.id, caller.secret) },
      });
      if (answer.status !== 200) throw new Error('the token was not spent');
      await answer.arrayBuffer();
    }
    const classes: Classes = {
      unknown: each(Array.from({ length: 50 }, (_, index) => `rt_${index.toString(36).padStart(43, 'u')}`)), revoked: each(revoked), spent: each(spent),
      'another client\'s': each(await make(tenant, 'app')), 'another tenant\'s': each(await make(other, 'app')),
    };
    await expectAlike('refresh tokens', () => Promise.resolve(classes));
  }, PATIENCE);
});

test('INT-48 unknown client, wrong secret, expired secret, disabled client: no time tells which', async () => {
  const { ctx } = fixture.application;
  const disabled = await makeClient(fixture, tenant, 'disabled');
  must(await setClientEnabled(ctx, tenant, 'disabled', false));
  const expired = await makeClient(fixture, tenant, 'expired', {}, { ttl: 1 });
  await Bun.sleep(1100);
  const { access_token: token } = await issue(fixture, tenant, caller.id);
  const refused = (as: Credentials) => (): Sample => asking(token, as, 401);
  await expectAlike('refused callers', () => Promise.resolve({
    unknown: refused({ id: 'nobody', secret: caller.secret }), wrong: refused({ id: caller.id, secret: disabled.secret }), expired: refused(expired), disabled: refused(disabled),
  }));
}, PATIENCE);

test('REV-24 revoking an unknown, another client\'s, another tenant\'s token takes the same time, and one\'s own about the same', async () => {
  const samples = 400;
  const warmUp = 50;
  const count = samples + warmUp;
  const revoking = (tokens: readonly string[]) => (index: number): Sample => asking(tokens[index] ?? '', caller, 200, 'revoke');
  const strangers = async (): Promise<Classes> => {
    const salt = { n: crypto.randomUUID() };
    const foreign = await makeJwts(tenant, 'app', count, salt);
    const unknown = foreign.map((token, index) => `${token.slice(0, token.lastIndexOf('.'))}.${(foreign[(index + 1) % count] ?? '').split('.')[2] ?? ''}`);
    return { unknown: revoking(unknown), 'another client\'s': revoking(foreign), 'another tenant\'s': revoking(await makeJwts(other, 'app', count, salt)) };
  };
  await expectAlike('revocations', strangers, samples, 0.1, warmUp);
  // Whose own it is knows that already; its two rows may cost a little more than none.
  await expectAlike('own revocations', async () => ({ ...await strangers(), own: revoking(await makeJwts(tenant, caller.id, count, { n: crypto.randomUUID() })) }), samples, 0.4, warmUp);
}, PATIENCE);
