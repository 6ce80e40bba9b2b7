import type { User } from '../../core/model.ts';
import { networkOf } from '../../core/network.ts';
import type { Context } from '../context.ts';
import type { Person } from './outcome.ts';

/** Stands in for somebody where there is nobody, so that asking takes alike (UI-12). */
const NOBODY = ' ';

/**
 * Whether somebody is signed in from the network of who acts: what strangers do elsewhere must not keep them out (RL-03).
 * @param user null: nobody has that name @throws StoreError
 */
export async function isKnownNetwork(ctx: Pick<Context, 'store' | 'clock'>, person: Person, user: Pick<User, 'id'> | null): Promise<boolean> {
  const network = networkOf(person.from.ip);
  const sessions = await ctx.store.listBrowserSessions(person.tenant.id, user?.id ?? NOBODY, ctx.clock.now());
  return network !== '' && sessions.some(({ session }) => networkOf(session.ip) === network);
}
