import { createDecipheriv, pbkdf2Sync } from 'node:crypto';
import { remarkOn, UnreadableImport, type Imported, type ImportedThing, type ImportRemark } from '../core/imported.ts';
import { fitAttributes } from './attributes.ts';
import { NO_SECRET, settings, takeAddresses, takeGrants, takeLifetime, takeScopes } from './client-settings.ts';
import { keepHash } from './hashes.ts';
import { flagOf, listOf, membersOf, neededText, objectOf, readEach, textOf, textsOf, valueOf, wholeOf, WrongMember, type ItemReader, type Members } from './members.ts';
import { keyOfSpki, publicJwk, type PublicKey } from './public-keys.ts';
import { parseJson, readAll, readPieces, type ImportSource } from './text.ts';

type Things = readonly (ImportedThing | ImportRemark)[];

/** An export as Kotauth seals it: `bkp1.SALT.NONCE.CIPHERTEXT`, AES-256-GCM under a key that a passphrase makes. */
const envelopeForm = /^bkp1\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)$/;
const ITERATIONS = 600_000;
const KEY_BYTES = 32;
const TAG_BYTES = 16;
const NONCE_BYTES = 12;

function open(envelope: string, passphrase: string | null): string {
  const [, salt = '', nonce = '', sealed = ''] = envelopeForm.exec(envelope) ?? [];
  const bytes = Buffer.from(sealed, 'base64url');
  const iv = Buffer.from(nonce, 'base64url');
  if (sealed === '' || bytes.length <= TAG_BYTES || iv.length !== NONCE_BYTES) throw new UnreadableImport('the file is an encrypted export of Kotauth, but a damaged one, or one of a newer version');
  if (passphrase === null) throw new UnreadableImport('the file is an encrypted export of Kotauth: its passphrase is needed');
  const key = pbkdf2Sync(passphrase, Buffer.from(salt, 'base64url'), ITERATIONS, KEY_BYTES, 'sha256');
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES });
    decipher.setAuthTag(bytes.subarray(bytes.length - TAG_BYTES));
    return Buffer.concat([decipher.update(bytes.subarray(0, bytes.length - TAG_BYTES)), decipher.final()]).toString('utf8');
  } catch {
    throw new UnreadableImport('the passphrase is not the one of this export, or the file is damaged');
  }
}

/** The export itself: in clear, sealed, or sealed within what the API answered. */
function readExport(text: string, passphrase: string | null): Members {
  const plain = text.trim();
  const parsed = plain.startsWith('bkp') ? parseJson(open(plain, passphrase)) : parseJson(plain);
  const members = membersOf(parsed);
  const envelope = members === null ? undefined : valueOf(members, 'envelope');
  const found = typeof envelope === 'string' ? membersOf(parseJson(open(envelope, passphrase))) : members;
  if (found === null || membersOf(valueOf(found, 'tenant')) === null) throw new UnreadableImport('the file is no export of Kotauth: it has no member "tenant"');
  return found;
}

function readLifetimes(tenant: Members): Things {
  const change = settings({ accessTokenTtl: takeLifetime(wholeOf(tenant, 'tokenExpirySeconds')), refreshTokenTtl: takeLifetime(wholeOf(tenant, 'refreshTokenExpirySeconds')) });
  return Object.keys(change).length === 0 ? [] : [{ kind: 'tenant', change }];
}

const applications: ItemReader = {
  kind: 'client', word: 'client', name: 'clientId',
  read(application, about) {
    const id = neededText(application, 'clientId');
    const access = (textOf(application, 'accessType') ?? 'confidential').toLowerCase();
    const isPublic = access === 'public';
    const named = textsOf(application, 'grantTypes').map((name) => name.toLowerCase());
    const usual = isPublic ? ['authorization_code', 'refresh_token'] : access === 'confidential' ? ['authorization_code', 'refresh_token', 'client_credentials'] : [];
    const { grants, remarks } = takeGrants(about, (named.length === 0 ? usual : named).filter((name) => !isPublic || name !== 'client_credentials'));
    const redirects = takeAddresses(about, 'redirect URI', textsOf(application, 'redirectUris'));
    const scopes = listOf(application, 'authorizedResources').flatMap((item) => textsOf(membersOf(item) ?? {}, 'scopes'));
    const audience = textOf(application, 'audience');
    return [
      {
        kind: 'client', id, public: isPublic, secret: null, enabled: flagOf(application, 'enabled', true),
        change: {
          name: textOf(application, 'name') ?? id, grants, redirectUris: redirects.taken, firstParty: true,
          scopes: takeScopes([...(grants.includes('authorization_code') ? ['openid', 'profile', 'email'] : []), ...scopes]),
          ...settings({ audience: audience === null ? null : [audience], accessTokenTtl: takeLifetime(wholeOf(application, 'tokenExpiryOverride')) }),
        },
      },
      ...remarks, ...redirects.remarks, ...(isPublic ? [] : [remarkOn(about, NO_SECRET)]),
    ];
  },
};

const roles: ItemReader = {
  kind: 'role', word: 'role', name: 'name',
  read(role, about) {
    if (textOf(role, 'clientId') !== null) return [remarkOn(about, 'roles of applications are left out')];
    return [
      { kind: 'role', name: neededText(role, 'name') },
      ...(textsOf(role, 'childRoleNames').length === 0 ? [] : [remarkOn(about, 'it is made of other roles there, and of none here')]),
    ];
  },
};

const users: ItemReader = {
  kind: 'user', word: 'user', name: 'username',
  read(user, about) {
    const hash = textOf(user, 'passwordHash');
    const kept = hash === null ? null : keepHash(hash);
    const temporary = textsOf(user, 'requiredActions').some((action) => action.toUpperCase().includes('PASSWORD'));
    const theirs = textsOf(user, 'roleNames');
    const groups = textsOf(user, 'groupPaths');
    const fitting = fitAttributes(about, [
      ['given_name', textOf(user, 'givenName')], ['family_name', textOf(user, 'familyName')], ['external_id', textOf(user, 'externalId')],
      ['roles', theirs.length === 0 ? null : theirs], ['groups', groups.length === 0 ? null : groups], ...Object.entries(objectOf(user, 'customAttributes')),
    ]);
    return [
      {
        kind: 'user', id: null, username: neededText(user, 'username'), email: textOf(user, 'email') ?? '', emailVerified: flagOf(user, 'emailVerified', false),
        name: textOf(user, 'fullName'), attributes: fitting.attributes, enabled: flagOf(user, 'enabled', true),
        password: kept === null || 'fault' in kept ? null : { digest: kept.digest, temporary },
      },
      ...(kept !== null && 'fault' in kept ? [remarkOn(about, kept.fault)] : []), ...fitting.remarks,
      ...(flagOf(user, 'mfaEnabled', false) ? [remarkOn(about, 'second factors and passkeys are not in an export\'s reach; they must be set up anew')] : []),
      ...(theirs.length === 0 ? [] : [remarkOn(about, 'roles are given within organizations here; theirs are kept as the attribute "roles", which a mapped claim can tell')]),
      ...(groups.length === 0 ? [] : [remarkOn(about, 'there are no groups here; theirs are kept as the attribute "groups", which a mapped claim can tell')]),
    ];
  },
};

function readKeys(whole: Members, issuer: string | null): Things {
  const keys: PublicKey[] = [];
  const remarks: ImportRemark[] = [];
  for (const item of listOf(whole, 'signingKeys')) {
    const row = membersOf(item) ?? {};
    const key = keyOfSpki(textOf(row, 'publicKeyPem') ?? '');
    const kid = textOf(row, 'keyId');
    if (key === null || kid === null) remarks.push(remarkOn(`key ${kid ?? ''}`, 'its public part cannot be read; give the JWK set of the old server'));
    else if (flagOf(row, 'enabled', true)) keys.push(publicJwk(key, kid, textOf(row, 'algorithm')));
  }
  if (keys.length === 0) return remarks;
  return issuer === null
    ? [...remarks, remarkOn('keys', 'the file has public keys, but not the issuer of their tokens; name it, so that tokens from there stay good until they expire')]
    : [...remarks, { kind: 'keys', issuer, jwks: { keys } }];
}

/** Reads a tenant's export as Kotauth's console and API write it, sealed or in clear. @throws UnreadableImport */
export async function* importKotauth({ bytes, issuer, passphrase }: ImportSource): Imported {
  const whole = readExport(await readAll(readPieces(bytes)), passphrase);
  try {
    const tenant = objectOf(whole, 'tenant');
    yield* readLifetimes(tenant);
    yield* readEach(roles, listOf(whole, 'roles'), 'roles');
    yield* readEach(applications, listOf(whole, 'applications'), 'applications');
    yield* readKeys(whole, issuer ?? textOf(tenant, 'issuerUrl'));
    for (const [name, text] of [
      ['groups', 'there are no groups here; whose they are is kept with the users'], ['socialProviders', 'identity providers are left out'],
      ['claimMappers', 'claim mappers are left out; make mapped claims of the tenant'], ['resourceServers', 'resource servers are left out; make resources of them'],
    ] as const) if (listOf(whole, name).length > 0) yield remarkOn('tenant', text);
    yield* readEach(users, listOf(whole, 'users'), 'users');
  } catch (error) {
    if (error instanceof WrongMember) throw new UnreadableImport(`the file is no export of Kotauth: ${error.message}`);
    throw error;
  }
}
