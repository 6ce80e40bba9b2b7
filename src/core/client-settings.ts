import type { AuthMethod, GrantType } from '../spec/names.ts';
import { findNameFault, isIdentifier } from './identifiers.ts';
import type { Client, IntrospectionPolicy, ShapeName, TokenFormat } from './model.ts';
import { findRedirectUriFault } from './redirect-uri.ts';
import { isLifetime, MAX_LIFETIME_S } from './tenant-settings.ts';

/** What an operator wants of a client; what is left out stays, or is the default. null takes a setting back. */
export type ClientChange = {
  /** Whether it cannot keep a secret. */
  readonly public?: boolean;
  readonly name?: string;
  readonly grants?: readonly GrantType[];
  readonly scopes?: readonly string[];
  readonly audience?: readonly string[];
  readonly redirectUris?: readonly string[];
  readonly authMethod?: AuthMethod | null;
  readonly tokenFormat?: TokenFormat | null;
  readonly introspect?: IntrospectionPolicy | null;
  readonly shape?: ShapeName | null;
  readonly orgId?: string | null;
  readonly refreshRotation?: boolean;
  /** Seconds. */
  readonly accessTokenTtl?: number | null;
  /** Seconds. */
  readonly refreshTokenTtl?: number | null;
};

/** Grants of a client for which none were named (wire contract §7). */
export function defaultGrants(isPublic: boolean): readonly GrantType[] {
  return isPublic ? ['authorization_code', 'refresh_token'] : ['client_credentials'];
}

/** A client that does not exist yet, without secrets. */
export function makeClient(
  identity: { readonly tenantId: string; readonly id: string; readonly public: boolean; readonly nowMs: number },
  change: ClientChange,
): Client {
  const blank: Client = {
    tenantId: identity.tenantId, id: identity.id, name: identity.id, public: identity.public,
    grants: defaultGrants(identity.public), scopes: [], audience: [], redirectUris: [], authMethod: null, tokenFormat: null,
    introspect: null, shape: null, orgId: null, refreshRotation: true, accessTokenTtl: null, refreshTokenTtl: null,
    selfRegistered: false, createdAtMs: identity.nowMs, disabledAtMs: null, deletedAtMs: null, notBeforeMs: 0, secrets: [],
  };
  return applyClientChange(blank, change);
}

/** A client after a change. */
export function applyClientChange(client: Client, change: ClientChange): Client {
  const given = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)) as ClientChange;
  return { ...client, ...given };
}

const audienceForm = /^[\x21-\x7E]{1,2048}$/;

/** Why a client may not be as it is; null when it may. */
export function findClientFault(client: Client): string | null {
  const named = findNameFault(client.name);
  if (named !== null) return `--name cannot be used: ${named}`;
  if (client.public && client.grants.includes('client_credentials')) {
    return 'a public client has no secret, and cannot have the grant client_credentials; leave out --public or the grant';
  }
  if (client.public && client.authMethod !== null && client.authMethod !== 'none') return `a public client has no secret for ${client.authMethod}; leave out --public or --auth-method`;
  if (!client.public && client.authMethod === 'none') return 'the method none is for public clients; create it with --public';
  if (client.public && client.introspect !== null) return 'a public client may never introspect, so --introspect says nothing about it';
  const audience = client.audience.find((item) => !audienceForm.test(item));
  if (audience !== undefined) return 'an audience is 1 to 2048 visible ASCII characters without spaces';
  for (const uri of client.redirectUris) {
    const fault = findRedirectUriFault(uri);
    if (fault !== null) return `the redirect URI ${JSON.stringify(uri)} cannot be used: ${fault}`;
  }
  if (client.orgId !== null && !isIdentifier(client.orgId)) return 'an organization id is 1 to 256 visible ASCII characters without spaces';
  const lifetimes = [client.accessTokenTtl, client.refreshTokenTtl];
  return lifetimes.every((seconds) => seconds === null || isLifetime(seconds)) ? null : `a lifetime is 1 to ${MAX_LIFETIME_S} whole seconds`;
}
