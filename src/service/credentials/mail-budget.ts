import type { User } from '../../core/model.ts';
import { networkOf } from '../../core/network.ts';
import { digestOf } from '../../tokens/digest.ts';
import type { Context } from '../context.ts';
import { isKnownNetwork } from './known-networks.ts';
import type { Person } from './outcome.ts';
import { nameDigest } from './password.ts';

const HOUR_MS = 3_600_000;
/** Mails per hour that one network may ask for, whomever they are for. Beyond that nothing is sent, and nothing says so (UI-12). */
const PER_NETWORK = 20;
/** Of those, to one person. */
const PER_NETWORK_AND_PERSON = 5;
/** To one person from all networks together that the person is not signed in from: so strangers leave them some. */
const FROM_STRANGERS = 10;
/** To one person from everywhere. */
const PER_PERSON = 20;
/** Stands in for somebody where there is nobody, so that asking takes alike. */
const NOBODY = ' ';

/** For whom a mail is. `to`: null: for nobody. `name`: as it was typed. */
export type Addressee = { readonly user: User | null; readonly to: string | null; readonly boundTo: string; readonly name?: string };

/**
 * Whether a mail may go, which is counted: per network in memory, per person also with the data (RL-08). A network that
 * the person is signed in from has a budget of its own, which nobody else uses up (RL-03).
 * @throws StoreError
 */
export async function spendMail(ctx: Context, person: Person, addressee: Addressee): Promise<'granted' | 'person_full' | 'network_full'> {
  if (!ctx.settings.rateLimits) return 'granted';
  const { user } = addressee;
  const known = await isKnownNetwork(ctx, person, user);
  const sent = await ctx.store.countProofs(person.tenant.id, user?.id ?? NOBODY, ctx.clock.now() - HOUR_MS);
  // Nothing waits from here to the count.
  const { mails } = ctx.attempts;
  const network = networkOf(person.from.ip);
  if (mails.blockedForMs(`from ${network}`, PER_NETWORK) !== null) return 'network_full';
  mails.countFailure(`from ${network}`);
  const whose = `${person.tenant.id} ${whoseOf(addressee)}`;
  const keys = [[`${whose} ${network}`, PER_NETWORK_AND_PERSON] as const, ...(known ? [] : [[`${whose} strangers`, FROM_STRANGERS] as const])];
  if (keys.some(([key, limit]) => mails.blockedForMs(key, limit) !== null)) return 'person_full';
  for (const [key] of keys) mails.countFailure(key);
  return sent >= (known ? PER_PERSON : FROM_STRANGERS) ? 'person_full' : 'granted';
}

/** What a budget is kept under: an account, an address without one, or a name that nobody has. */
function whoseOf({ user, to, boundTo, name }: Addressee): string {
  if (user !== null) return user.id;
  if (to !== null) return `@ ${digestOf(to.toLowerCase())}`;
  return `? ${name === undefined ? boundTo : nameDigest(name)}`;
}
