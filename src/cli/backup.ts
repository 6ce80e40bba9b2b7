import { resolve } from 'node:path';
import { backupPlace, takeBackup, type Backup } from '../app/backup.ts';
import { dropSuperfluous } from '../app/backup-files.ts';
import { takeSeries } from '../app/backup-schedule.ts';
import { makeLog } from '../app/log.ts';
import { parseEvery, type TellProgress } from '../core/backup.ts';
import { settingsOf, type Call } from './call.ts';
import type { CommandRow } from './declare.ts';
import { CommandFailure, UsageError } from './failure.ts';
import { writeErr } from './output.ts';
import { makeProgress } from './progress.ts';
import { showTime, styleFor, table } from './text.ts';

const MAX_KEEP = 100_000;
const APART = 'The master key is not in it, nor a pepper: without them a backup opens nothing. Keep those elsewhere, apart from backups.';

/** What a backup is, for programs. */
function backupDocument({ path, manifest }: Backup): object {
  return {
    path, taken_at: new Date(manifest.takenAtMs).toISOString(), bytes: manifest.bytes, sha256: manifest.sha256, schema_version: manifest.schemaVersion,
    master_key_id: manifest.masterKeyId, last_event: manifest.lastEvent, rows: manifest.rows,
  };
}

/** Does work that touches files; whatever keeps it from being done is worded for people where it is thrown. */
export async function withProgress<T>(call: Call, work: (tell: TellProgress) => Promise<T>): Promise<T> {
  const line = makeProgress(call.out.json);
  try {
    return await work(line.tell);
  } catch (error) {
    if (error instanceof CommandFailure || error instanceof UsageError) throw error;
    throw new CommandFailure('data_unavailable', error instanceof Error ? error.message : 'the files cannot be used');
  } finally {
    line.end();
  }
}

function readKeep(text: string | undefined): number {
  const keep = text === undefined ? Number.NaN : /^[0-9]{1,6}$/.test(text) ? Number(text) : 0;
  if (text !== undefined && (keep < 1 || keep > MAX_KEEP)) throw new UsageError(`--keep is a number from 1 to ${MAX_KEEP}`);
  return keep;
}

async function takeOne(call: Call): Promise<number> {
  const { flags, out } = call;
  const settings = settingsOf(call);
  const every = flags.text('every');
  const keep = readKeep(flags.text('keep'));
  const place = backupPlace(flags.text('to'), settings.data);
  if (!Number.isNaN(keep) && place.file !== null) throw new UsageError('--keep needs a folder: --to DIR');
  if (every !== undefined) return takeMany(call, every, keep);
  const backup = await withProgress(call, (tell) => takeBackup(settings.data, place, Date.now(), tell));
  const dropped = Number.isNaN(keep) ? [] : dropSuperfluous(place.folder, keep);
  await out.document({ ...backupDocument(backup), dropped });
  await out.print(`Backed up to ${styleFor(out.styled).bold(backup.path)} (${backup.manifest.bytes} bytes, SHA-256 ${backup.manifest.sha256.slice(0, 16)}…).`);
  if (dropped.length > 0) await out.print(`Dropped ${dropped.length} older ${dropped.length === 1 ? 'one' : 'ones'}.`);
  await out.print(APART);
  return 0;
}

async function takeMany(call: Call, every: string, keep: number): Promise<number> {
  const settings = settingsOf(call);
  const place = backupPlace(call.flags.text('to'), settings.data);
  const everyMs = parseEvery(every);
  if (everyMs === null) throw new UsageError('--every is how long to wait between two, like 30m, 1h or 1d');
  if (place.file !== null) throw new UsageError('--every needs a folder: --to DIR');
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort());
  const log = makeLog(settings.logLevel, writeErr, Date.now);
  log.info('backups started', { folder: place.folder, every, keep: Number.isNaN(keep) ? null : keep, note: APART });
  await takeSeries({
    everyMs, log, stop: stop.signal, now: Date.now,
    take: () => takeBackup(settings.data, place, Date.now(), () => undefined),
    drop: () => (Number.isNaN(keep) ? [] : dropSuperfluous(place.folder, keep)),
  });
  log.info('backups stopped');
  log.flush();
  return 0;
}

async function verify(call: Call): Promise<number> {
  const { out, flags } = call;
  const settings = settingsOf(call);
  const { verifyBackup } = await import('../app/verify-backup.ts');
  const verdict = await withProgress(call, (tell) => verifyBackup(settings, resolve(call.args[0] ?? ''), flags.text('scratch'), tell));
  await out.document({ ok: verdict.ok, taken_at: verdict.manifest === null ? null : new Date(verdict.manifest.takenAtMs).toISOString(), checks: verdict.checks });
  await out.print(table(out.styled, ['CHECK', 'OUTCOME', ''], verdict.checks.map(({ name, outcome, detail }) => [name, outcome, detail])));
  const taken = verdict.manifest === null ? '' : ` of ${showTime(verdict.manifest.takenAtMs)}`;
  await out.print(verdict.ok ? `This backup${taken} can be restored.` : 'This backup cannot be relied on.');
  return verdict.ok ? 0 : 1;
}

/** `assay backup …` */
export const backupCommands: readonly CommandRow[] = [
  {
    name: 'take', summary: 'Back up the database, also while a server runs; `assay backup` alone does the same', isDefault: true,
    flags: [
      ['--to <PLACE>', 'folder, or a new file that ends in .db (default: backups in the data folder)'],
      ['--every <TIME>', 'go on until stopped, and take one so often: 30m, 1h, 1d'],
      ['--keep <N>', 'drop all but the newest N of the folder\'s backups after each that succeeded'],
    ],
    notes: `${APART}\nA copy on the disk that fails with the original is none: name a folder on another with --to.`,
    run: takeOne,
  },
  {
    name: 'verify', summary: 'Look whether a backup can be lived from: every page, every seal, and a token issued and revoked in a copy of it',
    args: [['<FILE>', 'the backup, its manifest beside it']],
    flags: [['--scratch <DIR>', 'folder for the copy, which is as large as the backup (default: the system\'s for temporary files)']],
    notes: 'Needs the master key that belongs to the backup: that of --data, or what the settings name.',
    run: verify,
  },
];
