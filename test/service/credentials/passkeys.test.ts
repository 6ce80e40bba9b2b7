import { afterEach, beforeEach, describe, expect, spyOn, test } from 'bun:test';
import { parseOrigin } from '../../../src/core/issuer.ts';
import type { Tenant, User } from '../../../src/core/model.ts';
import {
  addPasskey, checkPasskey, passkeyCreationOptions, passkeyPlace, passkeySignInOptions, removePasskey, type PasskeyPlace,
} from '../../../src/service/credentials/passkeys.ts';
import { setUserEnabled } from '../../../src/service/manage-users.ts';
import { Authenticator, type Lies } from '../../helpers/authenticator.ts';
import { openRig, there, wanted, type Rig } from '../rig.ts';
import { at, BOUND, somebody, takeMails } from './people.ts';

const ORIGIN = 'https://id.example.com';

let rig: Rig;
let tenant: Tenant;
let alice: User;
let place: PasskeyPlace;
let device: Authenticator;

beforeEach(async () => {
  rig = openRig();
  tenant = await rig.tenant();
  alice = await somebody(rig, tenant, 'alice', { password: null });
  place = placeOf(tenant);
  device = new Authenticator(ORIGIN);
});
afterEach(() => rig.close());

function placeOf(whose: Tenant): PasskeyPlace {
  const found = passkeyPlace(whose, rig.ctx.origin(), 'id.example.com');
  if (!found.ok) throw new Error(found.notice);
  return found;
}

const options = (whose = tenant, boundTo = BOUND): Promise<string> => passkeySignInOptions(rig.ctx, whose, placeOf(whose), boundTo);

async function add(user = alice, authenticator = device, whose = tenant, lies: Lies = {}): Promise<boolean> {
  const wish = await passkeyCreationOptions(rig.ctx, whose, placeOf(whose), BOUND, user);
  return (await addPasskey(rig.ctx, at(whose), placeOf(whose), BOUND, user, authenticator.create(wish, lies), 'Laptop')).ok;
}

async function signIn(lies: Lies = {}, boundTo = BOUND, authenticator = device): ReturnType<typeof checkPasskey> {
  return checkPasskey(rig.ctx, at(tenant), place, boundTo, authenticator.get(await options(tenant, boundTo), lies));
}

const refused = { ok: false, problem: 'passkey_failed', retryAfterS: null } as const;

describe('where passkeys are good', () => {
  const rows = [
    ['https://id.example.com', 'id.example.com', { ok: true, rpId: 'id.example.com', origin: 'https://id.example.com' }],
    ['https://id.example.com:8443', 'ID.example.com:8443', { ok: true, rpId: 'id.example.com', origin: 'https://id.example.com:8443' }],
    ['https://id.example.com', 'id.example.com:443', { ok: true, rpId: 'id.example.com', origin: 'https://id.example.com' }],
    ['http://localhost:8080', 'localhost:8080', { ok: true, rpId: 'localhost', origin: 'http://localhost:8080' }],
    ['https://id.example.com', null, { ok: true, rpId: 'id.example.com', origin: 'https://id.example.com' }],
    ['https://id.example.com', 'evil.example.com', { ok: false, notice: 'other_host' }],
    ['http://localhost:8080', '127.0.0.1:8080', { ok: false, notice: 'other_host' }],
    ['http://127.0.0.1:8080', '127.0.0.1:8080', { ok: false, notice: 'ip_address' }],
    ['http://127.0.0.1:8080', 'localhost:8080', { ok: false, notice: 'ip_address' }],
    ['https://[2001:db8::1]', '[2001:db8::1]', { ok: false, notice: 'ip_address' }],
  ] as const;
  for (const [origin, host, expected] of rows) {
    test(`UI-24 · ${origin} asked as ${String(host)}`, () => expect(passkeyPlace(tenant, there(parseOrigin(origin)), host)).toEqual(expected));
  }

  test('UI-24 · a tenant with a hostname of its own has its own', () => {
    const own = { ...tenant, layout: 'root', host: 'login.acme.example' } as const;
    expect(passkeyPlace(own, rig.ctx.origin(), 'login.acme.example')).toMatchObject({ rpId: 'login.acme.example', origin: 'https://login.acme.example' });
    expect(passkeyPlace(own, rig.ctx.origin(), 'id.example.com')).toEqual({ ok: false, notice: 'other_host' });
  });
});

describe('signing in', () => {
  test('UI-22, UI-24 · 256 bits of challenge, five minutes, nobody named, the person verified', async () => {
    await add();
    const sent = JSON.parse(await options()) as Record<string, unknown>;
    expect(sent).toMatchObject({ rpId: 'id.example.com', timeout: 300_000, userVerification: 'required' });
    expect(sent['allowCredentials']).toBeUndefined();
    expect(Buffer.from(String(sent['challenge']), 'base64url').length).toBe(32);
  });

  test('RL-09 · reloading makes no rows while the challenge is fresh; then a new one', async () => {
    const first = await options();
    expect(await options()).toBe(first);
    expect(await options(tenant, 'another')).not.toBe(first);
    rig.clock.advance(150_000);
    expect(await options()).not.toBe(first);
  });

  test('RL-09 · an answer of an unknown passkey, or nonsense, costs no new challenge', async () => {
    await add();
    const first = await options();
    const junk = JSON.stringify({ id: 'AAAA', rawId: 'AAAA', type: 'public-key', response: { clientDataJSON: 'AAAA', authenticatorData: 'AAAA', signature: 'AAAA' } });
    for (const text of ['nonsense', junk, device.get(first, { id: 'AAAA' })]) expect(await checkPasskey(rig.ctx, at(tenant), place, BOUND, text)).toEqual(refused);
    expect(await options()).toBe(first);
    expect(await checkPasskey(rig.ctx, at(tenant), place, BOUND, device.get(first))).toMatchObject({ ok: true });
  });

  test('RL-09 · twenty challenges an hour of one request, sixty a minute of one network; beyond, none that is answered to', async () => {
    await add();
    const spy = spyOn(rig.ctx.store, 'createProof');
    for (let count = 0; count < 25; count += 1) expect(await signIn({ forged: true })).toEqual(refused);
    // One was for adding it.
    expect(spy.mock.calls.length).toBe(19);
    expect(await signIn()).toEqual(refused);
    expect(await signIn({}, 'another')).toMatchObject({ ok: true });
    spy.mockClear();
    const from = { ip: '192.0.2.9', requestId: null };
    for (let count = 0; count < 70; count += 1) await passkeySignInOptions(rig.ctx, tenant, place, `request ${count}`, from);
    expect(spy.mock.calls.length).toBe(60);
    spy.mockRestore();
    rig.clock.advance(3_600_000);
    expect(await signIn()).toMatchObject({ ok: true });
  });

  test('UI-23, UI-26 · a passkey of this device is hwk, a synced one swk; both with the person verified', async () => {
    await add();
    expect(await signIn()).toEqual({ ok: true, user: alice, amr: ['hwk', 'user'], passwordChangedAtMs: null });
    expect(await signIn()).toMatchObject({ ok: true });
    const synced = new Authenticator(ORIGIN, { synced: true, counts: false });
    await add(alice, synced);
    expect(await signIn({}, BOUND, synced)).toEqual({ ok: true, user: alice, amr: ['swk', 'user'], passwordChangedAtMs: null });
    expect(await signIn({}, BOUND, synced)).toMatchObject({ ok: true });
    expect((await rig.ctx.store.listPasskeys(tenant.id, alice.id)).every((passkey) => passkey.lastUsedAtMs === rig.clock.now())).toBe(true);
  });

  const lies: readonly (readonly [string, Lies])[] = [
    ['another origin', { origin: 'https://id.example.com.evil.example' }], ['http instead of https', { origin: 'http://id.example.com' }],
    ['another port', { origin: 'https://id.example.com:8443' }], ['another rpId', { rpId: 'example.com' }], ['another challenge', { challenge: 'AAAAAAAAAAAAAAAAAAAAAA' }],
    ['a creation\'s type', { type: 'webauthn.create' }], ['the person not verified', { verified: false }], ['nobody present', { present: false, verified: false }],
    ['a signature of something else', { forged: true }], ['no user handle', { userHandle: null }], ['another user handle', { userHandle: 'dXNyX2JvYg' }], ['an unknown id', { id: 'AAAA' }],
  ];
  for (const [name, lie] of lies) {
    test(`UI-22, UI-23 · ${name} is refused, and the honest answer still works`, async () => {
      await add();
      expect(await signIn(lie)).toEqual(refused);
      expect(await signIn()).toMatchObject({ ok: true });
      expect(await rig.events('sign_in_failed')).toMatchObject([{ reason: expect.stringMatching(/^passkey_/) }]);
    });
  }

  test('UI-22 · a challenge is good once, in its browser, for five minutes', async () => {
    await add();
    const answer = device.get(await options());
    expect(await checkPasskey(rig.ctx, at(tenant), place, 'another browser', answer)).toEqual(refused);
    expect(await checkPasskey(rig.ctx, at(tenant), place, BOUND, answer)).toMatchObject({ ok: true });
    expect(await checkPasskey(rig.ctx, at(tenant), place, BOUND, answer)).toEqual(refused);
    const late = device.get(await options());
    rig.clock.advance(300_000);
    expect(await checkPasskey(rig.ctx, at(tenant), place, BOUND, late)).toEqual(refused);
  });

  test('UI-22 · of two answers at once one passes', async () => {
    await add();
    const answer = device.get(await options());
    const answers = await Promise.all([1, 2].map(() => checkPasskey(rig.ctx, at(tenant), place, BOUND, answer)));
    expect(answers.filter((each) => each.ok).length).toBe(1);
  });

  test('UI-23 · a counter that goes back, or stands still, is refused and noted; a wrong signature raises no alarm', async () => {
    await add();
    expect(await signIn({ counter: 7 })).toMatchObject({ ok: true });
    expect(await signIn({ counter: 6, forged: true })).toEqual(refused);
    expect(await rig.events('passkey_counter_went_back')).toEqual([]);
    for (const counter of [7, 6, 0]) expect(await signIn({ counter })).toEqual(refused);
    expect(await rig.events('passkey_counter_went_back')).toMatchObject([{ subject: alice.id, outcome: 'denied', count: 3 }]);
    expect(await signIn({ counter: 8 })).toMatchObject({ ok: true });
  });

  test('UI-23 · another user\'s and another tenant\'s passkeys are of no use', async () => {
    await add();
    const other = await rig.tenant('other');
    const bob = await somebody(rig, other, 'bob', { password: null });
    const foreign = new Authenticator(ORIGIN);
    expect(await add(bob, foreign, other)).toBe(true);
    expect(await signIn({}, BOUND, foreign)).toEqual(refused);
    const carol = await somebody(rig, tenant, 'carol', { password: null });
    const carols = new Authenticator(ORIGIN);
    await add(carol, carols);
    // Carol's key, said to be Alice's.
    expect(await signIn({ id: there(device.credentials[0]).id, userHandle: there(device.credentials[0]).userHandle }, BOUND, carols)).toEqual(refused);
    expect(await signIn({ userHandle: there(device.credentials[0]).userHandle }, BOUND, carols)).toEqual(refused);
    expect(await signIn({}, BOUND, carols)).toMatchObject({ user: { id: carol.id } });
  });

  test('equal ids in two tenants of one host do not overwrite each other on the device', async () => {
    const other = await rig.tenant('other');
    const here = await somebody(rig, tenant, 'same', { id: 'same', password: null });
    const namesake = await somebody(rig, other, 'same', { id: 'same', password: null });
    await add(here);
    await add(namesake, device, other);
    expect(new Set(device.credentials.map((credential) => credential.userHandle)).size).toBe(2);
  });

  test('a disabled user, and a tenant without passkeys, let nobody in', async () => {
    await add();
    const without = { ...tenant, people: { ...tenant.people, passkeys: false } };
    expect(await checkPasskey(rig.ctx, at(without), place, BOUND, device.get(await options()))).toEqual(refused);
    wanted(await setUserEnabled(rig.ctx, tenant, alice.id, false));
    expect(await signIn()).toEqual(refused);
  });

  test('TX-05 · nonsense is refused, whatever its size', async () => {
    await add();
    for (const text of ['', 'null', '[]', '{}', '{"id":1}', '{"__proto__":{}}', `"${'x'.repeat(20_000)}"`, '{'.repeat(9000), JSON.stringify({ id: 'AA', rawId: 'AA', type: 'public-key', response: { clientDataJSON: 'AA', authenticatorData: 'AA', signature: 'AA' } })]) {
      await options();
      expect(await checkPasskey(rig.ctx, at(tenant), place, BOUND, text)).toEqual(refused);
      expect(await addPasskey(rig.ctx, at(tenant), place, BOUND, alice, text, 'x')).toEqual(refused);
    }
  });
});

describe('adding and removing', () => {
  test('UI-25 · discoverable, verified, without attestation; known ones are excluded; the person hears of it', async () => {
    expect(await add()).toBe(true);
    const sent = JSON.parse(await passkeyCreationOptions(rig.ctx, tenant, place, BOUND, alice)) as Record<string, unknown>;
    expect(sent).toMatchObject({
      attestation: 'none', authenticatorSelection: { residentKey: 'required', userVerification: 'required' }, rp: { id: 'id.example.com', name: 'acme' },
      user: { name: 'alice', id: there(device.credentials[0]).userHandle }, excludeCredentials: [{ id: there(device.credentials[0]).id, transports: ['internal'] }],
    });
    expect((sent['pubKeyCredParams'] as { alg: number }[]).map(({ alg }) => alg)).toEqual([-8, -7, -257]);
    expect(await rig.ctx.store.listPasskeys(tenant.id, alice.id)).toMatchObject([{ name: 'Laptop', synced: false, transports: ['internal'] }]);
    expect((await takeMails(rig)).map((mail) => mail.content)).toMatchObject([{ notice: 'passkey_added' }]);
    expect(await rig.events('passkey_added')).toMatchObject([{ actor: alice.id }]);
  });

  const lies: readonly (readonly [string, Lies])[] = [
    ['another origin', { origin: 'https://evil.example' }], ['another rpId', { rpId: 'evil.example' }], ['another challenge', { challenge: 'AAAA' }],
    ['an assertion\'s type', { type: 'webauthn.get' }], ['the person not verified', { verified: false }],
  ];
  for (const [name, lie] of lies) {
    test(`UI-22 · ${name} is refused`, async () => {
      expect(await add(alice, device, tenant, lie)).toBe(false);
      expect(await rig.ctx.store.listPasskeys(tenant.id, alice.id)).toEqual([]);
    });
  }

  test('UI-22 · an answer is good once, and for the user and session that asked', async () => {
    const bob = await somebody(rig, tenant, 'bob', { password: null });
    const answer = device.create(await passkeyCreationOptions(rig.ctx, tenant, place, BOUND, alice));
    expect(await addPasskey(rig.ctx, at(tenant), place, BOUND, bob, answer, '')).toEqual(refused);
    expect(await addPasskey(rig.ctx, at(tenant), place, 'another', alice, answer, '')).toEqual(refused);
    expect(await addPasskey(rig.ctx, at(tenant), place, BOUND, alice, answer, 'bad\u202Ename')).toMatchObject({ problem: 'name_invalid' });
    expect(await addPasskey(rig.ctx, at(tenant), place, BOUND, alice, answer, '')).toEqual({ ok: true });
    expect(await addPasskey(rig.ctx, at(tenant), place, BOUND, alice, answer, '')).toEqual(refused);
    expect(await rig.ctx.store.listPasskeys(tenant.id, alice.id)).toMatchObject([{ name: 'Firefox on Linux' }]);
    expect(await checkPasskey(rig.ctx, at(tenant), place, BOUND, answer)).toEqual(refused);
  });

  test('removing · the last way in stays, somebody else\'s too', async () => {
    await add();
    const { id } = there(device.credentials[0]);
    const only = { ...alice, emailVerified: false };
    expect(await removePasskey(rig.ctx, at(tenant), only, id)).toEqual({ ok: false, problem: 'last_way', retryAfterS: null });
    const bob = await somebody(rig, tenant, 'bob');
    expect(await removePasskey(rig.ctx, at(tenant), bob, id)).toEqual({ ok: true });
    expect((await rig.ctx.store.listPasskeys(tenant.id, alice.id)).length).toBe(1);
    await takeMails(rig);
    expect(await removePasskey(rig.ctx, at(tenant), alice, id)).toEqual({ ok: true });
    expect(await signIn()).toEqual(refused);
    expect((await takeMails(rig)).map((mail) => mail.content)).toMatchObject([{ notice: 'passkey_removed' }]);
  });
});
