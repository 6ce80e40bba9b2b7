/** What people are asked before an application gets anything, and what is remembered of it. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Tenant, User } from '../../src/core/model.ts';
import { createOrganization, putMember, removeMember } from '../../src/service/manage-organizations.ts';
import { answerOf, authorizeUrl, codeOf, decide, makeApp, makePerson, redeem, refresh, signIn, someone, tokensOf, withSession, type App, type Asked } from '../helpers/flow.ts';
import { auditOf, decodeJwt, errorFault, introspect, issuer, makeClient, makeResource, makeTenant, must, startFixture, storedState, type Credentials, type Fixture } from '../helpers/fixture.ts';
import type { Person, PersonPage } from '../helpers/person.ts';

const API = 'https://api.example.com';
const OTHER = 'https://other.example.com';

let fixture: Fixture;
let acme: Tenant;
let watcher: Credentials;
let count = 0;

beforeAll(async () => {
  fixture = await startFixture();
  acme = await makeTenant(fixture, 'acme', { preset: 'kotauth' });
  watcher = await makeClient(fixture, acme, 'watcher', { introspect: 'tenant' });
  for (const uri of [API, OTHER]) await makeResource(fixture, acme, { uri, scopes: [] });
});
afterAll(() => fixture.close());

/** A name that nobody has. */
function fresh(): string {
  count += 1;
  return `n${count}`;
}

/** Somebody new, signed in, who was never asked anything. */
async function newcomer(): Promise<{ readonly person: Person; readonly user: User }> {
  const user = await makePerson(fixture, acme, fresh());
  return { user, person: (await withSession(fixture, acme, user)).person };
}
const ask = (person: Person, app: App, change: Asked = {}): Promise<PersonPage> => person.open(authorizeUrl(fixture, acme, app, change));
const isAsked = (page: PersonPage): boolean => page.location === null && page.status === 200 && page.forms.some(({ fields }) => fields['step'] === 'consent');

describe('AZ-42, UI-20 · who is asked for', () => {
  const kinds = [
    ['the operator\'s own: never', { firstParty: true }, false, false],
    ['the operator\'s own, public, on loopback: never', { firstParty: true, public: true, redirectUris: ['http://127.0.0.1/cb'] }, false, false],
    ['confidential: once', {}, true, false],
    ['confidential, on loopback: once', { redirectUris: ['http://127.0.0.1/cb'] }, true, false],
    ['public, at an https address: once', { public: true }, true, false],
    ['public, on loopback: each time', { public: true, redirectUris: ['http://127.0.0.1/cb'] }, true, true],
    ['public, with a private scheme: each time', { public: true, redirectUris: ['com.example.app:/cb'] }, true, true],
  ] as const;
  test.each(kinds)('AZ-32, AZ-42, UI-20 %s; with prompt=consent always', async (_name, change, atFirst, again) => {
    const app = await makeApp(fixture, acme, fresh(), change);
    const { person } = await newcomer();
    let page = await ask(person, app);
    expect(isAsked(page)).toBe(atFirst);
    if (atFirst) page = await decide(person, 'allow');
    tokensOf(await redeem(fixture, acme, app, codeOf(page)));
    expect(isAsked(await ask(person, app))).toBe(again);
    expect(isAsked(await ask(person, app, { prompt: 'consent' }))).toBe(true);
    const { person: another } = await newcomer();
    expect(isAsked(await ask(another, app))).toBe(atFirst);
  });
});

describe('what people are told', () => {
  test('AZ-43, UI-18 who asks, where it leads, what for, where, and for how long; everything escaped', async () => {
    const app = await makeApp(fixture, acme, fresh(), { name: 'Shop & <script>alert(1)</script>', scopes: ['openid', 'profile', 'email', 'offline_access', 'orders:read'], redirectUris: ['https://shop.example:8443/cb'], refreshTokenTtl: 86_400 });
    const { person, user } = await newcomer();
    const page = await ask(person, app, { scope: 'openid profile email offline_access orders:read', resource: API, prompt: 'consent' });
    expect(page.status).toBe(200);
    for (const words of ['Shop & <script>alert(1)</script>', 'shop.example:8443', 'Know who you are', 'See your profile', 'See your e-mail address', 'Stay connected while you are away', 'orders:read', API, `The ${user.username}`, `${user.username}@example.com`, '1 day']) {
      expect([words, page.text.includes(words)]).toEqual([words, true]);
    }
    expect(page.html).not.toContain('<script>alert');
    expect(page.text).not.toContain('has not checked');
    expect(page.headers.get('content-security-policy')).toContain('form-action \'self\' https://shop.example:8443;');
    expect((await ask(person, app)).text).toContain('Access lasts until you sign out.');
  });

  test('AZ-43 a private scheme is shown as what it is, not as a host that anybody could name', async () => {
    const app = await makeApp(fixture, acme, fresh(), { public: true, redirectUris: ['com.example.app://bank.example/cb'] });
    const { person } = await newcomer();
    const page = await ask(person, app);
    expect(page.text).toContain('com.example.app');
    expect(page.text).not.toContain('bank.example');
  });
});

describe('what is remembered', () => {
  test('UI-20 more scopes: only what is new is new; all of it is remembered', async () => {
    const app = await makeApp(fixture, acme, fresh());
    const { person } = await newcomer();
    await ask(person, app, { scope: 'openid a' });
    codeOf(await decide(person, 'allow'));
    expect(codeOf(await ask(person, app, { scope: 'openid' }))).toBeString();
    const page = await ask(person, app, { scope: 'openid b' });
    expect(isAsked(page)).toBe(true);
    expect(page.text.match(/Allowed before/g)).toHaveLength(1);
    codeOf(await decide(person, 'allow'));
    for (const scope of ['openid a b', 'b', 'a openid']) expect(codeOf(await ask(person, app, { scope, nonce: undefined }))).toBeString();
  });

  test('UI-20 for each set of resources by itself', async () => {
    const app = await makeApp(fixture, acme, fresh());
    const { person } = await newcomer();
    await ask(person, app, { scope: 'openid a', resource: API });
    codeOf(await decide(person, 'allow'));
    expect(codeOf(await ask(person, app, { scope: 'openid a', resource: `${API}/` }))).toBeString();
    for (const resource of [undefined, OTHER, [API, OTHER]]) expect(isAsked(await ask(person, app, { scope: 'openid a', resource }))).toBe(true);
    codeOf(await decide(person, 'allow'));
    expect(codeOf(await ask(person, app, { scope: 'openid a', resource: [OTHER, API] }))).toBeString();
    expect(isAsked(await ask(person, app, { scope: 'openid a', resource: OTHER }))).toBe(true);
  });

  test('UI-20 not by who did not allow it, nor by looking at the question', async () => {
    const app = await makeApp(fixture, acme, fresh());
    const { person, user } = await newcomer();
    for (let again = 0; again < 2; again += 1) expect(isAsked(await ask(person, app))).toBe(true);
    await decide(person, 'deny');
    expect(await fixture.application.ctx.store.listConsents(acme.id, user.id)).toEqual([]);
    expect(isAsked(await ask(person, app))).toBe(true);
    expect((await person.submit({}, { form: { step: 'consent' } })).status).toBe(400);
    expect(await fixture.application.ctx.store.listConsents(acme.id, user.id)).toEqual([]);
    codeOf(await decide(person, 'allow'));
    expect(await fixture.application.ctx.store.listConsents(acme.id, user.id)).toMatchObject([{ clientId: app.id, scopes: ['openid'], resourceKey: '', orgId: '' }]);
  });

  test('UI-20, INT-87, TAC-15, TRT-20 listed on the account page; taken back, its tokens and codes are worthless, and it asks again', async () => {
    const app = await makeApp(fixture, acme, fresh());
    const { person, user } = await newcomer();
    await ask(person, app, { scope: 'openid offline_access', prompt: 'consent' });
    const tokens = tokensOf(await redeem(fixture, acme, app, codeOf(await decide(person, 'allow'))));
    expect(await introspect(fixture, acme, watcher, tokens.access)).toMatchObject({ active: true, sub: user.id });
    const waiting = codeOf(await ask(person, app));
    const page = await person.open('/t/acme/account/applications');
    expect(page.text).toContain(app.id);
    const form = page.forms.find(({ fields }) => fields['id'] === app.id);
    expect((await person.submit({}, { form: page.forms.indexOf(form ?? page.forms[0] as never) })).status).toBe(200);
    for (const token of [tokens.access, tokens.refresh]) expect(await introspect(fixture, acme, watcher, token)).toEqual({ active: false });
    expect(errorFault(await refresh(fixture, acme, app, tokens.refresh), 400, 'invalid_grant')).toBeNull();
    expect(errorFault(await redeem(fixture, acme, app, waiting), 400, 'invalid_grant')).toBeNull();
    expect(isAsked(await ask(person, app))).toBe(true);
  });
});

describe('RFC 6749 §4.1.2.1 · no', () => {
  test('AZ-40 denied, or cancelled while signing in → access_denied at the application, audited; the request is over', async () => {
    const app = await makeApp(fixture, acme, fresh());
    const wanted = { to: app.uri, members: [['error', 'access_denied'], ['error_description', expect.any(String)], ['state', 'xyz-123'], ['iss', issuer(fixture, acme)]] };
    const { person, user } = await newcomer();
    const { url } = await ask(person, app);
    const denied = await decide(person, 'deny');
    expect([denied.status, answerOf(denied.location)]).toEqual([303, wanted as never]);
    expect((await person.open(url)).status).toBe(400);
    expect((await auditOf(fixture, acme, 'authorization_denied')).find((event) => event.clientId === app.id)).toMatchObject({ actor: user.id, subject: user.id, outcome: 'denied', reason: 'access_denied' });

    const stranger = someone(fixture);
    await ask(stranger, app);
    const cancelled = await stranger.submit({}, { form: { step: 'cancel' } });
    expect([cancelled.status, answerOf(cancelled.location)]).toEqual([303, wanted as never]);
    expect(stranger.cookie('sid')).toBeUndefined();
  });

  test('AZ-40, AZ-27 … by form_post where that was asked for', async () => {
    const app = await makeApp(fixture, acme, fresh());
    const { person } = await newcomer();
    await ask(person, app, { response_mode: 'form_post' });
    const page = await decide(person, 'deny');
    expect([page.status, page.location, page.forms[0]?.action, page.forms[0]?.fields['error']]).toEqual([200, null, app.uri, 'access_denied']);
  });

  test('UI-20 somebody else may answer instead: they sign in, and are asked themselves', async () => {
    const app = await makeApp(fixture, acme, fresh());
    const { person } = await newcomer();
    const other = await makePerson(fixture, acme, fresh());
    await ask(person, app);
    await person.submit({}, { form: { step: 'other' } });
    expect(isAsked(await signIn(person, other.username))).toBe(true);
    expect(decodeJwt(tokensOf(await redeem(fixture, acme, app, codeOf(await decide(person, 'allow')))).id).claims['sub']).toBe(other.id);
  });
});

describe('organizations', () => {
  async function member(...orgs: readonly string[]): Promise<{ readonly person: Person; readonly user: User }> {
    const made = await newcomer();
    for (const id of orgs) must(await putMember(fixture.application.ctx, acme, id, made.user.username, []));
    return made;
  }
  const orgOf = async (app: App, page: PersonPage): Promise<unknown> => decodeJwt(tokensOf(await redeem(fixture, acme, app, codeOf(page))).access).claims['org_id'];

  beforeAll(async () => {
    for (const id of ['org_x', 'org_y', 'org_z']) must(await createOrganization(fixture.application.ctx, acme, id, `The ${id} & co`));
  });

  test('UI-20 none or one: nothing to choose; the one is in the tokens', async () => {
    const app = await makeApp(fixture, acme, fresh(), { firstParty: true });
    const { person: lone } = await member();
    expect(await orgOf(app, await ask(lone, app))).toBeUndefined();
    const { person } = await member('org_x');
    expect(await orgOf(app, await ask(person, app))).toBe('org_x');
  });

  test('UI-20 several: also the operator\'s own application asks; the choice is remembered, and binds tokens and refresh', async () => {
    const app = await makeApp(fixture, acme, fresh(), { firstParty: true });
    const { person } = await member('org_x', 'org_y');
    const page = await ask(person, app);
    expect(isAsked(page)).toBe(true);
    expect(page.text).toContain('The org_x & co');
    expect(page.html).not.toContain('org_z');
    const tokens = tokensOf(await redeem(fixture, acme, app, codeOf(await decide(person, 'allow', { org: 'org_y' }))));
    expect(decodeJwt(tokens.access).claims['org_id']).toBe('org_y');
    expect(decodeJwt(tokensOf(await refresh(fixture, acme, app, tokens.refresh)).access).claims['org_id']).toBe('org_y');
    expect(await orgOf(app, await ask(person, app))).toBe('org_y');
  });

  test('UI-20 one of which they are no member, or none → asked again, nothing is issued', async () => {
    const app = await makeApp(fixture, acme, fresh(), { firstParty: true });
    const { person } = await member('org_x', 'org_y');
    await ask(person, app);
    const before = storedState(fixture);
    for (const org of ['org_z', '', 'nothing']) expect((await decide(person, 'allow', { org })).status).toBe(400);
    expect(storedState(fixture)).toBe(before);
  });

  test('UI-20 whoever leaves an organization chooses anew', async () => {
    const app = await makeApp(fixture, acme, fresh());
    const { person, user } = await member('org_x', 'org_y', 'org_z');
    await ask(person, app);
    codeOf(await decide(person, 'allow', { org: 'org_y' }));
    expect(codeOf(await ask(person, app))).toBeString();
    must(await removeMember(fixture.application.ctx, acme, 'org_y', user.username));
    expect(isAsked(await ask(person, app))).toBe(true);
  });

  test('UI-20 a client\'s own organization makes nobody a member of it; where it is none of ours, it stands in', async () => {
    const { person } = await member();
    for (const [orgId, told] of [['org_x', undefined], ['org_elsewhere', 'org_elsewhere']] as const) {
      const app = await makeApp(fixture, acme, fresh(), { firstParty: true, orgId });
      expect(await orgOf(app, await ask(person, app))).toBe(told as never);
    }
  });
});

describe('AZ-50 · offline_access', () => {
  const rows = [
    ['web, without prompt=consent: left out', {}, {}, 'openid'], ['web, with it', {}, { prompt: 'consent' }, 'openid offline_access'], ['the operator\'s own', { firstParty: true }, {}, 'openid offline_access'],
    ['native', { public: true, redirectUris: ['com.example.app:/cb'] }, {}, 'openid offline_access'],
  ] as const;
  test.each(rows)('AZ-50 %s', async (_name, change, request, scope) => {
    const app = await makeApp(fixture, acme, fresh(), change);
    const { person } = await newcomer();
    const page = await ask(person, app, { scope: 'openid offline_access', ...request });
    const tokens = tokensOf(await redeem(fixture, acme, app, codeOf(page.location === null ? await decide(person, 'allow') : page)));
    expect(tokens.scope).toBe(scope);
    expect(tokens.refresh).toMatch(/^rt_/);
  });
});
