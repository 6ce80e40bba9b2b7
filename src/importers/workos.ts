import { refusalOf, remarkOn, UnreadableImport, type Imported, type ImportedThing, type ImportRemark } from '../core/imported.ts';
import { fitAttributes, fullName } from './attributes.ts';
import { keepHash, type KeptHash } from './hashes.ts';
import { flagOf, listOf, membersOf, neededText, objectOf, readEach, readItem, textOf, valueOf, WrongMember, type ItemReader, type Members } from './members.ts';
import { begin, cellOf, parseJson, readAll, readCsv, readPieces, switchOf, type CsvRow, type ImportSource } from './text.ts';

type Things = readonly (ImportedThing | ImportRemark)[];

function readPassword(user: Members): KeptHash | null {
  const hash = textOf(user, 'password_hash');
  const type = textOf(user, 'password_hash_type');
  if (hash === null) return null;
  if (type === 'firebase-scrypt' || type === 'ssha') return { fault: `a hash of the kind "${type}" cannot be verified here; the password must be set anew` };
  return keepHash(hash);
}

const users: ItemReader = {
  kind: 'user', word: 'user', name: 'email',
  read(user, about): Things {
    const id = textOf(user, 'id');
    const email = textOf(user, 'email');
    const username = email ?? id;
    if (username === null) return [refusalOf('user', about, 'it has neither an id nor an address')];
    const kept = readPassword(user);
    const given = textOf(user, 'first_name');
    const family = textOf(user, 'last_name');
    const fitting = fitAttributes(about, [
      ['given_name', given], ['family_name', family], ['picture', valueOf(user, 'profile_picture_url')], ['locale', valueOf(user, 'locale')],
      ['external_id', valueOf(user, 'external_id')], ...Object.entries(objectOf(user, 'metadata')),
    ]);
    return [
      {
        kind: 'user', id, username, email: email ?? '', emailVerified: email !== null && flagOf(user, 'email_verified', false), name: fullName(given, family),
        attributes: fitting.attributes, password: kept === null || 'fault' in kept ? null : { digest: kept.digest, temporary: false }, enabled: true,
      },
      ...(kept !== null && 'fault' in kept ? [remarkOn(about, kept.fault)] : []), ...fitting.remarks,
    ];
  },
};

const organizations: ItemReader = {
  kind: 'organization', word: 'organization', name: 'name',
  read: (organization, about) => [
    { kind: 'organization', id: neededText(organization, 'id'), name: textOf(organization, 'name') ?? neededText(organization, 'id') },
    ...(listOf(organization, 'domains').length === 0 ? [] : [remarkOn(about, 'its mail domains are left out')]),
  ],
};

/** Slugs of a membership's roles. */
function rolesOf(membership: Members): readonly string[] {
  const slug = (role: unknown): string => neededText(membersOf(role) ?? {}, 'slug');
  const several = listOf(membership, 'roles').map(slug);
  const one = valueOf(membership, 'role');
  return [...new Set([...(one === undefined ? [] : [slug(one)]), ...several])];
}

/** What memberships bring along: their organization, where they name it, and roles. */
const foundations: ItemReader = {
  kind: 'membership', word: 'membership', name: 'id',
  read(membership): Things {
    const name = textOf(membership, 'organization_name');
    return [
      ...(name === null ? [] : [{ kind: 'organization', id: neededText(membership, 'organization_id'), name } as const]),
      ...rolesOf(membership).map((role) => ({ kind: 'role', name: role }) as const),
    ];
  },
};

const memberships: ItemReader = {
  kind: 'membership', word: 'membership', name: 'id',
  read(membership, about): Things {
    const status = textOf(membership, 'status') ?? 'active';
    if (status !== 'active') return [remarkOn(about, 'memberships that are pending or inactive are left out')];
    return [{ kind: 'membership', orgId: neededText(membership, 'organization_id'), user: neededText(membership, 'user_id'), by: 'id', roles: rolesOf(membership) }];
  },
};

/** Things that were said already: every membership says the same of its organization. */
function makeOnce(): (things: Iterable<ImportedThing | ImportRemark>) => Generator<ImportedThing | ImportRemark> {
  const seen = new Set<string>();
  return function* once(things) {
    for (const thing of things) {
      const key = thing.kind === 'organization' ? `organization ${thing.id}` : thing.kind === 'role' ? `role ${thing.name}` : null;
      // What is wrong with a membership is told when it is read itself.
      if (thing.kind === 'remark' && thing.refused === 'membership') continue;
      if (key !== null && seen.has(key)) continue;
      if (key !== null) seen.add(key);
      yield thing;
    }
  };
}

const lists = ['users', 'organizations', 'organization_memberships', 'memberships'] as const;

/** Things of a file by kind: lists by name, or one list of whatever the API answered. */
function sort(parsed: unknown): { readonly users: readonly unknown[]; readonly organizations: readonly unknown[]; readonly memberships: readonly unknown[] } {
  const whole = membersOf(parsed) ?? {};
  const named = lists.some((name) => Array.isArray(valueOf(whole, name)));
  const data: unknown = Array.isArray(parsed) ? parsed : valueOf(whole, 'data');
  if (!named && !Array.isArray(data)) throw new UnreadableImport('the file is no export of WorkOS: neither a list, nor {"data":[…]}, nor {"users":[…]}');
  const mixed: readonly unknown[] = Array.isArray(data) ? data : [];
  const called = (item: unknown): unknown => valueOf(membersOf(item) ?? {}, 'object');
  return {
    users: [...listOf(whole, 'users'), ...mixed.filter((item) => called(item) !== 'organization' && called(item) !== 'organization_membership')],
    organizations: [...listOf(whole, 'organizations'), ...mixed.filter((item) => called(item) === 'organization')],
    memberships: [...listOf(whole, 'organization_memberships'), ...listOf(whole, 'memberships'), ...mixed.filter((item) => called(item) === 'organization_membership')],
  };
}

async function* readWhole(pieces: AsyncIterable<string>): Imported {
  const once = makeOnce();
  try {
    const parsed = parseJson(await readAll(pieces));
    const sorted = sort(parsed);
    const more = membersOf(valueOf(membersOf(parsed) ?? {}, 'list_metadata'));
    if (more !== null && typeof valueOf(more, 'after') === 'string') yield remarkOn('file', 'it is one page of several: import the others too');
    yield* once(readEach(organizations, sorted.organizations, 'organizations'));
    yield* once(readEach(foundations, sorted.memberships, 'memberships'));
    yield* readEach(users, sorted.users, 'users');
    yield* readEach(memberships, sorted.memberships, 'memberships');
  } catch (error) {
    if (error instanceof WrongMember) throw new UnreadableImport(`the file is no export of WorkOS: ${error.message}`);
    throw error;
  }
}

/** A row: a user, and an organization that they are in. */
function readRow(row: CsvRow): Things {
  const id = cellOf(row, 'id', 'user_id');
  const email = cellOf(row, 'email');
  const user = readItem(users, {
    id, email, first_name: cellOf(row, 'first_name'), last_name: cellOf(row, 'last_name'), email_verified: switchOf(row, 'email_verified'),
    external_id: cellOf(row, 'external_id'), profile_picture_url: cellOf(row, 'profile_picture_url'), locale: cellOf(row, 'locale'),
    password_hash: cellOf(row, 'password_hash'), password_hash_type: cellOf(row, 'password_hash_type'), metadata: metadataOf(row),
  }, `line ${row.line}`);
  const orgId = cellOf(row, 'org_id', 'organization_id');
  const name = cellOf(row, 'org_name', 'organization_name');
  const slugs = (cellOf(row, 'role_slugs', 'role_slug', 'role') ?? '').replace(/[[\]"]/g, '').split(/[,;|]/).map((slug) => slug.trim()).filter((slug) => slug !== '');
  const reference = id ?? email;
  if (orgId === null) return name === null ? user : [...user, remarkOn(`user ${email ?? id ?? ''}`, 'its organization has a name but no id, and is left out')];
  return [
    ...(name === null ? [] : [{ kind: 'organization', id: orgId, name } as const]), ...slugs.map((slug) => ({ kind: 'role', name: slug }) as const), ...user,
    ...(reference === null ? [] : [{ kind: 'membership', orgId, user: reference, by: id === null ? 'username' : 'id', roles: slugs } as const]),
  ];
}

function metadataOf(row: CsvRow): Members | null {
  const cell = cellOf(row, 'metadata');
  try {
    return cell === null ? null : membersOf(JSON.parse(cell));
  } catch {
    return null;
  }
}

/** Reads users, organizations and memberships as WorkOS's API lists them, or as its tools for moving write them in CSV. @throws UnreadableImport */
export async function* importWorkos({ bytes }: ImportSource): Imported {
  const { first, all } = await begin(readPieces(bytes));
  if (first === '') throw new UnreadableImport('the file is empty');
  if (first === '[' || first === '{') {
    yield* readWhole(all);
    return;
  }
  const once = makeOnce();
  let known = false;
  for await (const row of readCsv(all)) {
    known ||= cellOf(row, 'email', 'id', 'user_id') !== null;
    if (!known) throw new UnreadableImport('the file is no export of WorkOS: no JSON, and no CSV with a column email');
    yield* once(readRow(row));
  }
  if (!known) throw new UnreadableImport('the file is no export of WorkOS: it holds no users');
}
