import type { AuditType } from '../core/audit-event.ts';
import { judgeHost } from '../core/host.ts';
import { findNameFault } from '../core/identifiers.ts';
import { issuerOf } from '../core/issuer.ts';
import { isReservedSlug, isSlug } from '../core/layouts.ts';
import type { Tenant } from '../core/model.ts';
import type { SigningKeyRow } from '../core/store.ts';
import { applyTenantChange, canonicalHost, DEFAULT_TENANT, findTenantFault, makeTenant, type TenantChange } from '../core/tenant-settings.ts';
import { generateSigningKey } from '../keys/generate.ts';
import type { Context } from './context.ts';
import { switchAlgorithm } from './manage-keys.ts';
import { changedNames, decideAfresh, done, operatorEvent, refused, type Managed, type Refusal } from './manage-outcome.ts';

const ID_BYTES = 16;

const hostTaken = refused('conflict', 'the hostname belongs to another tenant; a hostname has one owner');

/** A tenant by its path name, disabled ones included. @throws StoreError */
export async function requireTenant(ctx: Pick<Context, 'store'>, slug: string): Promise<Managed<Tenant>> {
  const tenant = await ctx.store.findTenant({ slug });
  return tenant === null || tenant.deletedAtMs !== null
    ? refused('not_found', `there is no tenant ${JSON.stringify(slug)}; \`assay tenant list\` shows all`)
    : done(tenant);
}

/** The host of a change in canonical form, or why it cannot be had. */
async function settleHost(ctx: Context, slug: string, change: TenantChange): Promise<TenantChange | Refusal> {
  if (change.host === undefined || change.host === null) return change;
  const origin = ctx.origin();
  const host = canonicalHost(change.host, origin);
  if (host === null) return refused('invalid_request', 'a hostname is HOSTNAME or HOSTNAME:PORT, like login.example.com or acme.localhost:8080');
  if (judgeHost(host, origin).kind !== 'other') {
    return refused('conflict', `${host} is the server's own address, where the tenant ${DEFAULT_TENANT} lives; choose another hostname`);
  }
  const owner = await ctx.store.findTenant({ host });
  if (owner !== null && owner.deletedAtMs === null && owner.slug !== slug) {
    return refused('conflict', `${host} belongs to the tenant ${owner.slug}; a hostname has one owner`);
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
  const fault = findSlugFault(slug) ?? nameFault(wanted);
  if (fault !== null) return refused('invalid_request', fault);
  const existing = await ctx.store.findTenant({ slug });
  if (existing !== null && existing.deletedAtMs === null) return refused('already_exists', `there is a tenant ${slug} already; \`assay tenant update ${slug}\` changes it`);
  const change = await settleHost(ctx, slug, wanted);
  if ('error' in change) return change;
  const nowMs = ctx.clock.now();
  const tenant = makeTenant({ id: `ten_${ctx.random.text(ID_BYTES)}`, slug, nowMs }, change);
  const trouble = findTenantFault(tenant);
  if (trouble !== null) return refused('invalid_request', trouble);
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

function nameFault(change: TenantChange): string | null {
  const fault = change.name === undefined ? null : findNameFault(change.name);
  return fault === null ? null : `--name cannot be used: ${fault}`;
}

/** Changes a tenant; a new algorithm brings new keys, and what the old ones signed stays good (JK-03). @throws StoreError */
export async function updateTenant(ctx: Context, slug: string, wanted: TenantChange): Promise<Managed<Tenant>> {
  const updated = await decideAfresh(async () => {
    const found = await requireTenant(ctx, slug);
    if (!found.ok) return found;
    const fault = nameFault(wanted);
    if (fault !== null) return refused('invalid_request', fault);
    const change = await settleHost(ctx, slug, wanted);
    if ('error' in change) return change;
    const before = found.value;
    const after = applyTenantChange(before, change);
    const trouble = findTenantFault(after);
    if (trouble !== null) return refused('invalid_request', trouble);
    const names = changedNames(before, after);
    const outcome = await ctx.store.updateTenant(before, after, [operatorEvent(ctx, 'tenant_updated', { tenant: slug, subject: slug, reason: names })]);
    if (outcome === 'outdated') return null;
    return outcome === 'updated' ? done(after, describeMove(ctx, before, after)) : hostTaken;
  });
  if (!updated.ok || wanted.algorithm === undefined) return updated;
  const switched = await switchAlgorithm(ctx, updated.value);
  return switched.ok ? done(updated.value, [...updated.warnings, ...switched.warnings]) : switched;
}

function describeMove(ctx: Context, before: Tenant, after: Tenant): readonly string[] {
  const from = issuerOf(before, ctx.origin());
  const to = issuerOf(after, ctx.origin());
  if (from !== to) return [`the issuer of ${after.slug} was ${from} and is now ${to}: JWTs issued before are inactive, and clients must be told`];
  return after.host !== null && after.host !== before.host && after.layout !== 'root'
    ? [`the home of ${after.slug} stays at the layout ${after.layout}; add --layout root to move its issuer to ${after.host}`]
    : [];
}

/**
 * Suspends a tenant, or lets it work again. Tokens issued before a suspension stay dead (INT-32).
 * @throws StoreError
 */
export async function setTenantEnabled(ctx: Context, slug: string, enabled: boolean): Promise<Managed<Tenant>> {
  const type: AuditType = enabled ? 'tenant_enabled' : 'tenant_disabled';
  return decideAfresh(async () => {
    const found = await requireTenant(ctx, slug);
    if (!found.ok) return found;
    const before = found.value;
    const nowMs = ctx.clock.now();
    const after: Tenant = enabled
      ? { ...before, disabledAtMs: null }
      : { ...before, disabledAtMs: before.disabledAtMs ?? nowMs, notBeforeMs: Math.max(before.notBeforeMs, nowMs) };
    const outcome = await ctx.store.updateTenant(before, after, [operatorEvent(ctx, type, { tenant: slug, subject: slug })]);
    if (outcome === 'outdated') return null;
    return outcome === 'updated' ? done(after) : hostTaken;
  });
}

/** Deletes a tenant with its secrets and keys: every token of it is dead at once (MTN-12). @throws StoreError */
export async function deleteTenant(ctx: Context, slug: string): Promise<Managed<null>> {
  if (slug === DEFAULT_TENANT) return refused('conflict', 'the tenant default is part of the server and cannot be deleted; `assay tenant disable default` suspends it');
  const found = await requireTenant(ctx, slug);
  if (!found.ok) return found;
  await ctx.store.deleteTenant(found.value.id, ctx.clock.now(), [operatorEvent(ctx, 'tenant_deleted', { tenant: slug, subject: slug })]);
  return done(null);
}
