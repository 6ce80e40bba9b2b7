import { sameJson, type Json } from './json.ts';
import type { Configuration, Entry, TenantEntry } from './read.ts';

export const configurationKinds = ['tenant', 'client', 'resource', 'role', 'webhook'] as const;
export type ConfigurationKind = (typeof configurationKinds)[number];

/** A member that is to change; `before` undefined: the thing is not there yet. */
export type MemberDifference = { readonly name: string; readonly before: Json | undefined; readonly after: Json };

/** One thing that is not as a file wants it. */
export type Difference = {
  readonly action: 'create' | 'update' | 'delete';
  readonly kind: ConfigurationKind;
  /** Slug. */
  readonly tenant: string;
  /** What it is known by; a tenant's slug. */
  readonly name: string;
  readonly members: readonly MemberDifference[];
  /** The secret that the file refers to is not one that works. */
  readonly secret: boolean;
};

/** A thing that there is and that the file does not speak of. */
export type Unmentioned = Pick<Difference, 'kind' | 'tenant' | 'name'>;

/** What to do, in an order in which it can be done, and what stays although the file does not speak of it. */
export type Plan = { readonly differences: readonly Difference[]; readonly unmentioned: readonly Unmentioned[] };

/** Things of one tenant by kind; null: the file leaves that kind alone. */
const lists = {
  client: (tenant: TenantEntry): readonly Entry<unknown>[] | null => tenant.clients,
  resource: (tenant: TenantEntry): readonly Entry<unknown>[] | null => tenant.resources,
  role: (tenant: TenantEntry): readonly Entry<unknown>[] | null => tenant.roles,
  webhook: (tenant: TenantEntry): readonly Entry<unknown>[] | null => tenant.webhooks,
} as const;

/** Resources name their owners, so clients come first, and go last. */
const makingOrder = ['client', 'resource', 'role', 'webhook'] as const;
const takingOrder = ['webhook', 'resource', 'role', 'client'] as const;

/** Names a secret in `staleSecrets`. */
export function secretKey(kind: ConfigurationKind, tenant: string, name: string): string {
  return JSON.stringify([kind, tenant, name]);
}

function compare(kind: ConfigurationKind, tenant: string, wanted: Entry<unknown>, current: Entry<unknown> | undefined, stale: ReadonlySet<string>): Difference | null {
  const members = Object.entries(wanted.members)
    .map(([name, after]) => ({ name, before: current?.members[name], after }))
    .filter(({ before, after }) => current === undefined || !sameMember(before, after));
  const secret = wanted.secret !== null && (current === undefined || stale.has(secretKey(kind, tenant, wanted.name)));
  if (current !== undefined && members.length === 0 && !secret) return null;
  return { action: current === undefined ? 'create' : 'update', kind, tenant, name: wanted.name, members, secret };
}

/** Of an object only what is named counts: limits that a file leaves out stay. */
function sameMember(before: Json | undefined, after: Json): boolean {
  if (isRecord(before) && isRecord(after) && Object.keys(after).every((name) => name in before) && Object.keys(after).length > 0 && isFlat(after)) {
    return Object.entries(after).every(([name, value]) => sameJson(before[name], value));
  }
  return sameJson(before, after);
}

function isRecord(value: Json | undefined): value is { readonly [member: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Limits are numbers by name; own wording has another level, and is there in full. */
function isFlat(value: { readonly [member: string]: Json }): boolean {
  return Object.values(value).every((member) => typeof member !== 'object' || member === null);
}

/**
 * What has to happen so that everything is as a file wants it. What the file does not speak of stays, unless `prune`.
 * @param keep slugs of tenants that are never deleted
 * @param staleSecrets `secretKey`s of things that there are, whose secret is not the one that the file refers to
 */
export function planConfiguration(current: Configuration, wanted: Configuration, options: {
  readonly prune: boolean; readonly keep: ReadonlySet<string>; readonly staleSecrets: ReadonlySet<string>;
}): Plan {
  const made: Difference[] = [];
  const taken: Difference[] = [];
  const unmentioned: Unmentioned[] = [];
  const take = (gone: Unmentioned): void => {
    if (options.prune) taken.push({ ...gone, action: 'delete', members: [], secret: false });
    else unmentioned.push(gone);
  };
  for (const tenant of wanted.tenants) {
    const before = current.tenants.find(({ name }) => name === tenant.name);
    const own = compare('tenant', tenant.name, tenant, before, options.staleSecrets);
    if (own !== null) made.push(own);
    for (const kind of makingOrder) {
      for (const entry of lists[kind](tenant) ?? []) {
        const difference = compare(kind, tenant.name, entry, find(before, kind, entry.name), options.staleSecrets);
        if (difference !== null) made.push(difference);
      }
    }
    for (const kind of takingOrder) {
      const named = lists[kind](tenant);
      if (named === null || before === undefined) continue;
      for (const { name } of lists[kind](before) ?? []) if (!named.some((entry) => entry.name === name)) take({ kind, tenant: tenant.name, name });
    }
  }
  for (const { name } of current.tenants) {
    if (!options.keep.has(name) && !wanted.tenants.some((tenant) => tenant.name === name)) take({ kind: 'tenant', tenant: name, name });
  }
  return { differences: [...made, ...taken], unmentioned };
}

function find(tenant: TenantEntry | undefined, kind: keyof typeof lists, name: string): Entry<unknown> | undefined {
  return tenant === undefined ? undefined : lists[kind](tenant)?.find((entry) => entry.name === name);
}
