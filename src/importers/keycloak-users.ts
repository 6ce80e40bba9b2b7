import { argon2Digest, pbkdf2Digest } from '../core/foreign-password.ts';
import { remarkOn, type ImportedUser, type ImportRemark } from '../core/imported.ts';
import { fitAttributes, fullName } from './attributes.ts';
import { keep, type KeptHash } from './hashes.ts';
import { flagOf, listOf, membersOf, neededText, objectOf, textOf, textsOf, valueOf, type ItemReader, type Members } from './members.ts';

const pbkdf2Names = { pbkdf2: 'sha1', 'pbkdf2-sha256': 'sha256', 'pbkdf2-sha512': 'sha512' } as const;

/** Attributes that Keycloak and OpenID Connect call otherwise. */
const renamed: ReadonlyMap<string, string> = new Map([
  ['phoneNumber', 'phone_number'], ['phoneNumberVerified', 'phone_number_verified'], ['middleName', 'middle_name'], ['zoneInfo', 'zoneinfo'],
]);

/** JSON within JSON, or the same as an object; none of it is repeated in a remark. */
function withinOf(credential: Members, name: string): Members {
  const value = valueOf(credential, name);
  if (typeof value !== 'string') return membersOf(value) ?? {};
  try {
    return membersOf(JSON.parse(value)) ?? {};
  } catch {
    return {};
  }
}

/** Parameters are lists of texts. */
function parameterOf(data: Members, name: string): string {
  const value = valueOf(membersOf(valueOf(data, 'additionalParameters')) ?? {}, name);
  const first: unknown = Array.isArray(value) ? value[0] : value;
  return typeof first === 'string' || typeof first === 'number' ? String(first) : '';
}

/** Base64 as Java writes it, also in lines. */
function base64Of(of: Members, name: string): string {
  const value = valueOf(of, name);
  return typeof value === 'string' ? value.replace(/\s/g, '') : '';
}

/** The kept form of a password credential, of the format since version 8 or of that before it. */
function readPassword(credential: Members): KeptHash {
  if (typeof valueOf(credential, 'value') === 'string') return { fault: 'its password is in clear in the file and is not taken; set a temporary one' };
  const data = { ...credential, ...withinOf(credential, 'credentialData') };
  const secret = withinOf(credential, 'secretData');
  const key = base64Of(secret, 'value') || base64Of(credential, 'hashedSaltedValue');
  const salt = base64Of(secret, 'salt') || base64Of(credential, 'salt');
  const algorithm = valueOf(data, 'algorithm') ?? 'pbkdf2';
  const iterations = Number(valueOf(data, 'hashIterations') ?? Number.NaN);
  if (algorithm === 'argon2') {
    const type = parameterOf(data, 'type');
    const variant = (['id', 'i', 'd'] as const).find((one) => one === type);
    if (variant === undefined || parameterOf(data, 'version') !== '1.3') return { fault: 'its argon2 hash is of a version that is not verified here; the password must be set anew' };
    return keep(argon2Digest(variant, { memory: Number(parameterOf(data, 'memory')), passes: iterations, lanes: Number(parameterOf(data, 'parallelism')) }, salt, key));
  }
  const hash = Object.entries(pbkdf2Names).find(([name]) => name === algorithm)?.[1];
  return hash === undefined
    ? { fault: 'its password hash was made by an extension of Keycloak; the password must be set anew' }
    : keep(pbkdf2Digest(hash, iterations, salt, key));
}

function readCredentials(user: Members, about: string): { readonly password: ImportedUser['password']; readonly remarks: readonly ImportRemark[] } {
  const remarks: ImportRemark[] = [];
  let password: ImportedUser['password'] = null;
  const mustChange = textsOf(user, 'requiredActions').includes('UPDATE_PASSWORD');
  for (const item of listOf(user, 'credentials')) {
    const credential = membersOf(item) ?? {};
    const type = valueOf(credential, 'type');
    if (type !== 'password') {
      if (type !== 'password-history') remarks.push(remarkOn(about, 'second factors and passkeys are not in an export\'s reach; they must be set up anew'));
      continue;
    }
    const kept = readPassword(credential);
    if ('fault' in kept) remarks.push(remarkOn(about, kept.fault));
    else password = { digest: kept.digest, temporary: mustChange || flagOf(credential, 'temporary', false) };
  }
  return { password, remarks };
}

/** Lists of one value are that value; the types of standard claims are made of text. */
function readAttributes(user: Members): readonly (readonly [string, unknown])[] {
  return Object.entries(objectOf(user, 'attributes')).map(([given, value]) => {
    const name = renamed.get(given) ?? given;
    const single: unknown = Array.isArray(value) && value.length === 1 ? value[0] : value;
    if (name === 'phone_number_verified' && typeof single === 'string') return [name, single === 'true'] as const;
    return [name, name === 'updated_at' && typeof single === 'string' ? Number(single) : Array.isArray(single) && single.length === 0 ? null : single] as const;
  });
}

function listed(names: readonly string[]): readonly string[] | null {
  return names.length === 0 ? null : names;
}

/** Users of a realm. @param realm its name */
export function keycloakUsers(realm: string): ItemReader {
  const own: ReadonlySet<string> = new Set(['offline_access', 'uma_authorization', `default-roles-${realm.toLowerCase()}`]);
  return {
    kind: 'user', word: 'user', name: 'username',
    read(user, about) {
      const username = neededText(user, 'username');
      if (textOf(user, 'serviceAccountClientId') !== null) return [];
      const roles = textsOf(user, 'realmRoles').filter((name) => !own.has(name));
      const groups = textsOf(user, 'groups');
      const given = textOf(user, 'firstName');
      const family = textOf(user, 'lastName');
      const { password, remarks } = readCredentials(user, about);
      const fitting = fitAttributes(about, [['given_name', given], ['family_name', family], ['roles', listed(roles)], ['groups', listed(groups)], ...readAttributes(user)]);
      return [
        {
          kind: 'user', id: textOf(user, 'id'), username, email: textOf(user, 'email') ?? '', emailVerified: flagOf(user, 'emailVerified', false),
          name: fullName(given, family), attributes: fitting.attributes, password, enabled: flagOf(user, 'enabled', true),
        },
        ...remarks, ...fitting.remarks,
        ...(roles.length === 0 ? [] : [remarkOn(about, 'roles are given within organizations here; theirs are kept as the attribute "roles", which a mapped claim can tell')]),
        ...(groups.length === 0 ? [] : [remarkOn(about, 'there are no groups here; theirs are kept as the attribute "groups", which a mapped claim can tell')]),
        ...(Object.keys(objectOf(user, 'clientRoles')).length === 0 ? [] : [remarkOn(about, 'roles of clients are left out')]),
        ...(listOf(user, 'federatedIdentities').length === 0 ? [] : [remarkOn(about, 'links to other identity providers are left out')]),
      ];
    },
  };
}
