import { existsSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { backupTime } from '../../core/backup.ts';
import { fine, nothing, problem, warning, type Seen } from '../../core/finding.ts';
import { checkLibrary, isWriteBlocked } from '../../storage/sqlite/checkup.ts';
import { listBackups } from '../backup-files.ts';
import { dataFiles } from '../files.ts';
import { chooseMasterKeySource } from '../master-key.ts';
import type { CheckRow, Patient } from './examine.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
const MIB = 1_048_576;
/** By so much the clock may be behind the mark, milliseconds (TM-01). */
const CLOCK_TOLERANCE_MS = 10_000;
/** Less free space is a problem, or worth a word, bytes. */
const NO_SPACE = 64 * MIB;
const LITTLE_SPACE = 512 * MIB;
/** A log that was not folded back into the database for long, bytes: the server keeps it below 64 MiB. */
const LARGE_WAL = 256 * MIB;
/** A writer that takes longer than any of ours, milliseconds. */
const WRITER_MS = 2_000;
/** A key that signed for longer should be replaced, milliseconds. */
const OLD_KEY_MS = 400 * DAY_MS;
const OLD_BACKUP_MS = 25 * HOUR_MS;

/** File systems that other machines see too: their locks cannot be relied on (statfs(2)). */
const networkSystems: Readonly<Record<string, string>> = {
  '0x6969': 'NFS', '0x517b': 'SMB', '0xff534d42': 'CIFS', '0xfe534d42': 'SMB 2', '0x01021997': '9P', '0x65735546': 'FUSE', '0x5346414f': 'AFS', '0x00c36400': 'Ceph', '0x0bd00bd0': 'Lustre',
};

/** Name of a file system by its number, if it is one of a network. */
export function networkSystem(type: number): string | null {
  return networkSystems[`0x${(type >>> 0).toString(16)}`] ?? networkSystems[`0x${(type >>> 0).toString(16).padStart(8, '0')}`] ?? null;
}

const databaseOf = ({ settings }: Patient): string => dataFiles(settings.data).database;
const mib = (bytes: number): string => `${Math.round(bytes / MIB)} MiB`;

/** Nothing to look at where there is no data. */
const withData = (look: (patient: Patient) => Seen | Promise<Seen>) => (patient: Patient): Seen | Promise<Seen> =>
  existsSync(databaseOf(patient)) ? look(patient) : nothing('there is no database yet');

function checkModes(patient: Patient): Seen {
  if (process.platform === 'win32') return nothing('modes mean nothing here');
  const { data, masterKeyFile } = patient.settings;
  const { database, masterKey } = dataFiles(data);
  const wanted: readonly (readonly [path: string, mode: number])[] = [
    [data, 0o700], [database, 0o600], [`${database}-wal`, 0o600], [`${database}-shm`, 0o600], [masterKeyFile ?? masterKey, 0o600],
  ];
  const found = wanted.flatMap(([path, mode]) => {
    const stat = statSync(path, { throwIfNoEntry: false });
    return stat === undefined ? [] : [{ path, mode, is: stat.mode & 0o777, owner: stat.uid }];
  });
  const open = found.filter(({ mode, is }) => (is & ~mode) !== 0);
  if (open.length > 0) return problem(`others can use ${open.map(({ path, is }) => `${path} (${is.toString(8)})`).join(', ')}`, open.map(({ path, mode }) => `chmod ${mode.toString(8)} ${path}`).join('; '));
  const [first] = found;
  const other = found.find(({ owner }) => owner !== first?.owner);
  if (first !== undefined && other !== undefined) return problem(`${other.path} belongs to another user than ${first.path}`, `chown --reference=${first.path} ${other.path}`);
  return fine(`${found.length} files and folders are their owner's alone`);
}

function checkKeys({ checkup, nowMs }: Patient): Seen {
  const { tenants } = checkup();
  const without = tenants.filter(({ activeSinceMs }) => activeSinceMs === null).map(({ slug }) => slug);
  if (without.length > 0) return problem(`no key signs for ${without.join(', ')}`, 'start the server, which makes the keys of the tenant default; for others `assay keys list --tenant SLUG`');
  const unready = tenants.filter(({ nextSinceMs }) => nextSinceMs === null).map(({ slug }) => slug);
  if (unready.length > 0) return warning(`no next key is published for ${unready.join(', ')}`, 'rotate once: `assay keys rotate --tenant SLUG`');
  const old = tenants.filter(({ activeSinceMs }) => activeSinceMs !== null && nowMs - activeSinceMs > OLD_KEY_MS).map(({ slug }) => slug);
  if (old.length > 0) return warning(`the signing key of ${old.join(', ')} is older than ${OLD_KEY_MS / DAY_MS} days`, 'rotate it: `assay keys rotate --tenant SLUG`, or on a schedule: `assay tenant update SLUG --key-rotation 90`');
  return fine(`every tenant (${tenants.length}) has a key that signs and a next one that is published`);
}

function checkBackups({ backups, settings, nowMs }: Patient): Seen {
  const folder = backups ?? join(settings.data, 'backups');
  if (!existsSync(folder)) return backups === null ? nothing('no folder of backups is known; name one with --backups') : problem(`${folder} does not exist`, `assay backup --to ${folder}`);
  const [newest] = listBackups(folder);
  const atMs = newest === undefined ? null : backupTime(newest);
  if (atMs === null) return problem(`there is no complete backup in ${folder}`, `assay backup --to ${folder}`);
  const hours = Math.floor((nowMs - atMs) / HOUR_MS);
  return nowMs - atMs > OLD_BACKUP_MS
    ? warning(`the newest backup is ${hours} hours old`, `assay backup --every 1h --keep 48 --to ${folder}`)
    : fine(`the newest backup is ${hours} hours old; \`assay backup verify\` tells whether it can be lived from`);
}

/** What this machine and the data tell. */
export const dataChecks: readonly CheckRow[] = [
  {
    check: 'sqlite',
    look: () => {
      const { version, fault } = checkLibrary();
      return fault === null ? fine(`SQLite ${version}`) : problem(fault, 'use the executable as it is published, which brings its own SQLite');
    },
  },
  {
    check: 'data',
    look: ({ settings }) => {
      if (!existsSync(settings.data)) return problem(`${settings.data} does not exist`, 'name the data folder with --data or ASSAY_DATA, or start a server, which makes it');
      return existsSync(dataFiles(settings.data).database) ? fine(settings.data) : problem(`there is no database in ${settings.data}`, 'name the data folder with --data or ASSAY_DATA, or start a server, which makes it');
    },
  },
  {
    check: 'schema',
    look: withData(({ checkup }) => {
      const { schemaVersion, knownSchema } = checkup();
      if (schemaVersion > knownSchema) return problem(`schema ${schemaVersion} is newer than this program, which knows ${knownSchema}`, 'use the newer program that it was made with');
      return schemaVersion === knownSchema ? fine(`version ${schemaVersion}`) : warning(`version ${schemaVersion}, and this program's is ${knownSchema}`, 'assay migrate, or the next start, brings it up to date and keeps a copy');
    }),
  },
  {
    check: 'clock',
    look: withData(({ checkup, nowMs }) => {
      const behindMs = checkup().markMs - nowMs;
      return behindMs > CLOCK_TOLERANCE_MS
        ? problem(`this machine's clock is ${Math.round(behindMs / 1000)} s behind the latest time that the data has seen; no tokens are issued`, 'set the clock right, and keep it so (chrony, systemd-timesyncd); if it is right: assay serve --accept-clock')
        : fine('not behind what the data has seen');
    }),
  },
  {
    check: 'file system',
    look: ({ settings }) => {
      if (!existsSync(settings.data)) return nothing('the data folder is not there yet');
      const network = networkSystem(statfsSync(settings.data).type);
      return network === null ? fine('a local one, with locks that can be relied on') : problem(`the data folder is on ${network}, where locks and the write-ahead log cannot be relied on`, 'put the data on a local disk');
    },
  },
  {
    check: 'journal',
    look: withData(({ checkup }) => {
      const { journalMode, walBytes } = checkup();
      if (walBytes > LARGE_WAL) return warning(`the write-ahead log has ${mib(walBytes)}`, 'a program keeps reading from an old state: end long-running sqlite3 sessions and stuck commands');
      return fine(journalMode === 'wal' ? `write-ahead log of ${mib(walBytes)}` : 'nobody has it open; the write-ahead log comes with the next start');
    }),
  },
  {
    check: 'writer',
    look: withData((patient) => (isWriteBlocked(databaseOf(patient), WRITER_MS)
      ? problem(`somebody has kept the database locked for more than ${WRITER_MS / 1000} s`, 'end the program that holds it: `fuser -v` on assay.db tells which')
      : fine('nobody keeps others from writing'))),
  },
  {
    check: 'disk space',
    look: ({ settings, checkup }) => {
      if (!existsSync(settings.data)) return nothing('the data folder is not there yet');
      const { bavail, bsize } = statfsSync(settings.data);
      const free = bavail * bsize;
      const size = existsSync(dataFiles(settings.data).database) ? checkup().databaseBytes : 0;
      if (free < NO_SPACE) return problem(`only ${mib(free)} are free`, 'make room: without it nothing is issued');
      return free < Math.max(LITTLE_SPACE, size) ? warning(`${mib(free)} are free, the database has ${mib(size)}`, 'make room: a backup or a migration needs as much as the database') : fine(`${mib(free)} are free`);
    },
  },
  { check: 'permissions', look: checkModes },
  {
    check: 'master key',
    look: withData(async ({ settings, checkup }) => {
      const source = chooseMasterKeySource(settings, true);
      const keys = await source.load();
      const { masterKeyId } = checkup();
      if (masterKeyId !== null && !keys.some(({ id }) => id === masterKeyId)) return problem(`the data was sealed under the key ${masterKeyId}, which is another one`, 'put the key that belongs to the data back, or name it with ASSAY_MASTER_KEY_FILE');
      return source.kind === 'environment'
        ? warning('it is the key of the data, and in the environment, which others on this machine may see', 'use ASSAY_MASTER_KEY_FILE or ASSAY_MASTER_KEY_COMMAND')
        : fine(`it is the key of the data (${masterKeyId ?? 'nothing is sealed yet'}), from a ${source.kind}`);
    }),
  },
  { check: 'keys', look: withData(checkKeys) },
  { check: 'backups', look: checkBackups },
];
