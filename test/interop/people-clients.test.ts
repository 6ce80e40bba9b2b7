/**
 * Clients that nobody here wrote sign somebody in, against a running server: discovery → authorization code → userinfo →
 * refresh → logout, each as strict as it can be. The person fills in our forms without scripts.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { createServer, type IncomingMessage } from 'node:http';
import { createLocalJWKSet, jwtVerify } from 'jose';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import passport from 'passport';
import { Strategy, type Profile } from 'passport-openidconnect';
import type { Tenant } from '../../src/core/model.ts';
import type { TenantChange } from '../../src/core/tenant-settings.ts';
import { discover, localFetch } from '../helpers/app.ts';
import { failureOf, freePort, homeUrl, issuer, makeTenant, startFixture, until, urlOf, type Fixture } from '../helpers/fixture.ts';
import { decide, makeApp, makePerson, signIn, someone, type App } from '../helpers/flow.ts';
import type { Person } from '../helpers/person.ts';
import { startReceiver, type Receiver } from '../outbound/receiver.ts';

/** Where they live. */
const homes: Readonly<Record<string, TenantChange>> = {
  root: { layout: 'root', algorithm: 'ES256' }, realm: { layout: 'realm', algorithm: 'RS256' }, org: { layout: 'org', algorithm: 'EdDSA' },
};

type Place = { readonly tenant: Tenant; readonly iss: string; readonly app: App; readonly loose: App };

let fixture: Fixture;
let receiver: Receiver;
let callback: string;
const places = new Map<string, Place>();

beforeAll(async () => {
  fixture = await startFixture({ env: { ASSAY_LOOPBACK_TARGETS: 'allow' } });
  receiver = await startReceiver();
  callback = `http://127.0.0.1:${await freePort()}/cb`;
  for (const [name, change] of Object.entries(homes)) {
    const tenant = await makeTenant(fixture, name, change);
    const app = await makeApp(fixture, tenant, 'app', { postLogoutRedirectUris: ['https://app.example/bye'], backchannelLogoutUri: `http://127.0.0.1:${receiver.port}/${name}` });
    // passport-openidconnect knows no PKCE.
    const loose = await makeApp(fixture, tenant, 'loose', { redirectUris: [callback], requirePkce: false });
    await makePerson(fixture, tenant, 'alice');
    places.set(name, { tenant, iss: issuer(fixture, tenant), app, loose });
  }
});
afterAll(async () => {
  await fixture.close();
  await receiver.close();
});

function placeOf(name: string): Place {
  const place = places.get(name);
  if (place === undefined) throw new Error(`no place ${name}`);
  return place;
}

/** Somebody signs in on the way of an application's request, and allows what it asks for. Out: where they are led. */
async function pass(person: Person, url: URL): Promise<URL> {
  await person.open(url.href);
  if (person.page.location === null) await signIn(person, 'alice');
  if (person.page.location === null) await decide(person, 'allow');
  if (person.page.location === null) throw new Error(`it leads nowhere: ${person.page.status} ${person.page.url} ${person.page.text.slice(0, 300)}`);
  return new URL(person.page.location);
}

/** Somebody leaves by an application's wish. Out: where they are led. */
async function leaveBy(person: Person, url: URL): Promise<string> {
  const { location, status, text } = await person.open(url.href);
  if (location === null) throw new Error(`nobody is led anywhere: ${status} ${text.slice(0, 300)}`);
  return location;
}

describe.each(Object.keys(homes))('at the layout %s', (name) => {
  test('openid-client: code with PKCE, state and nonce; userinfo; refresh; logout', async () => {
    const { app, iss, tenant } = placeOf(name);
    const config = await discover(iss, app.id, app.secret);
    const [verifier, state, nonce] = [openid.randomPKCECodeVerifier(), openid.randomState(), openid.randomNonce()];
    const url = openid.buildAuthorizationUrl(config, {
      redirect_uri: app.uri, scope: 'openid profile email offline_access a', state, nonce, max_age: '3600',
      code_challenge: await openid.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
    });
    const person = someone(fixture);
    const answer = await pass(person, url);
    const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, maxAge: 3600, idTokenExpected: true };
    const tokens = await openid.authorizationCodeGrant(config, answer, checks);
    const claims = tokens.claims();
    expect(claims).toMatchObject({ iss, aud: app.id, nonce, acr: '1fa', amr: ['pwd'], auth_time: expect.any(Number), sid: expect.any(String) });
    const sub = claims?.sub ?? '';
    expect(await openid.fetchUserInfo(config, tokens.access_token, sub)).toEqual({
      sub, name: 'The alice', preferred_username: 'alice', email: 'alice@example.com', email_verified: true,
    });
    const refreshed = await openid.refreshTokenGrant(config, tokens.refresh_token ?? '');
    expect(refreshed.claims()).toMatchObject({ iss, sub, aud: app.id, auth_time: claims?.auth_time });
    expect(await openid.tokenIntrospection(config, refreshed.access_token)).toMatchObject({ active: true, sub, username: 'alice@example.com' });
    // The same code again: refused, and what came of it is over (RFC 6749 §4.1.2).
    expect(await failureOf(openid.authorizationCodeGrant(config, answer, checks))).toMatchObject({ error: 'invalid_grant' });
    expect(await openid.tokenIntrospection(config, refreshed.access_token)).toEqual({ active: false });

    const end = openid.buildEndSessionUrl(config, { id_token_hint: tokens.id_token ?? '', post_logout_redirect_uri: 'https://app.example/bye', state: 's&1' });
    expect(await leaveBy(person, end)).toBe('https://app.example/bye?state=s%261');
    expect((await person.open(urlOf(fixture, tenant, tenant.layout, 'authorize') + url.search)).location).toBeNull();
  });

  test('oauth4webapi: iss, nonce, max_age and the ID token\'s signature; refresh; RP-initiated and back-channel logout', async () => {
    const { app, iss } = placeOf(name);
    // Called deprecated only to make it stand out; here the server is on loopback.
    // oxlint-disable-next-line typescript/no-deprecated
    const options = { [oauth.customFetch]: localFetch, [oauth.allowInsecureRequests]: true };
    const as = await oauth.processDiscoveryResponse(new URL(iss), await oauth.discoveryRequest(new URL(iss), options));
    const client: oauth.Client = { client_id: app.id, default_max_age: 600, require_auth_time: true };
    const auth = oauth.ClientSecretBasic(app.secret ?? '');
    const [verifier, state, nonce] = [oauth.generateRandomCodeVerifier(), oauth.generateRandomState(), oauth.generateRandomNonce()];
    const url = new URL(as.authorization_endpoint ?? '');
    url.search = new URLSearchParams({
      client_id: app.id, redirect_uri: app.uri, response_type: 'code', scope: 'openid email a', state, nonce, max_age: '600',
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
    }).toString();
    const person = someone(fixture);
    const answer = await pass(person, url);
    const elsewhere = new URL(answer);
    elsewhere.searchParams.set('iss', 'https://evil.example');
    expect(() => oauth.validateAuthResponse(as, client, elsewhere, state)).toThrow('iss');
    const parameters = oauth.validateAuthResponse(as, client, answer, state);
    const response = await oauth.authorizationCodeGrantRequest(as, client, auth, parameters, app.uri, verifier, options);
    const tokens = await oauth.processAuthorizationCodeResponse(as, client, response, { expectedNonce: nonce, requireIdToken: true });
    await oauth.validateApplicationLevelSignature(as, response, options);
    const claims = oauth.getValidatedIdTokenClaims(tokens);
    const sub = claims?.sub ?? '';
    expect(await oauth.processUserInfoResponse(as, client, sub, await oauth.userInfoRequest(as, client, tokens.access_token, options))).toEqual({ sub, email: 'alice@example.com', email_verified: true });
    const refreshed = await oauth.processRefreshTokenResponse(as, client, await oauth.refreshTokenGrantRequest(as, client, auth, tokens.refresh_token ?? '', options));
    expect(refreshed.refresh_token).not.toBe(tokens.refresh_token);

    const end = new URL(as.end_session_endpoint ?? '');
    end.search = new URLSearchParams({ id_token_hint: refreshed.id_token ?? tokens.id_token ?? '', post_logout_redirect_uri: 'https://app.example/bye' }).toString();
    expect(await leaveBy(person, end)).toBe('https://app.example/bye');
    const asked = await oauth.refreshTokenGrantRequest(as, client, auth, refreshed.refresh_token ?? '', options);
    expect(await failureOf(oauth.processRefreshTokenResponse(as, client, asked))).toMatchObject({ error: 'invalid_grant' });
    expect(await oauth.processIntrospectionResponse(as, client, await oauth.introspectionRequest(as, client, auth, refreshed.access_token, options))).toEqual({ active: false });

    const told = () => receiver.calls.find(({ url: path, body }) => path === `/${name}` && sidOf(body) === claims?.['sid']);
    await until('the application hears of it', () => told() !== undefined);
    const token = new URLSearchParams(told()?.body).get('logout_token') ?? '';
    const keys = createLocalJWKSet(JSON.parse(await (await localFetch(as.jwks_uri ?? '')).text()));
    const { payload } = await jwtVerify(token, keys, { issuer: iss, audience: app.id, typ: 'logout+jwt', requiredClaims: ['iat', 'exp', 'jti', 'events'], maxTokenAge: 120 });
    expect(payload).toMatchObject({ sub, sid: claims?.['sid'], events: { 'http://schemas.openid.net/event/backchannel-logout': {} } });
    expect(payload['nonce']).toBeUndefined();
  });

  test('a public client without a secret: openid-client with PKCE alone', async () => {
    const { tenant, iss } = placeOf(name);
    const app = await makeApp(fixture, tenant, `spa-${name}`, { public: true });
    const config = await discover(iss, app.id, null);
    const [verifier, state] = [openid.randomPKCECodeVerifier(), openid.randomState()];
    const url = openid.buildAuthorizationUrl(config, {
      redirect_uri: app.uri, scope: 'openid', state, code_challenge: await openid.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
    });
    const answer = await pass(someone(fixture), url);
    const wrong = openid.authorizationCodeGrant(config, answer, { pkceCodeVerifier: openid.randomPKCECodeVerifier(), expectedState: state });
    expect(await failureOf(wrong)).toMatchObject({ error: 'invalid_grant' });
    const tokens = await openid.authorizationCodeGrant(config, answer, { pkceCodeVerifier: verifier, expectedState: state, idTokenExpected: true });
    await openid.tokenRevocation(config, tokens.refresh_token ?? tokens.access_token);
    expect(await failureOf(openid.fetchUserInfo(config, tokens.access_token, tokens.claims()?.sub ?? ''))).toBeInstanceOf(Error);
  });

  test('openid-client: an error comes back as one, with iss and state', async () => {
    const { app, iss } = placeOf(name);
    const config = await discover(iss, app.id, app.secret);
    const [verifier, state] = [openid.randomPKCECodeVerifier(), openid.randomState()];
    const challenge = { code_challenge: await openid.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256' };
    const silent = openid.buildAuthorizationUrl(config, { redirect_uri: app.uri, scope: 'openid', state, prompt: 'none', ...challenge });
    const { location } = await someone(fixture).open(silent.href);
    expect(await failureOf(openid.authorizationCodeGrant(config, new URL(location ?? ''), { pkceCodeVerifier: verifier, expectedState: state }))).toMatchObject({ error: 'login_required' });
  });

  test('passport-openidconnect in a server of node:http', async () => {
    const { tenant, iss, loose } = placeOf(name);
    // It resolves names by itself, which for x.localhost not every machine can: then by path.
    const direct = tenant.host === null ? tenant.layout : 'realm';
    const rp = new passport.Passport();
    rp.use(new Strategy({
      issuer: iss, authorizationURL: homeUrl(fixture, tenant, 'authorize'), tokenURL: urlOf(fixture, tenant, direct, 'token'), userInfoURL: urlOf(fixture, tenant, direct, 'userinfo'),
      clientID: loose.id, clientSecret: loose.secret ?? '', callbackURL: callback, scope: ['profile', 'email'], nonce: 'yes', skipUserProfile: false,
    }, (issued: string, profile: Profile, done: (error: Error | null, user?: object) => void) => done(null, { issued, profile })));
    const session = {};
    const server = createServer((request: IncomingMessage & { user?: unknown }, response) => {
      const query = Object.fromEntries(new URL(request.url ?? '/', callback).searchParams);
      const next = (error?: unknown): void => {
        response.end(JSON.stringify(error === undefined ? request.user : { error: error instanceof Error ? error.message : error }));
      };
      rp.authenticate('openidconnect', { session: false })(Object.assign(request, { session, query }), response, next);
    });
    await new Promise<void>((resolve) => { server.listen(Number(new URL(callback).port), '127.0.0.1', resolve); });
    try {
      const begun = await fetch(new URL('/login', callback), { redirect: 'manual' });
      const answer = await pass(someone(fixture), new URL(begun.headers.get('location') ?? ''));
      const arrived = await fetch(answer, { redirect: 'manual' });
      expect([arrived.status, await arrived.json()]).toEqual([200, {
        issued: iss, profile: expect.objectContaining({ id: expect.any(String), displayName: 'The alice', username: 'alice', emails: [{ value: 'alice@example.com' }] }),
      }]);
      // Its state is good once.
      expect((await fetch(answer, { redirect: 'manual' })).status).toBe(403);
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => { server.close(resolve); });
    }
  });
});

/** The session that a logout token in a form speaks of. */
function sidOf(body: string): unknown {
  const [, claims = ''] = (new URLSearchParams(body).get('logout_token') ?? '').split('.');
  const members: unknown = JSON.parse(Buffer.from(claims, 'base64url').toString() || '{}');
  return typeof members === 'object' && members !== null && 'sid' in members ? members.sid : undefined;
}
