import { createHmac, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { makeAuditQueue } from '../audit/queue.ts';
import type { Settings } from '../config/settings.ts';
import { auditEvent } from '../core/audit-event.ts';
import type { TellProgress } from '../core/backup.ts';
import type { Origin } from '../core/issuer.ts';
import type { Log } from '../core/ports.ts';
import { sealedFor } from '../core/sealed.ts';
import { makePasswordHasher, makePeoplePasswords, type BoundedHasher } from '../keys/password.ts';
import { makeMeters, type Meters } from '../metrics/meters.ts';
import { makeTracer, withParts, type Tracer } from '../metrics/spans.ts';
import { seal, unseal, type MasterKey } from '../keys/seal.ts';
import { makeClientAuthenticator } from '../service/authenticate-client.ts';
import { commandLine, type Context } from '../service/context.ts';
import { makeAttempts } from '../service/credentials/attempts.ts';
import { makeKeyRings } from '../service/key-rings.ts';
import { readStoredOrigin } from '../service/manage-origin.ts';
import { makeLimiter } from '../service/limits.ts';
import { makeThrottle } from '../service/throttle.ts';
import { makeTokenReader } from '../service/read-token.ts';
import type { Store } from '../core/store.ts';
import { openSqliteStore } from '../storage/sqlite/open.ts';
import { chooseLocale } from '../pages/text.ts';
import { mailText } from '../pages/mail.ts';
import type { ComposeMail } from '../core/people-words.ts';
import { makeFingerprint } from '../tokens/digest.ts';
import { makeClock, type GuardedClock } from './clock.ts';
import { dataFiles, loadPepper, prepareDataDirectory } from './files.ts';
import { makeLog } from './log.ts';
import { chooseMasterKeySource, openMasterKeyring, type MasterKeyring } from './master-key.ts';

/** Everything behind the commands and the server, open. */
export type Application = {
  readonly ctx: Context;
  readonly clock: GuardedClock;
  readonly meters: Meters;
  /** Makes spans of requests once it is connected; null: there is no collector. */
  readonly tracer: Tracer | null;
  readonly hashing: BoundedHasher;
  /** There was no database: the first start on this data. */
  readonly isNew: boolean;
  /** This start made the file of the master key. */
  readonly madeMasterKey: boolean;
  readonly masterKeys: MasterKeyring;
  /** The latest time that an earlier run saw; 0: there was none. */
  readonly lastSeenMs: number;
  /** From now on, issuers stand on this origin. */
  setOrigin(origin: Origin): void;
  /** Writes what waits, and closes the data. */
  close(): Promise<void>;
};

/** The data's own key is sealed like signing keys, so opening it also proves the master key (JK-07). @throws UnsealError */
async function openFingerprintKey(store: Store, master: MasterKey): Promise<string> {
  const context = sealedFor.fingerprintKey();
  const sealed = await store.readMeta('fingerprint_key');
  if (sealed !== null) return unseal(master, context, sealed);
  const fresh = seal(master, context, randomBytes(32).toString('base64url'));
  return unseal(master, context, await store.claimMeta('fingerprint_key', fresh));
}

/** Keys codes: made of the data's own key, so codes under way outlive a change of the master key (JK-08). */
function codeKeyOf(fingerprintKey: string): Uint8Array {
  return createHmac('sha256', Buffer.from(fingerprintKey, 'base64url')).update('assay key of codes').digest();
}

/** The mark of a server that goes on by itself is at most so old, milliseconds. */
const MARK_AGE_MS = 7_000;

/**
 * The earliest time that this process may believe. Where the machine's clock is behind the recorded mark, a server beside
 * us goes on from its own and may be further than its mark: what we cut off must not be older than what it issued.
 */
function floorOf(markMs: number, wallMs: number): number {
  return wallMs < markMs ? markMs + MARK_AGE_MS : markMs;
}

/** By so much the machine's clock may be behind the mark at a start, milliseconds (TM-01). */
const TOLERANCE_MS = 10_000;

/**
 * Whether tokens may be issued. Not after a start with a clock that is behind what this data has seen: their times would be
 * ahead of everybody else's, until the clock is right again or the operator says that it is (TM-06).
 */
function makeIssuing(clock: GuardedClock, markMs: number, wallMs: number): () => boolean {
  let held = markMs - wallMs > TOLERANCE_MS;
  return () => {
    if (held) held = clock.behindMs() > TOLERANCE_MS;
    return !held;
  };
}

/** Mails in the words of the pages. */
const composeMail: ComposeMail = (content, to) => {
  const locale = chooseLocale(to.locale === null ? [] : [to.locale], null);
  return mailText(content, locale, to.brandName, to.messages[locale] ?? {});
};

function writeToStderr(lines: string): void {
  try {
    process.stderr.write(lines);
  } catch {
    // Nobody reads the log any more; that is no reason to stop answering. What fails later, main.ts hears.
  }
}

/**
 * Opens the data of a directory, making it where there is none, and wires everything together.
 * @param migrating hears how far a migration is; nothing else runs meanwhile
 * @throws FileTrouble, UnsealError, StoreError, and the store's own errors about versions and files
 */
export async function openApplication(settings: Settings, migrating: TellProgress = () => undefined): Promise<Application> {
  prepareDataDirectory(settings.data);
  const files = dataFiles(settings.data);
  const hasData = existsSync(files.database);
  const source = chooseMasterKeySource(settings, hasData);
  // Before the database is made: data without its key must not come to be.
  const loaded = await source.load();
  const meters = makeMeters();
  const tracer = settings.otlpEndpoint === null ? null : makeTracer();
  const opened = openSqliteStore({ path: files.database, committed: meters.committed, migrating });
  const store: Store = tracer === null ? opened : withParts(tracer, 'store', opened);
  const wallMs = Date.now();
  const recordedMs = Number((await store.readMeta('clock_high_water_ms')) ?? '0');
  const markMs = settings.acceptClock ? Math.min(recordedMs, wallMs) : recordedMs;
  const clock = makeClock(floorOf(markMs, wallMs));
  const log: Log & { flush(): void } = makeLog(settings.logLevel, writeToStderr, () => clock.now());
  const audit = makeAuditQueue(store, clock, log);
  const hashing = makePasswordHasher(undefined, meters.hashed);
  const passwords = tracer === null ? hashing : withParts(tracer, 'hash', hashing);
  const { metrics } = meters;
  const masterKeys = await openMasterKeyring(store, source, loaded);
  const { master } = masterKeys;
  const rings = makeKeyRings(store, master);
  const fingerprintKey = await openFingerprintKey(store, master);
  let origin = await readStoredOrigin(store);
  if (markMs < recordedMs) {
    await store.writeMeta('clock_high_water_ms', String(markMs), [auditEvent({
      timeMs: clock.now(), type: 'clock_accepted', actor: 'operator', reason: `behind by ${Math.round((recordedMs - markMs) / 1000)} s`,
    })]);
  }
  const ctx: Context = {
    store, clock, log, master, audit, metrics, passwords, rings, composeMail,
    peoplePasswords: makePeoplePasswords(passwords, settings.passwordPepperFile === null ? null : loadPepper(settings.passwordPepperFile)),
    attempts: makeAttempts(clock),
    newcomers: makeThrottle(clock),
    limiter: makeLimiter(clock, audit, settings.rateLimits === 'on'),
    mayIssue: makeIssuing(clock, markMs, wallMs),
    random: { text: (bytes) => randomBytes(bytes).toString('base64url') },
    fingerprint: makeFingerprint(fingerprintKey),
    codeKey: codeKeyOf(fingerprintKey),
    tokens: makeTokenReader(store, rings),
    authenticator: makeClientAuthenticator({ store, clock, audit, metrics, passwords, rateLimits: settings.rateLimits === 'on' }),
    origin: () => origin,
    settings: { refreshGraceMs: settings.refreshGrace * 1000, rateLimits: settings.rateLimits === 'on', rsaBits: settings.rsaBits, masterKeySource: source.kind },
    by: commandLine,
  };
  return {
    ctx,
    clock,
    meters,
    tracer,
    hashing,
    isNew: !hasData,
    madeMasterKey: source.made(),
    masterKeys,
    lastSeenMs: markMs,
    setOrigin(next) {
      origin = next;
    },
    async close() {
      await audit.flush();
      await store.close();
      log.flush();
    },
  };
}
