import { deviceName } from '../credentials/device.ts';
import { resetUserFactors, setUserPassword } from '../service/manage-credentials.ts';
import { endUserSession, endUserSessions, listUserSessions, type SessionList } from '../service/manage-sessions.ts';
import { revokeUserTokens } from '../service/manage-users.ts';
import { tenantOf, withData, type Call, type Work } from './call.ts';
import { confirm, yesFlag } from './confirm.ts';
import type { CommandRow } from './declare.ts';
import { UsageError } from './failure.ts';
import { readNewPassword, temporaryFlag } from './password.ts';
import { sessionDocument } from '../service/documents.ts';
import { showTime, table, words } from './text.ts';

const who = ['<USER>', 'the user\'s name or id'] as const;

async function showSessions({ out }: Work, { user, sessions }: SessionList): Promise<void> {
  const named = sessions.map((listed) => ({ listed, device: deviceName(listed.session.userAgent) }));
  await out.document({ items: named.map(({ listed, device }) => sessionDocument(listed, device)) });
  await out.print(sessions.length === 0 ? `${user.username} is signed in nowhere.` : table(
    out.styled, ['SESSION', 'DEVICE', 'IP', 'STARTED', 'LAST SEEN', 'APPLICATIONS'],
    named.map(({ listed: { session, clientIds }, device }) => [
      session.id, device ?? 'unknown', session.ip ?? '–', showTime(session.createdAtMs), showTime(session.lastSeenAtMs), words(clientIds),
    ]),
  ));
}

async function manageSessions(call: Call): Promise<number> {
  const one = call.flags.text('end-session');
  const all = call.flags.on('end');
  if (all && one !== undefined) throw new UsageError('say --end for all sessions, or --end-session ID for one');
  return withData(call, async (work) => {
    const { ctx, out, take, arg } = work;
    const tenant = await work.tenant();
    if (one !== undefined) take(await endUserSession(ctx, tenant, arg(0), one));
    else if (!all) return showSessions(work, take(await listUserSessions(ctx, tenant, arg(0))));
    const ended = all ? take(await endUserSessions(ctx, tenant, arg(0))) : 1;
    await out.document({ ok: true, ended });
    await out.print(ended === 1 ? 'Ended one session.' : `Ended ${ended} sessions.`);
    return undefined;
  });
}

/** `assay user …`: what people sign in with, and where they are signed in. */
export const accessCommands: readonly CommandRow[] = [
  {
    name: 'set-password', summary: 'Give a user a password, read from standard input', args: [who], tenant: 'default', flags: [temporaryFlag],
    notes: 'On a terminal it is asked for twice. They hear of it by mail; sessions stay, `assay user revoke` ends them.\n\n'
      + 'Example:\n  assay user set-password alice --temporary < password.txt',
    run: async (call) => {
      const password = { text: await readNewPassword(call), temporary: call.flags.on('temporary') };
      return withData(call, async (work) => {
        const user = work.take(await setUserPassword(work.ctx, await work.tenant(), work.arg(0), password));
        await work.out.document({ ok: true });
        await work.out.print(`${user.username} has a new password${password.temporary ? ', and must choose another at the next sign-in' : ''}.`);
      });
    },
  },
  {
    name: 'reset-mfa', summary: 'Take passkeys, authenticator and recovery codes from a user who lost them', args: [who], tenant: 'default', flags: [yesFlag],
    run: async (call) => {
      await confirm(call, `Take passkeys, authenticator and recovery codes from ${call.args[0] ?? ''} of tenant ${tenantOf(call)}?`, 'resets');
      return withData(call, async (work) => {
        const user = work.take(await resetUserFactors(work.ctx, await work.tenant(), work.arg(0)));
        await work.out.document({ ok: true });
        await work.out.print(`${user.username} has no passkeys, authenticator and recovery codes any more.`);
      });
    },
  },
  {
    name: 'sessions', summary: 'List where a user is signed in, or sign them out there', args: [who], tenant: 'default',
    flags: [['--end', 'end all of them; what was allowed for offline use stays'], ['--end-session <ID>', 'end this one']],
    run: manageSessions,
  },
  {
    name: 'revoke', summary: 'End every session and token of a user so far; they may sign in again', args: [who], tenant: 'default',
    run: (call) => withData(call, async (work) => {
      const user = work.take(await revokeUserTokens(work.ctx, await work.tenant(), work.arg(0)));
      await work.out.document({ ok: true });
      await work.out.print(`Ended every session and token of ${user.username} so far.`);
    }),
  },
];
