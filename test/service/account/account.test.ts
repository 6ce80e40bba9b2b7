import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { TOTP } from 'otpauth';
import type { Tenant, User } from '../../../src/core/model.ts';
import type { SignedIn } from '../../../src/core/next-step.ts';
import type { Consent } from '../../../src/core/people.ts';
import { listAccess, listSessions } from '../../../src/service/account/access.ts';
import { accountActs, actOnAccount } from '../../../src/service/account/acts.ts';
import { exportData } from '../../../src/service/account/data.ts';
import type { AccountOutcome } from '../../../src/service/account/outcome.ts';
import { currentEnrolment } from '../../../src/service/credentials/second-factor.ts';
import { issueToken } from '../../../src/service/issue-token.ts';
import { createResource } from '../../../src/service/manage-resources.ts';
import { setUserEnabled } from '../../../src/service/manage-users.ts';
import { makeCookieSecret, type Browser } from '../../../src/service/sign-in/browser.ts';
import { digestOf } from '../../../src/tokens/digest.ts';
import { at, PASSWORD, somebody, takeCode, takeMails } from '../credentials/people.ts';
import { openRig, there, wanted, type Rig } from '../rig.ts';

const NEW_PASSWORD = 'another horse, another battery';

let rig: Rig;
let tenant: Tenant;
let alice: User;
let here: Seat;

beforeEach(async () => {
  rig = openRig();
  tenant = await rig.tenant();
  alice = await somebody(rig, tenant, 'alice');
  here = await sit(alice);
});
afterEach(() => rig.close());

/** Somebody signed in in a browser. */
type Seat = { readonly signedIn: SignedIn; readonly browser: Browser };

async function sit(user: User, whose = tenant): Promise<Seat> {
  const secret = makeCookieSecret(rig.ctx);
  const nowMs = rig.clock.now();
  const session = {
    id: `ses_${secret}`, tenantId: whose.id, userId: user.id, createdAtMs: nowMs, endedAtMs: null, secretDigest: digestOf(secret), authTimeMs: nowMs,
    amr: ['pwd'], acr: '1fa', lastSeenAtMs: nowMs, expiresAtMs: nowMs + 86_400_000, userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', ip: '192.0.2.1',
  } as const;
  await rig.ctx.store.openBrowserSession({ session, replaces: null, progress: null }, { audit: [] });
  return { signedIn: { session, user }, browser: { secret: null, session: secret, userAgent: session.userAgent, locale: 'en', from: { ip: session.ip, requestId: 'req_1' } } };
}

/** Sends a form, as whoever they are by now. */
async function send(act: string, fields: Readonly<Record<string, string>> = {}, seat = here, whose = tenant): Promise<AccountOutcome> {
  const user = there(await rig.ctx.store.findUser(whose.id, seat.signedIn.user.id));
  return actOnAccount({ ctx: rig.ctx, tenant: whose, signedIn: { ...seat.signedIn, user }, browser: seat.browser, form: (name) => fields[name] ?? '', place: null }, there(accountActs.get(act)));
}

/** The seat after its session got a new secret. */
function moved(outcome: AccountOutcome, seat = here): Seat {
  const secret = 'cookies' in outcome ? there(outcome.cookies.session) : '';
  return { browser: { ...seat.browser, session: secret }, signedIn: { ...seat.signedIn, session: { ...seat.signedIn.session, secretDigest: digestOf(secret) } } };
}

/** What notices are about, sorted: those of one moment are in no order. */
const notices = async (): Promise<readonly string[]> => (await takeMails(rig)).map(({ content }) => (content.kind === 'notice' ? content.notice : content.kind)).toSorted();

/** What was done, and whether the session got a new secret. */
function toldBy(outcome: AccountOutcome): readonly [kind: string, done: string | null, renewed: boolean] {
  return [outcome.kind, 'done' in outcome ? outcome.done : null, 'cookies' in outcome && (outcome.cookies.session ?? '').length === 43];
}

describe('UI-25 · a recent proof', () => {
  test('counts for five minutes', async () => {
    rig.clock.advance(299_999);
    expect(await send('totp_begin')).toMatchObject({ kind: 'done' });
    rig.clock.advance(1);
    for (const [name, { recent }] of accountActs) if (recent) expect([name, await send(name)]).toEqual([name, { kind: 'prove' }]);
    expect(await send('profile', { name: 'Ada' })).toMatchObject({ done: 'profile_changed' });
  });
});

describe('UI-06, UI-25 · changes of how somebody signs in are told, audited, and the session goes on under another secret', () => {
  test('password, and taking it away', async () => {
    const changed = await send('password', { current: PASSWORD, password: NEW_PASSWORD, again: NEW_PASSWORD });
    expect(toldBy(changed)).toEqual(['done', 'password_changed', true]);
    expect(await rig.ctx.store.findBrowserSession(tenant.id, here.signedIn.session.secretDigest)).toBeNull();
    here = moved(changed);
    expect(await rig.ctx.store.findBrowserSession(tenant.id, here.signedIn.session.secretDigest)).toMatchObject({ id: here.signedIn.session.id, authTimeMs: here.signedIn.session.authTimeMs });
    expect(await notices()).toEqual(['password_changed']);
    expect(toldBy(await send('password_remove'))).toEqual(['done', 'password_removed', true]);
    expect(await rig.ctx.store.findPassword(tenant.id, alice.id)).toBeNull();
    expect(await rig.events('password_removed')).toMatchObject([{ actor: alice.id, subject: alice.id, ip: '192.0.2.1', requestId: 'req_1' }]);
    expect(await notices()).toEqual(['password_removed']);
    // Without one, none is asked for; a session that ended meanwhile gets no new secret.
    expect(await send('password', { password: PASSWORD, again: PASSWORD })).toEqual({ kind: 'done', done: 'password_changed', cookies: {} });
  });

  test('the last way in stays', async () => {
    await rig.ctx.store.updateUser(alice, { ...alice, emailVerified: false }, 'alice', []);
    expect(await send('password_remove')).toMatchObject({ kind: 'again', problem: 'last_way' });
    expect(await rig.ctx.store.findPassword(tenant.id, alice.id)).not.toBeNull();
  });

  test('UI-13 · the current password cannot be guessed here either', async () => {
    const outcomes = [];
    for (let attempt = 0; attempt < 8; attempt += 1) outcomes.push(await send('password', { current: 'wrong', password: NEW_PASSWORD, again: NEW_PASSWORD }));
    expect(outcomes[0]).toMatchObject({ problem: 'wrong_password' });
    expect(outcomes.at(-1)).toMatchObject({ problem: 'too_many_attempts', retryAfterS: expect.any(Number) });
    expect(await send('password', { current: PASSWORD, password: NEW_PASSWORD, again: NEW_PASSWORD })).toMatchObject({ problem: 'too_many_attempts' });
  });

  test('UI-27 · authenticator and recovery codes', async () => {
    expect(await send('totp_confirm', { code: '123456' })).toMatchObject({ kind: 'again', problem: 'wrong_code' });
    expect(await send('recovery_codes')).toEqual({ kind: 'refused' });
    await send('totp_begin');
    const { secret } = there(await currentEnrolment(rig.ctx, tenant, alice));
    const code = new TOTP({ secret }).generate({ timestamp: rig.clock.now() });
    const confirmed = await send('totp_confirm', { code });
    expect(toldBy(confirmed)).toEqual(['codes', 'totp_added', true]);
    expect(await notices()).toEqual(['recovery_codes_made', 'totp_added']);
    expect(await rig.ctx.store.countRecoveryCodes(tenant.id, alice.id)).toBe(10);
    here = moved(confirmed);
    // What counts already is not begun again.
    await send('totp_begin');
    expect(await currentEnrolment(rig.ctx, tenant, alice)).toBeNull();
    const again = await send('recovery_codes');
    expect(toldBy(again)).toEqual(['codes', 'codes_made', true]);
    here = moved(again);
    expect(toldBy(await send('totp_remove'))).toEqual(['done', 'totp_removed', true]);
    expect(await rig.ctx.store.countRecoveryCodes(tenant.id, alice.id)).toBe(0);
    expect(await send('totp_remove')).toEqual({ kind: 'done', done: null, cookies: {} });
  });

  test('what a tenant does not offer is not there', async () => {
    const without = { ...tenant, people: { ...tenant.people, passwords: false, passkeys: false } };
    expect(await send('password', { current: PASSWORD, password: NEW_PASSWORD, again: NEW_PASSWORD }, here, without)).toEqual({ kind: 'refused' });
    expect(await send('passkey_add', { credential: '{}' }, here, without)).toEqual({ kind: 'refused' });
    expect(await send('passkey_add', { credential: '{}' })).toEqual({ kind: 'refused' });
  });
});

describe('profile', () => {
  test('a name in one spelling; the same one is no change', async () => {
    expect(await send('profile', { name: ' Ade\u0301le ' })).toMatchObject({ done: 'profile_changed' });
    expect((await rig.ctx.store.findUser(tenant.id, alice.id))?.name).toBe('Ad\u00E9le');
    expect(await send('profile', { name: 'Ad\u00E9le' })).toMatchObject({ done: null });
    expect(await rig.events('profile_changed')).toMatchObject([{ actor: alice.id, reason: 'name' }]);
  });

  test('an address: the code of the newest mail counts, in this session only; one of this address as well', async () => {
    expect(await send('email_code', { code: '123456' })).toMatchObject({ problem: 'code_expired' });
    expect(await send('email', { email: 'new@example.com' })).toMatchObject({ done: 'email_sent' });
    const code = await takeCode(rig);
    const elsewhere = await sit(alice);
    expect(await send('email_code', { code }, elsewhere)).toMatchObject({ problem: 'code_expired' });
    expect(toldBy(await send('email_code', { code }))).toEqual(['done', 'email_changed', true]);
    expect(await rig.ctx.store.findUser(tenant.id, alice.id)).toMatchObject({ email: 'new@example.com', emailVerified: true });
    expect((await takeMails(rig)).map(({ to, content }) => [to, 'notice' in content && content.notice])).toEqual([['alice@example.com', 'email_changed']]);
    expect(await send('verify_email')).toEqual({ kind: 'done', done: null, cookies: {} });

    const bob = await somebody(rig, tenant, 'bob', { verified: false });
    const seat = await sit(bob);
    expect(await send('verify_email', {}, seat)).toMatchObject({ done: 'code_sent' });
    rig.clock.advance(1);
    await takeMails(rig);
    expect(await send('email', { email: 'bob2@example.com' }, seat)).toMatchObject({ done: 'email_sent' });
    expect(await send('email_code', { code: await takeCode(rig) }, seat)).toMatchObject({ done: 'email_changed' });
    expect((await rig.ctx.store.findUser(tenant.id, bob.id))?.email).toBe('bob2@example.com');
  });
});

describe('sessions', () => {
  test('UI-07 · those that let somebody in: not the ended, not the idle', async () => {
    const [ended, idle] = [await sit(alice), await sit(alice)];
    await rig.ctx.store.endSession({ tenantId: tenant.id, sessionId: ended.signedIn.session.id, atMs: rig.clock.now() }, () => []);
    rig.clock.advance(tenant.people.sessionIdleTtl * 1000);
    await rig.ctx.store.touchSession(tenant.id, here.signedIn.session.id, rig.clock.now());
    expect((await listSessions(rig.ctx, tenant, alice)).map(({ session, device }) => [session.id, device])).toEqual([[here.signedIn.session.id, 'Firefox on Linux']]);
    expect(await send('session_end', { id: idle.signedIn.session.id })).toMatchObject({ done: 'session_ended' });
    expect(await send('session_end', { id: idle.signedIn.session.id })).toMatchObject({ done: null });
    expect(await rig.events('session_ended')).toMatchObject([{ actor: alice.id, subject: alice.id, reason: 'signed_out' }]);
  });

  test('one\'s own by the list is signing out; another\'s, or another tenant\'s, is not there', async () => {
    const other = await rig.tenant('other');
    const [bob, twin] = [await sit(await somebody(rig, tenant, 'bob')), await sit(await somebody(rig, other, 'alice', { id: alice.id }), other)];
    for (const { signedIn } of [bob, twin]) expect(await send('session_end', { id: signedIn.session.id })).toMatchObject({ done: null });
    await send('sessions_end');
    expect(await rig.ctx.store.findSession(tenant.id, bob.signedIn.session.id)).toMatchObject({ endedAtMs: null });
    expect(await rig.ctx.store.findSession(other.id, twin.signedIn.session.id)).toMatchObject({ endedAtMs: null });
    expect(await send('session_end', { id: here.signedIn.session.id })).toEqual({ kind: 'bye' });
    expect(await rig.ctx.store.findSession(tenant.id, here.signedIn.session.id)).toMatchObject({ endedAtMs: expect.any(Number) });
  });
});

describe('UI-20 · applications', () => {
  test('what was allowed and what is in use, by client', async () => {
    await rig.client(tenant, 'app', { grants: ['refresh_token'], scopes: ['a', 'b'] });
    wanted(await createResource(rig.ctx, tenant, { uri: 'https://api.example.com/', scopes: [], owner: null, tokenFormat: null }));
    expect(await listAccess(rig.ctx, tenant, alice)).toEqual([]);
    const consent: Consent = {
      tenantId: tenant.id, userId: alice.id, clientId: 'app', resourceKey: 'https://one.example https://two.example', orgId: 'gone', scopes: ['a', 'c'],
      createdAtMs: rig.clock.now(), updatedAtMs: rig.clock.now(),
    };
    await allow(consent);
    const allowedAtMs = rig.clock.now();
    rig.clock.advance(5000);
    wanted(await issueToken(rig.ctx, tenant, { client: 'app', user: alice.id, org: null, session: null, scopes: ['b'], audience: ['https://api.example.com/'] }));
    expect(await listAccess(rig.ctx, tenant, alice)).toMatchObject([{
      clientId: 'app', client: { id: 'app' }, scopes: ['a', 'c', 'b'], resources: ['https://one.example', 'https://two.example', 'https://api.example.com/'],
      orgs: ['gone'], allowedAtMs, lastUsedAtMs: rig.clock.now(),
    }]);
    expect(await listAccess(rig.ctx, tenant, await somebody(rig, tenant, 'bob'))).toEqual([]);
    expect(await send('application_revoke', { id: 'app' })).toMatchObject({ done: 'application_revoked' });
    expect(await listAccess(rig.ctx, tenant, alice)).toEqual([]);
    expect(await send('application_revoke', { id: 'app' })).toMatchObject({ done: null });
    expect(await rig.events('consent_withdrawn')).toMatchObject([{ actor: alice.id, subject: alice.id, clientId: 'app', count: 1 }]);
  });

  /** Remembers a consent as the end of a sign-in does. */
  async function allow(consent: Consent): Promise<void> {
    const nowMs = rig.clock.now();
    const { session } = here.signedIn;
    const code = {
      digest: digestOf('code'), tenantId: tenant.id, clientId: consent.clientId, userId: alice.id, sessionId: session.id, sessionEndsAtMs: session.expiresAtMs, orgId: null,
      redirectUri: null, challenge: null, nonce: null, scopes: consent.scopes, resources: [], offline: false, authTime: 0, acr: '1fa', amr: [], issuedAtMs: nowMs,
      expiresAtMs: nowMs + 1000, usedAtMs: null, failures: 0, grantId: null,
    } as const;
    expect(await rig.ctx.store.issueCode({ code, interactionDigest: null, consent }, [])).toBe(true);
  }
});

describe('data', () => {
  test('six downloads a minute; each is audited', async () => {
    for (let time = 0; time < 6; time += 1) expect(await exportData(rig.ctx, at(tenant), here.signedIn)).toMatchObject({ ok: true });
    expect(await exportData(rig.ctx, at(tenant), here.signedIn)).toMatchObject({ ok: false, retryAfterMs: expect.any(Number) });
    const bob = await sit(await somebody(rig, tenant, 'bob'));
    expect(await exportData(rig.ctx, at(tenant), bob.signedIn)).toMatchObject({ ok: true });
    expect((await rig.events('data_exported')).length).toBe(7);
  });

  test('events of others, and addresses of who did something to the person, are not told', async () => {
    wanted(await setUserEnabled(rig.ctx, tenant, alice.id, true));
    await somebody(rig, tenant, 'bob');
    await rig.ctx.store.recordAudit([{
      timeMs: rig.clock.now(), type: 'token_introspection_denied', tenant: tenant.slug, actor: 'svc', clientId: 'svc', subject: alice.id, fingerprint: null, ip: '198.51.100.7',
      requestId: null, outcome: 'denied', reason: null, grantId: null, count: 1,
    }]);
    const exported = await exportData(rig.ctx, at(tenant), here.signedIn);
    const { events } = JSON.parse(exported.ok ? exported.json : '{}') as { events: readonly { type: string; ip: string | null }[] };
    expect(events.map(({ type }) => type)).toEqual(['data_exported', 'token_introspection_denied', 'user_enabled', 'password_set', 'user_created']);
    expect(exported.ok && exported.json).not.toContain('198.51.100.7');
  });

  test('events of things and clients that have the person\'s id as their name are not told', async () => {
    const named = { timeMs: rig.clock.now(), tenant: tenant.slug, clientId: null, fingerprint: null, ip: '198.51.100.7', requestId: null, outcome: 'success', reason: null, grantId: null, count: 1 } as const;
    await rig.ctx.store.recordAudit([
      { ...named, type: 'token_revoked', actor: alice.id, subject: 'usr_other' },
      { ...named, type: 'client_authentication_failed', actor: alice.id, subject: null },
      ...(['role_changed', 'organization_created', 'resource_created', 'key_created'] as const).map((type) => ({ ...named, type, actor: 'operator', subject: alice.id })),
      { ...named, type: 'token_revoked', actor: 'app', subject: alice.id },
      { ...named, type: 'profile_changed', actor: alice.id, subject: alice.id, ip: '192.0.2.1' },
    ]);
    const exported = await exportData(rig.ctx, at(tenant), here.signedIn);
    const { events } = JSON.parse(exported.ok ? exported.json : '{}') as { events: readonly { type: string; by: string; ip: string | null }[] };
    expect(events.slice(0, -2).map(({ type, by, ip }) => [type, by, ip])).toEqual([
      ['data_exported', alice.id, expect.anything()], ['profile_changed', alice.id, '192.0.2.1'], ['token_revoked', 'app', null],
    ]);
  });

  test('deleting: the name must be typed; the former address hears of it; the name is free again', async () => {
    for (const username of ['', 'bob', alice.id, alice.email]) expect(await send('delete', { username })).toMatchObject({ kind: 'again', problem: 'name_mismatch' });
    expect(await send('delete', { username: 'ALICE' })).toEqual({ kind: 'bye' });
    expect(await rig.ctx.store.findUser(tenant.id, alice.id)).toMatchObject({ username: alice.id, email: '', name: null, emailVerified: false, deletedAtMs: rig.clock.now() });
    expect(await rig.ctx.store.findPassword(tenant.id, alice.id)).toBeNull();
    expect(await rig.ctx.store.findSession(tenant.id, here.signedIn.session.id)).toMatchObject({ endedAtMs: expect.any(Number) });
    expect((await takeMails(rig)).map(({ to, content }) => [to, 'notice' in content && content.notice])).toEqual([['alice@example.com', 'account_deleted']]);
    expect(await rig.events('user_deleted')).toMatchObject([{ actor: alice.id, subject: alice.id }]);
    await somebody(rig, tenant, 'alice');
  });

  test('two who change the same user: neither loses the other\'s change', async () => {
    await Promise.all([send('profile', { name: 'Ada' }), rig.ctx.store.updateUser(alice, { ...alice, attributes: { team: 'blue' } }, 'alice', [])]);
    expect(await rig.ctx.store.findUser(tenant.id, alice.id)).toMatchObject({ name: 'Ada', attributes: { team: 'blue' } });
  });
});
