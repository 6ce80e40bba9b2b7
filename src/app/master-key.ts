import { findKeySourceProblem } from '../config/read-settings.ts';
import type { Settings } from '../config/settings.ts';
import { splitCommand } from '../config/split-command.ts';
import { readKeyIds, writeKeyIds } from '../core/sealed.ts';
import type { Store } from '../core/store.ts';
import { sealerOf, UnsealError, type MasterKey } from '../keys/seal.ts';
import type { ServiceSettings } from '../service/context.ts';
import { dataFiles, FileTrouble, loadMasterKeys, parseMasterKeys, readMasterKeys } from './files.ts';

/** A command that prints the master key gets so much time, and so much to say. */
const COMMAND_MS = 10_000;
const COMMAND_BYTES = 4_096;
/** A file is not read again sooner than this because of a key that it did not hold, milliseconds. */
const REREAD_MS = 1_000;

const COMMAND = 'ASSAY_MASTER_KEY_COMMAND';
const ENVIRONMENT = 'ASSAY_MASTER_KEY';

/** Where the master keys come from: the newest first, and below it what it replaces. */
export type MasterKeySource = {
  readonly kind: ServiceSettings['masterKeySource'];
  /** Of a file. */
  readonly path: string | null;
  /** @throws FileTrouble */
  readonly load: () => Promise<readonly MasterKey[]>;
  /** Reads them at once, where that can be done; null: it takes time, or brings nothing new. @throws FileTrouble */
  readonly reread: (() => readonly MasterKey[]) | null;
};

/**
 * Runs a command without a shell. It does not see the master key of the environment, and what it says on its standard
 * error is for nobody, as it may hold a secret.
 */
async function askCommand(text: string): Promise<readonly MasterKey[]> {
  const trouble = (what: string): FileTrouble => new FileTrouble(`the command of ${COMMAND} ${what}`);
  const [program, ...rest] = splitCommand(text) ?? [];
  if (program === undefined) throw trouble('has an open quote');
  let ran: Bun.Subprocess<'ignore', 'pipe', 'ignore'>;
  const { [ENVIRONMENT]: _key, ...env } = process.env;
  try {
    ran = Bun.spawn([program, ...rest], { stdin: 'ignore', stdout: 'pipe', stderr: 'ignore', env });
  } catch {
    throw trouble('cannot be started: is its program there, and may it be run?');
  }
  const late = Promise.withResolvers<'late'>();
  const timer = setTimeout(() => late.resolve('late'), COMMAND_MS);
  try {
    const said = await Promise.race([readBounded(ran.stdout), late.promise]);
    const code = said === null || said === 'late' ? null : await Promise.race([ran.exited, late.promise]);
    if (said === null) throw trouble(`printed more than ${COMMAND_BYTES} bytes`);
    if (said === 'late' || code === 'late') throw trouble(`did not end within ${COMMAND_MS / 1000} s`);
    if (code !== 0) throw trouble(`ended with exit code ${code}`);
    const keys = parseMasterKeys(said.text);
    if (keys === null) throw trouble('did not print a master key (32 bytes in base64; while one replaces another, one a line)');
    return keys;
  } finally {
    clearTimeout(timer);
    ran.kill('SIGKILL');
  }
}

/** All of it; null: it is too much. */
async function readBounded(stream: ReadableStream<Uint8Array>): Promise<{ readonly text: string } | null> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of stream) {
    parts.push(part);
    length += part.length;
    if (length > COMMAND_BYTES) return null;
  }
  return { text: Buffer.concat(parts).toString('utf8') };
}

/**
 * The one source that the settings name; a file unless they say otherwise.
 * @param hasData whether there is a database: where there is none, a file is made
 * @throws FileTrouble where they name several
 */
export function chooseMasterKeySource(settings: Pick<Settings, 'data' | 'masterKeyFile' | 'masterKeyCommand' | 'masterKey'>, hasData: boolean): MasterKeySource & { readonly made: () => boolean } {
  const problem = findKeySourceProblem(settings);
  if (problem !== null) throw new FileTrouble(problem);
  const { masterKeyCommand: command, masterKey: given } = settings;
  if (command !== null) return { kind: 'command', path: null, load: () => askCommand(command), reread: null, made: () => false };
  if (given !== null) {
    const keys = parseMasterKeys(given);
    if (keys === null) throw new FileTrouble(`${ENVIRONMENT} does not hold a master key (32 bytes in base64; while one replaces another, with a comma between them)`);
    // Whatever is started from here on, and whoever dumps the environment, has no part in it.
    delete process.env[ENVIRONMENT];
    return { kind: 'environment', path: null, load: () => Promise.resolve(keys), reread: null, made: () => false };
  }
  const path = settings.masterKeyFile ?? dataFiles(settings.data).masterKey;
  let made = false;
  return {
    kind: 'file', path, made: () => made, reread: () => readMasterKeys(path),
    load() {
      const { keys, created } = loadMasterKeys(path, hasData);
      made ||= created;
      return Promise.resolve(keys);
    },
  };
}

/** The master keys in use, followed while one replaces another (JK-08). */
export type MasterKeyring = {
  /** The key that seals now, and by its `other` all that open. */
  readonly master: MasterKey;
  readonly source: MasterKeySource;
  /** All that are known, the newest of the source first. */
  readonly known: () => readonly MasterKey[];
  /** Looks whether the data names a key that is not known, and asks the source. False: it is named and cannot be had. @throws FileTrouble, StoreError */
  readonly look: () => Promise<boolean>;
};

/**
 * Opens the keyring of some data. Which key seals is the data's to say, so that all servers on it change at once; a new
 * folder, and one of a version that did not say, follow what is there.
 * @param loaded what the source gave, the newest first
 * @throws UnsealError when the data's key is not among those of the source
 */
export async function openMasterKeyring(store: Store, source: MasterKeySource, loaded: readonly MasterKey[]): Promise<MasterKeyring> {
  const keys = new Map(loaded.map((key) => [key.id, key]));
  const [newest] = loaded;
  if (newest === undefined) throw new UnsealError('wrong_key');
  let named = await store.readMeta('master_key_id');
  if (named === null) {
    const sealed = await store.readMeta('fingerprint_key');
    named = await store.claimMeta('master_key_id', writeKeyIds([(sealed === null ? null : sealerOf(sealed)) ?? newest.id]));
  }
  let latest = named;
  let rereadAtMs = Number.NEGATIVE_INFINITY;

  function learn(found: readonly MasterKey[]): void {
    for (const key of found) if (!keys.has(key.id)) keys.set(key.id, key);
  }

  function find(id: string): MasterKey | undefined {
    const known = keys.get(id);
    if (known !== undefined || source.reread === null || performance.now() - rereadAtMs < REREAD_MS) return known;
    rereadAtMs = performance.now();
    try {
      learn(source.reread());
    } catch {
      // Whoever asked is told that the key is not there.
    }
    return keys.get(id);
  }

  /** Exact where the store answers at once; else as the last look found it. */
  function current(): MasterKey {
    const value = store.readMeta('master_key_id');
    if (typeof value === 'string') latest = value;
    const key = find(readKeyIds(latest)[0] ?? '');
    if (key === undefined) throw new UnsealError('wrong_key');
    return key;
  }

  const ring: MasterKeyring = {
    master: { get bytes() { return current().bytes; }, get id() { return current().id; }, other: find },
    source,
    known: () => [...keys.values()],
    async look() {
      latest = (await store.readMeta('master_key_id')) ?? latest;
      const isKnown = (): boolean => readKeyIds(latest).every((id) => keys.has(id));
      if (!isKnown()) learn(await source.load());
      return isKnown();
    },
  };
  current();
  return ring;
}
