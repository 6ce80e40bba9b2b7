import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { randomBytes } from 'node:crypto';
import { issuerOf } from '../../src/core/issuer.ts';
import type { Client, Tenant } from '../../src/core/model.ts';
import { issueToken } from '../../src/service/issue-token.ts';
import { introspect, type IntrospectionOutcome } from '../../src/service/introspect.ts';
import { revokeKey, rotateKeys } from '../../src/service/manage-keys.ts';
import { createUser } from '../../src/service/manage-users.ts';
import { makeTokenReader, type TokenReading } from '../../src/service/read-token.ts';
import type { Store } from '../../src/core/store.ts';
import { openRig, there, wanted, type Rig } from './rig.ts';

const from = { ip: '192.0.2.1', requestId: 'req' };

let rig: Rig;
let acme: Tenant;
beforeEach(async () => {
  rig = openRig();
  acme = await rig.tenant();
  await rig.client(acme, 'svc', { scopes: ['a'] });
});
afterEach(() => rig.close());

async function issueFor(client: string, user: string | null = null): Promise<{ access: string; refresh: string | undefined }> {
  const answer = wanted(await issueToken(rig.ctx, acme, { client, user, org: null, session: null, scopes: null, audience: [] }));
  return { access: answer.access_token, refresh: answer.refresh_token };
}
const read = (token: string, tenant = acme): Promise<TokenReading> => rig.ctx.tokens.read(tenant, issuerOf(tenant, rig.ctx.origin()), token);
const reasonOf = (reading: TokenReading): string => (reading.known ? 'known' : reading.reason);

/** As an endpoint would: the answer, and operators told. */
async function askAndTell(tenant: Tenant, caller: Client, token: string): Promise<IntrospectionOutcome> {
  const outcome = await introspect(rig.ctx, tenant, caller, token);
  outcome.tell?.(from);
  return outcome;
}

async function activeKid(tenant = acme): Promise<string> {
  return there((await rig.ctx.store.listKeys(tenant.id)).find(({ status }) => status === 'active')).kid;
}

describe('what a token is', () => {
  test('INT-01 a JWT, an opaque token, a refresh token', async () => {
    await rig.client(acme, 'opaque', { scopes: ['a'], tokenFormat: 'opaque' });
    await rig.client(acme, 'app', { grants: ['refresh_token'], scopes: ['a'] });
    wanted(await createUser(rig.ctx, acme, 'usr_1', { username: 'jane', email: '' }));
    expect(await read((await issueFor('svc')).access)).toMatchObject({ known: true, facts: { kind: 'access', clientId: 'svc', subject: 'svc', userId: null }, source: { kind: 'jwt' } });
    expect(await read((await issueFor('opaque')).access)).toMatchObject({ known: true, facts: { kind: 'access', clientId: 'opaque' }, source: { kind: 'opaque', revoked: false } });
    const user = await issueFor('app', 'jane');
    expect(await read(there(user.refresh))).toMatchObject({ known: true, facts: { kind: 'refresh', clientId: 'app', userId: 'usr_1' }, source: { kind: 'refresh', rotated: false } });
    expect(await read(user.access)).toMatchObject({ known: true, facts: { kind: 'access', userId: 'usr_1' } });
  });

  const rows: readonly (readonly [name: string, token: string, reason: string])[] = [
    ['INT-73 a random string', 'garbage', 'not_a_token'],
    ['INT-73 an opaque token that never was', `at_${'A'.repeat(43)}`, 'unknown'],
    ['INT-73 a refresh token that never was', `rt_${'A'.repeat(43)}`, 'unknown'],
    ['INT-74 two parts', 'a.b', 'not_a_token'],
    ['INT-25 NUL', 'a.b.c\0', 'not_a_token'],
    ['INT-25 a line feed', `at_${'A'.repeat(43)}\n`, 'not_a_token'],
    ['INT-25 a letter that is not ASCII', 'é.b.c', 'not_a_token'],
    ['INT-25 a space', 'a b.c.d', 'not_a_token'],
    ['INT-81 a client secret', 'cs_abc', 'not_a_token'],
    ['TX-01 a piece of SQL', '\'--', 'not_a_token'],
  ];
  test.each(rows)('%s', async (_name, token, reason) => {
    expect(await read(token)).toEqual({ known: false, reason } as TokenReading);
  });

  test('INT-23 over 16 KiB no work is spent', async () => {
    const untouchable = new Proxy({}, { get: () => () => { throw new Error('touched'); } }) as Store;
    const reader = makeTokenReader(untouchable, { of: () => { throw new Error('touched'); } });
    for (const token of ['a.b.'.padEnd(16_385, 'c'), `at_${'A'.repeat(16_384)}`]) expect(await reader.read(acme, 'x', token)).toEqual({ known: false, reason: 'not_a_token' });
    expect(reader.read(acme, 'x', 'a.b.'.padEnd(16_384, 'c'))).rejects.toThrow('touched');
  });
});

describe('what was proven is remembered, exactly', () => {
  test('INT-72, INT-97 what a signature proved is proved once', async () => {
    let rings = 0;
    const counting = makeTokenReader(rig.ctx.store, { of: (id) => { rings += 1; return rig.ctx.rings.of(id); } });
    const { access } = await issueFor('svc');
    const issuer = issuerOf(acme, rig.ctx.origin());
    const one = await counting.read(acme, issuer, access);
    const two = await counting.read(acme, issuer, access);
    expect(rings).toBe(2);
    expect(one.known && two.known && one.facts === two.facts).toBe(true);
  });

  test('INT-94, JK-05 a revoked key: a remembered JWT is no longer proven', async () => {
    const { access } = await issueFor('svc');
    expect(reasonOf(await read(access))).toBe('known');
    wanted(await revokeKey(rig.ctx, acme, await activeKid()));
    expect(reasonOf(await read(access))).toBe('key_revoked');
    expect(reasonOf(await read((await issueFor('svc')).access))).toBe('known');
  });

  test('INT-93, JK-03, JK-04 two rotations in a row keep what was signed before', async () => {
    const tokens = [(await issueFor('svc')).access];
    for (let round = 0; round < 2; round += 1) {
      wanted(await rotateKeys(rig.ctx, acme));
      tokens.push((await issueFor('svc')).access);
    }
    const readings: string[] = [];
    for (const token of tokens) readings.push(reasonOf(await read(token)));
    expect(readings).toEqual(['known', 'known', 'known']);
    expect(new Set(tokens.map((token) => token.split('.')[0])).size).toBe(3);
  });

  test('INT-83, MTN-04 what one tenant proved says nothing at another', async () => {
    const other = await rig.tenant('other');
    const { access } = await issueFor('svc');
    expect(reasonOf(await read(access))).toBe('known');
    expect(reasonOf(await read(access, other))).toBe('bad_signature');
    expect(reasonOf(await read(access))).toBe('known');
  });

  test('INT-82 the issuer is part of what was proven', async () => {
    const { access } = await issueFor('svc');
    expect(reasonOf(await read(access))).toBe('known');
    expect(reasonOf(await rig.ctx.tokens.read(acme, 'https://elsewhere.example', access))).toBe('wrong_issuer');
    expect(reasonOf(await read(access))).toBe('known');
  });

  test('INT-84, MTN-05 an opaque token elsewhere is known as another tenant\'s, and inactive', async () => {
    const other = await rig.tenant('other');
    const { client } = await rig.client(other, 'svc', { introspect: 'tenant' });
    await rig.client(acme, 'opaque', { tokenFormat: 'opaque' });
    const { access } = await issueFor('opaque');
    expect(await askAndTell(other, client, access)).toMatchObject({ active: false, reason: 'other_tenant' });
    expect(await rig.events('token_introspection_denied')).toMatchObject([{ tenant: 'other', actor: 'svc', outcome: 'denied', count: 1 }]);
  });
});

describe('introspection', () => {
  test('INT-60, LG-06 a denial is recorded with the caller, the token\'s client and a fingerprint', async () => {
    const { client } = await rig.client(acme, 'nosy');
    const { access } = await issueFor('svc');
    for (let count = 0; count < 3; count += 1) expect(await askAndTell(acme, client, access)).toMatchObject({ active: false, reason: 'policy' });
    const events = await rig.events('token_introspection_denied');
    expect(events).toMatchObject([{
      tenant: 'acme', actor: 'nosy', clientId: 'svc', fingerprint: rig.ctx.fingerprint(access), ip: '192.0.2.1', requestId: 'req', outcome: 'denied', count: 3,
    }]);
    expect(JSON.stringify(events)).not.toContain(access);
  });

  test('INT-30 asking changes nothing', async () => {
    const { client } = await rig.client(acme, 'owner');
    const { access } = await issueFor('svc');
    const before = rig.ctx.store.epoch();
    for (const token of [access, `at_${randomBytes(32).toString('base64url')}`, 'garbage']) await askAndTell(acme, client, token);
    expect(rig.ctx.store.epoch()).toBe(before);
  });

  test('INT-70 at exp exactly a remembered JWT is inactive', async () => {
    const caller = there(await rig.ctx.store.findClient(acme.id, 'svc'));
    const { access } = await issueFor('svc');
    const first = await askAndTell(acme, caller, access);
    expect(first.active).toBe(true);
    const expiresAt = first.active ? there(first.facts.expiresAt) : 0;
    rig.clock.advance(expiresAt * 1000 - rig.clock.now() - 1);
    expect((await askAndTell(acme, caller, access)).active).toBe(true);
    rig.clock.advance(1);
    expect(await askAndTell(acme, caller, access)).toMatchObject({ active: false, reason: 'expired' });
  });
});
