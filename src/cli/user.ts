import type { Tenant, User } from '../core/model.ts';
import { createUser, deleteUser, requireUser, setUserEnabled, updateUser, type UserChange } from '../service/manage-users.ts';
import { suggestion, tenantOf, withData, type Work } from './call.ts';
import { confirm, yesFlag } from './confirm.ts';
import type { CommandRow, FlagRow } from './declare.ts';
import { UsageError } from './failure.ts';
import { given, type Flags } from './flags.ts';
import { userDocument } from './present.ts';
import { block, showTime, table } from './text.ts';

const who = ['<USER>', 'the user\'s name or id'] as const;

const changes: readonly FlagRow[] = [
  ['--username <NAME>', 'name to sign in with; letter case does not count'],
  ['--email <ADDRESS>', 'e-mail address'],
  ['--name <NAME>', 'full name'],
];

async function show({ out }: Work, tenant: Tenant, user: User): Promise<void> {
  await out.document(userDocument(user, tenant));
  await out.print(block(out.styled, `user ${user.username}${user.disabledAtMs === null ? '' : ' (disabled)'}`, [
    ['id', user.id],
    ['e-mail', user.email === '' ? 'none' : `${user.email}${user.emailVerified ? ' (verified)' : ''}`],
    ['name', user.name],
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
    flags: [...changes, ['--id <ID>', 'its id, the sub of tokens (default: generated)'], ['--email-verified', 'the address is known to be theirs']],
    notes: 'Example:\n  assay user create --username alice --email alice@example.com --email-verified',
    run: (call) => {
      const { flags } = call;
      const wish = {
        username: needed(flags, 'username', 'the name to sign in with'), email: needed(flags, 'email', 'the e-mail address'),
        emailVerified: flags.on('email-verified'), name: flags.clearable('name') ?? null,
      };
      return withData(call, async (work) => {
        const tenant = await work.tenant();
        await show(work, tenant, work.take(await createUser(work.ctx, tenant, flags.text('id') ?? null, wish)));
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
    flags: [...changes, ['--email-verified', 'the address is known to be theirs'], ['--no-email-verified', 'the address is not known to be theirs']],
    notes: 'A changed address counts as not verified unless --email-verified says so. --email "" and --name "" blank them.',
    run: (call) => {
      const { flags } = call;
      const change = given<UserChange>({
        username: flags.text('username'), email: flags.text('email'), name: flags.clearable('name'), emailVerified: flags.switched('email-verified'),
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
];
