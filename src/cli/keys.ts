import { FileTrouble } from '../app/files.ts';
import type { Tenant } from '../core/model.ts';
import type { SigningKeyRow } from '../core/store.ts';
import { UnsealError } from '../keys/seal.ts';
import { keySchedule, listKeys, revokeKey, rotateKeys, type KeyConsequences, type KeySchedule } from '../service/manage-keys.ts';
import { ResealError } from '../service/reseal.ts';
import { suggestion, withData, withOpened, type Work } from './call.ts';
import type { CommandRow } from './declare.ts';
import { CommandFailure } from './failure.ts';
import { keyDocument, keysDocument, revokedKeyDocument } from '../service/documents.ts';
import { showTime, table } from './text.ts';

const DAY_MS = 86_400_000;

function showAge(key: SigningKeyRow, nowMs: number): string {
  const days = Math.floor((nowMs - key.createdAtMs) / DAY_MS);
  return days < 1 ? 'today' : `${days} day${days === 1 ? '' : 's'}`;
}

function describeSchedule({ days, dueAtMs, waitsFor }: KeySchedule, tenant: Tenant): string {
  if (days === null || dueAtMs === null) return `Keys rotate by command only: ${suggestion('keys rotate', tenant)}.`;
  if (waitsFor === null) return `The next key takes over on ${showTime(dueAtMs)}, after ${days} days.`;
  return waitsFor === 'no_next' ? 'A rotation is due, and the next key is being made by the server.'
    : 'A rotation is due, and waits until the next key has been published for long enough.';
}

async function printKeys({ out, ctx }: Work, tenant: Tenant, keys: readonly SigningKeyRow[]): Promise<void> {
  const nowMs = ctx.clock.now();
  await out.print(table(out.styled, ['KEY', 'ALG', 'STATE', 'AGE', 'SIGNS SINCE', 'UNTIL'], keys.map((key) => [
    key.kid, key.algorithm, key.issuer === null ? key.status : `${key.status}, of ${key.issuer}`, showAge(key, nowMs), showTime(key.activatedAtMs), showTime(key.retiredAtMs),
  ])));
  await out.print(describeSchedule(keySchedule(ctx, tenant, keys), tenant));
}

async function showActive(work: Work, tenant: Tenant, keys: readonly SigningKeyRow[]): Promise<void> {
  const active = keys.find((key) => key.status === 'active');
  if (active === undefined) throw new CommandFailure('conflict', 'no key signs; try again in a moment');
  await work.out.document(keyDocument(active, tenant));
  await printKeys(work, tenant, keys);
}

/** What falls with a key, or would, for people. */
function describeFall({ key, signedSinceMs, tokensUntilMs, grants, idTokens }: KeyConsequences, dryRun: boolean): readonly string[] {
  const since = key.status === 'active' ? 'It signs since' : 'It signed, and does not any more, since';
  const fall = dryRun ? 'would be inactive at once' : 'are inactive';
  return [
    ...(signedSinceMs === null ? [] : [`${since} ${showTime(signedSinceMs)}.`]),
    tokensUntilMs === null ? 'No access token of it lives.' : `Access tokens that it signed, of which the last expires at ${showTime(tokensUntilMs)} at the latest, ${fall}.`,
    ...(grants === 0 ? [] : [`${grants} live grant${grants === 1 ? '' : 's'} may lose an access token by it, and get a new one with the refresh token.`]),
    ...(idTokens ? [`ID tokens that it signed ${dryRun ? 'would ' : ''}prove nothing any more.`] : []),
  ];
}

/** What files and sealed things have to say is worded for people where it is thrown. */
async function explained<T>(act: Promise<T>): Promise<T> {
  try {
    return await act;
  } catch (error) {
    if (error instanceof FileTrouble || error instanceof ResealError || error instanceof UnsealError) throw new CommandFailure('cannot_rotate', error.message);
    throw error;
  }
}

/** `assay keys …` */
export const keyCommands: readonly CommandRow[] = [
  {
    name: 'list', summary: 'List a tenant\'s signing keys, and when the next one signs', tenant: 'default',
    run: (call) => withData(call, async (work) => {
      const tenant = await work.tenant();
      const keys = await listKeys(work.ctx, tenant);
      await work.out.document(keysDocument(keys, tenant, keySchedule(work.ctx, tenant, keys)));
      await printKeys(work, tenant, keys);
    }),
  },
  {
    name: 'rotate', summary: 'Let the next key sign from now on, and publish another', tenant: 'default',
    notes: 'What the former key signed stays good. Rotate at most once an hour, so that resource servers know the new key in time.\nThe server does it by itself: `assay tenant update --key-rotation-days`.',
    run: (call) => withData(call, async (work) => {
      const tenant = await work.tenant();
      await showActive(work, tenant, work.take(await rotateKeys(work.ctx, tenant)));
    }),
  },
  {
    name: 'revoke', summary: 'Take a key away: everything that it signed is inactive at once', args: [['<KID>', 'the key\'s id, as `assay keys list` shows it']], tenant: 'default',
    flags: [['--dry-run', 'only say what would fall with it']],
    run: (call) => withData(call, async (work) => {
      const tenant = await work.tenant();
      const dryRun = work.flags.on('dry-run');
      const falls = work.take(await revokeKey(work.ctx, tenant, work.arg(0), { dryRun }));
      await work.out.document(revokedKeyDocument(falls, dryRun));
      await work.out.print([dryRun ? `Nothing was changed. If key ${work.arg(0)} were revoked:` : `Revoked key ${work.arg(0)}.`, ...describeFall(falls, dryRun)].join('\n'));
    }),
  },
  {
    name: 'rotate-master', summary: 'Replace the master key, and seal everything anew, while servers run',
    flags: [['--to-file <FILE>', 'take the new key from this file, or make it there; for moving it elsewhere']],
    notes: [
      'With a key file, a new key is made, stands above the former one while the work goes on, and alone in the end. Running servers follow by themselves.',
      'With ASSAY_MASTER_KEY_COMMAND, let the command print the new key, then the former one on a second line; run this; then let it print the new one alone.',
      'With ASSAY_MASTER_KEY, start all servers with both, the new one first (NEW,FORMER); run this with both; then start them with the new one alone.',
      'Cut short, it is simply run again. Backups from before need the former key: keep it with them.',
    ].join('\n'),
    run: (call) => withOpened(call, async (work, application, { data }) => {
      const { rotateMasterKey } = await import('../app/rotate-master.ts');
      await work.out.print('Sealing everything anew; this takes some seconds.');
      const { id, formerIds, resealed, resumed } = work.take(await explained(rotateMasterKey(application, data, { toFile: work.flags.text('to-file') ?? null })));
      await work.out.document({ ok: true, id, former_ids: formerIds, resealed, resumed });
      await work.out.print(`${resumed ? 'Finished what was begun: the' : 'The'} master key is now ${id}; ${resealed} ${resealed === 1 ? 'thing was' : 'things were'} sealed anew.`);
    }),
  },
];
