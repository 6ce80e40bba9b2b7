/** Whom a request speaks to: Host, proxies, tenants' hostnames, and what belongs to which tenant (MTN, HT-01…03). */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Tenant } from '../../src/core/model.ts';
import { revokeKey } from '../../src/service/manage-keys.ts';
import { createTenant, deleteTenant, updateTenant } from '../../src/service/manage-tenants.ts';
import { basic } from '../helpers/server.ts';
import {
  BASIC_CHALLENGE, decodeJwt, defaultTenant, errorFault, homeUrl, introspect, issue, issuePair, issuer, makeClient, makeTenant, makeUser, must, parseObject,
  post, send, sendRaw, startFixture, storedState, tenantKey, until, urlOf, type Answer, type Credentials, type Fixture,
} from '../helpers/fixture.ts';
import { listAudit } from '../helpers/trail.ts';

let fixture: Fixture;
let home: Tenant;
let aero: Tenant;
let port: number;
let origin: string;

beforeAll(async () => {
  fixture = await startFixture();
  ({ port, url: origin } = fixture.server);
  home = await defaultTenant(fixture);
  aero = await makeTenant(fixture, 'aero', { preset: 'aero2' });
});
afterAll(() => fixture.close());

/** A request written by hand; `hosts` are its Host lines, as they are. */
function raw(path: string, hosts: readonly string[], method = 'GET'): Promise<string> {
  return sendRaw(port, [`${method} ${path} HTTP/1.1`, ...hosts.map((host) => `Host: ${host}`), 'Connection: close', '', ''].join('\r\n'));
}

const bodyOf = (text: string): Record<string, unknown> => parseObject(text.slice(text.indexOf('\r\n\r\n') + 4));

/** A raw answer is an OAuth error in JSON, not to be stored. */
function expectError(text: string, status: number, code: string): void {
  expect(text).toStartWith(`HTTP/1.1 ${status} `);
  expect(bodyOf(text)).toEqual({ error: code, error_description: expect.any(String) });
  expect(text).toMatch(/^content-type: application\/json\r$/im);
  expect(text).toMatch(/^cache-control: no-store\r$/im);
}

describe('Host', () => {
  const own = ['127.0.0.1', 'localhost', 'LocalHost', '[::1]', '127.0.0.1'];
  for (const name of own) {
    test(`RFC 9110 §7.2 · HT-01 ${name} with its port is the own origin`, async () => {
      expect(bodyOf(await raw('/.well-known/openid-configuration', [`${name}:${port}`]))).toMatchObject({ issuer: origin });
    });
  }

  const malformed: readonly (readonly [name: string, hosts: (port: number) => readonly string[]])[] = [
    ['missing', () => []], ['empty', () => ['']], ['doubled', (at) => [`127.0.0.1:${at}`, `127.0.0.1:${at}`]], ['two different', (at) => [`127.0.0.1:${at}`, 'x.example']],
    ['with a space', () => ['a b']], ['with a path', (at) => [`127.0.0.1:${at}/zz`]], ['a slash', () => ['a/zz']], ['with a user', (at) => [`u@127.0.0.1:${at}`]],
    ['with a query', (at) => [`127.0.0.1:${at}?x`]], ['with a fragment', (at) => [`127.0.0.1:${at}#x`]], ['with a backslash', (at) => [`127.0.0.1:${at}\\x`]],
    ['with a port that is none', () => ['127.0.0.1:x']], ['with an empty port', () => ['127.0.0.1:']], ['with two ports', (at) => [`127.0.0.1:${at}:${at}`]],
    ['beyond ASCII', () => ['ä.example']], ['escaped', () => ['127.0.0%2e1']], ['with a dot after', (at) => [`localhost.:${at}`]], ['a dot', () => ['.']], ['two dots', () => ['a..b']],
    ['a comma', () => ['a,b']], ['300 characters', () => ['a'.repeat(300)]],
  ];
  for (const [name, hosts] of malformed) {
    test(`RFC 9112 §3.2 · HT-01, MTN-09 ${name} → 400 in JSON, nothing is routed`, async () => {
      for (const path of ['/oauth2/introspect', '/zz/oauth2/introspect', '/oauth2/introspect/healthz', '/.well-known/openid-configuration']) {
        const text = await raw(path, hosts(port));
        // What no HTTP/1.1 server may take, Bun refuses before us, without a body.
        if (/^HTTP\/1\.1 400 [^\r]*\r\n(?:connection: close\r\n)?(?:content-length: 0\r\n)?\r\n$/i.test(text)) continue;
        expectError(text, 400, 'invalid_request');
      }
    });
  }

  const unknown = ['a', 'x', 'evil.example', '127.0.0.1', '127.0.0.1:1', 'localhost', 'other.localhost', '0.0.0.0', '[::2]', 'aero.localhost:1', '10.0.0.1:8080'];
  for (const host of unknown) {
    test(`RFC 9110 §7.4 · HT-01, MTN-09 unknown ${host} → 421 in JSON, whatever the path`, async () => {
      for (const path of ['/oauth2/introspect', '/zz/oauth2/introspect', '/.well-known/openid-configuration', '/', '/nothing']) {
        expectError(await raw(path, [host]), 421, 'misdirected_request');
      }
    });
  }

  test('RFC 9110 §7.4 · HT-01, HT-22 health answers for any Host, also for none', async () => {
    for (const hosts of [[], ['a'], ['evil.example'], ['a b'], [`127.0.0.1:${port}`, 'x']]) {
      for (const path of ['/healthz', '/readyz']) {
        const text = await raw(path, hosts);
        if (text.startsWith('HTTP/1.1 400') && hosts.length !== 1) continue;
        expect(text).toStartWith('HTTP/1.1 200 ');
      }
    }
    expect(await sendRaw(port, 'GET /healthz HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.[01] 200 /);
  });

  test('HT-01 the log names the Host and what mends it, once per Host, in one line', async () => {
    const lost = await startFixture();
    const { server } = lost;
    const request = 'GET /oauth2/introspect HTTP/1.1\r\nHost: lost.example:99\r\nConnection: close\r\n\r\n';
    for (let again = 0; again < 3; again += 1) await sendRaw(server.port, request);
    await until('the log tells', () => server.logs().includes('lost.example:99'));
    await Bun.sleep(50);
    await lost.close();
    const lines = server.logs().split('\n').filter((line) => line.includes('lost.example:99'));
    expect(lines).toHaveLength(1);
    const { host, fix, level, origin: told } = parseObject(lines[0] ?? '');
    expect({ host, level, told }).toEqual({ host: 'lost.example:99', level: 'warn', told: server.url });
    expect(fix).toContain('proxy_set_header Host $host');
  });

  test('HT-01 a request line in absolute form is judged by its Host header or its URI, never routed elsewhere', async () => {
    const text = await sendRaw(port, `GET http://evil.example/.well-known/openid-configuration HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`);
    expect(text).not.toContain('evil.example');
    expect(text).toMatch(/^HTTP\/1\.1 (?:200|400|404|421) /);
  });
});

describe('a tenant\'s hostname', () => {
  const at = (path: string, init: Parameters<typeof send>[1] = {}): Promise<Answer> => send(`http://${aero.host ?? ''}${path}`, init);

  test('HT-01, MTN-03 serves its own root layout, in any letter case', async () => {
    expect(parseObject((await at('/.well-known/openid-configuration')).body)['issuer']).toBe(`http://aero.localhost:${port}`);
    expect((await at('/.well-known/openid-configuration', { headers: { Host: `AERO.localhost:${port}` } })).status).toBe(200);
    const client = await makeClient(fixture, aero, 'svc');
    const { body } = await post(homeUrl(fixture, aero, 'token'), { grant_type: 'client_credentials' }, client);
    expect(decodeJwt(String(parseObject(body)['access_token'])).claims['iss']).toBe(`http://aero.localhost:${port}`);
  });

  for (const path of ['/', '/t/aero/.well-known/openid-configuration', '/t/aero/protocol/openid-connect/certs', '/orgs/aero/api/v1/.well-known/jwks.json', '/t/default/protocol/openid-connect/certs', '/.well-known/openid-configuration/t/aero', '/nothing']) {
    test(`HT-01 ${path} there → 404`, async () => {
      expect(errorFault(await at(path), 404, 'not_found')).toBeNull();
    });
  }

  test('HT-01 given away, it is unknown at once; given back, it is served at once', async () => {
    const moving = must(await createTenant(fixture.application.ctx, 'moving', { host: `moving.localhost:${port}`, algorithm: 'ES256' }));
    const url = `http://moving.localhost:${port}/.well-known/openid-configuration`;
    expect((await send(url, {})).status).toBe(200);
    must(await updateTenant(fixture.application.ctx, 'moving', { host: `moved.localhost:${port}` }));
    expect((await send(url, {})).status).toBe(421);
    expect((await send(url.replace('moving', 'moved'), {})).status).toBe(200);
    must(await deleteTenant(fixture.application.ctx, moving.slug));
    expect((await send(url.replace('moving', 'moved'), {})).status).toBe(421);
  });
});

describe('proxies', () => {
  let proxied: Fixture;
  beforeAll(async () => {
    proxied = await startFixture({ args: ['--trust-proxy', '127.0.0.1', '--trust-proxy', '10.0.0.0/8', '--trust-proxy', '::1'], env: { ASSAY_RATE_LIMITS: 'on' } });
  });
  afterAll(() => proxied.close());

  const addresses: readonly (readonly [name: string, forwarded: string | null, direct: string, viaProxy: string])[] = [
    ['none', null, '127.0.0.1', '127.0.0.1'],
    ['one hop', '203.0.113.7', '127.0.0.1', '203.0.113.7'],
    ['spoofed hops before the real one', '1.1.1.1, 8.8.8.8, 203.0.113.7', '127.0.0.1', '203.0.113.7'],
    ['a trusted hop after the real one', '203.0.113.7, 10.1.2.3', '127.0.0.1', '203.0.113.7'],
    ['IPv6', '2001:db8::7', '127.0.0.1', '2001:db8::7'],
    ['IPv4 in IPv6', '::ffff:203.0.113.7', '127.0.0.1', '203.0.113.7'],
    ['no address', 'unknown', '127.0.0.1', '127.0.0.1'],
    ['an injection', '203.0.113.7\', 1); --', '127.0.0.1', '127.0.0.1'],
  ];
  for (const [name, forwarded, direct, viaProxy] of addresses) {
    test(`RFC 9700 §4.13 · HT-02 X-Forwarded-For: ${name} → the right-most hop that is no proxy of ours; from strangers ignored`, async () => {
      for (const [at, ip] of [[fixture, direct], [proxied, viaProxy]] as const) {
        const requestId = `request-${crypto.randomUUID()}`;
        const headers = {
          Authorization: basic('nobody', 'x'), 'X-Request-Id': requestId, 'X-Real-IP': '9.9.9.9', Forwarded: 'for=9.9.9.9', ...(forwarded !== null && { 'X-Forwarded-For': forwarded }),
        };
        await post(`${at.server.url}/oauth2/introspect`, { token: 'x' }, null, headers);
        // One client and address is one row a minute, so each case has its address for itself, or shares the first row.
        const seen = async (): Promise<readonly (string | null)[]> =>
          (await listAudit(at.application.ctx.store, { type: 'client_authentication_failed', limit: 100 })).map((event) => event.ip);
        await until(`an event from ${ip}`, async () => (await seen()).includes(ip));
        expect(await seen()).not.toContain('9.9.9.9');
      }
    });
  }

  test('HT-02 a trusted proxy\'s X-Forwarded-Host stands in for Host; a stranger\'s does not', async () => {
    const hosted = await makeTenant(proxied, 'hosted', { preset: 'aero2', host: 'hosted.example' });
    const url = (at: Fixture): string => `${at.server.url}/.well-known/openid-configuration`;
    expect(parseObject((await send(url(proxied), { headers: { 'X-Forwarded-Host': 'hosted.example' } })).body)['issuer']).toBe(issuer(proxied, hosted));
    expect((await send(url(proxied), { headers: { 'X-Forwarded-Host': 'evil.example' } })).status).toBe(421);
    expect((await send(url(proxied), { headers: { 'X-Forwarded-Host': 'a b' } })).status).toBe(400);
    expect((await send(url(fixture), { headers: { 'X-Forwarded-Host': 'evil.example' } })).status).toBe(200);
  });

  test('ASVS 4.1.2 · HT-14, HT-15 https origin behind a proxy: plain http as the proxy tells it → 400; else answered, with HSTS', async () => {
    const secure = await startFixture({ args: ['--origin', 'https://id.example', '--trust-proxy', '127.0.0.1'], env: { ASSAY_RATE_LIMITS: 'on' } });
    try {
      const ask = (proto: string): Promise<Answer> => send(`http://127.0.0.1:${secure.server.port}/.well-known/openid-configuration`, { headers: { Host: 'id.example', 'X-Forwarded-Proto': proto } });
      const good = await ask('https');
      expect(parseObject(good.body)['issuer']).toBe('https://id.example');
      expect(good.headers['strict-transport-security']).toBe('max-age=31536000');
      const plain = await ask('http');
      expect(errorFault(plain, 400, 'invalid_request', { 'strict-transport-security': 'max-age=31536000' })).toBeNull();
    } finally {
      await secure.close();
    }
  });
});

describe('tenants apart', () => {
  let a: Tenant;
  let b: Tenant;
  let atA: Credentials;
  let atB: Credentials;
  beforeAll(async () => {
    [a, b] = [await makeTenant(fixture, 'tenant-a'), await makeTenant(fixture, 'tenant-b')];
    const change = { grants: ['client_credentials', 'refresh_token'], scopes: ['s'], introspect: 'tenant' } as const;
    [atA, atB] = [await makeClient(fixture, a, 'same', change), await makeClient(fixture, b, 'same', change)];
    for (const tenant of [a, b]) await makeUser(fixture, tenant, 'alice', 'alice@example.com', 'alice-1');
  });

  test('MTN-01, MTN-04, INT-50 equal client ids: each secret works in its own tenant only, at every layout', async () => {
    for (const layout of ['realm', 'org'] as const) {
      for (const endpoint of ['introspect', 'revoke', 'token'] as const) {
        const answer = await post(urlOf(fixture, b, layout, endpoint), { grant_type: 'client_credentials', token: 'x' }, atA);
        expect(errorFault(answer, 401, 'invalid_client')).toBeNull();
        expect((await post(urlOf(fixture, a, layout, endpoint), { grant_type: 'client_credentials', token: 'x' }, atA)).status).toBe(200);
      }
    }
  });

  test('MTN-01, MTN-04, MTN-05 equal users and clients: tokens and refresh tokens of A are unknown at B, and stay good', async () => {
    for (const tokenFormat of ['jwt', 'opaque'] as const) {
      for (const tenant of [a, b]) await makeClient(fixture, tenant, `user-${tokenFormat}`, { grants: ['refresh_token'], scopes: ['s'], tokenFormat });
      const { access, refresh } = await issuePair(fixture, a, `user-${tokenFormat}`, 'alice');
      const before = storedState(fixture);
      for (const token of [access, refresh]) {
        expect(await introspect(fixture, b, atB, token)).toEqual({ active: false });
        expect((await post(homeUrl(fixture, b, 'revoke'), { token }, atB)).status).toBe(200);
      }
      const answer = await post(homeUrl(fixture, b, 'token'), { grant_type: 'refresh_token', refresh_token: refresh }, atB);
      expect(errorFault(answer, 400, 'invalid_grant')).toBeNull();
      expect(storedState(fixture)).toBe(before);
      for (const token of [access, refresh]) expect(await introspect(fixture, a, atA, token)).toMatchObject({ active: true });
    }
  });

  test('MTN-03 one issuer: discovery, tokens and introspection say the same at every layout', async () => {
    for (const tenant of [home, a, aero]) {
      const client = await makeClient(fixture, tenant, 'one-issuer');
      const { access_token: token } = await issue(fixture, tenant, 'one-issuer');
      const wanted = issuer(fixture, tenant);
      expect(decodeJwt(token).claims['iss']).toBe(wanted);
      expect(parseObject((await send(`${wanted}/.well-known/openid-configuration`, {})).body)['issuer']).toBe(wanted);
      for (const layout of ['realm', 'org'] as const) {
        expect(parseObject((await post(urlOf(fixture, tenant, layout, 'introspect'), { token }, client)).body)).toMatchObject({ active: true, iss: wanted });
      }
      const [exp, discovered] = [decodeJwt(token).claims['exp'], wanted];
      expect([typeof exp, discovered.endsWith('/')]).toEqual(['number', false]);
    }
  });

  test('MTN-02 the issuer is canonical: lower case, no default port, no trailing slash', () => {
    for (const tenant of [home, a, aero]) {
      const text = issuer(fixture, tenant);
      expect(text).toBe(text.toLowerCase());
      expect(text).not.toMatch(/\/$|:80$|[?#]|\/\.\.?(?:\/|$)/);
    }
  });

  test('MTN-02 an origin that is not canonical is refused at start', async () => {
    for (const wrong of ['HTTPS://ID.example', 'https://id.example/path', 'https://id.example?x', 'https://user@id.example', 'ftp://id.example', 'id.example', 'https://id..example']) {
      const failure = await startFixture({ args: ['--origin', wrong] }).then((started) => started.close().then(() => 'started'), (error: unknown) => String(error));
      expect(failure).toContain('--origin');
    }
  }, 20_000);

  test('MTN-04, INT-83 a token of A signed with A\'s key but claiming B, its kid known at A → inactive at B', async () => {
    const { access_token: token } = await issue(fixture, a, 'same');
    const { signer } = await tenantKey(fixture, a);
    const [header = '', claims = ''] = token.split('.');
    const forged = Buffer.from(JSON.stringify({ ...parseObject(Buffer.from(claims, 'base64url').toString()), iss: issuer(fixture, b) })).toString('base64url');
    const input = `${header}.${forged}`;
    expect(await introspect(fixture, b, atB, `${input}.${signer(Buffer.from(input)).toString('base64url')}`)).toEqual({ active: false });
  });

  test('MTN-04 keys of one tenant are nothing to another: a kid of A cannot be revoked at B', async () => {
    const { kid } = await tenantKey(fixture, a);
    expect(await revokeKey(fixture.application.ctx, b, kid)).toMatchObject({ ok: false, error: 'not_found' });
    expect((await tenantKey(fixture, a)).kid).toBe(kid);
  });

  for (const slug of ['oauth2', 't', 'orgs', 'admin', 'health', 'api', '.well-known', 'well-known', 'healthz', 'docs', 'default', 'UPPER', 'a_b', '-a', 'a-', '', 'a'.repeat(64), 'a/b', 'ä']) {
    test(`MTN-08 the slug ${JSON.stringify(slug)} cannot be had`, async () => {
      expect(await createTenant(fixture.application.ctx, slug, { algorithm: 'ES256' })).toMatchObject({ ok: false });
    });
  }

  const paths = ['%61cme', 'acme%2F..', 'acme%00', '%ff', 'ＡＣＭＥ', 'ACME', 'acme%20', '..', '.', 'acme;x', 'default%2e'];
  for (const path of paths) {
    test(`MTN-09, INT-34 tenant ${path} in a path → 404`, async () => {
      const text = await sendRaw(port, `POST /t/${path}/protocol/openid-connect/token HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Length: 0\r\n\r\n`);
      if (!text.startsWith('HTTP/1.1 400')) expectError(text, 404, 'not_found');
    });
  }

  test('MTN-10 ids that are numbers stay text: 42 is not 042, 42.0, or 42 with a space', async () => {
    const numeric = await makeClient(fixture, a, '42', {}, { supplied: 'x'.repeat(40) });
    const statusOf = async (id: string): Promise<number> => (await post(homeUrl(fixture, a, 'token'), { grant_type: 'client_credentials' }, { ...numeric, id })).status;
    expect(await statusOf('42')).toBe(200);
    for (const id of ['042', '42.0', ' 42', '42 ', '+42', '4.2e1', '0x2a']) expect(await statusOf(id)).toBe(401);
    const { access_token: token } = await issue(fixture, a, '42');
    expect((await introspect(fixture, a, numeric, token))['sub']).toBe('42');
  });

  test('MTN-12 a deleted tenant: tokens inactive and endpoints gone at once, secrets and keys wiped, audit kept', async () => {
    const doomed = await makeTenant(fixture, 'doomed');
    const client = await makeClient(fixture, doomed, 'svc');
    const { access_token: token } = await issue(fixture, doomed, 'svc');
    expect(await introspect(fixture, doomed, client, token)).toMatchObject({ active: true });
    must(await deleteTenant(fixture.application.ctx, 'doomed'));
    const answers = await Promise.all((['introspect', 'revoke', 'token'] as const).map((endpoint) => post(homeUrl(fixture, doomed, endpoint), { token }, client)));
    for (const answer of [...answers, await send(homeUrl(fixture, doomed, 'jwks'), {})]) expect(errorFault(answer, 404, 'not_found')).toBeNull();
    const rows = storedState(fixture).split('\n');
    const of = (table: string): string => rows.find((row) => row.startsWith(`${table} `)) ?? '';
    expect(of('client_secrets')).not.toContain(doomed.id);
    expect((JSON.parse(of('signing_keys').slice('signing_keys '.length)) as Record<string, string>[]).filter((key) => key['tenant_id'] === doomed.id).every((key) => key['sealed_private'] === '')).toBe(true);
    const audited = await listAudit(fixture.application.ctx.store, { tenant: 'doomed', limit: 100 });
    expect(audited.map(({ type }) => type)).toContain('tenant_deleted');
    expect(audited.map(({ type }) => type)).toContain('tenant_created');
  });

  test('HT-13 unknown paths → 404, the same JSON everywhere, with no challenge', async () => {
    const answers = await Promise.all(['/nothing', '/oauth2', '/t/acme', '/t/nobody/protocol/openid-connect/token', '/orgs/x', '/oauth2/introspect/', '/OAUTH2/introspect', '/.env', '/t/%2e%2e/x'].map((path) => send(origin + path, { method: 'POST' })));
    for (const answer of answers) {
      expect(errorFault(answer, 404, 'not_found')).toBeNull();
      expect(answer).toEqual(answers[0] as Answer);
      expect(answer.headers['www-authenticate']).not.toBe(BASIC_CHALLENGE);
    }
    for (const path of ['//oauth2/introspect', '/oauth2//introspect', '/oauth2/introspect;x', '/oauth2/introspect%20', '/%6fauth2/introspect']) {
      expectError(await raw(path, [`127.0.0.1:${port}`], 'POST'), 404, 'not_found');
    }
  });
});
