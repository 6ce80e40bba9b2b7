import { usernameKey } from '../../core/identifiers.ts';
import { parseJson } from './columns.ts';
import { guarded } from './failures.ts';
import { endOf, pageOf, type Place, type Walk } from './keyset.ts';
import type { Connection } from './connection.ts';
import type { User } from '../../core/model.ts';
import type { Membership, Organization } from '../../core/people.ts';
import type { Store } from '../../core/store.ts';

type UserRow = Omit<User, 'emailVerified' | 'attributes'> & {
  readonly emailVerified: number; readonly attributes: string; readonly usernameKey: string; readonly emailKey: string; readonly row: number;
};
type MembershipRow = Omit<Membership, 'roles'> & { readonly roles: string };
/** 1 or 0: only such; null: all. */
type Flag = 0 | 1 | null;

/**
 * Parts of lists of people, and of the groups that they are in. Where the index has a collation of its own, its lower end is said apart: SQLite does not take
 * it from a comparison of rows.
 */
export function peopleListPart(connection: Connection): Pick<Store, 'pageUsers' | 'pageOrganizations' | 'pageMemberships'> {
  const users = prepareUsers(connection);
  const organizations = prepareOrganizations(connection);
  const members = connection.prepare<MembershipRow, [tenantId: string, orgId: string, after: string | number, limit: number]>(`
    SELECT tenant_id AS tenantId, org_id AS orgId, user_id AS userId, roles, created_at_ms AS createdAtMs FROM memberships
    WHERE tenant_id = ? AND org_id = ? AND user_id > ? ORDER BY user_id LIMIT ?`);
  return {
    pageUsers: (tenantId, page, { search, enabled }) => guarded(() => pageOf(users(tenantId, search ?? '', enabled), page, toUser)),
    pageOrganizations: (tenantId, page, { search }) => guarded(() => pageOf(organizations(tenantId, search ?? ''), page, (row) => row)),
    pageMemberships: (tenantId, orgId, page) =>
      guarded(() => pageOf<MembershipRow, Membership>([{
        start: ['', 0], placeOf: (row) => [row.userId, 0], behind: ([after], limit) => members.all(tenantId, orgId, after, limit),
      }], page, ({ roles, ...row }) => ({ ...row, roles: parseJson(roles) }))),
  };
}

/** Beginnings are ranges of an index, which text with `%` and `_` in it is no danger to (TX-01, TX-03). */
function prepareUsers({ prepare }: Connection): (tenantId: string, search: string, enabled: boolean | undefined) => readonly Walk<UserRow>[] {
  const columns = `id, tenant_id AS tenantId, username, email, email_verified AS emailVerified, name, attributes, created_at_ms AS createdAtMs,
    disabled_at_ms AS disabledAtMs, deleted_at_ms AS deletedAtMs, not_before_ms AS notBeforeMs, username_key AS usernameKey, email_key AS emailKey, rowid AS row`;
  const such = 'AND (?6 IS NULL OR (disabled_at_ms IS NULL) = ?6)';
  const notNamed = 'AND NOT (username_key >= ?7 AND username_key < ?8)';
  const notAddressed = 'AND NOT (email_key >= ?7 AND email_key < ?8)';
  const notCalled = 'AND NOT (id >= ?9 AND id < ?10)';
  type Asked = [tenantId: string, key: string | number, tie: string | number, end: string, limit: number, enabled: Flag];
  type Known = [...Asked, search: string, searchEnd: string];
  const among = (index: string, column: string, more: string): string => `
    SELECT ${columns} FROM users ${index}
    WHERE tenant_id = ?1 AND deleted_at_ms IS NULL AND (${column}, rowid) > (?2, ?3) AND ${column} < ?4 ${such} ${more}
    ORDER BY ${column}, rowid LIMIT ?5`;
  const byUsername = prepare<UserRow, Asked>(among('INDEXED BY users_live_username', 'username_key', ''));
  // Few are disabled: who looks for them does not go through all the others.
  const disabled = prepare<UserRow, Asked>(among('INDEXED BY users_disabled', 'username_key', 'AND disabled_at_ms IS NOT NULL'));
  const byEmail = prepare<UserRow, Known>(among('INDEXED BY users_email', 'email_key', notNamed));
  const byId = prepare<UserRow, Known>(among('', 'id', `${notNamed} ${notAddressed}`));
  const byName = prepare<UserRow, [...Known, string, string]>(
    among('INDEXED BY users_name', 'name COLLATE NOCASE', `AND name COLLATE NOCASE >= ?2 AND name IS NOT NULL ${notNamed} ${notAddressed} ${notCalled}`),
  );

  return (tenantId, search, enabled) => {
    const flag: Flag = enabled === undefined ? null : enabled ? 1 : 0;
    const key = usernameKey(search);
    const text = search.normalize('NFC');
    const asked = ([from, tie]: Place, prefix: string, limit: number): Asked => [tenantId, from, tie, endOf(prefix), limit, flag];
    const known = (place: Place, prefix: string, limit: number): Known => [...asked(place, prefix, limit), key, endOf(key)];
    const named: Walk<UserRow> = {
      start: [key, 0], placeOf: (row) => [row.usernameKey, row.row],
      behind: (place, limit) => (enabled === false ? disabled : byUsername).all(...asked(place, key, limit)),
    };
    if (search === '') return [named];
    return [
      named,
      { start: [key, 0], placeOf: (row) => [row.emailKey, row.row], behind: (place, limit) => byEmail.all(...known(place, key, limit)) },
      { start: [text, 0], placeOf: (row) => [row.id, row.row], behind: (place, limit) => byId.all(...known(place, text, limit)) },
      { start: [text, 0], placeOf: (row) => [row.name ?? '', row.row], behind: (place, limit) => byName.all(...known(place, text, limit), text, endOf(text)) },
    ];
  };
}

function prepareOrganizations({ prepare }: Connection): (tenantId: string, search: string) => readonly Walk<Organization>[] {
  const columns = 'tenant_id AS tenantId, id, name, created_at_ms AS createdAtMs';
  const byName = prepare<Organization, [tenantId: string, key: string | number, tie: string | number, end: string, limit: number]>(`
    SELECT ${columns} FROM organizations INDEXED BY organizations_name
    WHERE tenant_id = ?1 AND name COLLATE NOCASE >= ?2 AND (name COLLATE NOCASE, id) > (?2, ?3) AND name COLLATE NOCASE < ?4 ORDER BY name COLLATE NOCASE, id LIMIT ?5`);
  const byId = prepare<Organization, [tenantId: string, key: string | number, tie: string | number, end: string, limit: number, search: string]>(`
    SELECT ${columns} FROM organizations
    WHERE tenant_id = ?1 AND (id, 0) > (?2, ?3) AND id < ?4 AND NOT (name COLLATE NOCASE >= ?6 AND name COLLATE NOCASE < ?4) ORDER BY id LIMIT ?5`);
  return (tenantId, search) => {
    const named: Walk<Organization> = {
      start: [search, ''], placeOf: (row) => [row.name, row.id],
      behind: ([key, tie], limit) => byName.all(tenantId, key, tie, endOf(search), limit),
    };
    if (search === '') return [named];
    // An id is not there twice: what is behind its own place begins with the next one.
    return [named, { start: [search, -1], placeOf: (row) => [row.id, 0], behind: ([key, tie], limit) => byId.all(tenantId, key, tie, endOf(search), limit, search) }];
  };
}

function toUser({ usernameKey: _usernameKey, emailKey: _emailKey, row: _row, emailVerified, attributes, ...user }: UserRow): User {
  return { ...user, emailVerified: emailVerified === 1, attributes: parseJson(attributes) };
}
