import { chmodSync, closeSync, existsSync, fsyncSync, linkSync, mkdirSync, openSync, readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { generateMasterKey, masterKey, type MasterKey } from '../keys/seal.ts';

/** Something about files that only the operator can mend; the message says what to do. */
export class FileTrouble extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'FileTrouble';
  }
}

const windows = process.platform === 'win32';

/** Narrows a mode that lets others in; refuses only where it cannot (CR-09). */
function tighten(path: string, mode: number): void {
  if (windows) return;
  if ((statSync(path).mode & 0o777 & ~mode) === 0) return;
  try {
    chmodSync(path, mode);
  } catch {
    throw new FileTrouble(`${path} can be read by others, and its mode cannot be changed: run chmod ${mode.toString(8)} on it as its owner`);
  }
}

/** Makes the data directory, for its owner alone. @throws FileTrouble */
export function prepareDataDirectory(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new FileTrouble(`the data directory ${path} cannot be made: ${error instanceof Error ? error.message : 'unknown reason'}`);
  }
  tighten(path, 0o700);
}

/**
 * Reads the master keys of a file, or makes one for data that has none yet. A file may list several, one a line: the first
 * is the newest, the others opened what is not sealed anew yet (JK-08).
 * @param hasData whether a database is there already: then a missing key is trouble, not a first start
 * @throws FileTrouble
 */
export function loadMasterKeys(path: string, hasData: boolean): { readonly keys: readonly MasterKey[]; readonly created: boolean } {
  if (existsSync(path)) return { keys: readMasterKeys(path), created: false };
  if (hasData) {
    throw new FileTrouble(`${path} is missing, and without it the keys in the database cannot be opened: put it back, or name it by ASSAY_MASTER_KEY_FILE`);
  }
  const fresh = generateMasterKey();
  const draft = writeDraft(path, [fresh]);
  try {
    // A link fails where the name exists: of two first starts at once, one key wins and both use it.
    linkSync(draft, path);
    syncDirectory(dirname(path));
    return { keys: [fresh], created: true };
  } catch (error) {
    if (existsSync(path)) return { keys: readMasterKeys(path), created: false };
    throw cannotWrite(path, error);
  } finally {
    rmSync(draft, { force: true });
  }
}

function cannotWrite(path: string, error: unknown): FileTrouble {
  return new FileTrouble(`the master key ${path} cannot be written: ${error instanceof Error ? error.message : 'unknown reason'}`);
}

/** A file beside the key's, complete and on disk. @throws FileTrouble */
function writeDraft(path: string, keys: readonly MasterKey[]): string {
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    writeFileSync(draft, keys.map(({ bytes }) => `${bytes.toString('base64')}\n`).join(''), { mode: 0o600, flush: true });
    return draft;
  } catch (error) {
    rmSync(draft, { force: true });
    throw cannotWrite(path, error);
  }
}

/** Replaces the keys of a file in one step: whoever reads it finds the former ones or these. @throws FileTrouble */
export function replaceMasterKeys(path: string, keys: readonly MasterKey[]): void {
  // A name that leads elsewhere keeps leading there.
  const target = existsSync(path) ? realpathSync(path) : path;
  const draft = writeDraft(target, keys);
  try {
    renameSync(draft, target);
    syncDirectory(dirname(target));
  } catch (error) {
    rmSync(draft, { force: true });
    throw cannotWrite(path, error);
  }
}

/**
 * Reads the key that goes into passwords; its mode is narrowed like the master key's (CR-08). It is never made here: it is
 * the operator's to keep apart from the data. @throws FileTrouble
 */
export function loadPepper(path: string): Buffer {
  if (!existsSync(path)) throw new FileTrouble(`${path}, named by ASSAY_PASSWORD_PEPPER_FILE, is missing; \`openssl rand -base64 32\` makes one`);
  tighten(path, 0o600);
  const text = readFileSync(path, 'utf8').trim();
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length !== 32 || bytes.toString('base64') !== text) throw new FileTrouble(`${path} does not hold a pepper (32 bytes in base64)`);
  return bytes;
}

/** Puts a new name in a directory on disk: data sealed under the key must never outlive it. */
export function syncDirectory(path: string): void {
  if (windows) return;
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** More keys than ever stand beside each other. */
const MOST_KEYS = 16;

/** Reads master keys, one a line (a comma will do), the newest first; null: the text is something else. */
export function parseMasterKeys(text: string): readonly MasterKey[] | null {
  const words = text.split(/[\s,]+/).filter((word) => word !== '');
  const keys = words.slice(0, MOST_KEYS + 1).map((word) => {
    const bytes = Buffer.from(word, 'base64');
    return bytes.length === 32 && bytes.toString('base64') === word ? masterKey(bytes) : null;
  });
  const whole = keys.filter((key) => key !== null);
  return whole.length > 0 && whole.length === words.length && whole.length <= MOST_KEYS ? whole : null;
}

/** @throws FileTrouble */
export function readMasterKeys(path: string): readonly MasterKey[] {
  tighten(path, 0o600);
  const keys = parseMasterKeys(readFileSync(path, 'utf8'));
  if (keys === null) throw new FileTrouble(`${path} does not hold a master key (32 bytes in base64; while one replaces another, one a line)`);
  return keys;
}

/** Paths within a data directory. */
export function dataFiles(directory: string): { readonly database: string; readonly masterKey: string; readonly config: string } {
  return { database: join(directory, 'assay.db'), masterKey: join(directory, 'master.key'), config: join(directory, 'assay.toml') };
}
