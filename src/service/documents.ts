import type { AuditEvent } from '../core/audit-event.ts';
import { describeServer } from '../core/discovery.ts';
import { issuerOf, type Origin } from '../core/issuer.ts';
import type { Client, ClientSecret, Resource, Tenant, User } from '../core/model.ts';
import { logoBytes } from '../core/logo.ts';
import type { OperationsSettings } from '../core/operations-settings.ts';
import type { AuditRow } from '../core/operations-store.ts';
import type { Membership, Organization, PeopleSettings, Role } from '../core/people.ts';
import type { SigningKeyRow } from '../core/store.ts';
import { readKeyIds } from '../core/sealed.ts';
import { isoTime, isoTimeOrNull } from '../core/times.ts';
import type { Context } from './context.ts';
import type { ChainReport } from './manage-audit.ts';
import type { Credentials } from './manage-credentials.ts';
import type { KeyConsequences, KeySchedule } from './manage-keys.ts';
import type { Member } from './manage-organizations.ts';
import type { ListedSession } from './manage-sessions.ts';
import type { Explanation, Inspection } from './manage-tokens.ts';

/** The things as programs see them (`--json`): snake_case, `scope` one string, times RFC 3339 in UTC, lifetimes in seconds. */

/** URLs of a tenant's home layout. */
export function tenantUrls(tenant: Tenant, origin: Origin): { readonly introspect: string; readonly revoke: string; readonly token: string; readonly jwks: string } {
  const described = describeServer(tenant, origin, { grantTypes: [], locales: [], docs: false });
  return {
    introspect: described.introspection_endpoint, revoke: described.revocation_endpoint, token: described.token_endpoint, jwks: described.jwks_uri,
  };
}

const word = (on: boolean): 'on' | 'off' => (on ? 'on' : 'off');

/** How people sign in; of a picture only what it is. */
function peopleDocument(people: PeopleSettings): object {
  return {
    registration: word(people.registration), passwords: word(people.passwords), email_codes: word(people.emailCodes), passkeys: word(people.passkeys),
    password_min_length: people.passwordMinLength, session_idle_ttl: people.sessionIdleTtl, session_ttl: people.sessionTtl, color: people.color,
    logo: people.logo === null ? null : { type: people.logo.type, bytes: logoBytes(people.logo) }, messages: people.messages, claims: people.claims,
  };
}

/** How a tenant is operated. */
function operationsDocument({ keyRotationDays, auditRetentionDays, limits }: OperationsSettings): object {
  return { key_rotation_days: keyRotationDays, audit_retention_days: auditRetentionDays, limits };
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
    ...peopleDocument(tenant.people), ...operationsDocument(tenant.operations),
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
    post_logout_redirect_uris: client.postLogoutRedirectUris, backchannel_logout_uri: client.backchannelLogoutUri,
    first_party: client.firstParty, pkce: client.requirePkce ? 'required' : 'optional',
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
    attributes: user.attributes,
    enabled: user.disabledAtMs === null, created_at: isoTime(user.createdAtMs),
  };
}

/** What somebody signs in with, and where they belong; beside the user. */
export function accessDocument(credentials: Credentials, memberships: readonly Membership[]): object {
  return {
    credentials: {
      password: credentials.password, passkeys: credentials.passkeys, authenticator: credentials.authenticator, recovery_codes: credentials.recoveryCodes,
    },
    organizations: memberships.map(({ orgId, roles }) => ({ org_id: orgId, roles })),
  };
}

/** Somebody in an organization. */
export function memberDocument({ user, membership }: Member): object {
  return { user_id: user.id, username: user.username, roles: membership.roles, since: isoTime(membership.createdAtMs) };
}

/** An organization. @param members everybody in it; undefined: not told */
export function organizationDocument(org: Organization, tenant: Tenant, members?: readonly Member[]): object {
  return {
    org_id: org.id, tenant: tenant.slug, name: org.name, ...(members !== undefined && { members: members.map(memberDocument) }), created_at: isoTime(org.createdAtMs),
  };
}

/** A role. */
export function roleDocument(role: Role, tenant: Tenant): object {
  return { role: role.name, tenant: tenant.slug, permissions: role.permissions, created_at: isoTime(role.createdAtMs) };
}

/** A sign-in that lasts. @param device what its browser is called */
export function sessionDocument({ session, clientIds }: ListedSession, device: string | null): object {
  return {
    session_id: session.id, device, user_agent: session.userAgent, ip: session.ip, started_at: isoTime(session.createdAtMs), last_seen_at: isoTime(session.lastSeenAtMs),
    expires_at: isoTime(session.expiresAtMs), acr: session.acr, amr: session.amr, clients: clientIds,
  };
}

/** A signing key, its public facts. `issuer`: whose tokens it verifies, where they were another server's. */
export function keyDocument(key: SigningKeyRow, tenant: Tenant): object {
  return {
    kid: key.kid, tenant: tenant.slug, alg: key.algorithm, status: key.status, issuer: key.issuer, created_at: isoTime(key.createdAtMs),
    activated_at: isoTimeOrNull(key.activatedAtMs), retired_at: isoTimeOrNull(key.issuer === null ? key.retiredAtMs : key.createdAtMs),
    kept_until: isoTimeOrNull(key.issuer === null ? null : key.retiredAtMs),
  };
}

/** A tenant's keys, and when the next one signs. */
export function keysDocument(keys: readonly SigningKeyRow[], tenant: Tenant, schedule: KeySchedule): object {
  return {
    items: keys.map((key) => keyDocument(key, tenant)),
    rotation: { days: schedule.days, due_at: isoTimeOrNull(schedule.dueAtMs), waits_for: schedule.waitsFor },
  };
}

/** What falls, or fell, with a key. @param dryRun nothing was done */
export function revokedKeyDocument({ key, ...falls }: KeyConsequences, dryRun: boolean): object {
  return {
    ok: true, kid: key.kid, revoked: !dryRun || key.status === 'revoked', signed_since: isoTimeOrNull(falls.signedSinceMs), tokens_until: isoTimeOrNull(falls.tokensUntilMs),
    grants: falls.grants, id_tokens: falls.idTokens,
  };
}

/** Which key seals, by name. @throws StoreError */
export async function masterKeyDocument({ store, settings }: Pick<Context, 'store' | 'settings'>): Promise<object> {
  const [id = null, ...former] = readKeyIds(await store.readMeta('master_key_id'));
  return { id, former_ids: former, source: settings.masterKeySource };
}

/** An audit event (wire contract §7). */
export function auditDocument(event: AuditEvent): object {
  return {
    time: isoTime(event.timeMs), type: event.type, tenant: event.tenant, actor: event.actor, client_id: event.clientId, subject: event.subject,
    fingerprint: event.fingerprint, ip: event.ip, request_id: event.requestId, outcome: event.outcome, reason: event.reason,
    grant_id: event.grantId, count: event.count,
  };
}

/** An audit event with its place in the trail and in its tenant's chain. */
export function auditRowDocument(row: AuditRow): object {
  return { ...auditDocument(row), number: row.number, hash: row.hash };
}

/** What came of verifying a chain. */
export function chainDocument(report: ChainReport): object {
  const { tenant, events, unhashed, pruned, head, broken, complete } = report;
  return { tenant, ok: broken === null, complete, events, unhashed, pruned_to: pruned, head, broken };
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
