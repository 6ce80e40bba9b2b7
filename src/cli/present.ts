import type { AuditEvent } from '../core/audit-event.ts';
import { describeServer } from '../core/discovery.ts';
import { issuerOf, type Origin } from '../core/issuer.ts';
import type { Client, ClientSecret, Resource, Tenant, User } from '../core/model.ts';
import type { SigningKeyRow } from '../core/store.ts';
import type { Explanation, Inspection } from '../service/manage-tokens.ts';
import { isoTime, isoTimeOrNull } from './text.ts';

/** The things as programs see them (`--json`): snake_case, `scope` one string, times RFC 3339 in UTC, lifetimes in seconds. */

/** URLs of a tenant's home layout. */
export function tenantUrls(tenant: Tenant, origin: Origin): { readonly introspect: string; readonly revoke: string; readonly token: string; readonly jwks: string } {
  const described = describeServer(tenant, origin, { grantTypes: [], docs: false });
  return {
    introspect: described.introspection_endpoint, revoke: described.revocation_endpoint, token: described.token_endpoint, jwks: described.jwks_uri,
  };
}

/** A tenant, its preset's values resolved. */
export function tenantDocument(tenant: Tenant, origin: Origin): object {
  const urls = tenantUrls(tenant, origin);
  return {
    slug: tenant.slug, name: tenant.name, preset: tenant.preset, layout: tenant.layout, host: tenant.host, issuer: issuerOf(tenant, origin),
    introspection_policy: tenant.introspectionPolicy, introspection_policy_mode: tenant.introspectionPolicyMode,
    revocation_policy: tenant.revocationPolicy, refresh_revocation: tenant.refreshRevocation, shape: tenant.shape,
    default_audience: tenant.defaultAudience, alg: tenant.algorithm,
    access_token_ttl: tenant.accessTokenTtl, refresh_token_ttl: tenant.refreshTokenTtl,
    introspection_endpoint: urls.introspect, revocation_endpoint: urls.revoke, token_endpoint: urls.token, jwks_uri: urls.jwks,
    enabled: tenant.disabledAtMs === null, created_at: isoTime(tenant.createdAtMs),
  };
}

function secretDocument(secret: ClientSecret): object {
  return { id: secret.id, hash: secret.kind, created_at: isoTime(secret.createdAtMs), expires_at: isoTimeOrNull(secret.expiresAtMs) };
}

/** A client. @param shown its new secret in the clear; undefined: none to show */
export function clientDocument(client: Client, tenant: Tenant, shown?: string): object {
  return {
    client_id: client.id, ...(shown !== undefined && { client_secret: shown }), tenant: tenant.slug, name: client.name, public: client.public,
    grants: client.grants, scope: client.scopes.join(' '), audience: client.audience, redirect_uris: client.redirectUris,
    auth_method: client.public ? 'none' : client.authMethod, token_format: client.tokenFormat, introspect: client.introspect, shape: client.shape,
    org_id: client.orgId, refresh_rotation: client.refreshRotation ? 'on' : 'off',
    access_token_ttl: client.accessTokenTtl, refresh_token_ttl: client.refreshTokenTtl,
    secrets: client.secrets.map(secretDocument), enabled: client.disabledAtMs === null, created_at: isoTime(client.createdAtMs),
  };
}

/** A resource. */
export function resourceDocument(resource: Resource, tenant: Tenant): object {
  return {
    uri: resource.uri, tenant: tenant.slug, scope: resource.scopes.join(' '), owner: resource.ownerClientId,
    token_format: resource.tokenFormat, created_at: isoTime(resource.createdAtMs),
  };
}

/** A user. */
export function userDocument(user: User, tenant: Tenant): object {
  return {
    id: user.id, tenant: tenant.slug, username: user.username, email: user.email, email_verified: user.emailVerified, name: user.name,
    enabled: user.disabledAtMs === null, created_at: isoTime(user.createdAtMs),
  };
}

/** A signing key, its public facts. */
export function keyDocument(key: SigningKeyRow, tenant: Tenant): object {
  return {
    kid: key.kid, tenant: tenant.slug, alg: key.algorithm, status: key.status, created_at: isoTime(key.createdAtMs),
    activated_at: isoTimeOrNull(key.activatedAtMs), retired_at: isoTimeOrNull(key.retiredAtMs),
  };
}

/** An audit event (wire contract §7). */
export function auditDocument(event: AuditEvent): object {
  return {
    time: isoTime(event.timeMs), type: event.type, tenant: event.tenant, actor: event.actor, client_id: event.clientId, subject: event.subject,
    fingerprint: event.fingerprint, ip: event.ip, request_id: event.requestId, outcome: event.outcome, reason: event.reason,
    grant_id: event.grantId, count: event.count,
  };
}

/** Everything about a token, for the operator. */
export function inspectionDocument(inspection: Inspection): object {
  if (!inspection.known) return { active: false, reason: inspection.reason };
  const { facts } = inspection;
  const seconds = (value: number | null): string | null => (value === null ? null : isoTime(value * 1000));
  return {
    active: inspection.reason === null, reason: inspection.reason, kind: facts.kind, format: inspection.format, issuer: inspection.issuer,
    client_id: facts.clientId, sub: facts.subject, username: inspection.user?.username ?? null, scope: facts.scopes.join(' '), audience: facts.audience,
    issued_at: isoTime(facts.issuedAtMs), expires_at: seconds(facts.expiresAt), not_before: seconds(facts.notBefore),
    jti: facts.id, grant_id: facts.grantId, sid: facts.sessionId, org_id: facts.orgId, cnf: facts.confirmation, act: facts.actor,
    auth_time: seconds(facts.authTime), acr: facts.acr, fingerprint: inspection.fingerprint,
  };
}

/** Why a caller gets its answer. */
export function explanationDocument(explanation: Explanation): object {
  return {
    active: explanation.active, reason: explanation.reason, policy: explanation.policy, caller: explanation.caller, client_id: explanation.clientId,
  };
}
