/** Apache with Debian's mod_auth_openidc as a resource server: it asks over https, and lets in or refuses. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Tenant } from '../../src/core/model.ts';
import { makeCertificate, type Certificate } from '../helpers/certificate.ts';
import { defaultTenant, freePort, issue, issuePair, makeClient, makeTenant, makeUser, startFixture, until, urlOf, type Credentials, type Fixture } from '../helpers/fixture.ts';
import { needProgram } from '../helpers/programs.ts';
import { basic, removeFolder, temporaryFolder } from '../helpers/server.ts';

const apache = await needProgram('apache2');
const openssl = await needProgram('openssl');
const grants = ['client_credentials', 'authorization_code', 'refresh_token'] as const;
const MODULES = '/usr/lib/apache2/modules';
const MODULE_NAMES = ['mpm_event', 'authn_core', 'authz_core', 'authz_user', 'auth_openidc', 'alias', 'headers', 'dir'];

describe.skipIf(apache === undefined || openssl === undefined)('mod_auth_openidc', () => {
  const folder = temporaryFolder();
  let certificate: Certificate;
  let fixture: Fixture;

  /** One resource server per row: where it asks, and how it says who it is. */
  type Protected = { readonly tenant: Tenant; readonly caller: Credentials; readonly owner: string; readonly port: number; readonly child: Bun.Subprocess };
  const rows = [['client_secret_basic', 'the root layout'], ['client_secret_post', 'a realm']] as const;
  const servers = new Map<string, Protected>();

  async function startApache(name: string, introspection: string, caller: Credentials, method: string): Promise<{ port: number; child: Bun.Subprocess }> {
    const home = join(folder, name.replaceAll(' ', '-'));
    const port = await freePort();
    mkdirSync(join(home, 'www/api'), { recursive: true });
    writeFileSync(join(home, 'www/api/index.html'), 'protected things\n');
    const conf = join(home, 'apache.conf');
    writeFileSync(conf, `
      ServerRoot ${home}
      ServerName 127.0.0.1
      Listen 127.0.0.1:${port}
      PidFile ${home}/apache.pid
      DefaultRuntimeDir ${home}
      ErrorLog ${home}/error.log
      ${process.getuid?.() === 0 ? 'User www-data\nGroup www-data' : ''}
      ${MODULE_NAMES.map((module) => `LoadModule ${module}_module ${MODULES}/mod_${module}.so`).join('\n')}
      DocumentRoot ${home}/www
      DirectoryIndex index.html
      OIDCCABundlePath ${certificate.certFile}
      OIDCSSLValidateServer On
      OIDCOAuthIntrospectionEndpoint ${introspection}
      OIDCOAuthIntrospectionEndpointAuth ${method}
      OIDCOAuthClientID ${caller.id}
      OIDCOAuthClientSecret ${caller.secret}
      OIDCOAuthTokenIntrospectionInterval 0
      OIDCOAuthRemoteUserClaim sub
      <Location /api>
        AuthType oauth20
        Require valid-user
        Header always set X-Remote-User "expr=%{REMOTE_USER}"
      </Location>
      <Location /api/writers>
        Require claim scope~\\bwrite\\b
      </Location>
    `);
    const child = Bun.spawn([apache ?? 'apache2', '-f', conf, '-DFOREGROUND'], { stdin: 'ignore', stdout: 'ignore', stderr: Bun.file(join(home, 'stderr.log')) });
    await until('Apache answers', async () => fetch(`http://127.0.0.1:${port}/`).then(() => true, () => child.exitCode !== null), 10_000);
    if (child.exitCode !== null) throw new Error(await Bun.file(join(home, 'stderr.log')).text());
    return { port, child };
  }

  beforeAll(async () => {
    certificate = makeCertificate(openssl ?? 'openssl', folder);
    for (const path of [folder, dirname(certificate.certFile)]) chmodSync(path, 0o755);
    fixture = await startFixture({ certificate });
    const tenants = { 'the root layout': await defaultTenant(fixture), 'a realm': await makeTenant(fixture, 'acme', { preset: 'kotauth', algorithm: 'RS256' }) };
    for (const [method, name] of rows) {
      const tenant = tenants[name];
      const caller = await makeClient(fixture, tenant, 'apache', { introspect: 'tenant' });
      const owner = await makeClient(fixture, tenant, 'app', { grants, scopes: ['read', 'write'] });
      await makeClient(fixture, tenant, 'opaque', { grants, scopes: ['read'], tokenFormat: 'opaque' });
      await makeUser(fixture, tenant, 'alice', 'alice@example.com', '42');
      const introspection = urlOf(fixture, tenant, name === 'a realm' ? 'realm' : 'root', 'introspect');
      servers.set(name, { tenant, caller, owner: basic(owner.id, owner.secret), ...await startApache(name, introspection, caller, method) });
    }
  });
  afterAll(async () => {
    for (const { child } of servers.values()) {
      child.kill();
      await child.exited;
    }
    await fixture.close();
    removeFolder(folder);
  });

  for (const [method, name] of rows) {
    describe(`at ${name} with ${method}`, () => {
      const server = (): Protected => servers.get(name) ?? (() => { throw new Error('not started'); })();
      const visit = async (token: string | null): Promise<{ status: number; user: string | null; body: string }> => {
        const response = await fetch(`http://127.0.0.1:${server().port}/api/index.html`, { headers: token === null ? {} : { Authorization: `Bearer ${token}` } });
        return { status: response.status, user: response.headers.get('x-remote-user'), body: await response.text() };
      };
      const revoke = async (token: string, as: string): Promise<void> => {
        const response = await fetch(urlOf(fixture, server().tenant, server().tenant.layout, 'revoke'), {
          method: 'POST', body: new URLSearchParams({ token }), headers: { Authorization: as }, tls: { ca: certificate.pem },
        });
        expect(response.status).toBe(200);
        await response.body?.cancel();
      };

      test('a live JWT → 200 as its user, a revoked one → 401', async () => {
        const { access } = await issuePair(fixture, server().tenant, 'app', 'alice');
        expect(await visit(access)).toEqual({ status: 200, user: '42', body: 'protected things\n' });
        await revoke(access, server().owner);
        expect((await visit(access)).status).toBe(401);
      });

      test('a live opaque token → 200, after its grant is gone → 401', async () => {
        const { access_token: access } = await issue(fixture, server().tenant, 'opaque', { user: 'alice' });
        expect(await visit(access)).toMatchObject({ status: 200, user: '42' });
        const { access: other, refresh } = await issuePair(fixture, server().tenant, 'app', 'alice');
        expect((await visit(other)).status).toBe(200);
        await revoke(refresh, server().owner);
        expect((await visit(other)).status).toBe(401);
        expect((await visit(access)).status).toBe(200);
      });

      test('no token and nobody\'s token → 401', async () => {
        expect((await visit(null)).status).toBe(401);
        expect((await visit('nobody')).status).toBe(401);
      });
    });
  }
});
