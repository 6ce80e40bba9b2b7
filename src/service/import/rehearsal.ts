import { usernameKey } from '../../core/identifiers.ts';
import type { Client, User } from '../../core/model.ts';
import type { Membership, Organization, Password, Role } from '../../core/people.ts';
import type { SigningKeyRow, Store } from '../../core/store.ts';

const key = (tenantId: string, id: string): string => `${tenantId}\n${id}`;

/** What a rehearsal remembers of somebody: a file may hold very many. */
function inBrief(user: User): User {
  return { ...user, attributes: {} };
}

type UserPart = Pick<Store, 'findUser' | 'findUserByName' | 'createUser' | 'updateUser' | 'findPassword' | 'setPassword'>;

function userPart(real: Store): UserPart {
  const users = new Map<string, User>();
  const names = new Map<string, string>();
  const passwords = new Set<string>();
  return {
    findUser: async (tenantId, id) => users.get(key(tenantId, id)) ?? real.findUser(tenantId, id),
    findUserByName: async (tenantId, name) => {
      const found = users.get(names.get(key(tenantId, name)) ?? '');
      return found ?? real.findUserByName(tenantId, name);
    },
    createUser: async (user, name, _audit, password) => {
      if (users.has(key(user.tenantId, user.id)) || (await real.findUser(user.tenantId, user.id)) !== null) return 'id_taken';
      if (names.has(key(user.tenantId, name)) || (await real.findUserByName(user.tenantId, name)) !== null) return 'username_taken';
      users.set(key(user.tenantId, user.id), inBrief(user));
      names.set(key(user.tenantId, name), key(user.tenantId, user.id));
      if (password !== undefined) passwords.add(key(user.tenantId, user.id));
      return 'created';
    },
    updateUser: async (before, after, name) => {
      const owner = names.get(key(after.tenantId, name)) ?? key(after.tenantId, (await real.findUserByName(after.tenantId, name))?.id ?? after.id);
      if (owner !== key(after.tenantId, after.id)) return 'username_taken';
      names.delete(key(before.tenantId, usernameKey(before.username)));
      names.set(key(after.tenantId, name), key(after.tenantId, after.id));
      users.set(key(after.tenantId, after.id), inBrief(after));
      return 'updated';
    },
    findPassword: async (tenantId, userId): Promise<Password | null> =>
      (passwords.has(key(tenantId, userId)) ? { tenantId, userId, digest: '', changedAtMs: 0, mustChange: false } : real.findPassword(tenantId, userId)),
    setPassword: async ({ tenantId, userId }) => {
      passwords.add(key(tenantId, userId));
      return true;
    },
  };
}

type GroupPart = Pick<Store, 'findOrganization' | 'listOrganizations' | 'createOrganization' | 'renameOrganization' | 'listRoles' | 'putRole' | 'listMemberships' | 'putMembership'>;

function groupPart(real: Store): GroupPart {
  const organizations = new Map<string, Organization>();
  const roles = new Map<string, Role>();
  /** By user. */
  const memberships = new Map<string, readonly Membership[]>();
  const listRoles = async (tenantId: string): Promise<readonly Role[]> => [...await real.listRoles(tenantId), ...[...roles.values()].filter((role) => role.tenantId === tenantId)];
  return {
    listRoles,
    putRole: async (role) => {
      roles.set(key(role.tenantId, role.name), role);
      return true;
    },
    findOrganization: async (tenantId, id) => organizations.get(key(tenantId, id)) ?? real.findOrganization(tenantId, id),
    listOrganizations: async (tenantId) => [...await real.listOrganizations(tenantId), ...[...organizations.values()].filter((org) => org.tenantId === tenantId)],
    createOrganization: async (org) => {
      if (organizations.has(key(org.tenantId, org.id))) return false;
      organizations.set(key(org.tenantId, org.id), org);
      return true;
    },
    renameOrganization: async (tenantId, id, name) => {
      const former = organizations.get(key(tenantId, id)) ?? await real.findOrganization(tenantId, id);
      if (former !== null) organizations.set(key(tenantId, id), { ...former, name });
      return former !== null;
    },
    // Only what acts here ask: one person's, in organizations that a membership names.
    listMemberships: async (tenantId, of) => {
      const stored = await real.listMemberships(tenantId, of);
      if (!('userId' in of)) return stored;
      const own = memberships.get(key(tenantId, of.userId)) ?? [];
      return [...stored.filter((one) => !own.some(({ orgId }) => orgId === one.orgId)), ...own];
    },
    putMembership: async (membership) => {
      const owner = key(membership.tenantId, membership.userId);
      memberships.set(owner, [...(memberships.get(owner) ?? []).filter(({ orgId }) => orgId !== membership.orgId), membership]);
      return true;
    },
  };
}

type SettingPart = Pick<Store, 'findClient' | 'createClient' | 'updateClient' | 'rotateSecret' | 'listKeys' | 'addKey' | 'updateTenant' | 'recordAudit'>;

function settingPart(real: Store): SettingPart {
  const clients = new Map<string, Client>();
  const keys: SigningKeyRow[] = [];
  return {
    findClient: async (tenantId, id) => clients.get(key(tenantId, id)) ?? real.findClient(tenantId, id),
    createClient: async (client) => {
      if (clients.has(key(client.tenantId, client.id))) return false;
      clients.set(key(client.tenantId, client.id), client);
      return true;
    },
    updateClient: async (_before, after) => {
      clients.set(key(after.tenantId, after.id), after);
      return 'updated';
    },
    rotateSecret: async () => undefined,
    listKeys: async (tenantId) => [...await real.listKeys(tenantId), ...keys.filter((row) => row.tenantId === tenantId)],
    addKey: async (row) => {
      keys.push(row);
      return true;
    },
    updateTenant: async () => 'updated',
    recordAudit: async () => [],
  };
}

/**
 * A store that acts may work on as on the real one, while nothing is written: what they did is what they read from then on.
 * Holds what an import does, and nothing else that writes.
 */
export function makeRehearsal(real: Store): Store {
  return { ...real, ...userPart(real), ...groupPart(real), ...settingPart(real) };
}
