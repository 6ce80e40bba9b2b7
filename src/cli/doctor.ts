import { readFileSync } from 'node:fs';
import { settingsOf, type Call } from './call.ts';
import type { CommandRow } from './declare.ts';
import { UsageError } from './failure.ts';
import { table } from './text.ts';

function readAuthority(path: string | undefined): string | null {
  if (path === undefined) return null;
  try {
    return readFileSync(path, 'utf8');
  } catch {
    throw new UsageError(`--ca ${path} cannot be read`);
  }
}

async function run(call: Call): Promise<number> {
  const { flags, out } = call;
  const settings = settingsOf(call);
  const ca = readAuthority(flags.text('ca'));
  const { examine } = await import('../app/doctor/examine.ts');
  const findings = await examine(settings, { nowMs: Date.now(), backups: flags.text('backups') ?? null, ca });
  const problems = findings.filter(({ outcome }) => outcome === 'problem').length;
  const warnings = findings.filter(({ outcome }) => outcome === 'warning').length;
  await out.document({ ok: problems === 0, findings });
  await out.print(table(out.styled, ['CHECK', 'OUTCOME', ''], findings.flatMap(({ check, outcome, detail, fix }) => [[check, outcome, detail], ...(fix === null ? [] : [['', '', `→ ${fix}`]])])));
  await out.print(problems > 0 ? `${problems} ${problems === 1 ? 'thing needs' : 'things need'} mending.` : warnings > 0 ? 'It works; see to the warnings.' : 'All is well.');
  return problems === 0 ? 0 : 1;
}

/** `assay doctor` */
export const doctorCommands: readonly CommandRow[] = [
  {
    name: 'doctor', summary: 'Look what is wrong with this server, its data and what stands around it, and say what to do',
    settings: ['origin', 'tlsCert', 'tlsKey', 'trustProxy'],
    flags: [
      ['--backups <DIR>', 'folder of backups whose age is looked at (default: backups in the data folder, if it is there)'],
      ['--ca <FILE>', 'certificates (PEM) of a private authority that the origin\'s and the mail server\'s come from'],
    ],
    notes: 'Run it with the settings that the server runs with, from where clients are where that can be done. Changes nothing, and shows no secret. The exit code is 1 when something needs mending.',
    run,
  },
];
