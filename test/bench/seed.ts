/** Tenants, clients and tokens for the measurements, made in this process beside the running server. */
import type { Application } from '../../src/app/open.ts';
import type { Tenant } from '../../src/core/model.ts';
import { createClient } from '../../src/service/manage-clients.ts';
import type { Managed } from '../../src/service/manage-outcome.ts';
import { createResource } from '../../src/service/manage-resources.ts';
import { createTenant, requireTenant } from '../../src/service/manage-tenants.ts';
import { revokeToken } from '../../src/service/manage-tokens.ts';
import { createUser } from '../../src/service/manage-users.ts';
import { issueToken } from '../../src/service/issue-token.ts';
import type { ClientChange } from '../../src/core/client-settings.ts';
import { basic } from '../helpers/server.ts';

const DAY_S = 86_400;
const RESOURCE = 'https://api.example.com/orders';
/** Issued at a time: both cores sign. */
const AT_ONCE = 64;

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
  /** Of the ES256 tenant, one per chain. */
  readonly refreshTokens: readonly string[];
  readonly refresher: Caller;
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

type Wanted = { readonly client: string; readonly user?: string; readonly audience?: readonly string[] };

async function issue(application: Application, tenant: Tenant, { client, user, audience = [] }: Wanted): Promise<{ readonly access: string; readonly refresh: string }> {
  const response = must(await issueToken(application.ctx, tenant, { client, user: user ?? null, org: null, session: null, scopes: null, audience }));
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
  const people = { ...long, grants: ['authorization_code', 'refresh_token'] } as const;
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
  const refresher = await makeCaller(application, es256, 'web', people);
  const refreshTokens = await Promise.all(Array.from({ length: chains }, async () => (await issue(application, es256, { client: 'web', user: 'alice' })).refresh));
  return {
    api, opaque, liveJwt, liveOpaque, revokedJwt, refresher, refreshTokens,
    jwts: await issueMany(application, home, { client: api.id }, revocations),
    opaques: await issueMany(application, home, { client: opaque.id }, revocations),
    issuers: {
      RS256: { path: '/oauth2/token', caller: api },
      ES256: { path: '/t/es256/protocol/openid-connect/token', caller: await makeCaller(application, es256, 'machine', machine) },
      EdDSA: { path: '/t/eddsa/protocol/openid-connect/token', caller: await makeCaller(application, eddsa, 'machine', machine) },
    },
  };
}
