import { METADATA_MAX_AGE } from '../core/discovery.ts';
import type { Tenant } from '../core/model.ts';
import type { SigningKeyRow } from '../core/store.ts';
import { generateSigningKey } from '../keys/generate.ts';
import type { Context } from './context.ts';
import { done, operatorEvent, refused, type Managed } from './manage-outcome.ts';

/** Two operators may act at once; nobody loses more often than this. */
const ATTEMPTS = 5;

const busy = refused('conflict', 'the keys were changed by somebody else at the same time; look with `assay keys list` and try again');
const noKeys = refused('conflict', 'the first keys of this tenant are still being made; try again in a moment');

/** A tenant's keys: what signs, what will, what did. @throws StoreError */
export async function listKeys(ctx: Context, tenant: Tenant): Promise<readonly SigningKeyRow[]> {
  return ctx.store.listKeys(tenant.id);
}

async function makeNext(ctx: Context, tenant: Tenant): Promise<SigningKeyRow> {
  return generateSigningKey(ctx.master, tenant.id, tenant.algorithm, 'next', ctx.clock.now(), ctx.settings.rsaBits);
}

function freshWarning(next: SigningKeyRow, nowMs: number): readonly string[] {
  const ageS = Math.floor((nowMs - next.createdAtMs) / 1000);
  if (ageS >= METADATA_MAX_AGE) return [];
  return [`the new key was published only ${ageS} s ago, and resource servers may keep the old key set for ${METADATA_MAX_AGE} s: `
    + 'those that verify tokens themselves may refuse new tokens until they fetch it again'];
}

/** Makes the next key sign, and publishes another. The former one goes to `formerStatus`. */
async function promote(ctx: Context, tenant: Tenant, formerStatus: 'retired' | 'revoked', expectedKid: string | null): Promise<Managed<readonly SigningKeyRow[]>> {
  const newNext = await makeNext(ctx, tenant);
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const rows = await ctx.store.listKeys(tenant.id);
    const active = rows.find((row) => row.status === 'active');
    if (active === undefined) return noKeys;
    if (expectedKid !== null && active.kid !== expectedKid) return busy;
    let next = rows.find((row) => row.status === 'next');
    if (next === undefined) {
      next = await makeNext(ctx, tenant);
      await ctx.store.addKey(next, [operatorEvent(ctx, 'key_created', { tenant: tenant.slug, subject: next.kid, reason: 'next' })]);
    }
    const nowMs = ctx.clock.now();
    const type = formerStatus === 'revoked' ? 'key_revoked' : 'key_rotated';
    const promoted = await ctx.store.promoteKey(
      { tenantId: tenant.id, expectedActive: active.kid, formerStatus, nextKid: next.kid, newNext, atMs: nowMs },
      [
        operatorEvent(ctx, type, { tenant: tenant.slug, subject: active.kid, reason: `now_${next.kid}` }),
        operatorEvent(ctx, 'key_created', { tenant: tenant.slug, subject: newNext.kid, reason: 'next' }),
      ],
    );
    if (promoted) return done(await ctx.store.listKeys(tenant.id), freshWarning(next, nowMs));
  }
  return busy;
}

/** Lets the next key sign from now on; what the former one signed stays good (JK-03, JK-04). @throws StoreError */
export async function rotateKeys(ctx: Context, tenant: Tenant): Promise<Managed<readonly SigningKeyRow[]>> {
  return promote(ctx, tenant, 'retired', null);
}

/**
 * Takes a key away at once: everything that it signed is inactive (JK-05). Of the active key, the next one takes over.
 * @throws StoreError
 */
export async function revokeKey(ctx: Context, tenant: Tenant, kid: string): Promise<Managed<null>> {
  const rows = await ctx.store.listKeys(tenant.id);
  const key = rows.find((row) => row.kid === kid);
  if (key === undefined) return refused('not_found', `the tenant ${tenant.slug} has no key with this id; \`assay keys list --tenant ${tenant.slug}\` shows all`);
  if (key.status === 'revoked') return done(null);
  if (key.status === 'active') {
    const outcome = await promote(ctx, tenant, 'revoked', kid);
    return outcome.ok ? done(null, outcome.warnings) : outcome;
  }
  const replacement = key.status === 'next' ? await makeNext(ctx, tenant) : null;
  await ctx.store.revokeKey(tenant.id, kid, replacement, ctx.clock.now(), [
    operatorEvent(ctx, 'key_revoked', { tenant: tenant.slug, subject: kid, reason: key.status }),
  ]);
  return done(null);
}

/**
 * Brings the keys to the tenant's algorithm: a new key signs, another is published, the old ones are kept for what they
 * signed. Does nothing when the key that signs has that algorithm, so an act that was cut short can be repeated.
 * @throws StoreError
 */
export async function switchAlgorithm(ctx: Context, tenant: Tenant): Promise<Managed<null>> {
  const rows = await ctx.store.listKeys(tenant.id);
  const active = rows.find((row) => row.status === 'active');
  const next = rows.find((row) => row.status === 'next');
  if (active === undefined) return noKeys;
  const fits = (key: SigningKeyRow | undefined): boolean => key?.algorithm === tenant.algorithm;
  if (fits(active) && fits(next)) return done(null);
  if (next !== undefined && !fits(next)) {
    // It never signed anything: nothing is lost with it.
    const replacement = await makeNext(ctx, tenant);
    await ctx.store.revokeKey(tenant.id, next.kid, replacement, ctx.clock.now(), [
      operatorEvent(ctx, 'key_revoked', { tenant: tenant.slug, subject: next.kid, reason: 'next' }),
      operatorEvent(ctx, 'key_created', { tenant: tenant.slug, subject: replacement.kid, reason: 'next' }),
    ]);
  }
  if (fits(active)) return done(null);
  const outcome = await promote(ctx, tenant, 'retired', active.kid);
  return outcome.ok ? done(null, outcome.warnings) : outcome;
}
