import { resolve } from 'node:path';
import type { RestoreReport } from '../app/restore.ts';
import type { Verdict } from '../app/verify-backup.ts';
import { unknownAdvice } from '../core/restore.ts';
import { withProgress } from './backup.ts';
import { settingsOf, type Call } from './call.ts';
import { confirm, yesFlag } from './confirm.ts';
import type { CommandRow } from './declare.ts';
import { CommandFailure } from './failure.ts';
import { showTime, styleFor, table } from './text.ts';

/** More is in the JSON document. */
const SHOWN = 50;

function reportDocument(report: RestoreReport): object {
  const { restored, replaced, again, failed, lost, keysMade, verdict } = report;
  return {
    restored_at: new Date(restored.atMs).toISOString(), taken_at: verdict.manifest === null ? null : new Date(verdict.manifest.takenAtMs).toISOString(),
    replaced, compared: restored.compared, ended: restored.ended, done_again: again, not_done_again: failed,
    happened_since: lost.map(({ timeMs, type, tenant, clientId, subject }) => ({ time: new Date(timeMs).toISOString(), type, tenant, client_id: clientId, subject })),
    keys_made: keysMade, event_number: restored.number, checks: verdict.checks, look_after: restored.compared ? [] : unknownAdvice,
  };
}

async function print({ out }: Call, report: RestoreReport): Promise<void> {
  const { restored, replaced, again, failed, lost, keysMade } = report;
  const { bold } = styleFor(out.styled);
  const ended = Object.entries(restored.ended).filter(([, count]) => count > 0).map(([what, count]) => `${what.replaceAll('_', ' ')}: ${count}`);
  await out.print(bold('Restored.'));
  await out.print(`Everything that was issued before ${showTime(restored.atMs)} is inactive for good (${ended.join(', ')}). ${keysMade} new signing keys were made: let resource servers fetch them.`);
  if (replaced !== null) await out.print(`The replaced database lies at ${replaced}. It holds everything that it held: delete it when nothing is missing.`);
  if (again.length > 0) await out.print(`\nDone again, because it was done since the backup:\n${table(out.styled, ['WHAT', 'TENANT', 'SUBJECT'], again.slice(0, SHOWN).map(({ what, tenant, subject }) => [what, tenant ?? '–', subject ?? '–']))}`);
  if (failed.length > 0) await out.print(`\nCould not be done again:\n${table(out.styled, ['WHAT', 'TENANT', 'SUBJECT'], failed.map(({ what, tenant, subject }) => [what, tenant ?? '–', subject ?? '–']))}`);
  if (lost.length > 0) {
    await out.print(`\nHappened since the backup, and is not part of it; do again what still counts:\n${table(out.styled, ['TIME', 'TYPE', 'TENANT', 'CLIENT', 'SUBJECT'], lost.slice(0, SHOWN).map((event) => [showTime(event.timeMs), event.type, event.tenant ?? '–', event.clientId ?? '–', event.subject ?? '–']))}`);
  }
  const more = Math.max(0, again.length - SHOWN) + Math.max(0, lost.length - SHOWN);
  if (more > 0) await out.print(`… and ${more} more: --json lists all.`);
  if (!restored.compared) await out.print(`\nThe replaced database could not be asked what changed since the backup. All API keys are revoked. Look after the rest:\n${unknownAdvice.map((advice) => `  - ${advice}`).join('\n')}`);
}

/** Why a backup is unfit, as problems of a failure. */
function problemsOf({ checks }: Verdict): readonly string[] {
  return checks.filter(({ outcome }) => outcome === 'failed').map(({ name, detail }) => `${name}: ${detail}`);
}

async function run(call: Call): Promise<number> {
  const settings = settingsOf(call);
  const { flags, out } = call;
  const file = resolve(call.args[0] ?? '');
  await confirm(call, `Replace the database in ${settings.data} by ${file}? Everybody is signed out, and every token that was issued is inactive for good.`, 'resets');
  const { restoreBackup, UnfitBackup } = await import('../app/restore.ts');
  const report = await withProgress(call, async (tell) => {
    try {
      return await restoreBackup(settings, { file, withoutManifest: flags.on('without-manifest'), replaceDamaged: flags.on('replace-damaged') }, Date.now(), tell);
    } catch (error) {
      if (error instanceof UnfitBackup) throw new CommandFailure('unfit_backup', error.message, problemsOf(error.verdict));
      throw error;
    }
  });
  await out.document(reportDocument(report));
  await print(call, report);
  return 0;
}

/** `assay restore` */
export const restoreCommands: readonly CommandRow[] = [
  {
    name: 'restore', summary: 'Replace the database by a backup; everything that was issued before is inactive afterwards',
    args: [['<FILE>', 'the backup, its manifest beside it']],
    flags: [
      yesFlag,
      ['--without-manifest', 'the backup has none, as those made before a migration'],
      ['--replace-damaged', 'the database that is there is damaged, and no server runs on it'],
    ],
    notes: 'No server may run on the data: the database must not be open anywhere. The replaced one is kept beside it. What was taken away since the backup '
      + '(secrets, passwords, API keys, disabled and deleted things) is taken away again where the replaced database can be read.',
    run,
  },
];
