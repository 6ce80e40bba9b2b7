/** People who sign in, over the rig. */
import type { Tenant, User } from '../../../src/core/model.ts';
import type { MailContent } from '../../../src/core/people-words.ts';
import type { Person } from '../../../src/service/credentials/outcome.ts';
import { changePassword } from '../../../src/service/credentials/password.ts';
import { openMail } from '../../../src/service/credentials/mails.ts';
import { createUser } from '../../../src/service/manage-users.ts';
import { wanted, type Rig } from '../rig.ts';

export const PASSWORD = 'correct horse battery';
export const BOUND = 'digest-of-an-interaction';

/** Somebody at a browser. */
export function at(tenant: Tenant, ip: string | null = '192.0.2.1'): Person {
  return { tenant, from: { ip, requestId: 'req_1' }, locale: 'en', device: 'Firefox on Linux' };
}

/** A user with a verified address and, unless it is null, a password. */
export async function somebody(rig: Rig, tenant: Tenant, username: string, options: { readonly password?: string | null; readonly email?: string; readonly verified?: boolean; readonly id?: string } = {}): Promise<User> {
  const user = wanted(await createUser(rig.ctx, tenant, options.id ?? null, { username, email: options.email ?? `${username}@example.com`, emailVerified: options.verified ?? true }));
  const password = options.password === undefined ? PASSWORD : options.password;
  if (password !== null) {
    const set = await changePassword(rig.ctx, at(tenant), user, password, { proofId: null, notice: null });
    if (!set.ok) throw new Error(set.problem);
  }
  return user;
}

/** Mails that wait, oldest first; taken out of the outbox. */
export async function takeMails(rig: Rig): Promise<readonly { readonly to: string; readonly content: MailContent; readonly sealed: string }[]> {
  const mails = await rig.ctx.store.listDueMails(rig.clock.now(), 100);
  for (const item of mails) {
    await rig.ctx.store.settleOutbox(item.id, { attempts: 1, nextAttemptAtMs: rig.clock.now(), doneAtMs: rig.clock.now(), outcome: 'delivered' }, []);
  }
  return mails.map((item) => ({ to: item.target, content: JSON.parse(openMail(rig.ctx, item).text) as MailContent, sealed: item.payload }));
}

/** The code in the newest mail. */
export async function takeCode(rig: Rig): Promise<string> {
  const content = (await takeMails(rig)).at(-1)?.content;
  if (content === undefined || !('code' in content)) throw new Error('no code was sent');
  return content.code;
}
