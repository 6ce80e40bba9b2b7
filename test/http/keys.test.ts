/** A tenant's keys as a running server turns them over, and those that came from elsewhere. */
import { Database } from 'bun:sqlite';
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import { importVerificationKeys } from '../../src/service/import-keys.ts';
import { homeUrl, introspect, issue, issuer, makeClient, makeJws, makeTenant, makeUser, must, nowS, post, signWith, startFixture, until, type Fixture } from '../helpers/fixture.ts';
import { listAudit } from '../helpers/trail.ts';

const DAY_MS = 86_400_000;
let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture();
});
afterAll(() => fixture.close());

type Jwk = { readonly kid: string };

test('JK-04, JK-03 a running server rotates a tenant\'s keys by their age, without a restart', async () => {
  const tenant = await makeTenant(fixture, 'aging', { algorithm: 'ES256' });
  const client = await makeClient(fixture, tenant, 'svc', { scopes: ['a'] });
  const { access_token: token } = await issue(fixture, tenant, client.id);
  const kids = async (): Promise<readonly string[]> => {
    const { keys } = await (await fetch(homeUrl(fixture, tenant, 'jwks'))).json() as { readonly keys: readonly Jwk[] };
    return keys.map(({ kid }) => kid);
  };
  const before = await kids();
  expect(before).toHaveLength(2);

  // As if they had been made that long ago.
  const db = new Database(join(fixture.server.data, 'assay.db'));
  db.run('PRAGMA busy_timeout = 5000');
  db.run('UPDATE signing_keys SET created_at_ms = created_at_ms - ?1, activated_at_ms = activated_at_ms - ?1 WHERE tenant_id = ?2', [100 * DAY_MS, tenant.id]);
  db.close();
  await until('the next key signs', async () => (await kids()).length === 3, 15_000);
  expect((await kids()).slice(0, 2).toSorted()).toEqual([...before].toSorted());
  const events = await listAudit(fixture.application.ctx.store, { tenant: 'aging', type: 'key_rotated', limit: 9 });
  expect(events).toMatchObject([{ actor: 'server', reason: `now_${before.find((kid) => kid !== events[0]?.subject) ?? ''}` }]);
  expect(await introspect(fixture, tenant, client, token)).toMatchObject({ active: true });
  const fresh = await post(homeUrl(fixture, tenant, 'token'), { grant_type: 'client_credentials' }, client);
  const { access_token: newer } = JSON.parse(fresh.body) as { readonly access_token: string };
  expect(JSON.parse(Buffer.from(newer.split('.')[0] ?? '', 'base64url').toString())).toMatchObject({ kid: before.find((kid) => kid !== events[0]?.subject) });
  expect(await introspect(fixture, tenant, client, newer)).toMatchObject({ active: true });
}, 30_000);

test('access tokens of a former issuer: introspected as theirs, revoked, and not published as ours', async () => {
  const tenant = await makeTenant(fixture, 'moved', { algorithm: 'ES256' });
  const client = await makeClient(fixture, tenant, 'svc', { scopes: ['a'] });
  await makeUser(fixture, tenant, 'jane', 'jane@example.com', 'f81d4fae-7dec');
  const iss = 'https://old.example.com/realms/moved';
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'former-1', use: 'sig', alg: 'RS256' };
  must(await importVerificationKeys(fixture.application.ctx, tenant, iss, { keys: [jwk] }));
  const claims = { iss, sub: 'f81d4fae-7dec', azp: 'svc', typ: 'Bearer', scope: 'a profile', aud: ['account', 'svc'], jti: 'j-1', sid: 's-1', iat: nowS() - 5, exp: nowS() + 600 };
  const sign = (changes: object): string => makeJws({ alg: 'RS256', typ: 'JWT', kid: 'former-1' }, { ...claims, ...changes }, signWith(privateKey, 'RS256'));
  const token = sign({});
  expect(await introspect(fixture, tenant, client, token)).toEqual({
    active: true, scope: 'a profile', client_id: 'svc', sub: 'f81d4fae-7dec', aud: ['account', 'svc'], iss, jti: 'j-1', sid: 's-1', exp: claims.exp, iat: claims.iat,
    username: 'jane@example.com', token_type: 'Bearer',
  });
  for (const changes of [{ nonce: 'n' }, { typ: 'ID' }, { typ: 'Refresh' }, { iss: `${iss}/x` }]) expect(await introspect(fixture, tenant, client, sign(changes))).toEqual({ active: false });
  expect((await post(homeUrl(fixture, tenant, 'revoke'), { token }, client)).status).toBe(200);
  expect(await introspect(fixture, tenant, client, token)).toEqual({ active: false });
  expect(await introspect(fixture, tenant, client, sign({ jti: 'j-2' }))).toMatchObject({ active: true });
  const { keys } = await (await fetch(homeUrl(fixture, tenant, 'jwks'))).json() as { readonly keys: readonly Jwk[] };
  expect(keys.map(({ kid }) => kid)).not.toContain('former-1');
});

test('JK-01 keys of a server that was this very issuer are published with ours', async () => {
  const tenant = await makeTenant(fixture, 'stayed', { algorithm: 'ES256' });
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'former-2', use: 'sig', alg: 'RS256' };
  must(await importVerificationKeys(fixture.application.ctx, tenant, issuer(fixture, tenant), { keys: [jwk] }));
  const { keys } = await (await fetch(homeUrl(fixture, tenant, 'jwks'))).json() as { readonly keys: readonly Jwk[] };
  expect(keys).toContainEqual(jwk);
  expect(keys).toHaveLength(3);
});
