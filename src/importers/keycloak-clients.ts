import { refusalOf, remarkOn, type ImportRemark } from '../core/imported.ts';
import { NO_SECRET, settings, takeAddresses, takeGrants, takeLifetime, takeScopes, type ReadClient } from './client-settings.ts';
import { flagOf, listOf, membersOf, neededText, objectOf, textOf, textsOf, valueOf, type ItemReader, type Members } from './members.ts';

/** Clients that every realm has for Keycloak's own pages. */
const own: ReadonlySet<string> = new Set(['account', 'account-console', 'admin-cli', 'broker', 'realm-management', 'security-admin-console']);
/** Client scopes that only steer Keycloak's own claims. */
const ownScopes: ReadonlySet<string> = new Set(['roles', 'web-origins', 'acr', 'basic', 'microprofile-jwt', 'service_account', 'role_list', 'saml_organization']);
/** What is exported in the place of a secret without the right to see it. */
export const MASKED = /^\*+$/;

/** `attributes` hold texts, whatever they mean. */
function attributeOf(attributes: Members, name: string): string | null {
  const value = valueOf(attributes, name);
  return typeof value === 'string' && value !== '' ? value : null;
}

/** An address of a client may be told from its root on. */
function resolve(uri: string, root: string | null): string {
  return uri.startsWith('/') && root !== null ? root.replace(/\/$/, '') + uri : uri;
}

function readGrants(client: Members, attributes: Members, about: string): { readonly grants: readonly string[]; readonly remarks: readonly ImportRemark[] } {
  const bearerOnly = flagOf(client, 'bearerOnly', false);
  const forPeople = !bearerOnly && flagOf(client, 'standardFlowEnabled', true);
  const forItself = !bearerOnly && flagOf(client, 'serviceAccountsEnabled', false);
  const refreshes = forPeople && attributeOf(attributes, 'use.refresh.tokens') !== 'false';
  const missing = [
    ['implicitFlowEnabled', 'the implicit flow is not here (OAuth 2.1 §10); use the authorization code with PKCE'],
    ['directAccessGrantsEnabled', 'signing in with the password grant is not here (OAuth 2.1 §2.4); use the authorization code with PKCE'],
  ] as const;
  return {
    grants: [...(forPeople ? ['authorization_code'] : []), ...(refreshes ? ['refresh_token'] : []), ...(forItself ? ['client_credentials'] : [])],
    remarks: [
      ...missing.filter(([name]) => !bearerOnly && flagOf(client, name, false)).map(([, text]) => remarkOn(about, text)),
      ...(attributeOf(attributes, 'oauth2.device.authorization.grant.enabled') === 'true' ? [remarkOn(about, 'the device grant is not here and is left out')] : []),
      ...(bearerOnly ? [remarkOn(about, 'it only looks at tokens: what it may introspect is what the tenant\'s policy, or its own, says')] : []),
    ],
  };
}

/** Audiences out of the mappers that add one; other mappers have no counterpart. */
function readMappers(client: Members, about: string): { readonly audience: readonly string[]; readonly remarks: readonly ImportRemark[] } {
  const audience: string[] = [];
  let others = 0;
  for (const item of listOf(client, 'protocolMappers')) {
    const mapper = membersOf(item) ?? {};
    const config = objectOf(mapper, 'config');
    const added = attributeOf(config, 'included.custom.audience') ?? attributeOf(config, 'included.client.audience');
    if (valueOf(mapper, 'protocolMapper') === 'oidc-audience-mapper' && added !== null) audience.push(added);
    else others += 1;
  }
  return { audience: [...new Set(audience)], remarks: others === 0 ? [] : [remarkOn(about, 'its protocol mappers are left out; what they told may be a mapped claim of the tenant')] };
}

function readSecret(client: Members, isPublic: boolean, about: string): { readonly secret: string | null; readonly remarks: readonly ImportRemark[] } {
  if (isPublic) return { secret: null, remarks: [] };
  const method = textOf(client, 'clientAuthenticatorType') ?? 'client-secret';
  if (method !== 'client-secret') return { secret: null, remarks: [remarkOn(about, `it authenticates with ${JSON.stringify(method.slice(0, 64))}, which is not here; it has no secret until it is rotated`)] };
  const secret = textOf(client, 'secret');
  if (secret === null) return { secret: null, remarks: [remarkOn(about, NO_SECRET)] };
  if (MASKED.test(secret)) return { secret: null, remarks: [remarkOn(about, 'its secret is masked in this file, so it has none; export the realm with `kc.sh export`, or rotate it')] };
  if (secret.startsWith('${')) return { secret: null, remarks: [remarkOn(about, 'its secret is kept in a vault, so it has none here; rotate it, with the one from there if need be')] };
  return { secret, remarks: [] };
}

function read(client: Members, about: string): ReadClient {
  const id = neededText(client, 'clientId');
  const protocol = textOf(client, 'protocol') ?? 'openid-connect';
  if (own.has(id)) return [];
  if (protocol !== 'openid-connect') return [refusalOf('client', about, `it speaks ${JSON.stringify(protocol.slice(0, 64))}, not OpenID Connect`)];
  const attributes = objectOf(client, 'attributes');
  const isPublic = flagOf(client, 'publicClient', false) && !flagOf(client, 'bearerOnly', false);
  const root = textOf(client, 'rootUrl');
  const wanted = readGrants(client, attributes, about);
  const { grants, remarks: grantRemarks } = takeGrants(about, isPublic ? wanted.grants.filter((name) => name !== 'client_credentials') : wanted.grants);
  const redirects = takeAddresses(about, 'redirect URI', textsOf(client, 'redirectUris').map((uri) => resolve(uri, root)));
  const afterwards = (attributeOf(attributes, 'post.logout.redirect.uris') ?? '').split('##').filter((uri) => uri !== '' && uri !== '-');
  // A plus stands for the addresses for signing in.
  const logouts = takeAddresses(about, 'post-logout redirect URI', afterwards.flatMap((uri) => (uri === '+' ? redirects.taken : [resolve(uri, root)])));
  const mappers = readMappers(client, about);
  const { secret, remarks: secretRemarks } = readSecret(client, isPublic, about);
  const method = attributeOf(attributes, 'pkce.code.challenge.method');
  const lifetime = Number(attributeOf(attributes, 'access.token.lifespan') ?? Number.NaN);
  const scopes = takeScopes([...textsOf(client, 'defaultClientScopes'), ...textsOf(client, 'optionalClientScopes')].filter((name) => !ownScopes.has(name)));
  return [
    {
      kind: 'client', id, public: isPublic, secret, enabled: flagOf(client, 'enabled', true),
      change: {
        name: textOf(client, 'name') ?? id, grants, scopes: grants.includes('authorization_code') ? takeScopes(['openid', ...scopes]) : scopes,
        audience: mappers.audience, redirectUris: redirects.taken, postLogoutRedirectUris: logouts.taken,
        firstParty: !flagOf(client, 'consentRequired', false), requirePkce: isPublic || method !== null,
        ...settings({ backchannelLogoutUri: attributeOf(attributes, 'backchannel.logout.url'), accessTokenTtl: takeLifetime(lifetime) }),
      },
    },
    ...wanted.remarks, ...grantRemarks, ...redirects.remarks, ...logouts.remarks, ...mappers.remarks, ...secretRemarks,
    ...(isPublic && grants.length > 0 && method === null ? [remarkOn(about, 'it must send a PKCE challenge from now on')] : []),
    ...(method === 'plain' ? [remarkOn(about, 'its PKCE challenges must be S256; "plain" is refused')] : []),
  ];
}

/** Clients of a realm. */
export const keycloakClients: ItemReader = { kind: 'client', word: 'client', name: 'clientId', read };
