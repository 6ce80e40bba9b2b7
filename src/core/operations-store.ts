import type { Administrator, AdminInvitation, ApiKey, Invitation } from './admin.ts';
import type { AuditEvent } from './audit-event.ts';
import type { Client, Grant, OpaqueToken, Resource, Tenant, User } from './model.ts';
import type { Page, Paged } from './paging.ts';
import type { BrowserSession, Membership, Organization, OutboxItem, Password } from './people.ts';
import type { Awaitable, Store, UpdateOutcome } from './store.ts';
import type { Webhook, WebhookDelivery, WebhookReplay } from './webhook.ts';

/**
 * What operating needs of the storage; part of the Store port, under the same promises: atomic, durable, single use by
 * compare-and-set. Lists come in parts whose order is fixed by a key; a cursor that nobody gave finds nothing wrong,
 * only other things.
 */
export type OperationsStore = ListReads & AuditStore & AccessStore & InvitationStore & WebhookStore & ReplyStore & ActivityStore & SealStore & KeyUseStore & TogetherStore & {
  /** Replaces the row if it still is `before`. */
  updateResource(before: Resource, after: Resource, key: string, audit: readonly AuditEvent[]): Promise<UpdateOutcome>;
  /** Counts of rows by kind (`clients`, `refresh_tokens` …), and the size of the database in bytes. Counted in small steps, so they may be minutes old. */
  statistics(): Awaitable<{ readonly rows: Readonly<Record<string, number>>; readonly databaseBytes: number; readonly walBytes: number }>;
  /** What the storage did so far in this process. Durations in seconds. */
  writes(): { readonly commits: number; readonly operations: number; readonly secondsOfCommits: number; readonly waiting: number };
  /** How often reads were answered from memory, and how often they were not, by what is remembered. */
  remembered(): Readonly<Record<string, { readonly hits: number; readonly misses: number }>>;
  /** What waits to go out. Counts end at ten thousand. */
  backlog(): Awaitable<Backlog>;
  /** The keys that sign and have done so for the longest, with their tenants' slugs; the oldest first. */
  oldestKeys(limit: number): Awaitable<readonly { readonly tenant: string; readonly activatedAtMs: number }[]>;
};

/** What waits to go out. `oldestAtMs`: when the one that waits for the longest was made; null: nothing waits. */
export type Backlog = {
  readonly mails: { readonly waiting: number; readonly oldestAtMs: number | null };
  readonly logouts: { readonly waiting: number; readonly oldestAtMs: number | null };
  /** Enabled ones; `failing`: those that cannot be told; `behind`: events that the last of them has not heard of, whether or not it wants them. */
  readonly webhooks: { readonly enabled: number; readonly failing: number; readonly behind: number };
};

/** A live grant. `lastUsedAtMs`: when its newest refresh token was issued. */
export type ListedGrant = { readonly grant: Grant; readonly lastUsedAtMs: number | null };
/** A live session of a browser and the clients that have grants in it. */
export type ListedBrowserSession = { readonly session: BrowserSession; readonly clientIds: readonly string[] };

type ListReads = {
  /** By slug; without deleted ones. @param search beginning of the slug or name */
  pageTenants(page: Page, filter: { readonly search?: string }): Awaitable<Paged<Tenant>>;
  /** By id; without deleted ones, secrets included. @param search beginning of the id or name */
  pageClients(tenantId: string, page: Page, filter: { readonly search?: string; readonly enabled?: boolean }): Awaitable<Paged<Client>>;
  pageResources(tenantId: string, page: Page): Awaitable<Paged<Resource>>;
  /** By username; without deleted ones. @param search beginning of the username, mail address, id or name: first those by username, then, in this order, by the others */
  pageUsers(tenantId: string, page: Page, filter: { readonly search?: string; readonly enabled?: boolean }): Awaitable<Paged<User>>;
  /** By name. @param search beginning of the name or id: first those by name */
  pageOrganizations(tenantId: string, page: Page, filter: { readonly search?: string }): Awaitable<Paged<Organization>>;
  /** Who is in an organization, by user id. */
  pageMemberships(tenantId: string, orgId: string, page: Page): Awaitable<Paged<Membership>>;
  /** Grants that are neither revoked nor expired, newest first; where neither user nor client nor session is named, client by client. */
  pageGrants(tenantId: string, page: Page, filter: { readonly userId?: string; readonly clientId?: string; readonly sessionId?: string }, nowMs: number): Awaitable<Paged<ListedGrant>>;
  /** A grant by id, whatever became of it. */
  findGrant(tenantId: string, id: string): Awaitable<Grant | null>;
  /** Sessions that did not end and are not past their absolute end, newest visit first. */
  pageSessions(tenantId: string, page: Page, filter: { readonly userId?: string }, nowMs: number): Awaitable<Paged<ListedBrowserSession>>;
  /** Opaque access tokens that are neither revoked, with their grant either, nor expired; by digest, and client by client where nothing is named. JWTs are not kept anywhere. */
  pageOpaqueTokens(tenantId: string, page: Page, filter: { readonly clientId?: string; readonly userId?: string; readonly grantId?: string; readonly sessionId?: string }, nowMs: number): Awaitable<Paged<OpaqueToken>>;
};

/** An event with its place in the trail. */
export type AuditRow = AuditEvent & {
  /** Grows with every event, of whichever tenant. */
  readonly number: number;
  /** base64url SHA-256 over the hash before it in its tenant's chain and over the event, its count left out; null: written before there were chains. */
  readonly hash: string | null;
};

export type AuditSearch = {
  /** Slug; null: events of the server itself; left out: all. */
  readonly tenant?: string | null;
  readonly types?: readonly string[];
  readonly actor?: string;
  readonly clientId?: string;
  readonly subject?: string;
  readonly ip?: string;
  readonly requestId?: string;
  readonly outcome?: AuditEvent['outcome'];
  readonly sinceMs?: number;
  readonly untilMs?: number;
};

/** A tenant's chain of events. `tenant`: slug; null: the server's own. */
export type AuditChain = { readonly tenant: string | null; readonly events: number; readonly lastNumber: number; readonly lastHash: string | null };

type AuditStore = {
  /** Latest first. A part looks at so many events, and may hold fewer than asked for, even none, though there is a next. */
  pageAudit(page: Page, search: AuditSearch): Awaitable<Paged<AuditRow>>;
  /** Oldest first, from behind an event's number on: what webhooks, exports and streams read. @param of tenant as in `AuditSearch`; types: none are all, and one that does not exist finds nothing */
  readAudit(of: { readonly tenant?: string | null; readonly types?: readonly string[]; readonly after: number; readonly limit: number }): Awaitable<readonly AuditRow[]>;
  /** Number of the newest event; 0: there is none. */
  lastAuditNumber(): Awaitable<number>;
  /** Whose chains there are: slugs, and null for the server's own. */
  listAuditTenants(): Awaitable<readonly (string | null)[]>;
  /** The server's own, if it has one, then by slug. Counted in small steps. */
  listAuditChains(): Awaitable<readonly AuditChain[]>;
  /** The last event that retention took from a chain, which the first that is left builds on (its hash empty where it had none); null: none was taken. */
  auditAnchor(tenant: string | null): Awaitable<{ readonly number: number; readonly hash: string } | null>;
  /**
   * Takes the beginning of a chain away, for good: events from before a moment, up to the first that is not, but never the
   * newest; at most `limit`. What says so is written with it.
   * @param report an event, whose count will be how many were taken; or the number of that event, whose count grows
   * @returns how many, and the number of the event; null: there was nothing to take, and nothing was written
   */
  pruneAudit(tenant: string | null, beforeMs: number, limit: number, report: AuditEvent | number): Promise<{ readonly taken: number; readonly reportNumber: number | null }>;
};

type AccessStore = {
  createApiKey(key: ApiKey, audit: readonly AuditEvent[]): Promise<void>;
  /** Also revoked and expired ones; answered from memory where it can be. */
  findApiKey(digest: string): Awaitable<ApiKey | null>;
  /** Newest first. @param tenantId only those of a tenant */
  listApiKeys(tenantId?: string): Awaitable<readonly ApiKey[]>;
  /** False when there is none that was not revoked. */
  revokeApiKey(id: string, atMs: number, audit: readonly AuditEvent[]): Promise<boolean>;
  /** Notes a use. */
  touchApiKey(id: string, atMs: number): Promise<void>;

  findAdministrator(userId: string): Awaitable<Administrator | null>;
  /** Oldest first. */
  listAdministrators(): Awaitable<readonly Administrator[]>;
  /** Adds one or changes what they may. False when there is no such user in the tenant `default`, or all administrators are not `seen` any more. */
  putAdministrator(administrator: Administrator, homeTenantId: string, audit: readonly AuditEvent[], seen?: readonly Administrator[]): Promise<boolean>;
  /** False when there is none, or all administrators are not `seen` any more. */
  removeAdministrator(userId: string, audit: readonly AuditEvent[], seen?: readonly Administrator[]): Promise<boolean>;
  /** Of those that were made and not used, only this one stays good. */
  createAdminInvitation(invitation: AdminInvitation, audit: readonly AuditEvent[]): Promise<void>;
  /** Also used and expired ones. */
  findAdminInvitation(digest: string): Awaitable<AdminInvitation | null>;
  /** Spends the link: creates the user with the password, and makes them an administrator. One transaction. */
  acceptAdminInvitation(
    acceptance: { readonly digest: string; readonly user: User; readonly usernameKey: string; readonly password: Password; readonly administrator: Administrator; readonly atMs: number },
    audit: readonly AuditEvent[],
  ): Promise<'accepted' | 'spent' | 'username_taken'>;
};

type InvitationStore = {
  /** A former one for the same address that was not accepted is revoked by it. */
  createInvitation(invitation: Invitation, after: { readonly audit: readonly AuditEvent[]; readonly outbox: readonly OutboxItem[] }): Promise<boolean>;
  /** Also accepted, revoked and expired ones. */
  findInvitation(tenantId: string, digest: string): Awaitable<Invitation | null>;
  /** Newest first, those that can be accepted still. */
  listInvitations(tenantId: string, orgId: string, nowMs: number): Awaitable<readonly Invitation[]>;
  revokeInvitation(tenantId: string, id: string, atMs: number, audit: readonly AuditEvent[]): Promise<boolean>;
  /**
   * Spends it and makes the user a member: roles that they have stay, and those of the invitation that still exist are added.
   * Their address counts as verified if it is the invitation's, for the link came there. False when it is spent, revoked or
   * expired, or the user is gone.
   */
  acceptInvitation(acceptance: { readonly tenantId: string; readonly digest: string; readonly userId: string; readonly atMs: number }, audit: readonly AuditEvent[]): Promise<boolean>;
  /** The same for somebody new, who is created with it. */
  registerInvited(
    acceptance: { readonly digest: string; readonly user: User; readonly usernameKey: string; readonly password: Password | null; readonly atMs: number },
    audit: readonly AuditEvent[],
  ): Promise<'created' | 'taken' | 'spent'>;
};

type WebhookStore = {
  createWebhook(webhook: Webhook, audit: readonly AuditEvent[]): Promise<void>;
  findWebhook(id: string): Awaitable<Webhook | null>;
  /** By name. @param tenantId null: the server's own; left out: all */
  listWebhooks(tenantId?: string | null): Awaitable<readonly Webhook[]>;
  /**
   * Replaces what an operator sets (name, url, events, secrets, disabled) if that still is as in `before`; how far it has
   * heard stays. Where `after` has another `nextAttemptAtMs`, that is when it is tried next.
   */
  updateWebhook(before: Webhook, after: Webhook, audit: readonly AuditEvent[]): Promise<UpdateOutcome>;
  /** Its deliveries and replays go with it. */
  deleteWebhook(id: string, audit: readonly AuditEvent[]): Promise<boolean>;
  /** Enabled ones, by id, whose next attempt is due and behind whose cursor there is an event of theirs, wanted or not. @param page `after`: an id */
  listDueWebhooks(nowMs: number, page: Page): Awaitable<readonly Webhook[]>;
  /** Takes a webhook for one who delivers, as `claimOutbox`: if it is enabled, and its cursor and next attempt still are as the caller saw. */
  claimWebhook(seen: Pick<Webhook, 'id' | 'cursor' | 'nextAttemptAtMs'>, untilMs: number): Promise<boolean>;
  /** Notes how far it has heard, if it is still where the caller thought; with the attempt, if there was one. */
  settleWebhook(
    id: string, expectedCursor: number, state: Pick<Webhook, 'cursor' | 'attempts' | 'nextAttemptAtMs' | 'failingSinceMs'>,
    delivery: Omit<WebhookDelivery, 'number'> | null, audit: readonly AuditEvent[],
  ): Promise<boolean>;
  /** Latest first; of each webhook some thousands are kept. */
  pageDeliveries(webhookId: string, page: Page): Awaitable<Paged<WebhookDelivery>>;
  /** The newest delivery of one event. @param replay whether somebody asked for it */
  findDelivery(webhookId: string, eventNumber: number, replay: boolean): Awaitable<WebhookDelivery | null>;
  addReplays(replays: readonly WebhookReplay[], audit: readonly AuditEvent[]): Promise<void>;
  /** Those that are not done. */
  countReplays(webhookId: string): Awaitable<number>;
  /** Of each enabled webhook, by id, the first that is due. @param page `after`: a webhook's id */
  listDueReplays(nowMs: number, page: Page): Awaitable<readonly WebhookReplay[]>;
  claimReplay(id: string, nextAttemptAtMs: number, untilMs: number): Promise<boolean>;
  /** `nextAttemptAtMs` null: it is done, and goes. */
  settleReplay(id: string, state: { readonly attempts: number; readonly nextAttemptAtMs: number | null }, delivery: Omit<WebhookDelivery, 'number'>, audit: readonly AuditEvent[]): Promise<void>;
};

/** Answers to creations that carried an `Idempotency-Key`. */
type ReplyStore = {
  /** Takes a caller's key for one request. `known`: it was taken before; `reply` is null while that one is under way, or was cut short. */
  claimReply(claim: { readonly caller: string; readonly keyDigest: string; readonly requestDigest: string; readonly atMs: number }): Promise<
    { readonly kind: 'new' } | { readonly kind: 'known'; readonly requestDigest: string; readonly reply: { readonly status: number; readonly sealedBody: string } | null }>;
  /** Keeps the answer for a day. */
  settleReply(caller: string, keyDigest: string, reply: { readonly status: number; readonly sealedBody: string }): Promise<void>;
  /** Nothing was done: the key may be used again. */
  dropReply(caller: string, keyDigest: string): Promise<void>;
};

/** What happened within one minute, by name of a count. */
export type ActivityMinute = { readonly minuteMs: number; readonly counts: Readonly<Record<string, number>> };

type ActivityStore = {
  /** Adds to what a minute has (several servers count, and one may count twice). */
  addActivity(minutes: readonly ActivityMinute[]): Promise<void>;
  /** Oldest first. */
  listActivity(sinceMs: number): Awaitable<readonly ActivityMinute[]>;
};

/** Something kept sealed under the master key. `context` is what it was sealed for; `ref` finds it again. */
export type SealedItem = { readonly kind: string; readonly ref: string; readonly context: string; readonly sealed: string };

export type SealStore = {
  /** All of it that is not sealed under the named master key, at most `limit`. @param keyId as `MasterKey.id` */
  listSealedOtherwise(keyId: string, limit: number): Awaitable<readonly SealedItem[]>;
  /** Replaces each that still is as it was; all in one transaction. Returns how many were replaced. */
  replaceSealed(changes: readonly (SealedItem & { readonly resealed: string })[], audit: readonly AuditEvent[]): Promise<number>;
};

type KeyUseStore = {
  /**
   * Live grants, of clients whose access tokens are signed, that were opened or refreshed within a time and at most one
   * access token's life ago; and the longest life of an access token of the tenant, seconds.
   */
  countSignedGrants(tenantId: string, fromMs: number, untilMs: number, nowMs: number): Awaitable<{ readonly grants: number; readonly longestAccessTtl: number }>;
};

/** What operators set, as one change: see `together`. */
export const settingWrites = [
  'createTenant', 'updateTenant', 'deleteTenant', 'createClient', 'updateClient', 'rotateSecret', 'createResource', 'updateResource', 'deleteResource',
  'putRole', 'deleteRole', 'createWebhook', 'updateWebhook', 'deleteWebhook', 'addKey', 'promoteKey', 'revokeKey',
] as const;
export type SettingWrite = (typeof settingWrites)[number];

/** One call of a writing operation, and what it has to come to. */
export type SettingCall = { [Name in SettingWrite]: { readonly write: Name; readonly given: Parameters<Store[Name]>; readonly outcome: Awaited<ReturnType<Store[Name]>> } }[SettingWrite];

type TogetherStore = {
  /**
   * Does all of it, in its order, in one transaction. `outdated`: one came to something else than it had to, as somebody
   * changed the data meanwhile; then nothing was done.
   */
  together(calls: readonly SettingCall[], audit: readonly AuditEvent[]): Promise<UpdateOutcome>;
};
