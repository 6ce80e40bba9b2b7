import { scryptDigest } from '../core/foreign-password.ts';
import { refusalOf, remarkOn, UnreadableImport, type Imported, type ImportedThing, type ImportRemark } from '../core/imported.ts';
import { fitAttributes } from './attributes.ts';
import { keep, keepHash, logarithm, type KeptHash } from './hashes.ts';
import { flagOf, listOf, membersOf, objectOf, readEach, readItem, textOf, valueOf, wholeOf, type ItemReader, type Members } from './members.ts';
import { begin, cellOf, parseJson, readAll, readCsv, readLines, readPieces, switchOf, type CsvRow, type ImportSource } from './text.ts';

const NODE = { base64: 'base64', hex: 'hex', utf8: 'utf8', ascii: 'ascii', latin1: 'latin1', binary: 'latin1' } as const;

/** Bytes of a value whose encoding is told beside it, as base64. */
function encoded(of: Members, fallback: keyof typeof NODE): string {
  const named = textOf(of, 'encoding') ?? fallback;
  const encoding = Object.entries(NODE).find(([name]) => name === named)?.[1];
  return encoding === undefined ? '' : Buffer.from(textOf(of, 'value') ?? '', encoding).toString('base64');
}

/** A hash that came to Auth0 from yet another server. */
function keepCustom(custom: Members): KeptHash {
  const algorithm = textOf(custom, 'algorithm') ?? '';
  const hash = objectOf(custom, 'hash');
  const written = textOf(objectOf(custom, 'password'), 'encoding') ?? 'utf8';
  if (written !== 'utf8' && written !== 'ascii') return { fault: 'its password was hashed in another encoding than UTF-8; the password must be set anew' };
  if (algorithm === 'argon2' || algorithm === 'bcrypt' || algorithm === 'pbkdf2') return keepHash(textOf(hash, 'value') ?? '');
  if (algorithm !== 'scrypt') return { fault: `a hash of the kind ${JSON.stringify(algorithm.slice(0, 32))} is too weak to be kept; the password must be set anew` };
  const option = (name: string, fallback: number): number => wholeOf(custom, name) ?? wholeOf(hash, name) ?? fallback;
  return keep(scryptDigest(
    logarithm(option('cost', 16_384)), option('blockSize', 8), option('parallelization', 1), encoded(objectOf(custom, 'salt'), 'utf8'), encoded(hash, 'base64'),
  ));
}

function readPassword(user: Members): KeptHash | null {
  const custom = membersOf(valueOf(user, 'custom_password_hash'));
  if (custom !== null) return keepCustom(custom);
  const hash = textOf(user, 'password_hash') ?? textOf(user, 'passwordHash');
  return hash === null ? null : keepHash(hash);
}

/** The id of a user; the file of hashes that Auth0's support hands out tells the database's own. */
function readId(user: Members): string | null {
  const own = textOf(user, 'user_id') ?? textOf(user, 'id');
  if (own !== null) return own;
  const database = membersOf(valueOf(user, '_id'));
  const oid = database === null ? null : textOf(database, '$oid');
  return oid === null ? null : `auth0|${oid}`;
}

const standard = ['given_name', 'family_name', 'nickname', 'picture', 'phone_number', 'locale'] as const;

const users: ItemReader = {
  kind: 'user', word: 'user', name: 'email',
  read(user, about): readonly (ImportedThing | ImportRemark)[] {
    const id = readId(user);
    const email = textOf(user, 'email');
    const username = textOf(user, 'username') ?? email ?? textOf(user, 'phone_number') ?? id;
    if (username === null) return [refusalOf('user', about, 'it has neither a username nor an address')];
    const kept = readPassword(user);
    const name = textOf(user, 'name')?.trim() ?? null;
    const verified = valueOf(user, 'phone_verified');
    const fitting = fitAttributes(about, [
      ...standard.map((member) => [member, valueOf(user, member)] as const), ['phone_number_verified', verified],
      ...Object.entries(objectOf(user, 'user_metadata')), ...Object.entries(objectOf(user, 'app_metadata')),
    ]);
    return [
      {
        kind: 'user', id, username, email: email ?? '', emailVerified: email !== null && flagOf(user, 'email_verified', false),
        name: name === '' || name === email ? null : name, attributes: fitting.attributes, enabled: !flagOf(user, 'blocked', false),
        // A hash alone does not say whether it is about to be changed.
        password: kept === null || 'fault' in kept ? null : { digest: kept.digest, temporary: false },
      },
      ...(kept !== null && 'fault' in kept ? [remarkOn(about, kept.fault)] : []), ...fitting.remarks,
      ...(id === null || id.includes('|') ? [] : [remarkOn(about, 'its id has no connection in front; Auth0 puts "auth0|" there, and into tokens')]),
      ...(listOf(user, 'mfa_factors').length + listOf(user, 'multifactor').length === 0 ? [] : [remarkOn(about, 'second factors and passkeys are not in an export\'s reach; they must be set up anew')]),
    ];
  },
};

/** A row as the object that it would be in JSON. */
function rowMembers(row: CsvRow): Members {
  const members: Record<string, unknown> = {};
  for (const name of ['user_id', 'id', 'email', 'username', 'name', 'password_hash', ...standard]) members[name] = cellOf(row, name) ?? undefined;
  members['password_hash'] ??= cellOf(row, 'passwordhash') ?? undefined;
  for (const name of ['email_verified', 'blocked', 'phone_verified']) members[name] = switchOf(row, name) ?? undefined;
  for (const metadata of ['user_metadata', 'app_metadata']) {
    const prefix = `${metadata}.`;
    const cells = Object.entries(row.cells).filter(([column]) => column.startsWith(prefix) && column.length > prefix.length);
    members[metadata] = Object.fromEntries(cells.map(([column, cell]) => [column.slice(prefix.length), cell]));
  }
  const custom = cellOf(row, 'custom_password_hash');
  if (custom !== null) members['custom_password_hash'] = membersOf(tryJson(custom)) ?? {};
  return members;
}

/** A text as JSON; undefined: it is none. */
function tryJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** One object: a user, or a list of users by that name. */
function* readObject(value: unknown, place: string): Generator<ImportedThing | ImportRemark> {
  const list = valueOf(membersOf(value) ?? {}, 'users');
  yield* Array.isArray(list) ? readEach(users, list, 'users') : readItem(users, value, place);
}

/** Lines that are objects each, or all of them together one object. */
async function* readObjects(pieces: AsyncIterable<string>): Imported {
  let whole: string[] | null = null;
  let read = 0;
  for await (const { number, text } of readLines(pieces)) {
    if (whole !== null) {
      whole.push(text);
      continue;
    }
    const value = tryJson(text);
    if (value === undefined && read === 0) whole = [text];
    else if (value === undefined) yield refusalOf('user', `line ${number}`, 'it is not JSON');
    else yield* readObject(value, `line ${number}`);
    read += 1;
  }
  if (whole !== null) yield* readObject(parseJson(whole.join('\n')), 'the file');
}

/** Reads users as Auth0 exports them (JSON lines, CSV), imports them (a JSON list), or its support hands out hashes. @throws UnreadableImport */
export async function* importAuth0({ bytes }: ImportSource): Imported {
  const { first, all } = await begin(readPieces(bytes));
  if (first === '') throw new UnreadableImport('the file is empty');
  if (first === '{') {
    yield* readObjects(all);
    return;
  }
  if (first === '[') {
    const list = parseJson(await readAll(all));
    yield* readEach(users, Array.isArray(list) ? list : [], 'users');
    return;
  }
  let known = false;
  for await (const row of readCsv(all)) {
    known ||= ['user_id', 'id', 'email', 'username'].some((name) => cellOf(row, name) !== null);
    if (!known) throw new UnreadableImport('the file is no export of Auth0: no JSON, and no CSV with a column user_id or email');
    yield* readItem(users, rowMembers(row), `line ${row.line}`);
  }
  if (!known) throw new UnreadableImport('the file is no export of Auth0: it holds no users');
}
