/** Backups: what they are called, what lies beside them, which of them go. Suffix `Ms`: milliseconds since the epoch (UTC). */

/** How far long work has come. @param total null: nobody knows */
export type TellProgress = (what: string, done: number, total: number | null) => void;

/** The newest event of a chain of the audit trail. `tenant`: slug; null: the server's own. */
export type AuditHead = { readonly tenant: string | null; readonly number: number; readonly hash: string | null };

/** What is in a database, told without what it holds. */
export type DatabaseFacts = {
  readonly schemaVersion: number;
  /** Rows by table. */
  readonly rows: Readonly<Record<string, number>>;
  readonly auditHeads: readonly AuditHead[];
  /** Number that the audit trail has come to; 0: it is empty. */
  readonly lastEvent: number;
  /** Name of the master key that it is sealed under, never the key; null: nothing was sealed yet. */
  readonly masterKeyId: string | null;
};

/** What lies beside a backup: with it the backup is complete. */
export type Manifest = DatabaseFacts & {
  readonly program: 'assay';
  /** Of the program that made it. */
  readonly version: string;
  readonly takenAtMs: number;
  /** Name of the file that it belongs to. */
  readonly file: string;
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
};

const PREFIX = 'assay-';
const DATABASE = '.db';
const MANIFEST = '.json';
const NAME = /^assay-(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})\.(\d{3})Z\.db$/;

/** Name of a backup's file: `assay-20261120T160718.123Z.db`. */
export function backupName(takenAtMs: number): string {
  return `${PREFIX}${new Date(takenAtMs).toISOString().replaceAll(/[-:]/g, '')}${DATABASE}`;
}

/** When a backup of that name was taken; null: that is not how we call backups. */
export function backupTime(name: string): number | null {
  const [, year, month, day, hour, minute, second, milliseconds] = NAME.exec(name) ?? [];
  const ms = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${milliseconds}Z`);
  return Number.isNaN(ms) ? null : ms;
}

/** Name of the manifest that belongs to a backup's file. */
export function manifestName(file: string): string {
  return `${file.endsWith(DATABASE) ? file.slice(0, -DATABASE.length) : file}${MANIFEST}`;
}

/** The manifest as text: snake_case, times RFC 3339. */
export function writeManifest(manifest: Manifest): string {
  return `${JSON.stringify({
    program: manifest.program, version: manifest.version, taken_at: new Date(manifest.takenAtMs).toISOString(), file: manifest.file, bytes: manifest.bytes,
    sha256: manifest.sha256, schema_version: manifest.schemaVersion, master_key_id: manifest.masterKeyId, rows: manifest.rows, last_event: manifest.lastEvent,
    audit_heads: manifest.auditHeads,
  }, null, 2)}\n`;
}

const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
const isTextOrNull = (value: unknown): value is string | null => value === null || typeof value === 'string';
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value);

function readHead(value: unknown): AuditHead | null {
  if (!isObject(value)) return null;
  const { tenant, number, hash } = value;
  return isTextOrNull(tenant) && isCount(number) && isTextOrNull(hash) ? { tenant, number, hash } : null;
}

function parseObject(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

/** Reads a manifest. null: it is none, or damaged. */
export function readManifest(text: string): Manifest | null {
  const value = parseObject(text);
  if (value === null) return null;
  const { program, version, taken_at: takenAt, file, bytes, sha256, schema_version: schemaVersion, master_key_id: masterKeyId, rows, last_event: lastEvent, audit_heads: heads } = value;
  if (program !== 'assay' || typeof version !== 'string' || typeof takenAt !== 'string' || typeof file !== 'string' || !isCount(bytes)) return null;
  if (typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/.test(sha256) || !isCount(schemaVersion) || !isTextOrNull(masterKeyId) || !isCount(lastEvent)) return null;
  const takenAtMs = Date.parse(takenAt);
  if (Number.isNaN(takenAtMs) || !isObject(rows) || !Array.isArray(heads)) return null;
  const counted = Object.entries(rows).filter((entry): entry is [string, number] => isCount(entry[1]));
  const auditHeads = heads.map(readHead).filter((head) => head !== null);
  if (counted.length !== Object.keys(rows).length || auditHeads.length !== heads.length) return null;
  return { program, version, takenAtMs, file, bytes, sha256, schemaVersion, masterKeyId, rows: Object.fromEntries(counted), lastEvent, auditHeads };
}

/** A file in a folder of backups. `complete`: its manifest is beside it and speaks of it. */
export type BackupFile = { readonly name: string; readonly complete: boolean };

/**
 * Which backups are more than are to be kept: the oldest of those that are ours by name and complete. Never the newest of
 * them, and never a file that is something else.
 * @param keep how many stay, at least 1
 */
export function chooseSuperfluous(files: readonly BackupFile[], keep: number): readonly string[] {
  const ours = files.flatMap(({ name, complete }) => {
    const atMs = backupTime(name);
    return complete && atMs !== null ? [{ name, atMs }] : [];
  });
  return ours.toSorted((a, b) => b.atMs - a.atMs).slice(Math.max(1, keep)).map(({ name }) => name);
}

/** Longest waiting between two backups: 30 days, milliseconds. */
const MAX_EVERY_MS = 2_592_000_000;

/** A waiting time like `30m`, `1h`, `7d`, in milliseconds; null: it is none, shorter than a second, or longer than 30 days. */
export function parseEvery(text: string): number | null {
  const [, count, unit] = /^([0-9]{1,6})([smhd])$/.exec(text) ?? [];
  const ms = Number(count) * ({ s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }[unit ?? ''] ?? Number.NaN);
  return ms >= 1000 && ms <= MAX_EVERY_MS ? ms : null;
}

/**
 * When the next backup is due: the first multiple of `everyMs` after now, counted from the start, so that runs that were
 * missed are not made up. A failed one is tried again sooner.
 */
export function nextRunMs(startedMs: number, nowMs: number, everyMs: number, failures: number): number {
  const regular = startedMs + (Math.floor((nowMs - startedMs) / everyMs) + 1) * everyMs;
  return failures === 0 ? regular : Math.min(regular, nowMs + Math.min(everyMs, 10_000 * 2 ** Math.min(failures - 1, 6)));
}
