import { and, desc, eq, gt, isNull, sql } from 'drizzle-orm';
import { usernameKey as keyOf } from '../../core/identifiers.ts';
import { guarded } from './failures.ts';
import { invitations } from './schema-operations.ts';
import { memberships, organizations, passwords, roles } from './schema-people.ts';
import { users } from './schema.ts';
import { prepareAddUser } from './users.ts';
import type { AfterCommit } from './writer.ts';
import type { Connection } from './connection.ts';
import type { WriteAftermath } from './outbox.ts';
import type { IsLiveUser } from './passwords.ts';
import type { Invitation } from '../../core/admin.ts';
import type { Store } from '../../core/store.ts';

type InvitationPart = Pick<
  Store, 'createInvitation' | 'findInvitation' | 'listInvitations' | 'revokeInvitation' | 'acceptInvitation' | 'registerInvited'
>;

/** Invitations into organizations. */
export function invitationPart(connection: Connection, aftermath: WriteAftermath, isLive: IsLiveUser): InvitationPart {
  const { orm, writer, memory, track } = connection;
  const addUser = prepareAddUser(connection);
  const byDigest = track(orm.select().from(invitations).where(eq(invitations.digest, sql.placeholder('digest'))).prepare());
  const open = and(isNull(invitations.acceptedAtMs), isNull(invitations.revokedAtMs));

  /** Within a transaction: compare and set, so that one of several who follow a link gets in. */
  function spend(tenantId: string, digest: string, atMs: number): Invitation | null {
    const good = and(eq(invitations.tenantId, tenantId), eq(invitations.digest, digest), open, gt(invitations.expiresAtMs, atMs));
    const [spent] = orm.update(invitations).set({ acceptedAtMs: atMs }).where(good).returning().all();
    return spent === undefined ? null : toInvitation(spent);
  }

  /** Within a transaction. Roles that went since the invitation are not given. */
  function join({ tenantId, orgId, roles: invited }: Invitation, userId: string, atMs: number, after: AfterCommit): void {
    const known = new Set(orm.select({ name: roles.name }).from(roles).where(eq(roles.tenantId, tenantId)).all().map(({ name }) => name));
    const own = and(eq(memberships.tenantId, tenantId), eq(memberships.orgId, orgId), eq(memberships.userId, userId));
    const former = orm.select().from(memberships).where(own).get();
    const all = [...new Set([...(former?.roles ?? []), ...invited.filter((name) => known.has(name))])];
    const target = [memberships.tenantId, memberships.orgId, memberships.userId];
    orm.insert(memberships).values({ tenantId, orgId, userId, roles: all, createdAtMs: atMs }).onConflictDoUpdate({ target, set: { roles: all } }).run();
    after(() => memory.forget('memberships'));
  }

  return {
    createInvitation: (invitation, report) =>
      writer.write(() => {
        const { tenantId, orgId } = invitation;
        const its = and(eq(organizations.tenantId, tenantId), eq(organizations.id, orgId));
        if (orm.select({ id: organizations.id }).from(organizations).where(its).get() === undefined) return false;
        const emailKey = keyOf(invitation.email);
        const former = and(eq(invitations.tenantId, tenantId), eq(invitations.orgId, orgId), eq(invitations.emailKey, emailKey), open);
        orm.update(invitations).set({ revokedAtMs: invitation.createdAtMs }).where(former).run();
        orm.insert(invitations).values({ ...invitation, emailKey }).run();
        aftermath(report);
        return true;
      }),

    findInvitation: (tenantId, digest) =>
      guarded(() => {
        const row = byDigest.get({ digest });
        return row === undefined || row.tenantId !== tenantId ? null : toInvitation(row);
      }),

    listInvitations: (tenantId, orgId, nowMs) =>
      guarded(() => {
        const good = and(eq(invitations.tenantId, tenantId), eq(invitations.orgId, orgId), open, gt(invitations.expiresAtMs, nowMs));
        return orm.select().from(invitations).where(good).orderBy(desc(invitations.createdAtMs), invitations.id).all().map(toInvitation);
      }),

    revokeInvitation: (tenantId, id, atMs, audit) =>
      writer.write(() => {
        const own = and(eq(invitations.tenantId, tenantId), eq(invitations.id, id), open, gt(invitations.expiresAtMs, atMs));
        if (orm.update(invitations).set({ revokedAtMs: atMs }).where(own).returning({ id: invitations.id }).all().length === 0) return false;
        aftermath({ audit });
        return true;
      }),

    acceptInvitation: ({ tenantId, digest, userId, atMs }, audit) =>
      writer.write((after) => {
        if (!isLive(tenantId, userId)) return false;
        const spent = spend(tenantId, digest, atMs);
        if (spent === null) return false;
        join(spent, userId, atMs, after);
        const unproven = and(eq(users.tenantId, tenantId), eq(users.id, userId), eq(users.emailKey, keyOf(spent.email)), eq(users.emailVerified, false));
        if (orm.update(users).set({ emailVerified: true }).where(unproven).returning({ id: users.id }).all().length > 0) after(() => memory.forget('users'));
        aftermath({ audit });
        return true;
      }),

    registerInvited: ({ digest, user, usernameKey, password, atMs }, audit) =>
      writer.write((after) => {
        const row = byDigest.get({ digest });
        if (row === undefined || row.tenantId !== user.tenantId || row.acceptedAtMs !== null || row.revokedAtMs !== null || row.expiresAtMs <= atMs) return 'spent';
        // Whose name is taken has an account to accept it with: the link stays good for that.
        if (addUser(user, usernameKey) !== 'created') return 'taken';
        if (password !== null) orm.insert(passwords).values(password).run();
        orm.update(invitations).set({ acceptedAtMs: atMs }).where(eq(invitations.digest, digest)).run();
        join(toInvitation(row), user.id, atMs, after);
        aftermath({ audit });
        after(() => memory.forget('users'));
        return 'created';
      }),
  };
}

function toInvitation({ emailKey: _emailKey, ...invitation }: typeof invitations.$inferSelect): Invitation {
  return invitation;
}
