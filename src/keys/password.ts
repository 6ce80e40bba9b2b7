import { createHash, createHmac } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import type { PasswordHasher } from '../core/ports.ts';
import { verifyPassword } from './foreign-password.ts';

/** OWASP's minimum for argon2id: 19 MiB, two passes (CR-01); Bun's own default takes 64 MiB each (CR-02). */
const PARAMETERS = { algorithm: 'argon2id', memoryCost: 19_456, timeCost: 2 } as const;
const CURRENT = '$argon2id$v=19$m=19456,t=2,p=1$';
/** Verified where there is nothing to verify, so that time tells nothing (UI-12); of a text that is refused as too long. */
const DUMMY = `${CURRENT}gbHM68Vs76TL6mgEqJK0ncKoxyY3VYP0T+Spjgjduso$NV9Ub2wyLj/yZ7EjWqvJCh42ouAZC3u3N0/cTclvujo`;

/** At once, at most; each takes 19 MiB. */
const MOST_PARALLEL = 4;
/** Bun's pool has a thread per core and takes turns in order: one stays free, or RSA signatures would wait behind hashes. */
const PARALLEL = Math.min(MOST_PARALLEL, Math.max(1, navigator.hardwareConcurrency - 1));
/** Waiting in one queue; beyond that the caller is told to come again (RL-05). */
const WAITING = 64;

/** Queues of passwords to verify, which take turns: a flood at one tenant fills one of them, and the others go on (MTN-11). */
const QUEUES = 8;

/** New passwords of people at once, and waiting: nobody is kept from signing in by those who register. */
const MAKING = { atOnce: 1, waiting: 16 } as const;

/** Whether a hash has another form or other parameters than ours: another server may have made it. */
function isForeign(digest: string): boolean {
  return digest.startsWith('$') && !digest.startsWith(CURRENT);
}

/** A share of the machine's one place for slow hashing, which says when its own queue is full. */
export type BoundedHasher = PasswordHasher & {
  /** Whether `verify` would answer null now. */
  full(): boolean;
  /**
   * Another queue for the same places; queues take turns, so that none is kept waiting by the length of another.
   * @param bounds `atOnce`: of its own, at most; `waiting`: beyond that it is full
   */
  share(bounds?: { readonly atOnce?: number; readonly waiting?: number }): BoundedHasher;
  /** What all queues together are doing now. */
  load(): { readonly running: number; readonly waiting: number; readonly places: number };
};

/** Told of every hash: how long it waited for its turn, and took, in seconds. */
export type Hashed = (waitedSeconds: number, seconds: number) => void;

/** How much later than the event loop the pool gets its turn, where both want the same core: a third of its share. */
const NICENESS = 5;
const yielding = new Set<string>();

/**
 * Lets answers go before hashes where they compete for a core (RL-05, RL-06). Linux has a priority per thread; elsewhere,
 * or where it may not be changed, nothing happens. Threads come as they are needed, so this is called again and again.
 */
function yieldToEventLoop(): void {
  try {
    for (const id of readdirSync('/proc/self/task')) {
      if (yielding.has(id) || !readFileSync(`/proc/self/task/${id}/comm`, 'utf8').startsWith('Bun Pool')) continue;
      setPriority(Number(id), NICENESS);
      yielding.add(id);
    }
  } catch {
    // Hashes then compete as equals: slower answers, not wrong ones.
  }
}

/** A queue with a share of the places. */
type Queue = { readonly atOnce: number; readonly waiting: (() => void)[]; running: number };

/** argon2id on Bun's thread pool, bounded in number and in queues. @param parallel at once */
export function makePasswordHasher(parallel = PARALLEL, told: Hashed = () => undefined): BoundedHasher {
  let running = 0;
  /** Whose turn is next stands first. */
  const queues: Queue[] = [];

  /** A place is handed on rather than freed and taken: nobody slips in between. */
  function handOn(): void {
    const index = queues.findIndex((queue) => queue.waiting.length > 0 && queue.running < queue.atOnce);
    const [queue] = index < 0 ? [] : queues.splice(index, 1);
    if (queue === undefined) {
      running -= 1;
      return;
    }
    queues.push(queue);
    queue.running += 1;
    queue.waiting.shift()?.();
  }

  async function bounded<T>(queue: Queue, work: () => Promise<T>): Promise<T> {
    const cameMs = performance.now();
    if (running >= parallel || queue.running >= queue.atOnce) {
      await new Promise<void>((resolve) => queue.waiting.push(resolve));
    } else {
      running += 1;
      queue.running += 1;
    }
    const begunMs = performance.now();
    try {
      return await work();
    } finally {
      told((begunMs - cameMs) / 1000, (performance.now() - begunMs) / 1000);
      yieldToEventLoop();
      queue.running -= 1;
      handOn();
    }
  }

  function share({ atOnce = parallel, waiting = WAITING }: { readonly atOnce?: number; readonly waiting?: number } = {}): BoundedHasher {
    const queue: Queue = { atOnce, waiting: [], running: 0 };
    queues.push(queue);
    const full = (): boolean => queue.waiting.length >= waiting;
    return {
      hash: (secret) => bounded(queue, () => Bun.password.hash(secret, PARAMETERS)),
      verify: async (secret, digest) => (full() ? null : bounded(queue, () => (isForeign(digest) ? verifyPassword(secret, digest) : Bun.password.verify(secret, digest)))),
      full,
      share,
      load: () => ({ running, waiting: queues.reduce((sum, { waiting: line }) => sum + line.length, 0), places: parallel }),
    };
  }
  return share();
}

/** Passwords of people: slow hashing as for any chosen secret, with the deployment's pepper in them where it has one. */
export type PeoplePasswords = {
  /** Whether nothing is verified now: the caller is to come again. @param owner whose turn it would be: a tenant's id */
  full(owner?: string): boolean;
  /** null: there are too many new ones. @param password normalised */
  hash(password: string): Promise<string | null>;
  /** @param digest null: there is none; takes the same time and is false. @param owner as above. @returns null: full */
  verify(password: string, digest: string | null, owner?: string): Promise<boolean | null>;
  /** Whether a digest should be made anew at the next chance: other parameters, or no pepper where there is one (CR-01). */
  isOutdated(digest: string): boolean;
  /** Whether a digest was made with a pepper, and none is there: its password cannot be right. */
  lacksPepper(digest: string): boolean;
};

/** Marks digests with a pepper in them; the digit is for another way to mix it in. */
const PEPPERED = 'p1.';

/**
 * Passwords of people (CR-01, CR-03). With a pepper, HMAC-SHA-256 under it goes into argon2id, so that a copy of the
 * database alone cannot be guessed at. Digests without the mark still verify. They are verified in queues of their own, and
 * made in another: neither client secrets nor new passwords wait for a flood of the others (RL-05).
 * @param pepper at least 32 bytes, kept outside the database; null: none. Without the one that a digest was made with, it verifies nothing
 */
export function makePeoplePasswords(hasher: BoundedHasher, pepper: Uint8Array | null): PeoplePasswords {
  const season = (key: Uint8Array, password: string): string => createHmac('sha256', key).update(password).digest('base64');
  const queues = Array.from({ length: QUEUES }, () => hasher.share());
  const verifying = (owner = ''): BoundedHasher => queues[(createHash('sha256').update(owner).digest()[0] ?? 0) % QUEUES] ?? hasher;
  const making = hasher.share(MAKING);
  return {
    full: (owner) => verifying(owner).full(),
    async hash(password) {
      if (making.full()) return null;
      return pepper === null ? making.hash(password) : PEPPERED + await making.hash(season(pepper, password));
    },
    async verify(password, digest, owner) {
      const peppered = digest?.startsWith(PEPPERED) ?? pepper !== null;
      // Bun refuses to hash an empty text, and nobody has an empty password.
      const missing = digest === null || password === '' || (peppered && pepper === null);
      const text = peppered && pepper !== null ? season(pepper, password) : password;
      const right = await verifying(owner).verify(text === '' ? ' ' : text, missing ? DUMMY : digest.replace(PEPPERED, ''));
      return right === null ? null : right && !missing;
    },
    lacksPepper: (digest) => pepper === null && digest.startsWith(PEPPERED),
    isOutdated: (digest) => !digest.startsWith(pepper === null ? CURRENT : PEPPERED + CURRENT),
  };
}
