import type { RequestOrigin } from '../core/audit-event.ts';
import type { Origin } from '../core/issuer.ts';
import type { Metrics } from '../core/metrics.ts';
import type { AuditQueue, Clock, Fingerprint, Log, PasswordHasher, Random } from '../core/ports.ts';
import type { Awaitable, Store } from '../core/store.ts';
import type { Tenant } from '../core/model.ts';
import type { ComposeMail } from '../core/people-words.ts';
import type { PeoplePasswords } from '../keys/password.ts';
import type { MasterKey } from '../keys/seal.ts';
import type { KeyRings } from './key-rings.ts';
import type { Limiter } from './limits.ts';
import type { Throttle } from './throttle.ts';
import type { TokenReader } from './read-token.ts';
import type { ClientAuthenticator } from './authenticate-client.ts';
import type { Attempts } from './credentials/attempts.ts';

/** What acts work with; made once by the composition root. */
export type Context = {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Seals and opens. Asked each time: it may be replaced while the server runs (JK-08). */
  readonly master: MasterKey;
  /** Keys codes that people type and passkeys' challenges; sealed in the database, so it outlives the master key. */
  readonly codeKey: Uint8Array;
  readonly audit: AuditQueue;
  readonly metrics: Metrics;
  readonly fingerprint: Fingerprint;
  readonly passwords: PasswordHasher;
  readonly peoplePasswords: PeoplePasswords;
  /** Tries to sign in, as this process remembers them. */
  readonly attempts: Attempts;
  /** The limits that operators set. */
  readonly limiter: Limiter;
  /** Rows that strangers make before anybody knows them: pending requests, passkey challenges. */
  readonly newcomers: Throttle;
  /** Whether the clock can be trusted with times in tokens (TM-06). */
  readonly mayIssue: () => boolean;
  readonly composeMail: ComposeMail;
  readonly rings: KeyRings;
  readonly tokens: TokenReader;
  readonly authenticator: ClientAuthenticator;
  /** The origin of this process: what the data said when it started. Another start on the same data may move it for later ones. */
  readonly origin: () => Origin;
  readonly settings: ServiceSettings;
  /** Who operates: the command line, unless a request says who it is (`{ ...ctx, by }`). */
  readonly by: Operator;
};

/** Who operates, as the audit trail calls them. */
export type Operator = RequestOrigin & { readonly actor: string };

/** Who has the machine. */
export const commandLine: Operator = { actor: 'operator', ip: null, requestId: null };

/** What the server does by itself. */
export const serverItself: Operator = { actor: 'server', ip: null, requestId: null };

/** Settings that acts depend on. */
export type ServiceSettings = {
  /** How long a spent refresh token may be answered again, milliseconds (TRT-10). */
  readonly refreshGraceMs: number;
  readonly rateLimits: boolean;
  /** RSA modulus length of new keys. */
  readonly rsaBits: number;
  /** Where the master key comes from. */
  readonly masterKeySource: 'file' | 'command' | 'environment';
};

/** A tenant that may be spoken to: neither suspended nor deleted (INT-32). */
export function usable(tenant: Tenant | null): Tenant | null {
  return tenant === null || tenant.disabledAtMs !== null || tenant.deletedAtMs !== null ? null : tenant;
}

/** Resolves a tenant by its path name, its hostname, or `default`. */
export async function findUsableTenant(store: Store, by: { readonly slug: string } | { readonly host: string }): Promise<Tenant | null> {
  const tenant: Awaitable<Tenant | null> = store.findTenant(by);
  return usable(await tenant);
}
