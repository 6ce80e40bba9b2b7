import type { AuditEvent } from './audit-event.ts';
import type { OperationsStore } from './operations-store.ts';
import type { Password } from './people.ts';
import type { Aftermath, PeopleStore } from './people-store.ts';
import type { SessionTimes } from './session.ts';
import type { SigningAlgorithm } from '../spec/names.ts';
import type {
  Client, ClientSecret, Grant, OpaqueToken, RefreshToken, RefreshUse, Resource, Session, Tenant, User,
} from './model.ts';

/**
 * What the domain needs of its storage, in the domain's words. Every writing operation is atomic and durable: its
 * promise resolves only when the change is on disk, and the audit events given with it are in the same transaction.
 * Reads may be answered from memory, but never differ from what the database holds, whichever process changed it
 * (INT-97). Storage never sees a token, only its digest (base64url SHA-256), and never decides.
 *
 * Failures: every operation may throw or reject with a StoreError.
 */
export type Store = StoreReads & StoreWrites & PeopleStore & OperationsStore & {
  /**
   * A number that changes whenever anything but tokens may have changed: tenants, clients, users, resources, keys,
   * settings, by this process or another. What was computed from those stays right while it stays the same.
   */
  epoch(): number;
  /**
   * A number that changes whenever anything may have changed that an active answer about a token stands on: what
   * `epoch` tells, and every revocation and rotation. A new token changes no answer.
   */
  revision(): number;
  /** Throws a StoreError when nothing can be written now (readiness). */
  probe(): Promise<void>;
  /**
   * Ends browsers' sessions that are over by themselves, and deletes what expired, for about budgetMs of work, but at least
   * one step of it; goes on where the last call stopped.
   * `steadyMs`: keys are deleted by it, where it is behind `nowMs`: a clock that jumped must not take them (JK-10).
   * `rows`: how many ended or went. `done`: every kind was looked at since the last one did, and nothing is left to do.
   */
  sweep(nowMs: number, budgetMs: number, steadyMs?: number): Promise<{ readonly rows: number; readonly done: boolean }>;
  /** Waits for what is under way, checkpoints and closes. */
  close(): Promise<void>;
};

/** A value that is there at once or soon; always `await` it. */
export type Awaitable<T> = T | Promise<T>;

/** The storage's own failure: never a statement about a token (INT-29). */
export class StoreError extends Error {
  /** `busy`: try again soon; `unavailable`: disk, permissions, corruption. */
  readonly kind: 'busy' | 'unavailable';
  constructor(kind: 'busy' | 'unavailable', cause: unknown) {
    super(`storage ${kind}`, { cause });
    this.name = 'StoreError';
    this.kind = kind;
  }
}

/** What is known of one token's life, beside its owners' state. */
export type TokenRecord = { readonly revoked: boolean; readonly grantRevoked: boolean };

export type SigningKeyStatus = 'next' | 'active' | 'retired' | 'revoked';

/** A signing key as kept: the private part sealed under the master key, and empty once the key signs no more. */
export type SigningKeyRow = {
  readonly tenantId: string;
  readonly kid: string;
  readonly algorithm: SigningAlgorithm;
  readonly status: SigningKeyStatus;
  /** JSON of the public JWK. */
  readonly publicJwk: string;
  readonly sealedPrivate: string;
  readonly createdAtMs: number;
  readonly activatedAtMs: number | null;
  /** Of a key of another server's: until when what it signed may live. */
  readonly retiredAtMs: number | null;
  /** Whose tokens it signed, where they were another server's before they came here; null: this tenant's own. */
  readonly issuer: string | null;
};

/** Settings that belong to the data rather than to a start of the server. */
export type MetaKey = 'origin' | 'clock_high_water_ms' | 'fingerprint_key' | 'demo' | 'master_key_id' | 'restored_at_ms';

type StoreReads = {
  readMeta(key: MetaKey): Awaitable<string | null>;

  /** Also disabled and deleted ones: deciding is not the store's. Among equals the live one. */
  findTenant(by: { readonly slug: string } | { readonly id: string } | { readonly host: string }): Awaitable<Tenant | null>;
  /** All but deleted ones, by slug. */
  listTenants(): Awaitable<readonly Tenant[]>;

  /** Also disabled and deleted ones, with secrets. */
  findClient(tenantId: string, id: string): Awaitable<Client | null>;
  listClients(tenantId: string): Awaitable<readonly Client[]>;

  /** By the identifier's canonical form. */
  findResource(tenantId: string, key: string): Awaitable<Resource | null>;
  listResources(tenantId: string): Awaitable<readonly Resource[]>;

  /** Also disabled and deleted ones. */
  findUser(tenantId: string, id: string): Awaitable<User | null>;
  /** By the username's comparison key; never a deleted one. */
  findUserByName(tenantId: string, usernameKey: string): Awaitable<User | null>;
  listUsers(tenantId: string): Awaitable<readonly User[]>;

  findSession(tenantId: string, id: string): Awaitable<Session | null>;
  /** `session`: the browser's session that its grant ends with; null for a grant that is offline or has none. */
  findRefreshToken(digest: string): Awaitable<{ readonly token: RefreshToken; readonly grant: Grant; readonly session: SessionTimes | null } | null>;
  findOpaqueToken(digest: string): Awaitable<OpaqueToken | null>;
  /** `grantRevoked` is also true for a grant that does not exist. */
  readTokenRecord(tenantId: string, tokenId: string | null, grantId: string | null): Awaitable<TokenRecord>;

  listKeys(tenantId: string): Awaitable<readonly SigningKeyRow[]>;
};

/** A visit to the session of a grant, to be noted along with what it brought. */
export type GrantVisit = { readonly sessionId: string; readonly atMs: number };

/** A new access token of a grant: an opaque one is a row, a JWT only prolongs how long the grant's row is kept. */
export type NewAccess = { readonly opaque: OpaqueToken | null; readonly expiresAt: number };

/**
 * What became of a compare-and-set of a whole row. `outdated`: the row is not any more what the caller decided on, for
 * somebody changed or deleted it; nothing was written, and the caller decides again.
 */
export type UpdateOutcome = 'updated' | 'outdated';

export type StoreWrites = {
  writeMeta(key: MetaKey, value: string, audit: readonly AuditEvent[]): Promise<void>;
  /** Writes a setting that is made once for all: of several that try, one wins. Returns what is stored. */
  claimMeta(key: MetaKey, value: string): Promise<string>;

  /** False when its slug or hostname is taken, also by a deleted tenant whose tokens may live. */
  createTenant(tenant: Tenant, keys: readonly SigningKeyRow[], audit: readonly AuditEvent[]): Promise<boolean>;
  /** Replaces the row if it still is `before`. */
  updateTenant(before: Tenant, after: Tenant, audit: readonly AuditEvent[]): Promise<UpdateOutcome | 'host_taken'>;
  /** Marks it deleted, frees its hostname, and wipes secrets, private keys and webhooks (MTN-12). */
  deleteTenant(tenantId: string, atMs: number, audit: readonly AuditEvent[]): Promise<void>;

  /** False when a live client has the id. A deleted one's id may be given again; its cutoff stays. */
  createClient(client: Client, audit: readonly AuditEvent[]): Promise<boolean>;
  /**
   * Replaces the row if it still is `before`, secrets apart. A client that is marked deleted loses its secrets, and no
   * resource is its own any more, so that whoever gets the id next answers for none.
   */
  updateClient(before: Client, after: Client, audit: readonly AuditEvent[]): Promise<UpdateOutcome>;
  /** Adds a secret and lets all others of the client end at or before `othersEndMs`. */
  rotateSecret(tenantId: string, clientId: string, secret: ClientSecret, othersEndMs: number, audit: readonly AuditEvent[]): Promise<void>;

  /** False when the identifier is taken. */
  createResource(resource: Resource, key: string, audit: readonly AuditEvent[]): Promise<boolean>;
  /** False when there is none. */
  deleteResource(tenantId: string, key: string, audit: readonly AuditEvent[]): Promise<boolean>;

  /** With a password, where there is one. Says what is taken, if anything. Ids are never given again, usernames of deleted users are. */
  createUser(user: User, usernameKey: string, audit: readonly AuditEvent[], password?: Password): Promise<'created' | 'id_taken' | 'username_taken'>;
  /**
   * Replaces the row if it still is `before`; `usernameKey` is the new one. A cutoff that moved ends the user's sessions; a
   * user who is marked deleted loses everything that was kept about them. `proofId`: to be spent with it, else `outdated`.
   */
  updateUser(before: User, after: User, usernameKey: string, audit: readonly AuditEvent[], more?: { readonly proofId?: string; readonly outbox?: Aftermath['outbox'] }): Promise<UpdateOutcome | 'username_taken'>;

  /**
   * Opens a grant with its session (kept if it exists), refresh token and first access token.
   * `session_unusable`: the session ended or is another user's.
   */
  openGrant(
    opening: { readonly session: Session | null; readonly grant: Grant; readonly refresh: RefreshToken | null; readonly access: NewAccess },
    audit: readonly AuditEvent[],
  ): Promise<'opened' | 'session_unusable'>;
  /**
   * Spends a refresh token and stores its successor, if the token is unspent and its grant not revoked: one
   * compare-and-set. False: somebody was quicker, nothing changed.
   */
  rotateRefresh(
    rotation: { readonly digest: string; readonly use: Omit<RefreshUse, 'successorUsed'>; readonly successor: RefreshToken; readonly access: NewAccess; readonly visit?: GrantVisit | null },
    audit: readonly AuditEvent[],
  ): Promise<boolean>;
  /** Stores an access token that came of a refresh without rotation or of a replay; false when the grant was revoked. */
  addAccess(grantId: string, access: NewAccess, audit: readonly AuditEvent[], visit?: GrantVisit | null): Promise<boolean>;
  /** Stores an opaque access token that belongs to no grant. */
  addOpaqueToken(token: OpaqueToken): Promise<void>;

  /** Revokes a JWT by its id, until `expiresAt` (seconds). The audit events may depend on whether this call did it. */
  revokeTokenId(tenantId: string, tokenId: string, expiresAt: number, atMs: number, audit: (first: boolean) => readonly AuditEvent[]): Promise<boolean>;
  /** Revokes an opaque access token. */
  revokeOpaqueToken(digest: string, atMs: number, audit: (first: boolean) => readonly AuditEvent[]): Promise<boolean>;
  /**
   * Revokes a grant; with `session` also its session and that session's other grants that are not offline.
   * The audit events may depend on whether this call did it, and on how many stored tokens fell.
   */
  revokeGrant(
    revocation: { readonly tenantId: string; readonly grantId: string; readonly session: boolean; readonly atMs: number },
    audit: (first: boolean, fallen: number) => readonly AuditEvent[],
  ): Promise<boolean>;

  /** False when the tenant has an active or a next key already, whichever this one was to be, or this very key: somebody was quicker. */
  addKey(key: SigningKeyRow, audit: readonly AuditEvent[]): Promise<boolean>;
  /**
   * Makes `next` active and the active key what `formerStatus` says, and adds a new next key, if `expectedActive` still
   * is the active key: one compare-and-set.
   */
  promoteKey(
    promotion: { readonly tenantId: string; readonly expectedActive: string; readonly formerStatus: 'retired' | 'revoked'; readonly nextKid: string; readonly newNext: SigningKeyRow; readonly atMs: number },
    audit: readonly AuditEvent[],
  ): Promise<boolean>;
  /** Marks a key that does not sign as revoked; for a next key, `replacement` takes its place. */
  revokeKey(tenantId: string, kid: string, replacement: SigningKeyRow | null, atMs: number, audit: readonly AuditEvent[]): Promise<void>;

  /** Writes events that report no change of their own (denials); returns their numbers, in order. */
  recordAudit(events: readonly AuditEvent[]): Promise<readonly number[]>;
  /** Adds to the count of recorded events: the same happened again. Nothing else of an event ever changes. */
  countAudit(repeats: readonly { readonly number: number; readonly more: number }[]): Promise<void>;
};

