import type { PasswordHasher } from '../core/ports.ts';

/** OWASP's minimum for argon2id: 19 MiB, two passes (CR-01); Bun's own default takes 64 MiB each (CR-02). */
const PARAMETERS = { algorithm: 'argon2id', memoryCost: 19_456, timeCost: 2 } as const;

/** At once; each takes 19 MiB. */
const PARALLEL = 4;
/** Waiting; beyond that the caller is told to come again (RL-05). */
const WAITING = 64;

/** argon2id on Bun's thread pool, bounded in number and in queue. */
export function makePasswordHasher(): PasswordHasher {
  let running = 0;
  const waiting: (() => void)[] = [];

  async function bounded<T>(work: () => Promise<T>): Promise<T> {
    if (running >= PARALLEL) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await work();
    } finally {
      // A place is handed on rather than freed and taken: nobody slips in between.
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  }

  return {
    hash: (secret) => bounded(() => Bun.password.hash(secret, PARAMETERS)),
    verify: async (secret, digest) =>
      waiting.length >= WAITING ? null : bounded(() => Bun.password.verify(secret, digest)),
  };
}
