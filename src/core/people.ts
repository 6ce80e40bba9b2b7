import type { AuthorizationRequest } from './authorization-request.ts';

/** Nouns of signing in. Suffix `Ms`: milliseconds since the epoch (UTC); `S` or none: whole seconds. */

/**
 * How a person proved who they are (RFC 8176): `pwd` password, `otp` a code of an authenticator, `email` a code or link by
 * mail, `hwk` a passkey bound to a device, `swk` a synced passkey, `user` verified by the device, `rc` a recovery code, `mfa` several.
 */
export const authMethodsOfPeople = ['pwd', 'otp', 'email', 'hwk', 'swk', 'user', 'rc', 'mfa'] as const;
export type Amr = (typeof authMethodsOfPeople)[number];

/**
 * Authentication context classes, weakest first: `1fa` one factor, `mfa` two factors, `phr` phishing-resistant (a passkey
 * with the person verified). Discovery lists them; tokens tell which was reached.
 */
export const acrNames = ['1fa', 'mfa', 'phr'] as const;
export type Acr = (typeof acrNames)[number];

/** A browser's login session, where it is one and not an operator's: what its cookie stands on. */
export type BrowserSession = {
  readonly id: string;
  readonly tenantId: string;
  readonly userId: string;
  readonly createdAtMs: number;
  readonly endedAtMs: number | null;
  /** base64url SHA-256 of the cookie's value; changes at every sign-in (UI-06). */
  readonly secretDigest: string;
  readonly authTimeMs: number;
  readonly amr: readonly Amr[];
  readonly acr: Acr;
  readonly lastSeenAtMs: number;
  /** Absolute end; idle ends are counted from `lastSeenAtMs`. */
  readonly expiresAtMs: number;
  readonly userAgent: string | null;
  readonly ip: string | null;
};

/**
 * What a proof of identity stands on. A session is opened only while nothing of it changed: the person was neither cut off
 * since the proof began, nor has another password than the one that was proved.
 */
export type ProofStanding = {
  readonly sinceMs: number;
  /** When the proved password was set; null: none was. */
  readonly passwordChangedAtMs: number | null;
};

/** What a person did so far within one pending request. */
export type Progress = {
  /** Who proved a first factor here, and is not signed in yet: a second factor, or a new password, is due (`reset`: they forgot theirs). */
  readonly pending: { readonly userId: string; readonly amr: readonly Amr[]; readonly atMs: number; readonly due: 'second_factor' | 'new_password' | 'reset'; readonly standing: ProofStanding } | null;
  /** The session that this request goes on with, once somebody signed in or chose to go on. */
  readonly sessionId: string | null;
  /** The person confirmed, in the chooser, that it is they who go on. */
  readonly chosen: boolean;
  /** Somebody else than the signed-in person is to sign in, since this moment (milliseconds). */
  readonly anotherSinceMs: number | null;
  /** Allowed here, and for which organization. */
  readonly consented: { readonly orgId: string | null } | null;
};

/** Nothing happened yet. */
export const noProgress: Progress = { pending: null, sessionId: null, chosen: false, anotherSinceMs: null, consented: null };

/**
 * A pending request, kept on the server and bound to one browser (AZ-45). `request` is null where somebody signs in to
 * their account page.
 */
export type Interaction = {
  /** base64url SHA-256 of the id in its URLs. */
  readonly digest: string;
  readonly tenantId: string;
  /** base64url SHA-256 of the browser's cookie. */
  readonly browserDigest: string;
  readonly request: AuthorizationRequest | null;
  /** Where somebody goes who signs in to their account: a section, or an invitation, sealed; never a URL (UI-17). */
  readonly section: string | null;
  /** For a request of their account page: they must have proven who they are since this moment; null: any session does. */
  readonly freshSinceMs: number | null;
  readonly progress: Progress;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  readonly finishedAtMs: number | null;
};

/** An authorization code's row (OAuth 2.1 §4.1.2, AZ-44). */
export type AuthorizationCode = {
  /** base64url SHA-256 of the code. */
  readonly digest: string;
  readonly tenantId: string;
  readonly clientId: string;
  readonly userId: string;
  readonly sessionId: string;
  /** Absolute end of that session: a grant that is not offline ends with it. */
  readonly sessionEndsAtMs: number;
  readonly orgId: string | null;
  /** What was in the request; null: it named none, and the one registered was used. */
  readonly redirectUri: string | null;
  /** S256; null: a client that need not send one. */
  readonly challenge: string | null;
  readonly nonce: string | null;
  readonly scopes: readonly string[];
  /** Resource identifiers asked for, as stored; empty: the default audience. */
  readonly resources: readonly string[];
  readonly offline: boolean;
  /** Seconds. */
  readonly authTime: number;
  readonly acr: Acr;
  readonly amr: readonly Amr[];
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
  readonly usedAtMs: number | null;
  /** Wrong verifiers so far (TOK-16). */
  readonly failures: number;
  /** The grant that its redemption opened. */
  readonly grantId: string | null;
};

/** What a person allowed an application for good (UI-20): one row per user × client × set of resources × organization. */
export type Consent = {
  readonly tenantId: string;
  readonly userId: string;
  readonly clientId: string;
  /** Canonical, sorted, joined by a space; empty: none. */
  readonly resourceKey: string;
  /** Empty: no organization. */
  readonly orgId: string;
  readonly scopes: readonly string[];
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
};

/** A person's password. */
export type Password = {
  readonly tenantId: string;
  readonly userId: string;
  /** argon2id string; begins with `p1.` where a pepper went in first; of somebody who came from elsewhere, `readForeignPassword`. */
  readonly digest: string;
  readonly changedAtMs: number;
  /** A new one must be chosen at the next sign-in. */
  readonly mustChange: boolean;
};

/** A passkey (WebAuthn §4: public key credential source). */
export type Passkey = {
  readonly tenantId: string;
  readonly userId: string;
  /** Credential id, base64url. */
  readonly id: string;
  /** COSE key, base64url. */
  readonly publicKey: string;
  readonly counter: number;
  readonly transports: readonly string[];
  readonly synced: boolean;
  readonly name: string;
  readonly createdAtMs: number;
  readonly lastUsedAtMs: number | null;
};

/** An authenticator application's secret. */
export type Totp = {
  readonly tenantId: string;
  readonly userId: string;
  /** base32 secret, sealed under the master key (CR-06). */
  readonly sealedSecret: string;
  readonly createdAtMs: number;
  /** null: enrolment began and is not confirmed; such a one counts for nothing. */
  readonly confirmedAtMs: number | null;
  /** The last time step that was honoured: none is honoured twice. */
  readonly lastStep: number;
};

/** Why a one-time proof was made. */
export const proofKinds = ['sign_in', 'register', 'reset', 'verify_email', 'change_email', 'passkey_sign_in', 'passkey_add'] as const;
export type ProofKind = (typeof proofKinds)[number];

/**
 * A one-time proof under way: a code (and link) sent by mail, or a passkey challenge. It is made for unknown people too,
 * so that nobody can tell (UI-12); such a one can never be met.
 */
export type Proof = {
  /** Its own id, random; never shown. */
  readonly id: string;
  readonly tenantId: string;
  readonly kind: ProofKind;
  /** null: nobody has that name, or nobody yet. */
  readonly userId: string | null;
  /** Digest of the interaction, or of the session (account page), that it belongs to: of no use elsewhere. */
  readonly boundTo: string;
  /** base64url; of a code, HMAC-SHA-256 of it and the id under the data's key of codes, as plain digests of eight digits are soon guessed (CR-04); of a challenge, SHA-256. */
  readonly codeDigest: string;
  /** base64url SHA-256 of the link's token; null: no link. */
  readonly linkDigest: string | null;
  /** JSON of what is needed when it is met, sealed under the master key: an address, a registration. */
  readonly sealedData: string | null;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  /** Wrong codes so far; at most `MOST_PROOF_FAILURES`. */
  readonly failures: number;
  readonly usedAtMs: number | null;
};

/** Something to deliver beyond this machine, written in the transaction of what it tells of, so that a crash loses none. */
export type OutboxItem = {
  readonly id: string;
  readonly tenantId: string;
  readonly kind: 'mail' | 'logout';
  /** Mail: the recipient. Logout: the client's id. */
  readonly target: string;
  /** Mail: JSON `{subject, text}` sealed under the master key. Logout: JSON `{sub, sid}`. */
  readonly payload: string;
  readonly createdAtMs: number;
  readonly nextAttemptAtMs: number;
  readonly attempts: number;
  /** Delivered, or given up. */
  readonly doneAtMs: number | null;
  readonly outcome: 'delivered' | 'refused' | 'given_up' | 'mailbox' | null;
};

/** A group that people of a tenant belong to. */
export type Organization = {
  readonly tenantId: string;
  readonly id: string;
  readonly name: string;
  readonly createdAtMs: number;
};

/** Someone's place in an organization. */
export type Membership = { readonly tenantId: string; readonly orgId: string; readonly userId: string; readonly roles: readonly string[]; readonly createdAtMs: number };

/** A tenant's role, and what it permits. */
export type Role = { readonly tenantId: string; readonly name: string; readonly permissions: readonly string[]; readonly createdAtMs: number };

/** Where a mapped claim appears. */
export const claimTargets = ['id_token', 'access_token', 'introspection', 'userinfo'] as const;
export type ClaimTarget = (typeof claimTargets)[number];

/** One custom claim of a tenant. */
export type ClaimMapping = {
  /** Name of the claim. */
  readonly claim: string;
  /** `attribute:NAME` a user's attribute, `org.name`, `roles`, `permissions` (of the token's organization). */
  readonly source: string;
  readonly targets: readonly ClaimTarget[];
};

/** A stored picture. */
export type Logo = { readonly type: 'image/svg+xml' | 'image/png' | 'image/jpeg' | 'image/webp'; readonly base64: string };

/** How people sign in to a tenant, and how its pages look. JSON in the tenant's row. */
export type PeopleSettings = {
  readonly passwords: boolean;
  readonly emailCodes: boolean;
  readonly passkeys: boolean;
  /** Strangers may make accounts. */
  readonly registration: boolean;
  /** Shortest new password, characters (UI-14). */
  readonly passwordMinLength: number;
  /** Seconds without a visit after which a session is over. */
  readonly sessionIdleTtl: number;
  /** Seconds after which a session is over whatever happens. */
  readonly sessionTtl: number;
  /** `#rrggbb`. */
  readonly color: string | null;
  readonly logo: Logo | null;
  /** Own wording: language → message key → text. */
  readonly messages: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly claims: readonly ClaimMapping[];
};

/** What a tenant has that was never told otherwise. */
export const defaultPeopleSettings: PeopleSettings = {
  passwords: true, emailCodes: true, passkeys: true, registration: false, passwordMinLength: 12,
  sessionIdleTtl: 43_200, sessionTtl: 604_800, color: null, logo: null, messages: {}, claims: [],
};
