/** Revocation: how a request must look, who may, and what it leaves behind (RFC 7009 §2). */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { compactVerify, createLocalJWKSet, type JSONWebKeySet } from 'jose';
import type { Tenant } from '../../src/core/model.ts';
import { setClientEnabled } from '../../src/service/manage-clients.ts';
import {
  auditOf, decodeJwt, defaultTenant, errorFault, forge, homeUrl, INACTIVE, introspect, issue, issuePair, issuer, jsonAnswer, makeClient, makePublicClient, makeTenant, makeUser,
  must, nowS, parseObject, post, posted, send, startFixture, storedState, untilAudited, urlOf, type Answer, type Credentials, type Fixture,
} from '../helpers/fixture.ts';
import { requestRows } from '../helpers/request-rows.ts';
import { openData, removeFolder, startServer, untilReady } from '../helpers/server.ts';

const grants = ['client_credentials', 'authorization_code', 'refresh_token'] as const;
const DONE = jsonAnswer(200, '{}');

let fixture: Fixture;
let tenant: Tenant;
let other: Tenant;
let client: Credentials;
let stranger: Credentials;
let url: string;

beforeAll(async () => {
  fixture = await startFixture();
  tenant = await defaultTenant(fixture);
  other = await makeTenant(fixture, 'other', { preset: 'kotauth' });
  client = await makeClient(fixture, tenant, 'svc', { grants, scopes: ['read', 'offline_access'] });
  stranger = await makeClient(fixture, tenant, 'stranger', { grants });
  await makeClient(fixture, tenant, 'opaque', { grants, tokenFormat: 'opaque' }, { supplied: 'cs_0123456789012345678901234567890123456789' });
  await makeClient(fixture, other, 'svc', { grants });
  await makeUser(fixture, tenant, 'alice');
  await makeUser(fixture, other, 'alice');
  url = homeUrl(fixture, tenant, 'revoke');
});
afterAll(() => fixture.close());

const opaqueClient: Credentials = { id: 'opaque', secret: 'cs_0123456789012345678901234567890123456789' };
const ask = (token: string, as = client): Promise<Answer> => post(homeUrl(fixture, tenant, 'introspect'), { token }, as);
const isActive = async (token: string, as = client): Promise<unknown> => parseObject((await ask(token, as)).body)['active'];
const refreshWith = async (token: string, as = client): Promise<Readonly<Record<string, unknown>>> =>
  parseObject((await post(homeUrl(fixture, tenant, 'token'), { grant_type: 'refresh_token', refresh_token: token }, as)).body);

/** A token of each kind, with the client that it belongs to. */
const kinds: Readonly<Record<string, () => Promise<readonly [Credentials, string]>>> = {
  'a JWT of the client': async () => [client, (await issue(fixture, tenant, client.id)).access_token],
  'a JWT of a user': async () => [client, (await issuePair(fixture, tenant, client.id, 'alice')).access],
  'an opaque token of the client': async () => [opaqueClient, (await issue(fixture, tenant, 'opaque')).access_token],
  'an opaque token of a user': async () => [opaqueClient, (await issuePair(fixture, tenant, 'opaque', 'alice')).access],
  'a refresh token': async () => [client, (await issuePair(fixture, tenant, client.id, 'alice')).refresh],
};

const missing = (): never => {
  throw new Error('no such kind');
};

describe('RFC 7009 §2.1, §2.2', () => {
  for (const [kind, make] of Object.entries(kinds)) {
    test(`REV-01, REV-03, REV-16 ${kind} → 200, inactive in the next request, and 200 again`, async () => {
      const [owner, token] = await make();
      expect(await isActive(token, owner)).toBe(true);
      for (const credentials of ['basic', 'body'] as const) {
        expect(credentials === 'basic' ? await post(url, { token }, owner) : await post(url, { token, ...posted(owner) })).toEqual(DONE);
        expect(await ask(token, owner)).toEqual(INACTIVE);
      }
    });

    test(`REV-04 ${kind} of another client → 200, no effect, and the operator is told`, async () => {
      const [owner, token] = await make();
      const before = storedState(fixture);
      expect(await post(url, { token }, stranger)).toEqual(DONE);
      expect(storedState(fixture)).toBe(before);
      expect(await isActive(token, owner)).toBe(true);
      expect(await untilAudited(fixture, tenant, 'token_revocation_denied', token)).toMatchObject({ actor: 'stranger', clientId: owner.id, outcome: 'denied', count: 1, ip: '127.0.0.1' });
      expect((await auditOf(fixture, tenant, 'token_revoked')).filter(({ fingerprint }) => fingerprint === fixture.application.ctx.fingerprint(token))).toEqual([]);
    });

    test(`REV-05 ${kind} at another tenant → 200, no effect, whatever its policy`, async () => {
      const [owner, token] = await make();
      const before = storedState(fixture);
      const theirs = await makeClient(fixture, other);
      const state = storedState(fixture);
      expect(before).not.toBe(state);
      for (const layout of ['realm', 'org'] as const) expect((await post(urlOf(fixture, other, layout, 'revoke'), { token }, theirs)).status).toBe(200);
      expect(storedState(fixture)).toBe(state);
      expect(await isActive(token, owner)).toBe(true);
    });

    test(`REV-10 ${kind} with a wrong or unknown hint → revoked all the same`, async () => {
      for (const hint of ['access_token', 'refresh_token', 'foo', '']) {
        const [owner, token] = await make();
        expect(await post(url, { token, token_type_hint: hint }, owner)).toEqual(DONE);
        expect(await ask(token, owner)).toEqual(INACTIVE);
      }
    });
  }

  test('MTN-06 a token of another tenant leaves no client of that tenant in the audit trail', async () => {
    const theirs = await makeClient(fixture, other);
    const [, opaque] = await (kinds['an opaque token of the client'] ?? missing)();
    const [, refresh] = await (kinds['a refresh token'] ?? missing)();
    for (const token of [opaque, refresh]) {
      for (const endpoint of ['revoke', 'introspect'] as const) expect((await post(homeUrl(fixture, other, endpoint), { token }, theirs)).status).toBe(200);
      expect(await untilAudited(fixture, other, 'token_revocation_denied', token)).toMatchObject({ tenant: 'other', actor: theirs.id, clientId: null, outcome: 'denied' });
    }
    for (const type of ['token_introspection_denied', 'token_introspection_would_deny'] as const) {
      for (const { clientId } of await auditOf(fixture, other, type)) expect(clientId).toBeNull();
    }
  });

  test('REV-02 a revoked refresh token → invalid_grant', async () => {
    const { refresh } = await issuePair(fixture, tenant, client.id, 'alice');
    expect(await post(url, { token: refresh }, client)).toEqual(DONE);
    expect((await refreshWith(refresh))['error']).toBe('invalid_grant');
  });

  const nothings: Readonly<Record<string, () => Promise<string>>> = {
    'a word': () => Promise.resolve('unknown'), 'an unknown access token': () => Promise.resolve(`at_${'A'.repeat(43)}`), 'an unknown refresh token': () => Promise.resolve(`rt_${'A'.repeat(43)}`),
    'a JWT of nobody': async () => `${(await issue(fixture, tenant, client.id)).access_token.slice(0, -6)}AAAAAA`, 'binary': () => Promise.resolve('a\0ö\r\n'), 'a very long one': () => Promise.resolve('x'.repeat(60_000)),
    'an expired JWT': async () => forge(fixture, tenant, (await issue(fixture, tenant, client.id)).access_token, { claims: { exp: nowS() - 10, iat: nowS() - 310 } }),
    'an ID token': async () => forge(fixture, tenant, (await issuePair(fixture, tenant, client.id, 'alice')).access, { header: { typ: 'JWT' }, claims: { aud: client.id } }),
    'a logout token': async () => forge(fixture, tenant, (await issuePair(fixture, tenant, client.id, 'alice')).access, { header: { typ: 'logout+jwt' } }),
  };
  for (const [name, make] of Object.entries(nothings)) {
    test(`REV-03, REV-11 ${name} → the same 200, and nothing changes`, async () => {
      const token = await make();
      const before = storedState(fixture);
      for (const hint of [null, 'access_token', 'refresh_token', 'id_token']) expect(await post(url, { token, ...(hint !== null && { token_type_hint: hint }) }, client)).toEqual(DONE);
      expect(storedState(fixture)).toBe(before);
    });
  }

  for (const row of requestRows) {
    const wants = row.wants === 'as the plain request' ? 'revoked' : `${row.wants.status} ${row.wants.code}, and the token lives`;
    test(`REV-06, REV-07, REV-10, REV-17, REV-21 ${row.name} (as ${row.ids}) → ${wants}`, async () => {
      const token = (await issue(fixture, tenant, client.id)).access_token;
      const before = storedState(fixture);
      const { query = '', method = 'POST', body, headers } = row.request({ token, client });
      const answer = await send(url + query, {
        method, headers: Object.fromEntries(Object.entries(headers ?? { 'Content-Type': 'application/x-www-form-urlencoded' }).filter(([, value]) => value !== '')),
        ...(body !== undefined && { body }),
      });
      if (row.wants === 'as the plain request') {
        expect(answer).toEqual(DONE);
        expect(await ask(token)).toEqual(INACTIVE);
        return;
      }
      expect(errorFault(answer, row.wants.status, row.wants.code, row.wants.headers)).toBe(null);
      expect(storedState(fixture)).toBe(before);
      expect(await isActive(token)).toBe(true);
    });
  }

  test('REV-17 a JSONP callback is ignored: the answer is never a script', async () => {
    const token = (await issue(fixture, tenant, client.id)).access_token;
    expect(await post(`${url}?callback=alert`, { token, callback: 'alert(1)' }, client)).toEqual(DONE);
    expect((await send(`${url}?callback=alert&token=${token}`, {})).status).toBe(405);
  });
});

describe('RFC 7009 §2.1, §5 · public clients', () => {
  let spa: string;
  beforeAll(async () => {
    spa = await makePublicClient(fixture, tenant, 'spa', { scopes: ['read'], redirectUris: ['https://app.example.com/callback', 'http://localhost:3000/cb', 'com.example.app:/cb'] });
  });

  test('REV-08 its own tokens by its client_id → revoked', async () => {
    const gateway = await makeClient(fixture, tenant, 'gateway', { introspect: 'tenant' });
    const { access, refresh } = await issuePair(fixture, tenant, spa, 'alice');
    expect(await post(url, { token: access, client_id: spa })).toEqual(DONE);
    expect([await isActive(access, gateway), await isActive(refresh, gateway)]).toEqual([false, true]);
    expect(await post(url, { token: refresh, client_id: spa })).toEqual(DONE);
    expect(await isActive(refresh, gateway)).toBe(false);
  });

  test('REV-08, REV-09 no other\'s tokens, not for a confidential client, and not with a secret', async () => {
    const token = (await issue(fixture, tenant, client.id)).access_token;
    expect(await post(url, { token, client_id: spa })).toEqual(DONE);
    expect(await isActive(token)).toBe(true);
    for (const form of [{ client_id: client.id }, { client_id: spa, client_secret: 'x' }, { client_id: 'nobody' }, {}]) {
      expect(errorFault(await post(url, { token, ...form }), 401, 'invalid_client')).toBe(null);
    }
    expect(await isActive(token)).toBe(true);
    must(await setClientEnabled(fixture.application.ctx, tenant, spa, false));
    expect(errorFault(await post(url, { token, client_id: spa }), 401, 'invalid_client')).toBe(null);
    must(await setClientEnabled(fixture.application.ctx, tenant, spa, true));
  });

  const origins = [['https://app.example.com', true], ['http://localhost:3000', true], ['https://evil.example', false], ['https://app.example.com.evil.example', false], ['null', false], ['https://APP.example.com', false]] as const;
  for (const [origin, allowed] of origins) {
    test(`REV-22 a page of ${origin} ${allowed ? 'may' : 'may not'} read the answer`, async () => {
      const { refresh } = await issuePair(fixture, tenant, spa, 'alice');
      const answer = await post(url, { token: refresh, client_id: spa }, null, { Origin: origin });
      expect(answer).toEqual(jsonAnswer(200, '{}', {
        vary: 'Origin', ...(allowed && { 'access-control-allow-origin': origin, 'access-control-expose-headers': 'WWW-Authenticate' }),
      }));
      const preflight = await send(url, { method: 'OPTIONS', headers: { Origin: origin, 'Access-Control-Request-Method': 'POST' } });
      expect(preflight.status).toBe(allowed ? 204 : 405);
      expect(preflight.headers['access-control-allow-origin']).toBe(allowed ? origin : undefined);
      expect(preflight.headers['access-control-allow-credentials']).toBe(undefined);
      const refused = await post(url, { client_id: spa }, null, { Origin: origin });
      expect([refused.status, refused.headers['access-control-allow-origin']]).toEqual([400, allowed ? origin : undefined]);
    });
  }

  test('REV-22 an origin of one tenant\'s page is nothing at another', async () => {
    const answer = await post(urlOf(fixture, other, 'realm', 'revoke'), { token: 'x' }, await makeClient(fixture, other), { Origin: 'https://app.example.com' });
    expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([200, undefined]);
  });
});

describe('what else ends', () => {
  /** A family: each generation's refresh and access token, oldest first. */
  async function makeFamily(generations: number): Promise<{ refresh: string[]; access: string[] }> {
    const first = await issuePair(fixture, tenant, client.id, 'alice');
    const family = { refresh: [first.refresh], access: [first.access] };
    for (let generation = 1; generation < generations; generation += 1) {
      const answer = await refreshWith(family.refresh.at(-1) ?? '');
      family.refresh.push(String(answer['refresh_token']));
      family.access.push(String(answer['access_token']));
    }
    return family;
  }

  for (const which of [0, 1, 2]) {
    test(`REV-12, REV-13 refresh token ${which + 1} of three, the older ones spent → the whole family and every access token of it`, async () => {
      const family = await makeFamily(3);
      const bystander = await issuePair(fixture, tenant, client.id, 'alice');
      expect(await Promise.all(family.access.map((token) => isActive(token)))).toEqual([true, true, true]);
      expect(await post(url, { token: family.refresh[which] ?? '' }, client)).toEqual(DONE);
      for (const token of [...family.access, ...family.refresh]) expect(await ask(token)).toEqual(INACTIVE);
      for (const token of family.refresh) expect((await refreshWith(token))['error']).toBe('invalid_grant');
      expect([await isActive(bystander.access), await isActive(bystander.refresh)]).toEqual([true, true]);
      expect(await untilAudited(fixture, tenant, 'token_revoked', family.refresh[which] ?? '')).toMatchObject({ reason: 'refresh_revoked', clientId: client.id });
    });
  }

  test('REV-15 an access token → that one alone; its refresh token goes on', async () => {
    const family = await makeFamily(2);
    expect(await post(url, { token: family.access[0] ?? '' }, client)).toEqual(DONE);
    expect(await Promise.all([...family.access, family.refresh[1] ?? ''].map((token) => isActive(token)))).toEqual([false, true, true]);
    expect(await refreshWith(family.refresh[1] ?? '')).toHaveProperty('access_token');
  });

  test('REV-16 who verifies with the key set alone is not told', async () => {
    const token = (await issue(fixture, tenant, client.id)).access_token;
    const keys = createLocalJWKSet(parseObject((await send(urlOf(fixture, tenant, 'root', 'jwks'), {})).body) as unknown as JSONWebKeySet);
    await post(url, { token }, client);
    expect((await compactVerify(token, keys)).protectedHeader.typ).toBe('at+jwt');
    expect(await ask(token)).toEqual(INACTIVE);
  });

  for (const cascade of ['grant', 'session'] as const) {
    test(`REV-14 refresh_revocation ${cascade}: ${cascade === 'session' ? 'the session ends with its other grants, offline ones apart' : 'the grant alone ends'}`, async () => {
      const place = await makeTenant(fixture, `cascade-${cascade}`, { refreshRevocation: cascade });
      const app = await makeClient(fixture, place, 'app', { grants, scopes: ['read', 'offline_access'] });
      const second = await makeClient(fixture, place, 'second', { grants, tokenFormat: 'opaque' });
      const gateway = await makeClient(fixture, place, 'gateway', { introspect: 'tenant' });
      await makeUser(fixture, place, 'alice');
      const session = 'ses_shared';
      const one = await issuePair(fixture, place, 'app', 'alice', { session, scopes: ['read'] });
      const two = await issuePair(fixture, place, 'second', 'alice', { session });
      const offline = await issuePair(fixture, place, 'app', 'alice', { session });
      const elsewhere = await issuePair(fixture, place, 'app', 'alice', { scopes: ['read'] });
      const states = async (): Promise<unknown[]> => Promise.all([one, two, offline, elsewhere].flatMap(({ access, refresh }) => [access, refresh])
        .map(async (token) => (await introspect(fixture, place, gateway, token))['active']));
      expect(await states()).toEqual(Array(8).fill(true));
      expect((await post(homeUrl(fixture, place, 'revoke'), { token: one.refresh }, app)).status).toBe(200);
      const others = cascade === 'grant';
      expect(await states()).toEqual([false, false, others, others, true, true, true, true]);
      expect((await fixture.application.ctx.store.findSession(place.id, session))?.endedAtMs ?? null).toEqual(others ? null : expect.any(Number));
      expect(await untilAudited(fixture, place, 'token_revoked', one.refresh)).toMatchObject({ count: others ? 1 : 3 });
      // An access token ends nothing else, whatever the rule.
      expect((await post(homeUrl(fixture, place, 'revoke'), { token: elsewhere.access }, app)).status).toBe(200);
      expect((await states()).slice(4)).toEqual([true, true, false, true]);
      expect((await post(homeUrl(fixture, place, 'revoke'), { token: two.access }, second)).status).toBe(200);
    });
  }

  test('REV-04 revocation_policy tenant: any confidential client may, a public one only its own', async () => {
    const place = await makeTenant(fixture, 'open-revocation', { revocationPolicy: 'tenant', introspectionPolicy: 'tenant' });
    await makeClient(fixture, place, 'app', { grants });
    const helper = await makeClient(fixture, place, 'helper');
    const spa = await makePublicClient(fixture, place, 'spa');
    await makeUser(fixture, place, 'alice');
    const at = homeUrl(fixture, place, 'revoke');
    const state = async (token: string): Promise<unknown> => (await introspect(fixture, place, helper, token))['active'];
    const { access, refresh } = await issuePair(fixture, place, 'app', 'alice');
    expect((await post(at, { token: refresh, client_id: spa })).status).toBe(200);
    expect([await state(access), await state(refresh)]).toEqual([true, true]);
    await untilAudited(fixture, place, 'token_revocation_denied', refresh, ({ actor }) => actor === spa);
    expect((await post(at, { token: access }, helper)).status).toBe(200);
    expect([await state(access), await state(refresh)]).toEqual([false, true]);
    expect((await post(at, { token: refresh }, helper)).status).toBe(200);
    expect(await state(refresh)).toBe(false);
    expect(await untilAudited(fixture, place, 'token_revoked', refresh)).toMatchObject({ actor: 'helper', clientId: 'app' });
  });
});

describe('the audit trail', () => {
  test('REV-25 every accepted revocation: who, whose, which kind, which grant, how much fell', async () => {
    const rows = [['a JWT of the client', 'access_revoked', false], ['a JWT of a user', 'access_revoked', true], ['an opaque token of a user', 'access_revoked', true], ['a refresh token', 'refresh_revoked', true]] as const;
    for (const [kind, reason, hasGrant] of rows) {
      const [owner, token] = await (kinds[kind] ?? (() => { throw new Error(kind); }))();
      await post(url, { token }, owner, { 'X-Request-Id': 'revocation-1' });
      const event = await untilAudited(fixture, tenant, 'token_revoked', token);
      expect(event).toMatchObject({
        tenant: 'default', actor: owner.id, clientId: owner.id, reason, count: 1, outcome: 'success', ip: '127.0.0.1', requestId: 'revocation-1',
        grantId: hasGrant ? expect.stringMatching(/^gr_/) : null, fingerprint: fixture.application.ctx.fingerprint(token),
      });
      expect(JSON.stringify(event)).not.toContain(token);
    }
  });

  test('REV-28 one token 100 times at once → 100 times 200, one row says revoked, the others already', async () => {
    for (const kind of ['a JWT of the client', 'an opaque token of the client', 'a refresh token'] as const) {
      const [owner, token] = await (kinds[kind] ?? (() => { throw new Error(kind); }))();
      const answers = await Promise.all(Array.from({ length: 100 }, () => post(url, { token }, owner)));
      expect(answers).toEqual(Array(100).fill(DONE));
      const fingerprint = fixture.application.ctx.fingerprint(token);
      const reasons = (await auditOf(fixture, tenant, 'token_revoked')).filter((event) => event.fingerprint === fingerprint).map((event) => event.reason?.replace(/^.*_/, '') ?? '');
      expect(reasons.sort()).toEqual([...Array<string>(99).fill('already'), 'revoked']);
      expect(await ask(token, owner)).toEqual(INACTIVE);
    }
  });
});

describe('at the same time', () => {
  test('REV-20 revoking while refreshing, in either order → nothing of the family lives', async () => {
    for (let round = 0; round < 40; round += 1) {
      const { access, refresh } = await issuePair(fixture, tenant, client.id, 'alice');
      const refreshing = [() => refreshWith(refresh), () => refreshWith(refresh)];
      const revoking = async (): Promise<Readonly<Record<string, unknown>>> => {
        if (round % 4 > 1) await Bun.sleep((round % 5) / 4);
        expect(await post(url, { token: refresh }, client)).toEqual(DONE);
        return {};
      };
      const answers = await Promise.all((round % 2 === 0 ? [...refreshing, revoking] : [revoking, ...refreshing]).map((act) => act()));
      const tokens = [access, refresh, ...answers.flatMap((answer) => [answer['access_token'], answer['refresh_token']]).filter((token) => typeof token === 'string')];
      for (const token of tokens) expect(await ask(token)).toEqual(INACTIVE);
      for (const token of tokens.filter((text) => text.startsWith('rt_'))) expect((await refreshWith(token))['error']).toBe('invalid_grant');
    }
  });

  test('REV-19 killed after its 200 → revoked when it is back', async () => {
    let server = await startServer({ env: { ASSAY_RATE_LIMITS: 'off' } });
    await untilReady(server);
    const { data, port, url: origin } = server;
    const application = await openData(data);
    const here: Fixture = { server, application, close: () => application.close() };
    const place = await defaultTenant(here);
    const app = await makeClient(here, place, 'app', { grants });
    const opaque = await makeClient(here, place, 'opaque', { grants, tokenFormat: 'opaque' });
    await makeUser(here, place, 'alice');
    const rounds = await Promise.all(Array.from({ length: 4 }, async () => {
      const { access, refresh } = await issuePair(here, place, 'app', 'alice');
      return [[app, (await issue(here, place, 'app')).access_token], [opaque, (await issue(here, place, 'opaque')).access_token], [app, refresh], [app, access]] as const;
    }));
    await application.close();
    for (const [jwt, opaqueToken, refresh, access] of rounds) {
      for (const [owner, token] of [jwt, opaqueToken, refresh]) expect((await post(`${origin}/oauth2/revoke`, { token }, owner)).status).toBe(200);
      await server.kill();
      server = await startServer({ data, port, env: { ASSAY_RATE_LIMITS: 'off' } });
      for (const [owner, token] of [jwt, opaqueToken, refresh, access]) expect(await post(`${origin}/oauth2/introspect`, { token }, owner)).toEqual(INACTIVE);
    }
    expect(await server.stop()).toBe(0);
    removeFolder(data);
  });

  test('REV-26 a revoked JWT stays revoked until it has expired, however often is swept; then its row goes', async () => {
    const { store, clock } = fixture.application.ctx;
    const token = (await issue(fixture, tenant, client.id)).access_token;
    const { exp, jti } = decodeJwt(token).claims;
    await post(url, { token }, client);
    const kept = (): boolean => storedState(fixture).split('\n').some((line) => line.startsWith('revoked_ids ') && line.includes(String(jti)));
    for (const nowMs of [clock.now(), Number(exp) * 1000, Number(exp) * 1000 + 50_000]) {
      await store.sweep(nowMs, 1000);
      expect(kept()).toBe(true);
      expect(await ask(token)).toEqual(INACTIVE);
    }
    await store.sweep(Number(exp) * 1000 + 62_000, 1000);
    expect(kept()).toBe(false);
  });
});

test('REV-27 discovery names the endpoint and its methods, none among them', async () => {
  for (const place of [tenant, other]) {
    const metadata = parseObject((await send(`${issuer(fixture, place)}/.well-known/openid-configuration`, {})).body);
    expect(metadata['revocation_endpoint']).toBe(homeUrl(fixture, place, 'revoke'));
    expect(metadata['revocation_endpoint_auth_methods_supported']).toEqual(['client_secret_basic', 'client_secret_post', 'none']);
  }
});
