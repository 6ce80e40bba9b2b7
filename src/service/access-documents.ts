import type { Administrator, ApiKey } from '../core/admin.ts';
import type { User } from '../core/model.ts';
import { isoTime, isoTimeOrNull } from '../core/times.ts';
import type { InvitationLink } from './manage-administrators.ts';

/** Who may operate, as programs see it; the rules of documents.ts hold. */

/** An API key. @param tenant slug of the one that it is for; null: all. @param shown the key itself in the clear; undefined: it is not shown */
export function apiKeyDocument(key: ApiKey, tenant: string | null, shown?: string): object {
  return {
    id: key.id, ...(shown !== undefined && { key: shown }), name: key.name, tenant, scope: key.scopes.join(' '), created_by: key.createdBy, created_at: isoTime(key.createdAtMs),
    expires_at: isoTimeOrNull(key.expiresAtMs), last_used_at: isoTimeOrNull(key.lastUsedAtMs), revoked_at: isoTimeOrNull(key.revokedAtMs),
  };
}

/** An administrator. @param user who they are; null: gone @param tenant slug of the one tenant that they may operate; null: all */
export function administratorDocument(administrator: Administrator, user: User | null, tenant: string | null): object {
  const live = user !== null && user.deletedAtMs === null;
  return {
    user_id: administrator.userId, username: live ? user.username : null, enabled: live && user.disabledAtMs === null, tenant, scope: administrator.scopes.join(' '), created_at: isoTime(administrator.createdAtMs),
  };
}

/** A link by which somebody becomes an administrator. @param tenant slug of the one that they will operate; null: all */
export function adminLinkDocument(link: InvitationLink, scopes: readonly string[], tenant: string | null): object {
  return { setup_url: link.url, expires_at: isoTime(link.expiresAtMs), scope: scopes.join(' '), tenant };
}
