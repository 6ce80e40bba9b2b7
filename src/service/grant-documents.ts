import type { Invitation } from '../core/admin.ts';
import type { Grant, OpaqueToken, Tenant } from '../core/model.ts';
import type { ListedGrant } from '../core/operations-store.ts';
import { isoTime, isoTimeOrNull } from '../core/times.ts';
import { deviceName } from '../credentials/device.ts';
import { sessionDocument } from './documents.ts';
import type { ListedSession } from './manage-sessions.ts';

/** What people and clients may do just now, as programs see it; the rules of documents.ts hold. */

const seconds = (value: number | null): string | null => (value === null ? null : isoTime(value * 1000));

/** A sign-in that lasts, and whose it is. */
export function listedSessionDocument(listed: ListedSession): object {
  const { session_id: id, ...more } = { session_id: listed.session.id, ...sessionDocument(listed, deviceName(listed.session.userAgent)) };
  return { session_id: id, user_id: listed.session.userId, ...more };
}

/** What somebody allowed a client. */
export function grantDocument(grant: Grant, tenant: Tenant): object {
  return {
    id: grant.id, tenant: tenant.slug, client_id: grant.clientId, user_id: grant.userId, session_id: grant.sessionId, org_id: grant.orgId, scope: grant.scopes.join(' '),
    audience: grant.audience, offline: grant.offline, auth_time: seconds(grant.authTime), acr: grant.acr, amr: grant.amr, created_at: isoTime(grant.createdAtMs),
    expires_at: isoTime(grant.expiresAtMs), revoked_at: isoTimeOrNull(grant.revokedAtMs),
  };
}

/** The same, with when a token of it was last issued. */
export function listedGrantDocument({ grant, lastUsedAtMs }: ListedGrant, tenant: Tenant): object {
  return { ...grantDocument(grant, tenant), last_used_at: isoTimeOrNull(lastUsedAtMs) };
}

/** An opaque access token, by its digest: the token itself nobody has but whom it was given to. */
export function opaqueTokenDocument({ digest, facts }: OpaqueToken, tenant: Tenant): object {
  return {
    digest, tenant: tenant.slug, client_id: facts.clientId, sub: facts.subject, user_id: facts.userId, scope: facts.scopes.join(' '), audience: facts.audience,
    issued_at: isoTime(facts.issuedAtMs), expires_at: seconds(facts.expiresAt), grant_id: facts.grantId, session_id: facts.sessionId, org_id: facts.orgId,
  };
}

/** An invitation into an organization; its link is in the mail alone. */
export function invitationDocument(invitation: Invitation, tenant: Tenant): object {
  return {
    id: invitation.id, tenant: tenant.slug, org_id: invitation.orgId, email: invitation.email, roles: invitation.roles, invited_by: invitation.invitedBy,
    created_at: isoTime(invitation.createdAtMs), expires_at: isoTime(invitation.expiresAtMs),
  };
}
