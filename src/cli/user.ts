import type { Tenant, User } from '../core/model.ts';
import { createUserWithPassword, readCredentials, type Credentials } from '../service/manage-credentials.ts';
import { createUser, deleteUser, requireUser, setUserEnabled, updateUser, type UserChange } from '../service/manage-users.ts';
import { attributeFlag, readAttributes, showValue } from './attributes.ts';
import { suggestion, tenantOf, withData, type Work } from './call.ts';
import { confirm, yesFlag } from './confirm.ts';
import type { CommandRow, FlagRow } from './declare.ts';
import { UsageError } from './failure.ts';
import { given, type Flags } from './flags.ts';
import { readNewPassword, temporaryFlag } from './password.ts';
import { accessDocument, userDocument } from '../service/documents.ts';
import { block, showTime, table } from './text.ts';
import { accessCommands } from './user-access.ts';

const who = ['<USER>', 'the user\'s name or id'] as const;

const changes = (email: string): readonly FlagRow[] => [
  ['--username <NAME>', 'name to sign in with; letter case does not count'],
  ['--email <ADDRESS>', email],
  ['--name <NAME>', 'full name'],
  attributeFlag,
];

function describeCredentials({ password, passkeys, authenticator, recoveryCodes }: Credentials, mail: boolean): string {
  const count = (number: number, one: string): string => `${number} ${one}${number === 1 ? '' : 's'}`;
  const all = [
    ...(password === null ? [] : [password === 'temporary' ? 'temporary password' : 'password']),
    ...(mail ? ['code by mail'] : []), ...(passkeys === 0 ? [] : [count(passkeys, 'passkey')]), ...(authenticator ? ['authenticator'] : []),
    ...(recoveryCodes === 0 ? [] : [count(recoveryCodes, 'recovery code')]),
  ];
  return all.length === 0 ? 'nothing yet' : all.join(', ');
}

async function show({ ctx, out }: Work, tenant: Tenant, user: User): Promise<void> {
  const credentials = await readCredentials(ctx, tenant, user);
  const memberships = await ctx.store.listMemberships(tenant.id, { userId: user.id });
  await out.document({ ...userDocument(user, tenant), ...accessDocument(credentials, memberships) });
  await out.print(block(out.styled, `user ${user.username}${user.disabledAtMs === null ? '' : ' (disabled)'}`, [
    ['id', user.id],
    ['e-mail', user.email === '' ? 'none' : `${user.email}${user.emailVerified ? ' (verified)' : ''}`],
    ['name', user.name],
    ...Object.entries(user.attributes).map(([name, value]) => [name, showValue(value)] as const),
    ['signs in with', describeCredentials(credentials, tenant.people.emailCodes && user.emailVerified)],
    ['organizations', memberships.length === 0 ? null : memberships.map(({ orgId, roles }) => (roles.length === 0 ? orgId : `${orgId} (${roles.join(' ')})`)).join(', ')],
    ['tenant', tenant.slug],
    ['created', showTime(user.createdAtMs)],
  ]));
}

/** @throws UsageError */
function needed(flags: Flags, name: string, what: string): string {
  const value = flags.text(name);
  if (value === undefined || value === '') throw new UsageError(`--${name} is missing: ${what}`);
  return value;
}

const switchUser = (enabled: boolean): CommandRow['run'] => (call) => withData(call, async (work) => {
  const tenant = await work.tenant();
  await show(work, tenant, work.take(await setUserEnabled(work.ctx, tenant, work.arg(0), enabled)));
});

/** `assay user …` */
export const userCommands: readonly CommandRow[] = [
  {
    name: 'create', summary: 'Create a user', tenant: 'default',
    flags: [...changes('e-mail address (required)'), ['--id <ID>', 'its id, the sub of tokens (default: generated)'], ['--email-verified', 'the address is known to be theirs'],
      ['--password-stdin', 'read their password from standard input'], temporaryFlag],
    notes: 'Without a password they sign in with a code to their address, once it is verified, or with a passkey.\n\n'
      + 'Examples:\n  assay user create --username alice --email alice@example.com --email-verified\n'
      + '  assay user create --username bob --email bob@example.com --attribute given_name=Bob --attribute department=sales\n'
      + '  assay user create --username eve --email eve@example.com --password-stdin --temporary < password.txt',
    run: async (call) => {
      const { flags } = call;
      const wish = {
        username: needed(flags, 'username', 'the name to sign in with'), email: needed(flags, 'email', 'the e-mail address'),
        emailVerified: flags.on('email-verified'), name: flags.clearable('name') ?? null,
        attributeEdits: readAttributes(flags) ?? {},
      };
      if (flags.on('temporary') && !flags.on('password-stdin')) throw new UsageError('--temporary is about a password: add --password-stdin');
      const password = flags.on('password-stdin') ? { text: await readNewPassword(call), temporary: flags.on('temporary') } : null;
      return withData(call, async (work) => {
        const tenant = await work.tenant();
        const id = flags.text('id') ?? null;
        await show(work, tenant, work.take(await (password === null
          ? createUser(work.ctx, tenant, id, wish)
          : createUserWithPassword(work.ctx, tenant, id, wish, password))));
      });
    },
  },
  {
    name: 'list', summary: 'List a tenant\'s users', tenant: 'default',
    run: (call) => withData(call, async (work) => {
      const { ctx, out } = work;
      const tenant = await work.tenant();
      const users = await ctx.store.listUsers(tenant.id);
      await out.document({ items: users.map((user) => userDocument(user, tenant)) });
      await out.print(users.length === 0
        ? `The tenant ${tenant.slug} has no users yet; ${suggestion('user create', tenant)} makes one.`
        : table(out.styled, ['USERNAME', 'E-MAIL', 'STATE', 'ID'], users.map((user) => [
          user.username, user.email === '' ? '–' : user.email, user.disabledAtMs === null ? 'enabled' : 'disabled', user.id,
        ])));
    }),
  },
  {
    name: 'show', summary: 'Show a user', args: [who], tenant: 'default',
    run: (call) => withData(call, async (work) => {
      const tenant = await work.tenant();
      await show(work, tenant, work.take(await requireUser(work.ctx, tenant, work.arg(0))));
    }),
  },
  {
    name: 'update', summary: 'Change a user; the id stays, and what is not named', args: [who], tenant: 'default',
    flags: [...changes('e-mail address'), ['--email-verified', 'the address is known to be theirs'], ['--no-email-verified', 'the address is not known to be theirs']],
    notes: 'A changed address counts as not verified unless --email-verified says so. --email "" and --name "" blank them. Attributes that are not named stay.',
    run: (call) => {
      const { flags } = call;
      const change = given<UserChange>({
        username: flags.text('username'), email: flags.text('email'), name: flags.clearable('name'), emailVerified: flags.switched('email-verified'),
        attributeEdits: readAttributes(flags),
      });
      return withData(call, async (work) => {
        const tenant = await work.tenant();
        await show(work, tenant, work.take(await updateUser(work.ctx, tenant, work.arg(0), change)));
      });
    },
  },
  { name: 'disable', summary: 'Suspend a user; their tokens are dead for good', args: [who], tenant: 'default', run: switchUser(false) },
  { name: 'enable', summary: 'Let a suspended user in again; their old tokens stay dead', args: [who], tenant: 'default', run: switchUser(true) },
  {
    name: 'delete', summary: 'Delete a user; only the id is kept, so that nobody gets it again', args: [who], tenant: 'default', flags: [yesFlag],
    run: async (call) => {
      await confirm(call, `Delete the user ${call.args[0] ?? ''} of tenant ${tenantOf(call)}? All their tokens die at once.`);
      return withData(call, async (work) => {
        const { ctx, out, arg } = work;
        work.take(await deleteUser(ctx, await work.tenant(), arg(0)));
        await out.document({ ok: true });
        await out.print(`Deleted user ${arg(0)}.`);
      });
    },
  },
  ...accessCommands,
];
