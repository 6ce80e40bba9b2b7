import type { AuthMethod, GrantType } from '../spec/names.ts';
import { faultOf, type Fault } from './fault.ts';
import { findNameFault, isIdentifier } from './identifiers.ts';
import type { Client, IntrospectionPolicy, ShapeName, TokenFormat } from './model.ts';
import { findOutboundFault } from './outbound.ts';
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
  readonly postLogoutRedirectUris?: readonly string[];
  readonly backchannelLogoutUri?: string | null;
  readonly firstParty?: boolean;
  readonly requirePkce?: boolean;
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
    grants: defaultGrants(identity.public), scopes: [], audience: [], redirectUris: [], postLogoutRedirectUris: [], backchannelLogoutUri: null,
    firstParty: false, requirePkce: true, authMethod: null, tokenFormat: null,
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

/**
 * Why an address cannot hear of ended sessions (OpenID Connect Back-Channel Logout §2.2; LO-15): https, or http on this
 * machine while the server itself lives on it.
 */
function findLogoutUriFault(uri: string, loopbackServer: boolean): string | null {
  const fault = findRedirectUriFault(uri);
  if (fault !== null) return fault;
  const { protocol } = new URL(uri);
  if (protocol === 'https:') return findOutboundFault(uri, loopbackServer);
  if (protocol !== 'http:') return 'it must be https';
  return loopbackServer ? findOutboundFault(uri, true) : 'http is only for a server on loopback; use https';
}

/** The addresses of a client, each with its member and what it is called. */
function findAddressFault(client: Client, loopbackServer: boolean): Fault | null {
  const listed = (member: string, words: string, uris: readonly string[]) => uris.map((uri, index) => [`${member}.${index}`, words, uri, findRedirectUriFault(uri)] as const);
  const uris = [
    ...listed('redirectUris', 'redirect URI', client.redirectUris), ...listed('postLogoutRedirectUris', 'post-logout redirect URI', client.postLogoutRedirectUris),
    ...(client.backchannelLogoutUri === null ? [] : [['backchannelLogoutUri', 'back-channel logout URI', client.backchannelLogoutUri, findLogoutUriFault(client.backchannelLogoutUri, loopbackServer)] as const]),
  ];
  const wrong = uris.find(([, , , fault]) => fault !== null);
  return wrong === undefined ? null : faultOf(wrong[0], `the ${wrong[1]} ${JSON.stringify(wrong[2])} cannot be used: ${wrong[3] ?? ''}`);
}

/** What only a client with a secret can be. */
function findPublicFault(client: Client): Fault | null {
  if (!client.public) return client.authMethod === 'none' ? faultOf('authMethod', 'the method none is for public clients', 'create it with --public') : null;
  if (client.grants.includes('client_credentials')) {
    return faultOf('grants', 'a public client has no secret, and cannot have the grant client_credentials', 'leave out --public or the grant');
  }
  if (client.authMethod !== null && client.authMethod !== 'none') return faultOf('authMethod', `a public client has no secret for ${client.authMethod}`, 'leave out --public or --auth-method');
  if (client.introspect !== null) return faultOf('introspect', 'a public client may never introspect, so a policy says nothing about it', 'leave out --introspect');
  return client.requirePkce ? null : faultOf('requirePkce', 'a public client has nothing but PKCE to prove that a code is its own', '--pkce optional is for confidential clients');
}

/** Why a client may not be as it is; null when it may. @param loopbackServer whether the server's own origin is loopback */
export function findClientFault(client: Client, loopbackServer = false): Fault | null {
  const named = findNameFault(client.name);
  if (named !== null) return faultOf('name', `the name cannot be used: ${named}`);
  const audience = client.audience.findIndex((item) => !audienceForm.test(item));
  const fault = findPublicFault(client)
    ?? (audience === -1 ? null : faultOf(`audience.${audience}`, 'an audience is 1 to 2048 visible ASCII characters without spaces'))
    ?? findAddressFault(client, loopbackServer);
  if (fault !== null) return fault;
  if (client.orgId !== null && !isIdentifier(client.orgId)) return faultOf('orgId', 'an organization id is 1 to 256 visible ASCII characters without spaces');
  const lifetime = (['accessTokenTtl', 'refreshTokenTtl'] as const).find((name) => client[name] !== null && !isLifetime(client[name]));
  return lifetime === undefined ? null : faultOf(lifetime, `a lifetime is 1 to ${MAX_LIFETIME_S} whole seconds`);
}
