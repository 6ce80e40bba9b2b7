import { BoundedMap } from '../../core/bounded-map.ts';
import type { ApiKey } from '../../core/admin.ts';
import type { Client, OpaqueToken, Resource, Tenant, User } from '../../core/model.ts';
import type { Membership, Organization, Role } from '../../core/people.ts';
import type { SigningKeyRow } from '../../core/store.ts';

/** Entries per generation; a map holds at most two generations. */
const TOKENS = 25_000;
const OWNERS = 25_000;
const TENANTS = 5_000;
const API_KEYS = 1_000;

/** Tables that whatever is computed from the store may depend on, tokens apart. */
export type OwnerTable = 'meta' | 'tenants' | 'clients' | 'resources' | 'users' | 'keys' | 'organizations' | 'memberships' | 'roles';

/**
 * What reads remember. Exact: everything goes when another connection committed, what this process changes goes in the
 * same step as the commit, and nothing enters from within a transaction.
 */
export type Memory = {
  readonly meta: BoundedMap<string, { readonly value: string | null }>;
  /** By `i` + id, `s` + slug, `h` + host. */
  readonly tenants: BoundedMap<string, Tenant>;
  readonly clients: BoundedMap<string, Client>;
  /** Also resources that do not exist: an audience is often none. */
  readonly resources: BoundedMap<string, { readonly resource: Resource | null }>;
  readonly users: BoundedMap<string, User>;
  readonly keys: BoundedMap<string, readonly SigningKeyRow[]>;
  /** Also organizations that do not exist: a token may name any. */
  readonly organizations: BoundedMap<string, { readonly organization: Organization | null }>;
  /** By user. */
  readonly memberships: BoundedMap<string, readonly Membership[]>;
  /** By tenant. */
  readonly roles: BoundedMap<string, readonly Role[]>;
  readonly opaqueTokens: BoundedMap<string, OpaqueToken>;
  /** Whether a token id was revoked. */
  readonly tokenIds: BoundedMap<string, boolean>;
  /** Whether a grant was revoked or is unknown. Keyed by tenant too: another tenant's grant is unknown. */
  readonly grants: BoundedMap<string, boolean>;
  /** By digest. Nothing is computed from them that outlives a request, so they move no epoch. */
  readonly apiKeys: BoundedMap<string, ApiKey>;
  /** Before each read: makes sure that what is remembered is what the database holds. */
  readonly refresh: () => void;
  /** The turn of the event loop is over; the next read asks the database again. */
  readonly turned: () => void;
  /** After an own commit that changed an owner table. */
  readonly forget: (table: OwnerTable) => void;
  /** Changes when owner tables may have changed; see the port. */
  readonly epoch: () => number;
  /** After an own commit that ended or spent a token. */
  readonly tokenEnded: () => void;
  /** Changes with the epoch and with every ended or spent token; see the port. */
  readonly revision: () => number;
};

/** A key of two parts; tenant ids are made by us and hold no line feed. */
export function pairKey(tenantId: string, id: string): string {
  return `${tenantId}\n${id}`;
}

/**
 * @param readVersion `PRAGMA data_version`: changes when another connection commits, in this process or another.
 * It costs microseconds, so it is asked once per turn of the event loop. That is still exact: what arrives in a turn
 * was sent before the turn began, so before it nobody can have been told of a commit that the turn's first read
 * missed. `turned` runs before the loop looks for new input again (test/pinned/sqlite.test.ts).
 */
export function openMemory(readVersion: () => number): Memory {
  const owners = {
    meta: new BoundedMap<string, { readonly value: string | null }>(TENANTS),
    tenants: new BoundedMap<string, Tenant>(TENANTS),
    clients: new BoundedMap<string, Client>(OWNERS),
    resources: new BoundedMap<string, { readonly resource: Resource | null }>(OWNERS),
    users: new BoundedMap<string, User>(OWNERS),
    keys: new BoundedMap<string, readonly SigningKeyRow[]>(TENANTS),
    organizations: new BoundedMap<string, { readonly organization: Organization | null }>(OWNERS),
    memberships: new BoundedMap<string, readonly Membership[]>(OWNERS),
    roles: new BoundedMap<string, readonly Role[]>(TENANTS),
  };
  const tokens = {
    opaqueTokens: new BoundedMap<string, OpaqueToken>(TOKENS),
    tokenIds: new BoundedMap<string, boolean>(TOKENS),
    grants: new BoundedMap<string, boolean>(TOKENS),
    apiKeys: new BoundedMap<string, ApiKey>(API_KEYS),
  };
  let seen = readVersion();
  let asked = false;
  let epoch = 0;
  let ended = 0;

  function refresh(): void {
    if (asked) return;
    const version = readVersion();
    asked = true;
    setImmediate(turned);
    if (version === seen) return;
    seen = version;
    epoch++;
    for (const map of Object.values(owners)) map.clear();
    for (const map of Object.values(tokens)) map.clear();
  }

  function turned(): void {
    asked = false;
  }

  return {
    ...owners,
    ...tokens,
    refresh,
    turned,
    forget: (table) => {
      owners[table].clear();
      epoch++;
    },
    epoch: () => {
      refresh();
      return epoch;
    },
    tokenEnded: () => {
      ended++;
    },
    // Both only grow, so their sum never comes back to what it was.
    revision: () => {
      refresh();
      return epoch + ended;
    },
  };
}
