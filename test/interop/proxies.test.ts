/** Behind a reverse proxy, and for clients of another age: nginx as it comes, and HTTP/1.0 by hand. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Tenant } from '../../src/core/model.ts';
import {
  auditOf, defaultTenant, freePort, INACTIVE, issue, issuePair, issuer, makeClient, makeTenant, makeUser, must, parseObject, post, send, sendRaw, startFixture, until, urlOf,
  type Credentials, type Fixture,
} from '../helpers/fixture.ts';
import { needProgram } from '../helpers/programs.ts';
import { basic, removeFolder, temporaryFolder } from '../helpers/server.ts';
import { updateTenant } from '../../src/service/manage-tenants.ts';

const nginx = await needProgram('nginx');
const grants = ['client_credentials', 'authorization_code', 'refresh_token'] as const;

describe('HTTP/1.0', () => {
  let fixture: Fixture;
  let client: Credentials;
  let token: string;
  beforeAll(async () => {
    fixture = await startFixture();
    const tenant = await defaultTenant(fixture);
    client = await makeClient(fixture, tenant, 'svc');
    token = (await issue(fixture, tenant, client.id)).access_token;
  });
  afterAll(() => fixture.close());

  const rows = [
    ['a good token', () => ({ token }), true, /^HTTP\/1\.[01] 200 /], ['nobody\'s token', () => ({ token: 'x' }), true, /^HTTP\/1\.[01] 200 /],
    ['no token', () => ({}), true, /^HTTP\/1\.[01] 400 /], ['no credentials', () => ({ token }), false, /^HTTP\/1\.[01] 401 /],
  ] as const;
  for (const [name, form, known, status] of rows) {
    test(`${name} → an answer with its Content-Length, and the connection ends`, async () => {
      const body = new URLSearchParams(form()).toString();
      const host = `127.0.0.1:${fixture.server.port}`;
      const answer = await sendRaw(fixture.server.port, [
        'POST /oauth2/introspect HTTP/1.0', `Host: ${host}`, 'Content-Type: application/x-www-form-urlencoded', `Content-Length: ${Buffer.byteLength(body)}`,
        ...(known ? [`Authorization: ${basic(client.id, client.secret)}`] : []), '', body,
      ].join('\r\n'));
      const [head = '', content = ''] = answer.split('\r\n\r\n');
      expect(head).toMatch(status);
      expect(/^content-length: *([0-9]+)$/im.exec(head)?.[1]).toBe(String(Buffer.byteLength(content)));
      expect(head).not.toMatch(/^transfer-encoding:/im);
      const plain = await post(`${fixture.server.url}/oauth2/introspect`, form(), known ? client : null);
      expect(content).toBe(plain.body);
    });
  }

  test('without a Host → 400', async () => {
    const answer = await sendRaw(fixture.server.port, 'POST /oauth2/introspect HTTP/1.0\r\nContent-Length: 0\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.[01] 400 /);
  });
});

describe.skipIf(nginx === undefined)('nginx in front, which speaks HTTP/1.0 upstream unless told otherwise', () => {
  /** How a proxy passes the host on: nothing at all, the Host itself, or X-Forwarded-Host as Apache and others do. */
  const styles = { plain: '', host: 'proxy_set_header Host $http_host;', forwarded: 'proxy_set_header X-Forwarded-Host $http_host; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;' } as const;

  async function startProxy(upstream: number, port: number, style: keyof typeof styles, folder: string): Promise<Bun.Subprocess> {
    mkdirSync(join(folder, 'tmp'), { recursive: true });
    const conf = join(folder, 'nginx.conf');
    writeFileSync(conf, `
      daemon off; master_process off; worker_processes 1; pid ${folder}/nginx.pid; error_log ${folder}/error.log;
      events { worker_connections 64; }
      http {
        access_log off; client_body_temp_path ${folder}/tmp; proxy_temp_path ${folder}/tmp; fastcgi_temp_path ${folder}/tmp; uwsgi_temp_path ${folder}/tmp; scgi_temp_path ${folder}/tmp;
        server { listen 127.0.0.1:${port}; location / { proxy_pass http://127.0.0.1:${upstream}; ${styles[style]} } }
      }`);
    const child = Bun.spawn([nginx ?? 'nginx', '-p', folder, '-c', conf], { stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' });
    await until('nginx answers', async () => fetch(`http://127.0.0.1:${port}/healthz`).then(({ status }) => status === 200, () => false));
    return child;
  }

  const rows: readonly (readonly [style: keyof typeof styles, args: readonly string[]])[] = [['host', []], ['forwarded', ['--trust-proxy', '127.0.0.1/32']]];
  for (const [style, args] of rows) {
    describe(`passing on the host by ${style}`, () => {
      const folder = temporaryFolder();
      let fixture: Fixture;
      let proxy: Bun.Subprocess;
      let port: number;
      let places: readonly Tenant[];
      beforeAll(async () => {
        port = await freePort();
        fixture = await startFixture({ args: ['--origin', `http://127.0.0.1:${port}`, ...args] });
        proxy = await startProxy(fixture.server.port, port, style, folder);
        const hosted = await makeTenant(fixture, 'hosted', { preset: 'aero2', host: `hosted.localhost:${port}` });
        places = [await defaultTenant(fixture), await makeTenant(fixture, 'acme', { preset: 'kotauth' }), hosted];
      });
      afterAll(async () => {
        proxy.kill();
        await proxy.exited;
        await fixture.close();
        removeFolder(folder);
      });

      test('discovery, token, introspection, revocation through the proxy, at the tenant\'s own address', async () => {
        for (const tenant of places) {
          const client = await makeClient(fixture, tenant, 'svc', { grants, scopes: ['read'] });
          const metadata = parseObject((await send(`${issuer(fixture, tenant)}/.well-known/openid-configuration`, {})).body);
          expect(metadata['issuer']).toBe(issuer(fixture, tenant));
          expect(String(metadata['introspection_endpoint'])).toContain(`:${port}/`);
          const granted = parseObject((await post(String(metadata['token_endpoint']), { grant_type: 'client_credentials' }, client)).body);
          const token = String(granted['access_token']);
          const url = String(metadata['introspection_endpoint']);
          expect(parseObject((await post(url, { token }, client)).body)).toMatchObject({ active: true, iss: issuer(fixture, tenant) });
          expect((await post(String(metadata['revocation_endpoint']), { token }, client)).status).toBe(200);
          const { server: _server, connection: _connection, ...headers } = (await post(url, { token }, client)).headers;
          expect({ status: 200, headers, body: '{"active":false}' }).toEqual(INACTIVE);
        }
      });

      test('an unknown host → 421 through the proxy as well', async () => {
        const answer = await send(`http://127.0.0.1:${port}/oauth2/introspect`, { method: 'POST', headers: { Host: 'evil.example' } });
        expect([answer.status, parseObject(answer.body)['error']]).toEqual([421, 'misdirected_request']);
      });

      test('the audit trail tells the proxy\'s client where the proxy may say so', async () => {
        const tenant = places[1];
        if (tenant === undefined) throw new Error('there is a second tenant');
        must(await updateTenant(fixture.application.ctx, tenant.slug, { introspectionPolicy: 'issued_to' }));
        const caller = await makeClient(fixture, tenant);
        await makeClient(fixture, tenant, 'app', { grants });
        await makeUser(fixture, tenant, 'alice');
        const { access } = await issuePair(fixture, tenant, 'app', 'alice');
        const url = urlOf(fixture, tenant, 'realm', 'introspect');
        expect((await post(url, { token: access }, caller, { 'X-Forwarded-For': '203.0.113.9' })).body).toBe('{"active":false}');
        await until('the denial is there', async () => (await auditOf(fixture, tenant, 'token_introspection_denied')).length === 1);
        // nginx adds its own peer at the right, which is no proxy of ours only by chance: 127.0.0.1 here, so the next hop counts.
        expect((await auditOf(fixture, tenant, 'token_introspection_denied'))[0]?.ip).toBe(style === 'forwarded' ? '203.0.113.9' : '127.0.0.1');
      });
    });
  }

  test('nothing passed on and nothing trusted: a forwarded host from a stranger counts for nothing', async () => {
    const folder = temporaryFolder();
    const port = await freePort();
    const fixture = await startFixture({ args: ['--origin', `http://127.0.0.1:${port}`] });
    const proxy = await startProxy(fixture.server.port, port, 'forwarded', folder);
    try {
      const answer = await send(`http://127.0.0.1:${port}/.well-known/openid-configuration`, { headers: { 'X-Forwarded-Host': `127.0.0.1:${port}` } });
      expect([answer.status, parseObject(answer.body)['error']]).toEqual([421, 'misdirected_request']);
      await until('the log says how to mend it', () => fixture.server.logs().includes('proxy_set_header Host'));
    } finally {
      proxy.kill();
      await proxy.exited;
      await fixture.close();
      removeFolder(folder);
    }
  });
});
