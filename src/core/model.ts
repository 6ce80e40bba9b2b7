import type { AuthMethod, GrantType, SigningAlgorithm } from '../spec/names.ts';
import type { Actor, Confirmation } from '../spec/introspection.ts';
import type { OperationsSettings } from './operations-settings.ts';
import type { PeopleSettings } from './people.ts';

/**
 * The domain's nouns. Suffix `Ms`: milliseconds since the epoch (UTC); without it, times are whole seconds.
 * Every cutoff works the same way: what was issued at or before `notBeforeMs` of its tenant, client or user is
 * worthless, for ever. Disabling moves the cutoff, so enabling again revives nothing.
 */

/** Where endpoints live and how the tenant is named. */
export const layoutNames = ['root', 'realm', 'org'] as const;
export type LayoutName = (typeof layoutNames)[number];

/** The form of an introspection answer. */
export const shapeNames = ['standard', 'avnology', 'kotauth', 'workos'] as const;
export type ShapeName = (typeof shapeNames)[number];

/** Named rows of tenant settings. */
export const presetNames = ['standard', 'kotauth', 'lumoauth', 'aero2', 'avnology', 'workos'] as const;
export type PresetName = (typeof presetNames)[number];

export const introspectionPolicies = ['issued_to', 'audience', 'tenant'] as const;
/** Whose tokens a caller may learn about. */
export type IntrospectionPolicy = (typeof introspectionPolicies)[number];

export const policyModes = ['enforce', 'report'] as const;
/** `report` answers as policy `tenant` would, and records what `enforce` would have refused. */
export type PolicyMode = (typeof policyModes)[number];

export const revocationPolicies = ['issued_to', 'tenant'] as const;
/** Whose tokens a caller may revoke. */
export type RevocationPolicy = (typeof revocationPolicies)[number];

export const refreshRevocations = ['grant', 'session'] as const;
/** What ends with a revoked refresh token. */
export type RefreshRevocation = (typeof refreshRevocations)[number];

export const defaultAudiences = ['client', 'issuer'] as const;
/** What `aud` holds when neither the request nor the client names one. */
export type DefaultAudience = (typeof defaultAudiences)[number];

export const tokenFormats = ['jwt', 'opaque'] as const;
export type TokenFormat = (typeof tokenFormats)[number];

export type Tenant = {
  readonly id: string;
  /** Path name at the layouts `realm` and `org`. */
  readonly slug: string;
  readonly name: string;
  readonly preset: PresetName;
  /** Home layout: where its issuer lives. */
  readonly layout: LayoutName;
  /** `hostname[:port]` that it owns, lower case, without a default port. */
  readonly host: string | null;
  readonly introspectionPolicy: IntrospectionPolicy;
  readonly introspectionPolicyMode: PolicyMode;
  readonly revocationPolicy: RevocationPolicy;
  readonly refreshRevocation: RefreshRevocation;
  readonly shape: ShapeName;
  readonly defaultAudience: DefaultAudience;
  readonly algorithm: SigningAlgorithm;
  /** Seconds. */
  readonly accessTokenTtl: number;
  /** Seconds, absolute from first issue. */
  readonly refreshTokenTtl: number;
  /** How people sign in, and how their pages look. */
  readonly people: PeopleSettings;
  readonly operations: OperationsSettings;
  readonly createdAtMs: number;
  readonly disabledAtMs: number | null;
  readonly deletedAtMs: number | null;
  readonly notBeforeMs: number;
};

export type ClientSecret = {
  readonly id: string;
  /** base64url SHA-256 of a secret with enough entropy, or an argon2id string of one chosen by people. */
  readonly digest: string;
  readonly kind: 'sha256' | 'argon2id';
  readonly createdAtMs: number;
  readonly expiresAtMs: number | null;
};

export type Client = {
  readonly tenantId: string;
  readonly id: string;
  readonly name: string;
  readonly public: boolean;
  readonly grants: readonly GrantType[];
  /** Scopes that it may ask for. */
  readonly scopes: readonly string[];
  /** `aud` of its tokens when no resource is asked for. */
  readonly audience: readonly string[];
  readonly redirectUris: readonly string[];
  /** Where people may be sent after signing out. */
  readonly postLogoutRedirectUris: readonly string[];
  /** Where it hears that a session ended (OpenID Connect Back-Channel Logout §2.2). */
  readonly backchannelLogoutUri: string | null;
  /** The operator's own application: its people are not asked for consent. */
  readonly firstParty: boolean;
  /** Whether its authorization requests must carry a code challenge; never false for a public client (AZ-14). */
  readonly requirePkce: boolean;
  /** The one method that it must use; null: any that works for its kind. */
  readonly authMethod: AuthMethod | null;
  /** null: what the resource says, else JWT. */
  readonly tokenFormat: TokenFormat | null;
  /** Overrides the tenant's policy. */
  readonly introspect: IntrospectionPolicy | null;
  readonly shape: ShapeName | null;
  readonly orgId: string | null;
  readonly refreshRotation: boolean;
  /** Seconds; null: the tenant's. */
  readonly accessTokenTtl: number | null;
  readonly refreshTokenTtl: number | null;
  /** Registered itself rather than by an operator: capped policy, no personal data. */
  readonly selfRegistered: boolean;
  readonly createdAtMs: number;
  readonly disabledAtMs: number | null;
  readonly deletedAtMs: number | null;
  readonly notBeforeMs: number;
  readonly secrets: readonly ClientSecret[];
};

/** A protected resource (RFC 8707) and the client that answers for it. */
export type Resource = {
  readonly tenantId: string;
  readonly uri: string;
  /** Scopes that mean something there; empty: it does not narrow scopes. */
  readonly scopes: readonly string[];
  readonly ownerClientId: string | null;
  readonly tokenFormat: TokenFormat | null;
  readonly createdAtMs: number;
};

export type User = {
  readonly tenantId: string;
  readonly id: string;
  readonly username: string;
  readonly email: string;
  readonly emailVerified: boolean;
  readonly name: string | null;
  /** What else is known of them, by name; names of standard claims are told with their scope (OpenID Connect Core §5.1, §5.4). */
  readonly attributes: UserAttributes;
  readonly createdAtMs: number;
  readonly disabledAtMs: number | null;
  readonly deletedAtMs: number | null;
  readonly notBeforeMs: number;
};

/** JSON values by attribute name. */
export type UserAttributes = Readonly<Record<string, string | number | boolean | readonly string[] | Readonly<Record<string, string>>>>;

export type Session = {
  readonly id: string;
  readonly tenantId: string;
  readonly userId: string;
  readonly createdAtMs: number;
  readonly endedAtMs: number | null;
};

/** What a user (or, for later grants, a client) once allowed; all tokens that came of it live and die with it. */
export type Grant = {
  readonly id: string;
  readonly tenantId: string;
  readonly clientId: string;
  readonly userId: string;
  readonly sessionId: string | null;
  readonly orgId: string | null;
  readonly scopes: readonly string[];
  /** Audience of its access tokens when a refresh asks for no resource. */
  readonly audience: readonly string[];
  /** Outlives its session (scope `offline_access`). */
  readonly offline: boolean;
  /** Seconds. */
  readonly authTime: number | null;
  readonly acr: string | null;
  /** How the person proved who they are (RFC 8176). */
  readonly amr: readonly string[];
  readonly createdAtMs: number;
  /** End of its refresh tokens, absolute. */
  readonly expiresAtMs: number;
  readonly revokedAtMs: number | null;
};

/** One leaf or ancestor of a grant's refresh family. Tokens themselves are never here, only their digests. */
export type RefreshToken = {
  /** base64url SHA-256 of the token. */
  readonly digest: string;
  readonly tenantId: string;
  readonly grantId: string;
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
  readonly use: RefreshUse | null;
};

/** How a refresh token was spent. */
export type RefreshUse = {
  readonly usedAtMs: number;
  readonly successorDigest: string;
  /** The successor, sealed under a key that only the spent token's plaintext yields. */
  readonly successorSealed: string;
  /** Digest of what was asked (scope, resource), so that only the same request may be answered again. */
  readonly requestDigest: string;
  /** Whether the successor was itself spent by now. */
  readonly successorUsed: boolean;
};

/** An opaque access token's row. */
export type OpaqueToken = {
  readonly digest: string;
  readonly facts: TokenFacts;
  readonly revokedAtMs: number | null;
};

/** What is known of a token, wherever it is kept. */
export type TokenFacts = {
  readonly kind: 'access' | 'refresh';
  readonly tenantId: string;
  readonly clientId: string;
  readonly subject: string;
  /** null for a client acting for itself. */
  readonly userId: string | null;
  readonly scopes: readonly string[];
  readonly audience: readonly string[];
  /** Milliseconds, because cutoffs are; answers show whole seconds. */
  readonly issuedAtMs: number;
  /** Seconds; null: lives as long as its grant. */
  readonly expiresAt: number | null;
  /** Seconds. */
  readonly notBefore: number | null;
  readonly id: string | null;
  readonly grantId: string | null;
  readonly sessionId: string | null;
  readonly orgId: string | null;
  readonly confirmation: Confirmation | null;
  readonly actor: Actor | null;
  /** Seconds. */
  readonly authTime: number | null;
  readonly acr: string | null;
};
