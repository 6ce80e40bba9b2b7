import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Settings } from '../config/settings.ts';
import type { DatabaseFacts, Manifest, TellProgress } from '../core/backup.ts';
import { sealedFor } from '../core/sealed.ts';
import { unseal } from '../keys/seal.ts';
import { tryTokens } from '../service/canary.ts';
import { verifyChains } from '../service/manage-audit.ts';
import { currentSchema, findDamage, readFacts } from '../storage/sqlite/backup.ts';
import { loadManifest, readThrough } from './backup-files.ts';
import { dataFiles } from './files.ts';
import { openApplication, type Application } from './open.ts';

/** One thing that was looked at. `skipped`: it could not be, or there is nothing to look at. */
export type Check = { readonly name: string; readonly outcome: 'ok' | 'failed' | 'skipped'; readonly detail: string };

/** What a look at a backup came to. */
export type Verdict = {
  readonly ok: boolean;
  readonly checks: readonly Check[];
  readonly manifest: Manifest | null;
  /** null: it could not be read. */
  readonly facts: DatabaseFacts | null;
  /** Of the file, hexadecimal. */
  readonly sha256: string | null;
};

/** What the checks found so far, for those after them. */
type Found = {
  readonly file: string;
  readonly settings: Settings;
  readonly folder: string;
  readonly tell: TellProgress;
  manifest: Manifest | null;
  sha256: string | null;
  facts: DatabaseFacts | null;
  application: Application | null;
};

/** A check says what it saw; a fault is thrown, a string that begins with `skip:` says why there was nothing to do. */
type CheckRow = { readonly name: string; readonly run: (found: Found) => Promise<string> };

const SKIP = 'skip:';
const scratchDatabase = (found: Found): string => dataFiles(found.folder).database;

function need<T>(value: T | null): T {
  if (value === null) throw new Error(`${SKIP}what it needs could not be read`);
  return value;
}

/** Settings under which a copy of a data folder opens with that folder's key. */
export function settingsForCopy(settings: Settings, folder: string): Settings {
  const elsewhere = settings.masterKey !== null || settings.masterKeyCommand !== null;
  // The clock's mark is of the time of the backup, which may be any; a copy is not a server.
  return { ...settings, data: folder, acceptClock: true, logLevel: 'error', masterKeyFile: settings.masterKeyFile ?? (elsewhere ? null : dataFiles(settings.data).masterKey) };
}

async function openSealedKeys({ ctx }: Application): Promise<number> {
  let opened = 0;
  for (const tenant of await ctx.store.listTenants()) {
    for (const key of await ctx.store.listKeys(tenant.id)) {
      if (key.sealedPrivate === '') continue;
      unseal(ctx.master, sealedFor.signingKey(key.tenantId, key.kid), key.sealedPrivate);
      opened += 1;
    }
  }
  return opened;
}

function compareCounts(facts: DatabaseFacts, manifest: Manifest): string {
  const wrong = Object.keys({ ...manifest.rows, ...facts.rows }).filter((name) => manifest.rows[name] !== facts.rows[name]);
  if (wrong.length > 0) throw new Error(`not as many as the manifest says: ${wrong.join(', ')}`);
  return `${Object.values(facts.rows).reduce((sum, count) => sum + count, 0)} rows, as the manifest says`;
}

function compareHeads(facts: DatabaseFacts, manifest: Manifest): string {
  if (JSON.stringify(facts.auditHeads) !== JSON.stringify(manifest.auditHeads) || facts.lastEvent !== manifest.lastEvent) {
    throw new Error('the audit trail does not end where the manifest says');
  }
  return `${facts.auditHeads.length} trails end where the manifest says, the last event is ${facts.lastEvent}`;
}

/** All that is looked at, in order; each stands alone, as far as it can. */
const checks: readonly CheckRow[] = [
  {
    name: 'manifest',
    run: async (found) => {
      found.manifest = loadManifest(found.file);
      if (found.manifest === null) throw new Error('there is none beside the file: it was moved alone, or never finished');
      return `taken ${new Date(found.manifest.takenAtMs).toISOString()} by ${found.manifest.version}`;
    },
  },
  {
    name: 'file',
    run: async (found) => {
      const { bytes, sha256 } = await readThrough(found.file, found.tell, 'reading', scratchDatabase(found));
      found.sha256 = sha256;
      const { manifest } = found;
      if (manifest === null) throw new Error(`${SKIP}${bytes} bytes, and nothing to compare them with`);
      if (manifest.bytes !== bytes || manifest.sha256 !== sha256) throw new Error('it is not the file that the manifest speaks of: its SHA-256 differs');
      return `${bytes} bytes, SHA-256 as the manifest says`;
    },
  },
  {
    name: 'schema',
    run: async (found) => {
      found.facts = readFacts(scratchDatabase(found));
      return found.facts.schemaVersion === currentSchema ? `version ${currentSchema}` : `version ${found.facts.schemaVersion}, which is brought to ${currentSchema} when it is used`;
    },
  },
  {
    name: 'integrity',
    run: async (found) => {
      need(found.facts);
      found.tell('checking', 0, null);
      const faults = await findDamage(scratchDatabase(found));
      if (faults.length > 0) throw new Error(faults.slice(0, 3).join('; '));
      return 'every page and every reference is sound';
    },
  },
  { name: 'rows', run: async ({ facts, manifest }) => compareCounts(need(facts), need(manifest)) },
  { name: 'audit heads', run: async ({ facts, manifest }) => compareHeads(need(facts), need(manifest)) },
  {
    name: 'master key',
    run: async (found) => {
      need(found.facts);
      found.application = await openApplication(settingsForCopy(found.settings, found.folder));
      return `it opens the data and ${await openSealedKeys(found.application)} private keys`;
    },
  },
  {
    name: 'audit chains',
    run: async ({ application, tell }) => {
      const reports = await verifyChains(need(application).ctx, { progress: (events) => tell(`verifying ${events} events`, 0, null) });
      const broken = reports.find((report) => report.broken !== null);
      if (broken?.broken) throw new Error(`event ${broken.broken.number} of ${broken.tenant ?? 'the server'} is not as it was written (${broken.broken.fault})`);
      return `${reports.reduce((sum, { events }) => sum + events, 0)} events in ${reports.length} chains are as they were written`;
    },
  },
  {
    name: 'canary',
    run: async ({ application }) => {
      const outcome = await tryTokens(need(application).ctx);
      if (!outcome.ok) throw new Error(outcome.description);
      return `a token of tenant ${outcome.value} was active, and inactive once revoked`;
    },
  },
];

async function look(row: CheckRow, found: Found): Promise<Check> {
  try {
    return { name: row.name, outcome: 'ok', detail: await row.run(found) };
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    return said.startsWith(SKIP) ? { name: row.name, outcome: 'skipped', detail: said.slice(SKIP.length) } : { name: row.name, outcome: 'failed', detail: said };
  }
}

/**
 * Looks whether a backup can be lived from, on a private copy that is gone afterwards. The backup itself is only read.
 * @param scratch folder in which the copy lies meanwhile
 */
export async function verifyBackup(settings: Settings, file: string, scratch: string = tmpdir(), tell: TellProgress = () => undefined): Promise<Verdict> {
  if (!existsSync(file)) {
    return { ok: false, checks: [{ name: 'file', outcome: 'failed', detail: `${file} does not exist` }], manifest: null, facts: null, sha256: null };
  }
  const found: Found = { file, settings, folder: mkdtempSync(join(scratch, 'assay-verify-')), tell, manifest: null, sha256: null, facts: null, application: null };
  try {
    const seen: Check[] = [];
    for (const row of checks) seen.push(await look(row, found));
    return { ok: seen.every(({ outcome }) => outcome !== 'failed'), checks: seen, manifest: found.manifest, facts: found.facts, sha256: found.sha256 };
  } finally {
    await found.application?.close();
    rmSync(found.folder, { recursive: true, force: true });
  }
}
