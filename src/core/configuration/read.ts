import { findClosest } from '../closest.ts';
import type { ClientChange } from '../client-settings.ts';
import { isReservedSlug, isSlug } from '../layouts.ts';
import type { TenantChange } from '../tenant-settings.ts';
import {
  clientFields, resourceFields, roleFields, tenantFields, webhookFields, type Field, type ResourceMembers, type RoleMembers, type WebhookMembers,
} from './fields.ts';
import { isObject, type Json } from './json.ts';

/** Where a secret is: never in the configuration itself (CR-08). */
export type SecretReference = { readonly from: 'env' | 'file'; readonly name: string };

/** One thing as configuration wants it. What is not said of it stays as it is. */
export type Entry<Change> = {
  /** What it is known by: a slug, id, URI or name. */
  readonly name: string;
  /** What was said, as documents show it. */
  readonly members: Readonly<Record<string, Json>>;
  /** The same for an act, member by member. */
  readonly changes: ReadonlyMap<string, Change>;
  readonly secret: SecretReference | null;
};

/** A tenant and its things. A kind of thing that is not there is nobody's business; one that is, is there in full. */
export type TenantEntry = Entry<TenantChange> & {
  readonly clients: readonly Entry<ClientChange>[] | null;
  readonly resources: readonly Entry<ResourceMembers>[] | null;
  readonly roles: readonly Entry<RoleMembers>[] | null;
  readonly webhooks: readonly Entry<WebhookMembers>[] | null;
};

/** Everything that a file wants. */
export type Configuration = { readonly tenants: readonly TenantEntry[] };

/** Place of a value: names of members and numbers of items. */
export type Place = readonly (string | number)[];
/** Something wrong, and where. */
export type Problem = { readonly place: Place; readonly text: string };

export type ConfigurationReading = { readonly ok: true; readonly configuration: Configuration } | { readonly ok: false; readonly problems: readonly Problem[] };

/** The form of configuration that this program writes and reads. */
export const CONFIGURATION_VERSION = 1;
/** Things of one kind in one list, at most. */
const MOST = 10_000;

type Kind<Change> = { readonly key: string; readonly fields: readonly Field<Change>[]; readonly lists: readonly string[]; readonly secret: boolean };

const kinds = {
  tenant: { key: 'slug', fields: tenantFields, lists: ['clients', 'resources', 'roles', 'webhooks'], secret: false } satisfies Kind<TenantChange>,
  client: { key: 'client_id', fields: clientFields, lists: [], secret: true } satisfies Kind<ClientChange>,
  resource: { key: 'uri', fields: resourceFields, lists: [], secret: false } satisfies Kind<ResourceMembers>,
  role: { key: 'role', fields: roleFields, lists: [], secret: false } satisfies Kind<RoleMembers>,
  webhook: { key: 'name', fields: webhookFields, lists: [], secret: true } satisfies Kind<WebhookMembers>,
};

const placeOf = (place: Place, more: string | number): Place => [...place, more];

function readSecret(value: Json, place: Place, problems: Problem[]): SecretReference | null {
  const [only, ...rest] = isObject(value) ? Object.entries(value) : [];
  const [from, name] = only ?? [];
  if ((from === 'env' || from === 'file') && typeof name === 'string' && name !== '' && rest.length === 0) return { from, name };
  problems.push({ place, text: 'a secret is never in here: say where it is, {env: NAME} or {file: PATH}' });
  return null;
}

function readEntry<Change>(kind: Kind<Change>, value: Json, place: Place, problems: Problem[]): Entry<Change> | null {
  if (!isObject(value)) {
    problems.push({ place, text: `must be an object with ${kind.key}` });
    return null;
  }
  const { [kind.key]: name, ...rest } = value;
  if (typeof name !== 'string' || name === '') {
    problems.push({ place, text: `${kind.key} is missing: what it is known by` });
    return null;
  }
  const members: Record<string, Json> = {};
  const changes = new Map<string, Change>();
  let secret: SecretReference | null = null;
  for (const [member, given] of Object.entries(rest)) {
    if (kind.lists.includes(member)) continue;
    const at = placeOf(place, member);
    if (member === 'secret' && kind.secret) {
      secret = readSecret(given, at, problems);
      continue;
    }
    const known = kind.fields.find((field) => field.name === member);
    const reading = known?.read(given);
    if (reading === undefined) problems.push({ place: at, text: unknownMember(member, kind) });
    else if (!reading.ok) problems.push({ place: at, text: reading.problem });
    else {
      members[member] = reading.shown;
      changes.set(member, reading.value);
    }
  }
  return { name, members, changes, secret };
}

function unknownMember(name: string, { key, fields, lists, secret }: Kind<unknown>): string {
  const names = [key, ...fields.map((field) => field.name), ...lists, ...(secret ? ['secret'] : [])];
  const meant = findClosest(name, names);
  return `there is no such member${meant === null ? `; there are ${names.join(', ')}` : `; did you mean ${meant}?`}`;
}

function readList<Change>(kind: Kind<Change>, value: Json | undefined, place: Place, problems: Problem[]): readonly Entry<Change>[] | null {
  if (value === undefined) return null;
  if (!Array.isArray(value) || value.length > MOST) {
    problems.push({ place, text: `must be a list of at most ${MOST}` });
    return null;
  }
  const items: readonly Json[] = value;
  const entries = items.map((item, index) => readEntry(kind, item, placeOf(place, index), problems));
  refuseTwice(entries, place, problems);
  return entries.filter((entry) => entry !== null);
}

function refuseTwice(entries: readonly ({ readonly name: string } | null)[], place: Place, problems: Problem[]): void {
  const seen = new Set<string>();
  for (const [index, entry] of entries.entries()) {
    if (entry === null) continue;
    if (seen.has(entry.name)) problems.push({ place: placeOf(place, index), text: `${JSON.stringify(entry.name)} is there twice` });
    seen.add(entry.name);
  }
}

function readTenant(value: Json, place: Place, problems: Problem[]): TenantEntry | null {
  const entry = readEntry<TenantChange>(kinds.tenant, value, place, problems);
  if (entry === null || !isObject(value)) return null;
  if (!isSlug(entry.name) || isReservedSlug(entry.name)) problems.push({ place: placeOf(place, 'slug'), text: 'this cannot be a tenant\'s slug: 1 to 63 characters of a-z, 0-9 and "-", and no path of the server\'s own' });
  const list = <Change>(kind: Kind<Change>, name: string): readonly Entry<Change>[] | null => readList(kind, value[name], placeOf(place, name), problems);
  return {
    ...entry, clients: list<ClientChange>(kinds.client, 'clients'), resources: list<ResourceMembers>(kinds.resource, 'resources'),
    roles: list<RoleMembers>(kinds.role, 'roles'), webhooks: list<WebhookMembers>(kinds.webhook, 'webhooks'),
  };
}

/** Reads what a file holds; finds every problem at once. */
export function readConfiguration(value: Json): ConfigurationReading {
  const problems: Problem[] = [];
  if (!isObject(value)) return { ok: false, problems: [{ place: [], text: 'must be an object with version and tenants' }] };
  const { version, tenants, ...rest } = value;
  for (const name of Object.keys(rest)) problems.push({ place: [name], text: 'there is no such member; there are version and tenants' });
  if (version !== CONFIGURATION_VERSION) problems.push({ place: ['version'], text: `must be ${CONFIGURATION_VERSION}` });
  if (!Array.isArray(tenants)) return { ok: false, problems: [...problems, { place: ['tenants'], text: 'must be a list' }] };
  const items: readonly Json[] = tenants;
  const entries = items.map((item, index) => readTenant(item, ['tenants', index], problems));
  refuseTwice(entries, ['tenants'], problems);
  return problems.length > 0 ? { ok: false, problems } : { ok: true, configuration: { tenants: entries.filter((entry) => entry !== null) } };
}
