/** Who may operate what, over HTTP. Suffix `Ms`: milliseconds since the epoch (UTC). */

/** What there is to operate: one area per kind of thing. */
export const adminAreas = [
  'tenants', 'clients', 'resources', 'users', 'organizations', 'roles', 'tokens', 'keys', 'audit', 'webhooks', 'settings', 'metrics', 'access',
] as const;
export type AdminArea = (typeof adminAreas)[number];

export type AdminAccess = 'read' | 'write';

/**
 * Scopes of operators: `admin` permits everything, `admin:read` to look at everything, `admin:AREA` everything within an
 * area, `admin:AREA:read` to look at it. `access` is who may operate: API keys and administrators.
 */
export const adminScopes: readonly string[] = ['admin', 'admin:read', ...adminAreas.flatMap((area) => [`admin:${area}`, `admin:${area}:read`])];

/** Whether scopes permit something. */
export function permits(scopes: readonly string[], area: AdminArea, access: AdminAccess): boolean {
  return scopes.includes('admin') || scopes.includes(`admin:${area}`)
    || (access === 'read' && (scopes.includes('admin:read') || scopes.includes(`admin:${area}:read`)));
}

/** Whether everything that `wanted` permits is permitted by `held`: nobody hands on more than they have. */
export function covers(held: readonly string[], wanted: readonly string[]): boolean {
  return wanted.every((scope) => adminAreas.every((area) =>
    (!permits([scope], area, 'read') || permits(held, area, 'read')) && (!permits([scope], area, 'write') || permits(held, area, 'write'))));
}

/** A program's key to the admin API. The key itself is shown once and never kept. */
export type ApiKey = {
  /** Beginning of the key itself: how logs and lists call it. */
  readonly id: string;
  readonly name: string;
  /** The one tenant whose things it may operate; null: all, and the server itself. */
  readonly tenantId: string | null;
  readonly scopes: readonly string[];
  /** base64url SHA-256 of the whole key. */
  readonly digest: string;
  /** Who made it, as the audit trail calls them. */
  readonly createdBy: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number | null;
  readonly lastUsedAtMs: number | null;
  readonly revokedAtMs: number | null;
};

/** A person of the tenant `default` who may operate this server. */
export type Administrator = {
  readonly userId: string;
  /** As with `ApiKey`. */
  readonly tenantId: string | null;
  readonly scopes: readonly string[];
  readonly createdAtMs: number;
};

/** A link by which somebody becomes an administrator, once. */
export type AdminInvitation = {
  /** base64url SHA-256 of the token in the link. */
  readonly digest: string;
  readonly tenantId: string | null;
  readonly scopes: readonly string[];
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  readonly usedAtMs: number | null;
};

/** Somebody is asked, by mail, to join an organization. */
export type Invitation = {
  readonly id: string;
  readonly tenantId: string;
  readonly orgId: string;
  readonly email: string;
  readonly roles: readonly string[];
  /** base64url SHA-256 of the token in its link. */
  readonly digest: string;
  /** As the audit trail calls them. */
  readonly invitedBy: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  readonly acceptedAtMs: number | null;
  readonly revokedAtMs: number | null;
};
