import type { KeyObject } from 'node:crypto';
import { remarkOn, UnreadableImport, type Imported, type ImportedThing, type ImportRemark } from '../core/imported.ts';
import { settings, takeLifetime } from './client-settings.ts';
import { keycloakClients, MASKED } from './keycloak-clients.ts';
import { keycloakUsers } from './keycloak-users.ts';
import { flagOf, listOf, membersOf, neededText, objectOf, readEach, readItem, textOf, valueOf, wholeOf, WrongMember, type ItemReader, type Members } from './members.ts';
import { digestKeyId, keyOfCertificate, keyOfPrivate, keyOfSpki, publicJwk, type PublicKey } from './public-keys.ts';
import { parseJson, readAll, readPieces, type ImportSource } from './text.ts';

type Things = readonly (ImportedThing | ImportRemark)[];

function readLifetimes(realm: Members): Things {
  const change = settings({ accessTokenTtl: takeLifetime(wholeOf(realm, 'accessTokenLifespan')), refreshTokenTtl: takeLifetime(wholeOf(realm, 'ssoSessionMaxLifespan')) });
  const people = settings({ sessionIdleTtl: takeLifetime(wholeOf(realm, 'ssoSessionIdleTimeout')), sessionTtl: takeLifetime(wholeOf(realm, 'ssoSessionMaxLifespan')) });
  const all = { ...change, ...(Object.keys(people).length > 0 && { people }) };
  return Object.keys(all).length === 0 ? [] : [{ kind: 'tenant', change: all }];
}

/** Roles of a realm, without those that every realm has. */
function roleReader(realm: string): ItemReader {
  const own: ReadonlySet<string> = new Set(['offline_access', 'uma_authorization', `default-roles-${realm.toLowerCase()}`]);
  return {
    kind: 'role', word: 'role', name: 'name',
    read(role, about) {
      const name = neededText(role, 'name');
      if (own.has(name)) return [];
      return [{ kind: 'role', name }, ...(flagOf(role, 'composite', false) ? [remarkOn(about, 'it is made of other roles there, and of none here')] : [])];
    },
  };
}

function organizationId(organization: Members): string {
  return textOf(organization, 'id') ?? textOf(organization, 'alias') ?? neededText(organization, 'name');
}

const organizations: ItemReader = {
  kind: 'organization', word: 'organization', name: 'name',
  read: (organization, about) => [
    { kind: 'organization', id: organizationId(organization), name: textOf(organization, 'name') ?? organizationId(organization) },
    ...(flagOf(organization, 'enabled', true) ? [] : [remarkOn(about, 'it is disabled there; organizations cannot be disabled here')]),
    ...(listOf(organization, 'domains').length === 0 ? [] : [remarkOn(about, 'its mail domains are left out')]),
    ...(listOf(organization, 'identityProviders').length === 0 ? [] : [remarkOn(about, 'its identity providers are left out')]),
  ],
};

const members: ItemReader = {
  kind: 'membership', word: 'organization', name: 'name',
  read(organization) {
    const orgId = organizationId(organization);
    return listOf(organization, 'members').flatMap((item, index) => readItem({
      kind: 'membership', word: `member of ${orgId}:`, name: 'username',
      read(member) {
        const id = textOf(member, 'id');
        return [{ kind: 'membership', orgId, user: id ?? neededText(member, 'username'), by: id === null ? 'username' : 'id', roles: [] }];
      },
    }, item, `members[${index}]`));
  },
};

/** Values of a component's settings are lists. */
function settingOf(config: Members, name: string): string | null {
  const value = valueOf(config, name);
  const first: unknown = Array.isArray(value) ? value[0] : value;
  return typeof first === 'string' && first !== '' && !MASKED.test(first) ? first : null;
}

function readSigningKey(provider: string, config: Members): { readonly key: KeyObject | null; readonly algorithm: string | null } | null {
  if (settingOf(config, 'enabled') === 'false' || settingOf(config, 'keyUse')?.toLowerCase() === 'enc' || /-enc/.test(provider)) return null;
  const spki = settingOf(config, 'ecdsaPublicKey') ?? settingOf(config, 'eddsaPublicKey');
  if (spki !== null) return { key: keyOfSpki(spki), algorithm: null };
  const certificate = settingOf(config, 'certificate');
  const secret = settingOf(config, 'privateKey');
  if (!provider.startsWith('rsa') && certificate === null) return provider === 'java-keystore' ? { key: null, algorithm: null } : null;
  const key = (certificate === null ? null : keyOfCertificate(certificate)) ?? (secret === null ? null : keyOfPrivate(secret));
  return { key, algorithm: settingOf(config, 'algorithm') ?? 'RS256' };
}

/** Public keys that sign a realm's tokens. */
function readKeys(realm: Members, issuer: string | null): Things {
  const remarks: ImportRemark[] = [];
  const keys: PublicKey[] = [];
  for (const item of listOf(objectOf(realm, 'components'), 'org.keycloak.keys.KeyProvider')) {
    const component = membersOf(item) ?? {};
    const config = objectOf(component, 'config');
    const found = readSigningKey(textOf(component, 'providerId') ?? '', config);
    if (found === null) continue;
    const about = `key ${textOf(component, 'name') ?? textOf(component, 'id') ?? ''}`;
    if (found.key === null) remarks.push(remarkOn(about, 'its public part is not in the file; give the JWK set of the old server'));
    else if (found.algorithm !== null && found.algorithm !== 'RS256' && found.algorithm !== 'PS256') remarks.push(remarkOn(about, 'its algorithm is not verified here'));
    else keys.push(publicJwk(found.key, settingOf(config, 'kid') ?? digestKeyId(found.key), found.algorithm));
  }
  if (keys.length === 0) return remarks;
  return issuer === null
    ? [...remarks, remarkOn('keys', 'the file has public keys, but not the issuer of their tokens; name it, so that tokens from there stay good until they expire')]
    : [...remarks, { kind: 'keys', issuer, jwks: { keys } }];
}

/** What has no place here, each with its reason. */
function readRest(realm: Members): Things {
  const kept = [
    ['groups', 'there are no groups here; whose they are is kept with the users'], ['identityProviders', 'identity providers are left out'],
    ['clientScopes', 'client scopes are not things of their own here; their names are kept with the clients'], ['userFederationProviders', 'user federation is left out'],
  ] as const;
  return kept.filter(([name]) => listOf(realm, name).length > 0).map(([, text]) => remarkOn('realm', text));
}

/** Reads a realm as `kc.sh export` and the admin console write it; users may be in files of their own. @throws UnreadableImport */
export async function* importKeycloak({ bytes, issuer }: ImportSource): Imported {
  const parsed = parseJson(await readAll(readPieces(bytes)));
  const realm = membersOf(Array.isArray(parsed) && parsed.length === 1 ? parsed[0] : parsed);
  if (realm === null || typeof valueOf(realm, 'realm') !== 'string') throw new UnreadableImport('the file is no realm of Keycloak: it has no member "realm"');
  const name = String(valueOf(realm, 'realm'));
  try {
    yield* readLifetimes(realm);
    yield* readEach(roleReader(name), listOf(objectOf(realm, 'roles'), 'realm'), 'roles.realm');
    if (Object.values(objectOf(objectOf(realm, 'roles'), 'client')).some((roles) => Array.isArray(roles) && roles.length > 0)) yield remarkOn('realm', 'roles of clients are left out');
    yield* readEach(organizations, listOf(realm, 'organizations'), 'organizations');
    yield* readEach(keycloakClients, listOf(realm, 'clients'), 'clients');
    yield* readKeys(realm, issuer);
    yield* readRest(realm);
    yield* readEach(keycloakUsers(name), listOf(realm, 'users'), 'users');
    yield* readEach(members, listOf(realm, 'organizations'), 'organizations');
  } catch (error) {
    if (error instanceof WrongMember) throw new UnreadableImport(`the file is no realm of Keycloak: ${error.message}`);
    throw error;
  }
}
