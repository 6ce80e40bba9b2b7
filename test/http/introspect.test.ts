/** Introspection: how a request must look, and that nothing happens beside the answer (RFC 7662 §2.1). */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Tenant } from '../../src/core/model.ts';
import { setTenantEnabled } from '../../src/service/manage-tenants.ts';
import {
  defaultTenant, errorFault, homeUrl, INACTIVE, issue, issuePair, jsonAnswer, makeClient, makeTenant, makeUser, must, parseObject, post, rawPost, send, sendRaw,
  startFixture, storedState, urlOf, type Answer, type Credentials, type Fixture,
} from '../helpers/fixture.ts';
import { requestRows, type RequestRow } from '../helpers/request-rows.ts';
import { basic } from '../helpers/server.ts';

let fixture: Fixture;
let root: Tenant;
let realm: Tenant;
let client: Credentials;
let token: string;
let refresh: string;
let url: string;

const scopes = ['read', 'write', 'offline_access'] as const;

beforeAll(async () => {
  fixture = await startFixture({ env: { ASSAY_LOG_LEVEL: 'debug' } });
  root = await defaultTenant(fixture);
  realm = await makeTenant(fixture, 'acme');
  client = await makeClient(fixture, root, 'caller', { grants: ['client_credentials', 'refresh_token'], scopes });
  await makeUser(fixture, root, 'alice');
  ({ access: token, refresh } = await issuePair(fixture, root, client.id, 'alice'));
  url = homeUrl(fixture, root, 'introspect');
});
afterAll(() => fixture.close());

/** Sends a row's request. */
function sendRow(row: RequestRow): Promise<Answer> {
  const { query = '', method = 'POST', body, headers } = row.request({ token, client });
  return send(url + query, {
    method, headers: Object.fromEntries(Object.entries(headers ?? { 'Content-Type': 'application/x-www-form-urlencoded' }).filter(([, value]) => value !== '')),
    ...(body !== undefined && { body }),
  });
}

describe('RFC 7662 §2.1', () => {
  test('INT-01..03 a good token → 200, one JSON object, active first, and nobody may keep it', async () => {
    const answer = await post(url, { token }, client);
    expect(answer).toEqual(jsonAnswer(200, answer.body));
    const members = parseObject(answer.body);
    expect(answer.body).toStartWith('{"active":true,');
    expect(members['active']).toBe(true);
    expect(Object.values(members)).not.toContain(null);
  });

  for (const row of requestRows) {
    test(`${row.ids} ${row.name} → ${row.wants === 'as the plain request' ? row.wants : `${row.wants.status} ${row.wants.code}`}`, async () => {
      const before = storedState(fixture);
      const answer = await sendRow(row);
      if (row.wants === 'as the plain request') expect(answer).toEqual(await post(url, { token }, client));
      else {
        expect(errorFault(answer, row.wants.status, row.wants.code, row.wants.headers)).toBe(null);
        expect(answer.body).not.toContain(client.secret);
        expect(answer.body).not.toContain(token.slice(-20));
      }
      expect(storedState(fixture)).toBe(before);
    });
  }

  test('INT-08 a refresh token with the hint of an access token → as without', async () => {
    const plain = await post(url, { token: refresh }, client);
    expect(parseObject(plain.body)['active']).toBe(true);
    for (const hint of ['access_token', 'refresh_token', 'foo']) expect(await post(url, { token: refresh, token_type_hint: hint }, client)).toEqual(plain);
  });

  const strange: Readonly<Record<string, string>> = {
    'a NUL': 'a\0b', 'a line break': 'a\r\nb', 'a space': 'a b', 'a tab': 'a\tb', umlauts: 'tökén', 'an emoji': '🔑', 'a lone replacement character': '\uFFFD',
    'SQL': "' OR 1=1--", 'an opaque token with a quote': `at_${'A'.repeat(42)}'`, 'an opaque token with a line break': `rt_${'A'.repeat(43)}\n`,
  };
  for (const [name, value] of Object.entries(strange)) {
    test(`INT-25 a token with ${name} → inactive`, async () => {
      expect(await post(url, { token: value }, client)).toEqual(INACTIVE);
    });
  }

  test.each([16_384, 16_385, 65_000])('INT-23 a token of %d characters → inactive', async (length) => {
    const body = token.slice(0, token.lastIndexOf('.') + 1);
    expect(await post(url, { token: body.padEnd(length, 'A') }, client)).toEqual(INACTIVE);
  });

  test('INT-24 a long body without a Content-Length → 413 too, and one beyond every measure', async () => {
    const chunks = Array.from({ length: 20 }, () => 'x'.repeat(8192));
    const chunked = chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('');
    const head = `POST /oauth2/introspect HTTP/1.1\r\nHost: 127.0.0.1:${fixture.server.port}\r\nContent-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n`;
    const answer = await sendRaw(fixture.server.port, `${head}${chunked}0\r\n\r\n`);
    expect(answer).toStartWith('HTTP/1.1 413 ');
    expect(answer).toMatch(/\r\ncache-control: no-store\r\n/i);
    expect(answer).toEndWith('{"error":"request_too_large","error_description":"the request body is larger than 64 KiB"}');
    expect((await post(url, `token=${'y'.repeat(2_000_000)}`, client)).status).toBe(413);
    expect(fixture.server.logs()).not.toContain('yyyyyyyyyyyyyyyy');
  });
});

describe('RFC 9110 §9, §15.5.6', () => {
  test.each(['HEAD', 'OPTIONS'])('INT-16 %s → 405 with Allow, and nothing for browsers', async (method) => {
    const { status, headers } = await send(url, { method });
    expect({ status, allow: headers['allow'], cache: headers['cache-control'] }).toEqual({ status: 405, allow: 'POST', cache: 'no-store' });
    expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  });

  test('INT-15 a method that nobody knows → 405 with Allow', async () => {
    const answer = await sendRaw(fixture.server.port, `PURGE /oauth2/introspect HTTP/1.1\r\nHost: 127.0.0.1:${fixture.server.port}\r\nContent-Length: 0\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1.1 (405|501|400) /);
    expect(answer).not.toContain('"active"');
  });

  test.each([['POST'], ['OPTIONS']])('INT-35 a page\'s %s → its browser learns nothing', async (method) => {
    const headers = { Origin: 'https://app.example.com', 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'authorization' };
    const answer = method === 'POST' ? await post(url, { token }, client, headers) : await send(url, { method, headers });
    expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
    if (method === 'POST') expect(answer).toEqual(await post(url, { token }, client));
  });
});

describe('one URL per endpoint', () => {
  const paths = [
    '/oauth2/introspect/', '//oauth2/introspect', '/oauth2//introspect', '/oauth2/Introspect', '/OAuth2/introspect', '/oauth2/introspect;x', '/oauth2/introspect%00',
    '/oauth2/%69ntrospect', '/oauth2%2Fintrospect', '/oauth2/introspect/..', '/oauth2/introspect\\',
    '/t/acme/protocol/openid-connect/introspect/', '/t/acme//protocol/openid-connect/introspect', '/T/acme/protocol/openid-connect/introspect',
    '/orgs/acme/api/v1/oauth/introspect/', '/orgs/acme/api/v1/oauth/introspection', '/t/acme/oauth2/introspect',
  ];
  for (const path of paths) {
    test(`INT-33 ${path} → 404`, async () => {
      const answer = await rawPost(fixture, path, new URLSearchParams({ token }).toString(), [`Authorization: ${basic(client.id, client.secret)}`]);
      expect(answer).toMatch(/^HTTP\/1.1 404 /);
      expect(answer).toEndWith('{"error":"not_found","error_description":"there is nothing here"}');
      expect(answer).toMatch(/\r\ncache-control: no-store\r\n/i);
    });
  }

  const slugs = [
    '%61cme', 'acme%2F..', 'acme%00', 'acme%20', '%ff', 'Acme', 'ACME', 'acme.', '-acme', 'acme-', 'a'.repeat(64), '%EF%BD%81cme', '..', '.', '', 'acme%252F', 'acme;', 'nobody',
  ];
  for (const [prefix, rest] of [['/t/', '/protocol/openid-connect/introspect'], ['/orgs/', '/api/v1/oauth/introspect']] as const) {
    test.each(slugs)(`INT-34 ${prefix}%s → 404`, async (slug) => {
      const answer = await rawPost(fixture, `${prefix}${slug}${rest}`, new URLSearchParams({ token }).toString(), [`Authorization: ${basic(client.id, client.secret)}`]);
      expect(answer).toMatch(/^HTTP\/1.1 404 /);
      expect(answer).toEndWith('{"error":"not_found","error_description":"there is nothing here"}');
    });
  }

  test('INT-32 an unknown and a suspended tenant → the same bytes, by path and by hostname', async () => {
    const tenant = await makeTenant(fixture, 'suspended', { host: `suspended.localhost:${fixture.server.port}` });
    const caller = await makeClient(fixture, tenant);
    const access = (await issue(fixture, tenant, caller.id)).access_token;
    const urls = (['root', 'realm', 'org'] as const).map((layout) => urlOf(fixture, tenant, layout, 'introspect'));
    for (const one of urls) expect(parseObject((await post(one, { token: access }, caller)).body)['active']).toBe(true);
    must(await setTenantEnabled(fixture.application.ctx, 'suspended', false));
    const unknown = await post(urls[1]?.replace('/suspended/', '/nobody/') ?? '', { token: access }, caller);
    expect(errorFault(unknown, 404, 'not_found')).toBe(null);
    for (const one of urls) expect(await post(one, { token: access }, caller)).toEqual(unknown);
    must(await setTenantEnabled(fixture.application.ctx, 'suspended', true));
    for (const one of urls) expect(await post(one, { token: access }, caller)).toEqual(INACTIVE);
  });
});

describe('nothing else happens', () => {
  test('INT-30 asking changes no row, extends nothing and leaves the refresh token good', async () => {
    const before = storedState(fixture);
    const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => post(url, { token: index % 2 === 0 ? token : refresh }, client)));
    expect(new Set(answers.map(({ body }) => body)).size).toBe(2);
    expect(storedState(fixture)).toBe(before);
    const refreshed = await post(homeUrl(fixture, root, 'token'), { grant_type: 'refresh_token', refresh_token: refresh }, client);
    expect(refreshed.status).toBe(200);
  });

  test('INT-31 the same request 1,000 times at once → 1,000 equal answers', async () => {
    const access = (await issue(fixture, root, client.id)).access_token;
    const answers = await Promise.all(Array.from({ length: 1000 }, () => post(url, { token: access }, client)));
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(parseObject(answers[0]?.body ?? '')['active']).toBe(true);
  });

  test('INT-11, INT-26 the log of all this, every request in it, holds no query, token or secret', async () => {
    const access = (await issue(fixture, realm, (await makeClient(fixture, realm)).id)).access_token;
    await post(`${url}?token=${access}&foo=bar`, { token: access }, client);
    const logs = fixture.server.logs();
    expect(logs).toContain('"path":"/oauth2/introspect"');
    for (const hidden of [token, refresh, access, client.secret, 'foo=bar', 'token=']) expect(logs).not.toContain(hidden);
    for (const line of logs.trim().split('\n')) expect(() => void JSON.parse(line)).not.toThrow();
  });
});
