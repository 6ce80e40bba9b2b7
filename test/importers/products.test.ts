/** What comes out of each product's export, and what is said of the rest. */
import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { readForeignPassword } from '../../src/core/foreign-password.ts';
import { UnreadableImport, type ImportedThing } from '../../src/core/imported.ts';
import { keepHash } from '../../src/importers/hashes.ts';
import { parseDuration } from '../../src/importers/hydra.ts';
import { importers, readJwks, type ImportProduct } from '../../src/importers/products.ts';
import { keyOfCertificate, digestKeyId } from '../../src/importers/public-keys.ts';
import { begin, readAll, readCsv, readLines, readPieces } from '../../src/importers/text.ts';
import { verifyPassword } from '../../src/keys/foreign-password.ts';
import {
  argon2, bare, bcrypt, collect, keycloakCredential, keycloakKey, keycloakRealm, keycloakUser, PASSWORD, pbkdf2, piecesOf, salt, scrypt, sealKotauth,
} from './exports.ts';

type Kind = ImportedThing['kind'];
type Of<K extends Kind> = Extract<ImportedThing, { readonly kind: K }>;

async function read(product: ImportProduct, text: string, more: { readonly issuer?: string; readonly passphrase?: string; readonly piece?: number } = {}) {
  const { things, remarks } = await collect(importers[product]({ bytes: piecesOf(text, more.piece), issuer: more.issuer ?? null, passphrase: more.passphrase ?? null }));
  return {
    things, remarks,
    of: <K extends Kind>(kind: K): readonly Of<K>[] => things.filter((thing): thing is Of<K> => thing.kind === kind),
    said: (about: string): string => remarks.filter((remark) => remark.about.startsWith(about)).map(({ text: words }) => words).join('\n'),
    refused: (kind: Kind): readonly string[] => remarks.filter((remark) => remark.refused === kind).map(({ about }) => about),
  };
}

async function opens(digest: string | undefined): Promise<boolean> {
  return digest !== undefined && await verifyPassword(PASSWORD, digest) && !(await verifyPassword('wrong', digest));
}

describe('keycloak', () => {
  const key = keycloakKey();
  const users = [
    ...(['pbkdf2', 'pbkdf2-sha256', 'pbkdf2-sha512', 'argon2'] as const).map((algorithm) => keycloakUser(algorithm, { credentials: [keycloakCredential(algorithm)] })),
    keycloakUser('joe', {
      enabled: false, requiredActions: ['UPDATE_PASSWORD'], credentials: [keycloakCredential('pbkdf2-sha256'), { type: 'otp', secretData: '{"value":"OTP-SEED"}' }],
      realmRoles: ['offline_access', 'clerk'], groups: ['/sales'], clientRoles: { web: ['web-admin'] }, federatedIdentities: [{ identityProvider: 'google' }],
      attributes: { phoneNumber: ['+1 604 555 1234'], tags: ['a', 'b'], 'bad name': ['x'], locale: ['de'], email: ['elsewhere'] },
    }),
    keycloakUser('clear', { credentials: [{ type: 'password', value: 'in-the-clear' }] }),
    keycloakUser('old', { credentials: [{ type: 'password', hashedSaltedValue: pbkdf2('sha256').toString('base64'), salt: salt.base64, hashIterations: 1_000, algorithm: 'pbkdf2-sha256' }] }),
    keycloakUser('damaged', { credentials: [{ type: 'password', secretData: '{', credentialData: '[]' }] }),
    { username: 'service-account-web', serviceAccountClientId: 'web' },
    { username: 'odd', id: 7 }, 'not even an object',
  ];
  const realm = keycloakRealm(users, [key.component, { providerId: 'hmac-generated', name: 'hmac', config: { secret: ['HMAC'], kid: ['k'] } }]);

  test('clients with what they had there, or why not', async () => {
    const { of, said, refused } = await read('keycloak', realm);
    expect(of('client').map(({ id, public: isPublic, enabled }) => [id, isPublic, enabled])).toEqual([
      ['web', false, true], ['spa', true, true], ['orders-api', false, true], ['masked', false, false], ['signed', false, true],
    ]);
    expect(of('client')[0]).toMatchObject({
      secret: 'kc-web-secret-0123456789abcdef-0123456789',
      change: {
        name: 'Web shop', grants: ['authorization_code', 'client_credentials', 'refresh_token'], audience: ['https://api.shop.example'],
        scopes: ['openid', 'profile', 'email', 'address', 'phone', 'offline_access', 'orders:read'],
        redirectUris: ['https://shop.example/callback', 'https://shop.example/other', 'http://shop.example/plain'],
        firstParty: true, requirePkce: true, backchannelLogoutUri: 'https://shop.example/backchannel', accessTokenTtl: 120,
      },
    });
    expect(of('client')[0]?.change.postLogoutRedirectUris?.slice(0, 3)).toEqual(['https://shop.example/bye', 'https://shop.example/after', 'https://shop.example/callback']);
    expect(of('client')[1]?.change).toMatchObject({ firstParty: false, postLogoutRedirectUris: [] });
    expect(of('client')[2]?.change.grants).toEqual([]);
    expect(of('client').slice(3).map(({ secret }) => secret)).toEqual([null, null]);
    expect(said('client web')).toMatch(/implicit[\s\S]*password grant[\s\S]*device grant[\s\S]*wildcard[\s\S]*protocol mappers/);
    expect(said('client masked')).toContain('masked');
    expect(refused('client')).toEqual(['client https://saml.example/sp', 'client broken', 'client at clients[9]']);
  });

  test('every kind of hash, and what becomes of the rest of a person', async () => {
    const { of, said, refused } = await read('keycloak', realm);
    for (const name of ['pbkdf2', 'pbkdf2-sha256', 'pbkdf2-sha512', 'argon2', 'old', 'joe']) {
      expect([name, await opens(of('user').find(({ username }) => username === name)?.password?.digest)]).toEqual([name, true]);
    }
    expect(of('user').find(({ username }) => username === 'joe')).toMatchObject({
      id: 'f7a5-joe', email: 'joe@example.com', emailVerified: true, name: 'Jane joe', enabled: false, password: { temporary: true },
      attributes: { given_name: 'Jane', family_name: 'joe', phone_number: '+1 604 555 1234', tags: ['a', 'b'], locale: 'de', roles: ['clerk'], groups: ['/sales'] },
    });
    expect(said('user joe')).toMatch(/second factors[\s\S]*"bad name"[\s\S]*"email"/);
    expect(of('user').filter(({ username }) => username === 'clear' || username === 'damaged').map(({ password }) => password)).toEqual([null, null]);
    expect(refused('user')).toEqual(['user odd', 'user at users[10]']);
  });

  test('roles, organizations, members and lifetimes', async () => {
    const { of } = await read('keycloak', realm);
    expect(of('role').map(({ name }) => name)).toEqual(['clerk', 'manager', 'Head of sales']);
    expect(of('organization')).toEqual([{ kind: 'organization', id: '0b1f9a3c-1111-4222-8333-944445555666', name: 'Globex' }]);
    expect(of('membership').map(({ user, by }) => [user, by])).toEqual([['jane', 'username'], ['nobody', 'username']]);
    expect(of('tenant')[0]?.change).toEqual({ accessTokenTtl: 600, refreshTokenTtl: 72_000, people: { sessionIdleTtl: 3_600, sessionTtl: 72_000 } });
  });

  test('public keys with the ids that Keycloak computes, and nothing private', async () => {
    const { of, said } = await read('keycloak', realm, { issuer: 'https://old.example/realms/acme' });
    expect(of('keys')).toMatchObject([{ issuer: 'https://old.example/realms/acme', jwks: { keys: [{ kty: 'EC', crv: 'P-256', kid: key.kid }] } }]);
    expect(JSON.stringify(of('keys'))).not.toMatch(/"d"|MUST-NOT/);
    expect(said('keys')).toBe('');
    expect((await read('keycloak', realm)).said('keys')).toContain('not the issuer');
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const component = (config: object): object => ({ name: 'rsa', providerId: 'rsa-generated', config: { keyUse: ['SIG'], ...config } });
    const secret = rsa.privateKey.export({ format: 'der', type: 'pkcs1' }).toString('base64');
    const keys = await read('keycloak', keycloakRealm([], [
      component({ privateKey: [secret], algorithm: ['PS256'] }), component({ privateKey: ['**********'] }), component({ privateKey: [secret], keyUse: ['ENC'] }), component({ privateKey: [secret], algorithm: ['RS512'] }),
    ]), { issuer: 'https://old.example/' });
    expect(keys.of('keys')).toMatchObject([{ jwks: { keys: [{ kty: 'RSA', alg: 'PS256', kid: digestKeyId(rsa.publicKey) }] } }]);
    expect(keys.said('key rsa')).toMatch(/not in the file[\s\S]*not verified/);
  });

  test('a certificate\'s key is its public one', async () => {
    // Made for this test by openssl, and good for a hundred years; its key was thrown away.
    const text = await Bun.file(join(import.meta.dir, 'realm-certificate.txt')).text();
    const { of } = await read('keycloak', keycloakRealm([], [{ name: 'rsa', providerId: 'rsa', config: { certificate: [text], privateKey: ['**********'] } }]), { issuer: 'https://old.example/' });
    const own = new X509Certificate(Buffer.from(text, 'base64')).publicKey;
    expect(of('keys')).toMatchObject([{ jwks: { keys: [{ ...own.export({ format: 'jwk' }), kid: digestKeyId(own), alg: 'RS256' }] } }]);
    expect(keyOfCertificate('AAAA')).toBeNull();
  });
});

describe('hydra', () => {
  const clients = [
    {
      client_id: 'svc', client_name: '', client_secret: 'hydra-secret-0123456789abcdef0123456789', grant_types: ['client_credentials'], scope: 'a b a', audience: ['https://api.example'],
      token_endpoint_auth_method: 'client_secret_post', access_token_strategy: 'opaque', client_credentials_grant_access_token_lifespan: '1h30m0s', redirect_uris: null, skip_consent: false, unknown: { x: 1 },
    },
    {
      client_id: 'web', client_name: 'Web', client_secret: '$pbkdf2-sha256$i=25000,l=32$abc$def', grant_types: ['authorization_code', 'refresh_token', 'implicit'], scope: 'openid offline', skip_consent: true,
      redirect_uris: ['https://web.example/cb'], post_logout_redirect_uris: ['https://web.example/'], backchannel_logout_uri: 'https://web.example/bc', token_endpoint_auth_method: 'client_secret_basic', access_token_strategy: 'jwt',
      authorization_code_grant_access_token_lifespan: '10m0s', refresh_token_grant_access_token_lifespan: '5m0s', refresh_token_grant_refresh_token_lifespan: '720h0m0s', subject_type: 'pairwise',
    },
    { client_id: 'app', token_endpoint_auth_method: 'none', grant_types: ['authorization_code'], redirect_uris: ['com.example.app:/cb'] },
    { client_id: 'jwt', token_endpoint_auth_method: 'private_key_jwt', grant_types: ['client_credentials'] },
    { client_id: 42 },
  ];

  test.each([['a list', clients], ['a page', { items: clients, is_last_page: true, next_page_token: '' }]])('%s of clients', async (_what, file) => {
    const { of, said, refused } = await read('hydra', JSON.stringify(file));
    expect(of('client').map(({ id, public: isPublic, secret }) => [id, isPublic, secret])).toEqual([
      ['svc', false, 'hydra-secret-0123456789abcdef0123456789'], ['web', false, null], ['app', true, null], ['jwt', false, null],
    ]);
    expect(of('client')[0]?.change).toMatchObject({ name: 'svc', grants: ['client_credentials'], scopes: ['a', 'b'], audience: ['https://api.example'], authMethod: 'client_secret_post', tokenFormat: 'opaque', accessTokenTtl: 5_400 });
    expect(of('client')[1]?.change).toMatchObject({
      name: 'Web', grants: ['authorization_code', 'refresh_token'], firstParty: true, authMethod: 'client_secret_basic', tokenFormat: 'jwt', accessTokenTtl: 300, refreshTokenTtl: 2_592_000,
      redirectUris: ['https://web.example/cb'], postLogoutRedirectUris: ['https://web.example/'], backchannelLogoutUri: 'https://web.example/bc',
    });
    expect(said('client web')).toMatch(/"implicit"[\s\S]*hashed[\s\S]*shortest[\s\S]*pairwise/);
    expect(said('client jwt')).toContain('private_key_jwt');
    expect(refused('client')).toEqual(['client at clients[4]']);
  });

  test('a page of several says so', async () => {
    expect((await read('hydra', JSON.stringify({ items: [], next_page_token: 'more', is_last_page: false }))).said('file')).toContain('one page');
  });

  test.each([['1h0m0s', 3_600], ['90s', 90], ['1.5h', 5_400], ['500ms', 1], ['', null], ['1h x', null], ['10', null]])('the duration %p is %p seconds', (text, seconds) => {
    expect(parseDuration(text)).toBe(seconds);
  });
});

const kotauth = JSON.stringify({
  exportVersion: '1.0.0', schemaVersion: 40, manifest: { redactedFields: [], includedExtras: [] }, claimMappers: [], socialProviders: [{ provider: 'google' }], resourceServers: [],
  tenant: { slug: 'acme', displayName: 'Acme', issuerUrl: 'https://kotauth.example/t/acme', tokenExpirySeconds: 900, refreshTokenExpirySeconds: 86_400 },
  applications: [
    { clientId: 'web', name: 'Web', accessType: 'CONFIDENTIAL', enabled: true, redirectUris: ['https://web.example/cb'], tokenExpiryOverride: 60, audience: 'https://api.example', authorizedResources: [{ resourceIdentifier: 'https://api.example', scopes: ['orders:read'] }] },
    { clientId: 'spa', name: 'Spa', accessType: 'public', enabled: false, redirectUris: ['https://spa.example/*'], grantTypes: ['authorization_code'] },
  ],
  users: [
    { username: 'jane', email: 'jane@example.com', fullName: 'Jane Doe', passwordHash: bcrypt('$2a$'), emailVerified: true, enabled: true, requiredActions: [], customAttributes: { department: 'sales' }, roleNames: ['clerk'], groupPaths: [] },
    { username: 'joe', email: 'joe@example.com', fullName: 'Joe', passwordHash: '!social', emailVerified: false, enabled: false, requiredActions: ['UPDATE_PASSWORD'], customAttributes: {}, roleNames: [], groupPaths: ['a/b'], mfaEnabled: true },
  ],
  roles: [{ name: 'clerk', scope: 'TENANT', clientId: null, childRoleNames: [] }, { name: 'admin', scope: 'CLIENT', clientId: 'web', childRoleNames: [] }], groups: [{ name: 'a' }],
  signingKeys: [{ keyId: 'kid-1', algorithm: 'RS256', publicKeyPem: generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'pem', type: 'spki' }), privateKeyPem: 'MUST-NOT-BE-READ', enabled: true, active: true }],
});

describe('kotauth', () => {
  const PASSPHRASE = 'a passphrase of some length';
  test.each([
    ['in clear', kotauth], ['sealed', sealKotauth(kotauth, PASSPHRASE)], ['as the API answers', JSON.stringify({ envelope: sealKotauth(kotauth, PASSPHRASE), schemaVersion: 40 })],
  ])('an export %s', async (_what, text) => {
    const { of, said, things } = await read('kotauth', text, { passphrase: PASSPHRASE });
    expect(of('client').map(({ id, public: isPublic, enabled, secret, change }) => [id, isPublic, enabled, secret, change.grants])).toEqual([
      ['web', false, true, null, ['authorization_code', 'client_credentials', 'refresh_token']], ['spa', true, false, null, ['authorization_code']],
    ]);
    expect(of('client')[0]?.change).toMatchObject({ accessTokenTtl: 60, audience: ['https://api.example'], scopes: ['openid', 'profile', 'email', 'orders:read'] });
    expect(await opens(of('user')[0]?.password?.digest)).toBe(true);
    expect(of('user')).toMatchObject([{ id: null, username: 'jane', name: 'Jane Doe', attributes: { department: 'sales', roles: ['clerk'] } }, { password: null, enabled: false, attributes: { groups: ['a/b'] } }]);
    expect(of('role')).toEqual([{ kind: 'role', name: 'clerk' }]);
    expect(of('keys')).toMatchObject([{ issuer: 'https://kotauth.example/t/acme', jwks: { keys: [{ kid: 'kid-1', kty: 'RSA' }] } }]);
    expect(JSON.stringify(things)).not.toContain('MUST-NOT');
    expect(said('user joe')).toMatch(/password must be set anew[\s\S]*second factors/);
  });

  test.each([
    ['another passphrase', sealKotauth(kotauth, PASSPHRASE), 'another one altogether', /passphrase is not the one/], ['no passphrase', sealKotauth(kotauth, PASSPHRASE), undefined, /passphrase is needed/],
    ['a damaged one', 'bkp1.AAAA.AAAA.AAAA', PASSPHRASE, /damaged/], ['a newer one', 'bkp2.AAAA.AAAA.AAAA', PASSPHRASE, /newer/], ['no export', '{"realm":"x"}', undefined, /no export of Kotauth/],
  ])('%s is told', async (_what, text, passphrase, words) => {
    expect(read('kotauth', text, passphrase === undefined ? {} : { passphrase })).rejects.toThrow(words);
  });
});

describe('auth0', () => {
  const custom = (algorithm: string, hash: object, more: object = {}): object => ({ algorithm, hash, ...more });
  const hashes: readonly (readonly [string, object])[] = [
    ['bcrypt', { password_hash: bcrypt('$2b$') }], ['support', { passwordHash: bcrypt('$2a$') }],
    ['custom bcrypt', { custom_password_hash: custom('bcrypt', { value: bcrypt('$2y$') }) }], ['argon2', { custom_password_hash: custom('argon2', { value: argon2(), encoding: 'utf8' }) }],
    ['pbkdf2', { custom_password_hash: custom('pbkdf2', { value: `$pbkdf2-sha512$i=1000,l=64$${salt.bare}$${bare(pbkdf2('sha512'))}`, encoding: 'utf8' }) }],
    ['scrypt hex', { custom_password_hash: custom('scrypt', { value: scrypt().toString('hex'), encoding: 'hex' }, { salt: { value: salt.hex, encoding: 'hex' }, keylen: 32, cost: 16_384, blockSize: 8, parallelization: 1 }) }],
    ['scrypt base64', { custom_password_hash: custom('scrypt', { value: scrypt().toString('base64'), encoding: 'base64' }, { salt: { value: salt.utf8 }, keylen: 32 }) }],
  ];

  test.each(hashes)('the hash %s opens the account', async (_name, password) => {
    const { of } = await read('auth0', JSON.stringify([{ email: 'jane@example.com', user_id: 'auth0|1', ...password }]));
    expect(await opens(of('user')[0]?.password?.digest)).toBe(true);
  });

  test.each(['md5', 'sha1', 'hmac', 'ldap', 'md4', 'no such'])('the hash %s is not kept, and that is told', async (algorithm) => {
    const { of, said } = await read('auth0', JSON.stringify([{ email: 'j@example.com', custom_password_hash: { algorithm, hash: { value: 'SECRET-HASH', encoding: 'hex' } } }]));
    expect(of('user')[0]?.password).toBeNull();
    expect(said('user j@example.com')).toContain('set anew');
    expect(said('')).not.toContain('SECRET-HASH');
  });

  const jane = {
    user_id: 'auth0|5f7c', email: 'jane@example.com', email_verified: true, name: 'Jane Doe', given_name: 'Jane', family_name: 'Doe', nickname: 'jane', picture: 'https://cdn.example/j.png', blocked: true,
    created_at: '2020-01-01T00:00:00.000Z', identities: [{ provider: 'auth0' }], user_metadata: { color: 'blue', nested: { deep: { er: 1 } }, likes: ['a', 'b'] }, app_metadata: { plan: 'gold', seats: 3, 'e-mail address': 'x' },
  };
  const wanted = {
    kind: 'user', id: 'auth0|5f7c', username: 'jane@example.com', email: 'jane@example.com', emailVerified: true, name: 'Jane Doe', enabled: false, password: null,
    attributes: { given_name: 'Jane', family_name: 'Doe', nickname: 'jane', picture: 'https://cdn.example/j.png', color: 'blue', likes: ['a', 'b'], plan: 'gold', seats: 3 },
  };

  test.each([
    ['a list', JSON.stringify([jane])], ['lines', `${JSON.stringify(jane)}\n\n${JSON.stringify({ _id: { $oid: '5f7d' }, email: 'joe@example.com' })}\r\n`], ['one object over several lines', JSON.stringify(jane, null, 2)],
    ['an object with users', JSON.stringify({ users: [jane] })],
  ])('%s of users, in pieces of any size', async (_what, text) => {
    for (const piece of [1, 7, 100_000]) {
      const { of, said } = await read('auth0', text, { piece });
      expect(of('user')[0]).toEqual(wanted as never);
      expect(said('user jane')).toMatch(/"nested"[\s\S]*"e-mail address"/);
      if (text.includes('5f7d')) expect(of('user')[1]).toMatchObject({ id: 'auth0|5f7d', username: 'joe@example.com' });
    }
  });

  test('CSV', async () => {
    const csv = '\uFEFFuser_id,email,email_verified,name,given_name,blocked,password_hash,user_metadata.favColor\r\n'
      + `auth0|1,jane@example.com,true,"Doe, ""J"" Jane",Jane,false,${bcrypt()},blue\r\nauth0|2,,false,,,true,,\r\n`;
    for (const piece of [1, 50_000]) {
      const { of } = await read('auth0', csv, { piece });
      expect(of('user')).toMatchObject([
        { id: 'auth0|1', email: 'jane@example.com', emailVerified: true, name: 'Doe, "J" Jane', attributes: { given_name: 'Jane', favColor: 'blue' }, enabled: true },
        { id: 'auth0|2', username: 'auth0|2', email: '', enabled: false },
      ]);
      expect(await opens(of('user')[0]?.password?.digest)).toBe(true);
    }
  });

  test('one line that is no JSON is refused by itself', async () => {
    const { of, refused } = await read('auth0', '{"user_id":"a","email":"a@example.com"}\n{broken\n{"user_id":"b","email":"b@example.com"}');
    expect([of('user').map(({ id }) => id), refused('user')]).toEqual([['a', 'b'], ['line 2']]);
  });
});

describe('workos', () => {
  const user = { object: 'user', id: 'user_01', email: 'jane@example.com', email_verified: true, first_name: 'Jane', last_name: 'Doe', external_id: 'ext-1', metadata: { team: 'a' }, password_hash: bcrypt(), password_hash_type: 'bcrypt' };
  const org = { object: 'organization', id: 'org_01', name: 'Globex', domains: [] };
  const membership = { object: 'organization_membership', id: 'om_01', user_id: 'user_01', organization_id: 'org_01', organization_name: 'Globex', role: { slug: 'admin' }, roles: [{ slug: 'admin' }, { slug: 'billing' }], status: 'active' };

  test.each([
    ['lists by name', { users: [user], organizations: [org], organization_memberships: [membership] }], ['one mixed list', { data: [membership, user, org], list_metadata: { after: null } }], ['a bare list', [user, org, membership]],
  ])('%s', async (_what, file) => {
    const { things, of } = await read('workos', JSON.stringify(file));
    expect(things.map(({ kind }) => kind)).toEqual(['organization', 'role', 'role', 'user', 'membership']);
    expect(of('user')).toMatchObject([{ id: 'user_01', username: 'jane@example.com', name: 'Jane Doe', emailVerified: true, attributes: { external_id: 'ext-1', team: 'a', given_name: 'Jane' } }]);
    expect(of('membership')).toEqual([{ kind: 'membership', orgId: 'org_01', user: 'user_01', by: 'id', roles: ['admin', 'billing'] }]);
    expect(await opens(of('user')[0]?.password?.digest)).toBe(true);
  });

  test('what is pending or inactive is left out; a page of several says so', async () => {
    const { of, said } = await read('workos', JSON.stringify({ data: [{ ...membership, status: 'pending' }], list_metadata: { after: 'om_01' } }));
    expect([of('membership'), said('membership'), said('file')]).toEqual([[], expect.stringContaining('pending'), expect.stringContaining('one page')]);
  });

  test('CSV: a row for each membership', async () => {
    const csv = `email,first_name,email_verified,password_hash,password_hash_type,org_id,org_name,role_slugs\njane@example.com,Jane,true,${bcrypt()},bcrypt,org_01,Globex,"admin,billing"\njane@example.com,Jane,true,,,org_02,Initech,\nfire@example.com,,,x,firebase-scrypt,,,\n`;
    const { of, said } = await read('workos', csv, { piece: 11 });
    expect(of('organization').map(({ id, name }) => [id, name])).toEqual([['org_01', 'Globex'], ['org_02', 'Initech']]);
    expect(of('membership').map(({ orgId, user: whose, roles }) => [orgId, whose, roles])).toEqual([['org_01', 'jane@example.com', ['admin', 'billing']], ['org_02', 'jane@example.com', []]]);
    expect(said('user fire')).toContain('firebase-scrypt');
  });
});

describe('hashes in the spellings of others', () => {
  const N = scrypt();
  test.each([
    ['bcrypt', bcrypt()], ['argon2', argon2()], ['scrypt with N', `$scrypt$v=1$n=16384,r=8,p=1$${salt.bare}$${bare(N)}`], ['scrypt with ln', `$scrypt$ln=14,r=8,p=1$${salt.bare}$${bare(N)}`],
    ['pbkdf2 with d', `$pbkdf2$d=sha256,i=1000$${salt.base64}$${pbkdf2('sha256').toString('base64')}`], ['passlib', `$pbkdf2-sha256$1000$${salt.bare.replaceAll('+', '.')}$${bare(pbkdf2('sha256')).replaceAll('+', '.')}`],
  ])('%s is kept, and opens', async (_name, text) => {
    const kept = keepHash(text);
    expect(await opens('digest' in kept ? kept.digest : undefined)).toBe(true);
  });

  test.each([
    ['nothing', ''], ['in clear', 'hunter2'], ['an endless bcrypt', `$2b$31$${'a'.repeat(53)}`], ['an old argon2', argon2().replace('v=19', 'v=16')], ['no power of two', `$scrypt$n=1000,r=8,p=1$${salt.bare}$${bare(N)}`],
    ['an endless pbkdf2', `$pbkdf2-sha256$i=99999999$${salt.bare}$${bare(pbkdf2('sha256'))}`], ['a peppered one of ours', `p1.${argon2()}`],
  ])('%s is not, and is not repeated', (_name, text) => {
    const kept = keepHash(text);
    expect('fault' in kept && (text === '' || !kept.fault.includes(text))).toBe(true);
  });
});

const products = Object.keys(importers) as ImportProduct[];

describe('TX-05 files that are nothing', () => {
  const member = fc.constantFrom('realm', 'users', 'clients', 'id', 'email', 'username', 'credentials', 'secretData', 'roles', 'components', 'tenant', 'applications', 'signingKeys', 'items', 'client_id', 'grant_types', 'data', 'organizations',
    'organization_memberships', 'organization_id', 'user_id', 'role', 'attributes', '__proto__', 'constructor', 'redirectUris', 'password_hash', 'custom_password_hash', 'metadata', 'org.keycloak.keys.KeyProvider', 'envelope', 'clientId', 'members');
  const { json } = fc.letrec<{ json: unknown }>((tie) => ({
    json: fc.oneof({ maxDepth: 5 }, fc.constantFrom(null, true, 0, 1.5, '', 'x', '$2b$', '**'), fc.string({ maxLength: 8 }), fc.array(tie('json'), { maxLength: 4 }), fc.dictionary(member, tie('json'), { maxKeys: 6 })),
  }));
  const junk = fc.oneof(
    json.map((value) => JSON.stringify(value) ?? 'null'), json.map((value) => JSON.stringify({ realm: 'x', tenant: {}, users: value, clients: value, applications: value, data: value, roles: { realm: value }, components: value })),
    fc.string({ unit: 'binary', maxLength: 60 }), fc.array(fc.constantFrom('{', '}', '[', ']', '"', ',', '\n', '\r\n', 'email', 'id', '""', '\0', 'bkp1.A.B.C'), { maxLength: 30 }).map((parts) => parts.join('')),
  );

  test.each(products)('%s: only what is worded comes of them', async (product) => {
    await fc.assert(fc.asyncProperty(junk, async (text) => {
      try {
        const { things } = await read(product, text, { piece: 13, passphrase: 'p', issuer: 'https://old.example' });
        for (const thing of things) if (thing.kind === 'user' && thing.password !== null) expect(readForeignPassword(thing.password.digest)).not.toBeNull();
      } catch (error) {
        if (!(error instanceof UnreadableImport)) throw error;
        expect(error.message).toMatch(/^the (?:file|passphrase) /);
      }
    }), { numRuns: 400 });
  });

  test.each(products)('%s: bytes that are no text', async (product) => {
    const bytes = new Uint8Array([0x5B, 0xFF, 0xFE, 0x00]);
    expect(collect(importers[product]({ bytes: piecesOf(bytes), issuer: null, passphrase: null }))).rejects.toThrow('the file is not UTF-8 text');
  });
});

describe('reading is bounded', () => {
  const endless = async function* pieces(piece: string, most: number): AsyncGenerator<Uint8Array> {
    const bytes = new TextEncoder().encode(piece);
    for (let count = 0; count < most; count += 1) yield bytes;
  };

  test('a file beyond 256 MiB', async () => {
    const drain = async (): Promise<void> => {
      for await (const _ of readPieces(endless('x'.repeat(1_048_576), 300)));
    };
    expect(drain()).rejects.toThrow('the file is too large: at most 256 MiB');
  });

  test.each([['line', readLines], ['row', readCsv]] as const)('a %s without an end', async (_what, reader) => {
    const drain = async (): Promise<void> => {
      for await (const _ of reader(readPieces(endless(`"${'x'.repeat(100_000)}`, 100))));
    };
    expect(drain()).rejects.toThrow(UnreadableImport);
  });

  test('what was looked at to tell a file apart is not lost', async () => {
    const { first, all } = await begin(readPieces(piecesOf('  \n [1]', 1)));
    expect([first, await readAll(all)]).toEqual(['[', '  \n [1]']);
  });

  test('a JWK set', async () => {
    expect(await readJwks(piecesOf('{"keys":[]}'))).toEqual({ keys: [] });
    expect(readJwks(piecesOf('{'))).rejects.toThrow('the JWK set is not JSON');
  });
});
