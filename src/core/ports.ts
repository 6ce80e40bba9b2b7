import type { AuditEvent } from './audit-event.ts';
import type { StoreError } from './store.ts';

/** Time, as the whole program sees it: never goes back, whatever the machine's clock does (TM-02). */
export type Clock = {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Milliseconds since some start; for intervals, unaffected by steps of the machine's clock (TM-04). */
  monotonic(): number;
};

/** The only source of randomness: a CSPRNG (CR-07). */
export type Random = {
  /** base64url of so many random bytes. */
  text(bytes: number): string;
};

/** Where denials and other events go that must not slow the answer down. Bounded; repeats become one row with a count. */
export type AuditQueue = {
  /** `event.count` is set by the queue. A function is called later: what it takes to make the event costs the answer nothing. */
  add(event: AuditEvent | (() => AuditEvent)): void;
};

/** Keyed, short, one-way name of a token for logs and audit (LG-02). */
export type Fingerprint = (token: string) => string;

/** Slow, memory-hard hashing for secrets chosen by people (CR-01); never more at once than memory allows (RL-05). */
export type PasswordHasher = {
  /** An argon2id string, its parameters inside. */
  hash(secret: string): Promise<string>;
  /** null: too many are waiting already, ask again later. */
  verify(secret: string, digest: string): Promise<boolean | null>;
};

/** One-line JSON log. Fields must never hold a secret. */
export type Log = {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
};
export type LogFields = Readonly<Record<string, string | number | boolean | null | readonly string[]>>;

/** Whether a failure is the storage's own. */
export function isStoreError(error: unknown): error is StoreError {
  return error instanceof Error && error.name === 'StoreError';
}
