import type { AuthFailure, CredentialReading, PresentedClient } from '../core/client-auth.ts';
import { findAuthFault, liveSecrets } from '../core/client-auth.ts';
import { auditEvent, type RequestOrigin } from '../core/audit-event.ts';
import { BoundedMap } from '../core/bounded-map.ts';
import type { Metrics } from '../core/metrics.ts';
import type { Client, ClientSecret, Tenant } from '../core/model.ts';
import { networkOf } from '../core/network.ts';
import type { AuditQueue, Clock, PasswordHasher } from '../core/ports.ts';
import type { Store } from '../core/store.ts';
import { digestOf, sameDigest } from '../tokens/digest.ts';
import { makeThrottle } from './throttle.ts';

/** Who calls. `invalid_request`: the request contradicts itself; `throttled`: wrong too often; `busy`: hashing is full. */
export type Authentication =
  | { readonly ok: true; readonly client: Client }
  | { readonly ok: false; readonly error: 'invalid_request' }
  | { readonly ok: false; readonly error: 'invalid_client' }
  | { readonly ok: false; readonly error: 'too_many_requests'; readonly retryAfterMs: number }
  | { readonly ok: false; readonly error: 'temporarily_unavailable' };

export type ClientAuthenticator = {
  /**
   * Proves the caller (RFC 6749 §2.3). All refusals of credentials look the same to the caller (INT-48).
   * @param allowPublic whether a public client may do with its `client_id` alone. @throws StoreError
   */
  authenticate(tenant: Tenant, reading: CredentialReading, allowPublic: boolean, from: RequestOrigin): Promise<Authentication>;
};

/** Wrong secrets per minute: for one client from one address, and for all clients from one address (INT-51). */
const LIMIT_PER_CLIENT = 10;
const LIMIT_PER_ADDRESS = 100;
/** Compared when there is nothing to compare, so that time tells nothing. */
const DUMMY_DIGEST = digestOf('no client has this secret');
const MAX_CLIENT_ID = 512;
/** Secrets chosen by people that were proven in this process, per generation. */
const PROVEN = 10_000;

type Proof = 'right' | 'wrong' | 'busy';

/** Client authentication with its memory: throttling, and argon2id secrets proven once. */
export function makeClientAuthenticator(parts: {
  readonly store: Store;
  readonly clock: Clock;
  readonly audit: AuditQueue;
  readonly passwords: PasswordHasher;
  readonly metrics: Metrics;
  readonly rateLimits: boolean;
}): ClientAuthenticator {
  const { store, clock, audit, passwords, metrics } = parts;
  const throttle = makeThrottle(clock);
  const proven = new BoundedMap<string, string>(PROVEN);

  /** What kind of secret the digest is of, without slow hashing: a generated one, or a chosen one that was proven before. */
  function proveAtOnce(secrets: readonly ClientSecret[], digest: string): 'generated' | 'chosen' | null {
    let kind: 'generated' | 'chosen' | null = null;
    for (const secret of secrets) {
      const expected = secret.kind === 'sha256' ? secret.digest : proven.get(secret.id + secret.digest);
      if (expected === undefined || !sameDigest(expected, digest)) continue;
      if (secret.kind === 'sha256') kind = 'generated';
      else kind ??= 'chosen';
    }
    // A comparison also where there is nothing to compare; what it says does not count, so no text is a master key.
    if (secrets.length === 0) sameDigest(DUMMY_DIGEST, digest);
    return kind;
  }

  async function proveChosen(secrets: readonly ClientSecret[], text: string, digest: string): Promise<Proof> {
    for (const secret of secrets) {
      if (secret.kind !== 'argon2id') continue;
      const right = await passwords.verify(text, secret.digest);
      if (right === null) return 'busy';
      if (right) {
        proven.set(secret.id + secret.digest, digest);
        return 'right';
      }
    }
    return 'wrong';
  }

  function blockedForMs(keys: readonly [string, string]): number | null {
    if (!parts.rateLimits) return null;
    return throttle.blockedForMs(keys[0], LIMIT_PER_CLIENT) ?? throttle.blockedForMs(keys[1], LIMIT_PER_ADDRESS);
  }

  function fail(tenant: Tenant, presented: PresentedClient | null, reason: AuthFailure, from: RequestOrigin): void {
    metrics.clientRefused(reason);
    audit.add(auditEvent({
      timeMs: clock.now(), type: 'client_authentication_failed', tenant: tenant.slug, outcome: 'failure', reason,
      // An id nobody registered is a stranger's text and may be a mistyped secret: not recorded.
      actor: presented !== null && reason !== 'unknown_client' ? presented.clientId : null, ip: from.ip, requestId: from.requestId,
    }));
  }

  return {
    async authenticate(tenant, reading, allowPublic, from) {
      if (!reading.ok) {
        if (reading.fault === 'malformed') return { ok: false, error: 'invalid_request' };
        fail(tenant, null, 'unsupported_method', from);
        return { ok: false, error: 'invalid_client' };
      }
      const { presented } = reading;
      if (presented === null) {
        fail(tenant, null, 'no_credentials', from);
        return { ok: false, error: 'invalid_client' };
      }
      const client = presented.clientId.length > MAX_CLIENT_ID ? null : await store.findClient(tenant.id, presented.clientId);
      const fault = findAuthFault(presented, client);
      if (presented.secret === null) {
        if (client !== null && fault === null && allowPublic) return { ok: true, client };
        fail(tenant, presented, fault ?? 'no_secret', from);
        return { ok: false, error: 'invalid_client' };
      }
      const secrets = client === null || fault !== null ? [] : liveSecrets(client, clock.now());
      const text = presented.secret;
      const digest = digestOf(text);
      const known = proveAtOnce(secrets, digest);
      if (known === 'generated' && client !== null) return { ok: true, client };

      const network = networkOf(from.ip);
      const keys = [`${tenant.id} ${presented.clientId.slice(0, MAX_CLIENT_ID)} ${network}`, network] as const;
      // A generated secret always passes (INT-51); one that people chose can be guessed, so here even the right one waits.
      const blocked = blockedForMs(keys);
      if (blocked !== null) {
        fail(tenant, presented, client === null ? 'unknown_client' : 'throttled', from);
        return { ok: false, error: 'too_many_requests', retryAfterMs: blocked };
      }
      if (known === 'chosen' && client !== null) return { ok: true, client };
      // Counted before it is looked at, so that guesses sent together do not overtake the count.
      for (const key of keys) throttle.count(key);
      const proof: Proof = client === null ? 'wrong' : await proveChosen(secrets, text, digest);
      if (proof !== 'wrong') for (const key of keys) throttle.takeBack(key);
      if (client !== null && proof === 'right') return { ok: true, client };
      if (proof === 'busy') return { ok: false, error: 'temporarily_unavailable' };
      fail(tenant, presented, fault ?? 'wrong_secret', from);
      return { ok: false, error: 'invalid_client' };
    },
  };
}
