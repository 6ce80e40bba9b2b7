/** Introspection: which tokens are good (RFC 7662 §2.2, §4; RFC 8725; RFC 9068 §4). */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { createHmac, createPublicKey, generateKeyPairSync } from 'node:crypto';
import type { Tenant } from '../../src/core/model.ts';
import { deleteClient, revokeClientTokens, setClientEnabled } from '../../src/service/manage-clients.ts';
import { revokeKey, rotateKeys } from '../../src/service/manage-keys.ts';
import { deleteUser, revokeUserTokens, setUserEnabled } from '../../src/service/manage-users.ts';
import { deleteTenant, updateTenant } from '../../src/service/manage-tenants.ts';
import {
  decodeJwt, defaultTenant, encodePart, forge, homeUrl, INACTIVE, introspect, issue, issuePair, issuer, makeClient, makeJws, makeTenant, makeUser, must, nowS, parseObject, post,
  signWith, startFixture, storedState, tenantKey, untilAudited, type Credentials, type Fixture,
} from '../helpers/fixture.ts';
import { startServer } from '../helpers/server.ts';

const grants = ['client_credentials', 'authorization_code', 'refresh_token'] as const;
/** Names no key of ours. */
const attacker = generateKeyPairSync('rsa', { modulusLength: 2048 });
const attackerJwk = attacker.publicKey.export({ format: 'jwk' });

let fixture: Fixture;
/** Where embedded URLs lead; it must never be asked. */
let trap: Bun.Server<undefined>;
let trapped = 0;
const scenes = new Map<string, Scene>();

/** A tenant per algorithm, and a good token of its client's own. */
type Scene = {
  readonly tenant: Tenant;
  readonly other: Tenant;
  readonly client: Credentials;
  readonly good: string;
  readonly userToken: string;
  readonly key: Awaited<ReturnType<typeof tenantKey>>;
  readonly otherKey: Awaited<ReturnType<typeof tenantKey>>;
  readonly otherToken: string;
};

async function makeScene(tenant: Tenant, other: Tenant): Promise<Scene> {
  const client = await makeClient(fixture, tenant, 'rs', { grants, scopes: ['openid', 'email', 'read'] });
  await makeClient(fixture, other, 'rs', { grants });
  await makeUser(fixture, tenant, 'alice');
  return {
    tenant, other, client, good: (await issue(fixture, tenant, client.id)).access_token, userToken: (await issuePair(fixture, tenant, client.id, 'alice')).access,
    key: await tenantKey(fixture, tenant), otherKey: await tenantKey(fixture, other), otherToken: (await issue(fixture, other, 'rs')).access_token,
  };
}

beforeAll(async () => {
  fixture = await startFixture();
  trap = Bun.serve({
    port: 0,
    fetch: () => {
      trapped += 1;
      return Response.json({ keys: [{ ...attackerJwk, kid: 'attacker', alg: 'RS256', use: 'sig' }] });
    },
  });
  scenes.set('RS256', await makeScene(await defaultTenant(fixture), await makeTenant(fixture, 'rsa-other', { algorithm: 'RS256' })));
  scenes.set('ES256', await makeScene(await makeTenant(fixture, 'ec'), await makeTenant(fixture, 'ec-other')));
  scenes.set('EdDSA', await makeScene(await makeTenant(fixture, 'ed', { algorithm: 'EdDSA' }), await makeTenant(fixture, 'ed-other', { algorithm: 'EdDSA' })));
});
afterAll(async () => {
  await trap.stop(true);
  await fixture.close();
});

/** A token with good claims and another header or signature. */
const withHeader = ({ good, key }: Scene, header: Readonly<Record<string, unknown>>, signer = key.signer): string => {
  const { header: own, claims } = decodeJwt(good);
  return makeJws({ ...own, ...header }, claims, signer);
};
const unsigned = (header: unknown, { good }: Scene): string => `${encodePart(header)}.${good.split('.')[1] ?? ''}.`;
const hmac = (secret: string | Buffer) => (input: Buffer): Buffer => createHmac('sha256', secret).update(input).digest();

/** Our public key in every form that an attacker may take for a shared secret. */
function publicForms(jwk: Readonly<Record<string, string>>): Readonly<Record<string, string | Buffer>> {
  const key = createPublicKey({ key: jwk, format: 'jwk' });
  const pem = key.export({ format: 'pem', type: 'spki' }).toString();
  const { n, x } = jwk;
  const number = n ?? x ?? '';
  return {
    'PEM': pem, 'PEM without its last line break': pem.trimEnd(), 'DER': key.export({ format: 'der', type: 'spki' }), 'the JWK': JSON.stringify(jwk), 'the bare JWK': JSON.stringify(key.export({ format: 'jwk' })),
    'its number as text': number, 'its number as bytes': Buffer.from(number, 'base64url'), 'an empty secret': '',
    ...(jwk['kty'] === 'RSA' && { 'PKCS#1 PEM': key.export({ format: 'pem', type: 'pkcs1' }).toString() }),
  };
}

type Row = readonly [ids: string, name: string, make: (scene: Scene) => string | Promise<string>];
const changed = (ids: string, name: string, change: (scene: Scene) => Parameters<typeof forge>[3], of: 'good' | 'userToken' = 'good'): Row =>
  [ids, name, (scene) => forge(fixture, scene.tenant, scene[of], change(scene))];
const claim = (ids: string, name: string, claims: Readonly<Record<string, unknown>>): Row => changed(ids, name, () => ({ claims }));
const header = (ids: string, name: string, change: Readonly<Record<string, unknown>>): Row => changed(ids, name, () => ({ header: change }));

const numbers: Readonly<Record<string, unknown>> = {
  'a string': String(nowS() + 300), 'a float': nowS() + 300.5, '1e21': 1e21, 'negative': -1, '0': 0, 'null': null, 'missing': undefined, 'a list': [nowS() + 300], 'true': true, 'beyond the year 9999': 253_402_300_800,
};

/** Tokens that are none, or not good. All but the first rows are signed with the tenant's real key. */
const bad: readonly Row[] = [
  ['INT-74', 'one part', ({ good }) => good.split('.')[0] ?? ''],
  ['INT-74', 'two parts', ({ good }) => good.split('.').slice(0, 2).join('.')],
  ['INT-74', 'four parts', ({ good }) => `${good}.AAAA`],
  ['INT-74', 'five parts, as an encrypted one', ({ good }) => `${good}.AAAA.AAAA`],
  ['INT-74', 'an empty header', ({ good }) => `.${good.split('.').slice(1).join('.')}`],
  ['INT-74', 'an empty payload', ({ good }) => `${good.split('.')[0] ?? ''}..${good.split('.')[2] ?? ''}`],
  ['INT-74', 'padding', ({ good }) => `${good}=`],
  ['INT-74', 'base64 that is not base64url', ({ good }) => `${good.slice(0, -4)}+/+/`],
  ['INT-74', 'dots alone', () => '..'],
  ['INT-74', 'a header that is no JSON', ({ key, good }) => makeJws('{"alg":', decodeJwt(good).claims, key.signer)],
  ['INT-74', 'a header that is a list', ({ key, good }) => makeJws([1], decodeJwt(good).claims, key.signer)],
  ['INT-74', 'claims that are no JSON', ({ key, good }) => makeJws(decodeJwt(good).header, '{"iss":', key.signer)],
  ['INT-74', 'claims that are null', ({ key, good }) => makeJws(decodeJwt(good).header, 'null', key.signer)],
  ['INT-74', 'claims that are a list', ({ key, good }) => makeJws(decodeJwt(good).header, [decodeJwt(good).claims], key.signer)],
  ['INT-74', 'another token\'s signature', ({ good, userToken }) => `${good.slice(0, good.lastIndexOf('.'))}.${userToken.split('.')[2] ?? ''}`],
  ['INT-74', 'changed claims under the old signature', ({ good }) => `${good.split('.')[0] ?? ''}.${encodePart({ ...decodeJwt(good).claims, scope: 'admin' })}.${good.split('.')[2] ?? ''}`],
  ...['none', 'nOnE', 'NONE', ''].map((alg): Row => ['INT-75', `alg ${JSON.stringify(alg)} and no signature`, (scene) => unsigned({ ...decodeJwt(scene.good).header, alg }, scene)]),
  ['INT-75', 'alg none without kid and typ', (scene) => unsigned({ alg: 'none' }, scene)],
  ['INT-75', 'alg none under the real signature', ({ good }) => `${encodePart({ ...decodeJwt(good).header, alg: 'none' })}.${good.split('.').slice(1).join('.')}`],
  ['INT-75', 'alg none, really signed', (scene) => withHeader(scene, { alg: 'none' })],
  ['INT-75', 'an empty signature', (scene) => `${scene.good.slice(0, scene.good.lastIndexOf('.'))}.`],
  ['INT-75', 'no alg', (scene) => withHeader(scene, { alg: undefined })],
  ['INT-75', 'a list for alg', (scene) => withHeader(scene, { alg: [scene.key.algorithm] })],
  ['INT-76', 'another asymmetric alg in the header', (scene) => withHeader(scene, { alg: scene.key.algorithm === 'ES256' ? 'RS256' : 'ES256' })],
  ['INT-77', 'an attacker\'s key in jwk', (scene) => withHeader(scene, { alg: 'RS256', kid: 'attacker', jwk: attackerJwk }, signWith(attacker.privateKey, 'RS256'))],
  ['INT-77', 'an attacker\'s key in jwk under our kid', (scene) => withHeader(scene, { alg: 'RS256', jwk: attackerJwk }, signWith(attacker.privateKey, 'RS256'))],
  ...['jku', 'x5u'].map((name): Row => ['INT-77', `an attacker's ${name}`, (scene) => withHeader(scene, { alg: 'RS256', kid: 'attacker', [name]: `http://127.0.0.1:${trap.port}/keys` }, signWith(attacker.privateKey, 'RS256'))]),
  ['INT-77', 'an attacker\'s x5c', (scene) => withHeader(scene, { alg: 'RS256', x5c: [attacker.publicKey.export({ format: 'der', type: 'spki' }).toString('base64')] }, signWith(attacker.privateKey, 'RS256'))],
  header('INT-78', 'an unknown kid', { kid: 'nobody' }),
  header('INT-78', 'no kid', { kid: undefined }),
  header('INT-78', 'a kid that is a path', { kid: '../../etc/passwd' }),
  header('INT-78', 'a kid that is SQL', { kid: "' OR 1=1--" }),
  header('INT-78', 'a kid that is an object', { kid: {} }),
  header('INT-78', 'a kid of a prototype', { kid: '__proto__' }),
  header('INT-78', 'a kid of 10 KB', { kid: 'k'.repeat(10_240) }),
  header('INT-78', 'crit', { crit: ['exp'] }),
  header('INT-78', 'an empty crit', { crit: [] }),
  header('INT-78', 'crit b64', { b64: false, crit: ['b64'] }),
  changed('INT-79', 'an ID token', (scene) => ({ header: { typ: 'JWT' }, claims: { aud: scene.client.id, client_id: undefined, nonce: 'n', auth_time: nowS(), sid: 'ses_1' } }), 'userToken'),
  ...['JWT', undefined, 'logout+jwt', 'token-introspection+jwt', 'client-authentication+jwt', 'dpop+jwt', 'oauth-authz-req+jwt', 'secevent+jwt', 'id_token+jwt', 'at+jwt+x', '', ' at+jwt', ['at+jwt'], 'x/at+jwt'].map((typ): Row =>
    header('INT-79, INT-80', `typ ${JSON.stringify(typ) ?? 'absent'}, with all claims of an access token`, { typ })),
  ['INT-82', 'another tenant\'s token', ({ otherToken }) => otherToken],
  ['INT-82', 'another tenant\'s token under our kid', ({ otherToken, otherKey, key }) => makeJws({ ...decodeJwt(otherToken).header, kid: key.kid }, decodeJwt(otherToken).claims, otherKey.signer)],
  ['INT-83', 'our issuer, signed by another tenant under its kid', ({ good, otherKey }) => makeJws({ ...decodeJwt(good).header, kid: otherKey.kid }, decodeJwt(good).claims, otherKey.signer)],
  ['INT-83', 'our issuer and kid, signed by another tenant', ({ good, otherKey }) => makeJws(decodeJwt(good).header, decodeJwt(good).claims, otherKey.signer)],
  changed('INT-82', 'another tenant\'s issuer, signed by us', (scene) => ({ claims: { iss: issuer(fixture, scene.other) } })),
  changed('INT-82', 'our issuer with a slash at its end', (scene) => ({ claims: { iss: `${issuer(fixture, scene.tenant)}/` } })),
  ...['iss', 'sub', 'aud', 'client_id', 'exp', 'iat', 'jti'].map((name) => claim('INT-74', `without ${name}`, { [name]: undefined })),
  claim('INT-74', 'a number for sub', { sub: 42 }), claim('INT-74', 'an object for client_id', { client_id: {} }), claim('INT-74', 'an empty aud', { aud: [] }),
  claim('INT-74', 'numbers in aud', { aud: [1] }), claim('INT-74', 'a number for jti', { jti: 7 }), claim('INT-74', 'an empty sub', { sub: '' }),
  ['INT-74', 'the issuer in a list', ({ tenant, good }) => forge(fixture, tenant, good, { claims: { iss: [issuer(fixture, tenant)] } })],
  claim('INT-70', 'long expired', { exp: nowS() - 3600 }), claim('INT-70', 'expired a second ago', { exp: nowS() - 1 }), claim('INT-70', 'expired now', { exp: nowS() }),
  ...Object.entries(numbers).map(([name, value]) => claim('INT-70', `exp ${name}`, { exp: value })),
  ...Object.entries(numbers).filter(([name]) => name !== '0').map(([name, value]) => claim('INT-70', `iat ${name}`, { iat: value })),
  claim('INT-71', 'nbf in an hour', { nbf: nowS() + 3600 }), changed('INT-71', 'nbf in half a minute', () => ({ claims: { nbf: nowS() + 30 } })),
  ...Object.entries(numbers).filter(([name]) => !['missing', '0'].includes(name)).map(([name, value]) => claim('INT-71', `nbf ${name}`, { nbf: value })),
  changed('INT-70', 'issued in a minute', () => ({ claims: { iat: nowS() + 60 } })),
  claim('INT-86', 'of a client that does not exist', { client_id: 'nobody' }),
  claim('INT-72', 'of a grant that does not exist', { grant_id: 'gr_nobody' }),
  claim('INT-74', 'bound to something unreadable', { cnf: 'x' }), claim('INT-74', 'bound to nothing', { cnf: {} }),
  changed('INT-85', 'of a user that does not exist', () => ({ claims: { sub: 'usr_nobody' } }), 'userToken'),
];

/** Differences that mean nothing: still good. */
const fine: readonly Row[] = [
  claim('INT-01', 'signed again', {}), header('INT-80', 'typ application/at+jwt', { typ: 'application/at+jwt' }), header('INT-80', 'typ AT+JWT', { typ: 'AT+JWT' }),
  claim('INT-71', 'nbf now', { nbf: nowS() - 1 }), claim('INT-70', 'a far exp', { exp: 253_402_300_799 }), claim('INT-70', 'issued by a clock that is a little ahead', { iat: nowS() + 4 }),
  header('INT-77', 'an embedded key beside our signature', { jwk: attackerJwk, jku: 'http://127.0.0.1:1/' }),
  claim('INT-119', 'claims that nobody knows', { foo: { bar: 1 }, may_act: { sub: 'x' } }),
];

for (const algorithm of ['RS256', 'ES256', 'EdDSA']) {
  describe(`RFC 8725, RFC 9068 §4 · a tenant that signs with ${algorithm}`, () => {
    const sceneOf = (): Scene => scenes.get(algorithm) ?? (() => { throw new Error('the fixture was not furnished'); })();
    const ask = (token: string) => post(homeUrl(fixture, sceneOf().tenant, 'introspect'), { token }, sceneOf().client);

    for (const [ids, name, make] of fine) {
      test(`${ids} ${name} → active`, async () => {
        expect(parseObject((await ask(await make(sceneOf()))).body)).toMatchObject({ active: true, client_id: 'rs' });
      });
    }
    for (const [ids, name, make] of bad) {
      test(`${ids} ${name} → inactive`, async () => {
        const token = await make(sceneOf());
        const before = storedState(fixture);
        // Twice: what a signature proved is remembered, and must mean the same then.
        expect(await ask(token)).toEqual(INACTIVE);
        expect(await ask(token)).toEqual(INACTIVE);
        expect(storedState(fixture)).toBe(before);
      });
    }
    test('INT-76 HS256 keyed with our public key in any form → inactive', async () => {
      const scene = sceneOf();
      for (const kid of [scene.key.kid, undefined]) {
        for (const [form, secret] of Object.entries(publicForms(scene.key.publicJwk))) {
          expect([form, await ask(withHeader(scene, { alg: 'HS256', kid }, hmac(secret)))]).toEqual([form, INACTIVE]);
        }
      }
    });
  });
}

test('INT-77 none of these tokens made the server ask anybody', () => {
  expect(trapped).toBe(0);
});

describe('RFC 7662 §2.2 · what is nobody\'s token', () => {
  const words = ['x', '2YotnFZFEjr1zCsicMWpAA', 'SlAV32hkKG', `at_${'A'.repeat(43)}`, `rt_${'_'.repeat(43)}`, `at_${'A'.repeat(42)}`, `at_${'A'.repeat(44)}`, `AT_${'A'.repeat(43)}`, 'cs_secret', 'rs', 'null', 'undefined', '{}', '[]', '%00'];
  test.each(words)('INT-73 %s → inactive', async (word) => {
    const scene = scenes.get('ES256');
    if (scene === undefined) throw new Error('the fixture was not furnished');
    expect(await post(homeUrl(fixture, scene.tenant, 'introspect'), { token: word }, scene.client)).toEqual(INACTIVE);
  });

  test('INT-73 an opaque token in other letters, or without its last one → inactive', async () => {
    const scene = scenes.get('ES256');
    if (scene === undefined) throw new Error('the fixture was not furnished');
    const opaque = await makeClient(fixture, scene.tenant, null, { tokenFormat: 'opaque' });
    const { access_token: token } = await issue(fixture, scene.tenant, opaque.id);
    expect((await introspect(fixture, scene.tenant, opaque, token))['active']).toBe(true);
    for (const wrong of [token.toLowerCase(), token.slice(0, -1), `${token}A`, token.replace('at_', 'rt_'), ` ${token}`, token.slice(3)]) {
      if (wrong !== token) expect(await post(homeUrl(fixture, scene.tenant, 'introspect'), { token: wrong }, opaque)).toEqual(INACTIVE);
    }
  });
});

describe('what a token stands on', () => {
  let tenant: Tenant;
  let count = 0;
  beforeAll(async () => {
    tenant = await makeTenant(fixture, 'standing');
  });

  /** A client with every kind of token, of its own and of a user. */
  async function makeTokens(): Promise<{ client: Credentials; user: string; own: Record<string, string>; users: Record<string, string> }> {
    count += 1;
    const client = await makeClient(fixture, tenant, `client-${count}`, { grants, scopes: ['read', 'offline_access'] });
    const opaque = await makeClient(fixture, tenant, `opaque-${count}`, { grants, tokenFormat: 'opaque' });
    const user = `user-${count}`;
    await makeUser(fixture, tenant, user);
    const { access, refresh } = await issuePair(fixture, tenant, client.id, user);
    const own = { jwt: (await issue(fixture, tenant, client.id)).access_token };
    must(await updateTenant(fixture.application.ctx, tenant.slug, { introspectionPolicy: 'tenant' }));
    return { client, user, own, users: { access, refresh, opaque: (await issue(fixture, tenant, opaque.id, { user })).access_token } };
  }
  async function expectAll(tokens: Readonly<Record<string, string>>, caller: Credentials, active: boolean): Promise<void> {
    for (const [name, token] of Object.entries(tokens)) expect([name, (await introspect(fixture, tenant, caller, token))['active']]).toEqual([name, active]);
  }

  test('INT-85 a disabled user → inactive at once, and for ever; what is issued after enabling is good', async () => {
    const { ctx } = fixture.application;
    const { client, user, own, users } = await makeTokens();
    await expectAll({ ...own, ...users }, client, true);
    must(await setUserEnabled(ctx, tenant, user, false));
    await expectAll(users, client, false);
    await expectAll(own, client, true);
    must(await setUserEnabled(ctx, tenant, user, true));
    await expectAll(users, client, false);
    await Bun.sleep(2);
    await expectAll(await issuePair(fixture, tenant, client.id, user), client, true);
  });

  test('INT-85 a deleted user, and one whose tokens were all revoked → inactive at once', async () => {
    const { ctx } = fixture.application;
    for (const end of [deleteUser, revokeUserTokens]) {
      const { client, user, own, users } = await makeTokens();
      must(await end(ctx, tenant, user));
      await expectAll(users, client, false);
      await expectAll(own, client, true);
    }
  });

  test('INT-86 a disabled, deleted or cut off client → its tokens are inactive at once, and for ever', async () => {
    const { ctx } = fixture.application;
    const asker = await makeClient(fixture, tenant, 'asker');
    const ends = [
      async (id: string) => {
        must(await setClientEnabled(ctx, tenant, id, false));
        await expectAll({}, asker, false);
        return setClientEnabled(ctx, tenant, id, true);
      },
      (id: string) => setClientEnabled(ctx, tenant, id, false), (id: string) => deleteClient(ctx, tenant, id), (id: string) => revokeClientTokens(ctx, tenant, id),
    ];
    for (const end of ends) {
      const { client, own, users: { access = '', refresh = '', opaque = '' } } = await makeTokens();
      await expectAll({ ...own, access, refresh }, asker, true);
      must(await end(client.id));
      await expectAll({ ...own, access, refresh }, asker, false);
      await expectAll({ opaque }, asker, true);
    }
  });

  test('INT-86 a client made anew under a deleted one\'s id does not inherit its tokens', async () => {
    const { ctx } = fixture.application;
    const { client, own, users: { access = '', refresh = '' } } = await makeTokens();
    must(await deleteClient(ctx, tenant, client.id));
    const again = await makeClient(fixture, tenant, client.id, { grants });
    await expectAll({ ...own, access, refresh }, again, false);
  });

  test('INT-82 a deleted tenant\'s name, given again, does not revive its tokens', async () => {
    const gone = await makeTenant(fixture, 'gone');
    const client = await makeClient(fixture, gone, 'rs');
    const { access_token: token } = await issue(fixture, gone, client.id);
    must(await deleteTenant(fixture.application.ctx, 'gone'));
    expect((await post(`${fixture.server.url}/t/gone/protocol/openid-connect/introspect`, { token }, client)).status).toBe(404);
  });

  test('INT-88 reuse of a spent refresh token → every token of the family is inactive', async () => {
    const { client, user } = await makeTokens();
    const tokens: Record<string, string> = {};
    const first = await issuePair(fixture, tenant, client.id, user);
    const bystander = await issuePair(fixture, tenant, client.id, user);
    const refresh = async (token: string) => post(homeUrl(fixture, tenant, 'token'), { grant_type: 'refresh_token', refresh_token: token }, client);
    let newest = first.refresh;
    for (const generation of [1, 2, 3]) {
      const answer = parseObject((await refresh(newest)).body);
      newest = String(answer['refresh_token']);
      tokens[`access ${generation}`] = String(answer['access_token']);
    }
    tokens['access 0'] = first.access;
    await expectAll({ ...tokens, newest }, client, true);
    expect(parseObject((await refresh(first.refresh)).body)['error']).toBe('invalid_grant');
    await expectAll({ ...tokens, newest, first: first.refresh }, client, false);
    await expectAll(bystander, client, true);
    expect(await untilAudited(fixture, tenant, 'refresh_reuse_detected', first.refresh)).toMatchObject({ outcome: 'denied', clientId: client.id, actor: client.id });
  });

  test('INT-91, INT-30 a spent refresh token → inactive, and asking about it kills nothing', async () => {
    const { client, user } = await makeTokens();
    const first = await issuePair(fixture, tenant, client.id, user);
    const refresh = async (token: string) => parseObject((await post(homeUrl(fixture, tenant, 'token'), { grant_type: 'refresh_token', refresh_token: token }, client)).body);
    const second = await refresh(first.refresh);
    const before = storedState(fixture);
    for (let round = 0; round < 3; round += 1) expect(await post(homeUrl(fixture, tenant, 'introspect'), { token: first.refresh }, client)).toEqual(INACTIVE);
    expect(storedState(fixture)).toBe(before);
    await expectAll({ access: first.access, next: String(second['access_token']), refresh: String(second['refresh_token']) }, client, true);
    expect(await refresh(String(second['refresh_token']))).toHaveProperty('refresh_token');
  });

  test('INT-72 a revoked token of any kind → inactive in the very next request', async () => {
    const { client, user, own } = await makeTokens();
    const opaque = await makeClient(fixture, tenant, null, { grants, tokenFormat: 'opaque' });
    const pair = await issuePair(fixture, tenant, client.id, user);
    const rows = [[client, own['jwt'] ?? ''], [client, pair.access], [client, pair.refresh], [opaque, (await issue(fixture, tenant, opaque.id)).access_token]] as const;
    for (const [owner, token] of rows) {
      expect((await introspect(fixture, tenant, owner, token))['active']).toBe(true);
      expect((await post(homeUrl(fixture, tenant, 'revoke'), { token }, owner)).status).toBe(200);
      expect(await post(homeUrl(fixture, tenant, 'introspect'), { token }, owner)).toEqual(INACTIVE);
    }
  });
});

describe('RFC 7519 §4.1.4 · time', () => {
  test('INT-70, INT-92 good until exp, and not at exp: JWT, opaque and refresh token', async () => {
    const tenant = await makeTenant(fixture, 'short');
    await makeUser(fixture, tenant, 'alice');
    const jwt = await makeClient(fixture, tenant, 'jwt', { accessTokenTtl: 2 });
    const opaque = await makeClient(fixture, tenant, 'opaque', { accessTokenTtl: 2, tokenFormat: 'opaque' });
    const refreshing = await makeClient(fixture, tenant, 'refreshing', { grants, refreshTokenTtl: 2 });
    const kinds = [
      [jwt, (await issue(fixture, tenant, jwt.id)).access_token], [opaque, (await issue(fixture, tenant, opaque.id)).access_token],
      [refreshing, (await issuePair(fixture, tenant, refreshing.id, 'alice')).refresh],
    ] as const;
    await Promise.all(kinds.map(async ([caller, token]) => {
      const exp = Number((await introspect(fixture, tenant, caller, token))['exp']);
      let asked = 0;
      for (; Date.now() < exp * 1000 + 100; asked += 1) {
        const sentMs = Date.now();
        const { active } = await introspect(fixture, tenant, caller, token);
        // Refresh tokens end with the millisecond that they were issued at, access tokens with the second.
        const slackMs = caller === refreshing ? 1000 : 0;
        if (Date.now() < exp * 1000) expect(active).toBe(true);
        else if (sentMs >= exp * 1000 + slackMs) expect(active).toBe(false);
        await Bun.sleep(exp * 1000 - Date.now() > 60 ? 40 : 1);
      }
      expect(asked).toBeGreaterThan(20);
    }));
    await Bun.sleep(1000);
    for (const [caller, token] of kinds) expect(await post(homeUrl(fixture, tenant, 'introspect'), { token }, caller)).toEqual(INACTIVE);
    const [, , [, refresh]] = kinds;
    expect(parseObject((await post(homeUrl(fixture, tenant, 'token'), { grant_type: 'refresh_token', refresh_token: refresh }, refreshing)).body)['error']).toBe('invalid_grant');
  });
});

describe('RFC 7517 · keys', () => {
  test('INT-93, INT-94 a retired key proves what it signed, a revoked one nothing', async () => {
    const { ctx } = fixture.application;
    const tenant = await makeTenant(fixture, 'keys');
    const client = await makeClient(fixture, tenant);
    const tokens: string[] = [];
    const kids: string[] = [];
    const sign = async (): Promise<void> => {
      const { access_token: token } = await issue(fixture, tenant, client.id);
      tokens.push(token);
      kids.push(String(decodeJwt(token).header['kid']));
    };
    const state = async (): Promise<unknown[]> => Promise.all(tokens.map(async (token) => (await introspect(fixture, tenant, client, token))['active']));
    await sign();
    for (let rotation = 0; rotation < 2; rotation += 1) {
      must(await rotateKeys(ctx, tenant));
      await sign();
    }
    expect(new Set(kids).size).toBe(3);
    expect(await state()).toEqual([true, true, true]);
    must(await revokeKey(ctx, tenant, kids[0] ?? ''));
    expect(await state()).toEqual([false, true, true]);
    must(await revokeKey(ctx, tenant, kids[2] ?? ''));
    expect(await state()).toEqual([false, true, false]);
    await sign();
    expect(await state()).toEqual([false, true, false, true]);
    expect(kids).not.toContain(undefined);
    expect(new Set(kids).size).toBe(4);
  });
});

describe('several processes on one folder', () => {
  test('INT-97 what one revokes, disables or changes is so on the other in the next request', async () => {
    const { ctx } = fixture.application;
    const tenant = await makeTenant(fixture, 'twins');
    const client = await makeClient(fixture, tenant, 'rs', { grants });
    await makeUser(fixture, tenant, 'alice');
    const second = await startServer({ data: fixture.server.data, args: ['--origin', fixture.server.url], env: { ASSAY_RATE_LIMITS: 'off' } });
    try {
      const host = new URL(fixture.server.url).host;
      const at = (server: { port: number }, endpoint: string, token: string) =>
        post(`http://127.0.0.1:${server.port}/t/twins/protocol/openid-connect/${endpoint}`, { token }, client, { Host: host });
      const servers = [fixture.server, second] as const;
      for (let round = 0; round < 20; round += 1) {
        const [one, two] = round % 2 === 0 ? servers : [servers[1], servers[0]];
        const { access, refresh } = await issuePair(fixture, tenant, client.id, 'alice');
        for (const server of servers) for (const token of [access, refresh]) expect(parseObject((await at(server, 'introspect', token)).body)['active']).toBe(true);
        expect((await at(one, 'revoke', round % 3 === 0 ? access : refresh)).status).toBe(200);
        expect(await at(two, 'introspect', access)).toEqual(INACTIVE);
        if (round % 3 !== 0) expect(await at(two, 'introspect', refresh)).toEqual(INACTIVE);
      }
      const { access } = await issuePair(fixture, tenant, client.id, 'alice');
      must(await setUserEnabled(ctx, tenant, 'alice', false));
      for (const server of servers) expect(await at(server, 'introspect', access)).toEqual(INACTIVE);
    } finally {
      expect(await second.stop()).toBe(0);
    }
  });

  test('INT-97 a first start and a command at the same moment make one set of keys', async () => {
    for (let round = 0; round < 3; round += 1) {
      const twin = await startFixture();
      const keys = await twin.application.ctx.store.listKeys((await defaultTenant(twin)).id);
      expect(keys.map(({ status }) => status).sort()).toEqual(['active', 'next']);
      await twin.close();
    }
  });
});
