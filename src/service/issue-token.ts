import { makeGrantId } from '../core/claims.ts';
import { decideAudience } from '../core/audience.ts';
import { isIdentifier } from '../core/identifiers.ts';
import { issuerOf } from '../core/issuer.ts';
import type { Client, Grant, RefreshToken, Resource, Session, Tenant, User } from '../core/model.ts';
import { decideScope } from '../core/scope.ts';
import { isSessionOver } from '../core/session.ts';
import type { TokenResponse } from '../spec/introspection.ts';
import { digestOf } from '../tokens/digest.ts';
import { makeOpaqueToken } from '../tokens/opaque.ts';
import type { Context } from './context.ts';
import { chooseFormat, ClockBehind, isTooLong, logIssued, makeAccess, NoSigningKey, tokenResponse } from './issue.ts';
import { everything, opensBeyond, type Held } from './manage-access.ts';
import { requireClient } from './manage-clients.ts';
import { done, operatorEvent, refused, type Managed, type Refusal } from './manage-outcome.ts';
import { requireUser } from './manage-users.ts';
import { resourceKey } from './resources.ts';

const ID_BYTES = 16;
const tooLong = refused('invalid_scope', 'the token would be longer than 4 KiB', { member: 'scopes', hint: 'name fewer scopes with --scope, or use --token-format opaque for the client' });

/** A token that an operator wants. */
export type TokenWish = {
  readonly client: string;
  /** Id or username; null: the client acts for itself. */
  readonly user: string | null;
  readonly org: string | null;
  /** A session of that user, or the id of a new one; null: a new one with an id of its own. */
  readonly session: string | null;
  /** null: everything that the client may have. */
  readonly scopes: readonly string[] | null;
  /** Empty: the client's own, else the tenant's default. */
  readonly audience: readonly string[];
};

type Plan = { readonly client: Client; readonly user: User | null; readonly scopes: readonly string[]; readonly audience: readonly string[]; readonly resources: readonly Resource[] };

/**
 * Issues a token as an operator: for a user it opens a grant as signing in would, without one it does what the client
 * credentials grant does (RFC 6749 §4.4).
 * @param held what whoever asks may operate: no token of theirs opens more of the admin API
 * @throws StoreError
 */
export async function issueToken(ctx: Context, tenant: Tenant, wish: TokenWish, held: Held = everything): Promise<Managed<TokenResponse>> {
  const plan = await planToken(ctx, tenant, wish);
  if (!('client' in plan)) return plan;
  if (opensBeyond(held, tenant, plan.scopes)) return refused('forbidden', 'the token could operate more than you may: name scopes without those', { member: 'scopes' });
  try {
    return plan.user === null ? await issueForClient(ctx, tenant, wish, plan) : await issueForUser(ctx, tenant, wish, plan, plan.user);
  } catch (error) {
    if (error instanceof ClockBehind) return refused('conflict', 'the clock of this machine is behind the latest time that this data has seen, so no tokens are issued', { hint: 'set it right, or, if it is right, start with `assay serve --accept-clock`' });
    if (error instanceof NoSigningKey) return refused('conflict', 'the first keys of this tenant are still being made; try again in a moment');
    throw error;
  }
}

async function planToken(ctx: Context, tenant: Tenant, wish: TokenWish): Promise<Plan | Refusal> {
  if (tenant.disabledAtMs !== null) return refused('conflict', `the tenant ${tenant.slug} is disabled`, { hint: `\`assay tenant enable ${tenant.slug}\` first` });
  const client = await requireClient(ctx, tenant, wish.client);
  if (!client.ok) return client;
  if (client.value.disabledAtMs !== null) return refused('conflict', `the client ${wish.client} is disabled`, { member: 'client', hint: `\`assay client enable ${wish.client}\` first` });
  const user = wish.user === null ? null : await requireUser(ctx, tenant, wish.user);
  if (user !== null && !user.ok) return user;
  if (user !== null && user.value.disabledAtMs !== null) return refused('conflict', `the user ${user.value.username} is disabled`, { member: 'user', hint: `\`assay user enable ${user.value.id}\` first` });
  const fault = findWishFault(wish, client.value);
  if (fault !== null) return fault;

  const resources: Resource[] = [];
  for (const name of wish.audience) {
    const resource = await ctx.store.findResource(tenant.id, resourceKey(name));
    if (resource !== null) resources.push(resource);
  }
  // An audience that nobody registered may know any scope: only where all are known do they narrow.
  const narrowing = resources.length === wish.audience.length ? resources : [];
  const scope = decideScope(wish.scopes, client.value.scopes, narrowing, user !== null);
  if (!scope.ok) {
    return refused('invalid_scope', `the scope goes beyond what the client ${wish.client} may have (${client.value.scopes.join(' ') || 'none'})`
      + `${narrowing.length > 0 ? ' for this audience' : ''}`, { member: 'scopes', hint: `\`assay client update ${wish.client} --scope …\` changes that` });
  }
  const asked = wish.audience.map((name) => resources.find((resource) => resourceKey(resource.uri) === resourceKey(name))?.uri ?? name);
  return {
    client: client.value, user: user?.value ?? null, scopes: scope.scopes, resources,
    audience: decideAudience([...new Set(asked)], client.value, tenant, issuerOf(tenant, ctx.origin())),
  };
}

function findWishFault(wish: TokenWish, client: Client): Refusal | null {
  if (wish.audience.some((name) => !/^[\x21-\x7E]{1,2048}$/.test(name))) return refused('invalid_request', 'an audience is 1 to 2048 visible ASCII characters without spaces', { member: 'audience' });
  if (wish.org !== null && !isIdentifier(wish.org)) return refused('invalid_request', 'an organization id is 1 to 256 visible ASCII characters without spaces', { member: 'org' });
  if (wish.session !== null && !isIdentifier(wish.session)) return refused('invalid_request', 'a session id is 1 to 256 visible ASCII characters without spaces', { member: 'session' });
  if (wish.user !== null) return null;
  if (wish.session !== null) return refused('invalid_request', 'only people have sessions', { member: 'session', hint: '--session needs --user' });
  if (client.public) return refused('conflict', `${client.id} is a public client and cannot act for itself`, { member: 'user', hint: 'add --user NAME' });
  return client.grants.includes('client_credentials')
    ? null
    : refused('conflict', `${client.id} does not have the grant client_credentials`, { member: 'user', hint: 'add --user NAME, or give it the grant' });
}

async function issueForClient(ctx: Context, tenant: Tenant, wish: TokenWish, plan: Plan): Promise<Managed<TokenResponse>> {
  const { client } = plan;
  const made = await makeAccess(ctx, {
    tenant, client, scopes: plan.scopes, audience: plan.audience, format: chooseFormat(client, plan.resources), grant: null, orgId: wish.org ?? client.orgId,
  });
  if (isTooLong(made)) return tooLong;
  if (made.stored.opaque !== null) await ctx.store.addOpaqueToken(made.stored.opaque);
  logIssued(ctx, tenant, made, 'operator', ctx.by.requestId);
  return done(tokenResponse(made, null));
}

async function issueForUser(ctx: Context, tenant: Tenant, wish: TokenWish, plan: Plan, user: User): Promise<Managed<TokenResponse>> {
  const { client } = plan;
  const nowMs = ctx.clock.now();
  const existing = wish.session === null ? null : await ctx.store.findSession(tenant.id, wish.session);
  const session: Session = existing ?? {
    id: wish.session ?? `ses_${ctx.random.text(ID_BYTES)}`, tenantId: tenant.id, userId: user.id, createdAtMs: nowMs, endedAtMs: null,
  };
  if (session.userId !== user.id) return refused('conflict', `the session ${session.id} is another user's`, { member: 'session', hint: 'choose another --session, or leave it out' });
  const open = existing === null ? [] : await ctx.store.listBrowserSessions(tenant.id, user.id, nowMs);
  const browser = open.find((one) => one.session.id === session.id)?.session ?? null;
  if (session.endedAtMs !== null || (browser !== null && isSessionOver(browser, tenant, nowMs))) return refused('conflict', `the session ${session.id} has ended`, { member: 'session', hint: 'choose another --session, or leave it out' });

  const refreshable = client.grants.includes('refresh_token');
  const refreshText = refreshable ? makeOpaqueToken('refresh', ctx.random) : null;
  const offline = refreshable && plan.scopes.includes('offline_access');
  const endMs = nowMs + (client.refreshTokenTtl ?? tenant.refreshTokenTtl) * 1000;
  const grant: Grant = {
    id: makeGrantId(nowMs, ctx.random.text(ID_BYTES)), tenantId: tenant.id, clientId: client.id, userId: user.id, sessionId: session.id,
    orgId: wish.org ?? client.orgId, scopes: plan.scopes, audience: plan.audience,
    offline, authTime: null, acr: null, amr: [], createdAtMs: nowMs,
    expiresAtMs: offline || browser === null ? endMs : Math.min(endMs, browser.expiresAtMs), revokedAtMs: null,
  };
  const made = await makeAccess(ctx, {
    tenant, client, scopes: plan.scopes, audience: plan.audience, format: chooseFormat(client, plan.resources), grant, orgId: null,
    sessionEndsAtMs: grant.offline ? null : (browser?.expiresAtMs ?? null),
  });
  if (isTooLong(made)) return tooLong;
  const refresh: RefreshToken | null = refreshText === null ? null : {
    digest: digestOf(refreshText), tenantId: tenant.id, grantId: grant.id, issuedAtMs: nowMs, expiresAtMs: grant.expiresAtMs, use: null,
  };
  const outcome = await ctx.store.openGrant({ session, grant, refresh, access: made.stored }, [
    operatorEvent(ctx, 'grant_opened', {
      tenant: tenant.slug, clientId: client.id, subject: user.id, grantId: grant.id, fingerprint: ctx.fingerprint(made.token), reason: 'operator',
    }),
  ]);
  if (outcome === 'session_unusable') return refused('conflict', `the session ${session.id} has ended or is another user's`, { member: 'session', hint: 'choose another --session, or leave it out' });
  logIssued(ctx, tenant, made, 'operator', ctx.by.requestId);
  return done(tokenResponse(made, refreshText));
}
