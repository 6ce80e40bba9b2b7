/**
 * Clients that nobody here wrote, against a running server, over http and https: discovery → client credentials →
 * introspection → revocation → introspection, each as strict as it can be.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { OAuth2Client } from '@badgateway/oauth2-client';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { ClientCredentials } from 'simple-oauth2';
import type { Tenant } from '../../src/core/model.ts';
import type { TenantChange } from '../../src/core/tenant-settings.ts';
import { makeCertificate, type Certificate } from '../helpers/certificate.ts';
import {
  defaultTenant, failureOf, introspect, issuePair, issuer, makeClient, makeTenant, makeUser, startFixture, urlOf, type Credentials, type Fixture,
} from '../helpers/fixture.ts';
import { needProgram } from '../helpers/programs.ts';

const openssl = await needProgram('openssl');
const certificate = openssl === undefined ? undefined : makeCertificate(openssl);
// Both call it deprecated only to make it stand out; here the transport is what is tried.
// oxlint-disable-next-line typescript/no-deprecated
const overHttp = { request: oauth.allowInsecureRequests, configuration: openid.allowInsecureRequests } as const;
const grants = ['client_credentials', 'authorization_code', 'refresh_token'] as const;

/** Where clients live: each layout as the home of a tenant. */
const homes: Readonly<Record<string, TenantChange | null>> = {
  default: null, realm: { preset: 'kotauth', algorithm: 'RS256' }, org: { preset: 'lumoauth', algorithm: 'PS256' }, hostname: { preset: 'workos', algorithm: 'ES256' }, avnology: { preset: 'avnology', algorithm: 'EdDSA' },
};

for (const scheme of ['http', 'https'] as const) {
  const skip = scheme === 'https' && certificate === undefined;
  describe.skipIf(skip)(`over ${scheme}`, () => {
    let fixture: Fixture;
    const places = new Map<string, { readonly tenant: Tenant; readonly client: Credentials; readonly issuer: string }>();
    const trusting = trustingFetch(scheme === 'https' ? certificate : undefined);

    beforeAll(async () => {
      fixture = await startFixture(scheme === 'https' && certificate !== undefined ? { certificate } : {});
      for (const [name, change] of Object.entries(homes)) {
        const tenant = change === null ? await defaultTenant(fixture) : await makeTenant(fixture, name, change);
        const client = await makeClient(fixture, tenant, `client-${name}`, { grants, scopes: ['read', 'write'] });
        await makeUser(fixture, tenant, 'alice');
        places.set(name, { tenant, client, issuer: issuer(fixture, tenant) });
      }
    });
    afterAll(() => fixture.close());

    const placeOf = (name: string) => places.get(name) ?? (() => { throw new Error(`no place ${name}`); })();

    for (const name of Object.keys(homes)) {
      for (const algorithm of ['oidc', 'oauth2'] as const) {
        test(`oauth4webapi at ${name}, discovery by ${algorithm}`, async () => {
          const { client: credentials, issuer: iss } = placeOf(name);
          const options = { [oauth.customFetch]: trusting, [overHttp.request]: scheme === 'http' };
          const url = new URL(iss);
          const as = await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, { algorithm, ...options }));
          const client: oauth.Client = { client_id: credentials.id };
          for (const auth of [oauth.ClientSecretBasic(credentials.secret), oauth.ClientSecretPost(credentials.secret)]) {
            const granted = await oauth.processClientCredentialsResponse(as, client, await oauth.clientCredentialsGrantRequest(as, client, auth, { scope: 'read' }, options));
            expect(granted).toMatchObject({ token_type: 'bearer', scope: 'read' });
            const ask = async () => oauth.processIntrospectionResponse(as, client, await oauth.introspectionRequest(as, client, auth, granted.access_token, options));
            expect(await ask()).toMatchObject({ active: true, client_id: credentials.id, iss, scope: 'read' });
            const request = new Request('https://rs.example/', { headers: { Authorization: `Bearer ${granted.access_token}` } });
            const audience = String((await ask()).aud);
            expect(await oauth.validateJwtAccessToken(as, request, audience, options)).toMatchObject({ iss, client_id: credentials.id });
            await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, auth, granted.access_token, options));
            expect(await ask()).toEqual({ active: false });
          }
        });
      }

      test(`openid-client at ${name}`, async () => {
        const { client: credentials, issuer: iss } = placeOf(name);
        for (const auth of [openid.ClientSecretBasic(credentials.secret), openid.ClientSecretPost(credentials.secret)]) {
          const config = await openid.discovery(new URL(iss), credentials.id, {}, auth, {
            [openid.customFetch]: trusting, ...(scheme === 'http' && { execute: [overHttp.configuration] }),
          });
          expect(config.serverMetadata().issuer).toBe(iss);
          const granted = await openid.clientCredentialsGrant(config, { scope: 'read write' });
          expect(granted).toMatchObject({ token_type: 'bearer', expires_in: expect.any(Number) });
          expect(await openid.tokenIntrospection(config, granted.access_token, { token_type_hint: 'access_token' })).toMatchObject({ active: true, sub: credentials.id, iss });
          await openid.tokenRevocation(config, granted.access_token, { token_type_hint: 'access_token' });
          expect(await openid.tokenIntrospection(config, granted.access_token)).toEqual({ active: false });
          expect(await failureOf(openid.clientCredentialsGrant(config, { scope: 'admin' }))).toMatchObject({ error: 'invalid_scope' });
        }
      });

      test(`openid-client at ${name}: refresh, and revoke the refresh token`, async () => {
        const { client: credentials, issuer: iss, tenant } = placeOf(name);
        const config = await openid.discovery(new URL(iss), credentials.id, credentials.secret, undefined, {
          [openid.customFetch]: trusting, ...(scheme === 'http' && { execute: [overHttp.configuration] }),
        });
        const { access, refresh } = await issuePair(fixture, tenant, credentials.id, 'alice');
        const refreshed = await openid.refreshTokenGrant(config, refresh);
        expect(await openid.tokenIntrospection(config, refreshed.access_token)).toMatchObject({ active: true });
        await openid.tokenRevocation(config, refreshed.refresh_token ?? '', { token_type_hint: 'refresh_token' });
        for (const token of [access, refresh, refreshed.access_token, refreshed.refresh_token ?? '']) expect(await openid.tokenIntrospection(config, token)).toEqual({ active: false });
        expect(await failureOf(openid.refreshTokenGrant(config, refresh))).toMatchObject({ error: 'invalid_grant' });
      });

      for (const authorizationMethod of ['header', 'body'] as const) {
        test(`simple-oauth2 at ${name}, credentials in the ${authorizationMethod}`, async () => {
          const { client: credentials, tenant } = placeOf(name);
          // It resolves names by itself, which for x.localhost not every machine can: then by path.
          const layout = tenant.host === null ? tenant.layout : 'realm';
          const token = new URL(urlOf(fixture, tenant, layout, 'token'));
          const revoke = new URL(urlOf(fixture, tenant, layout, 'revoke'));
          const agent = scheme === 'http' ? new HttpAgent() : new HttpsAgent({ ca: certificate?.pem ?? '' });
          const client = new ClientCredentials({
            client: { id: credentials.id, secret: credentials.secret }, options: { authorizationMethod }, http: { agent },
            auth: { tokenHost: token.origin, tokenPath: token.pathname, revokePath: revoke.pathname },
          });
          // Strict about content types: it throws on an answer that is not JSON by its type, also on an empty one.
          const granted = await client.getToken({ scope: 'read' });
          const access = String(granted.token['access_token']);
          if (scheme === 'http') expect(await introspect(fixture, tenant, credentials, access)).toMatchObject({ active: true, scope: 'read' });
          await granted.revoke('access_token');
          await granted.revoke('access_token');
          if (scheme === 'http') expect(await introspect(fixture, tenant, credentials, access)).toEqual({ active: false });
          const pair = await issuePair(fixture, tenant, credentials.id, 'alice');
          const refreshed = await client.createToken({ access_token: pair.access, refresh_token: pair.refresh, expires_in: 300 }).refresh();
          await refreshed.revokeAll();
          expect(await failureOf(refreshed.refresh())).toBeInstanceOf(Error);
        });
      }

      for (const authenticationMethod of ['client_secret_basic', 'client_secret_post'] as const) {
        test(`@badgateway/oauth2-client at ${name} with ${authenticationMethod}`, async () => {
          const { client: credentials, issuer: iss } = placeOf(name);
          const client = new OAuth2Client({
            server: iss, discoveryEndpoint: `${iss}/.well-known/oauth-authorization-server`, clientId: credentials.id, clientSecret: credentials.secret, authenticationMethod,
            fetch: trusting as typeof fetch,
          });
          const granted = await client.clientCredentials({ scope: ['read'] });
          expect(granted.accessToken).toBeString();
          expect(await client.introspect(granted)).toMatchObject({ active: true, client_id: credentials.id, iss });
          await client.revoke(granted);
          expect(await client.introspect(granted)).toEqual({ active: false });
        });
      }
    }
  });
}

type Fetch = (url: string | URL | Request, init?: RequestInit) => Promise<Response>;

/** A fetch that knows the certificate, and reaches `x.localhost` where nothing resolves it. */
function trustingFetch(trusted: Certificate | undefined): Fetch {
  return async (input, init) => {
    const request = input instanceof Request ? new Request(input, init) : new Request(input.toString(), init);
    const { hostname, host, port, protocol } = new URL(request.url);
    const tls = trusted === undefined ? {} : { tls: { ca: trusted.pem, serverName: 'localhost' } };
    if (!hostname.endsWith('.localhost')) return fetch(request, tls);
    const headers = new Headers(request.headers);
    headers.set('Host', host);
    const url = request.url.replace(`${protocol}//${host}`, `${protocol}//127.0.0.1:${port}`);
    return fetch(url, { method: request.method, headers, redirect: request.redirect, ...(request.method === 'POST' && { body: await request.text() }), ...tls });
  };
}
