import type { AuditEvent } from './audit-event.ts';
import type { Grant, RefreshToken, User } from './model.ts';
import type {
  AuthorizationCode, BrowserSession, Consent, Interaction, Membership, Organization, OutboxItem, Passkey, Password, Progress, Proof, ProofKind, ProofStanding, Role, Totp,
} from './people.ts';
import type { Awaitable, NewAccess, UpdateOutcome } from './store.ts';

/**
 * What signing in needs of the storage; part of the Store port, under the same promises: atomic, durable, single use by
 * compare-and-set. Whatever ends a session also revokes its grants that are not offline and puts a `logout` item into the
 * outbox for every client with a back-channel logout address that has a grant in it, in the same transaction.
 */
export type PeopleStore = PeopleReads & PeopleWrites;

/** What goes into the same transaction as a change. */
export type Aftermath = { readonly audit: readonly AuditEvent[]; readonly outbox?: readonly OutboxItem[] };

/** Which of a user's sessions end with a change, and which grants: those of the sessions, or all, offline ones too. */
export type SessionsEnding = { readonly except: string | null; readonly grants: 'session' | 'all' };

/** What somebody who changes a password proved; whatever changed of it meanwhile was somebody else's doing. */
export type PasswordExpectation = {
  /** When the former password was set; null: there was none. */
  readonly changedAtMs: number | null;
  /** The user's cutoff. */
  readonly notBeforeMs: number;
  /** Session that it is changed in, which must not have ended; null: in none. */
  readonly sessionId: string | null;
};

/** Wrong passwords for one account from one network. */
export type SignInFailures = { readonly failures: number; readonly lastAtMs: number };

type PeopleReads = {
  /** Also ended ones. */
  findBrowserSession(tenantId: string, secretDigest: string): Awaitable<BrowserSession | null>;
  /** Sessions of a user that did not end and are not past their absolute end, newest visit first, with the clients that have grants in them. */
  listBrowserSessions(tenantId: string, userId: string, nowMs: number): Awaitable<readonly { readonly session: BrowserSession; readonly clientIds: readonly string[] }[]>;
  /** Also finished and expired ones. */
  findInteraction(digest: string): Awaitable<Interaction | null>;
  /** Also used and expired ones. */
  findCode(digest: string): Awaitable<AuthorizationCode | null>;
  findConsents(tenantId: string, userId: string, clientId: string): Awaitable<readonly Consent[]>;
  listConsents(tenantId: string, userId: string): Awaitable<readonly Consent[]>;
  /** Grants that are neither revoked nor expired; `lastUsedAtMs`: when its newest refresh token was issued. */
  listGrants(tenantId: string, userId: string, nowMs: number): Awaitable<readonly { readonly grant: Grant; readonly lastUsedAtMs: number | null }[]>;

  /** Live users with that address, by its comparison key (lower case, NFC). */
  findUsersByEmail(tenantId: string, emailKey: string): Awaitable<readonly User[]>;
  findPassword(tenantId: string, userId: string): Awaitable<Password | null>;
  listPasskeys(tenantId: string, userId: string): Awaitable<readonly Passkey[]>;
  findPasskey(tenantId: string, id: string): Awaitable<Passkey | null>;
  findTotp(tenantId: string, userId: string): Awaitable<Totp | null>;
  countRecoveryCodes(tenantId: string, userId: string): Awaitable<number>;
  /** The newest of a kind that belongs to an interaction or session; also used and expired ones. */
  findProof(tenantId: string, boundTo: string, kind: ProofKind): Awaitable<Proof | null>;
  findProofByLink(tenantId: string, linkDigest: string): Awaitable<Proof | null>;
  /** How many proofs by mail were made for a user since a moment, which is at most an hour ago: older ones go. */
  countProofs(tenantId: string, userId: string, sinceMs: number): Awaitable<number>;
  findSignInFailures(tenantId: string, userId: string, network: string): Awaitable<SignInFailures | null>;

  findOrganization(tenantId: string, id: string): Awaitable<Organization | null>;
  listOrganizations(tenantId: string): Awaitable<readonly Organization[]>;
  listMemberships(tenantId: string, of: { readonly userId: string } | { readonly orgId: string }): Awaitable<readonly Membership[]>;
  listRoles(tenantId: string): Awaitable<readonly Role[]>;

  /** Undelivered mails whose next attempt is due, first what is due the longest. */
  listDueMails(nowMs: number, limit: number): Awaitable<readonly OutboxItem[]>;
  /**
   * Undelivered logouts whose next attempt is due: of each client the `each` that are due the longest; first of every client
   * one, then of every client another. Looks at no more than `clients` that anything waits for, beginning after `after`;
   * `next`: where to go on, null at the end. However much waits for one client, it costs no more and hides nobody else's.
   */
  listDueLogouts(nowMs: number, page: LogoutPage): Awaitable<{ readonly items: readonly OutboxItem[]; readonly next: LogoutCursor | null }>;
  /** Mails that landed in the development mailbox, newest first. */
  listMailbox(tenantId: string, limit: number): Awaitable<readonly OutboxItem[]>;
};

/** A client, in the order in which those are gone through that logouts wait for. */
export type LogoutCursor = { readonly tenantId: string; readonly target: string };
/** Which part of the waiting logouts to look at. */
export type LogoutPage = { readonly after: LogoutCursor | null; readonly clients: number; readonly each: number };

/** What a sign-in changes about its pending request. */
export type ProgressChange = { readonly digest: string; readonly before: Progress; readonly after: Progress };

type PeopleWrites = {
  /**
   * A new session of a browser, while what its proof stands on (`standing`) is as it was; `replaces`: the browser's former one, which ends. False when the interaction's progress is
   * not any more what the caller saw, or it finished; then nothing was written.
   */
  openBrowserSession(opening: { readonly session: BrowserSession; readonly replaces: string | null; readonly progress: ProgressChange | null; readonly standing?: ProofStanding }, after: Aftermath): Promise<boolean>;
  /** The same person proved it again: new secret, times and methods, if the session did not end and still has the former secret. */
  renewBrowserSession(renewal: { readonly session: BrowserSession; readonly formerSecretDigest: string; readonly progress: ProgressChange | null; readonly standing?: ProofStanding }, after: Aftermath): Promise<boolean>;
  /** Notes a visit. */
  touchSession(tenantId: string, id: string, atMs: number): Promise<void>;
  /** Ends one session. The audit events may depend on whether this call did it. */
  endSession(ending: { readonly tenantId: string; readonly sessionId: string; readonly atMs: number }, audit: (first: boolean) => readonly AuditEvent[]): Promise<boolean>;
  /** Ends a user's sessions but one; `grants: all` revokes every grant of the user, offline ones and those of the kept session too. Returns how many ended. */
  endSessions(ending: { readonly tenantId: string; readonly userId: string; readonly except: string | null; readonly grants: 'session' | 'all'; readonly atMs: number }, after: Aftermath): Promise<number>;

  createInteraction(interaction: Interaction): Promise<void>;
  /** False when it finished, or its progress is not `before` any more. */
  changeInteraction(change: ProgressChange): Promise<boolean>;
  /** Ends a pending request without a code. False when it had finished. */
  finishInteraction(digest: string, atMs: number, audit: readonly AuditEvent[]): Promise<boolean>;
  /**
   * Stores a code, finishes its interaction where there was one, and remembers or extends the consent where there is one.
   * False when the interaction had finished, or the session ended: nothing was written.
   */
  issueCode(issue: { readonly code: AuthorizationCode; readonly interactionDigest: string | null; readonly consent: Consent | null }, audit: readonly AuditEvent[]): Promise<boolean>;
  /** Spends a code and opens its grant: one transaction. `spent`: somebody was quicker; `session_unusable`: the session ended, and the code is not spent. */
  redeemCode(redemption: { readonly digest: string; readonly atMs: number; readonly grant: Grant; readonly refresh: RefreshToken | null; readonly access: NewAccess }, audit: readonly AuditEvent[]): Promise<'redeemed' | 'spent' | 'session_unusable'>;
  /** Counts a wrong verifier; from `most` on the code is spent. */
  countCodeFailure(digest: string, most: number, atMs: number): Promise<void>;
  /** Takes back what a user allowed a client: consents go, grants are revoked, unused codes are spent. Returns how many grants fell. */
  withdrawConsent(withdrawal: { readonly tenantId: string; readonly userId: string; readonly clientId: string; readonly atMs: number }, audit: (fallen: number) => readonly AuditEvent[]): Promise<number>;

  /**
   * Sets or replaces a password, spends all open proofs that the user was sent by mail, and ends sessions with it where
   * `ending` says so; `proofId`: to be spent with it. Its time is later than the former one's. False when that proof was spent already, the user is gone, or
   * something is not as `expected`.
   */
  setPassword(password: Password, proofId: string | null, after: Aftermath, ending?: SessionsEnding, expected?: PasswordExpectation): Promise<boolean>;
  /** Replaces the digest after a sign-in, if it still is the former one (raised parameters). */
  rehashPassword(tenantId: string, userId: string, former: string, digest: string): Promise<void>;
  /** Nothing is written, the aftermath neither, when there is none. */
  removePassword(tenantId: string, userId: string, after: Aftermath): Promise<void>;
  /** False when the credential id is known in this tenant. `proofId` is spent with it; false also when it was spent already, or the user is gone. */
  addPasskey(passkey: Passkey, proofId: string, after: Aftermath): Promise<boolean>;
  /** Notes a use; false when the counter is not `formerCounter` any more, or the proof was spent. */
  usePasskey(use: { readonly tenantId: string; readonly id: string; readonly formerCounter: number; readonly counter: number; readonly atMs: number; readonly proofId: string }): Promise<boolean>;
  removePasskey(tenantId: string, userId: string, id: string, after: Aftermath): Promise<boolean>;
  /** Begins an enrolment: replaces an unconfirmed one, never a confirmed one (then false, as when the user is gone). */
  beginTotp(totp: Totp): Promise<boolean>;
  /** Confirms it, if that time step was not honoured before. @param digests of the recovery codes that come with it; none: those there are stay */
  confirmTotp(tenantId: string, userId: string, step: number, atMs: number, after: Aftermath, digests?: readonly string[]): Promise<boolean>;
  /** Honours a time step of a confirmed one, if it is later than the last. */
  spendTotpStep(tenantId: string, userId: string, step: number): Promise<boolean>;
  /** The recovery codes, which stand in for it, go with it. */
  removeTotp(tenantId: string, userId: string, after: Aftermath): Promise<boolean>;
  /** All former ones go. Nothing happens when the user is gone. @param digests base64url SHA-256 */
  replaceRecoveryCodes(tenantId: string, userId: string, digests: readonly string[], after: Aftermath): Promise<void>;
  spendRecoveryCode(tenantId: string, userId: string, digest: string, atMs: number, after: Aftermath): Promise<boolean>;
  /** Passkeys, authenticator and recovery codes of a user go. */
  resetFactors(tenantId: string, userId: string, after: Aftermath): Promise<void>;

  /** A proof that is spent, in whatever way, keeps no sealed data. */
  createProof(proof: Proof, after: Aftermath): Promise<void>;
  /** Counts a wrong code; from `most` on the proof is spent. Returns the failures so far; `most` when there is no such proof. */
  countProofFailure(id: string, most: number, atMs: number): Promise<number>;
  /** Spends a proof: true for the one who did. */
  spendProof(id: string, atMs: number): Promise<boolean>;
  /** A new account out of a registration: spends the proof, also where the name is taken, and creates the user with the password. */
  registerUser(registration: { readonly user: User; readonly usernameKey: string; readonly password: Password | null; readonly proofId: string }, after: Aftermath): Promise<'created' | 'taken' | 'spent'>;

  countSignInFailure(tenantId: string, userId: string, network: string, atMs: number): Promise<SignInFailures>;
  clearSignInFailures(tenantId: string, userId: string, network: string): Promise<void>;

  /** False when the id is taken. */
  createOrganization(org: Organization, audit: readonly AuditEvent[]): Promise<boolean>;
  /** False when there is none, or it does not have its `former` name any more. */
  renameOrganization(tenantId: string, id: string, name: string, audit: readonly AuditEvent[], former?: string): Promise<boolean>;
  /** With its memberships; its members' grants and codes end as with `removeMembership`. False when there is none. */
  deleteOrganization(deletion: { readonly tenantId: string; readonly orgId: string; readonly atMs: number }, audit: (fallen: number) => readonly AuditEvent[]): Promise<boolean>;
  /**
   * Adds somebody or replaces their roles. False when there is no such organization, the user is gone, or their roles are not
   * the `former` ones any more (null: they were no member).
   */
  putMembership(membership: Membership, audit: readonly AuditEvent[], former?: readonly string[] | null): Promise<boolean>;
  /**
   * Takes somebody out: their grants that speak of the organization are revoked, offline ones too, and unused codes for
   * such are spent. The audit events may depend on how many grants fell. False when they were not in it.
   */
  removeMembership(removal: { readonly tenantId: string; readonly orgId: string; readonly userId: string; readonly atMs: number }, audit: (fallen: number) => readonly AuditEvent[]): Promise<boolean>;
  /** Creates a role or replaces its permissions; returns whether it is new. */
  putRole(role: Role, audit: readonly AuditEvent[]): Promise<boolean>;
  /** Replaces a role's permissions if it still is `before`. */
  updateRole(before: Role, after: Role, audit: readonly AuditEvent[]): Promise<UpdateOutcome>;
  /** Also taken from every membership. False when there is none. */
  deleteRole(tenantId: string, name: string, audit: readonly AuditEvent[]): Promise<boolean>;

  addOutbox(items: readonly OutboxItem[], audit: readonly AuditEvent[]): Promise<void>;
  /**
   * Takes an undelivered item for one who delivers: its next attempt moves from `nextAttemptAtMs` to `untilMs`, unless
   * somebody moved it meanwhile (then false). Of several servers on the same data one gets it; who dies leaves it to others.
   */
  claimOutbox(id: string, nextAttemptAtMs: number, untilMs: number): Promise<boolean>;
  /** Notes an attempt; an item that is done keeps no payload unless its outcome is `mailbox`. */
  settleOutbox(id: string, state: Pick<OutboxItem, 'attempts' | 'nextAttemptAtMs' | 'doneAtMs' | 'outcome'>, audit: readonly AuditEvent[]): Promise<void>;
};
