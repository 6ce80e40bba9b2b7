import { remarkOn, UnreadableImport, type Imported, type ImportRemark } from '../core/imported.ts';
import { authMethods } from '../spec/names.ts';
import { NO_SECRET, settings, takeAddresses, takeGrants, takeLifetime, takeScopes, type ReadClient } from './client-settings.ts';
import { flagOf, membersOf, neededText, readEach, textOf, textsOf, valueOf, type ItemReader, type Members } from './members.ts';
import { parseJson, readAll, readPieces, type ImportSource } from './text.ts';

const unitSeconds: Readonly<Record<string, number>> = { h: 3600, m: 60, s: 1, ms: 0.001, us: 0.000_001, 'µs': 0.000_001, ns: 0.000_000_001 };

/** Seconds of a duration as Go writes it (`1h0m0s`); null: it is none. */
export function parseDuration(text: string): number | null {
  const parts = [...text.matchAll(/([0-9]+(?:\.[0-9]+)?)(ms|us|µs|ns|h|m|s)/g)];
  if (parts.length === 0 || parts.map(([whole]) => whole).join('') !== text) return null;
  return Math.round(parts.reduce((sum, [, number = '0', unit = 's']) => sum + Number(number) * (unitSeconds[unit] ?? 0), 0));
}

function lifespan(client: Members, name: string): number | null {
  const text = textOf(client, name);
  return text === null ? null : parseDuration(text);
}

/** What Hydra keeps of a secret; never what a client sends. */
const hashed = /^\$(?:pbkdf2|2[abxy]|argon2|scrypt)/;

function readSecret(client: Members, isPublic: boolean, about: string): { readonly secret: string | null; readonly remarks: readonly ImportRemark[] } {
  const secret = textOf(client, 'client_secret');
  if (isPublic) return { secret: null, remarks: [] };
  if (secret === null) return { secret: null, remarks: [remarkOn(about, NO_SECRET)] };
  return hashed.test(secret)
    ? { secret: null, remarks: [remarkOn(about, 'its secret is hashed in the file, so it has none here; rotate it, with the one that the application has if need be')] }
    : { secret, remarks: [] };
}

/** The shortest of several: what a token of either grant may live. */
function accessLifetime(client: Members): { readonly ttl: number | null; readonly differ: boolean } {
  const names = ['authorization_code', 'client_credentials', 'refresh_token', 'implicit', 'jwt_bearer'];
  const all = names.map((grant) => takeLifetime(lifespan(client, `${grant}_grant_access_token_lifespan`))).filter((seconds) => seconds !== null);
  return all.length === 0 ? { ttl: null, differ: false } : { ttl: Math.min(...all), differ: new Set(all).size > 1 };
}

function readMethod(client: Members, about: string): { readonly isPublic: boolean; readonly method: (typeof authMethods)[number] | null; readonly remarks: readonly ImportRemark[] } {
  const given = textOf(client, 'token_endpoint_auth_method') ?? 'client_secret_basic';
  const method = authMethods.find((name) => name === given) ?? null;
  return { isPublic: given === 'none', method, remarks: method === null ? [remarkOn(about, `it authenticates with ${JSON.stringify(given.slice(0, 64))}, which is not here`)] : [] };
}

function read(client: Members, about: string): ReadClient {
  const id = neededText(client, 'client_id');
  const { isPublic, method, remarks } = readMethod(client, about);
  // RFC 7591 §2: what holds where none are named.
  const named = textsOf(client, 'grant_types');
  const { grants, remarks: grantRemarks } = takeGrants(about, (named.length === 0 ? ['authorization_code'] : named).filter((name) => !isPublic || name !== 'client_credentials'));
  const redirects = takeAddresses(about, 'redirect URI', textsOf(client, 'redirect_uris'));
  const logouts = takeAddresses(about, 'post-logout redirect URI', textsOf(client, 'post_logout_redirect_uris'));
  const { secret, remarks: secretRemarks } = readSecret(client, isPublic, about);
  const access = accessLifetime(client);
  const strategy = textOf(client, 'access_token_strategy');
  const format = (['jwt', 'opaque'] as const).find((name) => name === strategy) ?? null;
  return [
    {
      kind: 'client', id, public: isPublic, secret, enabled: true,
      change: {
        name: textOf(client, 'client_name') ?? id, grants, scopes: takeScopes((textOf(client, 'scope') ?? '').split(' ')), audience: textsOf(client, 'audience'),
        redirectUris: redirects.taken, postLogoutRedirectUris: logouts.taken, firstParty: flagOf(client, 'skip_consent', false), requirePkce: isPublic,
        ...settings({
          backchannelLogoutUri: textOf(client, 'backchannel_logout_uri'), authMethod: method, tokenFormat: format, accessTokenTtl: access.ttl,
          refreshTokenTtl: takeLifetime(lifespan(client, 'refresh_token_grant_refresh_token_lifespan') ?? lifespan(client, 'authorization_code_grant_refresh_token_lifespan')),
        }),
      },
    },
    ...remarks, ...grantRemarks, ...redirects.remarks, ...logouts.remarks, ...secretRemarks,
    ...(access.differ ? [remarkOn(about, 'its access tokens live as long for every grant here: the shortest of the lifetimes is taken')] : []),
    ...(textOf(client, 'subject_type') === 'pairwise' ? [remarkOn(about, 'every client sees the same subject here; "pairwise" is left out')] : []),
    ...(textOf(client, 'frontchannel_logout_uri') === null ? [] : [remarkOn(about, 'front-channel logout is not here; back-channel logout is')]),
    ...(isPublic ? [remarkOn(about, 'it must send a PKCE challenge from now on')] : []),
  ];
}

const clients: ItemReader = { kind: 'client', word: 'client', name: 'client_id', read };

/** Reads OAuth 2.0 clients as `hydra list oauth2-clients --format json` and its admin API write them. @throws UnreadableImport */
export async function* importHydra({ bytes }: ImportSource): Imported {
  const parsed = parseJson(await readAll(readPieces(bytes)));
  const whole = membersOf(parsed) ?? {};
  const items: unknown = Array.isArray(parsed) ? parsed : typeof valueOf(whole, 'client_id') === 'string' ? [whole] : valueOf(whole, 'items');
  if (!Array.isArray(items)) throw new UnreadableImport('the file holds no clients of Hydra: neither a list nor {"items":[…]}');
  const list: readonly unknown[] = items;
  if (typeof valueOf(whole, 'next_page_token') === 'string' && valueOf(whole, 'next_page_token') !== '' && valueOf(whole, 'is_last_page') !== true) {
    yield remarkOn('file', 'it is one page of several: import the others too');
  }
  yield* readEach(clients, list, 'clients');
}
