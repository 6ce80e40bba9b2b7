import type { AuditType } from '../core/audit-event.ts';
import { judgeHost } from '../core/host.ts';
import { issuerOf } from '../core/issuer.ts';
import { isReservedSlug, isSlug } from '../core/layouts.ts';
import type { Tenant } from '../core/model.ts';
import type { SigningKeyRow } from '../core/store.ts';
import { applyTenantChange, canonicalHost, DEFAULT_TENANT, findTenantFault, makeTenant, type TenantChange } from '../core/tenant-settings.ts';
import { generateSigningKey } from '../keys/generate.ts';
import type { Context } from './context.ts';
import type { Held } from './manage-access.ts';
import { switchAlgorithm } from './manage-keys.ts';
import { changedNames, decideAfresh, done, operatorEvent, outdated, refused, refusedFor, type Guard, type Managed, type Refusal } from './manage-outcome.ts';

const ID_BYTES = 16;

const hostTaken = refused('conflict', 'the hostname belongs to another tenant; a hostname has one owner', { member: 'host' });

/** A tenant by its path name, disabled ones included. @throws StoreError */
export async function requireTenant(ctx: Pick<Context, 'store'>, slug: string): Promise<Managed<Tenant>> {
  const tenant = await ctx.store.findTenant({ slug });
  return tenant === null || tenant.deletedAtMs !== null
    ? refused('not_found', `there is no tenant ${JSON.stringify(slug)}`, { hint: '`assay tenant list` shows all' })
    : done(tenant);
}

/** The host of a change in canonical form, or why it cannot be had. */
async function settleHost(ctx: Context, slug: string, change: TenantChange): Promise<TenantChange | Refusal> {
  if (change.host === undefined || change.host === null) return change;
  const origin = ctx.origin();
  const host = canonicalHost(change.host, origin);
  if (host === null) return refused('invalid_request', 'a hostname is HOSTNAME or HOSTNAME:PORT, like login.example.com or acme.localhost:8080', { member: 'host' });
  if (judgeHost(host, origin).kind !== 'other') {
    return refused('conflict', `${host} is the server's own address, where the tenant ${DEFAULT_TENANT} lives; choose another hostname`, { member: 'host' });
  }
  const owner = await ctx.store.findTenant({ host });
  if (owner !== null && owner.deletedAtMs === null && owner.slug !== slug) {
    // Who operates one tenant hears of no other (MTN-06); the hint is for who types commands.
    return refused('conflict', `${host} belongs to another tenant; a hostname has one owner`, { member: 'host', hint: `the tenant ${owner.slug} has it` });
  }
  return { ...change, host };
}

function findSlugFault(slug: string): string | null {
  if (!isSlug(slug)) return 'a tenant\'s slug is 1 to 63 characters of a-z, 0-9 and "-", with a letter or digit at both ends';
  return isReservedSlug(slug) ? `the slug ${slug} is kept for the server's own paths; choose another` : null;
}

/**
 * Creates a tenant with its first two keys: one that signs, one that will (MTN-01, MTN-08, JK-03).
 * @throws StoreError
 */
export async function createTenant(ctx: Context, slug: string, wanted: TenantChange): Promise<Managed<Tenant>> {
  const fault = findSlugFault(slug);
  if (fault !== null) return refused('invalid_request', fault, { member: 'slug' });
  const existing = await ctx.store.findTenant({ slug });
  if (existing !== null && existing.deletedAtMs === null) return refused('already_exists', `there is a tenant ${slug} already`, { member: 'slug', hint: `\`assay tenant update ${slug}\` changes it` });
  const change = await settleHost(ctx, slug, wanted);
  if ('error' in change) return change;
  const nowMs = ctx.clock.now();
  const tenant = makeTenant({ id: `ten_${ctx.random.text(ID_BYTES)}`, slug, nowMs }, change);
  const trouble = findTenantFault(tenant);
  if (trouble !== null) return refusedFor(trouble);
  const keys = await firstKeys(ctx, tenant);
  const created = await ctx.store.createTenant(tenant, keys, [
    operatorEvent(ctx, 'tenant_created', { tenant: slug, subject: slug, reason: tenant.preset }),
    ...keys.map((key) => operatorEvent(ctx, 'key_created', { tenant: slug, subject: key.kid, reason: key.status })),
  ]);
  return created
    ? done(tenant)
    : refused('already_exists', `the slug ${slug} or its hostname is taken; a deleted tenant keeps its slug while tokens that it issued may live`);
}

/** The key that signs and the one that will, sealed. */
async function firstKeys(ctx: Pick<Context, 'master' | 'clock' | 'settings'>, tenant: Pick<Tenant, 'id' | 'algorithm'>): Promise<readonly SigningKeyRow[]> {
  const make = (status: 'active' | 'next'): Promise<SigningKeyRow> =>
    generateSigningKey(ctx.master, tenant.id, tenant.algorithm, status, ctx.clock.now(), ctx.settings.rsaBits);
  return Promise.all([make('active'), make('next')]);
}

/**
 * Changes a tenant; a new algorithm brings new keys, and what the old ones signed stays good (JK-03).
 * @param held what whoever asks may operate: who operates one tenant alone does not decide what the server grants it
 * @throws StoreError
 */
export async function updateTenant(ctx: Context, slug: string, wanted: TenantChange, guard?: Guard<Tenant>, held: Pick<Held, 'tenantId'> = { tenantId: null }): Promise<Managed<Tenant>> {
  const updated = await decideAfresh(async () => {
    const found = await requireTenant(ctx, slug);
    if (!found.ok) return found;
    if (guard !== undefined && !(await guard(found.value))) return outdated;
    const granted = held.tenantId === null ? null : findGranted(found.value, applyTenantChange(found.value, wanted));
    if (granted !== null) return refused('forbidden', 'this is for those to decide who operate the whole server', { member: granted });
    const change = await settleHost(ctx, slug, wanted);
    if ('error' in change) return change;
    const before = found.value;
    const after = applyTenantChange(before, change);
    const trouble = findTenantFault(after);
    if (trouble !== null) return refusedFor(trouble);
    const names = changedNames(before, after);
    const outcome = await ctx.store.updateTenant(before, after, [operatorEvent(ctx, 'tenant_updated', { tenant: slug, subject: slug, reason: names })]);
    if (outcome === 'outdated') return null;
    return outcome === 'updated' ? done(after, describeMove(ctx, before, after)) : hostTaken;
  });
  if (!updated.ok || wanted.algorithm === undefined) return updated;
  const switched = await switchAlgorithm(ctx, updated.value);
  return switched.ok ? done(updated.value, [...updated.warnings, ...switched.warnings]) : switched;
}

/** Which member that changes is what the server grants a tenant: where it lives, how much it may ask for, how long its audit trail is kept. */
function findGranted(before: Tenant, after: Tenant): 'host' | 'layout' | 'limits' | 'auditRetentionDays' | null {
  if (before.host !== after.host) return 'host';
  if (before.layout !== after.layout) return 'layout';
  if (before.operations.auditRetentionDays !== after.operations.auditRetentionDays) return 'auditRetentionDays';
  return JSON.stringify(before.operations.limits) === JSON.stringify(after.operations.limits) ? null : 'limits';
}

function describeMove(ctx: Context, before: Tenant, after: Tenant): readonly string[] {
  const from = issuerOf(before, ctx.origin());
  const to = issuerOf(after, ctx.origin());
  if (from !== to) return [`the issuer of ${after.slug} was ${from} and is now ${to}: JWTs issued before are inactive, and clients must be told`];
  return after.host !== null && after.host !== before.host && after.layout !== 'root'
    ? [`the home of ${after.slug} stays at the layout ${after.layout}; the layout root moves its issuer to ${after.host}`]
    : [];
}

/**
 * Suspends a tenant, or lets it work again. Tokens issued before a suspension stay dead (INT-32).
 * @throws StoreError
 */
export async function setTenantEnabled(ctx: Context, slug: string, enabled: boolean): Promise<Managed<Tenant>> {
  return move(ctx, slug, enabled ? 'tenant_enabled' : 'tenant_disabled', (before, nowMs) => (enabled
    ? { ...before, disabledAtMs: null }
    : { ...before, disabledAtMs: before.disabledAtMs ?? nowMs, notBeforeMs: Math.max(before.notBeforeMs, nowMs) }));
}

/** Ends every token that a tenant issued so far, of whichever client and user; new ones may be issued at once. @throws StoreError */
export async function revokeTenantTokens(ctx: Context, slug: string): Promise<Managed<Tenant>> {
  return move(ctx, slug, 'tenant_tokens_revoked', (before, nowMs) => ({ ...before, notBeforeMs: Math.max(before.notBeforeMs, nowMs) }));
}

async function move(ctx: Context, slug: string, type: AuditType, change: (tenant: Tenant, nowMs: number) => Tenant): Promise<Managed<Tenant>> {
  return decideAfresh(async () => {
    const found = await requireTenant(ctx, slug);
    if (!found.ok) return found;
    const before = found.value;
    const after = change(before, ctx.clock.now());
    const outcome = await ctx.store.updateTenant(before, after, [operatorEvent(ctx, type, { tenant: slug, subject: slug })]);
    if (outcome === 'outdated') return null;
    return outcome === 'updated' ? done(after) : hostTaken;
  });
}

/** Deletes a tenant with its secrets and keys: every token of it is dead at once (MTN-12). @throws StoreError */
export async function deleteTenant(ctx: Context, slug: string, guard?: Guard<Tenant>): Promise<Managed<null>> {
  if (slug === DEFAULT_TENANT) return refused('conflict', 'the tenant default is part of the server and cannot be deleted', { hint: '`assay tenant disable default` suspends it' });
  const found = await requireTenant(ctx, slug);
  if (!found.ok) return found;
  if (guard !== undefined && !(await guard(found.value))) return outdated;
  await ctx.store.deleteTenant(found.value.id, ctx.clock.now(), [operatorEvent(ctx, 'tenant_deleted', { tenant: slug, subject: slug })]);
  return done(null);
}
