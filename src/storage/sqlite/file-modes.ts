import { chmodSync, closeSync, openSync, statSync } from 'node:fs';

/** Reading and writing for the owner, nothing for others (CR-09). */
const PRIVATE = 0o600;

/** Makes an empty file that only its owner may read; does nothing when it exists. */
export function createPrivate(path: string): void {
  try {
    closeSync(openSync(path, 'wx', PRIVATE));
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error;
  }
}

/**
 * Takes others' rights to the database's files away (CR-09). SQLite gives `-wal` and `-shm` the mode of the database.
 * Never opens an existing one: closing it again would drop the locks of other connections of this process.
 * Throws an Error when a file is too open and not ours to change.
 */
export function tightenModes(path: string): void {
  for (const file of [path, `${path}-wal`, `${path}-shm`]) {
    const stat = statSync(file, { throwIfNoEntry: false });
    if (stat === undefined || (stat.mode & 0o077) === 0) continue;
    try {
      chmodSync(file, PRIVATE);
    } catch (error) {
      throw new Error(`${file} can be read by other users, and its mode cannot be changed`, { cause: error });
    }
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
