/** Applications that people sign in at: a small web server with a strict client of its own (openid-client), and pages. */
import { escapeHTML } from 'bun';
import * as openid from 'openid-client';
import type { ClientChange } from '../../src/core/client-settings.ts';
import type { Tenant } from '../../src/core/model.ts';
import { issuer, makeClient, type Credentials, type Fixture } from './fixture.ts';

// Called deprecated only to make it stand out; these servers are on loopback.
// oxlint-disable-next-line typescript/no-deprecated
const overHttp = openid.allowInsecureRequests;

export type Fetch = (url: string | URL | Request, init?: RequestInit) => Promise<Response>;

/** A fetch that reaches `x.localhost` where nothing resolves it. */
export const localFetch: Fetch = async (input, init) => {
  const request = input instanceof Request ? new Request(input, init) : new Request(input.toString(), init);
  const { hostname, host, port, protocol } = new URL(request.url);
  if (!hostname.endsWith('.localhost')) return fetch(request);
  const headers = new Headers(request.headers);
  headers.set('Host', host);
  const url = request.url.replace(`${protocol}//${host}`, `${protocol}//127.0.0.1:${port}`);
  return fetch(url, { method: request.method, headers, redirect: request.redirect, ...(request.method === 'POST' && { body: await request.text() }) });
};

/** openid-client, having read the tenant's metadata. @param secret null: a public client */
export function discover(iss: string, id: string, secret: string | null): Promise<openid.Configuration> {
  return openid.discovery(new URL(iss), id, {}, secret === null ? openid.None() : openid.ClientSecretBasic(secret), {
    [openid.customFetch]: localFetch, execute: [overHttp],
  });
}

/** Tokens that an application got for somebody. */
export type Arrival = openid.TokenEndpointResponse & openid.TokenEndpointResponseHelpers;

/** A web server on 127.0.0.1 with pages that need nothing; what is not there is 404. */
export class AppServer {
  readonly pages = new Map<string, (url: URL, request: Request) => Response | Promise<Response>>();
  private readonly server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: (request) => this.answer(request) });
  readonly origin = `http://127.0.0.1:${this.server.port}`;

  close(): Promise<void> {
    return this.server.stop(true);
  }

  private async answer(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const page = this.pages.get(url.pathname);
    return page === undefined ? new Response('', { status: 404 }) : page(url, request);
  }
}

/** A page with one heading. */
export function plainPage(heading: string, more = ''): Response {
  const html = `<!doctype html><html lang="en"><head><title>${escapeHTML(heading)}</title><link rel="icon" href="data:,"></head><body><main><h1>${escapeHTML(heading)}</h1>${more}</main></body></html>`;
  return new Response(html, { headers: { 'Content-Type': 'text/html; charset=utf-8' } });
}

/**
 * A confidential client with a website. `/start` sends people to sign in, with its own query added to the request; `/cb`
 * says `Hello NAME` or `No: ERROR`; `/bye` says `Good bye`; `/leave` signs out, `/leave?plain` without an ID token.
 */
export class ClientApp extends AppServer {
  readonly id: string;
  readonly redirectUri = `${this.origin}/cb`;
  readonly byeUri = `${this.origin}/bye`;
  /** Newest last. */
  readonly arrivals: Arrival[] = [];
  private readonly waiting = new Map<string, { readonly verifier: string; readonly nonce: string }>();
  private configuration: openid.Configuration | null = null;
  private owner: Credentials | null = null;

  constructor(id: string, scope = 'openid profile email') {
    super();
    this.id = id;
    this.pages.set('/start', (url) => this.start(url.searchParams, scope));
    this.pages.set('/cb', (url) => this.finish(url));
    this.pages.set('/bye', () => plainPage('Good bye'));
    this.pages.set('/leave', (url) => Response.redirect(this.leaveUrl(!url.searchParams.has('plain')), 303));
  }

  /** Registers it and reads the tenant's metadata. */
  async register(fixture: Fixture, tenant: Tenant, change: ClientChange = {}): Promise<this> {
    this.owner = await makeClient(fixture, tenant, this.id, {
      grants: ['authorization_code', 'refresh_token'], scopes: ['openid', 'profile', 'email', 'offline_access', 'orders:read'],
      redirectUris: [this.redirectUri], postLogoutRedirectUris: [this.byeUri], ...change,
    });
    this.configuration = await discover(issuer(fixture, tenant), this.id, this.owner.secret);
    return this;
  }

  get credentials(): Credentials {
    if (this.owner === null) throw new Error(`${this.id} is not registered`);
    return this.owner;
  }

  get client(): openid.Configuration {
    if (this.configuration === null) throw new Error(`${this.id} is not registered`);
    return this.configuration;
  }

  /** What came last. */
  get newest(): Arrival {
    const arrival = this.arrivals.at(-1);
    if (arrival === undefined) throw new Error(`nobody arrived at ${this.id}`);
    return arrival;
  }

  private async start(query: URLSearchParams, scope: string): Promise<Response> {
    const [verifier, state, nonce] = [openid.randomPKCECodeVerifier(), openid.randomState(), openid.randomNonce()];
    this.waiting.set(state, { verifier, nonce });
    const url = openid.buildAuthorizationUrl(this.client, {
      redirect_uri: this.redirectUri, scope, state, nonce, code_challenge: await openid.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256', ...Object.fromEntries(query),
    });
    return Response.redirect(url.href, 303);
  }

  private async finish(url: URL): Promise<Response> {
    const state = url.searchParams.get('state') ?? '';
    const waiting = this.waiting.get(state);
    if (waiting === undefined) return plainPage('No: unknown state');
    try {
      const arrival = await openid.authorizationCodeGrant(this.client, url, { pkceCodeVerifier: waiting.verifier, expectedState: state, expectedNonce: waiting.nonce, idTokenExpected: true });
      this.arrivals.push(arrival);
      const { sub } = arrival.claims() ?? { sub: '' };
      const person = await openid.fetchUserInfo(this.client, arrival.access_token, sub);
      return plainPage(`Hello ${person.name ?? sub}`);
    } catch (error) {
      return plainPage(`No: ${error instanceof openid.AuthorizationResponseError ? error.error : String(error)}`);
    }
  }

  private leaveUrl(hinted: boolean): string {
    return openid.buildEndSessionUrl(this.client, { ...(hinted && { id_token_hint: this.newest.id_token ?? '', post_logout_redirect_uri: this.byeUri, state: 'left' }) }).href;
  }
}
