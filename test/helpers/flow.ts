/** The authorization code flow as its two sides see it: an application that asks, and a person who signs in and allows. */
import { expect } from 'bun:test';
import { createHash } from 'node:crypto';
import type { ClientChange } from '../../src/core/client-settings.ts';
import type { LayoutName, Tenant, User } from '../../src/core/model.ts';
import { en } from '../../src/pages/messages/en.ts';
import type { BrowserSession } from '../../src/core/people.ts';
import { digestOf } from '../../src/tokens/digest.ts';
import type { ErrorReason } from '../../src/pages/views.ts';
import { changePassword } from '../../src/service/credentials/password.ts';
import {
  homeUrl, issuer, jsonAnswer, makeClient, makePublicClient, makeUser, parseObject, post, urlOf, type Answer, type Fixture,
} from './fixture.ts';
import { newPerson, type Person, type PersonPage } from './person.ts';

export const PASSWORD = 'correct horse battery';
export const VERIFIER = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk';
export const CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url');

/** An application as its owner knows it; `secret` null: public. */
export type App = { readonly id: string; readonly secret: string | null; readonly uri: string };

/** Parameters of a request; a list repeats one, undefined leaves it out. */
export type Asked = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Makes an application for people. Its answers go to `https://ID.example/cb` unless told otherwise. */
export async function makeApp(fixture: Fixture, tenant: Tenant, id: string, change: ClientChange = {}): Promise<App> {
  const uri = change.redirectUris?.[0] ?? `https://${id}.example/cb`;
  const whole: ClientChange = { grants: ['authorization_code', 'refresh_token'], scopes: ['openid', 'profile', 'email', 'offline_access', 'a', 'b'], redirectUris: [uri], ...change };
  if (change.public === true) {
    const { public: _kind, ...settings } = whole;
    return { id: await makePublicClient(fixture, tenant, id, settings), secret: null, uri };
  }
  return { ...await makeClient(fixture, tenant, id, whole), uri };
}

/** Makes somebody who signs in with `PASSWORD`. */
export async function makePerson(fixture: Fixture, tenant: Tenant, username: string, email = `${username}@example.com`): Promise<User> {
  const user = await makeUser(fixture, tenant, username, email);
  const set = await changePassword(fixture.application.ctx, { tenant, from: { ip: null, requestId: null }, locale: 'en', device: null }, user, PASSWORD, { proofId: null, notice: null });
  if (!set.ok) throw new Error(set.problem);
  return user;
}

/** A good request of an application, changed. */
export function asked(app: App, change: Asked = {}): Asked {
  return {
    client_id: app.id, redirect_uri: app.uri, response_type: 'code', scope: 'openid', state: 'xyz-123', nonce: 'n-0S6_WzA2Mj', code_challenge: CHALLENGE, code_challenge_method: 'S256', ...change,
  };
}

/** Form-urlencoded parameters. */
export function encoded(parameters: Asked): string {
  const pairs = Object.entries(parameters).flatMap(([name, value]) => (value === undefined ? [] : (typeof value === 'string' ? [value] : value).map((each): [string, string] => [name, each])));
  return new URLSearchParams(pairs).toString();
}

/** Where a person is sent with a request. */
export function authorizeUrl(fixture: Fixture, tenant: Tenant, app: App, change: Asked = {}, layout: LayoutName = tenant.layout, alias = 0): string {
  return `${urlOf(fixture, tenant, layout, 'authorize', alias)}?${encoded(asked(app, change))}`;
}

/** Somebody at a browser of their own. */
export function someone({ server }: Pick<Fixture, 'server'>): Person {
  return newPerson(server.url);
}

/** Fills in the sign-in page's first form. */
export function signIn(person: Person, username: string, password = PASSWORD): Promise<PersonPage> {
  return person.submit({ username, password }, { form: { step: 'password' } });
}

/** Decides on the consent page. */
export function decide(person: Person, decision: 'allow' | 'deny', fields: Readonly<Record<string, string>> = {}): Promise<PersonPage> {
  return person.submit(fields, { form: { step: 'consent' }, button: ['decision', decision] });
}

/** Somebody who is signed in at an application, and what the application got. */
export async function signedIn(fixture: Fixture, tenant: Tenant, app: App, username: string, change: Asked = {}): Promise<{ readonly person: Person; readonly code: string }> {
  const person = someone(fixture);
  await person.open(authorizeUrl(fixture, tenant, app, change));
  let page = await signIn(person, username);
  if (page.location === null && page.forms.some(({ fields }) => fields['step'] === 'consent')) page = await decide(person, 'allow');
  return { person, code: codeOf(page) };
}

/**
 * Somebody who signed in some time ago, as the storage has it: for sessions that nobody waits for. The browser has its
 * cookie already.
 */
export async function withSession(fixture: Fixture, tenant: Tenant, user: User, change: Partial<BrowserSession> = {}): Promise<{ readonly person: Person; readonly session: BrowserSession; readonly secret: string }> {
  const { store, random } = fixture.application.ctx;
  const [secret, nowMs] = [random.text(32), Date.now()];
  const session: BrowserSession = {
    id: `ses_${random.text(16)}`, tenantId: tenant.id, userId: user.id, createdAtMs: nowMs, endedAtMs: null, secretDigest: digestOf(secret), authTimeMs: nowMs, amr: ['pwd'], acr: '1fa', lastSeenAtMs: nowMs,
    expiresAtMs: nowMs + 3_600_000, userAgent: null, ip: null, ...change,
  };
  await store.openBrowserSession({ session, replaces: null, progress: null }, { audit: [] });
  const person = someone(fixture);
  person.cookies.set(new URL(fixture.server.url).hostname, new Map([[`sid-${tenant.id}`, secret]]));
  return { person, session, secret };
}

/** A code without being asked anything: for an application that a signed-in person is not asked about. */
export async function silently(fixture: Fixture, tenant: Tenant, app: App, person: Person, change: Asked = {}): Promise<string> {
  return codeOf(await person.open(authorizeUrl(fixture, tenant, app, change)));
}

/** Where an answer leads, without its query's new members, and those in order. */
export function answerOf(location: string | null | undefined): { readonly to: string; readonly members: readonly (readonly [string, string])[] } {
  if (location === null || location === undefined) throw new Error('it leads nowhere');
  const mark = location.indexOf('?');
  return { to: mark === -1 ? location : location.slice(0, mark), members: mark === -1 ? [] : [...new URLSearchParams(location.slice(mark))] };
}

/** The code in an answer. @throws Error when there is none */
export function codeOf(page: Pick<PersonPage, 'location' | 'text' | 'url' | 'status'>): string {
  const code = page.location === null ? undefined : answerOf(page.location).members.find(([name]) => name === 'code')?.[1];
  if (code === undefined) throw new Error(`no code: ${page.status} ${page.url} ${page.location ?? page.text.slice(0, 300)}`);
  return code;
}

/** Presents a code as its application would, changed; undefined leaves a parameter out. */
export function redeem(fixture: Fixture, tenant: Tenant, app: App, code: string, change: Asked = {}, url = homeUrl(fixture, tenant, 'token')): Promise<Answer> {
  const form = encoded({ grant_type: 'authorization_code', code, redirect_uri: app.uri, code_verifier: VERIFIER, ...(app.secret === null && { client_id: app.id }), ...change });
  return post(url, form, app.secret === null ? null : { id: app.id, secret: app.secret });
}

/** Presents a refresh token. */
export function refresh(fixture: Fixture, tenant: Tenant, app: App, token: string, change: Asked = {}): Promise<Answer> {
  const form = encoded({ grant_type: 'refresh_token', refresh_token: token, ...(app.secret === null && { client_id: app.id }), ...change });
  return post(homeUrl(fixture, tenant, 'token'), form, app.secret === null ? null : { id: app.id, secret: app.secret });
}

export type Tokens = { readonly access: string; readonly refresh: string; readonly id: string; readonly scope: string; readonly names: readonly string[] };

/** Tokens of an answer that must be good; its headers and the members that never change are proven. */
export function tokensOf(answer: Answer, lifetime = 300): Tokens {
  expect(answer).toEqual(jsonAnswer(200, answer.body));
  const members = parseObject(answer.body);
  expect(members).toMatchObject({ token_type: 'Bearer', expires_in: lifetime });
  const text = (name: string): string => {
    const value = members[name];
    return typeof value === 'string' ? value : '';
  };
  return { access: text('access_token'), refresh: text('refresh_token'), id: text('id_token'), scope: text('scope'), names: Object.keys(members) };
}

/** Tokens of a person who signs in at an application. */
export async function tokensFor(fixture: Fixture, tenant: Tenant, app: App, username: string, change: Asked = {}): Promise<Tokens & { readonly person: Person }> {
  const { person, code } = await signedIn(fixture, tenant, app, username, change);
  return { ...tokensOf(await redeem(fixture, tenant, app, code), tenant.accessTokenTtl), person };
}

/** All headers of a redirect over http, but `Location` and cookies. */
export const redirectHeaders = { 'cache-control': 'no-store', 'content-length': '0', pragma: 'no-cache', 'referrer-policy': 'no-referrer', 'x-content-type-options': 'nosniff' } as const;

/** An answer is an error redirect and nothing else: code, exact state, iss (RFC 6749 §4.1.2.1, RFC 9207 §2). */
export function expectErrorRedirect(fixture: Fixture, tenant: Tenant, answer: Answer, error: string, { to, state = 'xyz-123' }: { readonly to: string; readonly state?: string | null }): void {
  const { location, ...headers } = answer.headers;
  expect({ status: answer.status, headers, body: answer.body }).toEqual({ status: 303, headers: redirectHeaders, body: '' });
  const led = answerOf(location);
  expect(led).toEqual({
    to, members: [['error', error], ['error_description', expect.stringMatching(/^[\x20\x21\x23-\x5B\x5D-\x7E]+$/)], ...(state === null ? [] : [['state', state] as const]), ['iss', issuer(fixture, tenant)]],
  } as never);
}

/** An answer is a page with every header of one, and leads nowhere (UI-01, UI-02). */
export function expectPage(answer: Answer, status: number, formAction = '\'self\''): void {
  const { 'content-length': length, 'content-security-policy': policy = '', ...headers } = answer.headers;
  expect({ status: answer.status, headers }).toEqual({
    status, headers: {
      'cache-control': 'no-store', 'content-language': 'en', 'content-type': 'text/html; charset=utf-8', 'cross-origin-opener-policy': 'same-origin',
      'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()', pragma: 'no-cache', 'referrer-policy': 'no-referrer', 'vary': 'Accept-Language, Cookie',
      'x-content-type-options': 'nosniff', 'x-frame-options': 'DENY',
    },
  });
  expect(Number(length)).toBe(Buffer.byteLength(answer.body));
  const style = createHash('sha256').update(/<style>([\s\S]*?)<\/style>/.exec(answer.body)?.[1] ?? '').digest('base64');
  expect(policy).toBe(`default-src 'none'; style-src 'sha256-${style}'; img-src 'self' data:; base-uri 'none'; form-action ${formAction}; frame-ancestors 'none'`);
}

/** The same, of a page that says what went wrong, without a form, a cookie, or anything to go on with. */
export function expectErrorPage(answer: Answer, status: number, reason: ErrorReason): void {
  expectPage(answer, status);
  const shown = answer.body.replace(/<style>[\s\S]*<\/style>/, '');
  expect(shown).toContain(en[`error.${reason}`].split('{brand}')[0]?.trim() ?? '');
  expect(shown).not.toContain('<form');
}
