/** The services over a real database in a folder of their own, with a clock that tests set. */
import { makeAuditQueue, type RunningAuditQueue } from '../../src/audit/queue.ts';
import type { AuditEvent } from '../../src/core/audit-event.ts';
import { noMetrics, type Metrics } from '../../src/core/metrics.ts';
import type { Clock, Log } from '../../src/core/ports.ts';
import type { Client, Tenant } from '../../src/core/model.ts';
import { makeTenant, type TenantChange } from '../../src/core/tenant-settings.ts';
import type { ClientChange } from '../../src/core/client-settings.ts';
import { commandLine, type Context } from '../../src/service/context.ts';
import { makeClientAuthenticator } from '../../src/service/authenticate-client.ts';
import { makeKeyRings } from '../../src/service/key-rings.ts';
import { createClient } from '../../src/service/manage-clients.ts';
import type { Managed } from '../../src/service/manage-outcome.ts';
import { makeLimiter } from '../../src/service/limits.ts';
import { makeThrottle } from '../../src/service/throttle.ts';
import { makeTokenReader } from '../../src/service/read-token.ts';
import { makePasswordHasher, makePeoplePasswords } from '../../src/keys/password.ts';
import { makeAttempts } from '../../src/service/credentials/attempts.ts';
import { openSqliteStore } from '../../src/storage/sqlite/open.ts';
import { makeFingerprint } from '../../src/tokens/digest.ts';
import { originOf } from '../core/facts.ts';
import { removeFolder, temporaryFolder } from '../helpers/server.ts';
import { freshKey, master } from '../keys/rings.ts';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { listAudit } from '../helpers/trail.ts';

/** The test's own time. */
export type SetClock = Clock & { advance(ms: number): void };

/** A clock that stands until it is moved; it begins at the machine's time, as storage may compare with that. */
export function makeSetClock(): SetClock {
  const startMs = Date.now();
  let passedMs = 0;
  return {
    now: () => startMs + passedMs,
    monotonic: () => passedMs,
    advance(ms) {
      passedMs += ms;
    },
  };
}

export const silentLog: Log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

export type Rig = {
  readonly ctx: Context;
  readonly clock: SetClock;
  readonly audit: RunningAuditQueue;
  /** Writes what waits, and reads all of one type, the oldest first. */
  events(type: AuditEvent['type']): Promise<readonly AuditEvent[]>;
  /** A tenant with an elliptic key that signs and one that will. */
  tenant(slug?: string, change?: TenantChange): Promise<Tenant>;
  /** A client with a generated secret, unless it is public. */
  client(tenant: Tenant, id: string, change?: ClientChange, options?: { readonly public?: boolean; readonly secret?: string; readonly secretTtl?: number }): Promise<{ readonly client: Client; readonly secret: string }>;
  close(): Promise<void>;
};

/** Opens everything. @param parts what a test replaces */
export function openRig(parts: { readonly refreshGraceMs?: number; readonly log?: Log; readonly metrics?: Metrics; readonly pause?: (ms: number) => Promise<void> } = {}): Rig {
  const folder = temporaryFolder();
  const store = openSqliteStore({ path: join(folder, 'assay.db') });
  const clock = makeSetClock();
  const log = parts.log ?? silentLog;
  const metrics = parts.metrics ?? noMetrics;
  const audit = makeAuditQueue(store, clock, log);
  const passwords = makePasswordHasher();
  const rings = makeKeyRings(store, master);
  const origin = originOf('https://id.example.com');
  const ctx: Context = {
    store, clock, log, master, codeKey: randomBytes(32), audit, metrics, passwords, rings,
    peoplePasswords: makePeoplePasswords(passwords, null), attempts: makeAttempts(clock, parts.pause ?? (() => Promise.resolve())), newcomers: makeThrottle(clock), limiter: makeLimiter(clock, audit, true), mayIssue: () => true,
    composeMail: (content, to) => ({ subject: `${content.kind} ${to.brandName}`, text: JSON.stringify(content) }),
    random: { text: (bytes) => randomBytes(bytes).toString('base64url') },
    fingerprint: makeFingerprint(randomBytes(32).toString('base64url')),
    tokens: makeTokenReader(store, rings),
    authenticator: makeClientAuthenticator({ store, clock, audit, passwords, metrics, rateLimits: true }),
    origin: () => origin,
    settings: { refreshGraceMs: parts.refreshGraceMs ?? 10_000, rateLimits: true, rsaBits: 2048, masterKeySource: 'file' },
    by: commandLine,
  };
  return {
    ctx, clock, audit,
    async events(type) {
      await audit.flush();
      return (await listAudit(store, { type, limit: 1000 })).toReversed();
    },
    async tenant(slug = 'acme', change = {}) {
      const tenant = makeTenant({ id: `ten_${slug}`, slug, nowMs: clock.now() }, { algorithm: 'ES256', ...change });
      const keys = [await freshKey('active', tenant.id), await freshKey('next', tenant.id)];
      if (!(await store.createTenant(tenant, keys, []))) throw new Error(`${slug} is taken`);
      return tenant;
    },
    async client(tenant, id, change = {}, options = {}) {
      const made = wanted(await createClient(ctx, tenant, {
        id, public: options.public ?? false, change, secret: { supplied: options.secret ?? null, ttl: options.secretTtl ?? null },
      }));
      return { client: made.client, secret: made.secret?.text ?? '' };
    },
    async close() {
      await audit.flush();
      await store.close();
      removeFolder(folder);
    },
  };
}

/** What an operator's act gave. @throws Error when it refused */
export function wanted<T>(outcome: Managed<T>): T {
  if (!outcome.ok) throw new Error(`${outcome.error}: ${outcome.description}`);
  return outcome.value;
}

/** The value, which is there. @throws Error when it is not */
export function there<T>(value: T | null | undefined): T {
  if (value === null || value === undefined) throw new Error('it is not there');
  return value;
}
