/** Rows for storage tests: complete, and different only in what a test names. Times start at `T0`. */
import { createHash } from 'node:crypto';
import { auditEvent } from '../../src/core/audit-event.ts';
import { defaultOperationsSettings } from '../../src/core/operations-settings.ts';
import { defaultPeopleSettings } from '../../src/core/people.ts';
import type { AuditEvent } from '../../src/core/audit-event.ts';
import type {
  Client, ClientSecret, Grant, OpaqueToken, RefreshToken, Resource, Session, Tenant, TokenFacts, User,
} from '../../src/core/model.ts';
import type { SigningKeyRow, Store } from '../../src/core/store.ts';

/** 2026-11-20, milliseconds. */
export const T0 = 1_795_000_000_000;
export const HOUR_MS = 3_600_000;
/** The same instant in seconds, an hour later. */
export const SOON_S = T0 / 1000 + 3600;

export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

export function aTenant(changes: Partial<Tenant> = {}): Tenant {
  return {
    id: 'ten_1', slug: 'acme', name: 'Acme', preset: 'standard', layout: 'realm', host: null, introspectionPolicy: 'audience',
    introspectionPolicyMode: 'enforce', revocationPolicy: 'issued_to', refreshRevocation: 'grant', shape: 'standard',
    defaultAudience: 'issuer', algorithm: 'ES256', accessTokenTtl: 300, refreshTokenTtl: 86_400, people: defaultPeopleSettings, operations: defaultOperationsSettings, createdAtMs: T0,
    disabledAtMs: null, deletedAtMs: null, notBeforeMs: 0, ...changes,
  };
}

export function aSecret(changes: Partial<ClientSecret> = {}): ClientSecret {
  return { id: 'sec_1', digest: digestOf('secret'), kind: 'sha256', createdAtMs: T0, expiresAtMs: null, ...changes };
}

export function aClient(changes: Partial<Client> = {}): Client {
  return {
    tenantId: 'ten_1', id: 'cli_1', name: 'Client', public: false, grants: ['client_credentials', 'refresh_token'],
    scopes: ['orders:read', 'orders:write'], audience: [], redirectUris: [], postLogoutRedirectUris: [],
    backchannelLogoutUri: null, firstParty: false, requirePkce: true, authMethod: null, tokenFormat: null, introspect: null,
    shape: null, orgId: null, refreshRotation: true, accessTokenTtl: null, refreshTokenTtl: null, selfRegistered: false,
    createdAtMs: T0, disabledAtMs: null, deletedAtMs: null, notBeforeMs: 0, secrets: [aSecret()], ...changes,
  };
}

export function aUser(changes: Partial<User> = {}): User {
  return {
    tenantId: 'ten_1', id: 'usr_1', username: 'Jane', email: 'jane@example.com', emailVerified: true, name: 'Jane Roe',
    attributes: {}, createdAtMs: T0, disabledAtMs: null, deletedAtMs: null, notBeforeMs: 0, ...changes,
  };
}

export function aResource(changes: Partial<Resource> = {}): Resource {
  return {
    tenantId: 'ten_1', uri: 'https://api.example.com/', scopes: ['orders:read'], ownerClientId: 'cli_1', tokenFormat: null,
    createdAtMs: T0, ...changes,
  };
}

export function aKey(changes: Partial<SigningKeyRow> = {}): SigningKeyRow {
  return {
    tenantId: 'ten_1', kid: 'key_1', algorithm: 'ES256', status: 'active', publicJwk: '{"kty":"EC"}', sealedPrivate: 'v1.sealed',
    createdAtMs: T0, activatedAtMs: T0, retiredAtMs: null, issuer: null, ...changes,
  };
}

export function aSession(changes: Partial<Session> = {}): Session {
  return { id: 'ses_1', tenantId: 'ten_1', userId: 'usr_1', createdAtMs: T0, endedAtMs: null, ...changes };
}

export function aGrant(changes: Partial<Grant> = {}): Grant {
  return {
    id: 'gra_1', tenantId: 'ten_1', clientId: 'cli_1', userId: 'usr_1', sessionId: 'ses_1', orgId: null, scopes: ['orders:read'],
    audience: ['https://api.example.com'], offline: false, authTime: T0 / 1000, acr: null, amr: [], createdAtMs: T0,
    expiresAtMs: T0 + 24 * HOUR_MS, revokedAtMs: null, ...changes,
  };
}

/** A refresh token named `name`; its digest is the name's. */
export function aRefresh(name = 'rt_1', changes: Partial<RefreshToken> = {}): RefreshToken {
  return {
    digest: digestOf(name), tenantId: 'ten_1', grantId: 'gra_1', issuedAtMs: T0, expiresAtMs: T0 + 24 * HOUR_MS, use: null, ...changes,
  };
}

/** An opaque access token named `name`; its digest is the name's. */
export function anOpaque(name = 'at_1', facts: Partial<TokenFacts> = {}): OpaqueToken {
  return {
    digest: digestOf(name),
    revokedAtMs: null,
    facts: {
      kind: 'access', tenantId: 'ten_1', clientId: 'cli_1', subject: 'cli_1', userId: null, scopes: ['orders:read'],
      audience: ['https://api.example.com'], issuedAtMs: T0, expiresAt: SOON_S, notBefore: null, id: null, grantId: null,
      sessionId: null, orgId: null, confirmation: null, actor: null, authTime: null, acr: null, ...facts,
    },
  };
}

export function anEvent(changes: Partial<AuditEvent> = {}): AuditEvent {
  return auditEvent({ timeMs: T0, type: 'token_revoked', tenant: 'acme', actor: 'cli_1', ...changes });
}

/** Spends the refresh token `from` and stores `to`; tokens are named as in `aRefresh`. */
export function rotation(from: string, to: string, grantId = 'gra_1'): Parameters<Store['rotateRefresh']>[0] {
  return {
    digest: digestOf(from),
    use: { usedAtMs: T0 + 1000, successorDigest: digestOf(to), successorSealed: `sealed ${to}`, requestDigest: digestOf('request') },
    successor: aRefresh(to, { grantId, issuedAtMs: T0 + 1000 }),
    access: { opaque: null, expiresAt: SOON_S },
  };
}

/** A store with one tenant, client, user and an open grant with a refresh token `rt_1`. */
export async function furnish(store: Store): Promise<void> {
  await store.createTenant(aTenant(), [aKey(), aKey({ kid: 'key_2', status: 'next', activatedAtMs: null })], []);
  await store.createClient(aClient(), []);
  await store.createUser(aUser(), 'jane', []);
  await store.openGrant({ session: aSession(), grant: aGrant(), refresh: aRefresh(), access: { opaque: null, expiresAt: SOON_S } }, []);
}
