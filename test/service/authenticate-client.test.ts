import { afterEach, beforeEach, describe, expect, spyOn, test } from 'bun:test';
import { makeClientAuthenticator, type Authentication } from '../../src/service/authenticate-client.ts';
import { rotateSecret, setClientEnabled } from '../../src/service/manage-clients.ts';
import type { CredentialReading } from '../../src/core/client-auth.ts';
import type { Tenant } from '../../src/core/model.ts';
import type { AuthMethod } from '../../src/spec/names.ts';
import { openRig, type Rig } from './rig.ts';

const here = { ip: '192.0.2.1', requestId: 'req' };
const refused: Authentication = { ok: false, error: 'invalid_client' };
const SHORT = 'chosen-by-a-person';

let rig: Rig;
let acme: Tenant;
beforeEach(async () => {
  rig = openRig();
  acme = await rig.tenant();
});
afterEach(() => rig.close());

function present(clientId: string, secret: string | null, method: AuthMethod = secret === null ? 'none' : 'client_secret_basic'): CredentialReading {
  return { ok: true, presented: { method, clientId, secret } };
}

type Options = { method?: AuthMethod; tenant?: Tenant; ip?: string | null; allowPublic?: boolean };
function authenticate(clientId: string, secret: string | null, { method, tenant = acme, ip = here.ip, allowPublic = false }: Options = {}): Promise<Authentication> {
  return rig.ctx.authenticator.authenticate(tenant, present(clientId, secret, method), allowPublic, { ip, requestId: 'req' });
}
const idOf = (outcome: Authentication): string => (outcome.ok ? outcome.client.id : outcome.error);

describe('RFC 6749 §2.3 · proving a client', () => {
  test('CA-01, CA-08 the right secret, by either method', async () => {
    const { secret } = await rig.client(acme, 'svc');
    expect(idOf(await authenticate('svc', secret))).toBe('svc');
    expect(idOf(await authenticate('svc', secret, { method: 'client_secret_post' }))).toBe('svc');
    expect(await rig.events('client_authentication_failed')).toEqual([]);
  });

  test('INT-48 unknown, wrong, disabled, deleted and expired are one answer', async () => {
    const { secret } = await rig.client(acme, 'svc');
    const disabled = await rig.client(acme, 'off');
    await setClientEnabled(rig.ctx, acme, 'off', false);
    const expired = await rig.client(acme, 'old', {}, { secretTtl: 60 });
    rig.clock.advance(60_000);
    for (const [id, text] of [['nobody', secret], ['svc', 'wrong'], ['svc', ''], ['off', disabled.secret], ['old', expired.secret], ['x'.repeat(600), 'x']] as const) {
      expect([id, await authenticate(id, text)]).toEqual([id, refused]);
    }
    const events = await rig.events('client_authentication_failed');
    expect(events.map(({ actor, reason, count, outcome }) => [actor, reason, count, outcome])).toEqual([
      [null, 'unknown_client', 2, 'failure'], ['svc', 'wrong_secret', 2, 'failure'], ['off', 'disabled_client', 1, 'failure'], ['old', 'wrong_secret', 1, 'failure'],
    ]);
    expect(JSON.stringify(events)).not.toContain('x'.repeat(600));
  });

  test.each(['no client has this secret', '', 'undefined', 'null'])('CA-13, INT-48 %p opens nothing where there is no secret to compare with', async (text) => {
    await rig.client(acme, 'off');
    await setClientEnabled(rig.ctx, acme, 'off', false);
    await rig.client(acme, 'spa', { grants: ['refresh_token'] }, { public: true });
    await rig.client(acme, 'old', {}, { secretTtl: 60 });
    await rig.client(acme, 'chosen', {}, { secret: SHORT });
    rig.clock.advance(60_000);
    for (const id of ['off', 'spa', 'old', 'chosen', 'nobody']) expect([id, await authenticate(id, text)]).toEqual([id, refused]);
  });

  test('INT-40 no credentials', async () => {
    expect(await rig.ctx.authenticator.authenticate(acme, { ok: true, presented: null }, true, here)).toEqual(refused);
  });

  test('CA-04, CA-10 a request that contradicts itself is the request\'s fault, and no failed login', async () => {
    expect(await rig.ctx.authenticator.authenticate(acme, { ok: false, fault: 'malformed' }, true, here)).toEqual({ ok: false, error: 'invalid_request' });
    expect(await rig.ctx.authenticator.authenticate(acme, { ok: false, fault: 'unsupported' }, true, here)).toEqual(refused);
    expect((await rig.events('client_authentication_failed')).map(({ reason }) => reason)).toEqual(['unsupported_method']);
  });

  test('CA-11 one method where the client is narrowed to it', async () => {
    const { secret } = await rig.client(acme, 'svc', { authMethod: 'client_secret_post' });
    expect(await authenticate('svc', secret)).toEqual(refused);
    expect(idOf(await authenticate('svc', secret, { method: 'client_secret_post' }))).toBe('svc');
    expect((await rig.events('client_authentication_failed')).map(({ reason }) => reason)).toEqual(['wrong_method']);
  });

  test('CA-12 a client with a secret sends its id alone', async () => {
    await rig.client(acme, 'svc');
    expect(await authenticate('svc', null, { allowPublic: true })).toEqual(refused);
  });

  test('REV-08, INT-43 a public client: where it may, by its id', async () => {
    await rig.client(acme, 'spa', { grants: ['refresh_token'] }, { public: true });
    expect(idOf(await authenticate('spa', null, { allowPublic: true }))).toBe('spa');
    expect(await authenticate('spa', null, { allowPublic: false })).toEqual(refused);
  });

  test('CA-13 a public client with a secret', async () => {
    await rig.client(acme, 'spa', { grants: ['refresh_token'] }, { public: true });
    expect(await authenticate('spa', 'x', { allowPublic: true, method: 'client_secret_post' })).toEqual(refused);
  });

  test('CA-15, CA-16 two secrets overlap, then the old one ends', async () => {
    const { secret } = await rig.client(acme, 'svc');
    const rotated = await rotateSecret(rig.ctx, acme, 'svc', { supplied: null, ttl: null }, 60);
    const fresh = rotated.ok ? (rotated.value.secret?.text ?? '') : '';
    expect([idOf(await authenticate('svc', secret)), idOf(await authenticate('svc', fresh))]).toEqual(['svc', 'svc']);
    rig.clock.advance(60_000);
    expect([idOf(await authenticate('svc', secret)), idOf(await authenticate('svc', fresh))]).toEqual(['invalid_client', 'svc']);
  });

  test('INT-50, MTN-04 another tenant\'s client of the same id', async () => {
    const other = await rig.tenant('other');
    const mine = await rig.client(acme, 'svc');
    const theirs = await rig.client(other, 'svc');
    expect(await authenticate('svc', mine.secret, { tenant: other })).toEqual(refused);
    expect(idOf(await authenticate('svc', theirs.secret, { tenant: other }))).toBe('svc');
    expect(await authenticate('only-here', mine.secret, { tenant: other })).toEqual(refused);
  });
});

describe('CA-17 · secrets', () => {
  test('CA-17, CR-04 a generated secret: 256 random bits, kept as a digest', async () => {
    const { client, secret } = await rig.client(acme, 'svc');
    expect(secret).toMatch(/^cs_[A-Za-z0-9_-]{43}$/);
    expect(client.secrets.map(({ kind }) => kind)).toEqual(['sha256']);
    expect(JSON.stringify(client)).not.toContain(secret);
  });

  test('INT-51, RL-01 a chosen secret can be guessed: a blocked address waits even with the right one, proven before or not', async () => {
    await rig.client(acme, 'chosen', {}, { secret: SHORT });
    expect(idOf(await authenticate('chosen', SHORT))).toBe('chosen');
    const guesses = await Promise.all(Array.from({ length: 30 }, (_, guess) => authenticate('chosen', `a guess, number ${guess}`)));
    expect(guesses.filter((guess) => !guess.ok && guess.error === 'invalid_client').length).toBeLessThanOrEqual(10);
    expect(idOf(await authenticate('chosen', SHORT))).toBe('too_many_requests');
    expect(idOf(await authenticate('chosen', SHORT, { ip: '198.51.100.7' }))).toBe('chosen');
    rig.clock.advance(60_000);
    expect(idOf(await authenticate('chosen', SHORT))).toBe('chosen');
  });

  test('CA-17 a short supplied one: argon2id, verified once per process', async () => {
    const { client } = await rig.client(acme, 'svc', {}, { secret: SHORT });
    expect(client.secrets[0]).toMatchObject({ kind: 'argon2id' });
    const verify = spyOn(Bun.password, 'verify');
    try {
      for (let count = 0; count < 5; count += 1) expect(idOf(await authenticate('svc', SHORT))).toBe('svc');
      expect(verify).toHaveBeenCalledTimes(1);
      expect(await authenticate('svc', `${SHORT}x`)).toEqual(refused);
      expect(verify).toHaveBeenCalledTimes(2);
    } finally {
      verify.mockRestore();
    }
  });

  test('CA-17 a new secret under the same client is verified anew', async () => {
    await rig.client(acme, 'svc', {}, { secret: SHORT });
    expect(idOf(await authenticate('svc', SHORT))).toBe('svc');
    await rotateSecret(rig.ctx, acme, 'svc', { supplied: 'another-short-one', ttl: null }, 0);
    rig.clock.advance(1);
    expect(await authenticate('svc', SHORT)).toEqual(refused);
    expect(idOf(await authenticate('svc', 'another-short-one'))).toBe('svc');
  });

  test('RL-05 when hashing is full the caller is asked to come again', async () => {
    await rig.client(acme, 'svc', {}, { secret: SHORT });
    const { store, clock } = rig.ctx;
    const full = makeClientAuthenticator({ store, clock, audit: rig.audit, metrics: rig.ctx.metrics, rateLimits: true, passwords: { hash: () => Promise.resolve(''), verify: () => Promise.resolve(null) } });
    expect(await full.authenticate(acme, present('svc', SHORT), false, here)).toEqual({ ok: false, error: 'temporarily_unavailable' });
  });
});

describe('RL-01…RL-04 · guessing', () => {
  async function guess(times: number, id: string, ip: string | ((index: number) => string)): Promise<Authentication['ok'] | string> {
    let last: Authentication = refused;
    for (let index = 0; index < times; index += 1) last = await authenticate(id, `wrong ${index}`, { ip: typeof ip === 'string' ? ip : ip(index) });
    return last.ok || last.error;
  }

  test('INT-51, RL-02 over ten wrong secrets a minute for one client and address', async () => {
    const { secret } = await rig.client(acme, 'svc');
    expect(await guess(10, 'svc', '192.0.2.1')).toBe('invalid_client');
    expect(await authenticate('svc', 'wrong')).toEqual({ ok: false, error: 'too_many_requests', retryAfterMs: 60_000 });
    expect(idOf(await authenticate('svc', secret))).toBe('svc');
    rig.clock.advance(60_000);
    expect(await authenticate('svc', 'wrong')).toEqual(refused);
  });

  test('INT-48 an unknown client is throttled alike', async () => {
    expect(await guess(10, 'nobody', '192.0.2.1')).toBe('invalid_client');
    expect(await guess(1, 'nobody', '192.0.2.1')).toBe('too_many_requests');
  });

  test('RL-03 from another address all goes on', async () => {
    await rig.client(acme, 'svc', {}, { secret: SHORT });
    await guess(11, 'svc', '192.0.2.1');
    expect(idOf(await authenticate('svc', SHORT, { ip: '192.0.2.1' }))).toBe('too_many_requests');
    expect(idOf(await authenticate('svc', SHORT, { ip: '192.0.2.2' }))).toBe('svc');
  });

  test('RL-02 a hundred wrong secrets from one address, whichever the clients', async () => {
    for (let index = 0; index < 100; index += 1) await authenticate(`client ${index}`, 'wrong');
    expect(await guess(1, 'yet another', '192.0.2.1')).toBe('too_many_requests');
    expect(await guess(1, 'yet another', '192.0.2.2')).toBe('invalid_client');
  });

  test.each([
    ['written in full', (index: number) => `2001:db8:1:2:aaaa:bbbb:cccc:${index}`],
    ['with zeros left out at the end', (index: number) => `2001:db8::${index + 1}`],
    ['with zeros left out in the middle', (index: number) => `2001:db8::${index + 1}:0:0:1`],
    ['of loopback', (index: number) => `::${index + 1}`],
  ])('RL-02 addresses of one IPv6 network count as one, %s', async (_how, address) => {
    expect(await guess(11, 'svc', address)).toBe('too_many_requests');
  });

  test('RL-02 addresses of different IPv6 networks do not', async () => {
    expect(await guess(11, 'svc', (index) => `2001:db8:1:${index}::1`)).toBe('invalid_client');
    expect(await guess(11, 'other', (index) => `2001:db8:${index}::1`)).toBe('invalid_client');
  });

  test('INT-51 it can be switched off', async () => {
    const { store, clock, passwords } = rig.ctx;
    const lenient = makeClientAuthenticator({ store, clock, audit: rig.audit, metrics: rig.ctx.metrics, passwords, rateLimits: false });
    for (let count = 0; count < 30; count += 1) expect(await lenient.authenticate(acme, present('svc', 'wrong'), false, here)).toEqual(refused);
  });
});
