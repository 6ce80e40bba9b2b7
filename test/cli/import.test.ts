/** Moving over from another server, as somebody at a terminal does it, beside a server that runs. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Tenant } from '../../src/core/model.ts';
import { there } from '../service/rig.ts';
import { introspect, makeJws, makeTenant, nowS, post, homeUrl, parseObject, signWith, startFixture, type Fixture } from '../helpers/fixture.ts';
import { asked, authorizeUrl, codeOf, redeem, signIn, someone, type App } from '../helpers/flow.ts';
import { bcrypt, keycloakCredential, keycloakKey, keycloakRealm, keycloakUser, PASSWORD, sealKotauth } from '../importers/exports.ts';
import { assay, documentOf, type RunOptions } from './assay.ts';

const OLD = 'https://old.example.com/realms/acme';
const SECRET = 'kc-web-secret-0123456789abcdef-0123456789';
const WEB: App = { id: 'web', secret: SECRET, uri: 'https://shop.example/callback' };

let fixture: Fixture;
let acme: Tenant;
beforeAll(async () => {
  fixture = await startFixture();
  acme = await makeTenant(fixture, 'acme', { algorithm: 'ES256', introspectionPolicy: 'tenant' });
});
afterAll(() => fixture.close());

function file(name: string, text: string): string {
  const path = join(fixture.server.data, '..', `${Date.now()}-${name}`);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

const run = (args: readonly string[], options: RunOptions = {}): ReturnType<typeof assay> => assay(['import', ...args, '--data', fixture.server.data], options);

describe('assay import keycloak', () => {
  const key = keycloakKey();
  const realm = keycloakRealm([keycloakUser('jane', { credentials: [keycloakCredential('argon2')] }), keycloakUser('joe', { credentials: [keycloakCredential('pbkdf2-sha256')] })], [key.component]);

  test('first says what it would do, then does it; the report holds no secret', async () => {
    const path = file('realm.json', realm);
    const rehearsed = await run(['keycloak', path, '--tenant', 'acme', '--issuer', OLD]);
    expect([rehearsed.code, rehearsed.err]).toEqual([1, '']);
    expect(rehearsed.out).toMatch(/TO CREATE[\s\S]*clients +5 +0 +0 +3[\s\S]*users +2 +0 +0 +0[\s\S]*Refused[\s\S]*"saml"[\s\S]*Remarks[\s\S]*wildcard[\s\S]*Nothing was changed\. Add --apply/);
    expect(await fixture.application.ctx.store.listUsers(acme.id)).toEqual([]);
    const applied = await run(['keycloak', path, '--tenant', 'acme', '--issuer', OLD, '--apply', '--json']);
    expect(documentOf(applied, 1)).toMatchObject({ product: 'keycloak', tenant: 'acme', applied: true, counts: { user: { created: 2 }, client: { created: 5, refused: 3 }, keys: { created: 1 } } });
    expect(applied.out + rehearsed.out).not.toMatch(/kc-web-secret|\$argon2|\$pbkdf2|secretData/);
    expect(documentOf(await run(['keycloak', path, '--tenant', 'acme', '--issuer', OLD, '--apply', '--json']), 1)).toMatchObject({ counts: { user: { created: 0, left: 2 } } });
  });

  test.each(['jane', 'joe'])('%s signs in with the old password, to an application that has its old secret', async (name) => {
    const browser = someone(fixture);
    await browser.open(authorizeUrl(fixture, acme, WEB));
    const page = await signIn(browser, name, PASSWORD);
    const answer = await redeem(fixture, acme, WEB, codeOf(page));
    expect(answer.status).toBe(200);
    const token = String(parseObject(answer.body)['access_token']);
    expect(await introspect(fixture, acme, { id: WEB.id, secret: SECRET }, token)).toMatchObject({ active: true, sub: `f7a5-${name}` });
    expect(there(await fixture.application.ctx.store.findPassword(acme.id, `f7a5-${name}`)).digest).toStartWith('$argon2id$v=19$m=19456,t=2,p=1$');
    expect(asked(WEB)['client_id']).toBe('web');
  });

  test('a token that the old server signed is active at its issuer, until it is revoked or over', async () => {
    const caller = { id: WEB.id, secret: SECRET };
    const sign = (changes: object): string => makeJws({ alg: 'ES256', typ: 'JWT', kid: key.kid }, {
      iss: OLD, sub: 'f7a5-jane', azp: 'web', typ: 'Bearer', scope: 'openid profile', aud: 'account', jti: 'old-1', sid: 's', iat: nowS() - 5, exp: nowS() + 600, ...changes,
    }, signWith(key.privateKey, 'ES256'));
    const token = sign({});
    expect(await introspect(fixture, acme, caller, token)).toMatchObject({ active: true, iss: OLD, sub: 'f7a5-jane', client_id: 'web' });
    expect(await introspect(fixture, acme, caller, sign({ exp: nowS() - 1 }))).toEqual({ active: false });
    expect((await post(homeUrl(fixture, acme, 'revoke'), { token }, caller)).status).toBe(200);
    expect(await introspect(fixture, acme, caller, token)).toEqual({ active: false });
  });
});

describe('the other products', () => {
  test('hydra: from standard input, with the keys of its issuer', async () => {
    const clients = JSON.stringify([{ client_id: 'hydra-svc', client_secret: 'hydra-secret-0123456789abcdef0123456789', grant_types: ['client_credentials'], scope: 'a' }]);
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const jwks = file('jwks.json', JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'hydra-1', use: 'sig', alg: 'RS256' }] }));
    const ended = await run(['hydra', '-', '--tenant', 'acme', '--issuer', 'https://hydra.example/', '--jwks', jwks, '--apply', '--json'], { stdin: clients });
    expect(documentOf(ended)).toMatchObject({ counts: { client: { created: 1 }, keys: { created: 1 } } });
    const answer = await post(homeUrl(fixture, acme, 'token'), { grant_type: 'client_credentials' }, { id: 'hydra-svc', secret: 'hydra-secret-0123456789abcdef0123456789' });
    expect(answer.status).toBe(200);
  });

  test('auth0: JSON lines and CSV', async () => {
    const lines = file('users.ndjson', `{"user_id":"auth0|1","email":"ann@example.com","email_verified":true,"passwordHash":${JSON.stringify(bcrypt())}}\n`);
    expect(documentOf(await run(['auth0', lines, '--tenant', 'acme', '--apply', '--json']))).toMatchObject({ counts: { user: { created: 1 } } });
    const csv = file('users.csv', 'user_id,email,name\nauth0|1,ann@example.com,Ann Other\n');
    expect(documentOf(await run(['auth0', csv, '--tenant', 'acme', '--apply', '--update', '--json']))).toMatchObject({ counts: { user: { changed: 1 } } });
    expect(await fixture.application.ctx.store.findUser(acme.id, 'auth0|1')).toMatchObject({ name: 'Ann Other', email: 'ann@example.com' });
  });

  test('workos: users and where they belong', async () => {
    const path = file('users.json', JSON.stringify({
      users: [{ id: 'user_1', email: 'wos@example.com', email_verified: true }], organizations: [{ id: 'org_w', name: 'Globex' }],
      organization_memberships: [{ id: 'om_1', user_id: 'user_1', organization_id: 'org_w', role: { slug: 'admin' }, status: 'active' }],
    }));
    expect((await run(['workos', path, '--tenant', 'acme', '--apply'])).out).toMatch(/CREATED[\s\S]*memberships +1/);
    expect(await fixture.application.ctx.store.listMemberships(acme.id, { userId: 'user_1' })).toMatchObject([{ orgId: 'org_w', roles: ['admin'] }]);
  });

  test('kotauth: sealed, with its passphrase', async () => {
    const sealed = file('export.txt', sealKotauth(JSON.stringify({ tenant: { slug: 'x' }, users: [{ username: 'kim', email: 'kim@example.com', fullName: 'Kim', passwordHash: bcrypt('$2a$') }] }), 'a passphrase of some length'));
    const ended = await run(['kotauth', sealed, '--tenant', 'acme', '--apply', '--passphrase-stdin', '--json'], { stdin: 'a passphrase of some length\n' });
    expect(documentOf(ended)).toMatchObject({ counts: { user: { created: 1 } } });
    expect((await run(['kotauth', sealed, '--tenant', 'acme', '--passphrase-stdin'], { stdin: 'another one\n' })).err).toContain('the passphrase is not the one of this export');
  });
});

describe('what cannot be', () => {
  test.each([
    ['a tenant that is not there', ['hydra', 'FILE', '--tenant', 'nowhere'], 1, /there is no tenant "nowhere"; `assay tenant create nowhere` makes it/], ['a file that is not there', ['hydra', '/nowhere.json', '--tenant', 'acme'], 1, /\/nowhere\.json cannot be read: ENOENT/],
    ['a folder', ['hydra', '/', '--tenant', 'acme'], 1, /is a folder/], ['a file of another product', ['keycloak', 'FILE', '--tenant', 'acme'], 1, /no realm of Keycloak/], ['keys without an issuer', ['hydra', 'FILE', '--jwks', 'FILE', '--tenant', 'acme'], 2, /--jwks needs --issuer/],
    ['standard input twice', ['hydra', '-', '--jwks', '-', '--issuer', 'https://x.example', '--tenant', 'acme'], 2, /one thing only/], ['no product', ['ping', 'FILE'], 2, /unknown command 'ping'/],
  ] as const)('%s is told', async (_what, args, code, words) => {
    const empty = file('empty.json', '[]');
    const ended = await run(args.map((word) => (word === 'FILE' ? empty : word)));
    expect([ended.code, ended.out]).toEqual([code, '']);
    expect(ended.err).toMatch(words);
  });
});
