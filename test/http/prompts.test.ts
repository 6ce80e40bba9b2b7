/** When somebody has to sign in, choose, or prove it again: sessions × prompt, max_age, acr_values, id_token_hint (OpenID Connect Core §3.1.2.1). */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { Secret, TOTP } from 'otpauth';
import type { Tenant, User } from '../../src/core/model.ts';
import type { BrowserSession } from '../../src/core/people.ts';
import { digestOf } from '../../src/tokens/digest.ts';
import { mintIdToken } from '../../src/tokens/mint.ts';
import { beginTotp, confirmTotp } from '../../src/service/credentials/second-factor.ts';
import { createOrganization, putMember } from '../../src/service/manage-organizations.ts';
import { setUserEnabled } from '../../src/service/manage-users.ts';
import { answerOf, authorizeUrl, codeOf, decide, makeApp, makePerson, PASSWORD, redeem, signedIn, signIn, silently, someone, tokensOf, withSession, type App, type Asked } from '../helpers/flow.ts';
import { decodeJwt, forge, issuer, makeTenant, must, nowS, startFixture, storedState, type Fixture } from '../helpers/fixture.ts';
import type { Person, PersonPage } from '../helpers/person.ts';

const HOUR_MS = 3_600_000;

let fixture: Fixture;
let acme: Tenant;
let alice: User;
let bob: User;
let first: App;
let third: App;

beforeAll(async () => {
  fixture = await startFixture();
  acme = await makeTenant(fixture, 'acme', { preset: 'kotauth' });
  [alice, bob] = [await makePerson(fixture, acme, 'alice'), await makePerson(fixture, acme, 'bob')];
  [first, third] = [await makeApp(fixture, acme, 'first', { firstParty: true }), await makeApp(fixture, acme, 'third')];
});
afterAll(() => fixture.close());

const ask = (person: Person, change: Asked = {}, app = first): Promise<PersonPage> => person.open(authorizeUrl(fixture, acme, app, change));
/** What a page is: the steps of its forms. */
const steps = (page: PersonPage): readonly string[] => page.forms.flatMap(({ fields }) => fields['step'] ?? []);
const isSignIn = (page: PersonPage): boolean => page.location === null && page.status === 200 && steps(page).includes('password');
const errorOf = (page: PersonPage): string | undefined => answerOf(page.location).members.find(([name]) => name === 'error')?.[1];
async function claimsOf(page: PersonPage, app = first): Promise<Readonly<Record<string, unknown>>> {
  return decodeJwt(tokensOf(await redeem(fixture, acme, app, codeOf(page))).id).claims;
}
const sessionRow = async (secret: string): Promise<BrowserSession | null> => fixture.application.ctx.store.findBrowserSession(acme.id, digestOf(secret));

describe('prompt=none × sessions', () => {
  const sessions: readonly (readonly [name: string, change: Partial<BrowserSession>, good: boolean])[] = [
    ['alive → a code', {}, true], ['idle for less than may be → a code', { lastSeenAtMs: Date.now() - 11 * HOUR_MS }, true], ['idle for too long → login_required', { lastSeenAtMs: Date.now() - 13 * HOUR_MS }, false], ['past its absolute end → login_required', { expiresAtMs: Date.now() - 1 }, false],
    ['ended → login_required', { endedAtMs: Date.now() - 1 }, false],
  ];
  test.each(sessions.map((row) => [...row] as const))('AZ-29, UI-07 a session %s', async (_name, change, good) => {
    const { person } = await withSession(fixture, acme, alice, change);
    const page = await ask(person, { prompt: 'none' });
    if (good) expect(codeOf(page)).toBeString();
    else expect(errorOf(page)).toBe('login_required');
    expect(isSignIn(await ask(person))).toBe(!good);
  });

  test('AZ-29 no session → login_required; consent missing → consent_required; allowed → a code, and nobody was asked anything', async () => {
    const { person } = await withSession(fixture, acme, alice);
    expect(errorOf(await ask(someone(fixture), { prompt: 'none' }))).toBe('login_required');
    const before = storedState(fixture);
    const page = await ask(person, { prompt: 'none' }, third);
    expect(answerOf(page.location).members).toEqual([['error', 'consent_required'], ['error_description', expect.any(String)], ['state', 'xyz-123'], ['iss', issuer(fixture, acme)]] as never);
    expect(storedState(fixture)).toBe(before);
    await ask(person, {}, third);
    codeOf(await decide(person, 'allow'));
    expect(codeOf(await ask(person, { prompt: 'none' }, third))).toBeString();
    expect(errorOf(await ask(person, { prompt: 'none', scope: 'openid email' }, third))).toBe('consent_required');
  });

  test('AZ-29 an organization must be chosen → interaction_required', async () => {
    const olga = await makePerson(fixture, acme, 'olga');
    for (const id of ['org_a', 'org_b']) {
      must(await createOrganization(fixture.application.ctx, acme, id, id));
      must(await putMember(fixture.application.ctx, acme, id, 'olga', []));
    }
    const { person } = await withSession(fixture, acme, olga);
    expect(errorOf(await ask(person, { prompt: 'none' }))).toBe('interaction_required');
  });

  test('AZ-29, INT-85 a disabled user\'s session → login_required, also when enabled again', async () => {
    const dora = await makePerson(fixture, acme, 'dora');
    const { person } = await withSession(fixture, acme, dora);
    expect(codeOf(await ask(person, { prompt: 'none' }))).toBeString();
    for (const enabled of [false, true]) {
      must(await setUserEnabled(fixture.application.ctx, acme, 'dora', enabled));
      expect(errorOf(await ask(person, { prompt: 'none' }))).toBe('login_required');
    }
  });

  test.each([['garbage', 'x'], ['of the right form', 'A'.repeat(43)], ['empty', '']])('AZ-29 a cookie that is %s → login_required', async (_name, value) => {
    const person = someone(fixture);
    person.cookies.set('127.0.0.1', new Map([[`sid-${acme.id}`, value]]));
    expect(errorOf(await ask(person, { prompt: 'none' }))).toBe('login_required');
  });
  test('AZ-29 two cookies of the name: none is trusted', async () => {
    const { person, secret } = await withSession(fixture, acme, alice);
    const page = await person.open(authorizeUrl(fixture, acme, first, { prompt: 'none' }), { headers: { Cookie: `sid-${acme.id}=${secret}; sid-${acme.id}=${secret}` } });
    expect(errorOf(page)).toBe('login_required');
  });
});

describe('prompt=login', () => {
  test('AZ-31, UI-06 somebody signed in proves it again: the session goes on with a new secret and time; the old cookie is dead', async () => {
    const { person, session, secret } = await withSession(fixture, acme, alice, { authTimeMs: Date.now() - HOUR_MS });
    const page = await ask(person, { prompt: 'login' });
    expect(isSignIn(page)).toBe(true);
    expect(page.text).toContain('Confirm that it is you');
    expect(page.forms[0]?.fields['username']).toBe('alice');
    const from = nowS();
    const claims = await claimsOf(await signIn(person, 'alice'));
    expect([claims['sid'], claims['sub']]).toEqual([session.id, alice.id]);
    expect(Number(claims['auth_time'])).toBeGreaterThanOrEqual(from);
    const renewed = person.cookie('sid') ?? '';
    expect(renewed).not.toBe(secret);
    expect([await sessionRow(secret), (await sessionRow(renewed))?.id]).toEqual([null, session.id]);
    const old = someone(fixture);
    old.cookies.set('127.0.0.1', new Map([[`sid-${acme.id}`, secret]]));
    expect(errorOf(await ask(old, { prompt: 'none' }))).toBe('login_required');
  });

  test('AZ-31 reload, Back, and asking anew never skip it; nor do the forms of other steps', async () => {
    const { person } = await withSession(fixture, acme, alice);
    const page = await ask(person, { prompt: 'login' });
    const { url } = page;
    for (let again = 0; again < 3; again += 1) expect(isSignIn(await person.open(url))).toBe(true);
    const { csrf = '' } = person.form({ step: 'password' }).fields;
    for (const fields of [{ step: 'continue' }, { step: 'consent', decision: 'allow' }, { step: 'other' }, { step: 'new_password', password: 'x', again: 'x' }, { step: 'totp', code: '000000' }]) {
      expect(isSignIn(await person.post(url, { csrf, ...fields }))).toBe(true);
    }
    expect(isSignIn(await ask(person, { prompt: 'login' }))).toBe(true);
    await person.open(url);
    expect((await signIn(person, 'alice', 'wrong')).status).toBe(400);
    expect(isSignIn(await person.open(url))).toBe(true);
    codeOf(await signIn(person, 'alice'));
  });

  test('AZ-31 Back after the code: its page and its form are over, and nothing is issued', async () => {
    const { person } = await withSession(fixture, acme, alice);
    const { url } = await ask(person, { prompt: 'login' });
    const { csrf = '' } = person.form({ step: 'password' }).fields;
    codeOf(await signIn(person, 'alice'));
    const before = storedState(fixture);
    expect(await person.open(url)).toMatchObject({ status: 400, location: null });
    expect(person.page.text).toContain('Go back to the application');
    expect(await person.post(url, { csrf, step: 'password', username: 'alice', password: PASSWORD })).toMatchObject({ status: 400, location: null });
    expect(storedState(fixture)).toBe(before);
  });

  test('AZ-31 somebody else may be the one who proves it: then it is their session', async () => {
    const { person, secret } = await withSession(fixture, acme, alice);
    const page = await ask(person, { prompt: 'login' });
    const claims = await claimsOf(await person.post(page.url, { ...person.form({ step: 'password' }).fields, username: 'bob', password: PASSWORD }));
    expect(claims['sub']).toBe(bob.id);
    expect((await sessionRow(secret))?.endedAtMs).toBeNumber();
  });
});

describe('max_age', () => {
  const rows: readonly (readonly [name: string, agoMs: number, maxAge: string, again: boolean])[] = [
    ['younger', HOUR_MS, '7200', false], ['older', HOUR_MS, '60', true], ['0 is prompt=login', 0, '0', true], ['0 a while after', HOUR_MS, '0', true], ['the longest', HOUR_MS, '999999999', false],
  ];
  test.each(rows.map((row) => [...row] as const))('AZ-33 %s; auth_time is the truth', async (_name, agoMs, maxAge, again) => {
    const authTimeMs = Date.now() - agoMs;
    const { person } = await withSession(fixture, acme, alice, { authTimeMs });
    const page = await ask(person, { max_age: maxAge });
    expect(isSignIn(page)).toBe(again);
    const claims = await claimsOf(again ? await signIn(person, 'alice') : page);
    if (again) expect(Number(claims['auth_time']) * 1000).toBeGreaterThan(Date.now() - 10_000);
    else expect(claims['auth_time']).toBe(Math.floor(authTimeMs / 1000));
    const silent = await ask((await withSession(fixture, acme, alice, { authTimeMs })).person, { max_age: maxAge, prompt: 'none' });
    expect(errorOf(silent)).toBe(again ? 'login_required' : undefined);
  });
});

describe('select_account', () => {
  test('AZ-32 the chooser names who is signed in; to go on asks nothing more', async () => {
    const { person, session } = await withSession(fixture, acme, alice);
    const page = await ask(person, { prompt: 'select_account' });
    expect([page.status, page.location, steps(page).slice(0, 2), page.text.includes('The alice'), page.text.includes('alice@example.com')]).toEqual([200, null, ['continue', 'other'], true, true]);
    for (let again = 0; again < 2; again += 1) expect(steps(await person.open(page.url))).toContain('continue');
    const claims = await claimsOf(await person.submit({}, { form: { step: 'continue' } }));
    expect([claims['sub'], claims['sid']]).toEqual([alice.id, session.id]);
  });

  test('AZ-32 another account: they sign in, and the former session ends', async () => {
    const { person, secret, session } = await withSession(fixture, acme, alice);
    await ask(person, { prompt: 'select_account' });
    expect(isSignIn(await person.submit({}, { form: { step: 'other' } }))).toBe(true);
    expect((await sessionRow(secret))?.endedAtMs).toBeNull();
    const claims = await claimsOf(await signIn(person, 'bob'));
    expect(claims['sub']).toBe(bob.id);
    expect(claims['sid']).not.toBe(session.id);
    expect((await sessionRow(secret))?.endedAtMs).toBeNumber();
  });

  test('AZ-32 nobody is signed in: to sign in is the choice', async () => {
    const person = someone(fixture);
    await ask(person, { prompt: 'select_account' });
    codeOf(await signIn(person, 'alice'));
  });

  test('AZ-32 prompt=consent asks also for the operator\'s own, each time', async () => {
    const { person } = await withSession(fixture, acme, alice);
    for (let again = 0; again < 2; again += 1) {
      expect(steps(await ask(person, { prompt: 'consent' }))).toContain('consent');
      codeOf(await decide(person, 'allow'));
    }
    expect(codeOf(await ask(person))).toBeString();
  });
});

describe('id_token_hint', () => {
  test('AZ-36 of who is signed in → a code; of another → login_required, or they sign in', async () => {
    const { person, code } = await signedIn(fixture, acme, first, 'alice');
    const hint = tokensOf(await redeem(fixture, acme, first, code)).id;
    expect(codeOf(await ask(person, { prompt: 'none', id_token_hint: hint }))).toBeString();
    const { person: other } = await withSession(fixture, acme, bob);
    expect(errorOf(await ask(other, { prompt: 'none', id_token_hint: hint }))).toBe('login_required');
    const page = await ask(other, { id_token_hint: hint });
    expect(isSignIn(page)).toBe(true);
    expect(page.text).not.toContain('alice');
    expect((await claimsOf(await other.post(page.url, { ...other.form({ step: 'password' }).fields, username: 'alice', password: PASSWORD })))['sub']).toBe(alice.id);
    const { person: stubborn } = await withSession(fixture, acme, bob);
    const shown = await ask(stubborn, { id_token_hint: hint });
    expect(errorOf(await stubborn.post(shown.url, { ...stubborn.form({ step: 'password' }).fields, username: 'bob', password: PASSWORD }))).toBe('login_required');
  });

  test('AZ-36 an expired hint is one; tampered, of another issuer or tenant, unsigned, or of another kind → invalid_request', async () => {
    const { person, code } = await signedIn(fixture, acme, first, 'alice');
    const { id, access } = tokensOf(await redeem(fixture, acme, first, code));
    const { signer } = await fixture.application.ctx.rings.of(acme.id);
    if (signer === null) throw new Error('no signer');
    const claims = { iss: issuer(fixture, acme), sub: alice.id, aud: 'first', iat: nowS() - 7200, exp: nowS() - 3600 };
    expect(codeOf(await ask(person, { prompt: 'none', id_token_hint: await mintIdToken(signer, claims) }))).toBeString();
    const elsewhere = await makeTenant(fixture, 'elsewhere', { preset: 'kotauth' });
    const [header = '', body = ''] = id.split('.');
    const foreign = (await fixture.application.ctx.rings.of(elsewhere.id)).signer;
    const bad = [
      `${header}.${body}.${'A'.repeat(86)}`, `${header}.${body}.`, `${Buffer.from('{"alg":"none"}').toString('base64url')}.${body}.`, await mintIdToken(signer, { ...claims, iss: issuer(fixture, elsewhere) }),
      await mintIdToken(foreign ?? signer, { ...claims, iss: issuer(fixture, elsewhere) }), await mintIdToken(foreign ?? signer, claims), access, code, 'x'.repeat(5000), await forge(fixture, acme, id, { header: { typ: 'at+jwt' } }),
    ];
    for (const hint of bad) expect([hint, errorOf(await ask(person, { id_token_hint: hint }))]).toEqual([hint, 'invalid_request']);
  });
});

describe('acr_values', () => {
  test('AZ-34, INT-118 step-up: whoever has a second factor is asked for it; acr, amr and auth_time tell what was done', async () => {
    const { ctx } = fixture.application;
    const tina = await makePerson(fixture, acme, 'tina');
    const by = { tenant: acme, from: { ip: null, requestId: null }, locale: 'en', device: null } as const;
    const { secret } = await beginTotp(ctx, by, tina);
    const totp = new TOTP({ secret: Secret.fromBase32(secret) });
    expect(await confirmTotp(ctx, by, tina, totp.generate({ timestamp: Date.now() - 30_000 }))).toMatchObject({ ok: true });
    const { person, session } = await withSession(fixture, acme, tina, { authTimeMs: Date.now() - HOUR_MS, acr: '1fa' });
    expect((await claimsOf(await ask(person)))['acr']).toBe('1fa');
    expect((await claimsOf(await ask(person, { acr_values: 'mfa', prompt: 'none' })))['acr']).toBe('1fa');
    const page = await ask(person, { acr_values: 'mfa' });
    expect(isSignIn(page)).toBe(true);
    expect(page.text).toContain('stronger proof');
    const second = await signIn(person, 'tina');
    expect([second.status, second.location, steps(second)[0]]).toEqual([200, null, 'totp']);
    expect((await person.submit({ code: '000000' }, { form: { step: 'totp' } })).status).toBe(400);
    const done = await person.submit({ code: totp.generate() }, { form: { step: 'totp' } });
    const claims = await claimsOf(done);
    expect(claims).toMatchObject({ acr: 'mfa', amr: ['pwd', 'otp', 'mfa'], sid: session.id });
    expect(Number(claims['auth_time'])).toBeGreaterThan(nowS() - 10);
    expect((await claimsOf(await ask(person, { acr_values: 'mfa', prompt: 'none' })))['acr']).toBe('mfa');
    expect(codeOf(await ask(person, { acr_values: 'phr' }))).toBeString();
  });

  test('AZ-34 who has no more to show goes on; the class is what was reached', async () => {
    const { person } = await withSession(fixture, acme, alice);
    for (const acr of ['mfa', 'phr', 'urn:nothing', 'mfa phr']) expect((await claimsOf(await ask(person, { acr_values: acr })))['acr']).toBe('1fa');
  });

  test('AZ-31, AZ-34 a second factor that is due is not skipped by reloading, another tab, or prompt=none', async () => {
    const { ctx } = fixture.application;
    const tom = await makePerson(fixture, acme, 'tom');
    const by = { tenant: acme, from: { ip: null, requestId: null }, locale: 'en', device: null } as const;
    const { secret } = await beginTotp(ctx, by, tom);
    const totp = new TOTP({ secret: Secret.fromBase32(secret) });
    expect(await confirmTotp(ctx, by, tom, totp.generate({ timestamp: Date.now() - 30_000 }))).toMatchObject({ ok: true });
    const person = someone(fixture);
    await ask(person);
    const page = await signIn(person, 'tom');
    expect([steps(page)[0], person.cookie('sid')]).toEqual(['totp', undefined]);
    for (let again = 0; again < 2; again += 1) expect(steps(await person.open(page.url))[0]).toBe('totp');
    expect(errorOf(await ask(person, { prompt: 'none' }))).toBe('login_required');
    expect(isSignIn(await ask(person))).toBe(true);
    await person.open(page.url);
    codeOf(await person.submit({ code: totp.generate() }, { form: { step: 'totp' } }));
    expect(person.cookie('sid')).toBeString();
  });
});

describe('one sign-in for all applications', () => {
  test('AZ-29 a second application gets its code without anybody being asked; the session is one', async () => {
    const second = await makeApp(fixture, acme, 'second', { firstParty: true });
    const { person, code } = await signedIn(fixture, acme, first, 'alice');
    const one = decodeJwt(tokensOf(await redeem(fixture, acme, first, code)).id).claims;
    const two = decodeJwt(tokensOf(await redeem(fixture, acme, second, await silently(fixture, acme, second, person, { prompt: 'none' }))).id).claims;
    expect([two['sub'], two['sid'], two['auth_time'], two['aud']]).toEqual([one['sub'], one['sid'], one['auth_time'], 'second']);
  });
});
