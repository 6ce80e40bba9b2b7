import { findMappingFault } from './claim-mapping.ts';
import { faultOf, type Fault } from './fault.ts';
import { isHost } from './host.ts';
import { findNameFault } from './identifiers.ts';
import { stripDefaultPort, type Origin } from './issuer.ts';
import type {
  IntrospectionPolicy, LayoutName, PolicyMode, PresetName, RefreshRevocation, RevocationPolicy, ShapeName, Tenant,
} from './model.ts';
import { defaultOperationsSettings, type OperationsSettings, type RequestLimits } from './operations-settings.ts';
import { defaultPeopleSettings, type PeopleSettings } from './people.ts';
import { presets } from './presets.ts';
import type { SigningAlgorithm } from '../spec/names.ts';

/** Slug of the tenant that lives on the server's own origin; always there, always at the layout `root`. */
export const DEFAULT_TENANT = 'default';

/** Longest lifetime that can be set: ten years, seconds. */
export const MAX_LIFETIME_S = 315_360_000;

/** What an operator wants of a tenant; what is left out stays, or is what the preset says. */
export type TenantChange = {
  readonly name?: string;
  readonly preset?: PresetName;
  readonly layout?: LayoutName;
  /** Canonical; null gives the hostname up. */
  readonly host?: string | null;
  readonly introspectionPolicy?: IntrospectionPolicy;
  readonly introspectionPolicyMode?: PolicyMode;
  readonly revocationPolicy?: RevocationPolicy;
  readonly refreshRevocation?: RefreshRevocation;
  readonly shape?: ShapeName;
  readonly algorithm?: SigningAlgorithm;
  /** Seconds. */
  readonly accessTokenTtl?: number;
  /** Seconds. */
  readonly refreshTokenTtl?: number;
  /** Only what changes. */
  readonly people?: Partial<PeopleSettings>;
  /** Only what changes. */
  readonly operations?: Partial<Omit<OperationsSettings, 'limits'>> & { readonly limits?: Partial<RequestLimits> };
};

/** A hostname as kept: lower case, without the default port of the server's scheme (MTN-02). null: not a hostname. */
export function canonicalHost(text: string, origin: Origin): string | null {
  const lower = text.toLowerCase();
  if (!isHost(lower)) return null;
  const port = /:([0-9]+)$/.exec(lower)?.[1];
  if (port !== undefined && !lower.endsWith(']') && (Number(port) < 1 || Number(port) > 65_535 || port.startsWith('0'))) return null;
  return stripDefaultPort(lower, origin.scheme);
}

/** Whether a lifetime can be set, seconds. */
export function isLifetime(seconds: number): boolean {
  return Number.isInteger(seconds) && seconds >= 1 && seconds <= MAX_LIFETIME_S;
}

/** Home layout of a preset: its own, else `root` for an owner of a hostname and `realm` for others. */
function homeLayout(preset: PresetName, host: string | null): LayoutName {
  return presets[preset].layout ?? (host === null ? 'realm' : 'root');
}

/**
 * A tenant after a change. A preset sets everything that its row says; what is given beside it goes over the row. The
 * tenant `default` never moves.
 */
export function applyTenantChange(tenant: Tenant, change: TenantChange): Tenant {
  const host = change.host === undefined ? tenant.host : change.host;
  const preset = change.preset ?? tenant.preset;
  const row = change.preset === undefined ? tenant : presets[preset];
  const home = change.preset === undefined || tenant.slug === DEFAULT_TENANT ? tenant.layout : homeLayout(preset, host);
  return {
    ...tenant, host, preset,
    name: change.name ?? tenant.name,
    layout: change.layout ?? home,
    introspectionPolicy: change.introspectionPolicy ?? row.introspectionPolicy,
    introspectionPolicyMode: change.introspectionPolicyMode ?? tenant.introspectionPolicyMode,
    revocationPolicy: change.revocationPolicy ?? row.revocationPolicy,
    refreshRevocation: change.refreshRevocation ?? row.refreshRevocation,
    shape: change.shape ?? row.shape,
    defaultAudience: row.defaultAudience,
    algorithm: change.algorithm ?? tenant.algorithm,
    accessTokenTtl: change.accessTokenTtl ?? row.accessTokenTtl,
    refreshTokenTtl: change.refreshTokenTtl ?? row.refreshTokenTtl,
    people: { ...tenant.people, ...change.people },
    operations: { ...tenant.operations, ...change.operations, limits: { ...tenant.operations.limits, ...change.operations?.limits } },
  };
}

/** A tenant that does not exist yet: the preset's row with what is given over it. */
export function makeTenant(identity: { readonly id: string; readonly slug: string; readonly nowMs: number }, change: TenantChange): Tenant {
  const preset = change.preset ?? 'standard';
  const { introspectionPolicy, revocationPolicy, refreshRevocation, shape, defaultAudience, accessTokenTtl, refreshTokenTtl } = presets[preset];
  const blank: Tenant = {
    id: identity.id, slug: identity.slug, name: identity.slug, preset, host: null,
    layout: identity.slug === DEFAULT_TENANT ? 'root' : homeLayout(preset, change.host ?? null),
    introspectionPolicy, introspectionPolicyMode: 'enforce', revocationPolicy, refreshRevocation, shape, defaultAudience,
    algorithm: 'RS256', accessTokenTtl, refreshTokenTtl, people: defaultPeopleSettings, operations: defaultOperationsSettings,
    createdAtMs: identity.nowMs, disabledAtMs: null, deletedAtMs: null, notBeforeMs: 0,
  };
  return applyTenantChange(blank, change);
}

/** Why a tenant may not be as it is; null when it may (wire contract §1, §5). */
export function findTenantFault(tenant: Tenant): Fault | null {
  const named = findNameFault(tenant.name);
  if (named !== null) return faultOf('name', `the name cannot be used: ${named}`);
  if (tenant.slug === DEFAULT_TENANT) {
    if (tenant.layout !== 'root') return faultOf('layout', 'the tenant default lives at the layout root of the server\'s own origin and cannot move; make another tenant for another layout');
    if (tenant.host !== null) return faultOf('host', 'the tenant default lives on the server\'s own origin and has no hostname', 'make another tenant for it, or give the server another origin (assay serve --origin)');
  } else if (tenant.layout === 'root' && tenant.host === null) {
    return faultOf('host', 'a tenant at the layout root needs a hostname of its own', 'add --host HOSTNAME[:PORT], or choose another place with --layout realm or --layout org');
  }
  const lifetime = (['accessTokenTtl', 'refreshTokenTtl'] as const).find((name) => !isLifetime(tenant[name]));
  if (lifetime !== undefined) return faultOf(lifetime, `a lifetime is 1 to ${MAX_LIFETIME_S} whole seconds`);
  return findPeopleFault(tenant.people) ?? findOperationsFault(tenant.operations);
}

/** Shortest and longest that a tenant may want of its shortest password (UI-14). */
const LEAST_PASSWORD = 8;
const MOST_PASSWORD = 64;

/** Why people cannot sign in like this; null when they can. */
function findPeopleFault(people: PeopleSettings): Fault | null {
  if (!people.passwords && !people.emailCodes && !people.passkeys) return faultOf('people.passwords', 'people need a way to sign in', 'leave one of --passwords, --email-codes and --passkeys on');
  const { passwordMinLength: least, color } = people;
  if (!Number.isInteger(least) || least < LEAST_PASSWORD || least > MOST_PASSWORD) return faultOf('people.passwordMinLength', `the shortest password may be ${LEAST_PASSWORD} to ${MOST_PASSWORD} characters`);
  const lifetime = (['sessionIdleTtl', 'sessionTtl'] as const).find((name) => !isLifetime(people[name]));
  if (lifetime !== undefined) return faultOf(`people.${lifetime}`, `a session's lifetime is 1 to ${MAX_LIFETIME_S} whole seconds`);
  if (color !== null && !/^#[0-9a-f]{6}$/i.test(color)) return faultOf('people.color', 'a color is #rrggbb, like #1a7f64');
  const claims = findMappingFault(people.claims);
  return claims === null ? null : faultOf('people.claims', claims);
}

/** Most days and most requests per minute that can be set. */
const MOST_DAYS = 36_500;
export const MOST_REQUESTS = 1_000_000;

/** Why a tenant cannot be operated like this; null when it can. */
function findOperationsFault({ keyRotationDays, auditRetentionDays, limits }: OperationsSettings): Fault | null {
  const isWhole = (value: number | null, most: number): boolean => value === null || (Number.isInteger(value) && value >= 1 && value <= most);
  if (!isWhole(keyRotationDays, MOST_DAYS)) return faultOf('operations.keyRotationDays', `keys are rotated after 1 to ${MOST_DAYS} whole days`);
  if (!isWhole(auditRetentionDays, MOST_DAYS)) return faultOf('operations.auditRetentionDays', `audit events are kept for 1 to ${MOST_DAYS} whole days`);
  const limit = (['tenant', 'client', 'address', 'account'] as const).find((name) => !isWhole(limits[name], MOST_REQUESTS));
  return limit === undefined ? null : faultOf(`operations.limits.${limit}`, `a limit is 1 to ${MOST_REQUESTS} whole requests per minute`);
}
