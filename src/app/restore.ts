import { copyFileSync, existsSync, linkSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Settings } from '../config/settings.ts';
import type { TellProgress } from '../core/backup.ts';
import type { LostEvent, RestoreItem } from '../core/restore.ts';
import { deleteAgain, renewKeys } from '../service/restore.ts';
import { copyDatabase, FileFault, readFacts, takeForItself, type SoleOwner } from '../storage/sqlite/backup.ts';
import { endThePast, type Restored } from '../storage/sqlite/restore.ts';
import { readThrough, syncFile } from './backup-files.ts';
import { dataFiles, FileTrouble, prepareDataDirectory, syncDirectory } from './files.ts';
import { ensureDefaultTenant } from './first-tenant.ts';
import { openApplication } from './open.ts';
import { settingsForCopy, verifyBackup, type Verdict } from './verify-backup.ts';

/** What an operator wants of a restore. */
export type RestoreWish = {
  readonly file: string;
  /** A backup may come without its manifest, as those do that are made before a migration. */
  readonly withoutManifest: boolean;
  /** The database that is there is damaged, and no server runs on it: nobody can find out whether one does. */
  readonly replaceDamaged: boolean;
};

/** What a restore came to. */
export type RestoreReport = {
  readonly verdict: Verdict;
  /** Where the replaced database lies now; null: there was none. */
  readonly replaced: string | null;
  readonly restored: Restored;
  readonly again: readonly RestoreItem[];
  readonly failed: readonly RestoreItem[];
  readonly lost: readonly LostEvent[];
  readonly keysMade: number;
};

/** The backup is not fit; the checks say why. Nothing was changed. */
export class UnfitBackup extends Error {
  readonly verdict: Verdict;
  constructor(verdict: Verdict) {
    super('the backup cannot be relied on; nothing was changed');
    this.name = 'UnfitBackup';
    this.verdict = verdict;
  }
}

const WORK = 'restoring-';
const inUse = 'a server or a command works on this data: stop it first, then restore (every process that has the database open holds a lock on it)';

/** Holds the database that is there, if one is; `damaged`: it is no database any more. @throws FileTrouble */
function holdCurrent(database: string, replaceDamaged: boolean): { readonly owner: SoleOwner | null; readonly damaged: boolean } {
  if (!existsSync(database)) return { owner: null, damaged: false };
  try {
    const owner = takeForItself(database);
    if (owner === null) throw new FileTrouble(inUse);
    return { owner, damaged: false };
  } catch (error) {
    if (!(error instanceof FileFault)) throw error;
    if (!replaceDamaged) {
      throw new FileTrouble(`the database that is there cannot be read (${error.message}), so nobody can tell whether a server runs on it: stop it, and repeat with --replace-damaged`);
    }
    return { owner: null, damaged: true };
  }
}

/** A copy of the database that is there, to compare with; null: it has nothing to tell. */
function copyOfCurrent(owner: SoleOwner | null, folder: string): string | null {
  if (owner === null) return null;
  const path = join(folder, 'was.db');
  try {
    owner.copyTo(path);
    readFacts(path);
    return path;
  } catch {
    rmSync(path, { force: true });
    return null;
  }
}

/** Another name for a file; a copy where the file system knows no second names. */
function keepAside(path: string, aside: string): void {
  try {
    linkSync(path, aside);
  } catch {
    copyFileSync(path, aside);
    syncFile(aside);
  }
}

/**
 * Puts the new database in place of the old, which keeps lying aside. At no moment is there none; a log of the old one
 * never lies beside the new one. @returns where the old one is now
 */
function swap(database: string, fresh: string, hadDatabase: boolean, damaged: boolean, nowMs: number): string | null {
  if (!hadDatabase) {
    // A link fails where the name exists: somebody may have started a server here meanwhile.
    linkSync(fresh, database);
    return null;
  }
  const aside = `${database}.replaced-${new Date(nowMs).toISOString().replaceAll(/[-:]/g, '')}`;
  if (damaged) for (const end of ['-wal', '-shm']) if (existsSync(database + end)) renameSync(database + end, aside + end);
  keepAside(database, aside);
  renameSync(fresh, database);
  return aside;
}

/**
 * Replaces a data folder's database by a backup: looked at first, made safe apart from the data, and put in place in one
 * step, so that a crash at any moment leaves the old one or the new one, whole. Nothing that was issued before is good
 * afterwards (OP-07).
 * @throws FileTrouble, UnfitBackup, UnsealError, and SQLite's own words when the disk is full
 */
export async function restoreBackup(settings: Settings, wish: RestoreWish, nowMs: number, tell: TellProgress): Promise<RestoreReport> {
  prepareDataDirectory(settings.data);
  const { database } = dataFiles(settings.data);
  const hadDatabase = existsSync(database);
  const { owner, damaged } = holdCurrent(database, wish.replaceDamaged);
  const work = mkdtempSync(join(settings.data, WORK));
  try {
    // Left by restores that were cut short; whoever holds the database is alone.
    if (owner !== null) dropLeftovers(settings.data, work);
    const verdict = await verifyBackup(settings, wish.file, work, tell);
    const unfit = verdict.checks.filter(({ name, outcome }) => outcome === 'failed' && !(name === 'manifest' && wish.withoutManifest && verdict.manifest === null));
    if (unfit.length > 0) throw new UnfitBackup(verdict);
    const fresh = join(work, 'data');
    mkdirSync(fresh, { mode: 0o700 });
    const draft = dataFiles(fresh).database;
    const { sha256 } = await readThrough(wish.file, tell, 'copying', draft);
    if (sha256 !== verdict.sha256) throw new FileTrouble(`${wish.file} changed while it was looked at; nothing was changed`);
    const was = copyOfCurrent(owner, work);
    const taken = verdict.manifest === null ? 'unknown' : new Date(verdict.manifest.takenAtMs).toISOString();
    const restored = await endThePast({ path: draft, was, nowMs, event: { actor: 'operator', subject: basename(wish.file), reason: `taken_${taken}` } });
    const made = await makeUsable(settings, fresh, restored, tell);
    // In one file that nobody has opened yet: what the work above left open concerns the draft alone.
    const whole = join(work, 'whole.db');
    await copyDatabase(draft, whole, tell);
    syncFile(whole);
    const replaced = swap(database, whole, hadDatabase, damaged, nowMs);
    syncDirectory(settings.data);
    return { verdict, replaced, restored, again: [...restored.carried, ...made.done], failed: made.failed, lost: restored.lost, keysMade: made.keys };
  } finally {
    owner?.release();
    rmSync(work, { recursive: true, force: true });
  }
}

function dropLeftovers(data: string, own: string): void {
  for (const name of readdirSync(data)) {
    if (name.startsWith(WORK) && join(data, name) !== own) rmSync(join(data, name), { recursive: true, force: true });
  }
}

/** New keys, and what was deleted since the backup deleted again. */
async function makeUsable(settings: Settings, folder: string, restored: Restored, tell: TellProgress): Promise<{ readonly keys: number; readonly done: readonly RestoreItem[]; readonly failed: readonly RestoreItem[] }> {
  const application = await openApplication({ ...settingsForCopy(settings, folder), acceptClock: false });
  try {
    const again = await deleteAgain(application.ctx, restored.deleted);
    const keys = await renewKeys(application.ctx, (done, total) => tell('making keys', done, total));
    await ensureDefaultTenant(application, 'await');
    return { keys, ...again };
  } finally {
    await application.close();
  }
}
