import { existsSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { backupName, manifestName, writeManifest, type Manifest, type TellProgress } from '../core/backup.ts';
import { copyDatabase, readFacts } from '../storage/sqlite/backup.ts';
import { version } from '../version.ts';
import { dropAbandoned, PARTIAL, preparePrivateFolder, readThrough, syncFile, writeWhole } from './backup-files.ts';
import { dataFiles, FileTrouble, syncDirectory } from './files.ts';

/** A backup that is on disk, with its manifest. */
export type Backup = { readonly path: string; readonly manifest: Manifest };

/** Where a backup goes: a folder takes any number of them, a file (`….db`) that is not there yet takes one. */
export type BackupPlace = { readonly folder: string; readonly file: string | null };

/** Reads what `--to` names. @param to undefined: the folder `backups` within the data folder */
export function backupPlace(to: string | undefined, data: string): BackupPlace {
  if (to === undefined) return { folder: join(data, 'backups'), file: null };
  const isFolder = statSync(to, { throwIfNoEntry: false })?.isDirectory() ?? !to.endsWith('.db');
  return isFolder ? { folder: to, file: null } : { folder: dirname(resolve(to)), file: basename(to) };
}

/**
 * Takes a backup of a data folder's database, while servers and commands work on it: consistent as of one moment, private,
 * and complete with its manifest or not there at all. The master key is no part of it (JK-09).
 * @param nowMs gives it its name
 * @throws FileTrouble, FileFault, and SQLite's own words when the disk is full
 */
export async function takeBackup(data: string, place: BackupPlace, nowMs: number, tell: TellProgress): Promise<Backup> {
  const { database } = dataFiles(data);
  if (!existsSync(database)) throw new FileTrouble(`there is no database in ${data} to back up: name the data folder with --data`);
  preparePrivateFolder(place.folder);
  const file = place.file ?? backupName(nowMs);
  const path = join(place.folder, file);
  const draft = `${path}.${crypto.randomUUID()}${PARTIAL}`;
  for (const taken of [path, join(place.folder, manifestName(file))]) {
    if (existsSync(taken)) throw new FileTrouble(`${taken} is there already, and a backup never replaces anything: name another file, or a folder`);
  }
  dropAbandoned(place.folder, place.file, nowMs);
  try {
    await copyDatabase(database, draft, tell);
    const facts = readFacts(draft);
    syncFile(draft);
    const { bytes, sha256 } = await readThrough(draft, tell, 'hashing');
    const manifest: Manifest = { program: 'assay', version, takenAtMs: nowMs, file, bytes, sha256, ...facts };
    renameSync(draft, path);
    syncDirectory(place.folder);
    writeWhole(join(place.folder, manifestName(file)), writeManifest(manifest));
    return { path, manifest };
  } finally {
    rmSync(draft, { force: true });
    rmSync(`${draft}-journal`, { force: true });
  }
}
