import { isDeepStrictEqual } from 'node:util';
import { and, eq, sql } from 'drizzle-orm';
import { invitations } from './schema-operations.ts';
import { memberships, organizations, roles } from './schema-people.ts';
import { guarded } from './failures.ts';
import { pairKey } from './memory.ts';
import type { AppendAudit } from './audit.ts';
import type { Connection } from './connection.ts';
import type { Endings } from './endings.ts';
import type { IsLiveUser } from './passwords.ts';
import type { Membership } from '../../core/people.ts';
import type { Store } from '../../core/store.ts';

type OrganizationPart = Pick<
  Store,
  | 'findOrganization' | 'listOrganizations' | 'listMemberships' | 'listRoles' | 'createOrganization' | 'renameOrganization'
  | 'deleteOrganization' | 'putMembership' | 'removeMembership' | 'putRole' | 'updateRole' | 'deleteRole'
>;

/** Organizations, who belongs to them, and what their roles permit. Introspection reads them, so reads are remembered. */
export function organizationPart(connection: Connection, append: AppendAudit, isLive: IsLiveUser, endings: Endings): OrganizationPart {
  const { orm, writer, memory, track } = connection;
  const tenantId = sql.placeholder('tenantId');
  const byId = track(
    orm.select().from(organizations).where(and(eq(organizations.tenantId, tenantId), eq(organizations.id, sql.placeholder('id')))).prepare(),
  );
  const ofUser = track(
    orm
      .select()
      .from(memberships)
      .where(and(eq(memberships.tenantId, tenantId), eq(memberships.userId, sql.placeholder('userId'))))
      .orderBy(memberships.orgId)
      .prepare(),
  );
  const ofOrganization = track(
    orm
      .select()
      .from(memberships)
      .where(and(eq(memberships.tenantId, tenantId), eq(memberships.orgId, sql.placeholder('orgId'))))
      .orderBy(memberships.userId)
      .prepare(),
  );
  const ofTenant = track(orm.select().from(roles).where(eq(roles.tenantId, tenantId)).orderBy(roles.name).prepare());

  const isOrganization = (tenant: string, id: string) => and(eq(organizations.tenantId, tenant), eq(organizations.id, id));

  /** Within a transaction; null: they are no member. */
  function rolesOf({ tenantId: tenant, orgId, userId }: Membership): readonly string[] | null {
    const own = and(eq(memberships.tenantId, tenant), eq(memberships.orgId, orgId), eq(memberships.userId, userId));
    return orm.select({ roles: memberships.roles }).from(memberships).where(own).get()?.roles ?? null;
  }

  return {
    findOrganization: (tenant, id) =>
      guarded(() => {
        memory.refresh();
        const key = pairKey(tenant, id);
        let known = memory.organizations.get(key);
        if (known === undefined) {
          known = { organization: byId.get({ tenantId: tenant, id }) ?? null };
          memory.organizations.set(key, known);
        }
        return known.organization;
      }),

    listOrganizations: (tenant) =>
      guarded(() => orm.select().from(organizations).where(eq(organizations.tenantId, tenant)).orderBy(organizations.name, organizations.id).all()),

    listMemberships: (tenant, of) =>
      guarded(() => {
        if ('orgId' in of) return ofOrganization.all({ tenantId: tenant, orgId: of.orgId });
        memory.refresh();
        const key = pairKey(tenant, of.userId);
        let known = memory.memberships.get(key);
        if (known === undefined) {
          known = ofUser.all({ tenantId: tenant, userId: of.userId });
          memory.memberships.set(key, known);
        }
        return known;
      }),

    listRoles: (tenant) =>
      guarded(() => {
        memory.refresh();
        let known = memory.roles.get(tenant);
        if (known === undefined) {
          known = ofTenant.all({ tenantId: tenant });
          memory.roles.set(tenant, known);
        }
        return known;
      }),

    createOrganization: (organization, audit) =>
      writer.write((after) => {
        if (byId.get({ tenantId: organization.tenantId, id: organization.id }) !== undefined) return false;
        orm.insert(organizations).values(organization).run();
        append(audit);
        after(() => memory.forget('organizations'));
        return true;
      }),

    renameOrganization: (tenant, id, name, audit, former) =>
      writer.write((after) => {
        const its = and(isOrganization(tenant, id), former === undefined ? undefined : eq(organizations.name, former));
        const renamed = orm.update(organizations).set({ name }).where(its).returning({ id: organizations.id }).all();
        if (renamed.length === 0) return false;
        append(audit);
        after(() => memory.forget('organizations'));
        return true;
      }),

    deleteOrganization: ({ tenantId: tenant, orgId: id, atMs }, audit) =>
      writer.write((after) => {
        orm.delete(invitations).where(and(eq(invitations.tenantId, tenant), eq(invitations.orgId, id))).run();
        const members = orm.delete(memberships).where(and(eq(memberships.tenantId, tenant), eq(memberships.orgId, id))).returning({ userId: memberships.userId }).all();
        if (orm.delete(organizations).where(isOrganization(tenant, id)).returning({ id: organizations.id }).all().length === 0) return false;
        let fallen = 0;
        for (const { userId } of members) fallen += endings.endGrantsIn({ tenantId: tenant, orgId: id, userId, atMs }, after);
        append(audit(fallen));
        after(() => {
          memory.forget('organizations');
          memory.forget('memberships');
        });
        return true;
      }),

    putMembership: (membership, audit, former) =>
      writer.write((after) => {
        if (former !== undefined && !isDeepStrictEqual(rolesOf(membership), former)) return false;
        if (byId.get({ tenantId: membership.tenantId, id: membership.orgId }) === undefined) return false;
        if (!isLive(membership.tenantId, membership.userId)) return false;
        const target = [memberships.tenantId, memberships.orgId, memberships.userId];
        orm.insert(memberships).values(membership).onConflictDoUpdate({ target, set: { roles: membership.roles } }).run();
        append(audit);
        after(() => memory.forget('memberships'));
        return true;
      }),

    removeMembership: ({ tenantId: tenant, orgId, userId, atMs }, audit) =>
      writer.write((after) => {
        const own = and(eq(memberships.tenantId, tenant), eq(memberships.orgId, orgId), eq(memberships.userId, userId));
        if (orm.delete(memberships).where(own).returning({ userId: memberships.userId }).all().length === 0) return false;
        append(audit(endings.endGrantsIn({ tenantId: tenant, orgId, userId, atMs }, after)));
        after(() => memory.forget('memberships'));
        return true;
      }),

    putRole: (role, audit) =>
      writer.write((after) => {
        const own = and(eq(roles.tenantId, role.tenantId), eq(roles.name, role.name));
        const replaced = orm.update(roles).set({ permissions: role.permissions }).where(own).returning({ name: roles.name }).all();
        if (replaced.length === 0) orm.insert(roles).values(role).run();
        append(audit);
        after(() => memory.forget('roles'));
        return replaced.length === 0;
      }),

    updateRole: (before, { permissions }, audit) =>
      writer.write((after) => {
        const own = and(eq(roles.tenantId, before.tenantId), eq(roles.name, before.name));
        if (!isDeepStrictEqual(orm.select().from(roles).where(own).get(), before)) return 'outdated';
        orm.update(roles).set({ permissions }).where(own).run();
        append(audit);
        after(() => memory.forget('roles'));
        return 'updated';
      }),

    deleteRole: (tenant, name, audit) =>
      writer.write((after) => {
        const own = and(eq(roles.tenantId, tenant), eq(roles.name, name));
        if (orm.delete(roles).where(own).returning({ name: roles.name }).all().length === 0) return false;
        const holds = sql`EXISTS (SELECT 1 FROM json_each(${memberships.roles}) WHERE value = ${name})`;
        const others = sql`(SELECT json_group_array(value) FROM json_each(${memberships.roles}) WHERE value <> ${name})`;
        orm.update(memberships).set({ roles: others }).where(and(eq(memberships.tenantId, tenant), holds)).run();
        append(audit);
        after(() => {
          memory.forget('roles');
          memory.forget('memberships');
        });
        return true;
      }),
  };
}
