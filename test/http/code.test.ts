/** The authorization code grant over HTTP, and the tokens that come of it (OAuth 2.1 §4.1.3, RFC 7636 §4.6). */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Tenant, User } from '../../src/core/model.ts';
import { makeRequestHandler, type HttpOptions } from '../../src/http/app.ts';
import { revokeClientTokens, setClientEnabled, updateClient } from '../../src/service/manage-clients.ts';
import { endUserSessions } from '../../src/service/manage-sessions.ts';
import { setTenantEnabled } from '../../src/service/manage-tenants.ts';
import { deleteUser, setUserEnabled } from '../../src/service/manage-users.ts';
import { digestOf } from '../../src/tokens/digest.ts';
import {
  asked, authorizeUrl, codeOf, decide, encoded, makeApp, makePerson, PASSWORD, redeem, refresh, signedIn, silently, someone, signIn, tokensFor, tokensOf, VERIFIER, type App, type Asked,
} from '../helpers/flow.ts';
import {
  auditOf, decodeJwt, errorFault, homeUrl, introspect, makeClient, makeResource, makeTenant, must, parseObject, post, send, startFixture, storedState, untilAudited, wholeAnswer, type Answer, type Credentials, type Fixture,
} from '../helpers/fixture.ts';
import { basic } from '../helpers/server.ts';
import type { Person } from '../helpers/person.ts';

const API = 'https://api.example.com';
const OTHER_API = 'https://other.example.com';
const WRONG = `${VERIFIER.slice(1)}x`;
const GRACE_S = 1;

let fixture: Fixture;
let acme: Tenant;
let alice: User;
let web: App;
let spa: App;
let rival: App;
let opaque: App;
let watcher: Credentials;
/** Signed in, and asked nothing any more. */
let person: Person;

beforeAll(async () => {
  fixture = await startFixture({ env: { ASSAY_REFRESH_GRACE: String(GRACE_S) } });
  acme = await makeTenant(fixture, 'acme', { preset: 'kotauth' });
  alice = await makePerson(fixture, acme, 'alice');
  const own = { firstParty: true } as const;
  [web, spa] = [await makeApp(fixture, acme, 'web', own), await makeApp(fixture, acme, 'spa', { ...own, public: true })];
  [rival, opaque] = [await makeApp(fixture, acme, 'rival', { ...own, redirectUris: [web.uri] }), await makeApp(fixture, acme, 'opaque', { ...own, tokenFormat: 'opaque' })];
  watcher = await makeClient(fixture, acme, 'watcher', { introspect: 'tenant' });
  for (const [uri, scope] of [[API, 'a'], [OTHER_API, 'b']] as const) await makeResource(fixture, acme, { uri, scopes: [scope] });
  ({ person } = await signedIn(fixture, acme, web, 'alice'));
});
afterAll(() => fixture.close());

const newCode = (app = web, change: Asked = {}, by = person): Promise<string> => silently(fixture, acme, app, by, change);
const present = (code: string, change: Asked = {}, app = web): Promise<Answer> => redeem(fixture, acme, app, code, change);
const refused = async (code: string, change: Asked = {}, app = web, error = 'invalid_grant'): Promise<void> => expect(errorFault(await present(code, change, app), 400, error)).toBeNull();
const isActive = async (token: string): Promise<boolean> => (await introspect(fixture, acme, watcher, token))['active'] === true;
async function somebody(username: string, app = web, change: Asked = {}): ReturnType<typeof tokensFor> {
  await makePerson(fixture, acme, username);
  return tokensFor(fixture, acme, app, username, change);
}

describe('RFC 6749 §4.1.4 · what a code brings', () => {
  const rows: readonly (readonly [name: string, app: 'web' | 'spa' | 'opaque', change: Asked, names: readonly string[], scope: string])[] = [
    ['openid', 'web', {}, ['access_token', 'token_type', 'expires_in', 'refresh_token', 'id_token', 'scope'], 'openid'],
    ['without openid', 'web', { scope: 'a', nonce: undefined }, ['access_token', 'token_type', 'expires_in', 'refresh_token', 'scope'], 'a'],
    ['a public client', 'spa', { scope: 'openid a' }, ['access_token', 'token_type', 'expires_in', 'refresh_token', 'id_token', 'scope'], 'openid a'],
    ['opaque', 'opaque', { scope: 'openid email' }, ['access_token', 'token_type', 'expires_in', 'refresh_token', 'id_token', 'scope'], 'openid email'],
    ['no scope asked for: all that the client may have', 'web', { scope: undefined }, ['access_token', 'token_type', 'expires_in', 'refresh_token', 'id_token', 'scope'], 'openid profile email offline_access a b'],
  ];
  test.each(rows.map((row) => [...row] as const))('TAC-01 %s', async (_name, id, change, names, scope) => {
    const app = { web, spa, opaque }[id];
    const tokens = tokensOf(await present(await newCode(app, change), {}, app));
    expect([tokens.names, tokens.scope]).toEqual([[...names], scope]);
    expect(await introspect(fixture, acme, watcher, tokens.access)).toMatchObject({ active: true, sub: alice.id, client_id: app.id, scope });
    expect(await isActive(tokens.refresh)).toBe(true);
  });

  test('TAC-01 a client without the refresh grant gets no refresh token', async () => {
    const once = await makeApp(fixture, acme, 'once', { firstParty: true, grants: ['authorization_code'] });
    expect(tokensOf(await present(await newCode(once, { scope: 'openid offline_access' }), {}, once)).names).toEqual(['access_token', 'token_type', 'expires_in', 'id_token', 'scope']);
  });

  test('TAC-16 scope in the token request is nothing', async () => {
    expect(tokensOf(await present(await newCode(web, { scope: 'openid a' }), { scope: 'openid a b email' })).scope).toBe('openid a');
    expect(tokensOf(await present(await newCode(web, { scope: 'openid a' }), { scope: 'a  "' })).scope).toBe('openid a');
  });

  test('AZ-44 whose code it is does not depend on who presents it: user, session, scope and resource are those of the request', async () => {
    const tokens = tokensOf(await present(await newCode(web, { scope: 'openid a', resource: API })));
    expect(decodeJwt(tokens.access).claims).toMatchObject({ sub: alice.id, client_id: 'web', scope: 'openid a', aud: API, sid: decodeJwt(tokens.id).claims['sid'] });
  });
});

describe('RFC 6749 §5.2 · what is refused', () => {
  const rows: readonly (readonly [name: string, error: string, change: Asked])[] = [
    ['TAC-02 no code', 'invalid_request', { code: undefined }], ['TAC-02 an empty code', 'invalid_request', { code: '' }], ['TOK-06 two codes', 'invalid_request', { code: ['x', 'y'] }],
    ['TAC-03 an unknown code', 'invalid_grant', { code: 'A'.repeat(43) }], ['TAC-03 no code at all', 'invalid_grant', { code: 'x' }], ['TAC-03 NUL', 'invalid_grant', { code: '\0' }], ['TAC-03 a long one', 'invalid_grant', { code: 'A'.repeat(5000) }],
    ['TAC-05 another redirect_uri', 'invalid_grant', { redirect_uri: 'https://web.example/cb/' }], ['TAC-05 in other letters', 'invalid_grant', { redirect_uri: 'https://WEB.example/cb' }],
    ['TAC-07 no code_verifier', 'invalid_grant', { code_verifier: undefined }], ['TAC-07 an empty one', 'invalid_grant', { code_verifier: '' }],
    ['TAC-06 another code_verifier', 'invalid_grant', { code_verifier: WRONG }], ['TAC-09 42 characters', 'invalid_grant', { code_verifier: VERIFIER.slice(1) }], ['TAC-09 129 characters', 'invalid_grant', { code_verifier: 'a'.repeat(129) }],
    ['TAC-09 other characters', 'invalid_grant', { code_verifier: `${VERIFIER.slice(1)}+` }], ['TAC-09 beyond ASCII', 'invalid_grant', { code_verifier: `${VERIFIER}é` }],
    ['TOK-06 two verifiers', 'invalid_request', { code_verifier: [VERIFIER, VERIFIER] }], ['TOK-06 two redirect_uris', 'invalid_request', { redirect_uri: ['https://web.example/cb', 'https://web.example/cb'] }],
    ['TAC-17 a resource that was not authorized', 'invalid_target', { resource: OTHER_API }], ['TAC-17 an unknown one', 'invalid_target', { resource: 'https://unknown.example' }], ['TAC-17, RI-01 none that could be', 'invalid_target', { resource: '#' }],
  ];
  test.each(rows.map((row) => [...row] as const))('%s → %s, and the code is still good', async (_name, error, change) => {
    const code = await newCode(web, { scope: 'openid a', resource: API });
    await refused(code, change, web, error);
    tokensOf(await present(code));
  });

  test('TAC-08 no challenge was sent, a verifier is → invalid_request, and the code is still good', async () => {
    const lax = await makeApp(fixture, acme, 'lax', { firstParty: true, requirePkce: false });
    const code = await newCode(lax, { code_challenge: undefined, code_challenge_method: undefined });
    await refused(code, {}, lax, 'invalid_request');
    tokensOf(await present(code, { code_verifier: undefined }, lax));
  });

  test('TAC-05 redirect_uri left out → accepted (OAuth 2.1 §10.2); a given port is part of it', async () => {
    tokensOf(await present(await newCode(), { redirect_uri: undefined }));
    const native = await makeApp(fixture, acme, 'native', { public: true, firstParty: true, redirectUris: ['http://127.0.0.1/cb'] });
    const code = await newCode(native, { redirect_uri: 'http://127.0.0.1:49170/cb' });
    await refused(code, {}, native);
    await refused(code, { redirect_uri: 'http://127.0.0.1:49171/cb' }, native);
    tokensOf(await present(code, { redirect_uri: 'http://127.0.0.1:49170/cb' }, native));
  });

  test('TAC-04 another client, another tenant → invalid_grant, nothing is spent', async () => {
    const elsewhere = await makeTenant(fixture, 'elsewhere', { preset: 'kotauth' });
    const twin = await makeApp(fixture, elsewhere, 'web', { firstParty: true });
    const code = await newCode();
    const before = storedState(fixture);
    await refused(code, {}, rival);
    await refused(code, {}, spa);
    expect(errorFault(await redeem(fixture, elsewhere, twin, code), 400, 'invalid_grant')).toBeNull();
    expect(storedState(fixture)).toBe(before);
    expect(await untilAudited(fixture, acme, 'code_refused', code, (event) => event.actor === 'rival')).toMatchObject({ reason: 'foreign', outcome: 'denied', clientId: 'web', subject: alice.id });
    expect(await untilAudited(fixture, elsewhere, 'code_refused', code)).toMatchObject({ actor: 'web', clientId: null, subject: null });
    tokensOf(await present(code));
  });

  test('TAC-04, TOK-05 failed or missing client authentication → 401, nothing is spent', async () => {
    const code = await newCode();
    const before = storedState(fixture);
    expect(errorFault(await present(code, {}, { ...web, secret: 'wrong' }), 401, 'invalid_client')).toBeNull();
    expect(errorFault(await present(code, {}, { ...web, secret: null }), 401, 'invalid_client')).toBeNull();
    expect(errorFault(await post(homeUrl(fixture, acme, 'token'), encoded({ grant_type: 'authorization_code', code, code_verifier: VERIFIER })), 401, 'invalid_client')).toBeNull();
    expect(storedState(fixture)).toBe(before);
    tokensOf(await present(code));
  });

  test('TOK-04 a client without the grant → unauthorized_client', async () => {
    const { id, secret } = watcher;
    expect(errorFault(await present(await newCode(), {}, { id, secret, uri: web.uri }), 400, 'unauthorized_client')).toBeNull();
  });

  test('TOK-16 wrong verifiers: four leave it good, the fifth spends it for everybody', async () => {
    const [good, spent] = [await newCode(), await newCode()];
    for (let count = 0; count < 4; count += 1) await refused(good, { code_verifier: WRONG });
    const { access } = tokensOf(await present(good));
    expect(await isActive(access)).toBe(true);
    for (let count = 0; count < 5; count += 1) await refused(spent, { code_verifier: WRONG });
    await refused(spent);
    expect(await untilAudited(fixture, acme, 'code_refused', spent, (event) => event.reason === 'spent')).toMatchObject({ outcome: 'denied' });
  });

  test('TOK-16, TAC-07, TAC-09 nothing but a wrong verifier counts', async () => {
    const code = await newCode();
    for (let count = 0; count < 6; count += 1) {
      for (const change of [{ code_verifier: undefined }, { code_verifier: 'short' }, { redirect_uri: 'https://evil.example/' }]) await refused(code, change);
      await refused(code, { code_verifier: WRONG }, rival);
    }
    tokensOf(await present(code));
  });
});

describe('OAuth 2.1 §4.1.3 · once', () => {
  test.each(['web', 'opaque'])('TAC-10, INT-89, INT-91 %s: a second right use → invalid_grant, and all that came of the first is worthless', async (id) => {
    const app = { web, opaque }[id] ?? web;
    const code = await newCode(app);
    const tokens = tokensOf(await present(code, {}, app));
    const next = tokensOf(await refresh(fixture, acme, app, tokens.refresh));
    expect([await isActive(tokens.access), await isActive(tokens.refresh), await isActive(next.refresh)]).toEqual([true, false, true]);
    await refused(code, {}, app);
    for (const token of [tokens.access, tokens.refresh, next.access, next.refresh]) expect(await introspect(fixture, acme, watcher, token)).toEqual({ active: false });
    expect(errorFault(await refresh(fixture, acme, app, next.refresh), 400, 'invalid_grant')).toBeNull();
    expect(await untilAudited(fixture, acme, 'code_replayed', code)).toMatchObject({ actor: app.id, clientId: app.id, subject: alice.id, outcome: 'denied' });
    await refused(code, {}, app);
  });

  test('TAC-11 a second use with a wrong verifier, redirect URI, client or secret ends nothing', async () => {
    const code = await newCode();
    const tokens = tokensOf(await present(code));
    const before = storedState(fixture);
    for (const change of [{ code_verifier: WRONG }, { code_verifier: undefined }, { redirect_uri: 'https://evil.example/' }]) await refused(code, change);
    await refused(code, {}, rival);
    expect(errorFault(await present(code, {}, { ...web, secret: 'wrong' }), 401, 'invalid_client')).toBeNull();
    expect(storedState(fixture)).toBe(before);
    expect([await isActive(tokens.access), await isActive(tokens.refresh)]).toEqual([true, true]);
  });

  test.each(['web', 'spa', 'opaque'])('TAC-12 %s: 50 at once → one 200, 49 invalid_grant, and the tokens of the one are worthless', async (id) => {
    const app = { web, spa, opaque }[id] ?? web;
    const code = await newCode(app, { scope: 'openid a' });
    const answers = await Promise.all(Array.from({ length: 50 }, () => present(code, {}, app)));
    const good = answers.filter(({ status }) => status === 200);
    expect(good).toHaveLength(1);
    for (const answer of answers.filter(({ status }) => status !== 200)) expect(errorFault(answer, 400, 'invalid_grant')).toBeNull();
    const tokens = tokensOf(good[0] as Answer);
    for (const token of [tokens.access, tokens.refresh]) expect(await introspect(fixture, acme, watcher, token)).toEqual({ active: false });
  });

  test('TAC-12, TOK-16 50 wrong verifiers at once: none gets in, and the code is spent', async () => {
    const code = await newCode();
    const answers = await Promise.all(Array.from({ length: 50 }, () => present(code, { code_verifier: WRONG })));
    for (const answer of answers) expect(errorFault(answer, 400, 'invalid_grant')).toBeNull();
    await refused(code);
  });
});

describe('time, and what a code stands on', () => {
  const options: HttpOptions = { proxies: { none: true, has: () => false }, readiness: { stopping: false, clockBehindMs: () => 0 }, docs: false, bootId: 'test', logRequests: false, mailbox: false };

  /** A server of this process over the same data, so much later. */
  function later(ms: number, tenant = acme): (endpoint: 'token' | 'introspect', form: Asked, as: { readonly id: string; readonly secret: string | null }) => Promise<Answer> {
    const { ctx } = fixture.application;
    const handler = makeRequestHandler({ ...ctx, clock: { ...ctx.clock, now: () => Date.now() + ms } }, options);
    return async (endpoint, form, as) => wholeAnswer(await handler(new Request(homeUrl(fixture, tenant, endpoint), {
      method: 'POST', body: encoded(form), headers: { 'Host': ctx.origin().host, 'Content-Type': 'application/x-www-form-urlencoded', 'Authorization': basic(as.id, as.secret ?? '') },
    }), null));
  }
  const codeForm = (code: string): Asked => ({ grant_type: 'authorization_code', code, code_verifier: VERIFIER });

  test('TAC-03, TAC-13 good for a minute: a little before its end → 200, after → invalid_grant', async () => {
    const [soon, late] = [await newCode(), await newCode()];
    expect((await later(50_000)('token', codeForm(soon), web)).status).toBe(200);
    expect(parseObject((await later(60_001)('token', codeForm(late), web)).body)['error']).toBe('invalid_grant');
    tokensOf(await present(late));
  });

  test('INT-92, TRT-16, TRT-21 refresh token: at the end of its session, or, offline, of its own life → inactive and invalid_grant, however often it was rotated', async () => {
    const hour = 3_600_000;
    const short = await makeTenant(fixture, 'short', { preset: 'kotauth', refreshTokenTtl: 7200, people: { sessionTtl: 3600 } });
    const app = await makeApp(fixture, short, 'web', { firstParty: true });
    const caller = await makeClient(fixture, short, 'watcher', { introspect: 'tenant' });
    await makePerson(fixture, short, 'alice');
    const rows = [['openid', hour - 60_000, true], ['openid', hour, false], ['openid offline_access', hour + 1000, true], ['openid offline_access', 2 * hour - 60_000, true], ['openid offline_access', 2 * hour, false]] as const;
    for (const [scope, ms, good] of rows) {
      const { refresh: former } = await tokensFor(fixture, short, app, 'alice', { scope });
      const { refresh: next } = tokensOf(await refresh(fixture, short, app, former));
      const ask = later(ms, short);
      expect([scope, ms, parseObject((await ask('introspect', { token: next }, caller)).body)['active']]).toEqual([scope, ms, good]);
      expect([scope, ms, (await ask('token', { grant_type: 'refresh_token', refresh_token: next }, app)).status]).toEqual([scope, ms, good ? 200 : 400]);
    }
  });

  test('TAC-15, INT-85 user disabled between code and token, also when enabled again → invalid_grant', async () => {
    const { person: dan } = await somebody('dan');
    const [one, two] = [await newCode(web, {}, dan), await newCode(web, {}, dan)];
    must(await setUserEnabled(fixture.application.ctx, acme, 'dan', false));
    await refused(one);
    must(await setUserEnabled(fixture.application.ctx, acme, 'dan', true));
    await refused(two);
    expect(await untilAudited(fixture, acme, 'code_refused', two)).toMatchObject({ reason: 'user_disabled' });
  });

  test('TAC-15 user deleted, or signed out everywhere between code and token → invalid_grant', async () => {
    const { person: eve } = await somebody('eve');
    const code = await newCode(web, {}, eve);
    must(await endUserSessions(fixture.application.ctx, acme, 'eve'));
    await refused(code);
    const { person: gone } = await somebody('gone');
    const last = await newCode(web, {}, gone);
    must(await deleteUser(fixture.application.ctx, acme, 'gone'));
    await refused(last);
  });

  test('TAC-15 client or tenant disabled and enabled again, scopes taken away', async () => {
    const { ctx } = fixture.application;
    const fickle = await makeApp(fixture, acme, 'fickle', { firstParty: true });
    const code = await newCode(fickle);
    must(await setClientEnabled(ctx, acme, 'fickle', false));
    expect(errorFault(await present(code, {}, fickle), 401, 'invalid_client')).toBeNull();
    must(await setClientEnabled(ctx, acme, 'fickle', true));
    await refused(code, {}, fickle);
    const shrunk = await newCode(fickle, { scope: 'openid a b' });
    must(await updateClient(ctx, acme, 'fickle', { scopes: ['openid', 'a'] }));
    expect(tokensOf(await present(shrunk, {}, fickle)).scope).toBe('openid a');

    const brief = await makeTenant(fixture, 'brief', { preset: 'kotauth' });
    const app = await makeApp(fixture, brief, 'web', { firstParty: true });
    await makePerson(fixture, brief, 'alice');
    const { code: held } = await signedIn(fixture, brief, app, 'alice');
    must(await setTenantEnabled(ctx, 'brief', false));
    expect(errorFault(await redeem(fixture, brief, app, held), 404, 'not_found')).toBeNull();
    must(await setTenantEnabled(ctx, 'brief', true));
    expect(errorFault(await redeem(fixture, brief, app, held), 400, 'invalid_grant')).toBeNull();
  });

  test('TAC-19, CR-04, UI-08 the database holds no code, cookie, or refresh token: only digests', async () => {
    const { code, person: by } = await signedIn(fixture, acme, web, 'alice');
    const { refresh: token } = tokensOf(await present(code));
    const waiting = await newCode();
    const bytes = ['assay.db', 'assay.db-wal'].map((name) => join(fixture.server.data, name)).filter((path) => existsSync(path)).map((path) => readFileSync(path).toString('latin1')).join('');
    for (const secret of [code, waiting, token, by.cookie('sid') ?? '', by.cookie('bid') ?? '', VERIFIER]) expect(bytes).not.toContain(secret);
    for (const secret of [code, waiting, token, by.cookie('sid') ?? '']) expect(bytes).toContain(digestOf(secret));
    await refused(digestOf(waiting));
    expect((await auditOf(fixture, acme, 'authorization_granted')).some((event) => JSON.stringify(event).includes(waiting))).toBe(false);
    expect(fixture.server.logs()).not.toContain(waiting);
  });
});

describe('tokens of a person who signed in', () => {
  test('TRT-13 20 refreshes at once: one and the same successor, which is good; every access token is', async () => {
    const { refresh: token } = tokensOf(await present(await newCode()));
    const answers = (await Promise.all(Array.from({ length: 20 }, () => refresh(fixture, acme, web, token)))).map((answer) => tokensOf(answer));
    expect(new Set(answers.map((answer) => answer.refresh)).size).toBe(1);
    for (const { access, id } of answers) expect([await isActive(access), id !== '']).toEqual([true, true]);
    tokensOf(await refresh(fixture, acme, web, answers[0]?.refresh ?? ''));
  });

  test('TRT-09, INT-88 a spent one after the grace: the family is over', async () => {
    const first = tokensOf(await present(await newCode()));
    const second = tokensOf(await refresh(fixture, acme, web, first.refresh));
    await Bun.sleep(GRACE_S * 1000 + 100);
    expect(errorFault(await refresh(fixture, acme, web, first.refresh), 400, 'invalid_grant')).toBeNull();
    for (const token of [first.access, second.access, second.refresh]) expect(await isActive(token)).toBe(false);
  });

  test('TRT-20, INT-85 the user is disabled while 20 refreshes are under way: whatever they brought is worthless', async () => {
    const { access, refresh: token } = await somebody('frank');
    const asking = Array.from({ length: 20 }, () => refresh(fixture, acme, web, token));
    must(await setUserEnabled(fixture.application.ctx, acme, 'frank', false));
    const answers = await Promise.all(asking);
    const brought = answers.filter(({ status }) => status === 200).map((answer) => tokensOf(answer));
    for (const each of [access, token, ...brought.flatMap((tokens) => [tokens.access, tokens.refresh])]) expect(await isActive(each)).toBe(false);
    must(await setUserEnabled(fixture.application.ctx, acme, 'frank', true));
    for (const each of [token, ...brought.map((tokens) => tokens.refresh)]) expect(errorFault(await refresh(fixture, acme, web, each), 400, 'invalid_grant')).toBeNull();
    expect(await isActive(access)).toBe(false);
  });

  test('INT-86 the client\'s tokens revoked, or it is disabled → inactive', async () => {
    const { ctx } = fixture.application;
    const app = await makeApp(fixture, acme, 'fallen', { firstParty: true });
    const one = tokensOf(await present(await newCode(app), {}, app));
    must(await revokeClientTokens(ctx, acme, 'fallen'));
    expect([await isActive(one.access), await isActive(one.refresh)]).toEqual([false, false]);
    const two = tokensOf(await present(await newCode(app), {}, app));
    expect(await isActive(two.access)).toBe(true);
    must(await setClientEnabled(ctx, acme, 'fallen', false));
    expect([await isActive(two.access), await isActive(two.refresh)]).toEqual([false, false]);
  });

  test('TRT-21, UI-06 signing out ends what is bound to the session, not what is for offline use', async () => {
    const { person: grace, access, refresh: bound } = await somebody('grace');
    const offline = tokensOf(await present(await newCode(web, { scope: 'openid offline_access' }, grace)));
    const page = await grace.open('/t/acme/protocol/openid-connect/logout');
    expect(page.forms[0]?.fields['step']).toBe('logout');
    await grace.submit({}, { form: { step: 'logout' } });
    expect([await isActive(access), await isActive(bound)]).toEqual([false, false]);
    expect(errorFault(await refresh(fixture, acme, web, bound), 400, 'invalid_grant')).toBeNull();
    expect(await isActive(offline.access)).toBe(true);
    tokensOf(await refresh(fixture, acme, web, offline.refresh));
    expect((await grace.open(authorizeUrl(fixture, acme, web, { prompt: 'none' }))).location).toContain('error=login_required');
  });

  test('INT-90 password changed and signed out everywhere: every earlier token is worthless, offline ones too; without it they stay', async () => {
    for (const everywhere of [true, false]) {
      const { person: heidi, access, refresh: bound } = await somebody(everywhere ? 'heidi' : 'ivan');
      const offline = tokensOf(await present(await newCode(web, { scope: 'openid offline_access' }, heidi)));
      await heidi.open('/t/acme/account/security');
      const next = `${PASSWORD} anew`;
      const page = await heidi.submit({ current: PASSWORD, password: next, again: next, everywhere: everywhere ? 'yes' : '' }, { form: { act: 'password' } });
      expect(page.status).toBe(200);
      if (!everywhere) {
        expect([await isActive(access), await isActive(bound), await isActive(offline.access)]).toEqual([true, true, true]);
        continue;
      }
      for (const token of [access, bound, offline.access, offline.refresh]) expect(await isActive(token)).toBe(false);
      const stranger = someone(fixture);
      await stranger.open(authorizeUrl(fixture, acme, web));
      expect((await signIn(stranger, 'heidi')).status).toBe(400);
      codeOf(await stranger.submit({ username: 'heidi', password: next }, { form: { step: 'password' } }));
    }
  });

  test('TRT-01, TRT-03, TRT-23 a refresh within what was granted', async () => {
    const tokens = tokensOf(await present(await newCode(web, { scope: 'openid email a' })));
    const less = tokensOf(await refresh(fixture, acme, web, tokens.refresh, { scope: 'a' }));
    expect([less.scope, less.id]).toEqual(['a', '']);
    expect(errorFault(await refresh(fixture, acme, web, less.refresh, { scope: 'a b' }), 400, 'invalid_scope')).toBeNull();
    const all = tokensOf(await refresh(fixture, acme, web, less.refresh));
    expect([all.scope, all.id !== '']).toEqual(['openid email a', true]);
  });

  test('TAC-17, RI-04, RI-07 one of the authorized resources is chosen with the code', async () => {
    const code = await newCode(web, { scope: 'a b', resource: [API, OTHER_API], nonce: undefined });
    const tokens = tokensOf(await present(code, { resource: API }));
    expect(decodeJwt(tokens.access).claims['aud']).toBe(API);
    expect(decodeJwt(tokensOf(await refresh(fixture, acme, web, tokens.refresh, { resource: OTHER_API, scope: 'b' })).access).claims['aud']).toBe(OTHER_API);
  });

  test('US-07, US-12 userinfo tells of the person of the token; a code is none', async () => {
    const { access } = tokensOf(await present(await newCode(web, { scope: 'openid email' })));
    const told = parseObject((await send(homeUrl(fixture, acme, 'userinfo'), { headers: { Authorization: `Bearer ${access}` } })).body);
    expect(told).toEqual({ sub: alice.id, email: 'alice@example.com', email_verified: true });
    expect((await send(homeUrl(fixture, acme, 'userinfo'), { headers: { Authorization: `Bearer ${await newCode()}` } })).status).toBe(401);
  });

  test('AZ-42, TAC-01 a native application: asked each time, public, with PKCE', async () => {
    const cli = await makeApp(fixture, acme, 'cli', { public: true, redirectUris: ['http://127.0.0.1/cb'] });
    for (let again = 0; again < 2; again += 1) {
      await person.open(`${homeUrl(fixture, acme, 'authorize')}?${encoded(asked(cli, { redirect_uri: 'http://127.0.0.1:49180/cb' }))}`);
      tokensOf(await present(codeOf(await decide(person, 'allow')), { redirect_uri: 'http://127.0.0.1:49180/cb' }, cli));
    }
  });
});
