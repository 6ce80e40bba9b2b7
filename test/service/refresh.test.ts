import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import type { Client, Tenant } from '../../src/core/model.ts';
import type { TokenOutcome, TokenParameters } from '../../src/service/grants/grant.ts';
import type { TokenResponse } from '../../src/spec/introspection.ts';
import { introspect } from '../../src/service/introspect.ts';
import { issueToken } from '../../src/service/issue-token.ts';
import { setClientEnabled, updateClient } from '../../src/service/manage-clients.ts';
import { createResource } from '../../src/service/manage-resources.ts';
import { createUser, setUserEnabled } from '../../src/service/manage-users.ts';
import { revoke } from '../../src/service/revoke.ts';
import { exchangeGrant } from '../../src/service/token.ts';
import { openRig, there, wanted, type Rig } from './rig.ts';

const from = { ip: '192.0.2.1', requestId: 'req' };
const invalidGrant = { ok: false, error: 'invalid_grant', description: 'the refresh token is not valid for this client' } as const;

let rig: Rig;
let acme: Tenant;
let app: Client;
let first: string;
beforeEach(async () => {
  rig = openRig();
  acme = await rig.tenant();
  ({ client: app } = await rig.client(acme, 'app', { grants: ['refresh_token'], scopes: ['openid', 'a', 'b'] }));
  wanted(await createUser(rig.ctx, acme, 'usr_1', { username: 'jane', email: '' }));
  first = await open();
});
afterEach(() => rig.close());

async function open(audience: readonly string[] = []): Promise<string> {
  const answer = wanted(await issueToken(rig.ctx, acme, { client: 'app', user: 'jane', org: null, session: null, scopes: null, audience }));
  return there(answer.refresh_token);
}
function refresh(token: string, more: Omit<TokenParameters, 'refresh_token'> = {}, client = app): Promise<TokenOutcome> {
  return exchangeGrant(rig.ctx, 'refresh_token', { tenant: acme, client, parameters: { refresh_token: token, ...more }, from });
}
function given(outcome: TokenOutcome): TokenResponse & { refresh_token: string } {
  if (!outcome.ok) throw new Error(`${outcome.error}: ${outcome.description}`);
  return { ...outcome.response, refresh_token: there(outcome.response.refresh_token) };
}
async function isActive(token: string): Promise<boolean> {
  return (await introspect(rig.ctx, acme, app, token)).active;
}

describe('RFC 6749 §6, OAuth 2.1 §4.3 · refreshing', () => {
  test('TRT-01, TRT-08 a new access token and a new refresh token; the old one is spent', async () => {
    const answer = given(await refresh(first));
    expect(answer).toMatchObject({ token_type: 'Bearer', expires_in: 300, scope: 'openid a b' });
    expect(answer.refresh_token).not.toBe(first);
    expect([await isActive(answer.access_token), await isActive(answer.refresh_token), await isActive(first)]).toEqual([true, true, false]);
    expect(await rig.events('token_refreshed')).toMatchObject([{ actor: 'app', subject: 'usr_1', fingerprint: rig.ctx.fingerprint(first) }]);
  });

  test('TRT-10, TRT-14 a lost answer: the same successor again, and a good access token', async () => {
    const one = given(await refresh(first));
    rig.clock.advance(10_000);
    const two = given(await refresh(first));
    expect(two.refresh_token).toBe(one.refresh_token);
    expect([await isActive(one.access_token), await isActive(two.access_token)]).toEqual([true, true]);
  });

  test('TRT-09, INT-88 after the grace the whole family ends', async () => {
    const one = given(await refresh(first));
    rig.clock.advance(10_001);
    expect(await refresh(first)).toEqual(invalidGrant);
    for (const token of [one.access_token, one.refresh_token, first]) expect(await isActive(token)).toBe(false);
    expect(await refresh(one.refresh_token)).toEqual(invalidGrant);
    expect(await rig.events('refresh_reuse_detected')).toMatchObject([{ outcome: 'denied', actor: 'app' }]);
  });

  test('TRT-11 within the grace, but the successor was used', async () => {
    const one = given(await refresh(first));
    const two = given(await refresh(one.refresh_token));
    expect(await refresh(first)).toEqual(invalidGrant);
    expect(await isActive(two.access_token)).toBe(false);
  });

  test('TRT-10 within the grace, another request gets nothing, and nothing falls', async () => {
    const one = given(await refresh(first));
    expect(await refresh(first, { scope: 'a' })).toEqual(invalidGrant);
    expect(await isActive(one.refresh_token)).toBe(true);
  });

  test('INT-91 asking about a spent token is no use of it', async () => {
    const one = given(await refresh(first));
    rig.clock.advance(60_000);
    expect(await isActive(first)).toBe(false);
    expect(await isActive(one.refresh_token)).toBe(true);
  });

  test('TRT-04, TRT-12 another client\'s: refused, and nothing is consumed', async () => {
    const { client: other } = await rig.client(acme, 'other', { grants: ['refresh_token'] });
    expect(await refresh(first, {}, other)).toEqual(invalidGrant);
    given(await refresh(first));
    rig.clock.advance(30_000);
    expect(await refresh(first, {}, other)).toEqual(invalidGrant);
    expect(await rig.events('refresh_reuse_detected')).toEqual([]);
    expect(await rig.events('refresh_refused')).toMatchObject([{ actor: 'other', clientId: 'app', reason: 'foreign', count: 2 }]);
  });

  test('TRT-04 what is no refresh token of ours', async () => {
    for (const token of ['', 'x', `rt_${'A'.repeat(43)}`, `at_${'A'.repeat(43)}`]) {
      expect(await refresh(token)).toEqual(invalidGrant);
    }
  });

  test('TRT-02, TRT-03 less scope for the access token alone; more is refused and spends nothing', async () => {
    const narrow = given(await refresh(first, { scope: 'a' }));
    expect(narrow.scope).toBe('a');
    for (const scope of ['a c', 'a  b', '"']) expect(await refresh(narrow.refresh_token, { scope })).toMatchObject({ error: 'invalid_scope' });
    expect(given(await refresh(narrow.refresh_token)).scope).toBe('openid a b');
  });

  test('TRT-23 a scope that the client lost drops out', async () => {
    const after = wanted(await updateClient(rig.ctx, acme, 'app', { scopes: ['openid', 'b'] }));
    expect(given(await refresh(first, {}, after)).scope).toBe('openid b');
  });

  test('TRT-15 without rotation the same token stays good', async () => {
    const after = wanted(await updateClient(rig.ctx, acme, 'app', { refreshRotation: false }));
    for (let round = 0; round < 3; round += 1) {
      expect(given(await refresh(first, {}, after)).refresh_token).toBe(first);
      rig.clock.advance(60_000);
    }
    expect(await isActive(first)).toBe(true);
  });

  test('TRT-16 rotation never moves the end', async () => {
    let token = first;
    for (let round = 0; round < 3; round += 1) {
      rig.clock.advance(9 * 86_400_000);
      token = given(await refresh(token)).refresh_token;
    }
    rig.clock.advance(3 * 86_400_000);
    expect(await refresh(token)).toEqual(invalidGrant);
  });

  test('TRT-20 a disabled user', async () => {
    wanted(await setUserEnabled(rig.ctx, acme, 'jane', false));
    expect(await refresh(first)).toEqual(invalidGrant);
    wanted(await setUserEnabled(rig.ctx, acme, 'jane', true));
    expect(await refresh(first)).toEqual(invalidGrant);
  });

  test('TRT-20, INT-86 a client that was disabled and enabled again', async () => {
    wanted(await setClientEnabled(rig.ctx, acme, 'app', false));
    const after = wanted(await setClientEnabled(rig.ctx, acme, 'app', true));
    expect(await refresh(first, {}, after)).toEqual(invalidGrant);
  });

  test('RI-04, RI-07, RI-03 one authorized resource at a time', async () => {
    for (const uri of ['https://a.example', 'https://b.example', 'https://c.example']) wanted(await createResource(rig.ctx, acme, { uri, scopes: [], owner: null, tokenFormat: null }));
    let token = await open(['https://a.example', 'https://b.example']);
    for (const resource of ['https://A.example/', 'https://b.example']) {
      const answer = given(await refresh(token, { resource: [resource] }));
      const outcome = await introspect(rig.ctx, acme, app, answer.access_token);
      expect(outcome.active && outcome.facts.audience).toEqual([resource === 'https://A.example/' ? 'https://a.example' : resource]);
      token = answer.refresh_token;
    }
    for (const resource of ['https://c.example', 'https://d.example', 'relative']) expect(await refresh(token, { resource: [resource] })).toMatchObject({ error: 'invalid_target' });
    expect((await refresh(token)).ok).toBe(true);
  });
});

describe('races', () => {
  test('TRT-13, REV-20 twenty at once: one successor, one live leaf', async () => {
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => refresh(first)));
    const answers = outcomes.map(given);
    expect(new Set(answers.map(({ refresh_token }) => refresh_token)).size).toBe(1);
    expect(new Set(answers.map(({ access_token }) => access_token)).size).toBe(20);
    for (const { access_token } of answers) expect(await isActive(access_token)).toBe(true);
    expect(await rig.events('token_refreshed')).toHaveLength(1);
    expect(await rig.events('token_replayed')).toHaveLength(19);
    expect(await rig.events('refresh_reuse_detected')).toEqual([]);
  });

  test('TRT-13 twenty at once, each asking for something else: one wins, nothing falls', async () => {
    const scopes = [undefined, 'a', 'b', 'openid', 'a b', 'b a', 'openid a', 'openid b'];
    const outcomes = await Promise.all(scopes.map((scope) => refresh(first, scope === undefined ? {} : { scope })));
    const won = outcomes.filter(({ ok }) => ok);
    expect(won).toHaveLength(1);
    expect(outcomes.filter((outcome) => !outcome.ok && outcome.error === 'invalid_grant')).toHaveLength(scopes.length - 1);
    expect(await isActive(given(there(won[0])).refresh_token)).toBe(true);
  });

  test('REV-20 revoking while refreshing: once revocation answered, nothing of the family is good', async () => {
    for (let round = 0; round < 10; round += 1) {
      const token = await open();
      const acts: readonly (() => Promise<TokenOutcome | void>)[] = [() => refresh(token), () => revoke(rig.ctx, acme, app, token, from), () => refresh(token)];
      const outcomes = await Promise.all((round % 2 === 0 ? acts : acts.slice(1)).map((act) => act()));
      const tokens = outcomes.flatMap((outcome) => (typeof outcome === 'object' && outcome.ok ? [outcome.response.access_token, there(outcome.response.refresh_token)] : []));
      for (const text of [token, ...tokens]) expect(await isActive(text)).toBe(false);
    }
  });

  test('REV-28 a hundred revocations of one token: one revoked it, the rest found it so', async () => {
    const { access_token: access } = given(await refresh(first));
    await Promise.all(Array.from({ length: 100 }, () => revoke(rig.ctx, acme, app, access, from)));
    const reasons = (await rig.events('token_revoked')).map(({ reason }) => reason);
    expect(reasons.filter((reason) => reason === 'access_revoked')).toHaveLength(1);
    expect(reasons.filter((reason) => reason !== 'access_revoked' && reason !== 'access_already')).toEqual([]);
    expect(await isActive(access)).toBe(false);
  });
});
