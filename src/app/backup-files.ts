import { createHash } from 'node:crypto';
import { chmodSync, closeSync, existsSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { backupTime, chooseSuperfluous, manifestName, readManifest, type Manifest, type TellProgress } from '../core/backup.ts';
import { FileTrouble, syncDirectory } from './files.ts';

/** Bytes that are copied and hashed in one go. */
const PIECE = 4_194_304;
const windows = process.platform === 'win32';

/** Ends of the names that unfinished work has: ours to remove. */
export const PARTIAL = '.partial';

/**
 * Makes a folder for its owner alone. One that is there and open to others is closed to them where it holds nothing but
 * backups; else that might lock somebody out, and it is refused (CR-09). @throws FileTrouble
 */
export function preparePrivateFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new FileTrouble(`the folder ${path} cannot be made: ${error instanceof Error ? error.message : 'unknown reason'}`);
  }
  if (windows || (statSync(path).mode & 0o077) === 0) return;
  const foreign = readdirSync(path).find((name) => backupTime(name.replace(/\.json$/, '.db').replace(/\.[0-9a-f-]{36}\.partial$/, '')) === null);
  if (foreign !== undefined) {
    throw new FileTrouble(`${path} can be entered by others, and holds more than backups: name a folder for backups alone, or run chmod 700 on it`);
  }
  try {
    chmodSync(path, 0o700);
  } catch {
    throw new FileTrouble(`${path} can be entered by others, and its mode cannot be changed: run chmod 700 on it as its owner`);
  }
}

/** What nobody wrote to for so long is nobody's work any more, milliseconds. */
const ABANDONED_MS = 86_400_000;
const draftForm = /^(.+)\.[0-9a-f-]{36}\.partial(?:-journal)?$/;

/** Deletes what a backup left that was killed in the middle of it: of our names alone. What cannot be deleted stays. @param file a name that a backup is also known to be given, or null */
export function dropAbandoned(folder: string, file: string | null, nowMs: number): void {
  for (const name of readdirSync(folder)) {
    const draftOf = draftForm.exec(name)?.[1];
    if (draftOf === undefined || (backupTime(draftOf.replace(/\.json$/, '.db')) === null && draftOf !== file)) continue;
    const path = join(folder, name);
    if (nowMs - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? nowMs) < ABANDONED_MS) continue;
    rmSync(path, { force: true });
  }
}

/** Puts a file's content on disk. */
export function syncFile(path: string): void {
  const descriptor = openSync(path, 'r+');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** A file's size and SHA-256 (hexadecimal), and where `to` is given a private copy of it, on disk. @throws the system's errors */
export async function readThrough(path: string, tell: TellProgress, what: string, to: string | null = null): Promise<{ readonly bytes: number; readonly sha256: string }> {
  const source = await open(path, 'r');
  const target = to === null ? null : await open(to, 'wx', 0o600);
  try {
    const { size } = await source.stat();
    const hash = createHash('sha256');
    const buffer = Buffer.allocUnsafe(PIECE);
    let done = 0;
    for (;;) {
      const { bytesRead } = await source.read(buffer, 0, PIECE, done);
      if (bytesRead === 0) break;
      const piece = buffer.subarray(0, bytesRead);
      hash.update(piece);
      if (target !== null) await target.write(piece, 0, bytesRead, done);
      done += bytesRead;
      tell(what, done, size);
    }
    await target?.sync();
    return { bytes: done, sha256: hash.digest('hex') };
  } finally {
    await source.close();
    await target?.close();
  }
}

/** Writes a private file that is complete and on disk, or not there at all. */
export function writeWhole(path: string, text: string): void {
  const draft = `${path}.${crypto.randomUUID()}${PARTIAL}`;
  try {
    writeFileSync(draft, text, { mode: 0o600, flag: 'wx', flush: true });
    renameSync(draft, path);
    syncDirectory(dirname(path));
  } finally {
    rmSync(draft, { force: true });
  }
}

/** The manifest beside a backup; null: there is none. @throws FileTrouble when it is damaged */
export function loadManifest(file: string): Manifest | null {
  const path = join(dirname(file), manifestName(basename(file)));
  if (path === file || !existsSync(path)) return null;
  const manifest = readManifest(readFileSync(path, 'utf8'));
  if (manifest === null) throw new FileTrouble(`${path} is damaged, or is not the manifest of a backup`);
  return manifest;
}

function isComplete(folder: string, name: string): boolean {
  try {
    const manifest = loadManifest(join(folder, name));
    return manifest !== null && manifest.file === name && statSync(join(folder, name)).size === manifest.bytes;
  } catch {
    return false;
  }
}

/** Complete backups in a folder, the newest first; of names that are ours. */
export function listBackups(folder: string): readonly string[] {
  return readdirSync(folder).filter((name) => backupTime(name) !== null && isComplete(folder, name)).toSorted().toReversed();
}

/** Deletes backups that are more than are to be kept; only ours, only complete ones, never the newest. Returns their names. */
export function dropSuperfluous(folder: string, keep: number): readonly string[] {
  const complete = new Set(listBackups(folder));
  const superfluous = chooseSuperfluous([...complete].map((name) => ({ name, complete: true })), keep);
  for (const name of superfluous) {
    // The file first: what has no manifest beside it is nobody's to delete later.
    rmSync(join(folder, name));
    rmSync(join(folder, manifestName(name)));
  }
  if (superfluous.length > 0) syncDirectory(folder);
  return superfluous;
}
