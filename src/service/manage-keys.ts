import { METADATA_MAX_AGE } from '../core/discovery.ts';
import { decideRotation, rotationDueAt } from '../core/key-rotation.ts';
import type { Tenant } from '../core/model.ts';
import type { SigningKeyRow } from '../core/store.ts';
import { generateSigningKey } from '../keys/generate.ts';
import { serverItself, type Context } from './context.ts';
import { done, operatorEvent, refused, type Managed } from './manage-outcome.ts';

/** Two operators may act at once; nobody loses more often than this. */
const ATTEMPTS = 5;

const busy = refused('conflict', 'the keys were changed by somebody else at the same time; look at what they are now, and try again', { hint: '`assay keys list` shows them' });
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
 * The same on schedule, if the key that signs still is the one that was decided on; where no next key is published, one is
 * made and nothing else. @param activeKid null: only make the next
 * @returns whether anything was done; false where another server was quicker
 * @throws StoreError
 */
export async function rotateKeysOnSchedule(ctx: Context, tenant: Tenant, activeKid: string | null): Promise<boolean> {
  const scheduled: Context = { ...ctx, by: serverItself };
  if (activeKid !== null) return (await promote(scheduled, tenant, 'retired', activeKid)).ok;
  const next = await makeNext(scheduled, tenant);
  return ctx.store.addKey(next, [operatorEvent(scheduled, 'key_created', { tenant: tenant.slug, subject: next.kid, reason: 'next' })]);
}

/** When a tenant's keys take their next turn. */
export type KeySchedule = {
  /** Days that a key signs; null: only by command. */
  readonly days: number | null;
  readonly dueAtMs: number | null;
  /** Why it does not happen although it is due; null: it is not due, or happens any moment. */
  readonly waitsFor: 'next_too_fresh' | 'no_next' | null;
};

/** Reads the schedule off the keys. */
export function keySchedule(ctx: Pick<Context, 'clock'>, tenant: Tenant, keys: readonly SigningKeyRow[]): KeySchedule {
  const days = tenant.operations.keyRotationDays;
  const nowMs = ctx.clock.now();
  const verdict = decideRotation(days, keys, { nowMs, seenMs: nowMs }, METADATA_MAX_AGE * 1000);
  const waits = verdict.act === 'wait' && (verdict.why === 'next_too_fresh' || verdict.why === 'no_next') ? verdict.why : null;
  return { days, dueAtMs: rotationDueAt(days, keys.find(({ status }) => status === 'active')), waitsFor: waits };
}

/** What falls with a key. Milliseconds since the epoch. */
export type KeyConsequences = {
  readonly key: SigningKeyRow;
  /** Since when it signed; null: it never did, or another server did with it. */
  readonly signedSinceMs: number | null;
  /** Until when what it signed would have lived at the latest; null: there is nothing. */
  readonly tokensUntilMs: number | null;
  /** Live grants whose access tokens fall; their refresh tokens stay good and bring new ones. */
  readonly grants: number;
  /** Whether ID tokens that it signed prove nothing any more. */
  readonly idTokens: boolean;
};

async function foresee(ctx: Context, tenant: Tenant, key: SigningKeyRow): Promise<KeyConsequences> {
  const nowMs = ctx.clock.now();
  const nothing: KeyConsequences = { key, signedSinceMs: null, tokensUntilMs: null, grants: 0, idTokens: false };
  if (key.status === 'revoked') return nothing;
  if (key.issuer !== null) return { ...nothing, tokensUntilMs: key.retiredAtMs };
  if (key.activatedAtMs === null) return nothing;
  const signedUntilMs = key.retiredAtMs ?? nowMs;
  const { grants, longestAccessTtl } = await ctx.store.countSignedGrants(tenant.id, key.activatedAtMs, signedUntilMs, nowMs);
  const tokensUntilMs = signedUntilMs + longestAccessTtl * 1000;
  return { key, signedSinceMs: key.activatedAtMs, tokensUntilMs: tokensUntilMs > nowMs ? tokensUntilMs : null, grants, idTokens: true };
}

/**
 * Takes a key away at once: everything that it signed is inactive (JK-05). Of the active key, the next one takes over.
 * @param options.dryRun only tell what would fall
 * @throws StoreError
 */
export async function revokeKey(ctx: Context, tenant: Tenant, kid: string, options: { readonly dryRun?: boolean } = {}): Promise<Managed<KeyConsequences>> {
  const rows = await ctx.store.listKeys(tenant.id);
  const key = rows.find((row) => row.kid === kid);
  if (key === undefined) {
    return refused('not_found', `the tenant ${tenant.slug} has no key with this id`, { hint: `\`assay keys list --tenant ${tenant.slug}\` shows all` });
  }
  const consequences = await foresee(ctx, tenant, key);
  if (options.dryRun === true || key.status === 'revoked') return done(consequences);
  if (key.status === 'active') {
    const outcome = await promote(ctx, tenant, 'revoked', kid);
    return outcome.ok ? done(consequences, outcome.warnings) : outcome;
  }
  const replacement = key.status === 'next' ? await makeNext(ctx, tenant) : null;
  await ctx.store.revokeKey(tenant.id, kid, replacement, ctx.clock.now(), [
    operatorEvent(ctx, 'key_revoked', { tenant: tenant.slug, subject: kid, reason: key.issuer === null ? key.status : 'imported' }),
  ]);
  return done(consequences);
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
