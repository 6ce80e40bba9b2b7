import { isDeepStrictEqual } from 'node:util';
import { and, eq, isNotNull, isNull, ne, sql } from 'drizzle-orm';
import { users } from './schema.ts';
import { administrators, invitations } from './schema-operations.ts';
import { codes, consents, memberships, passkeys, passwords, proofs, recoveryCodes, signInFailures, totp } from './schema-people.ts';
import { guarded } from './failures.ts';
import { pairKey } from './memory.ts';
import type { Connection } from './connection.ts';
import type { Endings } from './endings.ts';
import type { WriteAftermath } from './outbox.ts';
import type { ProofSteps } from './proofs.ts';
import type { User } from '../../core/model.ts';
import type { Password } from '../../core/people.ts';
import type { Store } from '../../core/store.ts';

type UserPart = Pick<Store, 'findUser' | 'findUserByName' | 'findUsersByEmail' | 'listUsers' | 'createUser' | 'updateUser' | 'registerUser'>;

/** Within a transaction: adds a user, or says what is taken. */
export type AddUser = (user: User, usernameKey: string) => 'created' | 'id_taken' | 'username_taken';

/** Prepares the question whether somebody else has a name, and the statement that adds a user. */
function prepareNames({ orm, track }: Connection): { readonly isNameTaken: (user: User, usernameKey: string) => boolean; readonly add: AddUser } {
  const isUser = and(eq(users.tenantId, sql.placeholder('tenantId')), eq(users.id, sql.placeholder('id')));
  const byId = track(orm.select({ id: users.id }).from(users).where(isUser).prepare());
  const isNamesake = and(eq(users.tenantId, sql.placeholder('tenantId')), eq(users.usernameKey, sql.placeholder('usernameKey')), isNull(users.deletedAtMs), ne(users.id, sql.placeholder('id')));
  const namesake = track(orm.select({ id: users.id }).from(users).where(isNamesake).prepare());
  const isNameTaken = ({ tenantId, id }: User, usernameKey: string): boolean => namesake.get({ tenantId, id, usernameKey }) !== undefined;
  // Prepared, as an import adds very many.
  const given = <Name extends string>(name: Name) => sql.placeholder(name);
  const insert = track(orm.insert(users).values({
    tenantId: given('tenantId'), id: given('id'), username: given('username'), usernameKey: given('usernameKey'), email: given('email'), emailKey: given('emailKey'),
    emailVerified: given('emailVerified'), name: given('name'), attributes: given('attributes'), createdAtMs: given('createdAtMs'), disabledAtMs: given('disabledAtMs'),
    deletedAtMs: given('deletedAtMs'), notBeforeMs: given('notBeforeMs'),
  }).prepare());
  return {
    isNameTaken,
    add: (user, usernameKey) => {
      if (byId.get({ tenantId: user.tenantId, id: user.id }) !== undefined) return 'id_taken';
      if (isNameTaken(user, usernameKey)) return 'username_taken';
      insert.run({ ...user, usernameKey, emailKey: toEmailKey(user.email) });
      return 'created';
    },
  };
}

/** Prepares adding users, for changes that come with one. */
export function prepareAddUser(connection: Connection): AddUser {
  return prepareNames(connection).add;
}

/** Users and their tombstones. */
export function userPart(connection: Connection, aftermath: WriteAftermath, endings: Endings, proofSteps: ProofSteps): UserPart {
  const { orm, writer, memory, prepare, track } = connection;
  const tenantIs = eq(users.tenantId, sql.placeholder('tenantId'));
  const byId = track(orm.select().from(users).where(and(tenantIs, eq(users.id, sql.placeholder('id')))).prepare());
  const isNamed = and(tenantIs, eq(users.usernameKey, sql.placeholder('usernameKey')), isNull(users.deletedAtMs));
  const byName = track(orm.select().from(users).where(isNamed).prepare());
  const isAddressed = and(tenantIs, eq(users.emailKey, sql.placeholder('emailKey')), isNull(users.deletedAtMs));
  const byEmail = track(orm.select().from(users).where(isAddressed).orderBy(users.createdAtMs, users.id).prepare());

  // Left to itself SQLite takes the primary key for cheaper, and reads the whole tenant.
  const anonymize = prepare<never, [tenantId: string, userId: string]>(
    'UPDATE sessions INDEXED BY sessions_user SET user_agent = NULL, ip = NULL WHERE tenant_id = ? AND user_id = ?',
  );

  const { isNameTaken, add } = prepareNames(connection);
  const insertPassword = prepare<never, [tenantId: string, userId: string, digest: string, changedAtMs: number, mustChange: number]>(
    'INSERT INTO passwords (tenant_id, user_id, digest, changed_at_ms, must_change) VALUES (?, ?, ?, ?, ?)',
  );
  const addPassword = ({ tenantId, userId, digest, changedAtMs, mustChange }: Password): void => {
    insertPassword.run(tenantId, userId, digest, changedAtMs, Number(mustChange));
  };

  /** Within a transaction: what was kept about a deleted user goes. */
  function wipe(tenantId: string, userId: string, emailKey: string): void {
    for (const table of [passwords, passkeys, totp, recoveryCodes, consents, memberships, proofs, signInFailures]) {
      orm.delete(table).where(and(eq(table.tenantId, tenantId), eq(table.userId, userId))).run();
    }
    // By which they came; one that is open was never theirs.
    orm.delete(invitations).where(and(eq(invitations.tenantId, tenantId), eq(invitations.emailKey, emailKey), isNotNull(invitations.acceptedAtMs))).run();
    orm.delete(administrators).where(and(eq(administrators.homeTenantId, tenantId), eq(administrators.userId, userId))).run();
    orm.delete(codes).where(and(eq(codes.tenantId, tenantId), eq(codes.userId, userId), isNull(codes.usedAtMs))).run();
    anonymize.run(tenantId, userId);
  }

  return {
    findUser: (tenantId, id) =>
      guarded(() => {
        memory.refresh();
        const key = pairKey(tenantId, id);
        const known = memory.users.get(key);
        if (known !== undefined) return known;
        const row = byId.get({ tenantId, id });
        if (row === undefined) return null;
        const user = toUser(row);
        memory.users.set(key, user);
        return user;
      }),
    findUserByName: (tenantId, usernameKey) =>
      guarded(() => {
        const row = byName.get({ tenantId, usernameKey });
        return row === undefined ? null : toUser(row);
      }),
    findUsersByEmail: (tenantId, emailKey) => guarded(() => byEmail.all({ tenantId, emailKey }).map(toUser)),
    listUsers: (tenantId) =>
      guarded(() => {
        const live = and(eq(users.tenantId, tenantId), isNull(users.deletedAtMs));
        return orm.select().from(users).where(live).orderBy(users.username).all().map(toUser);
      }),

    createUser: (user, usernameKey, audit, password) =>
      writer.write((after) => {
        const outcome = add(user, usernameKey);
        if (outcome !== 'created') return outcome;
        if (password !== undefined) addPassword(password);
        aftermath({ audit });
        after(() => memory.forget('users'));
        return 'created';
      }),

    updateUser: (expected, wanted, usernameKey, audit, { proofId, outbox = [] } = {}) =>
      writer.write((after) => {
        const { tenantId, id } = expected;
        const current = byId.get({ tenantId, id });
        if (current === undefined || current.deletedAtMs !== null || !isDeepStrictEqual(toUser(current), expected)) return 'outdated';
        if (wanted.deletedAtMs === null && isNameTaken(expected, usernameKey)) return 'username_taken';
        if (proofId !== undefined && !proofSteps.spend(tenantId, proofId, audit[0]?.timeMs ?? null)) return 'outdated';
        // Codes that are on their way went to the former address.
        if (wanted.email !== current.email || wanted.emailVerified !== current.emailVerified) proofSteps.spendMails(tenantId, id, audit[0]?.timeMs ?? null);
        // A cutoff never moves back.
        const notBeforeMs = Math.max(current.notBeforeMs, wanted.notBeforeMs);
        const own = and(eq(users.tenantId, tenantId), eq(users.id, id));
        orm.update(users).set({ ...wanted, tenantId, id, usernameKey, emailKey: toEmailKey(wanted.email), notBeforeMs }).where(own).run();
        if (notBeforeMs > current.notBeforeMs || (wanted.disabledAtMs !== null && current.disabledAtMs === null) || wanted.deletedAtMs !== null) {
          const atMs = Math.max(notBeforeMs, wanted.disabledAtMs ?? 0, wanted.deletedAtMs ?? 0);
          endings.endSessionsOf({ tenantId, userId: id, except: null, grants: 'none', atMs }, after);
        }
        if (wanted.deletedAtMs !== null) wipe(tenantId, id, current.emailKey);
        aftermath({ audit, outbox });
        after(() => {
          memory.forget('users');
          if (wanted.deletedAtMs !== null) memory.forget('memberships');
        });
        return 'updated';
      }),

    registerUser: ({ user, usernameKey, password, proofId }, report) =>
      writer.write((after) => {
        if (!proofSteps.isUnspent(user.tenantId, proofId)) return 'spent';
        // Also where the name is taken: the proof is of no use to anybody any more.
        proofSteps.spend(user.tenantId, proofId, user.createdAtMs);
        if (add(user, usernameKey) !== 'created') return 'taken';
        if (password !== null) addPassword(password);
        aftermath(report);
        after(() => memory.forget('users'));
        return 'created';
      }),
  };
}

/** What addresses are found and compared by. */
function toEmailKey(email: string): string {
  return email.normalize('NFC').toLowerCase();
}

function toUser({ usernameKey: _usernameKey, emailKey: _emailKey, ...user }: typeof users.$inferSelect): User {
  return user;
}
