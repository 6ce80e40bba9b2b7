/** Calls of operations about people, organizations, roles, sessions, grants and tokens. */
import { expect } from 'bun:test';
import { must } from '../fixture.ts';
import { withSession } from '../flow.ts';
import { requireUser } from '../../../src/service/manage-users.ts';
import type { AdminExample, AdminRequest, AdminStage } from '../admin.ts';

type Parts = { readonly parts: Readonly<Record<string, string>> };

const acme = { parts: { tenant: 'acme' } } as const;
const PASSWORD = 'glass tunnel orchard 9';

async function newUser(stage: AdminStage, more: object = {}): Promise<Parts & { readonly id: string }> {
  const { id } = await stage.made('createUser', { ...acme, body: { username: stage.fresh('person'), ...more } });
  return { parts: { tenant: 'acme', user: id }, id };
}

const user = (rest: Omit<AdminRequest, 'parts'> = {}) => async (stage: AdminStage): Promise<AdminRequest> => ({ parts: (await newUser(stage)).parts, ...rest });

async function newOrg(stage: AdminStage): Promise<Parts & { readonly parts: { readonly org: string } }> {
  const { org_id: org } = await stage.made('createOrganization', { ...acme, body: { name: stage.fresh('Example') } });
  return { parts: { tenant: 'acme', org } };
}

async function newRole(stage: AdminStage): Promise<Parts & { readonly parts: { readonly role: string } }> {
  const { role } = await stage.made('createRole', { ...acme, body: { role: stage.fresh('billing/+'), permissions: ['orders:read'] } });
  return { parts: { tenant: 'acme', role } };
}

async function newMember(stage: AdminStage): Promise<Parts> {
  const [{ parts }, { id }] = [await newOrg(stage), await newUser(stage)];
  await stage.made('putMember', { parts: { ...parts, user: id }, body: { roles: [] } });
  return { parts: { ...parts, user: id } };
}

async function newInvitation(stage: AdminStage): Promise<Parts> {
  const { parts } = await newOrg(stage);
  const { id } = await stage.made('createInvitation', { parts, body: { email: `${stage.fresh('guest')}@example.com` } });
  return { parts: { ...parts, invitation: id } };
}

/** Somebody who is signed in at a browser. */
async function newSession(stage: AdminStage): Promise<Parts & { readonly parts: { readonly session: string } }> {
  const { parts, id } = await newUser(stage);
  const { session } = await withSession(stage.fixture, stage.acme, must(await requireUser(stage.fixture.application.ctx, stage.acme, id)), { userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0' });
  return { parts: { ...parts, session: session.id } };
}

/** A client with opaque tokens that people can use. */
async function newClient(stage: AdminStage): Promise<string> {
  const { client_id: id } = await stage.made('createClient', {
    ...acme, body: { client_id: stage.fresh('app'), grants: ['authorization_code', 'refresh_token', 'client_credentials'], scope: 'openid orders:read', token_format: 'opaque', redirect_uris: ['https://app.example.com/cb'] },
  });
  return id;
}

/** A token of somebody's, and what it belongs to. */
async function newToken(stage: AdminStage): Promise<Parts & { readonly token: string; readonly client: string; readonly user: string; readonly parts: { readonly tenant: string; readonly grant: string } }> {
  const [client, { id }] = [await newClient(stage), await newUser(stage)];
  const { access_token: token } = await stage.made('issueToken', { ...acme, body: { client, user: id } });
  const { grant_id: grant } = await stage.made('inspectToken', { ...acme, body: { token } });
  return { parts: { tenant: 'acme', grant }, token, client, user: id };
}

export const peopleExamples: readonly AdminExample[] = [
  { id: 'listUsers', request: async (stage) => {
    const { id } = await newUser(stage, { email: `${stage.fresh('listed')}@example.com` });
    return { ...acme, query: { search: id, enabled: 'true', limit: '1' } };
  }, expect: ({ json }) => expect(json.items).toHaveLength(1) },
  { id: 'createUser', request: (stage) => ({ ...acme, body: {
    username: stage.fresh('full'), email: 'Full@example.com', email_verified: true, name: 'Full Name', attributes: { given_name: 'Full', tags: ['a'], level: 3, staff: true, address: { country: 'AT' } }, password: { value: PASSWORD, temporary: true },
  } }), expect: ({ json, text }) => {
    expect(json).toMatchObject({ email_verified: true, enabled: true, credentials: { password: 'temporary', passkeys: 0, authenticator: false, recovery_codes: 0 }, organizations: [] });
    expect(text).not.toContain(PASSWORD);
  } },
  { id: 'getUser', request: async (stage) => ({ parts: (await newMember(stage)).parts }), expect: ({ json }) => expect(json.organizations).toHaveLength(1) },
  { id: 'updateUser', request: async (stage) => {
    const { parts } = await newUser(stage, { attributes: { keep: 'a', go: 'b' }, name: 'Former' });
    return { parts, body: { email: 'new@example.com', name: null, attributes: { go: null, more: ['x'] } } };
  }, expect: ({ json }) => expect(json).toMatchObject({ email: 'new@example.com', email_verified: false, name: null, attributes: { keep: 'a', more: ['x'] } }) },
  { id: 'deleteUser', request: user() },
  { id: 'disableUser', request: user(), expect: ({ json }) => expect(json.enabled).toBe(false) },
  { id: 'enableUser', request: user(), expect: ({ json }) => expect(json.enabled).toBe(true) },
  { id: 'setUserPassword', request: user({ body: { value: PASSWORD } }), expect: ({ json }) => expect(json.credentials.password).toBe('set') },
  { id: 'resetUserFactors', request: user() },
  { id: 'revokeUserTokens', request: user() },

  { id: 'listOrganizations', request: async (stage) => {
    await newOrg(stage);
    return { ...acme, query: { search: 'example' } };
  }, expect: ({ json }) => expect(json.items.length).toBeGreaterThan(0) },
  { id: 'createOrganization', request: (stage) => ({ ...acme, body: { org_id: stage.fresh('org/1'), name: 'Example Ltd' } }) },
  { id: 'getOrganization', request: newOrg },
  { id: 'updateOrganization', request: async (stage) => ({ ...await newOrg(stage), body: { name: 'Other' } }), expect: ({ json }) => expect(json.name).toBe('Other') },
  { id: 'deleteOrganization', request: async (stage) => {
    const { parts: { tenant, org } } = await newInvitation(stage);
    return { parts: { tenant: tenant ?? '', org: org ?? '' } };
  } },
  { id: 'listMembers', request: async (stage) => ({ parts: (await newMember(stage)).parts }), expect: ({ json }) => expect(json.items).toMatchObject([{ roles: [] }]) },
  { id: 'getMember', request: newMember },
  { id: 'putMember', request: async (stage) => ({ parts: (await newMember(stage)).parts, body: { roles: [(await newRole(stage)).parts.role] } }), expect: ({ json }) => expect(json.roles).toHaveLength(1) },
  { id: 'removeMember', request: newMember },
  { id: 'listInvitations', request: newInvitation, expect: ({ json }) => expect(json.items).toHaveLength(1) },
  {
    id: 'createInvitation', request: async (stage) => ({ ...await newOrg(stage), body: { email: 'guest@example.com', roles: [(await newRole(stage)).parts.role], locale: 'de' } }),
    expect: ({ json, text }) => expect([json.email, json.invited_by.startsWith('key:'), /token|digest|http/.test(text)]).toEqual(['guest@example.com', true, false]),
  },
  { id: 'revokeInvitation', request: newInvitation },

  { id: 'listRoles', request: async (stage) => {
    await newRole(stage);
    return acme;
  } },
  { id: 'createRole', request: (stage) => ({ ...acme, body: { role: stage.fresh('r') } }), expect: ({ json }) => expect(json.permissions).toEqual([]) },
  { id: 'getRole', request: newRole },
  { id: 'updateRole', request: async (stage) => ({ ...await newRole(stage), body: { permissions: ['a', 'b'] } }), expect: ({ json }) => expect(json.permissions).toEqual(['a', 'b']) },
  { id: 'deleteRole', request: newRole },

  { id: 'listSessions', request: async (stage) => {
    const { parts } = await newSession(stage);
    return { ...acme, query: { user: parts['user'] ?? '' } };
  }, expect: ({ json }) => expect(json.items).toMatchObject([{ device: 'Firefox on Linux' }]) },
  { id: 'endSession', request: newSession },
  { id: 'listUserSessions', request: newSession, expect: ({ json }) => expect(json.items).toHaveLength(1) },
  { id: 'endUserSessions', request: newSession, expect: ({ json }) => expect(json).toEqual({ ended: 1 }) },
  { id: 'endUserSession', request: newSession },
  { id: 'listUserGrants', request: async (stage) => {
    const { user: id, client } = await newToken(stage);
    return { parts: { tenant: 'acme', user: id }, query: { client } };
  }, expect: ({ json }) => expect(json.items).toMatchObject([{ scope: 'openid orders:read', revoked_at: null }]) },
  { id: 'listGrants', request: async (stage) => {
    const { client } = await newToken(stage);
    return { ...acme, query: { client } };
  }, expect: ({ json }) => expect(json.items).toHaveLength(1) },
  { id: 'getGrant', request: newToken, expect: ({ json }) => expect(json.revoked_at).toBeNull() },
  { id: 'revokeGrant', request: newToken, expect: ({ json }) => expect(json.revoked_at).not.toBeNull() },

  { id: 'listTokens', request: async (stage) => {
    const { user: id, client, parts: { grant } } = await newToken(stage);
    return { ...acme, query: { user: id, client, grant } };
  }, expect: ({ json, text }) => {
    expect(json.items).toHaveLength(1);
    expect(text).not.toContain('at_');
  } },
  { id: 'issueToken', request: async (stage) => ({ ...acme, body: { client: await newClient(stage), scope: 'orders:read', audience: ['https://api.example.com'], org: 'org_x' } }), expect: ({ json }) => expect(json).toMatchObject({ token_type: 'Bearer', scope: 'orders:read' }) },
  {
    id: 'inspectToken', request: async (stage) => ({ ...acme, body: { token: (await newToken(stage)).token } }),
    expect: ({ json, text }) => expect([json.active, json.kind, json.format, /at_[A-Za-z0-9_-]{43}/.test(text)]).toEqual([true, 'access', 'opaque', false]),
  },
  { id: 'inspectToken', request: () => ({ ...acme, body: { token: 'nothing' } }), expect: ({ json }) => expect(json).toEqual({ active: false, reason: 'not_a_token' }) },
  { id: 'explainToken', request: async (stage) => {
    const { token } = await newToken(stage);
    return { ...acme, body: { token, as: await newClient(stage) } };
  }, expect: ({ json }) => expect(json).toMatchObject({ active: false, reason: 'policy' }) },
  { id: 'revokeToken', request: async (stage) => ({ ...acme, body: { token: (await newToken(stage)).token } }) },
];
