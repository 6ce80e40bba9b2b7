import { delayAfter, isForgotten } from '../../core/guess-delay.ts';
import { refusedBy } from '../../core/limits.ts';
import { networkOf } from '../../core/network.ts';
import type { SignInFailures } from '../../core/people-store.ts';
import type { Context } from '../context.ts';
import { failed, type Failed, type Person } from './outcome.ts';

/** Wrong tries per minute from one network, over all names (UI-13). */
const LIMIT_PER_NETWORK = 30;
/** From so many failures in ten minutes on, from everywhere, each try for that name waits a little; it is never refused. */
const CALM = 20;
const PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2_000;
/**
 * Six digits are few: authenticators of one account are refused from so many failures in ten minutes on. Only who has the
 * first factor gets there, and who is signed in from the same network is spared.
 */
const LIMIT_OF_CODES = 30;

/** What is being guessed. */
export type Target = {
  readonly kind: 'password' | 'totp' | 'recovery_code';
  /** null: nobody has that name. */
  readonly userId: string | null;
  /** Digest of the name as it was typed: names are counted, not accounts, or two of one account would show that they are (UI-12). Empty: of an account that is known already. */
  readonly name: string;
  /** Whether the whole account's limit does not hold here. */
  readonly spared?: boolean;
};

/** What came of a try. */
export type Verdict = 'right' | 'wrong' | Failed;

/** Factors are counted apart: who mistypes one is not kept from another. */
const prefixes: Readonly<Record<Target['kind'], string>> = { password: '', totp: 'otp:', recovery_code: 'rc:' };

/**
 * Lets somebody try a secret, and keeps the count (UI-13, RL-01 to RL-05, RL-08): per name and network with growing
 * delays, of accounts kept with the data; per network over all names, and softly per name over all networks, in memory.
 * A failure is counted while the secret is looked at, so that guesses sent together do not overtake the count, and
 * writing it takes no time of its own.
 * @param full whether there is no room to look at it now @param prove null: no room @throws StoreError
 */
export async function tryGuess(ctx: Context, person: Person, target: Target, full: () => boolean, prove: () => Promise<boolean | null>): Promise<Verdict> {
  if (!ctx.settings.rateLimits) return full() ? failed('busy') : verdictOf(await prove());
  const prefix = prefixes[target.kind];
  const network = networkOf(person.from.ip);
  const account = `${prefix}${person.tenant.id} ${target.name === '' ? `= ${target.userId ?? ''}` : target.name}`;
  const key = `${account} ${network}`;
  const { attempts } = ctx;
  const counter = counterOf(ctx, person.tenant.id, target.userId, `${prefix}${network}${target.name === '' ? '' : ` ${target.name}`}`, key);
  const underWay = attempts.enter(key);
  try {
    const before = await counter.read();
    const nowMs = ctx.clock.now();
    const delayS = delayAfter(before.failures + underWay - 1, underWay > 1 ? nowMs : before.lastAtMs, nowMs);
    if (delayS > 0) return failed('too_many_attempts', delayS);
    const pauseMs = Math.min(LONGEST_PAUSE_MS, (attempts.accounts.counted(account) - CALM) * PAUSE_MS);
    if (pauseMs > 0) await attempts.pause(pauseMs);
    const standing = target.kind === 'password' && target.spared !== true ? ctx.limiter.tryAccount(person.tenant, target.name, person.from) : [];
    if (refusedBy(standing) !== null) return failed('too_many_attempts', Math.ceil((standing[0]?.blockedForMs ?? 0) / 1000));
    // Nothing waits from here to the count.
    const blocked = blockedNetwork(ctx, network) ?? (target.kind === 'totp' && target.spared !== true ? tooMany(attempts.accounts.blockedForMs(account, LIMIT_OF_CODES)) : null);
    if (blocked !== null) return blocked;
    if (full()) return failed('busy');
    attempts.networks.count(network);
    attempts.accounts.count(account);
    const [right] = await Promise.all([prove(), counter.count(nowMs)]);
    if (right !== false) {
      attempts.networks.takeBack(network);
      attempts.accounts.takeBack(account);
    }
    if (right === true) await counter.clear();
    return verdictOf(right);
  } finally {
    attempts.leave(key);
  }
}

/** The refusal of a network with too many wrong tries; null: it has not. @param network as of `networkOf` */
export function blockedNetwork(ctx: Pick<Context, 'attempts' | 'settings'>, network: string): Failed | null {
  return ctx.settings.rateLimits ? tooMany(ctx.attempts.networks.blockedForMs(network, LIMIT_PER_NETWORK)) : null;
}

function tooMany(blockedMs: number | null): Failed | null {
  return blockedMs === null ? null : failed('too_many_attempts', Math.ceil(blockedMs / 1000));
}

function verdictOf(right: boolean | null): Verdict {
  if (right === null) return failed('busy');
  return right ? 'right' : 'wrong';
}

type Counter = {
  /** Failures that still count. */
  read(): Promise<SignInFailures>;
  count(nowMs: number): Promise<void>;
  clear(): Promise<void>;
};

const none: SignInFailures = { failures: 0, lastAtMs: 0 };

/** The same for everybody: in the database for names of accounts, in memory for those that nobody has. */
function counterOf(ctx: Context, tenantId: string, userId: string | null, network: string, key: string): Counter {
  const { store, attempts: { strangers } } = ctx;
  const current = (found: SignInFailures | null | undefined): SignInFailures =>
    found === null || found === undefined || isForgotten(found.lastAtMs, ctx.clock.now()) ? none : found;
  if (userId === null) {
    return {
      read: async () => current(strangers.get(key)),
      count: async (nowMs) => {
        strangers.set(key, { failures: current(strangers.get(key)).failures + 1, lastAtMs: nowMs });
      },
      clear: async () => strangers.delete(key),
    };
  }
  let stale = false;
  return {
    read: async () => {
      const found = await store.findSignInFailures(tenantId, userId, network);
      const counted = current(found);
      stale = found !== null && counted === none;
      return counted;
    },
    count: async (nowMs) => {
      if (stale) await store.clearSignInFailures(tenantId, userId, network);
      await store.countSignInFailure(tenantId, userId, network, nowMs);
    },
    clear: () => store.clearSignInFailures(tenantId, userId, network),
  };
}
