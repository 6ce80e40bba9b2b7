import { t } from 'elysia';
import type { User } from '../../core/model.ts';
import { accessDocument, userDocument } from '../../service/documents.ts';
import { createUserWithPassword, readCredentials, resetUserFactors, setUserPassword } from '../../service/manage-credentials.ts';
import { refuseBeyond, refuseLast } from '../../service/manage-access.ts';
import type { Managed } from '../../service/manage-outcome.ts';
import { createUser, deleteUser, requireUser, revokeUserTokens, setUserEnabled, updateUser, type UserChange } from '../../service/manage-users.ts';
import { listed, operation, told, type AdminCall, type AdminOperation, type AdminOutcome } from './operation.ts';
import { attributeEdits, attributes, enabledFilter, filterText, userAnswer, userWithAccess } from './people-schemas.ts';
import { given, partOf } from './schemas.ts';

type Call = AdminCall<unknown, unknown>;

const passwordBody = t.Object({
  value: t.String({ minLength: 1, maxLength: 1_024, format: 'password', description: 'Under the tenant\'s rules for passwords.', example: 'an example, not a password' }),
  temporary: t.Optional(t.Boolean({ description: 'Another must be chosen at the next sign-in.' })),
}, { $id: 'PasswordWish' });

const settings = {
  email: t.String({ maxLength: 254, description: 'Empty: none.', example: 'alice@example.com' }), email_verified: t.Boolean({ description: 'Whether the address is known to be theirs.' }),
  name: t.Union([t.String({ maxLength: 256 }), t.Null()]),
};
const username = t.String({ minLength: 1, maxLength: 256, description: 'Name to sign in with; letter case does not count.', example: 'alice' });

const newUser = t.Object({
  id: t.Optional(t.String({ minLength: 1, maxLength: 255, description: 'The `sub` of tokens, for ever; left out: generated.' })), username, email: t.Optional(settings.email),
  email_verified: t.Optional(settings.email_verified), name: t.Optional(settings.name), attributes: t.Optional(attributes), password: t.Optional(passwordBody),
}, { $id: 'NewUser' });

const userChange = t.Object({
  username: t.Optional(username), email: t.Optional(settings.email), email_verified: t.Optional(settings.email_verified), name: t.Optional(settings.name), attributes: t.Optional(attributeEdits),
}, { $id: 'UserChange', description: 'What is left out stays. A changed address counts as not verified unless it is said that it is.' });

/** A user with what they sign in with and where they belong. */
function documentOf({ ctx, tenant }: Call): (user: User) => Promise<object> {
  return async (user) => ({
    ...userDocument(user, tenant), ...accessDocument(await readCredentials(ctx, tenant, user), await ctx.store.listMemberships(tenant.id, { userId: user.id })),
  });
}

/** The user that a path names, where the caller may decide how they sign in. @throws StoreError */
async function changeable({ ctx, tenant, caller, param }: Call): Promise<Managed<User>> {
  const found = await requireUser(ctx, tenant, param('user'));
  return found.ok ? (await refuseBeyond(ctx, caller, tenant, found.value.id)) ?? found : found;
}

/** An act on the user that a path names, told as the user is then. */
async function actOn(call: Call, act: (user: User) => Promise<Managed<User>>): Promise<AdminOutcome> {
  const found = await changeable(call);
  return found.ok ? told(await act(found.value), documentOf(call)) : found;
}

const one = '/tenants/:tenant/users/:user';
const area = { area: 'users' } as const;
const write = { ...area, access: 'write' } as const;

const switched = (enabled: boolean) => (call: Call): Promise<AdminOutcome> =>
  actOn(call, async ({ id }) => (enabled ? null : await refuseLast(call.ctx, call.tenant, id)) ?? setUserEnabled(call.ctx, call.tenant, id, enabled));

/** People of a tenant. A path names them by id or username. */
export const userOperations: readonly AdminOperation[] = [
  operation({
    ...area, method: 'GET', path: '/tenants/:tenant/users', id: 'listUsers', access: 'read', paged: true, summary: 'List a tenant\'s users',
    text: 'By username. With `search` first those whose username begins so, then those whose address, id or name does.',
    query: t.Object({ search: filterText('Beginning of the username, address, id or name; letter case does not count but in ids.'), enabled: enabledFilter }),
    answer: partOf(userAnswer),
    run: async ({ ctx, tenant, page, query: { search, enabled } }) => listed(
      await ctx.store.pageUsers(tenant.id, page, given<{ search?: string; enabled?: boolean }>({ search, enabled: enabled === undefined ? undefined : enabled === 'true' })),
      (user) => userDocument(user, tenant),
    ),
  }),
  operation({
    ...write, method: 'POST', path: '/tenants/:tenant/users', id: 'createUser', creates: true, locatedBy: 'id', summary: 'Create a user',
    text: 'Without a password they sign in with a code to their address, once it is verified, or with a passkey.', body: newUser, answer: userWithAccess,
    run: async (call) => {
      const { id = null, password, username: name, ...rest } = call.body;
      const wish = { username: name, email: rest.email ?? '', emailVerified: rest.email_verified ?? false, name: rest.name ?? null, attributes: rest.attributes ?? {} };
      return told(await (password === undefined
        ? createUser(call.ctx, call.tenant, id, wish)
        : createUserWithPassword(call.ctx, call.tenant, id, wish, { text: password.value, temporary: password.temporary ?? false })), documentOf(call));
    },
  }),
  operation({
    ...area, method: 'GET', path: one, id: 'getUser', access: 'read', etag: true, summary: 'Read a user', text: 'With what they sign in with, and the organizations that they belong to.', answer: userWithAccess,
    run: async (call) => told(await requireUser(call.ctx, call.tenant, call.param('user')), documentOf(call)),
  }),
  operation({
    ...write, method: 'PATCH', path: one, id: 'updateUser', etag: true, summary: 'Change a user', body: userChange, answer: userWithAccess,
    run: async (call) => {
      const { username: name, email, email_verified: emailVerified, name: fullName, attributes: edits } = call.body;
      const change = given<UserChange>({ username: name, email, emailVerified, name: fullName, attributeEdits: edits });
      return actOn(call, ({ id }) => updateUser(call.ctx, call.tenant, id, change, call.guard(documentOf(call))));
    },
  }),
  operation({
    ...write, method: 'DELETE', path: one, id: 'deleteUser', etag: true, summary: 'Delete a user', text: 'All their tokens die at once. Only the id is kept, so that nobody gets it again.', answer: null,
    run: async (call) => {
      const found = await changeable(call);
      if (!found.ok) return found;
      const { id } = found.value;
      return (await refuseLast(call.ctx, call.tenant, id)) ?? told(await deleteUser(call.ctx, call.tenant, id, call.guard(documentOf(call))), () => null);
    },
  }),
  operation({ ...write, method: 'POST', path: `${one}/disable`, id: 'disableUser', summary: 'Suspend a user', text: 'Their tokens are dead for good.', answer: userWithAccess, run: switched(false) }),
  operation({ ...write, method: 'POST', path: `${one}/enable`, id: 'enableUser', summary: 'Let a suspended user in again', text: 'Their old tokens stay dead.', answer: userWithAccess, run: switched(true) }),
  operation({
    ...write, method: 'PUT', path: `${one}/password`, id: 'setUserPassword', summary: 'Give a user a password', text: 'They hear of it by mail. Sessions and tokens stay.', body: passwordBody, answer: userWithAccess,
    run: async (call) => {
      const password = { text: call.body.value, temporary: call.body.temporary ?? false };
      return actOn(call, ({ id }) => setUserPassword(call.ctx, call.tenant, id, password));
    },
  }),
  operation({
    ...write, method: 'POST', path: `${one}/reset-factors`, id: 'resetUserFactors', summary: 'Take passkeys, authenticator and recovery codes from a user who lost them', text: 'The password stays.', answer: userWithAccess,
    run: async (call) => actOn(call, ({ id }) => resetUserFactors(call.ctx, call.tenant, id)),
  }),
  operation({
    method: 'POST', path: `${one}/revoke-tokens`, id: 'revokeUserTokens', area: 'tokens', access: 'write', summary: 'End every session and token of a user so far', text: 'They may sign in again.', answer: userAnswer,
    run: async (call) => told(await revokeUserTokens(call.ctx, call.tenant, call.param('user')), (user) => userDocument(user, call.tenant)),
  }),
];
