/** Tenants, clients, people and tokens for the measurements, made in this process beside the running server. */
import { createHash } from 'node:crypto';
import type { Application } from '../../src/app/open.ts';
import { CODE_LIFE_MS } from '../../src/core/authorization-code.ts';
import type { Tenant } from '../../src/core/model.ts';
import { createClient } from '../../src/service/manage-clients.ts';
import type { Managed } from '../../src/service/manage-outcome.ts';
import { createResource } from '../../src/service/manage-resources.ts';
import { createTenant, requireTenant } from '../../src/service/manage-tenants.ts';
import { revokeToken } from '../../src/service/manage-tokens.ts';
import { createUser } from '../../src/service/manage-users.ts';
import { issueToken } from '../../src/service/issue-token.ts';
import type { ClientChange } from '../../src/core/client-settings.ts';
import { digestOf } from '../../src/tokens/digest.ts';
import { makeCode } from '../../src/tokens/opaque.ts';
import { basic, openData } from '../helpers/server.ts';

const DAY_S = 86_400;
const RESOURCE = 'https://api.example.com/orders';
/** Issued at a time: both cores sign. */
const AT_ONCE = 64;
const REDIRECT_URI = 'https://web.example.com/cb';
const VERIFIER = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk';
const CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url');

/** A client that can be called as. */
export type Caller = { readonly id: string; readonly authorization: string };

/** What the measurements send. */
export type Seeds = {
  /** Asks as a resource server that owns what the tokens are for. */
  readonly api: Caller;
  /** Whose the opaque tokens to revoke are. */
  readonly opaque: Caller;
  readonly liveJwt: string;
  readonly liveOpaque: string;
  readonly revokedJwt: string;
  readonly jwts: readonly string[];
  readonly opaques: readonly string[];
  /** Of the ES256 tenant, one per chain; with the scope `openid` every refresh makes an ID token too. */
  readonly refreshTokens: { readonly plain: readonly string[]; readonly openid: readonly string[] };
  /** Whose they are, and the codes of `seedCodes`. */
  readonly web: Caller;
  /** Tenant by algorithm, with a client for itself. */
  readonly issuers: Readonly<Record<'RS256' | 'ES256' | 'EdDSA', { readonly path: string; readonly caller: Caller }>>;
};

function must<T>(outcome: Managed<T>): T {
  if (!outcome.ok) throw new Error(outcome.description);
  return outcome.value;
}

async function makeCaller(application: Application, tenant: Tenant, id: string, change: ClientChange): Promise<Caller> {
  const { secret } = must(await createClient(application.ctx, tenant, { id, public: false, change, secret: { supplied: null, ttl: null } }));
  return { id, authorization: basic(id, secret?.text ?? '') };
}

type Wanted = { readonly client: string; readonly user?: string; readonly audience?: readonly string[]; readonly scopes?: readonly string[] };

async function issue(application: Application, tenant: Tenant, { client, user, audience = [], scopes }: Wanted): Promise<{ readonly access: string; readonly refresh: string }> {
  const response = must(await issueToken(application.ctx, tenant, { client, user: user ?? null, org: null, session: null, scopes: scopes ?? null, audience }));
  return { access: response.access_token, refresh: response.refresh_token ?? '' };
}

async function issueMany(application: Application, tenant: Tenant, wanted: Wanted, count: number): Promise<string[]> {
  const tokens: string[] = [];
  while (tokens.length < count) {
    const batch = await Promise.all(Array.from({ length: Math.min(AT_ONCE, count - tokens.length) }, () => issue(application, tenant, wanted)));
    tokens.push(...batch.map(({ access }) => access));
  }
  return tokens;
}

/**
 * Makes everything in the tenants `default`, `es256` and `eddsa`.
 * @param revocations how many JWTs, and how many opaque tokens, there are to revoke
 */
export async function seed(application: Application, revocations: number, chains: number): Promise<Seeds> {
  const { ctx } = application;
  const home = must(await requireTenant(ctx, 'default'));
  const long = { accessTokenTtl: DAY_S, scopes: ['orders:read', 'orders:write', 'openid', 'email'] } as const;
  const people = { ...long, grants: ['authorization_code', 'refresh_token'], redirectUris: [REDIRECT_URI] } as const;
  const machine = { ...long, grants: ['client_credentials'] } as const;
  const api = await makeCaller(application, home, 'orders-api', machine);
  await makeCaller(application, home, 'web', people);
  await makeCaller(application, home, 'web-opaque', { ...people, tokenFormat: 'opaque' });
  const opaque = await makeCaller(application, home, 'machine-opaque', { ...machine, tokenFormat: 'opaque' });
  must(await createUser(ctx, home, null, { username: 'alice', email: 'alice@example.com' }));
  must(await createResource(ctx, home, { uri: RESOURCE, scopes: ['orders:read', 'orders:write'], owner: api.id, tokenFormat: null }));

  const person = { user: 'alice', audience: [RESOURCE] } as const;
  const { access: liveJwt } = await issue(application, home, { client: 'web', ...person });
  const { access: liveOpaque } = await issue(application, home, { client: 'web-opaque', ...person });
  const { access: revokedJwt } = await issue(application, home, { client: 'web', ...person });
  must(await revokeToken(ctx, home, revokedJwt));

  const es256 = must(await createTenant(ctx, 'es256', { algorithm: 'ES256' }));
  const eddsa = must(await createTenant(ctx, 'eddsa', { algorithm: 'EdDSA' }));
  must(await createUser(ctx, es256, null, { username: 'alice', email: 'alice@example.com' }));
  const web = await makeCaller(application, es256, 'web', people);
  const chainsWith = (scope: string): Promise<string[]> =>
    Promise.all(Array.from({ length: chains }, async () => (await issue(application, es256, { client: 'web', user: 'alice', scopes: [scope] })).refresh));
  const refreshTokens = { plain: await chainsWith('orders:read'), openid: await chainsWith('openid') };
  return {
    api, opaque, liveJwt, liveOpaque, revokedJwt, web, refreshTokens,
    jwts: await issueMany(application, home, { client: api.id }, revocations),
    opaques: await issueMany(application, home, { client: opaque.id }, revocations),
    issuers: {
      RS256: { path: '/oauth2/token', caller: api },
      ES256: { path: '/t/es256/protocol/openid-connect/token', caller: await makeCaller(application, es256, 'machine', machine) },
      EdDSA: { path: '/t/eddsa/protocol/openid-connect/token', caller: await makeCaller(application, eddsa, 'machine', machine) },
    },
  };
}

/**
 * Makes codes of the ES256 tenant's web application as signing in would, each with a session of its own, and returns the
 * forms that redeem them. They live a minute: to be made right before they are sent.
 */
export async function seedCodes(data: string, count: number): Promise<string[]> {
  const application = await openData(data);
  try {
    const { store, random, clock } = application.ctx;
    const tenant = must(await requireTenant(application.ctx, 'es256'));
    const user = await store.findUserByName(tenant.id, 'alice');
    if (user === null) throw new Error('there is no alice');
    const make = async (): Promise<string> => {
      const nowMs = clock.now();
      const authTime = Math.floor(nowMs / 1000);
      const proof = { amr: ['pwd'], acr: '1fa' } as const;
      const session = { id: `ses_${random.text(16)}`, tenantId: tenant.id, userId: user.id, expiresAtMs: nowMs + DAY_S * 1000, ...proof };
      const code = makeCode(random);
      const [opened, issued] = await Promise.all([
        store.openBrowserSession({
          session: { ...session, createdAtMs: nowMs, endedAtMs: null, secretDigest: digestOf(random.text(32)), authTimeMs: nowMs, lastSeenAtMs: nowMs, userAgent: null, ip: null },
          replaces: null, progress: null,
        }, { audit: [] }),
        store.issueCode({
          code: {
            digest: digestOf(code), tenantId: tenant.id, clientId: 'web', userId: user.id, sessionId: session.id, sessionEndsAtMs: session.expiresAtMs,
            orgId: null, redirectUri: REDIRECT_URI, challenge: CHALLENGE, nonce: 'n-0S6_WzA2Mj', scopes: ['openid'], resources: [], offline: false,
            authTime, ...proof, issuedAtMs: nowMs, expiresAtMs: nowMs + CODE_LIFE_MS, usedAtMs: null, failures: 0, grantId: null,
          },
          interactionDigest: null, consent: null,
        }, []),
      ]);
      if (!opened || !issued) throw new Error('a code could not be stored');
      return new URLSearchParams({ grant_type: 'authorization_code', code, redirect_uri: REDIRECT_URI, code_verifier: VERIFIER }).toString();
    };
    const forms: string[] = [];
    while (forms.length < count) forms.push(...await Promise.all(Array.from({ length: Math.min(AT_ONCE, count - forms.length) }, make)));
    return forms;
  } finally {
    await application.close();
  }
}

/** People with a password, what they sign in for, and a token to ask about meanwhile. */
export type People = { readonly usernames: readonly string[]; readonly password: string; readonly request: string; readonly api: Caller; readonly liveJwt: string };

/** Makes people in the tenant `default`, and an application that asks them for nothing but to sign in. */
export async function seedPeople(data: string, count: number): Promise<People> {
  const application = await openData(data);
  try {
    const { ctx } = application;
    const home = must(await requireTenant(ctx, 'default'));
    const password = 'correct horse battery';
    const digest = await ctx.peoplePasswords.hash(password);
    if (digest === null) throw new Error('the password was not hashed');
    const usernames = await Promise.all(Array.from({ length: count }, async (_none, index) => {
      const username = `person${index}`;
      const { id } = must(await createUser(ctx, home, null, { username, email: `${username}@example.com` }));
      await ctx.store.setPassword({ tenantId: home.id, userId: id, digest, changedAtMs: ctx.clock.now(), mustChange: false }, null, { audit: [] });
      return username;
    }));
    const scopes = ['openid', 'orders:read'];
    const api = await makeCaller(application, home, 'orders-api', { grants: ['client_credentials'], scopes: ['orders:read'] });
    await makeCaller(application, home, 'web', { grants: ['authorization_code', 'refresh_token'], accessTokenTtl: DAY_S, scopes, redirectUris: [REDIRECT_URI], firstParty: true });
    must(await createResource(ctx, home, { uri: RESOURCE, scopes: ['orders:read'], owner: api.id, tokenFormat: null }));
    const { access: liveJwt } = await issue(application, home, { client: 'web', user: usernames[0] ?? '', audience: [RESOURCE] });
    const request = new URLSearchParams({
      client_id: 'web', redirect_uri: REDIRECT_URI, response_type: 'code', scope: 'openid', state: 'xyz-123', nonce: 'n-0S6_WzA2Mj', code_challenge: CHALLENGE, code_challenge_method: 'S256',
    });
    return { usernames, password, request: `/oauth2/authorize?${request.toString()}`, api, liveJwt };
  } finally {
    await application.close();
  }
}
