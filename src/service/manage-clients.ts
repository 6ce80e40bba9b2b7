import type { AuditType } from '../core/audit-event.ts';
import { applyClientChange, findClientFault, makeClient, type ClientChange } from '../core/client-settings.ts';
import { findClientIdFault } from '../core/identifiers.ts';
import type { Client, Tenant } from '../core/model.ts';
import { isLifetime, MAX_LIFETIME_S } from '../core/tenant-settings.ts';
import type { Context } from './context.ts';
import { everything, opensBeyond, type Held } from './manage-access.ts';
import { makeSecret, type NewSecret, type SecretWish } from './manage-secrets.ts';
import { warnOfOrganization } from './manage-organizations.ts';
import { changedNames, decideAfresh, done, operatorEvent, outdated, refused, refusedFor, type Guard, type Managed, type Warning } from './manage-outcome.ts';

const ID_BYTES = 16;

/** A new client, and its secret: this once and never again. null for a public client. */
export type CreatedClient = { readonly client: Client; readonly secret: NewSecret | null };

/** A tenant's client by id, disabled ones included. @throws StoreError */
export async function requireClient(ctx: Pick<Context, 'store'>, tenant: Tenant, id: string): Promise<Managed<Client>> {
  const client = await ctx.store.findClient(tenant.id, id);
  return client === null || client.deletedAtMs !== null
    ? refused('not_found', `the tenant ${tenant.slug} has no client ${JSON.stringify(id)}`, { hint: `\`assay client list --tenant ${tenant.slug}\` shows all` })
    : done(client);
}

/** Who has the secret of a client, or says where its people are sent back to, has what it may ask for. */
const operatesMore = refused('forbidden', 'the scopes of this client open more of the admin API than you may: only who may do as much decides on it', { member: 'scopes' });

/** What creates a client. */
export type ClientWish = {
  /** null: generated. */
  readonly id: string | null;
  readonly public: boolean;
  readonly change: ClientChange;
  /** null: none yet, also for a confidential one. */
  readonly secret: SecretWish | null;
  /** False: it gets no tokens until it is enabled; left out: it does. */
  readonly enabled?: boolean;
};

/**
 * Creates a client. A confidential one gets a secret of 256 random bits unless one is supplied (CA-17).
 * @param held what whoever asks may operate: no client of theirs opens more of the admin API. @throws StoreError
 */
export async function createClient(ctx: Context, tenant: Tenant, wish: ClientWish, held: Held = everything): Promise<Managed<CreatedClient>> {
  const id = wish.id ?? `cli_${ctx.random.text(ID_BYTES)}`;
  const made = makeClient({ tenantId: tenant.id, id, public: wish.public, nowMs: ctx.clock.now() }, wish.change);
  const client: Client = { ...made, disabledAtMs: wish.enabled === false ? made.createdAtMs : null };
  const named = findClientIdFault(id);
  if (named !== null) return refused('invalid_request', named, { member: 'id' });
  if (opensBeyond(held, tenant, client.scopes)) return operatesMore;
  const fault = findClientFault(client, ctx.origin().loopback);
  if (fault !== null) return refusedFor(fault);
  if (wish.public && wish.secret !== null && (wish.secret.supplied !== null || wish.secret.ttl !== null)) {
    return refused('invalid_request', 'a public client has no secret', { member: 'supplied', hint: 'leave out --public, or --secret-stdin and --secret-ttl' });
  }
  // A client that has a person's id could pass for that person (INT-115).
  if ((await ctx.store.findUser(tenant.id, id)) !== null) return refused('conflict', `${id} is the id of a user of this tenant; a client and a user must not share one`, { member: 'id' });
  const secret = wish.public || wish.secret === null ? null : await makeSecret(ctx, wish.secret);
  if (secret !== null && !secret.ok) return secret;
  const created = await ctx.store.createClient(
    { ...client, secrets: secret === null ? [] : [secret.value.row] },
    [
      operatorEvent(ctx, 'client_created', { tenant: tenant.slug, clientId: id, reason: wish.public ? 'public' : 'confidential' }),
      ...(client.disabledAtMs === null ? [] : [operatorEvent(ctx, 'client_disabled', { tenant: tenant.slug, clientId: id })]),
    ],
  );
  if (!created) return refused('already_exists', `the tenant ${tenant.slug} has a client ${id} already`, { member: 'id', hint: `\`assay client update ${id}\` changes it` });
  return done({ client: { ...client, secrets: secret === null ? [] : [secret.value.row] }, secret: secret?.value ?? null }, [...await warnOfOrganization(ctx, tenant, client.orgId), ...warnOfAddress(client)]);
}

/** People cannot come back to a client that has nowhere to come back to. */
function warnOfAddress({ id, grants, redirectUris }: Client): readonly Warning[] {
  return grants.includes('authorization_code') && redirectUris.length === 0
    ? [{ description: `${id} has no redirect URI, so nobody can sign in there yet`, hint: `\`assay client update ${id} --redirect-uri …\` adds one` }]
    : [];
}

/**
 * Changes what creating it set; its id stays. A client that becomes public loses its secrets, and one that becomes
 * confidential has none until `rotateSecret` gives it one. @param held as with `createClient`. @throws StoreError
 */
export async function updateClient(ctx: Context, tenant: Tenant, id: string, change: ClientChange, guard?: Guard<Client>, held: Held = everything): Promise<Managed<Client>> {
  return decideAfresh(async () => {
    const found = await requireClient(ctx, tenant, id);
    if (!found.ok) return found;
    if (guard !== undefined && !(await guard(found.value))) return outdated;
    const after = applyClientChange(found.value, change);
    if (opensBeyond(held, tenant, [...found.value.scopes, ...after.scopes])) return operatesMore;
    const fault = findClientFault(after, ctx.origin().loopback);
    if (fault !== null) return refusedFor(fault);
    const reason = changedNames(found.value, after);
    if (after.public && !found.value.public) await endSecrets(ctx, tenant, id);
    const outcome = await ctx.store.updateClient(found.value, after, [operatorEvent(ctx, 'client_updated', { tenant: tenant.slug, clientId: id, reason })]);
    if (outcome === 'outdated') return null;
    const foreign = change.orgId === undefined ? [] : await warnOfOrganization(ctx, tenant, after.orgId);
    return done(after, found.value.public && !after.public
      ? [{ description: `${id} is confidential now, and has no secret yet`, hint: `\`assay client rotate-secret ${id} --tenant ${tenant.slug}\` gives it one` }, ...foreign]
      : foreign);
  });
}

/** Lets every secret of a client end now, so that none comes back when it is confidential again: the last one is born dead. */
async function endSecrets(ctx: Context, tenant: Tenant, id: string): Promise<void> {
  const last = await makeSecret(ctx, { supplied: null, ttl: null });
  if (!last.ok) return;
  const nowMs = ctx.clock.now();
  await ctx.store.rotateSecret(tenant.id, id, { ...last.value.row, expiresAtMs: nowMs }, nowMs, [
    operatorEvent(ctx, 'client_secret_rotated', { tenant: tenant.slug, clientId: id, reason: 'public' }),
  ]);
}

/** A new secret, while the others end with the overlap (CA-16). @param held as with `createClient`. @throws StoreError */
export async function rotateSecret(ctx: Context, tenant: Tenant, id: string, wish: SecretWish, overlapS: number, held: Held = everything): Promise<Managed<CreatedClient>> {
  const found = await requireClient(ctx, tenant, id);
  if (!found.ok) return found;
  if (found.value.public) return refused('conflict', `${id} is a public client: it has no secret to rotate`);
  if (opensBeyond(held, tenant, found.value.scopes)) return operatesMore;
  if (overlapS !== 0 && !isLifetime(overlapS)) return refused('invalid_request', `older secrets keep working for 0 to ${MAX_LIFETIME_S} whole seconds`, { member: 'overlap' });
  const secret = await makeSecret(ctx, wish);
  if (!secret.ok) return secret;
  const endMs = ctx.clock.now() + overlapS * 1000;
  await ctx.store.rotateSecret(tenant.id, id, secret.value.row, endMs, [
    operatorEvent(ctx, 'client_secret_rotated', { tenant: tenant.slug, clientId: id, reason: `overlap_${overlapS}` }),
  ]);
  const after = await requireClient(ctx, tenant, id);
  return after.ok ? done({ client: after.value, secret: secret.value }) : after;
}

/** Suspends a client, or lets it work again; tokens issued before a suspension stay dead. @param held as with `createClient`. @throws StoreError */
export async function setClientEnabled(ctx: Context, tenant: Tenant, id: string, enabled: boolean, held: Held = everything): Promise<Managed<Client>> {
  const nowMs = ctx.clock.now();
  const found = await requireClient(ctx, tenant, id);
  if (found.ok && enabled && opensBeyond(held, tenant, found.value.scopes)) return operatesMore;
  return move(ctx, tenant, id, enabled ? 'client_enabled' : 'client_disabled', (client) => (enabled
    ? { ...client, disabledAtMs: null }
    : { ...client, disabledAtMs: client.disabledAtMs ?? nowMs, notBeforeMs: Math.max(client.notBeforeMs, nowMs) }));
}

/** Ends every token that was issued to a client so far; new ones may be issued at once. @throws StoreError */
export async function revokeClientTokens(ctx: Context, tenant: Tenant, id: string): Promise<Managed<Client>> {
  const nowMs = ctx.clock.now();
  return move(ctx, tenant, id, 'client_tokens_revoked', (client) => ({ ...client, notBeforeMs: Math.max(client.notBeforeMs, nowMs) }));
}

/** Deletes a client with its secrets; every token of it is dead at once, and resources that it owned have no owner. @throws StoreError */
export async function deleteClient(ctx: Context, tenant: Tenant, id: string, guard?: Guard<Client>): Promise<Managed<Client>> {
  const nowMs = ctx.clock.now();
  return move(ctx, tenant, id, 'client_deleted', (client) => ({ ...client, deletedAtMs: nowMs, notBeforeMs: Math.max(client.notBeforeMs, nowMs) }), guard);
}

async function move(ctx: Context, tenant: Tenant, id: string, type: AuditType, change: (client: Client) => Client, guard?: Guard<Client>): Promise<Managed<Client>> {
  return decideAfresh(async () => {
    const found = await requireClient(ctx, tenant, id);
    if (!found.ok) return found;
    if (guard !== undefined && !(await guard(found.value))) return outdated;
    const after = change(found.value);
    const outcome = await ctx.store.updateClient(found.value, after, [operatorEvent(ctx, type, { tenant: tenant.slug, clientId: id })]);
    return outcome === 'outdated' ? null : done(after);
  });
}
