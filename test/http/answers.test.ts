/** What every answer has and never has: errors, request ids, times, and who may read them across origins (HT-09…20). */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Tenant } from '../../src/core/model.ts';
import { setClientEnabled, updateClient } from '../../src/service/manage-clients.ts';
import { basic } from '../helpers/server.ts';
import {
  defaultTenant, homeUrl, introspect, issue, makeClient, makePublicClient, makeTenant, must, parseObject, post, rawPost, send, sendRaw, startFixture,
  type Answer, type Credentials, type Fixture,
} from '../helpers/fixture.ts';

let fixture: Fixture;
let home: Tenant;
let svc: Credentials;
let token: string;
let port: number;
let origin: string;

beforeAll(async () => {
  fixture = await startFixture();
  ({ port, url: origin } = fixture.server);
  home = await defaultTenant(fixture);
  svc = await makeClient(fixture, home, 'svc', { scopes: ['a'] });
  token = (await issue(fixture, home, 'svc')).access_token;
});
afterAll(() => fixture.close());

const authorization = (): string => basic(svc.id, svc.secret);
/** Status of each answer in what a connection received. */
const statuses = (text: string): readonly number[] => [...text.matchAll(/HTTP\/1\.[01] ([0-9]{3})/g)].map(([, status]) => Number(status));

describe('answers', () => {
  const every: readonly (readonly [name: string, request: () => Promise<Answer>])[] = [
    ['404', () => send(`${origin}/nothing`, {})], ['405', () => send(`${origin}/oauth2/introspect`, {})], ['401', () => post(`${origin}/oauth2/introspect`, { token: 'x' })],
    ['400', () => post(`${origin}/oauth2/introspect`, {}, svc)], ['413', () => post(`${origin}/oauth2/introspect`, 'x'.repeat(70_000), svc)],
    ['415', () => post(`${origin}/oauth2/introspect`, 'token=x', svc, { 'Content-Encoding': 'gzip' })], ['421', () => send(`${origin}/`, { headers: { Host: 'x.example' } })],
  ];
  for (const [name, request] of every) {
    test(`ASVS 13.4 · HT-12 a ${name}: OAuth JSON, no stack, path, SQL or banner`, async () => {
      const answer = await request();
      const { error, error_description: description, ...more } = parseObject(answer.body);
      expect([answer.status, typeof error, typeof description, more]).toEqual([Number(name), 'string', 'string', {}]);
      for (const header of ['server', 'x-powered-by', 'via']) expect(answer.headers).not.toHaveProperty(header);
      expect(answer.body).not.toMatch(/node_modules|\.ts\b|SELECT|SQLITE|elysia|bun/i);
      expect(answer.headers).toMatchObject({ 'content-type': 'application/json', 'cache-control': 'no-store', pragma: 'no-cache', 'x-content-type-options': 'nosniff' });
    });
  }

  const ids: readonly (readonly [given: string, kept: boolean])[] = [
    ['abcdefgh', true], ['0af7651916cd43dd8448eb211c80319c', true], ['trace.me_1-2-3', true], ['x'.repeat(128), true],
    ['short', false], ['x'.repeat(129), false], ['has space in it', false], ['<script>alert(1)</script>', false], ['"quoted-id"', false], ['semi;colon;id', false], ['tab\tin-the-id', false],
  ];
  for (const [given, kept] of ids) {
    test(`ASVS 16.2.1 · HT-16, HT-17 X-Request-Id ${JSON.stringify(given.slice(0, 30))} (${given.length}) is ${kept ? 'taken over' : 'replaced'}`, async () => {
      const response = await fetch(`${origin}/oauth2/introspect`, { headers: { 'X-Request-Id': given } });
      await response.body?.cancel();
      const id = response.headers.get('x-request-id');
      if (kept) expect(id).toBe(given);
      else expect(id).toMatch(/^[\w-]{8}-[0-9a-z]+$/);
    });
  }

  test('ASVS 16.2.1 · HT-16 every answer has an id of its own, errors and health too', async () => {
    const paths = ['/', '/nothing', '/healthz', '/readyz', '/oauth2/introspect', '/.well-known/openid-configuration', '/oauth2/jwks.json'];
    const found = await Promise.all([...paths, ...paths].map(async (path) => (await fetch(origin + path)).headers.get('x-request-id')));
    expect(found.every((id) => id !== null)).toBe(true);
    expect(new Set(found).size).toBe(found.length);
  });

  test('ASVS 1.2 · HT-17 CR and LF in anything that could come back in a header → never a header of theirs, never a 500', async () => {
    const attempts = [
      () => sendRaw(port, `GET /nothing%0d%0aX-Injected:%20yes HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`),
      () => sendRaw(port, `OPTIONS /oauth2/token HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nOrigin: https://a\rX-Injected: yes\r\n\r\n`),
      () => sendRaw(port, `GET /nothing HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nX-Request-Id: aaaaaaaa\rX-Injected: yes\r\n\r\n`),
      () => rawPost(fixture, '/oauth2/token', 'grant_type=%0d%0aX-Injected:%20yes&scope=a%0d%0aX-Injected', [`Authorization: ${authorization()}`]),
    ];
    for (const attempt of attempts) {
      const text = await attempt();
      expect(text).not.toMatch(/^x-injected/im);
      expect(statuses(text).some((status) => status >= 500)).toBe(false);
    }
  });

  test('HT-20 times are UTC: Date as HTTP writes it, log lines and audit rows in ISO with Z, tokens in whole seconds', async () => {
    const response = await fetch(`${origin}/healthz`);
    expect(response.headers.get('date')).toMatch(/ GMT$/);
    for (const line of fixture.server.logs().trim().split('\n')) expect(parseObject(line)['time']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    const { iat, exp } = await introspect(fixture, home, svc, token);
    expect([Number.isInteger(iat), Number.isInteger(exp)]).toEqual([true, true]);
  });
});

describe('cross-origin', () => {
  const APP = 'https://app.example';
  let spaHome: Tenant;
  beforeAll(async () => {
    spaHome = await makeTenant(fixture, 'spa-home');
    await makePublicClient(fixture, spaHome, 'spa', { redirectUris: [`${APP}/callback`, 'http://localhost:3000/cb', 'com.example.app:/cb', 'https://APP2.example:8443/cb'] });
    await makeClient(fixture, spaHome, 'server-side', { grants: ['authorization_code'], redirectUris: ['https://confidential.example/cb'] });
  });

  const origins: readonly (readonly [origin: string, allowed: boolean])[] = [
    [APP, true], ['http://localhost:3000', true], ['https://app2.example:8443', true],
    ['https://app.example:8443', false], ['http://app.example', false], ['https://app.example.evil.example', false], ['https://evil.example', false], ['https://confidential.example', false],
    ['null', false], ['com.example.app:', false], ['https://APP.example', false], ['', false], [`${APP}/`, false],
  ];
  for (const [from, allowed] of origins) {
    for (const endpoint of ['token', 'revoke', 'introspect'] as const) {
      const may = allowed && endpoint !== 'introspect';
      test(`Fetch §3.2 · HT-09..11, TOK-12, REV-22 ${JSON.stringify(from)} at ${endpoint}: ${may ? 'may read' : 'nothing'}, never with credentials`, async () => {
        const url = homeUrl(fixture, spaHome, endpoint);
        const preflight = await send(url, { method: 'OPTIONS', headers: { Origin: from, 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'authorization' } });
        const answer = await post(url, { grant_type: 'x', token: 'x', client_id: 'spa' }, null, { Origin: from });
        for (const { headers } of [preflight, answer]) {
          expect(headers['access-control-allow-origin']).toBe(may ? from : undefined as never);
          expect(headers).not.toHaveProperty('access-control-allow-credentials');
        }
        if (endpoint !== 'introspect' && from !== '') expect(answer.headers['vary']).toBe('Origin');
        if (!may) {
          expect(preflight.status).toBe(405);
          expect(Object.keys({ ...preflight.headers, ...answer.headers }).filter((name) => name.startsWith('access-control'))).toEqual([]);
          return;
        }
        expect(preflight).toEqual({
          status: 204, body: '',
          headers: {
            'access-control-allow-headers': 'authorization, content-type', 'access-control-allow-methods': 'POST', 'access-control-allow-origin': from,
            'access-control-max-age': '600', vary: 'Origin', 'x-content-type-options': 'nosniff',
          },
        });
        expect(answer.headers['access-control-expose-headers']).toBe('WWW-Authenticate');
      });
    }
  }

  test('HT-09 an origin belongs to its tenant only, and goes with its client', async () => {
    const allowed = async (tenant: Tenant): Promise<boolean> => (await post(homeUrl(fixture, tenant, 'token'), {}, null, { Origin: APP })).headers['access-control-allow-origin'] === APP;
    expect([await allowed(spaHome), await allowed(home)]).toEqual([true, false]);
    must(await setClientEnabled(fixture.application.ctx, spaHome, 'spa', false));
    expect(await allowed(spaHome)).toBe(false);
    must(await setClientEnabled(fixture.application.ctx, spaHome, 'spa', true));
    must(await updateClient(fixture.application.ctx, spaHome, 'spa', { redirectUris: ['https://elsewhere.example/cb'] }));
    expect(await allowed(spaHome)).toBe(false);
  });

  test('HT-10, HT-11 errors may be read too: 401 and 413 carry the same headers', async () => {
    must(await updateClient(fixture.application.ctx, spaHome, 'spa', { redirectUris: [`${APP}/callback`] }));
    for (const [answer, status] of [[await post(homeUrl(fixture, spaHome, 'token'), {}, null, { Origin: APP }), 401], [await post(homeUrl(fixture, spaHome, 'revoke'), 'x'.repeat(70_000), null, { Origin: APP }), 413]] as const) {
      expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([status, APP]);
    }
  });
});
