import { usernameKey } from '../../core/identifiers.ts';
import type { Tenant, User } from '../../core/model.ts';
import { networkOf } from '../../core/network.ts';
import type { ProofKind } from '../../core/people.ts';
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
/** Beyond these, of what the data count, to somebody who forgot their password: codes to sign in with do not use those up. */
const RESETS_MORE = 5;
/** Of one kind, for one pending request or session, whomever they are for. */
const PER_REQUEST = 5;
/** Stands in for somebody where there is nobody, so that asking takes alike. */
const NOBODY = ' ';

/** For whom a mail is. `to`: null: for nobody. `name`: as it was typed. */
export type Addressee = {
  readonly kind: ProofKind; readonly user: User | null; readonly to: string | null; readonly boundTo: string; readonly name?: string;
};

/** Whether a mail may go. That a person's budget is full must not show; the others' does not depend on whom it was for (UI-12). */
export type Spending = 'granted' | 'person_full' | 'request_full' | 'network_full';

/**
 * Whether a mail may go, which is counted: per network and request in memory, per person also with the data (RL-08). A
 * network that the person is signed in from has a budget of its own, which nobody else uses up (RL-03).
 * @throws StoreError
 */
export async function spendMail(ctx: Context, person: Person, addressee: Addressee): Promise<Spending> {
  if (!ctx.settings.rateLimits) return 'granted';
  const { user, kind, boundTo } = addressee;
  const known = await isKnownNetwork(ctx, person, user);
  const sent = await ctx.store.countProofs(person.tenant.id, user?.id ?? NOBODY, ctx.clock.now() - HOUR_MS);
  // Nothing waits from here to the count.
  const { hourly } = ctx.attempts;
  const network = networkOf(person.from.ip);
  if (hourly.blockedForMs(`from ${network}`, PER_NETWORK) !== null) return 'network_full';
  hourly.count(`from ${network}`);
  const request = `request ${person.tenant.id} ${kind} ${boundTo}`;
  if (hourly.blockedForMs(request, PER_REQUEST) !== null) return 'request_full';
  hourly.count(request);
  const keys = keysOf(person.tenant, addressee, network, known);
  if (keys.some(([key, limit]) => hourly.blockedForMs(key, limit) !== null)) return 'person_full';
  for (const [key] of keys) hourly.count(key);
  const most = (known ? PER_PERSON : FROM_STRANGERS) + (kind === 'reset' ? RESETS_MORE : 0);
  return sent >= most ? 'person_full' : 'granted';
}

type Limit = readonly [key: string, limit: number];

/** What a mail counts for: whose it is, and the mailbox, where that is not known to be theirs. */
function keysOf(tenant: Tenant, addressee: Addressee, network: string, known: boolean): readonly Limit[] {
  const { user, to } = addressee;
  const whose = `${addressee.kind === 'reset' ? 'reset ' : ''}${tenant.id} ${whoseOf(addressee)}`;
  const own: readonly Limit[] = [[`${whose} ${network}`, PER_NETWORK_AND_PERSON], ...(known ? [] : [[`${whose} strangers`, FROM_STRANGERS] as const])];
  if (user === null || to === null || (user.emailVerified && usernameKey(user.email) === usernameKey(to))) return own;
  // To that mailbox everybody is a stranger, wherever they are signed in.
  const box = `${tenant.id} ${boxOf(to)}`;
  return [...own, [`${box} ${network}`, PER_NETWORK_AND_PERSON], [`${box} strangers`, FROM_STRANGERS]];
}

/** What a budget is kept under: an account, an address without one, or a name that nobody has. */
function whoseOf({ user, to, boundTo, name }: Addressee): string {
  if (user !== null) return user.id;
  if (to !== null) return boxOf(to);
  return `? ${name === undefined ? boundTo : nameDigest(name)}`;
}

function boxOf(to: string): string {
  return `@ ${digestOf(usernameKey(to))}`;
}
