import { BoundedMap } from '../../core/bounded-map.ts';
import type { SignInFailures } from '../../core/people-store.ts';
import type { Clock } from '../../core/ports.ts';
import { makeThrottle, type Throttle } from '../throttle.ts';

/** Names that nobody has and that were tried, per generation (RL-04). */
const STRANGERS = 20_000;
const TEN_MINUTES_MS = 600_000;
const HOUR_MS = 3_600_000;

/** What this process remembers of tries to sign in; bounded whatever strangers send. */
export type Attempts = {
  /** Failures of names that nobody has; those of names of accounts are in the database (RL-08). */
  readonly strangers: BoundedMap<string, SignInFailures>;
  /** Failures per network, over all names, within a minute. */
  readonly networks: Throttle;
  /** Failures per name or account, over all networks, within ten minutes. */
  readonly accounts: Throttle;
  /** What is counted by the hour: mails, and changes of one password. */
  readonly hourly: Throttle;
  /** Passkey challenges per interaction or session, within an hour. */
  readonly challenges: Throttle;
  /** One more try under this key is under way. @returns how many are, with it */
  enter(key: string): number;
  leave(key: string): void;
  /** Waits. @param ms milliseconds */
  pause(ms: number): Promise<void>;
};

/** @param pause how to wait; null: by the machine's timer */
export function makeAttempts(clock: Clock, pause: ((ms: number) => Promise<void>) | null = null): Attempts {
  const underWay = new Map<string, number>();
  return {
    strangers: new BoundedMap(STRANGERS),
    networks: makeThrottle(clock), accounts: makeThrottle(clock, TEN_MINUTES_MS), hourly: makeThrottle(clock, HOUR_MS),
    challenges: makeThrottle(clock, HOUR_MS),
    enter(key) {
      const now = (underWay.get(key) ?? 0) + 1;
      underWay.set(key, now);
      return now;
    },
    leave(key) {
      const left = (underWay.get(key) ?? 1) - 1;
      if (left > 0) underWay.set(key, left);
      else underWay.delete(key);
    },
    pause: pause ?? ((ms) => new Promise((resolve) => {
      setTimeout(resolve, ms);
    })),
  };
}
