import type { Settings } from '../../config/settings.ts';
import type { Finding, Seen } from '../../core/finding.ts';
import { parseOrigin, type Origin } from '../../core/issuer.ts';
import { lookAtDatabase, type Checkup } from '../../storage/sqlite/checkup.ts';
import { dataFiles } from '../files.ts';
import { dataChecks } from './data-checks.ts';
import { outsideChecks } from './outside-checks.ts';

/** What checks look at. */
export type Patient = {
  readonly settings: Settings;
  readonly nowMs: number;
  /** Folder of backups; null: nobody said. */
  readonly backups: string | null;
  /** Certificates (PEM) that are trusted beside the system's, for a private authority; null: none. */
  readonly ca: string | null;
  /** The database, as it was found. @throws Error */
  readonly checkup: () => Checkup;
  /** Where clients find this server; null: nobody said yet. */
  readonly origin: () => Origin | null;
};

/** One thing to look at. A failure of the look is a finding of its own. */
export type CheckRow = { readonly check: string; readonly look: (patient: Patient) => Promise<Seen> | Seen };

/** One line: what went wrong may come from another program. */
function wordsOf(error: unknown): string {
  return (error instanceof Error ? error.message : 'unknown reason').replaceAll(/\s+/g, ' ').slice(0, 300);
}

function storedOrigin(checkup: () => Checkup): Origin | null {
  try {
    const kept: unknown = JSON.parse(checkup().origin ?? 'null');
    return typeof kept === 'object' && kept !== null && 'url' in kept && typeof kept.url === 'string' ? parseOrigin(kept.url) : null;
  } catch {
    return null;
  }
}

/** Looks at everything. Changes nothing; no check keeps another from being made. */
export async function examine(settings: Settings, options: { readonly nowMs: number; readonly backups: string | null; readonly ca: string | null }): Promise<readonly Finding[]> {
  let known: Checkup | null = null;
  const checkup = (): Checkup => (known ??= lookAtDatabase(dataFiles(settings.data).database));
  const patient: Patient = {
    settings, ...options, checkup,
    origin: () => (settings.origin === null ? storedOrigin(checkup) : parseOrigin(settings.origin)),
  };
  let damage: string | null = null;
  const findings = await Promise.all([...dataChecks, ...outsideChecks].map(async ({ check, look }): Promise<Finding> => {
    try {
      return { check, ...await look(patient) };
    } catch (error) {
      if (!isDamage(error)) return { check, outcome: 'problem', detail: `could not be looked at: ${wordsOf(error)}`, fix: 'do what it says, and see the other findings first' };
      damage = wordsOf(error);
      return { check, outcome: 'skipped', detail: 'the database is damaged', fix: null };
    }
  }));
  return damage === null ? findings : findings.map((finding) => (finding.check === 'data' ? damaged(damage ?? '') : finding));
}

/** Whether SQLite cannot make sense of the file. */
function isDamage(error: unknown): boolean {
  return error instanceof Error && 'code' in error && /^SQLITE_(CORRUPT|NOTADB)/.test(String(error.code));
}

/** One finding for all that cannot be read: what is to be done is the same. */
function damaged(words: string): Finding {
  return {
    check: 'data', outcome: 'problem', detail: `the database is damaged: ${words}`,
    fix: 'stop the server, keep a copy of the data folder, and restore the latest backup that `assay backup verify` finds sound: `assay restore FILE --replace-damaged`',
  };
}
