/** What becomes of tokens when a session ends by itself. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import type { Client, Tenant, User } from '../../src/core/model.ts';
import type { AuthorizationCode, BrowserSession } from '../../src/core/people.ts';
import { introspect } from '../../src/service/introspect.ts';
import { issueToken } from '../../src/service/issue-token.ts';
import { updateClient } from '../../src/service/manage-clients.ts';
import { updateTenant } from '../../src/service/manage-tenants.ts';
import { createUser } from '../../src/service/manage-users.ts';
import { findSignedIn, makeCookieSecret, type Browser } from '../../src/service/sign-in/browser.ts';
import { exchangeGrant } from '../../src/service/token.ts';
import { tellUserinfo } from '../../src/service/userinfo.ts';
import type { TokenOutcome } from '../../src/service/grants/grant.ts';
import type { TokenResponse } from '../../src/spec/introspection.ts';
import { digestOf } from '../../src/tokens/digest.ts';
import { decodeJwt } from 'jose';
import { openRig, there, wanted, type Rig } from './rig.ts';

const from = { ip: '192.0.2.1', requestId: 'req' };
const IDLE_S = 2;

let rig: Rig;
let acme: Tenant;
let app: Client;
let user: User;
beforeEach(async () => {
  rig = openRig();
  acme = await rig.tenant('acme', { people: { sessionIdleTtl: IDLE_S } });
  app = await client('app');
  user = wanted(await createUser(rig.ctx, acme, 'usr_1', { username: 'jane', email: '' }));
});
afterEach(() => rig.close());

const client = async (id: string): Promise<Client> => (await rig.client(acme, id, {
  grants: ['authorization_code', 'refresh_token'], scopes: ['openid', 'offline_access'], redirectUris: ['https://app.example/cb'], backchannelLogoutUri: 'https://app.example/logout',
})).client;

type Seat = { readonly session: BrowserSession; readonly browser: Browser };

async function sit(lifetimeMs = 3_600_000): Promise<Seat> {
  const secret = makeCookieSecret(rig.ctx);
  const nowMs = rig.clock.now();
  const session: BrowserSession = {
    id: `ses_${secret}`, tenantId: acme.id, userId: user.id, createdAtMs: nowMs, endedAtMs: null, secretDigest: digestOf(secret), authTimeMs: nowMs,
    amr: ['pwd'], acr: '1fa', lastSeenAtMs: nowMs, expiresAtMs: nowMs + lifetimeMs, userAgent: null, ip: null,
  };
  await rig.ctx.store.openBrowserSession({ session, replaces: null, progress: null }, { audit: [] });
  return { session, browser: { secret: null, session: secret, userAgent: null, locale: 'en', from } };
}

async function presentCode({ session }: Seat, offline: boolean, by = app): Promise<TokenOutcome> {
  const code = `ac_${rig.ctx.random.text(32)}`;
  const row: AuthorizationCode = {
    digest: digestOf(code), tenantId: acme.id, clientId: by.id, userId: user.id, sessionId: session.id, sessionEndsAtMs: session.expiresAtMs, orgId: null,
    redirectUri: null, challenge: null, nonce: null, scopes: offline ? ['openid', 'offline_access'] : ['openid'], resources: [], offline,
    authTime: Math.floor(session.authTimeMs / 1000), acr: '1fa', amr: ['pwd'], issuedAtMs: rig.clock.now(), expiresAtMs: rig.clock.now() + 60_000, usedAtMs: null, failures: 0, grantId: null,
  };
  expect(await rig.ctx.store.issueCode({ code: row, interactionDigest: null, consent: null }, [])).toBe(true);
  return exchangeGrant(rig.ctx, 'authorization_code', { tenant: acme, client: by, parameters: { code }, from });
}

type Tokens = TokenResponse & { readonly refresh_token: string };
function given(outcome: TokenOutcome): Tokens {
  if (!outcome.ok) throw new Error(`${outcome.error}: ${outcome.description}`);
  return { ...outcome.response, refresh_token: there(outcome.response.refresh_token) };
}
const enter = async (seat: Seat, offline = false, by = app): Promise<Tokens> => given(await presentCode(seat, offline, by));
const refresh = (token: string, by = app): Promise<TokenOutcome> => exchangeGrant(rig.ctx, 'refresh_token', { tenant: acme, client: by, parameters: { refresh_token: token }, from });
const isActive = async (token: string, by = app): Promise<boolean> => (await introspect(rig.ctx, acme, by, token)).active;
const seen = async ({ session }: Seat): Promise<number | undefined> => (await rig.ctx.store.findBrowserSession(acme.id, session.secretDigest))?.lastSeenAtMs;
async function sweep(): Promise<void> {
  while (!(await rig.ctx.store.sweep(rig.clock.now(), 1000)).done);
}
const told = async (): Promise<readonly string[]> => (await rig.ctx.store.listDueLogouts(rig.clock.now(), { after: null, clients: 9, each: 9 })).items.map(({ target }) => target);

describe('TRT-21, UI-07 · a session that is left alone', () => {
  test('INT-92, LO-11, US-05 takes its tokens along, its clients hear of it; what is for offline use stays', async () => {
    const seat = await sit();
    const bound = await enter(seat);
    const offline = await enter(seat, true);
    rig.clock.advance(IDLE_S * 1000 - 1);
    await sweep();
    expect([await isActive(bound.access_token), await isActive(bound.refresh_token), await told()]).toEqual([true, true, []]);
    rig.clock.advance(1);
    // Refreshing is refused without waiting for the sweeper, and brings nothing back.
    expect(await refresh(bound.refresh_token)).toMatchObject({ ok: false, error: 'invalid_grant' });
    expect(await rig.events('refresh_refused')).toMatchObject([{ reason: 'session_over', outcome: 'denied' }]);
    await sweep();
    expect([await isActive(bound.access_token), await isActive(bound.refresh_token)]).toEqual([false, false]);
    expect(await tellUserinfo(rig.ctx, acme, bound.access_token, rig.ctx.by)).toEqual({ ok: false, error: 'invalid_token' });
    expect(await refresh(bound.refresh_token)).toMatchObject({ ok: false, error: 'invalid_grant' });
    expect(await findSignedIn(rig.ctx, acme, seat.browser)).toBeNull();
    expect(await told()).toEqual(['app']);
    expect(await rig.events('session_ended')).toMatchObject([{ tenant: 'acme', actor: 'server', subject: user.id, reason: 'idle' }]);
    expect(await isActive(offline.access_token)).toBe(true);
    expect((await tellUserinfo(rig.ctx, acme, offline.access_token, rig.ctx.by)).ok).toBe(true);
    given(await refresh(offline.refresh_token));
  });

  test('a code that comes after its end opens nothing', async () => {
    const seat = await sit();
    rig.clock.advance(IDLE_S * 1000);
    const waiting = presentCode(seat, false);
    await sweep();
    await waiting;
    await sweep();
    expect(await rig.ctx.store.listGrants(acme.id, user.id, rig.clock.now())).toEqual([]);
  });

  test.each([['rotation', true], ['the same token again', false]])('a refresh is a visit: %s', async (_name, refreshRotation) => {
    app = wanted(await updateClient(rig.ctx, acme, 'app', { refreshRotation }));
    const seat = await sit();
    let tokens = await enter(seat);
    const startMs = rig.clock.now();
    for (let round = 0; round < 4; round += 1) {
      rig.clock.advance(1_500);
      tokens = given(await refresh(tokens.refresh_token));
      await sweep();
      expect([await isActive(tokens.access_token), await seen(seat)]).toEqual([true, startMs + (round + 1) * 1_500]);
    }
    expect(await findSignedIn(rig.ctx, acme, seat.browser)).not.toBeNull();
    rig.clock.advance(2_000);
    await sweep();
    expect(await isActive(tokens.access_token)).toBe(false);
  });

  test('a refresh is written down as a visit once in a while; one for offline use never', async () => {
    acme = wanted(await updateTenant(rig.ctx, 'acme', { people: { sessionIdleTtl: 3_600 } }));
    const seat = await sit();
    const startMs = rig.clock.now();
    let [bound, offline] = [await enter(seat), await enter(seat, true)];
    rig.clock.advance(59_999);
    bound = given(await refresh(bound.refresh_token));
    expect(await seen(seat)).toBe(startMs);
    rig.clock.advance(1);
    offline = given(await refresh(offline.refresh_token));
    expect(await seen(seat)).toBe(startMs);
    bound = given(await refresh(bound.refresh_token));
    expect(await seen(seat)).toBe(startMs + 60_000);
    expect([await isActive(bound.access_token), await isActive(offline.access_token)]).toEqual([true, true]);
  });

  test('visits keep it under a short limit', async () => {
    acme = wanted(await updateTenant(rig.ctx, 'acme', { people: { sessionIdleTtl: 20 } }));
    const seat = await sit();
    const startMs = rig.clock.now();
    rig.clock.advance(4_999);
    await findSignedIn(rig.ctx, acme, seat.browser);
    expect(await seen(seat)).toBe(startMs);
    for (const ms of [1, 15_000, 19_999]) {
      rig.clock.advance(ms);
      await sweep();
      expect(await findSignedIn(rig.ctx, acme, seat.browser)).not.toBeNull();
      expect(await seen(seat)).toBe(rig.clock.now());
    }
  });
});

describe('TRT-21, UI-07 · a session at its absolute end', () => {
  beforeEach(async () => {
    acme = wanted(await updateTenant(rig.ctx, 'acme', { people: { sessionIdleTtl: 3_600 } }));
  });

  test.each([['jwt'], ['opaque']] as const)('no token lives longer: %s', async (tokenFormat) => {
    app = wanted(await updateClient(rig.ctx, acme, 'app', { tokenFormat }));
    const seat = await sit(100_000);
    const [bound, offline] = [await enter(seat), await enter(seat, true)];
    const left = (endMs: number): number => Math.floor(endMs / 1000) - Math.floor(rig.clock.now() / 1000);
    expect([bound.expires_in, offline.expires_in]).toEqual([left(seat.session.expiresAtMs), 300]);
    expect(decodeJwt(there(bound.id_token)).exp).toBe(Math.floor(seat.session.expiresAtMs / 1000));
    rig.clock.advance(60_000);
    const again = given(await refresh(bound.refresh_token));
    expect(again.expires_in).toBe(left(seat.session.expiresAtMs));
    const outcome = await introspect(rig.ctx, acme, app, again.access_token);
    expect(outcome.active && outcome.facts.expiresAt).toBe(Math.floor(seat.session.expiresAtMs / 1000));
    rig.clock.advance(40_000);
    for (const token of [bound.access_token, again.access_token, again.refresh_token]) expect(await isActive(token)).toBe(false);
    expect(await tellUserinfo(rig.ctx, acme, again.access_token, rig.ctx.by)).toEqual({ ok: false, error: 'invalid_token' });
    expect(await refresh(again.refresh_token)).toMatchObject({ error: 'invalid_grant' });
    await sweep();
    expect([await told(), await isActive(offline.access_token)]).toEqual([['app'], true]);
    expect(await rig.events('session_ended')).toMatchObject([{ actor: 'server', reason: 'expired' }]);
  });

  test('a code that comes then is refused, also before anybody swept', async () => {
    const seat = await sit(5_000);
    rig.clock.advance(5_000);
    for (const offline of [false, true]) expect(await presentCode(seat, offline)).toMatchObject({ ok: false, error: 'invalid_grant' });
    expect(await rig.events('code_refused')).toMatchObject([{ reason: 'session_over' }, { reason: 'session_over' }]);
  });

  test('an operator\'s token in a browser\'s session ends with it, and is refused where that is over', async () => {
    const seat = await sit(100_000);
    const issue = (scopes: readonly string[]) => issueToken(rig.ctx, acme, { client: 'app', user: 'jane', org: null, session: seat.session.id, scopes, audience: [] });
    const endS = Math.floor(seat.session.expiresAtMs / 1000);
    const bound = wanted(await issue(['openid']));
    expect(bound.expires_in).toBe(endS - Math.floor(rig.clock.now() / 1000));
    expect(wanted(await issue(['openid', 'offline_access'])).expires_in).toBe(300);
    acme = wanted(await updateTenant(rig.ctx, 'acme', { people: { sessionIdleTtl: 2 } }));
    rig.clock.advance(2_000);
    expect(await issue(['openid'])).toMatchObject({ ok: false, error: 'conflict' });
  });
});
